"""Rivals of a bridge between models, and of its flow. Slow; many seeds.

    python benchmarks/model_rivals.py [--study NAME] [--seeds N]

labels   simulated neurons that look at digits, a few responses labelled: the
         splits and labels of the study `digits` of `model_bridges.py`. What
         else could be done with the same labels and the same responses
         without one: label spreading, self-training, discriminant analysis on
         components of all responses, and training on the labelled alone.
plan     the bridge on the same splits; its plan is read in four ways, one of
         which is a flow.
complex  both with complex cells, which are not linear in the picture.
brain    the rivals on fMRI, over labelled runs, for the study `brain` of
         `model_bridges.py`.
half     neurons that see the upper half of a digit: several whole digits
         explain a response, and the distribution of the whole matters.

One rule for all: a method chooses among twenty candidates by the accuracy on
labelled training items held out in three folds. (Ways to read a plan choose
nothing: the plan has been chosen.) In `half` there are six candidates a
method, and a fifth of the training pairs is held out. Nothing is chosen by
what it does on test items. Seed i depends on i alone.
"""

from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from model_bridges import (
    LABELLED_RUNS,
    arguments,
    digit_models,
    exemplars,
    fit_quietly,
    network,
    rounded,
    store,
)
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsRegressor, NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from perfalign import (
    ConditionalFlow,
    relational_cost,
    transport_plan,
    votes,
)
from perfalign.datasets import load_haxby, load_mnist, make_population
from perfalign.flows import perceptron
from perfalign.transport import TransportPlan

RESULTS = Path(__file__).with_suffix(".json")
FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2)
FEW = (0.02, 0.05, 0.2)
SIZES = {"n_source": 3000, "n_target": 3500, "n_test": 1500}
N_HALF, N_HALF_TEST = 3000, 1000
# Shares of the items in use that are held out, for intervals.
TEST_SIZE = SIZES["n_test"] / sum(SIZES.values())
TEST_SIZE_HALF = N_HALF_TEST / (N_HALF + N_HALF_TEST)


# ------------------------------------- naming with few labels: what says what
#
# Each names all items, of which `rows`, of the training items, are labelled.


def only_labelled(w, candidate, rows):
    space, name, value = candidate
    model = {
        "logistic": lambda: LogisticRegression(C=value, max_iter=300),
        "LDA": lambda: LinearDiscriminantAnalysis("lsqr", shrinkage=value),
        "MLP": lambda: network().set_params(alpha=value),
    }[name]()
    data = {"raw": w.raw, "latent": w.X}[space]
    return fit_quietly(model, data[rows], w.labels[rows]).predict(data)


def unknown_but(w, rows):
    labels = np.full(w.n, -1)
    labels[rows] = w.labels[rows]
    return labels


def spreading(w, candidate, rows):
    n_neighbors, alpha = candidate
    model = LabelSpreading(
        "knn", n_neighbors=n_neighbors, alpha=alpha, max_iter=100
    )
    fit_quietly(model, w.X[: w.n], unknown_but(w, rows))
    new = w.X[w.n :]
    said = [model.predict(new)] if len(new) else []
    return np.concatenate([model.transduction_, *said])


def self_training(w, candidate, rows):
    shrinkage, threshold = candidate
    model = SelfTrainingClassifier(
        LinearDiscriminantAnalysis("lsqr", shrinkage=shrinkage),
        threshold=threshold,
    )
    return fit_quietly(model, w.X[: w.n], unknown_but(w, rows)).predict(w.X)


def components(w, candidate, rows):
    n, shrinkage = candidate  # components of all responses
    model = LinearDiscriminantAnalysis("lsqr", shrinkage=shrinkage)
    return model.fit(w.X[rows, :n], w.labels[rows]).predict(w.X[:, :n])


RIVALS = {
    "labelled alone": (
        only_labelled,
        [
            (space, name, value)
            for space in ("raw", "latent")
            for name, values in (
                ("logistic", (1e-3, 1e-2, 0.1, 1.0)),
                ("LDA", (0.01, 0.1, 0.3, 0.6)),
                ("MLP", (0.01, 1.0)),
            )
            for value in values
        ],
    ),
    "label spreading": (
        spreading,
        list(product((5, 10, 15, 25, 40), (0.05, 0.2, 0.5, 0.8))),
    ),
    "self-training": (
        self_training,
        list(product((0.01, 0.1, 0.3, 0.6), (0.6, 0.7, 0.8, 0.9, 0.97))),
    ),
    "components, LDA": (
        components,
        list(product((5, 10, 15, 25, 40), (0.01, 0.1, 0.3, 0.6))),
    ),
}
PLANS = list(product((10, 15, 25, 40), (0.03, 0.06, 0.1, 0.2, 0.4)))


