"""Plans of optimal transport, each with a proof of how good it is.

Every solver returns a plan, what it costs, and a lower bound of what any plan
costs: the value of the dual problem at potentials f and g. Whoever calls
compares the two.
"""

import warnings
from math import gcd

import numpy as np

from perfalign._types import Array
from perfalign.transport._objective import (
    Pair,
    centred,
    newton_step,
    objective,
    paid,
)

#: A plan, what it costs, and what any plan costs at least.
Solution = tuple[Array, float, float]

# Beyond 200 penalties no more than exp(-100) of a row is moved.
OUT_OF_REACH = 200


class NoPlanError(ValueError):
    """No plan has these marginals and avoids the forbidden pairs."""


def exact(a: Array, b: Array, cost: Array) -> tuple[Array, float, float, Pair]:
    r"""Least ⟨π, C⟩ with marginals a and b, by network simplex.

    Its errors are relative to the largest cost, which need not matter: in the
    cycles in which two plans differ at most min(n₁, n₂) pairs alternate. A
    pair that costs more than as many pairs of a plan that is known is never
    needed, and costs just so much from then on.

    Raises
    ------
    NoPlanError
        If a pair of infinite cost would have to be used.
    """
    # POT loads every array library that it finds.
    import ot

    allowed = np.isfinite(cost)
    unit = cost.max(where=allowed, initial=0.0) or 1.0
    cost, longest = cost / unit, min(cost.shape) + 1
    cap = 1.0 if allowed.all() else float(longest)
    while True:
        capped = np.minimum(cost / cap, 1)
        # What ended early is seen in the bound.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            plan, log = ot.emd(a, b, capped, numItermax=10**7, log=True)
        if plan.sum(where=~allowed) > 1e-9 * plan.sum():
            raise NoPlanError
        plan[~allowed] = 0
        needed = longest * cost.max(where=plan > 0, initial=0.0)
        if not 0 < needed < cap / 2:
            break
        cap = needed
    g = (capped - log["u"][:, np.newaxis]).min(axis=0)
    f = (capped - g).min(axis=1)
    unit *= cap
    f, g = unit * f, unit * g
    value, bound = unit * np.sum(plan * capped), a @ f + b @ g
    return plan, float(value), float(bound), (f, g)


