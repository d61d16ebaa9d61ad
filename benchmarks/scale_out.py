"""What a fit of data larger than memory takes: measured, and a table for up to 10^9 rows.

    python benchmarks/scale_out.py [--parts maps blocks fits] [--shapes 10000000x100]
        [--jobs 2] [--folder FOLDER]

*maps* writes memory maps of the given shapes, one after another (4 GB, if none is given),
and fits 10 trees of some thousands of rows each. ``NumPy, s`` is how long ``X[rows]`` takes
for the 200,000 rows of 20,000 a tree, ``pages, s`` how long the fit takes to read them, and
beside each is what the disk has read meanwhile.

*blocks* says what becomes of the index if 20 blocks of 10,000 neighbours are drawn in place
of 200,000 rows, where rows lie in random order, and where they are sorted by a feature.

*fits* measures fits and rows of several lengths, and makes a table for up to 10^9 rows of
10^4 columns, which assumes that

- X is float32, its labels fit into memory, and 10 trees of 20,000 rows each are grown, so
  200,000 rows are read, whatever the number of rows;
- time and memory of a fit are straight lines in the number of columns: through two
  measured ones, and a third one says how far they are off;
- every row of a memory map takes as long as a row of as many bytes does here. The file is
  put out of the cache of the operating system before, not out of that of a virtual disk;
- a Dask array reads every chunk of 100 MB that holds one of the rows, as fast as the file
  here is read from front to back. A cluster divides that by the number of its disks.
"""

import argparse
import os
import tempfile
import threading
import warnings
from pathlib import Path

import numpy as np
from _data import seconds_of
from _results import write_results

from sksmooth import BesovSmoothnessEstimator
from sksmooth.exceptions import SmoothnessWarning
from sksmooth.samples import read_rows

N_TREES, ROWS_A_TREE = 10, 20_000
N_READ = N_TREES * ROWS_A_TREE
CHUNK = 1e8  # bytes of a Dask chunk
MEASURED_ROWS = 300_000
MEASURED_COLUMNS, CHECKED_COLUMNS = (50, 200), 1000
ROW_LENGTHS = (100, 1000, 10_000)
SHAPES = ((10_000_000, 100),)
TREE_SIZES = (2000, 20_000, 50_000)
BLOCK = 16_000_000  # entries


# --------------------------------------------------------------------------- the files


def write(path, shape):
    """Write a memory map of uniform numbers, and labels; the file is not in the cache.

    Two classes have a smooth border in two dimensions, so the index is 1/2.
    """
    rng = np.random.default_rng(0)
    y = np.empty(shape[0], dtype=np.int8)
    step = BLOCK // shape[1]
    with open(path, "wb") as file:
        for start in range(0, shape[0], step):
            rows = min(step, shape[0] - start)
            block = rng.random((rows, shape[1]), dtype=np.float32)
            y[start : start + step] = labels_of(block)
            block.tofile(file)
    forget(path)
    return np.memmap(path, dtype=np.float32, mode="r", shape=shape), y


def labels_of(X):
    return np.sin(6 * X[:, 0]) + X[:, 1] > 0.9


def forget(path):
    """Put a file out of the cache of the operating system."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def front_to_back(path):
    with open(path, "rb", buffering=0) as file:
        return sum(len(part) for part in iter(lambda: file.read(1 << 24), b""))


# ------------------------------------------------------------------- clocks and counters


def disk_bytes():
    """Bytes that this process has made the disk read."""
    return int(Path("/proc/self/io").read_text().split("read_bytes: ")[1].split()[0])


def memory():
    """Bytes of memory of this process, without the pages of files."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("RssAnon:")[1].split()[0])


