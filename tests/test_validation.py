"""The door of the package: what a view, a list of views and labels may be."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from perfalign._checks import (
    Signature,
    as_list,
    check_labels,
    check_weights,
    column_names,
    without_row_labels,
)
from perfalign._checks._views import (
    FLOAT64_EPS,
    SLAB,
    check_view,
    check_views,
    precision,
    slabs,
    view_slabs,
)

X = np.arange(12.0).reshape(6, 2) / 8 - 0.5
#: The same numbers, exact in every type below.
WHOLE = np.arange(12).reshape(6, 2) % 2
HIDDEN = np.ma.array(X, mask=np.eye(6, 2))
NOTHING_HIDDEN = np.ma.array(X, mask=np.zeros((6, 2)))
DATES = pd.date_range("2020", periods=6).to_numpy()
FRAME = pd.DataFrame(X, columns=["a", "b"])


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


class Polars:
    """What the checks need of a polars data frame, which is not installed."""

    class Type:
        def __init__(self, name, numeric):
            self.name, self.numeric = name, numeric

        def is_numeric(self):
            return self.numeric

        def __str__(self):
            return self.name

    columns = ["a", "b"]
    shape = X.shape

    def __init__(self, *types):
        self.dtypes = [self.Type(*one) for one in types]

    def __array__(self, dtype=None, copy=None):
        return np.array(X, dtype=dtype)


@pytest.fixture
def on_disk(tmp_path):
    path = tmp_path / "view.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r")


ACCEPTED = {
    "list": (X.tolist(), X, np.float64),
    "tuples": (tuple(map(tuple, X)), X, np.float64),
    "float16": (X.astype("f2"), X, np.float16),
    "float32": (X.astype("f4"), X, np.float32),
    "long double": (X.astype(np.longdouble), X, np.float64),
    "big endian": (X.astype(">f8"), X, np.float64),
    "int": (WHOLE, WHOLE, np.float64),
    "uint8": (WHOLE.astype("u1"), WHOLE, np.float64),
    "bool": (WHOLE.astype(bool), WHOLE, np.float64),
    "read-only": (read_only(X), X, np.float64),
    "too large to be squared": (1e200 * X, 1e200 * X, np.float64),
    "Fortran": (np.asfortranarray(X), X, np.float64),
    "strided": (np.repeat(X, 2, axis=0)[::2], X, np.float64),
    "nothing hidden": (NOTHING_HIDDEN, X, np.float64),
    "no mask": (np.ma.array(X), X, np.float64),
    "dask": (da.from_array(X, chunks=2), X, np.float64),
    "dask float32": (da.from_array(X.astype("f4")), X, np.float32),
    "frame": (FRAME, X, np.float64),
    "frame float32": (FRAME.astype("f4"), X, np.float32),
    "frame float32 and 64": (FRAME.astype({"a": "f4"}), X, np.float32),
    "frame float and bool": (
        pd.DataFrame({"a": X[:, 0], "b": WHOLE[:, 1].astype(bool)}),
        np.c_[X[:, 0], WHOLE[:, 1]],
        np.float64,
    ),
    "nullable": (pd.DataFrame(WHOLE, dtype="Int64"), WHOLE, np.float64),
    "nullable floats": (FRAME.astype("Float32"), X, np.float32),
    "nullable bools": (
        pd.DataFrame(WHOLE.astype(bool), dtype="boolean"),
        WHOLE,
        np.float64,
    ),
    "polars": (Polars(("Float64", True), ("Boolean", False)), X, np.float64),
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_views_of_every_type_are_read_alike(kind):
    view, numbers, stored = ACCEPTED[kind]
    array, eps = check_view(view, "view 0", n_features=2)
    assert type(array) is np.ndarray and array.dtype == np.float64
    np.testing.assert_array_equal(array, numbers)
    assert eps == max(FLOAT64_EPS, np.finfo(stored).eps)
    assert np.max(precision(view)) == eps
    # By rows, and beside another view.
    pair, coarsest = check_views([view, X])
    for rows, parts, seen in view_slabs([view, X]):
        np.testing.assert_array_equal(parts[0], numbers[rows])
        assert max(map(np.max, seen)) == coarsest == eps
    np.testing.assert_array_equal(pair[0], numbers)


REFUSED = {
    "masked": (HIDDEN, "a mask hides 2 of the values"),
    "rows masked": (list(HIDDEN), "a mask hides 2 of the values"),
    "dask masked": (da.from_array(HIDDEN, chunks=2), "a mask hides 2"),
    "one dask part masked": (
        da.concatenate([da.from_array(X), da.from_array(HIDDEN)]),
        "a mask hides 2",
    ),
    "NaN": (np.where(X == 0, np.nan, X), "NaN"),
    "infinite": (np.where(X == 0, np.inf, X), "infinity"),
    "NA": (FRAME.astype("Float64").replace({0.0: pd.NA}), "NaN"),
    "NA whole": (pd.DataFrame([[1, 2], [pd.NA, 3]], dtype="Int64"), "NaN"),
    "dates": (np.c_[DATES, DATES], "dates .datetime64"),
    "NaT": (np.full((6, 2), np.datetime64("NaT")), "dates .datetime64"),
    "spans": (np.c_[DATES, DATES] - DATES[0], "spans of time .timedelta64"),
    "column of dates": (FRAME.assign(b=DATES), "'b' .datetime64"),
    "column of spans": (FRAME.assign(b=DATES - DATES[0]), "'b' .timedelta64"),
    "objects": (X.astype(object), "Python objects.*np.asarray.*dtype=float"),
    "None": ([[1.0, 2.0], [None, 3.0]], "Python objects"),
    "column of objects": (FRAME.astype({"b": object}), "'b' .object.*astype"),
    "categories": (FRAME.astype({"a": "category"}), "'a' .category"),
    "column of text": (FRAME.assign(b=list("uvwxyz")), "'b' "),
    "text": (X.astype(str), "text"),
    "bytes": (X.astype("S"), "text"),
    "complex": (X + 0j, "[Cc]omplex"),
    "complex column": (FRAME.assign(b=1j), "'b' .complex128"),
    "records": (np.zeros((6, 2), "f8,f8"), "records"),
    "vector": (X[:, 0], "2D"),
    "series": (FRAME["a"], "2"),
    "no columns": (X[:, :0], "0 feature"),
    "ragged": ([[1.0], [1.0, 2.0]], "inhomogeneous"),
    "number": (3.0, "2D"),
    "None itself": (None, ""),
    "mixed names": (FRAME.set_axis(["a", 1], axis=1), "some are not: 'a', 1"),
    "one name twice": (FRAME.set_axis(["a", "a"], axis=1), "is called 'a'"),
    "polars text": (Polars(("Float64", True), ("String", False)), "'b' .Stri"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_view_is_refused_in_words(kind):
    view, message = REFUSED[kind]
    with pytest.raises(ValueError, match=f"(?s)^view 0.*{message}"):
        check_view(view, "view 0")
    with pytest.raises(ValueError, match="^view 1"):
        check_views([X, view])
    with pytest.raises(ValueError, match="^view 1"):
        list(view_slabs([X, view]))
    with pytest.raises(ValueError, match="^view 'b'"):
        check_views({"a": X, "b": view})


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "?"])
@pytest.mark.parametrize("family", ["array", "matrix"])
def test_rows_of_sparse_views_are_made_dense(kind, dtype, family, monkeypatch):
    monkeypatch.setattr("perfalign._checks._views.SLAB", 8)
    view = getattr(sparse, f"{kind}_{family}")(WHOLE.astype(dtype))
    slabs = list(view_slabs([X, view]))
    assert [rows.start for rows, _, _ in slabs] == [0, 2, 4]
    stored = dtype if dtype[0] == "f" else "f8"
    for rows, (_, part), (_, eps) in slabs:
        assert type(part) is np.ndarray and part.dtype == np.float64
        np.testing.assert_array_equal(part, WHOLE[rows])
        assert eps == np.finfo(stored).eps
    with pytest.raises(ValueError, match="(?s)view 1.*[Ss]parse.*toarray"):
        check_views([X, view])


def test_sparse_views_are_checked_as_dense_ones():
    hole = sparse.csr_array(np.where(X == 0, np.nan, X))
    for view, message in [
        (hole, "NaN"),
        (sparse.coo_array(X + 0j), "[Cc]omplex"),
        (sparse.csr_array(X[:, :0]), "0 feature"),
    ]:
        with pytest.raises(ValueError, match=f"(?s)^view 1.*{message}"):
            list(view_slabs([X, view]))
    with pytest.raises(ValueError, match="view 0: 6 rows, view 1: 4 rows"):
        list(view_slabs([X, sparse.csr_array(X[:4])]))


WEIGHTS = {
    "list": [0, 1, 2, 0.5, 1, 1],
    "float32": np.array([0, 1, 2, 0.5, 1, 1], "f4"),
    "series": pd.Series([0, 1, 2, 0.5, 1, 1]),
    "dask": da.from_array(np.array([0, 1, 2, 0.5, 1, 1])),
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_of_every_type(kind):
    weights = check_weights(WEIGHTS[kind], 6, like=FRAME)
    assert type(weights) is np.ndarray and weights.dtype == np.float64
    np.testing.assert_array_equal(weights, WEIGHTS["list"])


@pytest.mark.parametrize(
    "weights, message",
    [
        ([1, 2], r"^sample_weight has shape \(2,\); wanted .* 6 rows"),
        (1.0, "^sample_weight"),
        (np.ones((6, 1)), r"has shape \(6, 1\)"),
        ([1, 1, -1, 1, 1, 1], "^sample_weight is -1 in row 2"),
        ([1, 1, np.nan, 1, 1, 1], "^sample_weight: .*NaN"),
        ([1, 1, np.inf, 1, 1, 1], "^sample_weight: .*infinity"),
        (list("abcdef"), "^sample_weight"),
        (np.ma.array(np.ones(6), mask=[0, 1, 0, 0, 0, 0]), "a mask hides 1"),
        (pd.Series(np.ones(6), index=range(1, 7)), "Labels of rows differ"),
    ],
)
def test_what_is_no_weight_is_refused_in_words(weights, message):
    with pytest.raises(ValueError, match=message):
        check_weights(weights, 6, like=FRAME)


def test_columns_must_have_their_names():
    def check(frame):
        return check_view(frame, "view 0", columns=("a", "b"))

    for view in (FRAME, X, FRAME.set_axis([0, 1], axis=1)):
        np.testing.assert_array_equal(check(view)[0], X)
    np.testing.assert_array_equal(check_view(FRAME, "v", columns=None)[0], X)
    with pytest.raises(ValueError, match=r"another order: column 0 is 'b'; "):
        check(FRAME[["b", "a"]])
    with pytest.raises(ValueError, match=r"Missing: 'b'; new: 'c'\."):
        check(FRAME.rename(columns={"b": "c"}))
    with pytest.raises(ValueError, match=r"Missing: none; new: 'c'\."):
        check(FRAME.assign(c=1.0))
    with pytest.raises(ValueError, match="'a', 'b', 'c', …"):
        wide = FRAME.assign(c=1.0, d=1.0)
        check_view(wide[list("badc")], "view", columns=tuple("abcd"))


def test_names_of_columns():
    assert column_names(FRAME) == ("a", "b")
    assert column_names(Polars()) == ("a", "b")
    for other in (X, X.tolist(), FRAME["a"], FRAME.set_axis([0, 1], axis=1)):
        assert column_names(other) is None
    two_levels = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    assert column_names(FRAME.set_axis(two_levels, axis=1)) is None


def test_labels_of_rows_must_agree():
    other = pd.DataFrame(WHOLE, index=FRAME.index)
    check_views([FRAME, other])
    check_views([FRAME, X])
    check_views([FRAME, other.set_axis(np.arange(6.0))])
    turned = FRAME.iloc[::-1]
    with pytest.raises(
        ValueError,
        match=r"(?s)differ in 6 of 6 places: row 0 is 0 in view 0 and 5 in "
        r"view 2;.*same rows in another order.*\.loc\[",
    ):
        check_views([FRAME, X, turned])
    with pytest.raises(ValueError, match=r"1 of 6.*row 5 is 5 .* 9 .*reset_i"):
        check_views({"a": FRAME, "b": other.rename(index={5: 9})})
    with pytest.raises(ValueError, match=r"row 0 is 0 .* '0' "):
        list(view_slabs([FRAME, other.set_axis(list("012345"))]))
    check_views([FRAME, without_row_labels(turned)])
    assert without_row_labels(X) is X


def test_a_signature_says_what_makes_views_the_same():
    named = Signature.of({"seen": FRAME, "heard": X[:, :1]})
    assert named == Signature((2, 1), (("a", "b"), None), ("seen", "heard"))
    assert len(named) == 2 and named.only(0).feature_names == (("a", "b"),)
    heard = X[:, :1]
    plain = Signature.of([X.tolist(), heard])
    assert plain == Signature((2, 1), (None, None), None)

    for views in ({"heard": heard, "seen": FRAME}, [FRAME, heard]):
        checked, _ = check_views(views, like=named)
        np.testing.assert_array_equal(checked[0], X)
        np.testing.assert_array_equal(checked[1], heard)
    with pytest.raises(ValueError, match="Missing: 'heard'; new: 'touched'"):
        check_views({"seen": X, "touched": heard}, like=named)
    with pytest.raises(ValueError, match="view 'seen' has the columns of the"):
        check_views([FRAME[["b", "a"]], heard], like=named)
    with pytest.raises(ValueError, match="dict of views, 'a', 'b'; wanted a"):
        check_views({"a": X, "b": heard}, like=plain)
    with pytest.raises(ValueError, match="Seen 3 views; wanted 2"):
        check_views([X, heard, X], like=plain)
    with pytest.raises(ValueError, match="view 1 has shape .*1 features"):
        list(view_slabs([X, X], like=plain))
    with pytest.raises(ValueError, match="view 'seen'"):
        list(slabs([FRAME[["b", "a"]]], ["view 'seen'"], named.only(0)))

    framed = Signature.of([FRAME, heard])
    assert plain.joined(framed) == framed.joined(plain) == framed
    for one, other in [(plain, named), (named, plain)]:
        with pytest.raises(ValueError, match="Seen views with the names"):
            one.joined(other)
    with pytest.raises(ValueError, match="view 0 has the columns"):
        framed.joined(Signature.of([FRAME[["b", "a"]], heard]))
    with pytest.raises(ValueError, match="Seen .2, 1. and .2, 2. features"):
        plain.joined(Signature.of([X, X]))
    with pytest.raises(ValueError, match="names 'a', 'b'; wanted 'seen', 'h"):
        named.joined(Signature.of({"a": X, "b": heard}))


@pytest.mark.parametrize("wrong", [True, False, -1, 2, 0.0, "x", None, "b"])
def test_a_view_is_found_by_place_or_name(wrong):
    plain, named = Signature.of([X, X]), Signature.of({"a": X, "b": X})
    assert plain.position(1) == plain.position(np.int8(1)) == 1
    assert named.position("b") == named.position(1) == 1
    with pytest.raises(ValueError, match="no view .*from 0 to 1"):
        plain.position(wrong)
    with pytest.raises(ValueError, match="no sense 'c'.*called 'a', 'b'"):
        named.position("c", "sense")


@pytest.mark.parametrize(
    "views, message",
    [
        (X, "a list of matrices, one a view, or a dict.*seen ndarray"),
        (None, "seen NoneType"),
        (iter([X, X]), "seen list_iterator"),
        ({0: X, 1: X}, "must be strings; seen 0, 1"),
        ({(0, 1): (X, X)}, "must be strings"),
        ({"a": X}, "at least two views; seen 1"),
        ({}, "at least two views; seen 0"),
        ([X], "at least two views; seen 1"),
        ([X, X[:4]], "view 0: 6 rows, view 1: 4 rows"),
        ({"a": X, "b": X[:4]}, "view 'a': 6 rows, view 'b': 4 rows"),
    ],
)
def test_what_is_no_list_of_views_is_refused(views, message):
    for check in (check_views, lambda views: list(view_slabs(views))):
        with pytest.raises(ValueError, match=message):
            check(views)


def test_a_dict_is_a_list_with_names():
    assert as_list([1, 2]) == ([1, 2], None)
    assert as_list((1, 2), ("a", "b")) == ([1, 2], None)
    assert as_list({"b": 1, "a": 2}) == ([1, 2], ("b", "a"))
    assert as_list({"b": 1, "a": 2}, ["a", "b"]) == ([2, 1], ("a", "b"))


def test_blocks_without_rows_where_they_are_allowed():
    empty = [X[:0], FRAME[:0], pd.DataFrame(X[:0])]
    for view in empty:
        assert check_view(view, "v", allow_empty=True)[0].shape == (0, 2)
    (found,) = view_slabs(empty, allow_empty=True)
    assert [part.shape for part in found[1]] == [(0, 2)] * 3
    with pytest.raises(ValueError, match="view .: .*0 sample"):
        list(view_slabs(empty))


def test_arrays_on_disk_are_read_in_slabs(on_disk, monkeypatch):
    (whole,) = view_slabs([on_disk, X])
    np.testing.assert_array_equal(whole[1][0], X)
    monkeypatch.setattr("perfalign._checks._views.SLAB", 8)
    found = list(view_slabs([on_disk, X]))
    assert [rows.start for rows, _, _ in found] == [0, 2, 4]
    assert all(np.shares_memory(parts[0], on_disk) for _, parts, _ in found)
    assert SLAB > 8
    # What a later slab hides is noticed when its turn comes.
    with pytest.raises(ValueError, match="view 0: a mask hides 1"):
        late = np.ma.array(X, mask=np.arange(12).reshape(6, 2) == 11)
        list(view_slabs([late, X]))


LABELS = {
    "strings": list("abacab"),
    "array of strings": np.array(list("abacab")),
    "objects": np.array(list("abacab"), dtype=object),
    "series": pd.Series(list("abacab")),
    "string dtype": pd.Series(list("abacab"), dtype="string"),
    "NumPy's strings": np.array(list("abacab"), dtype=np.dtypes.StringDType()),
    "categories": pd.Categorical(list("abacab")),
    "series of categories": pd.Series(list("abacab"), dtype="category"),
    "column": np.array(list("abacab"))[:, np.newaxis],
    "ints": [0, 1, 0, 2, 0, 1],
    "int8": np.array([0, 1, 0, 2, 0, 1], dtype=np.int8),
    "int objects": np.array([0, 1, 0, 2, 0, 1], dtype=object),
    "nullable ints": pd.array([0, 1, 0, 2, 0, 1], dtype="Int64"),
    "categories of ints": pd.Categorical([0, 1, 0, 2, 0, 1]),
    "whole floats": [0.0, 1.0, 0.0, 2.0, 0.0, 1.0],
    "masked nowhere": np.ma.array([0, 1, 0, 2, 0, 1]),
    "dask": da.from_array(np.array([0, 1, 0, 2, 0, 1])),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_every_type(kind):
    labels = check_labels(LABELS[kind], 6, "y")
    assert type(labels) is np.ndarray and labels.dtype.kind != "O"
    classes, numbers = np.unique(labels, return_inverse=True)
    np.testing.assert_array_equal(numbers, [0, 1, 0, 2, 0, 1])
    wanted = list("abc") if classes.dtype.kind == "U" else [0, 1, 2]
    assert classes.tolist() == wanted


@pytest.mark.parametrize(
    "bools",
    [
        [True, False],
        np.array([True, False], dtype=object),
        pd.array([True, False], dtype="boolean"),
    ],
)
def test_labels_may_be_yes_and_no(bools):
    labels = check_labels(bools, 2, "y")
    assert labels.dtype == bool and labels.tolist() == [True, False]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "y, message",
    [
        (["a", None, "b"], r"^y has no label \(None\) in row 1"),
        (["a", np.nan, None], "in row 1, 2"),
        ([0.0, np.nan, 1.0], r"no label \(nan\) in row 1"),
        ([None, None, None], "in row 0, 1, 2"),
        (pd.Series(["a", None, "b"]), "in row 1"),
        (pd.Series(["a", None, "b"], dtype="string"), "in row 1"),
        (pd.Categorical(["a", None, "b"]), "in row 1"),
        (pd.Categorical([1, None, 2]), "in row 1"),
        (pd.array([1, None, 2], dtype="Int64"), "in row 1"),
        (pd.array([True, None, False], dtype="boolean"), "in row 1"),
        (np.ma.array([0, 1, 2], mask=[0, 1, 0]), "y: a mask hides 1"),
        ([0.5, 1.0, 2.0], "not whole, such as 0.5"),
        ([1.0, np.inf, 2.0], "not whole, such as inf"),
        ([1j, 2.0, 3.0], "types complex, float"),
        (np.array([1j, 2.0, 3.0]), "^y: Complex"),
        (["a", 1, 2.5], "types float, int, str"),
        (np.array(["a", 1, 2], dtype=object), "types int, str"),
        ([(1, 2), (1,), (3,)], "of the types tuple"),
        (pd.date_range("2020", periods=3), "^y holds dates"),
        ([0, 1], "^y has 2 labels; wanted 3, one for each row"),
        (np.eye(3), "^y should be a 1d array"),
        (1, "^y should be a 1d array"),
        (None, "^y has no label"),
    ],
)
def test_what_is_no_label_is_refused_in_words(y, message):
    with pytest.raises(ValueError, match=message):
        check_labels(y, 3, "y")


def test_labels_belong_to_their_rows():
    y = pd.Series(list("abacab"))
    check_labels(y, 6, "y", like=FRAME)
    check_labels(y[::-1], 6, "y", like=X)
    with pytest.raises(ValueError, match="row 0 is 0 in the view and 5 in y"):
        check_labels(y[::-1], 6, "y", like=FRAME)
