"""Where labels are rough: the index of each class, and the roughness of each sample."""

import warnings

import numpy as np
import pandas as pd
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.metrics import average_precision_score
from sklearn.tree import DecisionTreeClassifier

from sksmooth import BesovSmoothnessEstimator, class_smoothness, sample_roughness
from sksmooth.datasets import corrupt_labels, make_known_smoothness
from sksmooth.exceptions import SmoothnessWarning
from sksmooth.trees import read_forest

COLUMNS = ["roughness", "excess", "suggested"]
NUMBERS = ["roughness", "jump", "cliff", "neighbour", "neighbour_jump"]


def small(n_estimators=5, **options):
    """An estimator of few trees, so that tests are fast."""
    return BesovSmoothnessEstimator(
        n_estimators, **{"max_samples": 0.5, "random_state": 0, **options}
    )


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def blobs():
    """Three classes far apart, of 60 samples each, and six wrong labels."""
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1, 2], 60)
    X = rng.standard_normal((180, 4)) + 8 * np.eye(4)[y]
    labels, wrong = corrupt_labels(y, 6 / 180, random_state=1, return_mask=True)
    return X, y, labels, wrong


def confusion_of(first, second):
    confusion = np.zeros((10, 10))
    confusion[first, second] = confusion[second, first] = 1
    return confusion


# --- samples: what they must be ------------------------------------------------------


def test_a_lone_wrong_label_has_the_largest_energy(blobs):
    """All neighbours have one other label: the squared edge of the simplex, which is 2."""
    X, y, _, _ = blobs
    y = y.copy()
    y[7] = 2
    frame = sample_roughness(X, y, random_state=0)
    assert frame.roughness.idxmax() == frame.excess.idxmax() == 7
    assert frame.roughness[7] == pytest.approx(2, abs=0.05)
    assert frame.excess[7] == pytest.approx(2, abs=0.05)
    assert frame.suggested[7] == 0
    # Its neighbours have it among the others in their cells, but in few trees.
    others = np.delete(np.arange(180), 7)
    assert frame.roughness[others].max() < 0.2
    assert frame.excess[others].max() < -1


def test_separated_classes_are_not_rough(blobs):
    X, y, _, _ = blobs
    frame = sample_roughness(X, y, random_state=0)
    assert frame.roughness.max() < 0.1
    assert frame.excess.max() < -1.5


def test_labels_without_any_relation_to_the_features_suit_no_one():
    """Others say nothing of a fair coin: half the energy of a vertex, and hardly an excess,
    but trees that have seen a label have put it where it suits a little."""
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((1000, 3)), np.arange(1000) % 2
    frame = sample_roughness(X, y, random_state=0)
    assert frame.roughness.mean() == pytest.approx(0.5, abs=0.1)
    assert -0.3 < frame.excess.mean() < 0.1


def test_energy_of_a_tree_is_that_of_its_small_scale_wavelets():
    """In one tree that has seen all samples, the wavelets in cells of up to ten samples add
    up to the roughness, but for the share of the sample itself in its cell."""
    X, y, _ = make_known_smoothness("jump", 300, n_relevant=2, noise=0.1, random_state=0)
    tree = DecisionTreeClassifier(random_state=0)
    estimator = BesovSmoothnessEstimator(forest=tree)
    frame = sample_roughness(X, y, estimator=estimator)
    values = np.sqrt(0.5) * np.where(y == 0, 1.0, -1.0)[:, None]
    (topology,) = read_forest(tree.fit(X, y)).trees
    nodes = reference.decompose_tree(topology, X, values, np.ones(300))
    for i, x in enumerate(X):
        path = reference.path(topology, x)
        small_scale = sum(nodes[k].psi for k in path if nodes[k].count <= 10)
        cell = min(nodes[k].count for k in path if nodes[k].count > 10)
        energy = float(np.sum(small_scale**2)) / (1 - 1 / cell) ** 2
        assert frame.roughness[i] == pytest.approx(energy, rel=1e-9, abs=1e-12)


