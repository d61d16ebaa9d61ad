"""Forests of other libraries, against the leaves that these libraries find themselves."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

from sksmooth import (
    BesovSmoothnessEstimator,
    WaveletForestClassifier,
    WaveletForestRegressor,
    wavelet_decomposition,
)
from sksmooth.samples.samples import Samples
from sksmooth.samples.targets import encode_targets
from sksmooth.trees import Growth, grow, in_bag_rows, read_forest

# Few of these libraries tell which rows a tree has seen.
pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.InSampleOnlyWarning")

SMALL = float(np.float32(1e-35))  # which LightGBM takes for zero


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Histogram boosting has no n_jobs."""
    with threadpool_limits(1):
        yield


def library(name):
    """The library, if it is there; the test is skipped if not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, while it is imported
        return pytest.importorskip(name)


def features(holes=False, n_samples=160, seed=0):
    """Six columns: some with many zeros, few values or, if asked, values missing."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n_samples, 6))
    X[:, 1] = np.rint(2 * X[:, 1])
    X[:, 2] = np.abs(X[:, 2]) * (rng.uniform(size=n_samples) < 0.3)
    X[:, 3] = np.rint(X[:, 3]) * 0.1
    if holes:
        X[rng.uniform(size=X.shape) < 0.15] = np.nan
    return X


def targets(kind, X):
    rng = np.random.RandomState(1)
    y = np.nan_to_num(X[:, 0] + X[:, 1] * X[:, 2] - 3 * X[:, 3])
    y = y + 0.3 * rng.standard_normal(len(X))
    return y if kind == "numbers" else np.digitize(y, [0.0] if kind == "two" else [-1, 1])


def rows_on_cuts(forest, X):
    """For the nodes of every tree, a row that reaches it and lies on its cut."""
    rows = []
    for tree, leaves in zip(forest.trees, forest.apply(X), strict=True):
        reaching = np.full(tree.n_nodes, -1)
        reaching[leaves] = np.arange(len(X))
        for node in range(tree.n_nodes - 1, 0, -1):
            parent = tree.parent[node]
            reaching[parent] = max(reaching[parent], reaching[node])
        inner = np.flatnonzero((tree.left >= 0) & (reaching >= 0))[:25]
        on_cut = X[reaching[inner]]
        on_cut[np.arange(len(inner)), tree.feature[inner]] = tree.threshold[inner]
        rows.append(on_cut)
    return np.concatenate([X[:1], *rows])


def samples_of(forest, X, infinite=True):
    """Training rows, new rows, rows on cuts and beside them, and rows of special values."""
    cuts = rows_on_cuts(forest, X)
    narrow = cuts.astype(np.float32)
    yield from (X, features(True, seed=2), cuts, X.astype(np.float32), narrow)
    for beyond in (-np.inf, np.inf):
        yield np.nextafter(cuts, beyond)
        yield np.nextafter(narrow, np.float32(beyond))
    rng = np.random.RandomState(3)
    values = [np.nan, 0.0, -0.0, SMALL, -SMALL, 2 * SMALL, -2 * SMALL, 1e-300, 1e30]
    values += [np.inf, -np.inf] if infinite else []
    special = np.tile(X[:20], (len(values), 1))
    chosen = rng.uniform(size=special.shape) < 0.3
    yield np.where(chosen, np.repeat(values, 20)[:, None], special)


def assert_same_leaves(ours, theirs):
    """Whether the partitions are the same, whatever the leaves are called."""
    assert ours.shape == theirs.shape
    for mine, other in zip(ours, theirs, strict=True):
        n_pairs = len(np.unique(np.stack([mine, other], axis=1), axis=0))
        assert n_pairs == len(np.unique(mine)) == len(np.unique(other))


def check_leaves(model, leaves_of, X, infinite=True):
    forest = read_forest(model)
    for samples in samples_of(forest, X, infinite):
        assert_same_leaves(forest.apply(samples), leaves_of(model, samples))
    return forest


def named(value):
    """Names of the cases of a parametrized test: those of the options in them."""
    return "-".join(value) or "plain" if isinstance(value, dict) else value


# ---------------------------------------------------------------- LightGBM


def lightgbm_model(kind, **options):
    lightgbm = library("lightgbm")
    name = "LGBMRegressor" if kind == "numbers" else "LGBMClassifier"
    options = {"n_estimators": 4, "min_child_samples": 3, "subsample_freq": 1, **options}
    return getattr(lightgbm, name)(n_jobs=1, random_state=0, verbose=-1, **options)