def balanced(cost: Array) -> tuple[Array, float, float, Pair]:
    """Exact plan of rows that all have to go, also with its potentials.

    Masses are whole numbers until the end. Sums and differences of such are
    exact: not even rounding has to go over a forbidden pair.
    """
    n1, n2 = cost.shape
    common = gcd(n1, n2)
    a, b = np.full(n1, float(n2 // common)), np.full(n2, float(n1 // common))
    plan, value, bound, potentials = exact(a, b, cost)
    total = n1 * n2 // common
    return plan / total, value / total, bound / total, potentials


def with_total_variation(cost: Array, reg_m: float) -> Solution:
    """Exact plan of rows that may stay, each at the price of the penalty.

    A row and a column that both stay pay twice the penalty: it is a balanced
    plan in which no pair costs more.
    """
    moves = cost < 2 * reg_m
    # A price beyond this asks for the same plan, with fewer digits left.
    price = (min(cost.shape) + 1) * cost.max(where=moves, initial=0.0) or 1.0
    price = min(2 * reg_m, price)
    plan, value, bound, _ = balanced(np.where(moves, cost, price))
    more = float(plan.sum(where=~moves)) * (2 * reg_m - price)
    return np.where(moves, plan, 0), value + more, bound + more


def with_kullback_leibler(cost: Array, reg_m: float) -> Solution:
    r"""Exact plan under the Kullback–Leibler divergence.

    Newton's method on the conditions of optimality (primal–dual interior
    point), in units of the penalty:

    .. math:: \pi 1 = a e^{-f},\quad \pi^\top 1 = b e^{-g},\quad
              s = C - f \oplus g \ge 0,\quad \pi \circ s = \sigma \to 0 .

    Between the marginals found, network simplex gives the plan.
    """
    n1, n2 = cost.shape
    cost = cost / reg_m
    reach = cost < OUT_OF_REACH
    rows, columns = reach.any(axis=1), reach.any(axis=0)
    plan, far = np.zeros_like(cost), OUT_OF_REACH / 2
    f, g = np.full(n1, far), np.full(n2, far)
    if rows.any():
        within = np.ix_(rows, columns)
        near = np.where(reach[within], cost[within], np.inf)
        found = _interior_point(near, 1 / n1, 1 / n2)
        # Lower potentials remain feasible, and hardly lose.
        f[rows], g[columns] = np.minimum(found[0], far), found[1].clip(max=far)
        plan[within] = _between(
            np.exp(-f[rows]) / n1, np.exp(-g[columns]) / n2, near
        )
    value = objective(plan, cost, 1.0, "kl", 0.0)
    bound = -np.expm1(-f).mean() - np.expm1(-g).mean()
    # Where ways are all but free, the balanced plan has the last digits.
    try:
        everyone, paid_by_all, _, (f, g) = balanced(cost)
    except NoPlanError:
        return plan, reg_m * value, reg_m * bound
    if paid_by_all < value:
        plan, value = everyone, paid_by_all
    f, g = centred(f, g, 1 / n1, 1 / n2)
    bound = max(bound, -np.expm1(-f).mean() - np.expm1(-g).mean())
    return plan, reg_m * value, reg_m * bound


#: The solver for each way of charging rows and columns that fall short.
UNBALANCED = {"tv": with_total_variation, "kl": with_kullback_leibler}


def _between(a: Array, b: Array, cost: Array) -> Array:
    """Exact plan; rows that nothing else can take stay, at a high price."""
    allowed = np.isfinite(cost)
    price = cost.max(where=allowed, initial=0.0) * min(cost.shape) + 1
    mass = a.sum(), b.sum()
    plan, *_ = exact(a / mass[0], b / mass[1], np.where(allowed, cost, price))
    return np.where(allowed, np.sqrt(mass[0] * mass[1]) * plan, 0)


def _interior_point(cost: Array, a: float, b: float) -> Pair:
    """Potentials with f ⊕ g < cost, of rows of mass a and columns of b."""
    allowed = np.isfinite(cost)
    n1, n2 = cost.shape
    rounding = 1e-15 * min(1, cost.max(where=allowed, initial=0) or 1)
    f, g = np.full(n1, -0.5), np.full(n2, -0.5)
    slack = cost - f[:, np.newaxis] - g
    plan = np.where(allowed, min(a, b) / max(n1, n2) / slack, 0)
    for _ in range(120):
        f, g = centred(f, g, a, b)
        slack = cost - f[:, np.newaxis] - g
        gap = paid(plan, slack).sum()
        bound = -a * np.expm1(-f).sum() - b * np.expm1(-g).sum()
        wanted_X, wanted_Y = a * np.exp(-f), b * np.exp(-g)
        off = np.abs(plan.sum(axis=1) - wanted_X).sum()
        off += np.abs(plan.sum(axis=0) - wanted_Y).sum()
        off /= wanted_X.sum()
        if gap <= max(1e-9 * bound, rounding) or slack.min() <= 0:
            break
        aim = 0.1 if off <= 0.1 * gap / max(bound, gap) else 1.0
        target = aim * gap / allowed.sum() / slack
        pull = plan / slack
        df, dg = newton_step(
            pull,
            (wanted_X, wanted_Y),
            (wanted_X - target.sum(axis=1), wanted_Y - target.sum(axis=0)),
        )
        step = df[:, np.newaxis] + dg
        change = target - plan + pull * step
        length = _fraction(slack, -step)
        length = min(length, 2 / max(np.abs(df).max(), np.abs(dg).max(), 2))
        f, g = f + length * df, g + length * dg
        plan = plan + _fraction(plan, change) * change
    return f, g


def _fraction(positive: Array, change: Array) -> float:
    """Largest step up to 1 that leaves a hundredth of what is positive."""
    allowed = positive > 0
    worst = np.max(-change[allowed] / positive[allowed], initial=0.0)
    return min(1.0, 0.99 / float(worst)) if worst > 0 else 1.0
