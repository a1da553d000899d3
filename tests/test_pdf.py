"""The printed book: what stands in its LaTeX, and what a log must not say.

LaTeX itself does not run here (`make pdf` runs it, and fails where a line
leaves the page); what is written for it is compared with the notebooks.
"""

import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
COMMAND = [sys.executable, ROOT / "tools" / "pdf"]


def tool(folder, name):
    """A module of a tool, which is a folder of scripts and no package."""
    sys.path.insert(0, str(ROOT / "tools" / folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def code_cells():
    for path in CHAPTERS:
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                tags = set(cell["metadata"].get("tags", []))
                yield path.name, cell, tags


@pytest.fixture(scope="module")
def tex(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pdf")
    subprocess.run(
        [*COMMAND, folder, "--tex"],
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return (folder / "perfalign.tex").read_text("utf-8")


@pytest.fixture(scope="module")
def names():
    """What the pages print for each label."""
    printed = tool("editions", "printed")
    return printed.numbered(printed.chapters(ROOT / "chapters"))


def section_of(tex, title):
    """A chapter of the book, from its title to the next one's."""
    return re.split(r"\\chapter\{", tex.split(rf"\chapter{{{title}}}")[1])[0]


# ------------------------------------------------------- numbers and titles


def test_chapters_are_numbered_as_on_the_pages(tex):
    number, counted, titles = 0, True, []
    for depth, title in re.findall(
        r"\\setcounter\{secnumdepth\}\{(-?\d)\}|\\chapter\{(.*)\}\n", tex
    ):
        if depth:
            counted = depth != "-1"
        else:
            number += counted
            titles.append((number if counted else None, title))
    notebooks = [path for path in CHAPTERS if path.name[0].isdigit()]
    for path in notebooks:
        heading = nbformat.read(path, as_version=4)
        first = next(c for c in heading.cells if c.source.startswith("# "))
        title = first.source.split("\n")[0].removeprefix("# ")
        title = title.replace("-", r"\sphinxhyphen{}")
        assert (int(path.name[:2]), title) in titles
    assert len([n for n, _ in titles if n]) == len(notebooks)


def test_statements_bear_the_numbers_of_the_pages(tex, names):
    heads = re.findall(
        r"\\begin\{statement\}\{\\phantomsection\\label\{\\detokenize\{"
        r"chapters/[^:]*:([^}]*)\}\}([\w .]*)\}\{%",
        tex,
    )
    kinds = ("Theorem", "Proposition", "Corollary", "Example")
    wanted = {k: v for k, v in names.items() if v.startswith(kinds)}
    assert dict(heads) == wanted and len(heads) == len(wanted)


def test_equations_and_figures_bear_the_numbers_of_the_pages(tex, names):
    equations = re.findall(
        r"\\renewcommand\{\\theequation\}\{([^}]*)\}\n\\begin\{equation\}"
        r"\\label\{equation:[^:]*:([^}]*)\}",
        tex,
    )
    wanted = {k: v for k, v in names.items() if k.startswith("eq-")}
    assert {name: f"({number})" for number, name in equations} == wanted
    figures = re.findall(
        r"\\thefigure\}\{([^}]*)\}.*?\\caption\{.*?\\label\{\\detokenize\{"
        r"[^:]*:([^}]*)\}\}\\end\{figure\}",
        tex,
        re.DOTALL,
    )
    wanted = {k: v for k, v in names.items() if v.startswith("Figure")}
    assert {name: f"Figure {number}" for number, name in figures} == wanted


def test_no_tag_stands_where_it_is_not_allowed(tex):
    assert r"\begin{split}" not in tex
    wherever = re.findall(r"\\begin\{([\w*]+)\}(?:(?!\\end).)*\\tag", tex)
    assert set(wherever) <= {"equation*", "align*"}
    assert len(re.findall(r"\\theequation\}\{P\d\}", tex)) == 8


def test_every_proof_and_every_box_has_its_title(tex):
    proofs = sum(
        path.read_text("utf-8").count("{prf:proof}") for path in CHAPTERS
    )
    assert tex.count(r"\begin{proof}") == proofs
    assert "Proof. " not in tex
    assert not re.findall(r"\\begin\{sphinxadmonition\}\{\w+\}(?!\{\S)", tex)


def test_every_link_leads_somewhere(tex):
    label = r"\{(?:\\detokenize\{)?([^{}]*)\}"
    labels = set(re.findall(r"\\label" + label, tex))
    links = re.findall(r"\\hyperref\[(?:\\detokenize\{)?([^{}\]]*)", tex)
    links += re.findall(r"\\(?:eqref|ref|solutionon)" + label, tex)
    assert set(links) <= labels
    cited = set(re.findall(r"\\hyperlink\{cite\.([^}]*)\}", tex))
    listed = section_of(tex, "Bibliography")
    assert cited == set(re.findall(r"\\bibitem\[\d+\]\{([^}]*)\}", listed))


# ---------------------------------------------------- exercises, solutions


def test_each_solution_stands_in_the_appendix_once(tex, names):
    appendix = section_of(tex, "Solutions")
    wanted = sorted(v for v in names.values() if v.startswith("Exercise"))
    solved = re.findall(r"Solution to.*?(Exercise [\d.]+)", appendix)
    posed = re.findall(r"\\begin\{exercise\}.*?(Exercise [\d.]+)", tex, re.S)
    assert sorted(solved) == sorted(posed) == wanted
    assert tex.count(r"\begin{solution}") == len(wanted)
    assert appendix.count(r"\begin{solution}") == len(wanted)
    leads = re.findall(r"\\solutionon\{(.*?\})\}", tex)
    assert len(set(leads)) == len(wanted)
    assert all(rf"\label{{{lead}}}" in appendix for lead in leads)


# ------------------------------------------------------- code and pictures


SIGNS = {
    "us": "_", "ob": "{", "cb": "}", "dq": '"', "sq": "'", "hy": "-",
    "lt": "<", "gt": ">", "sh": "#", "pc": "%", "am": "&", "ca": "^",
    "ti": "~", "bs": "\\", "dl": "$",
}  # fmt: skip


def printed_code(tex):
    """All code and output, as it was before Pygments coloured it."""
    blocks = re.findall(
        r"\\begin\{sphinxVerbatim\}.*?\n(.*?)\\end\{sphinxVerbatim\}",
        tex,
        re.S,
    )
    # Braces that belong to the code come last.
    code, count = re.sub(r"\\PYGZ(\w\w)\{\}", r"<<\1>>", "\n".join(blocks)), 1
    while count:
        code, count = re.subn(r"\\PYG\{[\w+]+\}\{([^{}]*)\}", r"\1", code)
    return re.sub(r"<<(\w\w)>>", lambda sign: SIGNS[sign[1]], code)


def test_visible_code_is_printed_and_hidden_code_is_not(tex):
    code = printed_code(tex)
    for name, cell, tags in code_cells():
        source = "".join(cell["source"])
        if not tags:
            lines = [line for line in source.split("\n") if line.strip()]
            assert all(line in code for line in lines), (name, cell["id"])
        elif source:
            # Alone on its lines: an example in a docstring may be like it.
            assert f"\n{source}\n" not in code, (name, cell["id"])


def test_every_output_has_a_form_for_print():
    for name, cell, tags in code_cells():
        if tags & {"remove-cell", "remove-output"}:
            continue
        for output in cell["outputs"]:
            forms = set(output.get("data", {"stream": ""}))
            if "text/html" in forms:
                forms.discard("text/plain")  # the name of an object
            assert forms & {
                "image/png",
                "text/plain",
                "text/latex",
                "text/markdown",
                "stream",
            }, f"{name}, {cell['id']}: {forms}"


def test_every_picture_is_printed(tex):
    stored = Counter(
        "explorer" if "text/html" in output["data"] else "figure"
        for _, cell, tags in code_cells()
        for output in cell["outputs"]
        if "image/png" in output.get("data", {}) and "remove-cell" not in tags
    )
    assert tex.count(r"\begin{explorer}") == stored["explorer"]
    assert tex.count(r"\explorercaption{") == stored["explorer"]
    pictures = tex.count(r"\sphinxincludegraphics")
    assert pictures == stored.total()


# -------------------------------------------------------------- the tools


@pytest.mark.parametrize(
    "line",
    [
        "! Undefined control sequence.",
        "Missing character: There is no τ (U+03C4) in font Latin Modern!",
        "Overfull \\hbox (1.3pt too wide) in paragraph at lines 7--9",
        "Overfull \\vbox (84.4pt too high) has occurred while \\output",
        "LaTeX Warning: Reference `thm-x' on page 3 undefined on input line",
        "LaTeX Warning: Label `thm-x' multiply defined.",
    ],
)
def test_a_fault_in_the_log_is_found(line):
    faults = tool("pdf", "faults").faults
    assert faults(f"This is XeTeX\n{line}\nUnderfull \\hbox") == [line]
    assert faults("Overfull \\hbox (0.9pt too wide) in paragraph") == []


def test_without_latex_it_says_what_is_missing(tmp_path):
    ran = subprocess.run(
        [*COMMAND, tmp_path],
        env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode != 0 and not list(tmp_path.iterdir())
    assert "latexmk and xelatex and makeindex must be installed" in ran.stderr


def test_columns_have_room_for_their_longest_word():
    widths = tool("pdf", "tables").widths
    few = widths([("a", "permutation"), ("x " * 400, "y")])
    assert few[0] >= 100 * len("permutation") and few[1] > 4 * few[0]
