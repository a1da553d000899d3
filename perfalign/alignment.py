"""The stacked-SVD estimator, under the paper's constraint and a safe one."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from perfalign._validation import check_view, check_views
from perfalign.diagnostics import latent_content, surprises
from perfalign.existence import shared_structure
from perfalign.solver import solve
from perfalign.summary import StackedSummary


class PerfectAlignment(BaseEstimator):
    r"""Linear encoders that send all views of an item to the same latent.

    The stack X holds the views as blocks of rows, :math:`[X^1; -X^2]` for two
    of them and Helmert contrasts for more. The encoders
    :math:`A = [A^1 \dots A^M]` solve

    .. math:: \min_A \|A X\|_F^2

    under one of two constraints. ``"orthonormal"`` asks for
    :math:`A A^\top = I_k`, the problem of Kamboj and Do (2025, eq. 2–3), and
    is solved by the k left singular vectors of X with the smallest singular
    values. It favours directions in which the data hardly vary, and may
    collapse. ``"whitened"`` asks for uncorrelated latents of unit variance,
    :math:`\frac1M \sum_m \mathrm{cov}(\hat z^m) = I_k`. The solution is
    canonical correlation analysis (Hotelling 1936), for more than two views
    the MAXVAR form of Kettenring (1971), and cannot collapse.

    Parameters
    ----------
    n_components : int or None, default=2
        Latent dimension k. None takes the number of shared signals, which is
        the largest k that can be aligned perfectly.
    constraint : {"whitened", "orthonormal"}, default="whitened"
    center : bool, default=True
        Subtract each view's mean; alignment is then affine. The paper does
        not centre.
    ridge : float, default=0.0
        Under ``"whitened"``, λ ≥ 0 replaces each covariance C_m by
        :math:`C_m + \lambda\,\mathrm{tr}(C_m)/d_m\,I` in the constraint *and*
        in the objective, as samples of pure noise in one view at a time
        would. λ is unit-free.
    gauge : {"principal", None}, default="principal"
        Basis of the latent space. ``"principal"`` puts the best aligned
        component first, orders ties by how much of the data they explain and
        fixes signs, so that results agree across machines. None keeps the
        last k singular vectors in the order of eq. 3, as the SVD gave them.
    rtol : float, default=None
        Relative rank tolerance; see `StackedSummary.default_rtol`.

    Attributes
    ----------
    encoders_ : list of ndarray of shape (k, d_m)
        The A^m, in latent units over the view's units; under ``"whitened"``
        those of least norm.
    offsets_ : list of ndarray of shape (k,)
        −A^m times the view's mean, or zero if not centred.
    singular_values_ : ndarray of shape (d,) or (Σ r_m,)
        All of the decomposed stack, descending; d under ``"orthonormal"``.
        The last k are those of the components.
    canonical_correlations_ : ndarray of shape (min r_m,)
        Of the views, regularised by `ridge`, descending.
    explained_variance_ : ndarray of shape (M,)
        Share of each view's variance that its latents explain.
    ranks_ : ndarray of shape (M,)
        Numerical ranks r_m of the views.
    shared_dimension_ : int
        Signals that can be aligned perfectly.
    vacuous_dimension_ : int
        How many of them any pairing of the samples would have.
    n_samples_seen_ : int
    summary_ : StackedSummary
        All that the solution depends on.

    Notes
    -----
    Fitting costs O(n d²) for one pass over the data and O(d³) for the
    solution, d = Σ d_m. With two views under ``"orthonormal"``, the root mean
    square alignment error on the training pairs is
    :math:`\sqrt{\sum_j \sigma_j^2 / n}` over the k smallest singular values.

    Examples
    --------
    >>> from perfalign import PerfectAlignment, relative_alignment_error
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(random_state=0)
    >>> alignment = PerfectAlignment(n_components=2).fit(data.views)
    >>> latents = alignment.transform(data.views)
    >>> [z.shape for z in latents], alignment.shared_dimension_
    ([(2000, 2), (2000, 2)], 2)
    >>> relative_alignment_error(latents) < 1e-13
    True
    """

    # Views and summaries are the data, nothing for scikit-learn to route.
    __metadata_request__fit = {"views": UNUSED}
    __metadata_request__partial_fit = {"views": UNUSED}
    __metadata_request__transform = {"views": UNUSED}

    def __init__(
        self,
        n_components=2,
        *,
        constraint="whitened",
        center=True,
        ridge=0.0,
        gauge="principal",
        rtol=None,
    ):
        self.n_components = n_components
        self.constraint = constraint
        self.center = center
        self.ridge = ridge
        self.gauge = gauge
        self.rtol = rtol

    def fit(self, views, y=None):
        """Align paired views.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            Two or more views; row i of each belongs to item i.
        y : None
            Ignored; no labels are used.

        Returns
        -------
        self : PerfectAlignment

        Raises
        ------
        ValueError
            For invalid parameters, views that are not finite real matrices of
            equal length, a view that does not vary, or more components than
            the views carry.

        Warns
        -----
        CollapseWarning
            If the latents' rank is below k, or if they explain less than half
            of what k random directions of some view would.
        OverfitWarning
            If any pairing of so few samples would align perfectly.
        """
        return self._refit(StackedSummary.from_views(views))

    def fit_summary(self, summary):
        """Align views of which only the summary is at hand.

        Parameters
        ----------
        summary : StackedSummary

        Returns
        -------
        self : PerfectAlignment

        Raises
        ------
        ValueError
            As `fit`.
        """
        return self._refit(summary)

    def partial_fit(self, views, y=None):
        """Add a block of samples; the solution follows when it is asked for.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            The next block, of any length.
        y : None
            Ignored.

        Returns
        -------
        self : PerfectAlignment
            The learned attributes are computed when one is first read, and a
            warning is given once in a sequence of blocks.

        Raises
        ------
        ValueError
            If the views do not match the earlier blocks; nothing is changed
            then.
        """
        if "summary_" in vars(self):
            warned = self._warned
            self._restart(self.summary_.update(views))
            self._warned = warned
        else:
            self._restart(StackedSummary.from_views(views))
        return self

    def _refit(self, summary):
        solution = _solve(summary, **self.get_params())
        self._restart(summary)
        self._adopt(solution)
        return self

    def _restart(self, summary):
        for name in _SOLVED.intersection(vars(self)):
            delattr(self, name)
        self.summary_ = summary
        self.n_samples_seen_ = summary.n_samples
        self._warned = set()

    def _adopt(self, solution):
        attributes, found = solution
        vars(self).update(attributes)
        for category, message in found:
            if category not in self._warned:
                self._warned.add(category)
                warnings.warn(message, category, stacklevel=4)

    def __getattr__(self, name):
        # Reached only for what is not there yet: after partial_fit, that is
        # the solution.
        if name in _SOLVED and "summary_" in vars(self):
            self._adopt(_solve(self.summary_, **self.get_params()))
            return vars(self)[name]
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    def transform(self, views):
        """Latents of every view.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            All views, in the order of the fit.

        Returns
        -------
        latents : list of ndarray of shape (n_samples, k)

        Raises
        ------
        ValueError
            If a view is missing or does not have the fitted features.
        """
        check_is_fitted(self, "summary_")
        views, _ = check_views(views, n_features=self.summary_.n_features)
        return [self._encode(view, m) for m, view in enumerate(views)]

    def transform_view(self, view, modality):
        """Latents of one view alone.

        Parameters
        ----------
        view : array-like of shape (n_samples, n_features_m)
        modality : int
            Position m of the view in the fit.

        Returns
        -------
        latents : ndarray of shape (n_samples, k)

        Raises
        ------
        ValueError
            If there is no such view or the features do not fit.
        """
        check_is_fitted(self, "summary_")
        self._check_modality(modality)
        view, _ = check_view(
            view,
            f"view {modality}",
            n_features=self.summary_.n_features[modality],
        )
        return self._encode(view, modality)

    def fit_transform(self, views, y=None):
        """Fit and return the latents of the same views.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
        y : None
            Ignored.

        Returns
        -------
        latents : list of ndarray of shape (n_samples, k)
        """
        return self.fit(views).transform(views)

    def translate(self, view, source, target):
        r"""Map one modality into another through the latents.

        The target is the point nearest to its view's mean (to 0, if not
        centred) that has the source's latent:
        :math:`\hat x^t = \bar x^t + A^{t+}(\hat z^s - \hat z(\bar x^t))`,
        with the pseudo-inverse of the target's encoder; the mean's own latent
        is 0 unless the gauge was changed.

        Parameters
        ----------
        view : array-like of shape (n_samples, n_features_source)
        source, target : int
            Positions of the views in the fit.

        Returns
        -------
        translated : ndarray of shape (n_samples, n_features_target)

        Raises
        ------
        ValueError
            If there is no such view or the features do not fit.
        """
        latents = self.transform_view(view, source)
        self._check_modality(target)
        decoder = np.linalg.pinv(self.encoders_[target])
        center, origin = self._frame(target)
        return (latents - origin) @ decoder.T + center

    def _encode(self, view, modality):
        # A (x − x̄) + (A x̄ + offset) keeps the digits that A x + offset would
        # lose when the mean is large.
        center, origin = self._frame(modality)
        return (view - center) @ self.encoders_[modality].T + origin

    def _frame(self, modality):
        """A view's centre, and the latent that it is sent to."""
        center = _centers(self.summary_, self.center)[modality]
        encoder, offset = self.encoders_[modality], self.offsets_[modality]
        return center, encoder @ center + offset

    def _check_modality(self, modality):
        n_views = len(self.summary_.n_features)
        if modality not in range(n_views):
            raise ValueError(
                f"There is no view {modality!r}; the fit had {n_views}, "
                f"numbered from 0 to {n_views - 1}."
            )


