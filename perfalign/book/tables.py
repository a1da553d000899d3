"""Tables that are read as such: on a page, by ear, and in print."""

import re
from collections.abc import Iterable, Sequence
from html import escape

# A number, perhaps with its sign, unit or interval: such columns align.
_NUMBER = re.compile(r"[-+−±]?[.\d].*|[-+−–]?")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "--",
    **{character: "\\" + character for character in "&%$#_{}"},
}
# The class is what the page's script makes reachable by keys where it scrolls;
# the style lets it scroll in a notebook, too.
_HTML = """\
<div class="pst-scrollable-table-container" style="overflow-x:auto">
<table class="numbers">
{caption}<thead>
<tr>{header}</tr>
</thead>
<tbody>
{body}
</tbody>
</table>
</div>"""


class table:  # noqa: N801, as it is called like the functions of `plots`
    """A table that shows itself: as HTML, or as LaTeX in print.

    The first column names its rows. Columns whose entries are all numbers
    are set flush right. On a screen that is too narrow the table scrolls.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequences of str or int
        One entry for each column. Numbers are passed as they shall be read.
    caption : str, default=None
        Plain text above the table.

    Raises
    ------
    ValueError
        If a row has another number of entries than the header.

    Examples
    --------
    >>> from perfalign.book.tables import table
    >>> table(["digit", "found"], [["four", 12], ["nine", 9]])
    <Table: digit, found; 2 rows>
    """

    def __init__(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[str | int]],
        caption: str | None = None,
    ) -> None:
        self.header = list(header)
        self.rows = [[str(entry) for entry in row] for row in rows]
        self.caption = caption
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(
                    f"a row has {len(row)} entries under a header of "
                    f"{len(self.header)}: {row}."
                )

    @property
    def _right(self) -> list[bool]:
        """Which columns hold numbers."""
        return [
            any(column) and all(map(_NUMBER.fullmatch, column))
            for column in zip(*self.rows, strict=True)
        ] or [False] * len(self.header)

    def __repr__(self) -> str:
        names = ", ".join(filter(None, self.header))
        return f"<Table: {names}; {len(self.rows)} rows>"

    def _repr_html_(self) -> str:
        styles = [
            f' style="text-align:{"right" if right else "left"}"'
            for right in self._right
        ]
        header = "".join(
            f'<th scope="col"{style}>{escape(name)}</th>'
            if name
            else f"<td{style}></td>"
            for name, style in zip(self.header, styles, strict=True)
        )
        body = []
        for first, *others in self.rows:
            cells = [f'<th scope="row"{styles[0]}>{escape(first)}</th>'] + [
                f"<td{style}>{escape(entry)}</td>"
                for entry, style in zip(others, styles[1:], strict=True)
            ]
            body.append(f"<tr>{''.join(cells)}</tr>")
        caption = self.caption and f"<caption>{escape(self.caption)}</caption>"
        return _HTML.format(
            caption=f"{caption}\n" if caption else "",
            header=header,
            body="\n".join(body),
        )

    def _repr_latex_(self) -> str:
        """A tabular, which LaTeX takes inside a formula, too."""
        columns = "".join("r" if right else "l" for right in self._right)
        lines = [self.header, *self.rows]
        header, *body = (" & ".join(map(_latex, line)) for line in lines)
        tabular = "\n".join(
            [
                rf"\begin{{tabular}}{{{columns}}}",
                rf"{header} \\ \hline",
                *(rf"{line} \\" for line in body),
                r"\end{tabular}",
            ]
        )
        if self.caption is None:
            return tabular
        return (
            "\\begin{tabular}{@{}l@{}}\n"
            f"{_latex(self.caption)} \\\\[1ex]\n{tabular}\n"
            r"\end{tabular}"
        )


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
