"""Perfect alignment of paired modalities, and what can be done with it."""

from perfalign.alignment import PerfectAlignment
from perfalign.diagnostics import CollapseWarning, OverfitWarning
from perfalign.existence import (
    ExistenceReport,
    LeftNullSpace,
    existence_report,
    left_null_space,
)
from perfalign.metrics import (
    alignment_error,
    effective_rank,
    explained_variance,
    median_rank,
    recall,
    reconstruction_error,
    relative_alignment_error,
    retrieval_ranks,
)
from perfalign.mixtures import ClassGaussians
from perfalign.summary import StackedSummary
from perfalign.transfer import GaussianTransfer

__all__ = [
    "ClassGaussians",
    "CollapseWarning",
    "ExistenceReport",
    "GaussianTransfer",
    "LeftNullSpace",
    "OverfitWarning",
    "PerfectAlignment",
    "StackedSummary",
    "alignment_error",
    "effective_rank",
    "existence_report",
    "explained_variance",
    "left_null_space",
    "median_rank",
    "recall",
    "reconstruction_error",
    "relative_alignment_error",
    "retrieval_ranks",
]
__version__ = "0.1.0"
