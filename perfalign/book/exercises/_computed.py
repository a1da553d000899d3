"""Questions whose answer is computed, by the definition, when it is asked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.exercises._question import Case, Question
from perfalign.book.exercises._verdict import Verdict

Numbers = Callable[..., ArrayLike]

PARTLY = "Only the numbers at place {} are right."
UNKNOWN = (
    "No mistake that we know leads there. Write the definition down and put "
    "the numbers in one by one."
)


@dataclass(frozen=True)
class Computed(Question):
    """A question, its numbers, and numbers of typical mistakes with reasons.

    An answer counts as a number if it is within `rtol` of it: the reader may
    round. The page calls each number by its label.
    """

    question: str
    solution: Numbers
    reason: str
    mistakes: Sequence[tuple[Numbers, str]] = ()
    others: Sequence[Case] = ()
    rtol: float = 0.01
    labels: tuple[str, ...] = ("your number",)

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
        for numbers, verdict in self._known(right, case):
            if self._same(given, numbers):
                return verdict
        good = [
            str(i + 1)
            for i in range(len(right))
            if self._same(given[i : i + 1], right[i : i + 1])
        ]
        if good:
            return Verdict(False, PARTLY.format(", ".join(good)))
        return Verdict(False, UNKNOWN)

    def offers(self) -> list[str]:
        return list(self.labels)

    def data(self) -> dict[str, Any]:
        """All that the page needs in order to say the same."""
        right = np.ravel(self.solution()).astype(float)
        return {
            "kind": "computed",
            "fields": [{"label": label} for label in self.labels],
            "known": [
                [np.broadcast_to(numbers, right.shape).tolist(), repr(verdict)]
                for numbers, verdict in self._known(right)
            ],
            "partly": repr(Verdict(False, PARTLY)),
            "unknown": repr(Verdict(False, UNKNOWN)),
            "rtol": self.rtol,
        }

    def _known(
        self, right: Array, case: Case = ()
    ) -> Iterator[tuple[Array, Verdict]]:
        """The right numbers, listed mistakes, and what anybody's slip gives,
        whatever the question."""
        yield right, Verdict(True, self.reason)
        for wrong, reason in self.mistakes:
            yield np.ravel(wrong(*case)), Verdict(False, reason)
        slips = {
            "Right but for the sign.": -right,
            "The right number squared: take the root.": right**2,
            "The root of the right number.": np.sqrt(np.abs(right)),
            "The inverse of the right number.": 1 / np.where(right, right, 1),
            "A hundred times too much: per cent are written as a share.": (
                100 * right
            ),
        }
        for reason, numbers in slips.items():
            yield numbers, Verdict(False, reason)

    def _same(self, given: Array, number: Array) -> bool:
        return np.allclose(given, number, rtol=self.rtol, atol=1e-9)


def real(numbers: object) -> Array:
    """An array of real numbers; neither words nor dates pass for numbers."""
    given = np.asarray(numbers)
    if given.dtype.kind not in "iufO":
        raise TypeError(f"no real numbers, {given.dtype}")
    return given.astype(float)
