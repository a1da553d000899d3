"""Ranks, null spaces and the sharp existence theorem."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from perfalign import StackedSummary, existence_report, left_null_space
from perfalign._solver import shared_structure


def low_rank_views(n, n_features, shared, private, seed, offset=0.0):
    """Views with `shared` common signals and `private[m]` of their own."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, shared))
    views = []
    for d, p in zip(n_features, private):
        signals = np.hstack([z, rng.normal(size=(n, p))])
        views.append(
            signals @ rng.normal(size=(shared + p, d))
            + offset * rng.normal(size=d)
        )
    return views


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "n_features, shared, private",
    [((6, 5), 2, (1, 2)), ((4, 4), 4, (0, 0)), ((7, 3), 0, (2, 3))],
)
def test_counts_against_the_rank_of_the_explicit_stack(
    n_features, shared, private, seed
):
    views = low_rank_views(60, n_features, shared, private, seed)
    report = existence_report(views, center=False)
    X = np.hstack([views[0], -views[1]]).T
    r = np.linalg.matrix_rank(X)
    assert report.stack_rank == r
    assert report.nullity == len(X) - r
    assert report.shared_dimension == shared
    assert report.ranks == tuple(shared + p for p in private)
    assert sum(report.collapsed_dimensions) + shared == report.nullity


def test_shared_dimension_is_that_of_the_intersection_of_row_spaces():
    views = low_rank_views(40, (5, 6, 4), 2, (1, 2, 0), seed=0)
    projectors = [v @ np.linalg.pinv(v) for v in views]
    eigenvalues = np.linalg.eigvalsh(sum(projectors) / 3)
    intersection = np.count_nonzero(eigenvalues > 1 - 1e-10)
    assert existence_report(views, center=False).shared_dimension == 2
    assert intersection == 2


@pytest.mark.parametrize("center", [True, False])
def test_null_space_splits_into_what_aligns_and_what_is_silent(center):
    views = low_rank_views(50, (5, 4), 2, (1, 0), seed=1, offset=1.0)
    N = left_null_space(views, center=center)
    used = [v - v.mean(axis=0) if center else v for v in views]
    X = np.hstack([used[0], -used[1]]).T
    scale = np.linalg.norm(X)
    # uncentred, the constant is a further signal, shared by both views
    shared = 2 if center else 3
    assert N.informative.shape == (shared, 9)
    assert_allclose(N.basis @ X, 0, atol=1e-13 * scale)
    assert_allclose(N.basis @ N.basis.T, np.eye(len(N.basis)), atol=1e-13)
    assert len(N.basis) == 9 - np.linalg.matrix_rank(X)
    for rows, view in zip(N.collapsed, used):
        assert_allclose(view @ rows.T, 0, atol=1e-13 * scale)
    latents = used[0] @ N.informative[:, :5].T
    assert np.linalg.matrix_rank(latents) == shared
    moment = latents.T @ latents
    assert_allclose(moment, np.diag(np.diag(moment)), atol=1e-12 * scale**2)
    assert np.all(np.diff(np.diag(moment)) < 0)


def test_null_space_has_the_same_rows_whatever_the_order_of_samples():
    views = low_rank_views(50, (5, 4), 2, (1, 1), seed=1)
    order = np.random.default_rng(0).permutation(50)
    one, two = (
        left_null_space(views),
        left_null_space([v[order] for v in views]),
    )
    assert_allclose(one.informative, two.informative, atol=1e-12)
    assert_allclose(one.collapsed[1], two.collapsed[1], atol=1e-12)


def test_theorem_satisfied_and_latents_of_rank_one():
    views = low_rank_views(500, (1, 3), 2, (0, 0), seed=2)
    report = existence_report(views, n_components=2)
    assert report.nullity == 2
    assert report.shared_dimension == 1
    text = str(report)
    assert "KD Theorem 2.1 asks for 2: satisfied" in text
    assert "so aligned latents have rank 1 at most" in text


