"""The built-in grower against scikit-learn and scikit-learn-intelex, at real size.

    python benchmarks/grower.py [--images FILE] [--jobs 2] [--parts speed digits ...]
    python benchmarks/grower.py --parts sampled [--npz FILE] [--repeats 3]

20,000 CIFAR-10 images go through two seeded random layers of convolution, ReLU and pooling:
2,304 features, 10 classes. Trees are grown to full depth with all features. Images are read
from an npz file (``train_image``, ``train_label``) or fetched from OpenML. All sides run in
one process, warm and in turns; medians of five.

The time of sksmooth is that of a whole fit of ``BesovSmoothnessEstimator``, of which growth
was 95 % when the two were timed apart, against the growth of the others.

The part ``sampled`` tries a few of the features at each node, as forests for prediction do,
on one core: MNIST (an npz file, or OpenML), digits and a generated table.
"""

import argparse
import tempfile
import threading
import time
import warnings
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from _data import in_turns, load_colour_images, load_images
from _results import write_results
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier

from sksmooth import BesovSmoothnessEstimator

SETUP = (
    "20,000 CIFAR-10 images through two random layers: 2,304 features, 10 classes; "
    "full depth, all features; scaling: two trees; memory: whole fits of 10 trees to "
    "memory maps of random numbers; sampled: all rows, one core, seconds of the process; "
    "classes and wide: whole fits of 10 trees on one core, seconds of the process; 1,000 "
    "classes in 20 columns, and 500 rows of 20,000"
)


def layer_features(file, n_samples):
    """Grey 24 x 24 crops through two random layers: 6 x 6 x 64 features."""
    images, labels = load_colour_images(file, n_samples)
    rng = np.random.RandomState(0)
    maps = images[:, 4:28, 4:28].astype(np.float32).mean(axis=3, keepdims=True) / 255
    for _ in range(2):
        maps = convolve_and_pool(maps, 64, rng)
    return maps.reshape(len(maps), -1), labels


