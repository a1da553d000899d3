"""Views compressed once into one small triangle (chapters 2 and 11)."""

from perfalign._checks import Signature
from perfalign.summary._base import Summary
from perfalign.summary._incomplete import IncompleteSummary
from perfalign.summary._stacked import StackedSummary

__all__ = [
    "IncompleteSummary",
    "Signature",
    "StackedSummary",
    "Summary",
]
