"""No unit, no precision and no number of features decides what is shared."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from perfalign import (
    CollapseWarning,
    GaussianTransfer,
    OverfitWarning,
    PerfectAlignment,
    StackedSummary,
    existence_report,
    gauge,
    left_null_space,
    permutation_test,
    relative_alignment_error,
)
from perfalign._solver import shared_structure
from perfalign.baselines import CSA, RidgeTranslation
from perfalign.datasets import (
    load_digit_halves,
    load_mfeat,
    make_gaussian_views,
)

DIGITS = load_digit_halves()


def halves(step=5):
    """Digit halves without the pixels that are always black."""
    return [
        view[::step, view[::step].std(axis=0) > 0] for view in DIGITS.views
    ]


def related(n=200, n_features=(5, 4), shared=2, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, shared))
    return [
        z @ rng.normal(size=(shared, d))
        + noise * rng.normal(size=(n, d))
        + rng.normal(size=d)
        for d in n_features
    ]


def measured(views):
    """What must not change, of one data set."""
    alignment = PerfectAlignment(3).fit(views)
    report = existence_report(views)
    target = np.arange(len(views[0])) % 3
    transfer = GaussianTransfer(alignment).fit(views[0], target, view=0)
    test = permutation_test(PerfectAlignment(1), views, 19, random_state=0)
    CSA(3).fit(views)
    return {
        "correlations": alignment.canonical_correlations_,
        "explained": alignment.explained_variance_,
        "counts": [
            *report.ranks,
            report.stack_rank,
            report.nullity,
            report.shared_dimension,
            report.vacuous_dimension,
        ],
        "silent": [len(rows) for rows in left_null_space(views).collapsed],
        "latents": np.hstack(alignment.transform(views)),
        "posterior": transfer.predict_proba(views[1], view=1),
        "null": test.null,
        "csa": np.hstack(CSA(3).fit(views).transform(views)),
    }


VIEWS = {
    "digits": halves(),
    "noisy": related(noise=0.3, n_features=(5, 4)),
    "fewer samples than features": related(30, noise=0.3, n_features=(80, 20)),
}


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("factor", [1e-15, 1e12])
def test_units_of_single_features_change_nothing(name, factor):
    views = VIEWS[name]
    wanted = measured(views)
    rng = np.random.default_rng(0)
    for m in range(2):
        for column in rng.choice(views[m].shape[1], 3, replace=False):
            scaled = [view.copy() for view in views]
            scaled[m][:, column] *= factor
            found = measured(scaled)
            assert_array_equal(found.pop("counts"), wanted["counts"])
            for key, value in found.items():
                assert_allclose(value, wanted[key], rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("name", VIEWS)
def test_origins_of_features_change_nothing(name):
    """Celsius or kelvin: what is centred does not know where 0 is."""
    views = VIEWS[name]
    wanted = measured(views)
    rng = np.random.default_rng(0)
    found = measured(
        [
            view + view.std(axis=0) * rng.uniform(-1e4, 1e4, view.shape[1])
            for view in views
        ]
    )
    assert_array_equal(found.pop("counts"), wanted["counts"])
    for key, value in found.items():
        assert_allclose(value, wanted[key], rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("params", [{}, {"ridge": 0.1}])
@pytest.mark.parametrize("n_features", [(5, 4), (80, 70)])
@pytest.mark.parametrize("collinear", [False, True])
def test_neither_origin_nor_precision_weighs_features(
    params, n_features, collinear
):
    """Where many encoders fit as well, which one is seen on unseen rows."""
    rng = np.random.default_rng(0)
    views = related(40, noise=0.5, n_features=n_features)
    if collinear:
        views = [np.hstack([X, X @ rng.normal(size=(X.shape[1], 3))])
                 for X in views]  # fmt: skip
    # Single precision holds them, and the sums too.
    views = [np.round(X * 2**8) / 2**8 for X in views]
    unseen = [rng.normal(size=(5, X.shape[1])) for X in views]
    moves = [rng.integers(-99, 99, size=X.shape[1]) for X in views]
    wanted = PerfectAlignment(2, **params).fit(views).transform(unseen)
    for moved in ([0, 0], [move // 5 for move in moves], moves):
        new = [X + move for X, move in zip(unseen, moved)]
        for types in ("dd", "ff", "fd"):
            given = [
                (X + move).astype(kind)
                for X, move, kind in zip(views, moved, types)
            ]
            alignment = PerfectAlignment(2, **params).fit(given)
            for one, other in zip(alignment.transform(new), wanted):
                assert_allclose(one, other, atol=1e-10 * np.abs(other).max())


@pytest.mark.parametrize("origin", [0.0, 1e6, 1e10])
def test_rounding_of_one_feature_is_no_signal_of_another(origin):
    """A short signal, and collinear features far from 0 beside it."""
    rng = np.random.default_rng(0)
    a, b, c, d = rng.normal(size=(4, 400))
    far = [factor * (c + origin) for factor in (1.0, 1.7, 3.1)]
    views = [np.column_stack([a, a + 1e-8 * b, *far]), np.c_[b, d]]
    alignment = PerfectAlignment(1).fit([X[:200] for X in views])
    assert_array_equal(alignment.ranks_, [3, 2])
    for rows in (slice(200), slice(200, 400)):
        latents = alignment.transform([X[rows] for X in views])
        assert relative_alignment_error(latents) < 1e-5


@pytest.mark.parametrize("origin", [0.0, 1e4, 1e5, 1e6, 1e7])
def test_encoders_of_least_norm_agree_as_well_as_others(origin):
    """Features far from 0 are not used where others know as much."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 3))
    views = [z @ rng.normal(size=(3, d)) for d in (12, 8)]
    views[0][:, :6] += origin
    latents = PerfectAlignment(3).fit(views).transform(views)
    assert relative_alignment_error(latents) < 1e-14


