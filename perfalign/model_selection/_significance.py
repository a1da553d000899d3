r"""Is the alignment real? Shuffled pairs and held-out pairs.

A training error says little: with few samples any pairing can be aligned. Two
baselines tell relation from chance. Shuffling the pairs destroys what the
views share and keeps all else, so it shows what chance alone achieves on the
same data. Pairs that were held out show what the encoders are good for.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigvalsh, qr
from sklearn.base import clone
from sklearn.utils import _safe_indexing as rows
from sklearn.utils import check_random_state

from perfalign._checks import (
    as_list,
    check_estimator,
    check_integer,
    check_labels,
    check_paired,
    check_parameters,
    check_views,
    without_row_labels,
)
from perfalign._linalg import eigh
from perfalign.alignment import (
    CollapseWarning,
    MappedAlignment,
    OverfitWarning,
    PerfectAlignment,
    fit_maps,
    shared_structure,
    shrunk,
    whiten,
)
from perfalign.metrics import (
    component_correlations,
    relative_alignment_error,
)
from perfalign.summary import StackedSummary

# Where any pairing aligns perfectly, true and shuffled correlations are 1 up
# to rounding, and count as equal.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class PermutationTest:
    """Canonical correlations beside those of shuffled pairs.

    Attributes
    ----------
    statistics : ndarray of shape (k,)
        Largest correlation left after the components before it are removed.
    p_values : ndarray of shape (k,)
        Never falling: a component is no more certain than those before it.
    null : ndarray of shape (n_permutations, k)
        The same statistics of the shuffled pairs.
    """

    statistics: np.ndarray
    p_values: np.ndarray
    null: np.ndarray

    def accepted(self, level=0.05):
        """Number of components whose p-value is at most `level`."""
        return int(np.count_nonzero(self.p_values <= level))


def permutation_test(
    alignment,
    views,
    n_permutations=999,
    *,
    groups=None,
    random_state=None,
):
    r"""Compare every component with what shuffled pairs would give.

    The views are whitened once, to bases :math:`Q^m` of their row spaces.
    Shuffling the pairs permutes columns of :math:`Q^2, \dots, Q^M` and leaves
    them bases, so each permutation costs one product and one small
    eigenproblem. The statistic of the first component is the largest
    canonical correlation of the training pairs. Before component j + 1 is
    tested, components 1 … j are removed from every view, in the true and in
    the shuffled pairs (Winkler et al. 2020): otherwise the shuffles would be
    given room that the true pairs have no longer, and relations that are
    already accounted for would be found again.

    Parameters
    ----------
    alignment : PerfectAlignment or MappedAlignment of one
        Fitted or not; only its parameters are used. As many components are
        tested as it has, or all that the views can carry if `n_components` is
        None. The constraint must be ``"whitened"``. With a ridge the
        correlations are the regularised ones. Maps are fitted to all samples,
        each to its own view, which a shuffle leaves what it is.
    views : list or dict of array-like of shape (n_samples, n_features_m)
        Paired views.
    n_permutations : int, default=999
    groups : array-like of shape (n_samples,), default=None
        Labels of samples that are no independent observations, such as
        near-copies of one item. Whole groups are then permuted: those of
        equal size change places, their samples staying in order. A group
        without another of its size stays where it is: the test holds its
        level all the same, and has less power.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    test : PermutationTest
        With b of B shuffles at least as correlated as the true pairs, a
        p-value is (1 + b) / (1 + B), and at least that of the component
        before.

    Raises
    ------
    ValueError
        For another kind of alignment, the orthonormal constraint, more
        components than the views carry, groups that do not fit the samples or
        of which no two have the same size, and for invalid parameters and
        views.

    Notes
    -----
    If samples (or groups) are exchangeable under the null hypothesis, the
    first p-value is at most α with a probability of at most α, for any
    distribution of the data. Ties can only make it larger, and one has always
    the probability 1/n!: that a shuffle is the true order. Centring does no
    harm to it, as it commutes with permutations; for residuals of a
    regression on other variables that would not hold. Later p-values are
    valid only as far as the components removed are the true ones.

    With two views `statistics` are the `canonical_correlations_` of the fit.
    With more, removing a component from each view takes a little more away
    than the fit does, and later statistics can be smaller. Cost: O(n d²) for
    whitening and for each permutation.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import PerfectAlignment, permutation_test
    >>> rng = np.random.default_rng(0)
    >>> concept = rng.normal(size=(100, 1))
    >>> views = [concept + rng.normal(size=(100, 3)) for _ in range(2)]
    >>> alignment = PerfectAlignment(n_components=2)
    >>> test = permutation_test(alignment, views, 199, random_state=0)
    >>> test.accepted(level=0.05)
    1
    >>> f"{test.p_values[0]:.3f}"
    '0.005'
    """
    check_integer(n_permutations, "n_permutations")
    rng = check_random_state(random_state)
    while isinstance(alignment, MappedAlignment):
        given, signature, _ = check_paired(views)
        _, views = fit_maps(alignment.maps, given, signature.view_names)
        alignment = alignment.alignment
    if not isinstance(alignment, PerfectAlignment):
        raise ValueError(
            "The permutation test compares canonical correlations, which are "
            "what a PerfectAlignment aligns by; seen "
            f"{type(alignment).__name__}."
        )
    coordinates, k = _whitened(alignment, views)
    if groups is not None:
        first = as_list(views)[0][0]
        groups = check_labels(
            groups, len(coordinates[0]), "groups", like=first
        )
    layout = _Layout.of(coordinates)
    coordinates, statistics = layout.components_first(coordinates, k)
    blocks = _exchangeable(groups, len(coordinates[0]))
    null = np.empty((n_permutations, k))
    for row in null:
        shuffled = [Q[_shuffle(blocks, rng)] for Q in coordinates[1:]]
        gram = layout.cross_gram([coordinates[0], *shuffled])
        row[:] = [layout.largest(gram, step) for step in range(k)]
    exceeded = np.count_nonzero(null >= statistics - ROUNDING, axis=0)
    p_values = (1 + exceeded) / (1 + n_permutations)
    return PermutationTest(statistics, np.maximum.accumulate(p_values), null)


def _whitened(alignment, views):
    """Orthonormal columns for each view, and how many components to test."""
    params = alignment.get_params()
    center, k = params["center"], params["n_components"]
    check_parameters(alignment)
    if alignment.constraint != "whitened":
        raise ValueError(
            "The permutation test compares canonical correlations, which are "
            "what constraint='whitened' aligns by; seen "
            f"{alignment.constraint!r}."
        )
    summary = StackedSummary.from_views(views)
    views, _ = check_views(views)
    structure = shared_structure(summary, center, alignment.rtol)
    if k is None:
        k = structure.ranks.min()
    if k > structure.ranks.min():
        m = int(structure.ranks.argmin())
        raise ValueError(
            f"n_components is {k}, but view {m} carries only "
            f"{structure.ranks[m]} independent signals."
        )
    means = summary.split(summary.mean if center else 0 * summary.mean)
    centred = [view - mean for view, mean in zip(views, means)]
    bases = [
        whiten(view, rounding, structure.least)
        for view, rounding in zip(centred, structure.rounding)
    ]
    if alignment.ridge:
        # Noise has no part in what two views have in common.
        bases = [
            shrunk(view, basis, alignment.ridge)[0]
            for view, basis in zip(centred, bases)
        ]
    return [basis.U for basis in bases], k


@dataclass(frozen=True, eq=False)
class _Layout:
    """Which view, and which place in it, each stacked coordinate has."""

    owner: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, coordinates):
        ranks = [Q.shape[1] for Q in coordinates]
        return cls(
            owner=np.repeat(np.arange(len(ranks)), ranks),
            place=np.concatenate([np.arange(r) for r in ranks]),
        )

    def cross_gram(self, coordinates):
        """Inner products of coordinates of different views, else zero."""
        stack = np.hstack(coordinates)
        same = self.owner[:, None] == self.owner
        return np.where(same, 0, stack.T @ stack)

    def without(self, gram, step):
        kept = self.place >= step
        return gram[np.ix_(kept, kept)]

    def largest(self, gram, step):
        """Largest correlation without the first `step` of every view.

        For two views the eigenvalues are ± the singular values of Q¹Q²ᵀ.
        """
        rest = self.without(gram, step)
        last = len(rest) - 1
        top = eigvalsh(rest, subset_by_index=(last, last))[0]
        return top / self.owner[-1]

    def components_first(self, coordinates, k):
        """Rotate every view so that its component j is its column j."""
        coordinates, statistics = list(coordinates), np.empty(k)
        for step in range(k):
            gram = self.cross_gram(coordinates)
            statistics[step] = self.largest(gram, step)
            _, vectors = eigh(self.without(gram, step))
            owner = self.owner[self.place >= step]
            for m, Q in enumerate(coordinates):
                # The first column of the factor is the component, up to
                # sign; the others span what it leaves.
                part = vectors[owner == m, -1:]
                rotation, _ = qr(part)
                coordinates[m] = np.hstack(
                    [Q[:, :step], Q[:, step:] @ rotation]
                )
        return coordinates, statistics


def _exchangeable(groups, n_samples):
    """Arrays of rows, one group a line, whose lines may change places."""
    if groups is None:
        return [np.arange(n_samples)[:, None]]
    _, labels, sizes = np.unique(
        groups, return_inverse=True, return_counts=True
    )
    rows = np.argsort(labels, kind="stable")
    size_of_row = sizes[labels[rows]]
    blocks = [rows[size_of_row == s].reshape(-1, s) for s in np.unique(sizes)]
    if all(len(block) == 1 for block in blocks):
        raise ValueError(
            f"Groups can only change places with groups of their size, and "
            f"no two of these {len(sizes)} have the same."
        )
    return blocks


def _shuffle(blocks, rng):
    order = np.empty(sum(block.size for block in blocks), dtype=int)
    for block in blocks:
        order[block] = block[rng.permutation(len(block))]
    return order


@dataclass(frozen=True, eq=False)
class AlignmentCurve:
    """How an alignment does on seen and on new pairs, by sample size.

    Attributes
    ----------
    sizes : ndarray of shape (n_sizes,)
        Numbers of training pairs.
    train_errors, test_errors : ndarray of shape (n_sizes, n_splits)
        Relative alignment errors.
    train_correlations, test_correlations : ndarray
        Of shape (n_sizes, n_splits, k).
        Correlation of the views' latents in each component, the mean over
        pairs of views.
    """

    sizes: np.ndarray
    train_errors: np.ndarray
    test_errors: np.ndarray
    train_correlations: np.ndarray
    test_correlations: np.ndarray


def alignment_curve(
    alignment,
    views,
    sizes,
    *,
    n_splits=5,
    shuffled=False,
    groups=None,
    random_state=None,
):
    """Fit on more and more pairs, and judge on pairs that were held out.

    In every split the samples are put in random order. The first n of them
    are the n training pairs, so that larger training sets contain the
    smaller, and what the largest leaves over is held out from all.

    Parameters
    ----------
    alignment : estimator
        Any with ``fit(views)`` and ``transform(views)``, cloned for every
        fit. All fits must have latents of one dimension.
    views : list or dict of array-like of length n_samples
        Paired views; anything that the alignment takes.
    sizes : int or sequence of int
        Numbers of training pairs; the largest must leave two pairs over.
    n_splits : int, default=5
    shuffled : bool, default=False
        Fit on shuffled training pairs instead: the level that the same data
        reach without any relation. The held-out pairs stay true, and one
        `random_state` gives the same splits for both.
    groups : array-like of shape (n_samples,), default=None
        Samples with one label stay together in the random order, when pairs
        are shuffled too, and held-out pairs share no label with training
        pairs.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    curve : AlignmentCurve

    Raises
    ------
    ValueError
        If `n_components` is None, fits differ in the dimension of their
        latents for another reason, a size leaves too few held-out pairs or is
        below two, or as the alignment for the smallest size.

    Notes
    -----
    Warnings of overfitting or collapse are not given: the curve shows the
    first, and the second would be repeated for every fit. Cost: n_splits fits
    for every size.

    Examples
    --------
    >>> import numpy as np
    >>> from perfalign import PerfectAlignment, alignment_curve
    >>> rng = np.random.default_rng(0)
    >>> views = [rng.normal(size=(300, 10)) for _ in range(2)]  # unrelated
    >>> curve = alignment_curve(
    ...     PerfectAlignment(n_components=1), views, [15, 150], random_state=0
    ... )
    >>> for n, train, test in zip(
    ...     curve.sizes, curve.train_errors, curve.test_errors
    ... ):
    ...     print(n, f"{train.mean():.1f} {test.mean():.1f}")
    15 0.0 1.5
    150 1.0 1.4
    """
    check_estimator(alignment, "alignment")
    if isinstance(alignment, PerfectAlignment) and (
        alignment.n_components is None
    ):
        raise ValueError(
            "alignment_curve compares fits of the same dimension; choose "
            "n_components, seen None."
        )
    given, signature, n_samples = check_paired(views)
    labels = np.arange(n_samples)
    if groups is not None:
        labels = check_labels(groups, n_samples, "groups", like=given[0])
    sizes = _check_sizes(sizes, n_samples)
    check_integer(n_splits, "n_splits")
    rng = check_random_state(random_state)
    errors = np.empty((2, len(sizes), n_splits))
    correlations = {}

    def taken(chosen):
        # As they came: their precision decides what counts as rank.
        return [without_row_labels(rows(view, chosen)) for view in given]

    for split in range(n_splits):
        order, held_out = _split(labels, sizes, rng)
        new = taken(held_out)
        # Drawn in any case: true and shuffled pairs then see the same splits.
        seed = rng.randint(np.iinfo(np.int32).max)
        for i, n in enumerate(sizes):
            seen = taken(order[:n])
            if shuffled:
                seen = _repaired(seen, labels[order[:n]], seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OverfitWarning)
                warnings.simplefilter("ignore", CollapseWarning)
                fitted = clone(alignment).fit(signature.as_given(seen, views))
            for j, pairs in enumerate([seen, new]):
                latents = signature.in_order(
                    fitted.transform(signature.as_given(pairs, views))
                )
                errors[j, i, split] = relative_alignment_error(latents)
                correlations[j, i, split] = component_correlations(latents)
    dimensions = {len(found) for found in correlations.values()}
    if len(dimensions) > 1:
        raise ValueError(
            "alignment_curve compares fits of the same dimension; seen latents"
            f" of the dimensions {sorted(dimensions)}. Choose n_components."
        )
    table = np.empty((*errors.shape, *dimensions))
    for place, found in correlations.items():
        table[place] = found
    return AlignmentCurve(sizes, *errors, *table)


def _check_sizes(sizes, n_samples):
    sizes = np.atleast_1d(np.asarray(sizes))
    whole = sizes.ndim == 1 and sizes.dtype.kind in "iu" and len(sizes)
    if not whole or sizes.min() < 2 or sizes.max() > n_samples - 2:
        raise ValueError(
            f"sizes are {sizes.tolist()}; wanted whole numbers from 2 to at "
            f"most {n_samples} − 2, so that pairs are held out."
        )
    return sizes


def _split(labels, sizes, rng):
    """Rows in random order, whole groups together, and those held out."""
    names, groups = np.unique(labels, return_inverse=True)
    rank = rng.permutation(len(names))[groups]
    order = np.argsort(rank, kind="stable")
    n_seen = sizes.max()
    left_over = order[rank[order] > rank[order[n_seen - 1]]]
    if len(left_over) < 2:
        raise ValueError(
            f"sizes are {sizes.tolist()}; wanted numbers small enough for two "
            f"pairs of other groups, of {len(order)}, to be held out."
        )
    return order, left_over


def _repaired(views, labels, seed):
    """The views with pairs shuffled anew, the first left as it is.

    The rows come group by group. All but the first view are read in another
    order of the groups: no group need stay where it is, whatever its size.
    """
    rng = check_random_state(seed)
    names, groups = np.unique(labels, return_inverse=True)

    def another_order():
        rank = rng.permutation(len(names))[groups]
        return np.argsort(rank, kind="stable")

    return views[:1] + [
        without_row_labels(rows(view, another_order())) for view in views[1:]
    ]
