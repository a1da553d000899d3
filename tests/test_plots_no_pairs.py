import numpy as np
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.book.plots.style import BLACK

RNG = np.random.default_rng(0)


def test_lines_join_the_views_of_an_item():
    first = RNG.normal(size=(50, 2))
    figure = plots.answers(
        {"right": [first, first], "turned": [first, -first]}, followed=5
    )
    right, turned = (
        [line.get_xydata() for line in ax.lines if line.get_color() == BLACK]
        for ax in figure.axes
    )
    assert len(right) == len(turned) == 5
    for line in right:
        assert_allclose(line[0], line[1])
    for line in turned:
        assert_allclose(line[0], -line[1])
    assert [ax.get_title() for ax in figure.axes] == ["right", "turned"]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_ylim()


def test_every_start_is_a_dot_and_none_falls_below_chance():
    found = {"easy": ([0.8, 0.6], [0.9, 0.0]), "hard": ([0.5], [0.01])}
    figure = plots.valleys(found, chance=0.001)
    (ax,) = figure.axes
    dots = [line.get_xydata() for line in ax.lines if line.get_marker() == "o"]
    assert_allclose(dots[0], [[0.8, 0.9], [0.6, 0.001]])
    assert_allclose(dots[1], [[0.5, 0.01]])
    assert [text.get_text() for text in ax.texts] == list(found)
    assert ax.get_ylim()[0] < 0.001
