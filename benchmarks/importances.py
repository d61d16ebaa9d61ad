"""Which columns matter: norms of wavelets against impurity, permutation and SHAP.

    python benchmarks/importances.py [--n-samples 300 1000] [--n-seeds 5]
        [--data friedman1 ...]
    python benchmarks/importances.py --data mnist --n-samples 5000 --n-seeds 2 [--npz FILE]

needs shap; FILE holds ``train_image`` and ``train_label``, without it the images come from
OpenML. Tables of which it is known which columns the targets depend on:

- friedman1: 5 of 20 columns; friedman1-noisy: 5 of 50 with five times the noise;
- classes: ``make_classification``, 6 of 30; spheres: 3 of 20, 10 % wrong labels;
- smooth: a sum of sines of 4 of 20 columns, noise as large as the sum;
- cardinality: 5 binary columns of a logistic model, 10 Gaussian and 5 integer columns of
  noise, of which many cuts are possible;
- copies: friedman1 with 4 noisy copies of each relevant column, 20 of 35;
- proxies: 6 blocks of 5 correlated columns (0.7), one column each of 3 blocks matters;
- mnist: the pixels that are not constant, and a permuted copy of each, which is noise.

The table has the average precision of telling relevant columns from others (1 is perfect),
the share of importance on the others, the rank correlation with the strength of the
relevant columns where it is known (friedman1: the variance that is lost without the column;
cardinality: the coefficient), the test score of a random forest on the best columns, as
many as there are relevant ones, and the processor's time, which includes that of the 100
trees where a forest is explained. Permutation explains a forest of 3/4 of the rows by the
rest, 5 times (once for MNIST), SHAP (TreeExplainer) that of all rows by 100 of them.
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
import shap
from _data import load_images
from _results import write_results
from scipy.stats import spearmanr
from sklearn.datasets import make_classification, make_friedman1
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

from sksmooth import (
    BesovSmoothnessEstimator,
    WaveletForestClassifier,
    WaveletForestRegressor,
)
from sksmooth.datasets import make_known_smoothness

N_TEST = 2000

# Tables: features, targets, and how strongly the targets depend on each column


def first(n_relevant, n_columns):
    return (np.arange(n_columns) < n_relevant).astype(float)


def friedman1(n, seed, n_columns=20, noise=1.0):
    X, y = make_friedman1(n, n_columns, noise=noise, random_state=seed)
    strength = np.zeros(n_columns)
    # Total effects: E Var(f | all columns but one), by 1,000,000 draws.
    strength[:5] = [6.5, 6.5, 2.2, 8.3, 2.1]
    return X, y, strength


def classes(n, seed):
    options = dict(n_informative=6, n_redundant=0, n_classes=3, flip_y=0.1, shuffle=False)
    X, y = make_classification(n, 30, random_state=seed, **options)
    rows = np.random.default_rng(seed).permutation(n)  # they come class by class
    return X[rows], y[rows], first(6, 30)


def spheres(n, seed):
    options = dict(n_relevant=3, n_irrelevant=17, noise=0.1, random_state=seed)
    X, y, _ = make_known_smoothness("jump", n, **options)
    return X, y, first(3, 20)


def smooth(n, seed):
    options = dict(n_relevant=4, n_irrelevant=16, noise=1.0, random_state=seed)
    X, y, _ = make_known_smoothness("smooth", n, **options)
    return X, y, first(4, 20)


def cardinality(n, seed):
    rng = np.random.default_rng(seed)
    binary = rng.integers(0, 2, (n, 5))
    noise = [rng.standard_normal((n, 10)), rng.integers(0, 1000, (n, 5))]
    coefficients = np.array([2.0, 1.6, 1.2, 1.0, 0.8])
    log_odds = (binary - 0.5) @ coefficients
    y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    return np.column_stack([binary, *noise]), y, np.append(coefficients, np.zeros(15))


def copies(n, seed):
    X, y, _ = friedman1(n, seed)
    rng = np.random.default_rng(seed)
    relevant = [X[:, :5] + 0.05 * rng.standard_normal((n, 5)) for _ in range(4)]
    return np.hstack([*relevant, X[:, 5:]]), y, first(20, 35)


def proxies(n, seed):
    rng = np.random.default_rng(seed)
    common = np.repeat(rng.standard_normal((n, 6)), 5, axis=1)
    X = np.sqrt(0.7) * common + np.sqrt(0.3) * rng.standard_normal((n, 30))
    a, b, c = X[:, [0, 5, 10]].T
    y = a + np.sin(2 * b) + np.maximum(c, 0) + 0.5 * rng.standard_normal(n)
    return X, y, np.isin(np.arange(30), [0, 5, 10]).astype(float)


def pixels(n, seed, npz=None):
    X, y = load_images(npz, 60_000)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(X))[:n]
    X = X[rows][:, X[rows].min(axis=0) < X[rows].max(axis=0)]
    both = np.hstack([X, rng.permuted(X, axis=0)])
    return both, np.asarray(y[rows], dtype=int), first(X.shape[1], 2 * X.shape[1])


TABLES = {
    "friedman1": friedman1,
    "friedman1-noisy": lambda n, seed: friedman1(n, seed, 50, 5.0),
    "classes": classes,
    "spheres": spheres,
    "smooth": smooth,
    "cardinality": cardinality,
    "copies": copies,
    "proxies": proxies,
}
STRENGTH_KNOWN = ("friedman1", "friedman1-noisy", "cardinality")

# Importances: names, values and seconds


def random_forest(X, y, seed):
    is_numbers = y.dtype.kind == "f"
    forest = RandomForestRegressor if is_numbers else RandomForestClassifier
    return forest(100, random_state=seed).fit(X, y)


def wavelet_forest(X, y, seed):
    is_numbers = y.dtype.kind == "f"
    forest = WaveletForestRegressor if is_numbers else WaveletForestClassifier
    return forest(100, random_state=seed).fit(X, y)


def importances(X, y, seed):
    start = time.process_time()
    estimator = BesovSmoothnessEstimator(random_state=seed).fit(X, y)
    yield "smoothness, 10 trees", estimator.feature_importances_, since(start)

    start = time.process_time()
    estimator = BesovSmoothnessEstimator(100, random_state=seed).fit(X, y)
    yield "smoothness, 100 trees", estimator.feature_importances_, since(start)

    start = time.process_time()
    forest = wavelet_forest(X, y, seed)
    yield "wavelet forest", forest.feature_importances_, since(start)

    start = time.process_time()
    forest = random_forest(X, y, seed)
    seconds = since(start)
    yield "impurity", forest.feature_importances_, seconds

    start = time.process_time()
    values = shap.TreeExplainer(forest).shap_values(X[:100], check_additivity=False)
    values = np.abs(values).reshape(min(100, len(X)), X.shape[1], -1).mean(axis=(0, 2))
    yield "SHAP", values / values.sum(), seconds + since(start)

    start = time.process_time()
    X_fit, X_rest, y_fit, y_rest = train_test_split(X, y, random_state=seed)
    forest = random_forest(X_fit, y_fit, seed)
    n_repeats = 5 if X.shape[1] < 100 else 1
    found = permutation_importance(
        forest, X_rest, y_rest, n_repeats=n_repeats, random_state=seed
    )
    yield "permutation", found.importances_mean, since(start)


def since(start):
    return time.process_time() - start


# What is measured of them


def judged(values, strength, score_of_columns):
    relevant = strength > 0
    positive = np.maximum(values, 0)
    chosen = np.argsort(-values, kind="stable")[: relevant.sum()]
    return {
        "precision": average_precision_score(relevant, values),
        "share on noise %": 100 * positive[~relevant].sum() / max(positive.sum(), 1e-12),
        "rank": spearmanr(values[relevant], strength[relevant]).statistic,
        "score": score_of_columns(chosen),
    }


def measure(name, n_samples, seed):
    X, y, strength = TABLES[name](n_samples + N_TEST, seed)
    fit, test = slice(n_samples), slice(n_samples, None)
    known = {}

    def score_of_columns(columns):
        key = tuple(sorted(columns))
        if key not in known:
            forest = random_forest(X[fit][:, key], y[fit], 0)
            known[key] = forest.score(X[test][:, key], y[test])
        return known[key]

    for method, values, seconds in importances(X[fit], y[fit], seed):
        row = judged(values, strength, score_of_columns)
        if name not in STRENGTH_KNOWN:
            row["rank"] = np.nan
        yield {"method": method, **row, "s": seconds}


def summary(rows):
    """Means by method, and the time against that of permutation."""
    table = pd.DataFrame(rows).groupby("method", sort=False).mean()
    table["time"] = table["s"] / table["s"]["permutation"]
    return table.to_dict("index")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--n-seeds", type=int, default=5)
    parser.add_argument("--npz")
    parser.add_argument(
        "--data", nargs="+", choices=[*TABLES, "mnist"], default=list(TABLES)
    )
    args = parser.parse_args()
    TABLES["mnist"] = partial(pixels, npz=args.npz)
    BesovSmoothnessEstimator(2).fit(*friedman1(100, 0)[:2])  # compiles
    everything, figures = [], {}
    for name in args.data:
        for n_samples in args.n_samples:
            rows = [
                row
                for seed in range(100, 100 + args.n_seeds)
                for row in measure(name, n_samples, seed)
            ]
            everything += rows
            figures[f"{name}, {n_samples}"] = summary(rows)
    if "mnist" not in args.data:
        figures["all"] = summary(everything)
    setup = f"{args.n_seeds} seeds from 100 on, 100 trees unless said; 2,000 test rows"
    write_results("importances", figures, setup=setup, libraries=["shap"], append=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
