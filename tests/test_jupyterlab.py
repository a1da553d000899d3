"""A chapter where its rocket leads: in JupyterLab, driven by a browser.

JupyterLab is started from the Python that ``PERFALIGN_LAB`` names, or from
this one. Without it, or without a browser, this is skipped, unless
``PERFALIGN_BROWSER=required``.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from perfalign.book.exercises import check
from tools.browser import Browser, executable

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = "chapters/03-existence.ipynb"
PATIENCE = 300  # seconds, for a chapter on a busy machine
LAB = os.environ.get("PERFALIGN_LAB", sys.executable)


def refuse(reason):
    if os.environ.get("PERFALIGN_BROWSER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the rocket opens: the plain edition, and nothing else."""
    folder = tmp_path_factory.mktemp("lab")
    tool = ROOT / "tools" / "editions"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, tool, "plain", folder / "chapters"]
    subprocess.run(command, check=True, env=environment)
    return folder


@contextmanager
def server(folder):
    """Address of a JupyterLab of its own, on a free port of this machine."""
    home = folder / "home"
    home.mkdir()
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        "--expose-app-in-browser",
        "--LabApp.extension_manager=readonly",
        f"--ServerApp.root_dir={folder}",
    ]
    environment = os.environ | {
        f"JUPYTER{name}_DIR": str(home / name.lower())
        for name in ("_CONFIG", "_DATA", "_RUNTIME")
        + ("LAB_SETTINGS", "LAB_WORKSPACES")
    }
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [LAB, "-m", "jupyterlab", *options],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        found = home / "_runtime" / f"jpserver-{process.pid}.json"
        end = time.monotonic() + PATIENCE
        while not found.exists():
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < end, log.read_text("utf-8")
            time.sleep(0.1)
        info = json.loads(found.read_text("utf-8"))
        yield f"{info['url']}lab/tree/{CHAPTER}?token={info['token']}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


OPENED = """!!(self.panel = [...(self.jupyterapp?.shell.widgets("main") ?? [])]
  .find((e) => e.context?.isReady && e.content.widgets?.length))"""


@pytest.fixture(scope="module")
def lab(folder):
    """A browser in which a chapter is open, and run from top to bottom."""
    if executable() is None:
        refuse("no Chromium or Chrome is found; CHROME may name one")
    # Fonts, or the first cell that draws may speak of them.
    program = "import jupyterlab, matplotlib.font_manager"
    if subprocess.run([LAB, "-c", program], check=False).returncode:
        refuse(f"{LAB} has no JupyterLab; PERFALIGN_LAB may name one")
    with server(folder) as address, Browser() as browser:
        browser.open(address, height=1400)
        browser.until(OPENED)
        browser.run(
            "jupyterapp.shell.activateById(panel.id);"
            "panel.context.sessionContext.ready.then(() => 0)"
        )
        # Nothing that is stored may pass for what is computed.
        execute(browser, "notebook:clear-all-cell-outputs")
        assert not any(cell.get("outputs") for cell in cells(browser))
        execute(browser, "notebook:run-all-cells")
        yield browser


def execute(browser, command):
    """Run a command of the menus, and wait until it is done."""
    browser.run(
        "(command) => { self.done = null; jupyterapp.commands"
        ".execute(command).then(() => { self.done = true; }); }",
        command,
    )
    end = time.monotonic() + PATIENCE
    while not browser.run("done"):
        assert time.monotonic() < end, command
        time.sleep(0.1)


def cells(browser):
    return browser.run(
        "panel.content.widgets.map(({ model }) => model.toJSON())"
    )


def test_a_chapter_runs_from_top_to_bottom(lab):
    code = [cell for cell in cells(lab) if cell["cell_type"] == "code"]
    assert len(code) > 15
    counts = [cell["execution_count"] for cell in code]
    assert counts == list(range(1, len(code) + 1))
    kinds = {out["output_type"] for cell in code for out in cell["outputs"]}
    assert kinds == {"stream", "execute_result"}
    streams = [
        (out["name"], out["text"])
        for cell in code
        for out in cell["outputs"]
        if out["output_type"] == "stream"
    ]
    assert {name for name, _ in streams} == {"stdout"}, streams


SCROLL = """(name) => {
  const i = panel.content.widgets.findIndex(({ model }) => model.id === name);
  panel.content.activeCellIndex = i;
  return panel.content.scrollToItem(i).then(() => 0);
}"""
SOLUTION = """[...document.querySelectorAll(".jp-RenderedMarkdown details")]
  .find((e) => !e.open && e.textContent.includes("KD Theorem 2.1"))"""


def test_theorems_have_titles_and_solutions_are_folded(lab):
    text = "document.querySelector('.jp-Notebook').textContent"
    lab.run(SCROLL, "text-10")
    lab.until(f"{text}.includes('Theorem 3.2 (Sharp existence).')")
    lab.run(SCROLL, "text-28")
    lab.until(f"!!{SOLUTION}")


HANDLE = "document.querySelector('.jp-OutputArea .widget-slider .noUi-handle')"
PICTURE = "document.querySelector('.jp-OutputArea .widget-html img').src"


def test_its_explorer_moves(lab):
    lab.run(SCROLL, "code-cities")
    lab.until(f"!!{HANDLE} && !!{PICTURE}")
    before = lab.run(f"[{HANDLE}.ariaValueNow, {PICTURE}]")
    lab.run(f"{HANDLE}.focus()")
    lab.press("ArrowRight")
    lab.until(f"{PICTURE} !== {json.dumps(before[1])}")
    assert float(lab.run(f"{HANDLE}.ariaValueNow")) > float(before[0])


@pytest.mark.parametrize("answer", ["a", "b", "c"])
def test_an_answer_is_checked(lab, answer):
    lab.run("panel.content.activeCellIndex = panel.content.widgets.length - 1")
    execute(lab, "notebook:insert-cell-below")
    execute(lab, "notebook:enter-edit-mode")
    typed = (
        "from perfalign.book.exercises import check\n"
        f'check("3.1b", "{answer}")'
    )
    lab.call("Input.insertText", text=typed)
    execute(lab, "notebook:run-cell")
    (said,) = cells(lab)[-1]["outputs"]
    assert said["data"]["text/plain"] == repr(check("3.1b", answer))
