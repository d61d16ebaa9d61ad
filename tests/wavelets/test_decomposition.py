"""The wavelets of a forest: by hand, by the plain reference, and by theory."""

import pickle
import warnings

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import (
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from wavelet_cases import CLOSE, HAND_FOREST, HAND_X, HAND_Y, Case, grown_on

from sksmooth import SimplexEncoder, WaveletDecomposition, wavelet_decomposition
from sksmooth.samples import encode_values, read_samples
from sksmooth.trees import Forest, Growth, Tree, grow, read_forest
from sksmooth.wavelets import (
    decompose,
    decompose_boosting,
    kept_values,
    m_term_approximation,
    m_term_errors,
)

# ---------------------------------------------------------------- by hand


def decomposed_by_hand(X=HAND_X, y=HAND_Y, bags=None, **options):
    samples = read_samples(X, y, encode=encode_values)
    return decompose(grown_on(HAND_FOREST, samples, bags), samples, **options)


def test_small_tree_by_hand():
    # Three published ports take (c - c_root) - c_root in the children of the root. Here
    # that would be 2 - 5.5 - 5.5 = -9 instead of -3.5.
    wavelets = decomposed_by_hand()
    assert_array_equal(wavelets.parent, [-1, 0, 0, 1, 1])
    assert_array_equal(wavelets.depth, [0, 1, 1, 2, 2])
    assert_array_equal(wavelets.feature, [-1, 0, 0, 0, 0])
    assert_array_equal(wavelets.count, [8, 4, 4, 3, 1])
    assert_array_equal(wavelets.mean[:, 0], [5.5, 2, 9, 1, 5])
    assert_array_equal(wavelets.psi[:, 0], [0, -3.5, 3.5, -1, 3])
    squared_norms = [0, 3.5**2 / 2, 3.5**2 / 2, 1 * 3 / 8, 9 / 8]
    assert_allclose(wavelets.norm**2, squared_norms, **CLOSE)
    assert_array_equal(wavelets.order, [1, 2, 4, 3])
    assert_allclose(decomposed_by_hand(y=HAND_Y + 100).psi, wavelets.psi, **CLOSE)
    # 13.75 is the variance; each squared norm is what its term takes away, since node 2
    # before its sibling leaves 49/8 + 12/8 = 7.625, and node 4 before node 3 leaves 3/8.
    targets, _ = encode_values(HAND_Y)
    errors = m_term_errors(wavelets, HAND_FOREST.apply(HAND_X), targets)
    assert_allclose(errors**2, [13.75, 7.625, 1.5, 0.375, 0], **CLOSE)


def test_small_norms_in_other_spaces_by_hand():
    first = decomposed_by_hand(p=1)
    assert_allclose(first.norm, [0, 3.5 / 2, 3.5 / 2, 3 / 8, 3 / 8], **CLOSE)
    # Boxes of [0, 7]: [0, 3.5], [3.5, 7], [0, 2.5] and [2.5, 3.5].
    by_volume = decomposed_by_hand(p=1, measure="volume")
    assert_allclose(by_volume.norm, [0, 1.75, 1.75, 2.5 / 7, 3 / 7], **CLOSE)


def test_nodes_without_samples_carry_nothing():
    # Only x = 0, 1, 2 are given: nodes 2 and 4 are empty and inherit their parents' mean.
    wavelets = decomposed_by_hand(HAND_X[:3], [1.0, 2.0, 6.0])
    assert_array_equal(wavelets.count, [3, 3, 0, 3, 0])
    assert_array_equal(wavelets.mean[:, 0], [3] * 5)
    assert_array_equal(wavelets.psi, np.zeros((5, 1)))
    assert_array_equal(wavelets.norm, np.zeros(5))
    assert wavelets.n_terms == 0
    assert_array_equal(wavelets.n_terms_per_tree, [0])
    assert wavelets.norms_by_tree().shape == (1, 0)


def test_samples_out_of_the_bag_are_as_if_they_were_not_there():
    bag = np.array([1.0, 2.0, 0.5, 0.0, 0.0, 1.0, 1.0, 0.0])
    kept = bag > 0
    with_zeros = decomposed_by_hand(bags=bag[None])
    without = decomposed_by_hand(HAND_X[kept], HAND_Y[kept], bag[None, kept])
    assert_array_equal(with_zeros.mean, without.mean)
    assert_array_equal(with_zeros.norm, without.norm)
    with pytest.raises(ValueError, match="no sample with a positive weight"):
        decomposed_by_hand(bags=np.zeros((1, 8)))


# ---------------------------------------------------------------- nodes


@pytest.mark.parametrize("measure", ["samples", "volume"])
@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
def test_nodes_are_those_of_the_reference(p, measure):
    case = Case(p=p, measure=measure, max_depth=6)
    nodes = [node for tree in case.reference for node in tree]
    wavelets = case.decomposition
    assert (wavelets.p, wavelets.measure) == (p, measure)
    for name in ("depth", "feature", "count", "mean", "psi", "norm"):
        expected = [getattr(node, name) for node in nodes]
        assert_allclose(getattr(wavelets, name), expected, err_msg=name, **CLOSE)
    offsets = np.cumsum([0] + [len(tree) for tree in case.reference])
    assert_array_equal(wavelets.offsets, offsets)
    assert_array_equal(wavelets.tree, np.repeat(np.arange(3), np.diff(offsets)))
    parents = [
        offsets[j] + node.parent.number if node.parent else -1
        for j, tree in enumerate(case.reference)
        for node in tree
    ]
    assert_array_equal(wavelets.parent, parents)
    assert_array_equal(wavelets.roots, np.flatnonzero(wavelets.parent < 0))
    ranked = [offsets[j] + node for j, node in reference.ranked(case.reference)]
    assert_array_equal(wavelets.order, ranked)
    assert wavelets.n_terms == len(ranked)


def test_terms_of_single_trees_are_part_of_the_whole():
    wavelets = Case(p=1.5, max_depth=None, min_samples_leaf=4).decomposition
    norms, sizes = wavelets.norms_by_tree(), wavelets.n_terms_per_tree
    assert norms.shape == (3, sizes.max())
    assert len(set(sizes)) > 1
    for j in range(wavelets.n_trees):
        own = wavelets.tree_order(j)
        assert_array_equal(
            own, [node for node in wavelets.order if wavelets.tree[node] == j]
        )
        assert len(own) == sizes[j]
        assert_array_equal(norms[j, : sizes[j]], wavelets.norm[own])
        assert_array_equal(norms[j, sizes[j] :], 0)


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


def test_arrays_are_read_only():
    original = Case().decomposition
    for wavelets in (original, pickle.loads(pickle.dumps(original))):
        arrays = [
            value for value in vars(wavelets).values() if isinstance(value, np.ndarray)
        ]
        arrays += [wavelets.mean, wavelets.psi]
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
    samples = read_samples(X, y, rng.uniform(0.1, 2.0, size=n))
    growth = Growth(1, max_depth=rng.randint(1, 8), random_state=seed)
    grown = grow(samples, growth)
    wavelets, (leaves,) = decompose(grown, samples), grown.leaves

    def squared_error(values):
        return np.average(np.sum((y - values) ** 2, axis=1), weights=samples.weights)

    residual = squared_error(wavelets.mean[leaves])
    variance = squared_error(wavelets.mean[0])
    assert_allclose(variance, np.sum(wavelets.norm**2) + residual, rtol=1e-10)

    split = rng.uniform(size=len(wavelets.parent)) < 0.5  # parents whose pair is kept
    kept = split[np.maximum(wavelets.parent, 0)]
    left_out = np.sum(wavelets.norm[~kept] ** 2)
    error = squared_error(kept_values(wavelets, np.flatnonzero(kept))[leaves])
    # Relative to the variance, of which both are parts.
    assert_allclose(error, left_out + residual, rtol=1e-10, atol=1e-10 * variance)


def test_parseval_for_simplex_labels():
    rng = np.random.RandomState(0)
    samples = read_samples(rng.uniform(size=(200, 3)), rng.randint(0, 5, size=200))
    gini = 1 - np.sum((np.bincount(samples.y) / 200) ** 2)
    norm = decompose(grow(samples, Growth(1)), samples).norm  # pure leaves: no residual
    assert_allclose(np.sum(norm**2), gini, rtol=1e-10)


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


@given(st.integers(0, 10**6), st.booleans())
def test_volumes_are_explicit_boxes(seed, inside):
    rng = np.random.RandomState(seed)
    X, y = rng.uniform(-5, 5, size=(120, 2)) * [1.0, 100.0], rng.standard_normal(120)
    tree = DecisionTreeRegressor(max_depth=8, min_samples_leaf=5, random_state=0).fit(X, y)
    if inside:
        # Cuts outside of the box of the samples given do not enlarge the sides below them.
        kept = (np.abs(X / [1.0, 100.0] + 0.5) < 3).all(axis=1)
        X, y = X[kept], y[kept]
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
    forest = Forest((tree,), 1, single_precision=False)
    samples = read_samples(X, [0.0, 0.0, 0.0, 1.0])
    wavelets = decompose(grown_on(forest, samples), samples, p=1, measure="volume")
    # 5e307 itself lies left of the cut at three quarters: means 0 and 1, and 1/4.
    assert_allclose(wavelets.norm, [0, 0.25 * 0.75, 0.75 * 0.25], **CLOSE)


def test_volumes_do_not_underflow():
    # A chain of 1,200 cuts, each halving another column: the last boxes measure 2^-1200,
    # less than the smallest float64.
    n = 1200
    inner = np.arange(0, 2 * n, 2)  # node 2k splits into the leaf 2k + 1 and 2k + 2
    left, right, feature = np.full((3, 2 * n + 1), -1)
    left[inner], right[inner], feature[inner] = inner + 1, inner + 2, np.arange(n)
    threshold = np.where(feature >= 0, 0.5, 0.0)
    forest = Forest((Tree(left, right, feature, threshold),), n)
    samples = read_samples(np.tri(n + 1, n, -1), np.arange(n + 1.0) % 2)
    grown = grown_on(forest, samples)
    assert_array_equal(grown.leaves[0], np.append(inner + 1, 2 * n))  # one sample each
    wavelets = decompose(grown, samples, p=1, measure="volume")
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


# ---------------------------------------------------------------- boosting


@pytest.mark.parametrize("sample_weight", [None, np.arange(120) % 4 + 1])
def test_partitions_of_least_squares_boosting_give_its_prediction(sample_weight):
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(120, 3)), rng.standard_normal(120)
    samples = read_samples(X, y, sample_weight)
    model = GradientBoostingRegressor(n_estimators=7, learning_rate=0.3, random_state=0)
    grown = grow(samples, Growth(forest=model))
    wavelets = decompose_boosting(grown, samples, grown.learning_rate)
    values = m_term_approximation(wavelets, grown.leaves)
    assert_allclose(values[:, 0], grown.fitted.predict(X), **CLOSE)


