"""Pictures of large data: how pieces merge, and what methods cost."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from perfalign._types import Array, Floats
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    Figure,
    canvas,
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
    pixels = ax.transData.transform(np.column_stack([times, errors]))
    points = pixels * 72 / fig.dpi
    for name, spot, rise in zip(methods, zip(times, errors), _rises(points)):
        color = SHARED if name in marked else BLACK
        note(ax, name, spot, (8, rise), color, va="center", fontsize=10)
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
    note(left, "one Gram matrix", (widths[0], 1), (0, 4), MUTED, fontsize=10)
    for name, rate in sources.items():
        right.axhline(rate, color=GREY, lw=1)
        # Away from the curve, which falls.
        if rate < np.median(rates):
            x, rise, side = widths[0], -3, {"ha": "left", "va": "top"}
        else:
            x, rise, side = widths[-1], 2, {"ha": "right", "va": "bottom"}
        note(right, name, (x, rate), (0, rise), MUTED, fontsize=10, **side)
    right.plot(widths, rates, "o-", color=SHARED, ms=5, lw=1)
    ends = [*rates, *sources.values()]
    right.set(yscale="log", ylim=(min(ends) / 1.5, 2 * max(ends)))
    right.set(ylabel="gigabytes a second")
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_formatter("")
    for ax in axes:
        ax.set(xscale="log", xlabel="features")
        ax.set_xticks(widths[::2], [f"{d}" for d in widths[::2]])
        ax.set_xticks([], minor=True)
    return fig


def _rises(points: Array, gap: float = 15, reach: float = 200) -> Array:
    """How far to raise the label at the right of each point.

    Of neighbours at nearly one height the rightmost keeps its label beside
    it. The others' go above or below, to their own side if there is room.
    """
    levels = np.zeros(len(points), dtype=int)
    for i in np.argsort(-points[:, 0]):
        right, up = (points - points[i]).T
        near = (0 < right) & (right < reach) & (np.abs(up) < gap)
        if near.any():
            side = -1 if up[near].mean() > 0 else 1
            levels[i] = next(
                level
                for step in range(1, len(points) + 1)
                for level in (side * step, -side * step)
                if level not in levels[near]
            )
    return gap * levels
