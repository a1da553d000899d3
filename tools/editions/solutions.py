"""A chapter taken apart into what is told and what solves an exercise."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from blocks import Directive, read

# Solutions and their code stand between these two in the chapter.
START, END = "solution-start", "solution-end"


class Part(NamedTuple):
    """Text, a directive, or a cell of code; and whether it is a solution."""

    cell: Any
    content: Any
    solves: bool

    @property
    def name(self) -> str:
        """That of a directive; nothing of all else."""
        is_directive = isinstance(self.content, Directive)
        return self.content.name if is_directive else ""


def parts(chapter: Any) -> Iterator[Part]:
    """All there is in a chapter, in order."""
    solving = False
    for cell in chapter.cells:
        if cell.cell_type != "markdown":
            yield Part(cell, cell, solving)
            continue
        for block in read(cell.source):
            part = Part(cell, block, solving)
            solving = (solving or part.name == START) and part.name != END
            solves = solving or part.name in (END, "solution")
            yield part._replace(solves=solves)
    if solving:
        raise ValueError(f"A {START} has no {END}: all below would be lost.")
