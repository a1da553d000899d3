import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import PermutationTest
from perfalign.book import plots
from perfalign.book.plots.style import SHARED

RNG = np.random.default_rng(0)
TEST = PermutationTest(
    statistics=np.array([0.9, 0.6, 0.3, 0.2]),
    p_values=np.array([0.01, 0.02, 0.4, 0.9]),
    null=np.sort(RNG.uniform(0.1, 0.4, size=(50, 4)))[:, ::-1],
)
RATIOS = np.geomspace(0.5, 16, 6)
LEVELS = np.linspace(0, 0.9, 4)
HELD_OUT = RNG.uniform(size=(4, 6))


def threshold(ratios):
    return 1 / np.sqrt(2 * ratios - 1)


FIGURES = {
    "scree": lambda: plots.scree(TEST, edge=0.4),
    "phase diagram": lambda: plots.phase_diagram(
        RATIOS, LEVELS, HELD_OUT, threshold
    ),
}


def test_accepted_components_are_coloured_and_the_others_are_rings():
    (ax,) = plots.scree(TEST, level=0.02).axes
    drawn = {line.get_color(): line for line in ax.lines}
    assert_array_equal(drawn[SHARED].get_xydata(), [[1, 0.9], [2, 0.6]])
    rings = [line for line in ax.lines if line.get_mfc() == "white"]
    assert_array_equal(rings[0].get_xydata(), [[3, 0.3], [4, 0.2]])


def test_band_holds_nine_tenths_of_the_shuffles():
    (ax,) = plots.scree(TEST).axes
    (path,) = ax.collections[0].get_paths()
    low, high = np.quantile(TEST.null[:, 0], [0.05, 0.95])
    heights = path.vertices[path.vertices[:, 0] == 1, 1]
    assert_allclose([heights.min(), heights.max()], [low, high])


def test_shades_are_the_measured_correlations_and_lines_the_theory():
    ax = plots.phase_diagram(RATIOS, LEVELS, HELD_OUT, threshold).axes[0]
    assert_array_equal(ax.collections[0].get_array(), HELD_OUT)
    wall, line = ax.lines
    assert set(wall.get_xdata()) == {1}
    assert_allclose(line.get_ydata(), threshold(line.get_xdata()))


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_off_or_too_small_and_nothing_is_left_behind(name):
    before = dict(mpl.rcParams)
    figure = FIGURES[name]()
    assert dict(mpl.rcParams) == before
    assert figure._repr_png_() == FIGURES[name]()._repr_png_()
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02
    sizes = [t.get_fontsize() for t in figure.findobj(Text) if t.get_text()]
    assert min(sizes) >= 10


def test_shares_of_accepted_data_sets_have_exact_intervals():
    rows = {
        "none": {"ours": np.zeros(20, bool), "other": np.arange(20) < 10},
        "some": {"ours": np.arange(20) < 1},
    }
    (ax,) = plots.acceptances(rows).axes
    ours, other = ax.containers
    assert_allclose(ours[0].get_xdata(), [0, 0.05])
    assert_allclose(other[0].get_xdata(), [0.5])
    (bars,) = ours[2]
    low, high = bars.get_segments()[0][:, 0]
    # With none of 20 the upper end solves (1 − p)²⁰ = 0.025.
    assert_allclose([low, high], [0, 1 - 0.025 ** (1 / 20)], atol=1e-12)
