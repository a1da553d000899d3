"""A picture of what alignment leaves open."""

from collections.abc import Sequence

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
    Figure,
    latent_plane,
    panels,
    styled,
    thin,
)


@styled
def over_truth(
    latents: Sequence[Array],
    reference: Array,
    labels: ArrayLike | None = None,
    *,
    reach: float,
    shown: int = 200,
) -> Figure:
    """Estimated latents drawn over the true concepts, on fixed axes.

    Parameters
    ----------
    latents : list of ndarray of shape (n_samples, 2)
        One array per view, at most two.
    reference : ndarray of shape (n_samples, 2)
        True concepts, drawn in grey.
    labels : array-like of shape (n_samples,), default=None
        Classes, shown by shade and named at their estimated centres.
    reach : float
        Both axes run from −reach to reach, so that figures can be compared.
    shown : int, default=200
        At most so many samples are drawn, evenly spaced over the rows.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    rows = thin(len(reference), shown)
    labels = None if labels is None else np.asarray(labels)[rows]
    fig, (ax,) = panels(height=4.1, width=4.4)
    mark = {"marker": "s", "ms": 3.2, "mew": 0, "color": GREY}
    ax.plot(*reference[rows].T, ls="", **mark)
    for z, color, style in zip(latents, VIEW, MARKS, strict=False):
        mark_points(ax, z[rows], labels, color, **style)
    name_classes(ax, latents[0][rows], labels)
    latent_plane(ax, reach)
    name_views(fig, len(latents), truth=mark)
    return fig
