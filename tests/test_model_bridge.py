"""A model used through another model's latents."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from perfalign import (
    ClassCoupling,
    ConditionalFlow,
    ModelBridge,
    TransportPlan,
    votes,
)


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    seen, known = np.arange(90) % 3, np.arange(120) % 3
    X = rng.normal(size=(90, 4)) + 4 * np.eye(4)[seen]
    images = rng.normal(size=(120, 9)) + 6 * np.eye(9)[known]
    decoder = PCA(3, svd_solver="covariance_eigh").fit(images)
    Y = decoder.transform(images)
    head = LogisticRegression().fit(Y, np.array(["a", "b", "c"])[known])
    velocity = ExtraTreesRegressor(10, min_samples_leaf=5, random_state=0)
    flow = ConditionalFlow(velocity, n_samples=4000, random_state=0)
    bridge = ModelBridge(head, decoder=decoder, flow=flow, random_state=0)
    return X, seen, Y, known, bridge


@pytest.mark.parametrize("setting", [1, 2])
def test_either_coupling_carries_the_classes(world, setting):
    X, seen, Y, known, bridge = world
    coupling = ClassCoupling.from_labels(seen, known)
    if setting == 1:
        same = (seen[:, None] == known).astype(float)
        coupling = TransportPlan(same / same.sum())
    bridge.fit(X, Y, coupling)
    names = np.array(["a", "b", "c"])[seen]
    assert bridge.score(X, names) > 0.95
    assert_array_equal(bridge.classes_, ["a", "b", "c"])


def test_parts_are_what_they_say(world):
    X, seen, Y, known, bridge = world
    bridge.fit(X, Y, ClassCoupling.from_labels(seen, known))
    draws = bridge.sample(X)
    assert draws.shape == (20, 90, 3)
    assert_array_equal(bridge.translate(X), draws.mean(axis=0))
    flat = bridge.head.predict_proba(draws.reshape(-1, 3))
    assert_allclose(
        bridge.predict_proba(X), flat.reshape(20, 90, 3).mean(axis=0)
    )
    pictures = bridge.generate(X, 2)
    assert pictures.shape == (2, 90, 9)
    assert_allclose(
        bridge.decoder.transform(pictures[1]), bridge.sample(X, 2)[1]
    )


def test_decoder_may_be_a_regressor(world):
    X, seen, Y, known, bridge = world
    decoder = LinearRegression().fit(Y, Y @ np.ones((3, 2)))
    other = ModelBridge(decoder=decoder, flow=bridge.flow, random_state=0)
    other.fit(X, Y, ClassCoupling.from_labels(seen, known))
    pictures = other.generate(X)[0]
    assert_allclose(pictures, other.sample(X, 1)[0] @ np.ones((3, 2)))
    with pytest.raises(ValueError, match="target model's head"):
        other.predict(X)


def test_votes_count_or_average():
    class Hard:
        classes_ = np.array([0, 1])

        def predict(self, Y):
            return (Y[:, 0] > 0).astype(int)

    draws = np.array([[[-1.0]], [[2.0]], [[3.0]], [[0.5]]])
    assert_array_equal(votes(Hard(), draws), [[0.25, 0.75]])
    soft = LogisticRegression().fit([[-1], [1]], [0, 1])
    expected = soft.predict_proba(draws[:, 0]).mean(axis=0)
    assert_allclose(votes(soft, draws), [expected])


def test_part_of_another_space_is_refused(world):
    X, seen, Y, known, bridge = world
    coupling = ClassCoupling.from_labels(seen, known)
    for part in ({"head": bridge.head}, {"decoder": bridge.decoder}):
        with pytest.raises(ValueError, match="dimension 3; Y has shape"):
            ModelBridge(**part).fit(X, Y[:, :2], coupling)