@pytest.mark.parametrize("origin", [3e4, 3e6, 3e7])
def test_the_gauge_keeps_encoders_where_some_would_show_rounding(origin):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 3))
    views = [z * [0.01, 1, 1] @ rng.normal(size=(3, 12)),
             z @ rng.normal(size=(3, 8))]  # fmt: skip
    views[0][:, :6] += origin
    by_fit = PerfectAlignment(3).fit(views)
    by_gauge = gauge.principal(PerfectAlignment(3, gauge=None).fit(views))
    for one, other in zip(by_fit.encoders_, by_gauge.encoders_):
        assert_allclose(one, other, atol=1e-6 * np.abs(one).max())


def test_what_hardly_varies_has_no_part_in_encoders_of_least_norm():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 2))
    views = [z @ rng.normal(size=(2, d)) for d in (60, 5)]
    dull = 1 + 1.5e-15 * rng.normal(size=(200, 3))
    views[0] = np.hstack([views[0], dull])
    latents = PerfectAlignment(2).fit(views).transform(views)
    assert relative_alignment_error(latents) < 1e-12


@pytest.mark.parametrize("center", [True, False])
def test_signs_of_the_fit_are_those_of_the_gauge(center):
    rng = np.random.default_rng(0)
    views = [X + 10 * rng.normal(size=X.shape[1])
             for X in related(40, noise=0.5)]  # fmt: skip
    fits = [
        PerfectAlignment(3, center=center, gauge=kind).fit(views)
        for kind in ("principal", None)
    ]
    by_fit, by_gauge = fits[0], gauge.principal(fits[1])
    for one, other in zip(by_fit.encoders_, by_gauge.encoders_):
        assert_allclose(one, other, atol=1e-9 * np.abs(one).max())


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_what_varies_by_rounding_explains_and_orders_nothing(noise):
    views = related(noise=noise)
    wanted = PerfectAlignment(2).fit(views)
    rng = np.random.default_rng(0)
    rounded = 1e8 + np.spacing(1e8) * rng.integers(2, size=(200, 3))
    found = PerfectAlignment(2).fit([np.hstack([views[0], rounded]), views[1]])
    assert_allclose(
        found.explained_variance_, wanted.explained_variance_, atol=1e-9
    )
    for one, other in zip(found.encoders_, wanted.encoders_):
        size = np.abs(other).max()
        assert_allclose(one[:, : other.shape[1]], other, atol=1e-9 * size)


