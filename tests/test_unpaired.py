"""Few pairs and many singles: matching, and fitting to the matches."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import ortho_group
from sklearn.preprocessing import normalize

from perfalign import PerfectAlignment
from perfalign.baselines import ProcrustesAlignment
from perfalign.metrics import csls_distances, recall
from perfalign.unpaired import Matches, mutual_matches
from perfalign.unpaired._refinement import refined, widths


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def turned(rng, n=400, d=8, noise=0.3):
    """A cloud without symmetry, and a noisy copy that is turned."""
    X = rng.exponential(size=(n, d)) * np.linspace(2, 1, d)
    Y = X @ ortho_group.rvs(d, random_state=1)
    return X, Y + noise * rng.normal(size=(n, d))


# -------------------------------------------------------------------- matches


def test_matches_are_nearest_both_ways(rng):
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(40, 4))
    matches = mutual_matches(X, Y, k=3)
    distances = csls_distances(normalize(X), normalize(Y), 3)
    wanted = [
        (i, j)
        for i, row in enumerate(distances)
        for j, column in enumerate(distances.T)
        if row[j] == row.min() and column[i] == column.min()
    ]
    assert [*zip(matches.first, matches.second)] == wanted
    assert_allclose(matches.similarity, [-distances[i, j] for i, j in wanted])


def test_matching_is_the_same_from_the_other_side(rng):
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(40, 4))
    forth, back = mutual_matches(X, Y), mutual_matches(Y, X)
    order = np.argsort(back.second)
    assert_array_equal(forth.first, back.second[order])
    assert_array_equal(forth.second, back.first[order])


def test_lengths_of_latents_and_turns_make_no_difference(rng):
    X, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 4))
    turn = ortho_group.rvs(4, random_state=0)
    sizes = rng.uniform(1, 9, size=(20, 1))
    plain, other = (
        mutual_matches(X, Y),
        mutual_matches(sizes * X @ turn, Y @ turn),
    )
    assert_array_equal(plain.first, other.first)
    assert_array_equal(plain.second, other.second)


def test_copies_find_each_other_in_any_order(rng):
    X, order = rng.normal(size=(50, 6)), rng.permutation(50)
    matches = mutual_matches(X, X[order])
    assert_array_equal(order[matches.second], matches.first)
    assert len(matches) == 50


def test_fewer_rows_than_neighbours_will_do():
    assert len(mutual_matches(np.eye(3), np.eye(3))) == 3


# ----------------------------------------------------------------- refinement


@pytest.mark.parametrize(
    "alignment", [ProcrustesAlignment(8), PerfectAlignment(8, ridge=1)]
)
def test_five_pairs_and_singles_are_worth_all_pairs(rng, alignment):
    views = turned(rng)
    pairs, order = [X[:5] for X in views], 5 + rng.permutation(395)
    singles = [views[0][5:], views[1][order]]
    rounds = refined(alignment, singles, pairs)
    start, end = (
        recall(*map(normalize, one.alignment.transform(views)))
        for one in (rounds[0], rounds[-1])
    )
    assert start < 0.4
    assert end > 0.9
    last = rounds[-1].matches
    assert np.mean(order[last.second] == last.first + 5) > 0.9


def test_without_noise_the_turn_is_found_exactly(rng):
    X, Y = turned(rng, noise=0)
    pairs, order = [X[:5], Y[:5]], 5 + rng.permutation(395)
    rounds = refined(ProcrustesAlignment(8), [X[5:], Y[order]], pairs)
    u, v = rounds[-1].alignment.transform([X, Y])
    # Units of the spread of either view differ by their offsets alone.
    assert_allclose(u, v, atol=1e-6 * np.abs(u).max())


def test_matches_to_begin_with_stand_for_pairs(rng):
    X, Y = turned(rng, noise=0.1)
    rows = np.arange(30)
    guess = Matches(rows, np.where(rows < 20, rows, rows[::-1]), np.ones(30))
    rounds = refined(
        ProcrustesAlignment(8), [X, Y], [X[:0], Y[:0]], matches=guess
    )
    first = ProcrustesAlignment(8).fit([X[guess.first], Y[guess.second]])
    assert_allclose(
        np.hstack(rounds[0].alignment.transform([X, Y])),
        np.hstack(first.transform([X, Y])),
    )
    assert recall(*rounds[-1].alignment.transform([X, Y])) > 0.9


def test_a_round_fits_to_pairs_and_matches(rng):
    X, Y = turned(rng, n=60)
    pairs, singles = [X[:20], Y[:20]], [X[20:], Y[:20:-1]]
    last = refined(
        ProcrustesAlignment(8), singles, pairs, pair_weight=3, n_rounds=4
    )[-1]
    i, j = last.matches.first, last.matches.second
    joined = ProcrustesAlignment(8).fit(
        [
            np.vstack([X[:20]] * 3 + [singles[0][i]]),
            np.vstack([Y[:20]] * 3 + [singles[1][j]]),
        ]
    )
    assert_allclose(
        np.hstack(last.alignment.transform([X, Y])),
        np.hstack(joined.transform([X, Y])),
        atol=1e-9,
    )


def test_components_grow_from_what_is_known_to_all():
    found = widths(19, 100, 20)
    assert found[0] == 19
    assert found == sorted(found)
    assert set(found[16:]) == {100}
    assert len(found) == 21
    assert widths(5, 5, 0) == [5]
