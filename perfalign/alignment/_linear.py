"""What follows from linear encoders and a summary of the views."""

from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from perfalign._checks import Signature, latent_dtype
from perfalign._linalg import column_norms, inverses, svd
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Floats
from perfalign.alignment._base import BaseAlignment
from perfalign.alignment._diagnostics import latent_rounding
from perfalign.summary import Summary


class LinearAlignment(BaseAlignment):
    r"""Affine encoders :math:`\hat z = A^m x + o^m`.

    A subclass writes ``fit``, which sets the attributes below. The rest
    follows: what every `BaseAlignment` has, a way back from latents to
    features, and whatever may be done with a gauge.

    Attributes
    ----------
    encoders_ : list of ndarray of shape (k, n_features_m)
        The A^m, in latent units over the view's units.
    offsets_ : list of ndarray of shape (k,)
        The o^m.
    center_ : bool
        Whether the views' means are the origin that encoders are seen from.
        It changes no latent, but rounding, and what `loadings` are about.
    summary_ : Summary
        Of the views that all was found from.

    Examples
    --------
    Principal components of each view by itself, which nothing aligns:

    >>> import numpy as np
    >>> from perfalign.alignment import LinearAlignment
    >>> from perfalign.datasets import make_gaussian_views
    >>> from perfalign.summary import StackedSummary
    >>> class Components(LinearAlignment):
    ...     center_ = True
    ...     def fit(self, views, y=None):
    ...         self.summary_ = summary = StackedSummary.from_views(views)
    ...         means = summary.split(summary.mean)
    ...         parts = [np.linalg.svd(R) for R in summary.blocks()]
    ...         self.encoders_ = [Vt[:2] for _, _, Vt in parts]
    ...         self.offsets_ = [-A @ b for A, b in zip(self.encoders_, means)]
    ...         return self
    >>> views = make_gaussian_views(random_state=0).views
    >>> components = Components().fit(views)
    >>> [z.shape for z in components.transform(views)]
    [(2000, 2), (2000, 2)]
    >>> bool(np.allclose(components.translate(views[0], 0, 0), views[0]))
    True
    """

    encoders_: list[Array]
    offsets_: list[Array]
    summary_: Summary
    center_: bool

    @property
    def _pooled(self) -> bool:
        """Whether encoders come from comparing the entries of their rows."""
        return False

    @property
    def _rtol(self) -> float:
        """Relative rank tolerance of the fit."""
        return self.summary_.default_rtol()

    @property
    def signature_(self) -> Signature:  # type: ignore[override]
        """What further views must have in common with those of the fit."""
        return self.summary_.signature

    @property
    def n_components_(self) -> int:
        """Latent dimension k."""
        return len(self.encoders_[0])

    def _encode(self, X: Array, m: int) -> Array:
        center, origin = self._frame(m)
        # A (x − x̄) + (A x̄ + offset) keeps the digits that A x + offset
        # would lose when the mean is large.
        return (X - center) @ self.encoders_[m].T + origin

    def _frame(self, m: int) -> tuple[Array, Array]:
        """A view's centre, and the latent that it is sent to."""
        summary, encoder = self.summary_, self.encoders_[m]
        mean = summary.mean if self.center_ else 0.0 * summary.mean
        center = summary.split(mean)[m]
        origin = encoder @ center + self.offsets_[m]
        if self.center_:
            # The digits of the mean that neither it nor the offset can hold.
            rest = summary.rest + np.zeros_like(summary.mean)
            origin = origin - encoder @ summary.split(rest)[m]
        return center, origin

    @one_blas_thread
    def latents_of_means(self) -> Array:
        """Where the encoders send the means of the views, if centred.

        Returns
        -------
        latents : ndarray of shape (M, k)
            Where they send 0, if not.
        """
        self.check_fitted()
        return np.array(
            [self._frame(m)[1] for m in range(len(self.encoders_))]
        )

    @one_blas_thread
    def latent_rounding(
        self, features: Sequence[Array], overall: float = 0.0
    ) -> Array:
        """What may be no more than rounding in each latent.

        Parameters
        ----------
        features : list of ndarray of shape (n_features_m,)
            What may be rounding in each feature, in its unit.
        overall : float, default=0.0
            What a row of norm one is rounded to at least, where the entries
            of a row were compared with each other.

        Returns
        -------
        rounding : ndarray of shape (k,)
        """
        self.check_fitted()
        return latent_rounding(
            self.encoders_, features, overall * self._pooled
        )

    @one_blas_thread
    def loadings(self, view: int | str) -> Array:
        r"""Least squares map from the latents of a view to its features.

        .. math:: L^m = (A^m C_m A^{m\top})^{+} A^m C_m ,

        with :math:`C_m` the covariance of the view in the fit (about 0, if it
        was not centred; about the means of the sets after `fit_incomplete`,
        where sets differ in their means). It is free of units: with a feature
        in another one, the column has another one.

        Parameters
        ----------
        view : int or str
            Position m of the view in the fit, or its name there.

        Returns
        -------
        loadings : ndarray of shape (k, n_features_m)

        Raises
        ------
        ValueError
            If there is no such view.
        """
        self.check_fitted()
        m = self.signature_.position(view)
        summary = self.summary_
        rtol = self._rtol
        rounding = self.latent_rounding(
            summary.rounding(rtol, self.center_),
            overall=rtol * summary.norms().max(),
        )
        block = summary.view_blocks(self.center_)[m]
        z = block @ self.encoders_[m].T
        # A gauge may give every latent a unit of its own; what is rounding
        # there must not become a signal.
        units = inverses(column_norms(z), rounding)
        U, s, Vt = svd(z * units, full_matrices=False)
        kept = s > rtol * s[0]
        loadings: Array = (Vt[kept].T / s[kept]) @ (U[:, kept].T @ block)
        return units[:, None] * loadings

    @one_blas_thread
    def decode(
        self,
        latents: ArrayLike,
        view: int | str,
        *,
        minimum_norm: bool = False,
    ) -> Floats:
        r"""A view's features from latents.

        .. math:: \hat x = \bar x^m + L^{m\top} (\hat z - \hat z(\bar x^m))

        with the `loadings`, the best linear reconstruction of the view from
        its own latents. Its latent is :math:`\hat z` again, if that is one
        that the view can have.

        Parameters
        ----------
        latents : array-like of shape (n_samples, k)
        view : int or str
            Position m of the view in the fit, or its name there.
        minimum_norm : bool, default=False
            Of all features with that latent, the ones nearest to the mean:
            :math:`A^{m+}` takes the place of :math:`L^{m\top}`. Near depends
            on the features' units; no samples are needed for it.

        Returns
        -------
        decoded : ndarray of shape (n_samples, n_features_m)

        Raises
        ------
        ValueError
            If there is no such view, or the latents are not of dimension k.
        """
        self.check_fitted()
        m = self.signature_.position(view)
        z = self._latents_of_fit(latents)
        center, origin = self._frame(m)
        if minimum_norm:
            back = np.linalg.pinv(self.encoders_[m]).T
        else:
            back = self.loadings(m)
        decoded = (z - origin) @ back + center
        return decoded.astype(latent_dtype(latents), copy=False)

    @one_blas_thread
    def with_gauge(self, matrix: Array, offset: Array) -> Self:
        """This alignment, its latents mapped by ``matrix @ z + offset``.

        Parameters
        ----------
        matrix : ndarray of shape (k, k)
            Invertible, or latents are lost.
        offset : ndarray of shape (k,)

        Returns
        -------
        alignment : LinearAlignment
            New and fitted. A clone forgets the gauge, as all that was fitted.
        """
        self.check_fitted()
        encoders = [matrix @ A for A in self.encoders_]
        offsets = [matrix @ o + offset for o in self.offsets_]
        mapped = copy(self)
        mapped.__dict__.pop("gauge_symmetries_", None)
        mapped.encoders_, mapped.offsets_ = encoders, offsets
        return mapped
