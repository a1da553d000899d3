"""One thread for each BLAS in every entrance that computes."""

import doctest
import inspect
import multiprocessing
import os
import sys
import threading
from functools import wraps
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from sklearn.mixture import GaussianMixture
from threadpoolctl import ThreadpoolController, threadpool_limits

import perfalign
from perfalign import (
    GaussianTransfer,
    OverfitWarning,
    PerfectAlignment,
    _linalg,
    _threads,
    gauge,
    permutation_test,
)
from perfalign._threads import one_blas_thread, scipy_threads
from perfalign.datasets import make_gaussian_views

HOME = Path(perfalign.__file__).parent

ROOMS = [
    "alignment",
    "baselines",
    "datasets",
    "flows",
    "gauge",
    "metrics",
    "mixtures",
    "model_selection",
    "summary",
    "transfer",
    "transport",
]

SIGNATURE = """
as_given feature_names_of in_order joined name of only position wanted
""".split()

#: What multiplies no matrices by itself.
EXEMPT = {
    "is abstract": {
        "BaseAlignment.fit",
        "Flow.fit",
        "Flow.sample",
        "Summary.blocks",
        "Summary.degrees_of_freedom",
        "Summary.latents_of_means",
        "Summary.norms",
        "Summary.update",
        "Summary.view_blocks",
    },
    "hands on to an alignment, which is limited": {
        "MetaAlignment.decode",
        "MetaAlignment.transform",
        "MetaAlignment.transform_view",
        "ViewEncoder.fit",
        "ViewEncoder.inverse_transform",
        "ViewEncoder.transform",
    },
    "stores, reads or checks": {
        "BaseAlignment.check_fitted",
        "BaseAlignment.decode",
        "BaseAlignment.encoder",
        "ModelBridge.set_params",
        "ViewEncoder.get_params",
        "ViewEncoder.set_params",
        "WithoutNuisance.get_feature_names_out",
        "Summary.load",
        "Summary.save",
        "Summary.split",
        "as_coupling",
        "perceptron",
        "load_colours",
        "load_digit_halves",
        "load_emoji",
        "load_emoji_depths",
        "load_haxby",
        "load_mfeat",
        "load_mnist",
        "load_utd_mhad",
        "load_watch",
        *(f"Signature.{name}" for name in SIGNATURE),
    },
    "counts, adds or compares numbers": {
        "Evaluation.mean",
        "Evaluation.interval",
        "Evaluation.values",
        "IncompleteSummary.degrees_of_freedom",
        "IncompleteSummary.norms",
        "PermutationCalibration.calibrated",
        "PermutationTest.accepted",
        "StackedSummary.degrees_of_freedom",
        "StackedSummary.latents_of_means",
        "StackedSummary.norms",
        "Summary.default_rtol",
        "Summary.rounding",
        "Summary.units",
        "median_rank",
        "picture_features",
        "recall",
        "required_samples",
        "resampled_interval",
    },
}


def public(room):
    """Functions, methods and calls that a room's door leads to, by name."""
    door = import_module(f"perfalign.{room}")
    for name in door.__all__:
        thing = getattr(door, name)
        if not isinstance(thing, type):
            yield name, thing
            continue
        for method, function in inspect.getmembers(thing, inspect.isroutine):
            module = getattr(function, "__module__", None) or ""
            if module.startswith("perfalign.") and (
                method == "__call__" or not method.startswith("_")
            ):
                yield function.__qualname__, function


def is_limited(function):
    while function is not None:
        cells = getattr(function, "__closure__", None) or ()
        if any(isinstance(c.cell_contents, _threads._Limit) for c in cells):
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def test_every_entrance_that_computes_is_limited():
    found = {
        name: is_limited(function)
        for room in ROOMS
        for name, function in public(room)
    }
    exempt = set().union(*EXEMPT.values())
    assert {name for name, limited in found.items() if not limited} == exempt
    # Nothing that is left in the middle.
    assert not [
        name
        for room in ROOMS
        for name, function in public(room)
        if inspect.isgeneratorfunction(inspect.unwrap(function))
    ]


@pytest.fixture
def pools():
    """The pools of NumPy and SciPy, with two threads each."""
    pools = _threads._pools()
    before = [pool.get() for pool in pools]
    for pool in pools:
        pool.set(2)
    yield pools
    for pool, number in zip(pools, before):
        pool.set(number)


