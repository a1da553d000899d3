r"""What flows from noise have in common, whatever their velocity."""

import numpy as np
from scipy.integrate import solve_ivp
from sklearn.utils import check_random_state

from perfalign._validation import check_view


def integrate(velocity, start, rtol, times=None, method="RK45"):
    r"""Follow :math:`\dot y = v(y, t)` from t = 0 to t = 1.

    Parameters
    ----------
    velocity : callable
        ``velocity(y, t)`` returns an array of the shape of y.
    start : ndarray of shape (n, d)
        Where the n points are at t = 0.
    rtol : float
        Relative and absolute tolerance of SciPy's ``solve_ivp``. Steps are
        chosen for all points together, by the root mean square of their
        errors.
    times : array-like of shape (n_times,), default=None
        Ascending, in [0, 1]; only the end if None.
    method : str, default="RK45"
        Of ``solve_ivp``, an explicit Runge–Kutta method.

    Returns
    -------
    path : ndarray of shape (n_times, n, d), or (n, d) if `times` is None

    Raises
    ------
    ValueError
        If the velocity is not finite or the solver fails.
    """
    solution = solve_ivp(
        lambda t, flat: velocity(flat.reshape(start.shape), t).ravel(),
        (0.0, 1.0),
        start.ravel(),
        method=method,
        t_eval=[1.0] if times is None else times,
        rtol=rtol,
        atol=rtol,
    )
    if not (solution.success and np.isfinite(solution.y).all()):
        raise ValueError(f"The flow cannot be followed: {solution.message}")
    path = solution.y.T.reshape(-1, *start.shape)
    return path[0] if times is None else path


class NoiseFlow:
    """What flows from noise have in common, whatever their velocity.

    A subclass has `rtol`, and `_field(X)` that returns the velocity given X,
    and the origin and the units of the target.
    """

    _method = "RK45"

    def velocity(self, y, t, X):
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
        """
        field, _, _ = self._field(X)
        return field(np.asarray(y, dtype=float), t)

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
            If not fitted, or shapes do not agree.
        """
        field, origin, scale = self._field(X)
        noise, _ = check_view(noise, "noise", n_features=len(origin))
        if len(noise) != len(X):
            raise ValueError(
                f"noise has {len(noise)} rows; wanted {len(X)}, one for each "
                "row of X."
            )
        path = integrate(field, noise, self.rtol, times, self._method)
        return origin + scale * path

    def sample(self, X, n_draws=1, random_state=None):
        """Draw target latents for each source latent.

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
        X = np.asarray(X)
        _, origin, _ = self._field(X)
        rng = check_random_state(random_state)
        shape = (n_draws, len(X), len(origin))
        noise = rng.standard_normal(shape).reshape(-1, shape[2])
        return self.transport(np.tile(X, (n_draws, 1)), noise).reshape(shape)

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
