"""Where gauges put the clusters, beside where they belong."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.latent import (
    MARKS,
    mark_points,
    name_classes,
    name_views,
)
from perfalign.book.plots.style import (
    GREY,
    VIEW,
    WIDTH,
    Figure,
    panels,
    square,
    styled,
    thin,
)


@styled
def places(
    gauges: Mapping[str, Sequence[Array]],
    reference: Array,
    labels: ArrayLike | None = None,
    *,
    shown: int = 160,
) -> Figure:
    """Latents in several gauges, each over the true concepts.

    Parameters
    ----------
    gauges : dict of str to list of ndarray of shape (n_samples, 2)
        Title of a panel, and one array per view, at most two.
    reference : ndarray of shape (n_samples, 2)
        True concepts, drawn in grey in every panel.
    labels : array-like of shape (n_samples,), default=None
        Classes, shown by shade and named at their estimated centres.
    shown : int, default=160
        At most so many samples are drawn, evenly spaced over the rows.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    rows = thin(len(reference), shown)
    labels = None if labels is None else np.asarray(labels)[rows]
    truth = np.asarray(reference)[rows]
    every = np.vstack([truth, *(z[rows] for w in gauges.values() for z in w)])
    fig, axes = panels(len(gauges), height=3.5, width=WIDTH, sharey=True)
    mark = {"marker": "s", "ms": 3.2, "mew": 0, "color": GREY}
    for ax, (title, latents) in zip(axes, gauges.items(), strict=True):
        ax.plot(*truth.T, ls="", **mark)
        for z, color, style in zip(latents, VIEW, MARKS, strict=False):
            mark_points(ax, z[rows], labels, color, **style)
        name_classes(ax, latents[0][rows], labels)
        square(ax, every)
        ax.set(title=title, xlabel="latent dimension 1")
    axes[0].set_ylabel("latent dimension 2")
    n_views = max(map(len, gauges.values()))
    name_views(fig, n_views, truth=mark)
    return fig
