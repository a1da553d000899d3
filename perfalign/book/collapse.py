"""What chapter 7 measures on two halves of digits."""

from collections.abc import Callable, Sequence
from copy import copy

import numpy as np
from scipy.linalg import orthogonal_procrustes
from sklearn.model_selection import StratifiedShuffleSplit

from perfalign._types import Array
from perfalign.alignment import PerfectAlignment
from perfalign.datasets import load_digit_halves
from perfalign.summary import StackedSummary
from perfalign.transfer import GaussianTransfer

Fit = Callable[[Sequence[Array]], PerfectAlignment]


def pixels(values: Array) -> Array:
    """A number a feature, on the pixels of half an image."""
    return np.reshape(values, (8, 4))


def explained(
    alignment: PerfectAlignment, views: Sequence[Array]
) -> list[Array]:
    """Share of each pixel's variance that the latents explain."""
    shares = []
    for view, z in zip(views, alignment.transform(views), strict=True):
        x, z = view - view.mean(axis=0), z - z.mean(axis=0)
        rest = x - z @ np.linalg.lstsq(z, x, rcond=1e-9)[0]
        total = np.sum(x**2, axis=0)
        share = 1 - np.sum(rest**2, axis=0) / np.maximum(total, 1e-9)
        shares.append(pixels(np.where(total > 0, share, 0)))
    return shares


def whitening_only(
    views: Sequence[Array], k: int, ridge: float
) -> PerfectAlignment:
    """The stacked SVD of two views whitened by shrunk covariances.

    A ridge in the constraint of which the objective knows nothing.
    """
    alignment = copy(PerfectAlignment(k).fit(views))
    whitened, roots = [], []
    for view in views:
        C = np.cov(view.T, bias=True)
        C += ridge * np.trace(C) / len(C) * np.eye(len(C))
        roots.append(np.linalg.inv(np.linalg.cholesky(C)))
        whitened.append((view - view.mean(axis=0)) @ roots[-1].T)
    stack = np.hstack([whitened[0], -whitened[1]])
    _, s, rows = np.linalg.svd(stack, full_matrices=False)
    rows[s < 1e-9 * s[0]] = 0  # silent but for rounding: silent
    parts = np.split(rows[-k:], 2, axis=1)
    encoders = [B @ W for B, W in zip(parts, roots, strict=True)]
    return _with(alignment, encoders, views)


def prices(
    views: Sequence[Array], ridge: float, k: int
) -> tuple[float, float, float, float]:
    """What k latents cost with a ridge in the whitening, and in both places.

    Returns the cost of the quietest directions of single views, of the
    leading pairs and of the optimum with the ridge in the whitening only;
    then that of the leading pairs with pseudo-samples.
    """
    U, alone = [], []
    for view in views:
        x = view - view.mean(axis=0)
        C = x.T @ x / len(x)
        shrink = ridge * np.trace(C) / len(C)
        v = np.maximum(np.linalg.eigvalsh(C), 0)
        alone.append(v / (v + shrink))
        L = np.linalg.cholesky(C + shrink * np.eye(len(C)))
        U.append(np.linalg.solve(L, x.T) / np.sqrt(len(x)))
    a, kappa, b = np.linalg.svd(U[0] @ U[1].T)
    signals = a.T[:k] @ U[0], b[:k] @ U[1]
    pairs = np.sum((signals[0] - signals[1]) ** 2) / 2
    best = np.linalg.svd(np.vstack([U[0], -U[1]]), compute_uv=False)
    quiet = np.sort(np.concatenate(alone))[:k].sum()
    return quiet, pairs, np.sum(best[-k:] ** 2), k - kappa[:k].sum()


def procrustes(views: Sequence[Array]) -> PerfectAlignment:
    """One view turned onto the other, all of it."""
    alignment = copy(PerfectAlignment(8).fit(views))
    centred = [view - view.mean(axis=0) for view in views]
    turn, _ = orthogonal_procrustes(*centred)
    return _with(alignment, [turn.T, np.eye(len(turn))], views)


def _with(
    alignment: PerfectAlignment,
    encoders: list[Array],
    views: Sequence[Array],
) -> PerfectAlignment:
    alignment.encoders_ = encoders
    alignment.offsets_ = [
        -A @ view.mean(axis=0) for A, view in zip(encoders, views, strict=True)
    ]
    return alignment


def cleaned(view: Array, train: Array, remedy: str) -> Array:
    """The features that vary, those that vary much, or all at one scale."""
    sd = view[train].std(axis=0)
    if remedy == "unit variance":
        scaled: Array = view[:, sd > 0] / sd[sd > 0]
        return scaled
    kept: Array = view[:, sd > {"never vary": 0, "vary little": 1}[remedy]]
    return kept


def accuracies(
    fit: Fit, clean: Callable[[Array, Array], Array] | None = None
) -> list[float]:
    """Of right halves by labels of left halves, in five splits."""
    digits, scores = load_digit_halves(), []
    for train, held in splits():
        left, right = [
            clean(view, train) if clean else view for view in digits.views
        ]
        model = GaussianTransfer(fit([left[train], right[train]]))
        model.fit(left[train], digits.target[train], view=0)
        scores.append(model.score(right[held], digits.target[held], view=1))
    return scores


def splits() -> list[tuple[Array, Array]]:
    """Digits for training and digits held out, five times."""
    y = load_digit_halves().target
    rule = StratifiedShuffleSplit(5, test_size=0.5, random_state=0)
    return list(rule.split(y, y))


def new_pairs(
    seed: int, strengths: Sequence[float], rho: float = 0.8
) -> tuple[list[float], list[float]]:
    """Correlations that 150 pairs report by ridge, and those of others.

    Three shared signals of 60 features a view.
    """
    rng = np.random.default_rng(seed)

    def sample(n: int) -> list[Array]:
        z, views = rng.normal(size=(n, 3)), []
        for _ in range(2):
            noise = rng.normal(size=(n, 60))
            signal = np.sqrt(rho) * z + np.sqrt(1 - rho) * noise[:, :3]
            views.append(np.hstack([2 * signal, noise[:, 3:]]))
        return views

    seen, unseen = StackedSummary.from_views(sample(150)), sample(2000)
    reported, new = [], []
    for ridge in strengths:
        alignment = PerfectAlignment(3, ridge=ridge).fit_summary(seen)
        z = alignment.transform(unseen)
        reported.append(alignment.canonical_correlations_[:3].mean())
        new.append(
            np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(z[0].T, z[1].T)])
        )
    return reported, new
