"""The picture of pairs joins what belongs together, at one scale."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from perfalign.book import plots

RNG = np.random.default_rng(0)
SEEN = [RNG.normal(size=(7, 2)) for _ in range(2)]
NEW = [5 * RNG.normal(size=(100, 2)) for _ in range(2)]


@pytest.fixture
def figure():
    return plots.pairs({"pairs seen": SEEN, "new pairs": NEW}, shown=20)


def segments(ax):
    (lines,) = ax.collections
    return np.array(lines.get_segments())


def test_each_line_joins_the_two_latents_of_one_item(figure):
    ends = segments(figure.axes[0])
    assert_allclose(ends[:, 0], SEEN[0])
    assert_allclose(ends[:, 1], SEEN[1])


def test_marks_sit_at_the_ends_of_their_lines(figure):
    for ax in figure.axes:
        for m, points in enumerate(ax.lines):
            assert_allclose(points.get_xydata(), segments(ax)[:, m])


def test_long_groups_are_thinned_to_rows_of_both_modalities(figure):
    ends = segments(figure.axes[1])
    rows = np.linspace(0, 99, 20).round().astype(int)
    assert_allclose(ends, np.stack([NEW[0][rows], NEW[1][rows]], axis=1))


def test_panels_share_one_scale_that_holds_every_point(figure, caplog):
    figure.canvas.draw()
    limits = [(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes]
    assert_allclose(limits[0], limits[1], rtol=1e-6)
    drawn = segments(figure.axes[1]).reshape(-1, 2)
    assert (drawn > np.array(limits[0])[:, 0]).all()
    assert (drawn < np.array(limits[0])[:, 1]).all()
    assert [ax.get_title() for ax in figure.axes] == [
        "pairs seen",
        "new pairs",
    ]
    assert not caplog.records
