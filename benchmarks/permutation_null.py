"""Is the permutation test calibrated? Slow studies on many data sets.

Every study draws data sets of which the truth is known, tests each, and
keeps the p-values of all of its components. Data set i of a study depends on
the study and on i alone, so a short run repeats the beginning of a long one.
Beside the permutation test stands the one of the textbooks, Wilks', wherever
it applies: two views, no ridge, items that are no copies. Neither has anything
to choose.

    python benchmarks/permutation_null.py
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.stats import f

from perfalign import PerfectAlignment, permutation_test

RESULTS = Path(__file__).with_suffix(".json")


def related(rng, n_samples, n_features, n_shared, correlation):
    """Two or more Gaussian views, `n_shared` signals of which correlate."""
    views = [rng.normal(size=(n_samples, d)) for d in n_features]
    concept = rng.normal(size=(n_samples, n_shared))
    for view in views:
        view[:, :n_shared] *= np.sqrt(1 - correlation)
        view[:, :n_shared] += np.sqrt(correlation) * concept
    return views


def near_copies(rng, n_groups, copies, n_features, spread):
    """Unrelated views of items that come in groups of near-copies."""
    items = [rng.normal(size=(n_groups, d)) for d in n_features]
    return [
        np.repeat(item, copies, axis=0)
        + spread * rng.normal(size=(n_groups * copies, item.shape[1]))
        for item in items
    ]


def unrelated(rng, n_samples, n_features):
    return related(rng, n_samples, n_features, 0, 0.0)


def heavy_tailed(rng, n_samples, n_features):
    """Unrelated views of Student's distribution with two degrees of freedom.

    Their variances are infinite.
    """
    return [rng.standard_t(2, size=(n_samples, d)) for d in n_features]


def confounded(rng, n_samples, n_features, n_nuisance):
    """Views that have nothing but the nuisance variables in common.

    The last array is these variables.
    """
    nuisance = rng.normal(size=(n_samples, n_nuisance))
    views = [
        nuisance @ rng.normal(size=(n_nuisance, d))
        + rng.normal(size=(n_samples, d))
        for d in n_features
    ]
    return [*views, nuisance]


def residuals(views, nuisance):
    """What a regression on nuisance variables leaves of every view."""
    Q, _ = np.linalg.qr(np.column_stack([np.ones(len(nuisance)), nuisance]))
    return [view - Q @ (Q.T @ view) for view in views]


COPIES = {"n_groups": 50, "copies": 10, "n_features": (5, 5), "spread": 0.1}

MANY = {"n_samples": 30, "n_features": (3, 2), "n_nuisance": 12}

#: Data sets, generator and its settings, parameters of the alignment.
STUDIES = {
    "unrelated": (
        1000,
        unrelated,
        {"n_samples": 200, "n_features": (10, 10)},
        {"n_components": 2},
    ),
    "three shared": (
        100,
        related,
        {
            "n_samples": 500,
            "n_features": (20, 20),
            "n_shared": 3,
            "correlation": 0.5,
        },
        {"n_components": 5},
    ),
    "copies, by group": (500, near_copies, COPIES, {"n_components": 2}),
    "copies, by row": (500, near_copies, COPIES, {"n_components": 2}),
    "unrelated, ridge": (
        500,
        unrelated,
        {"n_samples": 60, "n_features": (40, 40)},
        {"n_components": 2, "ridge": 1.0},
    ),
    "three shared, ridge": (
        200,
        related,
        {
            "n_samples": 200,
            "n_features": (40, 40),
            "n_shared": 3,
            "correlation": 0.8,
        },
        {"n_components": 5, "ridge": 1.0},
    ),
    "unrelated, three views": (
        500,
        unrelated,
        {"n_samples": 200, "n_features": (10, 8, 6)},
        {"n_components": 2},
    ),
    "three shared, three views": (
        200,
        related,
        {
            "n_samples": 500,
            "n_features": (20, 20, 20),
            "n_shared": 3,
            "correlation": 0.5,
        },
        {"n_components": 5},
    ),
    "nuisance, taken out": (1000, confounded, MANY, {"n_components": 1}),
    "nuisance, residuals": (500, confounded, MANY, {"n_components": 1}),
    "unrelated, heavy tails": (
        1000,
        heavy_tailed,
        {"n_samples": 100, "n_features": (5, 5)},
        {"n_components": 1},
    ),
    "one weak signal": (
        500,
        related,
        {
            "n_samples": 200,
            "n_features": (20, 20),
            "n_shared": 1,
            "correlation": 0.45,
        },
        {"n_components": 2},
    ),
    "ten weaker signals": (
        500,
        related,
        {
            "n_samples": 200,
            "n_features": (20, 20),
            "n_shared": 10,
            "correlation": 0.2,
        },
        {"n_components": 1},
    ),
}

#: Studies to which Wilks' test applies.
TEXTBOOK = (
    "unrelated",
    "three shared",
    "unrelated, heavy tails",
    "one weak signal",
    "ten weaker signals",
)


def data_set(study, i):
    _, generate, settings, _ = STUDIES[study]
    seed = list(STUDIES).index(study)
    return generate(np.random.default_rng([seed, i]), **settings)


def tested(study, i, n_permutations):
    """The test of one data set."""
    _, generate, settings, params = STUDIES[study]
    views = data_set(study, i)
    options = {}
    if study == "copies, by group":
        options["groups"] = np.repeat(
            np.arange(settings["n_groups"]), settings["copies"]
        )
    if generate is confounded:
        *views, nuisance = views
        if study == "nuisance, taken out":
            options["nuisance"] = nuisance
        else:
            views = residuals(views, nuisance)
    return permutation_test(
        PerfectAlignment(**params),
        views,
        n_permutations,
        random_state=i,
        **options,
    )


def p_values(study, n_permutations, n_data_sets=None):
    """P-values of all components of the study's first data sets."""
    return np.array(
        [
            tested(study, i, n_permutations).p_values
            for i in range(n_data_sets or STUDIES[study][0])
        ]
    )


