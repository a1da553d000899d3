"""What chapters 12 to 14 state, and what the statements say no more.

A statement that once lacked a hypothesis has the case in which it fails
without, beside the equation of the one that holds.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import linprog
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist

from perfalign import bridge_plan, gluing_cost

# ------------------------------------------------------- the toll of a bridge


def glued(spaces, exemplars, crossings, toll):
    """Shortest ways among the exemplars, by both spaces; and the straight."""
    inside = [
        cdist(b, b) / np.median(cdist(Z, b)) for Z, b in zip(spaces, exemplars)
    ]
    n = len(inside[0])
    graph = np.full((n + len(inside[1]),) * 2, np.inf)
    graph[:n, :n], graph[n:, n:] = inside
    graph[:n, n:][crossings] = graph[n:, :n][crossings.T] = toll
    ways = shortest_path(graph, method="FW")
    return inside, (ways[:n, :n], ways[n:, n:]), ways[:n, n:]


def toll_of(inside, crossings):
    """Half the largest disagreement of two crossings: the theorem's bound."""
    b, f = np.nonzero(crossings)
    return np.abs(inside[0][np.ix_(b, b)] - inside[1][np.ix_(f, f)]).max() / 2


@pytest.mark.parametrize("kind", ["pairs", "labels"])
@pytest.mark.parametrize("seed", range(5))
def test_toll_of_the_theorem_is_enough_and_needed(kind, seed):
    rng = np.random.default_rng(seed)
    spaces = [rng.normal(size=(20, d)) for d in (3, 5)]
    exemplars = [rng.normal(size=(7, d)) for d in (3, 5)]
    labels = np.arange(7) if kind == "pairs" else rng.integers(3, size=7)
    crossings = labels[:, None] == labels
    toll = toll_of(glued(spaces, exemplars, crossings, 1)[0], crossings)
    inside, ways, over = glued(spaces, exemplars, crossings, toll)
    for straight, way in zip(inside, ways):
        assert_allclose(way, straight, atol=1e-12)
    # With the toll, the shortest way between the spaces is the gluing cost.
    cost = gluing_cost(*spaces, *exemplars, labels_X=labels, labels_Y=labels)
    D, E = (
        cdist(Z, b) / np.median(cdist(Z, b)) for Z, b in zip(spaces, exemplars)
    )
    ends = (D[:, None, :, None] + E[None, :, None, :] + over).min((2, 3))
    assert_allclose(ends, cost + toll, rtol=1e-12)
    _, shorter, _ = glued(spaces, exemplars, crossings, 0.99 * toll)
    gaps = [straight - way for straight, way in zip(inside, shorter)]
    assert max(gap.max() for gap in gaps) == pytest.approx(0.02 * toll)


def test_with_labels_the_toll_covers_half_of_each_class():
    """Spaces that agree on all exemplars need no toll as pairs."""
    rng = np.random.default_rng(0)
    Z, b = rng.normal(size=(20, 3)), rng.normal(size=(6, 3))
    labels = np.array([0, 0, 0, 1, 1, 1])
    crossings = labels[:, None] == labels
    inside, ways, _ = glued([Z, Z], [b, b], np.eye(6, dtype=bool), 1e-6)
    assert_allclose(ways[0], inside[0], atol=1e-8)
    assert toll_of(inside, np.eye(6, dtype=bool)) == 0
    widest = np.where(crossings, inside[0], 0).max()
    assert toll_of(inside, crossings) >= widest / 2 > 0.3
    _, ways, _ = glued([Z, Z], [b, b], crossings, 1e-6)
    assert np.max(inside[0] - ways[0]) == pytest.approx(widest, abs=1e-5)


def unbalanced(cost, penalty):
    """Value of the linear programme, and its largest excess at no loss."""
    n1, n2 = cost.shape
    sums = np.vstack(
        [
            np.kron(np.eye(n1), np.ones((1, n2))),
            np.kron(np.ones((1, n1)), np.eye(n2)),
        ]
    )
    slack = np.eye(n1 + n2)
    price = np.concatenate(
        [cost.ravel(), np.full(2 * (n1 + n2), float(penalty))]
    )
    programme = {
        "A_eq": np.hstack([sums, slack, -slack]),
        "b_eq": np.repeat([1 / n1, 1 / n2], [n1, n2]),
    }
    value = linprog(price, **programme).fun
    excess = np.zeros_like(price)
    excess[-(n1 + n2) :] = -1
    found = linprog(excess, A_ub=price[None], b_ub=[value + 1e-9], **programme)
    return value, -found.fun


FREE = np.array([[0.0, 0.0], [9.0, 9.0]])


def test_a_free_way_ties_and_a_toll_decides():
    """Without c > 0 the toll changes the solutions."""
    value, excess = unbalanced(FREE, 1.0)
    assert value == pytest.approx(1) and excess == pytest.approx(0.5)
    _, excess = unbalanced(FREE + 0.5, 1.25)
    assert excess == pytest.approx(0, abs=1e-7)
    # The value is that for the smaller penalty, plus the toll.
    assert unbalanced(FREE + 0.5, 1.25)[0] == pytest.approx(value + 0.5)
    _, excess = unbalanced(FREE + 0.01, 1.0)
    assert excess == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("toll", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_toll_is_a_smaller_penalty_whatever_is_free(toll, seed):
    rng = np.random.default_rng(seed)
    cost = rng.uniform(size=(6, 5)) * (rng.uniform(size=(6, 5)) > 0.3)
    with_toll, excess = unbalanced(cost + toll, 0.3)
    assert excess == pytest.approx(0, abs=1e-7)
    if toll < 0.6:
        without, _ = unbalanced(cost, 0.3 - toll / 2)
        assert with_toll == pytest.approx(without + toll, abs=1e-9)
        plan = bridge_plan(cost, marginal_penalty=0.3 - toll / 2)
        assert max(plan.moved_X.max(), plan.moved_Y.max()) <= 1 + 1e-12
        missed = sum(plan.marginal_violation())
        paid = np.sum(plan.plan * (cost + toll)) + 0.3 * missed
        assert paid == pytest.approx(with_toll, abs=1e-9)
    else:  # nothing is moved, and every row and column stays at home
        assert with_toll == pytest.approx(0.6, abs=1e-12)
