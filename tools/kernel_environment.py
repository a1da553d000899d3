"""What the kernels of chapters inherit, whether a run is stored or tested.

Two threads wait for each other longer than they compute on matrices as small
as these, and on a busy machine far longer. So each library gets one thread,
whatever the shell says: each obeys a variable of its own before the common
one. ``PERFALIGN_THREADS=2 make test`` asks for another number; no result
depends on it.
"""

import os

VARIABLES = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
]


def settle():
    """Set the environment; the number of threads."""
    threads = os.environ.get("PERFALIGN_THREADS", "1")
    os.environ.update(dict.fromkeys(VARIABLES, threads))
    # The kernel chooses the inline backend itself unless told otherwise.
    os.environ.pop("MPLBACKEND", None)
    return int(threads)
