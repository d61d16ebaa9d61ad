"""The transformer as scikit-learn uses it, and its score."""

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer, compare_layers

torch = pytest.importorskip("torch")

from layer_reading import NAMES, Digits, expected_of_digits, hooks_of, rows_of, some_digits  # noqa: E402

nn = torch.nn


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Digits()


@pytest.fixture(scope="module")
def data():
    return some_digits(300)


def layer_of(network, layer, **options):
    return LayerFeatureTransformer(network, layer, input_shape=(1, 8, 8), **options)


@parametrize_with_checks([LayerFeatureTransformer(nn.Flatten())])
def test_estimator_checks(estimator, check):
    check(estimator)


def test_layers_of_a_list_are_side_by_side(network, data):
    X, _ = data
    names = ["head.fc1", "input", "conv"]
    layer = layer_of(network, names).fit(X)
    expected = expected_of_digits(network, X.reshape(-1, 1, 8, 8), *names)
    np.testing.assert_allclose(layer.transform(X), expected, rtol=1e-5, atol=1e-6)
    assert layer.layer_types_ == ["Linear", "input", "Conv2d"]
    assert layer.layer_shapes_ == [(12,), (1, 8, 8), (4, 6, 6)]
    assert layer.n_features_out_ == 12 + 64 + 144
    names_out = layer.get_feature_names_out()
    assert len(names_out) == len(set(names_out)) == 220
    assert list(names_out[[0, 12, -1]]) == ["head.fc1_0", "input_0", "conv_143"]


def test_pandas_output_has_the_names(network, data):
    X, _ = data
    index = [f"row {i}" for i in range(len(X))]
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)], index=index)
    layer = layer_of(network, "head.fc1").set_output(transform="pandas").fit(frame)
    features = layer.transform(frame)
    assert list(features.columns) == list(layer.get_feature_names_out())
    assert list(features.index) == index
    with pytest.raises(ValueError, match="input_features"):
        layer.get_feature_names_out(["other"] * 64)


def test_the_transformer_must_be_fitted(network, data):
    layer = layer_of(network, "conv")
    for call in (
        layer.get_feature_names_out,
        lambda: layer.transform(data[0]),
        lambda: layer.score(*data),
    ):
        with pytest.raises(NotFittedError):
            call()


def test_clones_share_the_module(network, data):
    layer = layer_of(network, "conv", estimator=BesovSmoothnessEstimator(3))
    layer.set_output(transform="pandas").fit(data[0])
    again = clone(layer)
    assert again.module is layer.module is network
    assert again.estimator is not layer.estimator
    assert not hasattr(again, "layer_names_")
    assert isinstance(again.fit_transform(data[0]), pd.DataFrame)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda fitted: pickle.loads(pickle.dumps(fitted))]
)
def test_copies_have_their_own_module(network, data, copied):
    layer = layer_of(network, ["conv", "output"], n_components=9, random_state=0)
    features = layer.fit_transform(data[0])
    again = copied(layer)
    assert again.module is not network
    assert_array_equal(again.transform(data[0]), features)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_grid_search_over_layers(network, data, backend):
    X, y = data[0][:100], data[1][:100]
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    layer = layer_of(network, "input", estimator=estimator)
    search = GridSearchCV(layer, {"layer": ["input", -1]}, cv=2)
    reference = clone(search).fit(X, y).cv_results_["mean_test_score"]
    with parallel_config(backend, n_jobs=2):
        search.fit(X, y)
    assert_array_equal(search.cv_results_["mean_test_score"], reference)
    assert np.isfinite(reference).all()
    assert search.best_estimator_.module is network
    assert sum(hooks_of(network)) == 0


def test_passes_in_several_threads_do_not_mix(network, data):
    X = data[0].reshape(-1, 1, 8, 8)
    network.train()
    reference = {name: rows_of(network, X, name) for name in NAMES}
    results = {}

    def run(name):
        results[name] = [rows_of(network, X, name) for _ in range(3)]

    threads = [threading.Thread(target=run, args=[name]) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in NAMES:
        for array in results[name]:
            assert_array_equal(array, reference[name])
    assert all(module.training for module in network.modules())


def test_a_progress_bar_is_shown(network, data, capsys):
    layer = layer_of(network, "output", batch_size=100, verbose=1)
    layer.fit_transform(data[0])
    assert "layers: 3/3 in " in capsys.readouterr().err
    layer.set_params(verbose=0).fit_transform(data[0])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"pooling": "median"},
        {"dtype": "int8"},
        {"n_components": 0},
        {"memmap": 3},
        {"output": 1.5},
        {"n_jobs": "many"},
        {"estimator": "forest"},
    ],
)
def test_options_that_mean_nothing(network, data, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        layer_of(network, "output", **options).fit(data[0])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ma.masked_greater(np.ones((9, 4)), 0.5), "masked"),
        ([[10**400] * 4] * 9, "X holds numbers that are too large"),
    ],
)
def test_samples_that_are_no_float64_numbers(X, message):
    with pytest.raises(ValueError, match=message):
        LayerFeatureTransformer(nn.Linear(4, 2)).fit(X)


# --- the score -----------------------------------------------------------------------


def test_score_is_the_out_of_bag_score_of_the_features(network, data):
    X, y = data
    pipeline = make_pipeline(
        layer_of(network, "pool"), BesovSmoothnessEstimator(random_state=0)
    )
    fitted = pipeline.fit(X, y)[-1]
    layer = layer_of(network, "pool", random_state=0).fit(X)
    assert layer.score(X, y) == fitted.oob_score_
    given = BesovSmoothnessEstimator(max_depth=2, random_state=0)
    assert layer.set_params(estimator=given).score(X, y) != fitted.oob_score_
    assert not hasattr(given, "alpha_")


