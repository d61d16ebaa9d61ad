"""Time of imports, beside those of scikit-learn and torch.

Each is timed in fresh processes, in turns, less the start of Python itself; the least of
them is printed. Run it twice: the first run may read files from the disk.
"""

import argparse
import subprocess
import sys
import time

from _results import write_results

IMPORTS = [
    "import sksmooth",
    "from sksmooth.datasets import make_known_smoothness",
    "from sksmooth import BesovSmoothnessEstimator",
    "from sksmooth import compare_layers",
    "from sksmooth import *",
    "import sklearn.base",
    "import sklearn.ensemble",
    "import numba, sklearn.base",
    "import torch",
]


def seconds(statement):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=5)
    n_processes = parser.parse_args().processes
    runs = [
        {statement: seconds(statement) for statement in ["pass", *IMPORTS]}
        for _ in range(n_processes)
    ]
    least = {statement: min(run[statement] for run in runs) for statement in runs[0]}
    start = least.pop("pass")
    table = {statement: {"s": s - start} for statement, s in least.items()}
    setup = f"least of {n_processes} processes, less {start:.2f} s of Python itself"
    write_results("import_time", {"imports": table}, setup=setup, libraries=["torch"])


if __name__ == "__main__":
    main()
