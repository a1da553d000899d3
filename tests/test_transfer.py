"""Transfer against scikit-learn's classifiers and against theory."""

import warnings

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import multivariate_normal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.naive_bayes import GaussianNB

from perfalign import CollapseWarning, PerfectAlignment
from perfalign.baselines import (
    CSA,
    ProcrustesAlignment,
    RidgeTranslation,
    Unaligned,
)
from perfalign.datasets import load_digit_halves
from perfalign.mixtures import ClassGaussians
from perfalign.transfer import GaussianTransfer


class OneGaussianPerClass(ClassifierMixin, BaseEstimator):
    """Quadratic discriminant analysis with SciPy's densities.

    scikit-learn's own changed from unbiased to maximum likelihood covariances
    in version 1.9.
    """

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.weights_ = counts / len(y)
        self.densities_ = [
            multivariate_normal(
                X[y == c].mean(axis=0), np.cov(X[y == c].T, ddof=0)
            )
            for c in self.classes_
        ]
        return self

    def predict_proba(self, X):
        log_joint = [density.logpdf(X) for density in self.densities_]
        return softmax(np.transpose(log_joint) + np.log(self.weights_), axis=1)

    def predict(self, X):
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]


ORACLES = {
    "tied": LinearDiscriminantAnalysis(solver="lsqr"),
    "full": OneGaussianPerClass(),
    "diag": GaussianNB(var_smoothing=0.0),
}


class Pairs:
    """Noise-free pairs of two linear sensors, and fresh ones."""

    def __init__(self, seed, k=2, n_features=(3, 5), n_classes=2, n=600):
        rng = np.random.default_rng(seed)
        self.concepts = ClassGaussians(
            3 * rng.normal(size=(n_classes, k)),
            [np.diag(rng.uniform(0.5, 2, size=k)) for _ in range(n_classes)],
            classes=[f"class {c}" for c in range(n_classes)],
        )
        self.projections = [
            rng.uniform(-5, 5, size=(d, k)) for d in n_features
        ]
        self.offsets = [rng.uniform(-5, 5, size=d) for d in n_features]
        self.views, self.y = self.draw(n, seed)
        self.alignment = PerfectAlignment(k).fit(self.views)

    def draw(self, n, seed):
        z, y = self.concepts.sample(n, random_state=seed)
        views = [
            z @ P.T + b
            for P, b in zip(self.projections, self.offsets, strict=True)
        ]
        return views, y


@pytest.fixture
def pairs():
    return Pairs(0)


