"""Pictures of two spaces that have only a few bridges in common."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    METHODS,
    MUTED,
    SHARED,
    VIEW,
    Figure,
    label_ends,
    named_rows,
    new_figure,
    note,
    panels,
    styled,
    tidy,
)
from perfalign.model_selection import resampled_interval
from perfalign.transport import as_coupling

_DOT = {"ls": "", "marker": "o", "ms": 4, "mew": 0}


@styled
def glued(
    spaces: Sequence[Array],
    bridges: Sequence[Array],
    *,
    way: tuple[int, int, int] | None = None,
    names: Sequence[str] = ("source", "target"),
) -> Figure:
    """Two spaces side by side, and the bridges between them.

    Parameters
    ----------
    spaces : list of two ndarray of shape (n_m, 2)
        Latents of either space. Each keeps its shape; their scales and
        places on the page say nothing.
    bridges : list of two ndarray of shape (B, 2)
        Exemplars in either space; row b of both is a pair.
    way : tuple of three int, default=None
        Row of a source latent, bridge, row of a target latent: drawn as a
        black way over that bridge, which is measured inside the spaces and
        not across the page.
    names : pair of str, default=("source", "target")

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, ax, (left, right) = _side_by_side(spaces, names)
    for z, place, color in zip(spaces, (left, right), VIEW, strict=False):
        ax.plot(*place(z).T, color=color, alpha=0.45, **_DOT)
    here, there = left(bridges[0]), right(bridges[1])
    ax.add_collection(_lines(here, there, SHARED, 1.2, 2))
    for ends in (here, there):
        ax.plot(*ends.T, color=SHARED, **{**_DOT, "ms": 6.5, "mew": 1})
    if way is not None:
        i, b, j = way
        x, y = left(spaces[0][[i]]), right(spaces[1][[j]])
        for a, c in ((x, here[[b]]), (here[[b]], there[[b]]), (there[[b]], y)):
            ax.add_collection(_lines(a, c, BLACK, 2.2, 4))
        for spot, name in ((x[0], "x"), (y[0], "y")):
            ax.plot(*spot, color=BLACK, zorder=5, **{**_DOT, "ms": 8})
            note(ax, name, spot, (7, -13), BLACK, fontsize=13)
    return fig


@styled
def transported(
    spaces: Sequence[Array],
    coupling: Any,
    *,
    labels: Sequence[ArrayLike] | None = None,
    names: Sequence[str] = ("source", "target"),
) -> Figure:
    """Where a coupling sends each source latent.

    A line goes from each source latent to the target latent that gets most
    of it. Latents of which less than half is moved are hollow and have none.

    Parameters
    ----------
    spaces : list of two ndarray of shape (n_m, 2)
    coupling : TransportPlan or matrix of masses of shape (n_1, n_2)
    labels : list of two array-like of shape (n_m,), default=None
        Classes: lines to another class are thick and black, the others
        thin and grey.
    names : pair of str, default=("source", "target")

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, ax, (left, right) = _side_by_side(spaces, names)
    x, y = left(spaces[0]), right(spaces[1])
    coupling = as_coupling(coupling)
    goal = coupling.plan.argmax(axis=1)
    gone = coupling.moved_X > 0.5
    wrong = np.zeros(len(x), dtype=bool)
    if labels is not None:
        wrong = np.asarray(labels[0]) != np.asarray(labels[1])[goal]
    for who, color, thick, level in (
        (gone & ~wrong, GREY, 0.6, 1),
        (gone & wrong, BLACK, 1.5, 2),
    ):
        ax.add_collection(_lines(x[who], y[goal[who]], color, thick, level))
    ax.plot(*y.T, color=VIEW[1], zorder=3, **_DOT)
    ax.plot(*x[gone].T, color=VIEW[0], zorder=3, **_DOT)
    hollow = {**_DOT, "mfc": "white", "mec": VIEW[0], "mew": 1.1}
    ax.plot(*x[~gone].T, zorder=4, **hollow)
    return fig


@styled
def cost_maps(
    u: ArrayLike,
    v: ArrayLike,
    costs: Mapping[str, Array],
    *,
    bridges: Array,
    truth: Array,
) -> Figure:
    """Where a source latent may go cheaply in a plane of targets.

    Parameters
    ----------
    u, v : array-like of shape (n_u,) and (n_v,)
        Coordinates of the target points, ascending.
    costs : dict of str to ndarray of shape (n_v, n_u)
        Costs from one source latent, by the title of the panel. The shades
        go by rank, since units may differ: black is the cheapest hundredth
        of the plane, and each shade doubles it.
    bridges : ndarray of shape (B, 2)
        Exemplars in the target space, drawn as rings.
    truth : array-like of shape (2,)
        Where the source latent belongs, drawn as a cross.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(len(costs), height=3.1, sharex=True, sharey=True)
    for ax, (title, cost) in zip(axes, costs.items(), strict=True):
        levels = np.quantile(cost, [0, *0.01 * 2.0 ** np.arange(7), 1])
        # Ties at the cheapest would make an empty band.
        levels = np.unique(levels)
        greys = np.linspace(0.1, 0.95, len(levels) - 1).astype(str)
        ax.contourf(u, v, cost, levels=levels, colors=list(greys))
        ring = {"mfc": "none", "mec": "white", "mew": 4, "ms": 9}
        ax.plot(*np.transpose(bridges), **{**_DOT, **ring})
        ring = {**ring, "mec": SHARED, "mew": 2}
        ax.plot(*np.transpose(bridges), **{**_DOT, **ring})
        for color, width in (("white", 5), (VIEW[1], 2.5)):
            ax.plot(*truth, "x", color=color, ms=11, mew=width, zorder=5)
        ax.set(title=title, aspect="equal", xlabel="target dimension 1")
        ax.locator_params(nbins=5)
    axes[0].set_ylabel("target dimension 2")
    return fig


