"""Every alignment, coupling and flow keeps what its base class promises."""

import inspect
import pickle
import pkgutil
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.cross_decomposition import CCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import FunctionTransformer

import perfalign
from perfalign import PerfectAlignment, gauge
from perfalign.alignment import (
    BaseAlignment,
    LinearAlignment,
    MappedAlignment,
    MetaAlignment,
)
from perfalign.baselines import (
    CSA,
    ContrastiveAlignment,
    CrossDecomposition,
    ProcrustesAlignment,
    RidgeTranslation,
    ShuffledPairs,
    Unaligned,
)
from perfalign.datasets import make_gaussian_views
from perfalign.flows import (
    ConditionalFlow,
    Flow,
    GaussianFlow,
    ModelBridge,
    UnconditionalFlow,
)
from perfalign.mixtures import ClassGaussians
from perfalign.model_selection import (
    HeldOutSearch,
    alignment_curve,
    evaluate,
    permutation_test,
)
from perfalign.transfer import GaussianTransfer
from perfalign.transport import ClassCoupling, Coupling, TransportPlan
from perfalign.unpaired import SemiSupervisedAlignment, UnsupervisedAlignment

PAGE = Path(__file__).resolve().parent.parent / "chapters" / "api.md"
DATA = make_gaussian_views(
    240, (3, 4), means=[[-4, 0], [4, 0], [0, 6]], noise=0.3, random_state=0
)
VIEWS = DATA.views
ALIGNMENTS = {
    "PerfectAlignment": PerfectAlignment(2, ridge=0.1),
    "ProcrustesAlignment": ProcrustesAlignment(2),
    "RidgeTranslation": RidgeTranslation(),
    "CrossDecomposition": CrossDecomposition(CCA(2)),
    "Unaligned": Unaligned(2),
    "CSA": CSA(2, ridge=0.1),
    "ContrastiveAlignment": ContrastiveAlignment(
        2, max_iter=20, random_state=0
    ),
    "MappedAlignment": MappedAlignment(
        PerfectAlignment(2), [FunctionTransformer(), None]
    ),
    "ShuffledPairs": ShuffledPairs(PerfectAlignment(2), random_state=0),
    "HeldOutSearch": HeldOutSearch(
        PerfectAlignment(2), {"ridge": [0.0, 1.0]}, random_state=0
    ),
    "SemiSupervisedAlignment": SemiSupervisedAlignment(
        PerfectAlignment(2), random_state=0
    ),
    "UnsupervisedAlignment": UnsupervisedAlignment(
        2, n_starts=2, n_rounds=2, random_state=0
    ),
}
every = pytest.mark.parametrize("name", ALIGNMENTS)
quiet = pytest.mark.filterwarnings("ignore::UserWarning")


def fitted(name, views=VIEWS):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return clone(ALIGNMENTS[name]).fit(views)


WIDE = make_gaussian_views(60, (90, 80), noise=0.5, random_state=0).views


def public_classes(base):
    """All of a kind that the rooms of the library offer."""
    rooms = [
        import_module(f"perfalign.{module.name}")
        for module in pkgutil.iter_modules(perfalign.__path__)
        if not module.name.startswith("_") and module.name != "book"
    ]
    return {
        name
        for room in rooms
        for name in room.__all__
        for one in [getattr(room, name)]
        if isinstance(one, type)
        and issubclass(one, base)
        and not inspect.isabstract(one)
    }


def test_no_alignment_is_forgotten():
    assert public_classes(BaseAlignment) == set(ALIGNMENTS)


@every
def test_latents_are_the_same_by_every_way(name):
    alignment = fitted(name)
    latents = alignment.transform(VIEWS)
    assert {z.shape for z in latents} == {(240, alignment.n_components_)}
    for m, view in enumerate(VIEWS):
        assert_array_equal(alignment.transform_view(view, m), latents[m])
        encoder = alignment.encoder(m)
        assert_array_equal(encoder.fit_transform(view), latents[m])
        assert (
            getattr(encoder, "n_features_in_", view.shape[1])
            == (view.shape[1])
        )
        assert len(encoder.get_feature_names_out()) == latents[m].shape[1]
    out = [np.empty_like(z) for z in latents]
    assert alignment.transform(VIEWS, out) is out
    assert_array_equal(out, latents)
    alone = alignment.transform_view(VIEWS[1], 1, out[0])
    assert alone is out[0]
    assert_array_equal(alone, latents[1])
    with pytest.raises(ValueError, match="out holds"):
        alignment.transform_view(VIEWS[1], 1, np.empty((3, 2)))


