"""Canonical similarity analysis."""

from typing import Any, Self

import numpy as np

from perfalign._threads import one_blas_thread
from perfalign._types import Array, Floats, Views
from perfalign.alignment import BaseAlignment, PerfectAlignment
from perfalign.baselines._two_views import row_lengths


class CSA(BaseAlignment):
    r"""Canonical components, compared by a weighted cosine.

    Canonical similarity analysis (Li, Chinchali and Topcu 2025) compares the
    canonical variates :math:`\hat z^m` of two items by

    .. math:: S(x^1, x^2) = \sum_{j \le k} \rho_j\,
              \frac{\hat z_j^1}{\|\hat z^1\|} \frac{\hat z_j^2}{\|\hat z^2\|} .

    The latents here are :math:`\sqrt{\rho_j}\,\hat z_j^m / \|\hat z^m\|`, with
    S for their inner product.

    Parameters
    ----------
    n_components : int, default=2
        Number k of components that are compared.
    ridge : float, default=0.0
        As in `PerfectAlignment`; the paper has none.

    Attributes
    ----------
    alignment_ : PerfectAlignment
        The canonical correlation analysis.

    Notes
    -----
    Everything that says how *strongly* an item shows the components is divided
    out. Units make no difference, as to canonical components. Cost as
    `PerfectAlignment`.

    Examples
    --------
    >>> from perfalign.baselines import CSA
    >>> from perfalign.datasets import make_gaussian_views
    >>> from perfalign.metrics import recall
    >>> data = make_gaussian_views(200, (4, 3), random_state=0)
    >>> u, v = CSA(2).fit(data.views).transform(data.views)
    >>> f"{recall(u, v):.1f}"
    '1.0'
    """

    def __init__(
        self, n_components: int | None = 2, *, ridge: float = 0.0
    ) -> None:
        self.n_components = n_components
        self.ridge = ridge

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        """Find the canonical components.

        Parameters
        ----------
        views : list or dict of array-like of shape (n_samples, n_features_m)
            Paired views.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : CSA

        Raises
        ------
        ValueError
            As `PerfectAlignment.fit`.
        """
        self.alignment_ = PerfectAlignment(
            self.n_components, ridge=self.ridge
        ).fit(views)
        self.signature_ = self.alignment_.signature_
        return self

    @property
    def n_components_(self) -> int:
        """Latent dimension k."""
        return self.alignment_.n_components_

    def _encode(self, X: Array, m: int) -> Floats:
        latents = self.alignment_.transform_view(X, m)
        rho = self.alignment_.canonical_correlations_[: latents.shape[1]]
        return latents / row_lengths(latents) * np.sqrt(np.clip(rho, 0, 1))
