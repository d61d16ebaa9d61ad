"""AlexNet, VGG, Inception and residual blocks in small, and a layer that is broken.

    python benchmarks/reproduction/architectures.py --data DIR [--cache DIR]

Colour images of CIFAR-10, smoothness after every block. Two layers are broken on purpose:
two random channels, frozen, in the middle of a network that is trained around them; and a
trained network one of whose blocks has lost its weights, as happens when a state is
loaded that does not name all of them.
"""

from collections import OrderedDict
from itertools import pairwise

import torch
from common import (
    accuracy,
    centre,
    colour,
    load,
    load_cifar10,
    measure,
    parser,
    quick,
    train,
    write_lecture,
)
from torch import nn

N_IMAGES, EPOCHS = 10_000, 8
N_MEASURED = 5_000  # training images


def blocks(*modules, head):
    """``block1``, ``block2``, ..., and the modules of ``head`` by their own names."""
    named = {f"block{i}": module for i, module in enumerate(modules, start=1)}
    return nn.Sequential(OrderedDict(named | head))


def convolution(n_in, n_out, size=3):
    return nn.Sequential(nn.Conv2d(n_in, n_out, size, padding=size // 2), nn.ReLU())


def classifier(n_in, *widths):
    """Fully connected layers, then ten logits."""
    head = {"flatten": nn.Flatten()}
    for i, width in enumerate(widths, start=1):
        head[f"fully{i}"] = nn.Sequential(nn.Linear(n_in, width), nn.ReLU())
        n_in = width
    return head | {"logits": nn.Linear(n_in, 10)}


def alexnet_style():
    """Large kernels first, overlapping pools, two wide fully connected layers."""
    return blocks(
        nn.Sequential(convolution(3, 48, 5), nn.MaxPool2d(3, 2, 1)),
        nn.Sequential(convolution(48, 96, 5), nn.MaxPool2d(3, 2, 1)),
        convolution(96, 96),
        nn.Sequential(convolution(96, 64), nn.MaxPool2d(3, 2, 1)),
        head=classifier(64 * 9, 256, 128),
    )


def vgg_block(n_in, n_out):
    """Two small kernels, then a pool."""
    return nn.Sequential(
        convolution(n_in, n_out), convolution(n_out, n_out), nn.MaxPool2d(2)
    )


def vgg_style():
    return blocks(
        *(vgg_block(3, 32), vgg_block(32, 64), vgg_block(64, 96)),
        head=classifier(96 * 9, 192),
    )


class InceptionBlock(nn.Module):
    """Four branches side by side: 1x1, 3x3, two 3x3, and a pool."""

    def __init__(self, n_in, width):
        super().__init__()
        self.one = convolution(n_in, width, 1)
        self.three = nn.Sequential(convolution(n_in, width, 1), convolution(width, width))
        self.five = nn.Sequential(
            *(convolution(n_in, width, 1), convolution(width, width)),
            convolution(width, width),
        )
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1), convolution(n_in, width, 1))

    def forward(self, x):
        """Channels of the four branches."""
        branches = self.one, self.three, self.five, self.pool
        return torch.cat([branch(x) for branch in branches], dim=1)


def inception_style():
    return blocks(
        nn.Sequential(convolution(3, 32, 5), nn.MaxPool2d(2)),
        nn.Sequential(InceptionBlock(32, 24), nn.MaxPool2d(2)),
        nn.Sequential(InceptionBlock(96, 32), nn.MaxPool2d(2)),
        InceptionBlock(128, 32),
        head=classifier(128 * 9, 128),
    )


class TwoConvolutions(nn.Module):
    """Two normalised convolutions, with the input added to their output or not."""

    def __init__(self, n_in, n_out, residual):
        super().__init__()
        stride = 1 if n_in == n_out else 2
        self.branch = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
            *(nn.BatchNorm2d(n_out), nn.ReLU()),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        short = nn.Identity() if stride == 1 else nn.Conv2d(n_in, n_out, 1, stride)
        self.short = short if residual else None

    def forward(self, x):
        """Channels of the branch, or of branch and short cut added."""
        out = self.branch(x)
        return torch.relu(out if self.short is None else out + self.short(x))


