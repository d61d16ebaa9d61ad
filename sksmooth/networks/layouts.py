"""Find out which axis of a layer's output holds the features: the second or the last.

The shape does not show it, but the modules do: a linear layer has features last, a
convolution second, and an activation where its input has them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from torch.utils.weak import WeakTensorKeyDictionary

from .modules import is_leaf, is_recurrent, submodules
from .weights import first_tensor, is_layer

__all__ = ["Layouts", "UnknownAxisError"]

_CHANNELS_FIRST = (nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.GroupNorm)
_SEQUENTIAL = (nn.Embedding, nn.MultiheadAttention)
_FEATURES_LAST = (*_SEQUENTIAL, nn.Linear, nn.Bilinear)
_NORM = re.compile(r"Norm(Act)?(\dd)?$")  # names of classes
_ROOT_MEAN_SQUARE = re.compile(
    r"RMSNorm$", re.IGNORECASE
)  # by which all take the last axis


class UnknownAxisError(ValueError):
    """A layer cannot be pooled, since its axes are unknown or unexpected.

    Parameters
    ----------
    problem : str
        What is wrong.
    mend : str
        What to pass for the layer.
    shape : tuple of int
        Shape of one sample.
    """

    def __init__(self, problem: str, mend: str, shape: tuple[int, ...]) -> None:
        super().__init__(f"{problem} {mend}")
        self.mend, self.shape = mend, shape


class Layouts:
    """Track the feature axis of tensors during a pass.

    Parameters
    ----------
    root : Module
        The network.
    """

    def __init__(self, root: nn.Module) -> None:
        self._root = root
        self.begin()

    def begin(self) -> None:
        """Forget the previous pass."""
        # Whether features come last; None where modules contradict each other.
        self._of_tensor: Any = WeakTensorKeyDictionary()
        self._of_shape: dict[tuple[int, ...], set[bool | None]] = {}

    def watch(self) -> list[RemovableHandle]:
        """Register the tracking hooks."""
        leaves = [part for part in submodules(self._root).values() if is_leaf(part)]
        return [part.register_forward_hook(self._follow) for part in leaves]

    def _follow(self, module: nn.Module, arguments: Any, output: Any) -> None:
        if not isinstance(output, Tensor) or output.ndim < 3:
            return
        given = first_tensor(arguments)
        own, inherited = _own(module, output), None
        if given is not None and _keeps_axes(module, given, output):
            inherited = self._of_tensor.get(given)
        if own is None and inherited is None:
            return
        known = own if inherited is None else inherited
        agreed = known if own in (None, known) else None
        self._of_tensor[output] = agreed
        self._of_shape.setdefault(tuple(output.shape), set()).add(agreed)

    def has_features_last(self, tensor: Tensor, module: nn.Module, name: str) -> bool:
        """Distinguish (sample, token, feature) from (sample, channel, place).

        Evidence is used in this order: the modules inside the layer; those that the tensor
        has passed; the order of all other tensors of its shape, if they agree; the classes
        of all modules of the network.

        Raises
        ------
        UnknownAxisError
            If the network has both kinds of modules and nothing decides.
        """
        within = _by_classes(module)
        if within is not None:
            return within
        if tensor in self._of_tensor and self._of_tensor[tensor] is not None:
            return self._of_tensor[tensor]
        of_shape = self._of_shape.get(tuple(tensor.shape), set())
        if len(of_shape) == 1 and tensor.shape[1] != tensor.shape[-1]:
            (found,) = of_shape
            if found is not None:
                return found
        return _in_network(self._root, tensor, name)


def _own(module: nn.Module, output: Tensor) -> bool | None:
    """Infer the layout of a module's output from its class and sizes, if possible."""
    shape = tuple(output.shape)
    if isinstance(module, _FEATURES_LAST) or is_recurrent(module):
        return True
    if isinstance(module, _CHANNELS_FIRST) or _is_pooling(module):
        return False
    if shape[-1] == getattr(module, "out_features", None):  # such as quantised layers
        return True
    if shape[1] == getattr(module, "out_channels", None):
        return False
    kind = type(module)
    if isinstance(module, nn.LayerNorm) and kind is nn.LayerNorm:
        return True if len(module.normalized_shape) == 1 else None
    if _ROOT_MEAN_SQUARE.search(kind.__name__):
        return True
    # Other normalisations, of either order, have one weight per feature.
    weight: Any = getattr(module, "weight", None)
    if isinstance(weight, Tensor) and weight.ndim == 1 and _NORM.search(kind.__name__):
        is_first, is_last = (shape[axis] == weight.numel() for axis in (1, -1))
        return is_last if is_first != is_last else None
    return None