def lightgbm_leaves(model, X):
    booster = getattr(model, "booster_", model)
    leaves = booster.predict(X, pred_leaf=True, num_iteration=-1, num_threads=1)
    return leaves.reshape(len(X), -1).T


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("numbers", {}),
        ("two", {"colsample_bytree": 0.5}),
        ("three", {"subsample": 0.6}),
        ("numbers", {"boosting_type": "rf", "subsample": 0.6, "num_leaves": 60}),
        ("numbers", {"boosting_type": "dart"}),
        ("numbers", {"extra_trees": True, "colsample_bynode": 0.4}),
        ("three", {"max_depth": 1}),
        ("numbers", {"linear_tree": True}),
        ("numbers", {"use_missing": False}),
        ("numbers", {"min_child_samples": 1000}),
        ("two", {"reg_lambda": 50.0, "min_split_gain": 2.0}),
    ],
    ids=named,
)
def test_lightgbm(kind, options, holes):
    X = features(holes)
    model = lightgbm_model(kind, **options).fit(X, targets(kind, X))
    check_leaves(model, lightgbm_leaves, X)
    check_leaves(model.booster_, lightgbm_leaves, X)


def test_trees_of_lightgbm_come_stage_by_stage():
    X = features()
    model = lightgbm_model("three").fit(X, targets("three", X))
    assert len(read_forest(model).trees) == 12
    assert not read_forest(model).single_precision
    one_leaf = lightgbm_model("numbers", min_child_samples=1000).fit(X, X[:, 0])
    assert [tree.n_nodes for tree in read_forest(one_leaf).trees] == [1]


def test_lightgbm_ranker():
    X = features()
    ranker = library("lightgbm").LGBMRanker(n_estimators=3, n_jobs=1, verbose=-1)
    ranker.fit(X, targets("three", X), group=[40] * 4)
    check_leaves(ranker, lightgbm_leaves, X)


def test_lightgbm_reads_the_stages_after_the_best_one():
    lightgbm = library("lightgbm")
    X = features()
    y = np.random.RandomState(0).standard_normal(len(X))
    booster = lightgbm.train(
        {"objective": "l2", "num_threads": 1, "verbose": -1},
        lightgbm.Dataset(X[:80], y[:80]),
        30,
        valid_sets=[lightgbm.Dataset(X[80:], y[80:])],
        callbacks=[lightgbm.early_stopping(4, verbose=False)],
        keep_training_booster=True,  # or LightGBM itself drops the last stages
    )
    forest = check_leaves(booster, lightgbm_leaves, X)
    assert len(forest.trees) == booster.num_trees() > booster.best_iteration


@pytest.mark.parametrize("sign", [1, -1])
def test_zeros_as_missing_values_of_lightgbm(sign):
    x = np.repeat([0.0, 1.0, 2.0], 30)
    X = sign * x[:, None]
    model = lightgbm_model("numbers", max_depth=1, zero_as_missing=True)
    model.fit(X, (x > 0).astype(float))
    samples = np.linspace(-3, 3, 61)[:, None]
    leaves = read_forest(model).apply(samples)
    assert_same_leaves(leaves, lightgbm_leaves(model, samples))
    assert len(np.unique(leaves[0])) == 2
    with pytest.raises(ValueError, match="zero_as_missing=True"):
        read_forest(model.fit(X, (x == 1).astype(float)))


def lightgbm_chain(thresholds, decisions):
    """A model of one feature and one tree, each right child of which is a leaf."""
    lightgbm = library("lightgbm")
    model = lightgbm_model("numbers", n_estimators=1, num_leaves=3)
    booster = model.fit(features()[:, :1], features()[:, 0]).booster_
    n_splits = len(thresholds)
    numbers = np.arange(1, n_splits + 1)
    fields = {
        "num_leaves": [n_splits + 1],
        "split_feature": [0] * n_splits,
        "split_gain": [1] * n_splits,
        "threshold": map(float, thresholds),
        "decision_type": decisions,
        "left_child": [*numbers[:-1], -n_splits - 1],
        "right_child": -numbers,
        "leaf_value": [0] * (n_splits + 1),
        "leaf_weight": [1] * (n_splits + 1),
        "leaf_count": [1] * (n_splits + 1),
        "internal_value": [0] * n_splits,
        "internal_weight": [1] * n_splits,
        "internal_count": [1] * n_splits,
    }
    lines = []
    for line in booster.model_to_string().splitlines():
        name = line.partition("=")[0]
        if name in fields:
            line = f"{name}={' '.join(map(str, fields[name]))}"
        if name != "tree_sizes":
            lines.append(line)
    return lightgbm.Booster(model_str="\n".join(lines))


