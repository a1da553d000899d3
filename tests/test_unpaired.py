"""Few pairs and many singles: matching, and fitting to the matches."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import ortho_group
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import normalize

from perfalign import PerfectAlignment
from perfalign.alignment import MappedAlignment
from perfalign.baselines import ProcrustesAlignment
from perfalign.metrics import csls_distances, recall
from perfalign.unpaired import (
    Matches,
    SemiSupervisedAlignment,
    SinglesWarning,
    mutual_matches,
    refined,
    soft_matches,
)
from perfalign.unpaired._refinement import widths


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


ROWS = np.random.default_rng(5).normal(size=(12, 3))


@pytest.mark.parametrize("matching", [mutual_matches, soft_matches])
@pytest.mark.parametrize(
    ("second", "message"),
    [
        (np.ma.masked_greater(ROWS, 0), "second: a mask hides"),
        (np.where(ROWS > 0, np.nan, ROWS), "second: .*NaN"),
        (ROWS[:, :2], "first has 3 columns and second has 2; wanted as many"),
        (ROWS[:0], "second: .*0 sample"),
        (None, "second"),
    ],
    ids=["mask", "NaN", "width", "empty", "None"],
)
def test_what_cannot_be_matched_is_refused(matching, second, message):
    with pytest.raises(ValueError, match=message):
        matching(ROWS, second)


@pytest.mark.parametrize("k", [0, 2.5, True, None])
def test_neighbours_are_counted(k):
    with pytest.raises(ValueError, match=f"k is {k!r}; wanted an integer"):
        mutual_matches(ROWS, ROWS, k=k)


@pytest.mark.parametrize("unit", [1e-200, 1e6, 1e200])
def test_matches_depend_on_no_unit_and_little_on_precision(rng, unit):
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(20, 4))
    one, other = mutual_matches(X, Y), mutual_matches(unit * X, Y)
    assert_array_equal(one.second, other.second)
    assert_allclose(one.similarity, other.similarity, atol=1e-12)
    one, other = soft_matches(X, Y), soft_matches(X, unit * Y)
    assert_allclose(one.plan, other.plan, rtol=1e-10)
    single = soft_matches(X.astype(np.float32), Y.astype(np.float32))
    assert single.plan.dtype == np.float64
    assert_allclose(single.plan, one.plan, rtol=1e-4)


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


def test_soft_matches_are_the_balanced_kernel_of_cosines(rng):
    X, Y = rng.normal(size=(6, 3)), rng.normal(size=(9, 3))
    matches = soft_matches(X, Y, reg=0.5)
    assert_allclose(matches.plan.sum(axis=0), 1 / 9)
    assert_allclose(matches.plan.sum(axis=1), 1 / 6, rtol=1e-3)
    # Up to factors of rows and columns it is exp(cosine / reg).
    cosines = normalize(X) @ normalize(Y).T
    rest = np.log(matches.plan) - cosines / 0.5
    rest -= rest.mean(axis=0)
    assert_allclose(rest, rest[:, :1] * np.ones(9), atol=1e-9)
    wanted = np.sum(matches.plan * cosines, axis=1) * 6
    assert_allclose(matches.similarity, wanted, rtol=1e-3)


def test_soft_partners_are_means_by_shares(rng):
    X, Y = rng.normal(size=(6, 3)), rng.normal(size=(9, 3))
    matches = soft_matches(X, Y)
    first, second = matches.partners(X, Y)
    assert_array_equal(first[:6], X)
    assert_array_equal(second[6:], Y)
    for i, row in enumerate(matches.plan):
        assert_allclose(second[i], np.average(Y, axis=0, weights=row))
    for j, column in enumerate(matches.plan.T):
        assert_allclose(first[6 + j], np.average(X, axis=0, weights=column))


def test_a_row_far_from_all_breaks_nothing():
    far = soft_matches([[1, 0], [0, 1], [-1, 0]], np.eye(2), reg=1e-3)
    assert np.all(np.isfinite(far.plan))
    assert np.all(np.isfinite(far.similarity))


# ---------------------------------------------------------- semi-supervised


def parted(rng, views, n_pairs):
    """Pairs, and singles of which nobody knows the order."""
    n = len(views[0])
    order = n_pairs + rng.permutation(n - n_pairs)
    pairs = [X[:n_pairs] for X in views]
    return pairs, [views[0][n_pairs:], views[1][order]]


def found(alignment, views):
    return recall(*map(normalize, alignment.transform(views)))


def semi(alignment=None, **params):
    return SemiSupervisedAlignment(
        alignment or ProcrustesAlignment(8), random_state=0, **params
    )


@pytest.mark.parametrize("matching", ["soft", "mutual"])
def test_new_items_find_each_other_as_if_all_were_paired(rng, matching):
    views = turned(rng, n=600)
    seen, new = [X[:400] for X in views], [X[400:] for X in views]
    pairs, singles = parted(rng, seen, 8)
    model = semi(matching=matching).fit(pairs, singles=singles)
    every = ProcrustesAlignment(8).fit(seen)
    start = ProcrustesAlignment(7).fit(pairs)
    assert found(model, new) > found(every, new) - 0.03
    assert found(model, new) > found(start, new) + 0.2
    assert 0 < model.round_ <= model.n_rounds


def test_it_is_the_refinement_up_to_the_round_that_was_chosen(rng):
    views = turned(rng, n=100)
    pairs, singles = parted(rng, views, 8)
    model = semi(n_rounds=5, pair_weight=2).fit(pairs, singles=singles)
    rounds = refined(
        ProcrustesAlignment(8),
        singles,
        pairs,
        matching=soft_matches,
        pair_weight=2,
        n_rounds=5,
    )
    chosen = rounds[model.round_]
    assert_allclose(
        np.hstack(model.transform(views)),
        np.hstack(chosen.alignment.transform(views)),
    )
    assert model.similarity_ == np.mean(chosen.matches.similarity)
    assert model.held_out_.shape == (8, 6)


@pytest.mark.filterwarnings("ignore::perfalign.unpaired.SinglesWarning")
@pytest.mark.parametrize("i", range(6))
def test_held_out_ranks_are_those_of_pairs_among_singles(rng, i):
    # Much noise: were all found at rank 1, any other pairs would do.
    views = turned(rng, n=60, noise=1)
    pairs, singles = parted(rng, views, 6)
    model = semi(n_rounds=2, cv=6).fit(pairs, singles=singles)
    # With as many parts as pairs each is held out alone.
    known = [np.delete(X, i, axis=0) for X in pairs]
    others = [np.vstack([X[[i]], s]) for X, s in zip(pairs, singles)]
    rounds = refined(
        ProcrustesAlignment(8),
        others,
        known,
        matching=soft_matches,
        pair_weight=10,
        n_rounds=2,
    )
    for one, log_rank in zip(rounds, model.held_out_[i]):
        u, v = one.alignment.transform(others)
        u, v = (normalize(z - z.mean(axis=0)) for z in (u, v))
        forth = 1 + np.sum(u[0] @ v.T > u[0] @ v[0] + 1e-12)
        back = 1 + np.sum(v[0] @ u.T > u[0] @ v[0] + 1e-12)
        assert_allclose(log_rank, np.log([forth, back]).mean())


def test_singles_of_other_things_are_left_out_with_a_warning(rng):
    views = turned(rng)
    pairs = [X[:40] for X in views]
    singles = [views[0][40:], rng.normal(size=(300, 8))]
    with pytest.warns(SinglesWarning, match="rank .* by the pairs alone"):
        model = semi().fit(pairs, singles=singles)
    assert model.round_ == 0
    alone = ProcrustesAlignment(8).fit(pairs)
    assert_allclose(
        np.hstack(model.transform(views)), np.hstack(alone.transform(views))
    )
    assert not hasattr(model, "similarity_")


def test_without_singles_it_is_the_alignment(rng):
    views = turned(rng, n=50)
    model = semi(PerfectAlignment(3)).fit(views)
    alone = PerfectAlignment(3).fit(views)
    assert_array_equal(
        np.hstack(model.transform(views)), np.hstack(alone.transform(views))
    )
    assert not hasattr(model, "held_out_")


def test_the_last_round_that_is_about_the_best_is_taken():
    noise = np.tile([0.2, -0.2], 10)[:, np.newaxis]
    flat = np.zeros(20)
    better = np.column_stack([flat + 3, flat + 1, flat + 1.01, flat + 2])
    better[:, 2:3] += noise
    assert semi()._chosen(better) == 2
    little = np.column_stack([flat + 0.01, flat])
    little[:, 1:] += noise
    with pytest.warns(SinglesWarning):
        assert semi()._chosen(little) == 0


def test_views_and_singles_may_have_names(rng):
    views = turned(rng, n=100)
    pairs, singles = parted(rng, views, 8)
    plain = semi(n_rounds=3).fit(pairs, singles=singles)
    named = semi(n_rounds=3).fit(
        dict(zip("ab", pairs)), singles={"b": singles[1], "a": singles[0]}
    )
    assert_array_equal(
        named.transform_view(views[1], "b"), plain.transform_view(views[1], 1)
    )
    with pytest.raises(ValueError, match="'c'"):
        semi().fit(dict(zip("ab", pairs)), singles=dict(zip("ac", singles)))


def test_what_cannot_be_fitted_is_refused(rng):
    X, Y = turned(rng, n=20)
    with pytest.raises(ValueError, match="two views; seen 3"):
        semi().fit([X, Y, Y])
    with pytest.raises(ValueError, match="views have 2 rows; wanted four"):
        semi().fit([X[:2], Y[:2]], singles=[X, Y])
    with pytest.raises(ValueError, match=r"singles\[1\].* 8"):
        semi().fit([X, Y], singles=[X, Y[:, 1:]])
    with pytest.raises(ValueError, match="With .* of 6 pairs held out: view"):
        semi().fit([np.ones((6, 8)), Y[:6]], singles=[X, Y])
    with pytest.raises(ValueError, match="matching is 'hard'"):
        semi(matching="hard").fit([X, Y])
    with pytest.raises(ValueError, match="n_components"):
        semi(MappedAlignment(ProcrustesAlignment(), [None, None])).fit([X, Y])


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (lambda Y: Y[:0], r"singles\['b'\]: .*0 sample"),
        (lambda Y: np.where(Y > 2, np.nan, Y), r"singles\['b'\]: .*NaN"),
        (lambda Y: np.ma.masked_greater(Y, 2), r"singles\['b'\]: a mask"),
        (lambda Y: None, r"singles\['b'\]: "),
    ],
    ids=["empty", "NaN", "mask", "None"],
)
def test_a_fit_that_fails_leaves_what_was_fitted(rng, second, message):
    X, Y = turned(rng, n=60)
    pairs = {"a": X[:8], "b": Y[:8]}
    bad = {"a": X[8:], "b": second(Y[8:])}
    new = semi()
    with pytest.raises(ValueError, match=message):
        new.fit(pairs, singles=bad)
    with pytest.raises(NotFittedError):
        new.transform(pairs)
    model = semi(n_rounds=2).fit(pairs, singles={"a": X[8:], "b": Y[8:]})
    before, logs = model.transform(pairs), model.held_out_
    with pytest.raises(ValueError, match=message):
        model.fit(pairs, singles=bad)
    assert_array_equal(model.transform(pairs)["b"], before["b"])
    assert model.held_out_ is logs


@pytest.mark.parametrize("k", [0, -1, 2.5, True, 9, "all"])
def test_components_are_those_that_there_can_be(rng, k):
    pairs, singles = parted(rng, turned(rng, n=40), 8)
    with pytest.raises(ValueError, match=f"^n_components is {k!r}; wanted"):
        semi(ProcrustesAlignment(k)).fit(pairs, singles=singles)


@pytest.mark.filterwarnings("ignore::perfalign.unpaired.SinglesWarning")
def test_of_four_pairs_three_are_kept(rng):
    """On a line all directions are two: no round could tell singles apart."""
    pairs, singles = parted(rng, turned(rng, n=40), 4)
    two, four = (
        semi(n_rounds=2, cv=cv).fit(pairs, singles=singles).held_out_
        for cv in (2, 4)
    )
    assert_array_equal(two, four)
    noise = 1 + 1e-13 * rng.normal(size=pairs[0].shape)
    pairs[0] = pairs[0] * noise
    again = semi(n_rounds=2, cv=4).fit(pairs, singles=singles).held_out_
    assert_allclose(again, four)
