"""Emoji: what they look like and what they are called."""

from collections.abc import Sequence

import numpy as np
from sklearn.utils import Bunch

from perfalign._types import Integers, Labels
from perfalign.datasets._files import read_arrays, read_description

LANGUAGES = ("en", "fr", "es", "de", "ja")


def load_emoji(
    views: Sequence[str] = ("twemoji", "minilm"), *, flags: bool = False
) -> Bunch:
    """Pictures and names of the same 1 636 emoji.

    Each item was drawn by two teams, Twemoji and Noto, and named and tagged
    in five languages. It has one of eight Unicode categories; the commonest,
    *People & Body*, holds 0.24 of the items.

    Parameters
    ----------
    views : sequence of str, default=("twemoji", "minilm")
        What to return as ``views``: the pixels of one drawing or the other
        (``"twemoji"``, ``"noto"``), or embeddings of the English text
        (``"minilm"``). For text in other languages turn ``text`` into a view
        with scikit-learn's ``TfidfVectorizer``, fitted on training items.
    flags : bool, default=False
        Whether to keep the 270 flags too, a ninth category: 1 906 items.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of ndarray of shape (n, 3072) or (n, 384)
            The views asked for: pixels row by row, red, green and blue from
            0 to 1; or ``minilm``.
        view_names : tuple of str
            The names asked for.
        twemoji, noto : ndarray of uint8 of shape (n, 32, 32, 3)
            The pictures on white.
        minilm : ndarray of shape (n, 384)
            What all-MiniLM-L6-v2 makes of the English text; rows have length
            1 but for rounding.
        names : dict of ndarray of str of shape (n,)
            The name in each language: ``en``, ``fr``, ``es``, ``de``, ``ja``.
        tags : dict of list of list of str
            The keywords, likewise.
        text : dict of ndarray of str of shape (n,)
            Name and keywords as one document, likewise: a comma after the
            name, blanks between keywords.
        target : ndarray of shape (n,)
            The category, as an index into `target_names`.
        target_names : ndarray of str
            The categories in Unicode's order.
        subcategory : ndarray of str of shape (n,)
            Unicode's finer division, 98 with the flags.
        group : ndarray of shape (n,)
            Variants of one emoji (woman, man, person; left, right; keycaps;
            families) share a number: 341 items of 97 groups. Split by it,
            with scikit-learn's ``GroupShuffleSplit``, or near-copies of test
            items are among the training items.
        code : ndarray of str of shape (n,)
            Code points in hexadecimal, joined by ``-``, without the
            variation selector.
        DESCR : str
            Origin, changes, licences and attribution.

    Raises
    ------
    ValueError
        If a name in `views` is none of the three.

    Notes
    -----
    Groups follow English names, from which words of gender, direction and
    number are struck out. They do not join items that merely look alike, as
    do the clock faces or the hearts of many colours.

    Examples
    --------
    >>> from perfalign.datasets import load_emoji
    >>> emoji = load_emoji()
    >>> for name, view in zip(emoji.view_names, emoji.views):
    ...     print(name, view.shape)
    twemoji (1636, 3072)
    minilm (1636, 384)
    >>> item = list(emoji.names["en"]).index("octopus")
    >>> print(emoji.target_names[emoji.target[item]])
    Animals & Nature
    >>> for language in ("en", "fr", "de"):
    ...     print(emoji.text[language][item])
    octopus, animal creature ocean
    pieuvre, animal créature mer mollusque océan poulpe
    Oktopus, krake meer oktopus tier tintenfisch
    """
    known = ("twemoji", "noto", "minilm")
    view_names = (views,) if isinstance(views, str) else tuple(views)
    for name in view_names:
        if name not in known:
            raise ValueError(
                f"Unknown view {name!r}; wanted some of {', '.join(known)}."
            )

    items = read_arrays("emoji_text")
    keep = (items["category"] != "Flags") | flags
    items = {key: values[keep] for key, values in items.items()}
    pictures = {
        name: read_arrays(f"emoji_img_{name}32")["X"][keep]
        for name in ("twemoji", "noto")
    }
    minilm = read_arrays("emoji_minilm_en")["Z"][keep].astype(np.float64)
    features = {"minilm": minilm.copy()} | {
        name: pictures[name].reshape(len(minilm), -1) / 255
        for name in pictures
        if name in view_names
    }
    target_names, target = _in_order_of_appearance(items["category"])
    names = {language: items[f"name_{language}"] for language in LANGUAGES}
    tags = {
        language: [line.split("|") for line in items[f"tags_{language}"]]
        for language in LANGUAGES
    }
    text = {
        language: np.array(
            [
                f"{name}, {' '.join(words)}"
                for name, words in zip(names[language], tags[language])
            ]
        )
        for language in LANGUAGES
    }
    return Bunch(
        views=[features[name] for name in view_names],
        view_names=view_names,
        **pictures,
        minilm=minilm,
        names=names,
        tags=tags,
        text=text,
        target=target,
        target_names=target_names,
        subcategory=items["subcategory"],
        group=items["group"].astype(int),
        code=items["code"],
        DESCR=read_description("Emoji"),
    )


def _in_order_of_appearance(labels: Labels) -> tuple[Labels, Integers]:
    names, first, codes = np.unique(
        labels, return_index=True, return_inverse=True
    )
    order = np.argsort(first)
    return names[order], np.argsort(order)[codes]
