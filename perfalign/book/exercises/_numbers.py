"""The questions whose answers are numbers, by their definitions."""

from math import log, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import subspace_angles

from perfalign._types import Array
from perfalign.alignment import PerfectAlignment, existence_report
from perfalign.book.exercises._computed import Computed
from perfalign.book.exercises._encoders import Encoders
from perfalign.datasets import load_mfeat, make_gaussian_views


def computed() -> dict[str, Computed | Encoders]:
    """The questions by their numbers."""
    return {
        "1.2": Computed(
            "Shared signals (shared_dimension_) of the first view with "
            "exp(x / 10), with exp(x / 1000) and with log(exp(x / 10)) of "
            "the second?",
            _shared_after_bends,
            "A count of exact agreements falls at any bend, however small, "
            "and the logarithm undoes it.",
            (
                (
                    lambda: (2, 2, 2),
                    "No information is lost, but a linear encoder cannot "
                    "undo a bend.",
                ),
                (
                    lambda: (0, 2, 2),
                    "A small bend makes a small error. The count asks for "
                    "none.",
                ),
                (
                    lambda: (0, 0, 0),
                    "What is the logarithm of the exponential?",
                ),
            ),
            labels=("exp(x / 10)", "exp(x / 1000)", "log(exp(x / 10))"),
        ),
        "2.2": Computed(
            "By how many degrees, the larger angle, do the latents of the "
            "first view turn, as a plane, in the new unit: noise 0.3, the "
            "paper's constraint, uncentred?",
            lambda: _turn(),
            "Rows of length one cannot grow a hundredfold, so the solver "
            "finds another plane.",
            (
                (
                    lambda: 0,
                    "So it is without noise, or whitened. Here the encoder "
                    "would have to grow a hundredfold.",
                ),
                (
                    lambda: _turn(largest=False),
                    "That is the smallest of the angles between the planes.",
                ),
                (
                    lambda: _turn(view=1),
                    "That is the plane of the second view.",
                ),
                (
                    lambda: np.radians(_turn()),
                    "Degrees are asked for, these look like radians.",
                ),
            ),
            rtol=0.03,
        ),
        "2.1c": Encoders(
            "Equation 3 in NumPy: for the views of "
            "make_gaussian_views(random_state=0) and k = 2, the encoders A¹ "
            "and A² from the decomposition of [X¹; -X²], uncentred.",
            _two_views(),
            2,
        ),
        "3.2": Computed(
            "A hundred numerals, rng and order as in the solution's first "
            "lines: shared dimension of true pairs, of shuffled pairs, and "
            "the number of numerals from which the first is 0?",
            _numerals,
            "All of it is vacuous: n' = n - 1 counts, and the dimensions end "
            "at n' = d₁ + d₂.",
            (
                (
                    lambda: (40, 40, 140),
                    "Centring takes one: n' = n - 1.",
                ),
                (
                    lambda: (41, 0, 141),
                    "Shuffled pairs are wide tables, too. Count ranks.",
                ),
                (
                    lambda: (0, 0, 0),
                    "With fewer items than features row spaces must meet.",
                ),
                (
                    lambda: (41, 41, 140),
                    "Nearly. At 140 numerals n' is 139.",
                ),
            ),
            rtol=0,
            labels=("true pairs", "shuffled pairs", "numerals"),
        ),
        "5.1b": Computed(
            "Concepts of mean length 2 and the gauge t H⁻¹ with t = 3: "
            "what is the reconstruction error?",
            lambda: abs(1 - 3) * 2,
            "The latents are three times the concepts: |1 - t| times 2.",
            (
                (lambda: 0, "That is the alignment error."),
                (
                    lambda: 3 * 2,
                    "That is the latents' mean length. The error is the "
                    "length of the difference.",
                ),
                (lambda: (1 - 1 / 3) * 2, "The gauge is 3 H⁻¹, not H⁻¹ / 3."),
            ),
        ),
        "6.3": Computed(
            "Fifty labels, spent on a test of a classifier that is right half "
            "of the time: one standard error of the accuracy?",
            lambda: sqrt(0.5 * 0.5 / 50),
            "The root of p(1 - p)/n.",
            (
                (
                    lambda: 0.5 * 0.5 / 50,
                    "That is the variance. Take the root.",
                ),
                (
                    lambda: 2 * sqrt(0.25 / 50),
                    "Twice too much: half of a 95 % interval, or a coin "
                    "taken to have the spread one.",
                ),
                (
                    lambda: 0.5 / 50,
                    "Errors fall with the root of the number of labels.",
                ),
            ),
            rtol=0.03,
        ),
        "7.1a": Computed(
            "A chain with 300 pairs of correlation 0.8 and 100 of 0.4: ρ?",
            lambda: _chain(),
            "The squares are averaged, weighted by pairs.",
            (
                (
                    lambda: (300 * 0.8 + 100 * 0.4) / 400,
                    "The correlations were averaged. Average their squares.",
                ),
                (
                    lambda: sqrt((0.8**2 + 0.4**2) / 2),
                    "Each edge counts by its pairs.",
                ),
                (lambda: _chain() ** 2, "That is ρ². Take the root."),
                (
                    lambda: 0.8 * 0.4,
                    "That is the correlation of the ends if the middle says "
                    "all they share.",
                ),
            ),
        ),
        "7.1b": Computed(
            "There: the standard deviation of the latents of modality 0, "
            "divided by that of modality 1?",
            lambda: 0.8 / _chain(),
            "ρ₀₁/ρ: the better predicted end has the larger latents.",
            (
                (
                    lambda: 0.4 / _chain(),
                    "That is the other end, modality 2.",
                ),
                (
                    lambda: 0.8,
                    "A best prediction has ρ₀₁ times the spread; the factor "
                    "1/ρ of the singular vector is missing.",
                ),
                (
                    lambda: 1,
                    "Whitened together is not whitened each: ends of a chain "
                    "have latents of their own spread.",
                ),
            ),
        ),
        "9.1b": Computed(
            "d₁ = d₂ = 10 and n = 100: the edge of the largest sample "
            "correlation without any signal, and the true correlation of a "
            "signal that just emerges? (Correlations, not squares.)",
            _edge,
            "The edge is at the root of λ₊, the signal at the root of t_c.",
            (
                (
                    lambda: np.square(_edge()),
                    "These are squares.",
                ),
                (
                    lambda: (_edge()[0], 0),
                    "A signal as weak as that stays under the edge.",
                ),
                (
                    lambda: (_edge()[0], _edge()[0]),
                    "The sample correlation lies above the true one.",
                ),
                (
                    lambda: _edge()[::-1],
                    "The other way about: samples exaggerate.",
                ),
            ),
            labels=("edge", "true correlation"),
        ),
        "10.1c": Computed(
            "Both encoders collapse, 100 items, temperature 0.1: the InfoNCE "
            "loss?",
            lambda: log(100),
            "-log(1/n), at every temperature.",
            (
                (
                    lambda: log(100) / 0.1,
                    "Equal similarities divided by anything are equal.",
                ),
                (
                    lambda: np.log2(100),
                    "The loss has the natural logarithm.",
                ),
                (lambda: 0, "Zero would be a certain and right answer."),
                (
                    lambda: log(100) / 100,
                    "The loss is a mean over items, and each has log n.",
                ),
            ),
        ),
        "11.1b": Computed(
            "1000 rows of mean 1; 200 of them, of mean 3, are forgotten. The "
            "mean of the rest?",
            lambda: (1000 * 1 - 200 * 3) / 800,
            "Sums subtract, means do not.",
            (
                (
                    lambda: 1 - 3,
                    "Means do not subtract, sums do.",
                ),
                (
                    lambda: (1000 * 1 - 200 * 3) / 1000,
                    "How many rows are left?",
                ),
                (
                    lambda: (1000 * 1 + 200 * 3) / 1200,
                    "That merges them instead.",
                ),
            ),
        ),
        "12.1a": Computed(
            "Ten classes, 500 items on both sides, all labels known: the mass "
            "of the class coupling on true partners?",
            lambda: 10 / 500,
            "C/n, whatever the sizes of the classes are.",
            (
                (
                    lambda: 1 / 500,
                    "That is the mass without labels, one class.",
                ),
                (
                    lambda: 1 / 10,
                    "The right class is certain here; the partner within it "
                    "is not.",
                ),
                (lambda: 1, "Classes do not tell items apart."),
                (
                    lambda: 10 / 500**2,
                    "One partner has that much. There are 500.",
                ),
            ),
        ),
        "12.1b": Computed(
            "A source with p = (0.7, 0.2, 0.1), calibrated; labels of targets "
            "known: the expected mass on the right class, as a share?",
            lambda: 0.7**2 + 0.2**2 + 0.1**2,
            "Σp²: drawn once for the target, once for the truth.",
            (
                (
                    lambda: 0.7,
                    "That is the best guess. The coupling draws.",
                ),
                (lambda: 0.7**2, "Other classes may agree by chance, too."),
                (lambda: 1 / 3, "So it is for uniform p."),
                (
                    lambda: sqrt(0.7**2 + 0.2**2 + 0.1**2),
                    "A length, not a probability: no root.",
                ),
            ),
        ),
        "13.1a": Computed(
            "The mean of four draws: its expected squared error, in units of "
            "E tr Cov(y | x)?",
            lambda: 1 + 1 / 4,
            "1 for the truth's own spread, 1/S for the draws'.",
            (
                (
                    lambda: 1 / 4,
                    "The true partner has a spread of its own.",
                ),
                (
                    lambda: 2,
                    "That is a single draw.",
                ),
                (
                    lambda: 2 / 4,
                    "Only the draws average out. The truth is drawn once.",
                ),
                (lambda: 1, "That is the limit of many draws."),
            ),
        ),
        "14.1a": Computed(
            "Classes of 50, 30 and 20 items, and a map that knows the class "
            "alone: the mean rank of the partner?",
            lambda: _mean_rank((50, 30, 20)),
            "½ Σ (n_c/n)(n_c + 1): queries of large classes are many and "
            "rank late.",
            (
                (
                    lambda: (100 / 3 + 1) / 2,
                    "So it is if the three classes count alike. More "
                    "queries are of large ones.",
                ),
                (
                    lambda: (100 + 1) / 2,
                    "That is guessing among all.",
                ),
                (
                    lambda: _mean_rank((50, 30, 20)) - 0.5,
                    "Ranks begin at 1: the mean of 1 to m is (m + 1)/2.",
                ),
            ),
            rtol=0.005,
        ),
    }