def wilks(views):
    r"""P-values of Wilks' test, a step for each component.

    It asks whether all correlations from the j-th on are 0, of
    :math:`\Lambda = \prod_{i \ge j} (1 - \rho_i^2)` in Rao's approximation by
    an F distribution; none is smaller than one before it.
    """
    rho = PerfectAlignment(1).fit(views).canonical_correlations_
    n, (d1, d2) = len(views[0]), (view.shape[1] for view in views)
    found = []
    for j in range(len(rho)):
        p, q = d1 - j, d2 - j
        square = p**2 + q**2 - 5
        t = np.sqrt((p**2 * q**2 - 4) / square) if square > 0 else 1.0
        freedom = (n - 1 - (d1 + d2 + 1) / 2) * t - p * q / 2 + 1
        root = np.prod(1 - rho[j:] ** 2) ** (1 / t)
        found.append(
            f.sf((1 - root) / root * freedom / (p * q), p * q, freedom)
        )
    return np.maximum.accumulate(found)


def wilks_p_values(study, n_data_sets=None):
    """P-values of as many components as the permutation test looks at."""
    size, _, _, params = STUDIES[study]
    return np.array(
        [
            wilks(data_set(study, i))[: params["n_components"]]
            for i in range(n_data_sets or size)
        ]
    )


def counts(found, n_permutations):
    """How many shuffles reach the pairs as given: shorter than p-values."""
    return np.round(found * (1 + n_permutations)).astype(int) - 1


def reduced():
    """What is stored, of the first five data sets of every study."""
    return {
        "exceeded": {
            study: counts(p_values(study, 399, 5), 399).tolist()
            for study in STUDIES
        },
        "wilks": {
            study: wilks_p_values(study, 5).round(4).tolist()
            for study in TEXTBOOK
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--permutations", type=int, default=399)
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    exceeded, textbook = {}, {}
    for study in STUDIES:
        found = p_values(study, args.permutations)
        print(f"{study:26} rejected at 5 %:", np.mean(found <= 0.05, axis=0))
        exceeded[study] = counts(found, args.permutations).tolist()
    for study in TEXTBOOK:
        found = wilks_p_values(study)
        print(f"{study:26} by Wilks' test: ", np.mean(found <= 0.05, axis=0))
        textbook[study] = found.round(4).tolist()
    results = {
        "n_permutations": args.permutations,
        "exceeded": exceeded,
        "wilks": textbook,
    }
    text = json.dumps(results, separators=(",", ":"))
    args.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
