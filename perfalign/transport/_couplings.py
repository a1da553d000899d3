r"""Couplings: how much of each source row goes with each target row.

A coupling of n₁ source and n₂ target latents holds a mass
:math:`\pi_{ij} \ge 0` for each pair. It is all that a map or a flow between
the two spaces learns from: it is asked for pairs, drawn in proportion to
their mass, and for what its quality can be judged by.
"""

from abc import ABC, abstractmethod

import numpy as np
from sklearn.utils import check_random_state

from perfalign._checks import (
    check_integer,
    check_labels,
    check_view,
    column_names,
)


class _Coupling(ABC):
    """What both kinds of coupling answer from the masses of rows.

    Their `mass_X` and `mass_Y` are the sums of the coupling over rows and
    over columns.
    """

    @property
    def moved_X(self):
        r"""Mass of each row of X, :math:`n_1 \sum_j \pi_{ij}`; 1 is all."""
        return self.mass_X * len(self.mass_X)

    @property
    def moved_Y(self):
        r"""Mass of each row of Y, :math:`n_2 \sum_i \pi_{ij}`; 1 is all."""
        return self.mass_Y * len(self.mass_Y)

    def marginal_violation(self):
        r"""How far rows and columns are from having all equal mass.

        Returns
        -------
        violation : tuple of two float
            :math:`\sum_i |\sum_j \pi_{ij} - 1/n_1|`, and the same for the
            columns. 0 for a balanced plan; 1 where nothing is moved.
        """
        return tuple(
            float(np.abs(mass - 1 / len(mass)).sum())
            for mass in (self.mass_X, self.mass_Y)
        )

    def transport(self, Y):
        r"""Mean partner of each source row, the barycentric projection.

        .. math:: T(x_i) = \sum_j \pi_{ij}\, y_j \Big/ \sum_j \pi_{ij}

        Parameters
        ----------
        Y : array-like of shape (n2, d2)
            The target latents that were coupled.

        Returns
        -------
        image : ndarray of shape (n1, d2)

        Raises
        ------
        ValueError
            If `Y` has another number of rows, or a source row has no mass
            and therefore no image.
        """
        Y, _ = check_view(Y, "Y")
        if len(Y) != len(self.mass_Y):
            raise ValueError(
                f"Y has {len(Y)} rows; the coupling has {len(self.mass_Y)} "
                "target rows."
            )
        idle = np.count_nonzero(self.mass_X == 0)
        if idle:
            raise ValueError(
                f"{idle} of {len(self.mass_X)} rows of X are not moved and "
                "have no image: leave out those whose moved_X is 0."
            )
        return self._sum_over_partners(Y) / self.mass_X[:, None]

    @abstractmethod
    def _sum_over_partners(self, Y):
        """The product of the coupling and Y."""


