"""Pictures of latents: true, seen through views, estimated, modelled."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from perfalign._types import Array
from perfalign.book.plots.style import (
    BLACK,
    SHARED,
    SMALL,
    VIEW,
    WIDTH,
    Figure,
    by_class,
    new_figure,
    note,
    panels,
    shades,
    square,
    styled,
    thin,
    tidy,
)

#: Ring, dot, cross: a dot in a ring is an exact overlap.
MARKS = (
    {"marker": "o", "ms": 7.5, "mfc": "none", "mew": 1.3},
    {"marker": "o", "ms": 3.6, "mew": 0, "zorder": 3},
    {"marker": "x", "ms": 5, "mew": 1.2, "zorder": 4},
)


def _plane(ax: Axes, points: Array, **labels: Any) -> None:
    """Make an axes a square latent plane, equal units on both axes."""
    names = {"xlabel": "latent dimension 1", "ylabel": "latent dimension 2"}
    ax.set(**{**names, **labels})
    square(ax, points)
    ax.locator_params(nbins=6, steps=[1, 2, 5, 10])


def mark_points(
    ax: Axes,
    points: Array,
    labels: ArrayLike | None,
    color: ColorType,
    **mark: Any,
) -> None:
    """Draw points of one view, a shade per class."""
    _, masks = by_class(labels, len(points))
    for mask, shade in zip(masks, shades(color, len(masks)), strict=True):
        ax.plot(*points[mask].T, ls="", color=shade, **mark)


def _name(c: Any) -> str:
    return str(c) if isinstance(c, str) else f"class {c}"


def name_classes(ax: Axes, points: Array, labels: ArrayLike | None) -> None:
    """Write each class's name on the middle of its points."""
    for c, mask in zip(*by_class(labels, len(points)), strict=True):
        if c is not None:
            spot = points[mask].mean(axis=0)
            note(ax, _name(c), spot, (0, 0), BLACK, ha="center", va="center")


def name_views(fig: Figure, n_views: int, **others: dict[str, Any]) -> None:
    """Put the marks of the views, and others by name, in a legend."""
    marks = {
        f"modality {m + 1}": {"color": VIEW[m], **MARKS[m]}
        for m in range(n_views)
    } | others
    handles = [Line2D([], [], ls="", **mark) for mark in marks.values()]
    tight = {"handletextpad": 0.1, "handlelength": 1.2, "columnspacing": 1}
    where = {"loc": "outside lower right", "ncols": 3, "borderpad": 0}
    fig.legend(handles, marks, **where, **tight)


@styled
def latent_space(
    latents: Sequence[Array],
    labels: ArrayLike | None = None,
    *,
    reference: ArrayLike | None = None,
    shown: int = 240,
) -> Figure:
    """Latents of all views, drawn over each other.

    View 1 is a ring, view 2 a dot, view 3 a cross, so that an exact overlap
    reads as a dot in a ring. Classes differ by shade.

    Parameters
    ----------
    latents : list of ndarray of shape (n_samples, 2)
        One array per view, at most three.
    labels : array-like of shape (n_samples,), default=None
        Classes; they are named at their centres.
    reference : ndarray of shape (n_samples, 2), default=None
        True latents, drawn in a panel of their own on the left.
    shown : int, default=240
        At most so many samples are drawn, evenly spaced over the rows.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are more than three views.
    """
    if len(latents) > len(MARKS):
        raise ValueError(
            f"there are marks for at most {len(MARKS)} views, not "
            f"{len(latents)}."
        )
    rows = thin(len(latents[0]), shown)
    latents = [np.asarray(z)[rows] for z in latents]
    labels = None if labels is None else np.asarray(labels)[rows]
    size = (1, 4.3, 4.0) if reference is None else (2, 3.35, WIDTH)
    fig, axes = panels(size[0], height=size[1], width=size[2])
    if reference is not None:
        truth = np.asarray(reference)[rows]
        mark_points(axes[0], truth, labels, SHARED, marker="o", ms=4, mew=0)
        name_classes(axes[0], truth, labels)
        _plane(axes[0], truth, title="true concepts")
    for z, color, mark in zip(latents, VIEW, MARKS, strict=False):
        mark_points(axes[-1], z, labels, color, **mark)
    name_classes(axes[-1], latents[0], labels)
    estimated = {} if reference is None else {"title": "estimated latents"}
    _plane(axes[-1], np.vstack(latents), **estimated)
    name_views(fig, len(latents))
    return fig


