"""What do flows and bridged models achieve? Slow studies, many seeds.

    python benchmarks/model_bridges.py [--study NAME] [--seeds N]

Four studies, of which the seeds are independent splits or worlds:

gaussian   exact and learned flows between Gaussian classes, of which the
           target is known;
digits     simulated neurons that look at digits, bridged into a model of
           digits, over the share of neural responses with a label;
complex    what needs no flow of two of these shares, from complex cells, whose
           responses are less linear in the image;
brain      fMRI of seven kinds of things, bridged into the space in which a
           language model has put the words for them, over labelled runs.

No number is chosen by what it does on test items: the models that are trained
end-to-end choose theirs by cross-validation, all else is a default or fixed.
`model_rivals.py` brings those who use the responses without labels as well,
and there every method chooses, the bridge too.
"""

import argparse
import json
import re
import warnings
from pathlib import Path

import numpy as np
import ot
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from perfalign import (
    ClassCoupling,
    ClassGaussians,
    ConditionalFlow,
    GaussianFlow,
    GaussianTransfer,
    OverfitWarning,
    PerfectAlignment,
    median_rank,
    relational_cost,
    transport_plan,
    votes,
)
from perfalign.datasets import (
    load_emoji,
    load_haxby,
    load_mnist,
    make_population,
)

RESULTS = Path(__file__).with_suffix(".json")
FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2, 1.0)
FEW = (0.05, 0.2)
LABELLED_RUNS = (1, 2, 4, 8)


# ------------------------------------------------------------------ gaussian


def gaussian_world(seed, d=8, n_classes=5):
    """Classes of the source and of the target, of one dimension here."""
    rng = np.random.default_rng([0, seed])
    worlds = []
    for _ in range(2):
        means = 2.5 * rng.normal(size=(n_classes, d))
        factors = rng.normal(size=(n_classes, d, d)) / np.sqrt(d)
        covariances = factors @ factors.transpose(0, 2, 1) + 0.2 * np.eye(d)
        worlds.append(ClassGaussians(means, covariances))
    return worlds


def gaussian(seed, n=2000, n_samples=40_000):
    """Sliced Wasserstein distances to the target, and endpoints' distance.

    The distances are in units of that between two fresh samples of the
    target, the other one is a root mean square in units of its spread.
    """
    source, target = gaussian_world(seed)
    X, labels_X = source.sample(n, random_state=seed)
    Y, labels_Y = target.sample(n, random_state=1000 + seed)
    new = source.sample(n, random_state=2000 + seed)[0]
    fresh, other = (
        target.sample(n, random_state=k + seed)[0] for k in (3000, 4000)
    )
    noise = np.random.default_rng([1, seed]).normal(size=Y.shape)
    # Both flows work in the units that the learned one takes from Y.
    mean, scale = Y.mean(axis=0), Y.std(axis=0)
    classifier = LinearDiscriminantAnalysis().fit(X, labels_X)
    exact = GaussianFlow(
        target.push_forward(np.diag(1 / scale), -mean / scale), classifier
    )
    flow = ConditionalFlow(n_samples=n_samples, random_state=seed)
    flow.fit(X, Y, ClassCoupling.from_labels(labels_X, labels_Y))
    ends = {
        "exact": mean + scale * exact.transport(new, noise),
        "learned": flow.transport(new, noise),
    }

    def distance(A, B):
        return ot.sliced_wasserstein_distance(
            A, B, n_projections=200, seed=seed
        )

    floor = distance(fresh, other)
    row = {name: distance(end, fresh) / floor for name, end in ends.items()}
    gap = np.mean((ends["exact"] - ends["learned"]) ** 2)
    return row | {"endpoint": np.sqrt(gap / fresh.var(axis=0).mean())}


# -------------------------------------------------------------- classifiers


def network():
    return MLPClassifier((128,), alpha=1.0, max_iter=60, random_state=0)


def fit_quietly(model, X, y):
    """Fit; that networks are trained for a fixed time is intended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def end_to_end(raw, latents, labels, test_raw, test_latents, test_labels):
    """Test accuracy of models trained on the labelled source items alone."""
    grids = {
        "logistic regression": (
            LogisticRegression(max_iter=300),
            {"C": [1e-3, 1e-2, 0.1, 1.0]},
        ),
        "LDA": (
            LinearDiscriminantAnalysis(solver="lsqr"),
            {"shrinkage": [0.01, 0.1, 0.3, 0.6]},
        ),
        "MLP": (
            network(),
            {"alpha": [0.01, 1.0]},
        ),
    }
    scores = {}
    for name, (model, grid) in grids.items():
        for space, A, B in (
            ("raw", raw, test_raw),
            ("latent", latents, test_latents),
        ):
            search = GridSearchCV(model, grid, cv=3)
            fit_quietly(search, A, labels)
            scores[f"{name}, {space}"] = search.score(B, test_labels)
    return scores


def plan_by_labels(X, Y, known, labels, labels_Y):
    """Exact transport; of the source's labels the known ones are used."""
    cost = relational_cost(
        X, Y, X[known], Y, labels_X=labels[known], labels_Y=labels_Y
    )
    return transport_plan(cost)


