"""The flow from noise that a coupling teaches, given the source latent."""

import numpy as np

from perfalign._types import Array
from perfalign.flows._learned import LearnedFlow
from perfalign.flows._noise import NoiseFlow


class ConditionalFlow(LearnedFlow, NoiseFlow):
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
    mean_Y_, scale_Y_ : ndarray of shape (d_2,)
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

    _sees_source = True

    def _first(self, x: Array, y: Array, rng: np.random.RandomState) -> Array:
        return rng.standard_normal(y.shape)

    def _place(self, points: Array, t: float) -> Array:
        return self.mean_Y_ + self.scale_Y_ * points
