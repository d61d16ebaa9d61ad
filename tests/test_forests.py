import pickle
import warnings

import joblib
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from sksmooth.forests import (
    Forest,
    Tree,
    canonical_order,
    column_ranges,
    grow,
    grow_forest,
    in_bag_rows,
    read_forest,
    structure,
)
from sksmooth.forests.sampling import CanonicalOrder, draw_bags
from sksmooth.targets import encode_targets


@pytest.fixture(scope="module")
def data():
    return make_classification(
        150, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
    )


def grown(X, y, weights=None, **options):
    """Targets, canonical order and forest in one step, as the estimator does it."""
    targets, _ = encode_targets(y)
    weights = np.ones(len(y)) if weights is None else weights
    canonical = canonical_order((X,), targets.tie_break, weights)
    options = {"n_estimators": 4, "max_samples": 0.8, "random_state": 0, **options}
    return grow_forest(X, targets, weights, canonical, **options)[:2]


def assert_same_forest(first, second):
    assert len(first.trees) == len(second.trees)
    for a, b in zip(first.trees, second.trees, strict=True):
        for name in ("left", "right", "feature", "threshold"):
            assert_array_equal(getattr(a, name), getattr(b, name))


# ---------------------------------------------------------------- reading forests


def leaves_of(fitted, X):
    """Leaves as the library itself finds them, one row a tree."""
    if hasattr(fitted, "estimators_features_"):
        members = zip(fitted.estimators_, fitted.estimators_features_, strict=True)
        return np.array([tree.apply(X[:, columns]) for tree, columns in members])
    if not hasattr(fitted, "apply"):
        return np.array([tree.apply(X) for tree in fitted.estimators_])
    return fitted.apply(X).reshape(X.shape[0], -1).T


MODELS = [
    DecisionTreeClassifier(max_depth=5, random_state=0),
    DecisionTreeRegressor(max_leaf_nodes=20, random_state=0),  # grown best-first
    ExtraTreeClassifier(random_state=0),
    ExtraTreeRegressor(max_depth=4, random_state=0),
    RandomForestClassifier(3, random_state=0),
    RandomForestRegressor(3, max_leaf_nodes=15, random_state=0),
    ExtraTreesClassifier(3, random_state=0),
    BaggingClassifier(n_estimators=4, max_features=0.5, random_state=0),
    BaggingRegressor(n_estimators=3, max_features=2, max_samples=0.5, random_state=0),
    GradientBoostingClassifier(n_estimators=3, random_state=0),
    GradientBoostingRegressor(n_estimators=3, subsample=0.7, random_state=0),
    AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=3),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_leaves_are_those_of_the_library(model, data):
    X, y = data
    new = np.random.RandomState(1).standard_normal((80, 6)) * 2
    fitted = model.fit(X, y)
    # Samples on the cuts, up to less than float32 resolves.
    trees = np.ravel(getattr(fitted, "estimators_", [fitted]))
    cuts = np.concatenate([tree.tree_.threshold for tree in trees])
    on_cuts = np.repeat(cuts[:, None], 6, axis=1)
    for samples in (X, new, on_cuts, on_cuts * (1 - 1e-12), on_cuts * (1 + 1e-12)):
        assert_array_equal(read_forest(fitted).apply(samples), leaves_of(fitted, samples))


def test_boosting_gives_one_tree_per_stage_and_class(data):
    fitted = GradientBoostingClassifier(n_estimators=3, random_state=0).fit(*data)
    assert len(read_forest(fitted).trees) == 9


def test_histogram_boosting_compares_in_double_precision(data):
    X, y = data
    forest = read_forest(HistGradientBoostingClassifier(max_iter=2).fit(X, y))
    assert len(forest.trees) == 6
    assert not forest.single_precision


