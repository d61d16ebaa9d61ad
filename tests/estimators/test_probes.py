"""Probes, against small computations by hand."""

import sys
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.covariance import ledoit_wolf
from sklearn.datasets import load_digits, make_blobs
from sklearn.linear_model import RidgeCV
from sklearn.metrics import davies_bouldin_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth.estimators.probes import (
    PROBES,
    ProbeRows,
    TargetKind,
    chosen_probes,
    measure_probes,
    probe_rows,
)


def names_for(targets):
    """The probes for these targets that need no other library."""
    return [
        name
        for name, probe in PROBES.items()
        if targets in probe.targets and probe.requires is None
    ]


NAMES, NAMES_FOR_NUMBERS = names_for("classes"), names_for("numbers")


def measure(names, X, y, test=None, seed=0, targets="classes"):
    y_test = None if test is None else test[1]
    rows = probe_rows(y, y_test, targets=targets, random_state=seed)
    probes = chosen_probes(names, targets)
    return measure_probes(probes, X, y, rows, test=test, random_state=seed)


def measure_one(name, X, y, **options):
    return measure([name], X, y, **options)[name]


def measure_in_full(name, X, y, targets="classes"):
    """Without held-out rows, so that few samples can be computed by hand."""
    every = np.arange(len(X))
    rows = ProbeRows(every, every, every, TargetKind(targets))
    return measure_probes(chosen_probes(name, targets), X, y, rows)[name]


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(300, 5, centers=3, cluster_std=2.0, random_state=0)


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


# --- names -------------------------------------------------------------------------


def names_of(probes):
    return [each.name for each in probes]


def test_names():
    assert names_of(chosen_probes(["nc1", "knn", "nc1"])) == ["nc1", "knn"]
    assert names_of(chosen_probes("knn")) == ["knn"]
    assert chosen_probes(()) == []
    with pytest.raises(ValueError, match=r"\['kmeans'\].*kmeans_ari"):
        chosen_probes(["knn", "kmeans"])


def test_all_probes():
    pytest.importorskip("skdim")
    assert names_of(chosen_probes("all")) == list(PROBES)
    for targets in TargetKind:
        expected = [name for name, probe in PROBES.items() if targets in probe.targets]
        assert names_of(chosen_probes("all", targets)) == expected
        assert "intrinsic_dimension" in expected


def test_probes_that_do_not_fit_the_targets():
    with pytest.raises(
        ValueError, match=r"\['linear', 'cdnv'\] need class labels.*'knn'.*'ridge'"
    ):
        chosen_probes(["linear", "knn", "cdnv"], "numbers")
    with pytest.raises(
        ValueError, match=r"\['ridge'\] need regression targets.*'knn'.*'linear'"
    ):
        chosen_probes("ridge", "classes")
    with pytest.raises(ValueError, match="labels"):
        chosen_probes("ridge", "labels")


def test_the_direction_of_every_probe():
    smaller = {name for name, probe in PROBES.items() if probe.larger_is_better is False}
    assert smaller == {"nc1", "ncc_mismatch", "davies_bouldin", "cdnv"}
    for name in smaller:
        assert PROBES[name].description == PROBES[name].help + "; lower is better"
    assert PROBES["intrinsic_dimension"].larger_is_better is None


def test_better_features_have_better_probes(blobs):
    """Probes agree with the direction that their entries state."""
    X, y = blobs
    worse = X + np.random.RandomState(0).normal(scale=8, size=X.shape)
    here, there = measure(NAMES, X, y), measure(NAMES, worse, y)
    for name in NAMES:
        assert (here[name] > there[name]) == PROBES[name].larger_is_better, name
    numbers = y + np.random.RandomState(1).normal(scale=0.1, size=len(y))
    here, there = (
        measure(NAMES_FOR_NUMBERS, features, numbers, targets="numbers")
        for features in (X, worse)
    )
    for name in NAMES_FOR_NUMBERS:
        assert here[name] > there[name] + 0.05, name


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "skdim", None)
    monkeypatch.setitem(sys.modules, "skdim.id", None)
    with pytest.raises(ImportError, match="pip install scikit-dimension"):
        chosen_probes(["intrinsic_dimension"])
    assert names_of(chosen_probes(NAMES)) == NAMES


