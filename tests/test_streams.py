"""Any stream of rows gives the factor of one pass, and the same counts."""

import os
import signal
import stat
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import (
    IncompleteSummary,
    PerfectAlignment,
    StackedSummary,
    existence_report,
)

D = (3, 2)


def long_factor(X):
    """Householder's factor of the centred rows, in extended precision."""
    R = X.astype(np.longdouble)
    R = R - R[0]
    R = R - R.mean(axis=0)
    R = R - R.mean(axis=0)
    for j in range(min(R.shape)):
        v = R[j:, j].copy()
        size = np.sqrt(np.sum(v**2))
        if size == 0:
            continue
        v[0] += np.copysign(size, v[0])
        v /= np.sqrt(np.sum(v**2))
        R[j:, j:] -= 2 * np.outer(v, v @ R[j:, j:])
    return R[: min(R.shape)]


def relative_sigma(R, size):
    """Singular values with columns in units of `size`."""
    found = np.linalg.svd(
        (R / np.where(size > 0, size, 1)).astype(float), compute_uv=False
    )
    return np.pad(found, (0, sum(D) - len(found)))


def summarise(X, rng):
    """The rows in blocks of any size, some of them summarised apart."""
    cuts = np.sort(rng.integers(0, len(X) + 1, size=rng.integers(0, 12)))
    blocks = [np.split(block, [D[0]], axis=1) for block in np.split(X, cuts)]
    parts, rest = [], []
    for block in blocks:
        if len(block[0]) and rng.random() < 0.5:
            parts.append(StackedSummary.from_views(block))
        else:
            rest.append(block)
    if any(len(block[0]) for block in rest):
        parts.append(StackedSummary.from_blocks(rest))
    summary = parts.pop(int(rng.integers(len(parts))))
    for part in rng.permutation(np.array(parts, dtype=object)):
        summary = summary.merge(part)
    return summary


@pytest.mark.parametrize("seed", range(200))
def test_orders_sizes_heads_and_means(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 400))
    rank = int(rng.integers(1, 6))
    X = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, 5))
    # Numbers of few digits stay as they are when a mean is added.
    X = np.round(X * 2**10) / 2**10
    if rng.random() < 0.5:
        X[: rng.integers(0, n + 1)] = 1.0
    near = X
    if rng.random() < 0.5:
        X = X + 2.0 ** rng.integers(0, 31)
    unit = 2.0 ** rng.integers(-300, 300, size=5)
    if rng.random() < 0.5:
        X, near = X * unit, near * unit
    summary = summarise(X, rng)
    R = long_factor(near)
    size = np.sqrt(np.sum(R**2, axis=0))
    assert summary.n_samples == n
    assert_allclose(
        relative_sigma(summary.R, size),
        relative_sigma(R, size),
        rtol=0,
        atol=1e-13,
    )
    shift, wanted = (X - near)[0], near.astype(np.longdouble).mean(axis=0)
    error = (summary.mean - shift) + (summary.rest - wanted)
    assert np.all(np.abs(error) <= 1e-12 * np.maximum(size, np.abs(near[0])))
    assert_array_equal(size == 0, ~np.any(summary.R, axis=0))


