import numpy as np
from numpy.testing import assert_allclose

from perfalign.book import plots

LABELS = np.array([1, 0, 1, 0]), np.array([0, 1, 0])
PLAN = np.array(
    [[0.0, 0.3, 0.0], [0.2, 0.0, 0.1], [0.0, 0.2, 0.001], [0.1, 0.0, 0.1]]
)


def test_a_matrix_is_drawn_class_by_class():
    figure = plots.coupling_matrices(
        {"one": PLAN, "two": 2 * PLAN}, labels=LABELS
    )
    assert figure._repr_png_().startswith(b"\x89PNG")
    for ax, plan in zip(figure.axes, (PLAN, 2 * PLAN)):
        (image,) = ax.images
        least = plan.max() / 50
        wanted = plan[np.ix_([1, 3, 0, 2], [0, 2, 1])]
        assert_allclose(image.get_array(), np.maximum(wanted, least))
        # White is the least that is told apart, black the most.
        shades = image.cmap(image.norm([least, plan.max()]))[:, 0]
        assert_allclose(shades, [1, 0])
        across, down = ax.lines
        assert_allclose(across.get_ydata(), 1.5)
        assert_allclose(down.get_xdata(), 1.5)


def test_points_go_straight_from_start_to_partner():
    rng = np.random.default_rng(0)
    starts, here, there = rng.normal(size=(3, 8, 2))
    labels = np.arange(8) % 2
    figure = plots.displaced(
        starts,
        {"a": here, "b": there},
        labels,
        times=[0, 0.25, 1],
        names=["s", "q", "e"],
    )
    assert figure._repr_png_().startswith(b"\x89PNG")
    panels = iter(figure.axes)
    for goal in (here, there):
        for t in (0, 0.25, 1):
            ax = next(panels)
            markers = {line.get_marker() for line in ax.lines}
            assert len(markers) == 2
            for c, line in enumerate(ax.lines):
                way = (1 - t) * starts + t * goal
                assert_allclose(line.get_xydata(), way[labels == c])
    assert [ax.get_title() for ax in figure.axes[:3]] == ["s", "q", "e"]
