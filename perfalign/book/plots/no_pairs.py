"""Answers that were found without a pair, and how one may judge them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    METHODS,
    MUTED,
    VIEW,
    Figure,
    label_ends,
    latent_plane,
    note,
    panels,
    styled,
    thin,
)


@styled
def answers(
    latents: Mapping[str, Sequence[Array]],
    *,
    shown: int = 300,
    followed: int = 12,
) -> Figure:
    """Two clouds in one plane, and lines between the views of some items.

    Parameters
    ----------
    latents : dict of str to list of two ndarray of shape (n_samples, 2)
        Title of a panel, and the latents of either view there; row i of each
        belongs to item i.
    shown : int, default=300
        At most so many items are drawn.
    followed : int, default=12
        Of so many the views are joined by a line.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(len(latents), height=3.2, sharey=True)
    reach = max(np.abs(z).max() for pair in latents.values() for z in pair)
    for ax, (title, (first, second)) in zip(axes, latents.items()):
        rows, joined = thin(len(first), shown), thin(len(first), followed)
        for z, color in zip((first, second), VIEW):
            ax.plot(*z[rows].T, ".", color=color, ms=3, mew=0, alpha=0.6)
            ax.plot(*z[joined].T, "o", color=color, ms=5, mec="white")
        ax.plot(
            *np.stack([first[joined], second[joined]]).transpose(2, 0, 1),
            color=BLACK,
            lw=1,
            zorder=1.5,
        )
        latent_plane(ax, 1.05 * reach)
        ax.set_title(title)
    for ax in axes[1:]:
        ax.set_ylabel("")
    return fig


@styled
def valleys(
    found: Mapping[str, Sequence[ArrayLike]], *, chance: float
) -> Figure:
    """What starts came to: how well it fits, and how much of it is right.

    Parameters
    ----------
    found : dict of str to (fits, recalls)
        Name of a pair of views, and two numbers a start.
    chance : float
        Recall of a guess; smaller ones are drawn there.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, (ax,) = panels(height=3.8)
    ax.set(
        xlabel="mean cosine of an item and the one most similar to it",
        ylabel="partners found first",
        yscale="log",
        ylim=(0.7 * chance, 1.6),
    )
    for (name, (fits, recalls)), color in zip(found.items(), METHODS):
        fits, shares = np.asarray(fits), np.maximum(recalls, chance)
        ax.plot(fits, shares, "o", color=color, ms=5, mec="white", mew=0.5)
        best = fits.argmax()
        left = fits[best] > np.mean(ax.get_xlim())
        note(
            ax,
            name,
            (fits[best], shares[best]),
            (-7 if left else 7, 4),
            color,
            ha="right" if left else "left",
        )
    ax.axhline(chance, color=GREY, lw=1.2, ls="--", zorder=0)
    ax.yaxis.set_major_formatter("{x:g}")
    return fig


@styled
def worlds(
    groups: Mapping[str, Mapping[str, Mapping[str, ArrayLike]]],
    *,
    level: float,
    ylabel: str,
    least: float = 1e-3,
) -> Figure:
    """How wrong the answer is in each of many worlds, one panel a question.

    Parameters
    ----------
    groups : dict of str to dict of str to dict of str to array-like
        By title of a panel, name of a series and place on the axis: an error
        a world. A series has its colour in all panels, and may end early.
    level : float
        Below it an answer counts as right, and dots are filled.
    ylabel : str
        Of a logarithmic axis.
    least : float, default=1e-3
        Smaller errors are drawn there.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(rows=len(groups), height=1.9 * len(groups), sharey=True)
    names = dict.fromkeys(
        name for series in groups.values() for name in series
    )
    colors = dict(zip(names, METHODS, strict=False))
    for ax, (title, series) in zip(axes, groups.items(), strict=True):
        ends, apart = [], 0.8 / len(series)
        for s, (name, by_place) in enumerate(series.items()):
            for place, errors in enumerate(by_place.values()):
                heights = np.maximum(errors, least)
                left = place - 0.4 + apart * s
                x = left + 0.7 * apart * np.linspace(0, 1, len(heights))
                found = heights < level
                for kind, fill in ((found, colors[name]), (~found, "white")):
                    style = {"color": colors[name], "mfc": fill, "ms": 4}
                    ax.plot(x[kind], heights[kind], "o", **style)
            ends.append(float(np.exp(np.mean(np.log(heights)))))
        places = max(series.values(), key=len)
        ax.axhline(level, color=GREY, lw=1.2, ls="--", zorder=0)
        ax.set_xticks(range(len(places)), places)
        ax.set(yscale="log", xlim=(-0.5, len(places) - 0.5), ylabel=ylabel)
        ax.set_title(title, loc="left", color=MUTED)
        inks = [colors[name] for name in series]
        label_ends(ax, len(places) - 0.5, ends, series, inks)
    return fig
