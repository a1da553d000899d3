"""Optimal transport between spaces joined at a few bridges (chapter 12)."""

from perfalign.transport._costs import (
    bridge_profile,
    gluing_cost,
    relational_cost,
)
from perfalign.transport._couplings import ClassCoupling, TransportPlan
from perfalign.transport._plan import bridge_plan, typical_penalty

__all__ = [
    "ClassCoupling",
    "TransportPlan",
    "bridge_plan",
    "bridge_profile",
    "gluing_cost",
    "relational_cost",
    "typical_penalty",
]