def test_feature_subsets_are_renumbered(data):
    X, y = data
    fitted = BaggingClassifier(n_estimators=5, max_features=2, random_state=1).fit(X, y)
    for tree, columns in zip(
        read_forest(fitted).trees, fitted.estimators_features_, strict=True
    ):
        assert set(tree.feature[tree.left >= 0]) <= set(columns)
        assert set(tree.feature[tree.left < 0]) == {-1}


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.astype(np.float32),
        np.asfortranarray,
        lambda X: X[:, ::-1][:, ::-1],
        lambda X: np.repeat(X, 2, axis=0)[::2],
        sparse.csr_matrix,
        lambda X: sparse.csr_matrix(X.astype(np.float32)),
    ],
    ids=["float32", "fortran", "reversed", "strided", "csr", "csr32"],
)
@pytest.mark.parametrize("built_in", [False, True])
def test_leaves_do_not_depend_on_the_layout_of_the_samples(convert, built_in, data):
    X, y = data
    X = np.where(np.abs(X) < 0.3, 0.0, X.astype(np.float32))  # exact in float32
    if built_in:
        forest, _ = grown(X, y)
    else:
        forest = read_forest(RandomForestClassifier(3, random_state=0).fit(X, y))
    assert_array_equal(forest.apply(convert(X)), forest.apply(X))


def test_only_forests_of_libraries_round_the_samples(data):
    X, y = data
    assert read_forest(RandomForestClassifier(2).fit(X, y)).single_precision
    assert not grown(X, y)[0].single_precision
    # 0.1 and its neighbour are one number in float32.
    tree = Tree(*np.array([[1, -1, -1], [2, -1, -1], [0, -1, -1]]), np.array([0.1, 0, 0]))
    X = np.array([[0.1], [np.nextafter(0.1, 1)], [0.1 + 1e-7]])
    assert_array_equal(Forest((tree,), 1, single_precision=False).apply(X), [[1, 2, 2]])
    cut = Tree(tree.left, tree.right, tree.feature, np.float64(np.float32([0.1, 0, 0])))
    assert_array_equal(Forest((cut,), 1).apply(X), [[1, 1, 2]])


def test_read_only_samples_are_accepted_and_left_alone(data):
    X, y = data
    frozen = X.copy()
    frozen.setflags(write=False)
    forest, _ = grown(frozen, y)
    assert_array_equal(forest.apply(frozen), forest.apply(X))
    assert_array_equal(frozen, X)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_blocks_of_rows_give_the_same_leaves(n_jobs, convert, data, monkeypatch):
    X, y = data
    forest, _ = grown(X, y)
    whole = forest.apply(convert(X))
    monkeypatch.setattr(structure, "_BLOCK_BYTES", 8 * X.shape[1] * 7)
    assert len(structure.row_blocks(X.shape)) == 22  # 150 rows by 7
    assert_array_equal(forest.apply(convert(X), n_jobs), whole)


def test_arrays_of_a_tree_are_read_only(data):
    forest = read_forest(DecisionTreeClassifier(random_state=0).fit(*data))
    for tree in (forest.trees[0], pickle.loads(pickle.dumps(forest)).trees[0]):
        for name in ("left", "right", "feature", "threshold"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(tree, name)[0] = 0


def test_parents_must_come_before_their_children():
    left, right = np.array([-1, -1, 0]), np.array([-1, -1, 1])
    with pytest.raises(ValueError, match="before its children"):
        Tree(left, right, np.array([-1, -1, 0]), np.zeros(3))


def test_parent_inverts_the_children(data):
    (tree,) = read_forest(DecisionTreeClassifier(random_state=0).fit(*data)).trees
    assert tree.parent[0] == -1
    for node in range(1, tree.n_nodes):
        side = tree.left if tree.is_left[node] else tree.right
        assert node == side[tree.parent[node]]
    assert not tree.is_left[0]


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        BaggingClassifier(LogisticRegression(), n_estimators=2),
        BaggingClassifier(RandomForestClassifier(2), n_estimators=2),
        BaggingClassifier(HistGradientBoostingClassifier(max_iter=2), n_estimators=2),
    ],
    ids=["linear", "bagged-linear", "bagged-forest", "bagged-histogram"],
)
def test_models_without_trees_are_named(model, data):
    with pytest.raises(TypeError, match=f"{type(model).__name__} is not made of"):
        read_forest(model.fit(*data))