@pytest.mark.parametrize("mean", [0.0, 2.0**20, 2.0**30])
@pytest.mark.parametrize("how", ["update", "merge", "partial_fit", "tree"])
def test_merging_keeps_the_digits_below_a_mean(mean, how):
    rng = np.random.default_rng(0)
    z = rng.integers(-64, 65, size=(2000, 2)) / 64.0
    views = [
        z @ rng.integers(-8, 9, size=(2, 3)) + mean,
        z @ rng.integers(-8, 9, size=(2, 4)) - mean,
    ]
    blocks = [
        [v[rows] for v in views]
        for rows in np.array_split(np.arange(2000), 40)
    ]
    if how == "partial_fit":
        alignment = PerfectAlignment(2)
        for block in blocks:
            alignment.partial_fit(block)
        summary = alignment.summary_
    elif how == "update":
        summary = StackedSummary.from_views(blocks[0])
        for block in blocks[1:]:
            summary = summary.update(block)
    else:
        parts = [StackedSummary.from_views(block) for block in blocks]
        while len(parts) > 1:
            step = 2 if how == "tree" else len(parts)
            merged = []
            for i in range(0, len(parts), step):
                total = parts[i]
                for part in parts[i + 1 : i + step]:
                    total = total.merge(part)
                merged.append(total)
            parts = merged
        summary = parts[0]
    sigma = np.linalg.svd(summary.R, compute_uv=False)
    assert sigma[2] < 1e-14 * sigma[0]
    report = existence_report(summary)
    assert report.ranks == (2, 2) and report.shared_dimension == 2


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1])
@pytest.mark.parametrize("n", [10, 5000, 200_000])
def test_constant_heads(value, n):
    X = np.full((n, 4), value)
    X[-1] = [2, 3, 4, 5]
    summary = StackedSummary.from_views([X[:, :2], X[:, 2:]])
    wanted = np.sqrt((n - 1) / n) * np.abs(X[-1] - value)
    assert_allclose(np.linalg.norm(summary.R, axis=0), wanted, rtol=1e-12)
    # Constant to the end.
    head = StackedSummary.from_views([X[:-1, :2], X[:-1, 2:]])
    assert not np.any(head.R)
    later = head.update([X[-1:, :2], X[-1:, 2:]])
    assert_allclose(np.linalg.norm(later.R, axis=0), wanted, rtol=1e-12)


def test_one_item_and_then_many():
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(5001, d)) for d in D]
    alignment = PerfectAlignment(1).partial_fit([v[:1] for v in views])
    with pytest.raises(ValueError, match="does not vary"):
        alignment.transform(views)
    alignment.partial_fit([v[1:] for v in views])
    whole = PerfectAlignment(1).fit(views)
    assert_allclose(
        alignment.canonical_correlations_,
        whole.canonical_correlations_,
        atol=1e-13,
    )


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e150, 1e300])
def test_very_small_and_very_large_numbers(unit):
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(3000, d)) for d in D]
    wanted = PerfectAlignment(1).fit(views).canonical_correlations_
    small = [view * unit for view in views]
    for found in (
        PerfectAlignment(1).fit(small),
        PerfectAlignment(1)
        .partial_fit([v[:9] for v in small])
        .partial_fit([v[9:] for v in small]),
    ):
        assert_allclose(found.canonical_correlations_, wanted, atol=1e-12)


def test_numbers_out_of_range_are_refused_in_words():
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(3000, d)) * 1e-315 for d in D]
    summary = StackedSummary.from_views([v[:1] for v in views])
    summary = summary.update([v[1:] for v in views])
    with pytest.raises(ValueError, match="view 0 does not vary.*rounding"):
        PerfectAlignment(1).fit_summary(summary)


def test_blocks_may_be_empty():
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(50, d)) for d in D]
    none = [view[:0] for view in views]
    whole = StackedSummary.from_views(views)
    for summary in (
        whole.update(none),
        StackedSummary.from_blocks([none, views, none]),
        PerfectAlignment(1)
        .partial_fit(none)
        .partial_fit(views)
        .partial_fit(none)
        .summary_,
    ):
        assert_array_equal(summary.R, whole.R)
        assert summary.n_samples == 50
    for empty in (none, [none, none]):
        with pytest.raises(ValueError, match="0 sample|no sample"):
            if empty is none:
                StackedSummary.from_views(empty)
            else:
                StackedSummary.from_blocks(empty)
    with pytest.raises(ValueError, match="3 features"):
        whole.update([views[0][:0, :2], views[1][:0]])


