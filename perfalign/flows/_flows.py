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

from perfalign._checks import (
    check_estimator,
    check_integer,
    check_number,
    check_view,
    column_names,
)
from perfalign._linalg import eigh
from perfalign.flows._noise_flow import NoiseFlow, check_times, integrate
from perfalign.mixtures import ClassGaussians
from perfalign.transport import TransportPlan


class GaussianFlow(NoiseFlow, BaseEstimator):
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

    def __init__(self, mixture, classifier=None, rtol=1e-7):
        self.mixture = mixture
        self.classifier = classifier
        self.rtol = rtol

    def __sklearn_clone__(self):
        # A clone of the classifier would have forgotten what it knows.
        return type(self)(self.mixture, self.classifier, self.rtol)

    def fit(self, X, Y, coupling=None):
        """Nothing is learned: checks that latents are those of the mixture.

        Parameters
        ----------
        X : array-like of shape (n_source, d_1)
        Y : array-like of shape (n_target, d_2)
        coupling : object, default=None
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
        field, n_features = self._field(X)
        check_view(Y, "Y", n_features=n_features)
        return self

    def _field(self, X):
        return self._velocity(X, *self._units)

    def _field_at(self, X):
        return self._velocity(X, 0.0, 1.0)

    def _velocity(self, X, origin, scale):
        """Velocity in units of `scale`, from `origin`, and the dimension."""
        mixture = self._classes
        means = (mixture.means - origin) / scale
        variances, axes = self._principal(mixture.covariances / scale**2)
        with np.errstate(divide="ignore"):  # a class may be impossible
            log_prior = np.log(self._class_probabilities(X))

        def field(y, t, rows):
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
            return np.einsum("nc,cnd->nd", share, toward)

        return field, means.shape[1]

    def _principal(self, covariances):
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

    @property
    def _classes(self):
        if not isinstance(self.mixture, ClassGaussians):
            raise ValueError(
                "mixture must be a ClassGaussians; seen "
                f"{type(self.mixture).__name__}."
            )
        return self.mixture

    def _class_probabilities(self, X):
        mixture = self._classes
        if self.classifier is None:
            return np.tile(mixture.weights, (len(check_view(X, "X")[0]), 1))
        check_estimator(
            self.classifier, "classifier", ("predict_proba", "classes_")
        )
        classes = np.asarray(self.classifier.classes_)
        unknown = np.setdiff1d(classes, mixture.classes)
        if len(unknown):
            raise ValueError(
                f"The classifier knows the classes {unknown.tolist()}, of "
                "which the mixture has no Gaussian."
            )
        known = classes[:, np.newaxis] == mixture.classes
        return self.classifier.predict_proba(X) @ known

    # Scaling y scales the noise in y_t = (1 − t) ξ + t y against it. That is
    # the same way at another pace: in units of the target's spread σ and from
    # its mean m, y_t = t m + (1 − t + t σ) z_τ with τ = t σ / (1 − t + t σ).

    @property
    def _moments(self):
        """Mean, and variance of each feature, of all classes together."""
        weights, means = self._classes.weights, self._classes.means
        mean = weights @ means
        within = np.diagonal(self._classes.covariances, axis1=1, axis2=2)
        return mean, weights @ (within + (means - mean) ** 2)

    @property
    def _units(self):
        mean, variances = self._moments
        return mean, np.sqrt(variances.mean())

    def _clock(self, t):
        _, scale = self._units
        return t * scale / ((1 - t) + t * scale)

    def _unit(self, t):
        mean, variances = self._moments
        t = t[:, np.newaxis]
        return np.sqrt((1 - t) ** 2 + t**2 * variances / variances.mean())

    def _place(self, z, t):
        origin, scale = self._units
        return t * origin + ((1 - t) + t * scale) * z


class ConditionalFlow(NoiseFlow, BaseEstimator):
    r"""A flow learned from samples of a coupling, conditioned on the source.

    Pairs (x, y) are drawn from the coupling, with noise
    :math:`\xi \sim N(0, I)` and a time t uniform in [0, 1], and a regressor
    learns

    .. math:: v = \arg\min_v\, E\, \| v(y_t, t; x) - (y - \xi) \|^2 ,
              \qquad y_t = (1 - t)\,\xi + t\, y .

    The minimiser is :math:`E[y - \xi \mid y_t, x]`, whose flow sends noise to
    the coupling's partners of x. Source and target latents are brought to mean
    0 and variance 1 in each feature before, and target latents back at the
    end: no unit of either space matters, and the noise suits them in any.

    Parameters
    ----------
    velocity : scikit-learn regressor with many outputs, default=None
        Learns v, which `velocity_at` returns, from the columns (y_t, t, x).
        None takes a multilayer perceptron in a pipeline that standardises
        both sides, `perceptron`.
    n_samples : int, default=40_000
        Quadruples (x, y, ξ, t) that it learns from.
    rtol : float, default=1e-2
        Bound of the error of a step, in standard units; a learned velocity
        has larger errors.
    random_state : int, RandomState instance or None, default=None
        Seeds what is drawn, and the default regressor.

    Attributes
    ----------
    velocity_ : regressor
        Fitted.
    mean_, scale_ : ndarray of shape (d_2,)
        Of the target latents that the coupling draws, in their units; the
        scale of what is constant is 0, and it is drawn as that constant.
    mean_X_, scale_X_ : ndarray of shape (d_1,)
        The same of the source.
    n_features_in_ : int
        Source dimension d_1.
    feature_names_in_ : ndarray of str of shape (d_1,)
        Of a source that came as a data frame; the same columns in the same
        order are wanted afterwards.

    Notes
    -----
    The minimiser over all functions would only repeat the coupled rows: of
    finitely many partners y it is a mean of :math:`(y - y_t) / (1 - t)`,
    without bound as t → 1, and its flow, on [0, 1) with a limit, ends in one
    of them. What lies between is what the regressor makes of finitely many
    samples.

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
    ...         i = random_state.randint(200, size=n_samples)
    ...         other = random_state.randint(100, size=n_samples)
    ...         return i, 2 * other + i % 2
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(200) % 2
    >>> X = rng.normal(size=(200, 3)) + 5 * labels[:, np.newaxis]
    >>> Y = rng.normal(size=(200, 2)) - [20, 0] * labels[:, np.newaxis]
    >>> velocity = ExtraTreesRegressor(10, max_depth=9, random_state=0)
    >>> flow = ConditionalFlow(velocity, n_samples=2000, random_state=0)
    >>> made = flow.fit(X, Y, SameClass()).sample(X, random_state=0)[0]
    >>> print(f"{np.mean((made[:, 0] < -10) == labels):.1f}")
    1.0
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
        coupling : TransportPlan, ClassCoupling, matrix of masses or the like
            ``coupling.sample(n_samples, random_state)`` returns row numbers
            into X and into Y, one pair a position. A plain matrix of shape
            (n_source, n_target), such as POT returns, is taken as the masses
            of a `TransportPlan`.

        Returns
        -------
        self : ConditionalFlow

        Raises
        ------
        ValueError
            If X or Y is not a finite real matrix, the coupling speaks of
            other rows or cannot be sampled, or a parameter is out of its
            range.
        """
        _check_parameters(self)
        x, y, rng = _draw(X, Y, coupling, self.n_samples, self.random_state)
        self.mean_X_, self.scale_X_ = _standard_units(x)
        self.mean_, self.scale_ = _standard_units(y)
        x = _standardised(x, self.mean_X_, self.scale_X_)
        y = _standardised(y, self.mean_, self.scale_)
        noise = rng.standard_normal(y.shape)
        t = rng.uniform(size=(len(y), 1))
        features = np.hstack([(1 - t) * noise + t * y, t, x])
        _remember_columns(self, X, x.shape[1])
        self.velocity_ = _learn(self.velocity, features, y - noise, rng)
        return self

    def _field(self, X):
        X = _checked_as_fitted(self, X)
        x = _standardised(X, self.mean_X_, self.scale_X_)

        def field(y, t, rows):
            return _predicted(self.velocity_, y, t, x[rows])

        return field, len(self.mean_)

    def _key(self, X):
        return _standardised(X, self.mean_X_, self.scale_X_)

    def _place(self, z, t):
        return self.mean_ + self.scale_ * z


class UnconditionalFlow(BaseEstimator):
    r"""A flow from the source itself; a warning, not a tool.

    Source and target latents are each brought to mean 0 and variance 1 in
    every feature. There points move along :math:`x_t = (1 - t)\,x + t\,y`,
    and the velocity knows where they are but not where they came from,

    .. math:: v(x_t, t) = E[y - x \mid x_t] .

    The flow transports the distribution of x to that of y. It need not keep
    the coupling: trajectories of an ordinary differential equation cannot
    cross, so where the straight paths of two classes cross, points are
    exchanged. If the classes are each other's mirror image, as many as meet
    there; a class of weight .9 beside one of .1 keeps most of its points.

    Parameters
    ----------
    velocity, n_samples, rtol, random_state
        As for `ConditionalFlow`; the columns are (x_t, t).

    Attributes
    ----------
    velocity_ : regressor
    mean_X_, scale_X_, mean_Y_, scale_Y_ : ndarray of shape (d,)
        Of the source and of the target latents, in their units.
    n_features_in_ : int
    feature_names_in_ : ndarray of str of shape (d,)
        Of a source that came as a data frame.

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
        _check_parameters(self)
        x, y, rng = _draw(X, Y, coupling, self.n_samples, self.random_state)
        if x.shape[1] != y.shape[1]:
            raise ValueError(
                "An unconditional flow needs one dimension for both spaces; "
                f"seen {x.shape[1]} (X) and {y.shape[1]} (Y)."
            )
        self.mean_X_, self.scale_X_ = _standard_units(x)
        self.mean_Y_, self.scale_Y_ = _standard_units(y)
        x = _standardised(x, self.mean_X_, self.scale_X_)
        y = _standardised(y, self.mean_Y_, self.scale_Y_)
        t = rng.uniform(size=(len(y), 1))
        features = np.hstack([(1 - t) * x + t * y, t])
        _remember_columns(self, X, x.shape[1])
        self.velocity_ = _learn(self.velocity, features, y - x, rng)
        return self

    def velocity_at(self, y, t):
        """Velocity of points on their way, in standard units.

        Parameters
        ----------
        y : array-like of shape (n_samples, d)
        t : float
            Time from 0 (source) to 1 (target).

        Returns
        -------
        velocity : ndarray of shape (n_samples, d)

        Raises
        ------
        ValueError
            As `predict`.
        """
        check_is_fitted(self, "velocity_")
        y, _ = check_view(y, "y", n_features=self.n_features_in_)
        (t,) = check_times([t])
        return _predicted(self.velocity_, y, np.full(len(y), t))

    def predict(self, X, times=None):
        """Send source latents to target latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, d)
        times : array-like of shape (n_times,), default=None
            Ascending, in [0, 1], to see the points on their way. There they
            are shown with mean and scale between those of the source and
            those of the target.

        Returns
        -------
        latents : ndarray of shape (n_samples, d) or (n_times, n_samples, d)

        Raises
        ------
        ValueError
            If not fitted, X does not have d columns, or the flow cannot be
            followed.
        """
        X = _checked_as_fitted(self, X)
        start = _standardised(X, self.mean_X_, self.scale_X_)

        def field(y, t, rows):
            return _predicted(self.velocity_, y, t)

        seen = np.ones(1) if times is None else check_times(times)
        t = seen[:, np.newaxis, np.newaxis]
        path = integrate(
            field, start, check_number(self.rtol, "rtol", 0), seen
        )
        path *= (1 - t) * self.scale_X_ + t * self.scale_Y_
        path += (1 - t) * self.mean_X_ + t * self.mean_Y_
        return path[0] if times is None else path

    def sample(self, X, n_draws=1, random_state=None):
        """Target latents as other flows draw them; here all draws are equal.

        Parameters
        ----------
        X : array-like of shape (n_samples, d)
        n_draws : int, default=1
        random_state : object, default=None
            Not used: where a point ends has no chance in it.

        Returns
        -------
        latents : ndarray of shape (n_draws, n_samples, d)

        Raises
        ------
        ValueError
            As `predict`.
        """
        n_draws = check_integer(n_draws, "n_draws")
        return np.tile(self.predict(X), (n_draws, 1, 1))


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


