"""Items with any of the views: triples, pairs and single views mixed."""

import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.linalg import eigh

from perfalign import (
    IncompleteSummary,
    OverfitWarning,
    PerfectAlignment,
    StackedSummary,
    gauge,
    relative_alignment_error,
)
from perfalign.datasets import make_gaussian_views

GRAPHS = {
    "mixed": [(0, 1, 2), (0, 1), (2,)],
    "order": [(2, 0, 1), (1, 0), (2,)],
    "chain that a triple closes": [(0, 1), (3, 4), (1, 2, 3)],
    "star": [(0, 1), (0, 2, 3), (1,), (3,), (0,)],
    "cycle": [(0, 1), (1, 2), (0, 2), (0, 1, 2), (1,)],
    "all": [(0, 1, 2, 3), (0, 2, 3), (1, 3)],
}


def observed_of(views, graph, n=60):
    """Each set of the graph, with n items of its own."""
    return {
        key: tuple(views[m][i * n : (i + 1) * n] for m in key)
        for i, key in enumerate(graph)
    }


def noisy(graph, n=60, noise=1.0):
    n_views = 1 + max(map(max, graph))
    data = make_gaussian_views(
        n * len(graph), (4, 3, 5, 4, 3)[:n_views], noise=noise, random_state=0
    )
    return observed_of(data.views, graph, n)


# Perfect alignment


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("constraint", ["whitened", "orthonormal"])
@pytest.mark.parametrize("graph", GRAPHS)
def test_without_noise_all_views_are_aligned(graph, constraint, center):
    graph = GRAPHS[graph]
    n_views = 1 + max(map(max, graph))
    data = make_gaussian_views(
        60 * len(graph) + 100, (4, 3, 5, 4, 3)[:n_views], random_state=0
    )
    # Dimensions that are silent in a view would be aligned at no cost.
    k = 2
    views = [
        view @ np.linalg.qr(view.T @ view)[0][:, :2] for view in data.views
    ]
    if center:
        views = [view + 9.0 * m for m, view in enumerate(views)]
    alignment = PerfectAlignment(k, constraint=constraint, center=center)
    alignment.fit_incomplete(observed_of(views, graph))
    assert alignment.shared_dimension_ == k
    latents = alignment.transform([view[-100:] for view in views])
    assert relative_alignment_error(latents) < 1e-11
    assert np.linalg.matrix_rank(latents[0]) == k


# The objective, item by item


def items_of(observed):
    """The views of each item, about the means of its set."""
    for key, data in observed.items():
        data = [view - view.mean(axis=0) for view in data]
        for rows in zip(*data, strict=True):
            yield key, rows


def reference(observed, k, ridge=0.0):
    """Generalised eigenproblem of the Laplacian, summed item by item."""
    widths = {
        m: view.shape[1]
        for key, data in observed.items()
        for m, view in zip(key, data, strict=True)
    }
    ends = np.cumsum([widths[m] for m in sorted(widths)])
    at = [slice(e - widths[m], e) for m, e in enumerate(ends)]
    metric, laplacian = np.zeros((2, ends[-1], ends[-1]))
    total = 0
    for key, rows in items_of(observed):
        if len(key) == 1:
            continue
        total += len(key)
        for m, x in zip(key, rows, strict=True):
            metric[at[m], at[m]] += np.outer(x, x)
        for (a, x), (b, y) in combinations(zip(key, rows, strict=True), 2):
            gap = np.zeros(ends[-1]), np.zeros(ends[-1])
            gap[0][at[a]], gap[1][at[b]] = x, y
            u, v, w = *gap, 1 / (len(key) - 1)
            laplacian += w * (np.outer(u, u) + np.outer(v, v))
            laplacian -= w * (np.outer(u, v) + np.outer(v, u))
    for part in at:
        C = metric[part, part]
        noise = ridge * np.trace(C) / len(C) * np.eye(len(C))
        metric[part, part] += noise
        laplacian[part, part] += noise
    values, vectors = eigh(laplacian, metric)
    vectors = vectors[:, :k] * np.sqrt(total)
    return values, [vectors[part].T for part in at]


