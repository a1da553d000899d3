"""The rules of the house, which CONTRIBUTING.md draws."""

import ast
import inspect
import io
import json
import re
import subprocess
import sys
import tokenize
from dataclasses import is_dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

HOME = Path(__file__).resolve().parent.parent
GUIDE = (HOME / "CONTRIBUTING.md").read_text("utf-8")

#: The rooms in order, a room's chapters, and those that a chapter is about.
CHAPTERS = dict(re.findall(r"^\| `(\w+)` \| .+ \| (.*) \|$", GUIDE, re.M))
ORDER = list(CHAPTERS)
ROOMS = [room for room in ORDER if CHAPTERS[room]]

#: What a newcomer asks: the file that answers, and the name to look for.
QUESTIONS = re.findall(
    r"^\| … (.+)\? \| `(perfalign/\S+)` \| `(\w+)` \|$", GUIDE, re.M
)

HEAVY = {"ot", "torch", "matplotlib", "ipywidgets", "dask", "distributed"}

#: Private names by which scikit-learn speaks with any estimator.
SHARED = {*dir(BaseEstimator), "_parameter_constraints"}

#: Words that are not used, and those that are.
WORDS = {
    "modality": "view",
    "modalities": "views",
    "regularisation": "reg",
    "regularization": "reg",
    "marginal_penalty": "reg_m",
    "held_out": "test_size",
}


class Module:
    """A file of the package, read but not run."""

    def __init__(self, path):
        self.text = path.read_text("utf-8")
        self.nodes = list(ast.walk(ast.parse(self.text)))
        self.file = path.relative_to(HOME).as_posix()
        parts = path.relative_to(HOME).with_suffix("").parts
        self.name = ".".join(part for part in parts if part != "__init__")
        self.room = room_of(self.name)


def refuse(found):
    """Fail if there is anything, and say what is where."""
    places = [f"{module.file}:{line} {what}" for module, line, what in found]
    if places:
        pytest.fail("\n".join(places), pytrace=False)


def room_of(module):
    """The room that a module belongs to; none, "", for the package itself."""
    return [*module.split("."), ""][1]


MODULES = [Module(path) for path in sorted(HOME.glob("perfalign/**/*.py"))]
NAMES = {module.name for module in MODULES}


def imports(module):
    """Line, module and name of all that comes from the package."""
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module.file}:{node.lineno} is relative"
            found = [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found = [(alias.name, None) for alias in node.names]
        else:
            continue
        for source, name in found:
            if source.split(".")[0] == "perfalign":
                inner = f"{source}.{name}"
                found = (inner, None) if inner in NAMES else (source, name)
                yield node.lineno, *found


def from_other_rooms():
    for module in MODULES:
        for line, source, name in imports(module):
            if room_of(source) != module.room:
                yield module, line, source, name


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


@cache
def door(room):
    return import_module(f"perfalign.{room}".rstrip("."))


def test_the_map_shows_every_room():
    rooms = {module.room for module in MODULES} - {""}
    assert sorted(ORDER) == sorted(rooms)


def is_open(source, name):
    room = door(room_of(source))
    # A small room of helpers is one file, all of it open.
    listed = getattr(room, "__all__", [name])
    return source == room.__name__ and name in listed and not is_private(name)


def test_rooms_are_entered_by_the_door():
    refuse(
        (module, line, f"imports {name} from {source}")
        for module, line, source, name in from_other_rooms()
        if not is_open(source, name or "_")
    )


def may_use(room, other):
    if other == "datasets" or room == "datasets":
        return room == "book" or other in {"_types", "_threads"}
    return other in (ORDER[: ORDER.index(room)] if room else ORDER[:-1])


def test_imports_go_up_in_the_list():
    refuse(
        (module, line, f"imports {source}")
        for module, line, source, _ in from_other_rooms()
        if not may_use(module.room, room_of(source))
    )


def test_no_module_needs_itself():
    graph = {
        module.name: {source for _, source, _ in imports(module)}
        for module in MODULES
    }
    TopologicalSorter(graph).prepare()


def defined(room):
    """Names that a room gives to functions, variables and attributes."""
    for node in (n for m in MODULES if m.room == room for n in m.nodes):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(getattr(node, "ctx", None), ast.Store):
            yield getattr(node, "attr", getattr(node, "id", None))


def private_attributes(module):
    """Line, owner and name of those that are not its own."""
    for node in module.nodes:
        if isinstance(node, ast.Attribute):
            owner, name = node.value, node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "getattr",
            "hasattr",
            "setattr",
        ):
            owner, name = node.args[0], getattr(node.args[1], "value", "")
        else:
            continue
        owner = ast.unparse(owner)
        if is_private(name) and owner not in ("self", "cls", "super()"):
            yield node.lineno, owner, name


def test_what_is_private_stays_in_its_room():
    own = {room: {*defined(room)} | SHARED for room in ["", *ORDER]}
    refuse(
        (module, line, f"{owner}.{name}")
        for module in MODULES
        for line, owner, name in private_attributes(module)
        if name not in own[module.room]
    )


