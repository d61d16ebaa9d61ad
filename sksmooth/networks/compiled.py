"""Networks that torch.compile has compiled, whole or in parts: they are read as they were.

Compiled code calls no hooks, or calls them while it is being compiled.
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
    """Return whether a module is what torch.compile has made of another one."""
    return type(module).__name__ == "OptimizedModule"


def uncompiled(module: Any) -> Any:
    """Return the module that was compiled, or one that was not as it is."""
    while is_compiled(module):
        module = cast(nn.Module, getattr(module, _WITHIN))
    return module


def name_before(name: str) -> str:
    """Name a submodule as if nothing were compiled."""
    return ".".join(part for part in name.split(".") if part != _WITHIN)


@contextmanager
def run_uncompiled(root: nn.Module) -> Iterator[None]:
    """Run compiled modules and functions as they were before, until the block ends."""
    if "torch._dynamo" not in sys.modules:  # so nothing is compiled; its import takes long
        yield
    elif hasattr(torch.compiler, "set_stance"):
        with torch.compiler.set_stance("force_eager"):
            yield
    elif any(map(is_compiled, root.modules())):
        raise ValueError(
            "Parts of the network are compiled, which torch before version 2.6 cannot run "
            f"as they were; replace them by what they wrap: module.part.{_WITHIN}."
        )
    else:
        yield
