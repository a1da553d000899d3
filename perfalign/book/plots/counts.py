"""Dimensions counted as cells, one a dimension, while samples are added."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.patches import Patch, Rectangle
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    GREY,
    SHARED,
    Figure,
    panels,
    styled,
    whole_numbers,
)

#: Solid, hollow, grey: evidence, what strangers share as well, the rest.
KINDS = (
    {"fc": SHARED, "ec": SHARED},
    {"fc": "white", "ec": SHARED},
    {"fc": "#d5d5d5", "ec": GREY},
)


@styled
def counts(n_samples: Sequence[int], kinds: Mapping[str, ArrayLike]) -> Figure:
    """Dimensions of up to three kinds on each other, a cell each.

    Parameters
    ----------
    n_samples : sequence of int
        One column of cells for each.
    kinds : dict of str to array-like of shape (n_sizes,)
        Whole numbers by name, the lowest first: solid, hollow and grey.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> from perfalign.book import plots
    >>> figure = plots.counts([2, 3], {"shared": [2, 1], "silent": [0, 1]})
    >>> len(figure.axes[0].patches)
    4
    """
    fig, (ax,) = panels(height=3.3)
    floor = np.zeros(len(n_samples), dtype=int)
    for cells, style in zip(kinds.values(), KINDS):
        for x, low, more in zip(n_samples, floor, np.asarray(cells)):
            for y in range(low, low + more):
                corner = (x - 0.42, y + 0.08)
                cell = Rectangle(corner, 0.84, 0.84, lw=1.3, **style)
                ax.add_patch(cell)
        floor = floor + np.asarray(cells)
    ax.set(
        xlabel="number of samples",
        ylabel="dimensions",
        xlim=(min(n_samples) - 0.6, max(n_samples) + 0.6),
        ylim=(0, floor.max() + 0.2),
        xticks=n_samples[::2],
    )
    whole_numbers(ax.yaxis)
    handles = [Patch(**style, lw=1.3) for style in KINDS[: len(kinds)]]
    fig.legend(
        handles[::-1],
        list(kinds)[::-1],
        loc="outside upper left",
        ncols=3,
        handlelength=1,
        handleheight=1,
        handletextpad=0.4,
        columnspacing=1.2,
        borderpad=0,
    )
    return fig
