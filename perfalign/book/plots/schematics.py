"""Schematics of the model and of the whole method."""

from typing import Any

from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.typing import ColorType

from perfalign.book.plots.style import (
    BLACK,
    MUTED,
    SHARED,
    VIEW,
    WIDTH,
    Figure,
    canvas,
    styled,
)

_BLUE, _ORANGE = VIEW[:2]


class _Diagram:
    """A canvas 65 units wide for boxes, arrows and words."""

    def __init__(self, height: float) -> None:
        unit = WIDTH / 65
        self.figure, self.ax = canvas(height * unit, unit)

    def node(
        self,
        x: float,
        y: float,
        symbol: str,
        words: str,
        color: ColorType,
        *,
        box: bool = True,
        reach: float = 3.6,
    ) -> tuple[float, float, float]:
        """Place a symbol in a box or a disc, its words underneath."""
        look = {"fc": "white", "ec": color, "lw": 1.8}
        if box:
            corner, size = (x - reach, y - reach), 2 * reach
            style = "round,pad=0,rounding_size=0.8"
            patch = FancyBboxPatch(corner, size, size, boxstyle=style, **look)
        else:
            patch = Circle((x, y), reach, **look)
        self.ax.add_patch(patch)
        self.words(x, y, symbol, color, va="center_baseline", fontsize=17)
        self.words(x, y - reach - 0.8, words, color, va="top")
        return x, y, reach

    def arrow(
        self,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        color: ColorType,
        text: str = "",
        *,
        lift: float = 0.0,
        **style: Any,
    ) -> None:
        """Join two nodes (x, y, reach) by an arrow, its text beside it."""
        (xa, ya, ra), (xb, yb, rb) = start, end
        length = ((xb - xa) ** 2 + (yb - ya) ** 2) ** 0.5
        a, b = (ra + 1.2) / length, 1 - (rb + 1.2) / length
        tail = xa + a * (xb - xa), ya + a * (yb - ya)
        tip = xa + b * (xb - xa), ya + b * (yb - ya)
        style = {"arrowstyle": "-|>", "mutation_scale": 14, "lw": 1.6, **style}
        self.ax.add_patch(FancyArrowPatch(tail, tip, color=color, **style))
        x, y = (tail[0] + tip[0]) / 2, (tail[1] + tip[1]) / 2 + lift
        self.words(x, y, text, color, va="center", fontsize=14)

    def words(
        self,
        x: float,
        y: float,
        text: str,
        color: ColorType = BLACK,
        **kwargs: Any,
    ) -> None:
        """Write a text, centred at a point."""
        self.ax.text(x, y, text, color=color, **{"ha": "center", **kwargs})


@styled
def generation() -> Figure:
    """How a concept becomes views, and what the encoders make of it.

    The model behind equations 1, 4 and 5 of Kamboj and Do (2025): z
    generates every view, the encoders go back, and two errors say how
    well they do. After the pipeline of the paper's figure 3.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> from perfalign.book import plots
    >>> len(plots.generation().axes)
    1
    """
    d = _Diagram(36)
    z = d.node(6, 18, "$z$", "concept", SHARED, box=False)
    for m, sign, color in ((1, 1, _BLUE), (2, -1, _ORANGE)):
        y = 18 + 7.6 * sign
        x = d.node(29, y, f"$x^{m}$", f"modality {m}", color)
        name = rf"$\hat{{z}}^{m}$"
        estimate = d.node(52, y, name, "", color, box=False)
        d.arrow(z, x, color, f"$T^{m}$", lift=2.6 * sign)
        d.arrow(x, estimate, color, f"$A^{m}$", lift=2.2)
        rail = 18 + 16.5 * sign
        ends = 18 + (4.8 if sign > 0 else -7.2), y + 4.8 * sign
        d.ax.plot(
            [6, 6, 52, 52],
            [ends[0], rail, rail, ends[1]],
            color=MUTED,
            lw=1.2,
            ls="--",
        )
        d.words(
            29,
            rail,
            "reconstruction error",
            MUTED,
            va="center",
            backgroundcolor="white",
        )
    d.ax.plot([52, 52], [15.2, 20.8], color=MUTED, lw=1.2, ls="--")
    d.words(53.2, 18, "alignment\nerror", MUTED, ha="left", va="center")
    return d.figure


@styled
def pipeline() -> Figure:
    """The whole method, from concept to classes of the second view.

    Two views of one concept are encoded into one latent space; a
    classifier is fitted there with labels of the first and used on the
    second. After figure 1 of Kamboj and Do (2025).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> from perfalign.book import plots
    >>> len(plots.pipeline().axes)
    1
    """
    d = _Diagram(33)
    z = d.node(5, 16.5, "$z$", "concept", SHARED, box=False)
    name, words = r"$\hat{z}$", "shared\nlatents"
    latent = d.node(37, 16.5, name, words, SHARED, box=False)
    for m, sign, color in ((1, 1, _BLUE), (2, -1, _ORANGE)):
        x = d.node(21, 16.5 + 9 * sign, f"$x^{m}$", f"modality {m}", color)
        d.arrow(z, x, color, f"$P^{m}$", lift=2.4 * sign)
        d.arrow(x, latent, color, f"$A^{m}$", lift=2.4 * sign)
    model = d.node(55, 16.5, "", "", BLACK, reach=4.6)
    d.words(55, 17, r"$p(c\,|\,\hat{z})$", fontsize=16)
    d.words(55, 13.6, "classifier")
    d.arrow(latent, model, BLACK)
    d.words(55, 31.2, "labels of\nmodality 1", _BLUE, va="top")
    d.arrow((55, 28.2, 0), model, _BLUE)
    d.words(55, 1.2, "classes of\nmodality 2", _ORANGE, va="bottom")
    d.arrow(model, (55, 4.4, 0), _ORANGE)
    return d.figure
