"""The cross decompositions of scikit-learn, called in the book's way."""

import numpy as np
from sklearn.base import clone

from perfalign._checks import check_estimator
from perfalign.baselines._two_views import TwoViewAlignment


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
    means_ : list of two ndarray of shape (d_m,)

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

    def __init__(self, model):
        self.model = model

    def _encoders(self, views, rounding):
        check_estimator(self.model, "model")
        self.model_ = clone(self.model).fit(*views)
        origins = [np.zeros((1, view.shape[1])) for view in views]
        shifts = self.model_.transform(*origins)
        units = [np.eye(view.shape[1]) for view in views]
        # The model's transform is affine; its two views need as many rows.
        n = max(len(unit) for unit in units)
        padded = [np.pad(unit, ((0, n - len(unit)), (0, 0))) for unit in units]
        images = self.model_.transform(*padded)
        return [
            (image[: len(unit)] - shift).T
            for unit, image, shift in zip(units, images, shifts)
        ]
