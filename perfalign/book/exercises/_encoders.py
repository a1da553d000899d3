"""The question for the encoders of eq. 3, whose answer is not unique."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perfalign._types import Array
from perfalign.book.exercises._verdict import Verdict


@dataclass(frozen=True)
class Encoders:
    """Encoders (A¹, A²) of two views, right up to a rotation of the latents.

    `views` are (n, d_m), rows are items; encoders are (k, d_m), and the right
    ones are the last k columns of U in the decomposition of the stack
    [X¹; -X²], transposed.
    """

    question: str
    views: tuple[Array, Array]
    k: int

    def text(self) -> str:
        shapes = " and ".join(f"({self.k}, {v.shape[1]})" for v in self.views)
        return f"{self.question}\n  (Answer with two arrays, {shapes}.)"

    def verdict(self, *answer: object) -> Verdict:
        encoders = answer if len(answer) == 2 else answer[0]
        wanted = [(self.k, view.shape[1]) for view in self.views]
        if not isinstance(encoders, Sequence) or len(encoders) != 2:
            raise ValueError(
                "The answer is two arrays, A¹ and A²; got "
                f"{type(encoders).__name__}."
            )
        first, second = (np.asarray(A, dtype=float) for A in encoders)
        shapes = [first.shape, second.shape]
        if shapes != wanted:
            turned = [shape[::-1] for shape in shapes] == wanted
            hint = " Transpose: a row is a component." if turned else ""
            return Verdict(False, f"Shapes {shapes}, expected {wanted}.{hint}")
        return self._compare(np.hstack([first, second]))

    def _compare(self, A: Array) -> Verdict:
        X = np.hstack([self.views[0], -self.views[1]]).T
        d = self.views[0].shape[1]
        U = np.linalg.svd(X)[0]
        centred = X - X.mean(axis=1, keepdims=True)
        flip = np.r_[np.ones(d), -np.ones(len(X) - d)]
        if not np.isfinite(A).all():
            return Verdict(False, "Some entries are not finite.")
        if _spans(A, U[:, -self.k :].T):
            if np.allclose(A @ A.T, np.eye(self.k), atol=1e-6):
                return Verdict(
                    True, "These rows span the last k columns of U."
                )
            return Verdict(
                False, "The right rows, but A Aᵀ is not the identity."
            )
        others = {
            "The first columns of U have the largest singular values. Take "
            "the last.": U[:, : self.k].T,
            "These are rows of U. Left singular vectors are its columns.": U[
                -self.k :
            ],
            "Right but for the sign of A²: the stack was [X¹; X²].": (
                U[:, -self.k :].T * flip
            ),
            "The views were centred. Eq. 3 takes them as they are.": (
                np.linalg.svd(centred)[0][:, -self.k :].T
            ),
        }
        for reason, rows in others.items():
            if _spans(A, rows):
                return Verdict(False, reason)
        return Verdict(
            False,
            "A X is not as small as it can be. Is the second block negated, "
            "and are rows of the stack features?",
        )


def _spans(A: Array, rows: Array) -> bool:
    """Whether the rows of both matrices span the same space."""
    basis = np.linalg.qr(rows.T)[0]
    rest = A - A @ basis @ basis.T
    return bool(
        np.linalg.matrix_rank(A) == len(rows)
        and np.linalg.norm(rest) <= 1e-6 * np.linalg.norm(A)
    )