class TransportPlan(_Coupling):
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
    bridge_plan : computes one.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import TransportPlan
    >>> coupling = TransportPlan([[0.5, 0.0], [0.25, 0.25]])
    >>> i, j = coupling.sample(5, random_state=0)
    >>> bool(np.all(coupling.plan[i, j] > 0))
    True
    >>> print(coupling.transport([[0.0], [1.0]]))
    [[0. ]
     [0.5]]
    """

    def __init__(self, plan):
        plan = _masses(plan, "plan")
        self.plan = plan
        self.mass_X, self.mass_Y = plan.sum(axis=1), plan.sum(axis=0)

    def sample(self, n_samples, random_state=None):
        """Draw pairs in proportion to their mass.

        Parameters
        ----------
        n_samples : int
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        i, j : ndarray of int of shape (n_samples,)
            Row numbers into X and into Y.

        Notes
        -----
        Time O(n₁ n₂) at most, memory O(n₁ + n₂) beside the plan.
        """
        n_samples = check_integer(n_samples, "n_samples")
        rng = check_random_state(random_state)
        rows = _draw(self.mass_X, rng.random_sample(n_samples))
        where = rng.random_sample(n_samples)
        columns = np.empty(n_samples, dtype=int)
        for i in np.unique(rows):
            drawn = rows == i
            columns[drawn] = _draw(self.plan[i], where[drawn])
        return rows, columns

    def class_share(self, labels_X, labels_Y):
        """Share of the mass that joins rows of the same label.

        Parameters
        ----------
        labels_X : array-like of shape (n1,)
        labels_Y : array-like of shape (n2,)

        Returns
        -------
        share : float
            Between 0 and 1.
        """
        members_X, members_Y = _one_hot_pair(labels_X, labels_Y, self)
        joined = np.sum(members_X * (self.plan @ members_Y))
        return float(joined / self.plan.sum())

    def partner_share(self, partners):
        """Share of the mass that joins each row with its true partner.

        Parameters
        ----------
        partners : array-like of int of shape (n1,)
            The row of Y that shows the same item as each row of X.

        Returns
        -------
        share : float
            Between 0 and 1.
        """
        partners = _checked_partners(partners, self)
        joined = self.plan[np.arange(len(partners)), partners].sum()
        return float(joined / self.plan.sum())

    def _sum_over_partners(self, Y):
        return self.plan @ Y


class ClassCoupling(_Coupling):
    r"""A coupling through classes, of which no n₁ × n₂ array is formed.

    .. math::

        \pi_{ij} = \sum_c p(c)\, p(x_i \mid c)\, p(y_j \mid c), \qquad
        p(x_i \mid c) = \frac{p(c \mid x_i)}{\sum_l p(c \mid x_l)} , \qquad
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
    Memory is O((n₁ + n₂) C). This is setting 2, "memory-efficient alignment
    using labelled exemplars", of Gholamzadeh and Sajid 2025. Given its
    classes a row goes with all members alike: such a coupling knows nothing
    of single items.

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

    def __init__(self, probabilities_X, probabilities_Y):
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
        self.priors = of_X / len(P)
        # A class that X lacks is never drawn; whatever its members weigh.
        self.members_X = P / np.where(of_X > 0, of_X, 1)
        self.members_Y = Q / np.where(of_Y > 0, of_Y, 1)

    @classmethod
    def from_labels(cls, labels_X, labels_Y):
        """Couple rows that carry the same label.

        Parameters
        ----------
        labels_X : array-like of shape (n1,)
        labels_Y : array-like of shape (n2,)

        Returns
        -------
        coupling : ClassCoupling
            Its classes are the sorted labels of both sides.
        """
        return cls(*_one_hot(*check_label_pair(labels_X, labels_Y)))

    @property
    def mass_X(self):
        return self.members_X @ self.priors

    @property
    def mass_Y(self):
        return self.members_Y @ self.priors

    def sample(self, n_samples, random_state=None):
        """Draw a class, then a row of each side; as `TransportPlan.sample`.

        Time O((n₁ + n₂) C + n_samples log(n₁ n₂)).
        """
        n_samples = check_integer(n_samples, "n_samples")
        rng = check_random_state(random_state)
        c = _draw(self.priors, rng.random_sample(n_samples))
        pair = []
        for members in (self.members_X, self.members_Y):
            where = rng.random_sample(n_samples)
            rows = np.empty(n_samples, dtype=int)
            for k in np.unique(c):
                rows[c == k] = _draw(members[:, k], where[c == k])
            pair.append(rows)
        return tuple(pair)

    def class_share(self, labels_X, labels_Y):
        """Share of the mass on equal labels; as of a `TransportPlan`."""
        of_X, of_Y = _one_hot_pair(labels_X, labels_Y, self)
        shares = (self.members_X.T @ of_X) * (self.members_Y.T @ of_Y)
        return float(self.priors @ shares.sum(axis=1))

    def partner_share(self, partners):
        """Share of the mass on true partners; as of a `TransportPlan`."""
        partners = _checked_partners(partners, self)
        joined = self.members_X * self.members_Y[partners]
        return float(joined.sum(axis=0) @ self.priors)

    def _sum_over_partners(self, Y):
        return (self.members_X * self.priors) @ (self.members_Y.T @ Y)


def _draw(masses, where):
    """Positions in `masses` at the fractions `where` of their running sum."""
    steps = np.cumsum(masses)
    found = np.searchsorted(steps, where * steps[-1], side="right")
    # A fraction just below 1 may be rounded to the whole.
    return np.minimum(found, np.searchsorted(steps, steps[-1]))


def _masses(matrix, name, columns=None):
    matrix, _ = check_view(matrix, name, columns=columns)
    if matrix.min() < 0 or matrix.max() == 0:
        raise ValueError(
            f"{name}: numbers of at least 0 are wanted, not all 0; seen "
            f"{matrix.min():.3g} to {matrix.max():.3g}."
        )
    return matrix


def _probabilities(matrix, name, columns=None):
    matrix = _masses(matrix, name, columns)
    off = np.abs(matrix.sum(axis=1) - 1).max()
    if off > 1e-6:
        raise ValueError(
            f"{name}: rows must sum to 1; one is off by {off:.3g}."
        )
    return matrix


def _one_hot(labels_X, labels_Y):
    classes = np.union1d(labels_X, labels_Y)
    return [
        (labels[:, np.newaxis] == classes).astype(float)
        for labels in (labels_X, labels_Y)
    ]


def _one_hot_pair(labels_X, labels_Y, coupling):
    return _one_hot(
        *check_label_pair(
            labels_X, labels_Y, len(coupling.mass_X), len(coupling.mass_Y)
        )
    )


def check_label_pair(labels_X, labels_Y, n_X=None, n_Y=None):
    """Labels of both sides, of one kind, as many as there are rows."""
    pair = [
        check_labels(labels, np.shape(labels)[0] if n is None else n, name)
        for labels, n, name in (
            (labels_X, n_X, "labels_X"),
            (labels_Y, n_Y, "labels_Y"),
        )
    ]
    text = [labels.dtype.kind in "SU" for labels in pair]
    if text[0] != text[1]:
        raise ValueError(
            f"labels_X are {pair[0].dtype} and labels_Y {pair[1].dtype}; "
            "wanted strings on both sides, or numbers."
        )
    return pair


def _checked_partners(partners, coupling):
    n1, n2 = len(coupling.mass_X), len(coupling.mass_Y)
    rows = np.asarray(partners)
    if rows.dtype.kind not in "iu" or rows.shape != (n1,):
        raise ValueError(
            f"partners must be {n1} row numbers from 0 to {n2 - 1}; seen an "
            f"array of {rows.dtype} of shape {rows.shape}."
        )
    if rows.min() < 0 or rows.max() >= n2:
        raise ValueError(
            f"partners must be {n1} row numbers from 0 to {n2 - 1}; seen "
            f"{n1} from {rows.min()} to {rows.max()}."
        )
    return rows
