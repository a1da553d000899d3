"""Optimal transport between spaces joined at a few bridges (chapter 12)."""

from perfalign.transport._base import Coupling
from perfalign.transport._costs import (
    bridge_profile,
    gluing_cost,
    relational_cost,
)
from perfalign.transport._couplings import (
    ClassCoupling,
    TransportPlan,
    as_coupling,
)
from perfalign.transport._plan import transport_plan, typical_reg_m

__all__ = [
    "ClassCoupling",
    "Coupling",
    "TransportPlan",
    "as_coupling",
    "bridge_profile",
    "gluing_cost",
    "relational_cost",
    "transport_plan",
    "typical_reg_m",
]
