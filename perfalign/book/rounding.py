"""How small a difference is, said alike on every machine."""

import numpy as np
from numpy.typing import ArrayLike

STEPS = (1e-12, 1e-9, 1e-6, 1e-3)


def below(difference: ArrayLike) -> str:
    """The first of a few bounds that the largest difference stays below.

    Parameters
    ----------
    difference : array-like

    Returns
    -------
    bound : str
        "below 1e-12" and the like; the number itself where it is large.

    Examples
    --------
    >>> from perfalign.book.rounding import below
    >>> below([3e-15, -2e-11])
    'below 1e-09'
    """
    largest = float(np.abs(difference).max())
    for bound in STEPS:
        if largest < bound:
            return f"below {bound:g}"
    return f"{largest:.2g}"
