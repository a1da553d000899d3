"""Decompositions that do not give up, norms that do not overflow."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import linalg

from perfalign import PerfectAlignment, _linalg, relative_alignment_error
from perfalign._linalg import column_norms, svd, two_sum
from perfalign.datasets import make_gaussian_views


@pytest.fixture(params=["small", "middle", "large"], autouse=True)
def size(request, monkeypatch):
    """Matrices are decomposed by SciPy, by NumPy, by SciPy with threads."""
    if request.param != "small":
        monkeypatch.setattr(_linalg, "MIDDLE", 0)
    if request.param == "large":
        monkeypatch.setattr(_linalg, "LARGE", 0)
    return request.param


@pytest.fixture
def drivers(monkeypatch):
    """Drivers called, of which divide and conquer never converges."""
    called = []
    fast, usual = linalg.lapack.dgesdd, linalg.svd

    def given_up(*args):
        called.append("gesdd")
        raise linalg.LinAlgError

    def stubborn(*args):
        called.append("gesdd")
        *found, _ = fast(*args)
        return *found, 1

    def patient(*args, lapack_driver):
        called.append(lapack_driver)
        return usual(*args, lapack_driver=lapack_driver)

    monkeypatch.setattr(_linalg.lapack, "dgesdd", stubborn)
    monkeypatch.setattr(np.linalg, "svd", given_up)
    monkeypatch.setattr(_linalg.linalg, "svd", patient)
    return called


def matrix_of(shape):
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.parametrize("shape", [(30, 7), (7, 30), (12, 12)])
@pytest.mark.parametrize("full", [True, False])
def test_the_qr_iteration_steps_in(drivers, shape, full):
    matrix = matrix_of(shape)
    U, s, Vt = svd(matrix, full_matrices=full)
    assert drivers == ["gesdd", "gesvd"]
    k = len(s)
    assert_allclose(U[:, :k] * s @ Vt[:k], matrix, rtol=0, atol=1e-13)
    assert_allclose(U.T @ U, np.eye(U.shape[1]), atol=1e-13)
    assert_allclose(Vt @ Vt.T, np.eye(len(Vt)), atol=1e-13)
    assert U.shape[1] == (shape[0] if full else k)
    assert np.all(np.diff(s) <= 0)


def test_values_alone_if_no_vectors_are_wanted(drivers):
    matrix = matrix_of((9, 5))
    s = svd(matrix, compute_uv=False)
    assert drivers == ["gesdd", "gesvd"]
    assert_allclose(s**2, np.linalg.eigvalsh(matrix.T @ matrix)[::-1])


@pytest.mark.parametrize("shape", [(9, 5), (5, 9), (0, 3), (3, 0)])
def test_the_fast_driver_is_asked_first(shape):
    matrix = matrix_of(shape)
    usual = linalg.svd(matrix.T if shape[0] < shape[1] else matrix)
    if shape[0] < shape[1]:
        usual = usual[2].T, usual[1], usual[0].T
    for found, wanted in zip(svd(matrix), usual):
        assert_array_equal(found, wanted)


def test_no_driver_helps_where_there_are_no_numbers():
    with pytest.raises(ValueError, match="NaN"):
        svd(np.full((3, 2), np.nan))


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


def test_norms_of_columns_stay_in_range():
    matrix = matrix_of((20, 5))
    units = np.array([1e-300, 1e-160, 1.0, 1e160, 1e300])
    wanted = np.linalg.norm(matrix, axis=0)
    assert_allclose(column_norms(matrix * units) / units, wanted, rtol=1e-14)
    assert_array_equal(column_norms(np.zeros((3, 2))), 0)
    assert_array_equal(column_norms(np.empty((0, 2))), 0)


def test_two_numbers_hold_a_sum():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 100)) * 10.0 ** rng.integers(-20, 20, (2, 100))
    total, rest = two_sum(a, b)
    for x, y, s, r in zip(a, b, total, rest):
        assert Fraction(x) + Fraction(y) == Fraction(s) + Fraction(r)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_of_each_matrix_in_order(n_threads, monkeypatch):
    monkeypatch.setattr(_linalg, "n_threads", lambda: n_threads)
    matrices = [matrix_of((9, 5 + i)) for i in range(4)]
    found = _linalg.each(lambda A, b: (svd(A)[1], b), matrices, range(4))
    for i, (s, b) in enumerate(found):
        assert b == i
        assert_allclose(s, np.linalg.svd(matrices[i], compute_uv=False))
