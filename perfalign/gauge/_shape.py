r"""Moments of a mixture of Gaussians, known or estimated."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from perfalign._checks import FLOAT64_EPS
from perfalign._linalg import eigh
from perfalign._types import Array, Floats, Integers

# Below this share of the largest, a variance is rounding.
SINGULAR = FLOAT64_EPS**0.75


@dataclass(frozen=True, eq=False)
class Shape:
    """Weights (C,), means (C, k) and covariances (C, k, k) of a mixture."""

    weights: Array
    means: Array
    covariances: Array

    @cached_property
    def center(self) -> Array:
        """Total mean."""
        return self.weights @ self.means

    @cached_property
    def spread(self) -> Array:
        """Total covariance."""
        deviations = self.means - self.center
        within = np.einsum("c,cij->ij", self.weights, self.covariances)
        between = deviations.T @ (self.weights[:, None] * deviations)
        return np.asarray(within + between)

    def mapped(self, matrix: Floats, offset: float | Floats) -> "Shape":
        """The mixture of ``matrix @ z + offset``."""
        return Shape(
            self.weights,
            self.means @ matrix.T + offset,
            matrix @ self.covariances @ matrix.T,
        )

    def reordered(self, order: Integers | list[int]) -> "Shape":
        """Its components in another order."""
        return Shape(
            self.weights[order], self.means[order], self.covariances[order]
        )


def whitened(shape: Shape, name: str) -> tuple[Shape, Array]:
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


def moments(latents: Array, shares: Array) -> Shape:
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
