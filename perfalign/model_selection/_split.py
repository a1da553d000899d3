"""One split of the protocol: who is fitted to what, and judged by what."""

import time
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import accuracy_score, f1_score
from sklearn.utils import _safe_indexing as rows
from sklearn.utils.validation import has_fit_parameter

from perfalign._checks import check_integer, check_views
from perfalign._types import Array, Integers, Labels
from perfalign.alignment import BaseAlignment, fit_maps
from perfalign.baselines import ShuffledPairs
from perfalign.metrics import (
    effective_rank,
    relative_alignment_error,
    retrieval_ranks,
)
from perfalign.model_selection._search import HeldOutSearch


class Task:
    """One split: features of training and held-out items, and the labels.

    Maps are fitted to the training items; pairs and labels are as allowed.
    """

    def __init__(
        self,
        views: list[Any],
        y: Labels,
        groups: Labels,
        maps: Any,
        train: Integers,
        held: Integers,
        classifier: Any,
        n_pairs: int | None,
        n_shots: int | None,
        rng: np.random.Generator,
    ) -> None:
        self.seen = [rows(view, train) for view in views]
        self.new = [rows(view, held) for view in views]
        if maps is not None:
            fitted, self.seen = fit_maps(maps, self.seen)
            self.new = [
                view if one is None else one.transform(view)
                for one, view in zip(fitted, self.new)
            ]
        for features in (self.seen, self.new):
            check_views(features)
        self.classifier, self.groups = classifier, groups[train]
        self.labels, self.new_labels = y[train], y[held]
        self.ceilings = [
            clone(classifier).fit(a, self.labels).score(b, self.new_labels)
            for a, b in zip(self.seen, self.new)
        ]
        self.paired = self.labelled = np.arange(len(train))
        order = rng.permutation(len(train))
        if n_pairs is not None:
            check_integer(
                n_pairs, "n_pairs", 1, len(order), ", the items for training"
            )
            self.paired = order[:n_pairs]
        if n_shots is not None:
            order = rng.permutation(order)
            self.labelled = np.concatenate(
                [
                    order[self.labels[order] == c][:n_shots]
                    for c in np.unique(self.labels)
                ]
            )

    def scores(
        self, alignment: BaseAlignment, split: int
    ) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Source, target, and what is measured of one method between them."""
        pairs = [rows(view, self.paired) for view in self.seen]
        fitted, seconds = self._fit(alignment, pairs)
        # A search has chosen by the true pairs, and does not choose again.
        searched = isinstance(fitted, HeldOutSearch)
        chosen = fitted.alignment_ if searched else alignment
        shuffled = ShuffledPairs(chosen, random_state=split).fit(pairs)
        seen, new = fitted.transform(self.seen), fitted.transform(self.new)
        mixed = shuffled.transform(self.new)
        taught = list(map(self._taught, seen))
        misled = list(map(self._taught, shuffled.transform(self.seen)))
        for source, target in permutations(range(len(new)), 2):
            found = taught[source].predict(new[target])
            by_chance = misled[source].predict(mixed[target])
            ranks = retrieval_ranks(new[source], new[target])
            record = {
                "accuracy": accuracy_score(self.new_labels, found),
                "f1": f1_score(self.new_labels, found, average="macro"),
                "recall": float(np.mean(ranks <= 10)),
                "alignment_error": relative_alignment_error(
                    [new[source], new[target]]
                ),
                "effective_rank": effective_rank(new[target]),
                "fit_seconds": seconds,
                "shuffled": accuracy_score(self.new_labels, by_chance),
                "source_accuracy": self.ceilings[source],
                "target_accuracy": self.ceilings[target],
                "chance": np.bincount(
                    np.unique(self.new_labels, return_inverse=True)[1]
                ).max()
                / len(self.new_labels),
            }
            yield source, target, record

    def _fit(
        self, alignment: BaseAlignment, pairs: list[Any]
    ) -> tuple[Any, float]:
        given: dict[str, Labels] = {}
        if has_fit_parameter(alignment, "groups"):
            given["groups"] = self.groups[self.paired]
        if chooses_by_labels(alignment):
            given["y"] = self.labels[self.paired]
        start = time.perf_counter()
        fitted = clone(alignment).fit(pairs, **given)
        seconds = time.perf_counter() - start
        return fitted, getattr(fitted, "refit_seconds_", seconds)

    def _taught(self, latents: Array) -> Any:
        """A classifier of the labelled items by a source's latents."""
        return clone(self.classifier).fit(
            latents[self.labelled], self.labels[self.labelled]
        )


def chooses_by_labels(alignment: BaseAlignment) -> bool:
    """Whether a method is to be told the labels of its training items."""
    searches = isinstance(alignment, HeldOutSearch)
    return searches and alignment.classifier is not None
