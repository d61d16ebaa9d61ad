"""Probes of layer features, against small computations by hand."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, make_blobs

from sksmooth.estimators.probes import (
    PROBES,
    ProbeRows,
    chosen_probes,
    measure_probes,
    probe,
    probe_rows,
)
from sksmooth.networks.columns import column_help

NAMES = [name for name in PROBES if name != "intrinsic_dimension"]


def measure(names, X, y, test=None, seed=0):
    rows = probe_rows(y, None if test is None else test[1], random_state=seed)
    probes = chosen_probes(names)
    return measure_probes(probes, X, y, rows, test=test, random_state=seed)


def measure_one(name, X, y, **options):
    return measure([name], X, y, **options)[name]


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


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "skdim", None)
    monkeypatch.setitem(sys.modules, "skdim.id", None)
    with pytest.raises(ImportError, match=r'pip install "sksmooth\[probes\]"'):
        chosen_probes(["intrinsic_dimension"])
    assert names_of(chosen_probes(NAMES)) == NAMES


def test_a_probe_is_added_by_one_entry(monkeypatch):
    torch = pytest.importorskip("torch")
    from sksmooth import BesovSmoothnessEstimator, compare_layers

    monkeypatch.setitem(PROBES, "largest", None)  # so that it is gone after the test

    @probe("largest", "largest feature")
    def largest(samples):
        return samples.X.max()

    X, y = make_blobs(60, 5, centers=3, random_state=0)
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 2))
    table = compare_layers(network, X, y, ["input"], estimator, ["largest"])
    assert table["largest"][0] == pytest.approx(X.max())
    assert column_help(table.columns)["largest"] == "largest feature"


# --- values by hand ----------------------------------------------------------------


def nc1_of_definition(X, y):
    classes = np.unique(y)
    means = np.array([X[y == c].mean(axis=0) for c in classes])
    centred = means - means.mean(axis=0)
    within = X - means[np.searchsorted(classes, y)]
    between = centred.T @ centred / len(classes)
    within = within.T @ within / len(X)
    return np.trace(within @ np.linalg.pinv(between)) / len(classes)


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


def test_clusters_that_are_classes():
    X, y = make_blobs(300, 5, centers=3, cluster_std=0.1, random_state=0)
    assert measure_one("kmeans_ari", X, y) == 1
    shuffled = np.random.RandomState(0).permutation(y)
    assert abs(measure_one("kmeans_ari", X, shuffled)) < 0.05


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
    with pytest.raises(ValueError, match="one sample only"):
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


def test_one_class_alone_has_no_silhouette():
    X, y = np.random.RandomState(0).uniform(size=(20, 2)), np.zeros(20, dtype=int)
    rows = ProbeRows(np.arange(20), np.arange(20), np.arange(20))
    values = measure_probes(chosen_probes("silhouette"), X, y, rows)
    assert np.isnan(values["silhouette"])


def test_as_few_neighbours_as_samples():
    X, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    assert 0 <= measure_one("knn", X, y) <= 1
