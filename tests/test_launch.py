"""Where the rocket of a page leads: to the branch `notebooks`."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
WORKFLOW = ROOT / ".github" / "workflows" / "notebooks.yml"
COLAB = """\
import sys

if "google.colab" in sys.modules:
    %pip install --quiet git+https://github.com/perfalign/perfalign"""

ANYWHERE = """\
import importlib.util

if importlib.util.find_spec("perfalign") is None:
    %pip install --quiet git+https://github.com/perfalign/perfalign"""


def names(folder):
    return {path.name for path in folder.glob("*.ipynb")}


@pytest.fixture(scope="module")
def branch(tmp_path_factory):
    """What the workflow writes over main, by the commands it gives."""
    folder = tmp_path_factory.mktemp("branch")
    tool = ROOT / "tools" / "editions"
    for edition in ("plain", "student"):
        subprocess.run(
            [sys.executable, tool, edition, folder / "_build" / edition],
            check=True,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
        )
    (folder / "chapters").mkdir()
    steps = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["plain"]
    commands = steps["steps"][-1]["run"].splitlines()
    copies = [line for line in commands if line.startswith("cp ")]
    subprocess.run(["sh", "-ec", "\n".join(copies)], cwd=folder, check=True)
    return folder


def test_a_notebook_for_every_rocket(branch):
    assert names(branch / "chapters") == names(ROOT / "chapters")
    numbered = {name for name in names(ROOT / "chapters") if name[0].isdigit()}
    assert names(branch / "student") == numbered


def test_editions_install_where_the_package_is_missing(branch):
    """Wherever a notebook is opened; in the book, on Colab alone."""
    for path in [*branch.glob("chapters/*.ipynb"), *branch.glob("student/*")]:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells]
        assert sources[0].startswith(ANYWHERE), path
        assert not any("google.colab" in source for source in sources)


@pytest.mark.parametrize("name", ["intro", "own-data"])
def test_pages_around_the_chapters_are_plain_too(branch, name):
    text = (branch / "chapters" / f"{name}.ipynb").read_text("utf-8")
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        assert not re.search(r"\{[\w:-]+\}`|^:{3}", source, re.MULTILINE)


def test_buttons_launch_one_branch_and_edit_the_other():
    branch = CONFIG["repository"]["branch"]
    assert f"git push --force origin {branch}\n" in WORKFLOW.read_text("utf-8")
    options = CONFIG["sphinx"]["config"]["html_theme_options"]
    assert options["use_download_button"] is False
    context = CONFIG["sphinx"]["config"]["html_context"]
    assert "/edit/main/" in context["edit_page_url_template"]
    readme = (ROOT / "README.md").read_text("utf-8")
    launched = re.findall(r"\((https://(?:mybinder|colab)[^)]+)\)", readme)
    assert len(launched) == 2
    for address in launched:
        assert f"/perfalign/{branch}?" in address or (
            f"/blob/{branch}/" in address
        )
        assert (ROOT / "chapters" / address.split("/")[-1]).exists()


@pytest.mark.parametrize("name", sorted(names(ROOT / "chapters")))
def test_colab_installs_first(name):
    text = (ROOT / "chapters" / name).read_text("utf-8")
    first = json.loads(text)["cells"][0]
    assert first["metadata"]["tags"] == ["remove-cell"]
    source = "".join(first["source"])
    assert source.startswith(COLAB)
    assert re.sub(r"^    %pip .*\n?", "", source, flags=re.M) == (
        re.sub(r"^    %pip .*\n?", "", COLAB, flags=re.M)
    )
