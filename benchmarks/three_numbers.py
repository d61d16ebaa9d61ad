"""Index, explained share and noise against what was put in.

    python benchmarks/three_numbers.py [--mnist mnist.npz] [--parts ladder signal sets cost]
        [--quick]

- ladder: 0 to 40 % of the labels wrong, or as much of the variance of regression targets
  noise. The index, both scores, and the measured noise, beside the rate in the fit window
  alone, which was the index before, and the out-of-bag score of a random forest.
- signal: how often the interval of ``signal_alpha_`` holds the index of the clean data, and
  the known one of smooth functions of two to four variables, with noise.
- sets: what is said of data whose right answer is known.
- cost: time of a whole fit over that of growing its forest, in turns.

Blobs, moons, digits and sines were looked at while the procedure was made; ``ladder`` has
two sets that were not: Gaussian quantiles and a sum of bumps. ``--mnist`` is a file of
``train_image`` and ``train_label``; without it MNIST comes from OpenML.
"""

import argparse
from functools import partial

import numpy as np
from _data import in_turns, load_images, quiet_fit
from _results import print_tables, write_results
from sklearn import datasets
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import corrupt_labels, make_known_smoothness
from sksmooth.estimators.base import growth_of
from sksmooth.estimators.besov import read_for
from sksmooth.trees import grow

LEVELS = (0.0, 0.01, 0.02, 0.05, 0.10, 0.20, 0.40)
SETUP = (
    "Default settings, random_state 0. Ladder: wrong labels are spread evenly over the "
    "other classes, noise of numbers is a share of the variance; score on every third row, "
    "of a fit to the others. Signal: 10 draws of each."
)


def sines(n_samples=3000, seed=5):
    X = np.random.RandomState(seed).uniform(size=(n_samples, 3))
    return X, np.sin(4 * X[:, 0]) + np.cos(3 * X[:, 1])


def bumps(n_samples=3000, seed=7):
    rng = np.random.RandomState(seed)
    X, centres = rng.uniform(size=(n_samples, 4)), rng.uniform(size=(5, 2))
    distances = ((X[:, None, :2] - centres) ** 2).sum(axis=2)
    return X, np.exp(-8 * distances).sum(axis=1)


def data_sets(mnist):
    """Ladders by name: features and clean targets."""
    blobs = dict(n_features=4, centers=4, cluster_std=0.6, random_state=0)
    sets = {
        "blobs": datasets.make_blobs(3000, **blobs),
        "moons": datasets.make_moons(3000, noise=0.05, random_state=0),
        "quantiles": datasets.make_gaussian_quantiles(
            n_samples=3000, n_features=2, n_classes=3, random_state=0
        ),
        "digits": datasets.load_digits(return_X_y=True),
        "sines": sines(),
        "bumps": bumps(),
        "friedman1": datasets.make_friedman1(3000, noise=0, random_state=0),
    }
    if mnist is not False:
        X, y = load_images(mnist, 10_000)
        sets |= {"MNIST, 2,000": (X[:2000], y[:2000]), "MNIST, 10,000": (X, y)}
    return sets


def with_noise(y, level, seed=0):
    """Targets with a share of wrong labels, or of noise in the variance."""
    if level == 0:
        return y
    if y.dtype.kind != "f":
        return corrupt_labels(y, level, random_state=seed)
    noise = np.random.RandomState(seed).standard_normal(len(y))
    return y + np.sqrt(level / (1 - level)) * y.std() * noise


def fit(X, y, **options):
    return quiet_fit(X, y, random_state=0, n_jobs=2, **options)


def forest_score(X, y):
    """Accuracy or R2 of a random forest out of the bag."""
    kind = RandomForestRegressor if y.dtype.kind == "f" else RandomForestClassifier
    return kind(100, oob_score=True, random_state=0, n_jobs=2).fit(X, y).oob_score_


