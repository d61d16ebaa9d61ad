"""Rows of memory maps: the right ones, and no other pages of the file."""

import mmap
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksmooth.samples import read_rows
from sksmooth.samples.maps import has_rows_in_a_map, read_mapped_rows

N_ROWS, N_COLUMNS = 3000, 7
VIEWS = {
    "all": lambda X: X,
    "few rows": lambda X: X[101:],
    "every other row": lambda X: X[::2],
    "few columns": lambda X: X[:, 2:5],
    "every other column": lambda X: X[:, 1::2],
    "one column": lambda X: X[:, 3],
    "as an array": np.asarray,
}
OTHERS = {
    "backwards": lambda X: X[::-1],
    "columns backwards": lambda X: X[:, ::-1],
    "of columns": lambda X: X.reshape(N_COLUMNS, N_ROWS).T,
    "the same row": lambda X: np.broadcast_to(X[5], X.shape),
    "of none": lambda X: X[:, :0],
    "in memory": np.array,
}
maps = pytest.mark.skipif(
    not hasattr(mmap, "MADV_WILLNEED"), reason="no pages can be asked for"
)


@pytest.fixture(params=[0, 12], ids=["", "behind a header"])
def mapped(request, tmp_path):
    values = np.random.RandomState(0).standard_normal((N_ROWS, N_COLUMNS))
    path = tmp_path / "X"
    path.write_bytes(bytes(request.param) + values.astype(np.float32).tobytes())
    shape, offset = (N_ROWS, N_COLUMNS), request.param
    return np.memmap(path, dtype=np.float32, mode="r", shape=shape, offset=offset)


def some_rows(X, n_drawn):
    return np.sort(np.random.RandomState(1).permutation(len(X))[:n_drawn])


@maps
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("n_drawn", [1, 40, 1400])
@pytest.mark.parametrize("n_bytes", [1 << 13, 1 << 24])
def test_rows_of_a_map_are_those_of_the_array(mapped, view, n_drawn, n_bytes):
    X = view(mapped)
    assert has_rows_in_a_map(X)
    rows = some_rows(X, n_drawn)
    read = read_mapped_rows(X, rows, n_bytes)
    assert_array_equal(read, np.array(X)[rows])
    assert read.base is None
    assert_array_equal(read_rows(X, rows), read)


@pytest.mark.parametrize("view", OTHERS.values(), ids=OTHERS)
def test_other_arrays_are_read_as_before(mapped, view):
    X = view(mapped)
    assert not has_rows_in_a_map(X)
    rows = some_rows(X, 40)
    assert_array_equal(read_rows(X, rows), np.array(X)[rows])


@maps
def test_changes_of_a_private_map_are_kept(mapped):
    private = np.memmap(
        mapped.filename, dtype=np.float32, mode="c", shape=(N_ROWS, N_COLUMNS)
    )
    private[10] = 1.0
    assert_array_equal(read_rows(private, np.array([9, 10]))[1], np.ones(N_COLUMNS))
    assert_array_equal(private[10], np.ones(N_COLUMNS))


def bytes_read():
    return int(Path("/proc/self/io").read_text().split("read_bytes: ")[1].split()[0])


@maps
@pytest.mark.skipif(not os.path.exists("/proc/self/io"), reason="reads are not counted")
def test_few_pages_are_read(tmp_path):
    n_rows, row_bytes, path = 1 << 18, 256, tmp_path / "X"
    with path.open("wb") as file:
        file.write(np.arange(n_rows * row_bytes // 4, dtype=np.float32).tobytes())
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    X = np.memmap(path, dtype=np.float32, mode="r", shape=(n_rows, row_bytes // 4))
    rows = np.arange(1000, n_rows, 5000)
    start = bytes_read()
    read_rows(X, rows)
    n_read = bytes_read() - start
    if n_read == 0:
        pytest.skip("the file is not on a disk")
    assert n_read < 4 * len(rows) * mmap.PAGESIZE < X.nbytes / 8
