import numpy as np
from numpy.testing import assert_array_equal

from perfalign.book import plots
from perfalign.book.plots.style import GREY


def test_every_gauge_is_drawn_over_the_same_truth():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(50, 2))
    turned = truth @ [[0.0, 3.0], [-1.0, 0.0]]
    gauges = {"here": [turned, turned], "there": [truth, truth]}
    fig = plots.places(gauges, truth, np.arange(50) % 2)
    assert [ax.get_title() for ax in fig.axes] == ["here", "there"]
    limits = {(ax.get_xlim(), ax.get_ylim()) for ax in fig.axes}
    assert len(limits) == 1
    for ax in fig.axes:
        (grey,) = [x for x in ax.lines if x.get_color() == GREY]
        assert_array_equal(grey.get_xydata(), truth)
        assert len(ax.lines) == 5
    fig.draw_without_rendering()
    box, (width, height) = fig.get_tightbbox(), fig.get_size_inches()
    assert min(box.x0, box.y0) > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02
