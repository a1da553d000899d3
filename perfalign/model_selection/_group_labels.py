"""Samples that are no independent observations of their own."""

import numpy as np
from numpy.typing import ArrayLike

from perfalign._checks import check_labels
from perfalign._types import Labels, View


def group_labels(
    groups: ArrayLike | None, n_samples: int, like: View
) -> Labels:
    """Labels of the groups; each sample its own, if there are none."""
    if groups is None:
        return np.arange(n_samples)
    return np.asarray(check_labels(groups, n_samples, "groups", like=like))
