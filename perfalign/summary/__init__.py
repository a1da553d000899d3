"""Views compressed once into one small triangle (chapters 2 and 11)."""

from perfalign.summary._base import Summary
from perfalign.summary._paired import PairedSummary
from perfalign.summary._stacked import StackedSummary

__all__ = [
    "PairedSummary",
    "StackedSummary",
    "Summary",
]
