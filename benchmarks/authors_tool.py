"""``index="elisha-dekel"`` against the tool of arXiv 1710.03263.

    python benchmarks/authors_tool.py [--curves DIR]

The tool was run with its shipped settings (5 trees, depth 9, 80 % bagging, all
features) on four of scikit-learn's data sets; DIR, if given, holds its error curves as
NAME.csv with the columns n_wavelets, mean_squared_error.

First part: mean and spread of 10 seeds of sksmooth. Second part: sksmooth on the very
rows that the tool drew (its generator is that of .NET, seeded 2 for the shuffle and
0 to 4 for the trees), which leaves only its way to break ties between equal splits.
"""

import argparse
from pathlib import Path

import numpy as np
from _results import write_results
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine
from sklearn.tree import DecisionTreeRegressor

from sksmooth import BesovSmoothnessEstimator

TOOL = {
    "digits": 0.724417506632798,
    "iris": 0.890031446276256,
    "wine": 0.875523950200955,
    "diabetes": 0.452569637778015,
}
LOADERS = {
    "digits": load_digits,
    "iris": load_iris,
    "wine": load_wine,
    "diabetes": load_diabetes,
}
LARGEST = 2**31 - 1


def net_random(seed, size):
    """First numbers of ``System.Random(seed).Next()``: Knuth's subtractive generator."""
    state, last, step = [0] * 56, 161803398 - seed, 1
    state[55] = last
    for i in range(1, 55):
        position = 21 * i % 55
        state[position] = step
        step = (last - step) % LARGEST if last < step else last - step
        last = state[position]
    for _ in range(4):
        for i in range(1, 56):
            state[i] -= state[1 + (i + 30) % 55]
            state[i] += LARGEST if state[i] < 0 else 0
    numbers, low, high = [], 0, 21
    for _ in range(size):
        low, high = low % 55 + 1, high % 55 + 1
        number = state[low] - state[high]
        number -= number == LARGEST
        number += LARGEST if number < 0 else 0
        state[low] = number
        numbers.append(number)
    return np.array(numbers)


def tool_rows(n_samples, tree):
    shuffled = np.argsort(net_random(2, n_samples), kind="stable")
    drawn = np.argsort(net_random(tree, n_samples), kind="stable")
    return shuffled[drawn[: round(0.8 * n_samples)]]


class ToolForest(BaseEstimator):
    """Five trees on the rows that the tool draws; equal cuts are tied by a seed."""

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, X, y):
        """Grow the trees."""
        # One-hot labels as the tool gets them: sums of squares are then exact.
        targets = np.eye(y.max() + 1)[y] if is_classifier(self) else y
        tree = DecisionTreeRegressor(max_depth=9, random_state=self.seed)
        self.n_features_in_ = X.shape[1]
        self.estimators_samples_ = [tool_rows(len(X), j) for j in range(5)]
        self.estimators_ = [
            clone(tree).fit(X[rows], targets[rows]) for rows in self.estimators_samples_
        ]
        return self


class ToolClassifier(ClassifierMixin, ToolForest):
    """The same for labels."""


def seeds_of_ours(name):
    """Alphas of ten seeds, with the settings that the tool ships."""
    X, y = LOADERS[name](return_X_y=True)
    options = dict(max_depth=9, index="elisha-dekel")
    return [
        BesovSmoothnessEstimator(5, random_state=seed, **options)
        .fit(X / 16 if name == "digits" else X, y)
        .alpha_
        for seed in range(10)
    ]


def fits_on_tool_rows(name):
    """Fits on the rows of the tool, for 20 ways to break ties."""
    X, y = LOADERS[name](return_X_y=True)
    kind = ToolForest if name == "diabetes" else ToolClassifier
    return [
        BesovSmoothnessEstimator(index="elisha-dekel", forest=kind(seed)).fit(X, y)
        for seed in range(20)
    ]


def mean_off(fits, file):
    """Mean relative distance of our mean error curve from that of the tool, in per cent."""
    reference = np.loadtxt(file, delimiter=",")[:, 1]
    curves = [fit.decay_.errors for fit in fits]
    shared = min(len(reference), *(len(curve) for curve in curves))
    mean = np.mean([curve[:shared] for curve in curves], axis=0)
    return 100 * np.mean(np.abs(mean / reference[:shared] - 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=Path)
    args = parser.parse_args()
    table = {}
    for name, tool in TOOL.items():
        alphas = seeds_of_ours(name)
        fits = fits_on_tool_rows(name)
        on_rows = np.mean([fit.alpha_ for fit in fits])
        table[name] = {
            "tool": tool,
            "sksmooth": np.mean(alphas),
            "sd": np.std(alphas),
            "difference %": 100 * (np.mean(alphas) / tool - 1),
            "on its rows": on_rows,
            "on its rows: difference %": 100 * (on_rows / tool - 1),
        }
        if args.curves:
            table[name]["curves: difference %"] = mean_off(
                fits, args.curves / f"{name}.csv"
            )
    setup = (
        "5 trees of depth 9 on 80 % of the rows, all features; 10 seeds, 20 ways of ties"
    )
    write_results("authors_tool", {"alpha": table}, setup=setup)


if __name__ == "__main__":
    main()
