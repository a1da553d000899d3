"""What every question has: a right answer, and wrong ones with reasons."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from perfalign.book.exercises._verdict import Verdict

Case = tuple[Any, ...]


class Question(ABC):
    """A question, how it is solved, and how it is typically missed.

    Right and wrong answers are functions of the numbers in the question,
    which are their defaults. `others` are other numbers, for which the same
    is asked when answers are graded.
    """

    question: str
    others: Sequence[Case] = ()

    @abstractmethod
    def right(self) -> Callable[..., Any]:
        """A right answer."""

    @abstractmethod
    def wrong(self) -> Sequence[tuple[Callable[..., Any], str]]:
        """Wrong answers, and what is wrong with them."""

    @abstractmethod
    def text(self) -> str:
        """What is asked, and what kind of answer."""

    @abstractmethod
    def verdict(self, *answer: object, case: Case = ()) -> Verdict:
        """What is said of an answer, by default to what the text asks."""

    def said(self, *answer: object, case: Case = ()) -> Verdict:
        """The verdict; an answer may be a function of the numbers, or dots."""
        if len(answer) == 1 and callable(answer[0]):
            answer = (answer[0](*(case or self.numbers.values())),)
        if _has_dots(answer):
            return Verdict(False, "No answer yet: replace the dots.")
        return self.verdict(*answer, case=case)

    @property
    def numbers(self) -> dict[str, Any]:
        """What the numbers in the question are called, and what they are."""
        return {
            parameter.name: parameter.default
            for parameter in signature(self.right()).parameters.values()
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        }

    @property
    def points(self) -> int:
        """Points for the numbers in the question, and for all others."""
        return 1 + bool(self.others)

    def function(self) -> str:
        """That a function of these numbers is an answer, too, if it is."""
        if not self.others:
            return ""
        return f", or with a function of {', '.join(self.numbers)}"


def _has_dots(answer: object) -> bool:
    if isinstance(answer, (list, tuple)):
        return any(map(_has_dots, answer))
    return answer is ...
