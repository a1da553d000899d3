"""A pass over views: what is carried along from one block to the next."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from tqdm.auto import tqdm

from perfalign._checks import (
    FLOAT32_EPS,
    Signature,
    at_hand,
    called,
    check_weights,
    column_names,
    labelled,
    listed,
    n_rows,
    slabs,
)
from perfalign._types import Array
from perfalign.summary._distinct import DistinctRows
from perfalign.summary._triangle import CentredTriangle


class Pass:
    """A pass over views, from the beginning or from a summary on.

    Parameters
    ----------
    start : StackedSummary, default=None
    allow_empty : bool, default=True
        Whether blocks may have no rows, or weights that are all 0.
    progress : bool, default=False
    """

    def __init__(
        self,
        start: Any = None,
        *,
        allow_empty: bool = True,
        progress: bool = False,
    ):
        self.allow_empty = allow_empty
        self.triangle: CentredTriangle | None = None
        self.signature: Signature | None = None
        self.eps: Array | float = 0.0
        self.whole, self.n_rows = True, 0
        if start is not None:
            self.signature, self.eps = start.signature, start.eps
            self.whole = isinstance(start.n_samples, int)
            self.n_rows = start.n_rows
            self.items = DistinctRows(len(start.mean))
            self.items.add_prints(start.items)
            self.triangle = CentredTriangle(
                start.R,
                start.mean,
                start.rest + np.zeros_like(start.mean),
                start.n_samples,
            )
        self.bar = tqdm(unit=" rows", unit_scale=True) if progress else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """The bar of progress, if there is one, ends here."""
        if self.bar is not None:
            self.bar.close()

    def add(
        self,
        views: Any,
        sample_weight: Any = None,
        names: Sequence[str] | None = None,
    ) -> None:
        """Add a block of rows, which stay as they are until `keep`.

        Parameters
        ----------
        views : list or dict of array-like
        sample_weight : array-like, default=None
        names : sequence of str, default=None
            How error messages call the views, of which there may then be
            any number.
        """
        like, view_names = self.signature, None
        if names is None:
            views, view_names = listed(views, like)
            names = called(view_names, len(views))
        views = list(map(at_hand, views))
        weights = None
        for rows, parts, eps in slabs(
            views, names, like, allow_empty=self.allow_empty, single=True
        ):
            if rows.start == 0:
                total = n_rows(views[0], "the first view")
                known = _of_columns(eps, parts)
                if sample_weight is not None:
                    weights = check_weights(
                        sample_weight, total, like=labelled(views)
                    )
                    self.whole &= bool(np.all(weights == np.floor(weights)))
            if self.bar is not None:
                self.bar.update(len(parts[0]))
            here = None
            if weights is not None:
                there = weights[rows] > 0
                here = weights[rows][there]
                parts = [part[there] for part in parts]
            if len(parts[0]):
                self._add(parts, here, known, total - rows.start)
        found = Signature(
            tuple(part.shape[1] for part in parts),
            tuple(map(column_names, views)),
            view_names,
        )
        self.signature = found if like is None else like.joined(found)

    def _add(
        self,
        parts: list[Array],
        weights: Array | None,
        eps: Array,
        n_expected: int,
    ) -> None:
        if self.triangle is None:
            self.eps = eps
            # Centring about the first row leaves constant columns exactly
            # zero.
            rows = [part[0] for part in parts]
            origin = np.concatenate(rows, dtype=np.float64)
            none = np.empty((0, len(origin)))
            self.triangle = CentredTriangle(
                none, origin, np.zeros(len(origin)), 0
            )
            self.triangle.expect(n_expected)
            self.items = DistinctRows(len(origin))
        else:
            self.eps = np.maximum(self.eps, eps)
        self.n_rows += len(parts[0])
        coarse = min(eps.tolist()) >= FLOAT32_EPS
        self.triangle.add(parts, weights, coarse)
        self.items.add(parts)

    def keep(self) -> None:
        """Have done with the memory of the rows so far."""
        if self.triangle is not None:
            self.triangle.keep()

    def fields(self) -> dict[str, Any]:
        """All that a `StackedSummary` of these rows consists of."""
        if self.triangle is None or self.signature is None:
            raise ValueError(
                "There is no sample to summarise: no block of views has rows"
                " of a weight above 0."
            )
        R, mean, rest, n_samples = self.triangle.result()
        return {
            "R": R,
            "mean": mean,
            "n_samples": int(n_samples) if self.whole else float(n_samples),
            "n_features": self.signature.n_features,
            "eps": self.eps,
            "rest": rest,
            "items": self.items.result(),
            "feature_names": self.signature.feature_names,
            "view_names": self.signature.view_names,
            "n_rows": self.n_rows,
        }


def _of_columns(eps: list[float | Array], parts: list[Array]) -> Array:
    """Rounding of each column, given of whole views or of their columns."""
    found: list[float] = []
    for e, part in zip(eps, parts):
        found.extend([e] * part.shape[1] if isinstance(e, float) else e)
    return np.array(found)
