"""The cross decompositions of scikit-learn, called in the book's way."""

from typing import Any, Self

import numpy as np
from sklearn.base import clone

from perfalign._checks import check_estimator, check_views
from perfalign._threads import one_blas_thread
from perfalign._types import Views
from perfalign.baselines._two_views import TwoViewAlignment, two_view_summary


class CrossDecomposition(TwoViewAlignment):
    """A model of ``sklearn.cross_decomposition`` with views as a list.

    Parameters
    ----------
    model : estimator
        ``CCA``, ``PLSCanonical``, ``PLSSVD`` or ``PLSRegression``.

    Attributes
    ----------
    model_ : estimator
        A clone of `model`, fitted to the centred views.
    encoders_ : list of two ndarray of shape (k, d_m)
        What its transform amounts to.

    Notes
    -----
    Cost is that of the model: CCA and PLSCanonical iterate for each
    component.

    Examples
    --------
    >>> from sklearn.cross_decomposition import CCA
    >>> from perfalign.baselines import CrossDecomposition
    >>> from perfalign.datasets import load_digit_halves
    >>> views = load_digit_halves().views
    >>> latents = CrossDecomposition(CCA(2)).fit(views).transform(views)
    >>> [z.shape for z in latents]
    [(1797, 2), (1797, 2)]
    """

    _parameter_constraints: dict[str, list[Any]] = {}

    def __init__(self, model: Any) -> None:
        self.model = model

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        summary = two_view_summary(self, views)
        check_estimator(self.model, "model")
        means = summary.split(summary.mean)
        centred = [x - mean for x, mean in zip(check_views(views)[0], means)]
        self.model_ = clone(self.model).fit(*centred)
        # The model's transform is affine; its two views need as many rows.
        n = max(summary.n_features)
        units = [np.eye(n + 1, d, k=-1) for d in summary.n_features]
        try:
            images = self.model_.transform(*units)
        except TypeError as error:
            raise ValueError(
                f"model is {self.model!r}, which transforms one matrix; "
                "wanted a model of two, from sklearn.cross_decomposition."
            ) from error
        encoders = [
            (image[1 : 1 + d] - image[0]).T
            for d, image in zip(summary.n_features, images)
        ]
        return self._keep(summary, encoders)
