"""Alignments around another one."""

from numpy.typing import ArrayLike

from perfalign._checks import check_estimator
from perfalign._types import Array, Floats, View, Views
from perfalign.alignment._base import BaseAlignment, Latents


class MetaAlignment(BaseAlignment):
    """What another alignment finds, which is fitted as ``alignment_``.

    A subclass writes ``fit``, which keeps ``alignment_`` and ``signature_``.
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
        """As that of the alignment inside."""
        self.check_fitted()
        check_estimator(self.alignment_, "alignment_", ["decode"])
        return self.alignment_.decode(latents, view)
