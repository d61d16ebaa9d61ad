"""Other processes and machines, workers that die, and data larger than memory."""

import operator
import os
import signal
import time
import tracemalloc

import numpy as np
import pytest
from joblib import delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from joblib.pool import PicklingPool
from numpy.testing import assert_array_equal
from scipy import sparse

from sksmooth import BesovSmoothnessEstimator
from sksmooth._lib.parallel import run_parallel
from sksmooth.exceptions import WorkerLostWarning
from sksmooth.samples import read_samples
from sksmooth.samples.samples import Samples
from sksmooth.samples.targets import encode_targets
from sksmooth.trees import Growth
from sksmooth.trees.grower import choose_search, grow_trees

pytestmark = [
    pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SMALL, LARGE = (500, 5), (3000, 400)  # large ones are grown by histograms
FORMS = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype(np.float32),
    "missing": lambda X: np.where(X > 1.2, np.nan, X),
    "sparse": lambda X: sparse.csr_matrix(np.where(np.abs(X) > 1, X, 0)),
}


def data(shape, form="float64", kind="classes"):
    X = np.random.RandomState(0).standard_normal(shape)
    y = np.sin(3 * X[:, 0]) + X[:, 1]
    return FORMS[form](X), y if kind == "numbers" else (y > 0).astype(int)


def fit(X, y, n_estimators=3, **options):
    return BesovSmoothnessEstimator(n_estimators, random_state=0, **options).fit(X, y)


def assert_same_fit(first, second):
    assert first.alpha_ == second.alpha_
    assert first.alpha_interval_ == second.alpha_interval_
    assert first.oob_score_ == second.oob_score_
    assert_array_equal(first.errors_, second.errors_)
    wavelets = first.wavelets_, second.wavelets_
    means = tuple(each.means for each in wavelets)
    trees = zip(first._forest.trees, second._forest.trees, strict=True)
    for one, other in [wavelets, means, *trees]:
        for name, value in vars(one).items():
            if name != "means":
                assert_array_equal(value, getattr(other, name))


def assert_same_leaves(first, second, X):
    leaves = first._forest.apply(X)
    assert_array_equal(leaves, second._forest.apply(X))


@pytest.fixture(scope="module")
def dask_cluster():
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    # Workers that restart must not be taken for lost when others are killed.
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "10 minutes"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def dask_workers(dask_cluster):
    dask_cluster.wait_for_workers(2, timeout=60)
    with parallel_config(backend="dask"):
        yield dask_cluster


@pytest.fixture(scope="module")
def ray_cluster():
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.util.joblib").register_ray()
    bases = PicklingPool.__bases__  # which Ray replaces, for all of joblib
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()
    PicklingPool.__bases__ = bases


@pytest.fixture
def ray_workers(ray_cluster):
    with parallel_config(backend="ray", n_jobs=2):
        yield ray_cluster


# ----------------------------------------------------------------------- the same results