def numbers(pools):
    return [pool.get() for pool in pools]


@pytest.fixture
def unlimited(pools, monkeypatch):
    """Calls that the package makes while NumPy's pool has two threads."""
    found = set()

    def watched(function):
        @wraps(function)
        def call(*args, **kwargs):
            frame = sys._getframe(1)
            if Path(frame.f_code.co_filename).is_relative_to(HOME):
                if any(p.get() > 1 for p in pools if p.of_numpy):
                    place = frame.f_code.co_qualname
                    found.add((place, function.__name__))
            return function(*args, **kwargs)

        return call

    for module in (np.linalg, scipy.linalg):
        for name in module.__all__:
            function = getattr(module, name)
            if inspect.isfunction(inspect.unwrap(function)):
                monkeypatch.setattr(module, name, watched(function))
    monkeypatch.setattr(np, "einsum", watched(np.einsum))
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_no_example_decomposes_with_more_threads(room, unlimited):
    runner = doctest.DocTestRunner(verbose=False)
    door = import_module(f"perfalign.{room}")
    for name in door.__all__:
        thing = getattr(door, name)
        module = sys.modules[thing.__module__]
        for test in doctest.DocTestFinder().find(thing, name, module):
            runner.run(test, out=lambda text: None)
    assert runner.tries or room == "datasets"
    assert not unlimited


# The limit itself


def test_limits_are_restored(pools):
    for outer in (one_blas_thread, scipy_threads):
        for inner in (one_blas_thread, scipy_threads):
            with outer, inner, outer:
                assert all(p.get() == 1 for p in pools if p.of_numpy)
                lifted = scipy_threads in (outer, inner)
                assert all(
                    pool.get() == 1 + lifted
                    for pool in pools
                    if not pool.of_numpy
                )
            assert numbers(pools) == [2] * len(pools)


def test_threads_at_hand_are_those_that_somebody_else_allows(pools):
    assert _threads.n_threads() == 2
    with one_blas_thread:
        assert _threads.n_threads() == 2
        with scipy_threads:
            assert _threads.n_threads() == 2
    with threadpool_limits(1):
        assert _threads.n_threads() == 1
        with one_blas_thread:
            assert _threads.n_threads() == 1
    assert _threads.n_threads() == 2


def test_one_thread_is_left_alone(pools, monkeypatch):
    with threadpool_limits(1), monkeypatch.context() as patch:
        for pool in pools:
            patch.setattr(pool, "set", None)
        with one_blas_thread, scipy_threads:
            assert numbers(pools) == [1] * len(pools)
    assert numbers(pools) == [2] * len(pools)


def test_threads_of_an_unknown_library_are_left_alone(monkeypatch):
    monkeypatch.setattr(_threads, "_pools", list)
    assert _threads.n_threads() == 1


def test_limits_are_restored_after_an_error(pools):
    @one_blas_thread
    def fails():
        with scipy_threads:
            raise KeyError(*numbers(pools))

    with pytest.raises(KeyError):
        fails()
    assert numbers(pools) == [2] * len(pools)


def test_who_limits_first_need_not_leave_last(pools):
    inside, leave = threading.Barrier(2), threading.Event()

    def other():
        with one_blas_thread:
            inside.wait()
            leave.wait()

    with one_blas_thread:
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait()
    assert numbers(pools) == [1] * len(pools)
    leave.set()
    thread.join()
    assert numbers(pools) == [2] * len(pools)


def test_many_threads_restore_what_they_found(pools):
    seen = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(200):
            with one_blas_thread:
                seen.extend(p.get() for p in pools if p.of_numpy)
                if rng.random() < 0.5:
                    with scipy_threads:
                        pass

    threads = [threading.Thread(target=work, args=[i]) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) <= {1}
    assert numbers(pools) == [2] * len(pools)


def _threads_of_child(connection):
    with one_blas_thread:
        inside = numbers(_threads._pools())
    connection.send((inside, numbers(_threads._pools())))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_limits_and_restores(pools):
    mine, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(
        target=_threads_of_child, args=[theirs]
    )
    child.start()
    assert mine.poll(60)
    assert mine.recv() == ([1] * len(pools), [2] * len(pools))
    child.join()


