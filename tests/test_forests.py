import warnings

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    Tree,
    canonical_order,
    grow_forest,
    in_bag_rows,
    read_forest,
    structure,
)
from sksmooth.forests.sampling import draw_bags
from sksmooth.forests.structure import FeatureScaling, column_ranges
from sksmooth.targets import encode_targets


@pytest.fixture(scope="module")
def data():
    return make_classification(
        150, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
    )


def grow(X, y, weights=None, **options):
    """Targets, canonical order and forest in one step, as the estimator does it."""
    targets, _ = encode_targets(y)
    weights = np.ones(len(y)) if weights is None else weights
    order = canonical_order(X, targets.tie_break).order
    options = {"n_estimators": 4, "max_samples": 0.8, "random_state": 0, **options}
    return grow_forest(X, targets, weights, order, **options)


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
        forest, _ = grow(X, y)
    else:
        forest = read_forest(RandomForestClassifier(3, random_state=0).fit(X, y))
    assert_array_equal(forest.apply(convert(X)), forest.apply(X))


def test_read_only_samples_are_accepted_and_left_alone(data):
    X, y = data
    frozen = X.copy()
    frozen.setflags(write=False)
    forest, _ = grow(frozen, y)
    assert_array_equal(forest.apply(frozen), forest.apply(X))
    assert_array_equal(frozen, X)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_blocks_of_rows_give_the_same_leaves(n_jobs, convert, data, monkeypatch):
    X, y = data
    forest, _ = grow(X, y)
    whole = forest.apply(convert(X))
    monkeypatch.setattr(structure, "_BLOCK_BYTES", 8 * X.shape[1] * 7)
    assert len(structure.row_blocks(X.shape)) == 22  # 150 rows by 7
    assert_array_equal(forest.apply(convert(X), n_jobs), whole)


def test_arrays_of_a_tree_are_read_only(data):
    forest = read_forest(DecisionTreeClassifier(random_state=0).fit(*data))
    with pytest.raises(ValueError, match="read-only"):
        forest.trees[0].threshold[0] = 0.0


def test_parents_must_come_before_their_children():
    left, right = np.array([-1, -1, 0]), np.array([-1, -1, 1])
    with pytest.raises(ValueError, match="before its children"):
        Tree(left, right, np.array([-1, -1, 0]), np.zeros(3))


def test_parent_inverts_the_children(data):
    (tree,) = read_forest(DecisionTreeClassifier(random_state=0).fit(*data)).trees
    assert tree.parent[0] == -1
    for node in range(1, tree.n_nodes):
        assert node in (tree.left[tree.parent[node]], tree.right[tree.parent[node]])


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        BaggingClassifier(LogisticRegression(), n_estimators=2),
        BaggingClassifier(RandomForestClassifier(2), n_estimators=2),
        HistGradientBoostingClassifier(max_iter=2),
    ],
    ids=["linear", "bagged-linear", "bagged-forest", "histogram"],
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


def bags_of(weights, fraction, n_trees=3, order=None, seed=0):
    weights = np.asarray(weights, dtype=float)
    order = np.arange(len(weights)) if order is None else order
    return draw_bags(order, weights, n_trees, fraction, np.random.RandomState(seed))


@given(st.integers(1, 60), st.floats(0.01, 1.0), st.sampled_from([1.0, 0.1, 3.0, 1e-9]))
def test_equal_weights_are_in_or_out_and_the_fraction_is_right(n, fraction, weight):
    bags = bags_of(np.full(n, weight), fraction)
    n_drawn = min(max(round(fraction * n), 1), n)
    assert_array_equal(np.isin(bags, [0.0, weight]), True)
    assert_array_equal((bags > 0).sum(axis=1), n_drawn)


uneven_weights = st.lists(st.floats(0.1, 2.0), min_size=2, max_size=30).map(np.array)


@given(uneven_weights, st.floats(0.05, 1.0))
def test_bags_lie_between_zero_and_the_weight(weights, fraction):
    # Exactly: what is left of a weight is the weight out of the bag, and a difference
    # by rounding would be taken for a sample.
    bags = bags_of(weights, fraction)
    assert (bags >= 0).all()
    assert (bags <= weights).all()


