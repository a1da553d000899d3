r"""The stacked matrix whose small left singular vectors align the views.

For two views the stack is the paper's :math:`[X^1; -X^2]`. For M views the
minus sign becomes the M − 1 orthonormal contrasts of Helmert, which is the
same thing for M = 2; views observed in pairs bring their signs along.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from perfalign._checks import FLOAT64_EPS
from perfalign._linalg import column_norms, orthonormal, svd, threads_for
from perfalign._types import Array


@dataclass(frozen=True, eq=False)
class RowSpace:
    """What the rows of a wide block span, ``block * units = (Q @ R).T``.

    Q stays a product of reflections: to write it out would take as long as to
    find it, and only a few combinations of its columns are asked for.

    Attributes
    ----------
    units : ndarray of shape (d_m,)
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
        return _reflected(self.reflections, self.tau, found).T * self.units


@dataclass(frozen=True, eq=False)
class Coordinates:
    """A view's block in other coordinates, ``U = block @ basis``.

    A combination of the columns of U is an encoder of the features. No basis
    stands for the features themselves, and with a row space it is the columns
    of Q that the basis combines.
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


@dataclass(frozen=True, eq=False)
class Whitened(Coordinates):
    """Coordinates with orthonormal U, as far as the block is known.

    Attributes
    ----------
    s : ndarray of shape (rank,)
        Singular values of the block with every feature in units of its
        rounding.
    """

    s: Array = field(kw_only=True)


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
    the features, and neither do the encoders, which are of least norm in
    these units.

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
    units = (size > rounding) / rounding
    U, s, V, row_space = _thin_svd(block, units)
    rank = sum(value > least for value in s.tolist())
    U, s, V = U[:, :rank], s[:rank], V[:, :rank]
    return Whitened(U, V / s, row_space, s=s)


def _thin_svd(
    block: Array, units: Array
) -> tuple[Array, Array, Array, RowSpace | None]:
    """U, s and V of a block in units.

    V is in the features, units and all, or in the row space of a wide block:
    from about here on LAPACK would begin with a QR, too, and write out its Q.
    """
    if 2 * len(block) > block.shape[1]:
        U, s, Vt = svd(block * units, full_matrices=False)
        return U, s, units[:, np.newaxis] * Vt.T, None
    # In the order of LAPACK, which then need not copy.
    columns = np.multiply(block.T, units[:, np.newaxis], order="F")
    with threads_for(len(block)):
        (reflections, tau), R = linalg.qr(
            columns, mode="raw", overwrite_a=True, check_finite=False
        )
    V, s, Ut = svd(R, full_matrices=False)
    return Ut.T, s, V, RowSpace(units, reflections, tau)


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
    U, s, V, row_space = _thin_svd(reduced, np.ones(block.shape[1]))
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


def contrast_stack(blocks: Sequence[Array], contrasts: Array) -> Array:
    r"""Stack views so that a vanishing combination of rows is an agreement.

    Parameters
    ----------
    blocks : list of M ndarray of shape (p, rank_m)
        The :math:`X^{m\top}`.
    contrasts : ndarray of shape (L, M)
        As the views' summary has them.

    Returns
    -------
    stack : ndarray of shape (Σ rank_m, L p)
        Blocks :math:`h_{lm} X^m` with the contrasts h. With those of Helmert
        its Gram matrix has the blocks
        :math:`(M\delta_{ij} - 1) X^i X^{j\top}`, and for M = 2 the stack is
        :math:`[X^1; -X^2]`.
    """
    rows = [
        (h[:, None, None] * block).reshape(len(h) * len(block), len(block.T))
        for h, block in zip(contrasts.T, blocks)
    ]
    return np.concatenate(rows, axis=1).T


def whitened_system(stack: Array, ranks: Iterable[int]) -> tuple[Array, Array]:
    r"""`left_singular_system` of the stack of orthonormal bases.

    For two views, from the cosines of their principal angles and the
    principal vectors, :math:`U^{1\top} U^2 = Y \cos\theta\, Z^\top`. The
    stack then has the left singular vectors :math:`(y; \pm z) / \sqrt 2` of
    :math:`\sigma^2 = 1 \pm \cos\theta`, and those of one view alone, of
    :math:`\sigma = 1`. Below 1/2, where digits of the difference are lost,
    it is from the stack restricted to these vectors that the singular values
    and the vectors themselves come (Björck and Golub 1973).

    Parameters
    ----------
    stack : ndarray of shape (Σ rank_m, L p)
        As of `contrast_stack`, of blocks with orthonormal columns; for two
        views, with contrasts of absolute value 1.
    ranks : array-like of shape (M,)

    Returns
    -------
    singular_values : ndarray of shape (Σ rank_m,)
        Descending.
    vectors : ndarray of shape (Σ rank_m, Σ rank_m)
        Column j belongs to singular value j.

    References
    ----------
    Å. Björck and G. H. Golub 1973, Numerical methods for computing angles
    between linear subspaces, Mathematics of Computation 27(123), 579–594.
    """
    r, *others = ranks
    if len(others) != 1:
        return left_singular_system(stack)
    Y, found, Zt = svd(stack[:r].dot(stack[r:].T))
    least = FLOAT64_EPS * len(stack)
    cosines = [min(value, 1.0) for value in found.tolist() if value > least]
    shared = len(cosines)
    vectors = np.zeros((len(stack), len(stack)))
    small = vectors[:, ::-1]
    # The sign that makes agreement small.
    vectors[:r, :shared] = small[:r, :shared] = -(0.5**0.5) * Y[:, :shared]
    small[r:, :shared] = 0.5**0.5 * Zt[:shared].T
    vectors[r:, :shared] = -small[r:, :shared]
    vectors[:r, shared:r] = Y[:, shared:]
    vectors[r:, r : len(stack) - shared] = Zt[shared:].T
    alone = [1.0] * (len(stack) - 2 * shared)
    far, close = [1 + c for c in cosines], [1 - c for c in reversed(cosines)]
    sigma = np.sqrt(far + alone + close)
    near = sum(c > 0.5 for c in cosines)
    if near:
        W = vectors[:, -near:]
        Q, sigma[-near:], _ = svd(W.T @ stack, full_matrices=False)
        vectors[:, -near:] = W @ Q
    return sigma, vectors


def left_singular_system(stack: Array) -> tuple[Array, Array]:
    """All left singular vectors of a stack, those of the null space included.

    Returns
    -------
    singular_values : ndarray of shape (d,)
        Descending, padded with zeros where the stack has fewer columns.
    vectors : ndarray of shape (d, d)
        Column j belongs to singular value j.
    """
    n_rows, n_columns = stack.shape
    # A thin factor would lose part of the null space of a tall stack.
    U, s, _ = svd(stack, full_matrices=n_rows > n_columns)
    values = np.zeros(n_rows)
    values[: len(s)] = s
    return values, U


def last_left_singular_vectors(stack: Array, k: int) -> tuple[Array, Array]:
    """The last k of all left singular vectors, without the others.

    A tall stack is a product Q R, and its left singular vectors are Q times
    those of R, followed by the columns of Q that R does not reach.

    Returns
    -------
    singular_values : ndarray of shape (d,)
    vectors : ndarray of shape (d, k)
    """
    n_rows, n_columns = stack.shape
    if n_rows <= n_columns:
        values, vectors = left_singular_system(stack)
        return values, vectors[:, -k:]
    factored, tau, _, _ = lapack.dgeqrf(stack)
    U, s, _ = svd(np.triu(factored[:n_columns]))
    wanted = np.zeros((n_rows, k), order="F")
    beyond = min(k, n_rows - n_columns)
    wanted[n_rows - beyond :, k - beyond :] = np.eye(beyond)
    wanted[:n_columns, : k - beyond] = U[:, n_columns - (k - beyond) :]
    vectors = _reflected(factored, tau, wanted)
    return np.pad(s, (0, n_rows - n_columns)), vectors


def _reflected(reflections: Array, tau: Array, columns: Array) -> Array:
    """Q times columns, with Q as LAPACK's QR leaves it."""
    given = "L", "N", reflections, tau, columns
    size = int(lapack.dormqr(*given, -1)[1][0])
    found: Array = lapack.dormqr(*given, size, overwrite_c=True)[0]
    return found


def complement(basis: Array, n_vectors: int) -> Array:
    """Orthonormal vectors orthogonal to an orthonormal basis.

    Parameters
    ----------
    basis : ndarray of shape (d, r)
    n_vectors : int
        At most d − r. If fewer, which ones is arbitrary, but always the same.

    Returns
    -------
    vectors : ndarray of shape (d, n_vectors)
    """
    if not n_vectors:
        return np.empty((len(basis), 0))
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((len(basis), n_vectors))
    for _ in range(2):  # the second time against rounding
        vectors = vectors - basis @ (basis.T @ vectors)
        vectors, _ = np.linalg.qr(vectors)
    return vectors
