"""Row spaces of two views as planes and lines in the space of items."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    MUTED,
    SHARED,
    VIEW,
    Figure,
    note,
    panels,
    styled,
)

#: From where one looks, the second axis being almost upright on the page.
SIGHT = np.array([1.0, 0.6, 0.75])


@styled
def row_spaces(cases: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """What two views can say of three items, and what both can say.

    Three items make a space of three dimensions, in which a signal is an
    arrow. What one view can say, its row space, is a disc of a plane or a
    line; where the two meet is drawn in purple.

    Parameters
    ----------
    cases : dict of str to pair of array-like of shape (d_m, 3)
        Signals in rows, of rank 1 or 2, by the title of their panel.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> from perfalign.book import plots
    >>> one, two = [[1, 0, 0], [0, 1, 0]], [[0, 1, 0], [0, 0, 1]]
    >>> figure = plots.row_spaces({"two planes": (one, two)})
    >>> len(figure.axes)
    1
    """
    fig, axes = panels(len(cases), height=1.85)
    for ax, (title, views) in zip(axes, cases.items()):
        bases = [_basis(np.asarray(view, float)) for view in views]
        common = _meeting(*bases)
        for m, basis in enumerate(bases):
            if len(basis) == 1:
                for end in (basis[0], -basis[0]):
                    behind = _behind(end, bases[1 - m])
                    _line(ax, end, VIEW[m], lw=4.5, zorder=0 if behind else 5)
        for half, m in _halves(bases, common):
            ax.add_patch(Polygon(half, fc=VIEW[m], alpha=0.45, lw=0))
        if len(common):
            # Beside a view that is this line, so that both are seen.
            both = any(len(basis) == 1 for basis in bases)
            for end in (1.2 * common[0], -1.2 * common[0]):
                _line(ax, end, SHARED, lw=1.6 if both else 3, zorder=5)
            spot = 1.2 * _seen(common)[0]
            spot = spot * np.copysign(1, spot[0])
            note(ax, "shared", spot, (4, 0), SHARED, va="center")
        ax.plot(0, 0, "o", color=MUTED, ms=3, zorder=8)
        ax.set(xlim=(-1.25, 1.45), ylim=(-1.1, 1.1), aspect="equal")
        ax.set_title(title)
        ax.axis("off")
    return fig


def _basis(rows: Array) -> Array:
    _, sigma, Vt = np.linalg.svd(rows, full_matrices=False)
    kept: Array = Vt[sigma > 1e-9 * sigma[0]]
    return kept


def _meeting(one: Array, two: Array) -> Array:
    """Orthonormal basis of what two subspaces have in common."""
    U, cosines, _ = np.linalg.svd(one @ two.T)
    found: Array = U.T[: len(cosines)][cosines > 1 - 1e-9] @ one
    return found


def _seen(points: Array) -> Array:
    """Where points of space are on the page, and how near, in columns."""
    near = SIGHT / np.linalg.norm(SIGHT)
    up = np.array([0, 0, 1]) - near[2] * near
    up /= np.linalg.norm(up)
    found: Array = points @ np.array([np.cross(up, near), up, near]).T
    return found[..., :2]


def _halves(bases: list[Array], common: Array) -> list[tuple[Array, int]]:
    """Half discs of all planes, those that are behind first."""
    near = SIGHT / np.linalg.norm(SIGHT)
    turn = np.linspace(0, np.pi, 40)[:, None]
    found = []
    for m, basis in enumerate(bases):
        if len(basis) < 2:
            continue
        along = common[0] if len(common) else basis[0]
        out = basis[1] - (basis[1] @ along) * along
        if np.linalg.norm(out) < 0.1:
            out = basis[0] - (basis[0] @ along) * along
        out /= np.linalg.norm(out)
        for side in (1, -1):
            edge = np.cos(turn) * along + side * np.sin(turn) * out
            found.append((side * (out @ near), _seen(edge), m))
    found.sort(key=lambda half: half[0])
    return [(edge, m) for _, edge, m in found]


def _behind(end: Array, plane: Array) -> bool:
    """Whether a plane hides the way from the origin to a point."""
    if len(plane) < 2:
        return False
    across = np.cross(*plane)
    return bool((across @ end) * (across @ SIGHT) < -1e-9)


def _line(
    ax: Axes, end: Array, color: ColorType, lw: float, zorder: int
) -> None:
    x, y = _seen(end)
    style = {"color": color, "lw": lw, "solid_capstyle": "butt"}
    ax.plot([0, x], [0, y], zorder=zorder, **style)
