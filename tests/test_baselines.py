"""Baselines against equations, closed forms and other libraries."""

from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import orthogonal_procrustes, svd
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn import cross_decomposition
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from perfalign import PerfectAlignment
from perfalign.baselines import (
    CSA,
    ContrastiveAlignment,
    CrossDecomposition,
    ProcrustesAlignment,
    RidgeTranslation,
    ShuffledPairs,
    Unaligned,
    _contrastive,
    infonce,
)
from perfalign.datasets import make_gaussian_views

TWO_VIEWS = [
    ContrastiveAlignment(2, max_iter=5, random_state=0),
    CrossDecomposition(cross_decomposition.CCA(2)),
    ProcrustesAlignment(2),
    RidgeTranslation(),
    Unaligned(2),
]
ALL = [*TWO_VIEWS, CSA(2), ShuffledPairs(ProcrustesAlignment(2), 0)]


def name_of(value):
    return type(value).__name__


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def views():
    """90 items, of which the views differ in width, scale and origin."""
    X, Y = make_gaussian_views(90, (5, 4), noise=0.5, random_state=0).views
    return [X + 3, 10 * Y - 7]


def centred(views):
    return [view - view.mean(axis=0) for view in views]


def up_to_sign(found, wanted):
    """Give every row of `found` the sign that `wanted` has."""
    return found * np.sign(np.sum(found * wanted, axis=1, keepdims=True))


def derivative(function, x, h=1e-5):
    """Central differences."""
    steps = h * np.eye(len(x))
    return [(function(x + e) - function(x - e)) / (2 * h) for e in steps]


# InfoNCE


@pytest.mark.parametrize("tau", [1e-3, 0.2, 1.0, 30.0])
def test_infonce_is_the_cross_entropy_of_the_partner(rng, tau):
    u, v = rng.normal(size=(2, 30, 3))
    s = u @ v.T / tau
    rows, columns = log_softmax(s, axis=1), log_softmax(s, axis=0)
    wanted = -(np.trace(rows) + np.trace(columns)) / (2 * 30)
    assert infonce(u, v, tau)[0] == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("tau", [0.2, 1.0, 3.0])
def test_infonce_gradient_is_the_derivative(rng, tau):
    u, v = rng.normal(size=(2, 12, 3))

    def loss(x):
        return infonce(*x[:-1].reshape(2, 12, 3), np.exp(x[-1]))[0]

    _, (by_u, by_v), by_log_tau = infonce(u, v, tau)
    found = np.concatenate([by_u.ravel(), by_v.ravel(), [by_log_tau]])
    x = np.concatenate([u.ravel(), v.ravel(), [np.log(tau)]])
    assert_allclose(found, derivative(loss, x), atol=1e-8)


def test_infonce_gradient_is_the_contrastive_covariance(rng, views):
    X, Y = centred(views)
    A, B, tau = rng.normal(size=(2, 5)), rng.normal(size=(2, 4)), 40.0
    s = X @ A.T @ B @ Y.T / tau
    weights = (softmax(s, axis=1) + softmax(s, axis=0)) / 2
    covariance = sum(
        ((i == j) - weights[i, j]) * np.outer(Y[j], X[i]) / 90
        for i, j in np.ndindex(90, 90)
    )
    _, (by_u, _), _ = infonce(X @ A.T, Y @ B.T, tau)
    wanted = -B @ covariance / tau
    assert_allclose(by_u.T @ X, wanted, atol=1e-12 * np.abs(wanted).max())


def test_vanishing_encoders_see_the_plain_covariance(rng, views):
    X, Y = views  # not centred: even weights do it
    A, B, tau = rng.normal(size=(2, 5)), rng.normal(size=(2, 4)), 0.5
    wanted = -B @ np.cov(Y.T, X.T, bias=True)[:4, 4:] / tau
    errors = []
    for size in (0.0, 1e-5, 1e-6, 1e-7):
        _, (by_u, _), _ = infonce(size * X @ A.T, Y @ B.T, tau)
        error = np.linalg.norm(by_u.T @ X - wanted)
        errors.append(error / np.linalg.norm(wanted))
    assert errors[0] < 1e-13
    assert_allclose(errors[2:], np.divide(errors[1:3], 10), rtol=0.02)


