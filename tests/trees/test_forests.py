import pickle

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

from sksmooth.samples.samples import Samples
from sksmooth.samples.targets import encode_targets
from sksmooth.trees import (
    Forest,
    Growth,
    Tree,
    grow,
    in_bag_rows,
    prune_tree,
    read_forest,
)


def samples_of(X, y, weights=None):
    targets, classes = encode_targets(y)
    return Samples(X, y, targets, np.ones(len(y)) if weights is None else weights, classes)


def grown(X, y, forest=None):
    """A forest of the package's own, or of another library."""
    options = dict(n_estimators=4, max_samples=0.8, random_state=0, forest=forest)
    return grow(samples_of(X, y), Growth(**options))


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
        forest = grown(X, y).forest
    else:
        forest = read_forest(RandomForestClassifier(3, random_state=0).fit(X, y))
    assert_array_equal(forest.apply(convert(X)), forest.apply(X))


def test_only_forests_of_libraries_round_the_samples(data):
    X, y = data
    assert read_forest(RandomForestClassifier(2).fit(X, y)).single_precision
    assert not grown(X, y).forest.single_precision
    # 0.1 and its neighbour are one number in float32.
    tree = Tree(*np.array([[1, -1, -1], [2, -1, -1], [0, -1, -1]]), np.array([0.1, 0, 0]))
    X = np.array([[0.1], [np.nextafter(0.1, 1)], [0.1 + 1e-7]])
    assert_array_equal(Forest((tree,), 1, single_precision=False).apply(X), [[1, 2, 2]])
    cut = Tree(tree.left, tree.right, tree.feature, np.float64(np.float32([0.1, 0, 0])))
    assert_array_equal(Forest((cut,), 1).apply(X), [[1, 1, 2]])


@pytest.mark.parametrize("n_samples", [1, 128, 300])
def test_every_sample_goes_down_the_tree_on_its_own(n_samples):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(300, 3)), rng.randint(3, size=300)
    X[rng.uniform(size=X.shape) < 0.1] = np.nan
    forest = grown(X, y).forest
    for tree, leaves in zip(forest.trees, forest.apply(X[:n_samples]), strict=True):
        for x, leaf in zip(X, leaves, strict=False):
            node = 0
            while tree.left[node] >= 0:
                value = x[tree.feature[node]]
                goes_left = value <= tree.threshold[node]
                goes_left |= np.isnan(value) & tree.missing_left[node]
                node = tree.left[node] if goes_left else tree.right[node]
            assert leaf == node
    assert_array_equal(Forest((Tree.leaf(),), 3).apply(X[:n_samples]), [[0] * n_samples])


def test_read_only_samples_are_accepted_and_left_alone(data):
    X, y = data
    frozen = X.copy()
    frozen.setflags(write=False)
    forest = grown(frozen, y).forest
    assert_array_equal(forest.apply(frozen), forest.apply(X))
    assert_array_equal(frozen, X)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_blocks_of_rows_give_the_same_leaves(n_jobs, convert, data):
    X, y = data
    forest = grown(X, y).forest
    many = np.tile(X, (12_000, 1))  # 86 megabytes, of which 64 are one block
    leaves = forest.apply(convert(many), n_jobs)
    assert_array_equal(leaves, np.tile(forest.apply(X), (1, 12_000)))


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


# ---------------------------------------------------------------- pruning


@given(st.sets(st.integers(0, 40), max_size=8))
def test_pruned_trees_tell_the_wanted_nodes_apart(wanted):
    X, y = make_classification(150, 6, n_informative=4, random_state=0)
    (tree,) = read_forest(DecisionTreeClassifier(random_state=0).fit(X, y)).trees
    is_wanted = np.zeros(tree.n_nodes, dtype=bool)
    is_wanted[[node for node in wanted if node < tree.n_nodes]] = True
    pruned, nodes = prune_tree(tree, is_wanted)
    assert is_wanted[nodes].sum() == is_wanted.sum()
    assert_array_equal(pruned.left >= 0, np.isin(tree.left[nodes], nodes))
    leaves = Forest((pruned,), 6).apply(X)[0]
    old_leaves = Forest((tree,), 6).apply(X)[0]
    for leaf, old_leaf in zip(nodes[leaves], old_leaves, strict=True):
        ancestors = [old_leaf]
        while tree.parent[ancestors[-1]] >= 0:
            ancestors.append(tree.parent[ancestors[-1]])
        assert leaf in ancestors
        below = ancestors[: ancestors.index(leaf)]
        assert not is_wanted[below].any()
    # No split could go: each has a wanted node among its children or below.
    for node in np.flatnonzero(pruned.left >= 0):
        held = [node]
        for below in range(node + 1, pruned.n_nodes):
            if pruned.parent[below] in held:
                held.append(below)
        assert is_wanted[nodes[held[1:]]].any()


# ---------------------------------------------------------------- forests over samples


def test_forests_of_other_libraries_are_fitted_to_a_copy(data):
    X, y = data
    model = RandomForestClassifier(3, random_state=0)
    forest = grown(X, y, model)
    assert not hasattr(model, "estimators_")
    assert_array_equal(forest.bags > 0, in_bag_rows(forest.fitted, len(y)))
    assert_array_equal(forest.unseen, forest.bags == 0)
    assert_array_equal(forest.leaves, forest.fitted.apply(X).T)
    assert grown(X, y).fitted is None


def test_numbers_of_units_and_of_trees_apart(data):
    X, y = data
    fifth = grown(X, y)
    assert fifth.n_grown == 120
    assert fifth.n_apart == pytest.approx(5)
    assert grown(X, y, DecisionTreeClassifier()).n_apart == np.inf


def test_weights_reach_the_forest_unless_they_are_equal(data):
    X, y = data
    tree = DecisionTreeClassifier(max_depth=2)
    for weights in (np.ones(150), np.arange(150) % 3 + 1.0):
        forest = grow(samples_of(X, y, weights), Growth(forest=tree))
        expected = DecisionTreeClassifier(max_depth=2).fit(X, y, weights)
        assert_array_equal(forest.leaves[0], expected.apply(X))
        assert_array_equal(forest.bags, [weights])


def test_regressors_fit_classes_if_they_fit_several_outputs(data):
    X, y = data
    vertices = encode_targets(y)[0].values
    forest = grown(X, y, DecisionTreeRegressor(max_depth=3, random_state=0))
    expected = DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, vertices)
    assert_array_equal(forest.leaves[0], expected.apply(X))
    with pytest.raises(ValueError, match="use GradientBoostingClassifier"):
        grown(X, y, GradientBoostingRegressor())
    assert len(grown(X, y == 1, GradientBoostingRegressor()).forest.trees) == 100
