"""The stored measurements of chapter 11, and the code that made them."""

import importlib.util
import json
import sys
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import StackedSummary, relative_alignment_error
from perfalign.model_selection import resampled_interval

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
LARGE, MILLION = "100000 x 128", "1000000 x 128"


def load_json(name):
    return json.loads((FOLDER / name).read_text(encoding="utf8"))


def load_module(name):
    path = FOLDER / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # the next one imports it
    spec.loader.exec_module(module)
    return module


STUDY = load_json("scale.json")
ACCURACY = load_json("scale_accuracy.json")
methods = load_module("scale_methods")
tables = load_module("scale_table")
accuracy = load_module("scale_accuracy")


def seconds(kind, size, method):
    return np.median(STUDY["times"][kind][size][method]["seconds"])


def median_of(label):
    return STUDY["ratios of seconds"][label][0]


# ------------------------------------------------------- what the study runs


def test_all_that_is_compared_is_run_and_stored():
    plan = tables.plan()
    for _, data, method, base in tables.comparisons():
        assert {method, base} <= set(plan[data])
    for (kind, n, d), names in plan.items():
        assert set(STUDY["times"][kind][f"{n} x {d}"]) == set(names)


def test_table_and_figure_are_those_of_the_stored_times():
    assert tables.table(STUDY) == STUDY["ratios of seconds"]
    figure = json.loads(json.dumps(tables.cost_of_width(STUDY)))
    assert figure == STUDY["figure"]


def test_ratios_are_of_the_same_round():
    times = {"a": {"seconds": [1, 4, 9]}, "b": {"seconds": [1, 2]}}
    times["c"] = {"refused": "more than 20 seconds"}
    assert tables.ratios(times, "a", "b") == [1, 2]
    assert tables.ratios(times, "a", "c") == []


def test_the_fastest_peer_is_no_wrong_one():
    noisy = {
        "perfalign": {"seconds": [1], "error": 0},
        "cca-zoo CCA": {"seconds": [4], "error": 1e-15},
        "cca-zoo MCCA": {"seconds": [3], "error": 1e-15},
        "cca-zoo GCCA": {"seconds": [2], "error": 1e-6},
        "numpy QR + SVD": {"refused": "singular"},
    }
    exact = {"cca-zoo CCA": {"error": 0}, "cca-zoo MCCA": {"error": 1e-6}}
    assert tables.fastest_peer(noisy) == "cca-zoo MCCA"
    assert tables.fastest_peer(noisy, exact) == "cca-zoo CCA"
    assert tables.fastest_peer({}) is None


def test_growth_of_a_power_is_its_exponent():
    times = {
        f"{n} x 128": {"a": {"seconds": [3 * n**1.5, n**2.0]}}
        for n, _ in tables.ROWS
    }
    study = {"times": {"noisy": times}}
    assert_allclose(tables.slopes(study, tables.ROWS, 0, "a"), [1.5, 2])


@pytest.mark.parametrize("mixed", [True, False])
def test_preconditioned_triangle_is_that_of_the_rows(mixed):
    rows = np.hstack(methods.noisy_views(3000, 12))
    found = methods.rp_cholesky_qr(None, rows.copy(), mixed)
    expected = np.linalg.qr(rows, mode="r")
    assert_allclose(np.abs(found), np.abs(expected), rtol=1e-10, atol=1e-10)


def test_least_of_a_permutation_test_are_correlations_of_shuffled_pairs():
    views = methods.noisy_views(200, 6)
    found = methods.products_and_values(views, None)
    for values, order in zip(found[:3], methods.orders(200)):
        expected = methods.correlations(views[0], views[1][order])
        assert_allclose(values, expected, atol=1e-13)


@pytest.mark.parametrize("method", ["perfalign", "numpy QR + SVD"])
@pytest.mark.parametrize("size", [(200, 6), (2000, 64)])
def test_correlations_of_noisy_views_are_found_to_rounding(method, size):
    views = methods.noisy_views(*size)
    true = methods.correlations(*views)
    model = methods.FITS[method](methods.rank_of(size[1])).fit(views)
    stored = tables.results_of(STUDY, "noisy", *size)[method]["error"]
    assert methods.correlation_error(model, views, true) < 1e-13
    assert stored < 1e-13


@pytest.mark.parametrize("method", methods.PASSES)
def test_zeros_are_found_as_exactly_as_the_study_says(method):
    """The same code on fewer rows: an order of magnitude at most apart."""
    views = methods.exact_views(10_000, 128)
    found = methods.tail(method, views, 16)
    stored = STUDY["tail"][method]["tail"]
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


# ----------------------------------------------------- what the chapter says


def test_stored_fits_are_as_exact_as_the_chapter_says():
    exact = STUDY["times"]["exact"][LARGE]
    assert exact["perfalign"]["error"] < 1e-13
    for name in ("cca-zoo MCCA", "cca-zoo GCCA"):
        assert 1e-8 < exact[name]["error"] < 1e-4
    for name in ("scikit-learn CCA", "scikit-learn PLS", "contrastive"):
        assert exact[name]["error"] > 0.1
    for name in ("mvlearn CCA", "mvlearn MCCA", "statsmodels CanCorr"):
        assert "refused" in exact[name]
    same = ["numpy QR + SVD", "cca-zoo CCA", "mvlearn MCCA (ranks given)"]
    assert all(exact[name]["error"] < 1e-13 for name in same)


