"""Canonical similarity analysis."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from perfalign.alignment import PerfectAlignment


class CSA(BaseEstimator):
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

    __metadata_request__fit = {"views": UNUSED}
    __metadata_request__transform = {"views": UNUSED}

    def __init__(self, n_components=2, *, ridge=0.0):
        self.n_components = n_components
        self.ridge = ridge

    def fit(self, views, y=None):
        """Find the canonical components, as `PerfectAlignment.fit` does."""
        self.alignment_ = PerfectAlignment(
            self.n_components, ridge=self.ridge
        ).fit(views)
        return self

    def transform(self, views):
        """Latents of all views, as `PerfectAlignment.transform`."""
        check_is_fitted(self)
        latents = self.alignment_.transform(views)
        if isinstance(latents, dict):
            return {name: self._weighted(z) for name, z in latents.items()}
        return [self._weighted(z) for z in latents]

    def transform_view(self, view, modality):
        """Latents of one view, as `PerfectAlignment.transform_view`."""
        check_is_fitted(self)
        return self._weighted(self.alignment_.transform_view(view, modality))

    def _weighted(self, latents):
        k = latents.shape[1]
        rho = self.alignment_.canonical_correlations_[:k]
        lengths = np.linalg.norm(latents, axis=1, keepdims=True)
        units = latents / np.where(lengths > 0, lengths, 1.0)
        return units * np.sqrt(np.clip(rho, 0, 1))
