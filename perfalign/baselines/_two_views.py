"""What baselines of two views have in common."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np

from perfalign._checks import check_parameters
from perfalign._linalg import column_norms
from perfalign._types import Array, Floats, Views
from perfalign.alignment import BaseAlignment, LinearAlignment
from perfalign.summary import StackedSummary


class TwoViewAlignment(LinearAlignment):
    """Affine encoders of two views that are centred.

    A subclass writes ``fit``, which finds matrices A^m for centred views and
    hands them to ``_keep``.
    """

    @abstractmethod
    def fit(self, views: Views, y: Any = None) -> Self:
        """Find the encoders from paired views.

        Parameters
        ----------
        views : list or dict of two array-like (n_samples, n_features_m)
            Row i of each belongs to item i. Data frames keep the names of
            their columns, a dict those of the views.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For invalid parameters, other than two views, or views that are
            not finite real matrices of equal length, differ in their labels
            of rows, or do not vary.
        """

    def _keep(self, summary: StackedSummary, encoders: list[Array]) -> Self:
        means = summary.split(summary.mean)
        self.encoders_ = encoders
        self.offsets_ = [-A @ mean for A, mean in zip(encoders, means)]
        self.summary_, self.center_ = summary, True
        return self


def two_view_summary(alignment: BaseAlignment, views: Views) -> StackedSummary:
    """Summary of views that a baseline can be fitted to.

    Raises
    ------
    ValueError
        As `TwoViewAlignment.fit`.
    """
    check_parameters(alignment)
    summary = StackedSummary.from_views(views)
    if len(summary.n_features) != 2:
        raise ValueError(
            f"{type(alignment).__name__} aligns two views; seen "
            f"{len(summary.n_features)}."
        )
    rounding = summary.rounding(summary.default_rtol())
    for m, (block, least) in enumerate(zip(summary.blocks(), rounding)):
        if np.all(column_norms(block) <= least):
            raise ValueError(
                f"view {m} does not vary: all its samples are equal, up to "
                "rounding, so there is nothing to align."
            )
    return summary


def row_lengths(latents: Floats) -> Floats:
    """Norms of the rows; 1 for a row of zeros, which has no direction."""
    lengths = np.linalg.norm(latents, axis=1, keepdims=True)
    return np.where(lengths > 0, lengths, 1.0)