@pytest.mark.parametrize("thing", [None, "forest", RandomForestClassifier])
def test_things_that_are_no_estimators_are_rejected(thing):
    with pytest.raises(TypeError):
        read_forest(thing)


@pytest.mark.parametrize("model", MODELS[::3], ids=lambda model: type(model).__name__)
def test_models_must_be_fitted(model):
    with pytest.raises(NotFittedError):
        read_forest(type(model)())


def test_in_bag_rows_are_those_of_the_bootstrap(data):
    X, y = data
    fitted = RandomForestRegressor(3, random_state=0).fit(X, y)
    in_bag = in_bag_rows(fitted, len(y))
    assert 0 < in_bag.mean() < 1
    for rows, member in zip(in_bag, fitted.estimators_, strict=True):
        assert member.tree_.n_node_samples[0] == rows.sum()
        # Full trees fit the rows that they have seen.
        assert_allclose(member.predict(X[rows]), y[rows])


def test_in_bag_rows_of_bags_without_replacement(data):
    X, y = data
    fitted = BaggingClassifier(
        n_estimators=3, max_samples=0.4, bootstrap=False, random_state=0
    ).fit(X, y)
    assert_array_equal(in_bag_rows(fitted, len(y)).sum(axis=1), [60] * 3)


def test_in_bag_rows_are_unknown_for_single_trees(data):
    assert in_bag_rows(DecisionTreeClassifier().fit(*data), 150) is None


# ---------------------------------------------------------------- subsamples


def bags_of(unit, fraction, weights=None, n_trees=3, seed=0):
    unit = np.asarray(unit)
    weights = np.ones(len(unit)) if weights is None else weights
    rng = np.random.RandomState(seed)
    return draw_bags(CanonicalOrder(unit), weights, n_trees, fraction, rng)


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
    unit = canonical_order((convert(X),), y, weights).unit
    same_features = (X[:, None, :] == X[None, :, :]).all(axis=2)
    contested = (same_features & (y[:, None] != y[None, :])).any(axis=1)
    together = same_features & ~contested[:, None] | np.eye(len(y), dtype=bool)
    assert_array_equal(unit[:, None] == unit[None, :], together)
    assert_array_equal(np.unique(unit), np.arange(unit.max() + 1))


def test_rows_are_units_where_features_take_a_few_values():
    X, y = np.repeat([[0.0], [1.0]], 20, axis=0), np.repeat([0, 1], 20)
    assert canonical_order((X,), y, np.ones(40)).n_units == 40
    # One row less, and there are fewer than 20 rows to a distinct one.
    assert canonical_order((X[1:],), y[1:], np.ones(39)).n_units == 2


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@given(rows_with_equals, st.integers(0, 1000))
def test_units_do_not_depend_on_the_order_of_the_rows(convert, rows, seed):
    X, y, weights = rows
    shuffle = np.random.RandomState(seed).permutation(len(y))
    first = canonical_order((convert(X),), y, weights).unit
    second = canonical_order((convert(X[shuffle]),), y[shuffle], weights[shuffle]).unit
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
        canonical_order((X[rows],), encode_targets(Y[rows])[0].tie_break, np.ones(3)).unit
        for rows in ([0, 1, 2], shuffle)
    )
    assert_array_equal(first[shuffle], second)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_units_do_not_depend_on_positive_scales_of_the_columns(convert):
    rng = np.random.RandomState(0)
    X, y, ones = rng.uniform(size=(60, 4)), rng.randint(0, 2, size=60), np.ones(60)
    expected = canonical_order((convert(X),), y, ones).unit
    for scale in ([2.0, 0.25, 1024.0, 1.0], [1e300, 1e-300, 1e-308, 3.0]):
        assert_array_equal(canonical_order((convert(X * scale),), y, ones).unit, expected)