def test_dask_partitions_may_be_constant_and_must_hide_nothing():
    da = pytest.importorskip("dask.array")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    X[:200] = X[0]
    parts = [X[:, : D[0]], X[:, D[0] :]]
    lazy = [da.from_array(part, chunks=(100, -1)) for part in parts]
    assert_allclose(
        np.linalg.norm(StackedSummary.from_dask(lazy).R, axis=0),
        np.linalg.norm(X - X.mean(axis=0), axis=0),
        rtol=1e-12,
    )
    hidden = da.ma.masked_greater(lazy[0], 1.5)
    with pytest.raises(ValueError, match="view 0: a mask hides"):
        StackedSummary.from_dask([hidden, lazy[1]])


def test_dask_arrays_of_unknown_length_are_transformed():
    da = pytest.importorskip("dask.array")
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(60, d)) for d in D]
    lazy = [da.from_array(view, chunks=(20, -1)) for view in views]
    lazy = [view[(view[:, 0] < 9).compute()] for view in lazy]
    known = da.from_array(np.arange(60) < 60, chunks=20)
    unknown = [view[known] for view in lazy]
    alignment = PerfectAlignment(1).fit(views)
    for found, wanted in zip(
        alignment.transform(unknown), alignment.transform(views)
    ):
        assert_array_equal(found, wanted)
    assert_array_equal(
        alignment.transform_view(unknown[1], 1),
        alignment.transform_view(views[1], 1),
    )


def test_blocks_of_pairs_may_be_empty_and_errors_name_the_pair():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(50, d)) for d in D)
    alignment = PerfectAlignment(1).fit_incomplete({(0, 1): (x, y)})
    wanted = alignment.summary_.R
    alignment.partial_fit({(0, 1): (x[:0], y[:0])})
    assert_array_equal(alignment.summary_.R, wanted)
    with pytest.raises(ValueError, match="No set has items"):
        IncompleteSummary.from_views({(0, 1): (x[:0], y[:0])})
    frames = pd.DataFrame(x), pd.DataFrame(y)[::-1]
    with pytest.raises(ValueError, match=r"set \(0, 1\): Labels of rows"):
        IncompleteSummary.from_views({(0, 1): frames})
    with pytest.raises(ValueError, match="wanted a tuple of different"):
        IncompleteSummary.from_views({(False, True): (x, y)})


def test_summaries_of_different_kinds_do_not_merge():
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(50, d)) for d in D)
    stacked = StackedSummary.from_views([x, y])
    paired = IncompleteSummary.from_views({(0, 1): (x, y)})
    for one, other in [
        (stacked, paired),
        (paired, stacked),
        (stacked, None),
        (paired, {}),
    ]:
        with pytest.raises(ValueError, match="of one kind can be merged"):
            one.merge(other)


