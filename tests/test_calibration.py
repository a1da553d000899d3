"""Any statistic beside its null, bounds of correlations, numbers of pairs."""

from dataclasses import astuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import beta, bootstrap, f, kstest, nbinom

from perfalign import (
    PerfectAlignment,
    permutation_test,
    relative_alignment_error,
)
from perfalign.metrics import (
    component_correlations,
    linear_cka,
)
from perfalign.model_selection import (
    correlation_intervals,
    permutation_calibration,
    required_samples,
)
from perfalign.model_selection._theil import Complement


def pairs(rng, n, rho, d1, d2=None):
    """Gaussian views of which the first features correlate."""
    x, y = rng.normal(size=(n, d1)), rng.normal(size=(n, d2 or d1))
    rho = np.atleast_1d(rho)
    k = len(rho)
    y[:, :k] = rho * x[:, :k] + np.sqrt(1 - rho**2) * y[:, :k]
    return [x, y]


def largest(*views):
    return PerfectAlignment(1).fit(views).canonical_correlations_[0]


class TestCalibration:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"groups": np.arange(40) // 2},
            {"nuisance": np.arange(40.0)[:, None]},
        ],
    )
    def test_shuffles_are_those_of_the_permutation_test(self, options):
        views = pairs(np.random.default_rng(0), 40, 0.3, 4, 3)
        views.append(views[0] + views[1][:, :1])
        test = permutation_test(
            PerfectAlignment(1, center="nuisance" not in options),
            views,
            29,
            random_state=3,
            **options,
        )
        if "nuisance" in options:
            # The constant is gone, and not to be taken away again.
            def statistic(*rows):
                fit = PerfectAlignment(1, center=False).fit(rows)
                return fit.canonical_correlations_[0]
        else:
            statistic = largest
        found = permutation_calibration(
            statistic, views, 29, random_state=3, **options
        )
        assert_allclose(found.null, test.null[:, 0], rtol=0, atol=1e-12)
        assert_allclose(found.statistic, test.statistics[0], atol=1e-12)
        assert found.p_value == test.p_values[0]

    def test_calibrated_values_by_hand(self):
        views = pairs(np.random.default_rng(0), 50, 0.8, 6)
        found = permutation_calibration(linear_cka, views, 20, random_state=0)
        rng = np.random.RandomState(0)
        null = np.array(
            [
                linear_cka(views[0], views[1][rng.permutation(50)])
                for _ in range(20)
            ]
        )
        assert_array_equal(found.null, null)
        assert found.statistic == linear_cka(*views)
        excess = found.statistic - null.mean()
        assert found.z_score == pytest.approx(excess / null.std())
        wanted = excess / (1 - null.mean())
        assert found.calibrated() == pytest.approx(wanted, rel=1e-14)
        wanted = excess / (0.5 - null.mean())
        assert found.calibrated(best=0.5) == pytest.approx(wanted, rel=1e-14)

    @pytest.mark.parametrize(
        "statistic",
        [
            linear_cka,
            lambda x, y: -relative_alignment_error([x, y]),
        ],
    )
    def test_unrelated_views_are_accepted_as_seldom_as_was_asked(
        self, statistic
    ):
        p_values = [
            permutation_calibration(
                statistic,
                list(np.random.default_rng(seed).normal(size=(2, 12, 3))),
                19,
                random_state=seed,
            ).p_value
            for seed in range(100)
        ]
        # At most 5 %, but for the error of the count.
        assert np.mean(np.array(p_values) <= 0.05) < 0.05 + 2.6 * 0.0218

    def test_the_largest_and_the_dimensions_no_longer_mean_anything(self):
        for d, plain in ((5, 0.1), (200, 0.8)):
            views = pairs(np.random.default_rng(0), 40, 0.0, d)
            found = permutation_calibration(
                linear_cka, views, 200, random_state=0
            )
            assert found.statistic > plain
            assert abs(found.calibrated()) < 0.1

    def test_the_statistic_sees_rows_without_nuisance_variables(self):
        rng = np.random.default_rng(0)
        views, nuisance = pairs(rng, 30, 0.5, 3), rng.normal(size=(30, 4))
        seen = []

        def spy(x, y):
            seen.append((x, y))
            return 0.0

        found = permutation_calibration(
            spy, views, 2, nuisance=nuisance, random_state=0
        )
        assert found.p_value == 1.0
        complement = Complement.of(nuisance, 30)
        left, right = (complement.rows(v, np.zeros(3)) for v in views)
        assert_array_equal(seen[0][0], left)
        assert_array_equal(seen[1][0], left)
        assert_array_equal(np.sort(seen[2][1], axis=0), np.sort(right, axis=0))

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_views_that_are_the_nuisance_have_nothing_left(self, dtype):
        Z = np.random.default_rng(0).normal(size=(30, 3)) + 5

        def covariance(x, y):
            return float(np.sum((x.T @ y) ** 2))

        found = permutation_calibration(
            covariance,
            [Z, 2 * Z + 1],
            9,
            nuisance=Z.astype(dtype),
            random_state=0,
        )
        assert (found.statistic, found.p_value) == (0.0, 1.0)

    def test_what_a_statistic_writes_is_its_own_affair(self):
        def centring(x, y):
            x -= 1
            y *= 2
            return float(np.sum(x * y))

        views = pairs(np.random.default_rng(0), 20, 0.3, 3)
        before = [view.copy() for view in views]
        found = permutation_calibration(centring, views, 9, random_state=0)
        assert_array_equal(views, before)
        wanted = permutation_calibration(
            lambda x, y: centring(x.copy(), y.copy()),
            views,
            9,
            random_state=0,
        )
        assert_array_equal(found.null, wanted.null)

    def test_where_chance_reaches_the_best_there_is_no_scale(self):
        views = [np.eye(6), np.eye(6)]
        same = permutation_calibration(
            lambda x, y: 1.0, views, 5, random_state=0
        )
        assert same.p_value == 1.0
        assert np.isnan(same.z_score) and np.isnan(same.calibrated())

    def test_processes_change_no_number(self):
        views = pairs(np.random.default_rng(0), 40, 0.3, 3)
        one, two = (
            permutation_calibration(
                linear_cka, views, 19, random_state=0, n_jobs=n_jobs
            )
            for n_jobs in (None, 2)
        )
        assert_array_equal(one.null, two.null)

    @pytest.mark.parametrize(
        "statistic, message",
        [
            (3, "statistic is 3; wanted a function"),
            (lambda x, y: x[0], "returned array.*; wanted a finite number"),
            (lambda x, y: np.nan, "returned array.nan.*; wanted a finite"),
            (lambda x, y: np.inf, "returned array.inf.*; wanted a finite"),
            (lambda x, y: -np.inf, "returned array.-inf.*; wanted a finite"),
            (lambda x, y: "one", "wanted a finite number"),
        ],
    )
    def test_what_is_no_statistic(self, statistic, message):
        with pytest.raises(ValueError, match=message):
            permutation_calibration(statistic, [np.eye(4), np.eye(4)], 3)


