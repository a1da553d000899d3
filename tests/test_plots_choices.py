import numpy as np
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.book.plots.style import SHARED

FOUND = np.array([0.3, -0.2, 0.6, 0.1])
NULL = np.array([[-0.4, 0.4]] * 4)
OPTIONS = {
    "one": {"a": [True, False, True, False], "b": [False, True, False, True]},
    "two": {"c": [True, True, True, True]},
}


def figure():
    return plots.choices(FOUND, NULL, OPTIONS, ylabel="agreement")


def test_the_figure_draws_itself():
    assert figure()._repr_png_().startswith(b"\x89PNG")


def test_results_are_in_order_and_those_beyond_chance_in_colour():
    upper = figure().axes[0]
    _, within, outside = upper.collections
    assert_allclose(within.get_offsets(), [[0, -0.2], [1, 0.1], [2, 0.3]])
    assert_allclose(outside.get_offsets(), [[3, 0.6]])
    assert_allclose(
        outside.get_facecolor()[0, :3], np.array([138, 43, 126]) / 255
    )
    assert SHARED == "#8A2B7E"


def test_ticks_say_what_was_chosen_for_each():
    lower = figure().axes[1]
    ticks = [rows.get_positions() for rows in lower.collections]
    assert_allclose(ticks[0], [2, 3])
    assert_allclose(ticks[1], [0, 1])
    assert_allclose(ticks[2], [0, 1, 2, 3])
    labels = [label.get_text() for label in lower.get_yticklabels()]
    assert labels == ["a", "b", "c"]
