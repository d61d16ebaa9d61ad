"""``GridSearchCV`` over scalers and PCA components on 10,000 MNIST images.

    python benchmarks/choose_features_mnist.py [--npz FILE] [--n-samples 10000]

FILE holds ``train_image`` and ``train_label``; without it the images come from OpenML.
The search has no ``scoring``: it maximises the held-out smoothness score. Beside it
stands what it is meant to predict, the cross-validated accuracy of a random forest and
of 5 nearest neighbours on the same representations and folds.
"""

import argparse
import time
import warnings

import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import fetch_openml
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sksmooth import BesovSmoothnessEstimator


def load_images(npz, n_samples=None):
    """The first images, or all; OpenML gives their labels as strings."""
    if npz is None:
        X, y = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
        return X[:n_samples].astype(np.float32), y[:n_samples]
    with np.load(npz) as arrays:
        images, labels = arrays["train_image"][:n_samples], arrays["train_label"]
    return images.reshape(len(images), -1).astype(np.float32), labels[:n_samples]


def search(last_step, X, y, grid, n_jobs):
    pipeline = Pipeline(
        [("scale", None), ("pca", PCA(random_state=0)), ("last", last_step)]
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    start = time.perf_counter()
    result = GridSearchCV(pipeline, grid, cv=folds, n_jobs=n_jobs, error_score="raise")
    result.fit(X, y)
    return result, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    X, y = load_images(args.npz, args.n_samples)
    scalers = {
        "none": "passthrough",
        "standard": StandardScaler(),
        "min-max": MinMaxScaler(),
    }
    grid = {
        "scale": list(scalers.values()),
        "pca__n_components": [2, 5, 10, 20, 40, 80],
    }
    last_steps = {
        "smoothness": BesovSmoothnessEstimator(random_state=0),
        "forest": RandomForestClassifier(100, random_state=0),
        "neighbours": KNeighborsClassifier(5),
    }
    results = {}
    for name, last_step in last_steps.items():
        results[name], seconds = search(last_step, X, y, grid, args.jobs)
        print(f"{name:12s}{seconds:8.1f} s   best {results[name].best_params_}")
    tables = {name: result.cv_results_ for name, result in results.items()}
    scores = {name: table["mean_test_score"] for name, table in tables.items()}
    print(f"\n{'scaler':10s}{'components':>11s}{'score':>9s}{'forest':>9s}{'5-NN':>9s}")
    names = {id(scaler): name for name, scaler in scalers.items()}
    for i, options in enumerate(tables["smoothness"]["params"]):
        print(
            f"{names.get(id(options['scale']), str(options['scale']))[:10]:10s}"
            f"{options['pca__n_components']:11d}"
            f"{scores['smoothness'][i]:9.3f}{scores['forest'][i]:9.3f}"
            f"{scores['neighbours'][i]:9.3f}"
        )
    chosen = int(np.argmax(scores["smoothness"]))
    for name in ("forest", "neighbours"):
        rank = spearmanr(scores["smoothness"], scores[name]).statistic
        place = int((scores[name] > scores[name][chosen]).sum()) + 1
        print(
            f"{name}: Spearman with the score {rank:.3f}; the chosen representation is "
            f"number {place} of {len(scores[name])}, accuracy {scores[name][chosen]:.3f} "
            f"(best {scores[name].max():.3f})"
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
