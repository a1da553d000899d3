"""The arrays in ``data/`` and what ``data/README.md`` says about them."""

import re
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfalign._types import Array

FOLDER = files("perfalign.datasets") / "data"


def read_arrays(name: str, *keys: str) -> dict[str, NDArray[Any]]:
    """The arrays of ``data/<name>.npz``, or those named, fresh, as a dict."""
    with (FOLDER / f"{name}.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as archive:
            return {key: archive[key] for key in keys or archive}


def read_features(name: str, key: str) -> Array:
    """An array of ``data/<name>.npz`` whose columns were stored in 8 bits.

    Column j holds whole numbers from 0 to 255, of which 0 stands for the
    smallest value of the feature and each step for the same difference.
    """
    low, step = f"{key}_low", f"{key}_step"
    stored = read_arrays(name, key, low, step)
    steps = stored[step].astype(np.float64) * stored[key]
    return np.asarray(stored[low] + steps)


def read_description(title: str) -> str:
    """The section of ``data/README.md`` under the heading `title`."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    (section,) = (s for s in sections if s.startswith(f"{title}\n"))
    return section.strip() + "\n"
