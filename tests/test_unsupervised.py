"""Two views, and no pair."""

import itertools
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import quadratic_assignment
from scipy.stats import ortho_group
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import normalize

from perfalign import PerfectAlignment
from perfalign.baselines import ProcrustesAlignment
from perfalign.datasets import make_gaussian_views
from perfalign.unpaired import (
    UnidentifiedWarning,
    UnsupervisedAlignment,
    mutual_matches,
)
from perfalign.unpaired._answers import Found
from perfalign.unpaired._rounds import forgetful
from perfalign.unpaired._starts import best_order, by_moments, rotation_of


def skewed(n, k, seed):
    """Independent concepts, each skewed in its own way, and a rotation."""
    rng = np.random.default_rng(seed)
    shapes = np.geomspace(0.3, 5, k)
    z = (rng.gamma(shapes, size=(n, k)) - shapes) / shapes**0.5
    return z, np.linalg.qr(rng.normal(size=(k, k)))[0], rng


def small(**parameters):
    given = {"n_starts": 3, "n_rounds": 5, "random_state": 0, **parameters}
    return UnsupervisedAlignment(**given)


@pytest.fixture(scope="module")
def known():
    z, rotation, rng = skewed(300, 4, 0)
    return z, z @ rotation, rng.permutation(300)


@pytest.fixture(scope="module")
def fitted(known):
    X, Y, order = known
    return small().fit([X, Y[order]])


def test_a_rotation_is_found_without_a_pair(known, fitted):
    X, Y, order = known
    first, second = fitted.transform([X, Y])
    assert_allclose(first, second, atol=1e-6)
    assert fitted.stands_out_
    # What pairs would have found.
    told = ProcrustesAlignment().fit([X, Y]).transform([X, Y])
    assert_allclose(
        np.linalg.norm(first, axis=1) / np.linalg.norm(told[0], axis=1),
        np.linalg.norm(first[0]) / np.linalg.norm(told[0][0]),
    )


@pytest.mark.parametrize("seed", range(3))
def test_two_thousand_items_in_five_dimensions(seed):
    z, rotation, rng = skewed(2000, 5, seed)
    alignment = small(n_starts=2, n_rounds=2, random_state=seed)
    alignment.fit([z, z[rng.permutation(2000)] @ rotation])
    first, second = alignment.transform([z, z @ rotation])
    assert np.abs(first - second).max() < 1e-6


def test_the_order_of_rows_makes_no_difference(known, fitted):
    X, Y, order = known
    again = small().fit([X[::-1], Y[np.roll(order, 7)]])
    for A, B in zip(fitted.encoders_, again.encoders_):
        assert_array_equal(A, B)


def test_views_may_differ_in_their_length(known):
    X, Y, order = known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnidentifiedWarning)
        alignment = small().fit({"seen": X, "heard": Y[order[:290]]})
    latents = alignment.transform({"seen": X, "heard": Y})
    assert_allclose(latents["seen"], latents["heard"], atol=0.2)
    assert_allclose(alignment.transform_view(X, "seen"), latents["seen"])


def test_whitened_latents_have_one_variance_whatever_the_map(known):
    X, _, order = known
    map_ = np.random.default_rng(1).normal(size=(4, 4))
    alignment = small(whiten=True).fit([X, X[order] @ map_])
    first, second = alignment.transform([X, X @ map_])
    assert_allclose(first, second, atol=1e-6)
    assert_allclose(first.T @ first / len(X), np.eye(4), atol=1e-9)


def test_of_a_symmetric_mixture_both_answers_are_given():
    """The paper's mixture, and views of different items."""
    seen = make_gaussian_views(500, random_state=0)
    others = make_gaussian_views(500, random_state=1)
    heard = others.latents @ seen.projections[1].T
    alignment = small(n_components=2, whiten=True, n_starts=8)
    with pytest.warns(UnidentifiedWarning, match="equally well"):
        alignment.fit([seen.views[0], heard])
    assert not alignment.stands_out_
    errors = []
    for place in range(len(alignment.solutions_)):
        one = alignment.with_solution(place)
        first, second = one.transform(seen.views)
        errors.append(np.mean((first - second) ** 2))
    assert min(errors) < 0.02 < 0.5 < max(errors)
    # The answers differ in what they say and not in how they fit.
    fits = [one.fit for one in alignment.solutions_[:2]]
    assert_allclose(fits[0], fits[1], atol=1e-3)


def test_where_there_is_nothing_to_be_found_it_says_so():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 300, 20))
    with pytest.warns(UnidentifiedWarning):
        small(n_starts=4).fit([X, Y])


