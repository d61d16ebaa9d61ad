"""Memory of the features of a wide layer: 50,000 samples of 9,216 numbers.

    python benchmarks/layer_memory.py [--rows 50000] [--folder FOLDER]

The layer is the first of the network of the lecture: convolution 5x5x64, activation and
pooling on 24x24 grey images, here random numbers. Every way of collecting it runs in a
process of its own, which tells its peak of resident memory above that before the pass. The
alternative is what a hook with a list does: keep the batches, and concatenate them.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from _results import write_results
from torch import nn

from sksmooth import LayerFeatureTransformer

BATCH = 256
LAYER = 2


def make_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    )


def transformed(network, X, memmap):
    reader = LayerFeatureTransformer(network, LAYER, batch_size=BATCH, memmap=memmap)
    return reader.fit_transform(X)


def memory_map(network, X, folder):
    return transformed(network, X, folder)


def one_array(network, X, folder):
    return transformed(network, X, False)


def list_of_batches(network, X, folder):
    kept = []
    handle = network[LAYER].register_forward_hook(
        lambda module, arguments, output: kept.append(output.flatten(1))
    )
    with torch.inference_mode():
        for start in range(0, len(X), BATCH):
            network(torch.from_numpy(X[start : start + BATCH]))
    handle.remove()
    return torch.cat(kept).numpy()


WAYS = {
    "memory map": memory_map,
    "one array": one_array,
    "list, then concatenated": list_of_batches,
}


def peak():
    """Largest resident memory of this process until now, in bytes."""
    scale = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def measure(way, n_rows, folder):
    """Bytes above the state before, seconds, and a sum to compare by."""
    network = make_network()
    X = np.random.default_rng(0).random((n_rows, 1, 24, 24), dtype=np.float32)
    one_array(network, X[:BATCH], folder)  # what the first pass loads is not counted
    before, start = peak(), time.perf_counter()
    features = WAYS[way](network, X, folder)
    seconds, taken = time.perf_counter() - start, peak() - before
    rows = np.linspace(0, n_rows - 1, 9).astype(int)
    return {
        "shape": features.shape,
        "taken": taken,
        "seconds": seconds,
        "sum": float(np.asarray(features[rows], dtype=np.float64).sum()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--folder", help="where the memory map goes")
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments.way, arguments.rows, arguments.folder)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        results = {}
        for way in WAYS:
            command = [sys.executable, __file__, "--rows", str(arguments.rows)]
            command += ["--folder", folder, "--way", way]
            output = subprocess.run(command, check=True, capture_output=True, text=True)
            results[way] = json.loads(output.stdout)
    assert len({round(result["sum"], 3) for result in results.values()}) == 1
    n_rows, n_columns = results["one array"]["shape"]
    table = {
        way: {
            "GB": result["taken"] / 1e9,
            "of its bytes": result["taken"] / (4 * n_rows * n_columns),
            "s": result["seconds"],
        }
        for way, result in results.items()
    }
    setup = f"{n_rows:,} x {n_columns:,} float32 values, on the CPU"
    write_results("layer_memory", {"peak": table}, setup=setup, libraries=["torch"])


if __name__ == "__main__":
    main()
