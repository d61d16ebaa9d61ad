"""Is the index the true one? Accuracy, intervals and drift on known functions.

    python benchmarks/known_smoothness.py [--parts accuracy coverage drift]
        [--jobs 2] [--quick]

- accuracy: the default index, its interval and the two other rates against the truth, at
  20,000 and at 2,000 samples. ``elisha-dekel`` is halved, since it is the slope of squared
  errors.
- coverage: how often the 95 % interval holds the truth, and its full length, over 8 data
  sets of 150, 500 and 2,000 samples and 3 of 20,000 for every function.
- drift: from the first 2,000 samples of a function to all 100,000 of them.

The functions are those of ``make_known_smoothness`` and others of the same known indices.
The fit window was chosen on the first group and on similar functions (other seeds); the
second group was only looked at afterwards. "many classes" has nine and more: the first
three of them are among the hard ones, and were looked at while pairs of classes were made,
the others were not. ``--quick`` runs everything at a tenth. Noise: ``three_numbers.py``.
"""

import argparse

import numpy as np
from _data import quiet_fit
from _results import print_tables, write_results
from joblib import Parallel, delayed

from sksmooth.datasets import make_known_smoothness

SETUP = (
    "Default settings. 2 seeds at 20,000 samples, 4 at 2,000, the other indices one; "
    "coverage: 8 sets a function, 3 of 20,000 samples; drift: 2,000 samples (mean of four "
    "sets) to 100,000 of one function."
)
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


def stripes(n_classes):
    """Curved stripes that hold as many samples each."""

    def targets(X, rng):
        height = X[:, 0] + 0.3 * np.sin(4 * X[:, 1] + 6 * rng.uniform())
        height += 0.2 * (X[:, 2:] ** 2).sum(axis=1)
        return np.digitize(height, np.quantile(height, np.arange(1, n_classes) / n_classes))

    return targets


def spirals(n_classes):
    def targets(X, rng):
        centred = X - 0.5
        angle = np.arctan2(centred[:, 1], centred[:, 0]) / (2 * np.pi) + rng.uniform()
        turned = angle + 0.6 * np.linalg.norm(centred, axis=1)
        return np.floor(n_classes * (turned % 1)).astype(int)

    return targets


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
MANY_CLASSES = {
    **{name: sample for name, sample in HARD.items() if "smooth" not in name},
    **dict(
        [
            function("16 stripes in 2-d", 2, 0.5, stripes(16)),
            function("10 stripes in 3-d", 3, 0.25, stripes(10)),
            function("9 spirals in 2-d", 2, 0.5, spirals(9)),
            function("30 Voronoi cells in 2-d", 2, 0.5, nearest_of(30)),
            function("18 Voronoi cells in 3-d", 3, 0.25, nearest_of(18)),
            known("jump", n_relevant=2, n_classes=12, n_irrelevant=3),
        ]
    ),
}
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
FUNCTIONS = {**SEEN, **FRESH, **HARD, **MANY_CLASSES, **NO_NUMBER}


def measure(name, n_samples, seed, indices):
    """Find the true index, the interval of the first one, and what all of them say."""
    X, y, true = FUNCTIONS[name](n_samples, seed)
    fits = [quiet_fit(X, y, index=index, random_state=seed) for index in indices]
    halved = [f.alpha_ / (2 if f.index == "elisha-dekel" else 1) for f in fits]
    return true, *fits[0].alpha_interval_, *halved


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
    """Errors by group of functions, and the functions one by one."""
    rows = measure_all(FUNCTIONS, n_samples, range(n_seeds), n_jobs, INDICES)
    functions, errors = {}, {}
    for name, results in rows.items():
        true = results[0][0]
        low, high, alpha = np.mean([row[1:4] for row in results], axis=0)
        row = {"true": true, "mterm": alpha, "low": low, "high": high}
        if 0 < true < np.inf:
            error = np.mean([abs(row[3] / true - 1) for row in results])
            errors[name] = error, *np.abs(np.divide(results[0][4:], true) - 1)
            row["error %"] = 100 * error
        functions[name] = row | dict(zip(INDICES[1:], results[0][4:], strict=True))
    limit = 10 if n_samples >= 20_000 else 25
    groups = {"chosen on": SEEN, "fresh": FRESH, "hard": HARD}
    groups["many classes"] = MANY_CLASSES
    groups["many classes, not looked at"] = {
        name: sample for name, sample in MANY_CLASSES.items() if name not in HARD
    }
    groups["all but hard"] = {**SEEN, **FRESH}
    summary = {}
    for group, members in groups.items():
        table = 100 * np.array([errors[name] for name in members])
        for index, column in zip(INDICES, table.T, strict=True):
            summary[f"{group}, {index}"] = {
                "mean %": column.mean(),
                "worst %": column.max(),
                f"above {limit} %": int((column > limit).sum()),
                "functions": len(members),
            }
    of_noise = [abs(row["mterm"]) for row in functions.values() if row["true"] == 0]
    summary["noise, mterm"] = {"largest": max(of_noise), "functions": len(of_noise)}
    return {
        f"errors, {n_samples:,} samples": summary,
        f"functions, {n_samples:,} samples": functions,
    }


