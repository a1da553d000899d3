r"""The gauge: which of all equally aligned latent spaces is used.

Perfectly aligned latents are the concept up to one invertible map
:math:`\hat z \mapsto G \hat z + g`, and the pairs cannot say which. Each
function here finds a map from something else that is known, and returns a new
fitted alignment with the encoders :math:`G A^m` and offsets
:math:`G o^m + g`. Nothing is refitted, and what was aligned stays aligned.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from perfalign._validation import FLOAT64_EPS, check_view
from perfalign.matching import match, polar, turn
from perfalign.mixtures import ClassGaussians
from perfalign.solver import (
    TIE_RTOL,
    explained_moment,
    factor_latents,
    orientation,
)
from perfalign.symmetries import (
    Shape,
    exchanging_symmetries,
    fixing_symmetries,
)
from perfalign.ties import principal_rotation, tied_groups

# Anchors closer to dependent than this leave less than half of the digits.
DEPENDENT = FLOAT64_EPS**0.5
# Of the search for components without labels.
STARTS, TURNS, REFINED, SEARCHED = 4, 300, 5, 4000


class AmbiguousGaugeWarning(UserWarning):
    """The mixture has symmetries; the gauge is one of several equal ones."""


@dataclass(frozen=True, eq=False)
class Symmetry:
    r"""An affine map :math:`z \mapsto T z + t` that keeps the mixture.

    Attributes
    ----------
    matrix : ndarray of shape (k, k)
    offset : ndarray of shape (k,)
    permutation : tuple of int
        Class c is carried to class ``permutation[c]``.
    """

    matrix: np.ndarray
    offset: np.ndarray
    permutation: tuple

    def __call__(self, latents):
        """Image of latents, one a row."""
        return latents @ self.matrix.T + self.offset

    def __str__(self):
        k = len(self.matrix)
        turned = np.count_nonzero(np.linalg.eigvals(self.matrix).real < -0.5)
        if not np.allclose(self.matrix @ self.matrix, np.eye(k), atol=1e-6):
            name = "a turn"
            if np.linalg.det(self.matrix) < 0:
                name = "a turn with a reflection"
        elif turned == 1:
            name = "a reflection"
        else:
            name = f"a reversal of {turned} of {k} directions"
        moved = [
            f"{c} to {to}" for c, to in enumerate(self.permutation) if c != to
        ]
        carried = f" carrying class {', '.join(moved)}" if moved else ""
        return name + (carried or " keeping every class in place")


@dataclass(frozen=True, eq=False)
class GaugeSymmetries:
    """Symmetries of a mixture, which no data drawn from it can resolve.

    Unless more is known: the concept of an item, or that sensors have no
    offset and so do not admit maps that move the origin.

    Attributes
    ----------
    generators : tuple of Symmetry
        With the continuous part they generate the whole group.
    dimension : int
        Of the continuous part: how many independent rotations there are.
    """

    generators: tuple
    dimension: int

    def __bool__(self):
        return bool(self.generators) or self.dimension > 0

    def __str__(self):
        parts = [str(symmetry) for symmetry in self.generators]
        if self.dimension:
            parts.append(
                f"a continuous group of rotations, of dimension "
                f"{self.dimension}"
            )
        return "; ".join(parts) or "none"


def principal(alignment):
    r"""Return to the principal gauge, from whatever gauge.

    Latents are normalised as the constraint of the fit asks, ordered by
    misfit, rotated within ties so that :math:`\sum_m L_m^\top L_m` is
    diagonal and descending, and signed. :math:`L_m` are the loadings
    cov(x^m, ẑ) in units of the view's total standard deviation; under
    ``"orthonormal"`` the pooled covariance of the latents takes the place of
    that sum.

    Parameters
    ----------
    alignment : PerfectAlignment
        Fitted, in any gauge.

    Returns
    -------
    alignment : PerfectAlignment
        New and fitted, with composed encoders and offsets.

    Raises
    ------
    ValueError
        If the encoders' rows are dependent, so that there are no k latents to
        put in order.

    Notes
    -----
    The result depends on the *space* of the latents alone: two alignments
    that differ by an invertible map have the same principal gauge, to
    rounding. For an alignment fitted with ``gauge="principal"`` it is the
    gauge of the fit, whatever came between. One fitted with ``gauge=None``
    reaches the same encoders if k does not cut a tie; if it does, the
    singular value decomposition has chosen a part of the tie, and only the
    basis of that part is made definite. Where the diagonal above has equal
    entries, the rotation among these remains open. Time is O(d² k).

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import PerfectAlignment, gauge
    >>> from perfalign.datasets import make_gaussian_views
    >>> views = make_gaussian_views(random_state=0).views
    >>> default = PerfectAlignment(2).fit(views)
    >>> raw = gauge.principal(PerfectAlignment(2, gauge=None).fit(views))
    >>> np.allclose(raw.encoders_[0], default.encoders_[0], atol=1e-10)
    True
    """
    check_is_fitted(alignment, "summary_")
    summary, encoders = alignment.summary_, alignment.encoders_
    blocks = summary.blocks(alignment.center)
    whitened = alignment.constraint == "whitened"
    latents = factor_latents(blocks, encoders, alignment.ridge)
    if whitened:
        scale, measured = summary.n_observations**0.5, np.vstack(latents)
    else:
        scale, measured = 1.0, np.hstack(encoders).T
    units = np.linalg.qr(measured / scale, mode="r")
    if np.linalg.cond(units) > 1 / FLOAT64_EPS:
        raise ValueError(
            f"The latents have rank below n_components={len(units)}; there "
            "are not that many directions to order."
        )
    matrix = np.linalg.inv(units).T

    misfit = np.vstack(
        [
            sum(h * z for h, z in zip(row, latents))
            for row in summary.contrasts
        ]
    )
    _, sigma, Vt = np.linalg.svd(misfit @ matrix.T / scale)
    sigma, matrix = sigma[::-1], Vt[::-1] @ matrix
    groups = tied_groups(sigma, TIE_RTOL * alignment.singular_values_[0])
    rtol = alignment.rtol or summary.default_rtol()
    moment = explained_moment(
        summary, [matrix @ A for A in encoders], rtol, pooled=not whitened
    )
    matrix = principal_rotation(moment, groups).T @ matrix
    signs = orientation(
        summary, [matrix @ A for A in encoders], pooled=not whitened
    )
    matrix = signs[:, None] * matrix
    origins = [alignment._frame(m)[1] for m in range(len(encoders))]
    return alignment._with_gauge(matrix, -matrix @ np.mean(origins, axis=0))


def anchored(alignment, views, latents, indices, affine=False):
    r"""Gauge that puts items of known concept in their places.

    .. math:: \min_{G, g} \sum_{i} \|z_i - G \bar z_i - g\|^2

    over the anchors i, with :math:`\bar z_i` the mean of the latents of all
    given views of the item. Without noise k independent anchors determine a
    linear map and k + 1 in general position an affine one, and all items of
    all views are then reconstructed.

    Parameters
    ----------
    alignment : PerfectAlignment
        Fitted, in any gauge.
    views : list of (array-like of shape (n_samples, n_features_m) or None)
        In the order of the fit. None stands for a view in which the anchors
        were not observed.
    latents : array-like of shape (n_anchors, k)
        Concepts of the anchors.
    indices : array-like of shape (n_anchors,)
        The anchors' rows in the views.
    affine : bool, default=False
        False supposes, with the paper, that sensors have no offset,
        :math:`x^m = P^m z`: the concept 0 is where all features are 0, also
        if the fit was centred. True supposes nothing of the origin.

    Returns
    -------
    alignment : PerfectAlignment
        New and fitted, with composed encoders and offsets.

    Raises
    ------
    ValueError
        If there are too few anchors, their concepts or their latents are
        dependent (within half of the digits), or shapes do not agree.

    Notes
    -----
    With noise the error of the map falls with the number of anchors as one
    over its root. Time is O(n_anchors (d + k) k).

    Examples
    --------
    >>> from perfalign import PerfectAlignment, gauge, reconstruction_error
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(random_state=0)
    >>> alignment = PerfectAlignment(2).fit(data.views)
    >>> known = [0, 1]
    >>> exact = gauge.anchored(
    ...     alignment, data.views, data.latents[known], known
    ... )
    >>> z = exact.transform_view(data.views[1], 1)
    >>> reconstruction_error(data.latents, z) < 1e-11
    True
    """
    consensus = _consensus(alignment, views)
    indices = _check_rows(indices, len(consensus))
    latents, _ = check_view(latents, "latents")
    k = consensus.shape[1]
    if latents.shape != (len(indices), k):
        raise ValueError(
            f"latents have shape {latents.shape}; wanted {len(indices), k}: "
            "one row for each of the indices, in their order."
        )
    if affine:
        origin = consensus[indices].mean(axis=0)
        center = latents.mean(axis=0)
    else:
        origin, center = np.mean(alignment.offsets_, axis=0), np.zeros(k)
    estimated, known = consensus[indices] - origin, latents - center
    for name, points in (("latents", estimated), ("concepts", known)):
        rank = np.linalg.matrix_rank(_unit_columns(points), rtol=DEPENDENT)
        if rank < k:
            raise ValueError(
                f"The {name} of the {len(indices)} anchors have rank {rank}"
                f"{' about their mean' if affine else ''}; wanted {k}, the "
                f"latent dimension. Choose {k + bool(affine)} or more anchors "
                "that are independent."
            )
    matrix = np.linalg.lstsq(estimated, known, rcond=None)[0].T
    return alignment._with_gauge(matrix, center - matrix @ origin)


def mixture(
    alignment, views, means, covariances, weights=None, labels=None
):
    r"""Gauge that makes latents the mixture that concepts are drawn from.

    No item's concept is known, only the means and covariances of the classes
    of concepts. With total means and covariances :math:`\mu, \Sigma` of the
    concepts and :math:`\hat\mu, \hat\Sigma` of the latents,

    .. math:: G = \Sigma^{1/2} Q \hat\Sigma^{-1/2}, \qquad
              g = \mu - G \hat\mu,

    where the orthogonal Q minimises the mean squared Wasserstein distance
    between classes, in whitened coordinates

    .. math:: \sum_c \pi_c \left[ \|Q \hat m_c - m_c\|^2
              + B^2(Q \hat S_c Q^\top, S_c) \right]

    with Bures' distance B. If the centred means span the space, as C ≥ k + 1
    of them do in general, they determine Q; otherwise the covariances must.

    Parameters
    ----------
    alignment : PerfectAlignment
        Fitted, in any gauge.
    views : list of (array-like of shape (n_samples, n_features_m) or None)
        In the order of the fit. Latents are averaged over the given views.
    means : array-like of shape (C, k)
    covariances : array-like of shape (C, k, k) or (k, k)
        Of the classes of concepts, or one for all.
    weights : array-like of shape (C,), default=None
        Class probabilities; equal if None. Moments of the concepts and of
        the latents are combined with the same weights, so that with labels
        the balance of the sample does not matter.
    labels : array-like of shape (n_samples,), default=None
        Classes of the items; the c-th of the sorted labels is that of row c
        of the means. None: classes are found as components of a Gaussian
        mixture model of the latents, matched to the known ones in the order
        that costs least, and the map is improved under the known mixture.

    Returns
    -------
    alignment : PerfectAlignment
        New and fitted, with composed encoders and offsets. Its attribute
        ``gauge_symmetries_`` (`GaugeSymmetries`) lists the affine maps that
        carry the known mixture to itself, each class to itself if there are
        labels. The result is right up to these.

    Raises
    ------
    ValueError
        If shapes do not agree, the total covariance of the concepts or of
        the latents is singular, a class has no samples, or, without labels,
        the covariance of a class is singular.

    Warns
    -----
    AmbiguousGaugeWarning
        If there are such symmetries. The gauge returned is then one of
        several, or of infinitely many, that fit equally well.

    Notes
    -----
    The map is affine; that sensors have no offset is not made use of. Where
    it is known, mean views of labelled classes are anchors of a linear map.

    With n samples the error falls as :math:`n^{-1/2}`. Symmetries are those
    of the moments as given, exact to 1e-6 of the total spread; a mixture that
    is almost symmetric needs very many samples to be resolved. Orders of up
    to seven components are all compared; of more, those that no weight or
    Mahalanobis distance speaks against. The orthogonal map is found in closed
    form when means span the space, and then improved; otherwise from a fixed
    set of starts.

    Examples
    --------
    >>> from perfalign import PerfectAlignment, gauge, reconstruction_error
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(
    ...     20_000, means=[[-4, 0], [4, 0], [0, 6]], weights=[0.5, 0.3, 0.2],
    ...     random_state=0,
    ... )
    >>> alignment = PerfectAlignment(2).fit(data.views)
    >>> placed = gauge.mixture(
    ...     alignment, data.views, data.means, data.covariances, data.weights
    ... )
    >>> z = placed.transform_view(data.views[0], 0)
    >>> reconstruction_error(data.latents, z) < 0.1
    True
    >>> print(placed.gauge_symmetries_)
    none
    """
    consensus = _consensus(alignment, views)
    known = ClassGaussians(means, covariances, weights)
    k = consensus.shape[1]
    if known.means.shape[1] != k:
        raise ValueError(
            f"means have shape {known.means.shape}; wanted (C, {k}) for "
            f"latents of {k} dimensions."
        )
    concepts = Shape(known.weights, known.means, known.covariances)
    if labels is None:
        matrix, offset = _search(consensus, concepts)
    else:
        found = _class_moments(consensus, labels, len(concepts.weights))
        matrix, offset = _placing(found, concepts)
    placed = alignment._with_gauge(matrix, offset)
    placed.gauge_symmetries_ = _symmetries(
        concepts, exchange=labels is None
    )
    if placed.gauge_symmetries_:
        warnings.warn(
            "The mixture does not determine the gauge. It looks the same "
            f"after: {placed.gauge_symmetries_}. The gauge returned is one "
            "of those that fit equally well.",
            AmbiguousGaugeWarning,
            stacklevel=2,
        )
    return placed


def _consensus(alignment, views):
    """Latents of the items, averaged over the views that are given."""
    check_is_fitted(alignment, "summary_")
    n_views = len(alignment.summary_.n_features)
    if not isinstance(views, (list, tuple)) or len(views) != n_views:
        seen = type(views).__name__
        if isinstance(views, (list, tuple)):
            seen += f" of {len(views)}"
        raise ValueError(
            f"views must be a list of {n_views}, as in the fit; seen {seen}."
        )
    latents = {
        m: alignment.transform_view(view, m)
        for m, view in enumerate(views)
        if view is not None
    }
    if len({len(z) for z in latents.values()}) != 1:
        seen = [f"view {m}: {len(z)} rows" for m, z in latents.items()]
        raise ValueError(
            "At least one view must be given, and all given must show the "
            f"same items; seen {', '.join(seen) or 'none'}."
        )
    return np.mean(list(latents.values()), axis=0)


def _check_rows(indices, n_samples):
    indices = np.asarray(indices)
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        raise ValueError(
            "indices must be a list of row numbers; seen "
            f"{indices.dtype} of shape {indices.shape}."
        )
    if indices.size and not (
        -n_samples <= indices.min() and indices.max() < n_samples
    ):
        raise ValueError(
            f"indices reach from {indices.min()} to {indices.max()}, but the "
            f"views have {n_samples} rows."
        )
    return indices


def _unit_columns(points):
    size = np.linalg.norm(points, axis=0)
    return points / np.where(size > 0, size, 1.0)


def _whitened(shape, name):
    """Mixture with total covariance I, and the symmetric map back."""
    variances, axes = np.linalg.eigh(shape.spread)
    if variances[0] <= DEPENDENT**1.5 * variances[-1]:
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


def _class_moments(latents, labels, n_classes):
    labels = column_or_1d(labels)
    if len(labels) != len(latents):
        raise ValueError(
            f"There are {len(labels)} labels; wanted {len(latents)}, one for "
            "each row of the views."
        )
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) != n_classes:
        raise ValueError(
            f"labels name {len(classes)} classes; wanted {n_classes}, one for "
            "each row of the means."
        )
    return _moments(latents, np.eye(n_classes)[codes])


def _placing(found, concepts, near=None):
    """Affine map of least cost from class moments to those of concepts.

    With a map that is `near`, the search is for the best one around it.
    """
    found = Shape(concepts.weights, found.means, found.covariances)
    target, unwhiten = _whitened(concepts, "concepts")
    source, spread = _whitened(found, "latents")
    if near is not None:
        near = polar(np.linalg.solve(unwhiten, near @ spread))
    Q, _ = turn(source, target, near)
    matrix = unwhiten @ Q @ np.linalg.inv(spread)
    return matrix, concepts.center - matrix @ found.center


def _search(latents, concepts):
    """Affine map that makes latents most likely to be these concepts.

    Candidates come from the components of a free mixture model, matched to
    the known ones, and from turns of the whole at random. Each is improved
    by classes that the known mixture itself assigns.
    """
    # Candidates are compared on a part of the items, evenly spaced.
    part = latents[:: -(-len(latents) // SEARCHED)]
    found = _components(part, len(concepts.weights))
    target, unwhiten = _whitened(concepts, "concepts")
    source, spread = _whitened(found, "latents")
    first = _placing(found.reordered(match(source, target)), concepts)
    turns = polar(
        np.random.default_rng(0).standard_normal((TURNS, *spread.shape))
    )
    maps = unwhiten @ turns @ np.linalg.inv(spread)
    others = [(A, concepts.center - A @ found.center) for A in maps]
    score = [_log_likelihood(part[:500], concepts, *other) for other in others]
    others = [others[t] for t in np.argsort(score)[::-1][:REFINED]]
    candidates = [
        _refined(part, concepts, *candidate, n_rounds=30)
        for candidate in [first, *others]
    ]
    score = [_log_likelihood(part, concepts, *c) for c in candidates]
    # Of equally good ones the first: rounding must not choose.
    best = np.flatnonzero(score >= max(score) - 1e-6 * len(part))[0]
    return _refined(latents, concepts, *candidates[best], n_rounds=200)


def _refined(latents, concepts, matrix, offset, n_rounds):
    """Alternate between classes given the map and the map given classes."""
    known = ClassGaussians(
        concepts.means, concepts.covariances, concepts.weights
    )
    for _ in range(n_rounds):
        shares = known.posterior(latents @ matrix.T + offset)
        before, found = matrix, _moments(latents, shares)
        matrix, offset = _placing(found, concepts, near=before)
        if np.abs(matrix - before).max() < 1e-8 * np.abs(matrix).max():
            break
    return matrix, offset


def _log_likelihood(latents, concepts, matrix, offset):
    points = latents @ matrix.T + offset
    parts = [
        np.log(weight) + multivariate_normal.logpdf(points, mean, covariance)
        for weight, mean, covariance in zip(
            concepts.weights, concepts.means, concepts.covariances
        )
    ]
    size = np.linalg.slogdet(matrix)[1]
    return logsumexp(parts, axis=0).sum() + len(latents) * size


def _components(latents, n_components):
    """Moments of the components of a Gaussian mixture model.

    Its search starts from k-means, which has a ruler that the model has not:
    whitened coordinates give every gauge the same one.
    """
    whole = _moments(latents, np.ones((len(latents), 1)))
    _, spread = _whitened(whole, "latents")
    white = np.linalg.solve(spread, (latents - whole.center).T).T
    model = GaussianMixture(n_components, n_init=STARTS, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(white)
    return Shape(model.weights_, model.means_, model.covariances_).mapped(
        spread, whole.center
    )


def _moments(latents, shares):
    """Class moments, each item counting for a class by its share."""
    total = shares.sum(axis=0)
    means = shares.T @ latents / total[:, None]
    covariances = []
    for share, size, mean in zip(shares.T, total, means):
        deviations = latents - mean
        covariances.append(deviations.T @ (share[:, None] * deviations) / size)
    return Shape(total / len(latents), means, np.array(covariances))


def _symmetries(concepts, exchange):
    """Symmetries of a mixture, from those of its whitened form."""
    target, unwhiten = _whitened(concepts, "concepts")
    reflections, dimension = fixing_symmetries(target)
    fixed = tuple(range(len(target.weights)))
    found = [(Q, fixed) for Q in reflections]
    if exchange:
        found += exchanging_symmetries(target)
    generators = []
    for Q, permutation in found:
        matrix = unwhiten @ Q @ np.linalg.inv(unwhiten)
        offset = concepts.center - matrix @ concepts.center
        generators.append(Symmetry(matrix, offset, permutation))
    return GaugeSymmetries(tuple(generators), dimension)
