"""Measured against true index on every function of ``make_known_smoothness``.

    python benchmarks/known_smoothness.py [--n-samples 20000] [--seeds 2] [--jobs 2]

Prints a table: the true index, the default index with its interval and R^2 (means over
seeds), and the other two rates for comparison. ``elisha-dekel`` is halved, since it is
the slope of squared errors.
"""

import argparse
import time
import warnings

import numpy as np

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import make_known_smoothness

CASES = [
    *[("smooth", dict(n_relevant=d)) for d in (1, 2, 3, 4)],
    ("smooth", dict(n_relevant=2, n_irrelevant=3)),
    *[("linear", dict(n_relevant=d)) for d in (1, 2, 3)],
    *[("jump", dict(n_relevant=d)) for d in (2, 3, 4)],
    ("jump", dict(n_relevant=2, n_irrelevant=3)),
    ("jump", dict(n_relevant=2, n_classes=4)),
    ("jump", dict(n_relevant=3, n_classes=10)),
    *[
        (kind, dict(exponent=s))
        for kind in ("hoelder", "weierstrass", "fractional-brownian")
        for s in (0.3, 0.5, 0.7)
    ],
    ("weierstrass", dict(exponent=0.5, n_irrelevant=2)),
    ("noise", {}),
    ("noise-labels", dict(n_classes=5)),
    ("jump", dict(n_relevant=1)),
    ("boxes", dict(n_relevant=3)),
]


def measure(kind, options, n_samples, seed, n_jobs):
    X, y, alpha = make_known_smoothness(kind, n_samples, random_state=seed, **options)
    fits = {}
    for index in ("mterm", "weak-lp", "elisha-dekel"):
        estimator = BesovSmoothnessEstimator(index=index, random_state=seed, n_jobs=n_jobs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fits[index] = estimator.fit(X, y)
    default = fits["mterm"]
    return alpha, [
        default.alpha_,
        *default.alpha_interval_,
        default.r_squared_,
        fits["weak-lp"].alpha_,
        fits["elisha-dekel"].alpha_ / 2,
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()

    print(f"{args.n_samples} samples, means over {args.seeds} seeds")
    print(
        f"{'function':20s}{'options':40s}{'true':>7s}{'mterm':>8s}{'low':>7s}{'high':>7s}"
        f"{'R^2':>7s}{'rel.err':>9s}{'weak-lp':>9s}{'e-d / 2':>9s}"
    )
    start, errors = time.perf_counter(), []
    for kind, options in CASES:
        rows = [
            measure(kind, options, args.n_samples, seed, args.jobs)
            for seed in range(args.seeds)
        ]
        alpha, measured = rows[0][0], np.array([row[1] for row in rows])
        values, relative = measured.mean(axis=0), np.nan
        if 0 < alpha < np.inf:
            errors.append(np.abs(measured[:, [0, 4, 5]] / alpha - 1).mean(axis=0))
            relative = errors[-1][0]
        print(
            f"{kind:20s}{options!s:40s}{alpha:7.3f}{values[0]:8.3f}{values[1]:7.3f}"
            f"{values[2]:7.3f}{values[3]:7.3f}{relative:9.1%}{values[4]:9.3f}"
            f"{values[5]:9.3f}"
        )
    mean, worst = np.mean(errors, axis=0), np.max(errors, axis=0)
    print("relative error where the truth is finite and positive:")
    for i, name in enumerate(("mterm", "weak-lp", "elisha-dekel / 2")):
        ratio = mean[i] / mean[0]
        print(f"  {name:18s}mean {mean[i]:6.1%}  worst {worst[i]:6.1%}  ratio {ratio:4.1f}")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