def slow_roughness(forest, X, values, in_bag):
    """Word by word: the mean, over trees, of the others in a sample's cell; trees that have
    seen the sample count a third."""
    energies = []
    for i, x in enumerate(X):
        differences, weights = [], []
        for topology, bag in zip(read_forest(forest).trees, in_bag, strict=True):
            fewest = 10 if bag[i] else 1
            for node in reversed(reference.path(topology, x)):
                others = [
                    k
                    for k in range(len(X))
                    if bag[k] and k != i and node in reference.path(topology, X[k])
                ]
                if len(others) >= fewest or node == 0:
                    break
            differences.append(values[i] - values[others].mean(axis=0))
            weights.append(1 / 3 if bag[i] else 1)
        mean = np.average(differences, axis=0, weights=weights)
        energies.append(np.sum(mean**2))
    return np.array(energies)


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_agrees_with_a_slow_reference(kind):
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(60, 3)).astype(np.float32)
    if kind == "labels":
        y = (X[:, 0] > 0.5).astype(int) + (rng.uniform(size=60) < 0.2)
        forest, values = RandomForestClassifier, np.eye(3)[y]
    else:
        forest, y = RandomForestRegressor, X[:, 0] + rng.standard_normal(60)
        values = y[:, None]
    forest = forest(4, max_samples=0.6, random_state=0)
    frame = sample_roughness(X, y, estimator=BesovSmoothnessEstimator(forest=forest))
    forest.fit(X, y)
    in_bag = np.zeros((4, 60), dtype=bool)
    for bag, rows in zip(in_bag, forest.estimators_samples_, strict=True):
        bag[rows] = True
    expected = slow_roughness(forest, X, values, in_bag)
    np.testing.assert_allclose(frame.roughness, expected, rtol=1e-9, atol=1e-12)


def test_excess_compares_with_the_best_other_label(digits):
    """Relabelled as suggested, a sample's energy falls by the excess: its own label is not
    among what it is compared with. Trees that do not know the labels make that exact."""
    X, y = digits[0][:200], corrupt_labels(digits[1][:200], 0.2, random_state=0)
    tree = DecisionTreeClassifier(max_depth=1, max_features=1, random_state=0)
    estimator = BesovSmoothnessEstimator(forest=tree)
    before = sample_roughness(X, y, estimator=estimator)
    # The largest class of one half wins over all others there.
    leaf = tree.fit(X, y).apply(X)
    for i in (0, 50, 100, 199):
        others = [k for k in range(200) if leaf[k] == leaf[i] and k != i]
        shares = np.bincount(y[others], minlength=10) / len(others)
        rivals = np.where(np.arange(10) == y[i], -1, shares)
        assert before.excess[i] == pytest.approx(2 * (rivals.max() - shares[y[i]]))
        assert rivals[before.suggested[i]] == rivals.max()


# --- samples: finding wrong labels ---------------------------------------------------


def test_finds_wrong_labels(blobs):
    X, y, labels, wrong = blobs
    frame = sample_roughness(X, labels, random_state=0)
    assert set(frame.nlargest(6, "excess").index) == set(np.flatnonzero(wrong))
    np.testing.assert_array_equal(frame.excess > 0, wrong)
    np.testing.assert_array_equal(frame.suggested[wrong], y[wrong])


@pytest.fixture(scope="module")
def found(digits):
    """One digit in five is taken for the next one: labels, which are wrong, the average
    precision of our order, and the out-of-bag votes of a random forest of as many trees."""
    X, y = digits
    labels, wrong = corrupt_labels(
        y, 0.2, random_state=0, confusion=np.roll(np.eye(10), 1, axis=1), return_mask=True
    )
    excess = sample_roughness(X, labels, random_state=0).excess
    forest = RandomForestClassifier(200, oob_score=True, random_state=0).fit(X, labels)
    ours = average_precision_score(wrong, excess)
    return labels, wrong, ours, forest.oob_decision_function_


