"""Two curves, and by how much the first is ahead of the second."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    Figure,
    label_ends,
    panels,
    styled,
)
from perfalign.model_selection import resampled_interval


@styled
def lead(
    x: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    test_size: float,
    references: Mapping[str, float] | None = None,
) -> Figure:
    """Means of two methods, and below them their differences.

    Where the bands of two curves overlap, their differences split by split
    may still be told from 0: these are what decides, and so are drawn.

    Parameters
    ----------
    x : array-like of shape (n_points,)
        On a logarithmic axis, with a tick at every point.
    curves : dict of str to ndarray of shape (n_splits, n_points)
        Of two methods by name, on the same splits.
    xlabel, ylabel : str
    test_size : float
        As in `resampled_interval`, whose 95 % intervals the differences get.
        A difference is filled where its interval leaves out 0.
    references : dict of str to float, default=None
        Horizontal lines by name.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    x = np.asarray(x, dtype=float)
    fig, (top, below) = panels(
        rows=2, height=4.4, sharex=True, height_ratios=[2.2, 1]
    )
    (_, first), (_, second) = values = [
        (name, np.asarray(rows, dtype=float)) for name, rows in curves.items()
    ]
    ends: dict[str, tuple[float, Any]] = {}
    for (name, rows), color in zip(values, (BLACK, SHARED), strict=True):
        top.plot(x, rows.mean(axis=0), "-o", color=color, ms=4, clip_on=False)
        ends[name] = rows.mean(axis=0)[-1], color
    for name, height in (references or {}).items():
        top.axhline(height, color=GREY, lw=1.2, ls="--", zorder=0)
        ends[name] = height, MUTED
    below.axhline(0, color=GREY, lw=1.2, ls="--", zorder=0)
    for at, gaps in zip(x, (first - second).T, strict=True):
        low, high = resampled_interval(gaps, test_size)
        fill = {} if low > 0 or high < 0 else {"mfc": "white"}
        below.plot([at, at], [low, high], color=BLACK, lw=1.4)
        below.plot(at, gaps.mean(), "o", color=BLACK, ms=5.5, **fill)
    top.set(ylabel=ylabel, xscale="log", xlim=(0.93 * x.min(), x.max()))
    below.set(ylabel="difference", xlabel=xlabel, xlim=(None, 1.07 * x.max()))
    below.set_xticks(x, [f"{value:g}" for value in x])
    below.set_xticks([], minor=True)
    heights, inks = zip(*ends.values(), strict=True)
    label_ends(top, x.max(), heights, ends, inks)
    fig.align_ylabels()
    return fig
