"""What is left of the views without nuisance variables, to be permuted.

What the variables explain exactly leaves its rounding, which is a function of
them again: of the same one in every view, and so a perfect shared signal.
"""

from dataclasses import dataclass

import numpy as np

from perfalign._checks import FLOAT64_EPS, check_view
from perfalign._linalg import centred, column_norms, svd
from perfalign._solver import whiten
from perfalign._types import Array, Integers, View

# A number is known to so many roundings.
ROUNDINGS = 4


@dataclass(frozen=True, eq=False)
class Complement:
    r"""Rows from which nuisance variables, and the constant, are gone.

    Residuals :math:`(I - H) X` are not exchangeable, as they fulfil
    equations: H is not the same after a permutation. But n − r combinations
    of them, with r the rank of H, are again uncorrelated and of one variance:
    :math:`Q^\top X` with :math:`Q Q^\top = I - H`. Of all such Q this is
    Theil's (1965), whose rows stay nearest to the residuals of n − r of the
    samples. It depends on H and not on the variables that span it.

    Attributes
    ----------
    hat : ndarray of shape (n_samples, r)
        Orthonormal columns that span the nuisance variables.
    kept : ndarray of shape (n_samples − r,)
        Samples whose residuals the rows are nearest to.
    basis : ndarray of shape (n_variables, r − 1)
        Of the variables about their means, all columns of `hat` but the
        constant.
    lost : ndarray of shape (n_variables,)
        What may be rounding in each variable.

    References
    ----------
    H. Theil 1965, The analysis of disturbances in regression analysis,
    Journal of the American Statistical Association 60(312), 1067–1079.
    """

    hat: Array
    kept: Integers
    basis: Array
    lost: Array

    @classmethod
    def of(cls, nuisance: View, n_samples: int) -> "Complement":
        """Of variables, one row a sample."""
        Z, eps = check_view(nuisance, "nuisance")
        if len(Z) != n_samples:
            raise ValueError(
                f"nuisance has shape {Z.shape}; wanted {n_samples} rows, one "
                "a sample."
            )
        lost = column_rounding(Z, eps)
        white = whiten(centred(Z), lost, 1 + (Z.shape[1] / n_samples) ** 0.5)
        hat = np.hstack([np.full((n_samples, 1), n_samples**-0.5), white.U])
        if hat.shape[1] > n_samples - 2:
            raise ValueError(
                f"nuisance and the constant have the rank {hat.shape[1]}, and "
                f"there are {n_samples} samples; wanted {hat.shape[1] + 2} or "
                "more, so that something is left to be permuted."
            )
        kept = np.setdiff1d(np.arange(n_samples), _telling(hat))
        return cls(hat, kept, white.encoder(np.eye(white.rank)).T, lost)

    def rounding(self, block: Array, known: Array) -> Array:
        """What may be rounding in the residuals of each feature of a view.

        That of the feature, which is given, and what the variables explain of
        it by their own.
        """
        B = self.basis @ (self.hat[:, 1:].T @ block)
        return np.asarray(known + self.lost @ np.abs(B))

    def rows(self, block: Array, rounding: Array) -> Array:
        """The n − r rows of a view, zero where there is but rounding."""
        residuals = block - self.hat @ (self.hat.T @ block)
        residuals[:, column_norms(residuals) <= rounding] = 0.0
        # The root of the residuals' covariance, taken back: it is one but in
        # the directions of these few columns.
        A, s, _ = svd(self.hat[self.kept], full_matrices=False)
        left: Array = residuals[self.kept]
        gain = ((1 - s) * (1 + s)) ** -0.5 - 1
        left += A @ (gain[:, None] * (A.T @ left))
        return left


def column_rounding(X: Array, eps: float | Array) -> Array:
    """What may be rounding in each column, as a norm over the samples.

    The digits in which it came have errors of its size about 0, and what is
    computed of it has errors of its size about the mean.
    """
    computed = max(X.shape) * FLOAT64_EPS * column_norms(centred(X))
    stored = ROUNDINGS * eps * column_norms(X)
    stored += np.finfo(float).tiny * len(X) ** 0.5
    return np.asarray(np.maximum(computed, stored))


def _telling(hat: Array) -> Integers:
    """Rows that span the others, the farthest first, and of equals the first.

    Which these are must not hang on the last digits.
    """
    left, chosen = hat.copy(), []
    for _ in range(hat.shape[1]):
        size = np.einsum("ij,ij->i", left, left)
        chosen.append(int(np.argmax(size >= (1 - 1e-6) * size.max())))
        direction = left[chosen[-1]] / size[chosen[-1]] ** 0.5
        left -= np.outer(left @ direction, direction)
    return np.array(chosen)
