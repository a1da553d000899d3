"""What the latents contain, and when that should worry their user."""

import numpy as np
from scipy.linalg import norm, svd, svdvals

from perfalign.pairings import PairedSummary

# Of the variance that k random directions of a view would explain on average,
# latents that explain less than this share are called collapsed. At a share
# of one, unrelated isotropic views would be a matter of chance.
COLLAPSE_SHARE = 0.5


class CollapseWarning(UserWarning):
    """The latents agree because some of them say nothing."""


class OverfitWarning(UserWarning):
    """There are so few samples that any pairing would align perfectly."""


def latent_content(structure, encoders):
    """Rank of the centred latents, and each view's variance they explain.

    Parameters
    ----------
    structure : SharedStructure
    encoders : list of ndarray of shape (k, d_m)

    Returns
    -------
    rank : int
        Of the latents of all views together; a constant counts for nothing.
    explained : ndarray of shape (M,)
    """
    explained, latents, noise = [], [], []
    for block, A in zip(structure.summary.blocks(), encoders):
        size = svdvals(block)[0]
        z = block @ A.T
        noise.append(structure.rtol * size * svdvals(A)[0])
        U, s, _ = svd(z, full_matrices=False)
        U = U[:, s > noise[-1]]
        explained.append(norm(U.T @ (block / norm(block.ravel()))) ** 2)
        latents.append(z)
    spread = svdvals(np.vstack(latents))
    return int(np.count_nonzero(spread > max(noise))), np.array(explained)


def surprises(structure, k, rank, explained):
    """Warnings that the latents deserve, as (category, message) pairs."""
    found = []
    collapse = _collapse(k, rank, explained, structure.ranks)
    if collapse:
        found.append((CollapseWarning, " ".join(collapse)))
    overfit = _overfit(structure)
    if overfit:
        advice = "Judge the alignment on held-out pairs."
        found.append((OverfitWarning, " ".join([*overfit, advice])))
    return found


def _collapse(k, rank, explained, ranks):
    messages = []
    if rank < k:
        messages.append(
            f"The latents have rank {rank}, below n_components={k}: the rest "
            "is the same for every sample, aligned but empty."
        )
    for m, (share, r_m) in enumerate(zip(explained, ranks)):
        if share < COLLAPSE_SHARE * k / r_m:
            messages.append(
                f"The latents explain {share:.2%} of the variance of view {m},"
                f" where {k} random directions would explain {k / r_m:.0%}."
            )
    return messages


def _overfit(structure):
    summary, v = structure.summary, structure.vacuous_dimension
    if isinstance(summary, PairedSummary):
        few = summary.vacuous_pairs(structure.center, structure.rtol)
        return [
            f"The {summary.pairs[pair].n_samples} items of pair {pair} are "
            f"too few: in any order, a shuffled one too, they have {v} "
            "perfectly aligned dimensions."
            for pair, v in few.items()
        ]
    if not v:
        return []
    ranks = ", ".join(map(str, structure.ranks))
    return [
        f"{summary.n_samples} samples are too few for views of ranks {ranks}: "
        "any pairing of the samples, a shuffled one too, has "
        f"{v} perfectly aligned dimensions."
    ]