@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.parametrize("graph", GRAPHS)
def test_encoders_solve_the_laplacian_eigenproblem(graph, ridge):
    observed = noisy(GRAPHS[graph])
    alignment = PerfectAlignment(3, ridge=ridge).fit_incomplete(observed)
    values, encoders = reference(observed, 3, ridge)
    assert_allclose(
        alignment.singular_values_**2, values[::-1], rtol=0, atol=1e-11
    )
    for A, B in zip(alignment.encoders_, encoders, strict=True):
        signs = np.sign(np.sum(A * B, axis=1))[:, None]
        assert_allclose(A, signs * B, rtol=0, atol=1e-9)
    rho = alignment.canonical_correlations_
    assert_allclose(rho, 1 - values[: len(rho)], rtol=0, atol=1e-11)


@pytest.mark.parametrize("graph", GRAPHS)
def test_cost_and_constraint_in_the_words_of_the_docstring(graph):
    observed = noisy(GRAPHS[graph])
    alignment = PerfectAlignment(3).fit_incomplete(observed)
    cost, moment, n_latents = 0.0, np.zeros((3, 3)), 0
    for key, rows in items_of(observed):
        if len(key) == 1:
            continue
        z = [
            alignment.encoders_[m] @ x for m, x in zip(key, rows, strict=True)
        ]
        pairs = combinations(z, 2)
        cost += sum(np.sum((a - b) ** 2) for a, b in pairs) / (len(key) - 1)
        moment += sum(np.outer(a, a) for a in z)
        n_latents += len(key)
    assert_allclose(moment / n_latents, np.eye(3), rtol=0, atol=1e-12)
    sigma = alignment.singular_values_[-3:]
    assert_allclose(cost, n_latents * np.sum(sigma**2), rtol=1e-12)


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_latent_of_one_view_alone_costs_the_same_in_every_set(graph):
    observed = noisy(GRAPHS[graph])
    blocks = IncompleteSummary.from_views(observed).blocks()
    for m, block in enumerate(blocks):
        moment = sum(
            np.outer(rows[key.index(m)], rows[key.index(m)])
            for key, rows in items_of(observed)
            if m in key and len(key) > 1
        )
        atol = 1e-13 * moment.max()
        assert_allclose(block.T @ block, moment, rtol=0, atol=atol)


# Reductions


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"center": False},
        {"ridge": 0.3},
        {"constraint": "orthonormal"},
    ],
)
@pytest.mark.parametrize("n_views", [2, 3, 4])
def test_all_views_of_all_items_in_pieces_are_fit(n_views, params):
    (views,) = noisy([tuple(range(n_views))], n=150).values()
    key = tuple(range(n_views))
    whole = PerfectAlignment(3, **params).fit(list(views))
    pieced = PerfectAlignment(3, **params)
    pieced.fit_incomplete({key: [view[:60] for view in views]})
    pieced.partial_fit({key: [view[60:110] for view in views]})
    pieced.partial_fit({key: [view[110:] for view in views]})
    assert pieced.n_samples_seen_ == 150
    for A, B in zip(pieced.encoders_, whole.encoders_, strict=True):
        assert_allclose(A, B, rtol=0, atol=1e-11 * np.abs(B).max())
    for a, b in zip(pieced.offsets_, whole.offsets_, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-11 * (1 + np.abs(b).max()))
    for name in (
        "canonical_correlations_",
        "explained_variance_",
        "shared_dimension_",
    ):
        assert_allclose(
            getattr(pieced, name), getattr(whole, name), rtol=0, atol=1e-11
        )
    # σ² is 1 − ρ here, however many views there are.
    factor = 1.0 if "constraint" in params else (n_views - 1) ** 0.5
    if "constraint" not in params:
        assert_allclose(
            factor * pieced.singular_values_,
            whole.singular_values_,
            rtol=0,
            atol=1e-11,
        )


# Items with one view alone


