from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import same_color, to_rgb
from matplotlib.patches import Ellipse, Rectangle
from matplotlib.text import Text

from perfalign.alignment import LeftNullSpace
from perfalign.book import plots
from perfalign.book.plots import style

RNG = np.random.default_rng(0)
MEANS = np.array([[-3.0, 0], [3, 2]])
LABELS = RNG.integers(0, 2, 400)
LATENTS = MEANS[LABELS] + RNG.normal(size=(400, 2))
NOISY = LATENTS + 0.2 * RNG.normal(size=(400, 2))
VIEWS = [LATENTS @ RNG.uniform(-5, 5, (2, 3)) for _ in range(2)]
ROTATION, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
NULL_SPACE = LeftNullSpace(
    informative=np.array([[0.6, -0.5, 0.1, 0.2, -0.3]]),
    collapsed=(np.zeros((0, 2)), ROTATION[:2]),
)


class Mixture:
    classes = np.array([0, 1])
    means = MEANS
    covariances = np.array([[[1, 0.6], [0.6, 1]], [[1, 0], [0, 2.0]]])

    def predict(self, X):
        return (X[:, 0] + X[:, 1] > 0.5).astype(int)


FIGURES = {
    "latent_space": lambda: plots.latent_space(
        [LATENTS, NOISY], LABELS, reference=LATENTS
    ),
    "latent_space, one panel": lambda: plots.latent_space([LATENTS] * 3),
    "view_clouds": lambda: plots.view_clouds(
        SimpleNamespace(latents=LATENTS, views=VIEWS, labels=LABELS)
    ),
    "gaussians": lambda: plots.gaussians(
        Mixture(), [LATENTS, NOISY], [LABELS, LABELS]
    ),
    "gaussians, one panel": lambda: plots.gaussians(Mixture(), [LATENTS]),
    "spectrum": lambda: plots.spectrum(
        [900, 300, 1e-13, 0], 2, tolerance=1e-9, null=[800, 400, 20, 10]
    ),
    "spectrum, many": lambda: plots.spectrum(np.linspace(2, 0.1, 64), 8),
    "null_space": lambda: plots.null_space(NULL_SPACE),
    "dimensions": lambda: plots.dimensions(
        range(2, 9),
        {"null space": [6, 5, 4, 3, 2, 2, 2], "shared signals": [2] * 7},
        marks={"as many samples as features": 8},
    ),
    "counts": lambda: plots.counts(
        range(2, 9),
        {"shared": [1, 2, 2, 2, 2, 2, 2], "silent": [5, 3, 2, 1, 0, 0, 0]},
    ),
    "meters": lambda: plots.meters(
        [0.1, 1, 10],
        {
            "error": RNG.uniform(0, 2, (3, 3)),
            "rank": RNG.uniform(1, 2, (3, 3)),
        },
        xlabel="noise",
        mark=(0.5, "hum"),
        references={"rank": (2, "all")},
    ),
    "row_spaces": lambda: plots.row_spaces(
        {"two planes": (np.eye(3)[:2], np.eye(3)[1:])}
    ),
    "sweep": lambda: plots.sweep(
        [1, 10, 100],
        {"first": RNG.uniform(0.5, 1, (5, 3)), "second": [0.5, 0.6, 0.99]},
        xlabel="labelled samples",
        ylabel="accuracy",
        references={"the Bayes rule": 0.995, "chance": 0.5},
        xscale="log",
    ),
    "draws": lambda: plots.draws(
        np.linspace(4, 9, 1000), {"best": 1e-14, "guess": 6}, xlabel="error"
    ),
    "bars": lambda: plots.bars(
        {
            "digits": {"orthonormal": 0.2, "whitened": [0.7, 0.8]},
            "emoji": {"orthonormal": 0.21, "whitened": 0.71},
        },
        references={"digits": {"chance": 0.1, "supervised ceiling": 0.9}},
    ),
    "images": lambda: plots.images(
        {"seen": np.eye(8)[None].repeat(3, 0), "made\nup": np.ones((3, 8, 8))},
        captions=[["one", "two", "three"], ["four", "five", "six"]],
    ),
    "pipeline": plots.pipeline,
    "generation": plots.generation,
}


def drawn(figure):
    figure.draw_without_rendering()
    return figure


