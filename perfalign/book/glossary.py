"""Words of the glossary that say, under the pointer, what they mean.

A Sphinx extension: each ``{term}`` of a page gets its definition as a title,
which the script of the book shows to the keyboard, too.
"""

from typing import Any

from docutils import nodes

PAGE = "chapters/glossary"


def definitions(page: nodes.document) -> dict[str, str]:
    """What each term of a glossary means, by the id of the term."""
    return {
        name: meaning(item)
        for item in page.findall(nodes.definition_list_item)
        for term in item.findall(nodes.term)
        for name in term["ids"]
    }


def meaning(item: nodes.definition_list_item) -> str:
    """The definition, without the chapter that follows the arrow."""
    [definition] = item.findall(nodes.definition)
    return str(definition.astext()).partition("→")[0].strip()


def explain(app: Any, page: nodes.document, name: str) -> None:
    """Give each link to a term its definition."""
    links = [
        link
        for link in page.findall(nodes.reference)
        if any("std-term" in word["classes"] for word in _words(link))
    ]
    if links:
        found = definitions(app.env.get_doctree(PAGE))
        for link in links:
            term = str(link.get("refuri", "")).partition("#")[2]
            link["reftitle"] = found[term or link["refid"]]


def _words(link: nodes.reference) -> list[nodes.inline]:
    return list(link.findall(nodes.inline))


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", explain)
    return {"version": "1", "parallel_read_safe": True}
