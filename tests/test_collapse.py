"""What chapter 7 claims of collapse, on the digits and in general."""

from copy import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.model_selection import StratifiedShuffleSplit

from perfalign import GaussianTransfer, PerfectAlignment
from perfalign.datasets import load_digit_halves

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
    rows = np.split(np.linalg.svd(stack, False)[2][-K:], 2, axis=1)
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
        transfer.fit(left[train], digits.target[train], modality=0)
        scores.append(
            transfer.score(right[test], digits.target[test], modality=1)
        )
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
        transfer.fit(left[train], digits.target[train], modality=0)
        scores.append(
            transfer.score(right[test], digits.target[test], modality=1)
        )
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
