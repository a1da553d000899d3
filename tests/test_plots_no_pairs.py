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


def test_every_world_is_a_dot_and_is_filled_if_it_was_found():
    groups = {
        "by noise": {
            "three": {"0": [1e-9, 0.1, 0.9], "1": [0.5, 0.2, 0.2]},
            "ten": {"0": [0.01, 0.01, 0.01], "1": [1.2, 1.3, 1.4]},
        },
        "by size": {
            "four": {"100": [1.0]},
            "three": {"100": [1.0, 1.0], "200": [0.1, 1.0]},
        },
    }
    figure = plots.worlds(groups, level=0.3, ylabel="error")
    for ax, series in zip(figure.axes, groups.values(), strict=True):
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        drawn = np.vstack([line.get_xydata() for line in dots])
        for place, name in enumerate(series["three"]):
            here = np.abs(drawn[:, 0] - place) < 0.5
            given = [one.get(name, []) for one in series.values()]
            assert_allclose(
                np.sort(drawn[here, 1]),
                np.sort(np.maximum(np.concatenate(given), 1e-3)),
            )
        for line in dots:
            filled = line.get_markerfacecolor() != "white"
            assert np.all((line.get_ydata() < 0.3) == filled)
        assert [text.get_text() for text in ax.texts] == list(series)
        (three,) = (t for t in ax.texts if t.get_text() == "three")
        assert three.get_color() == BLACK
