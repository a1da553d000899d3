"""Rows of small images."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfalign.book.plots.style import SMALL, WIDTH, Figure, new_figure, styled


@styled
def images(
    rows: Mapping[str, NDArray[Any]],
    *,
    captions: Sequence[Sequence[str]] | None = None,
    cmap: str = "gray_r",
    gap: float = 0.12,
) -> Figure:
    """Small images in rows, one column a sample, each row named.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (n, height, width) or \
            (n, height, width, 3 or 4)
        Images of a row by its name. Those without channels are shown on the
        range of the first row; what lies outside is clipped to it.
    captions : list of list of str, default=None
        One text below each image, row by row.
    cmap : str, default="gray_r"
        Colours of images without channels.
    gap : float, default=0.12
        White space between images, as a share of their size.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    first = np.asarray(next(iter(rows.values())))
    span = {"vmin": first.min(), "vmax": first.max()}
    height, width = first.shape[1:3]
    n_columns = max(len(row) for row in rows.values())
    texts = 0.3 if captions else 0.0
    side = 0.8 * WIDTH / n_columns
    fig = new_figure(len(rows) * (side * height / width + texts) + 0.15)
    fig.get_layout_engine().set(wspace=gap / 2, hspace=0.02, w_pad=0.02)
    axes = fig.subplots(len(rows), n_columns, squeeze=False)
    for i, (name, row) in enumerate(rows.items()):
        for ax in axes[i]:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        for j, (ax, image) in enumerate(zip(axes[i], row, strict=False)):
            ax.imshow(image, cmap=cmap, **span)
            if captions:
                ax.set_xlabel(captions[i][j], fontsize=SMALL)
        place = {"rotation": 0, "ha": "right", "va": "center"}
        axes[i, 0].set_ylabel(name, labelpad=8, **place)
    return fig
