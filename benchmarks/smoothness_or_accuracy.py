"""Which of two feature sets? Decisions by smoothness and by cross-validated accuracy.

    python benchmarks/smoothness_or_accuracy.py [--jobs 2] [--rounds 40] [--minutes 60]

Small samples are drawn again and again from real tables. Which of two feature sets is the
better one is known from all rows: it is the one on which random forests are more often
right, in five folds three times over. So the right answer is defined by accuracy, not by
smoothness. Pairs whose accuracies on all rows differ by less than half a point have no
right answer and are left out. The pairs were written down before any of them was run.

Each way gives a p-value and a sign for every sample. A decision is right if the sign is and
the p-value lies below a threshold: 0.05, or the value below which the p-values of equal
pairs (the same features with noise of the same width, drawn twice) lie in 5 % of the draws
of this size. ``right sign`` is how often the sign alone is right, for those who have to
decide without a test; ties count half.

The ways: ``smoothness_difference`` (the level, its ``p_value``); the corrected t-test of
the accuracy in twice five folds (Nadeau and Bengio, 2003) of forests of as many trees;
McNemar's test of out-of-bag predictions; and the out-of-bag squared error of a random
forest, with the same variance as ``smoothness_difference`` has.

A round draws every pair once and every equal pair twice, at every size; ``--minutes`` ends
after the round that is then running.
"""

import argparse
import time
import warnings

import _rival_tests as rivals
import numpy as np
from _feature_sets import tables
from _results import write_results
from compare_representations import compare_levels
from joblib import Parallel, delayed
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import RepeatedStratifiedKFold, cross_validate

FIRST_SEED = 930_000
TREES = 50
SIZES = (100, 150, 200, 300, 400)
LEVEL = 0.05
LEAST_DIFFERENCE = 0.5  # points of accuracy on all rows
WAYS = {
    "smoothness": "smoothness_difference",
    "accuracy": "cross-validated accuracy, corrected t-test",
    "McNemar": "McNemar, out of bag",
    "squared error": "squared error of a random forest, out of bag",
}


PAIRS = (
    ("digits", "left half", "pixels"),
    ("digits", "blocks", "pixels"),
    ("digits", "rows and columns", "pixels"),
    ("digits", "black and white", "pixels"),
    ("digits", "10 components", "20 components"),
    ("digits", "noise of 4", "noise of 3"),
    ("breast cancer", "mean", "worst"),
    ("breast cancer", "mean", "all"),
)
# Noise drawn twice, in standard deviations of each column.
EQUAL = (
    ("digits", "pixels", 0.7),
    ("digits", "blocks", 0.7),
    ("breast cancer", "all", 0.5),
)


def forest(seed=0):
    return RandomForestClassifier(TREES, max_features="sqrt", random_state=seed)


def accuracies(X, y, n_repeats, seed):
    """Accuracies in stratified folds, five a repetition."""
    return in_folds(X, y, n_repeats, seed, ["accuracy"])["test_accuracy"]


def in_folds(X, y, n_repeats, seed, scoring):
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=n_repeats, random_state=seed)
    return cross_validate(forest(seed), X, y, cv=folds, scoring=scoring)


def of_accuracy(X_a, X_b, y, seed):
    """P-value of the corrected t-test, and the difference."""
    differences = accuracies(X_b, y, 2, seed) - accuracies(X_a, y, 2, seed)
    mean, variance, n_splits = differences.mean(), differences.var(ddof=1), 10
    if mean == 0:
        return 1.0, 0.0
    scale = np.sqrt((1 / n_splits + 1 / 4) * max(variance, 1e-300))
    return 2 * stats.t.sf(abs(mean) / scale, n_splits - 1), mean


def of_smoothness(X_a, X_b, y, seed):
    found = compare_levels(X_a, X_b, y, seed)
    return found.p_value, found.difference


def of_forests(X_a, X_b, y, seed):
    """McNemar's test and that of squared errors, both of the same forests."""
    both = [rivals.OutOfBag(X, y, seed) for X in (X_a, X_b)]
    p_values = rivals.tests_of_forests(*both)
    first, second = both
    mistakes = first.mistakes().sum() - second.mistakes().sum()
    squares = first.losses().mean() - second.losses().mean()
    return {
        "McNemar": (p_values["McNemar"], mistakes),
        "squared error": (p_values["forest, with trees"], squares),
    }


def rows_of(data, n_samples, rng):
    """Rows without replacement, of which every class has at least five."""
    _, y = tables()[data]
    while True:
        rows = rng.permutation(len(y))[:n_samples]
        if np.unique(y[rows], return_counts=True)[1].min() >= 5:
            return rows


def draw(pair, n_samples, seed):
    """A sample of a pair of feature sets, or of equal ones."""
    data, first, second = pair
    rng = np.random.RandomState(seed)
    features, y = tables()[data]
    rows = rows_of(data, n_samples, rng)
    if isinstance(second, str):
        return features[first][rows], features[second][rows], y[rows]
    width = second * features[first].std(axis=0)
    X = features[first][rows]
    return *(X + width * rng.standard_normal(X.shape) for _ in "ab"), y[rows]


