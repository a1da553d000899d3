"""Every entrance that takes views or labels, with everything it may meet.

What a single function computes is tested beside it. Here all of them are
walked through at once: a type, a unit or a name must mean the same thing
wherever it is given.
"""

import sys
import warnings
from collections.abc import Mapping

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import linalg, sparse
from sklearn.base import BaseEstimator, clone
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from perfalign import (
    PerfectAlignment,
    StackedSummary,
    alignment_curve,
    permutation_test,
)
from perfalign._checks import (
    check_estimator,
    check_integer,
    check_number,
)
from perfalign.alignment import (
    GaussianFeatures,
    LinearAlignment,
    MappedAlignment,
)
from perfalign.baselines import (
    CSA,
    ContrastiveAlignment,
    CrossDecomposition,
    ProcrustesAlignment,
    RidgeTranslation,
    ShuffledPairs,
    Unaligned,
    infonce,
)
from perfalign.datasets import load_digit_halves, load_mfeat, load_mnist
from perfalign.metrics import (
    alignment_error,
    effective_rank,
    explained_variance,
    median_rank,
    recall,
    reconstruction_error,
    relative_alignment_error,
    retrieval_ranks,
)
from perfalign.mixtures import ClassGaussians
from perfalign.model_selection import HeldOutSearch, evaluate
from perfalign.transfer import GaussianTransfer

N = 80


