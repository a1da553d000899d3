"""Who is taken for whose partner: one for one, or some of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from sklearn.preprocessing import normalize

from perfalign._checks import check_integer, check_number, check_width
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, View
from perfalign.metrics import csls_distances

#: Sums of rows and columns come near their targets, and need not be right.
BALANCINGS = 10
#: Exponents of what is farther are as good as this, and leave some mass.
FARTHEST = -400


class Found(Protocol):
    """What a matching finds."""

    @property
    def similarity(self) -> Array:
        """How near the matches are to each other."""

    def partners(self, first: Array, second: Array) -> tuple[Array, Array]:
        """Rows of the two views that belong together."""


Matching: TypeAlias = Callable[[Array, Array], Found]


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

    def partners(self, first: Array, second: Array) -> tuple[Array, Array]:
        """Rows of the two views that belong together.

        Parameters
        ----------
        first, second : ndarray of shape (n_samples_m, n_features_m)

        Returns
        -------
        first, second : ndarray of shape (n_matches, n_features_m)
        """
        return first[self.first], second[self.second]


def _directions(first: View, second: View) -> tuple[Array, Array]:
    """Latents, checked, as rows of unit length; of zeros where they are 0."""
    one, other = (
        # A power of two changes no digit and keeps squares within range.
        normalize(np.ldexp(X, -np.frexp(np.abs(X).max(axis=1))[1][:, None]))
        for X in check_width([first, second], ["first", "second"])
    )
    return one, other


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
        If the arrays are not finite real matrices with as many columns, or
        `k` is not a positive integer.

    Notes
    -----
    Being nearest is not mutual: a row on the edge of one view may be nearest
    to nobody. Such rows stay alone. Time and memory are
    O(n_first n_second).

    Examples
    --------
    >>> from perfalign.unpaired import mutual_matches
    >>> matches = mutual_matches(
    ...     [[1, 0], [0, 1], [-1, 0.5]], [[0.1, 1], [1, 0.1]], k=1
    ... )
    >>> [(int(i), int(j)) for i, j in zip(matches.first, matches.second)]
    [(0, 1), (1, 0)]
    """
    check_integer(k, "k")
    latents = _directions(first, second)
    distances = csls_distances(*latents, min(k, *map(len, latents)))
    forth, back = distances.argmin(axis=1), distances.argmin(axis=0)
    rows = np.flatnonzero(back[forth] == np.arange(len(forth)))
    partners = forth[rows]
    return Matches(rows, partners, -distances[rows, partners])


@dataclass(frozen=True, eq=False)
class SoftMatches:
    """Shares by which items of two views are taken for partners.

    Attributes
    ----------
    plan : ndarray of shape (n_first, n_second)
        Masses; all columns have the same sum, and all rows nearly so, unless
        reg is small.
    similarity : ndarray of shape (n_first,)
        Mean cosine of each row with its partners, by their shares.
    """

    plan: Array
    similarity: Array

    def partners(self, first: Array, second: Array) -> tuple[Array, Array]:
        """Each row of either view beside the mean of its partners.

        Parameters
        ----------
        first, second : ndarray of shape (n_samples_m, n_features_m)

        Returns
        -------
        first, second : ndarray of shape (n_first + n_second, n_features_m)
        """
        forth = self.plan / self.plan.sum(axis=1, keepdims=True)
        back = self.plan / self.plan.sum(axis=0)
        return (
            np.vstack([first, back.T @ first]),
            np.vstack([forth @ second, second]),
        )


@one_blas_thread
def soft_matches(
    first: View, second: View, *, reg: float = 0.05
) -> SoftMatches:
    r"""Shares of partners, by transport with an entropy.

    .. math:: \pi_{ij} = a_i\, b_j \exp(\cos(u_i, v_j) / \varepsilon)

    with a and b such that every item, hub or not, gives and takes the same
    mass, nearly: Sinkhorn's iterations are ended after ten.

    Parameters
    ----------
    first : array-like of shape (n_first, n_components)
        Latents of one view.
    second : array-like of shape (n_second, n_components)
        Latents of another; rows need not be of the same items.
    reg : float, default=0.05
        ε > 0, in units of a cosine. The larger it is, the more partners
        share an item.

    Returns
    -------
    matches : SoftMatches

    Raises
    ------
    ValueError
        If the arrays are not finite real matrices with as many columns, or
        `reg` is not a number above 0.

    See Also
    --------
    perfalign.transport.transport_plan : the plan to the last digit.

    Notes
    -----
    Time and memory are O(n_first n_second).

    Examples
    --------
    >>> from perfalign.unpaired import soft_matches
    >>> matches = soft_matches([[1, 0], [0, 1]], [[0.1, 1], [1, 0.1]])
    >>> (2 * matches.plan).round(3)
    array([[0., 1.],
           [1., 0.]])
    """
    check_number(reg, "reg", above=0)
    u, v = _directions(first, second)
    cosines = u @ v.T
    nearer = (cosines - cosines.max(axis=1, keepdims=True)) / reg
    plan = np.exp(np.maximum(nearer, FARTHEST))
    a, b = np.ones(len(plan)), np.ones(len(plan.T))
    for _ in range(BALANCINGS):
        a = 1 / (plan @ b)
        b = 1 / (a @ plan)
    plan *= a[:, np.newaxis] * (b / len(b))
    similarity = np.einsum("ij,ij->i", plan, cosines) / plan.sum(axis=1)
    return SoftMatches(plan, similarity)
