"""A Sphinx extension: the tree of the book, made ready for paper.

Sphinx joins all pages to one tree before it writes LaTeX. What only a screen
can show, or what stands elsewhere in a printed book, is changed there, and
only there: the pages on the web know nothing of it.
"""

from typing import Any

from book_order import InOrder
from breaks import BreaksInPrint
from displayed import visit_math_block
from docutils import nodes
from notebook_cells import CellsInPrint
from sphinx.application import Sphinx
from statements import StatementsInPrint
from tables import TablesInPrint


def setup(app: Sphinx) -> dict[str, Any]:
    for transform in (
        CellsInPrint,
        TablesInPrint,
        BreaksInPrint,
        StatementsInPrint,
        InOrder,
    ):
        app.add_post_transform(transform)
    app.add_node(
        nodes.math_block, override=True, latex=(visit_math_block, None)
    )
    return {"parallel_read_safe": True}
