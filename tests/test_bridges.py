"""Bridge costs, transport under them, and the couplings that come of it."""

import pickle
import tracemalloc
import warnings

import numpy as np
import ot
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist
from scipy.special import kl_div, softmax
from scipy.stats import chisquare
from sklearn.exceptions import ConvergenceWarning

from perfalign import (
    ClassCoupling,
    TransportPlan,
    bridge_profile,
    gluing_cost,
    relational_cost,
    transport_plan,
    typical_reg_m,
)
from perfalign.transport import (
    Coupling,
    _costs,
    _entropic,
    _exact,
    as_coupling,
)
from perfalign.transport._couplings import at_fractions


def two_spaces(n1=30, n2=25, n_bridges=6, seed=0):
    rng = np.random.default_rng(seed)
    X, A = (rng.normal(size=(n, 3)) for n in (n1, n_bridges))
    Y, B = (rng.normal(size=(n, 5)) for n in (n2, n_bridges))
    return X, Y, A, B


LABELS = np.array(["q", "p", "q", "r", "p", "p"])


# --------------------------------------------------------------------- costs


def scaled(X, A):
    distances = cdist(X, A)
    return distances / np.median(distances)


@pytest.mark.parametrize("block", [1, 60, 2**18])
@pytest.mark.parametrize("labelled", [False, True])
def test_gluing_is_the_shortest_way_over_any_bridge(
    block, labelled, monkeypatch
):
    monkeypatch.setattr(_costs, "BLOCK", block)
    X, Y, A, B = two_spaces()
    labels, there = (LABELS, LABELS[::-1]) if labelled else (range(6),) * 2
    D, E = scaled(X, A), scaled(Y, B)
    allowed = [
        (b, c) for b in range(6) for c in range(6) if labels[b] == there[c]
    ]
    expected = np.min([D[:, b][:, None] + E[:, c] for b, c in allowed], axis=0)
    given = {"labels_X": labels, "labels_Y": there} if labelled else {}
    assert_allclose(gluing_cost(X, Y, A, B, **given), expected, rtol=1e-14)


def glued_together(X, Y, A, B, offset):
    """Lengths of shortest ways in the graph of all points of both spaces."""
    spaces = [np.vstack([X, A]), np.vstack([Y, B])]
    units = [np.median(cdist(Z, b)) for Z, b in ((X, A), (Y, B))]
    within = [cdist(Z, Z) / unit for Z, unit in zip(spaces, units)]
    n, m = map(len, spaces)
    graph = np.full((n + m, n + m), np.inf)
    graph[:n, :n], graph[n:, n:] = within
    here = len(X) + np.arange(len(A))
    there = n + len(Y) + np.arange(len(A))
    graph[here, there] = graph[there, here] = offset
    return within, shortest_path(graph, method="FW"), n


def needed_offset(X, Y, A, B):
    inside = [
        cdist(b, b) / np.median(cdist(Z, b)) for Z, b in ((X, A), (Y, B))
    ]
    return np.abs(inside[0] - inside[1]).max() / 2


def test_with_its_offset_gluing_extends_both_metrics():
    X, Y, A, B = two_spaces(12, 10, 4)
    offset = needed_offset(X, Y, A, B)
    within, ways, n = glued_together(X, Y, A, B, offset * (1 + 1e-9))
    assert_allclose(ways[:n, :n], within[0], atol=1e-12)
    assert_allclose(ways[n:, n:], within[1], atol=1e-12)
    assert_allclose(
        ways[: len(X), n : n + len(Y)],
        gluing_cost(X, Y, A, B) + offset,
        rtol=1e-8,
    )
    # With less, somewhere the detour through the other space is shorter.
    within, ways, n = glued_together(X, Y, A, B, 0.9 * offset)
    shortened = [within[0] - ways[:n, :n], within[1] - ways[n:, n:]]
    assert max(gap.max() for gap in shortened) > 0.01


def test_inside_a_cell_gluing_is_indifferent():
    """Where one bridge serves all four ways, partners may be exchanged."""
    X, Y, A, B = two_spaces(200, 200)
    D, E = scaled(X, A), scaled(Y, B)
    served = np.argmin(D[:, None] + E, axis=2)
    cost, tried = gluing_cost(X, Y, A, B), 0
    rng = np.random.default_rng(0)
    for i, k, j, m in rng.integers(200, size=(400, 4)):
        if np.ptp(served[np.ix_([i, k], [j, m])]) == 0:
            tried += 1
            assert cost[i, j] + cost[k, m] == pytest.approx(
                cost[i, m] + cost[k, j], abs=1e-12
            )
    assert tried > 10


