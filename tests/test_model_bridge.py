"""A model used through another model's latents."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from perfalign import (
    ClassCoupling,
    ClassGaussians,
    ConditionalFlow,
    GaussianFlow,
    ModelBridge,
    TransportPlan,
    UnconditionalFlow,
    votes,
)
from perfalign.model_selection import resampled_interval


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


class Coin:
    """A head whose classes are told by the sign of the first coordinate."""

    def __init__(self, classes):
        self.classes_ = np.array(classes)

    def predict(self, Y):
        return self.classes_[(Y[:, 0] > 0).astype(int)]


class Given:
    """A flow that draws what it is given."""

    def __init__(self, draws):
        self.draws = draws

    def __sklearn_clone__(self):
        return self

    def fit(self, X, Y, coupling):
        return self

    def sample(self, X, n_draws=1, random_state=None):
        return self.draws[:n_draws]


@pytest.mark.parametrize("n_draws", [1, 2, 4, 6])
def test_ties_favour_no_label(n_draws):
    """The same draws, under names in both orders, are named alike."""
    draws = np.random.default_rng(0).normal(size=(n_draws, 4000, 1))
    X = np.zeros((4000, 1))
    said = {}
    for names in (["a", "b"], ["b", "a"]):
        bridge = ModelBridge(Coin(names), flow=Given(draws), n_draws=n_draws)
        said[names[0]] = bridge.fit(X, X, None).predict(X)
    assert np.all((said["a"] == "a") == (said["b"] == "b"))
    # A fair coin is called a as often as b, and where votes differ they win.
    assert abs(np.mean(said["a"] == "a") - 0.5) < 0.025
    shares = votes(Coin(["a", "b"]), draws)
    clear = shares[:, 0] != shares[:, 1]
    winners = np.array(["a", "b"])[shares.argmax(axis=1)]
    assert_array_equal(said["a"][clear], winners[clear])


@pytest.mark.parametrize("soft", [False, True])
def test_prediction_does_not_depend_on_the_batch(world, soft):
    X, seen, Y, known, bridge = world
    head = LogisticRegression() if soft else LinearSVC(random_state=0)
    rng = np.random.default_rng(0)
    mixed = ModelBridge(
        head.fit(Y, known), flow=bridge.flow, n_draws=4, random_state=0
    )
    mixed.fit(X, Y, ClassCoupling.from_labels(seen, known))
    X = X + 3 * rng.normal(size=X.shape)  # doubtful ones
    said, order = mixed.predict(X), rng.permutation(90)
    assert 0.1 < np.mean(said == seen) < 0.9
    assert_array_equal(mixed.predict(X[order]), said[order])
    for cuts in ([7, 8, 60], range(1, 30)):
        parts = [mixed.predict(rows) for rows in np.split(X, cuts)]
        assert_array_equal(np.concatenate(parts), said)
    assert_array_equal(mixed.predict(X[[3, 3]]), said[[3, 3]])


def flows(X, seen, Y, known):
    classes = ClassGaussians(
        [Y[known == c].mean(axis=0) for c in range(3)],
        [np.cov(Y[known == c].T) for c in range(3)],
    )
    velocity = ExtraTreesRegressor(10, min_samples_leaf=5, random_state=0)
    learned = {"n_samples": 2000, "random_state": 0}
    return [
        ConditionalFlow(velocity, **learned),
        GaussianFlow(classes, LogisticRegression().fit(X, seen)),
        UnconditionalFlow(velocity, **learned),
    ]


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("kind", ["classes", "plan", "matrix", "frame"])
def test_any_flow_goes_with_any_coupling(world, which, kind):
    X, seen, Y, known, bridge = world
    X = X[:, :3]  # of the target's dimension, for the unconditional flow
    flow = flows(X, seen, Y, known)[which]
    same = (seen[:, None] == known).astype(float)
    coupling = {
        "classes": ClassCoupling.from_labels(seen, known),
        "plan": TransportPlan(same / same.sum()),
        "matrix": same / same.sum(),
        "frame": pd.DataFrame(same / same.sum()),
    }[kind]
    made = ModelBridge(bridge.head, decoder=bridge.decoder, flow=flow)
    made.set_params(n_draws=3, random_state=0)
    copy = clone(made.fit(X, Y, coupling))
    names = np.array(["a", "b", "c"])[seen]
    score = made.score(X, names)
    assert score > (0.5 if which == 2 else 0.9)
    assert made.generate(X, 2).shape == (2, 90, 9)
    # The copy has the head and the decoder, and its own flow to fit.
    assert not hasattr(copy, "flow_")
    assert copy.fit(X, Y, coupling).score(X, names) == score


def test_what_lacks_the_protocol_is_named(world):
    X, seen, Y, known, bridge = world
    coupling = ClassCoupling.from_labels(seen, known)
    for parts, message in [
        ({"head": object()}, "head is .* no predict and no classes_"),
        ({"head": LogisticRegression()}, "head .* no classes_"),
        ({"decoder": object()}, "decoder .* no inverse_transform"),
        ({"flow": PCA(2)}, "flow is PCA.* no sample"),
        ({"n_draws": 0}, "n_draws is .* wanted an int "),
        ({"n_draws": 2.5}, "n_draws is .* wanted an int "),
    ]:
        with pytest.raises(ValueError, match=message):
            ModelBridge(**parts).fit(X, Y, coupling)
    bridge.fit(X, Y, coupling)
    with pytest.raises(ValueError, match="n_draws is .* wanted an integer"):
        bridge.sample(X, 0)
    with pytest.raises(ValueError, match="latents have shape"):
        votes(bridge.head, Y)
    with pytest.raises(ValueError, match="has no method sample"):
        bridge.fit(X, Y, None)


def test_columns_of_data_frames_are_kept(world):
    X, seen, Y, known, bridge = world
    frame = pd.DataFrame(X, columns=list("pqrs"))
    fitted = clone(bridge)
    fitted.fit(frame, Y, ClassCoupling.from_labels(seen, known))
    assert fitted.predict(frame).shape == (90,)
    with pytest.raises(ValueError, match="X has the columns .* order"):
        fitted.predict(frame[list("qprs")])
    head = LogisticRegression().fit(
        pd.DataFrame(Y, columns=list("uvw")), known
    )
    with pytest.raises(ValueError, match="Y has the columns .* order"):
        ModelBridge(head, flow=bridge.flow).fit(
            X,
            pd.DataFrame(Y, columns=list("vuw")),
            ClassCoupling.from_labels(seen, known),
        )


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


def leads_over_classifiers(fraction):
    """Intervals of the plan's lead over each that had labels alone."""
    at = study.FRACTIONS.index(fraction)
    rows = [split[at] for split in RESULTS["digits"]]
    return {
        name: resampled_interval(
            [r["setting 1"]["vote"] - r["end-to-end"][name] for r in rows],
            1500 / 8000,
        )
        for name in rows[0]["end-to-end"]
    }


