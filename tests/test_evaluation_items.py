"""Who sees which items: spies that remember the rows they were given."""

from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier

from perfalign import PerfectAlignment
from perfalign.model_selection import HeldOutSearch, evaluate

N = 300
Y = np.arange(N) // 2 % 3
GROUPS = np.arange(N) // 4
ROWS = np.arange(N)


class Spy(BaseEstimator):
    """Views are what they are; their first column says which rows came."""

    fits = []

    def fit(self, views, groups=None):
        self.fits.append([*(view[:, 0].astype(int) for view in views), groups])
        return self

    def transform(self, views):
        return [np.asarray(view) for view in views]


class SpyClassifier(KNeighborsClassifier):
    fits, scored = [], []

    def fit(self, X, y):
        self.fits.append((X[:, 0].astype(int), y))
        return super().fit(X, y)

    def predict(self, X):
        self.scored.append(X[:, 0].astype(int))
        return super().predict(X)


@pytest.fixture
def numbered(monkeypatch):
    """Two views whose first column is the row's number, and who sees it."""
    monkeypatch.setattr(Spy, "fits", [])
    monkeypatch.setattr(SpyClassifier, "fits", [])
    monkeypatch.setattr(SpyClassifier, "scored", [])
    noise = np.random.default_rng(0).normal(size=(2, N, 2))
    return [np.column_stack([ROWS, view]) for view in noise]


def spied(views, **arguments):
    arguments = {"classifier": SpyClassifier(3), "n_splits": 2, **arguments}
    evaluate({"spy": Spy()}, views, Y, **arguments)
    # Fitted to right and to shuffled pairs, in turn.
    return Spy.fits[::2], Spy.fits[1::2]


def test_groups_never_straddle(numbered):
    right, shuffled = spied(numbered, groups=GROUPS, n_splits=4)
    assert len(right) == len(shuffled) == 4
    for (first, second, groups), mixed in zip(right, shuffled):
        assert_array_equal(first, second)
        assert_array_equal(groups, GROUPS[first])
        # Whole groups of four, of 70 % of the groups.
        assert set(Counter(groups).values()) == {4}
        assert len(first) == pytest.approx(0.7 * N, abs=4)
        assert_array_equal(mixed[0], first)
        assert_array_equal(np.sort(mixed[1]), np.sort(first))
        assert np.mean(mixed[1] == first) < 0.05
    assert len({tuple(first) for first, *_ in right}) == 4
    for (train, y), held in zip(SpyClassifier.fits, SpyClassifier.scored):
        assert not set(GROUPS[train]) & set(GROUPS[held])
        assert len(train) + len(held) == N
        assert_array_equal(y, Y[train])


def test_few_pairs_align_and_all_labels_teach(numbered):
    right, _ = spied(numbered, n_pairs=50)
    for first, second, _ in right:
        assert_array_equal(first, second)
        assert len(set(first)) == 50
        # Drawn from all training items: the first 50 end near row 70.
        assert max(first) > 250
    assert {len(train) for train, _ in SpyClassifier.fits} == {210}
    assert set(right[0][0]) != set(right[1][0])


def test_few_shots_of_each_class(numbered):
    spied(numbered, n_shots=3, n_splits=1)
    assert [len(first) for first, *_ in Spy.fits] == [210, 210]
    ceilings, transfers = SpyClassifier.fits[:2], SpyClassifier.fits[2:]
    assert [len(train) for train, _ in ceilings] == [210, 210]
    assert len(transfers) == 4
    for train, y in transfers:
        assert_array_equal(y, Y[train])
        assert Counter(y) == {0: 3, 1: 3, 2: 3}
        assert set(train) <= set(Spy.fits[0][0])


def test_few_shots_are_not_for_those_who_choose_by_labels(numbered):
    lda = LinearDiscriminantAnalysis()
    told = {"told": HeldOutSearch(PerfectAlignment(1), {}, classifier=lda)}
    with pytest.raises(ValueError, match="'told' chooses .* n_shots=5"):
        evaluate(told, numbered, Y, n_shots=5)