def test_stored_fits_to_noisy_views_are_equally_accurate():
    noisy = STUDY["times"]["noisy"]
    for n, d in tables.FITS:
        assert noisy[f"{n} x {d}"]["perfalign"]["error"] < 1e-13
    other = {"perfalign", "scikit-learn PLS", "mvlearn MCCA (ranks given)"}
    for name in set(methods.FITS) - other:
        assert noisy[LARGE].get(name, {}).get("error", 0) < 1e-9
    for name in other - {"perfalign"}:
        assert noisy[LARGE][name]["error"] > 1e-6


def test_stored_times_are_as_short_as_the_chapter_says():
    million = tables.results_of(STUDY, "noisy", 10**6, 128)
    found = tables.ratios(million, "StackedSummary", "dsyrk")
    assert np.percentile(found, 75) < 3
    summary = seconds("exact", LARGE, "StackedSummary")
    assert seconds("exact", LARGE, "numpy qr") >= 4 * summary
    assert seconds("exact", LARGE, "numpy svd") >= 8 * summary
    fit = seconds("exact", LARGE, "perfalign")
    for name in ("scikit-learn CCA", "contrastive"):
        assert seconds("exact", LARGE, name) >= 20 * fit


def test_stored_times_grow_as_the_chapter_says():
    # Many rows repay the beginning of a pass, and threads.
    for variant in ("", ", one thread"):
        label = f"StackedSummary{variant} grows as n to the"
        assert 0.75 <= median_of(label) < 1
    # Narrow matrices are multiplied less efficiently, by all methods.
    ours, yardstick = (
        median_of(f"{method} grows as d to the")
        for method in ("StackedSummary", "dsyrk")
    )
    assert 1.3 <= yardstick <= 2 and ours <= 2


def test_stored_memory_does_not_grow():
    used = STUDY["memory"][MILLION]
    assert max(m["megabytes"] for m in used.values()) < 100


def test_wide_rows_wait_for_the_arithmetic():
    """On two cores, and a usual disk or network is faster."""
    rates = dict(zip(STUDY["figure"]["widths"], STUDY["figure"]["rates"]))
    assert max(rates[1024], rates[2048]) < min(tables.SOURCES.values())


def test_computing_less_exactly_gains_a_factor_below_three():
    for d in tables.WIDTHS:
        for rows in ("noisy", "exact"):
            ratio = median_of(f"pass / dsyrk, {rows}, {d} features")
            assert 1 < ratio < (2.5 if d <= 1024 else 3)


def test_single_precision_takes_half_the_time():
    assert median_of("pass, float32 / float64, 1000000 x 128") < 0.6


def test_nobody_is_faster_but_on_the_smallest_data():
    for n, d in tables.FITS:
        key = f"fit / fastest exact peer, {n} x {d}"
        [name] = [
            name
            for name in STUDY["ratios of seconds"]
            if name.startswith(key + " ")
        ]
        assert (median_of(name) < 1) == (n * d >= 2000 * 64)
    for (n, d), first in {(200, 6): False, (2000, 4): True}.items():
        found = tables.results_of(STUDY, "noisy", n, d)
        libraries = [
            np.median(tables.ratios(found, "perfalign", name))
            for name in set(methods.FITS) - {"perfalign", "numpy QR + SVD"}
            if tables.is_accurate(found.get(name, {}))
        ]
        assert (max(libraries) < 1) == first


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
def test_products_of_rows_are_fast_and_lose_what_is_exact():
    """Bare lines for few rows, which are ahead where noise makes it safe."""
    [name] = methods.WIDE
    assert median_of(f"fit / {name}, 300 x 10000") > 1
    noisy, exact = methods.noisy_views(40, 200), methods.exact_views(40, 200)
    true = methods.correlations(*noisy)
    ours, bare = (
        make(methods.RANK)
        for make in (methods.FITS["perfalign"], methods.WIDE[name])
    )
    for model in (ours, bare):
        assert methods.correlation_error(model.fit(noisy), noisy, true) < 1e-9
    assert methods.alignment_of(bare.fit(exact), exact) > 0.1
    assert methods.alignment_of(ours.fit(exact), exact) < 1e-13


def test_the_verdicts_on_descent_are_those_of_the_stored_intervals():
    stored = load_json("descent.json")["noisy"]
    low, high = np.transpose(
        [
            resampled_interval(
                np.subtract(
                    stored[f"{n} steps"]["error"],
                    stored["closed form"]["error"],
                ),
                test_size=0,
            )
            for n in (50, 200, 800, 2400)
        ]
    )
    assert low[0] > 0 and low[1] > 0  # "its time, and a few times that"
    assert high[-1] < 0  # "with much more time descent overtakes it"


# ---------------------------------------------------------------- accuracy

wide_enough = pytest.mark.skipif(
    np.finfo(np.longdouble).eps > 1e-18,
    reason="the reference needs a wider floating-point type",
)
SKETCHED = ("rand_cholQR", "rpCholesky-QR")
KEPT = ("Householder", "StackedSummary", *SKETCHED)


@wide_enough
@pytest.mark.parametrize("kind", accuracy.KINDS)
def test_triangles_are_as_exact_as_the_study_says(kind):
    found, stored = accuracy.compare(kind), ACCURACY[kind]
    for results in (found, stored):
        for method in KEPT:
            if method in SKETCHED and kind == "a constant column":
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
            allowed = 10 / np.array(accuracy.VALUES)
            assert np.all(results[method]["relative"] < allowed)
            assert results[method]["relative"][-1] * accuracy.EPS < 1e-5
        assert np.all(
            np.array(results["Gram matrix"]["relative"])[3:] * accuracy.EPS > 1
        )


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
