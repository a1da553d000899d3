"""Answers to the exercises of all chapters, checked with a reason."""

from perfalign.book.exercises._check import (
    ask,
    check,
    exercise_of,
    question,
    questions,
)
from perfalign.book.exercises._grade import grade
from perfalign.book.exercises._page import forms
from perfalign.book.exercises._question import Question
from perfalign.book.exercises._verdict import Verdict

__all__ = [
    "Question",
    "Verdict",
    "ask",
    "check",
    "exercise_of",
    "forms",
    "grade",
    "question",
    "questions",
]
