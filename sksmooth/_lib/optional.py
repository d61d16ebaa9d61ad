"""Libraries that need not be installed, and objects that come from them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["comes_from", "require"]


def require(module: str, *, purpose: str, install: str, extra: str | None = None) -> Any:
    """Import an optional library, or say how to install it.

    Parameters
    ----------
    module : str
        What to import, such as ``"torch"`` or ``"skorch.callbacks"``.
    purpose : str
        What needs it: the beginning of the message.
    install : str
        The name by which pip knows the library.
    extra : str, default=None
        The extra of sksmooth that brings it, if there is one.

    Returns
    -------
    module : module
        The imported module.

    Raises
    ------
    ImportError
        If the library is not installed.

    Examples
    --------
    >>> from sksmooth._lib.optional import require
    >>> require("no_such_library", purpose="This", install="no-such-library", extra="plot")
    Traceback (most recent call last):
    ...
    ImportError: This needs no_such_library, which is not installed; install it with: pip \
install no-such-library (part of the extra "plot" of sksmooth)
    """
    try:
        return import_module(module)
    except ImportError as error:
        name = f'"{install}"' if "[" in install else install  # shells expand brackets
        part = f' (part of the extra "{extra}" of sksmooth)' if extra else ""
        raise ImportError(
            f"{purpose} needs {module.partition('.')[0]}, which is not installed; install "
            f"it with: pip install {name}{part}"
        ) from error


def comes_from(thing: Any, library: str) -> bool:
    """Return whether a class of the object is defined in the library of that name."""
    return any(cls.__module__.partition(".")[0] == library for cls in type(thing).__mro__)
