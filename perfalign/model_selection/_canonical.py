"""Canonical correlations of true and of shuffled pairs, one by one."""

from itertools import accumulate, combinations, pairwise

import numpy as np
from scipy.linalg import qr

from perfalign._checks import check_parameters, check_views
from perfalign._linalg import column_norms, eigh
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


def components_first(bases: list[Array], k: int) -> tuple[list[Array], Array]:
    """Rotate every view so that its component j is its column j."""
    gram, statistics = _cross_gram(bases), np.empty(k)
    gram += gram.T
    samples = np.hstack(bases)
    turned = np.eye(len(gram))
    for step in range(k):
        places = _places(bases, step)
        left = np.r_[tuple(places)]
        seen = turned[:, left]
        values, vectors = eigh(seen.T @ gram @ seen)
        statistics[step] = values[-1] / (len(bases) - 1)
        component = np.zeros(len(gram))
        component[left] = _largest(values, vectors, samples, seen)
        for own in places:
            # The first column of the factor is the component, up to sign;
            # the others span what it leaves.
            rotation, _ = qr(component[own, None])
            turned[:, own] = turned[:, own] @ rotation
    found = [Q @ turned[own, own] for Q, own in zip(bases, _places(bases))]
    # The first is only ever transposed.
    return [np.asfortranarray(found[0]), *found[1:]], statistics


def of_shuffled(
    bases: list[Array], shuffles: list[list[Integers]], k: int
) -> Array:
    """The k largest correlations, each view but the first reordered."""

    def shuffled(orders: list[Integers]) -> list[Array]:
        moved = (Q.take(order, 0) for Q, order in zip(bases[1:], orders))
        return [bases[0], *moved]

    # The same rounding, whoever computes, and how many do.
    with one_blas_thread:
        grams = np.array(
            [_cross_gram(shuffled(orders)) for orders in shuffles]
        )
        found = [_top(grams, _places(bases, step)) for step in range(k)]
    return np.stack(found, axis=1)


def _places(bases: list[Array], step: int = 0) -> list[slice]:
    """Columns of the stacked views, without the first of every view."""
    ends = accumulate((Q.shape[1] for Q in bases), initial=0)
    return [slice(start + step, end) for start, end in pairwise(ends)]


def _cross_gram(bases: list[Array]) -> Array:
    """Inner products of columns of different views, above the diagonal."""
    places = _places(bases)
    gram = np.zeros((places[-1].stop, places[-1].stop))
    for (i, Q), (j, P) in combinations(zip(places, bases), 2):
        gram[i, j] = Q.T @ P
    return gram


def _top(grams: Array, places: list[slice]) -> Array:
    """Largest correlation of these columns, for each of a stack."""
    if len(places) > 2:
        left = np.r_[tuple(places)]
        values = np.linalg.eigvalsh(grams[:, left[:, None], left], UPLO="U")
        return np.asarray(values[:, -1] / (len(places) - 1))
    # The eigenvalues are ± the singular values of the one product, whose
    # largest keeps its digits when squared.
    product = grams[:, places[0], places[1]]
    if product.shape[1] > product.shape[2]:
        product = product.swapaxes(1, 2)
    squares = np.linalg.eigvalsh(product @ product.swapaxes(1, 2))
    return np.asarray(squares[:, -1] ** 0.5)


def _largest(
    values: Array, vectors: Array, samples: Array, seen: Array
) -> Array:
    """The last eigenvector, or of those that tie what one sample has of them.

    Which of these comes first must not hang on the last digits. It is the
    sample that has most of them.
    """
    tied = vectors[:, values > values[-1] - 1e-9]
    if tied.shape[1] == 1:
        return tied[:, 0]
    had = samples @ (seen @ tied)
    size = column_norms(had.T)
    one = np.argmax(size > (1 - 1e-6) * size.max())
    return np.asarray(tied @ had[one])
