import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.text import Text
from numpy.testing import assert_allclose
from scipy import stats

from perfalign import TransportPlan
from perfalign.book import plots
from perfalign.book.plots.style import BLACK, GREY, SHARED, VIEW

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 2)), 100 + 30 * RNG.normal(size=(6, 2))
A, B = X[:3] + 0.1, Y[:3] + 2


def lines_of(figure, color):
    color = mpl.colors.to_rgba(color)
    return np.concatenate(
        [
            found.get_segments()
            for found in figure.axes[0].findobj(LineCollection)
            if tuple(found.get_color()[0]) == color
            and len(found.get_segments())
        ]
    )


def dots_of(figure, color):
    return np.vstack(
        [
            x.get_xydata()
            for x in figure.axes[0].lines
            if x.get_color() == color
        ]
    )


def same_shape(drawn, z):
    """Up to one scale and a shift."""
    drawn, z = (p - p.mean(axis=0) for p in (drawn, z))
    scale = np.linalg.norm(drawn) / np.linalg.norm(z)
    assert_allclose(drawn, scale * z, atol=1e-9)


def test_spaces_keep_their_shapes_and_lie_apart():
    figure = plots.glued([X, Y], [A, B])
    left, right = (dots_of(figure, color) for color in VIEW[:2])
    same_shape(left, X)
    same_shape(right, Y)
    assert left[:, 0].max() < right[:, 0].min()
    # A bridge lies in its space as it does in the data.
    ends = lines_of(figure, SHARED)
    same_shape(np.vstack([left, ends[:, 0]]), np.vstack([X, A]))
    same_shape(np.vstack([right, ends[:, 1]]), np.vstack([Y, B]))


def test_a_way_goes_over_its_bridge():
    figure = plots.glued([X, Y], [A, B], way=(4, 1, 5))
    way, ends = lines_of(figure, BLACK), lines_of(figure, SHARED)
    left, right = (dots_of(figure, color) for color in VIEW[:2])
    points = [left[4], ends[1, 0], ends[1, 1], right[5]]
    assert_allclose(way, np.stack([points[:-1], points[1:]], axis=1))
    names = {t.get_text() for t in figure.findobj(Text)}
    assert {"x", "y", "source", "target"} <= names


def test_latents_go_where_most_of_them_goes_or_stay():
    plan = np.zeros((8, 6))
    goal = np.array([1, 0, 2, 3, 4, 5])
    plan[np.arange(6), goal] = 0.1
    plan[np.arange(6), 5 - goal] += 0.02
    labels = np.zeros(8, int), (goal.argsort() == 3).astype(int)
    figure = plots.transported([X, Y], TransportPlan(plan), labels=labels)
    drawn = {color: lines_of(figure, color) for color in (GREY, BLACK)}
    right = dots_of(figure, VIEW[1])
    assert len(drawn[BLACK]) == 1
    assert len(drawn[GREY]) == 5
    ends = np.vstack([lines[:, 1] for lines in drawn.values()])
    assert {tuple(p) for p in ends.round(9)} == {
        tuple(p) for p in right[goal].round(9)
    }
    hollow = [
        x for x in figure.axes[0].lines if x.get_markerfacecolor() == "white"
    ]
    assert len(hollow[0].get_xydata()) == 2


def test_shades_go_by_rank():
    u, v = np.linspace(-1, 1, 30), np.linspace(-2, 2, 40)
    cost = u**2 + v[:, None] ** 2
    costs = {"one": cost, "other": np.exp(9 * cost)}
    figure = plots.cost_maps(u, v, costs, bridges=A, truth=[0, 0])
    assert [ax.get_title() for ax in figure.axes] == ["one", "other"]
    levels = [
        mpl_set.levels
        for ax in figure.axes
        for mpl_set in ax.collections
        if hasattr(mpl_set, "levels")
    ]
    assert_allclose(np.mean(cost <= levels[0][1]), 0.01, atol=0.002)
    assert_allclose(np.exp(9 * levels[0]), levels[1], rtol=0.05)


def test_moved_shares_are_drawn_against_each_other():
    curve = np.array([[0.0, 0.4], [0.1, 0.7], [0.5, 1.0]])
    figure = plots.moved(
        {"one": curve, "other": curve[:, ::-1]}, chosen={"one": 1}
    )
    (ax,) = figure.axes
    drawn = [x for x in ax.lines if x.get_markeredgecolor() == SHARED]
    assert_allclose(drawn[0].get_xydata(), curve[:, ::-1])
    assert_allclose(drawn[1].get_xydata(), [[0.7, 0.1]])
    (wanted,) = ax.patches
    for own, others in ((0.2, 0.6), (0.35, 0.6), (0.1, 0.4)):
        inside = wanted.get_path().contains_point((others, own))
        assert inside == (own <= others / 2 and others >= 0.5)


