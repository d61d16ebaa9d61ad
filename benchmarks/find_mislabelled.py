"""Wrong labels of MNIST: ``sample_roughness`` against a forest's margin and cleanlab.

    python benchmarks/find_mislabelled.py [--npz FILE] [--n-samples 10000]
        [--first 0] [--fractions 0.05 0.2 0.4] [--seeds 3] [--trees 100]

FILE holds ``train_image`` and ``train_label``; without it the images come from OpenML. A
fraction of the labels is changed, to any other class ("any") or to the most similar one
("alike"): 4 to 9, 3 to 8, and so on. All methods rank the samples by suspicion, with
forests of the same size: of scikit-learn, out-of-bag or in five-fold cross-validation; and
of ``sample_roughness``. Measured are, over the seeds, the mean average precision (and its
standard deviation), the recall at 95 % precision, and seconds of processor time; and how
many samples have a positive ``excess``, and how many of those are wrong.
"""

import argparse
import time

import numpy as np
import pandas as pd
from _data import load_images
from _results import write_results
from cleanlab.rank import get_label_quality_scores
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, precision_recall_curve
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors

from sksmooth import BesovSmoothnessEstimator, sample_roughness
from sksmooth.datasets import corrupt_labels

# What each digit is taken for: 0 for 6, 1 for 7, 2 for 7, ...
LOOKS_LIKE = [6, 7, 7, 8, 9, 3, 5, 1, 3, 4]


def margin(shares, y):
    """How much more likely the likeliest other label is than the given one."""
    rows = np.arange(len(y))
    rivals = shares.copy()
    rivals[rows, y] = -1
    return rivals.max(axis=1) - shares[rows, y]


def rankings(X, y, seed, args):
    """Suspicion of every sample and seconds, method by method."""
    start = time.process_time()
    estimator = BesovSmoothnessEstimator(
        args.trees, max_features="sqrt", max_samples=0.5, random_state=seed
    )
    frame = sample_roughness(X, y, estimator=estimator)
    seconds = time.process_time() - start
    yield "excess", frame["excess"], seconds
    yield "roughness", frame["roughness"], seconds

    start = time.process_time()
    forest = RandomForestClassifier(args.trees, oob_score=True, random_state=seed).fit(X, y)
    shares = forest.oob_decision_function_
    seconds = time.process_time() - start
    yield "margin, out of bag", margin(shares, y), seconds
    scores = get_label_quality_scores(y, shares)
    yield "cleanlab, out of bag", -scores, seconds

    if args.folds:
        start = time.process_time()
        forest = RandomForestClassifier(args.trees, random_state=seed)
        shares = cross_val_predict(forest, X, y, cv=args.folds, method="predict_proba")
        seconds = time.process_time() - start
        for method, adjusted in (
            ("self_confidence", False),
            ("normalized_margin", False),
            ("normalized_margin", True),
        ):
            scores = get_label_quality_scores(
                y, shares, method=method, adjust_pred_probs=adjusted
            )
            name = f"{method}{', adjusted' if adjusted else ''}"
            yield f"cleanlab: {name}", -scores, seconds

    if args.neighbours:
        start = time.process_time()
        neighbours = NearestNeighbors(n_neighbors=args.neighbours).fit(X)
        labels = y[neighbours.kneighbors(return_distance=False)]
        shares = (labels[:, :, None] == np.arange(10)).mean(axis=1)
        seconds = time.process_time() - start
        yield "nearest neighbours", margin(shares, y), seconds


def measures(suspicion, wrong):
    suspicion = np.asarray(suspicion)
    precision, recall, _ = precision_recall_curve(wrong, suspicion)
    return {
        "average precision": average_precision_score(wrong, suspicion),
        "recall at 95 %": recall[precision >= 0.95].max(),
    }


def noisy_labels(y, kind, fraction, seed):
    confusion = None if kind == "any" else np.eye(10)[LOOKS_LIKE]
    return corrupt_labels(
        y, fraction, random_state=seed, confusion=confusion, return_mask=True
    )


def compare(X, y, kind, fraction, args):
    """Means over the seeds by method, and what a positive excess finds."""
    rows, suspects = [], []
    for seed in range(1, args.seeds + 1):
        labels, wrong = noisy_labels(y, kind, fraction, seed)
        for name, suspicion, seconds in rankings(X, labels, seed, args):
            rows.append({"method": name, "s": seconds} | measures(suspicion, wrong))
            if name == "excess":
                is_suspect = np.asarray(suspicion) > 0
                precision, recall = wrong[is_suspect].mean(), is_suspect[wrong].mean()
                suspects.append((is_suspect.sum(), precision, recall))
    by_method = pd.DataFrame(rows).groupby("method", sort=False)
    means = by_method.mean()
    means["sd"] = by_method["average precision"].std(ddof=0)
    counts = dict(
        zip(("suspects", "precision", "recall"), np.mean(suspects, 0), strict=True)
    )
    return means, counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first image")
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.05, 0.2, 0.4])
    parser.add_argument("--kinds", nargs="+", default=["any", "alike"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--neighbours", type=int, default=20, help="0 leaves them out")
    parser.add_argument("--folds", type=int, default=5, help="0 leaves them out")
    args = parser.parse_args()
    X, y = load_images(args.npz, args.first + args.n_samples)
    X, y = X[args.first :], y[args.first :]
    size = f"{args.trees} trees"
    if args.n_samples != 10_000:
        size += f", {args.n_samples} images"
    figures = {}
    for kind in args.kinds:
        for fraction in args.fractions:
            case = f"{100 * fraction:g} %, {kind}"
            means, found = compare(X, y, kind, fraction, args)
            for measure, values in means.items():
                table = figures.setdefault(f"{measure}, {size}", {})
                table[case] = values.to_dict()
            figures.setdefault(f"positive excess, {size}", {})[case] = found
    setup = (
        f"first images of MNIST, {args.seeds} draws of wrong labels; s: of the processor"
    )
    libraries = ["cleanlab"]
    write_results(
        "find_mislabelled", figures, setup=setup, libraries=libraries, append=True
    )


if __name__ == "__main__":
    main()
