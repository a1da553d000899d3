"""What is known of the classes of concepts puts latents in their places."""

import numpy as np
from numpy.typing import ArrayLike

from perfalign._checks import as_list, check_labels, warn
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Views
from perfalign.gauge._goodness_of_fit import cost_gap, likelihood_gap, seen_as
from perfalign.gauge._latents import Linear, latents_of_given, noise_of_mean
from perfalign.gauge._placing import placing, search
from perfalign.gauge._shape import Shape, moments
from perfalign.gauge._symmetry_group import symmetries_of
from perfalign.mixtures import ClassGaussians


class AmbiguousGaugeWarning(UserWarning):
    """The mixture has symmetries; the gauge is one of several equal ones."""


class PoorGaugeWarning(UserWarning):
    """Placed latents look unlike the mixture that they should come from."""


@one_blas_thread
def mixture(
    alignment: Linear,
    views: Views,
    means: ArrayLike,
    covariances: ArrayLike,
    weights: ArrayLike | None = None,
    labels: ArrayLike | None = None,
) -> Linear:
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
    alignment : LinearAlignment
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
    alignment : LinearAlignment
        New and fitted, with composed encoders and offsets; a clone forgets
        them, as it forgets all that was fitted. Its attribute
        ``gauge_symmetries_`` (`GaugeSymmetries`) lists the affine maps that
        carry the known mixture to itself, each class to itself if there are
        labels. The result is right up to these.

    Raises
    ------
    ValueError
        If this is no fitted `LinearAlignment`, shapes do not agree, the
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
    latents = latents_of_given(alignment, views)
    consensus = np.mean(latents, axis=0)
    known = ClassGaussians(means, covariances, weights)
    k = consensus.shape[1]
    if known.means.shape[1] != k:
        raise ValueError(
            f"means have shape {known.means.shape}; wanted (C, {k}) for "
            f"latents of {k} dimensions."
        )
    concepts = Shape(known.weights, known.means, known.covariances)
    symmetries = symmetries_of(concepts, exchange=labels is None)
    noise = noise_of_mean(alignment, latents)
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
        warn(
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
        )
    if symmetries:
        warn(
            "The mixture does not determine the gauge. It looks the same "
            f"after: {symmetries}. The gauge returned is one "
            "of those that fit equally well.",
            AmbiguousGaugeWarning,
        )
    return placed


def _class_shares(
    labels: ArrayLike, latents: Array, views: Views, n_classes: int
) -> Array:
    """One row an item, with a one for its class."""
    like = next(view for view in as_list(views)[0] if view is not None)
    labels = check_labels(labels, len(latents), "labels", like=like)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) != n_classes:
        raise ValueError(
            f"labels name {len(classes)} classes; wanted {n_classes}, one for "
            "each row of the means."
        )
    return np.eye(n_classes)[codes]
