"""Perfect alignment of paired modalities, and what can be done with it."""

from perfalign.alignment import PerfectAlignment
from perfalign.diagnostics import CollapseWarning, OverfitWarning
from perfalign.existence import (
    ExistenceReport,
    LeftNullSpace,
    existence_report,
    left_null_space,
)
from perfalign.summary import StackedSummary

__all__ = [
    "CollapseWarning",
    "ExistenceReport",
    "LeftNullSpace",
    "OverfitWarning",
    "PerfectAlignment",
    "StackedSummary",
    "existence_report",
    "left_null_space",
]
__version__ = "0.1.0"
