"""Noise that belongs to a row, and the flows that start from it."""

import hashlib
from abc import abstractmethod

import numpy as np
from sklearn.utils import check_random_state

from perfalign._checks import check_integer
from perfalign._threads import one_blas_thread
from perfalign._types import Array, Integers, RandomState, View
from perfalign.flows._base import Flow

# Bits of a number that tell rows apart: so few that the rounding of another
# machine almost never changes one. A number that is 2^SPAN times smaller than
# the largest of its row has fewer.
BITS, SPAN = 24, 16
# Below the exponent of any number.
NONE = -2000


class NoiseFlow(Flow):
    """A flow from noise, in the target's space, given a source latent.

    A subclass also has ``_rows(X)``, the checked numbers of source latents,
    which the noise belongs to.
    """

    @abstractmethod
    def _rows(self, X: View) -> Array: ...

    def _start(self, X: View, noise: View) -> Array:
        if noise is None:
            raise ValueError(
                f"A {type(self).__name__} starts from noise: wanted a row of "
                "it for each row of X, or `sample`, which draws it."
            )
        return self._points(noise, "noise", X)

    @one_blas_thread
    def velocity_at(self, y: View, t: float, X: View = None) -> Array:
        if X is None:
            raise ValueError(
                f"The velocity of a {type(self).__name__} depends on X: "
                "wanted a row of it for each row of y."
            )
        return super().velocity_at(y, t, X)

    @one_blas_thread
    def sample(
        self, X: View, n_draws: int = 1, random_state: RandomState = None
    ) -> Array:
        n_draws = check_integer(n_draws, "n_draws")
        field, rows = self._field(X), self._rows(X)
        noise = noise_of(rows, n_draws, self._dimension, random_state)

        def repeated(y: Array, t: Array, drawn: Integers) -> Array:
            return field(y, t, drawn % len(rows))

        flat = noise.reshape(-1, noise.shape[2])
        ends = self._follow(repeated, flat, np.ones(1))
        return ends.reshape(noise.shape)


def noise_of(
    X: Array, n_draws: int, n_features: int, random_state: RandomState
) -> Array:
    r"""Standard normal noise that belongs to a row, whatever is beside it.

    Each row has a generator of its own, seeded by `random_state` and by the
    row's numbers, of which the first 24 bits count (fewer, if a number is far
    below the largest): rounding changes nothing, unless a number lies on the
    edge between two roundings. Rows that agree in these bits have equal
    noise, and more draws begin with the fewer.

    Parameters
    ----------
    X : ndarray of shape (n_samples, d_1)
    n_draws, n_features : int
    random_state : int, RandomState instance or None

    Returns
    -------
    noise : ndarray of shape (n_draws, n_samples, n_features)
    """
    key = check_random_state(random_state).bytes(16)
    exponent = np.where(X == 0, NONE, np.frexp(X)[1])
    # Far below the largest of its row a number is rounding.
    least = exponent.max(axis=1, keepdims=True) - SPAN
    exponent = np.maximum(exponent, least)
    digits = np.rint(np.ldexp(X, BITS - exponent))
    content = np.hstack([exponent, digits]).astype("<i8")
    noise = np.empty((n_draws, len(X), n_features))
    rng = np.random.RandomState()
    for i, row in enumerate(content):
        seed = hashlib.blake2b(row.tobytes(), key=key, digest_size=16)
        rng.seed(np.frombuffer(seed.digest(), dtype="<u4"))
        noise[:, i] = rng.standard_normal((n_draws, n_features))
    return noise
