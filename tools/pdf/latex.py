"""Small pieces of LaTeX for a tree of docutils."""

from docutils import nodes
from sphinx.util import texescape


def raw(code: str) -> nodes.raw:
    """A node that is written as it stands."""
    return nodes.raw("", code, format="latex")


def escaped(text: str) -> str:
    """Text, safe to be written as LaTeX."""
    return texescape.escape(text, "xelatex")


def target(page: str, name: str) -> str:
    """What links to a name on a page arrive at."""
    return rf"\phantomsection\label{{\detokenize{{{page}:{name}}}}}"


def page_of(node: nodes.Element) -> str:
    """The page that a block of the joined tree comes from."""
    while "docname" not in node:
        node = node.parent
    return node["docname"]
