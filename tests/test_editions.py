"""The chapters in plain notebooks, and in those that are handed out."""

import importlib
import json
import re
import subprocess
import sys
from inspect import signature
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from perfalign.book.exercises import Verdict, question, questions

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9][0-9]-*.ipynb"))
NAMES = [path.name for path in CHAPTERS]


def cells_of(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]


def markdown_of(path):
    return "\n\n".join(
        text for kind, text in cells_of(path) if kind == "markdown"
    )


@pytest.fixture(scope="module")
def editions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editions")
    for edition in ("plain", "student"):
        subprocess.run(
            [sys.executable, ROOT / "tools" / "editions", edition, edition],
            cwd=folder,
            check=True,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
        )
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_no_directive_is_left(editions, name):
    for edition in ("plain", "student"):
        text = markdown_of(editions / edition / name)
        assert not re.findall(r"\{[\w:-]+\}`", text)
        assert not re.findall(r"^[`:]{3,}\{", text, re.MULTILINE)
        assert not re.findall(r"^:{3}", text, re.MULTILINE)
        assert not re.findall(r"\$\$ \(", text)
        assert "<!--" not in text


@pytest.mark.parametrize("path", CHAPTERS, ids=NAMES)
def test_titles_captions_and_words_of_figures_are_text(editions, path):
    text = markdown_of(editions / "plain" / path.name)
    source = markdown_of(path)
    for title in re.findall(r"\{prf:(?!proof)\w+\} (.+)", source):
        assert f"({title})" in text
    for title in re.findall(r"\{exercise\} (.+)", source):
        assert f": {title}" in text
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        shown = cell["metadata"].get("mystnb", {})
        if "image" in shown:
            assert shown["image"]["alt"] in text


def test_numbers_are_counted_by_kind_and_chapter(editions):
    plain = {
        int(name[:2]): markdown_of(editions / "plain" / name) for name in NAMES
    }
    assert "**Theorem 3.2 (" in plain[3]
    assert "### Exercise 3.1: One more feature" in plain[3]
    assert "### Exercise 14.3: What would convince you" in plain[14]
    assert r"\tag{12.1} $$" in plain[12]
    assert "Groger" not in plain[1]
    assert "Gröger et al. (2026)" in plain[1]


def solutions(path):
    """Sentences and code lines that only a solution has."""
    hidden, inside = [], False
    for kind, text in cells_of(path):
        if kind == "code":
            hidden += text.split("\n") if inside else []
            continue
        lines = text.split("\n")
        fence = None
        for line in lines:
            opening = re.match(r"([`:]{3,})\{(solution[\w-]*)\}", line)
            if opening and opening[2] == "solution":
                fence = opening[1]
            elif opening:
                inside = opening[2] == "solution-start"
            elif fence and line == fence:
                fence = None
            elif fence or inside:
                hidden.append(line)
    return [
        line for line in hidden if len(line) > 40 and ":class:" not in line
    ]


@pytest.mark.parametrize("path", CHAPTERS, ids=NAMES)
def test_no_solution_is_handed_out(editions, path):
    handed = cells_of(editions / "student" / path.name)
    text = "\n".join(source for _, source in handed)
    lines = set(text.split("\n"))
    found = solutions(path)
    assert len(found) > 3
    before = "\n".join(source for _, source in cells_of(path))
    for line in found:
        if before.count(line) == 1:
            assert line not in lines
    assert "Solution of" not in text
    assert "solution-start" not in text


def answer_cells(path):
    """Answer cells with the cells that check them, by question."""
    cells = nbformat.read(path, as_version=4).cells
    for answer, checked in pairwise(cells):
        if answer.metadata.get("nbgrader", {}).get("solution"):
            number = re.search(r'check\("([\d.a-f]+)"', checked.source)[1]
            yield number, answer.source, checked.source


def said(checked, scope):
    """What a cell says that checks an answer."""
    first, last = checked.rsplit("\n", 1)
    exec(first, scope)
    return eval(last, scope)


