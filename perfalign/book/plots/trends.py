"""Whether measures rise or fall."""

from collections.abc import Mapping

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    SHARED,
    Figure,
    named_rows,
    panels,
    styled,
)


@styled
def trends(
    found: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    xlabel: str,
) -> Figure:
    """Changes and their intervals, of several measures side by side.

    Parameters
    ----------
    found : dict of str to dict of str to (change, low, high)
        By title of a panel and name of a measure, the same in all panels.
        Where an interval leaves out 0, it is in colour and its mark filled.
    xlabel : str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    names = list(next(iter(found.values())))
    height = 0.3 * len(names) + 1.0
    fig, axes = panels(len(found), height=height, sharex=True, sharey=True)
    for ax, (title, measures) in zip(axes, found.items(), strict=True):
        ax.axvline(0, color=GREY, lw=1.2, ls="--", zorder=0)
        for row, (middle, low, high) in enumerate(measures.values()):
            told = low > 0 or high < 0
            style = {"color": SHARED if told else BLACK, "lw": 1.4}
            ax.plot([low, high], [row, row], **style)
            fill = {} if told else {"mfc": "white"}
            ax.plot(middle, row, "o", ms=5, **style, **fill)
        ax.set_title(title)
        named_rows(ax, names)
        ax.locator_params(axis="x", nbins=3)
    fig.supxlabel(xlabel, fontsize=11)
    return fig
