import pickle
import warnings

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sksmooth import SimplexEncoder, WaveletDecomposition, wavelet_decomposition
from sksmooth.samples.targets import Targets, encode_targets
from sksmooth.samples.units import column_ranges
from sksmooth.trees import Forest, Tree, in_bag_rows, read_forest
from sksmooth.wavelets.decomposition import (
    decompose,
    m_term_approximation,
    m_term_errors,
    path_values,
    squared_errors_with_ranked_roots,
    tree_errors,
    wavelet_features,
    wavelet_importances,
)
from sksmooth.wavelets.kernels import sample_ranges

# Sums of some hundred terms of order one: rounding stays far below this.
CLOSE = dict(rtol=1e-10, atol=1e-12)


def plain_targets(values) -> Targets:
    return Targets(values, np.zeros(len(values)), None)


class Case:
    """A forest, samples it has not seen, weights, and both decompositions."""

    def __init__(self, *, p=2.0, n_outputs=2, measure="samples", seed=0, **options):
        rng = np.random.RandomState(seed)
        self.X = rng.uniform(size=(50, 3))
        self.values = np.column_stack(
            [np.sin(4 * self.X[:, 0]), self.X[:, 1] ** 2, rng.standard_normal(50)]
        )[:, :n_outputs]
        self.new_X = rng.uniform(size=(30, 3))
        self.new_values = rng.standard_normal((30, n_outputs))
        self.new_weights = rng.uniform(0.2, 3.0, size=30)
        options = {"max_depth": 3, **options}
        fitted = RandomForestRegressor(3, random_state=seed, **options)
        fitted.fit(self.X, self.values.squeeze())
        self.forest = read_forest(fitted)
        self.trees = self.forest.trees
        self.leaves = self.forest.apply(self.X)
        self.new_leaves = self.forest.apply(self.new_X)
        self.bags = in_bag_rows(fitted, 50) * rng.uniform(0.5, 2.0, size=50)
        self.decomposition = decompose(
            self.forest,
            self.leaves,
            self.values,
            self.bags,
            p=p,
            measure=measure,
            ranges=column_ranges(self.X),
        )
        self.reference = reference.decompose(
            self.trees, self.X, self.values, self.bags, p=p, measure=measure
        )


CASES = {p: Case(p=p) for p in (1.0, 2.0, 3.0)}  # for tests that need many examples


# ---------------------------------------------------------------- by hand

# x = 0 ... 7. The root (mean 44/8 = 5.5) is cut at 3.5 into nodes 1 (mean 8/4 = 2) and
# 2 (mean 9); node 1 is cut at 2.5 into nodes 3 (mean 1, three samples) and 4 (mean 5).
HAND_X = np.arange(8.0)[:, None]
HAND_Y = np.array([[1.0, 1.0, 1.0, 5.0, 9.0, 9.0, 9.0, 9.0]]).T
HAND_TREE = Tree(
    left=np.array([1, 3, -1, -1, -1]),
    right=np.array([2, 4, -1, -1, -1]),
    feature=np.array([0, 0, -1, -1, -1]),
    threshold=np.array([3.5, 2.5, 0.0, 0.0, 0.0]),
)
HAND_FOREST = Forest((HAND_TREE,), 1)


def decompose_by_hand(**options):
    leaves = HAND_FOREST.apply(HAND_X)
    return decompose(HAND_FOREST, leaves, HAND_Y, np.ones((1, 8)), **options)


def test_small_tree_by_hand():
    wavelets = decompose_by_hand()
    assert_array_equal(wavelets.parent, [-1, 0, 0, 1, 1])
    assert_array_equal(wavelets.depth, [0, 1, 1, 2, 2])
    assert_array_equal(wavelets.feature, [-1, 0, 0, 0, 0])
    assert_array_equal(wavelets.count, [8, 4, 4, 3, 1])
    assert_array_equal(wavelets.mean[:, 0], [5.5, 2, 9, 1, 5])
    assert_array_equal(wavelets.psi[:, 0], [0, -3.5, 3.5, -1, 3])
    squared_norms = [0, 3.5**2 / 2, 3.5**2 / 2, 1 * 3 / 8, 9 / 8]
    assert_allclose(wavelets.norm**2, squared_norms, **CLOSE)
    assert_array_equal(wavelets.order, [1, 2, 4, 3])


def test_root_mean_is_subtracted_once():
    # Three published ports take (c - c_root) - c_root in the children of the root. Here
    # that would be 2 - 5.5 - 5.5 = -9 instead of -3.5.
    wavelets = decompose_by_hand()
    assert_allclose(wavelets.norm[1:3], 3.5 * np.sqrt(0.5), **CLOSE)
    shifted = decompose(
        HAND_FOREST, HAND_FOREST.apply(HAND_X), HAND_Y + 100.0, np.ones((1, 8))
    )
    assert_allclose(shifted.psi, wavelets.psi, **CLOSE)


def test_small_error_curve_by_hand():
    # 13.75 is the variance; each squared norm is what its term takes away, since node 2
    # before its sibling leaves 49/8 + 12/8 = 7.625, and node 4 before node 3 leaves 3/8.
    wavelets = decompose_by_hand()
    errors = m_term_errors(wavelets, HAND_FOREST.apply(HAND_X), plain_targets(HAND_Y))
    assert_allclose(errors**2, [13.75, 7.625, 1.5, 0.375, 0], **CLOSE)


def test_small_norms_in_other_spaces_by_hand():
    first = decompose_by_hand(p=1)
    assert_allclose(first.norm, [0, 3.5 / 2, 3.5 / 2, 3 / 8, 3 / 8], **CLOSE)
    # Boxes of [0, 7]: [0, 3.5], [3.5, 7], [0, 2.5] and [2.5, 3.5].
    low, high = HAND_X.min(axis=0), HAND_X.max(axis=0)
    by_volume = decompose_by_hand(p=1, measure="volume", ranges=(low, high))
    assert_allclose(by_volume.norm, [0, 1.75, 1.75, 2.5 / 7, 3 / 7], **CLOSE)


