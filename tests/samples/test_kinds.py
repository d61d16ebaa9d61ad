"""Class labels or numbers: what the dtype and the values of targets say."""

import datetime
import decimal
import enum
import fractions
import itertools
import os
import subprocess
import sys
import uuid
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sksmooth import BesovSmoothnessEstimator, SimplexEncoder, WaveletForestClassifier
from sksmooth.exceptions import TargetTypeWarning
from sksmooth.samples import encode_labels, encode_targets, encode_values, label_codes

CODES = np.random.RandomState(0).permutation(np.arange(60) % 3)


class Colour(enum.Enum):
    RED, BLUE, GREEN = 3, 1, 2


class Text(enum.StrEnum):
    B, A, C = "b", "a", "c"


def as_objects(values):
    vector = np.empty(len(values), dtype=object)
    vector[:] = list(values)
    return vector


def labelled(names):
    return as_objects([names[code] for code in CODES])


# ---------------------------------------------------------------- labels of any type

# In the order of their classes.
LABELS = {
    "intervals": [pd.Interval(0, 1), pd.Interval(0, 2), pd.Interval(1, 2)],
    "tuples": [(1, "a"), (1, "b"), (2, "a")],
    "tuples of several lengths": [("a",), ("a", "b"), ("b",)],
    "enum": [Colour.BLUE, Colour.GREEN, Colour.RED],
    "enum of text": [Text.A, Text.B, Text.C],
    "bytes": [b"a", b"b", b"c"],
    "dates": [datetime.date(2020, 1, day) for day in (1, 2, 3)],
    "timestamps": [pd.Timestamp(2020, 1, day, tz="UTC") for day in (1, 2, 3)],
    "periods": [pd.Period(f"2020-{month}", "M") for month in (1, 2, 3)],
    "decimals": [decimal.Decimal(text) for text in ("0.1", "0.2", "10")],
    "fractions": [fractions.Fraction(text) for text in ("1/3", "1/2", "1")],
    "uuid": [uuid.UUID(int=number) for number in (1, 2, 10)],
    "sets": [frozenset("ab"), frozenset("b"), frozenset("c")],
    "types": [float, int, str],
    "large": [2, 3, 10**30],
    "truth": [False, True],
    "text and numbers": [2.5, 1, "a"],
    "text and numbers of one type": [2, 10, "1"],
    "numbers and tuples": [7, ("a", 1), (1, 2)],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_whatever_can_be_hashed(kind):
    names = LABELS[kind]
    y = labelled(names if len(names) == 3 else [*names, names[0]])
    for given in (y, y.tolist(), pd.Series(y, dtype=object)):
        encoder = SimplexEncoder().fit(given)
        assert encoder.classes_.tolist() == names
        assert list(map(type, encoder.classes_.tolist())) == list(map(type, names))
        assert encoder.inverse_transform(encoder.transform(given)).tolist() == y.tolist()
        for encode in (encode_targets, encode_labels):
            targets, classes = encode(given)
            assert classes.tolist() == names
            assert classes[targets.codes].tolist() == y.tolist()
            assert targets.caution is None


@pytest.mark.parametrize("kind", LABELS)
def test_classes_do_not_depend_on_the_order_of_the_rows(kind):
    for names in itertools.permutations(LABELS[kind]):
        assert encode_targets(as_objects(names))[1].tolist() == LABELS[kind]


def test_the_order_of_objects_is_the_same_in_every_process():
    code = """
import numpy as np, sksmooth
y = np.array([frozenset(word) for word in ("abc", "bcd", "cde", "xyz")] + [None])[:-1]
classes = sksmooth.SimplexEncoder().fit(y).classes_
print(["".join(sorted(label)) for label in classes])
"""
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "012"
    }
    assert printed == {"['abc', 'bcd', 'cde', 'xyz']\n"}


def test_equal_objects_of_several_types_are_one_label():
    for y in itertools.permutations([1, True, 1.0, "a"]):
        assert [repr(label) for label in encode_targets(as_objects(y))[1]] == [
            "True",
            "'a'",
        ]


@pytest.mark.parametrize("kind", ["intervals", "text and numbers", "tuples", "enum"])
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_labels_of_any_type_are_measured_and_predicted_as_text_is(kind):
    X, names = np.c_[CODES, np.arange(60) % 7], LABELS[kind]
    y, text = labelled(names), np.array(list("abc"))[CODES]
    measured, as_text = (
        BesovSmoothnessEstimator(3, random_state=0).fit(X, labels) for labels in (y, text)
    )
    assert measured.alpha_ == as_text.alpha_
    assert measured.score(X, y) == as_text.score(X, text)
    assert measured.score(X[:9], y[:9].tolist()) == as_text.score(X[:9], text[:9])
    for options in ({}, {"n_terms": "cv"}):
        forest = WaveletForestClassifier(5, random_state=0, **options).fit(X, y)
        expected = WaveletForestClassifier(5, random_state=0, **options).fit(X, text)
        assert forest.classes_.tolist() == names
        assert forest.score(X, y) == expected.score(X, text) == 1.0
        assert forest.predict(X).tolist() == y.tolist()
        assert vars(forest).get("oob_score_") == vars(expected).get("oob_score_")


