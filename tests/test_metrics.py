"""Errors and gauge-free figures against closed forms and other libraries."""

from itertools import combinations

import numpy as np
import pytest
import sklearn
from scipy.stats import entropy
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.preprocessing import normalize

from perfalign import PerfectAlignment
from perfalign.metrics import (
    alignment_error,
    component_correlations,
    csls_distances,
    effective_rank,
    explained_variance,
    linear_cka,
    median_rank,
    mutual_neighbours,
    recall,
    reconstruction_error,
    relative_alignment_error,
    retrieval_ranks,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def distances(a, b):
    return np.sqrt(((np.asarray(a) - np.asarray(b)) ** 2).sum(axis=1))


class TestAlignmentError:
    def test_mean_and_rms_of_known_distances(self):
        latents = [[[0, 0], [1, 1]], [[3, 4], [1, 2]]]
        assert alignment_error(latents) == pytest.approx(3.0, rel=1e-15)
        assert alignment_error(latents, kind="rms") == pytest.approx(
            np.sqrt(13), rel=1e-15
        )

    @pytest.mark.parametrize("n_views", [2, 3, 5])
    def test_all_pairs_of_views_are_averaged(self, rng, n_views):
        latents = list(rng.normal(size=(n_views, 40, 3)))
        each = [distances(a, b) for a, b in combinations(latents, 2)]
        assert alignment_error(latents) == pytest.approx(
            np.mean([d.mean() for d in each]), rel=1e-14
        )
        assert alignment_error(latents, kind="rms") == pytest.approx(
            np.sqrt(np.mean([np.mean(d**2) for d in each])), rel=1e-14
        )

    def test_rms_is_the_norm_of_the_smallest_singular_values(self, rng):
        views = [rng.normal(size=(60, 4)), rng.normal(size=(60, 5))]
        U, sigma, _ = np.linalg.svd(np.hstack([views[0], -views[1]]).T)
        A = U[:, -3:].T
        latents = [views[0] @ A[:, :4].T, views[1] @ A[:, 4:].T]
        assert alignment_error(latents, kind="rms") == pytest.approx(
            np.sqrt(np.sum(sigma[-3:] ** 2) / 60), rel=1e-12
        )

    @pytest.mark.parametrize("scale", [1e-200, 1e200])
    @pytest.mark.parametrize("kind", ["mean", "rms"])
    def test_extreme_scales_neither_overflow_nor_vanish(
        self, rng, scale, kind
    ):
        latents = list(rng.normal(size=(2, 30, 2)))
        assert alignment_error(
            [scale * z for z in latents], kind
        ) == pytest.approx(scale * alignment_error(latents, kind), rel=1e-13)

    def test_equal_latents_have_no_error(self, rng):
        z = rng.normal(size=(10, 2))
        assert alignment_error([z, z]) == 0.0
        assert alignment_error([z, z], kind="rms") == 0.0

    @pytest.mark.parametrize(
        "function", [alignment_error, relative_alignment_error]
    )
    @pytest.mark.parametrize(
        ("latents", "message"),
        [
            (np.zeros((2, 5, 2)), "list of matrices.* seen ndarray"),
            ([np.eye(2)], "two or more views; seen 1"),
            ([np.eye(2), np.eye(3)], r"latents\[1\] has shape \(3, 3\); want"),
            ([np.eye(2), np.ones((2, 1))], r"\[1\] .* \(2, 1\).*\(2, 2\)"),
            ([np.eye(2), [1.0, 2.0]], r"latents\[1\].*2D array"),
            ([np.eye(2), [[1, np.nan], [0, 0]]], r"latents\[1\].*NaN"),
            ([1j * np.eye(2), np.eye(2)], r"latents\[0\].*[Cc]omplex"),
            ([np.empty((0, 2)), np.empty((0, 2))], r"latents\[0\].*0 sample"),
        ],
    )
    def test_bad_latents_are_named(self, function, latents, message):
        with pytest.raises(ValueError, match=message):
            function(latents)

    def test_unknown_kind(self):
        with pytest.raises(ValueError, match="kind is 'max'"):
            alignment_error([np.eye(2), np.eye(2)], kind="max")


class TestRelativeAlignmentError:
    def test_opposite_latents_have_two(self, rng):
        z = rng.normal(size=(20, 3))
        z -= z.mean(axis=0)
        assert relative_alignment_error([z, -z]) == pytest.approx(
            2.0, rel=1e-14
        )

    def test_uncorrelated_latents_have_root_two(self):
        z = np.array([[1.0], [1.0], [-1.0], [-1.0]])
        w = np.array([[1.0], [-1.0], [1.0], [-1.0]])
        assert relative_alignment_error([z, w]) == pytest.approx(
            np.sqrt(2), rel=1e-14
        )

    @pytest.mark.parametrize("n_views", [2, 4])
    def test_is_the_quotient_of_error_and_pooled_deviation(self, rng, n_views):
        latents = list(rng.normal(size=(n_views, 30, 2)) * 3 + 7)
        pooled = np.concatenate(latents)
        deviation = np.sqrt(pooled.var(axis=0).sum())
        assert relative_alignment_error(latents) == pytest.approx(
            alignment_error(latents, kind="rms") / deviation, rel=1e-13
        )

    @pytest.mark.parametrize("scale", [1e-150, 1e-3, -1.0, 1e150])
    def test_does_not_change_with_scale(self, rng, scale):
        latents = list(rng.normal(size=(2, 30, 2)))
        assert relative_alignment_error(
            [scale * z for z in latents]
        ) == pytest.approx(relative_alignment_error(latents), rel=1e-13)

    @pytest.mark.parametrize("value", [0.0, 0.1, 1e300])
    def test_collapse_to_a_point_is_an_error(self, value):
        z = np.full((7, 2), value)
        with pytest.raises(ValueError, match="collapse"):
            relative_alignment_error([z, z])

    def test_collapse_up_to_rounding_is_an_error(self):
        z = np.full((7, 2), 0.1)
        with pytest.raises(ValueError, match="collapse"):
            relative_alignment_error([z, np.nextafter(z, 1)])


class TestReconstructionError:
    def test_distance_to_the_truth(self):
        true, estimate = [[0, 0], [1, 1]], [[3, 4], [1, 2]]
        assert reconstruction_error(true, estimate) == pytest.approx(
            3.0, rel=1e-15
        )
        assert reconstruction_error(
            true, estimate, kind="rms"
        ) == pytest.approx(np.sqrt(13), rel=1e-15)

    @pytest.mark.parametrize(
        ("up_to", "intercept"), [("linear", False), ("affine", True)]
    )
    @pytest.mark.parametrize("kind", ["mean", "rms"])
    def test_best_map_is_that_of_linear_regression(
        self, rng, up_to, intercept, kind
    ):
        true = rng.normal(size=(50, 2)) + 3
        estimate = rng.normal(size=(50, 4)) - 2
        model = LinearRegression(fit_intercept=intercept).fit(estimate, true)
        found = distances(true, model.predict(estimate))
        wanted = found.mean() if kind == "mean" else np.sqrt(np.mean(found**2))
        assert reconstruction_error(
            true, estimate, kind=kind, up_to=up_to
        ) == pytest.approx(wanted, rel=1e-13)

    def test_gauge_is_seen_through(self, rng):
        z = rng.normal(size=(100, 3))
        G = rng.normal(size=(3, 3))
        assert reconstruction_error(z, z @ G) > 0.5
        assert reconstruction_error(z, z @ G, up_to="linear") < 1e-13
        shifted = z @ G + [10, -20, 30]
        assert reconstruction_error(z, shifted, up_to="linear") > 0.1
        assert reconstruction_error(z, shifted, up_to="affine") < 1e-12

    def test_mean_far_from_zero_costs_no_digits(self, rng):
        z = np.round(rng.normal(size=(100, 2)) * 2**20) / 2**20
        assert np.array_equal(z + 2**27 - 2**27, z)
        assert reconstruction_error(z + 2**27, z, up_to="affine") < 1e-14
        assert reconstruction_error(z, z + 2**27, up_to="affine") < 1e-14

    def test_dependent_columns_change_nothing(self, rng):
        true, estimate = rng.normal(size=(2, 50, 2))
        doubled = np.hstack([estimate, estimate @ [[1.0], [2.0]]])
        assert reconstruction_error(
            true, doubled, up_to="affine"
        ) == pytest.approx(
            reconstruction_error(true, estimate, up_to="affine"), rel=1e-13
        )

    def test_constant_estimate_leaves_the_deviation(self, rng):
        true = rng.normal(size=(50, 2))
        assert reconstruction_error(
            true, np.full((50, 2), 0.1), kind="rms", up_to="affine"
        ) == pytest.approx(np.sqrt(true.var(axis=0).sum()), rel=1e-14)

    @pytest.mark.parametrize(
        ("estimate", "up_to", "message"),
        [
            (np.ones((3, 3)), None, r"shape \(3, 3\); wanted \(3, 2\)"),
            (np.ones((4, 2)), "affine", r"shape \(4, 2\); wanted \(3, 2\)"),
            (np.ones((3, 2)), "rotation", "up_to is 'rotation'"),
            (np.full((3, 2), np.inf), None, "latents_estimate.*infinity"),
        ],
    )
    def test_bad_input_is_named(self, estimate, up_to, message):
        with pytest.raises(ValueError, match=message):
            reconstruction_error(np.ones((3, 2)), estimate, up_to=up_to)

    def test_bad_truth_and_kind_are_named(self):
        with pytest.raises(ValueError, match="latents_true"):
            reconstruction_error([["a"]], [[1.0]])
        with pytest.raises(ValueError, match="kind is 'mse'"):
            reconstruction_error([[1.0]], [[1.0]], kind="mse")


class TestEffectiveRank:
    @pytest.mark.parametrize("k", [1, 2, 5])
    def test_even_variance_counts_every_dimension(self, k):
        z = np.vstack([np.eye(k), -np.eye(k)])
        assert effective_rank(z) == pytest.approx(k, rel=1e-14)

    def test_exponential_of_the_eigenvalues_entropy(self, rng):
        z = rng.normal(size=(80, 4)) @ rng.normal(size=(4, 4)) + 9
        eigenvalues = np.linalg.eigvalsh(np.cov(z.T))
        assert effective_rank(z) == pytest.approx(
            np.exp(entropy(eigenvalues)), rel=1e-12
        )

    def test_rotation_shift_and_scale_change_nothing(self, rng):
        z = rng.normal(size=(50, 3)) * [1, 2, 5]
        Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        wanted = effective_rank(z)
        assert effective_rank(z @ Q + 4) == pytest.approx(wanted, rel=1e-13)
        for scale in (1e-200, 1e200):
            assert effective_rank(scale * z) == pytest.approx(
                wanted, rel=1e-13
            )

    def test_one_varying_dimension_is_one(self):
        z = np.column_stack([np.arange(9), np.full(9, 0.1)])
        assert effective_rank(z) == pytest.approx(1.0, abs=1e-15)

    @pytest.mark.parametrize("value", [0.0, 0.1, 1e5])
    def test_constant_latents_use_no_dimension(self, value):
        assert effective_rank(np.full((10, 3), value)) == 0.0
        noisy = np.full((10, 3), value)
        noisy[::2] = np.nextafter(noisy[::2], np.inf) if value else 0.0
        assert effective_rank(noisy) == 0.0


class TestExplainedVariance:
    def test_is_the_mean_r2_of_linear_regression(self, rng):
        latents = rng.normal(size=(60, 2)) + 1
        view = latents @ rng.normal(size=(2, 5)) + rng.normal(size=(60, 5)) - 8
        fitted = LinearRegression().fit(latents, view).predict(latents)
        assert explained_variance(view, latents) == pytest.approx(
            r2_score(view, fitted, multioutput="uniform_average"), rel=1e-13
        )

    def test_agrees_with_the_estimator(self, rng):
        views = [rng.normal(size=(60, d)) + d for d in (3, 4)]
        alignment = PerfectAlignment(n_components=2).fit(views)
        for m, (view, z) in enumerate(
            zip(views, alignment.transform(views), strict=True)
        ):
            assert explained_variance(view, z) == pytest.approx(
                alignment.explained_variance_[m], rel=1e-12
            )

    def test_invertible_maps_and_scales_change_nothing(self, rng):
        view, latents = rng.normal(size=(2, 40, 3))
        wanted = explained_variance(view, latents)
        other = latents @ rng.normal(size=(3, 3)) - 2
        assert explained_variance(view, other) == pytest.approx(
            wanted, rel=1e-12
        )
        for scale in (1e-200, 1e200, 10.0 ** np.array([-9, 0, 9])):
            assert explained_variance(
                scale * view, latents / scale
            ) == pytest.approx(wanted, rel=1e-12)
        padded = np.column_stack([view, np.full(40, 0.1)])
        assert explained_variance(padded, latents) == pytest.approx(wanted)

    def test_extremes(self, rng):
        view = rng.normal(size=(40, 3))
        assert explained_variance(view, 2 * view - 1) == pytest.approx(
            1.0, abs=1e-14
        )
        for value in (0.0, 0.1):
            assert explained_variance(view, np.full((40, 2), value)) == 0.0

    def test_half_of_two_equal_features(self):
        view = [[1, 1], [1, -1], [-1, 1], [-1, -1]]
        assert explained_variance(view, np.array(view)[:, :1]) == (
            pytest.approx(0.5, rel=1e-15)
        )

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match=r"\(5, 5\) .* \(4, 4\)"):
            explained_variance(np.eye(5), np.eye(4))
        with pytest.raises(ValueError, match="does not vary"):
            explained_variance(np.full((4, 2), 0.1), np.eye(4))


