r"""Put latents where a known mixture of Gaussians says that concepts are.

With total means and covariances :math:`\mu, \Sigma` of the mixture and
:math:`\hat\mu, \hat\Sigma` of the latents the map is :math:`G \hat z + g`,

.. math:: G = \Sigma^{1/2} Q \hat\Sigma^{-1/2}, \qquad
          g = \mu - G \hat\mu .

An orthogonal Q that is right makes classes of the latents fit those of the
mixture about as well as a sample of the mixture itself would. How well that
is, is known beforehand.
"""

import warnings

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from perfalign._checks import FLOAT64_EPS
from perfalign._linalg import eigh
from perfalign.gauge._matching import match, polar, turn
from perfalign.gauge._symmetries import Shape
from perfalign.mixtures import ClassGaussians

# Below this share of the largest, a variance is rounding.
SINGULAR = FLOAT64_EPS**0.75
# Of the search for components without labels: so many rounds at most, each
# with fits of a free mixture and turns at random, of which the most likely
# are improved, on a part of the items.
ROUNDS, FITS, TURNS, REFINED = 6, 4, 300, 3
CLIMBED, SEARCHED = 50, 4000
# Sample of the known mixture, for what likelihood it promises.
DRAWN = 20_000
# A fit that is right falls short by more only by a rare chance.
STANDARD_ERRORS = 6
# And classes are farther off with the probability exp(−RARE).
RARE = 10


def whitened(shape, name):
    """Mixture with total covariance I, and the symmetric map back.

    Parameters
    ----------
    shape : Shape
    name : str
        How error messages call what the mixture is of.

    Returns
    -------
    shape : Shape
    unwhiten : ndarray of shape (k, k)

    Raises
    ------
    ValueError
        If the total covariance is singular.
    """
    variances, axes = eigh(shape.spread)
    if variances[0] <= SINGULAR * variances[-1]:
        raise ValueError(
            f"The total covariance of the {name} is singular: its eigenvalues "
            f"go from {variances[0]:.3g} to {variances[-1]:.3g}. A gauge "
            f"needs {name} that vary in all {len(axes)} dimensions."
        )
    deviations = np.sqrt(variances)
    white = (axes / deviations) @ axes.T
    return (
        shape.mapped(white, -white @ shape.center),
        (axes * deviations) @ axes.T,
    )


def moments(latents, shares):
    """Class moments, each item counting for a class by its share.

    Parameters
    ----------
    latents : ndarray of shape (n_samples, k)
    shares : ndarray of shape (n_samples, C)

    Returns
    -------
    shape : Shape
    """
    total = shares.sum(axis=0)
    means = shares.T @ latents / total[:, None]
    covariances = []
    for share, size, mean in zip(shares.T, total, means):
        deviations = latents - mean
        covariances.append(deviations.T @ (share[:, None] * deviations) / size)
    return Shape(total / len(latents), means, np.array(covariances))


def placing(found, concepts, near=None):
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
        near = polar(np.linalg.solve(unwhiten, near @ spread))
    Q, _ = turn(source, target, near)
    matrix = unwhiten @ Q @ np.linalg.inv(spread)
    return matrix, concepts.center - matrix @ found.center


def search(latents, noise, concepts):
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
    found, heights = [], []
    for attempt in range(ROUNDS):
        found += [
            _uphill(part, noise, concepts, *candidate, steps=CLIMBED)
            for candidate in _candidates(part, concepts, attempt)
        ]
        heights = [
            _log_likelihood(part, seen_as(one[0], noise, concepts), *one)
            for one in found
        ]
        # Of equally good ones the first: rounding must not choose.
        best = np.flatnonzero(heights >= max(heights) - 1e-6)[0]
        gap, allowed = likelihood_gap(part, noise, concepts, *found[best])
        if gap <= allowed:
            break
    return _uphill(latents, noise, concepts, *found[best], steps=1000)


def _candidates(latents, concepts, attempt):
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
    score = [_log_likelihood(few, concepts, *other) for other in others]
    return [first, *(others[t] for t in np.argsort(score)[::-1][:REFINED])]


def _uphill(latents, noise, concepts, matrix, offset, steps):
    """Affine map of greater likelihood, uphill of the one given."""
    target, unwhiten = whitened(seen_as(matrix, noise, concepts), "concepts")
    white, center = np.linalg.inv(unwhiten), concepts.center
    points = (latents @ matrix.T + offset - center) @ white
    k = points.shape[1]

    def loss(parameters):
        A, b = parameters[:-k].reshape(k, k), parameters[-k:]
        log_joint, pulls = _log_joint(points @ A.T + b, target)
        pull = (softmax(log_joint, axis=0)[..., None] * pulls).sum(0)
        slope = pull.T @ points / len(points) - np.linalg.inv(A).T
        height = logsumexp(log_joint, axis=0).mean()
        return (
            -height - np.linalg.slogdet(A)[1],
            np.concatenate([slope.ravel(), pull.mean(axis=0)]),
        )

    start = np.concatenate([np.eye(k).ravel(), np.zeros(k)])
    options = {"maxiter": steps, "ftol": 1e-13, "gtol": 1e-8}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    A, b = found.x[:-k].reshape(k, k), found.x[-k:]
    A = unwhiten @ A @ white
    return A @ matrix, A @ (offset - center) + center + unwhiten @ b


def _log_joint(points, shape):
    """Log density of class and point, up to a constant, and minus its slope.

    One row a class, one column a point.
    """
    precisions = np.linalg.inv(shape.covariances)
    deviations = points - shape.means[:, None]
    slopes = deviations @ precisions
    sizes = np.log(shape.weights) + np.linalg.slogdet(precisions)[1] / 2
    return sizes[:, None] - (slopes * deviations).sum(2) / 2, slopes


