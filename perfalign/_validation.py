"""What every entrance of the package asks of its views.

An array says less than the object that it is made of. Here the type is heard
before it is dropped: hidden values, names of columns, labels of rows.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.utils import check_array, column_or_1d

FLOAT64_EPS = np.finfo(np.float64).eps

#: Numbers that are checked and converted at a time.
SLAB = 2**20

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

#: What labels may be, all of one kind; True is a whole number, too.
LABELS = (str, bytes, (bool, np.bool_), Real)

#: So many cases are listed in a message.
SHOWN = 3


@dataclass(frozen=True)
class Signature:
    """What makes views the same views.

    Attributes
    ----------
    n_features : tuple of int
        Columns of each view.
    feature_names : tuple of (tuple of str or None)
        Their names, of views that came as data frames.
    view_names : tuple of str or None
        Names of the views, if they came as a dict.
    """

    n_features: tuple
    feature_names: tuple
    view_names: tuple | None = None

    @classmethod
    def of(cls, views):
        """Signature of a list or a dict of views."""
        views, names = as_list(views)
        return cls(
            tuple(int(_shape(view)[1]) for view in views),
            tuple(map(column_names, views)),
            names,
        )

    def __len__(self):
        return len(self.n_features)

    def wanted(self, position):
        """What `check_view` should want of the view at a position."""
        return {
            "n_features": self.n_features[position],
            "columns": self.feature_names[position],
        }

    @property
    def feature_names_in(self):
        """Names of columns as scikit-learn keeps them, a list of arrays."""
        return [
            None if names is None else np.array(names, dtype=object)
            for names in self.feature_names
        ]

    def only(self, position):
        """Signature of one of the views."""
        return Signature(
            (self.n_features[position],), (self.feature_names[position],)
        )

    def position(self, modality, kind="view"):
        """Position of a view that is given by position or by name.

        Parameters
        ----------
        modality : int or str
        kind : str, default="view"
            How error messages call a view.

        Returns
        -------
        position : int

        Raises
        ------
        ValueError
            If there is no such view.
        """
        whole = isinstance(modality, (int, np.integer))
        if whole and not isinstance(modality, bool):
            if 0 <= modality < len(self):
                return int(modality)
        elif isinstance(modality, str) and modality in (self.view_names or ()):
            return self.view_names.index(modality)
        called = self.view_names and f" or called {_quoted(self.view_names)}"
        raise ValueError(
            f"There is no {kind} {modality!r}; there are {len(self)}, "
            f"numbered from 0 to {len(self) - 1}{called or ''}."
        )

    def name(self, position):
        """Name of a view; its position if views have no names."""
        return self.view_names[position] if self.view_names else position

    def in_order(self, views):
        """Views as a list in this order; see `as_list`.

        Raises
        ------
        ValueError
            If they have names that are missing here, or other names, or if
            there are more or fewer.
        """
        if isinstance(views, Mapping) and self.view_names is None:
            raise ValueError(
                f"Seen a dict of views, {_quoted(views)}; wanted a list of "
                f"{len(self)}, as in the fit, which gave them no names."
            )
        views, _ = as_list(views, self.view_names)
        if len(views) != len(self):
            raise ValueError(
                f"Seen {len(views)} views; wanted {len(self)}, as in the fit."
            )
        return views

    def as_given(self, parts, views):
        """One part a view: a dict by name where the views came as one."""
        if isinstance(views, Mapping):
            return dict(zip(self.view_names, parts))
        return list(parts)

    def joined(self, other):
        """Signature of these views and of further samples of them.

        Names that only one of both has are kept.

        Raises
        ------
        ValueError
            If numbers of features or names differ.
        """
        if self.n_features != other.n_features:
            raise ValueError(
                f"Seen {self.n_features} and {other.n_features} features; "
                "wanted the same views."
            )
        pairs = list(zip(self.feature_names, other.feature_names))
        for m, (wanted, seen) in enumerate(pairs):
            _check_names(seen, wanted, f"view {m}")
        names = self.view_names or other.view_names
        if other.view_names not in (None, names):
            raise ValueError(
                f"Seen views with the names {_quoted(other.view_names)}; "
                f"wanted {_quoted(names)}."
            )
        return Signature(
            self.n_features, tuple(a or b for a, b in pairs), names
        )


def as_list(views, view_names=None, what="views", of="matrices"):
    """Views as a list, and their names.

    Parameters
    ----------
    views : list, tuple or dict of str to view
        A dict is taken by name, a list by position.
    view_names : sequence of str, default=None
        The names wanted, in order; those of the dict, as they come, if None.
    what, of : str
        How error messages call them, and each of them.

    Returns
    -------
    views : list
    names : tuple of str or None
        None for a list.

    Raises
    ------
    ValueError
        If views are something else, or names are no strings, missing or
        unknown.
    """
    if not isinstance(views, Mapping):
        if not isinstance(views, (list, tuple)):
            raise ValueError(
                f"{what} must be a list of {of}, one a modality, or a dict of "
                f"them by name; seen {type(views).__name__}."
            )
        return list(views), None
    if not all(isinstance(name, str) for name in views):
        raise ValueError(
            f"Names of {what} must be strings; seen {_quoted(views)}."
        )
    names = tuple(views if view_names is None else view_names)
    if set(views) != set(names):
        raise ValueError(
            f"Seen {what} with the names {_quoted(views)}; wanted "
            f"{_quoted(names)}." + _differences(list(views), list(names))
        )
    return [views[name] for name in names], names


def column_names(view, name="view"):
    """Names of a data frame's columns.

    Parameters
    ----------
    view : object
    name : str
        How error messages call this view.

    Returns
    -------
    names : tuple of str or None
        None if it is no data frame or its columns are numbered.

    Raises
    ------
    ValueError
        If some names are strings and others are not, or one occurs twice.
    """
    if not _is_frame(view):
        return None
    names = tuple(view.columns)
    strings = [isinstance(column, str) for column in names]
    if not any(strings):
        return None
    if not all(strings):
        raise ValueError(
            f"{name}: some names of columns are strings and some are not: "
            f"{_quoted(names)}. Wanted strings, or numbers alone."
        )
    twice = [column for column, n in Counter(names).items() if n > 1]
    if twice:
        raise ValueError(
            f"{name}: more than one column is called {_quoted(twice)}. Wanted "
            "a name for each."
        )
    return tuple(map(str, names))


def check_view(
    view, name, *, n_features=None, columns=None, allow_empty=False
):
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

    Returns
    -------
    view : ndarray of float64
    eps : float
        Relative rounding error of the type in which the numbers were stored.

    Raises
    ------
    ValueError
        For anything else than a non-empty matrix of finite real numbers that
        are all visible, or when the columns are not those wanted.
    """
    view = _at_hand(view)
    _check_names(column_names(view, name), columns, name)
    check_hidden(view, name)
    at_least = 0 if allow_empty else 1
    try:
        if _is_frame(view):
            stored = _column_types(view, name)
        else:
            view = check_array(view, dtype=None, ensure_min_samples=at_least)
            stored = [view.dtype]
            _check_kind(view, name)
        if stored != [np.float64]:
            view = check_array(
                view, dtype=np.float64, ensure_min_samples=at_least
            )
    except (ValueError, TypeError) as error:
        raise _named(error, name) from error
    if n_features is not None and view.shape[1] != n_features:
        raise ValueError(
            f"{name} has shape {view.shape}, but {n_features} features (the "
            "number of columns) are wanted, as in the fit."
        )
    return view, max(map(_rounding, stored))