@every
@pytest.mark.parametrize("views", [VIEWS, WIDE], ids=["tall", "wide"])
def test_no_alignment_knows_where_zero_is(name, views):
    if name == "CrossDecomposition" and views is WIDE:
        pytest.skip("scikit-learn's iteration does not converge there")
    rng = np.random.default_rng(0)
    moves = [100 * rng.normal(size=view.shape[1]) for view in views]
    unseen = [0.9 * view[::-1] for view in views]
    wanted = fitted(name, views).transform(unseen)
    moved = fitted(name, [X + move for X, move in zip(views, moves)])
    found = moved.transform([X + move for X, move in zip(unseen, moves)])
    for one, other in zip(found, wanted):
        assert_allclose(one, other, atol=1e-8 * np.abs(other).max())


@every
def test_rows_do_not_know_each_other(name):
    alignment = fitted(name)
    whole = alignment.transform_view(VIEWS[1], 1)
    parts = [alignment.transform_view(VIEWS[1][i : i + 1], 1) for i in (7, 99)]
    assert_allclose(np.vstack(parts), whole[[7, 99]], rtol=0, atol=1e-12)


@every
def test_copies_are_equal(name):
    alignment = fitted(name)
    again = pickle.loads(pickle.dumps(alignment))
    twin = clone(alignment)
    assert repr(twin.get_params()) == repr(alignment.get_params())
    with pytest.raises(NotFittedError):
        twin.transform(VIEWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        refitted = twin.fit(VIEWS)
    for other in (again, refitted):
        assert_array_equal(
            np.hstack(other.transform(VIEWS)),
            np.hstack(alignment.transform(VIEWS)),
        )
    parameter = next(iter(alignment.get_params(deep=False)))
    value = alignment.get_params(deep=False)[parameter]
    assert alignment.set_params(**{parameter: value}) is alignment
    with pytest.raises(ValueError, match="nothing_of_the_kind"):
        alignment.set_params(nothing_of_the_kind=1)


@quiet
@every
def test_views_may_have_names(name):
    alignment = fitted(name)
    by_name = clone(alignment)
    if name == "MappedAlignment":
        by_name.set_params(maps={"heard": None, "seen": FunctionTransformer()})
    by_name.fit({"seen": VIEWS[0], "heard": VIEWS[1]})
    assert by_name.view_names_in_ == ("seen", "heard")
    latents = by_name.transform({"heard": VIEWS[1], "seen": VIEWS[0]})
    for view, z in zip(("seen", "heard"), alignment.transform(VIEWS)):
        assert_array_equal(latents[view], z)
    assert_array_equal(
        by_name.encoder("heard").transform(VIEWS[1]), latents["heard"]
    )
    for refused in (
        lambda: by_name.transform({"smelt": VIEWS[1], "seen": VIEWS[0]}),
        lambda: by_name.encoder("smelt"),
        lambda: by_name.transform_view(VIEWS[0], "smelt"),
    ):
        with pytest.raises(ValueError, match="smelt"):
            refused()
    assert not hasattr(alignment, "view_names_in_")


@quiet
@every
def test_columns_may_have_names(name):
    frames = [
        pd.DataFrame(view).add_prefix(word)
        for view, word in zip(VIEWS, ("seen_", "heard_"))
    ]
    alignment = clone(ALIGNMENTS[name]).fit(frames)
    encoder = alignment.encoder(1).set_output(transform="pandas")
    if hasattr(alignment, "feature_names_in_"):
        names = list(frames[1].columns)
        assert list(alignment.feature_names_in_[1]) == names
        assert list(encoder.feature_names_in_) == names
    latents = encoder.transform(frames[1])
    assert list(latents.columns) == list(encoder.get_feature_names_out())
    assert_allclose(latents, fitted(name).transform_view(VIEWS[1], 1))
    with pytest.raises(ValueError, match="order"):
        encoder.transform(frames[1].iloc[:, ::-1])


@quiet
@every
def test_single_precision_stays_single(name):
    alignment = fitted(name)
    views = [view.astype(np.float32) for view in VIEWS]
    for z, wanted in zip(
        alignment.transform(views), alignment.transform(VIEWS)
    ):
        assert z.dtype == np.float32
        assert_allclose(z, wanted, rtol=0, atol=1e-4)
    assert alignment.transform(VIEWS)[0].dtype == np.float64


@every
@pytest.mark.parametrize(
    "views, message",
    [
        ([VIEWS[0]], "two views|1 view"),
        ([VIEWS[0], VIEWS[1][:-1]], "240 rows.*239 rows"),
        ([VIEWS[0], np.full((240, 4), np.nan)], "view 1|NaN"),
        ([VIEWS[0], VIEWS[1] + 1j], "view 1|[Cc]omplex"),
        (VIEWS[0], "must be a list"),
    ],
    ids=["one", "lengths", "NaN", "complex", "no list"],
)
def test_bad_views_are_refused(name, views, message):
    if name == "UnsupervisedAlignment" and "239" in message:
        pytest.skip("rows are no pairs there, and need not be as many")
    alignment = clone(ALIGNMENTS[name])
    with pytest.raises(ValueError, match=message):
        alignment.fit(views)
    with pytest.raises(NotFittedError):
        alignment.transform(VIEWS)
    with pytest.raises(ValueError, match=message):
        fitted(name).transform(views)


@every
def test_the_score_is_the_mean_correlation(name):
    alignment = fitted(name)
    first, second = alignment.transform(VIEWS)
    by_hand = [np.corrcoef(a, b)[0, 1] for a, b in zip(first.T, second.T)]
    assert_allclose(alignment.score(VIEWS), np.mean(by_hand), atol=1e-12)


@every
def test_decoding_is_the_best_reconstruction(name):
    alignment = fitted(name)
    z = alignment.transform_view(VIEWS[0], 0)
    if name in ("CSA", "ContrastiveAlignment"):
        with pytest.raises(ValueError, match=f"{name} has no way back"):
            alignment.decode(z, 1)
        with pytest.raises(ValueError, match=name):
            alignment.translate(VIEWS[0], 0, 1)
        with pytest.raises(ValueError, match=name):
            alignment.encoder(1).inverse_transform(z)
        return
    own = alignment.decode(z, 0)
    columns = np.column_stack([np.ones(len(z)), z])
    best = columns @ np.linalg.lstsq(columns, VIEWS[0], rcond=None)[0]
    assert_allclose(own, best, atol=1e-8)
    assert_allclose(alignment.encoder(0).inverse_transform(z), best)
    assert_allclose(
        alignment.translate(VIEWS[0], 0, 1), alignment.decode(z, 1)
    )
    with pytest.raises(ValueError, match="latents"):
        alignment.decode(z[:, :1], 0)


@pytest.mark.parametrize(
    "name",
    [n for n, a in ALIGNMENTS.items() if isinstance(a, LinearAlignment)],
)
def test_a_decoder_of_least_norm_inverts_the_encoder(name):
    alignment = fitted(name)
    z = np.random.default_rng(0).normal(size=(5, alignment.n_components_))
    for m, view in enumerate(VIEWS):
        A = alignment.encoders_[m]
        x = alignment.decode(z, m, minimum_norm=True) - view.mean(axis=0)
        assert_allclose(x, x @ np.linalg.pinv(A) @ A, atol=1e-9)
        if np.linalg.matrix_rank(A) == len(A):
            back = alignment.transform_view(x + view.mean(axis=0), m)
            assert_allclose(back, z, atol=1e-9)


@every
def test_a_notebook_shows_what_was_found(name):
    alignment = clone(ALIGNMENTS[name])
    before = alignment._repr_mimebundle_()
    assert "latent dimension" not in before["text/plain"]
    shown = fitted(name)._repr_mimebundle_()
    for kind in ("text/plain", "text/html"):
        assert "latent dimension" in shown[kind]
    if name == "PerfectAlignment":
        assert "canonical correlations" in shown["text/plain"]


def transferred(alignment):
    transfer = GaussianTransfer(alignment).fit(VIEWS[0], DATA.labels)
    return transfer.predict(VIEWS[1], 1)


def of_view(alignment):
    transfer = GaussianTransfer(alignment).fit(VIEWS[0], DATA.labels)
    return transfer.view_mixture(1)


#: What is done with a fitted alignment, or with one that it is fitted by.
USES = {
    "view_mixture": of_view,
    "anchored": lambda a: (
        gauge.anchored(
            a, VIEWS, DATA.latents[: a.n_components_], range(a.n_components_)
        )
        if a.n_components_ == 2
        else gauge.anchored(
            a, VIEWS, np.eye(a.n_components_), range(a.n_components_)
        )
    ),
    "principal": gauge.principal,
    "decode": lambda a: a.decode(np.zeros((1, a.n_components_)), 0),
    "permutation_test": lambda a: permutation_test(
        a, VIEWS, 9, random_state=0
    ),
}
FOR_ALL = {
    "GaussianTransfer": transferred,
    "alignment_curve": lambda a: alignment_curve(
        a, VIEWS, [100], n_splits=1, random_state=0
    ),
    "evaluate": lambda a: evaluate({"it": a}, VIEWS, DATA.labels, n_splits=1),
}


def outcome(name, use):
    """Whether it works; if not, the message must name the class."""
    alignment = fitted(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            (USES | FOR_ALL)[use](alignment)
    except ValueError as error:
        assert name in str(error), error
        return "no"
    return "yes"


def test_the_page_says_what_works_with_what():
    table = "| what | with |\n|---|---|"
    for use in USES:
        able = [f"`{n}`" for n in ALIGNMENTS if outcome(n, use) == "yes"]
        table += f"\n| `{use}` | {', '.join(able)} |"
    marks = "<!-- what works with what -->\n\n", "\n\n<!-- end -->"
    assert table.join(marks) in PAGE.read_text("utf-8"), "\n" + table
    for use in FOR_ALL:
        assert {outcome(name, use) for name in ALIGNMENTS} == {"yes"}, use


def test_every_kind_is_one_of_three():
    assert {
        name
        for name, one in ALIGNMENTS.items()
        if not isinstance(one, (LinearAlignment, MetaAlignment))
    } == {"CSA", "ContrastiveAlignment", "UnsupervisedAlignment"}


X, Y = VIEWS[0][:, :2], VIEWS[1][:180, :2]
LABELS_X, LABELS_Y = DATA.labels, DATA.labels[:180]
SAME = (LABELS_X[:, np.newaxis] == LABELS_Y).astype(float)
COUPLINGS = {
    "TransportPlan": TransportPlan(SAME / SAME.sum()),
    "ClassCoupling": ClassCoupling.from_labels(LABELS_X, LABELS_Y),
    "a matrix": SAME,
}
VELOCITY = ExtraTreesRegressor(5, max_depth=6, random_state=0)
FLOWS = {
    "ConditionalFlow": ConditionalFlow(
        VELOCITY, n_samples=500, random_state=0
    ),
    "UnconditionalFlow": UnconditionalFlow(
        VELOCITY, n_samples=500, random_state=0
    ),
    "GaussianFlow": GaussianFlow(
        ClassGaussians(
            [Y[LABELS_Y == c].mean(axis=0) for c in range(3)], np.eye(2)
        ),
        LinearDiscriminantAnalysis().fit(X, LABELS_X),
    ),
}
every_flow = pytest.mark.parametrize("name", FLOWS)


def test_no_coupling_and_no_flow_is_forgotten():
    assert public_classes(Coupling) == set(COUPLINGS) - {"a matrix"}
    assert public_classes(Flow) == set(FLOWS)


@pytest.mark.parametrize("name", ["TransportPlan", "ClassCoupling"])
def test_couplings_keep_their_masses(name):
    coupling = COUPLINGS[name]
    copy = pickle.loads(pickle.dumps(coupling))
    for one in (coupling, copy):
        i, j = one.sample(2000, random_state=0)
        assert_array_equal(LABELS_X[i], LABELS_Y[j])
        assert_allclose(one.mass_X.sum(), 1)
        assert_allclose(one.mass_Y.sum(), 1)
        assert_allclose(one.class_share(LABELS_X, LABELS_Y), 1)
        # Partners of one class are alike, so the mean one is that of it.
        means = [Y[LABELS_Y == c].mean(axis=0) for c in LABELS_X]
        assert_allclose(one.barycentric(Y), means, atol=1e-9)
    assert_array_equal(
        coupling.sample(9, random_state=1), copy.sample(9, random_state=1)
    )
    with pytest.raises(ValueError, match="n_samples is 0"):
        coupling.sample(0)
    with pytest.raises(ValueError, match="Y has 3 rows"):
        coupling.barycentric(Y[:3])


@every_flow
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_bridges_take_every_flow_and_every_coupling(name, coupling):
    head = LinearDiscriminantAnalysis().fit(Y, LABELS_Y)
    bridge = ModelBridge(head, flow=FLOWS[name], n_draws=3, random_state=0)
    bridge.fit(X, Y, COUPLINGS[coupling])
    assert bridge.sample(X).shape == (3, 240, 2)
    again = pickle.loads(pickle.dumps(bridge))
    assert_array_equal(again.predict(X), bridge.predict(X))


@every_flow
def test_copies_of_flows_are_equal(name):
    flow = clone(FLOWS[name]).fit(X, Y, COUPLINGS["ClassCoupling"])
    drawn = flow.sample(X, 2, random_state=0)
    copies = [
        pickle.loads(pickle.dumps(flow)),
        clone(flow).fit(X, Y, COUPLINGS["ClassCoupling"]),
    ]
    for copy in copies:
        assert_array_equal(copy.sample(X, 2, random_state=0), drawn)
    if name != "GaussianFlow":  # which has nothing to learn
        with pytest.raises(NotFittedError):
            clone(flow).sample(X)
    assert flow.set_params(rtol=0.1) is flow
    with pytest.raises(ValueError, match="rtol is True"):
        flow.set_params(rtol=True).sample(X)
    with pytest.raises(ValueError, match="X"):
        flow.set_params(rtol=0.1).sample(np.full_like(X, np.nan))


@pytest.mark.parametrize("name", ["ConditionalFlow", "UnconditionalFlow"])
@pytest.mark.parametrize(
    "coupling, message",
    [
        (SAME[:3], "3"),
        (-SAME, "at least 0"),
        ("pairs", "coupling|could not"),
        (None, "NoneType|None"),
    ],
    ids=["rows", "negative", "text", "none"],
)
def test_what_is_no_coupling_is_refused(name, coupling, message):
    with pytest.raises(ValueError, match=message):
        clone(FLOWS[name]).fit(X, Y, coupling)


@every
def test_a_search_may_ask_everything_for_its_routing(name):
    ALIGNMENTS[name].get_metadata_routing()


def test_what_is_bridged_may_be_asked_for_its_routing():
    head = LinearDiscriminantAnalysis().fit(Y, LABELS_Y)
    bridge = ModelBridge(head)
    bridge.get_metadata_routing()
    with pytest.raises(ValueError, match="head.*fitted already"):
        bridge.set_params(head__solver="svd")
    alignment = PerfectAlignment().fit(VIEWS)
    GaussianTransfer(alignment).get_metadata_routing()


def test_a_look_at_a_fit_does_not_compute_it():
    alignment = PerfectAlignment(3).partial_fit([view[:2] for view in VIEWS])
    shown = alignment._repr_mimebundle_()["text/plain"]
    assert "2, not solved yet" in shown
    with pytest.raises(AttributeError, match="cannot be computed"):
        alignment.n_components_


def test_single_precision_is_for_results_alone():
    """Latents may lie far from 0, where single precision knows nothing."""
    alignment = PerfectAlignment(2).fit(VIEWS)
    far = alignment.with_gauge(np.eye(2), np.full(2, 1e7))
    single = [view.astype(np.float32) for view in VIEWS]
    double = [view.astype(np.float64) for view in single]
    assert far.score(single) == far.score(double)
    assert_allclose(
        far.translate(single[0], 0, 1),
        far.translate(double[0], 0, 1),
        rtol=1e-6,
        atol=1e-5,
    )
    assert far.translate(single[0], 0, 1).dtype == np.float32


class Fitted:
    """Fits and transforms, and can do no more."""

    def fit(self, views, y=None):
        return self

    def transform(self, views):
        return views

    def get_params(self, deep=True):
        return {}


def test_what_the_alignment_inside_cannot_do_is_said_of_it():
    around = ShuffledPairs(Fitted(), random_state=0).fit(VIEWS)
    with pytest.raises(ValueError, match="Fitted.*no transform_view"):
        around.transform_view(VIEWS[0], 0)
    with pytest.raises(ValueError, match="Fitted.*no decode"):
        around.decode(VIEWS[0], 0)
    with pytest.raises(ValueError, match="two"):
        CrossDecomposition(FunctionTransformer()).fit(VIEWS)


class Flat(BaseAlignment):
    """Latents without an axis of components."""

    n_components_ = 1

    def fit(self, views, y=None):
        self.signature_ = PerfectAlignment(1).fit(views).signature_
        return self

    def _encode(self, X, m):
        return X[:, 0]


def test_encoders_that_give_no_matrix_are_named():
    with pytest.raises(ValueError, match=r"Flat encodes 240 rows of view 0"):
        Flat().fit(VIEWS).transform(VIEWS)
