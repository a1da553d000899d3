"""Slides of a chapter: statements, questions and figures under its headings.

A notebook of text, marked for slides: JupyterLab shows it with RISE, and
``jupyter nbconvert --to slides`` makes a page of it, which fetches reveal.js.
"""

import re
from collections.abc import Iterator
from typing import Any

import nbformat
from plain import PROOFS, Plain
from solutions import Part, parts
from teacher import aims, title

# A heading, or a question in bold with what leads to it.
SHOWN = re.compile(r"^## .+$|^.*\*\*[^*]+\?[^*]*\*\*.*$", re.MULTILINE)


def slides(chapter: Any, plain: Plain) -> Any:
    """A notebook with a cell a slide; proofs are notes."""
    opening = f"# {title(chapter)}\n\n{aims(chapter, plain)}"
    cells = [_cell("slide", opening)]
    heading, kind = "", "slide"
    for part in parts(chapter):
        if part.solves or part.name == "exercise":
            continue
        if part.name == "prf:proof":
            cells.append(_cell("notes", plain.written([part.content])))
        for text, image in _shown(part, plain):
            if text.startswith("## "):
                heading, kind = text, "slide"
                continue
            cells.append(_cell(kind, f"{heading}\n\n{text}", image))
            kind = "subslide"
    return nbformat.v4.new_notebook(cells=cells, metadata=chapter.metadata)


def _shown(part: Part, plain: Plain) -> Iterator[tuple[str, str]]:
    """Texts that are shown of a part of a chapter, each with its image."""
    if part.cell.cell_type == "code":
        data = {}
        for output in part.cell.outputs:
            data |= output.get("data", {})
        if "image/png" in data:
            yield plain.caption(part.cell), data["image/png"]
        elif "text/markdown" in data:
            yield data["text/markdown"], ""
    elif part.name.removeprefix("prf:") in PROOFS:
        yield plain.written([part.content]), ""
    elif not part.name:
        for found in SHOWN.findall(part.content):
            yield plain.text(found), ""


def _cell(kind: str, text: str, image: str = "") -> Any:
    if image:
        caption, _, alt = text.partition("*In words:*")
        text = f"{caption.rstrip()}\n\n![{alt.strip()}](attachment:figure.png)"
    cell = nbformat.v4.new_markdown_cell(text)
    cell.metadata["slideshow"] = {"slide_type": kind}
    if image:
        cell["attachments"] = {"figure.png": {"image/png": image}}
    return cell