@given(uneven_weights, st.floats(0.05, 1.0))
def test_fraction_of_uneven_weights_is_right_up_to_one_slot(weights, fraction):
    # Slots are as long as the smallest weight, or an eighth of the mean; the last one
    # may be shorter, and the number drawn is rounded.
    slot = max(weights.min(), weights.mean() / 8)
    bags = bags_of(weights, fraction)
    assert_allclose(bags.sum(axis=1), fraction * weights.sum(), atol=2 * slot)


@given(uneven_weights)
def test_weight_that_is_in_every_bag_leaves_none_out(weights):
    # 0.999 of at most 240 slots rounds to all of them.
    assert_array_equal(bags_of(weights, 0.999), np.tile(weights, (3, 1)))


@given(st.lists(st.integers(1, 4), max_size=20), st.floats(0.05, 1.0))
def test_weight_w_is_w_repeats(repeats, fraction):
    # Of weights without a common divisor: [2, 2] has the bags of [1, 1].
    repeats = np.array([1] + repeats)
    weighted = bags_of(repeats, fraction)
    repeated = bags_of(np.ones(repeats.sum()), fraction)
    starts = np.cumsum(repeats) - repeats
    assert_allclose(weighted, np.add.reduceat(repeated, starts, axis=1), atol=1e-12)


@given(uneven_weights, st.floats(0.05, 1.0), st.sampled_from([2.0**-40, 8.0, 1e12 / 3]))
def test_bags_scale_with_the_weights(weights, fraction, factor):
    # A factor that is no power of two rounds the weights themselves.
    scaled = bags_of(weights * factor, fraction) / factor
    assert_allclose(scaled, bags_of(weights, fraction), atol=1e-9)


def test_multiples_of_the_smallest_weight_are_whole_up_to_rounding():
    # Their rounded quotients would add up to 30 and a bit, and make a slot too many.
    weights = np.array([1.0, 6.0, 6.0, 6.0, 6.0, 5.0])
    assert np.cumsum(weights * 0.1 / 0.1)[-1] > weights.sum()
    bags = bags_of(weights, 0.5, n_trees=20)
    assert_allclose(bags_of(weights * 0.1, 0.5, n_trees=20), bags * 0.1, atol=1e-12)


def test_bags_follow_the_canonical_order():
    weights = np.array([1.0, 2.0, 3.0, 1.0, 2.0])
    order = np.array([3, 1, 4, 0, 2])
    in_order = bags_of(weights[order], 0.5)
    assert_array_equal(bags_of(weights, 0.5, order=order)[:, order], in_order)


def test_trees_get_different_bags_and_every_sample_its_turn():
    bags = bags_of(np.ones(50), 0.5, n_trees=40)
    assert len(np.unique(bags, axis=0)) == 40
    # In how many of 40 bags: binomial(40, 1/2), 20 +- 5 standard deviations of 3.2.
    assert (np.abs((bags > 0).sum(axis=0) - 20) < 16).all()


def test_very_uneven_weights_take_bounded_work():
    weights = np.array([1e-12] * 50 + [1.0])
    bags = bags_of(weights, 0.5)
    assert_allclose(bags.sum(axis=1), 0.5, atol=0.01)


# ---------------------------------------------------------------- canonical order


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@given(seed=st.integers(0, 1000))
def test_order_does_not_depend_on_the_order_of_the_rows(convert, seed):
    rng = np.random.RandomState(seed)
    X, y = rng.randint(0, 3, size=(40, 3)).astype(float), rng.randint(0, 2, size=40)
    shuffle = rng.permutation(40)
    rows = np.column_stack([X, y])
    first = canonical_order(convert(X), y).order
    second = canonical_order(convert(X[shuffle]), y[shuffle]).order
    assert_array_equal(rows[first], rows[shuffle][second])


