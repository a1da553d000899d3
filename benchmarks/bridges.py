"""How well do bridges align neurons with a model of digits?

Simulated neurons have seen a thousand digits, a model the same thousand or
another. Nobody knows which response belongs to which latent, except for a few
exemplars. Seed i of a study depends on i alone, so a short run repeats the
beginning of a long one.

    python benchmarks/bridges.py
"""

import argparse
import json
import warnings
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from perfalign import (
    ClassCoupling,
    OverfitWarning,
    PerfectAlignment,
    gluing_cost,
    median_rank,
    relational_cost,
    transport_plan,
    typical_reg_m,
)
from perfalign.datasets import load_mnist, make_population

RESULTS = Path(__file__).with_suffix(".json")
N_ITEMS = 1000
N_BRIDGES = (20, 50, 100, 200, 500)
#: Marginal penalties, in units of the typical one.
PENALTIES = {
    "tv": (0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 2.0),
    "kl": (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
}
SEEDS = {"alignment": range(10), "missing class": range(20)}


@cache
def digits():
    """Square roots of spike counts, pixels and classes of all images."""
    mnist = load_mnist()
    population = make_population(mnist.images / 255, random_state=0)
    pixels = mnist.images.reshape(len(mnist.images), -1) / 255
    return np.sqrt(population.counts), pixels, mnist.target


def two_spaces(seed, n_bridges):
    """Latents X of items, Y of the same and Z of others, and exemplars."""
    spikes, pixels, target = digits()
    order = np.random.default_rng(seed).permutation(len(target))
    items, others = order[:N_ITEMS], order[N_ITEMS : 2 * N_ITEMS]
    bridges = order[2 * N_ITEMS :][:n_bridges]
    pca = PCA(30, svd_solver="covariance_eigh")
    neurons = pca.fit(spikes[items]).transform(spikes)
    model = pca.fit(pixels[order[-3000:]]).transform(pixels)
    return SimpleNamespace(
        X=neurons[items],
        Y=model[items],
        Z=model[others],
        of_X=target[items],
        of_Z=target[others],
        exemplars=[neurons[bridges], model[bridges]],
        of_exemplars=target[bridges],
    )


def couplings(X, Y, exemplars, labels):
    """Couplings by every method, from the same exemplars."""
    both = {"labels_X": labels, "labels_Y": labels}
    with warnings.catch_warnings():
        # That few pairs are few is what is studied here.
        warnings.simplefilter("ignore", OverfitWarning)
        aligned = PerfectAlignment(10, ridge=1.0).fit(exemplars)
    beliefs = [
        LogisticRegression(max_iter=1000).fit(b, labels).predict_proba(Z)
        for b, Z in zip(exemplars, (X, Y))
    ]
    costs = {
        "gluing, pairs": gluing_cost(X, Y, *exemplars),
        "gluing, labels": gluing_cost(X, Y, *exemplars, **both),
        "relational, pairs": relational_cost(X, Y, *exemplars),
        "relational, labels": relational_cost(X, Y, *exemplars, **both),
        "perfect alignment": cdist(*aligned.transform([X, Y])),
    }
    plans = {name: transport_plan(cost) for name, cost in costs.items()}
    return {**plans, "classes": ClassCoupling(*beliefs)}


def alignment(seed, n_bridges):
    """Share of mass on the class among other items, then among the same
    the share on the partner and the median rank of the partner."""
    s = two_spaces(seed, n_bridges)
    unpaired = couplings(s.X, s.Z, s.exemplars, s.of_exemplars)
    shuffled = couplings(s.X, s.Y, s.exemplars, s.of_exemplars)
    return {
        name: (
            unpaired[name].class_share(s.of_X, s.of_Z),
            shuffled[name].partner_share(np.arange(N_ITEMS)),
            median_rank(shuffled[name].barycentric(s.Y), s.Y),
        )
        for name in unpaired
    }


def missing_class(seed, n_bridges=100, exemplars_of_it=True):
    """Mass moved of class seed % 10, which Z lacks, and of the others.

    Returns
    -------
    moved : dict of str to list
        For "tv" and "kl" a pair (of the class, of the others) for each
        of their `PENALTIES`.
    """
    s, absent = two_spaces(seed, n_bridges), seed % 10
    if not exemplars_of_it:
        kept = s.of_exemplars != absent
        s.exemplars = [bridges[kept] for bridges in s.exemplars]
    cost = relational_cost(s.X, s.Z[s.of_Z != absent], *s.exemplars)
    typical, moved = typical_reg_m(cost), {}
    own = s.of_X == absent
    for divergence, penalties in PENALTIES.items():
        moved[divergence] = []
        for penalty in penalties:
            mass = transport_plan(
                cost,
                reg_m=penalty * typical,
                div=divergence,
                # Exact plans under KL take long and lie little lower.
                reg=0.0 if divergence == "tv" else 0.02,
            ).moved_X
            moved[divergence].append((mass[own].mean(), mass[~own].mean()))
    return moved


def rounded(values):
    """Nested lists with four decimals, enough for any figure."""
    if isinstance(values, dict):
        return {key: rounded(value) for key, value in values.items()}
    return np.round(values, 4).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    results = {"penalties": PENALTIES, "alignment": {}}
    for n_bridges in N_BRIDGES:
        print(f"alignment by {n_bridges} exemplars", flush=True)
        results["alignment"][n_bridges] = [
            rounded(alignment(seed, n_bridges)) for seed in SEEDS["alignment"]
        ]
    for name, known in (("missing class", True), ("never seen", False)):
        print(name, flush=True)
        results[name] = [
            rounded(missing_class(seed, exemplars_of_it=known))
            for seed in SEEDS["missing class"]
        ]
    args.output.write_text(json.dumps(results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
