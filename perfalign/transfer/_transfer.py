r"""Labels of one modality, used in another.

Alignment needs pairs and no labels. Gaussian classes need the labels of one
modality and no pairs. Together they classify a modality of which no label was
ever seen.
"""

import warnings

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.mixture import GaussianMixture
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import (
    FLOAT64_EPS,
    check_estimator,
    check_labels,
    check_view,
    precision,
)
from perfalign._linalg import singular_values, svd
from perfalign.alignment import CollapseWarning
from perfalign.mixtures import ClassGaussians

# Rounding of the data, in units of the type in which they are stored: a third
# of that in the mean, over the items and whatever signs the features have.
STORED = 2
# An encoder that should be silent is so to the rounding errors of its fit, a
# few tens of those of one product; what really varies is larger by far.
COMPUTED = 1000


class GaussianTransfer(ClassifierMixin, BaseEstimator):
    r"""Gaussian classes in the latent space, usable from every modality.

    Given encoders :math:`\hat z = A^m x + o^m`, the classes are estimated from
    labelled data of one modality as
    :math:`\hat z \mid c \sim N(\mu_c, \Sigma_c)`, and items of any modality
    are classified by

    .. math:: \hat c(x^m) = \arg\max_c \,
              \pi_c\, N(A^m x^m + o^m \mid \mu_c, \Sigma_c).

    Where two modalities align perfectly, an item has the same posterior
    whichever of them shows it.

    Parameters
    ----------
    alignment : PerfectAlignment
        Already fitted, on pairs without labels. Anything with a
        ``transform_view(view, modality)`` will do, such as the baselines, a
        `MappedAlignment` or a `HeldOutSearch`.
    covariance : {"tied", "full", "diag"}, default="tied"
        One covariance for all classes, one for each, or one for each without
        correlations: linear discriminant analysis, quadratic discriminant
        analysis and Gaussian naive Bayes. All are maximum likelihood
        estimates. Full covariances need many samples of every class.
    random_state : int, RandomState instance or None, default=None
        Seeds the starting points of `fit_unlabelled`.

    Attributes
    ----------
    mixture_ : ClassGaussians
        The classes in the latent space. Predictions are its posteriors.
    classes_ : ndarray of shape (C,)
        Sorted labels.
    modality_ : int or str
        The modality that was labelled.

    Notes
    -----
    Without a `modality`, predictions and scores are of the one that was
    labelled, so that ``fit(X, y).score(X, y)``, and with it scikit-learn's
    ``cross_val_score`` and ``GridSearchCV``, judge what was fitted. To
    transfer is to name another.

    The transfer by Gaussian classes of Kamboj and Do (2025, eq. 6–7). Fitting
    takes O(n k²), each prediction O(C k²) beyond the encoding.

    ``sklearn.base.clone`` also clones `alignment` and so forgets its fit;
    scikit-learn's ``FrozenEstimator(alignment)`` keeps it.

    Examples
    --------
    Concepts of two classes, seen by two linear sensors. Only the first is
    labelled; the second is classified.

    >>> import numpy as np
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.mixtures import ClassGaussians
    >>> from perfalign.transfer import GaussianTransfer
    >>> concepts = ClassGaussians([[-2, 0], [2, 1]], np.eye(2))
    >>> z, labels = concepts.sample(500, random_state=0)
    >>> seen = z @ [[1, 0, 2], [0, 1, 1]]
    >>> heard = z @ [[1, 1, 3, 0], [2, -1, 0, 1]]
    >>> alignment = PerfectAlignment(n_components=2).fit([seen, heard])
    >>> transfer = GaussianTransfer(alignment).fit(seen, labels, modality=0)
    >>> f"{transfer.score(heard, labels, modality=1):.3f}"
    '0.988'
    >>> f"{transfer.score(seen, labels):.3f}"
    '0.988'
    >>> f"{concepts.bayes_accuracy():.3f}"
    '0.980'
    """

    # A modality says what X is. It is nothing for scikit-learn to route.
    __metadata_request__fit = {"modality": UNUSED}
    __metadata_request__predict = {"modality": UNUSED}
    __metadata_request__predict_proba = {"modality": UNUSED}
    __metadata_request__score = {"modality": UNUSED}

    def __init__(self, alignment, covariance="tied", random_state=None):
        self.alignment = alignment
        self.covariance = covariance
        self.random_state = random_state

    def fit(self, X, y, modality=0):
        """Estimate the classes from labelled data of one modality.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        y : array-like of shape (n_samples,)
            Class labels, of at least two classes: strings or whole numbers.
        modality : int or str, default=0
            Which modality X shows; by name, if the alignment's views have
            names.

        Returns
        -------
        self : GaussianTransfer

        Raises
        ------
        ValueError
            If the alignment is not fitted or has no such modality, X or y is
            invalid or a label missing, or there are too few samples for the
            covariance. It needs latents that vary, about their class means,
            in every dimension in which latents vary at all: at least C + k
            samples (``"tied"``), k + 1 samples of each class (``"full"``), 2
            of each (``"diag"``).

        Warns
        -----
        CollapseWarning
            If the latents vary in fewer than k dimensions. Classes are then
            told apart in these alone, and if there are none, all that is
            left is to name the most frequent class.
        """
        self._check_covariance()
        latents = self._latents(X, modality)
        noise = self._noise(latents, precision(X), modality)
        y = check_labels(y, len(latents), "y", like=X)
        classes = np.unique(y)
        _check_several(classes)
        frame = _Frame(latents, noise, self.covariance)
        gaussians = _estimate(frame, y, classes, self.covariance)
        self._adopt(frame, gaussians, classes, modality)
        return self

    def fit_unlabelled(self, X, examples, labels, modality=0):
        """Find the classes without labels and name them by one example each.

        Expectation maximisation (scikit-learn's ``GaussianMixture``, best of
        ten starts) finds as many components as there are examples. Each
        component is then given to one example, such that the sum of the
        examples' log responsibilities is largest.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
            Data of one modality, without labels.
        examples : array-like of shape (C, n_features_m)
            One item of each class, in the same modality.
        labels : array-like of shape (C,)
            The examples' labels, all different.
        modality : int or str, default=0
            Which modality X and the examples show.

        Returns
        -------
        self : GaussianTransfer

        Raises
        ------
        ValueError
            If the alignment is not fitted or has no such modality, arrays are
            invalid, a label occurs twice, there are fewer samples than
            classes, or all latents are equal.

        Warns
        -----
        CollapseWarning
            If the latents vary in fewer than k dimensions.
        """
        self._check_covariance()
        latents = self._latents(X, modality)
        noise = self._noise(latents, precision(X), modality)
        examples_latents = self._latents(examples, modality, "examples")
        labels = check_labels(
            labels, len(examples_latents), "labels", like=examples
        )
        classes, order = np.unique(labels, return_index=True)
        _check_several(classes)
        if len(classes) < len(labels):
            raise ValueError(
                f"labels names {len(classes)} classes with {len(labels)} "
                "examples; wanted one example of each class."
            )
        frame = _Frame(latents, noise, self.covariance)
        if frame.rank == 0:
            raise ValueError(
                f"The latents of the {len(latents)} samples of modality "
                f"{modality} are all equal: the alignment has collapsed, and "
                "there are no components to find."
            )
        found = GaussianMixture(
            len(classes),
            covariance_type=self.covariance,
            n_init=10,
            random_state=self.random_state,
        ).fit(frame.coordinates)
        covariances = found.covariances_
        if self.covariance == "diag":
            covariances = np.stack([np.diag(v) for v in covariances])
        unnamed = frame.in_latent_space(
            found.means_, covariances, found.weights_
        )
        _, component = linear_sum_assignment(
            unnamed.log_posterior(examples_latents), maximize=True
        )
        component = component[order]
        if self.covariance != "tied":
            covariances = covariances[component]
        gaussians = (
            found.means_[component],
            covariances,
            found.weights_[component],
        )
        self._adopt(frame, gaussians, classes, modality)
        return self

    def predict_proba(self, X, modality=None):
        """Posterior class probabilities of items seen in any modality.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        modality : int or str, default=None
            Which modality X shows; the one that was labelled if None.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, C)
            Columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If not fitted, or X does not suit the modality.
        """
        check_is_fitted(self, "mixture_")
        return self.mixture_.posterior(self._latents(X, modality))

    def predict(self, X, modality=None):
        """Most probable classes of items seen in any modality.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        modality : int or str, default=None
            Which modality X shows; the one that was labelled if None.

        Returns
        -------
        labels : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            As `predict_proba`.
        """
        check_is_fitted(self, "mixture_")
        return self.mixture_.predict(self._latents(X, modality))

    def score(self, X, y, modality=None):
        """Share of items that get their true label.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        y : array-like of shape (n_samples,)
            True labels.
        modality : int or str, default=None
            Which modality X shows; the one that was labelled if None.

        Returns
        -------
        accuracy : float

        Raises
        ------
        ValueError
            As `predict_proba`, or if y has another length than X or a label
            is missing.
        """
        predicted = self.predict(X, modality)
        y = check_labels(y, len(predicted), "y", like=X)
        return float(accuracy_score(y, predicted))

    def modality_mixture(self, modality):
        r"""The same classes as Gaussians in one modality's own feature space.

        The latent z is sent where `PerfectAlignment.translate` sends it: to
        the best linear reconstruction of the view, which the encoder sends
        back to z. The classes become Gaussians on a k-dimensional subspace.
        A point on it has the posterior of its latent; one off it does so
        after ``alignment.translate(x, modality, modality)``, which projects
        it there along the kernel of the encoder.

        Parameters
        ----------
        modality : int or str

        Returns
        -------
        mixture : ClassGaussians
            In n_features_m dimensions.

        Raises
        ------
        ValueError
            If not fitted, the alignment has no linear encoders, there is no
            such modality, or its encoder has a rank below k and hence no
            right inverse.
        """
        check_is_fitted(self, "mixture_")
        alignment = self.alignment
        summary = getattr(alignment, "summary_", None)
        if summary is None:
            raise ValueError(
                f"alignment is a {type(alignment).__name__}, whose encoders "
                "are not known to be linear; wanted a PerfectAlignment."
            )
        encoders = alignment.encoders_
        m = summary.signature.position(modality, "modality")
        encoder = encoders[m]
        k, rank = len(encoder), _row_rank(encoder)
        if rank < k:
            raise ValueError(
                f"The encoder of modality {modality} has rank {rank} of {k}: "
                "the alignment has collapsed, and no subspace of the modality "
                f"holds {k}-dimensional latents."
            )
        origin = alignment.decode(np.zeros((1, k)), m)[0]
        return self.mixture_.push_forward(alignment.loadings(m).T, origin)

    def _check_covariance(self):
        if self.covariance not in ("tied", "full", "diag"):
            raise ValueError(
                f"covariance is {self.covariance!r}; wanted 'tied', 'full' or "
                "'diag'."
            )

    def _latents(self, X, modality=None, name="X"):
        """What the alignment makes of X."""
        if modality is None:
            modality = self.modality_
        check_estimator(self.alignment, "alignment", ["transform_view"])
        try:
            latents = self.alignment.transform_view(X, modality)
        except NotFittedError:
            raise
        except ValueError as error:
            raise ValueError(
                f"{name} (modality {modality!r}): {error}"
            ) from error
        return check_view(latents, "The latents")[0]

    def _noise(self, latents, eps, modality):
        """Sizes of the rounding errors in latents of data that have `eps`.

        Root mean squares, one a latent, in its unit. Where encoders are
        known, they are those of the terms that are added up to the latent.
        """
        summary = getattr(self.alignment, "summary_", None)
        if summary is None:
            size = np.sqrt(np.mean(latents**2, axis=0))
            return (STORED * np.max(eps) + COMPUTED * FLOAT64_EPS) * size
        stored = summary.split(summary.eps + np.zeros_like(summary.mean))
        m = summary.signature.position(modality)
        stored[m] = np.maximum(stored[m], eps)
        size = summary.power() / summary.n_samples**0.5
        features = [
            (STORED * e + COMPUTED * FLOAT64_EPS) * part
            for e, part in zip(stored, summary.split(size))
        ]
        overall = COMPUTED * FLOAT64_EPS * np.linalg.norm(size)
        return self.alignment.latent_rounding(features, overall)

    def _adopt(self, frame, gaussians, classes, modality):
        k = len(frame.center)
        if frame.rank < k:
            warnings.warn(
                f"The latents of modality {modality} vary in {frame.rank} of "
                f"{k} dimensions over these {len(frame.coordinates)} samples, "
                "and classes are told apart in those alone. So it is when an "
                "alignment has collapsed.",
                CollapseWarning,
                stacklevel=3,
            )
        self.mixture_ = frame.in_latent_space(*gaussians, classes=classes)
        self.classes_ = classes
        self.modality_ = modality


