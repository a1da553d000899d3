r"""Distances between two spaces that are joined at a few bridges.

Two spaces of latents have no distance in common. A few *bridge exemplars*,
known on both sides as pairs or by their labels, provide one. Optimal
transport under it couples all the rest, which has neither partners nor
labels.

The setting is that of Gholamzadeh and Sajid (2025), with their "inter-space
bridge cost". The definitions in this room, as in `flows`, are ours; see the
page *Sources*.
"""

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from perfalign._checks import (
    check_labels,
    check_number,
    check_view,
    column_names,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, View
from perfalign.transport._base import check_label_pair

# Numbers in a block of a cost matrix: 2 MB, what a processor keeps at hand.
BLOCK = 2**18

#: Latents, exemplars and these exemplars' labels, if there are any.
Side = tuple[View, View, Any]


@one_blas_thread
def bridge_profile(
    X: View, bridges: View, labels: Any = None, *, temperature: float = 0.1
) -> Array:
    r"""Similarity of each latent to each exemplar, or to each label.

    .. math:: p_b(x) & \propto \exp\left(
              -\frac{d(x, a_b)}{\tau\, \operatorname{median} d} \right), \\
              p_c(x) & \propto \frac1{B_c} \sum_{b : c_b = c}
              \exp\left( -\frac{d(x, a_b)}{\tau\, \operatorname{median} d}
              \right),

    with Euclidean d, and the median over all rows and exemplars.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Latents of one space.
    bridges : array-like of shape (B, d)
        Exemplars :math:`a_b` in the same space.
    labels : array-like of shape (B,), default=None
        Labels of the exemplars. Without, each exemplar stands for itself.
    temperature : float, default=0.1
        :math:`\tau`, in medians of the distance.

    Returns
    -------
    profile : ndarray of shape (n, B) or (n, C)
        Rows sum to 1. Columns are the exemplars, or the C sorted labels.

    Raises
    ------
    ValueError
        If shapes disagree or more than half of the distances are 0.

    Notes
    -----
    With labels it is a kernel estimate of the class probabilities that gives
    every class the same prior. Time O(n B d), memory O(n B). The default
    temperature was chosen on :func:`~perfalign.datasets.load_mfeat` and
    :func:`~perfalign.datasets.load_digit_halves`, where 0.05 to 0.2 do about
    equally well.

    References
    ----------
    Profiles of similarity to a few anchors: Moschella et al. 2023, Relative
    representations. As a cost of transport: Gu et al. 2022, Keypoint-guided
    optimal transport.

    Examples
    --------
    >>> from perfalign import bridge_profile
    >>> profile = bridge_profile([[0.0], [1.0], [3.0]], [[0.0], [4.0]])
    >>> print(profile.round(2))
    [[1. 0.]
     [1. 0.]
     [0. 1.]]
    """
    check_number(temperature, "temperature", above=0)
    distances, member = _to_bridges((X, bridges, labels), "")
    distances -= distances.min(axis=1, keepdims=True)
    similarity = np.exp(distances / -temperature) @ member
    similarity /= member.sum(axis=0)
    return np.asarray(similarity / similarity.sum(axis=1, keepdims=True))


@one_blas_thread
def gluing_cost(
    X: View,
    Y: View,
    bridges_X: View,
    bridges_Y: View,
    *,
    labels_X: Any = None,
    labels_Y: Any = None,
) -> Array:
    r"""Length of the shortest way from x to y over a bridge.

    .. math:: c(x, y) = \min_{b, b'} \left[
              \frac{d_1(x, a_b)}{\operatorname{median} d_1} +
              \frac{d_2(b_{b'}, y)}{\operatorname{median} d_2} \right],

    over exemplars b = b' that are pairs, or over b, b' of equal label: the
    two spaces are glued together at these points.

    Parameters
    ----------
    X : array-like of shape (n1, d1)
        Source latents.
    Y : array-like of shape (n2, d2)
        Target latents; the dimensions may differ.
    bridges_X : array-like of shape (B1, d1)
        Exemplars :math:`a_b` in the source space.
    bridges_Y : array-like of shape (B2, d2)
        Exemplars in the target space. Without labels row b shows the same
        item as row b of `bridges_X`.
    labels_X : array-like of shape (B1,), default=None
    labels_Y : array-like of shape (B2,), default=None
        Labels, where exemplars of both sides share no more than that.

    Returns
    -------
    cost : ndarray of shape (n1, n2)

    Raises
    ------
    ValueError
        If shapes disagree, labels are given for one side only or occur on
        one side only, or more than half of the distances are 0.

    Notes
    -----
    Distances are Euclidean. Time O(n₁ n₂ B), or O(n₁ n₂ C) with C labels;
    memory O((n₁ + n₂) B) beside the cost. A common constant δ added to every
    bridge makes the two spaces one metric space if it is large enough, and
    leaves balanced plans as they are; it is left out.

    Examples
    --------
    >>> from perfalign import gluing_cost
    >>> cost = gluing_cost([[0.0], [3.0]], [[0.0], [9.0]], [[1.0]], [[3.0]])
    >>> print(cost.round(2))  # medians are 1.5 and 4.5
    [[1.33 2.  ]
     [2.   2.67]]
    """
    sides = (X, bridges_X, labels_X), (Y, bridges_Y, labels_Y)
    D, E = (
        np.stack([d[:, rows > 0].min(axis=1) for rows in member.T], axis=1)
        for d, member in _both_sides(*sides)
    )
    cost = np.empty((len(D), len(E)))
    step = max(1, BLOCK // len(E))
    for start in range(0, len(D), step):
        block, near = cost[start : start + step], D[start : start + step]
        np.add.outer(near[:, 0], E[:, 0], out=block)
        for b in range(1, D.shape[1]):
            np.minimum(block, np.add.outer(near[:, b], E[:, b]), out=block)
    return cost


@one_blas_thread
def relational_cost(
    X: View,
    Y: View,
    bridges_X: View,
    bridges_Y: View,
    *,
    labels_X: Any = None,
    labels_Y: Any = None,
    temperature: float = 0.1,
) -> Array:
    r"""Distance of the profiles of x and y over the bridges.

    .. math:: c(x, y) = \Big( 1 - \sum_b \sqrt{p_b(x)\, q_b(y)}
              \Big)^{1/2},

    the Hellinger distance of the `bridge_profile` of x and that of y: those
    belong together that are similar to the same exemplars.

    Parameters
    ----------
    X, Y, bridges_X, bridges_Y, labels_X, labels_Y
        As in `gluing_cost`.
    temperature : float, default=0.1
        As in `bridge_profile`.

    Returns
    -------
    cost : ndarray of shape (n1, n2)
        Between 0 and 1.

    Raises
    ------
    ValueError
        As `gluing_cost`.

    Notes
    -----
    Keypoint-guided transport (Gu et al. 2022) has such a cost with the
    Jensen–Shannon divergence. Hellinger's distance, a metric as well, is one
    product of matrices. Time O(n₁ n₂ B), memory O((n₁ + n₂) B) beside the
    cost.

    Examples
    --------
    >>> from perfalign import relational_cost
    >>> spots = [[0.0], [4.0]]
    >>> cost = relational_cost([[0.0], [3.0]], [[0.0], [4.0]], spots, spots)
    >>> print(cost.round(2))
    [[0. 1.]
     [1. 0.]]
    """
    sides = (X, bridges_X, labels_X), (Y, bridges_Y, labels_Y)
    _both_sides(*sides)
    P, Q = (
        np.sqrt(bridge_profile(*side, temperature=temperature))
        for side in sides
    )
    cost: Array = P @ Q.T
    np.subtract(1, cost, out=cost)
    return np.sqrt(cost.clip(0, out=cost), out=cost)


def _both_sides(source: Side, target: Side) -> list[tuple[Array, Array]]:
    """Distances to exemplars and their membership, of X and of Y."""
    labels = source[2], target[2]
    if (labels[0] is None) != (labels[1] is None):
        raise ValueError("Labels are wanted for both sides, or for none.")
    sides = [_to_bridges(source, "_X"), _to_bridges(target, "_Y")]
    here, there = (len(member) for _, member in sides)
    if labels[0] is None and here != there:
        raise ValueError(
            f"bridges_X has {here} rows and bridges_Y {there}; pairs are "
            "wanted, or labels."
        )
    if labels[0] is not None:
        lonely = np.setxor1d(*check_label_pair(*labels, (here, there)))
        if len(lonely):
            raise ValueError(
                "Each label must have exemplars on both sides; on one only: "
                f"{', '.join(map(str, lonely))}."
            )
    return sides


def _to_bridges(given: Side, side: str) -> tuple[Array, Array]:
    """Distances in units of their median, and exemplars × columns."""
    X, bridges, labels = given
    columns = column_names(X, side.strip("_") or "X")
    X, _ = check_view(X, side.strip("_") or "X")
    name = f"bridges{side}"
    bridges, _ = check_view(bridges, name, columns=columns)
    if bridges.shape[1] != X.shape[1]:
        raise ValueError(
            f"{name} have {bridges.shape[1]} features, and the latents "
            f"{X.shape[1]}; they must lie in one space."
        )
    if labels is None:
        labels = np.arange(len(bridges))
    else:
        labels = check_labels(
            labels, len(bridges), f"labels{side}", like=given[1]
        )
    # A power of two, so that no square is too large or too small.
    largest = max(np.abs(X).max(), np.abs(bridges).max())
    unit = np.exp2(np.floor(np.log2(largest))) if largest > 0 else 1.0
    distances = cdist(X / unit, bridges / unit)
    middle = np.median(distances)
    if middle == 0:
        raise ValueError(
            f"{name}: more than half of the distances to them are 0."
        )
    member = (labels[:, None] == np.unique(labels)).astype(float)
    return distances / middle, member
