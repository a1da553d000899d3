"""Latents as they are checked, centred and measured."""

import numpy as np

from perfalign._checks import (
    FLOAT64_EPS,
    as_list,
    check_row_labels,
    check_view,
)
from perfalign._linalg import column_norms, svd
from perfalign._types import Array, Booleans, View, Views


def check_latents(latents: Views) -> tuple[list[Array], float]:
    latents, names = as_list(latents, what="latents")
    if len(latents) < 2:
        raise ValueError(
            f"latents must be those of two or more views; seen {len(latents)}."
        )
    names = [f"latents[{name!r}]" for name in names or range(len(latents))]
    checked, eps = zip(*map(check_view, latents, names))
    for name, z in zip(names, checked):
        if z.shape != checked[0].shape:
            raise ValueError(
                f"{name} has shape {z.shape}; wanted "
                f"{checked[0].shape}, the shape of {names[0]}."
            )
    check_row_labels(latents, names)
    return list(checked), max(eps)


def check_pair(
    given: list[View], names: list[str], alike: bool = False
) -> list[tuple[Array, float]]:
    """Two matrices with the same rows, and their relative rounding.

    With as many columns as well, if they are to be alike.
    """
    check_row_labels(given, names)
    checked = list(map(check_view, given, names))
    first, second = (matrix.shape for matrix, _ in checked)
    wanted = first[0], first[1] if alike else second[1]
    if second != wanted:
        raise ValueError(
            f"{names[0]} has shape {first} and {names[1]} has shape {second}; "
            f"wanted {wanted}, row i of each belonging to item i."
        )
    return checked


def constant_columns(matrix: Array, eps: float) -> Booleans:
    high, low = matrix.max(axis=0), matrix.min(axis=0)
    # Sums that should be equal may differ by a few roundings.
    return np.asarray(high - low <= 10 * eps * np.maximum(high, -low))


def is_constant(matrix: Array, eps: float) -> bool:
    # One by one: the first column that varies is enough to know.
    return all(constant_columns(column, eps) for column in matrix.T)


def row_norms(matrix: Array) -> Array:
    # Squares of very large or very small numbers leave the range of floating
    # point, their norms do not. A power of two changes no digit.
    exponent = max(np.frexp(max(matrix.max(), -matrix.min()))[1], -1000)
    scaled = matrix * np.ldexp(1.0, -exponent)
    squares = np.einsum("ij,ij->i", scaled, scaled)
    return np.asarray(np.ldexp(np.sqrt(squares), exponent))


def fitted(wanted: Array, given: Array, eps: float) -> Array:
    """Least squares fit of some columns by others, whatever their units."""
    size = column_norms(given)
    given = given / np.where(size > 0, size, 1.0)
    U, s, _ = svd(given, full_matrices=False)
    # Columns of length one: what is left of dependent ones is rounding.
    cut = max(max(given.shape) * FLOAT64_EPS, 10 * eps)
    U = U[:, s > cut * s[0]]
    return np.asarray(U @ (U.T @ wanted))
