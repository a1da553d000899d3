"""What chapter 9 says of chance: p-values, counts, widths."""

from itertools import permutations, product
from math import factorial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom

from perfalign import (
    PerfectAlignment,
    alignment_curve,
    existence_report,
    permutation_test,
)
from perfalign.datasets import load_emoji
from perfalign.metrics import mutual_neighbours
from perfalign.model_selection import resampled_interval

# ----------------------------------------------------- law of the p-value


def law(n_values, n_permutations, m):
    """P(p ≤ m / (B + 1)) where all the permutations differ, as proved."""
    share = np.arange(1, n_values + 1) / n_values
    return binom.cdf(m - 1, n_permutations, share).mean()


def drawn(n, n_features=(1, 1), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)) for d in n_features]


def statistics(views, orders, **params):
    """Largest correlation for each order of the second view's rows."""
    alignment = PerfectAlignment(1, **params)
    return np.array(
        [
            permutation_test(
                alignment, [views[0], views[1][list(order)]], 1
            ).statistics[0]
            for order in orders
        ]
    )


def p_values(values, n_permutations):
    """Of every choice of true pairs and of shuffles, all equally likely."""
    true, *shuffles = np.array(
        list(product(values, repeat=n_permutations + 1))
    ).T
    return (1 + np.sum(shuffles >= true, axis=0)) / (1 + n_permutations)


