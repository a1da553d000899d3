"""What chapters 12 to 14 state, and what the statements say no more.

A statement that once lacked a hypothesis has the case in which it fails
without, beside the equation of the one that holds.
"""

from itertools import permutations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import solve_ivp
from scipy.optimize import linprog
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist
from scipy.special import softmax
from scipy.stats import chisquare, multivariate_normal

from perfalign import (
    ClassCoupling,
    ClassGaussians,
    ConditionalFlow,
    GaussianFlow,
    ModelBridge,
    UnconditionalFlow,
    gluing_cost,
    transport_plan,
)

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
        plan = transport_plan(cost, reg_m=0.3 - toll / 2)
        assert max(plan.moved_X.max(), plan.moved_Y.max()) <= 1 + 1e-12
        missed = sum(plan.marginal_violation())
        paid = np.sum(plan.plan * (cost + toll)) + 0.3 * missed
        assert paid == pytest.approx(with_toll, abs=1e-9)
    else:  # nothing is moved, and every row and column stays at home
        assert with_toll == pytest.approx(0.6, abs=1e-12)


# -------------------------------------------- flow matching, without Lipschitz


def velocity_of_ends(z, t, ends, weights):
    """Mean of (y − z) / (1 − t) over ends, as likely as z makes them.

    Also its divergence, (t tr Cov(y | z) / (1 − t)² − d) / (1 − t).
    """
    gaps = z[:, None] - t * ends
    likely = np.log(weights) - np.sum(gaps**2, axis=2) / (2 * (1 - t) ** 2)
    share = softmax(likely, axis=1)
    mean = share @ ends
    spread = share @ np.sum(ends**2, axis=1) - np.sum(mean**2, axis=1)
    divergence = (t * spread / (1 - t) ** 2 - z.shape[1]) / (1 - t)
    return (mean - z) / (1 - t), divergence


def follow(noise, ends, weights, until):
    """Where the flow takes noise; its log Jacobian and length of way."""
    n, d = noise.shape

    def field(t, flat):
        z = flat[: n * d].reshape(n, d)
        v, divergence = velocity_of_ends(z, t, ends, weights)
        return np.concatenate(
            [v.ravel(), divergence, np.linalg.norm(v, axis=1)]
        )

    start = np.concatenate([noise.ravel(), np.zeros(2 * n)])
    found = solve_ivp(
        field, (0, until), start, method="DOP853", rtol=1e-9, atol=1e-9
    ).y[:, -1]
    return found[: n * d].reshape(n, d), *found[n * d :].reshape(2, n)


@pytest.fixture(scope="module")
def finite():
    rng = np.random.default_rng(0)
    ends = rng.standard_t(2.5, size=(7, 2))  # one or two lie far away
    return rng.normal(size=(400, 2)), ends, rng.dirichlet(np.full(7, 3.0))


def test_a_single_end_is_reached_though_no_constant_is_integrable():
    """Slope −1 / (1 − t), with the integral log(1 / (1 − t)); yet a limit."""
    rng = np.random.default_rng(0)
    noise, end = rng.normal(size=(20, 3)), rng.normal(size=(1, 3))
    for t in (0.0, 0.9, 0.9999):
        v, _ = velocity_of_ends(noise, t, end, np.ones(1))
        w, _ = velocity_of_ends(noise + 1, t, end, np.ones(1))
        assert_allclose((1 - t) * (w - v), -1, atol=1e-10)
        found, log_jacobian, way = follow(noise, end, np.ones(1), t)
        assert_allclose(found, (1 - t) * noise + t * end, atol=1e-7)
        assert_allclose(log_jacobian, 3 * np.log(1 - t), atol=1e-6)
        assert_allclose(way, t * np.linalg.norm(end - noise, axis=1))


def test_density_times_jacobian_is_kept_on_the_way(finite):
    """p(y(t), t) J_t = p(ξ, 0): what the theorem's proof rests on."""
    noise, ends, weights = finite
    for t in (0.3, 0.7, 0.95):
        found, log_jacobian, _ = follow(noise, ends, weights, t)
        density = sum(
            w * multivariate_normal.pdf(found, t * y, (1 - t) ** 2)
            for w, y in zip(weights, ends)
        )
        before = multivariate_normal.pdf(noise, np.zeros(2))
        assert_allclose(np.log(density) + log_jacobian, np.log(before))