def chosen(w, known, method, candidates):
    """The candidate that names most of the labelled items held out."""
    # Whoever chooses has not met the test items.
    w = SimpleNamespace(**vars(w) | {"X": w.X[: w.n], "raw": w.raw[: w.n]})
    labels = w.labels[known]
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    folds = list(folds.split(known, labels))

    def score(candidate):
        right = []
        for seen, out in folds:
            said = method(w, candidate, known[seen])
            right.append(np.mean(said[known[out]] == w.labels[known[out]]))
        return np.mean(right)

    return max(candidates, key=score)


def against(w, known, rivals=tuple(RIVALS)):
    """Test accuracies of the rivals."""
    test = slice(w.n, None)
    row = {}
    for name in rivals:
        method, candidates = RIVALS[name]
        best = chosen(w, known, method, candidates)
        said = method(w, best, known)
        row[name] = np.mean(said[test] == w.labels[test])
    return row


# ------------------------------------------------- a plan and ways to read it


def plan(w, candidate, rows, source, target):
    """Of these rows of both sides; labelled ones are exemplars."""
    n, temperature = candidate
    X, Y = w.X[:, :n], w.Y
    cost = relational_cost(
        X[source],
        Y[target],
        X[rows],
        Y[target],
        labels_X=w.labels[rows],
        labels_Y=w.labels_Y[target],
        temperature=temperature,
    )
    return transport_plan(cost)


def believed(w, made, target):
    """The class to which a plan sends most of a row."""
    classes = np.unique(w.labels_Y)
    mass = made.plan @ (w.labels_Y[target][:, np.newaxis] == classes)
    return classes[mass.argmax(axis=1)]


def small_plan(w, candidate, rows):
    """What a plan of a part of the items says; the part holds all known."""
    said = np.full(w.n, -1)
    target = np.arange(500)
    made = plan(w, candidate, rows, w.part, target)
    said[w.part] = believed(w, made, target)
    return said


def read_plan(w, known, seed, n_samples):
    """Test accuracies of one plan, read in four ways."""
    others = np.setdiff1d(np.arange(w.n), known)
    w.part = np.concatenate([known, others[:300]])
    best = chosen(w, known, small_plan, PLANS)
    everyone = np.arange(w.n), np.arange(len(w.Y))
    made = plan(w, best, known, *everyone)
    X, new, truth = w.X[: w.n], w.X[w.n :], w.labels[w.n :]
    means = made.barycentric(w.Y)

    def right(latents):
        return np.mean(w.head.predict(latents) == truth)

    neighbours = KNeighborsRegressor(15).fit(X, means)
    regression = fit_quietly(learner(1.0, 30), X, means)
    reader = fit_quietly(network(), X, believed(w, made, everyone[1]))
    flow = ConditionalFlow(
        learner(1.0, 30), n_samples=n_samples, random_state=seed
    )
    draws = fit_flow(flow, X, w.Y, made).sample(new, 20, seed)
    ballots = votes(w.head, draws)
    return {
        "plan, neighbours' mean": right(neighbours.predict(new)),
        "plan, regression": right(regression.predict(new)),
        "plan, classifier": reader.score(new, truth),
        "plan, flow, one draw": right(draws[0]),
        "plan, flow, vote": np.mean(
            w.head.classes_[ballots.argmax(axis=1)] == truth
        ),
        "plan, flow, mean": right(draws.mean(axis=0)),
    }


def learner(alpha, passes):
    """The package's perceptron, for a flow or for a regression."""
    model = perceptron(0)
    model.regressor[-1].set_params(alpha=alpha, max_iter=passes)
    return model


def fit_flow(flow, X, Y, coupling):
    class Fitting:  # fit_quietly passes two arguments
        def fit(self, X, Y):
            return flow.fit(X, Y, coupling)

    return fit_quietly(Fitting(), X, Y)


