"""What a plan costs, and the step of Newton's method on its dual."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import xlog1py

from perfalign._types import Array

#: Stands for what has no mass, or none that a number can hold.
TINY = 1e-290

#: A number for each row, and one for each column.
Pair = tuple[Array, Array]


def paid(plan: Array, cost: Array) -> Array:
    """For each pair; nothing for one that is forbidden."""
    return plan * np.where(plan > 0, cost, 0)


def objective(
    plan: Array, cost: Array, reg_m: float, div: str, reg: float
) -> float:
    """What is minimised; infinite penalties add nothing."""
    n1, n2 = plan.shape
    value = paid(plan, cost).sum()
    if np.isfinite(reg_m):
        for axis, mass in ((1, 1 / n1), (0, 1 / n2)):
            excess = plan.sum(axis=axis) / mass - 1
            part = np.abs if div == "tv" else _relative_entropy
            value += reg_m * mass * np.sum(part(excess))
    if reg:
        value += reg * np.mean(_relative_entropy(n1 * n2 * plan - 1))
    return float(value)


def _relative_entropy(excess: Array) -> Array:
    """r log r − r + 1 for r = 1 + excess, to the digits of the excess."""
    return np.asarray(xlog1py(1 + excess, excess) - excess)


def newton_step(pull: Array, curvature: Pair, right: Pair) -> Pair:
    """Solve for both steps by way of the columns' Schur complement."""
    if pull.shape[0] < pull.shape[1]:
        dg, df = newton_step(pull.T, curvature[::-1], right[::-1])
        return df, dg
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


def centred(
    f: Array, g: Array, a: float, b: float, reg_m: float = 1.0
) -> Pair:
    """Best shift of f against g, which leaves f ⊕ g as it is."""
    shift = _log_sum(f / reg_m, a) - _log_sum(g / reg_m, b)
    return f + reg_m / 2 * shift, g - reg_m / 2 * shift


def _log_sum(p: Array, mass: float) -> float:
    """log Σ mass exp(−p), to the last digit also where p is about 0."""
    low = p.min()
    total = mass * (np.sum(np.expm1(low - p)) + len(p)) - 1
    return float(np.log1p(total) - low)
