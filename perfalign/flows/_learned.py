"""What flows have in common whose velocity a regressor learns."""

import warnings
from abc import abstractmethod
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import (
    check_estimator,
    check_parameters,
    check_view,
    column_names,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, RandomState, View
from perfalign.flows._base import Flow
from perfalign.flows._steps import Field
from perfalign.transport import as_coupling


class LearnedFlow(Flow):
    """A flow that learns :math:`E[y - y_0 \\mid y_t]` from drawn pairs.

    A subclass says whether the velocity sees the source, `_sees_source`, and
    writes `_first(x, y, rng)`: the points :math:`y_0` where the ways of drawn
    pairs begin, in standard units.
    """

    _sees_source: bool
    _parameter_constraints = {
        **Flow._parameter_constraints,
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        velocity: Any = None,
        *,
        n_samples: int = 40_000,
        rtol: float = 1e-2,
        random_state: RandomState = None,
    ) -> None:
        self.velocity = velocity
        self.n_samples = n_samples
        self.rtol = rtol
        self.random_state = random_state

    @one_blas_thread
    def fit(self, X: View, Y: View, coupling: Any) -> Self:
        """Learn the velocity.

        Parameters
        ----------
        X : array-like of shape (n_source, d_1)
            Source latents.
        Y : array-like of shape (n_target, d_2)
            Target latents, of whatever other items.
        coupling : Coupling, matrix of masses or the like
            ``coupling.sample(n_samples, random_state)`` returns row numbers
            into X and into Y, one pair a position. A plain matrix of shape
            (n_source, n_target), such as POT returns, is taken as the masses
            of a `TransportPlan`.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If X or Y is not a finite real matrix, the coupling speaks of
            other rows or cannot be sampled, a parameter is out of its range,
            or the flow needs one dimension for both spaces and they differ.
        """
        check_parameters(self)
        rng = check_random_state(self.random_state)
        learner = perceptron(rng) if self.velocity is None else self.velocity
        check_estimator(learner, "velocity", ("fit", "predict"))
        x, y = _coupled_rows(X, Y, coupling, self.n_samples, rng)
        self.mean_X_, self.scale_X_ = _standard_units(x)
        self.mean_Y_, self.scale_Y_ = _standard_units(y)
        x = _standardised(x, self.mean_X_, self.scale_X_)
        y = _standardised(y, self.mean_Y_, self.scale_Y_)
        start = self._first(x, y, rng)
        t = rng.uniform(size=(len(y), 1))
        columns = [(1 - t) * start + t * y, t] + [x] * self._sees_source
        self.n_features_in_ = x.shape[1]
        self.__dict__.pop("feature_names_in_", None)
        names = column_names(X, "X")
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        # Regressors want a single target as a vector.
        targets = y - start if y.shape[1] > 1 else (y - start).ravel()
        with warnings.catch_warnings():
            if self.velocity is None:
                # Regression on noise does not converge; thirty passes
                # are the plan.
                warnings.simplefilter("ignore", ConvergenceWarning)
            self.velocity_ = clone(learner).fit(np.hstack(columns), targets)
        return self

    @abstractmethod
    def _first(
        self, x: Array, y: Array, rng: np.random.RandomState
    ) -> Array: ...

    @property
    def _dimension(self) -> int:
        return len(self.mean_Y_)

    def _rows(self, X: View) -> Array:
        names = getattr(self, "feature_names_in_", None)
        rows, _ = check_view(
            X, "X", n_features=self.n_features_in_, columns=names
        )
        return _standardised(rows, self.mean_X_, self.scale_X_)

    def _field(self, X: View) -> Field:
        check_is_fitted(self, "velocity_")
        seen = [self._rows(X)] if self._sees_source else []

        def field(y: Array, t: Array, rows: Integers) -> Array:
            columns = np.column_stack([y, t, *(x[rows] for x in seen)])
            return np.reshape(self.velocity_.predict(columns), y.shape)

        return field


def perceptron(random_state: RandomState = None) -> Any:
    """The default velocity: a perceptron, standardised on both sides.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seeds the start and the order of the samples.

    Returns
    -------
    regressor : sklearn.compose.TransformedTargetRegressor
        Two hidden layers of 128 units, thirty passes over the samples.

    Examples
    --------
    >>> from perfalign.flows import perceptron
    >>> standardise, network = perceptron(random_state=0).regressor
    >>> network.hidden_layer_sizes, network.max_iter
    ((128, 128), 30)
    """
    network = MLPRegressor(
        hidden_layer_sizes=(128, 128),
        batch_size=256,
        max_iter=30,
        random_state=random_state,
    )
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    )


def _coupled_rows(
    X: View, Y: View, coupling: Any, n_samples: int, rng: np.random.RandomState
) -> list[Array]:
    """Latents of the pairs that the coupling draws."""
    coupling = as_coupling(coupling)
    views = check_view(X, "X")[0], check_view(Y, "Y")[0]
    drawn = [np.asarray(rows) for rows in coupling.sample(n_samples, rng)]
    for name, rows, view in zip("XY", drawn, views):
        if rows.shape != (n_samples,) or rows.dtype.kind not in "iu":
            raise ValueError(
                f"The coupling draws, of {name}, an array of {rows.dtype} of "
                f"shape {rows.shape}; wanted {n_samples} row numbers."
            )
        mass = getattr(coupling, f"mass_{name}", None)
        least = max(rows.max() + 1, len(view))
        n_rows = least if mass is None else len(mass)
        if rows.min() < 0 or n_rows != len(view):
            raise ValueError(
                f"The coupling draws rows {rows.min()} to {rows.max()} of "
                f"{n_rows} rows of {name}, which has {len(view)}; wanted the "
                "coupling of these latents."
            )
    return [view[rows] for view, rows in zip(views, drawn)]


def _standard_units(drawn: Array) -> tuple[Array, Array]:
    """Mean and scale of the rows that are drawn at all; 0 of a constant."""
    # One that the coupling leaves where it is has no say.
    y = np.unique(drawn, axis=0)
    # A power of two changes no digit and keeps squares within range.
    size = np.ldexp(1.0, np.frexp(np.abs(y).max(axis=0))[1])
    # Of a data frame the order in memory, and so the rounding, is another.
    scaler = StandardScaler().fit(np.ascontiguousarray(y / size))
    # The scaler gives unit scale to what varies by rounding alone.
    varies = np.sqrt(scaler.var_) == scaler.scale_
    return size * scaler.mean_, size * np.where(varies, scaler.scale_, 0.0)


def _standardised(y: Array, mean: Array, scale: Array) -> Array:
    """Standard units; 0 in features that are constant."""
    return np.where(scale > 0, y - mean, 0) / np.where(scale > 0, scale, 1)
