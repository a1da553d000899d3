r"""Costs and plans between two spaces that are joined at a few bridges.

Two spaces of latents have no distance in common. A few *bridge exemplars*,
known on both sides as pairs or by their labels, provide one. The costs here
are ours: of the source (Gholamzadeh and Sajid 2025) only the abstract is
public, which names an "inter-space bridge cost" and does not define it.
"""

import numpy as np
import ot
from scipy.spatial.distance import cdist

from perfalign._validation import check_view
from perfalign.couplings import TransportPlan

BLOCK = 2**22  # numbers in a temporary array: 32 MB


def gluing_cost(X, Y, bridges_X, bridges_Y, *, labels_X=None, labels_Y=None):
    r"""Length of the shortest way from x to y over a bridge.

    .. math:: c(x, y) = \min_b \, [\, d_1(x, a_b) + d_2(b_b, y) \,]
    """
    D, E = _joined(X, Y, bridges_X, bridges_Y, labels_X, labels_Y, _nearest)
    cost = np.empty((len(D), len(E)))
    step = max(1, BLOCK // len(E))
    for start in range(0, len(D), step):
        rows = slice(start, start + step)
        block = cost[rows]
        block[:] = D[rows, :1] + E[:, 0]
        for b in range(1, D.shape[1]):
            np.minimum(block, D[rows, b, None] + E[:, b], out=block)
    return cost


def relational_cost(
    X,
    Y,
    bridges_X,
    bridges_Y,
    *,
    labels_X=None,
    labels_Y=None,
    temperature=0.1,
):
    r"""Hellinger distance of the similarity profiles of x and y."""

    def profile(distances, classes):
        similarity = np.exp(
            (distances.min(axis=1, keepdims=True) - distances) / temperature
        )
        similarity = similarity @ classes / classes.sum(axis=0)
        return similarity / similarity.sum(axis=1, keepdims=True)

    P, Q = _joined(X, Y, bridges_X, bridges_Y, labels_X, labels_Y, profile)
    overlap = np.sqrt(P) @ np.sqrt(Q).T
    return np.sqrt(np.clip(1 - overlap, 0, None))


def bridge_plan(cost, *, marginal_penalty=np.inf, regularisation=0.02):
    """Optimal transport of all rows of X to all rows of Y under a cost.

    ``marginal_penalty=inf`` is balanced, a number unbalanced (KL);
    ``regularisation=0`` is exact, above it entropic.
    """
    cost = np.asarray(cost, dtype=np.float64)
    a, b = (np.full(n, 1 / n) for n in cost.shape)
    if np.isinf(marginal_penalty):
        if regularisation == 0:
            return TransportPlan(ot.emd(a, b, cost))
        return TransportPlan(ot.sinkhorn(a, b, cost, regularisation))
    if regularisation == 0:
        return TransportPlan(
            ot.unbalanced.mm_unbalanced(a, b, cost, marginal_penalty)
        )
    return TransportPlan(
        ot.unbalanced.sinkhorn_unbalanced(
            a, b, cost, regularisation, marginal_penalty
        )
    )


def _joined(X, Y, bridges_X, bridges_Y, labels_X, labels_Y, summarise):
    """Both sides' relation to each bridge, or to each label."""
    sides = [(X, bridges_X, "X"), (Y, bridges_Y, "Y")]
    if labels_X is None:
        labels_X, labels_Y = (
            np.arange(len(bridges_X)),
            np.arange(len(bridges_Y)),
        )
    classes = np.unique(labels_X)
    summaries = []
    for (Z, bridges, name), labels in zip(sides, (labels_X, labels_Y)):
        Z, _ = check_view(Z, name)
        bridges, _ = check_view(
            bridges, f"bridges_{name}", n_features=Z.shape[1]
        )
        distances = cdist(Z, bridges)
        distances /= np.median(distances)
        member = (np.asarray(labels)[:, None] == classes).astype(float)
        summaries.append(summarise(distances, member))
    return summaries


def _nearest(distances, member):
    return np.stack(
        [distances[:, rows > 0].min(axis=1) for rows in member.T], axis=1
    )
