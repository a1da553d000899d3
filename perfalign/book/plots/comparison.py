"""Methods side by side, and what is taken for what."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    GREY,
    METHODS,
    MUTED,
    SMALL,
    VIEW,
    Figure,
    halo,
    named_rows,
    panels,
    styled,
)

MARKERS = "oDsv^Px"


@styled
def dots(
    rows: Mapping[str, Mapping[str, float]],
    *,
    xlabel: str,
    spans: Mapping[str, tuple[float, float]],
    span_label: str,
    gains: Mapping[str, tuple[str, float, float, float]],
    gain_label: str,
    colors: Sequence[ColorType] = (*METHODS, VIEW[0], MUTED),
) -> Figure:
    """One line a task, one mark a method, and what the first one gains.

    Parameters
    ----------
    rows : dict of str to dict of str to float
        Task by name; in it, a number by method. All tasks have the same
        methods.
    xlabel : str
    spans : dict of str to (float, float)
        Grey bar behind the marks of a task: from what is worthless to what
        is best.
    span_label : str
        What the bars say, in the legend.
    gains : dict of str to (str, float, float, float)
        On the right, for each task: the method that is compared with, whose
        mark is drawn, the difference to it, and the ends of its interval.
        The mark is filled where the interval leaves out 0.
    gain_label : str
    colors : sequence of colours
        One per method.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    names = list(next(iter(rows.values())))
    looks = {
        name: {"color": color, "marker": marker, "ms": 4.5}
        for name, color, marker in zip(names, cycle(colors), cycle(MARKERS))
    }
    fig, (ax, right) = panels(
        2,
        height=0.29 * len(rows) + 1.3,
        sharey=True,
        gridspec_kw={"width_ratios": [2, 1]},
    )
    for i, (task, values) in enumerate(rows.items()):
        low, high = spans[task]
        label = span_label if i == 0 else None
        bar = {"height": 0.76, "color": GREY, "alpha": 0.3, "lw": 0}
        ax.barh(i, high - low, left=low, label=label, **bar)
        for j, name in enumerate(names):
            # Apart, so that equal methods are all seen.
            y = i + 0.11 * (j - (len(names) - 1) / 2)
            label = name if i == 0 else None
            order = {"ls": "", "zorder": 3 + len(names) - j}
            ax.plot(values[name], y, label=label, **looks[name], **order)
        rival, middle, least, most = gains[task]
        color = looks[rival]["color"]
        right.plot([least, most], [i, i], color=color, lw=1.2)
        fill = {} if least > 0 or most < 0 else {"mfc": "white"}
        right.plot(middle, i, **looks[rival], **fill)
    right.axvline(0, color=GREY, lw=1.2, zorder=0)
    for one, label in ((ax, xlabel), (right, gain_label)):
        named_rows(one, rows)
        one.set_xlabel(label)
    fig.legend(loc="outside upper left", ncols=3, handletextpad=0.3)
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
                    fontsize=SMALL,
                    path_effects=halo(2),
                )
        ax.set_xticks(range(n), names, rotation=90)
        ax.set_yticks(range(n), names)
        ax.set_title(title, color=MUTED)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_xlabel("taken for, in per cent")
    return fig
