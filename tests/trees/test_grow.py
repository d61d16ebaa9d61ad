import math
import warnings
from contextlib import contextmanager

import joblib
import numpy as np
import pytest
import reference
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sksmooth.exceptions import TargetTypeWarning
from sksmooth.samples.samples import Samples
from sksmooth.samples.targets import encode_targets
from sksmooth.samples.units import draw_bags, sampling_units
from sksmooth.trees import Growth, grower
from sksmooth.trees.bins import MISSING_CODE, MOST_BINS, bin_features
from sksmooth.trees.grower import Search, choose_search, grow_trees
from sksmooth.trees.kernels import MISSING_KEY, MOST_SAMPLES, SAMPLE_MASK
from sksmooth.trees.keys import keys_of_some, keys_of_values


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", TargetTypeWarning)
        yield


# How nodes are split, in all growths of a test: the package's own rule, or another one.
rules = [choose_search]


def grown(X, y, weights=None, units=None, **options):
    """Forest, bags and leaves."""
    targets, classes = encode_targets(y)
    weights = np.ones(X.shape[0]) if weights is None else weights
    samples = Samples(X, y, targets, weights, classes, joint_units=units)
    options = {"n_estimators": 2, "max_samples": 0.8, "random_state": 0, **options}
    return grow_trees(samples, Growth(**options), rules[-1])


def units_of(X, y, weights):
    return sampling_units((X,), encode_targets(y)[0].tie_break, weights)


@contextmanager
def rule(search):
    """All nodes are split as a function of their size and number of features says."""
    rules.append(search)
    yield
    rules.pop()


def small_nodes(n_samples):
    """Nodes of more samples than that are split by histograms."""

    def search(n_node, n_tree, **numbers):
        if n_node > n_samples:
            return Search.HISTOGRAM
        return choose_search(1, n_tree, **numbers)

    return rule(search)


# All nodes exactly, the smaller ones, or none with two samples.
MOST_EXACT = {"presorted": MOST_SAMPLES, "mixed": 30, "histograms": 1}
FEW_PATHS = pytest.mark.parametrize("path", ["presorted", "histograms"], indirect=True)


@pytest.fixture(params=MOST_EXACT)
def path(request):
    with small_nodes(MOST_EXACT[request.param]):
        yield request.param


def assert_same_tree(a, b):
    for name in ("left", "right", "feature", "threshold", "missing_left"):
        assert_array_equal(getattr(a, name), getattr(b, name))


def assert_same_forest(first, second):
    assert len(first.trees) == len(second.trees)
    for a, b in zip(first.trees, second.trees, strict=True):
        assert_same_tree(a, b)


def assert_same_partitions(first, second, in_bag):
    """Samples share a leaf in one if they do in the other, tree by tree."""
    for a, b, rows in zip(first, second, in_bag, strict=True):
        pairs = np.unique(np.column_stack([a[rows], b[rows]]), axis=0)
        assert len(pairs) == len(np.unique(a[rows])) == len(np.unique(b[rows]))


def splits(tree, X, rows):
    """Of every inner node, its number and the samples that go left and right."""
    held = {0: rows}
    for node in np.flatnonzero(tree.left >= 0):
        column = X[held[node], tree.feature[node]]
        missing = np.isnan(column)
        goes_left = (column <= tree.threshold[node]) | (missing & tree.missing_left[node])
        left, right = held[node][goes_left], held[node][~goes_left]
        held[tree.left[node]], held[tree.right[node]] = left, right
        yield node, left, right


def values_of(y):
    """Targets as vectors: one-hot ones of classes."""
    if y.dtype.kind == "f":
        values = y.reshape(len(y), -1)
        return values - (values.min(axis=0) + values.max(axis=0)) / 2
    return np.eye(y.max() + 1)[y]


def score_of_sides(left, right, values, weights):
    return sum(
        np.sum((weights[rows] @ values[rows]) ** 2) / weights[rows].sum()
        for rows in (left, right)
    )


def scores_of_cuts(column, values, weights):
    """Scores of all splits of some samples by one feature, and the values beside them."""
    order = np.argsort(column, kind="stable")
    column, n_present = column[order], np.sum(~np.isnan(column))
    sums = np.column_stack([weights, weights[:, None] * values])[order]
    missing, total = sums[n_present:].sum(axis=0), sums.sum(axis=0)
    ends = np.flatnonzero(np.diff(column[:n_present]) > 0)
    left = np.cumsum(sums, axis=0)
    sides = [(ends, left[ends])]
    if 0 < n_present < len(column):
        ends = np.append(ends, n_present - 1)
        sides = [(ends, left[ends]), (ends[:-1], left[ends[:-1]] + missing)]
    ends = np.concatenate([ends for ends, _ in sides])
    left = np.concatenate([part for _, part in sides])
    right = total - left
    scores = sum(np.sum(side[:, 1:] ** 2, axis=1) / side[:, 0] for side in (left, right))
    above = column[np.minimum(ends + 1, len(column) - 1)]
    return scores, column[ends], above


def best_score(X, values, weights):
    scores = [scores_of_cuts(column, values, weights)[0] for column in X.T]
    return np.concatenate(scores).max(initial=-np.inf)


def assert_splits_are_the_best(forest, X, y, bags, rtol=1e-12):
    """No split of any node has a larger score, and no leaf can be split."""
    values = values_of(y)
    for tree, bag in zip(forest.trees, bags, strict=True):
        held = {0: np.flatnonzero(bag)}
        for node, left, right in splits(tree, X, held[0]):
            held[tree.left[node]], held[tree.right[node]] = left, right
            rows = np.concatenate([left, right])
            assert len(left) > 0 < len(right)
            score = score_of_sides(left, right, values, bag)
            assert score >= best_score(X[rows], values[rows], bag[rows]) * (1 - rtol)
        for node in np.flatnonzero(tree.left < 0):
            rows = held[node]
            if (values[rows] != values[rows[0]]).any():
                assert best_score(X[rows], values[rows], bag[rows]) == -np.inf


def tied_data(kind, n=200, n_values=6, seed=0):
    """Few distinct values, and targets with noise: classes, numbers or pairs of them."""
    rng = np.random.RandomState(seed)
    X = rng.randint(0, n_values, size=(n, 4)).astype(np.float64)
    y = X[:, 0] - X[:, 1] + 2 * (X[:, 2] > 2) + rng.randint(0, 4, size=n)
    if kind == "classes":
        return X, (y % 3).astype(int)
    return X, y if kind == "numbers" else np.column_stack([y, X[:, 3] * y])


def continuous_data(kind, n=300, seed=0):
    """No two equal values in a column, all of them exact in float32."""
    rng = np.random.RandomState(seed)
    X = np.column_stack([rng.permutation(n) for _ in range(4)]) / 8.0 - 10.0
    y = X[:, 0] / 9 - np.sin(X[:, 1]) + rng.standard_normal(n)
    if kind == "classes":
        return X, np.digitize(y, [-1.5, 0.0])
    return X, y if kind == "numbers" else np.column_stack([y, X[:, 2] + y**2])


KINDS_OF_TARGETS = ["classes", "numbers", "pairs"]


def search_at_root(n_samples, n_features, n_tried=None, n_trees=2):
    n_tried = n_features if n_tried is None else n_tried
    numbers = dict(n_features=n_features, n_tried=n_tried, n_trees=n_trees)
    return choose_search(n_samples, n_samples, **numbers)


