"""Cells of notebooks in print: no hidden code, explorers as their pictures."""

import html
import re

from docutils import nodes
from latex import escaped, raw
from sphinx.transforms.post_transforms import SphinxPostTransform

HIDDEN = {"tag_hide-input", "tag_hide-cell"}
SLIDER = re.compile(r'aria-label="([^"]*)" aria-valuetext="([^"]*)"')
CAPTION = re.compile(r"<figcaption[^>]*>(.*?)</figcaption>", re.DOTALL)


class CellsInPrint(SphinxPostTransform):
    """Leave out code that the pages fold away, and caption explorers."""

    builders = ("latex",)
    # Before one form of an output is chosen, which drops an explorer's HTML.
    default_priority = 3

    def run(self) -> None:
        for node in list(self.document.findall(nodes.container)):
            kind = node.get("nb_element")
            if kind == "cell_code_source" and hidden(node):
                node.parent.remove(node)
            elif kind == "mime_bundle":
                forms = {form["mime_type"]: form for form in node.children}
                if {"image/png", "text/html"} <= forms.keys():
                    picture = forms["image/png"]
                    words = said(forms["text/html"].astext())
                    picture.insert(0, raw(r"\begin{explorer}"))
                    picture += raw(rf"\explorercaption{{{escaped(words)}}}")
                    picture += raw(r"\end{explorer}")


def hidden(source: nodes.container) -> bool:
    """Whether the pages fold away the code of a cell."""
    return bool(HIDDEN.intersection(source.parent["classes"]))


def said(page: str) -> str:
    """The caption of an explorer, and where its sliders stand."""
    caption = CAPTION.search(page)
    words = [html.unescape(caption[1]).strip()] if caption else []
    sliders = [
        f"“{html.unescape(name)}”, here {html.unescape(text)}"
        for name, text in SLIDER.findall(page)
    ]
    if sliders:
        verb = "a slider sets" if len(sliders) == 1 else "sliders set"
        words.append(f"On the web page, {verb} {'; and '.join(sliders)}.")
    else:
        words.append("On the web page, all of this moves.")
    return " ".join(words)
