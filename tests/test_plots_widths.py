import numpy as np
from numpy.testing import assert_array_equal

from perfalign.book import plots
from perfalign.book.plots.style import MUTED


def test_each_measure_has_an_axis_of_its_own():
    x = [5, 10, 20, 40, 80, 160]
    rng = np.random.default_rng(0)
    found, chance, other = rng.uniform(size=(3, 6)) * [[1], [0.1], [50]]
    curves = {"with chance": (found, chance), "without": (other, None)}
    figure = plots.measures(x, curves, xlabel="width")
    first, second = figure.axes
    assert_array_equal(first.lines[0].get_ydata(), found)
    assert_array_equal(first.lines[1].get_ydata(), chance)
    assert first.lines[1].get_color() == MUTED
    assert_array_equal(second.lines[0].get_ydata(), other)
    assert len(second.lines) == 1
    assert first.get_ylim()[0] == second.get_ylim()[0] == 0
    assert first.get_ylim()[1] < 2 < second.get_ylim()[1]
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.05
    assert box.x1 < width + 0.05
    assert box.y1 < height + 0.05