@styled
def moved(
    curves: Mapping[str, ArrayLike],
    *,
    chosen: Mapping[str, int] | None = None,
    colors: Sequence[ColorType] = (SHARED, BLACK),
) -> Figure:
    """Share of the mass that is moved, of a class that has no partners.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_penalties, 2)
        Shares (of the class without partners, of all others) for ascending
        penalties, by name.
    chosen : dict of str to int, default=None
        Index of a penalty to mark on the curve of that name.
    colors : sequence of colours

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    chosen = chosen or {}
    fig, (ax,) = panels(height=3.9, width=4.6)
    wanted = [0.5, 0.5, 1, 1], [0, 0.25, 0.5, 0]
    ax.fill(*wanted, color=GREY, alpha=0.22, lw=0)
    ax.plot([0, 1], [0, 1], color=GREY, lw=1.2, ls="--")
    note(ax, "blind", (0.12, 0.12), (-6, 8), MUTED)
    for (name, curve), color in zip(curves.items(), colors, strict=False):
        of_it, of_others = np.asarray(curve).T
        ax.plot(of_others, of_it, color=color, marker="o", ms=4)
        middle = len(of_it) // 2
        spot = of_others[middle], of_it[middle]
        below = name in chosen
        shift = (10, -14) if below else (-8, 8)
        side = "left" if below else "right"
        note(ax, name, spot, shift, color, ha=side)
        if below:
            at = chosen[name]
            ring = {"mfc": "none", "mec": color, "mew": 2, "ms": 12}
            ax.plot(of_others[at], of_it[at], **{**_DOT, **ring})
    ax.set(
        xlim=(0, 1.02),
        ylim=(-0.02, 1),
        aspect="equal",
        xlabel="moved of the other classes",
        ylabel="moved of the missing class",
    )
    return fig


@styled
def rivals(
    x: ArrayLike,
    groups: Mapping[str, Mapping[str, ArrayLike]],
    *,
    xlabel: str,
    ylabel: str,
    colors: Sequence[ColorType] = (*METHODS, "#3A9BD9"),
) -> Figure:
    """Curves of several methods, one panel below another.

    Parameters
    ----------
    x : array-like of shape (n_points,)
        Drawn on a logarithmic axis with a tick at every point.
    groups : dict of str to dict of str to ndarray of shape (n_points,)
        Curves by name, by the title of their panel.
    xlabel, ylabel : str
    colors : sequence of colours
        One per curve, the same in every panel.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    x = np.asarray(x, dtype=float)
    height = 2.5 * len(groups) + 0.3
    fig, axes = panels(
        rows=len(groups), height=height, sharex=True, sharey=True
    )
    for ax, (title, curves) in zip(axes, groups.items(), strict=True):
        for curve, color in zip(curves.values(), colors, strict=False):
            ax.plot(x, curve, color=color, marker="o", ms=4, clip_on=False)
        ax.set(xlim=(x.min(), x.max()), xscale="log", ylabel=ylabel)
        ax.set_title(title, loc="left", color=MUTED)
        ax.set_xticks(x, [f"{value:g}" for value in x])
        ax.set_xticks([], minor=True)
    axes[0].set_ylim(0, None)
    axes[-1].set_xlabel(xlabel)
    for ax, curves in zip(axes, groups.values(), strict=True):
        heights = [np.asarray(curve)[-1] for curve in curves.values()]
        label_ends(ax, x.max(), heights, curves, colors)
    return fig


