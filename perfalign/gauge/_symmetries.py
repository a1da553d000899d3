r"""Symmetries of a mixture of Gaussians: what its moments cannot tell apart.

An affine map that carries a mixture to itself keeps its total mean and
covariance. In coordinates in which these are 0 and the identity, such a map is
orthogonal: it permutes the components, carries each mean to a mean and each
covariance to a covariance.
"""

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

from perfalign._linalg import eigh, singular_values, svd
from perfalign._types import Array
from perfalign.gauge._shape import Shape

# Whitened moments have size one, and are given, not estimated.
EXACT = 1e-6


def fixing_symmetries(shape: Shape) -> tuple[list[Array], int]:
    r"""Orthogonal maps that carry each component to itself.

    They commute with all class covariances and fix the means, hence all that
    the covariances make of the means. The matrices that commute with the
    covariances and are zero there form an algebra, which is a product of
    matrix algebras over the real, complex or quaternion numbers. Its
    orthogonal elements are connected up to one reflection for each real
    factor.

    Parameters
    ----------
    shape : Shape
        With total mean 0 and total covariance I.

    Returns
    -------
    reflections : list of ndarray of shape (k, k)
        One for each component that the rotations below do not reach.
    dimension : int
        Of the group of rotations.
    """
    k = shape.means.shape[1]
    _, free, _ = _intertwiners(shape, shape)
    rng = np.random.default_rng(0)

    def element(matrix: Array) -> Array:
        return (free.T @ (free @ matrix.ravel())).reshape(k, k)

    turns = free.reshape(-1, k, k)
    turns = (turns - turns.transpose(0, 2, 1)).reshape(-1, k * k)
    sizes = singular_values(turns) if turns.size else np.zeros(1)
    dimension = int(np.count_nonzero(sizes > EXACT))
    # The spaces of a general symmetric element are irreducible.
    size, basis = eigh(element(np.eye(k)))
    basis = basis[:, size > 0.5]
    mixed = rng.standard_normal((k, k))
    values, vectors = eigh(basis.T @ element(mixed + mixed.T) @ basis)
    starts = np.flatnonzero(np.diff(values) > EXACT) + 1
    spaces = np.split(basis @ vectors, starts, axis=1)
    link = element(rng.standard_normal((k, k)))
    reflections: list[Array] = []
    reached: list[Array] = []
    for space in spaces:
        inner = space.T @ link @ space
        real = np.abs(inner - inner.T).max(initial=0.0) < EXACT
        new = all(np.abs(space.T @ link @ E).max() < EXACT for E in reached)
        reached.append(space)
        if space.size and real and new:
            reflections.append(np.eye(k) - 2 * space @ space.T)
    return reflections, dimension


def exchanging_symmetries(
    shape: Shape,
) -> list[tuple[Array, tuple[int, ...]]]:
    """Orthogonal maps that, with the fixing ones, reach all exchanges.

    Parameters
    ----------
    shape : Shape
        With total mean 0 and total covariance I.

    Returns
    -------
    exchanges : list of (ndarray of shape (k, k), tuple of int)
        The map, and where it sends each component. They generate a group of
        permutations, one stabiliser of leading components after another.
    """
    n_components = len(shape.weights)
    weights = np.add.outer(shape.weights, shape.weights)
    pairs = np.stack([*pair_invariants(shape), weights])
    exchanges: list[tuple[Array, tuple[int, ...]]] = []
    orbits = DisjointSet(range(n_components))
    for i in reversed(range(n_components)):
        for j in range(i + 1, n_components):
            if not orbits.connected(i, j):
                found = _extend(shape, pairs, [*range(i), j])
                if found is not None:
                    exchanges.append(found)
                    for c, to in enumerate(found[1]):
                        orbits.merge(c, to)
    return exchanges


def map_onto(source: Shape, target: Shape) -> Array | None:
    """Orthogonal map of one mixture to another, or None.

    Parameters
    ----------
    source, target : Shape
        Both with total mean 0 and total covariance I.

    Returns
    -------
    Q : ndarray of shape (k, k) or None
    """
    k = source.means.shape[1]
    found, free, misfit = _intertwiners(source, target)
    if misfit > EXACT:
        return None
    # A general solution is invertible if any is, and its orthogonal factor
    # is a solution as well. We take one near the identity.
    general = np.eye(k) + 0.01 * np.random.default_rng(0).standard_normal(
        (k, k)
    )
    X = found + free.T @ (free @ (general.ravel() - found))
    U, s, Vt = svd(X.reshape(k, k))
    return U @ Vt if s[-1] > EXACT else None


def _intertwiners(source: Shape, target: Shape) -> tuple[Array, Array, float]:
    """Solutions X of X m = m', Xᵀ m' = m, X S = S' X: one, and all others."""
    k = source.means.shape[1]
    one = np.eye(k)
    rows, right = [], []
    for m, S, n, T in zip(
        source.means, source.covariances, target.means, target.covariances
    ):
        rows += [np.kron(one, m), np.kron(n, one)]
        rows += [np.kron(one, S) - np.kron(T, one)]
        right += [n, m, np.zeros(k * k)]
    rows, right = np.vstack(rows), np.concatenate(right)
    U, s, Vt = svd(rows, full_matrices=False)
    rank = np.count_nonzero(s > EXACT)
    found = Vt[:rank].T @ (U[:, :rank].T @ right / s[:rank])
    return found, Vt[rank:], float(np.abs(rows @ found - right).max())


def pair_invariants(shape: Shape) -> Array:
    """What pairs of components have that no orthogonal map changes.

    Parameters
    ----------
    shape : Shape

    Returns
    -------
    invariants : ndarray of shape (4, C, C)
        Inner products of means, energies of one's mean in the other's
        covariance and the other way round, inner products of covariances.
    """
    m, S = shape.means, shape.covariances
    energy = np.einsum("ai,bij,aj->ab", m, S, m)
    common = np.einsum("aij,bji->ab", S, S)
    return np.stack([m @ m.T, energy, energy.T, common])


def _extend(
    shape: Shape, pairs: Array, places: list[int]
) -> tuple[Array, tuple[int, ...]] | None:
    """Depth-first search for a symmetry with the given leading places."""
    n = len(places)
    moved = pairs[:, places][:, :, places]
    if np.abs(moved - pairs[:, :n, :n]).max() > EXACT:
        return None
    rest = [j for j in range(len(shape.weights)) if j not in places]
    if not rest:
        Q = map_onto(shape, shape.reordered(places))
        return None if Q is None else (Q, tuple(places))
    for j in rest:
        found = _extend(shape, pairs, [*places, j])
        if found is not None:
            return found
    return None