def test_finds_wrong_labels_better_than_the_margin(found):
    labels, wrong, ours, shares = found
    rows, rivals = np.arange(len(labels)), shares.copy()
    rivals[rows, labels] = -1
    margin = rivals.max(axis=1) - shares[rows, labels]
    assert ours > 0.97
    assert ours > average_precision_score(wrong, margin)


def test_finds_wrong_labels_better_than_cleanlab(found):
    rank = pytest.importorskip("cleanlab.rank")
    labels, wrong, ours, shares = found
    for method in ("self_confidence", "normalized_margin"):
        scores = rank.get_label_quality_scores(labels, shares, method=method)
        assert ours > average_precision_score(wrong, -scores)


def test_finds_wrong_numbers():
    X, y, _ = make_known_smoothness("smooth", 1000, random_state=0)
    rows = np.random.RandomState(0).permutation(1000)[:30]
    y[rows] = np.roll(y[rows], 1)
    moved = np.zeros(1000)
    moved[rows] = np.abs(y[rows] - np.roll(y[rows], -1))
    frame = sample_roughness(X, y, random_state=0)
    assert list(frame.columns) == NUMBERS
    far = moved > y.std()  # those that were hardly moved cannot be found
    assert average_precision_score(far, frame.roughness) > 0.9


def test_forests_of_other_libraries(digits):
    X, y = digits[0][:400], digits[1][:400]
    labels, wrong = corrupt_labels(y, 0.1, random_state=0, return_mask=True)
    for forest in (
        RandomForestClassifier(20, random_state=0),
        GradientBoostingClassifier(n_estimators=5, random_state=0),  # knows no bags
    ):
        estimator = BesovSmoothnessEstimator(forest=forest)
        frame = sample_roughness(X, labels, estimator=estimator)
        assert average_precision_score(wrong, frame.excess) > 0.7


@pytest.mark.parametrize(("kind", "max_features"), [("labels", "sqrt"), ("numbers", None)])
def test_default_estimator(blobs, kind, max_features):
    X, y, _, _ = blobs
    y = targets_of_kind(kind, X, y)
    estimator = BesovSmoothnessEstimator(200, max_samples=0.5, max_features=max_features)
    pd.testing.assert_frame_equal(
        sample_roughness(X, y, random_state=0),
        sample_roughness(X, y, random_state=0, estimator=estimator),
    )


# --- samples: what must not matter ---------------------------------------------------


def targets_of_kind(kind, X, y):
    return {
        "labels": y,
        "strings": np.array(["zebra", "ant", "newt"])[y],
        "numbers": np.sin(X[:, 0]),
        "two outputs": np.sin(X[:, :2]),
    }[kind]


KINDS = ["labels", "strings", "numbers", "two outputs"]


@pytest.mark.parametrize("kind", ["labels", "strings"])
@given(seed=st.integers(0, 2**16))
def test_order_of_rows_does_not_matter(blobs, kind, seed):
    X, _, labels, _ = blobs
    y = targets_of_kind(kind, X, labels)
    rows = np.random.RandomState(seed).permutation(len(y))
    frame = sample_roughness(X, y, estimator=small())
    shuffled = sample_roughness(X[rows], y[rows], estimator=small())
    pd.testing.assert_frame_equal(
        frame.iloc[rows].reset_index(drop=True), shuffled, rtol=1e-9, atol=1e-12
    )


@given(names=st.permutations(["a", "b", "c"]))
def test_names_of_classes_do_not_matter(blobs, names):
    X, _, labels, _ = blobs
    names = np.array(names)
    frame = sample_roughness(X, labels, estimator=small())
    renamed = sample_roughness(X, names[labels], estimator=small())
    np.testing.assert_allclose(renamed.roughness, frame.roughness, atol=1e-12)
    np.testing.assert_allclose(renamed.excess, frame.excess, atol=1e-12)
    clear = frame.excess > -1.5  # elsewhere no other label occurs at all
    np.testing.assert_array_equal(renamed.suggested[clear], names[frame.suggested[clear]])


