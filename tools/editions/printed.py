"""What the book prints for each label: Theorem 3.1, Figure 3.2, Lee (2019)."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from blocks import Directive, read
from pybtex.database import Entry, Person, parse_file
from pybtex.richtext import Text

KINDS = ("theorem", "proposition", "corollary", "example", "exercise")
EQUATION = re.compile(r"^\$\$ \((eq-[\w-]+)\)", re.MULTILINE)
TARGET = re.compile(r"^\(([\w-]+)\)=\n#+ (.*)$", re.MULTILINE)

Chapters = dict[Path, Any]


def chapters(folder: Path) -> Chapters:
    """The numbered chapters, read, in the order of the book."""
    paths = sorted(folder.glob("[0-9][0-9]-*.ipynb"))
    return {path: nbformat.read(path, as_version=4) for path in paths}


def directives(cells: Iterable[Any]) -> Iterable[Directive]:
    """All directives of the Markdown among the cells."""
    for cell in cells:
        if cell.cell_type == "markdown":
            for block in read(cell.source):
                if isinstance(block, Directive):
                    yield block


def numbered(notebooks: Chapters) -> dict[str, str]:
    """What stands for each label, numbered as on the pages."""
    names: dict[str, str] = {}
    for path, notebook in notebooks.items():
        chapter, count = int(path.name[:2]), Counter[str]()
        for block in directives(notebook.cells):
            kind = block.name.removeprefix("prf:")
            if kind in KINDS:
                count[kind] += 1
                number = f"{chapter}.{count[kind]}"
                names[block.options["label"]] = f"{kind.title()} {number}"
        for cell in notebook.cells:
            figure = cell.metadata.get("mystnb", {}).get("figure", {})
            if "name" in figure:
                count["figure"] += 1
                number = f"{chapter}.{count['figure']}"
                names[figure["name"]] = f"Figure {number}"
            if cell.cell_type == "markdown":
                for label in EQUATION.findall(cell.source):
                    count["equation"] += 1
                    names[label] = f"({chapter}.{count['equation']})"
                for label, title in TARGET.findall(cell.source):
                    names[label] = title
    return names


def cited(bibliography: Path) -> dict[str, tuple[str, str]]:
    """Authors and year of each source."""
    entries = parse_file(str(bibliography)).entries
    return {
        key: (_authors(entry), entry.fields.get("year", "n.d."))
        for key, entry in entries.items()
    }


def _authors(entry: Entry) -> str:
    people: list[Person] = entry.persons.get("author", [])
    last = [
        str(Text.from_latex(" ".join(p.prelast_names + p.last_names)))
        for p in people
    ]
    if len(last) > 2:
        return f"{last[0]} et al."
    return " and ".join(last)
