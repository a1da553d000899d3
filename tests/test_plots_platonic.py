from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.book.plots.style import SHARED


def test_partners_has_a_way_for_each_method_in_one_colour():
    found = {
        "simple": {"a": [(100, 0.7), (50, 0.8)], "b": [(1, 0.6), (1, 0.7)]},
        "complex": {"b": [(9, 0.5), (5, 0.6)]},
    }
    figure = plots.partners(found, marked={"no more": 75})
    for ax, methods in zip(figure.axes, found.values(), strict=True):
        ways = {
            line.get_color(): line.get_xydata()
            for line in ax.lines
            if line.get_marker() == "None" and line.get_linestyle() == "-"
        }
        assert_allclose(list(ways.values()), list(methods.values()))
        names = [text.get_text() for text in ax.texts]
        assert set(methods) <= set(names)
        assert any(75 in line.get_xdata() for line in ax.lines)
    colors = [
        {t.get_text(): t.get_color() for t in ax.texts} for ax in figure.axes
    ]
    assert colors[0]["b"] == colors[1]["b"] != colors[0]["a"]


def test_a_trend_is_filled_where_its_interval_leaves_out_zero():
    found = {
        "up": {"a": (0.3, 0.1, 0.5), "b": (0.1, -0.1, 0.3)},
        "down": {"a": (-0.3, -0.5, -0.1), "b": (0.0, -0.1, 0.1)},
    }
    figure = plots.trends(found, xlabel="change")
    for ax, measures in zip(figure.axes, found.values(), strict=True):
        marks = [line for line in ax.lines if line.get_marker() == "o"]
        bars = [line for line in ax.lines if len(line.get_xdata()) == 2][1:]
        for mark, bar, (middle, low, high) in zip(
            marks, bars, measures.values(), strict=True
        ):
            assert_allclose(mark.get_xdata(), middle)
            assert_allclose(bar.get_xdata(), [low, high])
            told = mark.get_markerfacecolor() == mark.get_color() == SHARED
            assert told == (low > 0 or high < 0)
