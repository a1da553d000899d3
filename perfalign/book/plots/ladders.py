"""A picture of where digits go: what is squared sinks below rounding."""

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import NullLocator
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

_EPS = np.finfo(float).eps


@styled
def ladders(
    values: ArrayLike,
    ways: Mapping[str, tuple[int, ArrayLike]],
    *,
    tolerance: float = 0.1,
) -> Figure:
    """Values, what of them is stored on the way, and what is read at the end.

    Where a stored number lies below the rounding of the largest, it is lost,
    and its line ends in a cross: what is read then is chance, and not drawn.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        The true ones, positive, the largest first.
    ways : dict of str to (int, array-like of shape (n_values,))
        By the title of the panel: to what power the way stores the values,
        and what is read.
    tolerance : float, default=0.1
        Relative error up to which a value counts as read.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    values = np.asarray(values, dtype=float)
    deepest = max(power for power, _ in ways.values())
    low = 1e-3 * min(values.min() ** deepest, _EPS)
    fig, axes = panels(len(ways), height=3.4, sharey=True)
    for ax, (title, (power, found)) in zip(axes, ways.items(), strict=True):
        ax.axhspan(low, _EPS * values[0] ** power, color=GREY, alpha=0.3, lw=0)
        error = np.abs(np.asarray(found, dtype=float) / values - 1)
        for value, right in zip(values, error < tolerance, strict=True):
            heights = [value, value**power, value][: 3 if right else 2]
            color = SHARED if right else BLACK
            ax.plot(range(len(heights)), heights, "o-", color=color, ms=4.5)
            if not right:
                cross = {"marker": "x", "ms": 9, "mew": 2.2}
                ax.plot(1, heights[1], color=color, **cross)
        ax.set(
            title=title,
            yscale="log",
            ylim=(low, 30 * values[0]),
            xlim=(-0.3, 2.3),
        )
        ax.set_xticks([0, 1, 2], ["true", "stored", "read"])
        ax.yaxis.set_minor_locator(NullLocator())
        spot = (-0.2, low)
        note(ax, "below rounding", spot, (0, 5), MUTED, path_effects=[])
    axes[0].set_ylabel("share of the largest")
    return fig