# ---------------------------------------------------------------- nodes


@pytest.mark.parametrize("measure", ["samples", "volume"])
@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
def test_nodes_are_those_of_the_reference(p, measure):
    case = Case(p=p, measure=measure, max_depth=6)
    nodes = [node for tree in case.reference for node in tree]
    wavelets = case.decomposition
    assert_array_equal(wavelets.depth, [node.depth for node in nodes])
    assert_array_equal(wavelets.feature, [node.feature for node in nodes])
    assert_allclose(wavelets.count, [node.count for node in nodes], **CLOSE)
    assert_allclose(wavelets.mean, [node.mean for node in nodes], **CLOSE)
    assert_allclose(wavelets.psi, [node.psi for node in nodes], **CLOSE)
    assert_allclose(wavelets.norm, [node.norm for node in nodes], **CLOSE)
    offsets = np.cumsum([0] + [len(tree) for tree in case.reference])
    assert_array_equal(wavelets.offsets, offsets)
    assert_array_equal(
        wavelets.order, [offsets[j] + node for j, node in reference.ranked(case.reference)]
    )


def test_parents_are_numbered_over_all_trees():
    wavelets = Case().decomposition
    children = np.flatnonzero(wavelets.parent >= 0)
    assert_array_equal(wavelets.tree[children], wavelets.tree[wavelets.parent[children]])
    assert_array_equal(np.flatnonzero(wavelets.parent < 0), wavelets.roots)
    assert wavelets.n_terms == len(children)


def test_order_is_by_falling_norm_with_ties_by_number():
    # Integer targets in a balanced tree make many equal norms.
    X = np.arange(64.0)[:, None]
    y = (np.arange(64) // 4 % 2) * 2.5 + np.arange(64) % 2
    wavelets = wavelet_decomposition(DecisionTreeRegressor(random_state=0).fit(X, y), X, y)
    norm = wavelets.norm[wavelets.order]
    # Norms closer than single precision count as equal.
    assert (norm[1:] <= norm[:-1] * (1 + 1e-6)).all()
    tied = np.isclose(norm[1:], norm[:-1], rtol=1e-9, atol=0)
    assert tied.sum() > 10
    assert (np.diff(wavelets.order)[tied] > 0).all()
    assert_array_equal(np.sort(wavelets.order), np.arange(1, len(wavelets.norm)))


def test_order_of_one_tree_is_part_of_the_whole():
    wavelets = Case().decomposition
    for j in range(wavelets.n_trees):
        own = wavelets.tree_order(j)
        assert_array_equal(
            own, [node for node in wavelets.order if wavelets.tree[node] == j]
        )
        assert len(own) == wavelets.n_terms_per_tree[j] > 5


def test_norms_by_tree_are_falling_and_then_zero():
    case = Case(p=1.5, max_depth=None, min_samples_leaf=4)
    norms = case.decomposition.norms_by_tree()
    sizes = case.decomposition.n_terms_per_tree
    assert norms.shape == (3, sizes.max())
    assert len(set(sizes)) > 1
    for own, nodes in zip(norms, case.reference, strict=True):
        expected = sorted((node.norm for node in nodes[1:]), reverse=True)
        assert_allclose(own[: len(expected)], expected, **CLOSE)
        assert_array_equal(own[len(expected) :], 0)


def test_nodes_without_samples_carry_nothing():
    # Only x = 0, 1, 2 are given: nodes 2 and 4 are empty and inherit their parents' mean.
    X, y = HAND_X[:3], np.array([[1.0], [2.0], [6.0]])
    wavelets = decompose(HAND_FOREST, HAND_FOREST.apply(X), y, np.ones((1, 3)))
    assert_array_equal(wavelets.count, [3, 3, 0, 3, 0])
    assert_array_equal(wavelets.mean[:, 0], [3] * 5)
    assert_array_equal(wavelets.psi, np.zeros((5, 1)))
    assert_array_equal(wavelets.norm, np.zeros(5))
    assert wavelets.n_terms == 0
    assert_array_equal(wavelets.n_terms_per_tree, [0])


def test_zero_weights_are_as_if_the_samples_were_not_there():
    weights = np.array([[1.0, 2.0, 0.5, 0.0, 0.0, 1.0, 1.0, 0.0]])
    leaves = HAND_FOREST.apply(HAND_X)
    kept = weights[0] > 0
    with_zeros = decompose(HAND_FOREST, leaves, HAND_Y, weights)
    without = decompose(HAND_FOREST, leaves[:, kept], HAND_Y[kept], weights[:, kept])
    assert_array_equal(with_zeros.mean, without.mean)
    assert_array_equal(with_zeros.norm, without.norm)
    with pytest.raises(ValueError, match="no sample with a positive weight"):
        decompose(HAND_FOREST, leaves, HAND_Y, np.zeros((1, 8)))


def test_arrays_are_read_only():
    original = Case().decomposition
    for wavelets in (original, pickle.loads(pickle.dumps(original))):
        arrays = [
            value for value in vars(wavelets).values() if isinstance(value, np.ndarray)
        ]
        assert len(arrays) == 10
        for array in arrays:
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
        with pytest.raises(AttributeError):
            wavelets.p = 1.0


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_splits_of_constant_targets_make_no_terms(offset):
    # 0.1 and 0.7 are no binary fractions, so means of equal targets differ by rounding.
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(150, 2))
    y = np.where(X[:, 0] < 0.37, 0.1, 0.7) + offset
    tree = DecisionTreeRegressor(random_state=0).fit(X, rng.standard_normal(150))
    wavelets = wavelet_decomposition(tree, X, y)
    (plain,) = read_forest(tree).trees
    nodes = reference.decompose_tree(plain, X, y[:, None], np.ones(150))
    terms = [
        node.number for node in nodes[1:] if len({y[i] for i in node.parent.rows}) == 2
    ]
    assert 10 < len(terms) < 150
    assert_array_equal(np.sort(wavelets.order), terms)


