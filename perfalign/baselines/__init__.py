"""What perfect alignment is compared with, behind the same two methods.

Every baseline has ``fit(views)`` and ``transform(views)``, and
``transform_view(view, modality)`` for one view alone, as `PerfectAlignment`
has them, so that one can stand in the other's place.
"""

from perfalign.baselines._contrastive import ContrastiveAlignment, infonce
from perfalign.baselines._cross_decomposition import CrossDecomposition
from perfalign.baselines._csa import CSA
from perfalign.baselines._procrustes import ProcrustesAlignment
from perfalign.baselines._shuffled import ShuffledPairs
from perfalign.baselines._translation import RidgeTranslation
from perfalign.baselines._unaligned import Unaligned

__all__ = [
    "CSA",
    "ContrastiveAlignment",
    "CrossDecomposition",
    "ProcrustesAlignment",
    "RidgeTranslation",
    "ShuffledPairs",
    "Unaligned",
    "infonce",
]
