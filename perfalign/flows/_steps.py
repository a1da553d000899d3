"""Following a velocity, each row by steps of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import RK45

from perfalign._types import Array, Integers

#: ``velocity(y, t, rows)``: of points y at the times t, of these rows.
Field = Callable[[Array, Array, Integers], Array]

# A step of less than this fraction of the way moves nothing.
SHORTEST = 1e-14


def integrate(
    velocity: Field,
    start: Array,
    rtol: float,
    times: ArrayLike = (1.0,),
    unit: Callable[[Array], Any] = np.ones_like,
) -> Array:
    r"""Follow :math:`\dot y = v(y, t)` from t = 0, each row by its own steps.

    Dormand and Prince's pair of order 5 and 4 with the tableau of SciPy's
    ``RK45``. A row's steps are chosen by its own error, so that its path does
    not depend on which other rows there are.

    Parameters
    ----------
    velocity : callable
        ``velocity(y, t, rows)`` returns an array of the shape of y, where
        ``t[i]`` is the time at ``y[i]``, a point of row ``rows[i]``.
    start : ndarray of shape (n, d)
        Where the n points are at t = 0.
    rtol : float
        Bound of the root mean square, over a row's coordinates, of the errors
        of a step relative to unit + abs(y).
    times : sequence of float, default=(1.0,)
        Ascending, in [0, 1].
    unit : callable, default=numpy.ones_like
        ``unit(t)`` for times of shape (n, 1) has the shape (n, d), or one
        that broadcasts to it.

    Returns
    -------
    path : ndarray of shape (n_times, n, d)

    Raises
    ------
    ValueError
        If the velocity is not finite or the steps become too short.
    """
    y, t = start.astype(float), np.zeros(len(start))
    h, rows = np.full(len(start), 0.1), np.arange(len(start))
    slope = _finite(velocity(y, t, rows), t)
    path = []
    for end in np.asarray(times):
        going = rows[t < end]
        while len(going):
            step = np.minimum(h[going], end - t[going])
            last = step >= end - t[going]
            if step.min() < SHORTEST and not last[step.argmin()]:
                raise ValueError(
                    "The flow cannot be followed: at time "
                    f"{t[going][step.argmin()]:.6g} no step is short enough."
                )
            new, new_slope, error = _step(
                velocity, y[going], t[going], step, slope[going], going
            )
            scale = np.maximum(np.abs(y[going]), np.abs(new))
            scale += unit((t[going] + step)[:, np.newaxis])
            off = np.sqrt(np.mean((error / scale) ** 2, axis=1)) / rtol
            good = off <= 1  # not where it is NaN
            with np.errstate(divide="ignore"):
                factor = np.fmin(0.9 * off**-0.2, np.where(good, 5.0, 0.9))
            longer = step * np.fmax(factor, 0.2)
            # The end of the interval says nothing of the steps to come.
            h[going] = np.where(good & last, np.fmax(h[going], longer), longer)
            kept = going[good]
            t[kept] = np.where(last, end, t[going] + step)[good]
            y[kept], slope[kept] = new[good], new_slope[good]
            going = going[~(good & last)]
        path.append(y.copy())
    return np.array(path)


def _step(
    velocity: Field, y: Array, t: Array, h: Array, slope: Array, rows: Integers
) -> tuple[Array, Array, Array]:
    """End of a step, the velocity there, and an estimate of the error."""
    slopes, h_ = [slope], h[:, np.newaxis]
    for c, weights in zip(RK45.C[1:], RK45.A[1:]):
        there = y + h_ * _combined(weights, slopes)
        slopes.append(velocity(there, t + c * h, rows))
    new = y + h_ * _combined(RK45.B, slopes)
    slopes.append(_finite(velocity(new, t + h, rows), t + h))
    return new, slopes[-1], h_ * _combined(RK45.E, slopes)


def _combined(weights: Array, slopes: list[Array]) -> Any:
    """Weighted sum, in an order that no number of rows changes."""
    return sum(w * slope for w, slope in zip(weights, slopes))


def _finite(slope: Array, t: Array) -> Array:
    bad = ~np.isfinite(slope).all(axis=1)
    if bad.any():
        raise ValueError(
            "The flow cannot be followed: the velocity is not finite at "
            f"time {t[bad].min():.3g}."
        )
    return slope


def check_times(times: Any) -> Array:
    """Ascending times in [0, 1], at least one."""
    try:
        checked = np.asarray(times, dtype=float)
    except (TypeError, ValueError):
        checked = np.empty(0)
    if checked.ndim != 1 or not len(checked):
        raise ValueError("times must be a list of at least one number.")
    if not (np.diff(checked, prepend=0, append=1) >= 0).all():
        raise ValueError(
            f"times must ascend from 0 to 1 at most; seen {checked}."
        )
    return checked
