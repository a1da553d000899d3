"""What all summaries of views answer, however the views were observed."""

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from functools import cache, cached_property
from itertools import accumulate, pairwise
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from perfalign._checks import FLOAT64_EPS, Signature
from perfalign._linalg import column_norms, inverses
from perfalign._types import Array
from perfalign.summary._storage import load_arrays, save_arrays

#: The smallest number with all its digits.
TINY = float(np.finfo(float).tiny)
#: Roundings that a number may have gone through before it came here.
ROUNDINGS = 4


@dataclass(frozen=True, eq=False)
class Summary(ABC):
    """What all summaries of views answer, however the views were observed.

    All of it is read off the factor R of a stack whose columns are the
    features of all views.

    Attributes
    ----------
    R : ndarray of shape (p, d)
        The factor, of centred features.
    mean : ndarray of shape (d,)
        Means of the features.
    n_samples : int or float
        How many items there are, or the sum of their weights.
    n_features : tuple of int
        Columns of each view, in order; they sum to d.
    eps : ndarray of shape (d,), or float
        Relative rounding error of each feature's numbers.
    rest : ndarray of shape (d,), or 0
        What `mean` has lost by rounding, where that is kept.
    feature_names : tuple of (tuple of str, or None), or None
        Names of the columns of each view, where they had any.
    view_names : tuple of str, or None
        Names of the views, if they had any.
    n_rows : int
        Rows that were seen, where weights may have made less of them.

    See Also
    --------
    StackedSummary : of items that have all views.
    IncompleteSummary : of items that have any of them.

    Examples
    --------
    >>> from perfalign import PerfectAlignment
    >>> from perfalign.datasets import make_gaussian_views
    >>> from perfalign.summary import Summary
    >>> alignment = PerfectAlignment(2)
    >>> alignment = alignment.fit(make_gaussian_views(random_state=0).views)
    >>> summary = alignment.summary_
    >>> isinstance(summary, Summary), summary.n_samples
    (True, 2000)
    >>> [part.shape for part in summary.split(summary.mean)]
    [(3,), (3,)]
    """

    R: Array
    mean: Array
    n_samples: float
    n_features: tuple[int, ...]
    eps: Array | float = FLOAT64_EPS
    rest: Array | float = 0.0
    _: KW_ONLY
    feature_names: tuple[tuple[str, ...] | None, ...] | None = None
    view_names: tuple[str, ...] | None = None
    n_rows: int = 0

    @property
    def signature(self) -> Signature:
        """What further views must have in common with these."""
        return Signature(
            self.n_features,
            self.feature_names or (None,) * len(self.n_features),
            self.view_names,
        )

    @abstractmethod
    def update(self, views: Any, sample_weight: Any = None) -> "Summary":
        """Summary of these samples and of the given ones.

        Parameters
        ----------
        views : list or dict of array-like
            Further samples, in the form in which the first ones came.
        sample_weight : array-like or dict of array-like, default=None
            Their weights.

        Returns
        -------
        summary : Summary
            A new one; this one stays as it is.

        Raises
        ------
        ValueError
            If the views do not match those summarised so far.
        """

    @abstractmethod
    def blocks(self, center: bool = True) -> list[Array]:
        """Factor of the stack, one block of columns a view.

        Parameters
        ----------
        center : bool, default=True
            If False, the factor is that of the data as they came.

        Returns
        -------
        blocks : list of ndarray of shape (p, n_features_m)
        """

    def view_blocks(self, center: bool = True) -> list[Array]:
        """As `blocks`, of all that is known of each view by itself.

        Parameters
        ----------
        center : bool, default=True
            As of `blocks`.

        Returns
        -------
        blocks : list of ndarray of shape (p, n_features_m)
            Inner products between two of them mean nothing.
        """
        return self.blocks(center)

    @abstractmethod
    def norms(self) -> Array:
        """Norms of the features over all samples, about 0.

        Returns
        -------
        norms : ndarray of shape (d,)
            In the units of the features.
        """

    @cached_property
    def spreads(self) -> Array:
        """Norms of the features over all samples, about their means."""
        return column_norms(self.R)

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
        """Dimension of the disagreements that the samples could have.

        Parameters
        ----------
        center : bool, default=True
            Whether the means, which offsets make up for, are taken away.

        Returns
        -------
        degrees : int
        """

    @abstractmethod
    def latents_of_means(self, encoders: list[Array]) -> Array:
        """Where offsets should send the views' means.

        Parameters
        ----------
        encoders : list of ndarray of shape (k, n_features_m)

        Returns
        -------
        latents : ndarray of shape (M, k)
        """

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
        return [stacked[..., place] for place in _places(self.n_features)]

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
            rounding error ε of double precision, in which all is computed
            that may be short. That of the data, if theirs is coarser, is
            counted feature by feature; see `rounding`.
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
        size = self.spreads if center else power
        # Below this numbers lose digits, and encoders are out of range.
        least = TINY * self.n_samples**0.5
        known = ROUNDINGS * (self.eps * power + least)
        return self.split(np.maximum(rtol * size, known))

    def units(
        self, rtol: float, blocks: list[Array] | None = None
    ) -> list[Array]:
        """One over the norm of every centred feature, or 0.

        Parameters
        ----------
        rtol : float
            As of `rounding`; what varies by no more has 0.
        blocks : list of ndarray of shape (p, n_features_m), default=None
            As of `view_blocks`; those of `blocks` if None.

        Returns
        -------
        units : list of ndarray of shape (n_features_m,)
        """
        norms = (
            self.split(self.spreads)
            if blocks is None
            else list(map(column_norms, blocks))
        )
        return list(map(inverses, norms, self.rounding(rtol)))

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


@cache
def _places(n_features: tuple[int, ...]) -> tuple[slice, ...]:
    """The columns of each view."""
    ends = accumulate(n_features, initial=0)
    return tuple(slice(a, b) for a, b in pairwise(ends))
