"""Columns that number the rows are named, and what is no identifier is not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_digits, load_wine

from sksmooth import BesovSmoothnessEstimator, report
from sksmooth.exceptions import FewTermsWarning, IdentifierWarning

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")


def fitted(X, y):
    return BesovSmoothnessEstimator(5, random_state=0).fit(X, y)


def cautions(X, y):
    """The texts of warnings of identifiers."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator = fitted(X, y)
    texts = [str(w.message) for w in caught if issubclass(w.category, IdentifierWarning)]
    kept = [c for c in estimator.decay_.cautions if isinstance(c, IdentifierWarning)]
    assert len(texts) == len(kept) <= 1
    return texts


@pytest.fixture(scope="module")
def wine():
    """Sorted by class, as it comes."""
    return load_wine(return_X_y=True, as_frame=True)


ORDERS = {
    "as it comes": lambda n: np.arange(n),
    "reversed": lambda n: np.arange(n)[::-1],
    "shuffled": lambda n: np.random.RandomState(0).permutation(n),
    "filtered": lambda n: np.arange(0, n, 3),
    "a sample": lambda n: np.random.RandomState(0).permutation(n)[: n // 2],
}


@pytest.mark.parametrize("rows", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("first", [0, 1, 1_000_000])
def test_a_column_of_row_numbers_is_named(wine, rows, first):
    X, y = wine
    rows = rows(len(X))
    X = X.assign(key=np.arange(first, first + len(X))).iloc[rows]
    (text,) = cautions(X, y.iloc[rows])
    assert "Column key looks like an identifier" in text
    assert "X.drop(columns=['key'])" in text
    assert cautions(X.drop(columns=["key"]), y.iloc[rows]) == []  # as it says
    (text,) = cautions(X.to_numpy(), y.iloc[rows])
    assert "Column x13 looks" in text
    assert "np.delete(X, [13], axis=1)" in text
    assert cautions(np.delete(X.to_numpy(), [13], axis=1), y.iloc[rows]) == []


def test_an_identifier_beside_noise(tmp_path):
    """Labels that are sorted by it: a perfect fit, with the reason."""
    rng = np.random.RandomState(0)
    X = pd.DataFrame(rng.normal(size=(600, 3)), columns=list("abc")).assign(id=range(600))
    y = np.repeat([0, 1], 300)
    with pytest.warns(IdentifierWarning, match="Column id .* 100 % of the importance"):
        estimator = fitted(X, y)
    assert "Column id looks like an identifier; drop it." in " ".join(
        str(estimator).split()
    )
    page = report(estimator, title="Key")
    assert "Column id looks like an identifier" in page
    # The result does not depend on the order of the rows.
    order = rng.permutation(600)
    assert fitted(X.iloc[order], y[order]).alpha_ == pytest.approx(estimator.alpha_)


@pytest.mark.parametrize("name", ["Unnamed: 0", "Unnamed: 0.1", "Unnamed: 12", ""])
def test_an_index_that_was_read_as_a_column_is_named_however_important(name):
    rng = np.random.RandomState(0)
    X = pd.DataFrame(rng.uniform(size=(500, 1)), columns=["a"])
    X.insert(0, name, np.arange(500))
    order = rng.permutation(500)
    X, y = X.iloc[order], (X["a"] > 0.5).astype(int).iloc[order]
    (text,) = cautions(X, y)
    assert f"X.drop(columns=['{name}'])" in text
    assert " 0 % of the importance" in text


def test_a_frame_that_read_csv_has_read(tmp_path, wine):
    X, y = wine
    X.to_csv(tmp_path / "once.csv")
    once = pd.read_csv(tmp_path / "once.csv")
    once.to_csv(tmp_path / "twice.csv")
    twice = pd.read_csv(tmp_path / "twice.csv")
    (text,) = cautions(twice, y)
    assert "Columns Unnamed: 0.1, Unnamed: 0 look like identifiers" in text
    names = "['Unnamed: 0.1', 'Unnamed: 0']"
    assert f"X.drop(columns={names})" in text
    assert "2 columns (Unnamed: 0.1, Unnamed: 0) look like" in " ".join(
        str(fitted(twice, y)).split()
    )


NO_IDENTIFIERS = {
    "sorted measurements": lambda rng: np.sort(rng.normal(size=300)),
    "sorted counts": lambda rng: np.sort(rng.poisson(50, size=300)),
    "whole measurements": lambda rng: rng.randint(0, 10**9, size=300),
    "hours": lambda rng: np.arange(300) / 24,
    "blocks": lambda rng: np.arange(300) // 3,
    "gaps": lambda rng: np.where(np.arange(300) == 5, np.nan, np.arange(300)),
}


@pytest.mark.parametrize("column", NO_IDENTIFIERS.values(), ids=NO_IDENTIFIERS)
def test_measurements_are_no_identifiers(column):
    rng = np.random.RandomState(0)
    values = column(rng)
    X = np.column_stack([values, rng.normal(size=300)])
    y = (np.nan_to_num(values) > np.nanmedian(values)).astype(int)
    assert cautions(X, y) == []


def test_data_sets_and_ranks_are_no_identifiers(wine):
    X, y = wine
    assert cautions(X, y) == []
    assert cautions(*load_digits(return_X_y=True)) == []
    assert cautions(X.sample(frac=1, random_state=0).rank(method="first"), y) == []


def test_a_time_index_is_measured_all_the_same():
    time = np.arange(1000.0)[:, None]
    y = np.sin(time[:, 0] / 200)
    with pytest.warns(IdentifierWarning, match="Unless it is meant to be a feature"):
        estimator = fitted(time, y)
    assert estimator.alpha_ == fitted(time + 0.5, y).alpha_
    assert estimator.explained_ > 0.99


def test_sparse_features(wine):
    X, y = wine
    X = np.column_stack([X.to_numpy(), np.arange(len(X))])
    (text,) = cautions(sparse.csr_matrix(X), y)
    assert "x13" in text


def test_one_filter_silences_it(wine):
    X, y = wine
    X = X.assign(key=range(len(X)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", IdentifierWarning)
        fitted(X, y)
    assert [w.category for w in caught] == [FewTermsWarning]
