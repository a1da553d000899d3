"""Flows from noise, exact and learned, and what the warning is about."""

import inspect
import pickle

import numpy as np
import ot
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from perfalign import (
    ClassCoupling,
    ClassGaussians,
    ConditionalFlow,
    GaussianFlow,
    TransportPlan,
    UnconditionalFlow,
)
from perfalign.flows import Flow
from perfalign.flows._noise import noise_of
from perfalign.flows._steps import integrate


class Pairs:
    """Row i goes with row i, and with no other."""

    def __init__(self, n_rows):
        self.n_rows = n_rows

    def sample(self, n_samples, random_state=None):
        rows = random_state.randint(self.n_rows, size=n_samples)
        return rows, rows


def spd(rng, d):
    A = rng.normal(size=(d, d))
    return A @ A.T / d + 0.2 * np.eye(d)


def classes(seed, d=3, C=3):
    rng = np.random.default_rng(seed)
    means = 2 * rng.normal(size=(C, d))
    covariances = np.array([spd(rng, d) for _ in range(C)])
    return ClassGaussians(means, covariances, rng.dirichlet(np.full(C, 5.0)))


# --------------------------------------------------------------- integration


def test_linear_field_is_the_matrix_exponential():
    start = np.array([[1.0, 0.0], [0.0, 2.0]])
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    path = integrate(
        lambda y, t, rows: y @ turn, start, 1e-10, [0.0, 0.5, 1.0]
    )
    for t, seen in zip((0.0, 0.5, 1.0), path):
        c, s = np.cos(t), np.sin(t)
        assert_allclose(seen, start @ [[c, s], [-s, c]], rtol=0, atol=1e-8)


def test_flow_without_end_is_refused():
    with pytest.raises(ValueError, match="at time 0.5 no step is short"):
        integrate(lambda y, t, rows: y**2, np.full((1, 1), 2.0), 1e-6)
    with pytest.raises(ValueError, match="not finite at time"):
        integrate(
            lambda y, t, rows: np.where(t > 0.9, np.nan, 1.0)[:, None] + 0 * y,
            np.ones((2, 1)),
            1e-6,
        )


def test_each_row_has_steps_of_its_own():
    """A row that needs short steps changes no other, to the last bit."""

    def field(y, t, rows):
        return np.cos(pace[rows] * t)[:, None] * pace[rows, None] + 0 * y

    pace = np.array([1.0, 300.0, 2.0])
    together = integrate(field, np.zeros((3, 2)), 1e-6)[0]
    assert_allclose(together, np.tile(np.sin(pace), (2, 1)).T, atol=1e-4)
    for i in range(3):
        alone = integrate(
            lambda y, t, rows, i=i: field(y, t, rows + i),
            np.zeros((1, 2)),
            1e-6,
        )[0]
        assert_array_equal(alone[0], together[i])


# -------------------------------------------------------------- GaussianFlow


@pytest.mark.parametrize("d", [1, 2, 8])
def test_one_gaussian_is_the_bures_wasserstein_map(d):
    rng = np.random.default_rng(d)
    mean, covariance = 3 * rng.normal(size=d), 4 * spd(rng, d)
    noise = rng.normal(size=(500, d))
    matrix, offset = ot.gaussian.bures_wasserstein_mapping(
        np.zeros(d), mean, np.eye(d), covariance
    )
    expected = noise @ matrix + offset
    flow = GaussianFlow(ClassGaussians([mean], covariance))
    found = flow.transport(np.zeros((500, 1)), noise)
    assert np.abs(found - expected).max() <= 2e-7 * np.abs(expected).max()