@pytest.mark.parametrize("outlier", [1e20, -1e20, -999.0])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_outliers_do_not_merge_the_others(convert, outlier):
    X = np.random.RandomState(0).uniform(size=(100, 1))
    X[:3] = outlier
    canonical = canonical_order((convert(X),), np.zeros(100), np.ones(100))
    assert canonical.n_units == 98


def test_units_are_counted_in_the_bag():
    canonical = CanonicalOrder(np.array([0, 0, 1, 2]))
    bags = np.array([[1.0, 0.0, 0.0, 2.0], [0.0, 0.0, 1.0, 0.0]])
    assert canonical.count_in_bag(bags) == 1.5


# ---------------------------------------------------------------- growing


def test_forest_does_not_depend_on_the_number_of_jobs(data):
    X, y = data
    alone, bags = grown(X, y, n_jobs=1)
    together, same_bags = grown(X, y, n_jobs=2)
    assert_same_forest(alone, together)
    assert_array_equal(bags, same_bags)


def test_forest_does_not_depend_on_the_backend(data):
    X, y = data
    alone, _ = grown(X, y)
    # A tiny max_nbytes hands the arrays over as read-only memory maps.
    with joblib.parallel_config(backend="loky", n_jobs=2, max_nbytes=100):
        processes, _ = grown(X, y)
        leaves = processes.apply(X)
    assert_same_forest(alone, processes)
    assert_array_equal(leaves, alone.apply(X))


def test_random_state_decides(data):
    X, y = data
    first, bags = grown(X, y, random_state=1)
    again, same_bags = grown(X, y, random_state=np.random.RandomState(1))
    assert_same_forest(first, again)
    assert_array_equal(bags, same_bags)
    assert not np.array_equal(bags, grown(X, y, random_state=2)[1])


def test_powers_of_two_change_nothing(data):
    X, y = data
    scale = 2.0 ** np.array([0, 3, -7, 40, -40, 1])
    first, bags = grown(X, y)
    second, same_bags = grown(X * scale, y)
    assert_array_equal(bags, same_bags)
    for a, b in zip(first.trees, second.trees, strict=True):
        for name in ("left", "right", "feature"):
            assert_array_equal(getattr(a, name), getattr(b, name))
        inner = a.left >= 0
        factor = scale[a.feature[inner]]
        assert_array_equal(a.threshold[inner] * factor, b.threshold[inner])


@pytest.mark.parametrize("max_bins", [None, 32])
def test_huge_and_tiny_columns_change_no_leaf(data, max_bins):
    # Thresholds may differ by rounding, so the partition is compared.
    X, y = data
    scaled = X * [1e300, 1e-300, 1e-30, 1e30, 1e9, 1.0]
    first, _ = grown(X, y, max_bins=max_bins)
    second, _ = grown(scaled, y, max_bins=max_bins)
    assert_array_equal(first.apply(X), second.apply(scaled))


def test_sparse_samples_give_the_partition_of_dense_ones(data):
    X, y = data
    X = np.where(np.abs(X) < 0.4, 0.0, X)
    dense, bags = grown(X, y)
    from_sparse, same_bags = grown(sparse.csr_matrix(X), y)
    assert_array_equal(bags, same_bags)
    assert_same_forest(dense, from_sparse)
    assert_array_equal(dense.apply(X), from_sparse.apply(sparse.csr_matrix(X)))


def test_units_of_the_targets_change_nothing(data):
    X, _ = data
    y = X[:, 0] + np.sin(3 * X[:, 1])
    first, _ = grown(X, y)
    for factor in (2.0**-60, 2.0**60):
        assert_same_forest(first, grown(X, y * factor)[0])


def test_full_trees_separate_the_classes_of_their_bags(data):
    X, y = data
    forest, bags = grown(X, y)
    for leaves, bag in zip(forest.apply(X), bags, strict=True):
        seen = {}
        for leaf, label in zip(leaves[bag > 0], y[bag > 0], strict=True):
            assert seen.setdefault(leaf, label) == label


