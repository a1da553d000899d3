"""What the notebook run lets pass as rounding, and what it does not.

And that it does not hang on the shell, on first runs and on lost kernels.
"""

import base64
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from threadpoolctl import threadpool_info

from conftest import difference
from tools import busy_machine

ROOT = Path(__file__).resolve().parent.parent


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("accuracy 0.712345", "accuracy 0.712345000001"),
        ("error 3.1e-15", "error -8.7e-17"),
        ("  error -3.1e-15", "   error 3.1e-15"),
        ("error 0", "error 2.2e-16"),
        ("-0.000", "0.000"),
        ("1e300", "1.0000000001e300"),
        ("<td>0.5000000001</td>", "<td>0.5</td>"),
    ],
)
def test_rounding_passes(stored, fresh):
    assert difference(stored, fresh) is None
    assert difference(fresh, stored) is None


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("accuracy 0.71", "accuracy 0.72"),
        ("accuracy 0.712345", "accuracy 0.712347"),
        ("accuracy 0.71", "Accuracy 0.71"),
        ("accuracy 0.71", "accuracy 0.71 %"),
        ("accuracy 0.71", "accuracy -0.71"),
        ("shared 2", "shared 3"),
        ("12345678", "12345679"),
        ("error 3.1e-15", "error 3.1e-9"),
        ("error 3.1e-15", "error nan"),
        ("a\nb", "a\n\nb"),
        ("1.0 2.0", "1.0 2.0 3.0"),
        ("1.0 2.0 3.0", "1.0 2.0"),
        ("", "1"),
        ("#1f77b4", "#1f77b5"),
        ("3.11.7", "3.11.8"),
    ],
)
def test_change_of_text_fails(stored, fresh):
    assert difference(stored, fresh)
    assert difference(fresh, stored)


# -------------------------------------------------------------- figures


def figure(*, shift=0.0, label="accuracy 0.71", alpha=0.3, width=4.0):
    """A base64 PNG with what the book's figures are made of."""
    rng = np.random.default_rng(0)
    x = np.linspace(0, 6, 200)
    points = rng.normal(size=(300, 2))
    fig, ax = plt.subplots(figsize=(width, 3))
    ax.plot(x, np.sin(x) + shift)
    ax.fill_between(x, -1, np.cos(x), alpha=alpha)
    ax.scatter(3 + points[:, 0] + shift, points[:, 1], s=12, alpha=0.5)
    ax.text(0.5, 1.2, label)
    ax.set(xlim=(0, 6), ylim=(-1.5, 1.5))
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", bbox_inches="tight")
    plt.close(fig)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def reference():
    return figure()


@pytest.mark.parametrize("shift", [1e-9, 1e-4, 3e-3, 1e-2])
def test_shift_within_a_pixel_passes(reference, shift):
    shifted = figure(shift=shift)
    if shift >= 3e-3:
        assert shifted != reference
    assert difference(reference, shifted) is None
    assert difference(shifted, reference) is None


@pytest.mark.parametrize(
    "change",
    [
        {"shift": 0.05},
        {"label": "accuracy 0.72"},
        {"label": "accuracy 0.11"},
        {"alpha": 0.2},
        {"width": 4.1},
    ],
)
def test_changed_figure_fails(reference, change):
    assert "figure" in difference(reference, figure(**change))
    assert "figure" in difference(figure(**change), reference)


def test_encoding_of_the_same_pixels_passes(reference):
    lines = "\n".join(re.findall(".{1,76}", reference)) + "\n"
    assert difference(reference, lines) is None


def explorer(images, value=0.5, width=400):
    frames = "".join(
        f'<img alt="frame" width="{width}" '
        f'src="data:image/png;base64,{image}">'
        for image in images
    )
    return f'<div data-value="{value}">{frames}</div>'


