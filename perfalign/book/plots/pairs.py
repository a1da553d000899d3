"""Pictures of pairs: where the two latents of each item lie."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike

from perfalign.book.plots.style import (
    GREY,
    VIEW,
    Figure,
    panels,
    styled,
    thin,
)

#: Ring and dot: a dot in a ring is an exact overlap.
_MARKS: tuple[dict[str, Any], ...] = (
    {"ms": 7.5, "mfc": "none", "mew": 1.3},
    {"ms": 3.6, "mew": 0},
)


@styled
def pairs(
    groups: Mapping[str, Sequence[ArrayLike]], *, shown: int = 60
) -> Figure:
    """Latents of two views, each pair joined by a line.

    One panel per group of pairs, all panels at one scale. Where the
    views agree, the line has no length and the dot sits in its ring.

    Parameters
    ----------
    groups : dict of str to list of two ndarray of shape (n_samples, 2)
        Latents of both views, by the title of the panel; numbers of
        samples may differ.
    shown : int, default=60
        At most so many pairs are drawn a panel, evenly spaced over the rows.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.book import plots
    >>> z = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    >>> figure = plots.pairs({"seen": [z, z], "new": [z, z[::-1]]})
    >>> [ax.get_title() for ax in figure.axes]
    ['seen', 'new']
    """
    fig, axes = panels(len(groups), height=3.0)
    drawn = [
        [z[thin(len(z), shown)] for z in map(np.asarray, latents)]
        for latents in groups.values()
    ]
    every = np.vstack([z for latents in drawn for z in latents])
    corners = [every.min(axis=0), every.max(axis=0)]
    for ax, title, latents in zip(axes, groups, drawn, strict=True):
        lines = np.stack(latents, axis=1)
        ax.add_collection(LineCollection(lines, color=GREY, lw=1, zorder=1))
        for z, color, mark in zip(latents, VIEW, _MARKS, strict=False):
            ax.plot(*z.T, "o", color=color, **mark)
        ax.set(title=title, xlabel="latent dimension 1")
        ax.locator_params(nbins=6, steps=[1, 2, 5, 10])
        # The axes grows to one scale for both units, and to hold every panel.
        ax.update_datalim(corners)
        ax.margins(0.06)
        ax.set_aspect("equal", adjustable="datalim")
    axes[0].set_ylabel("latent dimension 2")
    return fig
