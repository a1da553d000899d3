import numpy as np
import pytest
from matplotlib.colors import same_color
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.book.plots.style import BLACK, SHARED

ROWS, COLUMNS = ("a", "b", "c"), ("0", "1")
VALUES = {
    "first": [[0.2, 0.3], [0.4, 0.45], [0.5, 0.7]],
    "second": [[4, 5], [6, 7], [9, 12]],
    "third": [[1.0, 0.9], [0.8, 0.7], [0.6, 0.5]],
}
LEVELS = {"first": 0.1, "second": 0.05, "third": 0.0}


@pytest.fixture
def figure():
    return plots.maps(
        VALUES, LEVELS, rows=ROWS, columns=COLUMNS, ylabel="deep", xlabel="far"
    )


def test_the_figure_draws_itself(figure):
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert len(figure.axes) == 3


def test_white_is_chance_and_the_largest_is_purple(figure):
    for ax, (title, cells) in zip(figure.axes, VALUES.items(), strict=True):
        (image,) = ax.images
        assert_allclose(image.get_array(), cells)
        assert same_color(image.to_rgba(LEVELS[title]), "white")
        assert same_color(image.to_rgba(np.max(cells)), SHARED)
        assert title in ax.get_title()


def test_the_first_row_is_the_lowest(figure):
    ax = figure.axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(ROWS)
    low, high = ax.get_ylim()
    assert low < 0 < 2 < high


def test_largest_and_smallest_are_written_in_their_cells(figure):
    def cell(text):
        return [round(float(value)) for value in text.get_position()]

    written = [
        {text.get_text(): cell(text) for text in ax.texts}
        for ax in figure.axes
    ]
    assert written[0] == {"0.70": [1, 2], "0.20": [0, 0]}
    assert written[1] == {"12.0": [1, 2], "4.0": [0, 0]}
    assert written[2] == {"1.0": [0, 0], "0.50": [1, 2]}


def test_what_is_written_stays_inside_and_stands_out():
    values = np.arange(21.0).reshape(3, 7)
    for cells in (values, values[:, ::-1], values.T):
        rows, columns = map(range, cells.shape)
        figure = plots.maps(
            {"": cells},
            {"": 0.0},
            rows=[*map(str, rows)],
            columns=[*map(str, columns)],
            ylabel="",
            xlabel="",
        )
        figure._repr_png_()  # sets the layout
        (ax,) = figure.axes
        frame = ax.get_window_extent()
        large, small = ax.texts
        for text in (large, small):
            box = text.get_window_extent()
            assert frame.x0 < box.x0 and box.x1 < frame.x1
        assert same_color(large.get_color(), "white")
        assert same_color(small.get_color(), BLACK)


def test_levels_and_sides_are_named(figure):
    first, second, third = figure.axes
    assert first.get_title().endswith("shuffled 0.10")
    assert [ax.get_ylabel() for ax in figure.axes] == ["deep", "", "deep"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "far", "far"]
