"""What a teacher needs of a chapter: time, aims, misconceptions, an exam."""

from typing import Any

import numpy as np
from plain import Plain
from printed import directives
from solutions import parts

from perfalign.book.exercises import Question, question, questions

AIMS = "What you will be able to do"


def teacher(number: int, chapter: Any, plain: Plain) -> str:
    """The page about a chapter, in Markdown."""
    numbers = [n for n in questions() if n.split(".")[0] == f"{number}"]
    written = [
        f"# {title(chapter)}",
        f"About {minutes(chapter)} minutes to read, without the exercises: "
        "two hundred words a minute, three minutes a proof, one a cell of "
        "code.",
        f"## {AIMS}",
        aims(chapter, plain),
        "## Misconceptions, and the wrong answer that shows each",
        *map(_misconceptions, numbers),
        "## Exam questions, with answers",
        *_exam(chapter, plain),
        "## The questions of the exercises, with answers",
        *map(_answered, numbers),
    ]
    return "\n\n".join(filter(None, written)) + "\n"


def minutes(chapter: Any) -> int:
    """Time to read a chapter: words, proofs and cells of code, to five.

    Neither exercises nor their solutions count, nor cells that only fetch.
    """
    words = proofs = code = 0
    for part in parts(chapter):
        if part.solves or part.name == "exercise":
            continue
        if part.cell.cell_type == "code":
            code += "remove-cell" not in part.cell.metadata.get("tags", [])
            continue
        text = part.content.body if part.name else part.content
        words += len(text.split())
        proofs += part.name == "prf:proof"
    return 5 * max(1, round((words / 200 + 3 * proofs + code) / 5))


def aims(chapter: Any, plain: Plain) -> str:
    """The list of what a reader will be able to do."""
    for block in directives(chapter.cells):
        if block.name == "admonition" and block.argument == AIMS:
            return plain.text(block.body.split("\n\n")[0])
    raise ValueError(f"No admonition {AIMS!r}.")


def title(chapter: Any) -> str:
    """The heading of a chapter."""
    text = "\n".join(
        cell.source for cell in chapter.cells if cell.cell_type == "markdown"
    )
    return next(
        line.removeprefix("# ")
        for line in text.split("\n")
        if line.startswith("# ")
    )


def _misconceptions(number: str) -> str:
    asked = question(number)
    lines = [f"**{number}** {asked.question}", ""]
    lines += [
        f"- {_shown(asked, wrong())}: {reason}"
        for wrong, reason in asked.wrong()
    ]
    return "\n".join(lines)


def _answered(number: str) -> str:
    asked = question(number)
    right = asked.right()()
    reason = asked.verdict(right).reason
    return (
        f"**{number}** {asked.text()}\n\n".replace("\n  ", "  \n")
        + f"*Answer: {_shown(asked, right)}.* {reason}"
    )


def _shown(asked: Question, answer: Any) -> str:
    """An answer as it stands on a page: an option, or numbers."""
    if isinstance(answer, str):
        text = dict(
            line.strip().removeprefix("(").split(") ", 1)
            for line in asked.text().split("\n  ")[1:]
        )[answer]
        return f"({answer}) {text}"
    if np.ndim(answer) > 1:
        return "two arrays"
    return ", ".join(f"{value:.4g}" for value in np.ravel(answer))


def _exam(chapter: Any, plain: Plain) -> list[str]:
    """Exercises with their solutions; code of a solution as code."""
    return [
        f"```python\n{part.content.source}\n```"
        if part.cell.cell_type == "code"
        else plain.written([part.content])
        for part in parts(chapter)
        if part.solves or part.name == "exercise"
    ]
