"""Who is nearest to whom, both ways, and nearer than others are."""

from dataclasses import dataclass

import numpy as np
from sklearn.preprocessing import normalize

from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, View
from perfalign.metrics import csls_distances


@dataclass(frozen=True, eq=False)
class Matches:
    """Items of two views that are taken for partners.

    Attributes
    ----------
    first, second : ndarray of shape (n_matches,)
        Rows of either view; none occurs twice.
    similarity : ndarray of shape (n_matches,)
        How much nearer they are to each other than items around them are.
    """

    first: Integers
    second: Integers
    similarity: Array

    def __len__(self) -> int:
        return len(self.first)


@one_blas_thread
def mutual_matches(first: View, second: View, *, k: int = 10) -> Matches:
    r"""Items that are each other's nearest, hubs set aside.

    Latents have the direction of their row alone, as for a cosine. With D the
    `csls_distances` of the two views, rows i and j match if

    .. math:: D_{ij} = \min_l D_{il} = \min_l D_{lj} ,

    and :math:`-D_{ij}` is their similarity.

    Parameters
    ----------
    first : array-like of shape (n_first, n_components)
        Latents of one view.
    second : array-like of shape (n_second, n_components)
        Latents of another; rows need not be of the same items.
    k : int, default=10
        Neighbours for local scaling; all rows of the smaller view, if it has
        fewer.

    Returns
    -------
    matches : Matches
        One or more, in the order of the rows of `first`.

    Raises
    ------
    ValueError
        As `csls_distances`.

    Notes
    -----
    Being nearest is not mutual: a row on the edge of one view may be nearest
    to nobody. Such rows stay alone, so that a wrong match is rare before a
    missing one is. Time and memory are O(n_first n_second).

    Examples
    --------
    >>> from perfalign.unpaired import mutual_matches
    >>> matches = mutual_matches(
    ...     [[1, 0], [0, 1], [-1, 0.5]], [[0.1, 1], [1, 0.1]], k=1
    ... )
    >>> [(int(i), int(j)) for i, j in zip(matches.first, matches.second)]
    [(0, 1), (1, 0)]
    """
    least = min(len(first), len(second))
    distances = csls_distances(
        normalize(first), normalize(second), min(k, least)
    )
    forth, back = distances.argmin(axis=1), distances.argmin(axis=0)
    rows = np.flatnonzero(back[forth] == np.arange(len(forth)))
    partners = forth[rows]
    return Matches(rows, partners, -distances[rows, partners])