@pytest.mark.parametrize("covariance", list(ORACLES))
class TestSupervised:
    @pytest.mark.parametrize("seed", range(5))
    def test_posteriors_are_those_of_scikit_learn(self, covariance, seed):
        pairs = Pairs(seed, k=3, n_features=(4, 6), n_classes=3)
        z = pairs.alignment.transform(pairs.views)
        transfer = GaussianTransfer(pairs.alignment, covariance)
        transfer.fit(pairs.views[0], pairs.y)
        oracle = clone(ORACLES[covariance]).fit(z[0], pairs.y)
        for m in (0, 1):
            np.testing.assert_allclose(
                transfer.predict_proba(pairs.views[m], view=m),
                oracle.predict_proba(z[m]),
                rtol=1e-9,
                atol=1e-13,
            )
            np.testing.assert_array_equal(
                transfer.predict(pairs.views[m], view=m),
                oracle.predict(z[m]),
            )
        assert transfer.score(pairs.views[1], pairs.y, view=1) == oracle.score(
            z[1], pairs.y
        )

    def test_mixture_has_the_moments_of_the_latents(self, pairs, covariance):
        transfer = GaussianTransfer(pairs.alignment, covariance)
        transfer.fit(pairs.views[1], pairs.y, view=1)
        names = ["class 0", "class 1"]
        np.testing.assert_array_equal(transfer.classes_, names)
        np.testing.assert_array_equal(transfer.mixture_.classes, names)
        z = pairs.alignment.transform_view(pairs.views[1], 1)
        own = [z[pairs.y == name] for name in names]
        weights = [len(latents) / len(z) for latents in own]
        covariances = [np.cov(latents.T, ddof=0) for latents in own]
        if covariance == "tied":
            covariances = [np.tensordot(weights, covariances, axes=1)] * 2
        if covariance == "diag":
            covariances = [np.diag(np.diag(c)) for c in covariances]
        mixture = transfer.mixture_
        np.testing.assert_allclose(mixture.weights, weights, rtol=1e-14)
        np.testing.assert_allclose(
            mixture.means,
            [latents.mean(axis=0) for latents in own],
            rtol=1e-12,
            atol=1e-13,
        )
        np.testing.assert_allclose(
            mixture.covariances, covariances, rtol=1e-11, atol=1e-13
        )

    @pytest.mark.parametrize("seed", range(10))
    def test_perfect_alignment_transfers_every_label(self, covariance, seed):
        pairs = Pairs(seed, n=500)
        transfer = GaussianTransfer(pairs.alignment, covariance)
        transfer.fit(pairs.views[0], pairs.y)
        views, y = pairs.draw(5000, seed + 100)
        np.testing.assert_allclose(
            transfer.predict_proba(views[1], view=1),
            transfer.predict_proba(views[0], view=0),
            atol=1e-10,
        )
        assert transfer.score(views[1], y, view=1) == transfer.score(
            views[0], y, view=0
        )

    @pytest.mark.parametrize("scale", [1e-150, 1e150])
    @pytest.mark.parametrize("constraint", ["whitened", "orthonormal"])
    def test_scale_of_the_data_changes_nothing(
        self, pairs, covariance, constraint, scale
    ):
        def proba(views):
            # Four latents: both sensors see the two concepts and two whims.
            alignment = PerfectAlignment(4, constraint=constraint).fit(views)
            transfer = GaussianTransfer(alignment, covariance)
            return transfer.fit(views[0], pairs.y).predict_proba(
                views[1], view=1
            )

        rng = np.random.default_rng(0)
        views = [
            view @ rng.normal(size=(view.shape[1], 4))
            + rng.normal(size=(len(view), 4))
            for view in pairs.views
        ]
        np.testing.assert_allclose(
            proba([scale * view for view in views]), proba(views), atol=1e-10
        )

    @pytest.mark.parametrize("view", [0, 1])
    def test_pushed_forward_mixture_has_equal_posteriors(
        self, pairs, covariance, view
    ):
        transfer = GaussianTransfer(pairs.alignment, covariance)
        transfer.fit(pairs.views[0], pairs.y)
        mixture = transfer.view_mixture(view)
        # On the view's subspace and, by projection along the encoder's
        # kernel, off it.
        rng = np.random.default_rng(1)
        noise = rng.normal(size=pairs.views[view].shape)
        for X in (pairs.views[view], pairs.views[view] + noise):
            projected = pairs.alignment.translate(X, view, view)
            np.testing.assert_allclose(
                mixture.posterior(projected),
                transfer.predict_proba(X, view=view),
                rtol=1e-9,
                atol=1e-12,
            )

    def test_pushed_forward_mixture_lies_where_the_data_lie(
        self, pairs, covariance
    ):
        transfer = GaussianTransfer(pairs.alignment, covariance)
        transfer.fit(pairs.views[0], pairs.y)
        mixture = transfer.view_mixture(1)
        for c, name in enumerate(transfer.classes_):
            np.testing.assert_allclose(
                mixture.means[c],
                pairs.views[1][pairs.y == name].mean(axis=0),
                rtol=1e-9,
                atol=1e-9,
            )

    def test_clone_and_parameters(self, pairs, covariance):
        transfer = GaussianTransfer(pairs.alignment, covariance, 3)
        assert transfer.get_params(deep=False) == {
            "alignment": pairs.alignment,
            "covariance": covariance,
            "random_state": 3,
        }
        copy = clone(transfer)
        assert copy.covariance == covariance
        with pytest.raises(NotFittedError):
            copy.fit(pairs.views[0], pairs.y)
        copy.set_params(alignment__n_components=1)
        assert copy.alignment.n_components == 1


