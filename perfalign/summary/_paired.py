r"""Views that were observed two at a time, on disjoint sets of items.

A picture was seen with its English name, another English name with a French
one, and no picture with a French name. Each pair of views that was observed
is an edge of a graph. What two views of one item disagree by is again a row
of the paper's stack, :math:`[X^a; -X^b]`, with zeros for the views that the
item does not have; so the pairs of all edges fit into one small triangle.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import lstsq
from scipy.sparse.csgraph import connected_components

from perfalign._checks import Signature, check_view
from perfalign._linalg import column_norms
from perfalign.summary._base import Summary
from perfalign.summary._stacked import StackedSummary


@dataclass(frozen=True, eq=False)
class PairedSummary(Summary):
    r"""Mergeable summary of pairs of views, a set of items for each pairing.

    An item i of the pairing e = (a, b) contributes one row to the matrix

    .. math:: B_{im} = (\delta_{am} - \delta_{bm})\,(x_i^m - \bar x_e^m)^\top

    which is zero for all views but a and b; :math:`\bar x_e^m` is the mean of
    view m over the items of e. The summary keeps the triangular factor R of
    B. A row of B times :math:`[A^1 \dots A^M]^\top` is the disagreement of a
    pair of latents, and column block m holds view m up to the signs of rows,
    so R has all that `StackedSummary` has of fully observed views.

    Each pairing is centred by its own means, because offsets make up for
    them. About one mean of all its items a view would also vary with the
    sampling of the sets: exact alignment would be lost in sampling error.

    Parameters
    ----------
    R, mean, n_features, eps, feature_names
        As in `StackedSummary`; `mean` is over all items that have the view.
    n_samples : int
        Number of pairs, all pairings together.
    pairs : dict of (int, int) to StackedSummary
        The pairings, each with the summary of its own items.

    Notes
    -----
    Time O(Σ n_e (d_a + d_b)² + E d³) and memory O(E d²) for E pairings.
    """

    R: np.ndarray
    mean: np.ndarray
    n_samples: int
    n_features: tuple
    eps: np.ndarray
    feature_names: tuple
    pairs: dict = field(default_factory=dict)

    @classmethod
    def from_pairs(cls, pairs):
        """Summarise pairs of views.

        Parameters
        ----------
        pairs : dict of (int, int) to pair of array-like, or StackedSummary
            For the views (a, b): two matrices with a row for each item, or
            the summary of the two.

        Returns
        -------
        summary : PairedSummary

        Raises
        ------
        ValueError
            Names the pair, and says what was seen and what was wanted.
        """
        pairs = _summarised(pairs)
        if not pairs:
            raise ValueError("No pair has items.")
        n_features = _features(pairs.items())
        n_views = len(n_features)
        _check_graph(pairs, n_views)
        return cls(
            R=_factor(pairs, n_features),
            mean=np.concatenate(_means(pairs, n_views)),
            n_samples=sum(summary.n_samples for summary in pairs.values()),
            n_features=n_features,
            eps=np.concatenate(
                [
                    np.max([s.split(s.eps)[place] for s, place in own], axis=0)
                    for own in _owners(pairs, n_views)
                ]
            ),
            feature_names=_feature_names(pairs.items(), n_views),
            pairs=pairs,
        )

    def update(self, pairs, sample_weight=None):
        """Summary of these pairs and of the given ones.

        Parameters
        ----------
        pairs : dict of (int, int) to pair of array-like, or StackedSummary
            Further items, of any pairings of the same views.

        Returns
        -------
        summary : PairedSummary

        Raises
        ------
        ValueError
            As `from_pairs`.
        """
        added = _summarised(pairs)
        both = [*self.pairs.items(), *added.items()]
        _feature_names(both, len(_features(both)))
        union = dict(self.pairs)
        for pair, summary in added.items():
            known = union.get(pair)
            union[pair] = known.merge(summary) if known else summary
        return type(self).from_pairs(union)

    def merge(self, other):
        """Summary of the pairs of both.

        Parameters
        ----------
        other : PairedSummary

        Returns
        -------
        summary : PairedSummary

        Raises
        ------
        ValueError
            As `from_pairs`, or if `other` is a summary of another kind.
        """
        if not isinstance(other, PairedSummary):
            raise ValueError(
                "Only summaries of one kind can be merged; seen "
                f"{type(other).__name__}, wanted PairedSummary."
            )
        return self.update(other.pairs)

    @property
    def signature(self):
        """What further views must have in common with these."""
        return Signature(self.n_features, self.feature_names, None)

    def _arrays(self):
        return {
            f"{a}-{b} {name}": array
            for (a, b), summary in self.pairs.items()
            for name, array in summary._arrays().items()
        }

    @classmethod
    def _from_arrays(cls, arrays):
        pairs = {}
        for key, array in arrays.items():
            pair, _, name = key.partition(" ")
            if not re.fullmatch(r"\d+-\d+", pair):
                raise ValueError(f"{key!r} belongs to no pair of views.")
            pairs.setdefault(pair, {})[name] = array
        return cls.from_pairs(
            {
                tuple(map(int, pair.split("-"))): (
                    StackedSummary._from_arrays(fields)
                )
                for pair, fields in pairs.items()
            }
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
            Inner products of columns of one block are those of the features;
            of two blocks, their negatives over the items that have both.
        """
        if center:
            return self.split(self.R)
        return self.split(_factor(self.pairs, self.n_features, center=False))

    def power(self):
        """Norms of the features over all items that have them, about 0.

        Returns
        -------
        power : ndarray of shape (d,)
        """
        return np.concatenate(
            [
                column_norms(
                    np.array([s.split(s.power())[place] for s, place in own])
                )
                for own in _owners(self.pairs, len(self.n_features))
            ]
        )

    @property
    def contrasts(self):
        """One row of ones: the rows of the factor carry the signs."""
        return np.ones((1, len(self.n_features)))

    @property
    def n_observations(self):
        """Two for each pair."""
        return 2 * self.n_samples

    def room(self, center=True):
        """Dimension of the disagreements that the pairs could have.

        One for each different pair, less what centring takes away.

        Parameters
        ----------
        center : bool, default=True

        Returns
        -------
        room : int
        """
        return sum(summary.room(center) for summary in self.pairs.values())

    def latents_of_means(self, encoders):
        r"""Where offsets should send the views' means.

        They minimise :math:`\sum_e n_e \|\bar z_e^a - \bar z_e^b\|^2`, the
        disagreement of the pairings' mean latents, which then vanishes if no
        pairings form a cycle. All latents together get the mean 0.

        Parameters
        ----------
        encoders : list of ndarray of shape (k, d_m)

        Returns
        -------
        latents : ndarray of shape (M, k)
        """
        means = self.split(self.mean)
        incidence = _incidence(self.pairs, len(means))
        gaps = [
            encoders[a] @ (left - means[a]) - encoders[b] @ (right - means[b])
            for (a, b), summary in self.pairs.items()
            for left, right in [summary.split(summary.mean)]
        ]
        n_items = np.array([s.n_samples for s in self.pairs.values()])
        weights = np.sqrt(n_items)[:, None]
        # A driver that does not iterate.
        latents = -lstsq(
            weights * incidence,
            weights * np.array(gaps),
            lapack_driver="gelsy",
        )[0]
        return latents - np.average(
            latents, axis=0, weights=n_items @ np.abs(incidence)
        )


