"""
===================================
Networks that memorise wrong labels
===================================

Networks fit even random labels without any training error [1]_. We train on digits with
labels that are partly or entirely wrong, and on digits with shuffled pixels, and measure
the smoothness of the labels at the last inner layer.

.. [1] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, *Understanding deep learning
   requires rethinking generalization*, ICLR 2017.
"""

# %%
# The network has many more weights than there are images. It is trained on 1,078 of them;
# the other 719 get wrong labels at the same rate but are not used in training.

import warnings
from copy import deepcopy

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer
from sksmooth.datasets import corrupt_labels
from sksmooth.exceptions import SmoothnessWarning

# With so few samples the rates change within the window; ignore the warnings about it.
warnings.simplefilter("ignore", SmoothnessWarning)

torch.set_num_threads(1)  # the network is too small for more
X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")


def train(X, y, n_epochs=80, early=5):
    """Train a network; return it after a few epochs, at the end, and the losses."""
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU()),
        *(nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10)),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    inputs, targets, losses = torch.tensor(X), torch.tensor(y), []
    for epoch in range(n_epochs):
        losses.append(0.0)
        for rows in torch.randperm(len(targets)).split(64):
            loss = nn.functional.cross_entropy(network(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1] += loss.item() * len(rows) / len(targets)
        if epoch + 1 == early:
            stopped = deepcopy(network)
    return stopped, network, losses


def smoothness(network, X, y):
    """Measure the index of the labels at the last inner layer, of 32 values."""
    features = LayerFeatureTransformer(network, "5").fit_transform(X)
    return BesovSmoothnessEstimator(random_state=0).fit(features, y).alpha_


# %%
# Wrong labels
# ------------
#
# After five epochs the network has learned what the images of a class have in common, and
# the index falls with every share of wrong labels. After eighty it has also memorised most
# of the wrong labels. On the training images, the index is then two or three times as high
# for all labellings; on other images it rises with correct labels only.

fractions = [0.0, 0.1, 0.2, 0.3, 0.4]
table = np.empty((4, len(fractions)))
for i, fraction in enumerate(fractions):
    labels = corrupt_labels(y, fraction, random_state=0)
    X_train, X_new, y_train, y_new = train_test_split(
        X, labels, test_size=0.4, stratify=y, random_state=0
    )
    early, late, _ = train(X_train, y_train)
    table[:, i] = [
        *(smoothness(early, X_train, y_train), smoothness(early, X_new, y_new)),
        *(smoothness(late, X_train, y_train), smoothness(late, X_new, y_new)),
    ]
    print(f"{fraction:4.0%} wrong:", *(f"{value:7.3f}" for value in table[:, i]))

figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.8), sharey=True, layout="constrained")
for ax, rows, title in zip(
    axes, (table[:2], table[2:]), ("5 epochs", "80 epochs"), strict=True
):
    ax.plot(100 * np.array(fractions), rows[0], "o-", label="training images")
    ax.plot(100 * np.array(fractions), rows[1], "s--", label="other images")
    ax.set(xlabel="Wrong labels (%)", title=f"Trained for {title}")
axes[0].set_ylabel(r"Smoothness index $\alpha$")
axes[0].legend()
plt.show()

# %%
# Random labels and images
# ------------------------
#
# Networks also fit random labels, only later, even if the pixels of each image are permuted
# differently. So the final training loss does not reveal them. The index on other images
# does: it is close to zero. One permutation for all images changes nothing, because this
# network has no convolutions, for which neighbouring pixels would matter.

rng = np.random.default_rng(0)
settings = {
    "true labels": (X, y),
    "half random": (
        X,
        np.where(rng.random(len(y)) < 0.5, rng.integers(10, size=len(y)), y),
    ),
    "random labels": (X, rng.integers(10, size=len(y))),
    "shuffled pixels": (X[:, rng.permutation(64)], y),
    "random pixels": (rng.permuted(X, axis=1), y),
}
figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained")
for place, (name, (images, labels)) in enumerate(settings.items()):
    X_train, X_new, y_train, y_new = train_test_split(
        images, labels, test_size=0.4, random_state=0
    )
    _, network, losses = train(X_train, y_train)
    seen, new = smoothness(network, X_train, y_train), smoothness(network, X_new, y_new)
    print(f"{name:16} loss {losses[-1]:.4f}, training {seen:6.3f}, other {new:6.3f}")
    axes[0].plot(np.arange(1, 81), losses, label=name)
    axes[1].plot(place, seen, "o", color=f"C{place}")
    axes[1].plot(place, new, "s", color=f"C{place}", fillstyle="none")
axes[0].set(xlabel="Epoch", ylabel="Training loss", yscale="log", title="What is learned")
axes[0].legend()
axes[1].set_xticks(range(len(settings)), settings, rotation=20)
axes[1].set(ylabel=r"Smoothness index $\alpha$", title="Filled: training images")
axes[1].axhline(0, color="0.6", linewidth=0.8)
plt.show()
