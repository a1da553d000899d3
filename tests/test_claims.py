"""The claims table names real tests and real chapters, and omits nothing."""

import csv
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
VERDICTS = (
    "holds",
    "corrected",
    "answered",
    "value not given in the source",
    "not run",
)
SOURCE = (
    [f"Eq. {i}" for i in range(1, 8)]
    + ["Theorem 2.1", "Corollary 2.2", "Remark 2.3"]
    + ["Remark 2.4, achievability", "Remark 2.4, cost"]
    + [f"Table, row {i}" for i in range(1, 6)]
    + [f"Figure {i}" for i in range(1, 6)]
    + ["Section 3.1, conjecture", "Section 3.1, non-uniqueness"]
    + ["Introduction, real data", "Introduction, contrastive learning"]
)
CLAIMS = list(csv.DictReader((CHAPTERS / "claims.csv").open(encoding="utf8")))


def test_nothing_of_the_source_is_dropped():
    listed = [claim["source"] for claim in CLAIMS]
    assert len(set(listed)) == len(listed)
    assert set(SOURCE) <= set(listed)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["source"])
def test_claim_is_run_and_guarded(claim):
    assert claim["verdict"].startswith(VERDICTS)
    if claim["verdict"].startswith("not run"):
        assert claim["chapter"] == claim["guarded by"] == "–"
        return
    number, chapter = re.fullmatch(
        r"\[(\d+)\]\((.+)\)", claim["chapter"]
    ).groups()
    assert chapter.startswith(f"{int(number):02d}-")
    assert (CHAPTERS / chapter).is_file()
    path, _, name = claim["guarded by"].strip("`").partition("::")
    guard = (ROOT / path).read_text(encoding="utf8")
    assert not name or f"def {name.rpartition('::')[2]}(" in guard


@pytest.mark.parametrize("number", range(1, 8))
def test_equations_carry_the_papers_numbers(number):
    """Each is displayed once, in a chapter that the table sends to."""
    claim = next(c for c in CLAIMS if c["source"] == f"Eq. {number}")
    displayed = [
        path.name
        for path in sorted(CHAPTERS.glob("[0-9]*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if rf"\tag{{P{number}}}" in cell.source
    ]
    assert displayed
    assert re.search(r"\((.+)\)", claim["chapter"])[1] in displayed