def digits(seed, fraction, cells="simple"):
    """The latents of a split, and which responses have a label."""
    m = digit_models(seed, **SIZES, cells=cells)
    w = SimpleNamespace(
        n=SIZES["n_source"],
        raw=np.vstack(m["raw"]),
        X=np.vstack(m["X"]),
        labels=np.concatenate(m["labels"]),
        Y=m["Y"],
        labels_Y=m["labels_Y"],
        head=m["head"],
    )
    rng = np.random.default_rng([3, seed])
    return w, exemplars(w.labels[: w.n], fraction, rng)


def labels(seed, fraction):
    return against(*digits(seed, fraction))


def bridged(seed, fraction, n_samples=20_000):
    return read_plan(*digits(seed, fraction), seed, n_samples)


def complex_cells(seed, fraction, n_samples=20_000):
    w, known = digits(seed, fraction, "complex")
    return against(w, known) | read_plan(w, known, seed, n_samples)


def brain(seed, n_runs):
    """The split of `model_bridges.brain`, for those who need no model."""
    haxby = load_haxby()
    names = haxby.target_names[haxby.target]
    shown = names != "scrambledpix"
    views, run = np.hstack(haxby.views)[shown], haxby.run[shown]
    order = np.random.default_rng([4, seed]).permutation(12)
    train, test = (
        np.flatnonzero(np.isin(run, part)) for part in (order[:8], order[8:])
    )
    encoder = PCA(40, svd_solver="covariance_eigh").fit(views[train])
    rows = np.concatenate([train, test])
    w = SimpleNamespace(
        n=len(train),
        raw=views[rows],
        X=encoder.transform(views[rows]),
        labels=np.unique(names[shown], return_inverse=True)[1][rows],
    )
    known = np.flatnonzero(np.isin(run[train], order[:n_runs]))
    return against(w, known, tuple(RIVALS)[1:])


# ------------------------------------------------------------- half a picture


def energy_score(draws, truth):
    """Mean of |Y − y| − |Y − Y'| / 2: proper; the smaller the better."""
    n = len(draws)
    score = np.linalg.norm(draws - truth, axis=2).mean()
    for shift in range(1, n):
        gaps = np.linalg.norm(draws[shift:] - draws[:-shift], axis=2)
        score -= gaps.sum() / (n * (n - 1) * len(truth))
    return score


def regressed(w, candidate, new):
    """Means at new rows, and what is left of pairs that were not seen."""
    if candidate not in w.fits:
        cut = len(w.X) // 5
        means, part = (
            fit_quietly(learner(candidate, 60), w.X[rows], w.Y[rows])
            for rows in (slice(None), slice(cut, None))
        )
        left = w.Y[:cut] - part.predict(w.X[:cut])
        w.fits[candidate] = means.predict(new)[np.newaxis], left
    return w.fits[candidate]


def regression(w, candidate, new, rng):
    return regressed(w, candidate, new)[0]


def gaussian_noise(w, candidate, new, rng):
    means, left = regressed(w, candidate, new)
    size = w.n_draws, len(new)
    zero = np.zeros(left.shape[1])
    return means + rng.multivariate_normal(zero, np.cov(left.T), size)


def near_noise(w, candidate, new, rng):
    """What is left of similar responses: noise that depends on x."""
    means, left = regressed(w, candidate, new)
    return means + left[neighbours(w.X[: len(left)], new, 40, w.n_draws, rng)]


def neighbours(X, new, k, n_draws, rng):
    """Rows of X, drawn among the k nearest of each new one."""
    near = NearestNeighbors(n_neighbors=k).fit(X).kneighbors(new)[1]
    picked = rng.integers(k, size=(n_draws, len(new)))
    return near[np.arange(len(new)), picked]


def resampled(w, candidate, new, rng):
    return w.Y[neighbours(w.X, new, candidate, w.n_draws, rng)]


def class_mixture(w, candidate, new, rng):
    """A class from a classifier's belief, then a draw of its Gaussian."""
    model = MLPClassifier((128,), alpha=candidate, max_iter=60, random_state=0)
    belief = fit_quietly(model, w.X, w.labels).predict_proba(new)
    above = belief.cumsum(axis=1) < rng.random((w.n_draws, len(new), 1))
    drawn = np.minimum(above.sum(axis=2), belief.shape[1] - 1)
    made = np.empty((*drawn.shape, w.Y.shape[1]))
    for c, name in enumerate(model.classes_):
        Y = w.Y[w.labels == name]
        made[drawn == c] = rng.multivariate_normal(
            Y.mean(axis=0), np.cov(Y.T), size=np.sum(drawn == c)
        )
    return made


