"""Every number of the protocol against its definition."""

from collections import Counter
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline

from perfalign import PerfectAlignment
from perfalign.alignment import MappedAlignment
from perfalign.datasets import load_digit_halves, make_gaussian_views
from perfalign.model_selection import (
    Evaluation,
    evaluate,
    resampled_interval,
)

N = 300
GROUPS = np.arange(N) // 4
ROWS = np.arange(N)
METHOD = {"aligned": PerfectAlignment(4, ridge=0.1)}


@pytest.fixture(scope="module")
def digits():
    data = load_digit_halves()
    return [view[:N] for view in data.views], data.target[:N]


def by_hand(views, y, train, held, split, s, t):
    """All columns of one record from their definitions."""
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")

    def right(model_of, z, z_new):
        return model_of.fit(z, y[train]).predict(z_new) == y[held]

    def latents(order):
        pairs = [views[0][train], views[1][train][order]]
        fitted = PerfectAlignment(4, ridge=0.1).fit(pairs)
        return [fitted.transform([v[r] for v in views]) for r in (train, held)]

    seen, new = latents(np.arange(len(train)))
    order = np.random.RandomState(split).permutation(len(train))
    mixed, mixed_new = latents(order)
    found = lda.fit(seen[s], y[train]).predict(new[t])
    f1 = []
    for c in set(found) | set(y[held]):
        hits = np.sum((found == c) & (y[held] == c))
        f1.append(2 * hits / (np.sum(found == c) + np.sum(y[held] == c)))
    distances = cdist(new[s], new[t])
    nearer = distances < np.diag(distances)[:, None]
    both = np.stack([new[s], new[t]])
    moved = ((new[s] - new[t]) ** 2).sum(axis=1).mean()
    spread = ((both - both.mean(axis=(0, 1))) ** 2).sum(axis=2).mean()
    share = np.linalg.eigvalsh(np.cov(new[t].T))
    share /= share.sum()
    return {
        "accuracy": np.mean(found == y[held]),
        "f1": np.mean(f1),
        "recall": np.mean(nearer.sum(axis=1) < 10),
        "alignment_error": np.sqrt(moved / spread),
        "effective_rank": np.exp(-np.sum(share * np.log(share))),
        "shuffled": right(lda, mixed[s], mixed_new[t]).mean(),
        "source_accuracy": right(lda, views[s][train], views[s][held]).mean(),
        "target_accuracy": right(lda, views[t][train], views[t][held]).mean(),
        "chance": max(Counter(y[held]).values()) / len(held),
    }


def test_every_number_by_hand(digits):
    views, y = digits
    evaluation = evaluate(
        METHOD, views, y, groups=GROUPS, n_splits=2, random_state=3
    )
    splitter = GroupShuffleSplit(2, test_size=0.3, random_state=3)
    records = iter(evaluation.records)
    for split, parts in enumerate(splitter.split(y, groups=GROUPS)):
        for s, t in [(0, 1), (1, 0)]:
            record = dict(next(records))
            assert record.pop("fit_seconds") > 0
            wanted = by_hand(views, y, *parts, split, s, t)
            where = {"split": split, "method": "aligned"}
            where.update(source=s, target=t)
            assert {key: record.pop(key) for key in where} == where
            assert record == pytest.approx(wanted, rel=1e-9)
    assert not list(records)


def test_perfect_views_lose_nothing():
    data = make_gaussian_views(400, (2, 2, 2), random_state=0)
    evaluation = evaluate(
        {"perfect": PerfectAlignment(2)},
        data.views,
        data.labels,
        n_splits=3,
        # Without shrinkage it forgets in which coordinates the latents are.
        classifier=LinearDiscriminantAnalysis(),
    )
    pairs = [(r["source"], r["target"]) for r in evaluation.records]
    assert pairs == 3 * list(permutations(range(3), 2))
    for record in evaluation.records:
        assert record["alignment_error"] < 1e-12
        assert record["recall"] == 1
        assert record["accuracy"] > 0.97
        assert record["accuracy"] == record["source_accuracy"]
        assert record["accuracy"] == record["target_accuracy"]


def without_seconds(evaluation):
    return [{**r, "fit_seconds": None} for r in evaluation.records]


