"""Sparse views are fitted and transformed a few dense rows at a time."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from perfalign import PerfectAlignment, StackedSummary, existence_report
from perfalign.datasets import load_emoji

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def texts():
    """Words of emoji names, counted; beside them numbers of the same."""
    emoji = load_emoji()
    words = TfidfVectorizer(min_df=8).fit_transform(emoji.text["en"])
    return words, emoji.minilm[:, :20]


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array"])
@pytest.mark.parametrize("sample_weight", [None, "some"])
def test_a_sparse_view_is_its_dense_one_to_the_last_bit(
    texts, kind, sample_weight, monkeypatch
):
    monkeypatch.setattr("perfalign._checks._views.SLAB", 2**16)
    words, numbers = texts
    view = getattr(sparse, kind)(words)
    if sample_weight:
        sample_weight = np.random.default_rng(0).integers(0, 3, len(numbers))
    estimator = PerfectAlignment(3, ridge=0.1)
    found = estimator.fit([view, numbers], sample_weight=sample_weight)
    latents = found.transform([view, numbers])
    summary, decoded = found.summary_, found.translate(view, 0, 1)
    dense = words.toarray()
    wanted = estimator.fit([dense, numbers], sample_weight=sample_weight)
    assert_array_equal(summary.R, wanted.summary_.R)
    assert_array_equal(summary.mean, wanted.summary_.mean)
    for z, other in zip(
        latents, wanted.transform([dense, numbers]), strict=True
    ):
        assert_array_equal(z, other)
    assert_array_equal(
        wanted.transform_view(view, 0), wanted.transform_view(dense, 0)
    )
    assert_array_equal(decoded, wanted.translate(dense, 0, 1))


def test_blocks_and_reports_take_sparse_views(texts):
    words, numbers = texts
    blocks = [
        [words[rows], numbers[rows]]
        for rows in (slice(0, 700), slice(700, 1500))
    ]
    whole = [words[:1500], numbers[:1500]]
    alignment = PerfectAlignment(2)
    for block in blocks:
        alignment.partial_fit(block)
    assert alignment.n_samples_seen_ == 1500
    assert StackedSummary.from_blocks(iter(blocks)).n_samples == 1500
    found, wanted = (
        existence_report([view, numbers[:1500]])
        for view in (whole[0], whole[0].toarray())
    )
    assert found == wanted


def test_precision_is_that_of_the_sparse_numbers(texts):
    words, numbers = texts
    views = [words.astype(np.float32), numbers.astype(float)]
    summary = StackedSummary.from_views(views)
    coarse, fine = summary.split(summary.eps)
    assert set(coarse) == {np.finfo(np.float32).eps}
    assert set(fine) == {np.finfo(float).eps}
    latents = PerfectAlignment(2, ridge=0.1).fit(views).transform(views)
    assert [z.dtype for z in latents] == [np.float32, np.float64]


def peak(function, *args):
    """What a function returns, and the most that it held in the meantime."""
    tracemalloc.start()
    try:
        result = function(*args)
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_wide_views_take_the_memory_of_their_triangle():
    """Rows as many as the features, and more: they become R in place."""
    rng = np.random.default_rng(0)
    n, d_1, d_2 = 3000, 2100, 50
    words = sparse.random_array(
        (n, d_1), density=0.005, format="csr", random_state=0
    )
    data = words.data.nbytes + words.indices.nbytes + words.indptr.nbytes
    R = 8 * (d_1 + d_2) ** 2
    views = [words, rng.normal(size=(n, d_2))]
    _, held = peak(StackedSummary.from_views, views)
    assert held < R + 3 * data + 16 * MEGABYTE < 2 * R


def test_no_dense_copy_is_made():
    rng = np.random.default_rng(0)
    n, d_1, d_2 = 30_000, 400, 50
    words = sparse.random_array(
        (n, d_1), density=0.005, format="csr", random_state=0
    )
    views = [words, rng.normal(size=(n, d_2))]
    data = words.data.nbytes + words.indices.nbytes + words.indptr.nbytes
    R, dense = 8 * (d_1 + d_2) ** 2, 8 * n * d_1
    summary, held = peak(StackedSummary.from_views, views)
    # Two slabs of 4 MB, one made while the other is used, and what chunks
    # are accumulated with.
    allowed = 16 * R + 3 * data + 10 * MEGABYTE
    assert held < allowed < dense / 2
    alignment = PerfectAlignment(2).fit_summary(summary)
    latents, held = peak(alignment.transform, views)
    assert held < 10 * MEGABYTE < dense / 4