def test_frozen_alignments_stay_fitted_when_cloned(pairs):
    frozen = pytest.importorskip("sklearn.frozen")
    transfer = GaussianTransfer(frozen.FrozenEstimator(pairs.alignment))
    plain = GaussianTransfer(pairs.alignment).fit(pairs.views[0], pairs.y)
    copy = clone(transfer).fit(pairs.views[0], pairs.y)
    np.testing.assert_array_equal(
        copy.predict_proba(pairs.views[1], view=1),
        plain.predict_proba(pairs.views[1], view=1),
    )


@pytest.mark.parametrize(
    "baseline",
    [ProcrustesAlignment(2), RidgeTranslation(1, 0, ridge=1e-9), Unaligned(2)],
    ids=lambda baseline: type(baseline).__name__,
)
@pytest.mark.parametrize("freeze", [False, True])
def test_every_linear_alignment_has_mixtures_of_its_views(
    pairs, baseline, freeze
):
    rng = np.random.default_rng(0)
    views = [X + rng.normal(size=X.shape) for X in pairs.views]
    fit = clone(baseline).fit(views)
    kept = fit
    if freeze:
        kept = pytest.importorskip("sklearn.frozen").FrozenEstimator(fit)
    transfer = GaussianTransfer(kept).fit(views[0], pairs.y)
    for m, X in enumerate(views):
        np.testing.assert_allclose(
            transfer.view_mixture(m).posterior(fit.translate(X, m, m)),
            transfer.predict_proba(X, view=m),
            rtol=1e-8,
            atol=1e-12,
        )


def test_directions_have_no_mixture_of_their_views(pairs):
    transfer = GaussianTransfer(CSA(2).fit(pairs.views))
    transfer.fit(pairs.views[0], pairs.y)
    assert transfer.score(pairs.views[1], pairs.y, view=1) == transfer.score(
        pairs.views[0], pairs.y
    )
    with pytest.raises(ValueError, match="a CSA, .* wanted a LinearAlignment"):
        transfer.view_mixture(1)


def test_accuracy_is_that_of_the_bayes_rule():
    concepts = ClassGaussians([[-1, 0], [1, 0.5]], np.eye(2))
    z, y = concepts.sample(20_000, random_state=0)
    rng = np.random.default_rng(0)
    views = [z @ rng.uniform(-5, 5, size=(2, 3)) for _ in range(2)]
    alignment = PerfectAlignment(2).fit([view[:2000] for view in views])
    transfer = GaussianTransfer(alignment).fit(views[0][:2000], y[:2000])
    bayes = np.mean(concepts.predict(z) == y)
    assert abs(transfer.score(views[1], y, view=1) - bayes) < 0.005
    assert abs(bayes - concepts.bayes_accuracy()) < 4 * 0.5 / np.sqrt(20_000)


class TestUncentred:
    def test_paper_s_constraint_transfers_where_it_does_not_collapse(self):
        concepts = ClassGaussians([[-3, 0], [3, 2]], np.eye(2))
        z, y = concepts.sample(2000, random_state=0)
        rng = np.random.default_rng(0)
        views = [z @ rng.uniform(-5, 5, size=(2, 3)) for _ in range(2)]
        alignment = PerfectAlignment(
            2, constraint="orthonormal", center=False, gauge=None
        ).fit(views)
        assert not alignment.offsets_[0].any()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CollapseWarning)
            transfer = GaussianTransfer(alignment).fit(views[0], y)
        assert transfer.score(views[1], y, view=1) == transfer.score(
            views[0], y, view=0
        )