# --- values by hand ----------------------------------------------------------------


def nc1_of_definition(X, y):
    classes = np.unique(y)
    means = np.array([X[y == c].mean(axis=0) for c in classes])
    centred = means - means.mean(axis=0)
    within = X - means[np.searchsorted(classes, y)]
    between = centred.T @ centred / len(classes)
    within = within.T @ within / len(X)
    # Of 400 directions as many as classes are more than rounding, which the default keeps.
    inverse = np.linalg.pinv(between, rcond=1e-12, hermitian=True)
    return np.trace(within @ inverse) / len(classes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nc1_is_its_definition(blobs, digits, dtype):
    for X, y in (blobs, digits):
        value = measure_one("nc1", X.astype(dtype), y)
        assert_allclose(value, nc1_of_definition(X, y), rtol=1e-5)


def test_nc1_of_more_features_than_samples(blobs):
    X, y = blobs
    wide = np.maximum(X @ np.random.RandomState(0).standard_normal((5, 400)), 0)
    assert_allclose(measure_one("nc1", wide, y), nc1_of_definition(wide, y))
    # A rotation into many dimensions leaves it as it is, as does a shift far away.
    rotation = np.linalg.qr(np.random.RandomState(1).standard_normal((5, 5)))[0]
    turned = np.hstack([X @ rotation, np.zeros((len(X), 9211))]) + 100
    assert_allclose(measure_one("nc1", turned, y), measure_one("nc1", X, y))


def test_collapsed_classes():
    y = np.repeat([0, 1, 2], 30)
    values = measure(NAMES, np.eye(3)[y], y)
    assert values["cdnv"] == values["davies_bouldin"] == 0
    assert values["forest"] == 1
    assert values["logme"] == np.inf
    assert values["h_score"] == pytest.approx(2, abs=0.1)  # 2 without shrinkage
    assert values["nc1"] == pytest.approx(0, abs=1e-20)
    assert values["ncc_mismatch"] == 0
    assert values["knn"] == values["linear"] == values["kmeans_ari"] == 1
    assert values["silhouette"] == pytest.approx(1)


def test_mismatch_of_the_nearest_class_mean():
    X = np.array([[0.0], [1.0], [5.0], [3.0], [7.0], [8.0]])  # means 2 and 6
    y = np.array(["a", "a", "a", "b", "b", "b"])
    # 5 is nearer to 6, 3 is nearer to 2.
    assert measure_one("ncc_mismatch", X, y, seed=1) == pytest.approx(2 / 6)


def test_classifiers_are_fitted_on_samples_and_asked_on_test_samples(digits):
    X, y = digits
    test = (X[1500:], y[1500:])
    values = measure(["knn", "linear"], X[:1500], y[:1500], test=test)
    assert values["knn"] > 0.9
    assert values["linear"] > 0.85
    shifted = (X[1500:], (y[1500:] + 1) % 10)
    assert measure_one("knn", X[:1500], y[:1500], test=shifted) < 0.05


def test_held_out_samples_are_held_out(digits):
    X, _ = digits
    noise = np.random.RandomState(0).randint(2, size=len(X))
    values = measure(["knn", "linear"], X, noise)  # both remember what they have seen
    assert values["knn"] == pytest.approx(0.5, abs=0.1)
    assert values["linear"] == pytest.approx(0.5, abs=0.1)


def test_a_forest_is_asked_out_of_bag(digits):
    X, y = digits
    noise = np.random.RandomState(0).randint(2, size=len(X))
    assert measure_one("forest", X, noise) == pytest.approx(0.5, abs=0.1)
    assert measure_one("forest", X, y) > 0.95
    far = X * 1e-3 + 1e7  # differences that float32 does not hold
    assert measure_one("forest", far, y) > 0.95


def test_clusters_that_are_classes():
    X, y = make_blobs(300, 5, centers=3, cluster_std=0.1, random_state=0)
    assert measure_one("kmeans_ari", X, y) == 1
    shuffled = np.random.RandomState(0).permutation(y)
    assert abs(measure_one("kmeans_ari", X, shuffled)) < 0.05


def test_spread_and_distance_by_hand():
    # Means 1, 10 and 10 + 3i, variances 1, 0 and 4, mean distances 1, 0 and 2.
    X = np.array([[0, 0], [2, 0], [10, 0], [12, 3], [8, 3]])
    y = np.array(["a", "a", "b", "c", "c"])
    squares = 81, 90, 9
    cdnv = (1 / squares[0] + 5 / squares[1] + 4 / squares[2]) / 6
    assert measure_in_full("cdnv", X, y) == pytest.approx(cdnv)
    a, b, c = 3 / np.sqrt(90), 2 / 3, 2 / 3
    assert measure_in_full("davies_bouldin", X, y) == pytest.approx((a + b + c) / 3)


@pytest.mark.parametrize("scale", [1e-12, 1, 1e12])
def test_spread_and_distance_of_blobs(blobs, digits, scale):
    X, y = blobs
    for X, y in (blobs, digits):
        values = measure(["cdnv", "davies_bouldin"], scale * X, y)
        assert_allclose(values["davies_bouldin"], davies_bouldin_score(X, y))
        means = [X[y == c].mean(axis=0) for c in np.unique(y)]
        variances = [X[y == c].var(axis=0).sum() for c in np.unique(y)]
        ratios = [
            (variances[i] + variances[j]) / (2 * np.sum((means[i] - means[j]) ** 2))
            for i, j in combinations(range(len(means)), 2)
        ]
        assert_allclose(values["cdnv"], np.mean(ratios))


def h_score_of_definition(X, y):
    """With the matrices themselves, the shrunk one by scikit-learn."""
    shrunk, shrinkage = ledoit_wolf(X)
    means = np.array([X[y == c].mean(axis=0) for c in y])
    between = (1 - shrinkage) * np.cov(means, rowvar=False, bias=True)
    return np.trace(np.linalg.pinv(shrunk) @ between)


def test_h_score_is_its_definition(blobs, digits):
    for X, y in (blobs, digits):
        wide = np.maximum(X @ np.random.RandomState(0).normal(size=(X.shape[1], 400)), 0)
        for features in (X, wide):
            value = measure_in_full("h_score", features, y)
            assert_allclose(value, h_score_of_definition(features, y))
    X, y = make_blobs(3000, 2, centers=[[-1, 0], [1, 0]], random_state=0)
    # One direction in which the means have the variance 1, as the classes have.
    assert measure_in_full("h_score", X, y) == pytest.approx(1 / 2, abs=0.02)


def test_h_score_of_noise_that_is_wider_than_the_samples():
    X = np.random.RandomState(0).normal(size=(100, 1000))
    y = np.arange(100) % 2
    assert measure_in_full("h_score", X, y) < 0.2  # it would be 1 without shrinkage


def evidence_by_search(X, y):
    """The density of y for the best variances, of its whole covariance matrix."""

    def minus_log_density(log_variances):
        weights, noise = np.exp(log_variances)
        covariance = weights * X @ X.T + noise * np.eye(len(X))
        quadratic = y @ np.linalg.solve(covariance, y)
        _, log_determinant = np.linalg.slogdet(covariance)
        return (len(y) * np.log(2 * np.pi) + log_determinant + quadratic) / (2 * len(y))

    starts = [(0, 0), (-4, 0), (0, -4)]
    bounds = [(-25, 10)] * 2
    return -min(minimize(minus_log_density, start, bounds=bounds).fun for start in starts)


@pytest.mark.parametrize("n_features", [1, 5, 60, 100])  # of 60 samples
@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_logme_is_the_largest_evidence(n_features, noise):
    rng = np.random.RandomState(n_features)
    X = rng.normal(size=(60, n_features)) + 0.5
    Y = X @ rng.normal(size=(n_features, 2)) / np.sqrt(n_features)
    Y += noise * rng.normal(size=Y.shape)
    expected = np.mean([evidence_by_search(X, y) for y in Y.T])
    assert_allclose(measure_in_full("logme", X, Y, "numbers"), expected, atol=1e-5)


def test_logme_of_classes_is_that_of_their_indicators(blobs):
    X, y = blobs[0][:60], blobs[1][:60]
    expected = measure_in_full("logme", X, np.eye(3)[y], "numbers")
    assert measure_in_full("logme", X, y) == expected
    assert_allclose(
        expected, np.mean([evidence_by_search(X, y == c) for c in range(3)]), atol=1e-5
    )


def test_logme_of_targets_that_say_nothing_or_all():
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    noise = -(np.log(2 * np.pi * np.mean(y**2)) + 1) / 2  # of a normal density alone
    for features in (np.zeros((50, 3)), X - y[:, None] * (y @ X) / (y @ y)):
        value = measure_in_full("logme", features, y, "numbers")
        assert value == pytest.approx(noise, abs=1e-6)
    for exact in (X[:, 0], np.zeros(50), np.c_[y, X @ [1, 2, 3]]):
        assert measure_in_full("logme", X, exact, "numbers") == np.inf
    # A scale of the targets is one of their density.
    smaller = measure_in_full("logme", X, y / 1e6, "numbers")
    here = measure_in_full("logme", X, y, "numbers")
    assert smaller == pytest.approx(here + np.log(1e6))


@pytest.mark.parametrize("scale", [1e-100, 1, 1e100])
def test_invariances_of_linear_scores(blobs, scale):
    X, y = blobs
    rotation = np.linalg.qr(np.random.RandomState(1).normal(size=(8, 8)))[0]
    turned = scale * np.pad(X, ((0, 0), (0, 3))) @ rotation
    for name in ("logme", "h_score", "cdnv", "davies_bouldin"):
        if scale == 1 or name in ("logme", "h_score"):
            padded = np.pad(X, ((0, 0), (0, 3)))
            expected = measure_in_full(name, padded, y)
            assert_allclose(measure_in_full(name, turned, y), expected, rtol=1e-6)
    assert measure_in_full("h_score", X + 100, y) == pytest.approx(
        measure_in_full("h_score", X, y)
    )


# --- numbers -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def smooth():
    """Samples with one linear target, and one that is not linear."""
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, size=(600, 3))
    linear, bent = X @ [1, 2, 0], np.abs(X[:, 2])
    return X, np.c_[linear, bent] + 0.02 * rng.normal(size=(600, 2))


