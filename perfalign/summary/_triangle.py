r"""One pass over many rows to the factor of their centred stack.

Rows come in chunks. Those that no other way is right for are eliminated by
Householder's reflections, which change the factor R of the rows before them
in place (LAPACK's `tpqrt`). Each chunk is centred about its own mean; one more
row carries what the two means differ by,

.. math:: \sqrt{\tfrac{n_a n_b}{n_a + n_b}}\,(\mu_a - \mu_b)^\top ,

so that R is that of all rows about the mean of all of them. Rows that are
fewer than the features stay as they are, centred. Reflections keep
singular values far below the root of the rounding error, which a Gram matrix
would lose, and need no more memory than R and the chunk. The faster way, for
most rows, is `Accumulation`.

What a chunk adds to it does not depend on other chunks. So while this thread
checks the next rows, others compute it, each with one thread of BLAS, and it
is added in the order of the rows: how many threads there are changes no bit.
This thread takes part where it would wait, lest there should be more threads
than processors.
Coordinates that have become too small are left so many chunks later as can be
ahead, however many are. Where a chunk does not belong, what was computed ahead
is computed again.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from math import inf
from typing import Literal

import numpy as np

from perfalign._linalg import threads_for, two_sum
from perfalign._threads import n_threads
from perfalign._types import Array, Floats
from perfalign.summary._accumulation import Accumulation, Products
from perfalign.summary._chunk import Chunk
from perfalign.summary._coordinates import coordinates_after
from perfalign.summary._reflections import eliminated, reduced, triangular
from perfalign.summary._task import Task

#: Bytes of a chunk, which the cache keeps between the steps.
CHUNK = 2**20
#: Products of two numbers of a row in the first chunk, which is reflected: to
#: accumulate has to be begun and ended, which takes as long as these.
FIRST = 2**20
#: Rows in a chunk at least: to mirror a Gram matrix takes as long as some.
ROWS = 1024
#: With more features the chunks that repay accumulation take more memory
#: than the factor. Then there are so many rows in a chunk at least: R passes
#: through the memory once for each.
NARROW, WIDE_ROWS = 2048, 128
#: Products of two numbers of a row, in all rows, that repay no thread, and
#: threads that one more, which checks the rows, can keep busy.
FEW, MOST_OTHERS = 2**25, 4
#: Chunks that wait for a thread, lest a thread should wait for a chunk, and
#: how many can be ahead in all.
WAITING = 2
MOST_AHEAD = MOST_OTHERS + WAITING


class CentredTriangle:
    """Factor and mean of all rows added so far.

    Parameters
    ----------
    R : ndarray of shape (p, d)
        Factor of earlier rows, or no rows.
    mean, rest : ndarray of shape (d,)
        Their mean is `mean + rest`, which is more than one number can hold.
        Without earlier rows `mean` is any point near the data.
    n : float
        Their number, or the sum of their weights.
    """

    def __init__(self, R: Array, mean: Array, rest: Array, n: float):
        # A copy: it will be overwritten.
        self.R = np.array(R, order="F")
        if len(R) == len(mean):
            self.R = triangular(self.R)
        self.origin, self.rest, self.n = mean, rest, n
        self.chunk = Chunk()
        self.accumulation: Accumulation | None = None
        # Chunks of which what they add is still to come.
        self.ahead: deque[tuple[Chunk, Task[Products]]] = deque()
        # How many more chunks may use these coordinates.
        self.n_left = inf
        self.n_rows = self.n_expected = 0
        self.pool: ThreadPoolExecutor | None = None

    def expect(self, n_rows: int) -> None:
        """Prepare for so many rows.

        Wide ones, which will become R, are given room if they are few.
        """
        self.n_expected, d = n_rows, len(self.origin)
        if self._wide and not self.n and not self.chunk.filled:
            n_rows = min(n_rows, self._wanted())
            room = np.empty((n_rows, d), order=self._order(n_rows))
            self.chunk = Chunk(room)

    def add(
        self,
        columns: Sequence[Floats],
        weights: Array | None = None,
        coarse: bool = False,
    ) -> None:
        """Add rows, given as blocks of columns that lie side by side.

        They are to stay as they are until `keep` or `result` is called.

        Parameters
        ----------
        columns : sequence of ndarray of shape (n_rows, d_m)
        weights : ndarray of shape (n_rows,), default=None
        coarse : bool, default=False
            Whether they are known to single precision at most.
        """
        start, stop = 0, len(columns[0])
        self.n_rows += stop
        while start < stop:
            wanted = self._wanted(coarse)
            end = min(stop, start + wanted - self.chunk.filled)
            # Of single precision there may be more rows than that already.
            if end > start:
                rows = slice(start, end)
                self.chunk.add(
                    [block[rows] for block in columns],
                    None if weights is None else weights[rows],
                    coarse,
                )
                start = end
            if self.chunk.filled >= wanted:
                self._hand_on()

    def keep(self) -> None:
        """Have done with the memory of all rows so far."""
        while self.ahead:
            self._collect()
        self.chunk.keep()

    def result(self) -> tuple[Array, Array, Array, float]:
        """The factor, the two parts of the mean, and the number of rows."""
        if self.chunk.filled:
            self._hand_on()
        self._settle()
        if self.pool is not None:
            self.pool.shutdown()
            self.pool = None
        return self.R, self.origin, self.rest, self.n

    def _wanted(self, coarse: bool = False) -> int:
        """Rows of a chunk: so many, at first, that R becomes square."""
        d = len(self.origin)
        if self._wide:
            return max(WIDE_ROWS, d - len(self.R))
        if self.n:
            return max(CHUNK // ((4 if coarse else 8) * d), d, ROWS)
        return max(min(CHUNK // (8 * d), FIRST // d**2), 2 * d)

    @property
    def _wide(self) -> bool:
        return len(self.origin) > NARROW

    def _order(self, n_rows: int) -> Literal["C", "F"]:
        """Fortran's for rows that will be factored where they lie."""
        return "F" if not self.n and n_rows >= len(self.origin) else "C"

    @cached_property
    def n_others(self) -> int:
        """Threads that compute what is accumulated, beside this one."""
        return min(n_threads() - 1, MOST_OTHERS)

    def _hand_on(self) -> None:
        """Take in the chunk, and begin another."""
        chunk, self.chunk = self.chunk, Chunk()
        self._take(chunk)

    def _take(self, chunk: Chunk) -> None:
        while self._leaves(chunk):
            # One of those ahead may not belong, and leave them earlier.
            if self.ahead:
                self._collect()
            else:
                self._settle()
        if self.accumulation is None:
            self._begin(chunk)
        if self.accumulation is None:
            self._reflect(chunk)
            return
        products = partial(self.accumulation.products, chunk)
        self.ahead.append((chunk, Task(products, self._pool())))
        self.n_left -= 1
        most = self.n_others + WAITING if self.n_others else 0
        while len(self.ahead) > most:
            self._collect()

    def _leaves(self, chunk: Chunk) -> bool:
        """Whether this chunk needs other coordinates than those before."""
        if self.accumulation is None:
            return False
        coarse = self.accumulation.coordinates.coarse
        return self.n_left <= 0 or (coarse and not chunk.coarse)

    def _begin(self, chunk: Chunk) -> None:
        """Begin to accumulate, if that is the way for such rows."""
        if not self.n or self._wide:
            return
        # To begin costs more than it saves on few rows.
        d = len(self.origin)
        if chunk.filled < min(2 * d, self._wanted(chunk.coarse)):
            return
        with threads_for(d):
            self.R = triangular(self.R)
            coordinates = coordinates_after(self.R, self.n, chunk.coarse)
            if coordinates is None:
                return
            if coordinates.dtype is np.float32:
                # Such rows are moved by a number of their own precision.
                single = self.origin.astype(np.float32).astype(np.float64)
                self.rest = self.rest + (self.origin - single)
                self.origin = single
            self.accumulation = Accumulation(
                self.R, self.origin, self.rest, self.n, coordinates
            )

    def _pool(self) -> ThreadPoolExecutor | None:
        """Other threads, if there are enough rows for them."""
        n_rows = max(self.n_rows, self.n_expected)
        if not self.n_others or n_rows * len(self.origin) ** 2 <= FEW:
            return None
        if self.pool is None:
            self.pool = ThreadPoolExecutor(self.n_others)
        return self.pool

    def _collect(self) -> None:
        """Add what the first chunk ahead adds, or take its rows otherwise."""
        assert self.accumulation is not None
        chunk, products = self.ahead.popleft()
        others = [task for _, task in reversed(self.ahead)]
        if self.accumulation.add(products.result(others)):
            if self.accumulation.full:
                left = MOST_AHEAD - len(self.ahead)
                self.n_left = min(self.n_left, left)
            return
        # What others add was computed for what is no more.
        ahead, self.ahead = self.ahead, deque()
        for _, products in ahead:
            products.give_up()
        outgrown = self.n_left < inf
        self._settle()
        if outgrown:
            self._take(chunk)
        else:
            self._reflect(chunk)
        for other, _ in ahead:
            self._take(other)

    def _settle(self) -> None:
        """Turn what was accumulated into R, about the mean of all rows."""
        while self.ahead:
            self._collect()
        if self.accumulation is not None:
            # Nobody computes ahead now, and would wait for these threads.
            with threads_for(len(self.origin)):
                self.R, self.rest, self.n = self.accumulation.result()
            self.accumulation, self.n_left = None, inf
            self._move_origin(0.0)

    def _reflect(self, chunk: Chunk) -> None:
        d, rows = len(self.origin), chunk.room
        if rows is None or len(rows) != chunk.filled:
            rows = np.empty((chunk.filled, d), order=self._order(chunk.filled))
            chunk.rows(rows)
        rows -= self.origin
        if chunk.weighted:
            weights = chunk.weights()
            total = float(weights.sum())
            shares = weights / total
        else:
            total, shares = float(chunk.filled), np.empty(chunk.filled)
            shares.fill(1 / total)
        # The second time, what rounding in the first mean has left over.
        first, second = _centre(rows, shares), _centre(rows, shares)
        if chunk.weighted:
            rows *= np.sqrt(weights)[:, np.newaxis]
        # From the mean so far to that of these rows.
        step, n = first + second - self.rest, self.n + total
        if self.n:
            below = np.empty((len(rows) + 1, d), order="F")
            below[:-1], below[-1] = rows, np.sqrt(self.n / n * total) * step
            rows = below
            # To that of all.
            step *= total / n
        with threads_for(d):
            if len(self.R) == d:
                self.R = eliminated(self.R, rows)
            else:
                rows = np.vstack([self.R, rows]) if self.n else rows
                self.R = reduced(rows)
        self._move_origin(step)
        self.n = n

    def _move_origin(self, step: Array | float) -> None:
        """To the mean, but for what a single number cannot hold of it."""
        self.origin, self.rest = two_sum(self.origin, self.rest + step)


def _centre(rows: Array, shares: Array) -> Array:
    """Subtract the weighted mean from rows, in place, and return it."""
    mean: Array = shares.dot(rows)
    rows -= mean
    return mean