def label(figure, text):
    found = figure.findobj(
        lambda a: isinstance(a, Text) and a.get_text() == text
    )
    assert len(found) == 1
    return found[0]


def rows_of_lines(ax, **properties):
    """Points of all lines of an axes that have the given properties."""
    lines = [
        line.get_xydata()
        for line in ax.lines
        if all(mpl.artist.getp(line, k) == v for k, v in properties.items())
    ]
    return np.vstack(lines)


def in_rows(points):
    return points[np.lexsort(np.transpose(points))]


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_off_or_too_small_to_read(name):
    figure = drawn(FIGURES[name]())
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 > -0.02
    assert box.y0 > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02
    # Where a figure is as wide as the text, 358 of the 390 pixels of a phone.
    pixels = 358 / width / 72
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text():
            assert text.get_fontsize() * pixels >= 9, text.get_text()


@pytest.mark.parametrize("name", FIGURES)
def test_drawing_is_repeatable_and_leaves_no_trace(name):
    state = RNG.bit_generator.state
    mpl.get_backend()  # chosen when first asked for
    with mpl.rc_context({"font.size": 7, "axes.spines.top": True}):
        before = mpl.rcParams.copy()
        once = FIGURES[name]()._repr_png_()
        RNG.bit_generator.state = state
        again = FIGURES[name]()._repr_png_()
        assert mpl.rcParams == before
    assert once == again
    assert b"Software" not in once
    assert not plt.get_fignums()


def test_figure_names_itself_without_an_address():
    width, height = style.WIDTH * style.DPI, 3.3 * style.DPI
    expected = f"<Figure size {width:g}x{height:g} with 1 Axes>"
    assert repr(plots.spectrum([2, 1])) == expected


def test_modalities_stand_out_from_paper_and_from_each_other():
    def luminance(color):
        rgb = np.array(to_rgb(color))
        low = rgb / 12.92
        linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, low)
        return linear @ [0.2126, 0.7152, 0.0722]

    for color in (*style.VIEW, style.SHARED, style.MUTED, style.BLACK):
        assert 1.05 / (luminance(color) + 0.05) >= 3
    light = [luminance(c) for c in style.shades(style.VIEW[0], 3)]
    assert light[0] < 0.5 * light[1] < 0.5 * light[2]


@pytest.mark.parametrize(("n", "shown"), [(5, 9), (9, 9), (1000, 9)])
def test_thinned_rows_are_even_and_reach_both_ends(n, shown):
    rows = style.thin(n, shown)
    assert len(rows) == min(n, shown)
    assert rows[0] == 0
    assert rows[-1] == n - 1
    assert np.ptp(np.diff(rows)) <= 1


def test_labels_are_spread_by_no_more_than_needed():
    placed = style.spread([10.0, 0.0, 0.5, 30.0], 2)
    np.testing.assert_allclose(placed, [10, -0.75, 1.25, 30])
    placed = style.spread([3.0, 1, 2, 2], 5)
    assert np.diff(np.sort(placed)).min() >= 5 - 1e-12
    assert np.argsort(placed).tolist() == [1, 2, 3, 0]
    assert placed.mean() == pytest.approx(2)


def test_latents_are_rings_and_dots_where_the_data_are():
    ax = plots.latent_space([LATENTS, NOISY], LABELS, shown=400).axes[0]
    rings = rows_of_lines(ax, markerfacecolor="none")
    dots = rows_of_lines(ax, markeredgewidth=0)
    np.testing.assert_array_equal(in_rows(rings), in_rows(LATENTS))
    np.testing.assert_array_equal(in_rows(dots), in_rows(NOISY))
    assert len({line.get_color() for line in ax.lines}) == 4
    for c in (0, 1):
        middle = LATENTS[LABELS == c].mean(axis=0)
        np.testing.assert_allclose(label(ax.figure, f"class {c}").xy, middle)


def test_truth_has_a_panel_of_its_own():
    left, right = plots.latent_space(
        [NOISY], reference=LATENTS, shown=400
    ).axes
    np.testing.assert_array_equal(rows_of_lines(left), LATENTS)
    np.testing.assert_array_equal(rows_of_lines(right), NOISY)