@pytest.mark.filterwarnings("ignore::perfalign.CollapseWarning")
@pytest.mark.parametrize("seed", range(6))
def test_what_is_not_centred_has_its_sign_from_means_too(seed):
    """A constant feature is what agrees best, and does not vary at all."""
    rng = np.random.default_rng(seed)
    views = [np.c_[np.full(50, 3.0), rng.normal(size=(50, 3))]
             for _ in range(2)]  # fmt: skip
    alignment = PerfectAlignment(1, center=False).fit(views)
    for A in alignment.encoders_:
        assert np.abs(A[0, 1:]).max() < 1e-12 < A[0, 0]


@pytest.mark.parametrize("factor", [1e-4, 1e4])
@pytest.mark.parametrize("name", ["digits", "noisy"])
def test_single_precision_has_units_too(name, factor):
    views = [view.astype(np.float32) for view in VIEWS[name]]
    for m in range(2):
        scaled = [view.copy() for view in views]
        scaled[m][:, 1] *= np.float32(factor)
        found = measured(scaled)
        wanted = measured([view.astype(float) for view in scaled])
        same = measured(views)
        assert_array_equal(found["counts"], wanted["counts"])
        assert_array_equal(found.pop("counts"), same["counts"])
        for key, value in found.items():
            # Latents of single precision are of single precision.
            of_latents = key in ("latents", "posterior", "csa")
            tolerance = 1e-5 if of_latents else 1e-9
            assert_allclose(value, wanted[key], rtol=0, atol=tolerance)
            assert_allclose(value, same[key], rtol=0, atol=1e-5)


def test_fits_of_pairs_have_no_units_either():
    x, y = related(120, noise=0.3, n_features=(5, 4))
    w = related(120, noise=0.3, n_features=(5, 4, 3))[2]

    def fit(x):
        return PerfectAlignment(2).fit_incomplete(
            {(0, 1): (x[:60], y[:60]), (1, 2): (y[60:], w[60:])}
        )

    wanted, found = fit(x), fit(x * [1e12, 1, 1e-12, 1, 1])
    assert_allclose(
        found.canonical_correlations_,
        wanted.canonical_correlations_,
        atol=1e-12,
    )
    assert_allclose(
        found.encoders_[0] * [1e12, 1, 1e-12, 1, 1],
        wanted.encoders_[0],
        atol=1e-9,
    )
    assert_allclose(found.offsets_, wanted.offsets_, atol=1e-9)


def test_an_income_beside_a_rate():
    rng = np.random.default_rng(0)
    rate = rng.uniform(size=3000)
    X = np.c_[rng.normal(5e4, 2e4, 3000), rate]
    Y = rate[:, None] + 0.1 * rng.normal(size=(3000, 1))
    rho = np.corrcoef(
        np.linalg.lstsq(np.c_[X, np.ones(3000)], Y, rcond=None)[0].T
        @ np.c_[X, np.ones(3000)].T,
        Y.T,
    )[0, 1]
    for A in (X, X * [1e9, 1], X * [1e-12, 1e12], X.astype(np.float32)):
        found = PerfectAlignment(1).fit([A, Y]).canonical_correlations_
        assert_allclose(found, [rho], atol=1e-6)


def test_translation_of_mixed_units_is_that_of_standardised_features():
    views = related(noise=0.3)
    units = 10.0 ** np.arange(-6, 9, 3)
    scaled = [views[0] * units, views[1]]
    wanted = PerfectAlignment(2).fit(views).translate(views[1], 1, 0)
    found = PerfectAlignment(2).fit(scaled).translate(views[1], 1, 0)
    assert_allclose(found / units, wanted, atol=1e-9)
    residual = np.mean((found / units - views[0]) ** 2, axis=0)
    assert np.all(1 - residual / views[0].var(axis=0) > 0.5)


def test_all_features_of_real_data_in_single_precision_count():
    for X in load_mfeat().views:
        wanted = np.linalg.matrix_rank((X - X.mean(axis=0)) / X.std(axis=0))
        single = X.astype(np.float32)
        assert existence_report([single, single]).ranks == (wanted, wanted)


@pytest.mark.parametrize("n", [50, 3000, 50_000])
def test_quiet_directions_of_single_precision_count(n):
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, 3))
    # A feature of its own 3e-4 of the others, and a small difference of two.
    X[:, 1] *= 1e-4
    X[:, 2] = X[:, 0] + 1e-4 * X[:, 2]
    single = X.astype(np.float32)
    assert existence_report([single, single]).ranks == (3, 3)


