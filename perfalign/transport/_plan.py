r"""Optimal transport of all latents of one space to those of another.

Balanced, where every latent has to go somewhere, or unbalanced, where some
may stay; exact or regularised. No plan is believed: each comes with a lower
bound of what any other costs.
"""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from perfalign._checks import check_hidden, check_view, warn
from perfalign._threads import one_blas_thread
from perfalign._types import Array, View
from perfalign.transport import _exact
from perfalign.transport._couplings import TransportPlan
from perfalign.transport._entropic import with_entropy
from perfalign.transport._objective import paid

TOLERANCE = 1e-6
# Ratio of numbers of which the larger one's rounding would be seen.
TOO_LARGE = 1e8


@one_blas_thread
def transport_plan(
    cost: View, *, reg_m: float = np.inf, div: str = "tv", reg: float = 0.0
) -> TransportPlan:
    r"""Couple all rows of X with all rows of Y at least cost.

    .. math::

        \min_{\pi \ge 0} \; \langle \pi, C \rangle
        + \lambda \left[ D(\pi 1, \tfrac1{n_1}) + D(\pi^\top 1, \tfrac1{n_2})
        \right] + \varepsilon \operatorname{KL}(\pi, \tfrac1{n_1 n_2}) .

    Balanced transport, λ = ∞, moves every row. With a finite penalty rows
    may stay where they are: those that would go too far, of a class that the
    other side lacks.

    Parameters
    ----------
    cost : array-like of shape (n1, n2)
        From `gluing_cost`, `relational_cost` or elsewhere; at least 0. A pair
        of cost ``inf`` is forbidden.
    reg_m : float, default=inf
        λ, the penalty on the marginals, in units of the cost. See
        `typical_reg_m`.
    div : {"tv", "kl"}, default="tv"
        The divergence D, how missing mass is counted. With the total
        variation :math:`\sum_i |\mu_i - \nu_i|` each row left out has the
        price λ, and no way dearer than 2 λ is gone. The Kullback–Leibler
        divergence lets all rows lose mass gradually, and gain it.
    reg : float, default=0.0
        ε, the weight of the entropy, in units of the cost. 0 is the exact
        optimum, which moves few pairs (at most n₁ + n₂ − 1); more spreads the
        mass and is faster on many rows.

    Returns
    -------
    coupling : TransportPlan

    Raises
    ------
    ValueError
        If the cost is not a matrix of numbers of at least 0, an argument is
        out of its range, nothing is moved, or no balanced plan avoids the
        forbidden pairs. With an entropy, also if its weight is so small, or
        the price of total variation so large, that rounding decides.

    Warns
    -----
    ConvergenceWarning
        If the iterations end before it is certain that no plan is better by
        more than a millionth, or before the marginals of a balanced one are
        right.

    Notes
    -----
    `reg_m`, `div` and `reg` are called as in POT's ``mm_unbalanced``.
    Potentials f and g of the dual problem bound from below what any plan
    costs; the plan returned is held against the bound. What solves it:

    - exact, balanced: network simplex (POT; about O(n³)). A cost that is
      larger than the sum of all costs a plan can pay is never paid and is
      lowered to it, or it would use up the digits of the others.
    - exact, total variation: the same with min(C, 2λ) for the cost, since a
      row and a column that both stay pay 2λ.
    - exact, Kullback–Leibler: a primal–dual interior point method, about
      twenty to a hundred Newton steps of O(n₁ n₂ min(n₁, n₂)); then network
      simplex between the marginals found.
    - regularised: Sinkhorn's iterations (O(n₁ n₂) each), which scale rows and
      columns as the divergence asks (Chizat et al. 2018), then Newton steps
      on the dual if they are slow.

    All of them hold the whole cost and a few arrays of its size, 8 n₁ n₂
    bytes each: 0.8 GB for ten thousand rows on either side. `ClassCoupling`
    does without.

    References
    ----------
    L. Chizat, G. Peyré, B. Schmitzer and F.-X. Vialard 2018, Scaling
    algorithms for unbalanced optimal transport problems, Mathematics of
    Computation 87(314), 2563–2609.

    Examples
    --------
    >>> from perfalign import transport_plan
    >>> cost = [[0.1, 0.9], [0.8, 0.7]]
    >>> print(transport_plan(cost).plan)
    [[0.5 0. ]
     [0.  0.5]]
    >>> print(transport_plan(cost, reg_m=0.3).moved_X)
    [1. 0.]
    """
    C = _checked_cost(cost)
    _check_plan(reg_m, div, reg)
    try:
        plan, value, bound = _solve(C, float(reg_m), div, float(reg))
    except _exact.NoPlanError:
        raise ValueError(
            "cost: no balanced plan avoids the pairs of infinite cost. Allow "
            "more of them, or take a finite reg_m."
        ) from None
    if plan.max() == 0:
        raise ValueError(
            "Nothing is moved: every way is dearer than the penalty reg_m = "
            f"{reg_m:.3g} allows."
        )
    coupling = TransportPlan(plan)
    largest = C.max(where=np.isfinite(C), initial=0.0)
    rounding = 1e-14 * min(largest or np.inf, reg_m)
    off = sum(coupling.marginal_violation())
    if np.isinf(reg_m) and not off < TOLERANCE:
        _warn(f"{off:.2g} of the mass is in the wrong place", reg)
    elif not value - bound <= TOLERANCE * value + rounding:
        _warn(
            f"the best plan costs {max(0.0, bound):.6g} at least, and this "
            f"one {value:.6g}",
            reg,
        )
    return coupling


