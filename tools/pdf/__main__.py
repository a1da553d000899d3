"""Write the whole book as one PDF.

python tools/pdf FOLDER          FOLDER/perfalign.pdf
python tools/pdf FOLDER --tex    only what it is made of
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from faults import faults
from jupyter_book.config import get_final_config
from jupyter_book.sphinx import build_sphinx

ROOT = Path(__file__).resolve().parents[2]
NAME = "perfalign"
PROGRAMS = ("latexmk", "xelatex", "makeindex")


def write_tex(folder: Path) -> None:
    """The book as LaTeX, with its figures, in a folder."""
    config = ROOT / "_config.yml"
    whole = {"latex_individualpages": False}
    pages, _ = get_final_config(
        user_yaml=config, sourcedir=ROOT, cli_config=dict(whole)
    )
    print_only = {
        "extensions": [*pages["extensions"], "print_edition"],
        # An attribute takes one line of print instead of three.
        "napoleon_use_ivar": True,
    }
    failed = build_sphinx(
        ROOT,
        folder,
        noconfig=True,
        path_config=config,
        confoverrides=whole | print_only,
        doctreedir=folder / ".doctrees",
        builder="latex",
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    if failed:
        sys.exit("The book could not be written as LaTeX.")


def write_pdf(folder: Path) -> None:
    """What LaTeX makes of it, run as often as the page numbers need."""
    # Lines of the log are not broken, so that each says all.
    unbroken = os.environ | {"max_print_line": "10000", "LATEXOPTS": ""}
    ran = subprocess.run(
        [
            "latexmk",
            "-xelatex",
            "-interaction=nonstopmode",
            "-halt-on-error",
            f"{NAME}.tex",
        ],
        cwd=folder,
        env=unbroken,
        capture_output=True,
        text=True,
        errors="replace",
    )
    log = (folder / f"{NAME}.log").read_text("utf-8", errors="replace")
    if found := faults(log):
        sys.exit("\n".join(found))
    if ran.returncode:
        sys.exit(f"latexmk failed:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")


def main(folder: str, *only_tex: str) -> None:
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing and not only_tex:
        sys.exit(
            f"To make the PDF, {' and '.join(missing)} must be installed: "
            "CONTRIBUTING.md names the packages."
        )
    path = Path(folder).resolve()
    write_tex(path)
    if not only_tex:
        write_pdf(path)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["--tex"]):
        sys.exit(__doc__)
    main(*sys.argv[1:])
