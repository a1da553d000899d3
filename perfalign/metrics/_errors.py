"""How far apart the latents of one item are, and from the true ones."""

from itertools import combinations
from typing import Literal

import numpy as np

from perfalign._linalg import centred
from perfalign._threads import one_blas_thread
from perfalign._types import Array, View, Views
from perfalign.metrics._latents import (
    check_latents,
    check_pair,
    fitted,
    is_constant,
    row_norms,
)


@one_blas_thread
def alignment_error(
    latents: Views, kind: Literal["mean", "rms"] = "mean"
) -> float:
    r"""Distance between the latents of one item in different views.

    .. math:: \frac1n \sum_{i=1}^n \|\hat z_i^1 - \hat z_i^2\|_2

    Parameters
    ----------
    latents : list or dict of array-like of shape (n_samples, n_components)
        One array a view, two or more; row i of each belongs to item i.
    kind : {"mean", "rms"}, default="mean"
        Mean Euclidean distance, or the root of the mean squared distance. Of
        more than two views all pairs are averaged (under ``"rms"``
        their squares).

    Returns
    -------
    error : float
        In the units of the latents, at least 0.

    Raises
    ------
    ValueError
        If there are fewer than two arrays, their shapes or the labels of
        their rows differ, one is not a finite real matrix, or `kind` is
        unknown.

    Notes
    -----
    Equation 4 of Kamboj and Do (2025). Their text shows neither the norm nor
    the normalisation; the mean Euclidean distance is our reading. Encoders of
    half the size have half the error: see `relative_alignment_error`. Time is
    O(M² n k) for M views.

    Examples
    --------
    >>> from perfalign.metrics import alignment_error
    >>> seen, heard = [[0, 0], [3, 4]], [[0, 1], [0, 0]]
    >>> f"{alignment_error([seen, heard]):.3f}"
    '3.000'
    >>> f"{alignment_error([seen, heard], kind='rms'):.3f}"
    '3.606'
    """
    latents, _ = check_latents(latents)
    return _average(_pair_distances(latents), kind)


@one_blas_thread
def relative_alignment_error(latents: Views) -> float:
    r"""Alignment error in units of the latents' own spread.

    .. math::

       \sqrt{\operatorname{mean}_i \|\hat z_i^1 - \hat z_i^2\|^2}
       \Big/
       \sqrt{\operatorname{mean}_{i,m} \|\hat z_i^m - \bar z\|^2}

    with :math:`\bar z` the mean over all items and views. Scaling the
    encoders does not change it. Latents that ignore the pairing have about
    :math:`\sqrt2`.

    Parameters
    ----------
    latents : list or dict of array-like of shape (n_samples, n_components)
        One array a view, two or more; row i of each belongs to item i.

    Returns
    -------
    error : float
        Unit-free, from 0 to 2 for two views.

    Raises
    ------
    ValueError
        If all latents are one and the same point: they agree because they say
        nothing, and the ratio is 0/0. Otherwise as `alignment_error`.

    Examples
    --------
    >>> from perfalign.metrics import relative_alignment_error
    >>> seen, heard = [[0.0], [2.0]], [[0.1], [2.1]]
    >>> f"{relative_alignment_error([seen, heard]):.4f}"
    '0.0999'
    """
    latents, eps = check_latents(latents)
    pooled = np.vstack(latents)
    if is_constant(pooled, eps):
        raise ValueError(
            "The latents of all samples and views are the same point, up to "
            "rounding. Such a collapse has no relative alignment error (0/0)."
        )
    spread = _average(row_norms(centred(pooled)), "rms")
    return _average(_pair_distances(latents), "rms") / spread


@one_blas_thread
def reconstruction_error(
    latents_true: View,
    latents_estimate: View,
    kind: Literal["mean", "rms"] = "mean",
    up_to: Literal["linear", "affine"] | None = None,
) -> float:
    r"""Distance between true and estimated latents.

    .. math:: \frac1n \sum_{i=1}^n \|z_i - g(\hat z_i)\|_2

    where g is the identity, or the linear or affine map that makes the sum of
    squared distances smallest.

    Parameters
    ----------
    latents_true : array-like of shape (n_samples, n_components)
        The latents z that generated the data.
    latents_estimate : array-like of shape (n_samples, n_estimated)
        Latents estimated from one view. Without a map they need the true
        number of components.
    kind : {"mean", "rms"}, default="mean"
        Mean Euclidean distance, or the root of the mean squared distance.
    up_to : {None, "linear", "affine"}, default=None
        Class of the map g. ``"linear"`` suits uncentred encoders of the
        model x = P z, ``"affine"`` centred ones.

    Returns
    -------
    error : float
        In the units of the true latents, at least 0.

    Raises
    ------
    ValueError
        If the arrays are not finite real matrices with matching rows (and
        columns, without a map), labels of rows differ, or `kind` or `up_to`
        is unknown.

    Notes
    -----
    Equation 5 of Kamboj and Do (2025), read as in `alignment_error`. Where
    the estimate has dependent columns, the least squares map is not unique,
    and the error is the same for all. Units of the estimated latents make no
    difference to a map. Time is O(n k²).

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.metrics import reconstruction_error
    >>> z = np.random.default_rng(0).normal(size=(50, 2))
    >>> estimate = z @ [[0.0, 2.0], [1.0, 1.0]] + 5.0
    >>> f"{reconstruction_error(z, estimate, up_to='linear'):.2f}"
    '0.76'
    >>> reconstruction_error(z, estimate, up_to="affine") < 1e-14
    True
    """
    if up_to not in (None, "linear", "affine"):
        raise ValueError(
            f"up_to is {up_to!r}; wanted None, 'linear' or 'affine'."
        )
    (true, _), (estimate, eps) = check_pair(
        [latents_true, latents_estimate],
        ["latents_true", "latents_estimate"],
        alike=up_to is None,
    )
    if up_to == "affine":
        # The best offset maps mean to mean, which leaves a linear problem.
        true, estimate = centred(true), centred(estimate)
    if up_to is not None:
        estimate = fitted(true, estimate, eps)
    return _average(row_norms(true - estimate), kind)


def _pair_distances(latents: list[Array]) -> Array:
    return np.concatenate(
        [row_norms(a - b) for a, b in combinations(latents, 2)]
    )


def _average(distances: Array, kind: str) -> float:
    if kind == "mean":
        return float(np.mean(distances))
    if kind == "rms":
        return float(
            row_norms(distances[np.newaxis])[0] / np.sqrt(distances.size)
        )
    raise ValueError(f"kind is {kind!r}; wanted 'mean' or 'rms'.")
