"""Intervals hold their number, and nothing that is impossible."""

import numpy as np
import pytest

from sksmooth import BesovSmoothnessEstimator, class_smoothness
from sksmooth.estimators.summary import estimator_summary
from sksmooth.index import CONVENTIONS

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

SHARES = ["explained", "noise", "wrong_labels", "roughness"]


def targets(kind, X):
    rng = np.random.RandomState(1)
    return {
        "noise": rng.normal(size=len(X)),
        "random labels": rng.randint(0, 2, size=len(X)),
        "a line": X[:, 0],
        "a cut": (X[:, 0] > 0).astype(int),
        "an outlier": np.where(np.arange(len(X)) == 3, 1e3, rng.normal(size=len(X))),
    }[kind]


@pytest.mark.parametrize("index", CONVENTIONS)
@pytest.mark.parametrize(
    "kind", ["noise", "random labels", "a line", "a cut", "an outlier"]
)
@pytest.mark.parametrize("options", [{}, dict(max_depth=1), dict(max_samples=1.0)])
@pytest.mark.parametrize("n_samples", [20, 60])
def test_no_end_is_impossible(index, kind, options, n_samples):
    X = np.random.RandomState(0).normal(size=(n_samples, 2))
    for n_trees in (1, 2):
        estimator = BesovSmoothnessEstimator(
            n_trees, index=index, confidence_level=0.999, random_state=0, **options
        ).fit(X, targets(kind, X))
        for name in ("alpha", "signal_alpha"):
            value = getattr(estimator, f"{name}_")
            low, high = getattr(estimator, f"{name}_interval_")
            # A published procedure may give less than nothing itself.
            assert min(value, 0) <= low <= value <= high
            assert value >= 0 or not CONVENTIONS[index].has_variance
        for name in SHARES:
            share, ends = (getattr(estimator, f"{name}_{end}") for end in ("", "interval_"))
            assert np.isnan(share) or 0 <= ends[0] <= share <= ends[1] <= 1
        summary = estimator_summary(estimator)
        assert summary.interval == estimator.alpha_interval_
        assert "\N{MINUS SIGN}" not in summary.headline or estimator.alpha_ < 0


def test_columns_of_tables_have_the_same_ends():
    X = np.random.RandomState(0).normal(size=(90, 2))
    y = np.arange(90) % 3
    frame = class_smoothness(
        X, y, estimator=BesovSmoothnessEstimator(2, index="elisha-dekel", random_state=0)
    )
    assert (frame["alpha_low"] >= 0).all()
    assert (frame[["explained_low", "noise_low", "roughness_low"]] >= 0).all(axis=None)
    assert (frame[["explained_high", "noise_high", "roughness_high"]] <= 1).all(axis=None)


def test_the_interval_of_the_signal_holds_its_rate():
    """Where the rate above a fitted floor is less than the whole interval of the index."""
    X, labels = np.array([[0.0], [1.0], *6 * [[0.0]]]), [1, 1, 0, 0, 0, 0, 0, 0]
    weights = [1, 1e20, 1, 1, 1, 1, 1, 1]
    fitted = BesovSmoothnessEstimator(2, random_state=0).fit(X, labels, weights)
    low, high = fitted.signal_alpha_interval_
    assert 0 <= low <= fitted.signal_alpha_ <= high
