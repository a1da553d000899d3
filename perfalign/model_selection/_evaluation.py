"""How alignments do on data that they have not seen, side by side.

One protocol for all: no item is labelled by its target view; every number is
of held-out items; beside it stands what labels of the source or of the target
alone would give, what the commonest class would, and what the same method
makes of shuffled pairs.
"""

import time
import warnings
from dataclasses import dataclass, replace
from itertools import permutations
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupShuffleSplit, ParameterGrid
from sklearn.utils import _safe_indexing as rows
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted, has_fit_parameter
from tqdm import tqdm

from perfalign._checks import (
    as_list,
    check_estimator,
    check_integer,
    check_labels,
    check_number,
    check_paired,
    check_views,
)
from perfalign.alignment import CollapseWarning, OverfitWarning, fit_maps
from perfalign.baselines import ShuffledPairs
from perfalign.metrics import (
    effective_rank,
    relative_alignment_error,
    retrieval_ranks,
)


class HeldOutSearch(BaseEstimator):
    r"""Choose an alignment's parameters by pairs that were held out.

    Some of the pairs are kept back, the alignment is fitted to the others
    with each set of parameters, and the set wins that does best on those kept
    back, over both directions of all pairs of views. Without labels, best is
    where partners find each other,

    .. math:: \min \; \operatorname{mean} \log \mathrm{rank}

    (`retrieval_ranks`). With a classifier and labels, best is where the
    classifier, trained on one view of the fitted pairs, is most often right
    on the other view of the held-out pairs. An item's label is known as soon
    as one of its views is labelled: this is the label that a labelled source
    item brings along to its partner. The alignment is then fitted again to
    all pairs.

    Parameters
    ----------
    alignment : estimator
        Any with ``fit(views)`` and ``transform(views)``, of any views.
    param_grid : dict of str to list
        Values to try, as in scikit-learn's ``GridSearchCV``.
    classifier : estimator, default=None
        Choose by transfer with it, which needs labels in `fit`; by retrieval
        if None.
    held_out : float, default=0.25
        Share of the pairs (of their groups) to keep back, below 1.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    best_alignment_ : estimator
    best_params_ : dict
    scores_ : list of (dict, float)
        All parameters tried: accuracy, or minus the mean log rank.
    refit_seconds_ : float
        What the last fit took.

    Examples
    --------
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.datasets import load_digit_halves
    >>> from perfalign.model_selection import HeldOutSearch
    >>> search = HeldOutSearch(
    ...     PerfectAlignment(8), {"ridge": [0.01, 100]}, random_state=0
    ... )
    >>> search.fit(load_digit_halves().views).best_params_
    {'ridge': 0.01}
    """

    __metadata_request__fit = {"views": UNUSED, "groups": UNUSED}
    __metadata_request__transform = {"views": UNUSED}

    def __init__(
        self,
        alignment,
        param_grid,
        *,
        classifier=None,
        held_out=0.25,
        random_state=None,
    ):
        self.alignment = alignment
        self.param_grid = param_grid
        self.classifier = classifier
        self.held_out = held_out
        self.random_state = random_state

    def fit(self, views, y=None, groups=None):
        """Choose parameters and fit.

        Parameters
        ----------
        views : list or dict of array-like of length n_samples
            Paired views; anything that the alignment takes.
        y : array-like of shape (n_samples,), default=None
            Labels of the items, if a classifier is to choose.
        groups : array-like of shape (n_samples,), default=None
            Near-copies of one item share a label and stay together.

        Returns
        -------
        self : HeldOutSearch

        Raises
        ------
        ValueError
            If there is a classifier and no labels, a label is missing, views,
            labels and groups differ in length, and as the alignment.
        """
        check_estimator(self.alignment, "alignment")
        held_out = check_number(self.held_out, "held_out", above=0, below=1)
        # As they came: their precision decides what counts as rank.
        given, signature, n_samples = check_paired(views)
        if self.classifier is not None and y is None:
            raise ValueError(
                "A classifier is to choose the parameters; wanted a label y "
                "for each item, seen None."
            )
        if self.classifier is not None:
            y = check_labels(y, n_samples, "y", like=given[0])
        groups = _groups(groups, n_samples, like=given[0])
        splitter = GroupShuffleSplit(
            1, test_size=held_out, random_state=self.random_state
        )
        seen, held = next(splitter.split(groups, groups=groups))
        known = [rows(view, seen) for view in given]
        self.scores_ = []
        for params in _grid(self.param_grid):
            candidate = _with(self.alignment, params)
            candidate.fit(signature.as_given(known, views))
            latents = signature.in_order(candidate.transform(views))
            if self.classifier is None:
                score = self._retrieval([z[held] for z in latents])
            else:
                score = self._transfer(latents, y, seen, held)
            self.scores_.append((params, float(score)))
        self.best_params_ = max(self.scores_, key=lambda entry: entry[1])[0]
        best = _with(self.alignment, self.best_params_)
        start = time.perf_counter()
        self.best_alignment_ = best.fit(views)
        self.refit_seconds_ = time.perf_counter() - start
        return self

    def _retrieval(self, latents):
        ranks = [retrieval_ranks(*pair) for pair in permutations(latents, 2)]
        return -np.log(ranks).mean()

    def _transfer(self, latents, y, seen, held):
        return np.mean(
            [
                clone(self.classifier)
                .fit(source[seen], y[seen])
                .score(target[held], y[held])
                for source, target in permutations(latents, 2)
            ]
        )

    def transform(self, views):
        """Latents of all views, as those of the alignment."""
        check_is_fitted(self)
        return self.best_alignment_.transform(views)

    def transform_view(self, view, modality):
        """Latents of one view alone."""
        check_is_fitted(self)
        return self.best_alignment_.transform_view(view, modality)