# ---------------------------------------------------------------- what decides


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("n_estimators", [1, 4])
def test_forest_does_not_depend_on_the_number_of_jobs(data, path, convert, n_estimators):
    X, y = data
    X = convert(np.where(np.abs(X) < 0.4, 0.0, X))
    # With one tree, the threads share its nodes.
    alone, bags, leaves = grown(X, y, n_estimators=n_estimators, n_jobs=1)
    for n_jobs in (2, 5):
        shared, same_bags, same_leaves = grown(
            X, y, n_estimators=n_estimators, n_jobs=n_jobs
        )
        assert_same_forest(alone, shared)
        assert_array_equal(bags, same_bags)
        assert_array_equal(leaves, same_leaves)


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("max_bins", [None, 16])
@pytest.mark.parametrize("max_features", [None, 1])
def test_forest_does_not_depend_on_the_backend(data, backend, max_bins, max_features):
    X, y = data
    options = dict(max_bins=max_bins, max_features=max_features)
    alone, _, leaves = grown(X, y, **options)
    # A tiny max_nbytes hands the arrays over as read-only memory maps.
    mapping = {"max_nbytes": 100} if backend == "loky" else {}
    with joblib.parallel_config(backend=backend, n_jobs=2, **mapping):
        shared, _, same_leaves = grown(X, y, **options)
        again = shared.apply(X)
    assert_same_forest(alone, shared)
    assert_array_equal(leaves, same_leaves)
    assert_array_equal(leaves, again)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_processes_make_the_histograms_of_wide_samples(convert):
    rng = np.random.RandomState(0)
    n, n_features = 1400, 600
    X = rng.standard_normal((n, n_features)) * (rng.uniform(size=(n, n_features)) < 0.2)
    X, y = convert(X), (X[:, 0] + X[:, 1] > 0).astype(int)
    assert search_at_root(int(0.8 * n), n_features) is Search.HISTOGRAM
    options = dict(n_estimators=2, max_depth=2)
    alone, _, leaves = grown(X, y, **options)
    with joblib.parallel_config(backend="loky", n_jobs=2, max_nbytes=100):
        shared, _, same_leaves = grown(X, y, **options)
    assert_same_forest(alone, shared)
    assert_array_equal(leaves, same_leaves)


def test_random_state_decides(data, path):
    X, y = data
    first, bags, _ = grown(X, y, random_state=1)
    again, same_bags, _ = grown(X, y, random_state=np.random.RandomState(1))
    assert_same_forest(first, again)
    assert_array_equal(bags, same_bags)
    assert not np.array_equal(bags, grown(X, y, random_state=2)[1])


def test_random_state_decides_among_equal_splits(path):
    # All columns split the samples alike.
    X = np.repeat(np.arange(40.0)[:, None], 5, axis=1)
    forest, *_ = grown(X, X[:, 0] >= 17, n_estimators=50)
    assert {tree.feature[0] for tree in forest.trees} == set(range(5))


def test_leaves_are_those_of_the_forest(data, path):
    X, y = data
    for convert in (np.asarray, sparse.csr_matrix, np.asfortranarray):
        forest, _, leaves = grown(convert(X), y)
        assert leaves.dtype == np.int32
        assert_array_equal(leaves, forest.apply(X))


def test_powers_of_two_change_nothing(data, path):
    X, y = data
    scale = 2.0 ** np.array([0, 3, -7, 40, -40, 1])
    first, bags, _ = grown(X, y)
    second, same_bags, _ = grown(X * scale, y)
    assert_array_equal(bags, same_bags)
    for a, b in zip(first.trees, second.trees, strict=True):
        for name in ("left", "right", "feature"):
            assert_array_equal(getattr(a, name), getattr(b, name))
        inner = a.left >= 0
        factor = scale[a.feature[inner]]
        assert_array_equal(a.threshold[inner] * factor, b.threshold[inner])


@pytest.mark.parametrize("max_bins", [None, 32])
def test_huge_and_tiny_columns_change_no_leaf(data, path, max_bins):
    # Thresholds may differ by rounding, so the partition is compared.
    X, y = data
    scaled = X * [1e300, 1e-300, 1e-30, 1e30, 1e9, 1.0]
    _, _, leaves = grown(X, y, max_bins=max_bins)
    _, _, same_leaves = grown(scaled, y, max_bins=max_bins)
    assert_array_equal(leaves, same_leaves)


def test_units_of_the_targets_change_nothing(data, path):
    X, _ = data
    y = X[:, 0] + np.sin(3 * X[:, 1])
    first, *_ = grown(X, y)
    for factor in (2.0**-60, 2.0**60):
        assert_same_forest(first, grown(X, y * factor)[0])


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**40])
def test_units_of_the_weights_change_nothing(data, path, factor):
    X, y = data
    weights = np.random.RandomState(0).randint(1, 5, size=150) * 1.0
    for target in (y, X[:, 0] + np.sin(3 * X[:, 1])):
        first, *_ = grown(X, target, weights)
        assert_same_forest(first, grown(X, target, weights * factor)[0])


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("max_bins", [None, 12])
@pytest.mark.parametrize("max_features", [1, 2])
@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
def test_forest_does_not_depend_on_the_order_of_the_rows(
    path, kind, max_bins, convert, max_features
):
    X, y = tied_data(kind, n_values=20)
    X[::9, 1] = np.nan
    weights = np.random.RandomState(1).randint(1, 5, size=200) * 1.0
    shuffle = np.random.RandomState(2).permutation(200)
    options = dict(max_bins=max_bins, max_features=max_features)
    forest, bags, leaves = grown(convert(X), y, weights, **options)
    same, same_bags, same_leaves = grown(
        convert(X[shuffle]), y[shuffle], weights[shuffle], **options
    )
    assert_same_forest(forest, same)
    assert_array_equal(bags[:, shuffle], same_bags)
    assert_array_equal(leaves[:, shuffle], same_leaves)


@pytest.mark.parametrize("max_bins", [None, 12])
@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
def test_order_of_the_rows_does_not_matter_by_rounding(path, kind, max_bins):
    # Sums of thirds are rounded, and many splits are equally good.
    options = dict(n_estimators=1, max_samples=1.0, max_bins=max_bins)
    for seed in range(4):
        X, y = tied_data(kind, n=60, n_values=3, seed=seed)
        y = y if kind == "classes" else y / 3
        weights = np.random.RandomState(seed).choice([1.0, 4 / 3, 5 / 3], size=60)
        units = units_of(X, y, weights)
        forest, *_ = grown(X, y, weights, units, **options)
        for number in range(5):
            rows = np.random.RandomState(number).permutation(60)
            same, *_ = grown(X[rows], y[rows], weights[rows], units, **options)
            assert_same_forest(forest, same)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("max_bins", [None, 12])
def test_weights_grow_the_forest_of_repeats(data, path, max_bins, convert):
    X, y = data
    repeats = np.random.RandomState(0).randint(1, 5, size=150)
    weighted, bags, _ = grown(convert(X), y, repeats.astype(float), max_bins=max_bins)
    again = convert(np.repeat(X, repeats, axis=0))
    repeated, their_bags, _ = grown(again, np.repeat(y, repeats), max_bins=max_bins)
    if path == "mixed":  # nodes are small by their rows
        in_bag = bags > 0
        assert_same_partitions(weighted.apply(X), repeated.apply(X), in_bag)
    else:
        assert_same_forest(weighted, repeated)
    starts = np.cumsum(repeats) - repeats
    assert_array_equal(bags, np.add.reduceat(their_bags, starts, axis=1))


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
def test_full_trees_separate_the_targets_of_their_bags(path, kind):
    X, y = continuous_data(kind)
    _, bags, leaves = grown(X, y)
    values = values_of(y)
    for row, bag in zip(leaves, bags, strict=True):
        for leaf in np.unique(row[bag > 0]):
            own = values[(row == leaf) & (bag > 0)]
            assert (own == own[0]).all()


