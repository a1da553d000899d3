"""The summary (R, mean, n): what it keeps, and that it can be merged."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import special_ortho_group

from perfalign import PerfectAlignment, StackedSummary


def random_views(n, n_features, seed, rank=None):
    rng = np.random.default_rng(seed)
    if rank is None:
        return [rng.normal(size=(n, d)) + d for d in n_features]
    z = rng.normal(size=(n, rank))
    return [z @ rng.normal(size=(rank, d)) + d for d in n_features]


def cut(views, bounds):
    return [[v[a:b] for v in views] for a, b in zip(bounds, bounds[1:])]


def test_inner_products_are_those_of_the_centred_stack():
    views = random_views(50, (4, 3), seed=0)
    stack = np.hstack(views)
    summary = StackedSummary.from_views(views)
    centred = stack - stack.mean(axis=0)
    assert_allclose(
        summary.R.T @ summary.R, centred.T @ centred, rtol=0, atol=1e-11
    )
    assert_allclose(summary.mean, stack.mean(axis=0), rtol=1e-15)
    raw = np.hstack(summary.blocks(center=False))
    assert_allclose(raw.T @ raw, stack.T @ stack, rtol=1e-13)


@pytest.mark.parametrize("weights", [None, np.arange(1.0, 9.0)])
def test_fewer_rows_than_features_are_their_own_factor(weights):
    views = random_views(8, (6, 5), seed=1)
    stack = np.hstack(views)
    summary = StackedSummary.from_views(views, weights)
    share = np.ones(8) if weights is None else weights
    centred = stack - np.average(stack, axis=0, weights=share)
    assert_allclose(
        summary.R, np.sqrt(share)[:, np.newaxis] * centred, rtol=0, atol=1e-14
    )


@pytest.mark.parametrize("n_new", [3, 20])
def test_a_square_factor_need_not_be_triangular(n_new):
    views = random_views(40, (3, 2), seed=2)
    whole = StackedSummary.from_views(views)
    head, new = cut(views, [0, 40 - n_new, 40])
    head = StackedSummary.from_views(head)
    turn = special_ortho_group.rvs(5, random_state=0)
    found = replace(head, R=turn @ head.R).update(new)
    assert_allclose(
        found.R.T @ found.R, whole.R.T @ whole.R, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("n_blocks", [1, 7, 100])
@pytest.mark.parametrize("constraint", ["whitened", "orthonormal"])
@pytest.mark.parametrize("center", [True, False])
def test_merged_blocks_equal_one_shot_fit(n_blocks, constraint, center):
    views = random_views(600, (5, 4), seed=1)
    views[1][:, :2] += views[0][:, :2]
    rng = np.random.default_rng(n_blocks)
    inner = np.sort(rng.choice(np.arange(1, 600), n_blocks - 1, replace=False))
    parts = [
        StackedSummary.from_views(block)
        for block in cut(views, [0, *inner, 600])
    ]
    merged = parts[0]
    for i in rng.permutation(np.arange(1, n_blocks)):
        merged = merged.merge(parts[i])
    params = {"constraint": constraint, "center": center}
    once = PerfectAlignment(3, **params).fit(views)
    pieced = PerfectAlignment(3, **params).fit_summary(merged)
    top = once.singular_values_[0]
    assert_allclose(
        pieced.singular_values_,
        once.singular_values_,
        rtol=0,
        atol=1e-14 * top,
    )
    for A, B in zip(pieced.encoders_, once.encoders_):
        assert_allclose(A, B, rtol=0, atol=1e-10)


def test_merge_is_associative_and_commutative():
    a, b, c = (
        StackedSummary.from_views(random_views(20, (3, 2), seed=s))
        for s in range(3)
    )
    left, right = a.merge(b).merge(c), c.merge(b.merge(a))
    assert left.n_samples == right.n_samples == 60
    assert_allclose(left.mean, right.mean, rtol=1e-14)
    assert_allclose(left.R.T @ left.R, right.R.T @ right.R, atol=1e-12)


def test_merge_of_single_samples():
    views = random_views(12, (2, 2), seed=3)
    merged = StackedSummary.from_views([v[:1] for v in views])
    for i in range(1, 12):
        merged = merged.update([v[i : i + 1] for v in views])
    whole = StackedSummary.from_views(views)
    assert_allclose(merged.R.T @ merged.R, whole.R.T @ whole.R, atol=1e-13)


def test_small_singular_values_survive_where_a_gram_matrix_loses_them():
    views = random_views(2000, (4, 4), seed=4, rank=3)
    stack = np.hstack(views)
    sigma = np.linalg.svd(StackedSummary.from_views(views).R, compute_uv=False)
    assert sigma[3] <= 1e-14 * sigma[0]
    centred = stack - stack.mean(axis=0)
    gram = np.linalg.eigvalsh(centred.T @ centred)
    assert np.sqrt(abs(gram[-4])) > 1e-10 * sigma[0]


def test_far_mean_costs_no_digits_of_the_spread():
    rng = np.random.default_rng(5)
    # Multiples of 2^-20 stay exact when 2^30 is added, so both data sets
    # have exactly the same centred stack.
    spread = [
        np.round(rng.normal(size=(300, d)) * 2**20) / 2**20 for d in (3, 2)
    ]
    near = StackedSummary.from_views(spread)
    far = StackedSummary.from_views([v + 2.0**30 for v in spread])
    assert_allclose(far.R, near.R, rtol=0, atol=1e-12)


def test_constant_columns_are_exactly_zero_in_any_number_of_blocks():
    views = random_views(90, (3, 2), seed=6)
    views[0][:, 1] = 0.1
    summary = StackedSummary.from_views([v[:30] for v in views])
    summary = summary.update([v[30:31] for v in views])
    summary = summary.update([v[31:] for v in views])
    assert not np.any(summary.R[:, 1])


def test_blocks_need_matching_features():
    summary = StackedSummary.from_views(random_views(9, (3, 2), seed=0))
    with pytest.raises(ValueError, match=r"view 1 has shape \(9, 4\).*2 feat"):
        summary.update(random_views(9, (3, 4), seed=0))
    with pytest.raises(ValueError, match="Seen 3 views; wanted 2"):
        summary.update(random_views(9, (3, 2, 2), seed=0))
    other = StackedSummary.from_views(random_views(9, (2, 3), seed=0))
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(2, 3\)"):
        summary.merge(other)


def test_memory_does_not_grow_with_the_samples():
    summary = StackedSummary.from_views(random_views(5000, (6, 5), seed=0))
    assert summary.R.shape == (11, 11)


def test_each_view_keeps_the_coarsest_precision_that_it_had():
    views = random_views(40, (3, 2), seed=0)
    mixed = [views[0].astype(np.float32), views[1]]
    single, double = np.finfo(np.float32).eps, np.finfo(float).eps
    whole = StackedSummary.from_views(views)
    assert_allclose(whole.eps, 5 * [double])
    for summary in (
        whole.update(mixed),
        whole.merge(StackedSummary.from_views(mixed)),
    ):
        assert_allclose(summary.eps, 3 * [single] + 2 * [double])
        # All is computed in double precision, whatever came in.
        assert summary.default_rtol() == 80 * double
        coarse, fine = summary.rounding(1e-15)
        power = np.split(summary.norms(), [3])
        assert_allclose(coarse, 4 * single * power[0])
        assert_allclose(fine, 4 * double * power[1])
    many = StackedSummary(whole.R, whole.mean, 10**9, (3, 2))
    assert many.default_rtol() == double**0.5
