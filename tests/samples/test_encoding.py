"""Class labels as vertices of a simplex, and what is taken for a target at all."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import pdist
from sklearn.exceptions import NotFittedError

from sksmooth import SimplexEncoder
from sksmooth.exceptions import TargetTypeWarning
from sksmooth.samples import (
    encode_labels,
    encode_targets,
    encode_values,
    nearest_vertex,
    simplex_vertices,
)

# Vertices are sums of at most some hundred square roots of rationals: errors stay far
# below this.
ATOL = 1e-12

LABELS = {
    "str": ["b", "a", "c", "a", "b"],
    "int": [7, -1, 3, 3, 7],
    "bool": [True, False, False, True, True],
    "object": np.array(["b", "a", "c", "a", "b"], dtype=object),
    "float": [0.5, 1.5, -2.0, 0.5, 1.5],
    "400 classes": np.random.RandomState(0).permutation(np.repeat(np.arange(400), 2)),
}

# ---------------------------------------------------------------- geometry


@pytest.mark.parametrize("n_classes", [2, 3, 7, 300])
def test_vertices_form_a_centred_regular_simplex_of_edge_sqrt_2(n_classes):
    vertices = simplex_vertices(n_classes)
    assert vertices.shape == (n_classes, n_classes - 1)
    assert_allclose(pdist(vertices), np.sqrt(2), atol=ATOL)
    assert_allclose(vertices.sum(axis=0), 0, atol=ATOL)
    assert_allclose(np.sum(vertices**2, axis=1), 1 - 1 / n_classes, atol=ATOL)


def proportions(n_classes):
    counts = hnp.arrays(np.int64, n_classes, elements=st.integers(0, 50))
    return counts.filter(np.any).map(lambda count: count / count.sum())


@given(st.integers(2, 9).flatmap(lambda k: st.tuples(proportions(k), proportions(k))))
def test_distances_of_means_are_distances_of_class_proportions(pair):
    p, q = pair
    vertices = simplex_vertices(len(p))
    distance = np.linalg.norm(p @ vertices - q @ vertices)
    assert_allclose(distance, np.linalg.norm(p - q), atol=ATOL)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=60))
def test_variance_of_encoded_labels_is_their_gini_impurity(y):
    y = np.append(y, [y[0] + 1])  # two classes at least
    shares = np.unique(y, return_counts=True)[1] / len(y)
    variance = SimplexEncoder().fit_transform(y).var(axis=0).sum()
    assert_allclose(variance, 1 - np.sum(shares**2), atol=ATOL)


@given(proportions(4))
def test_unseen_class_is_one_more_one_hot_axis(p):
    # The one-hot vector e of a fifth class is orthogonal to the proportions p of the
    # four others: |e - p|^2 = 1 + |p|^2, which is 1 + 1/4 at their centroid.
    classes = np.array([0, 1, 2, 3])
    targets, _ = encode_targets([9, 2], classes=classes, n_outputs=3)
    assert_array_equal(targets.codes, [-1, 2])
    assert_array_equal(targets.floor, [1.25, 0.0])
    point = p @ simplex_vertices(4)
    squared = np.sum((targets.values[0] - point) ** 2) + targets.floor[0]
    assert_allclose(squared, 1 + p @ p, atol=ATOL)


# ---------------------------------------------------------------- encoder


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_survive_the_round_trip(labels):
    encoder = SimplexEncoder().fit(labels)
    points = encoder.transform(labels)
    assert_array_equal(encoder.classes_, np.unique(labels))
    assert_array_equal(encoder.vertices_, simplex_vertices(len(encoder.classes_)))
    assert points.shape == (len(labels), len(encoder.classes_) - 1)
    assert points.dtype == np.float64
    decoded = encoder.inverse_transform(points)
    assert_array_equal(decoded, labels)
    assert decoded.dtype == np.asarray(labels).dtype
    assert_array_equal(SimplexEncoder().fit_transform(labels), points)


def test_two_classes_become_two_numbers():
    # Edge sqrt(2), centred: +-1/sqrt(2).
    points = SimplexEncoder().fit_transform([0, 1, 1])
    assert points.shape == (3, 1)
    assert_allclose(np.abs(points), np.sqrt(0.5), atol=ATOL)
    assert points[0, 0] == -points[1, 0]


@given(hnp.arrays(np.float64, (6, 3), elements=st.floats(-3, 3, width=16)))
def test_points_are_labelled_by_the_nearest_vertex(points):
    encoder = SimplexEncoder().fit([10, 20, 30, 40])
    chosen = np.searchsorted(encoder.classes_, encoder.inverse_transform(points))
    distances = np.linalg.norm(points[:, None, :] - encoder.vertices_, axis=2)
    # Of vertices at equal distance, rounding picks one.
    assert_allclose(distances[np.arange(6), chosen], distances.min(axis=1), atol=1e-9)
    assert_array_equal(nearest_vertex(points, encoder.vertices_), chosen)


def test_pandas_input_is_the_same_as_an_array():
    y = ["b", "a", "c", "a"]
    expected = SimplexEncoder().fit_transform(y)
    assert_array_equal(
        SimplexEncoder().fit_transform(pd.Series(y, index=[9, 8, 7, 6])), expected
    )
    with pytest.warns(UserWarning, match="column-vector"):
        assert_array_equal(SimplexEncoder().fit_transform(pd.DataFrame({"y": y})), expected)


@pytest.mark.parametrize(
    ("method", "argument", "message"),
    [
        ("fit", ["a", "a"], r"one class only \(.*'a'"),
        ("fit", [0.0, np.nan], "NaN or infinity"),
        ("fit", np.array([{i % 2} for i in range(3)], dtype=object), "unhashable"),
        ("fit", np.array([1j, 2j]), "[Cc]omplex"),
        ("transform", ["y", "a", "x", "y"], r"fit has not seen: \['x', 'y'\]"),
        ("transform", [1, 2], "of the same type"),
        ("transform", [np.datetime64("2020")], "of the same type"),
        ("inverse_transform", [[10**400, 0]], "too large for float64"),
        ("inverse_transform", np.zeros((4, 1)), "2 dimensions"),
        ("inverse_transform", np.zeros((4, 3)), "2 dimensions"),
    ],
)
def test_encoder_says_what_it_does_not_take(method, argument, message):
    encoder = SimplexEncoder().fit(["a", "b", "c"])
    with pytest.raises(ValueError, match=message):
        getattr(encoder, method)(argument)
    if method != "fit":
        with pytest.raises(NotFittedError):
            getattr(SimplexEncoder(), method)(argument)


# ---------------------------------------------------------------- no targets at all

DATES = ["2020-01-01", None, "2020-01-02"]


@pytest.mark.parametrize(
    "y",
    [
        np.array(DATES, "datetime64[D]"),
        pd.Series(pd.to_datetime(DATES)),
        np.ma.masked_equal([0, 1, 2], 1),
        np.ma.masked_equal([0.0, 1.0, 2.0], 1.0),
    ],
)
@pytest.mark.parametrize(
    "use", [SimplexEncoder().fit, encode_targets, encode_labels, encode_values]
)
def test_missing_dates_and_masked_targets_are_no_targets(use, y):
    with pytest.raises(ValueError, match=r"NaT|NaN|masked"):
        use(y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array(["a", None, "b"], dtype=object), "NaN"),
        (np.array(["a", np.nan, "b"], dtype=object), "NaN"),
        (["a", np.nan, "b"], "NaN"),
        (pd.Series([("a", []), ("b", [])]), "unhashable"),
        (np.array([], dtype=int), r"empty|class|sample"),
        (["a", "a"], "one class only"),
    ],
)
@pytest.mark.parametrize("use", [SimplexEncoder().fit, encode_targets, encode_labels])
def test_vectors_that_are_no_labels_are_refused(use, y, message):
    with pytest.raises(ValueError, match=message):
        use(y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("use", [encode_targets, encode_values])
def test_numbers_must_be_finite(use, bad):
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        use([0.0, bad, 1.0])


def test_no_targets_are_named_as_such():
    for options in ({}, {"classes": np.array([0, 1]), "n_outputs": 1}):
        with pytest.raises(ValueError, match=r"requires y to be passed.*y is None"):
            encode_targets(None, **options)


@pytest.mark.parametrize("y", [[0.0, 1e160], [-1.7e308, 1.7e308], [0.0, 1e-160]])
@pytest.mark.parametrize("use", [encode_targets, encode_values])
def test_spreads_and_levels_whose_squares_are_no_numbers_are_refused(use, y):
    with pytest.raises(ValueError, match="rescale y"):
        use(y)
    with pytest.raises(ValueError, match=r"up to 1.7e\+308"):
        encode_values([1.7e308, 1.7e308])


@pytest.mark.parametrize("y", [[0.0, 1e139], [0.0, 1e-139]])
def test_large_and_small_spreads_are_kept(y):
    assert_array_equal(encode_targets(y)[0].values[:, 0], y)


# ---------------------------------------------------------------- labels or numbers


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([0, 1, 2], [0, 1, 2]),
        (np.array([3, 1], dtype=np.uint8), np.array([1, 3], dtype=np.uint8)),
        ([True, False], [False, True]),
        (["a", "b"], ["a", "b"]),
        (pd.Series(["a", "b", "a"]), ["a", "b"]),
        (pd.Series(["a", "b", "a"], dtype="category"), ["a", "b"]),
        (np.array([3, 1, 2, 3], dtype=object), [1, 2, 3]),
        (np.array([True, False], dtype=object), [False, True]),
        ([0.0, 1.0], None),
        (np.array([0, 1], dtype=np.float32), None),
        ([0.1, 0.7], None),
        ([[0, 1], [1, 0]], None),
        ([[0, 1], [2, 5]], None),
        (np.array([0.5, 1.5, 2.5, 0.5], dtype=object), None),
        (np.linspace(0, 1, 60).astype(object), None),
        (np.array([1e30, 0.0, 1e30, 0.5], dtype=object), None),
    ],
)
@pytest.mark.filterwarnings("error")
def test_dtype_says_whether_targets_are_classes(y, classes):
    targets, found = encode_targets(y)
    if classes is None:
        assert found is None
        assert targets.codes is None
        assert_array_equal(targets.values, np.asarray(y, float).reshape(len(y), -1))
        if targets.values.shape[1] == 1:
            assert_array_equal(targets.tie_break, targets.values[:, 0])
    else:
        assert_array_equal(found, classes)
        assert found.dtype.kind == np.array(classes).dtype.kind or found.dtype == object
        assert_array_equal(found[targets.codes], y)
        assert_array_equal(targets.values, simplex_vertices(len(classes))[targets.codes])
        assert_array_equal(targets.tie_break, targets.codes)
    assert targets.values.dtype == np.float64
    assert targets.caution is None
    assert_array_equal(targets.floor, np.zeros(len(y)))


def test_a_column_vector_is_a_vector():
    with pytest.warns(UserWarning, match="column-vector"):
        targets, classes = encode_targets([[1], [0], [1]])
    assert_array_equal(classes, [0, 1])
    assert_array_equal(targets.codes, [1, 0, 1])
    assert encode_targets([[1.5], [0.0], [1.0]])[1] is None


@pytest.mark.parametrize("y", [[3, 1, 1, 2], [3.0, 1.0, 1.0, 2.0], list("caab")])
def test_labels_may_be_asked_for_whatever_the_dtype(y):
    targets, classes = encode_labels(y)
    assert_array_equal(classes, sorted(set(y)))
    assert_array_equal(targets.codes, [2, 0, 0, 1])
    assert_array_equal(targets.values, simplex_vertices(3)[[2, 0, 0, 1]])
    with pytest.raises(ValueError, match=r"[Uu]nknown label type|continuous"):
        encode_labels([0.5, 1.5, 0.25])


@pytest.mark.parametrize("y", [[3, 1, 1], [True, False, True], [2.5, 2.5], np.eye(3)])
def test_values_may_be_asked_for_whatever_the_dtype(y):
    targets, classes = encode_values(y)
    assert classes is None
    assert targets.codes is None
    assert_array_equal(targets.values, np.asarray(y, float).reshape(len(y), -1))


@pytest.mark.parametrize(
    ("y", "advice"),
    [
        (np.repeat([0.0, 1.0, 2.0], 20), "int"),
        (np.tile(np.arange(21), 2), "float"),
        (np.tile(np.arange(30), 2), "float"),
        (np.arange(1000) % 51, "float"),
        (np.array(list(range(30)) * 2, dtype=object), "float"),
    ],
)
def test_targets_that_may_be_mistyped_warn(y, advice):
    with pytest.warns(TargetTypeWarning, match=rf"astype\({advice}\)") as caught:
        targets, classes = encode_targets(y)
    assert [warning.filename for warning in caught] == [__file__]
    assert targets.caution is caught[0].message
    assert targets.take(np.arange(3)).caution is targets.caution
    read = targets.values[:, 0] if classes is None else classes[targets.codes]
    assert_array_equal(read, y)


@pytest.mark.parametrize(
    "y",
    [
        np.repeat([0, 1, 2], 20),
        np.repeat([0.0, 1.0], 30),  # an indicator may well be a number
        np.repeat([0.0, 0.5, 1.0], 20),
        np.repeat([0.0, 1.0, 2.0], 3),  # too few samples to tell
        np.arange(60.0),
        np.repeat(np.arange(40), 20),
        np.repeat(np.arange(20), 2),
        np.arange(10),
        [f"row {i}" for i in range(30)] * 2,
    ],
)
def test_plain_targets_do_not_warn(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode_targets(y)


@pytest.mark.parametrize(
    "convert", [np.asarray, lambda y: y.astype(object), lambda y: np.char.mod("row %d", y)]
)
@pytest.mark.parametrize(
    "y", [np.arange(11), np.arange(60), np.append(np.arange(31), np.zeros(29, dtype=int))]
)
def test_classes_of_which_most_samples_have_their_own_are_refused(y, convert):
    y = convert(y)
    n_classes = len(np.unique(y))
    with pytest.raises(ValueError, match=f"holds {n_classes} classes in {len(y)} samples"):
        encode_targets(y)
    # Not at score, where the classes are those of the fit.
    targets, _ = encode_targets(y, classes=np.unique(y), n_outputs=n_classes - 1)
    assert len(targets.values) == len(y)


# ---------------------------------------------------------------- like the fitted ones


def test_constant_targets_are_refused_at_fit_only():
    for y in ([2.5, 2.5], [[1.0, 2.0], [1.0, 2.0]]):
        with pytest.raises(ValueError, match="constant"):
            encode_targets(y)
        columns = np.asarray(y).reshape(2, -1)
        targets, _ = encode_targets(y, n_outputs=columns.shape[1])
        assert_array_equal(targets.values, columns)
    targets, _ = encode_targets(["a", "a"], classes=np.array(["a", "b"]), n_outputs=1)
    assert_array_equal(targets.codes, [0, 0])


@pytest.mark.parametrize(("y", "n"), [([1.0, 2.0], 1), (np.eye(3), 3)])
def test_new_numbers_must_have_the_fitted_number_of_columns(y, n):
    with pytest.raises(ValueError, match=rf"{n} output columns.* fitted with 2"):
        encode_targets(y, n_outputs=2)


def test_new_targets_are_encoded_like_the_fitted_ones_whatever_their_dtype():
    numbers, classes = encode_targets([1, 2, 2], n_outputs=1)
    assert classes is None
    assert_array_equal(numbers.values[:, 0], [1.0, 2.0, 2.0])
    labels, _ = encode_targets([1.0, 2.0], classes=np.array([1, 2, 3]), n_outputs=2)
    assert_array_equal(labels.codes, [0, 1])
