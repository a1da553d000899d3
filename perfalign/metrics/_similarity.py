"""How alike paired rows are: correlations, kernels, neighbours.

A training pair is alike by fitting and any pair by chance: what a number
means, held-out pairs and `perfalign.model_selection.permutation_calibration`
say.
"""

from itertools import combinations, product

import numpy as np
from scipy.spatial.distance import cdist

from perfalign._checks import (
    FLOAT64_EPS,
    check_integer,
)
from perfalign._linalg import centred, column_norms
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Booleans, View, Views
from perfalign.metrics._latents import (
    check_latents,
    check_pair,
    constant_columns,
    is_constant,
    row_norms,
)
from perfalign.metrics._retrieval import by_rows


@one_blas_thread
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
    Of the latents of the two views that a whitened alignment without a ridge
    was fitted to, these are the canonical correlations; of pairs that were
    held out, what is left of them. Cost O(M² n k).

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
        moved = centred(z)
        moved[:, constant_columns(z, eps)] = 0.0
        size = column_norms(moved)
        moved /= np.where(size > 0, size, 1.0)
        units.append(moved)
    each = [np.einsum("ij,ij->j", y, z) for y, z in combinations(units, 2)]
    return np.asarray(np.mean(each, axis=0))


@one_blas_thread
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
        labels of rows, or the index is 0/0: a view does not vary, or has no
        norm by the estimate without bias, as rows that are all equally far
        from each other. That estimate needs four rows.

    Notes
    -----
    Kornblith et al. (2019); the estimate without bias is that of Song et al.
    (2012), taken for the same purpose by Murphy et al. (2024). Kernels of all
    pairs of rows are formed only where there are fewer rows than features:
    time is O(n d min(n, d)), memory O(min(n, d)²) beside the views.

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
    X, Y = (_scaled(centred(view)) for view, _ in _paired(X, Y))
    n = len(X)
    if debiased and n < 4:
        raise ValueError(
            f"The debiased index needs at least four rows; seen {n}."
        )

    def alike(A: Array, B: Array) -> float:
        if n * (A.shape[1] + B.shape[1]) < A.shape[1] * B.shape[1]:
            found = gross = float(np.vdot(A @ A.T, B @ B.T))
        else:
            found = gross = float(np.sum((A.T @ B) ** 2))
        if debiased:
            # Leaves out every item's relation to itself, on which the
            # products of two kernels without bias agree (U-centring).
            a, b = np.sum(A**2, axis=1), np.sum(B**2, axis=1)
            found -= n / (n - 2) * float(a @ b)
            found += float(a.sum() * b.sum()) / ((n - 1) * (n - 2))
            gross += n / (n - 2) * float(a @ b)
        return found if abs(found) > n * FLOAT64_EPS * gross else 0.0

    own = []
    for view, name in ((X, "X"), (Y, "Y")):
        own.append(alike(view, view))
        if own[-1] <= 0:
            raise ValueError(
                f"{name} of shape {view.shape} has no norm by the debiased "
                "estimate, as rows that are equally far from each other: "
                "there is nothing to be alike in."
            )
    return alike(X, Y) / float(np.sqrt(own[0] * own[1]))


@one_blas_thread
def mutual_neighbours(X: View, Y: View, k: int = 10) -> float:
    r"""Share of nearest neighbours that two views have in common.

    .. math:: \frac1n \sum_{i=1}^n
              \frac{|N_k(x_i) \cap N_k(y_i)|}{k}

    with :math:`N_k(x_i)` the k items nearest to item i in one view, itself
    left out. Items that tie for the last places share them: if t items are as
    far as the last one and there are l places for them, each is a neighbour
    by l/t, and in the common ones goes by the smaller of its two shares.

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
        From 0 to 1, which a rotated, shifted or scaled copy has. Unrelated
        views without ties have k/(n − 1) on average; with ties they have
        more, as many items at one distance are partly neighbours of all.

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
    their units matter, if not the views'. Where distances tie, as between
    categories, counts or ratings, what chance gives depends on how many do:
    `permutation_calibration` finds it. Distances are summed from differences,
    and tie if they are equal up to the rounding of their rows; the order of
    rows makes no difference. Time is O(n² d); distances are held in blocks of
    2 MB.

    Examples
    --------
    >>> from perfalign.metrics import mutual_neighbours
    >>> X, Y = [[0], [1], [3], [6]], [[0], [2], [3], [6]]
    >>> f"{mutual_neighbours(X, Y, k=1):.2f}"
    '0.75'
    """
    pair = _paired(X, Y)
    check_integer(k, "k", 1, len(pair[0][0]) - 1, ", the number of other rows")
    views = [_scaled(view) for view, _ in pair]
    # Numbers of their size may be rounding, and so may sums over features.
    lost = [
        10 * eps * view.shape[1] ** 0.5 * row_norms(view)
        for view, (_, eps) in zip(views, pair)
    ]

    def common(distances: Array, start: int) -> Array:
        rows = views[1][start : start + len(distances)]
        other = cdist(rows, views[1], "sqeuclidean")
        pairs = product(
            _neighbours(distances, start, lost[0], k),
            _neighbours(other, start, lost[1], k),
        )
        shared = [
            np.minimum(share, same) * np.count_nonzero(who & whom, axis=1)
            for (who, share), (whom, same) in pairs
        ]
        return np.asarray(np.sum(shared, axis=0))

    return float(by_rows(views[0], views[0], common).mean() / k)


def _neighbours(
    squares: Array, start: int, lost: Array, k: int
) -> list[tuple[Booleans, Array]]:
    """Which rows are the k nearest to some, and by how much.

    First those that are nearer than the last, then those that tie for the
    places that are left, up to what may be rounding in a distance to each.
    """
    distances = np.sqrt(squares, out=squares)
    itself = np.arange(len(distances))
    distances[itself, start + itself] = np.inf
    last = np.partition(distances, k - 1)[:, k - 1, None]
    rounding = lost[start : start + len(distances), None]
    nearer = distances + lost < last - rounding
    tied = (distances - lost <= last + rounding) ^ nearer
    left = k - np.count_nonzero(nearer, axis=1)
    share = left / np.count_nonzero(tied, axis=1)
    return [(nearer, np.ones(len(share))), (tied, share)]


def _paired(X: View, Y: View) -> list[tuple[Array, float]]:
    """The views, which vary, and the relative rounding of their numbers."""
    found = check_pair([X, Y], ["X", "Y"])
    for (view, eps), name in zip(found, "XY"):
        if is_constant(view, eps):
            raise ValueError(
                f"{name} of shape {view.shape} does not vary: there is "
                "nothing to be alike in."
            )
    return found


def _scaled(view: Array) -> Array:
    """The largest number near one, so that squares stay within range."""
    # A power of two changes no digit.
    return np.asarray(np.ldexp(view, -np.frexp(np.abs(view).max())[1]))
