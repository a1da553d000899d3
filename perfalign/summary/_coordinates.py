r"""Coordinates of rows in which no direction is short.

Let R be the factor of the rows so far. Sums of products of features lose what
is shorter, relative to a column, than the root of the rounding error. Where no
direction is much shorter than the columns, as where each feature has noise of
its own, nothing can be lost: `Features` are their own coordinates.

Where a few columns J are of this kind and the others nearly depend on them,
as where few signals are seen by many channels, `Residuals` are what J leaves
of the others, :math:`x_K - T^\top x_J` with T by least squares on R. A product
with T costs little.

In general `Triangle` takes :math:`y^\top = x^\top P^{-1}` with
:math:`P^\top P = R^\top R + D^2`, D a floor far below every column. To
multiply by an inverse is as fast as the Gram matrix, twice as fast as
substitution, and in general less exact. How much, is estimated; if it is more
than a few roundings of each column, columns are taken in the order of a
pivoted factorisation. Then P is diagonal times a triangle that is well
conditioned, and y is exact for an x that is off by a few roundings.
"""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from scipy.linalg import blas, lapack

from perfalign._linalg import SAFE, column_norms
from perfalign._types import Array, Floats, Integers
from perfalign.summary._reflections import eliminated, triangle

#: Floor of the coordinates, relative to each column.
FLOOR = 2.0**-40
#: Numbers from here to the inverse have squares, of single precision, too.
SAFE_SINGLE = 1e-12
#: Rounding errors of a column that coordinates may cost before columns are
#: taken in another order, and after. After, they are few but for triangles
#: that nobody has by chance.
FEW, MOST = 8.0, 32.0
#: Lengths of the shortest direction that a column may have without
#: coordinates, and steps of the power method, which finds that length.
LONG, POWERS = 16.0, 8


class Coordinates(Protocol):
    """Columns by which rows are described.

    Attributes
    ----------
    sizes : ndarray of shape (d,)
        How large each was on the rows so far, or is allowed to be.
    comparable : bool
        Whether all are in the same units.
    coarse : bool
        Whether they are for rows of single precision alone.
    dtype : type
        The precision in which they are multiplied with each other.
    """

    @property
    def sizes(self) -> Array: ...

    @property
    def comparable(self) -> bool: ...

    @property
    def coarse(self) -> bool: ...

    @property
    def dtype(self) -> type[np.floating[Any]]: ...

    def of(self, rows: Floats) -> Floats:
        """Coordinates of rows, in their memory."""

    def rows(self, coordinates: Array) -> Array:
        """Rows of which these are the coordinates."""


def coordinates_after(
    R: Array, n: float = 1.0, coarse: bool = False
) -> Coordinates | None:
    """The cheapest ones that keep all digits; None if there are none.

    Parameters
    ----------
    R : ndarray of shape (p, d)
        Factor of the rows so far.
    n : float
        Their number.
    coarse : bool
        Whether rows of single precision are to come.
    """
    size = column_norms(R)
    if well_conditioned(R):
        if coarse and _squares_in_range(size / np.sqrt(n), SAFE_SINGLE):
            return Features(size, coarse=True, dtype=np.float32)
        return Features(size)
    if coarse and _squares_in_range(size[size > 0], SAFE):
        return Features(size, coarse=True)
    return Residuals.after(R) or Triangle.after(R)


@dataclass(frozen=True, eq=False)
class Features:
    """The columns as they are."""

    sizes: Array
    coarse: bool = False
    dtype: type[np.floating[Any]] = np.float64
    comparable = False

    def of(self, rows: Floats) -> Floats:
        return rows

    def rows(self, coordinates: Array) -> Array:
        return coordinates


@dataclass(frozen=True, eq=False)
class Residuals:
    """A few columns as they are, and what they leave of all others."""

    sizes: Array
    columns: Integers
    T: Array
    comparable = coarse = False
    dtype = np.float64

    @classmethod
    def after(cls, R: Array) -> Self | None:
        """Those of a factor, if there are, and neither kind is short."""
        size, d = column_norms(R), R.shape[1]
        if not SAFE / FLOOR < size.min() <= size.max() < 1 / SAFE:
            return None
        gram = blas.dsyrk(1.0, np.asfortranarray(R / size), trans=1)
        _, pivots, r, _ = lapack.dpstrf(gram, tol=LONG**-2)
        # With more columns a triangle costs less.
        if not 0 < r <= d // 2:
            return None
        columns, others = np.sort(pivots[:r]) - 1, np.sort(pivots[r:]) - 1
        P = np.zeros((d, d), order="F")
        P[: len(R)] = R[:, np.concatenate([columns, others])]
        P = triangle(P)
        known, left = P[:r, :r], column_norms(P[r:, r:])
        T, sizes = np.zeros((r, d), order="F"), size.copy()
        T[:, others] = lapack.dtrtrs(known, P[:r, r:])[0]
        sizes[others] = np.maximum(left, FLOOR * size[others])
        errors = column_norms(size[columns, np.newaxis] * T) / size
        if not (
            np.all(errors <= FEW)
            and well_conditioned(known)
            and (np.all(left < sizes[others]) or well_conditioned(P[r:, r:]))
        ):
            return None
        return cls(sizes, columns, T)

    def of(self, rows: Floats) -> Floats:
        known = np.empty((len(rows), len(self.columns)))
        # Any other mode looks at the places one by one.
        np.take(rows, self.columns, axis=1, out=known, mode="clip")
        found: Array = blas.dgemm(
            -1.0, self.T, known.T, trans_a=True,
            beta=1.0, c=rows.T, overwrite_c=True,
        )  # fmt: skip
        return found.T

    def rows(self, coordinates: Array) -> Array:
        found: Array = coordinates + coordinates[:, self.columns] @ self.T
        return found


@dataclass(frozen=True, eq=False)
class Triangle:
    """A triangle P of columns, which may be in another order, inverted."""

    P: Array
    inverse: Array
    order: Integers | None
    comparable, coarse = True, False
    dtype = np.float64

    @property
    def sizes(self) -> Array:
        """The bracket begins as the identity."""
        return np.ones(len(self.P))

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

    def of(self, rows: Floats) -> Floats:
        if self.order is not None:
            rows[:] = np.take(rows, self.order, axis=1)
        found = blas.dtrmm(1.0, self.inverse, rows.T, trans_a=1, overwrite_b=1)
        return np.asarray(found.T)

    def rows(self, coordinates: Array) -> Array:
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


def _squares_in_range(sizes: Array, least: float) -> bool:
    return bool(np.all((least < sizes) & (sizes < 1 / least)))


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
