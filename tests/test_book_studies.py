"""What chapters 6 and 7 keep in the book's room."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from perfalign import PerfectAlignment
from perfalign.book import carried, collapse
from perfalign.book.detour import Detour, chain
from perfalign.book.rounding import below


@pytest.fixture(scope="module")
def detour():
    return Detour()


def test_the_difference_is_below_the_next_bound():
    assert below([0.0]) == "below 1e-12"
    assert below([1e-12, -2e-10]) == "below 1e-09"
    assert below(0.25) == "0.25"


def test_latents_explain_what_they_determine():
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(100, 2))
    views = [signal @ rng.normal(size=(2, 32)) for _ in range(2)]
    views[0][:, 5] = 3  # a silent pixel
    shares = collapse.explained(PerfectAlignment(2).fit(views), views)
    wanted = np.ones(64)
    wanted[5] = 0
    assert_allclose(np.ravel(shares), wanted, atol=1e-9)


def test_prices_are_those_of_the_optimum():
    rng = np.random.default_rng(0)
    views = list(rng.normal(size=(2, 60, 5)))
    quiet, pairs, best, both = collapse.prices(views, 0.3, k=3)
    fit = PerfectAlignment(3, ridge=0.3).fit(views)
    assert_allclose(both, np.sum(fit.singular_values_[-3:] ** 2))
    naive = collapse.whitening_only(views, 3, 0.3)
    x, y = naive.transform(views)
    assert_allclose(np.mean(np.sum((x - y) ** 2, axis=1)), best)
    assert best <= min(quiet, pairs) + 1e-12


def test_turning_is_no_choosing():
    rng = np.random.default_rng(0)
    view = rng.normal(size=(40, 8))
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    x, y = collapse.procrustes([view, view @ turn]).transform(
        [view, view @ turn]
    )
    assert_allclose(x, y, atol=1e-12)


def test_no_item_is_on_two_sides(detour):
    group = detour.emoji.group
    assert not set(group[detour.train]) & set(group[detour.held])
    first, second = detour.split(detour.train, 0.5, seed=1)
    assert not set(group[first]) & set(group[second])
    pairs = chain(first, second, np.random.default_rng(0).permutation)
    assert sorted(pairs[0, 1][1]) == sorted(first)
    assert sorted(pairs[1, 2][1]) == sorted(second)


def test_the_surest_are_of_different_categories(detour):
    y = detour.labels[detour.held]
    rng = np.random.default_rng(0)
    odds = rng.dirichlet(np.ones(8), size=len(y))
    for right in (True, False):
        items = detour.surest(odds, right)
        assert len(set(y[items])) == 4
        assert (((odds.argmax(axis=1) == y) == right)[items]).all()


def test_an_interval_resamples_groups(detour):
    share = detour.labels[detour.held] == 3
    low, high = detour.interval(share)
    assert low < share.mean() < high
    assert_allclose(detour.interval(np.ones(len(share))), 1)


# ------------------------------------------------------------- chapter 6


def test_own_labels_meet_no_pairs():
    rows = np.array(list(carried.few_shots(0, 0)))
    assert rows.shape == (len(carried.SHOTS), 3)
    # Without noise two components of one view are its latents, all but the
    # gauge, so that the discriminant decides alike with enough labels.
    assert_allclose(rows[-1], rows[-1, 0], atol=0.01)


def test_components_from_inner_products_are_pca():
    view = np.random.default_rng(0).normal(size=(150, 200))
    train = np.arange(120)
    found = carried._principal_components(view @ view.T, train)
    wanted = PCA(100).fit(view[train]).transform(view)
    assert_allclose(np.abs(found), np.abs(wanted), atol=1e-8)


def test_ridge_is_chosen_without_the_target():
    emoji = carried.PicturesAndNames()
    first, ridge = emoji.whitened(0, 0)
    emoji.reduced[0][1] = emoji.reduced[0][1].copy()
    _, held = emoji.splits[0]
    emoji.reduced[0][1][held] = 1e6
    again, same = emoji.whitened(0, 0)
    assert ridge == same
    assert_allclose(first.mixture_.means, again.mixture_.means)


def test_latents_are_of_items_that_taught_nothing():
    transfer, latents, labels = carried.noisy_transfer(0.0, 30)
    assert_allclose(*latents, atol=1e-9)
    assert latents[0].shape == (20_000, 2)
    assert transfer.mixture_.weights.sum() == pytest.approx(1)
    assert np.mean(transfer.mixture_.predict(latents[1]) == labels) > 0.9
