"""What every entrance of the package asks of its views."""

import numpy as np
from sklearn.utils import check_array

FLOAT64_EPS = np.finfo(np.float64).eps

#: Numbers that are checked and converted at a time.
SLAB = 2**20


def check_view(view, name, *, n_features=None):
    """Return `view` as a finite float64 matrix and the precision it came in.

    Parameters
    ----------
    view : array-like of shape (n_samples, n_features)
        Real numbers; a data frame will do.
    name : str
        How error messages call this view.
    n_features : int, default=None
        Number of columns wanted; any if None.

    Returns
    -------
    view : ndarray of float64
    eps : float
        Relative rounding error of the type in which the numbers were stored.

    Raises
    ------
    ValueError
        For anything else than a non-empty matrix of finite real numbers, or
        when the number of columns is not the one wanted.
    """
    try:
        view = check_array(view, dtype="numeric")
        stored = view.dtype
        if stored != np.float64:
            # A list holding None passes the first check as objects.
            view = check_array(view, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from error
    if n_features is not None and view.shape[1] != n_features:
        raise ValueError(
            f"{name} has shape {view.shape}, but {n_features} features (the "
            "number of columns) are wanted, as in the fit."
        )
    eps = FLOAT64_EPS
    if np.issubdtype(stored, np.floating):
        eps = max(eps, float(np.finfo(stored).eps))
    return view, eps


def check_views(views, *, n_features=None):
    """Validate two or more paired views of the same samples.

    Parameters
    ----------
    views : list of array-like of shape (n_samples, n_features_m)
        Row i of every view belongs to the same item.
    n_features : sequence of int, default=None
        The column counts wanted; any if None.

    Returns
    -------
    views : list of ndarray of float64
    eps : float
        The coarsest precision among the views.

    Raises
    ------
    ValueError
        Says which view, what was seen and what was wanted.
    """
    n_features = _check_list(views, n_features)
    checked, eps = zip(
        *(
            check_view(view, f"view {m}", n_features=d_m)
            for m, (view, d_m) in enumerate(zip(views, n_features))
        )
    )
    _check_lengths(checked)
    return list(checked), max(eps)


def view_slabs(views, *, n_features=None):
    """Validate paired views as `check_views` does, some rows at a time.

    Arrays on disk are never read into memory as a whole.

    Yields
    ------
    rows : slice
    views : list of ndarray of float64
        These rows of all views.
    eps : float
    """
    n_features = _check_list(views, n_features)
    names = [f"view {m}" for m in range(len(views))]
    yield from slabs(views, names, n_features)


def slabs(views, names, n_features):
    """As `view_slabs`, for any number of matrices with names."""
    sources, eps = zip(*map(_sliceable, views, names, n_features))
    _check_lengths(sources)
    step = max(SLAB // max(sum(view.shape[1] for view in sources), 1), 1)
    for start in range(0, max(len(sources[0]), 1), step):
        rows = slice(start, start + step)
        parts, stored = zip(
            *(
                check_view(view[rows], name, n_features=d_m)
                for view, name, d_m in zip(sources, names, n_features)
            )
        )
        yield rows, list(parts), max(eps + stored)


def _sliceable(view, name, n_features):
    """Arrays as they are; whatever else may hold a view, converted."""
    if isinstance(view, np.ndarray) and view.ndim == 2:
        return view, FLOAT64_EPS
    return check_view(view, name, n_features=n_features)


def _check_list(views, n_features):
    """The column counts wanted of a list of views; None for any."""
    if not isinstance(views, (list, tuple)):
        raise ValueError(
            "views must be a list of matrices, one a modality; seen "
            f"{type(views).__name__}."
        )
    if len(views) < 2:
        raise ValueError(
            f"Alignment needs at least two views; seen {len(views)}."
        )
    if n_features is None:
        n_features = [None] * len(views)
    elif len(views) != len(n_features):
        raise ValueError(
            f"Seen {len(views)} views; wanted {len(n_features)}, as in the "
            "fit."
        )
    return n_features


def _check_lengths(views):
    lengths = [len(view) for view in views]
    if len(set(lengths)) > 1:
        raise ValueError(
            "All views must describe the same samples, row by row; seen "
            + ", ".join(f"view {m}: {n} rows" for m, n in enumerate(lengths))
            + "."
        )
