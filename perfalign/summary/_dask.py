"""Summaries of Dask arrays, one a partition, merged as a tree."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from perfalign._checks import check_lengths

Summary = TypeVar("Summary")


def tree_summary(
    summary_of: Callable[[list[Any]], Summary], arrays: Sequence[Any]
) -> Summary:
    """Merge what `summary_of` makes of each partition of paired arrays.

    Parameters
    ----------
    summary_of : callable
        Takes a list of views, returns a summary that can be merged.
    arrays : list of dask.array.Array of shape (n_samples, n_features_m)

    Returns
    -------
    summary : object
    """
    try:
        import dask
    except ImportError as error:
        raise ImportError(
            "from_dask needs Dask: pip install 'perfalign[dask]'."
        ) from error

    def partial(views: list[Any]) -> Any:
        # Filtered arrays may have partitions without rows.
        return summary_of(views) if any(map(len, views)) else None

    def merge(pair: tuple[Any, Any]) -> Any:
        left, right = pair
        return left.merge(right) if left and right else left or right

    delayed: Any = vars(dask)["delayed"]
    columns = [array.to_delayed().ravel() for array in _aligned(arrays)]
    layer = [delayed(partial)(list(views)) for views in zip(*columns)]
    while len(layer) > 1:
        pairs = zip(layer[::2], layer[1::2])
        odd = layer[len(layer) // 2 * 2 :]
        layer = [delayed(merge)(pair) for pair in pairs] + odd
    summary: Summary | None = layer[0].compute()
    if summary is None:
        raise ValueError("The arrays have no rows.")
    return summary


def _aligned(arrays: Sequence[Any]) -> list[Any]:
    """The arrays, cut into the same rows and uncut along the columns."""
    for m, array in enumerate(arrays):
        if not hasattr(array, "to_delayed") or np.ndim(array) != 2:
            raise ValueError(
                f"view {m} is of type {type(array).__name__}; wanted a Dask "
                "array of shape (n_samples, n_features)."
            )
    lengths = [array.shape[0] for array in arrays]
    parts = [array.numblocks[0] for array in arrays]
    uncut = [array.rechunk({1: -1}) for array in arrays]
    if np.isnan(lengths).any():
        # Rows of such partitions can only be counted when they are read.
        if len(set(parts)) > 1:
            raise ValueError(
                "Partitions of unknown length must be paired one by one; "
                f"seen {parts} of them. Call compute_chunk_sizes() first."
            )
        return uncut
    check_lengths(lengths, [f"view {m}" for m in range(len(arrays))])
    rows = arrays[0].chunks[0]
    return [array.rechunk({0: rows}) for array in uncut]
