"""One thread for each BLAS, whoever else computes at the same time.

NumPy and SciPy bring a BLAS each, with threads of its own, which wait for the
next call by keeping a processor busy. Where the two take turns, as they do in
nearly everything here, each computes against the waiting threads of the
other, several times slower than with one thread. So every entrance of the
package that computes is decorated with `one_blas_thread`; what is large
enough to gain from threads, and uses SciPy's alone, with `scipy_threads`.
"""

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, wraps
from threading import Lock, local
from typing import Any, ParamSpec, TypeVar

import scipy.linalg  # noqa: F401  SciPy's BLAS comes with it.
from threadpoolctl import ThreadpoolController, threadpool_limits

P = ParamSpec("P")
T = TypeVar("T")

#: Where NumPy's wheels keep their BLAS.
_OF_NUMPY = re.compile(r"[\\/]numpy(\.libs|[\\/]\.dylibs)[\\/]")


class _Pool:
    """The threads of one BLAS, which the whole process shares."""

    def __init__(self, library: Any) -> None:
        self.of_numpy = bool(_OF_NUMPY.search(library.filepath))
        self.get = library.get_num_threads
        # The public one obeys no thread but the first that called it, and
        # who limits first need not be who leaves last.
        name = "_real_set_num_threads"
        self.set = getattr(library, name, library.set_num_threads)
        self.holders, self.lifters, self.found = 0, 0, 0

    def settle(self) -> None:
        """One thread while it is held and nobody lifts it, else as found."""
        limited = self.holders > 0 and self.lifters == 0
        if limited and not self.found:
            self.found = self.get()
            self._set(1)
        elif self.found and not limited:
            self._set(self.found)
            self.found = 0

    def _set(self, n_threads: int) -> None:
        # Of one thread there is nothing to limit or to restore.
        if self.found > 1:
            self.set(n_threads)


@cache
def _pools() -> list[_Pool]:
    # Limits of other libraries, as MKL, are each thread's own affair, and
    # NumPy shares these with SciPy.
    return [
        _Pool(library)
        for library in ThreadpoolController().lib_controllers
        if library.internal_api == "openblas"
        and library.threading_layer == "pthreads"
    ]


def n_threads() -> int:
    """Threads that a BLAS has while nobody limits it here.

    One, if there is no BLAS of which that is known: its own threads would
    then be in each other's way.
    """
    return min((pool.found or pool.get() for pool in _pools()), default=1)


class _Limit:
    """A limit while anybody is inside, in this thread or another.

    The limit belongs to the process. Somebody who lifts it meanwhile costs
    others time, nothing else. A generator, which leaves in the middle, is not
    to be decorated.
    """

    def __init__(self, lifts: bool) -> None:
        self.lifts = lifts

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        # It may travel to other processes, which have limits of their own:
        # it names nothing that is global.
        @wraps(function)
        def limited(*args: P.args, **kwargs: P.kwargs) -> T:
            if self._is_held():
                return function(*args, **kwargs)
            with self:
                return function(*args, **kwargs)

        return limited

    def _is_held(self) -> bool:
        """Entrances call each other; the outermost holds for all."""
        return _own.holds > 0 and not self.lifts

    def __enter__(self) -> None:
        self._move(1)

    def __exit__(self, *exception: object) -> None:
        self._move(-1)

    def _move(self, step: int) -> None:
        if not self.lifts:
            before, _own.holds = _own.holds, _own.holds + step
            if before and _own.holds:
                return
        with _lock:
            if self.lifts:
                _own.lifts += step
            for pool in _pools():
                if self.lifts and not pool.of_numpy:
                    pool.lifters += step
                else:
                    pool.holders += step
                pool.settle()


class _Own(local):
    """What this thread is inside of."""

    holds = lifts = 0


def _after_fork() -> None:
    # Of all threads only the one that forked lives on, and only what that
    # one is inside of will be left.
    if _pools.cache_info().currsize:
        for pool in _pools():
            pool.holders, pool.lifters = int(_own.holds > 0), 0
            if pool.of_numpy:
                pool.holders += _own.lifts
            else:
                pool.lifters += _own.lifts
            pool.settle()
    _lock.release()


_own = _Own()
_lock = Lock()
if hasattr(os, "register_at_fork"):
    # A child must not inherit a lock that another thread has taken.
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_after_fork,
    )

#: For what takes turns between NumPy and SciPy, or is small.
one_blas_thread = _Limit(lifts=False)

#: For what is large and uses SciPy's BLAS alone.
scipy_threads = _Limit(lifts=True)


def one_openmp_thread() -> AbstractContextManager[Any]:
    """For scikit-learn's k-means and mixtures, which are small here.

    Limits of OpenMP are each thread's own affair.
    """
    limit: AbstractContextManager[Any]
    limit = threadpool_limits(1, user_api="openmp")
    return limit
