"""What ``compare_layers`` costs, and what its way of working saves.

    python benchmarks/compare_layers.py [--images 10000] [--trees 4]

A convolutional network of CIFAR's size with random weights, and random colour images around
ten prototypes, or those of an npz file (``--npz``, with ``train_image`` and
``train_label``). In one run, best of several turns:

- one forward pass for all layers, against one for every layer;
- the share of the forward pass in the whole;
- one job against two;
- layers one after the other with two workers on the trees of each, against two layers at a
  time with one worker each.
"""

import argparse
import time
import warnings

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.base import clone
from sksmooth.layers import extract_layers
from torch import nn

from sksmooth import BesovSmoothnessEstimator, compare_layers
from sksmooth.exceptions import SmoothnessWarning

LAYERS = ["input", "2", "5", "8", "11", "13", "14"]


def network():
    """Maps of 16 x 16 x 32, 8 x 8 x 64 and 4 x 4 x 128, then 256, 128 and 10."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(2048, 256), nn.ReLU()),
        *(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def random_images(n_images):
    rng = np.random.RandomState(0)
    y = rng.randint(10, size=n_images)
    X = rng.standard_normal((10, 3, 32, 32)).astype(np.float32)[y]
    return 0.5 * X + rng.standard_normal(X.shape).astype(np.float32), y


def given_images(path, n_images):
    with np.load(path) as data:
        images, y = data["train_image"][:n_images], data["train_label"][:n_images]
    images = images.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(images, dtype=np.float32) / 255, y.ravel().astype(int)


def seconds(function, *arguments, **options):
    start = time.perf_counter()
    result = function(*arguments, **options)
    return time.perf_counter() - start, result


def side_by_side(estimator, X, y):
    """Two layers at a time, the widest first, with one worker for the trees of each."""
    warnings.simplefilter("ignore", SmoothnessWarning)
    arrays = extract_layers(network(), X, LAYERS).arrays
    widest_first = sorted(arrays, key=lambda features: -features.shape[1])
    Parallel(n_jobs=2, prefer="threads")(
        delayed(clone(estimator).fit)(features, y) for features in widest_first
    )


def main(npz, n_images, n_trees):
    X, y = random_images(n_images) if npz is None else given_images(npz, n_images)
    module = network()
    estimator = BesovSmoothnessEstimator(n_trees, random_state=0)
    compare_layers(module, X[:200], y[:200], LAYERS, estimator, n_jobs=2)  # compiles

    once, features = seconds(extract_layers, module, X, LAYERS)
    size = sum(array.nbytes for array in features.arrays) / 2**20
    del features
    each = sum(seconds(extract_layers, module, X, [layer])[0] for layer in LAYERS)
    print(f"forward pass: {once:.1f} s for {len(LAYERS)} layers of {n_images} images")
    print(f"one pass for each layer: {each:.1f} s, {each / once:.1f} times as long")

    frames, times, beside = {}, {1: [], 2: []}, []
    for n_jobs in (1, 2, 2, 1):  # in turns, since the machine may be shared
        options = dict(layers=LAYERS, estimator=estimator, n_jobs=n_jobs)
        taken, frames[n_jobs] = seconds(compare_layers, module, X, y, **options)
        times[n_jobs].append(taken)
        beside.append(seconds(side_by_side, estimator, X, y)[0])
    times = {n_jobs: min(taken) for n_jobs, taken in times.items()}
    beside = min(beside)
    columns = ["layer", "type", "n_features", "alpha", "held_out", "seconds"]
    print(frames[2][columns].to_string(index=False, float_format="{:.3f}".format))
    same = (frames[1]["alpha"] == frames[2]["alpha"]).all()
    print(f"all layers: {times[1]:.1f} s with one job, {times[2]:.1f} s with two")
    print(f"ratio {times[1] / times[2]:.2f}, {'the same' if same else 'OTHER'} indices")
    print(f"share of the forward pass, with two: {once / times[2]:.2f}")
    print(f"two layers side by side: {beside:.1f} s, {beside / times[2]:.2f} times as long")
    print(f"all features: {size:.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--trees", type=int, default=4)
    arguments = parser.parse_args()
    main(arguments.npz, arguments.images, arguments.trees)
