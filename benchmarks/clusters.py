"""What fits take on processes of Dask and Ray, what they send, what a lost worker costs.

    python benchmarks/clusters.py [--rows 20000] [--columns 200] [--workers 1 2 4]

For every number of workers a Dask LocalCluster and a Ray instance of so many processes run
side by side, and fits take turns with those of one thread and of two. All processes are on
this machine: on one with fewer cores than workers, more of them can only be slower.

joblib runs all tasks in the calling process where there is one worker, so nothing is sent.
``s`` is the least of some fits, the first of which is left out. ``MB a fit`` is, on Dask,
all that its processes write to one another; on Ray, which shares memory between processes
of a machine, the pickled size of what is put into its store (once for every machine) and
of what comes back. ``kB a tree`` is the difference between fits of some trees and of 20
more, by tree. ``lost worker, s`` is how much longer a fit takes if a worker is killed when
half of that time is over. All fits are compared bit by bit with that of one thread.
"""

import argparse
import os
import pickle
import signal
import threading
import time
import warnings

import dask
import numpy as np
import psutil
import ray
from _data import seconds_of
from _results import write_results
from dask.distributed import Client, LocalCluster
from joblib import parallel_config
from numpy.testing import assert_array_equal
from ray.util.joblib import register_ray

from sksmooth import BesovSmoothnessEstimator
from sksmooth._lib import parallel
from sksmooth.exceptions import SmoothnessWarning, WorkerLostWarning

N_TREES, MORE_TREES = 10, 20


def samples(n_rows, n_columns):
    """Normal numbers as float32, and two classes with a smooth border."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_columns), dtype=np.float32)
    return X, (np.sin(3 * X[:, 0]) + X[:, 1] > 0).astype(int)


def fitted(X, y, n_trees=N_TREES):
    return BesovSmoothnessEstimator(n_trees, random_state=0).fit(X, y)


def assert_same(first, second):
    assert first.alpha_ == second.alpha_
    assert first.oob_score_ == second.oob_score_
    assert_array_equal(first.errors_, second.errors_)


class Threads:
    """Threads of this process."""

    def __init__(self, n_threads):
        self.n_threads = n_threads

    def context(self):
        """Set the backend of joblib."""
        return parallel_config(backend="threading", n_jobs=self.n_threads)


class DaskProcesses:
    """Processes of a Dask cluster on this machine, of one thread each."""

    def __init__(self, n_workers):
        self.cluster = LocalCluster(
            n_workers=n_workers, threads_per_worker=1, dashboard_address=None
        )
        self.client = Client(self.cluster)
        self.n_workers = n_workers

    def context(self):
        """Set the backend of joblib."""
        return parallel_config(backend="dask")

    def wait(self):
        """Wait until all workers are there."""
        self.client.wait_for_workers(self.n_workers, timeout=60)

    def process_ids(self):
        """List the processes that work, as soon as there are some."""
        return list(self.client.run(os.getpid).values())

    def sent_by(self, action):
        """Bytes that all processes write while a function runs."""
        _count_writes()
        self.client.run(_count_writes)
        action()
        return sum(self.client.run(_bytes_written).values()) + _bytes_written()

    def close(self):
        """End the processes."""
        self.client.close()
        self.cluster.close()


def _count_writes():
    from distributed.comm.tcp import TCP

    if not hasattr(TCP, "n_written"):
        write = TCP.write

        async def counted(self, message, *args, **options):
            n_bytes = await write(self, message, *args, **options)
            TCP.n_written += n_bytes
            return n_bytes

        TCP.write = counted
    TCP.n_written = 0


def _bytes_written():
    from distributed.comm.tcp import TCP

    return TCP.n_written


class RayProcesses:
    """Processes of Ray on this machine."""

    def __init__(self, n_workers):
        ray.init(num_cpus=n_workers, include_dashboard=False, log_to_driver=False)
        register_ray()
        self.n_workers = n_workers

    def context(self):
        """Set the backend of joblib."""
        return parallel_config(backend="ray", n_jobs=self.n_workers)

    def wait(self):
        """Wait for nothing: Ray starts workers when it has tasks."""

    def process_ids(self):
        """List the processes that work, as soon as there are some."""
        found = []
        while not found:  # between two steps of a fit none is busy
            children = psutil.Process().children(recursive=True)
            found = [each.pid for each in children if "ray::_call" in cmdline(each)]
        return found

    def sent_by(self, action):
        """Pickled bytes that are put into the store, and that come back as results."""
        sizes = []
        put, kind = ray.put, parallel.Parallel

        def counted_put(value):
            sizes.append(n_bytes(value))
            return put(value)

        class Counted(kind):
            def __call__(self, tasks):
                results = super().__call__(tasks)
                sizes.append(n_bytes(results))
                return results

        ray.put, parallel.Parallel = counted_put, Counted
        try:
            action()
        finally:
            ray.put, parallel.Parallel = put, kind
        return sum(sizes)

    def close(self):
        """End the processes."""
        ray.shutdown()


def cmdline(process):
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def n_bytes(value):
    return len(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))


def lost_worker(cluster, X, y, usual, expected):
    """Seconds that a fit takes longer if a worker is killed half-way."""
    cluster.wait()

    def kill():
        time.sleep(usual / 2)
        os.kill(cluster.process_ids()[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with cluster.context():
        seconds, fit = seconds_of(lambda: fitted(X, y))
    killer.join()
    assert_same(fit, expected)
    return seconds - usual


def measured(n_workers, X, y, repeats):
    """Rows of the table of one number of workers."""
    clusters = {"Dask": DaskProcesses(n_workers), "Ray": RayProcesses(n_workers)}
    runs = {"1 thread": Threads(1), "2 threads": Threads(2)} | clusters
    seconds = {name: [] for name in runs}
    expected = None
    for _ in range(1 + repeats):  # in turns; the first fits load what they need
        for name, run in runs.items():
            with run.context():
                taken, fit = seconds_of(lambda: fitted(X, y))
            seconds[name].append(taken)
            print(f"{n_workers} processes, {name}: {taken:.1f} s", flush=True)
            expected = fit if expected is None else expected
            assert_same(fit, expected)
    rows = {name: {"s": min(taken[1:])} for name, taken in seconds.items()}
    for name, cluster in clusters.items() if n_workers > 1 else ():
        with cluster.context():
            few, many = (
                cluster.sent_by(lambda n=n_trees: fitted(X, y, n))
                for n_trees in (N_TREES, N_TREES + MORE_TREES)
            )
        rows[name]["MB a fit"] = few / 1e6
        rows[name]["kB a tree"] = (many - few) / MORE_TREES / 1e3
        usual = rows[name]["s"]
        rows[name]["lost worker, s"] = lost_worker(cluster, X, y, usual, expected)
        print(name, rows[name], flush=True)
    for cluster in clusters.values():
        cluster.close()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    for kind in (SmoothnessWarning, WorkerLostWarning, ResourceWarning):
        warnings.simplefilter("ignore", kind)
    dask.config.set({"distributed.comm.timeouts.connect": "60s"})
    X, y = samples(args.rows, args.columns)
    size = f"{args.rows:,} x {args.columns:,}"
    figures = {
        f"{size}, {n} processes": measured(n, X, y, args.repeats) for n in args.workers
    }
    setup = (
        f"float32, 2 classes, {N_TREES} trees (and 50 randomised ones), workers of one "
        f"thread, all on this machine; least of {args.repeats} fits, in turns"
    )
    libraries = ("dask", "distributed", "ray")
    write_results("clusters", figures, setup=setup, libraries=libraries, append=True)


if __name__ == "__main__":
    main()
