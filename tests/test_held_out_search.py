"""The search picks what an explicit loop picks, and by nothing else."""

from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupShuffleSplit
from sklearn.neighbors import KNeighborsClassifier

from perfalign import PerfectAlignment
from perfalign.datasets import load_digit_halves, make_gaussian_views
from perfalign.model_selection import HeldOutSearch, evaluate

N = 300
GROUPS = np.arange(N) // 4
RIDGES = {"ridge": [1e-3, 0.1, 10.0]}


@pytest.fixture(scope="module")
def digits():
    data = load_digit_halves()
    return [view[:N] for view in data.views], data.target[:N]


@pytest.mark.parametrize("classifier", [None, KNeighborsClassifier(5)])
def test_a_search_picks_what_a_loop_picks(digits, classifier):
    views, y = digits
    search = HeldOutSearch(
        PerfectAlignment(6),
        RIDGES,
        classifier=classifier,
        random_state=1,
    ).fit(views, y, GROUPS)
    splitter = GroupShuffleSplit(1, test_size=0.25, random_state=1)
    seen, held = next(splitter.split(y, groups=GROUPS))
    scores, ridges = [], RIDGES["ridge"]
    for ridge in ridges:
        fitted = PerfectAlignment(6, ridge=ridge).fit([v[seen] for v in views])
        z, of_both = fitted.transform(views), []
        for s, t in [(0, 1), (1, 0)]:
            distances = cdist(z[s][held], z[t][held])
            nearer = distances < np.diag(distances)[:, None]
            score = -np.log(1 + nearer.sum(axis=1)).mean()
            if classifier is not None:
                found = classifier.fit(z[s][seen], y[seen]).predict(z[t][held])
                score = np.mean(found == y[held])
            of_both.append(score)
        scores.append(np.mean(of_both))
    assert [params["ridge"] for params, _ in search.scores_] == ridges
    assert_allclose([score for _, score in search.scores_], scores)
    best = ridges[np.argmax(scores)]
    assert search.best_params_ == {"ridge": best}
    refit = PerfectAlignment(6, ridge=best).fit(views)
    for m, z in enumerate(refit.transform(views)):
        assert_array_equal(search.transform(views)[m], z)
        assert_array_equal(search.transform_view(views[m], m), z)


class Spy(PerfectAlignment):
    """Remembers the left halves that it was fitted to."""

    fits = []

    def fit(self, views):
        self.fits.append(views[0])
        return super().fit(views)


def test_groups_stay_together_and_all_pairs_are_used_in_the_end(
    digits, monkeypatch
):
    monkeypatch.setattr(Spy, "fits", [])
    views, _ = digits
    search = HeldOutSearch(Spy(4), RIDGES, test_size=0.4, random_state=0)
    search.fit(views, groups=GROUPS)
    *tried, last = Spy.fits
    assert len(tried) == 3
    assert_array_equal(last, views[0])
    row_of = {row.tobytes(): i for i, row in enumerate(views[0])}
    assert len(row_of) == N
    for part in tried:
        groups = GROUPS[[row_of[row.tobytes()] for row in part]]
        assert set(Counter(groups).values()) == {4}
        assert len(part) == pytest.approx(0.6 * N, abs=4)


def test_a_search_leaves_the_precision_of_the_views():
    # Of rank two up to the rounding of single precision, and four beyond.
    views = make_gaussian_views(200, (4, 4), random_state=0).views
    views = [np.float32(view) for view in views]
    search = HeldOutSearch(PerfectAlignment(2), {"ridge": [0.0]}).fit(views)
    wanted = PerfectAlignment(2).fit(views).transform(views)
    for z, exact in zip(search.transform(views), wanted):
        assert_array_equal(z, exact)


def test_a_search_is_an_alignment(digits):
    views, y = digits
    search = HeldOutSearch(PerfectAlignment(4), RIDGES, random_state=0)
    search.fit(dict(zip(["left", "right"], views)))
    best = search.alignment_
    assert search.n_components_ == 4
    assert search.view_names_in_ == ("left", "right")
    assert search.n_features_in_ == best.n_features_in_ == (32, 32)
    named = dict(zip(["left", "right"], views))
    assert search.score(named) == best.score(named)
    assert_array_equal(
        search.encoder("right").transform(views[1]),
        best.transform_view(views[1], "right"),
    )
    assert_array_equal(
        search.translate(views[0], "left", "right"),
        best.translate(views[0], "left", "right"),
    )


class Recorder(HeldOutSearch):
    """Remembers the searches that `evaluate` has made, and their labels."""

    seen = []

    def fit(self, views, y=None, groups=None):
        self.seen.append((self, y, groups))
        return super().fit(views, y, groups)


@pytest.mark.parametrize("classifier", [None, LinearDiscriminantAnalysis()])
def test_evaluate_gives_labels_to_those_who_choose_by_them(
    digits, monkeypatch, classifier
):
    monkeypatch.setattr(Recorder, "seen", [])
    views, y = digits
    search = Recorder(
        PerfectAlignment(6), RIDGES, classifier=classifier, random_state=0
    )
    settings = {"groups": GROUPS, "n_splits": 1, "n_pairs": 150}
    found = evaluate({"searched": search}, views, y, **settings)
    ((fitted, labels, groups),) = Recorder.seen
    assert len(groups) == 150
    if classifier is None:
        assert labels is None
    else:
        # Every group has labels of its own.
        assert {*zip(groups, labels)} <= {*zip(GROUPS, y)}
        assert len(labels) == 150
    chosen = PerfectAlignment(6, **fitted.best_params_)
    usual = evaluate({"searched": chosen}, views, y, **settings)
    for record, wanted in zip(found.records, usual.records):
        assert record.pop("fit_seconds") == fitted.refit_seconds_
        wanted.pop("fit_seconds")
        assert record == wanted


def test_the_seed_decides_everything(digits):
    search = HeldOutSearch(PerfectAlignment(4), RIDGES, random_state=3)
    one = search.fit(digits[0]).scores_
    assert clone(search).fit(digits[0]).scores_ == one
    other = clone(search).set_params(random_state=4)
    assert other.fit(digits[0]).scores_ != one


def test_errors(digits):
    views, y = digits
    search = HeldOutSearch(PerfectAlignment(4), RIDGES)
    for call in (search.transform, lambda v: search.transform_view(v[0], 0)):
        with pytest.raises(NotFittedError):
            call(views)
    with pytest.raises(ValueError, match="groups has 9 labels; wanted 300"):
        search.fit(views, groups=GROUPS[:9])
    with pytest.raises(ValueError, match="at least two views; seen 1"):
        search.fit(views[:1])
    search.set_params(classifier=LinearDiscriminantAnalysis())
    with pytest.raises(ValueError, match="wanted a label y .* seen None"):
        search.fit(views)
    with pytest.raises(ValueError, match="y has 301 labels; wanted 300"):
        search.fit(views, np.append(y, 0))
