"""What is made of kernels once numba is imported, and the notice that they are compiled."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock

from .messages import tell

__all__ = ["dispatcher_of", "global_compiler_lock"]


class _Compilation(event.Listener):
    """Announces once that kernels are being compiled, rather than loaded from the cache.

    The compiler makes so many objects that garbage collection took an eighth of its time,
    so it waits; kernels that a kernel calls are compiled meanwhile. Numba's lock is held.
    """

    def __init__(self) -> None:
        self.is_announced = False
        self.how_often = "is done once"
        self.depth = 0
        self.collects_garbage = False

    def on_start(self, started: event.Event) -> None:
        if not self._is_ours(started):
            return
        if self.depth == 0:
            self.collects_garbage = gc.isenabled()
            gc.disable()
        self.depth += 1
        if not self.is_announced:
            self.is_announced = True
            tell(
                "sksmooth compiles its loops for this machine, which takes some seconds "
                f"and {self.how_often}."
            )

    def on_end(self, ended: event.Event) -> None:
        if not self._is_ours(ended):
            return
        self.depth -= 1
        if self.depth == 0 and self.collects_garbage:
            gc.enable()

    @staticmethod
    def _is_ours(compiling: event.Event) -> bool:
        kernel = compiling.data["dispatcher"].py_func
        return kernel.__module__.partition(".")[0] == __package__.partition(".")[0]


_COMPILATION = _Compilation()
event.register("numba:compile", _COMPILATION)


def dispatcher_of(loop: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Return what compiles a loop for the types that it is called with.

    Numba caches machine code beside the source, in the user's cache directory if that
    folder is read-only, or in NUMBA_CACHE_DIR. If none is writable, nothing is cached.
    """
    try:
        return njit(**{"cache": True, **options})(loop)
    except RuntimeError:  # numba finds no writable cache directory
        _COMPILATION.how_often = (
            "is done anew in every process, since no folder for them can be written: set "
            "NUMBA_CACHE_DIR to one that can"
        )
        return njit(**{**options, "cache": False})(loop)
