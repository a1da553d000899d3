"""Items of two views, and how near their partners come to each other."""

from collections.abc import Mapping

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    METHODS,
    MUTED,
    SHARED,
    VIEW,
    Figure,
    label_ends,
    panels,
    styled,
)


@styled
def skies(found: Mapping[str, tuple[Array, Array]], known: int) -> Figure:
    """Directions of two views, on the half of a sphere that is in front.

    Parameters
    ----------
    found : dict of str to pair of ndarray of shape (n_samples, 3)
        Latents of two views by the title of their panel, of which directions
        are drawn; row i of both belongs to one item.
    known : int
        So many items, the first ones, are known pairs, and ringed.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(len(found), height=5.6 / len(found) + 0.3)
    for ax, (title, views) in zip(axes, found.items(), strict=True):
        u, v = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in views)
        front = v[:, 2] > 0
        ax.add_patch(Circle((0, 0), 1, fill=False, color=GREY, lw=0.8))
        ways = np.stack([u[front, :2], v[front, :2]], axis=1)
        ax.add_collection(LineCollection(list(ways), colors=GREY, lw=0.8))
        for z, color in zip((u, v), VIEW, strict=False):
            ax.plot(*z[front, :2].T, "o", ms=3, color=color)
        ringed = front[:known]
        style = {"ms": 8, "mfc": "none", "color": SHARED}
        ax.plot(*v[:known][ringed, :2].T, "o", **style)
        ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
        ax.axis("off")
        ax.set_title(title, color=MUTED)
    return fig


@styled
def turning_point(
    errors: ArrayLike,
    found: Mapping[str, ArrayLike],
    *,
    bound: float,
    xlabel: str,
    ylabel: str,
) -> Figure:
    """What is found in the end, against how wrong the start is.

    Parameters
    ----------
    errors : array-like of shape (n_starts,)
        Drawn on a logarithmic axis.
    found : dict of str to array-like of shape (n_starts,)
        By the name of a method.
    bound : float
        An error that is marked by a line.
    xlabel, ylabel : str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, (ax,) = panels(height=3.0)
    errors = np.asarray(errors, dtype=float)
    order = np.argsort(errors)
    ends = []
    for values, color in zip(found.values(), METHODS[1::-1], strict=False):
        heights = np.asarray(values, dtype=float)[order]
        ax.plot(errors[order], heights, "o", ms=4, color=color, clip_on=False)
        ends.append(float(np.mean(heights[-5:])))
    ax.axvline(bound, color=GREY, lw=1, ls="--")
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    ax.set_ylim(0, None)
    ticks = [t for t in (0.5, 1, 2, 4, 8, 16) if t <= errors.max()]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_xticks([], minor=True)
    ax.tick_params(colors=BLACK)
    label_ends(ax, errors.max(), ends, found, METHODS[1::-1])
    return fig
