"""Layers measured by labels, and from arrays, of any type."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sksmooth import (
    BesovSmoothnessEstimator,
    LayerFeatureTransformer,
    SmoothnessMonitor,
    compare_layers,
)

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

X = np.random.RandomState(0).uniform(size=(90, 4)).astype(np.float32)
CODES = np.digitize(X[:, 0], [1 / 3, 2 / 3])
TEXT = np.array(list("abc"))[CODES]


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
    )


def table_of(X, y):
    options = dict(
        estimator=BesovSmoothnessEstimator(3, random_state=0),
        probes=["knn", "linear", "davies_bouldin"],
        random_state=0,
    )
    table = compare_layers(network(), X, y, X_test=X, y_test=y, **options)
    columns = ["alpha", "held_out", "knn", "linear", "davies_bouldin"]
    return table[columns].to_numpy()


LABELS = {
    "category of floats": pd.Series(CODES + 0.5).astype("category"),
    "intervals": pd.cut(X[:, 0], [-1, 1 / 3, 2 / 3, 2]),
    "tuples": [("a", int(code)) for code in CODES],
    "mixed": [[2.5, 1, "a"][code] for code in CODES],
}


@pytest.mark.parametrize("kind", LABELS)
def test_layers_are_measured_by_labels_of_any_type(kind):
    assert_array_equal(table_of(X, LABELS[kind]), table_of(X, TEXT))
    scores = [
        LayerFeatureTransformer(
            network(), "0", estimator=BesovSmoothnessEstimator(3, random_state=0)
        )
        .fit(X, y)
        .score(X, y)
        for y in (LABELS[kind], TEXT)
    ]
    assert scores[0] == scores[1]


@pytest.mark.parametrize("kind", LABELS)
def test_layers_are_monitored_by_labels_of_any_type(kind):
    alphas = []
    for y in (LABELS[kind], TEXT):
        module = network()
        monitor = SmoothnessMonitor(module, X, y, n_samples=50, random_state=0)
        monitor.record()
        alphas.append(monitor.to_frame()["alpha"].to_numpy())
    assert_array_equal(*alphas)


@pytest.mark.parametrize("library", ["xarray", "zarr"])
def test_inputs_are_arrays_of_other_libraries(library):
    module = pytest.importorskip(library)
    given = module.DataArray(X) if library == "xarray" else module.array(X)
    assert_array_equal(table_of(given, TEXT), table_of(X, TEXT))