def test_profile_is_a_softmax_and_its_mean_over_labels():
    X, _, A, _ = two_spaces()
    logits = -scaled(X, A) / 0.3
    single = softmax(logits, axis=1)
    assert_allclose(bridge_profile(X, A, temperature=0.3), single)
    by_label = np.stack(
        [np.exp(logits[:, c == LABELS]).mean(axis=1) for c in "pqr"], axis=1
    )
    by_label /= by_label.sum(axis=1, keepdims=True)
    assert_allclose(bridge_profile(X, A, LABELS, temperature=0.3), by_label)


@pytest.mark.parametrize("labelled", [False, True])
def test_relational_cost_is_hellingers_distance(labelled):
    X, Y, A, B = two_spaces()
    labels = LABELS if labelled else None
    P, Q = bridge_profile(X, A, labels), bridge_profile(Y, B, labels)
    expected = [
        [np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2) for q in Q]
        for p in P
    ]
    cost = relational_cost(X, Y, A, B, labels_X=labels, labels_Y=labels)
    assert_allclose(cost, expected, atol=1e-7)


@pytest.mark.parametrize("cost", [gluing_cost, relational_cost])
class TestCosts:
    def test_a_label_of_its_own_makes_an_exemplar_a_pair(self, cost):
        X, Y, A, B = two_spaces()
        order = np.random.default_rng(1).permutation(6)
        labels = {"labels_X": np.arange(6), "labels_Y": order}
        assert_allclose(
            cost(X, Y, A, B[order], **labels),
            cost(X, Y, A, B),
            atol=1e-12,
        )

    def test_no_space_has_units_or_axes(self, cost):
        X, Y, A, B = two_spaces()
        rng = np.random.default_rng(2)
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        moved = [7 + 1e4 * Z @ turn for Z in (X, A)]
        assert_allclose(
            cost(moved[0], Y, moved[1], B), cost(X, Y, A, B), atol=1e-7
        )

    def test_bad_arguments_are_named(self, cost):
        X, Y, A, B = two_spaces()
        for change, message in [
            ({"bridges_Y": B[:4]}, "bridges_X has 6 rows and bridges_Y 4"),
            ({"bridges_X": A[:, :2]}, "bridges_X have 2 features.* 3"),
            ({"Y": Y * np.nan}, "Y: .*NaN"),
            ({"labels_X": LABELS}, "both sides"),
            (
                {"labels_X": LABELS, "labels_Y": ["q"] * 6},
                "on one only: p, r",
            ),
            (
                {"labels_X": LABELS[:5], "labels_Y": LABELS},
                "labels_X has 5 labels; wanted 6",
            ),
            ({"X": X[:1], "bridges_X": X[[0] * 6]}, "more than half"),
        ]:
            given = {"X": X, "Y": Y, "bridges_X": A, "bridges_Y": B, **change}
            with pytest.raises(ValueError, match=message):
                cost(**given)


