"""An alignment that learns from items whose partner nobody knows."""

from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.preprocessing import normalize
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import UNUSED

from perfalign._checks import (
    Signature,
    check_estimator,
    check_parameters,
    check_view,
    check_views,
    named,
    warn,
)
from perfalign._linalg import centred
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Floats, RandomState, Views
from perfalign.alignment import BaseAlignment, MetaAlignment
from perfalign.unpaired._matches import (
    Matching,
    mutual_matches,
    soft_matches,
)
from perfalign.unpaired._refinement import Round, full_width, refined

#: Pairs that are never held out. Two determine a line, on which singles have
#: one of two directions, and matches leave all further components to rounding.
LEAST = 3

#: Cosines that differ by less are equal.
ROUNDING = 1e-12


class SinglesWarning(UserWarning):
    """Items without a partner were of no use, and were left out."""


class SemiSupervisedAlignment(MetaAlignment):
    r"""A few pairs, and many items of either view alone.

    The alignment is fitted to the pairs. Then singles, items of one view
    whose partner in the other is unknown, are matched by their latents, it is
    fitted to pairs and matches, and so on. Each round compares more
    components than the last, from as many as the pairs determine to all.

    Whether that helps depends on how alike the two views are in shape, and no
    fit shows it by itself. So some pairs are held out in turn, and in the
    best round their partners are nearest,

    .. math:: \min \; \operatorname{mean} \log \mathrm{rank}

    among all singles and the pairs held out, by cosine. The last round is
    taken that is worse by no more than a standard error. If the alignment of
    the pairs alone is no worse than that, the singles are left out, and a
    warning says so.

    Parameters
    ----------
    alignment : BaseAlignment
        For two views, with a parameter ``n_components``, and the best aligned
        components first: `PerfectAlignment`, whose ridge should be large
        where pairs are few, or `ProcrustesAlignment`.
    matching : {"soft", "mutual"}, default="soft"
        How singles are matched: each with the mean of its likely partners
        (`soft_matches`), or one with one, if they are each other's nearest
        (`mutual_matches`). The former helps, though less, where views are
        alike in their coarse shape alone.
    reg : float, default=0.05
        Weight of the entropy of soft matches, as in `soft_matches`.
    pair_weight : int, default=10
        So many matches a pair counts as.
    n_rounds : int, default=12
        At most.
    cv : int, default=3
        Parts in which pairs are held out; as many as pairs, if less than
        three pairs would be left.
    random_state : int, RandomState instance or None, default=None
        Divides the pairs.

    Attributes
    ----------
    alignment_ : BaseAlignment
        The alignment of the round that was chosen.
    round_ : int
        Its number; 0 if the singles were left out. In early rounds there are
        fewer components than were asked for.
    held_out_ : ndarray of shape (n_pairs, n_rounds + 1)
        Mean log rank of each pair, when it was held out, after each round.
        Only there if there were singles.
    similarity_ : float
        Of the matches that it was fitted to: mean cosine of an item with its
        soft matches, or mean scaled similarity of mutual ones. Only there if
        singles were taken.

    Notes
    -----
    Cost of a round: O(n₁ n₂ k) for n₁ and n₂ singles, and a fit; all rounds
    are run cv + 1 times. What is known of each view by itself, such as
    principal components, is best found from pairs and singles together,
    before. The unit of a column counts if it does for the alignment.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.baselines import ProcrustesAlignment
    >>> from perfalign.metrics import recall
    >>> from perfalign.unpaired import SemiSupervisedAlignment
    >>> rng = np.random.default_rng(0)
    >>> X = rng.exponential(size=(300, 8))
    >>> Y = X[:, ::-1] + 0.3 * rng.normal(size=(300, 8))
    >>> shuffled = rng.permutation(np.arange(6, 300))
    >>> few = [X[:6], Y[:6]]
    >>> semi = SemiSupervisedAlignment(ProcrustesAlignment(8), random_state=0)
    >>> semi = semi.fit(few, singles=[X[6:], Y[shuffled]])
    >>> for alignment in (ProcrustesAlignment(5).fit(few), semi):
    ...     print(f"{recall(*alignment.transform([X, Y])):.1f}")
    0.4
    0.9
    """

    __metadata_request__fit = {"views": UNUSED, "singles": UNUSED}

    _parameter_constraints = {
        "matching": [StrOptions({"soft", "mutual"})],
        "reg": [Interval(Real, 0, None, closed="neither")],
        "pair_weight": [Interval(Integral, 1, None, closed="left")],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        alignment: BaseAlignment,
        *,
        matching: str = "soft",
        reg: float = 0.05,
        pair_weight: int = 10,
        n_rounds: int = 12,
        cv: int = 3,
        random_state: RandomState = None,
    ) -> None:
        self.alignment = alignment
        self.matching = matching
        self.reg = reg
        self.pair_weight = pair_weight
        self.n_rounds = n_rounds
        self.cv = cv
        self.random_state = random_state

    @one_blas_thread
    def fit(
        self, views: Views, y: Any = None, singles: Views | None = None
    ) -> Self:
        """Align pairs, and singles with them.

        Parameters
        ----------
        views : list or dict of two array-like (n_pairs, n_features_m)
            The pairs: row i of each belongs to item i.
        y : None
            Ignored; no labels are used.
        singles : list or dict of two array-like (n_singles_m, n_features_m)
            Further items of each view, in any order, as many as there are.
            Without them the alignment is fitted to the pairs.

        Returns
        -------
        self : SemiSupervisedAlignment

        Raises
        ------
        ValueError
            If parameters are invalid, there are other than two views or fewer
            than four pairs, more components are wanted than a view has
            features, singles of a view are none or have other features than
            the view, and as the alignment.

        Warns
        -----
        SinglesWarning
            If the singles do not help.
        """
        check_parameters(self)
        check_estimator(
            self.alignment, "alignment", ["fit", "transform", "n_components"]
        )
        pairs, _ = check_views(views)
        signature = Signature.of(views)
        if len(pairs) != 2:
            raise ValueError(
                f"SemiSupervisedAlignment aligns two views; seen {len(pairs)}."
            )
        if len(pairs[0]) <= LEAST:
            raise ValueError(
                f"views have {len(pairs[0])} rows; wanted four pairs or "
                "more, of which some can be held out."
            )
        number, logs = 0, None
        if singles is None:
            # As they came: their precision decides what counts as rank.
            chosen = Round(clone(self.alignment).fit(views), None)
        else:
            alone = _checked(singles, signature)
            # Refused before some pairs are held out, which is not to blame.
            full_width(self.alignment, pairs)
            logs = self._held_out(pairs, alone)
            number = self._chosen(logs)
            n_rounds = self.n_rounds * (number > 0)
            chosen = self._rounds(pairs, alone, n_rounds)[number]
        # What was fitted before stays if this fit fails.
        for name in ("held_out_", "similarity_"):
            self.__dict__.pop(name, None)
        self.alignment_, self.round_ = chosen.alignment, number
        self.signature_ = signature
        if logs is not None:
            self.held_out_ = logs
        if chosen.matches is not None:
            self.similarity_ = float(np.mean(chosen.matches.similarity))
        return self

    # The parts that singles are joined to have no names; this signature does.
    transform = BaseAlignment.transform
    transform_view = BaseAlignment.transform_view

    def decode(self, latents: ArrayLike, view: int | str) -> Floats:
        self.check_fitted()
        return super().decode(latents, self.signature_.position(view))

    def _rounds(
        self, pairs: list[Array], singles: list[Array], n_rounds: int
    ) -> list[Round]:
        ways: dict[str, Matching] = {
            "soft": partial(soft_matches, reg=self.reg),
            "mutual": mutual_matches,
        }
        return refined(
            self.alignment,
            singles,
            pairs,
            matching=ways[self.matching],
            pair_weight=self.pair_weight,
            n_rounds=n_rounds,
        )

    def _held_out(self, pairs: list[Array], singles: list[Array]) -> Array:
        """Mean log rank of each pair, held out, after each round."""
        n = len(pairs[0])
        few = n - np.ceil(n / self.cv) < LEAST
        folds = KFold(
            n if few else self.cv,
            shuffle=True,
            random_state=check_random_state(self.random_state),
        )
        logs = np.empty((n, self.n_rounds + 1))
        for kept, out in folds.split(pairs[0]):
            # Partners that were parted are singles like all others.
            everyone = [
                np.vstack([X[out], alone]) for X, alone in zip(pairs, singles)
            ]
            known = [X[kept] for X in pairs]
            try:
                rounds = self._rounds(known, everyone, self.n_rounds)
            except ValueError as error:
                raise ValueError(
                    f"With {len(out)} of {n} pairs held out: {error}"
                ) from error
            for r, one in enumerate(rounds):
                logs[out, r] = _log_ranks(one.alignment, everyone, len(out))
        return logs

    def _chosen(self, logs: Array) -> int:
        """The last round that is about the best, if that is worth it."""
        best = int(np.argmin(logs.mean(axis=0)))
        lost = logs - logs[:, [best]]
        error = lost.std(axis=0, ddof=1) / np.sqrt(len(lost))
        near = lost.mean(axis=0) <= error
        if not near[0]:
            return int(np.flatnonzero(near)[-1])
        before, after = np.exp(logs[:, [0, -1]].mean(axis=0))
        warn(
            "The singles were left out: a partner held out is found at rank "
            f"{before:.0f}, typically, by the pairs alone, and at rank "
            f"{after:.0f} after {self.n_rounds} rounds of matching singles. "
            "Either so few pairs are too rough a start, or the two views are "
            "not alike in shape.",
            SinglesWarning,
        )
        return 0


def _checked(singles: Views, signature: Signature) -> list[Array]:
    """Singles in the order of the views, with the features of these."""
    try:
        listed = signature.in_order(singles)
    except ValueError as error:
        raise named(error, "singles") from error
    return [
        check_view(
            X, f"singles[{signature.name(m)!r}]", **signature.wanted(m)
        )[0]
        for m, X in enumerate(listed)
    ]


def _log_ranks(
    alignment: BaseAlignment, views: list[Array], n_pairs: int
) -> Array:
    """Of the partners in the first rows, by cosine, in both directions."""
    u, v = (
        normalize(centred(np.asarray(alignment.transform_view(X, m), float)))
        for m, X in enumerate(views)
    )
    own = np.sum(u[:n_pairs] * v[:n_pairs], axis=1, keepdims=True)
    logs = []
    for one, other in ((u, v), (v, u)):
        cosines = one[:n_pairs] @ other.T
        # Rounding apart; those that tie with the partner share their places.
        nearer = np.sum(cosines > own + ROUNDING, axis=1)
        as_near = np.sum(cosines >= own - ROUNDING, axis=1)
        logs.append(np.log((1 + nearer + as_near) / 2))
    return np.asarray(np.mean(logs, axis=0))
