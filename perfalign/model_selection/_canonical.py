"""Canonical correlations of true and of shuffled pairs, one by one."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigvalsh, qr

from perfalign._checks import check_parameters, check_views
from perfalign._linalg import eigh
from perfalign._solver import shared_structure, shrunk, whiten
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, Views
from perfalign.alignment import PerfectAlignment
from perfalign.model_selection._theil import Complement
from perfalign.summary import StackedSummary


def whitened_views(
    alignment: PerfectAlignment, views: Views, complement: Complement | None
) -> tuple[list[Array], int]:
    """Orthonormal columns for each view, and how many components to test."""
    check_parameters(alignment)
    if alignment.constraint != "whitened":
        raise ValueError(
            "The permutation test compares canonical correlations, which are "
            "what constraint='whitened' aligns by; seen "
            f"{alignment.constraint!r}."
        )
    center, k = alignment.center, alignment.n_components
    summary = StackedSummary.from_views(views)
    blocks, _ = check_views(views)
    structure = shared_structure(summary, center, alignment.rtol)
    means = summary.split(summary.mean if center else 0 * summary.mean)
    blocks = [block - mean for block, mean in zip(blocks, means)]
    known = structure.rounding
    if complement is not None:
        known = list(map(complement.rounding, blocks, known))
        blocks = list(map(complement.rows, blocks, known))
    bases = [
        whiten(block, rounding, structure.least)
        for block, rounding in zip(blocks, known)
    ]
    ranks = [basis.rank for basis in bases]
    if min(ranks) < (k or 1):
        m = int(np.argmin(ranks))
        rid = "" if complement is None else " without the nuisance variables"
        raise ValueError(
            f"n_components is {k}, but view {m} carries only {ranks[m]} "
            f"independent signals{rid}."
        )
    if alignment.ridge:
        # Noise has no part in what two views have in common.
        bases = [
            shrunk(block, basis, alignment.ridge)[0]
            for block, basis in zip(blocks, bases)
        ]
    return [basis.U for basis in bases], k or min(ranks)


@dataclass(frozen=True, eq=False)
class Layout:
    """Which view, and which place in it, each stacked coordinate has."""

    owner: Integers
    place: Integers

    @classmethod
    def of(cls, coordinates: list[Array]) -> "Layout":
        ranks = [Q.shape[1] for Q in coordinates]
        return cls(
            owner=np.repeat(np.arange(len(ranks)), ranks),
            place=np.concatenate([np.arange(r) for r in ranks]),
        )

    def cross_gram(self, coordinates: list[Array]) -> Array:
        """Inner products of coordinates of different views, else zero."""
        stack = np.hstack(coordinates)
        same = self.owner[:, None] == self.owner
        return np.where(same, 0, stack.T @ stack)

    def without(self, gram: Array, step: int) -> Array:
        kept = self.place >= step
        return gram[np.ix_(kept, kept)]

    def largest(self, gram: Array, step: int) -> float:
        """Largest correlation without the first `step` of every view.

        For two views the eigenvalues are ± the singular values of Q¹Q²ᵀ.
        """
        rest = self.without(gram, step)
        last = len(rest) - 1
        top = eigvalsh(rest, subset_by_index=(last, last))[0]
        return float(top / self.owner[-1])

    def of_shuffled(
        self, coordinates: list[Array], orders: list[Integers], k: int
    ) -> list[float]:
        """The k largest correlations, each view but the first reordered."""
        shuffled = [Q[order] for Q, order in zip(coordinates[1:], orders)]
        # The same rounding, whoever computes, and how many do.
        with one_blas_thread:
            gram = self.cross_gram([coordinates[0], *shuffled])
            return [self.largest(gram, step) for step in range(k)]

    def components_first(
        self, coordinates: list[Array], k: int
    ) -> tuple[list[Array], Array]:
        """Rotate every view so that its component j is its column j."""
        coordinates, statistics = list(coordinates), np.empty(k)
        for step in range(k):
            gram = self.cross_gram(coordinates)
            statistics[step] = self.largest(gram, step)
            values, vectors = eigh(self.without(gram, step))
            sample = np.hstack([Q[0, step:] for Q in coordinates])
            component = _largest(values, vectors, sample)
            owner = self.owner[self.place >= step]
            for m, Q in enumerate(coordinates):
                # The first column of the factor is the component, up to
                # sign; the others span what it leaves.
                part = component[owner == m, None]
                rotation, _ = qr(part)
                coordinates[m] = np.hstack(
                    [Q[:, :step], Q[:, step:] @ rotation]
                )
        return coordinates, statistics


def _largest(values: Array, vectors: Array, sample: Array) -> Array:
    """The last eigenvector, or of those that tie what a sample has of them.

    Which of these comes first must not hang on the last digits.
    """
    tied = vectors[:, values > values[-1] - 1e-9]
    if tied.shape[1] == 1:
        return tied[:, 0]
    found: Array = tied @ (tied.T @ sample)
    return found
