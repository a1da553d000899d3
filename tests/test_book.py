"""The parts of the book agree with each other, and need no network."""

import doctest
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import perfalign

ROOT = Path(__file__).resolve().parent.parent
CHECK_HTML = ROOT / "tools" / "check_html.py"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def load_yaml(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def pages_of_contents():
    contents = load_yaml("_toc.yml")
    chapters = [
        chapter["file"]
        for part in contents["parts"]
        for chapter in part["chapters"]
    ]
    return [contents["root"], *chapters]


# ------------------------------------------------------------- consistency


def test_contents_list_every_page():
    pages = {
        str(path.relative_to(ROOT).with_suffix("").as_posix())
        for kind in ("*.md", "*.ipynb")
        for path in (ROOT / "chapters").glob(kind)
    }
    assert sorted(pages_of_contents()) == sorted(pages)


def test_what_is_cited_is_in_the_bibliography_and_nothing_else():
    text = (ROOT / "chapters" / "references.bib").read_text("utf-8")
    keys = re.findall(r"^@\w+\{([^,\s]+),", text, re.MULTILINE)
    assert len(keys) == len(set(keys))
    cited = set()
    for page in (ROOT / "chapters").glob("*.[mi]*"):
        found = re.findall(
            r"\{cite(?::\w+)?\}`([^`]+)`", page.read_text("utf-8")
        )
        here = {key.strip() for keys in found for key in keys.split(",")}
        assert here <= set(keys), f"{page.name} cites {here - set(keys)}"
        cited |= here
    assert set(keys) <= cited, f"cited nowhere: {set(keys) - cited}"


def test_one_version_everywhere():
    version = PYPROJECT["project"]["version"]
    assert perfalign.__version__ == version
    assert load_yaml("CITATION.cff")["version"] == version


def test_one_title_everywhere():
    title = load_yaml("_config.yml")["title"]
    assert load_yaml("CITATION.cff")["title"] == title
    assert (ROOT / "README.md").read_text("utf-8").startswith(f"# {title}\n")


def test_requirements_pin_all_direct_dependencies():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    # Binder installs the package itself from here too.
    assert lines[-1] == "-e ."
    pins = {
        re.split(r"[=\[ ]", line)[0]
        for line in lines[:-1]
        if re.match(r"[a-z0-9][^ ]*==[^ ]+( ;.*)?$", line)
    }
    project = PYPROJECT["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["book"],
        *project["optional-dependencies"]["test"],
        *project["optional-dependencies"]["dask"],
    ]
    assert {re.split("[<>=]", name)[0] for name in wanted} <= pins
    others = [line for line in lines[:-1] if not line.lstrip().startswith("#")]
    assert len(others) >= len(pins)
    assert all("==" in line for line in others)


def test_binder_installs_the_same_versions_and_the_package():
    pins = (ROOT / "requirements.txt").read_text("utf-8").split("\n")
    binder = ROOT / "binder" / "requirements.txt"
    *lines, last, end = binder.read_text("utf-8").split("\n")
    assert (last, end) == ("-e .", "")
    versions = dict(
        line.split(" ")[0].split("==") for line in pins if "==" in line
    )
    for line in lines:
        if line and not line.startswith("#"):
            name, version = line.split(" ")[0].split("==")
            if name == "pot":  # see pyproject.toml
                assert version < "0.9.7"
            elif name in versions:
                assert version == versions[name]
    named = {line.split("==")[0] for line in lines}
    project = PYPROJECT["project"]
    wanted = (
        project["dependencies"] + project["optional-dependencies"]["launch"]
    )
    assert {re.split("[<>=]", name)[0] for name in wanted} <= named


def test_python_of_binder_is_supported():
    major, minor = re.fullmatch(
        r"python-(\d+)\.(\d+)\n",
        (ROOT / "binder" / "runtime.txt").read_text("utf-8"),
    ).groups()
    assert f">={major}.{minor}" == PYPROJECT["project"]["requires-python"]


def test_mathjax_lies_where_the_pages_look():
    config = load_yaml("_config.yml")["sphinx"]["config"]
    folder = config["html_extra_path"][0]
    path = config["mathjax_path"]
    assert path.startswith("../")
    assert (ROOT / folder / path.removeprefix("../")).stat().st_size > 1e6
    assert (ROOT / folder / "mathjax" / "LICENSE").exists()


def test_example_of_the_readme():
    text = (ROOT / "README.md").read_text("utf-8")
    # Without the Markdown fence, which doctest would take for output.
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    test = doctest.DocTestParser().get_doctest(
        example, {}, "README.md", "README.md", 0
    )
    assert len(test.examples) > 5
    results = doctest.DocTestRunner().run(test)
    assert results.failed == 0


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_files_named_in_front_exist(name):
    text = (ROOT / name).read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", text)
    rows = re.findall(r"^\| (`[^|]+[/`].*?) \|", text, re.MULTILINE)
    named = [name for row in rows for name in re.findall("`([^`]+)`", row)]
    named = [name for name in named if "/" in name or "." in name]
    assert len(links) > 3 or len(named) > 5
    for name in links + named:
        assert (ROOT / name).exists(), name


# ------------------------------------------------- the check of built pages

GOOD_PAGE = """
<html><head>
<link rel="stylesheet" href="style.css?digest=1">
<link rel="next" href="https://example.org/next.html">
<script src="script.js"></script>
<style>a { background: url("data:image/png;base64,AAAA") }</style>
<script>const text = "url(https://example.org)"</script>
</head><body>
<img src="logo.png">
<article>
<a href="https://example.org">link</a>
<img alt="A curve." src="logo.png">
</article>
</body></html>
"""
BAD_PAGES = {
    "script": '<script src="https://example.org/a.js"></script>',
    "script without scheme": '<script src="//example.org/a.js"></script>',
    "style": '<link rel="stylesheet" href="http://example.org/a.css">',
    "icon": '<link rel="shortcut icon" href="https://example.org/a.ico">',
    "preload": '<link rel="preload" href="https://example.org/a.woff">',
    "preconnect": '<link rel="preconnect" href="https://example.org">',
    "image": '<img alt="A." src="https://example.org/a.png">',
    "image set": '<img alt="A." srcset="logo.png 1x, https://b.org/a.png 2x">',
    "frame": '<iframe src="https://example.org"></iframe>',
    "import": '<style>@import "https://example.org/a.css";</style>',
    "url in css": "<style>a {b: url(https://example.org/a.png)}</style>",
    "url in attribute": '<p style="b: url(https://example.org/a.png)"></p>',
    "no such file": '<script src="nowhere.js"></script>',
    "no alternative text": '<article><img src="logo.png"></article>',
    "empty alternative text": '<article><img alt=" " src="logo.png">',
    "heavy": "x" * 1_200_001,
}


def check(folder):
    done = subprocess.run(
        [sys.executable, CHECK_HTML, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "page.html").write_text(GOOD_PAGE)
    (tmp_path / "style.css").write_text("a { background: url(logo.png) }")
    (tmp_path / "script.js").write_text("")
    (tmp_path / "logo.png").write_text("")
    return tmp_path


def test_good_pages_pass(pages):
    assert check(pages)[0] == 0


@pytest.mark.parametrize("name", BAD_PAGES)
def test_bad_page_is_refused(pages, name):
    (pages / "bad.html").write_text(BAD_PAGES[name])
    status, report = check(pages)
    assert status == 1
    assert report.startswith("bad.html: ")
    assert report.count("\n") == 1


def test_bad_style_sheet_is_refused(pages):
    (pages / "style.css").write_text("a { b: url('https://example.org/a') }")
    status, report = check(pages)
    assert status == 1
    assert report.startswith("style.css: fetches")


def test_no_pages_are_refused(tmp_path):
    assert check(tmp_path)[0] == 1


BARE = re.compile(r"(?<!KD )\b(?:Theorem|Corollary|Remark) 2\.[1-4]\b(?! of )")
ASIDES = re.compile(
    r"public to us|(?:source|text) (?:has lost|at hand)|symbol is lost"
)


def test_statements_of_the_paper_are_called_by_its_authors():
    for page in (ROOT / "chapters").glob("*.[mi]*"):
        if page.stem != "sources":
            text = page.read_text("utf-8")
            assert not BARE.search(text), page.name
            assert not ASIDES.search(text), page.name
