r"""One pass over many rows to the triangular factor of their centred stack.

Rows come in chunks. Each is centred about its own mean and eliminated by
Householder's reflections, which change the factor R of the rows before it in
place (LAPACK's `tpqrt`). One more row carries what the two means differ by,

.. math:: \sqrt{\tfrac{n_a n_b}{n_a + n_b}}\,(\mu_a - \mu_b)^\top ,

so that R is that of all rows about the mean of all of them. Reflections keep
singular values far below the root of the rounding error, which a Gram matrix
would lose, and need no more memory than R and the chunk.
"""

from typing import Literal

import numpy as np
from scipy.linalg import bandwidth, lapack

from perfalign._linalg import two_sum
from perfalign._types import Array

#: Numbers in a chunk: 1 MB, which the cache keeps between the steps.
CHUNK = 2**17
#: Rows in a chunk at least: R passes through the memory once for each.
ROWS = 128
#: Columns that are reflected together.
PANEL = 16


def triangle(rows: Array) -> Array:
    """Triangular factor of a matrix; Fortran's order is overwritten."""
    n_rows = min(rows.shape)
    if n_rows == 0:
        return np.empty((0, rows.shape[1]), order="F")
    # From SciPy's BLAS, as all here: NumPy's has threads of its own, and the
    # two would keep each other waiting.
    factored, _, _ = lapack.dgeqrt(min(PANEL, n_rows), rows, overwrite_a=True)
    for j in range(n_rows):
        factored[j + 1 :, j] = 0
    return np.asfortranarray(factored[:n_rows])


class CentredTriangle:
    """Factor and mean of all rows added so far.

    Parameters
    ----------
    R : ndarray of shape (p, d)
        Factor of earlier rows, or no rows.
    mean, rest : ndarray of shape (d,)
        Their mean is `mean + rest`, which is more than one number can hold.
        Without earlier rows `mean` is any point near the data.
    n : float
        Their number, or the sum of their weights.
    """

    #: How chunks lie in memory: LAPACK changes them in place in Fortran's.
    order: Literal["C", "F"] = "F"

    def __init__(self, R: Array, mean: Array, rest: Array, n: float):
        # A copy: it will be overwritten.
        self.R = np.array(R, order="F")
        if bandwidth(self.R)[0]:
            self.R = triangle(self.R)
        self.origin, self.rest, self.n = mean, rest, n
        self.chunk = np.empty((0, len(mean)))
        self.weights, self.filled = np.ones(0), 0

    def expect(self, n_rows: int) -> None:
        """Make room for rows that will be added."""
        n_rows = min(self._wanted(), self.filled + n_rows)
        if n_rows > len(self.weights):
            # One more for what the means differ by, once there are two.
            shape = n_rows + bool(self.n), len(self.origin)
            chunk, weights = np.empty(shape, order=self.order), np.ones(n_rows)
            chunk[: self.filled] = self.chunk[: self.filled]
            weights[: self.filled] = self.weights[: self.filled]
            self.chunk, self.weights = chunk, weights

    def add(self, columns: list[Array], weights: Array | None = None) -> None:
        """Add rows, given as blocks of columns that lie side by side."""
        start, stop = 0, len(columns[0])
        while start < stop:
            taken = min(stop - start, self._wanted() - self.filled)
            if self.filled + taken > len(self.weights):
                self.expect(max(taken, self.filled))
            source = slice(start, start + taken)
            place = slice(self.filled, self.filled + taken)
            left = 0
            for block in columns:
                right = left + block.shape[1]
                np.subtract(
                    block[source],
                    self.origin[left:right],
                    out=self.chunk[place, left:right],
                )
                left = right
            self.weights[place] = 1.0 if weights is None else weights[source]
            start, self.filled = source.stop, place.stop
            if self.filled == self._wanted():
                self._take_chunk()

    def result(self) -> tuple[Array, Array, Array, float]:
        """The factor, the two parts of the mean, and the number of rows."""
        if self.filled:
            self._take_chunk()
        return self.R, self.origin, self.rest, self.n

    def _wanted(self) -> int:
        """Rows of a chunk: so many, at first, that R becomes square."""
        d = len(self.origin)
        return max(CHUNK // d, ROWS, d - len(self.R))

    def _take_chunk(self) -> None:
        n_rows, d = self.filled, len(self.origin)
        rows, weights = self.chunk[:n_rows], self.weights[:n_rows]
        self.filled = 0
        total = weights.sum()
        # The second time, what rounding in the first mean has left over.
        first, second = (_centre(rows, weights / total) for _ in range(2))
        rows *= np.sqrt(weights)[:, np.newaxis]
        gap = first + second - self.rest
        n = self.n + total
        if self.n:
            self.chunk[n_rows] = np.sqrt(self.n / n * total) * gap
            rows = self.chunk[: n_rows + 1]
        if len(self.R) == d:
            self.R, _, _, _ = lapack.dtpqrt(
                0,
                min(PANEL, d),
                self.R,
                rows,
                overwrite_a=True,
                overwrite_b=True,
            )
        else:
            self.R = triangle(np.vstack([self.R, rows]) if self.n else rows)
            # The chunk may have become R itself.
            self.chunk, self.weights = self.chunk[:0].copy(), np.ones(0)
        self.origin, self.rest = two_sum(
            self.origin, self.rest + total / n * gap
        )
        self.n = n


def _centre(rows: Array, shares: Array) -> Array:
    """Subtract the weighted mean from rows, in place, and return it."""
    mean: Array = np.einsum("i,ij->j", shares, rows)
    rows -= mean
    return mean
