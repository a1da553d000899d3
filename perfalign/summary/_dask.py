"""Summaries of Dask arrays, one a partition, merged as a tree."""

import numpy as np


def tree_summary(summary_of, arrays):
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

    @dask.delayed
    def partial(views):
        # Filtered arrays may have partitions without rows.
        return summary_of(views) if any(map(len, views)) else None

    @dask.delayed
    def merge(pair):
        left, right = pair
        if left is None or right is None:
            return left or right
        return left.merge(right)

    columns = [array.to_delayed().ravel() for array in _aligned(arrays)]
    layer = [partial(list(views)) for views in zip(*columns)]
    while len(layer) > 1:
        pairs = zip(layer[::2], layer[1::2])
        odd = layer[len(layer) // 2 * 2 :]
        layer = [merge(pair) for pair in pairs] + odd
    summary = layer[0].compute()
    if summary is None:
        raise ValueError("The arrays have no rows.")
    return summary


def _aligned(arrays):
    """The arrays, cut into the same rows and uncut along the columns."""
    for m, array in enumerate(arrays):
        if not hasattr(array, "to_delayed") or np.ndim(array) != 2:
            raise ValueError(
                f"view {m} is of type {type(array).__name__}; wanted a Dask "
                "array of shape (n_samples, n_features)."
            )
    lengths = [array.shape[0] for array in arrays]
    parts = [array.numblocks[0] for array in arrays]
    arrays = [array.rechunk({1: -1}) for array in arrays]
    if np.isnan(lengths).any():
        # Rows of such partitions can only be counted when they are read.
        if len(set(parts)) > 1:
            raise ValueError(
                "Partitions of unknown length must be paired one by one; "
                f"seen {parts} of them. Call compute_chunk_sizes() first."
            )
        return arrays
    if len(set(lengths)) > 1:
        raise ValueError(
            "All views must describe the same samples, row by row; seen "
            + ", ".join(f"view {m}: {n} rows" for m, n in enumerate(lengths))
            + "."
        )
    rows = arrays[0].chunks[0]
    return [array.rechunk({0: rows}) for array in arrays]
