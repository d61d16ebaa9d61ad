"""Check that a network can be read, and find its layers by their names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral
from typing import Any, NamedTuple, cast

from sklearn.exceptions import NotFittedError
from torch import nn
from torch.jit import ScriptModule
from torch.nn.parameter import is_lazy

from .._lib.optional import comes_from
from .compiled import is_compiled, name_before, uncompiled

__all__ = [
    "Point",
    "display_name",
    "is_leaf",
    "is_recurrent",
    "layer_points",
    "read_module",
    "submodules",
]

# By name: the distributed ones are not in every build of torch.
_PARALLEL = {"DataParallel", "DistributedDataParallel", "FullyShardedDataParallel"}
# Parts that hold weights of their module and are not layers: the matrices from which
# parametrizations compute weights, and the packed ones of quantised modules.
_HOLDERS = {"parametrizations", "_packed_params", "_all_weight_values"}
_SEQUENCES = ("rnn", "transformer", "activation")  # modules of torch.nn.modules


class Point(NamedTuple):
    """A place in a network whose values are read."""

    name: str
    module: Any  # a torch.nn.Module; None is the input of the network
    call: int | None  # in one forward pass; None if there must be exactly one

    @property
    def type(self) -> str:
        """The class of the module."""
        return "input" if self.module is None else type(self.module).__name__


def read_module(module: Any) -> nn.Module:
    """Unwrap the module of a fitted skorch net or of torch.compile, and check it."""
    if comes_from(module, "skorch"):
        if not hasattr(module, "module_"):
            raise NotFittedError(
                f"This {type(module).__name__} has no module yet; call its fit or "
                "initialize first."
            )
        module = module.module_
    if not isinstance(module, nn.Module):
        raise TypeError(
            "module must be a torch.nn.Module or a fitted skorch net, got "
            f"{type(module).__name__}."
        )
    module = cast(nn.Module, uncompiled(module))
    _refuse_unreadable(module)
    return module


def _refuse_unreadable(root: nn.Module) -> None:
    for module in root.modules():
        if not _PARALLEL.isdisjoint(kind.__name__ for kind in type(module).__mro__):
            raise ValueError(
                f"{type(module).__name__} runs copies of a module, whose layers cannot be "
                "read; pass the module that it wraps: module.module."
            )
        if isinstance(module, ScriptModule):
            raise ValueError(
                "Code compiled by torch.jit calls no hooks, so its layers cannot be read; "
                "pass the module from which it was compiled."
            )
    tensors = [*root.named_parameters(), *root.named_buffers()]
    for name, tensor in ((name_before(name), tensor) for name, tensor in tensors):
        if is_lazy(tensor):
            raise ValueError(
                f"{name!r} of the module is not initialised; run the lazy module on a "
                "batch first."
            )
        if tensor.device.type == "meta":
            raise ValueError(
                f"{name!r} of the module is a meta tensor, without values; load the "
                "weights, or use module.to_empty(device=...) and initialise them."
            )
    if type(root).__module__ in [f"torch.nn.modules.{name}" for name in _SEQUENCES] and any(
        getattr(module, "batch_first", True) is False for module in root.modules()
    ):
        raise ValueError(
            f"{type(root).__name__} takes sequences with time first, but the first axis of "
            "X is that of the samples; create it with batch_first=True, or wrap it in a "
            "module that transposes."
        )


def submodules(root: nn.Module, *, aliases: bool = False) -> dict[str, nn.Module]:
    """Map dotted names to modules, "" to the root; each module once unless ``aliases``."""
    return {
        name_before(name): module
        for name, module in root.named_modules(remove_duplicate=not aliases)
        if _HOLDERS.isdisjoint(name.split(".")) and not is_compiled(module)
    }


def is_leaf(module: nn.Module) -> bool:
    """Return whether a module contains no others, apart from holders of its weights."""
    return all(name in _HOLDERS for name, _ in module.named_children())


def is_recurrent(module: Any) -> bool:
    """Recognise torch's recurrent layers, including quantised ones."""
    return any(
        kind.__name__ == "RNNBase" and kind.__module__.startswith("torch.")
        for kind in type(module).__mro__
    )


def display_name(name: str, call: int = 0, n_calls: int = 1) -> str:
    """Name one call of a submodule as users request it."""
    # "input" is the input of the network, so a submodule of that name gets a number.
    if n_calls > 1 or name == "input":
        return f"{name}:{call}"
    return name or "output"


def layer_points(root: nn.Module, layers: Any) -> list[Point]:
    """Find the places in a network that a name, a number or a list of these denotes."""
    if isinstance(layers, str | Integral):
        layers = [layers]
    if not isinstance(layers, Iterable):
        raise TypeError(
            "layers must be a name, an int or a list of these, got "
            f"{type(layers).__name__}."
        )
    points = [_point(root, layer) for layer in layers]
    if not points:
        raise ValueError("layers is empty; name at least one.")
    names = [point.name for point in points]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"Layer {name!r} is named more than once.")
    return points


def _point(root: nn.Module, layer: Any) -> Point:
    if isinstance(layer, Integral) and not isinstance(layer, bool):
        return _numbered(root, int(layer))
    if not isinstance(layer, str):
        raise TypeError(f"A layer must be a str or an int, got {layer!r}.")
    layer = name_before(layer)  # torch's named_modules() names compiled parts differently
    if layer == "input":
        return Point("input", None, None)
    modules = submodules(root, aliases=True)
    if layer in modules:
        return Point(layer, modules[layer], None)
    if layer == "output":
        return Point("output", root, None)
    name, _, call = layer.rpartition(":")
    if call.isdecimal() and name in modules:
        return Point(layer, modules[name], int(call))
    raise ValueError(_unknown(layer, modules))


def _numbered(root: nn.Module, index: int) -> Point:
    leaves = [(name, m) for name, m in submodules(root).items() if is_leaf(m)]
    if not -len(leaves) <= index < len(leaves):
        raise ValueError(
            f"There is no layer {index}: the network has {len(leaves)} leaf modules, 0 to "
            f"{len(leaves) - 1}."
        )
    name, module = leaves[index]
    return Point(display_name(name), module, 0 if name == "input" else None)


def _unknown(layer: str, modules: dict[str, nn.Module]) -> str:
    names = ["input", "output", *filter(None, modules)]
    near = get_close_matches(layer, names, n=3, cutoff=0.5)
    ends = [name for name in names if name.split(".")[-1] == layer.split(".")[-1]]
    hints = list(dict.fromkeys(near + ends))[:3] or names[:5]
    return (
        f"There is no layer {layer!r}; did you mean {', '.join(map(repr, hints))}? "
        "list_layers(module) shows all names."
    )
