"""Linear encoders trained by contrast, as CLIP trains its networks."""

from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from perfalign._checks import (
    check_integer,
    check_number,
    check_row_labels,
    check_view,
    check_views,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, RandomState, Views
from perfalign.alignment import BaseAlignment
from perfalign.baselines._two_views import row_lengths, two_view_summary

# CLIP's own bound on how sharp the softmax may become.
MIN_TEMPERATURE = 0.01
# Where the softmax of cosines is as good as even.
MAX_TEMPERATURE = 100.0


class ContrastiveAlignment(BaseAlignment):
    r"""Encoders under which every item finds its partner among the others.

    With latents of length one, :math:`u_i = A^1 x_i^1 / \|A^1 x_i^1\|` and
    :math:`v_i` likewise, and similarities
    :math:`s_{ij} = u_i^\top v_j / \tau`, the symmetric InfoNCE loss

    .. math:: L = -\frac{1}{2n} \sum_i \Big(
              \log \frac{e^{s_{ii}}}{\sum_j e^{s_{ij}}}
              + \log \frac{e^{s_{ii}}}{\sum_j e^{s_{ji}}} \Big)

    is minimised over :math:`A^1, A^2` and, where it is learned, the
    temperature, 0.01 ≤ τ ≤ 100, by SciPy's L-BFGS-B with the exact gradient.
    A small τ asks for the one partner, a large one is content with whatever
    is near it.

    Descent that is stopped early has units: it turns to what varies most.
    With a `ridge` it takes place in whitened coordinates,
    :math:`A^m = B^m L_m^{-1}` and
    :math:`L_m L_m^\top = C_m + \lambda\,\mathrm{tr}(C_m)/d_m\,I`, in which no
    direction of a view is louder than another but for the share λ of noise.
    The loss is the same function of the :math:`A^m`; start and steps are
    those of :math:`B^1, B^2`.

    Parameters
    ----------
    n_components : int, default=2
        Latent dimension k.
    temperature : float, default=0.1
        τ, or where it starts.
    learn_temperature : bool, default=True
        Whether τ is learned; held fixed if not.
    ridge : float or None, default=None
        λ > 0, as in `PerfectAlignment`. None leaves the features in their own
        units, which is the limit of a large λ; as λ tends to 0, no unit of any
        feature makes a difference.
    max_iter : int, default=100
        Iterations at most. The loss ignores the encoders' length, so that no
        penalty on it can regularise: stopping early is what does.
    batch_size : int, default=None
        Items are dealt at random into batches of about this size, and
        partners are told from the others of their batch. None takes all items
        for one batch.
    random_state : int, RandomState instance or None, default=None
        Seeds the start and the deal.

    Attributes
    ----------
    encoders_ : list of two ndarray of shape (k, d_m)
        Of the features, before the latents are brought to length one. The
        unit of a view makes no difference to the latents, those of single
        features do, the less the smaller a ridge.
    means_ : list of two ndarray of shape (d_m,)
    temperature_ : float
    loss_ : float
        At the end. log b is what guessing among b items gives.
    n_iter_ : int

    Notes
    -----
    Oord et al. (2018) for the loss, Radford et al. (2021) for its symmetric
    form and the temperature. An iteration costs O(n (b + d) k) time and
    O(b²) memory, b the batch size. See `infonce` for what the gradient is.

    Examples
    --------
    >>> from perfalign.baselines import ContrastiveAlignment
    >>> from perfalign.datasets import make_gaussian_views
    >>> from perfalign.metrics import recall
    >>> data = make_gaussian_views(200, (4, 3), random_state=0)
    >>> contrastive = ContrastiveAlignment(2, max_iter=300, random_state=0)
    >>> u, v = contrastive.fit(data.views).transform(data.views)
    >>> f"{recall(u, v):.1f}"
    '1.0'
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "temperature": [
            Interval(Real, MIN_TEMPERATURE, MAX_TEMPERATURE, closed="both")
        ],
        "learn_temperature": ["boolean"],
        "ridge": [Interval(Real, 0, None, closed="neither"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 2,
        *,
        temperature: float = 0.1,
        learn_temperature: bool = True,
        ridge: float | None = None,
        max_iter: int = 100,
        batch_size: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.n_components = n_components
        self.temperature = temperature
        self.learn_temperature = learn_temperature
        self.ridge = ridge
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.random_state = random_state

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        """Train the encoders on paired views.

        Parameters
        ----------
        views : list or dict of two array-like (n_samples, n_features_m)
            Row i of each belongs to item i.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : ContrastiveAlignment

        Raises
        ------
        ValueError
            For invalid parameters, other than two views, or views that are
            not finite real matrices of equal length, differ in their labels
            of rows, or do not vary.
        """
        summary = two_view_summary(self, views)
        matrices, _ = check_views(views)
        n, limit = len(matrices[0]), min(summary.n_features)
        k = check_integer(
            self.n_components,
            "n_components",
            most=limit,
            what=", the features of the smaller view",
        )
        self.means_ = [view.mean(axis=0) for view in matrices]
        inputs = [view - mean for view, mean in zip(matrices, self.means_)]
        if self.ridge is not None:
            whitening = [_whitening(view, self.ridge) for view in inputs]
            inputs = [view @ W for view, W in zip(inputs, whitening)]
        rng = check_random_state(self.random_state)
        n_batches = max(1, n // (self.batch_size or n))
        batches = np.array_split(rng.permutation(n), n_batches)
        n_weights = k * sum(summary.n_features)
        start = np.append(
            rng.normal(size=n_weights) / np.sqrt(limit),
            np.log(self.temperature),
        )
        limits = start[-1], start[-1]
        if self.learn_temperature:
            limits = np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)
        found = minimize(
            partial(_objective, views=inputs, batches=batches, k=k),
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(None, None)] * n_weights + [limits],
            options={"maxiter": self.max_iter, "maxfun": 20 * self.max_iter},
        )
        self.encoders_, self.temperature_ = _unpacked(found.x, inputs, k)
        if self.ridge is not None:
            self.encoders_ = [
                B @ W.T for B, W in zip(self.encoders_, whitening)
            ]
        self.loss_ = float(found.fun)
        self.n_iter_ = int(found.nit)
        self.signature_ = summary.signature
        return self

    @property
    def n_components_(self) -> int:
        """Latent dimension k."""
        return len(self.encoders_[0])

    def _encode(self, X: Array, m: int) -> Array:
        encoded: Array = (X - self.means_[m]) @ self.encoders_[m].T
        return encoded / row_lengths(encoded)


def _whitening(view: Array, ridge: float) -> Array:
    """L⁻ᵀ, for the Cholesky factor L of the view's covariance and noise."""
    n, d = view.shape
    noise = np.sqrt(ridge / d) * np.linalg.norm(view)
    R = np.linalg.qr(np.vstack([view, noise * np.eye(d)]), mode="r")
    # The factor with a diagonal above 0 is unique: no sign is left to chance.
    R *= np.sign(np.diag(R))[:, None]
    W: Array = solve_triangular(R, np.sqrt(n) * np.eye(d))
    return W


def _objective(
    parameters: Array, views: list[Array], batches: list[Integers], k: int
) -> tuple[float, Array]:
    """Loss and gradient, by the entries of both encoders and log τ."""
    encoders, tau = _unpacked(parameters, views, k)
    loss, slope = 0.0, 0.0
    gradients = [np.zeros(A.shape) for A in encoders]
    for batch in batches:
        inputs = [view[batch] for view in views]
        latents = [x @ A.T for x, A in zip(inputs, encoders)]
        lengths = [row_lengths(z) for z in latents]
        units = [z / r for z, r in zip(latents, lengths)]
        value, slopes, by_log_tau = infonce(units[0], units[1], tau)
        share = len(batch) / len(views[0])
        loss += share * value
        slope += share * by_log_tau
        for m, (u, g) in enumerate(zip(units, slopes)):
            # Only what turns a unit vector changes it.
            turn = g - u * np.sum(u * g, axis=1, keepdims=True)
            gradients[m] += share * (turn / lengths[m]).T @ inputs[m]
    return loss, np.concatenate([*map(np.ravel, gradients), [slope]])


def _unpacked(
    parameters: Array, views: list[Array], k: int
) -> tuple[list[Array], float]:
    """Both encoders, and the temperature."""
    parts = np.split(parameters[:-1], [k * views[0].shape[1]])
    tau = float(np.exp(parameters[-1]))
    return [part.reshape(k, -1) for part in parts], tau


@one_blas_thread
def infonce(
    queries: ArrayLike, keys: ArrayLike, temperature: float = 1.0
) -> tuple[float, tuple[Array, Array], float]:
    r"""Symmetric InfoNCE loss and its exact gradient.

    With :math:`s_{ij} = u_i^\top v_j / \tau` and the softmax weights
    :math:`p_{ij} = e^{s_{ij}} / \sum_l e^{s_{il}}`,
    :math:`q_{ij} = e^{s_{ij}} / \sum_l e^{s_{lj}}`,

    .. math:: \frac{\partial L}{\partial u_i}
              = -\frac{1}{n\tau} \sum_j
              \Big(\delta_{ij} - \frac{p_{ij} + q_{ij}}{2}\Big)\, v_j .

    For linear latents :math:`u = A^1 x^1`, :math:`v = A^2 x^2` the gradient
    by :math:`A^1` is therefore :math:`-A^2 \tilde C^{21} / \tau` with the
    *contrastive cross-covariance* :math:`\tilde C^{21} = \frac1n \sum_{ij}
    (\delta_{ij} - \frac{p_{ij} + q_{ij}}{2})\, x_j^2 x_i^{1\top}` (Nakada et
    al. 2023). Where all weights are 1/n, it is the covariance.

    Parameters
    ----------
    queries, keys : array-like of shape (n_samples, k)
        Latents u and v, of any length; row i of each belongs to item i.
    temperature : float, default=1.0
        τ > 0.

    Returns
    -------
    loss : float
    gradients : tuple of two ndarray of shape (n_samples, k)
        By the queries and by the keys.
    by_log_temperature : float
        Derivative by log τ.

    Raises
    ------
    ValueError
        If the latents are not two finite real matrices of one shape, or the
        temperature is not above 0.

    Notes
    -----
    Time O(n² k), memory O(n²).

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.baselines import infonce
    >>> loss, _, _ = infonce(np.zeros((8, 2)), np.zeros((8, 2)))
    >>> f"{loss:.3f} {np.log(8):.3f}"
    '2.079 2.079'
    """
    u, _ = check_view(queries, "queries")
    v, _ = check_view(keys, "keys")
    check_row_labels([queries, keys], ["queries", "keys"])
    if u.shape != v.shape:
        raise ValueError(
            f"queries have shape {u.shape} and keys have shape {v.shape}; "
            "wanted equal shapes."
        )
    check_number(temperature, "temperature", above=0)
    n = len(u)
    level, to_u, to_v = _softened(u @ v.T / temperature, u, v)
    gradients = (to_u - v) / (n * temperature), (to_v - u) / (n * temperature)
    met = np.sum(u * v) / (n * temperature)
    by_log_temperature = met - np.sum(u * to_u) / (n * temperature)
    return float(level - met), gradients, float(by_log_temperature)


def _softened(s: Array, u: Array, v: Array) -> tuple[float, Array, Array]:
    """Mean log-sum of rows and columns, and what the weights make of v, u.

    The weights are (p + q) / 2.
    """
    most, k = s.max(), u.shape[1]
    if most - s.min() < 600:  # so that one exponential serves both
        s -= most
        np.exp(s, out=s)
        rows, columns = s.sum(axis=1)[:, None], s.sum(axis=0)[:, None]
        level = most + np.mean(np.log(rows) + np.log(columns)) / 2
        by_row, by_column = np.hsplit(s @ np.hstack([v, v / columns]), [k])
        to_u = (by_row / rows + by_column) / 2
        by_column, by_row = np.vsplit(np.hstack([u, u / rows]).T @ s, [k])
        to_v = (by_column.T / columns + by_row.T) / 2
        return level, to_u, to_v
    rows, p = _softmax(s, axis=1)
    columns, q = _softmax(s, axis=0)
    weights = (p + q) / 2
    return (rows + columns) / 2, weights @ v, weights.T @ u


def _softmax(s: Array, axis: int) -> tuple[float, Array]:
    """Mean log-sum of exponentials, and the weights, of one exponential."""
    most = s.max(axis=axis, keepdims=True)
    weights = np.exp(s - most)
    total = weights.sum(axis=axis, keepdims=True)
    weights /= total
    return float(np.mean(most + np.log(total))), weights
