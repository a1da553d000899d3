"""Large data: blocks, files, interruptions, many workers."""

import os
import signal
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import (
    IncompleteSummary,
    PerfectAlignment,
    StackedSummary,
    relative_alignment_error,
)

MEGABYTE = 2**20


def views_of(n, n_features=(5, 4), seed=0, shared=2):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, shared))
    return [
        z @ rng.normal(size=(shared, d)) + rng.normal(size=d)
        for d in n_features
    ]


def noisy_views(n, n_features=(5, 4), seed=0):
    rng = np.random.default_rng(seed)
    return [
        view + rng.normal(size=view.shape)
        for view in views_of(n, n_features, seed)
    ]


def cut(views, *bounds):
    bounds = [0, *bounds, len(views[0])]
    return [[v[a:b] for v in views] for a, b in zip(bounds, bounds[1:])]


def assert_identical(a, b):
    assert type(a) is type(b)
    assert_array_equal(a.R, b.R)
    assert_array_equal(a.mean, b.mean)
    assert (a.n_samples, a.n_features) == (b.n_samples, b.n_features)
    assert_array_equal(a.eps, b.eps)
    assert a.signature == b.signature


def assert_equivalent(a, b, rtol=1e-13):
    """Equal inner products and means, up to rounding."""
    assert (a.n_samples, a.n_features) == (b.n_samples, b.n_features)
    gram = a.R.T @ a.R
    size = np.sqrt(np.outer(gram.diagonal(), gram.diagonal()))
    assert_allclose(b.R.T @ b.R / size, gram / size, rtol=0, atol=rtol)
    assert_allclose(a.mean, b.mean, rtol=rtol)


