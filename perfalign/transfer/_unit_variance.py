"""Gaussians, estimated where latents vary and in the unit of what they vary.

Nothing absolute inside the estimation of a Gaussian mixture depends on the
units then, and the rounding errors that fill collapsed dimensions stay
outside.
"""

from typing import Literal, TypeAlias

import numpy as np

from perfalign._linalg import column_norms, singular_values, svd
from perfalign._types import Array, Labels
from perfalign.mixtures import ClassGaussians

#: What classes have for covariances: one, one each, or one each without
#: correlations.
Covariance: TypeAlias = Literal["tied", "full", "diag"]


class Frame:
    """Coordinates of unit variance in the dimensions in which latents vary.

    Latents are ``center + lift @ coordinates``, to rounding.

    Parameters
    ----------
    latents : ndarray of shape (n_samples, k)
    noise : ndarray of shape (k,)
        What in each latent may be no more than rounding.
    covariance : {"tied", "full", "diag"}
    """

    def __init__(
        self, latents: Array, noise: Array, covariance: Covariance
    ) -> None:
        n, k = latents.shape
        self.center = latents.mean(axis=0)
        units = np.where(noise > 0, noise, 1.0)
        deviations = (latents - self.center) / units
        if covariance == "diag":
            # Axes must stay: which latents are uncorrelated depends on them.
            scale, axes = np.sqrt(np.mean(deviations**2, axis=0)), np.eye(k)
        else:
            _, s, axes = svd(deviations, full_matrices=False)
            scale = s / np.sqrt(n)
        # Below 1 is what rounding alone could make.
        kept = scale > 1
        self.rank = int(np.sum(kept))
        if self.rank == 0:
            # One silent coordinate stands for the only point there is.
            scale, axes = np.ones(1), np.zeros((1, k))
        else:
            scale, axes = scale[kept], axes[kept]
        self.scale = scale
        self.coordinates = deviations @ axes.T / scale
        self.lift = (units * axes).T * scale

    def in_latent_space(
        self,
        means: Array,
        covariances: Array,
        weights: Array,
        classes: Labels | None = None,
    ) -> ClassGaussians:
        """The mixture of latents that one of coordinates stands for."""
        mixture = ClassGaussians(means, covariances, weights, classes)
        return mixture.push_forward(self.lift, self.center)


def class_moments(
    frame: Frame, y: Labels, classes: Labels, covariance: Covariance
) -> tuple[Array, Array, Array]:
    """Maximum likelihood means, covariances and weights in a frame.

    Raises
    ------
    ValueError
        If a class has too few samples for its covariance.
    """
    members = [y == c for c in classes]
    means = np.stack([frame.coordinates[own].mean(axis=0) for own in members])
    weights = np.mean(members, axis=1)
    residuals = [
        frame.coordinates[own] - mean
        for own, mean in zip(members, means, strict=True)
    ]
    if covariance == "tied":
        # Deviations from the class means are pooled, as if of one class.
        residuals = [np.vstack(residuals)]
        names = [f"{len(classes)} classes"]
        least = f"{len(classes) + frame.rank} samples"
    else:
        names = [f"class {c}" for c in classes]
        least = 2 if covariance == "diag" else frame.rank + 1
        least = f"{least} samples of each class (covariance='tied': fewer)"
    for name, own in zip(names, residuals, strict=True):
        # Back in units of rounding errors, as at the start.
        spread = own * frame.scale / np.sqrt(len(own))
        diagonal = covariance == "diag"
        sizes = column_norms(spread) if diagonal else singular_values(spread)
        rank = np.count_nonzero(sizes > 1)
        if rank < frame.rank:
            raise ValueError(
                f"Within {name}, the latents of {len(own)} samples vary in "
                f"{rank} of {frame.rank} dimensions; covariance="
                f"{covariance!r} needs all of them, and so at least {least}."
            )
    covariances = np.stack([own.T @ own / len(own) for own in residuals])
    if covariance == "tied":
        covariances = covariances[0]
    if covariance == "diag":
        covariances *= np.eye(len(frame.scale))
    return means, covariances, weights
