"""Any number computed from paired rows, beside that of shuffled pairs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.parallel import Parallel, delayed

from perfalign._checks import (
    check_integer,
    check_paired,
    check_views,
    precision,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, RandomState, View, Views
from perfalign.model_selection._shuffles import Shuffles, share_as_large
from perfalign.model_selection._theil import column_rounding


@dataclass(frozen=True, eq=False)
class PermutationCalibration:
    """A statistic beside those of shuffled pairs.

    Attributes
    ----------
    statistic : float
        Of the pairs as given.
    null : ndarray of shape (n_permutations,)
        Of the shuffled pairs.
    p_value : float
        Share of the pairings, that as given among them, that are at least as
        large.
    """

    statistic: float
    null: Array
    p_value: float

    @property
    def z_score(self) -> float:
        """Distance from the mean of the null, in its standard deviations.

        nan if these are zero.
        """
        excess, spread = self.statistic - self.null.mean(), self.null.std()
        return float(excess / spread) if spread > 0 else float("nan")

    def calibrated(self, best: float = 1.0) -> float:
        r"""How much of what chance leaves over is reached.

        .. math:: \frac{T - \bar T_0}{T_{\max} - \bar T_0}

        with :math:`\bar T_0` the mean of the null: 0 on average for unrelated
        views, whatever their numbers of rows and features, 1 at best.

        Parameters
        ----------
        best : float, default=1.0
            :math:`T_{\max}`, the value of views that are alike.

        Returns
        -------
        value : float
            Negative where shuffled pairs are more alike; nan where chance
            reaches the best.
        """
        excess, room = (
            self.statistic - self.null.mean(),
            best - self.null.mean(),
        )
        return float(excess / room) if room > 0 else float("nan")


@one_blas_thread
def permutation_calibration(
    statistic: Callable[..., float],
    views: Views,
    n_permutations: int = 999,
    *,
    groups: ArrayLike | None = None,
    nuisance: View | None = None,
    random_state: RandomState = None,
    n_jobs: int | None = None,
) -> PermutationCalibration:
    r"""Compare any number with what shuffled pairs would give.

    .. math:: p = \frac{1 + \#\{b : T_b \ge T\}}{1 + B}

    with T the statistic of the pairs as given and :math:`T_b` that of shuffle
    b of B, in which the rows of every view but the first are permuted.

    Parameters
    ----------
    statistic : callable
        Takes the views, one argument each, and returns a number: the larger,
        the more alike, such as `linear_cka` and `mutual_neighbours`; turn the
        sign of an error. Its arguments are its own, to be changed as it
        likes.
    views : list or dict of array-like of shape (n_samples, n_features_m)
        Paired views. The statistic gets them as arrays of float64.
    n_permutations : int, default=999
    groups : array-like of shape (n_samples,), default=None
        Labels of samples that stay together, as in `permutation_test`.
    nuisance : array-like of shape (n_samples, n_variables), default=None
        Variables that are taken out of every view first, as in
        `permutation_test`: the statistic gets the n − r rows that are left.
    random_state : int, RandomState instance or None, default=None
    n_jobs : int, default=None
        How many processes compute, as in scikit-learn. It changes no number.

    Returns
    -------
    calibration : PermutationCalibration

    Raises
    ------
    ValueError
        If the statistic returns anything but a finite number, and as
        `permutation_test` of views, groups and nuisance variables.

    Notes
    -----
    Valid for any statistic and any distribution of the data, if rows (or
    groups) are exchangeable under the null hypothesis. With nuisance
    variables more is supposed: that the views depend on them linearly, with
    errors that are independent from sample to sample, Gaussian, and of one
    covariance in all samples. With heavy tails and many variables for few
    samples the true level may be several times the one asked for;
    `permutation_test` has numbers. Similarities of representations
    depend on chance so much, by the numbers of rows and features, that they
    can only be compared when calibrated. Cost: B + 1 times the statistic's.

    Examples
    --------
    Few rows of many features are alike by chance:

    >>> import numpy as np
    >>> from perfalign.metrics import linear_cka
    >>> from perfalign.model_selection import permutation_calibration
    >>> views = np.random.default_rng(0).normal(size=(2, 30, 100))
    >>> found = permutation_calibration(
    ...     linear_cka, list(views), 99, random_state=0
    ... )
    >>> f"{found.statistic:.2f} of 1, and by chance {found.null.mean():.2f}"
    '0.77 of 1, and by chance 0.77'
    >>> abs(found.calibrated()) < 0.05 < found.p_value
    True
    """
    check_integer(n_permutations, "n_permutations")
    if not callable(statistic):
        raise ValueError(
            f"statistic is {statistic!r:.60}; wanted a function of the views."
        )
    shuffles = Shuffles.of(views, groups, nuisance, random_state)
    given, _, _ = check_paired(views)
    blocks, _ = check_views(given)
    complement = shuffles.complement
    if complement is not None:
        known = map(column_rounding, blocks, map(precision, given))
        rounding = map(complement.rounding, blocks, known)
        blocks = list(map(complement.rows, blocks, rounding))
    as_given = [np.arange(len(blocks[0]))] * (len(blocks) - 1)
    observed = _of_shuffled(statistic, blocks, as_given)
    null = np.array(
        Parallel(n_jobs=n_jobs)(
            delayed(_of_shuffled)(statistic, blocks, orders)
            for orders in shuffles.orders(n_permutations)
        )
    )
    p_value = float(share_as_large(observed, null, abs(observed)))
    return PermutationCalibration(observed, null, p_value)


def _of_shuffled(
    statistic: Callable[..., float],
    blocks: list[Array],
    orders: list[Integers],
) -> float:
    # Copies: what a statistic writes into them is nobody else's affair.
    shuffled = [block.take(o, 0) for block, o in zip(blocks[1:], orders)]
    # The same rounding, whoever computes, and how many do.
    with one_blas_thread:
        found = np.asarray(statistic(blocks[0].copy(), *shuffled))
    if found.shape or found.dtype.kind not in "biuf" or not np.isfinite(found):
        raise ValueError(
            f"statistic returned {found!r:.60}; wanted a finite number."
        )
    return float(found)
