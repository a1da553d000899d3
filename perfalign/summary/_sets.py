"""Sets of items, each with the views that its items have."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse.csgraph import connected_components

from perfalign._checks import Signature, named
from perfalign._types import Array
from perfalign.summary._pass import Pass
from perfalign.summary._reflections import reduced
from perfalign.summary._stacked import StackedSummary

#: Views that some items have, by number or by name.
Subset: TypeAlias = tuple[Any, ...]
#: The same by position, each with the summary of these items.
Placed: TypeAlias = list[tuple[tuple[int, ...], StackedSummary]]


def summarised(
    observed: Any, sample_weight: Any
) -> dict[Subset, StackedSummary]:
    """The summary of each set that has items."""
    if not isinstance(observed, Mapping) or not observed:
        raise ValueError(
            "Wanted a dict from views to the data of the items that have "
            "them, as in {(0, 1): (X, Y), (0, 1, 2): (X2, Y2, W2)}; seen "
            f"{observed!r:.60}."
        )
    weights = {} if sample_weight is None else sample_weight
    if not isinstance(weights, Mapping) or not set(weights) <= set(observed):
        raise ValueError(
            "sample_weight must be a dict with keys of the observed sets; "
            f"seen {weights!r:.60}."
        )
    found = {
        key: _summary(key, data, weights.get(key))
        for key, data in observed.items()
    }
    # Without items there is nothing to summarise yet.
    return {key: one for key, one in found.items() if one is not None}


def _summary(key: Any, data: Any, weights: Any) -> StackedSummary | None:
    _check_key(key)
    if isinstance(data, StackedSummary) and weights is None:
        n_views = len(data.n_features)
    else:
        n_views = len(data) if isinstance(data, (list, tuple)) else -1
    if n_views != len(key):
        seen = type(data).__name__ if n_views < 0 else n_views
        raise ValueError(
            f"set {key}: wanted {len(key)} matrices, one a view, or the "
            f"summary of them, which has its weights; seen {seen}."
        )
    if isinstance(data, StackedSummary):
        if isinstance(key[0], str) and data.view_names not in (None, key):
            raise ValueError(
                f"set {key}: seen a summary of {data.view_names}; wanted the "
                "same views in this order."
            )
        return replace(data, view_names=None)
    names = [f"set {key}, view {view!r}" for view in key]
    run = Pass()
    try:
        run.add(list(data), weights, names)
    except ValueError as error:
        raise named(error, f"set {key}") from error
    return StackedSummary(**run.fields()) if run.triangle else None


def _check_key(key: Any) -> None:
    views = key if isinstance(key, tuple) else ()
    numbers = all(
        isinstance(m, (int, np.integer)) and not isinstance(m, bool) and m >= 0
        for m in views
    )
    called = all(isinstance(m, str) for m in views)
    if not views or len(set(views)) < len(views) or not (numbers or called):
        raise ValueError(
            f"set {key!r}: wanted a tuple of different views, by their "
            "numbers from 0 or by their names."
        )


def common_signature(
    sets: Iterable[tuple[Subset, StackedSummary]],
) -> Signature:
    """What all sets with a view must agree on."""
    seen: dict[Any, tuple[Subset, int]] = {}
    names: dict[Any, tuple[Subset, tuple[str, ...]]] = {}
    for key, summary in sets:
        for m, d_m, columns in zip(
            key, summary.n_features, summary.signature.feature_names
        ):
            first, wanted = seen.setdefault(m, (key, d_m))
            if d_m != wanted:
                raise ValueError(
                    f"set {key}: view {m!r} has {d_m} features; wanted "
                    f"{wanted}, as in set {first}."
                )
            if columns is not None:
                first, known = names.setdefault(m, (key, columns))
                if columns != known:
                    raise ValueError(
                        f"set {key}: the columns of view {m!r} are "
                        f"{', '.join(columns)}; wanted {', '.join(known)}, "
                        f"as in set {first}."
                    )
    order = list(seen)
    if len({isinstance(view, str) for view in order}) > 1:
        raise ValueError(
            f"Seen the views {', '.join(map(repr, order))}; wanted numbers "
            "or names for all."
        )
    called = isinstance(order[0], str)
    if not called:
        order.sort()
        missing = sorted(set(range(max(order))).difference(order))
        if missing:
            raise ValueError(
                f"view {missing[0]} is in no set, but there is a view "
                f"{max(order)}: views are numbered without gaps from 0."
            )
    return Signature(
        tuple(seen[m][1] for m in order),
        tuple(names[m][1] if m in names else None for m in order),
        tuple(order) if called else None,
    )


def check_sets(
    sets: dict[Subset, StackedSummary], signature: Signature
) -> None:
    """Raise unless the sets differ and join all views."""
    if len(signature) < 2:
        raise ValueError("Alignment needs at least two views; seen 1.")
    earlier: dict[frozenset[Any], Subset] = {}
    for key in sets:
        first = earlier.setdefault(frozenset(key), key)
        if first != key:
            raise ValueError(
                f"set {key}: the set {first} is there too; wanted the items "
                "with these views in one set."
            )
    has = np.zeros((len(sets), len(signature)))
    for row, (places, _) in zip(has, placed(sets, signature)):
        row[list(places)] = 1
    n_parts, part = connected_components(has.T @ has)
    if n_parts > 1:
        apart = next(
            key for key, row in zip(sets, has) if part[row > 0].min() > 0
        )
        raise ValueError(
            f"set {apart}: no chain of sets joins its views to view "
            f"{signature.name(0)!r}; seen the sets "
            f"{', '.join(map(str, sets))}. Views that nothing joins cannot be "
            "aligned."
        )


def placed(
    sets: dict[Subset, StackedSummary], signature: Signature, least: int = 1
) -> Placed:
    """The sets of so many views, which are given by position."""
    return [
        (tuple(map(signature.position, key)), summary)
        for key, summary in sets.items()
        if len(key) >= least
    ]


def of_views(
    placed: Placed, parts: Callable[[StackedSummary], Iterable[Any]]
) -> list[list[Any]]:
    """For each view, its parts of all sets that have it, in their order."""
    found: dict[int, list[Any]] = {}
    for places, summary in placed:
        for m, part in zip(places, parts(summary)):
            found.setdefault(m, []).append(part)
    return [found[m] for m in sorted(found)]


def counts(placed: Placed) -> list[list[float]]:
    """For each view, how many items with it each set has that has it."""
    return of_views(placed, lambda s: [s.n_samples] * len(s.n_features))


def unit_contrasts(summary: StackedSummary) -> Array:
    """Those of a set, by which its latents of one view alone cost 1."""
    scaled: Array = summary.contrasts / len(summary.contrasts) ** 0.5
    return scaled


def factor(
    joint: Placed,
    n_features: tuple[int, ...],
    center: bool = True,
) -> Array:
    """Factor of the rows of all sets."""
    ends = np.cumsum(n_features)
    factors = []
    for places, summary in joint:
        contrasts, blocks = unit_contrasts(summary), summary.blocks(center)
        rows = np.zeros((len(contrasts) * len(blocks[0]), ends[-1]))
        for m, column, block in zip(places, contrasts.T, blocks):
            columns = slice(ends[m] - n_features[m], ends[m])
            rows[:, columns] = np.kron(column[:, np.newaxis], block)
        factors.append(rows)
    return reduced(np.vstack(factors))
