"""Items of known concept put latents in their places."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import lstsq

from perfalign._checks import FLOAT64_EPS, check_view
from perfalign._threads import one_blas_thread
from perfalign._types import Integers, Views
from perfalign.gauge._latents import Linear, independent, latents_of_given

# Anchors closer to dependent than this leave less than half of the digits.
DEPENDENT = FLOAT64_EPS**0.5


@one_blas_thread
def anchored(
    alignment: Linear,
    views: Views,
    latents: ArrayLike,
    indices: ArrayLike,
    affine: bool = False,
) -> Linear:
    r"""Gauge that puts items of known concept in their places.

    .. math:: \min_{G, g} \sum_{i} \|z_i - G \bar z_i - g\|^2

    over the anchors i, with :math:`\bar z_i` the mean of the latents of all
    given views of the item. Without noise k independent anchors determine a
    linear map and k + 1 in general position an affine one, and all items of
    all views are then reconstructed.

    Parameters
    ----------
    alignment : LinearAlignment
        Fitted, in any gauge.
    views : list or dict of (array-like (n_samples, n_features_m) or None)
        In the order of the fit, or by its names. None stands for a view in
        which the anchors were not observed.
    latents : array-like of shape (n_anchors, k)
        Concepts of the anchors.
    indices : array-like of shape (n_anchors,)
        The anchors' rows in the views.
    affine : bool, default=False
        False supposes, with the paper, that sensors have no offset,
        :math:`x^m = P^m z`: the concept 0 is where all features are 0, also
        if the fit was centred. True supposes nothing of the origin.

    Returns
    -------
    alignment : LinearAlignment
        New and fitted, with composed encoders and offsets. A clone forgets
        them, as it forgets all that was fitted.

    Raises
    ------
    ValueError
        If this is no fitted `LinearAlignment`, there are too few anchors,
        their concepts or their latents are dependent (within half of the
        digits), or shapes do not agree.

    Notes
    -----
    With noise the error of the map falls with the number of anchors as one
    over its root. Time is O(n_anchors (d + k) k).

    Examples
    --------
    >>> from perfalign import PerfectAlignment, gauge, reconstruction_error
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(random_state=0)
    >>> alignment = PerfectAlignment(2).fit(data.views)
    >>> known = [0, 1]
    >>> exact = gauge.anchored(
    ...     alignment, data.views, data.latents[known], known
    ... )
    >>> z = exact.transform_view(data.views[1], 1)
    >>> reconstruction_error(data.latents, z) < 1e-11
    True
    """
    consensus = np.mean(latents_of_given(alignment, views), axis=0)
    rows = _check_rows(indices, len(consensus))
    concepts, _ = check_view(latents, "latents")
    k = consensus.shape[1]
    if concepts.shape != (len(rows), k):
        raise ValueError(
            f"latents have shape {concepts.shape}; wanted {len(rows), k}: one "
            "row for each of the indices, in their order."
        )
    if affine:
        origin = consensus[rows].mean(axis=0)
        center = concepts.mean(axis=0)
    else:
        origin, center = np.mean(alignment.offsets_, axis=0), np.zeros(k)
    estimated, known = consensus[rows] - origin, concepts - center
    for name, points in (("latents", estimated), ("concepts", known)):
        rank = independent(points, DEPENDENT)
        if rank < k:
            raise ValueError(
                f"The {name} of the {len(rows)} anchors have rank {rank}"
                f"{' about their mean' if affine else ''}; wanted {k}, the "
                f"latent dimension. Choose {k + bool(affine)} or more anchors "
                "that are independent."
            )
    matrix = lstsq(estimated, known, lapack_driver="gelsy")[0].T
    return alignment.with_gauge(matrix, center - matrix @ origin)


def _check_rows(indices: ArrayLike, n_samples: int) -> Integers:
    indices = np.asarray(indices)
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        raise ValueError(
            "indices must be a list of row numbers; seen "
            f"{indices.dtype} of shape {indices.shape}."
        )
    if indices.size and not (
        -n_samples <= indices.min() and indices.max() < n_samples
    ):
        raise ValueError(
            f"indices reach from {indices.min()} to {indices.max()}, but the "
            f"views have {n_samples} rows."
        )
    return indices
