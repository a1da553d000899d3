"""The stacked-SVD estimator, under the paper's constraint and a safe one."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from perfalign._checks import check_parameters, warn
from perfalign._solver import (
    SharedStructure,
    Solution,
    shared_structure,
    solve,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, View, Views
from perfalign.alignment._diagnostics import explained_variance, surprises
from perfalign.alignment._linear import LinearAlignment
from perfalign.summary import IncompleteSummary, StackedSummary, Summary

#: Learned attributes, and what to warn of.
Learned: TypeAlias = tuple[dict[str, Any], list[tuple[type[Warning], str]]]


class PerfectAlignment(LinearAlignment):
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
    the MAXVAR form of Kettenring (1971). It cannot collapse where the
    components correlate: a component of correlation 0 may be of one view
    alone.

    Parameters
    ----------
    n_components : int or None, default=2
        Latent dimension k. None takes the number of shared signals, which is
        the largest k that can be aligned perfectly.
    constraint : {"whitened", "orthonormal"}, default="whitened"
        What keeps latents from vanishing: uncorrelated latents of unit
        variance, or the paper's orthonormal rows of A.
    center : bool, default=True
        Subtract each view's mean; alignment is then affine. The paper does
        not centre.
    ridge : float, default=0.0
        Under ``"whitened"``, λ ≥ 0 replaces each covariance C_m by
        :math:`C_m + \lambda\,\mathrm{tr}(C_m)/d_m\,I` in the constraint *and*
        in the objective, as samples of pure noise in one view at a time
        would. λ is unit-free, but it shrinks features of small variance
        first: bring them to comparable units before.
    gauge : {"principal", None}, default="principal"
        Basis of the latent space. ``"principal"`` puts the best aligned
        component first, orders ties by how much of the data they explain
        (under ``"orthonormal"``, by how much the latents vary) and fixes
        signs, so that results agree across machines, unless tied components
        explain equally much. None keeps the last k singular
        vectors in the order of eq. 3, as the SVD gave them.
    rtol : float, default=None
        Relative rank tolerance, where each feature has its own norm for unit;
        see `StackedSummary.default_rtol`.

    Attributes
    ----------
    encoders_ : list of ndarray of shape (k, d_m)
        The A^m, in latent units over the view's units; under ``"whitened"``
        those of least norm, each feature in units of its own spread (its
        norm, if not centred), or of its rounding where latents would
        otherwise show ten times as much of it as they must.
    offsets_ : list of ndarray of shape (k,)
        −A^m times the view's mean (for `fit_incomplete`, but for what brings
        the sets' means together), or zero if not centred.
    singular_values_ : ndarray of shape (d,) or (Σ r_m,)
        All of the decomposed stack, descending; d under ``"orthonormal"``.
        The last k are those of the components.
    canonical_correlations_ : ndarray of shape (min r_m,)
        Of the views, regularised by `ridge`, descending.
    explained_variance_ : ndarray of shape (M,)
        Share of each view's variance that its latents explain, every feature
        in units of its own standard deviation: the mean R² of the features
        that vary. After `fit_incomplete`, variance is that about the means of
        the sets.
    ranks_ : ndarray of shape (M,)
        Numerical ranks r_m of the views.
    shared_dimension_ : int
        Signals that can be aligned perfectly.
    vacuous_dimension_ : int
        How many of them any pairing of the samples would have.
    n_features_in_ : tuple of int
    feature_names_in_ : list of (ndarray of str, or None)
        Of each view; only there if a view had names.
    view_names_in_ : tuple of str
        In the order of the views; only there if they came as a dict.
    n_samples_seen_ : int or float
    summary_ : StackedSummary or IncompleteSummary
        All that the solution depends on, beside the parameters.
    fit_params_ : dict
        The parameters of the fit.

    Notes
    -----
    Fitting costs O(n d²) for one pass over the data and O(d³) for the
    solution, d = Σ d_m; with n < d samples, O(n² d). Ranks, correlations and
    latents do not depend on the unit of any feature, except under
    ``"orthonormal"`` and with a ridge, whose objectives have units.

    With two views under ``"orthonormal"``, the root mean square alignment
    error on the training pairs is :math:`\sqrt{\sum_j \sigma_j^2 / n}` over
    the k smallest singular values.

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

    singular_values_: Array
    canonical_correlations_: Array
    explained_variance_: Array
    ranks_: Integers
    shared_dimension_: int
    vacuous_dimension_: int
    _warned: set[type[Warning]]
    _solution: Solution

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "constraint": [StrOptions({"whitened", "orthonormal"})],
        "center": ["boolean"],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "gauge": [StrOptions({"principal"}), None],
        "rtol": [Interval(Real, 0, 1, closed="neither"), None],
    }

    def __init__(
        self,
        n_components: int | None = 2,
        *,
        constraint: str = "whitened",
        center: bool = True,
        ridge: float = 0.0,
        gauge: str | None = "principal",
        rtol: float | None = None,
    ) -> None:
        self.n_components = n_components
        self.constraint = constraint
        self.center = center
        self.ridge = ridge
        self.gauge = gauge
        self.rtol = rtol

    @one_blas_thread
    def fit(
        self,
        views: Views,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Align paired views.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            Two or more views; row i of each belongs to item i. Or a dict of
            views, which are known by their names from then on. Data frames
            must agree in their index; the names of their columns are kept,
            and checked in whatever comes later.
        y : None
            Ignored; no labels are used.
        sample_weight : array-like of shape (n_samples,), default=None
            How many times each item counts, as if its rows had come so many
            times; finite and at least 0, whole or not.

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
            If the latents of some view have a rank below k, or if k
            components of the views correlate by more than one half on
            average and the latents, in units of their own size, agree less
            than half as well: they are near each other because they are
            small.
        OverfitWarning
            If any pairing of so few samples would align perfectly.
        """
        return self._refit(StackedSummary.from_views(views, sample_weight))

    @one_blas_thread
    def fit_incomplete(
        self,
        observed: Mapping[Any, Sequence[View] | StackedSummary],
        sample_weight: Mapping[Any, ArrayLike] | None = None,
    ) -> Self:
        r"""Align views of which items have any subset (incomplete views).

        Item i has the views :math:`S_i`. With offsets :math:`c^m`, encoders
        solve

        .. math::

            & \min_{A, c} \sum_i \frac{1}{|S_i| - 1} \sum_{a < b \in S_i}
              \|A^a x_i^a + c^a - A^b x_i^b - c^b\|^2 \\
            & \text{with}\quad
              \sum_m n_m\,\mathrm{cov}(\hat z^m) = \sum_m n_m\, I_k ,

        where :math:`n_m` items have view m and another one. The weight
        :math:`1/(|S_i| - 1)` makes a latent of one view alone cost the same
        however many views an item has. With S a set of items that have the
        same views and :math:`X_S^m` view m of these, about its mean, the sum
        is :math:`\sum_{ab} A^a L_{ab} A^{b\top}` (its trace) with the
        Laplacian

        .. math:: L_{aa} = \sum_{S \ni a} X_S^a X_S^{a\top}, \qquad
                  L_{ab} = -\sum_{S \ni a, b}
                  \frac{X_S^a X_S^{b\top}}{|S| - 1} ,

        where `fit` has that of the complete graph. Each set is centred by its
        own means, as offsets make up for these (if sets form a cycle, offsets
        are fitted to the means after the encoders). Views never seen
        together, say 0 and 2, are aligned through those that join them: each
        :math:`\hat z^m` is :math:`1/\rho` times the best linear prediction,
        from view m, of the mean latent of the other views of an item.

        Items with one view alone say nothing of what views have in common:
        encoders, ranks, correlations and warnings of too few items are as
        without them. They count in what is known of that view by itself: its
        mean, what its latents explain of it (`explained_variance_`), how it
        is decoded from them (`loadings`), and where the common origin of the
        latents lies, the mean of all of them.

        Parameters
        ----------
        observed : dict of tuple to (tuple of array-like, or StackedSummary)
            ``{(0, 1, 2): (X, Y, W), (0, 1): (X2, Y2), (2,): (W2,)}``: row i
            of X, Y and W belongs to one item, row i of X2 and Y2 to another,
            which has no view 2. A summary of the views may stand for the
            data. Views may have names, ``{("image", "text"): (X, Y)}``.
        sample_weight : dict of tuple to array-like, default=None
            For some of the same keys, how many times each item counts.

        Returns
        -------
        self : PerfectAlignment
            With an `IncompleteSummary` as ``summary_``; ``partial_fit`` then
            takes further items in the same form. :math:`\sigma^2 = 1 - \rho`
            for ``singular_values_`` under ``"whitened"``; those of `fit` are
            :math:`\sqrt{M - 1}` times as large. ``canonical_correlations_``
            are the ρ, ``shared_dimension_`` counts signals on which all
            views of all items agree, and ``n_samples_seen_`` the items with
            two views or more.

        Raises
        ------
        ValueError
            As `fit`, and for sets that differ in a view's features, that
            name the same views twice, or that leave views unconnected. The
            message names the set.

        Warns
        -----
        CollapseWarning
            As `fit`.
        OverfitWarning
            If some set has so few items that these would agree perfectly in
            any order.

        Notes
        -----
        One block row for each contrast of a set, its whitened views in the
        columns of these views, zeros elsewhere; the encoders are the smallest
        singular vectors. With all views of all items this is `fit`. Ridge
        acts as there. For sets of d_S features that have E contrasts together
        (one for a pair, two for three views) the cost is
        O(Σ n_S d_S² + E d³).

        Examples
        --------
        >>> from perfalign import PerfectAlignment, relative_alignment_error
        >>> from perfalign.datasets import make_gaussian_views
        >>> data = make_gaussian_views(300, (3, 4, 3), random_state=0)
        >>> X, Y, W = data.views
        >>> alignment = PerfectAlignment(2).fit_incomplete({
        ...     (0, 1): (X[:100], Y[:100]),
        ...     (1, 2): (Y[100:180], W[100:180]),
        ...     (2,): (W[180:200],),
        ... })
        >>> unseen = [X[200:], Y[200:], W[200:]]
        >>> relative_alignment_error(alignment.transform(unseen)) < 1e-12
        True
        """
        return self._refit(
            IncompleteSummary.from_views(observed, sample_weight)
        )

    @one_blas_thread
    def fit_summary(self, summary: Summary) -> Self:
        """Align views of which only the summary is at hand.

        Parameters
        ----------
        summary : StackedSummary or IncompleteSummary

        Returns
        -------
        self : PerfectAlignment

        Raises
        ------
        ValueError
            As `fit`, and if it is no summary.
        """
        if not isinstance(summary, Summary):
            raise ValueError(
                f"summary is of type {type(summary).__name__}; wanted a "
                "StackedSummary or an IncompleteSummary. For views there is "
                "fit."
            )
        return self._refit(summary)

    @one_blas_thread
    def partial_fit(
        self, views: Views, y: Any = None, sample_weight: Any = None
    ) -> Self:
        """Add a block of samples; the solution follows when it is asked for.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            The next block, of any length; or a dict as of `fit_incomplete`,
            if the first one was such.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`, or in `fit_incomplete`.

        Returns
        -------
        self : PerfectAlignment
            The learned attributes are computed when one is first read, with
            the parameters of this call, and a warning is given once in a
            sequence of blocks.

        Raises
        ------
        ValueError
            If a parameter is invalid or the views do not match the earlier
            blocks; nothing is changed then. Whether there are samples enough
            is seen when something is computed.
        """
        params = _checked_parameters(self)
        summary: Summary | None
        if "summary_" in vars(self):
            summary = self.summary_.update(views, sample_weight)
        elif isinstance(views, Mapping) and any(
            isinstance(key, tuple) for key in views
        ):
            summary = IncompleteSummary.from_views(views, sample_weight)
        else:
            summary = StackedSummary.from_first_block(views, sample_weight)
        if summary is not None:
            warned = vars(self).get("_warned", ())
            self._restart(summary, params, warned)
        return self

    def _refit(self, summary: Summary) -> Self:
        params = _checked_parameters(self)
        solution = _solve(summary, **params)
        self._restart(summary, params)
        self._adopt(solution)
        return self

    def _restart(
        self,
        summary: Summary,
        params: dict[str, Any],
        warned: Iterable[type[Warning]] = (),
    ) -> None:
        for name in _LEARNED.intersection(vars(self)):
            delattr(self, name)
        self.summary_ = summary
        self.n_samples_seen_ = summary.n_samples
        self.center_, self.fit_params_ = self.center, params
        self._warned = set(warned)

    def _adopt(self, solution: Learned) -> None:
        attributes, found = solution
        self.__dict__.update(attributes)
        for category, message in found:
            if category not in self._warned:
                self._warned.add(category)
                warn(message, category)

    @one_blas_thread
    def check_fitted(self) -> None:
        check_is_fitted(self, "summary_")
        if "encoders_" not in vars(self):
            self._adopt(_solve(self.summary_, **self.fit_params_))

    @property
    def _pooled(self) -> bool:
        return bool(self.fit_params_["constraint"] == "orthonormal")

    @property
    def _rtol(self) -> float:
        return self.fit_params_["rtol"] or super()._rtol

    def _found(self) -> dict[str, str]:
        if "encoders_" not in vars(self):
            # To look at a fit is no reason to compute it.
            return {"samples": f"{self.n_samples_seen_:,}, not solved yet"}
        n, s = self.n_samples_seen_, self.shared_dimension_
        shown = self.canonical_correlations_[:6]
        more = ", …" * (len(self.canonical_correlations_) > len(shown))
        explained = (f"{share:.2f}" for share in self.explained_variance_)
        return super()._found() | {
            "samples": f"{n:,}",
            "perfectly shared": f"{s} signals"
            + f", {self.vacuous_dimension_} of them in any pairing"
            * bool(self.vacuous_dimension_),
            "canonical correlations": ", ".join(f"{r:.3f}" for r in shown)
            + more,
            "explained variance": ", ".join(explained),
        }

    def __getattr__(self, name: str) -> Any:
        # Reached only for what is not there yet: after partial_fit, that is
        # the solution.
        asked = name in _SOLVED or name == "n_components_"
        if asked and "summary_" in vars(self):
            try:
                self.check_fitted()
            except ValueError as error:
                # What cannot be computed is not there.
                raise AttributeError(
                    f"{name!r} cannot be computed: {error}"
                ) from error
            if name == "explained_variance_":
                # Nothing else needs it.
                self.explained_variance_ = explained_variance(
                    self.summary_, self._solution, self.center_, self._rtol
                )
            return vars(self)[name]
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )


_SOLVED = frozenset(
    {
        "_solution",
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
_LEARNED = _SOLVED | {"gauge_symmetries_"}


def _checked_parameters(alignment: PerfectAlignment) -> dict[str, Any]:
    params = check_parameters(alignment)
    if alignment.ridge and alignment.constraint == "orthonormal":
        raise ValueError(
            "ridge regularises the covariances of the 'whitened' constraint; "
            "under 'orthonormal' it means nothing and must be 0, seen "
            f"{alignment.ridge!r}."
        )
    return params


def _offsets(
    summary: Summary, encoders: list[Array], center: bool
) -> list[Array]:
    if not center:
        return [np.zeros(len(A)) for A in encoders]
    latents = summary.latents_of_means(encoders)
    means = summary.split(summary.mean)
    return [z - A.dot(mean) for A, mean, z in zip(encoders, means, latents)]


def _solve(
    summary: Summary,
    n_components: int | None,
    constraint: str,
    center: bool,
    ridge: float,
    gauge: str | None,
    rtol: float | None,
) -> Learned:
    """Learned attributes, and what to warn of, from the summary alone."""
    structure = shared_structure(summary, center, rtol)
    correlations = structure.correlations(structure.singular_values)
    k = _latent_dimension(structure, n_components, constraint, correlations)
    solution = solve(structure, k, constraint, ridge, gauge)
    if ridge:
        correlations = structure.correlations(solution.singular_values)
    attributes = {
        "_solution": solution,
        "encoders_": solution.encoders,
        "offsets_": _offsets(summary, solution.encoders, center),
        "singular_values_": solution.singular_values,
        "canonical_correlations_": correlations,
        "ranks_": np.array(structure.ranks),
        "shared_dimension_": structure.shared_dimension,
        "vacuous_dimension_": structure.vacuous_dimension,
    }
    pooled = constraint == "orthonormal"
    return attributes, surprises(structure, solution, ridge, pooled)


def _latent_dimension(
    structure: SharedStructure,
    n_components: int | None,
    constraint: str,
    correlations: Array,
) -> int:
    if n_components is None:
        if structure.shared_dimension == 0:
            leading = ", ".join(f"{rho:.4f}" for rho in correlations[:3])
            raise ValueError(
                "n_components=None takes the number of perfectly shared "
                "signals, and these views share none: their leading canonical "
                f"correlations are {leading}. Choose n_components."
            )
        return structure.shared_dimension
    pooled = constraint == "orthonormal"
    ranks, d = structure.ranks, sum(structure.summary.n_features)
    limit = d if pooled else min(ranks)
    if n_components > limit:
        held = f"the stack has {d} features"
        if not pooled:
            m = ranks.index(limit)
            held = f"view {m} carries only {limit} independent signals"
        raise ValueError(f"n_components is {n_components}, but {held}.")
    return n_components