def flow(w, candidate, new, rng):
    made = ConditionalFlow(
        learner(candidate, 30), n_samples=w.n_samples, random_state=0
    )
    pairs = TransportPlan(np.eye(len(w.X)))
    return fit_flow(made, w.X, w.Y, pairs).sample(new, w.n_draws, 0)


PENALTIES = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
DRAWN = {
    "regression": (regression, PENALTIES),
    "and Gaussian noise": (gaussian_noise, PENALTIES),
    "and noise of neighbours": (near_noise, PENALTIES),
    "partners of neighbours": (resampled, [5, 10, 15, 25, 40, 60]),
    "classes, Gaussian": (class_mixture, PENALTIES),
    "flow": (flow, PENALTIES),
}


def half_seen(seed):
    """Neurons that saw the upper half, and the model's latents of all."""
    mnist = load_mnist()
    rows = np.random.default_rng([5, seed]).permutation(len(mnist.target))
    rows = rows[: N_HALF + N_HALF_TEST]
    images, labels = mnist.images[rows] / 255, mnist.target[rows]
    upper = images.copy()
    upper[:, 14:] = 0
    raw = np.sqrt(make_population(upper, random_state=seed).counts)
    flat = images.reshape(len(images), -1)
    encoder, decoder = (
        PCA(k, svd_solver="covariance_eigh").fit(A[:N_HALF])
        for k, A in ((40, raw), (24, flat))
    )
    return encoder.transform(raw), decoder.transform(flat), labels


def half(seed, methods=tuple(DRAWN), n_samples=40_000):
    """Scores of 20 draws for each half-seen digit, by method."""
    X, Y, labels = half_seen(seed)
    train, test = np.split(np.arange(len(X)), [N_HALF])
    out, seen = np.split(train, [N_HALF // 5])
    head = make_pipeline(StandardScaler(), network())
    fit_quietly(head, Y[train], labels[train])
    unit = np.sqrt(Y[train].var(axis=0).sum())

    def world(rows, n_samples):
        w = SimpleNamespace(X=X[rows], Y=Y[rows], labels=labels[rows])
        w.n_draws, w.n_samples, w.fits = 20, n_samples, {}
        return w

    def draw(name, candidate, w, new):
        rng = np.random.default_rng([6, seed])
        return DRAWN[name][0](w, candidate, X[new], rng)

    part, whole = world(seen, n_samples // 2), world(train, n_samples)
    row = {}
    for name in methods:
        candidates = DRAWN[name][1]
        losses = [
            energy_score(draw(name, c, part, out), Y[out]) for c in candidates
        ]
        best = candidates[int(np.argmin(losses))]
        draws = draw(name, best, whole, test)
        belief = votes(head, draws)
        own = labels[test][:, np.newaxis] == head.classes_
        row[name] = {
            "energy score": energy_score(draws, Y[test]) / unit,
            "Brier score": np.mean(np.sum((belief - own) ** 2, axis=1)),
            "log loss": -np.mean(np.log(belief[own].clip(1e-3))),
            "accuracy": np.mean(belief.argmax(axis=1) == labels[test]),
        }
    return row


# ---------------------------------------------------------------- what is kept


def at(settings, run):
    return lambda seed: {str(s): run(seed, s) for s in settings}


STUDIES = {
    "half": (6, half),
    "labels": (6, at(FRACTIONS, labels)),
    "plan": (6, at(FRACTIONS, bridged)),
    "complex": (5, at(FEW, complex_cells)),
    "brain": (7, at(LABELLED_RUNS, brain)),
}


def appended(kept, row):
    """Lists of one value a seed, at the leaves of nested dicts."""
    if isinstance(row, dict):
        kept = kept or {}
        return {name: appended(kept.get(name), row[name]) for name in row}
    return [*(kept or []), row]


def reduced():
    """The first seed of some: two ways to draw, few labels, the brain."""
    methods = "regression", "partners of neighbours"
    return {
        "half": appended(None, rounded(half(0, methods))),
        "labels": appended(None, {"0.02": rounded(labels(0, 0.02))}),
        "brain": appended(None, {"8": rounded(brain(0, 8))}),
    }


def main():
    args = arguments(__doc__, STUDIES, RESULTS)
    for study in args.study or STUDIES:
        size, run = STUDIES[study]
        kept = None
        for seed in range(args.seeds or size):
            kept = appended(kept, rounded(run(seed)))
            store(args.output, study, kept)
            print(study, seed, flush=True)


if __name__ == "__main__":
    main()
