"""The second version's experiment, on its own data, for whoever has them.

    python benchmarks/human_action.py FOLDER

FOLDER holds the skeleton and inertial files of UTD-MHAD (`load_utd_mhad` says
where they are). Camera and sensor are aligned on the recordings of some
people; an action is then recognised by one of them after it was taught by
the other alone, on recordings of the other people. The closed form, whitened
and as in the paper, stands beside learned contrast, canonical
similarity, Procrustes and regression. Each chooses among eighteen candidates,
on the recordings of one of the training people, by transfer both ways.

First comes the usual split, odd people and even ones. It is one split: what
differs by chance is seen over further ones, four people of eight each, and
only these carry intervals.

Printed, method by method and split by split: accuracy both ways, as it is and
after the same fit to shuffled pairs, that of the target's own labels, recall
at 10, and the alignment error of held-out pairs, as in the paper's eq. 4 and
relative to the latents' size. Only the last two can be compared: an error
alone becomes as small as one likes where encoders shrink.
"""

import argparse
import warnings
from itertools import chain
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from perfalign import PerfectAlignment
from perfalign.alignment import CollapseWarning, OverfitWarning
from perfalign.baselines import (
    CSA,
    ContrastiveAlignment,
    ProcrustesAlignment,
    RidgeTranslation,
    ShuffledPairs,
)
from perfalign.datasets import load_utd_mhad
from perfalign.metrics import (
    alignment_error,
    recall,
    relative_alignment_error,
)
from perfalign.model_selection import HeldOutSearch, resampled_interval

N_FEATURES = 40
SIZES = [10, 20, 40]
RIDGES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
EVERY_SIZE = list(range(4, N_FEATURES + 1, 2))[:18]
GAUSSIAN = LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
METRICS = [
    "accuracy",
    "shuffled",
    "own labels",
    "recall",
    "alignment error",
    "relative error",
]


def searched(alignment, **grid):
    """Parameters chosen by transfer to one of the training people."""
    return HeldOutSearch(alignment, grid, classifier=GAUSSIAN, random_state=0)


def methods():
    """All methods by name, the closed form first."""
    closed = {"n_components": SIZES, "ridge": RIDGES}
    return {
        "whitened": searched(PerfectAlignment(), **closed),
        "the paper's": searched(
            PerfectAlignment(constraint="orthonormal"), n_components=EVERY_SIZE
        ),
        "contrast": searched(
            ContrastiveAlignment(random_state=0),
            n_components=SIZES,
            ridge=[0.01, 0.1, 1.0],
            max_iter=[10, 100],
        ),
        "CSA": searched(CSA(), **closed),
        "Procrustes": searched(ProcrustesAlignment(), n_components=EVERY_SIZE),
        "regression": searched(
            RidgeTranslation(0, 1), ridge=list(np.logspace(-4, 2, 18))
        ),
    }


def splits(data, n_splits):
    """The usual split, and n_splits of four people each."""
    yield data.train, data.test
    further = GroupShuffleSplit(n_splits, test_size=0.5, random_state=0)
    yield from further.split(data.subject, groups=data.subject)


def scores(data, train, test):
    """Each method's numbers in each direction, of one split."""
    maps = [
        make_pipeline(StandardScaler(), PCA(N_FEATURES, random_state=0)).fit(
            view[train]
        )
        for view in data.views
    ]
    seen, new = (
        [one.transform(view[rows]) for one, view in zip(maps, data.views)]
        for rows in (train, test)
    )
    y, new_y = data.target[train], data.target[test]

    def transfer(taught, asked):
        return clone(GAUSSIAN).fit(taught, y).score(asked, new_y)

    found = {}
    for name, search in methods().items():
        search.fit(seen, y=y, groups=data.subject[train])
        mixed = ShuffledPairs(search.alignment_, random_state=0).fit(seen)
        z, new_z = search.transform(seen), search.transform(new)
        mixed_z, new_mixed_z = mixed.transform(seen), mixed.transform(new)
        for source, target in ((0, 1), (1, 0)):
            pair = [new_z[source], new_z[target]]
            way = " → ".join(data.view_names[i] for i in (source, target))
            found[name, way] = {
                "accuracy": transfer(z[source], new_z[target]),
                "shuffled": transfer(mixed_z[source], new_mixed_z[target]),
                "own labels": transfer(seen[target], new[target]),
                "recall": recall(*pair, k=10),
                "alignment error": alignment_error(pair),
                "relative error": relative_alignment_error(pair),
            }
    return found


def lines(found):
    """A table of the usual split, and means and verdicts over the others."""
    usual, *others = found
    ways = list(dict.fromkeys(way for _, way in usual))
    names = list(dict.fromkeys(name for name, _ in usual))
    heading = f"{'':14}" + "".join(f"{metric:>17}" for metric in METRICS)
    for way in ways:
        yield f"\n{way}, odd people and even ones\n{heading}"
        for name in names:
            numbers = usual[name, way]
            yield f"{name:14}" + "".join(
                f"{numbers[m]:17.3f}" for m in METRICS
            )
    for way in ways:
        yield f"\n{way}, mean of {len(others)} splits\n{heading}"
        mean = {
            name: [
                np.mean([numbers[name, way][m] for numbers in others])
                for m in METRICS
            ]
            for name in names
        }
        for name in names:
            yield f"{name:14}" + "".join(f"{x:17.3f}" for x in mean[name])
        rival = max(names[1:], key=lambda name: mean[name][0])
        gap = [
            numbers[names[0], way]["accuracy"]
            - numbers[rival, way]["accuracy"]
            for numbers in others
        ]
        low, high = resampled_interval(gap, 0.5)
        yield (
            f"{names[0]} − {rival}: {np.mean(gap):.3f} ({low:.3f} to "
            f"{high:.3f}), {verdict(low, high)}"
        )


def verdict(low, high):
    """What the interval of a difference allows to say."""
    if low > 0:
        return "ahead"
    return "behind" if high < 0 else "not told apart"


def run(data, n_splits=10):
    """Lines of the report."""
    with (
        warnings.catch_warnings(action="ignore", category=CollapseWarning),
        warnings.catch_warnings(action="ignore", category=OverfitWarning),
    ):
        found = [scores(data, *rows) for rows in splits(data, n_splits)]
    people = (
        np.unique(data.subject[rows]) for rows in (data.train, data.test)
    )
    heading = [
        f"{len(data.target)} recordings, {len(data.left_out)} left out; "
        f"chance {np.bincount(data.target).max() / len(data.target):.3f}",
        "people {} teach, {} are asked".format(*people),
    ]
    return list(chain(heading, lines(found)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--splits", type=int, default=10)
    args = parser.parse_args()
    print("\n".join(run(load_utd_mhad(args.folder), args.splits)))


if __name__ == "__main__":
    main()
