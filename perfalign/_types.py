"""The few types that the package's hints have in common.

A hint says what kind of thing is meant. What a view must fulfil beyond that,
its shape, its columns, its finite numbers, is checked when the code runs
(`perfalign._checks`), since no type can say it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Real numbers in double precision: what the package computes with.
Array: TypeAlias = NDArray[np.float64]

#: Real numbers in the caller's precision, single or double.
Floats: TypeAlias = NDArray[np.floating[Any]]

#: Row numbers, counts, ranks.
Integers: TypeAlias = NDArray[np.intp]

#: True or False.
Booleans: TypeAlias = NDArray[np.bool_]

#: Class labels: integers, texts, whatever `numpy.unique` can sort.
Labels: TypeAlias = NDArray[Any]

#: One view as it is given: an array, a list of rows, a data frame, a sparse
#: or a dask array.
View: TypeAlias = Any

#: Paired views as they are given: a list, or a dictionary with their names.
Views: TypeAlias = Sequence[View] | Mapping[Any, View]

#: What `sklearn.utils.check_random_state` makes a generator of.
RandomState: TypeAlias = int | np.random.RandomState | None