def _keeps_axes(module: nn.Module, given: Tensor, output: Tensor) -> bool:
    """Return whether an output has the axes of the input, as for an activation."""
    if given.shape != output.shape or is_layer(module, (given,), output):
        return False
    # Not if they were transposed, which does not move the numbers in memory.
    return given.data_ptr() != output.data_ptr() or given.stride() == output.stride()


def _by_classes(module: nn.Module, *, is_of_tokens: bool = False) -> bool | None:
    """Infer the layout from the classes of the modules inside, if they agree.

    Parameters
    ----------
    module : Module
        The module.
    is_of_tokens : bool, default=False
        Whether only one-dimensional convolutions count as evidence of maps.
    """
    parts = list(module.modules())
    is_map = any(_is_channels_first(part) for part in parts)
    is_sequence = any(_is_sequential(part) for part in parts)
    if is_map and is_sequence and is_of_tokens:
        is_map = any("1d" in type(part).__name__ for part in parts)
    if is_map != is_sequence:
        return is_sequence
    if not is_map and any(type(part) is nn.Linear for part in parts):
        return True
    return None


def _in_network(root: nn.Module, tensor: Tensor, name: str) -> bool:
    # A vision transformer cuts an image into patches by one convolution: its tensors of
    # three axes are tokens. Only one-dimensional convolutions make maps of three axes.
    found = _by_classes(root, is_of_tokens=tensor.ndim == 3)
    if found is not None:
        return found
    if any(_is_channels_first(part) for part in root.modules()):
        raise UnknownAxisError(
            f"Layer {name!r} gives {tuple(tensor.shape)}, and the network has both "
            "convolutions and token layers, so whether the channels come first cannot be "
            "told.",
            _advice(tensor.ndim),
            tuple(tensor.shape[1:]),
        )
    return tensor.ndim == 3


def _advice(n_axes: int) -> str:
    first, last = _axes(range(2, n_axes)), _axes(range(1, n_axes - 1))
    return (
        f"Pool by output=, lambda t: t.mean({first}) if the channels come first or "
        f'lambda t: t.mean({last}) if they come last, or use pooling="flatten".'
    )


def _axes(axes: Sequence[int]) -> str:
    return str(axes[0] if len(axes) == 1 else tuple(axes))


def _is_pooling(module: nn.Module) -> bool:
    return type(module).__module__ == "torch.nn.modules.pooling"


def _is_channels_first(module: nn.Module) -> bool:
    if isinstance(module, nn.LayerNorm):
        # timm and others derive norms of both orders from LayerNorm, which itself
        # normalises the last axis. A subclass is assumed to have channels first, so that
        # the network is rejected rather than pooled over the wrong axis.
        return len(module.normalized_shape) > 1 or type(module) is not nn.LayerNorm
    return _is_pooling(module) or isinstance(module, _CHANNELS_FIRST)


def _is_sequential(module: nn.Module) -> bool:
    if isinstance(module, nn.LayerNorm):
        return len(module.normalized_shape) == 1
    return isinstance(module, _SEQUENTIAL) or is_recurrent(module)
