"""No alignment at all."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.utils._param_validation import Interval
from sklearn.utils.extmath import svd_flip

from perfalign._checks import FLOAT64_EPS, check_integer
from perfalign._linalg import svd
from perfalign._threads import one_blas_thread
from perfalign._types import Views
from perfalign.baselines._two_views import TwoViewAlignment, two_view_summary


class Unaligned(TwoViewAlignment):
    r"""Principal components of each view, as if they were one space.

    Component j of one view is compared with component j of the other, each of
    unit variance. What two models share without anybody's doing. Which
    components come first depends, as always with them, on the columns' units;
    those that the rounding of the data could have made are not counted.

    Parameters
    ----------
    n_components : int, default=2
        Latent dimension k.

    Attributes
    ----------
    encoders_ : list of two ndarray of shape (k, d_m)
        The sign of each row makes the largest entry positive.

    Notes
    -----
    Cost O(n d²) for the summary and O(d³) for the rest.

    Examples
    --------
    >>> from perfalign.baselines import Unaligned
    >>> from perfalign.datasets import load_digit_halves
    >>> from perfalign.metrics import relative_alignment_error
    >>> views = load_digit_halves().views
    >>> latents = Unaligned(2).fit(views).transform(views)
    >>> f"{relative_alignment_error(latents):.1f}"
    '1.2'
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_components: int = 2) -> None:
        self.n_components = n_components

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        summary = two_view_summary(self, views)
        n = summary.n_samples
        systems, ranks = [], []
        rounding = summary.split(summary.eps * summary.norms())
        for block, error in zip(summary.blocks(), rounding):
            U, s, Vt = svd(block, full_matrices=False)
            _, Vt = svd_flip(U, Vt, u_based_decision=False)
            lost = s[0] * max(n, len(error)) * FLOAT64_EPS
            rank = np.count_nonzero(s > max(lost, np.linalg.norm(error)))
            systems.append((s[:, None], Vt))
            ranks.append(int(rank))
        k = check_integer(
            self.n_components,
            "n_components",
            most=min(ranks),
            what=", the rank of the smaller view",
        )
        return self._keep(
            summary, [np.sqrt(n) * Vt[:k] / s[:k] for s, Vt in systems]
        )