def test_single_views_have_no_say_in_the_encoders():
    observed = noisy([(0, 1, 2), (0, 1)])
    rng = np.random.default_rng(0)
    alone = {
        (0,): (rng.normal(size=(500, 4)) * 100 + 7,),
        (2,): (rng.normal(size=(30, 5)).astype(np.float32),),
    }
    one = PerfectAlignment(2).fit_incomplete(observed)
    other = PerfectAlignment(2).fit_incomplete(observed | alone)
    for name in (
        "singular_values_",
        "canonical_correlations_",
        "ranks_",
        "shared_dimension_",
        "vacuous_dimension_",
        "n_samples_seen_",
    ):
        assert_array_equal(getattr(one, name), getattr(other, name))
    for A, B in zip(one.encoders_, other.encoders_, strict=True):
        assert_array_equal(A, B)
    # Offsets move together: latents keep their distances.
    moves = np.subtract(one.offsets_, other.offsets_)
    assert_allclose(moves, moves[:1].repeat(3, axis=0), rtol=0, atol=1e-11)
    everything = [
        other.transform_view(view, m)
        for key, data in (observed | alone).items()
        for m, view in zip(key, data, strict=True)
    ]
    assert_allclose(np.vstack(everything).mean(axis=0), 0, atol=1e-4)
    assert_array_equal(
        one.explained_variance_[1], other.explained_variance_[1]
    )


def test_single_views_count_in_what_is_known_of_their_view():
    observed = noisy([(0, 1), (0, 1, 2), (0,)], n=90)
    alignment = PerfectAlignment(2).fit_incomplete(observed)
    everything = np.vstack(
        [
            data[key.index(0)] - data[key.index(0)].mean(axis=0)
            for key, data in observed.items()
        ]
    )
    raw = np.vstack([data[key.index(0)] for key, data in observed.items()])
    z = everything @ alignment.encoders_[0].T
    loadings = np.linalg.lstsq(z, everything, rcond=None)[0]
    assert_allclose(alignment.loadings(0), loadings, rtol=0, atol=1e-12)
    rest = everything - z @ loadings
    shares = 1 - np.sum(rest**2, axis=0) / np.sum(everything**2, axis=0)
    assert_allclose(
        alignment.explained_variance_[0], shares.mean(), rtol=1e-12
    )
    summary = alignment.summary_
    assert_allclose(
        summary.split(summary.mean)[0], raw.mean(axis=0), rtol=1e-13
    )
    uncentred = np.vstack(summary.view_blocks(center=False)[0])
    share = 180 / 270
    assert_allclose(
        uncentred.T @ uncentred, share * raw.T @ raw, rtol=1e-11, atol=1e-9
    )


def test_warnings_are_of_sets_that_are_too_small():
    observed = noisy([(0, 1, 2), (0, 1)], n=90)
    # One item alone has no order that could be shuffled.
    observed[(2,)] = (observed[0, 1, 2][2][:1],)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PerfectAlignment(2).fit_incomplete(observed)
    observed[0, 1, 2] = tuple(view[:5] for view in observed[0, 1, 2])
    with pytest.warns(OverfitWarning) as record:
        PerfectAlignment(2).fit_incomplete(observed)
    (message,) = [str(one.message) for one in record]
    assert "The 5 items with the views (0, 1, 2)" in message
    # Ranks of 4, 3 and 5, less two disagreements for each of 5 − 1 items.
    assert "have 3 perfectly" in message


# Names, weights, files, kinds of data


def test_views_may_have_names():
    numbered = noisy([(0, 1, 2), (2, 1), (0,)])
    called = "image", "text", "sound"
    named = {
        tuple(called[m] for m in key): data for key, data in numbered.items()
    }
    one = PerfectAlignment(2).fit_incomplete(numbered)
    other = PerfectAlignment(2).fit_incomplete(named)
    assert other.view_names_in_ == called
    for A, B in zip(one.encoders_, other.encoders_, strict=True):
        assert_array_equal(A, B)
    (X, Y, W) = numbered[0, 1, 2]
    found = other.transform({"sound": W, "image": X, "text": Y})
    assert set(found) == set(called)
    assert_array_equal(found["sound"], one.transform_view(W, 2))
    # Another order of first appearance is another order of the views.
    turned = IncompleteSummary.from_views(
        {("text", "image"): (Y, X), ("sound", "image"): (W, X)}
    )
    assert turned.view_names == ("text", "image", "sound")
    merged = turned.merge(other.summary_)
    assert merged.view_names == ("text", "image", "sound")
    assert merged.n_samples == 240
    summary = StackedSummary.from_views({"text": Y, "image": X})
    same = IncompleteSummary.from_views(
        {("text", "image"): summary, ("sound", "image"): (W, X)}
    )
    assert_array_equal(same.R, turned.R)