def ranks_by_definition(queries, gallery):
    ranks = []
    for i, q in enumerate(queries):
        delta = [np.sum((q - g) ** 2) for g in gallery]
        others = delta[:i] + delta[i + 1 :]
        ranks.append(
            1
            + sum(d < delta[i] for d in others)
            + sum(d == delta[i] for d in others) / 2
        )
    return ranks


class TestRetrieval:
    def test_ranks_by_definition(self, rng):
        queries, gallery = rng.normal(size=(2, 80, 3))
        assert list(retrieval_ranks(queries, gallery)) == ranks_by_definition(
            queries, gallery
        )

    def test_ranks_by_definition_with_many_ties(self, rng):
        queries, gallery = rng.integers(0, 3, size=(2, 80, 2)).astype(float)
        ranks = retrieval_ranks(queries, gallery)
        assert list(ranks) == ranks_by_definition(queries, gallery)
        assert np.any(ranks % 1 == 0.5)

    @pytest.mark.parametrize("value", [0.0, 0.1])
    def test_collapse_is_no_better_than_guessing(self, value):
        z = np.full((11, 2), value)
        assert list(retrieval_ranks(z, z)) == [6.0] * 11
        assert median_rank(z, z) == 6.0
        assert recall(z, z, k=5) == 0.0
        assert recall(z, z, k=6) == 1.0

    def test_duplicates_share_their_places(self):
        z = np.array([[0.1, 0.7], [0.1, 0.7], [0.3, 0.2]])
        assert list(retrieval_ranks(z, z)) == [1.5, 1.5, 1.0]
        assert recall(z, z) == pytest.approx(1 / 3, rel=1e-15)
        assert recall(z, z, k=2) == 1.0

    def test_distances_far_below_the_square_root_of_precision(self):
        # The formula |q|² − 2 q·g + |g|² sees only zeros here.
        steps = np.arange(50)[:, np.newaxis] * 1e-12
        queries = 1.0 + steps
        gallery = queries + 1e-13
        assert list(retrieval_ranks(queries, gallery)) == [1.0] * 50
        assert recall(queries, gallery[::-1]) == 0.0

    @pytest.mark.parametrize("scale", [1e-200, 1e-150, 1e150, 1e200])
    def test_scale_changes_nothing(self, rng, scale):
        queries = rng.normal(size=(40, 2))
        gallery = queries + rng.normal(size=(40, 2)) / 4
        np.testing.assert_array_equal(
            retrieval_ranks(scale * queries, scale * gallery),
            retrieval_ranks(queries, gallery),
        )

    def test_blocks_change_nothing(self, rng):
        queries, gallery = rng.normal(size=(2, 200, 3))
        whole = retrieval_ranks(queries, gallery)
        with sklearn.config_context(working_memory=0.01):
            np.testing.assert_array_equal(
                retrieval_ranks(queries, gallery), whole
            )

    def test_recall_and_median_summarise_the_ranks(self, rng):
        queries = rng.normal(size=(60, 2))
        gallery = queries + rng.normal(size=(60, 2))
        ranks = np.array(ranks_by_definition(queries, gallery))
        for k in (1, 3, 10, 60):
            assert recall(queries, gallery, k=k) == np.mean(ranks <= k)
        assert recall(queries, gallery) == np.mean(ranks == 1)
        assert median_rank(queries, gallery) == np.median(ranks)

    def test_bad_input_is_named(self):
        with pytest.raises(ValueError, match=r"\(2, 2\) .* \(3, 3\)"):
            retrieval_ranks(np.eye(2), np.eye(3))
        with pytest.raises(ValueError, match="gallery"):
            retrieval_ranks(np.eye(2), [[1, np.nan], [0, 1]])
        for k in (0, 1.5, "1"):
            with pytest.raises(ValueError, match="k is .*at least 1"):
                recall(np.eye(2), np.eye(2), k=k)