def test_numbers_are_explained_by_models_that_can(smooth):
    X, Y = smooth
    linear = measure(NAMES_FOR_NUMBERS, X, Y[:, 0], targets="numbers")
    assert linear["ridge"] > 0.99
    assert min(linear["knn"], linear["forest"]) > 0.9
    bent = measure(NAMES_FOR_NUMBERS, X, Y[:, 1], targets="numbers")
    assert bent["ridge"] < 0.1
    assert bent["knn"] > 0.7
    assert bent["forest"] > 0.9
    assert bent["logme"] < linear["logme"]


def test_several_outputs_are_averaged(smooth):
    X, Y = smooth
    both = measure(NAMES_FOR_NUMBERS, X, Y * [1, 1e3], targets="numbers")
    first, second = (
        measure(NAMES_FOR_NUMBERS, X, y, targets="numbers")
        for y in (Y[:, :1], 1e3 * Y[:, 1])
    )
    for name in ("knn", "ridge", "logme"):
        assert both[name] == pytest.approx((first[name] + second[name]) / 2, abs=1e-6)
    # Trees of both outputs split for both, whatever their scales.
    assert both["forest"] > 0.85
    same = measure_one("forest", X, Y, targets="numbers")
    assert both["forest"] == pytest.approx(same, abs=0.01)