def test_images_and_text_of_an_explorer(reference):
    near, far = figure(shift=3e-3), figure(shift=0.05)
    stored = explorer([reference, reference])
    assert difference(stored, explorer([reference, near])) is None
    assert difference(stored, explorer([reference] * 2, 0.5 + 1e-9)) is None
    assert difference(stored, explorer([reference] * 2, width=401)) is None
    assert "figure" in difference(stored, explorer([reference, far]))
    assert "number" in difference(stored, explorer([reference] * 2, 0.6))
    assert "number of" in difference(stored, explorer([reference]))
    reworded = stored.replace('alt="frame"', 'alt="picture"')
    assert "text" in difference(stored, reworded)


# ------------------------------------------- the same, in a run of nbval

DRAW = (
    "import matplotlib.pyplot as plt\n"
    "fig, ax = plt.subplots()\n"
    "ax.plot([0, 1], [{0}, {0}])\n"
    "ax.set_ylim(0, 1)\n"
    "plt.show()"
)
EXPLORE = (
    "import base64, io\n"
    "import matplotlib.pyplot as plt\n"
    "from IPython.display import HTML, display\n"
    "fig, ax = plt.subplots()\n"
    "ax.plot([0, 1], [0, {}])\n"
    "ax.set_ylim(0, 2)\n"
    "buffer = io.BytesIO()\n"
    "fig.savefig(buffer)\n"
    "plt.close(fig)\n"
    "image = base64.b64encode(buffer.getvalue()).decode()\n"
    "display(HTML(f\"<img src='data:image/png;base64,{{image}}'>\"))"
)
FONTS = (
    "from pathlib import Path\n"
    "import matplotlib\n"
    "print(any(Path(matplotlib.get_cachedir()).glob('fontlist*')))"
)
THREADS = (
    "import numpy, scipy.linalg\n"
    "from threadpoolctl import threadpool_info\n"
    "print(*{library['num_threads'] for library in threadpool_info()})"
)
# What a notebook printed when it was stored, what it prints now, and whether
# the run is to accept it.
CASES = {
    # Before a figure is drawn, which would make the cache.
    "fonts_are_known": ("print(True)", FONTS, True),
    "one_thread": ("print(1)", THREADS, True),
    "same": ("print('error', 0.25)", "print('error', 0.25)", True),
    "rounding": ("print(0.1 + 0.2)", "print(0.3)", True),
    "relative_1e9": ("print(0.25)", "print(0.25 * (1 + 1e-9))", True),
    "noise": ("print(3e-16)", "print(-1e-15)", True),
    "number": ("print(0.25)", "print(0.251)", False),
    "integer": ("print(1000000)", "print(1000001)", False),
    "word": ("print('error', 0.25)", "print('Error', 0.25)", False),
    "missing": ("print(0.25)", "value = 0.25", False),
    "figure_same": (DRAW.format(0.5), DRAW.format("0.5 + 1e-9"), True),
    "figure_edge": (DRAW.format(0.5), DRAW.format(0.501), True),
    "figure_moved": (DRAW.format(0.5), DRAW.format(0.52), False),
    "figure_gone": (DRAW.format(0.5), "None", False),
    "explorer_same": (EXPLORE.format(1), EXPLORE.format("1 + 1e-9"), True),
    "explorer_moved": (EXPLORE.format(1), EXPLORE.format("1.1"), False),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Outcome and explanation of each case, all in one run of pytest.

    It runs in parallel, like `make test`; the shell asks for two threads, and
    no program has drawn anything before.
    """
    folder = copy_of_the_setup(tmp_path_factory.mktemp("run"))
    notebook = new_notebook(cells=[new_code_cell(s) for s, *_ in cases()])
    path = folder / "chapters" / "cases.ipynb"
    nbformat.write(notebook, path)
    run(folder, "tools/execute_notebooks.py", check=True)
    notebook = nbformat.read(path, as_version=4)
    for cell, (_, fresh, _) in zip(notebook.cells, cases(), strict=True):
        cell.source = fresh
    nbformat.write(notebook, path)
    # What was never meant to be collected: nbval would fail on its output.
    stale = new_notebook(
        cells=[
            new_code_cell(
                "print(1)",
                execution_count=1,
                outputs=[new_output("stream", text="2\n")],
            )
        ]
    )
    for copy in ("_build/html/_sources", ".venv", "chapters/_build"):
        (folder / copy).mkdir(parents=True)
        nbformat.write(stale, folder / copy / "stale.ipynb")
    return run_pytest(
        folder,
        "--numprocesses=2",
        "--dist=loadfile",
        OPENBLAS_NUM_THREADS="2",
        MPLCONFIGDIR=str(folder / "empty"),
    )


def copy_of_the_setup(folder):
    shutil.copy(ROOT / "conftest.py", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "tools", folder / "tools")
    (folder / "chapters").mkdir()
    return folder


def cases():
    return list(CASES.values())


def run_pytest(folder, *arguments, **variables):
    options = ["-rA", "--color=no", "-W", "default"]
    return run(folder, "-m", "pytest", *options, *arguments, **variables)


def run(folder, *arguments, check=False, **variables):
    environment = {**os.environ, **variables}
    environment.pop("PERFALIGN_THREADS", None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=check,
    ).stdout


@pytest.mark.parametrize("case", CASES)
def test_nbval_run(outcomes, case):
    number = list(CASES).index(case)
    accepted = CASES[case][2]
    outcome = "PASSED" if accepted else "FAILED"
    line = rf"^{outcome} chapters/cases\.ipynb::Cell {number}( |$)"
    assert re.search(line, outcomes, re.MULTILINE), outcomes


def test_explanations(outcomes):
    assert "stored number 0.25, computed 0.251" in outcomes
    assert "pixels of a figure differ" in outcomes
    # The images themselves do not belong in a report.
    assert max(map(len, outcomes.splitlines())) < 2000


def test_copies_made_by_the_build_are_not_collected(outcomes):
    assert "cases.ipynb" in outcomes
    assert "stale" not in outcomes


# --------------------------------------------------- busy machines


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            "import time\ntime.sleep(1e4)",
            "Timeout of 15 seconds exceeded",
        ),
        ("import os\nos._exit(1)", "the kernel has died"),
    ],
)
def test_cells_after_a_lost_kernel_are_not_run(tmp_path, loss, message):
    """One failure, which is the cause, and no others that hide it."""
    folder = copy_of_the_setup(tmp_path)
    stored = new_output("stream", text="1\n")
    cells = [
        new_code_cell(source, execution_count=number + 1, outputs=outputs)
        for number, (source, outputs) in enumerate(
            [("print(1)", [stored]), (loss, []), ("print(1)", [stored])]
        )
    ]
    nbformat.write(
        new_notebook(cells=cells), folder / "chapters" / "lost.ipynb"
    )
    report = run_pytest(folder, "--nbval-cell-timeout=15")
    assert message in report
    assert re.search(r"^PASSED \S+::Cell 0", report, re.MULTILINE), report
    assert re.search(r"^FAILED \S+::Cell 1", report, re.MULTILINE), report
    assert re.search(r"SKIPPED .* not run: Cell 1", report), report
    assert "1 failed, 1 passed, 1 skipped" in report


def test_what_chats_when_it_is_compiled_has_chatted_before(
    tmp_path, monkeypatch
):
    package = tmp_path / "chatty"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "words.py").write_text(r'pattern = "\d"')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    strict = ["-W", "error", "-c", "import chatty.words"]
    with pytest.raises(subprocess.CalledProcessError):
        run(tmp_path, *strict, check=True)
    busy_machine.first_run("chatty")
    run(tmp_path, *strict, check=True)


def test_this_process_has_one_thread_too():
    wanted = int(os.environ.get("PERFALIGN_THREADS", "1"))
    assert max(pool["num_threads"] for pool in threadpool_info()) <= wanted
