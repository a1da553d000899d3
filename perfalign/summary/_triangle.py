r"""One pass over many rows to the triangular factor of their centred stack.

Rows come in chunks. Those that no other way is right for are eliminated by
Householder's reflections, which change the factor R of the rows before them
in place (LAPACK's `tpqrt`). Each chunk is centred about its own mean; one more
row carries what the two means differ by,

.. math:: \sqrt{\tfrac{n_a n_b}{n_a + n_b}}\,(\mu_a - \mu_b)^\top ,

so that R is that of all rows about the mean of all of them. Reflections keep
singular values far below the root of the rounding error, which a Gram matrix
would lose, and need no more memory than R and the chunk. The faster way, for
most rows, is `Accumulation`.
"""

import numpy as np
from scipy.linalg import blas

from perfalign._linalg import SAFE, column_norms, threads_for, two_sum
from perfalign._types import Array
from perfalign.summary._accumulation import Accumulation
from perfalign.summary._coordinates import Features, coordinates_after
from perfalign.summary._reflections import eliminated, triangle, triangular

#: Numbers in a chunk: 1 MB, which the cache keeps between the steps.
CHUNK = 2**17
#: Rows in a chunk at least: R passes through the memory once for each.
ROWS = 128
#: With more features the chunks that repay accumulation take more memory
#: than the factor.
NARROW = 2048


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

    def __init__(self, R: Array, mean: Array, rest: Array, n: float):
        # A copy: it will be overwritten.
        self.R = triangular(np.array(R, order="F"))
        self.origin, self.rest, self.n = mean, rest, n
        self.chunk = np.empty((0, len(mean)))
        self.weights, self.filled = np.ones(0), 0
        self.accumulation: Accumulation | None = None
        self.coarse = self.weighted = False

    def expect(self, n_rows: int) -> None:
        """Make room for rows that will be added."""
        n_rows = min(self._wanted(), self.filled + n_rows)
        if n_rows > len(self.weights):
            # The first chunk becomes R in the same memory, for which it lies
            # in Fortran's order. Others have a row more, for what the means
            # differ by.
            shape = n_rows + bool(self.n), len(self.origin)
            chunk = np.empty(shape, order="C" if self.n else "F")
            weights = np.ones(n_rows)
            chunk[: self.filled] = self.chunk[: self.filled]
            weights[: self.filled] = self.weights[: self.filled]
            self.chunk, self.weights = chunk, weights

    def add(
        self,
        columns: list[Array],
        weights: Array | None = None,
        coarse: bool = False,
    ) -> None:
        """Add rows, given as blocks of columns that lie side by side.

        Rows are coarse if they are known to single precision at most.
        """
        self.coarse = coarse and (self.coarse or self.filled == 0)
        self.weighted |= weights is not None
        start, stop = 0, len(columns[0])
        while start < stop:
            taken = min(stop - start, self._wanted() - self.filled)
            if self.filled + taken > len(self.weights):
                self.expect(max(taken, self.filled))
            source = slice(start, start + taken)
            place = slice(self.filled, self.filled + taken)
            parts = [block[source] for block in columns]
            np.concatenate(parts, axis=1, out=self.chunk[place])
            self.weights[place] = 1.0 if weights is None else weights[source]
            start, self.filled = source.stop, place.stop
            if self.filled == self._wanted():
                self._take_chunk()
                self.coarse = coarse

    def result(self) -> tuple[Array, Array, Array, float]:
        """The factor, the two parts of the mean, and the number of rows."""
        if self.filled:
            self._take_chunk()
        with threads_for(len(self.origin)):
            self._settle()
        self._move_origin(0.0)
        return self.R, self.origin, self.rest, self.n

    def _wanted(self) -> int:
        """Rows of a chunk: so many, at first, that R becomes square."""
        d = len(self.origin)
        if self._wide:
            return max(CHUNK // d, ROWS, d - len(self.R))
        return max(CHUNK // d, 2 * d)

    @property
    def _wide(self) -> bool:
        return len(self.origin) > NARROW

    def _take_chunk(self) -> None:
        self.chunk[: self.filled] -= self.origin
        with threads_for(len(self.origin)):
            if not self._accumulated():
                self._settle()
                self._reflect()
            elif self.accumulation is not None and self.accumulation.full:
                self._settle()
                self._move_origin(0.0)
        self.filled = 0

    def _accumulated(self) -> bool:
        """Add the chunk to the accumulation, if it is for such rows."""
        if self.accumulation is None:
            # To begin costs more than it saves on few rows.
            d = len(self.origin)
            if not self.n or self._wide or self.filled < 2 * d:
                return False
            coordinates = coordinates_after(self.R)
            coarse = (
                self.coarse
                and not isinstance(coordinates, Features)
                and _squared_in_range(self.R)
            )
            if coarse:
                coordinates = Features(column_norms(self.R))
            if coordinates is None:
                return False
            self.accumulation = Accumulation(
                self.R, self.rest, self.n, coordinates, coarse
            )
        elif self.accumulation.coarse and not self.coarse:
            return False
        rows, weights = self.chunk[: self.filled], None
        if self.weighted:
            weights = self.weights[: self.filled]
        return self.accumulation.add(rows, weights)

    def _settle(self) -> None:
        """Turn what was accumulated into R, about the mean of all rows."""
        if self.accumulation is not None:
            self.R, self.rest, self.n = self.accumulation.result()
            self.accumulation = None

    def _reflect(self) -> None:
        n_rows, d = self.filled, len(self.origin)
        rows, weights = self.chunk[:n_rows], self.weights[:n_rows]
        total = weights.sum()
        shares = weights / total
        # The second time, what rounding in the first mean has left over.
        first, second = _centre(rows, shares), _centre(rows, shares)
        if self.weighted:
            rows *= np.sqrt(weights)[:, np.newaxis]
        gap = first + second - self.rest
        n = self.n + total
        if self.n:
            self.chunk[n_rows] = np.sqrt(self.n / n * total) * gap
            rows = self.chunk[: n_rows + 1]
        if len(self.R) == d:
            self.R = eliminated(self.R, np.asfortranarray(rows))
        else:
            self.R = triangle(np.vstack([self.R, rows]) if self.n else rows)
            self.chunk, self.weights = self.chunk[:0].copy(), np.ones(0)
        self._move_origin(total / n * gap)
        self.n = n

    def _move_origin(self, step: Array | float) -> None:
        """To the mean, but for what a single number cannot hold of it."""
        self.origin, self.rest = two_sum(self.origin, self.rest + step)


def _squared_in_range(R: Array) -> bool:
    size = column_norms(R)
    return bool(np.all((size == 0) | (size > SAFE) & (size < 1 / SAFE)))


def _centre(rows: Array, shares: Array) -> Array:
    """Subtract the weighted mean from rows, in place, and return it."""
    if rows.strides[0] == rows.itemsize:
        mean: Array = blas.dgemv(1.0, rows, shares, trans=1)
    else:
        mean = blas.dgemv(1.0, rows.T, shares)
    rows -= mean
    return mean
