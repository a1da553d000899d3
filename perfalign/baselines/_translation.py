"""Regression of one view on the other."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.utils._param_validation import Interval, Options

from perfalign._threads import one_blas_thread
from perfalign._types import Views
from perfalign.baselines._two_views import TwoViewAlignment, two_view_summary


class RidgeTranslation(TwoViewAlignment):
    r"""One view, predicted from the other.

    The latent space is the space of the view `target`, whose encoder is the
    identity; that of `source` solves

    .. math:: \min_A \sum_i \|x_i^t - A x_i^s\|^2
              + \lambda\, n \frac{\operatorname{tr} C_s}{d_s} \|A\|_F^2

    for centred views, by scikit-learn's ``Ridge``.

    Parameters
    ----------
    source, target : {0, 1}, default=1, 0
        The view that is translated, and the view that it is translated into.
    ridge : float, default=0.1
        λ > 0, free of the view's unit; columns of larger unit are penalised
        less.

    Attributes
    ----------
    encoders_ : list of two ndarray of shape (d_t, d_m)

    Notes
    -----
    A prediction varies less than what it predicts, the less the noisier: the
    two views' latents agree on average and differ in spread. Cost O(n d²) for
    the summary, d = d_s + d_t, and O(d³) for the rest.

    Examples
    --------
    >>> from perfalign.baselines import RidgeTranslation
    >>> from perfalign.datasets import make_gaussian_views
    >>> from perfalign.metrics import relative_alignment_error
    >>> data = make_gaussian_views(200, (2, 3), random_state=0)
    >>> translation = RidgeTranslation(ridge=1e-9).fit(data.views)
    >>> latents = translation.transform(data.views)
    >>> relative_alignment_error(latents) < 1e-6
    True
    """

    _parameter_constraints = {
        "source": [Options(Integral, {0, 1})],
        "target": [Options(Integral, {0, 1})],
        "ridge": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self, source: int = 1, target: int = 0, *, ridge: float = 0.1
    ) -> None:
        self.source = source
        self.target = target
        self.ridge = ridge

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        summary = two_view_summary(self, views)
        if self.source == self.target:
            raise ValueError(
                f"source is {self.source!r} and target is {self.target!r}; "
                "wanted 0 and 1, or 1 and 0."
            )
        blocks = summary.blocks()
        given, wanted = blocks[self.source], blocks[self.target]
        power = np.sum(given**2) / given.shape[1]
        model = Ridge(alpha=self.ridge * power, fit_intercept=False)
        encoders = [np.eye(wanted.shape[1])] * 2
        encoders[self.source] = model.fit(given, wanted).coef_.reshape(
            wanted.shape[1], given.shape[1]
        )
        return self._keep(summary, encoders)
