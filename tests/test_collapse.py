"""What chapter 7 claims of collapse, on the digits and in general."""

from copy import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.model_selection import StratifiedShuffleSplit

from perfalign import GaussianTransfer, PerfectAlignment
from perfalign._solver import shared_structure, solve
from perfalign.alignment import _diagnostics
from perfalign.datasets import load_digit_halves, make_gaussian_views

K = 8
pytestmark = pytest.mark.filterwarnings("ignore::perfalign.CollapseWarning")


@pytest.fixture(scope="module")
def digits():
    return load_digit_halves()


@pytest.fixture(scope="module")
def halves(digits):
    rule = StratifiedShuffleSplit(5, test_size=0.5, random_state=0)
    return list(rule.split(digits.target, digits.target))


def fit(views, **options):
    return PerfectAlignment(K, **options).fit(views)


def whitened_by_shrunk_covariances(views, ridge):
    """A ridge in the constraint that the objective knows nothing of."""
    blocks = [view - view.mean(axis=0) for view in views]
    roots = []
    for block in blocks:
        C = block.T @ block / len(block)
        C += ridge * np.trace(C) / len(C) * np.eye(len(C))
        roots.append(np.linalg.inv(np.linalg.cholesky(C)))
    stack = [block @ W.T for block, W in zip(blocks, roots, strict=True)]
    stack = np.hstack([stack[0], -stack[1]])
    _, s, rows = np.linalg.svd(stack, full_matrices=False)
    # What is silent but for rounding is silent.
    rows[s < 1e-9 * s[0]] = 0
    rows = np.split(rows[-K:], 2, axis=1)
    alignment = copy(fit(views))
    alignment.encoders_ = [B @ W for B, W in zip(rows, roots, strict=True)]
    alignment.offsets_ = [
        -A @ view.mean(axis=0)
        for A, view in zip(alignment.encoders_, views, strict=True)
    ]
    return alignment


def mean_accuracy(digits, halves, align):
    scores = []
    for train, test in halves:
        left, right = digits.views
        transfer = GaussianTransfer(align([left[train], right[train]]))
        transfer.fit(left[train], digits.target[train], view=0)
        scores.append(transfer.score(right[test], digits.target[test], view=1))
    return np.mean(scores)


def test_a_ridge_in_the_whitening_only_brings_the_collapse_back(
    digits, halves
):
    naive = mean_accuracy(
        digits, halves, lambda v: whitened_by_shrunk_covariances(v, 0.05)
    )
    samples = mean_accuracy(digits, halves, lambda v: fit(v, ridge=0.05))
    assert naive < 0.3
    assert samples > 0.7


def test_silence_costs_no_more_than_the_quietest_directions(digits, halves):
    views = [view[halves[0][0]] for view in digits.views]
    paper = fit(views, constraint="orthonormal")
    own = np.concatenate(
        [
            np.linalg.svd(view - view.mean(axis=0), compute_uv=False)
            for view in views
        ]
    )
    bound = np.sum(np.sort(own)[:K] ** 2)
    cost = np.sum(paper.singular_values_[-K:] ** 2)
    # On the digits the pairing gains next to nothing over the bound.
    assert 0.95 * bound < cost <= bound


@pytest.mark.parametrize(
    "remedy", ["never vary", "vary little", "unit variance"]
)
def test_cleaning_features_does_not_prevent_the_collapse(
    digits, halves, remedy
):
    scores = []
    for train, test in halves:
        views = []
        for view in digits.views:
            sd = view[train].std(axis=0)
            if remedy == "unit variance":
                views.append(view[:, sd > 0] / sd[sd > 0])
            else:
                views.append(view[:, sd > (remedy == "vary little")])
        left, right = views
        paper = fit([left[train], right[train]], constraint="orthonormal")
        transfer = GaussianTransfer(paper)
        transfer.fit(left[train], digits.target[train], view=0)
        scores.append(transfer.score(right[test], digits.target[test], view=1))
    assert np.mean(scores) < 0.3


def test_regularised_correlations_fall_with_the_ridge(digits, halves):
    views = [view[halves[0][0]] for view in digits.views]
    kappa = [
        fit(views, ridge=ridge).canonical_correlations_
        for ridge in (0, 0.01, 0.1, 1, 10)
    ]
    assert (np.diff(kappa, axis=0) < 1e-12).all()
    C = np.cov(np.hstack(views).T, bias=True)
    blocks = C[:32, :32], C[32:, 32:]
    roots = [
        np.linalg.inv(np.linalg.cholesky(B + np.trace(B) / 32 * np.eye(32)))
        for B in blocks
    ]
    expected = np.linalg.svd(
        roots[0] @ C[:32, 32:] @ roots[1].T, compute_uv=False
    )
    assert_allclose(kappa[3], expected[: len(kappa[3])], atol=1e-12)