class TestComponentCorrelations:
    def test_they_are_pearsons_over_all_pairs_of_views(self, rng):
        concept = rng.normal(size=(50, 3))
        latents = [concept + rng.normal(size=(50, 3)) for _ in range(3)]
        wanted = [
            [np.corrcoef(a[:, j], b[:, j])[0, 1] for j in range(3)]
            for a, b in combinations(latents, 2)
        ]
        found = component_correlations(dict(zip("abc", latents)))
        np.testing.assert_allclose(found, np.mean(wanted, axis=0), atol=1e-14)

    def test_neither_units_nor_origin_matter(self, rng):
        latents = list(rng.normal(size=(2, 50, 3)))
        changed = [1e-180 * latents[0], 1e170 * latents[1] + 1e169]
        np.testing.assert_allclose(
            component_correlations(changed),
            component_correlations(latents),
            atol=1e-13,
        )

    def test_a_constant_has_none(self, rng):
        # Means of equal numbers, such as 0.1, need not be exact.
        z = rng.normal(size=(10, 2))
        flat = np.column_stack([z[:, 0], np.full(10, 0.1)])
        np.testing.assert_allclose(
            component_correlations([z, flat]), [1, 0], atol=1e-15
        )

    def test_on_fitted_pairs_they_are_the_canonical_correlations(self, rng):
        views = [rng.normal(size=(60, d)) for d in (4, 5)]
        alignment = PerfectAlignment(2)
        np.testing.assert_allclose(
            component_correlations(alignment.fit_transform(views)),
            alignment.canonical_correlations_[:2],
            atol=1e-12,
        )


