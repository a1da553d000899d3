"""One transformer a view, in front of any alignment.

A linear alignment finds what is linear in the features. What the features are
is a choice that each view makes for itself, with a pipeline of
scikit-learn: words become counts, pictures principal components, and what is
not linear becomes so in the features of a kernel.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeAlias

from numpy.typing import ArrayLike
from sklearn.base import clone

from perfalign._checks import (
    as_list,
    check_estimator,
    check_hidden,
    check_paired,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Floats, View, Views
from perfalign.alignment._base import BaseAlignment, Latents
from perfalign.alignment._meta import MetaAlignment

#: A transformer a view, or None for a view that stays as it is.
Maps: TypeAlias = Sequence[Any] | Mapping[Any, Any]


class MappedAlignment(MetaAlignment):
    """An alignment of what transformers make of the views.

    Parameters
    ----------
    alignment : estimator
        `PerfectAlignment` or any other with ``fit(views)`` and
        ``transform(views)``.
    maps : list or dict of transformer or None
        One a view; None leaves the view as it is. A view may be anything that
        its transformer takes, such as a list of texts. A dict is taken by the
        names of the views.

    Attributes
    ----------
    maps_ : list
        Fitted clones.
    alignment_ : estimator
        A clone, fitted to the mapped views.

    Notes
    -----
    The maps see the views that are given to ``fit`` and no others, so that
    held-out items stay held out.

    Examples
    --------
    Pictures and French names of emoji:

    >>> from sklearn.decomposition import PCA, TruncatedSVD
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.datasets import load_emoji
    >>> from perfalign.alignment import MappedAlignment
    >>> emoji = load_emoji(["twemoji"])
    >>> mapped = MappedAlignment(
    ...     PerfectAlignment(10, ridge=0.1),
    ...     [
    ...         PCA(50, random_state=0),
    ...         make_pipeline(
    ...             TfidfVectorizer(), TruncatedSVD(50, random_state=0)
    ...         ),
    ...     ],
    ... )
    >>> views = [emoji.views[0], emoji.text["fr"]]
    >>> latents = mapped.fit(views).transform(views)
    >>> [z.shape for z in latents]
    [(1636, 10), (1636, 10)]
    """

    def __init__(self, alignment: BaseAlignment, maps: Maps) -> None:
        self.alignment = alignment
        self.maps = maps

    @one_blas_thread
    def fit(self, views: Views, y: Any = None) -> Self:
        """Fit the maps, each to its view, and the alignment to their output.

        Parameters
        ----------
        views : list or dict of array-like
            Paired views.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : MappedAlignment

        Raises
        ------
        ValueError
            If there is not one map a view, views differ in their numbers or
            labels of rows, and as the maps and the alignment.
        """
        check_estimator(self.alignment, "alignment")
        given, signature, _ = check_paired(views)
        maps, mapped = fit_maps(self.maps, given, signature.view_names)
        self.alignment_ = clone(self.alignment).fit(mapped)
        self.maps_, self.signature_ = maps, signature
        return self

    @one_blas_thread
    def features(self, X: View, view: int | str) -> View:
        """What the alignment sees of one view.

        Parameters
        ----------
        X : array-like of length n_samples
            Whatever the view's map takes.
        view : int or str
            Position m of the view in the fit, or its name there.

        Returns
        -------
        features : array-like of shape (n_samples, n_mapped)
            X itself, if the view has no map.

        Raises
        ------
        ValueError
            If there is no such view, X has hidden (masked) values, or as the
            map.
        """
        self.check_fitted()
        one = self.maps_[self.signature_.position(view)]
        # What a transformer would not notice.
        check_hidden(X, f"view {view!r}")
        return X if one is None else one.transform(X)

    @one_blas_thread
    def transform(self, views: Views, out: Latents | None = None) -> Latents:
        self.check_fitted()
        given = self.signature_.in_order(views)
        check_paired(given)
        mapped = [self.features(X, m) for m, X in enumerate(given)]
        listed = None if out is None else self.signature_.in_order(out)
        latents = super().transform(mapped, listed)
        return self.signature_.as_given(latents, views) if out is None else out

    @one_blas_thread
    def transform_view(
        self, X: View, view: int | str, out: Floats | None = None
    ) -> Floats:
        mapped = self.features(X, view)
        m = self.signature_.position(view)
        return super().transform_view(mapped, m, out)

    @one_blas_thread
    def decode(self, latents: ArrayLike, view: int | str) -> Floats:
        """What the view's map makes of the features that are decoded.

        Parameters
        ----------
        latents : array-like of shape (n_samples, k)
        view : int or str
            Position m of the view in the fit, or its name there.

        Returns
        -------
        decoded : ndarray of shape (n_samples, n_features_m)

        Raises
        ------
        ValueError
            If there is no such view, its map has no ``inverse_transform``, or
            the alignment has no way back from latents to features.
        """
        self.check_fitted()
        m = self.signature_.position(view)
        decoded = super().decode(latents, m)
        one = self.maps_[m]
        if one is None:
            return decoded
        check_estimator(one, f"maps[{m}]", ["inverse_transform"])
        features: Floats = one.inverse_transform(decoded)
        return features


@one_blas_thread
def fit_maps(
    maps: Maps,
    views: Sequence[View],
    names: Sequence[str] | None = None,
) -> tuple[list[Any], list[View]]:
    """Fitted clones of the maps, and the mapped views.

    Parameters
    ----------
    maps : list or dict of transformer or None
        One a view.
    views : list of array-like of length n_samples
    names : sequence of str, default=None
        Names of the views, by which a dict of maps is taken.

    Returns
    -------
    maps : list of transformer or None
        In the order of the views.
    mapped : list of array-like

    Raises
    ------
    ValueError
        If there is not one map a view, or one is no transformer.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from perfalign.alignment import fit_maps
    >>> maps, mapped = fit_maps(
    ...     [StandardScaler(), None], [[[1], [3]], [[5], [9]]]
    ... )
    >>> mapped
    [array([[-1.],
           [ 1.]]), [[5], [9]]]
    """
    maps, _ = as_list(maps, names, what="maps", of="transformers")
    if len(maps) != len(views):
        raise ValueError(
            f"Seen {len(maps)} maps for {len(views)} views; wanted one a "
            "view, or None for a view that stays as it is."
        )
    for m, one in enumerate(maps):
        if one is not None:
            check_estimator(one, f"maps[{m}]", ["fit_transform", "transform"])
    maps = [None if one is None else clone(one) for one in maps]
    mapped = [
        view if one is None else one.fit_transform(view)
        for one, view in zip(maps, views)
    ]
    return maps, mapped
