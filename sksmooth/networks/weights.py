"""Find the weights of modules, and the modules that make a layer with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .modules import submodules

__all__ = ["first_tensor", "is_elementwise", "is_layer", "number_of_weights"]

_LAYERS = (
    *(nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag, nn.MultiheadAttention),
    *(nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase),
)
_ACTIVATIONS = tuple(
    getattr(nn.modules.activation, name)
    for name in nn.modules.activation.__all__
    if name != "MultiheadAttention"
)
_NORM_OR_POOL = re.compile(r"Norm(Act)?(\dd)?$|Pool(ing)?(\dd)?$")  # names of classes
_QUANTISED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized")
_NAMES = re.compile(r"weight|kernel|^w$", re.IGNORECASE)


def is_layer(module: nn.Module, arguments: Any, output: Tensor) -> bool:
    """Return whether a call of a module makes a layer or belongs to the previous layer.

    A layer mixes features by its weights. Normalisations, activations, poolings and
    modules that scale or shift each feature do not, though they may have weights.

    Parameters
    ----------
    module : Module
        The module, which calls no other one.
    arguments : tuple
        What it was called with.
    output : Tensor
        What it gives.
    """
    if isinstance(module, _LAYERS) or _is_packed(module):
        return True
    given = first_tensor(arguments)
    parameters = list(module.parameters())
    if not parameters and not any(
        _NAMES.search(name) or _maps(tensor, given, output)
        for name, tensor in _other_tensors(module)
    ):
        return False
    if isinstance(module, _ACTIVATIONS) or _NORM_OR_POOL.search(type(module).__name__):
        return False
    others = [tensor for _, tensor in _other_tensors(module)]
    keeps_shape = given is not None and given.shape == output.shape
    return not keeps_shape or any(map(_is_matrix, [*parameters, *others]))


def is_elementwise(
    module: nn.Module, arguments: Any, keywords: dict[str, Any], output: Tensor
) -> bool:
    """Recognise activations parametrised by a matrix of weights, by calling them again.

    Each of their outputs depends on only one input.

    Parameters
    ----------
    module : Module
        The module, which calls no other one.
    arguments, keywords : tuple and dict
        What it was called with.
    output : Tensor
        What it gives.
    """
    given = first_tensor(arguments[:1])
    if given is None or not given.is_floating_point() or given.shape != output.shape:
        return False
    weights = [*module.parameters(), *(tensor for _, tensor in _other_tensors(module))]
    # Zero weights, with which some layers start, mix nothing yet.
    is_known = isinstance(module, _LAYERS) or _is_packed(module)
    if is_known or not all(bool(tensor.any()) for tensor in weights):
        return False
    generator = torch.Generator().manual_seed(0)
    kept = (torch.rand(given.shape, generator=generator) < 0.5).to(given.device)
    with torch.inference_mode():
        first, second = (
            module.forward(values, *arguments[1:], **keywords)
            for values in (given.clone(), given.where(kept, given + 1))
        )
    is_tensor = isinstance(first, Tensor) and first.shape == kept.shape
    return is_tensor and torch.equal(first[kept], second[kept])


def number_of_weights(module: nn.Module) -> int:
    """Count the weights in a module: parameters, packed weights and fixed ones."""
    found: dict[int, Tensor] = {id(each): each for each in module.parameters()}
    for part in submodules(module).values():
        if not any(map(_is_matrix, part._parameters.values())):
            weights = dict(_packed(part))
            weights |= {n: t for n, t in _other_tensors(part) if _NAMES.search(n)}
            found |= {id(each): each for each in weights.values()}
    return sum(each.numel() for each in found.values())


def first_tensor(arguments: Any) -> Tensor | None:
    """Find the first tensor among arguments."""
    return next((each for each in arguments if isinstance(each, Tensor)), None)


def _other_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the matrices that a module holds as buffers or as plain attributes."""
    for name, value in (*module._buffers.items(), *vars(module).items()):
        if isinstance(value, Tensor) and _is_matrix(value) and value.dtype != torch.bool:
            yield name, value


def _is_matrix(tensor: Tensor | None) -> bool:
    return tensor is not None and sum(length > 1 for length in tensor.shape) > 1


def _maps(weights: Tensor, given: Tensor | None, output: Tensor) -> bool:
    """Return whether a tensor can map the input features to those of the output.

    It then has an axis for each. A table of positions has one only for the features, and
    statistics or masks have none.
    """
    if given is None or not (weights.is_floating_point() or weights.is_quantized):
        return False
    axes = list(weights.shape)
    if given.is_floating_point():
        width = next((n for n in given.shape[1:] if n > 1 and n in axes), None)
        if width is None:
            return False
        axes.remove(width)
    return any(n > 1 and width % n == 0 for width in output.shape[1:] for n in axes)


def _is_packed(module: nn.Module) -> bool:
    """Return whether a module keeps weights in objects that only kernels read."""
    held = [vars(part) for part in module.modules()]
    return any(isinstance(value, torch.ScriptObject) for d in held for value in d.values())


def _packed(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights that torch's quantised modules unpack on request."""
    if not any(kind.__module__.startswith(_QUANTISED) for kind in type(module).__mro__):
        return
    for name in ("weight", "bias", "get_weight", "get_bias"):
        getter = getattr(module, name, None)
        value = getter() if callable(getter) else None
        values = value if isinstance(value, dict) else {name: value}
        for key, tensor in values.items():
            if isinstance(tensor, Tensor):
                yield f"{name}.{key}", tensor
