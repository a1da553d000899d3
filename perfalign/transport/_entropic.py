"""Plans that an entropy spreads, with the bound that the dual gives."""

import numpy as np

from perfalign._types import Array
from perfalign.transport._exact import (
    UNBALANCED,
    Solution,
)
from perfalign.transport._objective import (
    TINY,
    Pair,
    centred,
    newton_step,
    objective,
)

# Sinkhorn's iterations, and how many of them go without a new kernel.
ITERATIONS, ROUND = 10_000, 50
# Relative gap of an entropic plan that is as good as none.
SETTLED = 1e-6


def with_entropy(cost: Array, reg: float, reg_m: float, div: str) -> Solution:
    r"""Plan π = ab exp((f ⊕ g − C) / ε), by Sinkhorn's iterations.

    Where they are slow, Newton's method goes on.
    """
    n1, n2 = cost.shape
    with np.errstate(over="ignore"):  # what is out of reach is forbidden
        cost, reg_m = cost / reg, reg_m / reg
    plan = np.zeros_like(cost)
    # A row without any way out stays, whatever the price of that is.
    alone = reg_m if div == "tv" else np.inf
    f, g = np.full(n1, alone), np.full(n2, alone)
    allowed = np.isfinite(cost)
    rows, columns = allowed.any(axis=1), allowed.any(axis=0)
    within = np.ix_(rows, columns)
    if rows.any():
        dual = EntropicDual(cost[within], 1 / n1, 1 / n2, reg_m, div)
        f[rows], g[columns], plan[within] = dual.solve()
    value = objective(plan, cost, reg_m, div, 1.0)
    bound = 1 - plan.sum()
    for p in (f, g):
        bound += _marginal(p, 1 / len(p), reg_m, div)[0]
    if np.isfinite(reg_m) and value - bound > SETTLED * value:
        # Of two plans that fall short the better one.
        other, *_ = UNBALANCED[div](cost, reg_m)
        least = objective(other, cost, reg_m, div, 1.0)
        if least < value:
            plan, value = other, least
    return plan, reg * value, reg * float(bound)


class EntropicDual:
    """Potentials in units of ε, for rows of mass a and columns of b.

    Under total variation they lie in a box. Under a finite Kullback–Leibler
    divergence they are drawn towards 0; `soft` says so.
    """

    def __init__(
        self, cost: Array, a: float, b: float, reg_m: float, div: str
    ) -> None:
        self.cost, self.a, self.b = cost, a, b
        self.reg_m, self.div = reg_m, div
        self.soft = div == "kl" and np.isfinite(reg_m)
        self.box = reg_m if div == "tv" else np.inf

    def solve(self) -> tuple[Array, Array, Array]:
        f = self.allowed(self.cost.min(axis=1))
        free = f[:, np.newaxis] - self.cost
        top = free.max(axis=0)
        total = self.a * np.exp(np.subtract(free, top, out=free)).sum(axis=0)
        g = self.allowed(-top - np.log(total))
        f, g, settled = self.sinkhorn(f, g, ITERATIONS)
        for _ in range(5):
            if settled:
                break
            f, g = self.newton(f, g)
            # Where a row begins or ends to stay, the iterations see it.
            f, g, settled = self.sinkhorn(f, g, 4 * ROUND)
        return f, g, self.kernel(f, g)

    def allowed(self, free: Array) -> Array:
        """The best potential where the entropy alone would have `free`."""
        if self.soft:
            return free * (self.reg_m / (1 + self.reg_m))
        return self.boxed(free)

    def boxed(self, p: Array) -> Array:
        return np.minimum(np.maximum(p, -self.box), self.box)

    def kernel(self, f: Array, g: Array) -> Array:
        plan: Array = np.add.outer(f, g)
        np.exp(np.subtract(plan, self.cost, out=plan), out=plan)
        plan *= self.a * self.b
        return plan

    @np.errstate(divide="ignore", over="ignore")
    def sinkhorn(
        self, f: Array, g: Array, iterations: int
    ) -> tuple[Array, Array, bool]:
        """Scale rows and columns in turn; the kernel holds most of it."""
        moved = np.inf
        for _ in range(iterations // ROUND):
            K = self.kernel(f, g)
            u, v = np.ones(len(f)), np.ones(len(g))
            sums = K @ v
            for _ in range(ROUND):
                old = u
                u = self._scaling(f, sums, self.a)
                v = self._scaling(g, u @ K, self.b)
                sums = K @ v
                moved = np.abs(u - old) @ sums
                if not moved > 1e-14:
                    break
            f, g = f + np.log(u), g + np.log(v)
            if self.soft:
                f, g = centred(f, g, self.a, self.b, self.reg_m)
            if moved <= 1e-14:
                break
        return f, g, bool(moved <= 1e-14)

    def _scaling(self, potential: Array, sums: Array, mass: float) -> Array:
        free = potential - np.log(np.maximum(sums, TINY) / mass)
        # What is beyond this comes with the next kernel.
        step = np.minimum(
            np.maximum(self.allowed(free) - potential, -600), 600
        )
        return np.asarray(np.exp(step))

    def newton(self, f: Array, g: Array) -> Pair:
        """Steps of Newton's method, halved until the dual rises."""
        value, plan, slopes = self.value(f, g)
        for _ in range(50):
            (stiff_X, pull_X), (stiff_Y, pull_Y) = (
                self.conditions(*side)
                for side in zip((f, g), (self.a, self.b), slopes)
            )
            df, dg = newton_step(plan, (stiff_X, stiff_Y), (pull_X, pull_Y))
            length, rises = 1.0, False
            while not rises and length > 1e-6:
                tried = tuple(
                    self.boxed(p + length * change)
                    for p, change in ((f, df), (g, dg))
                )
                found, plan_there, slopes_there = self.value(*tried)
                # A higher dual, or at the same height smaller slopes.
                if abs(found - value) <= 1e-12 * abs(value):
                    rises = _size(slopes_there) < _size(slopes)
                else:
                    rises = found > value
                length /= 2
            if not rises:
                break
            (f, g), value = tried, found
            plan, slopes = plan_there, slopes_there
        return f, g

    def value(self, f: Array, g: Array) -> tuple[float, Array, Pair]:
        """Of the dual, the plan, and the slopes in f and in g."""
        with np.errstate(over="ignore"):
            plan = self.kernel(f, g)
        of_f, asked_X = _marginal(f, self.a, self.reg_m, self.div)
        of_g, asked_Y = _marginal(g, self.b, self.reg_m, self.div)
        slopes = asked_X - plan.sum(axis=1), asked_Y - plan.sum(axis=0)
        return -plan.sum() + of_f + of_g, plan, slopes

    def conditions(self, p: Array, mass: float, slope: Array) -> Pair:
        """Curvature and slope in a potential; what the box holds stays."""
        held = np.sign(slope) * p >= self.box
        curvature: Array = np.where(held, 1e30, 0.0)
        if self.soft:
            curvature += mass * np.exp(-p / self.reg_m) / self.reg_m
        return curvature, slope * ~held


def _size(slopes: Pair) -> float:
    return float(sum(np.abs(slope).sum() for slope in slopes))


def _marginal(
    potential: Array, mass: float, reg_m: float, div: str
) -> tuple[float, Array]:
    """What a marginal adds to the dual, and the masses that it asks for."""
    if div == "tv" or np.isinf(reg_m):
        total = mass * np.sum(potential)
        return float(total), np.full(len(potential), mass)
    asked = np.expm1(-potential / reg_m)
    return float(-mass * reg_m * np.sum(asked)), mass * (1 + asked)