def _log_likelihood(latents, concepts, matrix, offset):
    """Log density of the latents, up to a constant, as a mean over items."""
    log_joint, _ = _log_joint(latents @ matrix.T + offset, concepts)
    size = np.linalg.slogdet(matrix)[1]
    return logsumexp(log_joint, axis=0).mean() + size


def _components(latents, n_components, seed):
    """Moments of the components of a Gaussian mixture model.

    Its search starts from k-means, which has a ruler that the model has not:
    whitened coordinates give every gauge the same one.
    """
    whole = moments(latents, np.ones((len(latents), 1)))
    _, spread = whitened(whole, "latents")
    white = np.linalg.solve(spread, (latents - whole.center).T).T
    model = GaussianMixture(n_components, n_init=FITS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(white)
    return Shape(model.weights_, model.means_, model.covariances_).mapped(
        spread, whole.center
    )


# What a map that is right promises


def seen_as(matrix, noise, concepts):
    """The mixture as latents with noise show it.

    Placed latents have the total moments of the concepts, so that noise in
    them takes the place of some of what concepts vary.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
        That places the latents.
    noise : ndarray of shape (k, k)
        Its covariance in the latents.
    concepts : Shape

    Returns
    -------
    shape : Shape
    """
    target, unwhiten = whitened(concepts, "concepts")
    white = np.linalg.solve(unwhiten, matrix)
    parts, axes = eigh(white @ noise @ white.T)
    parts = np.clip(parts, 0, 1)
    signal = (axes * np.sqrt(1 - parts)) @ axes.T
    shown = target.mapped(signal, 0)
    blurred = shown.covariances + (axes * parts) @ axes.T
    return Shape(shown.weights, shown.means, blurred).mapped(
        unwhiten, concepts.center
    )


def likelihood_gap(latents, noise, concepts, matrix, offset):
    r"""How far the likelihood is below that of a sample of the mixture.

    For concepts themselves, the mean log density is :math:`-h(p)`, minus the
    entropy of the mixture, up to chance. Latents with noise, stretched to the
    total covariance of the mixture, are a blurred sample of it.

    Parameters
    ----------
    latents, noise, concepts
        As for `search`.
    matrix : ndarray of shape (k, k)
    offset : ndarray of shape (k,)

    Returns
    -------
    gap : float
        In natural logarithms an item.
    allowed : float
        A larger gap is no chance.
    """
    n_samples, k = latents.shape
    shape = seen_as(matrix, noise, concepts)
    covariance = np.cov(latents.T, bias=True).reshape(k, k)
    stretch = (
        np.linalg.slogdet(covariance)[1] - np.linalg.slogdet(shape.spread)[1]
    )
    reached = _log_likelihood(latents, shape, matrix, offset) + stretch / 2
    known = ClassGaussians(shape.means, shape.covariances, shape.weights)
    sample, _ = known.sample(DRAWN, random_state=0)
    value = logsumexp(_log_joint(sample, shape)[0], axis=0)
    # The volume of the sample makes up for a part of what its density varies.
    away = sample - shape.center
    value += ((away @ np.linalg.inv(shape.spread) * away).sum(1) - k) / 2
    error = value.std() * (1 / n_samples + 1 / DRAWN) ** 0.5
    # To second order, mean and covariance of the sample have their errors.
    freedom = k * (k + 3) / 2
    second = freedom + 2 * (RARE * freedom) ** 0.5 + 2 * RARE
    allowed = STANDARD_ERRORS * error + second / (2 * n_samples)
    return value.mean() - reached, allowed


def cost_gap(found, sizes, noise, concepts, matrix, offset):
    r"""How far classes are from where a sample of the mixture has them.

    The root of the cost is a distance between lists of classes, and the map
    that is best is no farther off than the right one. There, to first order
    in the errors of the moments, the cost is a sum
    :math:`\sum_a v_a \chi_1^2` of independent parts: of a class of
    :math:`n_c` items whose covariance has the eigenvalues λ, the
    :math:`\pi_c \lambda_i / n_c` and, for i ≤ j, the
    :math:`\pi_c \lambda_i \lambda_j / (\lambda_i + \lambda_j) / n_c`. It is
    above :math:`\sum v + 2 \sqrt{x \sum v^2} + 2 x \max v` with a probability
    of less than :math:`e^{-x}` (Laurent and Massart 2000).

    Parameters
    ----------
    found : Shape
        Moments of the classes of latents.
    sizes : ndarray of shape (C,)
    noise, concepts, matrix, offset
        As for `likelihood_gap`.

    Returns
    -------
    gap : float
        In whitened coordinates, beyond what noise explains.
    allowed : float
        A larger gap is no chance.
    """
    target, unwhiten = whitened(concepts, "concepts")
    white = np.linalg.inv(unwhiten)
    placed, blurred = (
        shape.mapped(white, -white @ concepts.center)
        for shape in (
            found.mapped(matrix, offset),
            seen_as(matrix, noise, concepts),
        )
    )
    one = np.eye(len(white))
    reached, explained = (
        turn(shape, target, one, steps=0)[1] ** 0.5
        for shape in (placed, blurred)
    )
    spreads = np.clip(eigh(blurred.covariances)[0], SINGULAR, None)
    i, j = np.triu_indices(len(one))
    mixed = 1 / (1 / spreads[:, i] + 1 / spreads[:, j])
    shares = target.weights / sizes
    v = (shares[:, None] * np.hstack([spreads, mixed])).ravel()
    chance = v.sum() + 2 * (RARE * v @ v) ** 0.5 + 2 * RARE * v.max()
    return reached - explained, chance**0.5