def test_weights_are_repeated_items():
    observed = noisy([(0, 1, 2), (0, 1), (1,)])
    rng = np.random.default_rng(0)
    weights = {key: rng.integers(0, 4, size=60) for key in observed}
    del weights[0, 1]
    repeated = {
        key: tuple(
            np.repeat(view, weights.get(key, np.ones(60, int)), axis=0)
            for view in data
        )
        for key, data in observed.items()
    }
    found = PerfectAlignment(2).fit_incomplete(observed, weights)
    wanted = PerfectAlignment(2).fit_incomplete(repeated)
    assert found.n_samples_seen_ == wanted.n_samples_seen_
    for name in (
        "singular_values_",
        "explained_variance_",
        "shared_dimension_",
    ):
        assert_allclose(
            getattr(found, name), getattr(wanted, name), rtol=0, atol=1e-12
        )
    for A, B in zip(
        found.encoders_ + found.offsets_,
        wanted.encoders_ + wanted.offsets_,
        strict=True,
    ):
        assert_allclose(A, B, rtol=0, atol=1e-12 * (1 + np.abs(B).max()))
    with pytest.raises(ValueError, match="keys of the observed sets"):
        IncompleteSummary.from_views(observed, {(0, 2): np.ones(60)})
    with pytest.raises(ValueError, match=r"set \(0, 1\): sample_weight has"):
        IncompleteSummary.from_views(observed, {(0, 1): np.ones(6)})


@pytest.mark.parametrize("called", [False, True])
def test_files_keep_all_to_the_last_bit(tmp_path, called):
    path = tmp_path / "summary.npz"
    observed = noisy([(0, 2, 1), (1, 0), (2,)])
    if called:
        names = "a-b", "0", "c d"
        observed = {
            tuple(names[m] for m in key): data
            for key, data in observed.items()
        }
    summary = IncompleteSummary.from_views(observed)
    summary.save(path)
    loaded = IncompleteSummary.load(path)
    assert loaded.signature == summary.signature
    assert list(loaded.sets) == list(summary.sets)
    for name in ("R", "mean", "eps"):
        assert_array_equal(getattr(loaded, name), getattr(summary, name))
    for one, other in zip(
        loaded.view_blocks(), summary.view_blocks(), strict=True
    ):
        assert_array_equal(one, other)
    if called:
        with np.load(path) as file:
            arrays = dict(file)
        for damage in (["a"], ["a", "a", "b"], [1, 2, 3]):
            np.savez(path, **arrays | {"view_names": np.array(damage)})
            with pytest.raises(ValueError, match="summary.npz"):
                IncompleteSummary.load(path)


def test_data_of_any_kind():
    observed = noisy([(0, 1, 2), (0, 1), (2,)])
    wanted = IncompleteSummary.from_views(observed)
    X, Y, W = observed[0, 1, 2]
    columns = list("abcd")
    mixed = observed | {
        (0, 1, 2): (pd.DataFrame(X, columns=columns), Y, sparse.csr_array(W)),
        (2,): (sparse.coo_array(observed[(2,)][0]),),
    }
    found = IncompleteSummary.from_views(mixed)
    assert_array_equal(found.R, wanted.R)
    assert found.feature_names == (tuple(columns), None, None)
    later = wanted.update({(0,): (pd.DataFrame(X, columns=columns),)})
    assert later.feature_names == (tuple(columns), None, None)
    with pytest.raises(ValueError, match=r"set \(0, 1\): the columns of vi"):
        found.update({(0, 1): (pd.DataFrame(X, columns=columns[::-1]), Y)})
    # What comes later may be empty.
    same = found.update({(0, 1): (X[:0], Y[:0])})
    assert_array_equal(same.R, found.R)


def test_a_gauge_of_mixed_sets_is_that_of_the_fit():
    alignment = PerfectAlignment(3).fit_incomplete(noisy(GRAPHS["cycle"]))
    matrix = np.random.default_rng(0).normal(size=(3, 3))
    turned = alignment.with_gauge(matrix, np.ones(3))
    again = gauge.principal(turned)
    for A, B in zip(again.encoders_, alignment.encoders_, strict=True):
        assert_allclose(A, B, rtol=0, atol=1e-10)
    for a, b in zip(again.offsets_, alignment.offsets_, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-10)
