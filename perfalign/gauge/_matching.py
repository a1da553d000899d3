r"""Turn one mixture of Gaussians into another, component onto component.

Both are in coordinates in which their total covariance is the identity, so
that only an orthogonal map Q and the order of the components are open. The
cost is the mean squared Wasserstein distance of the components,

.. math:: \sum_c \pi_c \left[ \|Q \hat m_c - m_c\|^2
          + B^2(Q \hat S_c Q^\top, S_c) \right] ,

with Bures' :math:`B^2(S, T) = \operatorname{tr}(S + T)
- 2 \|S^{1/2} T^{1/2}\|_*`.
"""

import numpy as np

from perfalign._linalg import eigh, stacked_svd, svd
from perfalign._types import Array, Integers
from perfalign.gauge._shape import Shape
from perfalign.gauge._symmetries import pair_invariants

# Seven components have 5040 orders; of more, so many survive each step.
BEAM = 5040
# So many orders that their bounds do not exclude are turned into place.
TRIED = 20
# Means that carry this share of a direction's variance say where it goes.
CLEAR = 0.1
# Errors that the moments may have, in whitened coordinates; for each, the
# linear system has one solution, and so many others are as good.
ERRORS, DRAWS = (1e-7, 1e-4, 1e-3, 1e-2, 1e-1), 4
# Starts that are followed to the end, after so many steps of all.
FOLLOWED, FIRST_STEPS = 4, 20


def roots(covariances: Array) -> Array:
    """Symmetric square roots of a stack of covariances."""
    values, vectors = eigh(covariances)
    deviations = np.sqrt(np.clip(values, 0, None))
    return (vectors * deviations[..., None, :]) @ vectors.swapaxes(-1, -2)


def polar(matrix: Array) -> Array:
    """Nearest orthogonal matrix (or stack of them)."""
    U, _, Vt = stacked_svd(matrix)
    return U @ Vt


def turn(
    source: Shape,
    target: Shape,
    start: Array | None = None,
    steps: int = 500,
) -> tuple[Array, float]:
    """Orthogonal map of least cost, for components in the same order.

    Parameters
    ----------
    source, target : Shape
        With total covariance I; the target's weights are used.
    start : ndarray of shape (k, k), default=None
        Where to begin; the solutions of a linear system if None.
    steps : int, default=500
        So many at most from the best starts, beyond 20 from each.

    Returns
    -------
    Q : ndarray of shape (k, k)
    cost : float

    Notes
    -----
    Both parts of the cost are concave in Q, so that replacing it by its
    tangent and taking the polar factor never raises it. Such a step takes
    O(C k³), the linear system O(C r⁴ + r⁶) for the r directions that the
    means leave open.
    """
    weights = target.weights
    own, other = roots(target.covariances), roots(source.covariances)
    moment = target.means.T @ (weights[:, None] * source.means)
    size = weights @ (
        (target.means**2).sum(1)
        + (source.means**2).sum(1)
        + (own**2).sum((1, 2))
        + (other**2).sum((1, 2))
    )

    def inner(Q: Array) -> Array:
        return own @ Q[..., None, :, :] @ other

    def cost(Q: Array) -> Array:
        common = stacked_svd(inner(Q))[1].sum(-1) @ weights
        gain = np.sum(moment * Q, (-2, -1)) + common
        return np.asarray(size - 2 * gain)

    def descend(Q: Array, steps: int) -> Array:
        for _ in range(steps):
            parts = own @ polar(inner(Q)) @ other
            before = Q
            Q = polar(moment + np.einsum("c,...cij->...ij", weights, parts))
            if np.abs(Q - before).max() < 1e-13:
                break
        return Q

    if start is None:
        starts = descend(_starts(moment, source, target), FIRST_STEPS)
        nearest = np.argsort(cost(starts).round(9), kind="stable")[:FOLLOWED]
        starts = starts[np.sort(nearest)]
    else:
        starts = start[None]
    ends = np.array([descend(Q, steps) for Q in starts])
    costs = np.clip(cost(ends), 0, None)
    # Of equally good ones the first: rounding must not choose.
    best = np.flatnonzero(costs <= costs.min() + 1e-9)[0]
    return ends[best], float(costs[best])