def test_deep_trees_of_lightgbm():
    # Nested as deep as the tree, its JSON could not be read.
    booster = lightgbm_chain(-np.arange(1500), [2] * 1500)
    samples = -np.linspace(-1, 1501, 200)[:, None]
    leaves = read_forest(booster).apply(samples)
    assert_same_leaves(leaves, lightgbm_leaves(booster, samples))


@pytest.mark.parametrize("default_left", [0, 2])
@pytest.mark.parametrize("missing", [0, 4, 8], ids=["none", "zero", "nan"])
@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-36, SMALL, 2e-35, 1.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_cuts_of_lightgbm_near_zero(size, sign, missing, default_left):
    booster = lightgbm_chain([sign * size], [missing | default_left])
    sizes = np.array([0.0, 1e-300, 1e-36, SMALL, np.nextafter(SMALL, 1), 2e-35, 1.0])
    samples = np.concatenate([-sizes, sizes, [np.nan, np.inf, -np.inf]])[:, None]
    theirs = lightgbm_leaves(booster, samples)
    zero_goes_left = theirs[0, 0] == 1
    on_its_side = size <= SMALL or zero_goes_left == (sign > 0)
    if missing == 4 and not on_its_side:
        with pytest.raises(ValueError, match="zero_as_missing=True"):
            read_forest(booster)
    else:
        assert_same_leaves(read_forest(booster).apply(samples), theirs)


# ---------------------------------------------------------------- XGBoost


def xgboost_model(kind, forest=False, **options):
    xgboost = library("xgboost")
    name = "Regressor" if kind == "numbers" else "Classifier"
    model = getattr(xgboost, f"XGB{'RF' if forest else ''}{name}")
    return model(**{"n_estimators": 4, "n_jobs": 1, "random_state": 0, **options})


def xgboost_leaves(model, X):
    xgboost = library("xgboost")
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    leaves = booster.predict(xgboost.DMatrix(X, nthread=1), pred_leaf=True)
    return leaves.reshape(len(X), -1).T


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("numbers", {}),
        ("two", {"colsample_bytree": 0.5}),
        ("three", {"subsample": 0.6}),
        ("numbers", {"forest": True, "max_depth": 20}),
        ("three", {"forest": True, "colsample_bynode": 0.4}),
        ("three", {"num_parallel_tree": 2}),
        ("numbers", {"booster": "dart", "rate_drop": 0.5}),
        ("numbers", {"tree_method": "exact", "gamma": 4.0}),
        ("numbers", {"grow_policy": "lossguide", "max_leaves": 12, "max_depth": 0}),
        ("three", {"max_depth": 1}),
        ("numbers", {"gamma": 1e9}),
        ("two", {"reg_lambda": 50.0}),
    ],
    ids=named,
)
def test_xgboost(kind, options, holes):
    X = features(holes)
    model = xgboost_model(kind, **options).fit(X, targets(kind, X))
    forest = check_leaves(model, xgboost_leaves, X, infinite=False)
    check_leaves(model.get_booster(), xgboost_leaves, X, infinite=False)
    assert forest.single_precision
    assert len(forest.trees) == len(model.get_booster().get_dump())


def test_nodes_that_xgboost_has_pruned_are_left_out():
    X = features()
    y = targets("numbers", X)
    model = xgboost_model("numbers", tree_method="exact", gamma=4.0).fit(X, y)
    dumped = model.get_booster().trees_to_dataframe()
    n_nodes = dumped.groupby("Tree").size()
    assert [tree.n_nodes for tree in read_forest(model).trees] == n_nodes.tolist()
    stumps = read_forest(xgboost_model("numbers", gamma=1e9).fit(X, y))
    assert [tree.n_nodes for tree in stumps.trees] == [1] * 4


def test_xgboost_trees_of_several_outputs():
    X = features()
    y = np.stack([targets("numbers", X), X[:, 1]], axis=1)
    for strategy, n_trees in [("one_output_per_tree", 8), ("multi_output_tree", 4)]:
        model = xgboost_model("numbers", multi_strategy=strategy, tree_method="hist")
        forest = check_leaves(model.fit(X, y), xgboost_leaves, X, infinite=False)
        assert len(forest.trees) == n_trees


