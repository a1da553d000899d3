"""Weights count as repeated rows, in everything that a fit learns."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import PerfectAlignment, StackedSummary

LEARNED = [
    "singular_values_",
    "canonical_correlations_",
    "explained_variance_",
    "ranks_",
    "shared_dimension_",
    "vacuous_dimension_",
    "n_samples_seen_",
]


def views_of(n, n_features=(5, 4), seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 3))
    return [
        z @ rng.normal(size=(3, d)) + 0.5 * rng.normal(size=(n, d)) + 7
        for d in n_features
    ]


def repeated(views, weights):
    return [np.repeat(view, weights, axis=0) for view in views]


def assert_same_fit(one, other, atol=1e-12):
    for name in LEARNED:
        assert_allclose(
            getattr(one, name), getattr(other, name), rtol=0, atol=atol
        )
    for A, B in zip(one.encoders_, other.encoders_, strict=True):
        assert_allclose(A, B, rtol=0, atol=atol * np.abs(B).max())
    for a, b in zip(one.offsets_, other.offsets_, strict=True):
        assert_allclose(a, b, atol=10 * atol * (1 + np.abs(b).max()))


@pytest.mark.parametrize("n_features", [(5, 4), (5, 4, 6)])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"center": False},
        {"ridge": 0.3},
        {"constraint": "orthonormal"},
    ],
)
def test_weights_are_repeated_rows(n_features, params):
    views = views_of(300, n_features)
    weights = np.random.default_rng(1).integers(0, 4, size=300)
    wanted = PerfectAlignment(2, **params).fit(repeated(views, weights))
    found = PerfectAlignment(2, **params).fit(views, sample_weight=weights)
    assert_same_fit(found, wanted)
    found = PerfectAlignment(2, **params)
    for rows in (slice(0, 9), slice(9, 180), slice(180, 300)):
        block = [view[rows] for view in views]
        found.partial_fit(block, sample_weight=weights[rows])
    assert_same_fit(found, wanted)


def extended(views, weights):
    """Centred inner products and mean, in extended precision."""
    X = np.hstack(views).astype(np.longdouble)
    w = np.asarray(weights, dtype=np.longdouble)[:, np.newaxis]
    mean = (w * X).sum(axis=0) / w.sum()
    return mean, (w * (X - mean)).T @ (X - mean)


@pytest.mark.parametrize("n", [3, 40, 5000])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
def test_weights_of_any_size_against_extended_precision(n, unit):
    rng = np.random.default_rng(n)
    views = views_of(n)
    weights = rng.exponential(size=n) * unit
    weights[rng.random(n) < 0.2] = 0
    summary = StackedSummary.from_views(views, weights)
    mean, scatter = extended(views, weights)
    assert_allclose(summary.n_samples, weights.sum(), rtol=1e-14)
    assert_allclose(summary.mean, mean.astype(float), rtol=1e-14)
    size = np.sqrt(np.outer(scatter.diagonal(), scatter.diagonal()))
    error = summary.R.T @ summary.R - scatter
    assert np.max(np.abs(error / size)) < 1e-13


def test_weights_that_come_in_blocks():
    views = views_of(300)
    weights = np.random.default_rng(1).integers(0, 4, size=300)
    weights[20:30] = 0
    cuts = [0, 20, 30, 31, 200, 300]
    parts = [slice(a, b) for a, b in zip(cuts, cuts[1:], strict=False)]
    blocks = [[view[part] for view in views] for part in parts]
    whole = StackedSummary.from_views(views, weights)
    streamed = StackedSummary.from_blocks(
        iter(blocks), (weights[part] for part in parts)
    )
    assert_array_equal(streamed.R, whole.R)
    updated = StackedSummary.from_first_block(blocks[0], weights[parts[0]])
    assert StackedSummary.from_first_block(blocks[1], weights[20:30]) is None
    merged = updated
    for block, part in zip(blocks[1:], parts[1:], strict=True):
        updated = updated.update(block, weights[part])
        if weights[part].any():
            merged = merged.merge(
                StackedSummary.from_views(block, weights[part])
            )
    wanted = PerfectAlignment(2).fit(repeated(views, weights))
    for summary in (streamed, updated, merged):
        assert summary.n_samples == weights.sum()
        assert type(summary.n_samples) is int
        assert_same_fit(PerfectAlignment(2).fit_summary(summary), wanted)


def test_rows_of_weight_zero_are_not_there():
    views = views_of(60)
    weights = np.repeat([0, 1], 30)
    found = StackedSummary.from_views(views, weights)
    wanted = StackedSummary.from_views([view[30:] for view in views])
    assert_array_equal(found.R, wanted.R)
    assert_array_equal(found.mean, wanted.mean)
    few = np.r_[np.ones(4), np.zeros(56)]
    assert StackedSummary.from_views(views, few).n_items == 4
    # However small the weights are, the items are as many as they are.
    small = StackedSummary.from_views(views, np.full(60, 1 / 60))
    assert small.n_samples == pytest.approx(1)
    alignment = PerfectAlignment(1).fit_summary(small)
    assert alignment.vacuous_dimension_ == 0


def test_sums_of_weights_are_whole_where_these_are(tmp_path):
    views, path = views_of(10), tmp_path / "summary.npz"
    for weights, total in [
        (None, 10),
        (np.full(10, 2.0), 20),
        (np.full(10, 0.5), 5.0),
    ]:
        summary = StackedSummary.from_views(views, weights)
        assert summary.n_samples == total
        assert type(summary.n_samples) is type(total)
        summary.save(path)
        loaded = StackedSummary.load(path)
        assert loaded.n_samples == total
        assert type(loaded.n_samples) is type(total)
        assert_array_equal(loaded.R, summary.R)
        more = loaded.update(views)
        assert type(more.n_samples) is type(total)


def test_weights_are_refused_in_words():
    views = views_of(10)
    with pytest.raises(ValueError, match="no sample .* weight above 0"):
        StackedSummary.from_views(views, np.zeros(10))
    with pytest.raises(ValueError, match="sample_weight is -1.0 in row 0"):
        StackedSummary.from_views(views, -np.ones(10))
    frames = [pd.DataFrame(view) for view in views]
    turned = pd.Series(np.ones(10))[::-1]
    with pytest.raises(ValueError, match="in the view and 9 in sample_wei"):
        StackedSummary.from_views(frames, turned)
    ones = np.ones(10)
    with pytest.raises(ValueError, match=r"block 1: sample_weight .*\(0,\)"):
        StackedSummary.from_blocks([views, views], [ones])
    with pytest.raises(ValueError, match="further blocks"):
        StackedSummary.from_blocks([views], [ones, ones])


def test_the_unit_of_weights_is_no_reason_to_see_signals():
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(400, 3))
    views = [
        signals @ rng.normal(size=(3, 60))
        + 1e-4 * rng.normal(size=(400, 60))
        + 30
        for _ in range(2)
    ]
    views = [view.astype(np.float32) for view in views]
    wanted = PerfectAlignment(2).fit(views)
    for unit in (1.0, 1 / 400, 1e-100, 1e6):
        found = PerfectAlignment(2).fit(
            views, sample_weight=np.full(400, unit)
        )
        assert found.ranks_.tolist() == wanted.ranks_.tolist()
        assert found.shared_dimension_ == wanted.shared_dimension_
        assert_allclose(
            found.canonical_correlations_,
            wanted.canonical_correlations_,
            atol=1e-9,
        )


def test_weights_are_a_count():
    views = [np.eye(9)[:, :2] + m for m in range(2)]
    with pytest.raises(ValueError, match="sum"):
        StackedSummary.from_views(views, np.full(9, 1e300))