class TestUnlabelled:
    @pytest.fixture
    def three(self):
        pairs = Pairs(4, k=2, n_classes=3, n=900)
        # Far apart, so that the components are the classes.
        pairs.concepts = ClassGaussians(
            [[-8, 0], [8, 0], [0, 9]],
            [np.eye(2), [[2, 1], [1, 2]], np.diag([1, 0.5])],
            [0.5, 0.3, 0.2],
            classes=["b", "c", "a"],
        )
        pairs.views, pairs.y = pairs.draw(900, 0)
        pairs.alignment = PerfectAlignment(2).fit(pairs.views)
        return pairs

    @pytest.mark.parametrize("covariance", ["tied", "full", "diag"])
    @pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 0, 2]])
    def test_one_example_names_a_component(self, three, covariance, order):
        names = np.array(["a", "b", "c"])[order]
        examples = [three.views[0][three.y == name][0] for name in names]
        transfer = GaussianTransfer(three.alignment, covariance, 0)
        transfer.fit_unlabelled(three.views[0], examples, names)
        np.testing.assert_array_equal(transfer.classes_, ["a", "b", "c"])
        views, y = three.draw(3000, 1)
        wanted = GaussianTransfer(three.alignment, covariance)
        wanted.fit(three.views[0], three.y)
        assert transfer.score(views[1], y, view=1) >= 0.99
        assert transfer.score(views[1], y, view=1) == pytest.approx(
            wanted.score(views[1], y, view=1), abs=0.002
        )
        np.testing.assert_allclose(
            transfer.mixture_.means, wanted.mixture_.means, atol=0.02
        )
        np.testing.assert_allclose(
            transfer.mixture_.weights, wanted.mixture_.weights, atol=0.005
        )
        np.testing.assert_allclose(
            transfer.mixture_.covariances,
            wanted.mixture_.covariances,
            atol=0.02,
        )

    @pytest.mark.parametrize("covariance", ["tied", "full", "diag"])
    def test_mixture_is_a_fixed_point_of_scikit_learn(self, three, covariance):
        names = ["c", "a", "b"]
        examples = [three.views[1][three.y == name][0] for name in names]
        transfer = GaussianTransfer(three.alignment, covariance, 0)
        transfer.fit_unlabelled(three.views[1], examples, names, view=1)
        # scikit-learn's mixture, started where ours ended, stays there.
        z = three.alignment.transform(three.views)
        mixture = transfer.mixture_
        shapes = {
            "tied": mixture.covariances[0],
            "full": mixture.covariances,
            "diag": np.diagonal(mixture.covariances, axis1=1, axis2=2),
        }
        precisions = {
            "tied": np.linalg.inv,
            "full": np.linalg.inv,
            "diag": np.reciprocal,
        }
        again = GaussianMixture(
            3,
            covariance_type=covariance,
            weights_init=mixture.weights,
            means_init=mixture.means,
            precisions_init=precisions[covariance](shapes[covariance]),
        ).fit(z[1])
        np.testing.assert_allclose(again.means_, mixture.means, atol=1e-3)
        np.testing.assert_allclose(
            transfer.predict_proba(three.views[0], view=0),
            again.predict_proba(z[0]),
            atol=1e-3,
        )

    def test_examples_compete_for_components(self, three):
        # Both examples are nearest to one component; the better one gets it.
        z = np.array([[8.0, 0.0], [3.9, 0.0], [0.0, 9.0]])
        examples = z @ three.projections[0].T + three.offsets[0]
        transfer = GaussianTransfer(three.alignment, random_state=0)
        transfer.fit_unlabelled(three.views[0], examples, ["c", "b", "a"])
        views, y = three.draw(500, 1)
        assert transfer.score(views[1], y, view=1) >= 0.99

    @pytest.mark.parametrize("seed", [8, 23])
    def test_one_unlucky_start_does_not_decide(self, seed):
        grid = np.stack(np.meshgrid([0, 6, 12], [0, 6, 12]), axis=-1)
        concepts = ClassGaussians(grid.reshape(9, 2), np.eye(2))
        z, y = concepts.sample(360, random_state=seed)
        views = [z, z @ [[1.0, 2.0], [-1.0, 1.0]]]
        transfer = GaussianTransfer(
            PerfectAlignment(2).fit(views), random_state=seed
        )
        transfer.fit_unlabelled(z, concepts.means, range(9))
        assert transfer.score(views[1], y, view=1) >= 0.98

    def test_random_state_decides(self):
        # Without classes in the data, components are where they were sought.
        views = [np.random.default_rng(0).normal(size=(80, 3))] * 2
        alignment = PerfectAlignment(3).fit(views)

        def proba(seed):
            transfer = GaussianTransfer(alignment, random_state=seed)
            transfer.fit_unlabelled(views[0], views[0][:6], list("abcdef"))
            return transfer.predict_proba(views[1], view=1)

        np.testing.assert_array_equal(proba(5), proba(5))
        assert not np.allclose(proba(5), proba(6))

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            (["a", "b"], "labels has 2 labels; wanted 3"),
            (["a", "b", "b"], "2 classes with 3 examples"),
            (["a", "a", "a"], "Only the class a"),
            ([0.5, 1.5, 2.5], "not whole, such as 0.5"),
        ],
    )
    def test_bad_labels_are_named(self, three, labels, message):
        with pytest.raises(ValueError, match=message):
            GaussianTransfer(three.alignment).fit_unlabelled(
                three.views[0], three.views[0][:3], labels
            )

    def test_examples_must_suit_the_view(self, three):
        with pytest.raises(ValueError, match="examples .view 0.: .* 3 feat"):
            GaussianTransfer(three.alignment).fit_unlabelled(
                three.views[0], three.views[1][:2], ["a", "b"]
            )