# ---------------------------------------------------------------- Parseval


@given(st.integers(0, 10**6))
def test_parseval_for_any_set_of_sibling_pairs(seed):
    rng = np.random.RandomState(seed)
    n = rng.randint(5, 60)
    X, y = rng.uniform(size=(n, 2)), rng.standard_normal((n, 2))
    weights = rng.uniform(0.1, 2.0, size=n)
    tree = DecisionTreeRegressor(max_depth=rng.randint(1, 8), random_state=0).fit(X, y)
    wavelets = wavelet_decomposition(tree, X, y, sample_weight=weights)
    (leaves,) = read_forest(tree).apply(X)

    def squared_error(values):
        return np.average(np.sum((y - values) ** 2, axis=1), weights=weights)

    residual = squared_error(wavelets.mean[leaves])
    variance = squared_error(wavelets.mean[0])
    assert_allclose(variance, np.sum(wavelets.norm**2) + residual, rtol=1e-10)

    split = rng.uniform(size=len(wavelets.parent)) < 0.5  # parents whose pair is kept
    kept = split[np.maximum(wavelets.parent, 0)]
    sums = path_values(wavelets, np.where(kept[:, None], wavelets.psi, 0))
    left_out = np.sum(wavelets.norm[~kept] ** 2)
    error = squared_error(wavelets.mean[0] + sums[leaves])
    # Relative to the variance, of which both are parts.
    assert_allclose(error, left_out + residual, rtol=1e-10, atol=1e-10 * variance)


def test_parseval_for_simplex_labels():
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(200, 3)), rng.randint(0, 5, size=200)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)  # pure leaves: no residual
    gini = 1 - np.sum((np.bincount(y) / 200) ** 2)
    norm = wavelet_decomposition(tree, X, y).norm
    assert_allclose(np.sum(norm**2), gini, rtol=1e-10)


# ---------------------------------------------------------------- M-term sums

# With p < 2 the kernel takes roots of squared errors that are zero up to rounding, 1e-16
# of the targets' square: 1e-8 of the targets.
CURVE_TOLERANCE = {1.0: 1e-7, 1.5: 1e-9, 2.0: 1e-11, 3.0: 1e-11}


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
def test_error_curve_is_that_of_the_reference(p, n_outputs):
    case = Case(p=p, n_outputs=n_outputs)
    errors = m_term_errors(case.decomposition, case.leaves, plain_targets(case.values))
    expected = reference.error_powers(case.trees, case.reference, case.X, case.values, p=p)
    assert_allclose(errors**p, expected, atol=CURVE_TOLERANCE[p])


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_error_curve_of_other_weighted_samples_with_unseen_classes(p):
    case = Case(p=p)
    floor = np.where(np.arange(30) % 4 == 0, 1.25, 0.0)
    targets = Targets(case.new_values, floor, None)
    errors = m_term_errors(case.decomposition, case.new_leaves, targets, case.new_weights)
    expected = reference.error_powers(
        case.trees,
        case.reference,
        case.new_X,
        case.new_values,
        p=p,
        weights=case.new_weights,
        floor=floor,
    )
    assert_allclose(errors**p, expected, atol=CURVE_TOLERANCE[p])


@pytest.mark.parametrize("trees", [[0], [2], [0, 2], [1, 2]])
def test_error_curve_of_some_trees(trees):
    case = Case()
    errors = m_term_errors(
        case.decomposition,
        case.new_leaves,
        plain_targets(case.new_values),
        trees=np.array(trees),
    )
    expected = reference.error_powers(
        [case.trees[j] for j in trees],
        [case.reference[j] for j in trees],
        case.new_X,
        case.new_values,
    )
    assert_allclose(errors**2, expected, **CLOSE)


@pytest.mark.parametrize("n_terms", [0, 1, 5])
def test_error_curve_can_stop_early(n_terms):
    case = Case()
    targets = plain_targets(case.values)
    whole = m_term_errors(case.decomposition, case.leaves, targets)
    cut = m_term_errors(case.decomposition, case.leaves, targets, n_terms=n_terms)
    assert_array_equal(cut, whole[: n_terms + 1])


def test_targets_are_not_changed_by_the_sweep():
    case = Case()
    before = case.values.copy()
    m_term_errors(case.decomposition, case.leaves, plain_targets(case.values))
    errors_of_tree(case, 0)
    assert_array_equal(case.values, before)


def errors_of_tree(case, tree, *, in_bag=None, group=None, kept=(0,), weights=None):
    """Errors of a tree over the samples of the case, by default all in one group."""
    return tree_errors(
        case.decomposition,
        tree,
        case.leaves[tree],
        plain_targets(case.values),
        np.ones(50) if weights is None else weights,
        case.bags[tree] > 0 if in_bag is None else in_bag,
        np.zeros(50, dtype=np.intp) if group is None else group,
        np.array(kept),
    )


SAMPLE_WEIGHTS = np.random.RandomState(7).uniform(0.2, 3.0, size=50)
SAMPLE_WEIGHTS[::11] = 0.0


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
def test_errors_of_single_trees_in_and_out_of_the_bag(p):
    case = Case(p=p)
    for j, (tree, nodes) in enumerate(zip(case.trees, case.reference, strict=True)):
        in_bag = case.bags[j] > 0
        curve = errors_of_tree(case, j, weights=SAMPLE_WEIGHTS).curve
        for side, rows in enumerate((in_bag, ~in_bag)):
            expected = reference.error_powers(
                [tree], [nodes], case.X, case.values, p=p, weights=SAMPLE_WEIGHTS * rows
            )
            assert_allclose(curve[:, side], expected, atol=CURVE_TOLERANCE[p])


