"""What the latents contain, and when that should worry their user."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

from perfalign._linalg import eigh, singular_values, svd
from perfalign._solver import SharedStructure, Solution
from perfalign._threads import one_blas_thread
from perfalign._types import Array
from perfalign.summary import IncompleteSummary, StackedSummary, Summary

# Latents that agree less than this share of what the views have in common,
# in units of their own size, are near each other because they are small.
AGREEMENT = 0.5
# A correlation that is 1 to so many digits is called perfect.
PERFECT = 1e-9
# Error of an eigenvalue as a share of the largest, with a wide margin.
SQUARED = 1e-10


class CollapseWarning(UserWarning):
    """The latents agree because some of them say nothing."""


class OverfitWarning(UserWarning):
    """There are so few samples that any pairing would align perfectly."""


def latent_rounding(
    encoders: list[Array], features: Sequence[Array], overall: float = 0.0
) -> Array:
    """What may be no more than rounding in each latent.

    A row that is silent in one view is so to the rounding of all of its
    parts: the largest counts.

    Parameters
    ----------
    encoders : list of ndarray of shape (k, d_m)
    features : list of ndarray of shape (d_m,)
        What may be rounding in each feature, in its unit.
    overall : float, default=0.0
        What a row of norm one is rounded to at least, whatever it meets:
        under the paper's constraint, which compares the entries of a row,
        all of them have errors of one size.

    Returns
    -------
    rounding : ndarray of shape (k,)
    """
    parts = [
        np.linalg.norm(A * rounding, axis=1)
        for A, rounding in zip(encoders, features)
    ]
    if overall:
        parts.append(overall * np.linalg.norm(np.hstack(encoders), axis=1))
    rounding: Array = np.max(parts, axis=0)
    return rounding


@one_blas_thread
def explained_variance(
    summary: Summary, solution: Solution, center: bool, rtol: float
) -> Array:
    """Share of each view's variance that its latents explain.

    Every feature in units of its own standard deviation.

    Parameters
    ----------
    summary : Summary
    solution : Solution
    center, rtol
        Of the structure that the solution is from.

    Returns
    -------
    explained : ndarray of shape (M,)
    """
    blocks = summary.view_blocks()
    latents = _in_rounding(solution, blocks, summary.rounding(rtol, center))
    explained = []
    units = summary.units(rtol, blocks)
    for z, standardised in zip(latents, map(np.multiply, blocks, units)):
        U, s, _ = svd(z, full_matrices=False)
        explained.append(
            np.linalg.norm(U[:, s > 1].T @ standardised) ** 2
            / np.linalg.norm(standardised) ** 2
        )
    return np.array(explained)


def _in_rounding(
    solution: Solution, blocks: list[Array], rounding: list[Array]
) -> list[Array]:
    """Latents of the blocks' rows, in units of what may be rounding."""
    noise = latent_rounding(solution.encoders, rounding)
    noise = np.maximum(noise, solution.rounding)
    return [block @ A.T / noise for block, A in zip(blocks, solution.encoders)]


def _agreement(latents: list[Array], contrasts: Array) -> float:
    size = max(np.abs(z).max() for z in latents)
    if size == 0:
        return 0.0
    latents = [z / size for z in latents]
    misfit = sum(
        np.linalg.norm(sum(h * z for h, z in zip(row, latents))) ** 2
        for row in contrasts
    )
    spread = sum(np.linalg.norm(z) ** 2 for z in latents)
    return float(1 - misfit / (np.sum(contrasts[:, 0] ** 2) * spread))


def surprises(
    structure: SharedStructure, solution: Solution, ridge: float, pooled: bool
) -> list[tuple[type[Warning], str]]:
    """Warnings that the latents deserve, as (category, message) pairs."""
    found: list[tuple[type[Warning], str]] = []
    # By their own correlations latents agree as well as the views do.
    collapse = _collapse(structure, solution, may_shrink=pooled or ridge > 0)
    if collapse:
        found.append((CollapseWarning, " ".join(collapse)))
    overfit = _overfit(structure)
    # A ridge may leave nothing perfect.
    if overfit and (
        not ridge
        or structure.correlations(solution.singular_values)[0] > 1 - PERFECT
    ):
        advice = "Judge the alignment on held-out pairs."
        found.append((OverfitWarning, " ".join([*overfit, advice])))
    return found