def ladder(mnist, quick):
    tables, summary = {}, {}
    for name, (X, clean) in data_sets(False if quick else mnist).items():
        is_class, rows = clean.dtype.kind != "f", {}
        for level in LEVELS:
            y = with_noise(clean, level)
            whole, test = fit(X, y), np.arange(len(y)) % 3 == 2
            found = whole.wrong_labels_ if is_class else whole.noise_
            rows[f"{level:.0%}"] = {
                "alpha": whole.alpha_,
                "rate in window": whole.decay_.rate_in_window,
                "oob score": whole.oob_score_,
                "score": fit(X[~test], y[~test]).score(X[test], y[test]),
                "explained %": 100 * whole.explained_,
                "put in %": 100 * level,
                "found %": 100 * found,
                "is bound": whole.noise_is_bound_,
                "signal alpha": whole.signal_alpha_,
                "random forest": forest_score(X, y),
            }
        tables[f"ladder, {name}"] = rows
        summary[name] = summarised(list(rows.values()), is_class)
        print(name, summary[name], flush=True)
    return {"ladders": summary, **tables}


def summarised(rows, is_class):
    """Whether the numbers fall from 0 to 40 %, and how far the noise is off."""
    steps = [row for row in rows if row["put in %"] != 1]
    columns = ("alpha", "oob score", "score", "rate in window")
    falls = {
        f"{column} falls": bool((np.diff([row[column] for row in steps]) < 0).all())
        for column in columns
    }
    told = [row for row in steps[1:] if not row["is bound"]]
    error = [
        row["found %"] - row["put in %"]
        if is_class
        else 100 * (row["found %"] / row["put in %"] - 1)
        for row in told
    ]
    return falls | {
        "forest when clean": rows[0]["random forest"],
        "noise told": f"{len(told)} of {len(steps) - 1}",
        "error": max(map(abs, error), default=np.nan),
        "of": "points of labels" if is_class else "% of the noise",
    }


def signal(n_draws):
    """How often the clean index lies in the interval of the signal's."""
    table = {}
    for name, draw in {
        "blobs": lambda seed: datasets.make_blobs(
            2000, n_features=4, centers=4, cluster_std=0.6, random_state=seed
        ),
        "moons": lambda seed: datasets.make_moons(2000, noise=0.05, random_state=seed),
        "two circles": lambda seed: make_known_smoothness("jump", random_state=seed)[:2],
        "sines": lambda seed: sines(2000, seed),
    }.items():
        for level in (0.05, 0.2):
            held = []
            for seed in range(100, 100 + n_draws):
                X, y = draw(seed)
                low, high = fit(X, with_noise(y, level, seed)).signal_alpha_interval_
                held.append(low <= fit(X, y).alpha_ <= high)
            table[f"{name}, {level:.0%}"] = {"held %": 100 * np.mean(held)}
    for d in (2, 3, 4):
        held, widths = [], []
        for seed in range(100, 100 + n_draws):
            X, y, true = make_known_smoothness(
                "smooth", 5000, n_relevant=d, noise=0.2, random_state=seed
            )
            low, high = fit(X, y).signal_alpha_interval_
            held.append(low <= true <= high)
            widths.append((high - low) / true)
        table[f"smooth, d={d}, known index"] = {
            "held %": 100 * np.mean(held),
            "median width %": 100 * np.median(widths),
        }
    return {"signal": table}


