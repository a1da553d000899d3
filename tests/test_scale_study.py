"""The stored measurements of chapter 11, and the code that made them."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
STUDY = json.loads((FOLDER / "scale.json").read_text(encoding="utf8"))
LARGE = "100000 x 128"


def load_methods():
    path = FOLDER / "scale_methods.py"
    spec = importlib.util.spec_from_file_location("scale_methods", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


methods = load_methods()


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
    bound = 1e-8 if kind == "mean 1e8" else 1e-13
    assert methods.alignment_of(model, views) < bound
    assert STUDY["odd"][kind]["perfalign"]["error"] < bound


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
