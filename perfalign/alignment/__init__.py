"""Encoders of paired views, and whether any exist (chapters 1 to 4, 7)."""

from perfalign.alignment._base import BaseAlignment
from perfalign.alignment._diagnostics import CollapseWarning, OverfitWarning
from perfalign.alignment._encoder import ViewEncoder
from perfalign.alignment._existence import (
    ExistenceReport,
    LeftNullSpace,
    existence_report,
    left_null_space,
)
from perfalign.alignment._features import GaussianFeatures
from perfalign.alignment._linear import LinearAlignment
from perfalign.alignment._mapped import MappedAlignment, fit_maps
from perfalign.alignment._meta import MetaAlignment
from perfalign.alignment._perfect import PerfectAlignment

__all__ = [
    "BaseAlignment",
    "CollapseWarning",
    "ExistenceReport",
    "GaussianFeatures",
    "LeftNullSpace",
    "LinearAlignment",
    "MappedAlignment",
    "MetaAlignment",
    "OverfitWarning",
    "PerfectAlignment",
    "ViewEncoder",
    "existence_report",
    "fit_maps",
    "left_null_space",
]
