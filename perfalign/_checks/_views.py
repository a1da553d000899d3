"""What every entrance of the package asks of its views.

An array says less than the object that it is made of. Here the type is heard
before it is dropped: hidden values, dates, texts, names.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import check_array

from perfalign._checks._ahead import read_ahead
from perfalign._checks._names import (
    SHOWN,
    Signature,
    as_list,
    check_names,
    check_row_labels,
    column_names,
    is_frame,
)
from perfalign._types import Array

FLOAT64_EPS = float(np.finfo(np.float64).eps)
FLOAT32_EPS = float(np.finfo(np.float32).eps)

#: Numbers that are checked and converted at a time.
SLAB = 2**19

#: What the letters of NumPy's types mean, of those that are no real numbers.
KINDS = {
    "c": "complex numbers",
    "M": "dates",
    "m": "spans of time",
    "S": "text",
    "U": "text",
    "T": "text",
    "V": "records",
}


#: Rows, these rows of all views, and the precision of each view, or of its
#: columns.
Slab: TypeAlias = tuple[slice, list[Array], list[float | Array]]


def check_view(
    view: Any,
    name: str,
    *,
    n_features: int | None = None,
    columns: Sequence[str] | None = None,
    allow_empty: bool = False,
    single: bool = False,
) -> tuple[Array, float]:
    """Return `view` as a finite float64 matrix and the precision it came in.

    Parameters
    ----------
    view : array-like of shape (n_samples, n_features)
        Real numbers, none of them hidden; a data frame will do.
    name : str
        How error messages call this view.
    n_features : int, default=None
        Number of columns wanted; any if None.
    columns : sequence of str, default=None
        Names wanted of the columns, in order. A view without names is taken
        by position.
    allow_empty : bool, default=False
        Whether no rows will do.
    single : bool, default=False
        Whether an array of float32 may stay as it is.

    Returns
    -------
    view : ndarray of float64, or of float32 where that may stay
    eps : float
        Relative rounding error of the type in which the numbers were stored.

    Raises
    ------
    ValueError
        For anything else than a non-empty matrix of finite real numbers that
        are all visible, or when the columns are not those wanted.
    """
    if _is_plain(view):
        eps = _rounding(view.dtype)
        if not single:
            view = view.astype(np.float64, copy=False)
    else:
        view = at_hand(view)
        check_names(column_names(view, name), columns, name)
        check_hidden(view, name)
        least = 0 if allow_empty else 1
        try:
            if is_frame(view):
                stored = _column_types(view, name)
            else:
                view = check_array(view, dtype=None, ensure_min_samples=least)
                stored = [view.dtype]
                check_kind(view, name)
            view = check_array(
                view, dtype=np.float64, ensure_min_samples=least
            )
        except (ValueError, TypeError) as error:
            raise named(error, name) from error
        eps = max(map(_rounding, stored))
    if n_features is not None and view.shape[1] != n_features:
        raise ValueError(
            f"{name} has shape {view.shape}, but {n_features} features (the "
            "number of columns) are wanted, as in the fit."
        )
    return view, eps


def _is_plain(view: Any) -> bool:
    """Whether nothing remains to be asked: a matrix of finite floats."""
    return (
        type(view) is np.ndarray
        and view.dtype in (np.float64, np.float32)
        and view.ndim == 2
        and view.size > 0
        and _is_finite(view)
    )


def _is_finite(view: Array) -> bool:
    # What is not finite, or too large to be squared, leaves a sum of squares
    # that is not; to sum them is faster than to ask each number.
    if view.flags.forc:
        flat = view.ravel(order="K")
        # `dot` would warn of what is too large.
        if isfinite(np.vdot(flat, flat)):
            return True
    return bool(np.isfinite(view).all())


def precision(view: Any) -> float | Array:
    """Rounding error of a view's type, or of each column's of a data frame.

    Of what holds no numbers, such as texts, it is that of float64.

    Returns
    -------
    eps : float or ndarray of shape (n_features,)
    """
    if is_frame(view):
        return np.array(list(map(_rounding, view.dtypes)))
    return _rounding(getattr(view, "dtype", None))


def latent_dtype(view: Any) -> np.dtype[Any]:
    """The type of what is computed from a view: single for single."""
    single = np.min(precision(view)) >= FLOAT32_EPS
    return np.dtype(np.float32 if single else np.float64)


def in_double(view: Any) -> Any:
    """A view of single precision in double, and any other as it is.

    Latents may lie far from 0: what is computed from them should not go
    through single precision.
    """
    if latent_dtype(view) == np.float32:
        return view.astype(np.float64)
    return view


def check_views(
    views: Any, *, like: Signature | None = None
) -> tuple[list[Array], float]:
    """Validate two or more paired views of the same samples.

    Parameters
    ----------
    views : list or dict of array-like of shape (n_samples, n_features_m)
        Row i of every view belongs to the same item.
    like : Signature, default=None
        What the views should be; any if None.

    Returns
    -------
    views : list of ndarray of float64
    eps : float
        The coarsest precision among the views.

    Raises
    ------
    ValueError
        Says which view, what was seen and what was wanted.
    """
    views, view_names = listed(views, like)
    names = called(view_names, len(views))
    checked, eps = zip(
        *(
            check_view(view, name, **wanted)
            for view, name, wanted in zip(views, names, _wanted(views, like))
        )
    )
    _check_rows(views, checked, names)
    return list(checked), max(eps)


def check_width(given: Sequence[Any], names: Sequence[str]) -> list[Array]:
    """Two matrices with as many columns, of rows that need not be paired."""
    first, second = (check_view(X, name)[0] for X, name in zip(given, names))
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{names[0]} has {first.shape[1]} columns and {names[1]} has "
            f"{second.shape[1]}; wanted as many."
        )
    return [first, second]


def check_paired(views: Any) -> tuple[list[Any], Signature, int]:
    """Validate paired views of any kind, such as lists of texts.

    Parameters
    ----------
    views : list or dict of sequence of length n_samples
        Element i of every view belongs to the same item.

    Returns
    -------
    views : list
        As they came.
    signature : Signature
        Of any features: only those who read the views can tell.
    n_samples : int

    Raises
    ------
    ValueError
        If there are fewer than two views, one is masked and hides values, or
        if they differ in their numbers or labels of rows.
    """
    given, view_names = listed(views)
    names = called(view_names, len(given))
    # Rows are taken of them, which not every sparse format lets one do.
    given = [view.tocsr() if issparse(view) else view for view in given]
    lengths = [n_rows(view, name) for view, name in zip(given, names)]
    check_lengths(lengths, names)
    check_row_labels(given, names)
    for view, name in zip(given, names):
        check_hidden(view, name)
    anything: Any = (None,) * len(given)
    return given, Signature(anything, anything, view_names), lengths[0]


def view_slabs(
    views: Any, *, like: Signature | None = None, **allowed: bool
) -> Iterator[Slab]:
    """Validate paired views as `check_views` does, some rows at a time.

    Arrays on disk are never read into memory as a whole, and of a sparse
    view only these rows are made dense. Views without rows give one slab
    without rows, if they are allowed; for what is, see `check_view`.

    Yields
    ------
    rows : slice
    views : list of ndarray of float64, or of float32 where that may stay
        These rows of all views.
    eps : list of (float or ndarray of shape (n_features_m,))
        The precision of each view, or of its columns.
    """
    views, names = listed(views, like)
    yield from slabs(views, called(names, len(views)), like, **allowed)


def slabs(
    views: Sequence[Any],
    names: Sequence[str],
    like: Signature | None = None,
    *,
    allow_empty: bool = False,
    single: bool = False,
) -> Iterator[Slab]:
    """As `view_slabs`, for a list of any number of views with names."""
    wanted = _wanted(views, like)
    sources = [
        _sliceable(view, name, allow_empty=allow_empty, **kwargs)
        for view, name, kwargs in zip(views, names, wanted)
    ]
    _check_rows(views, sources, names)
    eps = list(map(precision, views))
    step = max(SLAB // max(sum(view.shape[1] for view in sources), 1), 1)
    for start in range(0, max(sources[0].shape[0], 1), step):
        rows = slice(start, start + step)
        ahead = slice(start + step, start + 2 * step)
        for view in sources:
            read_ahead(view, ahead)
        parts = [
            check_view(
                _dense(view[rows]),
                name,
                n_features=kwargs["n_features"],
                allow_empty=allow_empty,
                single=single,
            )[0]
            for view, name, kwargs in zip(sources, names, wanted)
        ]
        yield rows, parts, eps


def named(error: Exception, name: str) -> ValueError:
    """The error, as a ValueError that begins with the name of its cause."""
    said = str(error)
    return ValueError(said if said.startswith(name) else f"{name}: {said}")


def at_hand(view: Any) -> Any:
    """What a Dask collection stands for; anything else as it is."""
    return view.compute() if hasattr(view, "__dask_graph__") else view


def listed(
    views: Any, like: Signature | None = None
) -> tuple[list[Any], tuple[str, ...] | None]:
    """Two or more views in order, and their names, if they have some."""
    if like is None:
        views, names = as_list(views)
    else:
        views, names = like.in_order(views), like.view_names
    if len(views) < 2:
        raise ValueError(
            f"Alignment needs at least two views; seen {len(views)}."
        )
    return views, names


def called(view_names: Sequence[str] | None, n_views: int) -> list[str]:
    """How messages call views."""
    return [f"view {name!r}" for name in view_names or range(n_views)]


def _wanted(
    views: Sequence[Any], like: Signature | None
) -> list[dict[str, Any]]:
    if like is None:
        return [{"n_features": None}] * len(views)
    return [like.wanted(m) for m in range(len(views))]


def _sliceable(view: Any, name: str, **wanted: Any) -> Any:
    """What rows can be cut from: arrays as they are, all else converted."""
    if isinstance(view, np.ndarray) and view.ndim == 2:
        return view
    if issparse(view) and view.ndim == 2:
        return view.tocsr()
    return check_view(view, name, **wanted)[0]


def _dense(rows: Any) -> Any:
    if isinstance(rows, np.ndarray):
        return np.asarray(rows) if isinstance(rows, np.memmap) else rows
    return rows.toarray()


@cache
def _rounding(dtype: Any) -> float:
    """Relative rounding error, but for the float64 it is converted to."""
    dtype = getattr(dtype, "numpy_dtype", dtype)
    if not (isinstance(dtype, np.dtype) and dtype.kind == "f"):
        return FLOAT64_EPS
    return max(FLOAT64_EPS, float(np.finfo(dtype).eps))


def check_hidden(view: Any, name: str) -> None:
    """Raise if a mask hides values: without their mask they would show."""
    parts = view if isinstance(view, (list, tuple)) else [view]
    n_hidden = sum(
        int(np.ma.getmaskarray(part).sum())
        for part in parts
        if isinstance(part, np.ma.MaskedArray)
    )
    if n_hidden:
        raise ValueError(
            f"{name}: a mask hides {n_hidden} of the values. Wanted all of "
            "them: fill them (`filled`), or leave out their rows everywhere."
        )


def _column_types(frame: Any, name: str) -> list[Any]:
    """The types of a data frame's columns, all of which hold numbers."""
    types = dict(enumerate(frame.dtypes))
    wrong = [j for j, dtype in types.items() if not _is_number(dtype)]
    if wrong:
        columns = list(frame.columns)
        seen = ", ".join(f"{columns[j]!r} ({types[j]})" for j in wrong[:SHOWN])
        more = f" and {len(wrong) - SHOWN} more" * (len(wrong) > SHOWN)
        raise ValueError(
            f"{name}: columns that hold no real numbers: {seen}{more}. "
            "Convert them, `astype(float)` where objects are numbers, or "
            "leave them out."
        )
    return list(types.values()) or [np.dtype(np.float64)]