def test_columns_and_views_are_known_by_name():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(30, 2)), columns=["height", "width"])
    y = rng.normal(size=(30, 3))
    views = {"seen": x, "heard": y}
    alignment = PerfectAlignment(1).fit(views)
    assert list(alignment.feature_names_in_[0]) == ["height", "width"]
    assert alignment.feature_names_in_[1] is None
    assert alignment.view_names_in_ == ("seen", "heard")
    latents = alignment.transform({"heard": y, "seen": x})
    assert set(latents) == {"seen", "heard"}
    assert_array_equal(latents["seen"], alignment.transform([x, y])[0])
    assert_array_equal(latents["seen"], alignment.transform_view(x, "seen"))
    turned = x[["width", "height"]]
    for call in (
        lambda: alignment.transform([turned, y]),
        lambda: alignment.transform_view(turned, 0),
        lambda: alignment.partial_fit([turned, y]),
        lambda: alignment.translate(turned, "seen", "heard"),
        lambda: alignment.summary_.update([turned, y]),
        lambda: alignment.summary_.merge(
            StackedSummary.from_views([turned, y])
        ),
        lambda: PerfectAlignment(1).fit_incomplete(
            {(0, 1): (x, y), (0, 2): (turned, y)}
        ),
    ):
        with pytest.raises(ValueError, match="view|set.*width"):
            call()
    # Names that come later are kept, and empty frames have names too.
    for first in ([x.to_numpy(), y], [x[:0], y[:0]]):
        later = PerfectAlignment(1).partial_fit(first).partial_fit([x, y])
        with pytest.raises(ValueError, match="another order"):
            later.partial_fit([turned, y])
        blocks = StackedSummary.from_blocks([first, [x, y]])
        assert blocks.feature_names == (("height", "width"), None)
    listed = StackedSummary.from_views([y, y])
    named = StackedSummary.from_views({"b": y, "a": y})
    for one, other in [(listed, named), (named, listed)]:
        with pytest.raises(ValueError, match="Seen views with the names"):
            one.merge(other)
    plain = PerfectAlignment(1).fit([x.to_numpy(), y])
    assert not hasattr(plain, "feature_names_in_")
    with pytest.raises(ValueError, match="no names"):
        plain.transform(views)
    for other in (
        lambda: PerfectAlignment(1).fit([x, pd.DataFrame(y)[::-1]]),
        lambda: existence_report([x, pd.DataFrame(y)[::-1]]),
        lambda: alignment.transform([x, pd.DataFrame(y)[::-1]]),
        lambda: PerfectAlignment(1).fit_incomplete(
            {(0, 1): (x, pd.DataFrame(y)[::-1])}
        ),
    ):
        with pytest.raises(ValueError, match="Labels of rows differ"):
            other()


# Files


@pytest.fixture
def saved(tmp_path):
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    rows = np.repeat(np.arange(4), 9)
    x = pd.DataFrame(rng.normal(size=(4, 2)), columns=["height", "width"])
    x = x.iloc[rows].reset_index(drop=True)
    y = rng.normal(size=(4, 3)).astype(np.float32)[rows]
    summary = StackedSummary.from_views({"seen": x, "heard": y})
    path = tmp_path / "summary.npz"
    summary.save(path)
    return summary, path


def test_all_of_a_summary_is_saved(saved):
    summary, path = saved
    loaded = StackedSummary.load(path)
    assert loaded.signature == summary.signature
    assert_array_equal(loaded.eps, summary.eps)
    for name in ("R", "mean", "rest", "items"):
        assert_array_equal(getattr(loaded, name), getattr(summary, name))
    assert loaded.n_items == 4
    many = StackedSummary.from_views([np.arange(18.0).reshape(9, 2)] * 2)
    many.save(path)
    assert StackedSummary.load(path).items is None


def test_saving_keeps_permissions_and_links(saved, tmp_path):
    summary, path = saved
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask()
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path.name)
    summary.save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", path.name]


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_without_nameless_files_a_named_one_is_used(saved, monkeypatch):
    summary, path = saved
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    path.chmod(0o604)
    summary.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("nameless", [True, False])
def test_a_full_disk_leaves_the_old_file_alone(saved, monkeypatch, nameless):
    summary, path = saved
    before = path.read_bytes()
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        summary.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(
    not hasattr(os, "O_TMPFILE"), reason="needs files without a name"
)
def test_a_killed_process_leaves_nothing_behind(tmp_path):
    code = (
        "import os, numpy as np\n"
        "from perfalign.summary._storage import save_arrays\n"
        "os.fsync = lambda number: (print('written', flush=True),"
        " __import__('time').sleep(60))\n"
        f"save_arrays({str(tmp_path / 'x.npz')!r}, {{'x': np.ones(1000)}})\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert list(tmp_path.iterdir()) == []


def with_array(name, change):
    def damage(path, prefix):
        with np.load(path) as file:
            arrays = dict(file)
        arrays[prefix + name] = change(arrays[prefix + name])
        np.savez(path, **arrays)

    return damage


def without(name):
    def damage(path, prefix):
        with np.load(path) as file:
            arrays = dict(file)
        del arrays[prefix + name]
        np.savez(path, **arrays)

    return damage


def with_bytes(change):
    def damage(path, prefix):
        path.write_bytes(change(path.read_bytes()))

    return damage


def bomb(path, prefix):
    np.savez_compressed(path, R=np.zeros((2000, 2000)), n_samples=3)


def pickled(path, prefix):
    np.savez(path, R=np.array([{}], dtype=object))


def lying_header(path, prefix):
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + (
            b"{'descr': '<f8', 'fortran_order': False, "
            b"'shape': (99999999999, 999), }"
        ).ljust(117)
        + b"\n"
    )
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("R.npy", header)
        file.writestr("n_features.npy", header)


