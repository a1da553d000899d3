"""Long names in code, which LaTeX would let run into the margin."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# A space of no width: perfalign.sty lets a line end there.
BREAK = "\u200b"
JOINTS = re.compile(r"(_|::|=|\(|/)(?=\w)")


class BreaksInPrint(SphinxPostTransform):
    """Let code among words break where its words do."""

    builders = ("latex",)
    default_priority = 800

    def run(self) -> None:
        for code in self.document.findall(nodes.literal):
            for text in list(code.findall(nodes.Text)):
                broken = JOINTS.sub(rf"\1{BREAK}", text)
                text.parent.replace(text, nodes.Text(broken))
