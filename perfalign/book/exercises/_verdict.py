"""What is said of an answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and why or why not.

    It is true in an ``if`` where the answer is right, and shows itself as a
    sentence.

    Parameters
    ----------
    right : bool
        Whether the answer is right.
    reason : str
        What makes it so; of a wrong answer, what is wrong with it.

    Examples
    --------
    >>> from perfalign.book.exercises import Verdict
    >>> Verdict(False, "A row is missing.")
    Not yet. A row is missing.
    """

    right: bool
    reason: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{'Right' if self.right else 'Not yet'}. {self.reason}"
