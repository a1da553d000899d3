"""Pictures of the linear algebra: spectra and null spaces."""

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    VIEW,
    Figure,
    canvas,
    note,
    panels,
    styled,
    whole_numbers,
)


@styled
def spectrum(
    singular_values: ArrayLike,
    n_components: int | None = None,
    *,
    null: ArrayLike | None = None,
    tolerance: float | None = None,
) -> Figure:
    """Singular values of the stack on a log axis, the chosen ones coloured.

    Zeros have no place on a log axis, and values at rounding level no
    meaning: both are drawn as triangles on the floor of the picture, where
    it is written that they are zero.

    Parameters
    ----------
    singular_values : array-like of shape (d,)
    n_components : int, default=None
        So many of the smallest are coloured: the ones the encoders use.
    null : array-like of shape (d,) or (n_shuffles, d), default=None
        Singular values of shuffled pairs, drawn in grey.
    tolerance : float, default=None
        Numerical-rank tolerance, in the units of the singular values, drawn
        as a line; what does not exceed it is zero. Only exact zeros are if
        None.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> from perfalign.book import plots
    >>> figure = plots.spectrum([3, 2, 0.1, 0], n_components=1)
    >>> len(figure.axes)
    1
    """
    sigma = np.sort(np.asarray(singular_values, dtype=float))[::-1]
    number = np.arange(1, len(sigma) + 1)
    chosen = number > len(sigma) - (n_components or 0)
    zero = sigma <= (tolerance or 0)
    floor = (tolerance or sigma[~zero].min(initial=1)) / 10
    value = np.where(zero, floor, sigma)
    fig, (ax,) = panels(height=3.3)
    if null is not None:
        rows = np.sort(np.atleast_2d(null))[:, ::-1]
        ax.plot(number, rows.T, color=GREY, lw=0.8, alpha=0.6, zorder=1)
        spot = (number[-1], rows[:, int(0.8 * len(sigma))].max())
        note(ax, "shuffled pairs", spot, (0, 6), MUTED, ha="right")
    if tolerance:
        ax.axhline(tolerance, color=GREY, lw=1, ls="--", zorder=0)
    if zero.any():
        name = "zero to rounding" if tolerance else "zero"
        note(ax, name, (0.5, floor), (8, 0), MUTED, va="center")
    size = 6.5 if len(sigma) <= 24 else 4
    for mask, color in ((~chosen, BLACK), (chosen, SHARED)):
        for here, marker in ((mask & ~zero, "o"), (mask & zero, "v")):
            ax.plot(number[here], value[here], marker, color=color, ms=size)
    if n_components:
        spot = (len(sigma) + 0.4, value[chosen].max())
        name = "used by the encoders"
        lift = 25 if tolerance and spot[1] <= tolerance else 11
        note(ax, name, spot, (0, lift), SHARED, ha="right")
    ax.set(
        yscale="log",
        xlim=(0.5, len(sigma) + 0.5),
        xlabel="singular values, largest first",
        ylabel="singular value",
    )
    whole_numbers(ax.xaxis)
    return fig


@styled
def null_space(null_space: Any) -> Figure:
    """Rows of the left null space, weight by weight.

    The area of a square is the size of a weight; full squares are positive,
    hollow ones negative. Informative rows have the colours of the views,
    collapsed rows are grey.

    Parameters
    ----------
    null_space : LeftNullSpace
        As `perfalign.left_null_space` returns it.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    weights = null_space.basis
    if not len(weights):
        raise ValueError("the left null space is {0}: no row to draw.")
    weights = weights / np.abs(weights).max()
    n_rows, n_columns = weights.shape
    side = min(0.45, 3.5 / n_columns)
    fig, ax = canvas(side * n_rows + 0.45, side)
    left, floor = 0.25 / side, 0.05 / side
    n_informative = len(null_space.informative)
    widths = [rows.shape[1] for rows in null_space.collapsed]
    view_of = np.repeat(np.arange(len(widths)), widths)
    for i, j in np.argwhere(np.abs(weights) > 1e-3):
        edge = 0.9 * np.sqrt(abs(weights[i, j]))
        color = VIEW[view_of[j]] if i < n_informative else GREY
        fill = color if weights[i, j] > 0 else "white"
        middle = left + j + 0.5, floor + n_rows - i - 0.5
        corner = np.subtract(middle, edge / 2)
        square = Rectangle(corner, edge, edge, fc=fill, ec=color, lw=1.3)
        ax.add_patch(square)
    line = {"color": GREY, "lw": 0.7, "zorder": 0}
    top = floor + n_rows
    for m, (a, b) in enumerate(pairwise([0, *np.cumsum(widths)])):
        spot = left + (a + b) / 2, top
        note(ax, f"modality {m + 1}", spot, (0, 6), VIEW[m], ha="center")
        ax.plot([left + a, left + a], [floor, top], **line)
    counts = [n_informative, *map(len, null_space.collapsed)]
    ends = [0, *np.cumsum(counts)]
    for m, (a, b) in enumerate(pairwise(ends)):
        name = f"silent in modality {m}" if m else "cancels"
        if a < b:
            color = MUTED if m else SHARED
            spot = left + n_columns, top - (a + b) / 2
            note(ax, name, spot, (10, 0), color, va="center")
    for row in {*ends}:
        ax.plot([left, left + n_columns], [top - row, top - row], **line)
    return fig
