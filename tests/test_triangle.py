"""The fast factor: as accurate as Householder's, whatever the rows are."""

import gc
import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import StackedSummary
from perfalign.summary import _coordinates, _triangle
from perfalign.summary._accumulation import Accumulation
from perfalign.summary._triangle import CentredTriangle

N, D = 30_000, 12


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    # Small data then take as many chunks as large data otherwise.
    monkeypatch.setattr(_triangle, "FIRST", 100 * D**2)
    monkeypatch.setattr(_triangle, "FEW", 400 * D**2)
    monkeypatch.setattr(_triangle, "CHUNK", 8 * 100 * D)
    monkeypatch.setattr(_triangle, "ROWS", 100)


@pytest.fixture(params=["reflected", "refused", "pivoted", "usual", "plain"])
def way(request, monkeypatch):
    """How all chunks but the first are taken, if they are like it."""
    if request.param == "reflected":
        monkeypatch.setattr(_triangle, "NARROW", 0)
        monkeypatch.setattr(_triangle, "WIDE_ROWS", 100)
    if request.param in ("refused", "pivoted"):
        monkeypatch.setattr(_coordinates, "FEW", 0.0)
    if request.param == "refused":
        monkeypatch.setattr(_coordinates, "MOST", 0.0)
    if request.param != "plain":
        monkeypatch.setattr(_coordinates, "LONG", 0.5)
    return request.param


def low_rank(rng):
    return rng.normal(size=(N, 3)) @ rng.normal(size=(3, D)) + 5


def ill_conditioned(rng):
    left, right = np.linalg.qr(rng.normal(size=(2, D, D)))[0]
    return rng.normal(size=(N, D)) @ (left * np.logspace(0, -13, D)) @ right


