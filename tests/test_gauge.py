"""Gauges: what is known about concepts puts latents in their places."""

import json
import os
import subprocess
import sys
import warnings
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import linalg
from sklearn.base import clone
from sklearn.cross_decomposition import CCA
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from perfalign import (
    AmbiguousGaugeWarning,
    ClassGaussians,
    OverfitWarning,
    PerfectAlignment,
    PoorGaugeWarning,
    gauge,
)
from perfalign.alignment import MappedAlignment
from perfalign.baselines import (
    CSA,
    CrossDecomposition,
    ProcrustesAlignment,
    RidgeTranslation,
)
from perfalign.datasets import make_gaussian_views
from perfalign.gauge._goodness_of_fit import cost_gap, likelihood_gap
from perfalign.gauge._matching import match, polar, turn
from perfalign.gauge._placing import placing, search
from perfalign.gauge._shape import Shape, moments, whitened
from perfalign.gauge._symmetries import map_onto
from perfalign.gauge._symmetry_group import symmetries_of
from perfalign.metrics import alignment_error
from perfalign.model_selection import HeldOutSearch

THREE = {"means": [[-4, 0], [4, 0], [0, 6]], "weights": [0.5, 0.3, 0.2]}
CONFIGURATIONS = [
    {},
    {"center": False},
    {"ridge": 0.1},
    {"constraint": "orthonormal"},
    {"constraint": "orthonormal", "center": False},
]


def relative_error(truth, latents):
    """Root mean square error over the root mean square deviation."""
    return np.linalg.norm(truth - latents) / np.linalg.norm(
        truth - truth.mean(axis=0)
    )


def noisy(seed=0, n=300, **kwargs):
    kwargs = {"noise": 1.0, "random_state": seed, **kwargs}
    return make_gaussian_views(n, (4, 5), **kwargs)


def turned(alignment, seed=0):
    rng = np.random.default_rng(seed)
    k = len(alignment.encoders_[0])
    return alignment.with_gauge(
        rng.normal(size=(k, k)), 3 * rng.normal(size=k)
    )


def assert_same(one, other, atol=1e-10):
    for name in ("encoders_", "offsets_"):
        for A, B in zip(getattr(one, name), getattr(other, name)):
            assert_allclose(A, B, atol=atol * max(1, np.abs(A).max()))


# Composition


def test_composition_maps_latents_and_leaves_the_original_alone():
    data = noisy()
    alignment = PerfectAlignment(2).fit(data.views)
    before = [A.copy() for A in alignment.encoders_]
    G, g = np.array([[1.0, 2], [0, 3]]), np.array([4.0, 5])
    mapped = alignment.with_gauge(G, g)
    for z, w in zip(
        alignment.transform(data.views), mapped.transform(data.views)
    ):
        assert_allclose(w, z @ G.T + g, atol=1e-12)
    for m in (0, 1):
        assert_allclose(
            mapped.translate(data.views[m], m, 1 - m),
            alignment.translate(data.views[m], m, 1 - m),
            atol=1e-10,
        )
    for A, B in zip(alignment.encoders_, before):
        assert_allclose(A, B, rtol=0)
    assert_allclose(mapped.singular_values_, alignment.singular_values_)


def test_more_data_bring_the_gauge_of_the_fit_back():
    data = make_gaussian_views(500, random_state=0)
    alignment = PerfectAlignment(2).fit(data.views)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AmbiguousGaugeWarning)
        placed = gauge.mixture(
            alignment, data.views, data.means, data.covariances
        )
    more = [x[:50] for x in data.views]
    placed.partial_fit(more)
    assert not hasattr(placed, "gauge_symmetries_")
    assert_same(placed, alignment.partial_fit(more))


# Principal


@pytest.mark.parametrize("params", CONFIGURATIONS)
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_principal_returns_to_the_gauge_of_the_fit(params, noise):
    views = noisy(noise=noise).views
    alignment = PerfectAlignment(2, **params).fit(views)
    assert_same(gauge.principal(alignment), alignment)
    assert_same(gauge.principal(turned(alignment)), alignment)


@pytest.mark.parametrize("params", CONFIGURATIONS[:3])
def test_principal_reaches_the_fit_from_the_raw_gauge(params):
    for noise in (0.0, 1.0):
        views = noisy(noise=noise).views
        raw = PerfectAlignment(2, gauge=None, **params).fit(views)
        fit = PerfectAlignment(2, **params).fit(views)
        assert_same(gauge.principal(raw), fit)


def test_principal_of_pairs_and_of_three_views():
    X, Y, W = make_gaussian_views(400, (3, 4, 5), random_state=0).views
    three = PerfectAlignment(2).fit([X, Y, W])
    assert_same(gauge.principal(turned(three)), three)
    pairs = {(0, 1): (X[:200], Y[:200]), (1, 2): (Y[200:], W[200:])}
    joined = PerfectAlignment(2).fit_incomplete(pairs)
    assert_same(gauge.principal(turned(joined)), joined)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("constraint", ["whitened", "orthonormal"])
