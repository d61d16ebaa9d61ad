"""Measures of how smooth y is on X, alternatives to them, and the errors of five models.

Numbers are larger where y is smoother. Whole numbers of 8 bits are fingerprints, whose
distance is Tanimoto's; that of others is Euclid's.
"""

import time
from functools import partial

import numpy as np
from _data import quiet_fit, seconds_of
from rogi import RMODI
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import cross_val_predict
from sklearn.svm import SVR

process_seconds = partial(seconds_of, clock=time.process_time)


def distances(X):
    """Square matrix of Tanimoto's distances of fingerprints, of Euclid's of others."""
    if X.dtype != np.uint8:
        return squareform(pdist(X))
    X = X.astype(np.float32)
    shared, own = X @ X.T, np.square(X).sum(axis=1)
    either = own[:, None] + own - shared
    found = 1 - np.divide(shared, either, out=np.ones_like(shared), where=either > 0)
    np.fill_diagonal(found, 0)
    return found.astype(float)


# Errors of models

FOREST = RandomForestRegressor(50, max_features="sqrt", random_state=0)
MODELS = {
    "random forest": FOREST,
    "gradient boosting": GradientBoostingRegressor(
        n_estimators=100, max_depth=5, max_features=0.1, subsample=0.7, random_state=0
    ),
    "ridge": RidgeCV(np.logspace(0, 4, 9)),
    "SVR": SVR(C=3),
}


def relative_error(y, predicted):
    """Root of the mean squared error, in standard deviations of y."""
    return root_mean_squared_error(y, predicted) / y.std()


def in_folds(model, X, y, folds):
    """Error of a model's predictions in all folds."""
    return relative_error(y, cross_val_predict(model, X.astype(np.float32), y, cv=folds))


def neighbours_in_folds(gaps, y, folds, k=5):
    """The same of nearest neighbours, by the matrix of distances."""
    predicted = np.empty(len(y))
    for seen, unseen in folds:
        near = np.argpartition(gaps[np.ix_(unseen, seen)], k, axis=1)[:, :k]
        predicted[unseen] = y[seen][near].mean(axis=1)
    return relative_error(y, predicted)


def errors(X, y, folds):
    """Errors of the five models, by name."""
    found = {name: in_folds(model, X, y, folds) for name, model in MODELS.items()}
    return found | {"5-NN": neighbours_in_folds(distances(X), y, folds)}


# The numbers, all larger where smoother


def ours(X, y):
    """What one fit says."""
    fitted = quiet_fit(X, y, random_state=0)
    return {
        "held-out score": fitted.oob_score_,
        "alpha": fitted.alpha_,
        "explained": fitted.explained_,
        "spread left": -np.sqrt(1 - fitted.explained_),
        "roughness": -fitted.roughness_,
    }


def left_out(gaps, y, k):
    """Error of nearest neighbours other than the molecule itself."""
    gaps = gaps + np.diag(np.full(len(y), np.inf))
    near = np.argpartition(gaps, k, axis=1)[:, :k]
    return relative_error(y, y[near].mean(axis=1))


def coarse_grained(gaps, y, step=0.01):
    """Distance, number of clusters and spread of their means, along complete linkage.

    After Aldeghi et al. (2022) and Graff et al. (2023): y in [0, 1], spreads twice the
    standard deviation, and points of the curve at distances of ``step`` and more.
    """
    merges = linkage(squareform(gaps, checks=False), "complete")
    means, sizes = np.empty((2, 2 * len(y) - 1))
    means[: len(y)], sizes[: len(y)] = (y - y.min()) / np.ptp(y), 1
    lost = np.empty(len(merges))
    for i, (a, b) in enumerate(merges[:, :2].astype(int)):
        new = len(y) + i
        sizes[new] = sizes[a] + sizes[b]
        means[new] = (sizes[a] * means[a] + sizes[b] * means[b]) / sizes[new]
        lost[i] = sizes[a] * sizes[b] / sizes[new] * (means[a] - means[b]) ** 2
    variance = means[: len(y)].var() - np.append(0, np.cumsum(lost)) / len(y)
    kept, last = [], -1.0
    for height in merges[:, 2]:
        if height >= last + step:
            kept, last = [*kept, height], height
    done = np.searchsorted(merges[:, 2], kept, side="right")
    done = np.concatenate([[0], done, [len(merges)]])
    spread = 2 * np.sqrt(np.maximum(variance[done], 0))
    return np.array([0.0, *kept, 1.0]), len(y) - done, spread


def normalised(gaps, X):
    """Distances in [0, 1]: Euclid's by the range of all columns."""
    return gaps if X.dtype == np.uint8 else gaps / np.linalg.norm(np.ptp(X, axis=0))


def rogi(gaps, X, y):
    """Spread that is lost along the distance."""
    distance, _, spread = coarse_grained(normalised(gaps, X), y)
    return spread[0] - np.trapezoid(spread, distance)


def rogi_xd(gaps, X, y):
    """Spread that is lost along the logarithm of the number of clusters."""
    _, n_clusters, spread = coarse_grained(normalised(gaps, X), y)
    return spread[0] - np.trapezoid(spread, 1 - np.log(n_clusters) / np.log(len(y)))


def out_of_bag(X, y):
    """Error of a forest on the rows that its trees have not seen."""
    forest = RandomForestRegressor(100, max_features="sqrt", oob_score=True, random_state=0)
    return relative_error(y, forest.fit(X.astype(np.float32), y).oob_prediction_)


SCORE, OUT_OF_BAG, FOLDS = (
    *("held-out score", "random forest, out of bag"),
    "random forest, five folds",
)
BY_DISTANCES = {
    "ROGI": lambda gaps, X, y: -rogi(gaps, X, y),
    "ROGI-XD": lambda gaps, X, y: -rogi_xd(gaps, X, y),
    "RMODI": lambda gaps, X, y: RMODI(gaps.copy(), y),
    "1-NN": lambda gaps, X, y: -left_out(gaps, y, 1),
    "5-NN": lambda gaps, X, y: -left_out(gaps, y, 5),
}


def our_numbers(X, y):
    """Values of ours, and the processor's seconds of the fit."""
    seconds, values = process_seconds(partial(ours, X, y))
    return {name: (value, seconds) for name, value in values.items()}


def rivals(X, y):
    """Values of the others, and the processor's seconds of each, distances among them."""
    waited, gaps = process_seconds(partial(distances, X))
    found = {}
    for name, number in BY_DISTANCES.items():
        seconds, value = process_seconds(partial(number, gaps, X, y))
        found[name] = value, waited + seconds
    seconds, error = process_seconds(partial(out_of_bag, X, y))
    return found | {OUT_OF_BAG: (-error, seconds)}
