"""Compile loops with numba: without the GIL, cached on disk, announced once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import event

from .messages import tell

__all__ = ["compiled"]


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
                "sksmooth compiles its loops for this machine, which takes less than half "
                f"a minute and {self.how_often}."
            )

    def on_end(self, ended: event.Event) -> None:
        """Stay silent: the result follows."""


_NOTICE = _Notice()
event.register("numba:compile", _NOTICE)


def compiled(
    loop: Callable[..., Any], *, inline: str = "never", is_inner: bool = False
) -> Callable[..., Any]:
    """Compile a loop at its first call, or load it if it has been compiled before.

    Numba caches machine code beside the source, in the user's cache directory if that
    folder is read-only, or in NUMBA_CACHE_DIR. If none is writable, nothing is cached.
    Without an entry from Python (``is_inner``), loops compile in less time.
    """
    options: dict[str, Any] = {"nogil": True, "inline": inline}
    if is_inner:
        options.update(no_cpython_wrapper=True, no_cfunc_wrapper=True)
    try:
        return njit(cache=True, **options)(loop)
    except RuntimeError:  # numba finds no writable cache directory
        _NOTICE.how_often = (
            "is done anew in every process, since no folder for them can be written: set "
            "NUMBA_CACHE_DIR to one that can"
        )
        return njit(**options)(loop)