def coverage(n_samples, n_sets, n_jobs):
    """How many of the 95 % intervals hold the truth, and how long they are."""
    rows = measure_all({**SEEN, **FRESH}, n_samples, range(100, 100 + n_sets), n_jobs)
    table, functions, lengths = {}, {}, {}
    for name, results in rows.items():
        true, lows, highs, alphas = np.array(results).T
        functions[name] = (lows <= true) & (true <= highs)
        lengths[name] = (highs - lows) / alphas
    for group, members in {"chosen on": SEEN, "fresh": FRESH, "all": rows}.items():
        held = np.concatenate([functions[name] for name in members])
        length = np.concatenate([lengths[name] for name in members])
        table[group] = {
            "held %": 100 * held.mean(),
            "median length %": 100 * np.median(length),
            "intervals": len(held),
        }
    worst = min(functions, key=lambda name: functions[name].mean())
    table["worst function"] = {"held %": 100 * functions[worst].mean(), "name": worst}
    smooth = [name for name in rows if name.startswith(("smooth, d", "quadratic", "bump"))]
    held = np.concatenate([functions[name] for name in smooth if "d=1" not in name])
    table["smooth, 2 to 4 variables"] = {
        "held %": 100 * held.mean(),
        "intervals": len(held),
    }
    return {f"coverage, {n_samples:,} samples": table}


def drift_of(name, n_few, n_many):
    X, y, _ = FUNCTIONS[name](n_many, 0)
    few = [
        quiet_fit(X[start : start + n_few], y[start : start + n_few], random_state=0).alpha_
        for start in range(0, 4 * n_few, n_few)
    ]
    return float(np.mean(few)), quiet_fit(X, y, random_state=0).alpha_


def drift(n_few, n_many, n_jobs):
    """From the mean of four small sets to all samples of one function."""
    rows = Parallel(n_jobs)(delayed(drift_of)(name, n_few, n_many) for name in DRIFTING)
    table = {
        name: {"few": few, "many": many, "change %": 100 * abs(many / few - 1)}
        for name, (few, many) in zip(DRIFTING, rows, strict=True)
    }
    changes = np.array([row["change %"] for row in table.values()])
    table["all"] = {
        "mean %": changes.mean(),
        "median %": np.median(changes),
        "worst %": changes.max(),
        "above 6 %": int((changes > 6).sum()),
        "functions": len(changes),
    }
    return {"drift": table}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ["accuracy", "coverage", "drift"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a tenth; nothing is written")
    args = parser.parse_args()
    scale = 10 if args.quick else 1
    figures = {}
    if "accuracy" in args.parts:
        figures |= accuracy(20_000 // scale, 2, args.jobs)
        figures |= accuracy(2000 // scale, 4, args.jobs)
    if "coverage" in args.parts:
        for n_samples in (1500, 5000, 20_000) if args.quick else (150, 500, 2000, 20_000):
            n_sets = 3 if n_samples == 20_000 else 8
            figures |= coverage(n_samples // scale, n_sets, args.jobs)
    if "drift" in args.parts:
        figures |= drift(2000 // scale, 100_000 // scale, args.jobs)
    if args.quick:
        print_tables(figures)
    else:
        write_results("known_smoothness", figures, setup=SETUP, append=True)


if __name__ == "__main__":
    main()