def make_views(seed=0):
    """Two noisy views of one plane, three and four whole numbers an item."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], N // 2))
    z = rng.normal(size=(N, 2)) + 3.0 * y[:, np.newaxis]
    views = [z @ rng.normal(size=(2, d)) for d in (3, 4)]
    # Whole numbers below 2048 are exact in every floating point type.
    views = [
        np.round(50 * view + 20 * rng.normal(size=view.shape))
        for view in views
    ]
    assert max(np.abs(view).max() for view in views) < 2048
    return views, y


VIEWS, Y = make_views()
ALIGNMENTS = {
    "PerfectAlignment": PerfectAlignment(2),
    "orthonormal": PerfectAlignment(2, constraint="orthonormal"),
    "CSA": CSA(2),
    "ContrastiveAlignment": ContrastiveAlignment(
        2, max_iter=5, random_state=0
    ),
    "CrossDecomposition": CrossDecomposition(CCA(2)),
    "ProcrustesAlignment": ProcrustesAlignment(2),
    "RidgeTranslation": RidgeTranslation(),
    "ShuffledPairs": ShuffledPairs(PerfectAlignment(2), random_state=0),
    "Unaligned": Unaligned(2),
    "MappedAlignment": MappedAlignment(
        PerfectAlignment(2), [FunctionTransformer(), None]
    ),
    "HeldOutSearch": HeldOutSearch(
        PerfectAlignment(2), {"ridge": [0.0, 1.0]}, random_state=0
    ),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    FITTED = {name: clone(one).fit(VIEWS) for name, one in ALIGNMENTS.items()}
quiet = pytest.mark.filterwarnings("ignore::UserWarning")


def all_latents(alignment, views):
    """Latents of all views, at once and one by one, and of a transfer."""
    fit = clone(alignment).fit(views)
    latents = list(fit.transform(views))
    latents += [fit.transform_view(view, m) for m, view in enumerate(views)]
    transfer = GaussianTransfer(fit).fit(views[0], Y)
    latents.append(transfer.predict_proba(views[0]))
    return latents


def in_metrics(views):
    first, second = (view[:, :2] for view in map(slicing, views))
    pair = [first, second]
    return [
        alignment_error(pair),
        alignment_error(dict(zip("ab", pair))),
        relative_alignment_error(pair),
        reconstruction_error(first, second, up_to="affine"),
        effective_rank(first),
        *(explained_variance(view, first) for view in views),
        retrieval_ranks(first, second),
        recall(first, second, k=5),
        median_rank(first, second),
        infonce(first, second, 100.0)[0],
    ]


def slicing(view):
    """What has slices of columns as an array has."""
    if isinstance(view, list):
        return np.array(view)
    return view.iloc if hasattr(view, "iloc") else view


def in_significance(views):
    test = permutation_test(PerfectAlignment(2), views, 5, random_state=0)
    curve = alignment_curve(
        PerfectAlignment(2), views, [40], n_splits=2, random_state=0
    )
    shuffled = alignment_curve(
        PerfectAlignment(2), views, 40, shuffled=True, random_state=0
    )
    return [
        test.statistics,
        test.null,
        curve.train_errors,
        curve.test_correlations,
        shuffled.test_errors,
    ]


def in_evaluation(views):
    found = evaluate(
        {"aligned": PerfectAlignment(2)}, views, Y, n_splits=2, n_pairs=30
    )
    names = ("accuracy", "shuffled", "recall", "alignment_error", "f1")
    search = HeldOutSearch(
        PerfectAlignment(2),
        {"ridge": [0.0, 1.0]},
        classifier=LinearDiscriminantAnalysis(),
        random_state=0,
    ).fit(views, Y)
    return [
        [found.values(name) for name in names],
        [score for _, score in search.scores_],
    ]


def in_features(views):
    features = GaussianFeatures(10, random_state=0).fit(views[0])
    mixture = ClassGaussians(np.eye(3), np.eye(3))
    return [features.transform(views[0]), mixture.posterior(views[0])]


ENTRANCES = {
    **{
        name: lambda views, one=one: all_latents(one, views)
        for name, one in ALIGNMENTS.items()
    },
    "metrics": in_metrics,
    "significance": in_significance,
    "evaluation": in_evaluation,
    "features": in_features,
}


def memory_map(view, folder):
    path = folder / f"{view.shape[1]}.npy"
    np.save(path, view)
    return np.load(path, mmap_mode="r")


def read_only(view):
    view = view.copy()
    view.flags.writeable = False
    return view


TYPES = {
    "float16": lambda view, _: view.astype(np.float16),
    "float32": lambda view, _: view.astype(np.float32),
    "long double": lambda view, _: view.astype(np.longdouble),
    "int": lambda view, _: view.astype(int),
    "frame": lambda view, _: pd.DataFrame(view).add_prefix("c"),
    "nullable": lambda view, _: pd.DataFrame(view, dtype="Int64"),
    "list": lambda view, _: view.tolist(),
    "read-only": lambda view, _: read_only(view),
    "memory map": memory_map,
    "Fortran": lambda view, _: np.asfortranarray(view),
    "nothing hidden": lambda view, _: np.ma.array(view),
}


@quiet
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_numbers_count_and_not_their_type(entrance, kind, tmp_path):
    call = ENTRANCES[entrance]
    views = [TYPES[kind](view, tmp_path) for view in VIEWS]
    # Latents of single precision are of single precision.
    tolerance = 1e-6 if kind in ("float16", "float32") else 1e-9
    for found, wanted in zip(call(views), call(VIEWS), strict=True):
        assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def with_hidden(view):
    return np.ma.array(view, mask=np.eye(*view.shape))


def turned(view):
    return pd.DataFrame(view).iloc[::-1]


BAD = {
    "masked": (with_hidden, "mask hides"),
    "NaN": (lambda view: np.where(view > 100, np.nan, view), "NaN"),
    "dates": (lambda view: view.astype("M8[D]"), "dates"),
    "objects": (lambda view: view.astype(object), "objects"),
    "complex": (lambda view: view + 0j, "[Cc]omplex"),
    "text column": (
        lambda view: pd.DataFrame(view).add_prefix("c").assign(d="x"),
        "no real numbers",
    ),
}


@quiet
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_bad_views_are_refused_everywhere(entrance, kind):
    change, message = BAD[kind]
    for m in (0, 1):
        if entrance == "features" and m == 1:
            continue
        views = list(VIEWS)
        views[m] = change(views[m])
        with pytest.raises(ValueError, match=message):
            ENTRANCES[entrance](views)


def test_a_masked_partition_is_noticed():
    masked = da.from_array(with_hidden(VIEWS[1]), chunks=(20, 4))
    plain = da.from_array(VIEWS[1], chunks=(20, 4))
    first = da.from_array(VIEWS[0], chunks=(20, 3))
    for second in (masked, da.concatenate([plain[:40], masked[:40]])):
        with pytest.raises(ValueError, match="view 1: a mask hides"):
            StackedSummary.from_dask([first, second])
        with pytest.raises(ValueError, match="view 1: a mask hides"):
            PerfectAlignment(2).fit([first, second])


@quiet
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", FITTED)
def test_bad_views_are_refused_after_the_fit(name, kind):
    change, message = BAD[kind]
    fit = FITTED[name]
    transfer = GaussianTransfer(fit).fit(VIEWS[1], Y, view=1)
    bad = change(VIEWS[1])
    for call in (
        lambda: fit.transform([VIEWS[0], bad]),
        lambda: fit.transform_view(bad, 1),
        lambda: transfer.predict(bad),
        lambda: transfer.score(bad, Y),
        lambda: GaussianTransfer(fit).fit(bad, Y, view=1),
        lambda: GaussianTransfer(fit).fit_unlabelled(
            bad, VIEWS[1][:2], [0, 1], view=1
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@quiet
@pytest.mark.parametrize("entrance", sorted(set(ENTRANCES) - {"features"}))
def test_rows_in_another_order_are_refused_everywhere(entrance):
    frames = [pd.DataFrame(view) for view in VIEWS]
    frames[1] = frames[1].iloc[::-1]
    with pytest.raises(ValueError, match="row 0 is 0 in .* and 79 in"):
        ENTRANCES[entrance](frames)


@quiet
@pytest.mark.parametrize("name", ALIGNMENTS)
def test_columns_and_views_keep_their_names(name):
    frames = [pd.DataFrame(view).add_prefix("c") for view in VIEWS]
    fit = clone(ALIGNMENTS[name]).fit(frames)
    wanted = FITTED[name].transform(VIEWS)
    for found, z in zip(fit.transform(frames), wanted):
        assert_allclose(found, z, atol=1e-10)
    other = frames[1][["c1", "c0", "c2", "c3"]]
    transfer = GaussianTransfer(fit).fit(frames[1], Y, view=1)
    for call in (
        lambda: fit.transform([frames[0], other]),
        lambda: fit.transform_view(other, 1),
        lambda: transfer.predict(other),
        lambda: transfer.fit(other, Y, view=1),
    ):
        with pytest.raises(ValueError, match="another order: column 0 is 'c1"):
            call()
    with pytest.raises(ValueError, match="Missing: 'c3'; new: 'd'"):
        fit.transform_view(frames[1].rename(columns={"c3": "d"}), 1)
    # Arrays have no names to contradict.
    assert_allclose(fit.transform_view(VIEWS[1], 1), wanted[1], atol=1e-10)

    named = dict(zip(["seen", "heard"], VIEWS))
    fit = clone(ALIGNMENTS[name])
    if name == "MappedAlignment":
        fit.set_params(maps={"heard": None, "seen": FunctionTransformer()})
    fit.fit(named)
    latents = fit.transform(dict(reversed(named.items())))
    assert isinstance(latents, Mapping)
    for key, z in zip(named, wanted):
        assert_allclose(latents[key], z, atol=1e-10)
    assert_allclose(fit.transform(VIEWS)[0], wanted[0], atol=1e-10)
    assert_allclose(fit.transform_view(VIEWS[1], "heard"), wanted[1])
    transfer = GaussianTransfer(fit).fit(VIEWS[0], Y, view="seen")
    assert transfer.score(VIEWS[0], Y) == transfer.score(VIEWS[0], Y, "seen")
    assert transfer.score(VIEWS[1], Y, "heard") == transfer.score(
        VIEWS[1], Y, view=1
    )
    with pytest.raises(ValueError, match="Missing: 'heard'; new: 'touched'"):
        fit.transform({"seen": VIEWS[0], "touched": VIEWS[1]})
    with pytest.raises(ValueError, match="names"):
        FITTED[name].transform(named)
    for wrong in (True, "touched", 2, -1, 0.0, None):
        with pytest.raises(ValueError, match="no view"):
            fit.transform_view(VIEWS[1], wrong)


@quiet
def test_views_by_name_are_those_by_place():
    named = dict(zip(["seen", "heard"], VIEWS))
    found, wanted = in_significance(named), in_significance(VIEWS)
    for one, other in zip(found, wanted):
        assert_array_equal(one, other)
    by_name = evaluate({"PA": PerfectAlignment(2)}, named, Y, n_splits=2)
    by_place = evaluate({"PA": PerfectAlignment(2)}, VIEWS, Y, n_splits=2)
    assert by_name.mean("accuracy", source="seen", target="heard") == (
        by_place.mean("accuracy", source=0, target=1)
    )
    search = HeldOutSearch(PerfectAlignment(2), {"ridge": [0, 1]})
    search.set_params(random_state=0)
    scores = [clone(search).fit(views).scores_ for views in (named, VIEWS)]
    assert scores[0] == scores[1]


@pytest.fixture
def no_divide_and_conquer(monkeypatch):
    """The fast drivers do not converge, as happens on some processors."""
    svd = linalg.svd

    def by_iteration_alone(*args, lapack_driver="gesdd", **kwargs):
        if lapack_driver == "gesdd":
            raise linalg.LinAlgError("SVD did not converge")
        return svd(*args, lapack_driver=lapack_driver, **kwargs)

    def never(*args, **kwargs):
        raise linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr(linalg, "svd", by_iteration_alone)
    for name in ("svd", "svdvals", "pinv", "lstsq", "matrix_rank", "cond"):
        monkeypatch.setattr(np.linalg, name, never)
    for name in ("svdvals", "pinv", "lstsq"):
        monkeypatch.setattr(linalg, name, never)
    # What was imported by name.
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("perfalign"):
            if vars(module).get("svd") is svd:
                monkeypatch.setattr(module, "svd", by_iteration_alone)


def transfer_without_labels(views):
    transfer = GaussianTransfer(FITTED["PerfectAlignment"], "diag", 0)
    transfer.fit_unlabelled(views[0], views[0][:2], [0, 1])
    return transfer.view_mixture(0).bayes_accuracy(100, random_state=0)


# Where scikit-learn decomposes, it is scikit-learn that would fail.
OURS = {
    **ENTRANCES,
    "unlabelled": transfer_without_labels,
    "evaluation": lambda views: evaluate(
        {"PA": PerfectAlignment(2)},
        views,
        Y,
        classifier=KNeighborsClassifier(1),
    ),
}
del OURS["CrossDecomposition"], OURS["features"]


@quiet
@pytest.mark.parametrize("entrance", OURS)
def test_no_entrance_needs_divide_and_conquer(entrance, no_divide_and_conquer):
    OURS[entrance](VIEWS)


# ------------------------------------------------------------------- units


def rescaled(views, m, column, factor):
    views = [view.astype(float) for view in views]
    views[m][:, column] *= factor
    return views


@pytest.mark.parametrize("factor", [1e-9, 1e9])
@pytest.mark.parametrize("m, column", [(0, 0), (1, 3)])
@pytest.mark.parametrize("name", ["PerfectAlignment", "CSA", "HeldOutSearch"])
def test_units_of_columns_change_no_latents(name, m, column, factor):
    alignment = ALIGNMENTS[name]
    if name == "HeldOutSearch":
        # A ridge would mean another thing in other units.
        alignment = HeldOutSearch(PerfectAlignment(2), {"center": [True]})
    wanted = all_latents(alignment, VIEWS)
    found = all_latents(alignment, rescaled(VIEWS, m, column, factor))
    for one, other in zip(found, wanted):
        assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_units_of_columns_change_no_p_value(factor):
    wanted = permutation_test(PerfectAlignment(2), VIEWS, 20, random_state=0)
    found = permutation_test(
        PerfectAlignment(2), rescaled(VIEWS, 0, 1, factor), 20, random_state=0
    )
    assert_allclose(found.null, wanted.null, atol=1e-9)
    assert_allclose(found.statistics, wanted.statistics, atol=1e-9)


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_units_of_latents_change_no_share(factor):
    latents = VIEWS[0] * [1.0, factor, 1.0]
    assert explained_variance(VIEWS[1], latents) == pytest.approx(
        explained_variance(VIEWS[1], VIEWS[0]), rel=1e-9
    )
    # Nor do those of the features; a silent one is none.
    view = np.c_[VIEWS[1] * [1.0, factor, 1.0, 1.0], np.full(N, 0.1)]
    assert explained_variance(view, VIEWS[0]) == pytest.approx(
        explained_variance(VIEWS[1], VIEWS[0]), rel=1e-9
    )
    for up_to in ("linear", "affine"):
        assert reconstruction_error(
            VIEWS[1], latents, up_to=up_to
        ) == pytest.approx(
            reconstruction_error(VIEWS[1], VIEWS[0], up_to=up_to), rel=1e-9
        )
    # A column that varies is not constant because another is large.
    assert 0.0 < effective_rank(np.c_[np.full(9, 1e20), np.arange(9.0)])


DATA = {
    "digits": (load_digit_halves, (0, 1), 8),
    "profile and Fourier": (load_mfeat, (0, 1), 8),
    "Zernike and profile": (load_mfeat, (4, 1), 8),
    "shape and profile": (load_mfeat, (5, 1), 6),
    "MNIST": (load_mnist, (0, 1), 20),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", DATA)
def test_transfer_does_not_depend_on_precision_or_units(data):
    load, chosen, k = DATA[data]
    found = load()
    # A fifth of MNIST has as many items as the others.
    step = max(len(found.target) // 2000, 1)
    views = [found.views[m][::step] for m in chosen]
    y = found.target[::step]
    rng = np.random.default_rng(0)
    order = rng.permutation(len(y))
    train, test = np.split(order, [len(y) // 2])

    def accuracy(views):
        alignment = PerfectAlignment(k).fit([view[train] for view in views])
        transfer = GaussianTransfer(alignment).fit(views[0][train], y[train])
        return transfer.score(views[1][test], y[test], view=1)

    wanted = accuracy(views)
    assert wanted > 0.4
    assert accuracy([view.astype(np.float32) for view in views]) == wanted
    for m in (0, 1):
        column = int(np.argmax(np.ptp(views[m], axis=0)))
        for factor in (1e-9, 1e9):
            assert accuracy(rescaled(views, m, column, factor)) == wanted
        for factor in (1e-4, 1e4):
            other = rescaled(views, m, column, factor)
            other[m] = other[m].astype(np.float32)
            assert accuracy(other) == wanted


# --------------------------------------------------------------- contracts


@quiet
@pytest.mark.parametrize("name", FITTED)
def test_a_transfer_needs_views_encoded_and_no_more(name):
    fit = FITTED[name]
    transfer = GaussianTransfer(fit).fit(VIEWS[0], Y)
    latents = fit.transform(VIEWS)
    oracle = LinearDiscriminantAnalysis("lsqr").fit(latents[0], Y)
    for m in (0, 1):
        assert_allclose(
            transfer.predict_proba(VIEWS[m], view=m),
            oracle.predict_proba(latents[m]),
            atol=1e-7,
        )
    # What was fitted is what is judged.
    assert transfer.score(VIEWS[0], Y) == oracle.score(latents[0], Y)
    second = GaussianTransfer(fit).fit(VIEWS[1], Y, view=1)
    assert second.score(VIEWS[1], Y) == second.score(VIEWS[1], Y, view=1)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        GaussianTransfer(clone(fit)).fit(VIEWS[0], Y)
    if isinstance(fit, LinearAlignment):
        assert transfer.view_mixture(0).means.shape[1] == VIEWS[0].shape[1]
    else:
        with pytest.raises(ValueError, match="wanted a LinearAlignment"):
            transfer.view_mixture(0)


@pytest.mark.parametrize(
    "alignment, seen",
    [(PCA(2), "PCA"), (None, "None"), ("CCA", "'CCA'"), (CSA, "CSA")],
)
def test_what_encodes_no_view_cannot_transfer(alignment, seen):
    with pytest.raises(ValueError, match=f"alignment is .*{seen}.*wanted"):
        GaussianTransfer(alignment).fit(VIEWS[0], Y)


def test_scikit_learn_ranks_what_was_fitted():
    frozen = pytest.importorskip("sklearn.frozen")
    views, y = load_digit_halves().views, load_digit_halves().target
    useful = PerfectAlignment(8).fit(views)
    transfer = GaussianTransfer(frozen.FrozenEstimator(useful))
    scores = cross_val_score(transfer, views[0], y, cv=3)
    assert scores.min() > 0.6
    shuffled = ShuffledPairs(PerfectAlignment(8), random_state=0).fit(views)
    search = GridSearchCV(
        transfer,
        {
            "alignment": [
                frozen.FrozenEstimator(one) for one in (shuffled, useful)
            ]
        },
        cv=3,
    ).fit(views[0], y)
    by_hand = [
        GaussianTransfer(one).fit(views[0], y).score(views[0], y)
        for one in (shuffled, useful)
    ]
    assert search.best_index_ == int(np.argmax(by_hand))
    assert search.score(views[0], y) == max(by_hand)


LABELS = {
    "strings": np.array(["no", "yes"]),
    "objects": np.array(["no", "yes"], dtype=object),
    "bools": np.array([False, True]),
    "floats": np.array([3.0, 7.0]),
}


def as_given(labels):
    kinds = {
        "array": labels,
        "list": labels.tolist(),
        "series": pd.Series(labels),
        "categories": pd.Categorical(labels),
    }
    if isinstance(labels[0], str):
        kinds["string dtype"] = pd.Series(labels, dtype="string")
    if labels.dtype == bool:
        kinds["nullable"] = pd.array(labels, dtype="boolean")
    if labels.dtype == float:
        kinds["nullable"] = pd.array(labels.astype(int), dtype="Int64")
    return kinds.values()


@pytest.mark.parametrize("kind", LABELS)
def test_labels_mean_the_same_whatever_they_are(kind):
    alignment = FITTED["PerfectAlignment"]
    wanted = GaussianTransfer(alignment).fit(VIEWS[0], Y)
    names = LABELS[kind]
    settings = {"n_splits": 2, "n_pairs": 40}
    records = evaluate({"PA": alignment}, VIEWS, Y, **settings).records
    for y in as_given(names[Y]):
        transfer = GaussianTransfer(alignment).fit(VIEWS[0], y)
        assert_array_equal(transfer.classes_, np.sort(np.unique(names)))
        assert_array_equal(
            transfer.predict(VIEWS[1], 1), names[wanted.predict(VIEWS[1], 1)]
        )
        assert transfer.score(VIEWS[0], y) == wanted.score(VIEWS[0], Y)
        found = evaluate({"PA": alignment}, VIEWS, y, **settings).records
        for one, other in zip(found, records, strict=True):
            assert one["accuracy"] == other["accuracy"]
        search = HeldOutSearch(
            PerfectAlignment(2),
            {"ridge": [0.0, 1.0]},
            classifier=LinearDiscriminantAnalysis(),
            random_state=0,
        )
        assert search.fit(VIEWS, y).scores_ == search.fit(VIEWS, Y).scores_


def label_entrances():
    alignment = FITTED["PerfectAlignment"]
    transfer = GaussianTransfer(alignment).fit(VIEWS[0], Y)
    frame = pd.DataFrame(VIEWS[0])
    search = HeldOutSearch(
        PerfectAlignment(2),
        {"ridge": [0.0]},
        classifier=LinearDiscriminantAnalysis(),
    )
    frames = [pd.DataFrame(view) for view in VIEWS]
    return {
        "fit": lambda y: GaussianTransfer(alignment).fit(frame, y),
        "score": lambda y: transfer.score(frame, y),
        "search": lambda y: search.fit(frames, y),
        "search groups": lambda y: search.fit(frames, Y, groups=y),
        "evaluate": lambda y: evaluate({"PA": alignment}, frames, y),
        "evaluate groups": lambda y: evaluate(
            {"PA": alignment}, frames, Y, groups=y
        ),
        "curve groups": lambda y: alignment_curve(
            alignment, frames, [20], groups=y
        ),
        "test groups": lambda y: permutation_test(
            alignment, frames, 5, groups=y
        ),
    }


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda y: [None, *y[1:]], "no label"),
        (lambda y: np.where(y == 1, np.nan, 0.0), "no label"),
        (lambda y: pd.Series(y).astype("Int64").where(y > 0), "no label"),
        (lambda y: np.ma.array(y, mask=y), "mask hides 40"),
        (lambda y: y + np.linspace(0, 0.5, len(y)), "not whole"),
        (lambda y: y[:-1], "79 labels; wanted 80"),
        (lambda y: y + 1j, "[Cc]omplex"),
        (lambda y: np.c_[y, y], "1d array"),
        (lambda y: pd.Series(y).iloc[::-1], "row 0 is 0 in .* and 79 in"),
    ],
)
@pytest.mark.parametrize("entrance", label_entrances())
def test_bad_labels_are_refused_everywhere(entrance, change, message):
    with pytest.raises(ValueError, match=message):
        label_entrances()[entrance](change(Y))


def test_one_class_is_none():
    with pytest.raises(ValueError, match="Only the class 0 occurs"):
        GaussianTransfer(FITTED["CSA"]).fit(VIEWS[0], np.zeros(N, int))


def refusals():
    perfect, fitted = PerfectAlignment(2), FITTED["PerfectAlignment"]
    methods = {"PA": perfect}
    search = HeldOutSearch(perfect, {"ridge": [0.0]})
    contrast = ContrastiveAlignment(2)
    yield from [
        (lambda: evaluate(methods, VIEWS, Y, n_splits=0), "n_splits is 0"),
        (lambda: evaluate(methods, VIEWS, Y, n_splits=True), "n_splits is T"),
        (lambda: evaluate(methods, VIEWS, Y, test_size="3"), "test_size is '"),
        (lambda: evaluate(methods, VIEWS, Y, test_size=1.5), "below 1"),
        (lambda: evaluate(methods, VIEWS, Y, n_pairs=2.5), "n_pairs is 2.5"),
        (lambda: evaluate(methods, VIEWS, Y, n_shots="1"), "n_shots is '1'"),
        (lambda: evaluate(methods, VIEWS, Y, n_shots=1), "KNeighborsClass"),
        (lambda: evaluate({}, VIEWS, Y), "alignments is {}"),
        (lambda: evaluate(perfect, VIEWS, Y), "dict of methods by name"),
        (lambda: evaluate({"P": PCA}, VIEWS, Y), "'P'. is the class PCA"),
        (lambda: evaluate({"t": 3}, VIEWS, Y), "no fit and no transform"),
        (lambda: evaluate(methods, VIEWS, Y, maps=[None]), "1 maps for 2"),
        (lambda: evaluate(methods, VIEWS, Y, maps=[None, 3]), "maps.1. is 3"),
        (lambda: evaluate(methods, VIEWS[0], Y), "list of matrices"),
        (lambda: search.set_params(test_size=0).fit(VIEWS), "test_size is 0"),
        (lambda: HeldOutSearch(3, {}).fit(VIEWS), "alignment is 3"),
        (lambda: HeldOutSearch(perfect, 3).fit(VIEWS), "param_grid"),
        (lambda: ShuffledPairs("CCA").fit(VIEWS), "alignment is 'CCA'"),
        (lambda: ShuffledPairs(CSA).fit(VIEWS), "is the class CSA"),
        (lambda: MappedAlignment(3, [None] * 2).fit(VIEWS), "alignment is 3"),
        (lambda: MappedAlignment(CSA(), None).fit(VIEWS), "maps must be"),
        (lambda: MappedAlignment(CSA(), [3, 3]).fit(VIEWS), "maps.0. is 3"),
        (lambda: CrossDecomposition("CCA").fit(VIEWS), "model is 'CCA'"),
        (lambda: contrast.set_params(max_iter="9").fit(VIEWS), "max_iter is"),
        (lambda: Unaligned(True).fit(VIEWS), "n_components is True"),
        (lambda: ProcrustesAlignment("2").fit(VIEWS), "n_components is '2'"),
        (lambda: RidgeTranslation(ridge="1").fit(VIEWS), "ridge is '1'"),
        (lambda: RidgeTranslation(ridge=True).fit(VIEWS), "ridge is True"),
        (lambda: RidgeTranslation(True, False).fit(VIEWS), "source is True"),
        (lambda: GaussianFeatures(width="1").fit(VIEWS[0]), "width is '1'"),
        (lambda: GaussianFeatures(0.5).fit(VIEWS[0]), "n_components is 0.5"),
        (lambda: recall(VIEWS[0], VIEWS[0], k=True), "k is True"),
        (lambda: infonce(VIEWS[0], VIEWS[0], "1"), "temperature is '1'"),
        (lambda: ClassGaussians(np.eye(2), np.eye(2)).sample(0), "n_samples"),
        (lambda: permutation_test(perfect, VIEWS, 2.5), "n_permutations is"),
        (lambda: permutation_test(perfect, VIEWS, True), "n_permutations is"),
        (lambda: permutation_test(search, VIEWS), "seen HeldOutSearch"),
        (lambda: permutation_test(CSA(2), VIEWS), "seen CSA"),
        (lambda: alignment_curve(fitted, VIEWS, []), "sizes are ."),
        (lambda: alignment_curve(fitted, VIEWS, "10"), "sizes are .'10'"),
        (lambda: alignment_curve(fitted, VIEWS, [9.5]), "sizes are .9.5"),
        (lambda: alignment_curve(fitted, VIEWS, 9, n_splits=0), "n_splits"),
        (lambda: alignment_curve(PCA, VIEWS, 9), "is the class PCA"),
        (lambda: check_estimator(3, "it", ["fly"]), "it is 3, which has no f"),
        (lambda: check_integer(9, "k", 1, 8, ", no more"), "1 to 8, no more"),
        (lambda: check_number(np.nan, "k", above=0), "finite number above 0"),
        (lambda: check_number(np.inf, "k", above=0), "finite number above 0"),
    ]


REFUSALS = list(refusals())


@pytest.mark.parametrize("number", range(len(REFUSALS)))
def test_what_cannot_be_done_is_refused_in_words(number):
    call, message = REFUSALS[number]
    with pytest.raises(ValueError, match=message):
        call()


@quiet
def test_one_shot_needs_no_spread():
    settings = {"n_splits": 2, "classifier": KNeighborsClassifier(1)}
    one = evaluate({"PA": CSA(2)}, VIEWS, Y, n_shots=1, **settings)
    assert one.mean("accuracy", source=0, target=1) > 0.6


def test_seeds_of_an_evaluation():
    def accuracies(seed):
        found = evaluate(
            {"PA": PerfectAlignment(2)},
            VIEWS,
            Y,
            n_splits=2,
            n_pairs=10,
            random_state=seed,
        )
        return [record["alignment_error"] for record in found.records]

    assert accuracies(3) == accuracies(np.int64(3))
    state = np.random.RandomState
    assert accuracies(state(3)) == accuracies(state(3))
    assert accuracies(None) != accuracies(None)


TEXTS = [" ".join("ab"[int(n > 0)] for n in row) for row in VIEWS[1]]
COUNTS = make_pipeline(
    CountVectorizer(token_pattern="[ab]"),
    FunctionTransformer(lambda counts: counts.toarray()[:, :1] * 1.0),
)


@quiet
def test_views_of_any_kind_go_wherever_maps_do():
    mapped = MappedAlignment(PerfectAlignment(1), [None, COUNTS])
    views = [VIEWS[0], TEXTS]
    latents = mapped.fit(views).transform(views)
    by_hand = [VIEWS[0], COUNTS.fit_transform(TEXTS)]
    wanted = PerfectAlignment(1).fit(by_hand)
    assert_allclose(latents[1], wanted.transform(by_hand)[1], atol=1e-10)

    transfer = GaussianTransfer(mapped).fit(VIEWS[0], Y)
    own = GaussianTransfer(wanted).fit(VIEWS[0], Y)
    assert transfer.score(TEXTS, Y, 1) == own.score(by_hand[1], Y, 1)
    search = HeldOutSearch(mapped, {"alignment__ridge": [0.0, 1.0]})
    search.set_params(random_state=0).fit(views)
    plain = HeldOutSearch(PerfectAlignment(1), {"ridge": [0.0, 1.0]})
    plain.set_params(random_state=0).fit(by_hand)
    assert_allclose(
        [score for _, score in search.scores_],
        [score for _, score in plain.scores_],
    )
    shuffled = ShuffledPairs(mapped, random_state=0).fit(views)
    assert [len(z) for z in shuffled.transform(views)] == [N, N]

    test = permutation_test(mapped, views, 9, random_state=0)
    plain = permutation_test(PerfectAlignment(1), by_hand, 9, random_state=0)
    assert_array_equal(test.null, plain.null)
    curve = alignment_curve(mapped, views, [40], random_state=0)
    plain = alignment_curve(wanted, by_hand, [40], random_state=0)
    assert_allclose(curve.test_errors, plain.test_errors, rtol=1e-9)


@quiet
@pytest.mark.parametrize("name", ALIGNMENTS)
def test_every_alignment_has_a_curve(name):
    one = ALIGNMENTS[name]
    curve = alignment_curve(one, VIEWS, [40], n_splits=1, random_state=0)
    k = FITTED[name].transform(VIEWS)[0].shape[1]
    assert curve.test_correlations.shape == (1, 1, k)
    evaluation = evaluate({name: one}, VIEWS, Y, n_splits=1)
    assert len(evaluation.records) == 2


def test_a_curve_has_one_dimension():
    class Growing(BaseEstimator):
        """One latent more for every ten pairs."""

        def fit(self, views):
            self.k_ = len(views[0]) // 10
            return self

        def transform(self, views):
            return [view[:, : self.k_] for view in views]

    with pytest.raises(ValueError, match=r"latents of the dimensions .1, 2."):
        alignment_curve(Growing(), VIEWS, [10, 20])


@pytest.mark.parametrize("sizes", [(3, 3, 2, 1), (1, 2, 3, 3)])
def test_groups_that_stay_keep_the_level(sizes):
    """Exact within the groups that change places; others cost power only."""
    groups = np.repeat(range(len(sizes)), sizes)
    exceeded = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        views = [rng.normal(size=(len(groups), 1)) for _ in range(2)]
        test = permutation_test(
            PerfectAlignment(1), views, 19, groups=groups, random_state=seed
        )
        exceeded.append(test.p_values[0] <= 0.5)
    assert np.mean(exceeded) <= 0.5 + 3 * 0.5 / np.sqrt(200)


def one_column(view):
    return pd.DataFrame(view[:, :1], columns=["a"])


@quiet
@pytest.mark.parametrize("name", ["numbered", "named"])
def test_a_frame_of_one_column_is_a_matrix(name):
    frame = one_column(VIEWS[0])
    if name == "numbered":
        frame.columns = [0]
    plain = [frame.to_numpy(), VIEWS[1]]
    for alignment in (PerfectAlignment(1), CSA(1), Unaligned(1)):
        found = clone(alignment).fit([frame, VIEWS[1]])
        wanted = clone(alignment).fit(plain)
        assert_array_equal(
            found.transform_view(frame, 0), wanted.transform_view(plain[0], 0)
        )
        with pytest.raises(ValueError, match="NaN"):
            found.transform_view(frame.where(frame > frame.min()), 0)
    assert recall(frame, frame) == recall(plain[0], plain[0])


TURNED = pd.Series(Y).iloc[::-1]
BESIDE = {
    "target": lambda views: evaluate(
        {"it": PerfectAlignment(2)}, views, TURNED, n_splits=1
    ),
    "weights": lambda views: PerfectAlignment(2).fit(
        views, sample_weight=TURNED.astype(float)
    ),
    "y": lambda views: HeldOutSearch(
        PerfectAlignment(2),
        {"ridge": [0.0]},
        classifier=LinearDiscriminantAnalysis(),
    ).fit(views, TURNED),
    "groups": lambda views: alignment_curve(
        PerfectAlignment(2), views, [40], groups=TURNED
    ),
    "nuisance": lambda views: permutation_test(
        PerfectAlignment(2), views, 5, nuisance=TURNED.to_frame()
    ),
}


@quiet
@pytest.mark.parametrize("labelled", [0, 1])
@pytest.mark.parametrize("beside", BESIDE)
def test_labels_of_rows_count_in_every_view(beside, labelled):
    views = list(VIEWS)
    views[labelled] = pd.DataFrame(views[labelled])
    with pytest.raises(ValueError, match="Labels of rows"):
        BESIDE[beside](views)


@quiet
@pytest.mark.parametrize("kind", [sparse.dia_array, sparse.coo_array])
def test_rows_are_taken_of_every_sparse_format(kind):
    views = [kind(VIEWS[0]), VIEWS[1]]
    curves = [
        alignment_curve(
            PerfectAlignment(2), given, [40], n_splits=1, random_state=0
        ).test_errors
        for given in (views, VIEWS)
    ]
    assert_allclose(*curves, rtol=1e-9)
