"""Pictures of one concept and of what two views make of it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.typing import ColorType
from scipy.stats import multivariate_normal
from sklearn.utils import Bunch

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    GREY,
    SHARED,
    VIEW,
    Figure,
    by_class,
    new_figure,
    note,
    panels,
    square,
    styled,
    tidy,
)

#: Heights at which a density is drawn, as shares of its top.
_HEIGHTS = (0.02, 0.1, 0.25, 0.45, 0.7, 1.0)


@styled
def modes(data: Bunch, *, marked: int = 0) -> Figure:
    """Density of the concepts and of each view, as hills.

    A hill is a mode, here a class; a panel is a view. A star marks one
    and the same concept in all panels.

    Parameters
    ----------
    data : Bunch
        With two-dimensional `latents`, `views` of two features without
        noise, and the mixture they are drawn from, as
        `perfalign.datasets.make_gaussian_views` returns them.
    marked : int, default=0
        Row of the concept that the star marks.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> from perfalign.book import plots
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(50, n_features=(2, 2), random_state=0)
    >>> plots.modes(data)
    <Figure size 784x287 with 3 Axes>
    """
    n_views = len(data.views)
    fig, axes = panels(1 + n_views, height=2.05)
    spaces = zip(
        axes,
        [np.eye(2), *data.projections],
        [data.latents, *data.views],
        [SHARED, *VIEW[:n_views]],
        strict=True,
    )
    for m, (ax, P, points, color) in enumerate(spaces):
        _hills(ax, P, points, data, color)
        for c, mask in zip(*by_class(data.labels, len(points)), strict=True):
            middle = {"ha": "center", "va": "center", "fontsize": 10}
            spot = points[mask].mean(axis=0)
            note(ax, f"class {c}", spot, (0, 0), BLACK, **middle)
        star = {"marker": "*", "ms": 13, "mec": "white", "mew": 1.2}
        ax.plot(*points[marked], color=BLACK, zorder=10, **star)
        name = f"modality {m}, $x^{m}$" if m else "concepts, $z$"
        ax.set_title(name, color=color)
        ax.set(xticks=[], yticks=[], box_aspect=1)
        ax.margins(0)
        ax.spines[["left", "bottom"]].set_visible(False)
    return fig


def _hills(
    ax: Axes, P: Array, points: Array, data: Bunch, color: ColorType
) -> None:
    """Shade the density of P z by its height, around the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.15 * (high - low)
    x, y = np.meshgrid(*np.linspace(low - margin, high + margin, 200).T)
    grid = np.stack([x, y], axis=-1)
    mixture = zip(data.weights, data.means, data.covariances, strict=True)
    density = sum(
        weight * multivariate_normal.pdf(grid, P @ mean, P @ covariance @ P.T)
        for weight, mean, covariance in mixture
    )
    levels = density.max() * np.array(_HEIGHTS)
    # Steps lie on each other, so that the top is the darkest.
    for level in levels[:-1]:
        step = [level, 1.01 * levels[-1]]
        ax.contourf(x, y, density, step, colors=[color], alpha=0.16)
    ax.contour(x, y, density, levels[:-1], colors=[color], linewidths=0.7)


@styled
def walk(
    path: Array,
    views: Sequence[Array],
    latents: Sequence[Array],
    here: int,
    *,
    every: int = 1,
) -> Figure:
    """One stop of a concept's walk: what is recorded, what is encoded.

    Parameters
    ----------
    path : ndarray of shape (n_points, 2)
        Concepts along the walk.
    views : list of ndarray of shape (n_points, n_features_m)
        What two views record all along.
    latents : list of ndarray of shape (n_points, 2)
        What the encoders make of the records: a ring and a dot.
    here : int
        The point of the walk that is shown.
    every : int, default=1
        Points so many apart get a small mark on the path.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.book import plots
    >>> path = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0]])
    >>> views = [path @ [[1, 2, 0], [0, 1, 1]], path @ [[1, 0], [1, 2]]]
    >>> plots.walk(path, views, [path, path], here=1)
    <Figure size 784x322 with 4 Axes>
    """
    fig = new_figure(2.3)
    grid = fig.add_gridspec(2, 3, width_ratios=[1, 0.9, 1])
    concept = fig.add_subplot(grid[:, 0])
    latent = fig.add_subplot(grid[:, 2])
    for ax, line in ((concept, path), (latent, latents[0])):
        tidy(ax).plot(*line.T, ".-", color=GREY, lw=1.1, ms=5, markevery=every)
        square(ax, line, 0.58)
        ax.locator_params(nbins=5, steps=[1, 2, 5, 10])
    concept.plot(*path[here], "o", color=SHARED, ms=10)
    concept.set_title("concept $z$", color=SHARED)
    marks = {"ms": 13, "mfc": "none", "mew": 2}, {"ms": 6.5, "mew": 0}
    for m, color in enumerate(VIEW[:2]):
        latent.plot(*latents[m][here], "o", color=color, **marks[m])
        ax = tidy(fig.add_subplot(grid[m, 1]))
        n_features = views[m].shape[1]
        ax.bar(range(n_features), views[m][here], color=color, width=0.6)
        ax.axhline(0, color=BLACK, lw=0.8)
        reach = 1.05 * np.abs(views[m]).max()
        ax.set(ylim=(-reach, reach), xticks=[])
        ax.spines["bottom"].set_visible(False)
        ax.set_title(f"modality {m + 1} records", color=color)
    latent.set_title(r"latents $\hat{z}^1$, $\hat{z}^2$")
    return fig
