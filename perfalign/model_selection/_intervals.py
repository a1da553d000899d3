"""Between what bounds the correlations of new pairs lie."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from sklearn.utils import check_random_state

from perfalign._checks import (
    check_estimator,
    check_integer,
    check_number,
    check_paired,
    labelled,
    warn,
)
from perfalign._linalg import centred
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Booleans, Integers, RandomState, Views
from perfalign.alignment import BaseAlignment
from perfalign.metrics import component_correlations
from perfalign.model_selection._group_labels import group_labels
from perfalign.model_selection._shuffles import ROUNDING

# Weights of samples that are held at a time: 2 MB.
BATCH = 2**18


@dataclass(frozen=True, eq=False)
class CorrelationIntervals:
    """Correlations of the views' latents, and where the true ones may lie.

    Attributes
    ----------
    correlations : ndarray of shape (k,)
        Those of the pairs, as `component_correlations` finds them.
    low, high : ndarray of shape (k,)
        Bounds of the confidence intervals; nan where none can be given.
    standard_errors : ndarray of shape (k,)
    """

    correlations: Array
    low: Array
    high: Array
    standard_errors: Array


@one_blas_thread
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
    that all pairs of the population would have under these encoders. Bounds
    are those of the bootstrap, bias-corrected and accelerated (Efron 1987).
    Resamples in which a latent has one value only have no correlation, and
    are left out.

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
        If there are fewer than four samples or groups, a parameter is
        invalid, and as the alignment.

    Warns
    -----
    UserWarning
        If a component has no bounds, which are nan then: resamples are too
        few, or a latent hardly varies but in one of the samples.

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
    less than some fifty samples. Cost O(B n k M²) for B resamples, n the
    number of samples or groups.

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
    if n_groups < 4:
        raise ValueError(
            f"Seen {n_groups} samples or groups; wanted at least four: with "
            "one of three left out, any two lie on a line."
        )
    latents = signature.in_order(alignment.transform(views))
    correlations = component_correlations(latents)
    moments = _Moments.of(latents, group)
    random = check_random_state(random_state)
    batch = max(1, BATCH // n_groups)
    drawn = [
        moments.drawn(random, min(batch, n_resamples - start))
        for start in range(0, n_resamples, batch)
    ]
    bounds = [
        _bounds(*one, level)
        for one in zip(correlations, np.hstack(drawn), moments.one_left_out())
    ]
    low, high, errors = np.array(bounds).T
    unknown = np.flatnonzero(np.isnan(low + high))
    if unknown.size:
        warn(
            "No interval can be given for component "
            f"{', '.join(map(str, unknown))} (nan): there are too few "
            "resamples, or a view's latents hardly vary but in one of the "
            "samples or groups, on which the correlation rests.",
        )
    return CorrelationIntervals(correlations, low, high, errors)


def _bounds(
    found: float, drawn: Array, one_left_out: Array, level: float
) -> tuple[float, float, float]:
    """Low and high, by Efron's (1987) method, and the standard error."""
    drawn = drawn[~np.isnan(drawn)]
    if len(drawn) < 2 or np.isnan(one_left_out).any():
        return np.nan, np.nan, np.nan
    error = float(drawn.std(ddof=1))
    # Perfect alignment is perfect in all samples, and a bound of its own.
    if np.ptp(drawn) < ROUNDING:
        return found, found, error
    bias = ndtri((np.mean(drawn < found) + np.mean(drawn <= found)) / 2)
    moved = one_left_out.mean() - one_left_out
    power = np.sum(moved**2)
    skewness = np.sum(moved**3) / power**1.5 if power > 0 else 0.0
    shifted = bias + ndtri([(1 - level) / 2, (1 + level) / 2])
    places = ndtr(bias + shifted / (1 - skewness / 6 * shifted))
    if not np.all(np.isfinite([bias, *places])):
        return np.nan, np.nan, error
    low, high = np.quantile(drawn, places)
    return float(low), float(high), error


@dataclass(frozen=True, eq=False)
class _Moments:
    """What the correlations of any samples of groups are computed from.

    Attributes
    ----------
    of_groups : ndarray of shape (n_groups, 1 + n_moments k)
        Numbers of samples, and sums over them of the views' latents, their
        squares and the products of two views'.
    constant : ndarray of bool, shape (n_views, k)
        Latents that do not vary.
    """

    of_groups: Array
    constant: Booleans

    @classmethod
    def of(cls, latents: list[Array], group: Integers) -> "_Moments":
        """Of all samples, by the number of the group that each is in."""
        units = []
        for z in latents:
            moved = centred(z)
            size = np.abs(moved).max(axis=0)
            live = size > 10 * np.finfo(z.dtype).eps * np.abs(z).max(axis=0)
            units.append(live * moved / np.where(live, size, 1.0))
        columns = [np.ones((len(group), 1)), *units]
        columns += [z**2 for z in units]
        columns += [y * z for y, z in combinations(units, 2)]
        table = np.hstack(columns)
        of_groups = np.zeros((group.max() + 1, table.shape[1]))
        np.add.at(of_groups, group, table)
        return cls(of_groups, np.array([~z.any(axis=0) for z in units]))

    def drawn(self, random: np.random.RandomState, n: int) -> Array:
        """Correlations of n samples of groups, drawn with replacement."""
        n_groups = len(self.of_groups)
        samples = random.randint(0, n_groups, size=(n, n_groups))
        samples += n_groups * np.arange(n)[:, None]
        times = np.bincount(samples.ravel(), minlength=n_groups * n)
        return self.correlations(
            times.reshape(n, n_groups).astype(float) @ self.of_groups
        )

    def one_left_out(self) -> Array:
        """Correlations of all groups but each."""
        return self.correlations(self.of_groups.sum(axis=0) - self.of_groups)

    def correlations(self, sums: Array) -> Array:
        """Mean correlations of samples of groups, from their sums.

        nan where a latent that varies has one value in the sample: that has
        no correlation.
        """
        n_views, k = self.constant.shape
        means = (sums[:, 1:] / sums[:, :1]).reshape(len(sums), -1, k)
        first, second, both = np.split(means, [n_views, 2 * n_views], axis=1)
        variance = second - first**2
        varies = variance > ROUNDING * second
        spread = np.sqrt(np.where(varies, variance, np.nan))
        a, b = np.triu_indices(n_views, 1)
        covariance = both - first[:, a] * first[:, b]
        r = covariance / (spread[:, a] * spread[:, b])
        # A constant has the correlation 0 in all samples.
        r[:, self.constant[a] | self.constant[b]] = 0.0
        return np.asarray(r.mean(axis=1).T)