def precision(view):
    """Rounding error of a view's type, as `check_view` would return it.

    Of what holds no numbers, such as texts, it is that of float64.
    """
    dtype = getattr(view, "dtype", None)
    return max(map(_rounding, view.dtypes if _is_frame(view) else [dtype]))


def check_views(views, *, like=None):
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
    views, names = _listed(views, like)
    checked, eps = zip(
        *(
            check_view(view, name, **wanted)
            for view, name, wanted in zip(views, names, _wanted(views, like))
        )
    )
    _check_rows(views, checked, names)
    return list(checked), max(eps)


def check_paired(views):
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
    given, names = _listed(views, None)
    lengths = [_n_rows(view, name) for view, name in zip(given, names)]
    _check_lengths(lengths, names)
    check_row_labels(given, names)
    for view, name in zip(given, names):
        check_hidden(view, name)
    anything = (None,) * len(given)
    return given, Signature(anything, anything, as_list(views)[1]), lengths[0]


def view_slabs(views, *, like=None, allow_empty=False):
    """Validate paired views as `check_views` does, some rows at a time.

    Arrays on disk are never read into memory as a whole. Views without rows
    give one slab without rows, if they are allowed.

    Yields
    ------
    rows : slice
    views : list of ndarray of float64
        These rows of all views.
    eps : list of float
        The precision of each view.
    """
    views, names = _listed(views, like)
    yield from slabs(views, names, like, allow_empty=allow_empty)


