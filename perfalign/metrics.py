r"""How well latents agree, how much they say, and whether partners are found.

An alignment error alone proves little: shrinking the encoders makes it as
small as one likes, and latents that are constant agree perfectly. Beside the
two errors of the paper stand figures that such tricks leave unmoved.
"""

from itertools import combinations

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

from perfalign._checks import (
    FLOAT64_EPS,
    as_list,
    check_integer,
    check_row_labels,
    check_view,
)
from perfalign._linalg import column_norms, singular_values, svd


def alignment_error(latents, kind="mean"):
    r"""Distance between the latents of one item in different modalities.

    .. math:: \frac1n \sum_{i=1}^n \|\hat z_i^1 - \hat z_i^2\|_2

    Parameters
    ----------
    latents : list or dict of array-like of shape (n_samples, n_components)
        One array a modality, two or more; row i of each belongs to item i.
    kind : {"mean", "rms"}, default="mean"
        Mean Euclidean distance, or the root of the mean squared distance. Of
        more than two modalities all pairs are averaged (under ``"rms"``
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
    O(M² n k) for M modalities.

    Examples
    --------
    >>> from perfalign.metrics import alignment_error
    >>> seen, heard = [[0, 0], [3, 4]], [[0, 1], [0, 0]]
    >>> f"{alignment_error([seen, heard]):.3f}"
    '3.000'
    >>> f"{alignment_error([seen, heard], kind='rms'):.3f}"
    '3.606'
    """
    latents, _ = _check_latents(latents)
    return _average(_pair_distances(latents), kind)


def relative_alignment_error(latents):
    r"""Alignment error in units of the latents' own spread.

    .. math::

       \sqrt{\operatorname{mean}_i \|\hat z_i^1 - \hat z_i^2\|^2}
       \Big/
       \sqrt{\operatorname{mean}_{i,m} \|\hat z_i^m - \bar z\|^2}

    with :math:`\bar z` the mean over all items and modalities. Scaling the
    encoders does not change it. Latents that ignore the pairing have about
    :math:`\sqrt2`.

    Parameters
    ----------
    latents : list or dict of array-like of shape (n_samples, n_components)
        One array a modality, two or more; row i of each belongs to item i.

    Returns
    -------
    error : float
        Unit-free, from 0 to 2 for two modalities.

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
    latents, eps = _check_latents(latents)
    pooled = np.vstack(latents)
    if _is_constant(pooled, eps):
        raise ValueError(
            "The latents of all samples and views are the same point, up to "
            "rounding. Such a collapse has no relative alignment error (0/0)."
        )
    spread = _average(_row_norms(_centred(pooled)), "rms")
    return _average(_pair_distances(latents), "rms") / spread


def reconstruction_error(
    latents_true, latents_estimate, kind="mean", up_to=None
):
    r"""Distance between true and estimated latents.

    .. math:: \frac1n \sum_{i=1}^n \|z_i - g(\hat z_i)\|_2

    where g is the identity, or the linear or affine map that makes the sum of
    squared distances smallest.

    Parameters
    ----------
    latents_true : array-like of shape (n_samples, n_components)
        The latents z that generated the data.
    latents_estimate : array-like of shape (n_samples, n_estimated)
        Latents estimated from one modality. Without a map they need the true
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
    true, _ = check_view(latents_true, "latents_true")
    estimate, eps = check_view(latents_estimate, "latents_estimate")
    check_row_labels(
        [latents_true, latents_estimate], ["latents_true", "latents_estimate"]
    )
    if up_to not in (None, "linear", "affine"):
        raise ValueError(
            f"up_to is {up_to!r}; wanted None, 'linear' or 'affine'."
        )
    if up_to is None:
        wanted = true.shape
    else:
        wanted = (len(true), estimate.shape[1])
    if estimate.shape != wanted:
        raise ValueError(
            f"latents_estimate has shape {estimate.shape}; wanted {wanted}, "
            f"as latents_true has shape {true.shape}."
        )
    if up_to == "affine":
        # The best offset maps mean to mean, which leaves a linear problem.
        true, estimate = _centred(true), _centred(estimate)
    if up_to is not None:
        estimate = _fitted(true, estimate, eps)
    return _average(_row_norms(true - estimate), kind)