def test_numbers_of_test_samples(smooth):
    X, Y = smooth
    names = ["knn", "ridge"]
    for y in (Y, Y[:, 0]):
        test = (X[400:], y[400:])
        values = measure(names, X[:400], y[:400], test=test, targets="numbers")
        wrong = (X[400:], -y[400:])
        shifted = measure(names, X[:400], y[:400], test=wrong, targets="numbers")
        assert all(values[name] > shifted[name] + 0.5 for name in names)
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 6, 19)))
    expected = model.fit(X[:400], y[:400]).score(*test)
    assert values["ridge"] == pytest.approx(expected)


def test_held_out_numbers_are_held_out(digits):
    X, _ = digits
    noise = np.random.RandomState(0).normal(size=len(X))
    values = measure(["knn", "ridge", "forest"], X, noise, targets="numbers")
    assert all(value < 0.1 for value in values.values())


def test_rows_for_numbers_are_not_stratified():
    y = np.arange(9000.0)  # each value once
    rows = probe_rows(y, targets="numbers", random_state=0)
    assert (len(rows.few), len(rows.train), len(rows.test)) == (2000, 3000, 1000)
    both = np.r_[rows.train, rows.test]
    assert len(np.unique(both)) == 4000
    assert set(rows.few) < set(both)
    again = probe_rows(np.c_[y, y], targets="numbers", random_state=0)
    assert_array_equal(again.train, rows.train)
    rows = probe_rows(y, y[::2], targets="numbers", random_state=0)
    assert (len(rows.train), len(rows.test)) == (4000, 4000)