def _summarised(pairs):
    if not isinstance(pairs, Mapping) or not pairs:
        raise ValueError(
            "pairs must map pairs of views to their data, as in "
            f"{{(0, 1): (X, Y), (1, 2): (Y2, W)}}; seen {pairs!r:.60}."
        )
    found = {pair: _summary(pair, data) for pair, data in pairs.items()}
    # Without items there is nothing to summarise yet.
    return {pair: one for pair, one in found.items() if one is not None}


def _summary(pair, data):
    names_two = isinstance(pair, tuple) and len(pair) == 2
    if not (
        names_two
        and all(
            isinstance(m, (int, np.integer))
            and not isinstance(m, bool)
            and m >= 0
            for m in pair
        )
        and pair[0] != pair[1]
    ):
        raise ValueError(
            f"pair {pair!r}: wanted a tuple of two different views, numbered "
            "from 0."
        )
    if isinstance(data, StackedSummary):
        n_views = len(data.n_features)
    else:
        n_views = len(data) if isinstance(data, (list, tuple)) else None
    if n_views != 2:
        raise ValueError(
            f"pair {pair}: wanted two matrices, or the summary of two; seen "
            + (type(data).__name__ if n_views is None else f"{n_views}.")
        )
    if isinstance(data, StackedSummary):
        return data
    rows = [
        len(check_view(view, f"pair {pair}, view {m}", allow_empty=True)[0])
        for m, view in zip(pair, data)
    ]
    if rows[0] != rows[1]:
        raise ValueError(
            f"pair {pair}: both views must describe the same items, row by "
            f"row; seen {rows[0]} and {rows[1]} rows."
        )
    try:
        return StackedSummary.from_first_block(list(data))
    except ValueError as error:
        raise ValueError(f"pair {pair}: {error}") from error


