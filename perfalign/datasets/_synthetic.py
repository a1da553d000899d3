"""Views generated from concepts that are known."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_random_state

from perfalign._threads import one_blas_thread
from perfalign._types import Array, RandomState
from perfalign.datasets._numbers import numbers


@one_blas_thread
def make_gaussian_views(
    n_samples: int = 2000,
    n_features: Iterable[int] = (3, 3),
    *,
    means: ArrayLike | None = None,
    covariances: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    noise: ArrayLike = 0.0,
    random_state: RandomState = None,
) -> Bunch:
    r"""Linear views of concepts drawn from a mixture of Gaussians.

    .. math::

        z_i \sim \sum_c \pi_c \, N(\mu_c, \Sigma_c), \qquad
        x_i^m = P^m z_i + \tau_m \, \varepsilon_i^m, \qquad
        \varepsilon_i^m \sim N(0, I),

    where the entries of :math:`P^m` are uniform in [−5, 5]. With
    :math:`\tau_m = 0` and :math:`d_m \ge k` the views can be aligned
    perfectly, with probability one.

    Parameters
    ----------
    n_samples : int, default=2000
        Number of paired samples n.
    n_features : sequence of int, default=(3, 3)
        The dimension :math:`d_m` of each view, one entry a view.
    means : array-like of shape (n_classes, k), default=None
        Class means :math:`\mu_c`; they also say how many classes and latent
        dimensions there are. By default (−3, 0) and (3, 2).
    covariances : array-like, default=None
        Class covariances :math:`\Sigma_c`, of shape (n_classes, k, k), or
        one that all classes share, of shape (k, k): symmetric, positive
        semidefinite, possibly singular. The identity by default.
    weights : array-like of shape (n_classes,), default=None
        Class probabilities :math:`\pi_c`; equal by default.
    noise : float or sequence of float, default=0.0
        Standard deviation :math:`\tau_m` of the noise on every feature, for
        all views or one number a view.
    random_state : int, RandomState instance or None, default=None
        Seed of all draws. They are made in the order projections, labels,
        latents, noise. So the noise level never changes the rest, and one
        seed gives the same noise, only scaled, at every level.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        views : list of ndarray of shape (n_samples, d_m)
            Row i of each shows item i.
        latents : ndarray of shape (n_samples, k)
            The concepts :math:`z_i`.
        labels : ndarray of shape (n_samples,)
            The class of each concept, 0 to n_classes − 1.
        projections : list of ndarray of shape (d_m, k)
            The matrices :math:`P^m`.
        means, covariances, weights : ndarray
            The mixture, of shapes (n_classes, k), (n_classes, k, k) and
            (n_classes,).

    Raises
    ------
    ValueError
        If an argument has the wrong shape or range; the message says what
        was seen and what was wanted.

    Notes
    -----
    The defaults are the experiment of Kamboj and Do 2025, eq. 6–7: 2 000
    samples, two 2-D components with identity covariances, two views. The
    paper leaves out the feature dimensions, the means and the weights;
    :math:`d_m = 3`, (−3, 0), (3, 2) and ½ are our choice.

    Time and memory are O(n Σ d_m), and O(n k²) for the latents.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(random_state=0)
    >>> [view.shape for view in data.views]
    [(2000, 3), (2000, 3)]
    >>> np.allclose(data.views[1], data.latents @ data.projections[1].T)
    True
    >>> noisy = make_gaussian_views(noise=0.1, random_state=0)
    >>> np.array_equal(noisy.latents, data.latents)
    True
    >>> print(f"{np.std(noisy.views[0] - data.views[0]):.2f}")
    0.10
    """
    if not _is_count(n_samples):
        raise ValueError(
            f"n_samples must be a whole number above 0; seen {n_samples!r}."
        )
    n_features = _checked_features(n_features)
    means, covariances, weights = _checked_mixture(means, covariances, weights)
    noise = _checked_noise(noise, len(n_features))
    n_classes, k = means.shape

    rng = check_random_state(random_state)
    projections = [rng.uniform(-5, 5, size=(d_m, k)) for d_m in n_features]
    labels = rng.choice(n_classes, size=n_samples, p=weights)
    latents = rng.standard_normal((n_samples, k))
    for c, root in enumerate(_roots(covariances)):
        members = labels == c
        latents[members] = means[c] + latents[members] @ root
    return Bunch(
        views=[
            latents @ projection.T
            + scale * rng.standard_normal((n_samples, len(projection)))
            for projection, scale in zip(projections, noise)
        ],
        latents=latents,
        labels=labels,
        projections=projections,
        means=means,
        covariances=covariances,
        weights=weights,
    )


def _checked_features(n_features: Iterable[int]) -> tuple[int, ...]:
    try:
        checked = tuple(n_features)
    except TypeError:
        checked = ()
    if not checked or not all(_is_count(d_m) for d_m in checked):
        raise ValueError(
            "n_features must be a sequence of whole numbers above 0, one a "
            f"view; seen {n_features!r}."
        )
    return checked


def _is_count(number: Any) -> bool:
    whole = isinstance(number, Integral) and not isinstance(number, bool)
    return whole and number > 0


def _checked_mixture(
    means: ArrayLike | None,
    covariances: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[Array, Array, Array]:
    means = numbers(
        [[-3.0, 0.0], [3.0, 2.0]] if means is None else means, "means"
    )
    if means.ndim != 2:
        raise ValueError(
            f"means have shape {means.shape}; (n_classes, k) is wanted."
        )
    n_classes, k = means.shape

    covariances = numbers(
        np.eye(k) if covariances is None else covariances, "covariances"
    )
    if covariances.shape not in [(k, k), (n_classes, k, k)]:
        raise ValueError(
            f"covariances have shape {covariances.shape}; with means of "
            f"shape {means.shape}, {(n_classes, k, k)} or {(k, k)} is wanted."
        )
    covariances = np.broadcast_to(covariances, (n_classes, k, k)).copy()
    for c, covariance in enumerate(covariances):
        slack = 1e-10 * np.abs(covariance).max()
        if np.abs(covariance - covariance.T).max() > slack:
            raise ValueError(
                f"Covariance {c} must be symmetric; seen "
                f"{covariance.tolist()}."
            )
        smallest = np.linalg.eigvalsh(covariance)[0]
        if smallest < -slack:
            raise ValueError(
                f"Covariance {c} must be positive semidefinite; its "
                f"smallest eigenvalue is {smallest:.3g}."
            )

    weights = numbers(
        np.full(n_classes, 1 / n_classes) if weights is None else weights,
        "weights",
    )
    if weights.shape != (n_classes,):
        raise ValueError(
            f"weights have shape {weights.shape}; with means of shape "
            f"{means.shape}, {(n_classes,)} is wanted."
        )
    if weights.min() < 0 or abs(weights.sum() - 1) > 1e-8:
        raise ValueError(
            "weights must be at least 0 and sum to 1; seen "
            f"{weights.tolist()}, which sum to {weights.sum():.6g}."
        )
    return means, covariances, weights


def _checked_noise(noise: ArrayLike, n_views: int) -> Array:
    checked = numbers(np.atleast_1d(noise), "noise")
    if checked.shape not in [(1,), (n_views,)] or checked.min() < 0:
        raise ValueError(
            "noise must be a number of at least 0, or one such number for "
            f"each of the {n_views} views; seen {noise!r}."
        )
    return np.broadcast_to(checked, n_views)


def _roots(covariances: Array) -> Array:
    """The symmetric square root of each covariance, singular or not."""
    variances, axes = np.linalg.eigh(covariances)
    # A singular covariance has eigenvalues a rounding error below zero.
    deviations = np.sqrt(np.clip(variances, 0, None))
    return np.asarray((axes * deviations[:, None, :]) @ axes.mT)
