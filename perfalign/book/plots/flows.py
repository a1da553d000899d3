"""Pictures of points on their way from one distribution to another."""

from collections.abc import Mapping

import numpy as np
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    METHODS,
    SHARED,
    WIDTH,
    Figure,
    by_class,
    note,
    panels,
    styled,
    thin,
)


@styled
def trajectories(
    paths: Mapping[str, ArrayLike],
    labels: ArrayLike | None = None,
    *,
    shown: int = 80,
    reach: float | None = None,
) -> Figure:
    """Ways of points through a plane, coloured by class.

    A small ring is where a point starts, a dot where it is at the end.

    Parameters
    ----------
    paths : dict of str to ndarray of shape (n_times, n_samples, 2)
        One panel each, titled by the name; at most three.
    labels : array-like of shape (n_samples,), default=None
        Classes, shown by colour.
    shown : int, default=80
        At most so many points are drawn, evenly spaced over the rows.
    reach : float, default=None
        Largest absolute coordinate of the panels; that of the paths if None.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    every = [np.asarray(path) for path in paths.values()]
    rows = thin(every[0].shape[1], shown)
    if reach is None:
        reach = 1.05 * max(np.abs(path[:, rows]).max() for path in every)
    labels = None if labels is None else np.asarray(labels)[rows]
    n = len(every)
    width = WIDTH if n > 1 else 3.6
    height = width / n + 0.32
    fig, axes = panels(n, height=height, width=width, sharey=True)
    for ax, (name, path) in zip(axes, zip(paths, every), strict=True):
        path = path[:, rows]
        _, masks = by_class(labels, len(rows))
        for mask, color in zip(masks, METHODS):
            lines = path[:, mask].transpose(1, 0, 2)
            style = {"colors": color, "linewidths": 0.8, "alpha": 0.5}
            ax.add_collection(LineCollection(lines, **style))
            ring = {"ls": "", "marker": "o", "ms": 3, "mfc": "white"}
            ax.plot(*path[0, mask].T, color=color, mew=0.7, **ring)
            dot = {"ls": "", "marker": "o", "ms": 3.4, "mew": 0}
            ax.plot(*path[-1, mask].T, color=color, zorder=3, **dot)
        span = (-reach, reach)
        ax.set(xlim=span, ylim=span, xticks=[], yticks=[], title=name)
        ax.set_aspect("equal")
        ax.spines[:].set_visible(False)
    return fig


@styled
def null_histogram(
    null: Mapping[str, ArrayLike],
    found: Mapping[str, float],
    *,
    xlabel: str,
    found_label: str = "as it is",
) -> Figure:
    """A statistic against its values under all exchanges of names.

    Parameters
    ----------
    null : dict of str to array-like
        Values of the statistic under exchanges, a panel for each name.
    found : dict of str to float
        Its value as the data are, by the same names.
    xlabel : str
        What the statistic is.
    found_label : str, default="as it is"

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(len(null), height=2.7, sharey=True, sharex=True)
    highest = 0
    for ax, values in zip(axes, null.values(), strict=True):
        counts, *_ = ax.hist(
            values, bins=np.linspace(-1, 1, 41), color=GREY, lw=0
        )
        highest = max(highest, counts.max())
    for ax, name in zip(axes, null, strict=True):
        ax.axvline(found[name], ymax=0.88, color=SHARED, lw=2.5)
        where = {"xycoords": ax.get_xaxis_transform(), "ha": "center"}
        note(ax, found_label, (found[name], 0.9), (0, 0), SHARED, **where)
        ax.set(xlim=(-1, 1), title=name, xlabel=xlabel)
        ax.tick_params(left=False, labelleft=False)
        ax.spines["left"].set_visible(False)
    axes[0].set_ylim(0, 1.2 * highest)
    axes[0].set_ylabel("exchanges", color=BLACK)
    return fig