def test_labels_of_other_types_than_the_fitted_ones_are_refused():
    classes = as_objects([pd.Interval(0, 1), pd.Interval(1, 2)])
    for y in (["a", "b"], [0, 1], as_objects([(1, 2), (2, 3)])):
        with pytest.raises(ValueError, match="labels of the same type"):
            encode_targets(y, classes=classes, n_outputs=1)
    new, _ = encode_targets(
        as_objects([pd.Interval(1, 2), pd.Interval(5, 6)]), classes=classes, n_outputs=1
    )
    assert_array_equal(new.codes, [1, -1])


def test_labels_of_objects_and_of_arrays_are_the_same():
    for first, second in [
        (np.array(["a", "b"]), as_objects(["b", "c"])),
        (as_objects([1, "b"]), np.array(["b", "c"])),
        (as_objects(["x", 2]), np.array([2, 3])),
    ]:
        codes, others = label_codes(first, second)
        assert sorted(codes) == [0, 1]
        assert others[1] == -1
        assert others[0] == codes[list(first).index(second[0])]


# ---------------------------------------------------------------- categories

CATEGORIES = {
    "Series": lambda values: pd.Series(values, dtype="category"),
    "Categorical": pd.Categorical,
    "Index": pd.CategoricalIndex,
    "column": lambda values: pd.DataFrame({"y": pd.Series(values, dtype="category")}),
    "Arrow": lambda values: (
        pytest.importorskip("pyarrow").array(values).dictionary_encode()
    ),
    "Arrow table": lambda values: pytest.importorskip("pyarrow").table(
        {"y": pytest.importorskip("pyarrow").array(values).dictionary_encode()}
    ),
    "Arrow in pandas": lambda values: pd.Series(
        pd.arrays.ArrowExtensionArray(CATEGORIES["Arrow"](values))
    ),
}


@pytest.mark.parametrize("kind", CATEGORIES)
@pytest.mark.parametrize("names", [[0.5, 1.5, 2.5], [0.0, 1.0, 2.0], [-7, 3, 8]])
@pytest.mark.filterwarnings("error", "ignore::sklearn.exceptions.DataConversionWarning")
def test_categories_are_classes_whatever_they_are_called(kind, names):
    y = CATEGORIES[kind](np.array(names)[CODES])
    for encode in (encode_targets, encode_labels):
        targets, classes = encode(y)
        assert_array_equal(classes, names)
        assert_array_equal(targets.codes, CODES)
        assert targets.caution is None
    assert_array_equal(SimplexEncoder().fit(y).classes_, names)
    assert_array_equal(encode_values(y)[0].values[:, 0], np.array(names)[CODES])


@pytest.mark.parametrize("dtype", ["Categorical", "Enum"])
def test_categories_of_polars_are_classes(dtype):
    polars = pytest.importorskip("polars")
    kind = polars.Categorical if dtype == "Categorical" else polars.Enum(["a", "b", "c"])
    y = polars.Series(np.array(list("bca"))[CODES]).cast(kind)
    targets, classes = encode_targets(y)
    assert_array_equal(classes, ["a", "b", "c"])
    assert_array_equal(classes[targets.codes], np.array(list("bca"))[CODES])


def test_intervals_of_cut_are_classes():
    values = np.linspace(0.5, 2.5, 60)
    cut = pd.cut(values, [0, 1, 2, 3])
    assert encode_targets(cut)[1].tolist() == list(cut.categories)
    assert encode_targets(pd.Series(cut).astype(object))[1].tolist() == list(cut.categories)


@pytest.mark.parametrize(
    "y",
    [
        CODES > 0,
        pd.Series(CODES > 0, dtype="boolean"),
        (CODES > 0).astype(object),
        pd.Series(CODES > 0).astype("category"),
        (CODES > 0).tolist(),
    ],
)
def test_truth_values_are_classes(y):
    targets, classes = encode_targets(y)
    assert classes.tolist() == [False, True]
    assert_array_equal(targets.codes, CODES > 0)


@pytest.mark.parametrize("dtype", ["category", "boolean", "string", "Int64"])
def test_missing_categories_are_refused(dtype):
    y = pd.Series(["0", "1", None] * 5 if dtype == "string" else [0, 1, None] * 5)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        encode_targets(y.astype(dtype))


