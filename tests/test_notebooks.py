"""Chapters must be stored as a clean run leaves them.

nbval passes over cells that were never run, and over metadata; here both
are looked at. The checks are themselves checked, on bad notebooks.
"""

import copy
import json
import re
from pathlib import Path

import pytest

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
MAX_BYTES = 1_500_000
MAX_COLUMNS = 75  # what the text column of the page holds
# What is to be read of the code: of a cell, and of a chapter.
MAX_LINES, MAX_LINES_IN_ALL = 12, 120
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}

CELL_ID = re.compile(r"[\w-]{1,64}")
# A path that exists on the machine of one author only.
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/])(?:/(?:home|Users|root|tmp|usr|var|opt|mnt|work)/"
    r"|[A-Za-z]:\\)"
)
# <Figure size 640x480 with 1 Axes>; no array, no number, no address.
NAMED_REPR = re.compile(r"<[A-Za-z][^<>\n]*>")
ADDRESS = re.compile(r"\bat 0x[0-9a-f]+")
IMAGE_TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
ALT_TEXT = re.compile(r"""\balt\s*=\s*(?:"\s*[^"\s]|'\s*[^'\s])""")
DATA_URI = re.compile(r"data:[\w/+-]+;base64,[A-Za-z0-9+/=\s]+")
BACKTICKS = re.compile(r"`{3,}\{")
# Words by which nbval would look away.
NBVAL_MARKERS = re.compile(
    r"(?i)(?:PYTEST_VALIDATE|NBVAL)_(?:IGNORE_OUTPUT|SKIP|RAISES_EXCEPTION)"
)
NBVAL_TAGS = {
    "nbval-ignore-output",
    "nbval-raises-exception",
    "nbval-skip",
    "raises-exception",
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def text(lines):
    return lines if isinstance(lines, str) else "".join(lines)


def problems_of_notebook(notebook):
    """Yield a line for all that a notebook should not hold."""
    metadata = notebook.get("metadata", {})
    if metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    if "version" in metadata.get("language_info", {}):
        yield "the version of Python is stored"
    if "widgets" in metadata:
        yield "the state of widgets is stored"
    cells = notebook.get("cells", [])
    if (notebook.get("nbformat"), notebook.get("nbformat_minor")) < (4, 5):
        yield "a format older than 4.5, whose cells have no stable ids"
    ids = [cell.get("id") for cell in cells]
    if not all(name and CELL_ID.fullmatch(name) for name in ids):
        yield "a cell has no valid id"
    if len(set(ids)) < len(ids):
        yield "two cells have the same id"
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    if [cell.get("execution_count") for cell in code] != [
        number + 1 for number in range(len(code))
    ]:
        yield "not all cells were run, in order, in a fresh kernel"
    descriptions = [description(cell) for cell in code if description(cell)]
    if len(set(descriptions)) < len(descriptions):
        yield "two figures have the same alternative text"
    visible = sum(map(visible_lines, code))
    if visible > MAX_LINES_IN_ALL:
        yield f"{visible} lines of code that are not folded"
    for number, cell in enumerate(cells):
        for problem in problems_of_cell(cell):
            yield f"cell {number}: {problem}"


def visible_lines(cell):
    if FOLDED & set(cell["metadata"].get("tags", [])):
        return 0
    return len(text(cell["source"]).splitlines())


def problems_of_cell(cell):
    source = text(cell["source"])
    if ABSOLUTE_PATH.search(source):
        yield "an absolute path"
    if not source.strip():
        yield "empty"
    if cell["cell_type"] != "code":
        yield from problems_of_fences(source)
        return
    if max(map(len, source.splitlines()), default=0) > MAX_COLUMNS:
        yield f"a line of more than {MAX_COLUMNS} columns"
    if visible_lines(cell) > MAX_LINES:
        yield f"{visible_lines(cell)} lines of code, not folded"
    if source.rstrip().endswith(";"):
        yield "a semicolon at the end, by which nbval hides no output"
    tags = set(cell["metadata"].get("tags", []))
    if NBVAL_MARKERS.search(source) or tags & NBVAL_TAGS:
        yield "nbval is told to look away"
    if "execution" in cell["metadata"]:
        yield "times of execution are stored"
    for output in cell["outputs"]:
        yield from problems_of_output(output, cell)


def problems_of_fences(source):
    """Notebooks outside of the book show what colons fence as text."""
    lines = ["", *source.splitlines(), ""]
    for before, line, after in zip(lines, lines[1:], lines[2:]):
        if BACKTICKS.match(line):
            yield f"a directive in backticks: {line}"
        elif line.startswith(":::{") and before.strip():
            yield f"no empty line before {line}"
        elif line == ":::" and (
            after.strip() or (before.strip() and before[0] != ":")
        ):
            yield "no empty line around the end of a directive"


def problems_of_output(output, cell):
    if output["output_type"] == "error":
        yield f"an error is stored: {output.get('ename')}"
        return
    if output["output_type"] == "stream":
        if output["name"] == "stderr":
            yield f"stderr is stored: {text(output['text'])[:60]!r}"
        if ABSOLUTE_PATH.search(text(output["text"])):
            yield "an absolute path in the output"
        return
    data = output["data"]
    plain, html = (
        text(data.get("text/plain", "")),
        text(data.get("text/html", "")),
    )
    if WIDGET_VIEW in data:
        yield "a view of a widget is stored"
    if plain and (not NAMED_REPR.fullmatch(plain) or ADDRESS.search(plain)):
        yield f"a bare repr is shown: {plain[:60]!r}"
    if ABSOLUTE_PATH.search(DATA_URI.sub("", html + plain)):
        yield "an absolute path in the output"
    for image in IMAGE_TAG.findall(html):
        if not ALT_TEXT.search(DATA_URI.sub("", image)):
            yield "an image in HTML without alternative text"
    if "image/png" in data and not html and not description(cell):
        yield "a figure without alternative text in mystnb.image.alt"


def description(cell):
    """The alternative text that MyST-NB gives the images of a cell."""
    mystnb = cell["metadata"].get("mystnb", {})
    return mystnb.get("image", {}).get("alt", "").strip()


def problems(path):
    if path.stat().st_size > MAX_BYTES:
        yield f"{path.stat().st_size:,} bytes"
    yield from problems_of_notebook(json.loads(path.read_text("utf-8")))


# ------------------------------------------------------------ the chapters


@pytest.mark.parametrize(
    "path", sorted(CHAPTERS.rglob("*.ipynb")), ids=lambda path: path.name
)
def test_chapter_is_a_clean_run(path):
    assert not list(problems(path))


def test_there_are_chapters():
    assert list(CHAPTERS.glob("*.ipynb"))


# ------------------------------------------------------------ the checks

FIGURE = {
    "output_type": "display_data",
    "metadata": {},
    "data": {
        "image/png": "iVBORw0KGgo=",
        "text/plain": ["<Figure size 640x480 with 1 Axes>"],
    },
}


def result(**data):
    data = {name.replace("_", "/"): value for name, value in data.items()}
    return {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": data,
    }


def stream(name, content):
    return {"output_type": "stream", "name": name, "text": [content]}


def good_notebook():
    def code(name, count, source, *outputs, alt=None):
        metadata = {"mystnb": {"image": {"alt": alt}}} if alt else {}
        return {
            "cell_type": "code",
            "id": name,
            "execution_count": count,
            "metadata": metadata,
            "outputs": list(outputs),
            "source": [source],
        }

    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3"},
            "language_info": {"name": "python"},
        },
        "cells": [
            {
                "cell_type": "markdown",
                "id": "title",
                "metadata": {},
                "source": ["# Title\n", "See https://a.org/home/x, 1/2."],
            },
            code("print", 1, "print(0.5)", stream("stdout", "0.5\n")),
            code("curve", 2, "plot()", FIGURE, alt="A curve."),
            code("line", 3, "plot()", FIGURE, alt="A line."),
            code(
                "explorer",
                4,
                "explore()",
                result(
                    text_html='<img src="data:image/png;base64,/tmp/" '
                    'alt="A frame.">',
                    image_png="iVBORw0KGgo=",
                    text_plain="<Explorer with 2 frames>",
                ),
            ),
        ],
    }


