"""What chapters 9 and 14 say beside their rivals: words follow numbers."""

import importlib.util
import json
import sys
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import pdist, squareform
from scipy.stats import linregress
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA

from perfalign import PerfectAlignment, permutation_test
from perfalign.datasets import load_mnist, make_population
from perfalign.model_selection import resampled_interval

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


@cache
def script(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@cache
def stored(name):
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


# ------------------------------------------------- kinds in a brain, in words


@pytest.fixture(scope="module")
def fresh():
    return script("kinds").reduced()


def test_stored_kinds_begin_with_what_the_code_computes(fresh):
    whole = stored("kinds")
    rows = fresh["curve"]
    assert_allclose(whole["curve"][: len(rows)], rows, rtol=0, atol=2e-3)
    assert_allclose(whole["first worlds"], fresh["first worlds"], atol=2e-3)
    for part in ("ceilings", "hemispheres"):
        assert whole[part].keys() == fresh[part].keys()
        for name, values in fresh[part].items():
            assert_allclose(whole[part][name], values, rtol=0, atol=2e-3)
    assert [tuple(c) for c in whole["choices"]] == script("kinds").combined()


def test_no_combination_was_left_out():
    whole = stored("kinds")
    choices = script("kinds").CHOICES
    all_of_them = np.prod([len(options) for options in choices.values()])
    # One emoji a kind leaves nothing to average in two ways.
    assert len(whole["curve"]) == all_of_them - all_of_them // 10 == 486


def test_the_first_edition_made_one_of_the_choices(fresh):
    first = ("first 30 with the word", "of items", "10", "correlation")
    at = script("kinds").combined().index((*first, "correlation", "ranks"))
    found, p, low, high = fresh["curve"][at]
    assert round(found, 2) == 0.16 and round(p, 2) == 0.17
    assert low < found < high


@pytest.mark.parametrize(
    "dimensions, words, brain, found",
    [
        ("384", "correlation", "correlation", -0.07),
        ("10", "euclidean", "correlation", -0.29),
        ("10", "euclidean", "euclidean", -0.49),
    ],
)
def test_other_choices_would_have_turned_its_sign(
    dimensions, words, brain, found
):
    choice = ["first 30 with the word", "of items", dimensions, words, brain]
    at = stored("kinds")["choices"].index([*choice, "ranks"])
    assert round(stored("kinds")["curve"][at][0], 2) == found
    assert f"$-{-found:.2f}$" in believed()


def believed():
    """What chapter 14 says of its earlier edition."""
    path = FOLDER.parent / "chapters" / "14-platonic.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    (cell,) = (c for c in cells if c["id"] == "text-believed")
    return "".join(cell["source"])


def test_the_median_over_all_choices_is_not_told_from_chance():
    whole = stored("kinds")
    found = np.array(whole["curve"])[:, 0]
    median, p, low, high = whole["summary"]["all"]
    assert_allclose(median, np.median(found), atol=1e-4)
    assert p > 0.05 and low < median < high
    assert found.min() < -0.4 and found.max() > 0.4
    assert np.mean(found > 0) > 0.5
    assert whole["summary"]["best"][1] > 0.05


def test_lists_picked_by_eye_agree_better_but_not_after_five_looks():
    summary = stored("kinds")["summary"]
    parts = {
        name: summary[f"emoji: {name}"]
        for name in script("kinds").CHOICES["emoji"]
    }
    medians, p = np.array(list(parts.values()))[:, :2].T
    assert medians[2:].min() > medians[:2].max()
    assert np.sum(p[2:] < 0.05) == 2
    assert 5 * p.min() > 0.05


def test_the_brain_agrees_with_itself_in_other_runs():
    whole = stored("kinds")
    assert np.min(list(whole["ceilings"].values())) > 0.5
    same, other = (
        whole["hemispheres"][name] for name in ("same moments", "other runs")
    )
    assert same[0] > other[0] > 0.6
    assert other[1] < 0.05


@pytest.mark.parametrize("dimension", ["5", "20"])
def test_seven_kinds_find_only_strong_agreement(dimension):
    whole = stored("kinds")
    part, levels = whole["power"][dimension], whole["levels"]
    shares = {int(n): np.array(s) for n, s in part["shares"].items()}
    assert all(abs(s[0] - 0.05) < 0.025 for s in shares.values())
    assert np.interp(0.8, shares[7], levels) > 0.5
    assert shares[7][levels.index(0.3)] < 0.4
    needed = np.interp(0.8, [s[3] for s in shares.values()], list(shares))
    assert 15 < needed < 35
    room = np.interp(whole["summary"]["all"][0], part["low"], levels)
    # A middling correlation is not excluded, that of a brain with itself is.
    assert 0.4 < room < 0.8


def test_picked_emoji_are_there_and_are_none_of_the_wrong_ones():
    study = script("kinds")
    _, lists = study.emoji_lists()
    wrong = ("grinning cat", "tiger", "potted plant", "thong sandal")
    named = {name for names in study.PICKED.values() for name in names}
    assert not named & set(wrong)
    for name in ("picked, smileys", "picked, people", "one a kind"):
        rows = np.concatenate([lists[name][k] for k in study.KINDS])
        assert len(set(rows)) == len(rows)
    assert len(lists["all with the word"]["face"]) == 162


def test_exchanges_move_rows_and_columns_alike():
    study = script("kinds")
    d = np.random.default_rng(0).random(10)
    square = squareform(d)
    orders = list(study.permutations(range(5)))
    for order, moved in zip(orders, d[study.exchanges(5)], strict=True):
        assert_allclose(squareform(moved), square[np.ix_(order, order)])


def test_an_exchange_of_kinds_leaves_the_whitening_as_it_is():
    study = script("kinds")
    root = study.root_of_covariance(7)
    for moved in study.exchanges(7)[::997]:
        assert_allclose(root[np.ix_(moved, moved)], root, atol=1e-12)
    # Distances that share no kind do not covary, those that share one do.
    covariance = np.linalg.inv(root @ root)
    first = [len({0, 1} & {*pair}) for pair in combinations(range(7), 2)]
    assert_allclose(covariance[0], np.square(first), atol=1e-9)


def test_cross_validated_distances_are_means_over_pairs_of_runs():
    study, rng = script("kinds"), np.random.default_rng(0)
    patterns, whitening = rng.normal(size=(4, 7, 3)), rng.normal(size=(3, 3))
    found = study.brain_distances(patterns, "crossnobis", whitening)
    for d, (a, b) in zip(found, combinations(range(7), 2), strict=True):
        apart = (patterns[:, a] - patterns[:, b]) @ whitening
        products = apart @ apart.T
        expected = products[~np.eye(4, dtype=bool)].mean()
        assert_allclose(d, expected)


# ------------------------------------------------------- neurons of two sorts


@pytest.mark.parametrize("cells", ["simple", "complex"])
def test_strangers_of_a_digit_share_the_digit_and_nothing_else(cells):
    mnist = load_mnist()
    rows = np.random.default_rng(0).permutation(10_000)[:800]
    digit, images = mnist.target[rows], mnist.images[rows] / 255
    counts = make_population(images, cells=cells, random_state=0).counts
    pca = PCA(20, svd_solver="covariance_eigh")
    neurons = pca.fit_transform(np.sqrt(counts))
    model = pca.fit_transform(images.reshape(800, -1))
    stranger = np.arange(800)
    means = np.eye(10)[digit]
    means = means @ np.diag(1 / means.sum(axis=0)) @ means.T
    for c in range(10):
        mine = np.flatnonzero(digit == c)
        stranger[mine] = np.roll(mine, 1)

    def accepted(other, within):
        views = [neurons, other]
        if within:
            views = [view - means @ view for view in views]
        test = permutation_test(
            PerfectAlignment(20), views, 99, random_state=0
        )
        return test.accepted()

    assert accepted(model, within=True) > 9
    assert 0 < accepted(model[stranger], within=False) <= 9
    assert accepted(model[stranger], within=True) <= 1


def test_a_linear_map_reads_more_of_the_picture_from_simple_cells():
    mnist = load_mnist()
    rows = np.random.default_rng(0).permutation(10_000)[:1500]
    images = mnist.images[rows] / 255
    pca = PCA(20, svd_solver="covariance_eigh")
    model = pca.fit_transform(images.reshape(1500, -1))
    read = {}
    for cells in ("simple", "complex"):
        drive = make_population(images, cells=cells, random_state=0).drive
        rates = np.column_stack([np.ones(1500), np.maximum(drive, 0)])
        weights = np.linalg.lstsq(rates[:1000], model[:1000], rcond=None)[0]
        left = model[1000:] - rates[1000:] @ weights
        read[cells] = 1 - np.mean(left.var(axis=0) / model[1000:].var(axis=0))
    assert read["simple"] > 0.9 > read["complex"] > 0.7


def test_stored_alignments_of_complex_cells_are_what_the_code_computes():
    study = script("model_bridges")
    fresh = study.complex_cells(0, study.FEW[0])
    kept = stored("model_bridges")["complex"][0][0]
    for method, row in fresh.items():
        assert_allclose(row["accuracy"], kept[method]["accuracy"], atol=2e-3)
        assert_allclose(row["rank"], kept[method]["rank"], atol=1)


def test_complex_cells_are_named_by_labels_and_found_by_pairs():
    splits = stored("model_bridges")["complex"]
    for at in range(2):
        labels, pairs = (
            {
                name: np.mean([split[at][method][name] for split in splits])
                for name in ("accuracy", "rank")
            }
            for method in ("alignment, same labels", "alignment, true pairs")
        )
        assert labels["accuracy"] > pairs["accuracy"]
        assert pairs["rank"] < 11
        # One that knows the class alone has about 75.
        assert 40 < labels["rank"] < 75


def test_complex_cells_take_more_digits_to_agree_with_the_images():
    study, mnist = script("kinds"), load_mnist()
    rows = np.random.default_rng(0).permutation(10_000)[:1500]
    digit, images = mnist.target[rows], mnist.images[rows] / 255
    pca = PCA(20, svd_solver="covariance_eigh")
    model = pca.fit_transform(images.reshape(1500, -1))

    def agreement(Z, n):
        ranks = [
            study.comparable(
                pdist(
                    [X[digit == d].mean(axis=0) for d in range(n)],
                    "correlation",
                ),
                "ranks",
            )
            for X in (Z, model)
        ]
        values = ranks[0][study.exchanges(n)] @ ranks[1]
        return values[0], study.p_value(values)

    found = {}
    for cells, least in (("simple", 4), ("complex", 6)):
        counts = make_population(images, cells=cells, random_state=0).counts
        Z = pca.fit_transform(np.sqrt(counts))
        told = [n for n in range(3, 8) if agreement(Z, n)[1] <= 0.05]
        assert told == list(range(least, 8))
        found[cells] = agreement(Z, 7)[0]
    assert found["simple"] > found["complex"]


def test_a_brain_is_named_behind_classifiers_where_labels_are_many():
    for at, told in ((2, "behind"), (3, "behind"), (0, "not told apart")):
        rows = [split[at] for split in stored("model_bridges")["brain"]]
        vote = np.array([row["setting 2"]["vote"] for row in rows])
        best = max(
            (
                [row["end-to-end"][key] for row in rows]
                for key in rows[0]["end-to-end"]
            ),
            key=np.mean,
        )
        runs = script("model_bridges").LABELLED_RUNS[at]
        others = stored("model_rivals")["brain"][str(runs)]
        assert np.mean(list(others.values()), axis=1).max() < np.mean(best)
        _, high = resampled_interval(vote - best, 4 / 12)
        assert ("behind" if high < 0 else "not told apart") == told


# --------------------------------------------------- the test of the textbooks


def test_wilks_test_of_single_features_is_that_of_a_slope():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30, 1)) + rng.normal(size=(30, 1))
    (found,) = script("permutation_null").wilks([x, y])
    assert_allclose(found, linregress(x[:, 0], y[:, 0]).pvalue)


