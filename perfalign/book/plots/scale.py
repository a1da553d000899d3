"""Pictures of large data: how pieces merge, and what methods cost."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from perfalign._types import Floats
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    SMALL,
    VIEW,
    Figure,
    canvas,
    named_rows,
    note,
    panels,
    styled,
)


@styled
def merge_tree(n_pieces: int) -> Figure:
    """Pieces of rows, a summary of each, and their merging as a tree.

    Parameters
    ----------
    n_pieces : int
        From 1 to 16.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, ax = canvas(height=3.0, unit=0.1)
    left, right, top = 13.0, 54.0, 27.5
    step = (right - left) / n_pieces
    x = left + step * (np.arange(n_pieces) + 0.5)
    size = min(3.0, 0.62 * step)
    for place in x:
        _rows(ax, place, top, size)
    levels = int(np.ceil(np.log2(n_pieces)))
    drop = 15.0 / max(levels, 1)
    y = top - 9.0
    _draw_arrows(ax, x, top - 4.2, x, y + size / 2)
    names = [("rows", top - 1.6, BLACK), ("summaries", y, SHARED)]
    while True:
        for place in x:
            _triangle(ax, place, y, size)
        if len(x) == 1:
            break
        # An odd one out waits for the next level.
        merged = [np.mean(x[i : i + 2]) for i in range(0, len(x), 2)]
        target = np.repeat(merged, 2)[: len(x)]
        _draw_arrows(ax, x, y - size / 2, target, y - drop + size / 2)
        x, y = np.array(merged), y - drop
    if n_pieces > 1:
        names.append(("one summary", y, SHARED))
    for name, height, color in names:
        ax.text(11.0, height, name, color=color, ha="right", va="center")
    return fig


def _rows(ax: Axes, x: float, y: float, size: float) -> None:
    for line in range(4):
        height = y - 1.1 * line
        ax.plot(
            [x - size / 2, x + size / 2], [height, height], color=GREY, lw=2.4
        )


def _triangle(ax: Axes, x: float, y: float, size: float) -> None:
    right, top = x + size / 2, y + size / 2
    corners = [(right - size, top), (right, top), (right, top - size)]
    ax.fill(*zip(*corners), color=SHARED, lw=0, zorder=3)


def _draw_arrows(
    ax: Axes, x: Floats, y: float, targets: Floats, bottom: float
) -> None:
    for start, end in zip(x, targets):
        ax.annotate(
            "",
            (end, bottom),
            (start, y),
            arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 1},
        )


