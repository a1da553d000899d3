"""Whether the partner of an item is found among all others."""

from collections.abc import Callable

import numpy as np
from sklearn import get_config
from sklearn.metrics import euclidean_distances, pairwise_distances_chunked

from perfalign._checks import check_integer, check_width
from perfalign._threads import one_blas_thread
from perfalign._types import Array, View
from perfalign.metrics._latents import check_pair


@one_blas_thread
def retrieval_ranks(
    queries: View, gallery: View, *, csls: int | None = None
) -> Array:
    r"""Place of each query's partner among all items of the gallery.

    With :math:`\delta_{ij} = \|q_i - g_j\|_2^2`, item i has the rank

    .. math:: 1 + \#\{j : \delta_{ij} < \delta_{ii}\}
              + \tfrac12\, \#\{j \ne i : \delta_{ij} = \delta_{ii}\} .

    1 is best. Items as near as the partner share the middle of their places,
    as if the order among them were drawn: latents that are all equal get
    (n + 1)/2, no better than guessing.

    In many dimensions some items of the gallery, the hubs, are near to all
    queries and take the first places everywhere. With `csls` neighbours, what
    is compared is

    .. math:: \delta_{ij} - \tfrac12 (\rho_j + \rho'_i) ,

    with :math:`\rho_j` the mean of the smallest
    :math:`\delta_{1j}, \dots, \delta_{nj}`, as many as `csls`, and
    :math:`\rho'_i` that of query i, which makes no difference to its ranks.

    Parameters
    ----------
    queries : array-like of shape (n_samples, n_components)
        Latents of one view.
    gallery : array-like of shape (n_samples, n_components)
        Latents of another; row i is the partner of query i.
    csls : int, default=None
        Neighbours for cross-domain similarity local scaling, from 1 to n; 10
        are customary. Plain distances if None.

    Returns
    -------
    ranks : ndarray of shape (n_samples,)
        Multiples of one half from 1 to n.

    Raises
    ------
    ValueError
        If the arrays are not finite real matrices of one shape, labels of
        rows differ, or `csls` is out of range.

    Notes
    -----
    Conneau et al. (2018) define the scaling for cosines. On rows of unit
    length (``sklearn.preprocessing.normalize``), where
    :math:`\delta = 2 - 2 \cos`, this is theirs.

    Distances are summed from differences. The faster
    :math:`\|q\|^2 - 2 q^\top g + \|g\|^2` cancels below a distance of about
    1e-8, far above the 1e-14 between partners that align perfectly. Time is
    O(n² k); distances are held in blocks of 2 MB, or of scikit-learn's
    ``working_memory`` if that is less.

    References
    ----------
    A. Conneau, G. Lample, M. Ranzato, L. Denoyer and H. Jégou 2018, Word
    translation without parallel data, International Conference on Learning
    Representations. arXiv:1710.04087.

    Examples
    --------
    >>> from perfalign.metrics import retrieval_ranks
    >>> [float(r) for r in retrieval_ranks([[0], [1], [5]], [[0], [2], [1]])]
    [1.0, 2.5, 2.0]

    The first item of this gallery is nearest to every query:

    >>> queries, gallery = [[0], [3], [-3]], [[0], [7], [-7]]
    >>> [float(r) for r in retrieval_ranks(queries, gallery)]
    [1.0, 2.0, 2.0]
    >>> [float(r) for r in retrieval_ranks(queries, gallery, csls=2)]
    [1.0, 1.0, 1.0]
    """
    (queries, _), (gallery, _) = check_pair(
        [queries, gallery], ["queries", "gallery"], alike=True
    )
    # A common unit leaves every comparison as it is.
    queries, gallery, _ = in_range(queries, gallery)
    crowd = np.zeros(len(gallery))
    if csls is not None:
        k = check_integer(csls, "csls", 1, len(crowd), ", the number of rows")

        crowd = by_rows(gallery, queries, lambda D, start: crowding(D, k))

    def ranks_of(distances: Array, start: int) -> Array:
        distances -= crowd
        rows = np.arange(len(distances))
        partner = distances[rows, start + rows][:, np.newaxis]
        nearer = np.count_nonzero(distances < partner, axis=1)
        ties = np.count_nonzero(distances == partner, axis=1) - 1
        return np.asarray(1.0 + nearer + 0.5 * ties)

    return by_rows(queries, gallery, ranks_of)


