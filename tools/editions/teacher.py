"""What a teacher needs of a chapter: time, aims, misconceptions, an exam."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from plain import Plain
from printed import directives
from solutions import parts

from perfalign.book.exercises import Question, question, questions
from perfalign.book.predictions import predict, predictions

AIMS = "What you will be able to do"
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


def teacher(number: int, chapter: Any, plain: Plain) -> str:
    """The page about a chapter, in Markdown."""
    numbers = [n for n in questions() if n.split(".")[0] == f"{number}"]
    written = [
        f"# {title(chapter)}",
        f"About {minutes(chapter)} minutes to read, without the exercises: "
        "two hundred words a minute, three minutes a proof, one a cell of "
        "code that is not folded.",
        f"## {AIMS}",
        aims(chapter, plain),
        "## Misconceptions, and the wrong answer that shows each",
        *map(_misconceptions, numbers),
        *_under(
            "### Of the predictions", map(_predicted, predictions(number))
        ),
        *_under(
            "## Exam questions: other numbers, with answers", _exam(numbers)
        ),
        "## Exercises, with solutions",
        *_exercises(chapter, plain),
        "## The questions of the exercises, with answers",
        *map(_answered, numbers),
    ]
    return "\n\n".join(filter(None, written)) + "\n"


def minutes(chapter: Any) -> int:
    """Time to read a chapter: words, proofs and cells of code, to five.

    Neither exercises nor their solutions count, nor code that is folded.
    """
    words = proofs = code = 0
    for part in parts(chapter):
        if part.solves or part.name == "exercise":
            continue
        if part.cell.cell_type == "code":
            code += not FOLDED & {*part.cell.metadata.get("tags", [])}
            continue
        text = part.content.body if part.name else part.content
        words += len(text.split())
        proofs += part.name == "prf:proof" or (
            part.name == "admonition" and part.content.argument == "Proof"
        )
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


def _predicted(name: str) -> str:
    """A prediction, and what it says of wrong answers."""
    return f"**{name}** {predict(name).question}\n\n{told(name)}"


def told(name: str) -> str:
    """What is right of a prediction, and what each mistake shows."""
    kind = predict(name).kind
    lines = [f"*Answer: {kind.solution()}.* {kind.why()}"]
    if kind.wrong():
        lines += [""]
    lines += [f"- *{answer}* – {reason}" for answer, reason in kind.wrong()]
    return "\n".join(lines)


def _exam(numbers: list[str]) -> Iterator[str]:
    """What is asked of numbers once more, for others."""
    for number in numbers:
        asked = question(number)
        for case in asked.others:
            answer = asked.right()(*case)
            if np.ndim(answer) > 1:
                continue
            given = ", ".join(
                f"{name} = {value}" for name, value in zip(asked.numbers, case)
            )
            yield (
                f"**{number}** {asked.question} Here {given}.\n\n"
                f"*Answer: {_shown(asked, answer)}.*"
            )


def _exercises(chapter: Any, plain: Plain) -> Iterator[str]:
    """Exercises with their solutions; code as code, with what it prints."""
    for part in parts(chapter):
        if not part.solves and part.name != "exercise":
            continue
        if part.cell.cell_type != "code":
            yield plain.written([part.content])
            continue
        yield f"```python\n{part.content.source}\n```"
        printed = [output.get("text", "") for output in part.cell.outputs]
        if any(printed):
            yield f"```text\n{''.join(printed).rstrip()}\n```"


def _under(heading: str, found: Iterable[str]) -> list[str]:
    """What there is, under its heading; no heading of nothing."""
    listed = list(found)
    return [heading, *listed] if listed else []
