"""The stored measurements of chapter 11, and the code that made them."""

import importlib.util
import json
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import StackedSummary, relative_alignment_error

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
LARGE = "100000 x 128"


def load_json(name):
    return json.loads((FOLDER / name).read_text(encoding="utf8"))


def load_module(name):
    path = FOLDER / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUDY = load_json("scale.json")
ACCURACY = load_json("scale_accuracy.json")
methods = load_module("scale_methods")
accuracy = load_module("scale_accuracy")


def seconds(kind, size, method):
    return np.median(STUDY[kind][size][method]["seconds"])


def slope(sizes, which, method="StackedSummary"):
    x = [float(size.split(" x ")[which]) for size in sizes]
    y = [seconds("pass", size, method) for size in sizes]
    return np.polyfit(np.log(x), np.log(y), 1)[0]


@pytest.mark.parametrize("method", methods.PASSES)
def test_zeros_are_found_as_exactly_as_the_study_says(method):
    """The same code on fewer rows: an order of magnitude at most apart."""
    views = methods.exact_views(10_000, 128)
    found, stored = methods.tail(method, views, 16), STUDY["tail"][method]
    if method == "dsyrk":
        assert 1e-9 < found < 1e-7 and 1e-9 < stored < 1e-7
    else:
        assert max(found, stored) < 1e-13


@pytest.mark.parametrize("kind", methods.ODD)
def test_odd_data_are_aligned_as_exactly_as_the_study_says(kind):
    views = methods.odd_views(kind)
    model = methods.FITS["perfalign"](3).fit(views)
    assert methods.alignment_of(model, views) < 1e-13
    assert STUDY["odd"][kind]["perfalign"]["error"] < 1e-13


def test_scikit_learn_is_wrong_without_a_word():
    views = methods.odd_views("rank 3")
    model = methods.FITS["scikit-learn CCA"](3).fit(views)
    stored = STUDY["odd"]["rank 3"]["scikit-learn CCA"]["error"]
    assert min(methods.alignment_of(model, views), stored) > 0.1


def test_stored_fits_are_as_exact_as_the_chapter_says():
    for fits in STUDY["fit"].values():
        assert fits["perfalign"]["error"] < 1e-13
    fits = STUDY["fit"][LARGE]
    for name in ("cca-zoo MCCA", "cca-zoo GCCA"):
        assert 1e-8 < fits[name]["error"] < 1e-4
    for name in ("scikit-learn CCA", "scikit-learn PLS", "contrastive"):
        assert fits[name]["error"] > 0.1
    for name in ("mvlearn CCA", "mvlearn MCCA", "statsmodels CanCorr"):
        assert "refused" in fits[name]


def test_stored_times_are_as_short_as_the_chapter_says():
    million = "1000000 x 128"
    summary, gram = (
        seconds("pass", million, m) for m in ("StackedSummary", "dsyrk")
    )
    assert summary <= 6 * gram
    summary = seconds("pass", LARGE, "StackedSummary")
    assert seconds("pass", LARGE, "numpy qr") >= 5 * summary
    assert seconds("pass", LARGE, "numpy svd") >= 8 * summary
    fit = seconds("fit", LARGE, "perfalign")
    for name, factor in {
        "cca-zoo CCA": 2,
        "mvlearn MCCA, ranks given": 3.5,
        "scikit-learn CCA": 50,
    }.items():
        assert seconds("fit", LARGE, name) >= factor * fit


def test_stored_times_grow_as_the_chapter_says():
    rows = [f"{n} x 128" for n in (10**4, 30_000, 10**5, 300_000, 10**6)]
    assert abs(slope(rows, 0) - 1) <= 0.1
    columns = [f"100000 x {d}" for d in (64, 128, 256, 512)]
    # Narrow matrices are multiplied less efficiently, by all methods.
    assert 1.4 <= slope(columns, 1, "dsyrk") <= 2
    assert abs(slope(columns, 1) - slope(columns, 1, "dsyrk")) <= 0.1


def test_stored_memory_does_not_grow():
    used = STUDY["memory"]["1000000 x 128"]
    assert max(m["megabytes"] for m in used.values()) < 100


def test_disks_are_faster_than_the_arithmetic():
    """A usual solid-state disk reads several gigabytes a second."""
    rates = {}
    for size in ("1000000 x 128", "100000 x 512"):
        n, d = map(int, size.split(" x "))
        rates[d] = 8e-9 * n * d / seconds("pass", size, "StackedSummary")
    assert rates[512] < rates[128] < 2
    assert rates[512] < 0.5


def test_computing_less_exactly_gains_a_factor_of_two_or_three():
    for size in (LARGE, "1000000 x 128", "100000 x 512"):
        summary, gram = (
            seconds("pass", size, m) for m in ("StackedSummary", "dsyrk")
        )
        assert 2 < summary / gram < 3


# ---------------------------------------------------------------- accuracy

