"""Write an edition of all chapters.

python tools/editions plain FOLDER     directives become text
python tools/editions student FOLDER   no solutions, answers are checked
python tools/editions grade FOLDER     what a student's answers are graded by
python tools/editions teacher FOLDER   what to teach, to ask and to show
"""

import sys
from pathlib import Path
from typing import Any

import nbformat
from plain import Plain
from printed import chapters, cited, numbered
from slides import Equations, equations, slides
from student import graded, student
from teacher import teacher

SOURCE = Path(__file__).resolve().parents[2] / "chapters"
EDITIONS = ("plain", "student", "grade", "teacher")


def main(edition: str, folder: Path) -> None:
    notebooks = chapters(SOURCE)
    plain = Plain(numbered(notebooks), cited(SOURCE / "references.bib"))
    folder.mkdir(parents=True, exist_ok=True)
    if edition == "plain":
        for path in SOURCE.glob("[!0-9]*.ipynb"):
            notebooks[path] = nbformat.read(path, as_version=4)
    shown = (
        equations(notebooks.values(), plain) if edition == "teacher" else {}
    )
    for path, notebook in notebooks.items():
        for name, written in files(edition, path.stem, notebook, plain, shown):
            if isinstance(written, str):
                (folder / name).write_text(written, "utf-8")
            else:
                nbformat.write(written, folder / name)


def files(
    edition: str, stem: str, chapter: Any, plain: Plain, shown: Equations
) -> list[tuple[str, Any]]:
    """What an edition has of a chapter: names, with texts and notebooks."""
    if edition == "plain":
        return [(f"{stem}.ipynb", plain.notebook(chapter))]
    if edition == "teacher":
        return [
            (f"{stem}.md", teacher(int(stem[:2]), chapter, plain)),
            (f"{stem}-slides.ipynb", slides(chapter, plain, shown)),
        ]
    handed_out = student(chapter, plain)
    if edition == "grade":
        handed_out = graded(handed_out)
    return [(f"{stem}.ipynb", handed_out)]


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in EDITIONS:
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]))