def test_good_notebook_passes(tmp_path):
    assert not list(problems_of_notebook(good_notebook()))
    path = tmp_path / "good.ipynb"
    path.write_text(json.dumps(good_notebook()))
    assert not list(problems(path))


def put(*keys, value):
    """A change that sets one entry of a notebook."""

    def change(notebook):
        for key in keys[:-1]:
            notebook = notebook[key]
        notebook[keys[-1]] = value

    return change


def drop(*keys):
    def change(notebook):
        for key in keys[:-1]:
            notebook = notebook[key]
        del notebook[keys[-1]]

    return change


def output(value):
    return put("cells", 1, "outputs", value=[value])


BAD = {
    "never run": (put("cells", 1, "execution_count", value=None), "in order"),
    "out of order": (put("cells", 1, "execution_count", value=3), "in order"),
    "started late": (drop("cells", 1), "in order"),
    "run twice": (put("cells", 2, "execution_count", value=5), "in order"),
    "foreign kernel": (
        put("metadata", "kernelspec", "name", value="my-env"),
        "kernel",
    ),
    "no kernel": (drop("metadata", "kernelspec"), "kernel"),
    "python version": (
        put("metadata", "language_info", "version", value="3.11.7"),
        "version",
    ),
    "widget state": (put("metadata", "widgets", value={}), "widgets"),
    "no id": (drop("cells", 1, "id"), "valid id"),
    "invalid id": (put("cells", 1, "id", value="a b"), "valid id"),
    "same id": (put("cells", 1, "id", value="curve"), "same id"),
    "old format": (put("nbformat_minor", value=4), "stable ids"),
    "empty cell": (put("cells", 1, "source", value=[]), "empty"),
    "backticks": (
        put("cells", 0, "source", value=["```{note}\n", "```"]),
        "backticks",
    ),
    "fence at the text": (
        put("cells", 0, "source", value=["So\n", ":::{note}\n", ":::"]),
        "before",
    ),
    "text at the fence": (
        put("cells", 0, "source", value=[":::{note}\n", "\n", "So\n", ":::"]),
        "end of a directive",
    ),
    "long line": (put("cells", 1, "source", value=["x" * 76]), "columns"),
    "long cell": (put("cells", 1, "source", value=["x\n"] * 13), "not folded"),
    "much code": (
        put("cells", 1, "source", value=["x\n"] * 121),
        "lines of code that are not folded",
    ),
    "semicolon": (put("cells", 1, "source", value=["plot();\n"]), "semicolon"),
    "path": (
        put("cells", 1, "source", value=["open('/home/me/data')"]),
        "absolute path",
    ),
    "path in the text": (
        put("cells", 0, "source", value=["in C:\\data"]),
        "absolute path",
    ),
    "path in the output": (
        output(stream("stdout", "File /tmp/x.py")),
        "absolute path",
    ),
    "ignored output": (
        put("cells", 1, "source", value=["# NBVAL_IGNORE_OUTPUT\n", "x"]),
        "look away",
    ),
    "skipped": (
        put("cells", 1, "metadata", "tags", value=["nbval-skip"]),
        "look away",
    ),
    "error allowed": (
        put("cells", 1, "metadata", "tags", value=["raises-exception"]),
        "look away",
    ),
    "timing": (
        put("cells", 1, "metadata", "execution", value={}),
        "times",
    ),
    "stderr": (output(stream("stderr", "Warning")), "stderr"),
    "error": (
        output({"output_type": "error", "ename": "ValueError"}),
        "ValueError",
    ),
    "array": (output(result(text_plain="array([1., 2.])")), "bare repr"),
    "number": (output(result(text_plain="0.5")), "bare repr"),
    "address": (
        output(result(text_plain="<Line2D at 0x7f3077>")),
        "bare repr",
    ),
    "widget view": (
        output(result(**{WIDGET_VIEW.replace("/", "_"): {}})),
        "view of a widget",
    ),
    "no alternative text": (
        put("cells", 2, "metadata", value={}),
        "mystnb.image.alt",
    ),
    "empty alternative text": (
        put("cells", 2, "metadata", "mystnb", "image", "alt", value=" "),
        "mystnb.image.alt",
    ),
    "same alternative text": (
        put("cells", 2, "metadata", "mystnb", "image", "alt", value="A line."),
        "same alternative text",
    ),
    "image in HTML": (
        output(result(text_html="<img src='data:image/png;base64,AA'>")),
        "in HTML without",
    ),
    "image in HTML, empty": (
        output(result(text_html='<img alt="" src="x.png">')),
        "in HTML without",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_notebook_is_refused(name):
    change, expected = BAD[name]
    notebook = copy.deepcopy(good_notebook())
    change(notebook)
    found = list(problems_of_notebook(notebook))
    assert any(expected in problem for problem in found), found


def test_heavy_notebook_is_refused(tmp_path):
    notebook = good_notebook()
    notebook["cells"][1]["outputs"] = [stream("stdout", "1" * MAX_BYTES)]
    path = tmp_path / "heavy.ipynb"
    path.write_text(json.dumps(notebook))
    assert any("bytes" in problem for problem in problems(path))
