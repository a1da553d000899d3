r"""Items of which any of the views were observed.

A picture was seen with its English name, another English name with a French
one, a few pictures with both, and no picture with a French name alone. What
the views of one item disagree by are again rows of the paper's stack,
:math:`[X^a; -X^b]` for two of them, with zeros for the views that the item
does not have; so all items fit into one small triangle.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lstsq

from perfalign._linalg import column_norms
from perfalign._threads import one_blas_thread
from perfalign._types import Array
from perfalign.summary._base import Summary
from perfalign.summary._reflections import reduced
from perfalign.summary._sets import (
    Placed,
    Subset,
    check_sets,
    common_signature,
    counts,
    factor,
    of_views,
    placed,
    summarised,
    unit_contrasts,
)
from perfalign.summary._stacked import StackedSummary
from perfalign.summary._storage import checked


@dataclass(frozen=True, eq=False, kw_only=True)
class IncompleteSummary(Summary):
    r"""Mergeable summary of items that have any subset of the views.

    Items that have the same s views S are one set. With the s − 1 orthonormal
    contrasts h of Helmert among these views, an item i of the set contributes
    as many rows to the matrix

    .. math:: B_{(i, l), m} = \sqrt{\frac{s}{s - 1}}\; h_{lm}\,
              (x_i^m - \bar x_S^m)^\top

    which is zero for all other views; :math:`\bar x_S^m` is the mean of view
    m over the items of the set. For a pair (a, b) it is the row
    :math:`[x_i^a - \bar x_S^a, -(x_i^b - \bar x_S^b)]`. The summary keeps the
    factor R of B. The rows of an item times
    :math:`[A^1 \dots A^M]^\top` have the square
    :math:`\frac{1}{s - 1} \sum_{a < b} \|\hat z_i^a - \hat z_i^b\|^2` over
    its pairs of views, and column block m has the inner products of view m,
    so R has all that `StackedSummary` has of fully observed views.

    Each set is centred by its own means, because offsets make up for them.
    About one mean of all its items a view would also vary with the sampling
    of the sets: exact alignment would be lost in sampling error.

    Items with one view alone have no row in B: they say nothing of what
    views have in common. They count in `mean` and in `view_blocks`.

    Parameters
    ----------
    R, mean, n_features, eps, rest, feature_names, view_names
        As in `StackedSummary`; `mean` is over all items that have the view,
        and `rest` is 0.
    n_samples : int or float
        Number of items with two views or more, or the sum of their weights.
    sets : dict of tuple to StackedSummary
        For the views of each set, the summary of its items.
    n_rows : int
        Rows of the items with two views or more, whatever their weights.

    Notes
    -----
    Time O(Σ n_S d_S² + E d³) and memory O(E d²) for sets of d_S features that
    have E contrasts together, one for each pair of views, two for three.

    Examples
    --------
    No item has both a picture and a sound; names join them.

    >>> from perfalign import PerfectAlignment
    >>> from perfalign.datasets import make_gaussian_views
    >>> from perfalign.summary import IncompleteSummary
    >>> X, Y, W = make_gaussian_views(300, (3, 4, 3), random_state=0).views
    >>> summary = IncompleteSummary.from_views(
    ...     {("picture", "name"): (X[:150], Y[:150])}
    ... )
    >>> summary = summary.update({("name", "sound"): (Y[150:], W[150:])})
    >>> summary.n_samples, summary.n_features
    (300, (3, 4, 3))
    >>> alignment = PerfectAlignment(2).fit_summary(summary)
    >>> f"{alignment.score({'picture': X, 'name': Y, 'sound': W}):.3f}"
    '1.000'
    """

    sets: dict[Subset, StackedSummary]

    @classmethod
    @one_blas_thread
    def from_views(
        cls,
        observed: Mapping[Subset, Any],
        sample_weight: Mapping[Subset, Any] | None = None,
    ) -> Self:
        """Summarise items by the views that they have.

        Parameters
        ----------
        observed : dict of tuple to (tuple of array-like, or StackedSummary)
            For the items that have the views (a, b, …): one matrix a view,
            with a row for each item, or the summary of these views. Views
            are numbered from 0 or have names.
        sample_weight : dict of tuple to array-like, default=None
            For some of the same keys, how many times each item counts.

        Returns
        -------
        summary : IncompleteSummary

        Raises
        ------
        ValueError
            Names the set, and says what was seen and what was wanted.

        Examples
        --------
        >>> import numpy as np
        >>> from perfalign.summary import IncompleteSummary
        >>> rng = np.random.default_rng(0)
        >>> X, Y, W = (rng.normal(size=(90, d)) for d in (3, 2, 4))
        >>> summary = IncompleteSummary.from_views({
        ...     ("seen", "said", "heard"): (X[:9], Y[:9], W[:9]),
        ...     ("seen", "said"): (X[9:50], Y[9:50]),
        ...     ("heard",): (W[50:],),
        ... })
        >>> summary.view_names, summary.n_samples
        (('seen', 'said', 'heard'), 50)
        """
        return cls._of(summarised(observed, sample_weight))

    @classmethod
    def _of(cls, sets: dict[Subset, StackedSummary]) -> Self:
        if not sets:
            raise ValueError("No set has items.")
        signature = common_signature(sets.items())
        check_sets(sets, signature)
        joint, everything = (
            placed(sets, signature, least) for least in (2, 1)
        )
        means = of_views(everything, lambda s: s.split(s.mean))
        stored = of_views(
            joint, lambda s: s.split(s.eps + np.zeros_like(s.mean))
        )
        return cls(
            R=factor(joint, signature.n_features),
            mean=np.concatenate(
                [
                    np.average(own, axis=0, weights=weights)
                    for own, weights in zip(means, counts(everything))
                ]
            ),
            n_samples=sum(summary.n_samples for _, summary in joint),
            n_features=signature.n_features,
            eps=np.concatenate([np.max(own, axis=0) for own in stored]),
            feature_names=signature.feature_names,
            view_names=signature.view_names,
            sets=sets,
            n_rows=sum(summary.n_rows for _, summary in joint),
        )

    @one_blas_thread
    def update(self, views: Any, sample_weight: Any = None) -> Self:
        """Summary of these items and of the given ones.

        Parameters
        ----------
        views : dict of tuple to (tuple of array-like, or StackedSummary)
            Further items, of the same sets or of others.
        sample_weight : dict of tuple to array-like, default=None
            As of `from_views`.

        Returns
        -------
        summary : IncompleteSummary

        Raises
        ------
        ValueError
            As `from_views`.
        """
        added = summarised(views, sample_weight)
        common_signature([*self.sets.items(), *added.items()])
        union = dict(self.sets)
        for key, summary in added.items():
            known = union.get(key)
            union[key] = known.merge(summary) if known else summary
        return self._of(union)

    @one_blas_thread
    def merge(self, other: "IncompleteSummary") -> Self:
        """Summary of the items of both.

        Parameters
        ----------
        other : IncompleteSummary

        Returns
        -------
        summary : IncompleteSummary

        Raises
        ------
        ValueError
            As `from_views`, or if `other` is a summary of another kind.
        """
        if not isinstance(other, IncompleteSummary):
            raise ValueError(
                "Only summaries of one kind can be merged; seen "
                f"{type(other).__name__}, wanted IncompleteSummary."
            )
        return self.update(other.sets)

    def _arrays(self) -> dict[str, Any]:
        arrays = {
            f"{'-'.join(map(str, places))} {name}": array
            for places, summary in placed(self.sets, self.signature)
            for name, array in summary._arrays().items()
        }
        if self.view_names is not None:
            arrays["view_names"] = np.array(self.view_names)
        return arrays

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        called = None
        if "view_names" in arrays:
            called = checked(arrays, "view_names", "U", 1).tolist()
        found: dict[Subset, dict[str, NDArray[Any]]] = {}
        for key, array in arrays.items():
            if key == "view_names":
                continue
            views, _, name = key.partition(" ")
            if not re.fullmatch(r"\d+(-\d+)*", views):
                raise ValueError(f"{key!r} belongs to no set of views.")
            places = tuple(map(int, views.split("-")))
            if called is not None and len(set(called)) <= max(places):
                raise ValueError(f"{key!r}: seen the names {called}.")
            fields = found.setdefault(
                tuple(called[m] for m in places) if called else places, {}
            )
            fields[name] = array
        return cls.from_views(
            {
                key: StackedSummary._from_arrays(fields)
                for key, fields in found.items()
            }
        )

    @one_blas_thread
    def blocks(self, center: bool = True) -> list[Array]:
        """Factor of the stack, cut into one block of columns a view.

        Parameters
        ----------
        center : bool, default=True
            If False, the factor is that of the data as they came.

        Returns
        -------
        blocks : list of ndarray of shape (p, n_features_m)
            Inner products of columns of one block are those of the features
            over the items with another view; of two blocks, their negatives
            over the items that have both, divided by s − 1.
        """
        if center:
            return self.split(self.R)
        return self.split(factor(self._joint(), self.n_features, center))

    @one_blas_thread
    def view_blocks(self, center: bool = True) -> list[Array]:
        """Factor of each view by itself, of all items that have it.

        Parameters
        ----------
        center : bool, default=True
            About the means of the sets.

        Returns
        -------
        blocks : list of ndarray of shape (p, n_features_m)
            Scaled, as if there were no more items than in `blocks`.
        """
        blocks = self.blocks(center)
        everything = placed(self.sets, self.signature)
        rows = of_views(everything, lambda s: s.blocks(center))
        few, many = counts(self._joint()), counts(everything)
        for m in range(len(blocks)):
            # Without items that have this view alone there is no more.
            if len(few[m]) < len(many[m]):
                share = (sum(few[m]) / sum(many[m])) ** 0.5
                blocks[m] = share * reduced(np.vstack(rows[m]))
        return blocks

    def norms(self) -> Array:
        """Norms of the features over the items with another view, about 0.

        Returns
        -------
        norms : ndarray of shape (d,)
        """
        powers = of_views(self._joint(), lambda s: s.split(s.norms()))
        return np.concatenate([column_norms(np.array(p)) for p in powers])

    @property
    def contrasts(self) -> Array:
        """One row of ones: the rows of the factor carry the contrasts."""
        return np.ones((1, len(self.n_features)))

    @property
    def n_observations(self) -> float:
        """One for each view of each item that has two or more."""
        return sum(len(views) * s.n_samples for views, s in self._joint())

    def degrees_of_freedom(self, center: bool = True) -> int:
        """Dimension of the disagreements that the items could have.

        s − 1 for each different item, less what centring takes away.

        Parameters
        ----------
        center : bool, default=True

        Returns
        -------
        degrees : int
        """
        return sum(
            one.degrees_of_freedom(center) for one in self.sets.values()
        )

    @one_blas_thread
    def latents_of_means(self, encoders: list[Array]) -> Array:
        r"""Where offsets should send the views' means.

        They minimise :math:`\sum_S \frac{n_S}{s - 1} \sum_{a < b}
        \|\bar z_S^a - \bar z_S^b\|^2`, the disagreement of the sets' mean
        latents, which then vanishes if no sets form a cycle. All latents
        together, those of items with one view too, get the mean 0.

        Parameters
        ----------
        encoders : list of ndarray of shape (k, d_m)

        Returns
        -------
        latents : ndarray of shape (M, k)
        """
        means = self.split(self.mean)
        n_items = [*map(sum, counts(placed(self.sets, self.signature)))]
        # What decides where all of them lie.
        rows = [np.array([n_items]) / sum(n_items) ** 0.5]
        gaps = [np.zeros((1, len(encoders[0])))]
        for places, summary in self._joint():
            contrasts = summary.n_samples**0.5 * unit_contrasts(summary)
            row = np.zeros((len(contrasts), len(means)))
            row[:, places] = contrasts
            shifts = [
                encoders[m] @ (part - means[m])
                for m, part in zip(places, summary.split(summary.mean))
            ]
            rows.append(row)
            gaps.append(contrasts @ np.array(shifts))
        # A driver that does not iterate.
        latents: Array = lstsq(
            np.vstack(rows), -np.vstack(gaps), lapack_driver="gelsy"
        )[0]
        return latents

    def _joint(self) -> Placed:
        """Sets of items that have two views or more."""
        return placed(self.sets, self.signature, least=2)
