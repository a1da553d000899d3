"""What the latents contain, and when that should worry their user."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfalign._linalg import singular_values, svd
from perfalign._solver import SharedStructure, Solution, whiten
from perfalign._types import Array, Integers
from perfalign.summary import IncompleteSummary, StackedSummary

# Latents that agree less than this share of what the views have in common,
# in units of their own size, are near each other because they are small.
AGREEMENT = 0.5
# A correlation that is 1 to so many digits is called perfect.
PERFECT = 1e-9


class CollapseWarning(UserWarning):
    """The latents agree because some of them say nothing."""


class OverfitWarning(UserWarning):
    """There are so few samples that any pairing would align perfectly."""


@dataclass(frozen=True, eq=False)
class LatentContent:
    """What the latents of all views hold.

    Attributes
    ----------
    n_components : int
    rank : int
        Of the latents of all views together; a constant counts for nothing.
    ranks : ndarray of shape (M,)
        Of the latents of each view.
    explained : ndarray of shape (M,)
        Share of each view's variance that its latents explain, every feature
        in units of its own standard deviation.
    agreement : float
        Correlation of the views' latents, all components together.
    """

    n_components: int
    rank: int
    ranks: Integers
    explained: Array
    agreement: float


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


def latent_content(
    structure: SharedStructure, solution: Solution
) -> LatentContent:
    """Measure the latents that a solution gives to the samples.

    Parameters
    ----------
    structure : SharedStructure
    solution : Solution

    Returns
    -------
    content : LatentContent
    """
    summary, encoders = structure.summary, solution.encoders
    blocks = summary.view_blocks()
    latents = [block @ A.T for block, A in zip(blocks, encoders)]
    noise = latent_rounding(encoders, structure.rounding)
    noise = np.maximum(noise, solution.rounding)
    ranks, explained = [], []
    for z, block in zip(latents, summary.standardised(structure.rtol, blocks)):
        U, s, _ = svd(z / noise, full_matrices=False)
        U = U[:, s > 1]
        ranks.append(U.shape[1])
        explained.append(
            np.linalg.norm(U.T @ block) ** 2 / np.linalg.norm(block) ** 2
        )
    spread = singular_values(np.vstack(latents) / noise)
    return LatentContent(
        n_components=len(noise),
        rank=int(np.count_nonzero(spread > 1)),
        ranks=np.array(ranks),
        explained=np.array(explained),
        agreement=_agreement(
            [
                block @ A.T
                for block, A in zip(summary.blocks(structure.center), encoders)
            ],
            summary.contrasts,
        ),
    )


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
    structure: SharedStructure,
    solution: Solution,
    content: LatentContent,
    ridge: float,
) -> list[tuple[type[Warning], str]]:
    """Warnings that the latents deserve, as (category, message) pairs."""
    found: list[tuple[type[Warning], str]] = []
    collapse = _collapse(structure, content)
    if collapse:
        found.append((CollapseWarning, " ".join(collapse)))
    # A ridge may leave nothing perfect.
    leading = structure.correlations(solution.singular_values)[0]
    if not ridge or leading > 1 - PERFECT:
        overfit = _overfit(structure)
        if overfit:
            advice = "Judge the alignment on held-out pairs."
            found.append((OverfitWarning, " ".join([*overfit, advice])))
    return found


def _collapse(structure: SharedStructure, content: LatentContent) -> list[str]:
    k = content.n_components
    if content.rank < k:
        return [
            f"The latents have rank {content.rank}, below n_components={k}: "
            "the rest is the same for every sample, aligned but empty."
        ]
    messages = [
        f"The latents of view {m} have rank {rank}, below n_components={k}: "
        "the rest is the same for every sample, and what other views say "
        "there has no counterpart."
        for m, rank in enumerate(content.ranks)
        if rank < k
    ]
    common = structure.correlations(structure.singular_values)[:k].mean()
    if content.agreement < AGREEMENT * common and common > AGREEMENT:
        messages.append(
            f"In units of their own size the latents of the views hardly "
            f"agree (correlation {content.agreement:.2f}), though the views "
            f"have {k} components that do ({common:.2f}): they are near each "
            "other because they are small. constraint='whitened' with a "
            "small ridge rules that out."
        )
    return messages


def _overfit(structure: SharedStructure) -> list[str]:
    summary, v = structure.summary, structure.vacuous_dimension
    if isinstance(summary, IncompleteSummary):
        few = _vacuous_sets(structure, summary)
        if not v:
            # The others may do without them.
            parts = _joined(set(summary.sets) - set(few))
            few = {
                views: n
                for views, n in few.items()
                if not any(part.issuperset(views) for part in parts)
            }
        return [
            f"The {summary.sets[views].n_items} items with the views {views} "
            f"are too few: in any order, a shuffled one too, they have {v} "
            "perfectly aligned dimensions."
            for views, v in few.items()
        ]
    if v and isinstance(summary, StackedSummary):
        ranks = ", ".join(map(str, structure.ranks))
        return [
            f"{summary.n_items} different samples are too few for views of "
            f"ranks {ranks}: any pairing of the samples, a shuffled one too, "
            f"has {v} perfectly aligned dimensions."
        ]
    return []


def _joined(sets: Iterable[tuple[Any, ...]]) -> list[set[Any]]:
    """Views that are joined by the sets which they are in."""
    parts: list[set[Any]] = []
    for views in sets:
        touched = [part for part in parts if not part.isdisjoint(views)]
        apart = [part for part in parts if part.isdisjoint(views)]
        parts = [*apart, set(views).union(*touched)]
    return parts


def _vacuous_sets(
    structure: SharedStructure, summary: IncompleteSummary
) -> dict[tuple[int, ...], int]:
    """Dimensions in which the items of a set agree in any order."""
    vacuous = {}
    for views, observed in summary.sets.items():
        if len(views) == 1:
            continue
        least = 1 + (sum(observed.n_features) / observed.n_counted) ** 0.5
        ranks = [
            whiten(block, rounding, least).rank
            for block, rounding in zip(
                observed.blocks(structure.center),
                observed.rounding(structure.rtol, structure.center),
            )
        ]
        v = sum(ranks) - observed.degrees_of_freedom(structure.center)
        if v > 0:
            vacuous[views] = v
    return vacuous
