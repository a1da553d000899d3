"""Do a brain and a language model arrange seven kinds of things alike?

    python benchmarks/kinds.py

Distances between kinds in fMRI (Haxby et al.) are compared with those between
the words of emoji. A comparison makes six choices, none of which is forced:

emoji      which of them stand for a kind, `EMOJI`;
average    distances between means, or the mean of all distances;
dimensions ten principal components of the chosen emoji, or all 384;
words      correlation, cosine or Euclidean distance;
brain      correlation or Euclidean distance, or Mahalanobis' squared and
           cross-validated over runs, which noise does not lift;
agreement  rank correlation, Pearson's, or Pearson's whitened by the
           covariance that distances have which share a kind.

All 486 combinations are computed, each with its exact null over the 5040
exchanges of kinds. One exchange serves all combinations, so that the median
over combinations has an exact null, too. No method is tuned: nothing is
chosen at all. Beside it: what split halves of the runs have in common, and
the power of such a test over the number of kinds in a model world.
"""

import argparse
import json
import re
from itertools import combinations, permutations, product
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist, pdist, squareform
from scipy.stats import rankdata
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from perfalign.datasets import load_emoji, load_haxby

RESULTS = Path(__file__).with_suffix(".json")
KINDS = ("bottle", "cat", "chair", "face", "house", "scissors", "shoe")
N_RUNS = 12

#: By name, whatever shows one whole thing of the kind and little else, as the
#: pictures in the scanner did: no smiling cat, no tiger, no pot for plants,
#: no row of houses, no sandal. Of a seat and a scissors there is no choice.
PICKED = {
    "bottle": ("baby bottle", "bottle with popping cork", "lotion bottle"),
    "cat": ("cat", "cat face", "black cat"),
    "chair": ("chair", "seat"),
    "house": ("house", "house with garden", "derelict house"),
    "scissors": ("scissors",),
    "shoe": ("man’s shoe", "running shoe", "flat shoe", "high-heeled shoe"),
}
#: The faces of emoji with few feelings, or the heads of people.
SMILEYS = (
    "neutral face",
    "expressionless face",
    "slightly smiling face",
    "grinning face",
)
PEOPLE = ("man", "woman", "boy", "girl", "old man", "old woman")
#: One emoji a kind, the plainest.
ONE = {
    "bottle": ("bottle with popping cork",),
    "cat": ("cat",),
    "chair": ("chair",),
    "face": ("neutral face",),
    "house": ("house",),
    "scissors": ("scissors",),
    "shoe": ("man’s shoe",),
}


def emoji_lists():
    """Rows of the emoji that stand for each kind, in five ways."""
    emoji = load_emoji()
    names = emoji.names["en"]
    texts = [f"{n} {' '.join(t)}" for n, t in zip(names, emoji.tags["en"])]
    matched = {
        kind: [
            i for i, t in enumerate(texts) if re.search(rf"\b{kind}s?\b", t)
        ]
        for kind in KINDS
    }
    row = {name: i for i, name in enumerate(names)}

    def rows(chosen):
        return {kind: [row[name] for name in chosen[kind]] for kind in KINDS}

    return emoji.minilm, {
        "first 30 with the word": {
            kind: np.resize(found, 30) for kind, found in matched.items()
        },
        "all with the word": matched,
        "picked, smileys": rows(PICKED | {"face": SMILEYS}),
        "picked, people": rows(PICKED | {"face": PEOPLE}),
        "one a kind": rows(ONE),
    }


CHOICES = {
    "emoji": (
        "first 30 with the word",
        "all with the word",
        "picked, smileys",
        "picked, people",
        "one a kind",
    ),
    "average": ("of items", "of distances"),
    "dimensions": ("10", "384"),
    "words": ("correlation", "cosine", "euclidean"),
    "brain": ("correlation", "euclidean", "crossnobis"),
    "agreement": ("ranks", "Pearson", "whitened"),
}


def combined():
    """All combinations; the mean of a single item is the item."""
    return [
        choice
        for choice in product(*CHOICES.values())
        if choice[:2] != ("one a kind", "of distances")
    ]


# ---------------------------------------------------------------- geometries


def word_distances(minilm, rows, average, dimensions, metric):
    """Distances between the seven kinds of words."""
    Z = minilm[np.concatenate([rows[kind] for kind in KINDS])]
    kind = np.repeat(np.arange(7), [len(rows[k]) for k in KINDS])
    if dimensions == "10":
        pca = PCA(min(10, len(Z) - 1), svd_solver="full")
        Z = pca.fit_transform(Z)
    if average == "of items":
        return pdist([Z[kind == k].mean(axis=0) for k in range(7)], metric)
    between = cdist(Z, Z, metric)
    return np.array(
        [
            between[kind == a][:, kind == b].mean()
            for a, b in combinations(range(7), 2)
        ]
    )


