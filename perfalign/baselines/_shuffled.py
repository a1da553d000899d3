"""What an alignment finds where there is nothing to be found."""

from typing import Any, Self

from sklearn.base import clone
from sklearn.utils import check_random_state, shuffle

from perfalign._checks import check_estimator, check_paired, without_row_labels
from perfalign._threads import one_blas_thread
from perfalign._types import RandomState, Views
from perfalign.alignment import BaseAlignment, MetaAlignment


class ShuffledPairs(MetaAlignment):
    """An alignment of the same views, whose items are paired at random.

    Parameters
    ----------
    alignment : BaseAlignment
        Anything else with ``fit(views)`` and ``transform(views)`` will do.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    alignment_ : BaseAlignment
        A clone of `alignment`, fitted to shuffled pairs.

    Examples
    --------
    >>> from perfalign import PerfectAlignment, relative_alignment_error
    >>> from perfalign.baselines import ShuffledPairs
    >>> from perfalign.datasets import make_gaussian_views
    >>> views = make_gaussian_views(random_state=0).views
    >>> for alignment in [
    ...     PerfectAlignment(2),
    ...     ShuffledPairs(PerfectAlignment(2), random_state=0),
    ... ]:
    ...     latents = alignment.fit(views).transform(views)
    ...     print(f"{relative_alignment_error(latents):.1f}")
    0.0
    1.4
    """

    def __init__(
        self, alignment: BaseAlignment, random_state: RandomState = None
    ) -> None:
        self.alignment = alignment
        self.random_state = random_state

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        """Shuffle the rows of each view after the first, and fit.

        Parameters
        ----------
        views : list or dict of array-like of shape (n_samples, n_features_m)
            Paired views.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : ShuffledPairs

        Raises
        ------
        ValueError
            If views differ in their numbers or labels of rows, and as the
            alignment.
        """
        check_estimator(self.alignment, "alignment")
        given, signature, _ = check_paired(views)
        rng = check_random_state(self.random_state)
        # As they came: their precision decides what counts as rank. But for
        # labels of rows, which would tell the true pairs.
        moved = (shuffle(view, random_state=rng) for view in given[1:])
        shuffled = map(without_row_labels, [given[0], *moved])
        self.alignment_ = clone(self.alignment).fit(
            signature.as_given(shuffled, views)
        )
        # Of what the alignment has seen, where it says so.
        self.signature_ = getattr(self.alignment_, "signature_", signature)
        return self
