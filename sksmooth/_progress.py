"""Run tasks through joblib, with a progress bar if asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from joblib import Parallel
from joblib.parallel import get_active_backend
from numba.core import event

__all__ = ["announce_compilation", "run_parallel"]

_WIDTH = 30
_COMPILATION = "numba:compile"


class _CompilationNotice(event.Listener):
    """Says once that the package's loops are being compiled, and not loaded."""

    def __init__(self) -> None:
        self._is_given = False

    def on_start(self, started: event.Event) -> None:
        kernel = started.data["dispatcher"].py_func
        is_ours = kernel.__module__.partition(".")[0] == __package__
        if is_ours and not self._is_given:
            self._is_given = True
            print(
                "sksmooth compiles its loops for this machine, which takes about half a "
                "minute and is done once.",
                file=sys.stderr,
                flush=True,
            )

    def on_end(self, ended: event.Event) -> None:
        """Nothing to say: what follows is the result."""


def announce_compilation() -> None:
    """Print a notice when the first of the package's loops is compiled."""
    event.register(_COMPILATION, _CompilationNotice())


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