def brain_patterns(hemispheres=(0, 1)):
    """Mean response to each kind in each run, and what is left of scans."""
    haxby = load_haxby()
    scans = np.hstack([haxby.views[m] for m in hemispheres])
    names = haxby.target_names[haxby.target]
    patterns = np.array(
        [
            [
                scans[(haxby.run == run) & (names == kind)].mean(axis=0)
                for kind in KINDS
            ]
            for run in range(N_RUNS)
        ]
    )
    shown = np.isin(names, KINDS)  # scrambled pictures have no word
    kind = np.searchsorted(KINDS, names[shown])
    return patterns, scans[shown] - patterns[haxby.run[shown], kind]


def whitener(noise):
    """A map after which noise is about equal and uncorrelated."""
    values, vectors = np.linalg.eigh(LedoitWolf().fit(noise).covariance_)
    return vectors / np.sqrt(values)


def brain_distances(patterns, metric, whitening):
    """Distances between kinds, from the patterns of some runs."""
    if metric != "crossnobis":
        return pdist(patterns.mean(axis=0), metric)
    white = patterns @ whitening
    first, second = np.triu_indices(7, 1)
    apart = white[:, first] - white[:, second]
    n = len(apart)
    total = np.sum(apart.sum(axis=0) ** 2, axis=-1)
    return (total - np.sum(apart**2, axis=(0, 2))) / (n * (n - 1))


# ----------------------------------------------------------------- agreement


def exchanges(n, size=None, rng=None):
    """Where each distance goes if kinds change places, identity first."""
    if size is None:
        orders = np.array(list(permutations(range(n))))
    else:
        orders = np.array([rng.permutation(n) for _ in range(size)])
        orders = np.vstack([np.arange(n), orders])
    first, second = np.triu_indices(n, 1)
    number = squareform(np.arange(len(first)))
    return number[orders[:, first], orders[:, second]]


def root_of_covariance(n):
    """Of distances that share a kind; symmetric, and to the power −½."""
    pairs = list(combinations(range(n), 2))
    shared = [[len({*a} & {*b}) ** 2 for b in pairs] for a in pairs]
    values, vectors = np.linalg.eigh(np.array(shared, dtype=float))
    return vectors / np.sqrt(values) @ vectors.T


def comparable(distances, agreement):
    """Centred, of norm 1: the inner product is the agreement."""
    d = np.round(distances, 12)
    if agreement == "ranks":
        d = rankdata(d)
    d = d - d.mean()
    if agreement == "whitened":
        # An exchange of kinds leaves this matrix as it is.
        d = root_of_covariance(7) @ d
    return d / np.linalg.norm(d)


def agreements(choices):
    """Of every combination, one row each, over all exchanges of kinds."""
    minilm, lists = emoji_lists()
    patterns, noise = brain_patterns()
    whitening = whitener(noise)
    moved, brain = exchanges(7), {}
    for metric, agreement in product(CHOICES["brain"], CHOICES["agreement"]):
        distances = brain_distances(patterns, metric, whitening)
        brain[metric, agreement] = comparable(distances, agreement)
    rows = []
    for emoji, average, dimensions, words, metric, agreement in choices:
        distances = word_distances(
            minilm, lists[emoji], average, dimensions, words
        )
        words_side = comparable(distances, agreement)
        rows.append(words_side[moved] @ brain[metric, agreement])
    return np.array(rows)


def p_value(values):
    """Share of exchanges that agree as much as the first, which is none."""
    return np.mean(values >= values[..., :1] - 1e-9, axis=-1)


def curve(choices):
    """Found, exact p-value and the middle 95 % of exchanges of each."""
    null = agreements(choices)
    low, high = np.quantile(null, [0.025, 0.975], axis=1)
    columns = (null[:, 0], p_value(null), low, high)
    return null, [[round(float(v), 4) for v in row] for row in zip(*columns)]


def summary(null, choices):
    """The median of all combinations, and of those with one choice each."""

    def median(rows):
        values = np.median(null[rows], axis=0)
        low, high = np.quantile(values, [0.025, 0.975])
        found = (values[0], p_value(values), low, high)
        return [round(float(v), 4) for v in found]

    parts = {
        f"{name}: {option}": median([c[at] == option for c in choices])
        for at, (name, options) in enumerate(CHOICES.items())
        for option in options
    }
    highest = null.max(axis=0)
    best = [round(float(v), 4) for v in (highest[0], p_value(highest))]
    return {"all": median([True] * len(choices)), "best": best} | parts


