"""The bridge of chapter 13 and its flow, against what else could be done."""

import importlib
import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from perfalign.model_selection import resampled_interval

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


@cache
def script():
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module("model_rivals")
    finally:
        sys.path.remove(str(FOLDER))


def stored():
    return json.loads(script().RESULTS.read_text(encoding="utf-8"))


def told(first, second, share):
    """1 if the first is larger beyond its interval, -1 smaller, else 0."""
    low, high = resampled_interval(np.subtract(first, second), share)
    return (low > 0) - (high < 0)


# ------------------------------------------------------------ a part run again


def test_rivals_are_what_the_script_computes():
    half = script().half(0, ("partners of neighbours",))
    for name, scores in half.items():
        for score, value in scores.items():
            assert stored()["half"][name][score][0] == pytest.approx(
                value, abs=2e-3
            )


def test_few_labels_are_what_the_script_computes():
    kept, s = stored(), script()
    made = s.against(*s.digits(0, 0.02, "complex"), ("self-training",))
    for study, row in (
        ("labels", s.labels(0, 0.02)),
        ("plan", s.bridged(0, 0.02)),
        ("complex", made),
    ):
        for name, value in row.items():
            # Another order of sums may teach a network another item or two.
            assert kept[study]["0.02"][name][0] == pytest.approx(
                value, abs=0.02
            )


def test_energy_score_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    draws, truth = rng.normal(size=(6, 4, 3)), rng.normal(size=(4, 3))
    near = np.mean(
        [np.linalg.norm(draws[s] - truth, axis=1) for s in range(6)]
    )
    apart = np.mean(
        [
            np.linalg.norm(draws[s] - draws[t], axis=1)
            for s in range(6)
            for t in range(6)
            if s != t
        ]
    )
    assert script().energy_score(draws, truth) == pytest.approx(
        near - apart / 2
    )


def test_energy_score_prefers_the_true_distribution():
    """Two ends in their shares beat their mean, and one width for both."""
    rng = np.random.default_rng(0)
    ends = np.array([[-3.0, 0.0], [3.0, 0.0]])
    truth = ends[rng.integers(2, size=4000)]
    draws = {
        "right": ends[rng.integers(2, size=(20, 4000))],
        "mean": np.zeros((1, 4000, 2)),
        "wide": rng.normal(size=(20, 4000, 2)) * [3.0, 0.0],
        "shares": ends[(rng.random((20, 4000)) < 0.9).astype(int)],
    }
    scores = {k: script().energy_score(d, truth) for k, d in draws.items()}
    assert min(scores, key=scores.get) == "right"
    assert scores["right"] == pytest.approx(1.5, abs=0.05)


def test_nothing_of_a_test_item_is_seen_by_a_choice():
    """Rivals choose alike whatever the test items' labels are."""
    s, rng = script(), np.random.default_rng(0)
    labels = np.arange(160) % 4
    X = rng.normal(size=(160, 40)) + 2 * np.eye(40)[labels]
    seen = []
    for shown in (labels, np.r_[labels[:120], np.zeros(40, dtype=int)]):
        w = s.SimpleNamespace(n=120, raw=X, X=X, labels=shown)
        method, candidates = s.RIVALS["components, LDA"]
        seen.append(s.chosen(w, np.arange(40), method, candidates))
    assert seen[0] == seen[1]


def test_everyone_has_as_many_candidates():
    s = script()
    assert {len(candidates) for _, candidates in s.RIVALS.values()} == {20}
    assert len(s.PLANS) == 20
    assert {len(candidates) for _, candidates in s.DRAWN.values()} == {6}


# ------------------------------------------------- verdicts of stored numbers


def leads(score):
    """Of the flow over each rival, where lower is better."""
    half = stored()["half"]
    flow = half.pop("flow")[score]
    assert len(flow) >= 6
    return {
        name: told(scores[score], flow, script().TEST_SIZE_HALF)
        for name, scores in half.items()
    }


def test_a_flow_earns_its_place_where_the_distribution_is_wanted():
    assert set(leads("energy score").values()) == {1}


def test_its_votes_are_no_better_than_one_reading_of_the_mean():
    behind = leads("Brier score")
    assert behind["regression"] == behind["classes, Gaussian"] == -1


FLOW, MEAN = "plan, flow, vote", "plan, neighbours' mean"


def accuracies():
    """By kind of cells and share of labels."""
    kept = stored()
    simple = {f: row | kept["plan"][f] for f, row in kept["labels"].items()}
    return {"simple": simple, "complex": kept["complex"]}


def verdicts(cells, way, rival):
    """Of a way to read the plan over a rival, by share of labels."""
    share = script().TEST_SIZE
    table = accuracies()[cells]
    return [told(row[way], row[rival], share) for row in table.values()]


def test_they_stand_against_the_strongest_rival():
    s = script()
    for cells, strongest, n in (
        ("simple", "label spreading", 6),
        ("complex", "self-training", 5),
    ):
        for row in accuracies()[cells].values():
            means = {name: np.mean(row[name]) for name in s.RIVALS}
            assert max(means, key=means.get) == strongest
            assert {len(values) for values in row.values()} == {n}


@pytest.mark.parametrize("way", [FLOW, MEAN])
def test_a_bridge_of_simple_cells_is_level_with_label_spreading(way):
    assert verdicts("simple", way, "label spreading") == [0, 0, 0, 0, 0]


def test_for_complex_cells_self_training_is_ahead_of_the_flow():
    assert verdicts("complex", FLOW, "self-training") == [-1, -1, -1]
    assert verdicts("complex", MEAN, "self-training") == [0, 0, 0]


def test_with_few_labels_a_bridge_is_ahead_of_the_labelled_alone():
    assert verdicts("simple", FLOW, "labelled alone") == [1, 1, 1, 0, 0]
    assert verdicts("simple", MEAN, "labelled alone") == [1, 1, 1, 1, 1]


def test_and_so_is_label_spreading_which_knows_no_other_model():
    ahead = verdicts("simple", "label spreading", "labelled alone")
    assert ahead == [1, 1, 0, 0, 0]


@pytest.mark.parametrize("cells", ["simple", "complex"])
def test_for_naming_a_flow_is_nowhere_ahead_of_the_mean_partners(cells):
    assert set(verdicts(cells, FLOW, MEAN)) <= {-1, 0}
    assert set(verdicts(cells, FLOW, "plan, regression")) == {0}