def test_order_does_not_depend_on_other_outputs_of_equal_rows():
    # Rows 0 and 1 differ in their second output only.
    X = np.array([[0.0], [0.0], [1.0]])
    Y = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 3.0]])
    shuffle = [1, 0, 2]
    first, second = (
        canonical_order(X[rows], encode_targets(Y[rows])[0].tie_break)
        for rows in ([0, 1, 2], shuffle)
    )
    assert_array_equal(Y[first.order], Y[shuffle][second.order])


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_order_does_not_depend_on_positive_scales_of_the_columns(convert):
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(60, 4)), rng.randint(0, 2, size=60)
    expected = canonical_order(convert(X), y).order
    for scale in ([2.0, 0.25, 1024.0, 1.0], [1e300, 1e-300, 1e-308, 3.0]):
        assert_array_equal(canonical_order(convert(X * scale), y).order, expected)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_duplicates_and_only_they_share_a_group(convert):
    rng = np.random.RandomState(0)
    X, y = rng.randint(0, 3, size=(80, 3)) / 7, rng.randint(0, 2, size=80)
    group = canonical_order(convert(X), y).group
    rows = np.column_stack([X, y])
    equal = (rows[:, None, :] == rows[None, :, :]).all(axis=2)
    assert_array_equal(group[:, None] == group[None, :], equal)


def test_distinct_samples_are_counted_in_the_bag():
    X = np.array([[0.0], [0.0], [0.0], [1.0], [2.0]])
    canonical = canonical_order(X, np.array([0, 0, 1, 1, 1]))
    bags = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0.5]])
    assert canonical.count_distinct(bags) == (4 + 2) / 2


# ---------------------------------------------------------------- growing


def test_forest_does_not_depend_on_the_number_of_jobs(data):
    X, y = data
    alone, bags = grow(X, y, n_jobs=1)
    together, same_bags = grow(X, y, n_jobs=2)
    assert_same_forest(alone, together)
    assert_array_equal(bags, same_bags)


def test_forest_does_not_depend_on_the_backend(data):
    X, y = data
    alone, _ = grow(X, y)
    # A tiny max_nbytes hands the arrays over as read-only memory maps.
    with joblib.parallel_config(backend="loky", n_jobs=2, max_nbytes=100):
        processes, _ = grow(X, y)
        leaves = processes.apply(X)
    assert_same_forest(alone, processes)
    assert_array_equal(leaves, alone.apply(X))


def test_random_state_decides(data):
    X, y = data
    first, bags = grow(X, y, random_state=1)
    again, same_bags = grow(X, y, random_state=np.random.RandomState(1))
    assert_same_forest(first, again)
    assert_array_equal(bags, same_bags)
    assert not np.array_equal(bags, grow(X, y, random_state=2)[1])


def test_powers_of_two_change_nothing(data):
    X, y = data
    scale = 2.0 ** np.array([0, 3, -7, 40, -40, 1])
    first, bags = grow(X, y)
    second, same_bags = grow(X * scale, y)
    assert_same_forest(first, second)
    assert_array_equal(bags, same_bags)


@pytest.mark.parametrize("max_bins", [None, 32])
def test_huge_and_tiny_columns_change_no_leaf(data, max_bins):
    # Thresholds may differ by rounding, so the partition is compared.
    X, y = data
    scaled = X * [1e300, 1e-300, 1e-30, 1e30, 1e9, 1.0]
    first, _ = grow(X, y, max_bins=max_bins)
    second, _ = grow(scaled, y, max_bins=max_bins)
    assert_array_equal(first.apply(X), second.apply(scaled))


def test_sparse_samples_give_the_partition_of_dense_ones(data):
    X, y = data
    X = np.abs(X)
    X[X < 0.4] = 0.0  # with zeros as the smallest values, both are scaled alike
    dense, bags = grow(X, y)
    from_sparse, same_bags = grow(sparse.csr_matrix(X), y)
    assert_array_equal(bags, same_bags)
    assert_array_equal(dense.apply(X), from_sparse.apply(sparse.csr_matrix(X)))


def test_units_of_the_targets_change_nothing(data):
    X, _ = data
    y = X[:, 0] + np.sin(3 * X[:, 1])
    first, _ = grow(X, y)
    for factor in (2.0**-60, 2.0**60):
        assert_same_forest(first, grow(X, y * factor)[0])


def test_full_trees_separate_the_classes_of_their_bags(data):
    X, y = data
    forest, bags = grow(X, y)
    for leaves, bag in zip(forest.apply(X), bags, strict=True):
        seen = {}
        for leaf, label in zip(leaves[bag > 0], y[bag > 0], strict=True):
            assert seen.setdefault(leaf, label) == label


