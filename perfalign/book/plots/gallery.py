"""What was found beside what was meant, in pictures."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from numpy.typing import NDArray

from perfalign.book.plots.images import images
from perfalign.book.plots.style import Figure

Picture = NDArray[np.uint8]


def gallery(
    rows: Mapping[str, Sequence[tuple[str, Picture, Picture]]],
    *,
    letters: int = 12,
) -> Figure:
    """Rows of words, each with the picture it found and the one it means.

    Parameters
    ----------
    rows : dict of str to list of (str, ndarray, ndarray)
        By what is to be seen in the row: a word; the picture that was found,
        of shape (height, width, 3), drawn large; and the one that is meant,
        of the same shape, drawn small beside it.
    letters : int, default=12
        Of a line below a picture.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    return images(
        {
            name: np.array([_beside(found, meant) for _, found, meant in row])
            for name, row in rows.items()
        },
        captions=[
            [fill(word, letters) for word, *_ in row] for row in rows.values()
        ],
    )


def _beside(large: Picture, other: Picture) -> Picture:
    """One picture and another of half its size, on white."""
    height, width, depth = large.shape
    blocks = other.reshape(height // 2, 2, width // 2, 2, depth)
    small = blocks.mean(axis=(1, 3)).round().astype(large.dtype)
    page = np.full((height, 2 + width + width // 2, depth), 255, large.dtype)
    page[:, :width] = large
    page[-len(small) :, width + 2 :] = small
    return page
