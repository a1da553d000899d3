"""What chapter 6 measures: labels of one view, used in another."""

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from sklearn.decomposition import PCA, KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit
from sklearn.svm import SVC

from perfalign._types import Array, Integers
from perfalign.alignment import PerfectAlignment
from perfalign.book.collapse import splits
from perfalign.datasets import (
    load_digit_halves,
    load_emoji,
    make_gaussian_views,
)
from perfalign.summary import StackedSummary
from perfalign.transfer import GaussianTransfer

#: Means of two classes in the plane, half as far apart as in chapter 5.
NEAR = ((-1.5, 0.0), (1.5, 1.0))
SHOTS = (2, 3, 5, 10, 20, 50, 100)
SIZES = (2, 4, 6, 8, 12, 16, 20)
RIDGES = (0.1, 0.3, 1, 3, 10)


def few_shots(noise: float, seed: int) -> Iterator[list[float]]:
    """Accuracy in view 1 by number of labels: of view 0, or its own.

    Own labels meet all channels, then two components of unlabelled items.
    """
    data = make_gaussian_views(
        4400, (50, 50), means=NEAR, noise=noise, random_state=seed
    )
    (seen, heard), y = data.views, data.labels
    alignment = PerfectAlignment(2).fit([seen[:2000], heard[:2000]])
    pca = PCA(2).fit(heard[:2000]).transform(heard)
    members = [2000 + np.flatnonzero(y[2000:2400] == c) for c in (0, 1)]
    transfer = GaussianTransfer(alignment)
    own = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    for n in SHOTS:
        rows = np.concatenate([some[:n] for some in members])
        transfer.fit(seen[rows], y[rows], view=0)
        yield [transfer.score(heard[2400:], y[2400:], view=1)] + [
            own.fit(x[rows], y[rows]).score(x[2400:], y[2400:])
            for x in (heard, pca)
        ]


@cache
def noisy_transfer(
    noise: float, n_labels: int
) -> tuple[GaussianTransfer, list[Array], Integers]:
    """Encoders of 2000 noisy pairs, latents of 20 000 others, and classes.

    The first labels that come after the pairs teach the classifier.
    """
    data = make_gaussian_views(22_200, means=NEAR, noise=noise, random_state=0)
    alignment = PerfectAlignment(2).fit([x[:2000] for x in data.views])
    rows = np.arange(2000, 2000 + n_labels)
    transfer = GaussianTransfer(alignment)
    transfer.fit(data.views[0][rows], data.labels[rows], view=0)
    latents = alignment.transform([x[2200:] for x in data.views])
    return transfer, latents, data.labels[2200:]


def digits() -> tuple[dict[str, Array], dict[str, list[float]]]:
    """Accuracy on right halves, by dimension, and with their own labels."""
    data = load_digit_halves()
    curves: dict[str, list[Any]] = {
        "paper's": [],
        "whitened": [],
        "shuffled pairs": [],
    }
    papers = {"constraint": "orthonormal", "center": False}
    own: dict[str, list[float]] = {"LDA": [], "SVC": []}
    for seed, (train, held) in enumerate(splits()):
        left, right = (view[train] for view in data.views)
        y = data.target
        paired = StackedSummary.from_views([left, right])
        order = np.random.default_rng(seed).permutation(len(train))
        shuffled = StackedSummary.from_views([left, right[order]])
        ways: tuple[tuple[StackedSummary, dict[str, Any]], ...] = (
            (paired, papers),
            (paired, {}),
            (shuffled, {}),
        )
        for values, (summary, settings) in zip(curves.values(), ways):
            row = []
            for k in SIZES:
                model = _transfer(k, summary, settings, left, y[train], 0)
                row.append(model.score(data.views[1][held], y[held], view=1))
            values.append(row)
        for scores, judge in zip(own.values(), judges()):
            judge.fit(right, y[train])
            scores.append(judge.score(data.views[1][held], y[held]))
    return {name: np.array(rows) for name, rows in curves.items()}, own


def judges() -> tuple[Any, Any]:
    """A linear classifier and a strong one, for labels of the target."""
    return (
        LinearDiscriminantAnalysis(),
        GridSearchCV(SVC(), {"C": [1, 3, 10]}, cv=3),
    )


