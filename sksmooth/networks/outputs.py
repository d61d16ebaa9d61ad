"""Select and pool the output of a layer to one row of features for each sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from .layouts import Layouts, UnknownAxisError
from .modules import Point, is_recurrent
from .pooling import Pooling

__all__ = ["check_rows", "pooled", "selected"]

_FIRST_CHOICES = ("last_hidden_state", "logits")  # keys of the outputs of Transformers


def selected(output: Any, module: nn.Module, choice: Any, name: str) -> Tensor:
    """Select the tensor to read from a layer's output, with the samples first.

    A single tensor is taken unchanged, unless the choice is a function.
    """
    if callable(choice):
        tensor = choice(output)
    else:
        output = _samples_first(output, module)
        if choice is not None and not isinstance(output, Tensor):
            output = _item(output, choice, name)
        tensor = _only_tensor(output, name)
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"Layer {name!r} returns {type(tensor).__name__}, not a tensor; choose one "
            "with output=: an index, a key or a function."
        )
    if tensor.is_quantized:
        return tensor.dequantize()
    if tensor.is_nested or tensor.is_complex():
        kind = "nested" if tensor.is_nested else str(tensor.dtype)
    elif tensor.layout != torch.strided:
        kind = str(tensor.layout)
    else:
        return tensor
    raise TypeError(
        f"Layer {name!r} returns a tensor of a kind that cannot be read ({kind}); convert "
        "it with output=, a function."
    )


def check_rows(
    tensor: Tensor, n_rows: int, point: Point, root: nn.Module, choice: Any
) -> None:
    """Reject a tensor whose first axis is not the sample axis."""
    shape = tuple(tensor.shape)
    if tensor.ndim == 0:
        raise ValueError(
            f"Layer {point.name!r} gives one number for all {n_rows} samples; a layer must "
            "give at least one for each."
        )
    if shape[0] != n_rows:
        raise ValueError(
            f"Layer {point.name!r} gives {shape[0]} rows for {n_rows} samples (shape "
            f"{shape}); transpose them by output=, such as lambda t: t.transpose(0, 1), or "
            "name another layer."
        )
    if tensor.ndim < 3 or shape[1] != n_rows or callable(choice):
        return
    # The batch is as long as the sequences, so the shape does not show which axis is which.
    # The outputs of torch's time-first layers are transposed in _samples_first; after them,
    # any module may still have time first.
    turned = [
        part for part in root.modules() if getattr(part, "batch_first", True) is False
    ]
    if turned and not (
        is_recurrent(point.module) or isinstance(point.module, nn.MultiheadAttention)
    ):
        raise ValueError(
            f"Layer {point.name!r} gives {shape} for {n_rows} samples, in a network where "
            f"{type(turned[0]).__name__} takes time first: which axis is that of the "
            "samples cannot be told. Use another batch_size, or output=, a function."
        )


def _samples_first(output: Any, module: nn.Module) -> Any:
    """Put the samples first in outputs of torch's modules that have them second."""
    if is_recurrent(module):
        sequence, state = output
        if not module.batch_first and isinstance(sequence, Tensor):
            sequence = sequence.transpose(0, 1)
        if isinstance(state, Tensor):
            return sequence, state.transpose(0, 1)
        return sequence, tuple(part.transpose(0, 1) for part in state)
    if isinstance(module, nn.MultiheadAttention) and not module.batch_first:
        return output[0].transpose(0, 1), output[1]
    return output


def _item(output: Any, choice: int | str, name: str) -> Any:
    try:
        if isinstance(output, Mapping):
            if choice in output:
                return output[choice]
            return list(output.values())[choice]  # type: ignore[index]  # caught below
        return getattr(output, choice) if isinstance(choice, str) else output[choice]
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        held = list(output) if isinstance(output, Mapping) else _described(output)
        raise ValueError(
            f"output={choice!r} is not in the output of layer {name!r}: {held}."
        ) from error


def _only_tensor(output: Any, name: str) -> Any:
    """Take the first tensor of a tuple, or the main one of a dict."""
    if isinstance(output, Mapping):
        tensors = {key: v for key, v in output.items() if isinstance(v, Tensor)}
        for key in _FIRST_CHOICES:
            if key in tensors:
                return tensors[key]
        if len(tensors) != 1:
            raise ValueError(
                f"Layer {name!r} gives {len(tensors)} tensors; choose one with output=: "
                f"{list(output)}."
            )
        return next(iter(tensors.values()))
    if isinstance(output, tuple | list) and not isinstance(output, PackedSequence):
        return _only_tensor(output[0], name) if output else output
    return output


def _described(output: Any) -> str:
    if isinstance(output, tuple | list):
        return f"{type(output).__name__} of {', '.join(type(v).__name__ for v in output)}"
    return type(output).__name__


def pooled(
    tensor: Tensor,
    module: nn.Module,
    pooling: Pooling,
    layouts: Layouts,
    mask: Tensor | None,
    name: str,
) -> Tensor:
    """Pool a layer's tensor to one row of features for each sample.

    If nothing is pooled, the result may be a view of the tensor.
    """
    if tensor.ndim <= 2 or pooling.over_tokens is None:
        return tensor.reshape(len(tensor), -1)
    if layouts.has_features_last(tensor, module, name):
        tokens = tensor.flatten(1, -2)
    elif pooling.is_for_maps:
        # The tokens of a map are its places; the mask counts tokens of the network's input.
        tokens, mask = tensor.flatten(2).transpose(1, 2), None
    else:
        raise UnknownAxisError(
            f"pooling={pooling.name!r} is for tokens, but layer {name!r} gives a map with "
            "the channels first.",
            'Use pooling="mean" or "max".',
            tuple(tensor.shape[1:]),
        )
    return pooling.over_tokens(
        tokens, _checked_mask(mask, tokens, tuple(tensor.shape[1:]), name)
    )


def _checked_mask(
    mask: Tensor | None, tokens: Tensor, shape: tuple[int, ...], name: str
) -> Tensor:
    if mask is None:
        return torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
    if mask.shape != tokens.shape[:2]:
        raise UnknownAxisError(
            f"The attention mask has shape {tuple(mask.shape)}, but layer {name!r} gives "
            f"{tokens.shape[1]} tokens for each of {tokens.shape[0]} samples.",
            "If the network makes other tokens than the mask counts, pool by output=, such "
            "as lambda t: t.mean(1).",
            shape,
        )
    if not mask.any(dim=1).all():
        raise ValueError("The attention mask leaves no token in some samples.")
    return mask.to(tokens.device)
