r"""The gauge: which of all equally aligned latent spaces is used.

Perfectly aligned latents are the concept up to one invertible map
:math:`\hat z \mapsto G \hat z + g`, and the pairs cannot say which. Each
function here finds a map from something else that is known, and returns a new
fitted alignment with the encoders :math:`G A^m` and offsets
:math:`G o^m + g`. Nothing is refitted, and what was aligned stays aligned.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lstsq

from perfalign._checks import (
    FLOAT64_EPS,
    check_labels,
    check_row_labels,
    check_view,
)
from perfalign._linalg import singular_values, svd
from perfalign.alignment import (
    PerfectAlignment,
    explained_moment,
    factor_latents,
    orientation,
    principal_rotation,
    tied_groups,
)
from perfalign.gauge._placing import (
    cost_gap,
    likelihood_gap,
    moments,
    placing,
    search,
    seen_as,
    whitened,
)
from perfalign.gauge._symmetries import (
    Shape,
    exchanging_symmetries,
    fixing_symmetries,
)
from perfalign.mixtures import ClassGaussians

# Anchors closer to dependent than this leave less than half of the digits.
DEPENDENT = FLOAT64_EPS**0.5


class AmbiguousGaugeWarning(UserWarning):
    """The mixture has symmetries; the gauge is one of several equal ones."""


class PoorGaugeWarning(UserWarning):
    """Placed latents look unlike the mixture that they should come from."""


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
    cov(x^m, ẑ), every feature in units of its own standard deviation; under
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
        If this is no fitted `PerfectAlignment`, or if the encoders' rows are
        dependent, so that there are no k latents to put in order.

    Notes
    -----
    The result depends on the *space* of the latents alone: two alignments
    that differ by an invertible map have the same principal gauge, to
    rounding. For an alignment fitted with ``gauge="principal"`` it is the
    gauge of the fit, whatever came between. One fitted with ``gauge=None``
    reaches the same encoders if k does not cut a tie; if it does, the
    singular value decomposition has chosen a part of the tie, and only the
    basis of that part is made definite. Its parameter `gauge` is
    ``"principal"`` from then on, so that a clone is fitted in this gauge.

    Where the diagonal above has equal entries within a tie, the rotation
    among these remains open, and rounding chooses it: the order of the items
    or the processor will do. Features of equal standing have such entries,
    as codes 0 and 1 of categories that are equally frequent.

    Time is O(d² k).

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
    _check_alignment(alignment)
    summary, encoders = alignment.summary_, alignment.encoders_
    params = alignment.fit_params_
    blocks = summary.blocks(params["center"])
    is_whitened = params["constraint"] == "whitened"
    latents = factor_latents(blocks, encoders, params["ridge"])
    if is_whitened:
        scale, measured = summary.n_observations**0.5, np.vstack(latents)
    else:
        scale, measured = 1.0, np.hstack(encoders).T
    units = np.linalg.qr(measured / scale, mode="r")
    sizes = singular_values(_unit_columns(units))
    if sizes[-1] < FLOAT64_EPS * sizes[0]:
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
    _, sigma, Vt = svd(misfit @ matrix.T / scale, full_matrices=False)
    sigma, matrix = sigma[::-1], Vt[::-1] @ matrix
    n_perfect = 0 if params["ridge"] else alignment.shared_dimension_
    if not is_whitened:
        n_perfect += int(np.sum(summary.n_features - alignment.ranks_))
    groups = tied_groups(sigma, n_perfect)
    rtol = params["rtol"] or summary.default_rtol()
    moment = explained_moment(
        summary, [matrix @ A for A in encoders], rtol, pooled=not is_whitened
    )
    matrix = principal_rotation(moment, groups).T @ matrix
    signs = orientation(
        summary, [matrix @ A for A in encoders], pooled=not is_whitened
    )
    matrix = signs[:, None] * matrix
    # The offsets of the fit, which the encoders determine.
    origins = -alignment.latents_of_means()
    if params["center"]:
        origins = origins + summary.latents_of_means(encoders)
    placed = alignment.with_gauge(matrix, matrix @ np.mean(origins, axis=0))
    return placed.set_params(gauge="principal")


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
    views : list or dict of (array-like (n_samples, n_features_m) or None)
        In the order of the fit, or by its names. None stands for a view in
        which the anchors were not observed.
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
        New and fitted, with composed encoders and offsets. A clone forgets
        them, as it forgets all that was fitted.

    Raises
    ------
    ValueError
        If this is no fitted `PerfectAlignment`, there are too few anchors,
        their concepts or their latents are dependent (within half of the
        digits), or shapes do not agree.

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
    consensus = np.mean(_latents(alignment, views), axis=0)
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
        sizes = singular_values(_unit_columns(points))
        rank = np.count_nonzero(sizes > DEPENDENT * sizes[0])
        if rank < k:
            raise ValueError(
                f"The {name} of the {len(indices)} anchors have rank {rank}"
                f"{' about their mean' if affine else ''}; wanted {k}, the "
                f"latent dimension. Choose {k + bool(affine)} or more anchors "
                "that are independent."
            )
    matrix = lstsq(estimated, known, lapack_driver="gelsy")[0].T
    return alignment.with_gauge(matrix, center - matrix @ origin)


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
    Without labels, the affine map is one of greatest likelihood,

    .. math:: \max_{G, g} \; \sum_i \log p(G \bar z_i + g)
              + n \log |\det G| ,

    under the known mixture p, blurred by the noise of the latents, which is
    what views disagree by.

    Parameters
    ----------
    alignment : PerfectAlignment
        Fitted, in any gauge.
    views : list or dict of (array-like (n_samples, n_features_m) or None)
        In the order of the fit, or by its names. Latents are averaged over
        the views that are given.
    means : array-like of shape (C, k)
    covariances : array-like of shape (C, k, k) or (k, k)
        Of the classes of concepts, or one for all.
    weights : array-like of shape (C,), default=None
        Class probabilities; equal if None. Moments of the concepts and of
        the latents are combined with the same weights, so that with labels
        the balance of the sample does not matter.
    labels : array-like of shape (n_samples,), default=None
        Classes of the items; the c-th of the sorted labels is that of row c
        of the means. None: components of a Gaussian mixture model of the
        latents, matched to the known classes in the order that costs least,
        are where the search begins.

    Returns
    -------
    alignment : PerfectAlignment
        New and fitted, with composed encoders and offsets; a clone forgets
        them, as it forgets all that was fitted. Its attribute
        ``gauge_symmetries_`` (`GaugeSymmetries`) lists the affine maps that
        carry the known mixture to itself, each class to itself if there are
        labels. The result is right up to these.

    Raises
    ------
    ValueError
        If this is no fitted `PerfectAlignment`, shapes do not agree, the
        total covariance of the concepts or of the latents is singular, a
        label is missing or a class has no samples, or, without labels, the
        covariance of a class is singular.

    Warns
    -----
    PoorGaugeWarning
        If the placed latents look less like a sample of the mixture than
        chance and the noise in them, by which views disagree, can explain:
        the search has missed the gauge, or the mixture is another one.
        The root of the cost above is compared with the sampling errors of
        moments; without labels, of the classes that the mixture assigns, and
        the mean log density with minus the entropy of the mixture too.
    AmbiguousGaugeWarning
        If there are such symmetries. The gauge returned is then one of
        several, or of infinitely many, that fit equally well.

    Notes
    -----
    The map is affine; that sensors have no offset is not made use of. Where
    it is known, mean views of labelled classes are anchors of a linear map.

    With n samples the error falls as :math:`n^{-1/2}`. Symmetries are those
    of the moments as given, exact to 1e-6 of the total spread. A mixture that
    is almost symmetric needs very many samples to be resolved; of gauges that
    fit these equally well one is returned, without a warning.

    The search for Q begins with what is linear in it,
    :math:`Q \hat m_c = m_c` and :math:`Q \hat S_c = S_c Q`: from exact
    moments this is the answer, if there is one. For the r directions that the
    means leave open it takes O(C r⁴ + r⁶), and the symmetries take O(C k⁶).
    Without labels at most 20 orders of the components are turned into place,
    those that agree best in weights and in inner products of means and
    covariances. The likelihood is climbed from there and from three turns at
    random, at O(n C k²) a step, on 4000 of the items. If it stays below what
    the mixture promises, the search begins anew, six times at most.

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
    latents = _latents(alignment, views)
    consensus = np.mean(latents, axis=0)
    known = ClassGaussians(means, covariances, weights)
    k = consensus.shape[1]
    if known.means.shape[1] != k:
        raise ValueError(
            f"means have shape {known.means.shape}; wanted (C, {k}) for "
            f"latents of {k} dimensions."
        )
    concepts = Shape(known.weights, known.means, known.covariances)
    symmetries = _symmetries(concepts, exchange=labels is None)
    noise = _noise(alignment, latents)
    gap, allowed = 0.0, 0.0
    if labels is None:
        # Raises if a class has no density.
        known.posterior(known.means)
        map_ = search(consensus, noise, concepts)
        gap, allowed = likelihood_gap(consensus, noise, concepts, *map_)
        said = f"the log likelihood of an item is, on average, {gap:.2g} less"
        seen = seen_as(map_[0], noise, concepts)
        shares = ClassGaussians(
            seen.means, seen.covariances, seen.weights
        ).posterior(consensus @ map_[0].T + map_[1])
        found = moments(consensus, shares)
        fitted = placing(found, concepts, near=map_[0])
    else:
        shares = _class_shares(labels, consensus, views, len(known.means))
        found = moments(consensus, shares)
        map_ = fitted = placing(found, concepts)
    if gap <= allowed:
        gap, allowed = cost_gap(
            found, shares.sum(axis=0), noise, concepts, *fitted
        )
        said = (
            f"classes lie {gap:.2g} standard deviations farther off (root "
            "mean square Wasserstein distance)"
        )
    placed = alignment.with_gauge(*map_)
    placed.gauge_symmetries_ = symmetries
    if gap > allowed:
        warnings.warn(
            "In the gauge returned, the latents do not look like a sample of "
            f"the mixture: {said} than the mixture and the noise in the "
            f"latents let one expect, and chance explains {allowed:.2g}. "
            "Either the search has missed the right gauge, or the concepts do "
            "not follow this mixture. Check means, covariances and weights"
            + (
                ", and that their rows are in the sorted order of the labels."
                if labels is not None
                else "."
            ),
            PoorGaugeWarning,
            stacklevel=2,
        )
    if symmetries:
        warnings.warn(
            "The mixture does not determine the gauge. It looks the same "
            f"after: {symmetries}. The gauge returned is one "
            "of those that fit equally well.",
            AmbiguousGaugeWarning,
            stacklevel=2,
        )
    return placed


def _check_alignment(alignment):
    """Raise unless there are fitted encoders to compose a gauge with."""
    if not isinstance(alignment, PerfectAlignment):
        inside = [
            f"; perhaps its {name}, which is one"
            for name in ("best_alignment_", "alignment_")
            if isinstance(getattr(alignment, name, None), PerfectAlignment)
        ]
        raise ValueError(
            f"alignment is of type {type(alignment).__name__}, which has no "
            "linear encoders that a gauge could be composed with; wanted a "
            f"fitted PerfectAlignment{''.join(inside)}."
        )
    alignment.check_fitted()


def _latents(alignment, views):
    """Latents of the items in each of the views that are given."""
    _check_alignment(alignment)
    like = alignment.summary_.signature
    given = [
        (m, view)
        for m, view in enumerate(like.in_order(views))
        if view is not None
    ]
    every = like.view_names or range(len(like))
    names = [f"view {every[m]!r}" for m, _ in given]
    latents = [alignment.transform_view(view, m) for m, view in given]
    if len(set(map(len, latents))) != 1:
        seen = [f"{name}: {len(z)} rows" for name, z in zip(names, latents)]
        raise ValueError(
            "At least one view must be given, and all given must show the "
            f"same items; seen {', '.join(seen) or 'none'}."
        )
    check_row_labels([view for _, view in given], names)
    return latents


def _noise(alignment, latents):
    """Covariance of what is noise in the mean of the latents.

    It is what views of one item disagree by: of those that are given or, if
    there is one alone, those of the fit.
    """
    n_views = len(latents)
    if n_views > 1:
        apart = np.vstack(latents - np.mean(latents, axis=0))
        return apart.T @ apart / (n_views - 1) / n_views / len(latents[0])
    summary = alignment.summary_
    blocks = summary.blocks(alignment.center_)
    parts = [b @ A.T for b, A in zip(blocks, alignment.encoders_)]
    apart = np.vstack(np.tensordot(summary.contrasts, parts, 1))
    return apart.T @ apart / len(summary.contrasts) / summary.n_observations


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


def _class_shares(labels, latents, views, n_classes):
    """One row an item, with a one for its class."""
    given = views.values() if isinstance(views, Mapping) else views
    like = next(view for view in given if view is not None)
    labels = check_labels(labels, len(latents), "labels", like=like)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) != n_classes:
        raise ValueError(
            f"labels name {len(classes)} classes; wanted {n_classes}, one for "
            "each row of the means."
        )
    return np.eye(n_classes)[codes]


def _symmetries(concepts, exchange):
    """Symmetries of a mixture, from those of its whitened form."""
    target, unwhiten = whitened(concepts, "concepts")
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