def test_a_finite_coupling_is_learned_by_heart(finite):
    """Every way has a limit, a known latent, as often as it has mass."""
    noise, ends, weights = finite
    found, _, way = follow(noise, ends, weights, 1 - 1e-7)
    distances = cdist(found, ends)
    assert distances.min(axis=1).max() < 1e-5
    reached = np.bincount(distances.argmin(axis=1), minlength=7)
    assert chisquare(reached, 400 * weights).pvalue > 1e-3
    straight = weights @ np.linalg.norm(ends[:, None] - noise, axis=2)
    assert way.mean() <= straight.mean()
    # The package's exact flow into classes without width is this one.
    points = GaussianFlow(
        ClassGaussians(ends, 1e-8 * np.eye(2), weights), rtol=1e-8
    )
    arrived = points.transport(np.zeros((400, 1)), noise)
    assert_array_equal(
        cdist(arrived, ends).argmin(axis=1), distances.argmin(axis=1)
    )


def test_a_learned_flow_is_not_the_list_it_learned_from():
    three = ClassGaussians(
        [[-3, -2], [3, -2], [0, 3]], [[0.3, 0.0], [0.0, 0.3]]
    )
    known = three.sample(30, random_state=1)[0]
    anyone = ClassCoupling.from_labels(np.zeros(30), np.zeros(30))
    flow = ConditionalFlow(n_samples=6000, random_state=0)
    flow.fit(np.zeros((30, 1)), known, anyone)
    drawn = flow.sample([[0.0]], 300, random_state=0)[:, 0]
    fresh = three.sample(300, random_state=2)[0]
    learned, true = (
        np.median(cdist(z, known).min(axis=1)) for z in (drawn, fresh)
    )
    assert 0.5 * true < learned < 2 * true


def test_gaussian_classes_of_different_shape_have_no_lipschitz_constant():
    """Where two classes are equally likely their pulls drift apart."""
    shapes = np.array([[0.6, 0.1], [0.1, 0.6]])
    t = 0.5

    def velocity(z):
        variances = (1 - t) ** 2 + t**2 * shapes
        likely = -0.5 * np.sum(z[:, None] ** 2 / variances, axis=2)
        pull = (t * shapes - (1 - t)) / variances * z[:, None]
        return np.einsum("nc,ncd->nd", softmax(likely, axis=1), pull)

    slopes = []
    for far in (10.0, 20.0, 40.0):
        pair = np.array([[far, far], [far, far]]) + [[1e-6, 0], [-1e-6, 0]]
        slopes.append(np.linalg.norm(np.diff(velocity(pair), axis=0)) / 2e-6)
    assert_allclose(np.divide(slopes[1:], slopes[:-1]), 4, rtol=0.05)


# ---------------------------------------------------- what a flow exchanges


def blind_ends(X, weights, source, target, width=0.3):
    """The exact unconditional flow between round Gaussian classes."""

    def field(t, flat):
        gaps = flat.reshape(-1, 1, X.shape[1]) - (1 - t) * source - t * target
        spread = (1 - t) ** 2 + t**2
        likely = -np.sum(gaps**2, axis=2) / (2 * width**2 * spread)
        share = softmax(np.log(weights) + likely, axis=1)
        toward = target - source + (2 * t - 1) / spread * gaps
        return np.einsum("nc,ncd->nd", share, toward).ravel()

    found = solve_ivp(field, (0, 1), X.ravel(), rtol=1e-8, atol=1e-8)
    return found.y[:, -1].reshape(X.shape)


@pytest.mark.parametrize("w", [0.5, 0.7, 0.9])
@pytest.mark.parametrize("d", [1, 2])
def test_of_the_large_class_all_that_has_room_is_kept(w, d):
    """2 − 1/w of it: nothing at equal weights, .89 at nine to one."""
    source = np.array([[-1.0, -2.0], [1.0, -2.0]])[:, :d]
    target = np.array([[1.0, 2.0], [-1.0, 2.0]])[:, :d]
    weights = [1 - w, w]
    classes = ClassGaussians(source, 0.09 * np.eye(d), weights)
    X, of = classes.sample(4000, random_state=0)
    ends = blind_ends(X, weights, source, target)
    kept = (ends[:, 0] < 0) == (of == 1)
    assert np.mean(kept[of == 1]) == pytest.approx(2 - 1 / w, abs=0.02)
    assert np.mean(kept[of == 0]) < 0.005
    if d == 1:  # each quantile goes to the same quantile
        fresh = ClassGaussians(target, [[0.09]], weights)
        fresh = fresh.sample(40_000, random_state=1)[0]
        wanted = np.quantile(fresh, (np.argsort(np.argsort(X[:, 0]))) / 3999)
        assert np.mean(np.abs(ends[:, 0] - wanted)) < 0.05


