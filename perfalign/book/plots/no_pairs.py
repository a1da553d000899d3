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
            color if color != GREY else MUTED,
            ha="right" if left else "left",
        )
    ax.axhline(chance, color=GREY, lw=1.2, ls="--", zorder=0)
    ax.yaxis.set_major_formatter("{x:g}")
    return fig