def test_errors_out_of_the_bag_of_a_tree_that_has_seen_all_are_nan():
    case = Case()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        errors = errors_of_tree(case, 0, in_bag=np.ones(50, dtype=bool))
    assert np.isfinite(errors.curve[:, 0]).all()
    assert np.isnan(errors.curve[:, 1]).all()
    assert_array_equal(errors.group_sums[..., 1], 0)
    assert_array_equal(errors.group_weights, [[50, 0]])


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
def test_errors_of_groups_are_those_of_the_reference(p, n_outputs):
    case = Case(p=p, n_outputs=n_outputs)
    group = np.random.RandomState(1).permutation(50) % 4
    in_bag, kept = case.bags[1] > 0, np.array([0, 1, 2, 5, 10])
    errors = errors_of_tree(case, 1, group=group, kept=kept, weights=SAMPLE_WEIGHTS)
    sums, group_weights = reference.group_error_sums(
        case.trees[1],
        case.reference[1],
        case.X,
        case.values,
        SAMPLE_WEIGHTS,
        in_bag,
        group,
        kept,
        p,
    )
    assert errors.group_sums.shape == (5, 4, 2)
    assert_allclose(errors.group_sums, sums, atol=50 * CURVE_TOLERANCE[p])
    assert_allclose(errors.group_weights, group_weights, **CLOSE)


@given(st.integers(0, 10**6), st.integers(1, 50), st.sampled_from([1.0, 2.0, 3.0]))
def test_errors_of_groups_add_up_to_the_curve(seed, n_groups, p):
    case, rng = CASES[p], np.random.RandomState(seed)
    tree = rng.randint(3)
    n_terms = case.decomposition.n_terms_per_tree[tree]
    kept = np.flatnonzero(rng.uniform(size=n_terms + 1) < 0.4)
    errors = errors_of_tree(
        case,
        tree,
        in_bag=rng.permutation(50) < rng.randint(1, 50),
        group=rng.permutation(50) % n_groups,
        kept=kept,
        weights=rng.uniform(0.1, 2.0, size=50),
    )
    assert errors.curve.shape == (n_terms + 1, 2)
    assert errors.group_sums.shape == (len(kept), n_groups, 2)
    means = errors.group_sums.sum(axis=1) / errors.group_weights.sum(axis=0)
    assert_allclose(means, errors.curve[kept], rtol=1e-9, atol=CURVE_TOLERANCE[p])


def test_errors_of_groups_stay_after_the_last_term():
    # Trees are of different sizes, but have the same kept numbers of terms.
    case = Case()
    n_terms = case.decomposition.n_terms_per_tree[0]
    group = np.arange(50) % 3
    whole = errors_of_tree(case, 0, group=group, kept=np.arange(n_terms + 1)).group_sums
    for kept in ([1, n_terms, n_terms + 1, 900], [2, n_terms - 1, n_terms + 7], [900]):
        sums = errors_of_tree(case, 0, group=group, kept=kept).group_sums
        assert_array_equal(sums, whole[np.minimum(kept, n_terms)])


def test_errors_of_a_tree_without_terms_are_those_of_its_mean():
    stump = Tree(*(np.full(1, -1) for _ in range(3)), np.zeros(1))
    leaves, values = np.zeros((1, 6), dtype=np.int32), np.arange(6.0)[:, None]
    wavelets = decompose(Forest((stump,), 1), leaves, values, np.ones((1, 6)))
    errors = tree_errors(
        wavelets,
        0,
        leaves[0],
        plain_targets(values),
        np.ones(6),
        np.arange(6) < 4,
        np.arange(6) % 2,
        np.array([1, 3]),
    )
    assert_allclose(errors.curve, [[(6.25 + 2.25 + 0.25 + 0.25) / 4, (2.25 + 6.25) / 2]])
    assert_allclose(errors.group_sums, [[[6.5, 2.25], [2.5, 6.25]]] * 2)
    assert_array_equal(errors.group_weights, [[2, 1], [2, 1]])
    assert wavelets.norms_by_tree().shape == (1, 0)


# ---------------------------------------------------------------- trees that are blind


def random_blind(seed, n_samples=50):
    """Trees that are blind to samples, of which some have none, and some have all."""
    blind = np.random.RandomState(seed).uniform(size=(3, n_samples)) < 0.4
    blind[:, 3], blind[:, 7] = False, True
    return blind


def blind_reference(case, blind, p, weights, floor):
    return reference.blind_error_powers(
        case.trees,
        case.reference,
        case.X,
        case.values,
        blind,
        p=p,
        weights=weights,
        floor=floor,
    )


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_blind_error_curve_is_that_of_the_reference(p, n_outputs):
    case = Case(p=p, n_outputs=n_outputs)
    blind = random_blind(n_outputs)
    assert (~blind.any(axis=0)).sum() > 5
    floor = np.where(np.arange(50) % 4 == 0, 1.25, 0.0)
    errors = m_term_errors(
        case.decomposition,
        case.leaves,
        Targets(case.values, floor, None),
        SAMPLE_WEIGHTS,
        blind=blind,
    )
    expected = blind_reference(case, blind, p, SAMPLE_WEIGHTS, floor)
    assert_allclose(errors**p, expected, atol=CURVE_TOLERANCE[p])


def test_blind_trees_may_be_those_that_have_not_seen_a_sample():
    case = Case()
    blind = case.bags == 0
    assert 0 < blind.any(axis=0).sum() < 50
    errors = m_term_errors(
        case.decomposition, case.leaves, plain_targets(case.values), blind=blind
    )
    expected = blind_reference(case, blind, 2.0, np.ones(50), np.zeros(50))
    assert_allclose(errors**2, expected, **CLOSE)