def _check_parameters(flow):
    check_integer(flow.n_samples, "n_samples")
    check_number(flow.rtol, "rtol", 0)
    if flow.velocity is not None:
        check_estimator(flow.velocity, "velocity", ("fit", "predict"))


def _draw(X, Y, coupling, n_samples, random_state):
    """Pairs from the coupling, and the generator to go on with."""
    X, _ = check_view(X, "X")
    Y, _ = check_view(Y, "Y")
    rng = check_random_state(random_state)
    coupling = as_coupling(coupling)
    masses = [getattr(coupling, f"mass_{name}", None) for name in "XY"]
    i, j = (np.asarray(rows) for rows in coupling.sample(n_samples, rng))
    for name, rows, mass, view in zip("XY", (i, j), masses, (X, Y)):
        if rows.shape != (n_samples,) or rows.dtype.kind not in "iu":
            raise ValueError(
                f"The coupling draws, of {name}, an array of {rows.dtype} of "
                f"shape {rows.shape}; wanted {n_samples} row numbers."
            )
        speaks_of = rows.max() + 1 if mass is None else len(mass)
        if rows.min() < 0 or len(view) < speaks_of:
            raise ValueError(
                f"The coupling draws rows {rows.min()} to {rows.max()} of "
                f"{name}, which has {len(view)}; wanted the coupling of these "
                "latents."
            )
        if mass is not None and len(view) != len(mass):
            raise ValueError(
                f"The coupling is of {len(mass)} rows of {name}, which has "
                f"{len(view)}; wanted the coupling of these latents."
            )
    return X[i], Y[j], rng


