r"""What every coupling answers, in whatever form it holds its masses."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from perfalign._checks import check_integer, check_labels, check_view
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, RandomState, View

#: Row numbers into X and into Y.
Rows = tuple[Integers, Integers]


class Coupling(ABC):
    r"""How much of each source row goes with each target row.

    A coupling of n₁ source and n₂ target latents gives each pair a mass
    :math:`\pi_{ij} \ge 0`. It is all that a map or a flow between the two
    spaces learns from: it is asked for pairs, drawn in proportion to their
    mass, and for what its quality can be judged by.

    A coupling of one's own is a subclass that sets `mass_X` and `mass_Y`, of
    any positive sum, and has

    - ``_pairs(n_samples, rng)``, which draws with a `numpy.random.RandomState`
      and returns two arrays of so many row numbers, into X and into Y;
    - ``_masses(i, j)``, the :math:`\pi_{ij}` of given rows, one a pair;
    - ``_product(Y)``, the matrix product of π and an array of n₂ rows.

    The checks and all else that is asked of a coupling follow.

    Attributes
    ----------
    mass_X : ndarray of shape (n1,)
        Sums over the rows of π.
    mass_Y : ndarray of shape (n2,)
        Sums over its columns.

    See Also
    --------
    TransportPlan : holds the matrix.
    ClassCoupling : goes through classes.

    Examples
    --------
    Rows that are known to be pairs, without a matrix:

    >>> import numpy as np
    >>> from perfalign.transport import Coupling
    >>> class Pairs(Coupling):
    ...     def __init__(self, n):
    ...         self.mass_X = self.mass_Y = np.full(n, 1 / n)
    ...     def _pairs(self, n_samples, rng):
    ...         i = rng.randint(len(self.mass_X), size=n_samples)
    ...         return i, i
    ...     def _masses(self, i, j):
    ...         return (i == j) / len(self.mass_X)
    ...     def _product(self, Y):
    ...         return Y / len(self.mass_X)
    >>> pairs = Pairs(4)
    >>> i, j = pairs.sample(100, random_state=0)
    >>> bool(np.all(i == j)), pairs.partner_share([0, 1, 3, 2])
    (True, 0.5)
    """

    mass_X: Array
    mass_Y: Array

    @one_blas_thread
    def sample(self, n_samples: int, random_state: RandomState = None) -> Rows:
        """Draw pairs in proportion to their mass.

        Parameters
        ----------
        n_samples : int
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        i, j : ndarray of int of shape (n_samples,)
            Row numbers into X and into Y.

        Raises
        ------
        ValueError
            If `n_samples` is not an integer of at least 1.
        """
        n_samples = check_integer(n_samples, "n_samples")
        return self._pairs(n_samples, check_random_state(random_state))

    @abstractmethod
    def _pairs(self, n_samples: int, rng: np.random.RandomState) -> Rows:
        """What `sample` returns."""

    @abstractmethod
    def _masses(self, i: Integers, j: Integers) -> Array:
        """Masses of pairs of rows."""

    @abstractmethod
    def _product(self, Y: Array) -> Array:
        """The product of π and Y."""

    @property
    def moved_X(self) -> Array:
        r"""Mass of each row of X, :math:`n_1 \sum_j \pi_{ij}`; 1 is all."""
        return self.mass_X * len(self.mass_X)

    @property
    def moved_Y(self) -> Array:
        r"""Mass of each row of Y, :math:`n_2 \sum_i \pi_{ij}`; 1 is all."""
        return self.mass_Y * len(self.mass_Y)

    @one_blas_thread
    def marginal_violation(self) -> tuple[float, float]:
        r"""How far rows and columns are from having all equal mass.

        Returns
        -------
        violation : tuple of two float
            :math:`\sum_i |\sum_j \pi_{ij} - 1/n_1|`, and the same for the
            columns. 0 for a balanced plan; 1 where nothing is moved.
        """
        off_X, off_Y = (
            float(np.abs(mass - 1 / len(mass)).sum())
            for mass in (self.mass_X, self.mass_Y)
        )
        return off_X, off_Y

    @one_blas_thread
    def barycentric(self, Y: View) -> Array:
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
        return self._product(Y) / self.mass_X[:, np.newaxis]

    @one_blas_thread
    def class_share(self, labels_X: Any, labels_Y: Any) -> float:
        """Share of the mass that joins rows of the same label.

        Parameters
        ----------
        labels_X : array-like of shape (n1,)
        labels_Y : array-like of shape (n2,)

        Returns
        -------
        share : float
            Between 0 and 1.

        Raises
        ------
        ValueError
            If there is not one label a row, or labels are strings on one side
            and numbers on the other.
        """
        n_rows = len(self.mass_X), len(self.mass_Y)
        members_X, members_Y = one_hot(labels_X, labels_Y, n_rows)
        goes_to = self._product(members_Y)
        return float(np.sum(members_X * goes_to) / np.sum(goes_to))

    @one_blas_thread
    def partner_share(self, partners: Any) -> float:
        """Share of the mass that joins each row with its true partner.

        Parameters
        ----------
        partners : array-like of int of shape (n1,)
            The row of Y that shows the same item as each row of X.

        Returns
        -------
        share : float
            Between 0 and 1.

        Raises
        ------
        ValueError
            If partners are not n1 row numbers of Y.
        """
        n1, n2 = len(self.mass_X), len(self.mass_Y)
        j = np.asarray(partners)
        wanted = f"partners must be {n1} row numbers from 0 to {n2 - 1}"
        if j.dtype.kind not in "iu" or j.shape != (n1,):
            raise ValueError(
                f"{wanted}; seen an array of {j.dtype} of shape {j.shape}."
            )
        if j.min() < 0 or j.max() >= n2:
            raise ValueError(
                f"{wanted}; seen {n1} from {j.min()} to {j.max()}."
            )
        joined = self._masses(np.arange(n1), j).sum()
        return float(joined / self.mass_X.sum())


def check_label_pair(labels_X: Any, labels_Y: Any, n_rows: Any) -> Any:
    """Labels of both sides, of one kind, as many as there are rows."""
    of_X = check_labels(labels_X, n_rows[0], "labels_X")
    of_Y = check_labels(labels_Y, n_rows[1], "labels_Y")
    if (of_X.dtype.kind in "SU") != (of_Y.dtype.kind in "SU"):
        raise ValueError(
            f"labels_X are {of_X.dtype} and labels_Y {of_Y.dtype}; wanted "
            "strings on both sides, or numbers."
        )
    return of_X, of_Y


def one_hot(labels_X: Any, labels_Y: Any, n_rows: Any) -> list[Array]:
    """Rows × all labels of both sides; 1 where a row has the label."""
    pair = check_label_pair(labels_X, labels_Y, n_rows)
    classes = np.union1d(*pair)
    return [(of[:, np.newaxis] == classes).astype(float) for of in pair]
