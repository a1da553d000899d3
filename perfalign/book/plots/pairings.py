"""Which views were seen together, as a graph and as a stack."""

from collections.abc import Mapping, Sequence

from matplotlib.patches import Circle, Rectangle

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    VIEW,
    Figure,
    canvas,
    styled,
)


@styled
def pairings(
    names: Sequence[str], edges: Mapping[tuple[int, int], str]
) -> Figure:
    """A graph whose edges are sets of pairs, and the stack made of it.

    Parameters
    ----------
    names : sequence of three str
        The views.
    edges : dict of (int, int) to str
        What to write on the pairs of two views. Views without pairs are
        joined by a dashed line.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, ax = canvas(2.55, 0.1)
    places = (4.5, 7), (15, 20), (25.5, 7)
    for a, b in ((0, 1), (1, 2), (0, 2)):
        (xa, ya), (xb, yb) = places[a], places[b]
        seen = (a, b) in edges
        style = {"color": BLACK if seen else GREY, "zorder": 0}
        style |= {"lw": 3} if seen else {"lw": 1.5, "ls": "--"}
        ax.plot([xa, xb], [ya, yb], **style)
        words = edges.get((a, b), "no pair")
        color = BLACK if seen else MUTED
        middle = (xa + xb) / 2, (ya + yb) / 2
        look = {"ha": "center", "va": "center", "backgroundcolor": "white"}
        ax.text(*middle, words, color=color, **look)
    for m, (x, y) in enumerate(places):
        ax.add_patch(Circle((x, y), 1.6, fc=VIEW[m], ec="white", lw=2))
        lift, side = (2.2, "bottom") if m == 1 else (-2.2, "top")
        name = {"color": VIEW[m], "ha": "center", "va": side}
        ax.text(x, y + lift, names[m], **name)
    left, top, cell = 35, 19.5, 6.4
    for m in range(3):
        middle = left + (m + 0.5) * cell
        column = {"color": VIEW[m], "ha": "center", "va": "bottom"}
        ax.text(middle, top + 0.8, names[m], fontsize=10.5, **column)
    for i, edge in enumerate(edges):
        y = top - (i + 1) * cell
        for m in range(3):
            sign = {edge[0]: "Q", edge[1]: "−Q"}.get(m, "0")
            color = VIEW[m] if m in edge else "#EEEEEE"
            box = {"fc": color, "ec": "white", "lw": 3}
            ax.add_patch(Rectangle((left + m * cell, y), cell, cell, **box))
            ax.text(
                left + (m + 0.5) * cell,
                y + cell / 2,
                sign,
                color="white" if m in edge else MUTED,
                ha="center",
                va="center",
                fontsize=13,
            )
    floor = top - len(edges) * cell - 1
    words = "one block a set of pairs"
    middle = left + 1.5 * cell
    ax.text(middle, floor, words, color=MUTED, ha="center", va="top")
    return fig