def _features(pairs):
    """The d_m, which all pairs with view m must agree on."""
    seen = {}
    for pair, summary in pairs:
        for m, d_m in zip(pair, summary.n_features):
            first, wanted = seen.setdefault(m, (pair, d_m))
            if d_m != wanted:
                raise ValueError(
                    f"pair {pair}: view {m} has {d_m} features; wanted "
                    f"{wanted}, as in pair {first}."
                )
    missing = sorted(set(range(max(seen))).difference(seen))
    if missing:
        raise ValueError(
            f"view {missing[0]} is in no pair, but there is a view "
            f"{max(seen)}: views are numbered without gaps from 0. Seen the "
            f"pairs {', '.join(map(str, dict(pairs)))}."
        )
    return tuple(seen[m][1] for m in sorted(seen))


def _incidence(pairs, n_views):
    """The signs of the stack: one row a pairing, one column a view."""
    incidence = np.zeros((len(pairs), n_views))
    for row, (a, b) in zip(incidence, pairs):
        row[[a, b]] = 1, -1
    return incidence


def _check_graph(pairs, n_views):
    for a, b in pairs:
        if (b, a) in pairs:
            raise ValueError(
                f"pair {(a, b)}: the pair {(b, a)} is there too; wanted the "
                "items of two views in one pair."
            )
    incidence = np.abs(_incidence(pairs, n_views))
    n_parts, part = connected_components(incidence.T @ incidence)
    if n_parts > 1:
        apart = next(pair for pair in pairs if part[pair[0]] != part[0])
        raise ValueError(
            f"pair {apart}: no chain of pairs joins its views to view 0; seen "
            f"the pairs {', '.join(map(str, pairs))}. Views that nothing joins"
            " cannot be aligned."
        )


def _owners(pairs, n_views):
    """For each view, the summaries that have it, and at which place."""
    return [
        [(s, pair.index(m)) for pair, s in pairs.items() if m in pair]
        for m in range(n_views)
    ]


def _means(pairs, n_views):
    """Each view's mean over all its items."""
    return [
        np.average(
            [s.split(s.mean)[place] for s, place in own],
            axis=0,
            weights=[s.n_samples for s, _ in own],
        )
        for own in _owners(pairs, n_views)
    ]


def _feature_names(pairs, n_views):
    """The names of each view's features, which all pairs must agree on."""
    seen = {}
    for pair, summary in pairs:
        for m, names in zip(pair, summary.signature.feature_names):
            first, wanted = seen.setdefault(m, (pair, names))
            if wanted is None:
                seen[m] = pair, names
            elif names is not None and names != wanted:
                raise ValueError(
                    f"pair {pair}: the columns of view {m} are "
                    f"{', '.join(names)}; wanted {', '.join(wanted)}, as in "
                    f"pair {first}."
                )
    return tuple(seen[m][1] for m in range(n_views))


def _factor(pairs, n_features, center=True):
    """Triangular factor of the signed rows of all pairs."""
    rows = []
    for (a, b), summary in pairs.items():
        left, right = summary.blocks(center)
        blocks = [np.zeros((len(left), d_m)) for d_m in n_features]
        blocks[a], blocks[b] = left, -right
        rows.append(np.hstack(blocks))
    return np.linalg.qr(np.vstack(rows), mode="r")
