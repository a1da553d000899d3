"""Write an edition of all chapters.

python tools/editions plain FOLDER     directives become text
python tools/editions student FOLDER   no solutions, answers are checked
python tools/editions grade FOLDER     what a student's answers are graded by
"""

import sys
from pathlib import Path

import nbformat
from plain import Plain
from printed import chapters, cited, numbered
from student import graded, student

SOURCE = Path(__file__).resolve().parents[2] / "chapters"


def main(edition: str, folder: str) -> None:
    notebooks = chapters(SOURCE)
    plain = Plain(numbered(notebooks), cited(SOURCE / "references.bib"))
    written = {
        "plain": plain.notebook,
        "student": lambda chapter: student(chapter, plain),
        "grade": lambda chapter: graded(student(chapter, plain)),
    }[edition]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path, notebook in notebooks.items():
        nbformat.write(written(notebook), Path(folder) / path.name)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("plain", "student", "grade"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
