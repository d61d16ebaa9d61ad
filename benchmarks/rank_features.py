"""Compare the order of representations by smoothness with that by five classifiers.

    python benchmarks/rank_features.py [--npz FILE] [--n-samples 10000]
        [--data mnist digits wine breast-cancer] [--jobs 2]

FILE holds ``train_image`` and ``train_label``; without it the images come from OpenML.
The other three sets ship with scikit-learn. Every representation of a set is fitted on
one half of its samples (or on nothing) and has five test accuracies: classifiers are
fitted on that half and scored on the other. Beside them stand the numbers that are to
predict their order:

- score, oob, alpha: the smoothness, fitted on the fit half: ``score`` of the score half,
  and ``oob_score_`` and ``alpha_`` of the fit half;
- silhouette: of at most 2000 samples of the score half;
- 1-NN: how often the nearest neighbour has the same label, within the fit half;
- Fisher: tr(S_B) / tr(S_W), the scatter of the class means over that within the classes,
  of the fit half.

MNIST has one pair of halves, the first ``n_samples`` images; networks are trained on the
next ``n_samples / 2`` images, which nothing else sees. For the small sets everything is
the mean over five random stratified halves.
"""

import argparse
import os
import warnings
from collections import defaultdict
from itertools import pairwise

import numpy as np
from _data import load_images
from _results import write_results
from joblib import Parallel, delayed
from scipy.ndimage import gaussian_filter
from scipy.stats import kendalltau, spearmanr
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from sksmooth import BesovSmoothnessEstimator

N_SPLITS = 5
PREDICTORS = ("score", "oob", "alpha", "silhouette", "1-NN", "Fisher")
TABLES = {"digits": load_digits, "wine": load_wine, "breast-cancer": load_breast_cancer}


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
    yield "LDA", linear_discriminants(X, y, fit)
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


def linear_discriminants(X, y, fit):
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
    for k in (1, 2, 5, 10):
        components = PCA(k, random_state=seed).fit(X[fit]).transform(X)
        yield f"PCA {k}", components
    yield "PCA 10, squares and products", PolynomialFeatures(2).fit_transform(components)
    yield "LDA", linear_discriminants(X, y, fit)
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


def classifiers():
    """Five classifiers; the scale of the features matters to the neighbours only."""
    return {
        "5-NN": KNeighborsClassifier(5),
        "forest": RandomForestClassifier(100, random_state=0),
        "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "SVM": make_pipeline(StandardScaler(), SVC(cache_size=500)),
        "boosting": HistGradientBoostingClassifier(
            learning_rate=0.2,
            max_iter=40,
            max_leaf_nodes=15,
            max_bins=32,
            max_features=0.2,
            early_stopping=False,
            random_state=0,
        ),
    }


def neighbours_agree(X, y):
    nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(return_distance=False)
    return np.mean(y[nearest[:, 0]] == y)


def fisher_ratio(X, y):
    between = within = 0.0
    for label in np.unique(y):
        members = X[y == label]
        mean = members.mean(axis=0)
        between += len(members) * np.sum((mean - X.mean(axis=0)) ** 2)
        within += np.sum((members - mean) ** 2)
    return between / within


def predictors(X_fit, y_fit, X_score, y_score):
    estimator = BesovSmoothnessEstimator(random_state=0).fit(X_fit, y_fit)
    silhouette = silhouette_score(
        X_score, y_score, sample_size=min(2000, len(y_score)), random_state=0
    )
    values = (
        *(estimator.score(X_score, y_score), estimator.oob_score_, estimator.alpha_),
        *(silhouette, neighbours_agree(X_fit, y_fit), fisher_ratio(X_fit, y_fit)),
    )
    return dict(zip(PREDICTORS, values, strict=True))


def accuracies(X_fit, y_fit, X_score, y_score):
    found = {
        name: model.fit(X_fit, y_fit).score(X_score, y_score)
        for name, model in classifiers().items()
    }
    return found | {"mean": np.mean(list(found.values()))}


def measure(name, X, y, fit, score):
    X = np.asarray(X, dtype=np.float32)
    data = X[fit], y[fit], X[score], y[score]
    with threadpool_limits(1):  # small fits on a busy machine would wait for threads
        return name, X.shape[1], predictors(*data), accuracies(*data)


# Data sets: everything to measure, as arguments of ``measure``


def image_tasks(npz, n_samples):
    half = n_samples // 2
    X, y = load_images(npz, 3 * half)
    fit, score, other = (np.arange(i * half, (i + 1) * half) for i in range(3))
    both = slice(0, 2 * half)
    for name, Z in image_representations(X[both], y[both], fit, X[other], y[other]):
        yield name, Z, y[both], fit, score


def table_tasks(load):
    X, y = load(return_X_y=True)
    halves = StratifiedShuffleSplit(N_SPLITS, train_size=0.5, random_state=0)
    for seed, (fit, score) in enumerate(halves.split(X, y)):
        for name, Z in table_representations(X, y, fit, seed):
            yield name, Z, y, fit, score


# Report


def run(tasks, n_splits, n_jobs):
    """Measure everything: one row a representation, the mean over the splits."""
    results = Parallel(n_jobs, return_as="generator")(
        delayed(measure)(*task) for task in tasks
    )
    parts = defaultdict(list)
    for name, n_columns, predicted, accuracy in results:
        parts[name].append({"columns": n_columns} | predicted | accuracy)
        print(name, flush=True)
    assert {len(rows) for rows in parts.values()} == {n_splits}
    return {
        name: {head: np.mean([row[head] for row in rows]) for head in rows[0]}
        for name, rows in parts.items()
    }


def correlations(table):
    """Rank correlation of every predictor with the accuracies."""
    columns = {head: [row[head] for row in table.values()] for head in table["raw"]}
    ranks = {"Spearman": spearmanr, "Kendall": kendalltau}
    return {
        name: {
            f"{target}: {rank}": correlate(columns[name], columns[target]).statistic
            for target in ("forest", "mean")
            for rank, correlate in ranks.items()
        }
        for name in PREDICTORS
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["mnist", *TABLES]
    parser.add_argument("--npz")
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--data", nargs="+", choices=names, default=names)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    figures = {}
    for data in args.data:
        if data == "mnist":
            table = run(image_tasks(args.npz, args.n_samples), 1, args.jobs)
            figures["mnist, representations"] = table
        else:
            table = run(table_tasks(TABLES[data]), N_SPLITS, args.jobs)
        figures[data] = correlations(table)
    setup = (
        f"MNIST: {args.n_samples} images, 32 representations; the others: 27 "
        "representations, means of five random halves; fitted on one half, scored on the "
        "other"
    )
    write_results("rank_features", figures, setup=setup, append=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # for the processes of joblib
    main()
