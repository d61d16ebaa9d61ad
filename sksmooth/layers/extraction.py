"""Features of layers: from a network and samples to one array for each layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.random_projection import SparseRandomProjection
from sklearn.utils import check_random_state

from .._progress import progress_bar
from .._sklearn import Interval, StrOptions, validate_params
from .._validation import number_of_rows
from ._torch import require_torch
from .storage import make_store

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .forward import Call, Recorder, Taken
    from .inputs import Batch
    from .modules import Point

__all__ = [
    "CONSTRAINTS",
    "LayerFeatures",
    "default_layers",
    "extract_layers",
    "list_layers",
    "read_features",
]

_FEW_ROWS = 7  # that a network is traced on; few sequences have as many tokens
_MOST_MEASURED = 200  # rows whose distances are compared after a projection

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
class LayerFeatures:
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
    projections : list of SparseRandomProjection or None
        What the layers were projected with.
    """

    names: list[str]
    types: list[str]
    arrays: list[np.ndarray]
    shapes: list[tuple[int, ...]]
    projection_errors: list[float | None]
    y: Any = None
    projections: list[SparseRandomProjection | None] = field(default_factory=list)


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
) -> LayerFeatures:
    """Features of several layers by one forward pass.

    Parameters are those of :class:`LayerFeatureTransformer`; ``layers=None`` means the
    layers of :func:`default_layers`. ``y`` may come with the samples of a data set.
    """
    return read_features(
        module,
        X,
        layers,
        y=y,
        batch_size=batch_size,
        device=device,
        input_shape=input_shape,
        output=output,
        pooling=pooling,
        max_features=max_features,
        dtype=dtype,
        memmap=memmap,
        random_state=random_state,
        verbose=verbose,
    )


def read_features(
    module: Any,
    X: Any,
    layers: Any,
    *,
    y: ArrayLike | None,
    batch_size: int,
    device: Any,
    input_shape: tuple[int, ...] | None,
    output: Any,
    pooling: str,
    max_features: int | None,
    dtype: str,
    memmap: bool | str | PathLike,
    random_state: int | np.random.RandomState | None,
    verbose: int,
    first_batch_only: bool = False,
    calls_are_counted: bool = False,
    projections: list[SparseRandomProjection | None] | None = None,
) -> LayerFeatures:
    """:func:`extract_layers` with checked parameters, of one batch or with projections."""
    require_torch()
    from .forward import Recorder, evaluation, trace
    from .inputs import read_samples
    from .modules import layer_points, read_module

    root = read_module(module)
    points = None if layers is None else layer_points(root, layers)
    samples = read_samples(X, batch_size, input_shape)
    _check_targets(y, samples)
    with evaluation(root, samples, device) as batches:
        batch = next(batches, None)
        if batch is None:
            raise ValueError("X has no samples.")
        if points is None:
            few = batch.head(_FEW_ROWS)
            named = _grouped(trace(root, few), few)
            points, types = layer_points(root, named), list(named.values())
        else:
            types = [_type_of(point) for point in points]
        batches = [batch] if first_batch_only else chain([batch], batches)
        if verbose and samples.n_batches:
            batches = progress_bar(batches, samples.n_batches, "layers")
        take = partial(_take, root=root, output=output, pooling=pooling, dtype=dtype)
        begin = partial(
            _Column,
            n_rows=batch.n_rows if first_batch_only else samples.n_rows,
            dtype=dtype,
            memmap=memmap,
            max_features=max_features,
            rng=check_random_state(random_state),
        )
        projections = projections or [None] * len(points)
        with Recorder(root, points, take, count_calls=not calls_are_counted) as recorder:
            columns, targets = _filled(recorder, batches, begin, projections)
    arrays = [column.store.finish() for column in columns]
    return LayerFeatures(
        [point.name for point in points],
        types,
        arrays,
        [column.shape for column in columns],
        [column.projection_error for column in columns],
        None if first_batch_only else _targets(y, targets, len(arrays[0])),
        [column.projection for column in columns],
    )


def _filled(
    recorder: Recorder, batches: Iterable[Batch], begin: Callable, projections: list
) -> tuple[list[_Column], list[Any]]:
    """The columns of all layers, and the targets that came with the batches."""
    columns: list[_Column] = []
    targets = []
    try:
        for batch in batches:
            taken = recorder.run(batch)
            if not columns:
                for one, projection in zip(taken, projections, strict=True):
                    columns.append(begin(one, projection))
            for column, one in zip(columns, taken, strict=True):
                column.append(one.features.numpy())
            targets.append(batch.y)
    except BaseException:
        for column in columns:
            column.store.discard()
        raise
    return columns, targets