DAMAGE = {
    "empty": with_bytes(lambda b: b""),
    "text": with_bytes(lambda b: b"hello"),
    "head": with_bytes(lambda b: b[: len(b) // 2]),
    "tail": with_bytes(lambda b: b[len(b) // 2 :]),
    "cut": with_bytes(lambda b: b[:-1]),
    "flipped": with_bytes(
        lambda b: b[:300] + bytes(255 - x for x in b[300:340]) + b[340:]
    ),
    "magic": with_bytes(lambda b: b"PK\x05\x06" + b[4:]),
    "zeros": with_bytes(lambda b: bytes(len(b))),
    "bomb": bomb,
    "pickled": pickled,
    "lying header": lying_header,
    "no R": without("R"),
    "no mean": without("mean"),
    "no rest": without("rest"),
    "no count": without("n_samples"),
    "negative count": with_array("n_samples", lambda a: -5 + 0 * a),
    "no samples": with_array("n_samples", lambda a: 0 * a),
    "no number": with_array("n_samples", lambda a: a * np.nan),
    "endless count": with_array("n_samples", lambda a: a + np.inf),
    "counts": with_array("n_samples", lambda a: np.array([a, a])),
    "fractional features": with_array("n_features", lambda a: a + 0.7),
    "no features": with_array("n_features", lambda a: 0 * a),
    "one view": with_array("n_features", lambda a: a[:1]),
    "more features": with_array("n_features", lambda a: a + 1),
    "complex R": with_array("R", lambda a: a + 1j),
    "single R": with_array("R", lambda a: a.astype(np.float32)),
    "R of text": with_array("R", lambda a: a.astype(str)),
    "NaN": with_array("R", lambda a: np.nan * a),
    "infinite mean": with_array("mean", lambda a: a + np.inf),
    "flat R": with_array("R", lambda a: a.ravel()),
    "tall R": with_array("R", lambda a: np.vstack([a] * 9)),
    "wide R": with_array("R", lambda a: np.hstack([a, a])),
    "short mean": with_array("mean", lambda a: a[1:]),
    "precision": with_array("eps", lambda a: 0 * a),
    "names": with_array("view_names", lambda a: a[:1]),
    "columns": with_array("feature_names 0", lambda a: np.arange(2)),
    "items": with_array("items", lambda a: -1.0 * a),
    "no items": with_array("items", lambda a: a[:0]),
    "items twice": with_array("items", lambda a: np.repeat(a, 2)),
    "more items": with_array("items", lambda a: np.arange(9, dtype="u8")),
    "huge count": with_array("n_samples", lambda a: np.uint64(2**64 - 1)),
    "one sample": with_array("n_samples", lambda a: 1 + 0 * a),
    "coarse": with_array("eps", lambda a: 0.9 + 0 * a),
    "equal names": with_array("view_names", lambda a: a[[0, 0]]),
    "equal columns": with_array("feature_names 0", lambda a: a[[0, 0]]),
}


# Pairs are lists of views, which have no names here, and no copies.
NAMED = {"names", "columns", "items", "no items", "items twice"}
NAMED |= {"more items", "equal names", "equal columns"}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_files_are_named(saved, kind):
    path = saved[1]
    DAMAGE[kind](path, "")
    with pytest.raises(ValueError, match="summary.npz"):
        StackedSummary.load(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", sorted(DAMAGE.keys() - NAMED))
def test_damaged_files_of_pairs_are_named(tmp_path, kind):
    path = tmp_path / "pairs.npz"
    rng = np.random.default_rng(0)
    pairs = {(0, 1): [rng.normal(size=(9, d)) for d in D]}
    IncompleteSummary.from_views(pairs).save(path)
    DAMAGE[kind](path, "0-1 ")
    with pytest.raises(ValueError, match="pairs.npz"):
        IncompleteSummary.load(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_files_of_the_other_kind_are_refused(saved, tmp_path):
    with pytest.raises(ValueError, match="no IncompleteSummary.*no set"):
        IncompleteSummary.load(saved[1])
    rng = np.random.default_rng(0)
    pairs = {(0, 1): [rng.normal(size=(9, d)) for d in D]}
    IncompleteSummary.from_views(pairs).save(tmp_path / "pairs.npz")
    with pytest.raises(ValueError, match="pairs.npz holds no StackedSummary"):
        StackedSummary.load(tmp_path / "pairs.npz")
    with pytest.raises(FileNotFoundError):
        StackedSummary.load(tmp_path / "nothing.npz")
    with pytest.raises(FileNotFoundError, match="no folder .*nowhere"):
        saved[0].save(tmp_path / "nowhere" / "x.npz")


# What is computed when it is asked for


def test_what_cannot_be_computed_is_not_there():
    same = [np.ones((5, d)) for d in D]
    alignment = PerfectAlignment(1).partial_fit(same)
    assert not hasattr(alignment, "encoders_")
    with pytest.raises(AttributeError, match="view 0 does not vary"):
        alignment.encoders_  # noqa: B018
    with pytest.raises(ValueError, match="view 0 does not vary"):
        alignment.transform(same)


def test_parameters_are_those_of_the_last_fit():
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(50, d)) for d in D]
    alignment = PerfectAlignment(2).partial_fit(views)
    alignment.set_params(n_components=1, center=False)
    assert len(alignment.encoders_[0]) == 2
    wanted = PerfectAlignment(2).fit(views).transform(views)
    assert_allclose(alignment.transform(views)[0], wanted[0], atol=1e-12)


@pytest.mark.parametrize(
    "params",
    [
        {"ridge": "auto"},
        {"ridge": True},
        {"ridge": None},
        {"center": "yes"},
        {"center": 1},
        {"n_components": True},
        {"n_components": "2"},
        {"n_components": 1.0},
        {"rtol": "small"},
        {"rtol": True},
        {"gauge": "raw"},
        {"constraint": None},
    ],
)
def test_parameters_of_another_type_are_refused(params):
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(50, d)) for d in D]
    name = next(iter(params))
    alignment = PerfectAlignment(**params)
    for fit in (alignment.fit, alignment.partial_fit):
        with pytest.raises(ValueError, match=name):
            fit(views)
    assert not hasattr(alignment, "summary_")


def test_views_are_no_summary():
    with pytest.raises(ValueError, match="list; wanted a StackedSummary"):
        PerfectAlignment(1).fit_summary([np.eye(3), np.eye(3)])


@pytest.mark.parametrize("view", [True, None, 0.0, 2, -1, "seen", [0]])
def test_views_are_numbered_by_whole_numbers(view):
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(50, d)) for d in D]
    alignment = PerfectAlignment(1).fit(views)
    with pytest.raises(ValueError, match="There is no view"):
        alignment.transform_view(views[0], view)
    with pytest.raises(ValueError, match="There is no view"):
        alignment.translate(views[0], 0, view)


