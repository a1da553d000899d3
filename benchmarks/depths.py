"""Do depth and size make a vision and a language model more alike?

    python benchmarks/depths.py

Eight stages of EfficientNet-Lite 0, and the last features of Lite 0, 1 and 2,
look at Noto's pictures of emoji; the embedding and six layers of MiniLM read
their English texts. Of each group of variants one emoji is kept. Each stage
is put beside each layer, in all splits in six ways:

there, back  how often a class is named rightly that was taught on the other
             side, from pictures to texts and from texts to pictures;
recall       how often the partner is among the ten nearest, mean of both ways;
components   how many canonical correlations the permutation test accepts;
neighbours   share of ten nearest neighbours that are the same, by cosine;
kernels      linear centred kernel alignment.

The first three are of an alignment of the training items, judged by the items
held out. It chooses from twenty candidates by partners held out of the
training items, and knows no label. The last three are of the training items
themselves. All see sixteen principal components, as many as the narrowest
stage has features; neighbours and kernels are there once more with all
features, as Huh et al. (2024) compare models.

Each number has two levels: of shuffled pairs, and of strangers, that is of
each training item beside another of its subcategory in Unicode's order, which
leaves what subcategories explain. One shuffle serves all stages and layers.
"""

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import ShuffleSplit
from sklearn.preprocessing import normalize

from perfalign import GaussianTransfer, PerfectAlignment, permutation_test
from perfalign.datasets import load_emoji, load_emoji_depths
from perfalign.metrics import recall
from perfalign.model_selection import HeldOutSearch

RESULTS = Path(__file__).with_suffix(".json")
STAGES = ("pixels", "1", "2", "3", "4", "5", "6", "7")
MODELS = ("Lite 0", "Lite 1", "Lite 2")
LAYERS = ("0", "1", "2", "3", "4", "5", "6")
WIDTH, N_NEAREST = 16, 10
N_SPLITS, TEST_SIZE = 8, 0.3
N_SHUFFLES, N_STRANGERS = 19, 5
GRID = {"n_components": [4, 8, 12, 16], "ridge": [0.003, 0.03, 0.1, 0.3, 1.0]}
ENDS = STAGES[0], STAGES[-1]
PAIRINGS = ("found", "shuffled", "strangers")
CROWDS = (87, 174, 348, 696, 1392)


def representations():
    """All stages, models and layers, of one emoji of each group."""
    emoji = load_emoji(("noto_lite0", "noto_lite1", "noto_lite2"))
    depths = load_emoji_depths()
    first = np.unique(emoji.group, return_index=True)[1]
    vision = [view[first] for view in (*depths.vision, *emoji.views)]
    text = [view[first] for view in depths.text]
    return SimpleNamespace(
        vision=dict(zip(STAGES + MODELS, vision, strict=True)),
        text=dict(zip(LAYERS, text, strict=True)),
        target=emoji.target[first],
        kind=np.unique(emoji.subcategory[first], return_inverse=True)[1],
    )


def strangers(kind, rng):
    """For each row another of its kind, if there is one; all in one circle."""
    drawn = np.lexsort((rng.random(len(kind)), kind))
    order = np.empty(len(kind), dtype=int)
    for rows in np.split(drawn, np.flatnonzero(np.diff(kind[drawn])) + 1):
        order[rows] = np.roll(rows, 1)
    return order


def orders(kind, rng):
    """Of the second view's rows, by what they make of the pairs."""
    n = len(kind)
    return {
        "found": [np.arange(n)],
        "shuffled": [rng.permutation(n) for _ in range(N_SHUFFLES)],
        "strangers": [strangers(kind, rng) for _ in range(N_STRANGERS)],
    }


# ------------------------------------------------- what two geometries share


def nearest(X):
    """The items nearest to each by cosine, itself left out."""
    cosine = normalize(X)
    cosine = cosine @ cosine.T
    np.fill_diagonal(cosine, -np.inf)
    return np.argpartition(-cosine, N_NEAREST - 1, axis=1)[:, :N_NEAREST]


def kernel(X):
    """Inner products of centred rows, of norm 1 together."""
    X = X - X.mean(axis=0)
    K = X @ X.T
    return K / np.linalg.norm(K)


def geometry(X):
    """What neighbours and kernels are read from."""
    near = nearest(X)
    mask = np.zeros((len(X), len(X)), dtype=bool)
    np.put_along_axis(mask, near, True, axis=1)
    return SimpleNamespace(near=near, mask=mask, kernel=kernel(X))


def neighbours(one, other, order):
    return other.mask[order[:, np.newaxis], order[one.near]].mean()


def kernels(one, other, order):
    return np.vdot(one.kernel, other.kernel[np.ix_(order, order)])


# ------------------------------------------------------------------ one split


def seen_by(X, train, test):
    """Components of training items and new ones, and the former's geometry."""
    pca = PCA(WIDTH, svd_solver="covariance_eigh").fit(X[train])
    old = pca.transform(X[train])
    return SimpleNamespace(
        old=old,
        new=pca.transform(X[test]),
        narrow=geometry(old),
        wide=geometry(X[train]),
    )


def judged(alignment, sides, w):
    """Classes named there and back, and partners found, of new items."""
    there, back = (
        GaussianTransfer(alignment)
        .fit(sides[m].old, w.labels, view=m)
        .score(sides[1 - m].new, w.new_labels, view=1 - m)
        for m in (0, 1)
    )
    latents = alignment.transform([side.new for side in sides])
    both = recall(*latents, N_NEAREST), recall(*latents[::-1], N_NEAREST)
    return {"there": there, "back": back, "recall": np.mean(both)}


