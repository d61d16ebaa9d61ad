"""
=====================================
Watch a network learn, layer by layer
=====================================

A network that has learned to classify separates the classes: from layer to layer they form
better clusters, so the labels become a smoother function of the values of the layer. We
train a small convolutional network on the digits, watch this happen, and compare every
layer before and after. The page on the lecture's experiments does this for CIFAR-10.
"""

# %%
# Half of the digits train the network. We measure smoothness on the other half, which it
# has not seen: on samples that a network has memorised, any labels look smooth.

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from sksmooth import SmoothnessMonitor, compare_layers
from sksmooth.plotting import LayerSmoothnessDisplay, SmoothnessHistoryDisplay

X, y = load_digits(return_X_y=True)
images = (X / 16).reshape(-1, 1, 8, 8).astype("float32")
X_train, X_new, y_train, y_new = train_test_split(
    images, y, test_size=0.5, stratify=y, random_state=0
)

torch.set_num_threads(1)  # the network is too small for more
torch.manual_seed(0)
network = nn.Sequential(
    *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
    *(nn.Linear(128, 64), nn.ReLU()),
    *(nn.Linear(64, 32), nn.ReLU()),
    nn.Linear(32, 10),
)
before = compare_layers(network, X_new, y_new, random_state=0)

# %%
# A monitor goes into an ordinary training loop. It measures the same samples every time,
# all layers in one pass.

monitor = SmoothnessMonitor(network, X_new, y_new, random_state=0)
optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
inputs, targets = torch.tensor(X_train), torch.tensor(y_train)
monitor.record(step=0)
for epoch in range(1, 33):
    for rows in torch.randperm(len(targets)).split(32):
        loss = nn.functional.cross_entropy(network(inputs[rows]), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch in (1, 2, 4, 8, 16, 32):
        monitor.record(step=epoch, loss=loss.item())

# %%
# At first the layers are random, and each of them loses a little smoothness. Training makes
# the labels smoother in nearly all layers, most in the deepest ones.

display = SmoothnessHistoryDisplay.from_monitor(monitor)
display.ax_.set(title="Digits: smoothness through training", xlabel="Epoch")
plt.show()

# %%
# We compare all layers before and after training. The 95 % intervals are wide for so few
# samples.

after = compare_layers(network, X_new, y_new, random_state=0)
print(after[["layer", "type", "n_features", "alpha", "alpha_low", "alpha_high"]])
display = LayerSmoothnessDisplay.from_frame({"untrained": before, "trained": after})
display.ax_.set_title("Digits: smoothness through the layers")
plt.show()
