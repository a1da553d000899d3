"""How alignments do on data that they have not seen, side by side.

One protocol for all: no item is labelled by its target view; every number is
of held-out items; beside it stands what labels of the source or of the target
alone would give, what the commonest class would, and what the same method
makes of shuffled pairs.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GroupShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed
from tqdm import tqdm

from perfalign._checks import (
    as_list,
    check_estimator,
    check_integer,
    check_labels,
    check_number,
    check_paired,
    labelled,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, RandomState, Views
from perfalign.alignment import (
    BaseAlignment,
    CollapseWarning,
    OverfitWarning,
)
from perfalign.model_selection._group_labels import group_labels
from perfalign.model_selection._resampled import resampled_interval
from perfalign.model_selection._split import Task, chooses_by_labels

Records: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` has measured.

    Attributes
    ----------
    records : list of dict
        One for each split, method, source and target; a table for pandas.
    test_size : float
        Share of the groups that is held out in each split.
    """

    records: Records
    test_size: float

    def values(self, name: str, **where: Any) -> Array:
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
        by_split: dict[int, list[float]] = {}
        for record in self.records:
            if all(record[key] == value for key, value in where.items()):
                by_split.setdefault(record["split"], []).append(record[name])
        if not by_split:
            raise ValueError(f"No record has {where}.")
        return np.array([np.mean(found) for found in by_split.values()])

    def mean(self, name: str, **where: Any) -> float:
        """Mean over the splits, of `values`.

        Parameters
        ----------
        name : str
            A key of the records.
        **where
            Which records, as of `values`.

        Returns
        -------
        mean : float

        Raises
        ------
        ValueError
            As `values`.
        """
        return float(self.values(name, **where).mean())

    def interval(
        self,
        name: str,
        *,
        against: str | None = None,
        level: float = 0.95,
        **where: Any,
    ) -> tuple[float, float]:
        """Confidence interval of the mean, which knows that splits overlap.

        Parameters
        ----------
        name : str
            A key of the records.
        against : str, default=None
            Another method: the interval is that of the difference to it,
            taken split by split.
        level : float, default=0.95
            Share of intervals that are to hold the true mean.
        **where
            Which records, as of `values`.

        Returns
        -------
        low, high : float
            See `resampled_interval`.

        Raises
        ------
        ValueError
            As `values`, for one split only, and if a method is to be compared
            and none is named.
        """
        values = self.values(name, **where)
        if against is not None:
            if "method" not in where:
                raise ValueError(
                    f"against is {against!r} and no method is named; wanted "
                    "method=…, which is compared with it."
                )
            values = values - self.values(name, **where | {"method": against})
        return resampled_interval(values, self.test_size, level=level)


@one_blas_thread
def evaluate(
    alignments: Mapping[str, BaseAlignment],
    views: Views,
    target: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    maps: Any = None,
    n_splits: int = 5,
    test_size: float = 0.3,
    n_pairs: int | None = None,
    n_shots: int | None = None,
    classifier: Any = None,
    random_state: RandomState = 0,
    progress: bool = False,
    n_jobs: int | None = None,
) -> Evaluation:
    """Align, transfer and retrieve on held-out items, with all baselines.

    In every split, maps and alignments are fitted to training items. A
    classifier learns labels from one view's latents, the source, and is scored
    on those of another, the target, of items that were held out.

    Parameters
    ----------
    alignments : dict of str to BaseAlignment
        Methods by name; or any others with ``fit(views)`` and
        ``transform(views)``, of views in a list. A `HeldOutSearch` chooses
        within the training items; only one with a classifier is given their
        labels.
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
        Show a progress bar, of splits.
    n_jobs : int, default=None
        How many processes take a split each, as in scikit-learn. It changes
        no number by more than rounding, except for ``fit_seconds``, as they
        work side by side.

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
    it. Cost: two fits a method and split, and two classifiers a view.

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
    y = check_labels(target, n_samples, "target", like=labelled(views))
    check_integer(n_splits, "n_splits")
    check_number(test_size, "test_size", above=0, below=1)
    if not isinstance(alignments, dict) or not alignments:
        raise ValueError(
            f"alignments is {alignments!r:.60}; wanted a dict of methods by "
            "name."
        )
    for name, alignment in alignments.items():
        check_estimator(alignment, f"alignments[{name!r}]")
        if n_shots is not None and chooses_by_labels(alignment):
            raise ValueError(
                f"{name!r} chooses its parameters by labels, which would be "
                f"more than n_shots={n_shots!r}; wanted one that does not."
            )
    labels = group_labels(groups, n_samples, like=labelled(views))
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

    def records_of(split: int, train: Integers, held: Integers) -> Records:
        with (
            warnings.catch_warnings(action="ignore", category=OverfitWarning),
            warnings.catch_warnings(action="ignore", category=CollapseWarning),
        ):
            task = Task(
                views,
                y,
                labels,
                maps,
                train,
                held,
                classifier,
                n_pairs,
                n_shots,
                np.random.default_rng([random_state, split]),
            )
            return [
                {
                    "split": split,
                    "method": name,
                    "source": signature.name(source),
                    "target": signature.name(end),
                    **record,
                }
                for name, alignment in alignments.items()
                for source, end, record in task.scores(alignment, split)
            ]

    splits = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(records_of)(split, train, held)
        for split, (train, held) in enumerate(splitter.split(y, groups=labels))
    )
    bar = tqdm(splits, total=n_splits, disable=not progress)
    records = [record for of_split in bar for record in of_split]
    return Evaluation(records, test_size)