# What counts as shared


@pytest.mark.parametrize("misfit", [1e-10, 5e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("quiet", [1e-9, 1e-5, 1e-2, 1.0])
@pytest.mark.parametrize("collinear", [False, True])
def test_one_more_feature_shares_one_more_signal_at_most(
    misfit, quiet, collinear
):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 3))
    X = z @ rng.normal(size=(3, 4))
    Y = z @ rng.normal(size=(3, 3)) + misfit * rng.normal(size=(500, 3))
    assert existence_report([X, Y]).shared_dimension == 0
    more = quiet * rng.normal(size=(500, 1)) + collinear * X[:, :1]
    report = existence_report([np.hstack([X, more]), Y])
    assert report.shared_dimension == 0


def test_shared_signals_grow_by_one_with_each_feature():
    rng = np.random.default_rng(1)
    for _ in range(50):
        n, d1, d2 = rng.integers(4, 20, size=3)
        z = rng.normal(size=(n, rng.integers(1, 6)))
        scale = 10.0 ** rng.uniform(-12, 0, size=(2, z.shape[1]))
        X = (z * scale[0]) @ rng.normal(size=(z.shape[1], d1))
        Y = (z * scale[1]) @ rng.normal(size=(z.shape[1], d2))
        counts = [
            existence_report([X[:, :j], Y]).shared_dimension
            for j in range(1, d1 + 1)
        ]
        assert np.all(np.diff(counts) <= 1)


def test_a_mean_above_the_spread_invents_no_signal():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 1))
    X = z @ [[1, -1, 2, 0.5]] + 1000 * np.array([1, 0.3, 0.7, 0.2])
    Y = z @ [[1, 3]] + rng.normal(size=(400, 2))
    alignment = PerfectAlignment(1).fit([X, Y])
    assert alignment.ranks_[0] == 1
    assert np.abs(alignment.encoders_[0]).max() < 10


@pytest.mark.parametrize("mean", [0.0, 0.1, 1e8])
def test_a_feature_that_varies_by_rounding_is_constant(mean):
    rng = np.random.default_rng(0)
    views = related()
    rounding = np.finfo(float).eps * mean * rng.integers(-1, 2, (200, 1))
    views[0] = np.hstack([views[0], mean + rounding])
    alignment = PerfectAlignment(2).fit(views)
    assert_array_equal(alignment.ranks_, [2, 2])
    assert not np.any(alignment.encoders_[0][:, -1])


def test_copies_of_items_do_not_count_twice():
    rng = np.random.default_rng(0)
    views = [np.repeat(rng.normal(size=(100, 60)), 10, axis=0) for _ in "ab"]
    with pytest.warns(OverfitWarning, match="100 different samples"):
        alignment = PerfectAlignment(2).fit(views)
    assert alignment.shared_dimension_ == alignment.vacuous_dimension_ == 21
    report = existence_report(views)
    assert report.vacuous_dimension == 21 and report.evidence_dimension == 0
    # In any order, in pieces, and merged.
    order = rng.permutation(1000)
    summary = StackedSummary.from_views([v[order[:7]] for v in views])
    for rows in np.array_split(order[7:], 30):
        summary = summary.update([v[rows] for v in views])
    summary = summary.merge(StackedSummary.from_views(views))
    assert summary.n_items == 100 and summary.n_samples == 2000
    assert existence_report(summary).vacuous_dimension == 21


@pytest.mark.parametrize("kind", ["bits", "integers", "powers", "one entry"])
def test_items_are_told_apart_by_any_column(kind):
    rng = np.random.default_rng(0)
    X = {
        "bits": rng.integers(2, size=(900, 20)),
        "integers": rng.integers(-9, 9, size=(900, 20)),
        "powers": 2.0 ** rng.integers(-60, 60, size=(900, 20)),
        "one entry": np.eye(900) + 0.0,
    }[kind]
    X[:, 0] = 1.0
    X = np.vstack([X, -0.0 * X, 0.0 * X[::-1], X[::-1]])
    # As wide as needed to count them all.
    views = [X, np.zeros((len(X), 2000))]
    n_items = StackedSummary.from_views(views).n_items
    assert n_items == len(np.unique(X + 0.0, axis=0))


