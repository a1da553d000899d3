"""Answers to the exercises of chapters 1 to 14, checked with a reason."""

from perfalign.book.exercises._check import ask, check, forms, questions
from perfalign.book.exercises._verdict import Verdict

__all__ = ["Verdict", "ask", "check", "forms", "questions"]