def _grid(param_grid):
    try:
        return list(ParameterGrid(param_grid))
    except TypeError as error:
        raise ValueError(f"param_grid: {error}") from error


def _with(alignment, params):
    """A clone with other parameters."""
    return clone(alignment).set_params(**params)


def _groups(groups, n_samples, like=None):
    """Labels of the groups; each sample its own, if there are none."""
    if groups is None:
        return np.arange(n_samples)
    return check_labels(groups, n_samples, "groups", like=like)


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
            If no record is meant, or a key is none of the records'.
        """
        known = list(self.records[0]) if self.records else []
        unknown = [key for key in (name, *where) if key not in known]
        if unknown:
            raise ValueError(
                f"Records have no {unknown[0]!r}; they have "
                f"{', '.join(known)}."
            )
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

    In every split, maps and alignments are fitted to training items. A
    classifier learns labels from one view's latents, the source, and is scored
    on those of another, the target, of items that were held out.

    Parameters
    ----------
    alignments : dict of str to estimator
        Methods by name, each with ``fit(views)`` and ``transform(views)``, of
        views in a list: a `MappedAlignment` is one, too. A `HeldOutSearch`
        chooses within the training items; only one with a
        classifier is given their labels.
    views : list or dict of array-like of length n_samples
        Paired views: matrices, or with maps anything that these take. Records
        name the views of a dict.
    target : array-like of shape (n_samples,)
        Class labels, strings or whole numbers.
    groups : array-like of shape (n_samples,), default=None
        Items with one label here stay on one side of every split.
    maps : list or dict of transformer or None, default=None
        Features of each view, as in `MappedAlignment`.
    n_splits : int, default=5
    test_size : float, default=0.3
        Share of the groups that is held out.
    n_pairs : int, default=None
        Training items whose pairs may be used to align; all if None. The
        others lend their source labels and, to the maps, their features.
    n_shots : int, default=None
        Labelled source items of each class; all training items if None. One
        shot says nothing of a class's spread: it needs a `classifier` that
        does not ask for it, such as
        scikit-learn's ``KNeighborsClassifier(1)``.
    classifier : estimator, default=None
        Linear discriminant analysis with Ledoit and Wolf's shrinkage if None:
        Gaussian classes of one covariance, also where latents outnumber
        items.
    random_state : int, RandomState instance or None, default=0
        Seeds the splits and the choice of pairs and labels; None draws a
        seed. The number of the split seeds the shuffling.
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
        If views and target differ in length or in their labels of rows, a
        label is missing, there is no method or a parameter is invalid, there
        are fewer pairs than asked for, a method would choose by more labels
        than `n_shots`, and as the estimators.

    Notes
    -----
    A collapse or overfit is not warned of: shuffled and held-out pairs show
    it. Cost: two fits a method and split, and M (M − 1) classifiers.

    Examples
    --------
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.datasets import load_digit_halves
    >>> from perfalign.model_selection import evaluate
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
    target_accuracy 0.9
    """
    views, signature, n_samples = check_paired(views)
    y = check_labels(target, n_samples, "target", like=views[0])
    check_integer(n_splits, "n_splits")
    check_number(test_size, "test_size", above=0, below=1)
    if not isinstance(alignments, dict) or not alignments:
        raise ValueError(
            f"alignments is {alignments!r:.60}; wanted a dict of methods by "
            "name."
        )
    for name, alignment in alignments.items():
        check_estimator(alignment, f"alignments[{name!r}]")
        if n_shots is not None and _chooses_by_labels(alignment):
            raise ValueError(
                f"{name!r} chooses its parameters by labels, which would be "
                f"more than n_shots={n_shots!r}; wanted one that does not."
            )
    groups = _groups(groups, n_samples, like=views[0])
    if n_pairs is not None:
        check_integer(n_pairs, "n_pairs")
    if n_shots is not None:
        check_integer(n_shots, "n_shots")
    if classifier is None:
        if n_shots == 1:
            raise ValueError(
                "n_shots is 1, and the classifier that is taken by default "
                "estimates how items of one class differ; wanted 2 or more, "
                "or a classifier such as KNeighborsClassifier(1)."
            )
        classifier = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
    if not isinstance(random_state, Integral):
        # Every split has a generator of its own, seeded by a number.
        random_state = check_random_state(random_state).randint(2**31 - 1)
    if maps is not None:
        maps, _ = as_list(maps, signature.view_names, "maps", "transformers")
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
                    record = {"split": split, "method": name, **record}
                    for end in ("source", "target"):
                        record[end] = signature.name(record[end])
                    records.append(record)
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
        for features in (seen, new):
            check_views(features)
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
            check_integer(
                n_pairs, "n_pairs", 1, len(order), ", the items for training"
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
        pairs = [rows(view, self.paired) for view in self.seen]
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
        if _chooses_by_labels(alignment):
            given["y"] = self.labels[self.paired]
        start = time.perf_counter()
        fitted = clone(alignment).fit(pairs, **given)
        seconds = time.perf_counter() - start
        return fitted, getattr(fitted, "refit_seconds_", seconds)

    def _transfer(self, latents, new):
        model = clone(self.classifier)
        model.fit(latents[self.labelled], self.labels[self.labelled])
        return model.predict(new)


def _chooses_by_labels(alignment):
    return getattr(alignment, "classifier", None) is not None