def as_coupling(coupling):
    """What can be sampled as it is, a plain matrix as a `TransportPlan`."""
    # A data frame samples its own rows: it is a matrix here.
    plain = isinstance(coupling, (list, tuple)) or hasattr(
        coupling, "__array__"
    )
    if plain:
        return TransportPlan(coupling)
    if not callable(getattr(coupling, "sample", None)):
        raise ValueError(
            "The coupling must be a TransportPlan, a ClassCoupling or a "
            f"matrix of masses; {type(coupling).__name__} has no method "
            "sample(n_samples, random_state)."
        )
    return coupling


def _standard_units(drawn):
    """Mean and scale of the rows that are drawn at all; 0 of a constant."""
    # One that the coupling leaves where it is has no say.
    y = np.unique(drawn, axis=0)
    # A power of two changes no digit and keeps squares within range.
    size = np.ldexp(1.0, np.frexp(np.abs(y).max(axis=0))[1])
    # Of a data frame the order in memory, and so the rounding, is another.
    scaler = StandardScaler().fit(np.ascontiguousarray(y / size))
    # The scaler gives unit scale to what varies by rounding alone.
    varies = np.sqrt(scaler.var_) == scaler.scale_
    return size * scaler.mean_, size * np.where(varies, scaler.scale_, 0.0)


def _standardised(y, mean, scale):
    """Standard units; 0 in features that are constant."""
    return np.where(scale > 0, y - mean, 0) / np.where(scale > 0, scale, 1)


def _remember_columns(flow, X, n_features):
    flow.n_features_in_ = n_features
    names = column_names(X, "X")
    if names is not None:
        flow.feature_names_in_ = np.array(names, dtype=object)
    elif hasattr(flow, "feature_names_in_"):
        del flow.feature_names_in_


def _checked_as_fitted(flow, X):
    check_is_fitted(flow, "velocity_")
    names = getattr(flow, "feature_names_in_", None)
    return check_view(X, "X", n_features=flow.n_features_in_, columns=names)[0]


def _predicted(velocity, *columns):
    """What a regressor says, of one target too, as a matrix."""
    features = np.column_stack(columns)
    return velocity.predict(features).reshape(len(features), -1)


def _learn(velocity, features, targets, rng):
    if velocity is not None:
        one = targets.shape[1] == 1
        return clone(velocity).fit(
            features, targets.ravel() if one else targets
        )
    with warnings.catch_warnings():
        # Regression on noise does not converge; thirty passes are the plan.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return perceptron(rng).fit(features, targets)
