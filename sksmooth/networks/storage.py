"""Store the features of a layer in memory or in a temporary file, batch by batch."""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["make_store", "wants_file"]

_LARGEST_IN_MEMORY = 2**30  # bytes of all layers of a pass


def wants_file(
    memmap: bool | str | os.PathLike, n_rows: int | None, n_features: int, dtype: str
) -> bool | str | os.PathLike:
    """Resolve ``"auto"``: whether features go to a file, and in which folder."""
    if not (isinstance(memmap, str) and memmap == "auto"):
        return memmap
    if n_rows is None:
        return True
    return n_rows * n_features * np.dtype(dtype).itemsize > _LARGEST_IN_MEMORY


def make_store(
    folder: bool | str | os.PathLike, n_rows: int | None, n_features: int, dtype: str
) -> _MemoryStore | _FileStore:
    """Make a store for rows of features, in memory (False) or in a file.

    ``n_rows`` is the number of rows to reserve room for; None if it is not known.
    """
    if folder is False:
        return _MemoryStore(n_rows or 0, n_features, dtype)
    n_bytes = (n_rows or 0) * n_features * np.dtype(dtype).itemsize
    return _FileStore(None if folder is True else folder, n_bytes, n_features, dtype)


class _MemoryStore:
    """One array. The system allocates its memory page by page as rows are written."""

    def __init__(self, n_rows: int, n_features: int, dtype: str) -> None:
        self._array = np.empty((n_rows, n_features), dtype=dtype)
        self._n_rows = 0

    def append(self, rows: np.ndarray) -> None:
        end = self._n_rows + len(rows)
        if end > len(self._array):
            self._resize(max(end, 2 * len(self._array)))
        self._array[self._n_rows : end] = rows
        self._n_rows = end

    def finish(self) -> np.ndarray:
        if self._n_rows != len(self._array):
            self._resize(self._n_rows)
        return self._array

    def discard(self) -> None:
        """Do nothing: the array is freed with the store."""

    def _resize(self, n_rows: int) -> None:
        self._array.resize((n_rows, self._array.shape[1]), refcheck=False)


class _FileStore:
    """A temporary file, which is written sequentially and mapped when complete.

    Writing to a full disk raises an error that can be reported, whereas writing through a
    memory map would end the process with SIGBUS. The file is removed when no array uses it
    any more.
    """

    def __init__(
        self, folder: str | PathLike[str] | None, n_bytes: int, n_features: int, dtype: str
    ) -> None:
        self._n_features, self._dtype = n_features, np.dtype(dtype)
        self._n_bytes = n_bytes
        if folder is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
        self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - outlives this call
            prefix="sksmooth-", suffix=".features", dir=folder, delete=False
        )
        if n_bytes and hasattr(os, "posix_fallocate"):
            self._guarded(lambda: os.posix_fallocate(self._file.fileno(), 0, n_bytes))

    def append(self, rows: np.ndarray) -> None:
        rows = np.ascontiguousarray(rows, dtype=self._dtype)
        self._guarded(lambda: self._file.write(rows.data))

    def finish(self) -> np.memmap:
        self._guarded(self._file.truncate)
        path = self._file.name
        n_rows = self._file.tell() // self._dtype.itemsize // self._n_features
        self._file.close()
        shape = (n_rows, self._n_features)
        array = np.memmap(path, dtype=self._dtype, mode="r+", shape=shape)
        weakref.finalize(array.base, _remove, path, os.getpid())
        return array

    def discard(self) -> None:
        self._file.close()
        _remove(self._file.name, os.getpid())

    def _guarded(self, write: Callable[[], Any]) -> None:
        try:
            write()
        except OSError as error:
            self.discard()
            if error.errno != errno.ENOSPC:
                raise
            folder = os.path.dirname(self._file.name)
            size = f" {self._n_bytes / 2**30:.2f} GiB" if self._n_bytes else ""
            raise OSError(
                errno.ENOSPC,
                f"No space for the{size} features of a layer in {folder}; name another "
                "folder by memmap=, or reduce the layer by n_components= or pooling=",
            ) from error


def _remove(path: str, owner: int) -> None:
    # A forked child also runs this finalizer when it exits before its parent.
    if os.getpid() == owner:
        Path(path).unlink(missing_ok=True)