_SOLVED = frozenset(
    {
        "encoders_",
        "offsets_",
        "singular_values_",
        "canonical_correlations_",
        "explained_variance_",
        "ranks_",
        "shared_dimension_",
        "vacuous_dimension_",
    }
)


def _centers(summary, center):
    return summary.split(summary.mean if center else 0.0 * summary.mean)


def _check_params(n_components, constraint, ridge, gauge, rtol):
    if constraint not in ("whitened", "orthonormal"):
        raise ValueError(
            f"constraint is {constraint!r}; wanted 'whitened' or "
            "'orthonormal'."
        )
    if gauge not in ("principal", None):
        raise ValueError(f"gauge is {gauge!r}; wanted 'principal' or None.")
    if not np.isfinite(ridge) or ridge < 0:
        raise ValueError(f"ridge is {ridge!r}; wanted a finite number ≥ 0.")
    if ridge and constraint == "orthonormal":
        raise ValueError(
            "ridge regularises the covariances of the 'whitened' constraint; "
            "under 'orthonormal' it means nothing and must be 0, seen "
            f"{ridge!r}."
        )
    if rtol is not None and not 0 < rtol < 1:
        raise ValueError(f"rtol is {rtol!r}; wanted None or 0 < rtol < 1.")
    whole = isinstance(n_components, (int, np.integer))
    if n_components is not None and (not whole or n_components < 1):
        raise ValueError(
            f"n_components is {n_components!r}; wanted None or an integer ≥ 1."
        )


