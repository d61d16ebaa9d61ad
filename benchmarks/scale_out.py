"""What a fit of data larger than memory takes: a table for up to 10^9 rows of 10^4 columns.

    python benchmarks/scale_out.py [--rows 300000] [--jobs 2] [--folder FOLDER]

The constants are measured here, on memory maps of random numbers with labels of a smooth
border. The table is extrapolated from them, and assumes that

- X is float32, its labels fit into memory, and 10 trees of 20,000 rows each are grown, so
  200,000 rows are read, whatever the number of rows;
- time and memory of a fit are straight lines in the number of columns: through two
  measured ones, and a third one says how far they are off;
- every row of a memory map is found on its own, and takes as long as a row of as many bytes
  does here. The file is put out of the cache of the operating system before, but not out
  of that of a virtual disk;
- a Dask array reads every chunk of 100 MB that holds one of the rows, as fast as the file
  here is read from front to back. A cluster divides that by the number of its disks.
"""

import argparse
import os
import platform
import tempfile
import time
import tracemalloc
import warnings
from pathlib import Path

import joblib
import numba
import numpy as np
import sklearn

from sksmooth import BesovSmoothnessEstimator
from sksmooth.exceptions import SmoothnessWarning

N_TREES, ROWS_A_TREE = 10, 20_000
N_READ = N_TREES * ROWS_A_TREE
CHUNK = 1e8  # bytes of a Dask chunk
MEASURED_COLUMNS, CHECKED_COLUMNS = (50, 200), 1000
ROW_LENGTHS = (100, 1000, 10_000)
BLOCK = 50_000


def write(path, shape):
    """A memory map of normal numbers, and labels; the file is not in the cache."""
    rng = np.random.default_rng(0)
    X = np.memmap(path, dtype=np.float32, mode="w+", shape=shape)
    y = np.empty(shape[0], dtype=int)
    step = max(1, BLOCK * 100 // shape[1])
    for start in range(0, shape[0], step):
        block = rng.standard_normal(X[start : start + step].shape, dtype=np.float32)
        X[start : start + step] = block
        y[start : start + step] = np.sin(3 * block[:, 0]) + block[:, 1] > 0
    X.flush()
    forget(path)
    return np.memmap(path, dtype=np.float32, mode="r", shape=shape), y


def forget(path):
    """Put a file out of the cache of the operating system."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def front_to_back(path):
    with open(path, "rb", buffering=0) as file:
        return sum(len(part) for part in iter(lambda: file.read(1 << 24), b""))


def estimator(jobs):
    return BesovSmoothnessEstimator(
        N_TREES, max_samples=ROWS_A_TREE, random_state=0, n_jobs=jobs
    )


def measured_fit(path, n_rows, n_columns, jobs):
    """Seconds of a fit without the reading, and its largest memory."""
    X, y = write(path, (n_rows, n_columns))
    fit = estimator(jobs)
    total, _ = seconds(lambda: fit.fit(X, y))
    rows = np.sort(np.random.default_rng(0).choice(n_rows, N_READ, replace=False))
    forget(path)
    reading, _ = seconds(lambda: X[rows])
    tracemalloc.start()  # makes it slower, so in a run of its own
    fit.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(
        f"{n_rows:,} x {n_columns}: {total:.1f} s, of which reading {reading:.1f} s; at "
        f"most {size(peak)}; alpha {fit.alpha_:.2f}",
        flush=True,
    )
    return total - reading, peak


def measured_rows(path, n_columns, n_rows, n_drawn=2000):
    """Seconds that a row takes, found on its own, and bytes a second front to back."""
    X, _ = write(path, (n_rows, n_columns))
    rows = np.sort(np.random.default_rng(0).choice(n_rows, n_drawn, replace=False))
    alone, _ = seconds(lambda: X[rows])
    forget(path)
    whole, n_bytes = seconds(lambda: front_to_back(path))
    print(
        f"rows of {4 * n_columns:,} bytes: {1e6 * alone / n_drawn:.0f} microseconds each; "
        f"front to back {n_bytes / whole / 1e6:.0f} MB/s",
        flush=True,
    )
    return alone / n_drawn, n_bytes / whole


def size(n_bytes):
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"


def minutes(duration):
    return f"{duration / 60:.1f} min" if duration >= 6 else "< 0.1 min"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", SmoothnessWarning)
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Numba {numba.__version__}, joblib {joblib.__version__}; "
        f"{os.cpu_count()} cores (load {os.getloadavg()[0]:.1f}), n_jobs={arguments.jobs}"
    )
    estimator(1).set_params(max_samples=2000).fit(  # compiles
        np.random.default_rng(0).standard_normal((10_000, 300)), np.arange(10_000) % 2
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "X"
        fits = [
            measured_fit(path, arguments.rows, n_columns, arguments.jobs)
            for n_columns in (*MEASURED_COLUMNS, CHECKED_COLUMNS)
        ]
        rows = {n: measured_rows(path, n, 10**9 // (4 * n)) for n in ROW_LENGTHS}
    # One line for the seconds, one for the bytes.
    lines = np.polyfit(MEASURED_COLUMNS, fits[:2], 1)
    duration, memory = lines[0] * CHECKED_COLUMNS + lines[1]
    print(f"from the first two fits, the third: {duration:.1f} s, {size(memory)}")
    print_table(lines, rows)


def print_table(lines, rows):
    speed = min(speed for _, speed in rows.values())
    print(
        "\n| Rows | Columns | Data | Memory | Fit | Reading a map | Reading Dask chunks |"
        "\n|---|---|---|---|---|---|---|"
    )
    for n_rows in (10**6, 10**7, 10**8, 10**9):
        for n_columns, (alone, _) in rows.items():
            n_bytes = 4.0 * n_rows * n_columns
            n_chunks = max(1, n_bytes / CHUNK)
            touched = n_bytes * -np.expm1(-N_READ / n_chunks)
            duration, memory = lines[0] * n_columns + lines[1]
            print(
                f"| 10^{np.log10(n_rows):.0f} | 10^{np.log10(n_columns):.0f} "
                f"| {size(n_bytes)} | {size(memory)} | {minutes(duration)} "
                f"| {minutes(min(N_READ * alone, n_bytes / speed))} "
                f"| {minutes(touched / speed)} |"
            )


if __name__ == "__main__":
    main()
