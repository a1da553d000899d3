"""Views observed in pairs: reductions, an independent solver, promises."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import block_diag, eigh
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline

from perfalign import (
    CollapseWarning,
    GaussianTransfer,
    IncompleteSummary,
    OverfitWarning,
    PerfectAlignment,
    StackedSummary,
    existence_report,
    left_null_space,
    relative_alignment_error,
)
from perfalign.datasets import load_emoji, make_gaussian_views


def views_of(n, n_features=(5, 4, 6), noise=0.7, seed=0):
    """Correlated views with offsets; one mixing for every seed."""
    mix, rng = np.random.default_rng(99), np.random.default_rng(seed)
    z = rng.normal(size=(n, 3))
    return [
        z @ mix.normal(size=(3, d))
        + noise * rng.normal(size=(n, d)) * (1 + np.arange(d))
        + mix.normal(size=d)
        for d in n_features
    ]


def chain(sizes=(200, 90), seed=0, **kwargs):
    first = views_of(sizes[0], seed=seed, **kwargs)
    second = views_of(sizes[1], seed=seed + 1, **kwargs)
    return {(0, 1): first[:2], (1, 2): second[1:]}


def centred(views):
    return [view - view.mean(axis=0) for view in views]


def assert_same(one, other, factor=1.0, tol=1e-10):
    for a, b in zip(one.encoders_, other.encoders_, strict=True):
        assert_allclose(a, b, rtol=0, atol=tol * np.abs(b).max())
    for a, b in zip(one.offsets_, other.offsets_, strict=True):
        assert_allclose(a, b, rtol=0, atol=tol * (1 + np.abs(b).max()))
    assert_allclose(
        factor * one.singular_values_, other.singular_values_, atol=tol
    )
    for name in (
        "canonical_correlations_",
        "explained_variance_",
        "ranks_",
        "shared_dimension_",
    ):
        assert_allclose(getattr(one, name), getattr(other, name), atol=tol)


# Reductions


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"center": False},
        {"ridge": 0.3},
        {"ridge": 0.3, "center": False},
        {"constraint": "orthonormal"},
    ],
)
@pytest.mark.parametrize("n_views", [3, 4])
def test_complete_graph_on_the_same_items_is_fit(options, n_views):
    views = views_of(150, n_features=(5, 4, 6, 4)[:n_views])
    pairs = {
        (a, b): (views[a], views[b])
        for a in range(n_views)
        for b in range(a + 1, n_views)
    }
    estimator = PerfectAlignment(3, **options)
    whole = clone(estimator).fit(views)
    paired = clone(estimator).fit_incomplete(pairs)
    whitened = options.get("constraint") is None
    factor = np.sqrt(n_views - 1) if whitened else 1.0
    if whitened:
        assert_same(paired, whole, factor)
    else:
        # Under the paper's constraint ρ is that of the whitened views, and
        # the spectrum belongs to one stack or the other.
        for a, b in zip(paired.encoders_, whole.encoders_, strict=True):
            assert_allclose(a, b, atol=1e-10)
        assert_allclose(
            paired.singular_values_[-3:], whole.singular_values_[-3:]
        )


@pytest.mark.parametrize("edge", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    "options", [{}, {"ridge": 0.3}, {"constraint": "orthonormal"}]
)
def test_one_pairing_is_fit(edge, options):
    X, Y = views_of(150)[:2]
    data = (X, Y) if edge == (0, 1) else (Y, X)
    estimator = PerfectAlignment(3, **options)
    assert_same(
        clone(estimator).fit_incomplete({edge: data}),
        clone(estimator).fit([X, Y]),
    )


def test_views_of_a_pair_may_come_in_either_order():
    pairs = chain()
    (X, Y), (Y2, W) = pairs.values()
    turned = {(2, 1): (W, Y2), (0, 1): (X, Y)}
    assert_same(
        PerfectAlignment(3).fit_incomplete(turned),
        PerfectAlignment(3).fit_incomplete(pairs),
    )


# The objective and an independent solver


def reference(pairs, k, ridge=0.0):
    """Generalised eigenproblem of the Laplacian, by Gram matrices."""
    items = {}
    for pair, data in pairs.items():
        for m, view in zip(pair, centred(data), strict=True):
            items.setdefault(m, []).append(view)
    views = [np.vstack(items[m]) for m in sorted(items)]
    moments = [view.T @ view for view in views]
    moments = [
        C + ridge * np.trace(C) / len(C) * np.eye(len(C)) for C in moments
    ]
    diagonal = block_diag(*moments)
    edges = np.cumsum([0] + [len(C) for C in moments])
    laplacian = diagonal.copy()
    for (a, b), data in pairs.items():
        X, Y = centred(data)
        cross = X.T @ Y
        laplacian[edges[a] : edges[a + 1], edges[b] : edges[b + 1]] -= cross
        laplacian[edges[b] : edges[b + 1], edges[a] : edges[a + 1]] -= cross.T
    values, vectors = eigh(laplacian, diagonal)
    vectors = vectors[:, :k] * np.sqrt(sum(map(len, views)))
    encoders = np.split(vectors.T, edges[1:-1], axis=1)
    return values, encoders


@pytest.mark.parametrize("ridge", [0.0, 0.5])
def test_encoders_solve_the_laplacian_eigenproblem(ridge):
    pairs = chain()
    alignment = PerfectAlignment(3, ridge=ridge).fit_incomplete(pairs)
    values, encoders = reference(pairs, 3, ridge)
    assert_allclose(
        alignment.singular_values_**2, values[::-1], rtol=0, atol=1e-10
    )
    for A, B in zip(alignment.encoders_, encoders, strict=True):
        signs = np.sign(np.sum(A * B, axis=1))[:, None]
        assert_allclose(A, signs * B, atol=1e-9)
    rho = alignment.canonical_correlations_
    assert_allclose(rho, 1 - values[: len(rho)], atol=1e-10)


def latents_of(alignment, pairs):
    return [
        [
            alignment.transform_view(view, m)
            for m, view in zip(pair, data, strict=True)
        ]
        for pair, data in pairs.items()
    ]


def test_constraint_and_objective_in_the_words_of_the_docstring():
    pairs = chain()
    alignment = PerfectAlignment(3).fit_incomplete(pairs)
    latents = latents_of(alignment, pairs)
    moments = [z.T @ z for pair in latents for z in centred(pair)]
    assert_allclose(sum(moments) / 580, np.eye(3), atol=1e-12)
    cost = sum(np.sum((a - b) ** 2) for a, b in latents)
    sigma = alignment.singular_values_[-3:]
    assert_allclose(cost, 580 * np.sum(sigma**2), rtol=1e-12)


def test_offsets_bring_the_means_of_all_pairings_together():
    pairs = chain()
    alignment = PerfectAlignment(3).fit_incomplete(pairs)
    latents = latents_of(alignment, pairs)
    for a, b in latents:
        assert_allclose(a.mean(axis=0), b.mean(axis=0), atol=1e-12)
        assert np.abs(a.mean(axis=0)).max() > 1e-3
    everything = np.vstack([z for pair in latents for z in pair])
    assert_allclose(everything.mean(axis=0), 0, atol=1e-12)


def test_offsets_of_a_cycle_are_least_squares():
    pairs = chain()
    first, _, last = views_of(60, seed=5)
    pairs[0, 2] = first, last
    alignment = PerfectAlignment(3).fit_incomplete(pairs)

    def gaps(offsets):
        moved = clone(alignment).fit_incomplete(pairs)
        moved.offsets_ = offsets
        return np.vstack([a - b for a, b in latents_of(moved, pairs)])

    # At the minimum the disagreements are orthogonal to what moving the
    # offset of one view would change.
    rest = gaps(alignment.offsets_)
    for m in range(3):
        change = list(alignment.offsets_)
        change[m] = change[m] + 1.0
        moves = gaps(change) - rest
        assert_allclose(np.sum(moves * rest, axis=0), 0, atol=1e-9)


def test_each_latent_is_the_prediction_of_its_partners():
    pairs = chain()
    alignment = PerfectAlignment(3).fit_incomplete(pairs)
    rho = alignment.canonical_correlations_[:3]
    seen, own, partners = [[], [], []], [[], [], []], [[], [], []]
    latents = latents_of(alignment, pairs)
    for pair, data, zs in zip(pairs, pairs.values(), latents, strict=True):
        zs = centred(zs)
        for m, view, z, other in zip(
            pair, centred(data), zs, zs[::-1], strict=True
        ):
            seen[m].append(view)
            own[m].append(z)
            partners[m].append(other)
    for m in range(3):
        view, z, target = map(np.vstack, (seen[m], own[m], partners[m]))
        fitted = view @ np.linalg.lstsq(view, target, rcond=None)[0]
        assert_allclose(z, fitted / rho, atol=1e-10)


def test_sets_with_means_of_their_own_do_not_count_as_a_signal():
    # Which set an item is of would be a latent without cost: the hub sees
    # it, and offsets of the others make up for it.
    pairs = chain()
    shifted = {
        (0, 1): pairs[0, 1],
        (1, 2): [view + 100.0 for view in pairs[1, 2]],
    }
    one = PerfectAlignment(3).fit_incomplete(pairs)
    other = PerfectAlignment(3).fit_incomplete(shifted)
    for A, B in zip(one.encoders_, other.encoders_, strict=True):
        assert_allclose(A, B, atol=1e-10)


def test_small_disagreements_stay_visible():
    # A Gram matrix would lose the misfit of 1e-10 beside 1.
    data = make_gaussian_views(400, (3, 3, 3), noise=1e-10, random_state=0)
    X, Y, W = data.views
    pairs = {(0, 1): (X[:200], Y[:200]), (1, 2): (Y[200:], W[200:])}
    sigma = PerfectAlignment(2).fit_incomplete(pairs).singular_values_[-2:]
    assert (1e-13 < sigma).all() and (sigma < 1e-9).all()


def test_constant_columns_do_not_count_as_signals():
    pairs = chain()
    constant = {
        pair: [np.hstack([v, np.full((len(v), 1), 0.1)]) for v in data]
        for pair, data in pairs.items()
    }
    alignment = PerfectAlignment(3).fit_incomplete(constant)
    assert_array_equal(alignment.ranks_, [5, 4, 6])
    alone = {pair: [v[:, -1:] for v in vs] for pair, vs in constant.items()}
    with pytest.raises(ValueError, match="view 0 does not vary"):
        PerfectAlignment(1).fit_incomplete(alone)


# Perfect alignment through a hub


def test_views_never_paired_agree_through_the_hub():
    data = make_gaussian_views(300, (3, 4, 3), random_state=0)
    X, Y, W = data.views
    pairs = {(0, 1): (X[:100], Y[:100]), (1, 2): (Y[100:200], W[100:200])}
    alignment = PerfectAlignment(None).fit_incomplete(pairs)
    assert alignment.shared_dimension_ == 2
    assert alignment.vacuous_dimension_ == 0
    assert_allclose(alignment.canonical_correlations_[:2], 1, atol=1e-12)
    new = [view[200:] for view in data.views]
    assert relative_alignment_error(alignment.transform(new)) < 1e-12
    assert_allclose(alignment.translate(new[0], 0, 2), new[2], atol=1e-10)
    transfer = GaussianTransfer(alignment)
    transfer.fit(X[:100], data.labels[:100], view=0)
    predictions = [transfer.predict(new[m], view=m) for m in (0, 1, 2)]
    assert_array_equal(predictions[0], predictions[2])
    assert_array_equal(predictions[0], predictions[1])
    assert transfer.score(new[2], data.labels[200:], view=2) > 0.9


def test_reports_read_the_summary_of_pairs():
    data = make_gaussian_views(200, (3, 4, 3), random_state=0)
    X, Y, W = data.views
    summary = IncompleteSummary.from_views(
        {(0, 1): (X[:100], Y[:100]), (1, 2): (Y[100:], W[100:])}
    )
    report = existence_report(summary)
    assert (report.shared_dimension, report.ranks) == (2, (2, 2, 2))
    assert report.nullity == 10 - report.stack_rank == 6
    a, b, c = np.split(left_null_space(summary).informative, [3, 7], axis=1)
    assert np.abs(np.vstack([a.T, b.T, c.T])).max() > 0.1
    P = data.projections
    assert_allclose(a @ P[0], b @ P[1], atol=1e-10)
    assert_allclose(b @ P[1], c @ P[2], atol=1e-10)


# Few items


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("edges", [((0, 1), (1, 2)), ((0, 1), (1, 2), (0, 2))])
def test_vacuous_dimension_is_what_random_pairs_have(edges, center):
    rng = np.random.default_rng(0)
    pairs = {edge: [rng.normal(size=(6, 7)) for _ in edge] for edge in edges}
    alignment = PerfectAlignment(2, center=center)
    with pytest.warns(
        OverfitWarning, match=r"6 items with the views \(0, 1\)"
    ):
        alignment.fit_incomplete(pairs)
    v = alignment.vacuous_dimension_
    assert v == alignment.shared_dimension_ > 0


def test_a_pairing_with_too_few_items_is_named():
    pairs = chain((200, 8))
    with pytest.warns(OverfitWarning) as record:
        alignment = PerfectAlignment(2).fit_incomplete(pairs)
    assert alignment.vacuous_dimension_ == 0
    message = str(record[0].message)
    assert "The 8 items with the views (1, 2)" in message
    assert "they have 3 perfectly" in message
    assert "(0, 1)" not in message
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PerfectAlignment(2).fit_incomplete(chain((200, 90)))


def test_few_items_beside_enough_of_others_are_no_matter():
    views = views_of(903)
    pairs = {
        (0, 1): tuple(v[:500] for v in views[:2]),
        (1, 2): tuple(v[500:900] for v in views[1:]),
    }
    triples = {(0, 1, 2): tuple(v[900:] for v in views)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = PerfectAlignment(2).fit_incomplete({**pairs, **triples})
    assert fit.vacuous_dimension_ == 0
    # The same three are all that joins the views here.
    few = {(1, 2): tuple(v[900:] for v in views[1:])}
    for rest in ({(0, 1): pairs[0, 1]}, {(0, 1): pairs[0, 1], **triples}):
        with pytest.warns(OverfitWarning, match=r"3 items with the views"):
            fit = PerfectAlignment(2).fit_incomplete({**rest, **few})
        assert fit.vacuous_dimension_ == 0


def test_collapse_is_warned_of():
    rng = np.random.default_rng(0)
    pairs = {
        pair: [
            np.hstack([v, 1e-4 * rng.normal(size=(len(v), 2))]) for v in data
        ]
        for pair, data in chain().items()
    }
    with pytest.warns(CollapseWarning, match="because they are small"):
        PerfectAlignment(2, constraint="orthonormal").fit_incomplete(pairs)


# Summaries


def test_a_summary_may_stand_for_a_pair():
    pairs = chain()
    summaries = {
        pair: StackedSummary.from_views(data) for pair, data in pairs.items()
    }
    expected = PerfectAlignment(3).fit_incomplete(pairs)
    assert_same(PerfectAlignment(3).fit_incomplete(summaries), expected, tol=0)
    summary = IncompleteSummary.from_views(pairs)
    assert_same(PerfectAlignment(3).fit_summary(summary), expected, tol=0)
    assert expected.n_samples_seen_ == 290
    assert expected.summary_.sets[1, 2].n_samples == 90


@pytest.mark.parametrize("center", [True, False])
def test_blocks_of_pairs_add_up(center):
    pairs = chain()
    expected = PerfectAlignment(3, center=center).fit_incomplete(pairs)
    head = {
        (0, 1): [v[:50] for v in pairs[0, 1]],
        (1, 2): [v[:60] for v in pairs[1, 2]],
    }
    alignment = PerfectAlignment(3, center=center).fit_incomplete(head)
    alignment.partial_fit({(0, 1): [v[50:] for v in pairs[0, 1]]})
    alignment.partial_fit({(1, 2): [v[60:] for v in pairs[1, 2]]})
    assert_same(alignment, expected)
    first = IncompleteSummary.from_views(head)
    rest = IncompleteSummary.from_views(
        {
            (0, 1): [v[50:] for v in pairs[0, 1]],
            (1, 2): [v[60:] for v in pairs[1, 2]],
        }
    )
    merged = PerfectAlignment(3, center=center)
    assert_same(merged.fit_summary(first.merge(rest)), expected)
    # A pairing that was not there before joins in.
    X, _, W = views_of(80, seed=7)
    more = first.update({(0, 2): (X, W)})
    assert set(more.sets) == {(0, 1), (1, 2), (0, 2)}
    assert first.n_samples == 110 and more.n_samples == 190


def test_precision_of_the_input_is_kept():
    pairs = {
        pair: [v.astype(np.float32) for v in data]
        for pair, data in chain().items()
    }
    summary = IncompleteSummary.from_views(pairs)
    assert np.all(summary.eps == np.finfo(np.float32).eps)
    mixed = pairs | {(1, 2): chain()[1, 2]}
    coarse, fine = np.finfo(np.float32).eps, np.finfo(float).eps
    parts = summary.split(IncompleteSummary.from_views(mixed).eps)
    assert [set(part) for part in parts] == [{coarse}, {coarse}, {fine}]


# Refusals


X, Y, W = views_of(20)


@pytest.mark.parametrize(
    ("observed", "message"),
    [
        ([X, Y], "Wanted a dict from views"),
        ({}, "Wanted a dict from views"),
        ({(0, 0): (X, X)}, r"set \(0, 0\): wanted a tuple of different"),
        ({(0, -1): (X, Y)}, r"set \(0, -1\): wanted a tuple"),
        ({(0, "b"): (X, Y)}, r"set \(0, 'b'\): wanted a tuple"),
        ({(False, True): (X, Y)}, r"set \(False, True\): wanted a tuple"),
        ({(): ()}, r"set \(\): wanted a tuple"),
        ({"01": (X, Y)}, r"set '01': wanted a tuple"),
        ({0: (X,)}, r"set 0: wanted a tuple"),
        ({(0, 0.5): (X, Y)}, r"set \(0, 0.5\): wanted a tuple"),
        ({(0, 1): (X, Y, W)}, r"set \(0, 1\): wanted 2 matrices.* seen 3"),
        ({(0, 1): X}, r"set \(0, 1\): wanted 2 matrices.* seen ndarray"),
        ({(0,): X}, r"set \(0,\): wanted 1 matrices.* seen ndarray"),
        (
            {(0, 1): StackedSummary.from_views([X, Y, W])},
            r"set \(0, 1\): wanted 2 matrices.* seen 3",
        ),
        (
            {("a", "b"): StackedSummary.from_views({"b": Y, "a": X})},
            r"set \('a', 'b'\): seen a summary of \('b', 'a'\)",
        ),
        ({(0, 1): (X, Y[:-1])}, r"set \(0, 1\): .* 20 rows, .* 19 rows"),
        (
            {(0, 1): (X, Y), (1, 2): (X, W)},
            r"set \(1, 2\): view 1 has 5 features; wanted 4, as in set "
            r"\(0, 1\)",
        ),
        (
            {(0, 1): (X, Y), ("a", "b"): (X, Y)},
            "Seen the views 0, 1, 'a', 'b'; wanted numbers or names for all",
        ),
        ({(0, 1): (X, Y), (1, 0): (Y, X)}, r"the set \(0, 1\) is there too"),
        ({(0, 2): (X, Y)}, "view 1 is in no set, but there is a view 2"),
        (
            {(0, 1): (X, Y), (2, 3): (W, Y)},
            r"set \(2, 3\): no chain of sets joins its views to view 0",
        ),
        (
            {("a", "b"): (X, Y), ("c",): (W,)},
            r"set \('c',\): no chain of sets joins its views to view 'a'",
        ),
        ({(0,): (X,)}, "at least two views; seen 1"),
        (
            {(0, 1): (X, np.where(Y == Y, np.nan, 0))},
            r"set \(0, 1\), view 1: .*NaN",
        ),
        (
            {("a", "b"): (X, np.where(Y == Y, np.nan, 0))},
            r"set \('a', 'b'\), view 'b': .*NaN",
        ),
    ],
)
def test_refusals_name_the_set(observed, message):
    alignment = PerfectAlignment(2)
    with pytest.raises(ValueError, match=message):
        alignment.fit_incomplete(observed)
    assert not hasattr(alignment, "summary_")


def test_later_blocks_must_match():
    alignment = PerfectAlignment(2).fit_incomplete({(0, 1): (X, Y)})
    with pytest.raises(ValueError, match=r"set \(0, 1\): view 1 has 6"):
        alignment.partial_fit({(0, 1): (X, W)})
    with pytest.raises(ValueError, match="Wanted a dict from views"):
        alignment.partial_fit([X, Y])
    assert alignment.n_samples_seen_ == 20


def test_too_many_components():
    with pytest.raises(ValueError, match="view 1 carries only 4"):
        PerfectAlignment(5).fit_incomplete(chain())


# Real data: pictures to French without a picture with a French name


def test_labels_of_pictures_reach_french_through_english():
    emoji = load_emoji()
    y = emoji.target
    pixels = emoji.twemoji.reshape(-1, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    views = [pixels.reshape(len(y), -1) / 255, emoji.minilm, emoji.text["fr"]]

    def split(items, share, seed):
        rule = GroupShuffleSplit(1, test_size=share, random_state=seed)
        kept, held = next(rule.split(items, groups=emoji.group[items]))
        return items[kept], items[held]

    def reduce(train):
        pca = PCA(100, svd_solver="covariance_eigh")
        words = make_pipeline(
            TfidfVectorizer(sublinear_tf=True),
            TruncatedSVD(100, random_state=0),
        )
        return [
            model.fit(view[train]).transform(view)
            for model, view in zip((pca, pca, words), views, strict=True)
        ]

    def transfer(latent, first, second, ridge, order=np.array):
        pairs = {
            (0, 1): (latent[0][first], latent[1][order(first)]),
            (1, 2): (latent[1][second], latent[2][order(second)]),
        }
        alignment = PerfectAlignment(40, ridge=ridge).fit_incomplete(pairs)
        return GaussianTransfer(alignment).fit(
            latent[0][first], y[first], view=0
        )

    # Tested are the items that chapter 6 has never tested.
    everything = np.arange(len(y))
    train = np.unique(
        np.concatenate([split(everything, 0.3, seed)[1] for seed in range(5)])
    )
    held = np.setdiff1d(everything, train)
    latent = reduce(train)
    french, shuffled, direct = [], [], []
    for seed in range(3):
        first, second = split(train, 0.5, seed)
        fitting, tuning = split(first, 0.25, seed)
        scores = {
            ridge: transfer(latent, fitting, second, ridge).score(
                latent[1][tuning], y[tuning], view=1
            )
            for ridge in (0.1, 0.3, 1, 3, 10)
        }
        ridge = max(scores, key=scores.get)
        order = np.random.default_rng(seed).permutation
        for values, how in ((french, np.array), (shuffled, order)):
            model = transfer(latent, first, second, ridge, how)
            values.append(model.score(latent[2][held], y[held], view=2))
        both = [latent[0][first], latent[2][first]]
        pairs = PerfectAlignment(40, ridge=ridge).fit(both)
        model = GaussianTransfer(pairs).fit(both[0], y[first], view=0)
        direct.append(model.score(latent[2][held], y[held], view=1))
    assert np.mean(french) >= 0.67
    assert np.mean(shuffled) <= 0.25
    assert abs(np.mean(french) - np.mean(direct)) <= 0.04


def test_the_first_block_may_be_incomplete():
    x, y = (np.random.default_rng(m).normal(size=(60, 3)) for m in range(2))
    observed = {(0, 1): (x, y)}
    halves = [
        {(0, 1): (x[half], y[half])} for half in (slice(30), slice(30, 60))
    ]
    wanted = PerfectAlignment(1).fit_incomplete(observed)
    found = PerfectAlignment(1).partial_fit(halves[0]).partial_fit(halves[1])
    assert_allclose(
        found.canonical_correlations_,
        wanted.canonical_correlations_,
        atol=1e-12,
    )