@pytest.mark.parametrize("outputs", [1, 2])
@given(power=st.integers(-20, 20), shift=st.integers(-1000, 1000))
def test_energy_of_numbers_goes_with_their_square(blobs, outputs, power, shift):
    """Exactly so for whole numbers and powers of two, of which sums are exact."""
    X = blobs[0]
    y = np.rint(10 * np.sin(X[:, :outputs]))
    frame = sample_roughness(X, y, estimator=small(2))
    moved = sample_roughness(X, 2.0**power * (y + shift), estimator=small(2))
    np.testing.assert_allclose(moved.roughness, 4.0**power * frame.roughness, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_is_dense(blobs, kind):
    X, y, _, _ = blobs
    X = np.where(X > 1, X, 0)
    y = targets_of_kind(kind, X + blobs[0], y)
    pd.testing.assert_frame_equal(
        sample_roughness(sparse.csr_matrix(X), y, estimator=small()),
        sample_roughness(X, y, estimator=small()),
        atol=1e-9,
    )


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**16), share=st.floats(0, 0.5))
def test_bounds(blobs, kind, seed, share):
    """Energies are finite whatever is missing; those of classes lie in [0, 2]."""
    X, y, _, _ = blobs
    rng = np.random.RandomState(seed)
    y = targets_of_kind(kind, X, y)[rng.permutation(180)]
    X = np.where(rng.uniform(size=X.shape) < share, np.nan, X)
    frame = sample_roughness(X, y, estimator=small(2))
    assert len(frame) == 180
    assert np.isfinite(frame.roughness).all()
    assert (frame.roughness >= 0).all()
    if kind in ("labels", "strings"):
        assert list(frame.columns) == COLUMNS
        assert frame.roughness.max() <= 2 + 1e-12
        assert frame.excess.abs().max() <= 2 + 1e-12
        assert (frame.excess <= frame.roughness + 1e-12).all()
        assert (frame.suggested != y).all()


def test_weights_are_repeated_rows_for_the_others(blobs):
    """The others do not see whether a sample is heavy or repeated. The sample itself does:
    its copies vouch for it, its weight does not."""
    X, _, labels, wrong = blobs
    weights = np.ones(180)
    heavy = np.flatnonzero(wrong)[1]
    weights[heavy] = 3
    rows = np.r_[np.arange(180), heavy, heavy]
    weighted = sample_roughness(X, labels, estimator=small(), sample_weight=weights)
    repeated = sample_roughness(X[rows], labels[rows], estimator=small())
    others = np.arange(180) != heavy
    np.testing.assert_allclose(weighted.roughness[others], repeated.roughness[:180][others])
    assert repeated.roughness[heavy] < weighted.roughness[heavy]
    np.testing.assert_allclose(repeated.roughness[heavy], repeated.roughness[180:])


def test_scale_of_weights_does_not_matter(blobs):
    X, _, labels, _ = blobs
    expected = sample_roughness(X, labels, estimator=small())
    for weights in (np.full(180, 0.1), 3.0):
        frame = sample_roughness(X, labels, estimator=small(), sample_weight=weights)
        pd.testing.assert_frame_equal(frame, expected)


def test_light_samples_are_not_lost_beside_heavy_ones(blobs):
    X, _, labels, _ = blobs
    weights = np.where(np.arange(180) % 10 == 0, 1e20, 1.0)
    frame = sample_roughness(X, labels, estimator=small(), sample_weight=weights)
    assert frame.roughness.between(0, 2.0001).all()


