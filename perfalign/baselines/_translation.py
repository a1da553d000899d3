"""Regression of one view on the other."""

import numpy as np
from sklearn.linear_model import Ridge

from perfalign._checks import check_number
from perfalign.baselines._two_views import TwoViewAlignment


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
    means_ : list of two ndarray of shape (d_m,)

    Notes
    -----
    A prediction varies less than what it predicts, the less the noisier: the
    two views' latents agree on average and differ in spread. Cost
    O(n d_s (d_s + d_t) + d_s³).

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

    def __init__(self, source=1, target=0, *, ridge=0.1):
        self.source = source
        self.target = target
        self.ridge = ridge

    def _encoders(self, views, rounding):
        ends = (self.source, self.target)
        if ends not in ((0, 1), (1, 0)) or any(
            isinstance(end, bool) for end in ends
        ):
            raise ValueError(
                f"source is {self.source!r} and target is {self.target!r}; "
                "wanted 0 and 1, or 1 and 0."
            )
        check_number(self.ridge, "ridge", above=0)
        given, wanted = views[self.source], views[self.target]
        power = np.sum(given**2) / given.shape[1]
        model = Ridge(alpha=self.ridge * power, fit_intercept=False)
        encoders = [np.eye(wanted.shape[1])] * 2
        encoders[self.source] = model.fit(given, wanted).coef_.reshape(
            wanted.shape[1], given.shape[1]
        )
        return encoders
