"""What can be asked: a choice, numbers, an order; and what is said of it.

``_static/verdict.js`` says the same in the page; a test compares them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from math import inf
from typing import Any

#: A number, the range from one to another, or whatever it is.
Said = float | list[float] | str


@dataclass(frozen=True)
class Choice:
    """Options as (text, reason), and the number of the right one."""

    options: tuple[tuple[str, str], ...]
    right: int

    def offers(self) -> list[str]:
        return [text for text, _ in self.options]

    def verdict(self, answer: int) -> str:
        said, reason = self.options[answer]
        if answer == self.right:
            return f"You said “{said}”, and so it is. {reason}"
        is_so = self.options[self.right][0]
        return f"You said “{said}”. It is “{is_so}”. {reason}"

    def data(self) -> dict[str, Any]:
        verdicts = [self.verdict(i) for i in range(len(self.options))]
        return {"kind": "choice", "right": self.right, "verdicts": verdicts}


@dataclass(frozen=True)
class Field:
    """A number that is asked for; it is right to within `tol`."""

    label: str
    answer: float
    unit: str = ""
    tol: float = 0

    def value(self, number: float | str) -> str:
        return f"{number}{self.unit and f' {self.unit}'}"

    def accepts(self, number: float) -> bool:
        return abs(number - self.answer) <= self.tol + 1e-9

    def miss(self, number: float) -> str:
        """How far off a number is, in words."""
        way = "high" if number > self.answer else "low"
        if number * self.answer > 0:
            ratio = number / self.answer
            ratio = ratio if abs(number) > abs(self.answer) else 1 / ratio
            if ratio >= 5:
                return f"about {plain(int(ratio + 0.5))} times too {way}"
        return f"{plain(abs(number - self.answer))} too {way}"


@dataclass(frozen=True)
class Numbers:
    """Fields, typical mistakes as (what is said, reason), and why it is so."""

    fields: tuple[Field, ...]
    mistakes: tuple[tuple[tuple[tuple[float, float], ...], str], ...]
    reason: str

    def offers(self) -> list[str]:
        return [
            f"{field.label}{field.unit and f', in {field.unit}'}"
            for field in self.fields
        ]

    def verdict(self, answer: Sequence[float | str]) -> str:
        """Of numbers as the reader wrote them."""
        given = [float(number) for number in answer]
        said = listed(
            [field.value(number) for field, number in zip(self.fields, answer)]
        )
        is_so = listed([field.value(field.answer) for field in self.fields])
        wrong = [
            (field, number)
            for field, number in zip(self.fields, given)
            if not field.accepts(number)
        ]
        if not wrong:
            if given == [field.answer for field in self.fields]:
                return f"You said {said}, and so it is. {self.reason}"
            return f"You said {said}, near enough: {is_so}. {self.reason}"
        told = self.mistaken(given)
        if not told and len(self.fields) == 1:
            told = [f"That is {wrong[0][0].miss(wrong[0][1])}."]
        elif not told:
            told = [f"“{f.label}” is {f.miss(number)}." for f, number in wrong]
        off = f"You said {said}. It is {is_so}."
        return " ".join([off, *told, self.reason])

    def mistaken(self, given: Sequence[float]) -> list[str]:
        return [
            reason
            for ranges, reason in self.mistakes
            if all(low <= x <= high for (low, high), x in zip(ranges, given))
        ]

    def data(self) -> dict[str, Any]:
        ends = {inf: None, -inf: None}
        return {
            "kind": "numbers",
            "fields": [
                {
                    "label": field.label,
                    "unit": field.unit,
                    "answer": field.answer,
                    "shown": field.value(field.answer),
                    "tol": field.tol,
                }
                for field in self.fields
            ],
            "mistakes": [
                [[[ends.get(x, x) for x in pair] for pair in ranges], reason]
                for ranges, reason in self.mistakes
            ],
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Order:
    """Items in their right order, mistakes as (first, second, reason)."""

    items: tuple[str, ...]
    mistakes: tuple[tuple[str, str, str], ...]
    reason: str

    def offers(self) -> list[str]:
        """The items in an order that says nothing."""
        shown = sorted(self.items)
        return shown[::-1] if shown == list(self.items) else shown

    def verdict(self, answer: Sequence[str]) -> str:
        said = listed(answer)
        if list(answer) == list(self.items):
            return f"You said {said}, and so it is. {self.reason}"
        place = {item: i for i, item in enumerate(answer)}
        pairs = list(combinations(self.items, 2))
        turned = sum(place[one] > place[two] for one, two in pairs)
        told = [
            reason
            for first, second, reason in self.mistakes
            if place[first] < place[second]
        ] or [f"{turned} of {len(pairs)} pairs stand the other way round."]
        off = f"You said {said}. It is {listed(self.items)}."
        return " ".join([off, *told, self.reason])

    def data(self) -> dict[str, Any]:
        return {
            "kind": "order",
            "items": self.items,
            "mistakes": self.mistakes,
            "reason": self.reason,
        }


def plain(number: float) -> str:
    """A positive number with three digits that count."""
    exact = Decimal(number)
    unit = Decimal(1).scaleb(exact.adjusted() - 2)
    rounded = exact.quantize(unit, ROUND_HALF_UP)
    return f"{rounded.normalize():f}"


def listed(parts: Sequence[str]) -> str:
    """“a, b and c”."""
    return " and ".join([", ".join(parts[:-1]), *parts[-1:]][len(parts) < 2 :])
