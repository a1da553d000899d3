r"""One pass over many rows to the triangular factor of their centred stack.

Householder's QR is accurate and slow, a Gram matrix fast and blind below the
root of the rounding error. Here most rows go through a Gram matrix, but in
coordinates in which nothing is small. Let R be the factor of the rows so far
and :math:`P^\top P = R^\top R + D^2`, D a floor far below every column. Rows
:math:`y^\top` with :math:`y^\top P = x^\top` are found by substitution, which
is backward stable whatever the condition of P, and

.. math:: R_{\text{new}}^\top R_{\text{new}}
          = P^\top \Bigl(P^{-\top} R^\top R P^{-1} + \sum_i y_i y_i^\top
          \Bigr) P .

While the bracket is about as large as the identity, its rounding error is a
relative one in every direction: to first order it multiplies the factor by
:math:`I + F` with a small F, and small singular values keep their digits.
That it is, is checked for each chunk; one that does not pass (a direction
not seen before, a jump in scale) goes through Householder's QR instead.
"""

import numpy as np
from scipy.linalg import blas, lapack

from perfalign._linalg import two_sum

#: Numbers in a chunk: 1 MB, which the cache keeps between the steps.
CHUNK = 2**17
#: Largest growth of the bracket in one set of coordinates.
GROWTH = 2.0**7
#: Floor of the coordinates, relative to each column.
FLOOR = 2.0**-40


#: Columns that are reflected together.
PANEL = 32


def triangle(rows):
    """Triangular factor of a matrix, by Householder's QR in panels.

    From SciPy's BLAS, as all that follows: NumPy's has threads of its own,
    and the two would keep each other waiting.
    """
    n_rows = min(rows.shape)
    if n_rows == 0:
        return np.empty((0, rows.shape[1]))
    factored, _, _ = lapack.dgeqrt(
        min(PANEL, n_rows), np.asfortranarray(rows), overwrite_a=True
    )
    return np.triu(factored[:n_rows])


class CentredTriangle:
    """Factor and mean of all rows added so far.

    Parameters
    ----------
    R : ndarray of shape (p, d)
        Factor of earlier rows, or no rows.
    mean, rest : ndarray of shape (d,)
        Their mean is `mean + rest`, which is more than one number can hold.
        Without earlier rows `mean` is any point near the data.
    n : int
        Their number.
    """

    def __init__(self, R, mean, rest, n):
        d = len(mean)
        self.R, self.n = R, n
        self.origin, self.rest = np.asarray(mean, float), rest
        self.full = max(CHUNK // d, 4 * d)
        # So many rows are enough to begin with, and reflections are slow.
        self.first = max(self.full // 8, 4 * d)
        self.chunk, self.filled = np.empty((0, d)), 0
        self.P = None

    def add(self, columns):
        """Add rows, given as blocks of columns that lie side by side."""
        start, stop = 0, len(columns[0])
        while start < stop:
            wanted = self.full if self.n else self.first
            taken = min(stop - start, wanted - self.filled)
            rows = self._free_rows(taken)
            left = 0
            for block in columns:
                right = left + block.shape[1]
                np.subtract(
                    block[start : start + taken],
                    self.origin[left:right],
                    out=rows[:, left:right],
                )
                left = right
            start += taken
            self.filled += taken
            if self.filled == wanted:
                self._take_chunk()

    def result(self):
        """The factor, the two parts of the mean, and the number of rows."""
        self._take_chunk()
        self._leave_coordinates()
        self._move_origin()
        return self.R, self.origin, self.rest, self.n

    def _free_rows(self, n_rows):
        """Room in the chunk, which grows with what it has to hold."""
        filled, needed = self.filled, self.filled + n_rows
        if needed > len(self.chunk):
            size = min(self.full, max(needed, 2 * len(self.chunk)))
            larger = np.empty((size, self.chunk.shape[1]))
            larger[:filled] = self.chunk[:filled]
            self.chunk, self.whitened = larger, None
        return self.chunk[filled:needed]

    def _take_chunk(self):
        rows, self.filled = self.chunk[: self.filled], 0
        # Coordinates cost more than they save on few rows.
        fast = self.n and len(rows) >= 2 * len(self.origin)
        if not (fast and self._accumulate(rows)) and len(rows):
            self._leave_coordinates()
            self._reflect(rows)
        if self.P is None:
            self._move_origin()

    def _accumulate(self, rows):
        """Add rows to the Gram matrix; False if they do not belong there."""
        if self.P is None and not self._enter_coordinates():
            return False
        if self.whitened is None:
            self.whitened = np.empty_like(self.chunk)
            self.ones = np.ones(len(self.chunk))
        Y = self.whitened[: len(rows)]
        np.copyto(Y, rows)
        Y = self._whiten(Y)
        gram = blas.dsyrk(1.0, Y.T)
        # Written so that a NaN does not pass.
        if not gram.diagonal().max() <= GROWTH:
            return False
        self.gram += gram
        self.sums += blas.dgemv(1.0, Y.T, self.ones[: len(Y)])
        self.n += len(Y)
        if self.gram.diagonal().max() > GROWTH:
            self._leave_coordinates()
        return True

    def _whiten(self, rows):
        """Coordinates of rows, which are overwritten."""
        return blas.dtrsm(1.0, self.P, rows.T, trans_a=1, overwrite_b=1).T

    def _enter_coordinates(self):
        """Choose P; False where the floor would fall out of range."""
        size = np.abs(self.R).max(axis=0, initial=0.0)
        tiny = np.finfo(float).tiny
        if np.any((size > 0) & (FLOOR * size < tiny)):
            return False
        # What has been constant so far is sent to infinity by any change.
        floor = np.where(size, FLOOR * size, tiny)
        self.P = np.asfortranarray(
            triangle(np.vstack([self.R, np.diag(floor)]))
        )
        weight = np.sqrt(self.n)
        earlier = self._whiten(np.vstack([self.R, weight * self.rest]))
        self.gram = blas.dsyrk(1.0, earlier.T)
        self.sums = weight * earlier[-1]
        return True

    def _leave_coordinates(self):
        """Turn what was accumulated into R, about the mean of all rows."""
        if self.P is None:
            return
        mean = self.sums / self.n
        scatter = blas.dsyr(-self.n, mean, a=self.gram)
        root, pivots, rank, _ = lapack.dpstrf(scatter)
        root = np.triu(root)[:rank, np.argsort(pivots)]
        rows = blas.dtrmm(1.0, self.P, np.vstack([root, mean]), side=1)
        self.R, self.rest = triangle(rows[:-1]), rows[-1]
        self.P = None

    def _reflect(self, rows):
        """Householder's QR of the factor, the rows and the means' gap."""
        shift = rows.mean(axis=0)
        rows -= shift
        # What rounding in the first mean left over.
        rest = rows.mean(axis=0)
        rows -= rest
        gap = shift + rest - self.rest
        n = self.n + len(rows)
        weight = np.sqrt(self.n / n * len(rows))
        parts = [self.R, rows, weight * gap] if self.n else [rows]
        self.R = triangle(np.vstack(parts))
        self.rest = self.rest + len(rows) / n * gap
        self.n = n

    def _move_origin(self):
        """To the mean, but for what a single number cannot hold of it."""
        self.origin, self.rest = two_sum(self.origin, self.rest)
