"""Rows that are taken in together, wherever they lie."""

from collections.abc import Sequence

import numpy as np

from perfalign._types import Array, Floats


class Chunk:
    """Rows with weights, which come in pieces.

    They are not copied: a piece is to stay as it is until the chunk is taken
    in, or `keep` is called.

    Parameters
    ----------
    room : ndarray of shape (n_rows, n_features), default=None
        To this, as far as it is large enough, they are copied, so that nobody
        else need keep them.

    Attributes
    ----------
    filled : int
        How many rows there are.
    weighted : bool
        Whether any came with weights.
    coarse : bool
        Whether all are known to single precision at most.
    """

    def __init__(self, room: Array | None = None) -> None:
        self.room = room
        self._pieces: list[tuple[Sequence[Floats], Array | None]] = []
        self._n_kept = 0
        self.filled, self.weighted, self.coarse = 0, False, True

    def add(
        self, columns: Sequence[Floats], weights: Array | None, coarse: bool
    ) -> None:
        """Add rows, given as blocks of columns that lie side by side."""
        start, self.filled = self.filled, self.filled + len(columns[0])
        if self.room is not None and self.filled <= len(self.room):
            place = self.room[start : self.filled]
            columns = [np.concatenate(columns, axis=1, out=place)]
            self._n_kept += 1
        self._pieces.append((columns, weights))
        self.weighted |= weights is not None
        self.coarse &= coarse

    def keep(self) -> None:
        """Copy what may change."""
        for i in range(self._n_kept, len(self._pieces)):
            columns, weights = self._pieces[i]
            self._pieces[i] = (
                [block.copy() for block in columns],
                None if weights is None else weights.copy(),
            )
        self._n_kept = len(self._pieces)

    def rows(self, out: Floats) -> Floats:
        """All rows, in memory with room for them and of any type."""
        start = 0
        for columns, _ in self._pieces:
            stop = start + len(columns[0])
            np.concatenate(columns, axis=1, out=out[start:stop])
            start = stop
        return out[:start]

    def weights(self) -> Array:
        """Those of the rows, 1 where none was given."""
        return np.concatenate(
            [
                np.ones(len(columns[0])) if weights is None else weights
                for columns, weights in self._pieces
            ]
        )
