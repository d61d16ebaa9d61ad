"""Table 1: the last inner layer of networks trained on wrong labels, MNIST and CIFAR-10.

    python benchmarks/reproduction/mislabelled.py --data DIR [--cache DIR] [--seeds 0 1 2]

A fraction of the labels is wrong in the images for training as in those for validation.
Training continues until the wrong labels are memorised; the epoch that was best on the
validation images is kept as well, as early stopping would have. The table "order" counts
the seeds for which an index falls at every step of ten per cent, and the steps whose two
intervals do not overlap.
"""

import warnings
from itertools import pairwise

import torch
from common import (
    accuracy,
    centre,
    estimators,
    grey,
    lecture_network,
    lenet,
    load,
    load_cifar10,
    load_mnist,
    parser,
    rounded,
    train,
    write_lecture,
)

from sksmooth import LayerFeatureTransformer
from sksmooth.datasets import corrupt_labels
from sksmooth.exceptions import SmoothnessWarning

FRACTIONS = (0.0, 0.1, 0.2, 0.3, 0.4)
N_VALIDATION = 3000  # the last images of the training file
SETTINGS = {  # images, network, its last inner layer, epochs
    "MNIST": (20_000, lenet, "10", 40),
    "CIFAR-10": (10_000, lecture_network, "10", 25),
}


def images_of(name, data, cache, split):
    if name == "MNIST":
        images, y = load_mnist(data, cache, split)
        return grey(images), y
    images, y = load_cifar10(data, cache, split)
    return centre(grey(images)), y


def folder_of(cache, name, fraction, seed):
    return cache / f"{name.lower()}_{100 * fraction:.0f}_seed{seed}"


def trainings(name, data, cache, seeds):
    """Train on each fraction of wrong labels to the end; keep the best epoch too."""
    n, build, _, epochs = SETTINGS[name]
    X, y = images_of(name, data, cache, "train")
    for seed in seeds:
        for fraction in FRACTIONS:
            labels = corrupt_labels(y, fraction, random_state=seed)
            validation = X[-N_VALIDATION:], labels[-N_VALIDATION:]
            options = dict(epochs=epochs, seed=seed, rate=1e-3, warm=0.1)
            folder = folder_of(cache, name, fraction, seed)
            train(build, X[:n], labels[:n], folder, validation=validation, **options)


def measured(name, data, cache, seed, n_jobs):
    """Rows of the last inner layer: both conventions, at the end and stopped early."""
    n, build, layer, epochs = SETTINGS[name]
    (X, y), (X_test, y_test) = (
        images_of(name, data, cache, split) for split in ("train", "test")
    )
    for fraction in FRACTIONS:
        labels = corrupt_labels(y, fraction, random_state=seed)[:n]
        wrong = corrupt_labels(y_test, fraction, random_state=seed)
        for stopped, epoch in (("end", epochs), ("best epoch", "best")):
            module = load(build, folder_of(cache, name, fraction, seed), epoch)
            known = dict(data=name, fraction=fraction, seed=seed, stopped=stopped)
            known |= dict(
                train_accuracy=accuracy(module, X[:n], labels),
                test_accuracy=accuracy(module, X_test, y_test),
            )
            reader = LayerFeatureTransformer(module, layer)
            features = reader.fit_transform(X[:n]), reader.transform(X_test)
            for row in indices(*features, labels, wrong, y_test, n_jobs):
                print(known, row, flush=True)
                yield known | dict(n_samples=n) | rounded(row)


def indices(features, features_test, labels, wrong, right, n_jobs):
    """Index of the labels trained on, of unseen images mislabelled so, and the right."""
    for name, estimator in estimators(n_jobs).items():
        row = dict(index=name)
        for part, X, y in (
            ("trained", features, labels),
            ("unseen", features_test, wrong),
            ("right", features_test, right),
        ):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", SmoothnessWarning)
                estimator.fit(X, y)
            low, high = estimator.alpha_interval_
            row |= {part: estimator.alpha_, f"{part}_low": low, f"{part}_high": high}
            kinds = sorted({each.category.__name__ for each in caught})
            row |= {f"{part}_cautions": ", ".join(kinds)}
            row |= {
                f"{part}_explained": estimator.explained_,
                f"{part}_wrong_labels": estimator.wrong_labels_,
                f"{part}_noise_is_bound": estimator.noise_is_bound_,
                f"{part}_oob_score": estimator.oob_score_,
            }
            if part == "trained":
                row["score"] = estimator.score(features_test, wrong)
        yield row


def order(rows):
    """How strictly the indices fall as more labels are wrong."""
    table, kinds = {}, {(row["stopped"], row["index"]) for row in rows}
    for stopped, index in sorted(kinds):
        chosen = [r for r in rows if (r["stopped"], r["index"]) == (stopped, index)]
        for column in ("trained", "unseen", "unseen_oob_score", "score"):
            strict, apart, n_steps = 0, 0, 0
            for seed in {row["seed"] for row in chosen}:
                own = [row for row in chosen if row["seed"] == seed]
                own.sort(key=lambda row: row["fraction"])
                steps = list(pairwise(own))
                strict += all(b[column] < a[column] for a, b in steps)
                if column in ("trained", "unseen"):
                    low, high = f"{column}_low", f"{column}_high"
                    apart += sum(b[high] < a[low] for a, b in steps)
                    n_steps += len(steps)
            n_seeds = len({row["seed"] for row in chosen})
            label = f"{stopped}, {index}, {column}"
            table[label] = {"strict": f"{strict} of {n_seeds} seeds"}
            if n_steps:
                table[label]["apart"] = f"{apart} of {n_steps} steps"
    return table


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--names", nargs="+", default=list(SETTINGS), choices=SETTINGS)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.names:
        trainings(name, options.data, options.cache, options.seeds)
        if not options.train_only:
            rows = []
            for seed in options.seeds:
                rows += measured(name, options.data, options.cache, seed, options.n_jobs)
            more = {"order": order(rows)}
            n, build, *_ = SETTINGS[name]
            setup = f"{build.__name__}, {n:,} images of {name}, last inner layer"
            write_lecture(f"mislabelled_{name.lower()}", rows, setup, more)
