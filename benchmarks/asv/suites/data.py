"""The data of the suites, and the two kinds of model that they compare."""

import warnings

from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import RandomForestClassifier

from sksmooth import BesovSmoothnessEstimator
from sksmooth.exceptions import SmoothnessWarning

N_TREES = 5
DATA = ["digits", "wide"]
MODELS = ["sksmooth", "RandomForestClassifier"]

warnings.simplefilter("ignore", SmoothnessWarning)  # small data are not to be trusted


def load(name):
    """1797 samples of 64 features, or 400 of 1000."""
    if name == "digits":
        return load_digits(return_X_y=True)
    return make_classification(
        400, 1000, n_informative=20, n_redundant=20, n_classes=5, random_state=0
    )


def make_model(name, n_jobs=1):
    """Trees of full depth that try all features; the same number of them in both."""
    if name == "sksmooth":
        return BesovSmoothnessEstimator(N_TREES, random_state=0, n_jobs=n_jobs)
    return RandomForestClassifier(
        N_TREES, max_features=None, max_samples=0.8, random_state=0, n_jobs=n_jobs
    )


def compile_loops(model):
    """Fit a few samples, so that what is timed does not hold the compilation of loops."""
    X, y = load("digits")
    return model.fit(X[:200], y[:200])
