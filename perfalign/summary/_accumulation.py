r"""The factor of many rows by products alone.

Householder's reflections are accurate and slow, a Gram matrix is fast and
blind below the root of the rounding error. Here most rows go through a Gram
matrix, but in coordinates in which nothing is small. Let R be the factor of
the rows so far and P a triangle much like it. With
:math:`y^\top = x^\top P^{-1}` for each row,

.. math:: R_{\text{new}}^\top R_{\text{new}}
          = P^\top \Bigl(P^{-\top} R^\top R P^{-1} + \sum_i y_i y_i^\top
          \Bigr) P .

While the bracket is about as large as the identity, its rounding error is a
relative one in every direction: to first order it multiplies the factor by
:math:`I + F` with a small F, and small singular values keep their digits.
That it is, is checked for each chunk; one that does not pass (a direction
not seen before, a jump in scale) is left to reflections.

Which P, `Coordinates` say. Numbers of single precision need none: products
of two of them are exact in double precision, whose root lies below their
rounding.
"""

import numpy as np
from scipy.linalg import blas, lapack

from perfalign._types import Array
from perfalign.summary._coordinates import Coordinates
from perfalign.summary._reflections import triangular

#: Largest growth of the bracket in one set of coordinates.
GROWTH = 2.0**7


class Accumulation:
    """Rows added to a factor, as a Gram matrix in some coordinates.

    Parameters
    ----------
    R : ndarray of shape (p, d)
        Factor of the rows so far, centred.
    mean : ndarray of shape (d,)
        Their mean, about the origin of the rows to come.
    n : float
        Their number.
    coordinates : Coordinates
        Those of `R`.
    coarse : bool
        Whether all rows are to be coarse ones.
    """

    def __init__(
        self,
        R: Array,
        mean: Array,
        n: float,
        coordinates: Coordinates,
        coarse: bool = False,
    ):
        self.n, self.coordinates, self.coarse = n, coordinates, coarse
        # What has been constant so far may not change.
        self.limits = GROWTH * coordinates.sizes**2
        # Filled anew by each chunk.
        self.work = np.empty((0, len(mean)))
        weight = np.sqrt(n)
        earlier = self._coordinates_of(np.vstack([R, weight * mean]))
        self.gram = blas.dsyrk(1.0, earlier.T)
        self.sums = weight * earlier[-1]
        self.chunk_gram = np.zeros_like(self.gram)

    def add(self, rows: Array, weights: Array | None = None) -> bool:
        """Add rows to the Gram matrix; False if they do not belong."""
        Y = self._coordinates_of(rows)
        roots = np.ones(len(rows))
        if weights is not None:
            roots = np.sqrt(weights)
            Y = Y * roots[:, np.newaxis]
        gram = blas.dsyrk(
            1.0, Y.T, beta=0.0, c=self.chunk_gram, overwrite_c=True
        )
        # Written so that a NaN does not pass.
        with np.errstate(invalid="ignore"):
            if not np.all(gram.diagonal() <= self.limits):
                return False
        self.gram += gram
        self.sums += blas.dgemv(1.0, Y.T, roots)
        self.n += len(rows) if weights is None else float(weights.sum())
        return True

    @property
    def full(self) -> bool:
        """Whether the rows have outgrown their coordinates."""
        return bool(np.any(self.gram.diagonal() > self.limits))

    def result(self) -> tuple[Array, Array, float]:
        """Factor of all rows about their mean, this, and their number."""
        mean = self.sums / self.n
        scatter = blas.dsyr(-self.n, mean, a=self.gram)
        units = np.ones(len(mean))
        if not self.coordinates.comparable:
            # Pivots are compared.
            spread = scatter.diagonal()
            units = np.sqrt(np.where(spread > 0, spread, 1.0))
        scatter /= np.outer(units, units)
        root, dependent = lapack.dpotrf(scatter)
        if dependent:
            root, pivots, rank, _ = lapack.dpstrf(scatter)
            root = np.triu(root)[:rank, np.argsort(pivots)]
        rows = self.coordinates.rows(np.vstack([root * units, mean]))
        return triangular(rows[:-1]), rows[-1], self.n

    def _coordinates_of(self, rows: Array) -> Array:
        """Of rows, in memory that the next will overwrite."""
        if len(self.work) < len(rows):
            self.work = np.empty_like(rows)
        return self.coordinates.of(rows, self.work)