def slabs(views, names, like=None, *, allow_empty=False):
    """As `view_slabs`, for a list of any number of views with names."""
    wanted = _wanted(views, like)
    sources, eps = zip(
        *(
            _sliceable(view, name, allow_empty=allow_empty, **kwargs)
            for view, name, kwargs in zip(views, names, wanted)
        )
    )
    _check_rows(views, sources, names)
    step = max(SLAB // max(sum(view.shape[1] for view in sources), 1), 1)
    for start in range(0, max(len(sources[0]), 1), step):
        rows = slice(start, start + step)
        parts, stored = zip(
            *(
                check_view(
                    view[rows],
                    name,
                    n_features=kwargs["n_features"],
                    allow_empty=allow_empty,
                )
                for view, name, kwargs in zip(sources, names, wanted)
            )
        )
        yield rows, list(parts), list(map(max, eps, stored))


def check_labels(y, n_rows, name, like=None):
    """Return class labels, one a row, as a plain array.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Strings or whole numbers of any type.
    n_rows : int
        Number of rows that they are the labels of.
    name : str
        How error messages call the labels.
    like : object, default=None
        What the rows belong to: labels of rows, where both have some, must
        agree.

    Returns
    -------
    labels : ndarray of shape (n_rows,)
        Of strings, integers, booleans or whole floats.

    Raises
    ------
    ValueError
        If there are more or fewer labels than rows, or one is missing or is
        neither a string nor a whole number.
    """
    check_hidden(y, name)
    try:
        labels = column_or_1d(_plain(y, name))
    except (ValueError, TypeError) as error:
        raise _named(error, name) from error
    if len(labels) != n_rows:
        raise ValueError(
            f"{name} has {len(labels)} labels; wanted {n_rows}, one for each "
            "row."
        )
    check_row_labels([like, y], ["the view", name])
    if labels.dtype.kind not in "biufSU":
        raise ValueError(
            f"{name} holds {_described(labels.dtype)}; wanted strings or "
            "whole numbers as labels."
        )
    if labels.dtype.kind == "f":
        _check_present(labels, np.isnan(labels), name)
        broken = np.flatnonzero(labels != np.floor(labels))
        if len(broken) or np.isinf(labels).any():
            raise ValueError(
                f"{name} holds numbers that are not whole, such as "
                f"{labels[broken[0]] if len(broken) else np.inf}, which are "
                "no class labels; wanted strings or whole numbers."
            )
    return labels


def _named(error, name):
    """The error, as a ValueError that begins with the name of its cause."""
    said = str(error)
    return ValueError(said if said.startswith(name) else f"{name}: {said}")


def without_row_labels(view):
    """The view, without the index of a data frame."""
    if _row_labels(view) is None:
        return view
    return view.reset_index(drop=True)


def _shape(view):
    return view.shape if hasattr(view, "shape") else np.shape(view)


def _is_frame(view):
    return hasattr(view, "columns") and hasattr(view, "dtypes")


def _at_hand(view):
    """What a Dask collection stands for; anything else as it is."""
    return view.compute() if hasattr(view, "__dask_graph__") else view


def _listed(views, like):
    """The views in order, and how messages call them."""
    if like is None:
        views, names = as_list(views)
    else:
        views, names = like.in_order(views), like.view_names
    if len(views) < 2:
        raise ValueError(
            f"Alignment needs at least two views; seen {len(views)}."
        )
    return views, [f"view {name!r}" for name in names or range(len(views))]


def _wanted(views, like):
    if like is None:
        return [{"n_features": None}] * len(views)
    return [like.wanted(m) for m in range(len(views))]


def _sliceable(view, name, **wanted):
    """Arrays as they are; whatever else may hold a view, converted."""
    if isinstance(view, np.ndarray) and view.ndim == 2:
        return view, FLOAT64_EPS
    return check_view(view, name, **wanted)


def _rounding(dtype):
    """Relative rounding error, but for the float64 it is converted to."""
    dtype = getattr(dtype, "numpy_dtype", dtype)
    if not (isinstance(dtype, np.dtype) and dtype.kind == "f"):
        return FLOAT64_EPS
    return max(FLOAT64_EPS, float(np.finfo(dtype).eps))


def check_hidden(view, name):
    """Raise if a mask hides values: without their mask they would show."""
    parts = view if isinstance(view, (list, tuple)) else [view]
    n_hidden = sum(
        np.ma.count_masked(part)
        for part in parts
        if isinstance(part, np.ma.MaskedArray)
    )
    if n_hidden:
        raise ValueError(
            f"{name}: a mask hides {n_hidden} of the values. Wanted all of "
            "them: fill them (`filled`), or leave out their rows everywhere."
        )


def _column_types(frame, name):
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


def _is_number(dtype):
    if hasattr(dtype, "is_numeric"):  # polars
        return dtype.is_numeric() or str(dtype) == "Boolean"
    return getattr(dtype, "kind", "O") in "biuf"


def _check_kind(array, name):
    if array.dtype.kind == "O":
        first = array.flat[0] if array.size else None
        raise ValueError(
            f"{name}: holds Python objects, the first of type "
            f"{type(first).__name__}; wanted real numbers. If all of them are "
            "numbers, convert them: `np.asarray(view, dtype=float)`."
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name}: holds {_described(array.dtype)}; wanted real numbers."
        )


