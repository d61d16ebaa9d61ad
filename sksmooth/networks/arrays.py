"""Collect the features of several layers, batch by batch, into one array for each."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.random_projection import SparseRandomProjection

from .storage import make_store, wants_file

__all__ = ["LayerArrays"]

_MOST_COMPARED = 200  # rows between which distances are compared after a projection


class LayerArrays:
    """Arrays that grow batch by batch.

    It is a context manager: if its ``with`` block fails, unfinished files are removed.

    Parameters
    ----------
    names : list of str
        The layers, for messages.
    n_rows : int or None
        Rows to reserve memory for; None if their number is not known.
    n_components : int or None
        Layers with more features are projected to this number.
    rng : RandomState
        Source of the seeds of the projections.
    widths, projections : list
        Numbers of features and projections of an earlier pass over the same layers, to
        repeat; empty if there was none.
    side_by_side : bool
        Whether the features of all layers go into one array.
    dtype, memmap
        As in :class:`~sksmooth.networks.options.ReaderOptions`.
    """

    def __init__(
        self,
        names: list[str],
        n_rows: int | None,
        *,
        n_components: int | None,
        rng: np.random.RandomState,
        widths: list[int],
        projections: list[SparseRandomProjection | None],
        side_by_side: bool,
        dtype: str,
        memmap: bool | str | PathLike,
    ) -> None:
        self._names, self._n_rows = names, n_rows
        self._n_components, self._rng = n_components, rng
        self.widths, self.projections = widths, projections
        self.projection_errors: list[float | None] = []
        self._side_by_side = side_by_side
        self._dtype, self._memmap = dtype, memmap
        self._stores: list[Any] = []
        self._n_read = 0

    def __enter__(self) -> LayerArrays:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is not None:
            for store in self._stores:
                store.discard()

    def append(self, blocks: list[np.ndarray]) -> None:
        """Add the rows of a batch, one block of features for each layer."""
        for name, block in zip(self._names, blocks, strict=True):
            _check_finite(name, block, self._n_read)
        self.widths = self.widths or [block.shape[1] for block in blocks]
        for name, block, width in zip(self._names, blocks, self.widths, strict=True):
            if block.shape[1] != width:
                raise ValueError(
                    f"Layer {name!r} gives {block.shape[1]} features, but {width} for "
                    "earlier samples; pool them by pooling=, or pass samples of the same "
                    "shape."
                )
        if not self._stores:
            self._prepare(blocks)
        self._n_read += len(blocks[0])
        blocks = [
            block if projection is None else projection.transform(block)
            for block, projection in zip(blocks, self.projections, strict=True)
        ]
        if self._side_by_side:
            blocks = [np.hstack(blocks)]
        for store, block in zip(self._stores, blocks, strict=True):
            store.append(block)

    def finish(self) -> list[np.ndarray]:
        """Return the arrays; no more rows can be added."""
        return [store.finish() for store in self._stores]

    def _prepare(self, blocks: list[np.ndarray]) -> None:
        """Set up projections and stores once the first batch shows the widths."""
        self.projections = self.projections or [self._projection(one) for one in blocks]
        self.projection_errors = [
            None if projection is None else _distance_error(block, projection)
            for block, projection in zip(blocks, self.projections, strict=True)
        ]
        widths = [
            width if projection is None else projection.n_components_
            for width, projection in zip(self.widths, self.projections, strict=True)
        ]
        # All layers are held until the pass ends, so their total size must fit.
        in_file = wants_file(self._memmap, self._n_rows, sum(widths), self._dtype)
        for width in [sum(widths)] if self._side_by_side else widths:
            store = make_store(in_file, self._n_rows, width, self._dtype)
            self._stores.append(store)

    def _projection(self, block: np.ndarray) -> SparseRandomProjection | None:
        if self._n_components is None or block.shape[1] <= self._n_components:
            return None
        seed = self._rng.randint(np.iinfo(np.int32).max)
        return SparseRandomProjection(self._n_components, random_state=seed).fit(block)


def _check_finite(name: str, rows: np.ndarray, n_read: int) -> None:
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        where = n_read + np.flatnonzero(~finite)
        shown = ", ".join(map(str, where[:5])) + (", ..." if len(where) > 5 else "")
        raise ValueError(
            f"Layer {name!r} gives NaN or infinity for {len(where)} of {len(rows)} samples "
            f"of a batch: rows {shown} of X."
        )


def _distance_error(rows: np.ndarray, projection: SparseRandomProjection) -> float:
    """Measure the mean relative error of squared distances; NaN if all are zero.

    The Johnson-Lindenstrauss lemma often requires more components than needed for a given
    error, so the error is measured on some rows instead.
    """
    rows = rows[:_MOST_COMPARED].astype(np.float64)
    pairs = np.triu_indices(len(rows), k=1)
    before = euclidean_distances(rows, squared=True)[pairs]
    after = euclidean_distances(projection.transform(rows), squared=True)[pairs]
    apart = before > 0
    if not apart.any():
        return np.nan
    return float(np.mean(np.abs(after[apart] / before[apart] - 1)))
