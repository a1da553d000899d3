"""What in latents may be no more than rounding."""

from typing import Any

import numpy as np

from perfalign._checks import FLOAT64_EPS
from perfalign._types import Array

# Rounding of the data, in units of the type in which they are stored: a third
# of that in the mean, over the items and whatever signs the features have.
STORED = 2
# An encoder that should be silent is so to the rounding errors of its fit, a
# few tens of those of one product; what really varies is larger by far.
COMPUTED = 1000


def is_linear(alignment: Any) -> bool:
    """Whether this is a `LinearAlignment`, or one that is kept frozen."""
    return hasattr(alignment, "loadings")


def rounding_of_latents(
    alignment: Any, latents: Array, eps: float | Array, view: int | str
) -> Array:
    """Sizes of the rounding errors in latents of a view.

    Parameters
    ----------
    alignment : object
        Whose latents these are.
    latents : ndarray of shape (n_samples, k)
    eps : float or ndarray of shape (n_features_m,)
        Relative precision in which the view is stored.
    view : int or str

    Returns
    -------
    rounding : ndarray of shape (k,)
        Root mean squares, each in the unit of its latent. Of linear encoders
        they are those of the terms that are added up to the latent.
    """
    if not is_linear(alignment):
        share = STORED * float(np.max(eps)) + COMPUTED * FLOAT64_EPS
        return np.asarray(share * np.sqrt(np.mean(latents**2, axis=0)))
    summary = alignment.summary_
    stored = summary.split(summary.eps + np.zeros_like(summary.mean))
    m = summary.signature.position(view)
    stored[m] = np.maximum(stored[m], eps)
    size = summary.norms() / summary.n_samples**0.5
    features = [
        (STORED * e + COMPUTED * FLOAT64_EPS) * part
        for e, part in zip(stored, summary.split(size))
    ]
    overall = COMPUTED * FLOAT64_EPS * float(np.linalg.norm(size))
    return np.asarray(alignment.latent_rounding(features, overall))
