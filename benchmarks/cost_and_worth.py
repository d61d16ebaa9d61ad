"""Cost and worth of measures of a representation, side by side.

    python benchmarks/cost_and_worth.py [--npz FILE] [--parts 2000 10000 60000 worth]

- cost: seconds of each number on the pixels of 2,000, 10,000 and 60,000 images of MNIST,
  all with two jobs, warm and in turns; medians of five rounds, at 60,000 of three.
- worth: how each number ranks 20 representations of the same images, of which none has
  seen their labels, by the accuracies of five models (neighbours, forest, linear, SVM,
  boosting) that are trained on the same 3,000 images and tested on 3,000 others; means of
  two draws of images. *Regret* is by how many points the representation that the number
  puts first is less accurate than the best. Seconds are those of the processor, one
  thread, means over representations.

The numbers are those of one fit (``oob_score_``, which ranks as ``explained_`` does,
``alpha_``, ``roughness_``), with other settings, and of a fit to four fifths (``score`` on
the rest); and the usual alternatives: the out-of-bag score of a random forest (100 trees),
5 nearest neighbours by five folds or on a fifth, a logistic regression on a fifth. A fifth
is that of the same images; only the accuracies are those on others.

FILE holds ``train_image`` and ``train_label``; without it the images come from OpenML.
Representations and models are those of ``rank_features.py`` and the convolutions of
``grower.py``.
"""

import argparse
import os
import time
import warnings
from functools import partial

import numpy as np
from _data import in_turns, load_images, quiet_fit, seconds_of
from _results import write_results
from grower import convolve_and_pool
from joblib import Parallel, delayed
from rank_features import accuracies, image_representations, lost, models, random_forest
from scipy.stats import spearmanr
from sklearn.model_selection import StratifiedKFold, cross_val_score
from threadpoolctl import threadpool_limits

N_WORTH, N_OTHERS, N_DRAWS = 3_000, 1_000, 2
ROUNDS = {2_000: 5, 10_000: 5, 60_000: 3}
MOST_IN_FOLDS = 10_000  # five folds of neighbours take minutes for more
SETUP = (
    "MNIST. Cost: pixels, two jobs, medians of five rounds, at 60,000 rows of three. "
    f"Worth: 20 representations, {N_DRAWS} draws of {N_WORTH:,} images, tested on as many "
    "others"
)


# The numbers, all larger where smoother: functions of samples and jobs


def of_fit(X, y, jobs, **options):
    """All that is read of one fit."""
    fitted = quiet_fit(X, y, random_state=0, n_jobs=jobs, **options)
    return {
        "oob_score_": fitted.oob_score_,
        "alpha_": fitted.alpha_,
        "roughness_": -fitted.roughness_,
    }


def with_options(X, y, jobs, **options):
    return quiet_fit(X, y, random_state=0, n_jobs=jobs, **options).oob_score_


def on_a_fifth(X, y, fit):
    """Score of what is fitted to four fifths."""
    n_first = len(y) * 4 // 5
    return fit(X[:n_first], y[:n_first]).score(X[n_first:], y[n_first:])


def held_out_score(X, y, jobs):
    return on_a_fifth(X, y, partial(quiet_fit, random_state=0, n_jobs=jobs))


def out_of_bag(X, y, jobs):
    return random_forest(False, oob_score=True, n_jobs=jobs).fit(X, y).oob_score_


def neighbours(jobs):
    return models(False)["5-NN"].set_params(n_jobs=jobs)


def neighbours_in_folds(X, y, jobs):
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_score(neighbours(jobs), X, y, cv=folds).mean()


def neighbours_on_a_fifth(X, y, jobs):
    return on_a_fifth(X, y, neighbours(jobs).fit)


def logistic_on_a_fifth(X, y, jobs):
    return on_a_fifth(X, y, models(False)["linear"].fit)


OPTIONS = {
    "3 trees": {"n_estimators": 3},
    "without pairs": {"class_pairs": False},
    "10,000 rows a tree": {"max_samples": 10_000},
    "2,000 rows a tree": {"max_samples": 2_000},
    "500 rows a tree": {"max_samples": 500},
}
IN_FOLDS = "5-NN, five folds"


def numbers_for(n_samples):
    """List the numbers that so many samples allow, by name."""
    ours = {
        f"oob_score_, {name}": partial(with_options, **options)
        for name, options in OPTIONS.items()
        if options.get("max_samples", 0) < 0.8 * n_samples
    }
    folds = {IN_FOLDS: neighbours_in_folds} if n_samples <= MOST_IN_FOLDS else {}
    return {
        "oob_score_": of_fit,
        "score": held_out_score,
        **ours,
        "random forest, out of bag": out_of_bag,
        **folds,
        "5-NN, a fifth": neighbours_on_a_fifth,
        "logistic regression, a fifth": logistic_on_a_fifth,
    }


# What they cost


