"""Encoders of paired views, and whether any exist (chapters 1 to 4, 7)."""

from perfalign.alignment._diagnostics import (
    CollapseWarning,
    OverfitWarning,
    latent_rounding,
)
from perfalign.alignment._existence import (
    ExistenceReport,
    LeftNullSpace,
    SharedStructure,
    existence_report,
    left_null_space,
    shared_structure,
)
from perfalign.alignment._mapped import (
    GaussianFeatures,
    MappedAlignment,
    fit_maps,
)
from perfalign.alignment._perfect import PerfectAlignment, check_params
from perfalign.alignment._solver import (
    explained_moment,
    factor_latents,
    orientation,
)
from perfalign.alignment._stack import shrunk, whiten
from perfalign.alignment._ties import principal_rotation, tied_groups

__all__ = [
    "CollapseWarning",
    "ExistenceReport",
    "GaussianFeatures",
    "LeftNullSpace",
    "MappedAlignment",
    "OverfitWarning",
    "PerfectAlignment",
    "SharedStructure",
    "check_params",
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
