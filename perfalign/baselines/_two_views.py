"""What all baselines of two views have in common."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import Signature, check_integer, check_view, check_views


class TwoViewAlignment(BaseEstimator):
    """Affine encoders of two views, found in a way of the subclass's own.

    A subclass gives ``_encoders(views, rounding)``, the matrices A^m for
    centred views, given how large the rounding of each is (Frobenius norms).
    What it makes of the latents A^m (x − x̄^m) may be more than the identity.
    """

    # Views are the data, nothing for scikit-learn to route.
    __metadata_request__fit = {"views": UNUSED}
    __metadata_request__transform = {"views": UNUSED}

    def fit(self, views, y=None):
        """Find the encoders from paired views.

        Parameters
        ----------
        views : list or dict of two array-like (n_samples, n_features_m)
            Row i of each belongs to item i. Data frames keep the names of
            their columns, a dict those of the views.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For invalid parameters, other than two views, or views that are
            not finite real matrices of equal length, differ in their labels
            of rows, or do not vary.
        """
        matrices, eps = check_views(views)
        if len(matrices) != 2:
            raise ValueError(
                f"{type(self).__name__} aligns two views; seen "
                f"{len(matrices)}."
            )
        for m, view in enumerate(matrices):
            size = np.abs(view).max(axis=0)
            if np.all(np.ptp(view, axis=0) <= 10 * eps * size):
                raise ValueError(
                    f"view {m} does not vary: all its samples are equal, up "
                    "to rounding, so there is nothing to align."
                )
        means = [view.mean(axis=0) for view in matrices]
        centred = [view - mean for view, mean in zip(matrices, means)]
        rounding = [eps * np.linalg.norm(view) for view in matrices]
        self.encoders_ = self._encoders(centred, rounding)
        self.means_ = means
        self.signature_ = Signature.of(views)
        return self

    @property
    def feature_names_in_(self):
        """Names of the columns of each view; only of fitted data frames."""
        signature = vars(self).get("signature_")
        if signature is None or not any(signature.feature_names):
            raise AttributeError("The fit has seen no names of columns.")
        return signature.feature_names_in

    def transform(self, views):
        """Latents of both views.

        Parameters
        ----------
        views : list or dict of two array-like (n_samples, n_features_m)

        Returns
        -------
        latents : list or dict of two ndarray of shape (n_samples, k)
            As the views came.

        Raises
        ------
        ValueError
            If a view is missing or does not have the fitted features.
        """
        check_is_fitted(self)
        checked, _ = check_views(views, like=self.signature_)
        latents = [self._encode(view, m) for m, view in enumerate(checked)]
        return self.signature_.as_given(latents, views)

    def transform_view(self, view, modality):
        """Latents of one view alone.

        Parameters
        ----------
        view : array-like of shape (n_samples, n_features_m)
        modality : {0, 1} or str
            Position of the view in the fit, or its name.

        Returns
        -------
        latents : ndarray of shape (n_samples, k)

        Raises
        ------
        ValueError
            If there is no such view or the features do not fit.
        """
        check_is_fitted(self)
        m = self.signature_.position(modality)
        view, _ = check_view(
            view, f"view {modality!r}", **self.signature_.wanted(m)
        )
        return self._encode(view, m)

    def _encode(self, view, modality):
        centred = view - self.means_[modality]
        return self._latents(centred @ self.encoders_[modality].T)

    def _latents(self, encoded):
        return encoded


def check_components(n_components, limit, held):
    """Raise unless `n_components` is a whole number from 1 to `limit`."""
    check_integer(n_components, "n_components", 1, limit, f", {held}")


def spread(centred):
    """Root mean square of a centred view's features."""
    return np.linalg.norm(centred) / np.sqrt(centred.size)
