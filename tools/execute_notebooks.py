"""Run chapters and store what they print and draw, bit for bit the same.

    python tools/execute_notebooks.py [NOTEBOOK ...]

Without arguments all chapters are run. Whatever differs from run to run or
from machine to machine is left out: timings, the patch version of Python,
the state of widgets (the explorers store a page of their own beside them)
and the name of the program that wrote an image.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import kernel_environment

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
KERNELSPEC = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}
LANGUAGE_INFO = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
PRINT_FIGURE = "{'bbox_inches': 'tight', 'metadata': {'Software': None}}"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def execute(path):
    """Run one notebook in its own folder and write it back."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        # A busy machine is slow to start a kernel and to bring its output.
        timeout=None,
        startup_timeout=600,
        iopub_timeout=600,
        record_timing=False,
        store_widget_state=False,
        # Or the number of stored outputs would depend on timing.
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=[
            f"--InlineBackend.print_figure_kwargs={PRINT_FIGURE}"
        ],
    )
    client.create_kernel_manager()
    # Newer versions of Jupyter warn of unencrypted connections otherwise.
    client.km.transport_encryption = "auto"
    client.execute()
    normalise(notebook)
    nbformat.write(notebook, path)


def normalise(notebook):
    """Drop from an executed notebook what is not its content."""
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)
        cell.outputs = [
            output for output in cell.outputs if output.get("data") != {}
        ]


def main(arguments):
    kernel_environment.settle()
    paths = [Path(argument).resolve() for argument in arguments]
    for path in paths or sorted(CHAPTERS.glob("*.ipynb")):
        print(path.name, flush=True)
        execute(path)


if __name__ == "__main__":
    main(sys.argv[1:])