def test_evidence_is_what_shuffled_pairs_do_not_have():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(12, 2))
    signals = [np.hstack([z, rng.normal(size=(12, p))]) for p in (4, 5)]
    views = [s @ rng.normal(size=(s.shape[1], 9)) for s in signals]
    report = existence_report(views)
    shuffled = existence_report([views[0], rng.permutation(views[1])])
    assert report.shared_dimension == 2
    assert report.vacuous_dimension == shuffled.shared_dimension == 2
    assert report.evidence_dimension == 0
    assert "evidence" in str(report)


# Collapse, when it is one


def test_a_large_noisy_feature_is_no_collapse(recwarn):
    views = related(noise=0.1)
    views[0] = np.hstack([views[0], 1e6 * views[0][:, ::-1][:, :1] ** 2])
    PerfectAlignment(2).fit(views)
    assert not recwarn.list


@pytest.mark.parametrize("constraint", ["whitened", "orthonormal"])
def test_a_quiet_signal_that_is_shared_is_no_collapse(constraint, recwarn):
    rng = np.random.default_rng(0)
    quiet = rng.normal(size=(300, 1))
    views = [
        rng.normal(size=(300, 3)) @ rng.normal(size=(3, 4))
        + 1e-3 * quiet @ rng.normal(size=(1, 4))
        for _ in range(2)
    ]
    alignment = PerfectAlignment(1, constraint=constraint).fit(views)
    z = alignment.transform(views)
    assert abs(np.corrcoef(z[0].T, z[1].T)[0, 1]) > 0.999
    assert not recwarn.list


def test_components_of_no_correlation_may_be_of_one_view():
    a, b, c = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1.0])).reshape(3, 8)
    views = [np.c_[a, b], np.c_[a, c]]
    with pytest.warns(CollapseWarning, match="of view . have rank 1, below"):
        alignment = PerfectAlignment(2).fit(views)
    covariances = [np.cov(z.T, ddof=0) for z in alignment.transform(views)]
    one, other = sorted(covariances, key=np.trace)
    assert_allclose(one, np.diag([1, 0]), atol=1e-12)
    assert_allclose(other, np.diag([1, 2]), atol=1e-12)


def test_a_view_that_has_no_part_explains_nothing():
    H = np.array(
        [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
    )
    views = [H[:, [1]], H[:, [1, 2]], H[:, [3]].astype(float)]
    with pytest.warns(CollapseWarning, match="of view 2 have rank 0"):
        alignment = PerfectAlignment(1).fit(views)
    assert_allclose(alignment.explained_variance_, [1, 0.5, 0], atol=1e-12)


@pytest.mark.parametrize("kind", ["principal", None])
def test_a_dead_channel_explains_nothing(kind):
    views = related()
    views[1] = np.hstack([views[1], np.zeros((200, 1))])
    views = [views[0][:, :2], views[1][:, [0, 1, 4]]]
    views[0] += 0.1 * np.random.default_rng(1).normal(size=(200, 2))
    with pytest.warns(CollapseWarning, match="rank 0, below n_components=1"):
        alignment = PerfectAlignment(
            1, constraint="orthonormal", gauge=kind
        ).fit(views)
    assert_array_equal(alignment.explained_variance_, [0, 0])


def test_a_ridge_leaves_nothing_perfect(recwarn):
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(20, 15)) for _ in range(2)]
    assert PerfectAlignment(2, ridge=0.5).fit(views).vacuous_dimension_ > 0
    assert not recwarn.list
    with pytest.warns(OverfitWarning):
        PerfectAlignment(2, ridge=1e-14).fit(views)


