"""Choose the layer at which to cut a network for another task: by smoothness, or probes.

    python benchmarks/best_layer.py --data DIR [--cache DIR]

Twelve small networks of three kinds, trained on part of MNIST or CIFAR-10, on rotations or
on random labels; each serves two other tasks. Layers are averaged over places. Ways to
choose one see 2,000 images of the task; the truth is the accuracy of a logistic regression,
which has learned from the same images, on 6,000 others. ``reproduction/common.py`` says
what the folders hold; trainings take ten minutes on two idle cores, and are kept.
"""

import sys
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from _results import write_results
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

sys.path.insert(0, str(Path(__file__).parent / "reproduction"))
from architectures import TwoConvolutions, blocks, classifier, convolution
from common import centre, colour, load, load_cifar10, load_mnist, parser, train

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer, compare_layers
from sksmooth.index import level_difference

EPOCHS, N_IMAGES = 8, 8_000  # of the trainings
FIRST, N_TASK, N_TEST = 20_000, 2_000, 6_000  # images of the tasks begin there

PROBES = ["knn", "linear", "logme"]
ANIMALS = [2, 3, 4, 5, 6, 7]


# Tasks: the images, and what is asked of them. Labels of -1 take no part.


def classes_from(first, last):
    return lambda images, y: (images, np.where((first <= y) & (y <= last), y - first, -1))


def all_classes(images, y):
    return images, y


def animals(images, y):
    return images, np.isin(y, ANIMALS).astype(np.int64)


def parity(images, y):
    return images, y % 2


def rotation(images, y):
    turns = np.arange(len(y)) % 4
    turned = [np.rot90(image, turn) for image, turn in zip(images, turns, strict=True)]
    return np.stack(turned), turns


def random_labels(images, y):
    return images, np.random.RandomState(0).permutation(y)


def without_colour(images, y):
    grey = images.mean(axis=3, keepdims=True).astype(np.uint8)
    return np.broadcast_to(grey, images.shape), y


def task(name, cache, data, first, n):
    """Images (n, 3, side, side) and labels of a task, such as ``("mnist", parity)``."""
    source, ask = name
    if source == "mnist":
        images, y = load_mnist(data, cache, "train")
        images = np.repeat(images[..., None], 3, axis=3)
    else:
        images, y = load_cifar10(data, cache, "train")
    images, y = ask(images[first : first + 2 * n], y[first : first + 2 * n])
    rows = np.flatnonzero(y >= 0)[:n]
    return colour(images[rows]), y[rows]


# Networks, of images of three channels and 24 x 24 pixels


def mlp(width):
    widths = (3 * 24 * 24, *[width] * 5)
    layers = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
    layers[0] = nn.Sequential(nn.Flatten(), *layers[0])
    return blocks(*layers, head={"logits": nn.Linear(width, 10)})


def vgg(width):
    widths = (3, width, width, 2 * width, 2 * width, 3 * width, 3 * width)
    layers = [convolution(a, b) for a, b in pairwise(widths)]
    for place in (0, 2, 4):
        layers[place].append(nn.MaxPool2d(2))
    return blocks(*layers, head=classifier(27 * width, 4 * width))


def resnet(width):
    widths = (width, width, width, 2 * width, 2 * width, 4 * width, 4 * width)
    pairs = [TwoConvolutions(a, b, residual=True) for a, b in pairwise(widths)]
    head = {"pool": nn.AdaptiveAvgPool2d(1), **classifier(4 * width)}
    return blocks(nn.Sequential(convolution(3, width), nn.MaxPool2d(2)), *pairs, head=head)


CIFAR_0_4, CIFAR_5_9 = (("cifar", classes_from(*ends)) for ends in ((0, 4), (5, 9)))
MNIST_0_4, MNIST_5_9 = (("mnist", classes_from(*ends)) for ends in ((0, 4), (5, 9)))
CIFAR, MNIST = ("cifar", all_classes), ("mnist", all_classes)

