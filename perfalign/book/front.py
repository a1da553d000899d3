"""The picture of the README and of links to the book: its claim, drawn.

``make picture`` stores it.
"""

import sys
from pathlib import Path

import numpy as np

from perfalign.book.cities import Cities, State
from perfalign.book.maps import draw_city
from perfalign.book.plots.style import (
    BLACK,
    DPI,
    GREY,
    VIEW,
    Figure,
    square,
    styled,
)

#: Pixels; in this shape, sites that show links cut nothing off.
SIZE = 1200, 630
TRUE, CHANCE = State(pairs=12), State(pairs=5, shift=1)
QUOTE = (
    "An alignment can be perfect and prove nothing.\n"
    "How many pairs it takes until it proves something is a theorem."
)


@styled
def front() -> Figure:
    """Two maps of a city, and what true and shuffled pairs make of them.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> from perfalign.book.front import front
    >>> len(front().axes)
    4
    """
    city = Cities(caption="")
    maps = [view[:, :2] for view in city.views(TRUE)]
    true, chance = (city.solve(state)["latents"] for state in (TRUE, CHANCE))
    fig = Figure(figsize=np.divide(SIZE, DPI), dpi=DPI, layout="none")
    fig.text(0.02, 0.93, QUOTE, fontsize=17.5, va="top", linespacing=1.5)
    axes = [
        fig.add_axes((0.02 + 0.244 * i, 0.16, 0.228, 0.434)) for i in range(4)
    ]
    for layer in (0, 1):
        draw_city(axes[layer], maps[layer], city.streets, TRUE.pairs, layer)
        draw_city(axes[2], true[layer], city.streets, TRUE.pairs, 2 + layer)
        draw_city(axes[3], chance[layer], [], CHANCE.pairs, 2 + layer)
        square(axes[layer], maps[layer], 0.58)
    square(axes[2], np.vstack(true), 0.58)
    # Around what was seen: some new places miss by more than the frame.
    square(axes[3], chance[0][: CHANCE.pairs], 1.1)
    missed = np.stack(chance)[:, CHANCE.pairs :]
    axes[3].plot(*missed.transpose(2, 0, 1), color=BLACK, lw=0.8, zorder=3)
    for ax, title, below, color in zip(
        axes,
        ("map 1", "map 2", "12 true pairs", "5 shuffled pairs"),
        ("a city", "the same city")
        + ("agree; new places, too", "agree; new places miss"),
        (*VIEW[:2], BLACK, BLACK),
    ):
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=GREY)
        ax.set_title(title, color=color, fontsize=13, weight="bold", pad=7)
        ax.set_xlabel(below, fontsize=10.5, labelpad=7)
    return fig


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(front()._repr_png_())
