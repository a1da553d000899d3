"""Names: of views, of their columns, of their rows.

Whoever has given names to things expects them to be heard. Here it is decided
whether two tables speak of the same things.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: So many cases are listed in a message.
SHOWN = 3


@dataclass(frozen=True)
class Signature:
    """What makes views the same views.

    Whoever fits something to views keeps the signature of them, and asks it
    what later views must have in common with these.

    Parameters
    ----------
    n_features : tuple of int
        Columns of each view.
    feature_names : tuple of (tuple of str, or None)
        Their names, of views that came as data frames.
    view_names : tuple of str, or None
        Names of the views, if they came as a dict.

    Examples
    --------
    >>> from perfalign.summary import Signature
    >>> views = {"seen": [[1, 2], [3, 4]], "heard": [[5], [6]]}
    >>> signature = Signature.of(views)
    >>> signature.n_features, signature.position("heard")
    ((2, 1), 1)
    >>> signature.in_order({"heard": [[7]], "seen": [[8, 9]]})
    [[[8, 9]], [[7]]]
    """

    n_features: tuple[int, ...]
    feature_names: tuple[tuple[str, ...] | None, ...]
    view_names: tuple[str, ...] | None = None

    @classmethod
    def of(cls, views: Any) -> "Signature":
        """Signature of views.

        Parameters
        ----------
        views : list or dict of array-like of shape (n_samples, n_features_m)
            Only shapes and names are read.

        Returns
        -------
        signature : Signature

        Raises
        ------
        ValueError
            If views are neither a list nor a dict, names are no strings, or
            one occurs twice.
        """
        views, names = as_list(views)
        return cls(
            tuple(int(np.shape(view)[1]) for view in views),
            tuple(map(column_names, views)),
            names,
        )

    def __len__(self) -> int:
        return len(self.n_features)

    def wanted(self, position: int) -> dict[str, Any]:
        """What is wanted of the view at a position.

        Parameters
        ----------
        position : int

        Returns
        -------
        wanted : dict
            ``n_features``, and the names of ``columns`` or None.
        """
        return {
            "n_features": self.n_features[position],
            "columns": self.feature_names[position],
        }

    @property
    def feature_names_in(self) -> list[NDArray[np.object_] | None]:
        """Names of columns as scikit-learn keeps them, an array a view."""
        return [
            None if names is None else np.array(names, dtype=object)
            for names in self.feature_names
        ]

    def feature_names_of(self, position: int) -> NDArray[np.object_]:
        """Names of the columns of one view, as scikit-learn keeps them.

        Parameters
        ----------
        position : int

        Returns
        -------
        names : ndarray of str

        Raises
        ------
        AttributeError
            If the view has none.
        """
        names = self.feature_names_in[position]
        if names is None:
            raise AttributeError("The fit has seen no names of columns.")
        return names

    def only(self, position: int) -> "Signature":
        """Signature of one of the views, without its name.

        Parameters
        ----------
        position : int

        Returns
        -------
        signature : Signature
        """
        return Signature(
            (self.n_features[position],), (self.feature_names[position],)
        )

    def position(self, view: Any, kind: str = "view") -> int:
        """Position of a view that is given by position or by name.

        Parameters
        ----------
        view : int or str
        kind : str, default="view"
            How error messages call a view.

        Returns
        -------
        position : int

        Raises
        ------
        ValueError
            If there is no such view.
        """
        names = self.view_names or ()
        whole = isinstance(view, (int, np.integer))
        if whole and not isinstance(view, bool) and 0 <= view < len(self):
            return int(view)
        if isinstance(view, str) and view in names:
            return names.index(view)
        called = f" or called {quoted(names)}" if names else ""
        raise ValueError(
            f"There is no {kind} {view!r}; there are {len(self)}, "
            f"numbered from 0 to {len(self) - 1}{called}."
        )

    def name(self, position: int) -> str | int:
        """Name of a view; its position if views have no names.

        Parameters
        ----------
        position : int

        Returns
        -------
        name : str or int
        """
        return self.view_names[position] if self.view_names else position

    def in_order(self, views: Any) -> list[Any]:
        """Views as a list in this order.

        Parameters
        ----------
        views : list or dict of array-like
            A dict is taken by name, a list by position.

        Returns
        -------
        views : list of array-like

        Raises
        ------
        ValueError
            If they have names that are missing here, or other names, or if
            there are more or fewer.
        """
        if isinstance(views, Mapping) and self.view_names is None:
            raise ValueError(
                f"Seen a dict of views, {quoted(views)}; wanted a list of "
                f"{len(self)}, as in the fit, which gave them no names."
            )
        listed, _ = as_list(views, self.view_names)
        if len(listed) != len(self):
            raise ValueError(
                f"Seen {len(listed)} views; wanted {len(self)}, as in the fit."
            )
        return listed

    def as_given(self, parts: Iterable[Any], views: Any) -> Any:
        """One part a view: a dict by name where the views came as one.

        Parameters
        ----------
        parts : iterable of object
            In this order.
        views : list or dict of array-like
            As they were given.

        Returns
        -------
        parts : list or dict of object
        """
        if isinstance(views, Mapping):
            return dict(zip(self.view_names or (), parts))
        return list(parts)

    def joined(self, other: "Signature") -> "Signature":
        """Signature of these views and of further samples of them.

        Names of columns that only one of both has are kept.

        Parameters
        ----------
        other : Signature

        Returns
        -------
        signature : Signature

        Raises
        ------
        ValueError
            If numbers of features or names differ.
        """
        if self.n_features != other.n_features:
            raise ValueError(
                f"Seen {self.n_features} and {other.n_features} features; "
                "wanted the same views."
            )
        pairs = list(zip(self.feature_names, other.feature_names))
        for m, (wanted, seen) in enumerate(pairs):
            check_names(seen, wanted, f"view {m}")
        names = self.view_names
        if names != other.view_names:
            raise ValueError(
                f"Seen views with the names {quoted(other.view_names or [])}; "
                f"wanted {quoted(names or [])}."
            )
        return Signature(
            self.n_features, tuple(a or b for a, b in pairs), names
        )


def as_list(
    views: Any,
    view_names: Sequence[str] | None = None,
    what: str = "views",
    of: str = "matrices",
) -> tuple[list[Any], tuple[str, ...] | None]:
    """Views as a list, and their names.

    Parameters
    ----------
    views : list, tuple or dict of str to view
        A dict is taken by name, a list by position.
    view_names : sequence of str, default=None
        The names wanted, in order; those of the dict, as they come, if None.
    what, of : str
        How error messages call them, and each of them.

    Returns
    -------
    views : list
    names : tuple of str or None
        None for a list.

    Raises
    ------
    ValueError
        If views are something else, or names are no strings, missing or
        unknown.
    """
    if isinstance(views, (list, tuple)):
        return list(views), None
    if not isinstance(views, Mapping):
        raise ValueError(
            f"{what} must be a list of {of}, one a view, or a dict of "
            f"them by name; seen {type(views).__name__}."
        )
    if not all(isinstance(name, str) for name in views):
        raise ValueError(
            f"Names of {what} must be strings; seen {quoted(views)}."
        )
    names = tuple(views if view_names is None else view_names)
    if set(views) != set(names):
        raise ValueError(
            f"Seen {what} with the names {quoted(views)}; wanted "
            f"{quoted(names)}." + _differences(list(views), list(names))
        )
    return [views[name] for name in names], names


def column_names(view: Any, name: str = "view") -> tuple[str, ...] | None:
    """Names of a data frame's columns.

    Parameters
    ----------
    view : object
    name : str
        How error messages call this view.

    Returns
    -------
    names : tuple of str or None
        None if it is no data frame or its columns are numbered.

    Raises
    ------
    ValueError
        If some names are strings and others are not, or one occurs twice.
    """
    if not is_frame(view):
        return None
    names = tuple(view.columns)
    strings = [isinstance(column, str) for column in names]
    if not any(strings):
        return None
    if not all(strings):
        raise ValueError(
            f"{name}: some names of columns are strings and some are not: "
            f"{quoted(names)}. Wanted strings, or numbers alone."
        )
    twice = [column for column, n in Counter(names).items() if n > 1]
    if twice:
        raise ValueError(
            f"{name}: more than one column is called {quoted(twice)}. Wanted "
            "a name for each."
        )
    return tuple(map(str, names))


def without_row_labels(view: Any) -> Any:
    """The view, without the index of a data frame."""
    if _row_labels(view) is None:
        return view
    return view.reset_index(drop=True)


def is_frame(view: Any) -> bool:
    """Whether it is a data frame, of whatever library."""
    return hasattr(view, "columns") and hasattr(view, "dtypes")


def check_names(
    seen: Sequence[str] | None, wanted: Sequence[str] | None, name: str
) -> None:
    """Raise if columns have other names than wanted, where both have some."""
    if seen is None or wanted is None or tuple(seen) == tuple(wanted):
        return
    seen, wanted = list(map(str, seen)), list(map(str, wanted))
    if Counter(seen) == Counter(wanted):
        j = next(j for j in range(len(seen)) if seen[j] != wanted[j])
        raise ValueError(
            f"{name} has the columns of the fit in another order: column {j} "
            f"is {seen[j]!r}; wanted {wanted[j]!r}. Put them in the order of "
            f"the fit, `view[[{', '.join(map(repr, wanted[:SHOWN]))}"
            f"{', …' if len(wanted) > SHOWN else ''}]]`."
        )
    raise ValueError(
        f"{name} has other columns than in the fit."
        + _differences(seen, wanted)
    )


def _differences(seen: list[str], wanted: list[str]) -> str:
    missing = list((Counter(wanted) - Counter(seen)).elements())
    new = list((Counter(seen) - Counter(wanted)).elements())
    return (
        f" Missing: {quoted(missing)}; new: {quoted(new)}."
        if missing or new
        else ""
    )


def quoted(names: Iterable[object]) -> str:
    """Names for a message, the first dozen of them."""
    listed = list(map(repr, names))
    shown = ", ".join(listed[: 4 * SHOWN])
    more = len(listed) - 4 * SHOWN
    return (shown or "none") + (f" and {more} more" if more > 0 else "")


def _row_labels(view: Any) -> Any:
    """The index of a data frame or series; None if it has none."""
    index = getattr(view, "index", None)
    return index if hasattr(index, "get_indexer") else None


def labelled(views: Sequence[Any]) -> Any:
    """The first of the views whose rows have labels; None if none has."""
    return next((X for X in views if _row_labels(X) is not None), None)


def check_row_labels(views: Iterable[Any], names: Iterable[str]) -> None:
    """Raise if labels of rows, which say what is a pair, contradict it."""
    labelled = [
        (name, index)
        for name, index in zip(names, map(_row_labels, views))
        if index is not None
    ]
    for name, index in labelled[1:]:
        first, wanted = labelled[0]
        if index.equals(wanted):
            continue
        seen, wanted = list(map(repr, index)), list(map(repr, wanted))
        rows = [i for i in range(len(seen)) if seen[i] != wanted[i]]
        shown = "; ".join(
            f"row {i} is {wanted[i]} in {first} and {seen[i]} in {name}"
            for i in rows[:SHOWN]
        )
        if Counter(seen) == Counter(wanted):
            advice = (
                "They are the same rows in another order: bring them into "
                "one, `other = other.loc[one.index]`."
            )
        else:
            advice = (
                "If row i of one does belong to row i of the other, drop "
                "the labels, `reset_index(drop=True)`, of both."
            )
        raise ValueError(
            f"Labels of rows differ in {len(rows)} of {len(seen)} places: "
            f"{shown}. {advice}"
        )
