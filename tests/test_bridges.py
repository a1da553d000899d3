"""Bridge costs, transport under them, and the couplings that come of it."""

import importlib.util
import json
import tracemalloc
from pathlib import Path

import numpy as np
import ot
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist
from scipy.special import softmax
from scipy.stats import chisquare
from sklearn.exceptions import ConvergenceWarning

from perfalign import (
    ClassCoupling,
    TransportPlan,
    bridge_plan,
    bridge_profile,
    bridges,
    gluing_cost,
    relational_cost,
    typical_penalty,
)

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "benchmarks" / "bridges.py"


def load_study():
    spec = importlib.util.spec_from_file_location("bridges_study", STUDY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


study = load_study()


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
    monkeypatch.setattr(bridges, "BLOCK", block)
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
                "6 rows and 5 labels",
            ),
            ({"X": X[:1], "bridges_X": X[[0] * 6]}, "more than half"),
        ]:
            given = {"X": X, "Y": Y, "bridges_X": A, "bridges_Y": B, **change}
            with pytest.raises(ValueError, match=message):
                cost(**given)


def test_temperature_must_be_positive():
    X, _, A, _ = two_spaces()
    with pytest.raises(ValueError, match="temperature .* seen 0"):
        bridge_profile(X, A, temperature=0)


# --------------------------------------------------------------------- plans


def cost_of(n1=15, n2=12, seed=0):
    return np.random.default_rng(seed).uniform(0.1, 1, size=(n1, n2))


def test_exact_balanced_plan_is_the_best_assignment():
    cost = cost_of(20, 20)
    coupling = bridge_plan(cost)
    rows, columns = linear_sum_assignment(cost)
    expected = np.zeros((20, 20))
    expected[rows, columns] = 1 / 20
    assert_allclose(coupling.plan, expected, atol=1e-12)
    assert_allclose(coupling.marginal_violation(), 0, atol=1e-12)


def test_a_constant_offset_leaves_balanced_plans_as_they_are():
    cost = cost_of()
    for regularisation in (0.0, 0.1):
        plans = [
            bridge_plan(c, regularisation=regularisation).plan
            for c in (cost, cost + 3)
        ]
        assert_allclose(plans[0], plans[1], atol=1e-8)


def test_to_an_unbalanced_plan_an_offset_is_a_smaller_penalty():
    cost = cost_of()
    plans = [
        bridge_plan(cost + 0.2, marginal_penalty=0.2).plan,
        bridge_plan(cost, marginal_penalty=0.1).plan,
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
    coupling = bridge_plan(cost, marginal_penalty=penalty)
    missing = np.sum(coupling.marginal_violation())
    value = np.sum(coupling.plan * cost) + penalty * missing
    assert value == pytest.approx(found.fun, abs=1e-10)
    # Nobody goes further than twice the penalty.
    assert np.all(cost[coupling.plan > 0] <= 2 * penalty + 1e-12)


def test_total_variation_is_partial_transport():
    cost = cost_of(10, 10)
    coupling = bridge_plan(cost, marginal_penalty=0.12)
    uniform = np.full(10, 0.1)
    expected = ot.partial.partial_wasserstein(
        uniform, uniform, cost, m=coupling.plan.sum()
    )
    assert_allclose(coupling.plan, expected, atol=1e-12)


def test_entropic_plans_satisfy_their_optimality_conditions():
    cost, eps, penalty = cost_of(), 0.1, 0.5
    n1, n2 = cost.shape
    plan = bridge_plan(cost, regularisation=eps).plan
    potentials = eps * np.log(plan) + cost
    # A row number plus a column number, nothing else.
    rest = potentials - potentials[:1] - potentials[:, :1] + potentials[0, 0]
    assert_allclose(rest, 0, atol=1e-9)
    coupling = bridge_plan(
        cost,
        marginal_penalty=penalty,
        divergence="kl",
        regularisation=eps,
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
    coupling = bridge_plan(cost, marginal_penalty=penalty, divergence="kl")
    slope = (
        cost
        + penalty * np.log(coupling.moved_X)[:, None]
        + penalty * np.log(coupling.moved_Y)
    )
    assert slope.min() > -1e-3
    # Complementary slackness: mass only where the slope is 0.
    assert abs(np.sum(coupling.plan * slope)) < 1e-3


@pytest.mark.parametrize("penalty", [np.inf, 0.3])
def test_less_regularisation_tends_to_the_exact_plan(penalty):
    cost = cost_of()
    exact = np.sum(bridge_plan(cost, marginal_penalty=penalty).plan)
    gaps = [
        abs(
            bridge_plan(
                cost, marginal_penalty=penalty, regularisation=eps
            ).plan.sum()
            - exact
        )
        for eps in (0.1, 0.004)
    ]
    assert gaps[1] < 0.01
    plan = bridge_plan(cost, regularisation=0.003).plan
    assert_allclose(plan, bridge_plan(cost).plan, atol=0.01)


def test_typical_penalty_is_half_the_median_price():
    cost = cost_of(21, 21)
    rows, columns = linear_sum_assignment(cost)
    expected = np.median(cost[rows, columns]) / 2
    assert typical_penalty(cost) == pytest.approx(expected, abs=1e-12)


def test_iterations_that_end_early_are_warned_of():
    with pytest.warns(ConvergenceWarning, match="of the mass"):
        bridge_plan(cost_of(40, 40), regularisation=0.0015)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cost": [[-1.0, 1.0]]}, "cost .* seen -1"),
        ({"cost": [[np.nan, 1.0]]}, "cost: .*NaN"),
        ({"marginal_penalty": 0}, "marginal_penalty .* seen 0"),
        ({"marginal_penalty": np.nan}, "marginal_penalty .* seen nan"),
        ({"divergence": "l2"}, "divergence .*'l2'"),
        ({"regularisation": 1e-4}, "at least 0.0014"),
        ({"regularisation": -1}, "seen -1"),
        ({"marginal_penalty": 0.1}, "Nothing is moved"),
    ],
)
def test_bad_plans_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        bridge_plan(**{"cost": np.ones((3, 2)), **arguments})


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
    assert_allclose(coupling.transport(Y), explicit.transport(Y))
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