@pytest.mark.parametrize("unit", [1e-150, 1e-7, 1e-6, 1e9, 1e100])
def test_endpoints_have_the_units_of_the_target(unit):
    flow = GaussianFlow(
        ClassGaussians([[unit, 2 * unit]], np.diag([4.0, 9.0]) * unit * unit)
    )
    found = flow.transport([[0.0]], [[0.5, -1.0]]) / unit
    assert_allclose(found, [[2, -1]], rtol=0, atol=2e-7)
    mixture, noise = classes(5), np.random.default_rng(0).normal(size=(50, 3))
    other = mixture.push_forward(unit * np.eye(3), unit * np.full(3, 7.0))
    ends = [
        GaussianFlow(m).transport(np.zeros((50, 1)), noise)
        for m in (mixture, other)
    ]
    assert_allclose(ends[1] / unit - 7, ends[0], rtol=0, atol=1e-5)


def test_quiet_feature_beside_a_loud_one_is_as_exact():
    flow = GaussianFlow(ClassGaussians([[1e-3, 2]], np.diag([1e-6, 1.0])))
    found = flow.transport([[0.0]], [[0.5, -1.0]]) / [1e-3, 1]
    assert_allclose(found, [[1.5, 1]], rtol=0, atol=1e-6)


def test_points_on_their_way_are_where_the_formula_has_them():
    """One class: S_t^{1/2} ξ + t m at time t, in the target's units."""
    rng, times = np.random.default_rng(0), [0.0, 0.3, 0.9, 1.0]
    noise, covariance = rng.normal(size=(20, 2)), np.diag([1e-4, 9.0])
    flow = GaussianFlow(ClassGaussians([[5.0, -40.0]], covariance))
    path = flow.transport(np.zeros((20, 1)), noise, times)
    for t, seen in zip(times, path):
        spread = np.sqrt((1 - t) ** 2 + t**2 * np.diag(covariance))
        expected = noise * spread + [5 * t, -40 * t]
        assert_allclose(seen, expected, rtol=0, atol=1e-5)


def test_copy_knows_what_the_original_does():
    X = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    classifier = LinearDiscriminantAnalysis().fit(X, [0, 0, 1, 1])
    mixture = ClassGaussians([[-5.0], [5.0]], [[0.1]])
    flow = GaussianFlow(mixture, classifier, rtol=1e-5)
    copy = clone(flow)
    assert copy.get_params() == flow.get_params()
    assert_array_equal(copy.sample(X, 3, 0), flow.sample(X, 3, 0))


def test_velocity_is_the_conditional_mean_of_what_is_regressed():
    """E[y − ξ | y_t] by quadrature over y: the defining integral."""
    mixture = ClassGaussians(
        [[-2.0], [1.0], [3.0]], [[[0.3]], [[1.0]], [[0.1]]], [0.5, 0.2, 0.3]
    )
    flow, grid = GaussianFlow(mixture), np.linspace(-12, 12, 40_001)
    density = sum(
        w * multivariate_normal(m, s).pdf(grid)
        for w, m, s in zip(mixture.weights, mixture.means, mixture.covariances)
    )
    for t in (0.0, 0.2, 0.5, 0.9):
        for point in (-1.5, 0.1, 2.0):
            noise = (point - t * grid) / (1 - t)
            mass = density * np.exp(-(noise**2) / 2)
            expected = np.sum(mass * (grid - noise)) / np.sum(mass)
            found = flow.velocity_at([[point]], t, np.zeros((1, 1)))
            assert_allclose(found, [[expected]], rtol=1e-9, atol=1e-12)


def test_density_flows_by_the_continuity_equation():
    """∂p/∂t + div(p v) = 0 for p_t = Σ w_c N(t m_c, S_{t,c})."""
    mixture = classes(0, d=2)
    flow, h = GaussianFlow(mixture), 1e-5

    def density(y, t):
        return sum(
            w
            * multivariate_normal.pdf(
                y, t * m, (1 - t) ** 2 * np.eye(2) + t**2 * S
            )
            for w, m, S in zip(
                mixture.weights, mixture.means, mixture.covariances
            )
        )

    def stream(y, t):
        return flow.velocity_at(y, t, np.zeros((len(y), 1))) * density(
            y, t
        ).reshape(-1, 1)

    y = np.random.default_rng(1).normal(size=(20, 2))
    for t in (0.3, 0.7):
        growth = (density(y, t + h) - density(y, t - h)) / (2 * h)
        outflow = sum(
            (stream(y + h * e, t) - stream(y - h * e, t))[:, k] / (2 * h)
            for k, e in enumerate(np.eye(2))
        )
        assert_allclose(growth, -outflow, rtol=0, atol=1e-8)


