"""Slides of a chapter: statements, questions and figures under its headings.

A notebook of text, marked for slides: JupyterLab shows it with RISE, and
``jupyter nbconvert --to slides`` makes a page of it, which fetches reveal.js.
"""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any

import nbformat
from plain import PROOFS, Plain
from solutions import Part, parts
from teacher import aims, title, told

# A heading, or a question in bold with what leads to it.
SHOWN = re.compile(r"^## .+$|^.*\*\*[^*]+\?[^*]*\*\*.*$", re.MULTILINE)

# An equation with its number, and where it is cited by that.
TAGGED = re.compile(
    r"^\$\$(?:(?!\$\$).)*?\\tag\{([\w.]+)\}(?:(?!\$\$).)*\$\$",
    re.MULTILINE | re.DOTALL,
)
CITED = re.compile(r"\(([A-Z]?\d[\d.]*)\)")
ASKS = re.compile(r'\bpredict\("([^"]+)"\)')
# What an explorer stores of its own.
ALT = re.compile(r'<img [^>]*alt="([^"]*)"')
CAPTION = re.compile(r"<figcaption[^>]*>(.*?)</figcaption>", re.DOTALL)

Equations = dict[str, str]


def equations(chapters: Iterable[Any], plain: Plain) -> Equations:
    """Displayed equations by their numbers, as they first stand."""
    found: Equations = {}
    for chapter in chapters:
        for part in parts(chapter):
            if part.cell.cell_type == "code":
                continue
            for shown in TAGGED.finditer(plain.written([part.content])):
                found.setdefault(shown[1], shown[0])
    return found


def slides(chapter: Any, plain: Plain, known: Equations) -> Any:
    """A notebook with a cell a slide; proofs are notes.

    An equation that is cited and has not been shown comes before.
    """
    known = known | equations([chapter], plain)
    shown: set[str] = set()
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
            shown |= {*re.findall(r"\\tag\{([\w.]+)\}", text)}
            for number in CITED.findall(text):
                if number in known and number not in shown:
                    shown.add(number)
                    before = f"{heading}\n\n{known[number]}"
                    cells.append(_cell(kind, before))
                    kind = "subslide"
            cells.append(_cell(kind, f"{heading}\n\n{text}", image))
            kind = "subslide"
        if part.cell.cell_type == "code":
            names = ASKS.findall(part.content.source)
            cells += [_cell("notes", told(name)) for name in names]
    return nbformat.v4.new_notebook(cells=cells, metadata=chapter.metadata)


def _shown(part: Part, plain: Plain) -> Iterator[tuple[str, str]]:
    """Texts that are shown of a part of a chapter, each with its image."""
    if part.cell.cell_type == "code":
        data = {}
        for output in part.cell.outputs:
            data |= output.get("data", {})
        if "image/png" in data:
            text, image = plain.caption(part.cell), data["image/png"]
            page = data.get("text/html", "")
            if "*In words:*" not in text:
                text += f"\n\n*In words:* {_first(ALT, page)}"
            yield f"{_first(CAPTION, page)}\n\n{text}".strip(), image
        elif "text/markdown" in data:
            yield data["text/markdown"], ""
    elif part.name.removeprefix("prf:") in PROOFS:
        yield plain.written([part.content]), ""
    elif not part.name:
        for found in SHOWN.findall(part.content):
            yield plain.text(found), ""


def _first(pattern: re.Pattern[str], page: str) -> str:
    """What a pattern finds first in a page, as text."""
    return unescape("".join(pattern.findall(page)[:1]).strip())


def _cell(kind: str, text: str, image: str = "") -> Any:
    if image:
        caption, _, alt = text.partition("*In words:*")
        text = f"{caption.rstrip()}\n\n![{alt.strip()}](attachment:figure.png)"
    cell = nbformat.v4.new_markdown_cell(text)
    cell.metadata["slideshow"] = {"slide_type": kind}
    if image:
        cell["attachments"] = {"figure.png": {"image/png": image}}
    return cell