def one_draw(pair, n_samples, seed):
    """P-value and signed difference of every way, and the seconds of the first two."""
    sample, found, seconds = draw(pair, n_samples, seed), {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for way, test in {"smoothness": of_smoothness, "accuracy": of_accuracy}.items():
            start = time.process_time()
            found[way] = test(*sample, seed)
            seconds[way] = time.process_time() - start
        found |= of_forests(*sample, seed)
    return pair, n_samples, found, seconds


def truths():
    """Errors of all rows, and the sign of the lead in accuracy; zero where it is small."""
    rows, signs = {}, {}
    for data, first, second in PAIRS:
        features, y = tables()[data]
        a, b = (
            in_folds(features[name], y, 3, 0, ["accuracy", "neg_brier_score"])
            for name in (first, second)
        )
        accuracy = [100 * found["test_accuracy"].mean() for found in (a, b)]
        gap = accuracy[1] - accuracy[0]
        rows[title((data, first, second))] = {
            "first %": accuracy[0],
            "second %": accuracy[1],
            "difference, points": gap,
            "first, Brier": -a["test_neg_brier_score"].mean(),
            "second, Brier": -b["test_neg_brier_score"].mean(),
        }
        is_known = abs(gap) >= LEAST_DIFFERENCE
        signs[data, first, second] = np.sign(gap) if is_known else 0
    return rows, signs


def title(pair):
    data, first, second = pair
    return f"{data}: {first} or {second}"


def values(results, way, pairs, n_samples):
    """P-values, differences and pairs of a way."""
    return [
        (*result[way], pair)
        for pair, n, result, _ in results
        if n == n_samples and pair in pairs
    ]


def shares(results, way, signs, n_samples):
    """Right and wrong decisions of all pairs, and what it calls different of equal ones."""
    pairs = [pair for pair, sign in signs.items() if sign]
    null = np.array([p for p, _, _ in values(results, way, EQUAL, n_samples)])
    found = values(results, way, pairs, n_samples)
    p_values = np.array([p for p, _, _ in found])
    is_right = np.array([np.sign(d) == signs[pair] for _, d, pair in found])
    is_tied = np.array([d == 0 for _, d, _ in found])
    is_wrong = ~is_right & ~is_tied
    threshold = np.quantile(null, LEVEL)
    return {
        "draws": len(found),
        "equal pairs": len(null),
        "equal pairs called different %": 100 * np.mean(null < LEVEL),
        "right %": 100 * np.mean(is_right & (p_values < LEVEL)),
        "wrong %": 100 * np.mean(is_wrong & (p_values < LEVEL)),
        "threshold at equal level": threshold,
        "right at equal level %": 100 * np.mean(is_right & (p_values < threshold)),
        "wrong at equal level %": 100 * np.mean(is_wrong & (p_values < threshold)),
        "right sign %": 100 * np.mean(is_right + 0.5 * is_tied),
    }


def by_pair(results, signs, n_samples):
    """Right decisions pair by pair, at equal level."""
    rows = {}
    for pair, sign in signs.items():
        if not sign or not values(results, "smoothness", [pair], n_samples):
            continue
        row = {}
        for way in WAYS:
            null = [p for p, _, _ in values(results, way, EQUAL, n_samples)]
            threshold = np.quantile(null, LEVEL)
            own = values(results, way, [pair], n_samples)
            right = [np.sign(d) == sign and p < threshold for p, d, _ in own]
            row[f"{way} %"] = 100 * np.mean(right)
        rows[title(pair)] = row
    return rows


def median_seconds(results):
    return {
        f"{n:,} samples": {
            f"{way}, s": np.median([s[way] for _, size, _, s in results if size == n])
            for way in ("smoothness", "accuracy")
        }
        for n in SIZES
    }


def rounds(args):
    """Results, round by round, until all are drawn or the time is up."""
    start = time.perf_counter()
    with Parallel(args.jobs) as parallel:
        for i in range(args.rounds):
            tasks = [
                (pair, n, FIRST_SEED + 1000 * k + 2 * i + again)
                for n in SIZES
                for k, pair in enumerate((*PAIRS, *EQUAL))
                for again in range(2 if pair in EQUAL else 1)
            ]
            yield parallel(delayed(one_draw)(*task) for task in tasks)
            spent = (time.perf_counter() - start) / 60
            print(f"round {i + 1} of {args.rounds}, {spent:.0f} min", flush=True)
            if spent > args.minutes:
                return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=60)
    args = parser.parse_args()
    drawn = list(rounds(args))
    truth, signs = truths()
    results = [result for found in drawn for result in found]
    figures = {"truth": truth}
    for n in SIZES:
        figures[f"{n:,} samples"] = {way: shares(results, way, signs, n) for way in WAYS}
    for n in SIZES:
        figures[f"by pair, {n:,} samples"] = by_pair(results, signs, n)
    figures["seconds"] = median_seconds(results)
    setup = (
        f"{len(drawn)} rounds of {', '.join(map(str, SIZES))} samples; forests of {TREES} "
        f"trees; ways: {'; '.join(f'{key} = {name}' for key, name in WAYS.items())}"
    )
    write_results("smoothness_or_accuracy", figures, setup=setup)


if __name__ == "__main__":
    main()
