"""Matching and fitting in turns, from a rough beginning on."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from perfalign._linalg import centred
from perfalign._types import Array
from perfalign.alignment import BaseAlignment, OverfitWarning
from perfalign.unpaired._matches import Matches, mutual_matches


@dataclass(frozen=True, eq=False)
class Round:
    """An alignment, and what it was fitted to beside the known pairs.

    Attributes
    ----------
    alignment : BaseAlignment
        Fitted.
    matches : Matches
        Rows of the singles; in the first round those that one began with.
    """

    alignment: BaseAlignment
    matches: Matches


def refined(
    alignment: Any,
    singles: Sequence[Array],
    pairs: Sequence[Array],
    *,
    matches: Matches | None = None,
    pair_weight: int = 1,
    n_rounds: int = 20,
) -> list[Round]:
    """Rounds of matching singles by latents and fitting to the matches.

    Of few pairs, few directions are known, and singles that are compared in
    all others as well are compared by chance. So each round fits and compares
    some components more than the last: first as many as the pairs determine,
    in the end, after four fifths of the rounds, all.

    Parameters
    ----------
    alignment : BaseAlignment
        With a parameter ``n_components``, the best components first.
    singles : list of two ndarray of shape (n_singles_m, n_features_m)
    pairs : list of two ndarray of shape (n_pairs, n_features_m)
    matches : Matches, default=None
        Singles to begin with as if they were pairs.
    pair_weight : int, default=1
        So many matches a pair counts as.
    n_rounds : int, default=20

    Returns
    -------
    rounds : list of Round
        The first is fitted to what was known.
    """
    nobody = np.zeros(0, dtype=np.intp)
    found = matches or Matches(nobody, nobody, nobody.astype(float))
    least, most = len(pairs[0]) + len(found), full_width(alignment, singles)
    known = [np.repeat(X, pair_weight, axis=0) for X in pairs]
    rounds: list[Round] = []
    for width in widths(max(1, min(least - 1, most)), most, n_rounds):
        if rounds:
            model = rounds[-1].alignment
            latents = (
                centred(np.asarray(model.transform_view(X, m), np.float64))
                for m, X in enumerate(singles)
            )
            found = mutual_matches(*latents)
        joined = [
            np.vstack([pair, X[rows]])
            for pair, X, rows in zip(
                known, singles, (found.first, found.second)
            )
        ]
        rounds.append(Round(fitted(alignment, width, joined), found))
    return rounds


def widths(least: int, most: int, n_rounds: int) -> list[int]:
    """Components of the start and of each round, growing by one factor."""
    way = np.minimum(1, np.arange(n_rounds + 1) / max(1, 0.8 * n_rounds))
    return [int(round(w)) for w in least * (most / least) ** way]


def full_width(alignment: Any, views: Sequence[Array]) -> int:
    """Components that an alignment is to have in the end."""
    limit = min(X.shape[1] for X in views)
    return int(min(alignment.n_components or limit, limit))


def fitted(
    alignment: Any, n_components: int, views: Sequence[Array]
) -> BaseAlignment:
    """A clone with some components, fitted to what may be few items."""
    model: BaseAlignment = clone(alignment)
    model.set_params(n_components=n_components)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverfitWarning)
        return model.fit(list(views))
