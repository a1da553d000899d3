"""Features in which what is not linear becomes so."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics import pairwise_distances
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import (
    Signature,
    check_parameters,
    check_view,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, RandomState, View

# Rows among which distances are measured: their median needs no more.
N_MEASURED = 500


class GaussianFeatures(TransformerMixin, BaseEstimator):
    r"""Features whose inner products are those of a Gaussian kernel.

    .. math:: \phi(x)^\top \phi(y) \approx
              \exp\Big(-\frac{\|x - y\|^2}{2 w^2 m^2}\Big)

    with m the median distance between rows of the training data, so that the
    width w is unit-free and 1 a fair first choice. scikit-learn's
    ``Nystroem`` computes them.

    Parameters
    ----------
    n_components : int, default=300
        Number of features; at most the number of training rows is used.
    width : float, default=1.0
        w > 0.
    random_state : int, RandomState instance or None, default=None
        Chooses the rows that the features are measured from.

    Attributes
    ----------
    map_ : Nystroem
    median_distance_ : float
        m, in the units of the data.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, of data frames only.

    Notes
    -----
    Distances add up columns, so that these should be of comparable unit. The
    Nyström method (Williams and Seeger 2001). Cost O(n p d + n p² + p³)
    for p features.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.alignment import GaussianFeatures
    >>> x = np.linspace(0, 1, 50)[:, np.newaxis]
    >>> features = GaussianFeatures(20, random_state=0).fit(x)
    >>> phi, m = features.transform(x), features.median_distance_
    >>> kernel = np.exp(-((x - x.T) ** 2) / (2 * m**2))
    >>> bool(np.allclose(phi @ phi.T, kernel, atol=1e-6))
    True
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "width": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 300,
        *,
        width: float = 1.0,
        random_state: RandomState = None,
    ) -> None:
        self.n_components = n_components
        self.width = width
        self.random_state = random_state

    @one_blas_thread
    def fit(self, X: View, y: Any = None) -> Self:
        """Measure the median distance and choose the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        self : GaussianFeatures

        Raises
        ------
        ValueError
            If a parameter is invalid, X is not a finite real matrix, or more
            than half of the distances are 0.
        """
        signature_of = X
        X, _ = check_view(X, "X")
        check_parameters(self)
        rng = check_random_state(self.random_state)
        some = X[rng.permutation(len(X))[:N_MEASURED]]
        between = pairwise_distances(some)[np.triu_indices(len(some), k=1)]
        m = np.median(between) if len(between) else 0.0
        if not m > 0:
            raise ValueError(
                f"The median distance between the rows of X, {X.shape}, is "
                "0: most of them are equal, and no width suits them."
            )
        self.median_distance_ = float(m)
        self.map_ = Nystroem(
            gamma=0.5 / (self.width * m) ** 2,
            n_components=min(self.n_components, len(X)),
            random_state=rng,
        ).fit(X)
        self.signature_ = Signature.of([signature_of])
        return self

    @property
    def n_features_in_(self) -> int:
        return self.signature_.n_features[0]

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        return self.signature_.feature_names_of(0)

    @one_blas_thread
    def transform(self, X: View) -> Array:
        """Features of the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        features : ndarray of shape (n_samples, p)

        Raises
        ------
        ValueError
            If X is not a finite real matrix with the columns of the fit.
        """
        check_is_fitted(self)
        X, _ = check_view(X, "X", **self.signature_.wanted(0))
        features: Array = self.map_.transform(X)
        return features