class TestLocalScaling:
    @pytest.mark.parametrize("k", [1, 3, 40])
    def test_on_unit_rows_it_is_that_of_conneau_and_others(self, rng, k):
        queries = normalize(rng.normal(size=(40, 3)))
        gallery = normalize(queries + rng.normal(size=(40, 3)))
        cosines = queries @ gallery.T
        near = np.sort(cosines, axis=1)[:, -k:].mean(axis=1)
        near_of_gallery = np.sort(cosines, axis=0)[-k:].mean(axis=0)
        scaled = 2 * cosines - near[:, np.newaxis] - near_of_gallery
        wanted = 1 + np.sum(scaled > np.diag(scaled)[:, np.newaxis], axis=1)
        found = retrieval_ranks(queries, gallery, csls=k)
        np.testing.assert_array_equal(found, wanted)

    def test_hubs_lose_the_first_places(self, rng):
        # Thirty items near the mean are nearer to all than their partners.
        queries = rng.normal(size=(300, 50))
        gallery = queries + 1.5 * rng.normal(size=(300, 50))
        gallery[::10] /= 10
        assert recall(queries, gallery) == 0.1
        assert median_rank(queries, gallery) == 31
        assert recall(queries, gallery, csls=10) > 0.35
        assert median_rank(queries, gallery, csls=10) < 20

    def test_neither_blocks_nor_scale_change_anything(self, rng):
        queries, gallery = rng.normal(size=(2, 200, 3))
        whole = retrieval_ranks(queries, gallery, csls=5)
        with sklearn.config_context(working_memory=0.01):
            again = retrieval_ranks(1e170 * queries, 1e170 * gallery, csls=5)
        np.testing.assert_array_equal(again, whole)

    def test_collapse_and_copies_are_ties_still(self):
        z = np.full((11, 2), 0.1)
        assert list(retrieval_ranks(z, z, csls=3)) == [6.0] * 11

    @pytest.mark.parametrize("k", [0, 4, 1.0, True])
    def test_neighbours_that_are_not_there(self, k):
        with pytest.raises(ValueError, match="csls is .* from 1 to 3, the nu"):
            retrieval_ranks(np.eye(3), np.eye(3), csls=k)


