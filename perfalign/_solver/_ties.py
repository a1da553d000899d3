r"""One definite basis where singular vectors leave the choice open.

Singular vectors are unique up to sign, and within a tie of singular values up
to rotation. Perfect alignment is one large tie: every perfect component has
the same singular value. The principal gauge settles both freedoms by rules
that depend on the data alone, so that the same data give the same encoders
on every machine, unless tied components explain equally much: the rotation
among these stays open.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from perfalign._linalg import eigh
from perfalign._types import Array, Integers

# Entries this close to the largest are taken as equally large, so that
# rounding cannot decide which of them fixes the sign.
SIGN_RTOL = 1e-6
# Misfits closer than this share of themselves are tied.
TIE_RTOL = np.finfo(float).eps ** 0.5


def tied_groups(misfits: ArrayLike, n_perfect: int) -> Iterator[Integers]:
    """Split ascending misfits where neighbours differ.

    Parameters
    ----------
    misfits : ndarray of shape (K,)
        Ascending.
    n_perfect : int
        The first so many are rounding, tied whatever their size, and not
        with the next. Others are tied if they are no further apart than
        1.5e-8 of the larger one; ties chain.

    Yields
    ------
    group : ndarray of int
        The positions of each tie, in order.

    Examples
    --------
    >>> misfits = [1e-16, 3e-15, 1e-12, 0.5, 0.5]
    >>> [group.tolist() for group in tied_groups(misfits, 2)]
    [[0, 1], [2], [3, 4]]
    """
    values = np.asarray(misfits).tolist()
    start = 0
    for j in range(1, len(values)):
        apart = values[j] - values[j - 1] > TIE_RTOL * values[j]
        if j == n_perfect or (j > n_perfect and apart):
            yield np.arange(start, j)
            start = j
    yield np.arange(start, len(values))


def principal_rotation(moment: Array, groups: Iterable[Integers]) -> Array:
    r"""Rotation that diagonalises a moment within each tie, descending.

    Parameters
    ----------
    moment : ndarray of shape (K, K)
        Symmetric; how much of the data the components explain, jointly.
    groups : iterable of ndarray of int
        The ties; components of different groups are not mixed.

    Returns
    -------
    rotation : ndarray of shape (K, K)
        Block-diagonal and orthogonal: new component j is column j.

    Examples
    --------
    >>> import numpy as np
    >>> moment = np.array([[1.0, 1.0], [1.0, 1.0]])
    >>> G = principal_rotation(moment, [np.arange(2)])
    >>> print(np.abs((G.T @ moment @ G).round(6)))
    [[2. 0.]
     [0. 0.]]
    """
    rotation = np.eye(len(moment))
    for group in groups:
        if len(group) > 1:
            block = np.ix_(group, group)
            rotation[block] = eigh(moment[block])[1][:, ::-1]
    return rotation


def joint_signs(encoder: Array) -> Array:
    """Sign of each row's largest entry; the first of nearly equal ones.

    Parameters
    ----------
    encoder : ndarray of shape (k, d)
        The stacked encoder: one sign serves all views, or they would part.

    Returns
    -------
    signs : ndarray of shape (k,)
        Each 1.0 or −1.0; a row of zeros keeps its sign.

    Examples
    --------
    >>> import numpy as np
    >>> print(joint_signs(np.array([[1.0, -2.0], [3.0, 3.0]])))
    [-1.  1.]
    """
    sizes, signs = np.abs(encoder), []
    for i in range(len(encoder)):
        size = sizes[i]
        nearly = size >= (1 - SIGN_RTOL) * size.item(size.argmax())
        signs.append(-1.0 if encoder.item(i, nearly.argmax()) < 0 else 1.0)
    return np.array(signs)
