"""No word is used before the chapter that explains it, without its meaning."""

import json
import re
from pathlib import Path

import pytest
from docutils import nodes

from perfalign.book import glossary

CHAPTERS = Path(__file__).parents[1] / "chapters"
PAGE = (CHAPTERS / "glossary.md").read_text("utf-8")
ENTRY = re.compile(r"^((?:\S.*\n)+)  (.+) → \[(\d+)\]\((\S+)\)$", re.MULTILINE)
#: What is no prose: code, formulas, roles and targets of links.
NO_PROSE = re.compile(
    r"```.*?```|\$\$.*?\$\$|\$[^$]+\$|\{[\w:]+\}`[^`]+`|`[^`]+`"
    r"|\]\([^)]+\)|^:\w+:[^\n]*$|^(?::::|#)[^\n]*$|<!--.*?-->",
    re.DOTALL | re.MULTILINE,
)
#: In these words it means something else.
OTHER_MEANINGS = re.compile(
    r"magnetometer on the head|point of view|-theoretic view|a tie in|"
    r"tie six"
)


def entries():
    for terms, meaning, number, file in ENTRY.findall(PAGE):
        for term in terms.split("\n")[:-1]:
            yield term, meaning, int(number), file


def prose(number):
    [path] = CHAPTERS.glob(f"{number:02d}-*.ipynb")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n\n".join(
        "".join(cell["source"])
        for cell in cells
        if cell["cell_type"] == "markdown"
    )


def pattern(term):
    stem = re.escape(term).replace("\\ ", r"\s+")
    return re.compile(rf"\b{stem}(?:s|es)?\b", re.IGNORECASE)


def marked(text):
    """Prose, with its links to the glossary in brackets."""
    text = OTHER_MEANINGS.sub(" ", text)
    text = re.sub(r"\{term\}`([^`]+)`", r"⟦\1⟧", text)
    return " " + NO_PROSE.sub(" ", text)


TERMS = list(entries())


def test_the_glossary_is_in_order_and_names_chapters_that_are_there():
    entries = PAGE.partition("{glossary}")[2]
    terms = re.findall(r"\n\n(\w[^\n]*)\n(?=\w|  )", entries)
    assert terms == sorted(terms, key=str.lower)
    assert len(TERMS) > 25
    for term, meaning, number, file in TERMS:
        assert file.startswith(f"{number:02d}-"), term
        assert (CHAPTERS / file).exists()
        assert len(meaning) < 250


@pytest.mark.parametrize("entry", TERMS, ids=[entry[0] for entry in TERMS])
def test_a_term_is_explained_before_it_is_used(entry):
    term, _, chapter, _ = entry
    assert pattern(term).search(prose(chapter)), "the chapter never says it"
    for number in range(1, chapter):
        first = pattern(term).search(marked(prose(number)))
        assert not first or first.string[first.start() - 1] in "⟦<", (
            f"chapter {number} does not explain it"
        )


def test_a_link_says_what_the_term_means():
    term = nodes.term("", "tie", ids=["term-tie"])
    meaning = nodes.definition("", nodes.paragraph("", "Equal values. → 5"))
    page = nodes.document(None, None)
    item = nodes.definition_list_item("", term, meaning)
    page += nodes.definition_list("", item)
    assert glossary.definitions(page) == {"term-tie": "Equal values."}
