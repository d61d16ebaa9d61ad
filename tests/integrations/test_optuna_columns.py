"""The objective of Optuna: it scores the columns of a trial as the scorer does."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.dummy import DummyClassifier

from sksmooth import BesovSmoothnessEstimator, smoothness_scorer
from sksmooth.integrations import ColumnObjective


@pytest.fixture(scope="module")
def wine():
    """Four columns of wine, and four of noise."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    X = X[["alcohol", "flavanoids", "color_intensity", "proline"]]
    noise = np.random.RandomState(0).normal(size=(len(X), 4))
    return X.assign(**{f"noise{i}": noise[:, i] for i in range(4)}), y


class Fixed:
    """A trial whose choice is known."""

    def __init__(self, *chosen):
        self.chosen, self.user_attrs = chosen, {}

    def suggest_categorical(self, name, choices):
        assert choices == [True, False]
        return name in self.chosen

    def set_user_attr(self, name, value):
        self.user_attrs[name] = value


def test_the_value_of_a_trial(wine):
    X, y = wine
    objective = ColumnObjective(X, y, random_state=0)
    trial = Fixed("proline", "alcohol")
    model = DummyClassifier().fit(X, y)
    expected = smoothness_scorer(model, X[["alcohol", "proline"]], y)
    assert objective(trial) == expected
    assert trial.user_attrs == {"columns": ["alcohol", "proline"], "score": expected}
    costly = ColumnObjective(X.to_numpy(), y, cost=0.1, random_state=0)
    trial = Fixed("3", "0")
    assert pickle.loads(pickle.dumps(costly))(trial) == pytest.approx(expected - 0.2)
    assert trial.user_attrs == {"columns": [0, 3], "score": expected}
    assert ColumnObjective(X.to_numpy().tolist(), y, random_state=0)(trial) == expected
    nothing = Fixed()
    assert costly(nothing) == 0
    assert nothing.user_attrs["columns"] == []


def test_all_trials_have_the_same_seed(wine):
    for options in ({}, dict(estimator=BesovSmoothnessEstimator(random_state=5))):
        objective = ColumnObjective(*wine, **options)
        assert objective(Fixed("proline")) == objective(Fixed("proline"))


def test_bad_arguments(wine):
    X, y = wine
    with pytest.raises(ValueError, match="178 rows, but y has 10"):
        ColumnObjective(X, y[:10])
    with pytest.raises(ValueError, match=r"two dimensions, got the shape \(178,\)"):
        ColumnObjective(X["proline"], y)
    with pytest.raises(ValueError, match="'proline' is the name of several columns"):
        ColumnObjective(pd.concat([X, X[["proline"]]], axis=1), y)


def test_a_study_chooses_columns(wine):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = wine
    objective = ColumnObjective(X, y, cost=0.01, random_state=0)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=0)
    )
    study.enqueue_trial(dict.fromkeys(X.columns, True))
    study.optimize(objective, n_trials=40)
    first, best = study.trials[0], study.best_trial
    assert first.user_attrs["columns"] == list(X.columns)
    chosen = best.user_attrs["columns"]
    assert {"flavanoids", "proline"} <= set(chosen)
    assert sum(name.startswith("noise") for name in chosen) <= 1
    assert best.user_attrs["score"] > first.user_attrs["score"]
    assert best.value == pytest.approx(best.user_attrs["score"] - 0.01 * len(chosen))
