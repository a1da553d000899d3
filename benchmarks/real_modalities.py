"""Real modalities: every method on every data set, under one protocol.

    python benchmarks/real_modalities.py

Writes what chapter 10 shows. A task, a number of pairs or of labels, and a
split depend on nothing else in the run, so that a part of it repeats exactly,
but for the seconds.

One rule of tuning for all: a method chooses among 21 candidates, by how well
labels are carried over to pairs that were held out within the training items
(`HeldOutSearch`), the same pairs for every method; no number is chosen by
what it does on test items. Curves over pairs and over labels have 7
candidates a method and choose by retrieval. Where nothing is aligned, only
the size can be chosen, and three sizes have to do.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from perfalign import PerfectAlignment
from perfalign.alignment import GaussianFeatures
from perfalign.baselines import (
    CSA,
    ContrastiveAlignment,
    ProcrustesAlignment,
    RidgeTranslation,
    Unaligned,
)
from perfalign.datasets import (
    load_colours,
    load_emoji,
    load_mfeat,
    load_mnist,
    load_watch,
    picture_features,
    window_features,
)
from perfalign.model_selection import (
    HeldOutSearch,
    evaluate,
    resampled_interval,
)

RESULTS = Path(__file__).with_suffix(".json")
RIDGES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
#: Of the splits of tasks and temperatures. The grid of contrast was laid out
#: on a split of seed 0, which is that of the curves.
SEED = 1
SPLITS = 10
METRICS = [
    "accuracy",
    "recall",
    "fit_seconds",
    "shuffled",
    "source_accuracy",
    "target_accuracy",
    "chance",
]


# Features: one pipeline a view -----------------------------------------------


def curved(n_components=150, before=None):
    """Gaussian kernel features, and their principal components."""
    steps = [] if before is None else [before]
    steps.append(GaussianFeatures(500, random_state=0))
    steps.append(PCA(n_components, random_state=0))
    return make_pipeline(*steps)


def words(n_components=150, **options):
    """Words, or the letters in them, and their principal components."""
    return make_pipeline(
        TfidfVectorizer(sublinear_tf=True, min_df=2, **options),
        TruncatedSVD(n_components, random_state=0),
    )


def letters(n_components=150):
    return words(n_components, analyzer="char_wb", ngram_range=(2, 4))


# Tasks: views, labels, groups, maps ------------------------------------------


def emoji_task(first, second):
    emoji = load_emoji()
    views = {
        "picture": lambda: (picture_features(emoji.twemoji), curved()),
        "noto": lambda: (picture_features(emoji.noto), curved()),
        "network": lambda: (
            load_emoji(views=["noto_lite2"]).views[0],
            PCA(150, random_state=0),
        ),
        "minilm": lambda: (emoji.minilm, PCA(150, random_state=0)),
        "en": lambda: (emoji.text["en"], letters()),
        "fr": lambda: (emoji.text["fr"], letters()),
    }
    pair, maps = zip(views[first](), views[second]())
    return list(pair), emoji.target, emoji.group, list(maps)


def watch_task(raw=False):
    watch = load_watch()
    if raw:
        maps = [PCA(100, random_state=0) for _ in watch.views]
        return watch.views, watch.target, watch.subject, maps
    views = [
        window_features(watch.windows[:, :, :3]),
        window_features(watch.windows[:, :, 3:]),
    ]
    maps = [curved(before=StandardScaler()) for _ in views]
    return views, watch.target, watch.subject, maps


def mfeat_task(*names):
    mfeat = load_mfeat()
    views = [mfeat.views[mfeat.view_names.index(name)] for name in names]
    maps = [curved(before=StandardScaler()) for _ in views]
    return views, mfeat.target, None, maps


def mnist_task(bent=True, step=3):
    mnist = load_mnist()
    views = [view[::step] for view in mnist.views]
    pixels = PCA(60, random_state=0)
    maps = [curved(before=pixels) if bent else pixels for _ in views]
    return views, mnist.target[::step], None, maps


def colour_task():
    colours = load_colours()
    views = [colours.views[0], colours.text]
    maps = [curved(50, StandardScaler()), letters(100)]
    return views, colours.target, None, maps


SIZES, SMALL = [20, 40, 80], [10, 20, 40]
EMOJI = {
    "picture, English": ("picture", "minilm"),
    "picture, English words": ("picture", "en"),
    "network, English": ("network", "minilm"),
    "network, English words": ("network", "en"),
    "English words, French words": ("en", "fr"),
    "Twemoji, Noto": ("picture", "noto"),
}
#: By name: the task, the share of its groups that is held out, and latent
#: dimensions to choose from.
TASKS = {
    name: (partial(emoji_task, *pair), 0.3, SIZES)
    for name, pair in EMOJI.items()
} | {
    "acceleration, rotation": (watch_task, 0.4, SIZES),
    "raw acceleration, rotation": (partial(watch_task, raw=True), 0.4, SIZES),
    "digits: pixels, Fourier": (partial(mfeat_task, "pix", "fou"), 0.4, SIZES),
    "digits: left, right": (mnist_task, 0.4, SIZES),
    "digits: left, right, linear": (
        partial(mnist_task, bent=False),
        0.4,
        SMALL,
    ),
    "colour, name": (colour_task, 0.4, SMALL),
}


# Methods ---------------------------------------------------------------------


GAUSSIAN = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")


def searched(alignment, **grid):
    """Parameters chosen by transfer to held-out pairs of the training set."""
    return HeldOutSearch(alignment, grid, classifier=GAUSSIAN, random_state=0)


def contrasts(sizes):
    """What contrast chooses from: as many candidates as closed forms have.

    Fixed temperatures in whitened inputs, fewer or more steps and components,
    and features in their own units with a temperature that is held or learned.
    Held-out pairs of one split of seed 0 had favoured these among 36; it is
    not among those of tasks and temperatures, but among those of the curves.
    """
    _, middle, large = ([size] for size in sizes)
    held = {"learn_temperature": [False], "n_components": middle}
    white = held | {"ridge": [1.0]}
    return [
        white
        | {
            "temperature": [0.3, 1.0, 3.0, 10.0],
            "ridge": [1.0, 3.0, 10.0],
            "max_iter": [15],
        },
        white | {"temperature": [1.0, 3.0], "max_iter": [8, 30]},
        white
        | {
            "temperature": [1.0, 3.0],
            "n_components": large,
            "max_iter": [15],
        },
        held | {"temperature": [1.0], "max_iter": [15, 30]},
        {"n_components": middle, "max_iter": [10]},
    ]


def methods(sizes=SIZES):
    """All methods by name; `sizes` are the latent dimensions to choose from.

    A method with one parameter to choose has a finer grid of it.
    """
    size = {"n_components": sizes}
    low, high = sizes[0] // 2, sizes[-1]
    fine = {"n_components": np.linspace(low, high, 21).astype(int).tolist()}
    ridges = {"ridge": np.geomspace(0.001, 10, 21).round(4).tolist()}
    contrast = HeldOutSearch(
        ContrastiveAlignment(random_state=0),
        contrasts(sizes),
        classifier=GAUSSIAN,
        random_state=0,
    )
    paper = PerfectAlignment(constraint="orthonormal")
    return {
        "whitened": searched(PerfectAlignment(), ridge=RIDGES, **size),
        "contrastive": contrast,
        "CSA": searched(CSA(), ridge=RIDGES, **size),
        "Procrustes": searched(ProcrustesAlignment(), **fine),
        "ridge into first": searched(RidgeTranslation(1, 0), **ridges),
        "ridge into second": searched(RidgeTranslation(0, 1), **ridges),
        "the paper's": searched(paper, **fine),
        "none": searched(Unaligned(), **size),
    }


def run(task, chosen=None, *, n_splits=SPLITS, random_state=SEED, **options):
    """Evaluate methods on one task; all of them by default."""
    load, test_size, sizes = TASKS[task]
    views, target, groups, maps = load()
    return evaluate(
        methods(sizes) if chosen is None else chosen,
        views,
        target,
        groups=groups,
        maps=maps,
        test_size=test_size,
        n_splits=n_splits,
        random_state=random_state,
        **options,
    )


# Curves ----------------------------------------------------------------------

PAIRS = [20, 50, 100, 200, 400, 800, None]
SHOTS = [1, 2, 5, 10, 20, None]
CURVES = ["picture, English", "digits: left, right"]


#: As `run`, on the splits of seed 0.
of_curve = partial(run, random_state=0)


def by_retrieval(alignment, **grid):
    """Parameters chosen without labels: few pairs, or few labels."""
    return HeldOutSearch(alignment, grid, random_state=0)


def pair_curve(task, sizes=PAIRS, **options):
    """Results by the number of pairs; few pairs carry few components."""
    curve = {}
    for n in sizes:
        k = 40 if n is None else min(40, n // 4)
        contrast = ContrastiveAlignment(k, random_state=0)
        fixed = {
            "learn_temperature": [False],
            "temperature": [0.3, 1.0, 3.0],
            "ridge": [1.0, 10.0],
            "max_iter": [15],
        }
        learned = {"max_iter": [30]}
        chosen = {
            "whitened": by_retrieval(PerfectAlignment(k), ridge=RIDGES),
            "contrastive": HeldOutSearch(
                contrast, [fixed, learned], random_state=0
            ),
        }
        curve[str(n)] = of_curve(task, chosen, n_pairs=n, **options)
    return curve


def shot_curve(task, shots=SHOTS, **options):
    """Results by the number of labels of each class."""
    chosen = {"whitened": by_retrieval(PerfectAlignment(40), ridge=RIDGES)}
    logistic = LogisticRegression(max_iter=1000)
    return {
        str(n): of_curve(
            task, chosen, n_shots=n, classifier=logistic, **options
        )
        for n in shots
    }


TEMPERATURES = [0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
WALKS = [
    "network, English",
    "English words, French words",
    "acceleration, rotation",
    "digits: left, right",
]


def temperature_walk(task, **options):
    """Contrast at fixed temperatures, and a closed form; nothing chosen."""
    chosen = {
        str(tau): ContrastiveAlignment(
            40,
            temperature=tau,
            learn_temperature=False,
            ridge=1.0,
            max_iter=15,
            random_state=0,
        )
        for tau in TEMPERATURES
    }
    chosen["whitened"] = PerfectAlignment(40, ridge=1.0)
    return run(task, chosen, **options)


def six_views(**options):
    """All ordered pairs of six descriptions of one digit."""
    names = ["fou", "fac", "kar", "pix", "zer", "mor"]
    views, target, groups, _ = mfeat_task(*names)
    return evaluate(
        {"whitened": searched(PerfectAlignment(6), ridge=RIDGES)},
        views,
        target,
        groups=groups,
        maps=[StandardScaler() for _ in names],
        test_size=0.4,
        **options,
    )


# Results ---------------------------------------------------------------------


def table(evaluation):
    """Values of each metric, a list over splits, by method and direction."""
    results = {}
    for name in dict.fromkeys(r["method"] for r in evaluation.records):
        for source, target in sorted(
            {(r["source"], r["target"]) for r in evaluation.records}
        ):
            where = {"method": name, "source": source, "target": target}
            results.setdefault(name, {})[f"{source}{target}"] = {
                metric: [
                    float(f"{value:.4g}")
                    for value in evaluation.values(metric, **where)
                ]
                for metric in METRICS
            }
    return results


# Reading them ----------------------------------------------------------------

#: What the figures call both views of a task.
SHORT = {
    "picture, English": ("picture", "English"),
    "picture, English words": ("picture", "English words"),
    "network, English": ("network", "English"),
    "network, English words": ("network", "English words"),
    "English words, French words": ("English words", "French words"),
    "Twemoji, Noto": ("Twemoji", "Noto"),
    "acceleration, rotation": ("acceleration", "rotation"),
    "raw acceleration, rotation": ("raw acceleration", "raw rotation"),
    "digits: pixels, Fourier": ("pixels", "Fourier"),
    "digits: left, right": ("left half", "right half"),
    "digits: left, right, linear": ("left, linear", "right, linear"),
    "colour, name": ("colour", "name"),
}
RIVALS = ["contrastive", "CSA", "Procrustes", "ridge"]


def found(results, task, method, way=None, metric="accuracy"):
    """One number a split; of both directions the mean, if none is named.

    Ridge regression has a model for each direction.
    """
    if way is None:
        ways = [found(results, task, method, w, metric) for w in ("01", "10")]
        return np.mean(ways, axis=0)
    if method == "ridge":
        method = "ridge into " + ("first" if way == "01" else "second")
    return np.array(results["tasks"][task][method][way][metric])


def strongest_rival(results, task, way=None):
    """The method other than the whitened one of the highest mean."""
    return max(RIVALS, key=lambda name: found(results, task, name, way).mean())


def gain(results, task, rival, way=None, metric="accuracy"):
    """What the whitened alignment has over a rival: mean, interval's ends."""
    ours, theirs = (
        found(results, task, name, way, metric) for name in ("whitened", rival)
    )
    interval = resampled_interval(ours - theirs, TASKS[task][1])
    return float(np.mean(ours - theirs)), *interval


def verdict(low, high):
    """The word that an interval of a difference allows."""
    return "ahead" if low > 0 else "behind" if high < 0 else "level"


def reduced():
    """The first split of the wrist, as it is stored, but for the seconds."""
    fresh = table(run("acceleration, rotation", n_splits=1))
    for ways in fresh.values():
        for metrics in ways.values():
            del metrics["fit_seconds"]
    return {"tasks": {"acceleration, rotation": fresh}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    shown = {"progress": True}
    results = {
        "tasks": {task: table(run(task, **shown)) for task in TASKS},
        "six views": table(six_views(n_splits=SPLITS, **shown)),
        "temperatures": {
            task: table(temperature_walk(task, **shown)) for task in WALKS
        },
    }
    for name, curve in [("pairs", pair_curve), ("shots", shot_curve)]:
        results[name] = {
            task: {n: table(e) for n, e in curve(task, **shown).items()}
            for task in CURVES
        }
    text = json.dumps(results, ensure_ascii=False, separators=(",", ":"))
    args.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