# ------------------------------------------------------------- noise ceiling


def halves():
    """All ways to choose six runs, the others beside them."""
    for one in combinations(range(N_RUNS), N_RUNS // 2):
        yield list(one), [run for run in range(N_RUNS) if run not in one]


def ceilings():
    """Agreement of the brain with itself in other runs, over all halves.

    And the agreement to be expected of all runs with an errorless copy: the
    root of the reliability by Spearman and Brown.
    """
    patterns, noise = brain_patterns()
    whitening = whitener(noise)
    found = {}
    for metric, agreement in product(CHOICES["brain"], CHOICES["agreement"]):
        half = np.mean(
            [
                np.dot(
                    *(
                        comparable(
                            brain_distances(patterns[s], metric, whitening),
                            agreement,
                        )
                        for s in split
                    )
                )
                for split in halves()
                if 0 in split[0]
            ]
        )
        whole = np.sqrt(2 * half / (1 + half))
        found[f"{metric}, {agreement}"] = [
            round(float(half), 4),
            round(float(whole), 4),
        ]
    return found


def hemispheres():
    """Two halves of a brain in the same runs, and in other ones.

    Rank correlation of correlation distances, with its exact p-value; for
    other runs the mean over all choices of six.
    """
    left, right = (brain_patterns([m])[0] for m in (0, 1))
    moved = exchanges(7)

    def values(one, other):
        a, b = (
            comparable(pdist(p.mean(axis=0), "correlation"), "ranks")
            for p in (one, other)
        )
        return b[moved] @ a

    whole = values(left, right)
    split = [values(left[one], right[other]) for one, other in halves()]
    return {
        name: [round(float(v[0]), 4), round(float(p_value(v)), 4)]
        for name, v in {
            "same moments": whole,
            "other runs": np.mean(split, axis=0),
        }.items()
    }


# --------------------------------------------------------------------- power

NUMBERS = (5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40)
LEVELS = tuple(np.round(np.arange(0, 1, 0.1), 1))


def world(n_kinds, i, dimension=5):
    """Estimate and p-value for each true correlation of `LEVELS`.

    Kinds lie in both spaces as normal points of five dimensions, of which
    each coordinate has the correlation √ρ with its partner. Then squared
    distances have the correlation ρ. Ranks of distances are compared, over
    all exchanges for up to seven kinds and over 999 for more.
    """
    rng = np.random.default_rng([n_kinds, i])
    x, e = rng.normal(size=(2, n_kinds, dimension))
    size = None if n_kinds <= 7 else 999
    moved = exchanges(n_kinds, size, rng)
    ranks = comparable(pdist(x), "ranks")[moved]
    others = [
        comparable(pdist(np.sqrt(r) * x + np.sqrt(1 - r) * e), "ranks")
        for r in LEVELS
    ]
    values = ranks @ np.transpose(others)
    return values[0], p_value(values.T)


def power(n_worlds, dimension=5):
    """Share of worlds with p ≤ .05, by number of kinds and true correlation.

    And for seven kinds the estimate that one world in twenty stays below.
    """
    shares, low = {}, None
    for n_kinds in NUMBERS:
        found, p = zip(
            *(world(n_kinds, i, dimension) for i in range(n_worlds))
        )
        shares[str(n_kinds)] = np.mean(np.array(p) <= 0.05, axis=0)
        if n_kinds == 7:
            low = np.quantile(found, 0.05, axis=0)
    return {
        "shares": {n: s.round(4).tolist() for n, s in shares.items()},
        "low": low.round(4).tolist(),
    }


def reduced():
    """The first 54 combinations, the brain's own agreement, ten worlds."""
    return {
        "curve": curve(combined()[:54])[1],
        "ceilings": ceilings(),
        "hemispheres": hemispheres(),
        "first worlds": first_worlds(),
    }


def first_worlds():
    """P-values of ten worlds of seven kinds, for each true correlation."""
    return [world(7, i)[1].round(4).tolist() for i in range(10)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    choices = combined()
    null, rows = curve(choices)
    results = {
        "choices": choices,
        "curve": rows,
        "summary": summary(null, choices),
        "ceilings": ceilings(),
        "hemispheres": hemispheres(),
        "first worlds": first_worlds(),
        "levels": LEVELS,
        "power": {str(d): power(args.worlds, d) for d in (5, 20)},
    }
    text = json.dumps(results, separators=(",", ":"), ensure_ascii=False)
    args.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
