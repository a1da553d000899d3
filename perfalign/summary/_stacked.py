r"""Paired views compressed once into one small triangle.

Everything that second-order alignment needs to know of n samples fits into
their number, their mean and the triangular factor of the centred stack. The
three together can be merged, so that the data may come in blocks, in any
order, from any number of machines.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import helmert
from tqdm.auto import tqdm

from perfalign._checks import FLOAT64_EPS, Signature, view_slabs
from perfalign._linalg import column_norms, two_sum
from perfalign.summary._dask import tree_summary
from perfalign.summary._distinct import DistinctRows
from perfalign.summary._storage import load_arrays, save_arrays
from perfalign.summary._triangle import CentredTriangle

#: Roundings that a number may have gone through before it came here.
ROUNDINGS = 4


class Summary(ABC):
    """What all summaries of views answer, however the views were observed.

    A subclass has the triangular factor `R` of a stack whose columns are the
    features of all views, `mean`, `n_samples`, `n_features`, and `eps`, the
    relative rounding error of each view's numbers.
    """

    #: What `mean` has lost by rounding, where that is kept.
    rest = 0.0

    @property
    @abstractmethod
    def signature(self):
        """What further views must have in common with these."""

    @abstractmethod
    def blocks(self, center=True):
        """Factor of the stack, one block of columns a view."""

    @abstractmethod
    def power(self):
        """Norms of the features over all samples, about 0."""

    @property
    @abstractmethod
    def contrasts(self):
        """Combinations of latents that vanish where the views agree."""

    @property
    @abstractmethod
    def n_observations(self):
        """Latents of all samples and views together."""

    @abstractmethod
    def room(self, center=True):
        """Dimension of the disagreements that the samples could have."""

    @abstractmethod
    def latents_of_means(self, encoders):
        """Where offsets should send the views' means."""

    @abstractmethod
    def _arrays(self):
        """All there is, by name."""

    @classmethod
    @abstractmethod
    def _from_arrays(cls, arrays):
        """The inverse; a KeyError or ValueError if it has none."""
        raise TypeError(f"{cls.__name__} is what summaries have in common.")

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

    def default_rtol(self):
        r"""Relative size below which a singular value counts as zero.

        Returns
        -------
        rtol : float
            :math:`\min(\max(n, d)\,\varepsilon, \sqrt{\varepsilon})` with the
            rounding error ε of double precision, in which all is computed.
            That of the data, if theirs is coarser, is counted feature by
            feature; see `rounding`.
        """
        return min(
            max(self.n_samples, sum(self.n_features)) * FLOAT64_EPS,
            FLOAT64_EPS**0.5,
        )

    def rounding(self, rtol, center=True):
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
        power = self.power()
        size = column_norms(self.R) if center else power
        eps = np.broadcast_to(self.eps, len(power))
        # Below this numbers lose digits, and encoders are out of range.
        least = np.finfo(float).tiny * self.n_samples**0.5
        known = ROUNDINGS * (eps * power + least)
        return self.split(np.maximum(rtol * size, known))

    def standardised(self, rtol):
        """Centred factor with every feature's norm one, if it varies.

        Parameters
        ----------
        rtol : float
            As of `rounding`; what varies by no more becomes zero.

        Returns
        -------
        blocks : list of ndarray of shape (p, n_features_m)
        """
        blocks = []
        for block, rounding in zip(self.blocks(), self.rounding(rtol)):
            size = column_norms(block)
            live = size > rounding
            blocks.append(block * (live / np.where(live, size, 1.0)))
        return blocks

    def save(self, path):
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
    def load(cls, path):
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