def _check_targets(y: ArrayLike | None, samples: Any) -> None:
    if y is None:
        return
    if samples.is_shuffled:
        raise ValueError(
            "The DataLoader shuffles, so its rows cannot be matched with y; use "
            "shuffle=False, or a data set that yields pairs (x, y) and y=None."
        )


def _targets(y: Any, parts: list[Any], n_rows: int) -> Any:
    """The targets that were given, or those that came with the batches."""
    if y is None:
        if any(part is None for part in parts):
            return None
        y = np.concatenate([_to_numpy(part) for part in parts])
    if number_of_rows(y, "y") != n_rows:
        raise ValueError(
            f"y has {number_of_rows(y, 'y')} rows, but the layers have {n_rows}."
        )
    return y


def _to_numpy(targets: Any) -> np.ndarray:
    if hasattr(targets, "detach"):
        targets = targets.detach().cpu()
        targets = targets.float() if targets.is_floating_point() else targets
    return np.asarray(targets)


def _type_of(point: Point) -> str:
    return "input" if point.module is None else type(point.module).__name__


def _take(
    value: Any, point: Point, batch: Batch, *, root: nn.Module, output, pooling, dtype
) -> Taken:
    """A copy of a layer's output, one row a sample, on the CPU."""
    import torch

    from .forward import Taken
    from .outputs import pooled, selected

    if point.module is None:
        if value is None:
            raise ValueError(
                f"The network has several inputs, {list(batch.keywords)}; name another "
                "layer than 'input'."
            )
        tensor, pooling = value, "flatten"
    else:
        tensor = selected(value, point.module, output, point.name)
    if tensor.ndim == 0:
        raise ValueError(
            f"Layer {point.name!r} gives one number for all {batch.n_rows} samples; a "
            "layer must give at least one for each."
        )
    if len(tensor) != batch.n_rows:
        raise ValueError(
            f"Layer {point.name!r} gives {len(tensor)} rows for a batch of {batch.n_rows} "
            f"samples (shape {tuple(tensor.shape)}); turn them with output=, such as "
            "lambda t: t.transpose(0, 1), or name another layer."
        )
    rows = pooled(tensor, point.module, root, pooling, batch.mask, point.name)
    rows = rows.detach().to("cpu", getattr(torch, dtype), copy=True)
    return Taken(point.name, rows, tuple(tensor.shape[1:]))


class _Column:
    """The array of one layer, as it grows batch by batch."""

    def __init__(
        self,
        first: Taken,
        projection: SparseRandomProjection | None,
        *,
        n_rows: int | None,
        dtype: str,
        memmap: bool | str | PathLike,
        max_features: int | None,
        rng: np.random.RandomState,
    ) -> None:
        self._name, self.shape = first.name, first.shape
        self.projection, self.projection_error = projection, None
        self._n_read = 0
        rows = first.features.numpy()
        self._width = width = rows.shape[1]
        self._check_finite(rows)
        if max_features is not None and self._width > max_features:
            if projection is None:
                seed = rng.randint(np.iinfo(np.int32).max)
                projection = SparseRandomProjection(max_features, random_state=seed)
                self.projection = projection.fit(rows)
            self.projection_error = _distance_error(rows, projection)
            width = max_features
        self.store = make_store(memmap, n_rows, width, dtype)

    def append(self, rows: np.ndarray) -> None:
        if rows.shape[1] != self._width:
            raise ValueError(
                f"Layer {self._name!r} gives {rows.shape[1]} features after {self._width} "
                "for the batches before; pool them by pooling=, or pad to one length."
            )
        self._check_finite(rows)
        self._n_read += len(rows)
        if self.projection is not None:
            rows = self.projection.transform(rows)
        self.store.append(rows)

    def _check_finite(self, rows: np.ndarray) -> None:
        finite = np.isfinite(rows).all(axis=1)
        if not finite.all():
            where = self._n_read + np.flatnonzero(~finite)
            shown = ", ".join(map(str, where[:5])) + (", ..." if len(where) > 5 else "")
            raise ValueError(
                f"Layer {self._name!r} gives NaN or infinity for {len(where)} of "
                f"{len(rows)} samples of a batch: rows {shown} of X."
            )


