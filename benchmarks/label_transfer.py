"""What are labels of one modality worth in another, and what are the pairs?

    python benchmarks/label_transfer.py

Two sensors of 50 noisy channels share one concept of two dimensions and two
classes. Each has five more concepts of its own, of the same distribution
times a *loudness*: at 0 they are silent; at 1 nothing within a modality says
which of its six concepts is the shared one. There are 2000 pairs without
labels, and 2 to 100 labels a class. World i depends on i alone, so a short
run repeats the beginning of a long one.

What a method is given:

- *transferred*: the pairs, and labels of modality 1;
- *pairs, own labels*: the pairs, and labels of modality 2;
- *PCA*, *self-training*, *label spreading*: the 2000 items of modality 2
  without partners, and labels of modality 2; the last one also all 400 items
  of which the labelled ones are drawn;
- *channels*: labels of modality 2.

One rule for all: 20 candidates, and but for label spreading a linear
discriminant with shrinkage. The candidate is used whose probabilities for
held-out *labels* of the method's own modality have the smallest squared error:
each label left out in turn with two a class, five folds with more. Test items
choose nothing.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import LeaveOneOut, StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from perfalign import PerfectAlignment
from perfalign.datasets import make_gaussian_views

RESULTS = Path(__file__).with_suffix(".json")
MEANS = [[-1.5, 0.0], [1.5, 1.0]]
UNLABELLED, LABELLED = slice(2000), slice(2000, 2400)
SEEN = 2400  # items that are not for the test
TEST = np.arange(2400, 4400)
LOUDNESS = [0, 0.5, 1, 4]
#: Labels a class, by loudness.
SHOTS = {0: [2, 5, 20, 100], 1: [2, 5, 20, 100]}
SIZES = [1, 2, 3, 4, 6, 8, 10, 12, 16, 20]


def world(loudness, seed):
    """Views and labels of one world; loudness changes nothing else in it."""
    options = {"means": MEANS, "noise": 7, "random_state": seed}
    data = make_gaussian_views(4400, (50, 50), **options)
    rng = np.random.RandomState([seed, 1])
    for view in data.views:
        for _ in range(5):
            own = make_gaussian_views(
                4400, [50], means=MEANS, random_state=rng
            )
            view += loudness * own.views[0]
    return data.views, data.labels


# Candidates: functions of the labelled items and of those asked about, which
# give each of the latter its probability of class 1.


def linear(learn, ask, y, shrinkage="auto"):
    def probabilities(rows, asked):
        model = LinearDiscriminantAnalysis("lsqr", shrinkage=shrinkage)
        model.fit(learn[rows], y[rows])
        return model.predict_proba(ask[asked])[:, 1]

    return probabilities


def self_trained(x, y, threshold):
    def probabilities(rows, asked):
        items = np.vstack([x[rows], x[UNLABELLED]])
        labels = np.append(y[rows], np.full(2000, -1))
        linear = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
        model = SelfTrainingClassifier(linear, threshold=threshold, max_iter=3)
        return model.fit(items, labels).predict_proba(x[asked])[:, 1]

    return probabilities


def nearest(x):
    """Of the items seen, the 80 nearest to each item, itself among them."""
    search = NearestNeighbors(n_neighbors=80, algorithm="brute").fit(x[:SEEN])
    return search.kneighbors(x, return_distance=False)


def spread(near, y, n_neighbors, alpha):
    """Labels handed on from neighbour to neighbour."""
    near = near[:, :n_neighbors]
    # The graph is the same for any labels: it is built once.
    ends = near[:SEEN].ravel()
    starts = np.arange(SEEN + 1) * n_neighbors
    graph = csr_array((np.ones(len(ends)), ends, starts), (SEEN, SEEN))

    def probabilities(rows, asked):
        labels = np.full(SEEN, -1)
        labels[rows] = y[rows]
        model = LabelSpreading(lambda *_: graph, alpha=alpha, max_iter=100)
        with np.errstate(invalid="ignore"):  # items that no label reaches
            model.fit(np.arange(SEEN)[:, np.newaxis], labels)
        belief = np.nan_to_num(model.label_distributions_[:, 1], nan=0.5)
        return belief[near[asked]].mean(axis=1)

    return probabilities


def methods(views, y):
    """Twenty candidates for each method: one for labels, one for a test."""
    pairs = [view[UNLABELLED] for view in views]
    latents = [
        PerfectAlignment(20, ridge=ridge).fit(pairs).transform(views)
        for ridge in (0, 0.1)
    ]
    scores = [
        PCA(20, whiten=whiten).fit(pairs[1]).transform(views[1])
        for whiten in (False, True)
    ]
    first = [z[0][:, :k] for k in SIZES for z in latents]
    second = [z[1][:, :k] for k in SIZES for z in latents]
    components = [x[:, :k] for k in SIZES for x in scores]
    x = views[1]
    same = {
        "pairs, own labels": [linear(z, z, y) for z in second],
        "PCA": [linear(z, z, y) for z in components],
        "self-training": [
            self_trained(scores[whiten][:, :k], y, threshold)
            for k in (2, 4, 8, 12, 16)
            for whiten in (0, 1)
            for threshold in (0.8, 0.95)
        ],
        "label spreading": [
            spread(near, y, *reach)
            for k in (2, 4, 8, 12, 16)
            for near in (nearest(x[:, :k]) for x in scores)
            # Few neighbours and far, or many and near.
            for reach in ((20, 0.8), (80, 0.2))
        ],
        "channels": [
            linear(x, x, y, shrinkage)
            for shrinkage in np.linspace(1, 0.05, 20)
        ],
    }
    # Chosen within the modality that has labels, tested in the other.
    transfer = [linear(z, z, y) for z in first]
    across = [linear(z, w, y) for z, w in zip(first, second)]
    return {"transferred": (transfer, across)} | {
        name: (candidates, candidates) for name, candidates in same.items()
    }


def folds(y):
    """Splits of labelled items into those for the fit and those held out."""
    few = np.bincount(y).min() < 5
    return list((LeaveOneOut() if few else StratifiedKFold(5)).split(y, y))


def accuracy(candidates, finals, rows, y):
    """Of the candidate that is best on held-out labels, on test items."""
    losses = []
    for candidate in candidates:
        p = np.empty(len(rows))
        for fitted, held in folds(y[rows]):
            p[held] = candidate(rows[fitted], rows[held])
        losses.append(np.mean((p - y[rows]) ** 2))
    final = finals[int(np.argmin(losses))]
    return np.mean((final(rows, TEST) > 0.5) == y[TEST])


def one_world(loudness, seed, shots=None):
    """Accuracy by labels a class and method."""
    views, y = world(loudness, seed)
    members = [2000 + np.flatnonzero(y[LABELLED] == c) for c in (0, 1)]
    chosen = methods(views, y)
    return {
        str(n): {
            name: accuracy(
                *candidates, np.concatenate([m[:n] for m in members]), y
            )
            for name, candidates in chosen.items()
        }
        for n in shots or SHOTS.get(loudness, [5, 20])
    }


def study(loudness=LOUDNESS, n_worlds=20, shots=None):
    """Accuracies, a list over worlds, by loudness, labels and method."""
    results = {}
    for loud in loudness:
        worlds = [one_world(loud, seed, shots) for seed in range(n_worlds)]
        results[str(loud)] = {
            n: {
                name: [round(float(w[n][name]), 4) for w in worlds]
                for name in row
            }
            for n, row in worlds[0].items()
        }
    return results


def reduced():
    """The first three worlds of two loudnesses, with few labels."""
    return study([0, 4], 3, [5])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    text = json.dumps(study(n_worlds=args.worlds), separators=(",", ":"))
    args.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
