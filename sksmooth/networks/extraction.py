"""Extract the features of layers: one array per layer, from a network and samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.random_projection import SparseRandomProjection
from sklearn.utils import check_random_state

from .._lib.progress import progress_bar
from .._lib.state import Versioned
from .arrays import LayerArrays
from .listing import followed_layers
from .options import ReaderOptions, require_torch

if TYPE_CHECKING:
    from torch import nn

    from .forward import Recorder
    from .inputs import Batch
    from .modules import Point
    from .taking import Taken

__all__ = ["LayerFeatures", "extract", "read_arguments"]


@dataclass(frozen=True, eq=False)
class LayerFeatures(Versioned):
    """Features of several layers from one forward pass.

    Attributes
    ----------
    names, types : list of str
        Names of the layers, and the classes of their modules.
    arrays : list of ndarray of shape (n_samples, n_features)
        The features of each layer; memory maps where they are large.
    shapes : list of tuple of int
        Shapes of one sample before it was pooled.
    projection_errors : list of float or None
        Mean relative error of squared distances; None where a layer was not projected.
    y : array-like or None
        Targets: those given, or those that the data set yielded.
    widths : list of int
        Numbers of features before the projection.
    projections : list of SparseRandomProjection or None
        The projections of the layers.
    streams : list of str
        Name of the mask of each layer's tokens: the encoder's or the decoder's.
    masks : dict of str to ndarray of shape (n_samples, n_tokens)
        The masks by these names; empty if none was given or requested.
    """

    names: list[str]
    types: list[str]
    arrays: list[np.ndarray]
    shapes: list[tuple[int, ...]]
    projection_errors: list[float | None]
    y: Any
    widths: list[int]
    projections: list[SparseRandomProjection | None]
    streams: list[str]
    masks: dict[str, np.ndarray]


def extract(
    module: Any,
    X: Any,
    layers: Any = None,
    options: ReaderOptions | None = None,
    *,
    y: ArrayLike | None = None,
    earlier: LayerFeatures | None = None,
    first_batch_only: bool = False,
    side_by_side: bool = False,
    keep_order: bool = False,
    keep_masks: bool = False,
) -> LayerFeatures:
    """Extract features of several layers by one forward pass.

    Parameters
    ----------
    module : torch.nn.Module or fitted skorch net
        The network. It is only read.
    X : array-like, tensor, dict of these, Dataset or DataLoader
        Samples.
    layers : str, int or list of these, default=None
        Names of layers; None means the input and all modules with weights, as
        :func:`~sksmooth.networks.listing.followed_layers` finds them.
    options : ReaderOptions, default=None
        How to read them. None means the defaults.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Targets. None takes those that a data set yields, in the same pass.
    earlier : LayerFeatures, default=None
        Features of other samples on the same layers: the new ones use the same projections,
        and must have the same widths.
    first_batch_only : bool, default=False
        Whether to read no more than one batch.
    side_by_side : bool, default=False
        Whether the features of all layers go into one array.
    keep_order : bool, default=False
        Whether to refuse a DataLoader that shuffles. One is always refused with ``y``.
    keep_masks : bool, default=False
        Whether to keep the masks of the tokens.

    Returns
    -------
    features : LayerFeatures
        Names, types, shapes and arrays of the layers.
    """
    require_torch()
    from .forward import Recorder, evaluation, first_of
    from .inputs import check_order, read_inputs
    from .modules import layer_points, read_module
    from .taking import RowTaker

    options = ReaderOptions() if options is None else options
    root = read_module(module)
    points = None if layers is None else layer_points(root, layers)
    inputs = read_inputs(X, root.forward, options.batch_size, options.input_shape)
    if keep_order or y is not None:
        check_order(X)
    if y is not None and not inputs.is_loaded:
        _check_length(y, inputs.n_rows, inputs.data)
    with evaluation(root, inputs, options.device) as batches:
        # The first batch shows which layers exist, before the pass over all batches.
        batch = first_of(batches)
        points, types = _points_and_types(root, points, batch, options)
        arrays = LayerArrays(
            [point.name for point in points],
            batch.n_rows if first_batch_only else inputs.n_rows,
            n_components=options.n_components,
            rng=check_random_state(options.random_state),
            widths=earlier.widths if earlier else [],
            projections=earlier.projections if earlier else [],
            side_by_side=side_by_side,
            dtype=options.dtype,
            memmap=False if first_batch_only else options.memmap,
        )
        batches = [batch] if first_batch_only else chain([batch], batches)
        if options.verbose and inputs.n_batches:
            batches = progress_bar(batches, inputs.n_batches, "layers")
        taker = RowTaker(root, batch, options)
        recorder = Recorder(root, points, taker, count_calls=not earlier)
        with recorder, arrays:
            taken, targets, masks = _collected(recorder, batches, arrays, keep_masks)
            finished = arrays.finish()
    return LayerFeatures(
        names=[point.name for point in points],
        types=types,
        arrays=finished,
        shapes=[each.shape for each in taken],
        projection_errors=arrays.projection_errors,
        y=None if first_batch_only else _targets(y, targets, len(finished[0])),
        widths=arrays.widths,
        projections=arrays.projections,
        streams=[each.stream for each in taken],
        masks=masks,
    )


def _points_and_types(
    root: nn.Module, points: list[Point] | None, batch: Batch, options: ReaderOptions
) -> tuple[list[Point], list[str]]:
    """Find the layers, unless they are given, and the classes of their modules."""
    from .modules import layer_points
    from .taking import without_unpoolable

    if points is not None:
        return points, [point.type for point in points]
    followed = followed_layers(root, batch)
    points = without_unpoolable(root, layer_points(root, followed), batch, options)
    return points, [followed[point.name] for point in points]


def _collected(
    recorder: Recorder, batches: Iterable[Batch], arrays: LayerArrays, keep_masks: bool
) -> tuple[list[Taken], list[Any], dict[str, np.ndarray]]:
    """Run all batches; return the last batch's results, all targets and all masks."""
    targets, masks = [], []
    for batch in batches:
        taken = recorder.run(batch)
        arrays.append([each.rows.numpy() for each in taken])
        targets.append(batch.y)
        masks.append(recorder.take.masks.arrays() if keep_masks else {})
    return (
        taken,
        targets,
        {name: np.concatenate([m[name] for m in masks]) for name in masks[0]},
    )


