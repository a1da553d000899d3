"""How many pairs it takes to find a correlation."""

from bisect import bisect_left
from typing import Any

import numpy as np
from scipy.stats import chi2, f, gamma, ncf, norm

from perfalign._checks import check_integer, check_number
from perfalign._types import Array

# A random variable is integrated out by what it is where a standard normal one
# has these values: there the trapezoid rule reaches into both tails.
POINTS = np.linspace(-8, 8, 97)
WEIGHTS = norm.pdf(POINTS) / norm.pdf(POINTS).sum()

# Pairs beyond which nobody looks.
MOST = 10**9


def required_samples(
    rho: float,
    d1: int,
    d2: int,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int:
    r"""Number of pairs from which one correlation is found in two views.

    The views are Gaussian, of :math:`d_1` and :math:`d_2` features, and share
    one signal, of correlation ρ. The test is that of `permutation_test` for
    the first component: it compares the largest sample correlation
    :math:`r_1` with that of unrelated views.

    Parameters
    ----------
    rho : float
        The true canonical correlation, above 0 and below 1.
    d1, d2 : int
        Numbers of features; of less than full rank, the ranks count.
    power : float, default=0.8
        Probability to find it, above `alpha`.
    alpha : float, default=0.05
        Level of the test.

    Returns
    -------
    n_samples : int
        The smallest n at which the test has the power: from
        :math:`\max(d_1, d_2) + 2` on if a view has one feature, where the law
        is exact; else by approximation, and from :math:`d_1 + d_2 + 3` on,
        where that begins.

    Raises
    ------
    ValueError
        If a parameter is out of range, or a billion pairs are too few.

    Notes
    -----
    Write :math:`p \le q` for the numbers of features and
    :math:`m = n - 1 - q`. What unrelated views reach with the probability α
    is that of Johnstone (2008): the logit of :math:`r_1^2` is
    :math:`\mu + \sigma W`, with W of the Tracy-Widom law, taken as a gamma
    law (Chiani 2014). Beside one signal, by Johnstone and Nadler (2017),

    .. math:: \frac{r_1^2}{1 - r_1^2} & \approx
              \frac{q}{m - p + 1} F_{q,\, m - p + 1}(\omega)
              + \frac{p - 1}{m - p + 2} F_{p - 1,\, m - p + 2} \\
              & \qquad + \frac{p - 1}{(m - p)(m - p - 1)} + \Delta , \\
              \omega & \sim \frac{\rho^2}{1 - \rho^2}\, \chi^2_{n-1} ,

    a noncentral F and a central one. Theirs is the law of a strong signal,
    without Δ. A weak one is pushed up more by the noise that is nearly as
    large: Δ is by how much, in the limit of many features and samples
    (chapter 9), and 0 for p = 1, where the rest is the exact law of the
    multiple correlation. With more features the power at the n returned is,
    where it was simulated, between that asked for and 0.05 more at
    correlations up to 0.8 and powers of 0.8 and more. It is up to 0.1 more,
    and n a few pairs larger than need be, for stronger correlations (0.87 and
    0.9 for 0.8 at ρ = 0.9 and 0.95, with 5 and 5 features) and lower powers
    (0.59 for 0.5 at ρ = 0.5 and α = 0.01), and more still where n is the
    smallest that is returned (0.75 for 0.5 at ρ = 0.95, with 2 and 2).

    Wilks' test, which asks for all correlations at once (Muller and Peterson
    1984), needs more pairs to find one among many. For more signals than one,
    or a ridge, simulate.

    References
    ----------
    I. M. Johnstone 2008, Multivariate analysis and Jacobi ensembles: largest
    eigenvalue, Tracy–Widom limits and rates of convergence, Annals of
    Statistics 36(6), 2638–2716.

    M. Chiani 2014, Distribution of the largest eigenvalue for real Wishart
    and Gaussian random matrices and a simple approximation for the
    Tracy–Widom distribution, Journal of Multivariate Analysis 129, 69–81.

    I. M. Johnstone and B. Nadler 2017, Roy's largest root test under rank-one
    alternatives, Biometrika 104(1), 181–193.

    K. E. Muller and B. L. Peterson 1984, Practical methods for computing
    power in testing the multivariate general linear hypothesis, Computational
    Statistics & Data Analysis 2(2), 143–158.

    Examples
    --------
    >>> from perfalign.model_selection import required_samples
    >>> [required_samples(0.5, d, d) for d in (1, 5, 20, 100)]
    [29, 78, 204, 755]
    """
    check_number(rho, "rho", above=0, below=1)
    check_integer(d1, "d1")
    check_integer(d2, "d2")
    check_number(alpha, "alpha", above=0, below=1)
    check_number(power, "power", above=alpha, below=1)
    p, q = sorted([d1, d2])
    n = bisect_left(
        range(MOST),
        power,
        lo=q + 2 if p == 1 else p + q + 3,
        key=lambda n: _power(n, rho, p, q, alpha),
    )
    if n == MOST:
        raise ValueError(
            f"rho is {rho!r}; wanted one that {MOST} pairs would show with "
            f"a power of {power!r}."
        )
    return n


def _power(n: int, rho: float, p: int, q: int, alpha: float) -> float:
    m = n - 1 - q
    # For p = 1 there is no second F to be integrated out.
    other, weights, offset = np.zeros(1), np.ones(1), 0.0
    if p > 1:
        scale = (p - 1) / (m - p + 2)
        other, weights = scale * _at_points(f(p - 1, m - p + 2)), WEIGHTS
        offset = (p - 1) / ((m - p) * (m - p - 1)) + _push(n, rho, p, q)
    omega = rho**2 / (1 - rho**2) * _at_points(chi2(n - 1))
    rest = _critical(n, p, q, alpha) - offset - other[:, None]
    above = ncf.sf(rest * (m - p + 1) / q, q, m - p + 1, omega)
    return float(weights @ np.where(rest > 0, above, 1.0) @ WEIGHTS)


def _at_points(law: Any) -> Array:
    """Values as probable to be exceeded as the points are."""
    low, high = law.ppf(norm.cdf(POINTS)), law.isf(norm.sf(POINTS))
    return np.asarray(np.where(POINTS < 0, low, high))


def _push(n: int, rho: float, p: int, q: int) -> float:
    """How much more a weak signal is pushed up by noise than a strong one."""
    c, d = (p - 1) / (n - 1), (q - 1) / (n - 1)
    threshold = float(np.sqrt(c * d / ((1 - c) * (1 - d))))
    t = max(rho**2, threshold)
    limit = (c + (1 - c) * t) * (d + (1 - d) * t) / t
    return limit / (1 - limit) - (c + d + t / (1 - t)) / (1 - c - d)


def _critical(n: int, p: int, q: int, alpha: float) -> float:
    """Of r² / (1 − r²), what unrelated views exceed with probability α."""
    m = n - 1 - q
    if p == 1:
        return float(q / m * f.isf(alpha, q, m))
    total = m + q - 1
    narrow, wide = (2 * np.arcsin(np.sqrt((d - 0.5) / total)) for d in (p, q))
    mu = 2 * np.log(np.tan((narrow + wide) / 2))
    sigma = np.cbrt(
        16
        / total**2
        / (np.sin(narrow + wide) ** 2 * np.sin(narrow) * np.sin(wide))
    )
    # The Tracy-Widom law for real matrices.
    w = gamma.isf(alpha, 46.446, scale=0.186054) - 9.84801
    return float(np.exp(mu + sigma * w))