def test_limits_are_obeyed(data, path):
    X, y = data
    forest, bags, _ = grown(X, y, max_depth=2, max_samples=30)
    assert_array_equal(bags.sum(axis=1), [30] * 2)
    assert [tree.n_nodes for tree in forest.trees] == [7] * 2
    assert_array_equal(grown(X, y, max_samples=150)[1], np.ones((2, 150)))
    with pytest.raises(ValueError, match="exceeds the 150 rows"):
        grown(X, y, max_samples=151)


@FEW_PATHS
@pytest.mark.parametrize(
    ("max_features", "number"),
    [("sqrt", 3), ("log2", 3), (3, 3), (1, 1), (0.3, 3), (0.01, 1), (50, 9), (1.0, 9)],
)
def test_max_features_are_tried_at_each_split(path, max_features, number):
    # Column 0 tells all, column k only when the first k have not been tried.
    n, n_features = 64, 9
    X = np.random.RandomState(0).uniform(size=(n, n_features))
    y = (X[:, 0] > 0.5).astype(int)
    options = dict(n_estimators=200, max_samples=1.0, max_depth=1)
    forest, *_ = grown(X, y, max_features=max_features, **options)
    found = sum(tree.feature[0] == 0 for tree in forest.trees)
    # Binomial of share number / 9, at 4 standard deviations.
    share = number / n_features
    assert abs(found / 200 - share) <= 4 * math.sqrt(share * (1 - share) / 200)


def test_constant_features_do_not_count_among_those_tried(path):
    X = np.zeros((40, 12))
    X[:, 5] = np.arange(40)
    X[::2, 7] = np.nan
    X[:, 8] = np.nan
    X[:, 7] = np.where(np.isnan(X[:, 7]), np.nan, 3.0)  # one value or none varies
    y = np.arange(40) >= 13
    forest, *_ = grown(X, y, max_features=1, n_estimators=40)
    assert {tree.feature[0] for tree in forest.trees} == {5, 7}
    forest, *_ = grown(X[:, :7], y, max_features=1, n_estimators=5)
    assert [tree.n_nodes for tree in forest.trees] == [3] * 5


@pytest.mark.parametrize(
    ("n_samples", "n_features", "most"),
    [
        (100, 10**6, 256),
        (10**6, 10**6, 15625),
        (1000, 784, 668),
        (1000, 2304, 512),
        (1000, 20000, 256),
        (1000, 8000, 512),
        (1000, 100, 5242),
        (1000, 2, MOST_SAMPLES),
        (10**8, 784, MOST_SAMPLES),
    ],
)
def test_larger_nodes_are_grown_exactly_where_rows_are_short(n_samples, n_features, most):
    for n_tried in (n_features, 1):
        numbers = dict(n_features=n_features, n_tried=n_tried, n_trees=2)
        assert choose_search(most, n_samples, **numbers) is not Search.HISTOGRAM
    numbers["n_tried"] = n_features
    assert choose_search(most + 1, n_samples, **numbers) is Search.HISTOGRAM


def test_features_are_ranked_for_forests_that_try_a_few_of_them():
    assert search_at_root(100, 9, n_tried=3, n_trees=2) is Search.SAMPLED
    assert search_at_root(100, 9, n_tried=4, n_trees=2) is Search.PRESORTED
    assert search_at_root(100, 9, n_tried=3, n_trees=1) is Search.PRESORTED
    numbers = dict(n_features=9, n_tried=3, n_trees=1)
    assert choose_search(100, 100, is_exact=False, **numbers) is Search.SAMPLED


def test_a_chain_of_splits():
    # Most of the variance is in the last sample left, so that each split takes one away.
    X, y = np.arange(400.0)[:, None], 2.0 ** np.arange(400)
    forest, _, leaves = grown(X, y, n_estimators=1, max_samples=1.0)
    tree = forest.trees[0]
    depth = np.zeros(tree.n_nodes, dtype=int)
    for node in np.flatnonzero(tree.left >= 0):
        depth[[tree.left[node], tree.right[node]]] = depth[node] + 1
    assert depth.max() > 90  # as far as the last bits of the scores reach
    assert len(np.unique(leaves)) == 400


# ---------------------------------------------------------------- the plain reference


def whole_values(kind, n):
    if kind == "classes":
        return hnp.arrays(np.int64, n, elements=st.integers(0, 3))
    shape = n if kind == "numbers" else (n, 2)
    return hnp.arrays(np.float64, shape, elements=st.integers(0, 4).map(float))


@st.composite
def small_problems(draw):
    """Samples of a few values each, some missing, with whole targets and weights."""
    n, n_features = draw(st.integers(2, 24)), draw(st.integers(1, 4))
    values = draw(st.sampled_from([[0.0, 1.0, np.nan], [-2.0, -0.5, 0.0, 1.0], range(9)]))
    X = draw(hnp.arrays(np.float64, (n, n_features), elements=st.sampled_from(values)))
    y = draw(whole_values(draw(st.sampled_from(KINDS_OF_TARGETS)), n))
    y[0], y[1] = 0, 1
    weights = draw(hnp.arrays(np.float64, n, elements=st.integers(1, 3).map(float)))
    options = {
        "max_depth": draw(st.none() | st.integers(1, 4)),
        "max_features": draw(st.none() | st.integers(1, 3)),
    }
    return X, y, weights, options


def assert_is_reference(tree, grown_node, leaves, node=0):
    if grown_node.left is None:
        assert tree.left[node] == tree.right[node] == tree.feature[node] == -1
        assert_array_equal(leaves[grown_node.rows], node)
        return
    assert tree.feature[node] == grown_node.feature
    assert tree.missing_left[node] == grown_node.missing_left
    if math.isnan(grown_node.above):
        assert tree.threshold[node] == np.inf
    else:
        middle = (grown_node.below + grown_node.above) / 2
        assert_allclose(tree.threshold[node], middle, rtol=0, atol=1e-7)
        assert tree.threshold[node] >= middle
    assert_is_reference(tree, grown_node.left, leaves, tree.left[node])
    assert_is_reference(tree, grown_node.right, leaves, tree.right[node])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@settings(max_examples=200)
@given(small_problems(), st.integers(0, 10**6))
def test_trees_are_those_of_the_plain_reference(dtype, problem, random_state):
    X, y, weights, options = problem
    forest, _, leaves = grown(
        X.astype(dtype), y, weights, n_estimators=2, max_samples=1.0,
        random_state=random_state, **options,
    )  # fmt: skip
    rng = np.random.RandomState(random_state)
    values = y.reshape(len(y), -1) if y.dtype.kind == "f" else np.eye(4)[y]
    for tree, row in zip(forest.trees, leaves, strict=True):
        seed = rng.randint(np.iinfo(np.int32).max)
        expected = reference.grow_tree(X, values, weights, seed, **options)
        assert_is_reference(tree, expected, row)


