"""Questions with options, each of which carries its reason."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import ascii_lowercase
from typing import Any

from perfalign.book.exercises._question import Case, Question
from perfalign.book.exercises._verdict import Verdict


@dataclass(frozen=True)
class Choice(Question):
    """A question, and options as (text, reason, right)."""

    question: str
    options: tuple[tuple[str, str, bool], ...]

    def right(self) -> Callable[[], str]:
        return self._letters(True)[0][0]

    def wrong(self) -> Sequence[tuple[Callable[[], str], str]]:
        return self._letters(False)

    def _letters(self, wanted: bool) -> list[tuple[Callable[[], str], str]]:
        return [
            (_answer(letter), reason)
            for letter, (_, reason, right) in zip(
                ascii_lowercase, self.options
            )
            if right is wanted
        ]

    def text(self) -> str:
        lines = [
            f"  ({letter}) {text}"
            for letter, (text, _, _) in zip(ascii_lowercase, self.options)
        ]
        return "\n".join([self.question, *lines])

    def verdict(self, *answer: object, case: Case = ()) -> Verdict:
        letters = tuple(ascii_lowercase[: len(self.options)])
        letter = ""
        if len(answer) == 1 and isinstance(answer[0], str):
            letter = answer[0].strip(" ()").lower()
        if letter not in letters:
            given = ", ".join(repr(part) for part in answer) or "nothing"
            raise ValueError(
                f"The answer is one of the letters {', '.join(letters)}, "
                f"as a string; got {given}."
            )
        _, reason, right = self.options[letters.index(letter)]
        return Verdict(right, reason)

    def offers(self) -> list[str]:
        return [text for text, _, _ in self.options]

    def data(self) -> dict[str, Any]:
        """All that the page needs in order to say the same."""
        verdicts = [
            repr(Verdict(right, why)) for _, why, right in self.options
        ]
        return {"kind": "choice", "verdicts": verdicts}


def _answer(letter: str) -> Callable[[], str]:
    return lambda: letter


def read_choices() -> dict[str, Choice]:
    """The questions of ``questions.toml`` by their numbers."""
    source = files("perfalign.book.exercises") / "questions.toml"
    stored: dict[str, Any] = tomllib.loads(source.read_text("utf-8"))
    return {
        number: Choice(
            entry["question"],
            tuple(
                (option["text"], option["reason"], option.get("right", False))
                for option in entry["options"]
            ),
        )
        for number, entry in stored.items()
    }
