"""Paired views: synthetic ones whose concepts are known, and real ones.

Everything real is read from files of the package, or of a folder of yours
(`load_utd_mhad`); nothing is downloaded (chapters 5 and 10).
"""

from perfalign.datasets._colours import load_colours
from perfalign.datasets._digits import (
    load_digit_halves,
    load_mfeat,
    load_mnist,
)
from perfalign.datasets._emoji import load_emoji, load_emoji_depths
from perfalign.datasets._haxby import load_haxby
from perfalign.datasets._human_action import load_utd_mhad
from perfalign.datasets._pictures import picture_features
from perfalign.datasets._population import make_population
from perfalign.datasets._synthetic import make_gaussian_views
from perfalign.datasets._watch import load_watch, window_features

__all__ = [
    "load_colours",
    "load_digit_halves",
    "load_emoji",
    "load_emoji_depths",
    "load_haxby",
    "load_mfeat",
    "load_mnist",
    "load_utd_mhad",
    "load_watch",
    "make_gaussian_views",
    "make_population",
    "picture_features",
    "window_features",
]