def _starts(moment: Array, source: Shape, target: Shape) -> Array:
    r"""Polar factors of solutions of what is linear in Q.

    Of :math:`Q \hat m_c = m_c`, :math:`Q^\top m_c = \hat m_c` and
    :math:`Q \hat S_c = S_c Q`, which determine Q if anything does. Where the
    means say clearly where a direction goes, it goes there.

    With entries drawn from N(0, 1/k), as those of an orthogonal matrix are,
    and equations that hold up to errors of the size ε, the solution X is
    Gaussian too: its mean is a start, and so are draws from it, which differ
    where the equations leave Q open.
    """
    k = len(moment)
    U, s, Vt = svd(moment)
    known = int(np.count_nonzero(s > CLEAR))
    fixed: Array = U[:, :known] @ Vt[:known]
    L, R = U[:, known:], Vt[known:].T
    if known == k:
        return np.array([fixed])
    one = np.eye(k - known)
    matrix: Array = np.zeros((len(one) ** 2,) * 2)
    right: Array = np.zeros_like(one)
    for w, n, T, m, S in zip(
        target.weights,
        source.means,
        source.covariances,
        target.means,
        target.covariances,
    ):
        # Left and right factors of the normal equations, in X = L Y Rᵀ.
        after, before = T @ T + np.outer(n, n), S @ S + np.outer(m, m)
        matrix = matrix + w * (
            np.kron(one, R.T @ after @ R)
            - 2 * np.kron(L.T @ S @ L, R.T @ T @ R)
            + np.kron(L.T @ before @ L, one)
        )
        rest = 2 * np.outer(m, n) - fixed @ after - before @ fixed
        right = right + w * L.T @ (rest + 2 * S @ fixed @ T) @ R
    values, vectors = eigh(matrix)
    goal = vectors.T @ right.ravel()
    noise = np.random.default_rng(0).standard_normal((DRAWS, k, k))
    noise = (L.T @ noise @ R).reshape(DRAWS, -1) @ vectors
    noise = np.pad(noise, [(1, 0), (0, 0)])  # the mean before the draws
    errors = np.array(ERRORS)[:, None, None]
    precision = np.clip(values, 0, None) + k * errors**2
    found = goal / precision + errors / np.sqrt(precision) * noise
    Y = (found @ vectors.T).reshape(-1, *one.shape)
    return polar(fixed + L @ Y @ R.T)


def match(source: Shape, target: Shape) -> Integers:
    """Order and orthogonal map that carry one mixture onto another.

    Parameters
    ----------
    source, target : Shape
        Both with total mean 0 and total covariance I, and equally many
        components.

    Returns
    -------
    order : ndarray of shape (C,)
        Which component of the source is each of the target's.

    Notes
    -----
    Orders are first compared by what no rotation changes: weights, and the
    inner products of means and covariances. Of up to seven components all
    orders are, of more the best 5040 after each component. Then each has a
    bound on its cost, by the Procrustes rotation of its means and by the
    eigenvalues of its covariances. The best 20 that the bound does not
    exclude are turned into place, with `turn`, at its cost each.
    """
    orders = _plausible_orders(source, target)
    weights = target.weights
    means = source.means[orders]
    moments = np.einsum("c,ci,pcj->pij", weights, target.means, means)
    own, other = (
        np.sqrt(np.clip(eigh(shape.covariances)[0], 0, None))
        for shape in (target, source)
    )
    sizes = (means**2).sum(2) + (target.means**2).sum(1)
    sizes += ((own - other[orders]) ** 2).sum(2)
    bounds = sizes @ weights - 2 * stacked_svd(moments)[1].sum(1)
    found: Integers = orders[0]
    best, tried = np.inf, 0
    for order, bound in zip(orders, bounds):
        if tried == TRIED:
            break
        if bound < best - 1e-9:
            tried += 1
            cost = turn(source.reordered(order), target, steps=0)[1]
            if cost < best - 1e-9:
                best, found = cost, order
    return found


def _plausible_orders(source: Shape, target: Shape) -> Integers:
    """Orders by a search that adds one component at a time, best first."""
    n_components = len(target.weights)
    near, far = pair_invariants(target), pair_invariants(source)
    sequence = np.argsort(-near[0].diagonal(), kind="stable")
    orders, misfits = np.zeros((1, 0), int), np.zeros(1)
    for step, c in enumerate(sequence):
        new = np.arange(n_components)[None, :, None]
        old = np.broadcast_to(
            orders[:, None], (len(orders), n_components, step)
        )
        places = sequence[:step]
        misfit = 2 * (
            (near[:, c, places][:, None, None] - far[:, new, old]) ** 2
        ).sum((0, 3))
        misfit += ((near[:, c, c][:, None] - far.diagonal(0, 1, 2)) ** 2).sum(
            0
        )
        change = np.sqrt(source.weights) - np.sqrt(target.weights[c])
        total = misfits[:, None] + misfit + change**2
        total[(new == old).any(2)] = np.inf
        kept = np.argsort(total, axis=None, kind="stable")
        kept = kept[: min(BEAM, np.isfinite(total).sum())]
        rows, columns = np.unravel_index(kept, total.shape)
        orders = np.column_stack([orders[rows], columns])
        misfits = total[rows, columns]
    back = np.empty_like(orders)
    back[:, sequence] = orders
    return back
