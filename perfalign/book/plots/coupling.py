"""Couplings as what they are: a matrix, and a way for every point."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LogNorm
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    METHODS,
    MUTED,
    VIEW,
    Figure,
    panels,
    styled,
)

_LEAST = 0.02  # of the greatest mass: what is less is drawn white


@styled
def coupling_matrices(
    plans: Mapping[str, Array],
    *,
    labels: tuple[ArrayLike, ArrayLike],
) -> Figure:
    """Plans as matrices: one row a source item, one column a target item.

    Rows and columns are sorted by class, and lines part the classes. The
    darker an entry, the more mass it has, on a logarithmic scale of each
    panel: black is its greatest mass, white a fiftieth of that or less.

    Parameters
    ----------
    plans : dict of str to ndarray of shape (n_1, n_2)
        Masses, by the title of their panel.
    labels : tuple of two array-like of shape (n_m,)
        Classes of rows and of columns.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    orders = [np.argsort(one, kind="stable") for one in labels]
    ends = [np.unique(one, return_counts=True)[1].cumsum() for one in labels]
    fig, axes = panels(len(plans), height=3.0, sharey=True)
    for ax, (title, plan) in zip(axes, plans.items(), strict=True):
        shown = np.asarray(plan)[np.ix_(*orders)]
        norm = LogNorm(_LEAST * shown.max(), shown.max(), clip=True)
        ax.imshow(
            np.maximum(shown, _LEAST * shown.max()),
            cmap="gray_r",
            norm=norm,
            interpolation="nearest",
            aspect="auto",
        )
        for draw, at in ((ax.axhline, ends[0]), (ax.axvline, ends[1])):
            for end in at[:-1]:
                draw(end - 0.5, color=MUTED, lw=0.8)
        ax.set(title=title, xticks=[], yticks=[])
        ax.set_xlabel("target", color=VIEW[1])
        ax.spines[:].set_visible(True)
    axes[0].set_ylabel("source", color=VIEW[0])
    return fig


@styled
def displaced(
    starts: ArrayLike,
    ends: Mapping[str, ArrayLike],
    labels: ArrayLike,
    *,
    times: Sequence[float] = (0, 1 / 3, 2 / 3, 1),
    names: Sequence[str] = ("start", "a third", "two thirds", "arrived"),
) -> Figure:
    """Points on straight ways to their partners, a row for each coupling.

    Parameters
    ----------
    starts : array-like of shape (n_samples, 2)
    ends : dict of str to array-like of shape (n_samples, 2)
        The partners of the same points, by the name of the coupling.
    labels : array-like of shape (n_samples,)
        Classes, told by shape and colour of the mark; at most four.
    times : sequence of float
        One column each.
    names : sequence of str
        Titles of the columns.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    starts, labels = np.asarray(starts, dtype=float), np.asarray(labels)
    fig, axes = panels(
        len(times),
        rows=len(ends),
        height=1.35 * len(ends) + 0.3,
        sharex=True,
        sharey=True,
    )
    grid = np.reshape(np.array(axes, dtype=object), (len(ends), -1))
    looks = list(zip(np.unique(labels), "os^v", METHODS))
    for row, (coupling, goal) in zip(grid, ends.items(), strict=True):
        way = np.asarray(goal, dtype=float) - starts
        for ax, t in zip(row, times, strict=True):
            for c, marker, color in looks:
                z = (starts + t * way)[labels == c]
                style = {"ls": "", "ms": 3.6, "mew": 0, "alpha": 0.8}
                ax.plot(*z.T, marker=marker, color=color, **style)
            ax.set(xticks=[], yticks=[], aspect="equal")
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(coupling)
    for ax, name in zip(grid[0], names, strict=True):
        ax.set_title(name)
    return fig
