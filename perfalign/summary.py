r"""Paired views compressed once into one small triangle.

Everything that second-order alignment needs to know of n samples fits into
their number, their mean and the triangular factor of the centred stack. The
three together can be merged, so that the data may come in blocks, in any
order, from any number of machines.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import helmert

from perfalign._validation import FLOAT64_EPS, check_views


@dataclass(frozen=True, eq=False)
class StackedSummary:
    r"""Mergeable summary (R, mean, n) of paired views.

    Let :math:`B = [X^{1\top} \dots X^{M\top}]` be the n × d matrix that has
    the views side by side, one sample a row, and :math:`\mu` its mean row. The
    summary keeps the factor R of

    .. math:: B - \mathbf{1}\mu^\top = Q R, \qquad Q^\top Q = I .

    Inner products of columns of R are inner products of centred features, so
    ranks, null spaces and canonical correlations can be read off R alone.
    Unlike the Gram matrix :math:`R^\top R`, the factor R keeps singular values
    far below :math:`\sqrt{\varepsilon}\,\sigma_{\max}`, and small singular
    values are what alignment is about.

    Parameters
    ----------
    R : ndarray of shape (p, d)
        Factor of the centred stack, p ≤ d.
    mean : ndarray of shape (d,)
        Mean of the stack, in the units of the features.
    n_samples : int
        Number n of rows summarised.
    n_features : tuple of int
        Columns of each view, in order; they sum to d.
    eps : float
        Relative rounding error of the input's number type.

    Notes
    -----
    A summary never changes: `update` and `merge` return a new one. Time is
    O(n d²), memory O(d²) beside the block being read. Merging is associative
    and its order does not matter beyond rounding: this is the tall-skinny QR
    of Demmel, Grigori, Hoemmen and Langou (2012) with the mean carried along.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import StackedSummary
    >>> rng = np.random.default_rng(0)
    >>> views = [rng.normal(size=(100, 3)), rng.normal(size=(100, 2))]
    >>> whole = StackedSummary.from_views(views)
    >>> head = StackedSummary.from_views([view[:30] for view in views])
    >>> merged = head.update([view[30:] for view in views])
    >>> merged.n_samples, merged.R.shape
    (100, (5, 5))
    >>> bool(np.allclose(merged.R.T @ merged.R, whole.R.T @ whole.R))
    True
    """

    R: np.ndarray
    mean: np.ndarray
    n_samples: int
    n_features: tuple
    eps: float = FLOAT64_EPS

    @classmethod
    def from_views(cls, views):
        """Summarise paired views.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            At least two views with equal numbers of rows.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If a view is not a finite real matrix or the row counts differ.
        """
        views, eps = check_views(views)
        stack = np.hstack(views)
        # Centring about the first row leaves constant columns exactly zero.
        # The second round removes what rounding in the first mean left over.
        origin = stack[0].copy()
        stack -= origin
        shift = stack.mean(axis=0)
        stack -= shift
        rest = stack.mean(axis=0)
        stack -= rest
        return cls(
            R=np.linalg.qr(stack, mode="r"),
            mean=origin + (shift + rest),
            n_samples=len(stack),
            n_features=tuple(view.shape[1] for view in views),
            eps=eps,
        )

    def update(self, views):
        """Summary of these samples and of the given ones.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            A further block of the same views.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If the views do not match those summarised so far.
        """
        check_views(views, n_features=self.n_features)
        return self.merge(type(self).from_views(views))

    def merge(self, other):
        r"""Summary of the samples of both.

        The merged factor is that of the rows of both and of
        :math:`\sqrt{n_a n_b / n}\,(\mu_a - \mu_b)^\top`, which carries what
        the two means differ by.

        Parameters
        ----------
        other : StackedSummary
            A summary of other samples of the same views.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If the numbers of features differ.
        """
        if self.n_features != other.n_features:
            raise ValueError(
                "Only summaries of the same views can be merged; seen "
                f"{self.n_features} and {other.n_features} features."
            )
        n_samples = self.n_samples + other.n_samples
        gap = other.mean - self.mean
        weight = np.sqrt(self.n_samples * other.n_samples / n_samples)
        return type(self)(
            R=np.linalg.qr(
                np.vstack([self.R, other.R, weight * gap]), mode="r"
            ),
            mean=self.mean + other.n_samples / n_samples * gap,
            n_samples=n_samples,
            n_features=self.n_features,
            eps=max(self.eps, other.eps),
        )

    def blocks(self, center=True):
        """Factor of the stack, cut into one block of columns a view.

        Parameters
        ----------
        center : bool, default=True
            If False, the factor is that of the data as they came.

        Returns
        -------
        blocks : list of ndarray of shape (p, n_features_m)
            Inner products of their columns are those of the features.
        """
        R = self.R
        if not center:
            mean_row = np.sqrt(self.n_samples) * self.mean
            R = np.linalg.qr(np.vstack([R, mean_row]), mode="r")
        return self.split(R)

    def split(self, stacked):
        """Cut an array whose last axis is the stack's into views.

        Parameters
        ----------
        stacked : ndarray of shape (..., d)

        Returns
        -------
        parts : list of ndarray of shape (..., n_features_m)
        """
        return np.split(stacked, np.cumsum(self.n_features)[:-1], axis=-1)

    @property
    def contrasts(self):
        r"""Combinations of latents that vanish where the views agree.

        Returns
        -------
        contrasts : ndarray of shape (M − 1, M)
            :math:`\sqrt{M}` times the orthonormal contrasts of Helmert;
            (1, −1) for two views.
        """
        n_views = len(self.n_features)
        return np.sqrt(n_views) * helmert(n_views)

    @property
    def n_observations(self):
        """One for each view of each sample."""
        return len(self.n_features) * self.n_samples

    def room(self, center=True):
        """Dimension of the disagreements that the samples could have.

        Parameters
        ----------
        center : bool, default=True

        Returns
        -------
        room : int
            M − 1 for each sample, less what centring takes away.
        """
        return (len(self.n_features) - 1) * (self.n_samples - bool(center))

    def latents_of_means(self, encoders):
        """Where offsets should send the views' means: to 0.

        Parameters
        ----------
        encoders : list of ndarray of shape (k, d_m)

        Returns
        -------
        latents : ndarray of shape (M, k)
        """
        return np.zeros((len(encoders), len(encoders[0])))

    def default_rtol(self):
        r"""Relative size below which a singular value counts as zero.

        Returns
        -------
        rtol : float
            :math:`\min(\max(n, d)\,\varepsilon, \sqrt{\varepsilon})` with the
            rounding error ε of the input's type. The usual bound
            max(n, d) ε is a worst case; for long single-precision data it
            would grow past genuine directions, so it stops at the root.
        """
        return min(
            max(self.n_samples, len(self.mean)) * self.eps, self.eps**0.5
        )
