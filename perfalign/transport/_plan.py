r"""Optimal transport of all latents of one space to those of another.

Balanced, where every latent has to go somewhere, or unbalanced, where some
may stay; exact or regularised. No plan is believed: each comes with a lower
bound of what any other costs.
"""

import warnings
from numbers import Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from perfalign._checks import check_view
from perfalign.transport import _solvers
from perfalign.transport._couplings import TransportPlan

TOLERANCE = 1e-6
# Ratio of numbers of which the larger one's rounding would be seen.
TOO_LARGE = 1e8


def bridge_plan(
    cost, *, marginal_penalty=np.inf, divergence="tv", regularisation=0.0
):
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
    marginal_penalty : float, default=inf
        λ, in units of the cost. See `typical_penalty`.
    divergence : {"tv", "kl"}, default="tv"
        How missing mass is counted. With the total variation
        :math:`\sum_i |\mu_i - \nu_i|` each row left out has the price λ, and
        no way dearer than 2 λ is gone. The Kullback–Leibler divergence lets
        all rows lose mass gradually, and gain it.
    regularisation : float, default=0.0
        ε, in units of the cost. 0 is the exact optimum, which moves few pairs
        (at most n₁ + n₂ − 1); more spreads the mass and is faster on many
        rows.

    Returns
    -------
    coupling : TransportPlan

    Raises
    ------
    ValueError
        If the cost is not a matrix of numbers of at least 0, an argument is
        out of its range, nothing is moved, or no balanced plan avoids the
        forbidden pairs. With a regularisation, also if it is so small, or
        the price of total variation so large, that rounding decides.

    Warns
    -----
    ConvergenceWarning
        If the iterations end before it is certain that no plan is better by
        more than a millionth, or before the marginals of a balanced one are
        right.

    Notes
    -----
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

    References
    ----------
    L. Chizat, G. Peyré, B. Schmitzer and F.-X. Vialard 2018, Scaling
    algorithms for unbalanced optimal transport problems, Mathematics of
    Computation 87(314), 2563–2609.

    Examples
    --------
    >>> from perfalign import bridge_plan
    >>> cost = [[0.1, 0.9], [0.8, 0.7]]
    >>> print(bridge_plan(cost).plan)
    [[0.5 0. ]
     [0.  0.5]]
    >>> print(bridge_plan(cost, marginal_penalty=0.3).moved_X)
    [1. 0.]
    """
    cost = _checked_cost(cost)
    _check_plan(marginal_penalty, divergence, regularisation)
    try:
        plan, value, bound = _solve(
            cost, float(marginal_penalty), divergence, float(regularisation)
        )
    except _solvers.NoPlanError:
        raise ValueError(
            "cost: no balanced plan avoids the pairs of infinite cost. Allow "
            "more of them, or take a finite marginal_penalty."
        ) from None
    if plan.max() == 0:
        raise ValueError(
            "Nothing is moved: every way is dearer than the penalty "
            f"{marginal_penalty:.3g} allows."
        )
    coupling = TransportPlan(plan)
    largest = cost.max(where=np.isfinite(cost), initial=0.0)
    rounding = 1e-14 * min(largest or np.inf, marginal_penalty)
    off = sum(coupling.marginal_violation())
    if np.isinf(marginal_penalty) and not off < TOLERANCE:
        _warn(f"{off:.2g} of the mass is in the wrong place", regularisation)
    elif not value - bound <= TOLERANCE * value + rounding:
        _warn(
            f"the best plan costs {max(0.0, bound):.6g} at least, and this "
            f"one {value:.6g}",
            regularisation,
        )
    return coupling


def typical_penalty(cost):
    r"""A marginal penalty that asks for no label.

    .. math:: \lambda = \tfrac12\, \operatorname{median}_i \,
              n_1 \sum_j \pi_{ij} C_{ij}

    with π the exact balanced plan: with this penalty, no row goes further
    than the median row must if all have to go.

    Parameters
    ----------
    cost : array-like of shape (n1, n2)

    Returns
    -------
    penalty : float
        For ``bridge_plan(cost, marginal_penalty=...)`` with total variation.

    Raises
    ------
    ValueError
        As `bridge_plan`, and if at least half of the rows go for nothing.

    Notes
    -----
    Rows are left out whether or not a class is missing, about two in five:
    that is its price.

    Examples
    --------
    >>> from perfalign import typical_penalty
    >>> print(f"{typical_penalty([[0.1, 0.9], [0.8, 0.7]]):.2f}")
    0.20
    """
    cost = _checked_cost(cost)
    paid = _solvers.paid(bridge_plan(cost).plan, cost).sum(axis=1)
    penalty = float(np.median(paid) * len(paid) / 2)
    if penalty == 0:
        raise ValueError(
            "cost: at least half of the rows go for nothing, so that the "
            "median price is 0; choose a marginal_penalty."
        )
    return penalty


def _solve(cost, penalty, divergence, regularisation):
    """A plan, what it costs, and what any other costs at least."""
    balanced = np.isinf(penalty)
    if balanced and (regularisation == 0 or np.isinf(cost).any()):
        a, b, total = _solvers.uniform(*cost.shape)
        plan, value, bound, *_ = _solvers.exact(a, b, cost)
        if regularisation == 0:
            return plan / total, value / total, bound / total
    if regularisation > 0:
        usual = max(_dearest_of_cheapest(cost), regularisation)
        if usual > TOO_LARGE * regularisation:
            raise ValueError(
                f"regularisation must be 0 or at least {usual / TOO_LARGE:.2g}"
                f", {1 / TOO_LARGE:.0e} of what a row must pay at least; seen "
                f"{regularisation!r}."
            )
        if divergence == "tv" and TOO_LARGE < penalty / usual < np.inf:
            raise ValueError(
                f"marginal_penalty is {penalty / usual:.2g} times what a row "
                "must pay at least: the rounding of a marginal would cost "
                "more than the plan. Take inf, or 0 for the regularisation."
            )
        return _solvers.with_entropy(cost, regularisation, penalty, divergence)
    if divergence == "tv":
        return _solvers.with_total_variation(cost, penalty)
    return _solvers.with_kullback_leibler(cost, penalty)


def _dearest_of_cheapest(cost):
    cheapest = np.concatenate([cost.min(axis=1), cost.min(axis=0)])
    return cheapest.max(where=np.isfinite(cheapest), initial=0.0)


def _warn(seen, regularisation):
    advice = "a regularisation above 0"
    if regularisation:
        advice = "a larger regularisation, or 0, which is exact"
    warnings.warn(
        f"The iterations ended early: {seen}. Take {advice}.",
        ConvergenceWarning,
        stacklevel=3,
    )


def _check_plan(marginal_penalty, divergence, regularisation):
    if not (_is_number(marginal_penalty) and marginal_penalty > 0):
        raise ValueError(
            f"marginal_penalty must be above 0; seen {marginal_penalty!r}."
        )
    if divergence not in ("tv", "kl"):
        raise ValueError(
            f"divergence must be 'tv' or 'kl'; seen {divergence!r}."
        )
    if not (_is_number(regularisation) and 0 <= regularisation < np.inf):
        raise ValueError(
            "regularisation must be a number of at least 0; seen "
            f"{regularisation!r}."
        )


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _checked_cost(cost):
    """Finite numbers by the door of all views; infinite ones beside them."""
    forbidden = False
    if not isinstance(cost, np.ma.MaskedArray):
        try:
            forbidden = np.isposinf(np.asarray(cost, dtype=float))
        except (TypeError, ValueError):
            pass  # the door says why
    if np.any(forbidden):
        cost = np.where(forbidden, 0, np.asarray(cost, dtype=float))
    cost, _ = check_view(cost, "cost")
    if cost.min() < 0:
        raise ValueError(f"cost must be at least 0; seen {cost.min():.3g}.")
    return np.where(forbidden, np.inf, cost)
