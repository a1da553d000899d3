"""Between what bounds the correlations of new pairs lie."""

import warnings
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import DegenerateDataWarning, bootstrap
from sklearn.utils import check_random_state

from perfalign._checks import (
    check_estimator,
    check_integer,
    check_number,
    check_paired,
    labelled,
)
from perfalign._types import Array, Integers, RandomState, Views
from perfalign.alignment import BaseAlignment
from perfalign.metrics import component_correlations
from perfalign.model_selection._group_labels import group_labels
from perfalign.model_selection._shuffles import ROUNDING

# Weights of samples that are held at a time.
BATCH = 2**22


@dataclass(frozen=True, eq=False)
class CorrelationIntervals:
    """Correlations of the views' latents, and where the true ones may lie.

    Attributes
    ----------
    correlations : ndarray of shape (k,)
        Those of the pairs, as `component_correlations` finds them.
    low, high : ndarray of shape (k,)
        Bounds of the confidence intervals.
    standard_errors : ndarray of shape (k,)
    """

    correlations: Array
    low: Array
    high: Array
    standard_errors: Array


def correlation_intervals(
    alignment: BaseAlignment,
    views: Views,
    *,
    level: float = 0.95,
    n_resamples: int = 9999,
    groups: ArrayLike | None = None,
    random_state: RandomState = None,
) -> CorrelationIntervals:
    r"""Confidence intervals of a fitted alignment's correlations.

    The encoders stay as they are, and new pairs are drawn from the pairs with
    replacement: what varies is the correlation that one finds, about the one
    that all pairs of the population would have under these encoders. SciPy's
    bootstrap does it, bias-corrected and accelerated.

    Parameters
    ----------
    alignment : BaseAlignment
        Fitted; or any other with ``transform(views)``.
    views : list or dict of array-like of shape (n_samples, n_features_m)
        Pairs that the fit has *not* seen.
    level : float, default=0.95
        Share of intervals that are to hold the true correlation.
    n_resamples : int, default=9999
    groups : array-like of shape (n_samples,), default=None
        Samples with one label are drawn together.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    intervals : CorrelationIntervals

    Raises
    ------
    ValueError
        If there are fewer than three samples or groups, a parameter is
        invalid, and as the alignment.

    Notes
    -----
    Correlations of pairs that the alignment was fitted to are not to be
    bootstrapped. They are the largest that could be found in these pairs, and
    too large by about as much in every pair that is drawn from them: the
    interval is narrow, and lies about the wrong number. (To fit again to what
    is drawn makes it worse, as samples that come twice agree with
    themselves.) Whether fitted correlations are more than chance,
    `permutation_test` says; how large they are, held-out pairs.

    Every interval holds its own correlation with the confidence asked for,
    not all of them at once. Sampling makes a little too narrow what rests on
    less than some fifty samples. The method is Efron's (1987). Cost
    O(B n k M²) for B resamples and O(n²) for the acceleration, n the number
    of samples or groups.

    References
    ----------
    B. Efron 1987, Better bootstrap confidence intervals, Journal of the
    American Statistical Association 82(397), 171–185.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.model_selection import correlation_intervals
    >>> rng = np.random.default_rng(0)
    >>> concept = rng.normal(size=(600, 1))
    >>> views = [concept + rng.normal(size=(600, 3)) for _ in range(2)]
    >>> seen, new = ([view[rows] for view in views]
    ...              for rows in (slice(300), slice(300, 600)))
    >>> alignment = PerfectAlignment(1).fit(seen)
    >>> found = correlation_intervals(alignment, new, random_state=0)
    >>> print(f"{found.low[0]:.2f} to {found.high[0]:.2f}")
    0.64 to 0.77
    """
    check_estimator(alignment, "alignment", ["transform"])
    check_number(level, "level", above=0, below=1)
    check_integer(n_resamples, "n_resamples")
    given, signature, n_samples = check_paired(views)
    labels = group_labels(groups, n_samples, like=labelled(given))
    _, group = np.unique(labels, return_inverse=True)
    n_groups = int(group.max()) + 1
    if n_groups < 3:
        raise ValueError(
            f"Seen {n_groups} samples or groups; wanted at least three to "
            "draw from."
        )
    latents = signature.in_order(alignment.transform(views))
    correlations = component_correlations(latents)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)
        found = bootstrap(
            (np.arange(n_groups),),
            _Moments.of(latents, group).correlations,
            n_resamples=n_resamples,
            batch=max(1, BATCH // n_groups),
            confidence_level=level,
            random_state=check_random_state(random_state),
        )
    # Perfect alignment is perfect in all samples, and a bound of its own.
    same = np.ptp(found.bootstrap_distribution, axis=-1) < ROUNDING
    low, high = (
        np.where(same, correlations, bound)
        for bound in found.confidence_interval
    )
    return CorrelationIntervals(correlations, low, high, found.standard_error)


@dataclass(frozen=True, eq=False)
class _Moments:
    """What the correlations of any samples of groups are computed from.

    Attributes
    ----------
    of_groups : ndarray of shape (n_groups, 1 + n_moments k)
        Numbers of samples, and sums over them of the views' latents, their
        squares and the products of two views'.
    n_views, k : int
    """

    of_groups: Array
    n_views: int
    k: int

    @classmethod
    def of(cls, latents: list[Array], group: Integers) -> "_Moments":
        """Of all samples, by the number of the group that each is in."""
        units = []
        for z in latents:
            # About the first row a constant is zero, and not its rounding.
            moved = z - z[0]
            moved = moved - moved.mean(axis=0)
            size = np.abs(moved).max(axis=0)
            live = size > 10 * np.finfo(z.dtype).eps * np.abs(z).max(axis=0)
            units.append(live * moved / np.where(live, size, 1.0))
        columns = [np.ones((len(group), 1)), *units]
        columns += [z**2 for z in units]
        columns += [y * z for y, z in combinations(units, 2)]
        table = np.hstack(columns)
        of_groups = np.zeros((group.max() + 1, table.shape[1]))
        np.add.at(of_groups, group, table)
        return cls(of_groups, len(units), units[0].shape[1])

    def correlations(self, drawn: Integers, axis: int = -1) -> Array:
        """Mean correlations of samples of groups, one a row of `drawn`."""
        n_groups = len(self.of_groups)
        samples = drawn.reshape(-1, drawn.shape[-1])
        places = samples + n_groups * np.arange(len(samples))[:, None]
        times = np.bincount(places.ravel(), minlength=n_groups * len(samples))
        sums = times.reshape(-1, n_groups).astype(float) @ self.of_groups
        means = (sums[:, 1:] / sums[:, :1]).reshape(len(sums), -1, self.k)
        first, second, both = np.split(
            means, [self.n_views, 2 * self.n_views], axis=1
        )
        spread = np.sqrt(np.maximum(second - first**2, 0.0))
        a, b = np.triu_indices(self.n_views, 1)
        size = spread[:, a] * spread[:, b]
        covariance = both - first[:, a] * first[:, b]
        r = np.divide(covariance, size, np.zeros_like(size), where=size > 0)
        found: Array = r.mean(axis=1).T
        return found.reshape(self.k, *drawn.shape[:-1])
