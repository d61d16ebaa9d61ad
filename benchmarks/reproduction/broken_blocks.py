"""A block that has lost its weights, and what finds it: marks of layers, or probes.

    python benchmarks/reproduction/broken_blocks.py --data DIR [--cache DIR] [--seeds 3]

A VGG of seven convolutions and the residual network of ``architectures.py``, trained on
10,000 images of CIFAR-10. One block after the other gets random weights, as happens when a
state is loaded that does not name all of them. Layers are averaged over places and measured
on 5,000 images that the networks have not seen. ``compare_layers`` sees the broken network
alone, or the intact one as its reference; so do probes, of which the answers to the same
images are compared by McNemar's test, and the difference of rates. The intact networks tell
how often a sound layer is marked.

Trainings take 20 minutes on two cores, and are kept; the rest takes 15.
"""

from copy import deepcopy
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from architectures import blocks, classifier, convolution, deep_residual
from common import centre, colour, load, load_cifar10, parser, train
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from _results import write_results
from sksmooth import LayerFeatureTransformer, compare_layers, smoothness_difference

N_IMAGES, EPOCHS = 10_000, 8
MEASURED = slice(20_000, 25_000)
MARKS = ["loses_smoothness", "gains_nothing", "loses_to_reference"]
PROBES = {
    "5-NN": KNeighborsClassifier(5),
    "linear": make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200)),
}


def vgg():
    widths = (3, 24, 24, 48, 48, 72, 72, 96)
    layers = [convolution(a, b) for a, b in pairwise(widths)]
    for place in (0, 2, 4):
        layers[place].append(nn.MaxPool2d(2))
    return blocks(*layers, head=classifier(96 * 9))


NETWORKS = {"VGG": vgg, "residual": deep_residual}


def folder_of(cache, name, seed):
    return cache / f"broken_{name.lower()}_seed{seed}"


def trainings(data, cache, seeds):
    images, y = load_cifar10(data, cache, "train")
    X, y = colour(images[:N_IMAGES]), y[:N_IMAGES]
    for name, build in NETWORKS.items():
        for seed in range(seeds):
            options = dict(epochs=EPOCHS, seed=seed, augment=True, rate=3e-3)
            train(build, X, y, folder_of(cache, name, seed), **options)


def without_block(module, build, block, seed):
    """Copy a network, with one block as it might have been before training."""
    torch.manual_seed(100 + seed)
    broken = deepcopy(module)
    getattr(broken, block).load_state_dict(getattr(build(), block).state_dict())
    return broken


def answers(module, layers, X, y):
    """Whether each probe is right about each image, layer by layer."""
    found = {}
    for layer in layers:
        features = LayerFeatureTransformer(module, layer, pooling="mean").fit_transform(X)
        for name, probe in PROBES.items():
            found[name, layer] = cross_val_predict(probe, features, y, cv=3) == y
    return found


def is_drop(before, after):
    """Whether the second answers are significantly worse: McNemar's exact test."""
    lost, won = np.sum(before & ~after), np.sum(~before & after)
    return bool(lost > won and 2 * binom.sf(lost - 1, lost + won, 0.5) < 0.05)


def marks_of(module, X, y, layers, **options):
    """Make the table of all layers, with one column for each kind of mark."""
    table = compare_layers(
        module, X, y, layers, pooling="mean", random_state=0, **options
    )
    right = answers(module, layers, X, y)
    return table, right


def measured(name, seed, data, cache, n_jobs):
    """Rows of marks: of the sound network, and of it without each block."""
