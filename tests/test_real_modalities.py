"""The study of chapter 10: its results are the script's, and what they say."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.linalg import norm
from numpy.testing import assert_allclose
from scipy.linalg import subspace_angles, svd
from scipy.stats import gmean, ortho_group

from perfalign import PerfectAlignment
from perfalign.baselines import ContrastiveAlignment, infonce
from perfalign.datasets import picture_features

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "benchmarks" / "real_modalities.py"
RESULTS = json.loads(STUDY.with_suffix(".json").read_text(encoding="utf8"))
TABLE = RESULTS["tasks"]


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("real_modalities", STUDY)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def values(task, method="whitened", way="01", metric="accuracy"):
    return np.array(TABLE[task][method][way][metric])


def both(task, method, metric="accuracy"):
    ways = [values(task, method, way, metric) for way in ("01", "10")]
    return np.mean(ways, axis=0)


@pytest.mark.parametrize("task", ["acceleration, rotation", "colour, name"])
def test_a_short_run_repeats_the_stored_one(study, task):
    size = study.TASKS[task][2]
    chosen = {
        name: method
        for name, method in study.methods(size).items()
        if name != "contrastive"
    }
    live = study.table(study.run(task, chosen, n_splits=1))
    for name, ways in live.items():
        for way, metrics in ways.items():
            for metric in set(metrics) - {"fit_seconds"}:
                stored = TABLE[task][name][way][metric][0]
                assert metrics[metric][0] == pytest.approx(
                    stored, abs=0.02, rel=0.02
                ), (name, way, metric)


def test_the_stored_study_is_complete(study):
    assert list(TABLE) == list(study.TASKS)
    assert list(RESULTS["pairs"]) == list(RESULTS["shots"]) == study.CURVES
    for task in TABLE:
        assert set(TABLE[task]) == set(study.methods())
        assert all(len(values(task, name)) == 5 for name in TABLE[task])


@pytest.mark.parametrize(
    ("task", "there", "back"),
    [
        ("picture, English", 0.72, 0.58),
        ("English words, French words", 0.76, 0.0),
        ("acceleration, rotation", 0.65, 0.78),
        ("digits: pixels, Fourier", 0.77, 0.85),
        ("digits: left, right", 0.82, 0.0),
    ],
)
def test_held_out_items_are_classified_in_the_other_modality(
    task, there, back
):
    assert values(task).mean() >= there
    assert values(task, way="10").mean() >= back


@pytest.mark.parametrize(
    ("right", "down", "wanted"),
    [(1, 0, 0), (1, 1, 2), (0, 1, 4), (-1, 1, 6)],
)
def test_an_edge_where_two_bins_meet_is_in_the_upper(right, down, wanted):
    """On every processor, though an arcus tangent is on either side of it."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:16, :16]
    for sign in (1, -1):
        for step in range(1, 8):
            ramp = sign * step * (right * x + down * y)
            total = ramp - ramp.min() + 100
            red = rng.integers(0, total // 3 + 1)
            green = total // 3
            image = np.stack([red, green, total - red - green], axis=-1)
            edges = picture_features(image[None])[0, 256:].reshape(64, 8)
            assert (edges[:, wanted] > 0).all()
            assert not np.delete(edges, wanted, axis=1).any()


def test_shuffled_pairs_teach_nothing():
    for task in TABLE:
        chance = both(task, "whitened", "chance").mean()
        assert both(task, "whitened", "shuffled").mean() < chance + 0.05


def test_closed_form_against_contrast():
    """Better in transfer on all, and faster; by how much, depends."""
    ratios = []
    for task in [
        "picture, English",
        "English words, French words",
        "acceleration, rotation",
        "digits: pixels, Fourier",
        "digits: left, right",
    ]:
        gap = both(task, "whitened") - both(task, "contrastive")
        assert gap.mean() > 2 * gap.std(ddof=1) / np.sqrt(len(gap))
        contrast, whitened = (
            both(task, name, "fit_seconds")
            for name in ("contrastive", "whitened")
        )
        ratios.append(gmean(contrast / whitened))
    assert 5 < min(ratios) < max(ratios) / 2


def test_a_weighted_cosine_finds_more_partners():
    for task in TABLE:
        found = [both(task, m, "recall").mean() for m in ("CSA", "whitened")]
        assert found[0] > found[1]


@pytest.fixture(scope="module")
def live(study):
    """One split of the halves of digits, fewer pairs, nothing chosen."""
    methods = {
        "whitened": PerfectAlignment(40, ridge=0.1),
        "contrastive": ContrastiveAlignment(20, max_iter=30, random_state=0),
    }
    return study.run("digits: left, right", methods, n_splits=1, n_pairs=400)


@pytest.mark.parametrize("source", [0, 1])
def test_contrast_finds_partners_and_loses_classes_again(live, source):
    now = {
        metric: {
            name: live.mean(
                metric, method=name, source=source, target=1 - source
            )
            for name in ("whitened", "contrastive")
        }
        for metric in ("accuracy", "recall")
    }
    assert now["recall"]["contrastive"] > now["recall"]["whitened"] + 0.05
    assert now["accuracy"]["contrastive"] < now["accuracy"]["whitened"] - 0.1


def test_contrast_finds_partners_and_loses_classes():
    pairs = RESULTS["pairs"]["digits: left, right"]["None"]
    mean = {
        (name, metric): np.mean(
            [pairs[name][way][metric] for way in ("01", "10")]
        )
        for name in ("whitened", "contrastive")
        for metric in ("accuracy", "recall")
    }
    assert mean["contrastive", "recall"] > mean["whitened", "recall"] + 0.1
    assert mean["contrastive", "accuracy"] < mean["whitened", "accuracy"] - 0.2


def test_a_transfer_can_beat_its_source():
    gap = values("picture, English") - values(
        "picture, English", metric="source_accuracy"
    )
    assert gap.min() > 0.05


def test_features_make_the_wrist_transferable():
    for way in ("01", "10"):
        raw = values("raw acceleration, rotation", way=way).mean()
        assert values("acceleration, rotation", way=way).mean() > raw + 0.3


@pytest.mark.parametrize("k", [1, 2, 3])
def test_contrast_starts_as_the_power_iteration(k):
    """Each row turns to the first pair of singular vectors, not to its own;
    the span turns to the first k; and the loss has not moved by then."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(200, 3)) * [1.5, 1.2, 0.9]
    views = [
        shared @ ortho_group.rvs(d, random_state=d)[:3]
        + 0.1 * rng.normal(size=(200, d))
        for d in (6, 4)
    ]
    x, y = (view - view.mean(axis=0) for view in views)
    C = x.T @ y / 200
    U, _, Vt = svd(C, full_matrices=False)
    pairs = np.hstack([U.T, Vt]) / np.sqrt(2)
    H = np.block([[np.zeros((6, 6)), C], [C.T, np.zeros((4, 4))]])
    start, step, n_steps = rng.normal(size=(k, 10)), 0.01, 1000
    A = 1e-14 * start
    for _ in range(n_steps):
        loss, (by_u, by_v), _ = infonce(x @ A[:, :6].T, y @ A[:, 6:].T)
        A = A - step * np.hstack([by_u.T @ x, by_v.T @ y])
    powers = start @ np.linalg.matrix_power(np.eye(10) + step * H, n_steps)
    assert norm(A / 1e-14 - powers) < 1e-6 * norm(powers)
    assert loss == pytest.approx(np.log(200), abs=1e-6)
    cosines = abs(A @ pairs[:k].T) / norm(A, axis=1, keepdims=True)
    assert (cosines[:, 0] > 0.9999).all()
    assert (cosines[:, 1:] < 0.02).all()
    assert subspace_angles(A.T, pairs[:k].T).max() < 0.02


def test_one_collapsed_encoder_is_worse_than_two():
    """Both: log n, and no slope. One alone: above it."""
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, 50, 3))
    u, v = (z / norm(z, axis=1, keepdims=True) for z in (u, v))
    point, other = np.tile(u[:1], (50, 1)), np.tile(v[:1], (50, 1))
    for temperature in (0.05, 1, 20):
        loss, slopes, _ = infonce(point, other, temperature)
        assert loss == pytest.approx(np.log(50), rel=1e-14)
        assert_allclose(slopes, 0, atol=1e-15)
        for latents in [(point, v), (u, other)]:
            assert infonce(*latents, temperature)[0] > np.log(50) + 1e-5
    circle = v - (v @ point[0])[:, None] * point[0]
    loss = infonce(point, circle / norm(circle, axis=1, keepdims=True))[0]
    assert loss == pytest.approx(np.log(50), rel=1e-14)