def test_xgboost_reads_the_stages_after_the_best_one():
    X = features()
    y = np.random.RandomState(0).standard_normal(len(X))
    model = xgboost_model("numbers", n_estimators=30, early_stopping_rounds=4)
    model.fit(X[:80], y[:80], eval_set=[(X[80:], y[80:])], verbose=False)
    forest = check_leaves(model, xgboost_leaves, X, infinite=False)
    assert len(forest.trees) > model.best_iteration + 1


# ---------------------------------------------------------------- treelite


def imported(model, X, y):
    """The model after it has been fitted, as treelite reads it."""
    treelite = library("treelite")
    model.fit(X, y)
    if hasattr(model, "booster_"):
        return treelite.frontend.from_lightgbm(model.booster_)
    if hasattr(model, "get_booster"):
        return treelite.frontend.from_xgboost(model.get_booster())
    return treelite.sklearn.import_model(model)


def treelite_leaves(model, X):
    gtil = library("treelite").gtil
    return gtil.predict_leaf(model, np.ascontiguousarray(X), nthread=1).T


@pytest.mark.parametrize(
    ("kind", "build"),
    [
        ("three", lambda kind: RandomForestClassifier(3, random_state=0)),
        ("numbers", lambda kind: ExtraTreesRegressor(3, random_state=0)),
        ("three", lambda kind: GradientBoostingClassifier(n_estimators=3)),
        ("two", lambda kind: HistGradientBoostingClassifier(max_iter=3)),
        (
            "numbers",
            lambda kind: IsolationForest(n_estimators=3, max_features=0.5, random_state=0),
        ),
        ("three", lightgbm_model),
        ("numbers", xgboost_model),
        ("numbers", lambda kind: xgboost_model(kind, gamma=1e9)),
    ],
    ids=[
        "forest",
        "extra",
        "boosting",
        "histogram",
        "isolation",
        "lightgbm",
        "xgboost",
        "leaf",
    ],
)
def test_treelite(kind, build):
    X = features()
    model = imported(build(kind), X, targets(kind, X))
    forest = check_leaves(model, treelite_leaves, X)
    assert forest.single_precision == (model.input_type == "float32")
    assert len(forest.trees) == model.num_tree


def test_imported_trees_keep_the_numbers_of_their_nodes():
    X = features().astype(np.float32)
    forest = RandomForestClassifier(3, random_state=0)
    model = imported(forest, X, targets("three", X))
    assert_array_equal(read_forest(model).apply(X), read_forest(forest).apply(X))


def test_the_trees_outlive_the_treelite_model():
    X = features()
    model = imported(DecisionTreeBag(), X, targets("three", X))
    forest = read_forest(model)
    before = [tree.threshold.copy() for tree in forest.trees]
    accessor = model.get_tree_accessor(0)
    accessor.set_field("threshold", accessor.get_field("threshold") + 1)
    for tree, threshold in zip(forest.trees, before, strict=True):
        assert_array_equal(tree.threshold, threshold)


def DecisionTreeBag():
    return RandomForestClassifier(2, bootstrap=False, random_state=0)


# ---------------------------------------------------------------- scikit-learn


def histogram_leaves(model, X):
    """Numbers of the leaves, which scikit-learn gives out as it does their values."""
    model = copy.deepcopy(model)
    leaves = []
    for tree in (tree for stage in model._predictors for tree in stage):
        tree.nodes["value"] = np.arange(len(tree.nodes))
        no_categories = np.zeros((0, 8), np.uint32), np.zeros(0, np.uint32)
        leaves.append(tree.predict(X.astype(np.float64), *no_categories, 1))
    return np.array(leaves)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("numbers", {}),
        ("two", {"max_features": 0.5}),
        ("three", {"max_leaf_nodes": 4}),
        ("numbers", {"max_depth": 1, "l2_regularization": 10.0}),
        ("numbers", {"min_samples_leaf": 1000}),
        ("numbers", {"monotonic_cst": [1, 0, 0, 0, 0, 0]}),
    ],
    ids=named,
)
def test_histogram_boosting(kind, options, holes):
    X = features(holes)
    build = (
        HistGradientBoostingRegressor
        if kind == "numbers"
        else HistGradientBoostingClassifier
    )
    options = {"min_samples_leaf": 5, **options}
    model = build(max_iter=4, random_state=0, **options).fit(X, targets(kind, X))
    forest = check_leaves(model, histogram_leaves, X)
    assert len(forest.trees) == (12 if kind == "three" else 4)


# ---------------------------------------------------------------- scikit-learn-intelex


def onedal_model(name, **options):
    ensemble = library("sklearnex.ensemble")
    options = {"n_estimators": 1, "n_jobs": 1, "random_state": 0, **options}
    return getattr(ensemble, name)(**options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["RandomForestRegressor", "ExtraTreesRegressor"])
