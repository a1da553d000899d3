"""The questions that a page asks, below their exercises."""

from perfalign.book.exercises._check import exercise_of, question, questions
from perfalign.book.exercises._choice import Choice
from perfalign.book.exercises._computed import Computed
from perfalign.book.forms import form


def forms(exercise: str) -> list[str]:
    """HTML of the questions about an exercise that a page can check.

    Parameters
    ----------
    exercise : str
        Chapter, point, exercise.

    Returns
    -------
    forms : list of str
        None for a question whose answer is not unique.

    Examples
    --------
    >>> from perfalign.book.exercises import forms
    >>> len(forms("9.1"))
    2
    """
    found = []
    for number in questions():
        asked = question(number)
        if exercise_of(number) == exercise and isinstance(
            asked, (Choice, Computed)
        ):
            data = asked.data()
            found += [form(number, asked.question, asked.offers(), data)]
    return found