def test_largest_correlation_is_the_one_of_scikit_learn():
    rng = np.random.default_rng(0)
    concept = rng.normal(size=(60, 2))
    views = [
        np.hstack(
            [concept + rng.normal(size=(60, 2)), rng.normal(size=(60, 2))]
        )
        for _ in range(2)
    ]
    scores = CCA(1, tol=1e-12, max_iter=10_000).fit_transform(*views)
    expected = np.corrcoef(*(s[:, 0] for s in scores))[0, 1]
    test = permutation_test(PerfectAlignment(1), views, 1, random_state=0)
    assert_allclose(test.statistics[0], expected, rtol=1e-6)


def shares(name):
    whole = stored("permutation_null")
    ours = np.array(whole["exceeded"][name])[:, 0] + 1
    wilks = np.array(whole["wilks"][name])[:, 0]
    return (
        np.mean(ours <= 0.05 * (1 + whole["n_permutations"])),
        np.mean(wilks <= 0.05),
    )


def test_each_test_is_ahead_where_the_chapter_says_so():
    ours, wilks = shares("unrelated, heavy tails")
    assert abs(ours - 0.05) < 0.02 and wilks > 0.09
    ours, wilks = shares("one weak signal")
    assert ours > wilks + 0.1
    ours, wilks = shares("ten weaker signals")
    assert wilks > ours + 0.1


def test_stored_results_of_wilks_begin_with_what_the_code_computes():
    study, whole = script("permutation_null"), stored("permutation_null")
    for name in study.TEXTBOOK:
        again = study.wilks_p_values(name, 3)
        assert_allclose(whole["wilks"][name][:3], again, rtol=0, atol=2e-4)
