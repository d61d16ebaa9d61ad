"""Compare this checkout with another commit: the same results, bit for bit, and how fast.

    python benchmarks/against_commit.py COMMIT [--bits 200] [--speed] [--rounds 5]
    python benchmarks/against_commit.py FILE [--bits 200]
    python benchmarks/against_commit.py --record FILE [--bits 200]

COMMIT is checked out in a temporary ``git worktree``. Each side runs in its own processes,
with its checkout on PYTHONPATH, one thread, and these very scripts, which use public names
only. The exit status is 1 if results differ. All figures go to
``results/against_commit.json``.

Results: the fits of ``_random_fits.py``. What differs is listed with the number of the fit
(``--only NUMBER`` repeats it alone), its options and the values. ``--record`` writes the
results of the package that Python finds to a file, which may take the place of COMMIT.

Speed: two processes, one a checkout, take turns, so that a busy machine slows down both.
"fit" is that of ``BesovSmoothnessEstimator``. "growth" is that of
``WaveletForestClassifier(n_terms=None)``, an upper bound: no public name grows a forest and
does nothing else, and this fit adds least to it. "first" is the first fit of a process that
has no compiled loops. The ratios are those of the least and the median wall time, and of
the median processor time, which other work disturbs least. ``--bits 0`` measures speed
alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from operator import methodcaller
from pathlib import Path

import numpy as np
from _results import write_results
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def record(path, numbers):
    """Write the results of some fits of the package that Python finds."""
    from _random_fits import record_fit

    import sksmooth

    print(f"{len(numbers)} fits of {Path(sksmooth.__file__).parent}", flush=True)
    fits = {str(number): record_fit(number) for number in numbers}
    Path(path).write_text(json.dumps(fits, indent=1) + "\n")


def recorded(checkout, numbers, folder):
    """Results of some fits of a checkout, in a process of its own."""
    path = Path(folder) / "record.json"
    numbers = [str(number) for number in numbers]
    command = [sys.executable, __file__, "--record", str(path), "--only", *numbers]
    subprocess.run(command, env=environment(checkout), check=True)
    return json.loads(path.read_text())


def compare_bits(old, new):
    """Print and give what differs: fit, attribute, old and new value."""
    if set(new) - set(old):
        sys.exit(f"The record holds {len(old)} fits, not all of those that are compared.")
    different = {}
    for number, fit in new.items():
        before, after = (side["options"] | side["results"] for side in (old[number], fit))
        names = [n for n in before | after if before.get(n) != after.get(n)]
        if names:
            different[f"fit {number}"] = {"differ": ", ".join(names)}
            print(f"\nfit {number}: {json.dumps(fit['options'])}")
        for name in names:
            print(f"  {name}\n    old {before.get(name)}\n    new {after.get(name)}")
    counts = {
        "compared": len(new),
        "refused": sum("error" in fit["results"] for fit in new.values()),
        "different": len(different),
    }
    print("\nfits:", ", ".join(f"{count} {name}" for name, count in counts.items()))
    return {"fits": {"all": counts}} | ({"differences": different} if different else {})


def images(n, size):
    """Smooth random images of ten classes, far from separable."""
    rng = np.random.default_rng(0)
    y = rng.integers(10, size=n)
    smooth = gaussian_filter(rng.standard_normal((n + 10, size, size)), (0, 2, 2))
    return (smooth[10:] + 0.5 * smooth[y]).astype(np.float32), y


def convolved(n):
    """Make features of convolution, ReLU and pooling: 6 x 6 x 64 = 2304 of them."""
    X, y = images(n, 28)
    filters = np.random.default_rng(1).standard_normal((25, 64)).astype(np.float32)
    features = np.empty((n, 2304), dtype=np.float32)
    for start in range(0, n, 500):
        patches = np.lib.stride_tricks.sliding_window_view(
            X[start : start + 500], (5, 5), (1, 2)
        )
        response = np.maximum(patches.reshape(-1, 6, 4, 6, 4, 25) @ filters, 0)
        features[start : start + 500] = response.max(axis=(2, 4)).reshape(-1, 2304)
    return features, y


def flat_images():
    X, y = images(10_000, 28)
    return X.reshape(len(X), -1), y


def table(n, is_regression=False):
    X = np.random.default_rng(0).standard_normal((n, 20))
    value = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * X[:, 3]
    return X, value if is_regression else (value > 0).astype(int)


def digits():
    return load_digits(return_X_y=True)


# A function that makes the samples, and parameters of the estimator.
CASES = {
    "20,000 x 2,304, 2 trees": (lambda: convolved(20_000), {"n_estimators": 2}),
    "digits, 10 trees": (digits, {}),
    "20,000 x 20, 10 trees": (lambda: table(20_000), {}),
    "sqrt of 10,000 x 784, 10 trees": (flat_images, {"max_features": "sqrt"}),
    "sqrt, 2 trees": (flat_images, {"max_features": "sqrt", "n_estimators": 2}),
    "sqrt, 1 tree": (flat_images, {"max_features": "sqrt", "n_estimators": 1}),
}
FIRST = {
    "first, classes": (digits, {"n_estimators": 2}),
    "first, regression": (lambda: table(1000, is_regression=True), {"n_estimators": 2}),
}


class Worker:
    """A process with one checkout that times what it is asked for."""

    def __init__(self, checkout, **variables):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker"],
            env=environment(checkout) | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, case, what):
        """Wall and processor seconds of a fit."""
        print(json.dumps([case, what]), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()


def work():
    """Answer the questions of a :class:`Worker`."""
    import sksmooth
    from sksmooth import BesovSmoothnessEstimator, WaveletForestClassifier

    print(f"timing {Path(sksmooth.__file__).parent}", file=sys.stderr)
    warnings.simplefilter("ignore")
    at_hand = None
    for line in sys.stdin:
        case, what = json.loads(line)
        make, parameters = (CASES | FIRST)[case]
        if case != at_hand:
            (X, y), at_hand = make(), case
        if what == "growth":
            parameters = dict(n_terms=None, max_samples=0.8, n_estimators=10) | parameters
            estimator = WaveletForestClassifier(random_state=0, **parameters)
        else:
            estimator = BesovSmoothnessEstimator(random_state=0, **parameters)
        start, n_fits = np.array([time.perf_counter(), time.process_time()]), 0
        taken = np.zeros(2)
        while n_fits == 0 or (taken[0] < 0.5 and case in CASES):  # one is too short to time
            estimator.fit(X, y)
            n_fits += 1
            taken = np.array([time.perf_counter(), time.process_time()]) - start
        print(json.dumps((taken / n_fits).tolist()), flush=True)


def compare_speed(old, new, rounds):
    """Print and give the seconds of both checkouts, case by case."""
    figures = {}
    with Worker(old) as old_worker, Worker(new) as new_worker:
        workers = old_worker, new_worker
        print(f"\n{'':40s}{'seconds':^16s}{'new / old':^24s}")
        print(f"{'':40s}{'old':>8s}{'new':>8s}{'least':>8s}{'median':>8s}{'CPU':>8s}")
        for case in CASES:
            for what in ("growth", "fit"):
                seconds = methodcaller("seconds", case, what)
                in_turns(workers, 0, seconds)  # compiles
                taken = [in_turns(workers, i, seconds) for i in range(rounds)]
                figures[f"{case}: {what}"] = print_ratios(f"{case}: {what}", taken)
    taken = np.array([in_turns((old, new), i, first_fits) for i in range(3)])
    for i, case in enumerate(FIRST):
        figures[case] = print_ratios(case, taken[:, :, i])
    return figures


def in_turns(sides, i, measure):
    """Measure both sides, every other time the second one first."""
    if i % 2:
        return [measure(side) for side in sides]
    return [measure(side) for side in sides[::-1]][::-1]


def first_fits(checkout):
    """Seconds of fits, each in a process without compiled loops."""
    seconds = []
    for case in FIRST:
        with (
            tempfile.TemporaryDirectory() as cache,
            Worker(checkout, NUMBA_CACHE_DIR=cache) as worker,
        ):
            seconds.append(worker.seconds(case, "fit"))
    return seconds


def print_ratios(name, taken):
    """Print a row of seconds of shape (rounds, sides, clocks), and give its figures."""
    taken = np.array(taken)
    least, median = taken.min(axis=0), np.median(taken, axis=0)
    ratios = [least[1, 0] / least[0, 0], *(median[1] / median[0])]
    numbers = [*least[:, 0], *ratios]
    print(f"{name:40s}" + "".join(f"{x:8.3f}" for x in numbers), flush=True)
    names = ["old s", "new s", "least new / old", "median new / old", "CPU new / old"]
    return dict(zip(names, map(float, numbers), strict=True))


def environment(checkout):
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": str(checkout)}


@contextmanager
def worktree(commit):
    """Check a commit out to a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "checkout")
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", path, commit], check=True)
        try:
            yield path
        finally:
            subprocess.run([*git, "remove", "--force", path], check=True)