def test_samples_are_those_of_the_posteriors_mixture():
    """Means and covariances for an x in doubt: law of total variance."""
    mixture = classes(3)
    source = ClassGaussians([[-1.0, 0], [1, 0], [0, 2]], np.eye(2))
    X, labels = source.sample(600, random_state=0)
    classifier = LinearDiscriminantAnalysis().fit(X, labels)
    x = np.array([[0.1, 0.6]])
    p = classifier.predict_proba(x)[0]
    drawn = GaussianFlow(mixture, classifier).sample(x, 20_000, 0)[:, 0]
    mean = p @ mixture.means
    gaps = mixture.means - mean
    covariance = np.einsum("c,cij->ij", p, mixture.covariances)
    covariance += (gaps.T * p) @ gaps
    size = np.sqrt(np.trace(covariance))
    assert_allclose(drawn.mean(axis=0), mean, rtol=0, atol=0.03 * size)
    assert_allclose(np.cov(drawn.T), covariance, rtol=0, atol=0.05 * size**2)


def test_class_unknown_to_the_classifier_is_never_drawn():
    mixture = ClassGaussians([[-5.0], [0.0], [5.0]], [[0.1]])
    X = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    classifier = LinearDiscriminantAnalysis().fit(X, [0, 0, 2, 2])
    drawn = GaussianFlow(mixture, classifier).sample(X, 50, 0)
    assert np.abs(drawn).min() > 3
    other = LinearDiscriminantAnalysis().fit(X, [0, 0, 7, 7])
    with pytest.raises(ValueError, match=r"classes \[.*7.*\]"):
        GaussianFlow(mixture, other).sample(X)
    with pytest.raises(ValueError, match="an instance of .*ClassGaussians"):
        GaussianFlow(np.eye(2)).sample(X)
    for bad in (LinearDiscriminantAnalysis(), object()):
        with pytest.raises(ValueError, match="has no (predict_proba|class)"):
            GaussianFlow(mixture, bad).sample(X)


def test_flat_class_is_refused():
    mixture = ClassGaussians([[0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="class 0 is singular"):
        GaussianFlow(mixture).sample(np.zeros((1, 1)))


# ----------------------------------------------------------- ConditionalFlow


def test_learned_flow_nears_the_exact_one():
    source, target = classes(1), classes(2)
    X, labels_X = source.sample(1000, random_state=0)
    Y, labels_Y = target.sample(1000, random_state=1)
    coupling = ClassCoupling.from_labels(labels_X, labels_Y)
    flow = ConditionalFlow(n_samples=20_000, random_state=0)
    flow.fit(X, Y, coupling)
    units = target.push_forward(
        np.diag(1 / flow.scale_Y_), -flow.mean_Y_ / flow.scale_Y_
    )
    # What the coupling says of x is what a classifier of its labels would.
    exact = GaussianFlow(units, LinearDiscriminantAnalysis().fit(X, labels_X))
    noise = np.random.default_rng(0).normal(size=Y.shape)
    gap = flow.transport(X, noise) - flow.mean_Y_
    gap = gap / flow.scale_Y_ - exact.transport(X, noise)
    assert np.sqrt(np.mean(gap**2)) < 0.25


def test_regressor_is_given_the_problem_that_the_formula_states():
    """A linear map is recovered exactly: v is linear where ξ is known."""

    class Seen(LinearRegression):
        def fit(self, features, targets):
            type(self).rows = features, targets
            return super().fit(features, targets)

    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(50, 4)), 7 + 3 * rng.normal(size=(50, 2))
    flow = ConditionalFlow(Seen(), n_samples=300, random_state=0)
    flow.fit(X, Y, Pairs(50))
    features, targets = Seen.rows
    y_t, t, x = features[:, :2], features[:, 2:3], features[:, 3:]
    # y_t + (1 - t)(y - ξ) = y, row by row, for the y that belongs to x.
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    rows = np.argmin(np.abs(x[:, None] - standard).sum(axis=2), axis=1)
    assert_allclose(x, standard[rows], atol=1e-12)
    standard = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    assert_allclose(y_t + (1 - t) * targets, standard[rows], atol=1e-12)
    noise = y_t - t * targets
    assert 0.9 < noise.std() < 1.1 and 0 < t.min() < t.max() < 1


@pytest.mark.parametrize("scale, shift", [(1e-6, 0.0), (1e6, 1e9)])
def test_units_of_the_target_do_not_matter(scale, shift):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(80, 3)), rng.normal(size=(80, 2))
    flow = ConditionalFlow(LinearRegression(), random_state=0)
    plain = clone(flow).fit(X, Y, Pairs(80)).predict(X, 3, 0)
    units = clone(flow).fit(X, shift + scale * Y, Pairs(80))
    found = (units.predict(X, 3, 0) - shift) / scale
    assert_allclose(found, plain, rtol=0, atol=1e-5)