PLAIN_FORMS = {
    "float64": (np.asarray, {}),
    "float32": (lambda X: X.astype(np.float32), {}),
    "csr": (sparse.csr_matrix, {}),
    "bins": (np.asarray, {"max_bins": 255}),  # as many as there are values
    "csr bins": (sparse.csr_matrix, {"max_bins": 255}),
}


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("form", PLAIN_FORMS)
@pytest.mark.parametrize("max_features", [1, 2, 4])
def test_tried_features_grow_the_trees_of_the_plain_reference(kind, form, max_features):
    convert, options = PLAIN_FORMS[form]
    rng = np.random.RandomState(max_features)
    X, y = tied_data(kind, n=70)
    X = np.column_stack([X, np.where(rng.uniform(size=X.shape) < 0.7, 0.0, X)])
    X[::7, 2], X[:, 6] = np.nan, np.where(np.arange(70) % 3, np.nan, 1.5)
    weights = rng.randint(1, 4, size=70) * 1.0
    forest, _, leaves = grown(
        convert(X), y, weights, max_samples=1.0, max_features=max_features,
        max_depth=6, **options,
    )  # fmt: skip
    seeds = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=2)
    values = values_of(y) * 2  # halves are whole
    for tree, row, seed in zip(forest.trees, leaves, seeds, strict=True):
        expected = reference.grow_tree(
            X, values, weights, seed, max_depth=6, max_features=max_features
        )
        assert_is_reference(tree, expected, row)


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("max_bins", [None, 30])
@pytest.mark.parametrize("most_exact", MOST_EXACT.values())
def test_tried_features_are_sorted_by_node_or_before(kind, missing, max_bins, most_exact):
    # Ranks of one byte, of two bytes, and of few values.
    rng = np.random.RandomState(0)
    X, y = continuous_data(kind, n=700)
    X = np.column_stack([X, np.round(X[:, :2]), np.round(X[:, 2:] / 20)])
    X[rng.uniform(size=X.shape) < missing] = np.nan
    weights = rng.randint(1, 5, size=700) * 1.0
    found = []
    for exact in (Search.SAMPLED, Search.PRESORTED):

        def search(n_node, n_tree, exact=exact, **numbers):
            return Search.HISTOGRAM if n_node > most_exact else exact

        with rule(search):
            found.append(grown(X, y, weights, max_features=2, max_bins=max_bins))
    (first, _, leaves), (second, _, same_leaves) = found
    assert_same_forest(first, second)
    assert_array_equal(leaves, same_leaves)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("options", [{}, {"max_bins": 30}, {"max_features": 2}])
def test_features_are_sorted_once_or_by_every_tree(dtype, missing, options, monkeypatch):
    X, y = continuous_data("classes", n=300)
    X = np.column_stack([X, np.round(X[:, :2])]).astype(dtype)
    X[np.random.RandomState(0).uniform(size=X.shape) < missing] = np.nan
    options = {"n_estimators": 4, "max_samples": 0.6, **options}
    with rule(lambda n_node, n_tree, **numbers: Search.PRESORTED):
        once, _, leaves = grown(X, y, **options)
        monkeypatch.setattr(grower, "_sorted_keys", lambda *_, **__: None)
        by_tree, _, same_leaves = grown(X, y, **options)
    assert_same_forest(once, by_tree)
    assert_array_equal(leaves, same_leaves)


def test_keys_of_some_samples_are_theirs_among_all():
    rng = np.random.RandomState(0)
    X = np.round(rng.normal(size=(200, 3)), 1)
    X[rng.uniform(size=X.shape) < 0.1] = np.nan
    rows = rng.permutation(200)[:70]
    all_keys, own, taken = (np.empty((3, n), dtype=np.uint32) for n in (200, 70, 70))
    keys_of_values(X, np.arange(200), all_keys)
    keys_of_values(X, rows, own)
    keys_of_some(all_keys, rows, taken)
    for k in range(3):
        values, expected = (X[rows[keys[k] & SAMPLE_MASK], k] for keys in (taken, own))
        assert_array_equal(values, expected)
        assert_array_equal(np.sort(taken[k] & SAMPLE_MASK), np.arange(70))
        is_other, expected = (np.diff(keys[k] >> 16) != 0 for keys in (taken, own))
        assert_array_equal(is_other, expected)
        assert_array_equal(taken[k] >= MISSING_KEY, np.isnan(values))


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
def test_bags_grow_the_trees_of_the_plain_reference(kind):
    X, y = tied_data(kind, n=60)
    X[::7, 2] = np.nan
    weights = np.random.RandomState(0).randint(1, 4, size=60) * 1.0
    forest, bags, leaves = grown(X, y, weights, max_samples=0.7)
    rng = np.random.RandomState(0)
    units = units_of(X, y, weights)
    assert_array_equal(draw_bags(units, weights, 2, 0.7, rng), bags)
    seeds = rng.randint(np.iinfo(np.int32).max, size=2)
    values = values_of(y) * 2  # halves are whole
    for tree, bag, row, seed in zip(forest.trees, bags, leaves, seeds, strict=True):
        own = bag > 0
        expected = reference.grow_tree(X[own], values[own], weights[own], seed)
        assert_is_reference(tree, expected, row[own])