def test_score_is_the_held_out_column_of_the_input(data):
    # Only of the input: compare_layers draws all layers by it.
    X, y = data
    network = nn.Linear(64, 10)
    score = LayerFeatureTransformer(network, "input", random_state=0).fit(X).score(X, y)
    assert score == compare_layers(network, X, y, random_state=0)["held_out"][0]


def test_score_takes_seed_and_workers_as_compare_layers_does(network, data):
    X, y = data
    unseeded = layer_of(network, "pool", estimator=BesovSmoothnessEstimator(3))
    first = clone(unseeded).set_params(random_state=1).fit(X)
    assert first.score(X, y) == first.score(X, y)
    seeded = clone(first).set_params(
        estimator=BesovSmoothnessEstimator(3, random_state=1), random_state=5, n_jobs=2
    )
    assert seeded.fit(X).score(X, y) == first.score(X, y)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize(
    "targets", ["one box", "constant features", "noise", "numbers", "two classes of few"]
)
def test_score_is_finite(data, targets):
    X, y = data
    network, rows = nn.Flatten(), slice(None)
    y = {
        "one box": (X[:, 20] > 0.5).astype(int),  # no error is left
        "constant features": y,
        "noise": np.random.RandomState(0).randint(2, size=len(y)),
        "numbers": np.sin(9 * X[:, 20]),
        "two classes of few": y % 2,
    }[targets]
    if targets == "constant features":
        X = np.ones_like(X)
    if targets == "two classes of few":
        rows = slice(8)
    layer = LayerFeatureTransformer(network, random_state=0).fit(X)
    with np.errstate(all="raise"):
        score = layer.score(X[rows], y[rows])
    assert 0 <= score < np.inf
    if targets in ("constant features", "noise"):
        assert score < 0.05
    else:
        assert score > 0.1


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_a_grid_over_layers_with_unbounded_indices_picks_by_value(data):
    # One split of the input separates the classes, so no error is left and the upper end
    # of the index is infinite; the layers after it lose the classes.
    X, y = data[0], (data[0][:, 20] > 0.5).astype(int)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Identity(), nn.Linear(64, 2), nn.Linear(2, 1))
    for layers in (["input", "0", "2"], ["2", "1", "0", "input"]):
        layer = LayerFeatureTransformer(network, random_state=0)
        search = GridSearchCV(layer, {"layer": layers}, cv=3).fit(X, y)
        results = search.cv_results_
        for name in ("mean_test_score", "std_test_score", "split0_test_score"):
            assert np.isfinite(results[name]).all()
        means = dict(zip(layers, results["mean_test_score"], strict=True))
        assert means["input"] == means["0"] > means["2"]
        assert search.best_params_["layer"] in ("input", "0")


def test_score_has_the_units_of_the_held_out_score():
    X, y = some_digits(1600)
    rows = np.random.RandomState(0).permutation(1600)  # since writers follow each other
    X, y = X[rows], y[rows]
    layer = LayerFeatureTransformer(nn.Flatten(), random_state=0).fit(X)
    other = BesovSmoothnessEstimator(random_state=0).fit(X[:800], y[:800])
    assert layer.score(X[:800], y[:800]) == other.oob_score_
    assert other.oob_score_ == pytest.approx(other.score(X[800:], y[800:]), rel=0.15)


def test_folds_of_one_class_say_which_folds_to_take(data):
    layer = LayerFeatureTransformer(nn.Flatten(), random_state=0).fit(data[0])
    with pytest.raises(ValueError, match="one class only") as caught:
        layer.score(data[0][:50], np.zeros(50, dtype=int))
    assert "cv=StratifiedKFold(" in caught.value.__notes__[0]


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        BesovSmoothnessEstimator(3, max_samples=1.0),
        BesovSmoothnessEstimator(forest=DecisionTreeClassifier()),
    ],
)
def test_score_needs_rows_outside_the_trees(network, data, estimator):
    layer = layer_of(network, "output", estimator=estimator).fit(data[0])
    with pytest.raises(ValueError, match="max_samples below 1"):
        layer.score(*data)


def test_targets_of_another_length():
    X = np.random.RandomState(0).rand(40, 6)
    layer = LayerFeatureTransformer(nn.Linear(6, 3)).fit(X)
    loader = torch.utils.data.DataLoader(torch.tensor(X).float(), 8)
    for y in (np.zeros(39), np.zeros(41)):
        for call in (
            lambda y=y: layer.score(X, y),
            lambda y=y: layer.score(loader, y),
            lambda y=y: layer.fit(X, y),
            lambda y=y: layer.fit_transform(X, y),
        ):
            with pytest.raises(ValueError, match=f"y has {len(y)} rows, but X has 40"):
                call()
    with pytest.raises(ValueError, match="score needs y"):
        layer.score(X)


# --- torch is optional ---------------------------------------------------------------


def test_without_torch_the_extra_is_named():
    code = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'")

sys.meta_path.insert(0, NoTorch())
import numpy as np
from sksmooth import (
    BesovSmoothnessEstimator, LayerFeatureTransformer, compare_layers, list_layers
)
X = np.random.RandomState(0).rand(50, 2)
y = X[:, 0] > 0.5
BesovSmoothnessEstimator(2).fit(X, y)
for call in (
    lambda: LayerFeatureTransformer(None).fit(X),
    lambda: list_layers(None),
    lambda: compare_layers(None, X, y),
):
    try:
        call()
    except ImportError as error:
        assert "pip install torch" in str(error)
    else:
        raise AssertionError("no error")
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