def _is_number(dtype: Any) -> bool:
    if hasattr(dtype, "is_numeric"):  # polars
        return bool(dtype.is_numeric()) or str(dtype) == "Boolean"
    return getattr(dtype, "kind", "O") in "biuf"


def check_kind(array: NDArray[Any], name: str) -> None:
    """Raise unless the type of an array is one of real numbers."""
    if array.dtype.kind == "O":
        first = array.flat[0] if array.size else None
        raise ValueError(
            f"{name}: holds Python objects, the first of type "
            f"{type(first).__name__}; wanted real numbers. If all of them are "
            "numbers, convert them: `np.asarray(view, dtype=float)`."
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name}: holds {described(array.dtype)}; wanted real numbers."
        )


def described(dtype: np.dtype[Any]) -> str:
    """A type that is none of real numbers, in words."""
    return f"{KINDS.get(dtype.kind, 'objects')} ({dtype})"


def n_rows(view: Any, name: str) -> int:
    """Rows of a matrix, or elements of whatever else has a length."""
    try:
        # Of a sparse matrix `len` will not tell.
        return int(view.shape[0] if hasattr(view, "shape") else len(view))
    except (IndexError, TypeError) as error:
        raise ValueError(
            f"{name} is {view!r:.60}; wanted one row, or element, an item."
        ) from error


def _check_rows(
    views: Sequence[Any], sources: Sequence[Any], names: Sequence[str]
) -> None:
    """Raise if views differ in their numbers or labels of rows."""
    check_lengths([source.shape[0] for source in sources], names)
    check_row_labels(views, names)


def check_lengths(lengths: Sequence[int], names: Sequence[str]) -> None:
    """Raise if views differ in their numbers of rows."""
    if len(set(lengths)) > 1:
        raise ValueError(
            "All views must describe the same samples, row by row; seen "
            + ", ".join(f"{name}: {n} rows" for name, n in zip(names, lengths))
            + "."
        )
