r"""Labels of one view, used in another.

Alignment needs pairs and no labels. Gaussian classes need the labels of one
view and no pairs. Together they classify a view of which no label was ever
seen.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.mixture import GaussianMixture
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import (
    FLOAT64_EPS,
    check_estimator,
    check_labels,
    check_parameters,
    check_view,
    precision,
    warn,
)
from perfalign._linalg import singular_values
from perfalign._threads import one_blas_thread, one_openmp_thread
from perfalign._types import Array, Labels, RandomState, View
from perfalign.alignment import CollapseWarning
from perfalign.mixtures import ClassGaussians
from perfalign.transfer._rounding import is_linear, rounding_of_latents
from perfalign.transfer._unit_variance import Covariance, Frame, class_moments


class GaussianTransfer(ClassifierMixin, BaseEstimator):
    r"""Gaussian classes in the latent space, usable from every view.

    Given encoders :math:`\hat z = f^m(x^m)`, the classes are estimated from
    labelled data of one view as
    :math:`\hat z \mid c \sim N(\mu_c, \Sigma_c)`, and items of any view are
    classified by

    .. math:: \hat c(x^m) = \arg\max_c \,
              \pi_c\, N(f^m(x^m) \mid \mu_c, \Sigma_c).

    Where two views align perfectly, an item has the same posterior whichever
    of them shows it.

    Parameters
    ----------
    alignment : BaseAlignment
        Already fitted, on pairs without labels. Anything else with
        ``transform_view(X, view)`` will do.
    covariance : {"tied", "full", "diag"}, default="tied"
        One covariance for all classes, one for each, or one for each without
        correlations: linear discriminant analysis, quadratic discriminant
        analysis and Gaussian naive Bayes. All are maximum likelihood
        estimates. Full covariances need many samples of every class.
    random_state : int, RandomState instance or None, default=None
        Seeds the starting points of `fit_unlabelled`.

    Attributes
    ----------
    mixture_ : ClassGaussians
        The classes in the latent space. Predictions are its posteriors.
    classes_ : ndarray of shape (C,)
        Sorted labels.
    view_ : int or str
        The view that was labelled.

    Notes
    -----
    Without a `view`, predictions and scores are of the one that was
    labelled, so that ``fit(X, y).score(X, y)``, and with it scikit-learn's
    ``cross_val_score`` and ``GridSearchCV``, judge what was fitted. To
    transfer is to name another.

    The transfer by Gaussian classes of Kamboj and Do (2025, eq. 6–7). Fitting
    takes O(n k²), each prediction O(C k²) beyond the encoding.

    ``sklearn.base.clone`` also clones `alignment` and so forgets its fit;
    scikit-learn's ``FrozenEstimator(alignment)`` keeps it.

    Examples
    --------
    Concepts of two classes, seen by two linear sensors. Only the first is
    labelled; the second is classified.

    >>> import numpy as np
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.mixtures import ClassGaussians
    >>> from perfalign.transfer import GaussianTransfer
    >>> concepts = ClassGaussians([[-2, 0], [2, 1]], np.eye(2))
    >>> z, labels = concepts.sample(500, random_state=0)
    >>> seen = z @ [[1, 0, 2], [0, 1, 1]]
    >>> heard = z @ [[1, 1, 3, 0], [2, -1, 0, 1]]
    >>> alignment = PerfectAlignment(n_components=2).fit([seen, heard])
    >>> transfer = GaussianTransfer(alignment).fit(seen, labels, view=0)
    >>> f"{transfer.score(heard, labels, view=1):.3f}"
    '0.988'
    >>> f"{transfer.score(seen, labels):.3f}"
    '0.988'
    >>> f"{concepts.bayes_accuracy():.3f}"
    '0.980'
    """

    # The view says what X is. It is nothing for scikit-learn to route.
    __metadata_request__fit = {"view": UNUSED}
    __metadata_request__predict = {"view": UNUSED}
    __metadata_request__predict_proba = {"view": UNUSED}
    __metadata_request__score = {"view": UNUSED}

    _parameter_constraints = {
        "covariance": [StrOptions({"tied", "full", "diag"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        alignment: Any,
        covariance: Covariance = "tied",
        random_state: RandomState = None,
    ) -> None:
        self.alignment = alignment
        self.covariance = covariance
        self.random_state = random_state

    @one_blas_thread
    def fit(self, X: View, y: ArrayLike, view: int | str = 0) -> Self:
        """Estimate the classes from labelled data of one view.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        y : array-like of shape (n_samples,)
            Class labels, of at least two classes: strings or whole numbers.
        view : int or str, default=0
            Which view X shows; by name, if the alignment's views have names.

        Returns
        -------
        self : GaussianTransfer

        Raises
        ------
        ValueError
            If the alignment is not fitted or has no such view, X or y is
            invalid or a label missing, or there are too few samples for the
            covariance. It needs latents that vary, about their class means,
            in every dimension in which latents vary at all: at least C + k
            samples (``"tied"``), k + 1 samples of each class (``"full"``), 2
            of each (``"diag"``).

        Warns
        -----
        CollapseWarning
            If the latents vary in fewer than k dimensions. Classes are then
            told apart in these alone, and if there are none, all that is
            left is to name the most frequent class.
        """
        check_parameters(self)
        frame = self._frame(X, view)
        y = check_labels(y, len(frame.coordinates), "y", like=X)
        classes = np.unique(y)
        _check_several(classes)
        gaussians = class_moments(frame, y, classes, self.covariance)
        return self._adopt(frame, gaussians, classes, view)

    @one_blas_thread
    def fit_unlabelled(
        self,
        X: View,
        examples: View,
        labels: ArrayLike,
        view: int | str = 0,
    ) -> Self:
        """Find the classes without labels and name them by one example each.

        Expectation maximisation (scikit-learn's ``GaussianMixture``, best of
        ten starts) finds as many components as there are examples. Each
        component is then given to one example, such that the sum of the
        examples' log responsibilities is largest.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
            Data of one view, without labels.
        examples : array-like of shape (C, n_features_m)
            One item of each class, in the same view.
        labels : array-like of shape (C,)
            The examples' labels, all different.
        view : int or str, default=0
            Which view X and the examples show.

        Returns
        -------
        self : GaussianTransfer

        Raises
        ------
        ValueError
            If the alignment is not fitted or has no such view, arrays are
            invalid, a label occurs twice, there are fewer samples than
            classes, or all latents are equal.

        Warns
        -----
        CollapseWarning
            If the latents vary in fewer than k dimensions.
        """
        check_parameters(self)
        frame = self._frame(X, view)
        given = self._latents(examples, view, "examples")
        labels = check_labels(labels, len(given), "labels", like=examples)
        classes, order = np.unique(labels, return_index=True)
        _check_several(classes)
        if len(classes) < len(labels):
            raise ValueError(
                f"labels names {len(classes)} classes with {len(labels)} "
                "examples; wanted one example of each class."
            )
        if frame.rank == 0:
            raise ValueError(
                f"The latents of the {len(frame.coordinates)} samples of view "
                f"{view!r} are all equal: the alignment has collapsed, and "
                "there are no components to find."
            )
        with one_openmp_thread():
            found = GaussianMixture(
                len(classes),
                covariance_type=self.covariance,
                n_init=10,
                random_state=self.random_state,
            ).fit(frame.coordinates)
        covariances = found.covariances_
        if self.covariance == "diag":
            covariances = covariances[:, :, None] * np.eye(frame.rank)
        unnamed = frame.in_latent_space(
            found.means_, covariances, found.weights_
        )
        _, component = linear_sum_assignment(
            unnamed.log_posterior(given)[order], maximize=True
        )
        means, weights = found.means_[component], found.weights_[component]
        if self.covariance != "tied":
            covariances = covariances[component]
        return self._adopt(frame, (means, covariances, weights), classes, view)

    @one_blas_thread
    def predict_proba(self, X: View, view: int | str | None = None) -> Array:
        """Posterior class probabilities of items of any view.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        view : int or str, default=None
            Which view X shows; the one that was labelled if None.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, C)
            Columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If not fitted, or X does not suit the view.
        """
        check_is_fitted(self, "mixture_")
        return self.mixture_.posterior(self._latents(X, view))

    @one_blas_thread
    def predict(self, X: View, view: int | str | None = None) -> Labels:
        """Most probable classes of items of any view.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        view : int or str, default=None
            Which view X shows; the one that was labelled if None.

        Returns
        -------
        labels : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            As `predict_proba`.
        """
        check_is_fitted(self, "mixture_")
        return self.mixture_.predict(self._latents(X, view))

    @one_blas_thread
    def score(
        self, X: View, y: ArrayLike, view: int | str | None = None
    ) -> float:
        """Share of items that get their true label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        y : array-like of shape (n_samples,)
            True labels.
        view : int or str, default=None
            Which view X shows; the one that was labelled if None.

        Returns
        -------
        accuracy : float

        Raises
        ------
        ValueError
            As `predict_proba`, or if y has another length than X or a label
            is missing.
        """
        predicted = self.predict(X, view)
        y = check_labels(y, len(predicted), "y", like=X)
        return float(accuracy_score(y, predicted))

    @one_blas_thread
    def view_mixture(self, view: int | str) -> ClassGaussians:
        r"""The same classes as Gaussians in one view's own feature space.

        The latent z is sent where `LinearAlignment.decode` sends it: to the
        best linear reconstruction of the view, which the encoder sends back
        to z. The classes become Gaussians on a k-dimensional subspace. A
        point on it has the posterior of its latent; one off it does so after
        ``alignment.translate(x, view, view)``, which projects it there along
        the kernel of the encoder.

        Parameters
        ----------
        view : int or str

        Returns
        -------
        mixture : ClassGaussians
            In n_features_m dimensions.

        Raises
        ------
        ValueError
            If the alignment is no `LinearAlignment`, there is no such view,
            or its encoder has a rank below k and hence no right inverse.
        sklearn.exceptions.NotFittedError
            If nothing was fitted.
        """
        check_is_fitted(self, "mixture_")
        alignment = self.alignment
        if not is_linear(alignment):
            raise ValueError(
                f"alignment is a {type(alignment).__name__}, whose encoders "
                "are not known to be linear; wanted a LinearAlignment, such "
                "as PerfectAlignment."
            )
        m = alignment.signature_.position(view)
        encoder = alignment.encoders_[m]
        k, rank = len(encoder), _row_rank(encoder)
        if rank < k:
            raise ValueError(
                f"The encoder of view {view!r} has rank {rank} of {k}: the "
                "alignment has collapsed, and no subspace of the view holds "
                f"{k}-dimensional latents."
            )
        origin = alignment.decode(np.zeros((1, k)), m)[0]
        return self.mixture_.push_forward(alignment.loadings(m).T, origin)

    def _latents(
        self, X: View, view: int | str | None, name: str = "X"
    ) -> Array:
        """What the alignment makes of X."""
        view = self.view_ if view is None else view
        check_estimator(self.alignment, "alignment", ["transform_view"])
        try:
            latents = self.alignment.transform_view(X, view)
        except NotFittedError:
            raise
        except ValueError as error:
            raise ValueError(f"{name} (view {view!r}): {error}") from error
        return check_view(latents, "The latents")[0]

    def _frame(self, X: View, view: int | str) -> Frame:
        latents = self._latents(X, view)
        rounding = rounding_of_latents(
            self.alignment, latents, precision(X), view
        )
        return Frame(latents, rounding, self.covariance)

    def _adopt(
        self,
        frame: Frame,
        gaussians: tuple[Array, Array, Array],
        classes: Labels,
        view: int | str,
    ) -> Self:
        k = len(frame.center)
        if frame.rank < k:
            warn(
                f"The latents of view {view!r} vary in {frame.rank} of {k} "
                f"dimensions over these {len(frame.coordinates)} samples, and "
                "classes are told apart in those alone. So it is when an "
                "alignment has collapsed.",
                CollapseWarning,
            )
        self.mixture_ = frame.in_latent_space(*gaussians, classes=classes)
        self.classes_, self.view_ = classes, view
        return self


def _check_several(classes: Labels) -> None:
    if len(classes) < 2:
        raise ValueError(
            f"Only the class {classes[0]} occurs; wanted at least two."
        )


def _row_rank(matrix: Array) -> int:
    """Rank, whatever the units of rows and columns."""
    for axis in (0, 1):
        size = np.abs(matrix).max(axis=axis, keepdims=True)
        matrix = matrix / np.where(size > 0, size, 1.0)
    s = singular_values(matrix)
    return int(np.count_nonzero(s > max(matrix.shape) * FLOAT64_EPS * s[0]))
