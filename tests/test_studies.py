"""Every stored study can be repeated in part, and is named where it is shown.

`benchmarks/study.py` does the former; here it is put to trees made up, and to
a study that takes a second. Then the book is searched for figures of stored
studies, each of which must name its script where the reader sees it.
"""

import ast
import importlib
import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "benchmarks"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("study")


STUDIES = sorted(path.stem for path in FOLDER.glob("*.json"))
HELPERS = ["scale_methods", "scale_table", "study"]
#: Studies of data that each reader must fetch: nothing of them is stored.
ELSEWHERE = ["human_action"]

# ------------------------------------------------------ stored beside fresh

STORED = {
    "task": {"accuracy": [0.5, 0.7, 0.9], "seconds": [1.0, 2.0, 3.0]},
    "seeds": [{"a": [1, 2]}, {"a": [3, 4]}],
    "refused": "too few",
}


def rows(study, fresh, **kwargs):
    found = study.compare(STORED, fresh, **kwargs)
    return {name: rest for name, *rest in found}


def test_means_are_of_the_same_splits(study):
    found = rows(study, {"task": {"accuracy": [0.5, 0.7005]}})
    old, new, gap, verdict = found["task / accuracy"]
    assert (old, new, gap) == pytest.approx((0.6, 0.60025, 0.0005))
    assert verdict == "same"


def test_a_number_that_changed_is_found(study):
    found = rows(study, {"task": {"accuracy": [0.5, 0.71]}})
    assert found["task / accuracy"][-1] == "DIFFERS"
    # Even where the mean has not changed.
    found = rows(study, {"task": {"accuracy": [0.52, 0.68]}})
    assert found["task / accuracy"][-1] == "DIFFERS"


def test_places_in_an_inner_list_are_branches_of_their_own(study):
    found = rows(study, {"seeds": [{"a": (1, 2)}, {"a": (3, 5)}]})
    assert found["seeds / a / 0"] == [2, 2, 0, "same"]
    assert found["seeds / a / 1"] == [3, 3.5, 1, "DIFFERS"]


def test_times_are_shown_and_not_judged(study):
    found = rows(study, {"task": {"seconds": [9.0]}})
    assert found["task / seconds"] == [1, 9, 8, "time"]


def test_words_are_compared_and_not_a_number_is_itself(study):
    assert rows(study, {"refused": "too few"})["refused"][-1] == "same"
    assert rows(study, {"refused": "too many"})["refused"][-1] == "DIFFERS"
    nan = float("nan")
    [row] = study.compare({"a": nan}, {"a": nan})
    assert row[-1] == "same"
    [row] = study.compare({"a": nan}, {"a": 1.0})
    assert row[-1] == "DIFFERS"
    [row] = study.compare({"a": None}, {"a": 1.0})
    assert row[-1] == "DIFFERS"


def test_a_study_says_itself_what_is_the_same(study):
    def same(stored, fresh):
        return fresh < 10 * stored

    fresh = {"task": {"accuracy": [2.0]}}
    assert rows(study, fresh, same=same)["task / accuracy"][-1] == "same"


@pytest.mark.parametrize(
    "fresh",
    [
        {"task": {"recall": [1]}},
        {"unknown": 1},
        {"task": 1},
        {"task": {"accuracy": {"a": 1}}},
        {"task": {"accuracy": [[1]]}},
        {"task": {"accuracy": [1, 2, 3, 4]}},
    ],
)
def test_what_is_not_stored_is_an_error(study, fresh):
    with pytest.raises(KeyError):
        rows(study, fresh)


def test_the_exit_status_is_1_if_something_differs(study, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["study.py", "scale_accuracy"])
    script = importlib.import_module("scale_accuracy")
    stored = json.loads((FOLDER / "scale_accuracy.json").read_text())
    monkeypatch.setattr(script, "reduced", lambda: {"sorted": {}})
    assert study.main() == 0
    changed = {"sorted": {"Gram matrix": {"singular values": 1e9}}}
    monkeypatch.setattr(script, "reduced", lambda: changed)
    assert study.main() == 1
    assert "1 differ" in capsys.readouterr().out
    assert stored["sorted"]["Gram matrix"]["singular values"] < 1e4


def test_without_a_name_all_studies_are_listed(study, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["study.py"])
    assert study.main() == 0
    printed = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in printed if line} >= set(STUDIES)


def test_a_cheap_study_is_repeated(study, capsys):
    assert study.repeat("scale_accuracy"), capsys.readouterr().out


# --------------------------------------------------- scripts and their README


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}


def test_every_script_is_a_study_or_said_to_be_none():
    scripts = sorted(path.stem for path in FOLDER.glob("*.py"))
    assert scripts == sorted([*STUDIES, *HELPERS, *ELSEWHERE])
    no_study = README[README.index("## No studies") :]
    assert all(f"`{name}.py`" in no_study for name in HELPERS)
    for name in ELSEWHERE:
        row = re.search(rf"^\| \[`{name}`\].*$", README, re.MULTILINE)[0]
        assert "not run here: needs the files" in row
        assert f"\n### {name}\n" in README


#: Scripts to which others add their own.
WITHOUT = {"real_modalities"}


@pytest.mark.parametrize("name", STUDIES)
def test_study_can_be_repeated_in_part(name):
    if name in WITHOUT:
        pytest.skip("no reduced form yet")
    assert "reduced" in functions(FOLDER / f"{name}.py")


def readers(name):
    """Chapters whose code reads a stored study."""
    return [
        path.name
        for path in CHAPTERS
        if any(
            f'"{name}.json"' in cell.source
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "code"
        )
    ]


