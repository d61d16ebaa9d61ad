"""Features of layers: from a network and samples to one array for each layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.random_projection import SparseRandomProjection
from sklearn.utils import check_random_state

from .._lib.progress import progress_bar
from .._lib.scikit_learn import Interval, StrOptions, validate_params
from .._lib.state import Versioned
from ._torch import require_torch
from .columns import Columns
from .listing import followed_layers

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .inputs import Batch
    from .modules import Point

__all__ = ["CONSTRAINTS", "LayerFeatures", "extract_layers"]

CONSTRAINTS: dict[str, list] = {
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "input_shape": ["array-like", None],
    "output": [str, Integral, callable, None],
    "pooling": [StrOptions({"flatten", "mean", "max", "cls", "last"})],
    "max_features": [Interval(Integral, 1, None, closed="left"), None],
    "dtype": [StrOptions({"float32", "float64"})],
    "memmap": ["boolean", str, PathLike],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
}


@dataclass(frozen=True, eq=False)
class LayerFeatures(Versioned):
    """Features of several layers, all of one forward pass.

    Attributes
    ----------
    names, types : list of str
        Names of the layers, and the classes of their modules.
    arrays : list of ndarray of shape (n_samples, n_features)
        The features of each layer; memory maps where they are large.
    shapes : list of tuple of int
        Shapes of one sample before it was pooled or flattened.
    projection_errors : list of float or None
        Mean relative error of squared distances, where a layer was projected.
    y : ndarray or None
        Targets: those given, or those that the data set yielded.
    widths : list of int
        Numbers of features before the projection.
    projections : list of SparseRandomProjection or None
        What the layers were projected with.
    """

    names: list[str]
    types: list[str]
    arrays: list[np.ndarray]
    shapes: list[tuple[int, ...]]
    projection_errors: list[float | None]
    y: Any
    widths: list[int]
    projections: list[SparseRandomProjection | None]


@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def extract_layers(
    module: Any,
    X: Any,
    layers: Any = None,
    *,
    y: ArrayLike | None = None,
    batch_size: int = 256,
    device: Any = None,
    input_shape: tuple[int, ...] | None = None,
    output: Any = None,
    pooling: str = "flatten",
    max_features: int | None = None,
    dtype: str = "float32",
    memmap: bool | str | PathLike = "auto",
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
    earlier: LayerFeatures | None = None,
    first_batch_only: bool = False,
    side_by_side: bool = False,
    keep_order: bool = False,
) -> LayerFeatures:
    """Features of several layers by one forward pass.

    Parameters
    ----------
    module, X, batch_size, device, input_shape, output, pooling, max_features, dtype, \
memmap, random_state, verbose
        As for :class:`LayerFeatureTransformer`.
    layers : str, int or list of these, default=None
        Names of layers; None means those of :func:`default_layers`.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Targets. None takes those that a data set yields, in the same pass.
    earlier : LayerFeatures, default=None
        Of the same layers, for features alike: projected in the same way, and as many.
    first_batch_only : bool, default=False
        Whether to read no more than one batch.
    side_by_side : bool, default=False
        Whether the features of all layers go into one array.
    keep_order : bool, default=False
        Whether to refuse a loader that shuffles, as with y.

    Returns
    -------
    features : LayerFeatures
        Names, types, shapes and arrays.
    """
    require_torch()
    from .forward import Recorder, evaluation, first_of
    from .inputs import check_order, read_samples
    from .modules import layer_points, read_module

    root = read_module(module)
    points = None if layers is None else layer_points(root, layers)
    samples = read_samples(X, batch_size, input_shape)
    if keep_order or y is not None:
        check_order(X)
    if y is not None and not samples.is_loaded:
        _check_length(y, samples.n_rows)
    with evaluation(root, samples, device) as batches:
        batch = first_of(batches)
        if points is None:
            followed = followed_layers(root, batch)
            points, types = layer_points(root, followed), list(followed.values())
        else:
            types = [point.type for point in points]
        names = [point.name for point in points]
        columns = Columns(
            names,
            batch.n_rows if first_batch_only else samples.n_rows,
            max_features=max_features,
            rng=check_random_state(random_state),
            widths=earlier.widths if earlier else [],
            projections=earlier.projections if earlier else [],
            side_by_side=side_by_side,
            dtype=dtype,
            memmap=False if first_batch_only else memmap,
        )
        batches = [batch] if first_batch_only else chain([batch], batches)
        if verbose and samples.n_batches:
            batches = progress_bar(batches, samples.n_batches, "layers")
        take = partial(_take, root=root, output=output, pooling=pooling, dtype=dtype)
        targets = []
        with Recorder(root, points, take, count_calls=not earlier) as recorder, columns:
            for batch in batches:
                taken = recorder.run(batch)
                columns.append([features.numpy() for features, _ in taken])
                targets.append(batch.y)
            arrays = columns.finish()
    return LayerFeatures(
        names,
        types,
        arrays,
        [shape for _, shape in taken],
        columns.projection_errors,
        None if first_batch_only else _targets(y, targets, len(arrays[0])),
        columns.widths,
        columns.projections,
    )


def _targets(y: Any, parts: list[Any], n_rows: int) -> Any:
    """The targets that were given, or those that came with the batches."""
    if y is None:
        if any(part is None for part in parts):
            return None
        return np.concatenate([_to_numpy(part) for part in parts])
    _check_length(y, n_rows)
    return _to_numpy(y) if hasattr(y, "detach") else y


def _check_length(y: Any, n_rows: int | None) -> None:
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    if shape[:1] != (n_rows,):
        raise ValueError(f"y has {shape[0] if shape else 0} rows, but X has {n_rows}.")


def _to_numpy(targets: Any) -> np.ndarray:
    if hasattr(targets, "detach"):
        targets = targets.detach().cpu()
        targets = targets.double() if targets.is_floating_point() else targets
    return np.asarray(targets)


def _take(
    value: Any,
    point: Point,
    batch: Batch,
    *,
    root: nn.Module,
    output: Any,
    pooling: str,
    dtype: str,
) -> tuple[Tensor, tuple[int, ...]]:
    """A copy of a layer's output, one row a sample, on the CPU; and the shape of one."""
    import torch

    from .outputs import check_rows, pooled, selected

    if point.module is not None:
        tensor = selected(value, point.module, output, point.name)
        check_rows(tensor, batch.n_rows, point, root, output)
    elif value is not None:
        tensor, pooling = value, "flatten"
    else:
        raise ValueError(
            f"The network has several inputs, {list(batch.keywords)}; name another layer "
            "than 'input'."
        )
    rows = pooled(tensor, point.module, root, pooling, batch.mask, point.name)
    rows = rows.detach().to("cpu", getattr(torch, dtype), copy=True)
    return rows, tuple(tensor.shape[1:])