def test_a_fourth_view_has_no_mark():
    with pytest.raises(ValueError, match="at most 3 views, not 4"):
        plots.latent_space([LATENTS] * 4)


def test_gaussians_are_outlined_at_one_and_two_deviations():
    for ax in plots.gaussians(Mixture(), [LATENTS, NOISY], [LABELS] * 2).axes:
        ellipses = [p for p in ax.patches if isinstance(p, Ellipse)]
        assert len(ellipses) == 4
        for ellipse in ellipses:
            c = np.flatnonzero((MEANS == ellipse.center).all(axis=1))[0]
            deviations = ellipses.index(ellipse) % 2 + 1
            outline = ellipse.get_verts() - ax.transData.transform(MEANS[c])
            scale = ax.transData.transform([(1, 1), (0, 0)])
            outline /= scale[0] - scale[1]
            inverse = np.linalg.inv(Mixture.covariances[c])
            distance = np.einsum("ni,ij,nj->n", outline, inverse, outline)
            np.testing.assert_allclose(distance, deviations**2, rtol=5e-3)


def test_regions_are_what_the_mixture_predicts():
    ax = plots.gaussians(Mixture(), [LATENTS], [LABELS]).axes[0]
    (image,) = ax.images
    codes = image.get_array()
    extent = image.get_extent()
    x = np.linspace(*extent[:2], codes.shape[1])
    y = np.linspace(*extent[2:], codes.shape[0])
    assert image.origin == "lower"
    np.testing.assert_array_equal(codes, x + y[:, None] > 0.5)
    (crosses,) = [line for line in ax.lines if line.get_marker() == "x"]
    shown = style.thin(len(LATENTS), 240)
    z, y = LATENTS[shown], LABELS[shown]
    wrong = z[Mixture().predict(z) != y]
    np.testing.assert_array_equal(crosses.get_xydata(), wrong)
    bare = plots.gaussians(Mixture(), [LATENTS], boundary=False)
    assert not bare.axes[0].images


def test_spectrum_colours_the_smallest_and_hides_no_value():
    ax = plots.spectrum([5, 0, 3, 1e-13], 3, tolerance=1e-9).axes[0]
    chosen = rows_of_lines(ax, color=style.SHARED)
    other = rows_of_lines(ax, color=style.BLACK)
    np.testing.assert_allclose(chosen, [[2, 3], [3, 1e-10], [4, 1e-10]])
    np.testing.assert_allclose(other, [[1, 5]])
    below = rows_of_lines(ax, marker="v")
    np.testing.assert_allclose(below[:, 0], [3, 4])
    assert label(ax.figure, "zero to rounding").xy[1] == pytest.approx(1e-10)


def test_spectrum_without_tolerance_shows_rounding_as_it_is():
    ax = plots.spectrum([5, 1e-13, 0], 1).axes[0]
    dots = rows_of_lines(ax, marker="o")
    np.testing.assert_allclose(dots, [[1, 5], [2, 1e-13]])
    assert label(ax.figure, "zero")


def test_squares_are_the_weights():
    ax = plots.null_space(NULL_SPACE).axes[0]
    basis = NULL_SPACE.basis
    squares = [p for p in ax.patches if isinstance(p, Rectangle)]
    found = np.zeros_like(basis)
    left = min(line.get_xdata()[0] for line in ax.lines)
    top = max(line.get_ydata()[1] for line in ax.lines)
    for square in squares:
        x, y = square.get_center()
        i, j = int(top - y), int(x - left)
        hollow = same_color(square.get_facecolor(), "white")
        found[i, j] = (-1 if hollow else 1) * square.get_width() ** 2
        color = style.GREY if i else style.VIEW[int(j > 1)]
        assert same_color(square.get_edgecolor(), color)
    scale = 0.9**2 / np.abs(basis).max()
    np.testing.assert_allclose(found, basis * scale, atol=1e-12)


def test_an_empty_null_space_cannot_be_drawn():
    empty = LeftNullSpace(np.zeros((0, 4)), (np.zeros((0, 2)),) * 2)
    with pytest.raises(ValueError, match="left null space"):
        plots.null_space(empty)


