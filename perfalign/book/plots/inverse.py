"""Pictures of the stacked system that alignment solves."""

from collections.abc import Mapping

import numpy as np
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
)


@styled
def stack_plane(
    stacks: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str
) -> Figure:
    r"""Columns of a stack with two rows, and the encoder across them.

    One panel per stack. The last left singular vector is drawn as an arrow:
    it points where the columns do not extend. The band along the columns is
    as wide to each side as they lie away from the line through the origin,
    root mean square, which is :math:`\sigma_2 / \sqrt n`.

    Parameters
    ----------
    stacks : dict of str to ndarray of shape (2, n_samples)
        Stacked data :math:`[x^1; -x^2]` of two views with one feature each,
        by the name of the panel.
    xlabel, ylabel : str
        What the two rows hold, in words, with units.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> from perfalign.book import plots
    >>> stack = [[2.54, 5.08, 7.62], [-1, -2, -3]]
    >>> figure = plots.stack_plane(
    ...     {"ruler": stack}, xlabel="centimetres", ylabel="minus inches"
    ... )
    >>> len(figure.axes)
    1
    """
    drawn = {name: np.asarray(X, float) for name, X in stacks.items()}
    fig, axes = panels(len(drawn), height=2.45, sharex=True, sharey=True)
    both = np.hstack(list(drawn.values()))
    low, high = both.min(axis=1), both.max(axis=1)
    reach = max(high - low)
    for ax, (title, X) in zip(axes, drawn.items(), strict=True):
        along, encoder, width = _directions(X)
        ends = along[:, None] * np.array([-2, 2]) * reach
        half = encoder[:, None] * width
        edges = np.hstack([ends + half, ends[:, ::-1] - half])
        ax.fill(*edges, color=GREY, alpha=0.3, lw=0)
        ax.plot(*ends, color=GREY, lw=1, zorder=1)
        ax.plot(*X, "o", color=BLACK, ms=4.5)
        style = {"arrowstyle": "-|>", "color": SHARED, "lw": 2}
        tip = 0.33 * reach * encoder
        ax.annotate("", tip, (0, 0), arrowprops=style)
        note(ax, "the encoder", tip, (7, 2), SHARED)
        spot = (high[0], 0.33 * reach)
        text = rf"$\sigma_2/\sqrt{{n}}$ = {width:.2f}"
        note(ax, text, spot, (0, -18), MUTED, ha="right")
        ax.plot(0, 0, "+", color=MUTED, ms=9)
        ax.set(title=title, aspect="equal")
        ax.set_xlabel(xlabel, color=VIEW[0])
    axes[0].set_ylabel(ylabel, color=VIEW[1])
    pad = 0.06 * reach
    axes[0].set(
        xlim=(min(low[0], 0) - pad, high[0] + pad),
        ylim=(low[1] - pad, max(high[1], 0.33 * reach) + pad),
    )
    return fig


def _directions(X: Array) -> tuple[Array, Array, float]:
    """Singular vectors along and across the columns, and their spread.

    The encoder is drawn upwards, so that its sign is not the SVD's.
    """
    U, sigma, _ = np.linalg.svd(X, full_matrices=False)
    encoder = U[:, 1] * np.copysign(1, U[1, 1])
    return U[:, 0], encoder, sigma[1] / np.sqrt(X.shape[1])
