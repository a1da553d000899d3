"""How an alignment does on more and more pairs, seen and held out.

A training error says little: with few samples any pairing can be aligned.
Pairs that were held out show what the encoders are good for.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import _safe_indexing as rows
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from perfalign._checks import (
    check_estimator,
    check_integer,
    check_paired,
    labelled,
    without_row_labels,
)
from perfalign._threads import one_blas_thread
from perfalign._types import (
    Array,
    Integers,
    Labels,
    RandomState,
    View,
    Views,
)
from perfalign.alignment import (
    BaseAlignment,
    CollapseWarning,
    OverfitWarning,
)
from perfalign.metrics import (
    component_correlations,
    relative_alignment_error,
)
from perfalign.model_selection._group_labels import group_labels


@dataclass(frozen=True, eq=False)
class AlignmentCurve:
    """How an alignment does on seen and on new pairs, by sample size.

    Attributes
    ----------
    sizes : ndarray of shape (n_sizes,)
        Numbers of training pairs.
    train_errors, test_errors : ndarray of shape (n_sizes, n_splits)
        Relative alignment errors.
    train_correlations, test_correlations : ndarray
        Of shape (n_sizes, n_splits, k).
        Correlation of the views' latents in each component, the mean over
        pairs of views.
    """

    sizes: Integers
    train_errors: Array
    test_errors: Array
    train_correlations: Array
    test_correlations: Array


@one_blas_thread
def alignment_curve(
    alignment: BaseAlignment,
    views: Views,
    sizes: int | Sequence[int],
    *,
    n_splits: int = 5,
    shuffled: bool = False,
    groups: ArrayLike | None = None,
    random_state: RandomState = None,
    n_jobs: int | None = None,
) -> AlignmentCurve:
    """Fit on more and more pairs, and judge on pairs that were held out.

    In every split the samples are put in random order. The first n of them
    are the n training pairs, so that larger training sets contain the
    smaller, and what the largest leaves over is held out from all.

    Parameters
    ----------
    alignment : BaseAlignment
        Or any other with ``fit(views)`` and ``transform(views)``; cloned for
        every fit. All fits must have latents of one dimension.
    views : list or dict of array-like of length n_samples
        Paired views; anything that the alignment takes.
    sizes : int or sequence of int
        Numbers of training pairs; the largest must leave two pairs over.
    n_splits : int, default=5
    shuffled : bool, default=False
        Fit on shuffled training pairs instead: the level that the same data
        reach without any relation. The held-out pairs stay true, and one
        `random_state` gives the same splits for both.
    groups : array-like of shape (n_samples,), default=None
        Samples with one label stay together in the random order, when pairs
        are shuffled too, and held-out pairs share no label with training
        pairs.
    random_state : int, RandomState instance or None, default=None
    n_jobs : int, default=None
        How many processes fit, as in scikit-learn. It changes no number by
        more than rounding.

    Returns
    -------
    curve : AlignmentCurve

    Raises
    ------
    ValueError
        If `n_components` is None, fits differ in the dimension of their
        latents for another reason, a size leaves too few held-out pairs or is
        below two, or as the alignment for the smallest size.

    Notes
    -----
    Warnings of overfitting or collapse are not given: the curve shows the
    first, and the second would be repeated for every fit. Cost: n_splits fits
    for every size.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import PerfectAlignment, alignment_curve
    >>> rng = np.random.default_rng(0)
    >>> views = [rng.normal(size=(300, 10)) for _ in range(2)]  # unrelated
    >>> curve = alignment_curve(
    ...     PerfectAlignment(n_components=1), views, [15, 150], random_state=0
    ... )
    >>> for n, train, test in zip(
    ...     curve.sizes, curve.train_errors, curve.test_errors
    ... ):
    ...     print(n, f"{train.mean():.1f} {test.mean():.1f}")
    15 0.0 1.5
    150 1.0 1.4
    """
    check_estimator(alignment, "alignment")
    if getattr(alignment, "n_components", 1) is None:
        raise ValueError(
            "alignment_curve compares fits of the same dimension; choose "
            "n_components, seen None."
        )
    given, signature, n_samples = check_paired(views)
    labels = group_labels(groups, n_samples, like=labelled(given))
    sizes = _check_sizes(sizes, n_samples)
    check_integer(n_splits, "n_splits")
    rng = check_random_state(random_state)

    def taken(chosen: Integers) -> list[View]:
        # As they came: their precision decides what counts as rank.
        return [without_row_labels(rows(view, chosen)) for view in given]

    def parts() -> Iterator[list[Views]]:
        for _ in range(n_splits):
            order, held_out = _split(labels, sizes, rng)
            new = taken(held_out)
            # Drawn in any case: true and shuffled pairs then see the same
            # splits.
            seed = rng.randint(np.iinfo(np.int32).max)
            for n in sizes:
                seen = taken(order[:n])
                if shuffled:
                    seen = _repaired(seen, labels[order[:n]], seed)
                yield [signature.as_given(part, views) for part in (seen, new)]

    found = Parallel(n_jobs=n_jobs)(
        delayed(_judged)(alignment, seen, new) for seen, new in parts()
    )
    dimensions = {len(r) for _, both in found for r in both}
    if len(dimensions) > 1:
        raise ValueError(
            "alignment_curve compares fits of the same dimension; seen latents"
            f" of the dimensions {sorted(dimensions)}. Choose n_components."
        )
    errors, correlations = (
        # By split and size, seen and new; wanted in another order.
        np.array(one).reshape(n_splits, len(sizes), 2, -1).swapaxes(0, 1)
        for one in zip(*found)
    )
    return AlignmentCurve(
        sizes,
        *(errors[:, :, part, 0] for part in (0, 1)),
        *(correlations[:, :, part] for part in (0, 1)),
    )


def _judged(
    alignment: BaseAlignment, seen: Views, new: Views
) -> tuple[list[float], list[Array]]:
    """Errors and correlations on seen and on new pairs, of one fit."""
    with (
        warnings.catch_warnings(action="ignore", category=OverfitWarning),
        warnings.catch_warnings(action="ignore", category=CollapseWarning),
    ):
        fitted = clone(alignment).fit(seen)
    latents = [fitted.transform(pairs) for pairs in (seen, new)]
    return (
        list(map(relative_alignment_error, latents)),
        list(map(component_correlations, latents)),
    )


def _check_sizes(sizes: int | Sequence[int], n_samples: int) -> Integers:
    found = np.atleast_1d(np.asarray(sizes))
    whole = found.ndim == 1 and found.dtype.kind in "iu" and len(found)
    if not whole or found.min() < 2 or found.max() > n_samples - 2:
        raise ValueError(
            f"sizes are {found.tolist()}; wanted whole numbers from 2 to at "
            f"most {n_samples} − 2, so that pairs are held out."
        )
    return found


def _split(
    labels: Labels, sizes: Integers, rng: np.random.RandomState
) -> tuple[Integers, Integers]:
    """Rows in random order, whole groups together, and those held out."""
    order, rank = _group_by_group(labels, rng)
    left_over = order[rank > rank[sizes.max() - 1]]
    if len(left_over) < 2:
        raise ValueError(
            f"sizes are {sizes.tolist()}; wanted numbers small enough for two "
            f"pairs of other groups, of {len(order)}, to be held out."
        )
    return order, left_over


def _repaired(views: list[View], labels: Labels, seed: int) -> list[View]:
    """The views with pairs shuffled anew, the first left as it is.

    The rows come group by group. All but the first view are read in another
    order of the groups: no group need stay where it is, whatever its size.
    """
    rng = check_random_state(seed)
    return views[:1] + [
        without_row_labels(rows(view, _group_by_group(labels, rng)[0]))
        for view in views[1:]
    ]


def _group_by_group(
    labels: Labels, rng: np.random.RandomState
) -> tuple[Integers, Integers]:
    """Rows in another order of the groups, and the places of their groups."""
    names, groups = np.unique(labels, return_inverse=True)
    rank = rng.permutation(len(names))[groups]
    order = np.argsort(rank, kind="stable")
    return order, rank[order]