def test_draws_are_repeatable_and_differ():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(60, 3)), rng.normal(size=(60, 2))
    velocity = ExtraTreesRegressor(3, max_depth=4, random_state=0)
    flow = ConditionalFlow(velocity, n_samples=500, random_state=0)
    flow.fit(X, Y, Pairs(60))
    draws = flow.sample(X, 3, random_state=5)
    assert draws.shape == (3, 60, 2)
    assert_array_equal(draws, flow.sample(X, 3, random_state=5))
    assert np.abs(draws[0] - draws[1]).max() > 0.1
    assert_array_equal(flow.predict(X, 3, 5), draws.mean(axis=0))


def test_what_does_not_fit_is_refused():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(10, 3)), rng.normal(size=(8, 2))
    flow = ConditionalFlow(LinearRegression(), n_samples=50, random_state=0)
    with pytest.raises(ValueError, match="of Y, which has 8"):
        flow.fit(X, Y, Pairs(10))
    with pytest.raises(ValueError, match="X.*NaN"):
        flow.fit(X * np.nan, Y, Pairs(8))
    flow.fit(X, Y, Pairs(8))
    with pytest.raises(ValueError, match="3 features"):
        flow.sample(X[:, :2])
    with pytest.raises(ValueError, match="noise has 4 rows; wanted 10"):
        flow.transport(X, np.zeros((4, 2)))


def any_flow(kind, X, Y, **parameters):
    """A fitted flow of each kind from X to Y, which have equal dimension."""
    if kind is GaussianFlow:
        labels = (X[:, 0] > 0).astype(int)
        classifier = LinearDiscriminantAnalysis().fit(X, labels)
        mixture = ClassGaussians(
            [Y[labels == c].mean(axis=0) for c in (0, 1)],
            [np.cov(Y[labels == c].T) for c in (0, 1)],
        )
        return GaussianFlow(mixture, classifier)
    velocity = ExtraTreesRegressor(5, max_depth=6, random_state=0)
    flow = kind(velocity, n_samples=800, random_state=0, **parameters)
    return flow.fit(X, Y, Pairs(len(X)))


def noise_for(flow, noise):
    """Noise for a flow that starts from it, none for one that does not."""
    return None if isinstance(flow, UnconditionalFlow) else noise


FLOWS = [GaussianFlow, ConditionalFlow, UnconditionalFlow]