def deep(residual):
    """Make a stem and eight blocks of two convolutions, with short cuts or without."""
    widths = (24, 24, 24, 24, 48, 48, 48, 96, 96)
    pairs = [TwoConvolutions(a, b, residual) for a, b in pairwise(widths)]
    head = {"pool": nn.AdaptiveAvgPool2d(1), **classifier(96)}
    stem = nn.Sequential(convolution(3, 24), nn.MaxPool2d(2))
    return blocks(stem, *pairs, head=head)


def deep_plain():
    return deep(residual=False)


def deep_residual():
    return deep(residual=True)


def with_bottleneck():
    """Make the VGG style, its second block followed by two frozen random channels."""
    network = vgg_style()
    bottleneck = nn.Conv2d(64, 2, 1).requires_grad_(False)
    after = nn.Sequential(convolution(2, 96), convolution(96, 96), nn.MaxPool2d(2))
    named = OrderedDict(network.named_children())
    first = [(name, named.pop(name)) for name in ("block1", "block2")]
    named["block3"] = after
    return nn.Sequential(OrderedDict([*first, ("bottleneck", bottleneck), *named.items()]))


ARCHITECTURES = {
    "AlexNet style": alexnet_style,
    "VGG style": vgg_style,
    "Inception style": inception_style,
    "deep, plain": deep_plain,
    "deep, residual": deep_residual,
    "frozen bottleneck": with_bottleneck,
}


LOST = "VGG style, block3 lost"


def lose_block(module, seed):
    """Put the third block back to what it was before training."""
    torch.manual_seed(seed)
    module.block3.load_state_dict(vgg_style().block3.state_dict())
    return module


def folder_of(cache, name, seed):
    return cache / f"{name.replace(', ', '_').replace(' ', '_').lower()}_seed{seed}"


def trainings(data, cache, seed):
    images, y = load_cifar10(data, cache, "train")
    X = colour(images[:N_IMAGES])
    for name, build in ARCHITECTURES.items():
        options = dict(epochs=EPOCHS, seed=seed, augment=True, rate=3e-3)
        train(build, X, y[:N_IMAGES], folder_of(cache, name, seed), **options)


def trained(name, cache, seed):
    """Make the network of that name; of ``LOST``, the VGG style without its third block."""
    whole = "VGG style" if name == LOST else name
    module = load(ARCHITECTURES[whole], folder_of(cache, whole, seed), EPOCHS)
    return lose_block(module, seed) if name == LOST else module


def measured(name, data, cache, seed, n_jobs):
    """Rows of the input and of every block, with the accuracy on test images."""
    (X, y), (X_test, y_test) = (
        (centre(colour(images)), y)
        for images, y in (load_cifar10(data, cache, split) for split in ("train", "test"))
    )
    module = trained(name, cache, seed)
    layers = ["input", *(name for name, _ in module.named_children() if name != "flatten")]
    known = dict(network=name, seed=seed, test_accuracy=accuracy(module, X_test, y_test))
    known |= dict(n_parameters=sum(each.numel() for each in module.parameters()))
    X, y = X[:N_MEASURED], y[:N_MEASURED]
    test = X_test, y_test
    options = dict(by=quick(), layers=layers, test=test, n_jobs=n_jobs)
    return measure(module, X, y, known, **options)


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--seed", type=int, default=0)
    options = options.parse_args()
    torch.set_num_threads(options.threads)
    trainings(options.data, options.cache, options.seed)
    if not options.train_only:
        where, rows = (options.data, options.cache), []
        for name in (*ARCHITECTURES, LOST):
            rows += measured(name, *where, options.seed, options.n_jobs)
            write_lecture("architectures", rows)
