"""How many different rows there are, counted while they pass."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from perfalign._types import Array

# Numbers that are hashed at a time.
AT_ONCE = 2**17


class DistinctRows:
    """Fingerprints of the different rows seen, up to a limit.

    Parameters
    ----------
    limit : int
        Above so many, as many as there are columns, the count does not
        matter, and counting ends.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self.seen: set[int] | None = set()

    def add(self, columns: list[Array]) -> None:
        """Add rows, given as blocks of columns that lie side by side."""
        most = max(AT_ONCE // self.limit, 1)
        start, size = 0, min(self.limit + 1, most)
        while self.seen is not None and start < len(columns[0]):
            rows = slice(start, start + size)
            if len(set(columns[0][rows, 0].tolist())) > self.limit:
                # Rows that differ in one column are different.
                self.seen = None
            else:
                parts = [part[rows] for part in columns]
                self.add_prints(_prints(np.hstack(parts)))
            # Most streams are done after the first rows; copies take long.
            start, size = rows.stop, min(2 * size, most)

    def add_prints(self, prints: NDArray[np.uint64] | None) -> None:
        """Add rows by their fingerprints; None if they are above the limit."""
        if self.seen is None or prints is None:
            self.seen = None
            return
        self.seen.update(prints.tolist())
        if len(self.seen) > self.limit:
            self.seen = None

    def result(self) -> NDArray[np.uint64] | None:
        """Sorted fingerprints, or None above the limit."""
        if self.seen is None:
            return None
        return np.array(sorted(self.seen), dtype=np.uint64)


def _prints(rows: Array) -> NDArray[np.uint64]:
    """Sums of the rows' bits, each times an odd number of its column."""
    # Adding 0 makes one number of 0 and −0.
    bits = np.ascontiguousarray(rows + 0.0, np.float64).view(np.uint64)
    # Numbers of few digits differ in their high bits, which a product keeps
    # high.
    bits ^= bits >> np.uint64(32)
    found: NDArray[np.uint64] = bits @ _odd(bits.shape[1])
    return found


@cache
def _odd(n_columns: int) -> NDArray[np.uint64]:
    # Of a bit generator, as these are the same in all versions of NumPy.
    return np.random.PCG64(0).random_raw(n_columns) | np.uint64(1)
