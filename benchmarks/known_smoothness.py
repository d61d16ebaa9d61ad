"""Is the index the true one? Accuracy, intervals, drift and noise on known functions.

    python benchmarks/known_smoothness.py [--parts accuracy coverage drift noise]
        [--jobs 2] [--quick]

- accuracy: the default index, its interval and the two other rates against the truth, at
  20,000 and at 2,000 samples. ``elisha-dekel`` is halved, since it is the slope of squared
  errors.
- coverage: how often the 95 % interval holds the truth, over 8 data sets of 2,000 samples
  for every function.
- drift: from the first 2,000 samples of a function to all 100,000 of them.
- noise: the index while noise is added or labels are flipped.

The functions are those of ``make_known_smoothness`` and others of the same known indices.
The fit window was chosen on the first group and on similar functions (other seeds); the
second group was only looked at afterwards. ``--quick`` runs everything at a tenth.
"""

import argparse
import time
import warnings

import numpy as np
from joblib import Parallel, delayed

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import make_known_smoothness

INDICES = ("mterm", "weak-lp", "elisha-dekel")
SYMBOLS = {
    "n_relevant": "d={}",
    "n_irrelevant": "{} more columns",
    "n_classes": "{} classes",
    "exponent": "s={}",
}


def known(kind, **options):
    details = [SYMBOLS[key].format(value) for key, value in options.items()]
    return ", ".join([kind, *details]), (
        lambda n, seed: make_known_smoothness(kind, n, random_state=seed, **options)
    )


def function(name, n_columns, true_index, targets):
    """``targets(X, rng)``: the random parts of the function are drawn first."""

    def sample(n_samples, seed):
        rng = np.random.RandomState(seed)
        parts = np.random.RandomState(rng.randint(2**31))
        X = rng.uniform(size=(n_samples, n_columns))
        return X, targets(X, parts), true_index

    return name, sample


def half_space(d):
    def targets(X, rng):
        return ((X[:, :d] - 0.5) @ rng.standard_normal(d) > 0).astype(int)

    return targets