def test_every_stage_of_boosting_fits_the_residual_of_those_before():
    case = Case(n_outputs=3)
    wavelets = decompose_boosting(case.grown, case.samples, 0.7)
    fitted = np.tile(case.values.mean(axis=0), (36, 1))
    for leaf in case.grown.leaves:
        residual = case.values - fitted
        for node in np.unique(leaf):
            fitted[leaf == node] += 0.7 * residual[leaf == node].mean(axis=0)
    assert_allclose(m_term_approximation(wavelets, case.grown.leaves), fitted, **CLOSE)
    share = wavelets.count / wavelets.count[0]
    assert_allclose(wavelets.norm**2, np.sum(wavelets.psi**2, axis=1) * share, **CLOSE)


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
    values = SimplexEncoder().fit_transform(y)
    nodes = reference.decompose(read_forest(fitted).trees, X, values, np.ones((3, 120)))
    expected = [node.norm for tree in nodes for node in tree]
    assert isinstance(wavelets, WaveletDecomposition)
    assert_allclose(wavelets.norm, expected, **CLOSE)
    assert "n_trees=3" in repr(wavelets)
    assert "n_outputs=2" in repr(wavelets)
    norms = wavelets.norm[wavelets.order]
    assert " ".join(str(wavelets).split()) == (
        f"{wavelets.n_terms} wavelets of 3 trees, the largest of norm {norms[0]:.2g}; "
        f"{np.count_nonzero(norms >= 0.1 * norms[0])} have at least a tenth of it."
    )


