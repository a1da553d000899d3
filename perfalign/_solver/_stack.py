r"""The stacked matrix whose small left singular vectors align the views.

For two views the stack is the paper's :math:`[X^1; -X^2]`. For M views the
minus sign becomes the M − 1 orthonormal contrasts of Helmert, which is the
same thing for M = 2; views observed in pairs bring their signs along.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import lapack

from perfalign._checks import FLOAT64_EPS
from perfalign._linalg import reflected, svd
from perfalign._types import Array


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
    # The list first: an array that is read to its end makes an error of it.
    rows = [
        (h[:, None, None] * block).reshape(len(h) * len(block), len(block.T))
        for block, h in zip(blocks, contrasts.T)
    ]
    return np.concatenate(rows, axis=1).T


def whitened_system(
    bases: Sequence[Array], contrasts: Array
) -> tuple[Array, Array]:
    r"""`left_singular_system` of the contrast stack of orthonormal bases.

    For two views, from the cosines of their principal angles and the
    principal vectors, :math:`U^{1\top} U^2 = Y \cos\theta\, Z^\top`. The
    stack then has the left singular vectors :math:`(y; \pm z) / \sqrt 2` of
    :math:`\sigma^2 = 1 \pm \cos\theta`, and those of one view alone, of
    :math:`\sigma = 1`. Below 1/2, where digits of the difference are lost,
    it is from the stack restricted to these vectors that the singular values
    and the vectors themselves come (Björck and Golub 1973).

    Parameters
    ----------
    bases : list of M ndarray of shape (p, rank_m)
        With orthonormal columns.
    contrasts : ndarray of shape (L, M)
        As of `contrast_stack`; for two views, of absolute value 1.

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
    if len(bases) != 2:
        return left_singular_system(contrast_stack(bases, contrasts))
    U, V = bases
    Y, found, Zt = svd(U.T.dot(V))
    r, d = len(Y), len(Y) + len(Zt)
    least = FLOAT64_EPS * d
    cosines = [min(value, 1.0) for value in found.tolist() if value > least]
    shared = len(cosines)
    vectors = np.zeros((d, d))
    small = vectors[:, ::-1]
    # The sign that makes agreement small.
    sign = contrasts.item(0) * contrasts.item(1)
    y, z = 0.5**0.5 * Y[:, :shared], -sign * 0.5**0.5 * Zt[:shared].T
    vectors[:r, :shared] = small[:r, :shared] = y
    small[r:, :shared], vectors[r:, :shared] = z, -z
    vectors[:r, shared:r] = Y[:, shared:]
    vectors[r:, r : d - shared] = Zt[shared:].T
    alone = [1.0] * (d - 2 * shared)
    far, close = [1 + c for c in cosines], [1 - c for c in reversed(cosines)]
    sigma = np.sqrt(far + alone + close)
    near = sum(c > 0.5 for c in cosines)
    if near:
        W = vectors[:, -near:]
        stack = contrast_stack(bases, contrasts)
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
    vectors = reflected(factored, tau, wanted)
    return np.pad(s, (0, n_rows - n_columns)), vectors
