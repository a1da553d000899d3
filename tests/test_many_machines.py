"""What a billion rows on a hundred machines cost: formulas of chapter 11.

Simulated here with summaries that are pickled, merged, lost and loaded, on
few features, and with clocks that are numbers: nothing waits.
"""

import pickle
from math import ceil, exp, log2, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import nbinom

from perfalign import StackedSummary

MACHINES = 100
#: Seconds that a message takes to arrive, that it and a merge take together,
#: that a summary takes to be saved, and until a failed machine is replaced.
HOP, SAVE, AWAY = 0.25, 0.1, 60.0


def summary_bytes(d):
    """The triangle, both parts of the mean and the roundings, in double."""
    return 8 * d * (d + 3)


def rounds(machines):
    return ceil(log2(machines))


def time_of_one(pieces, piece, rate):
    """Mean seconds of a machine that loses what it has not saved.

    In a time a = piece + SAVE something fails with probability 1 − exp(−ra).
    """
    return pieces * (exp(rate * (piece + SAVE)) - 1) * (1 / rate + AWAY)


def worst_failures(pieces, piece, rate, machines=MACHINES):
    """Mean number of failures of the machine that has most of them.

    Each piece is tried until it succeeds, so that the failures of a machine
    have a negative binomial distribution.
    """
    counts = np.arange(1000)
    few = nbinom.cdf(counts, pieces, exp(-rate * (piece + SAVE)))
    return np.sum(1 - few**machines)


def best_piece(rate):
    """Young's formula: the work between two saves."""
    return sqrt(2 * SAVE / rate)


# The tree


class Tree:
    """Machines that send summaries to each other, and what it takes."""

    def __init__(self, summaries, ready):
        self.messages, self.sizes, self.rounds = 0, [], 0
        layer = list(zip(summaries, ready))
        while len(layer) > 1:
            pairs = list(zip(layer[::2], layer[1::2]))
            odd = layer[2 * len(pairs) :]
            layer = [self.receive(*pair) for pair in pairs] + odd
            self.rounds += 1
        ((self.summary, self.seconds),) = layer

    def receive(self, here, there):
        sent = pickle.dumps(there[0])
        self.messages += 1
        self.sizes.append(len(sent))
        merged = here[0].merge(pickle.loads(sent))
        return merged, max(here[1], there[1]) + HOP


def rows_of(n, d=8, seed=0):
    rng = np.random.default_rng(seed)
    # Columns of sizes from 1 to 1e-7, far from zero, two of them dependent.
    X = rng.normal(size=(n, d)) * np.logspace(0, -7, d)
    X[:, -1] = X[:, 0]
    return X + 100 * rng.normal(size=d)


def pieces_of(X, n_pieces=MACHINES):
    half = X.shape[1] // 2
    return [
        StackedSummary.from_views([rows[:, :half], rows[:, half:]])
        for rows in np.array_split(X, n_pieces)
    ]


@pytest.mark.parametrize("machines", [1, 2, 3, 7, 8, 9, 31, 64, 100])
def test_the_tree_has_so_many_messages_and_rounds(machines):
    pieces = pieces_of(rows_of(2000), machines)
    tree = Tree(pieces, np.zeros(machines))
    assert tree.messages == machines - 1
    assert tree.rounds == rounds(machines)
    assert_allclose(tree.seconds, rounds(machines) * HOP)
    assert tree.summary.n_samples == 2000


@pytest.mark.parametrize("d", [2, 16, 128])
def test_a_message_has_so_many_bytes(d, tmp_path):
    X = np.random.default_rng(0).normal(size=(3 * d, d))
    tree = Tree(pieces_of(X, 2), [0, 0])
    for size in [*tree.sizes, len(pickle.dumps(tree.summary))]:
        assert summary_bytes(d) < size < summary_bytes(d) + 1000
    tree.summary.save(tmp_path / "summary.npz")
    saved = (tmp_path / "summary.npz").stat().st_size
    assert summary_bytes(d) < saved < summary_bytes(d) + 3000


def error_of(summary, X):
    """Of inner products of columns, in units of rounding and the columns."""
    exact = X.astype(np.longdouble)
    exact = exact - exact.mean(axis=0)
    size = np.sqrt(np.sum(exact**2, axis=0))
    a, b = summary.R.astype(np.longdouble) / size, exact / size
    return np.abs(a.T @ a - b.T @ b).max() / np.finfo(float).eps


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("machines", [1, 2, 8, 100])
def test_each_round_costs_at_most_a_few_roundings(machines, seed):
    X = rows_of(4000, seed=seed)
    tree = Tree(pieces_of(X, machines), np.zeros(machines))
    assert error_of(tree.summary, X) < 6 * (1 + rounds(machines))


