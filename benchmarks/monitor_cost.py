"""Cost of a record of ``SmoothnessMonitor``, relative to an epoch of training.

    python benchmarks/monitor_cost.py [--npz FILE] [--images 20000] [--epochs 1]

The network of the lecture: 24 x 24 grey images, two layers of 64 convolutions of 5 x 5 with
pooling, and fully connected layers of 384, 192 and 10. One epoch of training with batches
of 128, then records at the defaults, in the same process. The images are random unless an
npz file of CIFAR-10 (``train_image``, ``train_label``) is given.
"""

import argparse
import time

import numpy as np
import torch
from _data import load_colour_images, prototype_images
from _results import write_results
from torch import nn

from sksmooth import SmoothnessMonitor

N_RECORDS = 3


def lecture_network():
    return nn.Sequential(
        *(nn.Conv2d(1, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(nn.Conv2d(64, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
        *(nn.Flatten(), nn.Linear(2304, 384), nn.ReLU()),
        *(nn.Linear(384, 192), nn.ReLU(), nn.Linear(192, 10)),
    )


def given_images(npz, n_images):
    """Cut the centres of colour images, grey, standardised."""
    images, y = load_colour_images(npz, n_images)
    grey = images.mean(axis=3)[:, None, 4:28, 4:28]
    return ((grey - grey.mean()) / grey.std()).astype(np.float32), y


def train_for_an_epoch(module, X, y, optimizer, batch_size=128):
    X, y = torch.tensor(X), torch.tensor(y)
    for rows in torch.randperm(len(X)).split(batch_size):
        loss = nn.functional.cross_entropy(module(X[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def seconds(function, *arguments):
    """Seconds, and seconds of processors: others may use the machine, too."""
    start = np.array([time.perf_counter(), time.process_time()])
    function(*arguments)
    return np.array([time.perf_counter(), time.process_time()]) - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=1)
    args = parser.parse_args()
    if args.npz:
        X, y = given_images(args.npz, args.images)
    else:
        X, y = prototype_images(args.images, (1, 24, 24), scale=0.3)
    torch.manual_seed(0)
    module = lecture_network()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    monitor = SmoothnessMonitor(module, X, y)
    monitor.record()  # the first fit compiles
    times = {"epoch": [], "record": []}
    for epoch in range(1, args.epochs + 1):
        times["epoch"].append(seconds(train_for_an_epoch, module, X, y, optimizer))
        times["record"] += [seconds(monitor.record, epoch) for _ in range(N_RECORDS)]
    medians = {what: np.median(taken, axis=0) for what, taken in times.items()}
    share = 100 * medians["record"] / medians["epoch"]
    table = {
        what: dict(zip(("s", "s of processors"), values, strict=True))
        for what, values in medians.items()
    }
    table["record"] |= {"share of an epoch %": share[0], "share of processors %": share[1]}
    setup = f"{args.images} images, records at the defaults, on the CPU"
    write_results("monitor_cost", {"cost": table}, setup=setup, libraries=["torch"])


if __name__ == "__main__":
    main()
