"""The built-in grower against scikit-learn and scikit-learn-intelex, at real size.

    python benchmarks/grower.py [--images FILE] [--jobs 2] [--parts speed digits ...]
    python benchmarks/grower.py --parts sampled [--npz FILE] [--repeats 3]

20,000 CIFAR-10 images go through two seeded random layers of convolution, ReLU and pooling:
2,304 features, 10 classes. Trees are grown to full depth with all features. Images are read
from an npz file (``train_image`` of shape (n, 32, 32, 3), ``train_label``) or fetched from
OpenML. All sides run in one process, warm and in turns; medians of five.

The part ``sampled`` tries a few of the features at each node, as forests for prediction do,
on one core: MNIST (an npz file of ``train_image``, ``train_label``, or OpenML), digits and
a generated table.
"""

import argparse
import os
import tempfile
import threading
import time
import warnings
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from choose_features_mnist import load_images
from numba import njit
from sklearn.datasets import fetch_openml, load_digits
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier
from sksmooth.forests import canonical_order, grow_forest
from sksmooth.forests.binning import bin_features
from sksmooth.forests.histograms import best_binned_cut
from sksmooth.targets import encode_targets

from sksmooth import BesovSmoothnessEstimator

REPEATS = 5
LARGE_NODE = 512  # samples above which growth goes by histograms, at this size
PARTS = [
    "speed",
    "index",
    "fit",
    "jobs",
    "digits",
    "stopping",
    "subtraction",
    "scaling",
    "limits",
    "memory",
    "sampled",
]


def layer_features(file, n_samples):
    """Grey 24 x 24 crops through two random layers: 6 x 6 x 64 features."""
    if file:
        with np.load(file) as data:
            images, labels = (
                data["train_image"][:n_samples],
                data["train_label"][:n_samples],
            )
    else:
        images, labels = fetch_openml("CIFAR_10", return_X_y=True, as_frame=False)
        images = images[:n_samples].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        labels = labels[:n_samples]
    rng = np.random.RandomState(0)
    maps = images[:, 4:28, 4:28].astype(np.float32).mean(axis=3, keepdims=True) / 255
    for _ in range(2):
        maps = convolve_and_pool(maps, 64, rng)
    return maps.reshape(len(maps), -1), labels.astype(int)


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


def seconds_of(action, clock=time.perf_counter):
    start = clock()
    action()
    return clock() - start


def in_turns(actions, repeats=REPEATS, clock=time.perf_counter):
    """Median seconds of some actions that run one after the other, several times."""
    next(iter(actions.values()))()  # compiled and warm
    runs = [
        {name: seconds_of(run, clock) for name, run in actions.items()}
        for _ in range(repeats)
    ]
    return {name: float(np.median([run[name] for run in runs])) for name in actions}


def growth(X, y, n_trees, jobs, **options):
    """A function that grows a forest, as the estimator does it."""
    targets, _ = encode_targets(y)
    weights = np.ones(len(y))
    canonical = canonical_order((X,), targets.tie_break, weights)
    options = {"max_samples": 0.8, "random_state": 0, "n_jobs": jobs, **options}
    return lambda: grow_forest(
        X, targets, weights, canonical, n_estimators=n_trees, **options
    )


def compare_speed(X, y, jobs, n_trees, repeats):
    """Growth of the same number of trees on the same rows: all of them."""
    options = dict(max_features=None, bootstrap=False, n_jobs=jobs, random_state=0)
    actions = {
        "sksmooth": growth(X, y, n_trees, jobs, max_samples=1.0),
        "scikit-learn": lambda: RandomForestClassifier(n_trees, **options).fit(X, y),
    }
    try:
        from sklearnex.ensemble import RandomForestClassifier as IntelForest

        actions["scikit-learn-intelex"] = lambda: IntelForest(n_trees, **options).fit(X, y)
    except ImportError:
        print("scikit-learn-intelex is not installed and left out")
    times = in_turns(actions, repeats)
    for name, seconds in times.items():
        ratio = seconds / times["sksmooth"]
        print(f"{name:22s} {n_trees} trees {seconds:8.2f} s   ratio {ratio:5.1f}")