def test_limits_are_obeyed(data):
    X, y = data
    forest, bags = grown(X, y, max_depth=2, max_samples=30)
    assert_array_equal(bags.sum(axis=1), [30] * 4)
    assert all(tree.n_nodes <= 7 for tree in forest.trees)
    assert_array_equal(grown(X, y, max_samples=150)[1], np.ones((4, 150)))
    with pytest.raises(ValueError, match="more than the 150 rows"):
        grown(X, y, max_samples=151)


def test_bins_are_exact_for_few_distinct_values(data):
    _, y = data
    X = np.random.RandomState(0).randint(0, 8, size=(150, 3)).astype(float)
    exact, bags = grown(X, y)
    binned, same_bags = grown(X, y, max_bins=8)
    assert_array_equal(bags, same_bags)
    assert_same_forest(exact, binned)


def splits(tree, X):
    """Of every inner node, its number and the values that go left and right."""
    rows = {0: np.arange(len(X))}
    for node in np.flatnonzero(tree.left >= 0):
        values = X[rows[node], tree.feature[node]]
        goes_left = values <= tree.threshold[node]
        rows[tree.left[node]] = rows[node][goes_left]
        rows[tree.right[node]] = rows[node][~goes_left]
        yield node, values[goes_left], values[~goes_left]


@pytest.mark.parametrize("max_bins", [2, 5])
def test_bins_are_quantiles_and_never_split(data, max_bins):
    X, y = data
    forest, bags = grown(X, y, n_estimators=8, max_bins=max_bins)
    for tree, bag in zip(forest.trees, bags, strict=True):
        # A path cuts every column between bins, so less often than there are.
        n_cuts = np.zeros((tree.n_nodes, X.shape[1]), dtype=int)
        for node in range(1, tree.n_nodes):
            up = tree.parent[node]
            n_cuts[node] = n_cuts[up]
            n_cuts[node, tree.feature[up]] += 1
        assert 1 <= n_cuts.max() < max_bins
        for node, left, right in splits(tree, X[bag > 0]):
            column = np.sort(X[:, tree.feature[node]])
            last, first = np.searchsorted(column, [left.max(), right.min()])
            # As many samples in every bin.
            assert last * max_bins // 150 < first * max_bins // 150


def test_bins_hold_equal_weights_up_to_heavy_values():
    ranks, weights = np.arange(6), np.array([1.0, 1.0, 1.0, 7.0, 1.0, 1.0])
    bins = grow._bins_of_ranks(ranks, weights, 4)
    # Of the weight 12, a bin holds 3; the middles lie at 0.5, 1.5, 2.5, 6.5, 10.5, 11.5.
    assert_array_equal(bins, [0, 0, 0, 2, 3, 3])


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 4)), min_size=1, max_size=40),
    st.integers(2, 12),
)
def test_bins_of_weights_are_those_of_repeats(rows, max_bins):
    values, repeats = np.array(rows).T
    ranks = np.unique(values, return_inverse=True)[1]
    bins = grow._bins_of_ranks(ranks, repeats.astype(float), max_bins)
    again = np.repeat(ranks, repeats)
    repeated = grow._bins_of_ranks(again, np.ones(len(again)), max_bins)
    assert_array_equal(np.repeat(bins, repeats), repeated)
    assert bins.min() >= 0
    assert bins.max() < max_bins
    by_rank = np.argsort(ranks)
    assert (np.diff(bins[by_rank]) >= 0).all()


@pytest.mark.parametrize("max_bins", [None, 12])
def test_weights_grow_the_forest_of_repeats(data, max_bins):
    X, y = data
    repeats = np.random.RandomState(0).randint(1, 5, size=150)
    weighted, bags = grown(X, y, repeats.astype(float), max_bins=max_bins)
    again = np.repeat(X, repeats, axis=0)
    repeated, their_bags = grown(again, np.repeat(y, repeats), max_bins=max_bins)
    assert_same_forest(weighted, repeated)
    starts = np.cumsum(repeats) - repeats
    assert_array_equal(bags, np.add.reduceat(their_bags, starts, axis=1))


