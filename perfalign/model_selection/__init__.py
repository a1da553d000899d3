"""What held-out and shuffled pairs say (chapters 9 and 10)."""

from perfalign.model_selection._calibration import (
    PermutationCalibration,
    permutation_calibration,
)
from perfalign.model_selection._curve import AlignmentCurve, alignment_curve
from perfalign.model_selection._evaluation import Evaluation, evaluate
from perfalign.model_selection._intervals import (
    CorrelationIntervals,
    correlation_intervals,
)
from perfalign.model_selection._nuisance import WithoutNuisance
from perfalign.model_selection._permutation import (
    PermutationTest,
    permutation_test,
)
from perfalign.model_selection._power import required_samples
from perfalign.model_selection._resampled import resampled_interval
from perfalign.model_selection._search import HeldOutSearch

__all__ = [
    "AlignmentCurve",
    "CorrelationIntervals",
    "Evaluation",
    "HeldOutSearch",
    "PermutationCalibration",
    "PermutationTest",
    "WithoutNuisance",
    "alignment_curve",
    "correlation_intervals",
    "evaluate",
    "permutation_calibration",
    "permutation_test",
    "required_samples",
    "resampled_interval",
]
