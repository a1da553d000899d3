"""What every alignment can do, whatever it is found by."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from copy import copy
from html import escape
from typing import Any, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import _num_samples, check_is_fitted

from perfalign._checks import (
    Signature,
    at_hand,
    check_view,
    in_double,
    latent_dtype,
    slabs,
    view_slabs,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Floats, View, Views
from perfalign.alignment._encoder import ViewEncoder
from perfalign.metrics import component_correlations

#: Latents of all views: a list of arrays, or a dict of them for a dict of
#: views.
Latents: TypeAlias = Any

#: One entry a view.
Seen = TypeVar("Seen", bound=Sequence[Any])


class BaseAlignment(ABC, BaseEstimator):
    r"""Encoders :math:`f^m`, one a view, into one latent space.

    An alignment of one's own is a subclass that has

    - ``fit(views, y=None)``, which finds the encoders, keeps the
      :class:`~perfalign.summary.Signature` of the views as ``signature_`` and
      returns the object;
    - ``_encode(X, m)``, the latents, of shape (n_samples, k), of rows of view
      number m. X is an ndarray of float64 that has been checked: finite, with
      the fitted features;
    - ``n_components_``, the latent dimension k: a property, or an attribute
      of the class.

    All the rest follows: views come as a list or a dict, dense, sparse or on
    disk, and are checked against the fit. Whoever has a way back from latents
    to features writes `decode`, too.

    Attributes
    ----------
    signature_ : Signature
        What further views must have in common with those of the fit.

    See Also
    --------
    LinearAlignment : has `decode`, and is open to the tools of the gauge.
    MetaAlignment : does something with another alignment.

    Examples
    --------
    What views of anything have in common may be how large it is:

    >>> import numpy as np
    >>> from perfalign.alignment import BaseAlignment
    >>> from perfalign.summary import Signature
    >>> class Sizes(BaseAlignment):
    ...     n_components_ = 1
    ...     def fit(self, views, y=None):
    ...         self.signature_ = Signature.of(views)
    ...         listed = self.signature_.in_order(views)
    ...         self.units_ = [np.max(np.abs(X)) for X in listed]
    ...         return self
    ...     def _encode(self, X, m):
    ...         return np.abs(X).max(axis=1, keepdims=True) / self.units_[m]
    >>> views = {"seen": [[3, 4], [6, 8], [9, 12]], "heard": [[1], [2], [3]]}
    >>> sizes = Sizes().fit(views)
    >>> sizes.transform_view([[5, 6]], "seen")
    array([[0.5]])
    >>> f"{sizes.score(views):.1f}"
    '1.0'
    >>> sizes.encoder("heard").transform([[6]])
    array([[2.]])
    """

    signature_: Signature

    # Views are the data, nothing for scikit-learn to route.
    __metadata_request__fit = {"views": UNUSED}
    __metadata_request__partial_fit = {"views": UNUSED}
    __metadata_request__transform = {"views": UNUSED, "out": UNUSED}
    __metadata_request__score = {"views": UNUSED}

    @abstractmethod
    def fit(self, views: Views, y: Any = None) -> Self:
        """Find encoders from paired views.

        Parameters
        ----------
        views : list or dict of array-like of shape (n_samples, n_features_m)
            Row i of each belongs to item i.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : BaseAlignment
        """

    @abstractmethod
    def _encode(self, X: Array, m: int) -> Floats:
        """Latents of checked rows of view number m."""

    @property
    @abstractmethod
    def n_components_(self) -> int:
        """Latent dimension k."""

    @property
    def n_features_in_(self) -> tuple[int, ...]:
        """Numbers of features of the views; of views that have features."""
        return _seen(self.signature_.n_features, "n_features")

    @property
    def feature_names_in_(self) -> list[NDArray[np.object_] | None]:
        """Names of the columns of each view; only if one had some."""
        return _seen(self.signature_.feature_names_in, "feature_names")

    @property
    def view_names_in_(self) -> tuple[str, ...]:
        """Names of the views, in their order; only if they had some."""
        return _seen(self.signature_.view_names, "view_names")

    def check_fitted(self) -> None:
        """Raise unless fitted, and compute what was left to be computed.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If nothing was fitted.
        ValueError
            If what was seen so far does not suffice.
        """
        check_is_fitted(self, "signature_")

    @one_blas_thread
    def transform(self, views: Views, out: Latents | None = None) -> Latents:
        """Latents of every view.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            All views, in the order of the fit; or a dict of them, if those of
            the fit had names. Arrays on disk are read a few megabytes at a
            time, and sparse ones made dense no more than that.
        out : list of ndarray of shape (n_samples, k), default=None
            Where to write the latents, for instance into `numpy.memmap`
            arrays on disk; one a view.

        Returns
        -------
        latents : list of ndarray of shape (n_samples, k)
            New arrays, of single precision where a view is, or `out`; a dict
            by name for a dict of views.

        Raises
        ------
        ValueError
            If a view is missing or does not have the fitted features, or
            `out` cannot hold the latents.
        """
        self.check_fitted()
        like = self.signature_
        listed = list(map(at_hand, like.in_order(views)))
        listed_out = None if out is None else like.in_order(out)
        chunks = view_slabs(listed, like=like)
        latents = self._written(chunks, range(len(like)), listed, listed_out)
        return like.as_given(latents, views) if out is None else out

    @one_blas_thread
    def transform_view(
        self, X: View, view: int | str, out: Floats | None = None
    ) -> Floats:
        """Latents of one view alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)
        view : int or str
            Position m of the view in the fit, or its name there.
        out : ndarray of shape (n_samples, k), default=None
            Where to write the latents.

        Returns
        -------
        latents : ndarray of shape (n_samples, k)
            A new array, of single precision if X is, or `out`.

        Raises
        ------
        ValueError
            If there is no such view or the features do not fit, or `out`
            cannot hold the latents.
        """
        self.check_fitted()
        m, X = self.signature_.position(view), at_hand(X)
        chunks = slabs([X], [f"view {view!r}"], self.signature_.only(m))
        out = None if out is None else [out]
        return self._written(chunks, [m], [X], out)[0]

    def _written(
        self,
        chunks: Iterable[tuple[slice, list[Array], Any]],
        places: Iterable[int],
        views: Sequence[View],
        out: Sequence[Floats] | None,
    ) -> Sequence[Floats]:
        """Latents of checked chunks of rows, written into arrays."""
        latents: Sequence[Floats] = []
        for rows, parts, _ in chunks:
            for i, (m, part) in enumerate(zip(places, parts)):
                z = self._encode(part, m)
                if np.ndim(z) != 2 or len(z) != len(part):
                    raise ValueError(
                        f"{type(self).__name__} encodes {len(part)} rows of "
                        f"view {m} as an array of shape {np.shape(z)}; wanted "
                        "one row of k latents for each."
                    )
                if not latents:
                    shape = _num_samples(views[0]), z.shape[1]
                    latents = _outputs(out, views, shape)
                latents[i][rows] = z
        return latents

    @one_blas_thread
    def fit_transform(self, views: Views, y: Any = None) -> Latents:
        """Fit and return the latents of the same views.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
        y : None
            Ignored.

        Returns
        -------
        latents : list of ndarray of shape (n_samples, k)

        Raises
        ------
        ValueError
            As `fit`.
        """
        return self.fit(views, y).transform(views)

    def encoder(self, view: int | str) -> ViewEncoder:
        """The encoder of one view, as a transformer of scikit-learn's.

        Parameters
        ----------
        view : int or str
            Position of the view in the fit, or its name there.

        Returns
        -------
        encoder : ViewEncoder
            For pipelines, searches and column transformers. It stays fitted:
            its clones encode as this alignment does now.

        Raises
        ------
        ValueError
            If there is no such view.
        """
        self.check_fitted()
        self.signature_.position(view)
        # Another fit of this alignment gives it other attributes.
        return ViewEncoder(copy(self), view)

    @one_blas_thread
    def score(self, views: Views, y: Any = None) -> float:
        r"""Mean correlation of the views' latents.

        .. math:: \frac{1}{k \binom M2} \sum_{j \le k} \sum_{a < b}
                  \operatorname{corr}(\hat z_j^a, \hat z_j^b)

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            Of items that the fit has not seen; of those that it has seen the
            score says little (chapter 9).
        y : None
            Ignored.

        Returns
        -------
        score : float
            From −1 to 1; a constant latent counts as 0.

        Raises
        ------
        ValueError
            As `transform`.
        """
        self.check_fitted()
        given = self.signature_.in_order(views)
        latents = self.transform(list(map(in_double, given)))
        return float(np.mean(component_correlations(latents)))

    def decode(self, latents: ArrayLike, view: int | str) -> Floats:
        """A view's features from latents, where there is a way back.

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
            If there is no such view, the latents are not of dimension k, or
            there is no way back; a `LinearAlignment` has one.
        """
        raise ValueError(
            f"{type(self).__name__} has no way back from latents to features; "
            "linear alignments (LinearAlignment) have one."
        )

    def _latents_of_fit(self, latents: ArrayLike) -> Array:
        """Latents that are to be decoded, as they must be."""
        z, _ = check_view(latents, "latents")
        if z.shape[1] != self.n_components_:
            raise ValueError(
                f"latents have shape {z.shape}; wanted {self.n_components_} "
                "columns, one a component."
            )
        return z

    @one_blas_thread
    def translate(
        self, X: View, source: int | str, target: int | str
    ) -> Floats:
        """Map one view into another through the latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_source)
        source, target : int or str
            Positions of the views in the fit, or their names there.

        Returns
        -------
        translated : ndarray of shape (n_samples, n_features_target)
            What `decode` makes of the latents.

        Raises
        ------
        ValueError
            If there is no such view, the features do not fit, or there is no
            way back from latents to features.
        """
        latents = self.transform_view(in_double(X), source)
        translated = self.decode(latents, target)
        return translated.astype(latent_dtype(X), copy=False)

    def _found(self) -> dict[str, str]:
        """What was found, as lines of a word and a text."""
        found = {"latent dimension": str(self.n_components_)}
        names = getattr(self, "view_names_in_", None)
        features = getattr(self, "n_features_in_", None)
        if features is not None:
            named = zip(names or range(len(features)), features)
            views = [f"{name} ({d} features)" for name, d in named]
            found = {"views": ", ".join(views), **found}
        return found

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**kwargs)
        if not hasattr(self, "signature_"):
            return bundle
        found = self._found()
        width = max(map(len, found))
        lines = [f"  {word:{width}}  {text}" for word, text in found.items()]
        bundle["text/plain"] = "\n".join([repr(self), *lines])
        if "text/html" in bundle:
            rows = "".join(
                f"<tr><th style='text-align:left'>{word}</th>"
                f"<td style='text-align:left'>{escape(text)}</td></tr>"
                for word, text in found.items()
            )
            bundle["text/html"] += f"<table>{rows}</table>"
        return bundle

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # A list of matrices, one a view.
        tags.input_tags.two_d_array = False
        return tags


def _seen(found: Seen | None, name: str) -> Seen:
    if found is None or all(one is None for one in found):
        raise AttributeError(f"The fit has seen no {name}.")
    return found


def _outputs(
    out: Sequence[Floats] | None,
    views: Sequence[View],
    shape: tuple[int, int],
) -> Sequence[Floats]:
    if out is None:
        return [np.empty(shape, latent_dtype(view)) for view in views]
    seen = [(np.shape(array), getattr(array, "dtype", None)) for array in out]
    if [one for one, _ in seen] != [shape] * len(views) or not all(
        dtype is not None and dtype.kind == "f" for _, dtype in seen
    ):
        raise ValueError(
            "out holds "
            + ", ".join(f"{dtype} of shape {one}" for one, dtype in seen)
            + f"; wanted {len(views)} arrays of floats of shape {shape}."
        )
    return out
