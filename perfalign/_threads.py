"""One thread for small matrices, whoever else computes at the same time."""

from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

_libraries = cache(ThreadpoolController)


class _OneThread:
    """Limit the BLAS libraries to one thread while anybody is inside.

    The limit belongs to the process. Whoever comes first remembers what was
    there and sets it; whoever leaves last restores it.
    """

    def __init__(self) -> None:
        self.lock, self.inside = Lock(), 0
        self.limit: Any = None

    def __enter__(self) -> None:
        with self.lock:
            if self.inside == 0:
                self.limit = _libraries().limit(limits=1)
            self.inside += 1

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limit.restore_original_limits()


one_blas_thread = _OneThread()
