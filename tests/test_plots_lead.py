import numpy as np
import pytest
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.model_selection import resampled_interval

X = [20, 100, 400]
FIRST = np.array([[0.5, 0.6, 0.7], [0.52, 0.61, 0.69], [0.51, 0.62, 0.7]])
SECOND = FIRST - [[0.2, 0.01, 0.0], [0.21, -0.01, 0.01], [0.2, 0.0, -0.01]]


@pytest.fixture(scope="module")
def figure():
    return plots.lead(
        X,
        {"ours": FIRST, "theirs": SECOND},
        xlabel="pairs",
        ylabel="accuracy",
        test_size=0.3,
        references={"chance": 0.1},
    )


def test_means_are_drawn_and_named(figure):
    assert figure._repr_png_().startswith(b"\x89PNG")
    top, _ = figure.axes
    assert {text.get_text() for text in top.texts} == {
        "ours",
        "theirs",
        "chance",
    }
    for line, rows in zip(top.lines, (FIRST, SECOND)):
        assert_allclose(line.get_xydata(), np.c_[X, rows.mean(axis=0)])


def test_differences_have_their_intervals_and_are_filled_if_told_from_0(
    figure,
):
    below = figure.axes[1]
    spans = [line for line in below.lines if line.get_marker() == "None"][1:]
    marks = [line for line in below.lines if line.get_marker() == "o"]
    for i, (span, mark) in enumerate(zip(spans, marks, strict=True)):
        low, high = resampled_interval((FIRST - SECOND)[:, i], 0.3)
        assert_allclose(span.get_ydata(), [low, high])
        assert (mark.get_mfc() == "white") == (low <= 0 <= high)
    assert [mark.get_mfc() == "white" for mark in marks] == [
        False,
        True,
        True,
    ]
    assert [text.get_text() for text in below.get_xticklabels()] == [
        "20",
        "100",
        "400",
    ]
