"""Smoothness of labelled data by the geometric wavelets of decision forests."""

import ast
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any

from ._version import __version__ as __version__


def _modules_of_names() -> dict[str, str | None]:
    """Map each public name to the module that defines it, or a module to None.

    The stub beside this file is the only list, as in SPEC 1 of Scientific Python: type
    checkers and editors read it, and so does ``__getattr__``, which imports a name when
    it is first asked for, since scikit-learn and numba take a second to import.
    """
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name != "__version__"
    }


_MODULES = _modules_of_names()
_IMPORTING = RLock()  # scikit-learn cannot be imported by several threads at a time

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _MODULES[name]
    with _IMPORTING:
        if module is None:
            return import_module(f".{name}", __name__)
        value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value  # later look-ups do not come here
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
