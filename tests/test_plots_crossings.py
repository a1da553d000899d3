import matplotlib as mpl
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.text import Text
from numpy.testing import assert_array_equal

from perfalign import ClassGaussians
from perfalign.book import plots
from perfalign.book.plots.style import BLACK, GREY, VIEW

CLASSES = ClassGaussians([[-1, 0], [1, 0]], np.eye(2))
RNG = np.random.default_rng(0)
FIRST = RNG.normal(size=(40, 2))
SECOND = FIRST + 0.4 * RNG.normal(size=(40, 2))


def segments(figure):
    return {
        mpl.colors.to_hex(lines.get_color()[0]): lines.get_segments()
        for lines in figure.axes[0].findobj(LineCollection)
        if len(lines.get_segments())
    }


def test_black_lines_are_the_pairs_on_which_decisions_differ():
    figure = plots.crossings(CLASSES, [FIRST, SECOND], reach=3.0)
    differ = (FIRST[:, 0] > 0) != (SECOND[:, 0] > 0)
    assert 0 < differ.sum() < 20
    drawn = segments(figure)
    for color, rows in (BLACK, differ), (GREY, ~differ):
        expected = np.stack([FIRST, SECOND], axis=1)[rows]
        assert_array_equal(drawn[color.lower()], expected)


def test_every_pair_is_drawn_in_the_colours_of_its_modalities():
    (ax,) = plots.crossings(CLASSES, [FIRST, SECOND], reach=3.0).axes
    assert ax.get_xlim() == ax.get_ylim() == (-3.0, 3.0)
    for z, color in zip([FIRST, SECOND], VIEW):
        drawn = np.vstack(
            [d.get_xydata() for d in ax.lines if d.get_color() == color]
        )
        assert_array_equal(drawn[np.lexsort(drawn.T)], z[np.lexsort(z.T)])


def test_many_pairs_are_thinned_and_agreement_has_no_black_line():
    many = RNG.normal(size=(500, 2))
    figure = plots.crossings(CLASSES, [many, many], reach=3.0, shown=100)
    drawn = segments(figure)
    assert list(drawn) == [GREY.lower()]
    assert len(drawn[GREY.lower()]) == 100


def test_nothing_is_cut_off_or_too_small_and_nothing_is_left_behind():
    before = dict(mpl.rcParams)
    figure = plots.crossings(CLASSES, [FIRST, SECOND], reach=3.0)
    assert dict(mpl.rcParams) == before
    again = plots.crossings(CLASSES, [FIRST, SECOND], reach=3.0)
    assert figure._repr_png_() == again._repr_png_()
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02
    sizes = [t.get_fontsize() for t in figure.findobj(Text) if t.get_text()]
    assert min(sizes) >= 10