def convolve_and_pool(maps, n_filters, rng, size=5):
    n, height, width, depth = maps.shape
    filters = rng.standard_normal((size * size * depth, n_filters)).astype(np.float32)
    filters /= np.sqrt(len(filters) / 2)
    pad = size // 2
    out = np.empty((n, height // 2, width // 2, n_filters), dtype=np.float32)
    for start in range(0, n, 250):
        block = np.pad(maps[start : start + 250], ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        patches = np.lib.stride_tricks.sliding_window_view(block, (size, size), (1, 2))
        response = np.maximum(patches.reshape(len(block), height, width, -1) @ filters, 0)
        response = response.reshape(len(block), height // 2, 2, width // 2, 2, n_filters)
        out[start : start + 250] = response.max(axis=(2, 4))
    return out


def fit(X, y, n_trees, jobs, **options):
    """Make a function that fits an estimator of so many trees."""
    estimator = BesovSmoothnessEstimator(n_trees, random_state=0, n_jobs=jobs, **options)
    return lambda: estimator.fit(X, y)


def with_ratios(times, ours="sksmooth"):
    return {who: {"s": s, "ratio": s / times[ours]} for who, s in times.items()}


def compare_speed(X, y, args):
    """Grow the same number of trees on the same rows: all of them."""
    options = dict(max_features=None, bootstrap=False, n_jobs=args.jobs, random_state=0)
    actions = {
        "sksmooth": fit(X, y, args.n_trees, args.jobs, max_samples=1.0),
        "scikit-learn": lambda: RandomForestClassifier(args.n_trees, **options).fit(X, y),
    }
    try:
        from sklearnex.ensemble import RandomForestClassifier as IntelForest

        actions["scikit-learn-intelex"] = lambda: IntelForest(args.n_trees, **options).fit(
            X, y
        )
    except ImportError:
        print("scikit-learn-intelex is not installed and left out")
    return with_ratios(in_turns(actions, args.repeats))


def compare_index(X, y, args):
    """Compare the index of the built-in trees with that of exact ones on as many rows."""
    trees = BaggingClassifier(
        DecisionTreeClassifier(), 4, max_samples=0.8, bootstrap=False, n_jobs=args.jobs,
        random_state=0,
    )  # fmt: skip
    table = {}
    for index in ("mterm", "elisha-dekel"):
        own = fit(X, y, 4, args.jobs, index=index)()
        exact = fit(X, y, 4, args.jobs, index=index, forest=trees)()
        half = np.ptp(own.alpha_interval_) / 2
        table[index] = {"alpha": own.alpha_, "half width": half, "exact": exact.alpha_}
    return table


def compare_jobs(X, y, args):
    times = in_turns({(n, jobs): fit(X, y, n, jobs) for n in (4, 1) for jobs in (1, 2)})
    return {
        f"{n} trees": {
            "1 job, s": times[n, 1],
            "2 jobs, s": times[n, 2],
            "ratio": times[n, 1] / times[n, 2],
        }
        for n in (4, 1)
    }


def compare_digits(X, y, args):
    """Five trees of depth 9 on digits, as the published tool has them."""
    X, y = load_digits(return_X_y=True)
    exact = RandomForestClassifier(5, max_depth=9, max_features=None, random_state=0)
    return with_ratios(
        in_turns(
            {
                "sksmooth": fit(X / 16, y, 5, 1, index="elisha-dekel", max_depth=9),
                "scikit-learn": lambda: exact.fit(X / 16, y),
            }
        )
    )


def sampled_problems(file):
    """List samples, targets, features tried at each node, and how many trees are grown."""
    X, y = load_images(file)
    order = np.random.RandomState(0).permutation(len(X))[:60_000]
    X, y = X[order], y[order]
    yield "MNIST 10,000 x 784, classes", X[:10_000], y[:10_000], "sqrt", 100
    yield "MNIST 60,000 x 784, classes", X, y, "sqrt", 20
    # Nearly all targets differ, so that trees are as large as they can be.
    distances = np.linalg.norm(X[:3_000] - X[0], axis=1).astype(float)
    yield "MNIST 3,000 x 784, regression", X[:3_000], distances, 1 / 3, 20
    yield "digits 1,797 x 64, classes", *load_digits(return_X_y=True), "sqrt", 100
    rng = np.random.RandomState(0)
    X = rng.standard_normal((20_000, 20))
    y = X[:, :5] @ rng.standard_normal(5) + np.sin(3 * X[:, 5])
    y += 0.5 * rng.standard_normal(len(y))
    yield "table 20,000 x 20, classes", X, np.digitize(y, [-1, 1]), "sqrt", 100
    yield "table 20,000 x 20, regression", X, y, 1 / 3, 100


def compare_sampled(X, y, args):
    """Time some features at each node, all sides on all rows, on one core.

    Seconds are those of the process, which depend less on what else the machine does.
    """
    table = {}
    for name, X, y, max_features, n_trees in sampled_problems(args.npz):
        tried = {"max_features": max_features}
        options = dict(bootstrap=False, n_jobs=1, random_state=0, **tried)
        forests = RandomForestClassifier, ExtraTreesClassifier
        if y.dtype.kind == "f":
            forests = RandomForestRegressor, ExtraTreesRegressor
        theirs, extra = (forest(n_trees, **options) for forest in forests)
        actions = {
            "sksmooth, s": fit(
                X, y, n_trees, 1, max_samples=1.0, max_features=max_features
            ),
            "random forest, s": lambda: theirs.fit(X, y),  # noqa: B023
            "extra trees, s": lambda: extra.fit(X, y),  # noqa: B023
        }
        times = in_turns(actions, args.repeats, time.process_time)
        ratio = times["random forest, s"] / times["sksmooth, s"]
        table[name] = {"trees": n_trees, **times, "random forest, ratio": ratio}
    return table


def measure_scaling(X, y, args):
    """Two trees against samples, features, classes, trees and depth."""
    columns = np.random.RandomState(0).permutation(X.shape[1])
    n, jobs = len(y), args.jobs
    parts = {k: np.ascontiguousarray(X[:, columns[:k]]) for k in (144, 576, 2304)}
    runs = {
        "samples": {k: fit(X[:k], y[:k], 2, jobs) for k in (n // 8, n // 4, n // 2, n)},
        "features": {k: fit(part, y, 2, jobs) for k, part in parts.items()},
        "classes": {k: fit(X, y % k, 2, jobs) for k in (2, 5, 10)},
        "trees": {k: fit(X, y, k, jobs) for k in (2, 4, 8)},
        "depth": {k: fit(X, y, 2, jobs, max_depth=k) for k in (2, 4, 8, 16)},
    }
    table = {}
    for name, settings in runs.items():
        times = in_turns(settings, repeats=3)
        exponent = np.polyfit(np.log(list(times)), np.log(list(times.values())), 1)[0]
        table[name] = {f"{k}: s": s for k, s in times.items()} | {"exponent": exponent}
    return table


def anonymous_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def peak_of_fit(file, shape, jobs, results):
    """Most memory that a fit takes in this process, but for the mapped file."""
    warnings.simplefilter("ignore")
    X = np.memmap(file, dtype=np.float32, mode="r", shape=shape)
    y = np.random.RandomState(0).randint(0, 10, size=shape[0])
    y = np.where(np.asarray(X[:, 0]) > np.median(X[:, 0]), y, y // 2)
    fit(X[:3000, :400], y[:3000], 2, jobs)()
    results.put(peak_of(fit(X, y, 10, jobs)))


def peak_of(action, clock=time.perf_counter):
    """Most anonymous memory of this process while something runs, and its seconds."""
    before = anonymous_bytes()
    peak, done = [before], threading.Event()

    def watch():
        while not done.wait(0.02):
            peak.append(anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = clock()
    action()
    seconds = clock() - start
    done.set()
    watcher.join()
    return max(peak) - before, seconds


def measure_memory(X, y, args):
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        for shape in (X.shape, (50_000, 9_216)):
            file = Path(folder) / "features"
            data = np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
            rng = np.random.RandomState(0)
            for start in range(0, shape[0], 1000):
                block = rng.standard_normal((min(1000, shape[0] - start), shape[1]))
                data[start : start + 1000] = np.maximum(block, 0)
            data.flush()
            del data
            extra, seconds = in_a_process(peak_of_fit, file, shape, args.jobs)
            table["{:,} x {:,}".format(*shape)] = {
                "fit, s": seconds,
                "peak, MiB": extra / 2**20,
                "bytes an entry": extra / np.prod(shape),
            }
    return table


def in_a_process(function, *arguments):
    """Call a function in a fresh process, which puts its result on a queue."""
    context = get_context("spawn")
    results = context.Queue()
    process = context.Process(target=function, args=(*arguments, results))
    process.start()
    result = results.get()
    process.join()
    return result


def many_classes(kind, n_samples, n_classes):
    """Rows of 20 features, and labels that are boxes of two of them, or noise."""
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(n_samples, 20))
    if kind == "noise":
        return X, rng.randint(0, n_classes, size=n_samples)
    side = int(np.ceil(np.sqrt(n_classes)))
    boxes = (X[:, :2] * side).astype(int)
    return X, (boxes[:, 0] * side + boxes[:, 1]) % n_classes


def peak_of_many_classes(kind, n_samples, n_classes, results):
    warnings.simplefilter("ignore")
    X, y = many_classes(kind, n_samples, n_classes)
    for few in (y[:3000] % 10, y[:3000] % 100):  # compiles what both ways need
        fit(X[:3000], few, 2, 1)().score(X[:3000], few)
    estimator = fit(X, y, 10, 1)
    fitted = []
    of_fit = peak_of(lambda: fitted.append(estimator()), time.process_time)
    results.put((*of_fit, *peak_of(lambda: fitted[0].score(X, y), time.process_time)))


def measure_classes(X, y, args):
    """Memory and time of 1,000 classes, on one core, in seconds of the process."""
    table = {}
    for kind in ("boxes", "noise"):
        for n_samples in (5_000, 20_000, 50_000):
            found = in_a_process(peak_of_many_classes, kind, n_samples, 1_000)
            of_fit, fit_seconds, of_score, score_seconds = found
            table[f"{kind}, {n_samples:,}"] = {
                "fit, s": fit_seconds,
                "fit, peak MiB": of_fit / 2**20,
                "score, s": score_seconds,
                "score, peak MiB": of_score / 2**20,
            }
    return table


def measure_wide(X, y, args):
    """Memory and time of few rows of many columns."""
    extra, seconds = in_a_process(peak_of_wide_rows, 500, 20_000)
    return {"500 x 20,000": {"fit, s": seconds, "fit, peak MiB": extra / 2**20}}


def peak_of_wide_rows(n_samples, n_features, results):
    warnings.simplefilter("ignore")
    rng = np.random.RandomState(0)
    X = rng.standard_normal((n_samples, n_features)).astype(np.float32)
    noise = 0.5 * rng.standard_normal(n_samples)
    y = (X[:, 0] + X[:, 1] + noise > 0).astype(int) + (X[:, 2] > 0)
    fit(X[:200, :400], y[:200], 2, 1)()
    results.put(peak_of(fit(X, y, 10, 1), time.process_time))


PARTS = {
    "speed": compare_speed,
    "index": compare_index,
    "jobs": compare_jobs,
    "digits": compare_digits,
    "scaling": measure_scaling,
    "memory": measure_memory,
    "classes": measure_classes,
    "wide": measure_wide,
    "sampled": compare_sampled,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(PARTS)
    parser.add_argument("--images", help="npz file of CIFAR-10")
    parser.add_argument("--npz", help="npz file of MNIST, for the part sampled")
    parser.add_argument("--n-samples", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--n-trees", type=int, default=4, help="of the part speed")
    parser.add_argument("--repeats", type=int, default=5, help="of speed and sampled")
    parser.add_argument("--parts", nargs="+", choices=names, default=names)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    needs_images = {*args.parts} - {"classes", "digits", "sampled", "wide"}
    data = layer_features(args.images, args.n_samples) if needs_images else (None, None)
    figures = {part: PARTS[part](*data, args) for part in args.parts}
    libraries = ["scikit-learn-intelex"]
    write_results("grower", figures, setup=SETUP, libraries=libraries, append=True)


if __name__ == "__main__":
    main()
