"""Gauges of the plane, and how well they carry a mixture to itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from perfalign._types import Array, Integers


@dataclass(frozen=True)
class PlaneMixture:
    """A mixture of Gaussians in the plane, in whitened coordinates."""

    means: Array
    covariances: Array
    weights: Array

    @classmethod
    def whitened(
        cls,
        means: ArrayLike,
        covariances: ArrayLike,
        weights: ArrayLike,
    ) -> "PlaneMixture":
        """With mean 0 and covariance I, the first mean to the left."""
        mu, S = np.asarray(means, float), np.asarray(covariances, float)
        w = np.asarray(weights, float)
        mu = mu - w @ mu
        total = np.einsum("c,cij->ij", w, S + mu[:, :, None] * mu[:, None])
        variances, axes = np.linalg.eigh(total)
        W = (axes / np.sqrt(variances)).T
        x, y = W @ mu[0]
        length = np.hypot(x, y)
        if length > 1e-9:  # else there is one class, which lies anyhow
            W = np.array([[-x, -y], [y, -x]]) / length @ W
        return cls(mu @ W.T, W @ S @ W.T, w)

    def sample(self, n: int, seed: int = 0) -> tuple[Array, Integers]:
        """Points and their classes."""
        rng = np.random.default_rng(seed)
        labels = rng.choice(len(self.weights), n, p=self.weights)
        roots = np.linalg.cholesky(self.covariances)[labels]
        noise = rng.normal(size=(n, 2, 1))
        return self.means[labels] + (roots @ noise)[..., 0], labels

    def misfit(self, Q: Array) -> float:
        """Root mean square Wasserstein distance of classes moved by Q."""
        moved = Q @ self.covariances @ Q.T
        # In the plane tr √M has a closed form.
        product = np.trace(moved @ self.covariances, axis1=1, axis2=2)
        both = np.linalg.det(self.covariances) * np.linalg.det(moved)
        root = np.sqrt(product + 2 * np.sqrt(both))
        traces = np.trace(moved + self.covariances, axis1=1, axis2=2)
        apart = np.sum((self.means @ Q.T - self.means) ** 2, axis=1)
        squares = self.weights @ (apart + traces - 2 * root)
        return float(np.sqrt(max(squares, 0.0)))


def turned(degrees: float, mirror: bool = False) -> Array:
    """Rotation of the plane, after a reflection across the first axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    Q: Array = np.array([[c, -s], [s, c]]) @ np.diag([1, -1 if mirror else 1])
    return Q