@pytest.mark.parametrize("unit", [1e-170, 1e-9, 1e9, 1e170])
@pytest.mark.parametrize("cost", [gluing_cost, relational_cost])
def test_squares_of_distances_neither_overflow_nor_vanish(cost, unit):
    X, Y, A, B = two_spaces()
    found = cost(unit * X, Y, unit * A, B)
    assert_allclose(found, cost(X, Y, A, B), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("cost", [gluing_cost, relational_cost])
def test_columns_and_labels_of_bridges_are_read(cost):
    X, Y, A, B = two_spaces()
    frames = [pd.DataFrame(Z, columns=list("abc")) for Z in (X, A)]
    assert_allclose(cost(frames[0], Y, frames[1], B), cost(X, Y, A, B))
    with pytest.raises(ValueError, match="bridges_X has the columns"):
        cost(frames[0], Y, frames[1][["b", "a", "c"]], B)
    named = {"labels_X": LABELS, "labels_Y": pd.Categorical(LABELS)}
    expected = {"labels_X": LABELS, "labels_Y": LABELS}
    assert_allclose(cost(X, Y, A, B, **named), cost(X, Y, A, B, **expected))
    for bad, message in [
        ([*LABELS[:5], None], "labels_Y has no label"),
        (np.arange(6), "wanted strings on both sides"),
        (LABELS[:, None] == LABELS, "labels_Y: "),
    ]:
        with pytest.raises(ValueError, match=message):
            cost(X, Y, A, B, labels_X=LABELS, labels_Y=bad)


def test_temperature_must_be_positive():
    X, _, A, _ = two_spaces()
    with pytest.raises(
        ValueError, match="temperature is 0; wanted .* above 0"
    ):
        bridge_profile(X, A, temperature=0)


# --------------------------------------------------------------------- plans


def cost_of(n1=15, n2=12, seed=0):
    return np.random.default_rng(seed).uniform(0.1, 1, size=(n1, n2))


def test_exact_balanced_plan_is_the_best_assignment():
    cost = cost_of(20, 20)
    coupling = transport_plan(cost)
    rows, columns = linear_sum_assignment(cost)
    expected = np.zeros((20, 20))
    expected[rows, columns] = 1 / 20
    assert_allclose(coupling.plan, expected, atol=1e-12)
    assert_allclose(coupling.marginal_violation(), 0, atol=1e-12)


def test_a_constant_offset_leaves_balanced_plans_as_they_are():
    cost = cost_of()
    for eps in (0.0, 0.1):
        plans = [transport_plan(c, reg=eps).plan for c in (cost, cost + 3)]
        assert_allclose(plans[0], plans[1], atol=1e-8)


def test_to_an_unbalanced_plan_an_offset_is_a_smaller_penalty():
    cost = cost_of()
    plans = [
        transport_plan(cost + 0.2, reg_m=0.2).plan,
        transport_plan(cost, reg_m=0.1).plan,
    ]
    assert_allclose(plans[0], plans[1], atol=1e-12)
    assert 0.1 < plans[0].sum() < 0.9


@pytest.mark.parametrize("penalty", [0.1, 0.2, 0.4, 2.0])
def test_total_variation_against_a_linear_programme(penalty):
    """Masses and their shortfalls and excesses as variables of their own."""
    cost = cost_of()
    n1, n2 = cost.shape
    rows = np.kron(np.eye(n1), np.ones((1, n2)))
    columns = np.kron(np.ones((1, n1)), np.eye(n2))
    sums = np.vstack([rows, columns])
    slack = np.eye(n1 + n2)
    found = linprog(
        np.concatenate([cost.ravel(), np.full(2 * (n1 + n2), penalty)]),
        A_eq=np.hstack([sums, slack, -slack]),
        b_eq=np.repeat([1 / n1, 1 / n2], [n1, n2]),
    )
    coupling = transport_plan(cost, reg_m=penalty)
    missing = np.sum(coupling.marginal_violation())
    value = np.sum(coupling.plan * cost) + penalty * missing
    assert value == pytest.approx(found.fun, abs=1e-10)
    # Nobody goes further than twice the penalty.
    assert np.all(cost[coupling.plan > 0] <= 2 * penalty + 1e-12)


def test_total_variation_is_partial_transport():
    cost = cost_of(10, 10)
    coupling = transport_plan(cost, reg_m=0.12)
    uniform = np.full(10, 0.1)
    expected = ot.partial.partial_wasserstein(
        uniform, uniform, cost, m=coupling.plan.sum()
    )
    assert_allclose(coupling.plan, expected, atol=1e-12)


def test_entropic_plans_satisfy_their_optimality_conditions():
    cost, eps, penalty = cost_of(), 0.1, 0.5
    n1, n2 = cost.shape
    plan = transport_plan(cost, reg=eps).plan
    potentials = eps * np.log(plan) + cost
    # A row number plus a column number, nothing else.
    rest = potentials - potentials[:1] - potentials[:, :1] + potentials[0, 0]
    assert_allclose(rest, 0, atol=1e-9)
    coupling = transport_plan(
        cost,
        reg_m=penalty,
        div="kl",
        reg=eps,
    )
    slope = (
        cost
        + eps * np.log(n1 * n2 * coupling.plan)
        + penalty * np.log(coupling.moved_X)[:, None]
        + penalty * np.log(coupling.moved_Y)
    )
    assert_allclose(slope, 0, atol=1e-4)


def test_exact_plan_under_kullback_leibler_is_optimal():
    cost, penalty = cost_of(), 0.5
    coupling = transport_plan(cost, reg_m=penalty, div="kl")
    slope = (
        cost
        + penalty * np.log(coupling.moved_X)[:, None]
        + penalty * np.log(coupling.moved_Y)
    )
    assert slope.min() > -1e-3
    # Complementary slackness: mass only where the slope is 0.
    assert abs(np.sum(coupling.plan * slope)) < 1e-3


@pytest.mark.parametrize("penalty", [np.inf, 0.3])
def test_less_entropy_tends_to_the_exact_plan(penalty):
    cost = cost_of()
    exact = np.sum(transport_plan(cost, reg_m=penalty).plan)
    gaps = [
        abs(transport_plan(cost, reg_m=penalty, reg=eps).plan.sum() - exact)
        for eps in (0.1, 0.004)
    ]
    assert gaps[1] < 0.01
    plan = transport_plan(cost, reg=0.003).plan
    assert_allclose(plan, transport_plan(cost).plan, atol=0.01)


def test_typical_reg_m_is_half_the_median_price():
    cost = cost_of(21, 21)
    rows, columns = linear_sum_assignment(cost)
    expected = np.median(cost[rows, columns]) / 2
    assert typical_reg_m(cost) == pytest.approx(expected, abs=1e-12)


# Every plan against others that are feasible, and a bound of all of them.

PENALTIES = (1e-3, 0.1, 0.3, 10.0, 1e3, 1e6, np.inf)


def objective(plan, cost, penalty, divergence, eps):
    """What the documentation says is minimised, written out once more."""
    a, b = (np.full(n, 1 / n) for n in plan.shape)
    value = np.sum(plan[plan > 0] * cost[plan > 0])
    if np.isfinite(penalty):
        for mass, share in ((plan.sum(axis=1), a), (plan.sum(axis=0), b)):
            off = (
                np.abs(mass - share)
                if divergence == "tv"
                else kl_div(mass, share)
            )
            value += penalty * np.sum(off)
    return value + eps * np.sum(kl_div(plan, np.outer(a, b)))


def with_forbidden(cost, price):
    """A third of the pairs at that price; three blocks remain allowed."""
    n1, n2 = cost.shape
    same = np.arange(n1)[:, None] % 3 == np.arange(n2) % 3
    rare = np.random.default_rng(9).uniform(size=cost.shape) < 0.5
    return np.where(rare & ~same, price, cost)


COSTS = {
    "plain": cost_of(),
    "zeros": np.where(cost_of(seed=1) < 0.2, 0, cost_of(seed=1)),
    **{
        f"forbidden at {price:g}": with_forbidden(cost_of(), price)
        for price in (1e3, 1e9, 1e15, np.inf)
    },
}


def quiet_plan(cost, **arguments):
    """A plan, and whether it was warned of; zeros if nothing is moved."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            plan = transport_plan(cost, **arguments).plan
        except ValueError as error:
            assert "Nothing is moved" in str(error)
            plan = np.zeros(cost.shape)
    return plan, bool(caught)


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("divergence", ["tv", "kl"])
@pytest.mark.parametrize("eps", [0.0, 0.001, 0.05, 1.0])
def test_no_feasible_plan_is_better(name, divergence, eps):
    cost = COSTS[name]
    allowed = np.isfinite(cost)
    others = [transport_plan(cost).plan]
    if allowed.all():
        others.append(np.full(cost.shape, 1 / cost.size))
    for penalty in PENALTIES:
        form = penalty, divergence, eps
        plan, warned = quiet_plan(
            cost,
            reg_m=penalty,
            div=divergence,
            reg=eps,
        )
        assert not warned
        found = objective(plan, cost, *form)
        feasible = list(others)
        if np.isfinite(penalty):
            feasible += [t * others[0] for t in (0, 0.3, 0.9, 1.01)]
            feasible.append(quiet_plan(cost, reg_m=penalty)[0])
        else:
            assert_allclose(plan.sum(axis=1), 1 / 15, atol=1e-9)
            assert_allclose(plan.sum(axis=0), 1 / 12, atol=1e-9)
        # A mix with anything feasible is feasible: the plan is the best of
        # the segment, too.
        feasible += [(plan + other) / 2 for other in feasible]
        best = min(objective(other, cost, *form) for other in feasible)
        slack = 1e-6 * best
        if np.isfinite(penalty):
            slack += 1e-14 * penalty  # rounding of masses at this price
        assert found <= best + slack
        assert plan[~allowed].sum() == 0


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("penalty", [1e-2, 0.2, 5.0, 1e3, np.inf])
def test_dual_bounds_the_exact_plan_under_kullback_leibler(name, penalty):
    """Potentials f ⊕ g ≤ C, from the plan's own masses, prove it best."""
    cost = COSTS[name]
    plan, _ = quiet_plan(cost, reg_m=penalty, div="kl")
    found = objective(plan, cost, penalty, "kl", 0)
    if np.isinf(penalty):
        large = np.where(np.isfinite(cost), cost, 1e4)
        n1, n2 = cost.shape
        sums = np.vstack(
            [
                np.kron(np.eye(n1), np.ones((1, n2))),
                np.kron(np.ones((1, n1)), np.eye(n2)),
            ]
        )
        shares = np.repeat([1 / n1, 1 / n2], [n1, n2])
        bound = linprog(large.clip(max=1e4).ravel(), A_eq=sums, b_eq=shares)
        assert found == pytest.approx(bound.fun, rel=1e-7)
        return
    with np.errstate(divide="ignore"):
        f = -penalty * np.log(plan.sum(axis=1) * len(plan))
    f = f.clip(max=100 * penalty)
    g = (cost - f[:, None]).min(axis=0)
    f = (cost - g).min(axis=1)
    bound = penalty * sum(-np.mean(np.expm1(-p / penalty)) for p in (f, g))
    assert bound <= found + 1e-9
    assert found <= bound * (1 + 1e-6) + 1e-12


@pytest.mark.parametrize("divergence", ["tv", "kl"])
@pytest.mark.parametrize("eps", [0.0, 0.05])
def test_price_of_forbidden_pairs_does_not_matter(divergence, eps):
    plans = [
        transport_plan(
            with_forbidden(cost_of(), price),
            reg_m=2.0,
            div=divergence,
            reg=eps,
        ).plan
        for price in (1e4, 1e15, 1e300, np.inf)
    ]
    for plan in plans[:-1]:
        assert_allclose(plan, plans[-1], atol=1e-9)


def test_largest_costs_leave_the_digits_of_the_others():
    cost = with_forbidden(cost_of(30, 30), np.inf)
    expected = transport_plan(cost)
    for price in (1e3, 1e15, 1e200):
        priced = np.where(np.isinf(cost), price, cost)
        assert_allclose(transport_plan(priced).plan, expected.plan, atol=1e-14)
        for penalty in (1e3, 1e16, 1e300):
            plan = transport_plan(priced, reg_m=penalty).plan
            assert_allclose(plan, expected.plan, atol=1e-14)
    assert typical_reg_m(cost) == pytest.approx(
        np.median(30 * np.sum(expected.plan * np.where(cost < 9, cost, 0), 1))
        / 2
    )


@pytest.mark.parametrize("unit", [1e-200, 1e-9, 1e9, 1e200])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"reg_m": 0.2},
        {"reg_m": 0.2, "div": "kl"},
        {"reg": 0.1},
        {"reg_m": 0.2, "reg": 0.1},
    ],
)
def test_plans_do_not_depend_on_the_unit_of_the_cost(unit, arguments):
    cost = cost_of()
    scaled_ = {
        key: value if key == "div" else value * unit
        for key, value in arguments.items()
    }
    assert_allclose(
        transport_plan(unit * cost, **scaled_).plan,
        transport_plan(cost, **arguments).plan,
        atol=1e-9,
    )