def compare(args, numbers, old_checkout, folder):
    """Compare what is asked for, write the figures, and give the exit status."""
    figures = {}
    if numbers:
        if old_checkout is None:
            old = json.loads(Path(args.against).read_text())
        else:
            old = recorded(old_checkout, numbers, folder)
        figures |= compare_bits(old, recorded(ROOT, numbers, folder))
    if args.speed:
        figures["speed"] = compare_speed(old_checkout, str(ROOT), args.rounds)
    setup = f"against {Path(args.against).name}, one thread"
    setup += f", {args.rounds} rounds" * args.speed
    write_results("against_commit", figures, setup=setup)
    return int("differences" in figures)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("against", nargs="?", help="commit, or file that --record wrote")
    parser.add_argument("--bits", type=int, default=200, help="number of fits")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of fits")
    parser.add_argument("--record", help="file for the results of the package in use")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--rounds", type=int, default=5, help="of timings")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    numbers = list(range(args.bits)) if args.only is None else args.only
    if args.worker:
        return work()
    if args.record:
        return record(args.record, numbers)
    if args.against is None or (args.speed and Path(args.against).is_file()):
        parser.error("name a commit to compare with")
    with tempfile.TemporaryDirectory() as folder:
        if Path(args.against).is_file():
            return compare(args, numbers, None, folder)
        with worktree(args.against) as old:
            return compare(args, numbers, old, folder)


if __name__ == "__main__":
    sys.exit(main())
