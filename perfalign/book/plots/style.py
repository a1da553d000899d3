"""What all figures share: colours, sizes, and a few small helpers."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from io import BytesIO
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib import figure, patheffects
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike

from perfalign._types import Array, Booleans, Integers

P = ParamSpec("P")
R = TypeVar("R")

#: One colour a view through the whole book (Okabe and Ito).
VIEW = ("#0072B2", "#D55E00", "#009E73")
#: What belongs to no single view: concept, shared latents, solution.
SHARED = "#8A2B7E"
#: What does not matter.
GREY = "#999999"
BLACK = "#222222"
#: Text in grey must be darker than lines to be read.
MUTED = "#6A6A6A"
#: Curves and bars that stand for methods, in the order they are passed.
METHODS = (BLACK, SHARED, "#B8860B", VIEW[2], GREY)

#: Inches; letters are then about as large as the text of the page.
WIDTH = 5.6
#: Points; nine pixels, where a figure is as wide as the text of a phone.
SMALL = 10.2
DPI = 140
STYLE = {
    "axes.edgecolor": BLACK,
    "axes.labelcolor": BLACK,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": BLACK,
    "axes.titlesize": 11,
    "axes.titleweight": "normal",
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "cm",
    "savefig.facecolor": "white",
    "text.color": BLACK,
}


class Figure(figure.Figure):
    """A figure that shows itself, with or without pyplot's machinery."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a figure function under the book's style, leaving no trace."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return wrapper


def new_figure(
    height: float, width: float = WIDTH, layout: str = "constrained"
) -> Figure:
    """Return an empty figure, as wide as the book's text; in inches."""
    size = np.round(np.multiply(DPI, (width, height))) / DPI
    return Figure(figsize=size, dpi=DPI, layout=layout)


def canvas(height: float, unit: float) -> tuple[Figure, Axes]:
    """Return a figure with one bare axes that fills it.

    The axes is measured in units of so many inches from the lower left.
    """
    fig = new_figure(height, layout="none")
    ax = fig.add_axes([0, 0, 1, 1])
    ax.set(xlim=(0, WIDTH / unit), ylim=(0, height / unit))
    ax.axis("off")
    return fig, ax


def panels(
    columns: int = 1,
    *,
    rows: int = 1,
    height: float = 3.2,
    width: float = WIDTH,
    **kwargs: Any,
) -> tuple[Figure, list[Axes]]:
    """Return a figure and the flat list of its axes.

    Further keywords go to `matplotlib.figure.Figure.subplots`.
    """
    fig = new_figure(height, width)
    axes = fig.subplots(rows, columns, squeeze=False, **kwargs)
    return fig, [tidy(ax) for ax in axes.flat]


def tidy(ax: Axes) -> Axes:
    """Fix how ticks look; they are made only when the style is left."""
    ax.tick_params(which="major", labelsize=SMALL, color=BLACK)
    ax.tick_params(which="minor", length=0)
    return ax


def square(ax: Axes, points: Array, share: float = 0.55) -> None:
    """Make an axes a square around points, equal units on both axes.

    It reaches from their middle by this share of their greater extent.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    middle, reach = (low + high) / 2, share * np.max(high - low)
    x, y = zip(middle - reach, middle + reach)
    ax.set(xlim=x, ylim=y, aspect="equal")


def latent_plane(ax: Axes, reach: float) -> None:
    """Show the first two latent dimensions, equally far about 0."""
    ax.set(
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        aspect="equal",
        xlabel="latent dimension 1",
        ylabel="latent dimension 2",
    )


def contrast(colors: ArrayLike) -> Array:
    """Return how colours stand out from white, from 1 to 21 (WCAG 2.2)."""
    rgb = np.asarray(colors, dtype=float)
    linear = np.where(
        rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92
    )
    return np.asarray(1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05))


def shades(color: ColorType, n: int) -> list[ColorType]:
    """Return n shades of a colour, from dark to light, one per class.

    The lightest still has the contrast that marks need to be seen, 3.
    """
    rgb = np.array(to_rgb(color))
    if n == 1:
        return [tuple(rgb)]
    tints = 1 - np.linspace(0, 1, 101)[:, None] * (1 - rgb)
    dark, light = 0.6 * rgb, tints[contrast(tints) >= 3][0]
    steps = np.linspace(0, 1, n)[:, None]
    return [tuple(c) for c in (1 - steps) * dark + steps * light]


def by_class(
    labels: ArrayLike | None, n_samples: int
) -> tuple[list[Any], list[Booleans]]:
    """Return the classes and one boolean row mask per class."""
    if labels is None:
        return [None], [np.ones(n_samples, bool)]
    labels = np.asarray(labels)
    classes = np.unique(labels)
    return list(classes), [labels == c for c in classes]


def thin(n_samples: int, shown: int) -> Integers:
    """Return at most `shown` row numbers, evenly spaced."""
    if n_samples <= shown:
        return np.arange(n_samples)
    return np.linspace(0, n_samples - 1, shown).round().astype(int)


def halo(width: float = 3.0) -> list[patheffects.AbstractPathEffect]:
    """Return the white outline that keeps a label legible on points."""
    return [patheffects.withStroke(linewidth=width, foreground="white")]


def spread(positions: ArrayLike, gap: float) -> Array:
    """Move positions apart until neighbours are `gap` apart.

    Order is kept; groups that must move stay centred where they were.
    """
    positions = np.asarray(positions, dtype=float)
    order = np.argsort(positions, kind="stable")
    groups = []
    for p in positions[order]:
        groups.append([p, 1])
        while len(groups) > 1 and (
            groups[-1][0] - groups[-2][0]
            < gap * (groups[-1][1] + groups[-2][1]) / 2
        ):
            (a, n), (b, m) = groups[-2:]
            groups[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    placed = np.concatenate(
        [c + gap * (np.arange(n) - (n - 1) / 2) for c, n in groups]
    )
    result = np.empty_like(positions)
    result[order] = placed
    return result


def whole_numbers(axis: Axis) -> None:
    """Tick an axis at whole numbers only."""
    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def named_rows(ax: Axes, names: Iterable[str], above: float = 0.5) -> None:
    """Let the heights 0, 1, … be rows from the top, named on the left."""
    names = list(names)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -above)
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)


def note(
    ax: Axes,
    text: str,
    spot: Sequence[float] | Array,
    shift: tuple[float, float],
    color: ColorType,
    **kwargs: Any,
) -> None:
    """Write a haloed label `shift` points away from a spot of the data.

    What is grey has a label in a darker grey: letters are thin.
    """
    color = MUTED if color == GREY else color
    style = {"path_effects": halo(), "zorder": 9, **kwargs}
    place = {"xytext": shift, "textcoords": "offset points"}
    ax.annotate(text, spot, color=color, **place, **style)


def label_ends(
    ax: Axes,
    x: float,
    heights: Iterable[float],
    names: Iterable[str],
    colors: Iterable[ColorType],
) -> None:
    """Write each line's name at its right end, moved apart if need be."""
    points = ax.transData.transform([(x, y) for y in heights])[:, 1]
    points *= 72 / ax.figure.dpi
    placed = spread(points, 15)
    # A halo would be drawn wider than the layout knows.
    style = {"path_effects": [], "va": "center"}
    ends = zip(names, heights, points, placed, colors, strict=False)
    for name, y, old, new, color in ends:
        note(ax, name, (x, y), (7, new - old), color, **style)