def test_leaves_of_onedal_are_those_of_its_predictions(name, dtype):
    # Its apply() is scikit-learn's, which rounds samples that oneDAL does not round.
    X = features(n_samples=600).astype(dtype)
    y = np.random.RandomState(0).standard_normal(len(X))
    model = onedal_model(name, bootstrap=False, max_leaf_nodes=200).fit(X, y)
    forest = read_forest(model)
    assert not forest.single_precision
    cuts = rows_on_cuts(forest, X)
    beside = [np.nextafter(cuts, dtype(side)) for side in (-np.inf, np.inf)]
    samples = np.concatenate([X, cuts, *beside])
    values = np.unique(model.predict(samples), return_inverse=True)[1]
    assert_same_leaves(forest.apply(samples), values.reshape(1, -1))


@pytest.mark.parametrize("name", ["RandomForest", "ExtraTrees"])
@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_rows_of_onedal_are_unknown(name, kind):
    X = features()
    y = targets("three" if kind == "Classifier" else "numbers", X)
    options = {"n_estimators": 3, "bootstrap": True}
    forest = onedal_model(name + kind, **options).fit(X, y)
    assert in_bag_rows(forest, len(X)) is None
    assert len(read_forest(forest).trees) == 3


def test_onedal_does_not_draw_the_rows_that_scikit_learn_would():
    X = features()
    y = targets("numbers", X)
    forest = onedal_model("RandomForestRegressor", n_estimators=3).fit(X, y)
    for member in forest.estimators_:
        drawn = np.random.RandomState(member.random_state)
        rows = np.unique(drawn.randint(0, len(X), len(X), dtype=np.int32))
        is_fitted = np.isclose(member.predict(X), y, atol=1e-5)
        # A full tree fits the rows that it has seen, about two thirds.
        assert 0.4 < is_fitted[rows].mean() < 0.8


def test_scikit_learn_behind_onedal_is_known():
    X = features()
    y = targets("three", X)
    forest = onedal_model("RandomForestClassifier", n_estimators=3).fit(X, y)
    forest.set_params(ccp_alpha=1e-9).fit(X, y)  # which oneDAL does not do
    assert read_forest(forest).single_precision
    in_bag = in_bag_rows(forest, len(X))
    for rows, member in zip(in_bag, forest.estimators_, strict=True):
        assert_array_equal(member.predict(X[rows]), y[rows])
    check_leaves(forest, lambda model, X: model.apply(X).T, X, infinite=False)


# ---------------------------------------------------------------- random data

# Neighbours of each other, of zero as LightGBM sees it, and in float32.
VALUES = [0.0, -0.0, 1.0, np.nextafter(1.0, 2), 1.0 + 1e-7, 0.1, float(np.float32(0.1))]
VALUES += [1e-36, SMALL, -1e-34, -1.0, np.nan, 3.0, -1e30]


def histogram_model(kind, **options):
    return HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=1)


@pytest.mark.parametrize(
    ("build", "leaves_of", "options"),
    [
        (lightgbm_model, lightgbm_leaves, {"min_child_samples": 1, "min_data_in_bin": 1}),
        (
            lightgbm_model,
            lightgbm_leaves,
            {"min_child_samples": 1, "min_data_in_bin": 1, "zero_as_missing": True},
        ),
        (xgboost_model, xgboost_leaves, {"min_child_weight": 0}),
        (histogram_model, histogram_leaves, {}),
    ],
    ids=["lightgbm", "lightgbm-zeros", "xgboost", "histogram"],
)
def test_random_data(build, leaves_of, options):
    model = build("numbers", **options)
    refused = []

    @settings(max_examples=25)
    @given(
        hnp.arrays(float, (24, 2), elements=st.sampled_from(VALUES)),
        hnp.arrays(float, 24, elements=st.sampled_from([0.0, 1.0, 3.0])),
    )
    def same_leaves(X, y):
        fitted = model.fit(X, y)
        try:
            forest = read_forest(fitted)
        except ValueError:
            refused.append(X)
            return
        turned = X[:, ::-1].copy()
        for samples in (X, turned, X.astype(np.float32), rows_on_cuts(forest, X)):
            assert_same_leaves(forest.apply(samples), leaves_of(fitted, samples))

    same_leaves()
    assert len(refused) < 15 if "zero_as_missing" in options else not refused


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "build",
    [
        lambda: lightgbm_model("three"),
        lambda: lightgbm_model("numbers"),
        lambda: library("lightgbm").LGBMRanker(),
        lambda: library("lightgbm").Booster(
            train_set=library("lightgbm").Dataset(
                features(), features()[:, 0], params={"verbose": -1, "num_threads": 1}
            ),
            params={"verbose": -1, "num_threads": 1},
        ),
        lambda: xgboost_model("three"),
        lambda: xgboost_model("numbers", forest=True),
        lambda: library("xgboost").Booster(),
        lambda: onedal_model("RandomForestClassifier"),
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    ],
    ids=lambda build: None,
)
def test_models_must_be_fitted(build):
    with pytest.raises(NotFittedError):
        read_forest(build())


