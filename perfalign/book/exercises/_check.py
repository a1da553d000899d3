"""The door: a question by its number, and what is said of an answer."""

from functools import cache
from string import ascii_lowercase

from perfalign.book.exercises._choice import read_choices
from perfalign.book.exercises._numbers_first import first_half
from perfalign.book.exercises._numbers_second import second_half
from perfalign.book.exercises._question import Question
from perfalign.book.exercises._verdict import Verdict


@cache
def _all() -> dict[str, Question]:
    everything = {**read_choices(), **first_half(), **second_half()}
    return dict(sorted(everything.items(), key=lambda item: _key(item[0])))


def questions() -> list[str]:
    """Numbers of all questions, in the order of the book.

    Returns
    -------
    numbers : list of str
        Chapter, point, exercise, and a letter where an exercise has several
        questions.

    Examples
    --------
    >>> from perfalign.book.exercises import questions
    >>> questions()[:3]
    ['1.1a', '1.1b', '1.2']
    """
    return list(_all())


def ask(number: str) -> None:
    """Print a question about an exercise.

    Parameters
    ----------
    number : str
        One of :func:`questions`.

    Raises
    ------
    ValueError
        If there is no such question.

    Examples
    --------
    >>> from perfalign.book.exercises import ask
    >>> ask("2.1a")  # doctest: +ELLIPSIS
    The friends use [-X¹; X²] and [X¹; X²] where you use [X¹; -X²]. ...
      (a) you alone
      (b) all three, as the singular values are the same
      (c) you and the friend with [-X¹; X²]
      (d) you and the friend with [X¹; X²]
    """
    print(question(number).text())


def check(number: str, *answer: object) -> Verdict:
    """Say whether an answer is right; if not, why not.

    A wrong answer is told what is wrong with it, never the right one. Numbers
    are compared with what the definition gives, computed on the spot.

    Parameters
    ----------
    number : str
        One of :func:`questions`.
    *answer : str, numbers or arrays
        What :func:`ask` asks for: the letter of an option, one or several
        numbers, or arrays; or a function that returns it, of the numbers in
        the question. Dots, ``...``, stand for an answer to come.

    Returns
    -------
    verdict : Verdict
        True if the answer is right; it prints as a sentence.

    Raises
    ------
    ValueError
        If there is no such question, or the answer is not of the kind that is
        asked for.

    Examples
    --------
    >>> from perfalign.book.exercises import check
    >>> check("6.3", 0.005)
    Not yet. That is the variance. Take the root.
    >>> if check("6.3", 0.071):
    ...     print("well done")
    well done
    """
    return question(number).said(*answer)


def question(number: str) -> Question:
    """A question with all that is known about it, answers included.

    Parameters
    ----------
    number : str
        One of :func:`questions`.

    Returns
    -------
    question : Question
        Its text, right and wrong answers and their reasons.

    Raises
    ------
    ValueError
        If there is no such question.

    Examples
    --------
    >>> from perfalign.book.exercises import question
    >>> len(question("6.3").wrong())
    3
    """
    known = _all()
    if isinstance(number, str) and number in known:
        return known[number]
    near = [name for name in known if name.startswith(str(number))] or known
    raise ValueError(f"No question {number!r}; there are {', '.join(near)}.")


def exercise_of(number: str) -> str:
    """The exercise that a question is about.

    Parameters
    ----------
    number : str
        One of :func:`questions`.

    Returns
    -------
    exercise : str
        The number without its letter.

    Examples
    --------
    >>> from perfalign.book.exercises import exercise_of
    >>> exercise_of("2.1c")
    '2.1'
    """
    return number.rstrip(ascii_lowercase)


def _key(number: str) -> tuple[int, int, str]:
    exercise = exercise_of(number)
    chapter, place = map(int, exercise.split("."))
    return chapter, place, number.removeprefix(exercise)