def test_limits_are_obeyed(data):
    X, y = data
    forest, bags = grow(X, y, max_depth=2, max_samples=30)
    assert_array_equal(bags.sum(axis=1), [30] * 4)
    assert all(tree.n_nodes <= 7 for tree in forest.trees)
    assert_array_equal(grow(X, y, max_samples=150)[1], np.ones((4, 150)))
    with pytest.raises(ValueError, match="more than the 150 rows"):
        grow(X, y, max_samples=151)


def test_bins_are_exact_for_few_distinct_values(data):
    _, y = data
    X = np.random.RandomState(0).randint(0, 8, size=(150, 3)).astype(float)
    exact, bags = grow(X, y)
    binned, _ = grow(X, y, max_bins=8)
    # Out of the bag a sample may lie on a cut, where rounding decides.
    in_bag = bags > 0
    assert_array_equal(exact.apply(X)[in_bag], binned.apply(X)[in_bag])


@pytest.mark.parametrize("max_bins", [2, 5])
def test_bins_bound_the_number_of_cuts(data, max_bins):
    X, y = data
    forest, _ = grow(X, y, n_estimators=8, max_bins=max_bins)
    inner = [(tree.feature[tree.left >= 0], tree) for tree in forest.trees]
    features = np.concatenate([feature for feature, _ in inner])
    thresholds = np.concatenate([tree.threshold[tree.left >= 0] for _, tree in inner])
    for k in range(X.shape[1]):
        cuts = np.unique(thresholds[features == k])
        assert 1 <= len(cuts) < max_bins
        # Cuts are at quantiles: as many samples between two of them as elsewhere.
        below = np.mean(forest.scaling(X)[:, k, None] <= cuts, axis=0)
        levels = np.arange(1, max_bins) / max_bins
        assert np.abs(below[:, None] - levels).min(axis=1).max() < 0.02


def test_bins_refuse_sparse_samples(data):
    X, y = data
    with pytest.raises(ValueError, match="max_bins needs dense"):
        grow(sparse.csr_matrix(X), y, max_bins=4)


# ---------------------------------------------------------------- scaling


def scaling_of(X):
    low, high = column_ranges(X)
    half_range = 0.5 * high - 0.5 * low
    return FeatureScaling(0.5 * low, np.where(half_range > 0, half_range, 1.0))


@pytest.mark.parametrize("scale", [1e308, 1.0, 1e-150, 1e-308])
def test_scaling_neither_overflows_nor_loses_the_order(scale):
    X = np.linspace(-1.0, 1.0, 11)[:, None] * scale * [1.0, 1.7]
    scaling = scaling_of(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = scaling(X)
    assert scaled.dtype == np.float32
    # float32 keeps 24 bits; the smallest normal numbers are exact to as many.
    assert_allclose(scaled, np.repeat(np.linspace(0, 1, 11)[:, None], 2, 1), atol=1e-6)
    assert_allclose(scaling.ranges(*column_ranges(X)), [[0, 0], [1, 1]], atol=1e-15)


@pytest.mark.parametrize("scale", [1e308, 1e-308])
def test_trees_grow_on_extreme_columns(scale):
    X = np.linspace(-1.0, 1.0, 40)[:, None] * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forest, _ = grow(X, X[:, 0] > 0, n_estimators=1, max_samples=1.0)
    (leaves,) = forest.apply(X)
    assert_array_equal(leaves, np.repeat([1, 2], 20))


def test_sparse_scaling_keeps_zeros():
    X = sparse.csr_matrix([[0.0, -4e300], [2e-300, 0.0], [0.0, 0.0]])
    scaling = FeatureScaling(np.zeros(2), np.array([1e-300, 2e300]))
    scaled = scaling.sparse(X)
    assert_array_equal(scaled.toarray(), [[0, -1], [1, 0], [0, 0]])
    assert scaled.nnz == X.nnz
    assert scaled.dtype == np.float32


def test_moderate_float32_samples_are_not_scaled(data):
    X, y = data
    assert grow(X.astype(np.float32), y)[0].scaling is None
    assert grow(X.astype(np.float32) * np.float32(1e-6), y)[0].scaling is not None
