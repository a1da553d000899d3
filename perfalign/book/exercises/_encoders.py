"""The question for the encoders of eq. 3, whose answer is not unique."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfalign._types import Array
from perfalign.book.exercises._computed import real
from perfalign.book.exercises._question import Case, Question
from perfalign.book.exercises._verdict import Verdict
from perfalign.datasets import make_gaussian_views

Pair = tuple[Array, Array]


@dataclass(frozen=True)
class Encoders(Question):
    """Encoders (A¹, A²) of two views, right up to a rotation of the latents.

    Views are those of `make_gaussian_views` and a random state, rows are
    items; encoders are (k, d_m), and the right ones are the last k columns of
    U in the decomposition of the stack [X¹; -X²], transposed.
    """

    question: str
    k: int
    others: Sequence[Case] = ()

    def right(self) -> Callable[..., Pair]:
        def encoders(random_state: int = 0) -> Pair:
            return _split(_left(_stack(random_state))[:, -self.k :].T)

        return encoders

    def wrong(self) -> Sequence[tuple[Callable[..., Pair], str]]:
        def first(random_state: int = 0) -> Pair:
            return _split(_left(_stack(random_state))[:, : self.k].T)

        def rows(random_state: int = 0) -> Pair:
            return _split(_left(_stack(random_state))[-self.k :])

        def plus(random_state: int = 0) -> Pair:
            A1, A2 = self.right()(random_state)
            return A1, -A2

        def centred(random_state: int = 0) -> Pair:
            X = _stack(random_state)
            X = X - X.mean(axis=1, keepdims=True)
            return _split(_left(X)[:, -self.k :].T)

        return [
            (
                first,
                "The first columns of U have the largest singular values. "
                "Take the last.",
            ),
            (
                rows,
                "These are rows of U. Left singular vectors are its columns.",
            ),
            (
                plus,
                "Right but for the sign of A²: the stack was [X¹; X²].",
            ),
            (
                centred,
                "The views were centred. Eq. 3 takes them as they are.",
            ),
        ]

    def text(self) -> str:
        shapes = " and ".join(str(A.shape) for A in self.right()())
        arrays = f"two arrays, {shapes}{self.function()}"
        return f"{self.question}\n  (Answer with {arrays}.)"

    def verdict(self, *answer: object, case: Case = ()) -> Verdict:
        encoders: Any = answer[0] if len(answer) == 1 else answer
        right = self.right()(*case)
        wanted = [A.shape for A in right]
        try:
            first, second = map(real, encoders)
        except (TypeError, ValueError):
            given = ", ".join(type(part).__name__ for part in answer)
            raise ValueError(
                "The answer is two arrays of real numbers, A¹ and A²; got "
                f"{given or 'nothing'}."
            ) from None
        shapes = [first.shape, second.shape]
        if shapes != wanted:
            turned = [shape[::-1] for shape in shapes] == wanted
            hint = " Transpose: a row is a component." if turned else ""
            return Verdict(False, f"Shapes {shapes}, expected {wanted}.{hint}")
        return self._compare(np.hstack([first, second]), right, case)

    def _compare(self, A: Array, right: Pair, case: Case) -> Verdict:
        if not np.isfinite(A).all():
            return Verdict(False, "Some entries are not finite.")
        if np.linalg.matrix_rank(A) < self.k:
            return Verdict(False, "The rows of A are not independent.")
        if _spans(A, np.hstack(right)):
            if np.allclose(A @ A.T, np.eye(self.k), atol=1e-3):
                return Verdict(
                    True, "These rows span the last k columns of U."
                )
            return Verdict(
                False, "The right rows, but A Aᵀ is not the identity."
            )
        for wrong, reason in self.wrong():
            if _spans(A, np.hstack(wrong(*case))):
                return Verdict(False, reason)
        return Verdict(
            False,
            "A X is not as small as it can be. Is the second block negated, "
            "and are rows of the stack features?",
        )


def _stack(random_state: int) -> Array:
    first, second = make_gaussian_views(random_state=random_state).views
    return np.hstack([first, -second]).T


def _left(X: Array) -> Array:
    """The left singular vectors, as columns."""
    return np.linalg.svd(X, full_matrices=False)[0]


def _split(A: Array) -> Pair:
    half = A.shape[1] // 2
    return A[:, :half], A[:, half:]


def _spans(A: Array, rows: Array) -> bool:
    """Whether independent rows span the same space as as many others."""
    basis = np.linalg.qr(rows.T)[0]
    rest = A - A @ basis @ basis.T
    return bool(np.linalg.norm(rest) <= 1e-3 * np.linalg.norm(A))
