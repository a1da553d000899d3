r"""What a map that is right promises.

It makes classes of the latents fit those of the mixture about as well as a
sample of the mixture itself would. How well that is, is known beforehand.
"""

import numpy as np
from scipy.special import logsumexp

from perfalign._linalg import eigh
from perfalign._types import Array
from perfalign.gauge._matching import turn
from perfalign.gauge._shape import SINGULAR, Shape, whitened
from perfalign.mixtures import ClassGaussians

# Sample of the known mixture, for what likelihood it promises.
DRAWN = 20_000
# A fit that is right falls short by more only by a rare chance.
STANDARD_ERRORS = 6
# And classes are farther off with the probability exp(−RARE).
RARE = 10


def seen_as(matrix: Array, noise: Array, concepts: Shape) -> Shape:
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


def likelihood_gap(
    latents: Array,
    noise: Array,
    concepts: Shape,
    matrix: Array,
    offset: Array,
) -> tuple[float, float]:
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
    reached = log_likelihood(latents, shape, matrix, offset) + stretch / 2
    known = ClassGaussians(shape.means, shape.covariances, shape.weights)
    sample, _ = known.sample(DRAWN, random_state=0)
    value = logsumexp(log_joint_of(sample, shape)[0], axis=0)
    # The volume of the sample makes up for a part of what its density varies.
    away = sample - shape.center
    value += ((away @ np.linalg.inv(shape.spread) * away).sum(1) - k) / 2
    error = value.std() * (1 / n_samples + 1 / DRAWN) ** 0.5
    # To second order, mean and covariance of the sample have their errors.
    freedom = k * (k + 3) / 2
    second = freedom + 2 * (RARE * freedom) ** 0.5 + 2 * RARE
    allowed = STANDARD_ERRORS * error + second / (2 * n_samples)
    return float(value.mean() - reached), float(allowed)


def cost_gap(
    found: Shape,
    sizes: Array,
    noise: Array,
    concepts: Shape,
    matrix: Array,
    offset: Array,
) -> tuple[float, float]:
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

    References
    ----------
    B. Laurent and P. Massart 2000, Adaptive estimation of a quadratic
    functional by model selection, Annals of Statistics 28(5), 1302–1338.
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
    return float(reached - explained), float(chance**0.5)


def log_joint_of(points: Array, shape: Shape) -> tuple[Array, Array]:
    """Log density of class and point, up to a constant, and minus its slope.

    One row a class, one column a point.
    """
    precisions = np.linalg.inv(shape.covariances)
    deviations = points - shape.means[:, None]
    slopes = deviations @ precisions
    sizes = np.log(shape.weights) + np.linalg.slogdet(precisions)[1] / 2
    return sizes[:, None] - (slopes * deviations).sum(2) / 2, slopes


def log_likelihood(
    latents: Array, concepts: Shape, matrix: Array, offset: Array
) -> float:
    """Log density of the latents, up to a constant, as a mean over items."""
    log_joint, _ = log_joint_of(latents @ matrix.T + offset, concepts)
    stretch = np.linalg.slogdet(matrix)[1]
    return float(logsumexp(log_joint, axis=0).mean() + stretch)
