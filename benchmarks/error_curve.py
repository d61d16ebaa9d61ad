"""The M-term error curve at real size, against sparse decision paths.

    python benchmarks/error_curve.py [--n-samples 50000] [--jobs 2]

Full trees on blobs with 10 classes. sksmooth gives the error for every M in one sweep.
The alternative is what earlier code does, in its best form: scikit-learn's sparse
``decision_path`` times the wavelets of each batch of terms, at 100 values of M. Both run
in one process; best of three for the sweep, once for the alternative. At the end, a whole
fit of the estimator, with its interval and out-of-bag score, against its growth alone.
"""

import argparse
import time
import tracemalloc

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sksmooth.forests import canonical_order, grow_forest, read_forest
from sksmooth.targets import encode_targets

from sksmooth import BesovSmoothnessEstimator, wavelet_decomposition
from sksmooth.wavelets import m_term_errors


def by_decision_paths(forest, X, decomposition, values, n_terms):
    paths = forest.decision_path(X)[0].tocsc()
    residual = values - decomposition.mean[decomposition.roots].mean(axis=0)
    errors, done = [], 0
    for m in n_terms:
        batch = decomposition.order[done:m]
        residual = residual - paths[:, batch] @ (
            decomposition.psi[batch] / decomposition.n_trees
        )
        errors.append(np.sqrt(np.mean(np.sum(residual**2, axis=1))))
        done = m
    return np.array(errors)


def seconds_of(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def fit_and_growth(X, y, n_trees):
    """Seconds of a fit and of its growth alone, one job, medians of three."""
    targets, _ = encode_targets(y)
    weights = np.ones(len(X))
    canonical = canonical_order((X,), targets.tie_break, weights)
    estimator = BesovSmoothnessEstimator(n_trees, random_state=0)
    pairs = [
        (
            seconds_of(lambda: estimator.fit(X, y)),
            seconds_of(
                lambda: grow_forest(
                    X, targets, weights, canonical, n_estimators=n_trees, max_samples=0.8
                )
            ),
        )
        for _ in range(3)
    ]
    return np.median(pairs, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=50_000)
    parser.add_argument("--n-classes", type=int, default=10)
    parser.add_argument("--trees", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()

    # Overlapping classes, so that the trees grow deep.
    X, y = make_blobs(
        args.n_samples, 20, centers=args.n_classes, cluster_std=12.0, random_state=0
    )
    X = X.astype(np.float32)
    forest = RandomForestClassifier(args.trees, n_jobs=args.jobs, random_state=0)
    start = time.perf_counter()
    forest.fit(X, y)
    print(f"growth (scikit-learn)          {time.perf_counter() - start:8.2f} s")

    wavelet_decomposition(forest, X[:1000], y[:1000])  # compiles or loads the kernels
    start = time.perf_counter()
    decomposition = wavelet_decomposition(forest, X, y)
    print(f"decomposition                  {time.perf_counter() - start:8.2f} s")
    topology, (targets, _) = read_forest(forest), encode_targets(y)
    leaves = topology.apply(X, args.jobs)
    m_term_errors(decomposition, leaves[:, :1000], encode_targets(y[:1000])[0])

    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        errors = m_term_errors(decomposition, leaves, targets)
        seconds.append(time.perf_counter() - start)
    sweep = min(seconds)
    print(f"curve at all {decomposition.n_terms:9,} M       {sweep:8.2f} s")

    tracemalloc.start()
    decomposition = wavelet_decomposition(forest, X, y)
    m_term_errors(decomposition, leaves, targets)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Doubles for nodes x outputs and samples x outputs, integers for samples x trees.
    unit = 8 * targets.values.shape[1] * (len(decomposition.parent) + len(X))
    unit += 4 * leaves.size
    print(f"peak memory of the last two    {peak / 2**20:8.0f} MiB, {peak / unit:.1f} x")
    print("    (8 (nodes + samples) outputs + 4 samples trees) bytes")

    n_terms = np.unique(np.geomspace(1, decomposition.n_terms, 100).astype(int))
    start = time.perf_counter()
    reference = by_decision_paths(forest, X, decomposition, targets.values, n_terms)
    paths = time.perf_counter() - start
    print(f"sparse paths at {len(n_terms):3d} M         {paths:8.2f} s")
    print(
        f"largest difference             {np.abs(errors[n_terms] - reference).max():8.1e}"
    )
    print(f"ratio                          {paths / sweep:8.1f}")
    depth = decomposition.depth.max()
    print(f"({args.n_samples:,} samples, {args.n_classes} classes, depth {depth})")
    whole, growth = fit_and_growth(X, y, args.trees)
    print(
        f"whole fit {whole:.2f} s, growth alone {growth:.2f} s, ratio {whole / growth:.2f}"
    )


if __name__ == "__main__":
    main()
