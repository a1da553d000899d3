"""Blocks of few rows: by products where these know enough, else reflected."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from perfalign import (
    PerfectAlignment,
    StackedSummary,
    relative_alignment_error,
)
from perfalign._checks import FLOAT64_EPS
from perfalign._solver import _rows, whiten
from perfalign._solver._rows import multiplied_rows

P, D = 30, 200


def orthonormal(rng, n_rows, n_columns):
    return np.linalg.qr(rng.normal(size=(n_rows, n_columns)))[0]


def block_of(values, seed=0):
    """Rows with these singular values, the others 0."""
    rng = np.random.default_rng(seed)
    left, right = (orthonormal(rng, size, len(values)) for size in (P, D))
    return left * values @ right.T


def rounding_of(block):
    return P * FLOAT64_EPS * np.linalg.norm(block, axis=0)


@pytest.fixture
def reflections_only(monkeypatch):
    # No eigenvalue is above twice the largest.
    monkeypatch.setattr(_rows, "KNOWN", 2.0)


SPECTRA = {
    "level": np.ones(P),
    "less one direction": np.geomspace(1, 0.1, P - 1),
    "three of thirty": np.array([3.0, 2.0, 1.0]),
    "three digits": np.geomspace(1, 2e-3, P - 1),
    "as far as it goes": np.geomspace(1, 2e-4, P - 4),
    "a signal that products lose": np.r_[np.ones(P - 2), 1e-9],
    "one that they have, but not well": np.r_[np.ones(P - 2), 3e-5],
}
BY_PRODUCTS = list(SPECTRA)[:5]


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("unit", [1e-150, 1.0, 1e150])
def test_coordinates_and_encoders_keep_all_digits(spectrum, unit):
    values = SPECTRA[spectrum]
    block = unit * block_of(values)
    found = whiten(block, rounding_of(block), least=4.0)
    assert found.rank == len(values)
    # Orthonormal, and the rows' only: products alone would leave 1e-9.
    assert_allclose(found.U.T @ found.U, np.eye(found.rank), atol=1e-14)
    left = np.linalg.svd(block / unit)[0][:, : len(values)]
    tight = 2e-15 / min(values.min(), 1.0)
    assert_allclose(left @ (left.T @ found.U), found.U, atol=tight)
    # Encoders have the latents, and no others are of a smaller norm.
    encoders = found.encoder(np.eye(found.rank))
    lost = 1e-15 / values.min() if spectrum not in BY_PRODUCTS else 0.0
    assert_allclose(block @ encoders.T, found.U, atol=1e-13 + lost)
    standard = block / rounding_of(block)
    least = found.U.T @ np.linalg.pinv(standard, rcond=1e-11).T
    assert_allclose(
        encoders * rounding_of(block),
        least,
        atol=1e-15 * np.abs(least).max() / values.min(),
    )


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_products_decide_only_what_they_know(spectrum):
    block = block_of(SPECTRA[spectrum])
    units = 1 / rounding_of(block)
    found = multiplied_rows(block, units, least=4.0)
    assert (found is not None) == (spectrum in BY_PRODUCTS)


def test_what_is_neither_signal_nor_rounding_is_reflected():
    """Just above and just below what counts: it is for singular values."""
    block = block_of(np.ones(P - 1))
    units = np.ones(D)
    assert multiplied_rows(block, units, least=1e-9) is not None
    assert multiplied_rows(block, units, least=1.1) is None
    assert multiplied_rows(block, units, least=0.0) is None
    assert multiplied_rows(0 * block, units, least=1e-9) is None


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("gauge", ["principal", None])
def test_fits_by_products_are_those_by_reflections(center, gauge, request):
    rng = np.random.default_rng(1)
    concept = rng.normal(size=(P, 2))
    views = [
        concept @ rng.normal(size=(2, d)) + 0.3 * rng.normal(size=(P, d)) + 5
        for d in (D, D + 30)
    ]
    # Twins, and a feature in units of its own.
    views = [np.vstack([X, X[:2]]) * np.r_[1e9, np.ones(len(X.T) - 1)]
             for X in views]  # fmt: skip
    unseen = [X[::-1] + 0.1 for X in views]

    def fitted():
        alignment = PerfectAlignment(3, center=center, gauge=gauge)
        return alignment.fit(views)

    by_products = fitted()
    request.getfixturevalue("reflections_only")
    by_reflections = fitted()
    assert by_products.ranks_.tolist() == by_reflections.ranks_.tolist()
    for name in ("shared_dimension_", "vacuous_dimension_"):
        assert getattr(by_products, name) == getattr(by_reflections, name)
    for name in ("singular_values_", "canonical_correlations_"):
        one, other = (getattr(a, name) for a in (by_products, by_reflections))
        assert_allclose(one, other, atol=1e-13)
    if gauge:
        for one, other in zip(
            by_products.transform(unseen), by_reflections.transform(unseen)
        ):
            assert_allclose(one, other, atol=1e-9 * np.abs(other).max())


def test_products_are_of_all_features(monkeypatch):
    rng = np.random.default_rng(2)
    block, units = rng.normal(size=(5, 47)), rng.uniform(1, 2, size=47)
    whole = (block * units) @ (block * units).T
    for slab in (1, 10, 46, 47, 48):
        monkeypatch.setattr(_rows, "SLAB", slab)
        assert_allclose(_rows.products(block, units), whole, rtol=1e-13)


def test_units_and_order_of_wide_blocks_do_not_matter():
    rng = np.random.default_rng(3)
    summary = StackedSummary.from_views(
        [rng.normal(size=(P, D)), rng.normal(size=(P, D))]
    )
    block, least = summary.blocks()[0], 4.0
    rounding = rounding_of(block)
    one = whiten(block, rounding, least)
    unit = 2.0 ** rng.integers(-300, 300, size=D)
    for given in (block * unit, np.asfortranarray(block * unit)):
        other = whiten(given, rounding * unit, least)
        assert_allclose(other.U @ other.U.T, one.U @ one.U.T, atol=1e-13)
        assert_allclose(
            (other.U @ other.encoder(np.eye(other.rank))) * unit,
            one.U @ one.encoder(np.eye(one.rank)),
            atol=1e-13,
        )


@pytest.mark.filterwarnings("ignore::perfalign.OverfitWarning")
@pytest.mark.parametrize("unit", [1e-292, 1e-285, 1e303])
def test_wide_views_of_any_unit_agree(unit):
    rng = np.random.default_rng(0)
    views = [unit * rng.normal(size=(P, d)) for d in (D, D + 30)]
    latents = PerfectAlignment(2).fit(views).transform(views)
    assert relative_alignment_error(latents) < 1e-13