# ----------------------------------------- what a ridge in one place charges


def whitened_by(views, ridges):
    """(C + λI)^(-1/2) X / √n of every view, with absolute ridges."""
    whitened = []
    for view, ridge in zip(views, ridges):
        x = view - view.mean(axis=0)
        values, vectors = np.linalg.eigh(x.T @ x / len(x))
        root = vectors / np.sqrt(values + ridge) @ vectors.T
        whitened.append(root @ x.T / np.sqrt(len(x)))
    return whitened


def independent_signals(n, scales):
    """Columns of exactly these standard deviations, exactly uncorrelated."""
    x = np.random.default_rng(0).normal(size=(n, len(scales)))
    x = np.linalg.qr(x - x.mean(axis=0))[0]
    return x * np.sqrt(n) * scales


@pytest.mark.parametrize("v", [0.1, 0.5, 2.0])
def test_a_perfectly_shared_pair_costs_nothing_however_quiet(v):
    """Quiet directions were once said to be cheaper than any such pair."""
    shared, lone = independent_signals(50, np.sqrt([v, 0.01])).T
    views = [np.c_[shared, lone], shared[:, None]]
    U = whitened_by(views, (1, 1))
    kappa = np.linalg.svd(U[0] @ U[1].T, compute_uv=False)[0]
    assert kappa == pytest.approx(v / (v + 1), rel=1e-12)
    alone = 0.01 / 1.01
    # What was claimed: the lone direction is the cheaper of the two.
    assert 1 - kappa > alone
    # What is so: the pair costs 0, and is chosen.
    _, s, rows = np.linalg.svd(np.vstack([U[0], -U[1]]).T)
    assert_allclose(s[::-1] ** 2, [0, alone, 2 * v / (v + 1)], atol=1e-12)
    assert_allclose(np.abs(rows[-1]), np.array([1, 0, 1]) / 2**0.5, atol=1e-7)


@pytest.mark.parametrize("seed", range(10))
def test_price_of_a_pair_and_of_a_lone_direction(seed):
    rng = np.random.default_rng(seed)
    views = [
        rng.normal(size=(80, d)) @ rng.normal(size=(d, d)) for d in (3, 4)
    ]
    views[1][:, 0] += 2 * views[0][:, 0]
    ridges = rng.uniform(0.1, 3, size=2)
    U = whitened_by(views, ridges)
    a, b = (rng.normal(size=len(u)) for u in U)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    u, w = a @ U[0], b @ U[1]
    alpha, beta = u @ u, w @ w
    rho = u @ w / np.sqrt(alpha * beta)
    assert max(alpha, beta) <= 1
    row = np.r_[a, b] / 2**0.5
    stack = np.vstack([U[0], -U[1]])
    root = np.sqrt(alpha * beta)
    assert np.sum((row @ stack) ** 2) == pytest.approx(
        (alpha**0.5 - beta**0.5) ** 2 / 2 + (1 - rho) * root, abs=1e-12
    )
    # An eigenvector of one covariance, alone.
    C = np.cov(views[0].T, bias=True)
    values, vectors = np.linalg.eigh(C)
    for v, e in zip(values, vectors.T):
        price = np.sum((np.r_[e, np.zeros(4)] @ stack) ** 2)
        assert price == pytest.approx(v / (v + ridges[0]), rel=1e-9)
    # With pseudo-samples: 1 − ρ √(αβ) for the pair, and 1.
    longer = []
    for m, (view, ridge) in enumerate(zip(views, ridges)):
        rows = [np.zeros((d, view.shape[1])) for d in (3, 4)]
        np.fill_diagonal(rows[m], np.sqrt(80 * ridge))
        longer.append(np.vstack([view - view.mean(axis=0), *rows]))
    Q = []
    for x, view, ridge in zip(longer, views, ridges):
        values, vectors = np.linalg.eigh(np.cov(view.T, bias=True))
        root = vectors / np.sqrt(values + ridge) @ vectors.T
        Q.append(root @ x.T / np.sqrt(80))
    stack = np.vstack([Q[0], -Q[1]])
    assert np.sum((row @ stack) ** 2) == pytest.approx(
        1 - rho * np.sqrt(alpha * beta), abs=1e-12
    )
    assert np.sum((np.r_[a, 0 * b] @ stack) ** 2) == pytest.approx(1)


