"""How `pytest --nbval` compares what a chapter shows with what it computes.

nbval compares texts letter by letter and images not at all. Here numbers
may differ by rounding, words and integers may not, and images, stored as
such or inside HTML, are compared by pixels.
"""

import base64
import io
import math
import re

import matplotlib
import numpy as np
from nbval.plugin import IPyNbCell
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter
from threadpoolctl import threadpool_limits

from tools import kernel_environment

RTOL = 1e-6
NOISE = 1e-11  # two numbers that differ by less differ by rounding alone
PIXEL_TOL = 64  # of 255: an edge that falls elsewhere within its pixel
BAD_PIXELS = 4  # pixels of a figure that may differ by more
COLOUR_TOL = 1.0  # of 255, for the mean colour of the image

# A number that is not part of a word, a version or a colour such as #1f77b4.
NUMBER = re.compile(r"(?<![\w.#])([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
DATA_URI = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")
# Follows from the images, which are compared themselves.
IMAGE_SIZE = re.compile(r"\b(?:width|height)=\"\d+\"")
PNG_IN_BASE64 = "iVBORw0KGgo"

pytest_plugins = ["tools.built_book", "tools.busy_machine"]

# The environment is for kernels and workers; this process has its libraries.
threadpool_limits(kernel_environment.settle())

# Figures of the unit tests need no screen.
matplotlib.use("agg")


def difference(stored, fresh):
    """Say in a few words how two outputs differ; None if they agree."""
    if str(stored) == str(fresh):
        return None
    if stored.startswith(PNG_IN_BASE64) and fresh.startswith(PNG_IN_BASE64):
        return image_difference(stored, fresh)
    stored_parts, fresh_parts = DATA_URI.split(stored), DATA_URI.split(fresh)
    if len(stored_parts) != len(fresh_parts):
        return "the number of embedded images changed"
    for index, parts in enumerate(zip(stored_parts, fresh_parts)):
        if index % 2:
            found = image_difference(*parts)
        else:
            found = text_difference(*(IMAGE_SIZE.sub("", p) for p in parts))
        if found:
            return found
    return None


def text_difference(stored, fresh):
    """Compare numbers with tolerance, and all else exactly.

    Runs of spaces count as one, since a minus sign moves a column.
    """
    stored, fresh = (re.sub(" +", " ", text) for text in (stored, fresh))
    stored_parts, fresh_parts = NUMBER.split(stored), NUMBER.split(fresh)
    for index, (old, new) in enumerate(zip(stored_parts, fresh_parts)):
        if index % 2 and not same_number(old, new):
            return f"stored number {old}, computed {new}"
        if index % 2 == 0 and old != new:
            return f"stored text {old[:300]!r}, computed {new[:300]!r}"
    if len(stored_parts) != len(fresh_parts):
        return f"stored text {stored[-300:]!r}, computed {fresh[-300:]!r}"
    return None


def same_number(old, new):
    if re.fullmatch(r"[-+]?\d+", old) and re.fullmatch(r"[-+]?\d+", new):
        return int(old) == int(new)
    return math.isclose(float(old), float(new), rel_tol=RTOL, abs_tol=NOISE)


def image_difference(stored, fresh):
    """Compare two PNG images, allowing for a shift by one pixel.

    A pixel differs if it lies outside the range of its neighbours in the
    other image. A moved curve has many such pixels, a changed digit a few,
    an edge that is smoothed differently none.
    """
    old, new = decode(stored), decode(fresh)
    if max(np.abs(np.subtract(old.shape, new.shape))) > 1:
        return f"a figure of {size(old)} became one of {size(new)} pixels"
    height, width = np.minimum(old.shape, new.shape)[:2]
    old, new = old[:height, :width], new[:height, :width]
    bad = np.maximum(outside(old, new), outside(new, old)) > PIXEL_TOL
    if bad.sum() > BAD_PIXELS:
        rows, columns = np.nonzero(bad)
        return (
            f"{bad.sum()} of {bad.size} pixels of a figure differ, between "
            f"({columns.min()}, {rows.min()}) and "
            f"({columns.max()}, {rows.max()}) from the upper left corner"
        )
    shift = np.abs(old.mean(axis=(0, 1)) - new.mean(axis=(0, 1))).max()
    if shift > COLOUR_TOL:
        return f"the mean colour of a figure changed by {shift:.1f} of 255"
    return None


def decode(text):
    """Red, green and blue of a base64 PNG on white, from 0 to 255."""
    image = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(
        Image.alpha_composite(white, image).convert("RGB"), dtype=float
    )


def size(image):
    return f"{image.shape[1]}x{image.shape[0]}"


def outside(image, other):
    """How far each pixel lies outside the range of the other's 3x3 around."""
    low = minimum_filter(other, size=(3, 3, 1))
    high = maximum_filter(other, size=(3, 3, 1))
    return np.maximum(low - image, image - high).max(axis=2).clip(0)


class Output(str):
    """A text whose equality, which is all that nbval asks, is the above."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        return difference(self, other) is None

    def __ne__(self, other):
        return difference(self, other) is not None


def pytest_addoption(parser):
    parser.addoption(
        "--skip-figures",
        action="store_true",
        help="compare no images: another Matplotlib places text elsewhere",
    )


def compare_outputs(cell, test, ref, skip_compare=None):
    skipped = set(skip_compare or cell.parent.skip_compare)
    if not cell.config.option.skip_figures:
        skipped -= {"image/png"}
    return nbval_compare_outputs(cell, test, ref, tuple(skipped))


def explain(cell, key, stored, fresh):
    cell.comparison_traceback.append(f"{key}: {difference(stored, fresh)}")


def as_output(cell, value):
    if not isinstance(value, str):
        return value
    if cell.config.option.skip_figures:
        value = DATA_URI.sub("", value)
    return Output(value)


nbval_compare_outputs = IPyNbCell.compare_outputs
IPyNbCell.compare_outputs = compare_outputs
IPyNbCell.format_output_compare = explain
IPyNbCell.sanitize = as_output
