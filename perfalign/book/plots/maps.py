"""Every stage of one model beside every layer of another."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from perfalign.book.plots.evidence import PAPER_TO_SHARED
from perfalign.book.plots.style import (
    BLACK,
    SMALL,
    VIEW,
    Figure,
    halo,
    panels,
    styled,
)


@styled
def maps(
    values: Mapping[str, ArrayLike],
    levels: Mapping[str, float],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    ylabel: str,
    xlabel: str,
) -> Figure:
    """Small maps of what was measured of all rows and columns.

    White is what shuffled pairs have, the darkest purple is the largest of
    the map. The largest and the smallest value are written in their cells,
    inside the map where these are at its side.

    Parameters
    ----------
    values : dict of str to array-like of shape (n_rows, n_columns)
        By the title of their map. The first row is the lowest.
    levels : dict of str to float
        What shuffled pairs have, by the same titles; written below them.
    rows, columns : sequence of str
    ylabel, xlabel : str
        What rows and columns are, of the first and of the second view.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    lines = -(-len(values) // 2)
    fig, axes = panels(2, rows=lines, height=2.3 * lines)
    for at, (ax, (title, cells)) in enumerate(zip(axes, values.items())):
        cells, low = np.asarray(cells, dtype=float), levels[title]
        ax.imshow(
            cells,
            cmap=PAPER_TO_SHARED,
            vmin=low,
            vmax=cells.max(),
            origin="lower",
            aspect="auto",
        )
        last = cells.shape[1] - 1
        sides = {0: (-0.42, "left"), last: (last + 0.42, "right")}
        for place, ink, effects in (
            (cells.argmax(), "white", []),
            (cells.argmin(), BLACK, halo(2)),
        ):
            i, j = map(int, np.unravel_index(place, cells.shape))
            x, ha = sides.get(j, (j, "center"))
            ax.text(
                x,
                i,
                _short(cells[i, j]),
                ha=ha,
                va="center",
                color=ink,
                fontsize=SMALL,
                path_effects=effects,
            )
        ax.set_title(f"{title}\nshuffled {_short(low)}")
        ax.set_xticks(range(len(columns)), columns)
        ax.set_yticks(range(len(rows)), rows)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        if at % 2 == 0:
            ax.set_ylabel(ylabel, color=VIEW[0])
        if at >= len(values) - 2:
            ax.set_xlabel(xlabel, color=VIEW[1])
    for ax in axes[len(values) :]:
        ax.remove()
    return fig


def _short(value: float) -> str:
    """As many digits as a cell holds."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"