# ---------------------------------------------------------------- the best splits


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
def test_no_split_is_better_where_values_are_few(path, kind):
    X, y = tied_data(kind)
    forest, bags, _ = grown(X, y)
    assert_splits_are_the_best(forest, X, y, bags)
    weights = np.random.RandomState(0).uniform(1.0, 2.0, size=200)
    X[np.random.RandomState(1).uniform(size=X.shape) < 0.1] = np.nan
    forest, bags, _ = grown(X, y, weights)
    assert_splits_are_the_best(forest, X, y, bags)


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_split_is_better_where_values_are_many(kind, dtype):
    X, y = continuous_data(kind)
    forest, bags, _ = grown(X.astype(dtype), y, n_estimators=2)
    assert_splits_are_the_best(forest, X, y, bags)


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("max_depth", [None, 4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_partitions_are_those_of_scikit_learn(kind, max_depth, dtype):
    X, y = continuous_data(kind)
    # Few equal scores; and sums without rounding, by which pure nodes are told there.
    weights = np.random.RandomState(0).randint(1000, 2000, size=300) * 1.0
    _, bags, leaves = grown(X.astype(dtype), y, weights, max_depth=max_depth)
    grower = DecisionTreeClassifier if kind == "classes" else DecisionTreeRegressor
    for row, bag in zip(leaves, bags, strict=True):
        own = bag > 0
        tree = grower(max_depth=max_depth, random_state=0)
        theirs = tree.fit(X[own], y[own], sample_weight=bag[own]).apply(X[own])
        assert_same_partitions([row[own]], [theirs], [slice(None)])


def test_partitions_with_missing_values_are_those_of_scikit_learn():
    X, y = continuous_data("numbers")
    X[np.random.RandomState(0).uniform(size=X.shape) < 0.2] = np.nan
    _, bags, leaves = grown(X, y, max_depth=4)
    for row, bag in zip(leaves, bags, strict=True):
        own = bag > 0
        tree = DecisionTreeRegressor(max_depth=4, random_state=0)
        theirs = tree.fit(X[own], y[own]).apply(X[own])
        assert_same_partitions([row[own]], [theirs], [slice(None)])


# ---------------------------------------------------------------- histograms


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_histograms_of_few_values_grow_the_exact_trees(kind, convert, missing):
    X, y = continuous_data(kind, n=250)
    X[np.random.RandomState(0).uniform(size=X.shape) < missing] = np.nan
    weights = np.random.RandomState(0).uniform(1.0, 2.0, size=250)  # few equal scores
    found = {}
    for name, most_exact in MOST_EXACT.items():
        with small_nodes(most_exact):
            found[name] = grown(convert(X), y, weights, max_depth=5)
    forest, bags, leaves = found["presorted"]
    for other, _, other_leaves in (found["mixed"], found["histograms"]):
        assert_same_partitions(leaves, other_leaves, bags > 0)
        for tree, other_tree in zip(forest.trees, other.trees, strict=True):
            # Up to here no two features make the same split.
            assert tree.feature[0] == other_tree.feature[0]
            assert tree.threshold[0] == other_tree.threshold[0]
            assert tree.missing_left[0] == other_tree.missing_left[0]


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("most_small", [1, 60])
@pytest.mark.parametrize("weighted", [False, True])
def test_cuts_are_exact_within_the_bins_beside_them(kind, most_small, weighted):
    X, y = continuous_data(kind, n=1200)
    rng = np.random.RandomState(0)
    weights = rng.uniform(1.0, 2.0, size=1200) if weighted else np.ones(1200)
    with small_nodes(most_small):
        forest, bags, _ = grown(X, y, weights, n_estimators=2, max_depth=5)
    codes = bin_features(X, weights).codes.T.astype(float)
    values = values_of(y)
    n_inside = 0
    for tree, bag in zip(forest.trees, bags, strict=True):
        for node, left, right in splits(tree, X, np.flatnonzero(bag)):
            rows = np.concatenate([left, right])
            if len(rows) <= most_small:
                continue
            shared = values[rows], bag[rows]
            k, score = tree.feature[node], score_of_sides(left, right, values, bag)
            enough = score * (1 + 1e-12)
            between = [scores_of_cuts(codes[rows, j], *shared) for j in range(4)]
            best = max(scores.max() for scores, _, _ in between)
            assert best <= enough
            all_scores, all_below, all_above = scores_of_cuts(X[rows, k], *shared)
            code_of = dict(zip(X[rows, k], codes[rows, k], strict=True))
            all_codes = np.array(
                [[code_of[value] for value in ends] for ends in (all_below, all_above)]
            )
            own = code_of[X[left, k].max()], code_of[X[right, k].min()]
            n_inside += own[0] == own[1]
            # The best cut of the two bins beside the best cut between bins.
            is_best = False
            for bin_score, below, above in zip(*between[k], strict=True):
                near = np.isin(all_codes, (below, above)).all(axis=0)
                is_best |= (
                    bin_score >= best * (1 - 1e-12)
                    and set(own) <= {below, above}
                    and all_scores[near].max() <= enough
                )
            assert is_best
    assert n_inside > 0


def test_missing_values_beside_cuts_within_bins():
    X, y = continuous_data("numbers", n=1200)
    X[np.random.RandomState(0).uniform(size=X.shape) < 0.2] = np.nan
    with small_nodes(60):
        forest, bags, _ = grown(X, y, n_estimators=2)
    codes = bin_features(X, np.ones(1200)).codes.T.astype(float)
    codes[codes == MISSING_CODE] = np.nan
    values = values_of(y)
    for tree, bag in zip(forest.trees, bags, strict=True):
        for _, left, right in splits(tree, X, np.flatnonzero(bag)):
            rows = np.concatenate([left, right])
            best = best_score(codes[rows], values[rows], bag[rows])
            score = score_of_sides(left, right, values, bag)
            assert score >= best * (1 - 1e-12)


def sparse_data(kind, n=150, seed=0):
    """Many zeros, some of them stored, one column empty and one of stored zeros alone."""
    rng = np.random.RandomState(seed)
    values = rng.randint(-6, 7, size=(n, 8)) / 4.0
    values[:, 1] = rng.standard_normal(n)
    values[:, 2] = 1.0 + np.abs(values[:, 1])  # no zero is stored, nor is there any
    keep = rng.uniform(size=(n, 8)) < 0.3
    keep[:, 2], keep[:, 3] = True, False
    X = sparse.csr_matrix(np.where(keep, 1.0, 0.0))
    X.data[:] = values[keep]
    X.data[X.indices == 5] = 0.0
    y = values[:, 0] * keep[:, 0] + (values[:, 1] > 0) * keep[:, 1] + rng.randint(0, 2, n)
    if kind == "classes":
        return X, np.digitize(y, [0.0, 1.0])
    return X, y if kind == "numbers" else np.column_stack([y, y * values[:, 4]])


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("max_bins", [None, 12])
@pytest.mark.parametrize("max_features", [None, 2, 4])
def test_sparse_samples_grow_the_trees_of_dense_ones(
    path, kind, dtype, max_bins, max_features
):
    X, y = sparse_data(kind)
    X = X.astype(dtype)
    assert (X.data == 0).any()
    assert (np.diff(X.tocsc().indptr) == 0).any()
    weights = np.random.RandomState(0).randint(1, 4, size=150) * 1.0
    units = units_of(X, y, weights)
    options = dict(units=units, max_bins=max_bins, max_features=max_features)
    dense = grown(X.toarray(), y, weights, **options)
    from_sparse = grown(X, y, weights, **options)
    assert_same_forest(dense[0], from_sparse[0])
    assert_array_equal(dense[1], from_sparse[1])
    assert_array_equal(dense[2], from_sparse[2])


def test_sparse_samples_grow_the_trees_of_dense_ones_that_are_larger():
    rng = np.random.RandomState(0)
    X = np.round(rng.standard_normal((1000, 1100)), 1) * (rng.uniform(size=1100) < 0.2)
    X, y = X.astype(np.float32), rng.randint(0, 2, size=1000)
    assert search_at_root(800, 1100) is Search.HISTOGRAM
    assert search_at_root(1000, 1100, n_tried=33) is Search.SAMPLED
    options = dict(max_features="sqrt", n_estimators=2)
    dense, *_ = grown(X, y, **options)
    assert_same_forest(dense, grown(sparse.csr_matrix(X), y, **options)[0])


@pytest.mark.parametrize("max_features", [None, 2])
def test_empty_columns_change_no_sparse_tree(path, max_features):
    rng = np.random.RandomState(0)
    X = np.zeros((100, 9))
    X[:, [1, 4, 7]] = rng.randint(-1, 2, size=(100, 3))
    y = rng.randint(0, 2, size=100)
    dense, _, leaves = grown(X, y, max_features=max_features)
    stored = sparse.csr_matrix(X)
    from_sparse, _, same_leaves = grown(stored, y, max_features=max_features)
    assert_same_forest(dense, from_sparse)
    assert_array_equal(leaves, same_leaves)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_nodes_within_one_bin_are_grown_exactly(convert):
    # One sample outweighs all others, which lie in a bin or two.
    X = np.arange(1.0, 401.0)[:, None] - 200
    weights = np.ones(400)
    weights[250] = 1e9
    y = np.arange(400) % 2
    with small_nodes(1):
        _, _, leaves = grown(convert(X), y, weights, n_estimators=1, max_samples=1.0)
    assert len(np.unique(leaves)) == 400


# ---------------------------------------------------------------- bins


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("max_bins", [2, 5])
def test_bins_are_quantiles_and_never_split(data, path, max_bins, convert):
    X, y = data
    forest, bags, _ = grown(convert(X), y, n_estimators=8, max_bins=max_bins)
    for tree, bag in zip(forest.trees, bags, strict=True):
        # A path cuts every column between bins, so less often than there are.
        n_cuts = np.zeros((tree.n_nodes, X.shape[1]), dtype=int)
        for node in range(1, tree.n_nodes):
            up = tree.parent[node]
            n_cuts[node] = n_cuts[up]
            n_cuts[node, tree.feature[up]] += 1
        assert 1 <= n_cuts.max() < max_bins
        for node, left, right in splits(tree, X, np.flatnonzero(bag)):
            column = X[:, tree.feature[node]]
            ends = np.searchsorted(
                np.sort(column), [column[left].max(), column[right].min()]
            )
            # As many samples in every bin.
            assert ends[0] * max_bins // 150 < ends[1] * max_bins // 150


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_forests_of_bins_are_those_of_few_values(data, path, convert, missing):
    _, y = data
    rng = np.random.RandomState(0)
    X = rng.randint(0, 8, size=(150, 3)).astype(float)
    X[rng.uniform(size=X.shape) < missing] = np.nan
    exact, bags, _ = grown(convert(X), y)
    binned, same_bags, _ = grown(convert(X), y, max_bins=8)
    assert_array_equal(bags, same_bags)
    for a, b in zip(exact.trees, binned.trees, strict=True):
        for name in ("left", "right", "feature", "missing_left"):
            assert_array_equal(getattr(a, name), getattr(b, name))
        finite_cuts = np.isfinite(a.threshold)
        assert_array_equal(finite_cuts, np.isfinite(b.threshold))
        assert_array_equal(
            np.floor(a.threshold[finite_cuts]), np.floor(b.threshold[finite_cuts])
        )


# ---------------------------------------------------------------- cuts


def columns_of(kind, n=200, n_columns=3):
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(n, n_columns))
    if kind == "outliers":
        X[np.arange(n_columns) * 7, np.arange(n_columns)] = 1e6
    elif kind == "far outliers":
        X[np.arange(n_columns) * 7, np.arange(n_columns)] = 1e300
    elif kind == "heavy tails":
        X = np.exp(5 * rng.standard_normal((n, n_columns)))
    elif kind == "offset":
        X = 1e14 + np.round(64 * X) / 64  # neighbours are 1/64 apart
    elif kind == "adjacent":
        X = 1.0 + np.finfo(float).eps * rng.randint(0, 60, size=X.shape)
    elif kind == "adjacent in float32":
        X = 1.0 + 2.0**-23 * rng.randint(0, 60, size=X.shape)
    elif kind == "nearly adjacent in float32":
        X = np.round(X * 2) + 2.0**-23 * rng.randint(0, 60, size=X.shape)
    elif kind == "negative":
        X = -3.0 - X
    elif kind == "zeros":
        X = np.where(X < 0.6, 0.0, X - 0.8)
    elif kind == "huge":
        X = (2 * X - 1) * 1.7e308
    elif kind == "subnormal":
        X = rng.randint(-20, 20, size=X.shape) * 5e-324
    return X


KINDS = [
    "uniform",
    "outliers",
    "far outliers",
    "heavy tails",
    "offset",
    "adjacent",
    "adjacent in float32",
    "nearly adjacent in float32",
    "negative",
    "zeros",
    "huge",
    "subnormal",
]
NOT_IN_FLOAT32 = ["far outliers", "offset", "adjacent", "huge", "subnormal"]
FORMS = {
    "float64": (np.asarray, {}),
    "float32": (lambda X: X.astype(np.float32), {}),
    "csr": (sparse.csr_matrix, {}),
    "csr32": (lambda X: sparse.csr_matrix(X.astype(np.float32)), {}),
    "bins": (np.asarray, {"max_bins": 16}),
    "bins32": (lambda X: X.astype(np.float32), {"max_bins": 16}),
    "csr bins": (sparse.csr_matrix, {"max_bins": 16}),
    "weights": (np.asarray, {"weights": np.random.RandomState(1).randint(1, 4, 200) * 1.0}),
}


def cases_of(kinds):
    """Parameters of tests of cuts; of histograms, one form of each kind of loop."""
    cases = [
        (kind, form, path)
        for kind in kinds
        for form in FORMS
        for path in ("presorted", "histograms")
        if not ("32" in form and kind in NOT_IN_FLOAT32)  # constant or infinite there
        and (path == "presorted" or form in ("float64", "csr32", "csr bins"))
    ]
    return pytest.mark.parametrize(("kind", "form", "path"), cases, indirect=["path"])


def ranks_of(X):
    """Ranks of the values of every column."""
    ranks = [np.unique(column, return_inverse=True)[1].ravel() for column in X.T]
    return np.column_stack(ranks).astype(np.float64)


def assert_halfway(cut, below, above):
    off = abs(cut - (below / 2 + above / 2))
    rounding = np.spacing(max(abs(below), abs(above)) / 2) * 2
    assert off <= 1e-8 * (above / 2 - below / 2) + 2 * rounding


@cases_of(KINDS)
def test_cuts_lie_halfway_between_what_they_separate(kind, form, path):
    convert, options = FORMS[form]
    X = convert(columns_of(kind))
    y = np.random.RandomState(2).randint(0, 3, size=200)
    forest, bags, leaves = grown(X, y, n_estimators=2, **options)
    assert_array_equal(forest.apply(X), leaves)
    dense = (X.toarray() if sparse.issparse(X) else X).astype(np.float64)
    assert_array_equal(forest.apply(dense), leaves)
    in_bag = bags > 0
    assert 0 < in_bag.mean() < 1
    max_bins = options.get("max_bins")
    # Bins end at samples in the bag or out of it.
    binned = bin_features(dense, np.ones(200), max_bins or MOST_BINS)
    for tree, rows in zip(forest.trees, in_bag, strict=True):
        assert np.isfinite(tree.threshold).all()
        assert tree.n_nodes > 20
        for node, left, right in splits(tree, dense, np.flatnonzero(rows)):
            k, cut = tree.feature[node], tree.threshold[node]
            below, above = dense[left, k].max(), dense[right, k].min()
            assert below <= cut < above
            if max_bins:
                below = binned.highest[k, binned.codes[k, left].max()]
                above = binned.lowest[k, binned.codes[k, right].min()]
            assert_halfway(cut, below, above)


@cases_of(["heavy tails", "outliers", "offset", "adjacent", "negative"])
def test_partition_of_the_bags_is_invariant_to_monotone_transforms(kind, form, path):
    convert, options = FORMS[form]
    X, y = convert(columns_of(kind)), np.random.RandomState(2).randint(0, 3, size=200)
    dense = X.toarray() if sparse.issparse(X) else X
    options = {"weights": np.ones(200), **options}
    # One order of the samples for both; and ranks are not zero, as samples are not.
    options["units"] = units_of(X, y, options["weights"])
    _, bags, leaves = grown(X, y, **options)
    _, same_bags, of_ranks = grown(1.0 + ranks_of(dense), y, **options)
    assert_array_equal(bags, same_bags)
    assert_array_equal(leaves[bags > 0], of_ranks[bags > 0])


@pytest.mark.parametrize("scale", [1e308, 1e-308, 5e-324])
@pytest.mark.parametrize("max_bins", [None, 40])
def test_trees_grow_on_extreme_columns(path, scale, max_bins):
    X = np.linspace(-1.0, 1.0, 40)[:, None] * scale
    if scale == 5e-324:
        X = np.arange(-20, 20)[:, None] * scale
    options = dict(n_estimators=1, max_samples=1.0, max_bins=max_bins)
    _, _, leaves = grown(X, X[:, 0] >= 0, **options)
    assert_array_equal(leaves, [np.repeat([1, 2], 20)])


@given(hnp.arrays(np.float64, 2, elements=st.floats(allow_nan=False, allow_infinity=False)))
@example(np.array([0.0, 5e-324]))
@example(np.array([-5e-324, 0.0]))
@example(np.array([-1.7976931348623157e308, 1.7976931348623157e308]))
def test_a_cut_separates_any_two_values(values):
    below, above = np.sort(values)
    if below < above:
        with np.errstate(all="ignore"), small_nodes(MOST_SAMPLES):
            X = np.array([[below], [above]])
            forest, *_ = grown(X, np.array([0, 1]), max_samples=1.0)
        for tree in forest.trees:
            assert below <= tree.threshold[0] < above
            assert_halfway(tree.threshold[0], below, above)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_samples_halfway_go_left_whatever_the_scale(path, sign):
    X = np.repeat([[3.0], [5.0]], 2, axis=0)
    for scale in np.random.RandomState(0).uniform(0.1, 10.0, size=40) * sign:
        forest, *_ = grown(X * scale, np.repeat([0, 1], 2), n_estimators=1, max_samples=1.0)
        assert_array_equal(forest.apply(np.array([[4.0 * scale]])), [[1]])


@pytest.mark.parametrize("counts", [(3, 5), (4, 4, 1), (2, 3, 3, 4), (1, 5, 2, 2, 7)])
def test_a_search_that_ends_early_has_found_the_best_split(path, counts):
    y = np.repeat(np.arange(len(counts)), counts)
    # The other features, of the best one and worse ones, are never worth a look.
    noise = np.random.RandomState(0).uniform(size=(len(y), 5))
    forest, bags, _ = grown(np.column_stack([noise, y]), y, max_samples=1.0)
    assert_splits_are_the_best(forest, np.column_stack([noise, y]), y, bags)


# ---------------------------------------------------------------- missing values


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("max_bins", [None, 8])
def test_informative_missing_values_are_split_off(path, convert, dtype, max_bins):
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, size=(200, 3)).astype(dtype)
    y = rng.randint(0, 2, size=200)
    X[y == 1, 1] = np.nan
    forest, _, leaves = grown(convert(X), y, max_bins=max_bins)
    for tree, row in zip(forest.trees, leaves, strict=True):
        assert tree.n_nodes == 3
        assert tree.feature[0] == 1
        assert tree.threshold[0] == np.inf
        assert not tree.missing_left[0]
        assert_array_equal(row, 1 + y)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("max_bins", [None, 8])
