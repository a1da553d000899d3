"""From pictures to French without one picture that has a French name.

Emoji in three views; half of the training items pair pictures with English,
the other half English with French.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from perfalign._types import Array, Integers
from perfalign.alignment import PerfectAlignment
from perfalign.book.carried import RIDGES, split
from perfalign.datasets import load_emoji
from perfalign.transfer import GaussianTransfer

Pairs = Mapping[tuple[int, int], tuple[Integers, Integers]]


class Detour:
    """Pictures, English and French of emoji, and a rule for the ridge.

    Attributes
    ----------
    emoji : Bunch
    labels : ndarray
        Categories of Unicode.
    train, held : ndarray
        Items for training, and those that no test of chapter 6 has seen.
    views : list of three ndarray
        100 dimensions each: principal components of the pixels and of the
        sentence embeddings, and words of the French names, weighted.
    """

    def __init__(self) -> None:
        self.emoji = load_emoji()
        self.labels = self.emoji.target
        everything = np.arange(len(self.labels))
        tested = [self.split(everything, 0.3, seed)[1] for seed in range(5)]
        self.train = np.unique(np.concatenate(tested))
        self.held = np.setdiff1d(everything, self.train)
        self.views = self._reduced()

    def _reduced(self) -> list[Array]:
        pca = PCA(100, svd_solver="covariance_eigh")
        words = make_pipeline(
            TfidfVectorizer(sublinear_tf=True),
            TruncatedSVD(100, random_state=0),
        )
        models = (
            (pca, small_pictures(self.emoji)),
            (pca, self.emoji.minilm),
            (words, self.emoji.text["fr"]),
        )
        return [
            model.fit(view[self.train]).transform(view)
            for model, view in models
        ]

    def split(
        self, items: Integers, share: float, seed: int
    ) -> tuple[Integers, Integers]:
        """Items kept and held, variants of one emoji on one side."""
        return split(items, self.emoji.group, share, seed)

    def transfer(
        self,
        pairs: Pairs,
        labelled: Integers,
        ridge: float,
        views: Sequence[int] = (0, 1, 2),
    ) -> GaussianTransfer:
        """Align by pairs of items, then learn from labels of pictures."""
        used = [self.views[m] for m in views]
        data = {
            (a, b): (used[a][i], used[b][j])
            for (a, b), (i, j) in pairs.items()
        }
        alignment = PerfectAlignment(40, ridge=ridge).fit_incomplete(data)
        return GaussianTransfer(alignment).fit(
            self.views[0][labelled], self.labels[labelled], view=0
        )

    def best_ridges(
        self, first: Integers, second: Integers, seed: int
    ) -> tuple[float, float]:
        """By the English partners of pictures held out, and by these."""
        fitting, tuning = self.split(first, 0.25, seed)
        scores = []
        for ridge in RIDGES:
            model = self.transfer(chain(fitting, second), fitting, ridge)
            x = [view[tuning] for view in self.views]
            y = self.labels[tuning]
            scores.append([model.score(x[m], y, m) for m in (1, 0)])
        across, within = np.argmax(scores, axis=0)
        return RIDGES[across], RIDGES[within]

    def wider(
        self, model: GaussianTransfer, place: Mapping[int, int]
    ) -> float:
        """How much wider latents of one view spread than those of another.

        In the direction where they differ most, on the training items. The
        two views are named with their places in the alignment.
        """
        z = [
            model.alignment.transform_view(self.views[m][self.train], v)
            for m, v in place.items()
        ]
        narrow, wide = (np.cov(w.T) for w in z)
        return float(np.sqrt(eigh(wide, narrow, eigvals_only=True)[-1]))

    def surest(self, odds: Array, right: bool, n: int = 4) -> Integers:
        """Held items of n categories, guessed most surely, right or wrong."""
        y = self.labels[self.held]
        sure = odds.max(axis=1) * ((odds.argmax(axis=1) == y) == right)
        best = [np.argmax(sure * (y == c)) for c in np.unique(y)]
        chosen: Integers = np.array(sorted(best, key=lambda i: -sure[i])[:n])
        return chosen

    def interval(self, shares: ArrayLike) -> Array:
        """95 % interval of a mean over the held items, by their groups."""
        groups = self.emoji.group[self.held]
        group = np.unique(groups, return_inverse=True)[1]
        total, size = np.bincount(group, shares), np.bincount(group)
        rows = np.random.default_rng(0).integers(
            len(size), size=(2000, len(size))
        )
        means = total[rows].sum(axis=1) / size[rows].sum(axis=1)
        ends: Array = np.quantile(means, [0.025, 0.975])
        return ends


def chain(
    first: Integers,
    second: Integers,
    order: Callable[[Integers], Integers] = np.array,
) -> Pairs:
    """Items of the pairs picture-English and English-French."""
    return {(0, 1): (first, order(first)), (1, 2): (second, order(second))}


def small_pictures(emoji: Mapping[str, Array]) -> Array:
    """Pixels of the pictures at 16 × 16, a row each."""
    squares = emoji["twemoji"].reshape(-1, 16, 2, 16, 2, 3)
    pixels: Array = squares.mean(axis=(2, 4)).reshape(len(squares), -1) / 255
    return pixels