@given(st.integers(0, 10**6), st.sampled_from([1.0, 2.0, 3.0]))
def test_samples_without_a_blind_tree_are_as_if_they_were_not_there(seed, p):
    case, blind = CASES[p], random_blind(seed)
    kept = blind.any(axis=0)
    weights = np.random.RandomState(seed).uniform(0.1, 2.0, size=50)

    def errors(rows):
        return m_term_errors(
            case.decomposition,
            case.leaves[:, rows],
            plain_targets(case.values[rows]),
            weights[rows],
            blind=blind[:, rows],
        )

    assert_allclose(errors(np.arange(50)), errors(kept), rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_trees_blind_to_all_samples_are_the_forest(p):
    case = CASES[p]
    targets = plain_targets(case.new_values)
    plain = m_term_errors(case.decomposition, case.new_leaves, targets, case.new_weights)
    everywhere = np.ones((3, 30), dtype=bool)
    blind = m_term_errors(
        case.decomposition, case.new_leaves, targets, case.new_weights, blind=everywhere
    )
    assert_allclose(blind, plain, **CLOSE)
    cut = m_term_errors(
        case.decomposition, case.new_leaves, targets, n_terms=5, blind=everywhere
    )
    assert len(cut) == 6


@pytest.mark.parametrize("trees", [[0], [0, 2], [1, 2]])
def test_trees_blind_to_no_sample_have_terms_without_effect(trees):
    case = CASES[2.0]
    targets = plain_targets(case.new_values)
    part = m_term_errors(
        case.decomposition, case.new_leaves, targets, trees=np.array(trees)
    )
    blind = np.isin(np.arange(3), trees)[:, None] & np.ones(30, dtype=bool)
    errors = m_term_errors(case.decomposition, case.new_leaves, targets, blind=blind)
    own = np.isin(case.decomposition.tree[case.decomposition.order], trees)
    assert_allclose(errors, part[np.append(0, np.cumsum(own))], **CLOSE)


def test_blind_trees_are_not_changed_by_the_sweep():
    case, blind = Case(), random_blind(0)
    values, leaves, before = case.values.copy(), case.leaves.copy(), blind.copy()
    weights = SAMPLE_WEIGHTS.copy()
    m_term_errors(
        case.decomposition, leaves, plain_targets(case.values), weights, blind=blind
    )
    assert_array_equal(case.values, values)
    assert_array_equal(leaves, case.leaves)
    assert_array_equal(blind, before)
    assert_array_equal(weights, SAMPLE_WEIGHTS)


@given(st.integers(0, 10**6))
def test_ranges_of_nodes_hold_the_samples_that_have_a_leaf(seed):
    rng = np.random.RandomState(seed)
    tree = rng.choice(CASES[2.0].trees)
    n_nodes = len(tree.left)
    leaf = rng.choice(np.append(np.flatnonzero(tree.left < 0), -1), size=rng.randint(0, 40))
    start, stop = np.empty((2, n_nodes), dtype=np.int64)
    samples = np.full(len(leaf), -7, dtype=np.int32)
    sample_ranges(tree.parent, leaf.astype(np.int32), start, stop, samples)
    for node in range(n_nodes):
        inside = [
            i for i, own in enumerate(leaf) if own >= 0 and node in ancestors(tree, own)
        ]
        assert sorted(samples[start[node] : stop[node]]) == inside
    assert_array_equal(samples[(leaf >= 0).sum() :], -7)


def ancestors(tree, node):
    """A node and those above it."""
    nodes = [node]
    while nodes[-1] > 0:
        nodes.append(tree.parent[nodes[-1]])
    return nodes


def test_exact_curve_in_p_1_does_not_go_below_zero():
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(300, 2)), rng.standard_normal(300)
    tree = DecisionTreeRegressor(random_state=0).fit(X, y)
    wavelets = wavelet_decomposition(tree, X, y, p=1)
    forest = read_forest(tree)
    errors = m_term_errors(wavelets, forest.apply(X), plain_targets(y[:, None]))
    assert (errors >= 0).all()
    assert errors[-1] < 1e-7 < errors[0]  # see CURVE_TOLERANCE


def test_small_errors_keep_their_digits_after_a_large_one():
    # One jump is fourteen digits of the squared error.
    X = np.linspace(0, 1, 200)[:, None]
    y = 1e7 * (X > 0.3) + np.sin(20 * X)
    tree = DecisionTreeRegressor(max_depth=6, random_state=0).fit(X, y)
    wavelets, leaves = wavelet_decomposition(tree, X, y[:, 0]), read_forest(tree).apply(X)
    kept = np.arange(2, wavelets.n_terms + 1)
    squares = [np.sum((y - m_term_approximation(wavelets, leaves, m)) ** 2) for m in kept]
    pooled = m_term_errors(wavelets, leaves, plain_targets(y))
    assert_allclose(pooled[2:] ** 2, np.array(squares) / 200, rtol=1e-6)
    of_tree = tree_errors(
        wavelets,
        0,
        leaves[0],
        plain_targets(y),
        np.ones(200),
        np.arange(200) % 2 == 0,
        np.arange(200) % 3,
        kept,
    )
    assert_allclose(of_tree.group_sums.sum(axis=(1, 2)), squares, rtol=1e-6)
    assert squares[-1] < 1e-12 * np.sum((y - y.mean()) ** 2)


def test_all_terms_are_the_forest():
    case = Case()
    for leaves in (case.leaves, case.new_leaves):
        means = [
            case.decomposition.mean[root + leaf]
            for root, leaf in zip(case.decomposition.roots, leaves, strict=True)
        ]
        assert_allclose(
            m_term_approximation(case.decomposition, leaves),
            np.mean(means, axis=0),
            **CLOSE,
        )


