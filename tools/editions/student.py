"""A chapter to hand out: no solutions, and cells to answer and to check."""

from itertools import groupby
from typing import Any

import nbformat
from blocks import Directive, read
from plain import Plain

from perfalign.book.exercises import exercise_of, question, questions

# Solutions and their code stand between these two in the chapter.
START, END = "solution-start", "solution-end"

# Of cells of the chapter itself: they are not run when answers are graded.
CHAPTER = "chapter"

NOTE = (
    "*Write your work below, then each answer in the place of the dots, and "
    "run the cell that checks it. A function is checked for the numbers in "
    "the question, and graded for others, too. When answers are graded, cells "
    "of exercises are run by themselves, without the chapter: import and load "
    "in them what they use.*"
)


def student(chapter: Any, plain: Plain) -> Any:
    """Notebook of a chapter without solutions, with answer cells."""
    cells, hidden = [], False
    for cell in chapter.cells:
        if cell.cell_type != "markdown":
            if not hidden:
                cells.append(_tagged(cell))
            continue
        kept: list[str | Directive] = []
        for block in read(cell.source):
            name = "" if isinstance(block, str) else block.name
            hidden = (hidden or name == START) and name != END
            if not hidden and name not in (END, "solution"):
                kept.append(block)
        cells += _cells(kept, cell.id, plain)
    if hidden:
        raise ValueError(f"A {START} has no {END}: all below would be lost.")
    copy = nbformat.v4.new_notebook(cells=cells, metadata=chapter.metadata)
    return plain.notebook(copy)


def graded(handed_out: Any) -> Any:
    """The cells of a student's notebook that count, as a grader has them."""
    cells = []
    for cell in handed_out.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade"):
            cell = nbformat.from_dict(cell)
            number = cell.id.removeprefix("check-").replace("-", ".")
            cell.source = (
                "from perfalign.book.exercises import grade\n\n"
                f'grade("{number}", {_variable(number)})'
            )
        if marks:
            cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells, metadata=handed_out.metadata)


def _cells(
    blocks: list[str | Directive], name: str, plain: Plain
) -> list[Any]:
    """Text, plain already; one cell an exercise, and answers below it."""
    cells = []
    for i, (label, group) in enumerate(groupby(blocks, _exercise)):
        text = plain.written(group)
        cells.append(nbformat.v4.new_markdown_cell(text, id=f"{name}-{i}"))
        if label:
            cells += _answers(plain.names[label].removeprefix("Exercise "))
    return cells


def _exercise(block: str | Directive) -> str:
    """The label of an exercise; nothing of another block."""
    if isinstance(block, Directive) and block.name == "exercise":
        return block.options["label"]
    return ""


def _answers(exercise: str) -> list[Any]:
    """A cell for one's own work; questions, with cells to answer and check."""
    cells = [_code("# your work\n", f"work-{exercise}")]
    if exercise.endswith(".1"):
        cells.insert(0, nbformat.v4.new_markdown_cell(NOTE, id="note-graded"))
    for number in questions():
        if exercise_of(number) == exercise:
            cells += _asked(number)
    return cells


def _asked(number: str) -> list[Any]:
    name, asked = _variable(number), question(number)
    stub = f"{name} = ..."
    if asked.others:
        numbers = ", ".join(f"{k}={v!r}" for k, v in asked.numbers.items())
        stub = f"def {name}({numbers}):\n    return ..."
    check = (
        "from perfalign.book.exercises import check\n\n"
        f'check("{number}", {name})'
    )
    text = asked.text().replace("\n", "  \n")
    return [
        nbformat.v4.new_markdown_cell(
            f"**{number}** {text}", id=_id(f"ask-{number}")
        ),
        _code(stub, f"answer-{number}", solution=True),
        _code(check, f"check-{number}", grade=True, points=asked.points),
    ]


def _variable(number: str) -> str:
    return f"answer_{number.replace('.', '_')}"


def _id(name: str) -> str:
    return name.replace(".", "-")


def _tagged(cell: Any) -> Any:
    cell = nbformat.from_dict(cell)
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), CHAPTER]
    return cell


def _code(source: str, name: str, **marks: Any) -> Any:
    """A code cell; with marks, one that nbgrader knows."""
    cell = nbformat.v4.new_code_cell(source, id=_id(name))
    if marks:
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": cell.id,
            "grade": False,
            "solution": False,
            "locked": bool(marks.get("grade")),
            "task": False,
            **marks,
        }
    return cell
