"""The built-in grower against those of other libraries, at real size.

    python benchmarks/grower.py [--images FILE] [--jobs 2] [--parts speed digits ...]
    python benchmarks/grower.py --parts sampled [--npz FILE] [--repeats 3]

20,000 CIFAR-10 images go through two seeded random layers of convolution, ReLU and pooling:
2,304 features, 10 classes. Trees are grown to full depth with all features. Images are read
from an npz file (``train_image``, ``train_label``) or fetched from OpenML. All sides run in
one process, warm and in turns; medians of five. A run of some parts keeps the tables of the
others in the results.

- speed: scikit-learn and scikit-learn-intelex, all rows in every tree. The time of sksmooth
  is that of growth, bins among it, of samples that have been read, and of a whole fit.
- pixels: the same of 10,000 images of MNIST (an npz file, or OpenML), 784 features.
- libraries: LightGBM and YDF, where they do the same: least squares on two classes as 0 and
  1, half of the rows, four fifths of these in every tree, without replacement. The cuts of
  YDF are exact, as those of sksmooth; LightGBM cuts between 255 bins, as sksmooth does with
  ``max_bins``. YDF reads its own copy of the table beforehand, and sorts in the nodes,
  which took 0.8 times as long here as its default. The rows of the trees differ, and their
  numbers of leaves, which are in the table.
- whole fit: of the default estimator, over growth: of its trees, or of all trees that it
  grows, the randomised ones for held-out errors among them.
- updates: how many entries (samples times features) the search of a node reads in a
  second, on one core, against the least loop that fills the same histograms. The node is
  the root of a tree on so many of all rows. Nodes of 300 rows are searched without
  histograms: there it is the growth of whole trees, sorting among it, and the entries of
  all nodes that are split.
- index, jobs, digits, scaling, memory: whole fits.
- sampled: a few of the features at each node, as forests for prediction try them, on one
  core: MNIST, digits and a generated table.
"""

import argparse
import logging
import tempfile
import threading
import time
import warnings
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from unittest import mock

import numba
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
from sksmooth.estimators.base import growth_of
from sksmooth.estimators.besov import read_for
from sksmooth.trees import MOST_BINS, Growth, grow, histograms, randomised

SETUP = (
    "20,000 CIFAR-10 images through two random layers: 2,304 features, 10 classes; "
    "pixels: MNIST; full depth, all features; speed, pixels, libraries: 4 trees; whole "
    "fit: 10; scaling: two; memory: whole fits of 10 trees to memory maps of random "
    "numbers; classes: 1,000 in 20 columns; wide: 500 rows of 20,000; updates, sampled, "
    "classes, wide: one core, seconds of the process"
)
FEW = 300  # rows of a node that is searched without histograms


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


def growing(X, y, n_trees, jobs, **options):
    """Make a function that grows the trees of such an estimator, on samples read before."""
    estimator = BesovSmoothnessEstimator(n_trees, random_state=0, n_jobs=jobs, **options)
    return partial(grow, read_for(estimator, X, y), growth_of(estimator))


def with_ratios(times, ours="sksmooth"):
    return {who: {"s": s, "ratio": s / times[ours]} for who, s in times.items()}


