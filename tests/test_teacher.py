"""What is written for a teacher, from the chapters as they stand."""

import importlib
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest

from perfalign.book.exercises import question, questions
from perfalign.book.predictions import predict, predictions

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9][0-9]-*.ipynb"))
STEMS = [path.stem for path in CHAPTERS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    subprocess.run(
        [sys.executable, ROOT / "tools" / "editions", "teacher", folder],
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    return folder


@pytest.fixture
def tool(monkeypatch):
    """Imports a module of the tool."""
    monkeypatch.syspath_prepend(ROOT / "tools" / "editions")
    return importlib.import_module


def text_of(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown")


@pytest.mark.parametrize("stem", STEMS)
def test_a_page_says_what_to_teach_and_to_ask(folder, stem):
    page = (folder / f"{stem}.md").read_text("utf-8")
    source = text_of(ROOT / "chapters" / f"{stem}.ipynb")
    minutes = re.search(r"About (\d+)\s+minutes", source)[1]
    assert f"\nAbout {minutes} minutes to read" in page
    first_aim = re.search(r"able to do\n:class: tip\n\n- (.+)", source)[1]
    assert f"- {first_aim}" in page
    for exercise in re.findall(r"\{exercise\} (.+)", source):
        assert f": {exercise}\n" in page
    for number in questions():
        if int(number.split(".")[0]) == int(stem[:2]):
            for _, reason in question(number).wrong():
                assert reason in page
    number = int(stem[:2])
    asked = [n for n in questions() if int(n.split(".")[0]) == number]
    further = len(re.findall(r" Here \w+ = ", page))
    arrays = [n for n in asked if n == "2.1c"]
    assert further == sum(len(question(n).others) for n in asked) - sum(
        len(question(n).others) for n in arrays
    )
    for name in predictions(number):
        assert f"\n**{name}** {predict(name).question}\n\n*Answer: " in page
        for _, reason in predict(name).kind.wrong():
            assert reason in page
    assert page.count("*Answer: ") == (
        len(asked) + further + len(predictions(number))
    )
    assert not re.findall(r"\{[\w:-]+\}`|^:::", page, re.MULTILINE)


def test_misconceptions_show_the_wrong_answer(folder):
    page = (folder / "06-transfer.md").read_text("utf-8")
    assert "- 0.005: That is the variance. Take the root." in page
    assert "- (a) the Euclidean norm: It counts" in page
    assert "*Answer: 0.07071.* The root of" in page
    other = "Here labels = 200, share = 0.7.\n\n*Answer: 0.0324.*"
    assert other in page


def test_solutions_print_what_their_code_prints(folder):
    page = (folder / "03-existence.md").read_text("utf-8")
    assert "\n```\n\n```text\n100: true 41, shuffled 41" in page


@pytest.mark.parametrize("stem", STEMS)
def test_slides_show_statements_and_figures(folder, stem):
    chapter = ROOT / "chapters" / f"{stem}.ipynb"
    cells = nbformat.read(folder / f"{stem}-slides.ipynb", as_version=4).cells
    slides = "\n\n".join(cell.source for cell in cells)
    source = text_of(chapter)
    for title in re.findall(r"\{prf:(?!proof)\w+\} (.+)", source):
        assert f"({title})" in slides
    figures = [cell for cell in cells if "attachments" in cell]
    shown = 0
    for cell in nbformat.read(chapter, as_version=4).cells:
        if "figure" in cell.metadata.get("mystnb", {}):
            alt = cell.metadata.mystnb.image.alt
            shown += f"![{alt}](attachment:figure.png)" in slides
    assert shown >= 2
    assert len(figures) >= shown
    kinds = [cell.metadata.slideshow.slide_type for cell in cells]
    asked = len(predictions(int(stem[:2])))
    assert kinds.count("notes") == source.count("{prf:proof}") + asked
    assert set(kinds) <= {"slide", "subslide", "notes"}
    assert "Solution of" not in slides
    assert cells[0].source.startswith("# ")


@pytest.mark.parametrize("stem", STEMS)
def test_slides_lack_nothing_that_they_cite(folder, stem):
    cells = nbformat.read(folder / f"{stem}-slides.ipynb", as_version=4).cells
    source = "\n\n".join(text_of(path) for path in CHAPTERS)
    known = {*re.findall(r"\\tag\{([^}]+)\}", source)}
    here = text_of(ROOT / "chapters" / f"{stem}.ipynb")
    labels = re.findall(r"^\$\$ \(eq-", here, re.MULTILINE)
    known |= {f"{int(stem[:2])}.{i + 1}" for i in range(len(labels))}
    shown = set()
    for cell in cells:
        shown |= {*re.findall(r"\\tag\{([^}]+)\}", cell.source)}
        if cell.metadata.slideshow.slide_type != "notes":
            cited = {*re.findall(r"\(([A-Z]?\d[\d.]*)\)", cell.source)}
            assert cited & known <= shown
        assert "![]" not in cell.source


@pytest.mark.parametrize("stem", STEMS)
def test_slides_say_what_an_explorer_shows(folder, stem):
    cells = nbformat.read(folder / f"{stem}-slides.ipynb", as_version=4).cells
    slides = "\n\n".join(cell.source for cell in cells)
    chapter = nbformat.read(ROOT / "chapters" / f"{stem}.ipynb", as_version=4)
    for cell in chapter.cells:
        for output in cell.get("outputs", []):
            page = output.get("data", {}).get("text/html", "")
            for said in re.findall(r"(?s)<figcaption[^>]*>(.+?)</fig", page):
                assert unescape(said) in slides


MARKDOWN = """# Title

:::{prf:proof}

one two three

:::

%s

:::{exercise} Not counted
:label: ex-7

%s

:::

:::{solution} ex-7

%s

:::
"""


def test_minutes_are_words_proofs_and_cells(tool):
    many = "word " * 5000

    def minutes(words, cells, hidden=(), more=""):
        markdown = MARKDOWN % (more, many, many) + "\n" + "word " * words
        code = [nbformat.v4.new_code_cell("1") for _ in range(cells)]
        code += [
            nbformat.v4.new_code_cell("1", metadata={"tags": tags})
            for tags in hidden
        ]
        chapter = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_markdown_cell(markdown), *code]
        )
        return tool("teacher").minutes(chapter)

    assert minutes(0, 2) == 5
    assert minutes(2000, 2) == 15
    assert minutes(2000, 7) == 20
    for tag in ("remove-cell", "remove-input", "hide-input", "hide-cell"):
        assert minutes(2000, 2, [[tag]] * 20) == 15
    folded = ":::{admonition} Proof\n:class: dropdown\n\nfour five\n\n:::\n"
    assert minutes(2000, 2, more=f"{folded}\n{folded}") == 20
    remark = folded.replace("Proof", "A remark")
    assert minutes(2000, 2, more=f"{remark}\n{remark}") == 15


def test_figures_are_drawn_anew_with_text_in_them(tool, tmp_path):
    source = (
        "from perfalign.book import plots\n"
        "fig = plots.spectrum([3, 2, 1], 1)\n"
        "fig.axes[0].set_title('A title')\n"
        "fig"
    )
    chapter = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id="code-1")]
    )
    path = tmp_path / "07-drawn.ipynb"
    nbformat.write(chapter, path)
    tool("figures").main(path, tmp_path / "figures")
    drawn = (tmp_path / "figures" / "07-code-1.svg").read_text("utf-8")
    assert ">A title</text>" in drawn
