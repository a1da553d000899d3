r"""How well latents agree, how much they say, and whether partners are found.

An alignment error alone proves little: shrinking the encoders makes it as
small as one likes, and latents that are constant agree perfectly. Beside the
two errors of the paper stand figures that such tricks leave unmoved
(chapters 4, 5, 9).
"""

from perfalign.metrics._content import effective_rank, explained_variance
from perfalign.metrics._errors import (
    alignment_error,
    reconstruction_error,
    relative_alignment_error,
)
from perfalign.metrics._retrieval import (
    csls_distances,
    median_rank,
    recall,
    retrieval_ranks,
)
from perfalign.metrics._similarity import (
    component_correlations,
    linear_cka,
    mutual_neighbours,
)

__all__ = [
    "alignment_error",
    "component_correlations",
    "csls_distances",
    "effective_rank",
    "explained_variance",
    "linear_cka",
    "median_rank",
    "mutual_neighbours",
    "recall",
    "reconstruction_error",
    "relative_alignment_error",
    "retrieval_ranks",
]
