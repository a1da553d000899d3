"""Alignment without a pair: where it works, and how one knows.

    python benchmarks/no_pairs.py          writes no_pairs.json, 25 minutes

Emoji, 1906 with the flags, seen in four pairs of views, of which no pair of
rows is shown: the same drawings by two networks, the drawings of two artists
by two networks, two languages, drawings and English. Rows of either view are
put in an order of their own before each fit, and true partners are used only
to judge it.

`UnsupervisedAlignment` makes twenty starts and keeps the one with the best
fit. The rival, Gromov-Wasserstein's plan (POT), has as many: four entropies,
on five draws of 300 rows of either view; the rotation nearest to a plan is
kept if its fit, the same mean best cosine over all rows, is the best. Its
linear form, the closed form between two Gaussians with signs by skewness, has
nothing to choose. What the rivals find is also refined by the same rounds as
ours. Three seeds order the rows and draw the starts; the items are always all,
so that an interval over seeds knows nothing of other items.

Worlds of independent concepts, of skewed (gamma) distributions unless said
otherwise, are seen by two rotations: the same items, by noise and dimension;
other items of one population, by their number; and either, by how symmetric
the concepts are. Of three concepts and other items there are sixty worlds a
kind, to count how often a wrong answer stands out, by few starts and by many.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from perfalign.baselines import ProcrustesAlignment
from perfalign.datasets import load_emoji
from perfalign.metrics import recall, retrieval_ranks
from perfalign.unpaired import (
    UnidentifiedWarning,
    UnsupervisedAlignment,
    mutual_matches,
)

#: Components and groups of the emoji's views, seeds, starts and rounds.
COMPONENTS, CLUSTERS, SEEDS, STARTS, ROUNDS = 100, 25, 3, 20, 20

#: Entropies of Gromov-Wasserstein, and rows of either view in its plan.
ENTROPIES, ROWS = np.geomspace(3e-4, 0.1, 4), 300

#: Pairs of views.
PAIRS = (
    "two networks",
    "two artists and networks",
    "two languages",
    "pictures and words",
)

#: The worlds: what is varied, and what is not.
NOISES, WIDTHS = (0.0, 0.02, 0.05, 0.1, 0.2), (3, 5, 10)
SIZES, SYMMETRIES = (100, 250, 1000), (0.0, 0.5, 0.8, 1.0)
WORLDS = 5

#: Strangers of three concepts: worlds, items a side, starts.
MANY, FEW_ITEMS, FEW_OR_MANY_STARTS = 60, (100, 250), (4, 10)


def views_of(pair):
    """Two views, reduced to components; row i of each is item i."""
    emoji = load_emoji(
        ("noto_lite0", "noto_lite2", "twemoji_lite1", "minilm"), flags=True
    )
    lite0, lite2, twemoji, minilm = emoji.views

    def words(language):
        counts = TfidfVectorizer(sublinear_tf=True, min_df=2)
        return counts.fit_transform(emoji.text[language]).toarray()

    views = {
        "two networks": lambda: (lite0, lite2),
        "two artists and networks": lambda: (twemoji, lite2),
        "two languages": lambda: (words("en"), words("fr")),
        "pictures and words": lambda: (lite2, minilm),
    }[pair]()
    pca = PCA(COMPONENTS, svd_solver="covariance_eigh")
    return [pca.fit_transform(X) for X in views], emoji.target


def judged(latents, target):
    """Partners found first, and among ten; categories found."""
    first, second = map(normalize, latents)
    ranks = retrieval_ranks(first, second, csls=10)
    nearest = (first @ second.T).argmax(axis=1)
    return {
        "recall": round(float(np.mean(ranks <= 1)), 4),
        "recall at 10": round(float(np.mean(ranks <= 10)), 4),
        "category": round(float(np.mean(target[nearest] == target)), 4),
    }


def unsupervised(views, rng, **parameters):
    """A fit to rows in disorder."""
    alignment = UnsupervisedAlignment(
        random_state=int(rng.integers(2**31)), **parameters
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnidentifiedWarning)
        return alignment.fit([X[rng.permutation(len(X))] for X in views])


def ours(views, target, seed):
    alignment = unsupervised(
        views,
        np.random.default_rng(seed),
        n_components=COMPONENTS,
        n_clusters=CLUSTERS,
        n_starts=STARTS,
        n_rounds=ROUNDS,
    )
    answers = []
    for place, solution in enumerate(alignment.solutions_):
        latents = alignment.with_solution(place).transform(views)
        answers.append(
            {
                "fit": round(solution.fit, 4),
                "starts": solution.n_starts,
                **judged(latents, target),
            }
        )
    return {"stands out": bool(alignment.stands_out_), "answers": answers}


def fit_of(rotation, first, second):
    cosines = first @ rotation @ second.T
    return (cosines.max(axis=1).mean() + cosines.max(axis=0).mean()) / 2


def nearest_rotation(matrix):
    U, _, Vt = np.linalg.svd(matrix)
    return U @ Vt


def refined(rotation, first, second, rng):
    """The rounds of ours, from a rotation of another's."""
    for share in [*np.linspace(0.1, 1, ROUNDS), *[1.0] * 4]:
        rows = [
            np.sort(rng.permutation(n)[: int(np.ceil(n * share**0.5))])
            for n in (len(first), len(second))
        ]
        A, B = first[rows[0]], second[rows[1]]
        found = mutual_matches(A @ rotation, B)
        rotation = nearest_rotation(A[found.first].T @ B[found.second])
    return rotation


