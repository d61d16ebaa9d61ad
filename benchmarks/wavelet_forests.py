"""Forests that predict by their most significant wavelets against other forests.

    python benchmarks/wavelet_forests.py [--data digits wine ...] [--npz FILE]
                                         [--seeds 5] [--results FILE.csv]

Up to 40 % of the training labels are wrong (regression targets are noisy), and columns of
pure noise are added; test labels stay clean. All forests have 100 trees. The leaf size and
the pruning of the others are chosen out-of-bag, like our number of wavelets. Times are
processor times, which do not count other processes.

FILE holds ``train_image`` and ``train_label``; without it MNIST comes from OpenML, of which
10,000 images are for training and 10,000 for testing. Results are appended to FILE.csv, and
fits that it holds are not repeated, so that a long run can be split; the tables cover the
whole file.
"""

import argparse
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _data import load_images
from _results import write_results
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
TESTED = "wavelets, M chosen"


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
        """Give the best one, fitted."""
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


def errors_of(table):
    """Errors of all models by setting, what is kept, and the size of the pickle."""
    rows = {}
    for (data, noise, n_columns), part in table.groupby(KEYS[:3], sort=False):
        amount = f"{noise:g} sd" if data in NUMBERS else f"{100 * noise:g} %"
        columns = f", {n_columns} x noise columns" if n_columns else ""
        means = part.groupby("model", sort=False).mean(numeric_only=True)
        size = means["bytes"] / means.loc["random forest", "bytes"]
        rows[f"{data}, {amount}{columns}"] = means["error"].to_dict() | {
            "kept %": 100 * means.loc[TESTED, "kept"],
            "pickle": size[TESTED],
        }
    return rows


def summarised(table):
    """Verdicts against every other model; mean ranks, and geometric means of the costs."""
    errors = table.groupby([*KEYS[:3], "model"])["error"].mean().unstack()
    noise = errors.index.get_level_values("noise")
    levels = {"all": noise >= 0, "clean": noise == 0, "noise": noise > 0}
    ranks = errors.rank(axis=1)
    against, models = {}, {}
    for name in errors.columns:
        models[name] = {
            f"rank, {level}": ranks[name][inside].mean() for level, inside in levels.items()
        }
        if name == TESTED:
            continue
        verdict = verdicts(table, name).reindex(errors.index)
        lower = errors[TESTED] < errors[name]
        row = against[name] = {}
        for level, inside in levels.items():
            for outcome, sign in (("wins", 1), ("ties", 0), ("losses", -1)):
                row[f"{level}: {outcome}"] = int((verdict[inside] == sign).sum())
            row[f"{level}: lower"] = int(lower[inside].sum())
    for column, title in (("bytes", "pickle"), ("fit_s", "fit"), ("predict_s", "predict")):
        means = table.groupby([*KEYS[:3], "model"])[column].mean().unstack()
        for name in means.columns:
            ratio = np.exp(np.log(means[name] / means["random forest"]).mean())
            models[name][title] = ratio
    return {"verdicts": against, "models": models}


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
        images = load_images(args.npz) if data == "mnist" else None
        seeds = min(args.seeds, 2) if data == "mnist" else args.seeds
        run(data, seeds, images, args.results)
        print(f"{data}: done", flush=True)
    table = pd.read_csv(args.results)
    figures = summarised(table) | {"errors": errors_of(table)}
    setup = "100 trees, 5 seeds (MNIST, 10,000 images: 1 or 2), paired t-tests at 5 %"
    write_results("wavelet_forests", figures, setup=setup)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
