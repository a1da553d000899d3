r"""Put latents where a known mixture of Gaussians says that concepts are.

With total means and covariances :math:`\mu, \Sigma` of the mixture and
:math:`\hat\mu, \hat\Sigma` of the latents the map is :math:`G \hat z + g`,

.. math:: G = \Sigma^{1/2} Q \hat\Sigma^{-1/2}, \qquad
          g = \mu - G \hat\mu ,

so that an orthogonal Q is all that is to be found.
"""

import warnings
from typing import TypeAlias

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from perfalign._threads import one_openmp_thread
from perfalign._types import Array
from perfalign.gauge._goodness_of_fit import (
    likelihood_gap,
    log_joint_of,
    log_likelihood,
    seen_as,
)
from perfalign.gauge._matching import match, polar, turn
from perfalign.gauge._shape import Shape, moments, whitened

# Of the search for components without labels: so many rounds at most, each
# with fits of a free mixture and turns at random, of which the most likely
# are improved, on a part of the items.
ROUNDS, FITS, TURNS, REFINED = 6, 4, 300, 3
CLIMBED, SEARCHED = 50, 4000

#: Matrix and offset of an affine map.
Affine: TypeAlias = tuple[Array, Array]


def placing(
    found: Shape, concepts: Shape, near: Array | None = None
) -> Affine:
    """Affine map of least cost from class moments to those of concepts.

    Parameters
    ----------
    found, concepts : Shape
        The weights of the concepts are used.
    near : ndarray of shape (k, k), default=None
        With a map that is near, the search is for the best one around it.

    Returns
    -------
    matrix : ndarray of shape (k, k)
    offset : ndarray of shape (k,)
    """
    found = Shape(concepts.weights, found.means, found.covariances)
    target, unwhiten = whitened(concepts, "concepts")
    source, spread = whitened(found, "latents")
    if near is not None:
        near = polar(np.linalg.solve(unwhiten, near) @ spread)
    Q, _ = turn(source, target, near)
    matrix = unwhiten @ Q @ np.linalg.inv(spread)
    return matrix, concepts.center - matrix @ found.center


def search(latents: Array, noise: Array, concepts: Shape) -> Affine:
    """Affine map that makes latents most likely to be these concepts.

    Candidates come from the components of a free mixture model, matched to
    the known ones, and from turns of the whole at random. From each the
    likelihood is climbed. The search goes on, from other starts, until the
    likelihood is what the known mixture promises, at most `ROUNDS` times.

    Parameters
    ----------
    latents : ndarray of shape (n_samples, k)
    noise : ndarray of shape (k, k)
        Covariance of what is noise in the latents.
    concepts : Shape

    Returns
    -------
    matrix : ndarray of shape (k, k)
    offset : ndarray of shape (k,)
    """
    # Candidates are compared on a part of the items, evenly spaced.
    part = latents[:: -(-len(latents) // SEARCHED)]
    found: list[Affine] = []
    for attempt in range(ROUNDS):
        found += [
            _uphill(part, noise, concepts, candidate, CLIMBED)
            for candidate in _candidates(part, concepts, attempt)
        ]
        heights = np.array(
            [
                log_likelihood(part, seen_as(one[0], noise, concepts), *one)
                for one in found
            ]
        )
        # Of equally good ones the first: rounding must not choose.
        best = np.flatnonzero(heights >= heights.max() - 1e-6)[0]
        gap, allowed = likelihood_gap(part, noise, concepts, *found[best])
        if gap <= allowed:
            break
    return _uphill(latents, noise, concepts, found[best], steps=1000)


def _candidates(latents: Array, concepts: Shape, attempt: int) -> list[Affine]:
    """Affine maps to begin with, others in each attempt."""
    found = _components(latents, len(concepts.weights), attempt)
    target, unwhiten = whitened(concepts, "concepts")
    source, spread = whitened(found, "latents")
    first = placing(found.reordered(match(source, target)), concepts)
    rng = np.random.default_rng(attempt)
    turns = polar(rng.standard_normal((TURNS, *spread.shape)))
    maps = unwhiten @ turns @ np.linalg.inv(spread)
    others = [(A, concepts.center - A @ found.center) for A in maps]
    few = latents[:: -(-len(latents) // 500)]
    score = [log_likelihood(few, concepts, *other) for other in others]
    return [first, *(others[t] for t in np.argsort(score)[::-1][:REFINED])]


def _uphill(
    latents: Array,
    noise: Array,
    concepts: Shape,
    start: Affine,
    steps: int,
) -> Affine:
    """Affine map of greater likelihood, uphill of the one given."""
    matrix, offset = start
    target, unwhiten = whitened(seen_as(matrix, noise, concepts), "concepts")
    white, center = np.linalg.inv(unwhiten), concepts.center
    points = (latents @ matrix.T + offset - center) @ white
    k = points.shape[1]

    def loss(parameters: Array) -> tuple[float, Array]:
        A, b = parameters[:-k].reshape(k, k), parameters[-k:]
        log_joint, pulls = log_joint_of(points @ A.T + b, target)
        pull = (softmax(log_joint, axis=0)[..., None] * pulls).sum(0)
        slope = pull.T @ points / len(points) - np.linalg.inv(A).T
        height = logsumexp(log_joint, axis=0).mean()
        return (
            -height - np.linalg.slogdet(A)[1],
            np.concatenate([slope.ravel(), pull.mean(axis=0)]),
        )

    none = np.concatenate([np.eye(k).ravel(), np.zeros(k)])
    options = {"maxiter": steps, "ftol": 1e-13, "gtol": 1e-8}
    found = minimize(loss, none, jac=True, method="L-BFGS-B", options=options)
    A, b = found.x[:-k].reshape(k, k), found.x[-k:]
    A = unwhiten @ A @ white
    return A @ matrix, A @ (offset - center) + center + unwhiten @ b


def _components(latents: Array, n_components: int, seed: int) -> Shape:
    """Moments of the components of a Gaussian mixture model.

    Its search starts from k-means, which has a ruler that the model has not:
    whitened coordinates give every gauge the same one.
    """
    whole = moments(latents, np.ones((len(latents), 1)))
    _, spread = whitened(whole, "latents")
    white = np.linalg.solve(spread, (latents - whole.center).T).T
    model = GaussianMixture(n_components, n_init=FITS, random_state=seed)
    with warnings.catch_warnings(), one_openmp_thread():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(white)
    return Shape(model.weights_, model.means_, model.covariances_).mapped(
        spread, whole.center
    )
