"""Theorems, proofs, exercises and their solutions, with their numbers."""

from collections.abc import Iterable

from docutils import nodes
from latex import page_of, raw, target
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import is_exercise_node, solution_node
from sphinx_proof.nodes import NODE_TYPES, proof_node


class StatementsInPrint(SphinxPostTransform):
    """Give each its own environment instead of a box without a title."""

    builders = ("latex",)
    # After numbers and references are found, and all other transforms.
    default_priority = 800

    def run(self) -> None:
        kinds = tuple(NODE_TYPES.values())
        solved = {
            node["target_label"]: node["label"]
            for node in self.document.findall(solution_node)
        }
        for node in list(self.document.findall(nodes.Element)):
            if isinstance(node, kinds):
                node.replace_self(self._statement(node))
            elif isinstance(node, proof_node):
                node.replace_self(proof(node))
            elif is_exercise_node(node):
                node.replace_self(exercise(node, solved))

    def _statement(self, node: nodes.Element) -> list[nodes.Node]:
        kind, name = node["countertype"], node["ids"][0]
        page = page_of(node)
        numbers = self.env.toc_fignumbers[page][kind][name]
        head = f"{node['realtype'].title()} {'.'.join(map(str, numbers))}"
        return [
            raw(rf"\begin{{statement}}{{{target(page, name)}{head}}}{{%"),
            title_of(node),
            raw("}"),
            *unwrapped(node[1:]),
            raw(r"\end{statement}"),
        ]


def proof(node: nodes.Element) -> list[nodes.Node]:
    """A proof without a frame, which ends with its sign."""
    content = node[0].children
    first = next(content[0].findall(nodes.Text))
    first.parent.replace(first, nodes.Text(first.removeprefix("Proof. ")))
    end = content[-1]
    if isinstance(end, nodes.paragraph):
        end += raw(r"\qedhere")
    elif isinstance(end, nodes.math_block):
        end["qed"] = True
    return [raw(r"\begin{proof}"), *content, raw(r"\end{proof}")]


def exercise(node: nodes.Element, solved: dict[str, str]) -> list[nodes.Node]:
    """An exercise, and the page of its solution."""
    name, page = node["label"], page_of(node)
    # Two kinds of links lead here: by number, and from its solution.
    here = target(page, name) + rf"\label{{exercise:{name}}}"
    end = r"\end{exercise}"
    if name in solved:
        where = rf"\detokenize{{{page}:{solved[name]}}}"
        end = rf"\solutionon{{{where}}}" + end
    return [
        raw(rf"\begin{{exercise}}{{{here}%"),
        title_of(node),
        raw("}"),
        *unwrapped(node[1:]),
        raw(end),
    ]


def solution(node: nodes.Element, page: str) -> list[nodes.Node]:
    """A solution, as the appendix has it."""
    return [
        raw(rf"\begin{{solution}}{{{target(page, node['label'])}%"),
        title_of(node),
        raw("}"),
        *unwrapped(node[1:]),
        raw(r"\end{solution}"),
    ]


def title_of(node: nodes.Element) -> nodes.inline:
    """The title of a block, as words in the argument of an environment."""
    return nodes.inline("", "", *node[0].children)


def unwrapped(parts: Iterable[nodes.Node]) -> list[nodes.Node]:
    """What stands in the sections that only group the text of a block."""
    content: list[nodes.Node] = []
    for part in parts:
        if isinstance(part, nodes.section):
            content += part.children
        else:
            content.append(part)
    return content
