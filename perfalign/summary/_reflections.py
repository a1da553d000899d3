"""Factors of rows, triangular by Householder's reflections.

They are LAPACK's of SciPy, which has threads where these repay; NumPy's has
threads of its own, and the two would keep each other waiting.
"""

import numpy as np
from scipy.linalg import bandwidth, lapack

from perfalign._types import Array

#: Columns that are reflected together.
PANEL = 32


def triangle(rows: Array) -> Array:
    """Triangular factor of a matrix; Fortran's order is overwritten."""
    n_rows, d = min(rows.shape), rows.shape[1]
    factored = lapack.dgeqrf(rows, lwork=PANEL * d, overwrite_a=True)[0]
    R = np.asfortranarray(factored[:n_rows])
    for j in range(n_rows - 1):
        # In place: a copy of a large triangle is large.
        R[j + 1 :, j] = 0
    return R


def reduced(rows: Array) -> Array:
    """Rows with the same inner products of columns, no more than columns.

    Fewer rows than columns are their own factor. Of others it is the triangle.
    """
    return rows if len(rows) < rows.shape[1] else triangle(rows)


def triangular(rows: Array) -> Array:
    """As `triangle`, of rows that may be one already."""
    if len(rows) < 2 or not bandwidth(rows)[0]:
        return np.asfortranarray(rows)
    return triangle(rows)


def eliminated(R: Array, rows: Array, n_triangular: int = 0) -> Array:
    """Factor of a square triangle and of rows below it; both overwritten.

    The last `n_triangular` of these rows are triangular themselves.
    """
    found: Array = lapack.dtpqrt(
        n_triangular,
        min(PANEL, len(R)),
        R,
        rows,
        overwrite_a=True,
        overwrite_b=True,
    )[0]
    return found
