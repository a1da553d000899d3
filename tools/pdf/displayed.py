"""Displayed formulas, numbered as on the pages."""

import re
from typing import Any

from docutils import nodes
from docutils.nodes import SkipNode
from latex import page_of

TAG = re.compile(r"\s*\\tag\{([^}]*)\}")
INNER = re.compile(
    r"\\begin\{(\w+\*?)\}(?:(?!\\begin\{).)*?\\end\{\1\}", re.DOTALL
)
ALIGNED = re.compile(r"\\\\|(?<!\\)&")


def visit_math_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula; Sphinx's `split` around each allows no ``\\tag``."""
    formula = node.astext().strip()
    if node.get("nowrap"):
        self.body.append(f"\n{formula}\n")
        raise SkipNode
    tag = TAG.search(formula)
    formula = TAG.sub("", formula)
    if aligned(formula):
        formula = rf"\begin{{aligned}}{formula}\end{{aligned}}"
    if "qed" in node:
        formula += r" \qedhere"
    number, label = tag[1] if tag else "", ""
    if node.get("label"):
        page = page_of(node)
        label = rf"\label{{equation:{page}:{node['label']}}}"
        numbers = self.builder.env.toc_fignumbers[page]["displaymath"]
        number = ".".join(map(str, numbers[node["ids"][0]]))
    if number:
        self.body.append(
            rf"{{\renewcommand{{\theequation}}{{{number}}}"
            f"\n\\begin{{equation}}{label}\n{formula}\n\\end{{equation}}}}\n"
        )
    else:
        self.body.append(
            f"\n\\begin{{equation*}}\n{formula}\n\\end{{equation*}}\n"
        )
    raise SkipNode


def aligned(formula: str) -> bool:
    """Whether lines or columns of the formula itself are to be set."""
    count = 1
    while count:
        formula, count = INNER.subn("", formula)
    return bool(ALIGNED.search(formula))
