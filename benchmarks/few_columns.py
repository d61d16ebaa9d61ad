"""Cost and worth of a comparison of 18 choices of few columns, beside nearest neighbours.

    python benchmarks/few_columns.py [--parts cost workers worth] [--repeats 3]

Every data set is a table of which 18 choices of two to ten columns are drawn. They are
judged by ``compare_representations``, and by the accuracy (R2 for regression) of 5 nearest
neighbours in five folds, with and without scaled columns.

- ``cost``: seconds of the processor on one core, medians of runs in turns.
- ``workers``: seconds of the clock with one and two workers.
- ``worth``: Spearman correlations over the choices with the mean accuracy of five models
  (forest, boosting, linear, SVM, neighbours) in three folds, of the level by which
  representations are compared, read from fewer and more randomised trees, and of the
  accuracy of neighbours.
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
from _data import in_turns, seconds_of
from _results import write_results
from scipy.stats import spearmanr
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_wine,
    make_classification,
    make_friedman1,
)
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

from sksmooth import BesovSmoothnessEstimator, compare_representations
from sksmooth.estimators.base import growth_of
from sksmooth.index import randomised_error
from sksmooth.samples import read_samples
from sksmooth.trees import randomised

N_CHOICES, MOST_COLUMNS = 18, 10
TREES = (10, 20, 30, 50, 100)


def table(n_samples):
    return make_classification(
        n_samples, 20, n_informative=8, n_classes=3, flip_y=0.05, random_state=0
    )


def components_of_digits():
    X, y = load_digits(return_X_y=True)
    return PCA(16, random_state=0).fit_transform(X), y


DATA = {
    "wine, 178 rows": partial(load_wine, return_X_y=True),
    "breast cancer, 569 rows": partial(load_breast_cancer, return_X_y=True),
    "digits, 1,797 rows": components_of_digits,
    "friedman, 2,000 rows": partial(make_friedman1, 2000, noise=1.0, random_state=0),
    "table, 2,000 rows": partial(table, 2000),
    "table, 5,000 rows": partial(table, 5000),
}
LARGE = "table, 5,000 rows"  # whose models take too long
SMALL = ("breast cancer, 569 rows", "digits, 1,797 rows", "table, 2,000 rows")


def choices_of(X):
    """Draw choices of two to ten columns, by their names."""
    rng = np.random.RandomState(0)
    drawn = {}
    for i in range(N_CHOICES):
        n_columns = rng.randint(2, min(MOST_COLUMNS, X.shape[1]) + 1)
        columns = np.sort(rng.choice(X.shape[1], n_columns, replace=False))
        drawn[f"choice {i}"] = np.ascontiguousarray(X[:, columns])
    return drawn


def is_numbers(y):
    return y.dtype.kind == "f"


def accuracies(model, choices, y, n_folds=5):
    """Accuracy, or R2, in folds."""
    kind = KFold if is_numbers(y) else StratifiedKFold
    folds = kind(n_folds, shuffle=True, random_state=0)
    return [cross_val_score(model, X, y, cv=folds).mean() for X in choices.values()]


def neighbours(y):
    return KNeighborsRegressor(5) if is_numbers(y) else KNeighborsClassifier(5)


def compare(choices, y, n_jobs=None):
    return compare_representations(choices, y=y, random_state=0, n_jobs=n_jobs)


def cost(args):
    """Seconds of all choices."""
    rows = {}
    for name, load in DATA.items():
        X, y = load()
        choices = choices_of(X)
        scaled = make_pipeline(StandardScaler(), neighbours(y))
        seconds = in_turns(
            {
                "compare s": partial(compare, choices, y),
                "5-NN s": partial(accuracies, neighbours(y), choices, y),
                "5-NN scaled s": partial(accuracies, scaled, choices, y),
            },
            args.repeats,
            time.process_time,
        )
        rows[name] = seconds | {
            "compare / 5-NN": seconds["compare s"] / seconds["5-NN s"],
            "compare / 5-NN scaled": seconds["compare s"] / seconds["5-NN scaled s"],
        }
    return {"cost": rows}


def workers(args):
    """Seconds of the clock."""
    rows = {}
    for name in SMALL:
        X, y = DATA[name]()
        choices = choices_of(X)
        rows[name] = in_turns(
            {f"{n} s": partial(compare, choices, y, n_jobs=n) for n in (1, 2)}, args.repeats
        )
    return {"workers": rows}


def models(y):
    """Five models, scaled where it matters."""
    if is_numbers(y):
        return [
            RandomForestRegressor(50, random_state=0),
            HistGradientBoostingRegressor(max_iter=20, random_state=0),
            make_pipeline(StandardScaler(), RidgeCV()),
            make_pipeline(StandardScaler(), SVR()),
            make_pipeline(StandardScaler(), neighbours(y)),
        ]
    return [
        RandomForestClassifier(50, random_state=0),
        HistGradientBoostingClassifier(max_iter=20, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        make_pipeline(StandardScaler(), SVC()),
        make_pipeline(StandardScaler(), neighbours(y)),
    ]


def level_of(X, y, n_trees):
    """The level by which representations are compared, of so many randomised trees."""
    growth = randomised(growth_of(BesovSmoothnessEstimator(random_state=0)), n_trees)
    samples = read_samples(X, y)
    error = randomised_error(samples, growth, 2.0)
    return error.level(samples.units.unit, 0.8 * samples.units.n_units).score


def worth(args):
    """Rank correlations with the mean accuracy of five models."""
    rows = {}
    for name in (name for name in DATA if name != LARGE):
        X, y = DATA[name]()
        choices = choices_of(X)
        found = [accuracies(model, choices, y, n_folds=3) for model in models(y)]
        truth = np.mean(found, axis=0)
        row = {}
        for n_trees in TREES:
            levels = [level_of(X, y, n_trees) for X in choices.values()]
            row[f"{n_trees} trees"] = spearmanr(levels, truth)[0]
        row["5-NN"] = spearmanr(accuracies(neighbours(y), choices, y), truth)[0]
        scaled = make_pipeline(StandardScaler(), neighbours(y))
        row["5-NN scaled"] = spearmanr(accuracies(scaled, choices, y), truth)[0]
        rows[name] = row
    return {"worth": rows}


PARTS = {"cost": cost, "workers": workers, "worth": worth}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    setup = f"{N_CHOICES} choices of 2 to {MOST_COLUMNS} columns; {args.repeats} runs"
    for i, part in enumerate(args.parts):
        append = i > 0 or len(args.parts) < len(PARTS)
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")
            spent, figures = seconds_of(partial(PARTS[part], args))
        print(f"{part}: {spent:.0f} s")
        write_results("few_columns", figures, setup=setup, append=append)


if __name__ == "__main__":
    main()
