"""What a few splits of one data set say of a mean, as they overlap."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from perfalign._checks import check_number


def resampled_interval(
    values: ArrayLike, test_size: float, *, level: float = 0.95
) -> tuple[float, float]:
    r"""Confidence interval of a mean over random splits of one data set.

    Splits share most of their items, so that their results resemble each
    other, and the ordinary standard error :math:`s / \sqrt J` of J of them is
    too small. Nadeau and Bengio's variance,

    .. math:: \Big(\frac{1}{J} + \frac{n_\text{test}}{n_\text{train}}\Big) s^2,

    allows for it. Whether a method is better than another is asked of the
    differences of their results, split by split.

    Parameters
    ----------
    values : array-like of shape (n_splits,)
        One result a split, or the difference of two.
    test_size : float
        Share of the items that is held out in each split; 0 for values that
        share nothing, such as those of worlds drawn independently, for which
        the interval is Student's.
    level : float, default=0.95
        Share of intervals that are to hold the true mean.

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If there are fewer than two values, one is not a finite number, or a
        parameter is out of its range.

    Notes
    -----
    An approximation, good in the simulations of C. Nadeau and Y. Bengio 2003,
    Inference for the generalization error, Machine Learning 52, 239–281.

    Examples
    --------
    >>> from perfalign.model_selection import resampled_interval
    >>> ahead = [0.02, 0.01, 0.03, 0.02, 0.02]
    >>> "{:.3f} {:.3f}".format(*resampled_interval(ahead, 0))
    '0.011 0.029'
    >>> "{:.3f} {:.3f}".format(*resampled_interval(ahead, 0.3))
    '0.004 0.036'
    """
    results = np.asarray(values, dtype=float)
    if results.ndim != 1 or len(results) < 2:
        raise ValueError(
            f"values have shape {results.shape}; wanted one a split, of two "
            "splits at least."
        )
    if not np.all(np.isfinite(results)):
        raise ValueError("values hold something that is no finite number.")
    if test_size != 0:
        check_number(test_size, "test_size", above=0, below=1)
    check_number(level, "level", above=0, below=1)
    j = len(results)
    spread = np.sqrt(1 / j + test_size / (1 - test_size)) * results.std(ddof=1)
    reach = student.ppf((1 + level) / 2, j - 1) * spread
    middle = results.mean()
    return float(middle - reach), float(middle + reach)
