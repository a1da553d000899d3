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

Which P, `Coordinates` say.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import blas, lapack

from perfalign._types import Array
from perfalign.summary._chunk import Chunk
from perfalign.summary._coordinates import Coordinates
from perfalign.summary._reflections import triangular

#: Largest growth of the bracket in one set of coordinates.
GROWTH = 2.0**7


class Products(NamedTuple):
    """What a chunk adds."""

    gram: Array
    sums: Array
    n: float


class Accumulation:
    """Rows added to a factor, as a Gram matrix in some coordinates.

    Parameters
    ----------
    R : ndarray of shape (p, d)
        Factor of the rows so far, centred.
    origin, mean : ndarray of shape (d,)
        Rows are taken about the origin; the mean of those so far, about it.
    n : float
        Their number.
    coordinates : Coordinates
        Those of `R`.
    """

    def __init__(
        self,
        R: Array,
        origin: Array,
        mean: Array,
        n: float,
        coordinates: Coordinates,
    ):
        self.origin, self.n, self.coordinates = origin, n, coordinates
        # What has been constant so far may not change.
        self.limits = GROWTH * coordinates.sizes**2
        weight = np.sqrt(n)
        rows = np.vstack([R, weight * mean])
        earlier = coordinates.of(
            rows, np.zeros(len(mean)), np.empty_like(rows)
        )
        self.gram = earlier.T @ earlier
        self.sums = weight * earlier[-1]

    def products(self, chunk: Chunk) -> Products:
        """Of the rows of a chunk, in memory that belongs to it.

        Nothing else changes: threads may do this at the same time.
        """
        dtype = self.coordinates.dtype
        work, gram = chunk.memory(dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            Y = self.coordinates.of(chunk.rows, self.origin, work)
            roots, n = np.ones(len(Y), dtype), float(len(Y))
            if chunk.weighted:
                roots, n = np.sqrt(chunk.weights), float(chunk.weights.sum())
                roots = roots.astype(dtype)
                Y *= roots[:, np.newaxis]
            # NumPy knows that this is symmetric, half the cost, and unlike
            # SciPy's functions lets other threads go on meanwhile.
            return Products(np.matmul(Y.T, Y, out=gram), roots @ Y, n)

    def add(self, products: Products) -> bool:
        """Add what a chunk adds; False if its rows do not belong."""
        # Written so that a NaN does not pass.
        if not np.all(products.gram.diagonal() <= self.limits):
            return False
        self.gram += products.gram
        self.sums += products.sums
        self.n += products.n
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
