"""Two views are solved from the angles between them, to the last digit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from perfalign._solver import contrast_stack, whitened_system


def bases(angles, r1, r2, seed=0):
    """Orthonormal columns that meet at given angles, in general position."""
    rng = np.random.default_rng(seed)
    p, k = 2 * (r1 + r2), len(angles)
    frame, turn1, turn2 = (
        np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (p, r1, r2)
    )
    U = frame[:, :r1]
    V = frame[:, r1 : r1 + r2].copy()
    V[:, :k] = np.cos(angles) * U[:, :k] + np.sin(angles) * V[:, :k]
    return U @ turn1, V @ turn2


ANGLES = [
    [0.3, 1.0, 1.5],
    [0.0, 0.0, 0.7],
    [1e-12, 1e-9, 1e-6, 1e-3],
    [np.pi / 2] * 3,
    [0.0, 1e-8, np.pi / 3, np.pi / 3, np.pi / 2],
    [],
]


@pytest.mark.parametrize("angles", ANGLES)
@pytest.mark.parametrize("ranks", [(5, 5), (8, 5), (5, 9)])
def test_small_singular_values_are_those_of_half_angles(angles, ranks):
    angles = np.array(angles)
    given = bases(angles, *ranks), np.array([[1.0, -1.0]])
    stack = contrast_stack(*given)
    sigma, vectors = whitened_system(*given)
    # 1 − cos θ = 2 sin²(θ/2), of which no digit is lost.
    halves = np.concatenate([angles / 2, np.pi / 2 - angles / 2])
    alone = np.ones(sum(ranks) - len(halves))
    wanted = np.concatenate([np.sqrt(2) * np.sin(halves), alone])
    assert_allclose(sigma, np.sort(wanted)[::-1], rtol=0, atol=4e-15)
    assert_allclose(vectors.T @ vectors, np.eye(sum(ranks)), atol=1e-14)
    gram = vectors.T @ stack
    assert_allclose(np.linalg.norm(gram, axis=1), sigma, atol=1e-14)
    assert_allclose(gram @ gram.T, np.diag(sigma**2), atol=1e-14)


def test_what_lies_close_together_is_told_apart():
    """Cosines of these angles agree to sixteen digits."""
    angles = np.array([1e-9, 1e-8, 2e-8])
    U, V = bases(angles, 4, 4)
    given = [U, V], np.array([[1.0, -1.0]])
    stack = contrast_stack(*given)
    sigma, vectors = whitened_system(*given)
    direct = np.linalg.svd(stack)[0]
    overlap = np.abs(np.sum(vectors * direct, axis=0))[-3:]
    assert_allclose(overlap, 1, atol=1e-12)
    assert_allclose(
        sigma[-3:], np.sqrt(2) * np.sin(angles[::-1] / 2), atol=4e-15
    )


@pytest.mark.parametrize("contrast", [[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
def test_any_sign_of_the_contrast_will_do(contrast):
    U, V = bases(np.array([0.1, 1.2]), 3, 4)
    given = [U, V], np.array([contrast])
    stack = contrast_stack(*given)
    sigma, vectors = whitened_system(*given)
    assert_allclose(sigma, np.linalg.svd(stack)[1][:7], atol=1e-14)
    power = vectors.T @ stack @ stack.T @ vectors
    assert_allclose(power, np.diag(sigma**2), atol=1e-14)