def test_who_is_ready_first_changes_the_time_and_no_bit():
    pieces = pieces_of(rows_of(4000))
    still = Tree(pieces, np.zeros(MACHINES)).summary
    rng = np.random.default_rng(0)
    for _ in range(5):
        ready = rng.exponential(10.0, size=MACHINES)
        tree = Tree(pieces, ready)
        assert_array_equal(tree.summary.R, still.R)
        late = tree.seconds - ready.max()
        assert HOP <= late <= rounds(MACHINES) * HOP + 1e-9


# Failures


def machine(
    rng, pieces, piece, rate, state=None, work=lambda old, number: old
):
    """A machine's seconds and failures, and what it has summarised.

    It fails at random, `rate` times a second in which it runs.
    """
    clock, failures, number, saved = 0.0, 0, 0, pickle.dumps(state)
    left = rng.exponential(1 / rate)
    while number < pieces:
        state = work(state, number)
        if left < piece + SAVE:
            clock, failures = clock + left + AWAY, failures + 1
            left, state = rng.exponential(1 / rate), pickle.loads(saved)
        else:
            clock, left = clock + piece + SAVE, left - piece - SAVE
            number, saved = number + 1, pickle.dumps(state)
    return clock, failures, state


#: Work in seconds, and failures a second: one in an hour, in ten minutes.
CASES = [(400.0, 1 / 3600), (400.0, 1 / 600), (1200.0, 1 / 600)]


def plan(work, rate):
    """Pieces of about Young's length, and their exact length."""
    pieces = round(work / best_piece(rate))
    return pieces, work / pieces


@pytest.mark.parametrize(("work", "rate"), CASES)
def test_time_of_one_machine(work, rate):
    pieces, piece = plan(work, rate)
    rng = np.random.default_rng(0)
    seconds = [machine(rng, pieces, piece, rate)[0] for _ in range(3000)]
    error = np.std(seconds) / sqrt(len(seconds))
    expected = time_of_one(pieces, piece, rate)
    assert abs(np.mean(seconds) - expected) < 3 * error
    # The simulation tells it from a formula without the failures' cost.
    assert expected - work - pieces * SAVE > 10 * error


@pytest.mark.parametrize(("work", "rate"), CASES)
def test_time_of_the_slowest_machine(work, rate):
    pieces, piece = plan(work, rate)
    rng = np.random.default_rng(0)
    runs = np.array([
        [machine(rng, pieces, piece, rate)[:2] for _ in range(MACHINES)]
        for _ in range(100)
    ]).max(axis=1)  # fmt: skip
    seconds, failures = runs.mean(axis=0)
    error = runs.std(axis=0) / sqrt(len(runs))
    worst = worst_failures(pieces, piece, rate)
    assert abs(failures - worst) < 3 * error[1]
    start = work + pieces * SAVE
    low, high = start + worst * AWAY, start + worst * (AWAY + piece + SAVE)
    assert low - 3 * error[0] < seconds < high + 3 * error[0]


@pytest.mark.parametrize("rate", [1e-5, 1e-4, 1e-3])
def test_young_has_the_best_interval_and_its_cost(rate):
    def lost(piece):
        """Seconds for each second of work that saving and repeating take."""
        mean = (exp(rate * (piece + SAVE)) - 1) / rate
        return mean / piece - 1

    best = best_piece(rate)
    least = min(lost(best * factor) for factor in np.logspace(-1, 1, 201))
    assert lost(best) < 1.001 * least + 1e-9
    assert_allclose(lost(best), sqrt(2 * SAVE * rate), rtol=0.02)
    assert lost(best / 2) > 1.2 * least < lost(best * 2)


def test_what_is_done_again_gives_the_same_bits():
    X = rows_of(4000)
    rng = np.random.default_rng(0)
    parts = np.array_split(X, 8)
    halves = [[np.hsplit(b, 2) for b in np.array_split(p, 10)] for p in parts]

    def summarise(rate):
        summaries, failures = [], 0
        for blocks in halves:

            def work(old, number, blocks=blocks):
                if old is None:
                    return StackedSummary.from_views(blocks[number])
                return old.update(blocks[number])

            _, failed, summary = machine(rng, 10, 10.0, rate, work=work)
            summaries.append(summary)
            failures += failed
        return Tree(summaries, np.zeros(8)).summary, failures

    (whole, none), (again, failures) = summarise(1e-9), summarise(0.05)
    assert (none, failures > 20) == (0, True)
    assert_array_equal(again.R, whole.R)
    assert_array_equal(again.mean, whole.mean)
    assert error_of(again, X) < 6 * (10 + rounds(8))