# The number of samples bounds what many features cost


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"center": False},
        {"ridge": 0.1},
        {"constraint": "orthonormal"},
        {"constraint": "orthonormal", "gauge": None},
    ],
)
def test_wide_views_need_little_memory(params):
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(40, d)) for d in (20_000, 30_000)]
    tracemalloc.start()
    alignment = PerfectAlignment(2, **params).fit(views)
    latents = alignment.transform(views)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6  # the data have 16 MB
    if not params.get("ridge"):
        assert_allclose(latents[0], latents[1], atol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_wide_ridge_is_that_of_the_kernel():
    """κ² are the eigenvalues of K₁(K₁ + λ₁)⁻¹ K₂(K₂ + λ₂)⁻¹ (kernel CCA)."""
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(30, d)) for d in (300, 200)]
    alignment = PerfectAlignment(3, ridge=0.3).fit(views)
    smooth = []
    for view in views:
        x = view - view.mean(axis=0)
        K = x @ x.T
        smooth.append(
            K @ np.linalg.inv(K + 0.3 * np.trace(K) / x.shape[1] * np.eye(30))
        )
    kappa = np.sqrt(np.sort(np.linalg.eigvals(smooth[0] @ smooth[1]).real))
    assert_allclose(
        alignment.canonical_correlations_[:5], kappa[::-1][:5], atol=1e-12
    )


def test_structure_before_and_after_whitening_agrees():
    """Null vectors of the whitened stack are as many as shared signals."""
    views = related(noise=0.0, n_features=(5, 4), shared=3)
    structure = shared_structure(views)
    assert structure.shared_dimension == 3
    assert np.count_nonzero(structure.singular_values < 1e-12) == 3


# Corners in which cuts, units and ties meet


def test_unrelated_views_share_nothing_beside_quiet_and_copied_features():
    rng = np.random.default_rng(0)
    b = rng.normal(size=(400, 7))
    A = np.hstack(
        [np.c_[b[:, i], b[:, i] + 2e-6 * b[:, i + 3]] for i in range(3)]
    ).astype(np.float32)
    B = np.repeat(b[:, 6:7], 50, axis=1).astype(np.float32)
    for d in (1, 2, 3, 50):
        report = existence_report([A, B[:, :d]])
        assert report.shared_dimension == 0
        assert report.ranks == (6, 1)


@pytest.mark.parametrize("rtol", [None, 1e-10, 1e-4, 1e-2])
def test_no_more_is_shared_than_the_smaller_view_has(rtol):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1))
    noisy = np.hstack([x, x + 0.05 * rng.normal(size=(300, 1))])
    copies = np.repeat(rng.normal(size=(300, 1)), 64, axis=1)
    report = existence_report([noisy, copies], rtol=rtol)
    assert report.shared_dimension == 0


@pytest.mark.filterwarnings("ignore::perfalign.CollapseWarning")
@pytest.mark.parametrize("unit", [1, 1e5, 1e8, 1e9])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_default_gauge_attains_the_minimum_in_any_unit(unit, noise):
    views = make_gaussian_views(2000, (3, 4), random_state=1).views
    rng = np.random.default_rng(0)
    views = [
        views[0] * [unit, 1, 1],
        views[1] + noise * rng.normal(size=views[1].shape),
    ]
    errors = []
    for kind in ("principal", None):
        alignment = PerfectAlignment(
            2, constraint="orthonormal", gauge=kind
        ).fit(views)
        z = alignment.transform(views)
        errors.append(np.sqrt(np.mean(np.sum((z[0] - z[1]) ** 2, axis=1))))
        spectrum = alignment.singular_values_[-2:]
        assert_allclose(
            errors[-1], np.linalg.norm(spectrum) / 2000**0.5, atol=1e-14 * unit
        )
    assert_allclose(*errors, rtol=1e-6, atol=1e-14 * unit)


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1.0])
def test_a_quiet_shared_channel_has_one_sign(size):
    rng = np.random.default_rng(0)
    quiet, z = rng.normal(size=(500, 1)), rng.normal(size=(500, 2))
    views = [
        np.hstack([z @ rng.normal(size=(2, 2)), size * quiet]) for _ in "ab"
    ]
    alignment = PerfectAlignment(3, constraint="orthonormal").fit(views)
    for y, x in zip(*(z.T for z in alignment.transform(views))):
        assert np.corrcoef(x, y)[0, 1] > 0.999


