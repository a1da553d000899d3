"""A picture of one coordinate of points on their way through time."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    Figure,
    by_class,
    panels,
    styled,
    thin,
)

_WIDTH = 0.13  # of a strip, where most points are, in units of time


@styled
def over_time(
    paths: Mapping[str, ArrayLike],
    times: ArrayLike,
    labels: Mapping[str, ArrayLike],
    *,
    strips: Sequence[float] = (),
    field: tuple[ArrayLike, ArrayLike, Array] | None = None,
    reach: float = 3.6,
    shown: int = 40,
    ylabel: str = "target latent",
) -> Figure:
    """Points on their way, height over time, coloured by class.

    Parameters
    ----------
    paths : dict of str to ndarray of shape (n_times, n_samples)
        One panel each, titled by the name.
    times : array-like of shape (n_times,)
    labels : dict of str to array-like of shape (n_samples,)
        Two classes by the panel's name: the first purple, the second black.
    strips : sequence of float, default=()
        Times, among `times`, at which a strip shows how all points lie.
    field : tuple of arrays, default=None
        Times of shape (m,), heights of shape (k,) and velocities of shape
        (m, k), drawn as arrows in the last panel.
    reach : float, default=3.6
        Heights run from −reach to reach.
    shown : int, default=40
        At most so many ways are drawn, evenly spaced over the rows.
    ylabel : str, default="target latent"

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    times = np.asarray(times, dtype=float)
    fig, axes = panels(len(paths), height=2.9, sharey=True)
    edges = np.linspace(-reach, reach, 49)
    for ax, (title, values) in zip(axes, paths.items(), strict=True):
        values = np.asarray(values, dtype=float)
        rows = thin(values.shape[1], shown)
        _, masks = by_class(np.asarray(labels[title])[rows], len(rows))
        drawn = values[:, rows].T
        for mask, color in zip(masks, (SHARED, BLACK)):
            lines = [np.column_stack([times, way]) for way in drawn[mask]]
            style = {"colors": color, "linewidths": 0.9, "alpha": 0.65}
            ax.add_collection(LineCollection(lines, **style))
        for t in strips:
            at = np.argmin(np.abs(times - t))
            counts, _ = np.histogram(values[at], edges)
            middle = (edges[1:] + edges[:-1]) / 2
            out = times[at] + _WIDTH * counts / counts.max()
            style = {"color": GREY, "alpha": 0.6, "lw": 0, "zorder": 0}
            ax.fill_betweenx(middle, times[at], out, **style)
        right = 1 + _WIDTH if len(strips) else 1.02
        ax.set(xlim=(-0.02, right), ylim=(-reach, reach), title=title)
        ax.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        ax.set_xlabel("time")
    axes[0].set_ylabel(ylabel)
    if field is not None:
        _arrows(axes[-1], *field)
    return fig


def _arrows(
    ax: Axes, times: ArrayLike, heights: ArrayLike, velocity: Array
) -> None:
    """Arrows along a velocity, in time and height, all equally long."""
    t, y = np.meshgrid(times, heights, indexing="ij")
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    # What is equally long on the page is not so in units of the axes.
    along = np.array([np.full_like(t, 1 / (right - left)), velocity])
    along[1] /= high - low
    along /= np.hypot(*along)
    size = {"scale": 15, "width": 0.007, "headwidth": 4}
    ax.quiver(t, y, *along, color=MUTED, pivot="mid", zorder=4, **size)