def test_every_question_is_asked_once_and_answers_pass(editions):
    asked = []
    for name in NAMES:
        for number, stub, checked in answer_cells(editions / "student" / name):
            scope = {}
            exec(stub, scope)
            assert "No answer yet" in said(checked, scope).reason
            [variable] = re.findall(r"answer_\w+", checked)
            scope[variable] = question(number).right()
            assert said(checked, scope)
            for wrong, reason in question(number).wrong():
                scope[variable] = wrong
                assert said(checked, scope) == Verdict(False, reason)
            asked.append(number)
    assert asked == questions()


@pytest.mark.parametrize("name", NAMES)
def test_questions_are_text_and_give_nothing_away(editions, name):
    cells = cells_of(editions / "student" / name)
    text = "\n".join(source for _, source in cells)
    numbers = [n for n, _, _ in answer_cells(editions / "student" / name)]
    assert numbers
    for number in numbers:
        asked = question(number)
        assert f"**{number}** {asked.question}" in text
        for _, reason in asked.wrong():
            assert reason not in text


def test_stubs_take_the_numbers_of_the_question(editions):
    for name in NAMES:
        for number, stub, _ in answer_cells(editions / "student" / name):
            scope = {}
            exec(stub, scope)
            answer = scope[f"answer_{number.replace('.', '_')}"]
            numbers = question(number).numbers
            assert callable(answer) is bool(question(number).others)
            if callable(answer):
                parameters = signature(answer).parameters.values()
                assert numbers == {p.name: p.default for p in parameters}


@pytest.fixture
def tool(monkeypatch):
    """Imports a module of the tool."""
    monkeypatch.syspath_prepend(ROOT / "tools" / "editions")
    return importlib.import_module


START = "````{solution-start} ex-7\n````"
END = "````{solution-end}\n````"
EXERCISE = "````{exercise} Why\n:label: ex-7\n\nWhy?\n```python\n7\n```\n````"
ANOTHER = EXERCISE.replace("ex-7", "ex-8")


def handed_out(tool, *sources):
    """What a student sees of cells; those that begin with # are code."""
    chapter = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(
                source, outputs=[nbformat.v4.new_output("stream", text="7")]
            )
            if source.startswith("#")
            else nbformat.v4.new_markdown_cell(source)
            for source in sources
        ]
    )
    names = {"ex-7": "Exercise 1.7", "ex-8": "Exercise 1.8"}
    plain = tool("plain").Plain(names, {})
    return tool("student").student(chapter, plain).cells


def test_a_solution_may_begin_and_end_anywhere(tool):
    cells = handed_out(
        tool,
        f"before\n\n{EXERCISE}\n{ANOTHER}\nbetween\n\n{START}\nsecret",
        "#secret",
        "secret\n\n````{solution} ex-7\nsecret\n````",
        f"secret\n\n{END}\n\nafter",
        "````{solution} ex-7\n```python\nsecret\n```\n````",
        "#code",
    )
    text = "Why\n\nWhy?\n```python\n7\n```"
    assert [cell.source for cell in cells] == [
        "before",
        f"### Exercise 1.7: {text}",
        "# your work\n",
        f"### Exercise 1.8: {text}",
        "# your work\n",
        "between",
        "after",
        "#code",
    ]
    assert [len(cell.get("outputs", [])) for cell in cells] == [0] * 7 + [1]


def test_a_chapter_without_exercises_is_its_text(tool):
    cells = handed_out(tool, "text", "#code", "more")
    assert [cell.source for cell in cells] == ["text", "#code", "more"]
    assert handed_out(tool) == []


def test_a_solution_without_an_end_is_an_error(tool):
    with pytest.raises(ValueError, match="no solution-end"):
        handed_out(tool, f"{EXERCISE}\n{START}", "#code", "the rest")


def test_unclosed_directives_are_an_error(tool):
    read = tool("blocks").read
    with pytest.raises(ValueError, match="never closed"):
        list(read("```{exercise} Open\n:label: ex-open\n\ntext"))
