"""Features against the kernel itself, and maps that see what they may."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from perfalign import PerfectAlignment
from perfalign.alignment import GaussianFeatures, MappedAlignment, fit_maps
from perfalign.alignment._features import N_MEASURED
from perfalign.datasets import make_gaussian_views

WORDS = np.array(["red", "green", "blue", "car", "tree", "sea", "sky", "sun"])


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(80, 6)) + 2


@pytest.fixture
def views():
    return make_gaussian_views(90, (6, 5), noise=0.5, random_state=0).views


@pytest.fixture
def texts():
    rng = np.random.default_rng(1)
    return [" ".join(rng.choice(WORDS, 5)) for _ in range(90)]


def median_distance(X):
    distances = [np.linalg.norm(x - y) for i, x in enumerate(X) for y in X[:i]]
    return np.median(distances)


class TestGaussianFeatures:
    @pytest.mark.parametrize("width", [0.3, 1.0, 2.0])
    @pytest.mark.parametrize("n_components", [80, 500])
    def test_with_all_rows_the_kernel_is_exact(self, X, width, n_components):
        features = GaussianFeatures(
            n_components, width=width, random_state=0
        ).fit(X)
        m = median_distance(X)
        assert features.median_distance_ == pytest.approx(m, rel=1e-12)
        phi = features.transform(X)
        assert phi.shape == (80, 80)
        kernel = rbf_kernel(X, gamma=1 / (2 * width**2 * m**2))
        assert_allclose(phi @ phi.T, kernel, atol=1e-10)

    def test_new_rows_meet_the_training_rows_exactly(self, X):
        features = GaussianFeatures(80, random_state=0).fit(X)
        new = np.random.default_rng(1).normal(size=(7, 6)) + 2
        phi, old = features.transform(new), features.transform(X)
        gamma = 0.5 / median_distance(X) ** 2
        assert_allclose(phi @ old.T, rbf_kernel(new, X, gamma), atol=1e-10)

    def test_few_features_are_the_projection_on_their_rows(self, X):
        features = GaussianFeatures(12, random_state=0).fit(X)
        phi = features.transform(X)
        assert phi.shape == (80, 12)
        kernel = rbf_kernel(X, gamma=0.5 / median_distance(X) ** 2)
        chosen = features.map_.component_indices_
        across = kernel[:, chosen]
        inner = kernel[np.ix_(chosen, chosen)]
        projection = across @ np.linalg.solve(inner, across.T)
        assert_allclose(phi @ phi.T, projection, atol=1e-10)

    def test_the_median_needs_no_more_than_some_rows(self):
        X = np.random.default_rng(2).normal(size=(3 * N_MEASURED, 4))
        m = GaussianFeatures(5, random_state=0).fit(X).median_distance_
        of_all = np.median(pairwise_distances(X)[np.triu_indices(len(X), 1)])
        assert m != of_all
        assert m == pytest.approx(of_all, rel=0.02)

    @pytest.mark.parametrize("unit", [1e6, 1e-6])
    def test_units_do_not_matter(self, X, unit):
        features = GaussianFeatures(20, random_state=0)
        phi = features.fit(X).transform(X)
        m = features.median_distance_
        scaled = clone(features).fit(X * unit)
        assert scaled.median_distance_ == pytest.approx(unit * m)
        assert_allclose(scaled.transform(X * unit), phi, atol=1e-10)

    def test_the_seed_decides_everything(self, X):
        one = GaussianFeatures(10, random_state=3).fit_transform(X)
        generator = np.random.RandomState(3)
        features = GaussianFeatures(10, random_state=generator)
        assert_array_equal(features.fit_transform(X), one)
        assert not np.allclose(features.fit_transform(X), one)
        again = GaussianFeatures(10, random_state=3).fit_transform(X)
        assert_array_equal(again, one)

    @pytest.mark.parametrize(
        ("parameters", "X", "message"),
        [
            ({"width": 0}, np.eye(3), "width is 0; wanted a float in the"),
            ({"width": -1.0}, np.eye(3), "width is -1.0"),
            ({"width": np.nan}, np.eye(3), "width is nan"),
            ({"n_components": 0}, np.eye(3), "n_components is 0"),
            ({}, np.ones((4, 2)), r"median .* \(4, 2\), is 0: most"),
            ({}, [[0], [0], [0], [0], [1]], "most of them are equal"),
            ({}, [[1.0, 2.0]], r"median .* \(1, 2\)"),
            ({}, [[np.nan], [1.0]], "X: .*NaN"),
        ],
    )
    def test_errors(self, parameters, X, message):
        with pytest.raises(ValueError, match=message):
            GaussianFeatures(**parameters).fit(X)

    def test_errors_of_new_rows(self, X):
        with pytest.raises(NotFittedError):
            GaussianFeatures().transform(X)
        with pytest.raises(ValueError, match=r"\(80, 5\), but 6 features"):
            GaussianFeatures().fit(X).transform(X[:, :5])


class Spy(TransformerMixin, BaseEstimator):
    """Remembers what it was fitted to, and doubles it."""

    def fit(self, X, y=None):
        self.seen_ = X.copy()
        return self

    def transform(self, X):
        return 2 * X


class TestMappedAlignment:
    def test_it_is_maps_and_alignment_in_turn(self, views):
        train = [view[:60] for view in views]
        held = [view[60:] for view in views]
        maps = [
            make_pipeline(StandardScaler(), PCA(4)),
            GaussianFeatures(20, random_state=0),
        ]
        mapped = MappedAlignment(PerfectAlignment(2, ridge=0.1), maps)
        found = mapped.fit(train).transform(held)

        scaler = StandardScaler().fit(train[0])
        pca = PCA(4).fit(scaler.transform(train[0]))
        kernel = GaussianFeatures(20, random_state=0).fit(train[1])
        by_hand = [
            lambda view: pca.transform(scaler.transform(view)),
            kernel.transform,
        ]
        alignment = PerfectAlignment(2, ridge=0.1).fit(
            [of(view) for of, view in zip(by_hand, train)]
        )
        features = [of(view) for of, view in zip(by_hand, held)]
        for m, wanted in enumerate(alignment.transform(features)):
            assert_allclose(found[m], wanted, atol=1e-12)
            assert_allclose(mapped.features(held[m], m), features[m])
            alone = mapped.transform_view(held[m], m)
            assert_allclose(alone, wanted, atol=1e-12)

    def test_maps_see_what_is_fitted_and_nothing_else(self, views):
        train = [view[:60] for view in views]
        mapped = MappedAlignment(PerfectAlignment(2), [Spy(), Spy()])
        mapped.fit(train).transform(views)
        mapped.transform_view(views[1], 1)
        for one, view in zip(mapped.maps_, train):
            assert_array_equal(one.seen_, view)

    def test_what_was_given_stays_unfitted(self, views):
        maps, alignment = [Spy(), Spy()], PerfectAlignment(2)
        MappedAlignment(alignment, maps).fit(views)
        for one in [*maps, alignment]:
            assert not [name for name in vars(one) if name[-1] == "_"]

    def test_none_leaves_a_view_as_it_is(self, views):
        plain = PerfectAlignment(2).fit(views)
        mapped = MappedAlignment(PerfectAlignment(2), [None, None]).fit(views)
        assert mapped.maps_ == [None, None]
        assert mapped.features(views[0], 0) is views[0]
        for z, wanted in zip(mapped.transform(views), plain.transform(views)):
            assert_array_equal(z, wanted)

    def test_a_view_may_be_a_list_of_texts(self, texts):
        # What a text says, in other coordinates.
        counts = [
            [text.split().count(word) for word in WORDS] for text in texts
        ]
        views = [np.array(counts) @ np.eye(8)[:, ::2], texts]
        words = make_pipeline(
            TfidfVectorizer(), TruncatedSVD(8, random_state=0)
        )
        mapped = MappedAlignment(PerfectAlignment(2), [None, words])
        found = mapped.fit(views).transform(views)
        features = [views[0], clone(words).fit_transform(texts)]
        by_hand = PerfectAlignment(2).fit(features).transform(features)
        for z, wanted in zip(found, by_hand):
            assert_allclose(z, wanted, atol=1e-10)
        alone = mapped.transform_view(["red sea", "blue sky"], 1)
        wanted = mapped.transform([views[0][:2], ["red sea", "blue sky"]])[1]
        assert_allclose(alone, wanted, atol=1e-12)

    def test_parameters_can_be_searched(self):
        mapped = MappedAlignment(PerfectAlignment(2), [None, None])
        mapped.set_params(alignment__ridge=0.5)
        assert mapped.alignment.ridge == 0.5
        assert clone(mapped).alignment.ridge == 0.5

    def test_errors(self, views):
        mapped = MappedAlignment(PerfectAlignment(2), [None, PCA(3)])
        for call in [
            lambda: mapped.transform(views),
            lambda: mapped.transform_view(views[0], 0),
            lambda: mapped.features(views[0], 0),
        ]:
            with pytest.raises(NotFittedError):
                call()
        with pytest.raises(ValueError, match="Seen 2 maps for 3 views"):
            mapped.fit([*views, views[0]])
        mapped.fit(views)
        with pytest.raises(ValueError, match="Seen 1 views; wanted 2"):
            mapped.transform(views[:1])
        for modality in (2, -1, "left"):
            with pytest.raises(ValueError, match=f"no view {modality!r}; .*2"):
                mapped.transform_view(views[0], modality)


def test_fit_maps_gives_clones_and_what_they_make(views):
    maps = [None, Spy()]
    fitted, mapped = fit_maps(maps, views)
    assert fitted[0] is None and fitted[1] is not maps[1]
    assert mapped[0] is views[0]
    assert_array_equal(fitted[1].seen_, views[1])
    assert_array_equal(mapped[1], 2 * views[1])


def test_rows_are_compared_before_the_maps_forget_them():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    views = [pd.DataFrame(rng.normal(size=(40, d))) for d in (3, 4)]
    mapped = MappedAlignment(
        PerfectAlignment(1), [StandardScaler(), StandardScaler()]
    ).fit(views)
    with pytest.raises(ValueError, match="Labels of rows differ"):
        mapped.transform([views[0], views[1][::-1]])
