"""What held-out and shuffled pairs say (chapters 9 and 10)."""

from perfalign.model_selection._evaluation import (
    Evaluation,
    HeldOutSearch,
    evaluate,
)
from perfalign.model_selection._significance import (
    AlignmentCurve,
    PermutationTest,
    alignment_curve,
    permutation_test,
)

__all__ = [
    "AlignmentCurve",
    "Evaluation",
    "HeldOutSearch",
    "PermutationTest",
    "alignment_curve",
    "evaluate",
    "permutation_test",
]
