"""One transformer a modality, in front of any alignment.

A linear alignment finds what is linear in the features. What the features are
is a choice that each modality makes for itself, with a pipeline of
scikit-learn: words become counts, pictures principal components, and what is
not linear becomes so in the features of a kernel.
"""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics import pairwise_distances
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import (
    Signature,
    as_list,
    check_estimator,
    check_hidden,
    check_integer,
    check_number,
    check_paired,
    check_view,
)

# Rows among which distances are measured: their median needs no more.
N_MEASURED = 500


class GaussianFeatures(TransformerMixin, BaseEstimator):
    r"""Features whose inner products are those of a Gaussian kernel.

    .. math:: \phi(x)^\top \phi(y) \approx
              \exp\Big(-\frac{\|x - y\|^2}{2 w^2 m^2}\Big)

    with m the median distance between rows of the training data, so that the
    width w is unit-free and 1 a fair first choice. scikit-learn's
    ``Nystroem`` computes them.

    Parameters
    ----------
    n_components : int, default=300
        Number of features; at most the number of training rows is used.
    width : float, default=1.0
        w > 0.
    random_state : int, RandomState instance or None, default=None
        Chooses the rows that the features are measured from.

    Attributes
    ----------
    map_ : Nystroem
    median_distance_ : float
        m, in the units of the data.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, of data frames only.

    Raises
    ------
    ValueError
        On fitting, if a parameter is invalid, X is not a finite real matrix
        or more than half of the distances are 0; later, if columns are not
        those of the fit.

    Notes
    -----
    Distances add up columns, so that these should be of comparable unit. The
    Nyström method (Williams and Seeger 2001). Cost O(n p d + n p² + p³)
    for p features.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign.alignment._mapped import GaussianFeatures
    >>> x = np.linspace(0, 1, 50)[:, np.newaxis]
    >>> features = GaussianFeatures(20, random_state=0).fit(x)
    >>> phi, m = features.transform(x), features.median_distance_
    >>> kernel = np.exp(-((x - x.T) ** 2) / (2 * m**2))
    >>> bool(np.allclose(phi @ phi.T, kernel, atol=1e-6))
    True
    """

    def __init__(self, n_components=300, *, width=1.0, random_state=None):
        self.n_components = n_components
        self.width = width
        self.random_state = random_state

    def fit(self, X, y=None):
        """Measure the median distance and choose the rows."""
        signature_of = X
        X, _ = check_view(X, "X")
        check_number(self.width, "width", above=0)
        check_integer(self.n_components, "n_components")
        rng = check_random_state(self.random_state)
        some = X[rng.permutation(len(X))[:N_MEASURED]]
        between = pairwise_distances(some)[np.triu_indices(len(some), k=1)]
        m = np.median(between) if len(between) else 0.0
        if not m > 0:
            raise ValueError(
                f"The median distance between the rows of X, {X.shape}, is "
                "0: most of them are equal, and no width suits them."
            )
        self.median_distance_ = float(m)
        self.map_ = Nystroem(
            gamma=0.5 / (self.width * m) ** 2,
            n_components=min(self.n_components, len(X)),
            random_state=rng,
        ).fit(X)
        self.signature_ = Signature.of([signature_of])
        return self

    @property
    def n_features_in_(self):
        return self.signature_.n_features[0]

    @property
    def feature_names_in_(self):
        (names,) = self.signature_.feature_names_in
        if names is None:
            raise AttributeError("The fit has seen no names of columns.")
        return names

    def transform(self, X):
        """Features of the rows of X."""
        check_is_fitted(self)
        X, _ = check_view(X, "X", **self.signature_.wanted(0))
        return self.map_.transform(X)


class MappedAlignment(BaseEstimator):
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
    >>> from perfalign.alignment._mapped import MappedAlignment
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

    __metadata_request__fit = {"views": UNUSED}
    __metadata_request__transform = {"views": UNUSED}

    def __init__(self, alignment, maps):
        self.alignment = alignment
        self.maps = maps

    def fit(self, views, y=None):
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

    def features(self, view, modality):
        """What the alignment sees of one view."""
        check_is_fitted(self)
        one = self.maps_[self.signature_.position(modality)]
        # What a transformer would not notice.
        check_hidden(view, f"view {modality!r}")
        return view if one is None else one.transform(view)

    def transform(self, views):
        """Latents of all views, as a list or a dict like the views."""
        check_is_fitted(self)
        given = self.signature_.in_order(views)
        check_paired(given)
        latents = self.alignment_.transform(
            [self.features(view, m) for m, view in enumerate(given)]
        )
        return self.signature_.as_given(latents, views)

    def transform_view(self, view, modality):
        """Latents of one view alone."""
        features = self.features(view, modality)
        m = self.signature_.position(modality)
        return self.alignment_.transform_view(features, m)


def fit_maps(maps, views, names=None):
    """Fitted clones of the maps, and the mapped views.

    Parameters
    ----------
    maps : list or dict of transformer or None
    views : list of array-like
    names : sequence of str, default=None
        Names of the views, by which a dict of maps is taken.

    Returns
    -------
    maps : list of transformer or None
    mapped : list of array-like

    Raises
    ------
    ValueError
        If there is not one map a view.
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
