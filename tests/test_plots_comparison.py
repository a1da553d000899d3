"""Marks stand at the means, bars where they are said to, shares in cells."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from perfalign.book import plots

ROWS = {
    "near": {"ours": [0.7, 0.9], "theirs": [0.5, 0.5]},
    "far": {"ours": [0.4, 0.6], "theirs": [0.2, 0.4]},
}
SPANS = {"near": (0.1, 0.95), "far": (0.2, 0.7)}


@pytest.fixture
def axes():
    figure = plots.dots(
        ROWS, xlabel="accuracy", spans=SPANS, span_label="range"
    )
    return figure.axes[0]


def test_marks_are_means_with_their_standard_errors(axes):
    drawn = [container for container in axes.containers[:6]]
    marks = {}
    for container in drawn:
        if hasattr(container, "has_xerr") and container.has_xerr:
            line, _, (bar,) = container
            x, y = line.get_xydata()[0]
            (left, _), (right, _) = bar.get_segments()[0]
            marks[round(y), round(x, 6)] = (right - left) / 2
    assert_allclose(sorted(marks), [(0, 0.5), (0, 0.8), (1, 0.3), (1, 0.5)])
    assert_allclose(marks[0, 0.8], 0.1)
    assert_allclose(marks[0, 0.5], 0, atol=1e-12)


def test_bars_span_from_worthless_to_best(axes):
    spans = [
        (bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches
    ]
    assert_allclose(spans, [SPANS["near"], SPANS["far"]])


def test_every_method_is_named_once(axes):
    labels = [text.get_text() for text in axes.figure.legends[0].texts]
    assert sorted(labels) == ["ours", "range", "theirs"]
    assert [t.get_text() for t in axes.get_yticklabels()] == list(ROWS)


def test_confusion_shows_shares_of_the_true_class():
    counts = np.array([[3, 1], [0, 10]])
    figure = plots.confusion({"one": counts, "other": counts.T}, ["a", "b"])
    first, second = figure.axes
    assert_allclose(first.images[0].get_array(), [[0.75, 0.25], [0, 1]])
    assert_allclose(second.images[0].get_array()[1], [1 / 11, 10 / 11])
    assert {text.get_text() for text in first.texts} == {"75", "25", "100"}
