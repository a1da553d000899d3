"""What chapter 12 says of bridges and their rivals, and how it is computed."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist

from perfalign import transport_plan
from perfalign.model_selection import resampled_interval

ROOT = Path(__file__).resolve().parent.parent


def load_study():
    path = ROOT / "benchmarks" / "bridges.py"
    spec = importlib.util.spec_from_file_location("bridges_study", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


study = load_study()


@pytest.fixture(scope="module")
def results():
    return json.loads(study.RESULTS.read_text("utf-8"))


# -------------------------------------------------------- how it is computed


def test_every_method_that_chooses_has_twenty_candidates():
    sizes = {
        name: len(found[1])
        for name, found in (study.CANDIDATES | study.LABELLED).items()
    }
    assert {n for n in sizes if sizes[n] == 1} == {"gluing", "gluing, labels"}
    assert set(sizes.values()) == {1, 20}
    assert 2 * len(study.ALPHAS) == 20
    assert len({len(penalties) for penalties in study.PENALTIES.values()}) == 1


def toy(n_bridges=40, seed=0):
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    X, Z, A = (rng.normal(size=(n, 4)) for n in (300, 300, n_bridges))
    labels = (A[:, 0] > 0).astype(int)
    return study.SimpleNamespace(
        X=X, Z=Z @ turn, exemplars=[A, A @ turn], of_exemplars=labels
    ), turn


def test_partners_held_out_choose_the_right_candidate():
    s, turn = toy()

    def cost(X, Y, A, B, noise):
        assert len(A) == len(B) == 32
        off = noise * np.random.default_rng(0).normal(size=X.shape)
        return cdist(X @ turn + off, Y)

    candidates = [(5.0,), (0.0,), (1.0,)]
    assert study.chosen(cost, candidates, s) == (0.0,)


def test_no_pair_is_used_where_labels_choose():
    s, turn = toy()

    def cost(X, Y, A, B, by_class, labels):
        assert len(A) == len(labels) == 32
        if not by_class:
            return 1.0 - np.eye(len(X))
        sides = X[:, 0] > 0, (Y @ turn.T)[:, 0] > 0
        return np.not_equal.outer(*sides).astype(float)

    candidates = [(False,), (True,)]
    chosen = study.chosen_by_labels(cost, candidates, study.in_order, s)
    assert chosen == (True,)


def test_what_bends_becomes_straight_as_its_kernel_widens():
    """A wide Gaussian kernel with little ridge is least squares."""
    rng = np.random.default_rng(0)
    A, W = rng.normal(size=(200, 3)), rng.normal(size=(3, 2))
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(30, 2))
    found = study.bent(X, Y, A, A @ W, 30.0, 1e-8, 0)
    assert_allclose(found, cdist(X @ W, Y), atol=0.01)
    turned = study.bent(Y, X, A @ W, A, 30.0, 1e-8, 1)
    assert_allclose(turned, found.T, atol=1e-12)


def test_shapes_alone_tell_a_space_from_its_copy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2)) * [1, 3] + rng.exponential(size=(30, 2))
    turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    loss, coupling = study.gromov(X, 5 * X @ turn)
    assert loss < 1e-9
    assert_allclose(coupling.plan, np.eye(30) / 30, atol=1e-9)


def test_with_little_weight_on_shapes_the_fused_plan_is_the_linear_one():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    cost = rng.uniform(size=(40, 40))
    found = study.fused(X, Y, cost, 1e-6).plan
    assert_allclose(found, transport_plan(cost).plan, atol=1e-9)


def test_plans_of_others_are_checked():
    bad = np.eye(3)
    with pytest.raises(RuntimeError, match="POT"):
        study.checked(bad, {"loss": [1.0]})
    with pytest.raises(RuntimeError, match="POT"):
        study.checked(np.eye(3) / 3, {"loss": [1.0] * 600})


# -------------------------------------------------------------- what is stored


def agree(fresh, stored):
    """Each list is the beginning of the stored one."""
    if isinstance(fresh, dict):
        for key, value in fresh.items():
            agree(value, stored[key])
    else:
        pairs = zip(np.ravel(stored[: len(fresh)]), np.ravel(fresh))
        assert all(study.same(*pair) for pair in pairs)


def test_the_first_seed_is_as_stored(results):
    agree(study.reduced(), results)


# ------------------------------------------------- what the chapter says of it

BEND = ("relational", "kernel ridge")
STRAIGHT = ("ridge regression", "perfect alignment")


@pytest.fixture(scope="module")
def ahead(results):
    """Interval of a difference of two methods, by 100 exemplars."""

    def interval(kind, measure, first, second, second_measure=None):
        runs = results["alignment"][kind]["100"]
        values = np.subtract(
            runs[first][measure], runs[second][second_measure or measure]
        )
        return resampled_interval(values, results["test size"])

    return interval


@pytest.mark.parametrize("measure", ["class", "partner"])
def test_for_simple_cells_nothing_is_ahead_of_a_straight_line(ahead, measure):
    for name in study.CANDIDATES.keys() - {"ridge regression"}:
        assert ahead("simple", measure, name, "ridge regression")[0] <= 0
    low, high = ahead("simple", measure, "kernel ridge", "ridge regression")
    assert low <= 0 <= high


def test_for_complex_cells_two_that_bend_are_ahead_and_level(ahead):
    for name in BEND:
        for straight in STRAIGHT:
            assert ahead("complex", "class", name, straight)[0] > 0
    low, high = ahead("complex", "class", *BEND)
    assert low <= 0 <= high
    for name in study.CANDIDATES.keys() - {"kernel ridge"}:
        assert ahead("complex", "partner", "kernel ridge", name)[0] > 0


@pytest.mark.parametrize("kind", study.CELLS)
def test_for_classes_the_nearest_by_regression_beats_the_plan(ahead, kind):
    given = "class, nearest", "kernel ridge", "relational", "class"
    assert ahead(kind, *given)[0] > 0


@pytest.mark.parametrize("kind", study.CELLS)
def test_gluing_is_behind_at_every_number_of_exemplars(results, kind):
    for runs in results["alignment"][kind].values():
        for measure in ("class", "partner"):
            gap = np.subtract(
                runs["relational"][measure], runs["gluing"][measure]
            )
            assert resampled_interval(gap, results["test size"])[0] > 0


@pytest.mark.parametrize("kind", study.CELLS)
def test_shapes_add_nothing_and_labels_say_more_than_classes(ahead, kind):
    for measure in ("class", "partner"):
        fused = "fused Gromov–Wasserstein", "ridge regression"
        low, high = ahead(kind, measure, *fused)
        assert low <= 0 <= high
    for name in ("gluing, labels", "classes"):
        assert ahead(kind, "partner", "relational, labels", name)[0] > 0


def test_the_search_fails_or_what_it_searches_for_is_wrong(results):
    more = {}
    for kind in study.CELLS:
        found = results["alignment"][kind]["100"]["Gromov–Wasserstein"]
        truth = np.array(found["loss of true partners"])
        more[kind] = np.mean(truth < found["loss"])
        assert np.mean(found["partner"]) < 0.05
    assert more["simple"] == 1
    assert more["complex"] < 0.5


def test_transport_finds_more_partners_than_the_nearest_target(ahead):
    for kind in study.CELLS:
        given = "relational", "relational", "partner, nearest"
        assert ahead(kind, "partner", *given)[0] > 0


def at_cut(runs, divergence):
    """Moved of the class where as much of the others is, seed by seed."""
    return np.array(
        [
            np.interp(study.AT, *np.transpose(run)[::-1])
            for run in runs[divergence]
        ]
    )


def test_a_hard_price_moves_less_and_a_threshold_tells_as_well(results):
    runs = results["missing class"]
    hard = at_cut(runs, "tv")
    assert np.all(hard < 0.7 * at_cut(runs, "kl"))
    for cut in np.transpose(runs["kl, cut"]):
        gap = resampled_interval(cut - hard, results["test size"])
        assert gap[0] <= 0


def test_a_class_without_partners_stays_where_it_is(results):
    """The penalty is chosen without labels; each class is missing twice."""
    at = results["penalties"]["tv"].index(1.0)
    own, others = np.transpose(results["missing class"]["tv"])[:, at]
    assert len(own) == 20
    assert np.mean(own) < 0.25 * np.mean(others)
    assert np.min(others) >= 0.5
    own, others = np.transpose(results["never seen"]["tv"])[:, at]
    assert np.mean(own) < 0.4 * np.mean(others)