def _solve(summary, n_components, constraint, center, ridge, gauge, rtol):
    """Learned attributes, and what to warn of, from the summary alone."""
    _check_params(n_components, constraint, ridge, gauge, rtol)
    structure = shared_structure(summary, center, rtol)
    correlations = structure.correlations(structure.singular_values)
    k = _latent_dimension(structure, n_components, constraint, correlations)
    solution = solve(structure, k, constraint, ridge, gauge)
    if ridge:
        correlations = structure.correlations(solution.singular_values)
    rank, explained = latent_content(structure, solution.encoders)
    attributes = {
        "encoders_": solution.encoders,
        "offsets_": [
            -(A @ mean)
            for A, mean in zip(solution.encoders, _centers(summary, center))
        ],
        "singular_values_": solution.singular_values,
        "canonical_correlations_": correlations,
        "explained_variance_": explained,
        "ranks_": structure.ranks,
        "shared_dimension_": structure.shared_dimension,
        "vacuous_dimension_": structure.vacuous_dimension,
    }
    return attributes, surprises(structure, k, rank, explained)


def _latent_dimension(structure, n_components, constraint, correlations):
    if n_components is None:
        if structure.shared_dimension == 0:
            leading = ", ".join(f"{rho:.4f}" for rho in correlations[:3])
            raise ValueError(
                "n_components=None takes the number of perfectly shared "
                "signals, and these views share none: their leading canonical "
                f"correlations are {leading}. Choose n_components."
            )
        return structure.shared_dimension
    if constraint == "orthonormal":
        limit = sum(structure.summary.n_features)
        held = f"the stack has {limit} features"
    else:
        m = int(np.argmin(structure.ranks))
        limit = structure.ranks[m]
        held = f"view {m} carries only {limit} independent signals"
    if n_components > limit:
        raise ValueError(f"n_components is {n_components}, but {held}.")
    return n_components