@pytest.mark.parametrize("name", ["fit", "sample", "transport", "velocity_at"])
def test_all_flows_are_asked_in_one_way(name):
    wanted = inspect.signature(getattr(Flow, name))
    for kind in FLOWS:
        assert inspect.signature(getattr(kind, name)) == wanted


@pytest.mark.parametrize("kind", FLOWS)
def test_copies_of_a_flow_do_what_it_does(kind):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 30, 2))
    flow = any_flow(kind, X, Y)
    drawn = flow.sample(X, 2, 0)
    noise = noise_for(flow, X)
    for copy in (
        pickle.loads(pickle.dumps(flow)),
        clone(flow).fit(X, Y, Pairs(30)),
        clone(flow).set_params(rtol=flow.rtol).fit(X, Y, Pairs(30)),
    ):
        assert_array_equal(copy.sample(X, 2, 0), drawn)
        assert_array_equal(copy.transport(X, noise), flow.transport(X, noise))
        assert_array_equal(copy.predict(X, 2, 0), drawn.mean(axis=0))


def test_what_a_flow_cannot_do_is_said_in_its_name():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 30, 2))
    blind = any_flow(UnconditionalFlow, X, Y)
    with pytest.raises(ValueError, match="UnconditionalFlow starts at X"):
        blind.transport(X, X)
    assert_array_equal(blind.velocity_at(X, 0.5), blind.velocity_at(X, 0.5, Y))
    for kind in (GaussianFlow, ConditionalFlow):
        told, name = any_flow(kind, X, Y), kind.__name__
        with pytest.raises(ValueError, match=f"{name} starts from noise"):
            told.transport(X)
        with pytest.raises(ValueError, match=f"{name} depends on X"):
            told.velocity_at(X, 0.5)


@pytest.mark.parametrize("kind", FLOWS)
def test_row_does_not_depend_on_its_neighbours(kind):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 2))
    Y = np.sin(X) + 0.1 * rng.normal(size=(30, 2))
    flow = any_flow(kind, X, Y)
    whole = flow.sample(X, 3, random_state=7)
    order = rng.permutation(30)
    same = {"rtol": 0, "atol": 1e-9}
    assert_allclose(flow.sample(X[order], 3, 7), whole[:, order], **same)
    for cuts in ([1], [5, 6, 20], range(1, 30)):
        parts = [flow.sample(rows, 3, 7) for rows in np.split(X, cuts)]
        assert_allclose(np.concatenate(parts, axis=1), whole, **same)
    # Fewer draws are the first of more, and copies of a row are equal.
    assert_allclose(flow.sample(X, 2, 7), whole[:2], **same)
    twice = flow.sample(X[[4, 4]], 3, 7)
    assert_allclose(twice, whole[:, [4, 4]], **same)
    if kind is not UnconditionalFlow:
        assert np.abs(flow.sample(X, 3, 8) - whole).max() > 0.1
        gaps = whole - flow.sample(X, 3, 7).mean(axis=0)
        assert np.abs(gaps).max() > 0.1


def test_noise_is_standard_normal_and_of_each_row_its_own():
    X = np.random.default_rng(0).normal(size=(3000, 2))
    noise = noise_of(X, 4, 2, 0)
    flat = noise.transpose(0, 2, 1).reshape(8, -1)
    assert np.abs(flat.mean(axis=1)).max() < 0.07
    assert_allclose(np.cov(flat), np.eye(8), atol=0.07)
    neighbours = np.corrcoef(noise[0, :-1, 0], noise[0, 1:, 0])[0, 1]
    assert abs(neighbours) < 0.06
    # Rounding of other machines, and the sign of zero, change nothing.
    off = 1 + 1e-15 * np.random.default_rng(1).normal(size=X.shape)
    assert_array_equal(noise_of(X * off, 4, 2, 0), noise)
    zero = np.array([[0.0, 1.0], [0.0, 0.0]])
    assert_array_equal(
        noise_of(zero, 1, 2, 0), noise_of(-1 * zero * [1, -1], 1, 2, 0)
    )


