"""The notation page names things that exist in the package."""

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

import perfalign
from perfalign import PerfectAlignment
from perfalign.datasets import make_gaussian_views

PAGE = Path(__file__).resolve().parent.parent / "chapters" / "notation.md"
NAMES = sorted(
    {
        name
        for line in PAGE.read_text(encoding="utf8").splitlines()
        if line.startswith("| $")
        for code in re.findall(r"`([^`]+)`", line.split("|")[-2])
        for name in re.findall(r"[A-Za-z]\w+", code)
    }
)


@pytest.fixture(scope="module")
def vocabulary():
    data = make_gaussian_views(100, random_state=0)
    alignment = PerfectAlignment().fit(data.views)
    known = {"len", *data, *vars(alignment), *dir(alignment)}
    for name in perfalign.__all__:
        item = getattr(perfalign, name)
        if name.endswith("Warning"):
            continue
        known |= {name, *inspect.signature(item).parameters, *dir(item)}
        if dataclasses.is_dataclass(item):
            known |= {field.name for field in dataclasses.fields(item)}
    return known


@pytest.mark.parametrize("name", NAMES)
def test_code_names_exist(name, vocabulary):
    assert name in vocabulary