@pytest.mark.filterwarnings("error")
def test_constant_features_and_numbers():
    X, y = np.random.RandomState(0).normal(size=(40, 3)), np.linspace(0, 1, 40)
    values = measure(NAMES_FOR_NUMBERS, np.ones((40, 3)), y, targets="numbers")
    assert all(value <= 0 for value in values.values())
    values = measure(NAMES_FOR_NUMBERS, X, np.ones(40), targets="numbers")
    assert values["knn"] == values["ridge"] == values["forest"] == 1


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_intrinsic_dimension(dimension):
    pytest.importorskip("skdim")
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(1500, dimension)) @ rng.standard_normal((dimension, 30))
    y = np.arange(1500) % 2
    assert measure_one("intrinsic_dimension", X, y) == pytest.approx(dimension, rel=0.15)


def test_intrinsic_dimension_of_one_column_and_of_repeated_rows():
    pytest.importorskip("skdim")
    X = np.repeat(np.random.RandomState(0).uniform(size=(500, 1)), 2, axis=0)
    y = np.arange(1000) % 2
    assert measure_one("intrinsic_dimension", X, y) == pytest.approx(1, rel=0.15)


# --- what may come -----------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_constant_features():
    pytest.importorskip("skdim")
    y = np.repeat([0, 1], [30, 10])
    values = measure("all", np.ones((40, 3)), y)
    assert np.isnan(values["nc1"])
    assert np.isnan(values["intrinsic_dimension"])
    assert values["kmeans_ari"] == 0
    assert values["silhouette"] == 0
    assert values["ncc_mismatch"] in (0.25, 0.75)
    assert values["knn"] == values["linear"] == 0.8  # 8 of the 10 that are held out
    assert np.isnan(values["cdnv"])
    assert np.isnan(values["davies_bouldin"])
    assert values["h_score"] == 0
    assert values["forest"] == pytest.approx(22 / 30)  # of those on which models are fitted
    assert np.isfinite(values["logme"])


