"""Questions whose answer is computed, by the definition, when it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.exercises._question import Case, Question
from perfalign.book.exercises._verdict import Verdict

Numbers = Callable[..., ArrayLike]


@dataclass(frozen=True)
class Computed(Question):
    """A question, its numbers, and numbers of typical mistakes with reasons.

    An answer counts as a number if it is within `rtol` of it: the reader may
    round.
    """

    question: str
    solution: Numbers
    reason: str
    mistakes: Sequence[tuple[Numbers, str]] = ()
    others: Sequence[Case] = ()
    rtol: float = 0.01

    def right(self) -> Numbers:
        return self.solution

    def wrong(self) -> Sequence[tuple[Numbers, str]]:
        return self.mistakes

    def text(self) -> str:
        count = np.size(self.solution())
        numbers = "a number" if count == 1 else f"{count} numbers, in order"
        return f"{self.question}\n  (Answer with {numbers}{self.function()}.)"

    def verdict(self, *answer: object, case: Case = ()) -> Verdict:
        right = np.ravel(self.solution(*case)).astype(float)
        try:
            given = real(answer).ravel()
        except (TypeError, ValueError, OverflowError):
            given = np.full(len(right), np.nan)
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
            if self._same(given, np.ravel(wrong(*case))):
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
            "A hundred times too much: per cent are written as a share.": (
                100 * right
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


def real(numbers: object) -> Array:
    """An array of real numbers; neither words nor dates pass for numbers."""
    given = np.asarray(numbers)
    if given.dtype.kind not in "iufO":
        raise TypeError(f"no real numbers, {given.dtype}")
    return given.astype(float)
