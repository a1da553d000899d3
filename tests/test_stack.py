"""A singular value decomposition that does not give up."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import linalg

from perfalign import PerfectAlignment, relative_alignment_error, stack
from perfalign.datasets import make_gaussian_views
from perfalign.stack import safe_svd


@pytest.fixture
def drivers(monkeypatch):
    """Drivers called, of which divide and conquer never converges."""
    called = []

    def svd(matrix, *, lapack_driver="gesdd", **kwargs):
        called.append(lapack_driver)
        if lapack_driver == "gesdd":
            raise linalg.LinAlgError("SVD did not converge")
        return linalg.svd(matrix, lapack_driver=lapack_driver, **kwargs)

    monkeypatch.setattr(stack, "svd", svd)
    return called


def matrix_of(shape):
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.parametrize("shape", [(30, 7), (7, 30), (12, 12)])
@pytest.mark.parametrize("full", [True, False])
def test_the_qr_iteration_steps_in(drivers, shape, full):
    matrix = matrix_of(shape)
    U, s, Vt = safe_svd(matrix, full_matrices=full)
    assert drivers == ["gesdd", "gesvd"]
    k = len(s)
    assert_allclose(U[:, :k] * s @ Vt[:k], matrix, rtol=0, atol=1e-13)
    assert_allclose(U.T @ U, np.eye(U.shape[1]), atol=1e-13)
    assert_allclose(Vt @ Vt.T, np.eye(len(Vt)), atol=1e-13)
    assert U.shape[1] == (shape[0] if full else k)
    assert np.all(np.diff(s) <= 0)


def test_values_alone_if_no_vectors_are_wanted(drivers):
    matrix = matrix_of((9, 5))
    s = safe_svd(matrix, compute_uv=False)
    assert drivers == ["gesdd", "gesvd"]
    assert_allclose(s**2, np.linalg.eigvalsh(matrix.T @ matrix)[::-1])


def test_the_fast_driver_is_asked_first():
    matrix = matrix_of((9, 5))
    for found, wanted in zip(safe_svd(matrix), linalg.svd(matrix)):
        assert_array_equal(found, wanted)


def test_other_errors_are_not_tried_again(monkeypatch):
    def svd(matrix, **kwargs):
        assert not kwargs
        raise ValueError("no driver can help")

    monkeypatch.setattr(stack, "svd", svd)
    with pytest.raises(ValueError, match="no driver"):
        safe_svd(np.eye(2))


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_alignments_do_not_depend_on_the_driver(request, ridge):
    views = make_gaussian_views(200, (5, 4), random_state=0).views
    usual = PerfectAlignment(2, ridge=ridge).fit(views)
    drivers = request.getfixturevalue("drivers")
    slow = PerfectAlignment(2, ridge=ridge).fit(views)
    assert "gesvd" in drivers
    latents = slow.transform(views)
    if ridge == 0:
        assert relative_alignment_error(latents) < 1e-12
    # The solution is unique up to a rotation, which a Gram matrix forgets.
    for z, wanted in zip(latents, usual.transform(views)):
        assert_allclose(z @ z.T, wanted @ wanted.T, atol=1e-10)
