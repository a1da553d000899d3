"""The questions of chapters 10 to 16 whose answers are numbers."""

from math import gamma, log

import numpy as np

from perfalign.book.exercises._computed import Computed
from perfalign.book.exercises._question import Question


def second_half() -> dict[str, Question]:
    """The questions of chapters 10 to 16."""
    return {
        "10.1c": Computed(
            "Both encoders collapse, 100 items, temperature 0.1: the InfoNCE "
            "loss?",
            lambda n=100, temperature=0.1: log(n),
            "-log(1/n), at every temperature.",
            (
                (
                    lambda n=100, temperature=0.1: log(n) / temperature,
                    "Equal similarities divided by anything are equal.",
                ),
                (
                    lambda n=100, temperature=0.1: np.log2(n),
                    "The loss has the natural logarithm.",
                ),
                (lambda *_: 0, "Zero would be a certain and right answer."),
                (
                    lambda n=100, temperature=0.1: log(n) / n,
                    "The loss is a mean over items, and each has log n.",
                ),
            ),
            others=((500, 0.05),),
        ),
        "11.1b": Computed(
            "1000 rows of mean 1; 200 of them, of mean 3, are forgotten. The "
            "mean of the rest?",
            lambda n=1000, mean=1, gone=200, gone_mean=3: (
                (n * mean - gone * gone_mean) / (n - gone)
            ),
            "Sums subtract, means do not.",
            (
                (
                    lambda n=1000, mean=1, gone=200, gone_mean=3: (
                        mean - gone_mean
                    ),
                    "Means do not subtract, sums do.",
                ),
                (
                    lambda n=1000, mean=1, gone=200, gone_mean=3: (
                        mean - gone * gone_mean / n
                    ),
                    "How many rows are left?",
                ),
                (
                    lambda n=1000, mean=1, gone=200, gone_mean=3: (
                        (n * mean + gone * gone_mean) / (n + gone)
                    ),
                    "That merges them instead.",
                ),
            ),
            others=((500, 2, 100, -4),),
        ),
        "12.1a": Computed(
            "Ten classes, 500 items on both sides, all labels known: the mass "
            "of the class coupling on true partners?",
            lambda classes=10, n=500: classes / n,
            "C/n, whatever the sizes of the classes are.",
            (
                (
                    lambda classes=10, n=500: 1 / n,
                    "That is the mass without labels, one class.",
                ),
                (
                    lambda classes=10, n=500: 1 / classes,
                    "The right class is certain here; the partner within it "
                    "is not.",
                ),
                (lambda *_: 1, "Classes do not tell items apart."),
                (
                    lambda classes=10, n=500: classes / n**2,
                    "One partner has that much. There are 500.",
                ),
            ),
            others=((5, 400),),
        ),
        "12.1b": Computed(
            "A source with p = (0.7, 0.2, 0.1), calibrated; labels of targets "
            "known: the expected mass on the right class, as a share?",
            lambda p=(0.7, 0.2, 0.1): np.sum(np.square(p)),
            "Σp²: drawn once for the target, once for the truth.",
            (
                (
                    lambda p=(0.7, 0.2, 0.1): max(p),
                    "That is the best guess. The coupling draws.",
                ),
                (
                    lambda p=(0.7, 0.2, 0.1): max(p) ** 2,
                    "Other classes may agree by chance, too.",
                ),
                (
                    lambda p=(0.7, 0.2, 0.1): 1 / len(p),
                    "So it is for uniform p.",
                ),
                (
                    lambda p=(0.7, 0.2, 0.1): np.linalg.norm(p),
                    "A length, not a probability: no root.",
                ),
            ),
            others=(((0.4, 0.3, 0.2, 0.1),),),
        ),
        "13.1a": Computed(
            "The mean of four draws: its expected squared error, in units of "
            "E tr Cov(y | x)?",
            lambda draws=4: 1 + 1 / draws,
            "1 for the truth's own spread, 1/S for the draws'.",
            (
                (
                    lambda draws=4: 1 / draws,
                    "The true partner has a spread of its own.",
                ),
                (
                    lambda *_: 2,
                    "That is a single draw.",
                ),
                (
                    lambda draws=4: 2 / draws,
                    "Only the draws average out. The truth is drawn once.",
                ),
                (lambda *_: 1, "That is the limit of many draws."),
            ),
            others=((9,),),
        ),
        "14.1a": Computed(
            "Classes of 50, 30 and 20 items, and a map that knows the class "
            "alone: the mean rank of the partner?",
            _mean_rank,
            "½ Σ (n_c/n)(n_c + 1): queries of large classes are many and "
            "rank late.",
            (
                (
                    lambda sizes=(50, 30, 20): (
                        (sum(sizes) / len(sizes) + 1) / 2
                    ),
                    "So it is if the three classes count alike. More "
                    "queries are of large ones.",
                ),
                (
                    lambda sizes=(50, 30, 20): (sum(sizes) + 1) / 2,
                    "That is guessing among all.",
                ),
                (
                    lambda *case: _mean_rank(*case) - 0.5,
                    "Ranks begin at 1: the mean of 1 to m is (m + 1)/2.",
                ),
            ),
            others=(((10, 40, 40, 5),),),
            rtol=0.005,
        ),
        "15.1a": Computed(
            "On a line, with c = 0.7: y₁ = 0 and y₂ = 1, u₁ = c and "
            "u₂ = 1 + c. How far is u₁ from its partner y₁, u₁ from y₂, and "
            "u₂ from its partner y₂?",
            lambda c=0.7: (c, 1 - c, c),
            "u₁ and y₂ are nearest to each other, and no partners.",
            (
                (
                    lambda c=0.7: (c, 1 + c, c),
                    "u₁ lies between y₁ and y₂, not to the left of both.",
                ),
                (
                    lambda c=0.7: (1 - c, c, c),
                    "The first two are exchanged: y₁ is at 0.",
                ),
                (
                    lambda c=0.7: (c, 1 - c, 1 - c),
                    "Measured from y₂ to u₁. Where is u₂?",
                ),
                (
                    lambda c=0.7: (c, 1 - c, 1 + c),
                    "Measured from y₁. The partner of u₂ is y₂.",
                ),
            ),
            others=((0.6,), (0.95,)),
            labels=("u₁ from y₁", "u₁ from y₂", "u₂ from y₂"),
        ),
        "16.1a": Computed(
            "x is normal, N(0, I), in k = 3 dimensions, and the power is "
            "p = 4. Of which number is E ‖x‖ᵖ x xᵀ this multiple of I?",
            _multiple,
            "The trace is E ‖x‖ᵖ⁺², and k equal eigenvalues share it.",
            (
                (
                    lambda k=3, p=4: _moment(k, p),
                    "‖x‖ᵖ and x xᵀ are not independent: long vectors count "
                    "more in both.",
                ),
                (
                    lambda k=3, p=4: _moment(k, p + 2),
                    "That is the trace.",
                ),
                (
                    lambda k=3, p=4: k ** (p / 2),
                    "As if all vectors had the length √k.",
                ),
                (
                    lambda *_: 1,
                    "That is E x xᵀ, with power 0.",
                ),
            ),
            others=((5, 1), (2, 3)),
        ),
        "16.1b": Computed(
            "Independent concepts of variance 1 with fourth moments "
            "κ = (3, 5, 5, 9): the eigenvalues of E ‖x‖² x xᵀ, ascending?",
            lambda kappa=(3, 5, 5, 9): np.sort(kappa) + len(kappa) - 1,
            "κ + k - 1: a concept's own fourth moment, and 1 from each other.",
            (
                (
                    lambda kappa=(3, 5, 5, 9): np.sort(kappa),
                    "‖x‖² has the other concepts in it, too.",
                ),
                (
                    lambda kappa=(3, 5, 5, 9): np.sort(kappa) + len(kappa),
                    "One too many: a concept's own square is in κ already.",
                ),
                (
                    lambda kappa=(3, 5, 5, 9): np.sort(kappa) - 3,
                    "That is the excess over a normal distribution.",
                ),
                (
                    lambda kappa=(3, 5, 5, 9): np.full(
                        len(kappa), len(kappa) + 2
                    ),
                    "So it is if all concepts are normal.",
                ),
            ),
            others=(((1.8, 3, 6),), ((9, 1, 4, 2, 3),)),
            labels=("smallest", "second", "third", "largest"),
        ),
    }


def _mean_rank(sizes: tuple[int, ...] = (50, 30, 20)) -> float:
    n = sum(sizes)
    return sum(m / n * (m + 1) / 2 for m in sizes)


def _moment(k: int, power: float) -> float:
    """E ‖x‖ to a power, of x from N(0, I) in k dimensions."""
    return 2 ** (power / 2) * gamma((k + power) / 2) / gamma(k / 2)


def _multiple(k: int = 3, p: float = 4) -> float:
    return _moment(k, p + 2) / k
