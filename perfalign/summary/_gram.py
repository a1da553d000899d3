r"""The same factor, sooner, where views are narrow.

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
not seen before, a jump in scale) is reflected instead.
"""

import numpy as np
from scipy.linalg import blas, lapack

from perfalign._linalg import two_sum
from perfalign._types import Array
from perfalign.summary._triangle import CHUNK, CentredTriangle, triangle

#: Above so many features chunks that repay the coordinates take more memory
#: than the factor, and reflections are as fast.
NARROW = 512
#: Largest growth of the bracket in one set of coordinates.
GROWTH = 2.0**7
#: Floor of the coordinates, relative to each column.
FLOOR = 2.0**-40


def centred_triangle(
    R: Array, mean: Array, rest: Array, n: float
) -> CentredTriangle:
    """A `CentredTriangle` of the kind that is better for so many columns."""
    kind = WhitenedTriangle if len(mean) <= NARROW else CentredTriangle
    return kind(R, mean, rest, n)


class WhitenedTriangle(CentredTriangle):
    """A `CentredTriangle` that accumulates rows in whitened coordinates."""

    order = "C"
    P: Array | None = None

    def _wanted(self) -> int:
        d = len(self.origin)
        full = max(CHUNK // d, 4 * d)
        # So many rows are enough to begin with, and reflections are slow.
        return full if self.n else max(full // 8, 4 * d)

    def result(self) -> tuple[Array, Array, Array, float]:
        if self.filled:
            self._take_chunk()
        self._leave_coordinates()
        self._move_origin()
        return super().result()

    def _take_chunk(self) -> None:
        # Coordinates cost more than they save on few rows.
        fast = self.n and self.filled >= 2 * len(self.origin)
        if fast and self._accumulate():
            self.filled = 0
            if self.P is None:
                self._move_origin()
        else:
            self._leave_coordinates()
            super()._take_chunk()

    def _accumulate(self) -> bool:
        """Add the chunk to the Gram matrix; False if it does not belong."""
        if self.P is None and not self._enter_coordinates():
            return False
        roots = np.sqrt(self.weights[: self.filled])
        Y = self._whiten(self.chunk[: self.filled] * roots[:, np.newaxis])
        gram = blas.dsyrk(1.0, Y.T)
        # Written so that a NaN does not pass.
        if not gram.diagonal().max() <= GROWTH:
            return False
        self.gram += gram
        self.sums += blas.dgemv(1.0, Y.T, roots)
        self.n += self.weights[: self.filled].sum()
        if self.gram.diagonal().max() > GROWTH:
            self._leave_coordinates()
        return True

    def _whiten(self, rows: Array) -> Array:
        """Coordinates of rows, which are overwritten."""
        found = blas.dtrsm(1.0, self.P, rows.T, trans_a=1, overwrite_b=1)
        return np.asarray(found.T)

    def _enter_coordinates(self) -> bool:
        """Choose P; False where the floor would fall out of range."""
        size = np.abs(self.R).max(axis=0, initial=0.0)
        tiny = np.finfo(float).tiny
        if np.any((size > 0) & (FLOOR * size < tiny)):
            return False
        # What has been constant so far is sent to infinity by any change.
        floor = np.where(size, FLOOR * size, tiny)
        self.P = triangle(np.vstack([self.R, np.diag(floor)]))
        weight = np.sqrt(self.n)
        earlier = self._whiten(np.vstack([self.R, weight * self.rest]))
        self.gram = blas.dsyrk(1.0, earlier.T)
        self.sums = weight * earlier[-1]
        return True

    def _leave_coordinates(self) -> None:
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

    def _move_origin(self) -> None:
        """To the mean, but for what a single number cannot hold of it."""
        self.origin, self.rest = two_sum(self.origin, self.rest)
