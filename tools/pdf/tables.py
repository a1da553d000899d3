"""Tables that may break across pages: how wide is each of their columns?"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Sphinx lets a table break when it has more than 30 rows, and then makes its
# columns as wide as their longest cell. Few rows can be long, too.
ROWS, LETTERS = 30, 800
#: Letters that fit beside each other on a page, in the type of such tables.
WIDTH = 90
WORD = re.compile(r"[^\W_]+")


class TablesInPrint(SphinxPostTransform):
    """Share the width of the page by how much the columns say."""

    builders = ("latex",)
    default_priority = 800

    def run(self) -> None:
        for table in self.document.findall(nodes.table):
            rows = list(table.findall(nodes.row))
            if len(rows) <= ROWS and len(table.astext()) <= LETTERS:
                continue
            table["classes"] = ["longtable", "colwidths-given"]
            texts = list(zip(*([c.astext() for c in row] for row in rows)))
            columns = list(table.findall(nodes.colspec))
            for column, width in zip(columns, widths(texts), strict=True):
                column["colwidth"] = width


def widths(columns: list[tuple[str, ...]]) -> list[int]:
    """Room for the longest word of each column, the rest by its text."""
    least = [longest(cells) + 2 for cells in columns]
    said = [sum(map(len, cells)) for cells in columns]
    rest = max(0, WIDTH - sum(least)) / sum(said)
    return [
        round(100 * (word + rest * letters))
        for word, letters in zip(least, said, strict=True)
    ]


def longest(cells: tuple[str, ...]) -> int:
    return max(len(word) for cell in cells for word in WORD.findall(cell))