@pytest.mark.parametrize("dtype", [int, np.int8, complex, object, "U9"])
def test_latents_are_written_to_floats_only(dtype):
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(50, d)) for d in D]
    alignment = PerfectAlignment(1).fit(views)
    out = [np.empty((50, 1), dtype) for _ in D]
    with pytest.raises(ValueError, match="wanted 2 arrays of floats"):
        alignment.transform(views, out=out)
    with pytest.raises(ValueError, match="wanted 1 arrays of floats"):
        alignment.transform_view(views[0], 0, out=out[0])


def test_rows_of_full_precision_after_coarse_ones_keep_their_digits():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(40_000, 1))
    near = np.hstack([z, z + 1e-9 * rng.normal(size=z.shape)])
    coarse = near[:10_000].astype(np.float32)
    for weights in (np.zeros(10_000), None):
        first = StackedSummary.from_first_block([coarse, coarse], weights)
        rest = [near, near.copy()]
        if first is None:
            found = StackedSummary.from_views(rest)
        else:
            found = first.update(rest)
        weights_of_blocks = None
        if weights is not None:
            weights_of_blocks = [weights, np.ones(len(near))]
        streamed = StackedSummary.from_blocks(
            [[coarse, coarse], rest], weights_of_blocks
        )
        for one in (found, streamed):
            sigma = np.linalg.svd(one.R[:, :2], compute_uv=False)
            if weights is not None:
                assert_allclose(
                    sigma[1] / 1e-9, (len(near) / 2) ** 0.5, rtol=0.05
                )
                assert np.all(one.eps == np.finfo(float).eps)