def test_rows_without_any_way_stay_or_are_refused():
    cost = cost_of(6, 5)
    cost[2], cost[:, 3] = np.inf, np.inf
    for divergence in ("tv", "kl"):
        for eps in (0.0, 0.1):
            coupling = transport_plan(
                cost,
                reg_m=3.0,
                div=divergence,
                reg=eps,
            )
            assert coupling.moved_X[2] == coupling.moved_Y[3] == 0
            assert coupling.plan.sum() > 0.5
    blocks = np.where(np.eye(4, 5) > 0, 1.0, np.inf)
    for eps in (0.0, 0.1):
        for none in (cost, blocks):
            with pytest.raises(ValueError, match="no balanced plan avoids"):
                transport_plan(none, reg=eps)
    with pytest.raises(ValueError, match="Nothing is moved"):
        transport_plan(np.full((2, 2), np.inf), reg_m=1.0)
    with pytest.raises(ValueError, match="no balanced plan"):
        typical_reg_m(cost)


def test_block_of_equal_shares_needs_no_forbidden_pair():
    """Not even for the rounding of seven times 1/21 and fourteen of 1/42."""
    here, there = np.repeat([0, 1, 2], 7), np.repeat([0, 1, 2], 14)
    coupling = transport_plan(np.where(here[:, None] == there, 1.0, np.inf))
    assert coupling.class_share(here, there) == 1
    assert_allclose(coupling.marginal_violation(), 0, atol=1e-15)


