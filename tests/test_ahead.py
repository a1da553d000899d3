"""Reading overlaps with computing, one slab of rows ahead and no further."""

import ctypes
import mmap
import os
import sys
import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from perfalign import IncompleteSummary, PerfectAlignment, StackedSummary
from perfalign._checks import _ahead
from perfalign._checks._ahead import PIECE, read_ahead
from perfalign._checks._views import SLAB
from perfalign.summary._pass import Pass

#: Seconds after which what should have happened long ago never will.
NEVER = 60
#: Rows of a slab, and those of the views.
ROWS = SLAB // 8
N = ROWS * 7 // 2
SLABS = [(at, min(at + ROWS, N)) for at in range(0, N, ROWS)]


class Noting(mmap.mmap):
    """A file in memory that keeps what the system was asked for."""

    def madvise(self, option, start, length):
        assert option == mmap.MADV_WILLNEED
        assert start % mmap.PAGESIZE == 0 and 0 < length <= PIECE
        assert start + length <= len(self)
        super().madvise(option, start, length)
        self.asked.append((start, start + length))


def pages(parts):
    """The pages that parts of a file touch."""
    return {
        page
        for start, stop in parts
        for page in range(start // mmap.PAGESIZE, -(-stop // mmap.PAGESIZE))
    }


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens an array on disk, and keeps what will be asked of its file."""
    if not hasattr(mmap, "MADV_WILLNEED"):
        pytest.skip("This system cannot be asked.")

    def opened(array, mode="r"):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
        np.save(path, array)
        with monkeypatch.context() as context:
            context.setattr(mmap, "mmap", Noting)
            stored = np.load(path, mmap_mode=mode)
        stored.base.asked = []
        return stored

    return opened


@pytest.fixture
def views():
    """Two views of three slabs and a half."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(N, 2))
    return [
        shared @ rng.normal(size=(2, 5)),
        rng.normal(size=(N, 3)).astype(np.float32) + shared[:, :1],
    ]


def part_of(array, rows):
    """Where rows of an array of its own file lie in it."""
    width = array.strides[0]
    return array.offset + rows[0] * width, array.offset + rows[1] * width


def assert_same(summary, other):
    for name in ("R", "mean", "rest", "eps"):
        assert_array_equal(getattr(summary, name), getattr(other, name))


# What is asked for, and when


def of_views(views):
    return StackedSummary.from_views(views)


def of_sets(views):
    return IncompleteSummary.from_views({(0, 1): views}).sets[0, 1]


def of_transform(views):
    alignment = PerfectAlignment(1).fit([view[:99] for view in views])
    for view in views:
        getattr(view.base, "asked", []).clear()
    alignment.transform(views)


@pytest.mark.parametrize("how", [of_views, of_sets, of_transform])
def test_the_next_rows_are_asked_for_before_these_are_computed_with(
    how, views, opened, monkeypatch
):
    stored = [opened(view) for view in views]
    seen = []

    def noted(function):
        def noting(self, *args):
            seen.append([pages(view.base.asked) for view in stored])
            return function(self, *args)

        return noting

    monkeypatch.setattr(Pass, "_add", noted(Pass._add))
    monkeypatch.setattr(
        PerfectAlignment, "_encode", noted(PerfectAlignment._encode)
    )
    how(stored)
    if how is of_transform:
        # Once for the fit, once for each of two views.
        seen = seen[-2 * len(SLABS) :: 2]
    assert len(seen) == len(SLABS)
    for i, asked in enumerate(seen):
        for view, found in zip(stored, asked):
            wanted = pages(part_of(view, rows) for rows in SLABS[1 : i + 2])
            assert found == wanted


def test_disk_and_memory_give_the_same_bits(views, opened):
    stored = [opened(view) for view in views]
    in_memory = PerfectAlignment(2).fit(views)
    from_disk = PerfectAlignment(2).fit(stored)
    assert stored[0].base.asked and stored[1].base.asked
    assert_same(from_disk.summary_, in_memory.summary_)
    for z, wanted in zip(
        from_disk.transform(stored), in_memory.transform(views)
    ):
        assert_array_equal(z, wanted)


def test_columns_rows_and_kinds_of_files(opened):
    X = np.arange(40_000.0).reshape(-1, 8)
    for mode in ("r", "r+", "c"):
        stored = opened(X, mode)
        file, offset = stored.base, stored.offset
        rows = slice(1000, 3000)
        wanted = pages([(offset + 64_000, offset + 192_000)])
        for view in (stored, stored[:, 2:], stored[:, ::-1], stored[500:]):
            file.asked.clear()
            shift = 500 if view.base is not file and len(view) < 5000 else 0
            read_ahead(view, slice(rows.start - shift, rows.stop - shift))
            assert wanted <= pages(file.asked)
            assert len(pages(file.asked) - wanted) <= 1
        file.asked.clear()
        read_ahead(stored[:, 2:], slice(4999, 9999))
        assert pages(file.asked) == pages([(offset + 319_952, len(file))])


def test_nothing_is_asked_for_in_vain(views, opened):
    stored = opened(np.zeros((5000, 8)))
    rows = slice(1000, 3000)
    for view in (
        stored[::9],
        stored[::-1],
        stored[:, :1],
        np.broadcast_to(stored[0], (5000, 8), subok=True),
        stored[:1000],
    ):
        assert isinstance(view, np.memmap)
        read_ahead(view, rows)
    by_columns = opened(np.asfortranarray(stored))
    read_ahead(by_columns, rows)
    # One slab is all that there is.
    small = [opened(view[:ROWS]) for view in views]
    StackedSummary.from_views(small)
    for view in (stored, by_columns, *small):
        assert view.base.asked == []
    # Of memory nothing can be asked.
    read_ahead(np.ones((5000, 8)).view(np.memmap), rows)
    read_ahead(views[0], rows)


def test_a_system_that_refuses_or_knows_no_advice_does_not_matter(
    views, opened, monkeypatch
):
    wanted = StackedSummary.from_views(views)

    def refused(self, *args):
        raise OSError("not for this file")

    monkeypatch.setattr(Noting, "madvise", refused)
    stored = [opened(view) for view in views]
    assert_same(StackedSummary.from_views(stored), wanted)
    monkeypatch.delattr(_ahead.mmap, "MADV_WILLNEED")
    monkeypatch.delattr(Noting, "madvise")
    assert_same(StackedSummary.from_views(stored), wanted)


# What comes of it


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_rows_arrive_though_nobody_touches_them(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, np.zeros((2**17, 16)))
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    stored = np.load(path, mmap_mode="r+")
    rows = slice(2**15, 2**16)
    size = stored[rows].nbytes
    here = ctypes.create_string_buffer(size // mmap.PAGESIZE + 1)
    start = stored.ctypes.data - stored.offset + rows.start * 128
    assert start % mmap.PAGESIZE == 0

    def has_arrived():
        libc = ctypes.CDLL(None, use_errno=True)
        address, length = ctypes.c_void_p(start), ctypes.c_size_t(size)
        assert libc.mincore(address, length, here) == 0
        return all(page & 1 for page in here.raw[:-1])

    read_ahead(stored, rows)
    until = time.monotonic() + NEVER
    while not has_arrived():
        assert time.monotonic() < until, "the rows have not been read"
        time.sleep(0.001)


def test_dask_reads_a_partition_while_another_is_summarised(monkeypatch):
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array")
    views = [np.random.default_rng(0).normal(size=(400, d)) for d in (3, 2)]
    begun, changed, first = [], threading.Condition(), []
    add = Pass.add

    def read(i):
        with changed:
            begun.append(i)
            changed.notify_all()
        return views[0][100 * i : 100 * i + 100]

    def waiting(self, *args, **kwargs):
        with changed:
            if not first:
                first.append(list(begun))
                assert changed.wait_for(lambda: len(begun) > 1, NEVER)
        return add(self, *args, **kwargs)

    monkeypatch.setattr(Pass, "add", waiting)
    parts = [
        da.from_delayed(dask.delayed(read)(i), (100, 3), dtype=float)
        for i in range(4)
    ]
    arrays = [da.concatenate(parts), da.from_array(views[1], chunks=100)]
    with dask.config.set(scheduler="threads", num_workers=2):
        summary = StackedSummary.from_dask(arrays)
    assert sorted(begun) == [0, 1, 2, 3] and summary.n_samples == 400