def _collapse(
    structure: SharedStructure, solution: Solution, may_shrink: bool
) -> list[str]:
    summary, k = structure.summary, len(solution.encoders[0])
    if not may_shrink and _of_full_rank(structure, k):
        return []
    latents = _in_rounding(solution, summary.view_blocks(), structure.rounding)
    messages = []
    powers, _ = eigh(np.array([z.T @ z for z in latents]))
    # Squares lose digits; where these do not matter, all ranks are k.
    if np.any(powers[:, 0] <= 1 + SQUARED * powers[:, -1]):
        rank = np.count_nonzero(singular_values(np.vstack(latents)) > 1)
        if rank < k:
            return [
                f"The latents have rank {rank}, below n_components={k}: "
                "the rest is the same for every sample, aligned but empty."
            ]
        ranks = [np.count_nonzero(singular_values(z) > 1) for z in latents]
        messages = [
            f"The latents of view {m} have rank {rank}, below n_components="
            f"{k}: the rest is the same for every sample, and what other "
            "views say there has no counterpart."
            for m, rank in enumerate(ranks)
            if rank < k
        ]
    if may_shrink:
        blocks = summary.blocks(structure.center)
        agreement = _agreement(
            [block @ A.T for block, A in zip(blocks, solution.encoders)],
            summary.contrasts,
        )
        correlations = structure.correlations(structure.singular_values)[:k]
        common = correlations.mean() if correlations.size else 0.0
        if agreement < AGREEMENT * common and common > AGREEMENT:
            messages.append(
                f"In units of their own size the latents of the views hardly "
                f"agree (correlation {agreement:.2f}), though the views "
                f"have {k} components that do ({common:.2f}): they are near "
                "each other because they are small. constraint='whitened' "
                "with a small ridge rules that out."
            )
    return messages


def _of_full_rank(structure: SharedStructure, k: int) -> bool:
    """Whether whitened latents can be nothing else.

    Where those of two views correlate, they are orthogonal combinations of
    each, and both as large.
    """
    return (
        isinstance(structure.summary, StackedSummary)
        and structure.center
        and len(structure.ranks) == 2
        and structure.rtol < 0.5
        # So far from 1, that of one view alone, no tie leads there.
        and bool(structure.singular_values[-k] < 0.99)
    )


def _overfit(structure: SharedStructure) -> list[str]:
    summary, v = structure.summary, structure.vacuous_dimension
    if isinstance(summary, StackedSummary):
        if not v:
            return []
        ranks = ", ".join(map(str, structure.ranks))
        return [
            f"{summary.n_items} different samples are too few for views of "
            f"ranks {ranks}: any pairing of the samples, a shuffled one too, "
            f"has {v} perfectly aligned dimensions."
        ]
    if isinstance(summary, IncompleteSummary):
        few = _vacuous_sets(structure, summary)
        if not v:
            # The others may do without them.
            links = DisjointSet(chain.from_iterable(summary.sets))
            for views in set(summary.sets).difference(few):
                for view in views:
                    links.merge(views[0], view)
            few = {
                views: n
                for views, n in few.items()
                if len({links[view] for view in views}) > 1
            }
        return [
            f"The {summary.sets[views].n_items} items with the views {views} "
            f"are too few: in any order, a shuffled one too, they have {v} "
            "perfectly aligned dimensions."
            for views, v in few.items()
        ]
    return []


def _vacuous_sets(
    structure: SharedStructure, summary: IncompleteSummary
) -> dict[tuple[int, ...], int]:
    """Dimensions in which the items of a set agree in any order."""
    center, rtol = structure.center, structure.rtol
    found = {
        views: SharedStructure(items, center, rtol).vacuous_dimension
        for views, items in summary.sets.items()
        if len(views) > 1
    }
    return {views: v for views, v in found.items() if v}
