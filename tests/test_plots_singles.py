import matplotlib as mpl
import numpy as np
from matplotlib.collections import LineCollection
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.book.plots.style import SHARED, VIEW

RNG = np.random.default_rng(0)
U, V = RNG.normal(size=(2, 30, 3))
PLACES = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (U, V)]
FRONT = PLACES[1][:, 2] > 0


def dots_of(ax, color):
    drawn = [x.get_xydata() for x in ax.lines if x.get_color() == color]
    return np.vstack(drawn)


def test_a_sky_shows_the_directions_in_front_and_joins_partners():
    figure = plots.skies({"one": (U, V), "twice": (3 * U, V)}, known=4)
    for ax, title in zip(figure.axes, ("one", "twice"), strict=True):
        assert ax.get_title() == title
        for z, color in zip(PLACES, VIEW, strict=False):
            assert_allclose(dots_of(ax, color), z[FRONT, :2])
        (ways,) = ax.findobj(LineCollection)
        ends = [z[FRONT, :2] for z in PLACES]
        assert_allclose(ways.get_segments(), np.stack(ends, axis=1))
        known = PLACES[1][:4][FRONT[:4], :2]
        assert_allclose(dots_of(ax, SHARED), known)


def test_a_turning_point_has_a_dot_for_each_start():
    errors, found = [2.0, 0.4, 1.0], {"a": [0.1, 0.9, 0.5], "b": [0, 1, 0]}
    figure = plots.turning_point(
        errors, found, bound=0.5, xlabel="error", ylabel="found"
    )
    (ax,) = figure.axes
    *dots, line = ax.lines
    for one, heights in zip(dots, found.values(), strict=True):
        assert_allclose(one.get_xdata(), [0.4, 1.0, 2.0])
        assert_allclose(one.get_ydata(), np.take(heights, [1, 2, 0]))
    assert list(line.get_xdata()) == [0.5, 0.5]
    texts = [text.get_text() for text in ax.findobj(mpl.text.Text)]
    assert {"a", "b"} <= set(texts)
    assert ax.get_xscale() == "log"