class TestScaledDistances:
    @pytest.mark.parametrize("k", [1, 3, 25])
    def test_they_are_what_ranks_are_found_by(self, rng, k):
        queries, gallery = rng.normal(size=(2, 25, 4))
        scaled = csls_distances(queries, gallery, k)
        own = np.diag(scaled)[:, np.newaxis]
        np.testing.assert_array_equal(
            1 + np.sum(scaled < own, axis=1),
            retrieval_ranks(queries, gallery, csls=k),
        )

    def test_both_sides_are_scaled_and_may_differ_in_rows(self, rng):
        queries, gallery = rng.normal(size=(6, 3)), rng.normal(size=(9, 3))
        plain = np.array(
            [[np.sum((q - g) ** 2) for g in gallery] for q in queries]
        )
        near = np.sort(plain, axis=1)[:, :2].mean(axis=1)
        far = np.sort(plain, axis=0)[:2].mean(axis=0)
        wanted = plain - near[:, np.newaxis] / 2 - far / 2
        found = csls_distances(queries, gallery, 2)
        np.testing.assert_allclose(found, wanted, atol=1e-12)
        np.testing.assert_allclose(
            csls_distances(gallery, queries, 2), wanted.T, atol=1e-12
        )

    @pytest.mark.parametrize("power", [-560, 0, 20, 505, 560])
    def test_units_are_squared_and_may_be_of_any_size(self, rng, power):
        queries, gallery = rng.normal(size=(6, 3)), rng.normal(size=(9, 3))
        found = csls_distances(
            np.ldexp(queries, power), np.ldexp(gallery, power), 2
        )
        plain = csls_distances(queries, gallery, 2)
        with np.errstate(over="ignore", under="ignore"):
            np.testing.assert_array_equal(found, np.ldexp(plain, 2 * power))

    def test_other_columns_or_neighbours_are_refused(self):
        with pytest.raises(ValueError, match="3 columns and gallery has 2"):
            csls_distances(np.eye(3), np.eye(2))
        with pytest.raises(ValueError, match="k is 4; .* from 1 to 3|k is 4"):
            csls_distances(np.eye(3), np.ones((5, 3)), 4)