def test_a_learned_flow_keeps_the_large_class_and_loses_the_small():
    rng = np.random.default_rng(0)
    of = (np.arange(1000) < 900).astype(int)
    side, at = 2.0 * of - 1, np.full(1000, 2.0)
    X, Y = (
        np.column_stack(place) + 0.3 * rng.normal(size=(1000, 2))
        for place in ((-at, side), (at, -side))
    )
    flow = UnconditionalFlow(n_samples=6000, random_state=0)
    ends = flow.fit(X, Y, ClassCoupling.from_labels(of, of)).transport(X)
    kept = (ends[:, 1] < 0) == (of == 1)
    assert np.mean(kept[of == 1]) > 0.8
    assert np.mean(kept[of == 0]) < 0.2


# ------------------------------------------------------- what a vote carries


def accuracy(p, n_draws, order, rule):
    """Of the vote of independent draws of the class, all cases in full."""
    right = 0.0
    for draws in product(range(len(p)), repeat=n_draws):
        count = np.bincount(draws, minlength=len(p))
        best = [c for c in order if count[c] == count.max()]
        named = {
            "first label": best[:1],
            "lot": best,
            "first draw": [next(c for c in draws if c in best)],
        }[rule]
        right += np.prod(p[list(draws)]) * np.mean(p[named])
    return right


def test_ties_that_go_to_the_first_label_look_at_names():
    p, orders = np.array([0.6, 0.4]), ([0, 1], [1, 0])
    found = [accuracy(p, 2, order, "first label") for order in orders]
    assert_allclose(found, [0.568, 0.472], rtol=1e-12)
    found = [accuracy(p, 2, order, "first draw") for order in orders]
    assert_allclose(found, 0.52, rtol=1e-12)


@pytest.mark.parametrize("n_draws", [1, 2, 3, 4])
def test_without_a_look_at_names_every_dealing_is_as_good(n_draws):
    p = np.random.default_rng(n_draws).dirichlet(np.ones(3))
    first, lot, draw = (
        [accuracy(p, n_draws, order, rule) for order in permutations(range(3))]
        for rule in ("first label", "lot", "first draw")
    )
    assert_allclose(lot, lot[0], rtol=1e-12)
    assert_allclose(draw, lot[0], rtol=1e-12)
    assert (np.ptp(first) > 1e-3) == (n_draws > 1)


class Named:
    """A head that reads the sign of a latent, with these names for it."""

    def __init__(self, names):
        self.names, self.classes_ = np.array(names), np.unique(names)

    def predict(self, Y):
        return self.names[(Y[:, 0] > 0).astype(int)]


def test_a_bridge_does_not_look_at_names():
    """Other names change the names of what is predicted, and nothing else."""
    rng = np.random.default_rng(0)
    known = np.arange(60) % 2
    X, Y = rng.normal(size=(60, 1)), rng.normal(size=(60, 2))
    Y[:, 0] += 6 * known - 3
    new = rng.normal(size=(300, 1))
    flow = ConditionalFlow(n_samples=2000, random_state=0)
    anyone = ClassCoupling.from_labels(np.zeros(60), np.zeros(60))
    said = []
    for names in (["a", "b"], ["z", "b"]):
        head = Named(names)
        bridge = ModelBridge(head, flow=flow, n_draws=2, random_state=0)
        bridge.fit(X, Y, anyone)
        said.append(bridge.predict(new))
        # Where the two draws disagree, either name is given.
        tied = bridge.predict_proba(new).max(axis=1) == 0.5
        assert 0.3 < np.mean(said[-1][tied] == "b") < 0.7
    assert_array_equal(said[0] == "b", said[1] == "b")
