r"""Which of all equally aligned latent spaces is used (chapter 8).

Perfectly aligned latents are the concept up to one invertible map
:math:`\hat z \mapsto G \hat z + g`, and the pairs cannot say which. Each
function here finds a map from something else that is known, and returns a new
fitted alignment with the encoders :math:`G A^m` and offsets
:math:`G o^m + g`. Nothing is refitted, and what was aligned stays aligned.
"""

from perfalign.gauge._anchored import anchored
from perfalign.gauge._mixture import (
    AmbiguousGaugeWarning,
    PoorGaugeWarning,
    mixture,
)
from perfalign.gauge._principal import principal
from perfalign.gauge._symmetry_group import GaugeSymmetries, Symmetry

__all__ = [
    "AmbiguousGaugeWarning",
    "GaugeSymmetries",
    "PoorGaugeWarning",
    "Symmetry",
    "anchored",
    "mixture",
    "principal",
]
