"""Questions whose answer is computed, by the definition, when it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.exercises._verdict import Verdict

Numbers = Callable[[], ArrayLike]


@dataclass(frozen=True)
class Computed:
    """A question, its numbers, and numbers of typical mistakes with reasons.

    An answer counts as a number if it is within `rtol` of it: the reader may
    round.
    """

    question: str
    solution: Numbers
    reason: str
    mistakes: Sequence[tuple[Numbers, str]] = ()
    rtol: float = 0.01

    def text(self) -> str:
        count = np.size(self.solution())
        numbers = "a number" if count == 1 else f"{count} numbers, in order"
        return f"{self.question}\n  (Answer with {numbers}.)"

    def verdict(self, *answer: object) -> Verdict:
        right = _row(self.solution())
        try:
            given = _row(answer)
        except (TypeError, ValueError):
            given = np.array([np.nan])
        if len(given) != len(right):
            return Verdict(
                False,
                f"The answer is {len(right)} "
                f"number{'s' * (len(right) > 1)}; got {len(given)}.",
            )
        if not np.isfinite(given).all():
            raise ValueError(
                f"The answer must be finite real numbers; got {answer!r}."
            )
        if self._same(given, right):
            return Verdict(True, self.reason)
        for wrong, reason in self.mistakes:
            if self._same(given, _row(wrong())):
                return Verdict(False, reason)
        return Verdict(False, self._unlisted(given, right))

    def _same(self, given: Array, number: Array) -> bool:
        return np.allclose(given, number, rtol=self.rtol, atol=1e-9)

    def _unlisted(self, given: Array, right: Array) -> str:
        """What anybody's slip looks like, whatever the question."""
        slips = {
            "Right but for the sign.": -right,
            "The right number squared: take the root.": right**2,
            "The root of the right number.": np.sqrt(np.abs(right)),
            "The inverse of the right number.": 1 / np.where(right, right, 1),
            "Per cent are asked for as a share.": 100 * right,
            "Degrees are asked for, these look like radians.": np.radians(
                right
            ),
        }
        for slip, numbers in slips.items():
            if self._same(given, numbers):
                return slip
        if len(right) > 1:
            good = [
                i + 1
                for i in range(len(right))
                if self._same(given[i : i + 1], right[i : i + 1])
            ]
            if good:
                places = ", ".join(map(str, good))
                return f"Only the numbers at place {places} are right."
        return (
            "No mistake that we know leads there. Write the definition down "
            "and put the numbers in one by one."
        )


def _row(numbers: object) -> Array:
    """One row of numbers, however they were given."""
    row = np.asarray(numbers, dtype=float).ravel()
    return np.asarray(row)
