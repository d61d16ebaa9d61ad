"""Compile kernels once numba is imported, and announce it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock

from .messages import tell

__all__ = ["dispatcher_of", "global_compiler_lock"]


class _Notice(event.Listener):
    """Announces once that kernels are being compiled, rather than loaded from the cache."""

    def __init__(self) -> None:
        self.is_given = False
        self.how_often = "is done once"

    def on_start(self, started: event.Event) -> None:
        kernel = started.data["dispatcher"].py_func
        is_ours = kernel.__module__.partition(".")[0] == __package__.partition(".")[0]
        if is_ours and not self.is_given:
            self.is_given = True
            tell(
                "sksmooth compiles its loops for this machine, which takes a few "
                f"seconds and {self.how_often}."
            )

    def on_end(self, ended: event.Event) -> None:
        """Stay silent: the result follows."""


_NOTICE = _Notice()
event.register("numba:compile", _NOTICE)


def dispatcher_of(loop: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Return what compiles a loop for the types that it is called with.

    Numba caches machine code beside the source, in the user's cache directory if that
    folder is read-only, or in NUMBA_CACHE_DIR. If none is writable, nothing is cached.
    """
    try:
        return njit(**{"cache": True, **options})(loop)
    except RuntimeError:  # numba finds no writable cache directory
        _NOTICE.how_often = (
            "is repeated in every process, since there is no writable cache folder: set "
            "NUMBA_CACHE_DIR to one"
        )
        return njit(**{**options, "cache": False})(loop)
