"""How columns of categories are found and numbered, and how text is refused."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sksmooth import BesovSmoothnessEstimator
from sksmooth.samples import read_features

N = 60
rng = np.random.RandomState(0)
NUMBERS, LETTERS = rng.uniform(size=N), rng.choice(list("dacb"), N)
Y = np.isin(LETTERS, ["a", "d"]).astype(int)
FRAME = pd.DataFrame({"number": NUMBERS, "letter": pd.Categorical(LETTERS)})
CODES = np.searchsorted(list("abcd"), LETTERS)
CODED = np.column_stack([NUMBERS, CODES])

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")


def read(X, **options):
    return read_features(X, BesovSmoothnessEstimator(**options))


def test_a_categorical_dtype_is_numbered_whatever_its_values_are():
    for values in (
        LETTERS,
        CODES / 2,
        CODES > 1,
        pd.cut(CODES, [-1, 0, 1, 2, 3]),
        np.array([None, "x", 1, (2, 3)], dtype=object)[CODES],
    ):
        frame = FRAME.assign(letter=pd.Categorical(values))
        column = read(frame)[:, 1]
        missing = pd.isna(pd.Series(values))
        assert_array_equal(np.isnan(column), missing)
        assert len(np.unique(column[~missing])) == pd.Series(values).nunique()
        assert_array_equal(
            np.unique(column[~missing]), np.arange(pd.Series(values).nunique())
        )


def test_the_order_of_a_dtype_is_that_of_the_numbers_and_unused_categories_have_none():
    dtype = pd.CategoricalDtype(["d", "never", "c", "b", "a"], ordered=True)
    column = read(FRAME.assign(letter=FRAME.letter.astype(dtype)))[:, 1]
    assert_array_equal(column, 3 - CODES)


@pytest.mark.parametrize("columns", [[1], [-1], [1, 1], [False, True], ["letter"]])
@pytest.mark.parametrize("dtype", [object, "category", str])
def test_columns_are_named_by_position_mask_or_name(columns, dtype):
    X = read(FRAME.astype({"letter": dtype}), categorical_features=columns)
    assert_array_equal(X, read(FRAME))
    if columns != ["letter"]:
        array = np.array(FRAME.astype(object))
        assert_array_equal(read(array, categorical_features=columns), X)
        assert_array_equal(read(array.tolist(), categorical_features=columns), X)


def test_numbers_can_be_named_as_categories():
    X = np.column_stack([NUMBERS, 10.0 * CODES])
    X[3, 1] = np.nan
    read_ones = read(X, categorical_features=[1])
    expected = np.column_stack([NUMBERS, CODES])
    expected[3, 1] = np.nan
    assert_array_equal(read_ones, expected)


def test_frames_of_polars_are_read_as_those_of_pandas():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"number": NUMBERS, "letter": LETTERS})
    for dtype in (pl.Categorical, pl.Enum(list("dcba"))):
        X = read(frame.with_columns(pl.col("letter").cast(dtype)))
        assert_array_equal(X, read(FRAME))


def test_dictionaries_of_arrow_are_categories():
    pa = pytest.importorskip("pyarrow")
    dtype = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    assert_array_equal(read(FRAME.astype({"letter": str}).astype({"letter": dtype})), CODED)


def test_a_column_without_any_category_says_nothing():
    """And what it holds later is not known."""
    empty = FRAME.assign(letter=pd.Categorical([None] * N))
    estimator = BesovSmoothnessEstimator(5, random_state=0).fit(empty, Y)
    assert_array_equal(estimator.is_categorical_, [False, True])
    numbers = FRAME.assign(letter=np.nan)
    expected = BesovSmoothnessEstimator(5, random_state=0).fit(numbers, Y)
    assert estimator.alpha_ == expected.alpha_
    assert estimator.score(FRAME, Y) == expected.score(numbers, Y)


def test_new_samples_are_numbered_as_the_fitted_ones():
    estimator = BesovSmoothnessEstimator()
    read_features(FRAME, estimator)
    letters = pd.Categorical(["b", "new", None, "a"])
    new = pd.DataFrame({"number": NUMBERS[:4], "letter": letters})
    assert_array_equal(
        read_features(new, estimator, reset=False)[:, 1], [1, np.nan, np.nan, 0]
    )
    assert_array_equal(estimator.is_categorical_, [False, True])
    assert new.letter.isna().sum() == 1  # it stays as it is
    read_features(NUMBERS[:, None], estimator)
    assert estimator.is_categorical_ is None


def test_only_what_is_asked_for_is_a_category():
    numbers = FRAME.assign(letter=pd.Categorical(10.0 * CODES))
    assert_array_equal(read(numbers, categorical_features=None)[:, 1], 10 * CODES)
    assert_array_equal(read_features(numbers)[:, 1], 10 * CODES)
    assert_array_equal(read(numbers)[:, 1], CODES)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["size"], r"names columns that X does not have: \['size'\]"),
        ([2], "beyond the 2 features"),
        ([True], r"mask of shape \(1,\), but X has 2"),
        ([0.5], "positions or names or a mask"),
    ],
)
def test_columns_that_are_not_there_are_refused(columns, words):
    with pytest.raises(ValueError, match=words):
        read(FRAME, categorical_features=columns)


def test_sparse_matrices_have_no_categories():
    X = sparse.csr_matrix(np.column_stack([NUMBERS, CODES]))
    with pytest.raises(
        ValueError, match="sparse matrices cannot have columns of categories"
    ):
        read(X, categorical_features=[1])


@pytest.mark.parametrize(
    "X",
    [
        FRAME.astype({"letter": object}),
        FRAME.astype({"letter": str}),
        FRAME.astype({"letter": "string"}),
        FRAME.assign(letter=np.where(CODES > 2, "text", CODES.astype(object))),
    ],
)
def test_text_is_refused_by_the_names_of_its_columns(X):
    words = "text, not numbers, in the column 'letter'.*astype.*skrub.TableVectorizer"
    with pytest.raises(ValueError, match=words):
        BesovSmoothnessEstimator().fit(X, Y)
    both = X.assign(number=LETTERS)
    with pytest.raises(ValueError, match="in the columns 'number', 'letter'"):
        BesovSmoothnessEstimator().fit(both, Y)
    with pytest.raises(ValueError, match=r"in the column 1\..*categorical_features="):
        BesovSmoothnessEstimator().fit(np.array(X, dtype=object), Y)


def test_numbers_in_columns_of_objects_are_no_text():
    X = FRAME.assign(letter=CODES.astype(str)).astype({"number": object})
    assert_array_equal(read(X), np.column_stack([NUMBERS, CODES]))


def test_other_objects_are_refused_by_the_names_of_their_columns():
    X = FRAME.assign(letter=pd.cut(CODES, [-1, 0, 1, 2, 3]).astype(object))
    words = r"objects \(.*Interval'\), not numbers, in the column 'letter'.*astype"
    with pytest.raises(TypeError, match=words):
        BesovSmoothnessEstimator().fit(X, Y)


def test_the_message_of_polars_frames_helps():
    pl = pytest.importorskip("polars")
    X = pl.DataFrame({"number": NUMBERS, "letter": LETTERS})
    with pytest.raises(ValueError, match="column 'letter'") as error:
        BesovSmoothnessEstimator().fit(X, Y)
    mend = re.search(r"X = (X.cast\(.*?\)\))", str(error.value))[1]
    assert_array_equal(read(eval(mend, {"X": X, "pl": pl})), CODED)


def test_what_the_message_says_helps():
    X = FRAME.astype({"letter": object})
    with pytest.raises(ValueError, match="text") as error:
        BesovSmoothnessEstimator().fit(X, Y)
    mend = re.search(r"X = (X.astype\(.*?\))", str(error.value))[1]
    estimator = BesovSmoothnessEstimator(random_state=0)
    assert estimator.fit(eval(mend, {"X": X}), Y).explained_ > 0.9
