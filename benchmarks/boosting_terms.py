"""Gradient boosting in wavelets: error against the share of the terms that are kept.

    python benchmarks/boosting_terms.py [--seeds 3] [--data digits ...]

Scikit-learn's GradientBoosting and HistGradientBoosting, LightGBM and XGBoost with their
default settings (100 stages), on clean training labels and with a fifth of them wrong
(numbers: noise of one standard deviation). Test labels are clean. "own" is the library's
own prediction, "all" that of all wavelets, which are fitted by least squares on the
library's splits, and "chosen" that of the number of terms that five folds choose. What
one would do without wavelets is "stages": fewer stages, as many as five folds choose.
Times are the processor's; "s" includes the five folds.
"""

import argparse
import pickle
import time
import warnings
from importlib.util import find_spec

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, make_friedman1
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, train_test_split

from sksmooth import WaveletForestClassifier, WaveletForestRegressor
from sksmooth.datasets import corrupt_labels

STAGES = (5, 10, 20, 50, 100)
SHARES = (0.01, 0.03, 0.1, 0.3, 1.0)
DATA = {
    "digits": lambda seed: load_digits(return_X_y=True),
    "breast cancer": lambda seed: load_breast_cancer(return_X_y=True),
    "friedman1": lambda seed: make_friedman1(1500, random_state=seed),
}


def boosters(is_numbers, seed):
    """Estimators of the libraries that are installed, by name."""
    sklearn_forests = (
        (GradientBoostingRegressor, HistGradientBoostingRegressor)
        if is_numbers
        else (GradientBoostingClassifier, HistGradientBoostingClassifier)
    )
    gradient, hist = (forest(random_state=seed) for forest in sklearn_forests)
    found = {"GradientBoosting": gradient, "HistGradientBoosting": hist}
    if find_spec("lightgbm"):
        from lightgbm import LGBMClassifier, LGBMRegressor

        forest = LGBMRegressor if is_numbers else LGBMClassifier
        found["LightGBM"] = forest(n_jobs=1, verbose=-1, random_state=seed)
    if find_spec("xgboost"):
        from xgboost import XGBClassifier, XGBRegressor

        forest = XGBRegressor if is_numbers else XGBClassifier
        found["XGBoost"] = forest(n_jobs=1, random_state=seed)
    return found


def split(data, noise, seed):
    X, y = DATA[data](seed)
    is_numbers = y.dtype.kind == "f"
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=1 / 3, stratify=None if is_numbers else y, random_state=seed
    )
    if noise and is_numbers:
        rng = np.random.default_rng(seed)
        y_train = y_train + y_train.std() * rng.standard_normal(len(y_train))
    elif noise:
        y_train = corrupt_labels(y_train, 0.2, random_state=seed)
    return X_train, X_test, y_train, y_test


def error(y, predicted):
    """Share of wrong labels, or root mean squared error in units of the deviation."""
    if y.dtype.kind == "f":
        return np.sqrt(max(1 - r2_score(y, predicted), 0.0))
    return 1 - accuracy_score(y, predicted)


def measure(booster, X_train, X_test, y_train, y_test):
    is_numbers = y_test.dtype.kind == "f"
    wavelet_forest = WaveletForestRegressor if is_numbers else WaveletForestClassifier
    start = time.process_time()
    own = clone(booster).fit(X_train, y_train)
    own_seconds = time.process_time() - start
    start = time.process_time()
    kept = wavelet_forest(forest=booster, n_terms="cv").fit(X_train, y_train)
    seconds = time.process_time() - start
    number = "max_iter" if hasattr(booster, "max_iter") else "n_estimators"
    fewer = GridSearchCV(booster, {number: STAGES}, cv=5).fit(X_train, y_train)
    n_all = kept.wavelets_.n_terms
    staged = kept.staged_predict(X_test, [round(share * n_all) for share in SHARES])
    predictions = dict(zip(SHARES, staged, strict=True))
    errors = {f"{share:.0%}": error(y_test, p) for share, p in predictions.items()}
    return errors | {
        "own": error(y_test, own.predict(X_test)),
        "stages": error(y_test, fewer.predict(X_test)),
        "chosen": error(y_test, kept.predict(X_test)),
        "share": kept.n_terms_ / n_all,
        "terms": n_all,
        "own_kB": len(pickle.dumps(own)) / 1e3,
        "kB": len(pickle.dumps(kept.set_params(forest=None).compress())) / 1e3,
        "own_s": own_seconds,
        "s": seconds,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", nargs="*", choices=list(DATA), default=list(DATA))
    args = parser.parse_args()
    for library in ("lightgbm", "xgboost"):
        if not find_spec(library):
            print(f"{library} is not installed, and left out")
    columns = ("own", "stages", *(f"{share:.0%}" for share in SHARES), "chosen")
    print(
        f"{'':44s}"
        + "".join(f"{column:>8s}" for column in columns)
        + f"{'share':>8s}{'terms':>8s}{'own kB':>8s}{'kB':>8s}{'own s':>8s}{'s':>8s}"
    )
    for data in args.data:
        for noise in (False, True):
            splits = [split(data, noise, seed) for seed in range(args.seeds)]
            for name in boosters(True, 0):
                rows = []
                for seed, parts in enumerate(splits):
                    is_numbers = parts[3].dtype.kind == "f"
                    rows.append(measure(boosters(is_numbers, seed)[name], *parts))
                mean = {key: np.mean([row[key] for row in rows]) for key in rows[0]}
                print(
                    f"{data:15s}{'noisy' if noise else 'clean':8s}{name:21s}"
                    + "".join(f"{mean[column]:8.4f}" for column in columns)
                    + f"{mean['share']:8.1%}{mean['terms']:8.0f}{mean['own_kB']:8.0f}"
                    f"{mean['kB']:8.0f}{mean['own_s']:8.2f}{mean['s']:8.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
