"""The rules of the principal gauge, on arrays."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from perfalign._solver import joint_signs, principal_rotation, tied_groups


def test_ties_chain_and_keep_their_order():
    values = [5.0, 3.0 + 2e-9, 3.0 + 1e-9, 3.0, 1.0]
    groups = [g.tolist() for g in tied_groups(values[::-1], 0)]
    assert groups == [[0], [1, 2, 3], [4]]
    assert [g.tolist() for g in tied_groups([2.0], 0)] == [[0]]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_ties_have_no_unit_and_misfits_are_no_rounding(scale):
    misfits = scale * np.array([1e-15, 4e-14, 1e-9, 2e-9, 0.5])
    groups = [g.tolist() for g in tied_groups(misfits, 2)]
    assert groups == [[0, 1], [2], [3], [4]]
    assert [len(g) for g in tied_groups(misfits, 7)] == [5]


def test_rotation_diagonalises_inside_ties_only():
    rng = np.random.default_rng(0)
    B = rng.normal(size=(6, 6))
    moment = B @ B.T
    groups = [np.array([0, 1, 2]), np.array([3]), np.array([4, 5])]
    G = principal_rotation(moment, groups)
    assert_allclose(G.T @ G, np.eye(6), atol=1e-14)
    rotated = G.T @ moment @ G
    for group in groups:
        block = rotated[np.ix_(group, group)]
        assert_allclose(block, np.diag(np.diag(block)), atol=1e-12)
        assert np.all(np.diff(np.diag(block)) <= 0)
        outside = np.setdiff1d(np.arange(6), group)
        assert not np.any(G[np.ix_(outside, group)])


def test_rotation_forgets_the_basis_it_was_given():
    rng = np.random.default_rng(1)
    moment = np.diag([4.0, 2.0, 1.0])
    vectors = np.eye(3)
    Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    G = principal_rotation(Q.T @ moment @ Q, [np.arange(3)])
    assert_allclose(np.abs(vectors @ Q @ G), np.eye(3), atol=1e-14)


def test_signs_are_fixed_by_the_first_of_nearly_equal_entries():
    encoder = np.array(
        [
            [1.0, -3.0, 2.0],
            [-2.0, 2.0 + 1e-9, 0.0],
            [2.0 - 1e-9, -2.0, 0.0],
            [-2.0, 2.1, 0.0],
            [0.0, 0.0, 0.0],
        ]
    )
    assert_array_equal(joint_signs(encoder), [-1.0, -1.0, 1.0, 1.0, 1.0])
