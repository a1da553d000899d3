r"""Following a velocity, and what flows from noise have in common."""

import hashlib

import numpy as np
from scipy.integrate import RK45
from sklearn.utils import check_random_state

from perfalign._checks import check_integer, check_number, check_view

# A step of less than this fraction of the way moves nothing.
SHORTEST = 1e-14
# Bits of a number that tell rows apart: so few that the rounding of another
# machine almost never changes one. A number that is 2^SPAN times smaller than
# the largest of its row has fewer.
BITS, SPAN = 24, 16
# Below the exponent of any number.
NONE = -2000


def integrate(velocity, start, rtol, times=(1.0,), unit=None):
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
    unit : callable, default=None
        ``unit(t)`` of shape (n, d), or what broadcasts to it; 1 if None.

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
    for end in times:
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
            scale += 1.0 if unit is None else unit(t[going] + step)
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


def _step(velocity, y, t, h, slope, rows):
    """End of a step, the velocity there, and an estimate of the error."""
    slopes, h_ = [slope], h[:, np.newaxis]
    for c, weights in zip(RK45.C[1:], RK45.A[1:]):
        there = y + h_ * _combined(weights, slopes)
        slopes.append(velocity(there, t + c * h, rows))
    new = y + h_ * _combined(RK45.B, slopes)
    slopes.append(_finite(velocity(new, t + h, rows), t + h))
    return new, slopes[-1], h_ * _combined(RK45.E, slopes)


def _combined(weights, slopes):
    """Weighted sum, in an order that no number of rows changes."""
    return sum(w * slope for w, slope in zip(weights, slopes))


def _finite(slope, t):
    bad = ~np.isfinite(slope).all(axis=1)
    if bad.any():
        raise ValueError(
            "The flow cannot be followed: the velocity is not finite at "
            f"time {t[bad].min():.3g}."
        )
    return slope


def noise_of(X, n_draws, n_features, random_state):
    r"""Standard normal noise that belongs to a row, whatever is beside it.

    Each row has a generator of its own, seeded by `random_state` and by the
    row's numbers, of which the first 24 bits count (fewer, if a number is far
    below the largest): rounding changes nothing, unless a number lies on the
    edge between two roundings. Rows that agree in these bits have equal
    noise, and more draws begin with the fewer.

    Parameters
    ----------
    X : ndarray of shape (n_samples, d_1)
    n_draws, n_features : int
    random_state : int, RandomState instance or None

    Returns
    -------
    noise : ndarray of shape (n_draws, n_samples, n_features)
    """
    key = check_random_state(random_state).bytes(16)
    exponent = np.where(X == 0, NONE, np.frexp(X)[1])
    # Far below the largest of its row a number is rounding.
    least = exponent.max(axis=1, keepdims=True) - SPAN
    exponent = np.maximum(exponent, least)
    digits = np.rint(np.ldexp(X, BITS - exponent))
    content = np.hstack([exponent, digits]).astype("<i8")
    noise = np.empty((n_draws, len(X), n_features))
    rng = np.random.RandomState()
    for i, row in enumerate(content):
        seed = hashlib.blake2b(row.tobytes(), key=key, digest_size=16)
        rng.seed(np.frombuffer(seed.digest(), dtype="<u4"))
        noise[:, i] = rng.standard_normal((n_draws, n_features))
    return noise


def check_times(times):
    """Ascending times in [0, 1], at least one."""
    try:
        times = np.asarray(times, dtype=float)
    except (TypeError, ValueError):
        times = np.empty(0)
    if times.ndim != 1 or not len(times):
        raise ValueError("times must be a list of at least one number.")
    if not (np.diff(times, prepend=0, append=1) >= 0).all():
        raise ValueError(
            f"times must ascend from 0 to 1 at most; seen {times}."
        )
    return times


class NoiseFlow:
    r"""What flows from noise have in common, whatever their velocity.

    A subclass has `rtol`, and

    - `_field(X)`, the velocity in standard units given the rows of X, as
      `integrate` wants it, and the dimension of the target;
    - `_clock(t)`, the time in these units; `_unit(t)`, their spread then;
      `_place(points, t)`, which brings points back to the target's units.
    """

    def _key(self, X):
        """Numbers that tell rows apart."""
        return X

    def _clock(self, t):
        return t

    def _unit(self, t):
        return 1.0

    def velocity_at(self, y, t, X):
        r"""Velocity :math:`v(y, t; x)` of points on their way.

        Parameters
        ----------
        y : array-like of shape (n_samples, d_2)
            Where the points are, in the units in which the noise is standard.
        t : float
            Time from 0 (noise) to 1 (target).
        X : array-like of shape (n_samples, d_1)
            What each is conditioned on.

        Returns
        -------
        velocity : ndarray of shape (n_samples, d_2)

        Raises
        ------
        ValueError
            As `transport`.
        """
        field, n_features = self._field_at(X)
        (t,) = check_times([t])
        y = _rows_for(y, "y", n_features, X)
        return field(y, np.full(len(y), t), np.arange(len(y)))

    def _field_at(self, X):
        return self._field(X)

    def transport(self, X, noise, times=None):
        r"""Send noise to target latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)
            Source latents.
        noise : array-like of shape (n_samples, d_2)
            The ξ, one row for each source latent.
        times : array-like of shape (n_times,), default=None
            Ascending, in [0, 1], to see the points on their way.

        Returns
        -------
        latents : ndarray of shape (n_samples, d_2) or (n_times, …)

        Raises
        ------
        ValueError
            If not fitted, shapes do not agree, or the flow cannot be followed.
        """
        field, n_features = self._field(X)
        noise = _rows_for(noise, "noise", n_features, X)
        if times is None:
            return self._follow(field, noise, np.ones(1))[0]
        return self._follow(field, noise, check_times(times))

    def _follow(self, field, noise, times):
        clock, rtol = self._clock(times), check_number(self.rtol, "rtol", 0)
        path = integrate(field, noise, rtol, clock, self._unit)
        return np.array([self._place(z, t) for z, t in zip(path, times)])

    def sample(self, X, n_draws=1, random_state=None):
        """Draw target latents for each source latent.

        What is drawn for a row depends on its numbers and on `random_state`,
        not on the rows beside it: in any order, one by one or all together,
        the draws are the same. Equal rows get equal draws; ask for more
        draws, not for more copies of a row.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)
        n_draws : int, default=1
        random_state : int, RandomState instance or None, default=None
            Seeds the noise.

        Returns
        -------
        latents : ndarray of shape (n_draws, n_samples, d_2)

        Raises
        ------
        ValueError
            As `transport`.
        """
        n_draws = check_integer(n_draws, "n_draws")
        field, n_features = self._field(X)
        X, _ = check_view(X, "X")
        noise = noise_of(self._key(X), n_draws, n_features, random_state)

        def repeated(y, t, rows):
            return field(y, t, rows % len(X))

        flat = noise.reshape(-1, n_features)
        return self._follow(repeated, flat, np.ones(1)).reshape(noise.shape)

    def predict(self, X, n_draws=20, random_state=None):
        r"""Mean of samples: an estimate of :math:`E[y \mid x]`.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)
        n_draws : int, default=20
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        latents : ndarray of shape (n_samples, d_2)

        Raises
        ------
        ValueError
            As `transport`.
        """
        return self.sample(X, n_draws, random_state).mean(axis=0)


def _rows_for(points, name, n_features, X):
    points, _ = check_view(points, name, n_features=n_features)
    if len(points) != len(X):
        raise ValueError(
            f"{name} has {len(points)} rows; wanted {len(X)}, one for each "
            "row of X."
        )
    return points