def test_iterations_that_end_early_are_warned_of(monkeypatch):
    monkeypatch.setattr(_entropic, "ITERATIONS", _entropic.ROUND)
    monkeypatch.setattr(_entropic.EntropicDual, "newton", lambda self, *p: p)
    with pytest.warns(ConvergenceWarning, match="of the mass"):
        transport_plan(cost_of(40, 40), reg=0.0015)
    with pytest.warns(ConvergenceWarning, match="best plan costs .* at least"):
        transport_plan(cost_of(40, 40), reg_m=1e4, reg=0.0015)
    monkeypatch.setattr(
        _exact, "_interior_point", lambda cost, a, b: (0 * cost[:, 0],) * 2
    )
    with pytest.warns(
        ConvergenceWarning, match="costs .* at least, .* above 0"
    ):
        transport_plan(cost_of(5, 5), reg_m=1.0, div="kl")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cost": [[-1.0, 1.0]]}, "cost .* seen -1"),
        ({"cost": [[np.nan, 1.0]]}, "cost: .*NaN"),
        ({"reg_m": 0}, "reg_m .* seen 0"),
        ({"reg_m": np.nan}, "reg_m .* seen nan"),
        ({"div": "l2"}, "div .*'l2'"),
        ({"reg": np.inf}, "at least 0; seen inf"),
        ({"reg": "auto"}, "at least 0; seen 'auto'"),
        ({"reg_m": "auto"}, "above 0; seen 'auto'"),
        ({"reg_m": True}, "above 0; seen True"),
        (
            {"reg_m": 1e16, "reg": 0.1},
            r"reg_m is 1e\+16 times",
        ),
        ({"cost": [["a", "b"]]}, "cost: "),
        ({"cost": np.ma.masked_equal([[1.0, 2.0]], 2)}, "cost: a mask hides"),
        ({"cost": [[-np.inf, 1.0]]}, "cost: .*infinity"),
        ({"reg": -1}, "seen -1"),
        ({"reg": 1e-9}, "0 or at least 1e-08, 1e-08 of what"),
        ({"reg_m": 0.1}, "Nothing is moved"),
    ],
)
def test_bad_plans_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        transport_plan(**{"cost": np.ones((3, 2)), **arguments})


