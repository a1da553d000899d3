"""A part of what was measured once, computed afresh: the claims still hold.

The studies in `benchmarks/` are too slow for a test run. Here each claim that
rests on one of them is put to a split, a seed or a smaller size of it, and
nothing that is stored is read.
"""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.semi_supervised import LabelSpreading

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


@cache
def script(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------ permutation null


def accepted(name, n_data_sets):
    """Share of data sets in which each component is accepted."""
    p_values = script("permutation_null").p_values(name, 99, n_data_sets)
    return np.mean(p_values <= 0.05, axis=0)


def test_unrelated_views_are_rejected_as_often_as_the_level_says():
    assert 0 < accepted("unrelated", 100)[0] < 0.12


def test_three_shared_signals_are_accepted_and_hardly_a_fourth():
    shares = accepted("three shared", 20)
    assert np.all(shares[:3] == 1)
    assert shares[3] < 0.2


def test_near_copies_are_fatal_as_rows_and_harmless_as_groups():
    assert accepted("copies, by row", 10)[0] == 1
    assert accepted("copies, by group", 40)[0] < 0.15


# ------------------------------------------------------------- real modalities

WRIST = "acceleration, rotation"


@cache
def one_split(task):
    study = script("real_modalities")
    names = ["whitened", "contrastive"] if task == WRIST else ["whitened"]
    methods = study.methods(study.TASKS[task][2])
    chosen = {name: methods[name] for name in names}
    return study.table(study.run(task, chosen, n_splits=1))


def accuracy(task, way, method="whitened", metric="accuracy"):
    return one_split(task)[method][way][metric][0]


@pytest.mark.parametrize("way", ["01", "10"])
def test_tuned_contrast_transfers_about_as_well(way):
    """To new people, with as many candidates."""
    best = accuracy(WRIST, way)
    assert best > 0.6
    assert abs(best - accuracy(WRIST, way, "contrastive")) < 0.08


@pytest.mark.parametrize("way", ["01", "10"])
def test_statistics_of_windows_transfer_and_raw_windows_do_not(way):
    assert accuracy(WRIST, way) > accuracy(f"raw {WRIST}", way) + 0.3


@pytest.mark.parametrize("task", ["picture, English", "network, English"])
def test_names_are_read_better_than_the_pictures_they_come_from(task):
    source = accuracy(task, "01", metric="source_accuracy")
    assert accuracy(task, "01") > source + 0.05


# --------------------------------------------------------------------- bridges


def test_a_missing_class_stays_and_any_threshold_sees_it():
    """A hard price moves less of it than a soft one does. But the order of
    rows by what a soft one moves, or by their cheapest cost, says as much."""
    moved = script("bridges").missing_class(3)
    shares = {}
    for divergence in ("tv", "kl"):
        own, others = np.transpose(moved[divergence])
        order = np.argsort(others)
        shares[divergence] = np.interp(0.6, others[order], own[order])
    assert shares["tv"] < 0.25
    assert shares["tv"] < 0.7 * shares["kl"]
    assert max(moved["kl, cut"]) < shares["tv"] + 0.03
    assert moved["nearest, cut"] < shares["tv"] + 0.03


@cache
def by_a_hundred(kind):
    return script("bridges").alignment(0, 100, kind)


def test_shared_labels_find_partners_and_classes_do_not():
    found = by_a_hundred("simple")
    assert found["relational, labels"]["partner"] > 0.03
    assert found["gluing, labels"]["partner"] < 0.02
    assert found["classes"]["partner"] < 0.02


def test_for_simple_cells_no_bridge_is_ahead_of_a_straight_line():
    found = by_a_hundred("simple")
    for measure in ("class", "partner"):
        straight = found["ridge regression"][measure]
        assert found["relational"][measure] < straight + 0.01
        assert found["kernel ridge"][measure] < straight + 0.02


def test_for_complex_cells_what_bends_is_ahead():
    found = by_a_hundred("complex")
    straight = found["ridge regression"]
    assert found["relational"]["class"] > straight["class"] + 0.03
    assert found["kernel ridge"]["partner"] > straight["partner"] + 0.03


def test_shapes_alone_align_nothing():
    for kind in ("simple", "complex"):
        assert by_a_hundred(kind)["Gromov–Wasserstein"]["partner"] < 0.1


# --------------------------------------------------------------- model bridges


@cache
def few_labels():
    sizes = {"n_source": 1500, "n_target": 1500, "n_test": 800}
    study = script("model_bridges")
    return study.digits(0, 0.02, **sizes, n_samples=10_000)


def test_with_two_percent_of_labels_no_other_model_is_needed():
    """Label spreading, given the same responses, is not behind the plan."""
    study = script("model_bridges")
    m = study.digit_models(0, 1500, 1500, 800)
    (X, new), (labels, truth) = m["X"], m["labels"]
    rng = np.random.default_rng([3, 0])
    known = study.exemplars(labels, 0.02, rng)
    unknown = np.full(len(X), -1)
    unknown[known] = labels[known]
    spread = LabelSpreading("knn", n_neighbors=15, max_iter=100)
    named = spread.fit(X, unknown).score(new, truth)
    assert named > few_labels()["setting 1"]["vote"] - 0.02
    assert named > max(few_labels()["end-to-end"].values())


def test_at_twenty_percent_most_of_the_loss_is_at_the_coupling():
    study = script("model_bridges")
    m = study.digit_models(0, 1500, 1500, 1500)
    (X, new), (labels, truth) = m["X"], m["labels"]
    told = study.fit_quietly(study.network(), X, labels).score(new, truth)
    known = study.exemplars(labels, 0.2, np.random.default_rng([3, 0]))
    plan = study.plan_by_labels(X, m["Y"], known, labels, m["labels_Y"])
    believed = study.steps(m, plan, 0)["labels of the plan"]
    flow = study.ConditionalFlow(n_samples=20_000, random_state=0)
    draws = flow.fit(X, m["Y"], plan).sample(new, 20, 0)
    bridged = study.read(m["head"], draws, truth)["vote"]
    assert told - believed > believed - bridged > 0


def test_pairs_find_partners_and_labels_do_not():
    row = few_labels()
    assert row["alignment, true pairs"]["rank"] < 6
    assert row["setting 1"]["rank"] < 60
    assert row["setting 2"]["rank"] > 100


def test_a_brain_is_named_above_chance_and_below_end_to_end():
    row = script("model_bridges").brain(0, 8, n_samples=10_000)
    assert 2 / 7 < row["setting 2"]["vote"]
    assert row["setting 2"]["vote"] < row["end-to-end"]["LDA, raw"] - 0.05


# --------------------------------------------------------------------- descent


def beside_the_closed_form(
    kind, steps, candidates, monkeypatch, falling=(False, True)
):
    """Error of descent, chosen on validation pairs, and the closed form's."""
    study = script("descent")
    monkeypatch.setattr(study, "N", 20_000)
    monkeypatch.setattr(study, "RATES", candidates)
    monkeypatch.setattr(study, "FALLING", falling)
    found = study.compare(kind, 0, (steps,))
    return found[f"{steps} steps"]["error"], found["closed form"]["error"]


def test_in_its_time_the_closed_form_is_ahead_on_noisy_pairs(monkeypatch):
    rates = script("descent").RATES
    found, closed = beside_the_closed_form("noisy", 50, rates, monkeypatch)
    assert 1.01 < found / closed < 1.1


def test_with_time_and_a_falling_step_descent_is_ahead(monkeypatch):
    found, closed = beside_the_closed_form(
        "noisy", 2400, (0.0058,), monkeypatch, [True]
    )
    assert 0.9 < found / closed < 1


def test_only_the_closed_form_is_exact(monkeypatch):
    found, closed = beside_the_closed_form(
        "exact", 800, (0.0032,), monkeypatch, [False]
    )
    assert closed < 1e-13 < 0.001 < found < 0.1
