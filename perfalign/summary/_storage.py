"""Arrays kept in one file, without pickle."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


def save_arrays(path: str | os.PathLike[str], arrays: dict[str, Any]) -> None:
    """Write named arrays to an npz file, whole or not at all.

    Until the new file is complete the old one stays as it was. The new one
    takes over its permissions, and a link goes on leading to it.
    """
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent}.")
    with _replacing(path) as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `path` if the block succeeds.

    Where the system has files without a name, it has none until it is
    complete: if the process is killed nothing is left behind.
    """
    try:
        number = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except (AttributeError, OSError):
        with _part(path) as file:
            os.chmod(file.name, _mode(path))
            yield file
        return
    with os.fdopen(number, "wb") as file:
        yield file
        os.chmod(number, _mode(path))
        with _part(path) as name:
            # Only a name that nobody has can be given.
            os.unlink(name.name)
            # The path is absolute; a directory makes Python follow its link.
            os.link(f"/proc/self/fd/{number}", name.name, src_dir_fd=number)


@contextmanager
def _part(path: Path) -> Iterator[Any]:
    """A named file beside `path` that replaces it if the block succeeds."""
    with NamedTemporaryFile(
        dir=path.parent, prefix=path.name, suffix=".part", delete=False
    ) as file:
        try:
            yield file
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def load_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The named arrays of a file that `save_arrays` wrote.

    Raises
    ------
    ValueError
        If the file is damaged or is something else; the message names it.
    """
    with open(path, "rb") as file:
        try:
            packed = [
                member.filename
                for member in zipfile.ZipFile(file).infolist()
                if member.compress_type != zipfile.ZIP_STORED
            ]
            # What is stored as it is cannot be larger than the file.
            if packed:
                raise ValueError(f"{packed[0]} is compressed")
            file.seek(0)
            return dict(np.load(file, allow_pickle=False))
        except Exception as error:
            # Damage makes the readers say almost anything.
            raise ValueError(
                f"{path} is damaged, or is no file of this kind: {error}"
            ) from error


def checked(
    arrays: dict[str, NDArray[Any]],
    name: str,
    kinds: str,
    ndim: int,
    shape: tuple[int, ...] | None = None,
) -> NDArray[Any]:
    """An array of a file, if it is of a kind that it can be."""
    array = arrays[name]
    kind = array.dtype.kind
    right = kind in kinds and array.ndim == ndim
    if kind == "f":
        right = right and array.dtype == float and np.isfinite(array).all()
    if not right or shape not in (None, array.shape):
        raise ValueError(
            f"{name} is an array of {array.dtype} of shape {array.shape}, "
            "which it cannot be."
        )
    return array
