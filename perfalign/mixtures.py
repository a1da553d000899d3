r"""Gaussian classes, and what linear maps make of them (chapter 6).

A linear image of a Gaussian is Gaussian. If each class of concepts is one, it
is one in every view too: usually a flat one, since a view has more features
than the concept has dimensions.
"""

from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.special import log_softmax
from scipy.stats import norm
from sklearn.utils import check_random_state

from perfalign._checks import (
    FLOAT64_EPS,
    check_integer,
    check_labels,
    check_view,
)
from perfalign._linalg import eigh, stacked_svd, svd
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Labels, RandomState, View

__all__ = ["ClassGaussians"]


class ClassGaussians:
    r"""Known classes, each a Gaussian.

    .. math:: p(x) = \sum_{c=1}^{C} \pi_c \, N(x \mid \mu_c, \Sigma_c)

    Covariances may be singular. Densities are then taken on the *common
    support*, the affine subspace that the class covariances and the
    differences of the class means span together.

    Parameters
    ----------
    means : array-like of shape (C, d)
        Class means μ_c.
    covariances : array-like of shape (C, d, d) or (d, d)
        Class covariances Σ_c, or one that all classes share (tied).
    weights : array-like of shape (C,), default=None
        Class probabilities π_c, positive, with sum 1; equal if None.
    classes : array-like of shape (C,), default=None
        Class labels; 0, …, C − 1 if None.

    Attributes
    ----------
    means : ndarray of shape (C, d)
    covariances : ndarray of shape (C, d, d)
    weights : ndarray of shape (C,)
    classes : ndarray of shape (C,)

    Raises
    ------
    ValueError
        If shapes do not agree, a covariance is not symmetric positive
        semidefinite, weights are not probabilities, or a label is repeated.

    Notes
    -----
    The class model of Kamboj and Do (2025, eq. 6–7). Each covariance is kept
    as a factor, :math:`\Sigma_c = F_c F_c^\top`. A map P acts on the factor,
    and rank and support are read off singular values of factors: forming
    :math:`P \Sigma_c P^\top` would square the condition number. Building
    takes O(C d³), a posterior O(n C d²).

    Examples
    --------
    >>> from perfalign.mixtures import ClassGaussians
    >>> latent = ClassGaussians([[-3, 0], [3, 2]], [[1, 0], [0, 1]])
    >>> print(latent.posterior([[0.0, 1.0], [0.1, 1.0]]).round(3))
    [[0.5   0.5  ]
     [0.354 0.646]]
    >>> f"{latent.bayes_accuracy():.4f}"
    '0.9992'

    The same concepts in a view with three features:

    >>> seen = latent.push_forward([[1, 2], [0, 1], [3, 1]], [5, 5, 5])
    >>> print(seen.means.round(3))
    [[ 2.  5. -4.]
     [12.  7. 16.]]
    >>> print(seen.posterior([[7.1, 6.0, 6.3]]).round(3))
    [[0.354 0.646]]
    """

    @one_blas_thread
    def __init__(
        self,
        means: View,
        covariances: View,
        weights: Any = None,
        classes: Any = None,
    ) -> None:
        means, _ = check_view(means, "means")
        n_classes, n_features = means.shape
        factors = _factors(covariances, n_classes, n_features)
        center = means.mean(axis=0)
        # Digits of a mean below its own rounding say nothing about spread.
        magnitude = np.abs(means).max(axis=0)
        magnitude += np.linalg.norm(factors, axis=2).max(axis=0)
        self._place(center, means - center, factors, magnitude)
        self.weights = _check_weights(weights, n_classes)
        self.classes = _check_classes(classes, n_classes)

    def _place(
        self, center: Array, deviations: Array, factors: Array, size: Array
    ) -> None:
        self._center = center
        self._deviations = deviations
        self._factors = factors
        self._magnitude = size

    @property
    def means(self) -> Array:
        return self._center + self._deviations

    @property
    def covariances(self) -> Array:
        return np.asarray(self._factors @ self._factors.transpose(0, 2, 1))

    @one_blas_thread
    def push_forward(self, matrix: View, offset: Any = None) -> Self:
        r"""Distribution of P x + b.

        Class c becomes :math:`N(P \mu_c + b,\; P \Sigma_c P^\top)`. If P is
        injective on the support, posteriors stay what they were: that of
        P x + b is that of x.

        Parameters
        ----------
        matrix : array-like of shape (d_new, d)
            The map P.
        offset : array-like of shape (d_new,), default=None
            The shift b; none if None.

        Returns
        -------
        image : ClassGaussians
            With the same weights and labels, in d_new dimensions.

        Raises
        ------
        ValueError
            If the shapes do not agree.
        """
        matrix, _ = check_view(matrix, "matrix")
        n_features = len(self._center)
        if matrix.shape[1] != n_features:
            raise ValueError(
                f"matrix has shape {matrix.shape}; wanted (d_new, "
                f"{n_features}) to map {n_features}-dimensional classes."
            )
        center = matrix @ self._center
        if offset is not None:
            center = center + _check_vector(offset, "offset", len(matrix))
        image = object.__new__(type(self))
        image._place(
            center,
            self._deviations @ matrix.T,
            matrix @ self._factors,
            # What cancels in the products above leaves rounding of this size.
            np.abs(matrix) @ self._magnitude,
        )
        image.weights, image.classes = self.weights, self.classes
        return image

    @one_blas_thread
    def posterior(self, X: View) -> Array:
        r"""Class probabilities given points.

        .. math:: p(c \mid x) = \pi_c N(x \mid \mu_c, \Sigma_c) \Big/
                  \sum_{c'} \pi_{c'} N(x \mid \mu_{c'}, \Sigma_{c'})

        Parameters
        ----------
        X : array-like of shape (n_samples, d)
            Points off the common support are first projected onto it
            orthogonally.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, C)
            Columns in the order of `classes`; rows sum to 1.

        Raises
        ------
        ValueError
            If X does not have d columns, or a class does not fill the common
            support: it has no density there, and the ratio is undefined.
        """
        return np.asarray(np.exp(self.log_posterior(X)))

    @one_blas_thread
    def log_posterior(self, X: View) -> Array:
        """Natural logarithm of `posterior`, without its underflow to 0.

        Parameters
        ----------
        X : array-like of shape (n_samples, d)

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, C)

        Raises
        ------
        ValueError
            As `posterior`.
        """
        X, _ = check_view(X, "X")
        n_features = len(self._center)
        if X.shape[1] != n_features:
            raise ValueError(
                f"X has shape {X.shape}; wanted (n_samples, {n_features})."
            )
        whiten, means, roots = self._on_support
        y = (X - self._center) @ whiten.T
        # Without the constant that all classes share.
        log_joint = np.tile(np.log(self.weights), (len(X), 1))
        for c, root in enumerate(roots):
            standard = np.linalg.solve(root, (y - means[c]).T)
            log_joint[:, c] -= np.sum(standard**2, axis=0) / 2
            log_joint[:, c] -= np.log(np.abs(np.diag(root))).sum()
        return np.asarray(log_softmax(log_joint, axis=1))

    @one_blas_thread
    def predict(self, X: View) -> Labels:
        """Most probable class of each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, d)

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            The first of `classes` where several are equally probable.

        Raises
        ------
        ValueError
            As `posterior`.
        """
        best = np.argmax(self.log_posterior(X), axis=1)
        return np.asarray(self.classes[best])

    @one_blas_thread
    def bayes_accuracy(
        self, n_samples: int = 100_000, random_state: RandomState = None
    ) -> float:
        r"""Accuracy of the best possible classifier.

        For two classes of one common covariance, with :math:`\delta` the
        Mahalanobis distance of their means, it is

        .. math::

           \pi_1 \Phi\Big(\frac\delta2 +
                          \frac{\log(\pi_1/\pi_2)}{\delta}\Big) +
           \pi_2 \Phi\Big(\frac\delta2 -
                          \frac{\log(\pi_1/\pi_2)}{\delta}\Big).

        Otherwise :math:`E\,[\max_c p(c \mid x)]` is averaged over samples.

        Parameters
        ----------
        n_samples : int, default=100_000
            Number of samples for the average. Its standard error is at most
            (1 − 1/C) / (2 √n_samples), 0.0016 by default, and much smaller
            when classes are far apart.
        random_state : int, RandomState instance or None, default=None
            Seeds the samples.

        Returns
        -------
        accuracy : float
            Between the largest weight and 1.

        Raises
        ------
        ValueError
            As `posterior`.
        """
        _, means, roots = self._on_support
        spreads = roots @ roots.mT
        tied = np.allclose(spreads, spreads[0], rtol=0, atol=1e-12)
        if len(means) == 2 and tied:
            distance = np.linalg.norm(
                np.linalg.solve(roots[0], means[1] - means[0])
            )
            if distance == 0:
                return float(self.weights.max())
            log_odds = np.log(self.weights / self.weights[::-1])
            right = norm.cdf(distance / 2 + log_odds / distance)
            return float(self.weights @ right)
        samples, _ = self.sample(n_samples, random_state)
        return float(self.posterior(samples).max(axis=1).mean())

    @one_blas_thread
    def sample(
        self, n_samples: int = 1, random_state: RandomState = None
    ) -> tuple[Array, Labels]:
        """Draw points with their classes.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        X : ndarray of shape (n_samples, d)
        labels : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            If `n_samples` is not an integer of at least 1.

        Notes
        -----
        With one seed, the samples of a push-forward are the pushed samples.
        """
        check_integer(n_samples, "n_samples")
        rng = check_random_state(random_state)
        drawn = rng.choice(len(self.weights), n_samples, p=self.weights)
        noise = rng.standard_normal((n_samples, self._factors.shape[2]))
        X = np.empty((n_samples, len(self._center)))
        for c, factor in enumerate(self._factors):
            mine = drawn == c
            X[mine] = self._deviations[c] + noise[mine] @ factor.T
        return X + self._center, self.classes[drawn]

    @cached_property
    def _on_support(self) -> tuple[Array, Array, Array]:
        """Map to coordinates on the common support, and the classes there.

        Their means, and triangular square roots of their covariances.
        """
        spans = np.hstack([*self._factors, self._deviations.T])
        magnitude = np.where(self._magnitude > 0, self._magnitude, 1.0)
        U, s, _ = svd(spans / magnitude[:, np.newaxis], full_matrices=False)
        precision = max(spans.shape) * FLOAT64_EPS
        rank = np.count_nonzero(s > precision)
        U, s = U[:, :rank], s[:rank]
        # The classes together are about white in the coordinates chosen.
        if rank == len(spans):
            # Nothing to project: units may differ as much as they like.
            whiten = (U / s).T / magnitude
        else:
            Q, R = np.linalg.qr(magnitude[:, np.newaxis] * U * s)
            whiten = np.linalg.solve(R, Q.T)
        # Whitening enlarges the rounding errors of the weakest direction.
        noise = precision * s[0] / s[-1] if rank > 0 else 0.0
        white = whiten @ self._factors
        for c, spread in enumerate(stacked_svd(white)[1]):
            class_rank = np.sum(spread > noise * spread.max(initial=0.0))
            if class_rank < rank:
                raise ValueError(
                    f"The covariance of class {self.classes[c]} has rank "
                    f"{class_rank}, but the classes together span {rank} "
                    "dimensions. A posterior needs every class to fill them."
                )
        roots = np.asarray(np.linalg.qr(white.mT, mode="r")).mT
        return whiten, self._deviations @ whiten.T, roots