def test_all_terms_are_the_prediction_of_the_library():
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(100, 2)), rng.standard_normal(100)
    fitted = RandomForestRegressor(4, bootstrap=False, max_features=1, random_state=0)
    fitted.fit(X, y)
    leaves = read_forest(fitted).apply(X)
    values = m_term_approximation(wavelet_decomposition(fitted, X, y), leaves)
    assert_allclose(values[:, 0], fitted.predict(X), **CLOSE)


def test_all_terms_are_the_forest_where_a_box_has_no_volume():
    # The tree cuts at 1, where the samples begin: those on the left lie in a box [1, 1].
    tree = DecisionTreeRegressor().fit([[0.0], [2.0]], [0.0, 1.0])
    X, y = np.array([[1.0], [1.0], [2.0]]), np.array([0.0, 0.0, 3.0])
    wavelets = wavelet_decomposition(tree, X, y, measure="volume")
    values = m_term_approximation(wavelets, read_forest(tree).apply(X))
    assert_allclose(values[:, 0], y, **CLOSE)


@pytest.mark.parametrize("n_terms", [0, 1, 7])
def test_leading_terms_are_summed_one_by_one(n_terms):
    case = Case()
    kept = set(reference.ranked(case.reference)[:n_terms])
    assert_allclose(
        m_term_approximation(case.decomposition, case.new_leaves, n_terms),
        reference.approximation(case.trees, case.reference, case.new_X, kept),
        **CLOSE,
    )


# ---------------------------------------------------------------- Elisha and Dekel


def test_ranked_roots_of_numbers():
    case = Case(measure="volume")
    n_terms = np.arange(1, 20, 3)
    squared = squared_errors_with_ranked_roots(
        case.decomposition,
        case.leaves,
        plain_targets(case.values),
        np.ones(50),
        n_terms,
        np.arange(3),
    )
    expected = reference.elisha_dekel_curve(
        case.trees, case.reference, case.X, case.values, np.ones(50), n_terms
    )
    assert_allclose(squared, expected, **CLOSE)


@pytest.mark.parametrize("trees", [[0, 1, 2], [1]])
def test_ranked_roots_of_classes_are_those_of_one_hot_vectors(trees):
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(60, 2)), rng.randint(0, 3, size=60)
    weights = rng.uniform(0.5, 2.0, size=60)
    fitted = RandomForestClassifier(3, max_depth=3, random_state=0).fit(X, y)
    forest = read_forest(fitted)
    targets, _ = encode_targets(y)
    wavelets = wavelet_decomposition(fitted, X, y, sample_weight=weights, measure="volume")
    n_terms = np.arange(1, 12, 2)
    squared = squared_errors_with_ranked_roots(
        wavelets, forest.apply(X), targets, weights, n_terms, np.array(trees)
    )
    chosen = [forest.trees[j] for j in trees]
    nodes = reference.decompose(
        chosen, X, np.eye(3)[y], [weights] * len(trees), measure="volume"
    )
    expected = reference.elisha_dekel_curve(
        chosen, nodes, X, np.eye(3)[y], weights, n_terms
    )
    assert_allclose(squared, expected, **CLOSE)


# ---------------------------------------------------------------- volumes


def assert_volumes_are_explicit_boxes(tree, X, y):
    wavelets = wavelet_decomposition(tree, X, y, p=1, measure="volume")
    values = np.asarray(y, dtype=float).reshape(len(X), -1)
    (plain,) = read_forest(tree).trees
    nodes = reference.decompose_tree(
        plain, X, values, np.ones(len(X)), p=1, measure="volume"
    )
    expected = [node.norm for node in nodes]
    assert np.count_nonzero(expected) > 4
    assert_allclose(wavelets.norm, expected, **CLOSE)


@given(st.integers(0, 10**6))
def test_volumes_are_explicit_boxes(seed):
    rng = np.random.RandomState(seed)
    X = rng.uniform(-5, 5, size=(60, 2)) * [1.0, 100.0]
    y = rng.standard_normal(60)
    tree = DecisionTreeRegressor(max_depth=8, random_state=0).fit(X, y)
    assert_volumes_are_explicit_boxes(tree, X, y)


def test_volumes_of_samples_inside_the_range_of_the_thresholds():
    # The tree was fitted on [0, 1]^2 and reads samples of [0.2, 0.6]^2: cuts outside
    # that box must not enlarge the sides of the nodes below them.
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(200, 2)), rng.standard_normal(200)
    tree = DecisionTreeRegressor(max_depth=7, random_state=0).fit(X, y)
    X, y = rng.uniform(0.2, 0.6, size=(80, 2)), rng.standard_normal(80)
    assert_volumes_are_explicit_boxes(tree, X, y)


def test_volumes_ignore_constant_columns():
    # The tree cuts the second column, which is constant in the samples given later.
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(200, 2)), rng.standard_normal(200)
    tree = DecisionTreeRegressor(max_depth=8, random_state=0).fit(X, y)
    assert (tree.tree_.feature == 1).sum() > 3
    X = np.column_stack([np.append([X[:, 0].min(), X[:, 0].max()], X[:98, 0])] * 2)
    X[:, 1] = 0.5
    assert_volumes_are_explicit_boxes(tree, X, rng.standard_normal(100))


def test_volumes_of_huge_ranges_do_not_overflow():
    X = np.array([-1e308, -5e307, 5e307, 1e308])[:, None]
    left, right = np.array([1, -1, -1]), np.array([2, -1, -1])
    tree = Tree(left, right, np.array([0, -1, -1]), np.array([0.5e308, 0.0, 0.0]))
    wavelets = decompose(
        Forest((tree,), 1),
        np.array([[1, 1, 2, 2]]),
        np.array([[0.0], [0.0], [1.0], [1.0]]),
        np.ones((1, 4)),
        p=1,
        measure="volume",
        ranges=(X.min(axis=0), X.max(axis=0)),
    )
    assert_allclose(wavelets.norm, [0, 0.5 * 0.75, 0.5 * 0.25], **CLOSE)


