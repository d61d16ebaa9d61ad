"""What the scripts of this folder share: images, networks, training and result files.

``--data DIR`` holds two npz files, of the arrays that follow; either is enough for the
scripts which need no other:

- ``mnist.npz``: ``train_image`` (60000, 28, 28) uint8, ``train_label`` (60000,), and
  ``test_image``, ``test_label`` of 10,000 images;
- ``cifar10_jpeg.npz``: ``train_jpeg``, the bytes of 50,000 JPEG files one after the other,
  ``train_offset`` (50001,), where each of them begins, ``train_label``, and the same
  for ``test`` (10,000 images).

Rows are taken as they lie in the files, which should be in random order. Decoded images
and the states of the networks go to ``--cache DIR``; what is there already is not done
again. States are read with ``weights_only=True``.
"""

import argparse
import csv
import io
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sksmooth import BesovSmoothnessEstimator, compare_layers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from _results import read_table, write_results

# What tells the rows of a results file apart.
KEYS = (
    *("data", "network", "setting", "lost", "fraction", "stopped"),
    *("epoch", "layer", "index", "seed"),
)
SIDE = 24  # the lecture's network sees 24 x 24 of the 32 x 32 pixels


def parser(description):
    """Options that all scripts have."""
    options = argparse.ArgumentParser(description=description.splitlines()[0])
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    options.add_argument("--data", type=Path, required=True, help="folder of the npz files")
    options.add_argument("--cache", type=Path, default=default / "sksmooth-reproduction")
    options.add_argument("--threads", type=int, default=1, help="threads of torch")
    options.add_argument("--n-jobs", type=int, default=1, help="workers that grow trees")
    options.add_argument("--train-only", action="store_true", help="leave the analysis out")
    return options


# Images


def load_cifar10(data, cache, split):
    """Images (n, 32, 32, 3) uint8 and labels (n,) int64; decoded once."""
    image, label = cache / f"cifar10_{split}.npy", cache / f"cifar10_{split}_label.npy"
    if not label.exists():
        from PIL import Image

        cache.mkdir(parents=True, exist_ok=True)
        with np.load(data / "cifar10_jpeg.npz") as file:
            jpeg, offset = file[f"{split}_jpeg"], file[f"{split}_offset"]
            y = file[f"{split}_label"].astype(np.int64)
        X = np.empty((len(y), 32, 32, 3), np.uint8)
        for i in range(len(y)):
            X[i] = Image.open(io.BytesIO(jpeg[offset[i] : offset[i + 1]].tobytes()))
        np.save(image, X)
        np.save(label, y)  # last: where it is, the images are whole
    return np.load(image), np.load(label)


def load_mnist(data, cache, split):
    """Images (n, 28, 28) uint8 and labels (n,) int64."""
    image, label = cache / f"mnist_{split}.npy", cache / f"mnist_{split}_label.npy"
    if not label.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with np.load(data / "mnist.npz") as file:
            np.save(image, file[f"{split}_image"])
            np.save(label, file[f"{split}_label"].astype(np.int64))
    return np.load(image), np.load(label)


def grey(images):
    """(n, 1, side, side) float32, of mean and deviation near 0 and 1, of any images."""
    if images.ndim == 4:
        weights = np.array([0.299, 0.587, 0.114], np.float32)
        images = images.astype(np.float32) @ weights
    return ((images.astype(np.float32) / 255 - 0.5) / 0.25)[:, None]