def late_column(rng):
    X = rng.normal(size=(N, D))
    X[: N // 2, 3] = 0.1
    X[N // 2 :, 3] += 1e20
    X[:, 5] *= np.arange(N) > N // 3
    X[:, 5] *= 1e-30
    return X


def two_places(rng):
    X = rng.normal(size=(N, D))
    X[N // 10 :] += 1e5
    return X


def stray_row(rng):
    X = low_rank(rng)
    X[N // 2] += rng.normal(size=D)
    return X


def rounded(rng):
    """A repeated column, exact at first, of 13 digits later."""
    X = rng.normal(size=(N, D))
    X[:, 8] = X[:, 2]
    X[1000:, 8] *= 1 + 2.0**-45
    return X


STATIONARY = {
    "full rank": lambda rng: rng.normal(size=(N, D)),
    "low rank": low_rank,
    "low rank, units": lambda rng: low_rank(rng) * np.logspace(-150, 150, D),
    "ill conditioned": ill_conditioned,
    "rounded": rounded,
    "one view tiny": lambda rng: (
        rng.normal(size=(N, D)) * np.repeat([1, 1e-14], D // 2)
    ),
}
ODD = {
    "drift": lambda rng: (
        rng.normal(size=(N, D)) + np.linspace(0, 1e3, N)[:, None]
    ),
    "late column": late_column,
    "two places": two_places,
    "stray row": stray_row,
    "heavy tails": lambda rng: rng.standard_cauchy(size=(N, D)),
    "sorted": lambda rng: np.sort(rng.normal(size=(N, D)), axis=0),
    "growing": lambda rng: (
        rng.normal(size=(N, D)) * np.logspace(0, 15, N)[:, None]
    ),
}


def factor(X, pieces=1, coarse=False):
    triangle = CentredTriangle(np.empty((0, D)), X[0], np.zeros(D), 0)
    for piece in np.array_split(X, pieces):
        triangle.add([piece[:, :5], piece[:, 5:]], coarse=coarse)
    R, mean, rest, n = triangle.result()
    return R, mean + rest, n


def reference(X):
    """Householder's factor, with columns of norm one, and their norms."""
    centred = X - X[0]
    centred -= centred.mean(axis=0)
    centred -= centred.mean(axis=0)
    size = np.abs(centred).max(axis=0)
    centred /= size
    norms = np.linalg.norm(centred, axis=0)
    return np.linalg.qr(centred / norms, mode="r"), size * norms


def assert_right_values(R, X, **tolerance):
    """Singular values, every column in units of its norm, by Householder."""
    wanted, size = reference(X.astype(float))
    assert_allclose(
        np.linalg.svd(R / size, compute_uv=False),
        np.linalg.svd(wanted, compute_uv=False)[: len(R)],
        **tolerance,
    )


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("rows", STATIONARY | ODD)
def test_singular_values_are_those_of_householder(rows):
    X = (STATIONARY | ODD)[rows](np.random.default_rng(0))
    R, mean, n = factor(X)
    wanted, size = reference(X)
    assert n == N
    sigma = np.zeros(D)
    found = np.linalg.svd(R / size, compute_uv=False)
    sigma[: len(found)] = found
    assert_allclose(
        sigma, np.linalg.svd(wanted, compute_uv=False), rtol=0, atol=2e-14
    )
    origin, deviation = X[0], (X - X[0]).mean(axis=0)
    assert_allclose(
        (mean - origin) / size, deviation / size, rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("shortest", [0.05, 0.06, 0.065, 0.08, 1.0])
def test_columns_do_without_coordinates_if_no_direction_is_short(shortest):
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.normal(size=(D, D)))[0]
    spread = np.geomspace(shortest, 1, D)
    R = np.linalg.qr(spread[:, None] * Q, mode="r") * np.logspace(-9, 9, D)
    scaled = R / np.linalg.norm(R, axis=0)
    least = np.linalg.svd(scaled, compute_uv=False)[-1]
    assert _coordinates.well_conditioned(R) == (least > 1 / 16)
    assert not _coordinates.well_conditioned(R[:-1])
    assert not _coordinates.well_conditioned(R * (np.arange(D) != 3))


@pytest.mark.parametrize("rows", STATIONARY | ODD)
def test_single_precision_keeps_the_digits_that_it_has(rows, monkeypatch):
    # Errors depend on how many equal numbers are in a chunk: a hundred here.
    monkeypatch.setattr(_triangle, "CHUNK", 4 * 100 * D)
    X = (STATIONARY | ODD)[rows](np.random.default_rng(0))
    X = (X / np.abs(X).max(axis=0)).astype(np.float32).astype(float)
    R, mean, n = factor(X, coarse=True)
    wanted, size = reference(X)
    found = np.linalg.svd(R / size, compute_uv=False)
    sigma = np.pad(found, (0, D - len(found)))
    # With a short direction, inner products are of double precision; without,
    # of single precision, in which errors of equal numbers add up.
    short = rows in STATIONARY and not _coordinates.well_conditioned(wanted)
    off = 0.3 * np.finfo(np.float32).eps if short else 1e-6
    lost = 1e-13 if short else 1e-6
    known = np.linalg.norm(X / size, axis=0).max()
    assert_allclose(
        sigma,
        np.linalg.svd(wanted, compute_uv=False),
        rtol=0,
        atol=off * known,
    )
    gram = R.T @ R / np.outer(size, size)
    assert_allclose(gram, wanted.T @ wanted, rtol=0, atol=lost)
    assert_allclose(mean, X.mean(axis=0), rtol=0, atol=lost)
    assert n == N


def test_single_precision_of_few_values():
    """The least favourable rows: their rounding errors are equal, too."""
    rng = np.random.default_rng(3)
    X = rng.uniform(size=(N, D)) < rng.uniform(0.05, 0.95, size=D)
    X = np.float32(X * rng.uniform(0.1, 3, size=D) + rng.uniform(-3, 3, D))
    R, mean, _ = factor(X, coarse=True)
    assert_right_values(R, X, rtol=1e-5)
    assert_allclose(mean, X.mean(axis=0, dtype=float), rtol=0, atol=1e-5)


def test_single_precision_far_from_zero():
    """Rows are moved by what single precision has of their mean, no other."""
    rng = np.random.default_rng(11)
    X = np.float32(rng.normal(size=(N, D)) + 1000 * np.arange(D))
    R, mean, _ = factor(X, coarse=True)
    assert_allclose(mean, X.mean(axis=0, dtype=float), rtol=0, atol=1e-6)
    assert_right_values(R, X, rtol=1e-6)


@pytest.mark.parametrize("far", [-30, 30])
def test_single_precision_of_numbers_whose_squares_are_not(far):
    rng = np.random.default_rng(12)
    X = np.float32(rng.normal(size=(N, D)) * np.logspace(0, far, D))
    R, _, _ = factor(X, coarse=True)
    assert_right_values(R, X, rtol=1e-12)


@pytest.mark.parametrize("rows", ["full rank", "low rank"])
def test_rows_of_double_precision_go_no_coarse_way(rows, monkeypatch):
    ways = set()
    products = Accumulation.products

    def watched(self, chunk):
        ways.add((self.coordinates.coarse, chunk.coarse))
        return products(self, chunk)

    monkeypatch.setattr(Accumulation, "products", watched)
    X = STATIONARY[rows](np.random.default_rng(13)).astype(np.float32)
    triangle = CentredTriangle(np.empty((0, D)), X[0] + 0.0, np.zeros(D), 0)
    for i, piece in enumerate(np.array_split(X, 7)):
        triangle.add([piece], coarse=i % 2 == 0)
    triangle.result()
    assert ways == {(True, True), (False, False), (False, True)}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("rows", ["full rank", "one view tiny", "ill"])
def test_small_directions_keep_their_digits(rows):
    """The error multiplies the factor by I + F, whatever its condition."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, D))
    exact = np.round(X * 2**20) / 2**20
    if rows == "one view tiny":
        exact *= np.repeat([1, 2.0**-46], D // 2)
    elif rows == "ill":
        # Powers of two and sums of few bits: the products are exact.
        mix = np.triu(rng.integers(-2, 3, size=(D, D)), 1) + np.eye(D)
        exact = exact @ (mix * 2.0 ** -np.arange(0, 24, 2))
    R, _, _ = factor(exact)
    wanted, size = reference(exact)
    ratio = np.linalg.solve(wanted.T, (R / size).T)
    assert_allclose(ratio @ ratio.T, np.eye(D), rtol=0, atol=1e-11)


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("rows", STATIONARY)
def test_all_chunks_but_the_first_are_fast(rows, coarse, monkeypatch):
    slow = []
    reflect = CentredTriangle._reflect

    def counting(self, chunk):
        slow.append(chunk.filled)
        reflect(self, chunk)

    monkeypatch.setattr(CentredTriangle, "_reflect", counting)
    X = STATIONARY[rows](np.random.default_rng(2))[: 29_000 + 5]
    factor(X, coarse=coarse)
    assert slow == [100]


@pytest.mark.usefixtures("way")
def test_rows_may_come_in_any_pieces():
    X = STATIONARY["full rank"](np.random.default_rng(4))
    whole = factor(X)
    for pieces in (7, 1000):
        for part, same in zip(factor(X, pieces), whole):
            assert_array_equal(part, same)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("rows", ["full rank", "stray row"])
def test_rows_of_both_precisions_may_come_in_any_pieces(rows):
    """Wherever one of them ends, and the other begins."""
    X = (STATIONARY | ODD)[rows](np.random.default_rng(15))[N // 2 - 900 :]
    ends = np.cumsum([150, 40, 350, 10, 110, 190, 1000])
    found = []
    for size in (len(X), 1000, 70, 7):
        triangle = CentredTriangle(np.empty((0, D)), X[0], np.zeros(D), 0)
        for i, rows_alike in enumerate(np.split(X, ends)):
            for start in range(0, len(rows_alike), size):
                piece = rows_alike[start : start + size]
                triangle.add([piece], coarse=i % 2 == 0)
        found.append(triangle.result())
    R, _, _, n = found[0]
    assert n == len(X)
    assert_right_values(R, X, rtol=0, atol=1e-6)
    for other in found[1:]:
        for part, same in zip(other, found[0]):
            assert_array_equal(part, same)


def test_chunks_of_either_precision_take_as_many_bytes(monkeypatch):
    filled = []
    products = Accumulation.products

    def watched(self, chunk):
        assert self.coordinates.coarse == chunk.coarse
        filled.append(chunk.filled)
        return products(self, chunk)

    monkeypatch.setattr(Accumulation, "products", watched)
    X = STATIONARY["full rank"](np.random.default_rng(16))[:700]
    for coarse in (False, True):
        factor(X, coarse=coarse)
    assert filled == 6 * [100] + 3 * [200]


def test_the_first_chunk_of_narrow_rows_is_no_larger(monkeypatch):
    reflected = []
    reflect = CentredTriangle._reflect

    def watched(self, chunk):
        reflected.append(8 * 2 * chunk.filled)
        reflect(self, chunk)

    monkeypatch.setattr(CentredTriangle, "_reflect", watched)
    X = np.random.default_rng(17).normal(size=(4000, 2))
    triangle = CentredTriangle(np.empty((0, 2)), X[0], np.zeros(2), 0)
    triangle.add([X])
    triangle.result()
    assert reflected == [_triangle.CHUNK]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("rows", ["full rank", "low rank", "stray row"])
def test_what_was_found_goes_on_with_more_rows(rows):
    X = (STATIONARY | ODD)[rows](np.random.default_rng(6))[N // 2 - 900 :]
    found = np.empty((0, D)), X[0], np.zeros(D), 0
    kept = None
    for piece in np.split(X, [1, 5, 6, 300, 301, 2000]):
        triangle = CentredTriangle(*found)
        triangle.add([piece[:, :5], piece[:, 5:]])
        found = triangle.result()
        if kept is None:
            kept = found, [np.copy(part) for part in found]
    R, mean, rest, n = found
    _, size = reference(X)
    assert n == len(X)
    assert_right_values(R, X, rtol=0, atol=1e-13)
    assert_allclose((mean + rest - X.mean(axis=0)) / size, 0, atol=1e-13)
    # What was found before has not changed.
    for part, copied in zip(*kept):
        assert_array_equal(part, copied)


@pytest.mark.usefixtures("way")
def test_mean_far_off_costs_nothing():
    rng = np.random.default_rng(5)
    # Multiples of 2^-20 stay exact when 2^30 is added.
    near = np.round(rng.normal(size=(N, D)) * 2**20) / 2**20
    near[:, -1] = near[:, 0] - near[:, 1]
    R, _, _ = factor(near)
    far, mean, _ = factor(near + 2.0**30)
    assert_allclose(
        abs(far), abs(R), rtol=0, atol=1e-12 * np.linalg.norm(R, 2)
    )
    assert np.linalg.svd(far, compute_uv=False)[11:] <= 1e-13 * abs(R).max()
    assert_allclose(mean - 2.0**30, near.mean(axis=0), rtol=0, atol=2e-7)


@pytest.mark.parametrize("noise", [0, 1e-9, 1e-3])
def test_few_signals_cost_one_product_with_them(noise):
    """What they leave of the columns is orthogonal to them, and not short."""
    rng = np.random.default_rng(0)
    X = low_rank(rng) + noise * rng.normal(size=(N, D))
    R = np.linalg.qr((X - X.mean(axis=0))[:100], mode="r")
    found = _coordinates.coordinates_after(np.asfortranarray(R))
    assert isinstance(found, _coordinates.Residuals)
    known = found.columns
    assert len(known) == 3
    Y = found.of(R.copy())
    assert_array_equal(Y[:, known], R[:, known])
    assert_allclose(found.rows(Y), R, atol=1e-13 * np.abs(R).max())
    others = np.delete(Y, known, axis=1)
    assert_allclose(R[:, known].T @ others, 0, atol=1e-10)
    assert np.all(np.linalg.norm(Y, axis=0) <= found.sizes * (1 + 1e-12))


def test_other_rows_need_other_coordinates():
    rng = np.random.default_rng(0)
    kinds = {
        "Features": rng.normal(size=(N, D)),
        "Triangle": ill_conditioned(np.random.default_rng(2)),
        "NoneType": low_rank(rng) * np.repeat([1, 1e-300], D // 2),
    }
    for name, X in kinds.items():
        R = np.linalg.qr(X - X.mean(axis=0), mode="r")
        found = _coordinates.coordinates_after(np.asfortranarray(R))
        assert type(found).__name__ == name


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("rows", STATIONARY | ODD)
def test_any_number_of_threads_finds_the_same(rows, coarse, monkeypatch):
    """What was computed ahead, in vain or not, is added in order."""
    X = (STATIONARY | ODD)[rows](np.random.default_rng(8))[N // 2 - 900 :]
    if coarse:
        X = np.float32(X / np.abs(X).max(axis=0))
    found = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(_triangle, "n_threads", lambda n=n_threads: n)
        found.append(factor(X, pieces=3, coarse=coarse))
    for other in found[1:]:
        for part, same in zip(other, found[0]):
            assert_array_equal(part, same)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("rows", STATIONARY)
def test_chunks_that_are_alike_are_computed_once(rows, n_threads, monkeypatch):
    """Though coordinates become too small, a few chunks after the first."""
    computed, begun = [], []
    products, begin = Accumulation.products, Accumulation.__init__
    monkeypatch.setattr(_triangle, "n_threads", lambda: n_threads)
    monkeypatch.setattr(
        Accumulation,
        "products",
        lambda *args: computed.append(1) or products(*args),
    )
    monkeypatch.setattr(
        Accumulation, "__init__", lambda *args: begun.append(1) or begin(*args)
    )
    factor(STATIONARY[rows](np.random.default_rng(8)))
    assert len(computed) == N // 100 - 1
    assert len(begun) == 2


def test_many_rows_after_few_are_not_reflected(monkeypatch):
    """Chunks that no longer fit wait for coordinates into which they do."""
    X = STATIONARY["full rank"](np.random.default_rng(11))
    first = CentredTriangle(np.empty((0, D)), X[0], np.zeros(D), 0)
    first.add([X[:30]])
    monkeypatch.setattr(_triangle, "CHUNK", 8 * 1500 * D)
    more = CentredTriangle(*first.result())
    monkeypatch.setattr(CentredTriangle, "_reflect", None)
    more.add([X[30:]])
    R, _, _, n = more.result()
    assert n == N
    assert_right_values(R, X, rtol=0, atol=1e-13)


def test_threads_end_with_the_pass(monkeypatch):
    monkeypatch.setattr(_triangle, "n_threads", lambda: 3)
    # Those of other tests may still be there.
    before = set(threading.enumerate())
    X = STATIONARY["full rank"](np.random.default_rng(9))
    factor(X)
    assert not set(threading.enumerate()) - before
    # One that breaks off in the middle leaves none either.
    triangle = CentredTriangle(np.empty((0, D)), X[0], np.zeros(D), 0)
    triangle.add([X])
    # This one takes part, and there are as many as processors.
    threads = set(threading.enumerate()) - before
    assert 0 < len(threads) <= 2
    del triangle
    gc.collect()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("size", [7, 30, 100, 450, 1000])
@pytest.mark.parametrize("rows", ["full rank", "stray row"])
def test_blocks_may_come_in_the_same_memory(rows, size, monkeypatch):
    """As from a reader that fills one buffer again and again."""
    monkeypatch.setattr(_triangle, "n_threads", lambda: 3)
    X = (STATIONARY | ODD)[rows](np.random.default_rng(10))[N // 2 - 900 :]
    X = X[: len(X) // size * size // 2]
    blocks = np.split(X, range(size, len(X), size))

    def in_one_buffer():
        buffer = np.empty((size, D))
        for block in blocks:
            buffer[: len(block)] = block
            yield [buffer[: len(block), :5], buffer[: len(block), 5:]]
        buffer[:] = 1e9

    found = StackedSummary.from_blocks(in_one_buffer())
    wanted = StackedSummary.from_blocks(
        [block[:, :5], block[:, 5:]] for block in blocks
    )
    for name in ("R", "mean", "rest"):
        assert_array_equal(getattr(found, name), getattr(wanted, name))
