"""Pictures of a choice: the thinnest direction, and the latents it gives."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    MUTED,
    SHARED,
    VIEW,
    Figure,
    note,
    panels,
    styled,
    thin,
)


@styled
def thinnest_direction(
    stack: Array,
    candidates: ArrayLike,
    row: ArrayLike,
    latents: Sequence[Array],
    *,
    names: Sequence[str],
    limits: Sequence[float] | None = None,
    shown: int = 240,
) -> Figure:
    r"""What two candidate rows leave over, the row chosen, and its latents.

    On the left each pair is a point: what the one and the other candidate
    row make of it, which is 0 where the views cancel. The arrow is the
    chosen row, in the plane of the candidates. On the right each pair is a
    point again: its latent in one view and in the other, beside the line
    on which the two agree.

    Parameters
    ----------
    stack : ndarray of shape (n_samples, d)
        The stacked data, one row :math:`(x^1, -x^2)` a pair.
    candidates : array-like of shape (2, d)
        Orthonormal rows.
    row : array-like of shape (d,)
        The chosen row of the encoder, of length 1; drawn in the direction in
        which it has more of a candidate than of its opposite.
    latents : list of two ndarray of shape (n_samples, 1)
    names : sequence of two str
        What the candidates look at, in words.
    limits : sequence of two float, default=None
        Half the widths of the two panels, by default those of their points;
        to be given where pictures are compared.
    shown : int, default=240
        At most so many pairs are drawn, evenly spaced over the rows.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.book import plots
    >>> stack = np.random.default_rng(0).normal(size=(50, 2)) * [1.0, 0.2]
    >>> latents = [stack[:, 1:], 0 * stack[:, 1:]]
    >>> figure = plots.thinnest_direction(
    ...     stack, np.eye(2), [0, 1], latents, names=("loud", "quiet one")
    ... )
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['misfit of the quiet one', 'latent of modality 2']
    """
    shown = thin(len(stack), shown)
    misfits = stack[shown] @ np.transpose(candidates)
    pairs = np.hstack(latents)[shown]
    if limits is None:
        limits = [1.1 * np.abs(points).max() for points in (misfits, pairs)]
    fig, axes = panels(2, height=2.9)
    for ax, points, limit in zip(axes, (misfits, pairs), limits, strict=True):
        ax.plot(*points.T, "o", color=BLACK, ms=2.6, mew=0, alpha=0.75)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        ax.locator_params(nbins=6, steps=[1, 2, 5, 10])
    _arrow(axes[0], np.matmul(candidates, row), limits[0])
    axes[0].set(
        xlabel=f"misfit of the {names[0]}", ylabel=f"misfit of the {names[1]}"
    )
    ends = np.array([-limits[1], limits[1]])
    axes[1].plot(ends, ends, color=GREY, lw=1, zorder=0)
    along = {"rotation": 45, "rotation_mode": "anchor", "ha": "right"}
    note(
        axes[1], "agreement", ends[[1, 1]], (-2, -8), MUTED, va="top", **along
    )
    axes[1].set_xlabel("latent of modality 1", color=VIEW[0])
    axes[1].set_ylabel("latent of modality 2", color=VIEW[1])
    return fig


def _arrow(ax: Axes, weights: Array, limit: float) -> None:
    """Draw the chosen row, from the origin to most of the panel's edge."""
    weights = weights * np.copysign(1, weights[np.argmax(np.abs(weights))])
    tip = 0.8 * limit * weights
    style = {"arrowstyle": "-|>", "color": SHARED, "lw": 2.2}
    ax.annotate("", tip, (0, 0), arrowprops=style, zorder=8)
    # Inside the panel, and out of the layout: a picture that is compared
    # with others must not move because its arrow turned.
    across, up = weights
    if abs(across) < 0.4:
        place = {"shift": (8, -3), "ha": "left"}
    elif up > -0.2:
        place = {"shift": (0, 7), "ha": "left" if across < 0 else "right"}
    else:
        place = {"shift": (0, -7), "ha": "right", "va": "top"}
    note(ax, "chosen row", tip, color=SHARED, in_layout=False, **place)