def categories(X):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    return frame.assign(b=pd.Categorical(X[:, 1].astype(int).astype(str)))


def lightgbm_of_categories(X, y):
    return lightgbm_model("numbers", min_data_per_group=1, cat_smooth=1).fit(X, y)


def xgboost_of_categories(X, y):
    return xgboost_model("numbers", enable_categorical=True).fit(X, y)


def treelite_of_categories(X, y):
    model = lightgbm_of_categories(X, y).booster_
    return library("treelite").frontend.from_lightgbm(model)


def histogram_of_categories(X, y):
    return HistGradientBoostingRegressor(categorical_features=["b"]).fit(X, y)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lightgbm_of_categories, "LightGBM .* categories.*categorical_feature"),
        (xgboost_of_categories, "XGBoost .* categories.*enable_categorical"),
        (treelite_of_categories, "treelite .* categories"),
        (histogram_of_categories, "HistGradientBoosting .* categories"),
    ],
    ids=["lightgbm", "xgboost", "treelite", "histogram"],
)
def test_splits_by_categories_are_refused(build, message):
    X = features(n_samples=400)
    y = np.sin(7 * X[:, 1])
    with pytest.raises(ValueError, match=message):
        read_forest(build(categories(X), y))


def test_other_operators_of_treelite_are_refused():
    X = features()
    model = imported(DecisionTreeBag(), X, targets("three", X))
    accessor = model.get_tree_accessor(1)
    operators = accessor.get_field("cmp").copy()
    greater = 4
    accessor.set_field("cmp", np.where(operators > 0, greater, 0).astype(operators.dtype))
    with pytest.raises(ValueError, match="operators other than < and <="):
        read_forest(model)


def test_numbers_for_missing_values_of_xgboost_are_refused():
    X = features()
    model = xgboost_model("numbers", missing=0.0).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"missing=np\.nan"):
        read_forest(model)
    forest = read_forest(xgboost_model("numbers", missing=None).fit(X, X[:, 0]))
    assert len(forest.trees) == 4


@pytest.mark.parametrize(
    "build",
    [
        lambda: xgboost_model("numbers", booster="gblinear").fit(features(), np.ones(160)),
        lambda: library("xgboost").DMatrix(features()),
        lambda: library("lightgbm").Dataset(features()),
        lambda: library("treelite").model.TreeAccessor(None, tree_id=0),
        lambda: library("lightgbm").LGBMClassifier,
    ],
    ids=["gblinear", "DMatrix", "Dataset", "config", "class"],
)
def test_what_is_not_made_of_trees_is_refused(build):
    thing = build()
    with pytest.raises(TypeError, match=r"tree|is a class"):
        read_forest(thing)


# ---------------------------------------------------------------- the estimator


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:500], np.array(list("abcdefghij"))[y[:500]]


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True)


LIBRARIES = {
    "lightgbm": lightgbm_model,
    "xgboost": xgboost_model,
    "onedal": lambda kind: onedal_model(
        f"RandomForest{'Regressor' if kind == 'numbers' else 'Classifier'}", n_estimators=3
    ),
    "histogram": lambda kind: (
        HistGradientBoostingRegressor(max_iter=3)
        if kind == "numbers"
        else HistGradientBoostingClassifier(max_iter=2)
    ),
}


@pytest.mark.parametrize("kind", ["classes", "numbers"])
@pytest.mark.parametrize("name", LIBRARIES)
def test_estimator(name, kind, digits, diabetes):
    X, y = digits if kind == "classes" else diabetes
    estimator = BesovSmoothnessEstimator(forest=LIBRARIES[name](kind)).fit(X, y)
    assert np.isfinite(estimator.alpha_)
    assert 0 < estimator.alpha_ < 3
    if (name, kind) != ("onedal", "classes"):  # scikit-learn may fit it instead
        assert np.isnan(estimator.oob_score_)  # which rows a tree has seen is unknown
    score = estimator.score(X[:100], y[:100])
    assert np.isfinite(score)
    again = clone(estimator).fit(X, y)
    assert again.alpha_ == estimator.alpha_
    assert again.forest is not estimator.forest
    kept = pickle.loads(pickle.dumps(estimator))
    assert kept.score(X[:100], y[:100]) == score
    with pytest.raises(NotFittedError):
        read_forest(estimator.forest)  # a clone of it has been fitted