def test_labels_couple_members_alike():
    labels = np.array([0, 0, 1]), np.array([1, 0, 1, 1])
    coupling = ClassCoupling.from_labels(*labels)
    assert coupling.class_share(*labels) == 1
    assert_allclose(coupling.moved_Y, 4 * np.array([1, 6, 1, 1]) / 9)
    image = coupling.transport([[1.0], [5.0], [2.0], [6.0]])
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
    coupling.transport(Y)
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
            "Seen 2 labels of X and 3 of Y; wanted 3 and 3",
        ),
        (
            lambda: TransportPlan(np.eye(3)).partner_share([0, 1, 3]),
            "3 row numbers from 0 to 2; seen 3 from 0 to 3",
        ),
        (
            lambda: TransportPlan(np.eye(3)).transport(np.ones((2, 1))),
            "Y has 2 rows; the coupling has 3",
        ),
        (
            lambda: TransportPlan([[1.0], [0.0]]).transport([[1.0]]),
            "1 of 2 rows of X are not moved",
        ),
    ],
)
def test_bad_couplings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# ----------------------------------------------------------------- the study


@pytest.fixture(scope="module")
def results():
    return json.loads(study.RESULTS.read_text("utf-8"))


@pytest.mark.parametrize("n_bridges", [50, 200])
def test_stored_alignments_are_those_of_the_script(results, n_bridges):
    stored = results["alignment"][str(n_bridges)]
    assert len(stored) == len(study.SEEDS["alignment"])
    again = study.alignment(0, n_bridges)
    for name, values in again.items():
        # Plans of the gluing cost are not unique: see the cells above.
        slack = 0.05 if name.startswith("gluing") else 0.004
        assert_allclose(values[:2], stored[0][name][:2], atol=slack)


@pytest.mark.parametrize(
    ("name", "known"), [("missing class", True), ("never seen", False)]
)
def test_stored_curves_are_those_of_the_script(
    results, name, known, monkeypatch
):
    penalties = {"tv": (1.0,), "kl": (8.0,)}
    monkeypatch.setattr(study, "PENALTIES", penalties)
    again = study.missing_class(3, exemplars_of_it=known)
    for divergence, (penalty,) in penalties.items():
        at = results["penalties"][divergence].index(penalty)
        assert_allclose(
            again[divergence][0], results[name][3][divergence][at], atol=0.004
        )


def test_a_class_without_partners_stays_where_it_is(results):
    """The penalty is chosen without labels; 20 seeds, each class twice."""
    runs = results["missing class"]
    assert len(runs) == 20
    at = results["penalties"]["tv"].index(1.0)
    own, others = np.transpose([run["tv"][at] for run in runs])
    assert np.mean(own) < 0.25 * np.mean(others)
    assert np.min(others) >= 0.5
    assert np.sum(own <= others / 2) == 19


def test_a_hard_price_sees_a_missing_class_better_than_a_soft_one(results):
    """Where as much of the others is moved, in every one of 20 seeds."""
    for run in results["missing class"]:
        hard, soft = (
            np.interp(0.6, *np.transpose(run[divergence])[::-1])
            for divergence in ("tv", "kl")
        )
        assert hard < 0.7 * soft


def test_what_exemplars_without_that_class_are_worth(results):
    at = results["penalties"]["tv"].index(1.0)
    own, others = np.mean([run["tv"][at] for run in results["never seen"]], 0)
    assert own < 0.4 * others


def test_shared_labels_say_which_item_and_classes_do_not(results):
    """Classes alone put C / n = 0.01 on partners, and half a class first."""
    runs = results["alignment"]["100"]
    share, rank = (
        {name: np.mean([run[name][k] for run in runs]) for name in runs[0]}
        for k in (1, 2)
    )
    assert share["relational, labels"] > 0.15
    assert share["gluing, labels"] < 0.01
    assert share["classes"] < 0.01
    assert rank["classes"] > 50
    assert share["perfect alignment"] > share["relational, pairs"] > 0.6
