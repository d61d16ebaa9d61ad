"""Linear models on the leading wavelets, against raw features, leaves, and the forest.

    python benchmarks/wavelet_features.py [--npz FILE] [--n-splits 5]
        [--data digits wine cancer friedman1 diabetes mnist]
        [--tables features columns leak]

FILE holds ``train_image`` and ``train_label``; without it the images come from OpenML.
MNIST has 10,000 training and 5000 test images, in one split. Logistic regression with its
default C on classes; on numbers, which are standardised, ridge regression with a penalty
that is cross-validated with the features in the loop. Three tables a data set:

- features: test score (accuracy or R2), that on the training samples, number of columns and
  processor's time of everything. ``same forest`` takes the wavelets of the random forest
  whose leaves and whose own score stand below it.
- columns: the first k wavelets of that forest, beyond those that ``transform`` gives, too.
- leak: wavelets are fitted to the labels that the linear model learns from. Does it matter
  whether the penalty is chosen with the wavelets fixed ("inside") or in the loop
  ("outside"), with half of the samples for the wavelets and half for the model ("halves"),
  or by five models, each of which learns from a fifth of the samples that its wavelets have
  not seen, and whose predictions are averaged ("cross-fitted")?
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from choose_features_mnist import load_images
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_friedman1,
)
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import Pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sksmooth.forests import read_forest

from sksmooth import BesovSmoothnessEstimator, wavelet_decomposition
from sksmooth.wavelets import wavelet_features

NUMBERS = ("friedman1", "diabetes")
PENALTIES = {"numbers": 10.0 ** np.arange(-1, 4), "classes": 10.0 ** np.arange(-2, 3)}


class Leaves(TransformerMixin, BaseEstimator):
    """One column for each leaf of each tree."""

    def __init__(self, forest):
        self.forest = forest

    def fit(self, X, y):  # noqa: D102
        self.forest_ = clone(self.forest).fit(X, y)
        self.encoder_ = OneHotEncoder().fit(self.forest_.apply(X))
        return self

    def transform(self, X):  # noqa: D102
        return self.encoder_.transform(self.forest_.apply(X))


def load_split(name, seed, npz):
    if name == "mnist":
        X, y = load_images(npz, 15_000)
        return X[:10_000], X[10_000:], y[:10_000], y[10_000:]
    if name == "friedman1":
        X, y = make_friedman1(2000, noise=1.0, random_state=seed)
    else:
        load = {
            "digits": load_digits,
            "wine": load_wine,
            "cancer": load_breast_cancer,
            "diabetes": load_diabetes,
        }[name]
        X, y = load(return_X_y=True)
    if name in NUMBERS:
        X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
        return X, X_test, (y - y.mean()) / y.std(), (y_test - y.mean()) / y.std()
    return train_test_split(X, y, test_size=0.3, stratify=y, random_state=seed)


def random_forest(kind, seed):
    of_kind = RandomForestRegressor if kind == "numbers" else RandomForestClassifier
    return of_kind(100, random_state=seed)


def linear(kind, strength=1.0):
    if kind == "numbers":
        return Ridge(alpha=strength, tol=1e-3)
    return LogisticRegression(C=1 / strength, max_iter=300)


def searched(features, kind):
    """The pipeline of features and model with the penalty cross-validated as a whole."""
    pipeline = Pipeline([("features", features), ("model", linear(kind))])
    name = "model__alpha" if kind == "numbers" else "model__C"
    return GridSearchCV(pipeline, {name: PENALTIES[kind]}, cv=5)


def wavelets(n_trees, seed, max_features=None):
    return BesovSmoothnessEstimator(n_trees, max_features=max_features, random_state=seed)


def feature_sets(kind, seed):
    forest = random_forest(kind, seed)
    same = BesovSmoothnessEstimator(forest=forest)
    diverse = wavelets(100, seed, "sqrt")
    return {
        "raw": StandardScaler(),
        "wavelets of 10 trees": wavelets(10, seed),
        "wavelets of 100 trees": wavelets(100, seed),
        "- max_features='sqrt'": diverse,
        "- and raw": make_union(diverse, StandardScaler()),
        "wavelets of same forest": same,
        "leaves of that forest": Leaves(forest),
        "leaves of random trees": RandomTreesEmbedding(100, random_state=seed),
    }


def compare_features(name, kind, seed, npz):
    X, X_test, y, y_test = load_split(name, seed, npz)
    for method, features in feature_sets(kind, seed).items():
        start = time.process_time()
        model = Pipeline([("features", features), ("model", linear(kind))])
        if kind == "numbers":
            model = searched(features, kind)
        model.fit(X, y)
        seconds = time.process_time() - start
        fitted = getattr(model, "best_estimator_", model)
        yield {
            "method": method,
            "score": model.score(X_test, y_test),
            "on training": model.score(X, y),
            "columns": fitted[-1].n_features_in_,
            "seconds": seconds,
        }
    start = time.process_time()
    forest = random_forest(kind, seed).fit(X, y)
    yield {
        "method": "the forest itself",
        "score": forest.score(X_test, y_test),
        "on training": forest.score(X, y),
        "columns": np.nan,
        "seconds": time.process_time() - start,
    }


def compare_columns(name, kind, seed, npz):
    X, X_test, y, y_test = load_split(name, seed, npz)
    forest = random_forest(kind, seed).fit(X, y)
    found, read = wavelet_decomposition(forest, X, y), read_forest(forest)
    Z, Z_test = (wavelet_features(found, read.apply(part), None) for part in (X, X_test))
    Z, Z_test = sparse.csc_matrix(Z), sparse.csc_matrix(Z_test)
    for k in (30, 100, 300, 1000, 3000, 10_000, 30_000, found.n_terms):
        if k > found.n_terms:
            continue
        model = searched("passthrough", kind) if kind == "numbers" else linear(kind)
        model.fit(sparse.csr_matrix(Z[:, :k]), y)
        label = "all" if k == found.n_terms else k
        yield {"columns": label, "score": model.score(Z_test[:, :k].tocsr(), y_test)}


def compare_leaks(name, kind, seed, npz):
    X, X_test, y, y_test = load_split(name, seed, npz)
    features = wavelets(100, seed, "sqrt")

    def inside():
        fixed = clone(features).fit(X, y)
        model = searched("passthrough", kind).fit(fixed.transform(X), y)
        return model.predict(fixed.transform(X_test))

    def outside():
        return searched(features, kind).fit(X, y).predict(X_test)

    def halves():
        stratify = None if kind == "numbers" else y
        X_a, X_b, y_a, y_b = train_test_split(
            X, y, test_size=0.5, stratify=stratify, random_state=seed
        )
        fixed = clone(features).fit(X_a, y_a)
        model = searched("passthrough", kind).fit(fixed.transform(X_b), y_b)
        return model.predict(fixed.transform(X_test))

    def cross_fitted():
        votes = []
        for rest, fold in KFold(5, shuffle=True, random_state=seed).split(X):
            fixed = clone(features).fit(X[rest], y[rest])
            model = searched("passthrough", kind).fit(fixed.transform(X[fold]), y[fold])
            Z = fixed.transform(X_test)
            votes.append(model.predict(Z) if kind == "numbers" else model.predict_proba(Z))
        mean = np.mean(votes, axis=0)
        return mean if kind == "numbers" else model.classes_[mean.argmax(axis=1)]

    score = r2_score if kind == "numbers" else accuracy_score
    for way in (inside, outside, halves, cross_fitted):
        yield {"penalty": way.__name__, "score": score(y_test, way())}


TABLES = {
    "features": compare_features,
    "columns": compare_columns,
    "leak": compare_leaks,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["digits", "wine", "cancer", "friedman1", "diabetes", "mnist"]
    parser.add_argument("--npz")
    parser.add_argument("--n-splits", type=int, default=5)
    parser.add_argument("--data", nargs="+", choices=names, default=names)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    args = parser.parse_args()
    for name in args.data:
        kind = "numbers" if name in NUMBERS else "classes"
        n_splits = 1 if name == "mnist" else args.n_splits
        for table in args.tables:
            if (name, table) == ("mnist", "leak"):  # would take an hour
                continue
            rows = [
                row
                for seed in range(n_splits)
                for row in TABLES[table](name, kind, seed, args.npz)
            ]
            by = next(iter(rows[0]))
            means = pd.DataFrame(rows).groupby(by, sort=False).mean()
            print(f"\n{name}, {table}\n{means.round(3).to_string()}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
