import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.book.plots.style import BLACK, GREY, SHARED


def inside(fig):
    fig.draw_without_rendering()
    box, (width, height) = fig.get_tightbbox(), fig.get_size_inches()
    assert min(box.x0, box.y0) > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02


@pytest.mark.parametrize("n, merges", [(1, 0), (2, 1), (5, 6), (16, 15)])
def test_tree_has_a_triangle_for_each_piece_and_each_merge(n, merges):
    fig = plots.merge_tree(n)
    (ax,) = fig.axes
    assert len(ax.patches) == n + merges
    assert sum(line.get_color() == GREY for line in ax.lines) == 4 * n
    # All that is above flows into one triangle, in the middle of the tree.
    bottoms = [patch.get_xy()[:, 1].min() for patch in ax.patches]
    assert bottoms.count(min(bottoms)) == 1
    inside(fig)


def test_methods_stand_where_they_were_measured():
    methods = {"slow": (10.0, 0.1), "exact": (0.5, 3e-15), "zero": (1.0, 0.0)}
    fig = plots.accuracy_against_time(
        methods, xlabel="seconds", ylabel="error", marked=["exact"]
    )
    (ax,) = fig.axes
    drawn = [line.get_xydata()[0] for line in ax.lines]
    assert_allclose(drawn, [(10, 0.1), (0.5, 3e-15), (1, 1e-16)])
    names = {text.get_text(): text.get_color() for text in ax.texts}
    assert names == {"slow": BLACK, "exact": SHARED, "zero": BLACK}
    marked = [to_rgb(line.get_color()) == to_rgb(SHARED) for line in ax.lines]
    assert marked == [False, True, False]
    inside(fig)


@pytest.mark.parametrize(
    "spots",
    [
        [(2.0**i, (1 + i % 2) * 1e-15) for i in range(4)],
        # A name above may meet that of a point higher up.
        [(0.16, 2e-15), (0.7, 2.4e-15), (1.7, 4e-15), (2.3, 1e-14)],
        [(20.0, 0.3), (19.0, 0.15), (26.0, 0.1), (0.1, 1e-16), (0.2, 0.0)],
    ],
)
def test_names_of_methods_alike_do_not_overlap(spots):
    methods = {f"method number {i}": spot for i, spot in enumerate(spots)}
    fig = plots.accuracy_against_time(methods, xlabel="s", ylabel="error")
    fig.draw_without_rendering()
    (ax,) = fig.axes
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(
        a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i]
    )
    dots = ax.transData.transform([line.get_xydata()[0] for line in ax.lines])
    assert not any(box.contains(*dot) for box in boxes for dot in dots)
    assert min(box.y0 for box in boxes) > ax.bbox.y0


def test_names_of_sources_keep_off_the_curve():
    widths = [32, 64, 128, 512, 1024, 2048]
    rates = [1.75, 1.58, 1.35, 0.52, 0.27, 0.1]
    fig = plots.cost_of_width(
        widths,
        [[1.1, 1.2, 1.4]] * 6,
        rates,
        sources={"solid-state disk": 3.5, "network, 10 Gbit/s": 1.25,
                 "older disk (SATA)": 0.55},
    )  # fmt: skip
    fig.draw_without_rendering()
    for ax in fig.axes:
        curve = ax.lines[-1].get_path().transformed(ax.transData)
        for text in ax.texts:
            assert not curve.intersects_bbox(text.get_window_extent(), False)


def test_cost_of_width_shows_medians_quartiles_and_who_can_feed_it():
    ratios = [[2.0, 2.5, 3.0], [2.2, 2.4, 9.0]]
    fig = plots.cost_of_width(
        [64, 1024], ratios, [2.0, 0.3], sources={"fast": 3.0, "slow": 0.5}
    )
    left, right = fig.axes
    (bars,) = left.collections
    assert_allclose(
        bars.get_segments(),
        [[(64, 2.25), (64, 2.75)], [(1024, 2.3), (1024, 5.7)]],
    )
    assert_allclose(left.lines[-1].get_ydata(), [2.5, 2.4])
    assert_allclose(right.lines[-1].get_ydata(), [2.0, 0.3])
    heights = [line.get_ydata()[0] for line in right.lines[:-1]]
    names = [text.get_text() for text in right.texts]
    assert dict(zip(names, heights)) == {"fast": 3.0, "slow": 0.5}
    inside(fig)


def test_times_beside_a_yardstick_show_medians_quartiles_and_notes():
    rows = {"a": [1.0, 2.0, 3.0], "b": [4.0, 4.0, 10.0]}
    fig = plots.times_beside(
        rows,
        xlabel="time",
        notes={"a": "first", "b": "second"},
        others={"a": [7.0], "b": [8.0, 9.0]},
        marked=["b"],
        yardstick="one",
    )
    (ax,) = fig.axes
    bars = [bar.get_segments()[0] for bar in ax.collections]
    assert_allclose(bars[0], [(1.5, 0), (2.5, 0)])
    assert_allclose(bars[1], [(4, 1), (7, 1)])
    one, *lines = [line.get_xdata() for line in ax.lines]
    assert list(one) == [1, 1]
    assert [list(x) for x in lines] == [[7], [2], [8, 9], [4]]
    notes = {text.get_text(): text.get_color() for text in ax.texts}
    assert notes["first"] == BLACK and notes["second"] == SHARED
    inside(fig)


def test_rounding_errors_stand_on_the_line_of_their_kind():
    kinds = {
        "tall": {"lossy": 1e8, "ours": 1.0, "other": 2.0},
        "flat": {"lossy": 1e3, "ours": 0.5, "other": None},
    }
    fig = plots.rounding_errors(
        kinds, xlabel="error", lost="lossy", marked="ours"
    )
    (ax,) = fig.axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert drawn == {
        "lossy": [[1e8, 0], [1e3, 1]],
        "ours": [[1, 0], [0.5, 1]],
        "other": [[2, 0]],
    }
    assert [text.get_text() for text in ax.texts] == ["1 refuse"]
    inside(fig)


def test_descent_is_drawn_beside_the_closed_form():
    noisy = {"times": [1, 10], "mean": [2, -1], "low": [1, -2], "high": [3, 0]}
    exact = {"times": [1, 10], "errors": [0.1, 0.01]}
    fig = plots.descent_beside(noisy, exact, 1e-15)
    left, right = fig.axes
    assert_allclose(left.lines[-1].get_xydata(), [(1, 2), (10, -1)])
    assert_allclose(
        left.collections[0].get_segments(),
        [[(1, 1), (1, 3)], [(10, -2), (10, 0)]],
    )
    assert_allclose(right.lines[0].get_ydata(), [1e-15] * 2)
    assert_allclose(right.lines[-1].get_ydata(), [0.1, 0.01])
    inside(fig)
