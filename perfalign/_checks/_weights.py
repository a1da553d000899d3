"""Weights of rows: as if each had come so many times."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from perfalign._checks._names import check_row_labels
from perfalign._checks._views import at_hand, check_hidden, check_kind, named
from perfalign._types import Array

#: Up to here all whole numbers are exact.
MOST = 2.0**53


def check_weights(
    weights: Any, n_rows: int, name: str = "sample_weight", like: Any = None
) -> Array:
    """Return weights, one a row, as a plain array.

    Parameters
    ----------
    weights : array-like of shape (n_rows,)
    n_rows : int
        Number of rows that they are the weights of.
    name : str
        How error messages call the weights.
    like : object, default=None
        What the rows belong to: labels of rows, where both have some, must
        agree.

    Returns
    -------
    weights : ndarray of float64 of shape (n_rows,)
        Finite and not negative.

    Raises
    ------
    ValueError
    """
    weights = at_hand(weights)
    check_hidden(weights, name)
    try:
        values = check_array(
            weights, ensure_2d=False, dtype=None, ensure_min_samples=0
        )
        check_kind(values, name)
    except (ValueError, TypeError) as error:
        raise named(error, name) from error
    if values.shape != (n_rows,):
        raise ValueError(
            f"{name} has shape {values.shape}; wanted one weight for each of "
            f"the {n_rows} rows."
        )
    check_row_labels([like, weights], ["the view", name])
    negative = np.flatnonzero(values < 0)
    if len(negative):
        row = negative[0]
        raise ValueError(
            f"{name} is {values[row]} in row {row}; wanted finite numbers of "
            "at least 0."
        )
    values = np.asarray(values, dtype=np.float64)
    if values.sum() >= MOST:
        raise ValueError(
            f"{name} has the sum {values.sum():.3g}; wanted one below "
            f"{MOST:.3g}: a count."
        )
    return values
