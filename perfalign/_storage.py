"""Arrays kept in one file, without pickle."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np


def save_arrays(path, arrays):
    """Write named arrays to an npz file, whole or not at all.

    Until the new file is complete the old one stays as it was.
    """
    path = Path(path)
    with NamedTemporaryFile(
        dir=path.parent, prefix=path.name, suffix=".part", delete=False
    ) as file:
        try:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise
    os.replace(file.name, path)


def load_arrays(path):
    """The named arrays of a file that `save_arrays` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)