def test_sweep_draws_mean_and_standard_error():
    repeats = RNG.normal(size=(7, 4))
    figure = plots.sweep(
        [1, 2, 3, 4], {"a": repeats, "b": [repeats[0]]}, xlabel="", ylabel=""
    )
    (ax,) = figure.axes
    mean = sum(repeats) / 7
    error = (sum((r - mean) ** 2 for r in repeats) / 6 / 7) ** 0.5
    np.testing.assert_allclose(ax.lines[0].get_ydata(), mean)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), repeats[0])
    band = ax.collections[0].get_paths()[0].vertices
    for x, low, high in zip(range(1, 5), mean - error, mean + error):
        heights = band[band[:, 0] == x, 1]
        np.testing.assert_allclose(heights.min(), low)
        np.testing.assert_allclose(heights.max(), high)


def test_names_at_line_ends_do_not_overlap():
    figure = drawn(
        plots.sweep(
            [0, 1],
            {f"curve {i}": [i, 1 + 0.001 * i] for i in range(7)},
            xlabel="time",
            ylabel="height",
            references={"limit": 1},
        )
    )
    boxes = [t.get_window_extent() for t in figure.axes[0].texts]
    assert len(boxes) == 8
    boxes = sorted(boxes, key=lambda box: box.y0)
    assert all(a.y1 <= b.y0 for a, b in zip(boxes, boxes[1:]))


def test_histogram_counts_every_draw_and_holds_nine_in_ten():
    errors = RNG.gamma(20, 0.3, 500)
    ax = plots.draws(errors, {"best": 0.5}, xlabel="error").axes[0]
    assert sum(bar.get_height() for bar in ax.patches) == 500
    low, high = next(line.get_xdata() for line in ax.lines)
    assert np.mean((errors > low) & (errors < high)) == 0.9
    assert label(ax.figure, "best").xy[0] == 0.5


def test_meters_have_axes_of_their_own():
    runs = {
        "small": RNG.uniform(0, 0.1, (5, 3)),
        "large": RNG.uniform(size=(5, 3)) * 9,
    }
    figure = plots.meters(
        [1, 2, 4],
        runs,
        xlabel="noise",
        mark=(2, "hum"),
        references={"large": (12, "all")},
    )
    for ax, (name, values) in zip(figure.axes, runs.items()):
        assert ax.get_title() == name
        curve = ax.lines[0]
        np.testing.assert_allclose(curve.get_ydata(), values.mean(axis=0))
        assert ax.get_ylim()[0] == 0
    assert figure.axes[1].get_ylim()[1] > 12


def test_bars_are_means_with_their_values_and_references():
    figure = plots.bars(
        {"flat": {"a": [0.2, 0.4], "b": 0.5}, "next": {"a": 0.1}},
        references={"next": {"chance": 0.25}},
    )
    first, second = figure.axes
    widths = [bar.get_width() for bar in first.patches]
    np.testing.assert_allclose(widths, [0.3, 0.5])
    np.testing.assert_allclose(rows_of_lines(first)[:, 0], [0.2, 0.4])
    assert [t.get_text() for t in first.texts] == ["0.30", "0.50"]
    assert [t.get_text() for t in second.texts] == ["0.10", "chance"]
    np.testing.assert_allclose(rows_of_lines(second)[:, 0], 0.25)


def test_images_show_their_pixels_on_the_first_rows_range():
    first, second = RNG.uniform(size=(2, 4, 5, 3)) * [[[[1]]], [[[9]]]]
    figure = plots.images({"first": first, "second": second})
    shown = [ax.images[0] for ax in figure.axes]
    for image, pixels in zip(shown, [*first, *second], strict=True):
        np.testing.assert_array_equal(image.get_array(), pixels)
        assert image.get_clim() == (first.min(), first.max())


def test_a_short_logarithmic_axis_is_ticked_at_the_points():
    for x, ticks in (
        ([20, 50, 100, 300], [20, 50, 100, 300]),
        (
            [20, 2000],
            [10, 100, 1000, 10000],
        ),
    ):
        figure = plots.sweep(x, {"a": x}, xlabel="x", ylabel="y", xscale="log")
        axis = figure.axes[0].xaxis
        assert set(axis.get_majorticklocs()) >= set(ticks)
        figure.draw_without_rendering()
        names = [t.get_text() for t in axis.get_ticklabels(which="both")]
        assert not any("times" in name for name in names)
