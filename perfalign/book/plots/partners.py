"""Whether a class is named, and whether the partner is found."""

from collections.abc import Mapping, Sequence

import numpy as np

from perfalign.book.plots.style import (
    GREY,
    METHODS,
    MUTED,
    Figure,
    note,
    panels,
    styled,
)


@styled
def partners(
    found: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]],
    *,
    marked: Mapping[str, float],
) -> Figure:
    """Classes that are named over the rank at which the partner is found.

    Parameters
    ----------
    found : dict of str to dict of str to sequence of (rank, accuracy)
        By title of a panel and by method: what it comes to, from few
        exemplars to many. The last is the larger mark, and lines join them.
    marked : dict of str to float
        Ranks that vertical lines mark.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(
        rows=len(found), height=2.6 * len(found), sharex=True, sharey=True
    )
    names = dict.fromkeys(name for way in found.values() for name in way)
    colors = dict(zip(names, METHODS, strict=False))
    for ax, (title, methods) in zip(axes, found.items(), strict=True):
        ax.set_title(title, loc="left", color=MUTED)
        ax.set(xscale="log", ylabel="named rightly")
        ax.margins(x=0.12, y=0.16)
        for name, points in methods.items():
            ranks, shares = np.transpose(points)
            ax.plot(ranks, shares, color=colors[name], lw=1.2)
            for x, y, size in zip(
                ranks, shares, np.linspace(4, 7, len(ranks))
            ):
                ax.plot(x, y, "o", color=colors[name], ms=size)
            spot = ranks[-1], shares[-1]
            note(ax, name, spot, (0, 7), colors[name], ha="center")
        for rank in marked.values():
            ax.axvline(rank, color=GREY, lw=1.2, ls="--", zorder=0)
    for name, rank in marked.items():
        spot = rank, axes[0].get_ylim()[0]
        note(axes[0], name, spot, (-4, 5), MUTED, ha="right")
    axes[-1].set_xlabel("median rank of the partner")
    axes[-1].xaxis.set_major_formatter("{x:g}")
    return fig
