"""Alignment when few pairs are known, or none (chapters 15 and 16).

Items of one view whose partner in the other is unknown, *singles*, are
matched by their latents, and the matches are fitted to as if they were pairs.
"""

from perfalign.unpaired._answers import Solution
from perfalign.unpaired._matches import (
    Matches,
    SoftMatches,
    mutual_matches,
    soft_matches,
)
from perfalign.unpaired._refinement import Round, refined
from perfalign.unpaired._semi_supervised import (
    SemiSupervisedAlignment,
    SinglesWarning,
)
from perfalign.unpaired._unsupervised import (
    UnidentifiedWarning,
    UnsupervisedAlignment,
)

__all__ = [
    "Matches",
    "Round",
    "SemiSupervisedAlignment",
    "SinglesWarning",
    "SoftMatches",
    "Solution",
    "UnidentifiedWarning",
    "UnsupervisedAlignment",
    "mutual_matches",
    "refined",
    "soft_matches",
]