# ----------------------------------------------------------------- couplings


def class_coupling(n1=40, n2=30, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(n_classes, 0.5), n1)
    Q = rng.dirichlet(np.full(n_classes, 0.5), n2)
    coupling = ClassCoupling(P, Q)
    priors = P.mean(axis=0)
    explicit = np.einsum(
        "c,ic,jc->ij", priors, P / P.sum(axis=0), Q / Q.sum(axis=0)
    )
    return coupling, TransportPlan(explicit)


def test_classes_couple_as_the_explicit_sum_does():
    coupling, explicit = class_coupling()
    rng = np.random.default_rng(1)
    Y = rng.normal(size=(30, 4))
    labels = rng.integers(3, size=40), rng.integers(3, size=30)
    partners = rng.integers(30, size=40)
    assert_allclose(coupling.barycentric(Y), explicit.barycentric(Y))
    assert_allclose(coupling.moved_X, 1)
    assert_allclose(coupling.moved_Y, explicit.moved_Y)
    assert_allclose(
        coupling.marginal_violation(),
        explicit.marginal_violation(),
        atol=1e-12,
    )
    shares = [c.class_share(*labels) for c in (coupling, explicit)]
    assert shares[0] == pytest.approx(shares[1], abs=1e-12)
    masses = explicit.plan[labels[0][:, None] == labels[1]]
    assert shares[0] == pytest.approx(masses.sum(), abs=1e-12)
    shares = [c.partner_share(partners) for c in (coupling, explicit)]
    assert shares[0] == pytest.approx(shares[1], abs=1e-12)
    masses = explicit.plan[np.arange(40), partners]
    assert shares[0] == pytest.approx(masses.sum(), abs=1e-12)


