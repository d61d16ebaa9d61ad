"""What ``compare_layers`` costs, and what one forward pass for all layers saves.

    python benchmarks/compare_layers.py [--images 10000] [--trees 4] [--npz FILE]

A convolutional network of CIFAR's size with random weights, and random colour images around
ten prototypes, or those of an npz file (``train_image``, ``train_label``). In one run, the
best of two turns:

- one forward pass for all layers, against one for every layer;
- the share of the forward pass in the whole;
- one job against two.
"""

import argparse

import numpy as np
import torch
from _data import load_colour_images, prototype_images, seconds_of
from _results import write_results
from torch import nn

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer, compare_layers

LAYERS = ["input", "2", "5", "8", "11", "13", "14"]


def network():
    """Make a network of maps 16 x 16 x 32, 8 x 8 x 64, 4 x 4 x 128, then 256, 128, 10."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(2048, 256), nn.ReLU()),
        *(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def given_images(npz, n_images):
    images, y = load_colour_images(npz, n_images)
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / 255, y


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--trees", type=int, default=4)
    args = parser.parse_args()
    if args.npz:
        X, y = given_images(args.npz, args.images)
    else:
        X, y = prototype_images(args.images, (3, 32, 32))
    module = network()
    estimator = BesovSmoothnessEstimator(args.trees, random_state=0)
    compare_layers(module, X[:200], y[:200], LAYERS, estimator, n_jobs=2)  # compiles

    def one_pass(layers):
        reader = LayerFeatureTransformer(module, layers)
        return seconds_of(lambda: reader.fit_transform(X))[0]

    together = one_pass(LAYERS)
    apart = sum(one_pass(layer) for layer in LAYERS)
    times, alphas = {1: [], 2: []}, {}
    for n_jobs in (1, 2, 2, 1):  # in turns, since the machine may be shared
        taken, table = seconds_of(
            lambda n_jobs=n_jobs: compare_layers(
                module, X, y, LAYERS, estimator, n_jobs=n_jobs
            )
        )
        times[n_jobs].append(taken)
        alphas[n_jobs] = np.array(table["alpha"])
    assert np.array_equal(alphas[1], alphas[2], equal_nan=True)
    one, two = min(times[1]), min(times[2])
    figures = {
        "forward pass": {
            "all layers at once": {"s": together},
            "a pass for each layer": {"s": apart, "ratio": apart / together},
        },
        "compare_layers": {
            "1 job": {"s": one, "ratio": one / two},
            "2 jobs": {"s": two, "share of the forward pass %": 100 * together / two},
        },
    }
    setup = f"{len(LAYERS)} layers, {args.images} images, {args.trees} trees, on the CPU"
    write_results("compare_layers", figures, setup=setup, libraries=["torch"])


if __name__ == "__main__":
    main()
