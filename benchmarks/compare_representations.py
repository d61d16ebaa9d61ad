"""How often ``smoothness_difference`` calls representations different that are not.

    python benchmarks/compare_representations.py [--repetitions 100] [--jobs 2]

Every row is a simulation: data sets of one kind in two representations, the share of
p-values below 0.05, and that of a naive test beside it, which compares the difference
with the spread over trees of both fits alone. In the first group the two indices are
equal, by symmetry or because the function is the same; in the second they are not.
"""

import argparse
import warnings

import numpy as np
from _results import write_results
from joblib import Parallel, delayed
from scipy import stats

from sksmooth import BesovSmoothnessEstimator, smoothness_difference
from sksmooth.datasets import make_known_smoothness


def noise_columns(n, rng, seed):
    X, y, _ = make_known_smoothness("smooth", n, random_state=seed)
    return *(np.hstack([X, rng.uniform(size=(n, 4))]) for _ in "ab"), y


def equal_blur(n, rng, seed):
    X, y, _ = make_known_smoothness("jump", n, random_state=seed)
    return *(X + 0.05 * rng.standard_normal(X.shape) for _ in "ab"), y


def shuffled_labels(n, rng, seed):
    return *(rng.uniform(size=(n, 3)) for _ in "ab"), rng.randint(3, size=n)


def more_columns(n, rng, seed):
    X, y, _ = make_known_smoothness("smooth", n, random_state=seed)
    return X, np.hstack([X, rng.uniform(size=(n, 4))]), y


def rotated(n, rng, seed):
    X, y, _ = make_known_smoothness("jump", n, random_state=seed)
    return X, X @ np.linalg.qr(rng.standard_normal((2, 2)))[0], y


def blurred_or_not(n, rng, seed):
    X, y, _ = make_known_smoothness("jump", n, random_state=seed)
    return X + 0.05 * rng.standard_normal(X.shape), X, y


def more_or_less_blurred(n, rng, seed):
    X, y, _ = make_known_smoothness("jump", n, n_relevant=3, random_state=seed)
    return *(X + width * rng.standard_normal(X.shape) for width in (0.05, 0.03)), y


EQUAL = {
    "different noise columns": noise_columns,
    "different noise on the features": equal_blur,
    "random labels": shuffled_labels,
    "with and without noise columns": more_columns,
    "rotated": rotated,
}
DIFFERENT = {
    "blurred by 5 %, or not": blurred_or_not,
    "blurred by 5 % or by 3 %": more_or_less_blurred,
}


def naive_p_value(X_a, X_b, y, seed):
    """From two separate fits, and the jackknife over trees of each."""
    indices, variances = [], []
    for X in (X_a, X_b):
        fitted = BesovSmoothnessEstimator(random_state=seed).fit(X, y)
        trees = fitted.decay_.replicates.trees
        indices.append(fitted.alpha_)
        variances.append((len(trees) - 1) * np.var(trees))
    z = (indices[1] - indices[0]) / np.sqrt(sum(variances))
    return 2 * stats.norm.sf(abs(z))


def one(case, n_samples, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X_a, X_b, y = case(n_samples, np.random.RandomState(1000 + seed), seed)
        result = smoothness_difference(
            X_a, X_b, y, estimator=BesovSmoothnessEstimator(random_state=seed)
        )
        return result.difference, result.p_value, naive_p_value(X_a, X_b, y, seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    figures = {}
    for title, cases in (("equal indices", EQUAL), ("different indices", DIFFERENT)):
        table = figures[title] = {}
        for name, case in cases.items():
            for n_samples in (1000, 3000):
                rows = Parallel(args.jobs)(
                    delayed(one)(case, n_samples, seed) for seed in range(args.repetitions)
                )
                differences, p_values, naive = np.transpose(rows)
                table[f"{name}, {n_samples}"] = {
                    "mean difference": differences.mean(),
                    "sd": differences.std(),
                    "p < 0.05, %": 100 * (p_values < 0.05).mean(),
                    "naive p < 0.05, %": 100 * (naive < 0.05).mean(),
                }
        table["all"] = {
            f"{which.__name__}, {column}": which(row[column] for row in table.values())
            for column in ("p < 0.05, %", "naive p < 0.05, %")
            for which in (min, max)
        }
    setup = f"{args.repetitions} repetitions a row; 1,000 and 3,000 samples"
    write_results("compare_representations", figures, setup=setup)


if __name__ == "__main__":
    main()