def _row_rank(matrix):
    """Rank, whatever the units of rows and columns."""
    for axis in (0, 1):
        size = np.abs(matrix).max(axis=axis, keepdims=True)
        matrix = matrix / np.where(size > 0, size, 1.0)
    s = singular_values(matrix)
    return np.count_nonzero(s > max(matrix.shape) * FLOAT64_EPS * s[0])


class _Frame:
    """Coordinates of unit variance in the dimensions in which latents vary.

    Latents are center + lift @ coordinates, to rounding. Nothing absolute
    inside a Gaussian mixture's estimation depends on the units then, and the
    rounding errors that fill collapsed dimensions stay outside.
    """

    def __init__(self, latents, noise, covariance):
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
        self.rank = np.sum(kept)
        if self.rank == 0:
            # One silent coordinate stands for the only point there is.
            scale, axes = np.ones(1), np.zeros((1, k))
        else:
            scale, axes = scale[kept], axes[kept]
        self.scale = scale
        self.coordinates = deviations @ axes.T / scale
        self.lift = (units * axes).T * scale

    def in_latent_space(self, means, covariances, weights, classes=None):
        mixture = ClassGaussians(means, covariances, weights, classes)
        return mixture.push_forward(self.lift, self.center)

    def rank_of(self, residuals, covariance):
        """Dimensions in which coordinates vary by more than rounding."""
        # Back in units of rounding errors, as at the start.
        residuals = residuals * self.scale / np.sqrt(len(residuals))
        if covariance == "diag":
            return np.sum(np.linalg.norm(residuals, axis=0) > 1)
        return np.sum(singular_values(residuals) > 1)


def _check_several(classes):
    if len(classes) < 2:
        raise ValueError(
            f"Only the class {classes[0]} occurs; wanted at least two."
        )


def _estimate(frame, y, classes, covariance):
    """Maximum likelihood means, covariances and weights in the frame."""
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
        rank = frame.rank_of(own, covariance)
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