def test_bins_refuse_sparse_samples(data):
    X, y = data
    with pytest.raises(ValueError, match="max_bins needs dense"):
        grown(sparse.csr_matrix(X), y, max_bins=4)


# ---------------------------------------------------------------- ranks and cuts


def codes_of(X, max_bins=None):
    codes = grow._feature_codes(X, np.ones(X.shape[0]), max_bins)
    assert codes.dtype == np.float32
    return codes


finite = st.floats(allow_nan=False, allow_infinity=False)
any_columns = hnp.arrays(np.float64, (12, 2), elements=finite | st.sampled_from([0.0, 1.0]))


@given(any_columns)
def test_ranks_keep_the_order(X):
    codes = codes_of(X)
    for k in range(2):
        assert_array_equal(
            np.sign(codes[:, None, k] - codes[None, :, k]),
            (X[:, None, k] > X[None, :, k]) * 1.0 - (X[:, None, k] < X[None, :, k]),
        )
    assert_array_equal(codes.min(axis=0), 0)


@given(any_columns)
def test_sparse_ranks_are_those_of_dense_columns_from_zero_on(X):
    # Of the ranks among the values and 0, whether or not a zero is there or stored.
    with_zero = np.vstack([X, np.zeros(2)])
    expected = codes_of(with_zero)
    expected = expected - expected[-1]
    stored = sparse.csr_matrix(X)
    assert_array_equal(codes_of(stored).toarray(), expected[:-1])
    explicit = sparse.csr_matrix(np.ones(X.shape))
    explicit.data = X.ravel().copy()
    assert_array_equal(codes_of(explicit).toarray(), expected[:-1])


@pytest.mark.parametrize("max_bins", [None, 3])
@given(
    hnp.arrays(np.int64, (15, 2), elements=st.integers(0, 7)),
    st.lists(finite, min_size=8, max_size=8, unique=True).map(sorted),
)
def test_ranks_are_invariant_to_monotone_transforms(max_bins, positions, values):
    X = np.array(values)[positions]
    assert_array_equal(codes_of(X, max_bins), codes_of(positions.astype(float), max_bins))


@given(
    hnp.arrays(np.int64, (15, 2), elements=st.integers(-4, 4)),
    st.lists(finite.filter(bool), min_size=8, max_size=8, unique=True),
)
def test_sparse_ranks_are_invariant_to_transforms_that_keep_zero(positions, values):
    low, high = (np.sort(np.abs(half)) for half in (values[:4], values[4:]))
    assume(len(np.unique(low)) == len(np.unique(high)) == 4)
    X = np.concatenate([-low[::-1], [0.0], high])[positions + 4]
    assert_array_equal(
        codes_of(sparse.csr_matrix(X)).toarray(),
        codes_of(sparse.csr_matrix(positions.astype(float))).toarray(),
    )


def test_sparse_ranks_store_nothing_new():
    X = sparse.csr_matrix([[0.0, -4e300], [2e-300, 0.0], [0.0, 0.0]])
    ranks = codes_of(X)
    assert_array_equal(ranks.toarray(), [[0, -1], [1, 0], [0, 0]])
    assert ranks.nnz == X.nnz
    assert ranks.format == "csr"


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_moderate_float32_samples_are_taken_as_they_are(data, convert):
    X = data[0].astype(np.float32)
    X[0, 0] = 0.0
    plain = convert(X)
    assert codes_of(plain) is plain
    for factor in (1e-6, 1e31):
        scaled = convert(X * np.float32(factor))
        codes = codes_of(scaled)
        assert codes is not scaled
        codes = codes.toarray() if sparse.issparse(codes) else codes
        assert_array_equal(codes, np.rint(codes))
    assert_array_equal(np.rint(codes_of(data[0])), codes_of(data[0]))


