"""The questions of chapters 1 to 9 whose answers are numbers."""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import subspace_angles

from perfalign._types import Array
from perfalign.alignment import PerfectAlignment, existence_report
from perfalign.book.exercises._computed import Computed
from perfalign.book.exercises._encoders import Encoders
from perfalign.book.exercises._question import Question
from perfalign.datasets import load_mfeat, make_gaussian_views


def first_half() -> dict[str, Question]:
    """The questions of chapters 1 to 9."""
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
                    lambda *_: (2, 2, 2),
                    "No information is lost, but a linear encoder cannot "
                    "undo a bend.",
                ),
                (
                    lambda *_: (0, 2, 2),
                    "A small bend makes a small error. The count asks for "
                    "none.",
                ),
                (
                    lambda *_: (0, 0, 0),
                    "What is the logarithm of the exponential?",
                ),
            ),
            labels=("exp(x / 10)", "exp(x / 1000)", "log(exp(x / 10))"),
        ),
        "2.2": Computed(
            "By how many degrees, the larger angle, do the latents of the "
            "first view turn, as a plane, in the new unit: noise 0.3, the "
            "paper's constraint, uncentred?",
            _turn,
            "Rows of length one cannot grow a hundredfold, so the solver "
            "finds another plane.",
            (
                (
                    lambda *_: 0,
                    "So it is without noise, or whitened. Here the encoder "
                    "would have to grow a hundredfold.",
                ),
                (
                    lambda *case: _turn(*case, largest=False),
                    "That is the smallest of the angles between the planes.",
                ),
                (
                    lambda *case: _turn(*case, view=1),
                    "That is the plane of the second view.",
                ),
                (
                    lambda *case: np.radians(_turn(*case)),
                    "Degrees are asked for, these look like radians.",
                ),
            ),
            others=((0.2, 100), (0.3, 3)),
            rtol=0.03,
        ),
        "2.1c": Encoders(
            "Equation 3 in NumPy: for the views of "
            "make_gaussian_views(random_state=0) and k = 2, the encoders A¹ "
            "and A² from the decomposition of [X¹; -X²], uncentred.",
            2,
            others=((1,), (2,)),
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
                    lambda *_: (40, 40, 140),
                    "Centring takes one: n' = n - 1.",
                ),
                (
                    lambda *_: (41, 0, 141),
                    "Shuffled pairs are wide tables, too. Count ranks.",
                ),
                (
                    lambda *_: (0, 0, 0),
                    "With fewer items than features row spaces must meet.",
                ),
                (
                    lambda *_: (41, 41, 140),
                    "Nearly. At 140 numerals n' is 139.",
                ),
            ),
            others=((120,),),
            rtol=0,
            labels=("true pairs", "shuffled pairs", "numerals"),
        ),
        "5.1b": Computed(
            "Concepts of mean length 2 and the gauge t H⁻¹ with t = 3: "
            "what is the reconstruction error?",
            lambda t=3, length=2: abs(1 - t) * length,
            "The latents are three times the concepts: |1 - t| times 2.",
            (
                (lambda *_: 0, "That is the alignment error."),
                (
                    lambda t=3, length=2: abs(t) * length,
                    "That is the latents' mean length. The error is the "
                    "length of the difference.",
                ),
                (
                    lambda t=3, length=2: abs(1 - 1 / t) * length,
                    "The gauge is 3 H⁻¹, not H⁻¹ / 3.",
                ),
            ),
            others=((0.25, 4), (-2, 3)),
        ),
        "6.3": Computed(
            "Fifty labels, spent on a test of a classifier that is right half "
            "of the time: one standard error of the accuracy?",
            lambda labels=50, share=0.5: sqrt(share * (1 - share) / labels),
            "The root of p(1 - p)/n.",
            (
                (
                    lambda labels=50, share=0.5: share * (1 - share) / labels,
                    "That is the variance. Take the root.",
                ),
                (
                    lambda labels=50, share=0.5: (
                        2 * sqrt(share * (1 - share) / labels)
                    ),
                    "Twice too much: half of a 95 % interval, or a coin "
                    "taken to have the spread one.",
                ),
                (
                    lambda labels=50, share=0.5: share / labels,
                    "Errors fall with the root of the number of labels.",
                ),
            ),
            others=((200, 0.7),),
            rtol=0.03,
        ),
        "7.1a": Computed(
            "A chain with 300 pairs of correlation 0.8 and 100 of 0.4: ρ?",
            _chain,
            "The squares are averaged, weighted by pairs.",
            (
                (
                    lambda pairs=(300, 100), rho=(0.8, 0.4): np.average(
                        rho, weights=pairs
                    ),
                    "The correlations were averaged. Average their squares.",
                ),
                (
                    lambda pairs=(300, 100), rho=(0.8, 0.4): sqrt(
                        np.mean(np.square(rho))
                    ),
                    "Each edge counts by its pairs.",
                ),
                (
                    lambda *case: _chain(*case) ** 2,
                    "That is ρ². Take the root.",
                ),
                (
                    lambda pairs=(300, 100), rho=(0.8, 0.4): rho[0] * rho[1],
                    "That is the correlation of the ends if the middle says "
                    "all they share.",
                ),
            ),
            others=(((50, 150), (0.9, 0.2)),),
        ),
        "7.1b": Computed(
            "There: the standard deviation of the latents of modality 0, "
            "divided by that of modality 1?",
            lambda pairs=(300, 100), rho=(0.8, 0.4): (
                rho[0] / _chain(pairs, rho)
            ),
            "ρ₀₁/ρ: the better predicted end has the larger latents.",
            (
                (
                    lambda pairs=(300, 100), rho=(0.8, 0.4): (
                        rho[1] / _chain(pairs, rho)
                    ),
                    "That is the other end, modality 2.",
                ),
                (
                    lambda pairs=(300, 100), rho=(0.8, 0.4): rho[0],
                    "A best prediction has ρ₀₁ times the spread; the factor "
                    "1/ρ of the singular vector is missing.",
                ),
                (
                    lambda *_: 1,
                    "Whitened together is not whitened each: ends of a chain "
                    "have latents of their own spread.",
                ),
            ),
            others=(((50, 150), (0.9, 0.2)),),
        ),
        "9.1b": Computed(
            "d₁ = d₂ = 10 and n = 100: the edge of the largest sample "
            "correlation without any signal, and the true correlation of a "
            "signal that just emerges? (Correlations, not squares.)",
            _edge,
            "The edge is at the root of λ₊, the signal at the root of t_c.",
            (
                (
                    lambda *case: np.square(_edge(*case)),
                    "These are squares.",
                ),
                (
                    lambda *case: (_edge(*case)[0], 0),
                    "A signal as weak as that stays under the edge.",
                ),
                (
                    lambda *case: (_edge(*case)[0], _edge(*case)[0]),
                    "The sample correlation lies above the true one.",
                ),
                (
                    lambda *case: _edge(*case)[::-1],
                    "The other way about: samples exaggerate.",
                ),
            ),
            others=((5, 20, 200),),
            labels=("edge", "true correlation"),
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


def _turn(
    noise: float = 0.3,
    unit: float = 100,
    *,
    view: int = 0,
    largest: bool = True,
) -> float:
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(500, 2))
    views: list[Array] = []
    for _ in range(2):
        own = rng.normal(size=(500, 2))
        mixing = rng.uniform(-1, 1, size=(4, 4))
        clean = np.hstack([shared, own]) @ mixing
        views.append(clean + noise * rng.normal(size=clean.shape))
    fit = PerfectAlignment(constraint="orthonormal", center=False)
    planes = [
        fit.fit_transform(both)[view]
        for both in (views, [views[0] / unit, views[1]])
    ]
    angles = np.degrees(subspace_angles(*planes))
    return float(angles.max() if largest else angles.min())


def _numerals(n: int = 100) -> ArrayLike:
    mfeat = load_mfeat()
    named = dict(zip(mfeat.view_names, mfeat.views))
    rng = np.random.default_rng(0)
    order = rng.permutation(2000)

    def shared(n: int, shuffled: bool = False) -> int:
        fou, kar = named["fou"][order[:n]], named["kar"][order[:n]]
        partner = rng.permutation(kar) if shuffled else kar
        return existence_report([fou, partner]).shared_dimension

    end = next(n for n in range(139, 143) if shared(n) == 0)
    return shared(n), shared(n, shuffled=True), end


def _chain(
    pairs: tuple[int, int] = (300, 100), rho: tuple[float, float] = (0.8, 0.4)
) -> float:
    return sqrt(np.average(np.square(rho), weights=pairs))


def _edge(d1: int = 10, d2: int = 10, n: int = 100) -> tuple[float, float]:
    c1, c2 = d1 / n, d2 / n
    edge = sqrt(c1 * (1 - c2)) + sqrt(c2 * (1 - c1))
    signal = (c1 * c2 / ((1 - c1) * (1 - c2))) ** 0.25
    return edge, signal