def test_random_parts_of_the_rows_lead_to_better_fits():
    """Than as many rounds on all rows, from the same starts."""
    z, rotation, rng = skewed(200, 8, 0)
    first, second = normalize(z), normalize(z @ rotation)
    second = normalize(second + 0.15 * rng.normal(size=z.shape))
    gains = []
    for seed in range(12):
        start = ortho_group.rvs(8, random_state=seed)
        parts = forgetful(
            start, first, second, 15, np.random.default_rng(seed)
        )
        everything = start
        # Those that forget end with four on all rows, too.
        for _ in range(15 + 4):
            found = mutual_matches(first @ everything, second)
            everything = rotation_of(first[found.first], second[found.second])
        gains.append(
            Found.of(parts, first, second).fit
            - Found.of(everything, first, second).fit
        )
    assert np.mean(gains) > 2 * np.std(gains) / len(gains) ** 0.5


def test_moments_turn_with_a_view():
    z, rotation, _ = skewed(500, 4, 3)
    z = z - z.mean(axis=0)
    found = by_moments([z, z @ rotation], 1.5)
    assert_allclose(found, rotation, atol=1e-9)


def test_the_best_order_of_all():
    rng = np.random.default_rng(0)
    F, D = rng.normal(size=(2, 6, 6))
    F, D = F + F.T, D + D.T

    def value(order):
        return np.sum(F * D[np.ix_(order, order)])

    most = max(value(list(o)) for o in itertools.permutations(range(6)))
    assert_allclose(value(best_order(F, D, rng)), most)


def test_exchanges_come_no_less_far_than_a_relaxation():
    rng = np.random.default_rng(0)
    F, D = rng.normal(size=(2, 15, 15))
    F, D = F + F.T, D + D.T
    order = best_order(F, D, rng)
    relaxed = quadratic_assignment(
        F, D, options={"maximize": True, "rng": np.random.default_rng(0)}
    )
    assert np.sum(F * D[np.ix_(order, order)]) >= relaxed.fun


def test_it_is_an_alignment(known, fitted):
    X, Y, _ = known
    assert fitted.n_components_ == 4
    assert fitted.n_features_in_ == (4, 4)
    assert fitted.score([X, Y]) > 0.999
    z = fitted.transform_view(X, 0).astype(np.float32)
    assert fitted.decode(z, 0).dtype == np.float32
    assert_allclose(fitted.decode(z, 0), X, atol=1e-4)
    matches = mutual_matches(*fitted.transform([X, Y]))
    assert_array_equal(matches.first, matches.second)
    exact = PerfectAlignment(4).fit([X, Y])
    assert exact.score([X, Y]) > 0.999


def test_another_answer_leaves_the_fit_as_it_is(fitted):
    encoder = fitted.encoders_[0].copy()
    last = len(fitted.solutions_) - 1
    other = fitted.with_solution(last)
    assert_array_equal(fitted.encoders_[0], encoder)
    assert_array_equal(other.with_solution(0).encoders_[0], encoder)
    with pytest.raises(ValueError, match="place"):
        fitted.with_solution(last + 1)


@pytest.mark.parametrize(
    ("views", "parameters", "message"),
    [
        ([np.eye(30)], {}, "two views"),
        ([np.ones((30, 2)), np.eye(30)], {}, "view 0 does not vary"),
        ({"a": np.eye(30), "b": np.eye(9)}, {}, "the rows of view 'b'"),
        ([np.eye(30), np.arange(30.0)], {}, "view 1: .* 1D"),
        ([np.eye(30), None], {}, "view 1"),
        ([np.eye(30), np.eye(30)], {"n_components": 30}, "n_components"),
        ([np.eye(9), np.eye(30)], {}, "n_clusters"),
        ([np.eye(30), np.eye(30)], {"n_starts": 1}, "n_starts"),
    ],
)
def test_what_cannot_be_is_refused(views, parameters, message):
    with pytest.raises(ValueError, match=message):
        UnsupervisedAlignment(**parameters).fit(views)


def test_rounding_is_no_component(known):
    """Single precision, constant columns, units: the rank stays."""
    X, _, order = known
    wide = 100 + X @ np.random.default_rng(2).normal(size=(4, 6))
    wide = np.column_stack([wide * 10.0 ** np.arange(6), np.full(300, 0.1)])
    for dtype in (np.float32, np.float64):
        views = [wide.astype(dtype), wide[order].astype(dtype)]
        alignment = small(whiten=True).fit(views)
        assert alignment.n_components_ == 4
        first, second = alignment.transform([wide, wide])
        assert_allclose(first, second, atol=1e-2)


@pytest.mark.parametrize("unit", [1e-200, 1e6, 1e200])
def test_the_unit_of_a_view_makes_no_difference(known, fitted, unit):
    X, Y, order = known
    again = small().fit([X, unit * Y[order]])
    for one, other in zip(
        again.transform([X, unit * Y]), fitted.transform([X, Y])
    ):
        assert_allclose(one, other, atol=1e-9)


def test_fewer_directions_than_groups_will_do(known):
    X = known[0][:, :1]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("ignore", UnidentifiedWarning)
        assert small().fit([X, X]).n_components_ == 1


def test_warnings_are_the_only_output(known):
    X, Y, order = known
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().fit([X, Y[order]])