class Partners(Coupling):
    """Row i goes with row i and with no other; the least one can write."""

    def __init__(self, n_rows):
        self.mass_X = self.mass_Y = np.full(n_rows, 1 / n_rows)

    def _pairs(self, n_samples, rng):
        rows = rng.randint(len(self.mass_X), size=n_samples)
        return rows, rows

    def _masses(self, i, j):
        return self.mass_X[i] * (i == j)

    def _product(self, Y):
        return self.mass_X[:, None] * Y


def test_a_coupling_of_ones_own_answers_as_its_matrix_does():
    own, explicit = Partners(9), TransportPlan(np.eye(9) / 9)
    rng = np.random.default_rng(0)
    Y, labels = rng.normal(size=(9, 2)), rng.integers(3, size=(2, 9))
    other = rng.permutation(9)
    for ask in (
        lambda c: c.barycentric(Y),
        lambda c: c.class_share(*labels),
        lambda c: c.partner_share(other),
        lambda c: c.marginal_violation(),
        lambda c: (c.moved_X, c.moved_Y),
    ):
        assert_allclose(ask(own), ask(explicit), atol=1e-15)
    i, j = own.sample(50, random_state=0)
    assert_array_equal(i, j)
    with pytest.raises(ValueError, match="n_samples is 0"):
        own.sample(0)


def test_matrices_are_couplings_and_couplings_stay():
    plan = np.random.default_rng(0).uniform(size=(4, 3))
    for matrix in (plan, plan.tolist(), pd.DataFrame(plan)):
        assert_array_equal(as_coupling(matrix).plan, plan)
    for coupling in (Partners(3), *class_coupling()):
        assert as_coupling(coupling) is coupling
        copy = pickle.loads(pickle.dumps(coupling))
        drawn = coupling.sample(20, random_state=0)
        assert_array_equal(copy.sample(20, random_state=0), drawn)
    for nothing in (None, 3, "plan"):
        with pytest.raises(ValueError, match="has no method sample"):
            as_coupling(nothing)


@pytest.mark.parametrize("kind", [0, 1])
def test_pairs_are_drawn_in_proportion_to_their_mass(kind):
    coupling = class_coupling(6, 5)[kind]
    masses = class_coupling(6, 5)[1].plan
    i, j = coupling.sample(20000, random_state=3)
    counts = np.zeros((6, 5))
    np.add.at(counts, (i, j), 1)
    assert chisquare(counts.ravel(), 20000 * masses.ravel()).pvalue > 1e-3
    again = coupling.sample(20000, random_state=3)
    assert_array_equal(again, (i, j))


def test_impossible_pairs_are_never_drawn():
    plan = np.zeros((4, 4))
    plan[1, 3] = plan[2, 0] = 1
    i, j = TransportPlan(plan).sample(1000, random_state=0)
    assert set(zip(i, j)) == {(1, 3), (2, 0)}
    labels = ["a", "c", "c"], ["c", "a", "b"]
    i, j = ClassCoupling.from_labels(*labels).sample(1000, random_state=0)
    assert set(zip(i, j)) == {(0, 1), (1, 0), (2, 0)}


def test_last_fraction_below_one_draws_a_row_that_has_mass():
    """0.999… of a sum may be rounded to the whole of it."""
    just_below = np.full(3, np.nextafter(1, 0))
    masses = np.array([0.1, 0.7, 0.0])
    assert_array_equal(at_fractions(masses, just_below), 1)


def test_labels_couple_members_alike():
    labels = np.array([0, 0, 1]), np.array([1, 0, 1, 1])
    coupling = ClassCoupling.from_labels(*labels)
    assert coupling.class_share(*labels) == 1
    assert_allclose(coupling.moved_Y, 4 * np.array([1, 6, 1, 1]) / 9)
    image = coupling.barycentric([[1.0], [5.0], [2.0], [6.0]])
    assert_allclose(image.ravel(), [5, 5, 3])


