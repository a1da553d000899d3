"""The door: a question by its number, and what is said of an answer."""

from functools import cache

from perfalign.book.exercises._choice import Choice, read_choices
from perfalign.book.exercises._computed import Computed
from perfalign.book.exercises._encoders import Encoders
from perfalign.book.exercises._numbers import computed
from perfalign.book.exercises._verdict import Verdict
from perfalign.book.forms import form


@cache
def _all() -> dict[str, Choice | Computed | Encoders]:
    everything = {**read_choices(), **computed()}
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
    print(_question(number).text())


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
        numbers, or arrays. Dots, ``...``, stand for an answer to come.

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
    question = _question(number)
    if _has_dots(answer):
        return Verdict(False, "No answer yet: replace the dots.")
    return question.verdict(*answer)


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
    for number, question in _all().items():
        if number.rstrip("abcdef") != exercise:
            continue
        if isinstance(question, Choice):
            offers = [text for text, _, _ in question.options]
        elif isinstance(question, Computed):
            offers = list(question.labels)
        else:
            continue
        found += [form(number, question.question, offers, question.data())]
    return found


def _question(number: str) -> Choice | Computed | Encoders:
    known = _all()
    if isinstance(number, str) and number in known:
        return known[number]
    near = [name for name in known if name.startswith(str(number))] or known
    raise ValueError(f"No question {number!r}; there are {', '.join(near)}.")


def _has_dots(answer: object) -> bool:
    if isinstance(answer, (list, tuple)):
        return any(map(_has_dots, answer))
    return answer is ...


def _key(number: str) -> tuple[int, int, str]:
    chapter, rest = number.split(".")
    exercise = rest.rstrip("abcdef")
    return int(chapter), int(exercise), rest[len(exercise) :]