@pytest.mark.parametrize("raw", [True, False])
def test_principal_is_the_identity_from_the_principal_gauge(
    center, constraint, raw
):
    # Items and pairings of all sizes, means far from 0, any map between.
    data = make_gaussian_views(400, (3, 4, 5), noise=1.0, random_state=0)
    X, Y, W = [x + 9 * (m + 1) for m, x in enumerate(data.views)]
    params = {"center": center, "constraint": constraint}
    chain = {(0, 1): (X[:40], Y[:40]), (1, 2): (Y[40:200], W[40:200])}
    cycle = {**chain, (0, 2): (X[200:], W[200:])}

    def estimator():
        gauge_of_fit = None if raw else "principal"
        return PerfectAlignment(2, gauge=gauge_of_fit, **params)

    for seed, fitted in enumerate(
        [
            estimator().fit([X, Y]),
            estimator().fit([X, Y, W]),
            estimator().fit_incomplete(chain),
            estimator().fit_incomplete(cycle),
            estimator().fit_incomplete({**cycle, (1,): (Y[150:] - 9,)}),
        ]
    ):
        first = gauge.principal(fitted)
        if not raw:
            assert_same(first, fitted)
        assert_same(gauge.principal(first), first)
        assert_same(gauge.principal(turned(fitted, seed)), first)


def test_a_clone_keeps_the_principal_gauge_and_forgets_the_others():
    data = noisy()
    raw = PerfectAlignment(2, gauge=None).fit(data.views)
    principal = gauge.principal(raw)
    assert raw.gauge is None
    again = clone(principal).fit(data.views)
    assert_same(again, principal)
    placed = gauge.anchored(raw, data.views, data.latents[:9], range(9))
    assert clone(placed).get_params() == raw.get_params()


def test_equal_codes_leave_the_rotation_of_a_tie_open():
    # Balanced categories: what the components explain is equal for all. The
    # space of the latents is definite, the basis is not.
    codes = np.eye(3)[np.repeat([0, 1, 2], 20)]
    order = np.random.default_rng(0).permutation(60)
    with pytest.warns(OverfitWarning):
        one, other = (
            PerfectAlignment(2).fit([c, c @ np.diag([1.0, 2.0, 3.0])])
            for c in (codes, codes[order])
        )
    z, w = (a.transform_view(codes, 0) for a in (one, other))
    turn_between = np.linalg.lstsq(z, w)[0]
    assert_allclose(z @ turn_between, w, atol=1e-9)
    assert_allclose(turn_between.T @ turn_between, np.eye(2), atol=1e-9)


