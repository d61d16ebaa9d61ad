"""Reduce the outputs of layers to one row of features for each sample."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .._lib.warn import warn_caller
from ..exceptions import LayersLeftOutWarning
from .forward import Recorder
from .inputs import MASK, Batch
from .layouts import Layouts, UnknownAxisError
from .masks import Streams, TokenMasks
from .modules import Point
from .options import ReaderOptions
from .outputs import check_rows, pooled, selected
from .pooling import POOLINGS

__all__ = ["RowTaker", "Taken", "without_unpoolable"]


class Taken(NamedTuple):
    """What is kept of the output of a layer for one batch.

    Attributes
    ----------
    rows : Tensor of shape (n_rows, n_features)
        A copy on the CPU, since the network may overwrite the output in place.
    shape : tuple of int
        Shape of one sample before it was pooled.
    stream : str
        Name of the mask of its tokens among the network's inputs.
    """

    rows: Tensor
    shape: tuple[int, ...]
    stream: str


class RowTaker:
    """Take one row per sample from the layers that a :class:`Recorder` reads.

    Parameters
    ----------
    root : Module
        The network.
    batch : Batch
        Some of its samples.
    options : ReaderOptions
        What to select, how to pool and the dtype.
    """

    def __init__(self, root: nn.Module, batch: Batch, options: ReaderOptions) -> None:
        self._root, self._output = root, options.output
        self._dtype, self._pooling = (
            getattr(torch, options.dtype),
            POOLINGS[options.pooling],
        )
        self._streams, self._layouts = Streams(root, batch), Layouts(root)

    def watch(self) -> list[RemovableHandle]:
        """Register the hooks that track where tensors come from."""
        pools = self._pooling.over_tokens is not None
        return [*self._streams.watch(), *(self._layouts.watch() if pools else ())]

    def begin(self, batch: Batch) -> None:
        """Begin a pass over a batch."""
        self._n_rows, self.masks = batch.n_rows, TokenMasks(batch, self._streams)
        self._streams.begin()
        self._layouts.begin()

    def of_input(self, batch: Batch) -> Taken:
        """Take the input of the network, whose tokens are integers and not features."""
        if batch.input is None:
            raise ValueError(
                f"The network has several inputs, {list(batch.keywords)}, so the layer "
                "'input' is ambiguous; name another one."
            )
        return self._taken(batch.input, batch.input.reshape(batch.n_rows, -1), MASK)

    def of(self, point: Point, output: Any, arguments: Any) -> Taken:
        """Take the output of a layer."""
        tensor = selected(output, point.module, self._output, point.name)
        check_rows(tensor, self._n_rows, point, self._root, self._output)
        stream, mask = self._streams.name_of(tensor, point.module, arguments), None
        if self._pooling.over_tokens is not None and tensor.ndim > 2:
            stream = self.masks.fitting(stream, tensor.shape)
            mask = self.masks[stream]
        rows = pooled(tensor, point.module, self._pooling, self._layouts, mask, point.name)
        return self._taken(tensor, rows, stream)

    def _taken(self, tensor: Tensor, rows: Tensor, stream: str) -> Taken:
        rows = rows.detach().to("cpu", self._dtype, copy=True)
        return Taken(rows, tuple(tensor.shape[1:]), stream)


class _Trial(RowTaker):
    """Return the error of a layer that cannot be pooled instead of its rows."""

    def of(self, point: Point, output: Any, arguments: Any) -> Any:
        try:
            return super().of(point, output, arguments)
        except UnknownAxisError as error:
            return error


def without_unpoolable(
    root: nn.Module, points: list[Point], batch: Batch, options: ReaderOptions
) -> list[Point]:
    """Leave out layers that cannot be pooled, with a warning.

    Raises
    ------
    ValueError
        If no layer is left except the input of the network.
    """
    pooling = POOLINGS[options.pooling]
    if pooling.over_tokens is None:
        return points
    trial = _Trial(root, batch, options)
    with Recorder(root, points, trial, count_calls=True) as recorder:
        results = dict(zip(points, recorder.run(batch), strict=True))
    errors = {
        point.name: result
        for point, result in results.items()
        if isinstance(result, UnknownAxisError)
    }
    kept = [point for point in points if point.name not in errors]
    if errors and all(point.module is None for point in kept):
        raise next(iter(errors.values()))
    if errors:
        shown = ", ".join(f"{name!r} {error.shape}" for name, error in errors.items())
        mends = dict.fromkeys(error.mend for error in errors.values())
        warn_caller(
            LayersLeftOutWarning(
                f"{len(errors)} of {len(points)} layers are left out because "
                f"pooling={pooling.name!r} cannot pool them: {shown}. To measure them, "
                f"name them by layers= in a separate call. {' '.join(mends)}"
            )
        )
    return kept