wide_enough = pytest.mark.skipif(
    np.finfo(np.longdouble).eps > 1e-18,
    reason="the reference needs a wider floating-point type",
)
KEPT = ("Householder", "StackedSummary", "rand_cholQR")


@wide_enough
@pytest.mark.parametrize("kind", accuracy.KINDS)
def test_triangles_are_as_exact_as_the_study_says(kind):
    found, stored = accuracy.compare(kind), ACCURACY[kind]
    for results in (found, stored):
        for method in KEPT:
            if (method, kind) == ("rand_cholQR", "a constant column"):
                assert "refused" in results[method]
            else:
                assert results[method]["singular values"] < 20
        if kind != "growing a millionfold":
            assert results["Gram matrix"]["singular values"] > 50


@wide_enough
def test_backward_error_is_of_the_order_of_rounding_in_every_column():
    """And the last of five values is far inside what that allows."""
    for results in (accuracy.compare("five values"), ACCURACY["five values"]):
        for method in KEPT:
            assert results[method]["columns"] < 10
            allowed = 10 * accuracy.EPS / np.array(accuracy.VALUES)
            assert np.all(results[method]["relative"] < allowed)
            assert results[method]["relative"][-1] < 1e-5
        assert np.all(np.array(results["Gram matrix"]["relative"])[3:] > 1)


def test_reference_finds_singular_values_that_are_known():
    rng = np.random.default_rng(0)
    left, right = np.linalg.qr(rng.normal(size=(2, 6, 6)))[0]
    values = np.logspace(0, -10, 6)
    rows = accuracy.principal_rows(left * values @ right)
    assert_allclose(accuracy.lengths(rows), values, rtol=1e-5)
    X = rng.normal(size=(50, 6)) + 3
    R = accuracy.exact_triangle(X).astype(float)
    deviations = X - X.mean(axis=0)
    assert_allclose(R.T @ R, deviations.T @ deviations, atol=1e-12)


# ----------------------------------------------------------------- merging


def test_one_gram_matrix_may_have_triangles_that_differ_in_more_than_signs():
    a, b = np.array([[0.0, 1], [0, 0]]), np.array([[0.0, 0], [0, 1]])
    assert_array_equal(a.T @ a, b.T @ b)
    assert not np.array_equal(np.abs(a), np.abs(b))
    turn = np.array([[0.0, 1], [1, 0]])
    assert_array_equal(turn @ b, a)


def parts(rank, n=60, d=5):
    rng = np.random.default_rng(rank)
    X = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) + 1
    views = [X[:, :3], X[:, 3:]]
    halves = [[v[rows] for v in views] for rows in (slice(20), slice(20, n))]
    return views, [StackedSummary.from_views(half) for half in halves]


def test_merged_triangle_is_that_of_all_rows_if_they_have_full_rank():
    views, (a, b) = parts(rank=5)
    X = np.hstack(views)
    expected = np.linalg.qr(X - X.mean(axis=0), mode="r")
    assert_allclose(np.abs(a.merge(b).R), np.abs(expected), atol=1e-12)


@pytest.mark.parametrize("rank", [0, 1, 3, 5])
def test_merged_triangle_has_the_gram_matrix_of_all_rows(rank):
    views, (a, b) = parts(rank)
    X = np.hstack(views)
    deviations = X - X.mean(axis=0)
    R = a.merge(b).R
    assert_allclose(R.T @ R, deviations.T @ deviations, atol=1e-11)
    # The formula, from the two triangles and the two means alone.
    gap = np.sqrt(20 * 40 / 60) * (a.mean - b.mean)
    small = np.vstack([a.R, b.R, gap])
    assert_allclose(small.T @ small, deviations.T @ deviations, atol=1e-11)


def test_a_large_mean_costs_digits_in_use_unless_it_is_two_numbers():
    """Ax + b loses what deviations from both parts of the mean keep."""
    views = methods.odd_views("mean 1e8")
    model = methods.FITS["perfalign"](3).fit(views)
    latents = [
        view @ encoder.T + offset
        for view, encoder, offset in zip(
            views, model.encoders_, model.offsets_
        )
    ]
    assert relative_alignment_error(latents) > 1e-10
    assert relative_alignment_error(model.transform(views)) < 1e-13


def test_forty_merges_far_from_zero_lose_nothing():
    """Mixtures of two signals at mean 2³⁰ keep rank two, as in one pass."""
    rng = np.random.default_rng(0)
    signals = np.round(rng.normal(size=(4000, 2)) * 2**10) / 2**10
    mixes = ([[1, 2, -1], [0, 1, 3]], [[2, 1, 1], [1, -1, 0]])
    views = [signals @ mix + 2.0**30 for mix in mixes]
    pieces = [
        StackedSummary.from_views([view[i::40] for view in views])
        for i in range(40)
    ]
    for block in reduce(StackedSummary.merge, pieces).blocks():
        values = np.linalg.svd(block, compute_uv=False)
        assert values[2] < 1e-14 * values[0]