@styled
def against(
    groups: Mapping[str, Mapping[str, Mapping[str, ArrayLike]]],
    *,
    xlabel: str,
    test_size: float,
    reach: float = np.inf,
) -> Figure:
    """How far methods are ahead of one that is the same for all.

    Parameters
    ----------
    groups : dict of str to dict of str to dict of str to array-like
        By title of the panel, by method and by kind of data, one or two: the
        differences, one a split. The mean and its interval are drawn; the
        first kind has a full mark, the second an open one.
    xlabel : str
    test_size : float
        As in `resampled_interval`.
    reach : float, default=inf
        A mean farther from 0 than this would press all others together. It
        is written at the edge with its interval, behind an arrow.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    names = list(next(iter(groups.values())))
    tall = 0.42 * len(names) + 1.2
    fig, axes = panels(len(groups), height=tall, sharey=True)
    marks: dict[str, Any] = {}
    for ax, (title, methods) in zip(axes, groups.items(), strict=True):
        ax.axvline(0, color=GREY, lw=1.2, ls="--", zorder=0)
        for i, name in enumerate(names):
            for j, (kind, values) in enumerate(methods[name].items()):
                mean = np.asarray(values).mean()
                low, high = resampled_interval(values, test_size)
                height = i + 0.12 * (2 * j + 1 - len(methods[name]))
                color = (SHARED, BLACK)[j]
                if abs(mean) > reach:
                    _at_the_edge(ax, height, (mean, low, high), color)
                    continue
                marks[kind] = ax.errorbar(
                    mean,
                    height,
                    xerr=[[mean - low], [high - mean]],
                    color=color,
                    mfc=(SHARED, "white")[j],
                    marker="o",
                    ls="",
                    ms=5.5,
                    elinewidth=1.4,
                )
        ax.set_title(title)
        named_rows(ax, names)
        ax.locator_params(axis="x", nbins=4)
    fig.supxlabel(xlabel, fontsize=11)
    where = {"loc": "outside upper right", "ncols": 2}
    fig.legend(marks.values(), marks, handletextpad=0.3, **where)
    return fig


def _at_the_edge(
    ax: Axes, height: float, values: Iterable[float], color: ColorType
) -> None:
    """Mean and interval outside of the panel, at the side where they lie."""
    mean, low, high = values
    said = f"{mean:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")
    right = mean > 0
    ax.text(
        right,
        height,
        f"{said} →" if right else f"← {said}",
        transform=ax.get_yaxis_transform(),
        color=color,
        ha="right" if right else "left",
        va="center",
    )


def _side_by_side(
    spaces: Sequence[Array], names: Sequence[str]
) -> tuple[Figure, Axes, list[Callable[[Array], Any]]]:
    """A bare axes with a place for each space: functions on its latents."""
    fig = new_figure(2.9)
    ax = tidy(fig.add_subplot())
    places: list[Callable[[Array], Any]] = []
    for middle, z in zip((-1.45, 1.45), spaces, strict=True):
        low, high = np.min(z, axis=0), np.max(z, axis=0)
        centre, reach = (low + high) / 2, np.max(high - low) / 2
        places.append(partial(_placed, centre, reach, np.array([middle, 0])))
    for name, place, z, color in zip(
        names, places, spaces, VIEW, strict=False
    ):
        top = place(np.asarray(z))[:, 1].max()
        spot = (place(np.asarray(z))[:, 0].mean(), top)
        note(ax, name, spot, (0, 8), color, ha="center")
    ax.set(xlim=(-2.6, 2.6), ylim=(-1.1, 1.3), aspect="equal")
    ax.axis("off")
    return fig, ax, places


def _placed(centre: Array, reach: float, middle: Array, points: Array) -> Any:
    return (points - centre) / reach + middle


def _lines(
    starts: Array, ends: Array, color: ColorType, width: float, level: float
) -> LineCollection:
    segments = np.stack([starts, ends], axis=1)
    return LineCollection(segments, color=color, lw=width, zorder=level)
