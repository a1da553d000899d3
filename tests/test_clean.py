"""The wheel where nothing else is: on somebody's machine, and on Colab.

Packages come from PyPI and two environments are made, so this runs only where
``PERFALIGN_CLEAN`` names a Python to make them with: ``PERFALIGN_CLEAN=python3
python -m pytest tests/test_clean.py``.
"""

import json
import os
import re
import shutil
import subprocess
import textwrap
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("PERFALIGN_CLEAN")
# Of what Colab has, what a chapter may meet.
COLAB = [
    *("numpy", "scipy", "scikit-learn", "matplotlib", "pandas"),
    *("ipywidgets", "ipykernel", "nbclient"),
]
URL = "git+https://github.com/perfalign/perfalign"

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="PERFALIGN_CLEAN names no Python to install into"
)


def run(*command, cwd):
    # No environment but what finds programs and a way to PyPI.
    hidden = ("PYTHON", "VIRTUAL_ENV", "COV_", "PYTEST")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def environment(folder):
    """Python of a new environment."""
    run(PYTHON, "-m", "venv", "env", cwd=folder)
    where = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    return folder / "env" / where


def install(python, *packages, cwd):
    run(python, "-m", "pip", "install", "--quiet", *packages, cwd=cwd)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Made of the tree, but not in it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(
        ROOT / "perfalign",
        source / "perfalign",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for pattern in ("pyproject.toml", "README.md", "LICENSE*"):
        for path in ROOT.glob(pattern):
            shutil.copy(path, source)
    python = environment(folder)
    run(python, "-m", "pip", "wheel", "--no-deps", source, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


# ----------------------------------------------------------------- elsewhere


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """A folder, and a Python in which nothing but the wheel is."""
    folder = tmp_path_factory.mktemp("elsewhere")
    python = environment(folder)
    install(python, wheel, cwd=folder)
    return folder, python


def asked(elsewhere, script):
    """What a script prints that sees nothing but the environment."""
    folder, python = elsewhere
    return run(python, "-I", "-c", textwrap.dedent(script), cwd=folder)


def test_it_is_the_wheel(elsewhere):
    found = asked(elsewhere, "import perfalign; print(perfalign.__file__)")
    assert Path(found.strip()).is_relative_to(elsewhere[0])


def test_the_example_of_the_readme(elsewhere):
    text = (ROOT / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (elsewhere[0] / "example.txt").write_text(example, "utf-8")
    said = asked(
        elsewhere,
        """
        import doctest
        print(doctest.testfile("example.txt", module_relative=False))
        """,
    )
    assert re.fullmatch(r"TestResults\(failed=0, attempted=\d+\)\n", said)


def test_three_exercises(elsewhere):
    said = asked(
        elsewhere,
        """
        import numpy as np
        from perfalign.book.exercises import check
        from perfalign.datasets import make_gaussian_views

        X, Y = make_gaussian_views(random_state=0).views
        rows = np.linalg.svd(np.hstack([X, -Y]).T)[0][:, -2:].T
        print(check("2.1c", rows[:, :3], rows[:, 3:]))
        print(check("2.1c", rows[:, :3], -rows[:, 3:]))
        for answer in "abc":
            print(check("3.1b", answer))
        print(check("5.1b", 4), check("5.1b", -4), sep="\\n")
        """,
    )
    right = [line.startswith("Right. ") for line in said.splitlines()]
    assert right == [True, False, True, False, False, True, False]


def test_licences_of_code_and_data(elsewhere):
    said = asked(
        elsewhere,
        """
        from importlib.metadata import distribution

        found = distribution("perfalign")
        print(found.metadata["License-Expression"])
        print(*(file.name for file in found.files if "licenses" in str(file)))
        """,
    )
    expression, files = said.splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert expression == project["project"]["license"]
    assert {"CC-BY-SA-3.0", "CC-BY-4.0", "MIT"} <= {*expression.split(" ")}
    assert {*files.split(" ")} == {"LICENSE", "LICENSE-TEXT", "LICENSES.md"}


# ---------------------------------------------------------- Colab and Binder

# A notebook, run in the folder and by the kernel of its environment.
NOTEBOOK = """
import sys
import nbformat
from nbclient import NotebookClient

path, first = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
notebook.cells[0].source = first
NotebookClient(notebook, timeout=1200, kernel_name="python3").execute()
"""


def run_chapter(name, python, folder, first):
    """Run a chapter with another first cell, its studies beside it."""
    (folder / "chapters").mkdir(exist_ok=True)
    copy = shutil.copy(
        ROOT / "chapters" / f"{name}.ipynb", folder / "chapters"
    )
    shutil.copytree(
        ROOT / "benchmarks", folder / "benchmarks", dirs_exist_ok=True
    )
    script = folder / "run.py"
    script.write_text(NOTEBOOK, "utf-8")
    run(python, "-I", script, copy, first, cwd=folder / "chapters")


def first_cell(name):
    path = ROOT / "chapters" / f"{name}.ipynb"
    cell = json.loads(path.read_text("utf-8"))["cells"][0]
    return "".join(cell["source"])


@pytest.mark.parametrize("name", ["01-one-concept", "11-a-million-rows"])
def test_a_chapter_on_colab(name, wheel, tmp_path):
    """Its first cell installs what it needs, and all of it runs."""
    python = environment(tmp_path)
    install(python, *COLAB, cwd=tmp_path)
    source = first_cell(name)
    assert source.count(URL) == 1
    pretence = (
        "import importlib.util, sys, types\n"
        "assert importlib.util.find_spec('perfalign') is None\n"
        "sys.modules['google.colab'] = types.ModuleType('google.colab')\n"
    )
    first = pretence + source.replace(URL, str(wheel))
    run_chapter(name, python, tmp_path, first)


def megabytes(folder):
    files = [path for path in folder.rglob("*") if not path.is_symlink()]
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


@pytest.fixture(scope="module")
def binder(wheel, tmp_path_factory):
    """Folder, Python, and the weight of what is put beside JupyterLab."""
    folder = tmp_path_factory.mktemp("binder")
    python = environment(folder)
    install(python, "jupyterlab", cwd=folder)
    before = megabytes(folder)
    pins = (ROOT / "binder" / "requirements.txt").read_text("utf-8")
    (folder / "pins.txt").write_text(pins.replace("-e .", str(wheel)), "utf-8")
    install(python, "-r", "pins.txt", cwd=folder)
    return folder, python, megabytes(folder) - before


def test_the_recipe_of_binder_is_light(binder):
    assert binder[2] <= 600


@pytest.mark.parametrize(
    "name", ["01-one-concept", "06-transfer", "11-a-million-rows"]
)
def test_a_chapter_on_binder(name, binder):
    folder, python, _ = binder
    run_chapter(name, python, folder, first_cell(name))
