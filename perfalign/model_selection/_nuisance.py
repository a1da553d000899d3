"""A view without what some of its columns explain of the others."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import check_view, is_frame, precision
from perfalign._linalg import column_norms
from perfalign._threads import one_blas_thread
from perfalign._types import Array, View
from perfalign.model_selection._theil import column_rounding


class WithoutNuisance(TransformerMixin, BaseEstimator):
    r"""What some columns of a view do not explain of the others.

    .. math:: x - \hat B^\top z - \hat b

    with the least squares coefficients of the training rows. Held-out rows
    are rid of what the training rows have taught.

    Parameters
    ----------
    nuisance : list of str or int, slice, mask or callable
        Which columns are the nuisance variables z, as scikit-learn's
        ``ColumnTransformer`` takes them: by name, of data frames, or by
        place. They are left out of the result.

    Attributes
    ----------
    columns_ : ColumnTransformer
        Puts the nuisance variables first.
    regression_ : Pipeline
        Of the other columns on the nuisance variables.
    explained_ : ndarray of bool, shape (n_features − n_nuisance,)
        Columns of which the training rows leave no more than rounding, which
        is a function of the nuisance variables again. They become zero.

    Raises
    ------
    ValueError
        If X is not a finite real matrix, there is no such column, or none is
        left.

    Notes
    -----
    For the maps of a `MappedAlignment`, one a view, each of which brings the
    nuisance variables along. Categories are to be coded by columns of zeros
    and ones. To test what is left, give the variables to
    `permutation_test` instead: residuals of a regression are no longer
    exchangeable. Cost O(n q (q + d)) for q variables.

    Examples
    --------
    Both views rise with the hour, and have nothing else in common:

    >>> import numpy as np
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.alignment import MappedAlignment
    >>> from perfalign.model_selection import WithoutNuisance
    >>> rng = np.random.default_rng(0)
    >>> hour = rng.uniform(0, 24, size=(400, 1))
    >>> views = [np.hstack([hour, hour + rng.normal(size=(400, 3))])
    ...          for _ in range(2)]
    >>> seen, new = ([view[rows] for view in views]
    ...              for rows in (slice(200), slice(200, 400)))
    >>> alignment = MappedAlignment(
    ...     PerfectAlignment(1), [WithoutNuisance([0])] * 2
    ... )
    >>> latents = alignment.fit(seen).transform(new)
    >>> r = np.corrcoef(latents[0][:, 0], latents[1][:, 0])[0, 1]
    >>> bool(abs(r) < 0.2)
    True
    """

    def __init__(self, nuisance: Any) -> None:
        self.nuisance = nuisance

    @one_blas_thread
    def fit(self, X: View, y: object = None) -> "WithoutNuisance":
        """Regress all other columns on the nuisance variables.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        self : WithoutNuisance
        """
        self.columns_ = ColumnTransformer(
            [("nuisance", "passthrough", self.nuisance)],
            remainder="passthrough",
            verbose_feature_names_out=False,
        ).fit(_matrix(X))
        z, rest = self._parts(X)
        if z.shape[1] == 0 or rest.shape[1] == 0:
            raise ValueError(
                f"nuisance is {self.nuisance!r}, which is {z.shape[1]} of "
                f"the {z.shape[1] + rest.shape[1]} columns of X; wanted some "
                "of them and not all."
            )
        # Standardised first: what is rank must not depend on units.
        self.regression_ = make_pipeline(StandardScaler(), LinearRegression())
        self.regression_.fit(z, rest)
        scaler, linear = (step for _, step in self.regression_.steps)
        eps = np.max(precision(X))
        of_z = column_rounding(z, eps) / scaler.scale_
        rounding = column_rounding(rest, eps) + np.abs(linear.coef_) @ of_z
        residuals = rest - self.regression_.predict(z)
        self.explained_ = column_norms(residuals) <= rounding
        return self

    @one_blas_thread
    def transform(self, X: View) -> Array:
        """What is left of the other columns.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        residuals : ndarray of shape (n_samples, n_features − n_nuisance)
            Zero in columns that the nuisance variables explain exactly.
        """
        check_is_fitted(self)
        z, rest = self._parts(X)
        residuals: Array = rest - self.regression_.predict(z)
        residuals[:, self.explained_] = 0.0
        return residuals

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Names of the columns that are no nuisance variables.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of all columns, if the fit has seen none.

        Returns
        -------
        names : ndarray of str
        """
        check_is_fitted(self)
        names = self.columns_.get_feature_names_out(input_features)
        return names[self._n_nuisance :]

    @property
    def _n_nuisance(self) -> int:
        return int(self.columns_.output_indices_["nuisance"].stop)

    def _parts(self, X: View) -> tuple[Array, Array]:
        ordered, _ = check_view(self.columns_.transform(_matrix(X)), "X")
        return ordered[:, : self._n_nuisance], ordered[:, self._n_nuisance :]


def _matrix(X: View) -> View:
    """X, found to be one of numbers, with the names of a frame's columns."""
    checked, _ = check_view(X, "X")
    return X if is_frame(X) else checked
