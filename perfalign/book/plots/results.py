"""Pictures of results: curves with bands, and bars."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    METHODS,
    MUTED,
    Figure,
    label_ends,
    note,
    panels,
    styled,
)
from perfalign.model_selection import resampled_interval


def _mean_and_error(
    values: ArrayLike, test_size: float | None
) -> tuple[Array, Array]:
    """Mean over repeats (first axis) and half the height of its band."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 1 or len(values) == 1:
        return np.atleast_2d(values)[0], np.zeros(values.shape[-1])
    mean = values.mean(axis=0)
    if test_size is None:
        return mean, values.std(axis=0, ddof=1) / np.sqrt(len(values))
    tops = [resampled_interval(column, test_size)[1] for column in values.T]
    return mean, np.array(tops) - mean


@styled
def sweep(
    x: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    references: Mapping[str, float] | None = None,
    colors: Sequence[ColorType] = METHODS,
    xscale: str = "linear",
    yscale: str = "linear",
    test_size: float | None = None,
) -> Figure:
    """Curves with a band of one standard error, named at their ends.

    Parameters
    ----------
    x : array-like of shape (n_points,)
    curves : dict of str to array-like
        Values by name, of shape (n_points,), or (n_repeats, n_points): then
        the mean over the repeats is drawn, in a band of its standard error.
    xlabel, ylabel : str
        What the axes show, in words, with units.
    references : dict of str to float, default=None
        Horizontal lines by name: chance, the Bayes rule.
    colors : sequence of colours, default=METHODS
        One per curve.
    xscale, yscale : {"linear", "log", "symlog"}, default="linear"
    test_size : float, default=None
        For repeats that are splits of one data set: the share held out.
        Bands are then 95 % intervals which know that splits overlap.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, (ax,) = panels(height=3.4)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
    ends, x = {}, np.asarray(x, dtype=float)
    paints = cycle(colors)
    for name, values in curves.items():
        color = next(paints)
        mean, error = _mean_and_error(values, test_size)
        ax.plot(x, mean, color=color, marker="o", ms=4, clip_on=False)
        band = {"color": color, "alpha": 0.18, "lw": 0}
        ax.fill_between(x, mean - error, mean + error, **band)
        ends[name] = mean[-1], color
    for name, y in (references or {}).items():
        ax.axhline(y, color=GREY, lw=1.2, ls="--", zorder=0)
        ends[name] = y, MUTED
    ax.set_xlim(x.min(), x.max())
    if xscale == "log" and 1e-3 <= x.min() and x.max() <= 1e4:
        ax.xaxis.set_major_formatter("{x:g}")
        if np.floor(np.log10(x.max())) <= np.ceil(np.log10(x.min())):
            # With one power of ten or none in sight the points are the ticks.
            ax.set_xticks(x)
            ax.set_xticks([], minor=True)
    heights, inks = zip(*ends.values(), strict=True)
    label_ends(ax, x.max(), heights, ends, inks)
    return fig


@styled
def bars(
    groups: Mapping[str, Any],
    *,
    xlabel: str = "accuracy",
    references: Mapping[str, Any] | None = None,
    colors: Sequence[ColorType] = METHODS,
) -> Figure:
    """Horizontal bars with their values, against chance and the like.

    Parameters
    ----------
    groups : dict of str to float or array-like, or dict of such dicts
        Value by name; of several repeats the mean is the bar and each
        repeat a dot. A dict of dicts makes a block of bars for each key.
    xlabel : str, default="accuracy"
    references : dict of str to float, or dict of such dicts, default=None
        Vertical lines by name, for all bars or for each block.
    colors : sequence of colours, default=METHODS
        One per bar of a block.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    if not isinstance(next(iter(groups.values())), dict):
        groups, references = {"": groups}, {"": references or {}}
    sizes = [len(group) for group in groups.values()]
    height = 0.36 * sum(sizes) + 0.62 * len(groups) + 0.5
    fig, axes = panels(
        rows=len(groups), height=height, sharex=True, height_ratios=sizes
    )
    for ax, (title, group) in zip(axes, groups.items(), strict=True):
        for i, values in enumerate(group.values()):
            values = np.atleast_1d(np.asarray(values, dtype=float))
            mean = values.mean()
            ax.barh(i, mean, height=0.66, color=colors[i % len(colors)])
            if len(values) > 1:
                repeat = {"marker": "o", "mfc": "white", "mec": BLACK}
                ax.plot(values, 0 * values + i, ls="", ms=4, **repeat)
            spot = (values.max(), i)
            note(ax, f"{mean:.2f}", spot, (6, 0), BLACK, va="center")
        for name, x in (references or {}).get(title, {}).items():
            ax.axvline(x, color=GREY, lw=1.2, ls="--", zorder=0)
            side = "left" if x < 0.6 * ax.get_xlim()[1] else "right"
            top = {"xycoords": ax.get_xaxis_transform(), "ha": side}
            note(ax, name, (x, 1), (0, 3), MUTED, **top)
        ax.set_yticks(range(len(group)), list(group))
        ax.set_title(title, loc="left", pad=16)
        ax.invert_yaxis()
        ax.tick_params(left=False, labelbottom=ax is axes[-1])
        ax.spines["left"].set_visible(False)
    axes[-1].set_xlabel(xlabel)
    return fig
