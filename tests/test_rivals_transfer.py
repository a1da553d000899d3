"""Chapter 6: transferred labels against rivals that look at items too."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

from perfalign import GaussianTransfer, PerfectAlignment
from perfalign.datasets import load_digit_halves
from perfalign.model_selection import resampled_interval

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks"
SCRIPT /= "label_transfer.py"


def load_script():
    spec = importlib.util.spec_from_file_location("label_transfer", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stored():
    return json.loads(SCRIPT.with_suffix(".json").read_text(encoding="utf8"))


def against(loudness, shots, rival):
    row = stored()[loudness][shots]
    gain = np.subtract(row["transferred"], row[rival])
    assert len(gain) >= 20
    low, high = resampled_interval(gain, 0)
    return (low > 0) - (high < 0)


def test_the_first_world_repeats():
    for name, [value] in load_script().study([1], 1, [20])["1"]["20"].items():
        assert value == pytest.approx(stored()["1"]["20"][name][0], abs=0.01)


def test_pairs_are_worth_most_where_private_concepts_are_loud():
    """One world, 20 labels a class, without a choice of parameters."""
    study = load_script()
    ahead = {}
    for loudness in (0, 1):
        views, y = study.world(loudness, 0)
        rows = np.concatenate(
            [2000 + np.flatnonzero(y[2000:2400] == c)[:20] for c in (0, 1)]
        )
        chosen = study.methods(views, y)
        right = {}
        for name in ("transferred", "PCA"):
            # Two components, without a ridge, not whitened.
            index = 2 * study.SIZES.index(2)
            p = chosen[name][1][index](rows, study.TEST)
            right[name] = np.mean((p > 0.5) == y[study.TEST])
        ahead[loudness] = right["transferred"] - right["PCA"]
    assert abs(ahead[0]) < 0.02
    assert ahead[1] > 0.1


def test_a_graph_built_once_spreads_labels_as_one_built_anew():
    study = load_script()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4400, 3)), rng.integers(2, size=4400)
    rows = np.arange(2000, 2020)
    labels = np.full(2400, -1)
    labels[rows] = y[rows]
    anew = LabelSpreading("knn", n_neighbors=10, alpha=0.8, max_iter=100)
    anew.fit(x[:2400], labels)
    spread = study.spread(study.nearest(x), y, 10, 0.8)
    assert spread(rows, study.TEST) == pytest.approx(
        anew.predict_proba(x[study.TEST])[:, 1]
    )


@pytest.mark.parametrize("shots", ["2", "5", "20", "100"])
@pytest.mark.parametrize(
    "rival", ["self-training", "label spreading", "PCA", "channels"]
)
def test_ahead_where_nothing_within_tells_what_is_shared(shots, rival):
    assert against("1", shots, rival) == 1


@pytest.mark.parametrize("shots", ["5", "20", "100"])
def test_not_ahead_where_nothing_is_private(shots):
    assert against("0", shots, "self-training") == -1
    assert against("0", shots, "PCA") == 0


def test_level_again_where_private_concepts_keep_apart():
    assert against("4", "20", "self-training") == 0


def test_label_spreading_is_nowhere_ahead_and_far_off_among_loud_concepts():
    for loudness, rows in stored().items():
        for shots in rows:
            lead = against(loudness, shots, "label spreading")
            assert lead == 1 if loudness in ("1", "4") else lead >= 0


@pytest.mark.parametrize(
    ("loudness", "shots"),
    [("0", "5"), ("1", "5"), ("1", "100"), ("4", "5"), ("4", "20")],
)
def test_with_the_pairs_a_borrowed_label_is_worth_an_own_one(loudness, shots):
    assert against(loudness, shots, "pairs, own labels") == 0


def test_a_strong_classifier_of_right_halves_is_ahead_of_the_plain_one():
    """What an earlier edition called a ceiling is the plain one."""
    digits = load_digit_halves()
    left, right = digits.views
    scores = {"transfer": [], "LDA": [], "SVC": []}
    halves = StratifiedShuffleSplit(5, test_size=0.5, random_state=0)
    for train, test in halves.split(left, digits.target):
        y = digits.target[train]
        alignment = PerfectAlignment(8).fit([left[train], right[train]])
        transfer = GaussianTransfer(alignment).fit(left[train], y, view=0)
        asked = right[test], digits.target[test]
        scores["transfer"].append(transfer.score(*asked, view=1))
        for name, model in [
            ("LDA", LinearDiscriminantAnalysis()),
            ("SVC", SVC(C=3)),
        ]:
            scores[name].append(model.fit(right[train], y).score(*asked))
    for better, worse in [("SVC", "LDA"), ("LDA", "transfer")]:
        gain = np.subtract(scores[better], scores[worse])
        assert resampled_interval(gain, 0.5)[0] > 0
