"""Flows from noise, exact and learned, and what the warning is about."""

import numpy as np
import ot
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression

from perfalign import (
    ClassCoupling,
    ClassGaussians,
    ConditionalFlow,
    GaussianFlow,
    UnconditionalFlow,
)
from perfalign._noise_flow import integrate


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
    path = integrate(lambda y, t: y @ turn, start, 1e-10, [0.0, 0.5, 1.0])
    for t, seen in zip((0.0, 0.5, 1.0), path):
        c, s = np.cos(t), np.sin(t)
        assert_allclose(seen, start @ [[c, s], [-s, c]], rtol=0, atol=1e-8)


def test_flow_without_end_is_refused():
    with pytest.raises(ValueError, match="cannot be followed"):
        integrate(lambda y, t: y**2, np.full((1, 1), 2.0), 1e-6)


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
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()


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
            found = flow.velocity([[point]], t, np.zeros((1, 1)))
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
        return flow.velocity(y, t, np.zeros((len(y), 1))) * density(
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
        GaussianFlow(mixture, other)


def test_flat_class_is_refused():
    mixture = ClassGaussians([[0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="class 0 is singular"):
        GaussianFlow(mixture)


# ----------------------------------------------------------- ConditionalFlow


def test_learned_flow_nears_the_exact_one():
    source, target = classes(1), classes(2)
    X, labels_X = source.sample(1000, random_state=0)
    Y, labels_Y = target.sample(1000, random_state=1)
    coupling = ClassCoupling.from_labels(labels_X, labels_Y)
    flow = ConditionalFlow(n_samples=20_000, random_state=0)
    flow.fit(X, Y, coupling)
    units = target.push_forward(
        np.diag(1 / flow.scale_), -flow.mean_ / flow.scale_
    )
    # What the coupling says of x is what a classifier of its labels would.
    exact = GaussianFlow(units, LinearDiscriminantAnalysis().fit(X, labels_X))
    noise = np.random.default_rng(0).normal(size=Y.shape)
    gap = flow.transport(X, noise) - flow.mean_
    gap = gap / flow.scale_ - exact.transport(X, noise)
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
    rows = np.argmax((x[:, None] == X).all(axis=2), axis=1)
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
    arrived = blind.fit(X, Y, coupling).predict(X)
    kept = (arrived[:, 1] < 0) == (labels == 1)
    assert np.mean(kept) < 0.3
    told = ConditionalFlow(velocity, n_samples=8000, random_state=0)
    arrived = told.fit(X, Y, coupling).sample(X, 1, 0)[0]
    kept = (arrived[:, 1] < 0) == (labels == 1)
    assert np.mean(kept) > 0.95


def test_unconditional_flow_asks_for_one_dimension():
    with pytest.raises(ValueError, match=r"seen 3 \(X\) and 2 \(Y\)"):
        UnconditionalFlow(LinearRegression()).fit(
            np.ones((5, 3)), np.ones((5, 2)), Pairs(5)
        )
