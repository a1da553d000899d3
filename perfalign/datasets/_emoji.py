"""Emoji: what they look like, what they are called, and what models see."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from perfalign._types import Booleans, Integers, Labels
from perfalign.datasets._files import (
    read_arrays,
    read_description,
    read_features,
)

LANGUAGES = ("en", "fr", "es", "de", "ja")
PICTURES = ("twemoji", "noto")
VISION = (
    "noto_lite0",
    "noto_lite1",
    "noto_lite2",
    "twemoji_lite0",
    "twemoji_lite1",
)
STAGES = ("px", "b0", "b2", "b4", "b7", "b10", "b14", "b15")


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
        (``"twemoji"``, ``"noto"``); embeddings of the English text
        (``"minilm"``); or what a network trained on ImageNet sees in a
        drawing: EfficientNet-Lite 0, 1 or 2 in Noto's (``"noto_lite0"``,
        ``"noto_lite1"``, ``"noto_lite2"``), 0 or 1 in Twemoji's
        (``"twemoji_lite0"``, ``"twemoji_lite1"``). For text in other
        languages turn ``text`` into a view with scikit-learn's
        ``TfidfVectorizer``, fitted on training items.
    flags : bool, default=False
        Whether to keep the 270 flags too, a ninth category: 1 906 items.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of ndarray of shape (n, 3072), (n, 384) or (n, 1280)
            The views asked for: pixels row by row, red, green and blue from
            0 to 1; ``minilm``; or the 1 280 channels of a network's last
            feature map, means over its positions.
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
        If a name in `views` is none of the eight.

    Notes
    -----
    **Labels stand behind the features of the networks.** EfficientNet-Lite
    was trained to tell the thousand classes of ImageNet (ILSVRC 2012) apart,
    by photographs that people had labelled, bananas and pizzas among them.
    What such a view predicts is not learnt from these drawings alone; nor is
    it with ``minilm``, whose network was trained on pairs of sentences.

    Their features are stored in 8 bits each; the error of that is below
    0.9 % of their size (root mean square).

    Groups follow English names, from which words of gender, direction and
    number are struck out. They do not join items that merely look alike, as
    do the clock faces or the hearts of many colours.

    References
    ----------
    M. Tan and Q. V. Le 2019, EfficientNet: rethinking model scaling for
    convolutional neural networks, ICML.

    N. Reimers and I. Gurevych 2019, Sentence-BERT: sentence embeddings using
    Siamese BERT-networks, EMNLP.

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

    The same drawings through two networks:

    >>> emoji = load_emoji(("noto_lite0", "noto_lite2"))
    >>> print(*(view.shape for view in emoji.views))
    (1636, 1280) (1636, 1280)
    """
    known = (*PICTURES, "minilm", *VISION)
    view_names = (views,) if isinstance(views, str) else tuple(views)
    for name in view_names:
        if name not in known:
            raise ValueError(
                f"Unknown view {name!r}; wanted some of {', '.join(known)}."
            )

    keep, items = _items(flags)
    pictures = {
        name: read_arrays(f"emoji_img_{name}32")["X"][keep]
        for name in PICTURES
    }
    minilm = read_arrays("emoji_minilm_en")["Z"][keep].astype(np.float64)
    features = {"minilm": minilm.copy()} | {
        name: pictures[name].reshape(len(minilm), -1) / 255
        if name in PICTURES
        else read_features("emoji_vision", name)[keep]
        for name in set(view_names) - {"minilm"}
    }
    text = {
        language: np.array(
            [
                f"{name}, {' '.join(words)}"
                for name, words in zip(
                    items["names"][language], items["tags"][language]
                )
            ]
        )
        for language in LANGUAGES
    }
    return Bunch(
        views=[features[name] for name in view_names],
        view_names=view_names,
        **pictures,
        minilm=minilm,
        text=text,
        **items,
    )


