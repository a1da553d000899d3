"""What all summaries of views answer, however the views were observed."""

from abc import ABC, abstractmethod
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from perfalign._checks import FLOAT64_EPS, Signature
from perfalign._linalg import column_norms
from perfalign._types import Array
from perfalign.summary._storage import load_arrays, save_arrays

#: Roundings that a number may have gone through before it came here.
ROUNDINGS = 4


class Summary(ABC):
    """What all summaries of views answer, however the views were observed.

    A subclass has the triangular factor `R` of a stack whose columns are the
    features of all views, `mean`, `n_samples`, `n_features`, and `eps`, the
    relative rounding error of each feature's numbers.
    """

    R: Array
    mean: Array
    n_samples: float
    n_features: tuple[int, ...]
    eps: Array | float
    #: What `mean` has lost by rounding, where that is kept.
    rest: Array | float = 0.0
    #: Rows that were seen, where weights may have made less of them.
    n_rows: int = 0

    @property
    @abstractmethod
    def signature(self) -> Signature:
        """What further views must have in common with these."""

    @abstractmethod
    def update(self, views: Any, sample_weight: Any = None) -> "Summary":
        """Summary of these samples and of the given ones."""

    @abstractmethod
    def blocks(self, center: bool = True) -> list[Array]:
        """Factor of the stack, one block of columns a view."""

    def view_blocks(self, center: bool = True) -> list[Array]:
        """As `blocks`, of all that is known of each view by itself."""
        return self.blocks(center)

    @abstractmethod
    def norms(self) -> Array:
        """Norms of the features over all samples, about 0."""

    @property
    @abstractmethod
    def contrasts(self) -> Array:
        """Combinations of latents that vanish where the views agree."""

    @property
    @abstractmethod
    def n_observations(self) -> float:
        """Latents of all samples and views together."""

    @abstractmethod
    def degrees_of_freedom(self, center: bool = True) -> int:
        """Dimension of the disagreements that the samples could have."""

    @abstractmethod
    def latents_of_means(self, encoders: list[Array]) -> Array:
        """Where offsets should send the views' means."""

    @abstractmethod
    def _arrays(self) -> dict[str, Any]:
        """All there is, by name."""

    @classmethod
    @abstractmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """The inverse; a KeyError or ValueError if it has none."""
        raise TypeError(f"{cls.__name__} is what summaries have in common.")

    def split(self, stacked: Array) -> list[Array]:
        """Cut an array whose last axis is the stack's into views.

        Parameters
        ----------
        stacked : ndarray of shape (..., d)

        Returns
        -------
        parts : list of ndarray of shape (..., n_features_m)
        """
        return np.split(stacked, np.cumsum(self.n_features)[:-1], axis=-1)

    @property
    def n_counted(self) -> float:
        """Samples that speak against chance and rounding.

        As many as the weights say, and the rows at least: what weights are
        measured in has no say in what is rounding.
        """
        return max(self.n_samples, self.n_rows)

    def default_rtol(self) -> float:
        r"""Relative size below which a singular value counts as zero.

        Returns
        -------
        rtol : float
            :math:`\min(\max(n, d)\,\varepsilon, \sqrt{\varepsilon})` with the
            rounding error ε of double precision, in which all is computed.
            That of the data, if theirs is coarser, is counted feature by
            feature; see `rounding`.
        """
        size = max(self.n_counted, sum(self.n_features))
        return float(min(size * FLOAT64_EPS, FLOAT64_EPS**0.5))

    def rounding(self, rtol: float, center: bool = True) -> list[Array]:
        r"""What may be rounding in each feature, as a norm over the samples.

        A feature of norm a about 0 was known to about :math:`\varepsilon a`
        when it came, whatever it varies by: far from 0 there is more rounding
        in a spread of the same size.

        Parameters
        ----------
        rtol : float
            Share of the feature's own norm (about its mean, if centred) that
            the computation may lose.
        center : bool, default=True

        Returns
        -------
        rounding : list of ndarray of shape (n_features_m,)
            In the units of the features.
        """
        power = self.norms()
        size = column_norms(self.R) if center else power
        eps = np.broadcast_to(self.eps, len(power))
        # Below this numbers lose digits, and encoders are out of range.
        least = np.finfo(float).tiny * self.n_samples**0.5
        known = ROUNDINGS * (eps * power + least)
        return self.split(np.maximum(rtol * size, known))

    def standardised(
        self, rtol: float, blocks: list[Array] | None = None
    ) -> list[Array]:
        """Centred factor with every feature's norm one, if it varies.

        Parameters
        ----------
        rtol : float
            As of `rounding`; what varies by no more becomes zero.
        blocks : list of ndarray of shape (p, n_features_m), default=None
            As of `view_blocks`; those of `blocks` if None.

        Returns
        -------
        blocks : list of ndarray of shape (p, n_features_m)
        """
        found = []
        blocks = self.blocks() if blocks is None else blocks
        for block, rounding in zip(blocks, self.rounding(rtol)):
            size = column_norms(block)
            live = size > rounding
            found.append(block * (live / np.where(live, size, 1.0)))
        return found

    def save(self, path: str | PathLike[str]) -> None:
        """Write the summary to a file of NumPy's npz format.

        An interruption leaves a file that was there before as it was, and
        nothing else. A file that is replaced passes on its permissions; a
        link stays a link.

        Parameters
        ----------
        path : str or path-like
            In a folder that exists.
        """
        save_arrays(path, self._arrays())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a summary that `save` wrote, to the last bit.

        Nothing in the file is executed: it holds numbers and names only.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        summary : Summary
            Of the class that was asked for.

        Raises
        ------
        ValueError
            If the file is damaged or holds something else.
        """
        arrays = load_arrays(path)
        try:
            return cls._from_arrays(arrays)
        except KeyError as error:
            raise ValueError(
                f"{path} holds no {cls.__name__}: {error} is missing, seen "
                f"are {sorted(arrays)}."
            ) from error
        except ValueError as error:
            raise ValueError(
                f"{path} holds no {cls.__name__}: {error}"
            ) from error
