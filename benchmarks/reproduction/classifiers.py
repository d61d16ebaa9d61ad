"""Whether classical learners look for this geometry: accuracy on layers against alpha.

    python benchmarks/reproduction/classifiers.py --data DIR [--cache DIR]

The layers of the lecture's network for CIFAR-10 (``layers_cifar10.py`` trains it) at the
beginning of training, after two epochs and at the end. The network has seen none of the
images here: 4,000 test images train a support vector machine, a random forest and gradient
boosting on the values of each layer, 4,000 more test them. Alpha is that of the former,
the held-out score that of the latter.
"""

import time

import numpy as np
import torch
from common import (
    centre,
    estimators,
    grey,
    lecture_network,
    load,
    load_cifar10,
    parser,
    rounded,
    write_lecture,
)
from layers_cifar10 import EPOCHS, folder_of
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sksmooth import LayerFeatureTransformer

N_FIT, N_TEST = 4000, 4000
LAYERS = ["input", "2", "5", "8", "10", "11"]
BEFORE, BETWEEN = 0, 2  # epochs
CLASSIFIERS = ("SVM", "random forest", "gradient boosting")


def svm(X, y, X_test, y_test):
    """Accuracy with a Gaussian kernel; its matrix is computed apart, which is faster."""
    scaler = StandardScaler().fit(X)
    X, X_test = scaler.transform(X), scaler.transform(X_test)
    gamma = 1 / X.shape[1]
    classifier = SVC(kernel="precomputed", C=3).fit(rbf_kernel(X, X, gamma), y)
    return classifier.score(rbf_kernel(X_test, X, gamma), y_test)


def accuracies(X, y, X_test, y_test, n_jobs):
    """Test accuracy of the three, and of their mean."""
    forest = RandomForestClassifier(200, random_state=0, n_jobs=n_jobs)
    share = min(1.0, 100 / X.shape[1])  # of the features, at each split
    boosting = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=15, max_features=share, random_state=0
    )
    values = [svm(X, y, X_test, y_test)]
    values += [each.fit(X, y).score(X_test, y_test) for each in (forest, boosting)]
    return dict(zip(CLASSIFIERS, values, strict=True)) | dict(mean=np.mean(values).item())


def measured(data, cache, seed, n_jobs):
    images, y = load_cifar10(data, cache, "test")
    X = centre(grey(images[: N_FIT + N_TEST]))
    y, y_test = y[:N_FIT], y[N_FIT : N_FIT + N_TEST]
    for epoch in (BEFORE, BETWEEN, EPOCHS):
        module = load(lecture_network, folder_of(cache, seed), epoch)
        layers = LAYERS[epoch != BEFORE :]  # the input does not change
        for layer in layers:
            start = time.perf_counter()
            values = LayerFeatureTransformer(module, layer).fit_transform(X)
            row = dict(epoch=epoch, layer=layer, n_features=values.shape[1], seed=seed)
            row |= dict(n_samples=N_FIT, n_test=N_TEST)
            row |= accuracies(values[:N_FIT], y, values[N_FIT:], y_test, n_jobs)
            for name, estimator in estimators(n_jobs).items():
                estimator.fit(values[:N_FIT], y)
                row |= {f"alpha {name}": estimator.alpha_}
                row |= {f"held out {name}": estimator.score(values[N_FIT:], y_test)}
            row |= dict(seconds=time.perf_counter() - start)
            print(row, flush=True)
            yield rounded(row)


def correlations(rows):
    """Spearman's correlation of every index with every accuracy."""
    for index in (name for name in rows[0] if name.startswith(("alpha", "held out"))):
        values = [row[index] for row in rows]
        columns = {
            name: spearmanr(values, [row[name] for row in rows]).statistic
            for name in (*CLASSIFIERS, "mean")
        }
        yield dict(index=index, n_layers=len(rows)) | rounded(columns)


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--seed", type=int, default=0)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    rows = list(measured(options.data, options.cache, options.seed, options.n_jobs))
    write_lecture("classifiers", rows)
    write_lecture("classifiers_correlation", correlations(rows))