def test_integer_weights_are_repeats_and_their_scale_and_zeros_do_not_matter(labelled):
    X, y, fitted = labelled
    repeats = np.random.RandomState(1).randint(0, 4, size=120)
    weighted = wavelet_decomposition(fitted, X, y, sample_weight=repeats)
    scaled = wavelet_decomposition(fitted, X, y, sample_weight=repeats / 3)
    X, y = np.repeat(X, repeats, axis=0), np.repeat(y, repeats)
    repeated = wavelet_decomposition(fitted, X, y)
    assert_array_equal(weighted.count, repeated.count)
    assert_allclose(weighted.norm, repeated.norm, **CLOSE)
    for name in ("count", "log_norm", "order"):
        assert_array_equal(getattr(scaled, name), getattr(weighted, name))


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": 0.5}, "'p' parameter"),
        ({"p": np.inf}, "'p' parameter"),
        ({"p": np.nan}, "'p' parameter"),
        ({"p": "2"}, "'p' parameter"),
        ({"measure": "area"}, "'measure' parameter"),
        ({"sample_weight": -np.ones(120)}, "[Ww]eight"),
        ({"sample_weight": np.zeros(120)}, "[Ww]eight"),
        ({"X": np.full((120, 3), np.inf)}, "contains infinity"),
        ({"X": np.zeros((120, 2))}, "X has 2 features, but .* fitted with 3"),
        ({"y": np.zeros(120)}, "constant"),
    ],
)
def test_arguments_are_checked(labelled, options, message):
    X, y, fitted = labelled
    with pytest.raises(ValueError, match=message):
        wavelet_decomposition(fitted, **{"X": X, "y": y, **options})


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
