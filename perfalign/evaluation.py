"""How alignments do on data that they have not seen, side by side.

One protocol for all: no label of the target is used to align, to train or to
choose; every number is of held-out items; beside it stands what labels of the
source or of the target alone would give, what the commonest class would, and
what the same method makes of shuffled pairs.
"""

import time
import warnings
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupShuffleSplit, ParameterGrid
from sklearn.utils import _safe_indexing as rows
from sklearn.utils import column_or_1d
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import has_fit_parameter
from tqdm import tqdm

from perfalign._validation import check_views
from perfalign.baselines import ShuffledPairs
from perfalign.diagnostics import CollapseWarning, OverfitWarning
from perfalign.features import fit_maps
from perfalign.metrics import (
    effective_rank,
    relative_alignment_error,
    retrieval_ranks,
)


class HeldOutSearch(BaseEstimator):
    r"""Choose an alignment's parameters by held-out pairs, without labels.

    Some of the pairs are kept back, and those parameters win with which their
    partners find each other best among them,

    .. math:: \min \; \operatorname{mean} \log \mathrm{rank},

    over both directions of all pairs of views (`retrieval_ranks`). The
    alignment is then fitted again to all pairs.

    Parameters
    ----------
    alignment : estimator
        Any with ``fit(views)`` and ``transform(views)``.
    param_grid : dict of str to list
        Values to try, as in scikit-learn's ``GridSearchCV``.
    held_out : float, default=0.25
        Share of the pairs (of their groups) to keep back.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    best_alignment_ : estimator
    best_params_ : dict
    scores_ : list of (dict, float)
        All parameters tried, and their mean log rank.
    refit_seconds_ : float
        What the last fit took.

    Examples
    --------
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.datasets import load_digit_halves
    >>> from perfalign.evaluation import HeldOutSearch
    >>> search = HeldOutSearch(
    ...     PerfectAlignment(8), {"ridge": [0.01, 100]}, random_state=0
    ... )
    >>> search.fit(load_digit_halves().views).best_params_
    {'ridge': 0.01}
    """

    __metadata_request__fit = {"views": UNUSED, "groups": UNUSED}
    __metadata_request__transform = {"views": UNUSED}

    def __init__(
        self, alignment, param_grid, *, held_out=0.25, random_state=None
    ):
        self.alignment = alignment
        self.param_grid = param_grid
        self.held_out = held_out
        self.random_state = random_state

    def fit(self, views, y=None, groups=None):
        """Choose parameters and fit.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
        y : None
            Ignored; no labels are used.
        groups : array-like of shape (n_samples,), default=None
            Near-copies of one item share a label and stay together.

        Returns
        -------
        self : HeldOutSearch

        Raises
        ------
        ValueError
            As the alignment.
        """
        views, _ = check_views(views)
        if groups is None:
            groups = np.arange(len(views[0]))
        splitter = GroupShuffleSplit(
            1, test_size=self.held_out, random_state=self.random_state
        )
        seen, held = next(splitter.split(views[0], groups=groups))
        self.scores_ = []
        for params in ParameterGrid(self.param_grid):
            candidate = clone(self.alignment).set_params(**params)
            candidate.fit([view[seen] for view in views])
            latents = candidate.transform([view[held] for view in views])
            ranks = [
                retrieval_ranks(*pair) for pair in permutations(latents, 2)
            ]
            self.scores_.append((params, float(np.log(ranks).mean())))
        self.best_params_ = min(self.scores_, key=lambda entry: entry[1])[0]
        best = clone(self.alignment).set_params(**self.best_params_)
        start = time.perf_counter()
        self.best_alignment_ = best.fit(views)
        self.refit_seconds_ = time.perf_counter() - start
        return self

    def transform(self, views):
        """Latents of all views."""
        return self.best_alignment_.transform(views)

    def transform_view(self, view, modality):
        """Latents of one view alone."""
        return self.best_alignment_.transform_view(view, modality)


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` has measured.

    Attributes
    ----------
    records : list of dict
        One for each split, method, source and target; a table for pandas.
    """

    records: list

    def values(self, name, **where):
        """One number a split.

        Parameters
        ----------
        name : str
            A key of the records.
        **where
            Which records, such as ``method="CCA", source=0, target=1``. What
            they do not decide is averaged within each split.

        Returns
        -------
        values : ndarray of shape (n_splits,)

        Raises
        ------
        ValueError
            If no record is meant.
        """
        by_split = {}
        for record in self.records:
            if all(record[key] == value for key, value in where.items()):
                by_split.setdefault(record["split"], []).append(record[name])
        if not by_split:
            raise ValueError(f"No record has {where}.")
        return np.array([np.mean(found) for found in by_split.values()])

    def mean(self, name, **where):
        """Mean over the splits, of `values`."""
        return float(self.values(name, **where).mean())

    def standard_error(self, name, **where):
        """Standard error of the mean over the splits; nan for one split."""
        values = self.values(name, **where)
        if len(values) < 2:
            return float("nan")
        return float(values.std(ddof=1) / np.sqrt(len(values)))


def evaluate(
    alignments,
    views,
    target,
    *,
    groups=None,
    maps=None,
    n_splits=5,
    test_size=0.3,
    n_pairs=None,
    n_shots=None,
    classifier=None,
    random_state=0,
    progress=False,
):
    """Align, transfer and retrieve on held-out items, with all baselines.

    In every split, maps and alignments are fitted to training items without
    labels. A classifier learns from the labels of one view's latents, the
    source, and is scored on those of another, the target, of items that were
    held out.

    Parameters
    ----------
    alignments : dict of str to estimator
        Methods by name, each with ``fit(views)`` and ``transform(views)``. A
        `HeldOutSearch` chooses within the training items.
    views : list of array-like of length n_samples
        Paired views; anything that the maps take.
    target : array-like of shape (n_samples,)
        Class labels.
    groups : array-like of shape (n_samples,), default=None
        Items with one label here stay on one side of every split.
    maps : list of transformer or None, default=None
        Features of each view, as in `MappedAlignment`.
    n_splits : int, default=5
    test_size : float, default=0.3
        Share of the groups that is held out.
    n_pairs : int, default=None
        Training items whose pairs may be used to align; all if None. The
        others lend their source labels and, to the maps, their features.
    n_shots : int, default=None
        Labelled source items of each class; all training items if None.
    classifier : estimator, default=None
        Linear discriminant analysis with Ledoit and Wolf's shrinkage if None:
        Gaussian classes of one covariance, also where latents outnumber
        items.
    random_state : int, default=0
        Seeds the splits, the choice of pairs and labels, and the shuffling.
    progress : bool, default=False
        Show a progress bar.

    Returns
    -------
    evaluation : Evaluation
        Records with ``split``, ``method``, ``source``, ``target``; of the
        transfer ``accuracy`` and ``f1`` (unweighted mean over classes);
        ``recall`` (source items whose partner is among the ten nearest
        targets), ``alignment_error`` (relative), ``effective_rank`` (of the
        target's latents) and ``fit_seconds``, without maps and without a
        search; and for comparison ``shuffled`` (accuracy after the same fit
        to shuffled pairs), ``source_accuracy`` and ``target_accuracy`` (the
        classifier on features of that view, trained and tested there) and
        ``chance`` (the commonest class).

    Raises
    ------
    ValueError
        If views and target differ in length, there are fewer pairs than
        asked for, and as the estimators.

    Notes
    -----
    A collapse or overfit is not warned of: shuffled and held-out pairs show
    it. Cost: two fits a method and split, and M (M − 1) classifiers.

    Examples
    --------
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.datasets import load_digit_halves
    >>> from perfalign.evaluation import evaluate
    >>> digits = load_digit_halves()
    >>> evaluation = evaluate(
    ...     {"aligned": PerfectAlignment(8)},
    ...     digits.views,
    ...     digits.target,
    ...     n_splits=2,
    ... )
    >>> for name in ["accuracy", "shuffled", "target_accuracy"]:
    ...     print(name, f"{evaluation.mean(name, source=0, target=1):.1f}")
    accuracy 0.7
    shuffled 0.1
    target_accuracy 0.8
    """
    y = column_or_1d(target)
    for m, view in enumerate(views):
        n_rows = view.shape[0] if hasattr(view, "shape") else len(view)
        if n_rows != len(y):
            raise ValueError(
                f"view {m} has {n_rows} rows; wanted {len(y)}, one for each "
                "label of target."
            )
    if groups is None:
        groups = np.arange(len(y))
    groups = np.asarray(groups)
    if classifier is None:
        classifier = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
    splitter = GroupShuffleSplit(
        n_splits, test_size=test_size, random_state=random_state
    )
    records = []
    with tqdm(
        total=n_splits * len(alignments), disable=not progress
    ) as bar, warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        warnings.simplefilter("ignore", OverfitWarning)
        splits = splitter.split(y, groups=groups)
        for split, (train, held) in enumerate(splits):
            rng = np.random.default_rng([random_state, split])
            task = _Task.of(views, y, groups, maps, train, held, classifier)
            task = task.limited(n_pairs, n_shots, rng)
            for name, alignment in alignments.items():
                for record in task.scores(alignment, split):
                    records.append({"split": split, "method": name, **record})
                bar.update()
    return Evaluation(records)


@dataclass(frozen=True, eq=False)
class _Task:
    """One split: features of training and held-out items, and the labels."""

    seen: list
    new: list
    labels: np.ndarray
    new_labels: np.ndarray
    groups: np.ndarray
    classifier: BaseEstimator
    ceilings: list
    paired: np.ndarray
    labelled: np.ndarray

    @classmethod
    def of(cls, views, y, groups, maps, train, held, classifier):
        seen = [rows(view, train) for view in views]
        new = [rows(view, held) for view in views]
        if maps is not None:
            fitted, seen = fit_maps(maps, seen)
            new = [
                view if one is None else one.transform(view)
                for one, view in zip(fitted, new)
            ]
        ceilings = [
            clone(classifier).fit(a, y[train]).score(b, y[held])
            for a, b in zip(seen, new)
        ]
        everything = np.arange(len(train))
        return cls(
            seen,
            new,
            y[train],
            y[held],
            groups[train],
            classifier,
            ceilings,
            everything,
            everything,
        )

    def limited(self, n_pairs, n_shots, rng):
        """The same task with fewer pairs and fewer labels of the source."""
        order = rng.permutation(len(self.labels))
        paired, labelled = self.paired, self.labelled
        if n_pairs is not None:
            if n_pairs > len(order):
                raise ValueError(
                    f"n_pairs is {n_pairs}, but only {len(order)} items are "
                    "for training."
                )
            paired = order[:n_pairs]
        if n_shots is not None:
            order = rng.permutation(order)
            labelled = np.concatenate(
                [
                    order[self.labels[order] == c][:n_shots]
                    for c in np.unique(self.labels)
                ]
            )
        return replace(self, paired=paired, labelled=labelled)

    def scores(self, alignment, split):
        pairs = [view[self.paired] for view in self.seen]
        fitted, seconds = self._fit(alignment, pairs)
        shuffled = ShuffledPairs(
            getattr(fitted, "best_alignment_", alignment), random_state=split
        ).fit(pairs)
        seen, new = fitted.transform(self.seen), fitted.transform(self.new)
        mixed = shuffled.transform(self.seen), shuffled.transform(self.new)
        for source, target in permutations(range(len(new)), 2):
            found = self._transfer(seen[source], new[target])
            by_chance = self._transfer(mixed[0][source], mixed[1][target])
            ranks = retrieval_ranks(new[source], new[target])
            yield {
                "source": source,
                "target": target,
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

    def _fit(self, alignment, pairs):
        given = {}
        if has_fit_parameter(alignment, "groups"):
            given["groups"] = self.groups[self.paired]
        start = time.perf_counter()
        fitted = clone(alignment).fit(pairs, **given)
        seconds = time.perf_counter() - start
        return fitted, getattr(fitted, "refit_seconds_", seconds)

    def _transfer(self, latents, new):
        model = clone(self.classifier)
        model.fit(latents[self.labelled], self.labels[self.labelled])
        return model.predict(new)
