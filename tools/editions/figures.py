"""Run a chapter anew and keep its figures as SVG, to be edited.

python tools/editions/figures.py CHAPTER FOLDER

Text stays text in them. It takes as long as the chapter.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

# Run before the chapter: every figure shows itself as SVG, too.
DRAWN = """\
from io import StringIO

import matplotlib as mpl
from matplotlib.figure import Figure


def drawn(figure):
    page = StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(page, format="svg")
    return page.getvalue()


formatters = get_ipython().display_formatter.formatters
formatters["image/svg+xml"].for_type(Figure, drawn)
"""


def main(chapter: Path, folder: Path) -> None:
    notebook = nbformat.read(chapter, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(DRAWN))
    client = NotebookClient(
        notebook,
        timeout=None,
        resources={"metadata": {"path": str(chapter.parent)}},
    )
    client.create_kernel_manager()
    client.km.transport_encryption = "auto"
    client.execute()
    folder.mkdir(parents=True, exist_ok=True)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/svg+xml" in output.get("data", {}):
                path = folder / f"{chapter.stem[:2]}-{cell.id}.svg"
                path.write_text(output.data["image/svg+xml"], "utf-8")
                print(path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
