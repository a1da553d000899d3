"""Matching and fitting in turns, from a rough beginning on."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from perfalign._checks import check_integer
from perfalign._linalg import centred
from perfalign._threads import one_blas_thread
from perfalign._types import Array
from perfalign.alignment import BaseAlignment, OverfitWarning
from perfalign.unpaired._matches import Found, Matching, mutual_matches


@dataclass(frozen=True, eq=False)
class Round:
    """An alignment, and what it was fitted to beside the known pairs.

    Attributes
    ----------
    alignment : BaseAlignment
        Fitted.
    matches : Matches, SoftMatches or None
        Of the singles; in the first round those that one began with.
    """

    alignment: BaseAlignment
    matches: Found | None


@one_blas_thread
def refined(
    alignment: BaseAlignment,
    singles: Sequence[Array],
    pairs: Sequence[Array],
    *,
    matches: Found | None = None,
    matching: Matching = mutual_matches,
    pair_weight: int = 1,
    n_rounds: int = 15,
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
    matches : Matches or SoftMatches, default=None
        Singles to begin with as if they were pairs.
    matching : callable, default=mutual_matches
        What finds matches by latents; or `soft_matches`.
    pair_weight : int, default=1
        So many matches a pair counts as.
    n_rounds : int, default=15

    Returns
    -------
    rounds : list of Round
        The first is fitted to what was known.

    Raises
    ------
    ValueError
        If there are to be more components than features of a view, and as
        the alignment.

    Notes
    -----
    What else is given is not checked: `SemiSupervisedAlignment` does, and asks
    pairs that were held out which round is best.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.baselines import ProcrustesAlignment
    >>> from perfalign.metrics import recall
    >>> from perfalign.unpaired import refined
    >>> rng = np.random.default_rng(0)
    >>> X = rng.exponential(size=(300, 8))
    >>> views = [X, X[:, ::-1] + 0.3 * rng.normal(size=(300, 8))]
    >>> rounds = refined(
    ...     ProcrustesAlignment(),
    ...     [view[6:] for view in views],
    ...     [view[:6] for view in views],
    ... )
    >>> for one in (rounds[0], rounds[-1]):
    ...     print(f"{recall(*one.alignment.transform(views)):.1f}")
    0.4
    0.9
    """
    known = [np.repeat(X, pair_weight, axis=0) for X in pairs]
    least = len(pairs[0]) + (len(matches.similarity) if matches else 0)
    most = full_width(alignment, singles)
    rounds: list[Round] = []
    for width in widths(max(1, min(least - 1, most)), most, n_rounds):
        if rounds:
            model = rounds[-1].alignment
            latents = (
                centred(np.asarray(model.transform_view(X, m), np.float64))
                for m, X in enumerate(singles)
            )
            matches = matching(*latents)
        joined = known
        if matches is not None:
            partners = matches.partners(*singles)
            joined = [np.vstack(both) for both in zip(known, partners)]
        rounds.append(Round(fitted(alignment, width, joined), matches))
    return rounds


def widths(least: int, most: int, n_rounds: int) -> list[int]:
    """Components of the start and of each round, growing by one factor."""
    way = np.minimum(1, np.arange(n_rounds + 1) / max(1, 0.8 * n_rounds))
    return [int(round(w)) for w in least * (most / least) ** way]


def full_width(alignment: BaseAlignment, views: Sequence[Array]) -> int:
    """Components that an alignment is to have in the end."""
    limit = min(X.shape[1] for X in views)
    given = alignment.get_params()["n_components"]
    return check_integer(
        limit if given is None else given,
        "n_components",
        most=limit,
        what=", the features of the smaller view",
    )


def fitted(
    alignment: BaseAlignment, n_components: int, views: Sequence[Array]
) -> BaseAlignment:
    """A clone with some components, fitted to what may be few items."""
    model: BaseAlignment = clone(alignment)
    model.set_params(n_components=n_components)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverfitWarning)
        return model.fit(list(views))
