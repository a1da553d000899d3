"""Grade a folder of submissions, a folder a student, with nbgrader.

python tools/grade.py SUBMISSIONS COURSE

SUBMISSIONS/NAME/03-existence.ipynb is what NAME has handed in of chapter 3;
COURSE/answers holds the notebooks that ``tools/editions grade`` writes. In
COURSE there are, afterwards, grades.csv with a line a question, grades.html to
read, and what nbgrader makes of the rest.

Each notebook is run in a kernel of its own, and a cell that takes longer than
half a minute is stopped. That is no sandbox: what strangers have written is
graded in a container.
"""

import csv
import os
import sys
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.apps import NbGraderAPI
from nbgrader.utils import determine_grade
from traitlets.config import Config

# A line of the table.
COLUMNS = ("student", "chapter", "question", "points", "of", "reason")
Line = tuple[str, str, str, float, float, str]


def main(submissions: Path, course: Path) -> None:
    # nbgrader calls a program that is installed beside this Python.
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ["PATH"]])
    config = Config()
    config.CourseDirectory.root = str(course.resolve())
    config.OverwriteCells.add_missing_cells = True
    config.KernelManager.transport_encryption = "auto"
    grader = NbGraderAPI(config=config)
    lines: list[Line] = []
    for answers in sorted((course / "answers").glob("*.ipynb")):
        chapter = answers.stem
        handed_in = sorted(submissions.glob(f"*/{answers.name}"))
        if not handed_in:
            continue
        _copy(answers, course / "source" / chapter)
        _must(grader.generate_assignment(chapter))
        for path in handed_in:
            student = path.parent.name
            print(f"{chapter}, {student}")
            try:
                _copy(path, course / "submitted" / student / chapter)
                _must(grader.autograde(chapter, student))
                _must(grader.generate_feedback(chapter, student))
                graded = course / "autograded" / student / chapter / path.name
                lines += _lines(student, graded)
            except (RuntimeError, ValueError, AttributeError) as error:
                of = _points(answers)
                lines.append((student, chapter, "all", 0, of, str(error)))
    with open(course / "grades.csv", "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows([COLUMNS, *lines])
    (course / "grades.html").write_text(_page(lines), encoding="utf-8")


def _copy(path: Path, folder: Path) -> None:
    """Without the cells of the chapter, of which no answer makes use."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and "chapter" not in cell.metadata.get("tags", [])
    ]
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / path.name)


def _must(result: dict[str, Any]) -> None:
    if not result["success"]:
        raise RuntimeError(f"nbgrader refuses it.\n{result['log']}")


def _points(answers: Path) -> float:
    cells = nbformat.read(answers, as_version=4).cells
    return sum(cell.metadata.nbgrader.get("points", 0) for cell in cells)


def _lines(student: str, graded: Path) -> list[Line]:
    """What was graded, with what was said of it."""
    lines = []
    for cell in nbformat.read(graded, as_version=4).cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade"):
            points, of = determine_grade(cell)
            question = marks["grade_id"].removeprefix("check-")
            lines.append(
                (
                    student,
                    graded.stem,
                    question.replace("-", "."),
                    points,
                    of,
                    _said(cell),
                )
            )
    return lines


def _said(cell: nbformat.NotebookNode) -> str:
    said = []
    for output in cell.outputs:
        if output.output_type == "stream":
            said += output.text.splitlines()
        elif output.output_type == "error":
            said.append(f"{output.ename}: {output.evalue}")
    return " ".join(said)


def _page(lines: list[Line]) -> str:
    """Points of all, and what was missed and why."""
    totals: dict[tuple[str, str], list[float]] = {}
    for student, chapter, _, points, of, _ in lines:
        total = totals.setdefault((student, chapter), [0, 0])
        total[0] += points
        total[1] += of
    parts = []
    for (student, chapter), (points, of) in totals.items():
        missed = "".join(
            f"<tr><td>{number}<td>{got:g} of {all_:g}<td>{escape(reason)}"
            for who, where, number, got, all_, reason in lines
            if (who, where) == (student, chapter) and got < all_
        )
        feedback = f"feedback/{student}/{chapter}/{chapter}.html"
        parts.append(
            f"<h2>{escape(student)}, {chapter}: {points:g} of {of:g}</h2>\n"
            f'<p><a href="{escape(feedback)}">All answers</a></p>\n'
            f"<table>{missed}</table>"
        )
    return (
        '<!doctype html><meta charset="utf-8"><title>Grades</title>\n'
        "<style>body{font-family:sans-serif;max-width:50em;margin:auto}"
        "td{padding:.2em .8em;vertical-align:top}</style>\n"
        "<h1>Grades</h1>\n" + "\n".join(parts)
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