def colour(images):
    """Standardise colour images, as three channels."""
    return ((images.astype(np.float32) / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2)


def centre(images, side=SIDE):
    """Crop the middle of (n, 1, h, w)."""
    edge = (images.shape[-1] - side) // 2
    return np.ascontiguousarray(images[:, :, edge : edge + side, edge : edge + side])


# Networks


def lecture_network():
    """Layers of 576, 9,216, 2,304, 384, 192 and 10 values, as in the lecture's table."""
    return nn.Sequential(
        *(nn.Conv2d(1, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(2304, 384), nn.ReLU()),
        *(nn.Linear(384, 192), nn.ReLU()),
        nn.Linear(192, 10),
    )


def lenet():
    """Layers of 784, 3,136, 1,568, 256, 84 and 10 values: LeNet-5, somewhat wider."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(1568, 256), nn.ReLU()),
        *(nn.Linear(256, 84), nn.ReLU()),
        nn.Linear(84, 10),
    )


# Training


def train(build, X, y, folder, *, epochs, seed, keep=(), validation=None, **options):
    """Train ``build()`` under one learning-rate cycle; states go to ``folder``.

    By Adam, or by stochastic gradient descent if ``momentum`` is given.

    ``keep`` lists the epochs whose states are kept beside the last one, 0 for
    initialisation; with ``validation=(X, y)`` the best epoch on it is kept as ``best``.
    ``augment=True`` takes X of 32 x 32 pixels and trains on random crops, left and right
    exchanged at random. Returns the rows of ``history.csv``.
    """
    if (folder / "history.csv").exists():
        return read_rows(folder / "history.csv")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    module = build().to(memory_format=torch.channels_last)
    save(module, folder, epochs=0, wanted=0 in keep)
    history, best = [], -1.0
    X, y = torch.as_tensor(X), torch.as_tensor(y)
    for row in run_epochs(module, X, y, epochs, **options):
        if validation is not None:
            row["validation"] = round(accuracy(module, *validation), 4)
            if row["validation"] > best:
                best = row["validation"]
                torch.save(module.state_dict(), folder / "best.pt")
        save(module, folder, row["epoch"], wanted=row["epoch"] in {*keep, epochs})
        history.append(row)
        print(folder.name, row, flush=True)
    write_rows(folder / "history.csv", history)
    return history


def run_epochs(
    module,
    X,
    y,
    epochs,
    *,
    augment=False,
    batch_size=128,
    rate=2e-3,
    decay=0.0,
    warm=0.2,
    momentum=None,
):
    """Train one epoch after the other; yield its number, loss, accuracy and seconds."""
    steps = -(-len(y) // batch_size)
    options = dict(lr=rate, weight_decay=decay)
    if momentum is None:
        optimizer = torch.optim.AdamW(module.parameters(), **options)
    else:
        optimizer = torch.optim.SGD(module.parameters(), momentum=momentum, **options)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps * epochs, pct_start=warm, cycle_momentum=False
    )
    for epoch in range(1, epochs + 1):
        module.train()
        start, loss_sum, hits = time.perf_counter(), 0.0, 0
        for rows in torch.randperm(len(y)).split(batch_size):
            images = random_crop(X[rows]) if augment else X[rows]
            with torch.autocast("cpu", torch.bfloat16):
                output = module(images.to(memory_format=torch.channels_last))
            loss = functional.cross_entropy(output.float(), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cycle.step()
            loss_sum += loss.item() * len(rows)
            hits += (output.argmax(1) == y[rows]).sum().item()
        seconds = round(time.perf_counter() - start, 1)
        row = dict(epoch=epoch, loss=round(loss_sum / len(y), 5))
        yield row | dict(accuracy=round(hits / len(y), 5), seconds=seconds)


def random_crop(images, side=SIDE):
    """Another place in every image, half of them seen in a mirror."""
    n, choices = len(images), images.shape[-1] - side + 1
    windows = images.unfold(2, side, 1).unfold(3, side, 1)
    row, column = torch.randint(choices, (2, n))
    crops = windows[torch.arange(n), :, row, column]
    mirror = torch.rand(n) < 0.5
    crops[mirror] = crops[mirror].flip(-1)
    return crops


def accuracy(module, X, y):
    """Share of right answers, on arrays."""
    module.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        answers = [module(rows).argmax(1) for rows in torch.as_tensor(X).split(500)]
    return (torch.cat(answers).numpy() == np.asarray(y)).mean().item()


def save(module, folder, epochs, wanted):
    if wanted:
        torch.save(module.state_dict(), folder / f"epoch_{epochs:03d}.pt")


def load(build, folder, epoch):
    """Network of ``build`` in the state after ``epoch`` epochs, or ``"best"``."""
    name = epoch if isinstance(epoch, str) else f"epoch_{epoch:03d}"
    module = build()
    module.load_state_dict(torch.load(folder / f"{name}.pt", weights_only=True))
    return module.eval()


# Measuring

CONVENTIONS = {
    "mterm": {},
    "elisha-dekel": dict(index="elisha-dekel", n_estimators=5, max_depth=9),
}


def estimators(n_jobs=1, random_state=0):
    """Make the package's own convention and the published one, by name."""
    return {
        name: BesovSmoothnessEstimator(random_state=random_state, n_jobs=n_jobs, **settings)
        for name, settings in CONVENTIONS.items()
    }


def quick():
    """Make the package's own convention with half of the trees, for many networks."""
    return {"mterm": BesovSmoothnessEstimator(5, random_state=0)}


def measure(module, X, y, known, *, by=None, layers=None, test=(None, None), n_jobs=1):
    """Rows of ``compare_layers`` in both conventions, each headed by the dict ``known``.

    ``by`` holds other estimators by their names.
    """
    rows = []
    for name, estimator in (by or estimators()).items():
        frame = compare_layers(
            *(module, X, y, layers, estimator),
            **dict(X_test=test[0], y_test=test[1], n_jobs=n_jobs, random_state=0),
        )
        print(known, name, frame[["layer", "alpha", "held_out", "seconds"]], sep="\n")
        head = known | dict(n_samples=len(y), index=name)
        head |= dict(n_trees=estimator.n_estimators)
        rows += [head | rounded(row) for row in frame.to_dict("records")]
    return rows


def rounded(row):
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}


# Files of results and of trainings


def write_lecture(name, rows, setup="", more=None):
    """Write rows to ``results/lecture_NAME.json``, labelled by what tells them apart."""
    labelled = {}
    for row in rows:
        keys = (f"{key} {row[key]}" for key in KEYS if key in row)
        labelled[", ".join(keys)] = row
    figures = {"rows": labelled, **(more or {})}
    write_results(f"lecture_{name}", figures, setup=setup, libraries=["torch"])


def read_lecture(name):
    """Rows of ``results/lecture_NAME.json``."""
    return list(read_table(f"lecture_{name}", "rows").values())


def write_rows(path, rows):
    """Write dicts as csv; the columns are those of all rows, as they come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(path):
    """Read what ``write_rows`` wrote, numbers as numbers."""
    with path.open(newline="") as file:
        return [{k: _number(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _number(text):
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