def centred(view):
    return view - view.mean(axis=0)


class TestLinearCKA:
    def test_it_compares_centred_kernels(self, rng):
        X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 6))
        Y[:, :2] += X[:, :2]
        K, L = (centred(v) @ centred(v).T for v in (X, Y))
        wanted = np.sum(K * L) / np.linalg.norm(K) / np.linalg.norm(L)
        assert linear_cka(X, Y) == pytest.approx(wanted, rel=1e-13)

    def test_debiased_it_is_that_of_song_and_others(self, rng):
        X, Y = rng.normal(size=(20, 4)) + 3, rng.normal(size=(20, 6))
        Y[:, :2] += X[:, :2]
        n, one = 20, np.ones(20)

        def hsic(K, L):
            K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
            return (
                np.trace(K @ L)
                + (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2))
                - 2 / (n - 2) * (one @ K @ L @ one)
            )

        K, L = X @ X.T, Y @ Y.T
        wanted = hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))
        found = linear_cka(X, Y, debiased=True)
        assert found == pytest.approx(wanted, rel=1e-10)

    @pytest.mark.parametrize("debiased", [False, True])
    def test_rotation_one_unit_and_origin_do_not_matter(self, rng, debiased):
        X = rng.normal(size=(30, 4))
        turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
        found = linear_cka(X, 1e160 * (X @ turn + 5), debiased=debiased)
        assert found == pytest.approx(1, rel=1e-13)
        assert linear_cka(X, X * [1, 1, 1, 9], debiased=debiased) < 0.9

    @pytest.mark.parametrize("n", [4, 5, 10, 50])
    def test_rows_equally_far_from_each_other_have_no_debiased_norm(
        self, rng, n
    ):
        Y = rng.normal(size=(n, 3))
        with pytest.raises(ValueError, match="Y of shape .* has no norm"):
            linear_cka(Y, np.eye(n), debiased=True)
        with pytest.raises(ValueError, match="X of shape .* has no norm"):
            linear_cka(np.eye(n), np.eye(n), debiased=True)
        assert linear_cka(np.eye(n), np.eye(n)) == pytest.approx(1)
        one_off = np.eye(n)
        one_off[0, 1] = 0.01
        found = linear_cka(one_off, one_off, debiased=True)
        assert found == pytest.approx(1)

    def test_chance_gives_much_to_many_features_unless_debiased(self, rng):
        pairs = rng.normal(size=(50, 2, 30, 200))
        assert np.mean([linear_cka(X, Y) for X, Y in pairs]) > 0.8
        found = [linear_cka(X, Y, debiased=True) for X, Y in pairs]
        assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(50)
        assert min(found) < 0

    def test_bad_input_is_named(self, rng):
        X = rng.normal(size=(3, 2))
        with pytest.raises(
            ValueError, match="Y has shape .2, 2.; wanted .3, 2."
        ):
            linear_cka(X, X[:2])
        with pytest.raises(ValueError, match="Y of shape .* does not vary"):
            linear_cka(X, 0 * X + 0.1)
        with pytest.raises(ValueError, match="at least four rows; seen 3"):
            linear_cka(X, X, debiased=True)


