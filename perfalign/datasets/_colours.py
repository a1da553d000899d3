"""Colours, and what people call them."""

import numpy as np
from sklearn.utils import Bunch

from perfalign.datasets._files import read_description

COLOURS = (
    "green",
    "blue",
    "pink",
    "purple",
    "brown",
    "yellow",
    "red",
    "grey",
    "orange",
)


def load_colours() -> Bunch:
    """Colours on a screen, and the names that people gave them.

    Of the 949 colours that were named most in a survey of the web comic xkcd,
    the 565 whose names end in one of nine common words: *dark grass green* is
    a green. One view has three numbers, the other is text.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of one ndarray of shape (565, 3)
            Red, green and blue, from 0 to 1. For the other view turn ``text``
            into features with scikit-learn's ``TfidfVectorizer``, fitted on
            training items.
        view_names : tuple of str
            ``("colour",)``.
        text : ndarray of str of shape (565,)
            The names.
        target : ndarray of shape (565,)
            The last word of the name, as an index into `target_names`; the
            commonest, *green*, holds 0.31 of the items.
        target_names : ndarray of str of shape (9,)
            The nine words, the commonest first.
        DESCR : str
            Origin and licence.

    Notes
    -----
    The class can be read off the name; it is a matter of perception for the
    colour alone.

    Examples
    --------
    >>> from perfalign.datasets import load_colours
    >>> colours = load_colours()
    >>> colours.views[0].shape
    (565, 3)
    >>> item = list(colours.text).index("dark grass green")
    >>> print(colours.views[0][item].round(2))
    [0.22 0.5  0.02]
    """
    from matplotlib.colors import XKCD_COLORS, to_rgb

    words = {
        name: name.removeprefix("xkcd:").replace("/", " ").split()
        for name in XKCD_COLORS
    }
    kept = [name for name in XKCD_COLORS if words[name][-1] in COLOURS]
    return Bunch(
        views=[np.array([to_rgb(XKCD_COLORS[name]) for name in kept])],
        view_names=("colour",),
        text=np.array([name.removeprefix("xkcd:") for name in kept]),
        target=np.array([COLOURS.index(words[name][-1]) for name in kept]),
        target_names=np.array(COLOURS),
        DESCR=read_description("Colours"),
    )
