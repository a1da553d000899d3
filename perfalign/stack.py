r"""The stacked matrix whose small left singular vectors align the views.

For two views the stack is the paper's :math:`[X^1; -X^2]`. For M views the
minus sign becomes the M − 1 orthonormal contrasts of Helmert, which is the
same thing for M = 2; views observed in pairs bring their signs along.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, svd


@dataclass(frozen=True, eq=False)
class Coordinates:
    r"""A view's block written as :math:`U\,\mathrm{diag}(s)\,V^\top`.

    The columns of U are the view in new coordinates; a combination of them is
    an encoder of the features.
    """

    U: np.ndarray
    s: np.ndarray
    V: np.ndarray

    @property
    def rank(self):
        return len(self.s)

    @property
    def condition(self):
        return self.s[0] / self.s[-1]

    def encoder(self, coefficients):
        """Encoder rows in feature space, of minimum norm."""
        return (self.V / self.s @ coefficients).T


def safe_svd(matrix, **kwargs):
    """Singular value decomposition that does not give up.

    Divide and conquer, the fast driver, can fail to converge on an ordinary
    matrix, depending on the processor's rounding; the QR iteration does not.
    """
    try:
        return svd(matrix, **kwargs)
    except LinAlgError:
        return svd(matrix, lapack_driver="gesvd", **kwargs)


def whiten(block, rtol):
    """Orthonormal coordinates, cut at `rtol` of the block's own largest.

    Measuring each view by its own largest singular value makes the rank, and
    all that follows from it, independent of the views' units.
    """
    # A power of two changes no digit and keeps squares within range.
    scale = 2.0 ** np.frexp(np.abs(block).max())[1]
    U, s, Vt = safe_svd(block / scale, full_matrices=False)
    rank = np.count_nonzero(s > rtol * s[0])
    return Coordinates(U[:, :rank], s[:rank] * scale, Vt[:rank].T)


def unchanged(block):
    """The features themselves as coordinates."""
    n_features = block.shape[1]
    return Coordinates(block, np.ones(n_features), np.eye(n_features))


def contrast_stack(views, contrasts):
    r"""Stack views so that a vanishing combination of rows is an agreement.

    Parameters
    ----------
    views : list of M Coordinates
        Their :math:`U_m^\top` are the blocks :math:`X^m`.
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
    return np.vstack(
        [np.kron(contrasts[:, m], view.U.T) for m, view in enumerate(views)]
    )


def left_singular_values(stack):
    """All singular values of a stack, one for each row.

    Returns
    -------
    singular_values : ndarray of shape (d,)
        Descending, padded with zeros where the stack has fewer columns.
    """
    s = safe_svd(stack, compute_uv=False)
    return np.pad(s, (0, len(stack) - len(s)))


def left_singular_system(stack):
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
    U, s, _ = safe_svd(stack, full_matrices=n_rows > n_columns)
    return np.pad(s, (0, n_rows - len(s))), U