@pytest.mark.parametrize("unit", [1e200, 1e-200])
def test_coarse_rows_beside_extreme_ones(unit):
    rng = np.random.default_rng(0)
    blocks = [[rng.normal(size=(40_000, 2)) for _ in "ab"] for _ in range(3)]
    blocks = [
        [view.astype(np.float32) for view in blocks[0]],
        *([unit * view for view in block] for block in blocks[1:]),
        [view.astype(np.float32) for view in blocks[0]],
    ]
    summary = StackedSummary.from_blocks(blocks)
    whole = [
        np.vstack([block[m].astype(float) for block in blocks])
        for m in range(2)
    ]
    scale = max(unit, 1.0)
    gram = np.hstack([view / scale for view in whole])
    gram = gram - gram.mean(axis=0)
    R = summary.R / scale
    assert_allclose(R.T @ R, gram.T @ gram, rtol=1e-10, atol=1e-9)


def test_columns_that_grow_leave_the_digits_of_others():
    rng = np.random.default_rng(0)
    n, first = 12 * 655, 655
    A = rng.normal(size=(n, 100))
    A[first:] *= 3
    A[:, 7] = 1.0
    B = np.zeros((n, 100))
    B[:first] = rng.normal(size=(first, 100))
    B[:first, 1] = B[:first, 0] + 1.5e-6 * rng.normal(size=first)
    views = [A.astype(np.float32), B.astype(np.float32)]
    fit = PerfectAlignment(1).fit(views)
    assert_array_equal(fit.ranks_, [99, 100])


def test_memory_that_nobody_wrote_is_not_computed_with(monkeypatch):
    empty_like = np.empty_like

    def garbage(*args, **kwargs):
        made = empty_like(*args, **kwargs)
        if made.dtype == float:
            made.fill(1e308)
        return made

    views = [np.random.default_rng(0).normal(size=(70_000, 2)) for _ in "ab"]
    wanted = StackedSummary.from_views(views)
    monkeypatch.setattr(np, "empty_like", garbage)
    with np.errstate(all="raise"):
        found = StackedSummary.from_views(views)
    assert_array_equal(found.R, wanted.R)


def test_a_view_of_rounding_alone_has_no_signals():
    c = np.array([[1.0], [1.0], [1 + 10 * np.finfo(float).eps]])
    rng = np.random.default_rng(0)
    for views in ([c, c.copy()], [rng.normal(size=(3, 1)), c]):
        with pytest.raises(ValueError, match="only 0 independent signals"):
            PerfectAlignment(1).fit(views)
        assert existence_report(views).shared_dimension == 0
