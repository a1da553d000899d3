r"""Plans of optimal transport, each with a proof of how good it is.

Every solver returns a plan, what it costs, and a lower bound of what any plan
costs: the value of the dual problem at potentials f and g. Whoever calls
compares the two.
"""

import warnings
from math import gcd

import numpy as np
import ot
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import logsumexp, xlogy

# Beyond 200 penalties no more than exp(-100) of a row is moved.
OUT_OF_REACH = 200
# Sinkhorn's iterations, and how many of them go without a new kernel.
ITERATIONS, ROUND = 10_000, 50
# Relative gap of an entropic plan that is as good as none.
SETTLED = 1e-6
# Stands for what has no mass, or none that a number can hold.
TINY = 1e-290


class NoPlanError(ValueError):
    """No plan has these marginals and avoids the forbidden pairs."""


def uniform(n1, n2):
    """Equal masses of rows and of columns, as whole numbers, and their sum.

    Sums and differences of such masses are exact: not even rounding has to
    go over a forbidden pair.
    """
    common = gcd(n1, n2)
    return (
        np.full(n1, float(n2 // common)),
        np.full(n2, float(n1 // common)),
        n1 * n2 // common,
    )


def exact(a, b, cost):
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
    allowed = np.isfinite(cost)
    unit = cost.max(where=allowed, initial=0.0) or 1.0
    cost, longest = cost / unit, min(cost.shape) + 1
    cap = 1.0 if allowed.all() else float(longest)
    while True:
        capped = np.minimum(cost / cap, 1)
        with warnings.catch_warnings():
            # What ended early is seen in the bound.
            warnings.simplefilter("ignore", UserWarning)
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
    return plan, unit * np.sum(plan * capped), a @ f + b @ g, f, g


def with_total_variation(cost, penalty):
    """Exact plan of rows that may stay, each at the price of the penalty.

    A row and a column that both stay pay twice the penalty: it is a balanced
    plan in which no pair costs more.
    """
    moves = cost < 2 * penalty
    # A price beyond this asks for the same plan, with fewer digits left.
    price = (min(cost.shape) + 1) * cost.max(where=moves, initial=0.0) or 1.0
    price = min(2 * penalty, price)
    a, b, total = uniform(*cost.shape)
    plan, value, bound, *_ = exact(a, b, np.where(moves, cost, price))
    stays = plan.sum(where=~moves)
    value += stays * (2 * penalty - price)
    bound += stays * (2 * penalty - price)
    return np.where(moves, plan, 0) / total, value / total, bound / total


def with_kullback_leibler(cost, penalty):
    r"""Exact plan under the Kullback–Leibler divergence.

    Newton's method on the conditions of optimality (primal–dual interior
    point), in units of the penalty:

    .. math:: \pi 1 = a e^{-f},\quad \pi^\top 1 = b e^{-g},\quad
              s = C - f \oplus g \ge 0,\quad \pi \circ s = \sigma \to 0 .

    Between the marginals found, network simplex gives the plan.
    """
    n1, n2 = cost.shape
    cost = cost / penalty
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
        a, b, total = uniform(n1, n2)
        balanced, paid_by_all, _, f, g = exact(a, b, cost)
    except NoPlanError:
        return plan, penalty * value, penalty * bound
    if paid_by_all < total * value:
        plan, value = balanced / total, paid_by_all / total
    f, g = _centred(f, g, 1 / n1, 1 / n2)
    bound = max(bound, -np.expm1(-f).mean() - np.expm1(-g).mean())
    return plan, penalty * value, penalty * bound


def _between(a, b, cost):
    """Exact plan; rows that nothing else can take stay, at a high price."""
    allowed = np.isfinite(cost)
    price = cost.max(where=allowed, initial=0.0) * min(cost.shape) + 1
    mass = a.sum(), b.sum()
    plan = exact(a / mass[0], b / mass[1], np.where(allowed, cost, price))[0]
    return np.where(allowed, np.sqrt(mass[0] * mass[1]) * plan, 0)


def _interior_point(cost, a, b):
    """Potentials with f ⊕ g < cost, of rows of mass a and columns of b."""
    allowed = np.isfinite(cost)
    n1, n2 = cost.shape
    rounding = 1e-15 * min(1, cost.max(where=allowed, initial=0) or 1)
    f, g = np.full(n1, -0.5), np.full(n2, -0.5)
    slack = cost - f[:, np.newaxis] - g
    plan = np.where(allowed, min(a, b) / max(n1, n2) / slack, 0)
    for _ in range(120):
        f, g = _centred(f, g, a, b)
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
        df, dg = _newton(
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


def _fraction(positive, change):
    """Largest step up to 1 that leaves a hundredth of what is positive."""
    allowed = positive > 0
    worst = np.max(-change[allowed] / positive[allowed], initial=0.0)
    return min(1.0, 0.99 / worst) if worst > 0 else 1.0


def _newton(pull, curvature, right):
    """Solve for both steps by way of the columns' Schur complement."""
    if pull.shape[0] < pull.shape[1]:
        return _newton(pull.T, curvature[::-1], right[::-1])[::-1]
    right_X, right_Y = right
    p = np.maximum(pull.sum(axis=1) + curvature[0], TINY)
    q = np.maximum(pull.sum(axis=0) + curvature[1], TINY)
    scaled = pull / np.sqrt(p)[:, np.newaxis]
    schur = np.diag(q) - scaled.T @ scaled
    # A common shift of f against g may be all but free.
    for firm in (1e-13, 1e-10, 1e-7):
        try:
            factor = cho_factor(schur + np.diag(firm * q))
        except LinAlgError:
            continue
        dg = cho_solve(factor, right_Y - (right_X / p) @ pull)
        return (right_X - pull @ dg) / p, dg
    return np.zeros_like(p), np.zeros_like(q)  # the bound will tell


def _centred(f, g, a, b, penalty=1.0):
    """Best shift of f against g, which leaves f ⊕ g as it is."""
    shift = _log_sum(f / penalty, a) - _log_sum(g / penalty, b)
    return f + penalty / 2 * shift, g - penalty / 2 * shift


def _log_sum(p, mass):
    """log Σ mass exp(−p), to the last digit also where p is about 0."""
    low = p.min()
    return np.log1p(mass * (np.sum(np.expm1(low - p)) + len(p)) - 1) - low


def with_entropy(cost, eps, penalty, divergence):
    r"""Plan π = ab exp((f ⊕ g − C) / ε), by Sinkhorn's iterations.

    Where they are slow, Newton's method goes on.
    """
    n1, n2 = cost.shape
    with np.errstate(over="ignore"):  # what is out of reach is forbidden
        cost, penalty = cost / eps, penalty / eps
    plan = np.zeros_like(cost)
    # A row without any way out stays, whatever the price of that is.
    alone = penalty if divergence == "tv" else np.inf
    f, g = np.full(n1, alone), np.full(n2, alone)
    allowed = np.isfinite(cost)
    rows, columns = allowed.any(axis=1), allowed.any(axis=0)
    within = np.ix_(rows, columns)
    if rows.any():
        dual = _EntropicDual(cost[within], 1 / n1, 1 / n2, penalty, divergence)
        f[rows], g[columns], plan[within] = dual.solve()
    value = objective(plan, cost, penalty, divergence, 1.0)
    bound = 1 - plan.sum()
    for p in (f, g):
        bound += _marginal(p, 1 / len(p), penalty, divergence)[0]
    if np.isfinite(penalty) and value - bound > SETTLED * value:
        # Of two plans that fall short the better one.
        exactly = {"tv": with_total_variation, "kl": with_kullback_leibler}
        other = exactly[divergence](cost, penalty)[0]
        least = objective(other, cost, penalty, divergence, 1.0)
        if least < value:
            plan, value = other, least
    return plan, eps * value, eps * bound


class _EntropicDual:
    """Potentials in units of ε, for rows of mass a and columns of b."""

    def __init__(self, cost, a, b, penalty, divergence):
        self.cost, self.a, self.b = cost, a, b
        self.penalty, self.divergence = penalty, divergence

    def solve(self):
        f = self.allowed(self.cost.min(axis=1))
        f, g, plan, settled = self.sinkhorn(f, self.best(f), ITERATIONS)
        for _ in range(5):
            if settled:
                break
            f, g = self.newton(f, g)
            # Where a row begins or ends to stay, the iterations see it.
            f, g, plan, settled = self.sinkhorn(f, g, 4 * ROUND)
        return f, g, plan

    def allowed(self, free):
        """The best potential where the entropy alone would have `free`."""
        if self.divergence == "tv" or np.isinf(self.penalty):
            return self.boxed(free)
        return free * (self.penalty / (1 + self.penalty))

    def best(self, f):
        free = -logsumexp(f[:, np.newaxis] - self.cost, axis=0, b=self.a)
        return self.allowed(free)

    def kernel(self, f, g):
        return self.a * self.b * np.exp(f[:, np.newaxis] + g - self.cost)

    def sinkhorn(self, f, g, iterations):
        """Scale rows and columns in turn; the kernel holds most of it."""
        for _ in range(iterations // ROUND):
            K = self.kernel(f, g)
            u, v, moved = np.ones(len(f)), np.ones(len(g)), 1.0
            for _ in range(ROUND):
                old = u
                with np.errstate(divide="ignore", over="ignore"):
                    u = self._scaling(f, K @ v, self.a)
                    v = self._scaling(g, u @ K, self.b)
                moved = np.sum(np.abs(u - old) * (K @ v))
                if not moved > 1e-14:
                    break
            f, g = f + np.log(u), g + np.log(v)
            if self.divergence == "kl" and np.isfinite(self.penalty):
                f, g = _centred(f, g, self.a, self.b, self.penalty)
            if moved <= 1e-14:
                break
        return f, g, self.kernel(f, g), moved <= 1e-14

    def _scaling(self, potential, sums, mass):
        free = potential - np.log(np.maximum(sums, TINY) / mass)
        # What is beyond this comes with the next kernel.
        return np.exp((self.allowed(free) - potential).clip(-600, 600))

    def newton(self, f, g):
        """Steps of Newton's method, halved until the dual rises."""
        now = self.value(f, g)
        for _ in range(50):
            terms = []
            for p, mass, slope in zip((f, g), (self.a, self.b), now[2:]):
                curvature = self.curvature(p, mass)
                if self.divergence == "tv":  # held by the box
                    held = np.sign(slope) * p >= self.penalty
                    curvature, slope = curvature + 1e30 * held, slope * ~held
                terms.append((curvature, slope))
            step = _newton(now[1], *zip(*terms))
            length, rises = 1.0, False
            while not rises and length > 1e-6:
                tried = [
                    self.boxed(p + length * change)
                    for p, change in zip((f, g), step)
                ]
                found = self.value(*tried)
                rises, length = self.better(found, now), length / 2
            if not rises:
                break
            (f, g), now = tried, found
        return f, g

    @staticmethod
    def better(found, before):
        """A higher dual, or at the same height smaller slopes."""
        level = abs(found[0] - before[0]) <= 1e-12 * abs(before[0])
        slopes = [sum(np.abs(s).sum() for s in x[2:]) for x in (found, before)]
        return slopes[0] < slopes[1] if level else found[0] > before[0]

    def value(self, f, g):
        """Of the dual, the plan, and the slopes in f and in g."""
        with np.errstate(over="ignore"):
            plan = self.kernel(f, g)
        value, slopes = -plan.sum(), []
        for axis, p, mass in ((1, f, self.a), (0, g, self.b)):
            part, asked = _marginal(p, mass, self.penalty, self.divergence)
            value += part
            slopes.append(asked - plan.sum(axis=axis))
        return value, plan, *slopes

    def curvature(self, p, mass):
        if self.divergence == "tv" or np.isinf(self.penalty):
            return np.zeros(len(p))
        return mass * np.exp(-p / self.penalty) / self.penalty

    def boxed(self, p):
        if self.divergence == "tv":
            return p.clip(-self.penalty, self.penalty)
        return p


def _marginal(potential, mass, penalty, divergence):
    """What a marginal adds to the dual, and the masses that it asks for."""
    if divergence == "tv" or np.isinf(penalty):
        return mass * np.sum(potential), np.full(len(potential), mass)
    asked = np.expm1(-potential / penalty)
    return -mass * penalty * np.sum(asked), mass * (1 + asked)


def paid(plan, cost):
    """For each pair; nothing for one that is forbidden."""
    return plan * np.where(plan > 0, cost, 0)


def objective(plan, cost, penalty, divergence, eps):
    """What is minimised; infinite penalties add nothing."""
    n1, n2 = plan.shape
    value = paid(plan, cost).sum()
    if np.isfinite(penalty):
        for axis, mass in ((1, 1 / n1), (0, 1 / n2)):
            excess = plan.sum(axis=axis) / mass - 1
            part = np.abs if divergence == "tv" else _relative_entropy
            value += penalty * mass * np.sum(part(excess))
    if eps:
        value += eps * np.mean(_relative_entropy(n1 * n2 * plan - 1))
    return value


def _relative_entropy(excess):
    """r log r − r + 1 for r = 1 + excess, without cancellation at 1."""
    near = np.abs(excess) < 1e-3
    r = np.where(near, excess, 0)
    series = r**2 / 2 - r**3 / 6 + r**4 / 12 - r**5 / 20
    return np.where(near, series, xlogy(1 + excess, 1 + excess) - excess)
