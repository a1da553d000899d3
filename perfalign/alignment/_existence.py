r"""When a perfect alignment exists, and when it says anything.

A null vector of the stack can vanish in two ways: because what one view
contributes the other takes away, or because it looks only where a view is
silent. Only the first kind aligns. Its dimension, for two views, is

.. math:: s = r_1 + r_2 - r ,

the number of signals that the views share.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from perfalign._checks import check_integer
from perfalign._linalg import complement, orthonormal
from perfalign._solver import (
    isometric,
    joint_signs,
    principal_rotation,
    shared_structure,
)
from perfalign._threads import one_blas_thread
from perfalign._types import Array


@dataclass(frozen=True)
class ExistenceReport:
    """Counts that decide whether a perfect alignment exists and is real.

    Attributes
    ----------
    n_samples : int
    n_features : tuple of int
        The d_m, in order of the views.
    ranks : tuple of int
        The r_m: how many independent signals each view carries.
    stack_rank : int
        The r of the stacked matrix.
    nullity : int
        d − r, the dimension of the stack's left null space, which is what
        Theorem 2.1 of Kamboj and Do (2025), "KD Theorem 2.1", asks about.
    collapsed_dimensions : tuple of int
        d_m − r_m: null vectors of one view alone, with latents all zero.
    shared_dimension : int
        s: the largest rank that perfectly aligned latents can have.
    vacuous_dimension : int
        How much of s any pairing of the samples would have.
    n_components : int or None
        The k asked for.
    """

    n_samples: float
    n_features: tuple[int, ...]
    ranks: tuple[int, ...]
    stack_rank: int
    nullity: int
    collapsed_dimensions: tuple[int, ...]
    shared_dimension: int
    vacuous_dimension: int
    n_components: int | None

    @property
    def evidence_dimension(self) -> int:
        """s − v: shared signals that not just any pairing would have."""
        return max(0, self.shared_dimension - self.vacuous_dimension)

    def __str__(self) -> str:
        k = self.n_components
        lines = [
            ("samples", self.n_samples, ""),
            (
                "features",
                sum(self.n_features),
                " + ".join(map(str, self.n_features)),
            ),
            (
                "rank of the stack",
                self.stack_rank,
                "of the views: " + ", ".join(map(str, self.ranks)),
            ),
            (
                "left null space",
                self.nullity,
                ""
                if k is None
                else f"KD Theorem 2.1 asks for {k}: "
                + ("satisfied" if self.nullity >= k else "not satisfied"),
            ),
            (
                "  silent in one view",
                sum(self.collapsed_dimensions),
                "latent 0 for every sample: aligned but empty",
            ),
            ("  shared signals", self.shared_dimension, self._verdict()),
        ]
        if self.vacuous_dimension:
            lines += [
                (
                    "  vacuous",
                    self.vacuous_dimension,
                    "any pairing has as many: more samples are needed",
                ),
                (
                    "  evidence",
                    self.evidence_dimension,
                    "shared signals beyond these",
                ),
            ]
        return "\n".join(
            f"{name:<22}{number:>6}   {remark}".rstrip()
            for name, number, remark in lines
        )

    def _verdict(self) -> str:
        k, s = self.n_components, self.shared_dimension
        if k is None:
            return ""
        if s >= k:
            return f"latents of rank {k} can be aligned perfectly"
        if self.nullity >= k:
            return f"so aligned latents have rank {s} at most"
        return f"so only {s} of {k} components can be aligned perfectly"


@one_blas_thread
def existence_report(
    views: Any,
    n_components: int | None = None,
    *,
    center: bool = True,
    rtol: float | None = None,
) -> ExistenceReport:
    r"""Count what perfect alignment of these views could consist of.

    Perfectly aligned latents of rank k exist iff the number of shared signals
    :math:`s = r_1 + r_2 - r` is at least k. The left null space of the stack,
    of dimension :math:`d - r = (d_1 - r_1) + (d_2 - r_2) + s`, may be larger:
    the rest of it is silent in one view and gives latents that are zero.

    Parameters
    ----------
    views : list or dict of array-like, or Summary
        Two or more matrices of shape (n_samples, n_features_m), or any
        summary of them.
    n_components : int, default=None
        Wanted latent dimension k, for the verdicts.
    center : bool, default=True
        Whether signals are counted after subtracting the means. Uncentred,
        a constant counts as a signal, and an offset may hide one.
    rtol : float, default=None
        Relative rank tolerance; see `StackedSummary.default_rtol`.

    Returns
    -------
    report : ExistenceReport
        Print it, or read its attributes.

    Raises
    ------
    ValueError
        For views that are not finite matrices of equal length, when a view
        does not vary, or if `n_components` is no positive integer.

    Notes
    -----
    Cost O(n d² + d³), with n < d samples O(n² d). KD Theorem 2.1 counts the
    whole null space; that shared signals are an intersection of row spaces is
    the view of Sørensen, Kanatsoulis and Sidiropoulos (2021).

    Examples
    --------
    One channel cannot share two signals, though KD Theorem 2.1 is satisfied:

    >>> from perfalign import existence_report
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(500, n_features=(1, 3), random_state=0)
    >>> print(existence_report(data.views, n_components=2))
    samples                  500
    features                   4   1 + 3
    rank of the stack          2   of the views: 1, 2
    left null space            2   KD Theorem 2.1 asks for 2: satisfied
      silent in one view       1   latent 0 for every sample: aligned but empty
      shared signals           1   so aligned latents have rank 1 at most
    """
    if n_components is not None:
        n_components = check_integer(n_components, "n_components")
    structure = shared_structure(views, center, rtol)
    summary = structure.summary
    ranks = structure.ranks
    s = structure.shared_dimension
    silent = np.array(summary.n_features) - ranks
    return ExistenceReport(
        n_samples=summary.n_samples,
        n_features=summary.n_features,
        ranks=ranks,
        stack_rank=sum(ranks) - s,
        nullity=int(silent.sum()) + s,
        collapsed_dimensions=tuple(silent.tolist()),
        shared_dimension=s,
        vacuous_dimension=structure.vacuous_dimension,
        n_components=n_components,
    )


@dataclass(frozen=True, eq=False)
class LeftNullSpace:
    """Left null space of the stack, split by what its vectors are good for.

    Attributes
    ----------
    informative : ndarray of shape (s, d)
        Orthonormal rows a = (a¹, a²), a¹X¹ = a²X²; their latents span the
        shared signals, are uncorrelated and descend in variance.
    collapsed : tuple of ndarray of shape (d_m − r_m, d_m)
        For each view, orthonormal rows with a X^m = 0. More than one of them
        are known up to rotation only.
    """

    informative: Array
    collapsed: tuple[Array, ...]

    @property
    def basis(self) -> Array:
        """Orthonormal rows spanning all of it, shape (d − r, d)."""
        return np.vstack([self.informative, block_diag(*self.collapsed)])


@one_blas_thread
def left_null_space(
    views: Any, *, center: bool = True, rtol: float | None = None
) -> LeftNullSpace:
    r"""Left null space :math:`\{a : a^\top X = 0\}` of the stacked views.

    .. math:: N = (N^1 \oplus \dots \oplus N^M) \oplus N_{\mathrm{shared}},
              \qquad N^m = \{a : a^\top X^m = 0\}

    Any k independent rows of N align the samples perfectly (KD Theorem
    2.1), but rows of N^m do so by being zero everywhere. The informative rows
    are those of N orthogonal to every N^m.

    Parameters
    ----------
    views : list or dict of array-like, or Summary
        Two or more matrices of shape (n_samples, n_features_m), or any
        summary of them.
    center : bool, default=True
        Whether the views are centred first.
    rtol : float, default=None
        Relative rank tolerance; see `StackedSummary.default_rtol`.

    Returns
    -------
    null_space : LeftNullSpace

    Raises
    ------
    ValueError
        As `existence_report`.

    Notes
    -----
    Cost O(n d² + d³).

    Examples
    --------
    >>> from perfalign import left_null_space
    >>> from perfalign.datasets import make_gaussian_views
    >>> data = make_gaussian_views(500, n_features=(1, 3), random_state=0)
    >>> N = left_null_space(data.views)
    >>> N.informative.shape, [rows.shape for rows in N.collapsed]
    ((1, 4), [(0, 1), (1, 3)])
    """
    structure = shared_structure(views, center, rtol)
    summary = structure.summary
    blocks = summary.blocks(center)
    bases = [
        isometric(block, view)
        for block, view in zip(blocks, structure.whitened)
    ]
    rows = [
        A if view.basis is None else A @ view.basis @ view.basis.T
        for A, view in zip(structure.informative_rows(), bases)
    ]
    rows = orthonormal(np.hstack(rows).T).T
    latents = [block @ A.T for block, A in zip(blocks, summary.split(rows))]
    moment = np.sum([z.T @ z for z in latents], axis=0)
    rows = principal_rotation(moment, [np.arange(len(rows))]).T @ rows
    silent = [
        np.empty((0, d_m))
        if view.basis is None
        else complement(view.basis, d_m - view.rank).T
        for d_m, view in zip(summary.n_features, bases)
    ]
    return LeftNullSpace(
        informative=joint_signs(rows)[:, None] * rows,
        collapsed=tuple(joint_signs(A)[:, None] * A for A in silent),
    )