@pytest.mark.parametrize("side", ["left", "right"])
def test_missing_values_go_where_their_likes_are(path, convert, side, max_bins):
    x = np.arange(80) % 8 - 3.5
    y = x > 1
    x[y == (side == "right")] = np.where(
        np.arange(np.sum(y == (side == "right"))) % 3 == 0,
        np.nan,
        x[y == (side == "right")],
    )
    X = convert(x[:, None])
    options = dict(n_estimators=1, max_samples=1.0, max_bins=max_bins)
    forest, _, leaves = grown(X, y, **options)
    (tree,) = forest.trees
    assert tree.n_nodes == 3
    assert tree.missing_left[0] == (side == "left")
    assert np.floor(tree.threshold[0]) == 1
    assert_array_equal(leaves[0], 1 + y)


@FEW_PATHS
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("max_bins", [None, 30])
@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
def test_new_missing_values_go_with_the_heavier_side(path, kind, max_bins, convert):
    X, y = continuous_data(kind, n=600)
    weights = np.random.RandomState(0).randint(1, 5, size=600) * 1.0
    forest, bags, _ = grown(convert(X), y, weights, max_bins=max_bins, max_depth=6)
    for tree, bag in zip(forest.trees, bags, strict=True):
        for node, left, right in splits(tree, X, np.flatnonzero(bag)):
            assert tree.missing_left[node] == (bag[left].sum() > bag[right].sum())


