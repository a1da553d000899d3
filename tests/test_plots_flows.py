import numpy as np
import pytest
from matplotlib.collections import LineCollection
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.book.plots.style import METHODS, SHARED

WAYS = np.cumsum(np.random.default_rng(0).normal(size=(5, 12, 2)), axis=0)
LABELS = np.arange(12) % 2
NULL = np.linspace(-0.8, 0.9, 60)

FIGURES = {
    "trajectories": lambda: plots.trajectories(
        {"one": WAYS, "two": -WAYS}, LABELS
    ),
    "null histogram": lambda: plots.null_histogram(
        {"a": NULL, "b": -NULL}, {"a": 0.9, "b": 0.1}, xlabel="r"
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_draw_themselves(name):
    assert FIGURES[name]()._repr_png_().startswith(b"\x89PNG")


def test_each_way_is_drawn_whole_in_the_colour_of_its_class():
    ax, other = plots.trajectories({"one": WAYS, "two": -WAYS}, LABELS).axes
    for c, lines in enumerate(
        part for part in ax.collections if isinstance(part, LineCollection)
    ):
        drawn = np.array(lines.get_segments())
        assert_allclose(drawn, WAYS[:, LABELS == c].transpose(1, 0, 2))
    starts = [line for line in ax.lines if line.get_mfc() == "white"]
    ends = [line for line in ax.lines if line.get_mfc() != "white"]
    for c in range(2):
        assert starts[c].get_color() == ends[c].get_color() == METHODS[c]
        assert_allclose(starts[c].get_xydata(), WAYS[0, LABELS == c])
        assert_allclose(ends[c].get_xydata(), WAYS[-1, LABELS == c])
    assert ax.get_title() == "one" and other.get_title() == "two"
    assert ax.get_xlim() == other.get_ylim()


def test_few_ways_are_shown_and_reach_is_fixed():
    (ax,) = plots.trajectories({"one": WAYS}, shown=5, reach=7).axes
    assert len(ax.collections[0].get_segments()) == 5
    assert ax.get_xlim() == (-7, 7)


def test_all_exchanges_are_counted_and_the_found_one_marked():
    axes = FIGURES["null histogram"]().axes
    for ax, found in zip(axes, (0.9, 0.1)):
        assert sum(bar.get_height() for bar in ax.patches) == 60
        (line,) = ax.lines
        assert line.get_color() == SHARED
        assert_allclose(line.get_xdata(), found)
