"""The arrays in ``data/`` and what ``data/README.md`` says about them."""

import re
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = files("perfalign.datasets") / "data"


def read_arrays(name: str) -> dict[str, NDArray[Any]]:
    """All arrays of ``data/<name>.npz``, fresh, as a dict."""
    with (FOLDER / f"{name}.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as archive:
            return dict(archive)


def read_description(title: str) -> str:
    """The section of ``data/README.md`` under the heading `title`."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    (section,) = (s for s in sections if s.startswith(f"{title}\n"))
    return section.strip() + "\n"