@pytest.mark.parametrize(
    "queries, keys, tau, message",
    [
        (np.ones((3, 2)), np.ones((3, 3)), 1, r"\(3, 2\) .* \(3, 3\)"),
        (np.ones((3, 2)), np.full((3, 2), np.nan), 1, "keys: .* NaN"),
        (np.ones((3, 2)), np.ones((3, 2)), 0, "temperature is 0; wanted"),
        (np.ones((3, 2)), np.ones((3, 2)), np.nan, "temperature is nan"),
    ],
)
def test_infonce_refuses(queries, keys, tau, message):
    with pytest.raises(ValueError, match=message):
        infonce(queries, keys, tau)


# Contrast


def objective(views, batch_size, seed=0):
    """What a fit hands to SciPy."""
    fit = ContrastiveAlignment(
        batch_size=batch_size, max_iter=1, random_state=seed
    )
    with patch.object(_contrastive, "minimize", wraps=minimize) as call:
        fit.fit(views)
    return call.call_args.args[0]


@pytest.mark.parametrize("batch_size", [None, 25])
def test_contrastive_follows_its_exact_gradient(rng, views, batch_size):
    loss = objective(views, batch_size)
    for _ in range(3):
        x = np.append(rng.normal(size=18), rng.uniform(-2, 1))
        wanted = derivative(lambda x: loss(x)[0], x)
        assert_allclose(loss(x)[1], wanted, atol=1e-8 * np.ptp(wanted))


@pytest.mark.parametrize(
    "batch_size, sizes",
    [(None, [90]), (20, [23, 23, 22, 22]), (90, [90]), (500, [90])],
)
def test_guessing_costs_the_log_of_a_batch(views, batch_size, sizes):
    loss, gradient = objective(views, batch_size)(np.zeros(19))
    assert loss == pytest.approx(np.dot(sizes, np.log(sizes)) / 90, rel=1e-14)
    assert_allclose(gradient, 0, atol=0)


def test_contrastive_ends_where_nothing_is_gained(rng):
    views = make_gaussian_views(60, (3, 3), noise=2, random_state=0).views
    fit = ContrastiveAlignment(max_iter=2000, random_state=0).fit(views)
    assert fit.n_iter_ < 2000
    encoders, tau = fit.encoders_, fit.temperature_
    latents = fit.transform(views)
    assert_allclose(np.linalg.norm(latents, axis=2), 1, rtol=1e-14)
    assert infonce(*latents, tau)[0] == pytest.approx(fit.loss_, rel=1e-10)
    for size in 20 * [1e-3, 1e-2, 1e-1]:
        fit.encoders_ = [
            A + size * np.linalg.norm(A) * rng.normal(size=A.shape)
            for A in encoders
        ]
        moved = tau * np.exp(size * rng.normal())
        assert infonce(*fit.transform(views), moved)[0] > fit.loss_ - 1e-7


@pytest.mark.parametrize("batch_size, deals", [(None, 1), (25, 3)])
def test_batches_are_dealt_at_random(rng, views, batch_size, deals):
    x = rng.normal(size=19)
    losses = [objective(views, batch_size, seed)(x)[0] for seed in range(3)]
    assert len(np.unique(np.round(losses, 10))) == deals


@pytest.mark.parametrize(
    "scale, batch_size, atol",
    [(1.0, 90, 0), (2.0**20, None, 0), (1e6, None, 1e-9)],
)
def test_units_and_a_batch_of_all_change_nothing(
    views, scale, batch_size, atol
):
    wanted = ContrastiveAlignment(max_iter=10, random_state=0).fit(views)
    fit = clone(wanted).set_params(batch_size=batch_size)
    scaled = [scale * views[0], views[1] / scale]
    latents = fit.fit(scaled).transform(scaled)
    assert_allclose(latents, wanted.transform(views), rtol=0, atol=atol)
    for A, B in zip(fit.encoders_, wanted.encoders_):
        assert_allclose(A, B, rtol=0, atol=atol * np.abs(B).max())


@pytest.mark.parametrize("temperature", [0.03, 1.0, 100.0])
def test_a_fixed_temperature_stays_and_the_encoders_are_best_for_it(
    temperature,
):
    views = make_gaussian_views(60, (3, 3), noise=2, random_state=0).views
    fit = ContrastiveAlignment(
        temperature=temperature,
        learn_temperature=False,
        max_iter=1000,
        random_state=0,
    ).fit(views)
    assert fit.temperature_ == pytest.approx(temperature, rel=1e-14)
    loss = objective(views, None)
    x = np.append(np.hstack([A.ravel() for A in fit.encoders_]), 0)
    x[-1] = np.log(temperature)
    value, gradient = loss(x)
    assert value == pytest.approx(fit.loss_, rel=1e-12)
    start = np.append(rng_start(views), np.log(temperature))
    assert_allclose(
        gradient[:-1], 0, atol=0.01 * np.linalg.norm(loss(start)[1][:-1])
    )