def peak_of(action):
    """Seconds of a function, what it returns, and the memory it took at most, in MB."""
    start, most, done = memory(), [0], threading.Event()

    def watch():
        while not done.wait(0.02):
            most.append(memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        seconds, result = seconds_of(action)
    finally:
        done.set()
        watcher.join()
    return seconds, result, (max(most) - start) / 1e6


def estimator(jobs, n_rows=ROWS_A_TREE, seed=0):
    return BesovSmoothnessEstimator(
        N_TREES, max_samples=n_rows, random_state=seed, n_jobs=jobs
    )


def drawn(n_rows, n_drawn=N_READ):
    return np.sort(np.random.default_rng(0).choice(n_rows, n_drawn, replace=False))


# ---------------------------------------------------------------------------- the parts


def measured_map(path, shape, jobs):
    """Reading and fits of one large map."""
    writing, (X, y) = seconds_of(lambda: write(path, shape))
    reading = {"GB": X.nbytes / 1e9, "writing, s": writing}
    rows, fits = drawn(len(X)), {}
    for way, read in (("NumPy", np.ndarray.__getitem__), ("pages", read_rows)):
        X = None  # the pages of a map that is in use are not put out of the cache
        forget(path)
        start = disk_bytes()
        X = np.memmap(path, dtype=np.float32, mode="r", shape=shape)
        reading[f"{way}, s"], _ = seconds_of(lambda read=read, X=X: read(X, rows))
        reading[f"{way}, GB"] = (disk_bytes() - start) / 1e9
    print(shape, reading, flush=True)
    for n_rows in TREE_SIZES:
        X = None
        forget(path)
        start = disk_bytes()
        X = np.memmap(path, dtype=np.float32, mode="r", shape=shape)
        seconds, fit, peak = peak_of(lambda n=n_rows, X=X: estimator(jobs, n).fit(X, y))
        low, high = fit.alpha_interval_
        fits[f"{n_rows:,} rows a tree"] = {
            "s": seconds,
            "peak, MB": peak,
            "read, GB": (disk_bytes() - start) / 1e9,
            "index": fit.alpha_,
            "low": low,
            "high": high,
            "explained": fit.explained_,
        }
        print(n_rows, fits[f"{n_rows:,} rows a tree"], flush=True)
    path.unlink()
    return reading, fits


def measured_maps(path, shapes, jobs):
    """Tables of all of them."""
    reading, fits = {}, {}
    for shape in shapes:
        name = "{:,} x {:,}".format(*shape)
        reading[name], own = measured_map(path, shape, jobs)
        fits |= {f"{name}, {row}": values for row, values in own.items()}
    return {"reading of maps": reading, "fits of maps": fits}


def measured_blocks(jobs, n_rows=2_000_000, n_columns=10, n_blocks=20, n_seeds=3):
    """Index of rows drawn uniformly, and of blocks, in two orders of the rows."""
    X = np.random.default_rng(0).random((n_rows, n_columns), dtype=np.float32)
    length = N_READ // n_blocks
    table = {}
    for order in ("random order", "sorted by a feature"):
        if order != "random order":
            X = X[np.argsort(X[:, 0])]
        y = labels_of(X).astype(np.int8)
        for way in ("rows", "blocks"):
            values = []
            for seed in range(n_seeds):
                rows = slice(None)
                if way == "blocks":
                    rng = np.random.default_rng(seed)
                    firsts = rng.choice(n_rows // length, n_blocks, replace=False)
                    rows = (np.sort(firsts)[:, None] * length + np.arange(length)).ravel()
                fit = estimator(jobs, seed=seed).fit(X[rows], y[rows])
                values.append((fit.alpha_, fit.explained_))
            index, explained = np.transpose(values)
            table[f"{order}, {way}"] = {
                "index": index.mean(),
                "spread of the index": index.std(ddof=1),
                "explained": explained.mean(),
                "spread of the explained": explained.std(ddof=1),
            }
    return {"blocks": table}


def measured_fit(path, n_columns, jobs):
    """Seconds of a fit, those of the reading in it, and its largest memory."""
    X, y = write(path, (MEASURED_ROWS, n_columns))
    total, _, peak = peak_of(lambda: estimator(jobs).fit(X, y))
    shape, X = X.shape, None
    forget(path)
    X = np.memmap(path, dtype=np.float32, mode="r", shape=shape)
    reading, _ = seconds_of(lambda: read_rows(X, drawn(len(X))))
    return {"s": total, "reading, s": reading, "peak, MB": peak}


def measured_rows(path, n_columns, n_rows, n_drawn=2000):
    """Time of a row of a map, and the speed of reading front to back."""
    X, _ = write(path, (n_rows, n_columns))
    alone, _ = seconds_of(lambda: read_rows(X, drawn(n_rows, n_drawn)))
    X = None
    forget(path)
    whole, n_bytes = seconds_of(lambda: front_to_back(path))
    return {"row, us": 1e6 * alone / n_drawn, "front to back, GB/s": n_bytes / whole / 1e9}


def measured_fits(path, jobs):
    fits = {
        f"{n} columns": measured_fit(path, n, jobs)
        for n in (*MEASURED_COLUMNS, CHECKED_COLUMNS)
    }
    rows = {f"{n} columns": measured_rows(path, n, 10**9 // (4 * n)) for n in ROW_LENGTHS}
    checked, table = extrapolated(fits, rows)
    return {"fits": fits | checked, "rows": rows, "extrapolated": table}


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


def shape_of(text):
    return tuple(map(int, text.split("x")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ("maps", "blocks", "fits")
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts)
    parser.add_argument("--shapes", type=shape_of, nargs="*", default=SHAPES)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args()
    warnings.simplefilter("ignore", SmoothnessWarning)
    estimator(1, 2000).fit(  # compiles
        np.random.default_rng(0).random((10_000, 300), dtype=np.float32),
        np.arange(10_000) % 2,
    )
    figures = {}
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "X"
        if "maps" in args.parts:
            figures |= measured_maps(path, args.shapes, args.jobs)
        if "blocks" in args.parts:
            figures |= measured_blocks(args.jobs)
        if "fits" in args.parts:
            figures |= measured_fits(path, args.jobs)
    setup = (
        f"float32, 10 trees, n_jobs={args.jobs}; of {ROWS_A_TREE:,} rows each, of "
        f"{MEASURED_ROWS:,} rows, where the row of the table does not say otherwise"
    )
    write_results("scale_out", figures, setup=setup, append=True)


if __name__ == "__main__":
    main()
