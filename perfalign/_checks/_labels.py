"""Class labels, whatever they were kept in."""

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import column_or_1d

from perfalign._checks._names import SHOWN, check_row_labels
from perfalign._checks._views import at_hand, check_hidden, described, named

#: What labels may be, all of one kind; True is a whole number, too.
LABELS = (str, (bool, np.bool_), Real)


def check_labels(
    y: Any, n_rows: int, name: str, like: Any = None
) -> NDArray[Any]:
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
        labels: NDArray[Any] = column_or_1d(_plain(y, name))
    except (ValueError, TypeError) as error:
        raise named(error, name) from error
    if len(labels) != n_rows:
        raise ValueError(
            f"{name} has {len(labels)} labels; wanted {n_rows}, one for each "
            "row."
        )
    check_row_labels([like, y], ["the view", name])
    if labels.dtype.kind not in "biufU":
        raise ValueError(
            f"{name} holds {described(labels.dtype)}; wanted strings or "
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


def _plain(y: Any, name: str) -> NDArray[Any]:
    """Labels as an array of one of NumPy's own types."""
    y = at_hand(y)
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


def _is_missing(label: object) -> bool:
    """None, NaN, or what pandas writes for them."""
    return (
        label is None
        or type(label).__name__ in ("NAType", "NaTType")
        or (isinstance(label, (float, np.floating)) and bool(np.isnan(label)))
    )


def _check_present(
    labels: NDArray[Any], missing: Iterable[bool], name: str
) -> None:
    rows = np.flatnonzero(np.asarray(missing))
    if len(rows):
        shown = ", ".join(map(str, rows[:SHOWN]))
        more = f" and {len(rows) - SHOWN} more" * (len(rows) > SHOWN)
        raise ValueError(
            f"{name} has no label ({labels[rows[0]]}) in row {shown}{more}. "
            "Wanted a label for every row; leave out rows without one."
        )