def _transfer(
    k: int,
    summary: StackedSummary,
    settings: dict[str, Any],
    items: Array,
    labels: Array,
    source: int,
) -> GaussianTransfer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alignment = PerfectAlignment(k, **settings).fit_summary(summary)
        return GaussianTransfer(alignment).fit(items, labels, view=source)


class PicturesAndNames:
    """Emoji, split five times by groups of variants.

    Attributes
    ----------
    emoji : Bunch
    splits : list of (ndarray, ndarray)
        Items for training and items held out.
    reduced : list of list of two ndarray
        By split: 100 principal components of the training items, of the
        pictures and of the names.
    """

    names = (
        "paper's",
        "paper's, even spread",
        "whitened",
        "shuffled pairs",
        "labels of the source, on it",
        "labels of the target, LDA",
        "labels of the target, SVC",
        "chance",
    )

    def __init__(self) -> None:
        self.emoji = load_emoji()
        everything = np.arange(len(self.emoji.target))
        self.splits = [
            split(everything, self.emoji.group, 0.3, s) for s in range(5)
        ]
        grams = [view @ view.T for view in self.emoji.views]
        self.reduced = [
            [_principal_components(gram, train) for gram in grams]
            for train, _ in self.splits
        ]

    def fit(
        self,
        views: Sequence[Array],
        train: Integers,
        source: int,
        partners: Integers | None = None,
        **settings: Any,
    ) -> GaussianTransfer:
        """Align pictures with names, then learn from labels of one."""
        partners = train if partners is None else partners
        summary = StackedSummary.from_views(
            [views[0][train], views[1][partners]]
        )
        labels = self.emoji.target[train]
        items = views[source][train]
        return _transfer(40, summary, settings, items, labels, source)

    def whitened(
        self, source: int, seed: int
    ) -> tuple[GaussianTransfer, float]:
        """With the ridge that does best on held-out items of the source."""
        train, _ = self.splits[seed]
        views = self.reduced[seed]
        fitting, tuning = split(train, self.emoji.group, 0.25, seed)
        x, y = views[source][tuning], self.emoji.target[tuning]
        scores = [
            self.fit(views, fitting, source, ridge=ridge).score(x, y, source)
            for ridge in RIDGES
        ]
        ridge = RIDGES[int(np.argmax(scores))]
        return self.fit(views, train, source, ridge=ridge), ridge

    def accuracies(self, source: int, seed: int) -> list[float]:
        """In the other view, one for each of `names`."""
        train, held = self.splits[seed]
        views, y, target = self.reduced[seed], self.emoji.target, 1 - source
        even = [view / _spread(view[train]) for view in views]
        model, ridge = self.whitened(source, seed)
        order = np.random.default_rng(seed).permutation(train)
        paper: dict[str, Any] = {"constraint": "orthonormal"}
        shuffled = self.fit(views, train, source, order, ridge=ridge)
        scores = [
            found.score(used[target][held], y[held], view=target)
            for found, used in (
                (self.fit(views, train, source, **paper), views),
                (self.fit(even, train, source, **paper), even),
                (model, views),
                (shuffled, views),
            )
        ]
        linear, strong = judges()
        for judge, m in (linear, source), (linear, target), (strong, target):
            judge.fit(views[m][train], y[train])
            scores.append(judge.score(views[m][held], y[held]))
        return [*scores, np.bincount(y[held]).max() / len(held)]


def split(
    items: Integers, groups: Integers, share: float, seed: int
) -> tuple[Integers, Integers]:
    """Items kept and held, those of one group on one side."""
    rule = GroupShuffleSplit(1, test_size=share, random_state=seed)
    kept, held = next(rule.split(items, groups=groups[items]))
    return items[kept], items[held]


def _spread(view: Array) -> float:
    return float(np.sqrt(view.var(axis=0).sum()))


def _principal_components(gram: Array, train: Integers) -> Array:
    """By inner products: fast where features outnumber items."""
    pca = KernelPCA(100, kernel="precomputed", eigen_solver="dense")
    found: Array = pca.fit(gram[np.ix_(train, train)]).transform(
        gram[:, train]
    )
    return found