CURVES = {
    title: {
        f"method {i}": at + 0.1 * np.arange(1, 5) + 0.01 * i for i in range(3)
    }
    for title, at in (("first", 0), ("second", 0.2))
}
DIFFERENCES = {
    "digit": {
        name: {kind: at + RNG.normal(size=7) for kind in ("full", "open")}
        for name, at in (("one", 0), ("two", 3))
    }
}


def test_rivals_have_the_same_colour_in_every_panel():
    figure = plots.rivals([20, 50, 100, 500], CURVES, xlabel="n", ylabel="y")
    for ax, (title, curves) in zip(figure.axes, CURVES.items(), strict=True):
        assert ax.get_title(loc="left") == title
        for line, name in zip(ax.lines, curves, strict=True):
            assert_allclose(line.get_ydata(), curves[name])
            (named,) = [t for t in ax.texts if t.get_text() == name]
            assert named.get_color() == line.get_color()
    ticks = [t.get_text() for t in figure.axes[-1].get_xticklabels()]
    assert ticks == ["20", "50", "100", "500"]
    first, second = ([x.get_color() for x in a.lines] for a in figure.axes)
    assert first == second


def test_differences_have_intervals_that_know_of_overlap():
    figure = plots.against(DIFFERENCES, xlabel="ahead", test_size=0.2)
    (ax,) = figure.axes
    drawn = [c.lines[2][0].get_segments()[0][:, 0] for c in ax.containers]
    values = [
        v for kinds in DIFFERENCES["digit"].values() for v in kinds.values()
    ]
    for (low, high), differences in zip(drawn, values, strict=True):
        # Student's interval, widened by Nadeau and Bengio.
        spread = np.std(differences, ddof=1) * np.sqrt(1 / 7 + 0.25)
        reach = stats.t.ppf(0.975, 6) * spread
        assert_allclose([low, high], np.mean(differences) + [-reach, reach])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["one", "two"]


def test_who_is_far_is_named_at_the_edge():
    far = {"left": [-40.0, -42.0], "right": [81.5, 83.5]}
    apart = {"near": DIFFERENCES["digit"]["one"]} | {
        name: {"full": values} for name, values in far.items()
    }
    how = {"xlabel": "ahead", "test_size": 0.0}
    figure = plots.against({"": apart}, reach=10, **how)
    (ax,) = figure.axes
    (alone,) = plots.against({"": {"near": apart["near"]}}, **how).axes
    assert ax.get_xlim() == alone.get_xlim()
    assert len(ax.containers) == len(alone.containers) == 2
    # Student's interval of two values, one apart from their mean.
    half = stats.t.ppf(0.975, 1)
    rows = [t.get_text() for t in ax.get_yticklabels()]
    for text, name, mean, end in zip(
        ax.texts, far, (-41, 82.5), (0, 1), strict=True
    ):
        plain = text.get_text().replace("−", "-")
        told = [float(t) for t in re.findall(r"-?\d+\.\d+", plain)]
        assert_allclose(told, [mean, mean - half, mean + half], atol=0.006)
        assert text.get_position() == (end, rows.index(name))
        assert "←→"[end] in text.get_text()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.glued([X, Y], [A, B], way=(0, 0, 0)),
        lambda: plots.transported([X, Y], np.ones((8, 6)) / 48),
        lambda: plots.cost_maps(
            [0, 1, 2],
            [0, 1, 2],
            {"a": np.arange(9.0).reshape(3, 3), "b": np.eye(3)},
            bridges=[[1, 1]],
            truth=[0, 0],
        ),
        lambda: plots.moved({"a name": np.array([[0, 0.1], [0.4, 0.99]])}),
        lambda: plots.rivals([1, 2, 3, 4], CURVES, xlabel="n", ylabel="y"),
        lambda: plots.against(DIFFERENCES, xlabel="ahead", test_size=0.2),
        lambda: plots.against(
            DIFFERENCES, xlabel="ahead", test_size=0.2, reach=2
        ),
    ],
)
def test_nothing_is_cut_off_or_too_small_and_nothing_is_left_behind(draw):
    before = dict(mpl.rcParams)
    figure = draw()
    assert dict(mpl.rcParams) == before
    assert figure._repr_png_() == draw()._repr_png_()
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02
    sizes = [t.get_fontsize() for t in figure.findobj(Text) if t.get_text()]
    assert min(sizes) >= 10
