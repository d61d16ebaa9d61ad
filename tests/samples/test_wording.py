"""Text where numbers are needed: molecules, censored values, units; and few numbers."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sksmooth import (
    BesovSmoothnessEstimator,
    WaveletForestClassifier,
    WaveletForestRegressor,
    sample_roughness,
    smoothness_difference,
)
from sksmooth.exceptions import TargetTypeWarning

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

N = 60
SMILES = ["CCO", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "C[C@@H](N)C(=O)[O-]"] * (N // 4)
RNG = np.random.RandomState(0)
X = RNG.uniform(size=(N, 3))
Y = X[:, 0] + 5


def small():
    return BesovSmoothnessEstimator(3, random_state=0)


def width(X):
    return np.shape(X)[1] if len(np.shape(X)) == 2 else 1


MEASURES = {
    "fit": lambda X, y: small().fit(X, y),
    "score": lambda X, y: small().fit(RNG.uniform(size=(N, width(X))), Y).score(X, y),
    "regressor": lambda X, y: WaveletForestRegressor(3).fit(X, y),
    "roughness": lambda X, y: sample_roughness(X, y),
    "difference": lambda X, y: smoothness_difference(RNG.uniform(size=(N, 2)), X, y),
}
MOLECULES = {
    "list": SMILES,
    "array": np.array(SMILES),
    "series": pd.Series(SMILES),
    "column": np.array(SMILES, dtype=object)[:, None],
    "frame": pd.DataFrame({"smiles": SMILES}),
    "beside numbers": pd.DataFrame({"weight": Y, "smiles": SMILES}),
    "with names": ["CCO ethanol", "c1ccccc1 benzene"] * (N // 2),
    "of ChemAxon": ["CC1=CCCC1 |c:1|", "[Na+].[Cl-] |r|"] * (N // 2),
    "with a gap": pd.DataFrame({"smiles": [None, *SMILES[1:]]}),
    "InChI": ["InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3"] * N,
    "SELFIES": ["[C][C][O]", "[C][=Branch1][C][=O][O]"] * (N // 2),
}


@pytest.mark.parametrize("form", MOLECULES)
@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_molecules_are_told_how_they_become_features(measure, form):
    with pytest.raises(ValueError, match="molecules") as caught:
        measure(MOLECULES[form], Y)
    message = str(caught.value)
    assert "make_pipeline(ECFPFingerprint(), estimator).fit(smiles, y)" in message
    assert ("'smiles'" in message) == isinstance(MOLECULES[form], pd.DataFrame)


@pytest.mark.parametrize(
    "words",
    [["red", "green"], ["no", "yes"], ["CH", "DE"], ["A1", "B2"], ["spoon", "noon"]],
)
def test_other_text_is_none(words):
    with pytest.raises(ValueError, match="X holds text, not numbers, in the column 'word'"):
        small().fit(pd.DataFrame({"word": words * (N // 2)}), Y)


def censored(*values):
    y = np.round(Y, 3).astype(str).astype(object)
    y[3 : 3 + len(values)] = values
    return y


SIGNS = [">10000", "<5", ">= 4.5", "<=7", "~6.1", "≥5", "'>'6.2", "=5.5", ">10 uM"]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_censored_values_are_counted_and_the_first_is_named(measure, sign):
    with pytest.raises(ValueError, match="censored values") as caught:
        measure(X, censored(sign, "<5"))
    message = str(caught.value)
    assert f"(2 of 60, the first {sign!r} in row 3)" in message
    assert "errors='coerce'" in message


@pytest.mark.parametrize(
    "of",
    [
        np.array,
        list,
        pd.Series,
        lambda y: pd.Series(y, dtype="string"),
        lambda y: [float(v) if v[0].isdigit() else v for v in y],
        lambda y: pd.DataFrame({"a": Y, "b": y}),
    ],
    ids=["array", "list", "series", "strings", "numbers and text", "two columns"],
)
def test_censored_values_in_any_container(of):
    with pytest.raises(ValueError, match="censored values"):
        small().fit(X, of(censored(">10000")))


def test_the_mends_of_censored_values_work():
    y = censored(">10000", "<5")
    with pytest.raises(ValueError, match="censored") as caught:
        small().fit(X, y)
    message = str(caught.value)
    names = {"y": y, "X": X, "pd": pd}
    for start, stop in (("kept = ", ", then"), ("y = pd", ". If")):
        line = start + message.split(start, 1)[1].split(stop, 1)[0]
        exec(line, names)
    assert_array_equal(np.flatnonzero(~names["kept"]), [3, 4])
    assert_array_equal(names["y"][3:5], [10000, 5])
    small().fit(X, names["y"])
    small().fit(X[names["kept"]], y[names["kept"]].astype(float))


@pytest.mark.parametrize(
    "labels",
    [["<5", ">=5"], [">50K", "<=50K"], ["0", "1", ">1"], ["1", "2", ">=3"], ["<30", "no"]],
)
def test_a_few_bounds_are_names_of_classes(labels):
    y = np.resize(labels, N)
    assert small().fit(X, y).classes_.tolist() == sorted(labels)
    assert set(WaveletForestClassifier(3).fit(X, y).classes_) == set(labels)


def test_bounds_are_classes_where_they_are_categories():
    y = pd.Series(np.resize([">10", "2.5", "<1"], N), dtype="category")
    assert len(small().fit(X, y).classes_) == 3


def test_numbers_with_units_are_no_classes():
    y = [f"{v:.1f} {'nM' if v < 5.5 else 'µM'}" for v in Y]
    with pytest.raises(ValueError, match=r"numbers with units \(60 of 60, .*one unit"):
        small().fit(X, y)


@pytest.mark.parametrize("values", [[1.0, 2, 3], [-1.0, 0, 1]])
@pytest.mark.parametrize("n", [12, N])
def test_three_values_are_numbers_and_say_so(values, n):
    y = np.resize(values, n)
    with pytest.warns(
        TargetTypeWarning, match=r"taken as regression targets.*y.astype\(int\)"
    ):
        fitted = small().fit(X[:n], y)
    assert not hasattr(fitted, "classes_")
    assert len(small().fit(X[:n], y.astype(int)).classes_) == 3


def test_three_whole_numbers_are_classes():
    assert small().fit(X, np.resize([1, 2, 3], N)).classes_.tolist() == [1, 2, 3]


def test_many_values_say_nothing(recwarn):
    small().fit(X, np.round(Y, 1))
    assert not [w for w in recwarn if w.category is TargetTypeWarning]


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_missing_targets_are_to_be_dropped(measure):
    y = Y.copy()
    y[7] = np.nan
    with pytest.raises(ValueError, match=r"Input y contains NaN.*kept = pd.notna\(y\)"):
        measure(X, y)


@pytest.mark.parametrize("of", [np.asarray, pd.DataFrame])
def test_infinite_descriptors_are_named(of):
    bad = X.copy()
    bad[3, 1], bad[5, 2] = np.inf, -np.inf
    with pytest.raises(
        ValueError, match=r"X contains infinity.* in the columns 1, 2; .*NaN"
    ):
        small().fit(of(bad), Y)
    assert 0 <= small().fit(np.where(np.isinf(bad), np.nan, bad), Y).explained_ <= 1


@pytest.mark.parametrize("dtype", [object, str, "string"])
def test_many_decimals_as_text_are_doubted(dtype):
    """A column of a table is text if some cell once held a word."""
    values = [f"{4 + k / 10:.1f}" for k in range(40)] * 3
    words = np.where(np.arange(120) % 40 == 0, "inactive", values)
    for text in (values, words):
        y = pd.Series(text, dtype=dtype)
        with pytest.warns(TargetTypeWarning, match="text.*40 .*astype.float"):
            fitted = small().fit(np.arange(120)[:, None] % 7, y)
        assert len(fitted.classes_) == 40


@pytest.mark.parametrize(
    "labels",
    [
        [f"{k}" for k in range(40)],  # y.astype(str) says that whole numbers are classes
        [f"{k / 2}" for k in range(20)] * 2,
        [f"{k}.{k}.{k}" for k in range(40)],  # such as numbers of enzymes
        [f"v{k / 10}" for k in range(40)],
    ],
    ids=["whole", "few", "versions", "names"],
)
def test_other_labels_are_not(labels, recwarn):
    small().fit(np.arange(120)[:, None] % 7, np.array(labels * 3))
    assert not [each for each in recwarn if issubclass(each.category, TargetTypeWarning)]


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_targets_are_told_what_to_do(value):
    y = Y.copy()
    y[7] = value
    with pytest.raises(ValueError, match=r"kept = np.isfinite\(y\)"):
        small().fit(X, y)


def test_a_column_of_text_is_told_what_to_do():
    with pytest.raises(ValueError, match=r"X is one column of text.*Vectorizer"):
        small().fit(["hello world", "good bye"] * (N // 2), Y)
