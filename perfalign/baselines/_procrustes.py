"""Rotating one view onto the other."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.utils._param_validation import Interval

from perfalign._checks import check_integer
from perfalign._linalg import svd
from perfalign._threads import one_blas_thread
from perfalign._types import Views
from perfalign.baselines._two_views import TwoViewAlignment, two_view_summary


class ProcrustesAlignment(TwoViewAlignment):
    r"""Orthogonal maps of two views that agree best.

    With each view in units of its own spread,

    .. math:: \max_{A^1, A^2} \operatorname{tr}(A^1 C^{12} A^{2\top})
              \quad\text{with}\quad A^m A^{m\top} = I_k

    is solved by the leading singular vectors of the cross-covariance. For
    :math:`k = d_1 = d_2` this is the orthogonal Procrustes problem
    (Schönemann 1966): only the rotation :math:`A^{1\top} A^2` matters then,
    and distances within a view stay as they are. Unlike the whitened
    alignment it weighs a direction by how much both views *vary* along it,
    not by how well they agree on it: the units of a view make no difference,
    those of a single column do.

    Parameters
    ----------
    n_components : int, default=None
        Latent dimension k; the features of the smaller view if None.

    Attributes
    ----------
    encoders_ : list of two ndarray of shape (k, d_m)
        With orthogonal rows of one length.

    Notes
    -----
    Cost O(n d²) for the summary, d = d_1 + d_2, and O(d³) for the rest.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.baselines import ProcrustesAlignment
    >>> from perfalign.metrics import alignment_error
    >>> view = np.random.default_rng(0).normal(size=(50, 3))
    >>> turned = view @ np.linalg.qr(np.arange(9.0).reshape(3, 3) ** 2)[0]
    >>> latents = ProcrustesAlignment().fit([view, turned]).transform(
    ...     [view, turned]
    ... )
    >>> alignment_error(latents) < 1e-14
    True
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, n_components: int | None = None) -> None:
        self.n_components = n_components

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        summary = two_view_summary(self, views)
        limit = min(summary.n_features)
        k = check_integer(
            limit if self.n_components is None else self.n_components,
            "n_components",
            most=limit,
            what=", the features of the smaller view",
        )
        blocks = summary.blocks()
        spreads = [
            np.linalg.norm(block) / np.sqrt(summary.n_samples * d)
            for block, d in zip(blocks, summary.n_features)
        ]
        first, second = (b / size for b, size in zip(blocks, spreads))
        U, _, Vt = svd(first.T @ second, full_matrices=False)
        turned = U[:, :k].T, Vt[:k]
        return self._keep(
            summary, [A / size for A, size in zip(turned, spreads)]
        )
