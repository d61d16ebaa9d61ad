"""Forests that predict by their most significant wavelets against other forests.

    python benchmarks/wavelet_forests.py [--data digits wine ...] [--npz FILE]
                                         [--seeds 5] [--results FILE.csv]

Up to 40 % of the training labels are wrong (numbers carry noise), and columns of pure
noise are added; test labels stay clean. All forests have 100 trees. The size of leaves and
the pruning of the others are chosen like our number of wavelets, out of the bag. Times are
the processor's, which do not count what runs beside.

FILE holds ``train_image`` and ``train_label``; without it MNIST comes from OpenML, of
which 10,000 images are learnt from and 10,000 tested on. Results are appended to FILE.csv,
and what is there already is not run again, so that a long run may be made in parts; the
tables cover the whole file.
"""

import argparse
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from choose_features_mnist import load_images
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
    make_friedman1,
    make_friedman2,
)
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split

from sksmooth import WaveletForestClassifier, WaveletForestRegressor
from sksmooth.datasets import corrupt_labels, make_known_smoothness

N_SAMPLES = 1500  # of generated data, two thirds to learn from
PRUNING = (0.0, 3e-4, 1e-3, 3e-3, 1e-2)  # in units of the variance of the targets
LEAVES = (1, 3, 10, 30)
WRONG_LABELS = (0.0, 0.2, 0.4)
DEVIATIONS = (0.0, 1.0, 2.0)  # of the noise in numbers, in units of their own
TESTED, REFERENCES = "wavelets, M chosen", ("random forest", "forest, leaf size chosen")


def make_table(seed):
    return make_classification(
        N_SAMPLES,
        n_features=20,
        n_informative=8,
        n_redundant=4,
        n_classes=3,
        class_sep=1.5,
        flip_y=0.0,
        random_state=seed,
    )


def make_jump(seed):
    return make_known_smoothness(
        "jump", N_SAMPLES, n_relevant=3, n_irrelevant=3, n_classes=3, random_state=seed
    )[:2]


CLASSES = {
    "digits": lambda seed: load_digits(return_X_y=True),
    "breast cancer": lambda seed: load_breast_cancer(return_X_y=True),
    "wine": lambda seed: load_wine(return_X_y=True),
    "iris": lambda seed: load_iris(return_X_y=True),
    "table": make_table,
    "jump": make_jump,
}
NUMBERS = {
    "diabetes": lambda seed: load_diabetes(return_X_y=True),
    "friedman1": lambda seed: make_friedman1(N_SAMPLES, random_state=seed),
    "friedman2": lambda seed: make_friedman2(N_SAMPLES, random_state=seed),
}


def settings(data):
    """Amount of noise in the labels, and columns of noise for every column."""
    clean, some, much = DEVIATIONS if data in NUMBERS else WRONG_LABELS
    in_labels = [(clean, 0), (some, 0), (much, 0)]
    return in_labels if data == "mnist" else [*in_labels, (some, 1), (some, 5)]