def compared(picture, text, w):
    """All measures of one stage and one layer, over all shuffles."""
    old = [picture.old, text.old]
    search = HeldOutSearch(PerfectAlignment(), GRID, random_state=0).fit(old)
    chosen = PerfectAlignment(**search.best_params_)

    def of(order):
        pairs = [picture.old, text.old[order]]
        test = permutation_test(
            PerfectAlignment(WIDTH), pairs, 99, random_state=0
        )
        row = judged(chosen.fit(pairs), [picture, text], w)
        row["components"] = test.accepted()
        for name, width in (("", "narrow"), (", all features", "wide")):
            both = getattr(picture, width), getattr(text, width)
            row[f"neighbours{name}"] = neighbours(*both, order)
            row[f"kernels{name}"] = kernels(*both, order)
        return row

    return {
        pairing: [of(order) for order in made]
        for pairing, made in w.orders.items()
    }


def world(i, items):
    """Who is held out of a split, the labels, and how pairs are shuffled."""
    splitter = ShuffleSplit(1, test_size=TEST_SIZE, random_state=i)
    train, test = next(splitter.split(items.target))
    return SimpleNamespace(
        rows=(train, test),
        labels=items.target[train],
        new_labels=items.target[test],
        orders=orders(items.kind[train], np.random.default_rng([7, i])),
    )


def split(i, items, stages=STAGES + MODELS, layers=LAYERS):
    """Numbers by measure and pairing: stage, layer, shuffle."""
    w = world(i, items)
    pictures, texts = (
        [seen_by(views[name], *w.rows) for name in names]
        for views, names in ((items.vision, stages), (items.text, layers))
    )
    cells = [[compared(p, t, w) for t in texts] for p in pictures]
    names = cells[0][0]["found"][0]
    return {
        name: {
            pairing: np.array(
                [
                    [
                        [shuffle[name] for shuffle in cell[pairing]]
                        for cell in r
                    ]
                    for r in cells
                ]
            )
            for pairing in PAIRINGS
        }
        for name in names
    }


def share(name):
    """Of the items, those that a measure is of: m of n.

    What is averaged over m of n items has a variance of σ²(1/m − 1/n) from
    split to split, and one of σ²/n over all: m/(n − m) times as much. That is
    what `resampled_interval` reckons with, for this share as `test_size`.
    """
    return TEST_SIZE if name in ("there", "back", "recall") else 1 - TEST_SIZE


def stored(splits, stages=STAGES + MODELS, layers=LAYERS):
    """Means over shuffles by stage and layer, a list of splits each."""

    def cells(name, pairing):
        means = [s[name][pairing].mean(axis=2).round(4) for s in splits]
        return {
            stage: {
                layer: [float(mean[a, b]) for mean in means]
                for b, layer in enumerate(layers)
            }
            for a, stage in enumerate(stages)
        }

    return {
        name: {pairing: cells(name, pairing) for pairing in PAIRINGS}
        for name in splits[0]
    }


# ------------------------------------------------------------------ all splits


def chances(splits):
    """P-values of the means over splits; the largest cell and its level.

    One shuffle serves all cells, so that the largest of the eight stages and
    all layers has shuffles of its own: mean and largest of these.
    """
    result = {}
    for name in splits[0]:
        found, null = (
            np.mean([s[name][pairing] for s in splits], axis=0)
            for pairing in ("found", "shuffled")
        )
        p = (1 + np.sum(null >= found - 1e-9, axis=2)) / (1 + N_SHUFFLES)
        largest = null[: len(STAGES)].max(axis=(0, 1))
        best = found[: len(STAGES)].max(), largest.mean(), largest.max()
        result[name] = {
            "p": p.round(4).tolist(),
            "largest": [round(float(value), 4) for value in best],
        }
    return result


def crowds(items, n_draws=N_SPLITS):
    """Common neighbours among so many items, and among strangers.

    Pixels and the last stage beside the last layer, with all features.
    """
    pairings = "found", "strangers"
    result = {stage: {p: [] for p in pairings} for stage in ENDS}
    for i in range(n_draws):
        rng = np.random.default_rng([8, i])
        drawn = rng.permutation(len(items.target))
        for stage in ENDS:
            for pairing, kept in result[stage].items():
                kept.append([])
                for n in CROWDS:
                    some = drawn[:n]
                    one, other = (
                        geometry(X[some])
                        for X in (items.vision[stage], items.text[LAYERS[-1]])
                    )
                    made = orders(items.kind[some], rng)[pairing]
                    shares = [neighbours(one, other, o) for o in made]
                    kept[-1].append(round(float(np.mean(shares)), 4))
    return result


def reduced():
    """The first split of the first and the last stages and layers."""
    items, some = representations(), (ENDS, (LAYERS[0], LAYERS[-1]))
    return {
        "measures": stored([split(0, items, *some)], *some),
        "crowds": crowds(items, n_draws=1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=N_SPLITS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    items = representations()
    splits = []
    for i in range(args.splits):
        splits.append(split(i, items))
        print(i, flush=True)
    results = {
        "measures": stored(splits),
        "chances": chances(splits),
        "crowds": crowds(items, args.splits),
    }
    text = json.dumps(results, separators=(",", ":"))
    args.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
