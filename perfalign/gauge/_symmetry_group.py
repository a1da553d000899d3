"""All maps that carry a mixture to itself, as generators of a group."""

from dataclasses import dataclass

import numpy as np

from perfalign._threads import one_blas_thread
from perfalign._types import Array
from perfalign.gauge._shape import Shape, whitened
from perfalign.gauge._symmetries import (
    exchanging_symmetries,
    fixing_symmetries,
)


@dataclass(frozen=True, eq=False)
class Symmetry:
    r"""An affine map :math:`z \mapsto T z + t` that keeps the mixture.

    Attributes
    ----------
    matrix : ndarray of shape (k, k)
    offset : ndarray of shape (k,)
    permutation : tuple of int
        Class c is carried to class ``permutation[c]``.
    """

    matrix: Array
    offset: Array
    permutation: tuple[int, ...]

    @one_blas_thread
    def __call__(self, latents: Array) -> Array:
        """Image of latents, one a row."""
        return latents @ self.matrix.T + self.offset

    def __str__(self) -> str:
        k = len(self.matrix)
        turned = np.count_nonzero(np.linalg.eigvals(self.matrix).real < -0.5)
        if not np.allclose(self.matrix @ self.matrix, np.eye(k), atol=1e-6):
            reflects = np.linalg.det(self.matrix) < 0
            name = "a turn with a reflection" if reflects else "a turn"
        elif turned == 1:
            name = "a reflection"
        else:
            name = f"a reversal of {turned} of {k} directions"
        moved = [
            f"{c} to {to}" for c, to in enumerate(self.permutation) if c != to
        ]
        carried = f" carrying class {', '.join(moved)}" if moved else ""
        return name + (carried or " keeping every class in place")


@dataclass(frozen=True, eq=False)
class GaugeSymmetries:
    """Symmetries of a mixture, which no data drawn from it can resolve.

    Unless more is known: the concept of an item, or that sensors have no
    offset and so do not admit maps that move the origin.

    Attributes
    ----------
    generators : tuple of Symmetry
        With the continuous part they generate the whole group.
    dimension : int
        Of the continuous part: how many independent rotations there are.
    """

    generators: tuple[Symmetry, ...]
    dimension: int

    def __bool__(self) -> bool:
        return bool(self.generators) or self.dimension > 0

    def __str__(self) -> str:
        parts = [str(symmetry) for symmetry in self.generators]
        if self.dimension:
            parts.append(
                f"a continuous group of rotations, of dimension "
                f"{self.dimension}"
            )
        return "; ".join(parts) or "none"


def symmetries_of(concepts: Shape, exchange: bool) -> GaugeSymmetries:
    """Symmetries of a mixture, from those of its whitened form.

    Parameters
    ----------
    concepts : Shape
    exchange : bool
        Whether a class may be carried to another one.

    Returns
    -------
    symmetries : GaugeSymmetries
    """
    target, unwhiten = whitened(concepts, "concepts")
    reflections, dimension = fixing_symmetries(target)
    fixed = tuple(range(len(target.weights)))
    found = [(Q, fixed) for Q in reflections]
    if exchange:
        found += exchanging_symmetries(target)
    generators = []
    for Q, permutation in found:
        matrix = unwhiten @ Q @ np.linalg.inv(unwhiten)
        offset = concepts.center - matrix @ concepts.center
        generators.append(Symmetry(matrix, offset, permutation))
    return GaugeSymmetries(tuple(generators), dimension)