def _described(dtype):
    return f"{KINDS.get(dtype.kind, 'objects')} ({dtype})"


def _check_names(seen, wanted, name):
    """Raise if columns have other names than wanted, where both have some."""
    if seen is None or wanted is None or tuple(seen) == tuple(wanted):
        return
    seen, wanted = list(map(str, seen)), list(map(str, wanted))
    if Counter(seen) == Counter(wanted):
        j = next(j for j in range(len(seen)) if seen[j] != wanted[j])
        raise ValueError(
            f"{name} has the columns of the fit in another order: column {j} "
            f"is {seen[j]!r}; wanted {wanted[j]!r}. Put them in the order of "
            f"the fit, `view[[{', '.join(map(repr, wanted[:SHOWN]))}"
            f"{', …' if len(wanted) > SHOWN else ''}]]`."
        )
    raise ValueError(
        f"{name} has other columns than in the fit."
        + _differences(seen, wanted)
    )


def _differences(seen, wanted):
    missing = list((Counter(wanted) - Counter(seen)).elements())
    new = list((Counter(seen) - Counter(wanted)).elements())
    return (
        f" Missing: {_quoted(missing)}; new: {_quoted(new)}."
        if missing or new
        else ""
    )


def _quoted(names):
    names = list(map(repr, names))
    shown = ", ".join(names[: 4 * SHOWN])
    more = len(names) - 4 * SHOWN
    return (shown or "none") + (f" and {more} more" if more > 0 else "")


