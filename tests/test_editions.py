"""The chapters in plain notebooks, and in those that are handed out."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from perfalign.book.exercises import questions
from perfalign.book.exercises._check import _all as all_questions
from perfalign.book.exercises._choice import Choice
from perfalign.book.exercises._encoders import Encoders

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


def run_answers(path, given):
    """What the answer cells of a chapter say, with answers filled in."""
    said = {}
    for kind, source in cells_of(path):
        asked = re.search(r'^ask\("([\d.a-f]+)"\)', source, re.MULTILINE)
        if kind == "code" and asked:
            scope = {"given": given(asked[1])}
            lines = source.replace("answer = ...", "answer = given")
            lines = re.sub(r"^check\(", "said = check(", lines, flags=re.M)
            exec(lines, scope)
            said[asked[1]] = scope["said"]
    return said


def right_answer(number):
    question = all_questions()[number]
    if isinstance(question, Choice):
        flags = [right for _, _, right in question.options]
        return "abcdef"[flags.index(True)]
    if isinstance(question, Encoders):
        first, second = question.views
        U = np.linalg.svd(np.hstack([first, -second]).T)[0]
        rows = U[:, -question.k :].T
        return rows[:, : first.shape[1]], rows[:, first.shape[1] :]
    return question.solution()


def test_every_question_is_asked_once_and_answers_pass(editions, capsys):
    asked = []
    for name in NAMES:
        path = editions / "student" / name
        said = run_answers(path, right_answer)
        assert all(said.values()), said
        unanswered = run_answers(path, lambda number: ...)
        for verdict in unanswered.values():
            assert not verdict
            assert "No answer yet" in verdict.reason
        asked += said
    assert asked == questions()


def test_unclosed_directives_are_an_error():
    sys.path.insert(0, str(ROOT / "tools" / "editions"))
    try:
        from blocks import read
    finally:
        sys.path.pop(0)
    with pytest.raises(ValueError, match="never closed"):
        list(read("```{exercise} Open\n:label: ex-open\n\ntext"))