def effective_rank(latents):
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
    if _is_constant(latents, eps):
        return 0.0
    centred = _centred(latents)
    sigma = singular_values(centred / np.abs(centred).max())
    share = sigma[sigma > 0] ** 2
    share /= share.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def explained_variance(view, latents):
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
    given = view, latents
    view, view_eps = check_view(view, "view")
    latents, latents_eps = check_view(latents, "latents")
    if len(view) != len(latents):
        raise ValueError(
            f"view has shape {view.shape} and latents have shape "
            f"{latents.shape}; wanted equal numbers of rows."
        )
    check_row_labels(given, ["view", "latents"])
    if _is_constant(view, view_eps):
        raise ValueError(
            f"The view of shape {view.shape} does not vary: there is no "
            "variance to explain."
        )
    if _is_constant(latents, latents_eps):
        return 0.0
    view = _centred(view[:, ~_constant_columns(view, view_eps)])
    view /= column_norms(view)
    residual = view - _fitted(view, _centred(latents), latents_eps)
    return float(1.0 - np.mean(np.sum(residual**2, axis=0)))


def retrieval_ranks(queries, gallery):
    r"""Place of each query's partner among all items of the gallery.

    With :math:`\delta_{ij} = \|q_i - g_j\|_2`, item i has the rank

    .. math:: 1 + \#\{j : \delta_{ij} < \delta_{ii}\}
              + \tfrac12\, \#\{j \ne i : \delta_{ij} = \delta_{ii}\} .

    1 is best. Items as near as the partner share the middle of their places,
    as if the order among them were drawn: latents that are all equal get
    (n + 1)/2, no better than guessing.

    Parameters
    ----------
    queries : array-like of shape (n_samples, n_components)
        Latents of one modality.
    gallery : array-like of shape (n_samples, n_components)
        Latents of another; row i is the partner of query i.

    Returns
    -------
    ranks : ndarray of shape (n_samples,)
        Multiples of one half from 1 to n.

    Raises
    ------
    ValueError
        If the arrays are not finite real matrices of one shape, or labels of
        rows differ.

    Notes
    -----
    Distances are summed from differences. The faster
    :math:`\|q\|^2 - 2 q^\top g + \|g\|^2` cancels below a distance of about
    1e-8, far above the 1e-14 between partners that align perfectly. Time is
    O(n² k); distances are held in blocks within scikit-learn's
    ``working_memory``.

    Examples
    --------
    >>> from perfalign.metrics import retrieval_ranks
    >>> [float(r) for r in retrieval_ranks([[0], [1], [5]], [[0], [2], [1]])]
    [1.0, 2.5, 2.0]
    """
    check_row_labels([queries, gallery], ["queries", "gallery"])
    queries, _ = check_view(queries, "queries")
    gallery, _ = check_view(gallery, "gallery")
    if queries.shape != gallery.shape:
        raise ValueError(
            f"queries have shape {queries.shape} and gallery has shape "
            f"{gallery.shape}; wanted equal shapes, row i of each belonging "
            "to item i."
        )
    # A common power of two leaves every comparison as it is and keeps the
    # squares inside the range of floating point.
    largest = max(np.abs(queries).max(), np.abs(gallery).max())
    exponent = -np.frexp(largest)[1]

    def ranks_of(distances, start):
        rows = np.arange(len(distances))
        partner = distances[rows, start + rows][:, np.newaxis]
        nearer = np.sum(distances < partner, axis=1)
        ties = np.sum(distances == partner, axis=1) - 1
        return 1.0 + nearer + 0.5 * ties

    # Of scikit-learn's metrics, "euclidean" takes the cancelling formula and
    # "sqeuclidean" SciPy's sum of squared differences.
    blocks = pairwise_distances_chunked(
        np.ldexp(queries, exponent),
        np.ldexp(gallery, exponent),
        reduce_func=ranks_of,
        metric="sqeuclidean",
    )
    return np.concatenate(list(blocks))