def test_ten_thousand_rows_need_no_square_array():
    """Setting 2, from exemplars to samples, at n1 = n2 = 10 000."""
    rng = np.random.default_rng(0)
    n, labels = 10_000, np.arange(100) % 10
    X, Y = rng.normal(size=(n, 30)), rng.normal(size=(n, 20))
    true = np.arange(n) % 10
    tracemalloc.start()
    coupling = ClassCoupling(
        bridge_profile(X, X[:100], labels),
        bridge_profile(Y, Y[:100], labels),
    )
    coupling.sample(50_000, random_state=0)
    coupling.class_share(true, true)
    coupling.partner_share(np.arange(n))
    coupling.barycentric(Y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One byte for each pair would be a hundred million.
    assert peak < 50e6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TransportPlan([[-1.0, 2.0]]), "plan: .* seen -1 to 2"),
        (lambda: TransportPlan([[0.0, 0.0]]), "plan: .*not all 0"),
        (lambda: TransportPlan([1.0]), "plan: .*2D"),
        (
            lambda: ClassCoupling([[0.5, 0.4]], [[1.0, 0.0]]),
            "probabilities_X: rows must sum to 1; one is off by 0.1",
        ),
        (
            lambda: ClassCoupling([[0.5, 0.5]], [[1.0]]),
            "of 2 classes and probabilities_Y of 1",
        ),
        (
            lambda: ClassCoupling.from_labels([0, 1, 2], [1, 1]),
            "Class 0, 2 has mass in X and none in Y",
        ),
        (
            lambda: TransportPlan(np.eye(3)).class_share([1, 2], [1, 2, 3]),
            "labels_X has 2 labels; wanted 3",
        ),
        (
            lambda: TransportPlan(np.eye(2)).class_share(["a", None], [1, 2]),
            "labels_X has no label",
        ),
        (
            lambda: TransportPlan(np.eye(2)).class_share(["a", "b"], [1, 2]),
            "wanted strings on both sides, or numbers",
        ),
        (
            lambda: ClassCoupling.from_labels([1, 2.5], [1, 2]),
            "labels_X holds numbers that are not whole",
        ),
        (
            lambda: TransportPlan(np.eye(3)).partner_share([]),
            "3 row numbers from 0 to 2; seen an array of float64 of shape",
        ),
        (
            lambda: TransportPlan(np.eye(3)).partner_share([0.0, 1.0, 2.0]),
            "3 row numbers from 0 to 2; seen an array of float64",
        ),
        (
            lambda: TransportPlan(np.eye(3)).sample(0),
            "n_samples is .* wanted an integer",
        ),
        (
            lambda: ClassCoupling.from_labels([1], [1]).sample(2.5),
            "n_samples is .* wanted an integer",
        ),
        (
            lambda: ClassCoupling(
                pd.DataFrame(np.eye(2), columns=["a", "b"]),
                pd.DataFrame(np.eye(2), columns=["b", "a"]),
            ),
            "probabilities_Y has the columns .* in another order",
        ),
        (
            lambda: TransportPlan(np.ma.masked_equal(np.eye(3), 1)),
            "plan: a mask hides 3",
        ),
        (
            lambda: TransportPlan(np.eye(3)).partner_share([0, 1, 3]),
            "3 row numbers from 0 to 2; seen 3 from 0 to 3",
        ),
        (
            lambda: TransportPlan(np.eye(3)).barycentric(np.ones((2, 1))),
            "Y has 2 rows; the coupling has 3",
        ),
        (
            lambda: TransportPlan([[1.0], [0.0]]).barycentric([[1.0]]),
            "1 of 2 rows of X are not moved",
        ),
    ],
)
def test_bad_couplings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("penalty", [0.1, 1.0, 1e3])
@pytest.mark.parametrize("free", [0.0, 1e-12, 1e-9, 1e-6])
def test_free_partners_are_no_reason_to_warn(penalty, free):
    rng = np.random.default_rng(0)
    for n in (2, 5, 9):
        cost = rng.uniform(size=(n, n))
        np.fill_diagonal(cost, free)
        plan = transport_plan(cost, reg_m=penalty, div="kl")
        assert np.sum(plan.plan * cost) <= free * (1 + 1e-6)


def test_a_penalty_of_nothing_is_refused_in_words():
    with pytest.raises(ValueError, match="half of the rows go for nothing"):
        typical_reg_m(np.ones((4, 4)) - np.eye(4))


@pytest.mark.parametrize("divergence", ["tv", "kl"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_entropic_plan_is_not_worse_than_the_exact_one(divergence):
    rng = np.random.default_rng(0)
    for penalty in (1.0, 1e3):
        for eps in (1e-4, 1e-3, 1e-2):
            cost = rng.uniform(size=(4, 5))
            found, exact = (
                transport_plan(
                    cost,
                    reg_m=penalty,
                    div=divergence,
                    reg=e,
                ).plan
                for e in (eps, 0)
            )
            of = [
                objective(plan, cost, penalty, divergence, eps)
                for plan in (found, exact)
            ]
            assert of[0] <= of[1] * (1 + 1e-6)
