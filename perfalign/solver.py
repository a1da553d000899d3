"""From the shared structure of the views to their encoders."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import norm

from perfalign.stack import (
    contrast_stack,
    left_singular_system,
    unchanged,
    whiten,
)
from perfalign.ties import joint_signs, principal_rotation, tied_groups

# Singular values closer than this share of the largest are tied.
TIE_RTOL = np.finfo(float).eps ** 0.5


@dataclass(frozen=True, eq=False)
class Solution:
    """Encoders of all views and the spectrum that they come from."""

    encoders: list[np.ndarray]
    singular_values: np.ndarray


def solve(structure, n_components, constraint, ridge, gauge):
    """Encoders from the smallest left singular vectors of the stack.

    Parameters
    ----------
    structure : SharedStructure
    n_components, constraint, ridge, gauge
        As in `PerfectAlignment`, already validated.

    Returns
    -------
    solution : Solution
    """
    summary = structure.summary
    blocks = summary.blocks(structure.center)
    scale = 1.0
    if constraint == "orthonormal":
        views = [unchanged(block) for block in blocks]
    else:
        views = structure.whitened
        if ridge:
            blocks = summary.split(with_pseudo_samples(blocks, ridge))
            views = [whiten(block, structure.rtol) for block in blocks]
        # Σ_m Z_mᵀ Z_m = Σ_m n_m I, where singular vectors alone would give I.
        scale = summary.n_observations**0.5
    if views is structure.whitened:
        singular_values = structure.singular_values
        vectors = structure.vectors
    else:
        singular_values, vectors = left_singular_system(
            contrast_stack(views, summary.contrasts)
        )
    sections = np.cumsum([view.rank for view in views])[:-1]

    def encoders(vectors):
        parts = np.split(scale * vectors, sections)
        return [view.encoder(part) for view, part in zip(views, parts)]

    if gauge is None:
        return Solution(encoders(vectors[:, -n_components:]), singular_values)

    groups = tied_groups(singular_values[::-1], TIE_RTOL * singular_values[0])
    # A tie is rotated whole and cut afterwards: which of its directions are
    # kept is part of the rule.
    n_candidates = next(
        group[-1] + 1 for group in groups if group[-1] + 1 >= n_components
    )
    groups = [group for group in groups if group[0] < n_candidates]
    candidates = vectors[:, ::-1][:, :n_candidates]
    moment = explained_moment(
        summary.blocks(),
        encoders(candidates),
        pooled=constraint == "orthonormal",
    )
    rotation = principal_rotation(moment, groups)[:, :n_components]
    chosen = encoders(candidates @ rotation)
    signs = joint_signs(np.hstack(chosen))[:, None]
    return Solution([signs * rows for rows in chosen], singular_values)


def with_pseudo_samples(blocks, ridge):
    """Factor of the stack with noise samples in one view at a time added.

    View m gets d_m rows √(λ tr(C_m) n / d_m) I in which the other views are
    zero: its covariance gains the ridge, and no two views gain a correlation.
    """
    weights = np.concatenate(
        [
            np.full(block.shape[1], (ridge / block.shape[1]) ** 0.5)
            * norm(block.ravel())
            for block in blocks
        ]
    )
    return np.linalg.qr(
        np.vstack([np.hstack(blocks), np.diag(weights)]), mode="r"
    )


def explained_moment(blocks, encoders, pooled):
    """What the components account for, as a moment to diagonalise in ties.

    Either the pooled covariance of the latents, or the share of the views'
    variance that their loadings carry, in which no view's unit matters.
    """
    sizes = [norm(block.ravel()) for block in blocks]
    parts = [block @ A.T for block, A in zip(blocks, encoders)]
    if pooled:
        parts = [z / max(sizes) for z in parts]
    else:
        parts = [
            (block / size).T @ z
            for block, size, z in zip(blocks, sizes, parts)
        ]
    return sum(part.T @ part for part in parts)
