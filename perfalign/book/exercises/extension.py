"""Sphinx extension: the forms of its questions below each exercise."""

import re
from typing import Any

from perfalign.book.exercises import forms


def setup(app: Any) -> dict[str, bool]:
    """Have forms put into every page that is read."""
    app.connect("doctree-read", add_forms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def add_forms(app: Any, page: Any) -> None:
    """Put forms at the end of the exercises of a chapter."""
    from docutils.nodes import raw
    from sphinx_exercise.nodes import exercise_enumerable_node

    chapter = re.match(r"chapters/(\d+)-", app.env.docname)
    if not chapter:
        return
    exercises = page.findall(exercise_enumerable_node)
    for i, exercise in enumerate(exercises, start=1):
        for form in forms(f"{int(chapter[1])}.{i}"):
            exercise += raw("", form, format="html")
