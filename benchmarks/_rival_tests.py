"""Tests of whether one representation is better than another, by other models."""

import numpy as np
from scipy import stats
from sklearn.base import is_classifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import RepeatedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.multiclass import type_of_target

TREES, TREES_OF_CV = 50, 20
RESAMPLES = 1000


def is_classes(y):
    return not type_of_target(y).startswith("continuous")


def one_hot(y):
    if not is_classes(y):
        return y.reshape(len(y), -1)
    return (y[:, None] == np.unique(y)).astype(float)


def random_forest(y, n_trees, seed):
    kind = RandomForestClassifier if is_classes(y) else RandomForestRegressor
    return kind(n_trees, max_features="sqrt", random_state=seed)


def normal_p(difference, variance):
    """Two-sided p-value; 1 if there is no difference."""
    if difference == 0:
        return 1.0
    return 2 * stats.norm.sf(abs(difference) / np.sqrt(max(variance, 1e-300)))


class OutOfBag:
    """Predictions of a random forest for the samples out of its bags."""

    def __init__(self, X, y, seed):
        forest = random_forest(y, TREES, seed).fit(X, y)
        X, n = np.asarray(X, dtype=np.float32), len(y)
        self.y = one_hot(y)
        trees = [tree.tree_.predict(X).reshape(n, -1) for tree in forest.estimators_]
        self.unseen = np.ones((TREES, n), dtype=bool)
        for unseen, bag in zip(self.unseen, forest.estimators_samples_, strict=True):
            unseen[bag] = False
        self.sums = np.array(trees) * self.unseen[..., None]
        self.is_classifier = is_classifier(forest)

    def predict(self, trees):
        counts = self.unseen[trees].sum(axis=0)
        return self.sums[trees].sum(axis=0) / np.maximum(counts, 1)[:, None]

    def losses(self, trees=slice(None)):
        return np.sum((self.y - self.predict(trees)) ** 2, axis=1)

    def mistakes(self):
        chosen = self.predict(slice(None)).argmax(axis=1)
        return (self.y[np.arange(len(chosen)), chosen] == 0).astype(float)


def forest_tests(X_a, X_b, y, seed):
    """Out-of-bag squared error, with and without the variance of trees; and McNemar."""
    return tests_of_forests(*(OutOfBag(X, y, seed) for X in (X_a, X_b)))


def tests_of_forests(first, second):
    """The three tests of two forests that have been grown."""
    losses = [forest.losses() for forest in (first, second)]
    paired = losses[0] - losses[1]
    means = [loss.mean() for loss in losses]
    influence = 0.5 * (losses[0] / means[0] - losses[1] / means[1])
    group = np.arange(TREES) % 10
    parts = [group != left_out for left_out in range(10)]
    jackknife = [log_ratio(first.losses(part), second.losses(part)) for part in parts]
    variance = influence.var() / len(influence) + 0.5 * 9 * np.var(jackknife)
    wrong = np.nan
    if first.is_classifier:
        wrong = first.mistakes() - second.mistakes()
        wrong = normal_p(wrong.sum(), np.sum(wrong**2))
    return {
        "forest": normal_p(paired.mean(), paired.var() / len(paired)),
        "forest, with trees": normal_p(log_ratio(*losses), variance),
        "McNemar": wrong,
    }


def log_ratio(first, second):
    return 0.5 * np.log(first.mean() / second.mean())


def corrected_cv(X_a, X_b, y, seed):
    """The corrected t-test of repeated cross-validation (Nadeau and Bengio, 2003)."""
    differences = []
    for train, test in RepeatedKFold(n_splits=5, n_repeats=2, random_state=seed).split(X_a):
        scores = [
            score_of(random_forest(y, TREES_OF_CV, seed).fit(X[train], y[train]), X[test],
                     y[test])
            for X in (X_a, X_b)
        ]  # fmt: skip
        differences.append(scores[1] - scores[0])
    n_splits = len(differences)
    mean, variance = np.mean(differences), np.var(differences, ddof=1)
    if mean == 0:
        return 1.0
    scale = np.sqrt((1 / n_splits + 1 / 4) * max(variance, 1e-300))
    return 2 * stats.t.sf(abs(mean) / scale, n_splits - 1)


def score_of(model, X, y):
    """Accuracy, or minus the mean squared error."""
    predicted = model.predict(X)
    return np.mean(predicted == y) if is_classes(y) else -np.mean((predicted - y) ** 2)


def neighbour_losses(X, y):
    nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(return_distance=False)
    return np.sum((one_hot(y) - one_hot(y)[nearest[:, 0]]) ** 2, axis=1)


def neighbour_bootstrap(X_a, X_b, y, seed):
    """Bootstrap of the difference of losses of one nearest neighbour."""
    paired = neighbour_losses(X_a, y) - neighbour_losses(X_b, y)
    rng = np.random.RandomState(seed)
    drawn = rng.randint(len(y), size=(RESAMPLES, len(y)))
    means = paired[drawn].mean(axis=1)
    below = np.mean(means < 0) + 0.5 * np.mean(means == 0)
    return max(2 * min(below, 1 - below), 1 / RESAMPLES)
