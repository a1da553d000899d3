"""The HTML of a form that asks a reader; its script is ``_static/form.js``."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from json import dumps
from typing import Any

# Where nothing runs, in print or on a forge, it is a question and a list.
_HTML = """\
<div class="asks{kind}" data-name="{name}">
<p>{question}</p>
<ul>
{offers}
</ul>
<script type="application/json">{data}</script>
</div>"""


def form(
    name: str,
    question: str,
    offers: Sequence[str],
    data: Mapping[str, Any],
    *,
    hides: bool = False,
) -> str:
    """Markup of a question, which the script of the page makes a form.

    Parameters
    ----------
    name : str
        By which the page remembers the answer.
    question : str
        Plain text; what stands between backticks is set as code.
    offers : sequence of str
        Options, or what the fields are called.
    data : mapping
        Kind of the form and what its verdict is made of.
    hides : bool, default=False
        Whether what follows is hidden until there is an answer.
    """
    return _HTML.format(
        kind=" predicts" if hides else "",
        name=escape(name),
        question=inline(question),
        offers="\n".join(f"<li>{inline(offer)}</li>" for offer in offers),
        data=dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
    )


def inline(text: str) -> str:
    """Text as HTML, with code between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
