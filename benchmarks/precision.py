"""Time saved by choosing the number of trees with ``precision=``, and the error.

    python benchmarks/precision.py [--quick]

Functions of known index, fitted with all trees and with the trees that a precision needs:
their number, the time relative to all trees (of the process, least of two fits each, in
turns), the mean absolute error of the index, how often the precision is reached, and how
often the intervals of all fits that stop early hold the truth.
"""

import argparse
import time
from functools import partial

import numpy as np
from _data import quiet_fit, seconds_of
from _results import print_tables, write_results

from sksmooth.datasets import make_known_smoothness

N_SAMPLES, N_SEEDS = 5000, 4
PRECISIONS = (0.1, 0.05, 0.02)
FUNCTIONS = {
    "noise labels": dict(kind="noise-labels", n_relevant=4),
    "linear, d=4": dict(kind="linear", n_relevant=4),
    "jump, d=3": dict(kind="jump", n_relevant=3),
    "jump, d=2, 10 classes": dict(kind="jump", n_relevant=2, n_classes=10),
    "smooth, d=2": dict(kind="smooth", n_relevant=2),
    "fractional Brownian, s=0.3": dict(kind="fractional-brownian", exponent=0.3),
}
SETUP = (
    "Samples of each function: 5,000 (--quick: 500), of four seeds. At most 10 trees, the "
    "default. Class pairs as by default."
)


def timed(X, y, **options):
    """Fit twice, the first time perhaps with compilation."""
    runs = [
        seconds_of(partial(quiet_fit, X, y, n_estimators=10, **options), time.process_time)
        for _ in range(2)
    ]
    return min(seconds for seconds, _ in runs), runs[0][1]


def measure(options, n_samples):
    rows = {precision: [] for precision in PRECISIONS}
    for seed in range(N_SEEDS):
        X, y, truth = make_known_smoothness(
            n_samples=n_samples, random_state=seed, **options
        )
        seconds, whole = timed(X, y, random_state=seed)
        for precision, row in rows.items():
            own_seconds, some = timed(X, y, precision=precision, random_state=seed)
            low, high = some.alpha_interval_
            row.append(
                (
                    some.wavelets_.n_trees,
                    100 * own_seconds / seconds,
                    abs(whole.alpha_ - truth),
                    abs(some.alpha_ - truth),
                    100 * (some.decay_.half_width <= precision),
                    100 * (low <= truth <= high),
                    100 * (whole.alpha_interval_[0] <= truth <= whole.alpha_interval_[1]),
                )
            )
    names = ("trees", "time, %", "error of all", "error", "reached, %")
    names = (*names, "covered, %", "covered by all, %")
    return {
        precision: dict(zip(names, np.mean(row, axis=0).tolist(), strict=True))
        for precision, row in rows.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args().quick
    figures = {}
    for name, options in FUNCTIONS.items():
        found = measure(options, N_SAMPLES // 10 if is_quick else N_SAMPLES)
        for precision, row in found.items():
            figures.setdefault(f"precision {precision:g}", {})[name] = row
    if is_quick:
        print_tables(figures)
    else:
        write_results("precision", figures, setup=SETUP)


if __name__ == "__main__":
    main()
