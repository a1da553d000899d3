r"""What every flow can do: follow a velocity, draw, and tell its velocity."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from perfalign._checks import check_parameters, check_view
from perfalign._threads import one_blas_thread
from perfalign._types import Array, RandomState, View
from perfalign.flows._steps import Field, check_times, integrate


class Flow(BaseEstimator, ABC):
    r"""A way from source latents to target latents, given by its velocity.

    .. math:: \dot y = v(y, t; x), \qquad 0 \le t \le 1 .

    Every flow is fitted to latents and their coupling, sends each row along
    its way, draws, and can be cloned and pickled: `ModelBridge` takes any.

    A flow of one's own is a subclass that has `fit`, `sample`, a parameter
    `rtol`, the bound of the error of a step, and

    - ``_dimension``, a property: the target's dimension d_2;
    - ``_field(X)``, the velocity for source latents X: a function of
      ``(y, t, rows)`` that returns the velocities, of the shape of y, of
      points y at the times t, one a point, where ``y[i]`` belongs to row
      ``rows[i]`` of X;
    - ``_start(X, noise)``, the points where the ways begin, one a row of X;
    - ``_place(points, t)``, which puts points at the time t into the target's
      units, from those of the velocity.

    `predict`, `transport` and `velocity_at` follow. If the velocity has
    another clock, or another spread than 1, there are ``_clock(t)``, which
    returns its times at times t, and ``_unit(t)``, the spread that errors are
    compared with.

    See Also
    --------
    ConditionalFlow : learns its velocity.
    GaussianFlow : knows it.

    Examples
    --------
    All the way at one speed, from the mean of X to that of Y:

    >>> import numpy as np
    >>> from perfalign.flows import Flow
    >>> class Shift(Flow):
    ...     def __init__(self, rtol=1e-3):
    ...         self.rtol = rtol
    ...     def fit(self, X, Y, coupling):
    ...         self.way_ = np.mean(Y, axis=0) - np.mean(X, axis=0)
    ...         return self
    ...     def sample(self, X, n_draws=1, random_state=None):
    ...         return np.tile(self.transport(X), (n_draws, 1, 1))
    ...     @property
    ...     def _dimension(self):
    ...         return len(self.way_)
    ...     def _field(self, X):
    ...         return lambda y, t, rows: np.tile(self.way_, (len(y), 1))
    ...     def _start(self, X, noise):
    ...         return np.asarray(X, dtype=float)
    ...     def _place(self, points, t):
    ...         return points
    >>> shift = Shift().fit([[0, 0], [2, 2]], [[5, 0], [7, 4]], np.eye(2))
    >>> print(shift.transport([[0, 1]], times=[0.5, 1.0]).round(6))
    [[[2.5 1.5]]
    <BLANKLINE>
     [[5.  2. ]]]
    """

    rtol: float
    _parameter_constraints: dict[str, list[Any]] = {
        "rtol": [Interval(Real, 0, None, closed="neither")]
    }

    @abstractmethod
    def fit(self, X: View, Y: View, coupling: Any) -> Self:
        """Learn the way from X to Y.

        Parameters
        ----------
        X : array-like of shape (n_source, d_1)
            Source latents.
        Y : array-like of shape (n_target, d_2)
            Target latents, of whatever other items.
        coupling : Coupling, matrix of masses or the like
            Which of them belong together; `as_coupling` says what is taken.

        Returns
        -------
        self : Flow

        Raises
        ------
        ValueError
            If the latents or the coupling will not do.
        """

    @abstractmethod
    def sample(
        self, X: View, n_draws: int = 1, random_state: RandomState = None
    ) -> Array:
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
            Seeds the noise. A flow that starts at X has no chance in it, and
            its draws are all equal.

        Returns
        -------
        latents : ndarray of shape (n_draws, n_samples, d_2)

        Raises
        ------
        ValueError
            As `transport`.
        """

    @one_blas_thread
    def predict(
        self, X: View, n_draws: int = 20, random_state: RandomState = None
    ) -> Array:
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
        return np.asarray(self.sample(X, n_draws, random_state).mean(axis=0))

    @one_blas_thread
    def transport(
        self, X: View, noise: View = None, times: Any = None
    ) -> Array:
        r"""Send each row along its way to a target latent.

        Parameters
        ----------
        X : array-like of shape (n_samples, d_1)
            Source latents.
        noise : array-like of shape (n_samples, d_2), default=None
            The ξ, one row for each source latent, of a flow that starts from
            noise; None for one that starts at X.
        times : array-like of shape (n_times,), default=None
            Ascending, in [0, 1], to see the points on their way.

        Returns
        -------
        latents : ndarray of shape (n_samples, d_2) or (n_times, …)

        Raises
        ------
        ValueError
            If not fitted, shapes do not agree, the flow starts elsewhere, or
            it cannot be followed.
        """
        field = self._field(X)
        start = self._start(X, noise)
        seen = np.ones(1) if times is None else check_times(times)
        path = self._follow(field, start, seen)
        return np.asarray(path[0]) if times is None else path

    @one_blas_thread
    def velocity_at(self, y: View, t: float, X: View = None) -> Array:
        r"""Velocity :math:`v(y, t; x)` of points on their way.

        Parameters
        ----------
        y : array-like of shape (n_samples, d_2)
            Where the points are, in the units in which the noise, or else
            the source, is standard.
        t : float
            Time from 0 to 1 (target).
        X : array-like of shape (n_samples, d_1), default=None
            What each is conditioned on. None for a flow that starts at X: it
            sees where a point is, and not where it came from.

        Returns
        -------
        velocity : ndarray of shape (n_samples, d_2)

        Raises
        ------
        ValueError
            As `transport`.
        """
        field = self._field_at(X)
        (t,) = check_times([t])
        y = self._points(y, "y", X)
        return field(y, np.full(len(y), t), np.arange(len(y)))

    @property
    @abstractmethod
    def _dimension(self) -> int: ...

    @abstractmethod
    def _field(self, X: View) -> Field: ...

    @abstractmethod
    def _start(self, X: View, noise: View) -> Array: ...

    @abstractmethod
    def _place(self, points: Array, t: float) -> Array: ...

    def _field_at(self, X: View) -> Field:
        """The velocity in the units that `velocity_at` speaks of."""
        return self._field(X)

    def _clock(self, t: Array) -> Array:
        return t

    def _unit(self, t: Array) -> Array:
        return np.ones_like(t)

    def _points(self, points: View, name: str, X: View) -> Array:
        """Points in the target's space, one for each row of X."""
        checked, _ = check_view(points, name, n_features=self._dimension)
        if X is not None and len(checked) != len(X):
            raise ValueError(
                f"{name} has {len(checked)} rows; wanted {len(X)}, one for "
                "each row of X."
            )
        return checked

    def _follow(self, field: Field, start: Array, times: Array) -> Array:
        check_parameters(self)
        clock = self._clock(times)
        path = integrate(field, start, self.rtol, clock, self._unit)
        return np.array([self._place(z, t) for z, t in zip(path, times)])