def test_volumes_do_not_underflow():
    # A chain of 1,200 cuts, each halving another column: the last boxes measure 2^-1200,
    # less than the smallest float64.
    n = 1200
    inner = np.arange(0, 2 * n, 2)  # node 2k splits into the leaf 2k + 1 and 2k + 2
    left, right, feature = np.full((3, 2 * n + 1), -1)
    left[inner], right[inner], feature[inner] = inner + 1, inner + 2, np.arange(n)
    threshold = np.where(feature >= 0, 0.5, 0.0)
    forest = Forest((Tree(left, right, feature, threshold),), n)
    leaves = np.append(inner + 1, 2 * n)[None, :]  # one sample in every leaf
    values = (np.arange(n + 1.0) % 2)[:, None]
    wavelets = decompose(
        forest,
        leaves,
        values,
        np.ones((1, n + 1)),
        p=1,
        measure="volume",
        ranges=(np.zeros(n), np.ones(n)),
    )
    log_height = np.log(np.abs(wavelets.psi[1:, 0]))
    # Logarithms up to 832: the last of their digits are lost in the sum.
    assert_allclose(
        wavelets.log_norm[1:] - log_height,
        -np.log(2) * wavelets.depth[1:],
        rtol=1e-12,
        atol=1e-10,
    )
    assert wavelets.norm[-1] == 0.0  # and yet it has its place in the order
    assert (np.diff(wavelets.log_norm[wavelets.order]) < 1e-6).all()


# ---------------------------------------------------------------- features


@pytest.mark.parametrize("n_terms", [1, 6, 10**6])
def test_features_are_heights_on_decision_paths(n_terms):
    case = Case()
    features = wavelet_features(case.decomposition, case.new_leaves, n_terms)
    order = reference.ranked(case.reference)[:n_terms]
    expected = np.zeros((30, len(order)))
    for i, x in enumerate(case.new_X):
        for column, (j, number) in enumerate(order):
            if number in reference.path(case.trees[j], x):
                height = np.linalg.norm(case.reference[j][number].psi)
                expected[i, column] = height
    assert sparse.issparse(features)
    assert features.format == "csr"
    assert_allclose(features.toarray(), expected, **CLOSE)


def test_importances_are_sums_of_norms():
    case = Case(p=1.5)
    for n_terms in (4, None):
        sums = np.zeros(3)
        for j, number in reference.ranked(case.reference)[:n_terms]:
            sums[case.reference[j][number].feature] += case.reference[j][number].norm
        importances = wavelet_importances(case.decomposition, 3, n_terms)
        assert_allclose(importances, sums / sums.sum(), **CLOSE)
        assert_allclose(importances.sum(), 1, **CLOSE)


def test_importances_find_the_relevant_column():
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(400, 5))
    y = X[:, 3] > 0.5
    fitted = RandomForestClassifier(5, max_features=None, random_state=0).fit(X, y)
    importances = wavelet_importances(wavelet_decomposition(fitted, X, y), 5)
    assert importances[3] > 0.9


def test_importances_of_nothing_are_zero():
    X = np.zeros((4, 2))
    y = np.array([0.0, 1.0, 2.0, 3.0])
    wavelets = wavelet_decomposition(DecisionTreeRegressor().fit(X, y), X, y)
    assert wavelets.n_terms == 0
    assert_array_equal(wavelet_importances(wavelets, 2), [0, 0])


# ---------------------------------------------------------------- public function


@pytest.fixture(scope="module")
def labelled():
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(120, 3))
    y = np.digitize(X[:, 0] + 0.3 * X[:, 1] + 0.1 * rng.standard_normal(120), [0.4, 0.9])
    return X, y, RandomForestClassifier(3, max_depth=5, random_state=0).fit(X, y)


def test_wavelet_decomposition_is_the_decomposition_with_equal_weights(labelled):
    X, y, fitted = labelled
    wavelets = wavelet_decomposition(fitted, X, y)
    forest = read_forest(fitted)
    values = SimplexEncoder().fit_transform(y)
    nodes = reference.decompose(forest.trees, X, values, np.ones((3, 120)))
    expected = [node.norm for tree in nodes for node in tree]
    assert isinstance(wavelets, WaveletDecomposition)
    assert_allclose(wavelets.norm, expected, **CLOSE)
    assert "n_trees=3" in repr(wavelets)
    assert "n_outputs=2" in repr(wavelets)


@pytest.mark.parametrize("measure", ["samples", "volume"])
def test_sparse_and_dense_samples_agree(labelled, measure):
    X, y, fitted = labelled
    dense = wavelet_decomposition(fitted, X, y, measure=measure)
    from_sparse = wavelet_decomposition(
        fitted, sparse.csc_array(X), y.tolist(), measure=measure
    )
    assert_array_equal(dense.norm, from_sparse.norm)


@pytest.mark.parametrize("measure", ["samples", "volume"])
def test_sparse_samples_may_have_duplicate_and_unsorted_entries(labelled, measure):
    X, y, fitted = labelled
    # Every entry in two parts, the columns backwards.
    parts = np.concatenate([X[:, ::-1] * 0.25, X[:, ::-1] * 0.75], axis=1).ravel()
    columns = np.tile([2, 1, 0], 2 * len(X))
    rows = np.arange(0, 6 * len(X) + 1, 6)
    twice = sparse.csr_matrix((parts, columns, rows), X.shape)
    assert not twice.has_canonical_format
    data = twice.data.copy()
    again = wavelet_decomposition(fitted, twice, y, measure=measure)
    expected = wavelet_decomposition(fitted, twice.toarray(), y, measure=measure)
    assert_array_equal(again.norm, expected.norm)
    assert_array_equal(twice.data, data)


def test_indices_of_64_bits_are_the_same(labelled):
    X, y, fitted = labelled
    wide = sparse.csr_matrix(X)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    assert_array_equal(
        wavelet_decomposition(fitted, wide, y).norm,
        wavelet_decomposition(fitted, X, y).norm,
    )


