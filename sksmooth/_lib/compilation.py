"""How the package compiles its loops: without the GIL, kept on disk, and with a notice."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import event

__all__ = ["compiled"]


class _Notice(event.Listener):
    """Says once that the package's loops are being compiled, and not loaded."""

    def __init__(self) -> None:
        self.is_given = False
        self.how_often = "is done once"

    def on_start(self, started: event.Event) -> None:
        kernel = started.data["dispatcher"].py_func
        is_ours = kernel.__module__.partition(".")[0] == __package__.partition(".")[0]
        if is_ours and not self.is_given:
            self.is_given = True
            print(
                "sksmooth compiles its loops for this machine, which takes less than half "
                f"a minute and {self.how_often}.",
                file=sys.stderr,
                flush=True,
            )

    def on_end(self, ended: event.Event) -> None:
        """Nothing to say: what follows is the result."""


_NOTICE = _Notice()
event.register("numba:compile", _NOTICE)


def compiled(loop: Callable[..., Any], *, inline: str = "never") -> Callable[..., Any]:
    """The loop compiled by numba at its first call, or loaded if it has been before.

    It is kept beside its source, or in the user's cache if that folder is read-only, or
    where NUMBA_CACHE_DIR says. If none of them can be written, it is not kept.
    """
    options: dict[str, Any] = {"nogil": True, "inline": inline}
    try:
        return njit(cache=True, **options)(loop)
    except RuntimeError:  # as numba says where it finds no folder that it can write
        _NOTICE.how_often = (
            "is done anew in every process, since no folder for them can be written: set "
            "NUMBA_CACHE_DIR to one that can"
        )
        return njit(**options)(loop)
