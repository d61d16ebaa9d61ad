"""Run tasks through joblib, with a progress bar if asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from joblib import Parallel
from joblib.parallel import get_active_backend

__all__ = ["run_parallel"]

_WIDTH = 30


def run_parallel(
    tasks: Iterable[Any], n_tasks: int, *, n_jobs: int | None, label: str, verbose: int
) -> list[Any]:
    """Results of joblib ``delayed`` tasks, in their order.

    Threads are preferred, since the kernels release the GIL; ``joblib.parallel_config``
    overrules that and ``n_jobs=None``.
    """
    backend, _ = get_active_backend(prefer="threads")
    # Some distributed backends cannot hand back results one by one.
    streaming = verbose > 0 and getattr(backend, "supports_return_generator", False)
    parallel = Parallel(
        n_jobs=n_jobs,
        prefer="threads",
        return_as="generator" if streaming else "list",
    )
    results = parallel(tasks)
    return list(_with_bar(results, n_tasks, label)) if streaming else results


def _with_bar(results: Iterable[Any], n_tasks: int, label: str) -> Iterator[Any]:
    start = time.perf_counter()
    _draw(label, 0, n_tasks, 0.0)
    for done, result in enumerate(results, start=1):
        _draw(label, done, n_tasks, time.perf_counter() - start)
        yield result
    print(file=sys.stderr)


def _draw(label: str, done: int, total: int, seconds: float) -> None:
    filled = _WIDTH * done // max(total, 1)
    bar = "#" * filled + "-" * (_WIDTH - filled)
    print(
        f"\r{label} [{bar}] {done}/{total} {seconds:6.1f} s",
        end="",
        file=sys.stderr,
        flush=True,
    )
