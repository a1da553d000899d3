"""What a gauge is found for and from: an alignment, and items in its views."""

from typing import Any, TypeVar

import numpy as np

from perfalign._checks import check_row_labels
from perfalign._linalg import column_norms, singular_values
from perfalign._types import Array, Views
from perfalign.alignment import LinearAlignment

Linear = TypeVar("Linear", bound=LinearAlignment)


def check_alignment(
    alignment: Any,
    wanted: type[LinearAlignment] = LinearAlignment,
    lacks: str = "",
) -> None:
    """Raise unless an alignment is of the wanted kind, and fitted.

    Parameters
    ----------
    alignment : object
    wanted : type, default=LinearAlignment
    lacks : str
        What those of another kind have not, for the message.

    Raises
    ------
    ValueError
        Names the class of what was given.
    sklearn.exceptions.NotFittedError
        If it is of the wanted kind, and nothing was fitted.
    """
    if isinstance(alignment, wanted):
        alignment.check_fitted()
        return
    if isinstance(alignment, type):
        seen = f"the class {alignment.__name__}, not an object of it"
    else:
        seen = f"of type {type(alignment).__name__}, which has no {lacks}"
    inside = getattr(alignment, "alignment_", None)
    hint = "; perhaps its alignment_, which is one"
    raise ValueError(
        f"alignment is {seen}; wanted a fitted {wanted.__name__}"
        f"{hint * isinstance(inside, wanted)}."
    )


def latents_of_given(alignment: LinearAlignment, views: Views) -> list[Array]:
    """Latents of the items in each of the views that are given.

    Raises
    ------
    ValueError
        If the alignment is not a linear one, no view is given, or those that
        are do not show the same items.
    """
    check_alignment(
        alignment, lacks="linear encoders that a gauge could be composed with"
    )
    like = alignment.signature_
    given = [
        (m, view)
        for m, view in enumerate(like.in_order(views))
        if view is not None
    ]
    names = [f"view {like.name(m)!r}" for m, _ in given]
    latents = [
        alignment.transform_view(view, m).astype(np.float64, copy=False)
        for m, view in given
    ]
    if len(set(map(len, latents))) != 1:
        seen = [f"{name}: {len(z)} rows" for name, z in zip(names, latents)]
        raise ValueError(
            "At least one view must be given, and all given must show the "
            f"same items; seen {', '.join(seen) or 'none'}."
        )
    check_row_labels([view for _, view in given], names)
    return latents


def noise_of_mean(alignment: LinearAlignment, latents: list[Array]) -> Array:
    """Covariance of what is noise in the mean of the latents.

    It is what views of one item disagree by: of those that are given or, if
    there is one alone, those of the fit.
    """
    n_views = len(latents)
    if n_views > 1:
        apart = np.concatenate(latents - np.mean(latents, axis=0))
        return np.asarray(apart.T @ apart / (n_views - 1) / len(apart))
    summary = alignment.summary_
    blocks = summary.blocks(alignment.center_)
    parts = [b @ A.T for b, A in zip(blocks, alignment.encoders_)]
    apart = np.concatenate(np.tensordot(summary.contrasts, parts, 1))
    freedom = len(summary.contrasts) * summary.n_observations
    return np.asarray(apart.T @ apart / freedom)


def independent(points: Array, rtol: float) -> int:
    """How many dimensions points span, whatever the units of their columns.

    Parameters
    ----------
    points : ndarray of shape (n_points, k)
    rtol : float
        A smaller share of the largest singular value counts for nothing.

    Returns
    -------
    rank : int
    """
    size = column_norms(points)
    sizes = singular_values(points / np.where(size > 0, size, 1.0))
    return int(np.count_nonzero(sizes > rtol * sizes[0]))
