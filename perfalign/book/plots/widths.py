"""Several measures of one thing, each beside what chance makes of it."""

from collections.abc import Mapping, Sequence

from perfalign.book.plots.style import (
    MUTED,
    SHARED,
    Figure,
    note,
    panels,
    styled,
)


@styled
def measures(
    x: Sequence[float],
    curves: Mapping[str, tuple[Sequence[float], Sequence[float] | None]],
    *,
    xlabel: str,
) -> Figure:
    """Small panels with axes of their own, over one logarithmic axis.

    Parameters
    ----------
    x : sequence of float
    curves : dict of str to (sequence of float, sequence of float or None)
        By the title of a panel: what was measured, and what shuffled pairs
        give, if that was measured, too. All panels begin at 0.
    xlabel : str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(len(curves), height=2.6)
    for ax, (title, (found, chance)) in zip(axes, curves.items()):
        ax.plot(x, found, color=SHARED, marker="o", ms=4, clip_on=False)
        if chance is not None:
            ax.plot(x, chance, color=MUTED, marker="o", ms=3, clip_on=False)
        ax.set(title=title, xscale="log", xlim=(min(x), max(x)))
        ax.set_ylim(bottom=0)
        ticks = list(x)[:: max(1, len(x) // 3)]
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.set_xticks([], minor=True)
        ax.tick_params(labelsize=10.5)
        if chance is not None:
            middle = len(x) // 2 - 1
            where = x[middle], chance[middle]
            note(ax, "shuffled", where, (2, 6), MUTED, ha="center")
    fig.supxlabel(xlabel, fontsize=11)
    return fig
