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
not seen before, a jump in scale) is left to reflections, or to other
coordinates where these have been outgrown.

Which P, `Coordinates` say.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import blas, lapack

from perfalign._types import Array, Floats
from perfalign.summary._chunk import Chunk
from perfalign.summary._coordinates import Coordinates
from perfalign.summary._reflections import triangular

#: Growth of the bracket from which on other coordinates are wanted, and twice
#: of which is too much.
GROWTH = 2.0**7


class Products(NamedTuple):
    """What a chunk adds."""

    gram: Floats
    sums: Floats
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
        earlier = coordinates.of(np.vstack([R, weight * mean]))
        # Memory that is free.
        self.rooms: list[Floats] = []
        self.grams: list[Floats] = []
        self.gram = earlier.T @ earlier
        self.sums = weight * earlier[-1]

    def products(self, chunk: Chunk) -> Products:
        """What a chunk adds, which others may compute at the same time."""
        d, dtype = len(self.origin), self.coordinates.dtype
        work = _room(self.rooms, chunk.filled, d, dtype)
        gram = _room(self.grams, d, d, dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            Y = self.coordinates.of(_moved(chunk.rows(work), self.origin))
            roots, n = np.ones(len(Y), dtype), float(len(Y))
            if chunk.weighted:
                weights = chunk.weights()
                roots, n = np.sqrt(weights).astype(dtype), float(weights.sum())
                Y *= roots[:, np.newaxis]
            # NumPy knows that this is symmetric, half the cost, and unlike
            # SciPy's functions lets other threads go on meanwhile.
            found = Products(np.matmul(Y.T, Y, out=gram), roots @ Y, n)
        self.rooms.append(work)
        return found

    def add(self, products: Products) -> bool:
        """Add what a chunk adds; False if its rows do not belong."""
        grown = self.gram.diagonal() + products.gram.diagonal()
        # Written so that a NaN does not pass.
        if not np.all(grown <= 2 * self.limits):
            return False
        self.gram += products.gram
        self.sums += products.sums
        self.n += products.n
        self.grams.append(products.gram)
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


def _room(free: list[Floats], n_rows: int, d: int, dtype: Any) -> Floats:
    """Memory that is free and large enough, or other."""
    try:
        room = free.pop()
    except IndexError:
        room = np.empty((0, d), dtype)
    return room if len(room) >= n_rows else np.empty((n_rows, d), dtype)


def _moved(rows: Floats, origin: Array) -> Floats:
    """Rows about an origin, in their memory."""
    subtract = blas.sger if rows.dtype == np.float32 else blas.dger
    # With a row that is repeated, NumPy's subtraction takes twice as long.
    found = subtract(-1.0, origin, np.ones(len(rows)), a=rows.T, overwrite_a=1)
    return np.asarray(found.T)