def known_sets():
    """Data whose right answer is known, for the guide."""
    rng = np.random.RandomState(0)
    blobs = datasets.make_blobs(
        2000, n_features=4, centers=4, cluster_std=0.6, random_state=0
    )
    moons = datasets.make_moons(2000, noise=0.05, random_state=0)
    square = rng.uniform(size=(2000, 2))
    normal = rng.standard_normal((2000, 3))
    checkerboard = (np.floor(square * 4).sum(axis=1) % 2).astype(int)
    return {
        "blobs apart": blobs,
        "blobs, 1 % wrong": (blobs[0], with_noise(blobs[1], 0.01)),
        "blobs, 5 % wrong": (blobs[0], with_noise(blobs[1], 0.05)),
        "blobs, 40 % wrong": (blobs[0], with_noise(blobs[1], 0.4)),
        "moons": moons,
        "moons, 10 % wrong": (moons[0], with_noise(moons[1], 0.1)),
        "checkerboard 4 x 4": (square, checkerboard),
        "iris": datasets.load_iris(return_X_y=True),
        "wine": datasets.load_wine(return_X_y=True),
        "breast cancer": datasets.load_breast_cancer(return_X_y=True),
        "digits": datasets.load_digits(return_X_y=True),
        "digits, 20 % wrong": with_labels(datasets.load_digits(return_X_y=True), 0.2),
        "diabetes": datasets.load_diabetes(return_X_y=True),
        "friedman1": datasets.make_friedman1(2000, noise=1.0, random_state=0),
        "linear, R2 0.94": (
            normal,
            2 * normal[:, 0] + 0.5 * rng.standard_normal(2000),
        ),
        "noise, 3 classes": (normal, rng.randint(3, size=2000)),
    }


def with_labels(data, level):
    return data[0], with_noise(data[1], level)


def sets():
    table = {}
    for name, (X, y) in known_sets().items():
        fitted = fit(X, y)
        table[name] = {
            "random forest": forest_score(X, y),
            "alpha": fitted.alpha_,
            "oob score": fitted.oob_score_,
            "explained %": 100 * fitted.explained_,
            "noise %": 100 * fitted.noise_,
            "is bound": fitted.noise_is_bound_,
            "signal alpha": fitted.signal_alpha_,
            "terms for 90 %": fitted.n_terms_for(0.9),
        }
    return {"sets": table}


def cost(mnist, quick):
    """Time of a fit over that of its forest."""
    n = 2000 if quick else 20_000
    rings = make_known_smoothness("jump", n, n_classes=10, random_state=0)[:2]
    examples = {
        "numbers, 20,000 x 20": datasets.make_friedman1(n, n_features=20, random_state=0),
        "two classes, 20,000 x 20": datasets.make_classification(
            n, 20, n_informative=8, random_state=0
        ),
        "two classes, 2,000 x 5": make_known_smoothness(
            "jump", 2000, n_irrelevant=3, random_state=0
        )[:2],
        "ten rings, 20,000 x 2": rings,
        "digits": datasets.load_digits(return_X_y=True),
    }
    if not quick:
        examples["MNIST, 10,000"] = load_images(mnist, 10_000)
    table = {}
    for name, (X, y) in examples.items():
        estimator = BesovSmoothnessEstimator(random_state=0, n_jobs=2)
        samples = read_for(estimator, X, y)
        actions = {
            "growth s": partial(grow, samples, growth_of(estimator)),
            "fit s": partial(fit, X, y),
        }
        if y.dtype.kind != "f" and len(np.unique(y)) > 4:
            actions["without pairs s"] = partial(fit, X, y, class_pairs=False)
        seconds = in_turns(actions, 3 if quick else 5)
        ratios = {
            f"{key[:-2]} / growth": value / seconds["growth s"]
            for key, value in seconds.items()
            if key != "growth s"
        }
        table[name] = seconds | ratios
        print(name, table[name], flush=True)
    return {"cost": table}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ["ladder", "signal", "sets", "cost"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--mnist", help="npz file; without it MNIST comes from OpenML")
    parser.add_argument("--quick", action="store_true", help="small; nothing is written")
    args = parser.parse_args()
    figures = {}
    if "ladder" in args.parts:
        figures |= ladder(args.mnist, args.quick)
    if "signal" in args.parts:
        figures |= signal(3 if args.quick else 10)
    if "sets" in args.parts:
        figures |= sets()
    if "cost" in args.parts:
        figures |= cost(args.mnist, args.quick)
    if args.quick:
        print_tables(figures)
    else:
        write_results("three_numbers", figures, setup=SETUP, append=True)


if __name__ == "__main__":
    main()