def in_range(first: Array, second: Array) -> tuple[Array, Array, int]:
    """Both in a unit in which squares are numbers, and its power of two."""
    largest = max(np.abs(first).max(), np.abs(second).max())
    power = int(np.frexp(largest)[1])
    return np.ldexp(first, -power), np.ldexp(second, -power), power


def crowding(distances: Array, k: int) -> Array:
    """Half the mean of the k smallest distances of each row."""
    nearest = np.partition(distances, k - 1)[:, :k]
    return np.asarray(nearest.mean(axis=1) / 2)


@one_blas_thread
def csls_distances(queries: View, gallery: View, k: int = 10) -> Array:
    r"""Squared distances, less what is common to the near of either side.

    .. math:: \delta_{ij} - \tfrac12 (\rho_j + \rho'_i)

    with :math:`\delta_{ij} = \|q_i - g_j\|_2^2`, :math:`\rho_j` the mean of
    the k smallest of :math:`\delta_{1j}, \delta_{2j}, \dots` and
    :math:`\rho'_i` that of the k smallest of
    :math:`\delta_{i1}, \delta_{i2}, \dots`: a hub, which is near to all, is
    near to none more than to others. Nobody needs to know who is whose
    partner, and there may be more items on one side.

    Parameters
    ----------
    queries : array-like of shape (n_queries, n_components)
        Latents of one view.
    gallery : array-like of shape (n_gallery, n_components)
        Latents of another.
    k : int, default=10
        Neighbours, from 1 to the rows of the smaller side.

    Returns
    -------
    scaled : ndarray of shape (n_queries, n_gallery)
        Negative where two items are nearer to each other than to those
        around them.

    Raises
    ------
    ValueError
        If the arrays are not finite real matrices with as many columns, or k
        is out of range.

    Notes
    -----
    Cross-domain similarity local scaling (Conneau et al. 2018, see
    `retrieval_ranks`), which is for cosines: those of rows of unit length
    (``sklearn.preprocessing.normalize``). Distances are found by one matrix
    product, for speed, and are exact to rounding of the squared norms. Time
    and memory are those of the whole matrix.

    Examples
    --------
    The first item of the gallery is nearest to all, and the partner of one:

    >>> from perfalign.metrics import csls_distances
    >>> queries, gallery = [[0], [3], [-3]], [[0], [7], [-7]]
    >>> csls_distances(queries, gallery, k=2).argmin(axis=1)
    array([0, 1, 2])
    """
    queries, gallery = check_width([queries, gallery], ["queries", "gallery"])
    least = min(len(queries), len(gallery))
    k = check_integer(k, "k", 1, least, ", the rows of the smaller side")
    queries, gallery, power = in_range(queries, gallery)
    scaled: Array = euclidean_distances(queries, gallery, squared=True)
    near, far = crowding(scaled.T, k), crowding(scaled, k)
    scaled -= near
    scaled -= far[:, np.newaxis]
    with np.errstate(over="ignore"):
        return np.ldexp(scaled, 2 * power, out=scaled)


def by_rows(
    A: Array, B: Array, reduce: Callable[[Array, int], Array]
) -> Array:
    """A number for each row of A from its distances to the rows of B."""
    # Of scikit-learn's metrics, "euclidean" takes the cancelling formula and
    # "sqeuclidean" SciPy's sum of squared differences. Blocks of 2 MB are what
    # a processor keeps at hand.
    blocks = pairwise_distances_chunked(
        A,
        B,
        reduce_func=reduce,
        metric="sqeuclidean",
        working_memory=min(get_config()["working_memory"], 2),
    )
    return np.concatenate(list(blocks))


def recall(
    queries: View, gallery: View, k: int = 1, *, csls: int | None = None
) -> float:
    r"""Share of queries whose partner is among the k nearest.

    Parameters
    ----------
    queries, gallery : array-like of shape (n_samples, n_components)
        Latents of two views; row i of each belongs to item i.
    k : int, default=1
        Length of the list in which the partner counts as found, at least 1.
    csls : int, default=None
        As in `retrieval_ranks`.

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
    return float(np.mean(retrieval_ranks(queries, gallery, csls=csls) <= k))


def median_rank(
    queries: View, gallery: View, *, csls: int | None = None
) -> float:
    """Median of the partners' ranks.

    Parameters
    ----------
    queries, gallery : array-like of shape (n_samples, n_components)
        Latents of two views; row i of each belongs to item i.
    csls : int, default=None
        As in `retrieval_ranks`.

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
    return float(np.median(retrieval_ranks(queries, gallery, csls=csls)))
