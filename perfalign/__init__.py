"""Perfect alignment of paired views, and what can be done with it.

What computes has one BLAS thread, so that the pools of NumPy and SciPy do not
compete, and more where large matrices gain from them; maps, statistics and
models that are given to it run so too.
"""

from perfalign.alignment import (
    CollapseWarning,
    ExistenceReport,
    LeftNullSpace,
    OverfitWarning,
    PerfectAlignment,
    existence_report,
    left_null_space,
)
from perfalign.flows import (
    ConditionalFlow,
    GaussianFlow,
    ModelBridge,
    UnconditionalFlow,
    votes,
)
from perfalign.gauge import AmbiguousGaugeWarning, PoorGaugeWarning
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
from perfalign.model_selection import (
    AlignmentCurve,
    PermutationTest,
    alignment_curve,
    permutation_test,
)
from perfalign.summary import IncompleteSummary, StackedSummary
from perfalign.transfer import GaussianTransfer
from perfalign.transport import (
    ClassCoupling,
    TransportPlan,
    bridge_profile,
    gluing_cost,
    relational_cost,
    transport_plan,
    typical_reg_m,
)

__all__ = [
    "AlignmentCurve",
    "AmbiguousGaugeWarning",
    "ClassCoupling",
    "ClassGaussians",
    "CollapseWarning",
    "ConditionalFlow",
    "ExistenceReport",
    "GaussianFlow",
    "GaussianTransfer",
    "IncompleteSummary",
    "LeftNullSpace",
    "ModelBridge",
    "OverfitWarning",
    "PerfectAlignment",
    "PermutationTest",
    "PoorGaugeWarning",
    "StackedSummary",
    "TransportPlan",
    "UnconditionalFlow",
    "alignment_curve",
    "alignment_error",
    "bridge_profile",
    "effective_rank",
    "existence_report",
    "explained_variance",
    "gluing_cost",
    "left_null_space",
    "median_rank",
    "permutation_test",
    "recall",
    "reconstruction_error",
    "relational_cost",
    "relative_alignment_error",
    "retrieval_ranks",
    "transport_plan",
    "typical_reg_m",
    "votes",
]
__version__ = "0.1.0"