@pytest.mark.parametrize("kind", FLOWS)
@pytest.mark.parametrize("unit_X, unit_Y", [(1, 1e-7), (1e6, 1), (1e-9, 1e9)])
def test_units_of_either_space_do_not_matter(kind, unit_X, unit_Y):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 2))
    Y = np.sin(X) + 0.1 * rng.normal(size=(60, 2))
    ends = []
    for a, b in ((1, 1), (unit_X, unit_Y)):
        if kind is GaussianFlow:
            flow = any_flow(kind, a * X, b * Y)
        else:
            flow = kind(LinearRegression(), n_samples=500, random_state=0)
            flow.fit(a * X, b * Y, Pairs(60))
        ends.append(flow.transport(a * X, noise_for(flow, X)) / b)
    assert_allclose(ends[1], ends[0], rtol=0, atol=1e-5)


def test_constant_feature_is_drawn_as_that_constant():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    Y[:, 1] = 1e9 + 0.1
    for kind in (ConditionalFlow, UnconditionalFlow):
        drawn = any_flow(kind, X, Y).sample(X, 2, 0)
        assert_allclose(drawn[..., 1], 1e9 + 0.1, rtol=1e-15)
        assert drawn[..., 0].std() > 0.1


@pytest.mark.parametrize("kind", FLOWS)
def test_velocity_is_that_of_the_path(kind):
    """Its difference quotient at the start, in standard units."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    Y = X @ [[0.5, 1], [-1, 0.5]] + 0.1 * rng.normal(size=(30, 2))
    Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    if kind is GaussianFlow:
        flow = any_flow(kind, X, Y)
    else:
        flow = kind(LinearRegression(), n_samples=500, random_state=0)
        flow.fit(X, Y, Pairs(30))
    near = flow.transport(X, noise_for(flow, X), [1e-6])[0]
    found = flow.velocity_at(X, 0, X)
    assert_allclose((near - X) / 1e-6, found, atol=1e-4)


@pytest.mark.parametrize("kind", FLOWS)
def test_data_frames_keep_their_columns_and_types_do_not_matter(kind):
    rng = np.random.default_rng(0)
    X = np.round(8 * rng.normal(size=(30, 2)))
    Y = X + rng.normal(size=(30, 2))
    flow = any_flow(kind, X, Y)
    expected = flow.sample(X, 2, 0)
    fixed = X.copy()
    fixed.flags.writeable = False
    for other in (fixed, X.astype("f4"), X.astype(int), X.tolist()):
        assert_allclose(flow.sample(other, 2, 0), expected, atol=1e-12)
    with pytest.raises(ValueError, match="X"):
        flow.sample(np.ma.masked_less(X, 0), 2, 0)
    if kind is not GaussianFlow:
        frame = pd.DataFrame(X, columns=["a", "b"])
        flow.fit(frame, Y, Pairs(30))
        assert flow.feature_names_in_.tolist() == ["a", "b"]
        assert_allclose(flow.sample(frame, 2, 0), expected, atol=1e-12)
        with pytest.raises(ValueError, match="X has the columns .* order"):
            flow.sample(frame[["b", "a"]], 2, 0)
        assert not hasattr(flow.fit(X, Y, Pairs(30)), "feature_names_in_")


@pytest.mark.parametrize("kind", FLOWS)
def test_bad_arguments_of_flows_are_named(kind):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 30, 2))
    flow = any_flow(kind, X, Y)
    noise = noise_for(flow, X)
    for times in ([], [[0.5]], [0.5, 0.2], [-0.1], [1.1], [np.nan], "soon"):
        with pytest.raises(ValueError, match="^times must"):
            flow.transport(X, noise, times)
    for n_draws in (0, -1, 2.0, True, None, "three"):
        with pytest.raises(
            ValueError, match="^n_draws is .* wanted an integer"
        ):
            flow.sample(X, n_draws)
    for rtol in (0, -1, np.inf, np.nan, "fine", True):
        with pytest.raises(ValueError, match=r"^rtol is .* wanted a float"):
            clone(flow).set_params(rtol=rtol).fit(X, Y, Pairs(30)).sample(X)
    if kind is GaussianFlow:
        with pytest.raises(ValueError, match="Y has shape .* 2 features"):
            flow.fit(X, Y[:, :1], Pairs(30))
        return
    for n_samples in (0, 2.5, True, "many"):
        with pytest.raises(ValueError, match="^n_samples is .* wanted an int"):
            clone(flow).set_params(n_samples=n_samples).fit(X, Y, Pairs(30))
    with pytest.raises(
        ValueError, match="velocity is .* no fit and no predict"
    ):
        kind([]).fit(X, Y, Pairs(30))


class Odd:
    """A coupling that draws what is given."""

    def __init__(self, rows):
        self.rows = rows

    def sample(self, n_samples, random_state=None):
        return self.rows, self.rows


@pytest.mark.parametrize(
    ("coupling", "message"),
    [
        (None, "NoneType has no method sample"),
        (object(), "object has no method sample"),
        (np.ones((5, 30)), "of 5 rows of X, which has 30"),
        (np.eye(40), "rows .* of X, which has 30"),
        (-np.eye(30), "plan: numbers of at least 0"),
        (Odd(np.zeros(7, dtype=int)), "shape \\(7,\\); wanted 50"),
        (Odd(np.zeros(50)), "array of float64"),
    ],
)
def test_what_is_no_coupling_is_refused(coupling, message):
    X = np.random.default_rng(0).normal(size=(30, 2))
    for kind in (ConditionalFlow, UnconditionalFlow):
        with pytest.raises(ValueError, match=message):
            kind(LinearRegression(), n_samples=50).fit(X, X, coupling)


@pytest.mark.parametrize("kind", [ConditionalFlow, UnconditionalFlow])
def test_plain_matrix_is_a_plan(kind):
    rng = np.random.default_rng(0)
    X, Y, plan = *rng.normal(size=(2, 30, 2)), rng.uniform(size=(30, 30))
    made = [
        kind(LinearRegression(), n_samples=300, random_state=0)
        .fit(X, Y, coupling)
        .sample(X, 1, 0)
        for coupling in (TransportPlan(plan), plan, pd.DataFrame(plan))
    ]
    assert_array_equal(made[1], made[0])
    assert_array_equal(made[2], made[0])


# --------------------------------------------------------- UnconditionalFlow


def crossing(n=400, seed=0):
    """Two classes whose straight ways cross in the middle."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    side = 2.0 * labels - 1
    spread = 0.2 * rng.normal(size=(2, n, 2))
    X = np.column_stack([-2 + 0 * side, side]) + spread[0]
    Y = np.column_stack([2 + 0 * side, -side]) + spread[1]
    return X, Y, labels