@pytest.mark.parametrize("name", LIBRARIES)
def test_sample_weight_reaches_the_forest(name, digits):
    X, y = digits
    X, y = X[:200], y[:200]
    weights = np.where(np.arange(200) < 100, 1.0, 3.0)
    forest = LIBRARIES[name]("classes")
    equal = BesovSmoothnessEstimator(forest=forest).fit(X, y)
    weighted = BesovSmoothnessEstimator(forest=forest).fit(X, y, weights)
    assert len(weighted._forest.trees) == len(equal._forest.trees)
    assert any(
        a.n_nodes != b.n_nodes or (a.threshold != b.threshold).any()
        for a, b in zip(weighted._forest.trees, equal._forest.trees, strict=True)
    )
    # Classes without weight are as if they were not there.
    weights = np.where(np.isin(y, ["a", "e"]), 0.0, 1.0)
    fewer = BesovSmoothnessEstimator(forest=forest).fit(X, y, weights)
    assert fewer.classes_.tolist() == list("bcdfghij")


@pytest.mark.parametrize("name", ["lightgbm", "onedal"])
def test_sparse_samples(name, digits):
    X, y = digits
    model = LIBRARIES[name]("classes")
    estimator = BesovSmoothnessEstimator(forest=model).fit(sparse.csr_matrix(X), y)
    assert np.isfinite(estimator.alpha_)
    if name == "lightgbm":
        dense = BesovSmoothnessEstimator(forest=model).fit(X, y)
        assert estimator.alpha_ == pytest.approx(dense.alpha_, rel=1e-9)


def test_xgboost_takes_no_sparse_samples(digits):
    X, y = digits
    estimator = BesovSmoothnessEstimator(forest=xgboost_model("classes"))
    with pytest.raises(ValueError, match="XGBoost treats the entries that a sparse X"):
        estimator.fit(sparse.csr_matrix(X), y)


def test_regressors_fit_classes(digits):
    X, y = digits
    halves = np.where(y < "f", "low", "high")
    for build in (lightgbm_model, xgboost_model):
        forest = build("numbers")
        assert BesovSmoothnessEstimator(forest=forest).fit(X, halves).alpha_ > 0
    forest = xgboost_model("numbers", n_estimators=2)
    assert BesovSmoothnessEstimator(forest=forest).fit(X, y).alpha_ > 0
    with pytest.raises(ValueError, match="use LGBMClassifier"):
        BesovSmoothnessEstimator(forest=lightgbm_model("numbers")).fit(X, y)


@pytest.mark.parametrize("index", ["mterm", "elisha-dekel"])
def test_index_of_a_forest_is_that_of_its_treelite_import(index, digits):
    X, y = digits
    forest = RandomForestClassifier(3, bootstrap=False, random_state=0)
    model = imported(forest, X, y)
    fitted = BesovSmoothnessEstimator(forest=forest, index=index).fit(X, y)
    read = BesovSmoothnessEstimator(forest=model, index=index).fit(X, y)
    assert read.alpha_ == pytest.approx(fitted.alpha_, rel=1e-9)
    assert read.forest is model
    weights = np.where(np.arange(len(y)) < 250, 1.0, 3.0)
    assert np.isfinite(read.fit(X, y, weights).alpha_)


def test_treelite_model_of_other_features_is_refused(digits):
    X, y = digits
    model = imported(DecisionTreeBag(), X, y)
    with pytest.raises(ValueError, match=r"X has 63 features, but forest .* 64"):
        BesovSmoothnessEstimator(forest=model).fit(X[:, 1:], y)