def test_missing_values_go_with_the_heavier_side_of_a_cut_within_bins():
    # The best cut between bins lies at 1,004, and the best one in those bins at 999.
    x = np.arange(2000.0)
    y = np.where(x < 999, 0.0, np.where(x < 1004, 0.6, 1.0))
    with small_nodes(1):
        forest, *_ = grown(x[:, None], y, n_estimators=1, max_samples=1.0, max_depth=1)
    (tree,) = forest.trees
    assert tree.threshold[0] == pytest.approx(998.5)
    assert not tree.missing_left[0]


def holey_data(kind, dtype):
    X, y = sparse_data(kind)
    X = X.astype(dtype)
    X.data[np.random.RandomState(1).uniform(size=X.nnz) < 0.2] = np.nan
    return X, y


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("max_bins", [None, 12])
def test_leaves_of_sparse_samples_with_missing_values(path, kind, dtype, max_bins):
    X, y = holey_data(kind, dtype)
    forest, bags, leaves = grown(X, y, max_bins=max_bins)
    new, _ = holey_data(kind, dtype)
    new.data = new.data[::-1].copy()
    assert_array_equal(leaves, forest.apply(X.toarray()))
    assert_array_equal(forest.apply(new), forest.apply(new.toarray()))
    assert_array_equal(forest.apply(new), forest.apply(new.astype(np.float64)))
    if max_bins is None and path == "presorted":
        dense = X.toarray().astype(np.float64)
        assert_splits_are_the_best(forest, dense, y, bags)


@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
def test_sparse_trees_with_missing_values_are_those_of_dense_ones(path, kind):
    X, y = holey_data(kind, np.float64)
    X = X[:, [0, 1, 2, 4, 6, 7]]  # no empty columns
    units = units_of(X, y, np.ones(150))
    for max_bins in (None, 12):
        dense = grown(X.toarray(), y, units=units, max_bins=max_bins)
        from_sparse = grown(X, y, units=units, max_bins=max_bins)
        assert_array_equal(dense[2], from_sparse[2])
        assert_same_partitions(dense[2], from_sparse[2], dense[1] > 0)


