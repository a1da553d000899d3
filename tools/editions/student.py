"""A chapter to hand out: no solutions, and cells that ask and check."""

import re
from typing import Any

import nbformat
from blocks import Directive, read
from plain import Plain

from perfalign.book.exercises import questions

# Solutions and their code stand between these two in the chapter.
START, END = "solution-start", "solution-end"


def student(chapter: Any, number: int, plain: Plain) -> Any:
    """Notebook of chapter `number` without solutions, with answer cells."""
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
        cells += _cells(kept, cell.id)
    copy = nbformat.v4.new_notebook(cells=cells, metadata=chapter.metadata)
    return _with_answers(plain.notebook(copy), number)


def _cells(blocks: list[str | Directive], name: str) -> list[Any]:
    """One cell an exercise, so that an answer fits below it."""
    groups: list[list[str]] = [[]]
    for block in blocks:
        exercise = isinstance(block, Directive) and block.name == "exercise"
        if exercise:
            groups.append([])
        groups[-1].append(_source(block))
        if exercise:
            groups.append([])
    return [
        nbformat.v4.new_markdown_cell("\n\n".join(group), id=f"{name}-{i}")
        for i, group in enumerate(groups)
        if group
    ]


def _source(block: str | Directive) -> str:
    """A block as it stood, with a fence longer than any inside."""
    if isinstance(block, str):
        return block
    inside = [len(run) for run in re.findall(r"`{3,}", block.body)]
    fence = "`" * (max([2, *inside]) + 1)
    options = [f":{key}: {value}" for key, value in block.options.items()]
    head = f"{fence}{{{block.name}}} {block.argument}"
    return "\n".join([head, *options, "", block.body, fence])


def _with_answers(notebook: Any, number: int) -> Any:
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        heading = re.match(rf"### Exercise ({number}\.\d+):", cell.source)
        if cell.cell_type == "markdown" and heading:
            cells += _answer(heading[1])
    notebook.cells = cells
    return notebook


def _answer(exercise: str) -> list[Any]:
    """A cell for one's own work, and one to answer each question."""
    cells = [_code("# your work\n", f"work-{exercise}")]
    for question in questions():
        if question.rstrip("abcdef") == exercise:
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
