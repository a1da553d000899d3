r"""Couplings: how much of each source row goes with each target row.

A coupling :math:`\pi \ge 0` of n₁ source and n₂ target latents is all that a
flow or a map between the two spaces learns from. It is asked for pairs,
drawn in proportion to their mass, and for what its quality can be judged by.
"""

import numpy as np
from sklearn.utils import (
    check_array,
    check_random_state,
)


class TransportPlan:
    r"""A coupling held as the matrix of its masses.

    Parameters
    ----------
    plan : array-like of shape (n1, n2)
        Masses :math:`\pi_{ij} \ge 0`, not all 0.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import TransportPlan
    >>> coupling = TransportPlan([[0.5, 0.0], [0.25, 0.25]])
    >>> i, j = coupling.sample(5, random_state=0)
    >>> bool(np.all(coupling.plan[i, j] > 0))
    True
    """

    def __init__(self, plan):
        self.plan = check_array(plan, dtype=np.float64)
        if self.plan.min() < 0 or self.plan.sum() == 0:
            raise ValueError(
                "plan: masses must be at least 0, and not all 0; seen a "
                f"smallest one of {self.plan.min():.3g} and a sum of "
                f"{self.plan.sum():.3g}."
            )

    def sample(self, n_samples, random_state=None):
        """Draw row numbers (i, j) in proportion to the mass of the pairs."""
        rng = check_random_state(random_state)
        mass = self.plan.sum(axis=1)
        rows = rng.choice(len(mass), size=n_samples, p=mass / mass.sum())
        where = rng.random_sample(n_samples)
        columns = np.empty(n_samples, dtype=int)
        # Row by row, so that no second array of n1 x n2 is made.
        for i in np.unique(rows):
            drawn = rows == i
            columns[drawn] = _draw(self.plan[i], where[drawn])
        return rows, columns

    def class_share(self, labels_X, labels_Y):
        """Share of the mass that joins rows of the same label."""
        same = np.asarray(labels_X)[:, None] == np.asarray(labels_Y)
        return float(self.plan[same].sum() / self.plan.sum())


class ClassCoupling:
    r"""A coupling through classes, of which no n₁ × n₂ array is formed.

    .. math:: \pi_{ij} = \sum_c p(c)\, p(x_i \mid c)\, p(y_j \mid c)
    """

    def __init__(self, probabilities_X, probabilities_Y):
        P = check_array(probabilities_X, dtype=np.float64)
        Q = check_array(probabilities_Y, dtype=np.float64)
        self.priors = P.mean(axis=0)
        self.members_X = P / P.sum(axis=0)
        self.members_Y = Q / Q.sum(axis=0)

    @classmethod
    def from_labels(cls, labels_X, labels_Y):
        """Couple rows that carry the same label."""
        classes = np.union1d(labels_X, labels_Y)
        return cls(
            *(
                (np.asarray(labels)[:, None] == classes).astype(float)
                for labels in (labels_X, labels_Y)
            )
        )

    def sample(self, n_samples, random_state=None):
        """Draw row numbers (i, j) in proportion to the mass of the pairs."""
        rng = check_random_state(random_state)
        c = rng.choice(len(self.priors), size=n_samples, p=self.priors)
        pair = []
        for members in (self.members_X, self.members_Y):
            where = rng.random_sample(n_samples)
            rows = np.empty(n_samples, dtype=int)
            for k in np.unique(c):
                rows[c == k] = _draw(members[:, k], where[c == k])
            pair.append(rows)
        return tuple(pair)


def _draw(masses, where):
    """Positions in `masses` at the fractions `where` of their running sum."""
    steps = np.cumsum(masses)
    return np.searchsorted(steps, where * steps[-1], side="right")
