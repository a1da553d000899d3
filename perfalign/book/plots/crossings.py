"""A picture of what an alignment error costs a classifier."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from perfalign._types import Array
from perfalign.book.plots.latent import decision_regions
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    VIEW,
    Figure,
    latent_plane,
    panels,
    styled,
    thin,
)


@styled
def crossings(
    mixture: Any,
    latents: Sequence[Array],
    *,
    reach: float,
    shown: int = 150,
) -> Figure:
    """Pairs of latents over a classifier's regions, on fixed axes.

    Each pair is joined by a line. Where the line leaves a region for another,
    the classifier decides differently for the two views; those pairs are drawn
    black, the others grey.

    Parameters
    ----------
    mixture : ClassGaussians
        In two dimensions; `predict` is used.
    latents : list of two ndarray of shape (n_samples, 2)
        One array per view; row i of each belongs to item i.
    reach : float
        Both axes run from −reach to reach, so that figures can be compared.
    shown : int, default=150
        At most so many pairs are drawn, evenly spaced over the rows.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import ClassGaussians
    >>> from perfalign.book import plots
    >>> classes = ClassGaussians([[-1, 0], [1, 0]], np.eye(2))
    >>> z = np.array([[-1.0, 0.0], [0.1, 0.5]])
    >>> figure = plots.crossings(classes, [z, z - [0.2, 0]], reach=2)
    >>> figure.axes[0].get_xlim() == (-2, 2)
    True
    """
    rows = thin(len(latents[0]), shown)
    pair = [np.asarray(z)[rows] for z in latents]
    decisions = [mixture.predict(z) for z in pair]
    differ = decisions[0] != decisions[1]
    fig, (ax,) = panels(height=4.3, width=4.4)
    decision_regions(ax, mixture, np.full(2, -reach), np.full(2, reach))
    lines = np.stack(pair, axis=1)
    marks: tuple[dict[str, Any], ...] = (
        {"ms": 5.5, "mfc": "none", "mew": 1.2},
        {"ms": 3.2, "mew": 0},
    )
    for who, color, width in (~differ, GREY, 0.8), (differ, BLACK, 1.8):
        level = {"zorder": 3 if width > 1 else 1}
        segments = {"color": color, "lw": width, **level}
        ax.add_collection(LineCollection(lines[who], **segments))
        for z, shade, mark in zip(pair, VIEW, marks, strict=False):
            ax.plot(*z[who].T, "o", color=shade, **mark, **level)
    latent_plane(ax, reach)
    handles = [
        Line2D([], [], ls="", marker="o", color=shade, **mark)
        for shade, mark in zip(VIEW, marks, strict=False)
    ] + [Line2D([], [], color=BLACK, lw=1.8)]
    names = ["modality 1", "modality 2", "they differ"]
    tight = {"handletextpad": 0.3, "handlelength": 1.2, "columnspacing": 1}
    where = {"loc": "outside lower right", "ncols": 3, "borderpad": 0}
    fig.legend(handles, names, **where, **tight)
    return fig
