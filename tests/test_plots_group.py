import numpy as np
import pytest
from matplotlib.colors import same_color
from numpy.testing import assert_allclose
from scipy.linalg import sqrtm

from perfalign.book import plots
from perfalign.book.gauges import PlaneMixture, turned
from perfalign.book.plots.style import GREY, SHARED

MEANS = np.array([[-4.0, 0], [4, 0], [0, 6]])
COVARIANCES = np.array([[[1, 0.5], [0.5, 2]], np.eye(2), [[1, 0], [0, 3]]])
WEIGHTS = np.array([0.5, 0.3, 0.2])
MIXTURE = PlaneMixture.whitened(MEANS, COVARIANCES, WEIGHTS)


def test_whitened_is_round_and_lies_to_the_left():
    mean = WEIGHTS @ MIXTURE.means
    spread = MIXTURE.covariances + np.einsum(
        "ci,cj->cij", MIXTURE.means, MIXTURE.means
    )
    assert_allclose(mean, 0, atol=1e-12)
    total = np.einsum("c,cij->ij", WEIGHTS, spread)
    assert_allclose(total, np.eye(2), atol=1e-12)
    assert MIXTURE.means[0, 0] < 0
    assert_allclose(MIXTURE.means[0, 1], 0, atol=1e-12)
    z, labels = MIXTURE.sample(20_000)
    assert_allclose(z.mean(axis=0), 0, atol=0.05)
    assert_allclose(np.cov(z.T), np.eye(2), atol=0.05)
    assert_allclose(np.bincount(labels) / 20_000, WEIGHTS, atol=0.02)


@pytest.mark.parametrize("mirror", [False, True])
def test_misfit_is_the_wasserstein_distance(mirror):
    Q = turned(40, mirror)
    assert_allclose(Q @ Q.T, np.eye(2), atol=1e-12)
    assert np.linalg.det(Q) == pytest.approx(-1 if mirror else 1)
    total = 0
    for mean, S, weight in zip(MIXTURE.means, MIXTURE.covariances, WEIGHTS):
        T, root = Q @ S @ Q.T, sqrtm(S)
        cross = np.trace(sqrtm(root @ T @ root)).real
        apart = np.sum((Q @ mean - mean) ** 2)
        total += weight * (apart + np.trace(S + T) - 2 * cross)
    assert MIXTURE.misfit(Q) == pytest.approx(np.sqrt(total))
    assert MIXTURE.misfit(np.eye(2)) < 1e-6


def test_one_class_fits_in_any_gauge_and_two_in_a_mirror():
    one = PlaneMixture.whitened([[5, 1]], [COVARIANCES[0]], [1])
    two = PlaneMixture.whitened(MEANS[:2], [np.eye(2)] * 2, [0.5, 0.5])
    assert max(one.misfit(turned(d, True)) for d in (0, 70, 200)) < 1e-6
    assert two.misfit(turned(0, True)) < 1e-6
    assert two.misfit(turned(90, True)) > 1
    assert MIXTURE.misfit(turned(0, True)) > 0.5


def test_a_ring_marks_the_gauge_that_is_shown():
    z, y = MIXTURE.sample(30)
    moved = z @ turned(90).T
    degrees = [0, 90, 180, 360]
    curves = [0.0, 1.0, 2.0, 0.0], [2.0, 1.5, 2.0, 2.0]
    figure = plots.group(
        {"three": (z, moved, y)},
        degrees,
        {"three": curves},
        here=90,
        mirrored=True,
    )
    upper, lower = figure.axes
    (grey,) = [x for x in upper.lines if same_color(x.get_color(), GREY)]
    assert_allclose(grey.get_xydata(), z)
    drawn = np.vstack([x.get_xydata() for x in upper.lines if x is not grey])
    assert_allclose(np.sort(drawn, axis=0), np.sort(moved, axis=0))
    (spot,) = [x for x in lower.lines if same_color(x.get_color(), SHARED)]
    assert_allclose(spot.get_xydata(), [[90, 1.5]])
