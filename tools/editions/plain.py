"""A chapter that reads well in any notebook: text where directives stood."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import nbformat
from blocks import Directive, read

ROLE = re.compile(r"\{(prf:ref|numref|ref|eq|cite:t|cite:p|index)\}`([^`]+)`")
PAGE = re.compile(r"\]\((\w+\.md(?:#[\w-]+)?)\)")
SITE = "https://github.com/perfalign/perfalign/blob/main/chapters/"
PROOFS = ("theorem", "proposition", "corollary", "example")

Names = dict[str, str]
Sources = dict[str, tuple[str, str]]


class Plain:
    """Text for everything that only the rendered book understands.

    Parameters
    ----------
    names : dict
        What the book prints for each label.
    sources : dict
        Authors and year of each source.
    """

    def __init__(self, names: Names, sources: Sources) -> None:
        self.names = names
        self.sources = sources
        self.blocks: dict[str, Callable[[Directive], str]] = {
            "exercise": self._exercise,
            "solution": self._solution,
            "solution-start": self._solution_start,
            "solution-end": lambda block: "",
            "admonition": self._admonition,
            "prf:proof": self._proof,
        } | {f"prf:{kind}": self._statement for kind in PROOFS}

    def notebook(self, chapter: Any) -> Any:
        """A copy of a chapter, cell by cell, with the captions of figures."""
        cells = []
        for cell in chapter.cells:
            if cell.cell_type == "markdown":
                cells.append(self._markdown(self.text(cell.source), cell.id))
                continue
            cells.append(cell)
            if caption := self._caption(cell):
                cells.append(self._markdown(caption, f"{cell.id}-caption"))
        return nbformat.v4.new_notebook(cells=cells, metadata=chapter.metadata)

    def text(self, source: str) -> str:
        """Markdown without directives and roles."""
        return self.written(read(source))

    def written(self, blocks: Iterable[str | Directive]) -> str:
        """Blocks as Markdown without directives and roles."""
        parts = [
            block if isinstance(block, str) else self.blocks[block.name](block)
            for block in blocks
        ]
        text = "\n\n".join(part for part in parts if part)
        text = re.sub(r"^\(([\w-]+)\)=\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^<!-- seen .+ -->\n*", "", text, flags=re.MULTILINE)
        text = re.sub(
            r"\$\$ \((eq-[\w-]+)\)",
            lambda found: rf"\tag{{{self.names[found[1]][1:-1]}}} $$",
            text,
        )
        text = PAGE.sub(rf"]({SITE}\1)", text)
        return ROLE.sub(self._role, text)

    def _markdown(self, text: str, name: str) -> Any:
        return nbformat.v4.new_markdown_cell(text, id=name[:64])

    def _caption(self, cell: Any) -> str:
        shown = cell.metadata.get("mystnb", {})
        figure = shown.get("figure", {})
        number = self.names.get(figure.get("name", ""), "")
        lines = []
        if "caption" in figure:
            head = f"**{number}.** " if number else ""
            lines.append(head + self.text(figure["caption"]))
        if "alt" in shown.get("image", {}):
            lines.append(f"*In words:* {shown['image']['alt']}")
        return "\n\n".join(lines)

    def _statement(self, block: Directive) -> str:
        name = self.names[block.options["label"]]
        title = f" ({block.argument})" if block.argument else ""
        return _quoted(f"**{name}{title}.**\n\n{block.body}")

    def _proof(self, block: Directive) -> str:
        return f"*Proof.* {block.body} ∎"

    def _admonition(self, block: Directive) -> str:
        return _quoted(f"**{block.argument}**\n\n{block.body}")

    def _exercise(self, block: Directive) -> str:
        name = self.names[block.options["label"]]
        return f"### {name}: {block.argument}\n\n{block.body}"

    def _solution(self, block: Directive) -> str:
        return (
            f"<details><summary>Solution of {self.names[block.argument]}"
            f"</summary>\n\n{block.body}\n\n</details>"
        )

    def _solution_start(self, block: Directive) -> str:
        return f"#### Solution of {self.names[block.argument]}"

    def _role(self, found: re.Match[str]) -> str:
        role, target = found.groups()
        if role == "index":
            return ""
        if role.startswith("cite"):
            sources = [self.sources[key.strip()] for key in target.split(",")]
            if role == "cite:t":
                return ", ".join(f"{who} ({year})" for who, year in sources)
            return f"({'; '.join(f'{who} {year}' for who, year in sources)})"
        return self.names[target]


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