@pytest.mark.parametrize("kind", ["classes", "numbers"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [SMALL, LARGE])
def test_dask_gives_the_results_of_threads(dask_workers, shape, form, kind):
    X, y = data(shape, form, kind)
    distributed = fit(X, y)
    with parallel_config(backend="threading", n_jobs=2):
        expected = fit(X, y)
        assert_same_fit(distributed, expected)
        score = expected.score(X, y)
    assert distributed.score(X, y) == score
    assert_same_leaves(distributed, expected, X)


# Few, since they go the way of Dask but for how tasks are sent.
@pytest.mark.parametrize(
    ("shape", "form", "kind"),
    [
        (SMALL, "float64", "classes"),
        (LARGE, "missing", "numbers"),
        (LARGE, "sparse", "classes"),
    ],
)
def test_ray_gives_the_results_of_threads(ray_workers, shape, form, kind):
    X, y = data(shape, form, kind)
    distributed = fit(X, y)
    with parallel_config(backend="threading", n_jobs=2):
        assert_same_fit(distributed, fit(X, y))


# --------------------------------------------------------------------- what is sent, once


class Counted:
    """Something large that counts how often it is pickled, as the number 7."""

    n_pickled = 0

    def __sizeof__(self):
        return 10**6

    def __reduce__(self):
        Counted.n_pickled += 1
        return int, (7,)


def times_pickled(n_tasks):
    counted, Counted.n_pickled = Counted(), 0
    tasks = (delayed(operator.add)(counted, i) for i in range(n_tasks))
    results = run_parallel(tasks, n_tasks, n_jobs=None, label="", verbose=0)
    assert results == [7 + i for i in range(n_tasks)]
    return Counted.n_pickled


def test_dask_sends_an_argument_once(dask_workers):
    assert times_pickled(12) == times_pickled(2) == 1


def test_ray_sends_an_argument_once(ray_workers):
    assert times_pickled(12) == times_pickled(2) == 1


@pytest.fixture
def bytes_sent(monkeypatch):
    """Sizes of the messages of this process, in which the scheduler of Dask is."""
    tcp = pytest.importorskip("distributed.comm.tcp")
    write, sent = tcp.TCP.write, []

    async def counted(self, message, *args, **options):
        sent.append(await write(self, message, *args, **options))
        return sent[-1]

    monkeypatch.setattr(tcp.TCP, "write", counted)
    return sent


@pytest.mark.usefixtures("dask_workers")
@pytest.mark.parametrize("form", ["float64", "sparse"])
def test_dask_sends_the_samples_once(bytes_sent, form):
    X, y = data(LARGE, form)
    n_bytes = {}
    for n_estimators in (2, 10):
        bytes_sent.clear()
        fit(X, y, n_estimators)
        n_bytes[n_estimators] = sum(bytes_sent)
    size = X.nbytes if form == "float64" else X.data.nbytes + X.indices.nbytes
    assert n_bytes[2] > size
    assert n_bytes[10] - n_bytes[2] < 2 * size  # not the 8 of the 8 more trees


@pytest.mark.usefixtures("dask_workers")
def test_a_tree_sends_at_most_two_bytes_a_row(bytes_sent):
    X, y = data((20_000, 3))
    n_bytes = []
    for n_estimators in (2, 10):
        bytes_sent.clear()
        grow_trees(read_samples(X, y), Growth(n_estimators, max_depth=2, random_state=0))
        n_bytes.append(sum(bytes_sent))
    assert n_bytes[1] - n_bytes[0] < 8 * 2 * len(X)  # where bags alone take 8 * 8 as floats


def processes_of(n_tasks, **options):
    tasks = [delayed(os.getpid)() for _ in range(n_tasks)]
    return set(run_parallel(tasks, n_tasks, n_jobs=2, label="", verbose=0, **options))


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_short_tasks_are_not_sent(backend):
    with parallel_config(backend=backend, n_jobs=2):
        assert processes_of(3, are_short=True) == {os.getpid()}
        assert (processes_of(3) == {os.getpid()}) == (backend == "threading")


@pytest.mark.usefixtures("ray_workers")
def test_ray_keeps_its_processes():
    first = processes_of(4)
    assert os.getpid() not in first
    assert first & processes_of(4)


# ------------------------------------------------------------------------ workers that die


def grown(rule=choose_search):
    """Five trees and their leaves, all nodes of which are split as a rule says."""
    X, y = data(LARGE)
    targets, classes = encode_targets(y)
    samples = Samples(X, y, targets, np.ones(len(y)), classes)
    forest, _, leaves = grow_trees(samples, Growth(5, random_state=0), rule)
    return forest, leaves


def assert_same_growth(first, second):
    assert_array_equal(first[1], second[1])
    for one, other in zip(first[0].trees, second[0].trees, strict=True):
        for name, value in vars(one).items():
            assert_array_equal(value, getattr(other, name))


@pytest.fixture
def deadly_rule(tmp_path):
    """A rule at which the first worker to grow a tree is killed, but never this process."""
    marker, this_process = str(tmp_path / "killed"), os.getpid()

    def choose_or_die(*sizes, **numbers):
        if os.getpid() != this_process and not os.path.exists(marker):
            open(marker, "w").close()
            time.sleep(0.2)  # others have begun
            os.kill(os.getpid(), signal.SIGKILL)
        return choose_search(*sizes, **numbers)

    yield choose_or_die
    assert os.path.exists(marker)


@pytest.fixture
def expected():
    with parallel_config(backend="threading", n_jobs=2):
        return grown()


kills = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")


@kills
def test_a_lost_process_costs_time_not_the_result(expected, deadly_rule):
    with (
        parallel_config(backend="loky", n_jobs=2),
        pytest.warns(WorkerLostWarning, match="run again"),
    ):
        assert_same_growth(grown(deadly_rule), expected)


@kills
def test_a_lost_dask_worker_costs_time_not_the_result(expected, dask_workers, deadly_rule):
    assert_same_growth(grown(deadly_rule), expected)


@kills
@pytest.mark.usefixtures("ray_workers")
def test_a_lost_ray_worker_costs_time_not_the_result(expected, deadly_rule):
    assert_same_growth(grown(deadly_rule), expected)


def test_a_dask_worker_may_die_while_it_is_sent_something(dask_workers, monkeypatch):
    comm = pytest.importorskip("distributed.comm.core")
    scatter, calls = type(dask_workers).scatter, []

    def broken_once(*args, **options):
        calls.append(args)
        if len(calls) == 1:
            raise comm.CommClosedError("gone")  # which joblib's backend would wait for
        return scatter(*args, **options)

    monkeypatch.setattr(type(dask_workers), "scatter", broken_once)
    tasks = [delayed(operator.add)(np.arange(3), i) for i in range(4)]
    with pytest.warns(WorkerLostWarning, match="CommClosedError"):
        results = run_parallel(tasks, 4, n_jobs=None, label="", verbose=0)
    assert_array_equal(results, np.add.outer(range(4), range(3)))


class Failing:
    """A function that fails some times before it returns."""

    def __init__(self, error, times):
        self.error, self.times, self.n_calls = error, times, 0

    def __call__(self):
        self.n_calls += 1
        if self.n_calls <= self.times:
            raise self.error
        return ["result"]


def error_of(module, *names):
    kind = Exception
    for name in names:
        kind = type(name, (kind,), {"__module__": module})
    return kind("gone")


LOST = [
    TerminatedWorkerError("gone"),
    error_of("distributed.scheduler", "KilledWorker"),
    error_of("distributed.comm.core", "CommClosedError"),
    error_of("ray.exceptions", "RayError", "RayActorError", "ActorDiedError"),
]


def result_of(run):
    """What a function gives as the only task of a backend of processes."""
    with parallel_config(backend="loky", n_jobs=1):  # joblib then starts none
        (result,) = run_parallel([delayed(run)()], 1, n_jobs=None, label="", verbose=0)
    return result


@pytest.mark.parametrize("error", LOST)
def test_tasks_of_lost_workers_are_run_again_twice(error):
    run = Failing(error, 2)
    with pytest.warns(WorkerLostWarning) as caught:
        assert result_of(run) == ["result"]
    assert len(caught) == 2
    run = Failing(error, 3)
    with pytest.warns(WorkerLostWarning), pytest.raises(type(error)):
        result_of(run)
    assert run.n_calls == 3


@pytest.mark.parametrize(
    "error",
    [
        ValueError("wrong"),
        MemoryError(),
        error_of("mine", "KilledWorker"),
        error_of("ray.exceptions", "RayError", "RayTaskError"),
    ],
)
def test_errors_of_tasks_are_not_run_again(error):
    run = Failing(error, 1)
    with pytest.raises(type(error)):
        result_of(run)
    assert run.n_calls == 1


def test_an_error_of_a_task_comes_through_from_other_processes():
    with parallel_config(backend="loky", n_jobs=2), pytest.raises(ZeroDivisionError):
        run_parallel(
            (delayed(divmod)(1, i) for i in (1, 0)), 2, n_jobs=None, label="", verbose=0
        )


# ------------------------------------------------------------------ data larger than memory


@pytest.fixture(scope="module")
def table():
    X, y = data((3000, 6))
    return X.astype(np.float32), y, fit(X.astype(np.float32), y, max_samples=300)


def test_only_the_drawn_rows_of_a_memory_map_are_read(table, tmp_path):
    X, y, expected = table
    mapped = np.memmap(tmp_path / "X", dtype=X.dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    assert_same_fit(fit(mapped, y, max_samples=300), expected)
    assert mapped[:1].base is not None  # still a map


@pytest.mark.parametrize("chunks", [(700, 6), (3000, 2), (256, 4)])
def test_dask_arrays_give_the_results_of_arrays(table, chunks):
    da = pytest.importorskip("dask.array")
    X, y, expected = table
    lazy_X, lazy_y = da.from_array(X, chunks=chunks), da.from_array(y, chunks=500)
    assert_same_fit(fit(lazy_X, lazy_y, max_samples=300), expected)
    assert_same_fit(fit(lazy_X, y, max_samples=300), expected)
    weighted = fit(lazy_X, lazy_y, max_samples=300, n_estimators=20)  # reads all
    assert_same_fit(weighted, fit(X, y, max_samples=300, n_estimators=20))


def test_weights_may_be_dask_arrays(table):
    da = pytest.importorskip("dask.array")
    X, y, _ = table
    weights = np.random.RandomState(0).randint(1, 4, len(y))
    estimator = BesovSmoothnessEstimator(3, max_samples=300, random_state=0)
    expected = estimator.fit(X, y, weights).alpha_
    lazy = [da.from_array(each, chunks=500) for each in (X, y, weights)]
    assert estimator.fit(*lazy).alpha_ == expected


def test_a_dask_array_of_400_gigabytes():
    da = pytest.importorskip("dask.array")
    n_rows, n_columns, size = 10**9, 100, 10**5
    chunks_read = []

    def chunk(block_info=None):
        (start, stop), _ = block_info[None]["array-location"]
        chunks_read.append(start)
        rows = np.arange(start, stop) % 9973
        return np.outer(rows.astype(np.float32), np.arange(1, 1 + n_columns, dtype="f4"))

    X = da.map_blocks(
        chunk,
        chunks=((size,) * (n_rows // size), (n_columns,)),
        dtype=np.float32,
        meta=np.empty((0, 0), dtype=np.float32),
    )
    y = (da.arange(n_rows, chunks=size) % 9973 > 5000).astype(int)
    tracemalloc.start()
    estimator = fit(X, y, n_estimators=2, max_samples=50)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(estimator._forest.trees) == 2
    assert len(set(chunks_read)) == len(chunks_read) <= 100
    assert peak < 5e8


def test_what_is_not_read_as_a_whole_says_so(table):
    da = pytest.importorskip("dask.array")
    X, y, fitted = table
    lazy = da.from_array(X, chunks=700)
    with pytest.raises(ValueError, match="max_samples as the number"):
        fit(lazy, y)
    with pytest.raises(ValueError, match="number of rows of X is not known"):
        fit(lazy[lazy[:, 0] > 0], y, max_samples=300)
    with pytest.raises(ValueError, match="number of rows of y is not known"):
        fit(lazy, lazy[lazy[:, 0] > 0, 0], max_samples=300)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit(lazy, y[:-1], max_samples=300)
    with pytest.raises(ValueError, match="some of its rows"):
        fitted.score(lazy, y)
    with pytest.raises(ValueError, match="some of its rows"):
        fitted.transform(lazy)


def test_dask_data_frames_must_become_arrays(table):
    dd = pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    X, y, expected = table
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=3)
    with pytest.raises(ValueError, match="to_dask_array"):
        fit(frame, y, max_samples=300)
    with pytest.raises(ValueError, match="to_dask_array"):
        fit(frame.to_dask_array(lengths=True), frame[0], max_samples=300)
    as_array = frame.to_dask_array(lengths=True)
    assert_same_fit(fit(as_array, y, max_samples=300), expected)
