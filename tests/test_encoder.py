"""The encoder of a view is a transformer like any of scikit-learn's."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted

from perfalign import PerfectAlignment
from perfalign.alignment import MappedAlignment, ViewEncoder
from perfalign.baselines import CSA, ProcrustesAlignment
from perfalign.datasets import load_digit_halves

DIGITS = load_digit_halves()
ROWS = np.random.default_rng(0).permutation(len(DIGITS.target))
PAIRS, REST = ROWS[:600], ROWS[600:1200]
VIEWS = [view[PAIRS] for view in DIGITS.views]
ITEMS = [view[REST] for view in DIGITS.views]
Y = DIGITS.target[REST]
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
LDA = LinearDiscriminantAnalysis()
FITTED = {
    "PerfectAlignment": PerfectAlignment(6).fit(VIEWS),
    "ProcrustesAlignment": ProcrustesAlignment(6).fit(VIEWS),
    "MappedAlignment": MappedAlignment(
        PerfectAlignment(6, ridge=0.1),
        [FunctionTransformer(np.arcsinh, np.sinh), None],
    ).fit(VIEWS),
}
every = pytest.mark.parametrize("name", FITTED)


def by_hand(z, model=LDA):
    """Accuracies of a classifier of latents, fold by fold."""
    return [
        clone(model).fit(z[train], Y[train]).score(z[test], Y[test])
        for train, test in FOLDS.split(z, Y)
    ]


@every
@pytest.mark.parametrize("m", [0, 1])
def test_a_pipeline_is_cross_validated(name, m):
    alignment = FITTED[name]
    pipeline = make_pipeline(alignment.encoder(m), LDA)
    scores = cross_val_score(pipeline, ITEMS[m], Y, cv=FOLDS)
    z = alignment.transform(ITEMS)
    assert_array_equal(scores, by_hand(z[m]))
    assert scores.min() > 0.5


@every
def test_a_pipeline_is_searched(name):
    alignment = FITTED[name]
    pipeline = make_pipeline(
        alignment.encoder(0), LinearDiscriminantAnalysis("lsqr")
    )
    shrinkages = [0.0, 0.3, 0.9]
    search = GridSearchCV(
        pipeline,
        {"lineardiscriminantanalysis__shrinkage": shrinkages},
        cv=FOLDS,
    ).fit(ITEMS[0], Y)
    z = alignment.transform(ITEMS)
    wanted = [
        np.mean(by_hand(z[0], LinearDiscriminantAnalysis("lsqr", s)))
        for s in shrinkages
    ]
    assert_allclose(
        search.cv_results_["mean_test_score"], wanted, rtol=0, atol=1e-15
    )
    best = LinearDiscriminantAnalysis("lsqr", shrinkages[np.argmax(wanted)])
    assert_array_equal(
        search.predict(ITEMS[0]), best.fit(z[0], Y).predict(z[0])
    )


def test_a_search_chooses_among_alignments():
    encoders = [fit.encoder(1) for fit in FITTED.values()]
    search = GridSearchCV(
        make_pipeline(encoders[0], LDA), {"viewencoder": encoders}, cv=FOLDS
    ).fit(ITEMS[1], Y)
    wanted = [
        np.mean(by_hand(fit.transform_view(ITEMS[1], 1)))
        for fit in FITTED.values()
    ]
    found = search.cv_results_["mean_test_score"]
    assert_allclose(found, wanted, rtol=0, atol=1e-15)


@every
def test_labels_of_one_view_classify_the_other(name):
    alignment = FITTED[name]
    classifier = make_pipeline(alignment.encoder(0), LDA).fit(ITEMS[0], Y)
    other = make_pipeline(alignment.encoder(1), classifier[-1])
    z = alignment.transform(ITEMS)
    assert_array_equal(
        other.predict(ITEMS[1]), clone(LDA).fit(z[0], Y).predict(z[1])
    )


def in_one_frame():
    """Both views as columns of one data frame, and which are whose."""
    frames = [
        pd.DataFrame(view).add_prefix(f"{side}_")
        for side, view in zip(("left", "right"), ITEMS)
    ]
    return pd.concat(frames, axis=1), [list(f.columns) for f in frames]


@every
@pytest.mark.parametrize("of_frames", [False, True])
def test_two_views_lie_side_by_side_in_a_frame(name, of_frames):
    frame, columns = in_one_frame()
    fit = FITTED[name]
    if of_frames:
        parts = [
            pd.DataFrame(view, columns=own)
            for view, own in zip(VIEWS, columns)
        ]
        fit = clone(fit).fit(parts)
    both = ColumnTransformer(
        [(f"m{m}", fit.encoder(m), own) for m, own in enumerate(columns)]
    )
    wanted = np.hstack(fit.transform(ITEMS))
    assert_allclose(both.fit_transform(frame), wanted, rtol=0, atol=1e-12)
    assert_allclose(both.transform(frame[:5]), wanted[:5], rtol=0, atol=1e-12)
    both.set_output(transform="pandas")
    latents = both.fit_transform(frame)
    assert list(latents.index) == list(frame.index)
    assert list(latents.columns) == [
        f"m{m}__viewencoder{j}" for m in (0, 1) for j in range(6)
    ]
    scores = cross_val_score(make_pipeline(both, LDA), frame, Y, cv=FOLDS)
    assert_allclose(scores, by_hand(wanted), rtol=0, atol=1e-15)


@every
def test_encoders_of_two_alignments_unite(name):
    pair = [FITTED[name].encoder(0), FITTED["PerfectAlignment"].encoder(0)]
    union = FeatureUnion([("this", pair[0]), ("that", pair[1])])
    assert_array_equal(
        union.fit_transform(ITEMS[0]),
        np.hstack([one.transform(ITEMS[0]) for one in pair]),
    )
    assert len(union.get_feature_names_out()) == 12


@every
def test_latents_are_frames_where_frames_are_wanted(name):
    encoder = FITTED[name].encoder(1).set_output(transform="pandas")
    wanted = FITTED[name].transform_view(ITEMS[1], 1)
    index = [f"item {i}" for i in range(len(Y))]
    for latents in (
        encoder.transform(pd.DataFrame(ITEMS[1], index=index)),
        encoder.fit_transform(pd.DataFrame(ITEMS[1], index=index), Y),
    ):
        assert list(latents.columns) == list(encoder.get_feature_names_out())
        assert list(latents.columns) == [f"viewencoder{j}" for j in range(6)]
        assert list(latents.index) == index
        assert_allclose(latents, wanted, rtol=0, atol=1e-12)
    encoder.set_output(transform="default")
    assert isinstance(encoder.transform(ITEMS[1]), np.ndarray)


@every
def test_copies_encode_as_the_alignment_does(name):
    alignment = FITTED[name]
    encoder = alignment.encoder(0)
    wanted = alignment.transform_view(ITEMS[0], 0)
    copies = [clone(encoder), pickle.loads(pickle.dumps(encoder))]
    copies += [clone(encoder).fit(ITEMS[0], Y), clone(clone(encoder))]
    for copy in copies:
        assert_array_equal(copy.transform(ITEMS[0]), wanted)
    assert clone(encoder).alignment is encoder.alignment
    assert list(encoder.get_params()) == ["alignment", "view"]
    other = clone(encoder).set_params(view=1)
    assert_array_equal(
        other.transform(ITEMS[1]), alignment.transform_view(ITEMS[1], 1)
    )


@every
def test_the_way_back_is_the_decoder(name):
    alignment = FITTED[name]
    pipeline = make_pipeline(StandardScaler(), alignment.encoder(0))
    scaled = pipeline[0].fit_transform(ITEMS[0])
    z = pipeline[-1].fit(scaled).transform(scaled)
    assert_array_equal(
        pipeline.inverse_transform(z),
        pipeline[0].inverse_transform(alignment.decode(z, 0)),
    )
    back = alignment.encoder(1).inverse_transform(z)
    assert_array_equal(back, alignment.translate(scaled, 0, 1))


def test_what_has_no_way_back_says_so():
    encoder = CSA(6).fit(VIEWS).encoder(0)
    with pytest.raises(ValueError, match="CSA has no way back"):
        encoder.inverse_transform(encoder.transform(ITEMS[0]))


@pytest.mark.parametrize("name", ["PerfectAlignment", "ProcrustesAlignment"])
def test_sparse_rows_are_encoded_as_dense_ones(name):
    alignment = FITTED[name]
    wanted = alignment.transform_view(ITEMS[0], 0)
    found = alignment.encoder(0).transform(sparse.csr_array(ITEMS[0]))
    assert_allclose(found, wanted, rtol=0, atol=1e-12)


def test_what_cannot_encode_is_refused():
    alignment = FITTED["PerfectAlignment"]
    for view in (2, -1, "left", True, None):
        with pytest.raises(ValueError, match=f"no view {view!r}"):
            alignment.encoder(view)
        with pytest.raises(ValueError, match=f"no view {view!r}"):
            ViewEncoder(alignment, view).fit(ITEMS[0])
    with pytest.raises(NotFittedError, match="PerfectAlignment"):
        PerfectAlignment(6).encoder(0)
    with pytest.raises(NotFittedError, match="PerfectAlignment"):
        ViewEncoder(PerfectAlignment(6), 0).fit(ITEMS[0])
    with pytest.raises(ValueError, match="view 1 has .* 32 features"):
        alignment.encoder(1).transform(ITEMS[1][:, 1:])


def test_texts_go_through_the_map_of_their_view():
    words = [[f"{value:.3f}" for value in row] for row in VIEWS[1]]
    mapped = MappedAlignment(
        PerfectAlignment(6), [None, FunctionTransformer(as_numbers)]
    ).fit([VIEWS[0], words])
    held = [[f"{value:.3f}" for value in row] for row in ITEMS[1]]
    scores = cross_val_score(
        make_pipeline(mapped.encoder(1), LDA), held, Y, cv=FOLDS
    )
    assert_array_equal(scores, by_hand(mapped.transform_view(held, 1)))


def as_numbers(rows):
    return np.array(rows, dtype=float)


@pytest.mark.filterwarnings("ignore::UserWarning")
@every
def test_another_fit_leaves_the_encoder_as_it_was(name):
    alignment = pickle.loads(pickle.dumps(FITTED[name]))
    encoder = alignment.encoder(0)
    wanted = encoder.transform(ITEMS[0])
    alignment.fit([ITEMS[0], ITEMS[1][::-1]])
    for copy in (encoder, clone(encoder)):
        assert_array_equal(copy.transform(ITEMS[0]), wanted)
    assert not np.allclose(alignment.transform_view(ITEMS[0], 0), wanted)


def test_parameters_of_what_is_fitted_are_settled():
    encoder = FITTED["PerfectAlignment"].encoder(0)
    pipeline = make_pipeline(encoder, LinearDiscriminantAnalysis())
    search = GridSearchCV(
        pipeline, {"viewencoder__alignment__n_components": [1, 2]}
    )
    with pytest.raises(ValueError, match="fitted already and shared"):
        search.fit(ITEMS[0], Y)
    assert encoder.set_params(view=1) is encoder
    assert encoder.view == 1


def test_clones_keep_what_the_user_has_set():
    encoder = FITTED["PerfectAlignment"].encoder(0)
    encoder.set_output(transform="pandas")
    twin = clone(encoder)
    assert hasattr(twin.transform(ITEMS[0]), "columns")
    twin.set_output(transform="default")
    assert hasattr(encoder.transform(ITEMS[0]), "columns")


def test_a_fit_looks_at_the_columns():
    encoder = FITTED["PerfectAlignment"].encoder(0)
    with pytest.raises(ValueError, match="features"):
        encoder.fit(ITEMS[0][:, :-1])
    with pytest.raises(ValueError, match="check_fitted"):
        ViewEncoder(LinearDiscriminantAnalysis(), 0).fit(ITEMS[0])
    with pytest.raises(NotFittedError):
        check_is_fitted(ViewEncoder(PerfectAlignment(), 0))
