"""Run tasks through joblib, with a progress bar, and again if a worker is lost."""

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

_SMALL = (Number, str, tuple, NoneType)  # arguments that are sent with their task
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
    tasks: Iterable[Any],
    n_tasks: int,
    *,
    n_jobs: int | None,
    label: str,
    verbose: int,
    are_short: bool = False,
) -> list[Any]:
    """Run joblib ``delayed`` tasks, and return their results in order.

    Threads are preferred, since the kernels release the GIL; ``joblib.parallel_config``
    overrides that and ``n_jobs=None``. No more workers than tasks are started. If the tasks
    run in other processes and one of these dies, its tasks or all tasks run again, at most
    twice where the backend does not do so itself.

    Parameters
    ----------
    tasks : iterable of delayed calls
        The tasks.
    n_tasks : int
        Their number.
    n_jobs : int or None
        Number of joblib workers.
    label : str
        Label of the progress bar.
    verbose : int
        1 shows the progress bar.
    are_short : bool, default=False
        Whether the tasks take less long than to send them to other processes. They run
        here then, in threads.

    Returns
    -------
    results : list
        One result a task.
    """
    require = "sharedmem" if are_short else None
    backend, _ = get_active_backend(prefer="threads", require=require)
    n_jobs = None if n_jobs is None else min(int(n_jobs), n_tasks)

    def results(tasks: Iterable[Any]) -> list[Any]:
        # Some distributed backends cannot hand back results one by one.
        streaming = verbose > 0 and getattr(backend, "supports_return_generator", False)
        parallel = Parallel(
            n_jobs=n_jobs,
            prefer="threads",
            require=require,
            return_as="generator" if streaming else "list",
        )
        finished = parallel(tasks)
        return list(progress_bar(finished, n_tasks, label)) if streaming else finished

    if getattr(backend, "supports_sharedmem", False):
        return results(tasks)
    tasks = list(tasks)
    n_workers = effective_n_jobs(n_jobs)
    library = type(backend).__module__.removeprefix("joblib._").partition(".")[0]
    if library == "ray" and n_workers > 1:
        return _repeated(lambda: _results_of_ray(tasks, n_workers, backend))
    if library == "dask" and n_workers > 1:
        return _repeated(lambda: results(_with_futures(tasks, backend.client)))
    return _repeated(lambda: results(tasks))


def _repeated(run: Callable[[], list[Any]]) -> list[Any]:
    """Call a function, again if it fails because a worker was lost."""
    for _ in range(_MOST_REPEATS):
        try:
            return run()
        except Exception as error:
            if not _is_lost_worker(error):
                raise
            warn_caller(
                WorkerLostWarning(
                    f"A worker was lost ({type(error).__name__}), often for lack of "
                    "memory; its tasks are run again."
                )
            )
    return run()


def _is_lost_worker(error: Exception) -> bool:
    """Tell the errors of a backend from those that a task has raised."""
    if isinstance(error, BrokenExecutor | CancelledError):  # loky's, and Dask's
        return True
    kinds = {
        (kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).mro()
    }
    return not kinds.isdisjoint(_LOST_WORKER_ERRORS)


def _results_of_ray(tasks: list[Any], n_workers: int, backend: Any) -> list[Any]:
    """Run tasks in the processes of Ray, so many at a time.

    Ray keeps these processes for later tasks, and runs the tasks of one that dies again.
    Its backend for joblib starts actors anew for every call, which takes seconds, and all
    tasks have to be run again if one of them dies.
    """
    import ray

    call = ray.remote(_call).options(**(backend.ray_remote_args or {}))
    calls: list[Any] = []
    running: list[Any] = []
    for function, arguments, options in _stored(
        tasks, lambda values: [ray.put(value) for value in values]
    ):
        if len(running) == n_workers:
            _, running = ray.wait(running)
        calls.append(call.remote(function, *arguments, **options))
        running.append(calls[-1])
    return ray.get(calls)


def _with_futures(tasks: list[Any], client: Any) -> list[Any]:
    """Send each distinct argument to Dask once, and replace it in the tasks by a future.

    The joblib backend of Dask is meant to do so, but waits forever if a worker dies while
    it receives something.
    """
    stored = _stored(tasks, lambda values: client.scatter(values, hash=False))
    return [
        delayed(_call)(function, *arguments, **options)
        for function, arguments, options in stored
    ]


def _stored(tasks: list[Any], store: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """Store each distinct argument once, and put what stands for it into the tasks."""
    values = {
        id(value): value
        for _, arguments, _ in tasks
        for value in arguments
        if not isinstance(value, _SMALL)
    }
    stored = dict(zip(values, store(list(values.values())), strict=True))
    return [
        (function, tuple(stored.get(id(value), value) for value in arguments), options)
        for function, arguments, options in tasks
    ]


def _call(function: Callable, *arguments: Any, **options: Any) -> Any:
    return function(*map(_fetched, arguments), **options)


def _fetched(value: Any) -> Any:
    # Dask fetches futures itself, but not if all workers but one died and tasks run here.
    return value.result() if comes_from(value, "distributed") else value
