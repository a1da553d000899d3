"""The Markdown of a chapter as a list of blocks: text, and fenced directives.

Only what this book uses is understood; anything else is an error, so that no
directive can slip into a plain notebook unread.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

FENCE = re.compile(r"^(`{3,}|:{3,})\{([\w:-]+)\}[ ]*(.*)$")
OPTION = re.compile(r"^:(\w+):[ ]*(.*)$")


@dataclass(frozen=True)
class Directive:
    """A fenced block: its name, what follows on the line, options, lines."""

    name: str
    argument: str
    options: dict[str, str] = field(default_factory=dict)
    body: str = ""


def read(text: str) -> Iterator[str | Directive]:
    """Blocks of a cell, in order; text between directives as it stands."""
    lines, plain = iter(text.split("\n")), []
    for line in lines:
        opening = FENCE.match(line)
        if not opening:
            plain.append(line)
            continue
        if "\n".join(plain).strip():
            yield "\n".join(plain).strip("\n")
        plain = []
        yield _directive(*opening.groups(), lines)
    if "\n".join(plain).strip():
        yield "\n".join(plain).strip("\n")


def _directive(
    fence: str, name: str, argument: str, lines: Iterator[str]
) -> Directive:
    body: list[str] = []
    for line in lines:
        if line.strip() == fence:
            break
        body.append(line)
    else:
        raise ValueError(f"{fence}{{{name}}} {argument} is never closed.")
    options = {}
    while body and (option := OPTION.match(body[0])):
        options[option[1]] = option[2]
        body.pop(0)
    return Directive(name, argument, options, "\n".join(body).strip("\n"))
