"""Coordinates of the views, in which their stack is decomposed."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np

from perfalign._linalg import (
    column_norms,
    complement,
    inverses,
    orthonormal,
)
from perfalign._solver._rows import (
    RowSpace,
    is_wide,
    multiplied_rows,
    thin_svd,
)
from perfalign._types import Array

#: Shares that differ by no more are the same.
SAME = 1e-8
#: What rounding may be of latents: this share, or so many times the least.
UNSEEN, LOSS = 1e-12, 10.0


@dataclass(frozen=True, eq=False)
class Coordinates:
    """A view's block in other coordinates, ``U = block @ basis``.

    A combination of the columns of U is an encoder of the features. With a row
    space the basis is in the coordinates of that. No basis stands for the
    identity.
    """

    U: Array
    basis: Array | None
    row_space: RowSpace | None = None

    @property
    def rank(self) -> int:
        return int(self.U.shape[1])

    def encoder(self, coefficients: Array) -> Array:
        """Encoder rows in feature space."""
        if self.basis is not None:
            coefficients = self.basis.dot(coefficients)
        if self.row_space is not None:
            return self.row_space.features(coefficients)
        return coefficients.T


@dataclass(frozen=True, eq=False, kw_only=True)
class Whitened(Coordinates):
    """Coordinates with orthonormal U, as far as the block is known.

    Attributes
    ----------
    s : ndarray of shape (rank,)
        Singular values of the block with every feature in units of its
        rounding; where they are short, half of their digits may be lost.
    block : ndarray of shape (p, d_m)
    size, rounding : ndarray of shape (d_m,)
        Of the features.
    """

    s: Array
    block: Array
    size: Array
    rounding: Array

    def encoder(self, coefficients: Array) -> Array:
        """Encoder rows, of least norm unless latents would show rounding.

        Least norm is in units of the features' norms. A short signal of
        features that are known well may be less than the rounding of others,
        which such rows would take for it. Where they do, norms are in units
        of rounding. It is one decision for all rows, which a rotation of
        these cannot change.
        """
        sure = super().encoder(coefficients)
        if self._of_least_norm is None:
            return sure
        rows = self._of_least_norm.encoder(coefficients)
        lost, least = (np.linalg.norm(A * self.rounding) for A in (rows, sure))
        fair = max(UNSEEN * np.linalg.norm(coefficients), LOSS * least)
        return rows if lost <= fair else sure

    @cached_property
    def _of_least_norm(self) -> Coordinates | None:
        """The same in units of the features' norms, if these are others."""
        live = self.size > self.rounding
        if self.rank in (0, np.count_nonzero(live)):
            return None  # There is no choice.
        digits = self.rounding[live] / self.size[live]
        if np.ptp(digits) <= SAME * digits.max():
            return None
        units = inverses(self.size, self.rounding)
        found, _ = _in_units(self.U.T @ self.block, units, 0.0)
        basis = found.U.T if found.basis is None else found.basis @ found.U.T
        return Coordinates(self.U, basis, found.row_space)


def encoders_of(views: Sequence[Coordinates], rows: Array) -> list[Array]:
    """Encoders from their coefficients in the coordinates of all views."""
    parts = _of_each_view(views, rows)
    return [view.encoder(part) for view, part in zip(views, parts)]


def latents_of(views: Sequence[Coordinates], rows: Array) -> list[Array]:
    """Latents that these encoders give to the rows of the views' blocks."""
    parts = _of_each_view(views, rows)
    return [view.U @ part for view, part in zip(views, parts)]


def _of_each_view(views: Sequence[Coordinates], rows: Array) -> list[Array]:
    ends = accumulate((view.rank for view in views), initial=0)
    return [rows[a:b] for a, b in pairwise(ends)]


