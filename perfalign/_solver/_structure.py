"""The views in whitened coordinates, and how far they agree there."""

from bisect import bisect
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from perfalign._checks import FLOAT64_EPS, check_number
from perfalign._linalg import each, singular_values
from perfalign._solver._coordinates import encoders_of, whiten
from perfalign._solver._stack import contrast_stack, whitened_system
from perfalign._types import Array
from perfalign.summary import StackedSummary, Summary

#: Error of a singular value, as a share of the largest, with a margin.
SLACK = 64 * FLOAT64_EPS


class SharedStructure:
    """The views in whitened coordinates, and how far they agree there.

    `rounding` is, for each view, what may be no more than rounding in each
    feature. In these units what is not above `least` is no signal, and two
    combinations of features that differ by no more are one signal.
    """

    def __init__(self, summary: Summary, center: bool, rtol: float):
        self.summary, self.center, self.rtol = summary, center, rtol
        self.rounding = summary.rounding(rtol, center)
        # Rounding in all features at once may add up to so much in a
        # direction.
        share = sum(summary.n_features) / summary.n_counted
        self.least = float(1 + share**0.5)
        self.whitened = each(
            whiten,
            summary.blocks(center),
            self.rounding,
            repeat(self.least),
            summary.split(summary.spreads if center else summary.norms()),
        )
        self.ranks = tuple(view.rank for view in self.whitened)

    @property
    def stack(self) -> Array:
        """The contrast stack of the whitened views."""
        return contrast_stack(
            [view.U for view in self.whitened], self.summary.contrasts
        )

    @cached_property
    def system(self) -> tuple[Array, Array]:
        """Singular values and left singular vectors of the stack."""
        bases = [view.U for view in self.whitened]
        return whitened_system(bases, self.summary.contrasts)

    @property
    def singular_values(self) -> Array:
        return self.system[0]

    @cached_property
    def shared_dimension(self) -> int:
        """Σ r_m less the rank of the stack of the signals.

        That is, *before* they are whitened, every feature in units of its
        rounding, all with one and the same cut. A further feature raises each
        of these ranks by one at most (singular values interlace), and so the
        shared dimension; the cut itself moves with the number of features by
        a trifle.
        """
        # Rows are scaled by what is between the least and the largest s, and
        # so are singular values (Ostrowski).
        s = [value for view in self.whitened for value in view.s.tolist()]
        if not s:
            return 0
        ascending = self.singular_values[::-1].tolist()
        slack = SLACK * ascending[-1]
        shared = bisect(ascending, self.least / min(s) + slack)
        if shared > bisect(ascending, self.least / max(s) - slack):
            signals = np.array(s)[:, np.newaxis] * self.stack
            joint = np.count_nonzero(singular_values(signals) > self.least)
            shared = len(s) - int(joint)
        return shared

    @property
    def vacuous_dimension(self) -> int:
        """Signals that any pairing shares: Σ r_m − (M − 1) n', if positive."""
        freedom = self.summary.degrees_of_freedom(self.center)
        return max(0, sum(self.ranks) - freedom)

    def correlations(self, singular_values: Array) -> Array:
        """1 − σ²/σ_0², largest first: one for each possible component.

        σ_0², here M − 1 or 1, is what a latent of one view alone costs.
        """
        smallest = singular_values[: -min(self.ranks) - 1 : -1]
        of_first = self.summary.contrasts[:, 0]
        alone: float = of_first.dot(of_first)
        return 1.0 - smallest**2 / alone

    def informative_rows(self) -> list[Array]:
        """Encoder rows, one list a view, that span the shared signals."""
        null = self.system[1][:, len(self.system[1]) - self.shared_dimension :]
        return encoders_of(self.whitened, null)


def shared_structure(
    views: Any, center: bool = True, rtol: float | None = None
) -> SharedStructure:
    """Whiten the views and decompose their contrast stack.

    Parameters
    ----------
    views : list of array-like or summary
    center : bool, default=True
    rtol : float, default=None
        Relative rank tolerance: the share of a feature's norm that counts as
        its rounding, where the feature is not known less well.

    Returns
    -------
    structure : SharedStructure

    Raises
    ------
    ValueError
        If a view does not vary at all.
    """
    if rtol is not None:
        rtol = check_number(rtol, "rtol", 0, 1)
    summary = views
    if not isinstance(views, Summary):
        summary = StackedSummary.from_views(views)
    structure = SharedStructure(
        summary, center, summary.default_rtol() if rtol is None else rtol
    )
    if not center or 0 in structure.ranks:
        _check_varying(summary, structure.rtol)
    return structure


def _check_varying(summary: Summary, rtol: float) -> None:
    spreads = summary.split(summary.spreads)
    for m, (spread, least) in enumerate(zip(spreads, summary.rounding(rtol))):
        if not np.any(spread > least):
            raise ValueError(
                f"view {m} does not vary: all its samples are equal, up to "
                "rounding, so there is nothing to align."
            )
