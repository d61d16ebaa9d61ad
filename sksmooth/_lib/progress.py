"""Progress on standard error: a bar in terminals and notebooks, one line elsewhere."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from .messages import tell

__all__ = ["progress_bar"]


def progress_bar(results: Iterable[Any], n_tasks: int, label: str) -> Iterator[Any]:
    """Yield results unchanged, and show on standard error how many have arrived.

    In a log file, one line at the end takes the place of the bar.
    """
    bar, is_notebook = _tqdm()
    if is_notebook or _is_terminal():
        with bar(results, total=n_tasks, desc=label, dynamic_ncols=True) as shown:
            yield from shown
        return
    start, done = time.perf_counter(), 0
    try:
        for result in results:
            done += 1
            yield result
    finally:
        tell(f"{label}: {done}/{n_tasks} in {time.perf_counter() - start:.1f} s")


@cache
def _tqdm() -> tuple[Any, bool]:
    """Return tqdm's class for where we are, and whether that is a notebook."""
    with warnings.catch_warnings():
        # A notebook without ipywidgets has no bars; the one line needs none.
        warnings.simplefilter("ignore")
        from tqdm.autonotebook import tqdm
    return tqdm, tqdm.__module__ == "tqdm.notebook"


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it is closed
        return False
