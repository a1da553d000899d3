"""How alike paired rows are: correlations, kernels, neighbours.

A training pair is alike by fitting and any pair by chance: what a number
means, held-out pairs and `perfalign.model_selection.permutation_calibration`
say.
"""

from itertools import combinations

import numpy as np
from sklearn.neighbors import kneighbors_graph

from perfalign._checks import check_integer, check_row_labels, check_view
from perfalign._linalg import column_norms
from perfalign._types import Array, View, Views
from perfalign.metrics._latents import (
    centred,
    check_latents,
    constant_columns,
    is_constant,
)


def component_correlations(latents: Views) -> Array:
    r"""Correlation of the views' latents, component by component.

    .. math:: r_j = \operatorname{mean}_{m < m'}
              \operatorname{corr}_i(\hat z^m_{ij}, \hat z^{m'}_{ij})

    Parameters
    ----------
    latents : list or dict of array-like of shape (n_samples, n_components)
        One array a view, two or more; row i of each belongs to item i.

    Returns
    -------
    correlations : ndarray of shape (n_components,)
        From −1 to 1, the mean over all pairs of views. A component that is
        constant in one of two views has the correlation 0 with it.

    Raises
    ------
    ValueError
        As `alignment_error`.

    Notes
    -----
    Of the latents of the two views that a whitened alignment was fitted to,
    these are the canonical correlations; of pairs that were held out, what is
    left of them. Cost O(M² n k).

    Examples
    --------
    >>> from perfalign.metrics import component_correlations
    >>> seen, heard = [[0, 1], [1, 1], [2, 4]], [[5, 2], [6, 1], [7, 0]]
    >>> [f"{r:.2f}" for r in component_correlations([seen, heard])]
    ['1.00', '-0.87']
    """
    latents, eps = check_latents(latents)
    units = []
    for z in latents:
        moved = np.where(constant_columns(z, eps), 0.0, centred(z))
        size = column_norms(moved)
        units.append(moved / np.where(size > 0, size, 1.0))
    each = [np.sum(y * z, axis=0) for y, z in combinations(units, 2)]
    correlations: Array = np.mean(each, axis=0)
    return correlations


def linear_cka(X: View, Y: View, *, debiased: bool = False) -> float:
    r"""Centred kernel alignment of two views, with linear kernels.

    .. math:: \frac{\|X^\top Y\|_F^2}
                   {\|X^\top X\|_F \, \|Y^\top Y\|_F}

    with X and Y centred: the squared covariances between the features of the
    views, in units of those within.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
    Y : array-like of shape (n_samples, n_features_y)
        Row i of each belongs to item i.
    debiased : bool, default=False
        Estimate the three norms without bias, of at least four rows. Of few
        rows with many features the plain index is close to 1, related or
        not; the debiased one of unrelated views is close to 0 on average, and
        can be negative.

    Returns
    -------
    index : float
        From 0 to 1, where one view is the other up to a rotation, one unit
        for all and an origin. A unit of its own for a feature makes a
        difference.

    Raises
    ------
    ValueError
        If the arrays are not finite real matrices with equal numbers and
        labels of rows, a view does not vary, so that the index is 0/0, or
        four rows are wanted and there are fewer.

    Notes
    -----
    Kornblith et al. (2019); the estimate without bias is that of Song et al.
    (2012), taken for the same purpose by Murphy et al. (2024). Kernels of all
    pairs of rows are never formed: time is O(n d²), memory O(d²).

    References
    ----------
    S. Kornblith, M. Norouzi, H. Lee and G. Hinton 2019, Similarity of neural
    network representations revisited, Proceedings of the 36th International
    Conference on Machine Learning, 3519–3529.

    L. Song, A. Smola, A. Gretton, J. Bedo and K. Borgwardt 2012, Feature
    selection via dependence maximization, Journal of Machine Learning
    Research 13, 1393–1434.

    A. Murphy, J. Zylberberg and A. Fyshe 2024, Correcting biased centered
    kernel alignment measures in biological and artificial neural networks.
    arXiv:2405.01012.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.metrics import linear_cka
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(2, 30, 100))
    >>> f"{linear_cka(X, Y):.2f} {linear_cka(X, Y, debiased=True):.2f}"
    '0.77 0.01'
    """
    X, Y = _paired(X, Y)
    n = len(X)
    if debiased and n < 4:
        raise ValueError(
            f"The debiased index needs at least four rows; seen {n}."
        )

    def alike(A: Array, B: Array) -> float:
        found = float(np.sum((A.T @ B) ** 2))
        if debiased:
            # Leaves out every item's relation to itself, on which the
            # products of two kernels without bias agree (U-centring).
            a, b = np.sum(A**2, axis=1), np.sum(B**2, axis=1)
            found -= n / (n - 2) * float(a @ b)
            found += float(a.sum() * b.sum()) / ((n - 1) * (n - 2))
        return found

    return alike(X, Y) / float(np.sqrt(alike(X, X) * alike(Y, Y)))


def mutual_neighbours(X: View, Y: View, k: int = 10) -> float:
    r"""Share of nearest neighbours that two views have in common.

    .. math:: \frac1n \sum_{i=1}^n
              \frac{|N_k(x_i) \cap N_k(y_i)|}{k}

    with :math:`N_k(x_i)` the k items nearest to item i in one view, itself
    left out.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features_x)
    Y : array-like of shape (n_samples, n_features_y)
        Row i of each belongs to item i.
    k : int, default=10
        From 1 to n − 1.

    Returns
    -------
    share : float
        From 0 to 1; k/(n − 1) on average for unrelated views.

    Raises
    ------
    ValueError
        If the arrays are not finite real matrices with equal numbers and
        labels of rows, or k is out of range.

    Notes
    -----
    Huh et al. (2024) compare models by it and take the neighbours by cosine:
    that is by distance here, for rows of unit length
    (``sklearn.preprocessing.normalize``). Features add up in a distance, so
    their units matter, if not the views'. Of more neighbours at one distance
    than there are places, some are left out. Time is at most O(n² d);
    distances are held in blocks.

    Examples
    --------
    >>> from perfalign.metrics import mutual_neighbours
    >>> X, Y = [[0], [1], [3], [6]], [[0], [2], [3], [6]]
    >>> f"{mutual_neighbours(X, Y, k=1):.2f}"
    '0.75'
    """
    X, Y = _paired(X, Y)
    check_integer(k, "k", 1, len(X) - 1, ", the number of other rows")
    a, b = (kneighbors_graph(view, k) for view in (X, Y))
    return float(a.multiply(b).sum() / (len(X) * k))


def _paired(X: View, Y: View) -> list[Array]:
    """Centred, the largest number of each view near one."""
    check_row_labels([X, Y], ["X", "Y"])
    found = []
    for view, name in ((X, "X"), (Y, "Y")):
        checked, eps = check_view(view, name)
        if is_constant(checked, eps):
            raise ValueError(
                f"{name} of shape {checked.shape} does not vary: there is "
                "nothing to be alike in."
            )
        moved = centred(checked)
        # A power of two changes no digit and keeps squares within range.
        found.append(np.ldexp(moved, -np.frexp(np.abs(moved).max())[1]))
    if len(found[0]) != len(found[1]):
        raise ValueError(
            f"X has {len(found[0])} rows and Y has {len(found[1])}; wanted "
            "equal numbers of rows."
        )
    return found
