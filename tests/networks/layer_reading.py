"""Networks, and functions that read them, for the tests of this folder."""

import logging

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from sksmooth.networks import ReaderOptions, extract


def read(network, X, layers=None, *, y=None, keep_order=False, **options):
    return extract(network, X, layers, ReaderOptions(**options), y=y, keep_order=keep_order)


def rows_of(network, X, layer="output", **options):
    """The features of one layer."""
    return read(network, X, layer, **options).arrays[0]


def some_digits(n_samples):
    X, y = load_digits(return_X_y=True)
    return (X[:n_samples] / 16).astype(np.float32), y[:n_samples]


class Network(nn.Module):
    """Named parts, and a function of them and of the inputs."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args, **kwargs):
        return self.run(self, *args, **kwargs)


def train_by_lightning(library, network, X, y, *callbacks, **options):
    """A LightningModule with the network as its part ``net``, trained a little."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(library.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _):
            loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    torch.manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(y))
    silent = dict.fromkeys(
        ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"),
        False,
    )
    module = Module()
    trainer = library.Trainer(
        accelerator="cpu", callbacks=list(callbacks), **(silent | options)
    )
    trainer.fit(module, torch.utils.data.DataLoader(data, 100, shuffle=True))
    return module


class Digits(nn.Module):
    """Convolutions, then two full layers, by their names."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.5)
        self.head = nn.ModuleDict({"fc1": nn.Linear(36, 12), "fc2": nn.Linear(12, 10)})

    def forward(self, x):
        x = self.drop(self.pool(self.relu(self.norm(self.conv(x)))))
        return self.head["fc2"](torch.tanh(self.head["fc1"](x.flatten(1))))


NAMES = ["conv", "norm", "relu", "pool", "drop", "head.fc1", "head.fc2"]


def expected_of_digits(network, images, *names):
    """The values of layers, by calling the modules one after the other."""
    network.eval()
    with torch.no_grad():
        x = torch.as_tensor(images, dtype=torch.float32)
        values = {"input": x, "conv": network.conv(x)}
        values["norm"] = network.norm(values["conv"])
        values["relu"] = torch.relu(values["norm"])
        values["pool"] = values["drop"] = network.pool(values["relu"])
        values["head.fc1"] = network.head["fc1"](values["pool"].flatten(1))
        values["head.fc2"] = network.head["fc2"](torch.tanh(values["head.fc1"]))
        values["output"] = values["head.fc2"]
    network.train()
    return np.hstack([values[name].flatten(1).numpy() for name in names])


def hooks_of(network):
    return [
        len(module._forward_hooks) + len(module._forward_pre_hooks)
        for module in network.modules()
    ]


def some_texts(n_texts):
    rng = np.random.RandomState(0)
    return [rng.randint(5, 50, size=rng.randint(1, 9)) for _ in range(n_texts)]


def padded(texts, length, side="right"):
    """Token ids and their mask, as a tokenizer gives them."""
    ids, mask = np.zeros((len(texts), length), int), np.zeros((len(texts), length), int)
    for i, text in enumerate(texts):
        at = slice(length - len(text), None) if side == "left" else slice(len(text))
        ids[i, at], mask[i, at] = text, 1
    return {"input_ids": ids, "attention_mask": mask}
