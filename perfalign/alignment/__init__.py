"""Encoders of paired views, and whether any exist (chapters 1 to 4, 7)."""

from perfalign.alignment._base import BaseAlignment
from perfalign.alignment._diagnostics import (
    CollapseWarning,
    OverfitWarning,
    latent_rounding,
)
from perfalign.alignment._encoder import ViewEncoder
from perfalign.alignment._existence import (
    ExistenceReport,
    LeftNullSpace,
    SharedStructure,
    existence_report,
    left_null_space,
    shared_structure,
)
from perfalign.alignment._features import GaussianFeatures
from perfalign.alignment._linear import LinearAlignment
from perfalign.alignment._mapped import MappedAlignment, fit_maps
from perfalign.alignment._meta import MetaAlignment
from perfalign.alignment._perfect import PerfectAlignment
from perfalign.alignment._solver import (
    explained_moment,
    factor_latents,
    orientation,
)
from perfalign.alignment._stack import shrunk, whiten
from perfalign.alignment._ties import principal_rotation, tied_groups

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
    "SharedStructure",
    "ViewEncoder",
    "existence_report",
    "explained_moment",
    "factor_latents",
    "fit_maps",
    "latent_rounding",
    "left_null_space",
    "orientation",
    "principal_rotation",
    "shared_structure",
    "shrunk",
    "tied_groups",
    "whiten",
]