def test_samples_of_weight_zero_are_not_there(blobs):
    X, _, labels, _ = blobs
    weights = (np.arange(180) % 3 > 0).astype(float)
    frame = sample_roughness(X, labels, estimator=small(), sample_weight=weights.tolist())
    kept = weights > 0
    alone = sample_roughness(X[kept], labels[kept], estimator=small())
    assert frame.loc[~kept].isna().all(axis=None)
    assert list(frame.index) == list(range(180))
    pd.testing.assert_frame_equal(
        frame[kept].reset_index(drop=True), alone, check_dtype=False
    )


def test_random_state_is_a_seed_of_those_that_have_none(blobs):
    X, _, labels, _ = blobs
    first, second = (
        sample_roughness(X, labels, random_state=seed, estimator=small(random_state=None))
        for seed in (0, 1)
    )
    again = sample_roughness(X, labels, estimator=small(random_state=1), random_state=5)
    assert not first.equals(second)
    pd.testing.assert_frame_equal(second, again)


def test_the_estimator_is_left_as_it_is(blobs):
    X, _, labels, _ = blobs
    estimator = small()
    sample_roughness(X, labels, estimator=estimator, n_jobs=1)
    class_smoothness(X, labels, estimator=estimator, n_jobs=1)
    assert vars(estimator) == vars(small())


# --- classes -------------------------------------------------------------------------


def test_classes_have_the_index_of_their_borders():
    """A cylinder is a disc in two of three dimensions, and its index 1/2; that of a ball is
    1/4. The rest has the rougher of both borders."""
    alphas = []
    for seed in range(3):
        X = np.random.RandomState(seed).uniform(size=(10_000, 3))
        y = np.full(len(X), "rest    ")
        y[np.hypot(X[:, 0] - 0.25, X[:, 1] - 0.5) < 0.2] = "cylinder"
        y[np.linalg.norm(X - [0.75, 0.5, 0.5], axis=1) < 0.24] = "ball"
        frame = class_smoothness(X, y, random_state=0).set_index("class")
        assert list(frame.index) == ["ball", "cylinder", "rest    "]
        alphas.append(frame.alpha)
    mean = pd.concat(alphas, axis=1).mean(axis=1)
    # 5 % of the samples show less of a border than all do.
    assert mean["cylinder"] == pytest.approx(1 / 2, rel=0.2)
    assert mean["ball"] == pytest.approx(1 / 4, rel=0.2)
    assert mean["rest    "] == pytest.approx(1 / 4, rel=0.2)


def test_only_classes_with_wrong_labels_become_rougher(digits):
    X, y = digits
    labels = corrupt_labels(y, 0.02, random_state=0, confusion=confusion_of(3, 8))
    before = class_smoothness(X, y, estimator=small(8)).set_index("class")
    after = class_smoothness(X, labels, estimator=small(8)).set_index("class")
    assert (after.alpha[[3, 8]] < 0.7 * before.alpha[[3, 8]]).all()
    assert (after.explained[[3, 8]] < before.explained[[3, 8]] - 0.1).all()
    assert (after.noise[[3, 8]] > before.noise[[3, 8]] + 0.05).all()
    others = [0, 1, 2, 4, 5, 6, 7, 9]
    # All classes are measured on the same subsamples, so nothing else changes.
    pd.testing.assert_frame_equal(before.loc[others], after.loc[others])


def test_a_class_is_measured_as_an_estimator_measures_it(digits):
    X, y = (part[digits[1] >= 7] for part in digits)
    frame = class_smoothness(X, y, random_state=0).set_index("class")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        alone = BesovSmoothnessEstimator(random_state=0).fit(X, y == 8)
    assert frame.alpha[8] == pytest.approx(alone.alpha_)
    assert (frame.alpha_low[8], frame.alpha_high[8]) == pytest.approx(alone.alpha_interval_)
    for name in ("explained", "noise"):
        assert frame[name][8] == pytest.approx(getattr(alone, f"{name}_"))
        ends = (frame[f"{name}_low"][8], frame[f"{name}_high"][8])
        assert ends == pytest.approx(getattr(alone, f"{name}_interval_"))
    assert frame.noise_is_bound[8] == alone.noise_is_bound_
    assert frame.held_out[8] == pytest.approx(alone.oob_score_)
    assert frame.r_squared[8] == pytest.approx(alone.r_squared_)
    assert frame.cautions[8] == ", ".join(c.category.__name__ for c in caught)