def split(data, seed, noise, n_columns, images):
    is_numbers = data in NUMBERS
    X, y = images if data == "mnist" else (NUMBERS | CLASSES)[data](seed)
    sizes = {"train_size": 10_000, "test_size": 10_000} if data == "mnist" else {}
    X_train, X_test, y_train, y_test = train_test_split(
        X,
        y,
        **(sizes or {"test_size": 1 / 3}),
        stratify=None if is_numbers else y,
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    if is_numbers:
        y_train = y_train + noise * y.std() * rng.standard_normal(len(y_train))
    else:
        y_train = corrupt_labels(y_train, noise, random_state=seed)
    X_train, X_test = (with_noise(part, n_columns, rng) for part in (X_train, X_test))
    return X_train, X_test, y_train, y_test


def with_noise(X, n_columns, rng):
    noise = rng.standard_normal((len(X), n_columns * X.shape[1]))
    return np.hstack([X, noise.astype(X.dtype)])


class BestOutOfBag:
    """The candidate with the best score out of the bag."""

    def __init__(self, candidates):
        self.candidates = candidates

    def fit(self, X, y):
        """The best one, fitted."""
        fitted = [clone(candidate).fit(X, y) for candidate in self.candidates]
        return max(fitted, key=lambda forest: forest.oob_score_)


def models(is_numbers, variance, seed):
    if is_numbers:
        forest = RandomForestRegressor(random_state=seed)
        extra = ExtraTreesRegressor(random_state=seed)
        boosting = HistGradientBoostingRegressor(random_state=seed)
        ours = WaveletForestRegressor(random_state=seed)
    else:
        forest = RandomForestClassifier(random_state=seed)
        extra = ExtraTreesClassifier(random_state=seed)
        boosting = HistGradientBoostingClassifier(random_state=seed)
        ours = WaveletForestClassifier(random_state=seed)
    scored = clone(forest).set_params(oob_score=True)
    return {
        "random forest": forest,
        "extra trees": extra,
        "forest, pruning chosen": BestOutOfBag(
            [clone(scored).set_params(ccp_alpha=alpha * variance) for alpha in PRUNING]
        ),
        "forest, leaf size chosen": BestOutOfBag(
            [clone(scored).set_params(min_samples_leaf=least) for least in LEAVES]
        ),
        "hist boosting": boosting,
        "wavelets, all": clone(ours).set_params(n_terms=None),
        TESTED: ours,
    }


def measure(model, X_train, X_test, y_train, y_test, is_numbers):
    start = time.process_time()
    fitted = model.fit(X_train, y_train)
    fit_seconds = time.process_time() - start
    is_ours = hasattr(fitted, "wavelets_")
    kept = fitted.n_terms_ / fitted.wavelets_.n_terms if is_ours else np.nan
    if is_ours:
        fitted = fitted.compress()
    start = time.process_time()
    predicted = fitted.predict(X_test)
    predict_seconds = time.process_time() - start
    if is_numbers:
        error = np.sqrt(max(1 - r2_score(y_test, predicted), 0.0))
    else:
        error = 1 - accuracy_score(y_test, predicted)
    return {
        "error": error,
        "kept": kept,
        "bytes": len(pickle.dumps(fitted)),
        "compressed_bytes": fitted.compressed_size_ if is_ours else np.nan,
        "fit_s": fit_seconds,
        "predict_s": predict_seconds,
        "test_share": len(y_test) / len(y_train),
    }


def compile_kernels():
    X, y = load_iris(return_X_y=True)
    WaveletForestClassifier(2).fit(X, y).compress().predict(X)
    WaveletForestRegressor(2).fit(X, y).compress().predict(X)


KEYS = ["data", "noise", "columns", "seed", "model"]


def run(data, seeds, images, results):
    """Measure what is not in the file of results yet."""
    done = set()
    if results.exists():
        done = set(map(tuple, pd.read_csv(results)[KEYS].to_numpy().tolist()))
    is_numbers = data in NUMBERS
    for noise, n_columns in settings(data):
        for seed in range(seeds):
            parts = split(data, seed, noise, n_columns, images)
            variance = parts[2].var() if is_numbers else 1.0
            for name, model in models(is_numbers, variance, seed).items():
                key = (data, noise, n_columns, seed, name)
                if key in done:
                    continue
                row = dict(zip(KEYS, key, strict=True))
                row |= measure(model, *parts, is_numbers)
                pd.DataFrame([row]).to_csv(
                    results, mode="a", header=not results.exists(), index=False
                )


def verdicts(table, reference):
    """Wins (+1), ties (0) and losses (-1) of ours by a corrected resampled t-test.

    The splits of one data set share samples, so the variance of the mean difference is
    ``(1 / n + n_test / n_train)`` times that of a difference (Nadeau and Bengio, Machine
    Learning 52, 2003). The level is 5 %, two-sided.
    """
    outcomes = {}
    for setting, part in table.groupby(KEYS[:3]):
        errors = part.pivot(index="seed", columns="model", values="error")
        difference = errors[reference] - errors[TESTED]
        n = len(difference)
        factor = 1 / n + part["test_share"].iloc[0]
        deviation = np.sqrt(factor * difference.var()) if n > 1 else np.inf
        quantile = student.ppf(0.975, n - 1) if n > 1 else np.inf
        mean = difference.mean()
        outcomes[setting] = int(np.sign(mean)) if abs(mean) > quantile * deviation else 0
    return pd.Series(outcomes)


def print_details(table):
    for (data, noise, n_columns), part in table.groupby(KEYS[:3]):
        kind = "deviations of noise" if data in NUMBERS else "wrong labels"
        print(f"\n{data}: {noise:g} {kind}, {n_columns} noise columns a column")
        print(
            f"  {'':26s}{'error':>8s}{'kept':>8s}{'pickle kB':>11s}{'arrays kB':>11s}"
            f"{'fit s':>8s}{'predict ms':>12s}"
        )
        for name, rows in part.groupby("model", sort=False):
            mean = rows.mean(numeric_only=True)
            print(
                f"  {name:26s}{mean.error:8.4f}{mean.kept:8.1%}{mean.bytes / 1e3:11.0f}"
                f"{mean.compressed_bytes / 1e3:11.0f}{mean.fit_s:8.2f}"
                f"{1e3 * mean.predict_s:12.1f}"
            )


def print_summary(table):
    means = table.groupby([*KEYS[:3], "model"])["error"].mean().unstack()
    others = [name for name in means.columns if name != TESTED]
    levels = {
        "all settings": np.ones(len(means), dtype=bool),
        "clean": means.index.get_level_values("noise") == 0,
        "noise in y": means.index.get_level_values("noise") > 0,
        "noise in X too": means.index.get_level_values("columns") > 0,
    }
    print(f"\n{TESTED}: wins / ties / losses (lower mean error in, of) against")
    print(f"{'':26s}" + "".join(f"{level:>24s}" for level in levels))
    for name in others:
        verdict = verdicts(table, name).reindex(means.index)
        cells = []
        for mask in levels.values():
            counts = [int((verdict[mask] == sign).sum()) for sign in (1, 0, -1)]
            lower = int((means[TESTED] < means[name])[mask].sum())
            cells.append("{} / {} / {} ({}, {})".format(*counts, lower, int(mask.sum())))
        print(f"{name:26s}" + "".join(f"{cell:>24s}" for cell in cells))
    print("\nmean rank by error (1 is best), and geometric means relative to random forest")
    ranks = means.rank(axis=1)
    relative = {
        column: table.groupby([*KEYS[:3], "model"])[column].mean().unstack()
        for column in ("bytes", "fit_s", "predict_s")
    }
    print(
        f"{'':26s}"
        + "".join(f"{level:>16s}" for level in levels)
        + "".join(f"{name:>10s}" for name in ("size", "fit", "predict"))
    )
    for name in ranks.columns:
        cells = [f"{ranks[name][mask].mean():16.2f}" for mask in levels.values()]
        for values in relative.values():
            ratio = np.exp(np.log(values[name] / values["random forest"]).mean())
            cells.append(f"{ratio:10.2f}")
        print(f"{name:26s}" + "".join(cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    everything = [*CLASSES, *NUMBERS, "mnist"]
    parser.add_argument("--data", nargs="*", choices=everything, default=everything)
    parser.add_argument("--npz")
    parser.add_argument("--seeds", type=int, default=5, help="2 at most for MNIST")
    parser.add_argument("--results", type=Path, default=Path("wavelet_forests.csv"))
    args = parser.parse_args()
    compile_kernels()
    for data in args.data:
        images = None
        if data == "mnist":
            X, y = load_images(args.npz)
            images = X, y.astype(int)
        seeds = min(args.seeds, 2) if data == "mnist" else args.seeds
        run(data, seeds, images, args.results)
        print(f"{data}: done", flush=True)
    table = pd.read_csv(args.results)
    print_details(table)
    print_summary(table)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