@pytest.mark.parametrize("bits", [0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_any_nan_is_a_missing_value(path, bits):
    X = np.linspace(-1, 1, 40, dtype=np.float32)[:, None].copy()
    X[::2, 0] = np.array([bits], dtype=np.uint32).view(np.float32)[0]
    y = np.isnan(X[:, 0]).astype(int)
    _, _, leaves = grown(X, y, n_estimators=1)
    assert_array_equal(leaves, [1 + y])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_zeros_of_either_sign_are_equal(path, dtype):
    X = np.tile(np.array([[0.0], [-0.0]], dtype=dtype), (10, 1))
    y = np.tile([0, 1], 10)
    for max_bins in (None, 4):
        forest, *_ = grown(X, y, max_bins=max_bins)
        assert [tree.n_nodes for tree in forest.trees] == [1] * 2
    signed = np.repeat(np.array([-1.0, -0.0, 0.0, 1.0], dtype=dtype), 5)[:, None]
    _, _, leaves = grown(
        signed, np.repeat([0, 1, 1, 0], 5), n_estimators=1, max_samples=1.0
    )
    assert len(np.unique(leaves)) == 3


# ---------------------------------------------------------------- degenerate samples


FORMS_OF_SAMPLES = {
    "float64": np.asarray,
    "float32": lambda X: X.astype(np.float32),
    "csr": sparse.csr_matrix,
}


@pytest.fixture(params=FORMS_OF_SAMPLES)
def convert(request):
    return FORMS_OF_SAMPLES[request.param]


def is_leaf(tree):
    return tree.n_nodes == 1 and tree.left[0] == tree.right[0] == tree.feature[0] == -1


@FEW_PATHS
@pytest.mark.parametrize("max_bins", [None, 4])
@pytest.mark.parametrize("value", [0.0, -2.0, 3.0])
def test_constant_features_are_not_split(path, convert, max_bins, value):
    X = convert(np.full((30, 2), value))
    for y in (np.arange(30) % 2, np.arange(30) / 7):
        forest, _, leaves = grown(X, y, max_bins=max_bins)
        assert all(map(is_leaf, forest.trees))
        assert_array_equal(leaves, 0)


@pytest.mark.parametrize("max_bins", [None, 4])
def test_features_without_values_are_not_split(path, convert, max_bins):
    y = np.arange(30) % 2
    X = np.full((30, 3), np.nan)
    if convert is not sparse.csr_matrix:  # ranges of such columns make scipy warn
        forest, *_ = grown(convert(X), y, max_bins=max_bins)
        assert all(map(is_leaf, forest.trees))
    X[:, 1] = y
    X[0, [0, 2]] = 1.0
    forest, *_ = grown(convert(X), y, max_samples=1.0, max_bins=max_bins)
    assert [tree.feature[0] for tree in forest.trees] == [1] * 2


@FEW_PATHS
@pytest.mark.parametrize("max_bins", [None, 4])
def test_bags_of_one_or_two_samples(path, convert, max_bins):
    X, y = convert(np.array([[-1.0, 5.0], [-2.0, 5.0], [-3.0, 5.0]])), np.array([0, 1, 0])
    forest, bags, leaves = grown(X, y, max_samples=1, max_bins=max_bins)
    assert_array_equal(np.sum(bags > 0, axis=1), 1)
    assert all(map(is_leaf, forest.trees))
    assert_array_equal(leaves, 0)
    _, bags, leaves = grown(X, y, max_samples=2, n_estimators=10, max_bins=max_bins)
    for row, bag in zip(leaves, bags, strict=True):
        own = bag > 0
        assert len(np.unique(row[own])) == len(np.unique(y[own]))
    for y in (np.array([0, 1]), np.array([0.1, 0.7])):
        forest, _, leaves = grown(X[:2], y, max_samples=1.0, max_bins=max_bins)
        assert_array_equal(leaves, [[2, 1]] * 2)
        assert_allclose([tree.threshold[0] for tree in forest.trees], -1.5)


@FEW_PATHS
@pytest.mark.parametrize("max_bins", [None, 4])
@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
def test_equal_rows_of_different_targets_share_a_leaf(path, convert, max_bins, kind):
    X, y = tied_data(kind, n=120, n_values=2)
    _, _, leaves = grown(convert(X), y, max_samples=1.0, max_bins=max_bins)
    rows = np.unique(X, axis=0, return_inverse=True)[1].ravel()
    assert_same_partitions(leaves, [rows] * 2, [slice(None)] * 2)


def test_hundreds_of_classes(path):
    rng = np.random.RandomState(0)
    y = np.arange(900) % 300
    X = np.column_stack([y // 20, y % 20, rng.standard_normal(900)])
    for samples in (X, sparse.csr_matrix(X)):
        _, bags, leaves = grown(samples, y, n_estimators=1)
        (in_bag,) = bags > 0
        for label in range(300):
            assert len(np.unique(leaves[0, (y == label) & in_bag])) <= 3
        pairs = np.unique(np.column_stack([leaves[0], y])[in_bag], axis=0)
        assert len(pairs) == len(np.unique(pairs[:, 0]))


@FEW_PATHS
@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("decades", [3, 6, 9])
def test_very_unequal_weights(path, kind, decades):
    X, y = continuous_data(kind, n=150)
    weights = 10.0 ** np.random.RandomState(1).uniform(-decades, decades, size=150)
    _, bags, leaves = grown(X, y, weights)
    values = values_of(y)
    for row, bag in zip(leaves, bags, strict=True):
        for leaf in np.unique(row[bag > 0]):
            own = values[(row == leaf) & (bag > 0)]
            assert (own == own[0]).all()


@FEW_PATHS
@pytest.mark.parametrize("kind", KINDS_OF_TARGETS)
@pytest.mark.parametrize("decades", [1, 2, 4, 6])
def test_splits_are_the_best_of_very_unequal_weights(path, kind, decades):
    # As far as the ratio of the weights leaves digits of the scores.
    X, y = continuous_data(kind, n=150)
    weights = 10.0 ** np.random.RandomState(1).uniform(0, decades, size=150)
    forest, bags, _ = grown(X, y, weights, n_estimators=2)
    assert_splits_are_the_best(forest, X, y, bags, rtol=1e-12)


@FEW_PATHS
@pytest.mark.parametrize("kind", ["classes", "numbers"])
@pytest.mark.parametrize("ratio", [1e6, 1e12])
def test_light_samples_at_the_ends_hide_no_split(path, kind, ratio):
    # What a split loses by rounding is small against what the best one gains.
    for seed in range(8):
        rng = np.random.RandomState(seed)
        x = rng.permutation(200) * 1.0
        y = (rng.uniform(size=200) < 0.5 + 0.15 * (x > 100)).astype(int)
        y = y if kind == "classes" else y + 0.5
        weights = np.where(np.abs(x - 99.5) > 98, 1.0, ratio * rng.uniform(1, 2, size=200))
        options = dict(n_estimators=1, max_samples=1.0, max_depth=1)
        forest, *_ = grown(x[:, None], y, weights, **options)
        ((_, left, right),) = splits(forest.trees[0], x[:, None], np.arange(200))
        values = values_of(y)
        values = values - weights @ values / weights.sum()
        gain = score_of_sides(left, right, values, weights)
        assert gain >= best_score(x[:, None], values, weights) * (1 - 1e-6)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_unequal_weights_of_sparse_zeros_are_not_lost(convert):
    # The zeros that are not stored weigh less than the rounding of the total.
    X = convert(np.repeat([-5.0, 0.0, 5.0], [10, 3, 10])[:, None])
    weights = np.repeat([1e9, 1e-9, 1e9], [10, 3, 10])
    y = np.repeat([0, 1, 0], [10, 3, 10])
    for max_bins in (None, 2, 3):
        _, _, leaves = grown(
            X, y, weights, n_estimators=1, max_samples=1.0, max_bins=max_bins
        )
        if max_bins != 2:
            assert_array_equal(np.unique(leaves[0, 10:13]).size, 1)
            assert leaves[0, 10] not in np.delete(leaves[0], [10, 11, 12])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nodes_of_too_many_samples_for_16_bits(dtype):
    n = MOST_SAMPLES + 500
    rng = np.random.RandomState(0)
    X = (rng.permutation(n) - n / 2).astype(dtype)[:, None]
    y = (X[:, 0] > 12.0) ^ (X[:, 0] > 30000.0)
    options = dict(n_estimators=1, max_samples=1.0)
    for samples in (X, sparse.csr_matrix(X)):
        forest, _, leaves = grown(samples, y, **options)
        (tree,) = forest.trees
        assert tree.n_nodes == 5
        cuts = np.sort(tree.threshold[tree.left >= 0])
        near = np.searchsorted(np.sort(X[:, 0]), cuts)
        for place, wanted in zip(near, (12.0, 30000.0), strict=True):
            ends = np.sort(X[:, 0])[place - 1 : place + 1]
            assert ends[0] <= wanted < ends[1]
        purity = [len(np.unique(y[leaves[0] == leaf])) for leaf in np.unique(leaves)]
        assert purity == [1, 1, 1]


def test_exactly_as_many_samples_as_16_bits_number():
    X = np.arange(MOST_SAMPLES, dtype=np.float64)[:, None]
    X[-1] = np.nan
    y = (X[:, 0] >= 17).astype(int)
    assert search_at_root(MOST_SAMPLES, 1) is Search.PRESORTED
    assert search_at_root(MOST_SAMPLES + 1, 1) is Search.HISTOGRAM
    forest, _, leaves = grown(X, y, n_estimators=1, max_samples=1.0)
    assert forest.trees[0].threshold[0] == pytest.approx(16.5)
    assert leaves[0, -1] == leaves[0, 0]


def test_many_equal_values_within_one_bin():
    # Nearly all samples have one value, and too many of them to number beside a cut.
    n = 2 * MOST_SAMPLES
    X = np.zeros((n, 1))
    X[:300, 0] = np.arange(1, 301)
    y = np.zeros(n)
    y[:300] = np.arange(1, 301)
    forest, _, leaves = grown(X, y, n_estimators=1, max_samples=1.0)
    assert len(np.unique(leaves)) == 301
    assert np.isfinite(forest.trees[0].threshold).all()


def test_features_of_more_values_than_two_bytes_number():
    # They cannot be ranked, so that all are sorted, as those of sparse samples are.
    X = np.arange(MOST_SAMPLES + 1.0)[:, None]
    X = np.column_stack([X, X % 7, np.zeros_like(X)])
    y, options = X[:, 1] > 3, dict(max_features=1, max_depth=3)
    first, *_ = grown(X, y, **options)
    assert_same_forest(first, grown(sparse.csr_matrix(X), y, **options)[0])