def test_cautions_say_which_class(blobs):
    """Boxes are unresolved. No warning is given: the column says it, class by class."""
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(4000, 2))
    y = np.where(X[:, 0] < 0.5, "box", np.where(rng.uniform(size=4000) < 0.5, "b", "c"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", SmoothnessWarning)
        frame = class_smoothness(X, y, random_state=0).set_index("class")
    assert frame.cautions["box"] == "UnresolvedIndexWarning"
    assert frame.alpha_high["box"] == np.inf
    assert frame.explained["box"] > 0.99 > frame.noise["b"] > frame.explained["b"]
    assert "Unresolved" not in frame.cautions["b"] + frame.cautions["c"]
    assert frame.alpha[["b", "c"]].max() < 0.1
    assert frame.n_samples["box"] == (y == "box").sum()


def test_two_classes_have_one_border():
    X, y, _ = make_known_smoothness("jump", 600, random_state=0)
    frame = class_smoothness(X, y, estimator=small())
    assert frame.alpha[0] == pytest.approx(frame.alpha[1])
    one = class_smoothness(X, y, estimator=small(), classes=[1])
    pd.testing.assert_frame_equal(one, frame[1:].reset_index(drop=True))


@settings(max_examples=10)  # each of which fits six forests
@given(seed=st.integers(0, 2**16))
def test_neither_order_nor_names_nor_storage_change_a_class(blobs, seed):
    X, _, labels, _ = blobs
    rows = np.random.RandomState(seed).permutation(180)
    names = np.array(["zebra", "ant", "newt"])
    frame = class_smoothness(X, labels, estimator=small(2)).set_index("class")
    other = class_smoothness(
        sparse.csr_matrix(X[rows]), names[labels[rows]], estimator=small(2)
    ).set_index("class")
    assert list(other.index) == sorted(names)
    other = other.loc[names].set_index(frame.index)
    pd.testing.assert_frame_equal(frame, other, rtol=1e-9)


def test_weights_of_classes(digits):
    """A class of weight zero is not there; whole weights are repeated rows."""
    X, y = digits
    weights = np.where(y == 0, 0.0, 1.0 + (y == 1))
    frame = class_smoothness(X, y, estimator=small(2), sample_weight=weights)
    rows = np.r_[np.flatnonzero(y > 0), np.flatnonzero(y == 1)]
    repeated = class_smoothness(X[rows], y[rows], estimator=small(2))
    assert frame["class"].tolist() == list(range(1, 10))
    assert frame.n_samples.sum() == (y > 0).sum()
    np.testing.assert_allclose(frame.alpha, repeated.alpha)


def test_trees_of_a_number_of_samples_read_no_others(digits):
    X, y = digits
    frame = class_smoothness(X, y, estimator=small(2, max_samples=200))
    assert frame.n_samples.sum() == 400


# --- bad input -----------------------------------------------------------------------


@pytest.mark.parametrize("measure", [class_smoothness, sample_roughness])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": small(0)}, "n_estimators"),
        ({"estimator": RandomForestClassifier()}, "estimator"),
        ({"random_state": "x"}, "random_state"),
    ],
)
def test_bad_parameters(measure, options, message):
    with pytest.raises(ValueError, match=message):
        measure(np.eye(6), np.arange(6) % 2, **options)


@pytest.mark.parametrize(
    ("classes", "message"), [(["x"], "y holds no class 'x'"), ([], "classes is empty")]
)
def test_classes_that_are_not_there(classes, message):
    with pytest.raises(ValueError, match=message):
        class_smoothness(np.eye(6), ["a", "b"] * 3, classes=classes)