def test_unconditional_flow_exchanges_classes_that_cross():
    X, Y, labels = crossing()
    coupling = ClassCoupling.from_labels(labels, labels)
    velocity = ExtraTreesRegressor(
        20, min_samples_leaf=10, max_features=None, random_state=0
    )
    blind = UnconditionalFlow(velocity, n_samples=8000, random_state=0)
    arrived = blind.fit(X, Y, coupling).transport(X)
    kept = (arrived[:, 1] < 0) == (labels == 1)
    assert np.mean(kept) < 0.3
    told = ConditionalFlow(velocity, n_samples=8000, random_state=0)
    arrived = told.fit(X, Y, coupling).sample(X, 1, 0)[0]
    kept = (arrived[:, 1] < 0) == (labels == 1)
    assert np.mean(kept) > 0.95


def test_of_unequal_classes_the_larger_keeps_most_of_its_points():
    """Exchanged are as many as the smaller class has: 8 of 9 stay."""
    n = 2000
    small = np.arange(n) % 10 == 0
    side = np.where(small, 1.0, -1.0)
    rng = np.random.default_rng(0)
    X = np.column_stack([0 * side, side]) + 0.1 * rng.normal(size=(n, 2))
    Y = np.column_stack([0 * side, -side]) + 0.1 * rng.normal(size=(n, 2))
    flow = UnconditionalFlow(
        KNeighborsRegressor(30), n_samples=20_000, random_state=0
    )
    flow.fit(X, Y, ClassCoupling.from_labels(small, small))
    kept = (flow.transport(X[:400])[:, 1] < 0) == small[:400]
    assert abs(np.mean(kept[~small[:400]]) - 8 / 9) < 0.05


