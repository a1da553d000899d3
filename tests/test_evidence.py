"""What exact agreement proves: theorems of chapters 3 and 9, random cases."""

import warnings

import numpy as np
import pytest

from perfalign import (
    OverfitWarning,
    PerfectAlignment,
    existence_report,
    relative_alignment_error,
)


def signals(rng, n, shared, private):
    """What each of two modalities records: shared signals and its own."""
    common = rng.normal(size=(n, shared))
    return [np.hstack([common, rng.normal(size=(n, p))]) for p in private]


def mixed(rng, recorded, n_features, offset):
    """Channels that mix the signals, with an offset of their own."""
    return [
        x @ rng.normal(size=(x.shape[1], d)) + offset * rng.normal(size=d)
        for x, d in zip(recorded, n_features, strict=True)
    ]


def random_case(seed):
    """Numbers of signals, sizes and views of one case, and its room n'."""
    rng = np.random.default_rng(seed)
    shared, *private = rng.integers(0, 5, size=3).tolist()
    if not shared:  # a view without any signal is none
        private = [1 + p for p in private]
    recorded = [shared + p for p in private]
    widths = [q + int(rng.integers(0, 3)) for q in recorded]
    center = bool(rng.integers(2))
    n = 2 + int(rng.integers(sum(recorded) + 4))
    views = mixed(rng, signals(rng, n, shared, private), widths, center)
    return rng, shared, recorded, center, n - center, views


def expected(recorded, total, room):
    return sum(min(q, room) for q in recorded) - min(total, room)


def transpositions(order):
    """The fewest transpositions that make up a permutation."""
    left, cycles = set(range(len(order))), 0
    while left:
        cycles += 1
        item = left.pop()
        while order[item] in left:
            item = order[item]
            left.remove(item)
    return len(order) - cycles


def shuffle(rng, n):
    """A random permutation, or a few random exchanges."""
    if rng.integers(2):
        return rng.permutation(n)
    order = np.arange(n)
    for _ in range(rng.integers(4)):
        pair = rng.choice(n, 2, replace=False)
        order[pair] = order[pair[::-1]]
    return order


def count(views, center):
    return existence_report(views, center=center).shared_dimension


def test_shared_vacuous_and_evidence_in_300_random_cases():
    """thm-evidence (1), (2) and prop-shuffle, without one mismatch."""
    broken = set()
    for seed in range(300):
        rng, shared, recorded, center, room, views = random_case(seed)
        total = sum(recorded) - shared
        report = existence_report(views, center=center)
        s, v = report.shared_dimension, report.vacuous_dimension
        assert s == expected(recorded, total, room), seed
        assert v == expected(recorded, sum(recorded), room), seed
        found = report.evidence_dimension
        assert found == s - v == min(shared, max(0, room - total)), seed

        order = shuffle(rng, len(views[0]))
        moved = count([views[0], views[1][order]], center)
        t = transpositions(order.tolist())
        assert s - moved == min(t, s - v), seed
        broken.add(s - moved)
    assert broken == {0, 1, 2, 3, 4}


def test_partners_drawn_anew_share_the_vacuous_dimension():
    """The relation broken at its root: other concepts, the same sensors."""
    for seed in range(100):
        rng, shared, recorded, center, room, views = random_case(seed)
        private = [q - shared for q in recorded]
        other = signals(rng, len(views[0]), shared, private)[1]
        d = views[1].shape[1]
        other = other @ rng.normal(size=(recorded[1], d)) + center
        found = count([views[0], other], center)
        assert found == expected(recorded, sum(recorded), room), seed


@pytest.mark.parametrize("seed", range(25))
def test_new_pairs_agree_from_as_many_pairs_as_signals_on(seed):
    """thm-evidence (4): with fewer the seen pairs agree, new ones do not."""
    rng = np.random.default_rng(seed)
    shared, *private = rng.integers((1, 0, 0), 4).tolist()
    total = shared + sum(private)
    widths = [shared + p + int(rng.integers(3)) for p in private]
    views = mixed(rng, signals(rng, 200, shared, private), widths, 1.0)
    for room in range(max(shared, total - 2), total + 3):
        seen, new = zip(*(np.split(x, [room + 1]) for x in views))
        with warnings.catch_warnings():  # that so few prove little
            warnings.simplefilter("ignore", UserWarning)
            alignment = PerfectAlignment(shared).fit(seen)
        latents = alignment.transform(seen), alignment.transform(new)
        errors = [relative_alignment_error(z) for z in latents]
        assert errors[0] < 1e-10
        assert errors[1] < 1e-10 if room >= total else errors[1] > 1e-4


def test_where_nothing_is_shared_the_last_agreement_is_not_empty():
    """thm-evidence (4), no shared signal: latents of rank 1, and wrong."""
    rng = np.random.default_rng(0)
    views = mixed(rng, signals(rng, 200, 0, (2, 3)), (3, 4), 1.0)
    seen, new = zip(*(np.split(x, [5]) for x in views))
    with pytest.warns(OverfitWarning):
        alignment = PerfectAlignment(1).fit(seen)
    agreed = alignment.transform(seen)
    assert relative_alignment_error(agreed) < 1e-10
    assert [np.linalg.matrix_rank(z, tol=1e-9) for z in agreed] == [1, 1]
    left, right = alignment.transform(new)
    assert np.abs(left - right).min() > 1e-6
    assert count([x[:6] for x in views], True) == 0


def test_channels_must_be_as_many_as_signals():
    """Hypothesis of thm-evidence: one channel that mixes two signals."""
    rng = np.random.default_rng(0)
    views = mixed(rng, signals(rng, 50, 1, (1, 1)), (1, 2), 0.0)
    assert count(views, True) == 0
    assert expected((2, 2), 3, 49) == 1


def test_copies_of_items_add_no_evidence():
    """Hypothesis of thm-evidence: n' counts items that differ."""
    rng = np.random.default_rng(0)
    views = mixed(rng, signals(rng, 7, 1, (3, 3)), (4, 4), 1.0)
    copied = [np.tile(x, (5, 1)) for x in views]
    for report in map(existence_report, (views, copied)):
        assert report.shared_dimension == report.vacuous_dimension == 2
        assert report.evidence_dimension == 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("row_spaces", "change"),
    [("both", -1), ("one", 0), ("neither", 0), ("their sum", 1)],
)
def test_centring_changes_the_count_by_where_the_constant_lies(
    row_spaces, change, seed
):
    """prop-constant, in its four cases."""
    rng = np.random.default_rng(seed)
    views = signals(rng, 60, 2, (1, 1))
    one = np.ones((60, 1))
    if row_spaces in ("one", "both"):
        views[0] = np.hstack([views[0], one])
    if row_spaces == "both":
        views[1] = np.hstack([views[1], one])
    if row_spaces == "their sum":  # degrees Celsius and kelvin
        views[1][:, 0] += 1
    views = mixed(rng, views, (5, 6), 0.0)
    assert count(views, True) == 2
    assert count(views, True) - count(views, False) == change
