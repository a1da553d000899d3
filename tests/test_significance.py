"""Shuffled-pair and held-out baselines."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import block_diag
from scipy.stats import kstest
from sklearn.preprocessing import FunctionTransformer

from perfalign import PerfectAlignment, alignment_curve, permutation_test
from perfalign.alignment import MappedAlignment
from perfalign.model_selection import WithoutNuisance
from perfalign.model_selection._theil import Complement

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "benchmarks" / "permutation_null.py"


def load_study():
    spec = importlib.util.spec_from_file_location("permutation_null", STUDY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


study = load_study()


def views_of(n_features=(5, 4), n=60, seed=0, correlation=0.6):
    rng = np.random.default_rng(seed)
    views = study.related(rng, n, n_features, 2, correlation)
    return [view + 3.0 for view in views]


# ---------------------------------------------------------- permutation test


@pytest.mark.parametrize("params", [{}, {"center": False}, {"ridge": 0.5}])
def test_statistics_are_the_canonical_correlations_of_the_fit(params):
    views = views_of()
    alignment = PerfectAlignment(4, **params)
    test = permutation_test(alignment, views, 1, random_state=0)
    expected = alignment.fit(views).canonical_correlations_
    assert_allclose(test.statistics, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_features", [(5, 4), (5, 4, 3)])
@pytest.mark.parametrize("params", [{}, {"center": False}, {"ridge": 0.5}])
def test_null_of_the_first_component_is_that_of_refitted_shuffles(
    n_features, params
):
    views = views_of(n_features)
    alignment = PerfectAlignment(1, **params)
    test = permutation_test(alignment, views, 5, random_state=7)
    rng = np.random.RandomState(7)
    expected = []
    for _ in range(5):
        shuffled = [views[0]] + [v[rng.permutation(60)] for v in views[1:]]
        fit = alignment.fit(shuffled)
        expected.append(fit.canonical_correlations_[:1])
    assert_allclose(test.null, expected, rtol=0, atol=1e-12)
    first = alignment.fit(views).canonical_correlations_[0]
    assert_allclose(test.statistics, [first], rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_features", [(4, 4), (6, 4), (3, 5)])
def test_later_components_are_tested_on_what_the_earlier_leave_over(
    n_features,
):
    views = views_of(n_features)
    test = permutation_test(PerfectAlignment(3), views, 4, random_state=7)
    latents = PerfectAlignment(2).fit_transform(views)
    rest = []
    for view, z in zip(views, latents):
        view = view - view.mean(axis=0)
        rest.append(view - z @ np.linalg.lstsq(z, view, rcond=None)[0])
    # What is left of a feature may be close to rounding.
    fit = PerfectAlignment(1, rtol=1e-10)
    rng = np.random.RandomState(7)
    for row in test.null:
        shuffled = [rest[0], rest[1][rng.permutation(60)]]
        expected = fit.fit(shuffled).canonical_correlations_[0]
        assert_allclose(row[2], expected, rtol=0, atol=1e-12)


def test_three_views_lose_the_component_that_was_found():
    views = views_of((5, 4, 3))
    test = permutation_test(PerfectAlignment(2), views, 1, random_state=0)
    latents = PerfectAlignment(1).fit_transform(views)
    rest = []
    for view, z in zip(views, latents):
        view = view - view.mean(axis=0)
        rest.append(view - z @ np.linalg.lstsq(z, view, rcond=None)[0])
    left = PerfectAlignment(1).fit(rest).canonical_correlations_[0]
    assert_allclose(test.statistics[1], left, rtol=0, atol=1e-12)
    second = PerfectAlignment(2).fit(views).canonical_correlations_[1]
    assert left <= second + 1e-12


def one_by_one(bases, orders, k):
    """Largest correlations, each component projected out of every view."""
    bases, null = [Q for Q in bases], np.empty((len(orders), k))

    def cross_gram(parts):
        gram = np.hstack(parts).T @ np.hstack(parts)
        return gram - block_diag(*(Q.T @ Q for Q in parts))

    for step in range(k):
        for b, moved in enumerate(orders):
            rest = [Q[order] for Q, order in zip(bases[1:], moved)]
            top = np.linalg.eigvalsh(cross_gram([bases[0], *rest]))[-1]
            null[b, step] = top / len(rest)
        component = np.linalg.eigh(cross_gram(bases))[1][:, -1]
        ends = np.cumsum([Q.shape[1] for Q in bases])[:-1]
        for m, v in enumerate(np.split(component, ends)):
            bases[m] = bases[m] - np.outer(bases[m] @ v, v) / (v @ v)
    return null


def whitened(view, ridge=0.0):
    values, vectors = np.linalg.eigh(view.T @ view)
    noise = ridge * values.mean()
    return view @ vectors / np.sqrt(values + noise)


# 35 is no multiple of any batch; 600 samples with many features have another.
@pytest.mark.parametrize("n_features", [(5, 4), (3, 8), (5, 4, 3), (40, 35)])
@pytest.mark.parametrize("kind", ["plain", "ridge", "groups", "nuisance"])
def test_null_of_every_component_is_that_of_one_shuffle_at_a_time(
    n_features, kind
):
    n = 600 if n_features[0] == 40 else 60
    views, options, ridge = views_of(n_features, n), {}, 0.0
    rows = [view - view.mean(axis=0) for view in views]
    rng, in_group = np.random.RandomState(7), np.zeros(1, int)
    if kind == "ridge":
        ridge = 0.5
    if kind == "groups":
        options["groups"], in_group = np.arange(n) // 2, np.arange(2)
    if kind == "nuisance":
        options["nuisance"] = np.random.default_rng(3).normal(size=(n, 4))
        complement = Complement.of(options["nuisance"], n)
        rows = [complement.rows(view, 1e-9) for view in rows]
    n_items = len(rows[0]) // len(in_group)
    orders = [
        [
            (
                len(in_group) * rng.permutation(n_items)[:, None] + in_group
            ).ravel()
            for _ in views[1:]
        ]
        for _ in range(35)
    ]
    test = permutation_test(
        PerfectAlignment(3, ridge=ridge), views, 35, random_state=7, **options
    )
    bases = [whitened(view, ridge) for view in rows]
    expected = one_by_one(bases, orders, 3)
    assert_allclose(test.null, expected, rtol=0, atol=1e-12)
    as_given = [[np.arange(len(rows[0]))] * len(views[1:])]
    found = one_by_one(bases, as_given, 3)[0]
    assert_allclose(test.statistics, found, rtol=0, atol=1e-12)


def test_how_many_shuffles_there_are_changes_none_of_them():
    for n_features in [(5, 4), (5, 4, 3)]:
        few, many = (
            permutation_test(
                PerfectAlignment(2), views_of(n_features), n, random_state=0
            )
            for n in (3, 70)
        )
        assert_array_equal(few.null, many.null[:3])


def test_p_values_count_shuffles_and_never_fall():
    views = views_of(correlation=0.2)
    test = permutation_test(PerfectAlignment(4), views, 99, random_state=0)
    counts = (test.null >= test.statistics).sum(axis=0)
    expected = np.maximum.accumulate((1 + counts) / 100)
    assert_allclose(test.p_values, expected, rtol=1e-15)
    assert test.accepted(1.0) == 4
    assert test.accepted(0.5) == np.count_nonzero(expected <= 0.5)
    assert np.any(np.diff((1 + counts) / 100) < 0)


def test_correlations_of_one_are_no_evidence_where_any_pairing_has_them():
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(12, 8)) for _ in range(2)]
    test = permutation_test(PerfectAlignment(5), views, 50, random_state=0)
    assert_allclose(test.statistics, 1, rtol=0, atol=1e-12)
    assert_array_equal(test.p_values, 1)


@pytest.mark.parametrize("n", [8, 10, 60])
def test_units_mixing_and_origin_of_the_views_do_not_matter(n):
    # Of eight or ten samples all pairs agree in four or two components.
    views = views_of((5, 4, 3) if n == 60 else (5, 6), n)
    rng = np.random.default_rng(1)
    changed = [
        scale * (v @ rng.normal(size=(v.shape[1],) * 2) + 5)
        for v, scale in zip(views, [1e-9, 1.0, 1e5])
    ]
    tests = [
        permutation_test(PerfectAlignment(3), v, 20, random_state=0)
        for v in (views, changed)
    ]
    assert_allclose(tests[0].null, tests[1].null, rtol=0, atol=1e-9)
    assert_allclose(tests[0].p_values, tests[1].p_values)


def test_a_fitted_alignment_is_neither_used_nor_changed():
    views, others = views_of(), views_of(seed=1)
    alignment = PerfectAlignment(2).fit(others)
    before = vars(alignment).copy()
    test = permutation_test(alignment, views, 20, random_state=0)
    assert vars(alignment) == before
    fresh = permutation_test(PerfectAlignment(2), views, 20, random_state=0)
    assert_array_equal(test.null, fresh.null)


def test_no_number_of_components_means_all_that_the_views_carry():
    views = views_of()
    views[1][:, 3] = 1.0
    test = permutation_test(PerfectAlignment(None), views, 1, random_state=0)
    assert test.statistics.shape == test.p_values.shape == (3,)


# -------------------------------------------------------------------- groups


def test_groups_of_one_are_no_groups():
    views, alignment = views_of(), PerfectAlignment(2)
    plain = permutation_test(alignment, views, 20, random_state=0)
    labels = np.random.default_rng(0).permutation(60).astype(str)
    single = permutation_test(
        alignment, views, 20, groups=np.arange(60), random_state=0
    )
    assert_array_equal(single.null, plain.null)
    named = permutation_test(
        alignment, views, 20, groups=labels, random_state=0
    )
    assert not np.array_equal(named.null, plain.null)


def test_groups_of_exact_copies_are_tested_as_single_items():
    rng = np.random.default_rng(0)
    items = [rng.normal(size=(40, 3)) for _ in range(2)]
    labels = np.arange(40)
    for copies in (1, 5):
        views = [np.repeat(item, copies, axis=0) for item in items]
        test = permutation_test(
            PerfectAlignment(2),
            views,
            50,
            groups=np.repeat(labels, copies),
            random_state=0,
        )
        if copies == 1:
            expected = test
    assert_allclose(test.null, expected.null, rtol=0, atol=1e-12)
    assert_array_equal(test.p_values, expected.p_values)


def test_groups_change_places_with_groups_of_their_size_only():
    # Rows of one group share a code, and only equal sizes may meet.
    pattern = np.array([3, 1, 1, 2, 2, 0, 3, 4, 4, 4])
    groups = np.concatenate([pattern + 5 * i for i in range(4)])
    sizes = np.bincount(groups)[groups]
    code = np.eye(3)[sizes - 1]
    views = [code, code]
    test = permutation_test(
        PerfectAlignment(2), views, 30, groups=groups, random_state=0
    )
    # The size is then shared by all shuffles, which are no worse.
    assert_array_equal(test.p_values, 1)
    loose = permutation_test(PerfectAlignment(2), views, 30, random_state=0)
    assert loose.p_values[0] < 0.05


@pytest.mark.parametrize(
    "change, message",
    [
        ({"n_permutations": 0}, "n_permutations is 0; wanted an integer"),
        ({"groups": np.arange(5)}, "5 labels; wanted 60"),
        (
            {"groups": np.repeat([0, 1, 2], [10, 20, 30])},
            "no two of these 3 have the same",
        ),
    ],
)
def test_what_cannot_be_permuted_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        permutation_test(PerfectAlignment(2), views_of(), **change)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"constraint": "orthonormal"}, "constraint='whitened'.*orthonormal"),
        ({"n_components": 5}, "n_components is 5, but view 1 carries only 4"),
        ({"ridge": -1.0}, "ridge is -1.0"),
    ],
)
def test_alignments_that_cannot_be_tested_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        permutation_test(PerfectAlignment(**params), views_of(), 5)


# ------------------------------------------------------------------ nuisance


def confounded(seed=0, n=40, n_nuisance=6, n_features=(4, 3)):
    rng = np.random.default_rng(seed)
    *views, nuisance = study.confounded(rng, n, n_features, n_nuisance)
    shared = rng.normal(size=(n, 1))
    return [view + shared for view in views], nuisance


def test_statistics_are_partial_canonical_correlations():
    views, nuisance = confounded()
    test = permutation_test(
        PerfectAlignment(3), views, 1, nuisance=nuisance, random_state=0
    )
    left = study.residuals(views, nuisance)
    expected = PerfectAlignment(3).fit(left).canonical_correlations_
    assert_allclose(test.statistics, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_nuisance", [0, 1, 6, 20])
def test_rows_are_uncorrelated_and_span_what_no_variable_explains(n_nuisance):
    rng = np.random.default_rng(0)
    nuisance = rng.normal(size=(30, n_nuisance)) + 2
    # Beside a constant, which is taken out anyway.
    complement = Complement.of(np.insert(nuisance, 0, 1.0, axis=1), 30)
    rows = complement.rows(np.eye(30), np.zeros(30))
    residual = np.column_stack(study.residuals([np.eye(30)], nuisance))
    assert rows.shape == (29 - n_nuisance, 30)
    assert_allclose(rows @ rows.T, np.eye(len(rows)), rtol=0, atol=1e-13)
    assert_allclose(rows.T @ rows, residual, rtol=0, atol=1e-13)
    # Of all such rows these are the nearest to residuals of samples: the
    # matrix that takes one to the other is symmetric and positive.
    middle = rows[:, complement.kept]
    assert_allclose(middle, middle.T, rtol=0, atol=1e-13)
    assert np.linalg.eigvalsh(middle).min() > 0


def test_units_mixing_and_copies_of_nuisance_variables_do_not_matter():
    views, nuisance = confounded()
    rng = np.random.default_rng(1)
    mixed = nuisance @ rng.normal(size=(6, 6)) * np.geomspace(1e-6, 1e6, 6)
    mixed = np.hstack([mixed + 5, mixed[:, :2], np.full((40, 1), 0.1)])
    tests = [
        permutation_test(
            PerfectAlignment(2), views, 20, nuisance=Z, random_state=0
        )
        for Z in (nuisance, mixed)
    ]
    assert_allclose(tests[0].null, tests[1].null, rtol=0, atol=1e-9)


def test_what_the_variables_explain_is_no_signal():
    views, nuisance = confounded()
    views[1] = np.hstack([views[1], nuisance @ np.ones((6, 2)) + 3])
    test = permutation_test(
        PerfectAlignment(None), views, 1, nuisance=nuisance, random_state=0
    )
    assert len(test.statistics) == 3
    views[1] = views[1][:, 3:]
    with pytest.raises(ValueError, match="view 1 carries only 0 .* without"):
        permutation_test(PerfectAlignment(1), views, 1, nuisance=nuisance)


def test_what_a_cast_to_single_has_lost_is_no_signal():
    rng = np.random.default_rng(0)
    hour = rng.uniform(0, 24, size=(100, 1))
    views = [
        np.hstack([hour, noise := rng.normal(size=(100, 2)), noise[:, :1]])
        for _ in range(2)
    ]
    for view in views:
        # The difference of two columns is the hour, too.
        view[:, 3:] += hour
    single = hour.astype(np.float32)
    for options in ({"nuisance": hour}, {"nuisance": single}):
        test = permutation_test(
            PerfectAlignment(None), views, 39, random_state=0, **options
        )
        assert len(test.statistics) == 2
        assert test.p_values[0] > 0.1
    views = [view.astype(np.float32) for view in views]
    for Z in (hour, single):
        test = permutation_test(
            PerfectAlignment(1), views, 39, random_state=0, nuisance=Z
        )
        assert test.p_values[0] > 0.1


def test_maps_and_nuisance_variables_are_not_taken_together():
    views, nuisance = confounded()
    maps = [FunctionTransformer(np.square), None]
    alignment = MappedAlignment(PerfectAlignment(2), maps)
    with pytest.raises(ValueError, match="maps that begin with WithoutNuis"):
        permutation_test(alignment, views, 9, nuisance=nuisance)
    plain = permutation_test(alignment, views, 9, random_state=0)
    mapped = permutation_test(
        PerfectAlignment(2), [views[0] ** 2, views[1]], 9, random_state=0
    )
    assert_allclose(plain.null, mapped.null, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"groups": np.arange(60)}, "Seen groups and nuisance variables"),
        ({"nuisance": np.ones((5, 1))}, r"shape \(5, 1\); wanted 60 rows"),
        (
            {"nuisance": np.eye(60)[:, :58]},
            "rank 59, and .* 60 samples; wanted 61",
        ),
        ({"nuisance": np.full((60, 1), np.nan)}, "nuisance"),
    ],
)
def test_nuisance_variables_that_cannot_be_taken_out(options, message):
    options = {"nuisance": np.arange(60.0)[:, None], **options}
    with pytest.raises(ValueError, match=message):
        permutation_test(PerfectAlignment(1), views_of(), 5, **options)


class TestWithoutNuisance:
    def test_coefficients_are_those_of_the_training_rows(self):
        views, nuisance = confounded()
        X = np.hstack([views[0][:, :1], nuisance, views[0][:, 1:]])
        left = WithoutNuisance(slice(1, 7)).fit(X[:30]).transform(X)
        (wanted,) = study.residuals([views[0][:30]], nuisance[:30])
        assert_allclose(left[:30], wanted, rtol=0, atol=1e-12)
        Z = np.column_stack([np.ones(40), nuisance])
        B = np.linalg.lstsq(Z[:30], views[0][:30], rcond=None)[0]
        assert_allclose(left, views[0] - Z @ B, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("nuisance", [["b"], [1], slice("b", "b")])
    def test_columns_by_name_and_place(self, nuisance):
        views, _ = confounded()
        frame = pd.DataFrame(views[0][:, :3], columns=list("abc"))
        one = WithoutNuisance(nuisance).fit(frame)
        assert list(one.get_feature_names_out()) == ["a", "c"]
        wanted = WithoutNuisance([1]).fit_transform(views[0][:, :3])
        assert_allclose(one.transform(frame), wanted, rtol=0, atol=1e-15)

    @pytest.mark.parametrize(
        "nuisance, seen", [([], "0 of the 3"), ([0, 1, 2], "3 of the 3")]
    )
    def test_something_is_taken_and_something_left(self, nuisance, seen):
        with pytest.raises(ValueError, match=seen):
            WithoutNuisance(nuisance).fit(np.eye(3))

    @pytest.mark.parametrize("single", [False, True])
    def test_of_what_is_explained_exactly_nothing_is_left(self, single):
        rng = np.random.default_rng(0)
        hour = rng.uniform(0, 24, size=(400, 1))
        views = [
            np.hstack(
                [hour, 60 * hour + 7, rng.normal(size=(400, 2)), 2020 - hour]
            )
            for _ in range(2)
        ]
        if single:
            views = [view.astype(np.float32) for view in views]
        maps = [WithoutNuisance([0])] * 2
        seen, new = (
            [v[rows] for v in views] for rows in (slice(200), slice(200, 400))
        )
        mapped = MappedAlignment(PerfectAlignment(1), maps).fit(seen)
        assert_array_equal(mapped.features(new[0], 0)[:, [0, 3]], 0)
        assert mapped.alignment_.shared_dimension_ == 0
        assert mapped.alignment_.ranks_.tolist() == [2, 2]
        with pytest.raises(ValueError, match="view 0 does not vary"):
            MappedAlignment(PerfectAlignment(1), maps).fit(
                [view[:, :2] for view in views]
            )

    def test_of_the_category_that_is_not_named_nothing_is_left(self):
        rng = np.random.default_rng(0)
        one = np.eye(4)[rng.integers(0, 4, 400)]
        X = np.hstack([one, rng.normal(size=(400, 3))])
        left = WithoutNuisance([0, 1, 2]).fit(X[:200]).transform(X)
        assert_array_equal(left[:, 0], 0)
        assert np.all(np.ptp(left[:, 1:], axis=0) > 1)

    def test_in_an_alignment_it_leaves_the_partial_correlations(self):
        views, nuisance = confounded(n=400)
        views = [np.hstack([nuisance, view]) for view in views]
        mapped = MappedAlignment(
            PerfectAlignment(3), [WithoutNuisance(slice(6))] * 2
        ).fit(views)
        test = permutation_test(
            PerfectAlignment(3),
            [v[:, 6:] for v in views],
            1,
            nuisance=nuisance,
            random_state=0,
        )
        assert_allclose(
            mapped.alignment_.canonical_correlations_,
            test.statistics,
            rtol=0,
            atol=1e-12,
        )


# --------------------------------------------------------------- calibration


@pytest.fixture(scope="module")
def stored():
    results = json.loads(study.RESULTS.read_text("utf-8"))
    total = 1 + results["n_permutations"]
    p_values = {
        name: (1 + np.array(counts)) / total
        for name, counts in results["exceeded"].items()
    }
    return results["n_permutations"], p_values


@pytest.mark.parametrize("name", study.STUDIES)
def test_stored_studies_begin_with_what_the_code_computes(name, stored):
    n_permutations, p_values = stored
    assert len(p_values[name]) == study.STUDIES[name][0]
    again = study.p_values(name, n_permutations, n_data_sets=2)
    assert_allclose(again, p_values[name][:2], rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["unrelated", "unrelated, ridge", "unrelated, three views"]
)
def test_unrelated_views_have_uniform_p_values(name, stored):
    first = stored[1][name][:, 0]
    # Uniform on multiples of 1/(B + 1): half a step lower, on (0, 1).
    assert kstest(first - 0.5 / (stored[0] + 1), "uniform").pvalue > 0.01
    slack = 2.6 * np.sqrt(0.05 * 0.95 / len(first))
    assert abs(np.mean(first <= 0.05) - 0.05) <= slack


@pytest.mark.parametrize(
    "name", [name for name in study.STUDIES if "shared" in name]
)
def test_three_shared_signals_are_found_and_hardly_a_fourth(name, stored):
    accepted = np.count_nonzero(stored[1][name] <= 0.05, axis=1)
    # With the ridge, 40 + 40 features and 200 pairs leave less to see.
    assert np.mean(accepted >= 3) >= (0.95 if "ridge" in name else 0.99)
    assert np.mean(accepted >= 4) <= 0.1


def test_near_copies_are_harmless_as_groups_and_fatal_as_rows(stored):
    by_group = stored[1]["copies, by group"][:, 0]
    assert np.mean(by_group <= 0.05) <= 0.08
    assert np.mean(stored[1]["copies, by row"][:, 0] <= 0.05) >= 0.99


def test_nuisance_taken_out_is_harmless_and_residuals_are_not(stored):
    taken_out = stored[1]["nuisance, taken out"][:, 0]
    assert len(taken_out) == 1000
    half_a_step = 0.5 / (stored[0] + 1)
    assert kstest(taken_out - half_a_step, "uniform").pvalue > 0.01
    left = stored[1]["nuisance, residuals"][:, 0]
    assert kstest(left - half_a_step, "uniform").pvalue < 1e-30
    assert np.mean(left <= 0.05) > 0.25


# ----------------------------------------------------------------- processes


@pytest.mark.parametrize(
    "options",
    [{}, {"groups": np.arange(60) // 2}, {"nuisance": np.eye(60)[:, :5]}],
)
def test_processes_change_no_permutation(options):
    tests = [
        permutation_test(
            PerfectAlignment(2),
            views_of((5, 4, 3)),
            70,
            random_state=0,
            n_jobs=n_jobs,
            **options,
        )
        for n_jobs in (None, 2)
    ]
    assert_array_equal(tests[0].null, tests[1].null)
    assert_array_equal(tests[0].p_values, tests[1].p_values)


def test_processes_change_no_curve():
    curves = [
        alignment_curve(
            PerfectAlignment(2),
            dict(zip("ab", views_of())),
            [10, 30],
            shuffled=True,
            groups=np.arange(60) // 2,
            random_state=0,
            n_jobs=n_jobs,
        )
        for n_jobs in (None, 2)
    ]
    for name, found in vars(curves[0]).items():
        assert_allclose(getattr(curves[1], name), found, rtol=1e-12)


# -------------------------------------------------------------------- curves


class Recorder(PerfectAlignment):
    """Keeps what it was given, for the tests to see."""

    seen, asked = [], []

    def fit(self, views, y=None):
        self.seen.append([view.copy() for view in views])
        return super().fit(views)

    def transform(self, views):
        self.asked.append([view.copy() for view in views])
        return super().transform(views)


@pytest.fixture
def recorder():
    Recorder.seen, Recorder.asked = [], []
    return Recorder(n_components=2)


def numbered(n=60, n_features=(5, 4)):
    """Views of which the first column tells the row."""
    views = views_of(n_features, n)
    for view in views:
        view[:, 0] = np.arange(n)
    return views


def rows(view):
    return view[:, 0].astype(int)


def test_training_sets_are_nested_and_held_out_pairs_are_the_rest(recorder):
    curve = alignment_curve(
        recorder, numbered(), [20, 45], n_splits=3, random_state=0
    )
    assert curve.train_errors.shape == curve.test_errors.shape == (2, 3)
    assert curve.test_correlations.shape == (2, 3, 2)
    held_out = [rows(views[0]) for views in Recorder.asked[1::2]]
    for split in range(3):
        few, many = (rows(v[0]) for v in Recorder.seen[2 * split :][:2])
        assert_array_equal(few, many[:20])
        for new in held_out[2 * split :][:2]:
            assert sorted([*many, *new]) == list(range(60))
    for views in Recorder.seen + Recorder.asked:
        assert_array_equal(rows(views[0]), rows(views[1]))
    assert len({tuple(new) for new in held_out}) == 3


def test_curve_reports_what_the_fits_achieve(recorder):
    curve = alignment_curve(
        recorder, views_of(), [20, 45], n_splits=2, random_state=0
    )
    for number, seen in enumerate(Recorder.seen):
        split, i = divmod(number, 2)
        fit = PerfectAlignment(2).fit(seen)
        rho = fit.canonical_correlations_[:2]
        assert_allclose(curve.train_correlations[i, split], rho, atol=1e-12)
        # Whitened latents have unit variance: RMS² = Σ 2 (1 − ρ), spread² =
        # Σ (1 + ρ)/2 + (1 − ρ)/2 = k, by the normalisation of the fit.
        expected = np.sqrt(2 * np.sum(1 - rho) / 2)
        assert_allclose(curve.train_errors[i, split], expected, rtol=1e-9)
        new = fit.transform(Recorder.asked[2 * number + 1])
        for j in range(2):
            r = np.corrcoef(new[0][:, j], new[1][:, j])[0, 1]
            assert_allclose(
                curve.test_correlations[i, split, j], r, atol=1e-12
            )


def test_shuffling_concerns_training_pairs_alone(recorder):
    views = numbered()
    for shuffled in (False, True):
        alignment_curve(
            recorder,
            views,
            [40],
            n_splits=2,
            shuffled=shuffled,
            random_state=3,
        )
    true, other = Recorder.seen[:2], Recorder.seen[2:]
    for a, b in zip(true, other):
        assert_array_equal(a[0], b[0])
        assert not np.array_equal(a[1], b[1])
        assert_array_equal(np.sort(rows(a[1])), np.sort(rows(b[1])))
    half = len(Recorder.asked) // 2
    for a, b in zip(Recorder.asked[1:half:2], Recorder.asked[half + 1 :: 2]):
        for view, same in zip(a, b):
            assert_array_equal(view, same)


def test_groups_are_never_on_both_sides(recorder):
    groups = np.arange(60) // 4
    alignment_curve(
        recorder,
        numbered(),
        [17, 30],
        n_splits=4,
        groups=groups,
        random_state=0,
    )
    for seen, new in zip(Recorder.seen, Recorder.asked[1::2]):
        assert not {*groups[rows(seen[0])]} & {*groups[rows(new[0])]}
        # The group that size 30 divides is in neither part of it.
        assert len(new[0]) == 28


def test_few_unrelated_pairs_align_to_rounding_and_mean_nothing():
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(500, 40)) for _ in range(2)]
    curves = [
        alignment_curve(
            PerfectAlignment(3),
            views,
            [30],
            shuffled=shuffled,
            random_state=0,
        )
        for shuffled in (False, True)
    ]
    for curve in curves:
        assert np.all(curve.train_errors < 1e-12)
    levels = [curve.test_errors.mean() for curve in curves]
    assert_allclose(levels, np.sqrt(2), rtol=0.1)
    assert abs(curves[0].test_correlations.mean()) < 0.05


def test_perfect_alignment_of_three_views_holds_on_new_pairs():
    rng = np.random.default_rng(0)
    concept = rng.normal(size=(80, 2))
    views = [concept @ rng.normal(size=(2, d)) for d in (3, 4, 5)]
    curve = alignment_curve(PerfectAlignment(2), views, [10, 40])
    assert np.all(curve.test_errors < 1e-10)
    assert_allclose(curve.test_correlations, 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "sizes, change, message",
    [
        ([20], {"n_components": None}, "choose n_components, seen None"),
        ([1, 20], {}, "numbers from 2 to at most 60 − 2"),
        ([59], {}, "numbers from 2 to at most 60 − 2"),
        ([3], {"n_components": 4}, "n_components is 4"),
    ],
)
def test_curves_that_cannot_be_drawn_are_refused(sizes, change, message):
    with pytest.raises(ValueError, match=message):
        alignment_curve(PerfectAlignment(**change), views_of(), sizes)