def test_one_labelling_at_a_time():
    y = pd.DataFrame({"a": CODES / 2, "b": CODES}).astype({"a": "category"})
    for columns in (["a", "b"], ["a", "a"]):
        with pytest.raises(ValueError, match="categories in 2 columns"):
            encode_targets(y[columns])


@pytest.mark.parametrize("encode", [encode_targets, encode_values])
def test_several_columns_of_text_are_refused_by_what_they_are(encode):
    for y in (pd.DataFrame({"a": ["x", "y"] * 5, "b": 1}), [["x", "y"]] * 10):
        with pytest.raises(
            ValueError, match=r"y holds text .*'x'.* class labels are a single"
        ):
            encode(y)


# ---------------------------------------------------------------- whole numbers


def prices(n, seed=0):
    return np.rint(np.exp(np.random.RandomState(seed).normal(7.8, 1, n))).astype(int)


def drawn(low, high, n):
    return np.random.RandomState(0).randint(low, high, n)


NUMBERS = {
    "prices": prices(54_000),
    "prices of few rows": prices(60),
    "prices of several hundred rows": prices(300),
    "counts with a long tail": np.random.RandomState(0).negative_binomial(1, 0.01, 2000),
    "identifiers": 10**9 + np.random.RandomState(0).permutation(10**6)[:2000],
    "progression of a disease": drawn(25, 347, 442),
    "objects": prices(300).astype(object),
    "unsigned": prices(300).astype(np.uint64),
    "nullable": pd.Series(prices(300), dtype="Int64"),
    "a column": prices(300)[:, None],
}
CLASSES = {
    "digits": np.arange(1797) % 10,
    "CIFAR-100": np.arange(50_000) % 100,
    "a thousand of five": np.arange(5000) % 1000,
    "a thousand at random": drawn(0, 1000, 5000),
    "from one": 1 + np.arange(2000) % 200,
    "counts of few": np.random.RandomState(0).poisson(3, 2000),
    "numbers without an order": np.random.RandomState(0).permutation(10**5)[:200][
        np.arange(10_000) % 200
    ],
}
MAY_BE_EITHER = {
    "ages": drawn(18, 91, 5000),
    "years": drawn(1950, 2021, 3000),
    "temperatures": drawn(-20, 40, 1000),
    "tens": 10 * (np.arange(5000) % 50),
}


def folds_of(y):
    """The whole, then parts as cross-validation takes them."""
    order = np.random.RandomState(1).permutation(len(y))
    for share in (1.0, 0.9, 0.8, 2 / 3, 0.5):
        part = order[: round(share * len(y))]
        yield y.iloc[part] if hasattr(y, "iloc") else y[part]


@pytest.mark.parametrize("kind", NUMBERS)
def test_many_whole_numbers_are_numbers_in_every_fold(kind):
    for y in folds_of(NUMBERS[kind]):
        with pytest.warns(
            TargetTypeWarning, match=r"taken as regression targets.*astype\(str\)"
        ) as w:
            targets, classes = encode_targets(y)
        assert len(w) == 1
        assert targets.caution is w[0].message
        assert classes is None
        assert_array_equal(targets.values.ravel(), np.asarray(y, dtype=float).ravel())


@pytest.mark.parametrize("kind", [*CLASSES, *MAY_BE_EITHER])
def test_numbers_of_classes_are_classes_in_every_fold(kind):
    for y in folds_of({**CLASSES, **MAY_BE_EITHER}[kind]):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            targets, classes = encode_targets(y)
        assert_array_equal(classes, np.unique(y))
        assert_array_equal(classes[targets.codes], y)
        if kind in MAY_BE_EITHER:
            (warning,) = caught
            assert warning.category is TargetTypeWarning
            assert "as class labels" in str(warning.message)
            assert "y.astype(float)" in str(warning.message)


@pytest.mark.filterwarnings("error")
def test_whoever_says_what_they_are_is_not_asked():
    y = MAY_BE_EITHER["ages"]
    assert encode_targets(y.astype(float))[1] is None
    for labels in (y.astype(str), pd.Series(y, dtype="category")):
        assert len(encode_targets(labels)[1]) == 73


@pytest.mark.parametrize("kind", ["prices of several hundred rows", "identifiers"])
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_whole_numbers_are_scored_as_they_are_fitted(kind):
    y = NUMBERS[kind][:400]
    X = np.c_[np.log(y), np.arange(len(y)) % 7]
    of_integers = BesovSmoothnessEstimator(3, random_state=0).fit(X, y)
    of_floats = BesovSmoothnessEstimator(3, random_state=0).fit(X, y.astype(float))
    assert not hasattr(of_integers, "classes_")
    assert of_integers.alpha_ == of_floats.alpha_
    few = np.flatnonzero(y < np.median(y))[:8]  # which alone would be classes
    assert of_integers.score(X[few], y[few]) == of_floats.score(X[few], y[few] * 1.0)
    assert "TargetTypeWarning" in [type(c).__name__ for c in of_integers.decay_.cautions]


