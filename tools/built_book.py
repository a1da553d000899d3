"""The built book, and a browser to open it with; see tools/browser.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def needs_a_browser():
    """Skip, or fail if one is required and there is none."""
    pytest.importorskip("fcntl", reason="a browser is spoken to by pipes")
    from tools.browser import executable

    if executable() is None:
        reason = "no Chromium or Chrome is found; CHROME may name one"
        if os.environ.get("PERFALIGN_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """Folder of the book, which all workers share and one has built."""
    needs_a_browser()
    from fcntl import LOCK_EX, flock

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with open(shared / "book.lock", "w") as lock:
        flock(lock, LOCK_EX)
        if not (shared / "book" / "done").exists():
            build(shared / "book")
    return shared / "book" / "_build" / "html"


def build(folder):
    program = "from jupyter_book.cli.main import main; main()"
    # What it warns of is the business of `make book`.
    done = subprocess.run(
        [sys.executable, "-c", program, "build", ROOT]
        + ["--path-output", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "done").touch()


@pytest.fixture(scope="module")
def browser():
    needs_a_browser()
    from tools.browser import Browser

    with Browser() as found:
        yield found
