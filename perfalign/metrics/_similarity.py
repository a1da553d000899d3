"""How alike two views or their latents are, on a scale from 0 to 1."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from perfalign._linalg import column_norms
from perfalign.metrics._latents import (
    centred,
    check_latents,
    constant_columns,
)


def component_correlations(latents) -> NDArray[np.float64]:
    r"""Correlation of the views' latents, component by component.

    .. math:: r_j = \operatorname{mean}_{m < m'}
              \operatorname{corr}_i(\hat z^m_{ij}, \hat z^{m'}_{ij})

    Parameters
    ----------
    latents : list or dict of array-like of shape (n_samples, n_components)
        One array a view, two or more; row i of each belongs to item i.

    Returns
    -------
    correlations : ndarray of shape (n_components,)
        From −1 to 1, the mean over all pairs of views. A component that is
        constant in one of two views has the correlation 0 with it.

    Raises
    ------
    ValueError
        As `alignment_error`.

    Notes
    -----
    Of the latents of the two views that a whitened alignment was fitted to,
    these are the canonical correlations; of pairs that were held out, what is
    left of them. Cost O(M² n k).

    Examples
    --------
    >>> from perfalign.metrics import component_correlations
    >>> seen, heard = [[0, 1], [1, 1], [2, 4]], [[5, 2], [6, 1], [7, 0]]
    >>> [f"{r:.2f}" for r in component_correlations([seen, heard])]
    ['1.00', '-0.87']
    """
    latents, eps = check_latents(latents)
    units = []
    for z in latents:
        moved = np.where(constant_columns(z, eps), 0.0, centred(z))
        size = column_norms(moved)
        units.append(moved / np.where(size > 0, size, 1.0))
    return np.mean(
        [np.sum(y * z, axis=0) for y, z in combinations(units, 2)], axis=0
    )