@pytest.mark.parametrize("constant", [0.1, 1e-200, 1e8])
def test_constant_features_that_are_rounded(constant):
    X = np.full((40, 3), constant)
    assert measure_in_full("h_score", X, np.arange(40) % 2) == 0
    for name in ("cdnv", "davies_bouldin"):
        assert np.isnan(measure_in_full(name, X, np.arange(40) % 2))


def test_equal_means_of_two_of_the_classes():
    X = np.array([[-1.0], [1.0], [-2.0], [2.0], [7.0], [8.0]])
    y = np.repeat([0, 1, 2], 2)
    for name in ("cdnv", "davies_bouldin"):
        assert np.isnan(measure_in_full(name, X, y))
        assert np.isfinite(measure_in_full(name, X[2:], y[2:]))


@pytest.mark.filterwarnings("error")
def test_classes_of_one_sample():
    X, y = np.random.RandomState(0).normal(size=(12, 2)), np.arange(12) % 11
    for name in ("cdnv", "davies_bouldin", "logme", "h_score", "forest"):
        assert np.isfinite(measure_in_full(name, X, y))
    assert measure_in_full("davies_bouldin", X[:11], y[:11]) == 0


def global_random_state():
    return np.random.get_state()[1].copy()  # noqa: NPY002


def test_results_depend_on_nothing_but_values_and_seed(digits, tmp_path):
    X, y = digits[0].astype(np.float32), digits[1]
    before = global_random_state()
    first = measure(NAMES, X, y)
    assert_array_equal(global_random_state(), before)
    stored = np.memmap(tmp_path / "X", np.float32, "w+", shape=X.shape)
    stored[:] = X
    assert measure(NAMES, stored, y) == first
    assert measure(NAMES, X, np.array(list("abcdefghij"))[y]) == first
    assert measure(NAMES, X, y, seed=1) != first


def test_rows_are_few_and_stratified():
    y = np.repeat([0, 1], [9000, 1000])
    rows = probe_rows(y, random_state=0)
    assert (len(rows.few), len(rows.train), len(rows.test)) == (2000, 3000, 1000)
    both = np.r_[rows.train, rows.test]
    assert len(np.unique(both)) == 4000
    assert set(rows.few) < set(both)
    assert abs(y[rows.test].mean() - y[both].mean()) < 0.02
    assert both.max() > 9000  # of all samples, not of the first
    rows = probe_rows(y, y[::2], random_state=0)
    assert (len(rows.train), len(rows.test)) == (4000, 4000)
    assert rows.test.max() < 5000


def test_a_class_of_one_sample_cannot_be_held_out():
    with pytest.raises(ValueError, match="only one sample"):
        probe_rows(np.array([0, 0, 0, 1]), random_state=0)
    assert len(probe_rows(np.array([0, 0, 0, 1]), np.array([0, 1])).train) == 4


def test_rare_classes_of_many_samples():
    rng = np.random.RandomState(0)
    y = np.zeros(9000, dtype=int)
    y[:4500] = 1
    y[rng.permutation(9000)[:3]] = 2
    for seed in range(8):
        rows = probe_rows(y, random_state=seed)
        assert {0, 1} <= set(y[rows.test]) <= set(y[rows.train])


def test_one_class_alone():
    X, y = np.random.RandomState(0).uniform(size=(20, 2)), np.zeros(20, dtype=int)
    for name in ("silhouette", "cdnv", "davies_bouldin"):
        assert np.isnan(measure_in_full(name, X, y))
    assert measure_in_full("h_score", X, y) == pytest.approx(0, abs=1e-12)


def test_as_few_neighbours_as_samples():
    X, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    assert 0 <= measure_one("knn", X, y) <= 1