def peak(function, *args, **kwargs):
    """What the function returns, and the bytes it held at most."""
    tracemalloc.start()
    try:
        result = function(*args, **kwargs)
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def on_disk(tmp_path):
    """Two views of 40 MB each, in npy files."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(80_000, 4))
    paths = [tmp_path / f"{name}.npy" for name in ("left", "right")]
    for path in paths:
        np.save(path, z @ rng.normal(size=(4, 64)))
    return [np.load(path, mmap_mode="r") for path in paths]


# Blocks


def test_blocks_equal_the_whole_and_are_read_one_at_a_time():
    views = noisy_views(3000)
    waiting = cut(views, 1, 7, 900, 901, 2500)
    sizes = []

    def blocks():
        while waiting:
            sizes.append(len(waiting))
            yield waiting.pop(0)

    assert_identical(
        StackedSummary.from_blocks(blocks()), StackedSummary.from_views(views)
    )
    assert sizes == [6, 5, 4, 3, 2, 1]


def test_bad_blocks_are_named():
    good, bad = noisy_views(10), noisy_views(10)
    bad[1][3, 2] = np.nan
    with pytest.raises(ValueError, match="block 1: view 1: Input contains"):
        StackedSummary.from_blocks([good, bad])
    with pytest.raises(ValueError, match=r"block 2: view 0 has shape \(10, 3"):
        StackedSummary.from_blocks([good, good, noisy_views(10, (3, 4))])
    with pytest.raises(ValueError, match="no block"):
        StackedSummary.from_blocks([])


def test_last_row_of_a_large_view_is_checked_too():
    view = np.ones((300_000, 4))
    view[-1, -1] = np.inf
    with pytest.raises(ValueError, match="view 1: Input contains infinity"):
        StackedSummary.from_views([view[:, :2], view[:, 2:]])


def test_what_is_wrong_on_disk_is_named(on_disk, tmp_path):
    changed = np.load(on_disk[1].filename, mmap_mode="r+")
    changed[-1, -1] = np.nan
    with pytest.raises(ValueError, match="view 1: Input contains NaN"):
        StackedSummary.from_views(on_disk)


def test_progress_is_shown_on_request_only(capsys):
    views = noisy_views(3000)
    StackedSummary.from_views(views)
    assert capsys.readouterr() == ("", "")
    StackedSummary.from_blocks(cut(views, 1000), progress=True)
    assert "3.00k rows" in capsys.readouterr().err
    StackedSummary.from_views(views, progress=True)
    assert "3.00k rows" in capsys.readouterr().err


def test_a_bar_ends_where_the_rows_do_not_pass(capsys):
    views = noisy_views(100)
    with pytest.raises(ValueError) as failed:
        StackedSummary.from_blocks([views, views[:1]], progress=True)
    # While the error still holds what has failed.
    assert capsys.readouterr().err.endswith("\n")
    assert str(failed.value).startswith("block 1: ")


# Arrays on disk


def test_arrays_on_disk_are_summarised_in_little_memory(on_disk):
    summary, held = peak(StackedSummary.from_views, on_disk)
    assert held < 32 * MEGABYTE < 80 * MEGABYTE
    in_memory = StackedSummary.from_views([np.array(v) for v in on_disk])
    assert_identical(summary, in_memory)


def test_single_precision_on_disk_is_converted_by_slabs(on_disk, tmp_path):
    single = [np.asarray(v, dtype=np.float32) for v in on_disk]
    summary, held = peak(StackedSummary.from_views, single)
    assert held < 48 * MEGABYTE
    assert np.all(summary.eps == np.finfo(np.float32).eps)
    double = StackedSummary.from_views([v.astype(float) for v in single])
    # Numbers of fewer digits take a shorter way to the same factor.
    sizes = double.spreads
    assert_allclose(
        summary.R.T @ summary.R / np.outer(sizes, sizes),
        double.R.T @ double.R / np.outer(sizes, sizes),
        rtol=0,
        atol=1e-13,
    )
    assert_allclose(summary.mean, double.mean, rtol=0, atol=1e-15)


def test_latents_go_to_disk_in_little_memory(on_disk, tmp_path):
    alignment = PerfectAlignment(4).fit(on_disk)
    out = [
        np.lib.format.open_memmap(
            tmp_path / f"latents{m}.npy", mode="w+", shape=(80_000, 4)
        )
        for m in range(2)
    ]
    latents, held = peak(alignment.transform, on_disk, out=out)
    assert held < 16 * MEGABYTE
    assert latents is out
    assert relative_alignment_error(out) < 1e-13
    for m, z in enumerate(alignment.transform([np.array(v) for v in on_disk])):
        assert_array_equal(out[m], z)
    single = np.zeros((80_000, 4))
    assert alignment.transform_view(on_disk[1], 1, out=single) is single
    # Slabs of other heights are multiplied in another order.
    assert_allclose(single, out[1], rtol=0, atol=1e-14)


def test_transform_refuses_places_of_another_shape():
    views = noisy_views(20)
    alignment = PerfectAlignment(2).fit(views)
    with pytest.raises(ValueError, match=r"\(21, 2\).*wanted 2 arrays"):
        alignment.transform(views, out=[np.empty((21, 2)), np.empty((20, 2))])
    with pytest.raises(ValueError, match="Seen 1 views; wanted 2"):
        alignment.transform(views, out=[np.empty((20, 2))])


# Interruptions


def test_saved_summary_is_the_same_to_the_last_bit(tmp_path):
    path = tmp_path / "summary.npz"
    views = [v.astype(np.float32) for v in noisy_views(100)]
    summary = StackedSummary.from_views(views)
    summary.save(path)
    assert_identical(StackedSummary.load(path), summary)
    assert [p.name for p in tmp_path.iterdir()] == ["summary.npz"]


def test_saved_pairs_are_the_same_to_the_last_bit(tmp_path):
    path = tmp_path / "pairs.npz"
    x, y, w = noisy_views(60, (3, 4, 2))
    summary = IncompleteSummary.from_views(
        {(0, 1): (x[:30], y[:30]), (2, 1): (w[30:], y[30:])}
    )
    summary.save(path)
    loaded = IncompleteSummary.load(path)
    assert_identical(loaded, summary)
    for views in summary.sets:
        assert_identical(loaded.sets[views], summary.sets[views])
    with pytest.raises(ValueError, match="no StackedSummary: 'n_fea"):
        StackedSummary.load(path)


def test_resumed_pass_is_the_uninterrupted_one_bit_by_bit(tmp_path):
    path = tmp_path / "summary.npz"
    blocks = cut(noisy_views(9000), 2000, 2001, 5000, 8000)

    def run(blocks, stop=None):
        for number, views in enumerate(blocks):
            if number == stop:
                raise KeyboardInterrupt
            if path.exists():
                summary = StackedSummary.load(path).update(views)
            else:
                summary = StackedSummary.from_views(views)
            summary.save(path)
        return summary

    with pytest.raises(KeyboardInterrupt):
        run(blocks, stop=3)
    resumed = run(blocks[3:])
    whole = StackedSummary.from_views(blocks[0])
    for views in blocks[1:]:
        whole = whole.update(views)
    assert_identical(resumed, whole)
    assert_equivalent(resumed, StackedSummary.from_blocks(blocks))


def test_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "summary.npz"
    old = StackedSummary.from_views(noisy_views(50))
    old.save(path)

    def interrupted(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        StackedSummary.from_views(noisy_views(60)).save(path)
    assert_identical(StackedSummary.load(path), old)
    assert [p.name for p in tmp_path.iterdir()] == ["summary.npz"]


def test_loading_executes_nothing(tmp_path):
    path = tmp_path / "summary.npz"
    np.savez(path, R=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        StackedSummary.load(path)


# Dask


def lazily(views, rows):
    return [da.from_array(v, chunks=(rows, 3)) for v in views]


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
@pytest.mark.parametrize("rows", [100, 7, 1000])
def test_dask_equals_one_pass(scheduler, rows):
    views = noisy_views(1000)
    with dask.config.set(scheduler=scheduler):
        summary = StackedSummary.from_dask(lazily(views, rows))
    whole = StackedSummary.from_views(views)
    if rows == 1000:
        assert_identical(summary, whole)
    assert_equivalent(summary, whole)


def test_dask_rows_are_cut_as_in_the_first_view():
    x, y = noisy_views(1000)
    arrays = [da.from_array(x, chunks=(300, 5)), da.from_array(y, chunks=400)]
    merged = StackedSummary.from_views([x[:300], y[:300]])
    merged = merged.merge(StackedSummary.from_views([x[300:600], y[300:600]]))
    rest = StackedSummary.from_views([x[600:900], y[600:900]])
    rest = rest.merge(StackedSummary.from_views([x[900:], y[900:]]))
    assert_identical(StackedSummary.from_dask(arrays), merged.merge(rest))


def test_dask_rows_may_be_uncounted_and_partitions_empty():
    views = noisy_views(1000)
    kept = np.arange(1000) % 300 < 90
    kept[:100] = False
    mask = da.from_array(kept, chunks=100)
    arrays = [array[mask] for array in lazily(views, 100)]
    whole = StackedSummary.from_views([v[kept] for v in views])
    assert_equivalent(StackedSummary.from_dask(arrays), whole)
    nothing = [array[mask & ~mask] for array in lazily(views, 100)]
    with pytest.raises(ValueError, match="no rows"):
        StackedSummary.from_dask(nothing)
    coarse = lazily(views, 500)[1]
    with pytest.raises(ValueError, match=r"\[10, 2\].*compute_chunk_sizes"):
        StackedSummary.from_dask([arrays[0], coarse[: len(kept)]])


def test_dask_refuses_what_does_not_fit():
    views = noisy_views(100)
    arrays = lazily(views, 50)
    with pytest.raises(ValueError, match="view 1 is of type ndarray"):
        StackedSummary.from_dask([arrays[0], views[1]])
    with pytest.raises(ValueError, match="view 0: 100 rows, view 1: 90 rows"):
        StackedSummary.from_dask([arrays[0], arrays[1][:90]])
    with pytest.raises(ValueError, match="at least two views; seen 1"):
        StackedSummary.from_dask(arrays[:1])


def test_without_dask_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "dask", None)
    with pytest.raises(ImportError, match=r"perfalign\[dask\]"):
        StackedSummary.from_dask([])


def test_a_killed_worker_loses_nothing(tmp_path):
    """Killed while it holds results and the last rows are still to come."""
    n, rows, killed = 20_000, 500, tmp_path / "killed"
    over = threading.Event()
    views = views_of(n, (6, 5))

    def last_rows_wait(block, block_id):
        while block_id[0] == n // rows - 1 and not killed.exists():
            time.sleep(0.01)
        return block

    # Two blocks wait, and keep at most two of the four workers from the rest.
    x, y = lazily(views, rows)
    arrays = [x.map_blocks(last_rows_wait, dtype=float), y]

    def kill_a_holder(client):
        pids = client.run(os.getpid)
        while not any((held := client.has_what()).values()):
            assert not over.is_set(), "the computation has ended before"
            time.sleep(0.01)
        victim = next(worker for worker in held if held[worker])
        os.kill(pids[victim], getattr(signal, "SIGKILL", signal.SIGTERM))

    cluster = LocalCluster(
        n_workers=4,
        threads_per_worker=1,
        # Any free port: another run may be using the usual one.
        dashboard_address=":0",
        silence_logs=50,
    )
    with cluster, Client(cluster) as client, ThreadPoolExecutor() as pool:
        client.wait_for_workers(4)
        killing = pool.submit(kill_a_holder, client)
        # Or a failure to kill would keep the last rows waiting.
        killing.add_done_callback(lambda _: killed.touch())
        try:
            summary = StackedSummary.from_dask(arrays)
        finally:
            over.set()
        killing.result()
    with dask.config.set(scheduler="synchronous"):
        alone = StackedSummary.from_dask(lazily(views, rows))
    assert_identical(summary, alone)
    once, spread = PerfectAlignment(2).fit(views), PerfectAlignment(2)
    spread.fit_summary(summary)
    for A, B in zip(once.encoders_, spread.encoders_):
        assert_allclose(A, B, rtol=0, atol=1e-12 * abs(A).max())
    assert_equivalent(StackedSummary.from_views(views), summary, rtol=1e-12)


# Far from zero


def test_one_pass_far_from_zero_equals_two_passes():
    """The mean is 1e8 times the spread, and nobody knew it beforehand."""
    views = [v + 1e8 for v in noisy_views(50_000, (12, 10))]
    long = [v.astype(np.longdouble) for v in views]
    centred = [(v - v.mean(axis=0)).astype(float) for v in long]
    one, two = PerfectAlignment(2).fit(views), PerfectAlignment(2).fit(centred)
    assert_allclose(
        one.canonical_correlations_,
        two.canonical_correlations_,
        rtol=0,
        atol=1e-13,
    )
