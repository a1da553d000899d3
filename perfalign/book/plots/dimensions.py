"""Dimensions that change with the number of samples."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    VIEW,
    Figure,
    label_ends,
    note,
    panels,
    styled,
    whole_numbers,
)


@styled
def dimensions(
    n_samples: Sequence[int],
    curves: Mapping[str, Sequence[float]],
    *,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Dimensions against sample size, a curve for each kind.

    Parameters
    ----------
    n_samples : array-like of shape (n_sizes,)
        Numbers of samples.
    curves : dict of str to array-like of shape (n_sizes,)
        Dimensions by name; the names are written at the ends of the lines.
    marks : dict of str to float, default=None
        Sample sizes to mark with a vertical line, by name.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, (ax,) = panels(height=3.3)
    for name, place in (marks or {}).items():
        ax.axvline(place, color=GREY, lw=1, ls="--", zorder=0)
        top = {"va": "top", "xycoords": ax.get_xaxis_transform()}
        note(ax, name, (place, 1), (4, -2), MUTED, **top)
    colors = (BLACK, SHARED, MUTED, VIEW[2])
    for y, color in zip(curves.values(), cycle(colors), strict=False):
        ax.plot(n_samples, y, color=color, marker="o", ms=4, clip_on=False)
    ax.set(
        xlabel="number of samples",
        ylabel="dimension",
        xlim=(min(n_samples), max(n_samples)),
        ylim=(-0.3, None),
    )
    whole_numbers(ax.xaxis)
    whole_numbers(ax.yaxis)
    ends = [y[-1] for y in curves.values()]
    label_ends(ax, max(n_samples), ends, curves, cycle(colors))
    return fig
