"""Which rows may change places, the orders they come in, and what they say."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from perfalign._checks import (
    check_paired,
    check_row_labels,
    labelled,
)
from perfalign._types import Array, Integers, Labels, RandomState, View, Views
from perfalign.model_selection._group_labels import group_labels
from perfalign.model_selection._theil import Complement

# Where any pairing aligns perfectly, true and shuffled correlations are 1 up
# to rounding, and count as equal.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Shuffles:
    """Orders of rows under which nothing is changed but the pairs.

    Attributes
    ----------
    n_views : int
    blocks : list of ndarray
        Rows, one group a line, whose lines may change places.
    complement : Complement or None
        Makes the rows of a view, if nuisance variables are taken out first.
    random : RandomState
    """

    n_views: int
    blocks: list[Integers]
    complement: Complement | None
    random: np.random.RandomState

    @classmethod
    def of(
        cls,
        views: Views,
        groups: ArrayLike | None,
        nuisance: View | None,
        random_state: RandomState,
    ) -> "Shuffles":
        """Of the rows of paired views."""
        given, _, n_samples = check_paired(views)
        complement = None
        if nuisance is not None:
            if groups is not None:
                raise ValueError(
                    "Seen groups and nuisance variables; wanted one of them: "
                    "without the variables, rows are mixed of several groups "
                    "and no group can change places as a whole."
                )
            complement = Complement.of(nuisance, n_samples)
            check_row_labels(
                [labelled(given), nuisance], ["the view", "nuisance"]
            )
            n_samples = len(complement.kept)
        labels = group_labels(groups, n_samples, like=labelled(given))
        return cls(
            len(given),
            _exchangeable(labels),
            complement,
            check_random_state(random_state),
        )

    def orders(self, n_permutations: int) -> Iterator[list[Integers]]:
        """For each permutation an order for every view but the first.

        They are drawn one after the other, whoever computes with them.
        """
        for _ in range(n_permutations):
            yield [self._order() for _ in range(self.n_views - 1)]

    def _order(self) -> Integers:
        order = np.empty(sum(block.size for block in self.blocks), np.intp)
        for block in self.blocks:
            order[block] = block.take(self.random.permutation(len(block)), 0)
        return order


def _exchangeable(groups: Labels) -> list[Integers]:
    _, labels, sizes = np.unique(
        groups, return_inverse=True, return_counts=True
    )
    rows = np.argsort(labels, kind="stable")
    size_of_row = sizes[labels[rows]]
    blocks = [rows[size_of_row == s].reshape(-1, s) for s in np.unique(sizes)]
    if all(len(block) == 1 for block in blocks):
        raise ValueError(
            f"Groups can only change places with groups of their size, and "
            f"no two of these {len(sizes)} have the same."
        )
    return blocks


def share_as_large(
    statistics: Array | float, null: Array, size: float = 1.0
) -> Array:
    """P-values: (1 + b) / (1 + B) with b of B shuffles at least as large.

    Up to rounding in numbers of the given size.
    """
    exceeded = np.count_nonzero(null >= statistics - ROUNDING * size, axis=0)
    return np.asarray((1 + exceeded) / (1 + len(null)))