@pytest.mark.parametrize(
    "kind",
    [
        decimal.Decimal,
        fractions.Fraction,
        lambda price: decimal.Decimal(price) / 100,
        lambda price: price * 10**20,  # beyond the integers of NumPy
    ],
)
def test_many_objects_that_are_numbers_are_numbers(kind):
    """As databases give decimals."""
    y = [kind(int(price)) for price in prices(300)]
    with pytest.warns(TargetTypeWarning, match="taken as regression targets"):
        targets, classes = encode_targets(y)
    assert classes is None
    assert_array_equal(targets.values.ravel(), [float(number) for number in y])
    few = [kind(int(code)) for code in CODES]
    assert encode_targets(few)[1].tolist() == sorted(set(few))


# ---------------------------------------------------------------- memory


@pytest.mark.parametrize(
    ("encode", "gigabytes"), [(encode_targets, "39"), (encode_labels, "1,215")]
)
def test_classes_beyond_the_memory_of_a_computer_are_refused(
    encode, gigabytes, monkeypatch
):
    y = np.char.mod("item %d", np.arange(54_000) % 9000)
    with pytest.raises(
        ValueError, match=f"9000 classes in 54000 samples.* {gigabytes} GB"
    ) as error:
        encode(y)
    for way_out in ("astype(float)", "merge", "max_samples", "SKSMOOTH_MAX_GIGABYTES"):
        assert way_out in str(error.value)
    monkeypatch.setenv("SKSMOOTH_MAX_GIGABYTES", "0.001")
    with pytest.raises(ValueError, match=r"more than 0\.001 GB"):
        encode(np.arange(500) % 50)


@pytest.mark.parametrize("fit", ["BesovSmoothnessEstimator", "WaveletForestClassifier"])
def test_estimators_refuse_classes_before_they_take_memory(fit):
    import sksmooth

    X, y = np.zeros((54_000, 1)), prices(54_000).astype(str)
    with pytest.raises(ValueError, match=r"GB of memory.* y\.astype\(float\)"):
        getattr(sksmooth, fit)().fit(X, y)


def test_fewer_rows_are_a_way_out(monkeypatch):
    monkeypatch.setenv("SKSMOOTH_MAX_GIGABYTES", "0.0005")
    X = np.random.RandomState(0).uniform(size=(2000, 2))
    y = (5 * X[:, 0]).astype(int)
    with pytest.raises(ValueError, match="max_samples"):
        BesovSmoothnessEstimator(3).fit(X, y)
    assert BesovSmoothnessEstimator(3, max_samples=100).fit(X, y).n_samples_ == 300


# ---------------------------------------------------------------- dates

DAYS = pd.Series(pd.to_datetime("2020-01-01") + pd.to_timedelta(np.arange(20), "D"))
DATES = {
    "datetime64": DAYS.to_numpy(),
    "Series": DAYS,
    "time zone": DAYS.dt.tz_localize("UTC"),
    "period": DAYS.dt.to_period("D"),
    "timedelta": DAYS - DAYS[0],
    "column": DAYS.to_frame("day"),
}


@pytest.mark.parametrize("kind", DATES)
def test_dates_are_neither_classes_nor_numbers(kind):
    y = DATES[kind]
    with pytest.raises(ValueError, match="y holds dates or durations") as error:
        encode_targets(y)
    for way_out in ("np.timedelta64(1, 'D')", "astype('int64')", "astype(str)"):
        assert way_out in str(error.value)
    with pytest.raises(ValueError, match="y holds dates or durations"):
        encode_values(y)


@pytest.mark.parametrize("kind", ["datetime64", "Series", "time zone", "timedelta"])
def test_dates_may_be_encoded_as_the_error_says(kind):
    dates = pd.Series(DATES[kind])
    days = (dates - dates.min()) / np.timedelta64(1, "D")
    assert_array_equal(encode_targets(days)[0].values[:, 0], np.arange(20.0))
    assert encode_targets(np.repeat(DATES[kind], 2).astype(str))[1].shape == (20,)


def test_dates_of_any_dtype_are_classes_where_labels_are_asked_for():
    y = np.repeat(DAYS.to_numpy()[:2], 3)
    assert_array_equal(encode_labels(y)[1], DAYS.to_numpy()[:2])
    assert_array_equal(
        encode_targets(pd.Series(y, dtype="category"))[0].codes, [0] * 3 + [1] * 3
    )
