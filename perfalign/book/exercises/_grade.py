"""Points for an answer, when it is graded."""

import warnings

from perfalign.book.exercises._check import question
from perfalign.book.exercises._question import Case, Question
from perfalign.book.exercises._verdict import Verdict


def grade(number: str, answer: object) -> int:
    """Print what is said of an answer, and give its points.

    There is a point for a right answer. Where the question can be asked for
    other numbers there is another one for a function that answers them all.

    Parameters
    ----------
    number : str
        One of :func:`questions`.
    answer : object
        As for :func:`check`.

    Returns
    -------
    points : int
        0, 1 or 2.

    Examples
    --------
    >>> from perfalign.book.exercises import grade
    >>> grade("13.1a", 1.25)
    Right. 1 for the truth's own spread, 1/S for the draws'.
    For other numbers: Not yet. A function of the numbers was asked for.
    1
    >>> grade("13.1a", lambda draws: 1 + 1 / draws)
    Right. 1 for the truth's own spread, 1/S for the draws'.
    For other numbers: Right. Each of them.
    2
    """
    asked = question(number)
    said = _said(asked, answer)
    print(said)
    if not (said and asked.others):
        return int(said.right)
    further = Verdict(False, "A function of the numbers was asked for.")
    if callable(answer):
        verdicts = [_said(asked, answer, case) for case in asked.others]
        wrong = [verdict for verdict in verdicts if not verdict]
        further = wrong[0] if wrong else Verdict(True, "Each of them.")
    print(f"For other numbers: {further}")
    return 1 + further.right


def _said(asked: Question, answer: object, case: Case = ()) -> Verdict:
    """The verdict, also on what stops: an answer is anybody's code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return asked.said(answer, case=case)
    except Exception as error:
        return Verdict(False, f"{type(error).__name__}: {error}")