def test_the_seed_decides_everything(digits):
    settings = {"n_splits": 2, "n_pairs": 100, "n_shots": 5}
    one, same, other = (
        without_seconds(evaluate(METHOD, *digits, random_state=r, **settings))
        for r in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_processes_change_no_number(digits):
    one, two = (
        evaluate(METHOD, *digits, n_splits=2, n_shots=5, n_jobs=n_jobs)
        for n_jobs in (None, 2)
    )
    for found, wanted in zip(two.records, one.records, strict=True):
        for record in (found, wanted):
            assert record.pop("method") == "aligned"
            assert record.pop("fit_seconds") > 0
        assert found == pytest.approx(wanted, rel=1e-12)


def test_maps_are_fitted_to_training_items(digits):
    views, y = digits
    texts = ["".join("ab c"[int(p) // 5] for p in row) for row in views[1]]
    maps = [PCA(10), TfidfVectorizer(analyzer="char", ngram_range=(1, 2))]
    # The vectoriser's matrix is sparse, and the classifier takes none.
    maps[1] = make_pipeline(maps[1], TruncatedSVD(8, random_state=0))
    mixed = [views[0].tolist(), texts]
    outside = evaluate(METHOD, mixed, y, maps=maps, n_splits=2)
    train, held = next(
        GroupShuffleSplit(2, test_size=0.3, random_state=0).split(
            y, groups=ROWS
        )
    )
    part = [
        [[view[i] for i in rows] for view in mixed] for rows in (train, held)
    ]
    mapped = MappedAlignment(METHOD["aligned"], maps).fit(part[0])
    z, z_new = mapped.transform(part[0]), mapped.transform(part[1])
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    accuracy = lda.fit(z[0], y[train]).score(z_new[1], y[held])
    assert outside.records[0]["accuracy"] == pytest.approx(accuracy)
    own = lda.fit(mapped.features(part[0][1], 1), y[train])
    own = own.score(mapped.features(part[1][1], 1), y[held])
    assert outside.records[0]["target_accuracy"] == pytest.approx(own)


@pytest.mark.parametrize("kind", [pd.DataFrame, np.ndarray.tolist])
def test_views_may_be_frames_and_lists(digits, kind):
    views, y = digits
    found = evaluate(METHOD, [kind(v) for v in views], list(y), n_splits=1)
    usual = evaluate(METHOD, views, y, n_splits=1)
    for record, wanted in zip(found.records, usual.records):
        for key in ("accuracy", "alignment_error", "shuffled"):
            assert record[key] == pytest.approx(wanted[key], rel=1e-9)


@pytest.mark.parametrize("progress", [False, True])
def test_a_bar_is_shown_when_asked_for(digits, capsys, progress):
    two = {"a": PerfectAlignment(2), "b": PerfectAlignment(3)}
    evaluate(two, *digits, n_splits=2, progress=progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("2/2" in err) == progress
    assert progress or err == ""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"target": np.zeros(9)},
            "target has 9 labels; wanted 300",
        ),
        ({"groups": GROUPS[:9]}, "groups has 9 labels; wanted 300"),
        ({"maps": [None]}, "Seen 1 maps for 2 views"),
        ({"n_pairs": 211}, "n_pairs is 211; wanted .* from 1 to 210"),
        ({"n_pairs": 0}, "n_pairs is 0; wanted an integer"),
        ({"n_shots": 0}, "n_shots is 0; wanted an integer"),
    ],
)
def test_errors(digits, settings, message):
    views, y = digits
    with pytest.raises(ValueError, match=message):
        evaluate(METHOD, views, **{"target": y, **settings})


def test_values_are_means_within_splits():
    rows = [(0, 0, 1.0), (0, 1, 3.0), (1, 0, 5.0), (1, 1, 9.0), (2, 0, 6.0)]
    evaluation = Evaluation(
        [{"split": s, "source": v, "accuracy": a} for s, v, a in rows], 0.25
    )
    assert_array_equal(evaluation.values("accuracy"), [2, 7, 6])
    assert_array_equal(evaluation.values("accuracy", source=0), [1, 5, 6])
    assert evaluation.mean("accuracy", source=0) == 4
    assert evaluation.interval("accuracy", source=0) == pytest.approx(
        resampled_interval([1, 5, 6], 0.25)
    )
    with pytest.raises(ValueError, match=r"shape \(1,\); wanted one a split"):
        evaluation.interval("accuracy", split=1)
    with pytest.raises(ValueError, match="Records have no 'acuracy'; they h"):
        evaluation.values("acuracy")
    with pytest.raises(ValueError, match="No record has {'source': 7}"):
        evaluation.mean("accuracy", source=7)


def test_interval_of_a_difference_is_that_of_each_split():
    results = {"ours": [0.5, 0.6, 0.8], "theirs": [0.4, 0.6, 0.5]}
    evaluation = Evaluation(
        [
            {"split": split, "method": method, "accuracy": value}
            for method, values in results.items()
            for split, value in enumerate(values)
        ],
        0.3,
    )
    found = evaluation.interval("accuracy", method="ours", against="theirs")
    assert found == pytest.approx(resampled_interval([0.1, 0, 0.3], 0.3))
    with pytest.raises(ValueError, match="no method is named"):
        evaluation.interval("accuracy", against="theirs")


def test_interval_of_independent_values_is_students():
    values = np.random.default_rng(0).normal(size=7)
    wanted = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    found = resampled_interval(values, 0, level=0.9)
    assert found == pytest.approx(tuple(wanted))


def test_interval_of_overlapping_splits_holds_the_true_difference():
    """Fresh data sets: how often the interval holds what is true.

    The constants 0 and 1 are compared as predictions of y, so that the true
    difference of their squared errors, E (1 - 2 y), is known.
    """
    rng = np.random.default_rng(0)
    held = {0.3: 0, 0: 0}
    for _ in range(400):
        y = rng.normal(size=60)
        splits = [rng.permutation(60)[:18] for _ in range(15)]
        differences = [np.mean(1 - 2 * y[test]) for test in splits]
        for share in held:
            low, high = resampled_interval(differences, share)
            held[share] += low <= 1 <= high
    assert held[0.3] / 400 > 0.92
    assert held[0] / 400 < 0.65


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1], 0.3), r"shape \(1,\); wanted one a split"),
        (([[0.1, 0.2]], 0.3), r"shape \(1, 2\)"),
        (([0.1, np.nan], 0.3), "no finite number"),
        (([0.1, 0.2], 1.0), "test_size is 1.0; wanted"),
        (([0.1, 0.2], -0.1), "test_size is -0.1; wanted"),
    ],
)
def test_interval_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        resampled_interval(*arguments)
