"""Matching and fitting in turns, first among parts of all rows."""

import numpy as np

from perfalign._types import Array
from perfalign.unpaired._matches import mutual_matches
from perfalign.unpaired._starts import rotation_of

#: Share of all pairs of rows that is looked at, in the first round and the
#: last of those that forget.
SHARES = 0.1, 1.0

#: Rounds on all rows at most, after these.
N_LAST = 4


def _part(n: int, share: float) -> int:
    """Rows of a view that leave this share of all pairs of rows."""
    return max(2, int(np.ceil(n * share**0.5)))


def _turned(rotation: Array, first: Array, second: Array) -> Array:
    """The rotation that fits those best whom another one matches."""
    found = mutual_matches(first @ rotation, second)
    return rotation_of(first[found.first], second[found.second])


def forgetful(
    rotation: Array,
    first: Array,
    second: Array,
    n_rounds: int,
    rng: np.random.Generator,
) -> Array:
    """The rotation after rounds of matching and fitting.

    Parameters
    ----------
    rotation : ndarray of shape (k, k)
        To begin with.
    first, second : ndarray of shape (n_m, k)
        With rows of unit length.
    n_rounds : int
        Rounds among parts of all pairs of rows.
    rng : Generator

    Returns
    -------
    rotation : ndarray of shape (k, k)
    """
    for share in np.linspace(*SHARES, n_rounds):
        rows = [
            np.sort(rng.permutation(len(X))[: _part(len(X), share)])
            for X in (first, second)
        ]
        rotation = _turned(rotation, first[rows[0]], second[rows[1]])
    return _settled(rotation, first, second)


def _settled(rotation: Array, first: Array, second: Array) -> Array:
    """Rounds on all rows, until matches and so the rotation stay."""
    for _ in range(N_LAST):
        last, rotation = rotation, _turned(rotation, first, second)
        if np.allclose(last, rotation, atol=1e-12):
            break
    return rotation