@one_blas_thread
def typical_reg_m(cost: View) -> float:
    r"""A penalty on the marginals that asks for no label.

    .. math:: \lambda = \tfrac12\, \operatorname{median}_i \,
              n_1 \sum_j \pi_{ij} C_{ij}

    with π the exact balanced plan: with this penalty, no row goes further
    than the median row must if all have to go.

    Parameters
    ----------
    cost : array-like of shape (n1, n2)

    Returns
    -------
    reg_m : float
        For ``transport_plan(cost, reg_m=...)`` with total variation.

    Raises
    ------
    ValueError
        As `transport_plan`, and if at least half of the rows go for nothing.

    Notes
    -----
    Rows are left out whether or not a class is missing, about two in five:
    that is its price.

    Examples
    --------
    >>> from perfalign import typical_reg_m
    >>> print(f"{typical_reg_m([[0.1, 0.9], [0.8, 0.7]]):.2f}")
    0.20
    """
    C = _checked_cost(cost)
    prices = paid(transport_plan(C).plan, C).sum(axis=1)
    reg_m = float(np.median(prices) * len(prices) / 2)
    if reg_m == 0:
        raise ValueError(
            "cost: at least half of the rows go for nothing, so that the "
            "median price is 0; choose a reg_m."
        )
    return reg_m


def _solve(cost: Array, reg_m: float, div: str, reg: float) -> _exact.Solution:
    """A plan, what it costs, and what any other costs at least."""
    if np.isinf(reg_m) and (reg == 0 or np.isinf(cost).any()):
        # Where pairs are forbidden there may be no plan at all.
        plan, value, bound, _ = _exact.balanced(cost)
        if reg == 0:
            return plan, value, bound
    if reg > 0:
        usual = max(_dearest_of_cheapest(cost), reg)
        if usual > TOO_LARGE * reg:
            raise ValueError(
                f"reg must be 0 or at least {usual / TOO_LARGE:.2g}, "
                f"{1 / TOO_LARGE:.0e} of what a row must pay at least; seen "
                f"{reg!r}."
            )
        if div == "tv" and TOO_LARGE < reg_m / usual < np.inf:
            raise ValueError(
                f"reg_m is {reg_m / usual:.2g} times what a row must pay at "
                "least: the rounding of a marginal would cost more than the "
                "plan. Take inf, or reg=0."
            )
        return with_entropy(cost, reg, reg_m, div)
    return _exact.UNBALANCED[div](cost, reg_m)


def _dearest_of_cheapest(cost: Array) -> float:
    cheapest = np.concatenate([cost.min(axis=1), cost.min(axis=0)])
    return float(cheapest.max(where=np.isfinite(cheapest), initial=0.0))


def _warn(seen: str, reg: float) -> None:
    advice = "a larger reg, or 0, which is exact" if reg else "a reg above 0"
    warn(
        f"The iterations ended early: {seen}. Take {advice}.",
        ConvergenceWarning,
    )


def _check_plan(reg_m: Any, div: Any, reg: Any) -> None:
    if not (_is_number(reg_m) and reg_m > 0):
        raise ValueError(f"reg_m must be above 0; seen {reg_m!r}.")
    if div not in ("tv", "kl"):
        raise ValueError(f"div must be 'tv' or 'kl'; seen {div!r}.")
    if not (_is_number(reg) and 0 <= reg < np.inf):
        raise ValueError(f"reg must be a number of at least 0; seen {reg!r}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _checked_cost(cost: View) -> Array:
    """Finite numbers by the door of all views; infinite ones beside them."""
    check_hidden(cost, "cost")
    forbidden: Any = np.asarray(cost) == np.inf
    if np.any(forbidden):
        cost = np.where(forbidden, 0, cost)
    cost, _ = check_view(cost, "cost")
    if cost.min() < 0:
        raise ValueError(f"cost must be at least 0; seen {cost.min():.3g}.")
    return np.where(forbidden, np.inf, cost)