def compare_speed(X, y, args):
    """Grow the same number of trees on the same rows: all of them."""
    options = dict(max_features=None, bootstrap=False, n_jobs=args.jobs, random_state=0)
    actions = {
        "sksmooth": growing(X, y, args.n_trees, args.jobs, max_samples=1.0),
        "sksmooth, whole fit": fit(X, y, args.n_trees, args.jobs, max_samples=1.0),
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


def compare_pixels(X, y, args):
    """Grow trees on features of which many are 0 in most samples."""
    return compare_speed(*load_images(args.npz, 10_000), args)


def compare_libraries(X, y, args):
    """Grow the same trees by least squares: animals against vehicles, as 0 and 1."""
    X, y = X[: len(y) // 2], np.isin(y[: len(y) // 2], [0, 1, 8, 9]).astype(int)
    ours = {"sksmooth": {}, "sksmooth, 255 bins": {"max_bins": MOST_BINS}}
    actions = {
        name: growing(X, y, args.n_trees, args.jobs, max_samples=0.8, **options)
        for name, options in ours.items()
    }
    leaves_of = dict.fromkeys(actions, leaves_of_ours)
    for name, prepare, leaves in (
        ("LightGBM", lightgbm_forest, leaves_of_lightgbm),
        ("YDF", ydf_forest, leaves_of_ydf),
    ):
        try:
            actions[name], leaves_of[name] = prepare(X, y.astype(np.float32), args), leaves
        except ImportError:
            print(f"{name} is not installed and left out")
    grown = {}

    def keep(name):
        grown[name] = actions[name]()

    keeping = {name: partial(keep, name) for name in actions}
    table = with_ratios(in_turns(keeping, args.repeats))
    for name, forest in grown.items():
        table[name]["leaves a tree"] = leaves_of[name](forest) / args.n_trees
    return table


def lightgbm_forest(X, y, args):
    """Make a function that bins the samples and grows trees until no cut helps."""
    import lightgbm

    options = dict(
        boosting="rf", objective="regression", bagging_fraction=0.8, bagging_freq=1,
        num_leaves=len(y), min_data_in_leaf=1, min_sum_hessian_in_leaf=0, max_bin=MOST_BINS,
        min_data_in_bin=1, histogram_pool_size=512, num_threads=args.jobs, seed=0,
        verbose=-1,
    )  # fmt: skip
    return lambda: lightgbm.train(options, lightgbm.Dataset(X, y), args.n_trees)


def leaves_of_lightgbm(booster):
    return sum(tree["num_leaves"] for tree in booster.dump_model()["tree_info"])


def ydf_forest(X, y, args):
    """Make a function that grows trees with exact cuts until leaves hold one value."""
    import ydf

    ydf.verbose(0)
    data = ydf.create_vertical_dataset({"X": X, "y": y})
    learner = ydf.RandomForestLearner(
        "y", task=ydf.Task.REGRESSION, num_trees=args.n_trees, num_threads=args.jobs,
        bootstrap_size_ratio=0.8, sampling_with_replacement=False,
        num_candidate_attributes=-1, max_depth=-1, min_examples=1,
        sorting_strategy="IN_NODE", compute_oob_performances=False, random_seed=0,
    )  # fmt: skip
    return partial(learner.train, data)


def leaves_of_ydf(model):
    return sum(n_leaves_of(tree.root) for tree in model.iter_trees())


def n_leaves_of(root):
    """Count the leaves of a tree of YDF; it may be deep."""
    n_leaves, waiting = 0, [root]
    while waiting:
        node = waiting.pop()
        if node.is_leaf:
            n_leaves += 1
        else:
            waiting += [node.neg_child, node.pos_child]
    return n_leaves


def leaves_of_ours(grown):
    return sum((tree.left < 0).sum() for tree in grown.forest.trees)


def compare_whole_fit(X, y, args):
    """Time the default estimator, and what it grows."""
    estimator = BesovSmoothnessEstimator(random_state=0, n_jobs=args.jobs)
    samples, growth = read_for(estimator, X, y), growth_of(estimator)
    held_out = randomised(growth)
    times = in_turns(
        {
            "fit, s": partial(estimator.fit, X, y),
            "growth, s": partial(grow, samples, growth),
            "held-out trees, s": partial(grow, samples, held_out),
            "fit without pairs, s": fit(X, y, "auto", args.jobs, class_pairs=False),
        },
        args.repeats,
    )
    all_grown = times["growth, s"] + times["held-out trees, s"]
    return {
        "10 trees": times
        | {
            "fit / growth": times["fit, s"] / times["growth, s"],
            "fit / all that is grown": times["fit, s"] / all_grown,
        }
    }


def measure_updates(X, y, args):
    """Count the entries that a search reads in a second, and those of the least loop."""
    n_all, n_features = X.shape
    samples = read_for(BesovSmoothnessEstimator(), X, y)
    table = {}
    for n in (n_all, n_all // 4, n_all // 16, FEW):
        bare = partial(fill_histograms, *codes_of(X, y, n))
        search, n_entries = root_search(samples, n), n * n_features
        if search is None:
            search = growing(X[: n * 5 // 4], y[: n * 5 // 4], 10, 1, max_samples=n)
            n_entries = entries_of(search())
        times = n_all // n
        seconds = in_turns(
            {
                "search": partial(repeat, search, times),
                "bare": partial(repeat, bare, times),
            },
            args.repeats,
            time.process_time,
        )
        table[f"{n:,} rows"] = rates(n_entries, n * n_features, times, seconds)
    return table


def rates(n_entries, n_bare, times, seconds):
    """Million entries a second, and the share of the least loop's."""
    search = times * n_entries / seconds["search"] / 1e6
    bare = times * n_bare / seconds["bare"] / 1e6
    return {"search, M/s": search, "least loop, M/s": bare, "share %": 100 * search / bare}


def repeat(action, times):
    for _ in range(times):
        action()


def root_search(samples, n_samples):
    """Make a function that searches the root of a tree on so many samples once more.

    None if it is not searched by histograms.
    """
    share = 1.0 if n_samples == len(samples.weights) else n_samples
    growth = Growth(1, max_depth=1, max_samples=share, random_state=0)
    search = histograms.find_binned_cut
    with mock.patch.object(histograms, "find_binned_cut", wraps=search) as spy:
        grow(samples, growth)
    if not spy.called:
        return None
    return partial(search, *spy.call_args_list[0].args, **spy.call_args_list[0].kwargs)


def codes_of(X, y, n_samples):
    """Quantile bins of the first samples, one row a feature, and their labels."""
    ends = np.quantile(X[:2000], np.linspace(0, 1, MOST_BINS + 1)[1:-1], axis=0).T
    codes = np.empty((X.shape[1], n_samples), dtype=np.uint8)
    for k in range(len(codes)):
        codes[k] = np.searchsorted(ends[k], X[:n_samples, k])
    return codes, y[:n_samples].astype(np.int32)


@numba.njit
def fill_histograms(codes, labels):
    """Fill the histogram of every feature, which is the least that a search has to do."""
    hist = np.empty((MOST_BINS + 1, 10), dtype=np.int32)
    read = 0
    for k in range(len(codes)):
        hist[:] = 0
        for j in range(len(labels)):
            hist[codes[k, j], labels[j]] += 1
        read += hist[0, 0]
    return read


def entries_of(grown):
    """Count samples times features at all nodes that are split."""
    n_samples = 0
    for tree, bag, leaves in zip(grown.forest.trees, grown.bags, grown.leaves, strict=True):
        counts = np.bincount(leaves[bag > 0], minlength=tree.n_nodes)
        for node in range(tree.n_nodes)[::-1]:
            if tree.left[node] >= 0:
                counts[node] = counts[tree.left[node]] + counts[tree.right[node]]
                n_samples += counts[node]
    return n_samples * grown.forest.n_features


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
        times = in_turns(settings, args.repeats)
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
        for shape in (X.shape, (60_000, 784), (50_000, 9_216)):
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
    "pixels": compare_pixels,
    "libraries": compare_libraries,
    "whole fit": compare_whole_fit,
    "updates": measure_updates,
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
    parser.add_argument("--npz", help="npz file of MNIST, for pixels and sampled")
    parser.add_argument("--n-samples", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--n-trees", type=int, default=4, help="of speed, pixels and libraries"
    )
    parser.add_argument("--repeats", type=int, default=5, help="of all timings but memory")
    parser.add_argument("--parts", nargs="+", choices=names, default=names)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("absl").setLevel(logging.ERROR)  # of YDF
    needs_images = {*args.parts} - {"pixels", "classes", "digits", "sampled", "wide"}
    data = layer_features(args.images, args.n_samples) if needs_images else (None, None)
    libraries = ["scikit-learn-intelex", "lightgbm", "ydf"]
    for part in args.parts:
        figures = {part: PARTS[part](*data, args)}
        write_results("grower", figures, setup=SETUP, libraries=libraries, append=True)


if __name__ == "__main__":
    main()
