"""No alignment at all."""

import numpy as np

from perfalign._checks import FLOAT64_EPS
from perfalign._linalg import svd
from perfalign.baselines._two_views import TwoViewAlignment, check_components


class Unaligned(TwoViewAlignment):
    r"""Principal components of each view, as if they were one space.

    Component j of one view is compared with component j of the other, each of
    unit variance. What two models share without anybody's doing. Which
    components come first depends, as always with them, on the columns' units;
    those that the rounding of the data could have made are not counted.

    Parameters
    ----------
    n_components : int, default=2
        Latent dimension k.

    Attributes
    ----------
    encoders_ : list of two ndarray of shape (k, d_m)
        The sign of each row makes the largest entry positive.
    means_ : list of two ndarray of shape (d_m,)

    Notes
    -----
    Cost O(n d²), or O(n² d) for n < d.

    Examples
    --------
    >>> from perfalign.baselines import Unaligned
    >>> from perfalign.datasets import load_digit_halves
    >>> from perfalign.metrics import relative_alignment_error
    >>> views = load_digit_halves().views
    >>> latents = Unaligned(2).fit(views).transform(views)
    >>> f"{relative_alignment_error(latents):.1f}"
    '1.2'
    """

    def __init__(self, n_components=2):
        self.n_components = n_components

    def _encoders(self, views, rounding):
        n = len(views[0])
        systems = [svd(view, full_matrices=False)[1:] for view in views]
        limit = min(
            np.count_nonzero(
                s > max(s[0] * max(view.shape) * FLOAT64_EPS, error)
            )
            for view, error, (s, _) in zip(views, rounding, systems)
        )
        check_components(
            self.n_components, limit, "the rank of the smaller view"
        )
        encoders = []
        for s, Vt in systems:
            rows, scale = Vt[: self.n_components], s[: self.n_components]
            largest = np.abs(rows).argmax(axis=1)
            signs = np.sign(rows[np.arange(len(rows)), largest])
            encoders.append((signs / scale * np.sqrt(n))[:, None] * rows)
        return encoders