def columns_of(kind, n=300, n_columns=3):
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
    "weights": (np.asarray, {"weights": np.random.RandomState(1).randint(1, 4, 300) * 1.0}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_cuts_keep_the_leaves_of_the_grown_trees(kind, form, monkeypatch):
    if "32" in form and kind in NOT_IN_FLOAT32:
        pytest.skip("constant or infinite in float32")
    convert, options = FORMS[form]
    X = convert(columns_of(kind))
    y = np.random.RandomState(2).randint(0, 3, size=300)
    as_grown = []
    original = grow._with_cuts_between_values

    def spy(tree, X, codes, grower, bag):
        as_grown.append(grower.tree_.apply(codes))
        return original(tree, X, codes, grower, bag)

    monkeypatch.setattr(grow, "_with_cuts_between_values", spy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forest, bags = grown(X, y, **options)
        leaves = forest.apply(X)
    in_bag = bags > 0
    assert 0 < in_bag.mean() < 1
    assert_array_equal(leaves[in_bag], np.array(as_grown)[in_bag])
    dense = X.toarray() if sparse.issparse(X) else X
    assert_array_equal(forest.apply(dense), leaves)
    for tree, bag in zip(forest.trees, bags, strict=True):
        assert np.isfinite(tree.threshold).all()
        assert tree.n_nodes > 20
        for node, left, right in splits(tree, dense[bag > 0].astype(np.float64)):
            below, above = left.max(), right.min()
            cut = tree.threshold[node]
            assert below <= cut < above
            # Halfway between the values in the bag that it separates.
            off = abs(cut - (below / 2 + above / 2))
            rounding = np.spacing(max(abs(below), abs(above)))
            assert off <= 1e-8 * (above / 2 - below / 2) + 2 * rounding


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_cuts_do_not_depend_on_the_blocks_of_rows(data, convert, monkeypatch):
    X, y = data
    whole, _ = grown(convert(X), y)
    monkeypatch.setattr(structure, "_BLOCK_BYTES", 8 * X.shape[1] * 7)
    assert_same_forest(whole, grown(convert(X), y)[0])


@pytest.mark.parametrize("kind", ["heavy tails", "outliers", "offset", "adjacent"])
def test_partition_of_the_bags_is_invariant_to_monotone_transforms(kind):
    X, y = columns_of(kind), np.random.RandomState(2).randint(0, 3, size=300)
    targets, _ = encode_targets(y)
    ranks = codes_of(X).astype(np.float64)
    canonical = canonical_order((X,), targets.tie_break, np.ones(300))  # for both
    options = dict(n_estimators=4, max_samples=0.7, random_state=0)
    first, bags = grow_forest(X, targets, np.ones(300), canonical, **options)
    second, same_bags = grow_forest(ranks, targets, np.ones(300), canonical, **options)
    assert_array_equal(bags, same_bags)
    in_bag = bags > 0
    assert_array_equal(first.apply(X)[in_bag], second.apply(ranks)[in_bag])


@pytest.mark.parametrize("scale", [1e308, 1e-308, 5e-324])
def test_trees_grow_on_extreme_columns(scale):
    X = np.linspace(-1.0, 1.0, 40)[:, None] * scale
    if scale == 5e-324:
        X = np.arange(-20, 20)[:, None] * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forest, _ = grown(X, X[:, 0] >= 0, n_estimators=1, max_samples=1.0)
    (leaves,) = forest.apply(X)
    assert_array_equal(leaves, np.repeat([1, 2], 20))


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_column_ranges_are_those_of_the_values(convert):
    X = np.array([[0.0, -4e300, 3.0], [2e-300, 0.0, 3.0], [0.0, -1.0, 3.0]])
    low, high = column_ranges(convert(X))
    assert_array_equal(low, [0.0, -4e300, 3.0])
    assert_array_equal(high, [2e-300, 0.0, 3.0])
    assert low.dtype == high.dtype == np.float64
