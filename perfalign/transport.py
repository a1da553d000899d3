r"""Optimal transport of all latents of one space to those of another.

Balanced, where every latent has to go somewhere, or unbalanced, where some
may stay; exact or regularised. POT solves all of it.
"""

import warnings

import numpy as np
import ot
from sklearn.exceptions import ConvergenceWarning

from perfalign._validation import check_view
from perfalign.couplings import TransportPlan

# exp(-700) is about the smallest number with full precision.
UNDERFLOW = 700
TOLERANCE = 1e-6


def bridge_plan(
    cost, *, marginal_penalty=np.inf, divergence="tv", regularisation=0.0
):
    r"""Couple all rows of X with all rows of Y at least cost.

    .. math::

        \min_{\pi \ge 0} \; \langle \pi, C \rangle
        + \lambda \left[ D(\pi 1, \tfrac1{n_1}) + D(\pi^\top 1, \tfrac1{n_2})
        \right] + \varepsilon \operatorname{KL}(\pi, \tfrac1{n_1 n_2}) .

    Balanced transport, λ = ∞, moves every row. With a finite penalty rows
    may stay where they are: those that would go too far, of a class that the
    other side lacks.

    Parameters
    ----------
    cost : array-like of shape (n1, n2)
        From `gluing_cost`, `relational_cost` or elsewhere; at least 0.
    marginal_penalty : float, default=inf
        λ, in units of the cost. See `typical_penalty`.
    divergence : {"tv", "kl"}, default="tv"
        How missing mass is counted. With the total variation
        :math:`\sum_i |\mu_i - \nu_i|` each row left out has the price λ, and
        no way dearer than 2 λ is gone. The Kullback–Leibler divergence lets
        all rows lose mass gradually, and gain it.
    regularisation : float, default=0.0
        ε, in units of the cost. 0 is the exact optimum, which moves few pairs
        (at most n₁ + n₂ − 1 when balanced); more spreads the mass and is
        faster on many rows.

    Returns
    -------
    coupling : TransportPlan

    Raises
    ------
    ValueError
        If the cost is not a finite matrix of numbers of at least 0, an
        argument is out of its range, or ε is below 1/700 of the largest cost,
        where exponentials underflow.

    Warns
    -----
    ConvergenceWarning
        If the iterations end before the marginals are right.

    Notes
    -----
    Solved by POT: network simplex (exact, about O(n³)), Sinkhorn's iterations
    (O(n₁ n₂) each), and for KL majorisation–minimisation or scaling (Chizat et
    al. 2018). Total variation is a balanced problem with one more row and
    column, "nowhere", at the price λ; what stays counts in its entropy too.

    References
    ----------
    L. Chizat, G. Peyré, B. Schmitzer and F.-X. Vialard 2018, Scaling
    algorithms for unbalanced optimal transport problems, Mathematics of
    Computation 87(314), 2563–2609.

    Examples
    --------
    >>> from perfalign import bridge_plan
    >>> cost = [[0.1, 0.9], [0.8, 0.7]]
    >>> print(bridge_plan(cost).plan)
    [[0.5 0. ]
     [0.  0.5]]
    >>> print(bridge_plan(cost, marginal_penalty=0.3).moved_X)
    [1. 0.]
    """
    cost = _checked_cost(cost)
    _check_plan(cost, marginal_penalty, divergence, regularisation)
    a, b = (np.full(n, 1 / n) for n in cost.shape)
    if np.isinf(marginal_penalty):
        return TransportPlan(_balanced(a, b, cost, regularisation))
    if divergence == "tv":
        nowhere = np.pad(cost, (0, 1), constant_values=float(marginal_penalty))
        nowhere[-1, -1] = 0
        plan = _balanced(
            np.append(a, 1), np.append(b, 1), nowhere, regularisation
        )[:-1, :-1]
    elif regularisation == 0:
        plan = ot.unbalanced.mm_unbalanced(
            a, b, cost, marginal_penalty, numItermax=2000, stopThr=1e-9
        )
    else:
        plan = ot.unbalanced.sinkhorn_unbalanced(
            a, b, cost, regularisation, marginal_penalty, numItermax=10000
        )
    return _plan_that_moves(plan, marginal_penalty)


def typical_penalty(cost):
    r"""A marginal penalty that asks for no label.

    .. math:: \lambda = \tfrac12\, \operatorname{median}_i \,
              n_1 \sum_j \pi_{ij} C_{ij}

    with π the exact balanced plan: with this penalty, no row goes further
    than the median row must if all have to go.

    Parameters
    ----------
    cost : array-like of shape (n1, n2)

    Returns
    -------
    penalty : float
        For ``bridge_plan(cost, marginal_penalty=...)`` with total variation.

    Raises
    ------
    ValueError
        As `bridge_plan`.

    Notes
    -----
    Ours. Rows are left out whether or not a class is missing, about two in
    five: that is its price.

    Examples
    --------
    >>> from perfalign import typical_penalty
    >>> print(f"{typical_penalty([[0.1, 0.9], [0.8, 0.7]]):.2f}")
    0.20
    """
    coupling = bridge_plan(cost)
    paid = np.sum(coupling.plan * np.asarray(cost, dtype=float), axis=1)
    return float(np.median(paid) * len(paid) / 2)


def _balanced(a, b, cost, regularisation):
    if regularisation == 0:
        return ot.emd(a, b, cost, numItermax=10**7)
    plan = ot.sinkhorn(
        a, b, cost, regularisation, numItermax=10000, warn=False
    )
    off = np.abs(plan.sum(axis=1) - a).sum() + np.abs(plan.sum(0) - b).sum()
    if not off < TOLERANCE:
        warnings.warn(
            f"Sinkhorn's iterations ended early: {off:.2g} of the mass is in "
            "the wrong place. Take a larger regularisation, or 0, which is "
            "exact.",
            ConvergenceWarning,
            stacklevel=3,
        )
    return plan


def _plan_that_moves(plan, marginal_penalty):
    if plan.max() == 0:
        raise ValueError(
            "Nothing is moved: every way is dearer than the penalty "
            f"{marginal_penalty:.3g} allows."
        )
    return TransportPlan(plan)


def _check_plan(cost, marginal_penalty, divergence, regularisation):
    if not marginal_penalty > 0:
        raise ValueError(
            f"marginal_penalty must be above 0; seen {marginal_penalty!r}."
        )
    if divergence not in ("tv", "kl"):
        raise ValueError(
            f"divergence must be 'tv' or 'kl'; seen {divergence!r}."
        )
    largest = cost.max()
    if not np.isinf(marginal_penalty):
        largest = max(largest, marginal_penalty)
    if regularisation != 0 and not largest / UNDERFLOW <= regularisation:
        raise ValueError(
            f"regularisation must be 0 or at least {largest / UNDERFLOW:.2g}, "
            f"1/{UNDERFLOW} of the largest cost; seen {regularisation!r}."
        )


def _checked_cost(cost):
    cost, _ = check_view(cost, "cost")
    if cost.min() < 0:
        raise ValueError(f"cost must be at least 0; seen {cost.min():.3g}.")
    return cost
