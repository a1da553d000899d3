"""One question, answered in every way that could be defended."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    SMALL,
    Figure,
    new_figure,
    styled,
    tidy,
)


@styled
def choices(
    found: ArrayLike,
    null: ArrayLike,
    options: Mapping[str, Mapping[str, ArrayLike]],
    *,
    ylabel: str,
) -> Figure:
    """All results in order of size, and below what was chosen for each.

    Parameters
    ----------
    found : array-like of shape (n_results,)
    null : array-like of shape (n_results, 2)
        From where to where chance reaches, for each: a grey line. A result
        outside is purple, one within is black.
    options : dict of str to dict of str to array-like of bool
        For each choice, by option, in which results it was taken: a tick.
    ylabel : str
        What the results are.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    found, null = np.asarray(found, dtype=float), np.asarray(null)
    order = np.argsort(found, kind="stable")
    place = np.arange(len(found))
    lines = sum(1 + len(parts) for parts in options.values())
    below = 0.2 * lines
    fig = new_figure(2.6 + below)
    upper, lower = (
        tidy(ax)
        for ax in fig.subplots(2, 1, sharex=True, height_ratios=[2.4, below])
    )
    low, high = null[order].T
    upper.vlines(place, low, high, color=GREY, alpha=0.45, lw=0.8)
    outside = (found[order] < low) | (found[order] > high)
    for where, color in ((~outside, BLACK), (outside, SHARED)):
        upper.scatter(
            place[where], found[order][where], s=5, color=color, zorder=3
        )
    upper.axhline(0, color=MUTED, lw=0.8, ls="--", zorder=0)
    upper.set(ylabel=ylabel, xlim=(-4, len(found) + 3))
    upper.tick_params(bottom=False, labelbottom=False)
    heights, labels, line = [], [], 0
    for name, parts in options.items():
        lower.text(0, line, name, color=MUTED, fontsize=SMALL, va="center")
        for option, taken in parts.items():
            line += 1
            heights.append(line)
            labels.append(option)
            lower.eventplot(
                place[np.asarray(taken, dtype=bool)[order]],
                lineoffsets=line,
                linelengths=0.7,
                linewidths=0.7,
                colors=BLACK,
            )
        line += 1
    lower.set_yticks(heights, labels)
    lower.set_ylim(line - 0.4, -0.7)
    lower.set_xlabel("all combinations, in order of size")
    lower.tick_params(left=False, bottom=False, labelbottom=False)
    for side in ("left", "bottom"):
        lower.spines[side].set_visible(False)
    upper.spines["bottom"].set_visible(False)
    return fig
