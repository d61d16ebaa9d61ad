"""Wrong labels of MNIST: ``sample_roughness`` against a forest's margin and cleanlab.

    python benchmarks/find_mislabelled.py [--npz FILE] [--n-samples 10000]
        [--first 0] [--fractions 0.05 0.1 0.2 0.4] [--seeds 3] [--trees 200]

FILE holds ``train_image`` and ``train_label``; without it the images come from OpenML.
A fraction of the labels is changed, to any other one ("any") or to the one that looks most
alike ("alike"): 4 to 9, 3 to 8, and so on. All methods rank the samples by suspicion, with
forests of as many trees: of scikit-learn, out of the bag or five times over in
cross-validation; and of ``sample_roughness``. Printed are, over the seeds, the mean average
precision (and its standard deviation), the precision among as many samples as there are
wrong labels, the recall at 95 % precision, and seconds of processor time; below, the
difference of average precision to that of each alternative, in pairs.
"""

import argparse
import time

import numpy as np
import pandas as pd
from choose_features_mnist import load_images
from cleanlab.rank import get_label_quality_scores
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, precision_recall_curve
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors

from sksmooth import BesovSmoothnessEstimator, sample_roughness
from sksmooth.datasets import corrupt_labels

# What each digit is taken for: 0 for 6, 1 for 7, 2 for 7, ...
LOOKS_LIKE = [6, 7, 7, 8, 9, 3, 5, 1, 3, 4]
OURS = "sample_roughness, excess"


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
    yield OURS, frame["excess"], seconds
    yield "sample_roughness, roughness", frame["roughness"], seconds

    start = time.process_time()
    forest = RandomForestClassifier(args.trees, oob_score=True, random_state=seed).fit(X, y)
    shares = forest.oob_decision_function_
    seconds = time.process_time() - start
    yield "forest: out-of-bag margin", margin(shares, y), seconds
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
            yield f"cleanlab, {args.folds}-fold, {name}", -scores, seconds

    if args.neighbours:
        start = time.process_time()
        neighbours = NearestNeighbors(n_neighbors=args.neighbours).fit(X)
        labels = y[neighbours.kneighbors(return_distance=False)]
        shares = (labels[:, :, None] == np.arange(10)).mean(axis=1)
        seconds = time.process_time() - start
        yield f"{args.neighbours} nearest neighbours: margin", margin(shares, y), seconds


def measures(suspicion, wrong):
    suspicion = np.asarray(suspicion)
    precision, recall, _ = precision_recall_curve(wrong, suspicion)
    first = np.argsort(-suspicion, kind="stable")[: wrong.sum()]
    return {
        "average precision": average_precision_score(wrong, suspicion),
        "precision at n": wrong[first].mean(),
        "recall at 95 %": recall[precision >= 0.95].max(),
    }


def noisy_labels(y, kind, fraction, seed):
    confusion = None if kind == "any" else np.eye(10)[LOOKS_LIKE]
    return corrupt_labels(
        y, fraction, random_state=seed, confusion=confusion, return_mask=True
    )


def compare(X, y, kind, fraction, args):
    rows, suspects = [], []
    for seed in range(1, args.seeds + 1):
        labels, wrong = noisy_labels(y, kind, fraction, seed)
        for name, suspicion, seconds in rankings(X, labels, seed, args):
            row = {"method": name, "seed": seed, "seconds": seconds}
            rows.append(row | measures(suspicion, wrong))
            if name == OURS:
                is_suspect = np.asarray(suspicion) > 0
                found = wrong[is_suspect].mean(), is_suspect[wrong].mean()
                suspects.append((is_suspect.sum(), *found))
    return pd.DataFrame(rows), np.mean(suspects, axis=0)


def report(frame, suspects, kind, fraction):
    print(f"\n{fraction:.0%} wrong, {kind}")
    print(f"{'':44s}{'average precision':>20s}{'at n':>9s}{'at 95 %':>9s}{'seconds':>9s}")
    for name, part in frame.groupby("method", sort=False):
        mean = part.mean(numeric_only=True)
        print(
            f"{name:44s}{mean['average precision']:12.4f}"
            f" ±{part['average precision'].std(ddof=0):.4f}{mean['precision at n']:9.3f}"
            f"{mean['recall at 95 %']:9.3f}{mean['seconds']:9.1f}"
        )
    by_method = frame.pivot(index="seed", columns="method")
    precision, seconds = by_method["average precision"], by_method["seconds"].mean()
    for name in frame["method"].unique()[2:]:
        gain, ratio = precision[OURS] - precision[name], seconds[OURS] / seconds[name]
        print(
            f"  excess against {name}: {gain.mean():+.4f} (better in "
            f"{(gain > 0).sum()} of {len(gain)}), time x {ratio:.2f}"
        )
    print(
        "  excess > 0: {:.0f} suspects, precision {:.3f}, recall {:.3f}".format(*suspects),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first image")
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.05, 0.1, 0.2, 0.4])
    parser.add_argument("--kinds", nargs="+", default=["any", "alike"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--neighbours", type=int, default=20, help="0 leaves them out")
    parser.add_argument("--folds", type=int, default=5, help="0 leaves them out")
    args = parser.parse_args()
    X, y = load_images(args.npz, args.first + args.n_samples)
    X, y = X[args.first :], y[args.first :].astype(int)
    print(f"{len(X)} images, {args.trees} trees, {args.seeds} seeds")
    for kind in args.kinds:
        for fraction in args.fractions:
            report(*compare(X, y, kind, fraction, args), kind, fraction)


if __name__ == "__main__":
    main()