def test_numbers_have_no_classes():
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match=r"y holds regression targets.*astype\(int\)"):
        class_smoothness(X, y)


def test_trees_of_one_sample_know_no_others(blobs):
    X, _, labels, _ = blobs
    with pytest.raises(ValueError, match=r"only one sample.*raise max_samples"):
        sample_roughness(X, labels, estimator=small(max_samples=1))


@pytest.mark.parametrize("kind", ["X", "y"])
def test_rows_keep_the_index_of_a_frame(digits, kind):
    X, y = (data[:200] for data in digits)
    index = np.arange(200)[::-1] * 10
    expected = sample_roughness(X, y, estimator=small())
    X, y = (pd.DataFrame(X, index), y) if kind == "X" else (X, pd.Series(y, index))
    frame = sample_roughness(X, y, estimator=small())
    pd.testing.assert_frame_equal(frame, expected.set_index(index))


# --- cliffs --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def steps():
    """Groups of samples that are alike, and one in every fourth group jumps."""
    rng = np.random.RandomState(0)
    group = np.repeat(np.arange(40), 6)
    centres = rng.uniform(size=(40, 4))
    X = centres[group] + 0.01 * rng.standard_normal((240, 4))
    y = 3 * centres[group, 0] + 0.1 * rng.standard_normal(240)
    jumping = np.arange(240) % 24 == 0
    return X, y + 4 * jumping, group, jumping


def test_cliffs_and_what_they_jump_from(steps):
    X, y, group, jumping = steps
    frame = sample_roughness(X, y, random_state=0)
    assert list(frame.columns) == NUMBERS
    np.testing.assert_allclose(frame.jump**2, frame.roughness)
    np.testing.assert_allclose(frame.neighbour_jump, y - y[frame.neighbour])
    assert (frame.cliff <= frame.neighbour_jump.abs() + 1e-12).all()
    assert (frame.neighbour != np.arange(240)).all()
    assert (group[frame.neighbour[jumping]] == group[jumping]).mean() > 0.8
    assert frame.neighbour_jump[jumping].between(2.5, 5.5).all()
    # The others of these groups stand at the foot of the same cliffs.
    foot = np.isin(group, group[jumping])
    assert average_precision_score(foot, frame.cliff) > 0.95
    assert frame.jump[jumping].min() > 1.5
    assert (frame.jump[foot & ~jumping] < 1).all()


def test_neighbours_do_not_depend_on_the_estimator(steps):
    X, y, _, _ = steps
    first, second = (
        sample_roughness(X, y, estimator=estimator)
        for estimator in (small(2), small(3, max_features=1))
    )
    assert not first.jump.equals(second.jump)
    pd.testing.assert_frame_equal(first[NUMBERS[2:]], second[NUMBERS[2:]])


@pytest.mark.parametrize("outputs", [1, 2])
def test_cliffs_go_with_the_targets(steps, outputs):
    """In any order of the rows, scale of the targets, and scale of the features."""
    X, y, _, _ = steps
    y = np.rint(np.column_stack([8 * y, 100 * X[:, 1]])[:, :outputs])
    frame = sample_roughness(X, y, estimator=small(2))
    rows = np.random.RandomState(1).permutation(240)
    shuffled = sample_roughness(X[rows], y[rows], estimator=small(2))
    others = frame.iloc[rows].reset_index(drop=True)
    np.testing.assert_allclose(shuffled.cliff, others.cliff, atol=1e-12)
    np.testing.assert_array_equal(rows[shuffled.neighbour], others.neighbour)
    scaled = sample_roughness(X * [1, 8, 0.25, 1024] + 16, -4 * y + 12, estimator=small(2))
    np.testing.assert_allclose(scaled.cliff, 4 * frame.cliff)
    np.testing.assert_array_equal(scaled.neighbour, frame.neighbour)
    sign = -1 if outputs == 1 else 1
    np.testing.assert_allclose(scaled.neighbour_jump, sign * 4 * frame.neighbour_jump)
    np.testing.assert_allclose(scaled.jump, sign * 4 * frame.jump, atol=1e-9)


