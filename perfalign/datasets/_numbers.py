"""Arrays of numbers, as the makers of data ask for them."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from perfalign._types import Array


def numbers(values: ArrayLike, name: str) -> Array:
    """A fresh array of finite real numbers."""
    try:
        return np.asarray(
            check_array(
                values,
                dtype=np.float64,
                ensure_2d=False,
                allow_nd=True,
                copy=True,
            )
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error
