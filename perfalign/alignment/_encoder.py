"""One view's encoder, wherever scikit-learn wants a transformer."""

from copy import copy, deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import _safe_indexing

from perfalign._checks import at_hand, check_estimator, check_own_parameters
from perfalign._types import Floats, View


class ViewEncoder(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""The encoder of one view of a fitted alignment.

    .. math:: x \mapsto \hat z = f^m(x)

    Parameters
    ----------
    alignment : BaseAlignment
        Fitted.
    view : int or str
        Position m of the view in the fit, or its name there.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str of shape (n_features_m,)
        Only if the view had names of columns.

    Notes
    -----
    Nothing is learned here: ``fit`` returns the encoder as it is, and
    ``sklearn.base.clone`` keeps the fitted alignment. So what a pipeline is
    cross-validated for is what comes after the encoder; pairs that the
    alignment was fitted to are no new items to it. To search among
    alignments, search among their encoders, ``{"viewencoder": [...]}``.

    Examples
    --------
    The labels of the first view train a classifier for the second.

    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> from sklearn.pipeline import make_pipeline
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(random_state=0)
    >>> seen, heard = data.views
    >>> alignment = PerfectAlignment(2).fit(data.views)
    >>> classifier = make_pipeline(
    ...     alignment.encoder(0), LinearDiscriminantAnalysis()
    ... ).fit(seen, data.labels)
    >>> f"{classifier.score(seen, data.labels):.3f}"
    '0.999'
    >>> z = alignment.encoder(1).transform(heard)
    >>> f"{classifier[-1].score(z, data.labels):.3f}"
    '0.999'
    """

    def __init__(self, alignment: Any, view: int | str) -> None:
        self.alignment = alignment
        self.view = view

    def __sklearn_clone__(self) -> Self:
        # A clone of the alignment would have forgotten its fit; what the
        # user has set, such as the output, is kept as scikit-learn keeps it.
        twin = copy(self)
        for name in ("_sklearn_output_config", "_metadata_request"):
            if hasattr(self, name):
                setattr(twin, name, deepcopy(getattr(self, name)))
        return twin

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters; not those of the alignment, which are settled.

        Parameters
        ----------
        deep : bool, default=True
            Ignored.

        Returns
        -------
        params : dict
            ``alignment`` and ``view``.
        """
        return {"alignment": self.alignment, "view": self.view}

    def set_params(self, **params: Any) -> Self:
        """Set the alignment or the view.

        Parameters
        ----------
        **params : dict
            By name.

        Returns
        -------
        self : ViewEncoder

        Raises
        ------
        ValueError
            For parameters of the alignment: it is fitted, and all clones of
            the encoder have it in common.
        """
        check_own_parameters(self, params, {"alignment"})
        super().set_params(**params)
        return self

    def fit(self, X: View = None, y: Any = None) -> Self:
        """Check that the alignment is fitted and has the view.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m), default=None
            Ignored; nothing is learned.
        y : None
            Ignored.

        Returns
        -------
        self : ViewEncoder

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the alignment is not fitted.
        ValueError
            If it has no such view.
        """
        wanted = ("check_fitted", "transform_view")
        check_estimator(self.alignment, "alignment", wanted)
        self.alignment.check_fitted()
        self._place()
        if X is not None:
            # The first row has all the columns.
            self.transform(_safe_indexing(at_hand(X), [0]))
        return self

    def transform(self, X: View) -> Floats:
        """Latents of rows of the view.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_m)

        Returns
        -------
        latents : ndarray of shape (n_samples, k)

        Raises
        ------
        ValueError
            If the features do not fit.
        """
        latents: Floats = self.alignment.transform_view(X, self.view)
        return latents

    def inverse_transform(self, X: ArrayLike) -> Floats:
        """What the alignment decodes latents to.

        Parameters
        ----------
        X : array-like of shape (n_samples, k)

        Returns
        -------
        decoded : ndarray of shape (n_samples, n_features_m)

        Raises
        ------
        ValueError
            If the alignment has no way back from latents to features.
        """
        decoded: Floats = self.alignment.decode(X, self.view)
        return decoded

    def _place(self) -> int:
        place: int = self.alignment.signature_.position(self.view)
        return place

    @property
    def n_features_in_(self) -> int:
        n_features: int = self.alignment.n_features_in_[self._place()]
        return n_features

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        names: NDArray[np.object_]
        names = self.alignment.signature_.feature_names_of(self._place())
        return names

    @property
    def _n_features_out(self) -> int:
        n_components: int = self.alignment.n_components_
        return n_components

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self.alignment, "signature_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
