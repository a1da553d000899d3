import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.quiver import Quiver
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.book.plots.style import BLACK, SHARED

TIMES = np.linspace(0, 1, 5)
WAYS = np.cumsum(np.random.default_rng(0).normal(size=(5, 12)), axis=0) / 3
LABELS = np.arange(12) % 2


def drawn(**more):
    ways = {"one": WAYS, "two": -WAYS}
    labels = {"one": LABELS, "two": 1 - LABELS}
    return plots.over_time(ways, TIMES, labels, **more)


def of_kind(ax, kind):
    return [part for part in ax.collections if type(part) is kind]


def test_each_way_is_drawn_whole_in_the_colour_of_its_class():
    figure = drawn()
    assert figure._repr_png_().startswith(b"\x89PNG")
    for ax, ways, first in zip(figure.axes, (WAYS, -WAYS), (0, 1)):
        lines = of_kind(ax, LineCollection)
        for part, color, label in zip(lines, (SHARED, BLACK), (first, None)):
            label = 1 - first if label is None else label
            segments = np.array(part.get_segments())
            assert_allclose(segments[..., 1], ways[:, LABELS == label].T)
            assert (segments[..., 0] == TIMES).all()
            assert_allclose(part.get_color()[0][:3], to_rgb(color))


def test_a_strip_is_widest_where_most_points_are():
    figure = drawn(strips=[0, 0.5], reach=2)
    strips = of_kind(figure.axes[0], PolyCollection)
    if not strips:  # a newer Matplotlib has a class of its own
        strips = [
            part
            for part in figure.axes[0].collections
            if not isinstance(part, LineCollection)
        ]
    assert len(strips) == 2
    for strip, at in zip(strips, (0, 2)):
        corners = strip.get_paths()[0].vertices
        counts, edges = np.histogram(WAYS[at], np.linspace(-2, 2, 49))
        widest = corners[corners[:, 0].argmax(), 1]
        fullest = (edges[1:] + edges[:-1])[counts == counts.max()] / 2
        assert np.abs(fullest - widest).min() < 1e-9
        assert corners[:, 0].min() == TIMES[at]


def test_arrows_point_along_the_velocity_on_the_page():
    velocity = np.array([[0.0, 1.0], [-2.0, 4.0]])
    figure = drawn(field=([0.2, 0.8], [-1, 1], velocity), reach=3)
    assert not of_kind(figure.axes[0], Quiver)
    (arrows,) = of_kind(figure.axes[1], Quiver)
    left, right = figure.axes[1].get_xlim()
    slope = arrows.V / arrows.U * 6 / (right - left)
    assert_allclose(slope, velocity.ravel())
    assert_allclose(np.hypot(arrows.U, arrows.V), 1)


def test_few_ways_are_shown():
    lines = of_kind(drawn(shown=4).axes[0], LineCollection)
    assert sum(len(part.get_segments()) for part in lines) == 4


def test_panels_without_labels_are_refused():
    with pytest.raises(KeyError, match="two"):
        plots.over_time({"one": WAYS, "two": WAYS}, TIMES, {"one": LABELS})
