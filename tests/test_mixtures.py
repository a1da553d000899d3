"""Gaussian classes against SciPy's densities, quadrature and theorems."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import softmax
from scipy.stats import multivariate_normal, norm

from perfalign.mixtures import ClassGaussians


def random_covariance(rng, k):
    root = rng.normal(size=(k, k))
    return root @ root.T + 0.1 * np.eye(k)


def random_mixture(rng, k=2, n_classes=3, spread=2.0):
    return ClassGaussians(
        spread * rng.normal(size=(n_classes, k)) + 1,
        [random_covariance(rng, k) for _ in range(n_classes)],
        rng.dirichlet(np.full(n_classes, 5.0)),
    )


def posterior_by_scipy(mixture, X, **kwargs):
    log_joint = [
        np.log(weight) + multivariate_normal.logpdf(X, mean, cov, **kwargs)
        for weight, mean, cov in zip(
            mixture.weights, mixture.means, mixture.covariances, strict=True
        )
    ]
    return softmax(np.array(log_joint).reshape(len(log_joint), -1).T, axis=1)


@pytest.fixture(params=range(5))
def rng(request):
    return np.random.default_rng(request.param)


class TestPosterior:
    @pytest.mark.parametrize("k", [1, 2, 5])
    def test_is_that_of_scipys_densities(self, rng, k):
        mixture = random_mixture(rng, k, n_classes=4)
        X = 3 * rng.normal(size=(50, k))
        posterior = mixture.posterior(X)
        np.testing.assert_allclose(
            posterior, posterior_by_scipy(mixture, X), rtol=1e-9, atol=1e-14
        )
        np.testing.assert_allclose(posterior.sum(axis=1), 1.0, rtol=1e-14)
        np.testing.assert_allclose(
            np.exp(mixture.log_posterior(X)), posterior, rtol=1e-13
        )
        np.testing.assert_array_equal(
            mixture.predict(X), np.argmax(posterior, axis=1)
        )

    def test_singular_classes_on_a_common_subspace(self, rng):
        matrix = rng.normal(size=(4, 2))
        mixture = random_mixture(rng).push_forward(matrix, rng.normal(size=4))
        X, _ = mixture.sample(40, random_state=0)
        np.testing.assert_allclose(
            mixture.posterior(X),
            posterior_by_scipy(mixture, X, allow_singular=True),
            rtol=1e-7,
            atol=1e-12,
        )

    def test_singular_covariances_given_as_matrices(self, rng):
        latent = random_mixture(rng)
        P, b = rng.normal(size=(4, 2)), rng.normal(size=4)
        flat = ClassGaussians(
            latent.means @ P.T + b,
            P @ latent.covariances @ P.T,
            latent.weights,
        )
        z = rng.normal(size=(30, 2))
        np.testing.assert_allclose(
            flat.posterior(z @ P.T + b), latent.posterior(z), atol=1e-9
        )

    def test_far_points_keep_their_log_posterior(self):
        mixture = ClassGaussians([[-3.0], [3.0]], [[1.0]])
        log_posterior = mixture.log_posterior([[1000.0]])
        assert log_posterior[0, 0] == pytest.approx(-6000, rel=1e-12)
        assert mixture.posterior([[1000.0]])[0, 0] == 0.0

    def test_tied_covariance_gives_the_logistic_function(self, rng):
        cov = random_covariance(rng, 3)
        means = rng.normal(size=(2, 3))
        mixture = ClassGaussians(means, cov, [0.3, 0.7])
        X = rng.normal(size=(20, 3))
        w = np.linalg.solve(cov, means[1] - means[0])
        log_odds = (X - means.mean(axis=0)) @ w + np.log(0.7 / 0.3)
        np.testing.assert_allclose(
            mixture.posterior(X)[:, 1], 1 / (1 + np.exp(-log_odds)), rtol=1e-10
        )

    def test_points_off_the_support_are_projected_orthogonally(self):
        line = ClassGaussians([[-1], [2]], [[1]]).push_forward([[3], [4]])
        on = np.array([[1.5, 2.0]])
        off = on + 7 * np.array([4, -3])
        np.testing.assert_allclose(
            line.posterior(off), line.posterior(on), rtol=1e-13
        )

    @pytest.mark.parametrize("scale", [1e-150, 1e150])
    def test_units_change_nothing(self, rng, scale):
        mixture = random_mixture(rng)
        X = rng.normal(size=(20, 2))
        units = np.array([scale, 1.0])
        other = ClassGaussians(
            mixture.means * units,
            mixture.covariances * np.outer(units, units),
            mixture.weights,
        )
        np.testing.assert_allclose(
            other.posterior(X * units), mixture.posterior(X), atol=1e-12
        )

    def test_far_off_origin_changes_little(self, rng):
        mixture = random_mixture(rng)
        shifted = ClassGaussians(
            mixture.means + 1e6, mixture.covariances, mixture.weights
        )
        X = rng.normal(size=(20, 2))
        np.testing.assert_allclose(
            shifted.posterior(X + 1e6), mixture.posterior(X), atol=1e-7
        )

    def test_equal_points_leave_the_weights(self):
        points = ClassGaussians(
            np.full((3, 2), 0.1), np.zeros((2, 2)), [0.2, 0.5, 0.3]
        )
        np.testing.assert_allclose(
            points.posterior([[0.1, 0.1], [5.0, 5.0]]), [[0.2, 0.5, 0.3]] * 2
        )
        assert list(points.predict([[1.0, 2.0]])) == [1]
        assert points.bayes_accuracy(10, random_state=0) == (
            pytest.approx(0.5, rel=1e-14)
        )

    def test_single_class_is_certain(self):
        mixture = ClassGaussians([[0.0, 1.0]], np.eye(2))
        np.testing.assert_array_equal(mixture.posterior([[3.0, 4.0]]), [[1.0]])
        assert mixture.bayes_accuracy(10) == 1.0

    def test_class_that_does_not_fill_the_support(self):
        flat = np.diag([1.0, 0.0])
        mixture = ClassGaussians(
            np.zeros((2, 2)), [np.eye(2), flat], classes=["solid", "flat"]
        )
        with pytest.raises(ValueError, match="flat has rank 1.* span 2"):
            mixture.posterior([[0.0, 0.0]])
        parallel = ClassGaussians([[0, 0], [0, 1]], flat)
        with pytest.raises(ValueError, match="0 has rank 1.* span 2"):
            parallel.predict([[0.0, 0.0]])
        with pytest.raises(ValueError, match="0 has rank 0.* span 1"):
            ClassGaussians([[0.0], [1.0]], [[0.0]]).bayes_accuracy()

    def test_tilted_class_that_does_not_fill_the_support(self, rng):
        v = rng.normal(size=3)
        mixture = ClassGaussians(np.zeros((2, 3)), [np.eye(3), np.outer(v, v)])
        with pytest.raises(ValueError, match="1 has rank 1.* span 3"):
            mixture.posterior(np.zeros((1, 3)))

    def test_rounding_of_means_far_off_adds_no_dimension(self, rng):
        latent = random_mixture(rng)
        P, b = rng.normal(size=(4, 2)), 1e7 * rng.normal(size=4)
        flat = ClassGaussians(
            latent.means @ P.T + b,
            P @ latent.covariances @ P.T,
            latent.weights,
        )
        z = rng.normal(size=(30, 2))
        np.testing.assert_allclose(
            flat.posterior(z @ P.T + b), latent.posterior(z), atol=1e-5
        )

    def test_ill_conditioned_maps_hide_no_missing_dimension(self, rng):
        # The map sends both directions of class 1 to the same one.
        W = rng.normal(size=(2, 3))
        v = rng.normal(size=3)
        w = 2 * v + np.linalg.svd(W)[2][2]
        flat = ClassGaussians(
            np.zeros((2, 3)), [np.eye(3), np.outer(v, v) + np.outer(w, w)]
        )
        U = np.linalg.qr(rng.normal(size=(5, 2)))[0]
        image = flat.push_forward(U * [1.0, 1e-6] @ W)
        with pytest.raises(ValueError, match="1 has rank 1.* span 2"):
            image.posterior(np.zeros((1, 5)))


class TestPushForward:
    @pytest.mark.parametrize("n_features", [2, 3, 10])
    def test_injective_maps_keep_posteriors(self, rng, n_features):
        latent = random_mixture(rng)
        P = rng.uniform(-5, 5, size=(n_features, 2))
        b = rng.uniform(-5, 5, size=n_features)
        z = 3 * rng.normal(size=(100, 2))
        np.testing.assert_allclose(
            latent.push_forward(P, b).posterior(z @ P.T + b),
            latent.posterior(z),
            rtol=1e-9,
            atol=1e-13,
        )

    @pytest.mark.parametrize("condition", [1e3, 1e6, 1e9])
    def test_condition_enters_once_not_squared(self, rng, condition):
        latent = random_mixture(rng)
        U = np.linalg.qr(rng.normal(size=(5, 2)))[0]
        V = np.linalg.qr(rng.normal(size=(2, 2)))[0]
        P = U * [1.0, 1 / condition] @ V.T
        z = rng.normal(size=(50, 2))
        np.testing.assert_allclose(
            latent.push_forward(P).posterior(z @ P.T),
            latent.posterior(z),
            atol=1e-14 * condition,
        )

    def test_moments(self, rng):
        mixture = random_mixture(rng)
        P, b = rng.normal(size=(4, 2)), rng.normal(size=4)
        image = mixture.push_forward(P, b)
        np.testing.assert_allclose(
            image.means, mixture.means @ P.T + b, rtol=1e-12, atol=1e-13
        )
        np.testing.assert_allclose(
            image.covariances,
            P @ mixture.covariances @ P.T,
            rtol=1e-11,
            atol=1e-13,
        )
        np.testing.assert_array_equal(image.weights, mixture.weights)
        np.testing.assert_array_equal(image.classes, mixture.classes)

    def test_two_maps_are_their_product(self, rng):
        mixture = random_mixture(rng, k=3)
        P, Q = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
        b, c = rng.normal(size=4), rng.normal(size=2)
        X = rng.normal(size=(20, 2))
        np.testing.assert_allclose(
            mixture.push_forward(P, b).push_forward(Q, c).posterior(X),
            mixture.push_forward(Q @ P, Q @ b + c).posterior(X),
            atol=1e-11,
        )

    def test_projection_is_the_marginal(self, rng):
        mixture = random_mixture(rng, k=3)
        marginal = ClassGaussians(
            mixture.means[:, :2],
            mixture.covariances[:, :2, :2],
            mixture.weights,
        )
        X = rng.normal(size=(20, 2))
        np.testing.assert_allclose(
            mixture.push_forward(np.eye(3)[:2]).posterior(X),
            marginal.posterior(X),
            atol=1e-12,
        )

    def test_map_that_collapses_leaves_the_weights(self, rng):
        mixture = random_mixture(rng)
        P = rng.normal(size=(4, 2))
        null = np.linalg.svd(P)[0][:, 2:].T
        collapsed = mixture.push_forward(P).push_forward(null, [7.0, 8.0])
        assert np.abs(collapsed.covariances).max() < 1e-28
        np.testing.assert_allclose(
            collapsed.posterior(rng.normal(size=(5, 2))),
            np.tile(mixture.weights, (5, 1)),
            rtol=1e-12,
        )

    def test_encoder_and_its_right_inverse(self, rng):
        k, d = 2, 6
        latent = random_mixture(rng, k)
        A, offset = rng.normal(size=(k, d)), rng.normal(size=k)
        decoder = np.linalg.pinv(A)
        own = latent.push_forward(decoder, -decoder @ offset)
        X = rng.normal(size=(40, d))
        wanted = latent.posterior(X @ A.T + offset)
        # Projecting along ker A moves a point to the modality's subspace …
        on_subspace = (X @ A.T) @ decoder.T
        np.testing.assert_allclose(own.posterior(on_subspace), wanted, 1e-9)
        # … and is what `posterior` does of itself.
        np.testing.assert_allclose(own.posterior(X), wanted, 1e-9)

    def test_oblique_right_inverse_needs_its_own_projection(self, rng):
        k, d = 2, 5
        latent = random_mixture(rng, k)
        P = rng.normal(size=(d, k))
        kernel = np.linalg.svd(rng.normal(size=(d - k, d)))[2][k:].T
        A = np.linalg.inv(np.hstack([P, kernel]))[:k]
        np.testing.assert_allclose(A @ P, np.eye(k), atol=1e-11)
        X = rng.normal(size=(40, d))
        np.testing.assert_allclose(
            latent.push_forward(P).posterior(X @ A.T @ P.T),
            latent.posterior(X @ A.T),
            atol=1e-8,
        )


class TestBayesAccuracy:
    def test_equal_weights_and_unit_covariance(self):
        mixture = ClassGaussians([[-3, 0], [3, 2]], np.eye(2))
        assert mixture.bayes_accuracy() == pytest.approx(
            norm.cdf(np.sqrt(40) / 2), rel=1e-14
        )

    @pytest.mark.parametrize("weight", [0.01, 0.3, 0.5, 0.9])
    @pytest.mark.parametrize("gap", [0.1, 1.0, 4.0])
    def test_any_weights_against_quadrature(self, weight, gap):
        weights = np.array([weight, 1 - weight])
        mixture = ClassGaussians([[0], [2 * gap]], [[4]], weights)

        def best(x):
            return np.max(weights * norm.pdf(x, [0, 2 * gap], 2))

        edge = gap + 4 * np.log(weight / (1 - weight)) / (2 * gap)
        edge = np.clip(edge, -40, 50)
        wanted = sum(
            quad(best, *limits, epsabs=1e-13, epsrel=1e-13, points=[0, 8])[0]
            for limits in [(-40, edge), (edge, 50)]
        )
        assert mixture.bayes_accuracy() == pytest.approx(wanted, abs=1e-11)

    def test_order_of_the_classes_and_linear_maps_do_not_matter(self, rng):
        cov = random_covariance(rng, 2)
        means = rng.normal(size=(2, 2))
        wanted = ClassGaussians(means, cov, [0.2, 0.8]).bayes_accuracy()
        swapped = ClassGaussians(means[::-1], [cov, cov], [0.8, 0.2])
        assert swapped.bayes_accuracy() == pytest.approx(wanted, rel=1e-13)
        pushed = swapped.push_forward(rng.normal(size=(5, 2)), np.arange(5))
        assert pushed.bayes_accuracy() == pytest.approx(wanted, rel=1e-12)

    def test_equal_classes_are_told_by_weight_alone(self):
        mixture = ClassGaussians(np.zeros((2, 1)), [[1.0]], [0.4, 0.6])
        assert mixture.bayes_accuracy() == 0.6

    def test_three_classes_within_the_stated_error(self):
        # Unit Gaussians at −2, 0, 2: the ends win beyond ±1.
        mixture = ClassGaussians([[-2], [0], [2]], [[1]])
        wanted = (2 * norm.cdf(1) + norm.cdf(1) - norm.cdf(-1)) / 3
        error = (1 - 1 / 3) / (2 * np.sqrt(100_000))
        for seed in range(3):
            found = mixture.bayes_accuracy(random_state=seed)
            assert abs(found - wanted) < 4 * error
        assert found != mixture.bayes_accuracy(random_state=0)
        assert found == mixture.bayes_accuracy(random_state=2)
        assert found != mixture.bayes_accuracy(1000, random_state=2)

    def test_two_classes_of_unequal_covariance(self):
        # N(0, 1) and N(0, 9) meet where x² = 9 log(9)/8.
        mixture = ClassGaussians([[0], [0]], [[[1]], [[9]]])
        edge = np.sqrt(9 * np.log(9) / 8)
        wanted = (2 * norm.cdf(edge) - 1) / 2 + norm.cdf(-edge / 3)
        found = mixture.bayes_accuracy(100_000, random_state=0)
        assert found == pytest.approx(wanted, abs=4 / (4 * np.sqrt(100_000)))


class TestSample:
    def test_moments_of_each_class(self, rng):
        mixture = random_mixture(rng, k=2, n_classes=2)
        X, labels = mixture.sample(40_000, random_state=rng.integers(100))
        for c in range(2):
            own = X[labels == c]
            deviation = np.sqrt(np.diag(mixture.covariances[c]) / len(own))
            assert np.all(abs(own.mean(0) - mixture.means[c]) < 5 * deviation)
            # Whitened by its covariance, a class has unit second moments.
            root = np.linalg.cholesky(mixture.covariances[c])
            white = np.linalg.solve(root, (own - mixture.means[c]).T)
            np.testing.assert_allclose(
                np.cov(white), np.eye(2), atol=5 * np.sqrt(2 / len(own))
            )
            share = np.mean(labels == c)
            assert abs(share - mixture.weights[c]) < 5 / np.sqrt(4 * 40_000)

    def test_push_forward_samples_are_pushed_samples(self, rng):
        mixture = random_mixture(rng)
        P, b = rng.normal(size=(4, 2)), rng.normal(size=4)
        z, labels = mixture.sample(50, random_state=3)
        X, pushed_labels = mixture.push_forward(P, b).sample(50, 3)
        np.testing.assert_allclose(X, z @ P.T + b, rtol=1e-11, atol=1e-12)
        np.testing.assert_array_equal(pushed_labels, labels)

    def test_labels_are_the_classes(self):
        mixture = ClassGaussians(
            [[-50.0], [50.0]], [[1.0]], classes=["cold", "warm"]
        )
        X, labels = mixture.sample(30, np.random.RandomState(0))
        np.testing.assert_array_equal(
            labels, np.where(X[:, 0] > 0, "warm", "cold")
        )
        np.testing.assert_array_equal(mixture.predict(X), labels)


class TestInput:
    def test_attributes(self):
        means, cov = np.array([[-3.0, 0], [3, 2]]), [[2.0, 1], [1, 3]]
        mixture = ClassGaussians(means, cov)
        np.testing.assert_allclose(mixture.means, means, rtol=1e-15)
        np.testing.assert_allclose(mixture.covariances, [cov, cov], rtol=1e-14)
        np.testing.assert_array_equal(mixture.weights, [0.5, 0.5])
        np.testing.assert_array_equal(mixture.classes, [0, 1])

    def test_rounded_weights_are_made_to_sum_to_one(self):
        mixture = ClassGaussians(np.eye(3), np.eye(3), [0.3333333] * 3)
        assert mixture.weights.sum() == pytest.approx(1.0, abs=1e-15)

    def test_input_is_not_changed(self):
        arguments = np.eye(2), np.stack([np.eye(2)] * 2), np.full(2, 0.5)
        copies = [argument.copy() for argument in arguments]
        mixture = ClassGaussians(*arguments)
        mixture.push_forward(np.eye(2)).posterior(np.eye(2))
        for argument, copy in zip(arguments, copies, strict=True):
            np.testing.assert_array_equal(argument, copy)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([1, 2], np.eye(2)), "means.*2D array"),
            ((np.eye(2), np.eye(3)), r"\(3, 3\); wanted \(2, 2, 2\)"),
            ((np.eye(2), np.zeros((3, 2, 2))), r"\(3, 2, 2\); wanted"),
            ((np.eye(2), 1.0), r"shape \(\); wanted"),
            ((np.eye(2), [[1, np.nan], [0, 1]]), "covariances.*NaN"),
            ((np.eye(2), [[1, 0.5], [0.4, 1]]), r"\[0\] is not symmetric"),
            ((np.eye(2), [np.eye(2), -np.eye(2)]), r"\[1\] is not symm.* -1"),
            ((np.eye(2), [[1, 2], [2, 1]]), "smallest eigenvalue.* -1"),
            ((np.eye(2), [[0, 1], [1, 1]]), "positive semidefinite"),
            ((np.eye(2), np.eye(2), [0.5]), r"weights has shape \(1,\)"),
            ((np.eye(2), np.eye(2), [0.5, 0.6]), "the sum 1.1"),
            ((np.eye(2), np.eye(2), [1.0, 0.0]), "the smallest is 0"),
            ((np.eye(2), np.eye(2), [np.nan, 1]), "weights.*NaN"),
            (
                (np.eye(2), np.eye(2), None, ["a"]),
                "classes has 1 labels; wanted 2",
            ),
            (
                (np.eye(2), np.eye(2), None, ["a", "a"]),
                "1 different labels; wanted 2",
            ),
        ],
    )
    def test_bad_arguments_are_named(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            ClassGaussians(*arguments)

    def test_bad_calls_are_named(self):
        mixture = ClassGaussians(np.eye(2), np.eye(2))
        with pytest.raises(ValueError, match=r"X has shape \(1, 3\); wanted"):
            mixture.posterior([[1, 2, 3]])
        with pytest.raises(ValueError, match=r"matrix has shape \(3, 3\)"):
            mixture.push_forward(np.eye(3))
        with pytest.raises(ValueError, match=r"offset has shape \(3,\)"):
            mixture.push_forward(np.eye(2), [1, 2, 3])
        with pytest.raises(ValueError, match="matrix.*NaN"):
            mixture.push_forward([[np.nan, 1]])
