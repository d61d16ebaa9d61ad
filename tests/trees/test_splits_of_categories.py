"""Splits of categories into two subsets."""

from itertools import combinations

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth.samples import Samples, encode_targets
from sksmooth.trees import Growth, grow, prune_tree
from sksmooth.trees.categories import order_categories
from sksmooth.trees.exact_sums import growth_samples
from sksmooth.trees.grower import Search, grow_trees

KINDS = ["numbers", "two classes", "three classes", "vectors"]


def samples_of(codes, y, *numbers, weights=None):
    """Samples of one column of categories, and columns of numbers."""
    targets, classes = encode_targets(y)
    codes = np.asarray(codes, dtype=float)
    X = np.column_stack([codes, *numbers])
    weights = np.ones(len(X)) if weights is None else np.asarray(weights, dtype=float)
    n_categories = int(np.nanmax(codes)) + 1
    return Samples(X, y, targets, weights, classes, category_counts={0: n_categories})


def targets_of(kind, codes, rng):
    effects = rng.normal(size=(codes.max() + 1, 2))
    values = effects[codes] + 0.3 * rng.normal(size=(len(codes), 2))
    if kind == "numbers":
        return values[:, 0]
    if kind == "vectors":
        return values
    return np.digitize(values[:, 0], [0] if kind == "two classes" else [-0.5, 0.5])


def squared_error(values):
    return np.sum((values - values.mean(axis=0)) ** 2) if len(values) else 0.0


@pytest.mark.parametrize("kind", ["numbers", "two classes"])
@pytest.mark.parametrize("seed", range(5))
def test_a_split_is_the_best_of_all_subsets(kind, seed):
    """As Fisher shows: of categories in the order of their means, the best cut is best."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.repeat(np.arange(7), 30))  # of equal size: shrunk alike
    samples = samples_of(codes, targets_of(kind, codes, rng))
    grown = grow(samples, Growth(1, max_depth=1, random_state=0))
    (leaves,) = grown.leaves
    values = samples.targets.values
    found = sum(squared_error(values[leaves == leaf]) for leaf in (1, 2))
    best = min(
        squared_error(values[np.isin(codes, some)])
        + squared_error(values[~np.isin(codes, some)])
        for size in range(1, 4)
        for some in combinations(range(7), size)
    )
    assert_allclose(found, best)


@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 1000),
    n_categories=st.integers(1, 40),
    missing=st.floats(0, 0.5),
)
def test_places_are_told_by_the_samples_of_other_folds(kind, seed, n_categories, missing):
    """Of rare categories in growth; the targets of a fold do not move its own samples."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(n_categories, size=80)
    folds = rng.integers(5, size=80)
    weights = rng.integers(1, 3, size=80)
    y = targets_of(kind, codes, rng)
    if kind != "vectors" and len(np.unique(y)) < 3:
        return
    given_codes = np.where(rng.uniform(size=80) < missing, np.nan, codes)
    counts = {0: n_categories}
    X = given_codes[:, None]
    own = growth_samples(encode_targets(y)[0], weights.astype(float))
    columns, places = order_categories(X, counts, own, folds)
    assert_array_equal(np.isnan(columns), np.isnan(X))
    seen = np.unique(given_codes[~np.isnan(given_codes)]).astype(int)
    assert np.isfinite(places.places[seen]).all()
    assert np.isnan(np.delete(places.places, seen)).all()
    in_bag = np.bincount(codes[~np.isnan(given_codes)], weights[~np.isnan(given_codes)])
    for code in seen:
        same = given_codes == code
        if in_bag[code] >= 20:  # enough that one sample moves little
            assert_array_equal(columns[same, 0], places.places[code])
        else:
            for fold in range(5):
                assert len(np.unique(columns[same & (folds == fold), 0])) < 2


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 1000))
def test_places_do_not_depend_on_the_order_of_samples_or_the_names_of_categories(
    kind, seed
):
    rng = np.random.default_rng(seed)
    codes, folds = rng.integers(6, size=(2, 90)) % [[6], [5]]
    y = targets_of(kind, codes, rng)
    own = growth_samples(encode_targets(y)[0], np.ones(90))
    columns, places = order_categories(codes[:, None] * 1.0, {0: 6}, own, folds)
    shuffled, renamed = rng.permutation(90), rng.permutation(6)
    columns_too, places_too = order_categories(
        renamed[codes][shuffled, None] * 1.0, {0: 6}, own.take(shuffled), folds[shuffled]
    )
    assert_allclose(columns_too, columns[shuffled], atol=1e-9)
    assert_allclose(places_too.places[renamed], places.places, atol=1e-9)


