"""Objects of libraries that need not be installed."""

from __future__ import annotations

from typing import Any

__all__ = ["comes_from"]


def comes_from(thing: Any, library: str) -> bool:
    """Whether a class of the object is defined in the library of that name."""
    return any(cls.__module__.partition(".")[0] == library for cls in type(thing).__mro__)
