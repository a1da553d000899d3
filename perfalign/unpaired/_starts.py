"""First guesses at a rotation, from the shapes of two clouds alone."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import normalize

from perfalign._linalg import centred, eigh, svd
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers
from perfalign.unpaired._matches import mutual_matches

#: Orders that the exchanges begin with: cheap, and one in a hundred ends well.
N_ORDERS = 300


def by_clusters(
    views: tuple[Array, Array], n_clusters: int, rng: np.random.Generator
) -> Array:
    """From items that lie alike to the centres of clusters that lie alike.

    Parameters
    ----------
    views : two ndarray of shape (n_m, k)
        With rows of unit length.
    n_clusters : int
    rng : Generator
        Another draw finds other clusters, and other matches.

    Returns
    -------
    rotation : ndarray of shape (k, k)
    """
    with warnings.catch_warnings():
        # Of fewer directions some centres are the same, and so be it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres = [
            KMeans(n_clusters, n_init=3, random_state=int(rng.integers(2**31)))
            .fit(X)
            .cluster_centers_
            for X in views
        ]
    first, second = map(normalize, centres)
    order = best_order(
        _contrasts(first @ first.T), _contrasts(second @ second.T), rng
    )
    found = mutual_matches(
        centred(views[0] @ first.T), centred(views[1] @ second[order].T)
    )
    return rotation_of(views[0][found.first], views[1][found.second])


def by_moments(views: Sequence[Array], power: float) -> Array:
    r"""From the axes of either view, which know their order and their signs.

    The symmetric matrix :math:`\operatorname{mean} \|x\|^p x x^\top` turns
    with the view. So do its eigenvectors, in the order of their eigenvalues,
    and the sign of each is the one that gives it a positive third moment.
    Where two eigenvalues are equal or a third moment is zero, another draw
    finds another rotation.

    Parameters
    ----------
    views : two ndarray of shape (n_m, k)
        Centred.
    power : float

    Returns
    -------
    rotation : ndarray of shape (k, k)
    """
    first, second = (_axes(X, power) for X in views)
    return first @ second.T


def _axes(X: Array, power: float) -> Array:
    weights = np.linalg.norm(X, axis=1, keepdims=True) ** power
    _, axes = eigh((weights * X).T @ X / len(X))
    signs = np.where(np.mean((X @ axes) ** 3, axis=0) < 0, -1.0, 1.0)
    return np.asarray(axes * signs)


def rotation_of(first: Array, second: Array) -> Array:
    """The orthogonal matrix that turns rows nearest to those of another.

    Parameters
    ----------
    first, second : ndarray of shape (n, k)
        Row i of each belongs to item i.

    Returns
    -------
    rotation : ndarray of shape (k, k)
    """
    U, _, Vt = svd(first.T @ second)
    return np.asarray(U @ Vt)


def _contrasts(similarities: Array) -> Array:
    """Similarities to others, less their mean, in units of their norm."""
    others = ~np.eye(len(similarities), dtype=bool)
    moved = np.where(others, similarities - similarities[others].mean(), 0.0)
    return np.asarray(moved / (np.linalg.norm(moved) or 1.0))


@one_blas_thread
def best_order(
    F: Array, D: Array, rng: np.random.Generator, n_orders: int = N_ORDERS
) -> Integers:
    r"""Order of the rows and columns of D in which it is most like F.

    .. math:: \max_\pi \sum_{ij} F_{ij} D_{\pi(i) \pi(j)}

    is a quadratic assignment problem, for which no fast way is known. From
    many random orders, the best exchange of two places is made until none
    gains, in all of them at once.

    Parameters
    ----------
    F, D : ndarray of shape (n, n)
        Symmetric.
    rng : Generator
    n_orders : int

    Returns
    -------
    order : ndarray of shape (n,)
        The best that was found.

    Notes
    -----
    O(n³) an order and a round of exchanges. `scipy.optimize` has
    ``quadratic_assignment``, whose relaxation comes less far here in the same
    time: random beginnings are what counts.
    """
    n = len(F)
    orders = np.argsort(rng.random((n_orders, n)), axis=1)
    own = np.diag(F)
    growing = np.arange(n_orders)
    while len(growing):
        order = orders[growing]
        E = D[order[:, :, None], order[:, None, :]]
        L, e = F @ E, np.einsum("sii->si", E)
        now = np.einsum("sii->si", L)
        gain = L + L.transpose(0, 2, 1) - now[:, :, None] - now[:, None, :]
        gain *= 2
        # What the places that are exchanged are to each other and themselves.
        gain += (own[:, None] + own - 2 * F) * (
            e[:, :, None] + e[:, None, :] - 2 * E
        )
        flat = gain.reshape(len(growing), -1)
        best = flat.argmax(axis=1)
        gains = flat[np.arange(len(growing)), best] > 1e-12
        growing, best = growing[gains], best[gains]
        i, j = np.divmod(best, n)
        orders[growing, i], orders[growing, j] = (
            orders[growing, j],
            orders[growing, i],
        )
    E = D[orders[:, :, None], orders[:, None, :]]
    return np.asarray(orders[np.einsum("ij,sij->s", F, E).argmax()])