def test_principal_needs_as_many_latents_as_it_shall_order():
    alignment = PerfectAlignment(2).fit(noisy().views)
    flat = alignment.with_gauge(np.ones((2, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="rank below n_components=2"):
        gauge.principal(flat)


SCRIPT = """
import json
import numpy as np
from threadpoolctl import threadpool_info
from perfalign import PerfectAlignment, gauge
from perfalign.datasets import make_gaussian_views

encoders = []
for k, noise in [(2, 0.0), (2, 1.0), (3, 0.0)]:
    rng = np.random.default_rng(k)
    views = make_gaussian_views(
        400, (9, 12), means=4 * rng.normal(size=(3, k)), noise=noise,
        random_state=k,
    ).views
    for params in ({}, {"constraint": "orthonormal"}):
        encoders += PerfectAlignment(k, **params).fit(views).encoders_
    raw = PerfectAlignment(k, gauge=None).fit(views)
    encoders += gauge.principal(raw).encoders_
blas = [i for i in threadpool_info() if i["user_api"] == "blas"]
print(json.dumps({
    "kernel": [i.get("architecture") for i in blas],
    "threads": [i["num_threads"] for i in blas],
    "encoders": [A.tolist() for A in encoders],
}))
"""


def run(threads, kernel):
    variables = dict(os.environ)
    variables.pop("OMP_NUM_THREADS", None)
    variables |= {
        "OPENBLAS_NUM_THREADS": str(threads),
        "OPENBLAS_CORETYPE": kernel,
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_principal_gauge_is_the_same_for_every_kernel_and_thread_count():
    runs = [
        run(n, kernel) for kernel in ("Haswell", "Nehalem") for n in (1, 2)
    ]
    if runs[0]["kernel"] == runs[2]["kernel"]:
        pytest.skip("this BLAS does not let its kernel be chosen")
    for other in runs[1:]:
        for A, B in zip(runs[0]["encoders"], other["encoders"]):
            assert_allclose(A, B, atol=1e-8)


# Anchors


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("params", CONFIGURATIONS)
def test_k_anchors_place_all_concepts(params, affine):
    for seed in range(20):
        data = make_gaussian_views(random_state=seed)
        views = data.views
        if affine:
            views = [x + 7 * (m + 1) for m, x in enumerate(views)]
            if not params.get("center", True):
                continue
        alignment = PerfectAlignment(2, **{**params, "ridge": 0.0})
        alignment = turned(alignment.fit(views))
        # Anchors as far apart as items of two classes and an edge are.
        z = data.latents
        known = [np.argmin(z[:, 0]), np.argmax(z[:, 0]), np.argmin(z[:, 1])]
        if not affine:
            known = known[1:]
        placed = gauge.anchored(
            alignment, views, z[known], known, affine=affine
        )
        for estimate in placed.transform(views):
            assert relative_error(z, estimate) <= 1e-11


def test_anchors_seen_in_one_view_alone():
    data = make_gaussian_views(random_state=0)
    alignment = PerfectAlignment(2).fit(data.views)
    placed = gauge.anchored(
        alignment, [None, data.views[1][:5]], data.latents[:5], range(5)
    )
    assert relative_error(data.latents, placed.transform(data.views)[0]) < (
        1e-11
    )


def test_anchors_are_least_squares_of_the_mean_latent():
    data = noisy()
    alignment = PerfectAlignment(2).fit(data.views)
    rows = np.arange(5, 25)
    placed = gauge.anchored(
        alignment, data.views, data.latents[rows], rows, affine=True
    )
    design = np.column_stack(
        [np.mean(alignment.transform(data.views), axis=0), np.ones(300)]
    )
    B = np.linalg.lstsq(design[rows], data.latents[rows])[0]
    assert_allclose(
        np.mean(placed.transform(data.views), axis=0), design @ B, atol=1e-10
    )


def test_anchors_must_determine_the_map():
    data = make_gaussian_views(random_state=0)
    alignment = PerfectAlignment(2).fit(data.views)
    z = data.latents
    for rows in ([3], [3, 3]):
        with pytest.raises(ValueError, match="rank 1"):
            gauge.anchored(alignment, data.views, z[rows], rows)
    with pytest.raises(ValueError, match="rank 1 about their mean"):
        gauge.anchored(alignment, data.views, z[:2], [0, 1], affine=True)
    with pytest.raises(ValueError, match="concepts .* rank 1"):
        gauge.anchored(alignment, data.views, np.ones((2, 2)), [0, 1])
    with pytest.raises(ValueError, match=r"latents have shape \(2000, 2\)"):
        gauge.anchored(alignment, data.views, z, [0, 1])
    with pytest.raises(ValueError, match="2000 rows"):
        gauge.anchored(alignment, data.views, z[:2], [0, 2000])
    with pytest.raises(ValueError, match="row numbers"):
        gauge.anchored(alignment, data.views, z[:2], [0.0, 1.0])
    with pytest.raises(ValueError, match="seen none"):
        gauge.anchored(alignment, [None, None], z[:2], [0, 1])
    with pytest.raises(ValueError, match="Seen 1 views; wanted 2"):
        gauge.anchored(alignment, data.views[:1], z[:2], [0, 1])


# What a gauge can be composed with


def fitted_elsewhere(views):
    scalers = [StandardScaler(), StandardScaler()]
    return {
        "CSA": CSA(2).fit(views),
        "MappedAlignment": MappedAlignment(PerfectAlignment(2), scalers).fit(
            views
        ),
        "HeldOutSearch": HeldOutSearch(
            PerfectAlignment(2), {"ridge": [0.0, 0.1]}
        ).fit(views),
        "list": [1, 2],
        "NoneType": None,
    }


ENTRANCES = [
    lambda a, data: gauge.principal(a),
    lambda a, data: gauge.anchored(
        a, data.views, data.latents[:3], range(3), affine=True
    ),
    lambda a, data: gauge.mixture(
        a, data.views, data.means, data.covariances, labels=data.labels
    ),
    lambda a, data: gauge.mixture(
        a, data.views, data.means, data.covariances, data.weights
    ),
]


@pytest.mark.parametrize("enter", ENTRANCES)
def test_what_is_no_fitted_alignment_is_refused_by_name(enter):
    data = make_gaussian_views(300, (2, 2), random_state=0, **THREE)
    for name, other in fitted_elsewhere(data.views).items():
        with pytest.raises(ValueError, match=f"of type {name}, .* no ") as got:
            enter(other, data)
        assert "not fitted" not in str(got.value)
        inside = hasattr(other, "alignment_")
        assert ("perhaps its alignment_" in str(got.value)) == inside
    with pytest.raises(ValueError, match="the class PerfectAlignment, not an"):
        enter(PerfectAlignment, data)
    with pytest.raises(NotFittedError):
        enter(PerfectAlignment(2), data)


def test_only_the_constraint_of_a_fit_has_a_principal_gauge():
    fit = ProcrustesAlignment(2).fit(noisy().views)
    with pytest.raises(ValueError, match="ProcrustesAlignment, .* constraint"):
        gauge.principal(fit)


@pytest.mark.parametrize(
    "baseline",
    [
        CrossDecomposition(CCA(2)),
        ProcrustesAlignment(2),
        RidgeTranslation(ridge=1e-9),
    ],
    ids=lambda baseline: type(baseline).__name__,
)
@pytest.mark.parametrize("enter", ENTRANCES[1:], ids=["known", "named", "all"])
def test_every_linear_alignment_is_put_in_its_place(baseline, enter):
    # A second view that is the first one, turned and stretched: any of these
    # aligns what there is.
    data = make_gaussian_views(1000, (2, 2), random_state=0, **THREE)
    X = data.views[0]
    data.views = [X, 3 * X @ [[0.0, -1.0], [1.0, 0.0]]]
    fit = clone(baseline).fit(data.views)
    if enter is ENTRANCES[1]:
        wanted, atol = data.latents, 1e-9
    else:
        wanted = enter(PerfectAlignment(2).fit(data.views), data)
        wanted, atol = wanted.transform(data.views)[0], 1e-3
    placed = enter(fit, data)
    assert type(placed) is type(fit) and placed is not fit
    for z in placed.transform(data.views):
        assert_allclose(z, wanted, atol=atol * np.abs(wanted).max())


@pytest.mark.parametrize("enter", ENTRANCES)
def test_entrances_walk_on_if_divide_and_conquer_fails(enter, monkeypatch):
    data = make_gaussian_views(1000, (2, 2), random_state=0, **THREE)
    expected = enter(PerfectAlignment(2).fit(data.views), data)
    svd = linalg.svd

    def fails(*args, **kwargs):
        raise np.linalg.LinAlgError("did not converge")

    def stubborn(matrix, *, lapack_driver="gesdd", **kwargs):
        if lapack_driver == "gesdd":
            fails()
        return svd(matrix, lapack_driver=lapack_driver, **kwargs)

    alignment = PerfectAlignment(2).fit(data.views)
    monkeypatch.setattr(linalg, "svd", stubborn)
    for name in ("svd", "eigh", "eigvalsh"):
        monkeypatch.setattr(np.linalg, name, fails)
    assert_same(enter(alignment, data), expected, atol=1e-7)


@pytest.mark.parametrize("labelled", [True, False])
def test_views_by_name_and_labels_of_any_type(labelled):
    data = make_gaussian_views(2000, random_state=0, **THREE)
    named = dict(zip(("seen", "heard"), data.views))
    by_name = PerfectAlignment(2).fit(named)
    by_place = PerfectAlignment(2).fit(data.views)
    given = data.means, data.covariances, data.weights
    names = np.array(["a", "b", "c"])[data.labels] if labelled else None
    for one, other in [
        ({"heard": named["heard"], "seen": named["seen"]}, data.views),
        ({"heard": named["heard"], "seen": None}, [None, data.views[1]]),
    ]:
        assert_same(
            gauge.mixture(by_name, one, *given, names),
            gauge.mixture(
                by_place, other, *given, data.labels if labelled else None
            ),
        )
    anchors = {"heard": named["heard"][:3], "seen": None}
    placed = gauge.anchored(by_name, anchors, data.latents[:3], range(3))
    assert (
        relative_error(
            data.latents, placed.transform_view(named["seen"], "seen")
        )
        < 1e-11
    )
    with pytest.raises(ValueError, match="'sen'"):
        gauge.mixture(by_name, {"sen": named["seen"]}, *given)
    if labelled:
        with pytest.raises(ValueError, match="labels"):
            missing = [None, *names[1:]]
            gauge.mixture(by_place, data.views, *given, missing)


# Mixtures that determine the gauge


def mixture_error(n, seed, labelled, **model):
    data = make_gaussian_views(n, random_state=seed, **model)
    alignment = PerfectAlignment(2).fit(data.views)
    placed = gauge.mixture(
        alignment,
        data.views,
        data.means,
        data.covariances,
        data.weights,
        data.labels if labelled else None,
    )
    assert not placed.gauge_symmetries_
    latents = placed.transform(data.views)
    assert alignment_error(latents) < 1e-10
    return relative_error(data.latents, latents[1])


@pytest.mark.parametrize("labelled", [True, False])
def test_mixture_places_concepts_of_which_none_is_known(labelled):
    for seed in range(50):
        assert mixture_error(20_000, seed, labelled, **THREE) <= 0.05


def test_error_of_the_mixture_gauge_falls_as_the_root_of_n():
    sizes = np.array([2000, 6000, 20_000])
    medians = [
        np.median([mixture_error(n, s, True, **THREE) for s in range(50)])
        for n in sizes
    ]
    slope = np.polyfit(np.log(sizes), np.log(medians), 1)[0]
    assert abs(slope + 0.5) <= 0.1


def random_mixture(seed):
    """Classes that overlap, of all shapes; means that just span the space."""
    rng = np.random.default_rng(seed)
    while True:
        means = 1.5 * rng.normal(size=(4, 2))
        B = rng.normal(size=(4, 2, 2))
        covariances = B @ B.transpose(0, 2, 1) / 2 + 0.2 * np.eye(2)
        weights = rng.dirichlet(np.full(4, 5.0))
        shape = whitened(Shape(weights, means, covariances), "concepts")[0]
        scaled = np.sqrt(weights)[:, None] * shape.means
        if np.linalg.svd(scaled, compute_uv=False)[-1] >= 0.1:
            return {
                "means": means,
                "covariances": covariances,
                "weights": weights,
            }


@pytest.mark.parametrize("labelled", [True, False])
def test_mixture_of_classes_that_overlap(labelled):
    for seed in range(3):
        assert (
            mixture_error(20_000, seed, labelled, **random_mixture(seed))
            <= 0.05
        )


def test_labels_make_the_balance_of_the_sample_irrelevant():
    data = make_gaussian_views(20_000, random_state=0, **THREE)
    alignment = PerfectAlignment(2).fit(data.views)
    placed = gauge.mixture(
        alignment, data.views, data.means, data.covariances, None, data.labels
    )
    assert relative_error(data.latents, placed.transform(data.views)[0]) < 0.02


def test_covariances_stand_in_for_means_that_do_not_span():
    model = {"covariances": [[[1, 0.6], [0.6, 1]], [[2, 0], [0, 0.5]]]}
    for labelled in (True, False):
        assert mixture_error(20_000, 0, labelled, **model) < 0.05


@pytest.mark.parametrize(
    ("direction", "ambiguous"), [((3, 1), 1), ((-1, 3), 1), ((1, 1), 0)]
)
def test_a_stretch_resolves_the_mirror_image_if_it_is_slanted(
    direction, ambiguous
):
    u = np.array(direction) / np.linalg.norm(direction)
    covariances = [np.eye(2), np.eye(2) + np.outer(u, u)]
    data = make_gaussian_views(500, covariances=covariances, random_state=0)
    fit = PerfectAlignment(2).fit(data.views)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AmbiguousGaugeWarning)
        for labels in (data.labels, None):
            placed = gauge.mixture(
                fit, data.views, data.means, data.covariances, labels=labels
            )
            found = placed.gauge_symmetries_
            assert len(found.generators) == ambiguous
            assert found.dimension == 0


def test_tied_covariances_never_resolve_the_mirror_image():
    # In affine coordinates two ellipses of one shape are two circles.
    for seed in range(5):
        B = np.random.default_rng(seed).normal(size=(2, 2))
        data = make_gaussian_views(
            500, covariances=B @ B.T + 0.1 * np.eye(2), random_state=0
        )
        fit = PerfectAlignment(2).fit(data.views)
        with pytest.warns(AmbiguousGaugeWarning):
            placed = gauge.mixture(
                fit,
                data.views,
                data.means,
                data.covariances[0],
                labels=data.labels,
            )
        assert len(placed.gauge_symmetries_.generators) == 1


def test_without_offsets_class_means_are_anchors():
    data = make_gaussian_views(20_000, random_state=0)
    for center in (True, False):
        fit = PerfectAlignment(2, center=center).fit(data.views)
        centres = [
            np.array([x[data.labels == c].mean(axis=0) for c in (0, 1)])
            for x in data.views
        ]
        placed = gauge.anchored(fit, centres, data.means, [0, 1])
        latents = placed.transform(data.views)[0]
        assert relative_error(data.latents, latents) < 0.05


def two_general_classes(k, seed, n):
    """Two covariances that share no axes; means that span a line."""
    rng = np.random.default_rng(seed)
    B = rng.normal(size=(2, k, k))
    return make_gaussian_views(
        n,
        (k, k + 1),
        means=rng.normal(size=(2, k)),
        covariances=B @ B.transpose(0, 2, 1) / k + 0.1 * np.eye(k),
        random_state=seed,
    )


@pytest.mark.parametrize("k", range(2, 17, 2))
def test_exact_moments_of_two_classes_place_all_concepts(k):
    for seed in range(3):
        data = two_general_classes(k, seed, 60 * k)
        seen = moments(data.latents, np.eye(2)[data.labels])
        placed = gauge.mixture(
            PerfectAlignment(k).fit(data.views),
            data.views,
            seen.means,
            seen.covariances,
            labels=data.labels,
        )
        latents = placed.transform(data.views)[0]
        assert relative_error(data.latents, latents) < 1e-8


def test_many_samples_of_two_classes_do_as_well_as_the_truth_does():
    data = two_general_classes(12, 0, 200_000)
    fit = PerfectAlignment(12).fit(data.views)
    placed = gauge.mixture(
        fit, data.views, data.means, data.covariances, labels=data.labels
    )
    z = fit.transform_view(data.views[0], 0)
    truth = np.linalg.inv(fit.encoders_[0] @ data.projections[0])
    concepts = Shape(data.weights, data.means, data.covariances)
    found = moments(z, np.eye(2)[data.labels])
    G, g = placing(found, concepts, near=truth)
    wanted = relative_error(data.latents, z @ G.T + g)
    reached = relative_error(data.latents, placed.transform(data.views)[0])
    assert reached < 1.1 * wanted < 0.05


@pytest.mark.parametrize("n", [2000, 200_000])
def test_the_turn_found_costs_no_more_than_the_true_one(n):
    for k in (4, 9, 14):
        rng = np.random.default_rng(k)
        target = general_shape(2, k, k, spread=1.0)
        # Moments of n samples, to first order.
        noise = rng.normal(size=(2, k, k)) / n**0.5
        roots_of = np.linalg.cholesky(target.covariances)
        sampled = Shape(
            target.weights,
            target.means + rng.normal(size=(2, k)) / n**0.5,
            roots_of
            @ (np.eye(k) + noise + noise.transpose(0, 2, 1))
            @ roots_of.transpose(0, 2, 1),
        )
        Q = polar(rng.normal(size=(k, k)))
        source, _ = whitened(sampled.mapped(Q, np.zeros(k)), "latents")
        assert turn(source, target)[1] <= turn(source, target, Q.T)[1] + 1e-6


def overlapping(n_components, k, seed):
    """Concepts of classes of all sizes and shapes."""
    rng = np.random.default_rng(seed)
    B = rng.normal(size=(n_components, k, k))
    sizes = np.exp(rng.normal(size=n_components))
    return Shape(
        rng.dirichlet(np.full(n_components, 4.0)) * 0.9 + 0.1 / n_components,
        3 * rng.normal(size=(n_components, k)),
        sizes[:, None, None] * (B @ B.transpose(0, 2, 1) + 0.05 * np.eye(k)),
    )


def latents_of(concepts, n, seed):
    """A sample in a gauge at random: latents, labels, the map back."""
    k = concepts.means.shape[1]
    rng = np.random.default_rng(seed)
    known = ClassGaussians(
        concepts.means, concepts.covariances, concepts.weights
    )
    z, labels = known.sample(n, random_state=seed)
    H, h = rng.normal(size=(k, k)), rng.normal(size=k)
    back = np.linalg.inv(H)
    return z @ H.T + h, labels, (back, -back @ h)


def test_search_without_labels_reaches_the_likelihood_of_the_truth():
    nothing = np.zeros((3, 3))
    for seed in range(12):
        concepts = overlapping(6, 3, seed)
        latents, _, truth = latents_of(concepts, 3000, seed)
        found = search(latents, nothing, concepts)
        reached, wanted = (
            likelihood_gap(latents, nothing, concepts, *placed)[0]
            for placed in (found, truth)
        )
        assert reached <= wanted


# What a right gauge promises


@pytest.mark.parametrize("n", [200, 2000, 20_000])
def test_a_right_gauge_is_as_good_as_promised(n):
    # Of a sample, the truth is; what is found is more likely still.
    ratios = []
    for seed in range(200 if n < 20_000 else 40):
        rng = np.random.default_rng(seed)
        k, n_components = rng.integers(1, 6), rng.integers(1, 7)
        concepts = overlapping(n_components, k, seed)
        latents, labels, truth = latents_of(concepts, n, seed)
        shares = np.eye(n_components)[labels]
        found, sizes = moments(latents, shares), shares.sum(axis=0)
        nothing = np.zeros((k, k))
        placed = placing(found, concepts, near=truth[0])
        for gap, allowed in [
            likelihood_gap(latents, nothing, concepts, *truth),
            cost_gap(found, sizes, nothing, concepts, *placed),
        ]:
            ratios.append(gap / allowed)
    assert max(ratios) < 0.8


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("noise", [0.0, 1.0, 5.0])
def test_noise_is_no_reason_to_warn(labelled, noise):
    for seed in range(4):
        data = make_gaussian_views(
            2000, (6, 7), noise=noise, random_state=seed, **THREE
        )
        fit = PerfectAlignment(2).fit(data.views)
        labels = data.labels if labelled else None
        given = data.means, data.covariances, data.weights, labels
        for views in (data.views, [None, data.views[1]]):
            gauge.mixture(fit, views, *given)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_mixture_that_does_not_match_the_data_is_warned_about(labelled):
    data = make_gaussian_views(2000, random_state=0, **THREE)
    fit = PerfectAlignment(2).fit(data.views)
    labels = data.labels if labelled else None
    # Any triangle is an affine image of another, but not with round classes.
    flat = [[-4, 0], [4, 0], [0, 2]], np.eye(2), THREE["weights"]
    narrow = data.means, np.diag([0.01, 3.0]), THREE["weights"]
    for given in (flat, narrow):
        with pytest.warns(PoorGaugeWarning, match="do not follow this"):
            gauge.mixture(fit, data.views, *given, labels)
    if labelled:
        # Rows in another order than the labels; mirror images do not count.
        means, weights = data.means[[1, 2, 0]], data.weights[[1, 2, 0]]
        with pytest.warns(PoorGaugeWarning, match="sorted order"):
            gauge.mixture(
                fit,
                data.views,
                means,
                [np.eye(2), 2 * np.eye(2), 0.1 * np.eye(2)],
                weights,
                labels,
            )


# Mixtures that do not


def placed_by(seed=0, labelled=True, n=2000, **model):
    n_features = (4, 5)
    data = make_gaussian_views(n, n_features, random_state=seed, **model)
    alignment = PerfectAlignment(data.means.shape[1]).fit(data.views)
    with pytest.warns(AmbiguousGaugeWarning, match="looks the same after"):
        placed = gauge.mixture(
            alignment,
            data.views,
            data.means,
            data.covariances,
            data.weights,
            data.labels if labelled else None,
        )
    return data, placed


def assert_keeps_the_mixture(symmetry, data):
    T, to = symmetry.matrix, list(symmetry.permutation)
    assert_allclose(symmetry(data.means), data.means[to], atol=1e-9)
    assert_allclose(
        T @ data.covariances @ T.T, data.covariances[to], atol=1e-9
    )
    assert_allclose(data.weights, data.weights[to])


def test_the_mixture_of_the_paper_has_a_reflection():
    data, placed = placed_by()
    (reflection,) = placed.gauge_symmetries_.generators
    assert placed.gauge_symmetries_.dimension == 0
    along = np.array([6.0, 2.0]) / np.sqrt(40)
    expected = 2 * np.outer(along, along) - np.eye(2)
    assert_allclose(reflection.matrix, expected, atol=1e-10)
    assert_keeps_the_mixture(reflection, data)
    z = placed.transform(data.views)[0]
    errors = [relative_error(data.latents, w) for w in (z, reflection(z))]
    assert min(errors) < 0.05 < 0.3 < max(errors)


def test_without_labels_classes_of_equal_weight_can_be_exchanged():
    data, placed = placed_by(labelled=False)
    fixing, exchange = placed.gauge_symmetries_.generators
    assert fixing.permutation == (0, 1) and exchange.permutation == (1, 0)
    for symmetry in (fixing, exchange):
        assert_keeps_the_mixture(symmetry, data)
    assert "carrying class 0 to 1, 1 to 0" in str(placed.gauge_symmetries_)
    z = placed.transform(data.views)[0]
    group = [z, fixing(z), exchange(z), fixing(exchange(z))]
    errors = sorted(relative_error(data.latents, w) for w in group)
    assert errors[0] < 0.05 < 0.3 < errors[1]
    _, placed = placed_by(labelled=False, weights=[0.3, 0.7])
    assert len(placed.gauge_symmetries_.generators) == 1


def test_a_continuous_symmetry_has_a_dimension():
    axis = {"means": [[0, 0, -3], [0, 0, 3]], "weights": [0.4, 0.6]}
    data, placed = placed_by(**axis)
    assert placed.gauge_symmetries_.dimension == 1
    (reflection,) = placed.gauge_symmetries_.generators
    assert_keeps_the_mixture(reflection, data)
    assert np.linalg.det(reflection.matrix) == pytest.approx(-1)
    # What the means determine is right all the same.
    z = placed.transform(data.views)[0]
    assert relative_error(data.latents[:, 2:], z[:, 2:]) < 0.05


@pytest.mark.parametrize(
    ("covariance", "reflections", "dimension"),
    [
        (np.eye(3), 1, 3),
        (np.diag([1.0, 1.0, 2.0]), 2, 1),
        (np.diag([1.0, 2.0, 3.0]), 3, 0),
    ],
)
def test_symmetries_of_two_covariances(covariance, reflections, dimension):
    # About one mean, the ellipsoids of the classes are all that is seen.
    model = {
        "means": np.zeros((2, 3)),
        "covariances": [np.eye(3), covariance + np.eye(3)],
    }
    data, placed = placed_by(**model)
    symmetries = placed.gauge_symmetries_
    assert len(symmetries.generators) == reflections
    assert symmetries.dimension == dimension
    for symmetry in symmetries.generators:
        assert_keeps_the_mixture(symmetry, data)


def test_symmetries_of_complex_type_have_no_reflection():
    # Hermitian matrices written as real ones commute with a turn by i. Three
    # would not do: whitened they sum to I, and two of order 2 can be made
    # real together.
    rng = np.random.default_rng(0)
    H = rng.normal(size=(4, 2, 2)) + 1j * rng.normal(size=(4, 2, 2))
    H = H @ H.conj().transpose(0, 2, 1) + np.eye(2)
    S = np.block([[H.real, -H.imag], [H.imag, H.real]])
    data, placed = placed_by(means=np.zeros((4, 4)), covariances=S)
    assert placed.gauge_symmetries_.generators == ()
    assert placed.gauge_symmetries_.dimension == 1


def test_a_triangle_of_equal_classes_has_all_six_orders():
    angles = 2 * np.pi * np.arange(3) / 3
    means = 6 * np.column_stack([np.cos(angles), np.sin(angles)])
    data, placed = placed_by(means=means, labelled=False)
    found = {s.permutation for s in placed.gauge_symmetries_.generators}
    group = {tuple(range(3))}
    while True:
        larger = group | {tuple(p[c] for c in q) for p in found for q in group}
        if larger == group:
            break
        group = larger
    assert group == set(permutations(range(3)))
    for symmetry in placed.gauge_symmetries_.generators:
        assert_keeps_the_mixture(symmetry, data)


# Turning and matching


def general_shape(n_components, k, seed=0, spread=4.0):
    rng = np.random.default_rng(seed)
    B = rng.normal(size=(n_components, k, k))
    shape = Shape(
        rng.dirichlet(np.full(n_components, 9.0)),
        spread * rng.normal(size=(n_components, k)),
        B @ B.transpose(0, 2, 1),
    )
    return whitened(shape, "concepts")[0]


@pytest.mark.parametrize("n_components", [1, 2, 3, 5, 7, 9])
def test_a_turned_and_shuffled_mixture_is_recognised(n_components):
    k = 4 if n_components > 1 else 1
    for seed in range(5):
        rng = np.random.default_rng(seed)
        target = general_shape(n_components, k, seed)
        order = rng.permutation(n_components)
        Q = polar(rng.normal(size=(k, k)))
        source = target.mapped(Q.T, np.zeros(k)).reordered(order)
        found = match(source, target)
        assert_allclose(order[found], np.arange(n_components))
        P, cost = turn(source.reordered(found), target)
        assert cost < 1e-9
        assert_allclose(P @ source.means[found].T, target.means.T, atol=1e-6)
        assert_allclose(
            map_onto(source.reordered(found), target) @ Q.T @ target.means.T,
            target.means.T,
            atol=1e-6,
        )


def test_covariances_in_orthogonal_pairs_find_their_order():
    # About one mean, equal eigenvalues: only pairs tell the orders apart.
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    for seed in range(10):
        rng = np.random.default_rng(seed)
        covariances = []
        for angle in rng.uniform(0, np.pi, 3):
            c, s = np.cos(angle), np.sin(angle)
            S = np.array([[c, -s], [s, c]]) * [0.3, 2.0]
            S = S @ np.array([[c, s], [-s, c]])
            covariances += [S, quarter @ S @ quarter.T]
        shape = Shape(
            np.full(6, 1 / 6), np.zeros((6, 2)), np.array(covariances)
        )
        target, _ = whitened(shape, "concepts")
        Q = polar(rng.normal(size=(2, 2)))
        source = target.mapped(Q, np.zeros(2)).reordered(rng.permutation(6))
        found = match(source, target)
        assert turn(source.reordered(found), target)[1] < 1e-9


def test_weights_tell_the_corners_of_a_hexagon_apart():
    angles = np.pi / 3 * np.arange(6)
    means = 3 * np.column_stack([np.cos(angles), np.sin(angles)])
    weights = np.array([0.2, 0.4] * 3) / 1.8
    covariances = np.stack([np.eye(2)] * 6)
    target = whitened(Shape(weights, means, covariances), "concepts")[0]
    for seed in range(12):
        # Which turn fits best is now a matter of chance.
        blur = 0.05 * np.random.default_rng(seed).normal(size=means.shape)
        seen = Shape(weights, means + blur, covariances)
        source, _ = whitened(seen, "latents")
        source = source.reordered(np.roll(np.arange(6), seed))
        found = match(source, target)
        assert_allclose(source.weights[found], target.weights)


def test_cost_of_a_turn_is_the_mean_squared_wasserstein_distance():
    from scipy.linalg import sqrtm

    source, target = general_shape(3, 3, 0), general_shape(3, 3, 1)
    Q, cost = turn(source, target)
    total = 0.0
    for c, weight in enumerate(target.weights):
        S, T = target.covariances[c], Q @ source.covariances[c] @ Q.T
        root = sqrtm(S).real
        gap = target.means[c] - Q @ source.means[c]
        total += weight * (
            gap @ gap + np.trace(S + T - 2 * sqrtm(root @ T @ root).real)
        )
    assert cost == pytest.approx(total, rel=1e-6)


# Errors


def test_mixture_says_what_is_wrong():
    data = make_gaussian_views(200, random_state=0, **THREE)
    alignment = PerfectAlignment(2).fit(data.views)
    given = alignment, data.views, data.means

    with pytest.raises(ValueError, match=r"wanted \(C, 2\)"):
        gauge.mixture(*given[:2], np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match="199 labels"):
        gauge.mixture(*given, np.eye(2), labels=data.labels[1:])
    with pytest.raises(ValueError, match="name 2 classes; wanted 3"):
        gauge.mixture(*given, np.eye(2), labels=data.labels > 0)
    with pytest.raises(ValueError, match="concepts is singular"):
        gauge.mixture(*given[:2], [[0, 0], [1, 1]], np.zeros((2, 2)))
    flat = alignment.with_gauge(np.ones((2, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="latents is singular"):
        gauge.mixture(flat, *given[1:], np.eye(2), labels=data.labels)


def test_exchanges_already_reached_are_not_listed():
    # Three equal classes in a triangle: two exchanges make all six.
    angles = 2 * np.pi * np.arange(3) / 3
    means = np.column_stack([np.cos(angles), np.sin(angles)])
    concepts = Shape(np.full(3, 1 / 3), means, np.array([np.eye(2)] * 3))
    found = symmetries_of(concepts, exchange=True)
    assert len(found.generators) == 2
