"""What perfect alignment is compared with (chapter 10).

Every baseline is a `BaseAlignment`, those with affine encoders are
`LinearAlignment` too, so that one can stand in the other's place.
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