def collapsed(n, k):
    """Views that share k blank features and nothing else, and their fit."""
    rng = np.random.default_rng(0)
    blank = np.zeros((n, k))
    views = [np.hstack([rng.normal(size=(n, 3)), blank]) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        alignment = PerfectAlignment(k, constraint="orthonormal").fit(views)
    return alignment, views


def with_silent_latent(alignment, tiny):
    """The same with a third latent that says nothing."""
    silent = clone(alignment).fit_summary(alignment.summary_)
    for m, A in enumerate(silent.encoders_):
        # Its encoder is zero, or points where the data do not go.
        block = silent.summary_.blocks()[m]
        row = tiny * np.linalg.svd(block)[2][-1:]
        silent.encoders_[m] = np.vstack([A, row])
        silent.offsets_[m] = np.append(silent.offsets_[m], 0.0)
    return silent


class TestCollapse:
    @pytest.mark.parametrize("covariance", ["tied", "full", "diag"])
    def test_nothing_left_is_the_most_frequent_class(self, pairs, covariance):
        alignment, views = collapsed(len(pairs.y), k=4)
        z = alignment.transform(views)
        assert max(np.abs(latents).max() for latents in z) < 1e-10
        transfer = GaussianTransfer(alignment, covariance)
        with pytest.warns(CollapseWarning, match="view 0 vary in 0 of 4"):
            transfer.fit(views[0], pairs.y)
        _, counts = np.unique(pairs.y, return_counts=True)
        share = counts / counts.sum()
        np.testing.assert_allclose(
            transfer.predict_proba(views[1], view=1),
            np.tile(share, (len(pairs.y), 1)),
            rtol=1e-12,
        )
        assert transfer.score(views[1], pairs.y, view=1) == share.max()

    def test_nothing_left_has_no_components(self):
        alignment, views = collapsed(100, k=4)
        with pytest.raises(ValueError, match="all equal: .* collapsed"):
            GaussianTransfer(alignment).fit_unlabelled(
                views[0], views[0][:2], [0, 1]
            )

    @pytest.mark.parametrize("tiny", [0.0, 1e-14, 1.0])
    @pytest.mark.parametrize("covariance", ["tied", "full", "diag"])
    def test_latents_that_vary_are_used_alone(self, pairs, covariance, tiny):
        silent = with_silent_latent(pairs.alignment, tiny)
        transfer = GaussianTransfer(silent, covariance, 0)
        with pytest.warns(CollapseWarning, match="vary in 2 of 3 dimensions"):
            transfer.fit(pairs.views[0], pairs.y)
        wanted = GaussianTransfer(pairs.alignment, covariance)
        wanted.fit(pairs.views[0], pairs.y)
        np.testing.assert_allclose(
            transfer.predict_proba(pairs.views[1], view=1),
            wanted.predict_proba(pairs.views[1], view=1),
            atol=1e-10,
        )

    def test_components_are_found_in_latents_that_vary(self, pairs):
        silent = with_silent_latent(pairs.alignment, tiny=1e-14)
        X, examples = pairs.views[0][:200], pairs.views[0][:2]
        transfer = GaussianTransfer(silent, random_state=0)
        with pytest.warns(CollapseWarning, match="vary in 2 of 3 dimensions"):
            transfer.fit_unlabelled(X, examples, [0, 1])
        wanted = GaussianTransfer(pairs.alignment, random_state=0)
        wanted.fit_unlabelled(X, examples, [0, 1])
        np.testing.assert_allclose(
            transfer.predict_proba(pairs.views[1], view=1),
            wanted.predict_proba(pairs.views[1], view=1),
            atol=1e-6,
        )

    def test_faint_concepts_are_not_silent(self, pairs):
        # One of the two concepts is a millionth of what the sensors show.
        z, y = pairs.concepts.sample(600, random_state=0)
        rng = np.random.default_rng(0)
        mix = [rng.normal(size=(2, d)) for d in (3, 5)]
        probabilities = []
        for faint in (1.0, 1e-6):
            views = [z * [1.0, faint] @ P for P in mix]
            transfer = GaussianTransfer(PerfectAlignment(2).fit(views))
            transfer.fit(views[0], y)
            probabilities.append(transfer.predict_proba(views[1], view=1))
        np.testing.assert_allclose(*probabilities, atol=1e-7)

    @pytest.mark.parametrize("covariance", ["tied", "full", "diag"])
    def test_small_latents_are_not_silent(self, pairs, covariance):
        small = clone(pairs.alignment).fit_summary(pairs.alignment.summary_)
        small.encoders_ = [A * [[1.0], [1e-9]] for A in small.encoders_]
        small.offsets_ = [b * [1.0, 1e-9] for b in small.offsets_]
        wanted = GaussianTransfer(pairs.alignment, covariance)
        wanted.fit(pairs.views[0], pairs.y)
        transfer = GaussianTransfer(small, covariance)
        transfer.fit(pairs.views[0], pairs.y)
        np.testing.assert_allclose(
            transfer.predict_proba(pairs.views[1], view=1),
            wanted.predict_proba(pairs.views[1], view=1),
            atol=1e-11,
        )

    def test_row_that_only_the_other_view_has_is_silent_in_this_one(self):
        concepts = ClassGaussians([[-2, 0], [2, 1]], np.eye(2))
        z, y = concepts.sample(500, random_state=0)
        rng = np.random.default_rng(0)
        views = [z @ rng.normal(size=(2, 3)) for _ in range(2)]
        alignment = PerfectAlignment(2).fit(views)
        # What rounding leaves of a row whose work is done by the other view.
        alignment.encoders_[0][1] = 1e-17 * rng.normal(size=3)
        alignment.offsets_[0][1] = 0.0
        with pytest.warns(CollapseWarning, match="vary in 1 of 2 dimensions"):
            GaussianTransfer(alignment).fit(views[0], y)

    def test_encoder_without_right_inverse(self, pairs):
        silent = with_silent_latent(pairs.alignment, tiny=0.0)
        with pytest.warns(CollapseWarning):
            transfer = GaussianTransfer(silent).fit(pairs.views[0], pairs.y)
        with pytest.raises(ValueError, match="rank 2 of 3: .* collapsed"):
            transfer.view_mixture(1)


def digit_accuracies(source, target, **params):
    """Accuracies over five stratified halves, k = 8, tied covariance."""
    digits = load_digit_halves()
    views, y = digits.views, digits.target
    halves = StratifiedShuffleSplit(5, test_size=0.5, random_state=0)
    for train, test in halves.split(y, y):
        alignment = PerfectAlignment(8, **params)
        alignment.fit([view[train] for view in views])
        transfer = GaussianTransfer(alignment)
        transfer.fit(views[source][train], y[train], view=source)
        yield transfer.score(views[target][test], y[test], view=target)


class TestDigitHalves:
    @pytest.mark.parametrize(("source", "target"), [(0, 1), (1, 0)])
    @pytest.mark.parametrize("center", [True, False])
    @pytest.mark.filterwarnings("ignore::perfalign.CollapseWarning")
    def test_the_papers_constraint_collapses(self, source, target, center):
        paper = {"constraint": "orthonormal", "center": center}
        accuracies = list(digit_accuracies(source, target, **paper))
        assert np.mean(accuracies) <= 0.32

    @pytest.mark.parametrize(
        ("source", "target", "bar"), [(0, 1, 0.70), (1, 0, 0.60)]
    )
    def test_the_whitened_constraint_transfers(self, source, target, bar):
        assert np.mean(list(digit_accuracies(source, target))) >= bar

    def test_both_constraint_and_transfer_tell_of_the_collapse(self):
        views, y = load_digit_halves().views, load_digit_halves().target
        alignment = PerfectAlignment(8, constraint="orthonormal")
        with pytest.warns(CollapseWarning):
            alignment.fit(views)
        with pytest.warns(CollapseWarning, match="of 8 dimensions"):
            GaussianTransfer(alignment).fit(views[0], y)


class TestFewSamples:
    @pytest.mark.parametrize(
        ("covariance", "counts", "message"),
        [
            ("full", (5, 2), "class 1, .* 2 samples vary in 1 of 2.*least 3"),
            ("full", (1, 9), "class 0, .* 1 samples vary in 0 of 2.*'tied'"),
            ("diag", (5, 1), "class 1, .* 1 samples .* at least 2 samples"),
            ("tied", (1, 1), "2 samples vary in 0 of 1.*at least 3"),
            ("tied", (2, 1), "2 classes.*3 samples vary in 1 of 2.*least 4"),
        ],
    )
    def test_too_few_for_the_covariance(
        self, pairs, covariance, counts, message
    ):
        rows = np.concatenate(
            [
                np.flatnonzero(pairs.y == f"class {c}")[:count]
                for c, count in enumerate(counts)
            ]
        )
        transfer = GaussianTransfer(pairs.alignment, covariance)
        with pytest.raises(ValueError, match=message):
            transfer.fit(pairs.views[0][rows], pairs.y[rows])
        assert not hasattr(transfer, "mixture_")

    @pytest.mark.parametrize(
        ("covariance", "counts"),
        [("full", (3, 3)), ("diag", (2, 2)), ("tied", (3, 1))],
    )
    # scikit-learn wonders at a class of one sample.
    @pytest.mark.filterwarnings("ignore:Only one sample:UserWarning")
    def test_just_enough(self, pairs, covariance, counts):
        rows = np.concatenate(
            [
                np.flatnonzero(pairs.y == f"class {c}")[:count]
                for c, count in enumerate(counts)
            ]
        )
        transfer = GaussianTransfer(pairs.alignment, covariance)
        transfer.fit(pairs.views[0][rows], pairs.y[rows])
        z = pairs.alignment.transform(pairs.views)
        oracle = clone(ORACLES[covariance]).fit(z[0][rows], pairs.y[rows])
        np.testing.assert_allclose(
            transfer.predict_proba(pairs.views[1], view=1),
            oracle.predict_proba(z[1]),
            atol=1e-6,
        )

    @pytest.mark.parametrize("covariance", ["full", "diag", "tied"])
    def test_repeated_samples_have_no_spread(self, pairs, covariance):
        X = np.repeat(pairs.views[0][:2], 10, axis=0)
        y = np.repeat([0, 1], 10)
        with pytest.raises(ValueError, match="vary in 0 of"):
            GaussianTransfer(pairs.alignment, covariance).fit(X, y)


class TestInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"y": ["a", "b"]}, "y has 2 labels; wanted 600"),
            ({"y": np.zeros(600)}, "Only the class 0.* at least two"),
            ({"y": np.linspace(0, 1, 600)}, "not whole"),
            ({"y": np.zeros((600, 2))}, "1d array"),
            ({"view": 2}, "view 2.: There is no view 2; .* from 0"),
            ({"view": -1}, "no view -1"),
            ({"view": 1}, "view 1.* 5 features"),
            ({"X": [[1, 2, np.nan]]}, "view 0.*NaN"),
            ({"X": [1, 2, 3]}, "view 0.*2D array"),
        ],
    )
    def test_bad_input_is_named(self, pairs, arguments, message):
        arguments = {"X": pairs.views[0], "y": pairs.y} | arguments
        transfer = GaussianTransfer(pairs.alignment)
        with pytest.raises(ValueError, match=message):
            transfer.fit(**arguments)
        assert not hasattr(transfer, "classes_")

    def test_bad_calls_after_the_fit_are_named(self, pairs):
        transfer = GaussianTransfer(pairs.alignment)
        transfer.fit(pairs.views[0], pairs.y)
        for method in (transfer.predict, transfer.predict_proba):
            with pytest.raises(ValueError, match="view 1.* 5 features"):
                method(pairs.views[0], view=1)
            with pytest.raises(ValueError, match="view 0.* 3 features"):
                method(pairs.views[1])
            with pytest.raises(ValueError, match="no view 7"):
                method(pairs.views[0], view=7)
        with pytest.raises(ValueError, match="no view 2"):
            transfer.view_mixture(2)
        with pytest.raises(ValueError, match="y has 599 labels; wanted 600"):
            transfer.score(pairs.views[1], pairs.y[:-1], view=1)

    def test_unknown_covariance(self, pairs):
        transfer = GaussianTransfer(pairs.alignment, covariance="spherical")
        with pytest.raises(ValueError, match="covariance is 'spherical'"):
            transfer.fit(pairs.views[0], pairs.y)
        with pytest.raises(ValueError, match="covariance is 'spherical'"):
            transfer.fit_unlabelled(pairs.views[0], pairs.views[0][:2], [0, 1])

    def test_order_of_steps(self, pairs):
        transfer = GaussianTransfer(PerfectAlignment(2))
        with pytest.raises(NotFittedError, match="PerfectAlignment"):
            transfer.fit(pairs.views[0], pairs.y)
        transfer = GaussianTransfer(pairs.alignment)
        for method in (transfer.predict, transfer.predict_proba):
            with pytest.raises(NotFittedError, match="GaussianTransfer"):
                method(pairs.views[1])
        with pytest.raises(NotFittedError, match="GaussianTransfer"):
            transfer.view_mixture(0)

    def test_streamed_alignments_will_do(self, pairs):
        streamed = PerfectAlignment(2)
        for half in (slice(300), slice(300, None)):
            streamed.partial_fit([view[half] for view in pairs.views])
        transfer = GaussianTransfer(streamed).fit(pairs.views[0], pairs.y)
        wanted = GaussianTransfer(pairs.alignment)
        wanted.fit(pairs.views[0], pairs.y)
        np.testing.assert_allclose(
            transfer.predict_proba(pairs.views[1], view=1),
            wanted.predict_proba(pairs.views[1], view=1),
            atol=1e-10,
        )

    def test_data_frames_and_lists(self, pairs):
        pd = pytest.importorskip("pandas")
        wanted = GaussianTransfer(pairs.alignment)
        wanted.fit(pairs.views[0], pairs.y)
        transfer = GaussianTransfer(pairs.alignment).fit(
            pd.DataFrame(pairs.views[0]), pd.Series(pairs.y)
        )
        np.testing.assert_array_equal(
            transfer.predict(pairs.views[1].tolist(), view=1),
            wanted.predict(pairs.views[1], view=1),
        )