def _factors(covariances: View, n_classes: int, n_features: int) -> Array:
    """F with F Fᵀ = Σ for each class, from the covariances as given."""
    covariances = np.asarray(covariances)
    tied, own = (n_features,) * 2, (n_classes, n_features, n_features)
    if covariances.shape not in (tied, own):
        raise ValueError(
            f"covariances have shape {covariances.shape}; wanted {own}, one "
            f"a class, or {tied}, shared by all."
        )
    flat, _ = check_view(covariances.reshape(-1, n_features), "covariances")
    stack = flat.reshape(-1, n_features, n_features)
    return np.broadcast_to([_factor(S, c) for c, S in enumerate(stack)], own)


def _factor(covariance: Array, c: int) -> Array:
    variances = np.diag(covariance)
    # Equal diagonal entries keep the rank cut independent of units.
    units = np.sqrt(np.where(variances > 0, variances, 0.0))
    units[units == 0] = units.max() or 1.0
    correlation = covariance / np.outer(units, units)
    slack = np.sqrt(FLOAT64_EPS)
    eigenvalues, vectors = eigh((correlation + correlation.T) / 2)
    if (
        np.abs(correlation - correlation.T).max() > slack
        or eigenvalues.min() < -slack
    ):
        raise ValueError(
            f"covariances[{c}] is not symmetric positive semidefinite; its "
            f"smallest eigenvalue, with unit variances, is "
            f"{eigenvalues.min():.3g}."
        )
    cut = len(covariance) * FLOAT64_EPS * eigenvalues.max()
    kept = np.where(eigenvalues > cut, eigenvalues, 0.0)
    return np.asarray(units[:, np.newaxis] * vectors * np.sqrt(kept))


def _check_weights(weights: Any, n_classes: int) -> Array:
    if weights is None:
        return np.full(n_classes, 1.0 / n_classes)
    weights = _check_vector(weights, "weights", n_classes)
    if np.any(weights <= 0) or abs(weights.sum() - 1.0) > 1e-6:
        raise ValueError(
            "weights must be positive and sum to 1; the smallest is "
            f"{weights.min():.6g} and the sum {weights.sum():.6g}."
        )
    return np.asarray(weights / weights.sum())


def _check_classes(classes: Any, n_classes: int) -> Labels:
    if classes is None:
        return np.arange(n_classes)
    labels = check_labels(classes, n_classes, "classes")
    n_different = len(np.unique(labels))
    if n_different < n_classes:
        raise ValueError(
            f"classes has {n_different} different labels; wanted {n_classes}."
        )
    return labels


def _check_vector(vector: Any, name: str, length: int) -> Array:
    if np.shape(vector) != (length,):
        raise ValueError(
            f"{name} has shape {np.shape(vector)}; wanted ({length},)."
        )
    return np.ravel(check_view(np.reshape(vector, (1, -1)), name)[0])
