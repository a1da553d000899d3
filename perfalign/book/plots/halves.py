"""Images cut down the middle: one half a view."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    MUTED,
    VIEW,
    WIDTH,
    Figure,
    new_figure,
    styled,
)


def _half(ax: Axes, m: int, height: int, width: int) -> None:
    """Frame the half of one view in its colour."""
    corner = m * width - 0.5 + 0.05 * (2 * m - 1), -0.5
    frame = {"fc": "none", "ec": VIEW[m], "lw": 2, "clip_on": False}
    ax.add_patch(Rectangle(corner, width, height, zorder=5, **frame))


def _bare(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


@styled
def completed(rows: Mapping[str, tuple[Array, Array]]) -> Figure:
    """Images of which one half was made from the other, framed by view.

    Parameters
    ----------
    rows : dict of str to (ndarray, ndarray)
        By what is to be seen in the row: left and right halves, each of
        shape (n_images, height, width). The right halves of all rows are
        shown on the range of the first row.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    first = np.asarray(next(iter(rows.values())))
    (_, n, height, width), top = first.shape, first.max()
    side = WIDTH / n
    fig = new_figure(len(rows) * (side * height / (2 * width) + 0.26) + 0.05)
    fig.get_layout_engine().set(wspace=0.04, hspace=0.0, w_pad=0.04)
    axes = fig.subplots(len(rows), n, squeeze=False)
    for line, (name, halves) in zip(axes, rows.items()):
        for ax, left, right in zip(line, *halves, strict=True):
            image = np.hstack([left, right])
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=top)
            for m in (0, 1):
                _half(ax, m, height, width)
            _bare(ax)
        line[0].set_title(name, loc="left", pad=5)
    return fig


@styled
def looks(
    spread: Sequence[Array],
    weights: Sequence[Array],
    explained: Sequence[Array],
    *,
    titles: Sequence[str],
) -> Figure:
    """Where two encoders look in the halves of an image, and what they get.

    On the left, squares whose area is the weight of a pixel lie on how much
    its ink varies; on the right is what the latents explain of it.

    Parameters
    ----------
    spread, weights, explained : list of two ndarray of shape (height, width)
        Left and right half: how much each pixel varies, the squared weight
        that an encoder gives it, the share that the latents explain.
    titles : sequence of two str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    height, width = spread[0].shape
    fig = new_figure(0.47 * WIDTH * height / (2 * width) + 0.62)
    left, right = fig.subplots(1, 2)
    top = np.max(weights)
    pictures: tuple[tuple[Axes, ArrayLike, float], ...] = (
        (left, np.hstack(spread), 1.4 * np.max(spread)),
        (right, np.hstack(explained), 1.0),
    )
    for (ax, image, darkest), title in zip(pictures, titles, strict=True):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=darkest)
        for m in (0, 1):
            _half(ax, m, height, width)
            where = {"color": VIEW[m], "ha": "center", "va": "top"}
            spot = (m + 0.5) * width - 0.5, height - 0.3
            ax.text(*spot, f"modality {m + 1}", **where)
        _bare(ax)
        ax.set_title(title, color=MUTED)
    for m, weight in enumerate(weights):
        for i, j in np.argwhere(weight > 1e-3 * top):
            edge = 0.86 * np.sqrt(weight[i, j] / top)
            corner = m * width + j - edge / 2, i - edge / 2
            left.add_patch(
                Rectangle(corner, edge, edge, fc=VIEW[m], ec="white", lw=0.8)
            )
    return fig