def rng_start(views):
    """Where a fit of seed 0 begins."""
    with patch.object(_contrastive, "minimize", wraps=minimize) as call:
        ContrastiveAlignment(max_iter=1, random_state=0).fit(views)
    return call.call_args.args[1][:-1]


@pytest.mark.parametrize("ridge", [0.01, 1.0, 100.0])
def test_a_ridge_is_descent_in_whitened_views(views, ridge):
    """Whitened by hand, what is left to fit has no ridge."""
    factors, whitened = [], []
    for x in centred(views):
        C, d = x.T @ x / 90, x.shape[1]
        L = np.linalg.cholesky(C + ridge * np.trace(C) / d * np.eye(d))
        factors.append(L)
        whitened.append(np.linalg.solve(L, x.T).T)
    plain = ContrastiveAlignment(max_iter=5, random_state=0).fit(whitened)
    fit = clone(plain).set_params(ridge=ridge).fit(views)
    for found, wanted in zip(fit.transform(views), plain.transform(whitened)):
        assert_allclose(found, wanted, atol=1e-9)
    for A, B, L in zip(fit.encoders_, plain.encoders_, factors):
        assert_allclose(A @ L, B, atol=1e-9 * np.abs(B).max())
    shift, scale = 7.0, [8.0, 0.25]
    moved = [c * view + shift for c, view in zip(scale, views)]
    found = clone(fit).fit(moved).transform(moved)
    assert_allclose(found, fit.transform(views), atol=1e-9)


def test_with_a_vanishing_ridge_no_column_has_a_unit(views):
    scaled = [view * 2.0 ** np.arange(view.shape[1]) for view in views]
    small, none = (
        [
            ContrastiveAlignment(
                max_iter=5, ridge=ridge, random_state=0
            ).fit_transform(x)
            for x in (views, scaled)
        ]
        for ridge in (1e-14, None)
    )
    assert_allclose(*small, atol=1e-5)
    assert np.abs(np.subtract(*none)).max() > 0.1


def test_no_ridge_is_the_limit_of_a_large_one(views):
    none = ContrastiveAlignment(max_iter=5, random_state=0)
    large = clone(none).set_params(ridge=1e12)
    assert_allclose(
        large.fit_transform(views), none.fit_transform(views), atol=1e-8
    )


# The others


def test_procrustes_is_the_orthogonal_procrustes_rotation():
    views = make_gaussian_views(80, (4, 4), noise=1, random_state=0).views
    A, B = ProcrustesAlignment().fit(views).encoders_
    wanted, _ = orthogonal_procrustes(*centred(views))
    spreads = [np.sqrt(np.mean(x**2)) for x in centred(views)]
    assert_allclose(A.T @ B * np.prod(spreads), wanted, atol=1e-12)


def test_procrustes_is_partial_least_squares_in_units_of_spread(views):
    fit = ProcrustesAlignment(3).fit(views)
    pls = cross_decomposition.PLSSVD(3, scale=False).fit(*views)
    weights = [pls.x_weights_.T, pls.y_weights_.T]
    for A, W, x in zip(fit.encoders_, weights, centred(views)):
        A = A * np.sqrt(np.mean(x**2))
        assert_allclose(A @ A.T, np.eye(3), atol=1e-13)
        assert_allclose(up_to_sign(A, W), W, atol=1e-12)
    u, v = fit.transform(views)
    assert (np.sum(u * v, axis=0) > 0).all()


@pytest.mark.parametrize("source, target", [(0, 1), (1, 0)])
@pytest.mark.parametrize("ridge", [1e-6, 0.1, 10.0])
def test_translation_solves_the_normal_equations(views, source, target, ridge):
    fit = RidgeTranslation(source, target, ridge=ridge).fit(views)
    given, wanted = (centred(views)[m] for m in (source, target))
    d = given.shape[1]
    C = given.T @ given / 90
    C_ridge = C + ridge * np.trace(C) / d * np.eye(d)
    A = np.linalg.solve(C_ridge, given.T @ wanted / 90).T
    assert_allclose(fit.encoders_[source], A, rtol=1e-9, atol=1e-12)
    latents = fit.transform(views)
    assert_allclose(latents[target], wanted, atol=1e-13)
    assert_allclose(latents[source], given @ A.T, atol=1e-9)


