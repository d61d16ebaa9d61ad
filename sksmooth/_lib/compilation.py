"""Compile loops with numba: at their first call, without the GIL, cached on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

__all__ = ["Kernel", "compiled", "inner", "readable"]


class Kernel:
    """A loop that numba compiles at its first call, or loads if it was compiled before.

    Numba is imported at that call, too, since it takes a third of a second. To numba,
    within other loops, a kernel is what it makes of the loop.
    """

    def __init__(self, loop: Callable[..., Any], options: dict[str, Any]) -> None:
        update_wrapper(self, loop)
        self.py_func = loop
        self.targetoptions = options  # where numba looks whether to inline it
        self._dispatcher: Any = None

    @property
    def dispatcher(self) -> Any:
        """Numba's object for the loop."""
        if self._dispatcher is None:
            from .numba_loops import dispatcher_of, global_compiler_lock

            with global_compiler_lock:  # one of several threads makes it
                if self._dispatcher is None:
                    self._dispatcher = dispatcher_of(self.py_func, self.targetoptions)
        return self._dispatcher

    @property
    def _numba_type_(self) -> Any:
        return self.dispatcher._numba_type_

    def __call__(self, *arguments: Any) -> Any:
        return self.dispatcher(*arguments)


# A division by zero gives inf or NaN, as in NumPy: to raise errors takes code, too.
_OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def compiled(loop: Callable[..., Any], *, inline: str = "never") -> Kernel:
    """Compile a loop at its first call."""
    return Kernel(loop, {**_OPTIONS, "inline": inline})


def inner(loop: Callable[..., Any]) -> Kernel:
    """Compile a loop that only other loops call, without an entry from Python.

    It is not cached, since it is part of the loops that call it.
    """
    return Kernel(loop, {**_OPTIONS, "no_cpython_wrapper": True, "cache": False})


def readable(array: np.ndarray, dtype: Any) -> np.ndarray:
    """Convert an array that a kernel only reads to the one form that is compiled.

    Each dtype, layout and mode of access is compiled anew otherwise: this is contiguous,
    and read-only as memory maps are. The array is copied only if it is not.
    """
    view = np.ascontiguousarray(array, dtype).view(np.ndarray)
    view.setflags(write=False)
    return view
