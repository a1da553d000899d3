"""What chapters 4 to 6 state, and the cases by which it was corrected."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import ortho_group
from sklearn.linear_model import LinearRegression

from perfalign import (
    CollapseWarning,
    GaussianTransfer,
    PerfectAlignment,
    existence_report,
    explained_variance,
    reconstruction_error,
    relative_alignment_error,
)
from perfalign.datasets import load_digit_halves, make_gaussian_views
from perfalign.mixtures import ClassGaussians

PAPER = {"constraint": "orthonormal", "center": False}


def centred(x):
    return x - x.mean(axis=0)


def share_explained(view, latents):
    """Pooled R² of the best affine reconstruction."""
    x, z = centred(view), centred(latents)
    rest = x - z @ np.linalg.lstsq(z, x, rcond=None)[0]
    return 1 - np.sum(rest**2) / np.sum(x**2)


# ---------------------------------------------------- chapter 4: the nearest


def smallest_rows(X, k):
    return np.linalg.svd(X)[0][:, -k:].T


def shared(X, d1):
    return existence_report([X[:d1].T, X[d1:].T], center=False)


def test_nearest_data_with_a_null_space_may_share_nothing():
    q = np.linalg.qr(np.random.default_rng(0).normal(size=(9, 3)))[0].T
    X = np.vstack([q[0], 0.01 * q[1], -(0.8 * q[0] + 0.6 * q[2])])
    a = smallest_rows(X, 1)
    nearest = X - a.T @ a @ X
    assert np.linalg.norm(X - nearest) == pytest.approx(0.01, rel=1e-12)
    # The correction deletes the quiet channel: its latents are all zero.
    assert_allclose(a[:, :2] @ nearest[:2], 0, atol=1e-15)
    assert_allclose(nearest, X * [[1], [0], [1]], atol=1e-15)
    assert shared(X * [[1], [0], [1]], 2).shared_dimension == 0
    # A trace of the partner in its place is shared, however faint.
    for size in (0.1, 1e-3, 1e-6):
        near = np.vstack([q[0], -size * X[2], X[2]])
        assert shared(near, 2).shared_dimension == 1
        distance = np.hypot(0.01, size)
        assert np.linalg.norm(X - near) == pytest.approx(distance, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_data_that_share_k_signals_lie_as_near_as_data_with_a_null_space(seed):
    """The construction in the proof of prop-nearest-shared."""
    rng = np.random.default_rng(seed)
    d1, k, n = 4, 2, 12
    # Two quiet channels draw the rows of A into modality 1.
    X = rng.normal(size=(7, n)) * np.r_[1, 1, 1e-3, 1e-3, 1, 1, 1][:, None]
    A = smallest_rows(X, k)
    bound = np.sqrt(np.sum(np.linalg.svd(X)[1][-k:] ** 2))
    excess = []
    for t in (1e-2, 1e-4, 1e-6):
        A_t = A + t * rng.normal(size=A.shape)
        near = X - A.T @ A @ X
        near -= np.linalg.pinv(A_t) @ A_t @ near
        shift = 1e-3 * t * rng.normal(size=(k, n))
        near[:d1] += np.linalg.pinv(A_t[:, :d1]) @ shift
        near[d1:] -= np.linalg.pinv(A_t[:, d1:]) @ shift
        latents = A_t[:, :d1] @ near[:d1]
        assert_allclose(A_t @ near, 0, atol=1e-12)
        assert np.linalg.matrix_rank(latents, tol=1e-12) == k
        excess.append(np.linalg.norm(X - near) - bound)
    assert min(excess) > -1e-12
    assert excess[-1] < 1e-4


# ------------------------------------------- chapter 4: whitening and silence


def factorial(n_factors):
    """All combinations of factors ±1; columns are the factors."""
    return np.array(list(product([-1.0, 1.0], repeat=n_factors))).T


@pytest.mark.filterwarnings("ignore::perfalign.CollapseWarning")
@pytest.mark.parametrize("second", ["c", "cd"])
def test_without_correlation_only_the_pool_has_unit_covariance(second):
    a, b, c, d = factorial(4)
    partners = {"c": [a, c], "cd": [a, c, d]}[second]
    views = [np.c_[a, b], np.column_stack(partners)]
    alignment = PerfectAlignment(2).fit(views)
    rho = alignment.canonical_correlations_[:2]
    assert_allclose(rho, [1, 0], atol=1e-12)
    latents = alignment.transform(views)
    covariances = [np.cov(z.T, bias=True) for z in latents]
    assert_allclose(np.mean(covariances, axis=0), np.eye(2), atol=1e-12)
    # (2/k) Σ (1 − ρ) holds all the same.
    assert relative_alignment_error(latents) == pytest.approx(1, abs=1e-12)
    # The rows (b, 0) and (0, c) cost what the pair (b, c) costs.
    Q = [np.linalg.qr(centred(view))[0].T for view in views]
    stack = np.vstack([Q[0], -Q[1]])
    for row in ([0, 1, 0, 0], [0, 0, 0, 1], [0, 0.5**0.5, 0, 0.5**0.5]):
        row = np.pad(np.array(row), (0, len(stack) - 4))
        assert np.sum((row @ stack) ** 2) == pytest.approx(1)


def test_a_modality_that_is_left_out_is_warned_of():
    a, b, c = factorial(3)
    views = [np.c_[b, a + b], np.c_[a, c]]
    with pytest.warns(CollapseWarning, match="view 1 have rank 1, below"):
        latents = PerfectAlignment(2).fit_transform(views)
    # b says more of its view than c, so of the tie it comes first.
    for z, expected in zip(latents, ([1, 2], [1, 0])):
        assert_allclose(np.cov(z.T, bias=True), np.diag(expected), atol=1e-12)


@pytest.mark.parametrize("rho", [(0.8, 0.5), (0.6, 0.6), (1.0, 0.3)])
def test_with_positive_correlation_each_modality_has_unit_covariance(rho):
    """Ties included: a, b carry the signals, c, d make the correlation."""
    a, b, c, d = factorial(4)
    rho = np.array(rho)
    partner = rho * np.c_[a, b] + np.sqrt(1 - rho**2) * np.c_[c, d]
    turn = np.array([[2.0, 1.0], [0.5, -1.0]])
    views = [np.c_[a, b] @ turn, partner]
    latents = PerfectAlignment(2).fit_transform(views)
    for z in latents:
        assert_allclose(np.cov(z.T, bias=True), np.eye(2), atol=1e-12)
    expected = np.sqrt(np.sum(1 - rho))
    assert relative_alignment_error(latents) == pytest.approx(
        expected, abs=1e-7
    )


def test_units_of_channels_drop_out_of_whitening_only():
    data = make_gaussian_views(300, (3, 3), noise=0.5, random_state=0)
    rescaled = [data.views[0] * [1, 1e-3, 1e3], data.views[1]]
    first, second = (
        PerfectAlignment(2).fit(views) for views in (data.views, rescaled)
    )
    assert_allclose(
        first.canonical_correlations_,
        second.canonical_correlations_,
        atol=1e-11,
    )
    for z, w in zip(first.transform(data.views), second.transform(rescaled)):
        # The same latents up to an orthogonal map.
        assert_allclose(z @ z.T, w @ w.T, atol=1e-8)
    options = {"constraint": "orthonormal"}
    before = PerfectAlignment(1, **options).fit_transform(data.views)
    loud = PerfectAlignment(1, **options).fit(rescaled)
    # The channel that was made quiet is now all that is read.
    row = np.abs(np.hstack(loud.encoders_)[0])
    assert row[1] > 0.99
    after = loud.transform(rescaled)
    assert np.corrcoef(before[0][:, 0], after[0][:, 0])[0, 1] ** 2 < 0.9


def test_random_directions_explain_k_over_r_of_whitened_space_only():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)) * [10, 5, 2, 1, 0.5, 0.1]
    white = np.linalg.qr(centred(x))[0]
    k, shares = 2, {"whitened": [], "features": []}
    for _ in range(2000):
        rows = np.linalg.qr(rng.normal(size=(6, k)))[0]
        shares["whitened"].append(share_explained(x, white @ rows))
        shares["features"].append(share_explained(x, x @ rows))
    error = np.std(shares["whitened"]) / np.sqrt(2000)
    assert abs(np.mean(shares["whitened"]) - k / 6) < 4 * error
    assert np.mean(shares["features"]) > 2 * k / 6


def test_explained_variance_does_not_favour_the_whitened_latents():
    """Between the modalities they win, within them random directions do."""
    views = load_digit_halves().views
    order = np.random.default_rng(0).permutation(len(views[0]))
    seen, held = ([x[rows] for x in views] for rows in np.split(order, [898]))

    def yardsticks(encoders):
        z = [
            (x - y.mean(axis=0)) @ A.T for x, y, A in zip(held, seen, encoders)
        ]
        return np.array(
            [
                [share_explained(x, w) for x, w in zip(held, z)],
                [share_explained(x, w) for x, w in zip(held, z[::-1])],
                [relative_alignment_error(z)] * 2,
            ]
        )

    with pytest.warns(CollapseWarning):
        paper = PerfectAlignment(8, **PAPER).fit(seen)
    paper = yardsticks(paper.encoders_)
    whitened_encoders = PerfectAlignment(8).fit(seen).encoders_
    whitened = yardsticks(whitened_encoders)
    rng = np.random.default_rng(0)
    directions = [
        [np.linalg.qr(rng.normal(size=(32, 8)))[0].T for _ in held]
        for _ in range(20)
    ]
    chance = np.mean([*map(yardsticks, directions)], axis=0)
    own, other, error = 0, 1, 2
    # Nor do they where every pixel counts alike, as in the package.
    shares = [
        [explained_variance(x, (x @ A.T)) for x, A in zip(held, encoders)]
        for encoders in (whitened_encoders, *directions)
    ]
    assert (shares[0] < np.mean(shares[1:], axis=0) + 0.01).all()
    assert (chance[own] > whitened[own]).all()
    assert (whitened[other] > chance[other]).all()
    assert (chance[other] > paper[other]).all()
    assert (whitened[error] < 1).all()
    assert_allclose(paper[error], 2**0.5, atol=0.05)


def moments_as_in_the_limit(P, noise, n_factors):
    """Items whose sample moments are exactly those of the linear model."""
    k = P[0].shape[1]
    factors = factorial(n_factors)
    z = factors[:k].T
    rest = iter(factors[k:])
    eps = [np.column_stack([next(rest) for _ in p]) * noise for p in P]
    return z, [z @ p.T + e for p, e in zip(P, eps)]


@pytest.mark.parametrize("d", [2, 3])
def test_equal_noise_is_seen_through_if_no_channel_is_spare(d):
    """prop-consistency, with the moments of the limit."""
    rng = np.random.default_rng(0)
    k = 2
    P = [rng.normal(size=(d, k)) for _ in range(2)]
    stack = np.vstack([P[0], -P[1]])
    assert 2 * d - np.linalg.matrix_rank(stack.T) == 2 * d - k
    z, views = moments_as_in_the_limit(P, 0.7, k + 2 * d)
    encoders = PerfectAlignment(k, **PAPER).fit(views).encoders_
    maps = [A @ p for A, p in zip(encoders, P)]
    whitened = PerfectAlignment(k).fit(views)
    # Agreement is exact for k rows of the noise-free null space, and these
    # are a unique choice only if its dimension is k, d_1 = d_2 = k.
    assert_allclose(maps[0], maps[1], atol=1e-12)
    spectrum = np.linalg.svd(np.vstack([views[0].T, -views[1].T]))[1]
    gap = spectrum[-k - 1] - spectrum[-k]
    assert (gap > 1e-3) == (d == k)
    # Second promise: the whitened latents lose nothing of the concept.
    for x, w in zip(views, whitened.transform(views)):
        best = LinearRegression().fit(x, z).predict(x)
        assert_allclose(
            LinearRegression().fit(w, z).predict(w), best, atol=1e-10
        )
    maps = [A @ p for A, p in zip(whitened.encoders_, P)]
    assert np.abs(maps[0] - maps[1]).max() > 0.01


# -------------------------------------------- chapter 5: what (P3) leaves open

FEATURES = [(2, 2), (2, 3), (3, 3), (3, 4), (4, 4), (8, 8)]


def ordered_frame(data):
    """A_0: null vectors orthogonal to the silent ones."""
    alignment = PerfectAlignment(2, **PAPER).fit(data.views)
    return np.hstack(alignment.encoders_)


@pytest.mark.parametrize("features", FEATURES)
def test_raw_singular_vectors_are_a_contraction_of_the_ordered_ones(features):
    silent = sum(features) - 4
    for seed in range(5):
        data = make_gaussian_views(50, features, random_state=seed)
        A_0 = ordered_frame(data)
        raw = PerfectAlignment(2, gauge=None, **PAPER).fit(data.views)
        A = np.hstack(raw.encoders_)
        G = A @ A_0.T
        left = np.linalg.eigvalsh(np.eye(2) - G @ G.T)
        assert left.min() > -1e-12
        assert np.count_nonzero(left > 1e-9) <= silent
        z = raw.transform(data.views)[0]
        z_0 = data.views[0] @ A_0[:, : features[0]].T
        assert_allclose(z, z_0 @ G.T, atol=1e-10)
        assert relative_alignment_error(raw.transform(data.views)) < 1e-10


def test_every_contraction_occurs_where_six_features_carry_two_concepts():
    rng = np.random.default_rng(0)
    data = make_gaussian_views(200, random_state=0)
    A_0 = ordered_frame(data)
    X = np.vstack([data.views[0].T, -data.views[1].T])
    null = np.linalg.svd(X)[0][:, 2:].T
    silent = np.linalg.svd(null - null @ A_0.T @ A_0)[2][:2]
    z_0 = data.views[0] @ A_0[:, :3].T
    extreme = [
        reconstruction_error(data.latents, z_0 @ turn(angle, mirror))
        for angle in range(360)
        for mirror in (1, -1)
    ]
    for _ in range(50):
        U, _, Vt = np.linalg.svd(rng.normal(size=(2, 2)))
        c = rng.uniform(0, 1, size=2)
        A = U @ np.diag(c) @ Vt @ A_0 + U @ np.diag(np.sqrt(1 - c**2)) @ silent
        assert_allclose(A @ A.T, np.eye(2), atol=1e-12)
        assert_allclose(A @ X, 0, atol=1e-9)
        error = reconstruction_error(data.latents, data.views[0] @ A[:, :3].T)
        assert error < max(extreme) + 1e-3


def turn(degrees, mirror):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, s], [-mirror * s, mirror * c]])


def test_numpy_and_the_package_return_solutions_of_the_same_problem():
    """Equal in what is determined, free to differ in the rest."""
    data = make_gaussian_views(random_state=0)
    x1, x2 = data.views
    X = np.vstack([x1.T, -x2.T])
    U = np.linalg.svd(X, full_matrices=False)[0]
    raw = PerfectAlignment(2, gauge=None, **PAPER).fit(data.views)
    by_package = np.hstack(raw.encoders_)
    null = U[:, -4:]
    for A in (U[:, -2:].T, by_package):
        assert_allclose(A @ A.T, np.eye(2), atol=1e-12)
        assert_allclose(A @ null @ null.T, A, atol=1e-12)
    # Another basis of the tie is another answer with another error.
    errors = []
    for T in ortho_group.rvs(4, size=200, random_state=0):
        A = (null @ T)[:, -2:].T
        z = x1 @ A[:, :3].T
        errors.append(reconstruction_error(data.latents, z))
        assert relative_alignment_error([z, x2 @ A[:, 3:].T]) < 1e-11
    size = np.linalg.norm(data.latents, axis=1).mean()
    assert max(errors) - min(errors) > size
    ordered = PerfectAlignment(2, **PAPER).fit_transform(data.views)[0]
    assert reconstruction_error(data.latents, ordered) < np.median(errors)


def test_true_inverses_find_the_concepts():
    data = make_gaussian_views(random_state=0)
    for x, P in zip(data.views, data.projections):
        z = x @ np.linalg.pinv(P).T
        assert reconstruction_error(data.latents, z) < 1e-12


def orthonormal_and_exact(P):
    """Encoders with A^m P^m = I and AAᵀ = I, or None where none exist."""
    inverses = [np.linalg.pinv(p) for p in P]
    values, vectors = np.linalg.eigh(
        np.eye(2) - sum(B @ B.T for B in inverses)
    )
    silent = [np.linalg.svd(p)[0][:, 2:].T for p in P]
    rows = [(m, row) for m, frame in enumerate(silent) for row in frame]
    if values[0] < 0 or len(rows) < 2:
        return None
    for value, vector, (m, row) in zip(values, vectors.T, rows):
        inverses[m] = inverses[m] + np.outer(np.sqrt(value) * vector, row)
    return np.hstack(inverses)


@pytest.mark.parametrize(
    "features, count", [*zip(FEATURES, [0, 0, 78, 87, 99, 100])]
)
def test_whether_an_orthonormal_solution_is_exact_hangs_on_the_features(
    features, count
):
    found = 0
    for seed in range(100):
        P = make_gaussian_views(2, features, random_state=seed).projections
        A = orthonormal_and_exact(P)
        if A is None:
            # Any exact encoders have AAᵀ ⪰ S, and rank(AAᵀ − S) at most the
            # number of silent dimensions.
            S = sum(B @ B.T for B in map(np.linalg.pinv, P))
            rest = np.linalg.eigvalsh(np.eye(2) - S)
            too_long = rest[0] < -1e-9
            no_room = np.sum(np.abs(rest) > 1e-9) > sum(features) - 4
            assert too_long or no_room
            continue
        found += 1
        assert_allclose(A @ A.T, np.eye(2), atol=1e-12)
        d1 = features[0]
        assert_allclose(A[:, :d1] @ P[0], np.eye(2), atol=1e-12)
        assert_allclose(A[:, d1:] @ P[1], np.eye(2), atol=1e-12)
    assert found == count


# ----------------------------------------------------- chapter 6: seen, unseen


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
def test_decisions_agree_on_pairs_seen_and_not_on_others():
    data = make_gaussian_views(
        1040, (50, 50), means=[[-1.5, 0], [1.5, 1]], noise=15, random_state=0
    )
    seen, others = zip(*((x[:40], x[40:]) for x in data.views))
    alignment = PerfectAlignment(2).fit(seen)
    transfer = GaussianTransfer(alignment)
    transfer.fit(seen[0], data.labels[:40], view=0)
    on_seen, on_others = (
        [transfer.predict(x, view=m) for m, x in enumerate(views)]
        for views in (seen, others)
    )
    assert (on_seen[0] == on_seen[1]).all()
    assert np.mean(on_others[0] != on_others[1]) > 0.1


def test_in_the_linear_model_what_holds_for_pairs_seen_holds_for_all():
    data = make_gaussian_views(
        500, (4, 3), means=[[-1.5, 0], [1.5, 1]], random_state=0
    )
    seen, others = zip(*((x[:10], x[10:]) for x in data.views))
    alignment = PerfectAlignment(2).fit(seen)
    assert relative_alignment_error(alignment.transform(others)) < 1e-11
    transfer = GaussianTransfer(alignment)
    transfer.fit(seen[0], data.labels[:10], view=0)
    decisions = [transfer.predict(x, view=m) for m, x in enumerate(others)]
    assert (decisions[0] == decisions[1]).all()


def test_distance_to_an_affine_boundary_bounds_affine_boundaries_only():
    """|f| ≤ ‖w‖ e contains what differs for one covariance, not for two."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 2)) * 2
    w = z + 0.3 * rng.normal(size=z.shape)
    e = np.linalg.norm(z - w, axis=1)
    means = np.array([[-0.1, 0], [0.1, 0]])
    for second, holds in ((np.eye(2), True), (9 * np.eye(2), False)):
        classes = ClassGaussians(means, [np.eye(2), second])
        f, g = (np.diff(classes.log_posterior(x))[:, 0] for x in (z, w))
        slope = np.linalg.norm(means[1] - means[0])
        differ = np.sign(f) != np.sign(g)
        across = np.abs(f) <= np.abs(f - g)
        any_direction = np.abs(f) <= slope * e
        assert differ.any()
        assert across[differ].all()
        assert any_direction[differ].all() == holds


