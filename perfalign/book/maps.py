"""Two maps of the same places, and both laid on each other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    VIEW,
    Figure,
    panels,
    square,
    styled,
)


@styled
def overlay(
    maps: Sequence[ArrayLike],
    latents: Sequence[ArrayLike],
    streets: Sequence[tuple[int, int]],
    n_pairs: int,
) -> Figure:
    """Two maps, and what their encoders make of them.

    Parameters
    ----------
    maps, latents : sequence of two array-like of shape (n_places, 2)
    streets : sequence of pairs of int
        Places that a line joins.
    n_pairs : int
        The first so many places are known on both maps; the others are pale.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(3, height=2.05)
    spots = [np.asarray(points) for points in (*maps, *latents)]
    names = ("map 1", "map 2", "both, by their encoders")
    for ax, name, layers in zip(axes, names, ((0,), (1,), (2, 3))):
        for layer in layers:
            draw_city(ax, spots[layer], streets, n_pairs, layer)
        both = np.vstack([spots[layer] for layer in layers])
        square(ax, both, 0.6)
        ax.set(xticks=[], yticks=[])
        ax.set_title(name)
        ax.spines[:].set(visible=True, color=GREY)
    pair = np.stack(spots[2:])
    axes[2].plot(*pair.transpose(2, 0, 1), color=BLACK, lw=0.8, zorder=3)
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
        The first so many places are known on both maps; the others are pale.
    layer : int
        0 or 1, or 2 and 3 on each other: rings, and dots within them.
    """
    color = VIEW[layer % 2]
    for street in streets:
        ax.plot(*spots[list(street)].T, color=color, lw=0.8, alpha=0.35)
    ring = layer == 2
    for rows, alpha in ((slice(n_pairs), 1), (slice(n_pairs, None), 0.35)):
        ax.plot(
            *spots[rows].T,
            ls="",
            marker="o",
            mfc="white" if ring else color,
            mec=color,
            ms=6 if ring else 3.5,
            alpha=alpha,
            zorder=4 if ring else 5,
        )
