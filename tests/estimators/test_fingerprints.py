"""Features of two values, and counts: the same numbers in every form, and what they say."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from sksmooth import BesovSmoothnessEstimator, sample_roughness

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

N = 400


def bits(n_bits=1024, n=N):
    """Bits that are rarely set, ten that are often, one that never is, and an empty row."""
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(n, n_bits)) < 0.05
    X[:, :10] = rng.uniform(size=(n, 10)) < 0.4
    X[:, n_bits // 2] = False
    X[n // 3] = False
    return X


def counts(n_bits=1024, n=N):
    X = bits(n_bits, n)
    return np.where(X, np.random.RandomState(2).randint(1, 9, size=X.shape), 0)


def activities(X, noise=0.3):
    """Ten features matter, and the assay has an error."""
    error = np.random.RandomState(3).standard_normal(len(X))
    return X[:, :10] @ np.linspace(1, 2, 10) + noise * error


def numbers(X, y):
    fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, y)
    shares = fitted.explained_, fitted.noise_, fitted.oob_score_
    roughness = sample_roughness(
        X, y, estimator=BesovSmoothnessEstimator(3, random_state=0)
    )
    rates = fitted.alpha_, fitted.score(X, y), fitted.n_relevant_
    return *rates, *shares, *roughness.roughness


@pytest.mark.parametrize("dtype", ["bool", "u1", "i4", "u4", "i8", "f4"])
@pytest.mark.parametrize("of", [np.asarray, pd.DataFrame, sparse.csr_array])
@pytest.mark.parametrize("make", [bits, counts])
def test_every_form_has_the_same_numbers(make, of, dtype):
    if make is counts and dtype == "bool":
        return
    X = make(n_bits=200)
    y = activities(X)
    assert numbers(of(X.astype(dtype)), y) == numbers(X.astype(float), y)


@pytest.mark.parametrize("n_bits", [166, 1024])
def test_sparse_bits_have_the_numbers_of_dense_ones(n_bits):
    X = bits(n_bits)
    y = activities(X)
    assert numbers(sparse.csc_matrix(X), y) == numbers(X, y)


def test_integers_that_float32_has_not_are_read_exactly():
    """Counts of more than 2^24 in two neighbours, which float32 would make one."""
    X = np.repeat([[2**24], [2**24 + 1]], 50, axis=0)
    y = np.repeat([0.0, 1.0], 50)
    for of in (np.asarray, pd.DataFrame, sparse.csr_matrix):
        assert BesovSmoothnessEstimator(3, random_state=0).fit(of(X), y).explained_ == 1


@pytest.mark.parametrize("dtype", ["i4", "i8"])
def test_counts_take_the_memory_of_float32(dtype):
    X = counts(n=2000).astype(dtype)
    y = activities(X)
    estimator = BesovSmoothnessEstimator(2, max_depth=2, random_state=0)
    estimator.fit(X, y)  # compiles its loops
    tracemalloc.start()
    estimator.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * X.size  # 4 bytes an entry, its bin, its rank, and a check of X


def test_sparse_bits_do_not_become_dense():
    X = sparse.random(5000, 2048, density=0.02, format="csr", random_state=0)
    X.data[:] = 1
    y = np.asarray(X[:, :20].sum(axis=1)).ravel()
    estimator = BesovSmoothnessEstimator(2, max_depth=2, random_state=0)
    estimator.fit(X.astype(np.uint8), y)
    tracemalloc.start()
    estimator.fit(X.astype(np.uint8), y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * X.shape[0] * X.shape[1]


def test_a_few_bits_are_finitely_many_boxes():
    """So there is no rate: ``alpha_`` says so, while the shares are what they should be."""
    X = np.random.RandomState(0).uniform(size=(3000, 8)) < 0.5
    y = X @ np.array([4.0, 2, 1, 0, 0, 0, 0, 0])
    error = np.random.RandomState(1).standard_normal(3000)
    exact = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    assert exact.explained_ == pytest.approx(1)
    assert exact.signal_alpha_ == np.inf
    assert exact.alpha_interval_[1] == np.inf
    noisy = BesovSmoothnessEstimator(random_state=0).fit(X, y + 2 * error)
    share = 4 / np.var(y + 2 * error)
    assert noisy.noise_ == pytest.approx(share, abs=0.05)
    assert noisy.explained_ == pytest.approx(1 - share, abs=0.05)


def test_copies_explain_nothing_but_other_assays_do():
    """A row and its copy are one: fingerprints with two values show the noise instead."""
    X = bits(64, 300)
    noise = np.random.RandomState(1).standard_normal(300)
    once = BesovSmoothnessEstimator(random_state=0).fit(X, noise)
    thrice = BesovSmoothnessEstimator(random_state=0).fit(
        np.repeat(X, 3, 0), noise.repeat(3)
    )
    assert_allclose(thrice.explained_, once.explained_, atol=0.01)
    assert thrice.explained_ < 0.1
    y = activities(X, noise=0)
    y = (y - y.mean()) / y.std()
    error = np.random.RandomState(2).standard_normal(900)
    assays = BesovSmoothnessEstimator(random_state=0).fit(
        np.repeat(X, 3, 0), y.repeat(3) + error
    )
    assert assays.explained_ < 0.6
    assert assays.noise_ > 0.3


@pytest.mark.filterwarnings("always::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize("of", [np.asarray, sparse.csr_matrix])
def test_fingerprints_without_any_bit_say_that_no_feature_separates(of):
    X = of(np.zeros((60, 64), dtype=np.uint8))
    with pytest.warns(UserWarning, match="No feature separates the samples"):
        fitted = BesovSmoothnessEstimator(random_state=0).fit(X, np.arange(60.0))
    assert fitted.alpha_ == fitted.explained_ == 0