@pytest.mark.parametrize(
    "copied", [clone, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_estimator_with_a_treelite_model_can_be_copied(copied, digits):
    X, y = digits
    estimator = BesovSmoothnessEstimator(forest=imported(DecisionTreeBag(), X, y))
    alpha = estimator.fit(X, y).alpha_
    assert copied(estimator).fit(X, y).alpha_ == alpha


@pytest.mark.parametrize("build", [lightgbm_model, xgboost_model])
def test_wavelets_of_fitted_models(build, diabetes):
    X, y = diabetes
    model = build("numbers").fit(X, y)
    booster = getattr(model, "booster_", None) or model.get_booster()
    for measure in ("samples", "volume"):
        wavelets = wavelet_decomposition(model, X, y, measure=measure)
        assert wavelets.n_trees == 4
        same = wavelet_decomposition(booster, X, y, measure=measure)
        assert_array_equal(wavelets.norm, same.norm)
    with pytest.raises(ValueError, match="X has 9 features"):
        wavelet_decomposition(model, X[:, 1:], y)


def test_volumes_where_a_split_tells_missing_values_from_others(diabetes):
    X, y = diabetes
    holes = X.copy()
    holes[y > 150, 3] = np.nan
    model = HistGradientBoostingRegressor(max_iter=2).fit(holes, y)
    assert any(np.isinf(tree.threshold).any() for tree in read_forest(model).trees)
    wavelets = wavelet_decomposition(model, X, y, measure="volume")
    assert np.isfinite(wavelets.norm).all()


def test_no_library_is_imported_for_models_of_others():
    code = """
import sys
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
from sksmooth import BesovSmoothnessEstimator
X, y = load_iris(return_X_y=True)
BesovSmoothnessEstimator(forest=DecisionTreeClassifier(max_depth=3)).fit(X, y)
assert not {"lightgbm", "xgboost", "treelite", "sklearnex"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


# ---------------------------------------------------------------- boosting as an expansion


@pytest.mark.parametrize("booster", ["lightgbm", "lightgbm-dart", "xgboost"])
def test_all_wavelets_of_squared_loss_boosting_are_its_own_prediction(booster):
    X = features(n_samples=300)
    y = targets("numbers", X)
    if booster == "xgboost":
        model = xgboost_model("numbers", n_estimators=20, reg_lambda=0.0)
    else:
        dart = {"boosting_type": "dart", "skip_drop": 1.0}  # which drops no stage
        options = dart if booster == "lightgbm-dart" else {}
        model = lightgbm_model("numbers", n_estimators=20, **options)
    expected = clone(model).fit(X, y).predict(X)
    expansion = WaveletForestRegressor(n_terms=None, forest=model).fit(X, y)
    # Both sum gradients in single precision.
    assert_allclose(expansion.predict(X), expected, rtol=1e-4, atol=1e-4)


def test_learning_rates():
    X = features()
    y = targets("three", X)
    encoded, classes = encode_targets(y)
    samples = Samples(X, y, encoded, np.ones(len(y)), classes)
    models = [
        (lightgbm_model("three", learning_rate=0.2), 0.2),
        (lightgbm_model("three", boosting_type="dart", learning_rate=0.2), 0.2),
        (lightgbm_model("three", boosting_type="rf", subsample=0.6), None),
        (lightgbm_model("three", boosting="rf", subsample=0.6), None),
        (xgboost_model("three"), 0.3),  # its default
        (xgboost_model("three", booster="dart", learning_rate=0.2), 0.2),
        (xgboost_model("three", forest=True), None),
        (GradientBoostingClassifier(n_estimators=2, learning_rate=0.2), 0.2),
        (HistGradientBoostingClassifier(max_iter=2, learning_rate=0.2), 0.2),
        (RandomForestClassifier(2), None),
        (None, None),
    ]
    for model, step in models:
        rate = grow(samples, Growth(forest=model, n_estimators=1)).learning_rate
        assert rate == (step and pytest.approx(step))
    boosted_forests = xgboost_model("three", num_parallel_tree=2)
    grown = grow(samples, Growth(forest=boosted_forests))
    with pytest.raises(ValueError, match="num_parallel_tree=1"):
        _ = grown.learning_rate


@pytest.mark.parametrize("library_model", [lightgbm_model, xgboost_model])
def test_classes_of_boosting(library_model):
    X = features(n_samples=300)
    y = np.array(["ant", "bee", "cat"])[targets("three", X)]
    model = WaveletForestClassifier(n_terms="cv", cv=3, forest=library_model("three"))
    model.fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.n_terms_ > 0


def test_fitted_models_cannot_be_fitted_to_folds():
    X = features()
    y = targets("numbers", X)
    treelite = library("treelite")
    fitted = lightgbm_model("numbers").fit(X, y)
    forest = treelite.frontend.from_lightgbm(fitted.booster_)
    model = WaveletForestRegressor(n_terms=5, forest=forest).fit(X, y)
    assert model.n_terms_ == 5
    with pytest.raises(ValueError, match="comes fitted"):
        model.set_params(n_terms="cv").fit(X, y)
