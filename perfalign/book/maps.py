"""Two maps of the same places, both laid on each other, and what is below."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc, Rectangle
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    SMALL,
    VIEW,
    Figure,
    new_figure,
    square,
    styled,
)


@styled
def overlay(
    maps: Sequence[ArrayLike],
    latents: Sequence[ArrayLike],
    streets: Sequence[tuple[int, int]],
    n_pairs: int,
    *,
    truth: ArrayLike | None = None,
    arrows: Sequence[Sequence[float]] = (),
    room: Mapping[str, Any] | None = None,
    lines: Sequence[int] = (),
    angles: ArrayLike | None = None,
) -> Figure:
    """Two maps, and what their encoders make of them.

    Parameters
    ----------
    maps, latents : sequence of two array-like of shape (n_places, 2)
    streets : sequence of pairs of int
        Places that a line joins.
    n_pairs : int
        The first so many places are known on both maps. The others are
        hollow pins on the maps, and faint.
    truth : array-like of shape (n_places, 2), default=None
        The places themselves, drawn as grey squares in the common space.
    arrows : sequence of pairs of float, default=()
        From the origin of the common space.
    room : mapping, default=None
        Holds "ranks", "stackRank", "shared" and "evidence", drawn below.
    lines : sequence of int, default=()
        Numbers of dimensions at which a line stands in the room.
    angles : array-like, default=None
        Principal angles in degrees, drawn below.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    below = 0.95 if room is not None or angles is not None else 0
    fig = new_figure(2.05 + below)
    rows = 2 if below else 1
    grid = fig.add_gridspec(rows, 3, height_ratios=[2.05, below][:rows])
    axes = [fig.add_subplot(grid[0, i]) for i in range(3)]
    spots = [np.asarray(points) for points in (*maps, *latents)]
    names = ("map 1", "map 2", "both, by their encoders")
    for ax, name, layers in zip(axes, names, ((0,), (1,), (2, 3))):
        for layer in layers:
            draw_city(ax, spots[layer], streets, n_pairs, layer)
        both = [spots[layer] for layer in layers]
        if truth is not None and layers == (2, 3):
            ax.plot(*np.transpose(truth), "s", color=GREY, ms=4, zorder=2)
            both.append(np.asarray(truth))
        square(ax, np.vstack(both), 0.6)
        ax.set(xticks=[], yticks=[])
        ax.set_title(name)
        ax.spines[:].set(visible=True, color=GREY)
    _bar(axes[2], "1" if arrows else "1 sd")
    pair = np.stack(spots[2:])
    axes[2].plot(*pair.transpose(2, 0, 1), color=BLACK, lw=0.8, zorder=3)
    for tip in arrows:
        style = {"arrowstyle": "-|>", "color": SHARED, "lw": 2}
        axes[2].annotate("", tip, (0, 0), arrowprops=style, zorder=6)
    if room is not None:
        _room(_strip(fig, grid), room, n_pairs - 1, lines)
    if angles is not None:
        _fans(_strip(fig, grid), np.asarray(angles))
    return fig


def draw_city(
    ax: Axes,
    spots: Array,
    streets: Sequence[tuple[int, int]],
    n_pairs: int,
    layer: int,
) -> None:
    """One city: of map 1 or 2, or, as layers 2 and 3, what is made of it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    spots : array of shape (n_places, 2)
    streets : sequence of pairs of int
        Places that a line joins.
    n_pairs : int
        The first so many places are known on both maps. The others are
        hollow pins on the maps, and faint.
    layer : int
        0 or 1, or 2 and 3 on each other: rings, and dots within them.
    """
    color = VIEW[layer % 2]
    for street in streets:
        ax.plot(*spots[list(street)].T, color=color, lw=0.8, alpha=0.35)
    ring = layer == 2
    for rows, alpha in ((slice(n_pairs), 1), (slice(n_pairs, None), 0.35)):
        hollow = ring or (layer < 2 and alpha < 1)
        ax.plot(
            *spots[rows].T,
            ls="",
            marker="o",
            mfc="white" if hollow else color,
            mec=color,
            ms=6 if ring else 3.5,
            alpha=alpha,
            zorder=4 if ring else 5,
        )


def _bar(ax: Axes, name: str) -> None:
    """A length of one, as maps have, in the lower left corner."""
    left, below = ax.get_xlim()[0] + 0.12, ax.get_ylim()[0] + 0.15
    ax.plot([left, left + 1], [below, below], color=BLACK, lw=2)
    ax.text(left, below + 0.08, name, fontsize=SMALL)


def _strip(fig: Figure, grid: Any) -> Axes:
    ax = fig.add_subplot(grid[1, :])
    ax.set(aspect="equal")
    ax.axis("off")
    return ax


def _room(
    ax: Axes, found: Mapping[str, Any], room: int, lines: Sequence[int]
) -> None:
    """One cell a dimension: what each map fills, and what both fill."""
    (one, two), joint = found["ranks"], found["stackRank"]
    first = joint - two
    evidence = range(one - found["evidence"], one)
    rows = {
        "map 1": {i: VIEW[0] for i in range(one)},
        "map 2": {i: VIEW[1] for i in range(first, joint)},
        "both": {
            i: SHARED if i in evidence else "none" for i in range(first, one)
        },
    }
    for y, (name, cells) in enumerate(rows.items()):
        ax.text(-0.3, y + 0.5, name, ha="right", va="center")
        for i in range(room if name != "both" else 0):
            ax.add_patch(_cell(i, y, fc="none", ec=GREY, lw=0.8))
        for i, color in cells.items():
            edge = SHARED if name == "both" else color
            ax.add_patch(_cell(i, y, fc=color, ec=edge, lw=1.5))
    for number, at in enumerate(lines, 1):
        ax.plot([at, at], [0, 3], color=BLACK, lw=1.5)
        ax.text(at, -0.1, str(number), ha="center", va="bottom")
    ax.set(xlim=(-3, max(room, 12) + 0.2), ylim=(3, -0.9))


def _cell(x: float, y: float, **style: Any) -> Rectangle:
    return Rectangle((x + 0.1, y + 0.1), 0.8, 0.8, **style)


def _fans(ax: Axes, angles: Array) -> None:
    """Two unit vectors at each angle; the chord is what the pair misses."""
    for i, angle in enumerate(angles):
        foot = np.array([1.7 * i, 0])
        alpha = 1 if i < 2 else 0.35
        turn = np.radians(angle)
        tips = foot + [[1, 0], [np.cos(turn), np.sin(turn)]]
        for tip, color in zip(tips, VIEW):
            ends = np.array([foot, tip]).T
            ax.plot(*ends, color=color, lw=2.5, alpha=alpha)
        ax.plot(*tips.T, color=SHARED, lw=1.5, alpha=alpha)
        ax.add_patch(
            Arc(foot, 0.7, 0.7, theta1=0, theta2=angle, ec=MUTED, alpha=alpha)
        )
        ax.text(*foot + [0.5, -0.3], f"{angle:.0f}°", ha="center")
    ax.set(xlim=(-0.1, 1.7 * 5), ylim=(-0.45, 1.1))
