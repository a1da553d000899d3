"""Real modalities: every method on every data set, under one protocol.

    python benchmarks/real_modalities.py

Writes what chapter 10 shows. A task, a number of pairs or of labels, and a
split depend on nothing else in the run, so that a part of it repeats exactly,
but for the seconds.
"""

import argparse
import json
from pathlib import Path

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
from perfalign.model_selection import HeldOutSearch, evaluate

RESULTS = Path(__file__).with_suffix(".json")
RIDGES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
METRICS = [
    "accuracy",
    "f1",
    "recall",
    "alignment_error",
    "effective_rank",
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


#: By name: the task, the share of its groups that is held out, and latent
#: dimensions to choose from.
TASKS = {
    "picture, English": (
        lambda: emoji_task("picture", "minilm"),
        0.3,
        [20, 40, 80],
    ),
    "picture, English words": (
        lambda: emoji_task("picture", "en"),
        0.3,
        [20, 40, 80],
    ),
    "English words, French words": (
        lambda: emoji_task("en", "fr"),
        0.3,
        [20, 40, 80],
    ),
    "Twemoji, Noto": (
        lambda: emoji_task("picture", "noto"),
        0.3,
        [20, 40, 80],
    ),
    "acceleration, rotation": (watch_task, 0.4, [20, 40, 80]),
    "raw acceleration, rotation": (
        lambda: watch_task(raw=True),
        0.4,
        [20, 40, 80],
    ),
    "digits: pixels, Fourier": (
        lambda: mfeat_task("pix", "fou"),
        0.4,
        [20, 40, 80],
    ),
    "digits: left, right": (mnist_task, 0.4, [20, 40, 80]),
    "digits: left, right, linear": (
        lambda: mnist_task(bent=False),
        0.4,
        [10, 20, 40],
    ),
    "colour, name": (colour_task, 0.4, [5, 10, 20, 40]),
}


# Methods ---------------------------------------------------------------------


GAUSSIAN = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
SIZES = [20, 40, 80]


def searched(alignment, **grid):
    """Parameters chosen by transfer to held-out pairs of the training set."""
    return HeldOutSearch(alignment, grid, classifier=GAUSSIAN, random_state=0)


def methods(sizes=SIZES):
    """All methods by name; `sizes` are the latent dimensions to choose from.

    The contrastive method chooses from two of them, as its search is slow.
    """
    size = {"n_components": sizes}
    contrast = searched(
        ContrastiveAlignment(random_state=0),
        n_components=sizes[:2],
        max_iter=[10, 30, 100],
    )
    paper = PerfectAlignment(constraint="orthonormal")
    return {
        "whitened": searched(PerfectAlignment(), ridge=RIDGES, **size),
        "contrastive": contrast,
        "CSA": searched(CSA(), ridge=RIDGES, **size),
        "Procrustes": searched(ProcrustesAlignment(), **size),
        "ridge into first": searched(RidgeTranslation(1, 0), ridge=RIDGES),
        "ridge into second": searched(RidgeTranslation(0, 1), ridge=RIDGES),
        "the paper's": searched(paper, **size),
        "none": searched(Unaligned(), **size),
    }


def run(task, chosen=None, *, n_splits=5, random_state=0, **options):
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


def by_retrieval(alignment, **grid):
    """Parameters chosen without labels: few pairs, or few labels."""
    return HeldOutSearch(alignment, grid, random_state=0)


def pair_curve(task, sizes=PAIRS, **options):
    """Results by the number of pairs; few pairs carry few components."""
    curve = {}
    for n in sizes:
        k = 40 if n is None else min(40, n // 4)
        contrast = ContrastiveAlignment(k, random_state=0)
        chosen = {
            "whitened": by_retrieval(PerfectAlignment(k), ridge=RIDGES),
            "contrastive": by_retrieval(contrast, max_iter=[10, 30, 100]),
        }
        curve[str(n)] = run(task, chosen, n_pairs=n, **options)
    return curve


def shot_curve(task, shots=SHOTS, **options):
    """Results by the number of labels of each class."""
    chosen = {"whitened": by_retrieval(PerfectAlignment(40), ridge=RIDGES)}
    logistic = LogisticRegression(max_iter=1000)
    return {
        str(n): run(task, chosen, n_shots=n, classifier=logistic, **options)
        for n in shots
    }


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS)
    args = parser.parse_args()
    options = {"n_splits": args.splits, "progress": True}
    results = {
        "tasks": {task: table(run(task, **options)) for task in TASKS},
        "six views": table(six_views(**options)),
    }
    for name, curve in [("pairs", pair_curve), ("shots", shot_curve)]:
        results[name] = {
            task: {n: table(e) for n, e in curve(task, **options).items()}
            for task in CURVES
        }
    text = json.dumps(results, ensure_ascii=False, separators=(",", ":"))
    args.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
