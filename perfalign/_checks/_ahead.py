"""The disk reads the next rows while these are computed with."""

import mmap
from contextlib import suppress
from typing import Any

import numpy as np

#: Bytes asked for at a time: of more, Linux may read no more than so many.
PIECE = 2**17
#: How many times what is wanted may be asked for.
MOST = 4


def read_ahead(view: Any, rows: slice) -> None:
    """Ask the system for rows of an array on disk, and do not wait for them.

    By itself it reads ahead some 100 kB, and the disk rests while a slab of
    rows is computed with. A thread that reads waits for Python, which most
    calls of BLAS keep for themselves; the system does not. What it has read
    is in its cache: this process holds no more than before.

    Nothing happens for other arrays, for those whose rows do not lie one
    after another, and where the system cannot be asked.

    Parameters
    ----------
    view : array-like of shape (n_samples, n_features)
    rows : slice
        They need not all exist.
    """
    if not (isinstance(view, np.memmap) and hasattr(mmap, "MADV_WILLNEED")):
        return
    file: Any = view
    while isinstance(file, np.ndarray):
        file = file.base
    wanted, (row, column) = view[rows], view.strides
    # What lies between the rows would be read, too.
    near = abs(column) <= row <= MOST * view.itemsize * view.shape[1]
    if not (near and len(wanted) and isinstance(file, mmap.mmap)):
        return
    start = wanted.ctypes.data - np.frombuffer(file, np.uint8).ctypes.data
    stop = min(start + len(wanted) * row, len(file))
    with suppress(OSError):
        for at in range(start - start % mmap.PAGESIZE, stop, PIECE):
            file.madvise(mmap.MADV_WILLNEED, at, min(PIECE, stop - at))
