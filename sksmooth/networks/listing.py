"""List the layers of a network, and choose those to compare by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from .options import ReaderOptions, require_torch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .forward import Call
    from .inputs import Batch

__all__ = ["followed_layers", "list_layers"]

# Batch sizes on which a network is traced in turn. A first axis of length 7 may be one of 7
# places or tokens; only the sample axis has length 7 and then 5.
_FEW_ROWS = (7, 5)


def list_layers(
    module: Any,
    X: Any = None,
    *,
    device: Any = None,
    input_shape: tuple[int, ...] | None = None,
) -> pd.DataFrame:
    """List the layers of a network by the names that other functions accept.

    Parameters
    ----------
    module : torch.nn.Module or fitted skorch net
        The network, which is only read.
    X : samples as for :class:`LayerFeatureTransformer`, default=None
        Samples, a few of which are passed through the network.
    device, input_shape : optional
        As for :class:`LayerFeatureTransformer`.

    Returns
    -------
    layers : DataFrame
        One row per name, with the columns ``layer``, ``type``, ``n_parameters`` (including
        packed weights, and those in buffers or attributes called weights) and ``is_leaf``
        (contains no other module). With X there is one row for each call of a module, in
        the order in which the calls return, and two more columns: ``shape``, that of one
        sample if the layer returns one tensor, and ``n_calls``. Modules that are not
        reached come last, with 0 calls.

    See Also
    --------
    compare_layers : Measure the index of each layer.
    LayerFeatureTransformer : Return the values of some layers.

    Examples
    --------
    >>> from torch import nn
    >>> from sksmooth import list_layers
    >>> network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    >>> list_layers(network)
        layer        type  n_parameters  is_leaf
    0   input       input             0    False
    1       0      Linear          2080     True
    2       1        ReLU             0     True
    3       2      Linear           330     True
    4  output  Sequential          2410    False
    """
    require_torch()
    from .forward import evaluation, first_of, trace
    from .inputs import read_inputs
    from .modules import display_name, is_leaf, read_module, submodules

    options = ReaderOptions(
        batch_size=max(_FEW_ROWS), device=device, input_shape=input_shape
    )
    root = read_module(module)
    rows = [dict(layer="input", type="input", n_parameters=0, is_leaf=False)]
    parts = {name: part for name, part in submodules(root).items() if name} | {"": root}
    if X is None:
        rows += [_row(display_name(name), part, is_leaf) for name, part in parts.items()]
        return pd.DataFrame(rows)
    inputs = read_inputs(X, root.forward, options.batch_size, options.input_shape)
    with evaluation(root, inputs, options.device) as batches:
        batch = first_of(batches).head(_FEW_ROWS[0])
        calls = trace(root, batch)
    rows[0] |= dict(shape=None if batch.input is None else tuple(batch.input.shape[1:]))
    rows[0] |= dict(n_calls=1)
    for call in calls:
        tensor = _tensor_of(call, batch)
        shape = None if tensor is None else tuple(tensor.shape[1:])
        row = _row(call.label, call.module, is_leaf)
        rows.append(row | dict(shape=shape, n_calls=call.n_calls))
    reached = {call.module for call in calls}
    for name, part in parts.items():
        if part not in reached:
            row = _row(display_name(name), part, is_leaf)
            rows.append(row | dict(shape=None, n_calls=0))
    return pd.DataFrame(rows)


def _row(name: str, part: nn.Module, is_leaf: Callable) -> dict[str, Any]:
    from .weights import number_of_weights

    return dict(
        layer=name,
        type=type(part).__name__,
        n_parameters=number_of_weights(part),
        is_leaf=is_leaf(part),
    )


def followed_layers(root: nn.Module, batch: Batch) -> dict[str, str]:
    """Find the layers that represent a network from its input to its output.

    These are the input, unless it is tokens, and one layer for each module that mixes
    features by weights of its own, in the order of execution: its value after the
    normalisation, activation, scaling, pooling and dropout modules between it and the next
    one. Modules whose output is not one row for each sample are left out.

    Parameters
    ----------
    root : Module
        The network, in evaluation mode.
    batch : Batch
        Some samples.

    Returns
    -------
    layers : dict of str to str
        Their names, and the classes of the modules that make them.
    """
    from .forward import trace
    from .weights import is_elementwise, is_layer

    few, fewer = map(batch.head, _FEW_ROWS)
    has_rows = {
        call.label for call in trace(root, fewer) if _tensor_of(call, fewer) is not None
    }
    groups: list[list[Call]] = []
    for call in trace(root, few):
        tensor = _tensor_of(call, few)
        if not call.is_leaf or tensor is None or call.label not in has_rows:
            continue
        given = call.module, call.arguments
        if is_layer(*given, tensor) and not is_elementwise(*given, call.keywords, tensor):
            groups.append([call])
        elif groups:
            groups[-1].append(call)
    has_input = batch.input is not None and batch.input.is_floating_point()
    layers = {"input": "input"} if has_input else {}
    for group in groups:
        types = [type(call.module).__name__ for call in group]
        layers[group[-1].label] = " + ".join(types)
    if not layers:
        raise ValueError(
            "The network has no module with weights that returns a row for each sample; "
            "name its layers, such as 'output'."
        )
    return layers


def _tensor_of(call: Call, batch: Batch) -> Tensor | None:
    """Return the tensor that a call returns, if it has one row for each sample."""
    from .outputs import selected

    try:
        tensor = selected(call.output, call.module, None, call.name)
    except (TypeError, ValueError):  # none, or several
        return None
    has_rows = tensor.ndim > 0 and len(tensor) == batch.n_rows
    return tensor if has_rows else None
