"""A call that another thread computes, or this one rather than wait."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from typing import Generic, TypeVar

T = TypeVar("T")


class Task(Generic[T]):
    """A call, which the threads of a pool may compute.

    Parameters
    ----------
    call : callable
    pool : Executor or None
        Without one it is computed where the result is asked for.
    """

    def __init__(self, call: Callable[[], T], pool: Executor | None):
        self.call = call
        self.future: Future[T] = Future()
        if pool is not None:
            self.future = pool.submit(call)

    def compute(self) -> None:
        """Compute it here, unless somebody has begun."""
        if self.future.cancel():
            self.future = Future()
            self.future.set_result(self.call())

    def result(self, others: Iterable["Task[T]"] = ()) -> T:
        """What the call returns; others are computed rather than wait."""
        self.compute()
        for task in others:
            if self.future.done():
                break
            task.compute()
        return self.future.result()

    def give_up(self) -> None:
        """Nobody computes it any more, and nobody wants the result."""
        if not self.future.cancel():
            wait([self.future])
