r"""Paired views compressed once into one small triangle.

Everything that second-order alignment needs to know of n samples fits into
their number, their mean and the triangular factor of the centred stack. The
three together can be merged, so that the data may come in blocks, in any
order, from any number of machines.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import helmert
from tqdm.auto import tqdm

from perfalign._dask import tree_summary
from perfalign._storage import load_arrays, save_arrays
from perfalign._triangle import CentredTriangle
from perfalign._validation import FLOAT64_EPS, view_slabs


@dataclass(frozen=True, eq=False)
class StackedSummary:
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
        Factor of the centred stack, p ≤ d.
    mean : ndarray of shape (d,)
        Mean of the stack, in the units of the features.
    n_samples : int
        Number n of rows summarised.
    n_features : tuple of int
        Columns of each view, in order; they sum to d.
    eps : float
        Relative rounding error of the input's number type.

    Notes
    -----
    A summary never changes: `update` and `merge` return a new one. Time is
    O(n d²), about twice that of the Gram matrix; memory is O(d²) and a few
    megabytes, beside the block being read. Arrays on disk (`numpy.load` with
    ``mmap_mode="r"``, `numpy.memmap`) are read a few megabytes at a time.
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

    R: np.ndarray
    mean: np.ndarray
    n_samples: int
    n_features: tuple
    eps: float = FLOAT64_EPS

    @classmethod
    def from_views(cls, views, *, progress=False):
        """Summarise paired views.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            At least two views with equal numbers of rows.
        progress : bool, default=False
            Show a progress bar.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If a view is not a finite real matrix or the row counts differ.
        """
        with _Pass(progress=progress) as run:
            run.add(views)
        return run.summary(cls)

    @classmethod
    def from_blocks(cls, blocks, *, progress=False):
        """Summarise paired views that come in blocks of rows.

        Parameters
        ----------
        blocks : iterable of lists of array-like
            Each a list of views as in `from_views`, of any number of rows;
            a generator will do. One block at a time is in memory.
        progress : bool, default=False
            Show a progress bar.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            As `from_views`, with the number of the block, from 0; if views do
            not match those of earlier blocks, or if there is no block.

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
        with _Pass(progress=progress) as run:
            for number, views in enumerate(blocks):
                try:
                    run.add(views)
                except ValueError as error:
                    raise ValueError(f"block {number}: {error}") from error
        return run.summary(cls)

    @classmethod
    def from_dask(cls, arrays):
        """Summarise paired Dask arrays, wherever their partitions are.

        Every partition is summarised where it lies, and the summaries are
        merged as a tree: d² numbers a partition travel, rows do not. Work
        lost with a worker is done again by another, as always with Dask.

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

    def update(self, views):
        """Summary of these samples and of the given ones.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            A further block of the same views.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If the views do not match those summarised so far.
        """
        with _Pass(self) as run:
            run.add(views)
        return run.summary(type(self))

    def merge(self, other):
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
            If the numbers of features differ.
        """
        if self.n_features != other.n_features:
            raise ValueError(
                "Only summaries of the same views can be merged; seen "
                f"{self.n_features} and {other.n_features} features."
            )
        n_samples = self.n_samples + other.n_samples
        gap = other.mean - self.mean
        weight = np.sqrt(self.n_samples * other.n_samples / n_samples)
        return type(self)(
            R=np.linalg.qr(
                np.vstack([self.R, other.R, weight * gap]), mode="r"
            ),
            mean=self.mean + other.n_samples / n_samples * gap,
            n_samples=n_samples,
            n_features=self.n_features,
            eps=max(self.eps, other.eps),
        )

    def save(self, path):
        """Write the summary to a file of NumPy's npz format.

        An interruption leaves a file that was there before as it was.

        Parameters
        ----------
        path : str or path-like
        """
        save_arrays(path, self._arrays())

    @classmethod
    def load(cls, path):
        """Read a summary that `save` wrote, to the last bit.

        Nothing in the file is executed: it holds numbers only.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If the file holds something else.
        """
        arrays = load_arrays(path)
        try:
            return cls._from_arrays(arrays)
        except KeyError as error:
            raise ValueError(
                f"{path} holds no {cls.__name__}: {error} is missing, seen "
                f"are {sorted(arrays)}."
            ) from error

    def _arrays(self):
        names = ("R", "mean", "n_samples", "n_features", "eps")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def _from_arrays(cls, arrays):
        return cls(
            R=arrays["R"],
            mean=arrays["mean"],
            n_samples=int(arrays["n_samples"]),
            n_features=tuple(map(int, arrays["n_features"])),
            eps=float(arrays["eps"]),
        )

    def blocks(self, center=True):
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
        R = self.R
        if not center:
            mean_row = np.sqrt(self.n_samples) * self.mean
            R = np.linalg.qr(np.vstack([R, mean_row]), mode="r")
        return self.split(R)

    def split(self, stacked):
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
    def contrasts(self):
        r"""Combinations of latents that vanish where the views agree.

        Returns
        -------
        contrasts : ndarray of shape (M − 1, M)
            :math:`\sqrt{M}` times the orthonormal contrasts of Helmert;
            (1, −1) for two views.
        """
        n_views = len(self.n_features)
        return np.sqrt(n_views) * helmert(n_views)

    @property
    def n_observations(self):
        """One for each view of each sample."""
        return len(self.n_features) * self.n_samples

    def room(self, center=True):
        """Dimension of the disagreements that the samples could have.

        Parameters
        ----------
        center : bool, default=True

        Returns
        -------
        room : int
            M − 1 for each sample, less what centring takes away.
        """
        return (len(self.n_features) - 1) * (self.n_samples - bool(center))

    def latents_of_means(self, encoders):
        """Where offsets should send the views' means: to 0.

        Parameters
        ----------
        encoders : list of ndarray of shape (k, d_m)

        Returns
        -------
        latents : ndarray of shape (M, k)
        """
        return np.zeros((len(encoders), len(encoders[0])))

    def default_rtol(self):
        r"""Relative size below which a singular value counts as zero.

        Returns
        -------
        rtol : float
            :math:`\min(\max(n, d)\,\varepsilon, \sqrt{\varepsilon})` with the
            rounding error ε of the input's type. The usual bound
            max(n, d) ε is a worst case; for long single-precision data it
            would grow past genuine directions, so it stops at the root.
        """
        return min(
            max(self.n_samples, len(self.mean)) * self.eps, self.eps**0.5
        )


class _Pass:
    """A pass over views, from the beginning or from a summary on."""

    def __init__(self, start=None, *, progress=False):
        self.triangle = self.n_features = None
        self.eps = FLOAT64_EPS
        if start is not None:
            self.n_features, self.eps = start.n_features, start.eps
            self.triangle = CentredTriangle(
                start.R, start.mean, start.n_samples
            )
        self.bar = tqdm(disable=not progress, unit=" rows", unit_scale=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.bar.close()

    def add(self, views):
        for _, parts, eps in view_slabs(views, n_features=self.n_features):
            if self.triangle is None:
                self.n_features = tuple(part.shape[1] for part in parts)
                # Centring about the first row leaves constant columns
                # exactly zero.
                origin = np.hstack([part[0] for part in parts])
                none = np.empty((0, len(origin)))
                self.triangle = CentredTriangle(none, origin, 0)
            self.triangle.add(parts)
            self.eps = max(self.eps, eps)
            self.bar.update(len(parts[0]))

    def summary(self, cls):
        if self.triangle is None:
            raise ValueError("There is no block of views to summarise.")
        R, mean, n_samples = self.triangle.result()
        return cls(R, mean, n_samples, self.n_features, self.eps)