def test_of_few_labels_the_plan_makes_more_than_classifiers_do():
    """All are compared with, none is picked by what it does on test items."""
    assert len(RESULTS["digits"]) >= 5
    for fraction in (0.01, 0.05):
        leads = leads_over_classifiers(fraction)
        assert len(leads) == 6 and min(low for low, _ in leads.values()) > 0
    leads = leads_over_classifiers(0.02)
    level = [name for name, (low, _) in leads.items() if low <= 0]
    assert level == ["logistic regression, latent"]


@pytest.mark.parametrize(("fraction", "ahead"), [(0.1, 3), (0.2, 1)])
def test_of_more_labels_most_classifiers_make_as_much(fraction, ahead):
    leads = leads_over_classifiers(fraction).values()
    assert sum(low > 0 for low, _ in leads) == ahead
    assert all(high > 0 for _, high in leads)
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


def test_heads_and_decoders_of_data_frames_are_asked_by_their_names():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    X = rng.normal(size=(60, 3)) + 5 * labels[:, np.newaxis]
    Y = pd.DataFrame(
        rng.normal(size=(60, 2)) + 9 * labels[:, np.newaxis],
        columns=["u", "v"],
    )
    head = KNeighborsClassifier(1).fit(Y, labels)
    decoder = LinearRegression().fit(Y, Y.to_numpy() @ [[1, 2], [3, 4]])
    coupling = ClassCoupling.from_labels(labels, labels)
    flow = ConditionalFlow(LinearRegression(), random_state=0)
    bridge = ModelBridge(head, decoder=decoder, flow=flow, random_state=0)
    bridge.fit(X, Y, coupling)
    bridge.predict(X)
    bridge.generate(X)
    for parts in ({"head": head}, {"decoder": decoder}):
        with pytest.raises(ValueError, match="another order"):
            ModelBridge(**parts, flow=flow).fit(X, Y[["v", "u"]], coupling)


def test_another_head_names_its_own_classes():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    X = rng.normal(size=(60, 3)) + 9 * labels[:, np.newaxis]
    Y = rng.normal(size=(60, 2)) + 9 * labels[:, np.newaxis]
    flow = ConditionalFlow(LinearRegression(), random_state=0)
    bridge = ModelBridge(
        KNeighborsClassifier(1).fit(Y, labels), flow=flow, random_state=0
    ).fit(X, Y, ClassCoupling.from_labels(labels, labels))
    names = np.array(["wolf", "ant"])[labels]
    other = KNeighborsClassifier(1).fit(Y, names)
    same = bridge.predict(X)
    assert list(bridge.set_params(head=other).classes_) == ["ant", "wolf"]
    assert np.array_equal(bridge.predict(X), np.array(["wolf", "ant"])[same])
    assert not hasattr(bridge.set_params(head=None), "classes_")