def whiten(
    block: Array, rounding: Array, least: float, size: Array | None = None
) -> Whitened:
    """Orthonormal coordinates of what in a block is no rounding.

    A feature's rounding is the unit in which it is compared with others. So
    the rank, and all that follows from it, does not depend on the units of
    the features, and neither do the encoders.

    Parameters
    ----------
    block : ndarray of shape (p, d_m)
    rounding : ndarray of shape (d_m,)
        In the units of the features, above 0.
    least : float
        How many times the rounding of a feature counts as a signal.
    size : ndarray of shape (d_m,), default=None
        The norms of the features, where they are known.

    Returns
    -------
    coordinates : Whitened
    """
    if size is None:
        size = column_norms(block)
    found, s = _in_units(block, (size > rounding) / rounding, least)
    return Whitened(
        U=found.U,
        basis=found.basis,
        row_space=found.row_space,
        s=s,
        block=block,
        size=size,
        rounding=rounding,
    )


def _in_units(
    block: Array, units: Array, least: float
) -> tuple[Coordinates, Array]:
    """Coordinates of least norm in units, and singular values above least."""
    if is_wide(block):
        rows = multiplied_rows(block, units, least)
        if rows is not None:
            return Coordinates(rows.vectors, None, rows), rows.values**0.5
    U, s, V, row_space = thin_svd(block, units)
    rank = len(s) - bisect(s[::-1].tolist(), least)
    U, s, V = U[:, :rank], s[:rank], V[:, :rank]
    return Coordinates(U, V / s, row_space), s


def isometric(
    block: Array, whitened: Whitened, n_silent: int = 0
) -> Coordinates:
    """Coordinates in which a unit vector is an encoder row of norm one.

    They span the encoder rows under which the block is not silent and, of the
    others, as many as asked for, if there are so many.
    """
    n_features = block.shape[1]
    if whitened.rank == n_features:
        return Coordinates(block, None)
    basis = orthonormal(block.T @ whitened.U)
    n_silent = min(n_silent, n_features - whitened.rank)
    silent = np.zeros((len(block), n_silent))
    return Coordinates(
        np.hstack([block @ basis, silent]),
        np.hstack([basis, complement(basis, n_silent)]),
    )


def shrunk(
    block: Array, whitened: Whitened, ridge: float
) -> tuple[Coordinates, Array]:
    """Coordinates of a block that noise in every feature would whiten.

    The noise has the variance λ tr(C_m) / d_m. In directions in which the
    block does not vary there is nothing but noise; they are left out, so that
    the number of samples bounds the cost.

    Parameters
    ----------
    block : ndarray of shape (p, d_m)
    whitened : Whitened
        Of the same block, which has as many directions.
    ridge : float
        λ > 0.

    Returns
    -------
    coordinates : Coordinates
        Of the block without the noise: columns of U are shorter than one.
    noise : ndarray of shape (rank,)
        What is missing: with it as further rows, a diagonal matrix, the
        columns are orthonormal.
    """
    # A power of two changes no digit and keeps squares within range.
    scale = 2.0 ** np.frexp(np.abs(block).max())[1]
    reduced = whitened.U.T @ (block / scale)
    U, s, V, row_space = thin_svd(reduced, np.ones(block.shape[1]))
    added = np.sqrt(ridge / block.shape[1]) * np.linalg.norm(s)
    length = np.hypot(s, added)
    return (
        Coordinates(
            whitened.U @ U * (s / length), V / (length * scale), row_space
        ),
        added / length,
    )


def regularised(
    blocks: list[Array], whitened: list[Whitened], ridge: float
) -> list[Coordinates]:
    """Orthonormal coordinates of blocks with samples of noise below them.

    Each view has noise of its own, samples at which all others are zero: its
    covariance gains the ridge, and no two views gain a correlation.

    Parameters
    ----------
    blocks : list of ndarray of shape (p, d_m)
    whitened : list of Whitened
    ridge : float
        λ > 0.

    Returns
    -------
    coordinates : list of Coordinates
    """
    views, noise = zip(
        *(shrunk(block, view, ridge) for block, view in zip(blocks, whitened))
    )
    stacked = np.vstack(
        [
            np.hstack([view.U for view in views]),
            np.diag(np.concatenate(noise)),
        ]
    )
    U = np.linalg.qr(stacked, mode="r")
    ends = np.cumsum([view.rank for view in views])[:-1]
    return [
        Coordinates(part, view.basis, view.row_space)
        for part, view in zip(np.split(U, ends, axis=1), views)
    ]