def _shared_after_bends() -> ArrayLike:
    first, second = make_gaussian_views(2000, random_state=0).views
    bends = (
        np.exp(second / 10),
        np.exp(second / 1000),
        np.log(np.exp(second / 10)),
    )
    fits = [PerfectAlignment(2).fit([first, bent]) for bent in bends]
    return [fit.shared_dimension_ for fit in fits]


def _turn(*, view: int = 0, largest: bool = True) -> float:
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(500, 2))
    views: list[Array] = []
    for _ in range(2):
        own = rng.normal(size=(500, 2))
        mixing = rng.uniform(-1, 1, size=(4, 4))
        clean = np.hstack([shared, own]) @ mixing
        views.append(clean + 0.3 * rng.normal(size=clean.shape))
    fit = PerfectAlignment(constraint="orthonormal", center=False)
    planes = [
        fit.fit_transform(both)[view]
        for both in (views, [views[0] / 100, views[1]])
    ]
    angles = np.degrees(subspace_angles(*planes))
    return float(angles.max() if largest else angles.min())


def _two_views() -> tuple[Array, Array]:
    first, second = make_gaussian_views(random_state=0).views
    return first, second


def _numerals() -> ArrayLike:
    mfeat = load_mfeat()
    named = dict(zip(mfeat.view_names, mfeat.views))
    rng = np.random.default_rng(0)
    order = rng.permutation(2000)

    def shared(n: int, shuffled: bool = False) -> int:
        fou, kar = named["fou"][order[:n]], named["kar"][order[:n]]
        partner = rng.permutation(kar) if shuffled else kar
        return existence_report([fou, partner]).shared_dimension

    end = next(n for n in range(139, 143) if shared(n) == 0)
    return shared(100), shared(100, shuffled=True), end


def _chain() -> float:
    return sqrt((300 * 0.8**2 + 100 * 0.4**2) / 400)


def _edge() -> tuple[float, float]:
    c1 = c2 = 10 / 100
    edge = sqrt(c1 * (1 - c2)) + sqrt(c2 * (1 - c1))
    signal = (c1 * c2 / ((1 - c1) * (1 - c2))) ** 0.25
    return edge, signal


def _mean_rank(sizes: tuple[int, ...]) -> float:
    n = sum(sizes)
    return sum(m / n * (m + 1) / 2 for m in sizes)
