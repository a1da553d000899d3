import numpy as np
from matplotlib.colors import same_color
from matplotlib.patches import Rectangle
from numpy.testing import assert_allclose, assert_array_equal

from perfalign.book import plots
from perfalign.book.plots.style import VIEW


def inside(figure):
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.05
    assert box.x1 < width + 0.05
    assert box.y1 < height + 0.05


def rectangles(ax, color):
    return [
        patch
        for patch in ax.patches
        if isinstance(patch, Rectangle)
        and same_color(patch.get_facecolor(), color)
    ]


def test_squares_are_weights_on_their_pixels():
    rng = np.random.default_rng(0)
    spread, weights, explained = rng.uniform(size=(3, 2, 5, 3))
    weights[0, 1] = 0
    figure = plots.looks(
        spread, weights, explained, titles=["looks", "explained"]
    )
    inside(figure)
    left, right = figure.axes
    assert_allclose(left.images[0].get_array(), np.hstack(spread))
    assert_allclose(right.images[0].get_array(), np.hstack(explained))
    assert right.images[0].get_clim() == (0, 1)
    found = np.zeros((5, 6))
    for m, color in enumerate(VIEW[:2]):
        for square in rectangles(left, color):
            x, y = square.get_center()
            assert round(x) // 3 == m
            found[round(y), round(x)] = square.get_width() ** 2
    wanted = 0.86**2 * np.hstack(weights) / weights.max()
    assert_allclose(found, wanted, atol=1e-12)


def test_halves_are_put_together_and_framed():
    rng = np.random.default_rng(0)
    left, truth, made = rng.uniform(size=(3, 4, 8, 4))
    rows = {"whole": (left, truth), "made": (left, 2 * made)}
    figure = plots.completed(rows)
    inside(figure)
    for i, right in enumerate((truth, 2 * made)):
        for ax, one, other in zip(figure.axes[4 * i :], left, right):
            (image,) = ax.images
            assert_array_equal(image.get_array(), np.hstack([one, other]))
            assert image.get_clim() == (0, max(left.max(), truth.max()))
            edges = [patch.get_edgecolor() for patch in ax.patches]
            assert all(map(same_color, edges, VIEW[:2]))


def test_a_graph_says_which_views_were_paired():
    names = ["pictures", "English", "French"]
    figure = plots.pairings(names, {(0, 1): "some", (1, 2): "others"})
    inside(figure)
    (ax,) = figure.axes
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert len(ax.lines) == 3
    assert len(dashed) == 1
    words = [text.get_text() for text in ax.texts]
    assert all(words.count(name) == 2 for name in names)
    signs = [word for word in words if word in {"Q", "−Q", "0"}]
    assert signs == ["Q", "−Q", "0", "0", "Q", "−Q"]
