"""Alignments around another one."""

from perfalign.alignment._base import BaseAlignment


class MetaAlignment(BaseAlignment):
    """What another alignment finds, which is fitted as ``alignment_``.

    A subclass writes ``fit``, which keeps ``alignment_`` and ``signature_``.
    """

    def _encode(self, X, m):
        return self.alignment_.transform_view(X, m)

    @property
    def n_components_(self):
        """Latent dimension k."""
        return self.alignment_.n_components_

    def transform(self, views, out=None):
        self.check_fitted()
        if out is None:
            return self.alignment_.transform(views)
        return self.alignment_.transform(views, out)

    def transform_view(self, X, view, out=None):
        self.check_fitted()
        if out is None:
            return self.alignment_.transform_view(X, view)
        return self.alignment_.transform_view(X, view, out)

    def decode(self, latents, view):
        """As that of the alignment inside."""
        self.check_fitted()
        return self.alignment_.decode(latents, view)