@pytest.mark.parametrize("measure", ["samples", "volume"])
def test_samples_of_weight_zero_are_as_if_they_were_not_there(labelled, measure):
    # Not even for the range of the columns, nor for the classes.
    X, y, fitted = labelled
    weights = np.random.RandomState(2).uniform(0.5, 2, size=120)
    weights[(y == 2) | (X[:, 1] > 0.8)] = 0.0
    kept = weights > 0
    full = wavelet_decomposition(fitted, X, y, sample_weight=weights, measure=measure)
    part = wavelet_decomposition(
        fitted, X[kept], y[kept], sample_weight=weights[kept], measure=measure
    )
    assert full.mean.shape[1] == 1
    assert_array_equal(full.norm, part.norm)
    assert_array_equal(full.count, part.count)


def test_weights_are_in_units_of_the_smallest(labelled):
    X, y, fitted = labelled
    repeats = np.random.RandomState(1).randint(0, 4, size=120)
    assert 1 in repeats
    whole = wavelet_decomposition(fitted, X, y, sample_weight=repeats)
    for unit in (0.1, 1 / 3, 7.0):
        scaled = wavelet_decomposition(fitted, X, y, sample_weight=repeats * unit)
        assert_array_equal(scaled.count, whole.count)
        assert_array_equal(scaled.log_norm, whole.log_norm)
        assert_array_equal(scaled.order, whole.order)


def test_integer_weights_are_repeats(labelled):
    X, y, fitted = labelled
    repeats = np.random.RandomState(1).randint(0, 4, size=120)
    weighted = wavelet_decomposition(fitted, X, y, sample_weight=repeats)
    X, y = np.repeat(X, repeats, axis=0), np.repeat(y, repeats)
    repeated = wavelet_decomposition(fitted, X, y)
    assert_array_equal(weighted.count, repeated.count)
    assert_allclose(weighted.norm, repeated.norm, **CLOSE)


def test_scale_of_the_weights_changes_no_norm(labelled):
    X, y, fitted = labelled
    plain = wavelet_decomposition(fitted, X, y)
    scaled = wavelet_decomposition(fitted, X, y, sample_weight=np.full(120, 1e-9))
    assert_allclose(scaled.norm, plain.norm, **CLOSE)


def test_gini_and_least_squares_trees_have_the_same_wavelets(labelled):
    # Minimum leaves, since splits of tiny nodes tie and rounding picks one. Least squares
    # may split pure nodes, whose variance is not zero by rounding; they make no terms.
    X, y, _ = labelled
    values = SimplexEncoder().fit_transform(y)
    options = dict(min_samples_leaf=10, random_state=0)
    gini = DecisionTreeClassifier(criterion="gini", **options).fit(X, y)
    squares = DecisionTreeRegressor(criterion="squared_error", **options).fit(X, values)
    first = wavelet_decomposition(gini, X, y)
    second = wavelet_decomposition(squares, X, values)
    assert first.n_terms == second.n_terms > 8
    kept, also_kept = np.sort(first.order), np.sort(second.order)
    assert_allclose(first.psi[kept], second.psi[also_kept], **CLOSE)
    assert_allclose(first.norm[kept], second.norm[also_kept], **CLOSE)


def test_names_of_classes_do_not_matter(labelled):
    X, y, fitted = labelled
    expected = wavelet_decomposition(fitted, X, y).norm
    names = np.array(["ant", "bee", "cat"])[y]
    assert_array_equal(wavelet_decomposition(fitted, X, names).norm, expected)
    # Another order of the classes turns the simplex.
    turned = wavelet_decomposition(fitted, X, (y + 1) % 3).norm
    assert_allclose(turned, expected, **CLOSE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (np.where(X > 0.9, np.inf, X), y), "contains infinity"),
        (lambda X, y: (X, np.where(y == 1, np.nan, y)), "y contains NaN"),
        (lambda X, y: (X[:, :2], y), "X has 2 features, but .* fitted with 3"),
        (lambda X, y: (X[:-1], y), "inconsistent numbers of samples"),
        (lambda X, y: (X[:0], y[:0]), "0 sample"),
        (lambda X, y: (X[0], y[:1]), "Expected 2D array"),
        (lambda X, y: (X, np.zeros(120, dtype=int)), "one class only"),
        (lambda X, y: (X, np.zeros(120)), "constant"),
    ],
)
def test_data_are_checked(labelled, change, message):
    X, y, fitted = labelled
    with pytest.raises(ValueError, match=message):
        wavelet_decomposition(fitted, *change(X, y))


@pytest.mark.parametrize(
    "options",
    [
        {"p": 0.5},
        {"p": np.inf},
        {"p": np.nan},
        {"p": "2"},
        {"measure": "area"},
        {"sample_weight": -np.ones(120)},
        {"sample_weight": np.ones(119)},
        {"sample_weight": np.zeros(120)},
        {"sample_weight": np.full(120, np.nan)},
    ],
)
def test_options_are_checked(labelled, options):
    X, y, fitted = labelled
    name = next(iter(options))
    with pytest.raises(ValueError, match=rf"'{name}' parameter|[Ww]eight"):
        wavelet_decomposition(fitted, X, y, **options)


def test_forest_is_checked(labelled):
    X, y, _ = labelled
    with pytest.raises(NotFittedError):
        wavelet_decomposition(RandomForestClassifier(), X, y)
    with pytest.raises(TypeError, match="LinearRegression is not made of"):
        wavelet_decomposition(LinearRegression().fit(X, y), X, y)


def test_plain_input_does_not_warn(labelled):
    X, y, fitted = labelled
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wavelet_decomposition(fitted, X, y, measure="volume")
        # Nodes without samples divide by nothing.
        wavelet_decomposition(fitted, X[:5], [0, 1, 2, 0, 1])
