"""The methods that `scale.py` compares, and the data they are given.

Libraries are imported where they are used, since no one environment holds
all of them.
"""

from functools import cache

import numpy as np
from scipy.fft import dct
from scipy.linalg import blas, lapack, svdvals
from sklearn.cross_decomposition import CCA, PLSCanonical
from sklearn.decomposition import IncrementalPCA

from perfalign import (
    PerfectAlignment,
    StackedSummary,
    permutation_test,
    relative_alignment_error,
)
from perfalign.baselines import ContrastiveAlignment

#: Signals of the data, or as many as a view has room for.
RANK = 16
ODD = ("rank 3", "units 1e160", "view 1e-14", "mean 1e8")


def rank_of(d, rank=RANK):
    return min(rank, d // 4)


def exact_views(n, d, rank=RANK):
    """Two views of d / 2 features that see one concept, without noise."""
    rng = np.random.default_rng([n, d])
    k = rank_of(d, rank)
    concept = rng.normal(size=(n, k))
    return [concept @ rng.normal(size=(k, d // 2)) + 1 for _ in range(2)]


def noisy_views(n, d):
    """The same, and in every feature noise as strong as one signal."""
    rng = np.random.default_rng([n, d, 1])
    return [v + rng.normal(size=v.shape) for v in exact_views(n, d)]


DATA = {"exact": exact_views, "noisy": noisy_views}


def odd_views(kind):
    """Exact views of rank 3 in a state that data are sometimes in."""
    left, right = exact_views(2000, 16, rank=3)
    if kind == "units 1e160":
        return [1e160 * left, 1e160 * right]
    if kind == "view 1e-14":
        return [left, 1e-14 * right]
    if kind == "mean 1e8":
        # Multiples of 2^-20 with few bits stay exact far from zero.
        concept = np.round(left[:, :3] * 2**10) / 2**10
        rng = np.random.default_rng(0)
        mix = rng.integers(-4, 5, size=(2, 3, 8))
        return [concept @ weights + 1e8 for weights in mix]
    return [left, right]


# One pass over the views, or over their stack


def gram(views, stack, chunk=2048):
    """Gram matrix by chunks, the yardstick of all."""
    total = np.zeros((stack.shape[1],) * 2, order="F")
    for start in range(0, len(stack), chunk):
        rows = stack[start : start + chunk].T
        total = blas.dsyrk(1.0, rows, beta=1.0, c=total, overwrite_c=True)
    return total


def rp_cholesky_qr(views, stack, mixed=True, chunk=2048):
    """Triangle of Garrison and Ipsen's (2024) method.

    The preconditioner is the triangle of three rows a column, drawn at random
    with replacement, after a transform that makes all rows alike: random
    signs and a cosine transform. Without it, any few rows may be all there is
    of a direction.
    """
    n, d = stack.shape
    rng = np.random.default_rng(0)
    source = stack
    if mixed:
        signs = rng.choice([-1.0, 1.0], size=(n, 1))
        source = dct(signs * stack, axis=0, norm="ortho", overwrite_x=True)
    sample = source[rng.integers(n, size=3 * d)] * np.sqrt(n / (3 * d))
    P = np.asfortranarray(np.linalg.qr(sample, mode="r"))
    total = np.zeros((d, d), order="F")
    for start in range(0, n, chunk):
        rows = blas.dtrsm(1.0, P, stack[start : start + chunk].T, trans_a=1)
        total = blas.dsyrk(1.0, rows, beta=1.0, c=total, overwrite_c=True)
    root, failed = lapack.dpotrf(total)
    if failed:
        raise np.linalg.LinAlgError("the Gram matrix is not definite")
    return blas.dtrmm(1.0, P, root, side=1)


def incremental_pca(views, stack):
    return IncrementalPCA(batch_size=max(2048, 5 * stack.shape[1])).fit(stack)


PASSES = {
    "dsyrk": gram,
    "StackedSummary": lambda views, stack: StackedSummary.from_views(views),
    "rpCholesky-QR": rp_cholesky_qr,
    "rpCholesky-QR unmixed": lambda views, stack: rp_cholesky_qr(
        views, stack, mixed=False
    ),
    "numpy qr": lambda views, stack: np.linalg.qr(stack, mode="r"),
    "numpy svd": lambda views, stack: np.linalg.svd(
        stack, full_matrices=False
    ),
    "IncrementalPCA": incremental_pca,
}


def singular_values(method, views):
    """Of the centred stack, descending, as one of `PASSES` finds them."""
    stack = np.hstack(views)
    stack -= stack.mean(axis=0)
    result = PASSES[method](views, stack)
    if method == "dsyrk":
        values = np.linalg.eigvalsh(result, UPLO="U")
        return np.sort(np.sqrt(np.abs(values)))[::-1]
    if method == "StackedSummary":
        values = np.zeros(stack.shape[1])
        found = svdvals(result.R)
        values[: len(found)] = found
        return values
    if method == "numpy svd":
        return result[1]
    if method == "IncrementalPCA":
        return result.singular_values_
    return svdvals(result)


def tail(method, views, rank):
    """Largest singular value that should be zero, over the largest of all."""
    values = singular_values(method, views)
    return values[rank] / values[0]


# A thousand permutations, and what they cannot be had without


@cache
def orders(n, count=1000):
    rng = np.random.default_rng(0)
    return [rng.permutation(n) for _ in range(count)]


def products_and_values(views, stack):
    """Canonical correlations of shuffled pairs, and nothing else."""
    left, right = (np.linalg.qr(v - v.mean(axis=0))[0] for v in views)
    products = [left.T @ right[order] for order in orders(len(left))]
    return np.linalg.svd(products, compute_uv=False)


PERMUTATIONS = {
    "permutation_test": lambda views, stack: permutation_test(
        PerfectAlignment(2), views, 1000, random_state=0
    ),
    "products and values": products_and_values,
}


# Whole fits, by the names under which results are kept


class _NumPy:
    """Nothing but a QR of each view and an SVD: no check, no rank."""

    def __init__(self, n_components):
        self.n_components = n_components

    def fit(self, views):
        k = self.n_components
        self.means = [view.mean(axis=0) for view in views]
        (P, R), (Q, S) = map(np.linalg.qr, map(np.subtract, views, self.means))
        U, _, V = np.linalg.svd(P.T @ Q)
        self.weights = (
            np.linalg.solve(R, U[:, :k]),
            np.linalg.solve(S, V[:k].T),
        )
        return self

    def transform(self, views):
        return [
            (view - mean) @ weights
            for view, mean, weights in zip(views, self.means, self.weights)
        ]


class _NumPyRows(_NumPy):
    """Nothing but products of rows, where they are fewer than features."""

    def fit(self, views):
        k = self.n_components
        self.means = [view.mean(axis=0) for view in views]
        centred = list(map(np.subtract, views, self.means))
        squares, bases = zip(*(np.linalg.eigh(X @ X.T) for X in centred))
        # One direction is that of the mean, which is nothing now.
        (s, t), (P, Q) = ([part[..., 1:] for part in parts]
                          for parts in (squares, bases))  # fmt: skip
        U, _, V = np.linalg.svd(P.T @ Q)
        X, Y = centred
        self.weights = X.T @ (P / s @ U[:, :k]), Y.T @ (Q / t @ V[:k].T)
        return self


class _Statsmodels:
    def __init__(self, n_components):
        self.n_components = n_components

    def fit(self, views):
        from statsmodels.multivariate.cancorr import CanCorr

        model = CanCorr(*views)
        self.encoders_ = model.y_cancoef, model.x_cancoef
        return self

    def transform(self, views):
        pairs = zip(views, self.encoders_)
        return [
            (view - view.mean(axis=0)) @ encoder[:, : self.n_components]
            for view, encoder in pairs
        ]


class _TwoArguments:
    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, views):
        self.estimator.fit(*views)
        return self

    def transform(self, views):
        return self.estimator.transform(*views)


def _cca_zoo(name):
    def make(k):
        from cca_zoo import linear

        return getattr(linear, name)(k)

    return make


def _mvlearn(name, ranks=False):
    def make(k):
        from mvlearn import embed

        given = {"signal_ranks": [k, k]} if ranks else {}
        return getattr(embed, name)(k, **given)

    return make


FITS = {
    "perfalign": PerfectAlignment,
    "numpy QR + SVD": _NumPy,
    "cca-zoo CCA": _cca_zoo("CCA"),
    "cca-zoo MCCA": _cca_zoo("MCCA"),
    "cca-zoo GCCA": _cca_zoo("GCCA"),
    "mvlearn MCCA (ranks given)": _mvlearn("MCCA", ranks=True),
    "mvlearn MCCA": _mvlearn("MCCA"),
    "mvlearn CCA": _mvlearn("CCA"),
    "statsmodels CanCorr": _Statsmodels,
    "scikit-learn CCA": lambda k: _TwoArguments(CCA(k)),
    "scikit-learn PLS": lambda k: _TwoArguments(PLSCanonical(k)),
    "contrastive": lambda k: ContrastiveAlignment(
        k, batch_size=256, random_state=0
    ),
}

#: For fewer rows than features alone.
WIDE = {"numpy eigh of rows": _NumPyRows}


def alignment_of(model, views):
    """Relative alignment error of a fitted model.

    None if the latents are not finite or the same for all samples.
    """
    latents = [np.asarray(z, dtype=float) for z in model.transform(views)]
    stacked = np.vstack(latents)
    if not np.isfinite(stacked).all() or not np.ptp(stacked, axis=0).any():
        return None
    try:
        return float(relative_alignment_error(latents))
    except ValueError:  # the same up to rounding
        return None


def correlations(left, right):
    """Canonical correlations by Householder's method."""
    left, right = (np.linalg.qr(v - v.mean(axis=0))[0] for v in (left, right))
    return svdvals(left.T @ right)


def correlation_error(model, views, true):
    """Largest error of the canonical correlations that a model has found.

    They are read off its latents, so that any basis of these will do.
    """
    latents = [np.asarray(z, dtype=float) for z in model.transform(views)]
    if not all(np.isfinite(z).all() for z in latents):
        return None
    found = correlations(*latents)
    return float(np.abs(found - true[: len(found)]).max())
