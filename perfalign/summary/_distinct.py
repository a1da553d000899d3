"""How many different rows there are, counted while they pass."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from perfalign._types import Array

# Numbers that are sorted at a time.
AT_ONCE = 2**17


class DistinctRows:
    """Fingerprints of the different rows seen, up to a limit.

    Parameters
    ----------
    limit : int
        Above so many the count does not matter, and counting ends.
    known : ndarray of uint64, or None
        Fingerprints of earlier rows; None if these were above the limit.
    """

    def __init__(
        self, limit: int, known: NDArray[np.uint64] | tuple[()] | None = ()
    ):
        self.limit = limit
        self.seen: set[int] | None = (
            None if known is None else set(np.asarray(known).tolist())
        )

    def add(self, columns: list[Array]) -> None:
        """Add rows, given as blocks of columns that lie side by side."""
        most = max(AT_ONCE // sum(part.shape[1] for part in columns), 1)
        start, size = 0, min(self.limit + 1, most)
        while self.seen is not None and start < len(columns[0]):
            rows = slice(start, start + size)
            # Adding 0 makes one number of 0 and −0.
            block = np.hstack([part[rows] for part in columns]) + 0.0
            block = np.ascontiguousarray(block, np.float64)
            as_bytes = block.view(f"V{8 * block.shape[1]}").ravel().tolist()
            self.add_prints(
                int.from_bytes(blake2b(row, digest_size=8).digest(), "little")
                for row in set(as_bytes)
            )
            # Most streams are done after the first rows; copies take long.
            start, size = rows.stop, min(2 * size, most)

    def add_prints(self, prints: Iterable[int] | None) -> None:
        """Add rows of which only the fingerprints are at hand, or None."""
        if self.seen is None or prints is None:
            self.seen = None
            return
        self.seen.update(prints)
        if len(self.seen) > self.limit:
            self.seen = None

    def result(self) -> NDArray[np.uint64] | None:
        """Sorted fingerprints, or None above the limit."""
        if self.seen is None:
            return None
        return np.array(sorted(self.seen), dtype=np.uint64)
