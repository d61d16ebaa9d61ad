"""When to stop asking for labels: rules by smoothness against others of equal cost.

    python benchmarks/active_learning.py [--npz FILE] [--seeds 100 101 102 103 104]
        [--data digits digits-noisy cancer spheres classes mnist]

FILE holds ``train_image`` and ``train_label``; without it the images come from OpenML, of
which 6000 are used. The other sets ship with scikit-learn or are generated. A random forest
asks for the labels of those samples of a pool whose two best classes are closest (margin
sampling), in 30 rounds. No rule sees more than the labels asked for so far and a reference:
up to 1000 further samples without labels, which are never asked for. A signal has settled
when its running mean over three rounds has had no new highest and no new lowest value for
four rounds. Rules:

- labelled alpha: ``alpha_`` of the labelled samples has settled;
- reference alpha: that of the reference, labelled by the model, has;
- out-of-bag: the model's out-of-bag accuracy has;
- agreement: predictions of the reference agree with those of the round before, a mean kappa
  of 0.99 over three rounds (Bloodgood and Vijay-Shanker, CoNLL 2009);
- a quarter, a half: a fixed share of the pool.

The rules were chosen with seeds 0 to 4, without MNIST, and the figures are for others. The
table has the share of the pool that was labelled, the test accuracy, how much that is less
than at the end (mean and worst of the seeds, in per cent; the end is the mean of the last
three rounds), and the accuracy with as many labels of random samples.
"""

import argparse
import warnings

import numpy as np
import pandas as pd
from choose_features_mnist import load_images
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import cohen_kappa_score
from sklearn.model_selection import train_test_split

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import corrupt_labels, make_known_smoothness

PATIENCE = 4  # rounds without a new extreme
N_ROUNDS = 30


def load_data(name, seed, npz=None):
    if name == "digits":
        return load_digits(return_X_y=True)
    if name == "digits-noisy":
        X, y = load_digits(return_X_y=True)
        return X, corrupt_labels(y, 0.1, random_state=1000 + seed)
    if name == "cancer":
        return load_breast_cancer(return_X_y=True)
    if name == "spheres":
        return make_known_smoothness(
            "jump", 4000, n_relevant=3, n_irrelevant=2, n_classes=3, random_state=seed
        )[:2]
    if name == "classes":
        options = dict(n_informative=8, n_classes=4, flip_y=0.05, class_sep=1.5)
        return make_classification(4000, 20, random_state=seed, **options)
    X, y = load_images(npz, 60_000)
    rows = np.random.default_rng(seed).permutation(len(X))[:6000]
    return X[rows], np.asarray(y[rows], dtype=int)


def run_queries(name, seed, query, npz=None):
    """One row a round: number of labels, test accuracy and what rules may look at."""
    X, y = load_data(name, seed, npz)
    rng = np.random.RandomState(seed)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    n_reference = min(1000, len(X) // 4)
    reference, X, y = X[:n_reference], X[n_reference:], y[n_reference:]
    batch = max(len(X) // N_ROUNDS, 5)
    labelled = rng.permutation(len(X))[: max(batch, 20)]
    rows, before = [], None
    while True:
        model = RandomForestClassifier(50, oob_score=True, random_state=seed)
        model.fit(X[labelled], y[labelled])
        row = {"share": len(labelled) / len(X), "accuracy": model.score(X_test, y_test)}
        if query == "margin":
            predicted = model.predict(reference)
            row["labelled alpha"] = alpha(X[labelled], y[labelled])
            row["reference alpha"] = alpha(reference, predicted)
            row["out-of-bag"] = model.oob_score_
            row["agreement"] = np.nan if before is None else kappa(before, predicted)
            before = predicted
        rows.append(row)
        rest = np.setdiff1d(np.arange(len(X)), labelled)
        if len(rest) == 0:
            return pd.DataFrame(rows)
        if query == "margin":
            best = np.sort(model.predict_proba(X[rest]), axis=1)
            rest = rest[np.argsort(best[:, -1] - best[:, -2], kind="stable")]
        else:
            rest = rng.permutation(rest)
        labelled = np.concatenate([labelled, rest[:batch]])


def alpha(X, y):
    if len(np.unique(y)) < 2:
        return 0.0
    return BesovSmoothnessEstimator(max_features="sqrt", random_state=0).fit(X, y).alpha_


def kappa(before, after):
    return 1.0 if np.array_equal(before, after) else cohen_kappa_score(before, after)


def settled(values):
    means = values.rolling(3).mean().to_numpy()
    for latest in range(3, len(means) - PATIENCE):
        before, since = means[2:latest], means[latest : latest + PATIENCE]
        if since.max() <= before.max() and since.min() >= before.min():
            return latest + PATIENCE - 1
    return len(means) - 1


def first(condition):
    return int(np.argmax(condition)) if condition.any() else len(condition) - 1


RULES = {
    "labelled alpha": lambda f: settled(f["labelled alpha"]),
    "reference alpha": lambda f: settled(f["reference alpha"]),
    "out-of-bag": lambda f: settled(f["out-of-bag"]),
    "agreement": lambda f: first((f["agreement"].rolling(3).mean() >= 0.99).to_numpy()),
    "a quarter": lambda f: first((f["share"] >= 0.25).to_numpy()),
    "a half": lambda f: first((f["share"] >= 0.5).to_numpy()),
    "all": lambda f: len(f) - 1,
}


def judge(name, seed, npz):
    queried, drawn = (run_queries(name, seed, query, npz) for query in ("margin", "random"))
    end = queried["accuracy"].iloc[-3:].mean()
    for rule, stop in RULES.items():
        last = stop(queried)
        accuracy = queried["accuracy"].iloc[last]
        yield {
            "rule": rule,
            "labels": queried["share"].iloc[last],
            "accuracy": accuracy,
            "lost": 100 * (end - accuracy),
            "at worst": 100 * (end - accuracy),
            "random": drawn["accuracy"].iloc[last],
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["digits", "digits-noisy", "cancer", "spheres", "classes", "mnist"]
    parser.add_argument("--npz")
    parser.add_argument("--data", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", nargs="+", type=int, default=range(100, 105))
    args = parser.parse_args()
    everything = []
    for name in args.data:
        rows = [row for seed in args.seeds for row in judge(name, seed, args.npz)]
        everything += rows
        print_table(name, rows)
    print_table("all", everything)


def print_table(title, rows):
    by_rule = pd.DataFrame(rows).groupby("rule", sort=False)
    table = by_rule.mean()
    table["at worst"] = by_rule["at worst"].max()
    print(f"\n{title}\n{table.round(3).to_string()}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
