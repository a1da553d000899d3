"""The predictions of a chapter, from its file."""

import tomllib
from functools import cache
from importlib.resources import files
from math import inf
from typing import Any

from perfalign.book.predictions._kinds import (
    Choice,
    Field,
    Numbers,
    Order,
    Said,
)

Kind = Choice | Numbers | Order


@cache
def stored(chapter: str) -> dict[str, Any]:
    """Entries of a chapter's file as they stand; none if it has no file."""
    source = files("perfalign.book.predictions") / f"{chapter:0>2}.toml"
    if not source.is_file():
        return {}
    entries: dict[str, Any] = tomllib.loads(source.read_text("utf-8"))
    return entries


def kind(entry: dict[str, Any]) -> Kind:
    """What an entry asks for."""
    if entry["kind"] == "choice":
        (right,) = (i for i, o in enumerate(entry["options"]) if "right" in o)
        return Choice(
            tuple((o["text"], o["reason"]) for o in entry["options"]), right
        )
    mistakes = entry.get("mistakes", [])
    if entry["kind"] == "numbers":
        known = ("label", "answer", "unit", "tol")
        return Numbers(
            tuple(
                Field(**{key: f[key] for key in known if key in f})
                for f in entry["fields"]
            ),
            tuple(
                (tuple(map(ends, m["said"])), m["reason"]) for m in mistakes
            ),
            entry["reason"],
        )
    if entry["kind"] == "order":
        return Order(
            tuple(entry["items"]),
            tuple((*m["before"], m["reason"]) for m in mistakes),
            entry["reason"],
        )
    raise ValueError(
        f"kind is {entry['kind']!r}; wanted 'choice', 'numbers' or 'order'."
    )


def ends(said: Said) -> tuple[float, float]:
    """Both ends of what is said: a number, a range or anything."""
    if isinstance(said, str):
        return -inf, inf
    if isinstance(said, list):
        low, high = said
        return low, high
    return said, said
