"""A block that has lost its weights, and what finds it: marks of layers, or probes.

    python benchmarks/reproduction/broken_blocks.py --data DIR [--cache DIR] [--seeds 3]

A VGG of seven convolutions and the residual network of ``architectures.py``, trained on
10,000 images of CIFAR-10. One block after the other gets random weights, as happens when a
state is loaded that does not name all of them. Layers are averaged over places and measured
on 5,000 images that the networks have not seen. ``compare_layers`` sees the broken network
alone, or with the intact one as its reference. Rivals have the same images: probes, whose
right answers are compared by McNemar's test, and the difference of rates. Intact networks,
and the same ones trained for another epoch on other images, tell how often a sound layer is
marked.

Trainings take ten minutes on two idle cores, the rest as long; both are kept in the folder
of ``--cache``.
"""

import pickle
from collections import OrderedDict
from copy import deepcopy
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from architectures import blocks, classifier, convolution, deep_residual
from common import (
    centre,
    colour,
    load,
    load_cifar10,
    parser,
    run_epochs,
    train,
    write_results,
)
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from sksmooth import (
    BesovSmoothnessEstimator,
    LayerFeatureTransformer,
    compare_layers,
    smoothness_difference,
)

N_IMAGES, EPOCHS = 10_000, 8
LATER = slice(10_000, 20_000)
MEASURED = slice(20_000, 25_000)
PROBES = {
    "5-NN": KNeighborsClassifier(5),
    "linear probe": make_pipeline(StandardScaler(), LogisticRegression(C=0.1, tol=1e-3)),
}


def vgg():
    """Seven blocks of one convolution each, without normalisation."""
    widths = (3, 24, 24, 48, 48, 72, 72, 96)
    layers = [convolution(a, b) for a, b in pairwise(widths)]
    for place in (0, 2, 4):
        layers[place].append(nn.MaxPool2d(2))
    return blocks(*layers, head=classifier(96 * 9))


NETWORKS = {"VGG": vgg, "residual": deep_residual}


def with_pixels(name):
    """Build a network whose input is ``pixels``, averaged over places like all layers."""
    module = NETWORKS[name]()
    return nn.Sequential(OrderedDict(pixels=nn.Identity(), **dict(module.named_children())))


def folder_of(cache, name, seed):
    return cache / f"broken_{name.lower()}_seed{seed}"


def trainings(data, cache, seeds):
    images, y = load_cifar10(data, cache, "train")
    X, y = colour(images[:N_IMAGES]), y[:N_IMAGES]
    for name, build in NETWORKS.items():
        for seed in range(seeds):
            options = dict(epochs=EPOCHS, seed=seed, augment=True, rate=3e-3)
            train(build, X, y, folder_of(cache, name, seed), **options)


def trained_longer(module, X, y):
    """Copy a network, trained for one more epoch on other images, at a small rate."""
    torch.manual_seed(0)
    longer = deepcopy(module)
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    list(run_epochs(longer, X, y, 1, augment=True, rate=2e-4))
    return longer.eval()


def without(block, module, build, seed):
    """Copy a network, with one block as it might have been before training."""
    torch.manual_seed(100 + seed)
    broken = deepcopy(module)
    getattr(broken, block).load_state_dict(getattr(build(), block).state_dict())
    return broken


def kept(path, make, *arguments):
    """Call a function, or read what it gave before."""
    if not path.exists():
        path.write_bytes(pickle.dumps(make(*arguments)))
    return pickle.loads(path.read_bytes())


def features(module, layers, X):
    """Read several layers in one pass; average their channels over places."""
    reader = LayerFeatureTransformer(module, layers, pooling="mean")
    values = reader.fit_transform(X)
    widths = [shape[0] for shape in reader.layer_shapes_]
    return np.split(values, np.cumsum(widths)[:-1], axis=1)


def table(module, X, y, layers, reference=None):
    estimator = BesovSmoothnessEstimator(1)  # levels have a forest of their own
    options = dict(pooling="mean", random_state=0, reference=reference)
    return compare_layers(module, X, y, layers, estimator, **options)


def right_answers(module, X, y, layers):
    """Tell which images each probe has right in each layer."""
    return [
        {
            name: cross_val_predict(probe, values, y, cv=2) == y
            for name, probe in PROBES.items()
        }
        for values in features(module, layers, X)
    ]


