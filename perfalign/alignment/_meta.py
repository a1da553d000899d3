"""Alignments around another one."""

from numpy.typing import ArrayLike

from perfalign._checks import check_estimator
from perfalign._types import Array, Floats, View, Views
from perfalign.alignment._base import BaseAlignment, Latents


class MetaAlignment(BaseAlignment):
    """What another alignment finds, which is fitted as ``alignment_``.

    A subclass writes ``fit``, which sets the attributes below. Latents,
    decoded features and the latent dimension are those of the alignment
    inside.

    Attributes
    ----------
    alignment_ : BaseAlignment
        Fitted.
    signature_ : Signature
        What further views must have in common with those of the fit.

    Examples
    --------
    >>> from sklearn.base import clone
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.alignment import MetaAlignment
    >>> from perfalign.datasets import make_gaussian_views
    >>> class FirstHalf(MetaAlignment):
    ...     def __init__(self, alignment):
    ...         self.alignment = alignment
    ...     def fit(self, views, y=None):
    ...         half = [view[: len(view) // 2] for view in views]
    ...         self.alignment_ = clone(self.alignment).fit(half)
    ...         self.signature_ = self.alignment_.signature_
    ...         return self
    >>> views = make_gaussian_views(random_state=0).views
    >>> alignment = FirstHalf(PerfectAlignment(2)).fit(views)
    >>> f"{alignment.score([view[1000:] for view in views]):.3f}"
    '1.000'
    """

    alignment_: BaseAlignment

    def _encode(self, X: Array, m: int) -> Floats:
        return self.alignment_.transform_view(X, m)

    @property
    def n_components_(self) -> int:
        """Latent dimension k."""
        check_estimator(self.alignment_, "alignment_", ["n_components_"])
        return self.alignment_.n_components_

    def transform(self, views: Views, out: Latents | None = None) -> Latents:
        self.check_fitted()
        if out is None:
            return self.alignment_.transform(views)
        return self.alignment_.transform(views, out)

    def transform_view(
        self, X: View, view: int | str, out: Floats | None = None
    ) -> Floats:
        self.check_fitted()
        check_estimator(self.alignment_, "alignment_", ["transform_view"])
        if out is None:
            return self.alignment_.transform_view(X, view)
        return self.alignment_.transform_view(X, view, out)

    def decode(self, latents: ArrayLike, view: int | str) -> Floats:
        self.check_fitted()
        check_estimator(self.alignment_, "alignment_", ["decode"])
        return self.alignment_.decode(latents, view)