@styled
def accuracy_against_time(
    methods: Mapping[str, tuple[float, float]],
    *,
    xlabel: str,
    ylabel: str,
    marked: Collection[str] = (),
    floor: float = 1e-16,
) -> Figure:
    """Methods as points: how long they take, and how wrong they are.

    Parameters
    ----------
    methods : dict of str to (float, float)
        Time and error by name, both positive.
    xlabel, ylabel : str
        What the axes show, in words, with units.
    marked : sequence of str
        Methods drawn in purple; the others are black.
    floor : float, default=1e-16
        Where the axis of errors begins; smaller ones are drawn there.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, (ax,) = panels(height=3.9)
    times, errors = np.array(list(methods.values())).T
    errors = np.maximum(errors, floor)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=xlabel,
        ylabel=ylabel,
        xlim=(times.min() / 1.6, 12 * times.max()),
        ylim=(floor / 2, 5),
    )
    for name, time, error in zip(methods, times, errors):
        color = SHARED if name in marked else BLACK
        ax.plot(time, error, "o", ms=6, color=color, clip_on=False, zorder=10)
    fig.draw_without_rendering()
    spots = ax.transData.transform(np.column_stack([times, errors]))
    taken = [Bbox.from_extents(*(spot - 4), *(spot + 4)) for spot in spots]
    names, before = list(methods), 0.0
    # The rightmost has room beside it.
    for i in np.argsort(-times, kind="stable"):
        color = SHARED if names[i] in marked else BLACK
        style = {"va": "center", "fontsize": SMALL}
        note(ax, names[i], (times[i], errors[i]), (8, 0), color, **style)
        _raise(ax, taken, up=errors[i] > before)
        before = errors[i]
    return fig


def _raise(ax: Axes, taken: list[Bbox], up: bool, gap: float = 15) -> None:
    """Move the last label up or down, until nothing else is in its place."""
    label = ax.texts[-1]
    for level in range(2 * len(taken)):
        away = gap * ((level + 1) // 2)
        label.xyann = (8, away if up == (level % 2 == 1) else -away)
        box = label.get_window_extent()
        if box.y0 > ax.bbox.y0 and not box.count_overlaps(taken):
            break
    taken.append(box)


@styled
def times_beside(
    rows: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    notes: Mapping[str, str],
    others: Mapping[str, Sequence[float]] | None = None,
    marked: Collection[str] = (),
    yardstick: str,
) -> Figure:
    """Times divided by those of a yardstick: one line a row.

    Parameters
    ----------
    rows : dict of str to sequence of float
        Ratios of several rounds. The median is marked, quartiles are a bar.
    xlabel : str
    notes : dict of str to str
        What is written at the right, by row.
    others : dict of str to sequence of float, default=None
        Further ratios, small and grey, by row.
    marked : sequence of str
        Rows drawn in purple; the others are black.
    yardstick : str
        What takes the time 1.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, (ax,) = panels(height=0.36 * len(rows) + 1.0)
    ax.axvline(1, color=GREY, lw=1)
    for i, (name, ratios) in enumerate(rows.items()):
        color = SHARED if name in marked else BLACK
        grey = others[name] if others else []
        ax.plot(grey, [i] * len(grey), "|", ms=8, color=GREY)
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        ax.hlines(i, low, high, color=color, lw=5, alpha=0.35)
        ax.plot(middle, i, "o", ms=6, color=color)
        # All notes begin at the right edge, where nothing is drawn.
        ax.annotate(
            notes[name],
            (1, i),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            color=color,
            va="center",
            fontsize=SMALL,
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")
    named_rows(ax, rows, above=0.9)
    ax.set_xlabel(xlabel)
    note(ax, yardstick, (1, -0.7), (4, 0), MUTED, va="center", fontsize=SMALL)
    return fig


@styled
def rounding_errors(
    kinds: Mapping[str, Mapping[str, float | None]],
    *,
    xlabel: str,
    lost: str,
    marked: str,
) -> Figure:
    """Errors of several methods on several kinds of data, one line a kind.

    Parameters
    ----------
    kinds : dict of str to dict of str to float or None
        Errors by kind and method; None is a method that refuses.
    xlabel : str
    lost : str
        Method that is drawn as crosses, as it is beside the others.
    marked : str
        Method drawn in purple.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, (ax,) = panels(height=0.36 * len(kinds) + 1.6)
    styles = {lost: ("x", VIEW[1]), marked: ("o", SHARED)}
    plain = iter("D^s")
    for name in next(iter(kinds.values())):
        marker, color = styles.get(name) or (next(plain), GREY)
        found = [
            (kind[name], i)
            for i, kind in enumerate(kinds.values())
            if kind[name] is not None
        ]
        ax.plot(
            *zip(*found),
            marker,
            ms=7 if name in styles else 5,
            color=color,
            label=name,
            zorder=3 if name in styles else 2,
        )
    for i, methods in enumerate(kinds.values()):
        refusing = sum(error is None for error in methods.values())
        if refusing:
            spot = (max(e for e in methods.values() if e is not None), i)
            text = f"{refusing} refuse"
            style = {"ha": "right", "va": "center", "fontsize": 10}
            note(ax, text, spot, (-10, 0), MUTED, **style)
    ax.set_xscale("log")
    named_rows(ax, kinds)
    ax.set_xlabel(xlabel)
    fig.legend(loc="outside upper center", ncols=3, handletextpad=0.2)
    return fig


@styled
def descent_beside(
    noisy: Mapping[str, Sequence[float]],
    exact: Mapping[str, Sequence[float]],
    floor: float,
) -> Figure:
    """Errors of descent over its time, beside a closed form.

    Parameters
    ----------
    noisy : dict of str to sequence of float
        "times" of descent over those of the closed form, and "mean", "low"
        and "high" of how much larger its error is.
    exact : dict of str to sequence of float
        "times", and "errors" themselves.
    floor : float
        The closed form's error where an exact answer exists.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, (left, right) = panels(2, height=3.0)
    left.axhline(0, color=SHARED, lw=1.4)
    left.vlines(noisy["times"], noisy["low"], noisy["high"], color=GREY, lw=4)
    left.plot(noisy["times"], noisy["mean"], "o-", color=BLACK, ms=5, lw=1)
    left.set(ylabel="error above the closed form", title="noisy pairs")
    right.axhline(floor, color=SHARED, lw=1.4)
    right.plot(exact["times"], exact["errors"], "o-", color=BLACK, ms=5, lw=1)
    right.set(yscale="log", ylim=(floor / 30, 30), title="exact pairs")
    right.set(ylabel="error")
    for ax, times in ((left, noisy["times"]), (right, exact["times"])):
        ax.set(xscale="log", xlim=(0.5, 2 * max(times)))
        ax.set_xticks([1, 10], ["1", "10"])
        ax.set_xlabel("times of the closed form")
    style = {"ha": "left", "va": "bottom", "fontsize": 10}
    for ax, height in ((left, 0), (right, floor)):
        note(ax, "closed form", (0.5, height), (3, 3), SHARED, **style)
    start = noisy["times"][0], noisy["mean"][0]
    note(left, "descent", start, (8, 2), BLACK, **style)
    start = exact["times"][0], exact["errors"][0]
    note(right, "descent", start, (0, 6), BLACK, **style)
    return fig


@styled
def cost_of_width(
    widths: Sequence[int],
    ratios: Sequence[Sequence[float]],
    rates: Sequence[float],
    *,
    sources: Mapping[str, float],
) -> Figure:
    """What a pass costs where rows are wide, and who can feed it.

    Parameters
    ----------
    widths : sequence of int
        Features of both views.
    ratios : sequence of sequences of float
        Measured times of the pass over those of the yardstick, by width.
    rates : sequence of float
        Gigabytes that the pass takes in a second, by width.
    sources : dict of str to float
        Gigabytes a second that disks or networks deliver, by name.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(2, height=2.9)
    low, middle, high = np.array(
        [np.percentile(ratio, [25, 50, 75]) for ratio in ratios]
    ).T
    left, right = axes
    left.axhline(1, color=GREY, lw=1)
    left.vlines(widths, low, high, color=SHARED, lw=5, alpha=0.35)
    left.plot(widths, middle, "o-", color=SHARED, ms=5, lw=1)
    left.set(ylim=(0, 1.15 * max(high)), ylabel="time of a pass / dsyrk")
    # Below the line: no pass takes less.
    style = {"ha": "left", "va": "top", "fontsize": SMALL}
    note(left, "one Gram matrix", (widths[0], 1), (0, -3), MUTED, **style)
    end = 10 * widths[-1]
    for name, rate in sources.items():
        right.axhline(rate, color=GREY, lw=1)
        # Above the curve, which falls.
        style = {"ha": "right", "va": "bottom", "fontsize": SMALL}
        note(right, name, (end, rate), (0, 2), MUTED, **style)
    right.plot(widths, rates, "o-", color=SHARED, ms=5, lw=1)
    ends = [*rates, *sources.values()]
    right.set(yscale="log", ylim=(min(ends) / 1.5, 2 * max(ends)))
    right.set(ylabel="gigabytes a second", xlim=(widths[0] / 1.3, end))
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_formatter("")
    for ax in axes:
        ax.set(xscale="log", xlabel="features")
        ax.set_xticks(widths[::2], [f"{d}" for d in widths[::2]])
        ax.set_xticks([], minor=True)
    return fig