NETWORKS = {  # how it is built, what it is trained on, and what it is wanted for
    "VGG, classes 0-4": (vgg, 24, CIFAR_0_4, {"classes 5-9": CIFAR_5_9, "digits": MNIST}),
    "VGG, narrow, all classes": (
        *(vgg, 12, CIFAR),
        {"animals": ("cifar", animals), "rotation": ("cifar", rotation)},
    ),
    "VGG, random labels": (
        *(vgg, 24, ("cifar", random_labels)),
        {"classes": CIFAR, "animals": ("cifar", animals)},
    ),
    "VGG, rotation": (
        *(vgg, 16, ("cifar", rotation)),
        {"classes": CIFAR, "animals": ("cifar", animals)},
    ),
    "residual, classes 0-4": (
        *(resnet, 16, CIFAR_0_4),
        {"classes 5-9": CIFAR_5_9, "digits": MNIST},
    ),
    "residual, animals": (
        *(resnet, 16, ("cifar", animals)),
        {"classes": CIFAR, "classes 5-9": CIFAR_5_9},
    ),
    "residual, narrow, classes": (
        *(resnet, 8, CIFAR),
        {"animals": ("cifar", animals), "grey classes": ("cifar", without_colour)},
    ),
    "fully connected, classes 0-4": (
        *(mlp, 128, CIFAR_0_4),
        {"classes 5-9": CIFAR_5_9, "animals": ("cifar", animals)},
    ),
    "VGG, digits 0-4": (
        *(vgg, 12, MNIST_0_4),
        {"digits 5-9": MNIST_5_9, "grey classes": ("cifar", without_colour)},
    ),
    "residual, rotated digits": (
        *(resnet, 8, ("mnist", rotation)),
        {"digits": MNIST, "parity": ("mnist", parity)},
    ),
    "fully connected, digits 0-4": (
        *(mlp, 96, MNIST_0_4),
        {"digits 5-9": MNIST_5_9, "parity": ("mnist", parity)},
    ),
    "fully connected, parity": (
        *(mlp, 96, ("mnist", parity)),
        {"digits": MNIST, "rotation": ("mnist", rotation)},
    ),
}


def folder_of(cache, name):
    return cache / ("best layer " + name).replace(",", "").replace(" ", "_").lower()


def trainings(data, cache):
    for name, (build, width, source, _) in NETWORKS.items():
        folder = folder_of(cache, name)
        if (folder / "history.csv").exists():
            continue
        X, y = task(source, cache, data, 0, N_IMAGES)
        options = dict(epochs=EPOCHS, seed=0, rate=3e-3)
        train(partial(build, width), centre(X), y, folder, **options)


def tasks(data, cache):
    """Networks and the tasks they are wanted for: images to choose by and to test on."""
    for name, (build, width, _, targets) in NETWORKS.items():
        module = load(partial(build, width), folder_of(cache, name), EPOCHS)
        children = (child for child, _ in module.named_children())
        layers = [each for each in children if each not in ("flatten", "pool")]
        for target, what in targets.items():
            (X, y), (X_test, y_test) = (
                task(what, cache, data, first, n)
                for first, n in ((FIRST, N_TASK), (FIRST + 2 * N_TASK, N_TEST))
            )
            yield f"{name}; {target}", module, layers, centre(X), y, centre(X_test), y_test


def accuracies(module, layers, X, y, X_test, y_test):
    """Accuracy of a logistic regression on every layer: the truth."""
    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, tol=1e-3))
    reader = LayerFeatureTransformer(module, layers, pooling="mean")
    values, of_test = reader.fit_transform(X), reader.transform(X_test)
    ends = np.cumsum([shape[0] for shape in reader.layer_shapes_])[:-1]
    for A, B in zip(
        *(np.split(each, ends, axis=1) for each in (values, of_test)), strict=True
    ):
        yield head.fit(A, y).score(B, y_test)


def chosen(table):
    """Place of the layer that each way chooses."""
    levels = table.levels_
    best = max(levels, key=lambda level: level.score)
    tied = [
        place
        for place, level in enumerate(levels)
        if level is best or level_difference(level, best).p_value >= 0.05
    ]
    return {
        "best_layer_": list(table["layer"]).index(table.best_layer_),
        "highest level": levels.index(best),
        "earliest not told apart": tied[0],
        "latest not told apart": tied[-1],
        "highest rate, alpha": table["alpha"].argmax(),
        **{f"probe {name}": table[name].argmax() for name in PROBES},
        "last layer": len(table) - 1,
        "last but one": len(table) - 2,
    }


def main():
    options = parser(__doc__).parse_args()
    torch.set_num_threads(options.threads)
    trainings(options.data, options.cache)
    accuracy, regret = {}, {}
    for name, module, layers, X, y, *test in tasks(options.data, options.cache):
        found = 100 * np.array([*accuracies(module, layers, X, y, *test)])
        table = compare_layers(
            *(module, X, y, layers, BesovSmoothnessEstimator(4), PROBES),
            **dict(pooling="mean", random_state=0, n_jobs=options.n_jobs),
        )
        accuracy[name] = dict(zip(layers, found, strict=True))
        regret[name] = {way: found.max() - found[at] for way, at in chosen(table).items()}
        print(name, regret[name], flush=True)
    ways = {way: np.array([row[way] for row in regret.values()]) for way in regret[name]}
    summary = {
        way: {
            "mean regret, points": values.mean(),
            "largest": values.max(),
            "within a point, %": 100 * (values <= 1).mean(),
        }
        for way, values in ways.items()
    }
    figures = {"ways": summary, "regret, points": regret, "accuracy of layers, %": accuracy}
    setup = f"{len(NETWORKS)} networks, {len(regret)} tasks, 2,000 images of each"
    write_results("best_layer", figures, setup=setup, libraries=["torch"])


if __name__ == "__main__":
    main()
