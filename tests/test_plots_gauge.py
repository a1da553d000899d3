import numpy as np
from numpy.testing import assert_array_equal

from perfalign.book import plots
from perfalign.book.plots.style import GREY, VIEW


def test_estimates_lie_over_the_truth_on_axes_that_do_not_move():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(50, 2))
    turned = truth @ [[0.0, 1.0], [-1.0, 0.0]]
    fig = plots.over_truth([turned, turned], truth, reach=4.0)
    (ax,) = fig.axes
    assert ax.get_xlim() == ax.get_ylim() == (-4.0, 4.0)
    drawn = {line.get_color(): line.get_xydata() for line in ax.lines}
    assert_array_equal(drawn[GREY], truth)
    colors = [c for c in drawn if c != GREY]
    assert len(colors) == len(VIEW[:2])
    for color in colors:
        assert_array_equal(drawn[color], turned)
    fig.draw_without_rendering()
    box, (width, height) = fig.get_tightbbox(), fig.get_size_inches()
    assert min(box.x0, box.y0) > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02
