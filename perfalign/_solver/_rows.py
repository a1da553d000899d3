"""Decompositions of a block, by what its rows span where these are few."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import linalg
from sklearn.utils import gen_batches

from perfalign._checks import FLOAT64_EPS
from perfalign._linalg import eigh, reflected, svd, threads_for
from perfalign._types import Array

#: Eigenvalues of products, as shares of the largest, that are known well
#: enough for one step of refinement to leave nothing but rounding.
KNOWN = FLOAT64_EPS**0.5
#: Features that are multiplied at a time.
SLAB = 1024


class RowSpace(Protocol):
    """What the rows of a block span, in coordinates of its own."""

    def features(self, coefficients: Array) -> Array:
        """Encoder rows from coefficients, one column each."""


@dataclass(frozen=True, eq=False)
class ReflectedRows:
    """Rows factored by reflections, ``rows.T = Q @ R``; coordinates are Q's.

    Q stays a product of reflections: to write it out would take as long as to
    find it, and only a few combinations of its columns are asked for.

    Attributes
    ----------
    units : ndarray of shape (d_m,)
        Of the features in these rows.
    reflections, tau : ndarray of shape (d_m, p) and (p,)
        As LAPACK has them.
    """

    units: Array
    reflections: Array
    tau: Array

    def features(self, coefficients: Array) -> Array:
        """Combinations of the columns of Q as such of the features."""
        n_features, p = self.reflections.shape
        found = np.zeros((n_features, coefficients.shape[1]), order="F")
        found[:p] = coefficients
        return reflected(self.reflections, self.tau, found).T * self.units


def is_wide(block: Array) -> bool:
    """Whether it is shorter to begin with the rows; so LAPACK has it."""
    n_rows, n_features = block.shape
    return bool(2 * n_rows <= n_features)


def thin_svd(
    block: Array, units: Array
) -> tuple[Array, Array, Array, ReflectedRows | None]:
    """U, s and V of a block in units.

    V is in the features, units and all, or in the row space of a wide block.
    """
    if not is_wide(block):
        U, s, Vt = svd(block * units, full_matrices=False)
        return U, s, units[:, np.newaxis] * Vt.T, None
    # In the order of LAPACK, which then need not copy.
    columns = np.multiply(block.T, units[:, np.newaxis], order="F")
    with threads_for(len(block)):
        (reflections, tau), R = linalg.qr(
            columns, mode="raw", overwrite_a=True, check_finite=False
        )
    V, s, Ut = svd(R, full_matrices=False)
    return Ut.T, s, V, ReflectedRows(units, reflections, tau)


def products(block: Array, units: Array) -> Array:
    """Inner products of a block's rows, ``rows @ rows.T``, in units."""
    found = np.zeros((len(block), len(block)))
    # Of the rows in units there is never more than a part.
    for part in gen_batches(block.shape[1], SLAB):
        rows = block[:, part] * units[part]
        found += rows @ rows.T
    return found


@dataclass(frozen=True, eq=False)
class MultipliedRows:
    """Rows by the eigenvectors of their products, which are coordinates.

    Attributes
    ----------
    block : ndarray of shape (p, d_m)
    units : ndarray of shape (d_m,)
    vectors : ndarray of shape (p, r)
        Those that are not rounding, orthonormal.
    values : ndarray of shape (r,)
        Their eigenvalues, descending.
    """

    block: Array
    units: Array
    vectors: Array
    values: Array

    def features(self, coefficients: Array) -> Array:
        """Encoder rows of least norm with the latents that are asked for.

        Products of rows lose half of the digits. The residual comes from the
        rows themselves and brings them back; beyond the vectors it is nothing.
        """
        found = self._solved(coefficients)
        latents = self.vectors.T @ (self.block @ found.T)
        return found + self._solved(coefficients - latents)

    def _solved(self, coefficients: Array) -> Array:
        # In turn, and the least value last: squares of units and of what they
        # measure may be out of range, or so small that they lose digits.
        least = self.values[-1]
        quotients = coefficients * (least / self.values)[:, np.newaxis]
        rows = (self.vectors @ quotients).T @ self.block
        rows *= self.units
        rows *= self.units / least
        return np.asarray(rows)


def multiplied_rows(
    block: Array, units: Array, least: float
) -> MultipliedRows | None:
    """What the products of a wide block's rows tell, if that is enough.

    It is where every singular value is above √KNOWN of the largest, or they
    are rounding, together no more than the least.

    Parameters
    ----------
    block : ndarray of shape (p, d_m)
    units : ndarray of shape (d_m,)
    least : float
        A singular value that is not above is rounding.

    Returns
    -------
    rows : MultipliedRows or None
    """
    values, vectors = eigh(products(block, units))
    values, vectors = values[::-1], vectors[:, ::-1]
    rank = int(np.count_nonzero(values > KNOWN * values[0]))
    # What is above is no rounding of the products.
    floor = max(least**2, block.shape[1] * FLOAT64_EPS * values[0])
    if not rank or values[rank - 1] <= floor or np.any(values[rank:] > floor):
        return None
    values, vectors, rest = values[:rank], vectors[:, :rank], vectors[:, rank:]
    if rest.shape[1]:
        # It is turned until no digit of a signal is left in it.
        rows = block * units
        short = rows.T @ rest
        turn = np.linalg.multi_dot([vectors.T, rows, short]) / values[:, None]
        short -= np.linalg.multi_dot([rows.T, vectors, turn])
        if np.linalg.norm(short) > least:
            return None
        vectors = vectors + rest @ turn.T
    return MultipliedRows(block, units, vectors, values)