def test_only_large_decompositions_are_lifted(pools, monkeypatch):
    monkeypatch.setattr(_linalg, "LARGE", 20)
    seen = []
    for module, name in [
        (_linalg.lapack, "dgesdd"),
        (scipy.linalg, "eigh"),
        (np.linalg, "eigh"),
    ]:
        function = getattr(module, name)

        def watched(*args, function=function, **kwargs):
            seen.append([p.get() for p in pools if not p.of_numpy])
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, watched)
    rng = np.random.default_rng(0)
    n_pools = len([pool for pool in pools if not pool.of_numpy])
    for d in (19, 20):
        A = rng.normal(size=(d, d))
        S = A @ A.T
        with one_blas_thread:
            U, s, Vt = _linalg.svd(A)
            values, vectors = _linalg.eigh(S)
        np.testing.assert_allclose(U * s @ Vt, A, atol=1e-12)
        np.testing.assert_allclose(vectors * values @ vectors.T, S, atol=1e-11)
        assert seen == [[1 + (d >= 20)] * n_pools] * 2
        seen.clear()


def test_permutations_switch_no_threads(pools, monkeypatch):
    switches = []
    for pool in pools:
        monkeypatch.setattr(
            pool, "set", lambda n, to=pool.set: (switches.append(n), to(n))
        )
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(60, 4)) for _ in "ab"]
    counts = []
    for n_permutations in (19, 199):
        permutation_test(
            PerfectAlignment(2),
            views,
            n_permutations=n_permutations,
            random_state=0,
        )
        counts.append(len(switches))
        switches.clear()
    assert counts[0] == counts[1] > 0


def test_a_fit_moves_the_limit_once(monkeypatch):
    views = make_gaussian_views(200, (3, 4, 3), random_state=0).views
    moves = []
    move = _threads._Limit._move

    def counted(limit, step):
        moves.append(step)
        move(limit, step)

    monkeypatch.setattr(_threads._Limit, "_move", counted)
    PerfectAlignment(2).fit(views)
    PerfectAlignment(2, ridge=0.1).fit(views)
    assert moves == [1, -1, 1, -1]


@pytest.mark.parametrize("entrance", ["gauge.mixture", "fit_unlabelled"])
def test_a_mixture_is_fitted_with_one_openmp_thread(monkeypatch, entrance):
    controller = ThreadpoolController().select(user_api="openmp")
    seen = []
    usual = GaussianMixture.fit

    def watched(*args):
        seen.extend(one["num_threads"] for one in controller.info())
        return usual(*args)

    monkeypatch.setattr(GaussianMixture, "fit", watched)
    means, weights = [[-4, 0], [4, 0], [0, 6]], [0.5, 0.3, 0.2]
    data = make_gaussian_views(
        400, means=means, weights=weights, random_state=0
    )
    alignment = PerfectAlignment(2).fit(data.views)
    with controller.limit(limits=2):
        if entrance == "gauge.mixture":
            gauge.mixture(
                alignment, data.views, data.means, data.covariances, weights
            )
        else:
            X = data.views[0]
            GaussianTransfer(alignment).fit_unlabelled(X, X[:3], [0, 1, 2])
        after = [one["num_threads"] for one in controller.info()]
    assert set(seen) == {1}
    assert set(after) == {2}


def test_warnings_name_who_asked():
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(5, 6)) for _ in "ab"]
    for ask in (
        lambda fit: fit.transform(views),
        lambda fit: fit.encoders_,
        lambda fit: fit.score(views),
        lambda fit: PerfectAlignment(1).fit(views),
    ):
        with pytest.warns(OverfitWarning) as found:
            ask(PerfectAlignment(1).partial_fit(views))
        assert {warning.filename for warning in found} == {__file__}


def test_what_is_computed_late_is_limited_too(pools, monkeypatch):
    rng = np.random.default_rng(0)
    fit = PerfectAlignment(1).fit([rng.normal(size=(50, 3)) for _ in "ab"])
    seen = []
    usual = _linalg.np.linalg.svd

    def watched(*args, **kwargs):
        seen.append([pool.holders for pool in pools])
        return usual(*args, **kwargs)

    monkeypatch.setattr(_linalg.np.linalg, "svd", watched)
    assert len(fit.explained_variance_) == 2
    assert all(min(holders) > 0 for holders in seen)
