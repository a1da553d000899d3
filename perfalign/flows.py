r"""Flows that turn noise into what one model would make of another's input.

A coupling says which source and target latents belong together. A flow makes
it a map with chance in it: from a source latent x and noise ξ to a target
latent, distributed as the coupling's partners of x. The two spaces need no
dimension in common, since x only conditions the velocity.
"""

import warnings

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from perfalign._noise_flow import NoiseFlow, integrate
from perfalign._validation import check_view


class GaussianFlow(NoiseFlow):
    r"""The exact flow into Gaussian classes, without any training.

    If the target latents of class c are :math:`N(m_c, S_c)` and a source
    latent says of its partner nothing but its class, by p(c | x), then points
    :math:`y_t = (1 - t)\,\xi + t\,y` with noise
    :math:`\xi \sim N(0, I)` have the velocity

    .. math::

       v(y, t; x) = E[y - \xi \mid y_t = y, x] = \sum_c p(c \mid x, y)
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
    rtol : float, default=1e-6
        Tolerance of the integration, `integrate`.

    Raises
    ------
    ValueError
        If a covariance is singular or the classifier knows other classes.

    Notes
    -----
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

    # Smooth: an order of eight takes few steps.
    _method = "DOP853"

    def __init__(self, mixture, classifier=None, rtol=1e-6):
        self.mixture = mixture
        self.classifier = classifier
        self.rtol = rtol
        self._variances, self._axes = np.linalg.eigh(mixture.covariances)
        smallest, largest = self._variances[:, 0], self._variances[:, -1]
        cut = self._variances.shape[1] * np.finfo(float).eps * largest
        for c in np.flatnonzero(smallest <= cut):
            raise ValueError(
                f"The covariance of class {mixture.classes[c]} is singular: "
                f"its variances reach from {smallest[c]:.3g} to "
                f"{largest[c]:.3g}. A flow needs room in every direction."
            )
        if classifier is not None:
            unknown = set(classifier.classes_) - set(mixture.classes)
            if unknown:
                raise ValueError(
                    f"The classifier knows the classes {sorted(unknown)}, of "
                    "which the mixture has no Gaussian."
                )

    def _field(self, X):
        means, axes = self.mixture.means, self._axes
        with np.errstate(divide="ignore"):  # a class may be impossible
            log_prior = np.log(self._class_probabilities(X))

        def field(y, t):
            variances = (1 - t) ** 2 + t**2 * self._variances
            # Coordinates along each class's own axes: (C, n, d).
            gaps = (y - t * means[:, np.newaxis]) @ axes
            log_joint = -0.5 * np.sum(
                gaps**2 / variances[:, np.newaxis]
                + np.log(variances)[:, np.newaxis],
                axis=2,
            )
            share = softmax(log_prior + log_joint.T, axis=1)
            pull = (t * self._variances - (1 - t)) / variances
            toward = (gaps * pull[:, np.newaxis]) @ axes.transpose(0, 2, 1)
            toward += means[:, np.newaxis]
            return np.einsum("nc,cnd->nd", share, toward)

        return field, np.zeros(means.shape[1]), 1.0

    def _class_probabilities(self, X):
        if self.classifier is None:
            return np.tile(self.mixture.weights, (len(X), 1))
        found = self.classifier.predict_proba(X)
        known = self.classifier.classes_[:, np.newaxis] == self.mixture.classes
        return found @ known


class ConditionalFlow(NoiseFlow, BaseEstimator):
    r"""A flow learned from samples of a coupling, conditioned on the source.

    Pairs (x, y) are drawn from the coupling, with noise
    :math:`\xi \sim N(0, I)` and a time t uniform in [0, 1], and a regressor
    learns

    .. math:: v = \arg\min_v\, E\, \| v(y_t, t; x) - (y - \xi) \|^2 ,
              \qquad y_t = (1 - t)\,\xi + t\, y .

    The minimiser is :math:`E[y - \xi \mid y_t, x]`, whose flow sends noise to
    the coupling's partners of x. Target latents are brought to mean 0 and
    variance 1 in each feature before, and back at the end, so that the noise
    suits them in any unit.

    Parameters
    ----------
    velocity : scikit-learn regressor with many outputs, default=None
        Learns v from the columns (y_t, t, x). None takes a multilayer
        perceptron in a pipeline that standardises both sides, `perceptron`.
    n_samples : int, default=40_000
        Quadruples (x, y, ξ, t) that it learns from.
    rtol : float, default=1e-2
        Tolerance of the integration, `integrate`; a learned velocity has
        larger errors.
    random_state : int, RandomState instance or None, default=None
        Seeds what is drawn, and the default regressor.

    Attributes
    ----------
    velocity_ : regressor
        Fitted.
    mean_, scale_ : ndarray of shape (d_2,)
        Of the target latents, in their units.
    n_features_in_ : int
        Source dimension d_1.

    Notes
    -----
    Flow matching of Lipman et al. (2023) from noise to target, conditioned on
    the source as in GENOT (Klein et al. 2024). Memory is that of the samples:
    no plan is formed here.

    Examples
    --------
    Two classes, seen by a source with three features and a target with two.
    Any pair of one class may be drawn.

    >>> import numpy as np
    >>> from sklearn.ensemble import ExtraTreesRegressor
    >>> from perfalign import ConditionalFlow
    >>> class SameClass:
    ...     def sample(self, n_samples, random_state=None):
    ...         rng = np.random.default_rng(random_state)
    ...         i = rng.integers(200, size=n_samples)
    ...         return i, 2 * rng.integers(100, size=n_samples) + i % 2
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(200) % 2
    >>> X = rng.normal(size=(200, 3)) + 5 * labels[:, np.newaxis]
    >>> Y = rng.normal(size=(200, 2)) - [20, 0] * labels[:, np.newaxis]
    >>> velocity = ExtraTreesRegressor(10, max_depth=9, random_state=0)
    >>> flow = ConditionalFlow(velocity, n_samples=2000, random_state=0)
    >>> made = flow.fit(X, Y, SameClass()).sample(X, random_state=0)[0]
    >>> bool(np.all((made[:, 0] < -10) == labels))
    True
    """

    def __init__(
        self,
        velocity=None,
        *,
        n_samples=40_000,
        rtol=1e-2,
        random_state=None,
    ):
        self.velocity = velocity
        self.n_samples = n_samples
        self.rtol = rtol
        self.random_state = random_state

    def fit(self, X, Y, coupling):
        """Learn the velocity.

        Parameters
        ----------
        X : array-like of shape (n_source, d_1)
            Source latents.
        Y : array-like of shape (n_target, d_2)
            Target latents, of whatever other items.
        coupling : object
            ``coupling.sample(n_samples, random_state)`` returns row numbers
            into X and into Y, one pair a position.

        Returns
        -------
        self : ConditionalFlow

        Raises
        ------
        ValueError
            If X or Y is not a finite real matrix, or the coupling speaks of
            other rows.
        """
        x, y, rng = _draw(X, Y, coupling, self.n_samples, self.random_state)
        scaler = StandardScaler().fit(check_view(Y, "Y")[0])
        self.mean_, self.scale_ = scaler.mean_, scaler.scale_
        y = (y - self.mean_) / self.scale_
        noise = rng.standard_normal(y.shape)
        t = rng.uniform(size=(len(y), 1))
        features = np.hstack([(1 - t) * noise + t * y, t, x])
        self.n_features_in_ = x.shape[1]
        self.velocity_ = _learn(self.velocity, features, y - noise, rng)
        return self

    def _field(self, X):
        check_is_fitted(self, "velocity_")
        X, _ = check_view(X, "X", n_features=self.n_features_in_)

        def field(y, t):
            times = np.full((len(y), 1), t)
            return self.velocity_.predict(np.hstack([y, times, X]))

        return field, self.mean_, self.scale_


class UnconditionalFlow(BaseEstimator):
    r"""A flow from the source itself; a warning, not a tool.

    Points move along :math:`x_t = (1 - t)\,x + t\,y`, and the velocity knows
    where they are but not where they came from,

    .. math:: v(x_t, t) = E[y - x \mid x_t] .

    The flow transports the distribution of x to that of y. It need not keep
    the coupling: trajectories of an ordinary differential equation cannot
    cross, so classes whose straight paths cross are exchanged where they meet.

    Parameters
    ----------
    velocity, n_samples, rtol, random_state
        As for `ConditionalFlow`; the columns are (x_t, t).

    Attributes
    ----------
    velocity_ : regressor
    n_features_in_ : int

    Notes
    -----
    Flow matching between two samples (Lipman et al. 2023; Liu et al. 2023).
    """

    def __init__(
        self,
        velocity=None,
        *,
        n_samples=40_000,
        rtol=1e-2,
        random_state=None,
    ):
        self.velocity = velocity
        self.n_samples = n_samples
        self.rtol = rtol
        self.random_state = random_state

    def fit(self, X, Y, coupling):
        """Learn the velocity; parameters as for `ConditionalFlow.fit`.

        Parameters
        ----------
        X : array-like of shape (n_source, d)
        Y : array-like of shape (n_target, d)
        coupling : object

        Returns
        -------
        self : UnconditionalFlow

        Raises
        ------
        ValueError
            As there, and if the dimensions differ.
        """
        x, y, rng = _draw(X, Y, coupling, self.n_samples, self.random_state)
        if x.shape[1] != y.shape[1]:
            raise ValueError(
                "An unconditional flow needs one dimension for both spaces; "
                f"seen {x.shape[1]} (X) and {y.shape[1]} (Y)."
            )
        t = rng.uniform(size=(len(y), 1))
        features = np.hstack([(1 - t) * x + t * y, t])
        self.n_features_in_ = x.shape[1]
        self.velocity_ = _learn(self.velocity, features, y - x, rng)
        return self

    def predict(self, X, times=None):
        """Send source latents to target latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, d)
        times : array-like of shape (n_times,), default=None
            Ascending, in [0, 1], to see the points on their way.

        Returns
        -------
        latents : ndarray of shape (n_samples, d) or (n_times, n_samples, d)

        Raises
        ------
        ValueError
            If not fitted, or X does not have d columns.
        """
        check_is_fitted(self, "velocity_")
        X, _ = check_view(X, "X", n_features=self.n_features_in_)

        def field(y, t):
            return self.velocity_.predict(
                np.hstack([y, np.full((len(y), 1), t)])
            )

        return integrate(field, X, self.rtol, times)


def perceptron(random_state=None):
    """The default velocity: a perceptron, standardised on both sides.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    regressor : sklearn.compose.TransformedTargetRegressor
        Two hidden layers of 128 units, thirty passes over the samples.
    """
    network = MLPRegressor(
        hidden_layer_sizes=(128, 128),
        batch_size=256,
        max_iter=30,
        random_state=random_state,
    )
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    )


def _draw(X, Y, coupling, n_samples, random_state):
    """Pairs from the coupling, and the generator to go on with."""
    X, _ = check_view(X, "X")
    Y, _ = check_view(Y, "Y")
    rng = check_random_state(random_state)
    i, j = coupling.sample(n_samples, rng)
    for name, rows, view in (("X", i, X), ("Y", j, Y)):
        if rows.min() < 0 or rows.max() >= len(view):
            raise ValueError(
                f"The coupling draws rows {rows.min()} to {rows.max()} of "
                f"{name}, which has {len(view)}; wanted the coupling of these "
                "latents."
            )
    return X[i], Y[j], rng


def _learn(velocity, features, targets, rng):
    if velocity is not None:
        return clone(velocity).fit(features, targets)
    with warnings.catch_warnings():
        # Regression on noise does not converge; thirty passes are the plan.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return perceptron(rng).fit(features, targets)
