"""A progress bar on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from .messages import tell

__all__ = ["progress_bar"]

_WIDTH = 30


def progress_bar(results: Iterable[Any], n_tasks: int, label: str) -> Iterator[Any]:
    """Yield results unchanged, and show their number on standard error."""
    start = time.perf_counter()
    _draw(label, 0, n_tasks, 0.0)
    try:
        for done, result in enumerate(results, start=1):
            _draw(label, done, n_tasks, time.perf_counter() - start)
            yield result
    finally:
        tell("")


def _draw(label: str, done: int, total: int, seconds: float) -> None:
    filled = _WIDTH * done // max(total, 1)
    bar = "#" * filled + "-" * (_WIDTH - filled)
    tell(f"\r{label} [{bar}] {done}/{total} {seconds:6.1f} s", end="")