@pytest.mark.parametrize("unit", [1e-14, 1e-8, 1e8, 1e14])
def test_translation_does_not_depend_on_the_gauge(unit):
    data = make_gaussian_views(random_state=0)
    alignment = PerfectAlignment(2).fit(data.views)
    wanted = alignment.translate(data.views[0], 0, 1)
    known = data.latents[:2] * [1, unit]
    placed = gauge.anchored(alignment, data.views, known, [0, 1])
    assert_allclose(
        placed.translate(data.views[0], 0, 1), wanted, rtol=0, atol=1e-9
    )
    again = gauge.principal(placed)
    assert_allclose(
        again.encoders_[0], alignment.encoders_[0], rtol=0, atol=1e-9
    )


def test_silent_latents_translate_to_nothing():
    views = related(n_features=(3, 4))
    views = [np.hstack([view, np.zeros((200, 2))]) for view in views]
    for gauge_ in ("principal", None):
        with pytest.warns(CollapseWarning):
            alignment = PerfectAlignment(
                4, constraint="orthonormal", gauge=gauge_
            ).fit(views)
        translated = alignment.translate(views[0], 0, 1)
        assert np.abs(translated).max() < 10 * np.abs(views[1]).max()
    # Silent up to rounding, which must not become a signal.
    views = related(n_features=(5, 6))
    with pytest.warns(CollapseWarning, match="rank 2, below n_components=4"):
        alignment = PerfectAlignment(4, constraint="orthonormal").fit(views)
    for s, t in [(0, 1), (1, 0)]:
        assert_allclose(
            alignment.translate(views[s], s, t), views[t], rtol=0, atol=1e-9
        )


def test_single_columns_of_a_frame_keep_their_precision():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    a, s, c = rng.normal(size=(3, 1000))
    frame = pd.DataFrame({"a": a, "b": a + 1e-7 * s, "c": c})
    frame["c"] = frame["c"].astype(np.float32)
    alignment = PerfectAlignment(1).fit([frame, s[:, None]])
    assert alignment.ranks_[0] == 3
    assert alignment.canonical_correlations_[0] > 0.999


@pytest.mark.parametrize("exponent", [0, 3, 6, 9])
def test_null_vectors_keep_their_digits_in_mixed_units(exponent):
    unit = 10.0**exponent
    X, Y = related(n_features=(5, 4), shared=2)
    X = (X - X.mean(axis=0)) * [unit, 1, 1, 1, 1 / unit]
    Y = Y - Y.mean(axis=0)
    N = left_null_space([X, Y])
    ours, theirs = X @ N.informative[:, :5].T, Y @ N.informative[:, 5:].T
    assert_allclose(
        ours / np.linalg.norm(theirs, axis=0),
        theirs / np.linalg.norm(theirs, axis=0),
        rtol=0,
        atol=1e-14 * unit,
    )


@pytest.mark.filterwarnings("ignore::perfalign.CollapseWarning")
@pytest.mark.parametrize("ridge", [1e-12, 1e-3, 0.1, 10.0])
def test_a_ridge_keeps_as_many_directions_as_there_are(ridge):
    t = np.linspace(1, 1000, 300)
    rng = np.random.default_rng(0)
    X = np.stack([t**p for p in range(1, 7)], axis=1)
    Y = X + 0.01 * X * rng.normal(size=X.shape)
    test = permutation_test(PerfectAlignment(None, ridge=ridge), [X, Y], 9)
    assert len(test.statistics) == 6
    tiny = rng.normal(size=(200, 3)) * [1, 1e-20, 1e-20]
    wide = np.c_[1e9 * rng.normal(size=200), 1e-9 * rng.normal(size=200)]
    for view in (tiny, wide):
        alignment = PerfectAlignment(view.shape[1], ridge=ridge)
        rho = alignment.fit([view, view]).canonical_correlations_
        assert np.all((-1e-12 < rho) & (rho < 1 + 1e-12))


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_transfer_over_other_alignments_knows_no_unit_of_latents(unit):
    rng = np.random.default_rng(0)
    data = make_gaussian_views(
        600, (3, 3), means=[[-2, 0], [2, 1], [0, 3]], random_state=1
    )
    views = [v + 0.1 * rng.normal(size=v.shape) for v in data.views]
    views = [views[0] * [unit, 1, 1], views[1]]
    views = [view.astype(np.float32) for view in views]
    alignment = RidgeTranslation(ridge=1e-6).fit(views)
    transfer = GaussianTransfer(alignment).fit(views[0], data.labels)
    assert transfer.score(views[0], data.labels) > 0.9
