"""Rows of memory maps, of which many pages are read from the disk at a time."""

from __future__ import annotations

import mmap
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["has_rows_in_a_map", "read_mapped_rows"]

_BATCH = 1 << 24


def has_rows_in_a_map(data: Any) -> bool:
    """Return whether data are an array in a memory map, whose rows lie one after another.

    That is so of rows and columns cut out of a map, but not of one in Fortran's order.
    """
    if not isinstance(data, np.ndarray) or not hasattr(mmap, "MADV_WILLNEED"):
        return False
    return _map_of(data) is not None and 0 < _row_bytes(data) <= data.strides[0]


def read_mapped_rows(
    data: np.ndarray, rows: np.ndarray, n_bytes: int = _BATCH
) -> np.ndarray:
    """Copy rows of a memory map, and read no page without any of them.

    An access to a page that is not in memory waits for the disk, and reads what lies around
    it as well: up to 8 MB on some machines, so that a few hundred thousand scattered rows
    read a file of any size from front to back. Pages that are asked for in advance come
    many at a time, and alone.

    Parameters
    ----------
    data : ndarray
        Array of which ``has_rows_in_a_map`` is true.
    rows : ndarray of intp
        Numbers of rows, in increasing order.
    n_bytes : int, default=2^24
        Size of the pages that are asked for before their rows are copied.

    Returns
    -------
    read : ndarray
        The rows, in memory.
    """
    mapped: Any = _map_of(data)
    first, start, length = _page_runs(data, rows, mapped)
    batch = np.cumsum(length) // n_bytes
    begins = np.append(np.flatnonzero(np.diff(batch, prepend=-1)), len(first))
    first = np.append(first, len(rows))
    read = np.empty((len(rows), *data.shape[1:]), data.dtype)
    for begin, end in pairwise(begins):
        for run in zip(start[begin:end].tolist(), length[begin:end].tolist(), strict=True):
            mapped.madvise(mmap.MADV_WILLNEED, *run)
        part = slice(first[begin], first[end])
        read[part] = data[rows[part]]
    return read


def _page_runs(
    data: np.ndarray, rows: np.ndarray, mapped: mmap.mmap
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find runs of neighbouring pages: their first row, and where they are in the map."""
    origin = data.ctypes.data - np.frombuffer(mapped, dtype=np.uint8).ctypes.data
    page = mmap.PAGESIZE
    start = origin + rows * data.strides[0]
    stop = -(-(start + _row_bytes(data)) // page) * page
    start -= start % page
    first = np.flatnonzero(np.append(True, start[1:] > stop[:-1]))
    last = np.append(first[1:], len(rows)) - 1
    return first, start[first], np.minimum(stop[last], len(mapped)) - start[first]


def _row_bytes(data: np.ndarray) -> int:
    """Bytes from the beginning of a row to its end; 0 if they lie backwards."""
    if min(data.strides) <= 0:
        return 0
    steps = zip(data.shape[1:], data.strides[1:], strict=True)
    return data.itemsize + sum((n - 1) * stride for n, stride in steps)


def _map_of(data: Any) -> mmap.mmap | None:
    """Find the memory map that an array is a view of."""
    while isinstance(data, np.ndarray):
        data = data.base
    return data if isinstance(data, mmap.mmap) else None
