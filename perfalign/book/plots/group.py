"""Gauges as moving points: where they put a mixture, and how well."""

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.latent import mark_points
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    Figure,
    panels,
    styled,
)

REACH = 2.7


@styled
def group(
    points: Mapping[str, tuple[Array, Array, ArrayLike]],
    degrees: Sequence[float],
    misfits: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    here: float,
    mirrored: bool,
) -> Figure:
    """A gauge applied to several mixtures, over the misfits of all gauges.

    Parameters
    ----------
    points : dict of str to (ndarray, ndarray, array-like)
        By title: where points belong, drawn grey, where the gauge puts them,
        and their classes.
    degrees : sequence of float
    misfits : dict of str to (sequence of float, sequence of float)
        Over these degrees: of turns, and of turns after a reflection.
    here : float
        Degrees of the gauge that is shown; a ring marks it.
    mirrored : bool

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    fig, axes = panels(len(points), rows=2, height=3.5, height_ratios=[1.6, 1])
    upper, lower = axes[: len(points)], axes[len(points) :]
    for ax, (title, (truth, moved, labels)) in zip(upper, points.items()):
        square = {"marker": "s", "ms": 3.4, "mew": 0, "color": GREY}
        ax.plot(*truth.T, ls="", **square)
        mark_points(ax, moved, labels, SHARED, marker="o", ms=4.5, mew=0)
        ax.set(xticks=[], yticks=[], aspect="equal", title=title)
        ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH))
        ax.spines[:].set_visible(False)
    top = max(max(c) for pair in misfits.values() for c in pair)
    index = list(degrees).index(here)
    for ax, curves in zip(lower, misfits.values()):
        for mirror, curve in enumerate(curves):
            now = bool(mirror) == mirrored
            style = {"color": BLACK if now else MUTED}
            style |= {"ls": ":" if mirror else "-"}
            ax.plot(degrees, curve, lw=1.8 if now else 1.1, **style)
        spot = degrees[index], curves[mirrored][index]
        ax.plot(*spot, "o", color=SHARED, ms=8, clip_on=False, zorder=5)
        ax.set(xlim=(min(degrees), max(degrees)), ylim=(0, 1.05 * top))
        ax.set_xticks([0, 180, 360], ["0°", "180°", "360°"])
        ax.set_yticks([0])
    lower[0].set_ylabel("misfit")
    lower[len(lower) // 2].set_xlabel("turn; dotted: mirrored first")
    return fig