def has_lower_rate(intact, broken, X, y, layer):
    """Whether the rate on a layer is significantly below that of the intact network."""
    (a,), (b,) = (features(module, [layer], X) for module in (intact, broken))
    return smoothness_difference(a, b, y, random_state=0).rate_interval[1] < 0


def is_drop(before, after):
    """Whether the second answers are significantly worse, by McNemar's exact test."""
    lost, won = np.sum(before & ~after), np.sum(~before & after)
    return bool(lost > won and 2 * binom.sf(lost - 1, lost + won, 0.5) < 0.05)


def marks(table, right, intact=None):
    """Marks of all layers, by what makes them."""
    alone = {
        "loses_smoothness": list(table["loses_smoothness"]),
        "gains_nothing": list(table["gains_nothing"]),
        "either of the two": list(table["loses_smoothness"] | table["gains_nothing"]),
    }
    for name in PROBES:
        steps = pairwise(each[name] for each in right)
        alone[f"{name}, drop"] = [False, *(is_drop(*step) for step in steps)]
    if intact is None:
        return alone
    beside = {"loses_to_reference": list(table["loses_to_reference"])}
    for name in PROBES:
        pairs = zip(intact, right, strict=True)
        beside[f"{name}, drop from the intact"] = [
            is_drop(a[name], b[name]) for a, b in pairs
        ]
    return alone | beside


def measured(name, seed, data, cache):
    """Rows of the intact network and of those without a block: what marks which layers."""
    folder, build = folder_of(cache, name, seed), partial(with_pixels, name)
    images, y = load_cifar10(data, cache, "train")
    seen = colour(images[LATER]), y[LATER]
    images = centre(colour(images[MEASURED])), y[MEASURED]
    intact = load(build, folder, EPOCHS)
    broken = [block for block, _ in intact.named_children() if block.startswith("block")]
    layers = ["pixels", *broken, "logits"]
    sound = kept(folder / "intact.pkl", table, intact, *images, layers)
    right = kept(folder / "intact_probes.pkl", right_answers, intact, *images, layers)
    known = dict(network=name, seed=seed)
    yield known | dict(lost="", marks=marks(sound, right))
    other = kept(folder / "longer.pkl", trained_longer, intact, *seen)
    found = kept(folder / "longer_table.pkl", table, other, *images, layers, sound)
    later = kept(folder / "longer_probes.pkl", right_answers, other, *images, layers)
    yield known | dict(lost="", marks=marks(found, later, right))
    for place, block in enumerate(broken, start=1):
        other = without(block, intact, build, seed)
        file = folder / f"{block}.pkl", folder / f"{block}_probes.pkl"
        found = kept(file[0], table, other, *images, layers, sound)
        later = kept(file[1], right_answers, other, *images, layers[place:])
        by_way = marks(found, right[:place] + later, right)
        file = folder / f"{block}_rate.pkl"
        lower = kept(file, has_lower_rate, intact, other, *images, block)
        by_way["difference of rates"] = [lower and each == block for each in layers]
        yield known | dict(lost=block, place=place, marks=by_way)


def summary(rows):
    """Shares of the lost blocks that are found, and of the sound layers that are marked."""
    figures = {}
    for name in NETWORKS:
        sound = [row["marks"] for row in rows if row["network"] == name and not row["lost"]]
        broken = [row for row in rows if row["network"] == name and row["lost"]]
        ways = broken[0]["marks"]
        figures[name] = {way: shares(way, sound, broken) for way in ways}
    return figures


def shares(way, sound, broken):
    """Shares in per cent; the layers before a lost block are those of a sound network."""
    from_there = [row["marks"][way][row["place"] :] for row in broken]
    found = {
        "lost blocks": len(broken),
        "marked, %": 100 * np.mean([marked[0] for marked in from_there]),
        "that or the next, %": 100 * np.mean([any(marked[:2]) for marked in from_there]),
        "any from there on, %": 100 * np.mean([any(marked) for marked in from_there]),
    }
    false = [mark for marked in sound if way in marked for mark in marked[way][1:]]
    if false:
        found["sound layers marked, %"] = 100 * np.mean(false)
    return found


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=3)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    trainings(options.data, options.cache, options.seeds)
    if not options.train_only:
        rows = [
            row
            for name in NETWORKS
            for seed in range(options.seeds)
            for row in measured(name, seed, options.data, options.cache)
        ]
        setup = f"{options.seeds} seeds, 10,000 images trained on, 5,000 measured"
        write_results("broken_blocks", summary(rows), setup=setup, libraries=["torch"])