def test_regression_is_translation_of_shrunk_latents():
    views = [view[:900] for view in load_digit_halves().views]
    alignment = PerfectAlignment(8).fit(views)
    z = alignment.transform(views)
    rho = alignment.canonical_correlations_[:8]
    x = centred(views[1])
    decoder = x.T @ z[1] / len(x)
    for latents, shrink in ((z[1], 1), (z[0], rho)):
        best = LinearRegression().fit(latents, x).predict(latents)
        assert_allclose((shrink * latents) @ decoder.T, best, atol=1e-10)
    translated = alignment.translate(views[0], source=0, target=1)
    expected = z[0] @ decoder.T + views[1].mean(axis=0)
    assert_allclose(translated, expected, atol=1e-10)


def test_later_maxvar_components_are_eigenvalues_not_always_the_largest():
    """σ_j² belongs to the weights ‖b^m‖, whatever other weights would do."""
    views = [
        [[0, 1, 1, 0, 0, -1], [0, 0, -1, 0, 1, 0]],
        [[0, 0, -1, -1, -1, 1], [1, -1, 1, 0, 1, 1]],
        [[1, -1, -1, 1, -1, 1], [0, 1, 1, -1, 1, 0]],
    ]
    Q = []
    for view in views:
        X = np.array(view, dtype=float)
        Q.append(np.linalg.qr((X - X.mean(axis=1, keepdims=True)).T)[0].T)
    stacked = np.vstack(Q)
    U, s, _ = np.linalg.svd(stacked)
    largest = []
    for j in range(3):
        parts = np.split(U[:, j], 3)
        weights = np.array([np.linalg.norm(b) for b in parts])
        signals = np.array([b @ q / w for b, q, w in zip(parts, Q, weights)])
        correlations = signals @ signals.T
        np.testing.assert_allclose(np.diag(correlations), 1)
        np.testing.assert_allclose(
            correlations @ weights, s[j] ** 2 * weights, atol=1e-12
        )
        largest.append(np.linalg.eigvalsh(correlations)[-1])
    np.testing.assert_allclose(largest[0], s[0] ** 2)
    assert largest[1] > s[1] ** 2 + 0.5