class Recoded(PerfectAlignment):
    """Of which the true correlations are known."""

    def true(self, rho):
        A, B = self.encoders_
        across = np.sum(A * rho * B, axis=1)
        return across / np.linalg.norm(A, axis=1) / np.linalg.norm(B, axis=1)


class Given:
    """Whose latents are the views."""

    def fit(self, views):
        return self

    def transform(self, views):
        return views


class TestIntervals:
    rho = np.array([0.8, 0.5, 0.0, 0.0])

    def one(self, seed, n=100, copies=1, groups=None):
        rng = np.random.default_rng([3, seed])
        fit = Recoded(2).fit(pairs(rng, 60, self.rho, 4))
        new = [np.repeat(v, copies, 0) for v in pairs(rng, n, self.rho, 4)]
        found = correlation_intervals(
            fit, new, n_resamples=999, groups=groups, random_state=seed
        )
        return fit.true(self.rho), found

    def test_they_hold_the_true_correlation_as_often_as_was_asked(self):
        inside = []
        for seed in range(200):
            true, found = self.one(seed)
            inside.append((found.low <= true) & (true <= found.high))
        # 95 %, but for the error of the count and of few samples.
        share = np.mean(inside, axis=0)
        assert np.all(share > 0.95 - 2.6 * 0.0154 - 0.01)
        assert np.all(share < 0.95 + 2.6 * 0.0154)

    def test_fitted_pairs_would_deceive(self):
        rng = np.random.default_rng(0)
        seen = pairs(rng, 60, 0.0, 10)
        fit = Recoded(1).fit(seen)
        inside, new = (
            correlation_intervals(fit, views, n_resamples=999, random_state=0)
            for views in (seen, pairs(rng, 60, 0.0, 10))
        )
        true = fit.true(np.zeros(10))
        assert inside.low[0] > 0.3 > true[0]
        assert new.low[0] < true[0] < new.high[0]

    def test_moments_give_the_correlations_of_any_sample(self):
        """As SciPy finds them when it resamples the latents themselves."""
        rng = np.random.default_rng(0)
        views = pairs(rng, 40, self.rho, 4)
        views.append(views[0] + rng.normal(size=(40, 4)))
        fit = PerfectAlignment(3).fit(views)
        latents = fit.transform(views)
        found = correlation_intervals(
            fit, views, level=0.9, n_resamples=99, random_state=5
        )
        wanted = bootstrap(
            (np.arange(40),),
            lambda rows: component_correlations([z[rows] for z in latents]),
            n_resamples=99,
            vectorized=False,
            confidence_level=0.9,
            random_state=np.random.RandomState(5),
        )
        assert_allclose(found.correlations, component_correlations(latents))
        for name, bound in zip(("low", "high"), wanted.confidence_interval):
            assert_allclose(getattr(found, name), bound, rtol=0, atol=1e-12)
        assert_allclose(found.standard_errors, wanted.standard_error)

    def test_copies_in_groups_count_once(self):
        plain = astuple(self.one(0)[1])
        grouped = self.one(0, copies=5, groups=np.repeat(np.arange(100), 5))
        for found, wanted in zip(astuple(grouped[1]), plain):
            assert_allclose(found, wanted, rtol=0, atol=1e-12)
        loose = self.one(0, copies=5)[1]
        assert np.all(loose.high - loose.low < 0.6 * (plain[2] - plain[1]))

    def test_perfect_and_constant_latents(self):
        z = np.random.default_rng(0).normal(size=(50, 2))
        views = [z @ [[1, 2, 0], [0, 1, 1]], z @ [[1, 0], [3, 1]]]
        fit = PerfectAlignment(2).fit(views)
        found = correlation_intervals(fit, views, random_state=0)
        assert_allclose([found.low, found.high], 1, rtol=0, atol=1e-12)
        flat = [view[:1].repeat(50, axis=0) for view in views]
        found = correlation_intervals(fit, flat, random_state=0)
        assert_array_equal(astuple(found), np.zeros((4, 2)))

    def test_resamples_of_one_value_are_left_out(self):
        """One in four of six items' resamples has one value in a view."""
        rng = np.random.default_rng(0)
        kind = np.array([0, 0, 0, 0, 1, 1.0])[:, None] / 3 + 0.1
        other = kind + 0.2 * rng.normal(size=(6, 1))
        for views in ([kind, kind], [kind, -kind]):
            found = correlation_intervals(Given(), views, random_state=0)
            r = np.sign(np.sum(views[0] * views[1]))
            assert_allclose([found.low, found.high], r, rtol=0, atol=1e-12)
            assert_allclose(found.standard_errors, 0, rtol=0, atol=1e-12)
        found = correlation_intervals(Given(), [kind, other], random_state=3)
        draws = np.random.RandomState(3).randint(0, 6, size=(9999, 6))
        x, y = kind[draws, 0], other[draws, 0]
        varies = np.ptp(x, axis=1) > 0
        assert 0.05 < np.mean(~varies) < 0.3
        r = [np.corrcoef(*pair)[0, 1] for pair in zip(x[varies], y[varies])]
        error = np.std(r, ddof=1)
        assert_allclose(found.standard_errors, error, rtol=1e-10)
        assert -1 <= found.low[0] < found.correlations[0] < found.high[0] <= 1

    def test_where_no_bound_can_be_given_it_is_said(self):
        rng = np.random.default_rng(0)
        noise = rng.normal(size=(30, 1))
        one = np.zeros((30, 2))
        one[3, 0], one[:, 1] = 1 / 3, noise[:, 0]
        views = [one, rng.normal(size=(30, 2))]
        with pytest.warns(UserWarning, match=r"for component 0 \(nan\)"):
            found = correlation_intervals(Given(), views, random_state=0)
        assert np.isnan([found.low[0], found.high[0]]).all()
        assert found.low[1] < found.high[1]

    @pytest.mark.parametrize(
        "options, message",
        [
            ({"level": 1.0}, "level is 1.0"),
            ({"n_resamples": 0}, "n_resamples is 0"),
            ({"groups": np.arange(60) // 20}, "Seen 3 samples or groups"),
            ({"groups": np.arange(5)}, "groups has 5 labels; wanted 60"),
        ],
    )
    def test_bad_input_is_named(self, options, message):
        views = pairs(np.random.default_rng(0), 60, 0.5, 2)
        fit = PerfectAlignment(1).fit(views)
        with pytest.raises(ValueError, match=message):
            correlation_intervals(fit, views, **options)


def largest_roots(rng, n, rho, d1, d2, n_draws):
    """Of r² / (1 − r²), for Gaussian views: by its law given one view."""
    omega = rho**2 / (1 - rho**2) * rng.chisquare(n - 1, n_draws)
    roots = []
    for one in omega:
        G = rng.normal(size=(d2, d1))
        G[0, 0] += one**0.5
        left = rng.chisquare(n - 1 - d2 - np.arange(d1))
        R = np.triu(rng.normal(size=(d1, d1)), 1) + np.diag(left**0.5)
        roots.append(np.linalg.norm(np.linalg.solve(R.T, G.T), 2) ** 2)
    return np.array(roots)


class TestRequiredSamples:
    @pytest.mark.parametrize(
        "rho, d1, d2",
        [
            (0.5, 1, 1),
            (0.5, 6, 1),
            (0.5, 2, 2),
            (0.3, 3, 8),
            (0.8, 5, 5),
            (0.5, 20, 20),
            (0.7, 10, 30),
        ],
    )
    def test_power_is_as_simulated(self, rho, d1, d2):
        n = required_samples(rho, d1, d2)
        rng = np.random.default_rng(0)
        null, found = (
            largest_roots(rng, n, r, d1, d2, 1500) for r in (0.0, rho)
        )
        power = np.mean(found > np.quantile(null, 0.95))
        # ± 0.03 for two counts of 1500, and what the approximations give away.
        assert 0.77 < power < 0.88

    def test_of_one_feature_the_law_is_exact(self):
        # The distribution of Student's t for a correlation of zero.
        n = required_samples(0.5, 1, 1, power=0.9, alpha=0.01)
        rng = np.random.default_rng(0)
        t = largest_roots(rng, n, 0.5, 1, 1, 20_000)
        power = np.mean(t * (n - 2) > f.isf(0.01, 1, n - 2))
        assert power == pytest.approx(0.9, abs=0.02)

    @pytest.mark.parametrize(
        "arguments, n",
        [
            ((0.999, 1, 1), 3),
            ((0.99, 1, 1), 4),
            ((0.3, 1, 1, 0.99), 195),
            ((0.5, 1, 3, 0.99), 82),
            ((0.7, 10, 1, 0.95, 0.01), 50),
            ((0.999, 1, 10), 12),
        ],
    )
    def test_of_one_feature_the_number_is_the_smallest(self, arguments, n):
        """By the law of the multiple correlation as a sum.

        R² is a beta variable, whose first parameter has the negative binomial
        number of chi squares added that a random noncentrality has.
        """
        assert required_samples(*arguments) == n
        rho, d1, d2, *asked = arguments
        power, alpha = asked + [0.8, 0.05][len(asked) :]
        q = max(d1, d2)

        def exact(n):
            m = n - 1 - q
            critical = beta.isf(alpha, q / 2, m / 2)
            extra = np.arange(nbinom.isf(1e-15, (n - 1) / 2, 1 - rho**2) + 2)
            chance = nbinom.pmf(extra, (n - 1) / 2, 1 - rho**2)
            return chance @ beta.sf(critical, q / 2 + extra, m / 2)

        assert exact(n) >= power
        assert n == q + 2 or exact(n - 1) < power

    def test_the_permutation_test_finds_it_with_that_power(self):
        n = required_samples(0.6, 4, 3, power=0.8)
        found = [
            permutation_test(
                PerfectAlignment(1),
                pairs(np.random.default_rng([1, seed]), n, 0.6, 4, 3),
                59,
                random_state=seed,
            ).accepted()
            for seed in range(200)
        ]
        # Few shuffles cost power, the approximation gives some.
        assert np.mean(found) == pytest.approx(0.8, abs=0.08)

    def test_views_change_places_and_more_is_asked_of_more_pairs(self):
        assert required_samples(0.4, 3, 7) == required_samples(0.4, 7, 3)
        plain = required_samples(0.4, 3, 7)
        assert required_samples(0.3, 3, 7) > plain
        assert required_samples(0.4, 3, 9) > plain
        assert required_samples(0.4, 3, 7, power=0.9) > plain
        assert required_samples(0.4, 3, 7, alpha=0.01) > plain

    @pytest.mark.parametrize(
        "arguments, message",
        [
            ((1.0, 2, 2), "rho is 1.0; wanted a number above 0 and below 1"),
            ((0.5, 0, 2), "d1 is 0"),
            ((0.5, 2, 1.5), "d2 is 1.5"),
            ((0.5, 2, 2, 0.04), "power is 0.04; .* above 0.05 and below 1"),
            ((0.5, 2, 2, 0.8, 1.0), "alpha is 1.0"),
            ((1e-5, 2, 2), "rho is 1e-05; wanted one that"),
        ],
    )
    def test_bad_input_is_named(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            required_samples(*arguments)


def test_calibration_is_uniform_with_many_nuisance_variables():
    """A small version of the stored study, for another statistic."""
    p_values = []
    for seed in range(100):
        rng = np.random.default_rng([9, seed])
        nuisance = rng.normal(size=(20, 8))
        views = [
            nuisance @ rng.normal(size=(8, 2)) + rng.normal(size=(20, 2))
            for _ in range(2)
        ]
        found = permutation_calibration(
            linear_cka, views, 39, nuisance=nuisance, random_state=seed
        )
        p_values.append(found.p_value)
    assert kstest(np.array(p_values) - 0.5 / 40, "uniform").pvalue > 0.01
