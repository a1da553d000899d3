"""One concept is shown at its place in every panel."""

import numpy as np
import pytest
from matplotlib.path import Path
from numpy.testing import assert_allclose

from perfalign.book import plots
from perfalign.datasets import make_gaussian_views

MEANS = np.array([[-4.0, 0.0], [3.0, 3.0], [3.0, -4.0]])


@pytest.fixture(scope="module")
def data():
    return make_gaussian_views(
        90, n_features=(2, 2), means=MEANS, random_state=2
    )


def test_star_marks_the_same_concept_in_every_panel(data):
    axes = plots.modes(data, marked=5).axes
    points = [data.latents, *data.views]
    for ax, cloud in zip(axes, points, strict=True):
        (star,) = ax.lines
        assert_allclose(star.get_xydata(), cloud[[5]])


def test_every_class_is_a_hill_at_the_image_of_its_mean(data):
    for ax, P in zip(
        plots.modes(data).axes, [np.eye(2), *data.projections], strict=True
    ):
        lines = ax.collections[-1]
        # The highest contour of all: one closed line around each top.
        tops = lines.get_paths()[-1].to_polygons()
        assert len(tops) == len(MEANS)
        for mean in MEANS:
            assert sum(Path(top).contains_point(P @ mean) for top in tops) == 1


def test_walk_shows_one_point_in_concept_records_and_latents():
    path = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0]])
    views = [path @ [[1, 2, 0], [0, 1, 1]], path @ [[1, 0], [1, 2]]]
    latents = [2 * path, 3 * path]
    figure = plots.walk(path, views, latents, here=2, every=2)
    concept, latent, *records = figure.axes
    assert_allclose(concept.lines[0].get_xydata(), path)
    assert concept.lines[0].get_markevery() == 2
    assert_allclose(concept.lines[1].get_xydata(), path[[2]])
    ring, dot = latent.lines[1:]
    assert_allclose(ring.get_xydata(), latents[0][[2]])
    assert_allclose(dot.get_xydata(), latents[1][[2]])
    for ax, view in zip(records, views, strict=True):
        assert_allclose([bar.get_height() for bar in ax.patches], view[2])