def test_csa_compares_by_the_weighted_cosine(views):
    bases = [svd(x, full_matrices=False)[0] for x in centred(views)]
    P, rho, Qt = svd(bases[0].T @ bases[1])
    a, b = bases[0] @ P[:, :3], bases[1] @ Qt[:3].T
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    u, v = CSA(3).fit(views).transform(views)
    assert_allclose(u @ v.T, (a * rho[:3]) @ b.T, atol=1e-10)


@pytest.mark.parametrize("k, ridge", [(2, 0.0), (2, 0.1), (None, 0.0)])
def test_csa_follows_the_alignment(k, ridge):
    views = make_gaussian_views(60, (4, 3), random_state=0).views
    alignment = PerfectAlignment(k, ridge=ridge).fit(views)
    a, b = alignment.transform(views)
    rho = alignment.canonical_correlations_[:2]
    lengths = np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
    u, v = CSA(k, ridge=ridge).fit(views).transform(views)
    assert_allclose(u @ v.T, (a * rho) @ b.T / lengths, atol=1e-14)


def test_unaligned_is_the_whitened_pca_of_each_view(views):
    fit = Unaligned(3).fit(views)
    for x, z, A in zip(views, fit.transform(views), fit.encoders_):
        assert_allclose(np.cov(z.T, bias=True), np.eye(3), atol=1e-12)
        # scikit-learn divides by n - 1.
        wanted = PCA(3, whiten=True).fit_transform(x).T * np.sqrt(90 / 89)
        assert_allclose(up_to_sign(z.T, wanted), wanted, atol=1e-11)
        assert (A.max(axis=1) == np.abs(A).max(axis=1)).all()


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("columns", [1, 4])
@pytest.mark.parametrize("name", cross_decomposition.__all__)
def test_cross_decomposition_is_the_model(views, name, columns, scale):
    views = [views[0], views[1][:, :columns]]
    model = getattr(cross_decomposition, name)(min(2, columns), scale=scale)
    fit = CrossDecomposition(model).fit(views)
    assert not hasattr(model, "n_features_in_")
    unseen = [view[:7] + 1 for view in views]
    wanted = model.fit(*views).transform(*unseen)
    for z, w in zip(fit.transform(unseen), wanted):
        assert_allclose(z, w, atol=1e-10 * np.abs(w).max())


def test_shuffled_pairs_align_permuted_rows(views):
    three = [*views, views[0] ** 2]
    plain = PerfectAlignment(3)
    shuffled = ShuffledPairs(plain, random_state=0).fit(three)
    assert not hasattr(plain, "encoders_")
    permuted = np.random.RandomState(0).permutation
    pairs = [three[0], *(x[permuted(90)] for x in three[1:])]
    plain.fit(pairs)
    assert_allclose(shuffled.transform(three), plain.transform(three), rtol=0)


def test_shuffled_pairs_keep_the_precision_of_the_views(rng):
    flat = rng.normal(size=(90, 2)) @ rng.normal(size=(2, 4))
    views = [np.float32(rng.normal(size=(90, 3))), np.float32(flat)]
    shuffled = ShuffledPairs(PerfectAlignment(2), random_state=0).fit(views)
    assert list(shuffled.alignment_.ranks_) == [3, 2]


# All of them


@pytest.mark.parametrize("baseline", ALL, ids=name_of)
def test_latents_are_the_same_one_by_one(views, baseline):
    before = [view.copy() for view in views]
    fit = clone(baseline).fit(views)
    latents = fit.transform(views)
    few = fit.transform([view[40:42] for view in views])
    for m in (0, 1):
        alone = fit.transform_view(views[m], m)
        assert_allclose(alone, latents[m], rtol=0)
        assert_allclose(few[m], latents[m][40:42], atol=1e-12)
        assert_allclose(views[m], before[m], rtol=0)


@pytest.mark.parametrize("baseline", ALL, ids=name_of)
def test_a_clone_is_unfitted_and_fits_the_same(views, baseline):
    fit = clone(baseline).fit(views)
    twin = clone(fit)
    assert repr(twin.get_params()) == repr(baseline.get_params())
    for call in (twin.transform, lambda x: twin.transform_view(x[0], 0)):
        with pytest.raises(NotFittedError, match=name_of(baseline)):
            call(views)
    wanted = fit.transform(views)
    assert_allclose(twin.fit(views).transform(views), wanted, rtol=0)