def read(head, draws, labels):
    """Accuracy of the first draw and of the vote of all."""
    single, vote = (
        float(np.mean(head.classes_[votes(head, d).argmax(1)] == labels))
        for d in (draws[:1], draws)
    )
    return {"single": single, "vote": vote}


# -------------------------------------------------------------------- digits


def digit_models(seed, n_source, n_target, n_test, cells="simple"):
    """Responses to some digits, and a model of others."""
    mnist = load_mnist()
    rows = np.random.default_rng([2, seed]).permutation(len(mnist.target))
    rows = rows[: n_source + n_target + n_test]
    cuts = np.cumsum([n_source, n_target])
    source, target, test = np.split(rows, cuts)
    seen = np.concatenate([source, test])
    counts = make_population(
        mnist.images[seen] / 255, cells=cells, random_state=seed
    )
    raw = np.sqrt(counts.counts)  # of about equal noise
    # Not whitened: distances between latents are to mean something.
    encoder = PCA(40, svd_solver="covariance_eigh").fit(raw[:n_source])
    images = mnist.images.reshape(len(mnist.images), -1) / 255
    decoder = PCA(24, svd_solver="covariance_eigh").fit(images[target])
    Y = decoder.transform(images[target])
    head = make_pipeline(StandardScaler(), network())
    fit_quietly(head, Y, mnist.target[target])
    latents = encoder.transform(raw)
    return {
        "raw": np.split(raw, [n_source]),
        "X": np.split(latents, [n_source]),
        "labels": (mnist.target[source], mnist.target[test]),
        "Y": Y,
        "labels_Y": mnist.target[target],
        # What the target model makes of the source's own digits.
        "pairs": (
            decoder.transform(images[source]),
            decoder.transform(images[test]),
        ),
        "head": head,
        "decoder": decoder,
    }


def exemplars(labels, fraction, rng):
    """Rows of the labelled items, as many of each class."""
    each = max(1, round(fraction * len(labels) / len(np.unique(labels))))
    return np.concatenate(
        [
            rng.permutation(np.flatnonzero(labels == c))[:each]
            for c in np.unique(labels)
        ]
    )


def digits(
    seed,
    fraction,
    n_source=3000,
    n_target=3500,
    n_test=1500,
    n_samples=40_000,
):
    """Accuracies and ranks at one share of labelled responses."""
    m = digit_models(seed, n_source, n_target, n_test)
    (X, X_new), (labels, truth) = m["X"], m["labels"]
    Y, labels_Y, head = m["Y"], m["labels_Y"], m["head"]
    everything = fraction == 1.0
    known = labelled(m, fraction, seed)
    row = {"head": head.score(m["pairs"][1], truth)}
    row["end-to-end"] = end_to_end(
        m["raw"][0][known], X[known], labels[known], m["raw"][1], X_new, truth
    )

    def bridge(rows, coupling):
        made = ConditionalFlow(n_samples=n_samples, random_state=seed)
        draws = made.fit(X[rows], Y, coupling).sample(X_new, 20, seed)
        ranks = median_rank(draws.mean(axis=0), m["pairs"][1])
        return read(head, draws, truth) | {"rank": float(ranks)}

    exemplar = ClassCoupling.from_labels(labels[known], labels_Y)
    row["setting 2"] = bridge(known, exemplar)
    if not everything:
        plan = plan_by_labels(X, Y, known, labels, labels_Y)
        row["setting 1"] = bridge(slice(None), plan)
        row["setting 1"]["coupling"] = plan.class_share(labels, labels_Y)
        row["steps"] = steps(m, plan, seed)
    return row | alignments(m, known, seed)


def complex_cells(seed, fraction):
    """Alignments alone, of neurons that respond to an energy."""
    m = digit_models(seed, 3000, 3500, 1500, cells="complex")
    return alignments(m, labelled(m, fraction, seed), seed)


def labelled(m, fraction, seed):
    """Rows of the responses with a label."""
    labels = m["labels"][0]
    if fraction == 1.0:
        return np.arange(len(labels))
    return exemplars(labels, fraction, np.random.default_rng([3, seed]))


def alignments(m, known, seed):
    """Linear alignments of some exemplars, by their labels and as pairs."""
    X, Y, labels = m["X"][0], m["Y"], m["labels"][0]
    by_class = ClassCoupling.from_labels(labels[known], m["labels_Y"])
    pairs, themselves = m["pairs"][0][known], np.arange(len(known))
    return {
        "alignment, same labels": aligned(
            [X[known], Y], m, by_class.sample(len(X), seed)
        ),
        "alignment, true pairs": aligned(
            [X[known], pairs], m, (themselves, themselves)
        ),
    }