CASES = {
    "four pairs": (4, (1, 1), {}, 2),
    "four pairs, not centred": (4, (2, 1), {"center": False}, 2),
    "five pairs, two channels": (5, (2, 1), {}, 1),
    "five pairs, ridge": (5, (3, 2), {"ridge": 1.0}, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_law_of_the_p_value_by_enumeration(case):
    """Valid at every level, never exact, short by at most 1/n!."""
    n, n_features, params, n_permutations = CASES[case]
    orders = list(permutations(range(n)))
    values = statistics(drawn(n, n_features), orders, **params)
    assert np.min(np.diff(np.sort(values))) > 1e-9  # no ties
    p = p_values(values, n_permutations)
    for m in range(1, n_permutations + 1):
        level = m / (n_permutations + 1)
        found = np.mean(p <= level + 1e-12)
        assert_allclose(found, law(factorial(n), n_permutations, m))
        assert level - 1 / factorial(n) <= found < level


def test_four_pairs_and_one_shuffle_reject_too_seldom():
    """The counterexample to equality: 23/48, where ½ was claimed."""
    assert_allclose(law(24, 1, 1), 23 / 48, rtol=1e-15)
    values = statistics(drawn(4), permutations(range(4)))
    assert_allclose(np.mean(p_values(values, 1) <= 0.5), 23 / 48)


def test_with_ties_the_p_value_is_valid_all_the_same():
    """Two values of a binary signal: six different pairings of 24."""
    code = np.array([[0.0], [0.0], [1.0], [1.0]])
    values = statistics([code, code], permutations(range(4)))
    p = p_values(np.round(values, 9), 2)
    for m in (1, 2):
        assert np.mean(p <= m / 3 + 1e-12) < m / 3


def test_a_group_alone_in_its_size_leaves_the_test_valid():
    """Four items may change places, a pair may not: 24 orders are left."""
    orders = [[*order, 4, 5] for order in permutations(range(4))]
    values = statistics(drawn(6, (2, 1), seed=1), orders)
    assert np.min(np.diff(np.sort(values))) > 1e-9
    p = p_values(values, 2)
    for m in (1, 2):
        found = np.mean(p <= m / 3 + 1e-12)
        assert_allclose(found, law(24, 2, m))
        assert found < m / 3


def test_a_group_alone_in_its_size_costs_power():
    """A related group that cannot change places relates the shuffles too."""
    rng = np.random.default_rng(0)
    concept = rng.normal(size=(40, 1))
    views = [concept + rng.normal(size=(40, 2)) for _ in range(2)]
    groups = np.r_[np.zeros(25), np.arange(1, 16)]
    free, kept = (
        permutation_test(
            PerfectAlignment(1), views, 199, groups=g, random_state=0
        )
        for g in (None, groups)
    )
    assert kept.null.mean() > free.null.mean() + 0.1
    assert kept.p_values[0] > free.p_values[0]


def test_the_function_draws_from_this_law():
    """All orders of five items, by 20 seeds each, with nine shuffles."""
    views, found = drawn(5), []
    for order in permutations(range(5)):
        pairs = [views[0], views[1][list(order)]]
        found += [
            permutation_test(
                PerfectAlignment(1), pairs, 9, random_state=seed
            ).p_values[0]
            for seed in range(5)
        ]
    for m in (1, 3, 5):
        expected = law(120, 9, m)
        slack = 4 * np.sqrt(expected * (1 - expected) / len(found))
        assert abs(np.mean(np.less(found, m / 10 + 0.05)) - expected) < slack


# ------------------------------------------------ what rises with the width


@pytest.fixture(scope="module")
def emoji():
    """Principal components of pictures and words, one of each group."""
    data = load_emoji()
    first = np.unique(data.group, return_index=True)[1]
    pixels = data.twemoji.reshape(-1, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    views = [pixels.reshape(len(pixels), -1)[first] / 255, data.minilm[first]]
    components = []
    for view in views:
        u, s, _ = np.linalg.svd(view - view.mean(axis=0), full_matrices=False)
        components.append(u[:, :160] * s[:160])
    return components


def shared_beyond_chance(views, width):
    rho = PerfectAlignment(1).fit(views).canonical_correlations_
    return np.sum(rho**2) - width**2 / (len(views[0]) - 1)


def test_mean_falls_and_sum_rises_with_the_width(emoji):
    widths = (5, 10, 20, 40, 80, 160)
    sums = np.array(
        [shared_beyond_chance([v[:, :w] for v in emoji], w) for w in widths]
    )
    assert np.all(np.diff(sums) > 0)
    assert sums[-1] > 10 * sums[0]
    means = sums / widths
    assert np.all(np.diff(means) < 0)
    assert means[-1] < means[0] / 2


def test_accepted_components_and_neighbours_rise_with_the_width(emoji):
    accepted, common = [], []
    for width in (5, 20):
        views = [view[:, :width] for view in emoji]
        test = permutation_test(
            PerfectAlignment(width), views, 99, random_state=0
        )
        accepted.append(test.accepted())
        common.append(mutual_neighbours(*views))
        other = np.random.default_rng(0).permutation(views[1])
        assert mutual_neighbours(views[0], other) < 0.01
    assert accepted[1] >= 2 * accepted[0] > 0
    assert common[1] > 1.5 * common[0] > 0.06


def test_alignment_of_kernels_rises_no_faster_than_chance(emoji):
    def cka(left, right):
        sizes = [np.linalg.norm(v @ v.T) for v in (left, right)]
        return np.sum((left @ left.T) * (right @ right.T)) / np.prod(sizes)

    beyond = []
    order = np.random.default_rng(0).permutation(len(emoji[0]))
    for width in (5, 160):
        left, right = (view[:, :width] for view in emoji)
        found, chance = cka(left, right), cka(left, right[order])
        assert found > 5 * chance
        beyond.append(found - chance)
    assert beyond[0] >= beyond[1] > 0.9 * beyond[0]


def test_new_pairs_have_a_best_width_and_then_fall(emoji):
    """Beyond the interval that knows how splits overlap."""
    new = [
        alignment_curve(
            PerfectAlignment(1),
            [view[:, :width] for view in emoji],
            [600],
            random_state=0,
        ).test_correlations[0, :, 0]
        for width in (5, 40, 160)
    ]
    held_out = 1 - 600 / len(emoji[0])
    for other in (0, 2):
        low, _ = resampled_interval(new[1] - new[other], held_out)
        assert low > 0


def test_correlations_of_nested_views_can_only_rise(emoji):
    """Which is why a rise with the width is no convergence."""
    narrow, wide = (
        PerfectAlignment(1)
        .fit([view[:, :width] for view in emoji])
        .canonical_correlations_
        for width in (20, 40)
    )
    assert np.all(wide[:20] >= narrow - 1e-12)


# ----------------------------------------- exact agreement: count or shuffle


def mixtures(n, shared, private, seed):
    """Mixtures of shared and private signals, without noise."""
    rng = np.random.default_rng(seed)
    concept = rng.normal(size=(n, shared))
    views = []
    for p in private:
        signals = np.hstack([concept, rng.normal(size=(n, p))])
        views.append(signals @ rng.normal(size=(shared + p, shared + p + 4)))
    return views


@pytest.mark.parametrize("private", [(4, 5), (0, 2), (1, 1)])
def test_encoders_hold_before_the_count_and_the_count_before_the_test(private):
    """At q signals, one by one from there, and at q₁ + q₂."""
    shared = 3
    q = shared + sum(private)
    everything = mixtures(60, shared, private, seed=sum(private))
    for n in range(q, q + shared + 3):
        seen = [view[:n] for view in everything]
        report = existence_report(seen)
        evidence = min(shared, max(0, n - 1 - q))
        assert report.evidence_dimension == evidence
        curve = alignment_curve(
            PerfectAlignment(shared), everything, [n], random_state=0
        )
        holds = curve.test_errors.max() < 1e-9
        assert holds == (n - 1 >= q)
        test = permutation_test(
            PerfectAlignment(shared), seen, 39, random_state=0
        )
        # A single vacuous dimension gives every shuffle a correlation of 1.
        assert test.accepted() == (shared if evidence == shared else 0)
