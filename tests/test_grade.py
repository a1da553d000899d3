"""Three made-up submissions: all right, typically wrong, and empty."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from perfalign.book.exercises import question, questions

ROOT = Path(__file__).parents[1]

#: A Python that has nbgrader; `make grade` makes one.
GRADER = Path(
    os.environ.get("PERFALIGN_GRADER", ROOT / ".venv-grade" / "bin" / "python")
)

#: How an answer is written that is right, and one that is wrong.
KINDS = {
    "perfect": "question({number!r}).right(){call}",
    "typical": "question({number!r}).wrong()[{mistake}][0]{call}",
}


def write(edition, folder):
    subprocess.run(
        [sys.executable, ROOT / "tools" / "editions", edition, folder],
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    return {
        path.name: nbformat.read(path, as_version=4)
        for path in sorted(folder.glob("*.ipynb"))
    }


def answered(cell, kind, mistake=0):
    """The answer cell of a question, as such a student fills it in."""
    number = cell.id.removeprefix("answer-").replace("-", ".")
    asked = question(number)
    if kind == "empty":
        return cell.source
    answer = KINDS[kind].format(
        number=number,
        call="" if asked.others else "()",
        mistake=mistake % len(asked.wrong()),
    )
    return (
        "from perfalign.book.exercises import question\n"
        f"answer_{number.replace('.', '_')} = {answer}"
    )


def is_answer(cell):
    return cell.metadata.get("nbgrader", {}).get("solution", False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("grade")


@pytest.fixture(scope="module")
def answers(folder):
    return write("grade", folder / "course" / "answers")


@pytest.fixture(scope="module")
def handed_out(folder):
    return write("student", folder / "student")


def test_what_counts_are_answers_and_grades_in_turn(answers):
    graded = []
    for notebook in answers.values():
        for i, cell in enumerate(notebook.cells):
            marks = cell.metadata.nbgrader
            assert marks.solution is (i % 2 == 0)
            assert marks.grade is marks.locked is (i % 2 == 1)
            if marks.grade:
                number = cell.id.removeprefix("check-").replace("-", ".")
                assert marks.points == question(number).points
                graded.append(number)
    assert graded == questions()


def test_a_notebook_that_is_handed_out_has_the_same_marks(answers, handed_out):
    for name, notebook in answers.items():
        marks = [
            cell.metadata.nbgrader
            for cell in handed_out[name].cells
            if "nbgrader" in cell.metadata
        ]
        assert marks == [cell.metadata.nbgrader for cell in notebook.cells]


def test_cells_of_the_chapter_are_told_from_those_of_exercises(handed_out):
    for notebook in handed_out.values():
        for cell in notebook.cells:
            if cell.cell_type == "code":
                own = cell.id.startswith(("work-", "answer-", "check-"))
                assert ("chapter" in cell.metadata.get("tags", [])) is not own


@pytest.mark.parametrize("kind", ["perfect", "typical", "empty"])
def test_answers_are_graded(answers, kind, capsys):
    for place, notebook in enumerate(answers.values()):
        scope = {}
        for cell in notebook.cells:
            if is_answer(cell):
                exec(answered(cell, kind, place), scope)
                continue
            first, last = cell.source.rsplit("\n", 1)
            exec(first, scope)
            points = eval(last, scope)
            said = capsys.readouterr().out
            if kind == "perfect":
                assert points == cell.metadata.nbgrader.points
            else:
                assert points == 0
                assert said.startswith("Not yet. ")
                assert ("No answer yet" in said) is (kind == "empty")


@pytest.mark.skipif(not GRADER.exists(), reason="needs nbgrader")
def test_nbgrader_gives_points_and_reasons(folder, answers, handed_out):
    name = "06-transfer.ipynb"
    for kind in ("perfect", "typical", "empty"):
        notebook = nbformat.from_dict(handed_out[name])
        for cell in notebook.cells:
            if is_answer(cell):
                cell.source = answered(cell, kind)
        (folder / "handed in" / kind).mkdir(parents=True)
        nbformat.write(notebook, folder / "handed in" / kind / name)
    (folder / "handed in" / "torn").mkdir()
    (folder / "handed in" / "torn" / name).write_text('{"cells": [')
    for other in answers.keys() - {name}:
        (folder / "course" / "answers" / other).unlink()
    subprocess.run(
        [
            GRADER,
            "-W",
            "ignore",
            ROOT / "tools" / "grade.py",
            folder / "handed in",
            folder / "course",
        ],
        check=True,
    )
    with open(folder / "course" / "grades.csv", encoding="utf-8") as f:
        lines = list(csv.DictReader(f))
    numbers = [n for n in questions() if n.startswith("6.")]
    for kind in ("perfect", "typical", "empty"):
        own = [line for line in lines if line["student"] == kind]
        assert [line["question"] for line in own] == numbers
        for number, line in zip(numbers, own):
            asked = question(number)
            assert float(line["of"]) == asked.points
            full = asked.points if kind == "perfect" else 0
            assert float(line["points"]) == full
            if kind == "typical":
                assert asked.wrong()[0][1] in line["reason"]
    [torn] = [line for line in lines if line["student"] == "torn"]
    assert "JSON" in torn["reason"]
    assert float(torn["of"]) == sum(question(n).points for n in numbers)
    page = (folder / "course" / "grades.html").read_text("utf-8")
    total = float(torn["of"])
    assert f"perfect, 06-transfer: {total:g} of {total:g}" in page
