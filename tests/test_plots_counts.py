"""Figures of chapter 3: dimensions in cells, and row spaces that meet."""

import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex

from perfalign.book import plots
from perfalign.book.plots.row_spaces import SIGHT
from perfalign.book.plots.style import SHARED, VIEW
from perfalign.book.warned import warned


def colours(patches):
    return [to_hex(patch.get_facecolor()) for patch in patches]


def test_one_cell_a_dimension():
    kinds = {"evidence": [0, 1, 2], "vacuous": [3, 1, 0], "silent": [2, 0, 0]}
    (ax,) = plots.counts([4, 5, 6], kinds).axes
    cells = colours(ax.patches)
    colour_of = (SHARED.lower(), "#ffffff", "#d5d5d5")
    assert [cells.count(colour) for colour in colour_of] == [3, 4, 2]
    corners = {patch.get_xy() for patch in ax.patches}
    assert len(corners) == 9
    columns = [round(x + 0.42) for x, _ in corners]
    assert [columns.count(n) for n in (4, 5, 6)] == [5, 2, 2]


x, y, z = np.eye(3)


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ([x, y], [y, z], y),
        ([x + z], [y, z], None),
        ([y + z], [y, z], y + z),
        ([x, y, x + y], [2 * y, z - x], y),
    ],
)
def test_row_spaces_meet_where_they_do(one, two, meet):
    (ax,) = plots.row_spaces({"": (one, two)}).axes
    purple = [line for line in ax.lines if line.get_color() == SHARED]
    assert len(purple) == (0 if meet is None else 2)
    ranks = [np.linalg.matrix_rank(view) for view in (one, two)]
    assert len(ax.patches) == 2 * ranks.count(2)
    if meet is not None:
        # Seen along the same line as the signal that both have.
        seen = plots.row_spaces({"": ([meet], [meet])}).axes[0]
        only = [line for line in seen.lines if line.get_color() == SHARED]
        ends = [line.get_xydata()[-1] for line in (purple[0], only[0])]
        assert abs(np.linalg.det(ends)) < 1e-12


def test_what_is_behind_a_plane_is_hidden_by_it():
    (ax,) = plots.row_spaces({"": ([x + z], [y, z])}).axes
    blue = [line for line in ax.lines if line.get_color() == VIEW[0]]
    behind, front = sorted(blue, key=lambda line: line.get_zorder())
    plane = ax.patches[0].get_zorder()
    assert behind.get_zorder() < plane < front.get_zorder()
    # One looks from where x is positive, so that this end is in front.
    near = SIGHT / np.linalg.norm(SIGHT)
    up = z - near[2] * near
    right = np.cross(up, near)
    end = np.array([right, up]) @ (x + z)
    seen = front.get_xydata()[-1]
    np.testing.assert_allclose(
        seen / np.linalg.norm(seen), end / np.linalg.norm(end)
    )


def test_warnings_are_printed_at_the_end_of_their_block(capsys):
    with warned(width=20):
        warnings.warn("one two three four", stacklevel=1)
        print("first")
    assert capsys.readouterr().out.splitlines() == [
        "first",
        "UserWarning: one two",
        "three four",
    ]
