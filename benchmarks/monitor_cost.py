"""What a record of ``SmoothnessMonitor`` costs, against an epoch of training.

    python benchmarks/monitor_cost.py [--npz FILE] [--images 20000] [--epochs 1]

The network of the lecture: 24 x 24 grey images, two layers of 64 convolutions of 5 x 5 with
pooling, and fully connected layers of 384, 192 and 10. One epoch of training with batches
of 128, then records at the defaults, in the same process. The images are random unless an
npz file with ``train_image`` (n, 3072 or 32, 32, 3) and ``train_label`` is given.
"""

import argparse
import time

import numpy as np
import torch
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


def random_images(n_images):
    """Noise around ten prototypes, so that there is something to learn."""
    rng = np.random.RandomState(0)
    y = rng.randint(10, size=n_images)
    X = rng.standard_normal((10, 1, 24, 24))[y] * 0.3
    return (X + rng.standard_normal(X.shape)).astype(np.float32), y


def given_images(path, n_images):
    """The centres of colour images, grey, standardised."""
    with np.load(path) as data:
        images, y = data["train_image"][:n_images], data["train_label"][:n_images]
    grey = images.reshape(-1, 32, 32, 3).mean(axis=3)[:, None, 4:28, 4:28]
    return ((grey - grey.mean()) / grey.std()).astype(np.float32), y.ravel().astype(int)


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


def main(npz, n_images, n_epochs):
    X, y = random_images(n_images) if npz is None else given_images(npz, n_images)
    torch.manual_seed(0)
    module = lecture_network()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    monitor = SmoothnessMonitor(module, X, y)
    monitor.record()  # the first fit compiles
    epochs, records = [], []
    for epoch in range(1, n_epochs + 1):
        epochs.append(seconds(train_for_an_epoch, module, X, y, optimizer))
        records += [seconds(monitor.record, epoch) for _ in range(N_RECORDS)]
    frame = monitor.to_frame()
    columns = ["step", "layer", "n_features", "alpha", "held_out", "seconds"]
    print(frame[columns].to_string(index=False, float_format="{:.3f}".format))
    (epoch, epoch_cpu), (record, record_cpu) = (
        np.median(times, axis=0) for times in (epochs, records)
    )
    print(f"{torch.get_num_threads()} threads of torch, one job of the monitor")
    print(f"epoch of {len(X)} images: {epoch:.1f} s, {epoch_cpu:.1f} s of processors")
    print(f"record of {len(monitor.X)}: {record:.2f} s, {record_cpu:.2f} s of processors")
    print(f"ratios: {record / epoch:.3f} and {record_cpu / epoch_cpu:.3f}; aim: below 0.1")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.npz, arguments.images, arguments.epochs)