def _distance_error(rows: np.ndarray, projection: SparseRandomProjection) -> float:
    """Mean relative error of the squared distances between some rows."""
    rows = rows[:_MOST_MEASURED].astype(np.float64)
    pairs = np.triu_indices(len(rows), k=1)
    before = euclidean_distances(rows, squared=True)[pairs]
    after = euclidean_distances(projection.transform(rows), squared=True)[pairs]
    apart = before > 0
    if not apart.any():
        return 0.0
    return float(np.mean(np.abs(after[apart] / before[apart] - 1)))


def list_layers(
    module: Any,
    X: Any = None,
    *,
    device: Any = None,
    input_shape: tuple[int, ...] | None = None,
) -> pd.DataFrame:
    """The layers of a network, by the names that can be asked for.

    Parameters
    ----------
    module : torch.nn.Module or fitted skorch net
        The network, which is only read.
    X : samples as for :class:`LayerFeatureTransformer`, default=None
        A few of them are passed through the network.
    device, input_shape
        As for :class:`LayerFeatureTransformer`.

    Returns
    -------
    layers : DataFrame
        One row a name, with the columns ``layer``, ``type``, ``n_parameters`` and
        ``is_leaf`` (no other module inside). With X there is one row for each call of a
        module, in the order in which the calls end, and two columns more: ``shape``, that
        of one sample where the layer gives one tensor, and ``n_calls``. Modules that are
        not reached come last, with 0 calls.

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
    from .modules import display_name, is_leaf, read_module, submodules

    root = read_module(module)
    rows = [dict(layer="input", type="input", n_parameters=0, is_leaf=False)]
    parts = {name: part for name, part in submodules(root).items() if name} | {"": root}
    if X is None:
        rows += [_row(display_name(name), part, is_leaf) for name, part in parts.items()]
        return pd.DataFrame(rows)
    calls, batch = _traced(root, X, device, input_shape)
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
    return dict(
        layer=name,
        type=type(part).__name__,
        n_parameters=sum(p.numel() for p in part.parameters()),
        is_leaf=is_leaf(part),
    )


def default_layers(
    module: Any,
    X: Any,
    *,
    device: Any = None,
    input_shape: tuple[int, ...] | None = None,
) -> list[str]:
    """The layers by which a network is followed from its input to its output.

    ``"input"``, and then in the order of execution one entry for each module with weights
    of its own: the value that it hands on, after the normalisation, activation, pooling
    and dropout modules between it and the next one. Modules whose output is not one row of
    numbers for each sample are left out.
    """
    require_torch()
    from .modules import read_module

    calls, batch = _traced(read_module(module), X, device, input_shape)
    return list(_grouped(calls, batch))


def _traced(
    root: nn.Module, X: Any, device: Any, input_shape: tuple[int, ...] | None
) -> tuple[list[Call], Batch]:
    """The calls of submodules on a few samples, and these samples."""
    from .forward import evaluation, trace
    from .inputs import read_samples

    samples = read_samples(X, _FEW_ROWS, input_shape)
    with evaluation(root, samples, device) as batches:
        batch = next(batches).head(_FEW_ROWS)
        return trace(root, batch), batch


def _grouped(calls: list[Call], batch: Batch) -> dict[str, str]:
    """Names and types of the default layers."""
    groups: list[list[Call]] = []
    for call in calls:
        if not call.is_leaf or _tensor_of(call, batch) is None:
            continue
        has_weights = next(call.module.parameters(), None) is not None
        if has_weights and "Norm" not in type(call.module).__name__:
            groups.append([call])
        elif groups:
            groups[-1].append(call)
    has_input = batch.input is not None and batch.input.is_floating_point()
    layers = {"input": "input"} if has_input else {}
    for group in groups:
        types = [type(call.module).__name__ for call in group]
        layers[group[-1].label] = " + ".join(types)
    return layers


def _tensor_of(call: Call, batch: Batch) -> Tensor | None:
    """The tensor that a call gives, if it has one row for each sample."""
    from .outputs import selected

    try:
        tensor = selected(call.output, call.module, None, call.name)
    except (TypeError, ValueError):  # none, or several
        return None
    has_rows = tensor.ndim > 0 and len(tensor) == batch.n_rows
    return tensor if has_rows else None