def compare_index(X, y, jobs, n_trees=4):
    """The index of the built-in trees, and of exact ones on as many rows."""
    trees = BaggingClassifier(
        DecisionTreeClassifier(), n_trees, max_samples=0.8, bootstrap=False, n_jobs=jobs,
        random_state=0,
    )  # fmt: skip
    for index in ("mterm", "elisha-dekel"):
        options = {"index": index, "n_jobs": jobs}
        own = BesovSmoothnessEstimator(n_trees, random_state=0, **options).fit(X, y)
        exact = BesovSmoothnessEstimator(forest=trees, **options).fit(X, y)
        half = (own.alpha_interval_[1] - own.alpha_interval_[0]) / 2
        print(
            f"{index}: alpha {own.alpha_:.4f} +- {half:.4f}, of scikit-learn's exact trees "
            f"{exact.alpha_:.4f}: {abs(own.alpha_ - exact.alpha_) / half:.2f} half widths "
            "apart"
        )


def compare_fit(X, y, jobs):
    times = in_turns(
        {
            "whole fit": lambda: BesovSmoothnessEstimator(random_state=0, n_jobs=jobs).fit(
                X, y
            ),
            "growth": growth(X, y, 10, jobs),
            "binning": lambda: bin_features(X, np.ones(len(y)), n_jobs=jobs),
        }
    )
    ratio = times["whole fit"] / times["growth"]
    print(", ".join(f"{name} {s:.2f} s" for name, s in times.items()), f"ratio {ratio:.2f}")


def compare_jobs(X, y):
    actions = {jobs: growth(X, y, 4, jobs) for jobs in (1, 2)}
    actions["one tree, 1 job"] = growth(X, y, 1, 1)
    actions["one tree, 2 jobs"] = growth(X, y, 1, 2)
    times = in_turns(actions)
    print(
        f"4 trees: 1 job {times[1]:.2f} s, 2 jobs {times[2]:.2f} s, "
        f"{times[1] / times[2]:.2f}x"
    )
    one, two = times["one tree, 1 job"], times["one tree, 2 jobs"]
    print(f"1 tree: 1 job {one:.2f} s, 2 jobs {two:.2f} s, {one / two:.2f}x")


def compare_digits():
    X, y = load_digits(return_X_y=True)
    estimator = BesovSmoothnessEstimator(
        5, index="elisha-dekel", max_depth=9, random_state=0
    )
    exact = RandomForestClassifier(5, max_depth=9, max_features=None, random_state=0)
    times = in_turns(
        {
            "fit": lambda: estimator.fit(X / 16, y),
            "scikit-learn's growth alone": lambda: exact.fit(X / 16, y),
        }
    )
    print(
        f"digits, 5 trees of depth 9, {len(estimator.n_terms_)} errors: "
        + ", ".join(f"{name} {1e3 * s:.0f} ms" for name, s in times.items())
        + f"; the published tool takes 11 s ({11 / times['fit']:.0f}x), a plain port "
        f"in Python 0.7 s ({0.7 / times['fit']:.1f}x)"
    )


def report_stopping(X, y, jobs):
    """What growth would save that leaves out the nodes which cannot change the index.

    By Parseval, the wavelets below a node have at most its squared error; where that is
    less than the square of the last norm in the fit window, none of them is in the window.
    """
    estimator = BesovSmoothnessEstimator(random_state=0, n_jobs=jobs).fit(X, y)
    wavelets, last = estimator.wavelets_, estimator.fit_range_[1]
    squares = np.where(wavelets.parent >= 0, wavelets.norm**2, 0.0)
    below = np.zeros(len(squares))  # what the descendants of a node have
    is_inner = np.zeros(len(squares), dtype=bool)
    for node in range(len(squares) - 1, -1, -1):
        if wavelets.parent[node] >= 0:
            below[wavelets.parent[node]] += below[node] + squares[node]
            is_inner[wavelets.parent[node]] = True
    smallest = np.array(
        [
            wavelets.norm[wavelets.tree_order(tree)[last - 1]]
            for tree in range(wavelets.n_trees)
        ]
    )
    needless = is_inner & (below < smallest[wavelets.tree] ** 2)
    share = wavelets.count[needless].sum() / wavelets.count[is_inner].sum()
    print(
        f"fit window {estimator.fit_range_}: {share:.1%} of the entries that growth reads "
        f"lie in nodes below which no wavelet is in the window ({needless.sum()} of "
        f"{is_inner.sum()} nodes)"
    )