@pytest.mark.parametrize("baseline", ALL, ids=name_of)
def test_origins_make_no_difference(views, baseline):
    wanted = clone(baseline).fit(views).transform(views)
    moved = [view + 1024 * np.arange(view.shape[1]) for view in views]
    found = clone(baseline).fit(moved).transform(moved)
    assert_allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("baseline", ALL, ids=name_of)
@pytest.mark.parametrize(
    "change, message",
    [
        (lambda X, Y: [X, np.where(Y > 9, np.nan, Y)], "view 1: .* NaN"),
        (lambda X, Y: [X[:-1], Y], "view 0: 89 rows, view 1: 90 rows"),
        (lambda X, Y: [X, Y[:1].repeat(90, axis=0)], "[Vv]iew 1 "),
        (lambda X, Y: [X], "at least two views; seen 1"),
        (lambda X, Y: np.hstack([X, Y]), "list of matrices.* seen ndarray"),
    ],
    ids=["nan", "rows", "constant", "one", "array"],
)
def test_fit_refuses(views, baseline, change, message):
    with pytest.raises(ValueError, match=message):
        clone(baseline).fit(change(*views))


@pytest.mark.parametrize("baseline", TWO_VIEWS, ids=name_of)
def test_three_views_are_refused(views, baseline):
    with pytest.raises(ValueError, match="aligns two views; seen 3"):
        clone(baseline).fit([*views, views[0]])


@pytest.mark.parametrize("baseline", ALL, ids=name_of)
def test_transform_refuses(views, baseline):
    fit = clone(baseline).fit(views)
    with pytest.raises(ValueError, match=r"view 0 .*\(90, 4\).* 5 features"):
        fit.transform(views[::-1])
    with pytest.raises(ValueError, match="Seen 3 views; wanted 2"):
        fit.transform([*views, views[0]])
    with pytest.raises(ValueError, match=r"view 1 .*\(90, 5\).* 4 features"):
        fit.transform_view(views[0], 1)
    for view in (2, -1, "text"):
        with pytest.raises(ValueError, match=f"no view {view!r}"):
            fit.transform_view(views[0], view)


@pytest.mark.parametrize(
    "baseline, message",
    [
        (ContrastiveAlignment(5), "5; wanted .* 1 to 4, the features"),
        (ContrastiveAlignment(temperature=1e-3), "0.001; wanted .*0.01, 100"),
        (ContrastiveAlignment(temperature=1e3), "1000.0; wanted .* 100"),
        (
            ContrastiveAlignment(batch_size=1),
            "1; wanted an int in the range .2, inf. or None",
        ),
        (ContrastiveAlignment(ridge=0), "ridge is 0; wanted a float .* None"),
        (ContrastiveAlignment(learn_temperature=1), "is 1; wanted .*bool"),
        (
            ContrastiveAlignment(max_iter=0),
            "0; wanted an int in the range .1, inf.",
        ),
        (ProcrustesAlignment(0), "0; wanted an int .* or None"),
        (ProcrustesAlignment(5), "5; wanted .* 1 to 4, the features"),
        (Unaligned(2.0), "2.0; wanted an int in the range .1, inf."),
        (Unaligned(True), "True; wanted an int"),
        (Unaligned(5), "5; wanted an integer from 1 to 4, the rank"),
        (RidgeTranslation(1, 1), "source is 1 and target is 1; wanted 0"),
        (RidgeTranslation(1, 2), "target is 2; wanted .* among"),
        (RidgeTranslation(ridge=0), "ridge is 0; wanted a float"),
        (RidgeTranslation(ridge=np.inf), "ridge is inf; wanted a float"),
    ],
)
def test_parameters_are_refused(views, baseline, message):
    with pytest.raises(ValueError, match=message):
        baseline.fit(views)
    with pytest.raises(NotFittedError):
        baseline.transform(views)


@pytest.mark.parametrize("baseline", TWO_VIEWS[1:], ids=name_of)
def test_a_linear_baseline_takes_another_gauge(views, baseline):
    fit = clone(baseline).fit(views)
    k = fit.n_components_
    G, g = np.triu(np.ones((k, k))), np.arange(k)
    mapped = fit.with_gauge(G, g).transform(views)
    for z, w in zip(fit.transform(views), mapped):
        assert_allclose(w, z @ G.T + g, atol=1e-10)
