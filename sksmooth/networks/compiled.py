"""Read networks that torch.compile has compiled, wholly or in part, as uncompiled ones.

Compiled code calls no hooks, or calls them only during compilation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import nn

__all__ = ["is_compiled", "name_before", "run_uncompiled", "uncompiled"]

_WITHIN = "_orig_mod"  # name of the module in its compiled one


def is_compiled(module: Any) -> bool:
    """Return whether a module is the result of torch.compile."""
    return type(module).__name__ == "OptimizedModule"


def uncompiled(module: Any) -> Any:
    """Return the original of a compiled module; others unchanged."""
    while is_compiled(module):
        module = cast(nn.Module, getattr(module, _WITHIN))
    return module


def name_before(name: str) -> str:
    """Name a submodule as in the uncompiled network."""
    return ".".join(part for part in name.split(".") if part != _WITHIN)


@contextmanager
def run_uncompiled(root: nn.Module) -> Iterator[None]:
    """Run compiled modules and functions uncompiled within the ``with`` block."""
    if "torch._dynamo" not in sys.modules:  # then nothing is compiled; importing it is slow
        yield
    elif hasattr(torch.compiler, "set_stance"):
        with torch.compiler.set_stance("force_eager"):
            yield
    elif any(map(is_compiled, root.modules())):
        raise ValueError(
            "Parts of the network are compiled, and torch before version 2.6 cannot run "
            "them uncompiled; replace them by the modules that they wrap: "
            f"module.part.{_WITHIN}."
        )
    else:
        yield
