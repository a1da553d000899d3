"""Methods side by side, and what is taken for what."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    METHODS,
    MUTED,
    VIEW,
    Figure,
    named_rows,
    panels,
    styled,
)

MARKERS = "oDsv^P"


@styled
def dots(
    rows: Mapping[str, Mapping[str, ArrayLike]],
    *,
    xlabel: str,
    spans: Mapping[str, tuple[float, float]] | None = None,
    span_label: str | None = None,
    colors: Sequence[ColorType] = METHODS,
) -> Figure:
    """One line a task, one mark a method, with standard errors.

    Parameters
    ----------
    rows : dict of str to dict of str to array-like
        Task by name; in it, values of several repeats by method. All tasks
        have the same methods. The mean is marked.
    xlabel : str
    spans : dict of str to (float, float), default=None
        Grey bar behind the marks of a task: from what is worthless to what
        is best.
    span_label : str, default=None
        What the bars say, in the legend.
    colors : sequence of colours, default=METHODS
        One per method.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    names = list(next(iter(rows.values())))
    fig, (ax,) = panels(height=0.32 * len(rows) + 1.1)
    for i, (task, methods) in enumerate(rows.items()):
        if spans:
            low, high = spans[task]
            label = span_label if i == 0 else None
            ax.barh(
                i,
                high - low,
                left=low,
                height=0.7,
                color=GREY,
                alpha=0.3,
                lw=0,
                label=label,
            )
        for j, name in enumerate(names):
            values = np.atleast_1d(np.asarray(methods[name], dtype=float))
            error = 0.0
            if len(values) > 1:
                error = values.std(ddof=1) / np.sqrt(len(values))
            color = colors[j % len(colors)]
            # Apart, so that equal methods are all seen.
            y = i + 0.13 * (j - (len(names) - 1) / 2)
            ax.errorbar(
                values.mean(),
                y,
                xerr=error,
                color=color,
                ls="",
                marker=MARKERS[j % len(MARKERS)],
                ms=4.5,
                elinewidth=1.2,
                label=name if i == 0 else None,
                zorder=3 + len(names) - j,
            )
    named_rows(ax, rows)
    ax.set_xlabel(xlabel)
    fig.legend(loc="outside upper center", ncols=3, handletextpad=0.3)
    return fig


@styled
def confusion(
    matrices: Mapping[str, ArrayLike], names: Sequence[str]
) -> Figure:
    """What each class is taken for: shares of its items, one row a class.

    Parameters
    ----------
    matrices : dict of str to ndarray of shape (n_classes, n_classes)
        Counts, by the title of their panel; a row is a true class.
    names : sequence of str
        The classes.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    n = len(names)
    fig, axes = panels(len(matrices), height=2.9 + 0.09 * n, sharey=True)
    for ax, (title, counts) in zip(axes, matrices.items()):
        counts = np.asarray(counts, dtype=float)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for i, j in np.ndindex(n, n):
            if shares[i, j] >= 0.1:
                ax.text(
                    j,
                    i,
                    f"{100 * shares[i, j]:.0f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if shares[i, j] > 0.55 else BLACK,
                )
        ax.set_xticks(range(n), names, rotation=90)
        ax.set_yticks(range(n), names)
        ax.set_title(title, color=MUTED)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_xlabel("taken for, in per cent", color=VIEW[1])
    return fig
