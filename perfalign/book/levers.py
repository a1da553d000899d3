"""Handles of the two maps that need no mouse: sliders and boxes."""

from dataclasses import replace
from typing import Any

import ipywidgets as widgets

from perfalign.book.city import OWN, State

#: By its name, what a handle changes of a state, and what it is called.
HANDLES: dict[str, dict[tuple[Any, ...], str]] = {
    "pairs": {("pairs",): "pairs"},
    "own": {("own", m): f"own signals of map {m + 1}" for m in (0, 1)},
    "noise": {("noise",): "noise"},
    "shuffle": {("shift",): "shuffle the pairs"},
    "silent": {
        ("silent",): "a silent channel",
        ("lean",): "turn one row to it",
    },
    "turn": {("turn",): "turn both maps"},
    "gauge": {
        ("gauge", i, j): f"arrow {i + 1}, {way}"
        for i in (0, 1)
        for j, way in enumerate(("across", "up"))
    },
}
RANGES = {
    "own": (0, OWN),
    "noise": (0.0, 1.0),
    "lean": (0, 90),
    "turn": (-180, 180),
    "gauge": (-2.0, 2.0),
}


def make_levers(
    handle: str, start: State, limits: tuple[int, int]
) -> list[tuple[Any, tuple[Any, ...]]]:
    """Widgets of a handle, each with the path to what it moves."""
    return [
        (_widget(name, path, start, limits), path)
        for path, name in HANDLES[handle].items()
    ]


def _widget(
    name: str, path: tuple[Any, ...], start: State, limits: tuple[int, int]
) -> Any:
    key, *rest = path
    value = getattr(start, key)
    for step in rest:
        value = value[step]
    if key in ("shift", "silent"):
        return widgets.Checkbox(bool(value), description=name)
    low, high = limits if key == "pairs" else RANGES[key]
    kind = widgets.FloatSlider if isinstance(low, float) else widgets.IntSlider
    wide = {"description_width": "initial"}
    return kind(value, min=low, max=high, description=name, style=wide)


def moved(state: State, path: tuple[Any, ...], value: Any) -> State:
    """The state with one of its handles elsewhere."""
    key, *rest = path
    return replace(state, **{key: _put(getattr(state, key), rest, value)})


def _put(tree: Any, path: list[Any], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    return tuple(
        _put(branch, rest, value) if i == first else branch
        for i, branch in enumerate(tree)
    )
