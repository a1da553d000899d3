"""PerfectAlignment: equations, equivalences, independent references."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import eigh
from scipy.stats import special_ortho_group
from sklearn.base import clone
from sklearn.cross_decomposition import CCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from perfalign import (
    CollapseWarning,
    OverfitWarning,
    PerfectAlignment,
    StackedSummary,
)
from perfalign.datasets import load_digit_halves, make_gaussian_views
from perfalign.metrics import (
    alignment_error,
    reconstruction_error,
    relative_alignment_error,
)

PAPER = {"constraint": "orthonormal", "center": False, "gauge": None}
CONFIGURATIONS = [
    {},
    {"center": False},
    {"constraint": "orthonormal"},
    PAPER,
    {"ridge": 0.1},
]


def noisy_views(n=300, n_features=(5, 4), shared=2, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, shared))
    return [
        z @ rng.normal(size=(shared, d))
        + noise * rng.normal(size=(n, d))
        + rng.normal(size=d)
        for d in n_features
    ]


def centred(views):
    return [v - v.mean(axis=0) for v in views]


# The paper's solver


def test_paper_solver_is_the_last_columns_of_u():
    views = noisy_views()
    X = np.hstack([views[0], -views[1]]).T
    U, sigma, _ = np.linalg.svd(X, full_matrices=True)
    alignment = PerfectAlignment(3, **PAPER).fit(views)
    A = np.hstack(alignment.encoders_)
    expected = U[:, -3:].T
    signs = np.sign(np.sum(A * expected, axis=1, keepdims=True))
    assert_allclose(A, signs * expected, atol=1e-13)
    assert_allclose(alignment.singular_values_, sigma, rtol=1e-13)
    assert all(not np.any(b) for b in alignment.offsets_)


@pytest.mark.parametrize("params", CONFIGURATIONS[:4])
def test_paper_experiment_is_aligned_to_rounding(params):
    for seed in range(100):
        views = make_gaussian_views(random_state=seed).views
        latents = PerfectAlignment(2, **params).fit_transform(views)
        assert relative_alignment_error(latents) <= 5e-14


def test_latents_reconstruct_the_concept_up_to_a_linear_map():
    for seed in range(20):
        data = make_gaussian_views(random_state=seed)
        for params, up_to in [(PAPER, "linear"), ({}, "affine")]:
            for z in PerfectAlignment(2, **params).fit_transform(data.views):
                error = reconstruction_error(data.latents, z, up_to=up_to)
                assert error <= 1e-12


@pytest.mark.parametrize("center", [True, False])
def test_rms_alignment_error_is_the_tail_of_the_spectrum(center):
    views = noisy_views(noise=1.0)
    for k in (1, 2, 4):
        alignment = PerfectAlignment(
            k, constraint="orthonormal", center=center
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CollapseWarning)
            latents = alignment.fit_transform(views)
        tail = alignment.singular_values_[-k:]
        assert_allclose(
            alignment_error(latents, kind="rms"),
            np.sqrt(np.sum(tail**2) / 300),
            rtol=1e-12,
        )
        A = np.hstack(alignment.encoders_)
        assert_allclose(A @ A.T, np.eye(k), atol=1e-13)


# The whitened constraint


@pytest.mark.parametrize("n_features", [(5, 4), (5, 4, 6)])
@pytest.mark.parametrize("center", [True, False])
def test_whitened_latents_have_unit_pooled_covariance(n_features, center):
    views = noisy_views(n_features=n_features)
    latents = PerfectAlignment(3, center=center).fit_transform(views)
    pooled = sum(z.T @ z / len(z) for z in latents) / len(latents)
    assert_allclose(pooled, np.eye(3), atol=1e-12)
    if center:
        assert_allclose([z.mean(axis=0) for z in latents], 0, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_whitened_is_cca(seed):
    views = noisy_views(seed=seed, shared=4, noise=1.0)
    alignment = PerfectAlignment(4).fit(views)
    rho = alignment.canonical_correlations_
    assert_allclose(1 - alignment.singular_values_[::-1][:4] ** 2, rho)
    reference = CCA(4, tol=1e-14, max_iter=10000).fit(*views)
    scores = reference.transform(*views)
    expected = [
        np.corrcoef(a, b)[0, 1] for a, b in zip(*map(np.transpose, scores))
    ]
    assert_allclose(rho, expected, rtol=0, atol=1e-10)
    ours, theirs = alignment.transform(views)[0], scores[0]
    cosines = np.sum(ours * theirs, axis=0) / (
        np.linalg.norm(ours, axis=0) * np.linalg.norm(theirs, axis=0)
    )
    assert_allclose(np.abs(cosines), 1, atol=1e-8)


def test_three_views_are_maxvar_gcca():
    views = noisy_views(n_features=(5, 4, 6), shared=3)
    alignment = PerfectAlignment(3).fit(views)
    bases = [np.linalg.qr(v)[0] for v in centred(views)]
    largest = np.linalg.svd(np.hstack(bases), compute_uv=False)[:3]
    assert_allclose(
        alignment.singular_values_[::-1][:3] ** 2, 3 - largest**2, atol=1e-12
    )
    # MAXVAR's common scores are the top singular vectors of the stack
    common = np.linalg.svd(np.hstack(bases))[0][:, :3]
    mean_latents = sum(alignment.transform(views))
    Q = np.linalg.qr(mean_latents)[0]
    assert_allclose(np.linalg.svd(common.T @ Q)[1], 1, atol=1e-10)


@pytest.mark.parametrize("constraint", ["whitened", "orthonormal"])
def test_three_noise_free_views_are_aligned_perfectly(constraint):
    views = noisy_views(n_features=(5, 4, 6), shared=3, noise=0)
    alignment = PerfectAlignment(3, constraint=constraint).fit(views)
    assert alignment.shared_dimension_ == 3
    assert relative_alignment_error(alignment.transform(views)) < 1e-13


@pytest.mark.parametrize("ridge", [1e-3, 0.1, 10.0])
def test_ridge_is_regularised_cca(ridge):
    views = noisy_views(n_features=(5, 4))
    alignment = PerfectAlignment(3, ridge=ridge).fit(views)
    X, Y = centred(views)
    n = len(X)
    Cxx, Cyy, Cxy = X.T @ X / n, Y.T @ Y / n, X.T @ Y / n
    Cxx += ridge * np.trace(Cxx) / 5 * np.eye(5)
    Cyy += ridge * np.trace(Cyy) / 4 * np.eye(4)
    kappa2 = eigh(Cxy @ np.linalg.solve(Cyy, Cxy.T), Cxx, eigvals_only=True)
    expected = np.sqrt(kappa2[::-1][:4])
    assert_allclose(alignment.canonical_correlations_, expected, atol=1e-12)
    a = alignment.encoders_[0]
    assert_allclose(2 * a @ Cxx @ a.T, 2 * np.eye(3), atol=1e-12)


def test_encoders_do_not_depend_on_units():
    views = noisy_views()
    base = PerfectAlignment(3).fit(views)
    for scale in (1e-150, 1e-14, 1e150, 1e290):
        scaled = [views[0], scale * views[1]]
        alignment = PerfectAlignment(3).fit(scaled)
        assert_allclose(
            alignment.canonical_correlations_, base.canonical_correlations_
        )
        for z, w in zip(base.transform(views), alignment.transform(scaled)):
            assert_allclose(np.abs(z), np.abs(w), atol=1e-9)


@pytest.mark.parametrize("constraint", ["whitened", "orthonormal"])
def test_extreme_scale_of_all_views_changes_nothing(constraint):
    views = noisy_views()
    base = PerfectAlignment(2, constraint=constraint).fit(views)
    for scale in (1e-150, 1e150):
        alignment = PerfectAlignment(2, constraint=constraint)
        alignment.fit([scale * v for v in views])
        assert_allclose(
            alignment.explained_variance_, base.explained_variance_
        )


# The principal gauge


def test_ties_are_ordered_by_explained_variance():
    data = make_gaussian_views(n_features=(4, 5), random_state=3)
    alignment = PerfectAlignment(2).fit(data.views)
    latents = alignment.transform(data.views)
    moment = 0.0
    for view, z in zip(centred(data.views), latents):
        loadings = (view / view.std(axis=0)).T @ z / len(z)
        moment = moment + loadings.T @ loadings
    assert abs(moment[0, 1]) < 1e-13 * moment[0, 0]
    assert moment[0, 0] > moment[1, 1]


def test_orthonormal_tie_prefers_directions_that_say_something():
    data = make_gaussian_views(n_features=(6, 6), random_state=4)
    kept = PerfectAlignment(2, constraint="orthonormal").fit(data.views)
    # d − r = 10 null vectors, of which eight are silent in one view
    assert_allclose(kept.explained_variance_, 1)
    full = PerfectAlignment(10, constraint="orthonormal", gauge="principal")
    with pytest.warns(CollapseWarning, match="rank 2, below n_components=10"):
        latents = full.fit_transform(data.views)
    spread = np.var(np.vstack(latents), axis=0)
    assert np.all(spread[2:] < 1e-20) and np.all(spread[:2] > 1e-3)


def test_truncation_keeps_the_head_of_a_larger_fit():
    data = make_gaussian_views(
        n_features=(6, 5), means=np.zeros((1, 3)), random_state=5
    )
    three = PerfectAlignment(3).fit(data.views)
    two = PerfectAlignment(2).fit(data.views)
    for A, B in zip(two.encoders_, three.encoders_):
        assert_allclose(A, B[:2], atol=1e-11)


def test_gauge_forgets_sample_order_and_rotation_of_the_samples():
    data = make_gaussian_views(n_features=(4, 5), random_state=6)
    base = PerfectAlignment(2).fit(data.views)
    order = np.random.default_rng(0).permutation(2000)
    again = PerfectAlignment(2).fit([v[order] for v in data.views])
    for A, B in zip(base.encoders_, again.encoders_):
        assert_allclose(A, B, atol=1e-11)


def test_rotating_a_view_rotates_its_encoder_only():
    views = noisy_views()
    Q = special_ortho_group.rvs(5, random_state=0)
    base = PerfectAlignment(2).fit(views)
    turned = PerfectAlignment(2).fit([views[0] @ Q.T, views[1]])
    signs = np.sign(np.sum(base.encoders_[1] * turned.encoders_[1], axis=1))
    assert_allclose(
        signs[:, None] * turned.encoders_[0] @ Q, base.encoders_[0], atol=1e-12
    )


def test_signs_are_joint():
    views = noisy_views()
    for params in CONFIGURATIONS[:3]:
        latents = PerfectAlignment(2, **params).fit_transform(views)
        a, b = centred(latents)
        assert np.all(np.sum(a * b, axis=0) > 0)


# Ways to fit


@pytest.mark.parametrize("params", CONFIGURATIONS)
def test_partial_fit_equals_fit(params):
    views = noisy_views()
    once = PerfectAlignment(2, **params).fit(views)
    pieces = PerfectAlignment(2, **params)
    for rows in (slice(0, 7), slice(7, 100), slice(100, 300)):
        pieces.partial_fit([v[rows] for v in views])
    assert pieces.n_samples_seen_ == 300
    assert_allclose(
        np.abs(np.hstack(pieces.encoders_)),
        np.abs(np.hstack(once.encoders_)),
        atol=1e-10,
    )
    assert_allclose(pieces.singular_values_, once.singular_values_)


def test_partial_fit_solves_when_asked_and_warns_once():
    views = noisy_views(n=10, n_features=(9, 9))
    alignment = PerfectAlignment(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alignment.partial_fit([v[:5] for v in views])
    with pytest.warns(OverfitWarning):
        first = alignment.encoders_
    assert first is alignment.encoders_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alignment.partial_fit([v[5:] for v in views])
        second = alignment.encoders_
    assert second is not first
    with pytest.warns(OverfitWarning):
        alignment.fit(views)


def test_rejected_block_changes_nothing():
    views = noisy_views()
    alignment = PerfectAlignment(2).partial_fit(views)
    before = alignment.encoders_
    broken = [views[0], np.full_like(views[1], np.nan)]
    with pytest.raises(ValueError, match="view 1: Input contains NaN"):
        alignment.partial_fit(broken)
    assert alignment.n_samples_seen_ == 300
    assert alignment.encoders_ is before


def test_failed_fit_leaves_no_trace():
    alignment = PerfectAlignment(9)
    with pytest.raises(ValueError, match="n_components is 9, but view 1"):
        alignment.fit(noisy_views())
    assert not hasattr(alignment, "summary_")
    with pytest.raises(NotFittedError):
        alignment.transform(noisy_views())


def test_fit_summary_equals_fit():
    views = noisy_views()
    a = PerfectAlignment(2).fit(views)
    b = PerfectAlignment(2).fit_summary(StackedSummary.from_views(views))
    assert_array_equal(a.encoders_[0], b.encoders_[0])


def test_scikit_learn_manners():
    alignment = PerfectAlignment(3, ridge=0.1)
    twin = clone(alignment)
    assert twin.get_params() == alignment.get_params()
    views = noisy_views()
    loaded = pickle.loads(pickle.dumps(alignment.fit(views)))
    for z, w in zip(loaded.transform(views), alignment.transform(views)):
        assert_array_equal(z, w)
    with pytest.raises(AttributeError, match="no attribute 'encoderz_'"):
        alignment.encoderz_
    with pytest.raises(AttributeError, match="encoders_"):
        twin.encoders_


# Ways to transform


@pytest.mark.parametrize("params", CONFIGURATIONS)
def test_transform_is_affine_with_the_published_parts(params):
    views = noisy_views()
    alignment = PerfectAlignment(2, **params).fit(views)
    fresh = noisy_views(seed=0, n=300)
    for m, (x, z) in enumerate(zip(fresh, alignment.transform(fresh))):
        expected = x @ alignment.encoders_[m].T + alignment.offsets_[m]
        assert_allclose(z, expected, atol=1e-12)
        assert_array_equal(z, alignment.transform_view(x, m))


def test_translation_of_noise_free_views_is_exact():
    data = make_gaussian_views(n_features=(3, 5), random_state=7)
    for params in ({}, {"constraint": "orthonormal", "center": False}):
        alignment = PerfectAlignment(2, **params).fit(data.views)
        for s, t in [(0, 1), (1, 0), (0, 0)]:
            translated = alignment.translate(data.views[s], s, t)
            assert_allclose(translated, data.views[t], atol=1e-10)


def test_translation_has_the_latent_of_its_source_and_is_a_regression():
    views = noisy_views()
    alignment = PerfectAlignment(2).fit(views)
    translated = alignment.translate(views[0], 0, 1)
    assert_allclose(
        alignment.transform_view(translated, 1),
        alignment.transform_view(views[0], 0),
        atol=1e-12,
    )
    own = alignment.transform_view(views[1], 1)
    regression = LinearRegression().fit(own, views[1])
    assert_allclose(
        translated,
        regression.predict(alignment.transform_view(views[0], 0)),
        atol=1e-12,
    )


# Collapse, overfit, dimensions


def test_constant_pixels_collapse_the_papers_constraint():
    views = load_digit_halves().views
    # Three pixels are always black.
    with pytest.warns(CollapseWarning, match="have rank 5, below"):
        PerfectAlignment(8, constraint="orthonormal").fit(views)
    bright = [view[:, view.std(axis=0) > 0.5] for view in views]
    with pytest.warns(CollapseWarning, match="because they are small"):
        PerfectAlignment(8, constraint="orthonormal").fit(bright)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whitened = PerfectAlignment(8).fit(views)
    assert np.all(whitened.explained_variance_ > 0.4)


def test_latents_of_a_constant_are_a_collapse():
    views = noisy_views(noise=0, shared=1)
    with pytest.warns(CollapseWarning, match="rank 1, below n_components=2"):
        alignment = PerfectAlignment(2, center=False).fit(views)
    assert alignment.shared_dimension_ == 2


def test_explained_variance_is_that_of_a_regression():
    views = noisy_views()
    alignment = PerfectAlignment(2).fit(views)
    for x, z, share in zip(
        centred(views),
        alignment.transform(views),
        alignment.explained_variance_,
    ):
        residual = x - z @ np.linalg.lstsq(z, x, rcond=None)[0]
        expected = np.mean(1 - residual.var(axis=0) / x.var(axis=0))
        assert_allclose(share, expected, rtol=1e-12)


@pytest.mark.parametrize("n, vacuous", [(9, 2), (10, 1), (11, 0), (50, 0)])
def test_overfit_warning_iff_vacuous(n, vacuous):
    rng = np.random.default_rng(n)
    views = [rng.normal(size=(n, 5)), rng.normal(size=(n, 5))]
    alignment = PerfectAlignment(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        alignment.fit(views)
    overfit = [w for w in caught if w.category is OverfitWarning]
    assert alignment.vacuous_dimension_ == vacuous
    assert len(overfit) == (vacuous > 0)
    if overfit:
        assert overfit[0].filename == __file__


def test_no_components_given_takes_the_shared_ones():
    data = make_gaussian_views(n_features=(5, 6), random_state=8)
    alignment = PerfectAlignment(None).fit(data.views)
    assert alignment.encoders_[0].shape == (2, 5)
    views = noisy_views()
    rho = PerfectAlignment(1).fit(views).canonical_correlations_[0]
    with pytest.raises(ValueError, match=f"share none.*{rho:.4f}"):
        PerfectAlignment(None).fit(views)


# Bad and odd input


def spoiled(value):
    views = noisy_views()
    views[1][3, 2] = value
    return views


@pytest.mark.parametrize(
    "views, message",
    [
        (spoiled(np.nan), "view 1: Input contains NaN"),
        (spoiled(np.inf), "view 1: Input contains infinity"),
        ([np.empty((0, 3)), np.empty((0, 2))], "view 0: Found array with 0"),
        ([np.eye(3), np.empty((3, 0))], "view 1: Found array with 0 feature"),
        ([np.eye(3)], "at least two views; seen 1"),
        ([], "at least two views; seen 0"),
        (np.eye(3), "list of matrices.*seen ndarray"),
        ([np.eye(3), np.eye(4)], "view 0: 3 rows, view 1: 4 rows"),
        ([np.eye(3), np.arange(3)], "view 1: Expected 2D array, got 1D"),
        ([np.eye(3), 1j * np.eye(3)], "view 1: Complex data"),
        ([np.eye(3), [["a"], ["b"], ["c"]]], "view 1: "),
        ([np.eye(3), [[1.0], [2.0], [None]]], "view 1: "),
        ([np.eye(3), np.ones((3, 1))], "view 1 does not vary"),
        ([np.eye(1), np.eye(1)], "view 0 does not vary"),
    ],
)
def test_bad_views_are_named(views, message):
    for params in ({}, {"constraint": "orthonormal"}):
        alignment = PerfectAlignment(1, **params)
        with pytest.raises(ValueError, match=message):
            alignment.fit(views)
        assert not hasattr(alignment, "summary_")


@pytest.mark.parametrize(
    "params, message",
    [
        ({"n_components": 0}, "n_components is 0; wanted an int in the range"),
        ({"n_components": 2.0}, "n_components is 2.0"),
        ({"n_components": 5}, "but view 1 carries only 4 independent"),
        (
            {"n_components": 10, "constraint": "orthonormal"},
            "but the stack has 9 features",
        ),
        ({"constraint": "sparse"}, "constraint is 'sparse'"),
        ({"gauge": "other"}, "gauge is 'other'"),
        ({"ridge": -1.0}, "ridge is -1.0"),
        ({"ridge": np.nan}, "ridge is nan"),
        ({"ridge": 0.1, "constraint": "orthonormal"}, "it means nothing"),
        ({"rtol": 0.0}, "rtol is 0.0"),
    ],
)
def test_bad_parameters_say_what_is_wanted(params, message):
    with pytest.raises(ValueError, match=message):
        PerfectAlignment(**params).fit(noisy_views())


def test_transform_names_what_does_not_fit():
    alignment = PerfectAlignment(2).fit(noisy_views())
    with pytest.raises(ValueError, match=r"view 1 has shape \(3, 3\).*4 feat"):
        alignment.transform_view(np.eye(3), 1)
    with pytest.raises(ValueError, match="no view 2; there are 2"):
        alignment.transform_view(np.eye(3), 2)
    with pytest.raises(ValueError, match="no view -1"):
        alignment.translate(np.eye(5), 0, -1)
    with pytest.raises(ValueError, match="Seen 3 views; wanted 2"):
        alignment.transform([np.eye(5)] * 3)


@pytest.mark.parametrize("params", CONFIGURATIONS)
def test_odd_but_legal_input_gives_the_same_answer(params):
    views = noisy_views()
    base = np.hstack(PerfectAlignment(2, **params).fit(views).encoders_)
    read_only = [v.copy() for v in views]
    for v in read_only:
        v.setflags(write=False)
    fortran = [np.asfortranarray(v) for v in views]
    strided = [np.repeat(v, 2, axis=1)[:, ::2] for v in views]
    frames = [pd.DataFrame(v) for v in views]
    lists = [v.tolist() for v in views]
    for variant in (read_only, fortran, strided, frames, lists, tuple(views)):
        encoders = PerfectAlignment(2, **params).fit(variant).encoders_
        assert_allclose(np.hstack(encoders), base, atol=1e-12)
    for v, w in zip(views, read_only):
        assert_array_equal(v, w)


def test_integers_and_single_precision_are_computed_in_double():
    rng = np.random.default_rng(0)
    whole = [rng.integers(0, 9, size=(50, d)) for d in (3, 4)]
    exact = PerfectAlignment(2).fit([v.astype(float) for v in whole])
    for dtype in (np.int32, np.float32, np.uint8):
        alignment = PerfectAlignment(2).fit([v.astype(dtype) for v in whole])
        assert_allclose(
            alignment.encoders_[0], exact.encoders_[0], rtol=0, atol=1e-14
        )
        assert alignment.encoders_[0].dtype == np.float64


def test_constant_and_duplicated_columns_are_ignored():
    views = noisy_views()
    base = PerfectAlignment(2).fit(views)
    padded = [
        np.column_stack([views[0], np.full(300, 0.1), views[0][:, 0]]),
        views[1],
    ]
    alignment = PerfectAlignment(2).fit(padded)
    assert_array_equal(alignment.ranks_, [5, 4])
    assert not np.any(np.abs(alignment.encoders_[0][:, 5]) > 1e-12)
    assert_allclose(
        alignment.canonical_correlations_, base.canonical_correlations_
    )
    # least norm shares the weight between the twins
    assert_allclose(
        alignment.encoders_[0][:, 0], alignment.encoders_[0][:, 6], atol=1e-12
    )


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("n_features", [(20, 30), (70, 90)])
def test_encoders_of_wide_views_are_of_least_norm(n_features):
    views = noisy_views(n=12, n_features=n_features)
    alignment = PerfectAlignment(3).fit(views)
    for view, A in zip(views, alignment.encoders_):
        centred = view - view.mean(axis=0)
        spread = np.linalg.norm(centred, axis=0)
        span = np.linalg.qr((centred / spread).T)[0][:, :11]
        in_spreads = A * spread
        assert_allclose(
            in_spreads @ span @ span.T, in_spreads, rtol=0, atol=1e-12
        )


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("d", [20, 70])
def test_with_a_ridge_only_the_span_of_the_rows_matters(d):
    views = noisy_views(n=12, n_features=(d, d))
    spans = [np.linalg.qr(view.T)[0] for view in views]
    turned = [view @ Q for view, Q in zip(views, spans)]
    wide = PerfectAlignment(3, ridge=0.1).fit(views)
    # The trace is the same, and is shared among fewer features.
    narrow = PerfectAlignment(3, ridge=0.1 * 12 / d).fit(turned)
    found = np.hstack(wide.encoders_)
    wanted = np.hstack([A @ Q.T for A, Q in zip(narrow.encoders_, spans)])
    # Signs are those of the largest entries, which were turned.
    signs = np.sign(np.sum(found * wanted, axis=1, keepdims=True))
    assert_allclose(signs * found, wanted, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("params", CONFIGURATIONS)
def test_fewer_samples_than_features(params):
    views = noisy_views(n=12, n_features=(20, 30))
    alignment = PerfectAlignment(2, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        latents = alignment.fit_transform(views)
    assert np.all(np.isfinite(np.hstack(latents)))
    room = 12 - alignment.center
    assert_array_equal(alignment.ranks_, [room, room])
    assert alignment.shared_dimension_ == room
    if not alignment.ridge:
        assert alignment_error(latents) < 1e-12


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("ridge", [0.0, 0.1])
@pytest.mark.parametrize("n_features", [(6, 7), (30, 40)])
@pytest.mark.parametrize("k", [4, 8])
def test_tied_components_have_loadings_at_right_angles(
    k, n_features, ridge, center
):
    k = min(k, *n_features)
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(12, k))
    signals = np.linalg.qr(signals - signals.mean(axis=0))[0]
    views = [
        signals @ np.linalg.qr(rng.normal(size=(d, k)))[0].T
        for d in n_features
    ]
    alignment = PerfectAlignment(k, ridge=ridge, center=center).fit(views)
    # All are tied.
    assert np.ptp(alignment.canonical_correlations_) < 1e-12
    loadings = np.vstack(
        [
            (view / np.linalg.norm(view, axis=0)).T @ (view @ A.T)
            for view, A in zip(views, alignment.encoders_)
        ]
    )
    moment = loadings.T @ loadings
    explained = np.diag(moment)
    atol = 1e-12 * explained.max()
    assert_allclose(moment, np.diag(explained), rtol=0, atol=atol)
    assert np.all(np.diff(explained) < 0)
