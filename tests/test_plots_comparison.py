"""Marks stand at the means, bars where they are said to, shares in cells."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.model_selection import resampled_interval

ROWS = {
    "near": {"ours": 0.8, "theirs": 0.5},
    "far": {"ours": 0.5, "theirs": 0.3},
}
SPANS = {"near": (0.1, 0.95), "far": (0.2, 0.7)}
GAINS = {"near": ("theirs", 0.3, 0.1, 0.5), "far": ("theirs", 0.2, -0.1, 0.5)}


@pytest.fixture
def axes():
    return plots.dots(
        ROWS,
        xlabel="accuracy",
        spans=SPANS,
        span_label="range",
        gains=GAINS,
        gain_label="ours less theirs",
    ).axes


def test_marks_stand_at_the_numbers(axes):
    marks = [line.get_xydata()[0] for line in axes[0].lines]
    drawn = sorted((round(y), round(x, 6)) for x, y in marks)
    assert drawn == [(0, 0.5), (0, 0.8), (1, 0.3), (1, 0.5)]


def test_a_gain_is_filled_where_its_interval_leaves_out_zero(axes):
    bars = [line for line in axes[1].lines if len(line.get_xdata()) == 2]
    ends = [tuple(line.get_xdata()) for line in bars]
    assert (0.1, 0.5) in ends and (-0.1, 0.5) in ends
    marks = [line for line in axes[1].lines if line.get_marker() == "D"]
    assert [line.get_xdata()[0] for line in marks] == [0.3, 0.2]
    white = [line.get_markerfacecolor() == "white" for line in marks]
    assert white == [False, True]


def test_bars_span_from_worthless_to_best(axes):
    spans = [
        (bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes[0].patches
    ]
    assert_allclose(spans, [SPANS["near"], SPANS["far"]])


def test_every_method_is_named_once(axes):
    labels = [text.get_text() for text in axes[0].figure.legends[0].texts]
    assert sorted(labels) == ["ours", "range", "theirs"]
    assert [t.get_text() for t in axes[0].get_yticklabels()] == list(ROWS)


def test_curves_over_a_temperature_have_means_intervals_and_levels():
    rng = np.random.default_rng(0)
    classes, partners = rng.random((2, 5, 3))
    levels = {"classes": [0.2, 0.4], "partners": [0.7, 0.9]}
    measured = {
        "classes": (classes, levels["classes"]),
        "partners": (partners, levels["partners"]),
    }
    figure = plots.over_temperature(
        [0.1, 1, 10], {"task": measured}, {"task": 0.3}, level="closed form"
    )
    ax = figure.axes[0]
    lines = [np.array(line.get_xydata()) for line in ax.lines]
    for i, values in enumerate((classes, partners)):
        curve, best, level = lines[3 * i : 3 * i + 3]
        assert_allclose(curve[:, 1], values.mean(axis=0))
        assert_allclose(best[0, 1], values.mean(axis=0).max())
        assert_allclose(level[:, 1], (0.3, 0.8)[i])
        band = ax.collections[i].get_paths()[0].vertices[:, 1]
        ends = [resampled_interval(v, 0.3) for v in values.T]
        assert_allclose([band.min(), band.max()], [np.min(ends), np.max(ends)])
    labels = [text.get_text() for text in figure.legends[0].texts]
    assert labels == ["classes", "partners", "closed form"]


def test_a_gallery_shows_what_was_found_and_half_as_large_what_was_meant():
    rng = np.random.default_rng(0)
    found, meant = rng.integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    figure = plots.gallery({"row": [("a long word here", found, meant)]})
    [ax] = figure.axes
    shown = ax.images[0].get_array()
    assert shown.shape == (8, 14, 3)
    assert_allclose(shown[:, :8], found)
    assert (shown[:4, 8:] == 255).all()
    corner = meant[:2, :2].astype(float).mean(axis=(0, 1)).round()
    assert_allclose(shown[4, 10], corner)
    assert ax.get_xlabel() == "a long word\nhere"


def test_confusion_shows_shares_of_the_true_class():
    counts = np.array([[3, 1], [0, 10]])
    figure = plots.confusion({"one": counts, "other": counts.T}, ["a", "b"])
    first, second = figure.axes
    assert_allclose(first.images[0].get_array(), [[0.75, 0.25], [0, 1]])
    assert_allclose(second.images[0].get_array()[1], [1 / 11, 10 / 11])
    assert {text.get_text() for text in first.texts} == {"75", "25", "100"}
