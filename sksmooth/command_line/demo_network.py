"""The small convolutional network of the demo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._lib.progress import progress_bar

__all__ = ["IMAGE_SHAPE", "LAYERS", "make_network", "train"]

IMAGE_SHAPE = (1, 8, 8)
LAYERS = {
    "convolution 1": "pool1",
    "convolution 2": "pool2",
    "dense": "relu3",
    "logits": "logits",
}
_N_EPOCHS = 10
_BATCH_SIZE = 32


def make_network(seed: int) -> Any:
    """Two convolutions, a fully connected layer and logits, with torch's initialisation."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = {
            "conv1": nn.Conv2d(1, 16, 3, padding=1),
            "relu1": nn.ReLU(),
            "pool1": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(16, 32, 3, padding=1),
            "relu2": nn.ReLU(),
            "pool2": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "linear3": nn.Linear(128, 32),
            "relu3": nn.ReLU(),
            "logits": nn.Linear(32, 10),
        }
    network = nn.Sequential()
    for name, layer in layers.items():
        network.add_module(name, layer)
    return network


def train(network: Any, X: np.ndarray, y: np.ndarray, seed: int) -> None:
    """Minimise the cross-entropy, with a progress bar."""
    epochs = _epochs(network, X, y, np.random.RandomState(seed))
    with _one_thread():
        for _ in progress_bar(epochs, _N_EPOCHS, "training"):
            pass


def _epochs(
    network: Any, X: np.ndarray, y: np.ndarray, rng: np.random.RandomState
) -> Iterator[None]:
    import torch

    images = torch.as_tensor(X, dtype=torch.float32).reshape(-1, *IMAGE_SHAPE)
    labels = torch.as_tensor(y)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(_N_EPOCHS):
        for batch in torch.as_tensor(rng.permutation(len(X))).split(_BATCH_SIZE):
            output = network(images[batch])
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(output, labels[batch]).backward()
            optimizer.step()
        yield


@contextmanager
def _one_thread() -> Iterator[None]:
    """In so small a network, several threads only wait for each other."""
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