def read_arguments(module: Any, X: Any, y: Any = None) -> tuple[Any, Any]:
    """Convert lists and several arguments to an array or a dict.

    Parameters
    ----------
    module : torch.nn.Module or fitted skorch net
        The network.
    X : object
        Samples in any form.
    y : array-like, default=None
        Targets. None takes those among the entries of X.

    Returns
    -------
    X : object
        The samples; several arguments are a dict by names or positions.
    y : array-like or None
        The targets.
    """
    require_torch()
    from .arguments import as_arguments, is_dict, split_targets
    from .modules import read_module

    forward = read_module(module).forward
    X = as_arguments(X, forward)
    if is_dict(X):
        X, targets = split_targets(X, forward)
        y = targets if y is None else y
    return X, y


def _targets(y: Any, parts: list[Any], n_rows: int) -> Any:
    """Return the given targets, or else those that came with the batches."""
    if y is None:
        if any(part is None for part in parts):
            return None
        return np.concatenate([_to_numpy(part) for part in parts])
    _check_length(y, n_rows)
    return _to_numpy(y) if hasattr(y, "detach") else y


def _check_length(y: Any, n_rows: int | None, data: Any = None) -> None:
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    if shape[:1] != (n_rows,):
        mend = ""
        if shape and getattr(data, "shape", ())[1:2] == shape[:1]:
            mend = "; if X are several arguments, pass a dict or a tuple of them"
        raise ValueError(
            f"y has {shape[0] if shape else 0} rows, but X has {n_rows}{mend}."
        )


def _to_numpy(targets: Any) -> np.ndarray:
    if hasattr(targets, "detach"):
        targets = targets.detach().cpu()
        # NumPy has no bfloat16; float64 represents the numbers of all types.
        targets = targets.double() if targets.is_floating_point() else targets
    return np.asarray(targets)
