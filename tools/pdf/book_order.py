"""The order of a printed book: preface, parts, solutions, bibliography."""

from collections.abc import Iterable

from docutils import nodes
from latex import escaped, page_of, raw
from sphinx import addnodes
from sphinx.builders.latex.nodes import thebibliography
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import solution_node
from statements import solution


class InOrder(SphinxPostTransform):
    """Turn the joined pages into a book."""

    builders = ("latex",)
    # After the blocks of the pages are ready.
    default_priority = 810

    def run(self) -> None:
        self._number_figures()
        for title in list(self.document.findall(is_card_title)):
            words = nodes.strong("", title.astext())
            title.replace_self(nodes.paragraph("", "", words))
        root = self.document["docname"]
        pages = {}
        for page in list(self.document.findall(addnodes.start_of_file)):
            page.parent.remove(page)
            pages[page["docname"]] = adopted(page)
        solutions = appendix(pages.values())
        for works in list(self.document.findall(thebibliography)):
            works.parent.remove(works)
            page = pages[works.children[0]["docname"]]
            next(page.findall(nodes.section)).append(works)

        # Sphinx takes the title of the first section for the book's own.
        book = next(self.document.findall(nodes.section))
        preface = nodes.section("", *book.children, ids=book["ids"])
        book.children = []
        book += preface.next_node(nodes.title).deepcopy()
        book += numbered(False)
        book += addnodes.start_of_file("", preface, docname=root)
        for tree in self.env.get_doctree(root).findall(addnodes.toctree):
            book += raw(rf"\part{{{escaped(tree['caption'])}}}")
            book += numbered(bool(tree["numbered"]))
            for name in tree["includefiles"]:
                if any(pages[name].findall(thebibliography)):
                    book += solutions
                book += pages[name]

    def _number_figures(self) -> None:
        """As on the pages, wherever a figure will move to."""
        for figure in self.document.findall(nodes.figure):
            say = r"\captionsetup{labelformat=empty}"
            if figure["ids"]:
                numbers = self.env.toc_fignumbers[page_of(figure)]["figure"]
                number = ".".join(map(str, numbers[figure["ids"][0]]))
                say = rf"\renewcommand{{\thefigure}}{{{number}}}"
            figure.insert(0, raw(say))


def numbered(yes: bool) -> nodes.raw:
    """Whether the chapters that follow have numbers."""
    return raw(rf"\setcounter{{secnumdepth}}{{{2 if yes else -1}}}")


def adopted(page: nodes.Element) -> nodes.Element:
    """A page that its children know; Sphinx leaves them with their file."""
    for child in page.children:
        child.parent = page
    return page


def is_card_title(node: nodes.Node) -> bool:
    """Whether this is the head of a card, whose text is in no paragraph."""
    return (
        isinstance(node, nodes.container)
        and node.get("design_component") == "card-title"
    )


def appendix(pages: Iterable[nodes.Element]) -> nodes.section:
    """All solutions, taken from below their exercises."""
    book = nodes.section("", nodes.title("", "Solutions"), ids=["solutions"])
    for page in pages:
        found = list(page.findall(solution_node))
        if not found:
            continue
        name = page["docname"]
        title = page.next_node(nodes.title).astext()
        part = nodes.section("", nodes.title("", title), ids=["solutions"])
        for node in found:
            node.parent.remove(node)
            part += solution(node, name)
        book += addnodes.start_of_file("", part, docname=name)
    return book
