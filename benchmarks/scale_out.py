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
import tempfile
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
from _data import seconds_of
from _results import write_results

from sksmooth import BesovSmoothnessEstimator
from sksmooth.exceptions import SmoothnessWarning

N_TREES, ROWS_A_TREE = 10, 20_000
N_READ = N_TREES * ROWS_A_TREE
CHUNK = 1e8  # bytes of a Dask chunk
MEASURED_COLUMNS, CHECKED_COLUMNS = (50, 200), 1000
ROW_LENGTHS = (100, 1000, 10_000)
BLOCK = 50_000


def write(path, shape):
    """Write a memory map of normal numbers, and labels; the file is not in the cache."""
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


def front_to_back(path):
    with open(path, "rb", buffering=0) as file:
        return sum(len(part) for part in iter(lambda: file.read(1 << 24), b""))


def estimator(jobs):
    return BesovSmoothnessEstimator(
        N_TREES, max_samples=ROWS_A_TREE, random_state=0, n_jobs=jobs
    )


def measured_fit(path, n_rows, n_columns, jobs):
    """Seconds of a fit, those of the reading in it, and its largest memory."""
    X, y = write(path, (n_rows, n_columns))
    fit = estimator(jobs)
    total, _ = seconds_of(lambda: fit.fit(X, y))
    rows = np.sort(np.random.default_rng(0).choice(n_rows, N_READ, replace=False))
    forget(path)
    reading, _ = seconds_of(lambda: X[rows])
    tracemalloc.start()  # makes it slower, so in a run of its own
    fit.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"s": total, "reading, s": reading, "peak, MB": peak / 1e6}


def measured_rows(path, n_columns, n_rows, n_drawn=2000):
    """Time of a row, found on its own, and the speed of reading front to back."""
    X, _ = write(path, (n_rows, n_columns))
    rows = np.sort(np.random.default_rng(0).choice(n_rows, n_drawn, replace=False))
    alone, _ = seconds_of(lambda: X[rows])
    forget(path)
    whole, n_bytes = seconds_of(lambda: front_to_back(path))
    return {"row, us": 1e6 * alone / n_drawn, "front to back, GB/s": n_bytes / whole / 1e9}


def extrapolated(fits, rows):
    """Memory and minutes by number of rows and columns."""
    few, many = (fits[f"{n} columns"] for n in MEASURED_COLUMNS)
    points = [(run["s"] - run["reading, s"], run["peak, MB"]) for run in (few, many)]
    slope, start = np.polyfit(MEASURED_COLUMNS, points, 1)
    speed = 1e9 * min(row["front to back, GB/s"] for row in rows.values())
    table = {}
    for n_rows in (10**6, 10**7, 10**8, 10**9):
        for n_columns in ROW_LENGTHS:
            n_bytes = 4.0 * n_rows * n_columns
            n_chunks = max(1, n_bytes / CHUNK)
            touched = n_bytes * -np.expm1(-N_READ / n_chunks)
            alone = N_READ * rows[f"{n_columns} columns"]["row, us"] / 1e6
            fit, memory = slope * n_columns + start
            table[f"10^{np.log10(n_rows):.0f} x 10^{np.log10(n_columns):.0f}"] = {
                "data, GB": n_bytes / 1e9,
                "memory, MB": memory,
                "fit, min": fit / 60,
                "reading a map, min": min(alone, n_bytes / speed) / 60,
                "reading Dask chunks, min": touched / speed / 60,
            }
    fit, memory = slope * CHECKED_COLUMNS + start
    checked = {"s": fit, "peak, MB": memory}
    return {f"line at {CHECKED_COLUMNS} columns": checked}, table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args()
    warnings.simplefilter("ignore", SmoothnessWarning)
    estimator(1).set_params(max_samples=2000).fit(  # compiles
        np.random.default_rng(0).standard_normal((10_000, 300)), np.arange(10_000) % 2
    )
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "X"
        fits = {
            f"{n} columns": measured_fit(path, args.rows, n, args.jobs)
            for n in (*MEASURED_COLUMNS, CHECKED_COLUMNS)
        }
        rows = {
            f"{n} columns": measured_rows(path, n, 10**9 // (4 * n)) for n in ROW_LENGTHS
        }
    checked, table = extrapolated(fits, rows)
    figures = {"fits": fits | checked, "rows": rows, "extrapolated": table}
    setup = f"float32, {args.rows:,} rows, 10 trees of 20,000 rows, n_jobs={args.jobs}"
    write_results("scale_out", figures, setup=setup)


if __name__ == "__main__":
    main()
