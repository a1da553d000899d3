"""How much latents say: dimensions in use, variance of a view explained."""

import numpy as np
from scipy.special import entr

from perfalign._checks import check_view
from perfalign._linalg import centred, column_norms, singular_values
from perfalign._threads import one_blas_thread
from perfalign._types import View
from perfalign.metrics._latents import (
    check_pair,
    constant_columns,
    fitted,
    is_constant,
)


@one_blas_thread
def effective_rank(latents: View) -> float:
    r"""How many dimensions the latents really use.

    .. math:: \exp\Big(-\sum_j p_j \log p_j\Big), \qquad
              p_j = \lambda_j \Big/ \sum_l \lambda_l

    with :math:`\lambda_j` the eigenvalues of the latents' covariance. It is k
    when the variance is spread evenly over k dimensions and close to 1 when
    one of them has nearly all.

    Parameters
    ----------
    latents : array-like of shape (n_samples, n_components)

    Returns
    -------
    rank : float
        Between 1 and k, for latents in one common unit; 0.0 for constant
        latents, which use none.

    Raises
    ------
    ValueError
        If `latents` is not a finite real matrix.

    Notes
    -----
    The effective rank of Roy and Vetterli (2007), taken of the covariance.
    Time is O(n k²).

    Examples
    --------
    >>> from perfalign.metrics import effective_rank
    >>> f"{effective_rank([[0, 1], [1, 0], [0, -1], [-1, 0]]):.2f}"
    '2.00'
    >>> f"{effective_rank([[0, 5], [1, 5], [2, 5], [3, 5]]):.2f}"
    '1.00'
    """
    latents, eps = check_view(latents, "latents")
    if is_constant(latents, eps):
        return 0.0
    moved = centred(latents)
    sigma = singular_values(moved / np.abs(moved).max())
    share = sigma**2 / np.sum(sigma**2)
    return float(np.exp(entr(share).sum()))


@one_blas_thread
def explained_variance(view: View, latents: View) -> float:
    r"""Share of a view's variance that its latents explain.

    .. math:: 1 - \frac1d \sum_{j=1}^d \min_{b,\,c}
              \sum_i (x_{ij} - b^\top \hat z_i - c)^2
              \Big/ \sum_i (x_{ij} - \bar x_j)^2

    which is the mean R² of the d features that vary, each reconstructed as
    well as the latents allow. It does not change with the units of features,
    nor under an invertible map of the latents.

    Parameters
    ----------
    view : array-like of shape (n_samples, n_features)
    latents : array-like of shape (n_samples, n_components)

    Returns
    -------
    share : float
        Between 0 and 1. Constant latents explain nothing.

    Raises
    ------
    ValueError
        If the arrays are not finite real matrices with equal numbers and
        labels of rows, or the view does not vary, so that there is nothing to
        explain.

    Notes
    -----
    Time is O(n k (k + d)). With many latents and few samples the share is
    high for any latents, k/(n − 1) on average for unrelated ones. A latent
    that varies by the rounding of its encoder counts like any other, as its
    own size says nothing; ``explained_variance_`` of an alignment knows it.

    Examples
    --------
    >>> from perfalign.metrics import explained_variance
    >>> view = [[3, 1], [3, -1], [-3, 1], [-3, -1]]
    >>> f"{explained_variance(view, [[1], [1], [-1], [-1]]):.2f}"
    '0.50'
    """
    (view, view_eps), (latents, latents_eps) = check_pair(
        [view, latents], ["view", "latents"]
    )
    if is_constant(view, view_eps):
        raise ValueError(
            f"The view of shape {view.shape} does not vary: there is no "
            "variance to explain."
        )
    if is_constant(latents, latents_eps):
        return 0.0
    view = centred(view[:, ~constant_columns(view, view_eps)])
    view /= column_norms(view)
    residual = view - fitted(view, centred(latents), latents_eps)
    return float(1.0 - np.mean(np.sum(residual**2, axis=0)))
