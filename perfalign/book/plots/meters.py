"""Meters that are read while one thing changes, a panel each."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    Figure,
    note,
    panels,
    styled,
)


@styled
def meters(
    x: Sequence[float],
    readings: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    mark: tuple[float, str],
    references: Mapping[str, tuple[float, str]],
) -> Figure:
    """Readings of several meters over one quantity, on axes of their own.

    Parameters
    ----------
    x : sequence of float
        Positive; drawn on a log axis.
    readings : dict of str to array-like of shape (n_repeats, n_points)
        By the meter's name, its panel's title. The mean over the repeats is
        drawn, in a band of its standard error.
    xlabel : str
    mark : tuple of (float, str)
        A place on the common axis where something happens, and what; it is
        named in the first panel.
    references : dict of str to (float, str)
        A level of some meters, and its name.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    lines = -(-len(readings) // 2)
    fig, axes = panels(2, rows=lines, height=2.1 * lines, sharex=True)
    for ax, (name, values) in zip(axes, readings.items()):
        runs = np.asarray(values, float)
        mean, error = runs.mean(axis=0), runs.std(axis=0, ddof=1)
        error /= np.sqrt(len(runs))
        ax.plot(x, mean, color=BLACK, marker="o", ms=3.5)
        ax.fill_between(
            x, mean - error, mean + error, color=BLACK, alpha=0.18, lw=0
        )
        ax.axvline(mark[0], color=GREY, lw=1.2, ls="--", zorder=0)
        ax.set(title=name, xscale="log", xlim=(min(x), max(x)))
        top = max(mean.max(), 1)
        if name in references:
            level, what = references[name]
            ax.axhline(level, color=GREY, lw=1.2, ls=":", zorder=0)
            note(ax, what, (min(x), level), (3, 3), MUTED)
            top = max(top, level)
        ax.set_ylim(0, 1.2 * top)
        ax.xaxis.set_major_formatter("{x:g}")
    for ax in axes[-2:]:
        ax.set_xlabel(xlabel)
    spot = (mark[0], 1.05 * axes[0].get_ylim()[1] / 1.2)
    note(axes[0], mark[1], spot, (4, 0), MUTED)
    return fig
