"""Rows that are taken in together, and memory for what is made of them."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from perfalign._types import Array, Floats

Order: TypeAlias = Literal["C", "F"]


class Chunk:
    """Rows with weights, which come one after the other.

    Attributes
    ----------
    filled : int
        How many rows there are.
    weighted : bool
        Whether any came with weights.
    coarse : bool
        Whether all are known to single precision at most.
    """

    def __init__(self, n_features: int):
        self._rows: Floats = np.empty((0, n_features))
        self._weights = np.empty(0)
        self._memory: dict[Any, tuple[Floats, Floats]] = {}
        self.filled, self.coarse, self.weighted = 0, True, False

    def clear(self) -> None:
        """No rows, and as much room as before."""
        if self.weighted:
            self._weights[:] = 1.0
        self.filled, self.coarse, self.weighted = 0, True, False

    def make_room(
        self, n_rows: int, dtype: np.dtype[Any], order: Order = "C"
    ) -> None:
        """At least for so many rows, of this type at least."""
        if self.filled:
            dtype = np.result_type(dtype, self._rows)
        if n_rows <= len(self._weights) and self._rows.dtype == dtype:
            return
        n_rows, n_features = max(n_rows, self.filled), self._rows.shape[1]
        rows, weights = self.rows, self.weights
        self._rows = np.empty((n_rows, n_features), dtype, order)
        self._weights = np.ones(n_rows)
        if self.filled:
            self.rows[:], self.weights[:] = rows, weights
        self._memory.clear()

    def add(
        self, columns: Sequence[Floats], weights: Array | None, coarse: bool
    ) -> None:
        """Add rows, for which there is room, as blocks of columns."""
        place = slice(self.filled, self.filled + len(columns[0]))
        np.concatenate(columns, axis=1, out=self._rows[place])
        if weights is not None:
            self._weights[place], self.weighted = weights, True
        self.filled, self.coarse = place.stop, self.coarse and coarse

    @property
    def rows(self) -> Floats:
        """All rows so far; their order in memory is that of the room."""
        return self._rows[: self.filled]

    @property
    def weights(self) -> Array:
        """Those of the rows, 1 where none was given."""
        return self._weights[: self.filled]

    def memory(self, dtype: Any) -> tuple[Floats, Floats]:
        """Room for as many rows, and for their Gram matrix."""
        if dtype not in self._memory:
            n_rows, d = self._rows.shape
            self._memory[dtype] = (
                np.empty((n_rows, d), dtype),
                np.empty((d, d), dtype),
            )
        return self._memory[dtype]
