import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from sksmooth.samples.targets import encode_targets
from sksmooth.samples.units import SamplingUnits, column_ranges, draw_bags, sampling_units

# ---------------------------------------------------------------- subsamples


def bags_of(unit, fraction, weights=None, n_trees=3, seed=0):
    unit = np.asarray(unit)
    weights = np.ones(len(unit)) if weights is None else weights
    rng = np.random.RandomState(seed)
    return draw_bags(SamplingUnits(unit), weights, n_trees, fraction, rng)


fractions = st.floats(0.01, 1.0)
uneven_weights = st.lists(st.floats(0.1, 2.0), min_size=2, max_size=30).map(np.array)


def number_drawn(n, fraction):
    """How many of n are drawn: one at least, and not all unless all are asked for."""
    return n if fraction == 1 else min(max(round(fraction * n), 1), max(n - 1, 1))


@given(uneven_weights, fractions)
def test_bags_hold_a_fraction_of_the_units_whole(weights, fraction):
    # Exactly: what is left of a weight is the weight out of the bag, and a difference
    # by rounding would be taken for a sample.
    bags = bags_of(np.arange(len(weights)), fraction, weights)
    assert_array_equal((bags == 0) | (bags == weights), True)
    assert_array_equal((bags > 0).sum(axis=1), number_drawn(len(weights), fraction))


def test_a_fraction_below_one_leaves_something_out():
    assert_array_equal(bags_of(np.arange(600), 0.9999).sum(axis=1), [599] * 3)
    assert_array_equal(bags_of(np.arange(600), 1.0), 1.0)
    assert_array_equal(bags_of([0], 0.3), 1.0)  # the only sample is in the bag


@given(st.lists(st.integers(1, 4), min_size=2, max_size=20), fractions)
def test_weight_w_is_w_repeats(repeats, fraction):
    repeats = np.array(repeats)
    units = np.arange(len(repeats))
    weighted = bags_of(units, fraction, repeats.astype(float))
    repeated = bags_of(np.repeat(units, repeats), fraction)
    starts = np.cumsum(repeats) - repeats
    assert_array_equal(weighted, np.add.reduceat(repeated, starts, axis=1))


def test_bags_follow_the_numbers_of_the_units():
    unit = np.array([3, 1, 4, 0, 2])
    assert_array_equal(bags_of(unit, 0.5), bags_of(np.arange(5), 0.5)[:, unit])


def test_trees_get_different_bags_and_every_sample_its_turn():
    bags = bags_of(np.arange(50), 0.5, n_trees=40)
    assert len(np.unique(bags, axis=0)) == 40
    # In how many of 40 bags: binomial(40, 1/2), 20 +- 5 standard deviations of 3.2.
    assert (np.abs((bags > 0).sum(axis=0) - 20) < 16).all()


# ---------------------------------------------------------------- canonical order


rows_with_equals = st.integers(0, 10**6).map(
    lambda seed: (
        np.random.RandomState(seed).randint(0, 4, size=(30, 2)) / 3,
        np.random.RandomState(seed + 1).randint(0, 3, size=30),
        np.random.RandomState(seed + 2).randint(1, 5, size=30).astype(float),
    )
)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@given(rows_with_equals)
def test_equal_samples_are_one_unit_unless_their_target_is_contested(convert, rows):
    X, y, weights = rows
    unit = sampling_units((convert(X),), y, weights).unit
    same_features = (X[:, None, :] == X[None, :, :]).all(axis=2)
    contested = (same_features & (y[:, None] != y[None, :])).any(axis=1)
    together = same_features & ~contested[:, None] | np.eye(len(y), dtype=bool)
    assert_array_equal(unit[:, None] == unit[None, :], together)
    assert_array_equal(np.unique(unit), np.arange(unit.max() + 1))


@pytest.mark.parametrize(("n_distinct", "n_each"), [(2, 4), (24, 4), (25, 20), (100, 20)])
def test_rows_are_units_where_features_take_a_few_values(n_distinct, n_each):
    """So many rows to each of a few distinct ones are no copies; more to each of many."""
    X = np.repeat(np.arange(n_distinct, dtype=float), n_each)[:, None]
    y = X[:, 0] % 2
    n_rows = len(X)
    assert sampling_units((X,), y, np.ones(n_rows)).n_units == n_rows
    assert sampling_units((X[1:],), y[1:], np.ones(n_rows - 1)).n_units == n_distinct


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@given(rows_with_equals, st.integers(0, 1000))
def test_units_do_not_depend_on_the_order_of_the_rows(convert, rows, seed):
    X, y, weights = rows
    shuffle = np.random.RandomState(seed).permutation(len(y))
    first = sampling_units((convert(X),), y, weights).unit
    second = sampling_units((convert(X[shuffle]),), y[shuffle], weights[shuffle]).unit
    # Equal samples of equal weight may change places.
    samples = np.column_stack([X, y, weights])
    assert_array_equal(
        samples[np.lexsort((weights, first))],
        samples[shuffle][np.lexsort((weights[shuffle], second))],
    )


def test_units_do_not_depend_on_other_outputs_of_equal_rows():
    # Rows 0 and 1 differ in their second output only.
    X = np.array([[0.0], [0.0], [1.0]])
    Y = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 3.0]])
    shuffle = [1, 0, 2]
    first, second = (
        sampling_units((X[rows],), encode_targets(Y[rows])[0].tie_break, np.ones(3)).unit
        for rows in ([0, 1, 2], shuffle)
    )
    assert_array_equal(first[shuffle], second)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_units_do_not_depend_on_positive_scales_of_the_columns(convert):
    rng = np.random.RandomState(0)
    X, y, ones = rng.uniform(size=(60, 4)), rng.randint(0, 2, size=60), np.ones(60)
    expected = sampling_units((convert(X),), y, ones).unit
    for scale in ([2.0, 0.25, 1024.0, 1.0], [1e300, 1e-300, 1e-308, 3.0]):
        assert_array_equal(sampling_units((convert(X * scale),), y, ones).unit, expected)


@pytest.mark.parametrize("outlier", [1e20, -1e20, -999.0])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_outliers_do_not_merge_the_others(convert, outlier):
    X = np.random.RandomState(0).uniform(size=(100, 1))
    X[:3] = outlier
    canonical = sampling_units((convert(X),), np.zeros(100), np.ones(100))
    assert canonical.n_units == 98


def test_units_are_counted_in_the_bag():
    canonical = SamplingUnits(np.array([0, 0, 1, 2]))
    bags = np.array([[1.0, 0.0, 0.0, 2.0], [0.0, 0.0, 1.0, 0.0]])
    assert canonical.count_in_bag(bags) == 1.5


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_column_ranges_are_those_of_the_values(convert):
    X = np.array([[0.0, -4e300, 3.0], [2e-300, 0.0, 3.0], [0.0, -1.0, 3.0]])
    low, high = column_ranges(convert(X))
    assert_array_equal(low, [0.0, -4e300, 3.0])
    assert_array_equal(high, [2e-300, 0.0, 3.0])
    assert low.dtype == high.dtype == np.float64