@pytest.mark.parametrize("name", STUDIES)
def test_study_has_a_row_and_a_paragraph_that_name_its_readers(study, name):
    assert name in study.costs()
    row = re.search(rf"^\| \[`{name}`\].*$", README, re.MULTILINE)[0]
    assert f"(#{name})" in row
    paragraph = README.split(f"\n### {name}\n")[1].split("\n#")[0]
    links = set(re.findall(r"\(\.\./chapters/(\d\d-[\w-]+\.ipynb)\)", row))
    assert links == set(readers(name))
    assert paragraph.strip()
    claims = (ROOT / "chapters/claims.csv").read_text(encoding="utf-8")
    rests = f"benchmarks/{name}.json" in claims
    assert ("claims.md" in row) == rests


# ------------------------------------------------------ figures and scripts


COMPOUND = ast.For | ast.While | ast.If | ast.With | ast.Try


def simple_statements(nodes):
    """Statements in order; of a compound one its head, then what is in it."""
    for node in nodes:
        if not isinstance(node, COMPOUND):
            yield node
            continue
        if isinstance(node, ast.For):
            yield ast.Assign([node.target], node.iter)
        elif isinstance(node, ast.While | ast.If):
            yield ast.Expr(node.test)
        elif isinstance(node, ast.With):
            yield from (ast.Expr(item.context_expr) for item in node.items)
        yield from simple_statements(node.body)
        yield from simple_statements(getattr(node, "orelse", []))


def own_names(node):
    """Names that mean something within a statement alone."""
    whole = isinstance(node, ast.FunctionDef)
    inner = [
        part
        for part in ast.walk(node)
        if isinstance(part, ast.comprehension | ast.arg)
    ]
    names = {part.arg for part in inner if isinstance(part, ast.arg)}
    scopes = [p.target for p in inner if isinstance(p, ast.comprehension)]
    for part in [node] if whole else scopes:
        for name in ast.walk(part):
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                names.add(name.id)
    return names


def stored_names(node, tainted):
    """Studies that a statement reads, or holds what was read from."""
    found, own = set(), own_names(node)
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id not in own:
            if isinstance(part.ctx, ast.Load):
                found |= tainted.get(part.id, set())
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            found |= set(re.findall(r"(\w+)\.json", part.value))
    return found & set(STUDIES)


def targets(node):
    """Names that a statement gives a value."""
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    } - own_names(node)


def filled(node):
    """Names of which a statement sets a part, as in a[b] = c."""
    if not isinstance(node, ast.Assign | ast.AugAssign):
        return set()
    aims = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {
        next(p.id for p in ast.walk(aim) if isinstance(p, ast.Name))
        for top in aims
        for aim in ast.walk(top)
        if isinstance(aim, ast.Subscript | ast.Attribute)
    }


def figures_of_studies(cells):
    """Pairs of a cell that draws, and the studies its figure comes from."""
    tainted = {}
    for cell in cells:
        if cell.cell_type != "code":
            continue
        lines = cell.source.splitlines()
        code = [line for line in lines if line.strip()[:1] not in ("%", "!")]
        read = set()
        for statement in simple_statements(_statements("\n".join(code))):
            found = stored_names(statement, tainted)
            read |= found
            tainted |= dict.fromkeys(targets(statement), found)
            for name in filled(statement):
                tainted[name] = tainted.get(name, set()) | found
        if any("image/png" in out.get("data", {}) for out in cell.outputs):
            if read:
                yield cell, read


def _statements(code):
    try:
        return ast.parse(code).body
    except SyntaxError:  # only the cell that fetches the repository
        return []


def names_script(cell, name):
    """Whether the caption of a figure links to the script."""
    figure = cell.metadata.get("mystnb", {}).get("figure", {})
    link = f"perfalign/blob/main/benchmarks/{name}.py)"
    return link in figure.get("caption", "") or link in cell.source


def test_a_figure_is_traced_to_the_study_it_shows():
    def cell(source, caption="", draws=False):
        outputs = []
        if draws:
            data = {"image/png": ""}
            outputs = [nbformat.v4.new_output("display_data", data)]
        made = nbformat.v4.new_code_cell(source, outputs=outputs)
        made.metadata["mystnb"] = {"figure": {"caption": caption}}
        return made

    link = "[x](https://github.com/perfalign/perfalign/blob/main/benchmarks/"
    cells = [
        cell('s = json.loads((folder / "bridges.json").read_text())'),
        cell("def mean(k):\n    return s[k]\n\nt = {}"),
        cell("for k in a:\n    t[k] = mean(k)\nother = 3"),
        cell("plot(t)", f"{link}bridges.py)", draws=True),
        cell("plot(t)", f"{link}descent.py)", draws=True),
        cell("plot(other)", draws=True),
        cell("t = 3"),
        cell("plot(t)", draws=True),
    ]
    found = list(figures_of_studies(cells))
    assert found == [(cells[3], {"bridges"}), (cells[4], {"bridges"})]
    assert [names_script(c, "bridges") for c, _ in found] == [True, False]


#: Chapters whose captions name their scripts.
NAMED = {
    "06-transfer.ipynb",
    "09-is-it-real.ipynb",
    "11-a-million-rows.ipynb",
    "12-bridges.ipynb",
    "13-flows.ipynb",
    "14-platonic.ipynb",
}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_figure_of_a_stored_study_links_to_its_script(path):
    cells = nbformat.read(path, as_version=4).cells
    missing = [
        f"{cell.id}: {name}.py"
        for cell, studies in figures_of_studies(cells)
        for name in sorted(studies)
        if not names_script(cell, name)
    ]
    if missing and path.name not in NAMED:
        pytest.skip(f"captions not yet linked: {missing}")
    assert not missing