def lines_of_code(module):
    """Lines that hold something else than a comment or a docstring."""
    silent = ("COMMENT", "NL", "NEWLINE", "INDENT", "DEDENT", "ENDMARKER")
    lines = {
        line
        for token in tokenize.generate_tokens(
            io.StringIO(module.text).readline
        )
        if tokenize.tok_name[token.type] not in silent
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in module.nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= {*range(node.lineno, node.end_lineno + 1)}
    return len(lines)


def test_modules_are_short():
    sizes = {module.name: lines_of_code(module) for module in MODULES}
    assert not {name: size for name, size in sizes.items() if size > 400}


def test_the_entrance_is_light():
    code = "import json, sys, perfalign; print(json.dumps([*sys.modules]))"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        cwd=HOME,
        text=True,
    )
    loaded = set(json.loads(answer.stdout))
    assert not HEAVY & loaded
    rooms = {room_of(name) for name in loaded if name.startswith("perfalign")}
    assert not {"book", "datasets"} & rooms


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_doors_list_what_is_public(room):
    assert door(room).__all__ == sorted(door(room).__all__)
    (module,) = (m for m in MODULES if m.name == door(room).__name__)
    if hasattr(door(room), "__path__"):
        names = {name for _, _, name in imports(module)} - {None}
    else:
        names = {
            getattr(node, "name", "_")
            for node in ast.parse(module.text).body
            if not is_private(getattr(node, "name", "_"))
        }
    assert set(door(room).__all__) == names


def sections(docstring):
    """Summary, "", and sections of a docstring by their titles."""
    title = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.M)
    summary, *rest = title.split(docstring or "")
    return {"": summary.strip(), **dict(zip(rest[::2], rest[1::2]))}


def described(section):
    """Names that a section of a docstring describes."""
    heads = re.findall(r"^[\w*].*", section, re.M)
    return {
        name.strip(" *")
        for head in heads
        for name in head.split(" : ")[0].split(",")
    }


def undocumented(thing, example):
    """What the docstring of a class or function does not say."""
    docstring = inspect.getdoc(thing)
    found, signature = sections(docstring), inspect.signature(thing)
    if not found[""]:
        yield "what it is"
    known = [found.get(part, "") for part in ("Parameters", "Attributes")]
    known = set().union(*map(described, known))
    yield from sorted({*signature.parameters} - {"self", "cls"} - known)
    # Of an object, a class returns itself.
    returned = signature.return_annotation
    if returned not in (None, "None", signature.empty):
        if not isinstance(thing, type) and "Returns" not in found:
            yield "what it returns"
    if example and ">>> " not in found.get("Examples", ""):
        yield "an example"


def methods(cls):
    """Names and functions that a class has from the package."""
    for name, method in inspect.getmembers(cls, inspect.isroutine):
        module = getattr(method, "__module__", None) or ""
        if module.startswith("perfalign.") and not name.startswith("_"):
            yield name, method


def is_result(thing):
    """Whether it is made by functions, whose examples show it, alone."""
    return is_dataclass(thing) and "Parameters" not in sections(
        inspect.getdoc(thing)
    )


@pytest.mark.parametrize("room", ROOMS)
def test_public_docstrings_are_complete(room):
    lacks = {}
    for name in door(room).__all__:
        thing = getattr(door(room), name)
        if isinstance(thing, type) and issubclass(thing, Warning):
            continue
        lacks[name] = [*undocumented(thing, example=not is_result(thing))]
        for method, function in methods(thing):
            lacks[f"{name}.{method}"] = [*undocumented(function, False)]
    assert not {name: lack for name, lack in lacks.items() if lack}


def numbers(chapters):
    """What "1 to 4, 7 and 9" stands for."""
    for part in re.split(", | and ", chapters):
        first, *last = map(int, part.split(" to "))
        yield from range(first, (last or [first])[0] + 1)


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_name_their_chapters(room):
    named = re.search(r"\(chapters?\s([^)]+)\)", door(room).__doc__)
    assert named, f"{room} names no chapter"
    chapters = " ".join(named[1].split())
    assert [*numbers(chapters)] == [*numbers(CHAPTERS[room])]


@pytest.mark.parametrize("room", ROOMS)
def test_chapters_name_their_rooms(room):
    assert not [
        path.name
        for number in numbers(CHAPTERS[room])
        for path in HOME.glob(f"chapters/{number:02}-*.ipynb")
        if f"`perfalign.{room}`" not in path.read_text("utf-8")
    ]


def test_one_word_for_one_thing():
    refuse(
        (module, node.lineno, f"{node.arg}: the word is {WORDS[node.arg]}")
        for module in MODULES
        for node in module.nodes
        if isinstance(node, (ast.arg, ast.keyword)) and node.arg in WORDS
    )


def test_a_view_is_called_a_view():
    # The figures of the book speak as the paper does.
    refuse(
        (module, number, line.strip())
        for module in MODULES
        if module.room != "book"
        for number, line in enumerate(module.text.splitlines(), start=1)
        if re.search(r"\bmodalit", line, re.I)
    )


def test_a_newcomer_asks_ten_questions():
    assert len(QUESTIONS) == 10


@pytest.mark.parametrize(("question", "file", "name"), QUESTIONS)
def test_the_tree_answers(question, file, name):
    tree = ast.parse((HOME / file).read_text("utf-8"))
    assert name in {getattr(node, "name", None) for node in tree.body}


PINNED = dict(
    re.findall(
        r"^(mypy|numpy)==([\w.]+)",
        (HOME / "requirements.txt").read_text("utf-8"),
        re.M,
    )
)


@pytest.mark.skipif(
    any(version(name) != pin for name, pin in PINNED.items()),
    reason="other versions know other types",
)
def test_hints_are_true():
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary"],
        capture_output=True,
        cwd=HOME,
        text=True,
    )
    assert answer.stdout == ""