def _n_rows(view, name):
    """Rows of a matrix, or elements of whatever else has a length."""
    try:
        # Of a sparse matrix `len` will not tell.
        return view.shape[0] if hasattr(view, "shape") else len(view)
    except (IndexError, TypeError) as error:
        raise ValueError(
            f"{name} is {view!r:.60}; wanted one row, or element, an item."
        ) from error


def _check_rows(views, sources, names):
    """Raise if views differ in their numbers or labels of rows."""
    _check_lengths(list(map(len, sources)), names)
    check_row_labels(views, names)


def _check_lengths(lengths, names):
    if len(set(lengths)) > 1:
        raise ValueError(
            "All views must describe the same samples, row by row; seen "
            + ", ".join(f"{name}: {n} rows" for name, n in zip(names, lengths))
            + "."
        )


def _row_labels(view):
    """The index of a data frame or series; None if it has none."""
    index = getattr(view, "index", None)
    return index if hasattr(index, "get_indexer") else None


def check_row_labels(views, names):
    """Raise if labels of rows, which say what is a pair, contradict it."""
    labelled = [
        (name, index)
        for name, index in zip(names, map(_row_labels, views))
        if index is not None
    ]
    for name, index in labelled[1:]:
        first, wanted = labelled[0]
        if index.equals(wanted):
            continue
        seen, wanted = list(map(repr, index)), list(map(repr, wanted))
        rows = [i for i in range(len(seen)) if seen[i] != wanted[i]]
        shown = "; ".join(
            f"row {i} is {wanted[i]} in {first} and {seen[i]} in {name}"
            for i in rows[:SHOWN]
        )
        if Counter(seen) == Counter(wanted):
            advice = (
                "They are the same rows in another order: bring them into "
                "one, `other = other.loc[one.index]`."
            )
        else:
            advice = (
                "If row i of one does belong to row i of the other, drop "
                "the labels, `reset_index(drop=True)`, of both."
            )
        raise ValueError(
            f"Labels of rows differ in {len(rows)} of {len(seen)} places: "
            f"{shown}. {advice}"
        )


def _plain(y, name):
    """Labels as an array of one of NumPy's own types."""
    y = _at_hand(y)
    # A list of a string and a number would become strings.
    values = np.asarray(y, dtype=object if isinstance(y, list) else None)
    if values.dtype.kind not in "OT":
        return values
    flat = values.astype(object).ravel()
    _check_present(flat, [_is_missing(label) for label in flat], name)
    types = {type(label) for label in flat}
    for kind in LABELS:
        if all(issubclass(one, kind) for one in types):
            return np.array(flat.tolist()).reshape(values.shape)
    seen = ", ".join(sorted(one.__name__ for one in types))
    raise ValueError(
        f"{name} holds objects of the types {seen}; wanted strings or whole "
        "numbers, of one kind, as labels."
    )


def _is_missing(label):
    """None, NaN, or what pandas writes for them."""
    return (
        label is None
        or type(label).__name__ in ("NAType", "NaTType")
        or (isinstance(label, (float, np.floating)) and np.isnan(label))
    )


def _check_present(labels, missing, name):
    rows = np.flatnonzero(missing)
    if len(rows):
        shown = ", ".join(map(str, rows[:SHOWN]))
        more = f" and {len(rows) - SHOWN} more" * (len(rows) > SHOWN)
        raise ValueError(
            f"{name} has no label ({labels[rows[0]]}) in row {shown}{more}. "
            "Wanted a label for every row; leave out rows without one."
        )