def recall(queries, gallery, k=1):
    r"""Share of queries whose partner is among the k nearest.

    Parameters
    ----------
    queries, gallery : array-like of shape (n_samples, n_components)
        Latents of two modalities; row i of each belongs to item i.
    k : int, default=1
        Length of the list in which the partner counts as found, at least 1.

    Returns
    -------
    share : float
        Share of items with rank k or better, by `retrieval_ranks`: of
        partners in a tie the middle place counts, so that two items tied for
        the first place (rank 1.5) are found at k = 2 only.

    Raises
    ------
    ValueError
        If k is not a positive integer; otherwise as `retrieval_ranks`.

    Examples
    --------
    >>> from perfalign.metrics import recall
    >>> f"{recall([[0], [1], [5]], [[0], [2], [1]], k=1):.3f}"
    '0.333'
    """
    check_integer(k, "k")
    return float(np.mean(retrieval_ranks(queries, gallery) <= k))


def median_rank(queries, gallery):
    """Median of the partners' ranks.

    Parameters
    ----------
    queries, gallery : array-like of shape (n_samples, n_components)
        Latents of two modalities; row i of each belongs to item i.

    Returns
    -------
    rank : float
        Between 1, which is best, and n; about (n + 1)/2 by guessing.

    Raises
    ------
    ValueError
        As `retrieval_ranks`.

    Examples
    --------
    >>> from perfalign.metrics import median_rank
    >>> f"{median_rank([[0], [1], [5]], [[0], [2], [1]]):.1f}"
    '2.0'
    """
    return float(np.median(retrieval_ranks(queries, gallery)))


def _check_latents(latents):
    latents, names = as_list(latents, what="latents")
    if len(latents) < 2:
        raise ValueError(
            "latents must be those of two or more modalities; seen "
            f"{len(latents)}."
        )
    names = [f"latents[{name!r}]" for name in names or range(len(latents))]
    checked, eps = zip(*map(check_view, latents, names))
    for name, z in zip(names, checked):
        if z.shape != checked[0].shape:
            raise ValueError(
                f"{name} has shape {z.shape}; wanted "
                f"{checked[0].shape}, the shape of {names[0]}."
            )
    check_row_labels(latents, names)
    return list(checked), max(eps)


def _fitted(wanted, given, eps):
    """Least squares fit of some columns by others, whatever their units."""
    size = column_norms(given)
    given = given / np.where(size > 0, size, 1.0)
    U, s, _ = svd(given, full_matrices=False)
    # Columns of length one: what is left of dependent ones is rounding.
    cut = max(max(given.shape) * FLOAT64_EPS, 10 * eps)
    U = U[:, s > cut * s[0]]
    return U @ (U.T @ wanted)


def _pair_distances(latents):
    return np.concatenate(
        [_row_norms(a - b) for a, b in combinations(latents, 2)]
    )


def _average(distances, kind):
    if kind == "mean":
        return float(np.mean(distances))
    if kind == "rms":
        return float(
            _row_norms(distances[np.newaxis])[0] / np.sqrt(distances.size)
        )
    raise ValueError(f"kind is {kind!r}; wanted 'mean' or 'rms'.")


def _row_norms(matrix):
    # Squares of very large or very small numbers leave the range of floating
    # point, their norms do not.
    scale = np.abs(matrix).max() or 1.0
    return scale * np.linalg.norm(matrix / scale, axis=1)


def _centred(matrix):
    # About the first row, a constant column becomes zero without rounding.
    matrix = matrix - matrix[0]
    return matrix - matrix.mean(axis=0)


def _constant_columns(matrix, eps):
    # Sums that should be equal may differ by a few roundings.
    return np.ptp(matrix, axis=0) <= 10 * eps * np.abs(matrix).max(axis=0)


def _is_constant(matrix, eps):
    return bool(np.all(_constant_columns(matrix, eps)))
