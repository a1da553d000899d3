r"""Paired views compressed once into one small triangle.

Everything that second-order alignment needs to know of n samples fits into
their number, their mean and the factor of the centred stack. The
three together can be merged, so that the data may come in blocks, in any
order, from any number of machines.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import helmert

from perfalign._checks import FLOAT64_EPS
from perfalign._linalg import two_sum
from perfalign._threads import one_blas_thread
from perfalign._types import Array
from perfalign.summary._base import Summary
from perfalign.summary._dask import tree_summary
from perfalign.summary._distinct import DistinctRows
from perfalign.summary._pass import Pass
from perfalign.summary._reflections import reduced
from perfalign.summary._storage import checked


@dataclass(frozen=True, eq=False, kw_only=True)
class StackedSummary(Summary):
    r"""Mergeable summary (R, mean, n) of paired views.

    Let :math:`B = [X^{1\top} \dots X^{M\top}]` be the n × d matrix that has
    the views side by side, one sample a row, and :math:`\mu` its mean row. The
    summary keeps the factor R of

    .. math:: B - \mathbf{1}\mu^\top = Q R, \qquad Q^\top Q = I .

    Inner products of columns of R are inner products of centred features, so
    ranks, null spaces and canonical correlations can be read off R alone.
    Unlike the Gram matrix :math:`R^\top R`, the factor R keeps singular values
    far below :math:`\sqrt{\varepsilon}\,\sigma_{\max}`, and small singular
    values are what alignment is about.

    Parameters
    ----------
    R : ndarray of shape (p, d)
        Factor of the centred stack, p ≤ d: a triangle or, where there are
        fewer rows than d, rows with the same inner products of columns.
    mean : ndarray of shape (d,)
        Mean of the stack, in the units of the features.
    n_samples : int or float
        Number n of rows summarised, or the sum of their weights: an integer
        where these are whole.
    n_features : tuple of int
        Columns of each view, in order; they sum to d.
    eps : ndarray of shape (d,), or float
        Relative rounding error of the type in which each feature came.
    rest : ndarray of shape (d,), or 0
        What `mean` has lost by rounding. Merging summaries whose mean is far
        above the spread would lose digits of the spread without it.
    items : ndarray of uint64, or None
        Fingerprints of the different rows, as long as there are no more than
        d of them; None means more.
    feature_names : tuple of (tuple of str, or None), or None
        Names of the columns of each view, where they had any.
    view_names : tuple of str, or None
        Names of the views, if they had any.
    n_rows : int
        Rows with a weight above 0 that were seen.

    Notes
    -----
    A summary never changes: `update` and `merge` return a new one. Time is
    O(n d²), about twice that of the Gram matrix, and up to four times with two
    thousand features; of fewer rows than features, which are kept as they
    are, O(n d). Rows are multiplied in as many threads as their BLAS may have
    (five at most), whose number changes no bit of the result.
    Memory is that of R, at most d² numbers, and while rows are added about
    six times as much and three times for each thread (from 2049 features on,
    three times in all), some megabytes and the block being read. Arrays on
    disk (`numpy.load` with ``mmap_mode="r"``, `numpy.memmap`) are read a few
    megabytes at a time, the next while these are computed with where the
    system can be asked (not on Windows), and sparse views are made dense so
    many rows at a time.
    Views of single precision are multiplied in single precision, in half the
    time, where no combination of features is much shorter than the features;
    R is then known to about 10⁻⁶ of each feature. Elsewhere, as where an
    alignment is exact, it keeps all digits that the views have.
    Merging is associative and its order does not matter beyond rounding: this
    is the tall-skinny QR of Demmel, Grigori, Hoemmen and Langou (2012) with
    the mean carried along.

    A pass that may be interrupted is a loop of `update` and `save`. What
    follows after `load` is bit for bit what would have followed without.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import StackedSummary
    >>> rng = np.random.default_rng(0)
    >>> views = [rng.normal(size=(100, 3)), rng.normal(size=(100, 2))]
    >>> whole = StackedSummary.from_views(views)
    >>> head = StackedSummary.from_views([view[:30] for view in views])
    >>> merged = head.update([view[30:] for view in views])
    >>> merged.n_samples, merged.R.shape
    (100, (5, 5))
    >>> bool(np.allclose(merged.R.T @ merged.R, whole.R.T @ whole.R))
    True
    """

    items: NDArray[np.uint64] | None = None

    @classmethod
    @one_blas_thread
    def from_views(
        cls, views: Any, sample_weight: Any = None, *, progress: bool = False
    ) -> Self:
        """Summarise paired views.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            At least two views with equal numbers of rows, sparse ones among
            them; or a dict of views, by name.
        sample_weight : array-like of shape (n_samples,), default=None
            How many times each row counts, as if it had come so many times:
            finite numbers of at least 0, whole or not. A row of weight 0 is
            as if it were not there.
        progress : bool, default=False
            Show a progress bar.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If a view is not a finite real matrix or the row counts differ,
            if weights are negative or are not one a row, or if there is no
            row of a weight above 0.
        """
        with Pass(allow_empty=False, progress=progress) as run:
            run.add(views, sample_weight)
        return cls(**run.fields())

    @classmethod
    @one_blas_thread
    def from_first_block(
        cls, views: Any, sample_weight: Any = None
    ) -> Self | None:
        """As `from_views`, but the views need not have rows.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        summary : StackedSummary or None
            None if there are no rows, and nothing to summarise yet.

        Raises
        ------
        ValueError
            As `from_views`, but for the lack of rows.
        """
        run = Pass()
        run.add(views, sample_weight)
        return cls(**run.fields()) if run.triangle else None

    @classmethod
    @one_blas_thread
    def from_blocks(
        cls,
        blocks: Iterable[Any],
        sample_weight: Iterable[Any] | None = None,
        *,
        progress: bool = False,
    ) -> Self:
        """Summarise paired views that come in blocks of rows.

        Parameters
        ----------
        blocks : iterable of lists of array-like
            Each a list of views as in `from_views`, of any number of rows;
            a generator will do, which runs while nothing is computed. One
            block at a time is in memory.
        sample_weight : iterable of array-like, default=None
            The weights of each block's rows.
        progress : bool, default=False
            Show a progress bar.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            As `from_views`, with the number of the block, from 0; if views do
            not match those of earlier blocks, or if there is no row.

        Examples
        --------
        >>> import numpy as np
        >>> from perfalign import StackedSummary
        >>> def blocks():
        ...     rng = np.random.default_rng(0)
        ...     for _ in range(10):
        ...         yield [rng.normal(size=(100, d)) for d in (3, 2)]
        >>> StackedSummary.from_blocks(blocks()).n_samples
        1000
        """
        weights = None if sample_weight is None else iter(sample_weight)
        with Pass(progress=progress) as run:
            for number, views in enumerate(blocks):
                try:
                    # Where they have ended there are none.
                    run.add(views, weights and next(weights, ()))
                    # The next block may lie in the same memory.
                    run.keep()
                except ValueError as error:
                    raise ValueError(f"block {number}: {error}") from error
        if weights and next(weights, None) is not None:
            raise ValueError(
                "sample_weight has weights of further blocks, but there are "
                "none."
            )
        return cls(**run.fields())

    @classmethod
    @one_blas_thread
    def from_dask(cls, arrays: list[Any]) -> Self:
        """Summarise paired Dask arrays, wherever their partitions are.

        Every partition is summarised where it lies, and the summaries are
        merged as a tree: d² numbers a partition travel, rows do not. Of two
        workers or more one reads while another computes. Work lost with a
        worker is done again by another, as always with Dask.

        Parameters
        ----------
        arrays : list of dask.array.Array of shape (n_samples, n_features_m)
            One a view. Rows are cut as in the first one; a partition should
            fit into memory a few times and have many more rows than d. Of a
            Dask data frame take ``to_dask_array()``.

        Returns
        -------
        summary : StackedSummary
            The same to the bit for any scheduler, and for one partition that
            of `from_views`.

        Raises
        ------
        ImportError
            Without Dask; ``pip install "perfalign[dask]"`` installs it.
        ValueError
            As `from_views`, and if a view is not a Dask array of two axes.

        Examples
        --------
        >>> import dask.array as da
        >>> from perfalign import StackedSummary
        >>> normal = da.random.default_rng(0).normal
        >>> views = [normal(size=(1000, d), chunks=(250, d)) for d in (3, 2)]
        >>> StackedSummary.from_dask(views).n_samples
        1000
        """
        return tree_summary(cls.from_views, arrays)

    @one_blas_thread
    def update(self, views: Any, sample_weight: Any = None) -> Self:
        """Summary of these samples and of the given ones.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            A further block of the same views, of any number of rows.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of these rows.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If the views do not match those summarised so far.
        """
        run = Pass(self)
        run.add(views, sample_weight)
        return type(self)(**run.fields())

    @one_blas_thread
    def merge(self, other: "StackedSummary") -> "StackedSummary":
        r"""Summary of the samples of both.

        The merged factor is that of the rows of both and of
        :math:`\sqrt{n_a n_b / n}\,(\mu_a - \mu_b)^\top`, which carries what
        the two means differ by.

        Parameters
        ----------
        other : StackedSummary
            A summary of other samples of the same views.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If `other` is a summary of another kind or of other views.
        """
        if not isinstance(other, StackedSummary):
            raise ValueError(
                "Only summaries of one kind can be merged; seen "
                f"{type(other).__name__}, wanted StackedSummary."
            )
        signature = self.signature.joined(other.signature)
        n_samples = self.n_samples + other.n_samples
        gap = (other.mean - self.mean) + (other.rest - self.rest)
        weight = (self.n_samples * (other.n_samples / n_samples)) ** 0.5
        mean, rest = two_sum(
            self.mean, self.rest + other.n_samples / n_samples * gap
        )
        items = DistinctRows(len(mean))
        items.add_prints(self.items)
        items.add_prints(other.items)
        return StackedSummary(
            R=reduced(np.vstack([self.R, other.R, weight * gap])),
            mean=mean,
            n_samples=n_samples,
            n_features=self.n_features,
            eps=np.maximum(self.eps, other.eps),
            rest=rest,
            items=items.result(),
            feature_names=signature.feature_names,
            view_names=signature.view_names,
            n_rows=self.n_rows + other.n_rows,
        )

    def _arrays(self) -> dict[str, Any]:
        arrays = {
            "R": self.R,
            "mean": self.mean,
            "rest": self.rest + np.zeros_like(self.mean),
            "n_samples": self.n_samples,
            "n_rows": self.n_rows,
            "n_features": self.n_features,
            "eps": np.broadcast_to(self.eps, len(self.mean)),
            "items": self.items,
            "view_names": self.view_names,
        }
        for m, names in enumerate(self.signature.feature_names):
            arrays[f"feature_names {m}"] = names
        return {
            name: array for name, array in arrays.items() if array is not None
        }

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        n_features = tuple(checked(arrays, "n_features", "iu", 1).tolist())
        if min(n_features, default=0) < 1:
            raise ValueError(
                f"n_features is {n_features}; wanted numbers of at least 1."
            )
        n_samples = checked(arrays, "n_samples", "iuf", 0).item()
        n_rows = 0
        if "n_rows" in arrays:
            n_rows = checked(arrays, "n_rows", "iu", 0).item()
        if not (0 < n_samples < 2**53 and 0 <= n_rows < 2**53):
            raise ValueError(
                f"n_samples is {n_samples}, and n_rows is {n_rows}; wanted "
                "numbers below 2**53, and n_samples above 0."
            )
        # Where weights are no whole numbers, more rows may count for less.
        most = n_samples if isinstance(n_samples, int) else np.inf
        d, views = (sum(n_features),), (len(n_features),)
        R = checked(arrays, "R", "f", 2)
        if R.shape[1:] != d or len(R) > min(d[0], 2 * most):
            raise ValueError(
                f"R has shape {R.shape}; wanted {d[0]} columns, and no more "
                f"rows than columns or twice the {n_samples} samples."
            )
        eps = checked(arrays, "eps", "f", 1, d)
        if eps.min() < FLOAT64_EPS or eps.max() > 0.01:
            raise ValueError(f"eps is {eps.tolist()}; no number type has it.")
        items = None
        if "items" in arrays:
            items = checked(arrays, "items", "u", 1)
            most = min(d[0], most)
            if len(items) != len(set(items.tolist())) or not (
                1 <= len(items) <= most
            ):
                raise ValueError(
                    f"items are {len(items)} fingerprints; wanted 1 to {most} "
                    "different ones."
                )
        names = [
            checked(arrays, name, "U", 1, (d_m,)) if name in arrays else None
            for m, d_m in enumerate(n_features)
            for name in [f"feature_names {m}"]
        ]
        view_names = None
        if "view_names" in arrays:
            view_names = tuple(
                checked(arrays, "view_names", "U", 1, views).tolist()
            )
        for one in (view_names, *names):
            if one is not None and len(set(one)) < len(one):
                raise ValueError(f"names occur twice in {', '.join(one)}.")
        return cls(
            R=R,
            mean=checked(arrays, "mean", "f", 1, d),
            n_samples=n_samples,
            n_rows=n_rows,
            n_features=n_features,
            eps=eps,
            rest=checked(arrays, "rest", "f", 1, d),
            items=items,
            feature_names=tuple(
                None if one is None else tuple(one.tolist()) for one in names
            ),
            view_names=view_names,
        )

    @one_blas_thread
    def blocks(self, center: bool = True) -> list[Array]:
        """Factor of the stack, cut into one block of columns a view.

        Parameters
        ----------
        center : bool, default=True
            If False, the factor is that of the data as they came.

        Returns
        -------
        blocks : list of ndarray of shape (p, n_features_m)
            Inner products of their columns are those of the features.
        """
        if center:
            return self.split(self.R)
        mean_row = np.sqrt(self.n_samples) * self.mean
        return self.split(reduced(np.vstack([self.R, mean_row])))

    def norms(self) -> Array:
        """Norms of the features over all samples, about 0.

        Returns
        -------
        norms : ndarray of shape (d,)
        """
        power: Array = np.hypot(self.spreads, self.n_samples**0.5 * self.mean)
        return power

    @property
    def contrasts(self) -> Array:
        r"""Combinations of latents that vanish where the views agree.

        Returns
        -------
        contrasts : ndarray of shape (M − 1, M)
            :math:`\sqrt{M}` times the orthonormal contrasts of Helmert;
            (1, −1) for two views.
        """
        return _contrasts(len(self.n_features))

    @property
    def n_observations(self) -> float:
        """One for each view of each sample."""
        return len(self.n_features) * self.n_samples

    @property
    def n_items(self) -> int:
        """How many of the samples are different, in any bit.

        Exact up to d of them, which is all that anything depends on; d + 1
        stands for all larger numbers.
        """
        return len(self.mean) + 1 if self.items is None else len(self.items)

    def degrees_of_freedom(self, center: bool = True) -> int:
        """Dimension of the disagreements that the samples could have.

        Parameters
        ----------
        center : bool, default=True

        Returns
        -------
        degrees : int
            M − 1 for each different sample, less what centring takes away.
        """
        return (len(self.n_features) - 1) * (self.n_items - bool(center))

    def latents_of_means(self, encoders: list[Array]) -> Array:
        """Where offsets should send the views' means: to 0.

        Parameters
        ----------
        encoders : list of ndarray of shape (k, d_m)

        Returns
        -------
        latents : ndarray of shape (M, k)
        """
        return np.zeros((len(encoders), len(encoders[0])))


@cache
def _contrasts(n_views: int) -> Array:
    found: Array = np.sqrt(n_views) * helmert(n_views)
    found.flags.writeable = False
    return found
