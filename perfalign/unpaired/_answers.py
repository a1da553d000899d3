"""What starts came to: how well it fits, and which of it is the same."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from perfalign._types import Array

#: Rotations that send rows to directions of this mean cosine are one answer.
SAME = 0.7

#: Standard errors by which one answer must fit better than another.
BEYOND = 4.0


@dataclass(frozen=True, eq=False)
class Found:
    """What one start came to.

    Attributes
    ----------
    rotation : ndarray of shape (k, k)
    fit : float
    similarities : ndarray of shape (n_1 + n_2,)
        As those of `Solution`.
    """

    rotation: Array
    fit: float
    similarities: Array

    @classmethod
    def of(cls, rotation: Array, first: Array, second: Array) -> Self:
        """Judge a rotation by the rows that it brings together."""
        cosines = first @ rotation @ second.T
        forth, back = cosines.max(axis=1), cosines.max(axis=0)
        fit = float(forth.mean() + back.mean()) / 2
        return cls(rotation, fit, np.concatenate([forth, back]))


@dataclass(frozen=True, eq=False)
class Solution:
    """An answer to who is whose partner.

    Attributes
    ----------
    rotation : ndarray of shape (k, k)
        From the components of the first view to those of the second.
    fit : float
        Mean cosine of a row, of either view, and the one most similar to it
        in the other.
    n_starts : int
        Starts that came to this answer, of those that were made.
    similarities : ndarray of shape (n_1 + n_2,)
        Of which `fit` is the mean, view by view.
    """

    rotation: Array
    fit: float
    n_starts: int
    similarities: Array

    def fits_better(self, other: "Solution") -> bool:
        """Whether by more than standard errors of the rows' difference.

        Parameters
        ----------
        other : Solution

        Returns
        -------
        better : bool
        """
        more = self.similarities - other.similarities
        return bool(more.mean() > BEYOND * more.std() / len(more) ** 0.5)


def best_first(
    rotations: list[Array], first: Array, second: Array
) -> list[Found]:
    found = [Found.of(rotation, first, second) for rotation in rotations]
    return sorted(found, key=lambda one: -one.fit)


def distinct(found: list[Found], first: Array) -> list[Solution]:
    """Different answers, the best first, and how often each was found."""
    spread = first.T @ first / len(first)
    groups: list[list[Found]] = []
    for one in sorted(found, key=lambda one: -one.fit):
        for group in groups:
            if np.sum((spread @ group[0].rotation) * one.rotation) > SAME:
                group.append(one)
                break
        else:
            groups.append([one])
    return [
        Solution(
            group[0].rotation,
            group[0].fit,
            len(group),
            group[0].similarities,
        )
        for group in groups
    ]