def test_many_names_do_not_hide_what_explains():
    """Each name is that of few samples: in the bag they tell all, and elsewhere nothing."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=600)
    y = (x > 0.5).astype(int) ^ (rng.uniform(size=600) < 0.1)
    samples = samples_of(rng.integers(200, size=600), y, x)
    grown = grow(samples, Growth(5, max_depth=1, max_samples=0.8, random_state=0))
    assert [tree.feature[0] for tree in grown.forest.trees] == [1] * 5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("max_bins", [None, 20])
def test_all_searches_grow_the_same_trees(kind, max_bins):
    rng = np.random.default_rng(0)
    codes = rng.integers(12, size=300)
    y = targets_of(kind, codes, rng)
    samples = samples_of(codes, y, rng.uniform(size=(300, 4)))
    growth = Growth(3, max_features=2, max_samples=0.8, max_bins=max_bins, random_state=0)
    forests = [
        grow_trees(samples, growth, lambda *_, chosen=chosen, **__: chosen)
        for chosen in (Search.PRESORTED, Search.SAMPLED)
    ]
    for first, second in zip(forests[0][0].trees, forests[1][0].trees, strict=True):
        assert_array_equal(first.feature, second.feature)
        assert_array_equal(first.threshold, second.threshold)
    assert_array_equal(forests[0][2], forests[1][2])


def test_categories_of_many_samples_are_split_by_histograms_too():
    rng = np.random.default_rng(0)
    codes = rng.integers(300, size=4000)  # more than there are bins
    y = targets_of("numbers", codes, rng)
    samples = samples_of(codes, y, rng.uniform(size=4000))
    growth = Growth(1, max_depth=4, random_state=0)
    by_bins, by_values = (
        grow_trees(samples, growth, lambda *_, chosen=chosen, **__: chosen)
        for chosen in (Search.HISTOGRAM, Search.PRESORTED)
    )
    values = samples.targets.values
    for _, _, (leaves,) in (by_bins, by_values):
        left = sum(squared_error(values[leaves == leaf]) for leaf in np.unique(leaves))
        assert left < 0.2 * squared_error(values)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_trees_do_not_depend_on_workers_or_the_order_of_samples(backend):
    rng = np.random.default_rng(0)
    codes = rng.integers(40, size=300)
    y, x = targets_of("three classes", codes, rng), rng.uniform(size=300)
    growth = Growth(4, max_samples=0.8, random_state=0)
    alone = grow(samples_of(codes, y, x), growth)
    shuffled = rng.permutation(300)
    with joblib.parallel_config(backend, n_jobs=2):
        other = grow(samples_of(codes[shuffled], y[shuffled], x[shuffled]), growth)
    assert_array_equal(other.leaves, alone.leaves[:, shuffled])
    for one, two in zip(alone.forest.trees, other.forest.trees, strict=True):
        assert_allclose(one.threshold, two.threshold, atol=1e-9)


def test_unknown_categories_go_where_missing_ones_do():
    rng = np.random.default_rng(0)
    codes = np.where(rng.uniform(size=400) < 0.2, np.nan, rng.integers(6, size=400))
    y = (np.isnan(codes) | (codes > 3)).astype(int)
    grown = grow(samples_of(codes, y), Growth(1, max_samples=0.8, random_state=0))
    missing = grown.forest.apply(np.array([[np.nan]]))
    assert_array_equal(y[grown.leaves[0] == missing[0, 0]], 1)


def test_pruned_trees_keep_the_places():
    rng = np.random.default_rng(0)
    codes = rng.integers(12, size=300)
    grown = grow(samples_of(codes, targets_of("numbers", codes, rng)), Growth(1))
    (tree,) = grown.forest.trees
    wanted = np.zeros(tree.n_nodes, dtype=bool)
    wanted[tree.left[0]] = True
    pruned, nodes = prune_tree(tree, wanted)
    assert pruned.places is tree.places
    assert_array_equal(nodes, [0, tree.left[0], tree.right[0]])
