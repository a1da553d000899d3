"""Whether the partner of an item is found among all others."""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

from perfalign._checks import check_integer, check_row_labels, check_view


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
        Latents of one view.
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
        Latents of two views; row i of each belongs to item i.
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
        Latents of two views; row i of each belongs to item i.

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
