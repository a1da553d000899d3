"""The flow into Gaussian classes, in closed form."""

from typing import Any, Self

import numpy as np
from scipy.special import softmax

from perfalign._checks import check_estimator, check_parameters, check_view
from perfalign._linalg import eigh
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, View
from perfalign.flows._noise import NoiseFlow
from perfalign.flows._steps import Field
from perfalign.mixtures import ClassGaussians


class GaussianFlow(NoiseFlow):
    r"""The exact flow into Gaussian classes, without any training.

    If the target latents of class c are :math:`N(m_c, S_c)` and a source
    latent says of its partner nothing but its class, by p(c | x), then points
    :math:`y_t = (1 - t)\,\xi + t\,y` with noise
    :math:`\xi \sim N(0, I)` have the velocity

    .. math::

       v(y, t; x) & = E[y - \xi \mid y_t = y, x] \\
       & = \sum_c p(c \mid x, y)
       \left[ m_c + (t S_c - (1 - t) I)\, S_{t,c}^{-1} (y - t\, m_c) \right]

    with :math:`S_{t,c} = (1 - t)^2 I + t^2 S_c` and
    :math:`p(c \mid x, y) \propto p(c \mid x)\, N(y \mid t\, m_c, S_{t,c})`.
    Followed from t = 0 to 1 it sends N(0, I) to
    :math:`\sum_c p(c \mid x)\, N(m_c, S_c)`. For a single class the map is
    :math:`\xi \mapsto m + S^{1/2} \xi`, the optimal transport of Gaussians.

    Parameters
    ----------
    mixture : ClassGaussians
        The target's classes; covariances of full rank.
    classifier : object with ``predict_proba`` and ``classes_``, default=None
        Fitted on source latents. Its classes must be among the mixture's;
        those it does not know get probability 0. None takes the mixture's
        weights, whatever x is.
    rtol : float, default=1e-7
        Bound of the error of a step, in units of the spread that each
        coordinate has at that time.

    Notes
    -----
    Any unit of the target gives the same endpoints in that unit. Of features
    in different units the largest decides, as in all that is said of
    distances: standardise them first. The mixture and the classifier are
    looked at when the flow is used, and there refused with a ``ValueError``
    if a covariance is singular, or the classifier knows other classes. A copy
    made by ``sklearn.base.clone`` has the same, fitted classifier.

    A velocity costs O(n C d_2²). The formula is that of conditional flow
    matching (Lipman et al. 2023; conditioned on x, Klein et al. 2024) with
    the class Gaussians of Kamboj and Do (2025, eq. 6–7) put in.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import ClassGaussians, GaussianFlow
    >>> flow = GaussianFlow(ClassGaussians([[1, 2]], [[4, 0], [0, 9]]))
    >>> print(flow.transport([[0.0]], [[0.5, -1.0]]).round(4))
    [[ 2. -1.]]
    """

    _parameter_constraints = {
        **NoiseFlow._parameter_constraints,
        "mixture": [ClassGaussians],
    }

    def __init__(
        self,
        mixture: ClassGaussians,
        classifier: Any = None,
        rtol: float = 1e-7,
    ) -> None:
        self.mixture = mixture
        self.classifier = classifier
        self.rtol = rtol

    def __sklearn_is_fitted__(self) -> bool:
        return True  # from the start

    def __sklearn_clone__(self) -> Self:
        # A clone of the classifier would have forgotten what it knows.
        return type(self)(self.mixture, self.classifier, self.rtol)

    @one_blas_thread
    def fit(self, X: View, Y: View, coupling: Any) -> Self:
        """Nothing is learned: checks that latents are those of the mixture.

        Parameters
        ----------
        X : array-like of shape (n_source, d_1)
        Y : array-like of shape (n_target, d_2)
        coupling : object
            Not used; the classifier says what X has to do with the classes.

        Returns
        -------
        self : GaussianFlow

        Raises
        ------
        ValueError
            If Y has another dimension than the mixture, or what `sample`
            needs is not there.
        """
        self._field(X)
        check_view(Y, "Y", n_features=self._dimension)
        return self

    @property
    def _dimension(self) -> int:
        return int(self.mixture.means.shape[1])

    def _rows(self, X: View) -> Array:
        return check_view(X, "X")[0]

    def _field(self, X: View) -> Field:
        check_parameters(self)
        origin, scale, _ = self._units
        return self._velocity(X, origin, scale)

    def _field_at(self, X: View) -> Field:
        check_parameters(self)
        return self._velocity(X, 0.0, 1.0)

    def _velocity(self, X: View, origin: Array | float, scale: float) -> Field:
        """Velocity in units of `scale`, from `origin`."""
        means = (self.mixture.means - origin) / scale
        covariances = self.mixture.covariances / scale**2
        variances, axes = self._principal(covariances)
        with np.errstate(divide="ignore"):  # a class may be impossible
            log_prior = np.log(self._class_probabilities(X))

        def field(y: Array, t: Array, rows: Integers) -> Array:
            t = t[:, np.newaxis]
            # Along each class's own axes: (C, n, d).
            spread = (1 - t) ** 2 + t**2 * variances[:, np.newaxis]
            gaps = (y - t * means[:, np.newaxis]) @ axes
            log_joint = -0.5 * np.sum(
                gaps**2 / spread + np.log(spread), axis=2
            )
            share = softmax(log_prior[rows] + log_joint.T, axis=1)
            pull = (t * variances[:, np.newaxis] - (1 - t)) / spread
            toward = (gaps * pull) @ axes.transpose(0, 2, 1)
            toward += means[:, np.newaxis]
            return np.asarray(np.einsum("nc,cnd->nd", share, toward))

        return field

    def _principal(self, covariances: Array) -> tuple[Array, Array]:
        """Variances and axes of the classes, none of them flat."""
        variances, axes = eigh(covariances)
        smallest, largest = variances[:, 0], variances[:, -1]
        cut = variances.shape[1] * np.finfo(float).eps * largest
        for c in np.flatnonzero(smallest <= cut):
            raise ValueError(
                f"The covariance of class {self.mixture.classes[c]} is "
                "singular: of its greatest variance the least is "
                f"{smallest[c] / largest[c] if largest[c] else 0:.2g}. A flow "
                "needs room in every direction, and features of like units."
            )
        return variances, axes

    def _class_probabilities(self, X: View) -> Array:
        if self.classifier is None:
            return np.tile(self.mixture.weights, (len(self._rows(X)), 1))
        check_estimator(
            self.classifier, "classifier", ("predict_proba", "classes_")
        )
        classes = np.asarray(self.classifier.classes_)
        unknown = np.setdiff1d(classes, self.mixture.classes)
        if len(unknown):
            raise ValueError(
                f"The classifier knows the classes {unknown.tolist()}, of "
                "which the mixture has no Gaussian."
            )
        known = classes[:, np.newaxis] == self.mixture.classes
        return np.asarray(self.classifier.predict_proba(X) @ known)

    # Scaling y scales the noise in y_t = (1 − t) ξ + t y against it. That is
    # the same way at another pace: in units of the target's spread σ and from
    # its mean m, y_t = t m + (1 − t + t σ) z_τ with τ = t σ / (1 − t + t σ).

    @property
    def _units(self) -> tuple[Array, float, Array]:
        """Mean m, spread σ and variances of all classes together."""
        weights, means = self.mixture.weights, self.mixture.means
        mean = weights @ means
        within = np.diagonal(self.mixture.covariances, axis1=1, axis2=2)
        variances = weights @ (within + (means - mean) ** 2)
        return mean, float(np.sqrt(variances.mean())), variances

    def _clock(self, t: Array) -> Array:
        _, scale, _ = self._units
        return t * scale / ((1 - t) + t * scale)

    def _unit(self, t: Array) -> Array:
        _, _, variances = self._units
        squared = (1 - t) ** 2 + t**2 * variances / variances.mean()
        return np.asarray(np.sqrt(squared))

    def _place(self, points: Array, t: float) -> Array:
        origin, scale, _ = self._units
        return t * origin + ((1 - t) + t * scale) * points
