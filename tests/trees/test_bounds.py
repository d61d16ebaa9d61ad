"""Features that cannot win are not scanned, which must change no tree.

Sixteen sorted features at a time, and histograms of classes, are bounded in single
precision first. The trees are compared with the plain reference, in as many features as a
bound needs, and where it is tight: for ties, two features that are nearly as good, few and
many classes, weights of any size, and values that are missing.
"""

import numpy as np
import pytest
import reference
from numba import njit
from numpy.testing import assert_array_equal
from test_grow import assert_is_reference, grown, small_nodes, values_of

from sksmooth.trees.lanes import LANES
from sksmooth.trees.sorting import MOST_ROWS, sort_columns

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.TargetTypeWarning")
SEEDS = range(2)


def wide_data(n_classes, n=60, n_features=3 * LANES + 1, n_values=None, seed=0):
    """Many features, of which pairs are equal but for one sample."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n, n_features))
    if n_values is not None:
        X = rng.randint(0, n_values, size=X.shape).astype(float)
    X[:, 1::2] = X[:, :-1:2]
    X[seed, 1::2] = rng.choice(X[:, 0], size=len(X[0, 1::2]))
    y = rng.permutation(np.arange(n) % n_classes)
    return X, y


def assert_trees_of_the_reference(X, y, weights=None, unit=1.0, **options):
    weights = np.ones(len(y)) if weights is None else weights
    own = dict(n_estimators=1, max_samples=1.0, **options)
    forest, _, leaves = grown(X, y, weights * unit, **own)
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    expected = reference.grow_tree(X, values_of(y), weights, seed, **options)
    assert_is_reference(forest.trees[0], expected, leaves[0])


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_values", [None, 4])
@pytest.mark.parametrize("n_classes", [2, 10, 24, 25])
def test_bounds_of_classes_change_no_tree(n_classes, n_values, seed):
    X, y = wide_data(n_classes, n_values=n_values, seed=seed)
    assert_trees_of_the_reference(X, y)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_values", [None, 4])
def test_bounds_of_numbers_change_no_tree(n_values, seed):
    X, y = wide_data(9, n_values=n_values, seed=seed)
    assert_trees_of_the_reference(X, y - 4.0)


@pytest.mark.parametrize("unit", [2.0**-100, 2.0**100])
@pytest.mark.parametrize("kind", ["equal", "different"])
def test_bounds_of_weighted_samples_change_no_tree(unit, kind):
    X, y = wide_data(4)
    weights = np.ones(60) if kind == "equal" else 1.0 + np.arange(60) % 3
    assert_trees_of_the_reference(X, y, weights, unit)


def test_bounds_of_missing_values_change_no_tree():
    X, y = wide_data(5)
    X[np.random.RandomState(0).uniform(size=X.shape) < 0.1] = np.nan
    X[:, ::3] = np.arange(60)[:, None] % np.arange(2, 19)
    assert_trees_of_the_reference(X, y)


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 28])
def test_bounds_of_tried_features_change_no_tree(n_classes):
    X, y = wide_data(n_classes, n_features=8 * LANES)
    assert_trees_of_the_reference(X, y, max_features=2 * LANES + 3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_classes", [2, 17, 40])
@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("weights", ["none", "whole", "small"])
def test_bounds_of_histograms_change_no_tree(n_classes, missing, weights, seed):
    # Of few values, bins are exact.
    X, y = wide_data(n_classes, n=120, n_values=40, seed=seed)
    rng = np.random.RandomState(seed)
    X[rng.uniform(size=X.shape) < missing] = np.nan
    weights = {
        "none": np.ones(120),
        "whole": 1.0 + np.arange(120) % 3,
        "small": 2.0**-100 * (1.0 + np.arange(120) % 3),
    }[weights]
    options = dict(n_estimators=1, max_samples=1.0)
    exact = grown(X, y, weights, **options)
    with small_nodes(1):
        binned = grown(X, y, weights, **options)
    # Cuts of equal scores may differ by the order in which they are tried.
    sizes = [np.sort(np.bincount(leaves[0])) for _, _, leaves in (exact, binned)]
    assert_array_equal(*sizes)


@njit
def _sorted(values, numbers, n):
    sort_columns(values, numbers, n)


@pytest.mark.parametrize("dtype", [np.uint32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 17, 100, 257, MOST_ROWS])
def test_columns_are_sorted_with_their_numbers(n, dtype):
    values = np.random.RandomState(n).randint(0, 2 * n, size=(n, LANES)).astype(dtype)
    numbers = np.repeat(np.arange(n, dtype=np.uint32)[:, None], LANES, axis=1)
    ours, own_numbers = values.ravel().copy(), numbers.ravel().copy()
    _sorted(ours, own_numbers, n)
    ours, own_numbers = ours.reshape(n, LANES), own_numbers.reshape(n, LANES)
    assert_array_equal(ours, np.sort(values, axis=0))
    assert_array_equal(np.take_along_axis(values, own_numbers.astype(int), 0), ours)
    assert_array_equal(np.sort(own_numbers, axis=0), numbers)