def test_several_outputs_jump_by_a_length(steps):
    X, y, _, _ = steps
    both = np.column_stack([y, 2 * y])
    frame = sample_roughness(X, both, random_state=0)
    np.testing.assert_allclose(frame.jump, np.sqrt(frame.roughness))
    length = np.linalg.norm(both - both[frame.neighbour], axis=1)
    np.testing.assert_allclose(frame.neighbour_jump, length)


def test_copies_are_not_what_a_sample_jumps_from(steps):
    X, y, _, _ = steps
    rows = np.tile(np.arange(240), 2)
    once, twice = (
        sample_roughness(X[some], y[some], estimator=small(2))
        for some in (np.arange(240), rows)
    )
    assert (rows[twice.neighbour] != rows).all()
    np.testing.assert_allclose(twice.cliff[:240], twice.cliff[240:])
    assert np.corrcoef(twice.cliff[:240], once.cliff)[0, 1] > 0.95


@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_product([["a", "b"], range(120)]),
        pd.date_range("2020", periods=240, tz="Europe/Berlin"),
        pd.CategoricalIndex([f"m{k}" for k in range(240)]),
        pd.interval_range(0, 240),
        pd.Index([f"m{k}" for k in range(240)], name="molecule"),
    ],
    ids=lambda index: type(index).__name__,
)
@pytest.mark.parametrize("lightest", [0.0, 1.0])
def test_neighbours_are_named_as_the_rows_are(steps, index, lightest):
    X, y, *_ = steps
    weight = np.where(np.arange(240) < 5, lightest, 1.0)
    options = dict(estimator=small(), sample_weight=weight, random_state=0)
    expected = sample_roughness(X, y, **options)["neighbour"]
    frame = sample_roughness(pd.DataFrame(X, index), y, **options)
    assert frame.index.equals(index)
    names = list(index)
    for found, place in zip(frame["neighbour"], expected, strict=True):
        if np.isnan(place):
            assert pd.isna(found)
        else:
            assert found == names[int(place)]


def test_samples_of_weight_zero_are_nobodys_neighbours(steps):
    X, y, _, _ = steps
    index = pd.Index([f"m{k}" for k in range(240)])
    weights = (np.arange(240) % 3 > 0).astype(float)
    frame = sample_roughness(
        pd.DataFrame(X, index), y, estimator=small(2), sample_weight=weights
    )
    assert list(frame.index) == list(index)
    assert frame[weights == 0].isna().all(axis=None)
    kept = frame[weights > 0]
    assert kept.notna().all(axis=None)
    assert weights[index.get_indexer(kept.neighbour)].all()
    jumps = y[weights > 0] - y[index.get_indexer(kept.neighbour)]
    np.testing.assert_allclose(kept.neighbour_jump, jumps)


def test_cliffs_among_missing_values_and_bits(steps):
    X, y, _, jumping = steps
    holed = np.where(np.random.RandomState(0).uniform(size=X.shape) < 0.1, np.nan, X)
    bits = (X - np.median(X, axis=0) > 0).astype(np.uint8)
    for features in (holed, sparse.csr_matrix(bits)):
        frame = sample_roughness(features, y, estimator=small(2))
        assert np.isfinite(frame.cliff).all()
    frame = sample_roughness(holed, y, random_state=0)
    assert frame.neighbour_jump[jumping].median() > 2.5


def test_nothing_to_jump_from():
    """Without any feature all samples are alike; five samples are few, but some."""
    frame = sample_roughness(np.zeros((30, 2)), np.arange(30.0), random_state=0)
    assert frame.cliff.max() == pytest.approx(29)
    few = sample_roughness(np.arange(5.0)[:, None], np.arange(5.0), estimator=small(2))
    assert len(few) == 5
