r"""The factor of many rows by products alone.

Householder's reflections are accurate and slow, a Gram matrix is fast and
blind below the root of the rounding error. Here most rows go through a Gram
matrix, but in coordinates in which nothing is small. Let R be the factor of
the rows so far and :math:`P^\top P = R^\top R + D^2`, D a floor far below
every column. With :math:`y^\top = x^\top P^{-1}` for each row,

.. math:: R_{\text{new}}^\top R_{\text{new}}
          = P^\top \Bigl(P^{-\top} R^\top R P^{-1} + \sum_i y_i y_i^\top
          \Bigr) P .

While the bracket is about as large as the identity, its rounding error is a
relative one in every direction: to first order it multiplies the factor by
:math:`I + F` with a small F, and small singular values keep their digits.
That it is, is checked for each chunk; one that does not pass (a direction
not seen before, a jump in scale) is left to reflections.

To multiply by an inverse is as fast as the Gram matrix, twice as fast as
substitution, and in general less exact. How much, is estimated; if it is more
than a few roundings of each column, columns are taken in the order of a
pivoted factorisation. Then P is diagonal times a triangle that is well
conditioned, and y is exact for an x that is off by a few roundings.

Two kinds of rows need no coordinates: the Gram matrix of the columns as they
are will do. Numbers of single precision have no digits there to keep: products
of two of them are exact in double precision, whose root lies below their
rounding. And where no direction is much shorter than the columns, as where
each feature has noise of its own, nothing is small to begin with.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.linalg import blas, lapack

from perfalign._linalg import SAFE, column_norms
from perfalign._types import Array, Integers
from perfalign.summary._reflections import eliminated, triangle, triangular

#: Largest growth of the bracket in one set of coordinates.
GROWTH = 2.0**7
#: Floor of the coordinates, relative to each column.
FLOOR = 2.0**-40
#: Rounding errors of a column that coordinates may cost before columns are
#: taken in another order, and after. After, they are few but for triangles
#: that nobody has by chance.
FEW, MOST = 8.0, 32.0
#: Lengths of the shortest direction that a column may have without
#: coordinates, and steps of the power method, which finds that length.
LONG, POWERS = 16.0, 8


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
    coordinates : Coordinates or None
        None are the features themselves.
    coarse : bool
        Whether all rows are to be coarse ones.
    """

    def __init__(
        self,
        R: Array,
        mean: Array,
        n: float,
        coordinates: "Coordinates | None",
        coarse: bool = False,
    ):
        self.n, self.coordinates, self.coarse = n, coordinates, coarse
        # What has been constant so far may not change.
        units = column_norms(R) if coordinates is None else np.ones(len(mean))
        self.limits = GROWTH * units**2
        # Filled anew by each chunk.
        self.work = np.empty((0, len(mean)))
        weight = np.sqrt(n)
        earlier = np.vstack([R, weight * mean])
        earlier = self._coordinates_of(earlier)
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
        if self.coordinates is None:
            # Pivots are compared, and columns have units of their own.
            spread = scatter.diagonal()
            units = np.sqrt(np.where(spread > 0, spread, 1.0))
        scatter /= np.outer(units, units)
        root, dependent = lapack.dpotrf(scatter)
        if dependent:
            root, pivots, rank, _ = lapack.dpstrf(scatter)
            root = np.triu(root)[:rank, np.argsort(pivots)]
        rows = np.vstack([root * units, mean])
        if self.coordinates is not None:
            rows = self.coordinates.rows(rows)
        return triangular(rows[:-1]), rows[-1], self.n

    def _coordinates_of(self, rows: Array) -> Array:
        """Of rows, in memory that the next will overwrite."""
        if self.coordinates is None:
            return rows
        if len(self.work) < len(rows):
            self.work = np.empty_like(rows)
        return self.coordinates.of(rows, self.work[: len(rows)])


@dataclass(frozen=True, eq=False)
class Coordinates:
    """A triangle P of columns, which may be in another order, inverted."""

    P: Array
    inverse: Array
    order: Integers | None

    @classmethod
    def after(cls, R: Array) -> Self | None:
        """Those of a factor; None if there are none that keep all digits."""
        size, tiny = column_norms(R), np.finfo(float).tiny
        if np.any((size > 0) & (FLOOR * size < tiny)):
            return None
        # What has been constant so far is sent to infinity by any change.
        size = np.where(size > 0, size, tiny / FLOOR)
        P, order = _invertible(R / size), None
        inverse, errors = _inverted(P)
        if not errors <= FEW:
            gram = blas.dsyrk(1.0, P, trans=1)
            order = lapack.dpstrf(gram)[1] - 1
            P, size = triangle(np.asfortranarray(P[:, order])), size[order]
            inverse, errors = _inverted(P)
        if not errors <= MOST:
            return None
        return cls(P * size, inverse / size[:, np.newaxis], order)

    def of(self, rows: Array, out: Array) -> Array:
        """Coordinates of rows."""
        if self.order is None:
            out[:] = rows
        else:
            np.take(rows, self.order, axis=1, out=out, mode="clip")
        found = blas.dtrmm(1.0, self.inverse, out.T, trans_a=1, overwrite_b=1)
        return np.asarray(found.T)

    def rows(self, coordinates: Array) -> Array:
        """Rows of which these are the coordinates."""
        found: Array = blas.dtrmm(1.0, self.P, coordinates, side=1)
        return (
            found if self.order is None else found[:, np.argsort(self.order)]
        )


def well_conditioned(R: Array) -> bool:
    """Whether no direction is much shorter than the columns."""
    size = column_norms(R)
    if len(R) < len(size) or not SAFE < size.min() <= size.max() < 1 / SAFE:
        return False
    scaled = np.asfortranarray(R / size)
    if np.abs(scaled.diagonal()).min() * LONG < 1:
        return False
    # The power method for the inverse: its length is one over the shortest.
    found = np.ones(len(size))
    for _ in range(POWERS):
        found = blas.dtrsv(scaled, blas.dtrsv(scaled, found, trans=1))
        length = np.linalg.norm(found)
        found /= length
    return bool(length < LONG**2)


def _invertible(R: Array) -> Array:
    """A factor itself, or with the floor, if it has no inverse."""
    d = R.shape[1]
    if len(R) == d and np.abs(R.diagonal()).min() >= FLOOR:
        return np.asfortranarray(R)
    square = np.zeros((d, d), order="F")
    square[: len(R)] = R
    return eliminated(square, np.asfortranarray(FLOOR * np.eye(d)), d)


def _inverted(P: Array) -> tuple[Array, float]:
    r"""The inverse W of a triangle, and what to multiply by it costs.

    If the rounding errors of products are independent of each other, rows
    with columns of norm one come out as if column j had been off by
    :math:`\sqrt{\sum_{il} P_{ij}^2 W_{li}^2}` times the machine's precision.
    """
    W, _ = lapack.dtrtri(P)
    with np.errstate(over="ignore", invalid="ignore"):
        errors = np.sqrt((W**2).sum(axis=0) @ P**2)
    return W, float(errors.max())
