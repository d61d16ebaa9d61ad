"""Time of imports, beside those of scikit-learn and torch, and of a first use.

Imports are timed in fresh processes, in turns, less the start of Python itself; the least
of them is printed. Run it twice: the first run may read files from the disk.

A first use compiles the loops that it needs, and caches them. So every one of ``STEPS`` is
a fresh process, and all share a cache folder that is empty at first: what the second one
compiles is what the first one did not. Then all are repeated with the loops in the cache.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
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


# Each with the data of the first line of FIRST_USE.
STEPS = {
    "first fit, of classes": "estimator().fit(X, y)",
    "score": "estimator().fit(X, y).score(X, y)",
    "transform": "estimator().fit(X, y).transform(X)",
    "fit of float32": "estimator().fit(X.astype('f4'), y)",
    "fit of integers": "estimator().fit(X.astype(int), y)",
    "fit of a column-major array": "estimator().fit(np.asfortranarray(X), y)",
    "fit of a sparse matrix": "estimator().fit(sparse.csr_matrix(X), y)",
    "fit of sparse float32": "estimator().fit(sparse.csr_matrix(X.astype('f4')), y)",
    "fit of a regression": "estimator().fit(X, X[:, 20] + y)",
    "fit with weights": "estimator().fit(X, y, np.arange(1, 1 + len(y)) / len(y))",
    "fit by volume": "estimator().set_params(measure='volume').fit(X, y)",
    "fit of 20,000 samples": "estimator().fit(np.tile(X, (12, 1)), np.tile(y, 12))",
}

FIRST_USE = """
import json, time
import numpy as np
from scipy import sparse
from sklearn.datasets import load_digits
from numba.core import event
from sksmooth import BesovSmoothnessEstimator

X, y = load_digits(return_X_y=True)
X[0, 0] = 0.1  # not a whole number, which float32 has

def estimator():
    return BesovSmoothnessEstimator(random_state=0)

class Compilation(event.Listener):
    seconds, depth = 0.0, 0

    def on_start(self, _):
        self.start = self.start if self.depth else time.process_time()
        self.depth += 1

    def on_end(self, _):
        self.depth -= 1
        if self.depth == 0:
            self.seconds += time.process_time() - self.start

compilation = Compilation()
start = time.process_time()
with event.install_listener("numba:compile", compilation):
    {step}
whole = time.process_time() - start
print(json.dumps({{"s": whole, "compilation s": compilation.seconds}}))
"""


def first_use(step, folder):
    """Seconds of processor time of a step in a fresh process, given the cache folder."""
    run = subprocess.run(
        [sys.executable, "-c", FIRST_USE.format(step=step)],
        env={**os.environ, "NUMBA_CACHE_DIR": folder},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return json.loads(run.stdout)


def first_uses():
    with tempfile.TemporaryDirectory() as folder:
        first, then = (
            {name: first_use(step, folder) for name, step in STEPS.items()}
            for _ in range(2)
        )
    return {name: {**first[name], "s from the cache": then[name]["s"]} for name in STEPS}


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
    setup = (
        f"imports: least of {n_processes} processes, less {start:.2f} s of Python itself; "
        "first use: digits, 10 trees, processor time, in turns with one cache folder"
    )
    tables = {"imports": table, "first use": first_uses()}
    write_results("import_time", tables, setup=setup, libraries=["torch"])


if __name__ == "__main__":
    main()