def steps(m, plan, seed):
    """Between the plan's labels and what comes out of the head."""
    (X, X_new), (_, truth) = m["X"], m["labels"]
    Y, labels_Y, head = m["Y"], m["labels_Y"], m["head"]
    mass = plan.plan @ (labels_Y[:, np.newaxis] == head.classes_)
    reader = fit_quietly(network(), X, head.classes_[mass.argmax(axis=1)])
    classes = [Y[labels_Y == c] for c in head.classes_]
    mixture = ClassGaussians(
        [y.mean(axis=0) for y in classes], [np.cov(y.T) for y in classes]
    )
    exact = GaussianFlow(mixture, reader, rtol=1e-4)
    draws = exact.sample(X_new, 20, seed)
    return {
        "labels of the plan": reader.score(X_new, truth),
        "exact flow": read(head, draws, truth),
    }


def aligned(views, m, pairs):
    """Class accuracy and rank of a linear alignment of the same exemplars."""
    (_, X_new), (_, truth) = m["X"], m["labels"]
    views = [view[rows] for view, rows in zip(views, pairs)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverfitWarning)  # few pairs it is
        alignment = PerfectAlignment(9, ridge=0.1).fit(views)
    transfer = GaussianTransfer(alignment).fit(m["Y"], m["labels_Y"], 1)
    latents = alignment.transform([X_new, m["pairs"][1]])
    return {
        "accuracy": transfer.score(X_new, truth, view=0),
        "rank": float(median_rank(*latents)),
    }


# --------------------------------------------------------------------- brain


def words(names, n_each=30):
    """A language model's latents for kinds of things, named by a word."""
    emoji = load_emoji()
    texts = [
        f"{name} {' '.join(tags)}"
        for name, tags in zip(emoji.names["en"], emoji.tags["en"])
    ]
    rows = [
        np.resize(
            [i for i, t in enumerate(texts) if re.search(rf"\b{n}s?\b", t)],
            n_each,
        )
        for n in names
    ]
    latents = emoji.minilm[np.concatenate(rows)].astype(float)
    latents = PCA(10, svd_solver="covariance_eigh").fit_transform(latents)
    return latents, np.repeat(names, n_each)


def brain(seed, n_runs, n_samples=40_000):
    """Accuracies on four new runs, `n_runs` of the other eight labelled."""
    haxby = load_haxby()
    names = haxby.target_names[haxby.target]
    shown = names != "scrambledpix"  # no word for it, and no thing
    views = np.hstack(haxby.views)[shown]
    names, run = names[shown], haxby.run[shown]
    order = np.random.default_rng([4, seed]).permutation(12)
    train, test = (np.isin(run, part) for part in (order[:8], order[8:]))
    known = np.isin(run[train], order[:n_runs])
    encoder = PCA(40, svd_solver="covariance_eigh").fit(views[train])
    X, X_new = encoder.transform(views[train]), encoder.transform(views[test])
    labels, truth = names[train], names[test]
    Y, labels_Y = words(np.unique(names))
    head = LogisticRegression(C=100.0, max_iter=1000).fit(Y, labels_Y)
    row = {"head": head.score(Y, labels_Y)}
    row["end-to-end"] = end_to_end(
        views[train][known],
        X[known],
        labels[known],
        views[test],
        X_new,
        truth,
    )

    def bridge(rows, coupling):
        made = ConditionalFlow(n_samples=n_samples, random_state=seed)
        draws = made.fit(X[rows], Y, coupling).sample(X_new, 20, seed)
        return read(head, draws, truth)

    exemplar = ClassCoupling.from_labels(labels[known], labels_Y)
    row["setting 2"] = bridge(known, exemplar)
    plan = plan_by_labels(X, Y, known, labels, labels_Y)
    row["setting 1"] = bridge(slice(None), plan)
    row["setting 1"]["coupling"] = plan.class_share(labels, labels_Y)
    return row


STUDIES = {
    "gaussian": (20, gaussian),
    "digits": (5, lambda seed: [digits(seed, f) for f in FRACTIONS]),
    "complex": (5, lambda seed: [complex_cells(seed, f) for f in FEW]),
    "brain": (7, lambda seed: [brain(seed, n) for n in LABELLED_RUNS]),
}


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(float(value), 4)


def reduced():
    """The first world, share and number of runs of each study."""
    return {
        "gaussian": [rounded(gaussian(0))],
        "digits": [[rounded(digits(0, FRACTIONS[0]))]],
        "complex": [[rounded(complex_cells(0, FEW[0]))]],
        "brain": [[rounded(brain(0, LABELLED_RUNS[0]))]],
    }


def arguments(description, studies, results):
    """Which studies to run, over how many seeds, and where results go."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--study", choices=studies, action="append")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--output", type=Path, default=results)
    return parser.parse_args()


def store(path, study, result):
    """Write one study's result; those of the others stay as they are."""
    results = {}
    if path.exists():
        results = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(results | {study: result}, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def main():
    args = arguments(__doc__, STUDIES, RESULTS)
    for study in args.study or STUDIES:
        size, run = STUDIES[study]
        rows = []
        for seed in range(args.seeds or size):
            rows.append(rounded(run(seed)))
            print(study, seed, rows[-1], flush=True)
        store(args.output, study, rows)


if __name__ == "__main__":
    main()
