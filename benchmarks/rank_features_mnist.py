"""Compare the ranking of features by smoothness with that by a forest's accuracy.

    python benchmarks/rank_features_mnist.py [--npz FILE] [--n-samples 5000]

FILE holds ``train_image`` and ``train_label``; without it the images come from OpenML.
19 representations of MNIST; smoothness and a random forest are fitted on the first
half of the samples and scored on the second. Prints the rank correlations with the
forest's accuracy.
"""

import argparse
import warnings

import numpy as np
from choose_features_mnist import load_images
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.random_projection import GaussianRandomProjection

from sksmooth import BesovSmoothnessEstimator


def representations(X, y, n_train):
    rng = np.random.RandomState(0)
    images = X.reshape(-1, 28, 28) / 255
    X = images.reshape(len(images), -1)
    noise = rng.standard_normal(X.shape).astype(np.float32)
    yield "raw", X
    for width in (1, 3):
        yield (
            f"blurred {width}",
            gaussian_filter(images, (0, width, width)).reshape(X.shape),
        )
    for level in (0.3, 1.0):
        yield f"noisy {level}", X + np.float32(level) * noise
    yield "binarised", (X > 0.5).astype(np.float32)
    yield "every 4th pixel", images[:, ::4, ::4].reshape(len(X), -1)
    yield "every 7th pixel", images[:, ::7, ::7].reshape(len(X), -1)
    yield "row means", images.mean(axis=2)
    yield "column means", images.mean(axis=1)
    yield "a quarter and noise columns", np.hstack([X[:, ::4], noise[:, :200]])
    yield "noise alone", noise[:, :30]
    for k in (2, 5, 10, 30, 100):
        yield f"PCA {k}", PCA(k, random_state=0).fit(X[:n_train]).transform(X)
    for k in (5, 30):
        yield (
            f"projection {k}",
            GaussianRandomProjection(k, random_state=0).fit_transform(X),
        )
    jittered = X[:n_train] + 1e-3 * noise[:n_train]
    lda = LinearDiscriminantAnalysis().fit(jittered, y[:n_train])
    yield "LDA", lda.transform(X)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    parser.add_argument("--n-samples", type=int, default=5000)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    n_train = args.n_samples
    X, y = load_images(args.npz, 2 * n_train)

    print(
        f"{'features':30s}{'columns':>8s}{'alpha':>8s}{'score':>8s}{'forest accuracy':>17s}"
    )
    rows = []
    for name, Z in representations(X, y, n_train):
        Z = Z.astype(np.float32)
        estimator = BesovSmoothnessEstimator(random_state=0, n_jobs=args.jobs)
        estimator.fit(Z[:n_train], y[:n_train])
        forest = RandomForestClassifier(100, random_state=0, n_jobs=args.jobs)
        forest.fit(Z[:n_train], y[:n_train])
        rows.append(
            (
                estimator.alpha_,
                estimator.score(Z[n_train:], y[n_train:]),
                forest.score(Z[n_train:], y[n_train:]),
            )
        )
        print(
            f"{name:30s}{Z.shape[1]:8d}{rows[-1][0]:8.3f}{rows[-1][1]:8.3f}"
            f"{rows[-1][2]:17.3f}",
            flush=True,
        )
    alphas, scores, accuracies = np.transpose(rows)
    print(
        f"Spearman with accuracy: held-out score "
        f"{spearmanr(scores, accuracies).statistic:.3f}, "
        f"alpha {spearmanr(alphas, accuracies).statistic:.3f}"
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
