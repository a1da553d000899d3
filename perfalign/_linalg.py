"""Decompositions that do not give up, and norms that do not overflow.

Divide and conquer, the fast driver behind most of NumPy's and SciPy's
functions, can fail to converge on an ordinary matrix, depending on the
processor's rounding. The QR iteration does not; it steps in.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from perfalign._threads import n_threads, scipy_threads
from perfalign._types import Array

T = TypeVar("T")

#: From so many rows and columns on, it takes longer to decompose a matrix than
#: to begin a thread that does.
MIDDLE = 128
#: From so many on, threads that share a matrix compute longer than they wait
#: for each other.
LARGE = 1024
#: Squares of numbers from here to the inverse are in range.
SAFE = 1e-140

_AS_IT_IS = nullcontext()


def threads_for(size: int) -> AbstractContextManager[None]:
    """Threads for SciPy's BLAS alone, if matrices of this size repay them."""
    return scipy_threads if size >= LARGE else _AS_IT_IS


def svd(
    matrix: Array, full_matrices: bool = True, compute_uv: bool = True
) -> Any:
    """As `numpy.linalg.svd`, by the QR iteration if the fast driver fails.

    LAPACK is called itself: around a matrix of few rows and columns the usual
    functions take longer than it does. From `MIDDLE` on NumPy's is called,
    which lets other threads go on meanwhile.
    """
    n_rows, n_columns = matrix.shape
    if compute_uv and n_rows < n_columns:
        # LAPACK takes half as long for a tall matrix.
        V, s, Ut = svd(matrix.T, full_matrices)
        return Ut.T, s, V.T
    if not matrix.size:
        return linalg.svd(matrix, full_matrices, compute_uv)
    smaller, wanted = min(n_rows, n_columns), (compute_uv, full_matrices)
    if smaller >= LARGE:
        # Blocks of columns need room; below `MIDDLE` LAPACK has none.
        size, _ = lapack.dgesdd_lwork(n_rows, n_columns, *wanted)
        with scipy_threads:
            return _fast_svd(matrix, *wanted, int(size))
    if smaller < MIDDLE:
        return _fast_svd(matrix, *wanted)
    usual: Any = np.linalg.svd
    try:
        return usual(matrix, full_matrices, compute_uv)
    except linalg.LinAlgError:
        return _patient_svd(matrix, full_matrices, compute_uv)


def _fast_svd(
    matrix: Array, compute_uv: bool, full_matrices: bool, *workspace: int
) -> Any:
    U, s, Vt, failed = lapack.dgesdd(
        matrix, compute_uv, full_matrices, *workspace
    )
    if failed:
        return _patient_svd(matrix, full_matrices, compute_uv)
    return (U, s, Vt) if compute_uv else s


def _patient_svd(matrix: Array, *wanted: bool) -> Any:
    return linalg.svd(matrix, *wanted, lapack_driver="gesvd")


def each(
    function: Callable[..., T], matrices: Sequence[Array], *others: Any
) -> list[T]:
    """What a function makes of each matrix, at the same time if it is long.

    The function may compute with NumPy, under a limit of one BLAS thread.
    """
    if any(min(matrix.shape) < MIDDLE for matrix in matrices):
        return list(map(function, matrices, *others))
    with ThreadPoolExecutor(min(n_threads(), len(matrices))) as pool:
        return list(pool.map(function, matrices, *others))


def singular_values(matrix: Array) -> Array:
    """Singular values, descending."""
    return np.asarray(svd(matrix, compute_uv=False))


def stacked_svd(matrices: Array) -> tuple[Array, ...]:
    """As `numpy.linalg.svd` of each matrix of a stack, thin and guarded."""
    try:
        return np.linalg.svd(matrices, full_matrices=False)
    except linalg.LinAlgError:
        return _of_each(matrices, lambda one: svd(one, full_matrices=False))


def eigh(matrices: Array) -> tuple[Array, ...]:
    """As `numpy.linalg.eigh` of a matrix or of each of a stack, guarded."""
    try:
        if matrices.ndim == 2 and len(matrices) >= LARGE:
            with scipy_threads:
                return tuple(linalg.eigh(matrices, driver="evd"))
        return np.linalg.eigh(matrices)
    except linalg.LinAlgError:
        return _of_each(matrices, lambda one: linalg.eigh(one, driver="ev"))


def _of_each(
    matrices: Array, decompose: Callable[[Array], Any]
) -> tuple[Array, ...]:
    places = matrices.shape[:-2]
    found = [decompose(matrices[place]) for place in np.ndindex(places)]
    return tuple(
        np.reshape(part, places + part[0].shape) for part in zip(*found)
    )


def orthonormal(matrix: Array) -> Array:
    """Orthonormal columns with the span of others that are independent.

    Householder's method, with rows sorted by size and columns pivoted, errs
    in each row by rounding of *that* row, not of the largest (Cox and Higham
    1998): small units keep their digits beside large ones.

    References
    ----------
    A. J. Cox and N. J. Higham 1998, Stability of Householder QR factorization
    for weighted least squares problems, in Numerical Analysis 1997, Pitman
    Research Notes in Mathematics 380, 57–73.
    """
    order = np.argsort(-np.abs(matrix).max(axis=1, initial=0), kind="stable")
    size = column_norms(matrix)
    sorted_rows = (matrix / np.where(size > 0, size, 1.0))[order]
    Q, _, _ = linalg.qr(sorted_rows, mode="economic", pivoting=True)
    found: Array = np.empty_like(Q)
    found[order] = Q
    return found


def reflected(reflections: Array, tau: Array, columns: Array) -> Array:
    """Q times columns, with Q as LAPACK's QR leaves it; overwritten."""
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


def centred(matrix: Array) -> Array:
    """Deviations from the mean, 0 of a constant and not its rounding."""
    moved: Array = matrix - matrix[0]
    moved -= moved.mean(axis=0)
    return moved


def column_norms(matrix: Array) -> Array:
    """Euclidean norms of the columns, for numbers of any size."""
    norms: Array = np.sqrt(np.einsum("ij,ij->j", matrix, matrix))
    sizes = norms.tolist()
    if not (sizes and SAFE < min(sizes) <= max(sizes) < 1 / SAFE):
        size = np.abs(matrix).max(axis=0, initial=0.0)
        # A power of two changes no digit.
        scale = np.ldexp(1.0, np.frexp(size)[1])
        norms = scale * np.linalg.norm(matrix / scale, axis=0)
    return norms


def inverses(norms: Array, least: Array) -> Array:
    """One over norms; 0 of those that are not above the least."""
    live = norms > least
    return np.asarray(live / np.where(live, norms, 1.0))


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The sum, and what rounding has taken from it (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)
