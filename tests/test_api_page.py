"""The page of the package lists what there is, and says what it does."""

import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import perfalign
from perfalign import (
    ClassCoupling,
    ConditionalFlow,
    GaussianTransfer,
    PerfectAlignment,
    existence_report,
    transport_plan,
)
from perfalign.datasets import make_gaussian_views

PAGE = Path(__file__).resolve().parent.parent / "chapters" / "api.md"


@pytest.fixture(scope="module")
def data():
    return make_gaussian_views(200, n_features=(3, 4), random_state=0)


def test_every_public_name_is_listed():
    text = PAGE.read_text("utf-8")
    listed = set(re.findall(r"auto(?:class|function):: (\w+)", text))
    for module in re.findall(r"automodule:: (\S+)\n   :members:", text):
        listed |= set(vars(importlib.import_module(module)))
    assert set(perfalign.__all__) <= listed
    for module in pkgutil.iter_modules(perfalign.__path__):
        if module.name.startswith("_") or module.name == "book":
            continue
        room = importlib.import_module(f"perfalign.{module.name}")
        assert set(room.__all__) <= listed, module.name


def test_dicts_are_taken_by_name(data):
    x, y = data.views
    alignment = PerfectAlignment(2).fit({"ear": x, "eye": y})
    latents = alignment.transform({"eye": y, "ear": x})
    plain = PerfectAlignment(2).fit([x, y]).transform([x, y])
    assert_allclose(latents["eye"], plain[1])
    assert_allclose(alignment.transform_view(y, "eye"), plain[1])
    with pytest.raises(ValueError, match="nose"):
        alignment.transform({"nose": y, "ear": x})


def test_columns_and_rows_of_frames_are_compared(data):
    x, y = data.views
    x, y = (
        pd.DataFrame(x, columns=list("abc")),
        pd.DataFrame(y).add_prefix("_"),
    )
    alignment = PerfectAlignment(2).fit([x, y])
    assert_array_equal(alignment.feature_names_in_[0], ["a", "b", "c"])
    with pytest.raises(ValueError, match="order"):
        alignment.transform([x[["b", "a", "c"]], y])
    with pytest.raises(ValueError, match="[Rr]ow"):
        PerfectAlignment(2).fit([x, y.iloc[::-1]])


@pytest.mark.parametrize(
    "view",
    [
        np.ma.masked_less(np.arange(600.0).reshape(200, 3), 5),
        np.arange(600).reshape(200, 3).astype("datetime64[D]"),
        np.arange(600).reshape(200, 3) + 1j,
    ],
    ids=["hidden", "dates", "complex"],
)
def test_types_are_heard(data, view):
    with pytest.raises(ValueError, match="view 0|views\\[0\\]"):
        PerfectAlignment(2).fit([view, data.views[1]])


def test_units_change_nothing_where_there_are_none(data):
    units = [10.0 ** np.arange(-6, 3, 3), 10.0 ** np.arange(-4, 4, 2)]
    fits = [
        PerfectAlignment(2).fit(views)
        for views in (data.views, [v * u for v, u in zip(data.views, units)])
    ]
    for name in ("ranks_", "canonical_correlations_", "explained_variance_"):
        assert_allclose(*(getattr(fit, name) for fit in fits), atol=1e-9)


def test_labels_and_the_modality_that_was_labelled(data):
    alignment = PerfectAlignment(2).fit(data.views)
    names = np.array(["one", "two"])[data.labels]
    scores = [
        GaussianTransfer(alignment).fit(v, labels, m).score(v, labels)
        for m, v in enumerate(data.views)
        for labels in (names, pd.Categorical(names), data.labels == 1)
    ]
    assert_allclose(scores, scores[0])
    with pytest.raises(ValueError, match="missing|None"):
        GaussianTransfer(alignment).fit(
            data.views[0], [None, *names[1:].tolist()]
        )


@pytest.mark.parametrize("n, evidence", [(7, 0), (8, 1), (9, 2), (12, 2)])
def test_the_report_divides_what_is_shared(n, evidence):
    """Two shared and two private signals: ranks 4 and 4, together 6."""
    rng = np.random.default_rng(n)
    shared = rng.normal(size=(n, 2))
    views = [
        np.hstack([shared, rng.normal(size=(n, 2))]) @ rng.normal(size=(4, 5))
        for _ in range(2)
    ]
    text = str(existence_report(views))
    shown = dict(re.findall(r"^ +(vacuous|evidence) +(\d+) ", text, re.M))
    if n < 9:
        assert shown["vacuous"] == str(9 - n)
        assert shown["evidence"] == str(evidence)
    else:
        assert "vacuous" not in shown


def test_infinite_costs_forbid():
    plan = transport_plan([[np.inf, 1.0], [2.0, 9.0]]).plan
    assert_allclose(plan, [[0, 0.5], [0.5, 0]])


def test_what_becomes_of_a_row_is_its_own_affair():
    rng = np.random.default_rng(0)
    X, Y, labels = rng.normal(size=(40, 3)), rng.normal(size=(40, 2)), [0] * 40
    flow = ConditionalFlow(n_samples=500, random_state=0)
    flow.fit(X, Y, ClassCoupling.from_labels(labels, labels))
    together = flow.sample(X, 3, random_state=0)
    assert_allclose(
        flow.sample(X[7:8], 3, random_state=0)[:, 0], together[:, 7]
    )
