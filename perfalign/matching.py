r"""Turn one mixture of Gaussians into another, component onto component.

Both are in coordinates in which their total covariance is the identity, so
that only an orthogonal map Q and the order of the components are open. The
cost is the mean squared Wasserstein distance of the components,

.. math:: \sum_c \pi_c \left[ \|Q \hat m_c - m_c\|^2
          + B^2(Q \hat S_c Q^\top, S_c) \right] ,

with Bures' :math:`B^2(S, T) = \operatorname{tr}(S + T)
- 2 \|S^{1/2} T^{1/2}\|_*`.
"""

from itertools import product

import numpy as np

# Seven components have 5040 orders; of more, so many survive each step.
BEAM = 5040
# Orders whose bound does not exclude them that are tried in full.
TRIED = 60
# Below this, means do not say where a direction goes.
WEAK = 0.02
DRAWS = 8


def roots(covariances):
    """Symmetric square roots of a stack of covariances."""
    values, vectors = np.linalg.eigh(covariances)
    deviations = np.sqrt(np.clip(values, 0, None))
    return (vectors * deviations[..., None, :]) @ vectors.swapaxes(-1, -2)


def polar(matrix):
    """Nearest orthogonal matrix (or stack of them)."""
    U, _, Vt = np.linalg.svd(matrix)
    return U @ Vt


def turn(source, target, start=None):
    """Orthogonal map of least cost, for components in the same order.

    Parameters
    ----------
    source, target : Shape
        With total covariance I; the target's weights are used.
    start : ndarray of shape (k, k), default=None
        Where to begin; many places if None.

    Returns
    -------
    Q : ndarray of shape (k, k)
    cost : float

    Notes
    -----
    Where the means span the space, the start is their Procrustes rotation;
    directions on which they hardly agree are tried in many positions. Both
    parts of the cost are concave in Q, so that replacing it by its tangent
    and taking the polar factor never raises it.
    """
    weights = target.weights
    own, other = roots(target.covariances), roots(source.covariances)
    moment = target.means.T @ (weights[:, None] * source.means)
    sizes = (target.means**2).sum(1) + (source.means**2).sum(1)
    sizes = sizes + (own**2).sum((1, 2)) + (other**2).sum((1, 2))

    def inner(Q):
        return own @ Q[..., None, :, :] @ other

    def cost(Q):
        common = np.linalg.svd(inner(Q), compute_uv=False).sum(-1) @ weights
        return weights @ sizes - 2 * (np.sum(moment * Q, (-2, -1)) + common)

    def slope(Q):
        parts = own @ polar(inner(Q)) @ other
        return moment + np.tensordot(weights, parts, 1)

    if start is None:
        starts = _starts(moment, source, target)
    else:
        starts = start[None]
    starts = starts[np.argsort(cost(starts), kind="stable")[:8]]
    ends = []
    for Q in starts:
        for _ in range(500):
            before, Q = Q, polar(slope(Q))
            if np.abs(Q - before).max() < 1e-13:
                break
        ends.append(Q)
    costs = cost(np.array(ends))
    # Of equally good ones the first: rounding must not choose.
    best = np.flatnonzero(costs <= costs.min() + 1e-9)[0]
    return ends[best], float(costs[best])


def _starts(moment, source, target):
    """Rotations that agree with the means where these say something."""
    U, s, Vt = np.linalg.svd(moment)
    known = np.count_nonzero(s > WEAK)
    n_open = len(s) - known
    fixed, left, right = U[:, :known] @ Vt[:known], U[:, known:], Vt[known:]
    if n_open == 0:
        return fixed[None]
    rng = np.random.default_rng(0)
    signs = np.array(list(product((1.0, -1.0), repeat=min(n_open, 6))))
    more = rng.choice((1.0, -1.0), (len(signs), n_open - signs.shape[1]))
    signs = np.hstack([signs, more])
    turns = []
    for _ in range(1 if n_open == 1 else DRAWS):
        mix = rng.standard_normal(len(target.weights)) * target.weights
        E, F = (
            np.linalg.eigh(B.T @ np.tensordot(mix, shape.covariances, 1) @ B)[
                1
            ]
            for B, shape in ((left, target), (right.T, source))
        )
        turns.extend((E * d) @ F.T for d in signs)
    return fixed + left @ np.array(turns) @ right


def match(source, target):
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
    Orders are first compared by what no rotation changes: weights and
    Mahalanobis distances of the means. Then each has a bound on its cost, by
    the Procrustes rotation of its means and by the eigenvalues of its
    covariances, and is tried in full unless the bound excludes it.
    """
    orders = _plausible_orders(source, target)
    weights = target.weights
    means = source.means[orders]
    moments = np.einsum("c,ci,pcj->pij", weights, target.means, means)
    bounds = (means**2).sum(2) @ weights
    bounds = bounds + weights @ (target.means**2).sum(1)
    bounds -= 2 * np.linalg.svd(moments, compute_uv=False).sum(1)
    own, other = (
        np.sqrt(np.clip(np.linalg.eigvalsh(shape.covariances), 0, None))
        for shape in (target, source)
    )
    bounds += ((own - other[orders]) ** 2).sum(2) @ weights
    best, found = np.inf, None
    for p in np.argsort(bounds, kind="stable")[:TRIED]:
        if bounds[p] >= best - 1e-9:
            break
        cost = turn(source.reordered(orders[p]), target)[1]
        if cost < best - 1e-9:
            best, found = cost, orders[p]
    return found


def _plausible_orders(source, target):
    """Orders kept by a search that adds one component at a time."""
    n_components = len(target.weights)
    near, far = (_distances(shape.means) for shape in (target, source))
    sequence = np.argsort(-near.sum(1), kind="stable")
    orders, misfits = np.zeros((1, 0), int), np.zeros(1)
    for step, c in enumerate(sequence):
        new = np.tile(np.arange(n_components), (len(orders), 1))
        misfit = (
            near[c, sequence[:step]][None, None, :]
            - far[new[:, :, None], orders[:, None, :]]
        )
        change = np.sqrt(source.weights[new]) - np.sqrt(target.weights[c])
        total = misfits[:, None] + (misfit**2).sum(2) + change**2
        total[(new[:, :, None] == orders[:, None, :]).any(2)] = np.inf
        kept = np.argsort(total, axis=None, kind="stable")
        kept = kept[: min(BEAM, np.isfinite(total).sum())]
        rows, columns = np.unravel_index(kept, total.shape)
        orders = np.column_stack([orders[rows], columns])
        misfits = total[rows, columns]
    back = np.empty_like(orders)
    back[:, sequence] = orders
    return back


def _distances(means):
    return np.linalg.norm(means[:, None] - means, axis=2)