@njit(nogil=True)
def fill_histograms(codes, rows, labels, histogram):
    """The histograms by class of all features, one after the other, none kept."""
    for feature in range(len(codes)):
        histogram[:] = 0
        for i in rows:
            histogram[codes[feature, i], labels[i]] += 1


def report_subtraction(X, y, n_classes=10):
    """What growth would save that takes a child for the parent minus its sibling.

    Histograms are then kept for all features, so that a node moves three such arrays
    through memory, where filling one anew stays in the first cache.
    """
    codes = bin_features(X, np.ones(len(y))).dense_codes
    rows = np.sort(np.random.RandomState(0).permutation(len(y))[: len(y) // 4])
    parent, sibling = np.ones((2, len(codes), 256, n_classes), dtype=np.int32)
    histogram, grow = parent[0].copy(), growth(X, y, 1, 1, max_samples=1.0)
    times = in_turns(
        {
            "fill": lambda: fill_histograms(codes, rows, y, histogram),
            "subtract": lambda: np.subtract(parent, sibling, out=parent),
            "growth": grow,
        }
    )
    per_row, saved = times["fill"] / len(rows), 0.0
    forest, _, leaves = grow()
    tree = forest.trees[0]
    count = np.bincount(leaves[0], minlength=tree.n_nodes)
    for node in range(tree.n_nodes - 1, -1, -1):
        if tree.left[node] >= 0:
            count[node] = count[tree.left[node]] + count[tree.right[node]]
    is_inner = tree.left >= 0
    children = np.column_stack([count[tree.left[is_inner]], count[tree.right[is_inner]]])
    for smaller, larger in np.sort(children, axis=1):
        if larger > LARGE_NODE:
            needed_only_here = smaller * per_row if smaller <= LARGE_NODE else 0.0
            saved += max(0.0, larger * per_row - times["subtract"] - needed_only_here)
    print(
        f"filling takes {1e3 * times['fill']:.0f} ms at {len(rows)} rows, subtracting "
        f"{1e3 * times['subtract']:.0f} ms at any: at best {saved:.2f} s of "
        f"{times['growth']:.2f} s of growth saved ({saved / times['growth']:.1%})"
    )


def digit_images(file):
    """MNIST, 60,000 x 784 float32, in an order that is drawn once."""
    X, labels = load_images(file)
    order = np.random.RandomState(0).permutation(len(X))[:60_000]
    return X[order], labels[order].astype(int)


def sampled_problems(file):
    """Samples, targets, the features tried at each node, and how many trees are grown."""
    X, y = digit_images(file)
    yield "MNIST 10,000 x 784", X[:10_000], y[:10_000], "sqrt", 100
    yield "MNIST 60,000 x 784", X, y, "sqrt", 20
    # Nearly all targets differ, so that trees are as large as they can be.
    distances = np.linalg.norm(X[:3_000] - X[0], axis=1).astype(float)
    yield "MNIST 3,000 x 784", X[:3_000], distances, 1 / 3, 20
    yield "digits 1,797 x 64", *load_digits(return_X_y=True), "sqrt", 100
    rng = np.random.RandomState(0)
    X = rng.standard_normal((20_000, 20))
    y = X[:, :5] @ rng.standard_normal(5) + np.sin(3 * X[:, 5])
    y += 0.5 * rng.standard_normal(len(y))
    yield "table 20,000 x 20", X, np.digitize(y, [-1, 1]), "sqrt", 100
    yield "table 20,000 x 20", X, y, 1 / 3, 100


def compare_sampled(file, repeats):
    """Growth that tries some features at each node, all sides on all rows, on one core.

    Seconds are those of the process, which depend less on what else the machine does.
    """
    for name, X, y, max_features, n_trees in sampled_problems(file):
        options = dict(max_features=max_features, bootstrap=False, n_jobs=1, random_state=0)
        if y.dtype.kind == "f":
            theirs, extra = RandomForestRegressor, ExtraTreesRegressor
        else:
            theirs, extra = RandomForestClassifier, ExtraTreesClassifier
        actions = {
            "sksmooth": growth(
                X, y, n_trees, 1, max_samples=1.0, max_features=max_features
            ),
            theirs.__name__: lambda: theirs(n_trees, **options).fit(X, y),  # noqa: B023
            extra.__name__: lambda: extra(n_trees, **options).fit(X, y),  # noqa: B023
        }
        times = in_turns(actions, repeats, time.process_time)
        tried = max_features if isinstance(max_features, str) else f"{max_features:.2f}"
        print(f"{name}, {n_trees} trees, max_features {tried}: ", end="")
        print(
            ", ".join(
                f"{who} {seconds:.2f} s ({seconds / times['sksmooth']:.2f})"
                for who, seconds in times.items()
            ),
            flush=True,
        )


def exponent(sizes, seconds):
    return np.polyfit(np.log(sizes), np.log(seconds), 1)[0]


def report_scaling(X, y, jobs):
    """Growth of two trees against samples, features, classes, trees and depth."""
    rng = np.random.RandomState(0)
    columns = rng.permutation(X.shape[1])
    n = len(y)
    runs = {
        "samples": [
            (k, growth(X[:k], y[:k], 2, jobs)) for k in (n // 8, n // 4, n // 2, n)
        ],
        "features": [
            (k, growth(np.ascontiguousarray(X[:, columns[:k]]), y, 2, jobs))
            for k in (144, 288, 576, 1152, 2304)
        ],
        "classes": [(k, growth(X, y % k, 2, jobs)) for k in (2, 5, 10)],
        "trees": [(k, growth(X, y, k, jobs)) for k in (2, 4, 8)],
        "depth": [(k, growth(X, y, 2, jobs, max_depth=k)) for k in (2, 4, 8, 16)],
    }
    for name, settings in runs.items():
        sizes = [size for size, _ in settings]
        seconds = [
            float(np.median([seconds_of(run) for _ in range(3)])) for _, run in settings
        ]
        table = ", ".join(f"{k}: {s:.2f} s" for k, s in zip(sizes, seconds, strict=True))
        print(f"{name:9s} {table}; exponent {exponent(sizes, seconds):.2f}")


@njit(nogil=True)
def bare_histogram(codes, n_rows):
    """The least that a histogram costs: one addition an entry, rows in their order."""
    histogram = np.zeros(256, dtype=np.int32)
    for k in range(codes.shape[0]):
        for i in range(n_rows):
            histogram[codes[k, i]] += 1
    return histogram


def report_limits(X, y):
    """Histogram updates a second on one core, against what the machine can do."""
    binned = bin_features(X, np.ones(len(y)))
    codes = binned.dense_codes
    features, hist = np.arange(X.shape[1]), np.empty((256, 10), dtype=np.int32)
    for n_rows in (len(y), len(y) // 4, len(y) // 16):
        rows = np.sort(np.random.RandomState(0).permutation(len(y))[:n_rows])
        own = (
            y[rows].astype(np.int32), np.empty((n_rows, 0)), np.ones(n_rows, np.int32),
            np.bincount(y[rows], minlength=10).astype(float),
        )  # fmt: skip
        where = (rows, binned.stored(rows), binned.zero_codes, features)
        times = in_turns(
            {
                "search": lambda where=where, own=own: best_binned_cut(
                    codes, *where, *own, 1.0, len(features), hist
                ),
                "bare": lambda n_rows=n_rows: bare_histogram(codes, n_rows),
            }
        )
        rates = {name: n_rows * len(features) / s / 1e9 for name, s in times.items()}
        print(
            f"node of {n_rows} rows: {rates['search']:.2f} G updates a second with the "
            f"search of the cuts, {rates['bare']:.2f} G of the bare loop"
        )
    seconds = in_turns({"sum": lambda: codes.view(np.uint64).sum()})["sum"]
    print(f"reading the codes: {codes.nbytes / seconds / 1e9:.1f} GB a second")


def anonymous_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def peak_of_fit(file, shape, jobs, results):
    """Most memory that a fit takes in this process, but for the mapped file."""
    warnings.simplefilter("ignore")
    X = np.memmap(file, dtype=np.float32, mode="r", shape=shape)
    y = np.random.RandomState(0).randint(0, 10, size=shape[0])
    y = np.where(np.asarray(X[:, 0]) > np.median(X[:, 0]), y, y // 2)
    warm_up = np.memmap(file, dtype=np.float32, mode="r", shape=(3000, 400))
    BesovSmoothnessEstimator(2, random_state=0, n_jobs=jobs).fit(warm_up, y[:3000])
    before = anonymous_bytes()
    peak, done = [before], threading.Event()

    def watch():
        while not done.wait(0.02):
            peak.append(anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    seconds = seconds_of(
        lambda: BesovSmoothnessEstimator(random_state=0, n_jobs=jobs).fit(X, y)
    )
    done.set()
    watcher.join()
    results.put((max(peak) - before, seconds))


def report_memory(X, jobs):
    shapes = [X.shape, (50_000, 9_216)]
    with tempfile.TemporaryDirectory() as folder:
        for shape in shapes:
            file = os.path.join(folder, "features")
            data = np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
            rng = np.random.RandomState(0)
            for start in range(0, shape[0], 1000):
                block = rng.standard_normal((min(1000, shape[0] - start), shape[1]))
                data[start : start + 1000] = np.maximum(block, 0)
            data.flush()
            del data
            context = get_context("spawn")
            results = context.Queue()
            process = context.Process(target=peak_of_fit, args=(file, shape, jobs, results))
            process.start()
            extra, seconds = results.get()
            process.join()
            print(
                f"{shape[0]} x {shape[1]} float32 memory map: fit in {seconds:.0f} s, peak "
                f"{extra / 2**20:.0f} MiB beyond the file, "
                f"{extra / np.prod(shape):.2f} bytes an entry"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images")
    parser.add_argument("--n-samples", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--n-trees", type=int, default=4, help="of the part speed")
    parser.add_argument(
        "--repeats", type=int, default=REPEATS, help="of the parts speed and sampled"
    )
    parser.add_argument("--npz", help="of MNIST, for the part sampled")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.parts == ["sampled"]:  # has samples of its own
        compare_sampled(options.npz, options.repeats)
        return
    X, y = layer_features(options.images, options.n_samples)
    print(f"{X.shape[0]} x {X.shape[1]} features, {options.jobs} jobs")
    actions = {
        "speed": lambda: compare_speed(
            X, y, options.jobs, options.n_trees, options.repeats
        ),
        "index": lambda: compare_index(X, y, options.jobs),
        "fit": lambda: compare_fit(X, y, options.jobs),
        "jobs": lambda: compare_jobs(X, y),
        "digits": compare_digits,
        "stopping": lambda: report_stopping(X, y, options.jobs),
        "subtraction": lambda: report_subtraction(X, y),
        "scaling": lambda: report_scaling(X, y, options.jobs),
        "limits": lambda: report_limits(X, y),
        "memory": lambda: report_memory(X, options.jobs),
        "sampled": lambda: compare_sampled(options.npz, options.repeats),
    }
    for part in options.parts:
        print(f"--- {part}", flush=True)
        actions[part]()


if __name__ == "__main__":
    main()