@pytest.mark.parametrize(
    "k, line",
    [
        (None, "shared signals           2"),
        (2, "latents of rank 2 can be aligned perfectly"),
        (9, "so only 2 of 9 components can be aligned perfectly"),
    ],
)
def test_report_reads_as_a_verdict(k, line):
    views = low_rank_views(50, (5, 4), 2, (1, 0), seed=3)
    assert line in str(existence_report(views, n_components=k))


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n", [3, 5, 6, 9, 11, 12, 13, 40])
def test_general_position_formula(n, center):
    """s = min(d1, n') + min(d2, n') − min(d1 + d2, n'), and it is vacuous."""
    rng = np.random.default_rng(n)
    d1, d2 = 5, 7
    views = [rng.normal(size=(n, d)) for d in (d1, d2)]
    room = n - center
    s = min(d1, room) + min(d2, room) - min(d1 + d2, room)
    report = existence_report(views, center=center)
    assert report.shared_dimension == s
    assert report.vacuous_dimension == s
    shuffled = [views[0], views[1][rng.permutation(n)]]
    assert existence_report(shuffled, center=center).shared_dimension == s
    assert ("vacuous" in str(report)) == (s > 0)


def test_unrelated_views_share_nothing_whatever_their_units():
    rng = np.random.default_rng(4)
    views = [rng.normal(size=(2000, 3)), rng.normal(size=(2000, 4))]
    for scale in (1.0, 1e-14, 1e14, 1e-150, 1e150):
        scaled = [views[0], scale * views[1]]
        assert existence_report(scaled).shared_dimension == 0


@pytest.mark.parametrize("n", [5, 20, 2000])
def test_single_precision_still_finds_the_shared_signals(n):
    for seed in range(20):
        views = low_rank_views(n, (4, 3), 2, (0, 0), seed)
        single = [v.astype(np.float32) for v in views]
        assert existence_report(single).shared_dimension == 2


def test_constant_is_a_shared_signal_only_if_not_centred():
    rng = np.random.default_rng(5)
    views = [rng.normal(size=(100, d)) + 3.0 for d in (2, 2)]
    # rows that sum to one hide a constant as well
    views[0] = np.column_stack([views[0], 1 - views[0].sum(axis=1)])
    views[1] = np.column_stack([views[1], 1 - views[1].sum(axis=1)])
    assert existence_report(views, center=False).shared_dimension == 1
    assert existence_report(views, center=True).shared_dimension == 0


def test_summary_and_views_give_the_same_report():
    views = low_rank_views(50, (5, 4), 2, (1, 0), seed=6)
    summary = StackedSummary.from_views(views)
    assert existence_report(summary, 2) == existence_report(views, 2)


def test_explicit_tolerance_decides():
    views = low_rank_views(200, (4, 4), 2, (1, 1), seed=7)
    rng = np.random.default_rng(8)
    noisy = [v + 1e-6 * rng.normal(size=v.shape) for v in views]
    assert existence_report(noisy).shared_dimension == 0
    assert existence_report(noisy, rtol=1e-3).shared_dimension == 2


def test_a_view_that_does_not_vary_is_named():
    with pytest.raises(ValueError, match="view 1 does not vary"):
        existence_report([np.eye(3), np.ones((3, 2))])
    with pytest.raises(ValueError, match="view 0 does not vary"):
        existence_report([np.ones((3, 2)), np.eye(3)], center=False)


def test_correlations_of_the_structure_are_cosines_of_principal_angles():
    from scipy.linalg import subspace_angles

    rng = np.random.default_rng(9)
    views = [rng.normal(size=(80, d)) for d in (4, 3)]
    structure = shared_structure(views)
    angles = subspace_angles(*(v - v.mean(axis=0) for v in views))
    assert_allclose(
        structure.correlations(structure.singular_values),
        np.sort(np.cos(angles))[::-1],
        rtol=0,
        atol=1e-14,
    )


@pytest.mark.parametrize("k", [-3, 0, 2.5, True, "2"])
def test_dimensions_asked_for_are_positive_integers(k):
    views = low_rank_views(30, (5, 4), 2, (1, 0), seed=0)
    with pytest.raises(ValueError, match="n_components is .* integer of at l"):
        existence_report(views, k)


@pytest.mark.parametrize("rtol", [0, 1, -1e-9, "small", True])
@pytest.mark.parametrize("count", [existence_report, left_null_space])
def test_tolerances_lie_between_zero_and_one(count, rtol):
    views = low_rank_views(30, (5, 4), 2, (1, 0), seed=0)
    with pytest.raises(ValueError, match="rtol is"):
        count(views, rtol=rtol)