def nearest_of(n_centres):
    def targets(X, rng):
        centres = rng.uniform(size=(n_centres, X.shape[1]))
        return ((X[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)

    return targets


def bump(X, rng):
    return np.exp(-2 * ((X - rng.uniform(size=X.shape[1])) ** 2).sum(axis=1))


def two_outputs(X, rng):
    return np.column_stack([np.sin(3 * X[:, 0] + X[:, 1]), np.cos(4 * X[:, 0] * X[:, 1])])


def ellipsoid(d):
    def targets(X, rng):
        axes = rng.uniform(0.25, 0.45, size=d)
        return ((((X[:, :d] - 0.5) / axes) ** 2).sum(axis=1) < 1).astype(int)

    return targets


def quadratic(d):
    def targets(X, rng):
        Z = X[:, :d] - rng.uniform(size=d)
        form = rng.standard_normal((d, d))
        return np.einsum("ni,ij,nj->n", Z, form, Z) + Z @ rng.standard_normal(d)

    return targets


def bands(X, rng):
    height = X[:, 0] + 0.5 * np.sin(2 * X[:, 1] + rng.uniform())
    return np.digitize(height, np.quantile(height, [1 / 3, 2 / 3]))


def piecewise_smooth(X, rng):
    return np.sin(2 * X[:, 0]) + 2.0 * (X[:, 0] + X[:, 1] ** 2 > 0.9)


SEEN = dict(
    [
        *[known("smooth", n_relevant=d) for d in (1, 2, 3, 4)],
        *[
            known("smooth", n_relevant=d, n_irrelevant=k)
            for d, k in ((1, 9), (2, 8), (3, 3), (4, 6))
        ],
        *[known("linear", n_relevant=d) for d in (1, 2, 3)],
        *[known("jump", n_relevant=d) for d in (2, 3, 4)],
        *[known("jump", n_relevant=d, n_irrelevant=k) for d, k in ((2, 3), (2, 8), (3, 4))],
        *[known("jump", n_relevant=d, n_classes=c) for d, c in ((2, 4), (3, 3))],
        *[
            known(kind, exponent=s)
            for kind in ("hoelder", "weierstrass", "fractional-brownian")
            for s in (0.3, 0.5, 0.7)
        ],
        known("weierstrass", exponent=0.5, n_irrelevant=2),
        known("weierstrass", exponent=0.4, n_irrelevant=9),
        function("half-space in 2-d", 2, 0.5, half_space(2)),
        function("half-space in 3-d", 3, 0.25, half_space(3)),
        function("bump in 2-d", 2, 0.5, bump),
        function("bump in 3-d", 3, 1 / 3, bump),
        function("two outputs in 2-d", 2, 0.5, two_outputs),
        function("5 Voronoi cells in 2-d", 2, 0.5, nearest_of(5)),
        function("4 Voronoi cells in 3-d", 3, 0.25, nearest_of(4)),
    ]
)
FRESH = dict(
    [
        function("ellipse", 2, 0.5, ellipsoid(2)),
        function("ellipse, 4 more columns", 6, 0.5, ellipsoid(2)),
        function("ellipsoid in 3-d", 3, 0.25, ellipsoid(3)),
        function("quadratic in 2-d, 2 more", 4, 0.5, quadratic(2)),
        function("quadratic in 3-d, 7 more", 10, 1 / 3, quadratic(3)),
        function("quadratic in 4-d", 4, 0.25, quadratic(4)),
        function("3 wavy bands in 2-d", 2, 0.5, bands),
        function("piecewise smooth in 2-d", 3, 0.5, piecewise_smooth),
        known("hoelder", exponent=0.2),
        known("hoelder", exponent=0.6, n_irrelevant=4),
        known("fractional-brownian", exponent=0.4, n_irrelevant=3),
    ]
)
HARD = dict(
    [
        known("jump", n_relevant=2, n_classes=10),
        known("jump", n_relevant=3, n_classes=10),
        known("smooth", n_relevant=8),
        function("20 Voronoi cells in 2-d", 2, 0.5, nearest_of(20)),
    ]
)
NO_NUMBER = dict(
    [
        known("noise", n_relevant=2),
        known("noise", n_relevant=10),
        known("noise-labels", n_classes=2),
        known("noise-labels", n_classes=5),
        known("jump", n_relevant=1),
        known("boxes", n_relevant=2, n_classes=4),
        known("boxes", n_relevant=3, n_classes=4),
        known("boxes", n_relevant=3, n_classes=2),
    ]
)
DRIFTING = (  # those that take least time at 100,000 samples
    *[name for name in SEEN if not name.startswith("smooth")],
    "smooth, d=2",
    "ellipse",
    "ellipsoid in 3-d",
    "3 wavy bands in 2-d",
)
FUNCTIONS = {**SEEN, **FRESH, **HARD, **NO_NUMBER}


def fit(X, y, seed, index="mterm"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BesovSmoothnessEstimator(index=index, random_state=seed).fit(X, y)


def measure(name, n_samples, seed, indices):
    X, y, true = FUNCTIONS[name](n_samples, seed)
    fits = [fit(X, y, seed, index) for index in indices]
    warned = [type(caution).__name__ for caution in fits[0].decay_.cautions]
    halved = [f.alpha_ / (2 if f.index == "elisha-dekel" else 1) for f in fits]
    agrees = [abs(f.alpha_ - halved[0]) <= np.ptp(f.alpha_interval_) / 2 for f in fits]
    return true, *fits[0].alpha_interval_, warned, agrees, *halved


def measure_all(names, n_samples, seeds, n_jobs, indices=("mterm",)):
    tasks = [(name, seed) for name in names for seed in seeds]
    results = Parallel(n_jobs)(
        delayed(measure)(name, n_samples, seed, indices if seed == 0 else indices[:1])
        for name, seed in tasks
    )
    rows = {name: [] for name in names}
    for (name, _), result in zip(tasks, results, strict=True):
        rows[name].append(result)
    return rows


def accuracy(n_samples, n_seeds, n_jobs):
    print(f"\n## {n_samples} samples; mterm: means over {n_seeds} seeds, others: one\n")
    print(
        f"{'function':46s}{'true':>6s}{'mterm':>8s}{'low':>7s}{'high':>7s}{'error':>8s}"
        f"{'weak-lp':>9s}{'e-d / 2':>9s}  warnings"
    )
    rows = measure_all(FUNCTIONS, n_samples, range(n_seeds), n_jobs, INDICES)
    errors, agreements = {}, []
    for name, results in rows.items():
        true = results[0][0]
        low, high = np.mean([row[1:3] for row in results], axis=0)
        values = np.mean([row[5] for row in results]), *results[0][6:]
        error = np.nan
        if 0 < true < np.inf:
            error = np.mean([abs(row[5] / true - 1) for row in results])
            errors[name] = error, *np.abs(np.divide(results[0][6:], true) - 1)
            agreements.append(results[0][4][1])
        warned = sorted({kind for row in results for kind in row[3]})
        print(
            f"{name:46s}{true:6.3f}{values[0]:8.3f}{low:7.3f}{high:7.3f}{error:8.1%}"
            f"{values[1]:9.3f}{values[2]:9.3f}  {' '.join(warned)}"
        )
    for label, group in (("chosen on", SEEN), ("fresh", FRESH), ("hard", HARD)):
        table = np.array([errors[name] for name in group])
        limit = 0.1 if n_samples >= 20_000 else 0.25
        print(f"relative error, {label} ({len(group)} functions):")
        for i, index in enumerate(INDICES):
            mean, worst = table[:, i].mean(), table[:, i].max()
            print(
                f"  {index:14s}mean {mean:6.1%}  worst {worst:6.1%}  above {limit:.0%}: "
                f"{(table[:, i] > limit).sum()}  ratio {mean / table[:, 0].mean():4.1f}"
            )
    print(f"weak-lp agrees with mterm within its interval: {np.mean(agreements):.0%}")


def coverage(n_samples, n_sets, n_jobs):
    print(f"\n## 95 % intervals of {n_sets} data sets of {n_samples} samples each\n")
    print(
        f"{'function':46s}{'true':>6s}{'mean':>8s}{'sd':>7s}{'half width':>12s}{'held':>7s}"
    )
    rows = measure_all({**SEEN, **FRESH}, n_samples, range(100, 100 + n_sets), n_jobs)
    total = {"chosen on": [], "fresh": []}
    for name, results in rows.items():
        true, lows, highs, _, _, alphas = zip(*results, strict=True)
        held = (np.array(lows) <= true) & (true <= np.array(highs))
        total["chosen on" if name in SEEN else "fresh"] += held.tolist()
        print(
            f"{name:46s}{true[0]:6.3f}{np.mean(alphas):8.3f}{np.std(alphas):7.3f}"
            f"{np.mean(np.subtract(highs, lows)) / 2:12.3f}{held.mean():7.0%}"
        )
    for label, held in total.items():
        print(f"{label}: {np.mean(held):.1%} of {len(held)} intervals hold the truth")
    held = total["chosen on"] + total["fresh"]
    print(f"all: {np.mean(held):.1%} of {len(held)} intervals hold the truth")


def drift_of(name, n_few, n_many):
    X, y, true = FUNCTIONS[name](n_many, 0)
    few = [
        fit(X[start : start + n_few], y[start : start + n_few], 0).alpha_
        for start in range(0, 4 * n_few, n_few)
    ]
    return true, float(np.mean(few)), fit(X, y, 0).alpha_


def drift(n_few, n_many, n_jobs):
    print(f"\n## From {n_few} samples (mean of four sets) to {n_many} of one function\n")
    rows = Parallel(n_jobs)(delayed(drift_of)(name, n_few, n_many) for name in DRIFTING)
    changes = []
    for name, (true, few, many) in zip(DRIFTING, rows, strict=True):
        changes.append(abs(many / few - 1))
        print(f"{name:46s}{true:6.3f}{few:8.3f}{many:8.3f}{changes[-1]:8.1%}")
    print(
        f"mean {np.mean(changes):.1%}, median {np.median(changes):.1%}, worst "
        f"{np.max(changes):.1%}, above 6 %: {np.sum(np.array(changes) > 0.06)} of "
        f"{len(changes)}"
    )


def noise(n_samples, n_jobs):
    print(f"\n## The index while noise is added, {n_samples} samples\n")
    levels = {
        "smooth": (0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
        "weierstrass": (0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
        "jump": (0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4),
    }

    def alpha(kind, level):
        X, y, _ = make_known_smoothness(kind, n_samples, noise=level, random_state=0)
        return fit(X, y, 0).alpha_

    for kind, own in levels.items():
        alphas = Parallel(n_jobs)(delayed(alpha)(kind, level) for level in own)
        steps = " ".join(f"{level:g}:{a:.3f}" for level, a in zip(own, alphas, strict=True))
        falls = "falls at every step" if (np.diff(alphas) < 0).all() else "DOES NOT FALL"
        print(f"{kind:14s}{steps}  {falls}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ["accuracy", "coverage", "drift", "noise"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    scale = 10 if args.quick else 1
    start = time.perf_counter()
    if "accuracy" in args.parts:
        accuracy(20_000 // scale, 2, args.jobs)
        accuracy(2000 // scale, 4, args.jobs)
    if "coverage" in args.parts:
        coverage(2000 // scale, 8, args.jobs)
    if "drift" in args.parts:
        drift(2000 // scale, 100_000 // scale, args.jobs)
    if "noise" in args.parts:
        noise(10_000 // scale, args.jobs)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
