"""What chance returns, beside what is fixed."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    Figure,
    note,
    panels,
    styled,
)


@styled
def draws(
    values: ArrayLike, marks: Mapping[str, float], *, xlabel: str
) -> Figure:
    """How values scatter from draw to draw, and where fixed ones lie.

    Parameters
    ----------
    values : array-like of shape (n_draws,)
        Drawn as a histogram; a bar above it holds nine in ten.
    marks : dict of str to float
        Values that do not depend on the draw, by name. The first is the one
        that matters.
    xlabel : str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    values = np.asarray(values, dtype=float)
    fig, (ax,) = panels(height=2.9)
    heights, *_ = ax.hist(values, bins=25, color=GREY, lw=0)
    top = heights.max()
    low, high = np.quantile(values, [0.05, 0.95])
    ax.plot([low, high], [1.08 * top] * 2, color=GREY, lw=4)
    middle = ((low + high) / 2, 1.08 * top)
    note(ax, "nine in ten draws", middle, (0, 5), MUTED, ha="center")
    rest = marks.values()
    for row, (name, value) in enumerate(marks.items()):
        color = BLACK if row else SHARED
        height = (0.95 - 0.17 * row) * top
        ax.plot([value, value], [0, height], color=color, lw=2.2)
        # To the left where another mark stands close by on the right.
        close = [0 < mark - value < values.max() / 5 for mark in rest]
        side = (-5, "right") if any(close) else (5, "left")
        spot = (value, height)
        note(ax, name, spot, (side[0], 0), color, va="top", ha=side[1])
    ax.set(xlabel=xlabel, xlim=(-0.03 * values.max(), None))
    ax.set_ylim(0, 1.3 * top)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return fig
