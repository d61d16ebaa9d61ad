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
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine
from sklearn.tree import DecisionTreeRegressor
from sksmooth.forests import Forest, column_ranges
from sksmooth.forests.read import read_tree
from sksmooth.targets import encode_targets

from sksmooth import BesovSmoothnessEstimator, decay, wavelets

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


def curve_on_tool_rows(X, y, tie_seed):
    """Numbers of terms and mean squared errors of the tool's procedure on its rows."""
    targets, _ = encode_targets(y)
    bags = np.zeros((5, len(y)))
    trees = []
    for j, bag in enumerate(bags):
        bag[tool_rows(len(y), j)] = 1
        tree = DecisionTreeRegressor(max_depth=9, random_state=tie_seed)
        # One-hot labels as the tool gets them: sums of squares are then exact.
        grown_on = targets.values if targets.codes is None else np.eye(y.max() + 1)[y]
        trees.append(read_tree(tree.fit(X, grown_on, sample_weight=bag).tree_))
    forest = Forest(tuple(trees), X.shape[1])
    leaves = forest.apply(X)
    decomposition = wavelets.decompose(
        forest, leaves, targets.values, bags, measure="volume", ranges=column_ranges(X)
    )
    everything = np.arange(5)
    n_terms = decay.elisha_dekel_terms(len(decomposition.parent), 5)
    errors = wavelets.squared_errors_with_ranked_roots(
        decomposition, leaves, targets, np.ones(len(y)), n_terms, everything
    )
    return n_terms, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=Path)
    args = parser.parse_args()

    print("data set      tool   sksmooth  (sd of seeds)   rel.diff   within 15 %")
    for name, tool in TOOL.items():
        X, y = LOADERS[name](return_X_y=True)
        alphas = [
            BesovSmoothnessEstimator(
                5, max_depth=9, index="elisha-dekel", random_state=seed
            )
            .fit(X / 16 if name == "digits" else X, y)
            .alpha_
            for seed in range(10)
        ]
        relative = np.mean(alphas) / tool - 1
        print(
            f"{name:10s}{tool:8.3f}{np.mean(alphas):11.3f}{np.std(alphas):12.3f}"
            f"{relative:16.1%}{'yes' if abs(relative) <= 0.15 else 'no':>14s}"
        )

    print("\non the tool's own rows, over 20 ways to break ties:")
    print("data set      tool   sksmooth       (sd)   rel.diff   mean |curve ratio - 1|")
    for name, tool in TOOL.items():
        X, y = LOADERS[name](return_X_y=True)
        curves = [curve_on_tool_rows(X, y, seed) for seed in range(20)]
        alphas = [-decay.fit_power_law(*curve).slope for curve in curves]
        off = np.nan
        if args.curves:
            reference = np.loadtxt(args.curves / f"{name}.csv", delimiter=",")
            shared = min(len(reference), *(len(errors) for _, errors in curves))
            mean = np.mean([errors[:shared] for _, errors in curves], axis=0)
            off = np.mean(np.abs(mean / reference[:shared, 1] - 1))
        print(
            f"{name:10s}{tool:8.3f}{np.mean(alphas):11.3f}{np.std(alphas):11.3f}"
            f"{np.mean(alphas) / tool - 1:11.1%}{off:25.1%}"
        )


if __name__ == "__main__":
    main()