def cost(n_samples, args):
    X, y = load_images(args.npz, n_samples)
    actions = {
        name: partial(number, X, y, args.jobs)
        for name, number in numbers_for(n_samples).items()
    }
    compile_loops()
    seconds = in_turns(actions, args.repeats or ROUNDS[n_samples], is_warm=True)
    nearest = min(s for name, s in seconds.items() if name.startswith("5-NN"))
    return {
        f"cost, {n_samples:,} rows": {
            name: {"s": s, "in fits": s / seconds["oob_score_"], "in 5-NN": s / nearest}
            for name, s in seconds.items()
        }
    }


# What they are worth


REPRESENTATIONS = (
    *("raw", "blurred 1", "blurred 3", "noisy 0.3", "noisy 1", "every 7th pixel"),
    *("column means", "PCA 2", "PCA 5", "PCA 30", "PCA 100", "projection 5"),
    *("projection 30", "gradient histograms", "raw and 784 noise columns"),
    *("pixels shuffled in each image", "trained network, layer 2", "untrained network"),
)


def representations(X, y, fit, others):
    """Pairs of a name and features of all images."""
    for name, features in image_representations(X, y, fit, *others):
        if name in REPRESENTATIONS:
            yield name, features
    maps, rng = X.reshape(-1, 28, 28, 1)[:, 2:26, 2:26] / 255, np.random.RandomState(0)
    for _ in range(2):
        maps = convolve_and_pool(maps, 16, rng)
    yield "random convolutions", maps.reshape(len(X), -1)
    yield "random convolutions, means", maps.mean(axis=(1, 2))


def measure(draw, name, X, y, fit, test):
    """Values and seconds of the numbers, and accuracies of the models."""
    warnings.simplefilter("ignore")
    X = np.asarray(X, dtype=np.float32)
    found = {}
    with threadpool_limits(1):  # small fits on a busy machine would wait for threads
        for number, of_samples in numbers_for(len(fit)).items():
            action = partial(of_samples, X[fit], y[fit], 1)
            seconds, value = seconds_of(action, time.process_time)
            values = value if isinstance(value, dict) else {number: value}
            found |= {name: (seconds, value) for name, value in values.items()}
        return draw, name, found, accuracies(X[fit], y[fit], X[test], y[test])


def tasks(args):
    """Arguments of ``measure`` for every representation of every draw."""
    n_rows, size = 2 * N_WORTH, 2 * N_WORTH + N_OTHERS
    images, labels = load_images(args.npz)
    for draw in range(N_DRAWS):
        rows = slice(draw * size, draw * size + n_rows)
        others = slice(rows.stop, rows.stop + N_OTHERS)
        X, y = images[rows], labels[rows]
        fit, test = np.split(np.arange(n_rows), 2)
        found = representations(X, y, fit, (images[others], labels[others]))
        for name, features in found:
            yield draw, name, features, y, fit, test


def worth(args):
    compile_loops()
    results = Parallel(args.jobs, return_as="generator")(
        delayed(measure)(*task) for task in tasks(args)
    )
    draws = {draw: [] for draw in range(N_DRAWS)}
    for draw, name, found, accuracy in results:
        draws[draw].append((name, found, accuracy))
        print(f"{draw} {name}: {accuracy['mean']:.3f}", flush=True)
    return {
        "worth": mean_of([correlations(rows) for rows in draws.values()]),
        "representations": {
            name: {"accuracy, mean": accuracy["mean"]}
            | {number: value for number, (_, value) in found.items()}
            for name, found, accuracy in draws[0]
        },
    }


def compile_loops():
    """Compile the loops, so that nothing is timed with that."""
    X = np.random.default_rng(0).standard_normal((3000, 20)).astype(np.float32)
    y = np.arange(3000) % 10  # so many that the first nodes are searched by histograms
    quiet_fit(X, y).score(X, y)


def correlations(rows):
    """How each number of one draw goes with the accuracies."""
    _, found, accuracy = zip(*rows, strict=True)
    reached = {model: np.array([a[model] for a in accuracy]) for model in accuracy[0]}
    mean = reached.pop("mean")
    of_all = {"mean of five": mean, "best of five": np.max(list(reached.values()), axis=0)}
    table = {}
    for number in found[0]:
        seconds, values = np.transpose([f[number] for f in found])
        table[number] = {
            f"Spearman, {model}": spearmanr(values, of_model).statistic
            for model, of_model in (of_all | reached).items()
        }
        table[number] |= {"regret, points": lost(values, mean), "s": seconds.mean()}
    return table


def mean_of(tables):
    """Means over draws, cell by cell, and the lowest correlation."""
    first = "Spearman, mean of five"
    return {
        row: {column: np.mean([t[row][column] for t in tables]) for column in columns}
        | {f"{first}, lowest": min(t[row][first] for t in tables)}
        for row, columns in tables[0].items()
    }


PARTS = {**{str(n): partial(cost, n) for n in ROUNDS}, "worth": worth}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz", help="file of MNIST")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--repeats", type=int, help="rounds of the costs")
    args = parser.parse_args()
    for part in args.parts:
        write_results("cost_and_worth", PARTS[part](args), setup=SETUP, append=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # for the processes of joblib
    main()
