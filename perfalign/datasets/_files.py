"""The arrays in ``data/`` and what ``data/README.md`` says about them."""

import re
from importlib.resources import files

import numpy as np

FOLDER = files("perfalign.datasets") / "data"


def read_arrays(name):
    """All arrays of ``data/<name>.npz``, fresh, as a dict."""
    with (FOLDER / f"{name}.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as archive:
            return dict(archive)


def read_description(title):
    """The section of ``data/README.md`` under the heading `title`."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    (section,) = (s for s in sections if s.startswith(f"{title}\n"))
    return section.strip() + "\n"
