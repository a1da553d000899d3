"""Pictures of what is real in an alignment and what is chance."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    SMALL,
    Figure,
    label_ends,
    named_rows,
    note,
    panels,
    styled,
    whole_numbers,
)

PAPER_TO_SHARED = LinearSegmentedColormap.from_list(
    "shared", ["white", SHARED]
)


@styled
def scree(
    test: Any, *, level: float = 0.05, edge: float | None = None
) -> Figure:
    """Correlations of the components beside those of shuffled pairs.

    The grey band holds the shuffles from their 5th to their 95th percentile.
    Accepted components are purple, the others black rings.

    Parameters
    ----------
    test : PermutationTest
    level : float, default=0.05
        Components with p-values up to this are accepted.
    edge : float, default=None
        Where theory expects the largest correlation of shuffled pairs, drawn
        as a dashed line.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    number = np.arange(1, len(test.statistics) + 1)
    accepted = test.p_values <= level
    low, high = np.quantile(test.null, [0.05, 0.95], axis=0)
    fig, (ax,) = panels(height=3.3)
    ax.fill_between(number, low, high, color=GREY, alpha=0.45, lw=0)
    ax.plot(number, test.null.mean(axis=0), color=MUTED, lw=1)
    dots = {"ls": "", "marker": "o", "clip_on": False, "zorder": 4}
    ring = {**dots, "mfc": "white", "mec": BLACK, "ms": 5.5}
    ax.plot(number[~accepted], test.statistics[~accepted], **ring)
    full = {**dots, "color": SHARED, "ms": 6.5}
    ax.plot(number[accepted], test.statistics[accepted], **full)
    margin = 0.03 * len(number)
    right = number[-1] + margin
    ends = {"shuffled": (low[-1] + high[-1]) / 2}
    if edge is not None:
        ax.axhline(edge, color=GREY, lw=1.2, ls="--", zorder=0)
        ends["edge"] = edge
    ax.set(
        xlabel="component",
        ylabel="correlation of the two modalities",
        xlim=(1 - margin, right),
        ylim=(0, 1.02),
    )
    whole_numbers(ax.xaxis)
    label_ends(ax, right, ends.values(), ends, (MUTED, MUTED))
    return fig


@styled
def acceptances(rows: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """How often a test accepted, over independent data sets.

    The axis is stretched near 0. A dashed line marks 5 %.

    Parameters
    ----------
    rows : dict of str to dict of str to array-like of bool
        Kind of data by name; in it, by test, whether each data set was
        accepted. The share is marked, with its exact interval of 95 %.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    fig, (ax,) = panels(height=0.3 * len(rows) + 1.1)
    for j, (name, color) in enumerate(zip(names, (SHARED, BLACK))):
        kept = [i for i, row in enumerate(rows.values()) if name in row]
        found = [np.asarray(row[name]) for row in rows.values() if name in row]
        share = np.array([values.mean() for values in found])
        ends = np.array(
            [
                binomtest(int(values.sum()), len(values)).proportion_ci()
                for values in found
            ]
        )
        ax.errorbar(
            share,
            np.array(kept) + 0.3 * (j - (len(names) - 1) / 2),
            xerr=np.abs(ends.T - share),
            color=color,
            ls="",
            marker="oD"[j],
            ms=4.5,
            elinewidth=1.2,
            label=name,
            clip_on=False,
        )
    ax.axvline(0.05, color=GREY, lw=1.2, ls="--", zorder=0)
    ax.set_xscale("function", functions=(np.sqrt, np.square))
    ticks = (0, 0.05, 0.2, 0.5, 1)
    ax.set_xticks(ticks, [f"{t:.0%}" for t in ticks])
    ax.set(xlim=(0, 1), xlabel="data sets accepted")
    named_rows(ax, rows)
    fig.legend(loc="outside upper center", ncols=2, handletextpad=0.3)
    return fig


@styled
def phase_diagram(
    ratios: ArrayLike,
    correlations: ArrayLike,
    measured: ArrayLike,
    threshold: Callable[[Array], Array],
) -> Figure:
    """Where an alignment of seen pairs holds on new pairs.

    Parameters
    ----------
    ratios : array-like of shape (n_ratios,)
        Samples per feature of both views, ascending; drawn on a log
        axis, on which they should be evenly spaced.
    correlations : array-like of shape (n_correlations,)
        True correlations, ascending.
    measured : array-like of shape (n_correlations, n_ratios)
        Correlations on new pairs, drawn as shades.
    threshold : callable
        Takes ratios above 1, returns the correlation above which theory says
        that a signal stands out.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    ratios = np.asarray(ratios, dtype=float)
    fig, (ax,) = panels(height=3.8)
    shades = {"cmap": PAPER_TO_SHARED, "vmin": 0, "vmax": 1}
    mesh = ax.pcolormesh(
        ratios, correlations, measured, shading="nearest", **shades
    )
    ax.set(xscale="log")
    (left, right), (floor, top) = ax.get_xlim(), ax.get_ylim()
    ax.axvline(1, color=BLACK, lw=1.8)
    x = np.geomspace(1.001, right, 400)
    ax.plot(x, threshold(x), color=BLACK, lw=1.8)
    ax.set(
        xlim=(left, right),
        ylim=(floor, top),
        xlabel="samples per feature, n / (d₁ + d₂)",
        ylabel="true correlation",
    )
    ticks = [t for t in (0.5, 1, 2, 4, 8, 16, 32) if left <= t <= right]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_xticks([], minor=True)
    bar = fig.colorbar(mesh, ax=ax, aspect=24, pad=0.02)
    bar.set_label("correlation on new pairs", size=11, color=BLACK)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    heights = {"vacuous": 0.5, "overfit": 0.18, "real": 0.72}
    middles = {
        "vacuous": left**0.5,
        "overfit": right**0.4,
        "real": right**0.75,
    }
    for name, y in heights.items():
        spot = (middles[name], floor + y * (top - floor))
        style = {"ha": "center", "va": "center", "fontsize": 13}
        note(ax, name, spot, (0, 0), BLACK, **style)
    return fig
