"""What a classifier makes of several draws for each item."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from perfalign._checks import check_estimator
from perfalign._types import Array, Integers

# Shares that differ by less are equal.
ROUNDING = 1e-9


def votes(head: Any, latents: Any) -> Array:
    r"""What a classifier makes of several draws for each item.

    .. math:: q_i(c) = \frac1S \sum_{s=1}^S \operatorname{head}_c(y_{si}),

    with the head's probabilities, or the shares of its decisions if it has
    no ``predict_proba``.

    Parameters
    ----------
    head : classifier
        Fitted on latents of this kind.
    latents : array-like of shape (n_draws, n_samples, d_2)
        As `ConditionalFlow.sample` returns them.

    Returns
    -------
    shares : ndarray of shape (n_samples, C)
        Columns in the order of ``head.classes_``; rows sum to 1.

    Notes
    -----
    Equal shares are left as they are. Whoever takes the first class of them
    favours it wherever few draws are unsure; `ModelBridge.predict` does not.

    Draws follow the flow's idea q of the class, and so a single one is right
    with probability :math:`\sum_c p(c)\, q(c)` only. Where q is the true
    posterior p, it errs up to twice as often as the vote of many, by the
    argument of Cover and Hart (1967) for the nearest neighbour.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from perfalign import votes
    >>> head = KNeighborsClassifier(1).fit([[0], [1]], ["no", "yes"])
    >>> print(votes(head, [[[0.1]], [[0.9]], [[0.8]], [[1.2]]]))
    [[0.25 0.75]]
    """
    return np.asarray(ballots_of(head, latents).mean(axis=0))


def ballots_of(head: Any, latents: Any) -> Array:
    """Shares of the classes, of shape (n_draws, n_samples, C)."""
    check_estimator(head, "head", ("predict", "classes_"))
    latents = np.asarray(latents, dtype=float)
    if latents.ndim != 3:
        raise ValueError(
            f"latents have shape {latents.shape}; wanted (n_draws, n_samples, "
            "d_2), as a flow draws them."
        )
    flat = latents.reshape(-1, latents.shape[2])
    if hasattr(head, "predict_proba"):
        ballots = nameless(head.predict_proba, flat)
    else:
        ballots = nameless(head.predict, flat)[:, np.newaxis] == head.classes_
    return np.asarray(ballots.reshape(*latents.shape[:2], -1))


def nameless(method: Callable[[Array], Any], latents: Array) -> Any:
    """What a part says of latents whose columns were checked in the fit."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature")
        return method(latents)


def winners(ballots: Array) -> Integers:
    """Classes with the most votes; the first draws decide between equals."""
    totals = ballots.mean(axis=0)
    leads = totals >= totals.max(axis=1, keepdims=True) - ROUNDING
    for ballot in ballots:
        best = np.max(ballot, axis=1, where=leads, initial=0, keepdims=True)
        leads &= ballot >= best - ROUNDING
    return np.asarray(leads.argmax(axis=1))
