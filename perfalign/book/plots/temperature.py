"""What a temperature trades: partners found against classes carried over."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    MUTED,
    Figure,
    panels,
    styled,
)
from perfalign.model_selection import resampled_interval

#: Two things that are measured; black and purple are methods elsewhere.
COLORS = ("#A6611A", "#00707A")


@styled
def over_temperature(
    temperatures: Sequence[float],
    tasks: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]],
    test_sizes: Mapping[str, float],
    *,
    level: str,
) -> Figure:
    """A panel a task: curves over the temperature, and levels without one.

    Parameters
    ----------
    temperatures : sequence of float
    tasks : dict of str to dict of str to (array-like, array-like)
        By task and by what is measured, two things, the same for all: values
        of shape (n_splits, n_temperatures), and of shape (n_splits,) those of
        a method that has no temperature, of which the mean is drawn.
    test_sizes : dict of str to float
        Share held out in each split, for the intervals (95 %) of the curves.
    level : str
        The name of the method without a temperature.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    rows = (len(tasks) + 1) // 2
    fig, axes = panels(2, rows=rows, height=2.4 * rows + 0.5, sharey=True)
    for ax, (task, measured) in zip(axes, tasks.items(), strict=False):
        for (values, other), color in zip(measured.values(), COLORS):
            stations = np.asarray(values, dtype=float).T
            ends = [resampled_interval(v, test_sizes[task]) for v in stations]
            mean = stations.mean(axis=1)
            ax.fill_between(
                temperatures,
                *np.transpose(ends),
                color=color,
                alpha=0.18,
                lw=0,
            )
            ax.plot(temperatures, mean, color=color, marker="o", ms=3.5)
            best = mean.argmax()
            ax.plot(temperatures[best], mean[best], "o", color=color, ms=8)
            ax.axhline(
                np.asarray(other).mean(),
                color=color,
                lw=1.2,
                ls="--",
                zorder=0,
            )
        ax.set_title(task, loc="left", color=MUTED)
        ax.set(xscale="log", ylim=(0, 1))
        ax.set_xticks(temperatures, [f"{tau:g}" for tau in temperatures])
        ax.set_xticks([], minor=True)
    fig.supxlabel("temperature τ of contrast", fontsize=11)
    names = list(next(iter(tasks.values())))
    lines = [Line2D([], [], color=color) for color in COLORS]
    lines += [Line2D([], [], color=MUTED, ls="--", lw=1.2)]
    fig.legend(lines, [*names, level], loc="outside upper left", ncols=3)
    return fig