def plans(first, second, rng):
    """The rotation of Gromov-Wasserstein's plans that fits best."""
    from ot.gromov import entropic_gromov_wasserstein

    found = []
    for _ in range(STARTS // len(ENTROPIES)):
        X, Y = (Z[rng.permutation(len(Z))[:ROWS]] for Z in (first, second))
        inner = [2 - 2 * Z @ Z.T for Z in (X, Y)]
        for entropy in ENTROPIES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                plan = entropic_gromov_wasserstein(
                    *inner, loss_fun="square_loss", epsilon=entropy,
                    solver="PPA", max_iter=50, numItermax=50,
                )  # fmt: skip
            if np.isfinite(plan).all() and plan.any():
                rotation = nearest_rotation(X.T @ plan @ Y)
                found.append((fit_of(rotation, first, second), rotation))
    return max(found, key=lambda one: one[0])[1]


def gaussian(first, second):
    """The rotation of the closed form between two Gaussians."""
    from ot.gaussian import empirical_gaussian_gromov_wasserstein_mapping

    A, _ = empirical_gaussian_gromov_wasserstein_mapping(
        first, second, sign_eigs="skewness"
    )
    return nearest_rotation(A)


def rivals(views, target, seed):
    rng = np.random.default_rng(seed)
    first, second = (normalize(X - X.mean(axis=0)) for X in views)
    row = {}
    shuffled = [Z[rng.permutation(len(Z))] for Z in (first, second)]
    for name, rotation in {
        "Gromov-Wasserstein": plans(*shuffled, rng),
        "its linear form": gaussian(*shuffled),
    }.items():
        for title, Q in {
            name: rotation,
            f"{name}, refined": refined(rotation, *shuffled, rng),
        }.items():
            row[title] = {
                "fit": round(float(fit_of(Q, first, second)), 4),
                **judged([first @ Q, second], target),
            }
    return row


def all_pairs(views, target):
    latents = ProcrustesAlignment(COMPONENTS).fit(views).transform(views)
    return judged(latents, target)


def exchanges(views, target, n_orders=4999):
    """Do the categories lie alike? Rank correlation, and its p over orders.

    Distances between the means of categories, in either view, are compared
    over random exchanges of the categories, as in chapter 14.
    """
    from scipy.stats import rankdata

    kinds = np.unique(target)
    upper = np.triu_indices(len(kinds), 1)
    squares = []
    for X in views:
        means = np.array([X[target == kind].mean(axis=0) for kind in kinds])
        gaps = np.linalg.norm(means[:, None] - means, axis=2)
        ranks = np.zeros_like(gaps)
        ranks[upper] = rankdata(gaps[upper])
        squares.append(ranks + ranks.T)
    rng = np.random.default_rng(0)
    orders = [np.arange(len(kinds))]
    orders += [rng.permutation(len(kinds)) for _ in range(n_orders)]
    fixed = squares[0][upper]
    values = np.array(
        [
            np.corrcoef(fixed, squares[1][np.ix_(order, order)][upper])[0, 1]
            for order in orders
        ]
    )
    return {
        "agreement": round(float(values[0]), 4),
        "p": round(float(np.mean(values >= values[0] - 1e-12)), 4),
    }


def world(
    seed,
    n=400,
    width=5,
    noise=0.0,
    symmetric=0.0,
    strangers=False,
    n_starts=4,
    n_rounds=10,
):
    """Two rotated views of independent concepts, and what is made of them.

    A concept is the sum of a skewed part, of another shape for each, and a
    normal part, which holds the share `symmetric` of the variance. Strangers
    are views of different items of one population.
    """
    rng = np.random.default_rng(seed)
    shapes = np.geomspace(0.3, 5, width)
    rotation = np.linalg.qr(rng.normal(size=(width, width)))[0]

    def concepts():
        skewed = (rng.gamma(shapes, size=(n, width)) - shapes) / shapes**0.5
        bell = rng.normal(size=(n, width))
        return (1 - symmetric) ** 0.5 * skewed + symmetric**0.5 * bell

    def seen(z):
        return z + noise * rng.normal(size=z.shape)

    z = concepts()
    pairs = [seen(z), seen(z @ rotation)]
    other = seen(concepts() @ rotation) if strangers else pairs[1]
    alignment = unsupervised(
        [pairs[0], other], rng, n_starts=n_starts, n_rounds=n_rounds
    )
    clean = alignment.transform([z, z @ rotation])
    error = np.linalg.norm(clean[0] - clean[1]) / np.linalg.norm(clean[0])
    return {
        "error": float(f"{error:.3g}"),
        "recall": round(recall(*alignment.transform(pairs)), 4),
        "fit": round(alignment.solutions_[0].fit, 4),
        "stands out": bool(alignment.stands_out_),
    }


def emoji_part(n_seeds=SEEDS, pairs=PAIRS):
    parts = {}
    for pair in pairs:
        views, target = views_of(pair)
        seeds = range(n_seeds)
        parts[pair] = {
            "all pairs": all_pairs(views, target),
            "exchanges": exchanges(views, target),
            "ours": [ours(views, target, seed) for seed in seeds],
            "rivals": [rivals(views, target, seed) for seed in seeds],
        }
        print(pair, json.dumps(parts[pair]), flush=True)
    return parts


def world_part(n_worlds=WORLDS, n_exact=10, n_many=MANY):
    seeds = range(n_worlds)
    parts = {
        "noise": {
            str(width): {
                str(noise): [
                    world(seed, width=width, noise=noise) for seed in seeds
                ]
                for noise in NOISES
            }
            for width in WIDTHS
        },
        "size": {
            str(n): [world(seed, n=n, strangers=True) for seed in seeds]
            for n in SIZES
        },
        "symmetry": {
            title: {
                str(share): [
                    world(
                        seed,
                        noise=0.05,
                        symmetric=share,
                        strangers=strangers,
                    )
                    for seed in seeds
                ]
                for share in SYMMETRIES
            }
            for title, strangers in (("same items", 0), ("strangers", 1))
        },
    }
    # Three dimensions have few valleys, of which two starts may find one.
    parts["three"] = {
        str(n_starts): {
            str(n): [
                world(seed, n=n, width=3, strangers=True, n_starts=n_starts)
                for seed in range(n_many)
            ]
            for n in FEW_ITEMS
        }
        for n_starts in FEW_OR_MANY_STARTS
    }
    parts["exact"] = [
        world(seed, n=2000, n_starts=2, n_rounds=2) for seed in range(n_exact)
    ]
    return parts


def reduced():
    """The first world of each kind, and the first seed of two networks."""
    pair = "two networks"
    views, target = views_of(pair)
    return {
        "emoji": {
            pair: {
                "all pairs": all_pairs(views, target),
                "exchanges": exchanges(views, target),
                "ours": [ours(views, target, 0)],
            }
        },
        "worlds": world_part(1, 1, 3),
    }


def same(stored, fresh):
    """Within 0.01: rounding decides ties between matches in a valley."""
    return abs(stored - fresh) <= 0.01


if __name__ == "__main__":
    study = {"worlds": world_part(), "emoji": emoji_part()}
    path = Path(__file__).with_suffix(".json")
    path.write_text(
        json.dumps(study, separators=(",", ":")) + "\n", encoding="utf-8"
    )
