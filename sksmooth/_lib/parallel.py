"""Run tasks through joblib: with a progress bar if asked, and again if a worker is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, CancelledError
from numbers import Number
from types import NoneType
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from ..exceptions import WorkerLostWarning
from .optional import comes_from
from .progress import progress_bar
from .warn import warn_caller

__all__ = ["run_parallel"]

_SMALL = (Number, str, tuple, NoneType)  # arguments, which go with their task
_MOST_REPEATS = 2  # of tasks whose worker was lost
# Beside those of Python itself, by library, since the libraries need not be installed.
_LOST_WORKER_ERRORS = {
    ("distributed", "CommClosedError"),
    ("distributed", "KilledWorker"),
    ("ray", "NodeDiedError"),
    ("ray", "ObjectLostError"),
    ("ray", "RayActorError"),
    ("ray", "WorkerCrashedError"),
}


def run_parallel(
    tasks: Iterable[Any], n_tasks: int, *, n_jobs: int | None, label: str, verbose: int
) -> list[Any]:
    """Results of joblib ``delayed`` tasks, in their order.

    Threads are preferred, since the kernels release the GIL; ``joblib.parallel_config``
    overrules that and ``n_jobs=None``. No more workers than tasks are started. If other
    processes run the tasks and one of them dies, all tasks are run again, twice at most.
    """
    backend, _ = get_active_backend(prefer="threads")
    n_jobs = None if n_jobs is None else min(int(n_jobs), n_tasks)

    def results(tasks: Iterable[Any]) -> list[Any]:
        # Some distributed backends cannot hand back results one by one.
        streaming = verbose > 0 and getattr(backend, "supports_return_generator", False)
        parallel = Parallel(
            n_jobs=n_jobs,
            prefer="threads",
            return_as="generator" if streaming else "list",
        )
        finished = parallel(tasks)
        return list(progress_bar(finished, n_tasks, label)) if streaming else finished

    if getattr(backend, "supports_sharedmem", False):
        return results(tasks)
    tasks = list(tasks)
    return _repeated(lambda: results(_with_places(tasks, backend, n_jobs)))


def _repeated(run: Callable[[], list[Any]]) -> list[Any]:
    """What a function returns, called again if it fails since a worker was lost."""
    for _ in range(_MOST_REPEATS):
        try:
            return run()
        except Exception as error:
            if not _is_lost_worker(error):
                raise
            warn_caller(
                f"A worker was lost ({type(error).__name__}), often for want of memory; "
                "its tasks are run again.",
                WorkerLostWarning,
            )
    return run()


def _is_lost_worker(error: Exception) -> bool:
    """Whether an error is a backend's own, not one that a task has raised."""
    if isinstance(error, BrokenExecutor | CancelledError):  # loky's, and Dask's
        return True
    kinds = {
        (kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).mro()
    }
    return not kinds.isdisjoint(_LOST_WORKER_ERRORS)


def _with_places(tasks: list[Any], backend: Any, n_jobs: int | None) -> list[Any]:
    """The same tasks, with arguments that Dask or Ray has been sent, each of them once.

    Their joblib backends are meant to do so. But Ray's does not know the tasks of joblib's
    later versions, and sends all with every task; and Dask's waits forever if a worker dies
    that is being sent something.
    """
    library = type(backend).__module__.removeprefix("joblib._").partition(".")[0]
    if library not in ("dask", "ray") or effective_n_jobs(n_jobs) == 1:
        return tasks
    values = {
        id(value): value
        for _, arguments, _ in tasks
        for value in arguments
        if not isinstance(value, _SMALL)
    }
    if library == "ray":
        import ray

        put = [ray.put(value) for value in values.values()]
    else:
        put = backend.client.scatter(list(values.values()), hash=False)
    places = dict(zip(values, put, strict=True))
    return [
        delayed(_call_with_places)(
            function, *(places.get(id(value), value) for value in arguments), **options
        )
        for function, arguments, options in tasks
    ]


def _call_with_places(function: Callable, *arguments: Any, **options: Any) -> Any:
    return function(*map(_fetched, arguments), **options)


def _fetched(value: Any) -> Any:
    if comes_from(value, "ray"):
        import ray

        return ray.get(value)
    # Dask has fetched it before, but not if all workers but one died, and tasks run here.
    return value.result() if comes_from(value, "distributed") else value