def test_unconditional_flow_asks_for_one_dimension():
    with pytest.raises(ValueError, match=r"seen 3 \(X\) and 2 \(Y\)"):
        UnconditionalFlow(LinearRegression()).fit(
            np.ones((5, 3)), np.ones((5, 2)), Pairs(5)
        )


def test_rows_beside_a_large_number_have_noise_of_their_own():
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    X = rng.normal(size=(80, 2)) + 3 * labels[:, np.newaxis]
    Y = rng.normal(size=(80, 2))
    stamps = 1.7e9 + rng.uniform(0, 1000, size=(80, 1))
    stamped = np.hstack([X, stamps])
    # Draws that depend on a row by its noise alone.
    learned = ConditionalFlow(DummyRegressor(), random_state=0)
    learned.fit(stamped, Y, Pairs(80))
    exact = GaussianFlow(ClassGaussians(np.zeros((1, 2)), np.eye(2)))
    for flow in (learned, exact):
        drawn = flow.sample(stamped, 1, 0)[0]
        assert len(np.unique(drawn.round(9), axis=0)) == 80


@pytest.mark.parametrize("unit", [1e-170, 1e-3, 1024.0, 1e160])
def test_draws_do_not_depend_on_the_unit_of_the_source(unit):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(80, 3)), rng.normal(size=(80, 2))
    flow = ConditionalFlow(LinearRegression(), random_state=0)
    plain = clone(flow).fit(X, Y, Pairs(80)).sample(X, 2, 0)
    scaled = clone(flow).fit(unit * X, unit * Y, Pairs(80))
    found = scaled.sample(unit * X, 2, 0) / unit
    same = np.isclose(found, plain, atol=1e-6).all(axis=(0, 2))
    assert same.mean() > 0.98


def test_rows_that_are_never_drawn_have_no_say():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 2)), rng.normal(size=(41, 2))
    plan = np.pad(np.eye(40), ((0, 0), (0, 1)))
    flow = ConditionalFlow(LinearRegression(), random_state=0)
    wanted = clone(flow).fit(X, Y, plan).sample(X, 2, 0)
    Y[-1] = 1e6
    assert_allclose(clone(flow).fit(X, Y, plan).sample(X, 2, 0), wanted)


@pytest.mark.parametrize("kind", [ConditionalFlow, UnconditionalFlow])
def test_one_target_feature_is_no_reason_to_warn(kind):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 1)), rng.normal(size=(40, 1))
    flow = kind(ExtraTreesRegressor(3, random_state=0), n_samples=500)
    assert flow.fit(X, Y, Pairs(40)).sample(X).shape == (1, 40, 1)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_noise_belongs_to_a_row_and_not_to_its_rounding(unit):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 12)) * 10.0 ** rng.integers(-3, 4, size=12)
    X[:, 3] = 0.0
    X[0] = 0.0
    X = unit * X
    noise = noise_of(X, 1, 2, 0)[0]
    assert len(np.unique(noise, axis=0)) == 300
    size = np.abs(X).max(axis=1, keepdims=True)
    rounded = X + 1e-16 * size * rng.choice([-1, 1], size=X.shape)
    same = (noise_of(rounded, 1, 2, 0)[0] == noise).all(axis=1)
    assert same.mean() > 0.99
