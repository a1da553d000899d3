"""Tables of the book: semantic on a page, complete in print."""

import re
from html.parser import HTMLParser

import pytest

from perfalign.book.tables import table

HEADER = ["", "kept & found", "words"]
ROWS = [["<four>", "+0.12", "a 9 at times"], ["nine", "−1.5", "50 % _x_"]]


class Parsed(HTMLParser):
    """The cells of a table: tag, attributes and text."""

    def __init__(self, html):
        super().__init__()
        self.cells, self.open = [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag in ("td", "th", "caption"):
            self.cells.append([tag, dict(attributes), ""])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "caption"):
            self.cells[-1][2] += data


def test_a_page_knows_what_names_columns_and_rows():
    shown = Parsed(table(HEADER, ROWS, "What <was> found")._repr_html_())
    caption, *cells = shown.cells
    assert (caption[0], caption[2]) == ("caption", "What <was> found")
    assert [text for _, _, text in cells] == sum([HEADER, *ROWS], [])
    scopes = [attributes.get("scope") for _, attributes, _ in cells]
    # An empty corner names nothing.
    assert scopes == [None, "col", "col", "row", None, None] + [
        "row",
        None,
        None,
    ]


def test_columns_of_numbers_are_flush_right():
    cells = Parsed(table(HEADER, ROWS)._repr_html_()).cells
    sides = [re.search(r"left|right", cell[1]["style"])[0] for cell in cells]
    assert sides == 3 * ["left", "right", "left"]
    assert r"\begin{tabular}{lrl}" in table(HEADER, ROWS)._repr_latex_()


def test_no_caption_is_no_element():
    assert "caption" not in table(HEADER, ROWS)._repr_html_()


def test_print_has_every_entry_with_its_signs():
    lines = table(HEADER, ROWS, "all & sundry")._repr_latex_().splitlines()
    assert r"all \& sundry \\[1ex]" in lines
    assert r" & kept \& found & words \\ \hline" in lines
    assert r"nine & --1.5 & 50 \% \_x\_ \\" in lines


def test_it_names_itself_without_its_numbers():
    assert repr(table(HEADER, ROWS)) == "<Table: kept & found, words; 2 rows>"


def test_whole_numbers_may_be_passed_as_such():
    assert table(["n"], [[12]])._repr_html_() == (
        table(["n"], [["12"]])._repr_html_()
    )


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 entries under a header of 3"):
        table(HEADER, [["nine", "9"]])
