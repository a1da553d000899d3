"""Parameters of an alignment, chosen by pairs that were held out."""

import time
from collections.abc import Mapping, Sequence
from itertools import permutations
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit, ParameterGrid
from sklearn.utils import _safe_indexing as rows
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import UNUSED

from perfalign._checks import (
    check_estimator,
    check_labels,
    check_paired,
    check_parameters,
    labelled,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, Labels, RandomState, Views
from perfalign.alignment import BaseAlignment, MetaAlignment
from perfalign.metrics import retrieval_ranks
from perfalign.model_selection._group_labels import group_labels


class HeldOutSearch(MetaAlignment):
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
    alignment : BaseAlignment
        Or any other with ``fit(views)`` and ``transform(views)``.
    param_grid : dict of str to list
        Values to try, as in scikit-learn's ``GridSearchCV``.
    classifier : estimator, default=None
        Choose by transfer with it, which needs labels in `fit`; by retrieval
        if None.
    test_size : float, default=0.25
        Share of the pairs (of their groups) to keep back, below 1.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    alignment_ : BaseAlignment
        A clone with the best parameters, fitted to all pairs.
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

    _parameter_constraints = {
        "classifier": [HasMethods(["fit", "score"]), None],
        "test_size": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        alignment: BaseAlignment,
        param_grid: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        classifier: Any = None,
        test_size: float = 0.25,
        random_state: RandomState = None,
    ) -> None:
        self.alignment = alignment
        self.param_grid = param_grid
        self.classifier = classifier
        self.test_size = test_size
        self.random_state = random_state

    @one_blas_thread
    def fit(
        self,
        views: Views,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> "HeldOutSearch":
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
        check_parameters(self)
        check_estimator(self.alignment, "alignment")
        # As they came: their precision decides what counts as rank.
        given, signature, n_samples = check_paired(views)
        classes = None
        if self.classifier is not None:
            if y is None:
                raise ValueError(
                    "A classifier is to choose the parameters; wanted a label "
                    "y for each item, seen None."
                )
            classes = check_labels(y, n_samples, "y", like=labelled(given))
        labels = group_labels(groups, n_samples, like=labelled(given))
        splitter = GroupShuffleSplit(
            1, test_size=self.test_size, random_state=self.random_state
        )
        seen, held = next(splitter.split(labels, groups=labels))
        known = [rows(view, seen) for view in given]
        self.scores_ = []
        for params in _grid(self.param_grid):
            candidate: Any = clone(self.alignment).set_params(**params)
            candidate.fit(signature.as_given(known, views))
            latents = signature.in_order(candidate.transform(views))
            if classes is None:
                score = self._retrieval([z[held] for z in latents])
            else:
                score = self._transfer(latents, classes, seen, held)
            self.scores_.append((params, score))
        self.best_params_ = max(self.scores_, key=lambda entry: entry[1])[0]
        best: Any = clone(self.alignment).set_params(**self.best_params_)
        start = time.perf_counter()
        self.alignment_ = best.fit(views)
        self.refit_seconds_ = time.perf_counter() - start
        self.signature_ = getattr(self.alignment_, "signature_", signature)
        return self

    def _retrieval(self, latents: list[Array]) -> float:
        ranks = [retrieval_ranks(*pair) for pair in permutations(latents, 2)]
        return -float(np.log(ranks).mean())

    def _transfer(
        self, latents: list[Array], y: Labels, seen: Integers, held: Integers
    ) -> float:
        taught = [
            clone(self.classifier).fit(z[seen], y[seen]) for z in latents
        ]
        scores = [
            source.score(target[held], y[held])
            for (source, _), (_, target) in permutations(
                zip(taught, latents), 2
            )
        ]
        return float(np.mean(scores))


def _grid(param_grid: Any) -> list[dict[str, Any]]:
    try:
        return list(ParameterGrid(param_grid))
    except TypeError as error:
        raise ValueError(f"param_grid: {error}") from error
