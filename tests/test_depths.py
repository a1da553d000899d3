"""Stages beside layers: the study, and what chapter 14 says of it."""

import importlib
import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import normalize

from perfalign.metrics import linear_cka, mutual_neighbours
from perfalign.model_selection import resampled_interval

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


@cache
def script():
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module("depths")
    finally:
        sys.path.remove(str(FOLDER))


@cache
def stored():
    return json.loads(script().RESULTS.read_text(encoding="utf-8"))


@cache
def items():
    return script().representations()


# ------------------------------------------------------------ a part run again


def test_stored_cells_are_what_the_code_computes():
    s, fresh = script(), script().reduced()
    for name, measure in fresh["measures"].items():
        for pairing, stages in measure.items():
            for stage, layers in stages.items():
                for layer, (value,) in layers.items():
                    kept = stored()["measures"][name][pairing][stage][layer]
                    assert len(kept) == s.N_SPLITS
                    assert kept[0] == pytest.approx(value, abs=2e-3)
    for stage, pairings in fresh["crowds"].items():
        for pairing, (shares,) in pairings.items():
            kept = stored()["crowds"][stage][pairing][0]
            assert_allclose(kept, shares, rtol=0, atol=2e-3)


# ------------------------------------------------------- what is measured, how


def test_neighbours_and_kernels_are_those_of_the_package():
    s, rng = script(), np.random.default_rng(0)
    X, Y = rng.normal(size=(60, 5)), rng.normal(size=(60, 3))
    Y += X[:, :3]
    one, other = s.geometry(X), s.geometry(Y)
    for order in (np.arange(60), rng.permutation(60)):
        shared = mutual_neighbours(normalize(X), normalize(Y)[order])
        assert_allclose(s.neighbours(one, other, order), shared)
        assert_allclose(s.kernels(one, other, order), linear_cka(X, Y[order]))


def test_strangers_are_others_of_the_same_kind():
    kind = np.random.default_rng(0).integers(8, size=50)
    kind[:2] = 8, 9  # alone of their kinds
    order = script().strangers(kind, np.random.default_rng(1))
    assert_array_equal(np.sort(order), np.arange(50))
    assert_array_equal(kind[order], kind)
    assert_array_equal(np.flatnonzero(order == np.arange(50)), [0, 1])


def test_one_emoji_of_each_group_seen_at_one_width():
    s, w = script(), script().world(0, items())
    assert len(items().target) == 1392
    assert len(np.unique(items().kind)) == 95
    train, test = w.rows
    assert not set(train) & set(test)
    widths = [view.shape[1] for view in items().vision.values()]
    assert min(widths) == s.WIDTH
    assert len(s.GRID["n_components"]) * len(s.GRID["ridge"]) == 20


def test_new_items_have_no_say_in_what_is_chosen():
    """With other labels and partners held out, the same is accepted."""
    s, w = script(), script().world(0, items())
    train, test = w.rows
    X, Y = items().vision["7"], items().text["6"].copy()
    before = s.seen_by(Y, train, test)
    Y[test] = Y[test][::-1]
    after = s.seen_by(Y, train, test)
    assert_array_equal(before.old, after.old)
    assert_array_equal(before.narrow.near, after.narrow.near)
    assert not np.array_equal(before.new, after.new)


def test_share_of_items_gives_the_variance_of_all():
    """Means over m of n items, put together, miss by what all n miss by."""
    rng, n, m, j = np.random.default_rng(0), 200, 140, 8
    missed = 0
    for _ in range(400):
        x = rng.normal(size=n)
        means = [rng.permutation(x)[:m].mean() for _ in range(j)]
        low, high = resampled_interval(means, m / n)
        missed += not low < 0 < high
    assert 0.02 < missed / 400 < 0.08