@styled
def view_clouds(data: Bunch, *, shown: int = 300) -> Figure:
    """Concepts, and the planes on which two views show them.

    Parameters
    ----------
    data : Bunch
        With `latents` of shape (n_samples, 2), `views` (two arrays of three
        features), and `labels`, as
        `perfalign.datasets.make_gaussian_views` returns them.
    shown : int, default=300
        At most so many samples are drawn, evenly spaced over the rows.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    rows = thin(len(data.latents), shown)
    labels = np.asarray(data.labels)[rows]
    fig = new_figure(2.35)
    grid = fig.add_gridspec(1, 3, width_ratios=[1, 1.15, 1.15])
    ax = tidy(fig.add_subplot(grid[0]))
    dot = {"marker": "o", "ms": 3, "mew": 0}
    mark_points(ax, data.latents[rows], labels, SHARED, **dot)
    name_classes(ax, data.latents[rows], labels)
    _plane(ax, data.latents[rows], title="concepts")
    for m, view in enumerate(data.views[:2]):
        ax = fig.add_subplot(grid[m + 1], projection="3d")
        _fill_plane(ax, view[rows], VIEW[m])
        mark = {"marker": "o", "ms": 2.5, "mew": 0}
        mark_points(ax, view[rows], labels, VIEW[m], **mark)
        ax.set_title(f"modality {m + 1}", color=VIEW[m])
        ax.set_box_aspect((1, 1, 1), zoom=0.95)
        for j, axis in enumerate((ax.xaxis, ax.yaxis, ax.zaxis), start=1):
            axis.set_label_text(f"feature {j}", fontsize=SMALL)
            axis.set_ticks([])
            axis.labelpad = -13
    return fig


def _fill_plane(ax: Any, cloud: Array, color: ColorType) -> None:
    """Draw the plane that fits a cloud best, seen neither flat nor edge-on."""
    centre = cloud.mean(axis=0)
    _, _, axes = np.linalg.svd(cloud - centre, full_matrices=False)
    reach = np.abs((cloud - centre) @ axes[:2].T).max(axis=0)
    u, v = 1.05 * reach[:, None] * axes[:2]
    s, t = np.meshgrid([-1, 1], [-1, 1])
    surface = [c + a * s + b * t for c, a, b in zip(centre, u, v, strict=True)]
    ax.plot_surface(*surface, color=color, alpha=0.15, shade=False)
    elevation, azimuths = np.radians(22), np.radians(np.arange(-80, 0, 5))
    across = np.cos(elevation) * np.array([np.cos(azimuths), np.sin(azimuths)])
    facing = np.abs(axes[2, :2] @ across + axes[2, 2] * np.sin(elevation))
    ax.view_init(22, np.degrees(azimuths[np.argmin(np.abs(facing - 0.65))]))


@styled
def gaussians(
    mixture: Any,
    latents: Sequence[Array],
    labels: Sequence[ArrayLike] | None = None,
    *,
    titles: Sequence[str] | None = None,
    boundary: bool = True,
    shown: int = 240,
) -> Figure:
    """Class Gaussians over latents: ellipses at one and two deviations.

    One panel per array of latents, all with the same Gaussians, so that a
    model fitted on the first view is seen used on the second. Points that
    are taken for another class are crossed out.

    Parameters
    ----------
    mixture : ClassGaussians
        In two dimensions: `means`, `covariances` and `predict` are used.
    latents : list of ndarray of shape (n_samples, 2)
        One array per view, at most two.
    labels : list of array-like of shape (n_samples,), default=None
        Classes of the points of each panel, shown by shade.
    titles : list of str, default=None
        One per panel.
    boundary : bool, default=True
        Whether the regions of the mixture's classes are shaded.
    shown : int, default=240
        At most so many samples are drawn, evenly spaced over the rows.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    rows = [thin(len(z), shown) for z in latents]
    latents = [np.asarray(z)[r] for z, r in zip(latents, rows, strict=True)]
    classes: list[Any] = [None] * len(latents)
    if labels is not None:
        classes = [np.asarray(y)[r] for y, r in zip(labels, rows, strict=True)]
    deviations = [np.sqrt(np.diag(c)) for c in mixture.covariances]
    corners = [mixture.means + 2 * np.array(deviations) * d for d in (-1, 1)]
    every = np.vstack([*latents, *corners])
    low, high = every.min(axis=0), every.max(axis=0)
    low, high = low - 0.05 * (high - low), high + 0.12 * (high - low)
    width = WIDTH if len(latents) > 1 else 4.4
    aspect = np.divide(*(high - low)[::-1])
    height = (width - 0.75) / len(latents) * aspect + 0.85
    size = {"width": width, "height": height}
    fig, axes = panels(len(latents), sharey=True, **size)
    for m, (ax, z) in enumerate(zip(axes, latents, strict=True)):
        if boundary:
            decision_regions(ax, mixture, low, high)
        mark_points(ax, z, classes[m], VIEW[m], marker="o", ms=4, mew=0)
        if classes[m] is not None:
            wrong = z[mixture.predict(z) != classes[m]]
            cross = {"marker": "x", "ms": 7, "mew": 1.6, "zorder": 4}
            ax.plot(*wrong.T, ls="", color=BLACK, **cross)
        _ellipses(ax, mixture)
        _plane(ax, z, title=titles[m] if titles else f"modality {m + 1}")
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        ax.label_outer()
    return fig


def _ellipses(ax: Axes, mixture: Any) -> None:
    """Outline named Gaussians at one and two standard deviations."""
    classes = mixture.classes, mixture.means, mixture.covariances
    for c, mean, covariance in zip(*classes, strict=True):
        variances, axes = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(*axes[::-1, 1]))
        line = {"angle": angle, "fill": False, "ec": BLACK, "lw": 1.4}
        for deviations in (1, 2):
            size = 2 * deviations * np.sqrt(variances[::-1])
            ax.add_patch(Ellipse(mean, *size, **line))
        top = mean[0], mean[1] + 2 * np.sqrt(covariance[1, 1])
        note(ax, _name(c), top, (0, 4), BLACK, ha="center")


def decision_regions(ax: Axes, mixture: Any, low: Array, high: Array) -> None:
    """Shade what the mixture takes for which class, lightly."""
    x, y = np.meshgrid(*np.linspace(low, high, 500).T)
    predicted = mixture.predict(np.column_stack([x.ravel(), y.ravel()]))
    classes, codes = np.unique(predicted, return_inverse=True)
    ax.imshow(
        codes.reshape(x.shape),
        cmap=ListedColormap(
            [str(grey) for grey in np.linspace(0.89, 0.98, len(classes))]
        ),
        extent=(low[0], high[0], low[1], high[1]),
        interpolation="nearest",
        origin="lower",
        zorder=0,
    )
