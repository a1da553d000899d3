"""The claims table names real tests and real chapters, and omits nothing."""

import ast
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
    "value not in our text",
    "not run",
)
SOURCE = (
    [f"KD Eq. {i}" for i in range(1, 8)]
    + ["KD Theorem 2.1", "KD Corollary 2.2", "KD Remark 2.3"]
    + ["KD Remark 2.4, achievability", "KD Remark 2.4, cost"]
    + [f"KD Table, row {i}" for i in range(1, 6)]
    + [f"KD Figure {i}" for i in range(1, 6)]
    + ["KD Section 3.1, conjecture", "KD Section 3.1, non-uniqueness"]
    + ["KD Introduction, real data", "KD Introduction, contrastive learning"]
)
CLAIMS = list(csv.DictReader((CHAPTERS / "claims.csv").open(encoding="utf8")))


def reads_stored_results(guard):
    """Whether a test, or a helper or fixture of it, opens a stored study."""
    path, _, name = guard.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf8"))
    defined = {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    for node in tree.body:
        if isinstance(node, ast.Assign):
            defined |= {t.id: node for t in node.targets if hasattr(t, "id")}
    reached, ahead = set(), {name.rpartition("::")[2]}
    while ahead:
        reached |= ahead
        ahead = {
            getattr(part, key)
            for one in ahead & set(defined)
            for part in ast.walk(defined[one])
            for key in ("id", "arg", "value")
            if isinstance(getattr(part, key, None), str)
        } - reached
    return {"json", "benchmarks"} <= reached


def test_nothing_of_the_source_is_dropped():
    listed = [claim["source"] for claim in CLAIMS]
    assert len(set(listed)) == len(listed)
    assert set(SOURCE) <= set(listed)
    for name in listed:
        assert name.startswith(("KD ", "Second paper, ", "Ours, ")), name


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["source"])
def test_claim_is_run_and_guarded_or_measured(claim):
    assert claim["verdict"].startswith(VERDICTS)
    if claim["verdict"].startswith("not run"):
        assert claim["chapter"] == claim["guarded or measured"] == "–"
        return
    number, chapter = re.fullmatch(
        r"\[(\d+)\]\((.+)\)", claim["chapter"]
    ).groups()
    assert chapter.startswith(f"{int(number):02d}-")
    assert (CHAPTERS / chapter).is_file()
    study, guard = re.fullmatch(
        r"(?:measured in `(benchmarks/\w+\.json)`(?:, re-run in part by )?)?"
        r"(?:`([^`]+)`)?",
        claim["guarded or measured"],
    ).groups()
    assert study or guard
    if study:
        assert (ROOT / study).is_file()
    if guard:
        path, _, name = guard.partition("::")
        text = (ROOT / path).read_text(encoding="utf8")
        assert not name or f"def {name.rpartition('::')[2]}(" in text
        if path.endswith(".py"):
            assert study or not reads_stored_results(guard)


@pytest.mark.parametrize(
    ("guard", "reads"),
    [
        ("real_modalities.py::test_a_transfer_can_beat_its_source", True),
        ("model_bridge.py::test_votes_are_ahead_of_single_draws", True),
        (
            "significance.py::test_p_values_count_shuffles_and_never_fall",
            False,
        ),
        ("mixtures.py::TestPushForward::test_moments", False),
    ],
)
def test_a_guard_that_only_reads_is_recognised(guard, reads):
    assert reads_stored_results(f"tests/test_{guard}") is reads


@pytest.mark.parametrize("number", range(1, 8))
def test_equations_carry_the_papers_numbers(number):
    """Each is displayed once, in a chapter that the table sends to."""
    claim = next(c for c in CLAIMS if c["source"] == f"KD Eq. {number}")
    displayed = [
        path.name
        for path in sorted(CHAPTERS.glob("[0-9]*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if rf"\tag{{P{number}}}" in cell.source
    ]
    assert displayed
    assert re.search(r"\((.+)\)", claim["chapter"])[1] in displayed
