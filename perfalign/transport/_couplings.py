"""Couplings as a matrix and through classes."""

from typing import Any

import numpy as np

from perfalign._checks import check_view, column_names
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, View
from perfalign.transport._base import Coupling, Rows, one_hot


class TransportPlan(Coupling):
    r"""A coupling held as the matrix of its masses.

    Parameters
    ----------
    plan : array-like of shape (n1, n2)
        Masses :math:`\pi_{ij} \ge 0`, not all 0.

    Raises
    ------
    ValueError
        If `plan` is not a finite matrix, a mass is negative, or all are 0.

    See Also
    --------
    transport_plan : computes one.

    Notes
    -----
    Drawing takes time O(n₁ n₂) at most, and memory O(n₁ + n₂) beside the
    plan.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import TransportPlan
    >>> coupling = TransportPlan([[0.5, 0.0], [0.25, 0.25]])
    >>> i, j = coupling.sample(5, random_state=0)
    >>> bool(np.all(coupling.plan[i, j] > 0))
    True
    >>> print(coupling.barycentric([[0.0], [1.0]]))
    [[0. ]
     [0.5]]
    """

    def __init__(self, plan: View) -> None:
        self.plan = _at_least_zero(plan, "plan")
        self.mass_X, self.mass_Y = self.plan.sum(axis=1), self.plan.sum(axis=0)

    def _pairs(self, n_samples: int, rng: np.random.RandomState) -> Rows:
        rows = at_fractions(self.mass_X, rng.random_sample(n_samples))
        return rows, _drawn_by(rows, self.plan, rng)

    def _masses(self, i: Integers, j: Integers) -> Array:
        return self.plan[i, j]

    def _product(self, Y: Array) -> Array:
        return self.plan @ Y


class ClassCoupling(Coupling):
    r"""A coupling through classes, of which no n₁ × n₂ array is formed.

    .. math::

        \pi_{ij} & = \sum_c p(c)\, p(x_i \mid c)\, p(y_j \mid c), \\
        p(x_i \mid c) & = \frac{p(c \mid x_i)}{\sum_l p(c \mid x_l)} , \qquad
        p(c) = \frac1{n_1} \sum_i p(c \mid x_i) .

    Every source row has mass 1/n₁. Of a target row it takes what the source's
    share of its classes asks for.

    Parameters
    ----------
    probabilities_X : array-like of shape (n1, n_classes)
        :math:`p(c \mid x_i)`, from ``predict_proba`` of a classifier of the
        source latents, or from `bridge_profile`. Rows sum to 1.
    probabilities_Y : array-like of shape (n2, n_classes)
        The same of the target, with the classes in the same order.

    Attributes
    ----------
    priors : ndarray of shape (n_classes,)
        p(c).

    Raises
    ------
    ValueError
        If rows are no probabilities, the numbers of classes differ, or a
        class of the source has no mass in the target.

    Notes
    -----
    Memory is O((n₁ + n₂) C), and drawing takes time
    O((n₁ + n₂) C + n_samples log(n₁ n₂)). This is setting 2,
    "memory-efficient alignment using labelled exemplars", of Gholamzadeh and
    Sajid 2025. Given its classes a row goes with all members alike: such a
    coupling knows nothing of single items.

    Examples
    --------
    >>> from perfalign import ClassCoupling
    >>> coupling = ClassCoupling.from_labels(["a", "b", "b"], ["b", "a"])
    >>> coupling.class_share(["a", "b", "b"], ["b", "a"])
    1.0
    >>> i, j = coupling.sample(4, random_state=0)
    >>> i.shape, j.shape
    ((4,), (4,))
    """

    @one_blas_thread
    def __init__(self, probabilities_X: View, probabilities_Y: View) -> None:
        classes = column_names(probabilities_X, "probabilities_X")
        P = _probabilities(probabilities_X, "probabilities_X")
        Q = _probabilities(probabilities_Y, "probabilities_Y", classes)
        if P.shape[1] != Q.shape[1]:
            raise ValueError(
                f"probabilities_X are of {P.shape[1]} classes and "
                f"probabilities_Y of {Q.shape[1]}; wanted the same classes."
            )
        of_X, of_Y = P.sum(axis=0), Q.sum(axis=0)
        empty = np.flatnonzero((of_X > 0) & (of_Y == 0))
        if len(empty):
            raise ValueError(
                f"Class {', '.join(map(str, empty))} has mass in X and none "
                "in Y: leave its rows out of X."
            )
        self.priors: Array = of_X / len(P)
        # A class that X lacks is never drawn; whatever its members weigh.
        self.members_X: Array = P / np.where(of_X > 0, of_X, 1)
        self.members_Y: Array = Q / np.where(of_Y > 0, of_Y, 1)
        self.mass_X = self.members_X @ self.priors
        self.mass_Y = self.members_Y @ self.priors

    @classmethod
    @one_blas_thread
    def from_labels(cls, labels_X: Any, labels_Y: Any) -> "ClassCoupling":
        """Couple rows that carry the same label.

        Parameters
        ----------
        labels_X : array-like of shape (n1,)
        labels_Y : array-like of shape (n2,)

        Returns
        -------
        coupling : ClassCoupling
            Its classes are the sorted labels of both sides.

        Raises
        ------
        ValueError
            If a label is missing, labels are strings on one side and numbers
            on the other, or a label of X is none of Y.
        """
        n_rows = np.shape(labels_X)[0], np.shape(labels_Y)[0]
        return cls(*one_hot(labels_X, labels_Y, n_rows))

    def _pairs(self, n_samples: int, rng: np.random.RandomState) -> Rows:
        drawn = at_fractions(self.priors, rng.random_sample(n_samples))
        return (
            _drawn_by(drawn, self.members_X.T, rng),
            _drawn_by(drawn, self.members_Y.T, rng),
        )

    def _masses(self, i: Integers, j: Integers) -> Array:
        return (self.members_X[i] * self.members_Y[j]) @ self.priors

    def _product(self, Y: Array) -> Array:
        return (self.members_X * self.priors) @ (self.members_Y.T @ Y)