@dataclass(frozen=True, eq=False)
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
        Factor of the centred stack, p ≤ d.
    mean : ndarray of shape (d,)
        Mean of the stack, in the units of the features.
    n_samples : int
        Number n of rows summarised.
    n_features : tuple of int
        Columns of each view, in order; they sum to d.
    eps : ndarray of shape (d,), or float
        Relative rounding error of the type in which each feature came.
    rest : ndarray of shape (d,), or 0
        What `mean` has lost by rounding. Merging summaries whose mean is far
        above the spread would lose digits of the spread without it.
    items : ndarray of uint64, or None
        Fingerprints of the different rows, as long as there are no more than
        d of them, else None.
    feature_names : tuple of (tuple of str, or None), or None
        Names of the columns of each view, where they had any.
    view_names : tuple of str, or None
        Names of the views, if they had any.

    Notes
    -----
    A summary never changes: `update` and `merge` return a new one. Time is
    O(n d²), two to three times that of the Gram matrix; memory is
    O(d min(n, d)) and a few megabytes, beside the block being read. Arrays on
    disk (`numpy.load` with ``mmap_mode="r"``, `numpy.memmap`) are read a few
    megabytes at a time.
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
    eps: np.ndarray | float = FLOAT64_EPS
    rest: np.ndarray | float = 0.0
    items: np.ndarray | None = None
    feature_names: tuple | None = None
    view_names: tuple | None = None

    @classmethod
    def from_views(cls, views, *, progress=False):
        """Summarise paired views.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)
            At least two views with equal numbers of rows; or a dict of them,
            by name.
        progress : bool, default=False
            Show a progress bar.

        Returns
        -------
        summary : StackedSummary

        Raises
        ------
        ValueError
            If a view is not a finite real matrix or the row counts differ,
            or if there is no row.
        """
        with _Pass(allow_empty=False, progress=progress) as run:
            run.add(views)
        return run.summary()

    @classmethod
    def from_first_block(cls, views):
        """As `from_views`, but the views need not have rows.

        Parameters
        ----------
        views : list of array-like of shape (n_samples, n_features_m)

        Returns
        -------
        summary : StackedSummary or None
            None if there are no rows, and nothing to summarise yet.

        Raises
        ------
        ValueError
            As `from_views`, but for the lack of rows.
        """
        with _Pass() as run:
            run.add(views)
        return run.summary() if run.triangle else None

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
        with _Pass(progress=progress) as run:
            for number, views in enumerate(blocks):
                try:
                    run.add(views)
                except ValueError as error:
                    raise ValueError(f"block {number}: {error}") from error
        return run.summary()

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
            A further block of the same views, of any number of rows.

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
        return run.summary()

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
        weight = np.sqrt(self.n_samples * other.n_samples / n_samples)
        mean, rest = two_sum(
            self.mean, self.rest + other.n_samples / n_samples * gap
        )
        items = DistinctRows(len(mean), self.items)
        items.add_prints(other.items)
        return StackedSummary(
            R=np.linalg.qr(
                np.vstack([self.R, other.R, weight * gap]), mode="r"
            ),
            mean=mean,
            n_samples=n_samples,
            n_features=self.n_features,
            eps=np.maximum(self.eps, other.eps),
            rest=rest,
            items=items.result(),
            feature_names=signature.feature_names,
            view_names=signature.view_names,
        )

    @property
    def signature(self):
        """What further views must have in common with these."""
        return Signature(
            self.n_features,
            self.feature_names or (None,) * len(self.n_features),
            self.view_names,
        )

    def _arrays(self):
        arrays = {
            "R": self.R,
            "mean": self.mean,
            "rest": self.rest + np.zeros_like(self.mean),
            "n_samples": self.n_samples,
            "n_features": self.n_features,
            "eps": np.broadcast_to(self.eps, len(self.mean)),
        }
        if self.items is not None:
            arrays["items"] = self.items
        if self.view_names is not None:
            arrays["view_names"] = self.view_names
        for m, names in enumerate(self.signature.feature_names):
            if names is not None:
                arrays[f"feature_names {m}"] = names
        return arrays

    @classmethod
    def _from_arrays(cls, arrays):
        n_features = _checked(arrays, "n_features", "iu", 1)
        n_samples = _checked(arrays, "n_samples", "iu", 0)
        if len(n_features) < 2 or n_features.min() < 1:
            raise ValueError(
                f"n_features is {n_features.tolist()}; wanted two or more "
                "numbers of at least 1."
            )
        if not 1 <= n_samples < 2**53:
            raise ValueError(f"n_samples is {n_samples}.")
        n_features = tuple(n_features.tolist())
        d, views = (sum(n_features),), (len(n_features),)
        R = _checked(arrays, "R", "f", 2)
        if R.shape[1:] != d or len(R) > min(d[0], 2 * n_samples):
            raise ValueError(
                f"R has shape {R.shape}; wanted {d[0]} columns, and no more "
                f"rows than columns or twice the {n_samples} samples."
            )
        eps = _checked(arrays, "eps", "f", 1, d)
        if eps.min() < FLOAT64_EPS or eps.max() > 0.01:
            raise ValueError(f"eps is {eps.tolist()}; no number type has it.")
        items = None
        if "items" in arrays:
            items = _checked(arrays, "items", "u", 1)
            most = min(d[0], n_samples)
            if len(items) != len(set(items.tolist())) or not (
                1 <= len(items) <= most
            ):
                raise ValueError(
                    f"items are {len(items)} fingerprints; wanted 1 to {most} "
                    "different ones."
                )
        names = [
            _checked(arrays, name, "U", 1, (d_m,)) if name in arrays else None
            for m, d_m in enumerate(n_features)
            for name in [f"feature_names {m}"]
        ]
        view_names = None
        if "view_names" in arrays:
            view_names = tuple(
                _checked(arrays, "view_names", "U", 1, views).tolist()
            )
        for one in (view_names, *names):
            if one is not None and len(set(one)) < len(one):
                raise ValueError(f"names occur twice in {', '.join(one)}.")
        return cls(
            R=R,
            mean=_checked(arrays, "mean", "f", 1, d),
            n_samples=int(n_samples),
            n_features=n_features,
            eps=eps,
            rest=_checked(arrays, "rest", "f", 1, d),
            items=items,
            feature_names=tuple(
                None if one is None else tuple(one.tolist()) for one in names
            ),
            view_names=view_names,
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

    def power(self):
        """Norms of the features over all samples, about 0.

        Returns
        -------
        power : ndarray of shape (d,)
        """
        return np.hypot(
            column_norms(self.R), self.n_samples**0.5 * np.abs(self.mean)
        )

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

    @property
    def n_items(self):
        """How many of the samples are different, in any bit.

        Exact up to d of them, which is all that anything depends on.
        """
        return self.n_samples if self.items is None else len(self.items)

    def room(self, center=True):
        """Dimension of the disagreements that the samples could have.

        Parameters
        ----------
        center : bool, default=True

        Returns
        -------
        room : int
            M − 1 for each different sample, less what centring takes away.
        """
        return (len(self.n_features) - 1) * (self.n_items - bool(center))

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


def _checked(arrays, name, kinds, ndim, shape=None):
    """An array of a file, if it is of a kind that it can be."""
    array = arrays[name]
    right = array.dtype.kind in kinds and array.ndim == ndim
    if kinds == "f":
        right = right and array.dtype == float and np.isfinite(array).all()
    if not right or shape not in (None, array.shape):
        raise ValueError(
            f"{name} is an array of {array.dtype} of shape {array.shape}, "
            "which it cannot be."
        )
    return array


class _Pass:
    """A pass over views, from the beginning or from a summary on."""

    def __init__(self, start=None, *, allow_empty=True, progress=False):
        self.allow_empty = allow_empty
        self.triangle = self.signature = None
        self.eps = FLOAT64_EPS
        if start is not None:
            self.signature, self.eps = start.signature, start.eps
            d = sum(start.n_features)
            rest = start.rest + np.zeros(d)
            self.triangle = CentredTriangle(
                start.R, start.mean, rest, start.n_samples
            )
            self.items = DistinctRows(d, start.items)
        self.bar = tqdm(disable=not progress, unit=" rows", unit_scale=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.bar.close()

    def add(self, views):
        like = self.signature
        chunks = view_slabs(views, like=like, allow_empty=self.allow_empty)
        for _, parts, eps in chunks:
            known = [np.full(part.shape[1], e) for part, e in zip(parts, eps)]
            self.eps = np.maximum(self.eps, np.concatenate(known))
            if len(parts[0]) == 0:
                continue
            if self.triangle is None:
                # Centring about the first row leaves constant columns
                # exactly zero.
                origin = np.hstack([part[0] for part in parts])
                none = np.empty((0, len(origin)))
                self.triangle = CentredTriangle(
                    none, origin, np.zeros_like(origin), 0
                )
                self.items = DistinctRows(len(origin))
            self.triangle.add(parts)
            self.items.add(parts)
            self.bar.update(len(parts[0]))
        if like is None:
            self.signature = Signature.of(views)
        else:
            found = Signature.of(like.in_order(views))
            found = replace(found, view_names=like.view_names)
            self.signature = like.joined(found)

    def summary(self):
        if self.triangle is None:
            raise ValueError(
                "There is no sample to summarise: no block of views has rows."
            )
        R, mean, rest, n_samples = self.triangle.result()
        return StackedSummary(
            R,
            mean,
            n_samples,
            self.signature.n_features,
            self.eps,
            rest,
            self.items.result(),
            self.signature.feature_names,
            self.signature.view_names,
        )
