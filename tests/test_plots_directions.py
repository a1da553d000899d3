"""The picture of the thinnest direction shows the row that was chosen."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text
from numpy.testing import assert_allclose

from perfalign.book import plots

RNG = np.random.default_rng(0)
STACK = RNG.normal(size=(300, 3)) * [1.0, 0.2, 3.0]
ROWS = np.array([[0.6, 0.0, 0.8], [0.0, 1.0, 0.0]])
LATENTS = [RNG.normal(size=(300, 1)) for _ in range(2)]


def draw(weights, **options):
    return plots.thinnest_direction(
        STACK,
        ROWS,
        np.dot(weights, ROWS),
        LATENTS,
        names=("good channels", "hum"),
        **options,
    )


def arrow(ax):
    (found,) = [text for text in ax.texts if text.arrow_patch]
    return np.array([found.xyann, found.xy])


def test_points_are_the_pairs():
    left, right = draw([0, 1], shown=300).axes
    x, y = left.lines[0].get_xydata().T
    assert_allclose(x, 0.6 * STACK[:, 0] + 0.8 * STACK[:, 2])
    assert_allclose(y, STACK[:, 1])
    assert_allclose(right.lines[0].get_xydata(), np.hstack(LATENTS))


def test_both_panels_are_thinned_to_the_same_pairs():
    left, right = draw([0, 1], shown=20).axes
    rows = np.linspace(0, 299, 20).round().astype(int)
    assert_allclose(left.lines[0].get_ydata(), STACK[rows, 1])
    assert_allclose(right.lines[0].get_xydata(), np.hstack(LATENTS)[rows])


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("weights", [(0.8, -0.6), (0.28, 0.96)])
def test_arrow_is_the_chosen_row_up_to_its_sign(weights, sign):
    left, _ = draw(sign * np.array(weights)).axes
    tail, tip = arrow(left)
    assert_allclose(tail, 0)
    assert_allclose(tip / np.linalg.norm(tip), weights)


def test_line_of_agreement_is_the_diagonal():
    _, right = draw([0, 1]).axes
    x, y = right.lines[1].get_xydata().T
    assert_allclose(x, y)
    assert_allclose(right.get_xlim(), x)


def test_limits_can_be_held_while_the_data_change():
    left, right = draw([0, 1], limits=(3, 8)).axes
    assert_allclose([*left.get_xlim(), *left.get_ylim()], [-3, 3] * 2)
    assert_allclose([*right.get_xlim(), *right.get_ylim()], [-8, 8] * 2)


def test_panels_hold_all_points_by_default():
    for ax in draw([0, 1]).axes:
        assert np.abs(ax.lines[0].get_xydata()).max() < ax.get_xlim()[1]


@pytest.mark.parametrize("weights", [(1, 0), (0.8, 0.6), (0.6, -0.8)])
def test_picture_does_not_move_when_the_arrow_turns(weights):
    figures = draw((0, 1)), draw(weights)
    for figure in figures:
        figure.draw_without_rendering()
    for still, turned in zip(*(figure.axes for figure in figures)):
        assert_allclose(still.get_position(), turned.get_position())
        assert_allclose(still.bbox.extents, turned.bbox.extents)


@pytest.mark.parametrize(
    "weights", [(1, 0), (0.8, 0.6), (0.8, -0.6), (0.6, -0.8), (0, 1)]
)
def test_name_of_the_arrow_stays_in_its_panel(weights):
    figure = draw(weights)
    figure.draw_without_rendering()
    left = figure.axes[0]
    (name,) = [t for t in left.texts if t.get_text() == "chosen row"]
    panel, box = left.get_window_extent(), name.get_window_extent()
    assert panel.x0 < box.x0 and box.x1 < panel.x1
    assert panel.y0 < box.y0 and box.y1 < panel.y1


@pytest.mark.parametrize("weights", [(1, 0), (0.8, 0.6), (0.6, -0.8), (0, 1)])
def test_nothing_is_cut_off_and_no_trace_is_left(weights, caplog):
    before = mpl.rcParams.copy()
    figure = draw(weights)
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert min(box.x0, box.y0) > -0.02
    assert np.all(box.max < figure.get_size_inches() + 0.02)
    for text in figure.findobj(Text):
        assert not text.get_text() or text.get_fontsize() >= 10
    assert draw(weights)._repr_png_() == draw(weights)._repr_png_()
    assert mpl.rcParams == before
    assert not caplog.records