def as_coupling(coupling: Any) -> Any:
    """What can be sampled as it is; a plain matrix as a `TransportPlan`.

    Parameters
    ----------
    coupling : Coupling, array-like of shape (n1, n2) or object
        A coupling; a matrix of masses, such as POT returns; or whatever has
        a method ``sample(n_samples, random_state)`` that returns row numbers
        into X and into Y.

    Returns
    -------
    coupling : Coupling or object

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> from perfalign.transport import as_coupling
    >>> coupling = as_coupling([[0.25, 0.25], [0.0, 0.5]])
    >>> type(coupling).__name__, coupling.marginal_violation()
    ('TransportPlan', (0.0, 0.5))
    >>> as_coupling(coupling) is coupling
    True
    """
    # A data frame samples its own rows: it is a matrix here.
    if isinstance(coupling, (list, tuple)) or hasattr(coupling, "__array__"):
        return TransportPlan(coupling)
    if not callable(getattr(coupling, "sample", None)):
        raise ValueError(
            "The coupling must be a TransportPlan, a ClassCoupling or a "
            f"matrix of masses; {type(coupling).__name__} has no method "
            "sample(n_samples, random_state)."
        )
    return coupling


def _drawn_by(
    given: Integers, masses: Array, rng: np.random.RandomState
) -> Integers:
    """For each given row of the masses one of its places, drawn by them."""
    where = rng.random_sample(len(given))
    found = np.empty(len(given), dtype=int)
    for row in np.unique(given):
        mine = given == row
        found[mine] = at_fractions(masses[row], where[mine])
    return found


def at_fractions(masses: Array, fractions: Array) -> Integers:
    """Positions in `masses` at these fractions of their running sum."""
    steps = np.cumsum(masses)
    found = np.searchsorted(steps, fractions * steps[-1], side="right")
    # A fraction just below 1 may be rounded to the whole.
    return np.asarray(found.clip(max=np.searchsorted(steps, steps[-1])))


def _at_least_zero(matrix: View, name: str, columns: Any = None) -> Array:
    masses, _ = check_view(matrix, name, columns=columns)
    if masses.min() < 0 or masses.max() == 0:
        raise ValueError(
            f"{name}: numbers of at least 0 are wanted, not all 0; seen "
            f"{masses.min():.3g} to {masses.max():.3g}."
        )
    return masses


def _probabilities(matrix: View, name: str, columns: Any = None) -> Array:
    masses = _at_least_zero(matrix, name, columns)
    off = np.abs(masses.sum(axis=1) - 1).max()
    if off > 1e-6:
        raise ValueError(
            f"{name}: rows must sum to 1; one is off by {off:.3g}."
        )
    return masses