def load_emoji_depths(*, flags: bool = False) -> Bunch:
    """What two networks make of the same 1 636 emoji, layer by layer.

    A network for pictures, EfficientNet-Lite 0, sees the drawings of Noto; a
    network for sentences, all-MiniLM-L6-v2, reads the English text. Of each
    come its states at several depths, from what goes in to what comes out.

    Parameters
    ----------
    flags : bool, default=False
        Whether to keep the 270 flags too: 1 906 items.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        vision : list of 8 ndarray of shape (n, width)
            The picture in 4 × 4 pixels of red, green and blue, and the
            channels after each of seven stages, means over the positions;
            48, 16, 24, 40, 80, 112, 192 and 320 numbers.
        vision_names : tuple of str
            ``"pixels"``, ``"stage 1"`` to ``"stage 7"``.
        text : list of 7 ndarray of shape (n, 384)
            The embedding and the states after each of six layers, means over
            the tokens. The last is not scaled to length 1, as ``minilm`` of
            :func:`load_emoji` is.
        text_names : tuple of str
            ``"embedding"``, ``"layer 1"`` to ``"layer 6"``.
        names, tags, target, target_names, subcategory, group, code, DESCR
            As those of :func:`load_emoji`, row by row.

    Notes
    -----
    **Labels stand behind the vision features**: the network was trained on
    the labelled photographs of ImageNet (ILSVRC 2012), the other one on pairs
    of sentences. After the last stage here comes one more layer, whose 1 280
    channels are ``"noto_lite0"`` of :func:`load_emoji`.

    The features are stored in 8 bits each; the error of that is below 0.9 %
    of their size (root mean square).

    References
    ----------
    M. Tan and Q. V. Le 2019, EfficientNet: rethinking model scaling for
    convolutional neural networks, ICML.

    N. Reimers and I. Gurevych 2019, Sentence-BERT: sentence embeddings using
    Siamese BERT-networks, EMNLP.

    Examples
    --------
    >>> from perfalign.datasets import load_emoji_depths
    >>> depths = load_emoji_depths()
    >>> for name, features in zip(depths.vision_names, depths.vision):
    ...     print(name, features.shape)
    pixels (1636, 48)
    stage 1 (1636, 16)
    stage 2 (1636, 24)
    stage 3 (1636, 40)
    stage 4 (1636, 80)
    stage 5 (1636, 112)
    stage 6 (1636, 192)
    stage 7 (1636, 320)
    >>> len(depths.text), depths.text[0].shape
    (7, (1636, 384))
    """
    keep, items = _items(flags)
    return Bunch(
        vision=[
            read_features("emoji_depths", f"vision_{depth}_{stage}")[keep]
            for depth, stage in enumerate(STAGES)
        ],
        vision_names=("pixels", *(f"stage {i}" for i in range(1, 8))),
        text=[
            read_features("emoji_depths", f"text_{depth}")[keep]
            for depth in range(7)
        ],
        text_names=("embedding", *(f"layer {i}" for i in range(1, 7))),
        **items,
    )


def _items(flags: bool) -> tuple[Booleans, dict[str, Any]]:
    """Which rows to keep, and what is known of each, whoever sees it."""
    rows = read_arrays("emoji_text")
    keep = (rows["category"] != "Flags") | bool(flags)
    rows = {key: values[keep] for key, values in rows.items()}
    target_names, target = _in_order_of_appearance(rows["category"])
    return keep, {
        "names": {
            language: rows[f"name_{language}"] for language in LANGUAGES
        },
        "tags": {
            language: [line.split("|") for line in rows[f"tags_{language}"]]
            for language in LANGUAGES
        },
        "target": target,
        "target_names": target_names,
        "subcategory": rows["subcategory"],
        "group": rows["group"].astype(int),
        "code": rows["code"],
        "DESCR": read_description("Emoji"),
    }


def _in_order_of_appearance(labels: Labels) -> tuple[Labels, Integers]:
    names, first, codes = np.unique(
        labels, return_index=True, return_inverse=True
    )
    order = np.argsort(first)
    return names[order], np.argsort(order)[codes]