def test_on_digits_the_optimum_is_at_the_price_of_the_quiet(digits, halves):
    views = [view[halves[0][0]] for view in digits.views]
    variances = [np.linalg.eigvalsh(np.cov(v.T, bias=True)) for v in views]
    ridges = [0.05 * v.sum() / 32 for v in variances]
    alone = np.concatenate([v / (v + r) for v, r in zip(variances, ridges)])
    quiet = np.sort(alone)[:K].sum()
    U = whitened_by(views, ridges)
    a, _, b = np.linalg.svd(U[0] @ U[1].T)
    pairs = np.sum((a.T[:K] @ U[0] - b[:K] @ U[1]) ** 2) / 2
    s = np.linalg.svd(np.vstack([U[0], -U[1]]), compute_uv=False)
    optimum = np.sum(s[-K:] ** 2)
    assert optimum <= quiet < 0.01
    assert pairs > 2


def test_the_ridge_reaches_the_encoders_and_not_the_spectrum_alone(
    digits, halves
):
    """They are those of pseudo-samples added by hand."""
    views = [view[halves[0][0]] for view in digits.views]
    n, blocks = len(views[0]), [v - v.mean(axis=0) for v in views]
    longer = []
    for m, block in enumerate(blocks):
        rows = [np.zeros((32, 32))] * 2
        rows[m] = np.sqrt(0.05 * np.sum(block**2) / 32) * np.eye(32)
        longer.append(np.vstack([block, *rows]))
    by_hand = fit(longer, center=False)
    built_in, plain = fit(views, ridge=0.05), fit(views)
    for A, B, C in zip(built_in.encoders_, by_hand.encoders_, plain.encoders_):
        # Up to signs, so compare products.
        expected = B.T @ B * n / (n + 64)
        assert_allclose(A.T @ A, expected, rtol=1e-7, atol=1e-10)
        assert np.linalg.norm(A.T @ A - C.T @ C) > 0.1 * np.linalg.norm(
            A.T @ A
        )


# --------------------------------------------------- MAXVAR, silence included


def test_a_view_that_shares_nothing_is_silent_and_its_signal_arbitrary():
    rng = np.random.default_rng(0)
    x, y, alone = rng.normal(size=(3, 60, 2))
    y = y + x
    centred = [v - v.mean(axis=0) for v in (x, y, alone)]
    others = np.linalg.qr(np.hstack(centred[:2]))[0]
    centred[2] = centred[2] - others @ (others.T @ centred[2])
    alignment = PerfectAlignment(1).fit(centred)
    z = alignment.transform(centred)
    assert_allclose(z[2], 0, atol=1e-12)
    Q = [np.linalg.qr(v)[0].T for v in centred]
    largest = np.linalg.svd(np.vstack(Q), compute_uv=False)[0] ** 2
    first, second = (w[:, 0] / np.linalg.norm(w) for w in z[:2])
    for angle in (0, 1, 2):
        # Any unit signal of the third view attains MAXVAR's eigenvalue.
        third = np.array([np.cos(angle), np.sin(angle)]) @ Q[2]
        W = np.stack([first, second, third])
        assert np.linalg.eigvalsh(W @ W.T)[-1] == pytest.approx(largest)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rtol", [None, 1e-3, 0.4])
def test_whitened_latents_that_correlate_are_not_asked_whether_they_vary(
    seed, rtol, monkeypatch
):
    rng = np.random.default_rng(seed)
    n, a, b = rng.integers(2, 40), *rng.integers(1, 8, size=2)
    shared = rng.normal(size=(n, rng.integers(1, 4)))
    views = [
        shared @ rng.normal(size=(shared.shape[1], d))
        + rng.choice([0, 1e-12, 0.1]) * rng.normal(size=(n, d))
        for d in (a, b)
    ]
    structure = shared_structure(views, rtol=rtol)
    for k in range(1, min(structure.ranks) + 1):
        solution = solve(structure, k, "whitened", 0.0, "principal")
        quick = _diagnostics._collapse(structure, solution, False)
        with monkeypatch.context() as patch:
            patch.setattr(_diagnostics, "_of_full_rank", lambda *_: False)
            assert _diagnostics._collapse(structure, solution, False) == quick


def test_components_are_orthogonal_in_the_pool_and_not_in_each_view():
    views = make_gaussian_views(200, (3, 4, 3), noise=2, random_state=0).views
    latents = PerfectAlignment(3).fit_transform(views)
    covariances = [np.cov(z.T, bias=True) for z in latents]
    assert_allclose(np.mean(covariances, axis=0), np.eye(3), atol=1e-12)
    assert max(abs(C[0, 1]) for C in covariances) > 1e-3
