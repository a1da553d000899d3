"""A model used through another model's latents."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from perfalign import (
    ClassCoupling,
    ConditionalFlow,
    ModelBridge,
    TransportPlan,
    votes,
)


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    seen, known = np.arange(90) % 3, np.arange(120) % 3
    X = rng.normal(size=(90, 4)) + 4 * np.eye(4)[seen]
    images = rng.normal(size=(120, 9)) + 6 * np.eye(9)[known]
    decoder = PCA(3, svd_solver="covariance_eigh").fit(images)
    Y = decoder.transform(images)
    head = LogisticRegression().fit(Y, np.array(["a", "b", "c"])[known])
    velocity = ExtraTreesRegressor(10, min_samples_leaf=5, random_state=0)
    flow = ConditionalFlow(velocity, n_samples=4000, random_state=0)
    bridge = ModelBridge(head, decoder=decoder, flow=flow, random_state=0)
    return X, seen, Y, known, bridge


@pytest.mark.parametrize("setting", [1, 2])
def test_either_coupling_carries_the_classes(world, setting):
    X, seen, Y, known, bridge = world
    coupling = ClassCoupling.from_labels(seen, known)
    if setting == 1:
        same = (seen[:, None] == known).astype(float)
        coupling = TransportPlan(same / same.sum())
    bridge.fit(X, Y, coupling)
    names = np.array(["a", "b", "c"])[seen]
    assert bridge.score(X, names) > 0.95
    assert_array_equal(bridge.classes_, ["a", "b", "c"])


def test_parts_are_what_they_say(world):
    X, seen, Y, known, bridge = world
    bridge.fit(X, Y, ClassCoupling.from_labels(seen, known))
    draws = bridge.sample(X)
    assert draws.shape == (20, 90, 3)
    assert_array_equal(bridge.translate(X), draws.mean(axis=0))
    flat = bridge.head.predict_proba(draws.reshape(-1, 3))
    assert_allclose(
        bridge.predict_proba(X), flat.reshape(20, 90, 3).mean(axis=0)
    )
    pictures = bridge.generate(X, 2)
    assert pictures.shape == (2, 90, 9)
    assert_allclose(
        bridge.decoder.transform(pictures[1]), bridge.sample(X, 2)[1]
    )


def test_decoder_may_be_a_regressor(world):
    X, seen, Y, known, bridge = world
    decoder = LinearRegression().fit(Y, Y @ np.ones((3, 2)))
    other = ModelBridge(decoder=decoder, flow=bridge.flow, random_state=0)
    other.fit(X, Y, ClassCoupling.from_labels(seen, known))
    pictures = other.generate(X)[0]
    assert_allclose(pictures, other.sample(X, 1)[0] @ np.ones((3, 2)))
    with pytest.raises(ValueError, match="target model's head"):
        other.predict(X)


@pytest.mark.parametrize("shift", [1, 2])
def test_labels_carry_an_item_to_whatever_they_were_dealt(world, shift):
    """The classes of the target stand for others, and nothing is lost."""
    X, seen, Y, known, bridge = world
    dealt = (known + shift) % 3
    head = LogisticRegression().fit(Y, dealt)
    other = ModelBridge(head, flow=bridge.flow, random_state=0)
    other.fit(X, Y, ClassCoupling.from_labels(seen, dealt))
    assert other.score(X, seen) > 0.95


def test_votes_count_or_average():
    class Hard:
        classes_ = np.array([0, 1])

        def predict(self, Y):
            return (Y[:, 0] > 0).astype(int)

    draws = np.array([[[-1.0]], [[2.0]], [[3.0]], [[0.5]]])
    assert_array_equal(votes(Hard(), draws), [[0.25, 0.75]])
    soft = LogisticRegression().fit([[-1], [1]], [0, 1])
    expected = soft.predict_proba(draws[:, 0]).mean(axis=0)
    assert_allclose(votes(soft, draws), [expected])


def test_part_of_another_space_is_refused(world):
    X, seen, Y, known, bridge = world
    coupling = ClassCoupling.from_labels(seen, known)
    for part in ({"head": bridge.head}, {"decoder": bridge.decoder}):
        with pytest.raises(ValueError, match="dimension 3; Y has shape"):
            ModelBridge(**part).fit(X, Y[:, :2], coupling)


# ----------------------------------------------------- the studies of the book

STUDY = Path(__file__).parent.parent / "benchmarks" / "model_bridges.py"


def load_study():
    spec = importlib.util.spec_from_file_location("model_bridges", STUDY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


study = load_study()
RESULTS = json.loads(study.RESULTS.read_text(encoding="utf-8"))


def means(fraction, *keys):
    """Mean over splits of a number of the study of digits."""
    at = study.FRACTIONS.index(fraction)
    found = [split[at] for split in RESULTS["digits"]]
    for key in keys:
        found = [row[key] for row in found]
    return np.mean(found)


def best_end_to_end(fraction):
    names = RESULTS["digits"][0][0]["end-to-end"]
    return max(means(fraction, "end-to-end", name) for name in names)


def test_flows_reach_gaussian_classes():
    rows = RESULTS["gaussian"]
    median = {key: np.median([r[key] for r in rows]) for key in rows[0]}
    assert len(rows) == 20
    assert 0.8 <= median["exact"] <= 1.25
    assert median["learned"] <= 2
    assert median["endpoint"] <= 0.25


def test_with_few_labels_the_plan_is_ahead_of_training_on_them():
    assert len(RESULTS["digits"]) >= 5
    for fraction in (0.01, 0.02, 0.05):
        ahead = means(fraction, "setting 1", "vote")
        assert ahead > best_end_to_end(fraction) + 0.02
    for fraction in (0.1, 0.2):
        level = means(fraction, "setting 1", "vote")
        assert abs(level - best_end_to_end(fraction)) < 0.01
    for fraction in study.FRACTIONS:
        behind = means(fraction, "setting 2", "vote")
        assert behind < best_end_to_end(fraction) - 0.02
    assert best_end_to_end(1.0) > means(0.2, "setting 1", "vote") + 0.05


def test_votes_are_ahead_of_single_draws():
    for fraction in study.FRACTIONS:
        votes_, single = (
            means(fraction, "setting 2", kind) for kind in ("vote", "single")
        )
        assert single < votes_


def test_most_of_the_loss_is_at_the_coupling():
    steps = [
        best_end_to_end(1.0),
        means(0.2, "steps", "labels of the plan"),
        means(0.2, "steps", "exact flow", "vote"),
        means(0.2, "setting 1", "vote"),
    ]
    losses = -np.diff(steps)
    assert losses[0] > losses[1:].sum()


def test_partners_are_found_from_pairs_and_not_from_labels():
    for fraction in (0.05, 0.2):
        assert means(fraction, "alignment, true pairs", "rank") < 3
        assert means(fraction, "setting 2", "rank") > 75
        assert 3 < means(fraction, "setting 1", "rank") < 75


def test_brain_is_named_above_chance_and_below_end_to_end():
    rows = [split[-1] for split in RESULTS["brain"]]
    assert len(rows) >= 5
    bridged = np.mean([row["setting 2"]["vote"] for row in rows])
    rival = np.mean([row["end-to-end"]["LDA, raw"] for row in rows])
    assert 2 / 7 < bridged < rival


def test_stored_study_is_what_the_script_computes():
    """Its first split, up to the plan and the alignments."""
    m = study.digit_models(0, 3000, 3500, 1500)
    labels, stored = m["labels"][0], RESULTS["digits"][0]
    at = study.FRACTIONS.index(0.05)
    known = study.exemplars(labels, 0.05, np.random.default_rng([3, 0]))
    plan = study.plan_by_labels(
        m["X"][0], m["Y"], known, labels, m["labels_Y"]
    )
    found = {
        "head": m["head"].score(m["pairs"][1], m["labels"][1]),
        "coupling": plan.class_share(labels, m["labels_Y"]),
    }
    views = [m["X"][0][known], m["pairs"][0][known]]
    found |= study.aligned(views, m, (np.arange(len(known)),) * 2)
    row = stored[at] | stored[at]["setting 1"]
    row |= stored[at]["alignment, true pairs"]
    for key, value in found.items():
        assert abs(row[key] - value) < 6e-5, key
