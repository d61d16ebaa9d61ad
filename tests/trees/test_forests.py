import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
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

from sksmooth.samples.targets import encode_targets
from sksmooth.samples.units import SamplingUnits, column_ranges, draw_bags, sampling_units
from sksmooth.trees import Forest, Tree, grow_forest, in_bag_rows, read_forest
from sksmooth.trees import tree as structure


def grown(X, y):
    """A forest of the package's own, and its bags."""
    targets, _ = encode_targets(y)
    weights = np.ones(len(y))
    canonical = sampling_units((X,), targets.tie_break, weights)
    options = dict(n_estimators=4, max_samples=0.8, random_state=0)
    return grow_forest(X, targets, weights, canonical, **options)[:2]


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
    with pytest.raises(TypeError, match=r"tree|is a class"):
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


def test_rows_are_units_where_features_take_a_few_values():
    X, y = np.repeat([[0.0], [1.0]], 20, axis=0), np.repeat([0, 1], 20)
    assert sampling_units((X,), y, np.ones(40)).n_units == 40
    # One row less, and there are fewer than 20 rows to a distinct one.
    assert sampling_units((X[1:],), y[1:], np.ones(39)).n_units == 2


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
