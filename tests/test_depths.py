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


def test_stored_sizes_are_what_the_code_computes():
    s, names = script(), (("Lite 0", "Lite 2"), ("6",))
    fresh = s.stored([s.split(1, items(), *names)], *names)
    for name, pairings in fresh.items():
        for stage in names[0]:
            kept = stored()["measures"][name]["found"][stage]["6"][1]
            assert kept == pytest.approx(
                pairings["found"][stage]["6"][0], abs=2e-3
            )


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


def test_new_items_have_no_say_in_what_training_items_are():
    s, (train, test) = script(), script().world(0, items()).rows
    Y = items().text["6"].copy()
    before = s.seen_by(Y, train, test)
    Y[test] = Y[test][::-1]
    after = s.seen_by(Y, train, test)
    assert_array_equal(before.old, after.old)
    assert_array_equal(before.narrow.near, after.narrow.near)
    assert_array_equal(before.new[::-1], after.new)


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


# ------------------------------------------------- verdicts of stored numbers

SIX = ("there", "back", "recall", "components", "neighbours", "kernels")
WIDE = ("neighbours, all features", "kernels, all features")


def numbers(name, pairing="found", stages=None):
    """Of each split, stage and layer."""
    s, table = script(), stored()["measures"][name][pairing]
    return np.moveaxis(
        [
            [table[stage][layer] for layer in s.LAYERS]
            for stage in stages or s.STAGES
        ],
        -1,
        0,
    )


def beyond(name, pairing="shuffled", stages=None):
    return numbers(name, "found", stages) - numbers(name, pairing, stages)


def told(name, change):
    """1 if above 0 beyond its interval, -1 below, else 0."""
    low, high = resampled_interval(change, script().share(name))
    return (low > 0) - (high < 0)


def deeper(name, pairing="shuffled"):
    stage = beyond(name, pairing).mean(axis=2)
    return told(name, stage[:, -1] - stage[:, 0])


@pytest.mark.parametrize("name", SIX + WIDE)
def test_every_cell_is_beyond_every_shuffle(name):
    chance = stored()["chances"][name]
    lowest = 1 / (1 + script().N_SHUFFLES)
    assert_array_equal(chance["p"], round(lowest, 4))
    best, mean, largest = chance["largest"]
    assert best > 3 * largest > 3 * mean
    assert_allclose(best, numbers(name).mean(axis=0).max(), atol=1e-4)


@pytest.mark.parametrize("name", SIX + WIDE)
def test_depth_of_the_network_for_pictures_counts(name):
    assert deeper(name) == 1
    stage = beyond(name).mean(axis=(0, 2))
    assert stage[-2] - stage[0] > 0.9 * (stage[-1] - stage[0])


@pytest.mark.parametrize("name", SIX + WIDE)
def test_depth_of_the_network_for_sentences_does_not(name):
    layer = beyond(name).mean(axis=1)
    found = told(name, layer[:, -1] - layer[:, 0])
    assert found == (-1 if name.startswith("kernels") else 0)


@pytest.mark.parametrize("name", SIX + WIDE)
def test_size_tells_no_first_from_a_last(name):
    size = beyond(name, stages=script().MODELS).mean(axis=2)
    assert told(name, size[:, 2] - size[:, 0]) == 0
    if name.startswith("kernels"):
        assert told(name, size[:, 1] - size[:, 0]) == 1
        assert told(name, size[:, 1] - size[:, 2]) == 1


def test_strangers_carry_classes_and_part_of_the_rest():
    last = {
        name: {
            pairing: numbers(name, pairing)[:, -1].mean(axis=1)
            for pairing in script().PAIRINGS
        }
        for name in SIX
    }
    left = {n: told(n, v["found"] - v["strangers"]) for n, v in last.items()}
    assert left.pop("there") == left.pop("back") == 0
    assert set(left.values()) == {1}
    mean = {n: {p: x.mean() for p, x in v.items()} for n, v in last.items()}
    # Partners are found nearly as often.
    assert mean["recall"]["strangers"] > 0.9 * mean["recall"]["found"]
    m = mean["neighbours"]
    item = (m["found"] - m["strangers"]) / (m["found"] - m["shuffled"])
    assert item == pytest.approx(1 / 3, abs=0.05)
    # They fall most of all measures.
    kept = {n: v["strangers"] / v["found"] for n, v in mean.items()}
    assert min(kept, key=kept.get) == "neighbours"


def test_what_is_the_items_own_rises_by_neighbours_and_kernels():
    found = {name: deeper(name, "strangers") for name in SIX + WIDE}
    rising = {name for name, sign in found.items() if sign == 1}
    assert rising == {"neighbours", "kernels", *WIDE}
    assert -1 not in found.values()


def test_fewer_items_have_more_neighbours_in_common_by_chance():
    s = script()
    chance = s.N_NEAREST / (np.array(s.CROWDS) - 1)
    for stage in s.ENDS:
        shares = np.mean(stored()["crowds"][stage]["found"], axis=0)
        assert np.all(np.diff(shares) < 0)
        calibrated = (shares - chance) / (1 - chance)
        assert calibrated[-1] > calibrated[0]


# ------------------------------------------------------------ and what is said


@cache
def texts():
    path = FOLDER.parent / "chapters" / "14-platonic.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def test_counts_in_the_text_are_those_of_the_study():
    s, deeper = script(), texts()["text-deeper"]
    assert f"{len(items().target):,}".replace(",", " ") in deeper
    assert len(s.STAGES) * len(s.LAYERS) == 56
    assert s.N_SHUFFLES == 19 and s.N_SPLITS == 8 and s.WIDTH == 16
    assert f"there are {items().kind.max() + 1}" in texts()["text-trends"]