class TestMutualNeighbours:
    @pytest.mark.parametrize("d", [3, 30])
    def test_neighbours_are_counted(self, rng, d):
        X = rng.normal(size=(60, d))
        Y = X + rng.normal(size=(60, d)) / 2
        near = []
        for view in (X, Y):
            between = ((view[:, np.newaxis] - view) ** 2).sum(axis=2)
            np.fill_diagonal(between, np.inf)
            near.append(np.argsort(between, axis=1)[:, :7])
        common = [len({*a} & {*b}) for a, b in zip(*near)]
        wanted = np.mean(common) / 7
        assert mutual_neighbours(X, Y, 7) == pytest.approx(wanted, rel=1e-15)
        assert 0.1 < wanted < 0.9

    def test_rotation_unit_and_origin_of_a_view_do_not_matter(self, rng):
        X = rng.normal(size=(60, 4))
        turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
        assert mutual_neighbours(X, 1e170 * (X @ turn + 5)) == 1
        assert mutual_neighbours(X, X * [1, 1, 1, 9]) < 1

    @pytest.mark.parametrize(
        "view",
        [
            lambda rng: np.eye(5)[rng.integers(0, 5, 120)],
            lambda rng: rng.integers(0, 2, size=(120, 3)),
            lambda rng: rng.poisson(0.3, size=(120, 8)),
            lambda rng: rng.normal(size=(120, 4)).round(),
        ],
    )
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_a_copy_with_ties_has_all_neighbours_in_common(
        self, rng, view, dtype
    ):
        X = view(rng).astype(dtype)
        d = X.shape[1]
        turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
        turned = (X @ turn + 7).astype(dtype)
        assert mutual_neighbours(X, turned) == pytest.approx(1, rel=1e-12)
        Y = view(rng)
        order = rng.permutation(120)
        assert mutual_neighbours(X, Y) == pytest.approx(
            mutual_neighbours(X[order], Y[order]), rel=1e-12
        )

    def test_ties_share_the_places_that_are_left(self):
        # Five items, of two kinds in one view and of three in the other.
        X = np.array([0, 0, 0, 1, 1.0])[:, None]
        Y = np.array([0, 0, 5, 5, 9.0])[:, None]
        near_x = np.array(
            [
                [0, 1, 1, 0, 0],
                [1, 0, 1, 0, 0],
                [1, 1, 0, 0, 0],
                [1 / 3, 1 / 3, 1 / 3, 0, 1],
                [1 / 3, 1 / 3, 1 / 3, 1, 0],
            ]
        )
        near_y = np.array(
            [
                [0, 1, 1 / 2, 1 / 2, 0],
                [1, 0, 1 / 2, 1 / 2, 0],
                [0, 0, 0, 1, 1],
                [0, 0, 1, 0, 1],
                [0, 0, 1, 1, 0],
            ]
        )
        wanted = np.minimum(near_x, near_y).sum() / 10
        assert mutual_neighbours(X, Y, 2) == pytest.approx(wanted, rel=1e-14)

    def test_small_distances_do_not_cancel(self, rng):
        centres = rng.normal(size=(10, 20))[rng.integers(0, 10, 300)]
        X = centres + 1e-8 * rng.normal(size=(300, 20))
        assert mutual_neighbours(X, 2 * X) == 1
        X = rng.normal(size=(100, 20))
        X[0] *= 1e9
        turn = np.linalg.qr(rng.normal(size=(20, 20)))[0]
        assert mutual_neighbours(X, X @ turn) == pytest.approx(1, rel=1e-12)

    def test_unrelated_views_share_what_chance_gives(self, rng):
        found = [
            mutual_neighbours(*rng.normal(size=(2, 101, 5))) for _ in range(30)
        ]
        assert np.mean(found) == pytest.approx(10 / 100, abs=0.01)

    def test_bad_input_is_named(self, rng):
        X = rng.normal(size=(5, 2))
        with pytest.raises(ValueError, match="k is 5; wanted .* from 1 to 4"):
            mutual_neighbours(X, X, 5)
        with pytest.raises(ValueError, match="X of shape .* does not vary"):
            mutual_neighbours(np.ones((5, 2)), X, 2)
