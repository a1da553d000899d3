"""From a summary of the views to their encoders."""

from perfalign._solver._coordinates import isometric, shrunk, whiten
from perfalign._solver._solution import (
    Solution,
    explained_moment,
    factor_latents,
    orientation,
    solve,
)
from perfalign._solver._stack import contrast_stack, whitened_system
from perfalign._solver._structure import SharedStructure, shared_structure
from perfalign._solver._ties import (
    joint_signs,
    principal_rotation,
    tied_groups,
)

__all__ = [
    "SharedStructure",
    "Solution",
    "contrast_stack",
    "explained_moment",
    "factor_latents",
    "isometric",
    "joint_signs",
    "orientation",
    "principal_rotation",
    "shared_structure",
    "shrunk",
    "solve",
    "tied_groups",
    "whiten",
    "whitened_system",
]
