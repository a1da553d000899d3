"""A chapter to hand out: no solutions, and cells that ask and check."""

from itertools import groupby
from typing import Any

import nbformat
from blocks import Directive, read
from plain import Plain

from perfalign.book.exercises import exercise_of, questions

# Solutions and their code stand between these two in the chapter.
START, END = "solution-start", "solution-end"


def student(chapter: Any, plain: Plain) -> Any:
    """Notebook of a chapter without solutions, with answer cells."""
    cells, hidden = [], False
    for cell in chapter.cells:
        if cell.cell_type != "markdown":
            if not hidden:
                cells.append(cell)
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


def _cells(
    blocks: list[str | Directive], name: str, plain: Plain
) -> list[Any]:
    """Text, plain already; one cell an exercise, and answers below it."""
    cells = []
    for i, (label, group) in enumerate(groupby(blocks, _exercise)):
        text = plain.written(group)
        cells.append(nbformat.v4.new_markdown_cell(text, id=f"{name}-{i}"))
        if label:
            cells += _answer(plain.names[label].removeprefix("Exercise "))
    return cells


def _exercise(block: str | Directive) -> str:
    """The label of an exercise; nothing of another block."""
    if isinstance(block, Directive) and block.name == "exercise":
        return block.options["label"]
    return ""


def _answer(exercise: str) -> list[Any]:
    """A cell for one's own work, and one to answer each question."""
    cells = [_code("# your work\n", f"work-{exercise}")]
    for question in questions():
        if exercise_of(question) == exercise:
            source = (
                "from perfalign.book.exercises import ask, check\n\n"
                f'ask("{question}")\n'
                "answer = ...\n"
                f'check("{question}", answer)'
            )
            cells.append(_code(source, f"answer-{question}"))
    return cells


def _code(source: str, name: str) -> Any:
    return nbformat.v4.new_code_cell(source, id=name.replace(".", "-"))
