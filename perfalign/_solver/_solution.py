"""From the shared structure of the views to their encoders."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from perfalign._linalg import each
from perfalign._solver._coordinates import (
    Coordinates,
    encoders_of,
    isometric,
    latents_of,
    regularised,
)
from perfalign._solver._rows import products
from perfalign._solver._stack import (
    contrast_stack,
    last_left_singular_vectors,
    left_singular_system,
    whitened_system,
)
from perfalign._solver._structure import SharedStructure
from perfalign._solver._ties import (
    joint_signs,
    principal_rotation,
    tied_groups,
)
from perfalign._types import Array
from perfalign.summary import Summary


@dataclass(frozen=True, eq=False)
class Solution:
    """Encoders of all views and the spectrum that they come from.

    `rounding` is what the computation may leave of latents that should be
    zero, as a norm over all samples.
    """

    encoders: list[Array]
    singular_values: Array
    rounding: float


def solve(
    structure: SharedStructure,
    n_components: int,
    constraint: str,
    ridge: float,
    gauge: str | None,
) -> Solution:
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
    pooled = constraint == "orthonormal"
    if pooled or ridge:
        blocks = summary.blocks(structure.center)
    if pooled and gauge is None:
        stack = contrast_stack(blocks, summary.contrasts)
        sigma, vectors = last_left_singular_vectors(stack, n_components)
        return Solution(
            summary.split(vectors.T), sigma, structure.rtol * sigma[0]
        )
    views: Sequence[Coordinates] = structure.whitened
    if pooled:
        views = [
            isometric(block, view, n_silent=n_components)
            for block, view in zip(blocks, structure.whitened)
        ]
        sigma, vectors = left_singular_system(
            contrast_stack([view.U for view in views], summary.contrasts)
        )
    elif ridge:
        views = regularised(blocks, structure.whitened, ridge)
        sigma, vectors = whitened_system(
            [view.U for view in views], summary.contrasts
        )
    else:
        sigma, vectors = structure.system
    # Σ_m Z_mᵀ Z_m = Σ_m n_m I, where singular vectors alone would give I.
    scale = 1.0 if pooled else summary.n_observations**0.5
    rounding = structure.rtol * (sigma[0] if pooled else scale)
    n_perfect = 0 if ridge else structure.shared_dimension
    spectrum = sigma
    if pooled:
        n_perfect += len(sigma) - sum(structure.ranks)
        # There are more silent rows than anybody asked for.
        spectrum = np.pad(sigma, (0, sum(summary.n_features) - len(sigma)))
    if gauge is None:
        found = encoders_of(views, scale * vectors[:, -n_components:])
        return Solution(found, spectrum, rounding)

    # A tie is rotated whole and cut afterwards: which of its directions are
    # kept is part of the rule.
    groups, n_candidates = [], 0
    for group in tied_groups(sigma[::-1], n_perfect):
        groups.append(group)
        n_candidates += len(group)
        if n_candidates >= n_components:
            break
    rows = vectors[:, : -n_candidates - 1 : -1]
    if len(groups) < n_candidates:
        # Only then U has the rows of the centred block.
        if structure.center and not ridge:
            latents = latents_of(views, rows)
        else:
            found = encoders_of(views, rows)
            latents = [X @ A.T for X, A in zip(summary.blocks(), found)]
        moment = explained_moment(summary, latents, structure.rtol, pooled)
        rows = rows @ principal_rotation(moment, groups)[:, :n_components]
    found = encoders_of(views, rows)
    signs = orientation(summary, found, pooled, structure.center)
    units = scale * signs[:, None]
    return Solution([units * A for A in found], spectrum, rounding)


def explained_moment(
    summary: Summary, latents: list[Array], rtol: float, pooled: bool
) -> Array:
    """What the components account for, as a moment to diagonalise in ties.

    Either the pooled covariance of the latents, or the share of the features'
    variances that their loadings carry, in which no feature's unit matters.

    Parameters
    ----------
    summary : Summary
    latents : list of ndarray of shape (p, K)
        Of the rows of the summary's blocks.
    rtol, pooled
        Of the structure, and whether the constraint is the paper's.

    Returns
    -------
    moment : ndarray of shape (K, K)
    """
    if pooled:
        largest = max(np.abs(z).max() for z in latents) or 1.0
        parts = [_gram(z / largest) for z in latents]
    else:
        blocks, units = summary.blocks(), summary.units(rtol)
        parts = each(_explained, blocks, units, latents)
    moment: Array = np.sum(parts, axis=0)
    return moment


def _explained(block: Array, units: Array, latents: Array) -> Array:
    """Inner products of loadings, with the features in units."""
    if len(block) > min(block.shape[1], 2 * latents.shape[1]):
        return _gram(units[:, np.newaxis] * (block.T @ latents))
    return np.asarray(latents.T @ products(block, units) @ latents)


def _gram(columns: Array) -> Array:
    """Inner products of columns."""
    return np.asarray(columns.T @ columns)


def orientation(
    summary: Summary, encoders: list[Array], pooled: bool, center: bool
) -> Array:
    """One sign for each component, which all views share.

    By the largest entry of its encoders: as they are where their own norm is
    what the constraint fixes, else in units of the features' norms, about
    their means where these are taken away.
    """
    stacked = np.concatenate(encoders, axis=1)
    if not pooled:
        stacked *= summary.spreads if center else summary.norms()
    return joint_signs(stacked)


def factor_latents(
    blocks: list[Array], encoders: list[Array], ridge: float
) -> list[Array]:
    """Latents of the factor's rows and, with a ridge, of samples of noise.

    The noise of view m are d_m samples √(λ tr(C_m) n / d_m) I, at which the
    other views are 0; see `regularised`.
    """
    latents = [block @ A.T for block, A in zip(blocks, encoders)]
    if not ridge:
        return latents
    noise = [
        (ridge / A.shape[1]) ** 0.5 * np.linalg.norm(block) * A.T
        for block, A in zip(blocks, encoders)
    ]
    apart = np.split(block_diag(*noise), len(noise), axis=1)
    return [np.vstack(parts) for parts in zip(latents, apart)]
